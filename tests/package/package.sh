#!/bin/sh
# package.sh install BUILD PREFIX: installs the build.
# package.sh cmake|pkg_config SOURCE PREFIX: builds greeting.cpp against the prefix and runs it.
set -eu
way=$1
prefix=$3
if [ "$way" = install ]; then
  rm -rf "$prefix"
  cmake --install "$2" --prefix "$prefix"
  exit
fi

source=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
library=$(find "$prefix" -name 'libdfs.so')
library=${library%/*}
case "$way" in
  cmake)
    cmake -S "$source/outside" -B "$place/build" -DCMAKE_PREFIX_PATH="$prefix"
    cmake --build "$place/build"
    mv "$place/build/greeting" "$place/greeting"
    ;;
  pkg_config)
    export PKG_CONFIG_PATH="$library/pkgconfig"
    pkg-config --atleast-version=1.0 dfs
    # shellcheck disable=SC2046 # the flags are words
    g++ -std=c++20 -Wall -Wextra -Wconversion -Werror "$source/greeting.cpp" -o "$place/greeting" \
      $(pkg-config --cflags --libs dfs) -Wl,-rpath,"$library"
    ;;
esac

# The daemon that was installed, where it was, serves; else the one compiled in would.
if [ -x "$prefix/bin/dfsd" ]; then export DFS_DAEMON="$prefix/bin/dfsd"; fi
if [ -x "$prefix/sbin/dfsd" ]; then export DFS_DAEMON="$prefix/sbin/dfsd"; fi
"$place/greeting" "$place/users.db"
if [ -x "$prefix/bin/dfsctl" ]; then "$prefix/bin/dfsctl" -s "$place/users.db" stop; fi
