"""Measures dfs beside its peers: takes all rows, prints the table, writes it and draws the plots.

    main.py --programs BUILD [--quick] [--out DIRECTORY] [--only PART ...]
"""

import argparse
import os
import shutil
import sys
import tempfile
import time

import curves
import lifecycle
import machine
import plots
import reading
import report
import together
import writing
from rows import Rounds, label


class Scale:
    """How much is measured. The quick one sees that everything runs; its figures say nothing."""

    def __init__(self, quick):
        self.quick = quick
        self.keys = 20_000 if quick else 1_000_000
        self.rounds = 1 if quick else 5
        self.seconds = 0.02 if quick else 0.4
        self.patience = 0 if quick else 300
        self.clients = 4 if quick else 16
        self.counts = [1000, 10_000] if quick else [10_000, 100_000, 1_000_000, 10_000_000]
        self.client_counts = [1, 2] if quick else [1, 2, 4, 8, 16, 32, 64]
        self.sizes = [64, 4096] if quick else [64, 256, 1024, 4096, 16_384, 65_536]
        self.shapes = ["user", "tenant"] if quick else ["user", "hex", "tenant"]


class Programs:
    """Where the programs are, and where stores may be."""

    def __init__(self, build, directory):
        self.bench = os.path.join(build, "bench", "dfs-bench")
        self.dfsd = os.path.join(build, "daemon", "dfsd")
        self.dfsctl = os.path.join(build, "cli", "dfsctl")
        self.redis_server = shutil.which("redis-server", path=os.environ["PATH"] + ":/usr/sbin:/usr/bin")
        self.directory = tempfile.mkdtemp(prefix="stores-", dir=directory)
        self.sockets = tempfile.mkdtemp(prefix="dfs-bench-")
        for program in (self.bench, self.dfsd, self.dfsctl, self.redis_server):
            if program is None or not os.path.exists(program):
                sys.exit(f"not there: {program or 'redis-server'}")

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)


class Suite:
    """What the parts share."""

    def __init__(self, programs, scale):
        self.programs, self.scale = programs, scale
        self.rounds = Rounds(scale.rounds, scale.seconds, self.say, scale.patience)
        self.rows = []
        self.curves = {}
        self.begin = time.monotonic()

    def say(self, row):
        figures = ", ".join(f"{label(peer)} {report.figure(row.median(peer))}" for peer in row.samples)
        again = f" ({row.disturbed} rounds again)" if row.disturbed else ""
        print(f"{time.monotonic() - self.begin:7.1f} s  {row.title} [{row.unit}]: {figures}{again}",
              file=sys.stderr, flush=True)


PARTS = {
    "reading": reading.measure,
    "writing": lambda suite: writing.written(suite, 120, "120 B"),
    "large": lambda suite: writing.written(suite, 1024, "1 KiB"),
    "durable": writing.durable,
    "clients": together.durable_clients,
    "transactions": together.transactions,
    "compaction": together.compaction,
    "start": lifecycle.start,
    "idle": lifecycle.idle,
    "command": lifecycle.command,
    "keys": curves.by_keys,
    "growth": curves.by_clients,
    "bytes": curves.by_bytes,
}


def write(out, described, suite, keep):
    """`keep`: what else an earlier run left there stays."""
    path = os.path.join(out, "results.json")
    rows, curves = report.with_earlier(path, suite.rows, suite.curves) if keep else (suite.rows, suite.curves)
    report.write_json(path, machine.after(described), rows, curves)
    report.write_csv(os.path.join(out, "results.csv"), rows, curves)
    with open(os.path.join(out, "table.md"), "w") as file:
        file.write(report.markdown(rows))
    plots.draw(out, rows, curves)


def main():
    parser = argparse.ArgumentParser(description="Measures dfs beside its peers.")
    parser.add_argument("--programs", required=True, help="the directory of the build")
    parser.add_argument("--quick", action="store_true", help="only to see that everything runs")
    parser.add_argument("--out", help="where results.json, results.csv, table.md and the plots are put; what --only does not "
                        "name stays there as it was")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
                        help=", ".join(PARTS))
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.programs)
    out = os.path.abspath(arguments.out or os.path.join(build, "bench", "results"))
    os.makedirs(out, exist_ok=True)
    programs = Programs(build, os.path.join(build, "bench"))
    suite = Suite(programs, Scale(arguments.quick))
    before = machine.describe(programs)
    try:
        for part in arguments.only:
            PARTS[part](suite)
            write(out, before, suite, len(arguments.only) < len(PARTS))  # should a later part fail
    finally:
        programs.close()
    print(report.text(suite.rows))
    print(f"written to {out} after {time.monotonic() - suite.begin:.0f} s")


main()
