#!/usr/bin/env bash
# Puts libtensorflow and the headers the binding needs into FOLDER, from the PyPI wheels that VARIANT.txt pins by hash.
#
# Usage: fetch.sh cpu|gpu FOLDER        for example: fetch.sh cpu .tools/tensorflow/2.20.0-cpu
#
# tfjs-node's own install script fetches an older libtensorflow from a host that many networks do not reach; PyPI they do.
# FOLDER appears whole or not at all: everything is unpacked beside it, then renamed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
variant=$1
folder=$2
partial=$folder.partial

# pip 25 runs from its own wheel, so that neither the machine's pip nor its packages change.
fetch_pip() {
  python3 -m pip download --quiet --require-hashes --no-deps --only-binary=:all: \
    --dest "$partial/pip" --requirement "$here/pip.txt"
}

# The platform is named in full: whichever Python the machine has, the same file comes.
fetch_wheels() {
  PYTHONPATH=$(echo "$partial"/pip/pip-*.whl) python3 -m pip download --require-hashes --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --platform manylinux2014_x86_64 --platform manylinux_2_27_x86_64 \
    --resume-retries 20 --progress-bar "$([[ -t 1 ]] && echo on || echo off)" \
    --dest "$partial/wheel" --requirement "$here/$variant.txt"
}

unpack() {
  local -a lists=("$here/contents.txt")
  [[ ! -f $here/contents-$variant.txt ]] || lists+=("$here/contents-$variant.txt")
  cat "${lists[@]}" | python3 "$here/unpack.py" "$partial/contents" "$partial"/wheel/*.whl
}

put_in_place() {
  rm -rf "$folder"
  mv "$partial/contents" "$folder"
  rm -rf "$partial"
}

rm -rf "$partial"
mkdir -p "$partial"
fetch_pip
fetch_wheels
unpack
put_in_place
