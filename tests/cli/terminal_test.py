"""What a person sees at a terminal, and a program does not."""

import os
import re
import signal

from program import Screen, StoreTest

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class TerminalTest(StoreTest):

    def setUp(self):
        super().setUp()
        self.environment.pop("NO_COLOR", None)

    def shown(self, *arguments):
        return self.screen(*arguments).end()

    def front_page(self):
        return Screen([os.environ["DFSCTL"]], self.directory, self.environment).end()

    def test_without_a_command_the_first_ones_and_the_stores_are_shown(self):
        self.ok("set", "a", "1")
        page, code = self.front_page()
        self.assertEqual(code, 0)
        for command in ["set user/1", "get user/1", "list user/", "del user/1", "shell", "--help"]:
            self.assertIn(command, page)
        self.assertIn(os.path.realpath(self.path("users.db")), page)

    def test_the_first_commands_do_what_the_page_says(self):
        page = COLOUR.sub("", self.front_page()[0])
        for line in re.findall(r"  dfsctl (-s users.db (?:set|get|list|del) \S+(?: '.*')?)  ", page):
            words = [word.strip("'") for word in line.split()]
            self.assertEqual(self.raw(*words).code, 0, words)

    def test_elsewhere_no_command_is_wrong_usage(self):
        self.assertIn("which command?", self.refused(2))

    def test_tables_have_heads_at_a_terminal_and_tabs_elsewhere(self):
        self.ok("set", "a", "1")
        head, row = COLOUR.sub("", self.shown("clients")[0]).splitlines()
        self.assertEqual(head.split()[0], "connection")
        self.assertEqual(head.index("program"), row.index("dfsctl"))
        plain, = self.ok("clients").splitlines()
        self.assertEqual(len(plain.split("\t")), len(head.split()))

    def test_colours_only_at_a_terminal_that_wants_them(self):
        self.ok("set", "a", "1")
        self.assertRegex(self.shown("clients")[0], COLOUR)
        self.assertNotRegex(self.ok("clients"), COLOUR)
        self.environment["NO_COLOR"] = "1"
        self.assertNotRegex(self.shown("clients")[0], COLOUR)

    def test_data_is_the_same_at_a_terminal_and_elsewhere(self):
        self.ok("set", "a", '{"n":1.50}')
        for command in [["get", "a"], ["list"], ["dump"], ["count"], ["get", "a", "--meta"]]:
            self.assertEqual(self.shown(*command)[0].replace("\r\n", "\n"), self.ok(*command))

    def test_a_key_moves_no_cursor(self):
        self.assertNotIn("\x1b", self.shown("get", "a\x1b[2J")[0])

    def test_an_interrupt_at_a_question_leaves_the_text_in_its_file(self):
        self.ok("set", "a", "1")
        self.environment.update(EDITOR="sh -c 'echo {oops > \"$0\"'", TMPDIR=self.directory)
        self.environment.pop("VISUAL", None)
        screen = self.screen("edit", "a")
        question = screen.until("Edit it again? [Y/n] ")
        screen.type("\x03")
        rest, code = screen.end()
        self.assertEqual((rest.strip(), code), ("^C", -signal.SIGINT))
        file, = [name for name in os.listdir(self.directory) if name.endswith(".json")]
        self.assertEqual(self.read(file), b"{oops\n")
        self.assertIn(file, question)

    def test_edit_asks_and_opens_the_same_text_again(self):
        self.ok("set", "a", "1")
        self.write("editor", 'if [ -e once ]; then echo "[2]" > "$1"; else echo "[2" > "$1"; '
                   'touch once; fi')
        self.environment.update(EDITOR="sh editor", TMPDIR=self.directory)
        self.environment.pop("VISUAL", None)
        screen = self.screen("edit", "a")
        screen.until("[Y/n] ")
        screen.type("\n")
        self.assertEqual(screen.end()[1], 0)
        self.assertEqual(self.ok("get", "a"), "[2]\n")

    def test_edit_over_anothers_change_shows_it_first(self):
        self.ok("set", "a", "1")
        self.write("editor", f'[ -e once ] || "{os.environ["DFSCTL"]}" -s users.db set a 7 '
                   '> /dev/null; touch once; echo 2 > "$1"')
        self.environment.update(EDITOR="sh editor", TMPDIR=self.directory)
        self.environment.pop("VISUAL", None)
        screen = self.screen("edit", "a")
        self.assertIn("version 2 is 7", screen.until("[Y/n] "))
        screen.type("y\n")
        self.assertEqual(screen.end()[1], 0)
        self.assertEqual(self.ok("get", "a", "--meta").split(",")[1], '"version":3')

    def test_load_shows_how_far_it_is_and_takes_it_away(self):
        self.write("lines", "".join(f'{{"key":"k{i}","value":{i}}}\n' for i in range(2000)))
        shown, code = self.shown("load", "lines")
        self.assertEqual(code, 0)
        self.assertIn("lines\x1b[K", shown)
        self.assertTrue(shown.endswith("\r\x1b[K2000 set, 0 erased\r\n"), shown)
