"""Boots a machine that has the packages and nothing else, and runs units_test.py in it.

    machine.py DEBS SOURCE      DEBS: where the packages are; SOURCE: this folder
The machine is a systemd-nspawn container over a clean root (tests/package/clean_root.py), with
no network and a systemd of its own. Needs root; 77, and what is missing, where it cannot run.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(SOURCE, "..", "package"))

from clean_root import CleanRoot, NotHere  # noqa: E402

# What boots it, what the tests are written in, and what a user's own systemd needs.
NEEDED = ["systemd", "systemd-sysv", "dbus", "libpam-systemd", "libpam-modules", "python3", "passwd",
          "util-linux", "coreutils"]
UNIT = """[Unit]
Wants=multi-user.target
After=multi-user.target
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -B /tests/units_test.py
StandardOutput=append:/tests/output
StandardError=append:/tests/output
"""
# Only what hangs for ever meets it.
WATCHDOG_S = 300


def prepare(root, debs):
    root.add(NEEDED)
    root.add_needs_of(debs)
    for file in glob.glob("/etc/pam.d/*"):  # made by pam-auth-update, which did not run in there
        root.copy(file)
    root.install(debs)
    os.mkdir(root.at("/tests"))
    shutil.copy(os.path.join(SOURCE, "units_test.py"), root.at("/tests"))
    for deb in debs:
        shutil.copy(deb, root.at("/tests"))
    with open(root.at("/etc/systemd/system/units-test.service"), "w", encoding="utf-8") as unit:
        unit.write(UNIT)


def boot(root):
    """Whether the tests passed; None where no systemd began to run."""
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
               "--directory", root.path, "--boot", "systemd.unit=units-test.service"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as machine:
        try:
            console, late = machine.communicate(timeout=WATCHDOG_S)[0], False
        except subprocess.TimeoutExpired:
            machine.terminate()  # has it power off; killed, it would leave its processes behind
            console, late = machine.communicate()[0], True
    output = root.at("/tests/output")
    if not os.path.exists(output):
        text = console.decode(errors="replace")
        print(text[-4000:])
        return False if late or "Welcome to" in text or "systemd[1]" in text else None
    print(root.read("/tests/output"))
    if late:
        print(f"not done after {WATCHDOG_S} s")
    return machine.returncode == 0 and not late


def main():
    missing = [program for program in ("systemd-nspawn", "dpkg-query") if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        print("skipped: booting a machine needs root" + "".join(f", {name}" for name in missing))
        return 77
    debs = sorted(glob.glob(sys.argv[1] + "/libdfs1_*.deb") + glob.glob(sys.argv[1] + "/dfsd_*.deb"))
    assert len(debs) == 2, f"no packages in {sys.argv[1]}"
    # Mounts of the tests are theirs alone, and end with them.
    if os.environ.get("DFS_OWN_MOUNTS") is None:
        os.environ["DFS_OWN_MOUNTS"] = "yes"
        return subprocess.run(["unshare", "--mount", sys.executable, "-B", *sys.argv],
                              check=False).returncode
    try:
        root = CleanRoot(tempfile.mkdtemp(prefix="dfs-machine-"))
    except NotHere as absent:
        print(f"skipped: {absent}")
        return 77
    try:
        prepare(root, debs)
        passed = boot(root)
    except NotHere as absent:
        print(f"skipped: {absent}")
        return 77
    finally:
        root.close()
    if passed is None:
        print("skipped: systemd-nspawn boots no machine here")
        return 77
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
