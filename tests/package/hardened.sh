#!/bin/sh
# hardened.sh DEBS: what the packages install is compiled as Debian compiles: programs that lie anywhere
# in memory, tables of the loader that nobody writes once it is done, stacks that hold no code; and the
# programs' are guarded, and their calls of the C library know how much there is room for.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for deb in "$1"/libdfs1_*.deb "$1"/dfsd_*.deb; do dpkg-deb -x "$deb" "$place"; done

must() {  # FILE WHAT PATTERN: its output, on standard input, has the pattern
  grep -qE "$3" || echo "$1: $2" >>"$place/lacks"
}
library=$(find "$place/usr/lib" -name 'libdfs.so.1.*')
for file in "$place/usr/bin/dfsd" "$place/usr/bin/dfsctl" "$library"; do
  name=${file#"$place"}
  readelf --file-header --wide "$file" | must "$name" "not position-independent" 'Type: +DYN '
  readelf --segments --wide "$file" | must "$name" "no segment GNU_RELRO" '^ +GNU_RELRO '
  readelf --segments --wide "$file" | must "$name" "its stack may hold code" '^ +GNU_STACK .* RW +0x'
  readelf --dynamic --wide "$file" | must "$name" "not bound before it begins" 'BIND_NOW|FLAGS_1.* NOW'
  symbols=$(nm --dynamic --undefined-only "$file")
  [ "$file" != "$library" ] || continue
  echo "$symbols" | must "$name" "stacks without guards" ' __stack_chk_fail@'
  # dfsctl's own sources, compiled alike, make no call that could be checked.
  [ "$name" = /usr/bin/dfsctl ] ||
    echo "$symbols" | must "$name" "no checked call of the C library" ' __[a-z]+_chk@'
done
[ ! -e "$place/lacks" ] || { cat "$place/lacks"; exit 1; }
