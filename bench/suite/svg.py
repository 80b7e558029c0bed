"""Draws lines over two logarithmic axes, as SVG that needs nothing else."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 78, 150, 40, 56
COLOURS = {"dfs": "#c1121f", "hash_map": "#555555", "lmdb": "#1f77b4", "redis": "#2a9d3a", "rocksdb": "#9467bd",
           "leveldb": "#e08a00", "sqlite": "#00a3a3", "bare": "#8c564b"}
STYLE = "font-family:system-ui,sans-serif;font-size:12px"


def log(value):
    return math.log10(value)


class Axis:
    """Places values along a stretch of pixels, logarithmically."""

    def __init__(self, least, most, begin, end, ticks, name):
        self.least, self.most = log(least), max(log(most), log(least) + 0.1)
        self.begin, self.end, self.name = begin, end, name
        self.ticks = [(self.at(value), text) for value, text in ticks]

    def at(self, value):
        share = (log(value) - self.least) / (self.most - self.least)
        return self.begin + share * (self.end - self.begin)


def decades(least, most):
    """Powers of ten from below the least to above the most."""
    return math.floor(log(least)), math.ceil(log(most) - 1e-9)


def short(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def time_text(ns):
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if ns >= size:
            return f"{ns / size:g} {unit}"
    return f"{ns:g} ns"


class Plot:
    """A plot of lines, each of points (x, y). `text` writes a value of the y axis."""

    def __init__(self, title, x_name, y_name, lines, x_ticks=None, text=short, marks=True):
        self.title, self.lines, self.marks = title, lines, marks
        xs = [x for _, _, points in lines for x, _ in points]
        ys = [y for _, _, points in lines for _, y in points]
        x_ticks = x_ticks or [(x, short(x)) for x in sorted(set(xs))]
        low, high = decades(min(ys), max(ys))
        high = max(high, low + 1)
        self.x = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, x_ticks, x_name)
        self.y = Axis(10**low, 10**high, HEIGHT - BOTTOM, TOP,
                      [(10.0**power, text(10.0**power)) for power in range(low, high + 1)], y_name)

    def draw(self):
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{STYLE}">',
               f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
               f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(self.title)}</text>']
        out += self.grid()
        for index, (key, name, points) in enumerate(self.lines):
            out += self.line(index, COLOURS.get(key, "black"), name, points)
        return "\n".join(out + ["</svg>"]) + "\n"

    def grid(self):
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        out = []
        for at, text in self.y.ticks:
            out.append(f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#ddd"/>')
            out.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>')
        for at, text in self.x.ticks:
            out.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#eee"/>')
            out.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(text)}</text>')
        out.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>')
        out.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(self.x.name)}</text>')
        middle = (TOP + bottom) / 2
        out.append(f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">'
                   f"{escape(self.y.name)}</text>")
        return out

    def line(self, index, colour, name, points):
        places = [(self.x.at(x), self.y.at(y)) for x, y in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        width = 2.5 if index == 0 else 1.5
        out = [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>']
        if self.marks:
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        at = TOP + 14 + 20 * index
        out.append(f'<path d="M{WIDTH - RIGHT + 16} {at - 4}h22" stroke="{colour}" stroke-width="{width}"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 44}" y="{at}">{escape(name)}</text>')
        return out
