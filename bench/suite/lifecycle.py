"""Starting with a full store, doing nothing, and a command as a whole process."""

import os
import time

from processes import redis_command, switches_of
from reading import fill
from rows import Row, Sample
from stores import Stores


def start(suite):
    """From the start of the process until it serves, the log or append-only file in the page cache or
    not as each leaves it."""
    scale = suite.scale
    with Stores(suite.programs, ["dfs", "redis"], "start") as stores:
        fill(stores, scale)
        for when in ("grown by inserts", "after compaction"):
            if when == "after compaction":
                stores["dfs"].worker.do("compact")
                stores["redis"].server.rewrite()
            row = Row(f"start.{when.split()[0]}", f"start with {scale.keys:,} records, {when}", "s",
                      note="Redis after its rewrite reads a binary dump (aof-use-rdb-preamble)"
                      if when == "after compaction" else "")
            suite.rounds.settle(stores)
            for _ in range(suite.rounds.count):
                for peer, store in stores.items():
                    store.server.stop()
                    row.add(peer, Sample(store.server.start()))
            suite.say(row)
            row.below(1, "below 1 s")
            row.at_most(1, "redis")
            suite.rows.append(row)
        for store in stores.values():  # Their connections ended with the first server.
            store.worker.child.kill()


def idle(suite):
    """How often anybody wakes while nothing happens, in a store of each durability."""
    scale = suite.scale
    clients = 64 if not scale.quick else 8
    for mode in ("durable", "written"):
        with Stores(suite.programs, ["dfs", "redis"], f"idle-{mode}", mode) as stores:
            fill(stores, scale, count=1000)
            server = Row(f"idle.server.{mode}", f"{clients} clients connected, {mode}, nothing happens: the server wakes",
                         "/s", note="a quarter of the clients of dfs watch")
            own = Row(f"idle.clients.{mode}", "the same: all clients together wake", "/s")
            for store in stores.values():
                store.more(clients)
            time.sleep(scale.seconds * 4)  # a mark after a second of idleness, and what else is left
            for _ in range(suite.rounds.count):
                for peer, store in stores.items():
                    watch_still(store, clients, scale.seconds * 4, peer, server, own)
            server.below(2, "at most 2")
            own.below(0, "none")
            for row in (server, own):
                suite.say(row)
                suite.rows.append(row)


def watch_still(store, clients, seconds, peer, server, own):
    """A quarter of dfs' clients watch; Redis' only stay connected."""
    pids = [worker.pid for worker in store.more(clients)]
    watching = store.more(clients // 4) if peer == "dfs" else []
    for worker in watching:
        worker.prepare(f"watch seconds={seconds * 2 + 0.5}")
        worker.begin()
    time.sleep(0.25 + seconds / 4)
    begin = time.monotonic()
    before = switches_of(store.server.pid), sum(map(switches_of, pids))
    time.sleep(seconds)
    passed = time.monotonic() - begin
    server.add(peer, Sample((switches_of(store.server.pid) - before[0]) / passed))
    own.add(peer, Sample((sum(map(switches_of, pids)) - before[1]) / passed))
    for worker in watching:
        worker.answer()


def command(suite):
    """A get from a shell: the whole process."""
    with Stores(suite.programs, ["dfs", "redis"], "command") as stores:
        fill(stores, suite.scale, count=1000)
        key = "user000000000042"
        commands = {
            "dfs": [suite.programs.dfsctl, "-s", stores["dfs"].path, "get", key],
            "redis": [redis_command(suite.programs), "-s", stores["redis"].path, "get", key],
        }
        row = Row("command", "dfsctl get, redis-cli get: whole process", "ms")
        quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        times = 5 if suite.scale.quick else 100
        for _ in range(suite.rounds.count):
            for peer, words in commands.items():
                begin = time.monotonic()
                for _ in range(times):
                    child = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
                    if os.waitpid(child, 0)[1] != 0:
                        raise RuntimeError(f"{' '.join(words)} failed")
                row.add(peer, Sample((time.monotonic() - begin) * 1000 / times))
        suite.say(row)
        row.at_most(1, "redis")
        suite.rows.append(row)
