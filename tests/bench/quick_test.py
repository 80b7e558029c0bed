"""The quick run of the suite ends well, and leaves a whole result: each row with figures of dfs, each
bar measured, each table and plot written."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PARTS = ["get.", "get_many.", "copy.", "system_calls", "scan.", "begin", "set.", "update.", "insert.", "durable",
         "durable.clients", "transact.", "compacting", "start.", "memory.", "idle.", "command"]
PEERS = {"dfs", "hash_map", "lmdb", "redis", "rocksdb", "leveldb", "sqlite", "bare"}
PLOTS = 3 + 3 + 3 + 2  # percentiles; by keys; by clients; by bytes


def check(holds, claim):
    if not holds:
        sys.exit(f"FAILED: {claim}")


def main():
    source, build = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.executable, "-B", os.path.join(source, "bench", "suite", "main.py"), "--programs", build,
                        "--quick", "--out", out], check=True)
        with open(os.path.join(out, "results.json")) as file:
            result = json.load(file)
        rows = {row["name"]: row for row in result["rows"]}
        for part in PARTS:
            check(any(name.startswith(part) for name in rows), f"no row {part}")
        check({peer for row in rows.values() for peer in row["peers"]} == PEERS, "every peer was measured")
        for name, row in rows.items():
            if "strace" in row["note"]:
                continue
            check(row["peers"]["dfs"]["median"] is not None, f"{name} has a figure of dfs")
            for bar in row["bars"]:
                check(bar["met"] is not None, f"{name}: {bar['bar']} was measured")
        with open(os.path.join(out, "results.csv")) as file:
            found = {line["row"] for line in csv.DictReader(file)}
        check(found >= {name for name, row in rows.items() if row["peers"]}, "the CSV has every row")
        plots = [name for name in os.listdir(out) if name.endswith(".svg")]
        check(len(plots) == PLOTS, f"{PLOTS} plots are drawn, not {sorted(plots)}")
        for name in plots:
            xml.etree.ElementTree.parse(os.path.join(out, name))
        check(os.path.getsize(os.path.join(out, "table.md")) > 1000, "the table is written")


main()
