#!/bin/bash
# Shows dfs at its main job: builds a release, puts this machine's Debian packages into a store, and has several
# processes read, write and run transactions in it at once while its daemon is killed.
# ./demo.sh [--no-install] [SECONDS]; missing Debian packages are installed first (root or sudo).
set -euo pipefail
cd "$(dirname "$0")"

install=yes
if [ "${1:-}" = --no-install ]; then install=no; shift; fi
seconds=${1:-6}
case "$seconds" in *[!0-9]* | "") sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 2 ;; esac

if [ $install = yes ]; then bash .ci/install-packages; fi
echo "== building a release"
log=$(mktemp)
if ! { cmake --preset release && cmake --build --preset release --target dfsd dfsctl dfs-demo; } >"$log" 2>&1; then
  cat "$log"
  exit 1
fi
rm -f "$log"

build=$PWD/build/release
export DFS_DAEMON=$build/daemon/dfsd
PATH=$build/cli:$build/bench:$PATH
directory=$(mktemp -d "${TMPDIR:-/tmp}/dfs-demo.XXXXXX")
export DFS_STORE=$directory/packages.db
finish() {
  dfsctl -s "$directory/packages.db" stop >/dev/null 2>&1 || true
  dfsctl -s "$directory/users.db" stop >/dev/null 2>&1 || true
  rm -rf "$directory"
}
trap finish EXIT
daemon_pid() { dfsctl --json info | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])'; }

echo
echo "== a store of this machine's Debian packages"
python3 bench/debian_packages.py >"$directory/packages.jsonl"
echo "apt and dpkg know $(wc -l <"$directory/packages.jsonl") packages, $(wc -c <"$directory/packages.jsonl") bytes of JSON"
begin=$(date +%s.%N)
dfsctl load "$directory/packages.jsonl"
python3 -c "import sys; print('loaded, durably, in %.1f s' % (float(sys.argv[2]) - float(sys.argv[1])))" "$begin" "$(date +%s.%N)"
echo "\$ dfsctl count package/          -> $(dfsctl count package/)"
echo "\$ dfsctl get package/bash        -> $(dfsctl get package/bash | cut -c1-100)..."
echo "\$ dfsctl list package/libboost-j -k"
dfsctl list package/libboost-j -k | head -3 | sed 's/^/    /'

echo
echo "== a file that the Go library wrote"
cp tests/data/go-dfs-users.db "$directory/users.db"
chmod u+w "$directory/users.db"
echo "\$ dfsctl -s users.db count       -> $(dfsctl -s "$directory/users.db" count)"
echo "\$ dfsctl -s users.db get user00490"
dfsctl -s "$directory/users.db" get user00490 | sed 's/^/    /'
version=$(dfsctl -s "$directory/users.db" set user00490 '{"id":"user00490","name":"changed"}')
echo "\$ dfsctl -s users.db set user00490 ...  -> version $version; now $(cd "$directory" && ls users.db*.original) keeps the old file"

echo
echo "== ten processes on the store at once, for $seconds s; the daemon is killed in the middle"
dfs-demo prepare "$DFS_STORE"
pid=$(daemon_pid)
started=0
children=()
for role in reader:0 reader:1 reader:2 writer:0 writer:1 writer:2 mover:0 mover:1 mover:2 mover:3; do
  dfs-demo "${role%:*}" "$DFS_STORE" "${role#*:}" "$seconds" >"$directory/report.$role" &
  children+=($!)
  started=$((started + 1))
done
sleep "$((seconds / 2))"
kill -9 "$pid"
echo "kill -9 $pid: the daemon is gone; the clients go on"
for child in "${children[@]}"; do wait "$child" || echo "process $child failed"; done
echo "daemon $(daemon_pid) serves now, started by one of them"
echo
cat "$directory"/report.* | dfs-demo judge "$DFS_STORE" "$started" "$seconds"

echo
echo "== its log"
dfsctl info
echo "two starts, and the last lines, as anybody can read them:"
grep -n '"start"' "$DFS_STORE" | cut -c1-110 | sed 's/^/    /'
tail -n 2 "$DFS_STORE" | cut -c1-150 | sed 's/^/    /'
dfsctl stop
dfsctl check "$DFS_STORE"
