"""load, and what dump gives it."""

import json
import os
import pty
import re
import shutil
import subprocess

from program import DATA, WATCHDOG_S, StoreTest

GO_LINE = re.compile(rb'\{"k":("(?:[^"\\]|\\.)*"|-?\d+),"v":(\d+),"d":(true|false)(?:,"val":(.*))?\}')


def live_in(name):
    """Key to value of a Go library's file, the value's bytes untouched, by that library's rule."""
    newest = {}
    with open(os.path.join(DATA, name), "rb") as file:
        for line in file.read().split(b"\n"):
            match = GO_LINE.fullmatch(line)
            if not match:
                continue
            key = str(json.loads(match[1]))
            if key not in newest or int(match[2]) >= newest[key][0]:
                newest[key] = (int(match[2]), match[3] == b"true", match[4])
    return {key: value.decode() for key, (_, erased, value) in newest.items() if not erased}


def lines(content):
    return "".join(f'{{"key":{json.dumps(key)},"value":{value}}}\n' for key, value in content)


class LoadTest(StoreTest):

    def content(self, store=None):
        """What the store holds, the values as text."""
        self.store, before = store or self.store, self.store
        out = self.ok("dump")
        self.store = before
        match = re.compile(r'\{"key":("(?:[^"\\]|\\.)*"),"value":(.*)\}')
        pairs = [match.fullmatch(line).groups() for line in out.splitlines()]
        return {json.loads(key): value for key, value in pairs}

    def test_go_files_load_with_every_digit(self):
        for name, count in [("go-dfs-users.db", 2070), ("go-dfs-orders-int-keys.db", 303)]:
            self.store = name
            expected = live_in(name)
            self.assertEqual(len(expected), count)
            self.ok("load", os.path.join(DATA, name))
            self.assertEqual(self.content(), expected)

    def test_a_torn_go_file_loads_up_to_its_torn_line(self):
        name = "go-dfs-users-history-torn.db"
        message = self.refused(2, "load", os.path.join(DATA, name))
        self.assertIn(name + ":2477: ", message)
        self.assertIn("what stands before it was loaded, 2476 lines", message)
        self.assertEqual(self.content(), live_in(name))
        self.assertEqual(len(self.content()), 2069)

    def test_dump_and_load_are_each_others_reverse(self):
        self.ok("load", os.path.join(DATA, "go-dfs-users.db"))
        self.ok("set", 'odd "\\\n\té😀', '"odd \\u00e9"')
        dumped = self.ok("dump")
        self.store = "copy.db"
        self.ok("load", stdin=dumped)
        self.assertEqual(self.ok("dump"), dumped)
        self.assertEqual({record["version"] for record in self.records()}, {1})

    def test_what_list_prints_loads(self):
        self.ok("load", stdin=lines([("a", "1.0"), ("b", '{"x":[]}')]))
        listed = self.ok("list")
        self.store = "copy.db"
        self.ok("load", stdin=listed)
        self.assertEqual(self.content(), {"a": "1.0", "b": '{"x":[]}'})

    def test_a_log_of_ours_loads(self):
        self.ok("load", stdin=lines([(f"k{i}", str(i)) for i in range(100)]))
        self.ok("del", "k1", "k2")
        self.ok("set", "k3", '"new"')
        content = self.content()
        shutil.copy(self.path("users.db"), self.path("copied"))
        self.store = "copy.db"
        self.ok("load", "copied")
        self.assertEqual(self.content(), content)

    def test_it_says_what_it_did(self):
        self.assertEqual(self.ok("load", stdin=lines([("a", "1"), ("b", "2")])), "2 set, 0 erased\n")
        done = json.loads(self.ok("--json", "load", stdin='{"key":"a","erased":true}\n'))
        self.assertEqual((done["set"], done["erased"]), (0, 1))
        self.assertEqual(done["sequence"], self.info()["sequence"])
        self.assertEqual(self.content(), {"b": "2"})

    def test_of_lines_about_one_key_the_last_counts(self):
        numbers = [("a", str(i)) for i in range(10000)]
        self.ok("load", stdin=lines(numbers))
        self.assertEqual(self.content(), {"a": "9999"})
        self.ok("load", "--atomic", stdin=lines(numbers[:50]))
        self.assertEqual(self.content(), {"a": "49"})

    def test_replace_erases_what_is_not_in_the_file(self):
        for how in [[], ["--atomic"]]:
            self.ok("load", stdin=lines([("a", "1"), ("b", "2"), ("c", "3")]))
            out = self.ok("load", "--replace", *how, stdin=lines([("b", "20"), ("d", "4")]))
            self.assertEqual(out, "2 set, 2 erased\n")
            self.assertEqual(self.content(), {"b": "20", "d": "4"})
            self.ok("load", "--replace", *how, "/dev/null")
            self.assertEqual(self.content(), {})

    def test_replace_by_a_file_that_cannot_be_read_erases_nothing(self):
        self.ok("load", stdin=lines([("a", "1")]))
        for how in [[], ["--atomic"]]:
            self.refused(2, "load", "--replace", *how, stdin=lines([("b", "1")]) + "oops\n")
            self.assertEqual(self.content()["a"], "1")

    def test_atomic_is_one_commit(self):
        self.ok("load", "--atomic", stdin=lines([(f"k{i}", "1") for i in range(10000)]))
        self.assertEqual(len({record["sequence"] for record in self.records()}), 1)

    def test_atomic_is_all_or_nothing(self):
        self.ok("set", "a", "1")
        message = self.refused(2, "load", "--atomic", stdin=lines([("b", "1")]) + '{"key":"c"}\n')
        self.assertTrue(message.startswith("stdin:2: "), message)
        self.assertIn("nothing was loaded", message)
        self.assertEqual(self.content(), {"a": "1"})

    def test_too_much_for_one_commit_is_refused_with_the_way_out(self):
        content = lines([(f"k{i}", "1") for i in range(100_001)])
        error = self.refused_json(2, "load", "--atomic", stdin=content)
        self.assertEqual((error["error"], error["limit"]), ("too_large", 100_000))
        self.assertIn("without --atomic", error["message"])
        self.ok("load", stdin=content)
        self.assertEqual(self.ok("count"), "100001\n")

    def test_a_wrong_line_is_named_and_a_wrong_file_creates_nothing(self):
        for line in ["oops", "{}", '{"key":"a"}', '{"value":1}', '{"key":1,"value":1}',
                     '{"key":"a","value":nope}', '{"key":"a","k":"a","value":1}',
                     '{"key":"a","value":1,"val":1}', '{"key":"a","value":1,"other":1}',
                     '{"key":"a","erased":1}', '{"key":"","value":1}', '"a"', "[1]",
                     '{"k":1.5,"val":1}', "\ufeff" + '{"key":"a","value":1}']:
            message = self.refused(2, "load", stdin=line + "\n")
            self.assertTrue(message.startswith("stdin:1: "), (line, message))
            self.assertIn("nothing was loaded", message)
            self.assertEqual(os.listdir(self.directory), [], line)

    def test_one_line_that_was_loaded_is_said_as_one(self):
        message = self.refused(2, "load", stdin='{"key":"a","value":1}\noops\n')
        self.assertIn("(what stands before it was loaded, 1 line)", message)

    def test_windows_line_ends_and_empty_lines_are_no_matter(self):
        self.ok("load", stdin='\r\n{"key":"a","value":1}\r\n\n \n{"key":"b","value":2}')
        self.assertEqual(self.content(), {"a": "1", "b": "2"})

    def test_an_empty_file_creates_an_empty_store(self):
        self.assertEqual(self.ok("load", "/dev/null"), "0 set, 0 erased\n")
        self.assertEqual(self.ok("count"), "0\n")

    def test_progress_is_shown_on_a_terminal_and_goes_away(self):
        self.write("lines", lines([(f"k{i}", "1") for i in range(1000)]))
        ours, theirs = pty.openpty()
        done = subprocess.run([os.environ["DFSCTL"], "-s", "users.db", "load", "lines"],
                              cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
                              stderr=theirs, timeout=WATCHDOG_S, check=False)
        os.close(theirs)
        shown = os.read(ours, 1 << 16)
        os.close(ours)
        self.assertEqual((done.returncode, done.stdout), (0, b"1000 set, 0 erased\n"))
        self.assertTrue(shown.startswith(b"\r1 lines"), shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown)

    def test_no_such_file_ends_with_4(self):
        self.assertIn("there is no file nope", self.refused(4, "load", "nope"))
        self.assertEqual(os.listdir(self.directory), [])
