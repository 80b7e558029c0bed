#!/bin/sh
# readme.sh PROGRAM DFSD DFSCTL: the smallest program of README, run as there, in a directory of its
# own; and the lines of dfsctl that follow it.
set -eu
program=$1
dfsctl=$3
export DFS_DAEMON="$2"
place=$(mktemp -d)
cd "$place"
end() {
  "$dfsctl" -s users.db stop || true
  rm -rf "$place"
}
trap end EXIT

expect() {
  [ "$1" = "$2" ] && return
  echo "expected: $2"
  echo "     but: $1"
  exit 1
}
expect "$("$program")" '{"name":"Alice"} version 1'
expect "$("$dfsctl" -s users.db get user123)" '{"name":"Alice"}'
expect "$("$dfsctl" -s users.db get user124)" '{"name":"Bob"}'
expect "$("$dfsctl" -s users.db set user123 '{"name":"Alice B."}' --if-version 1)" 2
case "$(tail -n 1 users.db)" in
  '{"k":"user123","v":2,"d":false,"val":{"name":"Alice B."},"s":3,'*) ;;
  *) expect "$(tail -n 1 users.db)" "the line of README" ;;
esac
