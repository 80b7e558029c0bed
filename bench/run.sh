#!/bin/bash
# Builds a release and measures dfs beside its peers: bench/run.sh [--quick] [--out DIRECTORY] [...]
# (--help has the rest)
#
# Takes about twenty minutes and two processors that have nothing else to do; --quick takes less than
# two minutes and only shows that everything runs. docs/benchmarks.md says what is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -D DFS_BENCH=ON >/dev/null
cmake --build --preset release --target dfs-bench dfsd dfsctl >/dev/null
exec python3 -B bench/suite/main.py --programs build/release "$@"
