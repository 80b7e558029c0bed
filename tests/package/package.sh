#!/bin/sh
# package.sh install BUILD PREFIX: installs the build.
# package.sh cmake|pkg_config SOURCE PREFIX: builds greeting.cpp against the prefix and runs it.
# package.sh typed_cmake|typed_pkg_config SOURCE PREFIX: the same with typed_greeting.cpp.
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
  cmake | typed_cmake)
    project=outside
    [ "$way" = cmake ] || project=typed
    cmake -S "$source/$project" -B "$place/build" -DCMAKE_PREFIX_PATH="$prefix"
    cmake --build "$place/build"
    mv "$place/build/greeting" "$place/greeting"
    ;;
  pkg_config | typed_pkg_config)
    program=greeting.cpp
    boost=
    [ "$way" = pkg_config ] || { program=typed_greeting.cpp; boost=-lboost_json; }
    export PKG_CONFIG_PATH="$library/pkgconfig"
    pkg-config --atleast-version=1.0 dfs
    # shellcheck disable=SC2046,SC2086 # the flags are words
    g++ -std=c++20 -Wall -Wextra -Wconversion -Werror "$source/$program" -o "$place/greeting" \
      $(pkg-config --cflags --libs dfs) $boost -Wl,-rpath,"$library"
    ;;
esac

# The daemon is found from the library, though the prefix is not the one compiled in.
unset DFS_DAEMON
"$place/greeting" "$place/users.db"
if [ -x "$prefix/bin/dfsctl" ]; then "$prefix/bin/dfsctl" -s "$place/users.db" stop; fi
