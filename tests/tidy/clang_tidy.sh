#!/bin/sh
# clang_tidy.sh SOURCE BUILD: clang-tidy over every source that is installed or started (the tests
# apart: GoogleTest's macros are not ours to mend), with the flags of the build.
set -eu
if ! command -v run-clang-tidy-14 >/dev/null; then
  echo "run-clang-tidy-14 is not installed (.apt-packages has it)"
  [ -n "${CI:-}" ] && exit 1
  exit 77
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
output=$place/output
# Once for each source, though some are compiled twice.
python3 - "$1" "$2" >"$place/compile_commands.json" <<'END'
import json, re, sys
source, build = sys.argv[1:]
with open(build + "/compile_commands.json", encoding="utf-8") as file:
    entries = {entry["file"]: entry for entry in reversed(json.load(file))}
ours = re.compile(re.escape(source) + "/(common|libclient|daemon|cli|bench)/")
json.dump([entry for path, entry in entries.items() if ours.match(path)], sys.stdout)
END
# The analyzer takes three fifths of the time; it is in .clang-tidy for who looks at one file.
if run-clang-tidy-14 -quiet -p "$place" -checks='-clang-analyzer-*' -j "$(nproc)" >"$output" 2>&1; then
  # None at all is a mistake of ours, for which grep fails.
  grep -c '^clang-tidy' "$output"
else
  # Once each, though every source that includes a header complains about it anew.
  sed 's/\x1b\[[0-9;]*m//g' "$output" | grep -v -E '^clang-tidy|warnings? (generated|treated)' |
    awk '!seen[$0]++'
  exit 1
fi
