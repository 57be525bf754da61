#!/usr/bin/env bash
# Puts promtool and prometheus into .tools/prometheus: the tests of dashboards and rules ask them. They are Debian's,
# unpacked there rather than installed, so that no service starts; those on PATH are taken if there are any.
#
# Usage: scripts/prometheus.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=.tools/prometheus

say() { echo "[prometheus] $*"; }

fail() {
  echo "[prometheus] FAILED: $1" >&2
  exit 1
}

# Names of the package files that apt knows are fetched from lists, which a new machine may lack.
download() {
  apt-get -qq download prometheus 2>/dev/null && return
  apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null && apt-get -qq download prometheus
}

fetch() {
  { command -v apt-get && command -v dpkg-deb; } >/dev/null ||
    fail 'promtool and prometheus 2.42 or later are needed on PATH: https://prometheus.io/download'
  say "Fetching Debian's package of Prometheus, to check dashboards and rules with."
  rm -rf $folder.partial
  mkdir -p $folder.partial
  (cd $folder.partial && download) ||
    fail 'apt-get could not fetch the package "prometheus" and says above why; or put promtool and prometheus on PATH.'
  dpkg-deb --extract $folder.partial/*.deb $folder.partial
  mkdir -p $folder
  cp $folder.partial/usr/bin/prom{tool,etheus} $folder/
  rm -rf $folder.partial
}

link() { ln -sf "$(command -v "$1")" $folder/"$1"; }

[[ -x $folder/promtool && -x $folder/prometheus ]] && exit
if { command -v promtool && command -v prometheus; } >/dev/null; then
  mkdir -p $folder
  link promtool
  link prometheus
else
  fetch
fi
