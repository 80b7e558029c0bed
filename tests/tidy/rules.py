"""The laws of the house, one function each: tree in, complaints out ("path:line: what, and why").

A rule is added to RULES by its decorator; its name is the name of its test. rules_test.py plants a
breach of each.
"""

import os
import posixpath
import re

RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


# What each folder may include of ours, itself apart. Tests may see everything.
BELOW = {
    "common/base": [],
    "common/os": ["common/base"],
    "common/log": ["common/base", "common/os"],
    "common/index": ["common/base", "common/os"],
    "common/wire": ["common/base", "common/os"],
    "libclient": ["common/base", "common/os", "common/log", "common/index", "common/wire"],
    "daemon": ["common/base", "common/os", "common/log", "common/index", "common/wire"],
}
BELOW["cli"] = BELOW["bench"] = BELOW["daemon"] + ["libclient", "daemon"]

PUBLIC = "libclient/include/"
# The one upward look: errors, results and public limits are the same from the kernel to the caller.
VOCABULARY = {"dfs/error.hpp", "dfs/result.hpp", "dfs/limits.hpp"}

STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
cinttypes climits clocale cmath compare complex concepts condition_variable coroutine csetjmp
cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution
filesystem forward_list fstream functional future initializer_list iomanip ios iosfwd iostream
istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream
system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
valarray variant vector version
""".split())

# Libraries, by the beginning of the header's name, and the folders that may name them. Whatever is
# neither here nor in STANDARD counts as a header of the system, which only common/os may include.
LIBRARIES = {
    "boost/describe/": ["libclient"],
    "boost/mp11/": ["libclient"],
    "boost/version.hpp": ["libclient"],
    "boost/json": ["common/log", "libclient", "daemon", "cli", "bench"],
    "boost/interprocess/": ["common/os"],
    "cereal/": ["common/wire"],
    "xxhash.h": ["common/index", "libclient", "daemon"],
    "spdlog/": ["daemon"],
    "toml++/": ["daemon"],
    "CLI/": ["cli", "daemon", "bench"],
    "editline/": ["cli"],
    "sanitizer/": ["common/base", "common/os", "common/log", "common/index", "common/wire"],
    "immintrin.h": ["common/log", "common/index", "common/wire", "common/base"],
    "nmmintrin.h": ["common/log", "common/index", "common/wire", "common/base"],
    "emmintrin.h": ["common/log", "common/index", "common/wire", "common/base"],
    "smmintrin.h": ["common/log", "common/index", "common/wire", "common/base"],
    "arm_acle.h": ["common/log", "common/index", "common/wire", "common/base"],
    "arm_neon.h": ["common/log", "common/index", "common/wire", "common/base"],
    "benchmark/": ["bench"],
    "lmdb.h": ["bench"],
    "hiredis/": ["bench"],
    "sqlite3.h": ["bench"],
    "leveldb/": ["bench"],
    "rocksdb/": ["bench"],
    "absl/": ["bench"],
}

# What <dfs/typed.hpp> may include of Boost: its JSON, and what that describes types with.
TYPED = ("boost/json", "boost/describe/", "boost/mp11/", "boost/version.hpp")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')

TOP = {
    "daemon", "libclient", "common", "tests", "systemd", "cli", "bench", "docs", "CMakeLists.txt",
    "CMakePresets.json", "README.md", "CHANGELOG.md", "LICENSE", "demo.sh", "test.sh",
}


def is_cpp(path):
    return path.endswith((".hpp", ".cpp"))


def folder_of(path):
    """The folder whose law a file obeys; None for tests and for what is outside of all."""
    for folder in BELOW:
        if path.startswith(folder + "/"):
            return folder
    return None


def includes(text):
    """Yields (line number, name, True for angle brackets) for each include."""
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] or match[2], match[1] is not None


def lines_without_comments(text):
    """The lines of C++ with comments blanked, strings kept."""
    blank = lambda match: match[0] if match[0][0] in "\"'" else re.sub(r"[^\n]", " ", match[0])
    pattern = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/'
    return re.sub(pattern, blank, text, flags=re.S).split("\n")


@rule
def includes_go_one_way(tree):
    """base <- os <- log, index, wire <- libclient, daemon <- cli, bench; no folder sees its like."""
    for path, text in tree.items():
        folder = folder_of(path)
        if not is_cpp(path) or folder is None:
            continue
        public = path.startswith(PUBLIC)
        for number, name, angled in includes(text):
            where = f"{path}:{number}"
            if angled and name.startswith("dfs/"):
                if not (folder in ("libclient", "cli", "bench")
                        or (folder == "common/base" and name in VOCABULARY)):
                    yield (f"{where}: <{name}> is libclient's face; below it only common/base may "
                           f"include {', '.join(sorted(VOCABULARY))}")
                elif PUBLIC + name not in tree:
                    yield f"{where}: there is no public header <{name}>"
            elif not angled:
                if name not in tree and name + ".in" not in tree:  # .in: made by the build
                    yield f'{where}: "{name}" is not a path from the root of the project'
                elif public or name.startswith(PUBLIC):
                    yield f'{where}: public headers see, and are seen as, <dfs/...>, not "{name}"'
                elif folder_of(name) not in BELOW[folder] + [folder]:
                    yield f'{where}: {folder} may not include "{name}"'


@rule
def only_common_os_includes_system_headers(tree):
    """One folder talks to the kernel; a library is named where it is used and nowhere else."""
    for path, text in tree.items():
        folder = folder_of(path)
        if not is_cpp(path) or folder is None:
            continue
        for number, name, angled in includes(text):
            if not angled or name in STANDARD or name.startswith("dfs/"):
                continue
            allowed = next((f for start, f in LIBRARIES.items() if name.startswith(start)),
                           ["common/os"])
            if folder not in allowed:
                yield f"{path}:{number}: {folder} may not include <{name}>, only {allowed}"


@rule
def core_public_headers_include_the_standard_library_only(tree):
    """Nobody who links the client is forced onto a Boost; <ranges> costs every user its time."""
    for path, text in tree.items():
        if not path.startswith(PUBLIC) or not is_cpp(path):
            continue
        for number, name, angled in includes(text):
            if name == "ranges":
                yield f"{path}:{number}: <ranges> in a public header"
            elif name in STANDARD or name.startswith("dfs/"):
                continue
            elif not (path.startswith(PUBLIC + "dfs/typed") and name.startswith(TYPED)):
                yield f"{path}:{number}: <{name}> in a public header; the standard library only"


@rule
def public_headers_are_visible_in_the_shared_library(tree):
    """Without DFS_API a program compiles and then does not link; <dfs/export.hpp> explains it."""
    for path, text in tree.items():
        if path.startswith(PUBLIC) and is_cpp(path):
            for number, line in enumerate(text.split("\n"), 1):
                if re.match(r"(inline )?namespace (dfs\b|DFS_API dfs::)", line):
                    yield f"{path}:{number}: namespace DFS_API dfs"


@rule
def file_names_say_a_noun(tree):
    """No word that fits every file; snake_case; .hpp and .cpp."""
    empty = {"manager", "handler", "helper", "util", "misc", "data", "info", "impl"}
    empty |= {word + "s" for word in empty} | {"utility", "utilities"}
    for path in tree:
        name = posixpath.basename(path)
        for word in re.split(r"[^a-z0-9]+", name.lower()):
            if word in empty:
                yield f"{path}: '{word}' names nothing; call the file after its one noun"
        if is_cpp(path) and not re.fullmatch(r"[a-z0-9_]+\.[hc]pp", name):
            yield f"{path}: file names are snake_case"
        if name.endswith((".h", ".hh", ".hxx", ".cc", ".cxx", ".c++", ".inl", ".ipp")):
            yield f"{path}: .hpp and .cpp are the endings of C++ here"


@rule
def top_level_is_short(tree):
    """What stands there is the table of contents; dot files are for tools."""
    for top in sorted({path.split("/")[0] for path in tree}):
        if top not in TOP and not top.startswith("."):
            yield f"{top}: not one of {', '.join(sorted(TOP))}"


@rule
def tests_do_not_sleep(tree):
    """A sleep is a guess at a duration: too short somewhere, too long everywhere else."""
    in_cpp = re.compile(r"\bsleep_(for|until)\b|\bu[s]leep\s*\(|\b(clock_)?nano[s]leep\s*\("
                        r"|(?<![\w.>:])(::)?sleep\s*\(\s*[^)\s]|\"[^\"]*\bsleep\s+[\d.]")
    in_python = re.compile(r"\bsleep\s*\(")
    in_shell = re.compile(r"(^|[;&|({`]|\b(do|then|else)\s)\s*sleep\s")
    for path, text in tree.items():
        if is_cpp(path):
            kind, lines = in_cpp, lines_without_comments(text)
        elif path.endswith(".py"):
            kind, lines = in_python, text.split("\n")
        elif path.endswith(".sh") or text.startswith("#!/bin/sh") or text.startswith("#!/bin/bash"):
            kind, lines = in_shell, text.split("\n")
        else:
            continue
        if not path.startswith("tests/"):
            continue
        for number, line in enumerate(lines, 1):
            if kind.search(line):
                yield f"{path}:{number}: a test waits for what it waits for, never for a time"


@rule
def nothing_is_left_for_later(tree):
    """What is not done is said in the changelog or not at all; no test is switched off."""
    marks = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b|\bDISAB[L]ED_")
    for path, text in tree.items():
        for number, line in enumerate(text.split("\n"), 1):
            if marks.search(line):
                yield f"{path}:{number}: {line.strip()}"


@rule
def headers_say_what_they_are(tree):
    """A header begins with the comment that says what it is, then #pragma once."""
    for path, text in tree.items():
        if not path.endswith(".hpp"):
            continue
        lines = text.split("\n")
        if not lines[0].startswith("//"):
            yield f"{path}:1: no comment that says what the file is"
        code = next((line for line in lines if line.strip() and not line.startswith("//")), "")
        if code.strip() != "#pragma once":
            yield f"{path}: #pragma once follows the file's comment"


@rule
def no_path_of_one_machine(tree):
    """Paths of somebody's own machine mean nothing on another."""
    own = re.compile(r"(?<![\w.}*])/(home|Users)/\w|(?<![\w.}*)])/(root|work)/|/tmp/[b]uild")
    for path, text in tree.items():
        for number, line in enumerate(text.split("\n"), 1):
            if own.search(line):
                yield f"{path}:{number}: a path of one machine: {line.strip()[:80]}"


def anchors(text):
    """The names that headings of a Markdown text can be linked by."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*$", re.sub(r"```.*?```", "", text, flags=re.S), re.M):
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return found


@rule
def links_in_documents_resolve(tree):
    """A relative link names a file of the tree, or a folder of it, or a heading."""
    folders = {posixpath.dirname(path) for path in tree}
    folders |= {posixpath.dirname(folder) for folder in folders} | {""}
    for path, text in tree.items():
        if not path.endswith(".md"):
            continue
        blank = lambda match: re.sub(r"[^\n]", " ", match[0])
        prose = re.sub(r"```.*?```|`[^`\n]*`", blank, text, flags=re.S)
        for number, line in enumerate(prose.split("\n"), 1):
            for link in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", link):
                    continue
                file, _, anchor = link.partition("#")
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
                target = path if not file else "" if target == "." else target
                if target not in tree and target not in folders:
                    yield f"{path}:{number}: there is no {link}"
                elif anchor and target.endswith(".md") and anchor not in anchors(tree[target]):
                    yield f"{path}:{number}: {target} has no heading #{anchor}"


def sizes(tree):
    """Not a law: what is longer than it should be, so that somebody asks which noun is second."""
    report = []
    for path, text in tree.items():
        if not is_cpp(path) or path.startswith("tests/"):
            continue
        lines = text.split("\n")
        limit = 150 if path.endswith(".hpp") else 400
        if len(lines) > limit:
            report.append(f"{path}: {len(lines)} lines, more than {limit}")
        begin = None
        for number, line in enumerate(lines, 1):
            opening = re.match(r"( {0,4})(?! |}|namespace|class|struct|enum|union|extern|#|//)", line)
            if begin is None and opening and line.rstrip().endswith("{") and "(" in line + lines[
                    max(0, number - 2)]:
                begin, indent = number, opening[1]
            elif begin is not None and line.startswith(indent + "}"):
                if number - begin - 1 > 70:
                    report.append(f"{path}:{begin}: a function of {number - begin - 1} lines, "
                                  "more than 70")
                begin = None
    return report
