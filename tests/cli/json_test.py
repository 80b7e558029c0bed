"""--json: docs/json.md says of each command what it prints; here each prints it."""

import json
import os
import re

from program import StoreTest

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "json.md")
ROW = re.compile(r"^\| `(\w+)` \| ([\w ]+) \| ([^|]*) \|$")
IS = {
    "string": lambda x: isinstance(x, str), "any": lambda x: True,
    "whole": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "boolean": lambda x: isinstance(x, bool), "object": lambda x: isinstance(x, dict),
    "array": lambda x: isinstance(x, list),
    "whole or null": lambda x: x is None or IS["whole"](x),
}


def described():
    """Of each headed object its members: name, type, when."""
    page, heading = {}, None
    with open(PAGE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("### "):
                heading = line[4:].strip()
                page[heading] = []
            elif line.startswith("| `"):
                page[heading].append(ROW.match(line.strip()).groups())
    return page


class JsonTest(StoreTest):

    def setUp(self):
        super().setUp()
        self.page = described()
        self.seen = set()

    def one(self, heading, text):
        """That a line is an object as the page has it."""
        found = json.loads(text) if isinstance(text, str) else text
        members = self.page[heading]
        order = [name for name, _, _ in members]
        self.assertEqual(list(found), [name for name in order if name in found], heading)
        for name, kind, when in members:
            if when.startswith("always"):
                self.assertIn(name, found, heading)
            if name in found:
                self.assertTrue(IS[kind](found[name]), f"{heading}: {name} is {found[name]!r}")
            if name in found and "always: `" in when and kind == "string":
                self.assertIn(f"`{found[name]}`", when)
        self.seen.add(heading)
        return found

    def each(self, heading, *arguments, **how):
        lines = self.ok("--json", *arguments, **how).splitlines()
        self.assertTrue(lines, heading)
        return [self.one(heading, line) for line in lines]

    def file(self, command, *arguments):
        done = self.raw("--json", command, *arguments)
        return done.out.decode().splitlines(), done.err.decode().splitlines()

    def edited(self, script):
        self.write("editor", script)
        self.environment.update(EDITOR="sh editor", TMPDIR=self.directory)
        self.environment.pop("VISUAL", None)
        self.each("`edit`", "edit", "a")

    def errors(self):
        self.write("bad", '{"key":"a","value":?}\n')
        for arguments in [["get", "nope"], ["get"], ["set", "a", "x"], ["set", "k" * 5000, "1"],
                          ["set", "a", "1", "--if-version", "99"], ["load", "bad"], ["load", "/"]]:
            done = self.dfsctl("--json", *arguments)
            error = self.one("an error", done.err)
            self.assertEqual(error["exit"], done.code)

    def test_every_object_is_as_its_page_says(self):
        self.each("`set`, `patch`", "set", "a", '{"x":1}')
        self.each("`set`, `patch`", "patch", "a", '{"y":2}')
        self.each("`incr`", "incr", "n")
        self.edited("true")
        self.edited('echo 5 > "$1"')
        self.each("`get KEY`, a line of `list`", "get", "a")
        self.each("`get KEY`, a line of `list`", "list")
        self.each("a line of `dump`", "dump")
        self.each("a line of `watch`", "watch", "--since", "0", "--count", "2")
        self.ok("set", "gone", "1")
        self.ok("del", "gone")
        self.each("a line of `watch`", "watch", "gone", "--since", "0", "--count", "2")
        self.assertTrue(all(isinstance(json.loads(line), str)
                            for line in self.ok("--json", "list", "-k").splitlines()))
        self.each("`exists KEY`", "exists", "a")
        self.each("`count`", "count")
        *read, outcome = self.ok("tx", stdin='{"get":"a"}\n{"get":"nope"}\n'
                                 '{"set":"b","value":1}\n').splitlines()
        for line in read:
            self.one("a line of `tx`: what was read", line)
        self.one("a line of `tx`: the outcome", outcome)
        self.each("a line of `tx`: the outcome", "shell", stdin="begin\ncommit\n")
        self.each("`load`", "load", stdin='{"key":"c","value":1}\n')
        self.each("`del`", "del", "b", "c", "nope")
        self.each("`ping`", "ping")
        self.each("`ping`", "ping", "--write")
        self.each("`sync`", "sync")
        info, = self.each("`info`", "info")
        self.each("`resolve`", "resolve", f"{info['store']}-{info['sequence']}")
        self.each("a line of `stat`", "stat")
        self.each("a line of `stat`", "stat", "-i", "0.01", "--count", "2")
        for client in json.loads(self.ok("--json", "clients")):
            self.one("an element of `clients`", client)
        for store in self.raw("--json", "stores").out.decode().splitlines():
            self.one("a line of `stores`", store)
        self.each("`backup`", "backup", "copy")
        self.one("`restore`", self.file("restore", "copy", "restored.db")[0][0])
        self.errors()
        self.each("`stop`", "stop")

        self.write("torn", self.read("users.db")[:-5])
        self.write("damaged", self.read("users.db").replace(b'"x":1', b'"x":2'))
        self.write("empty", "")
        for name in ["users.db", "torn", "damaged", "empty"]:
            out, err = self.file("check", name)
            self.one("`check`", out[0])
            for line in err:
                self.one("an error", line)
        for line in self.file("log", "damaged")[0]:
            self.one("a line of `log`", line)
        report = self.one("`repair`", self.file("repair", "damaged", "-o", "new")[0][0])
        for finding in report["findings"]:
            self.one("an element of `findings`", finding)
        self.each("`compact`", "compact")
        self.assertEqual(self.seen, set(self.page), "a description that nothing was compared with")

    def test_every_command_is_on_the_page(self):
        shown = self.raw("complete", "--", "").out.decode().splitlines()
        for command in {line.split("\t")[0] for line in shown} - {"completion"}:
            self.assertIn(f"`{command}", "\n".join(self.page) + open(PAGE, encoding="utf-8").read())
