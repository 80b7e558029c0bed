"""The plots of a run: percentiles of latency, and what grows."""

import os

import svg
from report import ORDER
from rows import label

PERCENTILES = {
    "get_timed": "A get from a held snapshot, a million keys",
    "set.120.uniform": "An acknowledged set, written, one at a time",
    "durable": "A durable set, one client",
}
# One in so many operations is slower: how far to the right, and its name.
SHARES = [(1 / (1 - share), text) for share, text in
          ((0.0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"))]


def in_order(peers):
    return sorted(peers, key=lambda peer: ORDER.index(peer) if peer in ORDER else len(ORDER))


def percentiles(row):
    """For each peer the latency that a share of its operations did not exceed."""
    lines = []
    for peer in in_order(row.latency):
        counts = row.latency[peer]
        total, passed, points = sum(counts.values()), 0, []
        for end in sorted(counts):
            if passed > 0.9999 * total:
                break
            points.append((1 / (1 - passed / total), max(end, 1)))
            passed += counts[end]
        if points:
            lines.append((peer, label(peer), points))
    return lines


def draw(directory, rows, curves):
    """Writes the plots; answers their names."""
    written = []

    def write(name, plot):
        with open(os.path.join(directory, name + ".svg"), "w") as file:
            file.write(plot.draw())
        written.append(name + ".svg")

    for row in rows:
        if row.name in PERCENTILES and row.latency:
            write("percentiles_" + row.name.partition(".")[0],
                  svg.Plot(PERCENTILES[row.name], "operations that took no longer", "latency", percentiles(row),
                           x_ticks=SHARES, text=svg.time_text, marks=False))
    for name, curve in curves.items():
        lines = [(peer, label(peer), curve["peers"][peer]) for peer in in_order(curve["peers"])]
        if lines:
            write(name, svg.Plot(curve["title"], curve["grows"],
                                 "operations a second" if curve["unit"] == "/s" else "time for each", lines,
                                 text=svg.short if curve["unit"] == "/s" else svg.time_text))
    return written
