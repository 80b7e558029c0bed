"""info, clients, ping, compact, stop, sync, resolve."""

import json
import os
import resource

from program import StoreTest


class AdministrationTest(StoreTest):

    def test_info_says_who_serves_what(self):
        self.ok("set", "a", "1")
        info = self.info()
        self.assertEqual(info["path"], os.path.realpath(self.path("users.db")))
        os.kill(info["pid"], 0)
        self.assertEqual(info["keys"], 1)
        text = dict(line.split("\t") for line in self.ok("info").splitlines())
        self.assertEqual(text["pid"], str(info["pid"]))
        self.assertEqual(text["store"], info["store"])

    def test_clients_lists_who_is_connected(self):
        self.ok("set", "a", "1")
        clients = json.loads(self.ok("--json", "clients"))
        self.assertEqual({client["origin"] for client in clients}, {"dfsctl"})
        rows = self.ok("clients").splitlines()
        self.assertTrue(rows and all("dfsctl" in row.split("\t") for row in rows), rows)

    def test_clients_tells_what_who_holds_keeps(self):
        self.ok("set", "a", "1")
        screen = self.screen("shell")
        screen.until("> ")
        screen.type("begin\r")
        screen.until("*> ")
        screen.type("get a\r")
        screen.until("*> ")
        generation = self.info()["generation"]
        self.ok("compact")
        self.ok("set", "a", "2")
        old, = self.info()["old_generations"]
        clients = json.loads(self.ok("--json", "clients"))
        holder, = [client for client in clients if client["pid"] == screen.pid]
        held, = holder["holds"]
        self.assertEqual((held["generation"], held["snapshots"], held["bytes"]),
                         (generation, 1, old["bytes"]))
        self.assertLessEqual(held["superseded_for_ms"], self.info()["old_generations"][0]
                             ["superseded_for_ms"])
        self.assertEqual((holder["keeps_bytes"], holder["frees_bytes"]),
                         (old["bytes"], old["bytes"]))
        self.assertEqual({client["keeps_bytes"] for client in clients if client != holder}, {0})
        self.assertRegex(self.ok("clients"), rf"{generation}: 1 snapshot, {old['bytes']} bytes, \d+ s")
        screen.type("rollback\r")
        screen.until("users.db> ")
        screen.type("exit\r")
        screen.end()

    def test_ping_says_alive(self):
        self.ok("set", "a", "1")
        self.assertRegex(self.ok("ping"), r"^alive, \d+ us\n$")
        self.assertRegex(self.ok("ping", "--write"), r"^alive, \d+ us\n$")
        self.assertIs(json.loads(self.ok("--json", "ping"))["alive"], True)
        self.assertEqual(self.info()["sequence"], self.records()[0]["sequence"])

    def test_ping_of_a_writer_that_has_no_memory_ends_with_8(self):
        self.write("users.db.toml", 'memory_limit = "4M"\n')
        keys = 0
        for size in [60_000, 6_000, 600, 60]:
            value, code = json.dumps("x" * size), 0
            while code == 0:
                code = self.dfsctl("set", f"key{keys}", "-", stdin=value).code
                keys += 1
            self.assertEqual(code, 8)
        error = self.refused_json(8, "ping", "--write")
        self.assertEqual((error["error"], error["limit"]), ("store_full", 4 << 20))
        self.assertIn("live records take", error["message"])
        self.assertRegex(self.ok("ping"), "^alive")
        self.assertIn("below four times the live bytes", self.info()["warnings"][0])
        self.ok("del", "--prefix", "key")
        self.ok("compact")
        self.assertRegex(self.ok("ping", "--write"), "^alive")
        self.assertEqual(self.info()["warnings"], [])

    def test_ping_of_a_writer_that_has_no_disk_ends_with_8(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        for size in [60_000, 6_000, 600]:
            value = json.dumps("x" * size)
            while (code := self.dfsctl("set", "a", value, preexec_fn=limit).code) == 0:
                pass
            self.assertEqual(code, 8)
        error = self.refused_json(8, "ping", "--write")
        self.assertEqual(error["error"], "store_full")
        # The limit is the daemon's: it may meet the log first, or the memory beside it.
        self.assertRegex(error["message"], r"of the log's \d+ bytes are garbage|garbage takes \d+")

    def test_compact_leaves_one_line_for_each_key(self):
        for number in range(50):
            self.ok("set", "a", str(number))
        before = self.info()["generation"]
        told = json.loads(self.ok("--json", "compact"))
        self.assertLess(told["log_bytes"], told["log_bytes_before"])
        self.assertEqual(self.info()["generation"], before + 1)
        self.assertEqual(self.info()["compaction"]["compactions"], 1)
        self.assertEqual(self.ok("get", "a"), "49\n")
        self.ok("stop")
        self.assertEqual(self.read("users.db").count(b'{"k":"a"'), 1)
        self.assertEqual(self.ok("get", "a"), "49\n")

    def test_stop_ends_the_daemon_cleanly(self):
        self.ok("set", "a", "1")
        first = self.info()["pid"]
        self.assertEqual(self.ok("stop"), "")
        self.assertIn(b'["stop",', self.read("users.db").splitlines()[-1])
        self.assertEqual(self.ok("get", "a"), "1\n")
        self.assertNotEqual(self.info()["pid"], first)
        self.assertEqual(json.loads(self.ok("--json", "stop")), {"stopped": True})

    def test_asking_about_a_daemon_starts_none(self):
        self.ok("set", "a", "1")
        self.ok("stop")
        for command in [["ping"], ["ping", "--write"], ["clients"], ["stop"]]:
            self.assertEqual(self.refused_json(4, *command)["error"], "no_daemon")

    def test_a_log_that_was_moved_away_is_said_to_be_gone(self):
        self.ok("set", "a", "1")
        daemon = self.info()["pid"]
        os.rename(self.path("users.db"), self.path("away"))
        for command in [["get", "a"], ["set", "a", "2"], ["stop"]]:
            self.assertRegex(self.refused(6, *command),
                             f"users.db is not there any more.*pid {daemon}")
        os.rename(self.path("away"), self.path("users.db"))
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_dead_bytes_are_what_a_compaction_leaves_out(self):
        for number in range(3):
            self.ok("set", "a", str(number))
        self.ok("set", "b", "1")
        info = self.info()
        self.assertLess(info["live_bytes"], 1000)
        self.assertEqual(info["dead_bytes"], 0)  # a compaction would leave as much in use
        self.ok("compact")
        self.assertAlmostEqual(self.info()["used_bytes"], info["used_bytes"], delta=8192)
        self.ok("load", stdin="".join(f'{{"key":"k{number}","value":"{number:10000}"}}\n'
                                      for number in range(300)))
        self.ok("del", "--prefix", "k")
        full = self.info()
        self.assertGreater(full["dead_bytes"], 290 * 10_000)
        self.ok("compact")
        left = self.info()
        self.assertGreaterEqual(full["used_bytes"] - left["used_bytes"], full["dead_bytes"])
        self.assertEqual(left["dead_bytes"], 0)
        self.ok("del", "a", "b")
        self.assertEqual(self.info()["live_bytes"], 0)

    def test_sync_prints_the_sequence_that_is_on_disk(self):
        sequence = json.loads(self.ok("--json", "set", "a", "1"))["sequence"]
        self.assertEqual(self.ok("sync"), f"{sequence}\n")
        self.assertEqual(json.loads(self.ok("--json", "sync")), {"sequence": sequence})

    def test_resolve_tells_what_became_of_a_commit(self):
        sequence = json.loads(self.ok("--json", "set", "a", "1"))["sequence"]
        store = self.info()["store"]
        self.assertEqual(self.ok("resolve", f"{store}-{sequence}"), "committed\n")
        self.assertEqual(json.loads(self.ok("--json", "resolve", f"{store}-{sequence}")),
                         {"commit": f"{store}-{sequence}", "outcome": "committed"})
        self.assertEqual(self.ok("resolve", f"{store}-{sequence + 1}"), "not committed\n")

    def test_resolve_of_another_stores_commit_ends_with_10(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.refused_json(10, "resolve", "0" * 32 + "-1")["error"], "compacted")

    def test_resolve_of_what_is_no_id_is_refused(self):
        self.ok("set", "a", "1")
        for text in ["", "1", "0" * 32, "0" * 32 + "-", "0" * 31 + "-1", "g" * 32 + "-1",
                     "0" * 32 + "-1x", "0" * 32 + "--1"]:
            self.refused(2, "resolve", "--", text)
