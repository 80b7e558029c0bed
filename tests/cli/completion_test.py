"""completion: what the shells offer."""

import os
import shutil
import subprocess
import unittest

from program import WATCHDOG_S, StoreTest


class CompletionTest(StoreTest):

    def setUp(self):
        super().setUp()
        self.environment["PATH"] = os.path.dirname(os.environ["DFSCTL"]) + ":" + os.environ["PATH"]

    def offered(self, *words):
        done = self.raw("complete", "--", *words)
        self.assertEqual((done.code, done.err), (0, b""), done)
        return [line.split("\t")[0] for line in done.out.decode().splitlines()]

    def shell(self, program, script):
        done = subprocess.run([program, "-c", script], cwd=self.directory, env=self.environment,
                              capture_output=True, timeout=WATCHDOG_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        return done.stdout.decode()

    def bash(self, line, current):
        """What bash puts in place of `current`, its idea of the word at the end of `line`."""
        return self.shell("bash", f"""source <(dfsctl completion bash)
            COMP_LINE={self.quoted(line)} COMP_POINT=${{#COMP_LINE}} COMP_WORDS=(dfsctl)
            _dfsctl dfsctl {self.quoted(current)} x
            printf '%s\\n' "${{COMPREPLY[@]}}" """).splitlines()

    @staticmethod
    def quoted(text):
        return "'" + text.replace("'", "'\\''") + "'"

    def fill(self):
        for key in ["user/1", "user/2", "user:3", "vault"]:
            self.ok("set", key, "1")

    def test_commands_and_their_options(self):
        self.assertEqual(self.offered("pi"), ["ping"])
        self.assertEqual(self.offered("ping", "--w"), ["--write"])
        self.assertEqual(self.offered("--js"), ["--json"])
        self.assertIn("--store", self.offered("get", "--"))
        self.assertEqual(self.offered("completion", "z"), ["zsh"])
        self.assertNotIn("complete", self.offered(""))
        self.assertEqual(self.offered("nope", ""), [])

    def test_keys_of_the_live_store(self):
        self.fill()
        for words in [["-s", "users.db", "get", "user/"], ["--store=users.db", "del", "x", "user/"],
                      ["get", "-s", "users.db", "user/"], ["-s", "users.db", "list", "--from", "user/"],
                      ["-s", "users.db", "get", "--", "user/"]]:
            self.assertEqual(self.offered(*words), ["user/1", "user/2"], words)
        self.assertEqual(self.offered("-s", "users.db", "list", "--from=va"), ["--from=vault"])
        self.environment["DFS_STORE"] = "users.db"
        self.assertEqual(self.offered("get", "va"), ["vault"])
        self.assertEqual(self.offered("get", "vault", ""), [])

    def test_stores_that_are_served(self):
        self.fill()
        log = os.path.realpath(self.path("users.db"))
        self.assertIn(log, self.offered("-s", self.directory))
        self.assertIn("--store=" + log, self.offered("--store=" + log[:-2]))
        self.assertEqual(self.offered("check", ""), [":files"])
        self.assertEqual(self.offered("restore", "copy", ""), [":files"])

    def test_silent_where_there_is_nothing_to_ask(self):
        self.assertEqual(self.offered("-s", "nope.db", "get", ""), [])
        self.assertEqual(self.offered("get", ""), [])
        self.assertEqual(self.offered(), [])
        self.fill()
        self.ok("stop")
        self.assertEqual(self.offered("-s", "users.db", "get", ""), [])
        self.assertEqual(self.refused_json(4, "ping")["error"], "no_daemon")

    def test_bash_completes_keys_with_colons_and_spaces(self):
        self.fill()
        self.ok("set", "a b", "1")
        self.assertEqual(self.bash("dfsctl -s users.db get va", "va"), ["vault"])
        self.assertEqual(self.bash("dfsctl -s users.db get user:", ""), ["3"])
        self.assertEqual(self.bash("dfsctl -s users.db get a", "a"), ["a\\ b"])
        self.assertEqual(self.bash("dfsctl -s users.db get 'a", "'a"), ["a b"])
        self.assertEqual(self.bash("dfsctl ver", "ver"), [""])

    def test_a_key_is_never_run_by_the_shell(self):
        self.ok("set", "x$(touch run)`touch run`", "1")
        self.bash("dfsctl -s users.db get x", "x")
        self.assertNotIn("run", os.listdir(self.directory))

    @unittest.skipUnless(shutil.which("fish"), "needs fish")
    def test_fish_completes_keys(self):
        self.fill()
        self.environment["HOME"] = self.directory
        found = self.shell("fish", "dfsctl completion fish | source; "
                           "complete -C 'dfsctl -s users.db get user'; complete -C 'dfsctl pin'")
        self.assertEqual([line.split("\t")[0] for line in found.splitlines()],
                         ["user/1", "user/2", "user:3", "ping"])

    @unittest.skipUnless(shutil.which("zsh"), "needs zsh")
    def test_zsh_completes_keys(self):
        self.fill()
        found = self.shell("zsh", """autoload -U compinit; compinit -u -D
            source <(dfsctl completion zsh)
            compadd() { print -rl -- $candidates }
            words=(dfsctl -s users.db get "'user'") CURRENT=5
            _dfsctl""")
        self.assertEqual(found.splitlines(), ["user/1", "user/2", "user:3"])

    def test_another_shell_is_refused(self):
        self.assertIn("bash, zsh and fish", self.raw("completion", "csh").err.decode())
