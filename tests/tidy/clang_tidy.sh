#!/bin/sh
# clang_tidy.sh SOURCE BUILD: clang-tidy over every source that is installed or started (the tests
# apart: GoogleTest's macros are not ours to mend), with the flags of the build.
set -eu
if ! command -v run-clang-tidy-14 >/dev/null; then
  echo "run-clang-tidy-14 is not installed (.apt-packages has it)"
  [ -n "${CI:-}" ] && exit 1
  exit 77
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
if run-clang-tidy-14 -quiet -p "$2" -j "$(nproc)" \
  "^$1/(common|libclient|daemon|cli|bench)/" >"$output" 2>&1; then
  # None at all is a mistake of ours, for which grep fails.
  grep -c '^clang-tidy' "$output"
else
  # Once each, though every source that includes a header complains about it anew.
  sed 's/\x1b\[[0-9;]*m//g' "$output" | grep -v -E '^clang-tidy|warnings? (generated|treated)' |
    awk '!seen[$0]++'
  exit 1
fi
