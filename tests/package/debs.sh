#!/bin/sh
# debs.sh SOURCE BUILD: makes the Debian packages, as whoever releases them does. What is dfsd's
# and dfsctl's alone is compiled with flags of their own; the compiler's cache has the rest.
set -eu
export CCACHE_BASEDIR="$1" CCACHE_NOHASHDIR=1
mkdir -p "$2"
rm -f "$2"/*.deb
said=$2/said
cmake -S "$1" --preset package -B "$2" >"$said" 2>&1 || { cat "$said"; exit 1; }
cmake --build "$2" -j "$(nproc)" >"$said" 2>&1 || { cat "$said"; exit 1; }
cd "$2"
cpack
