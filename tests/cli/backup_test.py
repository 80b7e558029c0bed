"""backup, restore: one file that holds a store, and a store made of it."""

import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import time

from log_file_test import sealed
from program import DATA, WATCHDOG_S, StoreTest


class BackupTest(StoreTest):

    def fill(self, keys=30):
        lines = "".join(json.dumps({"key": f"key{i}", "value": {"n": i}}) + "\n"
                        for i in range(keys))
        self.ok("load", stdin=lines)
        self.ok("set", "key1", "19.90")
        self.ok("del", "key2")

    def names(self):
        """What stands in the directory beside the store and its daemon's files."""
        return sorted(name for name in os.listdir(self.directory)
                      if not name.startswith("users.db"))

    def dump(self, store):
        done = self.raw("-s", store, "list")
        self.assertEqual((done.code, done.err), (0, b""))
        return done.out

    def test_a_backup_is_a_whole_log_that_holds_the_store(self):
        self.fill()
        said = json.loads(self.ok("--json", "backup", "copy"))
        self.assertEqual((said["store"], said["sequence"], said["records"]),
                         (self.info()["store"], self.info()["sequence"], 29))
        self.assertEqual(said["bytes"], len(self.read("copy")))
        self.assertEqual(os.stat(self.path("copy")).st_mode & 0o777, 0o600)
        report = json.loads(self.raw("--json", "check", "copy").out)
        self.assertEqual((report["verdict"], report["records"], report["last"]),
                         ("whole", 29, said["sequence"]))
        self.assertEqual(self.raw("log", "copy").out.count(b"\n"), 31)

    def test_a_restored_store_has_the_same_records_and_another_id(self):
        self.fill()
        self.ok("backup", "copy")
        said = json.loads(self.raw("--json", "restore", "copy", "other.db").out)
        self.assertEqual((said["from"], said["records"]), (self.info()["store"], 29))
        self.assertEqual(self.dump("other.db"), self.dump("users.db"))
        other = json.loads(self.raw("-s", "other.db", "--json", "info").out)
        self.assertEqual(other["store"], said["store"])
        self.assertNotEqual(other["store"], self.info()["store"])
        version = int(self.raw("-s", "other.db", "set", "key1", "1").out)
        self.assertGreater(version, said["versions_above"])

    def test_a_directory_that_is_not_there_is_named(self):
        self.fill(1)
        self.ok("backup", "copy")
        for words in [("backup", "nodir/b"), ("restore", "copy", "nodir/b")]:
            with self.subTest(words=words):
                done = self.raw(*(() if words[0] == "restore" else ("-s", "users.db")), *words)
                self.assertEqual((done.code, done.out, done.err.decode()),
                                 (2, b"", "there is no directory nodir to make b in\n"))

    def test_a_backup_goes_to_standard_output(self):
        self.fill()
        out = self.raw("-s", "users.db", "backup", "-").out
        self.write("copy", out)
        self.assertEqual(self.raw("check", "copy").code, 0)
        self.assertEqual(out.count(b"\n"), 31)

    def test_no_file_is_replaced_unless_it_is_said(self):
        self.fill()
        self.write("copy", "mine")
        self.assertIn("copy exists", self.refused(2, "backup", "copy"))
        self.assertEqual(self.read("copy"), b"mine")
        self.ok("backup", "copy", "--force")
        self.assertEqual(self.raw("check", "copy").code, 0)
        self.write("other.db", "mine")
        done = self.raw("restore", "copy", "other.db")
        self.assertEqual((done.code, self.read("other.db")), (2, b"mine"))
        self.assertEqual(self.names(), ["copy", "other.db"])

    def test_what_is_no_regular_file_is_not_replaced_even_where_it_is_said(self):
        self.fill(3)
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("folder"))
        os.symlink("pipe", self.path("link"))
        for name in ["pipe", "folder", "link"]:
            error = self.refused_json(2, "backup", name, "--force")
            self.assertEqual(error["error"], "bad_argument")
            self.assertIn(f"{name} is a ", error["message"])
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.path("pipe")).st_mode))
        self.assertEqual(self.names(), ["folder", "link", "pipe"])

    def test_the_log_of_a_served_store_is_not_replaced_even_where_it_is_said(self):
        self.fill(3)
        before = self.read("users.db")
        self.assertIn("users.db is in use", self.refused(2, "backup", "users.db", "--force"))
        self.assertTrue(self.read("users.db").startswith(before))
        self.assertEqual(self.ok("get", "key1"), "19.90\n")
        self.assertEqual(self.names(), [])

    def test_a_file_without_a_name_is_refused_and_leaves_nothing(self):
        self.fill(3)
        self.ok("backup", "copy")
        for name in ["", "nowhere/"]:
            self.assertIn("names no file", self.refused(2, "backup", name))
            done = self.raw("restore", "copy", name)
            self.assertEqual((done.code, b"names no file" in done.err), (2, True), done)
        self.assertEqual(self.names(), ["copy"])

    def test_a_restored_store_is_said_as_the_address_that_leads_to_it(self):
        self.fill(3)
        self.ok("backup", "copy")
        self.assertIn(b"dfsctl -s ./plain list", self.raw("restore", "copy", "plain").out)
        self.assertEqual(self.raw("-s", "./plain", "count").out, b"2\n")

    def test_a_name_that_no_log_can_have_is_refused_with_what_would_be_right(self):
        self.fill(3)
        self.ok("backup", "copy")
        self.write("other.db", "")
        before = self.names()
        for name, advice in [("x.db.socket", "say x.db"), ("./a b.socket", "say './a b'"),
                             ("socket", "name the log"), ("system:orders", "/orders/store.db"),
                             ("user:orders", "~/.local/share/dfs/orders/store.db"),
                             ("other.db.new", "belongs to the store other.db"),
                             ("n" * 224, "has 224 bytes; at most 223")]:
            done = self.raw("restore", "copy", name)
            self.assertEqual((done.code, done.out), (2, b""), name)
            self.assertIn(f"{name} ".encode() if len(name) < 224 else b"the log", done.err)
            self.assertIn(advice.encode(), done.err)
        self.assertEqual(self.names(), before)
        for name in ["./system:orders", "x.db.new", "n" * 223]:  # whose address leads there
            self.raw("restore", "copy", name)
            self.assertEqual(self.raw("check", name).code, 0, name)

    def refused_restore(self, name):
        done = self.raw("--json", "restore", name, "other.db")
        self.assertNotEqual(done.code, 0, name)
        self.assertFalse(os.path.exists(self.path("other.db")), done)
        return json.loads(done.err)

    def test_damage_in_any_line_is_refused_with_its_place(self):
        self.fill(6)
        self.ok("backup", "copy")
        content = self.read("copy")
        begins = [0] + [i + 1 for i, byte in enumerate(content) if byte == 10]
        for line, begin in enumerate(begins[:-1], 1):
            at = begin + 12
            self.write("bad", content[:at] + bytes([content[at] ^ 1]) + content[at + 1:])
            error = self.refused_restore("bad")
            self.assertEqual((error["error"], error["exit"]), ("damaged", 7), error)
            self.assertEqual((error.get("line"), error.get("offset", 0)), (line, begin), error)
        for end in begins[1:-1] + [begin + 5 for begin in begins[:-1]] + [len(content) - 1]:
            self.write("bad", content[:end])
            self.assertEqual(self.refused_restore("bad")["error"], "damaged", end)
        for extra in [b"\0" * 100, b'{"k":"x","v":1,"d":fal']:
            self.write("bad", content + extra)
            error = self.refused_restore("bad")
            self.assertEqual((error["error"], error["line"], error["offset"]),
                             ("damaged", len(begins), len(content)))

    def test_a_line_whose_checksum_was_taken_out_is_refused(self):
        self.fill(6)
        self.ok("backup", "copy")
        lines = self.read("copy").splitlines(keepends=True)
        lines[1] = lines[1][:lines[1].rindex(b',"c":"')] + b"}\n"
        self.write("edited", b"".join(lines))
        self.assertEqual(self.refused_restore("edited")["line"], 2)

    def test_what_is_no_backup_is_refused(self):
        self.fill()
        self.ok("stop")
        self.write("log", self.read("users.db"))
        self.write("empty", "")
        self.write("go", open(os.path.join(DATA, "go-dfs-users.db"), "rb").read())
        for name in ["log", "empty", "go"]:
            self.assertEqual(self.refused_restore(name)["error"], "bad_argument", name)
        self.assertEqual(self.refused_restore("nowhere")["error"], "no_store")

    def test_backups_of_another_format_are_refused_with_11(self):
        self.fill(3)
        self.ok("backup", "copy")
        first, rest = self.read("copy").split(b"\n", 1)
        for old, new, name in [(b'"format":1', b'"format":2', "incompatible"),
                               (b'"needs":[]', b'"needs":["wings"]', "unsupported")]:
            self.write("other", sealed(first.replace(old, new)) + b"\n" + rest)
            error = self.refused_restore("other")
            self.assertEqual((error["error"], error["exit"]), (name, 11))

    def large(self):
        lines = "".join(json.dumps({"key": f"key{i:06}", "value": "x" * 2000}) + "\n"
                        for i in range(8000))
        self.ok("load", stdin=lines)

    def killed_meanwhile(self, arguments, name):
        """Runs dfsctl and kills it when it has begun to write `name`."""
        child = subprocess.Popen([os.environ["DFSCTL"], *arguments], cwd=self.directory,
                                 env=self.environment, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        while child.poll() is None and time.monotonic() < began + WATCHDOG_S:
            if any(part.startswith(name + ".part-") and os.stat(self.path(part)).st_size > 0
                   for part in self.names() if os.path.exists(self.path(part))):
                break
        child.kill()
        return child.wait()

    def test_one_that_is_killed_leaves_nothing_half_under_its_name(self):
        self.large()
        self.ok("backup", "whole")
        for turn in range(6):
            name = f"copy{turn}"
            self.killed_meanwhile(["-s", "users.db", "backup", name], name)
            if os.path.exists(self.path(name)):
                self.assertEqual(self.raw("check", name).code, 0)
            name = f"other{turn}.db"
            self.killed_meanwhile(["restore", "whole", name], name)
            if os.path.exists(self.path(name)):
                self.assertEqual(self.raw("check", name).code, 0)
        # What one left behind is in nobody's way, and goes with the next.
        self.ok("backup", "copy0", "--force")
        self.assertEqual([name for name in self.names() if name.startswith("copy0.part-")], [])

    def test_the_next_to_the_same_place_removes_what_a_killed_one_left(self):
        self.fill(3)
        self.ok("backup", "whole")
        self.ok("stop")
        for name, arguments in [("copy", ["-s", "users.db", "backup", "copy"]),
                                ("other.db", ["restore", "whole", "other.db"])]:
            left, living, pipe = (f"{name}.part-{what}" for what in
                                  ["0123abcd", "deadbeef", "0000ffff"])
            others = [f"{name}.part-012", f"{name}.part-0123ABCD", f"{name}2.part-0123abcd"]
            for part in [left, living, *others]:
                self.write(part, "half")
            os.mkfifo(self.path(pipe))
            with open(self.path(living), "rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)  # as the process that writes it does
                self.assertEqual(self.raw(*arguments).code, 0)
            for part in [living, pipe, *others]:
                self.assertIn(part, self.names())
            self.assertNotIn(left, self.names())

    def test_one_that_lives_is_not_disturbed_by_the_next_to_the_same_place(self):
        self.large()
        self.ok("backup", "whole")
        together = [subprocess.Popen([os.environ["DFSCTL"], "restore", "whole", "other.db"],
                                     cwd=self.directory, env=self.environment,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                    for _ in range(4)]
        ends = [(child.communicate()[1], child.returncode) for child in together]
        self.assertEqual(sorted(code for _, code in ends), [0, 2, 2, 2], ends)
        self.assertEqual([said for said, code in ends if code == 2 and b"exists" not in said], [])
        self.assertEqual(self.raw("check", "other.db").code, 0)
        self.assertEqual([name for name in self.names() if ".part-" in name], [])

    def test_a_full_disk_leaves_nothing(self):
        self.large()
        self.ok("backup", "whole")

        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        for arguments in [["-s", "users.db", "backup", "copy"], ["restore", "whole", "other.db"]]:
            done = self.raw("--json", *arguments, preexec_fn=small)
            error = json.loads(done.err)
            self.assertEqual((done.code, error["error"]), (70, "system"), error)
            self.assertIn("File too large", error["message"])
        self.assertEqual(self.names(), ["whole"])
