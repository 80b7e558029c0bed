"""tx."""

import json
import os

from program import StoreTest


def lines(*steps):
    return "".join(step + "\n" for step in steps)


class TransactionTest(StoreTest):

    def tx(self, *steps):
        return [json.loads(line) for line in self.ok("tx", stdin=lines(*steps)).splitlines()]

    def test_its_steps_are_one_commit(self):
        outcome = self.tx('{"set":"a","value":1}', '{"set":"b","value":[19.99,1E400]}',
                          '{"del":"c"}')
        self.assertEqual(len(outcome), 1)
        self.assertTrue(outcome[0]["committed"])
        sequences = {record["sequence"] for record in self.records("--to", "b")}
        self.assertEqual(sequences, {outcome[0]["sequence"]})
        self.assertEqual(self.ok("get", "b"), "[19.99,1E400]\n")

    def test_what_it_read_comes_out_with_the_outcome(self):
        self.ok("set", "a", "1.50")
        text = self.ok("tx", stdin=lines('{"get":"a"}', '{"get":"nope"}', '{"set":"b","value":2}',
                                         '{"get":"b"}'))
        read, absent, own, outcome = text.splitlines()
        self.assertTrue(read.endswith(',"value":1.50}'), read)
        self.assertEqual(json.loads(read)["version"], 1)
        self.assertEqual(json.loads(absent), {"key": "nope", "absent": True})
        self.assertEqual(json.loads(own)["value"], 2)
        self.assertTrue(json.loads(outcome)["committed"])

    def test_an_expectation_that_fails_writes_nothing(self):
        self.ok("set", "a", "1")
        for step in ['{"set":"a","value":2,"if":7}', '{"del":"a","if":7}', '{"check":"a","if":7}',
                     '{"check":"a","if":0}']:
            error = self.refused_json(3, "tx", stdin=lines('{"set":"b","value":1}', step))
            self.assertEqual((error["error"], error["key"], error["version"]),
                             ("version_mismatch", "a", 1))
        self.assertEqual(self.ok("list", "-k"), "a\n")

    def test_expectations_that_hold_commit(self):
        self.ok("set", "a", "1")
        self.tx('{"check":"a","if":1}', '{"check":"b","if":0}', '{"set":"b","value":1,"if":0}',
                '{"set":"a","value":2,"if":1}')
        self.assertEqual([record["version"] for record in self.records()], [2, 1])
        self.tx('{"del":"a","if":2}', '{ "if" : 1 , "del" : "b" }')
        self.assertEqual(self.ok("count"), "0\n")

    def test_what_was_read_comes_out_of_a_refused_one_too(self):
        self.ok("set", "a", "1")
        done = self.dfsctl("tx", stdin=lines('{"get":"a"}', '{"check":"a","if":9}'))
        self.assertEqual(done.code, 3)
        self.assertEqual([json.loads(line)["value"] for line in done.out.splitlines()], [1])
        self.assertEqual(done.err.count("\n"), 1)

    def test_reading_alone_commits(self):
        self.ok("set", "a", "1")
        self.assertEqual([line.get("value") for line in self.tx('{"get":"a"}')], [1, None])

    def test_steps_come_from_a_file(self):
        self.write("steps", lines('{"set":"a","value":1}', "", "  ", '{"set":"b","value":2}'))
        self.ok("tx", "steps")
        self.assertEqual(self.ok("count"), "2\n")

    def test_the_last_step_needs_no_newline(self):
        self.ok("tx", stdin='{"set":"a","value":1}')
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_keys_are_what_their_escapes_say(self):
        self.tx(r'{"set":"\u00e9\n\"\ud83d\ude00","value":1}')
        self.assertEqual(self.ok("get", 'é\n"😀'), "1\n")

    def test_a_value_may_be_as_deep_as_anywhere(self):
        deep = "[" * 64 + "]" * 64
        self.tx(f'{{"set":"a","value":{deep}}}')
        self.assertEqual(self.ok("get", "a"), deep + "\n")

    def test_a_wrong_step_is_named_and_nothing_is_made(self):
        good = '{"set":"a","value":1}'
        for step in ['{"set":"a"}', '{"set":"a","value":}', '{"set":"a","value":nope}',
                     '{"get":"a","if":1}', '{"get":"a","value":1}', '{"check":"a"}', "[]", "{}",
                     '{"set":"a","value":1,"if":-1}', '{"set":"a","value":1,"if":1.0}',
                     '{"set":"a","value":1,"if":"1"}', '{"set":"a","value":1,"if":9007199254740993}',
                     '{"set":"a","value":1} {"get":"a"}', '{"put":"a","value":1}',
                     '{"get":"a","del":"a"}', '{"get":1}', '{"get":""}', '{"get":"\\u0000"}',
                     '{"get":"\\ud800"}', '{"get":"a","get":"b"}', '{"del":"a",}', '{"get":"a"',
                     '{"set":"a","value":[1,2}', "get a", '{"set":"a","value":"\\x"}']:
            message = self.refused(2, "tx", stdin=lines(good, step))
            self.assertTrue(message.startswith("stdin:2: "), message)
            self.assertEqual(os.listdir(self.directory), [], step)
        self.write("steps", lines(good, good, "oops"))
        error = self.refused_json(2, "tx", "steps")
        self.assertTrue(error["message"].startswith("steps:3: "), error)
        self.assertEqual(error["line"], 3)

    def test_no_such_file_ends_with_4(self):
        self.assertIn("there is no file nope", self.refused(4, "tx", "nope"))
        self.assertEqual(os.listdir(self.directory), [])
