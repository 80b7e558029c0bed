#!/bin/sh
# compile_alone.sh COMPILER INCLUDE_DIRECTORY HEADER: is the header whole by itself, without a
# warning? 77 (skipped) where the compiler is not installed, but a failure in CI.
set -eu
if ! command -v "$1" >/dev/null; then
  echo "$1 is not installed (.apt-packages has it)"
  [ -n "${CI:-}" ] && exit 1
  exit 77
fi
exec "$1" -std=c++20 -Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only -I "$2" \
  -include "$3" -x c++ /dev/null
