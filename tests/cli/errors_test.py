"""docs/errors.md: each error that dfsctl can meet, provoked; its name, exit code and text."""

import json
import os
import platform
import re
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

from log_file_test import sealed
from program import WATCHDOG_S, StoreTest

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "errors.md")
MOST_CLIENTS = 1024
# A hello of docs/client-memory.md, of one that reads.
HELLO = struct.pack("<4sHHHHB3xQ", b"DFS\1", 1, 0xFFFF, 1, 0xFFFF, 1, 0)
# Of poll and ppoll, as /proc/PID/syscall begins where a process waits in it.
POLLS = ("7", "271")


def tables():
    """Exit code of each error; and what the page says of dfsctl and it."""
    with open(PAGE, encoding="utf-8") as file:
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                for line in file if line.startswith("| `")]
    codes = {row[0].strip("`"): int(row[-1]) for row in rows if len(row) == 6}
    met = {row[0].strip("`"): row[-1] for row in rows if len(row) == 3}
    return codes, met


class ErrorsTest(StoreTest):

    def meets(self, name, text, *arguments, **how):
        """One run with --json and one without: the same error, one line on standard error."""
        codes, met = tables()
        self.assertNotEqual(met[name], "-", f"{name}: the page says dfsctl never meets it")
        error = self.refused_json(codes[name], *arguments, **how)
        self.assertEqual(error["error"], name, error)
        self.assertRegex(error["message"], text)
        self.assertRegex(self.refused(codes[name], *arguments, **how), text)
        return error

    def test_absent(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.meets("absent", "^no such key: b$", "get", "b")["key"], "b")

    def test_version_mismatch(self):
        self.ok("set", "a", "1")
        error = self.meets("version_mismatch", 'key "a" has version 1', "set", "a", "2",
                           "--if-version", "9")
        self.assertEqual((error["key"], error["version"]), ("a", 1))
        self.meets("version_mismatch", 'key "a" has version 1', "del", "a", "--if-version", "9")
        self.meets("version_mismatch", 'key "a" has version 1', "tx",
                   stdin='{"check":"a","if":9}\n{"set":"b","value":1}\n')

    def test_transaction_conflict(self):
        self.ok("set", "a", "1")
        screen = self.screen("shell", "--json")
        for typed, shown in [("begin", "*> "), ("get a", "*> "), ("set b 1", "*> ")]:
            screen.until("> ")
            screen.type(typed + "\r")
        screen.until("*> ")
        self.ok("set", "a", "2")
        screen.type("commit\r")
        error = json.loads(re.search(r"\{.*\}", screen.until("users.db> "))[0])
        screen.type("exit\r")
        screen.end()
        self.assertEqual((error["error"], error["key"], error["exit"]),
                         ("transaction_conflict", "a", tables()[0]["transaction_conflict"]))
        self.assertIn("begin anew", error["message"])

    def test_timeout(self):
        self.ok("set", "a", "1")
        self.held(self.info()["pid"])
        self.meets("timeout", "withdrawn|does not answer", "set", "a", "2")

    @unittest.skipUnless(resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 8 * MOST_CLIENTS,
                         "needs the right to open files for 1,024 clients")
    def test_busy(self):
        self.ok("set", "a", "1")
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        clients = []
        for _ in range(MOST_CLIENTS):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.addCleanup(client.close)
            client.connect(self.path("users.db.socket"))
            client.send(HELLO)
            # What the kernel has no room for in the message, the descriptors, it closes.
            self.assertEqual(struct.unpack_from("<4sH", client.recv(4096)), (b"DFS\1", 0))
            clients.append(client)
        self.meets("busy", "serves 1024 clients already", "get", "a")
        clients.pop().close()
        self.assertEqual(self.ok("get", "a"), "1\n")

    def until(self, holds, what):
        began = time.monotonic()
        while not holds():
            self.assertLess(time.monotonic(), began + WATCHDOG_S, what)
            os.sched_yield()

    @unittest.skipUnless("DFS_DAEMON_WITH_FAULTS" in os.environ and
                         platform.machine() == "x86_64", "needs the daemon with stop points")
    def test_writing_stopped(self):
        """What the daemon has not taken when it finds that it may write no more."""
        self.environment["DFS_DAEMON"] = os.environ["DFS_DAEMON_WITH_FAULTS"]
        self.ok("set", "a", "1", env={**self.environment, "DFS_FAULT": "stop@appended:2"})
        daemon = self.info()["pid"]
        self.addCleanup(self.go_on, daemon)
        # It is connected before the daemon stops, and reads its command from a pipe.
        waiting = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "--json", "shell"],
                                   cwd=self.directory, env=self.environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        waiting.stdin.write("begin\nget a\nset b 1\n")
        waiting.stdin.flush()
        self.assertIn('"value":1', waiting.stdout.readline())

        def state(of):
            with open(f"/proc/{daemon}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == of

        def sent():
            with open(f"/proc/{waiting.pid}/syscall", encoding="ascii") as file:
                return file.read().split()[0] in POLLS
        taken = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "set", "a", "2"],
                                 cwd=self.directory, env=self.environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.until(lambda: state("T"), "the daemon stops behind its append")
        waiting.stdin.write("commit\n")
        waiting.stdin.flush()
        self.until(sent, "the other one waits for its answer")
        os.rename(self.path("users.db"), self.path("away"))
        self.write("users.db", self.read("away"))
        self.go_on(daemon)
        said = json.loads(waiting.communicate(timeout=WATCHDOG_S)[1])
        taken.communicate(timeout=WATCHDOG_S)
        self.assertEqual((said["error"], said["exit"]),
                         ("writing_stopped", tables()[0]["writing_stopped"]))
        self.assertRegex(said["message"], "nothing is written until the daemon is started again")
        self.assertEqual(self.refused(1, "get", "b"), "no such key: b")

    def test_snapshot_too_old(self):
        self.write("users.db.toml", 'memory_limit = "8M"\nsnapshot_ttl = "1ms"\n'
                                    'durability = "written"\n')
        value = "x" * 10_000
        lines = "".join(json.dumps({"key": f"k{i}", "value": value}) + "\n" for i in range(150))
        self.ok("load", stdin=lines)
        # More than a pipe takes: it stands in the middle of its walk until somebody reads.
        walk = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "--json", "list"],
                                cwd=self.directory, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(walk.stdout.close)
        self.assertTrue(walk.stdout.read(1))
        for _ in range(30):  # now and then the store is full, until what is held is young no more
            self.assertIn(self.dfsctl("load", stdin=lines).code, (0, tables()[0]["store_full"]))
        rest, said = walk.communicate(timeout=WATCHDOG_S)
        error = json.loads(said)
        self.assertEqual((walk.returncode, error["error"]),
                         (tables()[0]["snapshot_too_old"], "snapshot_too_old"))
        self.assertIn("revoked", error["message"])
        self.assertLess(rest.count(b"\n"), 150)

    def test_no_memory(self):
        lines = "".join(json.dumps({"key": f"k{i}", "value": "x" * (1 << 20)}) + "\n"
                        for i in range(100))
        self.ok("load", stdin=lines)
        little = lambda: resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))
        self.meets("no_memory", "Cannot allocate memory", "get", "k7", preexec_fn=little)

    @unittest.skipUnless("DFS_DAEMON_WITH_FAULTS" in os.environ, "needs the daemon with stop points")
    def test_unknown(self):
        self.environment["DFS_DAEMON"] = os.environ["DFS_DAEMON_WITH_FAULTS"]
        self.ok("set", "a", "1", env={**self.environment, "DFS_FAULT": "stop@appended:2"})
        self.addCleanup(self.go_on, self.info()["pid"])
        codes, _ = tables()
        said = self.refused(codes["unknown"], "set", "a", "2")
        commit = re.search(r"dfsctl resolve ([0-9a-f]{32}-\d+)", said)
        self.assertTrue(commit, said)

    def test_daemon_gone(self):
        self.ok("set", "a", "1")
        pid = self.info()["pid"]
        screen = self.screen("shell", "--json")
        screen.until("> ")
        screen.type("begin\r")
        screen.until("*> ")
        screen.type("set a 2\r")
        screen.until("*> ")
        os.kill(pid, signal.SIGKILL)
        os.rename(self.path("users.db"), self.path("away.db"))
        screen.type("commit\r")
        error = json.loads(re.search(r"\{.*\}", screen.until("users.db> "))[0])
        screen.type("exit\r")
        screen.end()
        self.assertEqual((error["error"], error["exit"]),
                         ("daemon_gone", tables()[0]["daemon_gone"]))
        self.assertIn("the daemon has ended", error["message"])

    def test_no_store(self):
        self.ok("set", "a", "1")
        self.store = "./uesrs.db"
        self.meets("no_store", r"is it users\.db\?", "get", "a")
        self.store = "nowhere"
        self.meets("no_store", "no store named nowhere", "get", "a")

    def test_no_daemon(self):
        self.ok("set", "a", "1")
        self.ok("stop")
        for command in [["ping"], ["clients"], ["stop"]]:
            self.meets("no_daemon", "dfsd|nobody serves", *command)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
    def test_not_permitted(self):
        self.ok("set", "a", "1")
        os.chmod(self.directory, 0o755)
        os.chmod(self.path("users.db"), 0o600)
        self.meets("not_permitted", "ask its owner", "get", "a", user=65534, group=65534,
                   extra_groups=[])

    def test_store_full(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        self.ok("set", "a", "1", preexec_fn=limit)  # the daemon it starts has that limit
        self.meets("store_full", "full|disk|room|File too large", "set", "b", "-",
                   stdin=json.dumps("x" * (2 << 20)))
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_bad_key(self):
        self.meets("bad_key", "empty", "set", "", "1")
        self.assertEqual(self.meets("bad_key", "UTF-8", "set", b"ab\xff", "1")["offset"], 2)

    def test_bad_value(self):
        self.meets("bad_value", "^hello is not JSON .* A text: dfsctl set -t greeting hello$",
                   "set", "greeting", "hello")
        self.ok("set", "n", "1.5")
        self.meets("bad_value", "n is 1.5, which is not a whole number", "incr", "n")

    def test_too_large(self):
        value = json.dumps("x" * (16 << 20))
        self.assertEqual(self.meets("too_large", str(16 << 20), "set", "a", "-",
                                    stdin=value)["limit"], 16 << 20)
        self.meets("too_large", "4096", "set", "k" * 4097, "1")

    def test_compacted(self):
        self.ok("set", "a", "1")
        self.meets("compacted", "store", "resolve", "0" * 32 + "-1")

    def test_bad_argument(self):
        self.meets("bad_argument", "usage: dfsctl get KEY", "get")
        self.meets("bad_argument", "32 hex digits", "resolve", "x")

    def stopped_log(self):
        self.ok("set", "a", '{"n":19.99}')
        self.ok("stop")
        return self.read("users.db")

    def test_damaged(self):
        self.write("users.db", self.stopped_log().replace(b"19.99", b"18.99"))
        way_out = "dfsctl repair .*users.db -o NEW .*--accept-edits"
        self.assertEqual(self.meets("damaged", way_out, "get", "a")["line"], 3)
        done = self.raw("--json", "check", "users.db")
        self.assertEqual((done.code, json.loads(done.err)["line"]), (7, 3))

    def test_incompatible_and_unsupported(self):
        first, rest = self.stopped_log().split(b"\n", 1)
        self.write("users.db", sealed(first.replace(b'"format":1', b'"format":2')) + b"\n" + rest)
        self.meets("incompatible", "format 2", "get", "a")
        self.write("users.db", sealed(first.replace(b'[]', b'["wings"]')) + b"\n" + rest)
        self.meets("unsupported", "wings", "get", "a")

    def test_system(self):
        self.ok("set", "a", "1")
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
        self.meets("system", "Too many open files", "get", "a", preexec_fn=few)

    def test_every_row_that_dfsctl_meets_is_provoked(self):
        tried = {name for test in dir(self) if test.startswith("test_")
                 for name in test.removeprefix("test_").split("_and_")}
        _, met = tables()
        self.assertEqual({name for name in met if met[name] != "-"} - tried, set())
