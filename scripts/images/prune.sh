#!/bin/sh
# Removes from ./node_modules what Node.js never opens: types, sources, source maps, documentation. Licences stay.
set -eu

find node_modules -type f ! -iname 'licen[cs]e*' \( \
  -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.flow' -o -name '*.tsbuildinfo' \
  -o -iname '*.md' -o -iname '*.markdown' -o -name '*.html' \) -delete

# Packages that hold types alone.
rm -rf node_modules/@types node_modules/undici-types

# TensorFlow.js comes in a dozen builds; Node.js opens the one that is called .node.js. The binding's sources are built.
if [ -d node_modules/@tensorflow ]; then
  find node_modules/@tensorflow/*/dist -type f ! -path '*/tfjs-node-gpu/*' ! -name '*.node.js' -delete
  rm -rf node_modules/@tensorflow/*/src node_modules/@tensorflow/*/tools node_modules/@tensorflow/tfjs-node-gpu/binding
  rm -rf node_modules/node-api-headers
fi

# onnxruntime carries binaries for every system, 250 MB.
here=$(node -p 'process.platform + "/" + process.arch')
for folder in node_modules/onnxruntime-node/bin/*/*/*; do
  case $folder in
    */"$here") ;;
    *) rm -rf "$folder" ;;
  esac
done

rm -rf node_modules/.bin
find node_modules -type d -empty -delete
