#!/bin/sh
# clean_clone.sh SOURCE: what is committed, and nothing else, builds and obeys its own laws; and
# building leaves no trace outside of build/.
set -eu
if ! git -C "$1" rev-parse HEAD >/dev/null 2>&1; then
  echo "not a git repository, so there is nothing to clone"
  exit 77
fi
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q "$1" "$clone/dfs"
cd "$clone/dfs"
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
cmake --preset release >"$clone/output" 2>&1 || { cat "$clone/output"; exit 1; }
cmake --build --preset release -j "$(nproc)" >"$clone/output" 2>&1 || { cat "$clone/output"; exit 1; }
ctest --preset release -L tidy --no-tests=error
traces=$(git status --porcelain)
if [ -n "$traces" ]; then
  echo "the build left behind:"
  echo "$traces"
  exit 1
fi
