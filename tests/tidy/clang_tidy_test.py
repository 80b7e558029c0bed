"""clang_tidy.py is shown to fail on planted complaints, and to say the file and line of each."""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import clang_tidy  # pylint: disable=wrong-import-position

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

HEADER = "#pragma once\n\nstruct Gate {\n  int width;\n};\n"
SOURCE = """#include "daemon/gate.hpp"

namespace {

int half(Gate gate) { return gate.width / 2; }

}  // namespace

int NAME(Gate gate) { return half(gate); }
"""
# Two sources that mean two things by one name, and so are no unit, and one that agrees with both.
CONTENT = {
    "daemon/gate.hpp": HEADER,
    "daemon/gate.cpp": SOURCE.replace("NAME", "passed"),
    "daemon/wall.cpp": SOURCE.replace("NAME", "broken"),
    "daemon/moat.cpp": '#include "daemon/gate.hpp"\n\nint depth(Gate of) { return of.width; }\n',
}


def tidied(files):
    """The exit code and the output for these files."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(ROOT, ".clang-tidy"), root)
        os.makedirs(os.path.join(root, "libclient/include/dfs"))
        entries = []
        for path, text in files.items():
            whole = os.path.join(root, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "w", encoding="utf-8") as file:
                file.write(text)
            if path.endswith(".cpp"):
                command = f"c++ -std=c++20 -I{root} -O2 -c {whole}"
                entries.append({"directory": root, "file": whole, "command": command})
        with open(os.path.join(root, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump(entries, file)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = clang_tidy.main(root, root)
        return code, output.getvalue()


@unittest.skipUnless(os.environ.get("CI") or shutil.which(clang_tidy.CLANG_TIDY),
                     "clang-tidy is not installed (.apt-packages has it)")
class ClangTidy(unittest.TestCase):

    def complains(self, files, *expected):
        """Of each line that is expected once, and of nothing else."""
        code, output = tidied({**CONTENT, **files})
        self.assertEqual(code, 1, output)
        for line in expected:
            self.assertEqual(output.count(line), 1, output)
        self.assertIn(f"{len(expected)} complaints", output)

    def test_content_sources_pass_in_as_few_units_as_compile(self):
        code, output = tidied(CONTENT)
        self.assertEqual(code, 0, output)
        self.assertEqual(output, "4 sources in 3 units, 0 complaints\n")

    def test_a_name_in_a_source_has_its_file_and_line(self):
        self.complains({"daemon/moat.cpp": CONTENT["daemon/moat.cpp"] + "\nint TooDeep = 3;\n"},
                       "daemon/moat.cpp:5:5: error: invalid case style for variable 'TooDeep'")

    def test_what_the_analyzer_finds_has_its_file_and_line(self):
        torn = "\nint torn() {\n  int* none = nullptr;\n  return *none;\n}\n"
        self.complains({"daemon/wall.cpp": CONTENT["daemon/wall.cpp"] + torn},
                       "daemon/wall.cpp:13:10: error: Dereference of null pointer")

    def test_a_header_is_complained_of_once(self):
        text = HEADER + "\ninline int* nobody() { return 0; }\n"
        self.complains({"daemon/gate.hpp": text}, "daemon/gate.hpp:7:31: error: use nullptr")

    def test_a_source_that_does_not_compile_has_its_file_and_line(self):
        self.complains({"daemon/moat.cpp": "\nint crossed() { return moat; }\n"},
                       "daemon/moat.cpp:2:24: error: use of undeclared identifier 'moat'")

    def test_includes_have_their_line_too(self):
        text = "#include <vector>\n" + CONTENT["daemon/moat.cpp"] + "#include <string.h>\n"
        self.complains({"daemon/moat.cpp": text},
                       "daemon/moat.cpp:5:10: error: inclusion of deprecated C++ header 'string.h'")


if __name__ == "__main__":
    unittest.main(verbosity=2)
