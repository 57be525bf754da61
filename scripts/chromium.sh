#!/usr/bin/env bash
# Sees to a Chromium, in which tests look at reports. One on PATH is taken. In CI, Debian's package is installed, because
# its many libraries cannot be unpacked aside; elsewhere that is for the machine's owner to do.
#
# Usage: scripts/chromium.sh
set -euo pipefail

package=chromium-headless-shell
install="apt-get install --no-install-recommends $package"

say() { echo "[chromium] $*"; }

fail() {
  echo "[chromium] FAILED: $1" >&2
  exit 1
}

# Names of the package files that apt knows are fetched from lists, which a new machine may lack.
install_package() {
  local options=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  apt-get "${options[@]}" install --yes --no-install-recommends $package >/dev/null 2>&1 && return
  apt-get "${options[@]}" update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install --yes --no-install-recommends $package >/dev/null
}

# As test/chromium.ts looks for them.
for name in chromium-headless-shell chromium google-chrome; do
  if command -v "$name" >/dev/null; then exit; fi
done
[[ -n ${CI:-} && $(id -u) == 0 ]] && command -v apt-get >/dev/null ||
  fail "tests look at reports in Chromium: install it, on Debian by: sudo $install"
say "Installing Debian's $package, to look at reports with."
install_package || fail "apt-get could not install $package and says above why."
