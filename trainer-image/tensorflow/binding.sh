#!/usr/bin/env bash
# Compiles tfjs-node's binding, the small library between Node.js and libtensorflow, into FOLDER/tfjs_binding.node.
#
# Usage: binding.sh MODULES FOLDER      MODULES: node_modules; FOLDER: where fetch.sh put libtensorflow
#
# One compiler call in place of node-gyp, which would fetch Node's headers from a host that many networks do not reach.
# The binding finds libtensorflow by the path from where it will be installed, so the whole checkout can be moved.
set -euo pipefail

modules=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
package=$modules/@tensorflow/tfjs-node-gpu
rpath=$(realpath --canonicalize-missing --relative-to="$package/lib/napi-v8" "$folder")

g++ -O2 -fPIC -shared -std=c++17 -DNAPI_VERSION=8 \
  -I"$modules/node-api-headers/include" -I"$package/binding" -I"$package" -I"$folder/include" \
  "$package/binding/tfjs_backend.cc" "$package/binding/tfjs_binding.cc" \
  -L"$folder" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 "-Wl,-rpath,\$ORIGIN/$rpath" \
  -o "$folder/tfjs_binding.node.partial"
mv "$folder/tfjs_binding.node.partial" "$folder/tfjs_binding.node"
