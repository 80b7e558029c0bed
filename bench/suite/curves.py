"""Cost as something grows: keys, clients, bytes of a value. Each curve is a plot."""

from reading import fill
from rows import Row, Rounds
from stores import Stores


class Curve:
    """Medians of peers over what grows."""

    def __init__(self, suite, name, title, grows, unit, more=False):
        self.suite, self.name, self.more = suite, name, more
        self.points = {}
        suite.curves[name] = {"title": title, "grows": grows, "unit": unit, "peers": self.points}

    def take(self, x, rounds, stores, order, clients=None, **how):
        row = Row(f"{self.name}.{x}", f"{self.name} at {x:,}", self.suite.curves[self.name]["unit"], self.more)
        if clients is None:
            rounds.take(row, stores, order, **how)
        else:
            rounds.take_together(row, stores, order, clients)
        for peer in row.samples:
            self.points.setdefault(peer, []).append([x, row.median(peer)])


def rounds_of(suite):
    """Three are enough for a point of a plot."""
    return Rounds(min(3, suite.scale.rounds), suite.scale.seconds, suite.say, suite.scale.patience / 4)


def by_keys(suite):
    rounds = rounds_of(suite)
    get = Curve(suite, "get_by_keys", "get from a held snapshot", "keys", "ns")
    put = Curve(suite, "set_by_keys", "acknowledged set, written", "keys", "ns")
    begin = Curve(suite, "begin_by_keys", "begin and drop a transaction", "keys", "ns")
    for count in suite.scale.counts:
        # Ten million take LMDB minutes to fill in random order, and Redis gigabytes.
        peers = ["dfs", "hash_map", "lmdb", "redis"] if count <= 1_000_000 else ["dfs", "hash_map"]
        with Stores(suite.programs, peers, "keys") as stores:
            fill(stores, suite.scale, count=count)
            get.take(count, rounds, stores, f"get keys={count}")
            begin.take(count, rounds, {peer: stores[peer] for peer in peers if peer in ("dfs", "lmdb")},
                       f"begin keys={count}")
            put.take(count, rounds, {peer: stores[peer] for peer in peers if peer != "hash_map"},
                     f"set keys={count}", timed=True, rewarm=False)


def by_clients(suite):
    rounds = rounds_of(suite)
    for mode in ("written", "durable"):
        curve = Curve(suite, f"{mode}_by_clients", f"acknowledged sets, {mode}, all clients together", "clients",
                      "/s", more=True)
        with Stores(suite.programs, ["dfs", "redis", "lmdb"], f"scale-{mode}", mode) as stores:
            count = suite.scale.keys // 10
            fill(stores, suite.scale, count=count)
            for clients in suite.scale.client_counts:
                curve.take(clients, rounds, stores, f"set keys={count}", clients)
            if mode == "written":
                gets = Curve(suite, "get_by_clients", "gets from held snapshots, all clients together", "clients",
                             "/s", more=True)
                for clients in suite.scale.client_counts:
                    gets.take(clients, rounds, stores, f"get keys={count}", clients)


def by_bytes(suite):
    rounds = rounds_of(suite)
    put = Curve(suite, "set_by_bytes", "acknowledged set, written", "bytes of a value", "ns")
    copy = Curve(suite, "copy_by_bytes", "snapshot + get + copy", "bytes of a value", "ns")
    for size in suite.scale.sizes:
        count = max(100, min(suite.scale.keys // 10, (64 << 20) // size))
        with Stores(suite.programs, ["dfs", "redis", "lmdb", "rocksdb"], "bytes") as stores:
            fill(stores, suite.scale, count=count, size=size)
            put.take(size, rounds, stores, f"set keys={count} bytes={size}", warm=200, timed=True, rewarm=False)
            copy.take(size, rounds, stores, f"copy keys={count}", warm=200)
