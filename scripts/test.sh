#!/usr/bin/env bash
# All checks, then all tests. Stops at the first check that fails, names it and says what to do.
#
# Usage: scripts/test.sh         (after scripts/setup.sh; "make test" does both)
#
# The last line is always `N passed, N failed`; it is also left in .tools/closing-line for .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

closing_line=.tools/closing-line
results=.tools/test-results.json

close() {
  echo "$1" | tee $closing_line
  exit "$2"
}

# check NAME ADVICE COMMAND…
check() {
  local name=$1 advice=$2
  shift 2
  echo "== $name"
  "$@" && return
  echo "make test stopped at the check \"$name\". $advice"
  close '0 passed, 1 failed' 1
}

run_tests() {
  local status=0 line
  echo '== tests'
  rm -f $results
  vitest run --project '!e2e' --reporter=default --reporter=json --outputFile.json=$results || status=$?
  line=$(node scripts/closing-line.ts $results $status) || status=1
  close "${line:-0 passed, 1 failed}" $status
}

mkdir -p .tools
check 'format' 'Run "make format".' npm run --silent format-check
check 'lint' 'Mend what it names; "make format" sorts imports.' npm run --silent lint
check 'types' 'Mend what the compiler names.' npm run --silent types
check 'dead code' 'Delete what nothing uses, or use it.' npm run --silent dead-code
check 'generated files' 'Run "make generate" and commit what it changes.' npm run --silent generated-check
check 'known holes' 'Lift the package that it names, or override it in package.json.' npm run --silent known-holes
run_tests
