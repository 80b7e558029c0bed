"""What the figures were taken on."""

import os
import platform
import subprocess
import time

PACKAGES = ["liblmdb0", "redis-server", "libhiredis0.14", "libsqlite3-0", "libleveldb1d", "librocksdb7.8",
            "libabsl20220623"]


def first_line(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return ""


def said_by(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def describe(programs):
    return {
        "date": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "processor": first_line("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory": first_line("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "file_system": said_by("stat", "-f", "-c", "%T", programs.directory),
        "huge_pages": said_by("cat", "/sys/kernel/mm/transparent_hugepage/enabled"),
        "compiler": said_by("c++", "--version").partition("\n")[0],
        "packages": dict(line.split("\t") for line in said_by(
            "dpkg-query", "-W", "-f", "${Package}\t${Version}\n", *PACKAGES).split("\n") if "\t" in line),
        "load_before": os.getloadavg()[0],
    }


def after(described):
    return {**described, "load_after": os.getloadavg()[0]}
