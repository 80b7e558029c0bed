"""Runs one law of the house over the source tree: tidy.py RULE, or `sizes`, `format`, `--list`."""

import os
import shutil
import subprocess
import sys

import rules
import tree

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SKIPPED = 77  # as SKIP_RETURN_CODE in CMakeLists.txt


def missing(tool):
    """A tool that is not there is a reason to skip for a visitor, and a failure for CI."""
    print(f"{tool} is not installed (.apt-packages has it)")
    return 1 if os.environ.get("CI") else SKIPPED


def check_format(files):
    tool = "clang-format-14"
    if not shutil.which(tool):
        return missing(tool)
    sources = [path for path in files if rules.is_cpp(path)]
    return subprocess.run([tool, "--dry-run", "-Werror", *sources], cwd=ROOT, check=False).returncode


def main(arguments):
    if arguments == ["--list"]:
        print(";".join(["sizes", "format", *rules.RULES]))
        return 0
    [name] = arguments
    files = tree.load(ROOT)
    if name == "format":
        return check_format(files)
    if name == "sizes":
        print("\n".join(rules.sizes(files)) or "nothing is too long")
        return 0
    complaints = list(rules.RULES[name](files))
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{name}: {rules.RULES[name].__doc__}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
