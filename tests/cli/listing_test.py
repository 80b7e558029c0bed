"""list, count, dump."""

import json

from program import StoreTest

KEYS = ["a", "b", "user/1", "user/10", "user/2", "user0", "é", "日本"]


class ListingTest(StoreTest):

    def setUp(self):
        super().setUp()
        lines = [json.dumps({"key": key, "value": i}) for i, key in enumerate(KEYS)]
        self.ok("load", stdin="\n".join(reversed(lines)))

    def keys(self, *arguments):
        return self.ok("list", "-k", *arguments).splitlines()

    def test_list_prints_records_in_the_order_of_bytes(self):
        records = self.records()
        self.assertEqual([record["key"] for record in records], KEYS)
        self.assertEqual([record["value"] for record in records], list(range(len(KEYS))))
        for record in records:
            self.assertEqual(list(record), ["key", "version", "sequence", "time", "value"])
            self.assertEqual(record["version"], 1)

    def test_list_of_a_prefix(self):
        self.assertEqual(self.keys("user/"), ["user/1", "user/10", "user/2"])
        self.assertEqual(self.keys("user"), ["user/1", "user/10", "user/2", "user0"])
        self.assertEqual(self.keys("nope"), [])
        self.assertEqual(self.keys("日"), ["日本"])

    def test_list_between_two_keys_leaves_the_second_out(self):
        self.assertEqual(self.keys("--from", "b", "--to", "user/2"), ["b", "user/1", "user/10"])
        self.assertEqual(self.keys("--from", "user/3"), ["user0", "é", "日本"])
        self.assertEqual(self.keys("--to", "b"), ["a"])
        self.assertEqual(self.keys("--from", "z", "--to", "b"), [])

    def test_a_prefix_and_two_keys_all_count(self):
        self.assertEqual(self.keys("user/", "--from", "user/10"), ["user/10", "user/2"])
        self.assertEqual(self.keys("user/", "--to", "user/10"), ["user/1"])
        self.assertEqual(self.keys("user/", "--from", "a"), ["user/1", "user/10", "user/2"])
        self.assertEqual(self.keys("user/", "--to", "z"), ["user/1", "user/10", "user/2"])
        self.assertEqual(self.keys("user/", "--from", "v"), [])
        self.assertEqual(self.keys("日", "--from", "a"), ["日本"])

    def test_reverse_goes_from_the_last_to_the_first(self):
        self.assertEqual(self.keys("--reverse"), list(reversed(KEYS)))
        self.assertEqual(self.keys("user/", "--reverse", "--from", "user/10"),
                         ["user/2", "user/10"])

    def test_limit_ends_it(self):
        self.assertEqual(self.keys("--limit", "3"), KEYS[:3])
        self.assertEqual(self.keys("--limit", "2", "--reverse"), ["日本", "é"])
        self.assertEqual(self.keys("--limit", "0"), [])
        self.assertEqual(self.keys("--limit", "99"), KEYS)
        self.refused(2, "list", "--limit", "-1")
        self.refused(2, "list", "--limit", "many")

    def test_nul_ends_each_where_it_is_asked_for(self):
        self.ok("set", "line\nbreak", "1")
        self.assertEqual(self.ok("list", "-k", "-0", "l"), "line\nbreak\0")
        self.assertEqual(self.ok("list", "-k0", "user/"), "user/1\0user/10\0user/2\0")
        whole = self.ok("list", "-0", "a")
        self.assertEqual(json.loads(whole.rstrip("\0"))["key"], "a")
        self.assertEqual(whole.count("\0"), 1)

    def test_keys_as_json_are_strings(self):
        self.ok("set", 'quote"', "1")
        self.assertEqual(self.ok("--json", "list", "-k", "q"), '"quote\\""\n')

    def test_count_counts(self):
        self.assertEqual(self.ok("count"), f"{len(KEYS)}\n")
        self.assertEqual(self.ok("count", "user/"), "3\n")
        self.assertEqual(self.ok("count", "nope"), "0\n")
        self.assertEqual(json.loads(self.ok("--json", "count")), {"count": len(KEYS)})

    def test_erased_keys_are_not_there(self):
        self.ok("del", "a")
        self.assertEqual(self.keys(), KEYS[1:])
        self.assertEqual(self.ok("count"), f"{len(KEYS) - 1}\n")

    def test_dump_prints_keys_and_values_alone(self):
        lines = self.ok("dump").splitlines()
        self.assertEqual([json.loads(line) for line in lines],
                         [{"key": key, "value": i} for i, key in enumerate(KEYS)])
        self.assertEqual(self.ok("dump", "user/2"), '{"key":"user/2","value":4}\n')

    def test_digits_come_out_of_list_and_dump_as_they_went_in(self):
        self.ok("set", "a", "[19.99,1E400]")
        self.assertEqual(self.ok("dump", "a"), '{"key":"a","value":[19.99,1E400]}\n')
        self.assertIn(',"value":[19.99,1E400]}\n', self.ok("list", "a"))

    def test_a_long_listing_comes_out_whole(self):
        self.ok("load", stdin="".join(f'{{"key":"n{i:05}","value":{i}}}\n' for i in range(20000)))
        self.assertEqual(self.keys("n"), [f"n{i:05}" for i in range(20000)])
