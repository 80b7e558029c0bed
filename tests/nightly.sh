#!/bin/bash
# What takes too long for every change: the long runs whole, and more rounds of what dies at random.
# After ./test.sh release. Prints the figures that each test reports.
set -euo pipefail
cd "$(dirname "$0")/.."
export DFS_TEST_SCALE=nightly
exec ctest --test-dir build/release --output-on-failure --verbose \
  -R '^(endurance_test|watch_test|compaction_(killed_|memory_)?test|kill_(daemon|at_random|compacting)_test|power_cut_test|compacting)\.' "$@"
