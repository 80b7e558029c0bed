"""One store of each peer, filled alike: its directory, its server if it has one, its workers."""

import os
import shutil

from processes import Daemon, NoServer, Redis, Worker, cpu_of, waited_of

SERVERS = {"dfs": Daemon, "redis": Redis}
FILES = {"lmdb": "data.mdb", "sqlite": "data.sqlite", "leveldb": "leveldb", "rocksdb": "rocksdb",
         "bare": "log", "hash_map": "nothing"}


class Store:
    """A peer's store with a first worker; `more(n)` gives others on the same store."""

    def __init__(self, programs, peer, name, mode="written", **settings):
        self.programs, self.peer, self.mode = programs, peer, mode
        self.directory = os.path.join(programs.directory, f"{name}-{peer}")
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        if peer in SERVERS:
            self.server = SERVERS[peer](programs, self.directory, mode, **settings)
            self.path = self.server.path
        else:
            self.server = NoServer()
            self.path = os.path.join(self.directory, FILES[peer])
        self.worker = Worker(programs, peer, self.path, mode)
        self.others = []

    def more(self, count):
        """`count` workers, the first among them."""
        while len(self.others) + 1 < count:
            self.others.append(Worker(self.programs, self.peer, self.path, self.mode))
        return [self.worker, *self.others][:count]

    def cpu(self):
        """Processor seconds of server and first worker so far."""
        return self.server.cpu() + cpu_of(self.worker.pid)

    def waited(self):
        """Seconds that these two waited for a processor so far."""
        return waited_of(self.worker.pid) + (waited_of(self.server.pid) if self.server.pid else 0)

    def fewer(self):
        for worker in self.others:
            worker.stop()
        self.others = []

    def close(self):
        self.fewer()
        self.worker.stop()
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Stores:
    """The stores that one part of the suite compares, closed at its end."""

    def __init__(self, programs, peers, name, mode="written", **settings):
        self.stores = {}
        try:
            for peer in peers:
                self.stores[peer] = Store(programs, peer, name, mode, **settings.get(peer, {}))
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self.stores

    def __exit__(self, *_):
        self.close()

    def close(self):
        for store in self.stores.values():
            store.close()
