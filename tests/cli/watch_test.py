"""watch: what changes, as it changes."""

import json
import os
import signal
import subprocess

from program import WATCHDOG_S, StoreTest


class WatchTest(StoreTest):

    def setUp(self):
        super().setUp()
        self.ok("set", "a", "1")

    def watching(self, *arguments):
        """A watch that runs; its lines come as they are printed."""
        process = subprocess.Popen(
            [os.environ["DFSCTL"], "-s", self.store, "watch", *arguments], cwd=self.directory,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def begun(self, *arguments):
        """The same, once it watches: its first line is of a snapshot."""
        process = self.watching("--snapshot", *arguments)
        while "position" not in (line := json.loads(process.stdout.readline())) or "key" in line:
            pass
        return process

    def next(self, process):
        return json.loads(process.stdout.readline())

    def test_each_change_is_a_line_as_it_comes(self):
        process = self.begun()
        self.ok("set", "user/1", '{"name":"Al","n":1.50}')
        line = process.stdout.readline()
        self.assertIn('"value":{"name":"Al","n":1.50}', line)
        change = json.loads(line)
        self.assertEqual(list(change), ["key", "version", "sequence", "time", "value", "position"])
        self.assertEqual((change["key"], change["version"]), ("user/1", 1))
        self.ok("del", "user/1")
        change = self.next(process)
        self.assertEqual(list(change), ["key", "version", "sequence", "time", "erased", "position"])
        self.assertIs(change["erased"], True)
        self.assertEqual(change["version"], 2)

    def test_a_position_stands_at_the_end_of_each_commit_and_goes_on_from_there(self):
        process = self.begun("user/")
        self.ok("tx", stdin='{"set":"user/1","value":1}\n{"set":"x","value":2}\n'
                            '{"set":"user/2","value":3}\n')
        first, second = self.next(process), self.next(process)
        self.assertNotIn("position", first)
        self.ok("set", "user/3", "4")
        lines = self.ok("watch", "--since", second["position"], "--count", "1")
        self.assertEqual(json.loads(lines)["key"], "user/3")

    def test_since_a_sequence_everything_comes_again(self):
        for value in "23":
            self.ok("set", "a", value)
        lines = self.ok("watch", "--since", "0", "--count", "3").splitlines()
        self.assertEqual([json.loads(line)["value"] for line in lines], [1, 2, 3])

    def test_snapshot_prints_what_is_there_and_then_what_comes(self):
        self.ok("set", "b", "2")
        process = self.watching("--snapshot", "--count", "1")
        self.assertEqual([self.next(process)["key"] for _ in range(2)], ["a", "b"])
        self.assertEqual(list(self.next(process)), ["position"])
        self.ok("set", "c", "3")
        self.assertEqual(self.next(process)["key"], "c")
        self.assertEqual(process.wait(WATCHDOG_S), 0)

    def test_it_goes_on_with_the_next_daemon(self):
        process = self.begun()
        os.kill(self.info()["pid"], signal.SIGKILL)
        self.ok("set", "a", '"behind"')
        self.assertEqual(self.next(process)["value"], "behind")

    def test_what_was_compacted_away_is_said_with_what_to_do(self):
        self.write("users.db.toml", 'feed_retention = "0s"\n')
        self.ok("stop")
        for value in "23":
            self.ok("set", "a", value)
        self.ok("compact")
        # Until the one before is given back, whoever comes is still served from it.
        while json.loads(self.ok("--json", "info"))["old_generations"]:
            pass
        error = self.refused(10, "watch", "--since", "0", "--count", "1")
        self.assertIn("compacted away", error)
        self.assertIn("dfsctl watch --snapshot", error)

    def test_a_position_that_is_none_or_of_another_store_is_said(self):
        self.assertIn("not yesterday", self.refused(2, "watch", "--since", "yesterday"))
        for text in ["12-34-56", "-5"]:
            self.assertIn("takes a position as watch prints it",
                          self.refused(2, "watch", "--since", text))
        self.assertIn("another store", self.refused(10, "watch", "--since", "0" * 32 + "-7"))
        self.assertIn("never given", self.refused(10, "watch", "--since", "1000"))

    def test_who_reads_no_more_ends_it(self):
        process = self.begun()
        process.stdout.close()
        process.stdout = open(os.devnull, encoding="ascii")
        self.ok("set", "a", "2")
        self.assertNotEqual(process.wait(WATCHDOG_S), 0)
