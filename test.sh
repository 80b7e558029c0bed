#!/bin/bash
# Builds dfs and runs its tests: ./test.sh [--no-install] [release|dev|tsan ...]
#
# Without a preset: release (what is installed; has every test) and dev (AddressSanitizer and
# UndefinedBehaviorSanitizer). tsan has the tests of threads. Missing Debian packages are installed
# first, which needs root or sudo; --no-install leaves that. Tests that need root say what they
# skipped without it. The last lines are ctest's summary over all the presets together.
set -euo pipefail
cd "$(dirname "$0")"

install=yes
presets=()
for argument in "$@"; do
  case "$argument" in
    --no-install) install=no ;;
    release | dev | tsan) presets+=("$argument") ;;
    *)
      sed -n '2,7s/^# \{0,1\}//p' "$0"
      [ "$argument" = --help ] && exit 0
      exit 2
      ;;
  esac
done
[ ${#presets[@]} -gt 0 ] || presets=(release dev)

phase() {  # phase NAME COMMAND...: says what begins, and how long it took
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - begin)) s"
}

quietly() {  # the output only of what fails
  local output
  output=$(mktemp)
  if ! "$@" >"$output" 2>&1; then
    cat "$output"
    rm -f "$output"
    return 1
  fi
  rm -f "$output"
}

jobs=$(nproc)
bench=AUTO  # what is installed below has all that the measurements need
if [ $install = yes ]; then bench=ON; fi
ci=OFF
if [ -n "${CI:-}" ]; then ci=ON; fi
# ThreadSanitizer of GCC 12 does not start where the kernel scatters mappings over more than 28
# bits, so what it built runs without.
fixed_addresses=()
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi

if [ $install = yes ]; then phase "packages" bash .ci/install-packages; fi
for preset in "${presets[@]}"; do
  phase "configure $preset" quietly cmake --preset "$preset" -D DFS_CI=$ci -D DFS_BENCH=$bench
  target=all
  if [ "$preset" != release ]; then target=dfs_tests; fi  # the rest has nothing to run in there
  phase "build $preset" quietly "${fixed_addresses[@]}" \
    cmake --build --preset "$preset" -j "$jobs" --target $target
done

# One ctest over the presets, so that there is one summary and one exit code. Most tests wait most of
# the time, so that there may be more of them than processors.
all=build/all
mkdir -p $all
printf 'subdirs("../%s")\n' "${presets[@]}" >$all/CTestTestfile.cmake
echo "== test ${presets[*]}"
exec "${fixed_addresses[@]}" ctest --test-dir $all --output-on-failure --no-tests=error -j $((jobs * 3))
