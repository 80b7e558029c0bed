"""stores: what is served on this machine."""

import json
import os

from program import StoreTest


class ServingTest(StoreTest):

    def listed(self, **how):
        done = self.raw("stores", "--json", **how)
        self.assertEqual((done.code, done.err), (0, b""), done)
        ours = os.path.realpath(self.directory)
        return [one for one in map(json.loads, done.out.decode().splitlines())
                if one.get("path", "").startswith(ours)]

    def test_a_store_is_listed_while_it_is_served(self):
        self.assertEqual(self.listed(), [])
        self.ok("set", "a", "1")
        log = os.path.realpath(self.path("users.db"))
        one, = self.listed()
        self.assertEqual((one["address"], one["state"], one["path"], one["keys"]),
                         (log, "live", log, 1))
        self.assertEqual(one["pid"], self.info()["pid"])
        self.ok("stop")
        self.assertEqual(self.listed(), [])

    def test_the_address_listed_leads_there(self):
        self.ok("set", "a", "1")
        one, = self.listed()
        self.assertEqual(self.raw("-s", one["address"], "get", "a").out, b"1\n")

    def test_a_named_store_is_listed_by_its_name(self):
        self.ok("set", "a", "1")
        os.makedirs(self.path("run/dfs/shop"))
        os.symlink(self.path("users.db.socket"), self.path("run/dfs/shop/socket"))
        self.environment["XDG_RUNTIME_DIR"] = self.path("run")
        self.assertEqual([one["address"] for one in self.listed()], ["shop"])

    def test_what_only_looks_like_a_store_is_not_listed(self):
        import socket
        self.environment["XDG_RUNTIME_DIR"] = self.path("run")
        os.makedirs(self.path("run/dfs/dead"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
            dead.bind(self.path("run/dfs/dead/socket"))
        done = self.raw("stores")
        self.assertNotIn(b"dead", done.out)

    def test_listing_starts_no_daemon(self):
        self.ok("set", "a", "1")
        self.ok("stop")
        self.raw("stores")
        self.assertEqual(self.refused_json(4, "ping")["error"], "no_daemon")
