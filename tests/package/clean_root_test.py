"""The packages, installed into a root that has nothing but what they say they need.

    clean_root_test.py DEBS SOURCE      DEBS: where the packages are; SOURCE: this folder's files
Needs root (mounts, chroot); 77 without it, and where this machine has no dpkg to copy from.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from clean_root import CleanRoot, NotHere, output

DEBS, SOURCE = (os.path.abspath(path) for path in sys.argv[1:3])
RUNTIME = sorted(glob.glob(DEBS + "/libdfs1_*.deb") + glob.glob(DEBS + "/dfsd_*.deb"))
DEVELOPMENT = sorted(glob.glob(DEBS + "/libdfs-dev_*.deb"))
LIBRARY = [deb for deb in RUNTIME if "/libdfs1_" in deb]


class Packages(unittest.TestCase):
    """All tests share one root; each leaves it as it found it."""

    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="dfs-root-")
        cls.root = CleanRoot(cls.place)
        cls.addClassCleanup(cls.root.close)
        cls.root.add_needs_of(RUNTIME)

    def setUp(self):
        self.addCleanup(self.root.run, "sh", "-c", "rm -rf /tmp/* /var/lib/dfs")
        self.addCleanup(self.root.run, "dpkg", "--purge", "dfsd", "libdfs-dev", "libdfs1")

    def keep_a_store(self):
        """As the units make it, without them."""
        store = "/var/lib/dfs/orders/store.db"
        self.root.run("install", "-d", os.path.dirname(store))
        self.root.run("dfsctl", "-s", store, "set", "a", "1")  # its daemon ends with the command
        self.root.run("chown", "-R", "dfs:dfs", "/var/lib/dfs")
        return store

    def users(self):
        return [line.split(":")[0] for line in self.root.read("/etc/passwd").splitlines()]

    def test_name_all_they_need(self):
        self.root.install(RUNTIME)
        self.assertIn("dfs", self.users())
        said = self.root.run("sh", "-c", "cd /tmp && dfsctl -s users.db set a 7 >/dev/null &&"
                             "dfsctl -s users.db get a")
        self.assertEqual(said, "7\n")

    def test_are_refused_by_dpkg_without_their_library(self):
        daemon = [deb for deb in RUNTIME if deb not in LIBRARY]
        shutil.copy(daemon[0], self.root.at("/tmp/dfsd.deb"))
        said = self.root.run("sh", "-c", "dpkg -i /tmp/dfsd.deb; echo exit $?")
        self.assertIn("dependency problems", said)
        self.assertIn("exit 1", said)

    def test_leave_nothing_when_purged(self):
        before = self.root.files()
        self.root.install(RUNTIME)
        self.assertIn("/usr/bin/dfsctl", self.root.files())
        self.root.run("dpkg", "--purge", "dfsd", "libdfs1")
        self.assertEqual(self.root.files() ^ before, set())
        self.assertNotIn("dfs", self.users())

    def test_keep_the_stores_when_purged(self):
        self.root.install(RUNTIME)
        store = self.keep_a_store()
        self.root.run("dpkg", "--purge", "dfsd", "libdfs1")
        self.assertIn('{"k":"a","v":1', self.root.read(store))
        self.assertIn("dfs", self.users())  # the stores are still somebody's

    def test_remove_the_stores_when_purged_and_asked_to(self):
        self.root.install(RUNTIME)
        self.keep_a_store()
        self.root.run("debconf-set-selections", text="dfsd dfsd/remove_stores boolean true\n")
        self.root.run("dpkg", "--purge", "dfsd", "libdfs1")
        self.assertFalse(os.path.exists(self.root.at("/var/lib/dfs")))
        self.assertNotIn("dfs", self.users())

    def test_keep_the_stores_when_removed(self):
        self.root.install(RUNTIME)
        store = self.keep_a_store()
        self.root.run("dpkg", "--remove", "dfsd")
        self.root.install(RUNTIME)
        said = self.root.run("setpriv", "--reuid=dfs", "--regid=dfs", "--clear-groups",
                             "dfsctl", "-s", store, "get", "a")
        self.assertEqual(said, "1\n")

    def test_hold_every_public_header(self):
        public = os.path.join(SOURCE, "../../libclient/include/dfs")
        packaged = output("dpkg-deb", "-c", DEVELOPMENT[0])
        for header in glob.glob(public + "/*.hpp"):
            self.assertIn(f"./usr/include/dfs/{os.path.basename(header)}\n", packaged)


class ProgramOutside(unittest.TestCase):
    """A program of somebody else, compiled and run with nothing of dfs but the packages."""

    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="dfs-root-")
        cls.root = CleanRoot(cls.place)
        cls.addClassCleanup(cls.root.close)
        cls.root.add_needs_of(RUNTIME + DEVELOPMENT)
        cls.root.add(["g++", "make", "cmake", "pkg-config"])
        cls.root.install(RUNTIME + DEVELOPMENT)
        shutil.copytree(SOURCE, cls.root.at("/tmp/source"))

    def runs(self):
        said = self.root.run("/tmp/made/greeting", "/tmp/made/users.db")
        self.assertEqual(said, '{"text":"hello"} version 1\n')

    def setUp(self):
        self.addCleanup(shutil.rmtree, self.root.at("/tmp/made"))

    def test_is_built_with_cmake(self):
        self.root.run("cmake", "-S", "/tmp/source/outside", "-B", "/tmp/made", CXX="g++")
        self.root.run("cmake", "--build", "/tmp/made")
        self.runs()

    def test_is_built_with_pkg_config(self):
        os.mkdir(self.root.at("/tmp/made"))
        self.root.run("sh", "-ec", "g++ -std=c++20 -Wall -Wextra -Wconversion -Werror "
                      "/tmp/source/greeting.cpp -o /tmp/made/greeting "
                      "$(pkg-config --cflags --libs dfs)")
        self.runs()


def main():
    if os.geteuid() != 0 or not shutil.which("dpkg-query"):
        print("skipped: a clean root needs root, and a Debian machine to copy from")
        return 77
    assert len(RUNTIME) == 2 and len(DEVELOPMENT) == 1, f"no packages in {DEBS}"
    # Mounts of the tests are theirs alone, and end with them.
    if os.environ.get("DFS_OWN_MOUNTS") is None:
        os.environ["DFS_OWN_MOUNTS"] = "yes"
        return subprocess.run(["unshare", "--mount", sys.executable, "-B", *sys.argv],
                              check=False).returncode
    del sys.argv[1:]
    try:
        result = unittest.main(verbosity=2, exit=False).result
    except NotHere as absent:
        print(f"skipped: {absent}")
        return 77
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
