"""clang-tidy over the sources of a build, many at once: clang_tidy.py SOURCE BUILD [--whole].

Nearly all of clang-tidy's time goes to the headers of Boost, spdlog and the standard library, anew
for each source. So sources with the same flags are written behind each other into one unit, their
includes before all of them, and what is said of a line of the unit is told of the line that it came
from. Where two sources mean different things by one name, the second goes to another unit.

The analyzer gives a function up after fewer steps than it would by itself; --whole lets it go on.
"""

import collections
import concurrent.futures
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

CLANG = "clang++-14"
CLANG_TIDY = "clang-tidy-14"
SKIPPED = 77  # as SKIP_RETURN_CODE in CMakeLists.txt
FOLDERS = ("common", "libclient", "daemon", "cli", "bench")

# By itself 225,000, with which the analyzer took more than six times as long and found no more.
FEWER_STEPS = ["--extra-arg=" + word for word in (
    "-Xclang", "-analyzer-config", "-Xclang", "max-nodes=30000")]

INCLUDE = re.compile(r"\s*#\s*include\b")
DEFINE = re.compile(r"\s*#\s*define\b")
IF = re.compile(r"\s*#\s*if")
ENDIF = re.compile(r"\s*#\s*endif\b")
ERROR = re.compile(r"^([^\s:][^:]*):\d+:\d+: (?:fatal )?error: ", re.M)
SUMMARY = re.compile(r"\d+ (?:warnings?|errors?) |Suppressed \d+ warnings|Error while processing")
COMPLAINT = re.compile(r"[^\s:][^:]*:\d+:\d+: (?:warning|(?:fatal )?error): ")


def flags_of(entry):
    """What of a compiler's command decides what its source means."""
    words = iter(shlex.split(entry["command"]))
    flags = []
    for word in words:
        if word == "-isystem":
            flags += [word, next(words)]
        elif word.startswith(("-I", "-D", "-std=")):
            flags.append(word)
    return tuple(flags)


def sources_by_flags(root, build, place):
    """Flags -> paths of sources. What is compiled more than once counts as it is the first time."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {entry["file"]: entry for entry in reversed(json.load(file))}
    found = collections.defaultdict(list)
    for path, entry in sorted(entries.items()):
        if os.path.relpath(path, root).split(os.sep)[0] in FOLDERS:
            found[flags_of(entry)].append(path)
    if not found:
        raise SystemExit("no sources: " + build)

    # Some public headers have only templates, for which the library has no source.
    public = os.path.join(root, "libclient", "include")
    everything = os.path.join(place, "public_headers.cpp")
    headers = sorted(glob.glob("dfs/*.hpp", root_dir=public))
    with open(everything, "w", encoding="utf-8") as file:
        file.writelines(f"#include <{header}>\n" for header in headers)
    found["-std=c++20", "-I" + public].append(everything)
    return found


class Source:
    """The lines of a file as (path, number, text); the includes in `head`, all else in `body`."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            lines = [(path, number, line) for number, line in
                     enumerate(file.read().split("\n"), 1)]
        self.path = path
        self.head = []
        self.body = []
        self.alone = False  # defines a macro for its includes, so they are not for others
        depth = 0
        defines = False
        for line in lines:
            depth += bool(IF.match(line[2])) - bool(ENDIF.match(line[2]))
            defines = defines or bool(DEFINE.match(line[2]))
            if depth == 0 and INCLUDE.match(line[2]):
                self.alone = self.alone or defines
                self.head.append(line)
            else:
                self.body.append(line)
        if self.alone:
            self.head = []
            self.body = lines


class Unit:
    """Sources as one file, which is written into the folder `place`."""

    def __init__(self, place, flags, sources):
        self.flags = flags
        self.sources = sources
        self.lines = [line for source in sources for line in source.head]
        self.lines += [line for source in sources for line in source.body]
        handle, self.path = tempfile.mkstemp(dir=place, suffix=".cpp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(text + "\n" for _, _, text in self.lines)

    def run(self, *command):
        """The exit code, and the output as if each source had been looked at by itself."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        origin = lambda match: "{}:{}:".format(*self.lines[int(match[1]) - 1])
        return done.returncode, re.sub(re.escape(self.path) + r":(\d+):", origin, done.stdout)

    def compile(self):
        return self.run(CLANG, "-fsyntax-only", "-w", "-ferror-limit=0", *self.flags, self.path)

    def tidy(self, *options):
        return self.run(CLANG_TIDY, "-quiet", *options, self.path, "--", *self.flags)


def units(place, flags, sources):
    """The sources in units that compile; what does not compile by itself has one of its own."""
    todo = [[source] for source in sources if source.alone]
    todo.append([source for source in sources if not source.alone])
    while todo:
        together = todo.pop()
        apart = []
        while together:
            unit = Unit(place, flags, together)
            failed, output = unit.compile()
            if not failed or len(together) == 1:
                yield unit
                break
            wrong = set(ERROR.findall(output))
            fit = [source for source in together if source.path not in wrong]
            if not fit or fit == together:  # a header that bears no other
                fit = together[:len(together) // 2]
            apart += [source for source in together if source not in fit]
            together = fit
        if apart:
            todo.append(apart)


def complaints(output):
    """Each complaint of clang-tidy with the lines that explain it."""
    found = []
    for line in output.split("\n"):
        if COMPLAINT.match(line):
            found.append([])
        if found and not SUMMARY.match(line):
            found[-1].append(line)
    return ["\n".join(lines).rstrip() for lines in found]


def main(root, build, *options):
    for tool in (CLANG, CLANG_TIDY):
        if not shutil.which(tool):
            print(f"{tool} is not installed (.apt-packages has it)")
            return 1 if os.environ.get("CI") else SKIPPED
    root = os.path.abspath(root)
    config = ["--config-file=" + os.path.join(root, ".clang-tidy")]
    if "--whole" not in options:
        config += FEWER_STEPS
    said = {}  # by its first line: of a header many units complain
    with tempfile.TemporaryDirectory() as place, \
            concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        together = lambda flags, paths: list(units(place, flags, [Source(path) for path in paths]))
        parts = pool.map(together, *zip(*sources_by_flags(root, build, place).items()))
        work = sorted((unit for part in parts for unit in part), key=lambda unit: -len(unit.lines))
        for failed, output in pool.map(lambda unit: unit.tidy(*config), work):
            output = output.replace(root + os.sep, "")
            found = complaints(output)
            if failed and not found:
                found = [output]
            said.update((complaint.split("\n")[0], complaint) for complaint in found)
    print("".join(complaint + "\n" for complaint in said.values()), end="")
    sources = sum(len(unit.sources) for unit in work)
    print(f"{sources} sources in {len(work)} units, {len(said)} complaints")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
