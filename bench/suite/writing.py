"""What writing costs one process: one acknowledged set after the other, a thousand under way, and
sets that are on disk before they are acknowledged."""

from reading import fill
from rows import Row
from stores import Stores

PEERS = ["dfs", "redis", "rocksdb", "leveldb", "lmdb", "sqlite"]

WRITTEN = ("written: the kernel has it. Redis everysec, RocksDB and LevelDB sync=false, LMDB MDB_NOSYNC "
           "(which a power cut may break), SQLite synchronous=NORMAL; dfs syncs every 100 ms, Redis every "
           "second, the others when they please")
IN_FLIGHT = ("dfs and Redis answer each set by itself; RocksDB, LevelDB, LMDB and SQLite are in the "
             "client's process and put 1,000 sets into one commit, which is less")


def written(suite, size, name):
    scale = suite.scale
    with Stores(suite.programs, PEERS, f"write-{size}") as stores:
        count = scale.keys if size < 1000 else scale.keys // 5
        fill(stores, scale, count=count, size=size)
        order = f"keys={count} bytes={size}"
        for distribution in ("uniform", "zipf") if size < 1000 else ("uniform",):
            row = Row(f"set.{size}.{distribution}",
                      f"acknowledged set, one at a time, written, {name}, {distribution}", "ns", note=WRITTEN)
            suite.rounds.take(row, stores, f"set {order} distribution={distribution}", timed=True,
                              rewarm=False)
            row.at_least(4, "redis")
            row.at_most(1, "rocksdb")
            row.no_more_cpu_than("redis")
            suite.rows.append(row)

            row = Row(f"update.{size}.{distribution}",
                      f"updates, 1,000 in flight, written, {name}, {distribution}", "/s", more=True,
                      note=IN_FLIGHT)
            suite.rounds.take(row, stores, f"update {order} distribution={distribution}", warm=8000,
                              timed=True, rewarm=False)
            row.at_least(3, "redis")
            row.at_least(2, "leveldb")
            row.no_more_cpu_than("redis")
            suite.rows.append(row)
        inserts(suite, stores, count, size, name)


def inserts(suite, stores, count, size, name):
    """New keys, in random order among those that are there."""
    row = Row(f"insert.{size}", f"new keys, 1,000 in flight, written, {name}", "/s", more=True,
              note=IN_FLIGHT)
    each = max(2000, count // 10)
    suite.rounds.settle(stores)
    for turn in range(suite.rounds.count):
        for peer, store in stores.items():
            text = f"insert first={count + turn * each} operations={each} bytes={size} seed={turn + 2}"
            cpu = store.server.cpu()
            answer = store.worker.do(text)
            suite.rounds.record(row, peer, [answer], store.server.cpu() - cpu)
    suite.say(row)
    row.at_least(3, "redis")
    row.at_least(2, "leveldb")
    row.no_more_cpu_than("redis")
    suite.rows.append(row)


def durable(suite):
    scale = suite.scale
    with Stores(suite.programs, [*PEERS, "bare"], "durable", "durable") as stores:
        count = scale.keys // 10
        fill({peer: store for peer, store in stores.items() if peer != "bare"}, scale, count=count)
        row = Row("durable", "durable set, one client", "ns",
                  note="on disk before it is acknowledged: Redis appendfsync always, SQLite synchronous=FULL, "
                       "the others their sync option; by hand: a write and fdatasync of as many bytes")
        suite.rounds.take(row, stores, f"set keys={count}", warm=50, timed=True, rewarm=False)
        row.at_most(1.15, "bare")
        row.no_more_cpu_than("redis")
        suite.rows.append(row)
