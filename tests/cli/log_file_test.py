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
        self.write("copy.db", content)  # beside a daemon that may still be leaving
        names = lambda: sorted(name for name in os.listdir(self.directory) if "copy" in name)
        self.file("check", "copy.db")
        self.file("log", "copy.db")
        self.assertEqual(self.read("copy.db"), content)
        self.assertEqual(names(), ["copy.db"])

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
            self.assertEqual("bad_line" in json.loads(done[1]), code == 7)

    def test_of_a_torn_go_file_check_says_what_the_daemon_then_does(self):
        content = self.read(os.path.join(DATA, "go-dfs-users-history-torn.db"))
        torn = self.write("users.db", content)
        end = content.rindex(b"\n") + 1
        code, out, err = self.file("check", torn)
        self.assertEqual((code, err), (7, ""))
        kept = f"the {len(content) - end} bytes of that line, as users.db.original"
        for said in [f"(offset {end})", "2069 live keys", "dfsd serves what stands before it", kept]:
            self.assertIn(said, out)
        code, out, err = self.file("check", torn, "--json")
        report, error = json.loads(out), json.loads(err)
        self.assertEqual((code, report["verdict"], report["whole"]), (7, "go_file", False))
        self.assertEqual((report["bad_line"], report["bad_offset"]), (error["line"], end))
        self.assertEqual((self.dfsctl("count").out, self.read(torn)), ("2069\n", content))
        self.ok("set", "new", "1")
        self.assertEqual(self.read("users.db.original"), content)
        self.ok("stop")
        self.assertEqual(self.file("check", "users.db")[0], 0)

    def test_log_shows_a_go_file_as_such_and_nothing_as_written_by_hand(self):
        go = os.path.join(DATA, "go-dfs-orders-int-keys.db")
        code, out, _ = self.file("log", go)
        self.assertEqual((code, out.count("by hand")), (0, 0))
        self.assertTrue(out.startswith('1: set -3 version 1 = {"n":-3,'), out[:80])

    def test_what_is_a_pipe_is_refused_and_not_waited_for(self):
        os.mkfifo(self.path("pipe"))
        for command in [["check", "pipe"], ["log", "pipe"], ["repair", "pipe", "-o", "new"],
                        ["restore", "pipe", "new"]]:
            done = self.raw(*command)
            self.assertEqual((done.code, done.out), (2, b""), done)
            self.assertIn(b"pipe is no", done.err)
        self.assertFalse(os.path.exists(self.path("new")))

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

    def repair(self, *arguments):
        done = self.raw("repair", *arguments)
        return done.code, done.out.decode(), done.err.decode()

    def test_repair_writes_a_new_file_and_leaves_the_old(self):
        content = self.stopped_log()
        damaged = content.replace(b"19.99", b"18.99").replace(b'"k":"c"', b'"k":"d"')
        self.write("users.db", damaged)
        os.chmod(self.path("users.db"), 0o640)
        self.refused(7, "get", "b")
        code, out, err = self.repair("users.db", "-o", "new.db")
        self.assertEqual((code, err), (0, ""))
        line = damaged[:damaged.index(b"18.99")].count(b"\n") + 1
        offset = damaged.rindex(b"\n", 0, damaged.index(b"18.99")) + 1
        self.assertIn(f"line {line} (offset {offset}): lost: its checksum is", out)
        self.assertIn("1 of the 2 lines of commit", out)
        self.assertIn("users.db is as it was", out)
        self.assertEqual(self.read("users.db"), damaged)
        self.assertEqual(os.stat(self.path("new.db")).st_mode & 0o777, 0o640)
        self.assertEqual(self.file("check", "new.db")[0], 0)
        self.store = "new.db"
        self.assertEqual(self.ok("count"), "0\n")
        self.assertGreater(int(self.ok("set", "a", "1")), 2)  # versions 1 and 2 were given to it

    def test_neighbours_lost_for_one_reason_are_said_at_once(self):
        self.ok("load", stdin="".join(f'{{"key":"k{i:03}","value":{i}}}\n' for i in range(200)))
        self.ok("stop")
        self.write("damaged", self.read("users.db").replace(b'"val":100', b'"val":999'))
        out = self.repair("damaged", "-o", "new")[1]
        self.assertRegex(out, r"lines 3 to 102 \(from offset \d+\): lost: 199 of the 200 lines")
        self.assertRegex(out, r"lines 104 to 202 \(from offset \d+\): lost: 199 of the 200 lines")
        self.assertEqual(out.count("\n"), 6, out)
        code, out, _ = self.repair("damaged", "-o", "all", "--accept-edits")
        self.assertIn("200 live keys", out)

    def test_repair_of_an_edit_takes_it_when_told_to(self):
        content = self.stopped_log()
        self.write("users.db", content.replace(b'"val":2', b'"val": {"x":2.50}') +
                   b'{"k":"by hand","val":[1]}\n')
        code, out, _ = self.repair("users.db", "-o", "new.db", "--accept-edits")
        self.assertEqual(code, 0)
        self.assertIn("nothing is lost", out)
        self.store = "new.db"
        self.assertEqual(self.ok("get", "c"), '{"x":2.50}\n')
        self.assertEqual(self.ok("get", "by hand"), "[1]\n")
        self.assertEqual(self.refused(1, "get", "a"), "no such key: a")

    def test_the_way_out_of_every_edit_is_named_and_works(self):
        content = self.stopped_log()
        lines = content.splitlines(keepends=True)
        values = {"b": "1", "c": "2"}
        for name, edited in [("CR LF", content.replace(b"\n", b"\r\n")),
                             ("byte order mark", b"\xef\xbb\xbf" + content),
                             ("doubled", b"".join(lines[:3] + lines[2:])),
                             ("moved", b"".join(lines[:2] + lines[3:5] + [lines[2]] + lines[5:])),
                             ("empty line", b"".join(lines[:3]) + b"\n" + b"".join(lines[3:]))]:
            self.write("users.db", edited)
            code, out, err = self.file("check", "users.db")
            self.assertEqual((code, err), (7, ""), name)
            self.assertIn("dfsctl repair users.db -o NEW", out, name)
            self.assertIn("--accept-edits", out, name)
            for option in [[], ["--accept-edits"]]:
                if name == "moved" and option:
                    continue  # then the order is meant: a's erasure comes first
                self.assertEqual(self.repair("users.db", "-o", "new.db", *option)[0], 0, name)
                found = self.raw("-s", "new.db", "dump").out.decode().splitlines()
                self.assertEqual({json.loads(line)["key"]: line.split('"value":')[1][:-1]
                                  for line in found}, values, name)
                self.raw("-s", "new.db", "stop")
                os.unlink(self.path("new.db"))

    def test_repair_says_that_no_file_can_be_made(self):
        self.stopped_log()
        for into in ["", "nodir/new.db"]:
            code, out, err = self.repair("users.db", "-o", into)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(f'no file can be made at "{into}"', err)

    def test_repair_never_writes_over_anything(self):
        self.stopped_log()
        self.write("there", "precious")
        for into in ["there", "users.db"]:
            code, out, err = self.repair("users.db", "-o", into)
            self.assertEqual((code, out, err), (2, "", f"{into} exists; repair writes a new file only\n"))
        self.assertEqual(self.read("there"), b"precious")
        self.assertIn("usage: dfsctl repair FILE -o NEW", self.repair("users.db")[2])
        self.assertEqual(self.repair("nope", "-o", "new")[0], 4)

    def test_repair_of_what_is_no_log_makes_no_file(self):
        self.write("letter", "Dear Sir,\nwith regards\n")
        code, out, err = self.repair("letter", "-o", "new", "--json")
        self.assertEqual((code, out, json.loads(err)["error"]), (7, "", "damaged"))
        self.write("empty", "")
        self.assertEqual(self.repair("empty", "-o", "new")[0], 2)
        self.assertNotIn("new", os.listdir(self.directory))

    def test_repair_with_json_counts_what_is_lost(self):
        self.write("damaged", self.stopped_log().replace(b"19.99", b"18.99"))
        code, out, _ = self.repair("damaged", "-o", "new", "--json")
        report = json.loads(out)
        self.assertEqual((code, report["lost_lines"], report["lost_commits"], report["records"]),
                         (0, 1, 1, 2))
        self.assertEqual([finding["lost"] for finding in report["findings"]], [True, True])
