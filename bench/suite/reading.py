"""What reading costs one process, and what memory a store needs: a million keys of each shape."""

import os
import subprocess

from processes import Worker, memory_of
from rows import Row, Sample
from stores import Stores

EVERY = ["dfs", "hash_map", "lmdb", "redis", "rocksdb", "leveldb", "sqlite"]
BARS = ["dfs", "hash_map", "lmdb", "redis"]


def fill(stores, scale, shape="user", count=None, size=120):
    for store in stores.values():
        store.worker.do(f"insert shape={shape} first=0 operations={count or scale.keys} bytes={size} timed=0")


def get_rows(suite, stores, shape, distribution, when="", many=True):
    """Gets from one held state: the bars of reading."""
    order = f"shape={shape} distribution={distribution} keys={suite.scale.keys}"
    name = f"{shape}.{distribution}{'.' + when if when else ''}"
    words = f"{shape} keys, {distribution}{', ' + when if when else ''}"
    get = Row(f"get.{name}", f"get, {words}", "ns")
    suite.rounds.take(get, stores, f"get {order}")
    get.at_most(1.0, "hash_map")
    get.at_least(8, "lmdb")
    get.at_least(100, "redis")
    get.no_more_cpu_than("redis")
    suite.rows.append(get)
    if not many:
        return
    only = Row(f"get_only.{name}", f"get, the value not looked at, {words}", "ns")
    both = {peer: stores[peer] for peer in ("dfs", "hash_map", "lmdb")}
    suite.rounds.take(only, both, f"get look=0 {order}")
    only.at_most(1.0, "hash_map")
    suite.rows.append(only)

    at_once = Row(f"get_many.{name}", f"get_many of 16, each key, {words}", "ns",
                  note="hash map: sixteen gets; Redis: MGET")
    suite.rounds.take(at_once, {peer: stores[peer] for peer in ("dfs", "hash_map", "redis")},
                      f"get_many {order}")
    at_once.at_most(0.75, "dfs", other=get)
    at_once.no_more_cpu_than("redis")
    suite.rows.append(at_once)

    copy = Row(f"copy.{name}", f"snapshot + get + copy, {words}", "ns",
               note="hash map and Redis have no snapshots: get + copy")
    suite.rounds.take(copy, stores, f"copy {order}")
    copy.at_most(1.5, "hash_map", other=get)
    copy.at_most(1.5, "hash_map")
    copy.no_more_cpu_than("redis")
    suite.rows.append(copy)


def timed_gets(suite, stores):
    """For the plot of percentiles: each get by itself, with two looks at the clock."""
    row = Row("get_timed", "get, user keys, uniform, each timed by itself", "ns",
              note="with a look at the clock for each, some 25 ns: for the percentiles")
    suite.rounds.take(row, stores, f"get keys={suite.scale.keys}", most=500_000, timed=True)
    suite.rows.append(row)


def scans(suite, stores, when, bar):
    row = Row(f"scan.{when.replace(' ', '_')}", f"scan of 100 in order, each entry, {when}", "ns",
              note="the hash map and Redis (but for a second structure) have no order")
    scanning = {peer: store for peer, store in stores.items() if peer not in ("hash_map", "redis")}
    suite.rounds.take(row, scanning, f"scan keys={suite.scale.keys}", most=20_000, warm=64, per=100)
    row.at_most(bar, "lmdb")
    suite.rows.append(row)


def begins(suite, stores):
    row = Row("begin", "begin and drop a transaction", "ns",
              note="hash map, Redis: nothing to begin. RocksDB, LevelDB: a snapshot")
    suite.rounds.take(row, {peer: store for peer, store in stores.items()
                            if peer not in ("hash_map", "redis")}, f"begin keys={suite.scale.keys}")
    row.below(1000, "below 1 us", row.median("dfs"))
    suite.rows.append(row)


def memory(suite, stores, row, empty, content):
    """Bytes for each key beyond key and value, as the store counts them itself."""
    for peer in ("dfs", "redis"):
        used = stores[peer].worker.do("memory")["memory"] - empty[peer]
        row.add(peer, Sample((used - content) / suite.scale.keys))
    own = memory_of(stores["dfs"].server.pid), memory_of(stores["redis"].server.pid)
    row.note = (f"as each counts itself; of all its memory in /proc, dfsd has {own[0] / 2**20:,.0f} MiB and "
                f"redis-server {own[1] / 2**20:,.0f} MiB, for {content / 2**20:,.0f} MiB of keys and values")
    suite.rows.append(row)


def content_of(suite, shape):
    """Bytes of all keys and values."""
    key = {"user": 16, "hex": 32, "tenant": 31}[shape]
    return suite.scale.keys * (key + 120)


def system_calls(suite, store):
    """The system calls of a hundred thousand gets, counted by strace."""
    row = Row("system_calls", "system calls in 100,000 gets and 100,000 snapshots", "calls")
    trace = os.path.join(store.directory, "strace")
    try:
        subprocess.run(["strace", "-o", trace, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        row.note = "strace cannot be used here"
        row.below(0, "none", None)
        suite.rows.append(row)
        return
    worker = Worker(suite.programs, store.peer, store.path, store.mode, ["strace", "-o", trace])
    for order in ("get", "copy"):
        worker.do(f"{order} keys={suite.scale.keys} operations=100000 timed=0")
    worker.stop()
    with open(trace) as file:
        lines = file.read().split("\n")
    # The processor time is looked at when a measurement begins and when it ends, by a system call.
    found, counting = 0, False
    for line in lines:
        if "CLOCK_PROCESS_CPUTIME_ID" in line:
            counting = not counting
        elif counting:
            found += 1
    row.add("dfs", Sample(found))
    row.below(0, "none")
    suite.rows.append(row)


def measure(suite):
    scale = suite.scale
    for shape in scale.shapes:
        peers = EVERY if shape == "user" else BARS
        with Stores(suite.programs, peers, f"read-{shape}") as stores:
            empty = {peer: stores[peer].worker.do("memory")["memory"] for peer in ("dfs", "redis")}
            fill(stores, scale, shape)
            content = content_of(suite, shape)
            grown = Row(f"memory.grown.{shape}", f"memory beyond key and value, {shape} keys, grown by inserts",
                        "B/key")
            memory(suite, stores, grown, empty, content)
            grown.below(130, "at most 130")
            if shape == "user":
                before = {peer: stores[peer] for peer in ("dfs", "lmdb", "rocksdb", "leveldb", "sqlite")}
                scans(suite, before, "before compaction", 4)
                get_rows(suite, {peer: stores[peer] for peer in BARS}, shape, "uniform", "before compaction",
                         many=False)
            for peer in ("dfs", "rocksdb", "leveldb"):
                if peer in stores:
                    stores[peer].worker.do("compact")
            compacted = Row(f"memory.compacted.{shape}",
                            f"memory beyond key and value, {shape} keys, after compaction", "B/key")
            memory(suite, stores, compacted, empty, content)
            compacted.below(100, "at most 100")
            compacted.at_most(1, "redis")
            for distribution in ("uniform", "zipf"):
                get_rows(suite, stores, shape, distribution, many=shape == "user")
            if shape == "user":
                timed_gets(suite, {peer: stores[peer] for peer in EVERY})
                system_calls(suite, stores["dfs"])
                scans(suite, before, "after compaction", 1)
                begins(suite, stores)
