"""The manual pages say what the programs take, all of it and nothing else.

    man_pages_test.py PAGES SOURCE      PAGES: where they were made; SOURCE: what they were made of
The programs are named by DFSCTL and DFS_DAEMON. 77 where no scdoc was there to make the pages.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

PAGES, SOURCE = sys.argv[1:3]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
COMMON = {"--help", "--version"}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def page(name):
    with open(f"{SOURCE}/{name}.scd.in", encoding="utf-8") as file:
        return file.read()


def section(text, heading):
    return re.search(rf"(?ms)^# {heading}$(.*?)(?=^# |\Z)", text)[1]


def entries(text):
    """Each entry of a list, `*name* ...` and what is indented under it, by its first word."""
    found = {}
    for head, body in re.findall(r"(?m)^(\*[^\n]+)\n((?:\t[^\n]*\n)+)", text):
        found[re.match(r"\*([\w-]+)\*", head)[1]] = head + "\n" + body
    return found


def options_of(*command):
    return set(OPTION.findall(re.sub(r"(?s)\nADDRESS .*", "", output(*command, "--help"))))


class ManPages(unittest.TestCase):
    maxDiff = None

    def test_dfsd_has_every_option(self):
        documented = set(OPTION.findall(section(page("dfsd.8"), "OPTIONS")))
        self.assertEqual(documented, options_of(os.environ["DFS_DAEMON"]))

    def test_config_has_every_setting(self):
        printed = output(os.environ["DFS_DAEMON"], "--print-config", "none.db")
        settings = set(re.findall(r"(?m)^(?:# ?)?([a-z_]+) = ", printed))
        self.assertIn("memory_limit", settings)
        self.assertEqual(set(entries(section(page("dfsd.toml.5"), "SETTINGS"))), settings)

    def test_dfsctl_has_every_command_and_option(self):
        program, text = os.environ["DFSCTL"], page("dfsctl.1")
        general = section(text, "OPTIONS")
        self.assertEqual(set(OPTION.findall(general)), options_of(program))
        listed = re.search(r"(?ms)^Subcommands:\n(.*?)\n\n", output(program, "--help"))[1]
        commands = re.findall(r"(?m)^  ([a-z]+)", listed)
        documented = {}
        for heading in re.findall(r"(?m)^# ([\w ]*COMMANDS[\w ]*)$", text):
            documented |= entries(section(text, heading))
        self.assertEqual(sorted(documented), sorted(commands))
        for command in commands:
            taken = options_of(program, command) - COMMON
            self.assertEqual(set(OPTION.findall(documented[command])), taken, command)

    def test_pages_render_without_a_warning(self):
        pages = [path for path in glob.glob(PAGES + "/*.[1-9]")]
        self.assertEqual(len(pages), len(glob.glob(SOURCE + "/*.scd.in")))
        for path in pages:
            if not shutil.which("man"):
                self.skipTest("no man")
            shown = subprocess.run(["man", "--warnings", "-l", path], stdout=subprocess.PIPE, check=True,
                                   stderr=subprocess.PIPE, text=True,
                                   env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
            self.assertEqual(shown.stderr, "", path)
            self.assertIn("SEE ALSO", shown.stdout, path)


def main():
    if not glob.glob(PAGES + "/*.[1-9]"):
        print("skipped: no pages, since scdoc was not there to make them")
        return 77
    del sys.argv[1:]
    return 0 if unittest.main(verbosity=2, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
