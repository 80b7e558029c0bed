"""patch, incr, edit: a new value out of the old one."""

import json
import os
import stat
import subprocess

from program import WATCHDOG_S, StoreTest


class RevisionTest(StoreTest):

    def value(self, key):
        return self.ok("get", key).rstrip("\n")

    def editor(self, script, name="editor"):
        """Makes a shell script the editor: its $1 is the file."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script)
        os.chmod(path, stat.S_IRWXU)
        self.environment["EDITOR"] = path
        self.environment.pop("VISUAL", None)
        self.environment["TMPDIR"] = self.directory

    def left_files(self):
        return [name for name in os.listdir(self.directory) if name.endswith(".json")]

    # The cases of RFC 7396, appendix A.
    CASES = [('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'), ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
             ('{"a":"b"}', '{"a":null}', '{}'), ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
             ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'), ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
             ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
             ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'), ('["a","b"]', '["c","d"]', '["c","d"]'),
             ('{"a":"b"}', '["c"]', '["c"]'), ('{"a":"foo"}', 'null', 'null'),
             ('{"a":"foo"}', '"bar"', '"bar"'), ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
             ('[1,2]', '{"a":"b","c":null}', '{"a":"b"}'), ('{}', '{"a":{"bb":{"ccc":null}}}',
                                                           '{"a":{"bb":{}}}')]

    def test_patch_merges_as_rfc_7396_says(self):
        for target, change, merged in self.CASES:
            self.ok("set", "a", target)
            self.ok("patch", "a", change)
            self.assertEqual(self.value("a"), merged)

    def test_patch_keeps_every_digit_and_the_order_of_members(self):
        self.ok("set", "a", '{"z":19.90,"y":1E400,"x":{"q":0.10,"p":-0}}')
        self.ok("patch", "a", '{"x":{"p":100000000000000000000000001},"w":1.50}')
        self.assertEqual(self.value("a"), '{"z":19.90,"y":1E400,"x":{"q":0.10,'
                         '"p":100000000000000000000000001},"w":1.50}')

    def test_patch_prints_the_new_version(self):
        self.assertEqual(self.ok("patch", "a", '{"x":1,"y":null}'), "1\n")
        self.assertEqual(self.ok("patch", "a", "-", stdin='{"y":\n2}'), "2\n")
        self.assertEqual(self.value("a"), '{"x":1,"y":2}')
        written = json.loads(self.ok("--json", "patch", "a", "{}"))
        self.assertEqual((list(written), written["version"]), (["key", "version", "sequence"], 3))

    def test_a_patch_that_is_not_json_changes_and_creates_nothing(self):
        self.assertIn("(column 2)", self.refused(2, "patch", "a", "{x:1}"))
        self.assertIn("""A patch is the members that change: dfsctl patch a '{"name":"Bob"}'""",
                      self.refused(2, "patch", "a", "x=1"))
        self.assertIn('"x" stands there twice', self.refused(2, "patch", "a", '{"x":1,"x":2}'))
        self.assertEqual(os.listdir(self.directory), [])

    def test_incr_counts_exactly(self):
        for amount, expected in [([], "1"), (["41"], "42"), (["-50"], "-8"), (["8"], "0"),
                                 (["9007199254740993"], "9007199254740993"),
                                 (["99999999999999999999"], "100009007199254740992"),
                                 (["-100009007199254740993"], "-1")]:
            self.assertEqual(self.ok("incr", "n", *amount), expected + "\n")
            self.assertEqual(self.value("n"), expected)
        written = json.loads(self.ok("--json", "incr", "n", "3"))
        self.assertEqual((list(written), written["value"]),
                         (["key", "version", "sequence", "value"], 2))

    def test_incr_refuses_what_is_no_whole_number(self):
        for value in ['"5"', "1.0", "1e3", "[]", "null"]:
            self.ok("set", "n", value)
            self.assertEqual(self.refused(2, "incr", "n"), f"n is {value}, which is not a whole "
                             "number: incr adds to those alone")
        for amount in ["one", "1.5", "", "007", "+1"]:
            self.assertIn("takes a whole number", self.refused(2, "incr", "m", "--", amount))
        self.refused(1, "get", "m")

    def test_concurrent_increments_all_count(self):
        self.ok("set", "n", "0")
        running = [subprocess.Popen(
            ["sh", "-c", f'for i in 1 2 3 4 5 6 7 8; do "{os.environ["DFSCTL"]}" -s users.db incr n; done'],
            cwd=self.directory, env=self.environment, stdout=subprocess.DEVNULL) for _ in range(4)]
        for one in running:
            self.assertEqual(one.wait(timeout=WATCHDOG_S), 0)
        self.assertEqual(self.value("n"), "32")

    def test_edit_sets_what_the_editor_leaves(self):
        self.ok("set", "user/1", '{"name":"Alice","n":[1.0,{}]}')
        self.editor('cat "$1" > seen; sed -i s/Alice/Bob/ "$1"')
        self.assertEqual(self.ok("edit", "user/1"), "2\n")
        self.assertEqual(self.value("user/1"), '{"name":"Bob","n":[1.0,{}]}')
        self.assertEqual(self.read("seen").decode(),
                         '{\n  "name": "Alice",\n  "n": [\n    1.0,\n    {}\n  ]\n}\n')
        self.assertEqual(self.left_files(), [])

    def test_edit_that_changes_nothing_writes_nothing(self):
        self.ok("set", "a", "1")
        for script in ["", 'echo " 1 " > "$1"', 'echo > "$1"']:
            self.editor(script)
            done = self.dfsctl("edit", "a")
            self.assertEqual((done.code, done.out, done.err), (0, "", "a was not changed\n"))
        self.assertEqual(json.loads(self.ok("--json", "edit", "a")),
                         {"key": "a", "version": 1, "changed": False})
        self.assertEqual(self.left_files(), [])

    def test_edit_makes_an_absent_key(self):
        self.ok("set", "a", "1")
        self.editor('test ! -s "$1" && echo "[2]" > "$1"')
        self.assertEqual(self.ok("edit", "b"), "1\n")
        self.assertEqual(self.value("b"), "[2]")

    def test_what_was_edited_and_is_not_json_is_kept_in_a_file(self):
        self.ok("set", "a", "1")
        self.editor('echo "{oops" > "$1"')
        said = self.refused(2, "edit", "a")
        self.assertIn("not JSON (column 2)", said)
        self.assertEqual(self.value("a"), "1")
        file, = self.left_files()
        self.assertIn(self.path(file), said)
        self.assertEqual(self.read(file), b"{oops\n")

    def test_an_edit_never_writes_over_anothers_change(self):
        self.ok("set", "a", "1")
        self.editor(f'"{os.environ["DFSCTL"]}" -s users.db set a 7 > /dev/null; echo 2 > "$1"')
        error = self.refused_json(3, "edit", "a")
        self.assertEqual((error["error"], error["version"]), ("version_mismatch", 2))
        file, = self.left_files()
        self.assertIn(self.path(file), error["message"])
        self.assertEqual(self.value("a"), "7")

    def test_an_editor_that_fails_changes_nothing(self):
        self.ok("set", "a", "1")
        self.editor("exit 3")
        self.assertIn("the editor failed", self.refused(70, "edit", "a"))
        self.editor('echo 2 > "$1"; exit 3')
        self.assertIn("kept in", self.refused(70, "edit", "a"))
        self.assertEqual(self.value("a"), "1")
