#!/bin/bash
# What takes too long for every change: the long runs whole, more rounds of what dies at random, and
# clang-tidy with all the steps of its analyzer.
# After ./test.sh release. Prints the figures that each test reports.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
python3 -B tests/tidy/clang_tidy.py "$PWD" build/release --whole || failed=1
export DFS_TEST_SCALE=nightly
ctest --test-dir build/release --output-on-failure --verbose \
  -R '^(endurance_test|watch_test|compaction_(killed_|memory_)?test|kill_(daemon|at_random|compacting)_test|power_cut_test|compacting)\.' "$@" || failed=1
exit $failed
