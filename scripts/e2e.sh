#!/usr/bin/env bash
# The images, and what people do with them in a real cluster on this machine; the cluster is taken down in the end.
#
# Usage: scripts/e2e.sh        (after scripts/setup.sh, test/cluster/build.sh cluster and scripts/images.sh;
#                               "make e2e" does all; needs root)
#
# With CI=true, Debian packages that are missing are installed. The last line is always `N passed, N failed`; it is also
# left in .tools/closing-line for .ci/run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

results=.tools/e2e-results.json
status=0

close() {
  echo "$1" | tee .tools/closing-line
  exit "$2"
}

echo '== images'
test/images/check.sh operator trainer-cpu || close '0 passed, 1 failed' 1

echo '== cluster'
rm -f $results
# The files share the cluster, and the cores.
vitest run --project e2e --no-file-parallelism --reporter=default --reporter=json --outputFile.json=$results || status=$?
node test/cluster/main.ts down || status=1
line=$(node scripts/closing-line.ts $results $status) || status=1
close "${line:-0 passed, 1 failed}" $status
