#!/usr/bin/env bash
# Puts what DestillML is compared with, by the reference scripts in test/reference and the benches, into Python
# environments of their own. Nothing else needs them.
#
# Usage: scripts/peers.sh           PyTorch, torchvision and Keras into .tools/peers: about 8 GB, some minutes
#        scripts/peers.sh search    Optuna and SciPy into .tools/peers-search: about 0.3 GB
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-training} in
  training) folder=.tools/peers list=scripts/peers.txt contents='PyTorch 2.9.1, torchvision 0.24.1 and Keras' room='8 GB' ;;
  search) folder=.tools/peers-search list=scripts/peers-search.txt contents='Optuna 5 and SciPy' room='0.3 GB' ;;
  *) echo "[peers] There are no peers of \"$1\", only of \"search\" and, without a word, of training." >&2; exit 2 ;;
esac
stamp=$folder/.stamp
inputs=$(cat $list trainer-image/tensorflow/pip.txt | sha256sum | cut -c1-64)

fail() {
  echo "[peers] $1" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in python3.11 python3; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo "$candidate" && return
  done
  fail "Python 3.11 is needed (the wheels in $list are locked for it). On Debian 12: apt-get install python3 python3-venv"
}

make_environment() {
  local python
  python=$(find_python)
  "$python" -m venv $folder || fail 'Python could not make an environment. On Debian: apt-get install python3-venv'
}

# pip keeps what it has fetched in its cache: a second try after a broken one does not fetch it again.
install() {
  $folder/bin/python -m pip install --quiet --require-hashes --requirement trainer-image/tensorflow/pip.txt
  $folder/bin/python -m pip install --require-hashes --only-binary=:all: --resume-retries 20 --requirement $list
}

if [[ -L $folder ]]; then
  echo "[peers] $folder is a link to $(readlink $folder): used as it is."
elif [[ ! -f $stamp || $(<$stamp) != "$inputs" ]]; then
  echo "[peers] Fetching $contents into $folder: what DestillML is compared with."
  make_environment
  install || fail "pip could not install them: it says why above. Check the network and the free disk space ($room), then run it again."
  echo "$inputs" >$stamp.partial
  mv $stamp.partial $stamp
fi
