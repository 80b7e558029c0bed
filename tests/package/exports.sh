#!/bin/sh
# exports.sh LIBRARY: nothing but namespace dfs comes out of libdfs.so, under its version, and its name
# is that of its major version.
set -eu
symbols=$(nm --dynamic --defined-only --demangle "$1" | sed 's/^[0-9a-f]* . //')
echo "$symbols" | grep -q '^dfs::Store::open(.*@@DFS_1' || { echo "no dfs::Store::open"; exit 1; }
strangers=$(echo "$symbols" |
  grep -vE '^((vtable|typeinfo|typeinfo name|VTT|guard variable) for )?dfs::.*@@DFS_1$' |
  grep -vE '^DFS_1(@@DFS_1)?$' || true)
inner=$(echo "$symbols" | grep -E '^([a-z ]+ for )?dfs::(client|os|wire|index|log|daemon)::' || true)
if [ -n "$strangers$inner" ]; then
  echo "exported, and not of the public face:"
  echo "$strangers$inner"
  exit 1
fi
readelf --dynamic "$1" | grep 'SONAME' | grep -F '[libdfs.so.1]'
