#!/bin/sh
# debs.sh SOURCE BUILD: makes the Debian packages, as whoever releases them does. With a compiler cache
# this costs little more than linking.
set -eu
export CCACHE_BASEDIR="$1" CCACHE_NOHASHDIR=1
rm -f "$2"/*.deb
cmake -S "$1" --preset package -B "$2" >/dev/null
cmake --build "$2" -j "$(nproc)" >/dev/null
cd "$2"
cpack
