"""The table of a run, as text, CSV, JSON and Markdown."""

import csv
import json
import os

from rows import Row, Sample, label

ORDER = ["dfs", "hash_map", "lmdb", "redis", "rocksdb", "leveldb", "sqlite", "bare"]


def peers_of(rows):
    found = {peer for row in rows for peer in row.samples}
    return [peer for peer in ORDER if peer in found] + sorted(found - set(ORDER))


def figure(value):
    """Three digits are what a median of five is worth."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verdict(bar):
    if bar["met"] is None:
        return f"{bar['bar']}: not measured"
    return f"{bar['bar']}: {figure(bar['measured'])}{bar['suffix']} {'met' if bar['met'] else 'MISSED'}"


def text(rows):
    """For a terminal: a line for each row, and below it its bars."""
    peers = peers_of(rows)
    width = max((len(row.title) for row in rows), default=0) + 1
    lines = [f"{'':{width}}{'':9}" + "".join(f"{label(peer):>11}" for peer in peers)]
    for row in rows:
        lines.append(f"{row.title:{width}}{row.unit:9}"
                     + "".join(f"{figure(row.median(peer)):>11}" for peer in peers))
        if any(row.cpu(peer) for peer in peers):
            lines.append(f"{'  processor time, both sides':{width}}{'us':9}"
                         + "".join(f"{figure(row.cpu(peer)):>11}" for peer in peers))
        lines += [f"    {verdict(bar)}" for bar in row.bars]
        if row.note:
            lines.append(f"    {row.note}")
    bars = [bar for row in rows for bar in row.bars]
    met = sum(1 for bar in bars if bar["met"])
    missed = sum(1 for bar in bars if bar["met"] is False)
    lines.append(f"{met} bars met, {missed} missed, {len(bars) - met - missed} not measured")
    return "\n".join(lines)


def markdown(rows):
    """The same as a page."""
    peers = peers_of(rows)
    lines = ["# All rows", "", "What was measured how is told in `docs/benchmarks.md`. Medians of the rounds; in brackets the "
             "processor time of both sides, us for an operation.", "",
             "| what | unit | " + " | ".join(label(peer) for peer in peers) + " | bars |",
             "|---|---|" + "---:|" * len(peers) + "---|"]
    for row in rows:
        bars = "<br>".join(verdict(bar).replace("MISSED", "**missed**") for bar in row.bars)
        cells = []
        for peer in peers:
            cpu = row.cpu(peer)
            cells.append(figure(row.median(peer)) + (f" ({figure(cpu)})" if cpu else ""))
        title = row.title + (f"<br>{row.note}" if row.note else "")
        lines.append(f"| {title} | {row.unit} | " + " | ".join(cells) + f" | {bars} |")
    return "\n".join(lines) + "\n"


def write_csv(path, rows, curves):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "what", "unit", "peer", "median", "least", "most", "rounds",
                      "client_cpu_us", "server_cpu_us", "p50_ns", "p99_ns", "p999_ns"])
        for row in rows:
            for peer, samples in row.samples.items():
                values = [sample.value for sample in samples]
                out.writerow([row.name, row.title, row.unit, label(peer)] + [
                    "" if value is None else f"{value:.6g}" for value in (
                        row.median(peer), min(values), max(values), len(values),
                        row.median(peer, "client_cpu"), row.median(peer, "server_cpu"),
                        *(row.percentile(peer, share) for share in (0.5, 0.99, 0.999)))])
        for name, curve in curves.items():
            for peer, points in curve["peers"].items():
                for x, y in points:
                    out.writerow([f"{name}.{x}", f"{curve['title']}, {curve['grows']}: {x}", curve["unit"],
                                  label(peer), f"{y:.6g}"])


def row_document(row):
    return {
        "name": row.name, "what": row.title, "unit": row.unit, "more_is_better": row.more,
        "note": row.note, "rounds_taken_again": row.disturbed, "bars": row.bars,
        "peers": {peer: {
            "median": row.median(peer), "rounds": [sample.value for sample in samples],
            "client_cpu_us": row.median(peer, "client_cpu"),
            "server_cpu_us": row.median(peer, "server_cpu"),
            "latency_ns": sorted(row.latency.get(peer, {}).items()),
        } for peer, samples in row.samples.items()},
    }


def row_of(document):
    """The other way round; of the rounds' processor times the medians are left."""
    row = Row(document["name"], document["what"], document["unit"], document["more_is_better"], document["note"])
    row.bars, row.disturbed = document["bars"], document["rounds_taken_again"]
    for peer, found in document["peers"].items():
        for value in found["rounds"]:
            row.add(peer, Sample(value, found["client_cpu_us"], found["server_cpu_us"]))
        row.add_latency(peer, found["latency_ns"])
    return row


def with_earlier(path, rows, curves):
    """Rows and curves of an earlier run, those that were taken now in their place."""
    if not os.path.exists(path):
        return rows, curves
    with open(path) as file:
        earlier = json.load(file)
    now = {row.name: row for row in rows}
    kept = [now.pop(document["name"], None) or row_of(document) for document in earlier["rows"]]
    return kept + list(now.values()), {**earlier["curves"], **curves}


def write_json(path, machine, rows, curves):
    """A row on a line, so that two runs can be compared line by line."""
    lines = ",\n".join(json.dumps(row_document(row)) for row in rows)
    with open(path, "w") as file:
        file.write(f'{{"machine": {json.dumps(machine)},\n"rows": [\n{lines}\n],\n"curves": {json.dumps(curves)}}}\n')
