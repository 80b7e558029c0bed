"""get, set, del, exists."""

import json
import os
import signal
import unittest

from program import StoreTest

# What number parsers change: digits, exponents, sizes, signs.
NUMBERS = ["19.99", "1E400", "-0", "0.10", "1e-7", "100000000000000000000000001", "1.999E1",
           "0.1000000000000000055511151231257827"]
# What parsers of options take apart or for their own.
AWKWARD = ["{}", "[a,b]", "[]", "++", "%%", "set", "get", "=", "a=b", "'", '"', "\\", " ", "$HOME"]


class RecordTest(StoreTest):

    def test_set_prints_the_new_version(self):
        self.assertEqual(self.ok("set", "a", "1"), "1\n")
        self.assertEqual(self.ok("set", "a", "2"), "2\n")
        self.assertEqual(self.ok("set", "b", "1"), "1\n")

    def test_set_with_json_names_key_version_and_sequence(self):
        first = json.loads(self.ok("--json", "set", "a", "1"))
        second = json.loads(self.ok("--json", "set", "a", "2"))
        self.assertEqual((first["key"], first["version"]), ("a", 1))
        self.assertEqual((second["version"], second["sequence"]), (2, first["sequence"] + 1))

    def test_get_prints_the_value_on_one_line(self):
        self.ok("set", "a", ' {"b" : [1,\n 2], "c":"x\\ny"} ')
        self.assertEqual(self.ok("get", "a"), '{"b":[1,2],"c":"x\\ny"}\n')

    def test_digits_of_numbers_stay_what_they_are(self):
        for number in NUMBERS:
            self.ok("set", "n", f'{{"n":{number}}}')
            self.assertEqual(self.ok("get", "n"), f'{{"n":{number}}}\n')
            self.assertEqual(self.ok("get", "n", "--path", "/n"), f"{number}\n")

    def test_a_negative_number_is_a_value(self):
        self.ok("set", "a", "-5")
        self.assertEqual(self.ok("get", "a"), "-5\n")

    def test_absent_key_ends_with_1(self):
        self.ok("set", "a", "1")
        self.assertIn("no such key: b", self.refused(1, "get", "b"))
        error = self.refused_json(1, "get", "b")
        self.assertEqual((error["error"], error["key"]), ("absent", "b"))

    def test_controls_in_a_key_do_not_reach_the_terminal(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.refused(1, "get", "x\n\x1b[2Jy"), r"no such key: x\x0a\x1b[2Jy")

    def test_meta_is_the_whole_record(self):
        self.ok("set", "a", "1")
        self.ok("set", "a", '{"x":1.50}')
        line = self.ok("get", "a", "--meta")
        record = json.loads(line)
        self.assertEqual(list(record), ["key", "version", "sequence", "time", "value"])
        self.assertEqual((record["key"], record["version"]), ("a", 2))
        self.assertGreater(record["time"], 1_500_000_000_000)
        self.assertTrue(line.endswith(',"value":{"x":1.50}}\n'), line)
        self.assertEqual(self.ok("--json", "get", "a"), line)

    def test_raw_takes_the_quotes_off_a_string(self):
        self.ok("set", "a", r'"tab\tquote\"\u00e9\ud83d\ude00"')
        self.assertEqual(self.ok("get", "a", "-r"), 'tab\tquote"é😀\n')
        self.ok("set", "a", '["x"]')
        self.assertEqual(self.ok("get", "a", "-r"), '["x"]\n')

    def test_path_names_a_part_of_the_value(self):
        self.ok("set", "a", '{"b":[{"c":1.0},"d"],"x/y":2,"t~":3,"":4}')
        for path, part in [("/b", '[{"c":1.0},"d"]'), ("/b/0/c", "1.0"), ("/b/1", '"d"'),
                           ("/x~1y", "2"), ("/t~0", "3"), ("/", "4")]:
            self.assertEqual(self.ok("get", "a", "--path", path), part + "\n")
        self.assertEqual(self.ok("get", "a", "--path", "/b/1", "-r"), "d\n")
        for path in ["/nope", "/b/2", "/b/00", "/b/-", "/x/y", "/b/1/0"]:
            self.assertIn("nothing at", self.refused(1, "get", "a", "--path", path))
        for path in ["b", "/t~", "/t~2"]:
            self.refused(2, "get", "a", "--path", path)

    def test_set_text_stores_a_json_string(self):
        self.ok("set", "-t", "a", 'say "hi"\n\\é')
        self.assertEqual(self.ok("get", "a"), '"say \\"hi\\"\\n\\\\é"\n')
        self.assertEqual(self.ok("get", "a", "-r"), 'say "hi"\n\\é\n')

    def test_a_text_that_is_not_utf8_is_refused(self):
        error = self.refused_json(2, "set", "-t", "a", b"ab\xff")
        self.assertEqual((error["error"], error["key"], error["offset"]), ("bad_value", "a", 2))

    def test_hyphen_reads_the_value_from_standard_input(self):
        self.ok("set", "a", "-", stdin='{"a":\n1.10}\n')
        self.assertEqual(self.ok("get", "a"), '{"a":1.10}\n')
        self.ok("set", "-t", "a", "-", stdin="two\nlines\n")
        self.assertEqual(self.ok("get", "a"), '"two\\nlines\\n"\n')
        self.assertEqual(self.refused(2, "set", "a", "-", stdin="{"),
                         "stdin is not JSON (column 2): it ends too early")

    def test_a_value_of_megabytes_comes_back_whole(self):
        value = json.dumps("x" * (5 << 20))
        self.ok("set", "a", "-", stdin=value)
        self.assertEqual(self.ok("get", "a"), value + "\n")

    def test_what_is_not_json_is_refused_with_what_would_be_right(self):
        self.assertEqual(self.refused(2, "set", "greeting", "hello"),
                         "hello is not JSON (column 1). A text: dfsctl set -t greeting hello")
        self.assertEqual(self.refused(2, "set", "it is", "it's"),
                         "it's is not JSON (column 1). A text: "
                         "dfsctl set -t 'it is' 'it'\\''s'")
        self.assertEqual(os.listdir(self.directory), [])

    def test_a_broken_document_is_refused_with_its_column(self):
        self.assertIn("(column 2)", self.refused(2, "set", "a", "{a:1}"))
        self.refused(2, "set", "a", "1 2")
        self.refused(2, "set", "a", "")
        self.refused(2, "set", "a", "[" * 65 + "]" * 65)
        self.assertEqual(self.refused_json(2, "set", "a", '{"b":?}')["offset"], 5)
        self.assertEqual(os.listdir(self.directory), [])

    def test_wrong_keys_are_refused(self):
        self.ok("set", "k" * 4096, "1")
        error = self.refused_json(2, "set", "k" * 4097, "1")
        self.assertEqual((error["error"], error["limit"]), ("too_large", 4096))
        self.assertEqual(self.refused_json(2, "set", "", "1")["error"], "bad_key")
        error = self.refused_json(2, "set", b"ab\xff", "1")
        self.assertEqual((error["error"], error["offset"]), ("bad_key", 2))
        for command in ["get", "exists", "del"]:
            self.assertEqual(self.refused_json(2, command, "")["error"], "bad_key")

    def test_if_version_sets_only_over_that_version(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.ok("set", "a", "2", "--if-version", "1"), "2\n")
        error = self.refused_json(3, "set", "a", "3", "--if-version", "1")
        self.assertEqual((error["error"], error["key"], error["version"]),
                         ("version_mismatch", "a", 2))
        self.assertEqual(self.ok("get", "a"), "2\n")

    def test_if_absent_sets_only_where_nothing_is(self):
        self.assertEqual(self.ok("set", "a", "1", "--if-absent"), "1\n")
        self.assertEqual(self.refused_json(3, "set", "a", "2", "--if-absent")["version"], 1)
        self.assertEqual(self.refused_json(3, "set", "a", "2", "--if-version", "0")["version"], 1)
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_a_mismatch_on_an_absent_key_says_version_0(self):
        self.assertEqual(self.refused_json(3, "set", "a", "1", "--if-version", "5")["version"], 0)

    def test_del_prints_how_many_it_erased(self):
        for key in "abc":
            self.ok("set", key, "1")
        self.assertEqual(self.ok("del", "a", "nope", "b"), "2\n")
        self.assertEqual(self.ok("del", "a"), "0\n")
        self.assertEqual(json.loads(self.ok("--json", "del", "c")), {"erased": 1})
        self.assertEqual(self.ok("count"), "0\n")

    def test_del_of_many_keys_counts_them_all(self):
        keys = [f"k{i:03}" for i in range(200)]
        self.ok("load", stdin="".join(f'{{"key":"{k}","value":1}}\n' for k in keys))
        self.assertEqual(self.ok("del", *keys, "nope"), "200\n")

    def test_del_with_a_version_erases_only_that_version(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.refused_json(3, "del", "a", "--if-version", "2")["version"], 1)
        self.assertEqual(self.ok("del", "a", "--if-version", "1"), "1\n")

    def test_del_prefix_erases_what_begins_so(self):
        for key in ["user/1", "user/2", "user", "users", "v"]:
            self.ok("set", key, "1")
        self.assertEqual(self.ok("del", "--prefix", "user/"), "2\n")
        self.assertEqual(self.ok("list", "-k"), "user\nusers\nv\n")

    def test_del_of_an_empty_prefix_is_refused(self):
        self.ok("set", "a", "1")
        self.assertIn("load --replace", self.refused(2, "del", "--prefix", ""))
        self.assertEqual(self.ok("count"), "1\n")

    def test_exists_answers_with_its_exit_code(self):
        self.ok("set", "a", "1")
        self.assertEqual(self.ok("exists", "a"), "")
        done = self.dfsctl("exists", "b")
        self.assertEqual((done.code, done.out, done.err), (1, "", ""))
        self.assertEqual(json.loads(self.ok("--json", "exists", "a")), {"exists": True})
        done = self.dfsctl("--json", "exists", "b")
        self.assertEqual((done.code, json.loads(done.out), done.err), (1, {"exists": False}, ""))

    def test_keys_that_begin_with_a_hyphen_go_behind_two(self):
        for key in ["-k", "--json", "-"]:
            self.ok("set", "--", key, "1")
            self.assertEqual(self.ok("get", "--", key), "1\n")
            self.ok("exists", "--", key)
        self.assertEqual(self.ok("list", "-k", "--", "-"), "-\n--json\n-k\n")
        self.assertEqual(self.ok("del", "--", "-k", "--json", "-"), "3\n")

    def test_words_that_look_special_are_keys_and_texts(self):
        for word in AWKWARD:
            self.ok("set", "-t", word, word)
            self.assertEqual(self.ok("get", "-r", word), word + "\n")
        self.assertEqual(self.ok("del", *AWKWARD), f"{len(AWKWARD)}\n")
        for value in ["{}", "[]", "[1,2]", '""']:
            self.ok("set", "a", value)
            self.assertEqual(self.ok("get", "a"), value + "\n")

    def test_reading_never_creates_a_store(self):
        for command in [["get", "a"], ["exists", "a"], ["list"], ["count"], ["dump"], ["info"],
                        ["clients"], ["ping"], ["ping", "--write"], ["stop"], ["sync"], ["del", "a"],
                        ["del", "--prefix", "a"], ["resolve", "0" * 32 + "-1"]]:
            self.refused(4, *command)
            self.assertEqual(os.listdir(self.directory), [], command)

    def test_a_misspelt_store_is_pointed_out(self):
        self.ok("set", "a", "1")
        self.store = "./uesrs.db"
        self.assertEqual(self.refused(4, "get", "a"), "no store at ./uesrs.db (reading never "
                         "creates one; is it users.db?)")
        self.assertEqual(self.refused_json(4, "get", "a")["error"], "no_store")

    def test_a_stopped_daemon_makes_a_set_time_out_and_never_write(self):
        self.ok("set", "a", "1")
        pid = self.info()["pid"]
        self.held(pid)
        self.assertEqual(self.refused_json(5, "set", "a", "2")["error"], "timeout")
        os.kill(pid, signal.SIGCONT)
        self.ok("set", "b", "1")  # behind it in the writer's order
        self.assertEqual(self.ok("get", "a"), "1\n")

    @unittest.skipUnless("DFS_DAEMON_WITH_FAULTS" in os.environ, "needs the daemon with stop points")
    def test_a_lost_answer_ends_with_9_and_resolves(self):
        self.environment["DFS_DAEMON"] = os.environ["DFS_DAEMON_WITH_FAULTS"]
        self.ok("set", "a", "1", env={**self.environment, "DFS_FAULT": "stop@appended:2"})
        pid = self.info()["pid"]
        self.addCleanup(self.go_on, pid)
        error = self.refused_json(9, "set", "a", "2")
        self.assertEqual(error["error"], "unknown")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(self.ok("resolve", error["commit"]), "committed\n")
        self.assertEqual(self.ok("get", "a"), "2\n")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
    def test_who_may_not_read_the_log_ends_with_6(self):
        self.ok("set", "a", "1")
        os.chmod(self.directory, 0o755)
        os.chmod(self.path("users.db"), 0o600)
        error = self.refused_json(6, "get", "a", user=65534, group=65534, extra_groups=[])
        self.assertEqual(error["error"], "not_permitted")
        os.chmod(self.path("users.db"), 0o644)
        self.assertEqual(self.ok("get", "a", user=65534, group=65534, extra_groups=[]), "1\n")
        self.refused(6, "set", "a", "2", user=65534, group=65534, extra_groups=[])
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_a_full_disk_ends_with_8_and_reads_go_on(self):
        import resource
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        self.ok("set", "a", "1", preexec_fn=limit)  # the daemon it starts has that limit
        error = self.refused_json(8, "set", "b", "-", stdin=json.dumps("x" * (2 << 20)))
        self.assertEqual(error["error"], "store_full")
        self.assertEqual(self.ok("get", "a"), "1\n")
        self.ok("set", "c", "1")
        self.refused(1, "get", "b")
