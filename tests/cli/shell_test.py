"""shell: commands at a prompt, transactions by hand, history, Tab."""

import os
import stat

from program import StoreTest


class ShellTest(StoreTest):

    def setUp(self):
        super().setUp()
        self.environment["XDG_STATE_HOME"] = self.path("state")
        self.environment.pop("DFSCTL_HISTORY", None)
        self.environment["NO_COLOR"] = "1"

    def script(self, text, code=0):
        done = self.dfsctl("shell", stdin=text)
        self.assertEqual(done.code, code, done)
        return done

    def history(self):
        return os.path.join(self.path("state"), "dfsctl", "history")

    def test_commands_are_those_of_the_command_line(self):
        done = self.script('set a 1\n\n# a remark\nget a --meta\nset -t "b c" \'it is\'\nget "b c" -r\n'
                           "exit\nget nope\n")
        lines = done.out.splitlines()
        self.assertEqual((lines[0], lines[2], lines[3]), ("1", "1", "it is"))
        self.assertIn('"version":1', lines[1])

    def test_json_is_typed_as_it_is(self):
        done = self.script('set a {"b": "c  d\\n", "e": [1, 2]}\nget a\nset a "text here"\nget a -r\n'
                           'set a {"x":1}\npatch a {"y": 2.50}\nget a\nset -t a "quoted"\nget a\n')
        self.assertEqual(done.out.splitlines()[1::2][:2], ['{"b":"c  d\\n","e":[1,2]}', "text here"])
        self.assertEqual(done.out.splitlines()[6], '{"x":1,"y":2.50}')
        self.assertEqual(done.out.splitlines()[-1], '"quoted"')

    def test_a_transaction_sees_itself_and_nobody_sees_it_before_its_commit(self):
        self.ok("load", stdin='{"key":"a","value":1}\n{"key":"b","value":2}\n')
        done = self.script("begin\nset c 3\ndel a\nincr b 5\nexists c\nlist -k\ncount\nget b\nrollback\n")
        self.assertEqual(done.out, "7\nb\nc\n2\n7\n")

    def test_what_is_not_committed_never_was(self):
        self.ok("set", "a", "1")
        done = self.script("begin\nset a 2\n", code=2)
        self.assertIn("ended before commit", done.err)
        self.script("begin\nset a 3\nrollback\n")
        self.assertEqual(self.ok("get", "a"), "1\n")
        self.script("begin\nset a 4\ncommit\n")
        self.assertEqual(self.ok("get", "a"), "4\n")

    def test_a_conflict_is_said_and_nothing_is_written(self):
        self.ok("set", "a", "1")
        screen = self.screen("shell")
        screen.until("> ")
        screen.type("begin\r")
        screen.until("*> ")
        screen.type("get a\r")
        screen.until("*> ")
        self.ok("set", "a", "2")
        screen.type("set b 1\r")
        screen.until("*> ")
        screen.type("commit\r")
        self.assertIn("begin", screen.until("users.db> "))
        screen.type("exit\r")
        self.assertEqual(screen.end()[1], 0)
        self.refused(1, "get", "b")

    def test_what_cannot_be_in_a_transaction_is_refused(self):
        self.ok("set", "a", "1")
        for command in ["stop", "load x", "edit a", "begin", "dump", "watch"]:
            self.assertIn("commit or rollback", self.script(f"begin\n{command}\n", code=2).err)
        for command in ["commit", "rollback"]:
            self.assertIn("no transaction is open", self.script(f"{command}\n", code=2).err)
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_the_first_error_of_a_script_ends_it_with_its_code(self):
        done = self.script("set a 1\nget nope\nset a 2\n", code=1)
        self.assertEqual((done.out, done.err), ("1\n", "no such key: nope\n"))
        self.assertEqual(self.ok("get", "a"), "1\n")

    def test_at_a_terminal_an_error_is_shown_and_the_next_line_read(self):
        screen = self.screen("shell")
        screen.until("users.db> ")
        screen.type("set a hello\r")
        self.assertIn("hello is not JSON", screen.until("users.db> "))
        screen.type("set a 5\r")
        screen.until("users.db> ")
        screen.type("exit\r")
        self.assertEqual(screen.end()[1], 0)
        self.assertEqual(self.ok("get", "a"), "5\n")

    def test_tab_completes_commands_and_keys(self):
        self.ok("set", "user/with/long/name", "42")
        screen = self.screen("shell")
        screen.until("users.db> ")
        screen.type("coun\t\r")
        screen.until("1\r\nusers.db> ")
        screen.type("get user/w\t\r")
        screen.until("42\r\nusers.db> ")
        screen.type("exit\r")
        self.assertEqual(screen.end()[1], 0)

    def test_history_is_kept_for_its_user_alone(self):
        screen = self.screen("shell")
        screen.until("users.db> ")
        screen.type("set a 1\r")
        screen.until("users.db> ")
        screen.type(" set secret 1\r")
        screen.until("users.db> ")
        screen.type("exit\r")
        screen.end()
        mode = os.stat(self.history()).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        with open(self.history(), encoding="utf-8") as file:
            kept = file.read()
        self.assertIn("set", kept)
        self.assertNotIn("secret", kept)
        screen = self.screen("shell")  # the line before exit is two keys away
        screen.until("users.db> ")
        screen.type("\x1b[A\x1b[A\r")
        screen.until("2\r\nusers.db> ")
        screen.type("exit\r")
        screen.end()

    def test_no_history_where_none_is_wanted(self):
        self.environment["DFSCTL_HISTORY"] = ""
        screen = self.screen("shell")
        screen.until("users.db> ")
        screen.type("set a 1\r")
        screen.until("users.db> ")
        screen.type("exit\r")
        screen.end()
        self.assertFalse(os.path.exists(self.history()))
        self.script("set a 1\n")
        self.assertFalse(os.path.exists(self.path("state")))

    def test_without_a_store_it_says_so_at_once(self):
        done = self.raw("shell", stdin="get a\n")
        self.assertEqual(done.code, 2)
        self.assertIn(b"which store?", done.err)
