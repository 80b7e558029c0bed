"""A root directory with nothing in it but what named Debian packages need: what "installed into a
clean root" means, made without a network from the packages of this machine.

The closure of the packages' dependencies is copied into a tmpfs, with dpkg's own records of it, so
that dpkg in there refuses a package whose dependencies are not met, and a program whose package
does not name a library it needs does not start. Needs root.
"""

import os
import re
import shutil
import stat
import subprocess

# Not needed to run anything.
LEFT_OUT = re.compile(r"/usr/share/(doc|man|info|locale|lintian|bug)/.")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
               "DEBIAN_FRONTEND": "noninteractive"}


class NotHere(Exception):
    """Something that a clean root takes from this machine is not there."""


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class InstalledPackages:
    """What dpkg of this machine has: dependencies, files, records."""

    def __init__(self):
        form = "${db:Status-Status}\t${Package}\t${Architecture}\t${Essential}\t" \
               "${Pre-Depends}, ${Depends}\t${Provides}\n"
        self.depends, self.providers, self.essential, self.records = {}, {}, [], {}
        native = output("dpkg", "--print-architecture").strip()
        for line in output("dpkg-query", "-W", "-f", form).splitlines():
            status, name, architecture, essential, depends, provides = line.split("\t")
            if status != "installed" or architecture not in (native, "all"):
                continue
            self.depends[name] = depends
            for provided in [name] + names_in(provides):
                self.providers.setdefault(provided, []).append(name)
            if essential == "yes":
                self.essential.append(name)
        with open("/var/lib/dpkg/status", encoding="utf-8") as status:
            records = status.read().split("\n\n")
        for record in records:
            fields = dict(re.findall(r"^(Package|Architecture): (.*)$", record, re.M))
            if fields.get("Architecture") in (native, "all"):
                self.records[fields["Package"]] = record.strip("\n")

    def closure(self, wanted):
        """The packages named, and all they need; the first alternative that is installed."""
        found, open_names = [], list(wanted)
        while open_names:
            name = open_names.pop()
            if name in found:
                continue
            if name not in self.depends:
                raise NotHere(f"the Debian package {name} is not installed")
            found.append(name)
            for need in filter(None, re.split(r",\s*", self.depends[name])):
                open_names.append(self.chosen(need))
        return found

    def chosen(self, need):
        for alternative in names_in(need.replace("|", ",")):
            if alternative in self.depends:
                return alternative
            if alternative in self.providers:
                return self.providers[alternative][0]
        raise NotHere(f"no Debian package for '{need}' is installed")


def names_in(relation):
    return [re.split(r"[\s:(]", part.strip())[0] for part in relation.split(",") if part.strip()]


def needs_of(debs):
    """What the packages in these files depend on, but for each other."""
    ours = {output("dpkg-deb", "-f", deb, "Package").strip() for deb in debs}
    needs = []
    for deb in debs:
        relations = output("dpkg-deb", "-f", deb, "Pre-Depends", "Depends")
        for need in filter(None, re.split(r",\s*|\n", re.sub(r"(?m)^[\w-]+: ", "", relations))):
            if not ours & set(names_in(need.replace("|", ","))):
                needs.append(need)
    return needs


class CleanRoot:
    """A tmpfs at `path` with the essential packages; goes with close()."""

    def __init__(self, path):
        self.path = path
        self.host = InstalledPackages()
        self.packages = []
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=3g", "clean-root", path],
                       check=True)
        try:
            self.add(self.host.essential)
            self.set_up()
        except BaseException:
            self.close()
            raise

    def close(self):
        subprocess.run(["umount", "-R", self.path], check=True)
        os.rmdir(self.path)

    def at(self, path):
        return self.path + path

    def read(self, path):
        with open(self.at(path), encoding="utf-8") as file:
            return file.read()

    def add(self, names):
        """Copies these packages and all they need from this machine."""
        new = [name for name in self.host.closure(names) if name not in self.packages]
        for name in new:
            self.copy_package(name)
        self.packages += new
        with open(self.at("/var/lib/dpkg/status"), "a", encoding="utf-8") as status:
            for name in new:
                status.write(self.host.records[name] + "\n\n")
        if os.path.exists(self.at("/sbin/ldconfig")):
            self.run("ldconfig")

    def add_needs_of(self, debs):
        self.add([self.host.chosen(need) for need in needs_of(debs)])

    def copy_package(self, name):
        os.makedirs(self.at("/var/lib/dpkg/info"), exist_ok=True)
        info = "/var/lib/dpkg/info/"
        multiarch = [f for f in os.listdir(info) if f.rsplit(".", 1)[0].split(":")[0] == name]
        for file in multiarch:
            shutil.copy2(info + file, self.at(info + file))
        for path in output("dpkg-query", "-L", name).splitlines():
            if path.startswith("/") and path != "/." and not LEFT_OUT.match(path):
                self.copy(path)

    def copy(self, path):
        """A file, link or directory of this machine, where it really is."""
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        try:
            status = os.lstat(path)
        except FileNotFoundError:  # left out on this machine too
            return
        target = self.at(path)
        if os.path.lexists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(path), target)
        elif stat.S_ISDIR(status.st_mode):
            os.mkdir(target)
        elif stat.S_ISREG(status.st_mode):
            shutil.copyfile(path, target)
        else:
            return
        os.lchown(target, status.st_uid, status.st_gid)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(target, stat.S_IMODE(status.st_mode))

    def set_up(self):
        """What the maintainer scripts of the essential packages would have made."""
        for file in ("passwd", "group"):
            shutil.copyfile(f"/usr/share/base-passwd/{file}.master", self.at(f"/etc/{file}"))
        for file in ("shadow", "gshadow", "machine-id"):
            open(self.at(f"/etc/{file}"), "w", encoding="utf-8").close()
        self.copy("/etc/nsswitch.conf")
        for folder in ("proc", "sys", "dev", "run", "tmp", "root", "home", "mnt", "var/lib/dpkg/updates"):
            os.makedirs(self.at("/" + folder), exist_ok=True)
        os.chmod(self.at("/tmp"), 0o1777)
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            os.mknod(self.at("/dev/" + name), 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            os.chmod(self.at("/dev/" + name), 0o666)
        self.run("ldconfig")

    def run(self, *command, check=True, text=None, **environment):
        """A command in there; output and errors as one text. It has a process namespace of its own,
        so what it started ends with it."""
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                  'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.path, *command]
        done = subprocess.run(inside, env=ENVIRONMENT | environment, input=text, text=True,
                              stdin=None if text else subprocess.DEVNULL, timeout=240, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
        return done.stdout

    def install(self, debs):
        """Installs packages as dpkg does: it refuses what is not met."""
        for deb in debs:
            shutil.copy(deb, self.at("/tmp"))
        return self.run("dpkg", "-i", *["/tmp/" + os.path.basename(deb) for deb in debs])

    def files(self):
        """Every path in there, but what the kernel or dpkg keep."""
        kept = re.compile(r"/(proc|dev|sys|tmp)/|/var/lib/dpkg/|/var/log/|/var/cache/"
                          r"|/etc/ld\.so\.cache|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$"
                          r"|/etc/\.pwd\.lock")
        found = set()
        for folder, folders, names in os.walk(self.path):
            for name in folders + names:
                path = os.path.join(folder, name)[len(self.path):]
                if not kept.match(path):
                    found.add(path)
        return found
