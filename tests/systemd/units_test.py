"""Inside the machine: what the units do under a real systemd. Started by it as a service of its own.

Every test has a store of its own name. Nothing sleeps: what is waited for is asked again and again,
until the watchdog of the whole machine ends it.
"""

import glob
import json
import os
import pwd
import subprocess
import sys
import unittest

# A group's member, somebody else, and one with a systemd of their own.
USERS = {"alice": ["dfs"], "bob": [], "carol": []}


class Outcome:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out!r}\nstderr: {self.err!r}"


def run(*command, user="root", text=None, **environment):
    who = pwd.getpwnam(user)
    groups = os.getgrouplist(user, who.pw_gid)
    return Outcome(subprocess.run(
        command, user=who.pw_uid, group=who.pw_gid, extra_groups=groups, cwd="/", text=True,
        input=text, stdin=None if text else subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False,
        env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8", "HOME": who.pw_dir} | environment))


class Units(unittest.TestCase):
    maxDiff = None

    def ok(self, *command, **how):
        done = run(*command, **how)
        if done.code != 0:
            self.fail(f"{' '.join(command)}: {done}\n{self.journal()}")
        return done.out.strip()

    def journal(self):
        return run("journalctl", "-b", "-n", "30", "--no-pager", "-o", "cat", "-u", "dfsd@*").out

    def show(self, unit, what, *how, **who):
        return self.ok("systemctl", *how, "show", "--value", "-p", what, unit, **who)

    def until(self, what, wanted):
        """Asks until the answer is right; the machine's watchdog is the end of patience."""
        while not wanted(value := what()):
            pass
        return value

    def next_daemon(self, name, last):
        """The pid of the daemon that systemd started in the place of `last`."""
        self.until(lambda: self.show(f"dfsd@{name}", "ActiveState") + " " +
                   self.show(f"dfsd@{name}", "MainPID"),
                   lambda now: now.startswith("active ") and now not in (f"active {last}", "active 0"))
        return self.show(f"dfsd@{name}", "MainPID")

    def drop_in(self, name, text):
        """Settings for one store's unit, as `systemctl edit` writes them."""
        folder = f"/etc/systemd/system/dfsd@{name}.service.d"
        os.makedirs(folder)
        with open(folder + "/test.conf", "w", encoding="utf-8") as file:
            file.write(text)
        self.ok("systemctl", "daemon-reload")

    def start(self, name):
        self.ok("systemctl", "start", f"dfsd@{name}")
        self.addCleanup(run, "systemctl", "stop", f"dfsd@{name}.socket", f"dfsd@{name}.service")
        return self.show(f"dfsd@{name}", "MainPID")

    def test_started_store_is_found_by_its_name(self):
        self.start("orders")
        # It was ready when `start` returned.
        self.assertEqual(self.ok("dfsctl", "-s", "orders", "set", "a", "1"), "1")
        self.assertEqual(self.ok("dfsctl", "-s", "system:orders", "get", "a"), "1")
        status = os.stat("/var/lib/dfs/orders/store.db")
        self.assertEqual((pwd.getpwuid(status.st_uid).pw_name, oct(status.st_mode)), ("dfs", "0o100660"))
        self.assertIn("serving", self.show("dfsd@orders", "StatusText"))
        self.assertIn("orders", self.ok("dfsctl", "stores"))

    def test_group_may_write_and_others_may_not_read(self):
        self.start("shared")
        self.assertEqual(self.ok("dfsctl", "-s", "shared", "set", "a", "1", user="alice"), "1")
        self.assertEqual(self.ok("dfsctl", "-s", "shared", "get", "a", user="alice"), "1")
        self.assertEqual(run("dfsctl", "-s", "shared", "get", "a", user="bob").code, 6)
        # The daemon sees who its clients really are, from inside of its sandbox.
        clients = json.loads(self.ok("dfsctl", "-s", "shared", "--json", "clients", user="alice"))
        self.assertIn(pwd.getpwnam("alice").pw_uid, [client["uid"] for client in clients])
        # Opened to all who read, by the mode of the log.
        os.chmod("/var/lib/dfs/shared/store.db", 0o664)
        self.assertEqual(self.ok("dfsctl", "-s", "shared", "get", "a", user="bob"), "1")
        self.assertEqual(run("dfsctl", "-s", "shared", "set", "a", "2", user="bob").code, 6)

    def test_named_reader_may_read(self):
        self.start("named")
        self.ok("dfsctl", "-s", "named", "set", "a", "1")
        with open("/var/lib/dfs/named/store.db.toml", "w", encoding="utf-8") as file:
            file.write('readers = ["bob"]\n')
        self.ok("systemctl", "reload", "dfsd@named")
        self.until(lambda: run("dfsctl", "-s", "named", "get", "a", user="bob"), lambda got: got.code == 0)
        self.assertEqual(run("dfsctl", "-s", "named", "set", "a", "2", user="bob").code, 6)

    def test_store_belongs_to_the_group_that_the_unit_says(self):
        self.start("books")
        self.ok("dfsctl", "-s", "books", "set", "a", "1")
        self.ok("systemctl", "stop", "dfsd@books")
        self.ok("groupadd", "readers")
        self.ok("usermod", "-a", "-G", "readers", "bob")
        self.drop_in("books", "[Service]\nGroup=readers\n")
        self.start("books")
        self.assertEqual(self.ok("dfsctl", "-s", "books", "get", "a", user="bob"), "1")
        self.assertEqual(run("dfsctl", "-s", "books", "get", "a", user="alice").code, 6)

    def test_killed_daemon_is_started_again(self):
        first = self.start("killed")
        for round_ in range(1, 4):
            version = self.ok("dfsctl", "-s", "killed", "set", "a", str(round_))
            self.assertEqual(version, str(round_))
            os.kill(int(first), 9)
            first = self.next_daemon("killed", first)
            self.assertEqual(self.ok("dfsctl", "-s", "killed", "get", "a"), str(round_))

    def test_daemon_that_stops_writing_is_started_again(self):
        first = self.start("moved")
        self.ok("dfsctl", "-s", "moved", "set", "a", "1")
        log = "/var/lib/dfs/moved/store.db"
        # What an editor does that replaces the file: the daemon must not go on.
        self.ok("sh", "-c", f"cp -p {log} {log}.copy && mv {log}.copy {log}")
        run("dfsctl", "-s", "moved", "set", "a", "2")
        self.next_daemon("moved", first)
        self.assertEqual(self.show("dfsd@moved", "NRestarts"), "1")
        self.assertEqual(self.ok("dfsctl", "-s", "moved", "set", "b", "1"), "1")

    def test_damaged_store_is_not_started_again_and_again(self):
        os.makedirs("/var/lib/dfs/damaged")
        with open("/var/lib/dfs/damaged/store.db", "w", encoding="utf-8") as log:
            log.write("no log\nat all\n")
        self.ok("chown", "-R", "dfs:dfs", "/var/lib/dfs/damaged")
        self.assertNotEqual(run("systemctl", "start", "dfsd@damaged").code, 0)
        self.until(lambda: self.show("dfsd@damaged", "ActiveState"), lambda now: now == "failed")
        self.assertEqual(self.show("dfsd@damaged", "ExecMainStatus"), "7")
        self.assertEqual(self.show("dfsd@damaged", "NRestarts"), "0")
        self.assertIn("store.db", self.journal())

    def test_stuck_daemon_is_ended_by_the_watchdog(self):
        self.drop_in("stuck", "[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n")
        first = self.start("stuck")
        self.ok("dfsctl", "-s", "stuck", "set", "a", "1")
        os.kill(int(first), 19)
        self.next_daemon("stuck", first)
        self.assertEqual(self.ok("dfsctl", "-s", "stuck", "get", "a"), "1")

    def test_reload_reads_the_settings_again(self):
        first = self.start("reloaded")
        settings = "/var/lib/dfs/reloaded/store.db.toml"
        with open(settings, "w", encoding="utf-8") as file:
            file.write('snapshot_ttl = "90s"\n')
        self.ok("systemctl", "reload", "dfsd@reloaded")
        self.assertEqual(self.show("dfsd@reloaded", "MainPID"), first)
        self.until(self.journal, lambda text: "snapshot_ttl" in text)
        with open(settings, "w", encoding="utf-8") as file:
            file.write('snapshot_tll = "90s"\n')
        self.ok("systemctl", "reload", "dfsd@reloaded")
        self.until(self.journal, lambda text: "snapshot_tll" in text)
        self.assertEqual(self.ok("dfsctl", "-s", "reloaded", "set", "a", "1"), "1")

    def test_stop_is_clean_and_leaves_the_directory(self):
        self.start("stopped")
        self.ok("dfsctl", "-s", "stopped", "set", "a", "1")
        inode = os.stat("/run/dfs/stopped").st_ino
        self.ok("systemctl", "stop", "dfsd@stopped")
        self.assertEqual(self.show("dfsd@stopped", "Result"), "success")
        with open("/var/lib/dfs/stopped/store.db", encoding="utf-8") as log:
            self.assertTrue(log.read().splitlines()[-1].startswith('["stop",'))
        self.assertEqual(os.listdir("/run/dfs/stopped"), [])
        self.assertEqual(run("dfsctl", "-s", "stopped", "get", "a").code, 4)
        self.start("stopped")
        self.assertEqual(os.stat("/run/dfs/stopped").st_ino, inode)

    def test_first_client_starts_the_daemon_of_a_socket(self):
        self.ok("systemctl", "start", "dfsd@lazy.socket")
        self.addCleanup(run, "systemctl", "stop", "dfsd@lazy.socket", "dfsd@lazy.service")
        self.assertEqual(self.show("dfsd@lazy.service", "ActiveState"), "inactive")
        self.assertEqual(pwd.getpwuid(os.stat("/run/dfs/lazy").st_uid).pw_name, "dfs")
        self.assertEqual(self.ok("dfsctl", "-s", "lazy", "set", "a", "1", user="alice"), "1")
        self.assertEqual(self.show("dfsd@lazy.service", "ActiveState"), "active")
        self.assertEqual(run("dfsctl", "-s", "lazy", "get", "a", user="bob").code, 6)
        # Stopped or killed, the next client has the next one.
        self.ok("systemctl", "stop", "dfsd@lazy.service")
        self.assertEqual(self.ok("dfsctl", "-s", "lazy", "get", "a", user="alice"), "1")
        first = self.show("dfsd@lazy.service", "MainPID")
        os.kill(int(first), 9)
        self.assertEqual(self.ok("dfsctl", "-s", "lazy", "get", "a", user="alice"), "1")
        self.assertNotEqual(self.show("dfsd@lazy.service", "MainPID"), first)

    def test_container_needs_nothing_but_the_directory(self):
        self.start("inside")
        self.ok("dfsctl", "-s", "inside", "set", "a", "1")
        # A root of its own: the programs, /proc, and the store's directory.
        script = """set -e
          mount -t tmpfs none /mnt
          mkdir -p /mnt/usr /mnt/proc /mnt/run/dfs/inside
          for link in bin lib lib64 sbin; do ln -s usr/$link /mnt/$link; done
          mount --bind /usr /mnt/usr
          mount -t proc proc /mnt/proc
          mount --bind /run/dfs/inside /mnt/run/dfs/inside
          exec chroot /mnt sh -c '
            while read -r command; do
              dfsctl -s inside $command 2>&1; echo "exit $?"
            done'
        """
        with subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "sh", "-c", script], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as container:
            def ask(command):
                container.stdin.write(command + "\n")
                container.stdin.flush()
                lines = []
                while not lines or not lines[-1].startswith("exit "):
                    lines.append(container.stdout.readline().strip())
                    self.assertNotEqual(lines[-1], "", lines)
                return lines

            self.assertEqual(ask("get a"), ["1", "exit 0"])
            for value in ("2", "3"):
                self.ok("systemctl", "restart", "dfsd@inside")
                self.assertEqual(ask(f"set a {value}"), [value, "exit 0"])
            container.stdin.close()
        self.assertEqual(self.ok("dfsctl", "-s", "inside", "get", "a"), "3")

    def test_large_store_grows_in_its_sandbox(self):
        self.start("large")
        lines = "".join(json.dumps({"key": f"k{i:06}", "value": "x" * 1000}) + "\n" for i in range(40000))
        self.ok("dfsctl", "-s", "large", "load", text=lines)
        self.assertEqual(self.ok("dfsctl", "-s", "large", "count"), "40000")

    def test_user_has_stores_of_their_own(self):
        uid = pwd.getpwnam("carol").pw_uid
        self.ok("systemctl", "start", f"user@{uid}")
        self.addCleanup(run, "systemctl", "stop", f"user@{uid}")
        own = {"user": "carol", "XDG_RUNTIME_DIR": f"/run/user/{uid}"}
        self.ok("systemctl", "--user", "start", "dfsd@notes", **own)
        self.assertEqual(self.ok("dfsctl", "-s", "notes", "set", "a", "1", **own), "1")
        log = os.stat(pwd.getpwnam("carol").pw_dir + "/.local/share/dfs/notes/store.db")
        self.assertEqual((log.st_uid, oct(log.st_mode)), (uid, "0o100600"))
        first = self.show("dfsd@notes", "MainPID", "--user", **own)
        os.kill(int(first), 9)
        self.until(lambda: run("dfsctl", "-s", "notes", "get", "a", **own), lambda got: got.code == 0)
        self.ok("systemctl", "--user", "stop", "dfsd@notes", **own)
        self.ok("systemctl", "--user", "start", "dfsd@notes.socket", **own)
        self.assertEqual(self.ok("dfsctl", "-s", "user:notes", "get", "a", **own), "1")

    def test_upgrade_restarts_what_runs_and_starts_nothing_else(self):
        first = self.start("upgraded")
        self.ok("dfsctl", "-s", "upgraded", "set", "a", "1")
        self.ok("dpkg", "-i", *glob.glob("/tests/*.deb"))
        self.next_daemon("upgraded", first)
        self.assertEqual(self.ok("dfsctl", "-s", "upgraded", "get", "a"), "1")
        self.assertEqual(self.show("dfsd@never", "ActiveState"), "inactive")

    def test_zz_purge_stops_everything(self):
        self.start("purged")
        self.ok("systemctl", "enable", "dfsd@purged.socket", "dfsd@purged.service")
        self.ok("dfsctl", "-s", "purged", "set", "a", "1")
        self.ok("dpkg", "--purge", "dfsd", DEBIAN_FRONTEND="noninteractive")
        self.assertEqual(self.ok("sh", "-c", "grep -lx dfsd /proc/[0-9]*/comm || true"), "")
        left = glob.glob("/etc/systemd/system/*/dfsd@*") + glob.glob("/usr/lib/systemd/*/dfsd@*")
        self.assertEqual([path for path in left if not path.endswith(".conf")], [])
        self.assertFalse(os.path.exists("/run/dfs"))
        self.assertTrue(os.path.exists("/var/lib/dfs/purged/store.db"))


def main():
    for user, groups in USERS.items():
        subprocess.run(["useradd", "--create-home", "--groups", ",".join(groups), user], check=True)
    result = unittest.main(verbosity=2, exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
