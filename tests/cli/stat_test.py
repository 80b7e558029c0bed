"""stat, and what is said of a daemon that is stopped."""

import json
import os
import signal
import subprocess

from program import WATCHDOG_S, StoreTest


class StatTest(StoreTest):

    def test_totals_are_what_was_done(self):
        for number in range(5):
            self.ok("set", "a", str(number))
        self.refused(3, "set", "a", "1", "--if-version", "9")
        told = self.ok("stat")
        self.assertRegex(told, r"start: 5 commits of 5 records in 5 batches, \d+ syncs\n")
        self.assertIn("refused: 1, of these 1 by an expectation and 0 by a conflict\n", told)
        self.assertRegex(told, r"commits of a batch: 5, on average 1, at the most 1\n"
                               r"  below 2 +5 +#{40}\n")
        info = self.info()
        self.assertEqual((info["batch_commits"]["count"], info["batch_commits"]["buckets"]),
                         (5, [[2, 5]]))
        self.assertEqual(info["batch_bytes"]["count"], 5)
        self.assertEqual(sum(count for _, count in info["sync_us"]["buckets"]), info["syncs"])
        self.assertEqual(info["sync_us"]["count"], info["syncs"])
        self.assertEqual(info["writer"]["doing"], "waiting")

    def test_a_line_comes_each_time_until_it_is_interrupted(self):
        self.ok("set", "a", "1")
        child = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "stat", "-i", "0.05"],
                                 cwd=self.directory, env=self.environment, text=True,
                                 stdout=subprocess.PIPE)
        heads = child.stdout.readline().split()
        self.assertEqual(heads[0], "commit/s")
        for _ in range(4):
            self.assertEqual(len(child.stdout.readline().split()), len(heads))
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=WATCHDOG_S), -signal.SIGINT)
        child.stdout.close()

    def test_lines_count_what_came_in_between(self):
        self.ok("set", "a", "1")
        child = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "--json", "stat", "-i",
                                  "0.05"], cwd=self.directory, env=self.environment, text=True,
                                 stdout=subprocess.PIPE)
        self.assertEqual(json.loads(child.stdout.readline())["commits_per_s"], 0)
        self.ok("load", stdin="".join(f'{{"key":"k{i}","value":1}}\n' for i in range(4000)))
        # Some line tells of it, whichever it falls into.
        while json.loads(child.stdout.readline())["records_per_s"] == 0:
            pass
        child.kill()
        child.wait()
        child.stdout.close()

    def test_count_is_about_lines(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.ok("stat", "-i", "0.01", "--count", "3").count("\n"), 4)
        self.refused(2, "stat", "--count", "3")
        for text in ["0", "-1", "x", "1s", ""]:
            self.refused(2, "stat", f"--interval={text}")

    def test_a_daemon_that_is_stopped_is_named_by_whatever_asks(self):
        self.ok("set", "a", "1")
        pid = self.info()["pid"]
        child = subprocess.Popen([os.environ["DFSCTL"], "-s", "users.db", "--json", "stat", "-i",
                                  "0.05"], cwd=self.directory, env=self.environment, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.readline()  # it was there, and is stopped under it
        self.held(pid)
        said = f"pid {pid}, which is stopped by a signal (kill -CONT {pid} lets it go on)"
        for command in [["stat"], ["info"], ["clients"], ["ping"], ["ping", "--write"]]:
            error = self.refused_json(5, *command)
            self.assertEqual(error["error"], "timeout")
            self.assertIn(said, error["message"], command)
        _, told = child.communicate(timeout=WATCHDOG_S)
        self.assertEqual(child.returncode, 5)
        self.assertIn(said, json.loads(told)["message"])

    def test_asking_starts_no_daemon(self):
        self.ok("set", "a", "1")
        self.ok("stop")
        self.assertEqual(self.refused_json(4, "stat")["error"], "no_daemon")
