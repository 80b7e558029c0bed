"""Each rule is shown to fail on a planted breach, and to let pass what only looks like one."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import rules  # pylint: disable=wrong-import-position
import tidy  # pylint: disable=wrong-import-position
import tree  # pylint: disable=wrong-import-position

# Files that planted ones may include.
WORLD = {
    path: "// What it is.\n#pragma once\n" for path in (
        "common/base/result.hpp", "common/os/file.hpp", "common/log/line.hpp",
        "common/index/view.hpp", "common/wire/ring.hpp", "libclient/session.hpp",
        "libclient/include/dfs/store.hpp", "libclient/include/dfs/error.hpp", "daemon/writer.hpp",
        "cli/command.hpp")
}
SLEEP = "sl" + "eep"

# rule -> (path, text, must it complain). Marks that other rules look for are put together here.
PLANTED = {
    "includes_go_one_way": [
        ("common/base/a.cpp", '#include "common/os/file.hpp"', True),
        ("common/os/a.cpp", '#include "common/base/result.hpp"', False),
        ("common/os/a.cpp", '#include "common/log/line.hpp"', True),
        ("common/log/a.cpp", '#include "common/index/view.hpp"', True),
        ("common/index/a.cpp", '#include "common/wire/ring.hpp"', True),
        ("common/wire/a.cpp", '  #  include "common/log/line.hpp"', True),
        ("common/wire/a.cpp", '#include "common/os/file.hpp"', False),
        ("common/wire/a.cpp", '#include "libclient/session.hpp"', True),
        ("common/base/a.cpp", "#include <dfs/error.hpp>", False),
        ("common/base/a.cpp", "#include <dfs/store.hpp>", True),
        ("common/os/a.cpp", "#include <dfs/error.hpp>", True),
        ("daemon/a.cpp", '#include "libclient/session.hpp"', True),
        ("daemon/a.cpp", "#include <dfs/store.hpp>", True),
        ("daemon/a.cpp", '#include "common/log/line.hpp"', False),
        ("libclient/a.cpp", '#include "daemon/writer.hpp"', True),
        ("libclient/a.cpp", "#include <dfs/store.hpp>", False),
        ("libclient/a.cpp", "#include <dfs/nothing.hpp>", True),
        ("libclient/a.cpp", '#include "session.hpp"', True),
        ("libclient/a.cpp", '#include "libclient/include/dfs/store.hpp"', True),
        ("libclient/include/dfs/a.hpp", '#include "libclient/session.hpp"', True),
        ("cli/a.cpp", '#include "libclient/session.hpp"', False),
        ("libclient/a.cpp", '#include "cli/command.hpp"', True),
        ("tests/log/a_test.cpp", '#include "daemon/writer.hpp"', False),
    ],
    "only_common_os_includes_system_headers": [
        ("daemon/a.cpp", "#include <sys/mman.h>", True),
        ("daemon/a.cpp", "#include <unistd.h>", True),
        ("cli/a.cpp", "#include <csignal>", True),
        ("bench/a.cpp", "#include <signal.h>", True),
        ("libclient/a.cpp", "#include <poll.h>", True),
        ("common/log/a.cpp", "#include <fcntl.h>", True),
        ("common/wire/a.cpp", "#include <linux/futex.h>", True),
        ("common/index/a.cpp", "#include <boost/interprocess/mapped_region.hpp>", True),
        ("libclient/a.cpp", "#include <pwd.h>", True),
        ("daemon/a.cpp", "#include <cereal/cereal.hpp>", True),
        ("common/wire/a.cpp", "#include <cereal/cereal.hpp>", False),
        ("common/os/a.cpp", "#include <sys/mman.h>", False),
        ("common/os/a.cpp", "#include <boost/interprocess/mapped_region.hpp>", False),
        ("daemon/a.cpp", "#include <vector>", False),
        ("daemon/a.cpp", "// #include <unistd.h> is not for us", False),
        ("tests/os/a_test.cpp", "#include <unistd.h>", False),
    ],
    "core_public_headers_include_the_standard_library_only": [
        ("libclient/include/dfs/a.hpp", "#include <ranges>", True),
        ("libclient/include/dfs/a.hpp", "#include <boost/json.hpp>", True),
        ("libclient/include/dfs/a.hpp", "#include <unistd.h>", True),
        ("libclient/include/dfs/typed.hpp", "#include <boost/json.hpp>", False),
        ("libclient/include/dfs/typed.hpp", "#include <boost/asio.hpp>", True),
        ("libclient/include/dfs/a.hpp", "#include <span>\n#include <dfs/store.hpp>", False),
        ("libclient/a.hpp", "#include <ranges>", False),
    ],
    "public_headers_are_visible_in_the_shared_library": [
        ("libclient/include/dfs/a.hpp", "namespace dfs {", True),
        ("libclient/include/dfs/a.hpp", "namespace DFS_API dfs {", False),
        ("libclient/a.hpp", "namespace dfs {", False),
    ],
    "file_names_say_a_noun": [
        ("daemon/session_manager.cpp", "", True),
        ("common/base/utils.hpp", "", True),
        ("libclient/store-impl.cpp", "", True),
        ("cli/info.cpp", "", True),
        ("daemon/Writer.cpp", "", True),
        ("daemon/writer.cc", "", True),
        ("common/os/file.h", "", True),
        ("daemon/handles.cpp", "", False),
        ("tests/data/users.db", "", False),
    ],
    "top_level_is_short": [
        ("cmake/warnings.cmake", "", True),
        ("notes.txt", "", True),
        (".editorconfig", "", False),
        ("docs/design.md", "", False),
    ],
    "tests_do_not_sleep": [
        ("tests/os/a_test.cpp", f"std::this_thread::{SLEEP}_for(1s);", True),
        ("tests/os/a_test.cpp", f"std::this_thread::{SLEEP}_until(t);", True),
        ("tests/os/a_test.cpp", f"  u{SLEEP} (100);", True),
        ("tests/os/a_test.cpp", f"  ::{SLEEP}(1);", True),
        ("tests/os/a_test.cpp", f'  run("{SLEEP} 1");', True),
        ("tests/os/a_test.cpp", f"  wire::{SLEEP}(word);  // {SLEEP}(1)", False),
        ("tests/os/a_test.cpp", "EXPECT_TRUE(page.asleep(1));", False),
        ("tests/a.py", f"time.{SLEEP}(1)", True),
        ("tests/a.sh", f"while true; do {SLEEP} 1; done", True),
        ("tests/a.sh", f"a && {SLEEP} 0.1", True),
        ("tests/a.sh", f"echo no {SLEEP} here", False),
        ("common/os/clock.cpp", f"::{SLEEP}(1);", False),
    ],
    "nothing_is_left_for_later": [
        ("daemon/a.cpp", "// TO" + "DO: later", True),
        ("docs/a.md", "FIX" + "ME", True),
        ("tests/os/a_test.cpp", "TEST(File, DISABLED" + "_reads)", True),
        ("daemon/a.cpp", "// todos los dias", False),
    ],
    "headers_say_what_they_are": [
        ("daemon/a.hpp", "#pragma once\n", True),
        ("daemon/a.hpp", "// What it is.\n#ifndef A\n", True),
        ("daemon/a.hpp", "// What it is.\n\n#include <vector>\n#pragma once\n", True),
        ("daemon/a.hpp", "// What it is.\n#pragma once\n", False),
        ("daemon/a.cpp", "int a;\n", False),
    ],
    "no_path_of_one_machine": [
        ("test.sh", "cd /ho" + "me/eve/dfs", True),
        ("docs/a.md", "`/wo" + "rk/main`", True),
        ("daemon/a.cpp", 'open("/ro' + 'ot/users.db")', True),
        ("docs/a.md", "see ../wo" + "rk/main and /run/dfs/NAME/socket", False),
    ],
    "links_in_documents_resolve": [
        ("docs/a.md", "[log](log-format.md)", True),
        ("docs/a.md", "[writer](../daemon/writer.hpp) and [docs](../docs/)", False),
        ("docs/a.md", "[web](https://example.org/x) `[not](alink)`", False),
        ("docs/a.md", "# Two words\n[here](#two-words)", False),
        ("docs/a.md", "# Two words\n[here](#three-words)", True),
        ("docs/a.md", "```\n[not](alink)\n```\n[bad](nowhere)", True),
    ],
}


class Rules(unittest.TestCase):

    def test_every_rule_has_a_breach_and_a_look_alike(self):
        for name in rules.RULES:
            verdicts = {complains for _, _, complains in PLANTED[name]}
            self.assertEqual(verdicts, {True, False}, name)

    def test_breaches_are_found_and_look_alikes_pass(self):
        for name, plants in PLANTED.items():
            for path, text, complains in plants:
                with self.subTest(rule=name, path=path, text=text):
                    found = list(rules.RULES[name]({**WORLD, path: text}))
                    self.assertEqual(bool(found), complains, found)
                    self.assertTrue(all(path.split("/")[0] in line for line in found), found)

    def test_sizes_are_reported(self):
        body = "void f() {\n" + "  g();\n" * 71 + "}\n"
        self.assertEqual(len(rules.sizes({"daemon/a.cpp": body})), 1)
        self.assertEqual(len(rules.sizes({"daemon/a.cpp": body.replace("  g();\n", "", 1)})), 0)
        self.assertEqual(len(rules.sizes({"daemon/a.hpp": "\n" * 151})), 1)
        self.assertEqual(len(rules.sizes({"daemon/a.cpp": "\n" * 400})), 1)

    def test_unformatted_source_is_found(self):
        if not tidy.shutil.which("clang-format-14"):
            self.assertEqual(tidy.check_format({}), tidy.missing("clang-format-14"))
            return
        with tempfile.TemporaryDirectory() as root:
            for text, verdict in (("int a;\n", 0), ("int   a ;\n", 1)):
                with open(os.path.join(root, "a.cpp"), "w", encoding="utf-8") as file:
                    file.write(text)
                tidy.ROOT, root_before = root, tidy.ROOT
                self.assertEqual(tidy.check_format({"a.cpp": text}), verdict)
                tidy.ROOT = root_before

    def test_a_tool_that_is_missing_fails_in_ci_only(self):
        before = os.environ.pop("CI", None)
        self.assertEqual(tidy.missing("a tool"), tidy.SKIPPED)
        os.environ["CI"] = "true"
        self.assertEqual(tidy.missing("a tool"), 1)
        del os.environ["CI"]
        if before is not None:
            os.environ["CI"] = before

    def test_the_tree_is_seen_with_and_without_git(self):
        self.assertIn("tests/tidy/rules.py", tree.walked(tidy.ROOT))
        self.assertIn("tests/tidy/rules.py", tree.load(tidy.ROOT))


if __name__ == "__main__":
    unittest.main()
