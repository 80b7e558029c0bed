"""Arguments, exit codes of wrong usage, where data and errors go."""

import json
import os
import signal
import subprocess

from program import WATCHDOG_S, StoreTest

COMMANDS = ["get", "set", "del", "exists", "list", "count", "dump", "tx", "load", "info", "clients",
            "stat", "ping", "compact", "stop", "sync", "resolve", "backup", "restore",
            "check", "log", "watch"]


class CommandLineTest(StoreTest):

    def test_wrong_usage_ends_with_2_and_says_what_would_be_right(self):
        for arguments, expected in [
                (["get"], "usage: dfsctl get KEY"),
                (["get", "a", "b"], "usage: dfsctl get KEY"),
                (["get", "a", "--nope"], "--nope"),
                (["set", "a"], "usage: dfsctl set"),
                (["set", "a", "1", "2"], "usage: dfsctl set"),
                (["set", "a", "1", "--if-version", "1", "--if-absent"], "--if-absent"),
                (["set", "a", "1", "--if-version", "one"], "takes a whole number, not one"),
                (["del"], "KEY is missing"),
                (["--store"], "the ADDRESS behind --store is missing; usage: dfsctl [-s ADDRESS]"),
                (["get", "a", "-s"], "the ADDRESS behind --store is missing; usage: dfsctl get"),
                (["stat", "--count"], "the N behind --count is missing; usage: dfsctl stat"),
                (["repair", "x", "-o"], "the NEW behind --output is missing; usage: dfsctl repair"),
                (["del", "a", "--prefix", "b"], "usage: dfsctl del"),
                (["del", "a", "b", "--if-version", "1"], "one KEY"),
                (["list", "a", "b"], "usage: dfsctl list"),
                (["check"], "usage: dfsctl check FILE"),
                (["log"], "usage: dfsctl log FILE"),
                (["backup"], "usage: dfsctl backup FILE"),
                (["restore", "copy"], "usage: dfsctl restore FILE STORE"),
                (["resolve"], "usage: dfsctl resolve ID"),
                (["stop", "now"], "usage: dfsctl stop"),
                (["gte", "a"], "there is no command gte; is it get?"),
                (["frobnicate"], "dfsctl --help lists them"),
                (["help"], "there is no command help; dfsctl --help lists them"),
                (["foo"], "there is no command foo; dfsctl --help lists them"),
                ([], "which command?"),
        ]:
            self.assertIn(expected, self.refused(2, *arguments))
            self.assertEqual(self.refused_json(2, *arguments)["error"], "bad_argument")
        self.assertEqual(os.listdir(self.directory), [])

    def test_help_goes_to_standard_output(self):
        done = self.raw("--help")
        self.assertEqual((done.code, done.err), (0, b""))
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", done.out.decode())
            done_one = self.raw(command, "--help")
            self.assertEqual((done_one.code, done_one.err), (0, b""))
            self.assertIn(f"Usage: dfsctl {command}".encode(), done_one.out)

    def test_version_is_printed(self):
        done = self.raw("--version")
        self.assertEqual((done.code, done.err), (0, b""))
        self.assertRegex(done.out.decode(), r"^dfsctl \d+\.\d+\.\d+\n$")

    def test_no_store_is_said(self):
        done = self.raw("get", "a")
        self.assertEqual((done.code, done.out), (2, b""))
        self.assertIn(b"DFS_STORE", done.err)

    def test_the_environment_names_the_store_and_the_option_wins(self):
        self.ok("set", "a", "1")
        self.environment["DFS_STORE"] = "users.db"
        self.assertEqual(self.raw("get", "a").out, b"1\n")
        self.raw("-s", "other.db", "set", "a", "2")
        self.assertEqual(self.raw("-s", "other.db", "get", "a").out, b"2\n")
        self.assertEqual(self.raw("get", "a").out, b"1\n")

    def test_options_of_all_commands_may_stand_behind_the_command(self):
        done = self.raw("set", "a", "1", "-s", "users.db", "--json")
        self.assertEqual(json.loads(done.out)["version"], 1)
        self.assertEqual(self.raw("get", "--store=users.db", "a").out, b"1\n")

    def test_an_error_as_json_is_one_line_of_known_members(self):
        self.ok("set", "a", "1")
        for code, arguments, members in [
                (1, ["get", "b"], {"key"}),
                (2, ["get"], set()),
                (2, ["set", "a", "nope"], {"key", "offset"}),
                (3, ["set", "a", "1", "--if-version", "9"], {"key", "version"}),
        ]:
            error = self.refused_json(code, *arguments)
            self.assertEqual(set(error), {"error", "message", "exit"} | members)

    def test_json_behind_two_hyphens_is_a_key(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.refused(1, "get", "--", "--json"), "no such key: --json")

    def test_an_error_about_bytes_that_are_no_text_is_still_json(self):
        error = self.refused_json(2, "set", b"a\xff\n\x01", "1")
        self.assertEqual(error["error"], "bad_key")

    def test_a_full_standard_output_ends_with_70(self):
        self.ok("set", "a", "1")
        with open("/dev/full", "wb") as full:
            done = self.dfsctl("--json", "list", stdout=full)
        error = json.loads(done.err)
        self.assertEqual((done.code, error["error"], error["exit"]), (70, "system", 70))
        self.assertIn("write standard output", error["message"])

    def test_a_closed_standard_output_is_said_and_harms_nothing(self):
        self.ok("set", "a", "1")
        done = self.dfsctl("set", "a", "2", preexec_fn=lambda: os.close(1), stdout=None)
        self.assertEqual(done.code, 70)
        self.assertIn("write standard output", done.err)
        done = self.dfsctl("get", "a")
        self.assertEqual(done.out, "2\n")

    def reader_gone(self, restore_signals):
        """dfsctl whose standard output nobody reads any more."""
        self.ok("load", stdin="".join(f'{{"key":"k{i}","value":{i}}}\n' for i in range(5000)))
        read_end, write_end = os.pipe()
        os.close(read_end)
        try:
            return self.dfsctl("list", stdout=write_end, restore_signals=restore_signals)
        finally:
            os.close(write_end)

    def test_a_reader_that_went_away_ends_it_quietly(self):
        done = self.reader_gone(restore_signals=True)
        self.assertEqual((done.code, done.err), (-signal.SIGPIPE, ""))

    def test_the_same_where_the_signal_is_ignored(self):
        done = self.reader_gone(restore_signals=False)  # python ignores it, and hands that on
        self.assertEqual((done.code, done.err), (128 + signal.SIGPIPE, ""))

    def writing_end(self, fifo, reader):
        """The fifo, opened for writing once the reader has it open."""
        while True:
            try:
                return os.open(self.path(fifo), os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                self.assertIsNone(reader.poll(), "it ended before it read")

    def test_an_interrupt_ends_it_quietly(self):
        self.ok("set", "a", "1")
        os.mkfifo(self.path("fifo"))
        running = subprocess.Popen(
            [os.environ["DFSCTL"], "-s", "users.db", "load", "fifo"], cwd=self.directory,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell may ignore it
        self.addCleanup(os.close, self.writing_end("fifo", running))
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=WATCHDOG_S)
        self.assertEqual((running.returncode, out, err), (-signal.SIGINT, b"", b""))
