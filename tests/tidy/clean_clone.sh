#!/bin/sh
# clean_clone.sh SOURCE: what is committed, and nothing else, builds and obeys its own laws; and
# building leaves no trace outside of build/. In a tree that is itself as it was cloned, but for
# build/, this is seen there; of any other tree a clone is made and built.
set -eu
cd "$1"
if ! git rev-parse HEAD >/dev/null 2>&1; then
  echo "not a git repository, so there is nothing to clone"
  exit 77
fi

leave_nothing_behind() {
  traces=$(git status --porcelain)
  [ -z "$traces" ] && return
  echo "the build left behind:"
  echo "$traces"
  exit 1
}

if [ -z "$(git status --porcelain --ignored | grep -v '^!! build/$')" ] && [ -d build/release ]; then
  echo "this tree is a clean clone"
  cmake --build --preset release -j "$(nproc)"
  leave_nothing_behind
  exit
fi

clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q . "$clone/dfs"
cd "$clone/dfs"
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
cmake --preset release >"$clone/output" 2>&1 || { cat "$clone/output"; exit 1; }
cmake --build --preset release -j "$(nproc)" >"$clone/output" 2>&1 || { cat "$clone/output"; exit 1; }
ctest --preset release -L tidy --no-tests=error
leave_nothing_behind
