"""Runs the real dfsctl against a real daemon, in a directory of its own.

A test is a method test_<claim>. As a program it lists the claims, or runs one:
    program.py --list            program.py record.absent_key_ends_with_1
The programs are named by DFSCTL and DFS_DAEMON.
"""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
MODULES = ["administration", "backup", "command_line", "completion", "errors", "json", "listing",
           "load", "log_file", "record", "revision", "serving", "shell", "stat", "terminal",
           "transaction", "watch"]
# Long enough for a loaded machine: only what hangs for ever meets it.
WATCHDOG_S = 120


class Outcome:
    """What a run of dfsctl gave: its code, its standard output and error."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out!r}\nstderr: {self.err!r}"


class Screen:
    """A program at a terminal: what it shows is read until what one waits for stands there."""

    def __init__(self, arguments, cwd, env):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(arguments[0], arguments, {**env, "TERM": "xterm"})

    def read(self):
        """More of what it shows; False at its end."""
        if not select.select([self.fd], [], [], WATCHDOG_S)[0]:
            raise AssertionError(f"nothing more came after {self.shown!r}")
        try:
            got = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self.shown += got.decode(errors="replace")
        return bool(got)

    def until(self, text):
        """What was shown up to and with `text`, which is taken off."""
        while text not in self.shown:
            if not self.read():
                raise AssertionError(f"{text!r} never came, but {self.shown!r}")
        before, self.shown = self.shown.split(text, 1)
        return before + text

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """All that is left to see, and how it ended (as subprocess has it)."""
        while self.read():
            pass
        os.close(self.fd)
        return self.shown, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class StoreTest(unittest.TestCase):
    """A test with a directory, in which users.db is the store; its daemons end with it."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="dfs-cli-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self.end_daemons)
        self.environment = {k: v for k, v in os.environ.items() if k not in ("DFS_STORE",)}
        self.store = "users.db"

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return name

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def raw(self, *arguments, stdin=b"", **how):
        """dfsctl with exactly these arguments; output as bytes."""
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("env", self.environment)
        done = subprocess.run([os.environ["DFSCTL"], *arguments], cwd=self.directory,
                              input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                              stderr=subprocess.PIPE, timeout=WATCHDOG_S, check=False, **how)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def dfsctl(self, *arguments, **how):
        """dfsctl on this test's store; output as text."""
        done = self.raw("-s", self.store, *arguments, **how)
        return Outcome(done.code, (done.out or b"").decode(), done.err.decode())

    def screen(self, *arguments):
        """dfsctl on this test's store at a terminal."""
        return Screen([os.environ["DFSCTL"], "-s", self.store, *arguments], self.directory,
                      self.environment)

    def ok(self, *arguments, **how):
        """Standard output of a run that must succeed, and say nothing else."""
        done = self.dfsctl(*arguments, **how)
        self.assertEqual((done.code, done.err), (0, ""), done)
        return done.out

    def refused(self, code, *arguments, **how):
        """The error of a run that must end with `code`, one line, and print no data."""
        done = self.dfsctl(*arguments, **how)
        self.assertEqual((done.code, done.out), (code, ""), done)
        self.assertEqual(done.err.count("\n"), 1, done)
        return done.err.rstrip("\n")

    def refused_json(self, code, *arguments, **how):
        error = json.loads(self.refused(code, "--json", *arguments, **how))
        self.assertEqual(error["exit"], code)
        self.assertTrue(error["message"])
        return error

    def records(self, *arguments):
        return [json.loads(line) for line in self.ok("list", *arguments).splitlines()]

    def info(self):
        return json.loads(self.ok("--json", "info"))

    def end_daemons(self):
        """Stops every daemon of this test's stores; one that was stopped by a signal goes on first."""
        for name in sorted(os.listdir(self.directory)):
            if not name.endswith(".socket"):
                continue
            done = self.raw("-s", name[:-len(".socket")], "stop")
            if done.code not in (0, 4):
                sys.stderr.write(f"stop {name}: {done}\n")

    def held(self, pid):
        """Stops a process (SIGSTOP) until the test ends."""
        self.addCleanup(self.go_on, pid)  # before end_daemons: the last added is the first run
        os.kill(pid, signal.SIGSTOP)

    @staticmethod
    def go_on(pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def suite():
    loader = unittest.TestLoader()
    return {f"{module}.{test.id().rsplit('.', 1)[1].removeprefix('test_')}": test
            for module in MODULES
            for group in loader.loadTestsFromName(f"{module}_test")
            for test in group}


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.modules["program"] = sys.modules["__main__"]
    tests = suite()
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(tests)))
        return 0
    chosen = sys.argv[1:] or sorted(tests)
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(tests[t] for t in chosen))
    if result.skipped and len(chosen) == 1:
        return 77
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
