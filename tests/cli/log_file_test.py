"""check, log: over files, without a daemon."""

import json
import os

from program import DATA, StoreTest


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sealed(line):
    """The line with the checksum that its writer would have given it."""
    body, end = line[:line.rindex(b',"c":"')], line[line.rindex(b',"c":"') + 15:]
    return body + b',"c":"%08x"' % crc32c(body) + end


class LogFileTest(StoreTest):

    def stopped_log(self):
        """The bytes of a log with a commit of one record, one of two, and one more."""
        self.ok("set", "a", '{"n":19.99}')
        self.ok("tx", stdin='{"set":"b","value":1}\n{"set":"c","value":2}\n')
        self.ok("del", "a")
        self.ok("stop")
        return self.read("users.db")

    def file(self, command, name, *options):
        done = self.raw(*options, command, name)
        return done.code, done.out.decode(), done.err.decode()

    def test_a_good_log_is_whole(self):
        self.stopped_log()
        code, out, err = self.file("check", "users.db")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.endswith("users.db is whole, stopped cleanly\n"), out)
        code, out, err = self.file("check", "users.db", "--json")
        report = json.loads(out)
        self.assertEqual((code, err, report["verdict"], report["whole"], report["clean_stop"]),
                         (0, "", "whole", True, True))
        self.assertEqual((report["commits"], report["records"]), (3, 4))

    def test_checking_changes_nothing(self):
        content = self.stopped_log()
        before = sorted(os.listdir(self.directory))
        self.file("check", "users.db")
        self.file("log", "users.db")
        self.assertEqual(self.read("users.db"), content)
        self.assertEqual(sorted(os.listdir(self.directory)), before)

    def test_a_torn_log_ends_with_7_and_says_what_a_start_would_do(self):
        content = self.stopped_log()
        self.write("torn", content + b'{"k":"d","v":1,"d":fal')
        code, out, err = self.file("check", "torn")
        self.assertEqual((code, err), (7, ""))
        self.assertIn("side file", out)
        code, out, err = self.file("check", "torn", "--json")
        self.assertEqual((json.loads(out)["verdict"], json.loads(out)["whole"]), ("cut", False))
        self.assertEqual(json.loads(out)["bad_offset"], len(content))
        error = json.loads(err)
        self.assertEqual((code, error["error"], error["offset"]), (7, "damaged", len(content)))

    def test_damage_is_named_by_line_and_offset(self):
        content = self.stopped_log()
        at = content.index(b"19.99")
        self.write("damaged", content[:at] + b"18" + content[at + 2:])
        line = content[:at].count(b"\n") + 1
        offset = content.rindex(b"\n", 0, at) + 1
        code, out, err = self.file("check", "damaged", "--json")
        report, error = json.loads(out), json.loads(err)
        self.assertEqual((code, report["verdict"], report["bad_line"], report["bad_offset"]),
                         (7, "damaged", line, offset))
        self.assertEqual((error["error"], error["line"], error["offset"], error["exit"]),
                         ("damaged", line, offset, 7))
        code, out, err = self.file("check", "damaged")
        self.assertEqual((code, err), (7, ""))
        self.assertIn(f"line {line} ", out)

    def test_a_store_with_a_damaged_log_is_refused_with_7(self):
        content = self.stopped_log()
        self.write("users.db", content.replace(b"19.99", b"18.99"))
        for command in [["get", "b"], ["set", "b", "1"], ["info"]]:
            self.assertEqual(self.refused_json(7, *command)["error"], "damaged")

    def test_logs_of_another_major_end_with_11(self):
        content = self.stopped_log()
        first, rest = content.split(b"\n", 1)
        for old, new, name in [(b'"format":1', b'"format":2', "incompatible"),
                               (b'"needs":[]', b'"needs":["wings"]', "unsupported")]:
            self.assertIn(old, first)
            self.write("other", sealed(first.replace(old, new)) + b"\n" + rest)
            code, out, err = self.file("check", "other", "--json")
            self.assertEqual((code, json.loads(out)["verdict"], json.loads(err)["error"]),
                             (11, name, name))

    def test_go_files_are_checked_too(self):
        for name, code in [("go-dfs-users.db", 0), ("go-dfs-orders-int-keys.db", 0),
                           ("go-dfs-users-history-torn.db", 7)]:
            done = self.file("check", os.path.join(DATA, name), "--json")
            self.assertEqual((done[0], json.loads(done[1])["verdict"]), (code, "go_file"))

    def test_an_empty_file_is_a_new_store(self):
        self.write("empty", "")
        code, out, err = self.file("check", "empty")
        self.assertEqual((code, out, err), (0, "empty is empty: a new store\n", ""))
        self.assertEqual(self.file("log", "empty"), (0, "", ""))

    def test_log_shows_every_line(self):
        content = self.stopped_log()
        code, out, err = self.file("log", "users.db")
        self.assertEqual((code, err), (0, ""))
        shown = out.splitlines()
        self.assertEqual(len(shown), content.count(b"\n"))
        self.assertIn("format 1", shown[0])
        self.assertTrue(any('a version 1 = {"n":19.99}' in line for line in shown), out)
        self.assertTrue(any("erase a" in line for line in shown), out)
        self.assertIn("stopped", shown[-1])
        code, out, err = self.file("log", "users.db", "--json")
        objects = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([one["text"] for one in objects], shown)
        self.assertEqual([one["line"] for one in objects], list(range(1, len(shown) + 1)))

    def test_log_shows_bad_lines_as_bad(self):
        self.write("bad", self.stopped_log() + b"oops\n")
        code, out, _ = self.file("log", "bad")
        self.assertEqual(code, 0)
        self.assertIn("BAD", out.splitlines()[-1])

    def test_what_is_not_there_or_no_file_is_refused(self):
        for command in ["check", "log"]:
            self.assertEqual(self.file(command, "nope"), (4, "", "there is no file nope\n"))
            code, out, err = self.file(command, ".", "--json")
            self.assertEqual((code, out, json.loads(err)["error"]), (2, "", "bad_argument"))
