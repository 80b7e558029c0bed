"""What many processes get out of one store at once, and what compaction costs those who write."""

import json
import subprocess
import threading

from reading import fill
from rows import Row, Sample
from stores import Stores

SHARED = ["dfs", "redis", "lmdb", "sqlite"]
HOT_KEYS = 10


def durable_clients(suite):
    with Stores(suite.programs, SHARED, "clients", "durable") as stores:
        count = suite.scale.keys // 10
        fill(stores, suite.scale, count=count)
        clients = suite.scale.clients
        row = Row("durable.clients", f"durable sets, {clients} client processes", "/s", more=True,
                  note="RocksDB and LevelDB live in one process")
        suite.rounds.take_together(row, stores, f"set keys={count}", clients, suite.scale.seconds * 2)
        row.at_least(2, "redis")
        row.no_more_cpu_than("redis")
        suite.rows.append(row)


def transactions(suite):
    """Two keys read, both written, by one process and by eight, on all keys and on ten."""
    with Stores(suite.programs, SHARED, "transactions") as stores:
        count = suite.scale.keys // 10
        fill(stores, suite.scale, count=count)
        for clients in (1, 8):
            for keys, words in ((count, "no contention"), (HOT_KEYS, f"on {HOT_KEYS} keys")):
                row = Row(f"transact.{clients}.{'hot' if keys == HOT_KEYS else 'wide'}",
                          f"transactions of 2 reads and 2 writes, {clients} process{'es' * (clients > 1)}, "
                          f"{words}, written", "/s", more=True,
                          note="dfs and Redis try again after a conflict; LMDB and SQLite lock all others out")
                suite.rounds.take_together(row, stores, f"transact keys={keys}", clients)
                row.at_least(3, "redis")
                row.no_more_cpu_than("redis")
                suite.rows.append(row)


class Compacting:
    """Has a store compacted again and again while it is in use, by a process of its own."""

    def __init__(self, compact):
        self.compact = compact
        self.done = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            self.compact()
            self.done += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def compaction(suite):
    """A million updates while the store is compacted again and again."""
    scale = suite.scale
    peers = ["dfs", "rocksdb", "leveldb", "redis"]
    with Stores(suite.programs, peers, "compaction") as stores:
        fill(stores, scale)
        rate = Row("compacting", f"{scale.keys:,} updates, 1,000 in flight, written, compaction going on", "/s",
                   more=True, note="dfs: one compaction after the other; Redis: one rewrite of its file after the "
                   "other; RocksDB and LevelDB as they see fit, 1,000 sets in a commit")
        late = Row("compacting.p999", "the same: from hand-over to acknowledgement, p99.9", "ms",
                   note="of a thousand in flight each waits for those before it")
        pause = Row("compacting.pause", "the same: longest time without an acknowledgement", "ms")
        compact = {"dfs": lambda: stores["dfs"].more(2)[1].do("compact"), "redis": stores["redis"].server.rewrite}
        stores["dfs"].more(2)
        done = {"dfs": 0, "redis": 0}
        suite.rounds.settle(stores)
        for turn in range(suite.rounds.count):
            for peer, store in stores.items():
                text = f"update keys={scale.keys} operations={scale.keys} seed={turn + 2}"
                cpu = store.server.cpu()
                if peer in compact:
                    with Compacting(compact[peer]) as compacting:
                        answer = store.worker.do(text)
                    done[peer] += compacting.done
                else:
                    answer = store.worker.do(text)
                suite.rounds.record(rate, peer, [answer], store.server.cpu() - cpu)
                once = Row("", "", "")
                once.add_latency(peer, answer["latency"])
                late.add(peer, Sample(once.percentile(peer, 0.999) / 1e6))
                pause.add(peer, Sample(answer["longest_pause_ms"]))
        info = json.loads(subprocess.run([suite.programs.dfsctl, "-s", stores["dfs"].path, "--json", "info"],
                                         capture_output=True, text=True, check=True).stdout)
        rate.note += f". In all, dfs was compacted {done['dfs']} times, Redis {done['redis']} times"
        pause.note = (f"dfsd says that its writer stood still for {info['compaction']['longest_stall_us'] / 1000:.1f} ms "
                      "at the most for a hand-over")
        rate.at_least(1, "rocksdb")
        rate.at_least(1, "leveldb")
        late.below(10, "p99.9 at most 10 ms")
        pause.below(10, "longest at most 10 ms")
        for row in (rate, late, pause):
            suite.say(row)
            suite.rows.append(row)
