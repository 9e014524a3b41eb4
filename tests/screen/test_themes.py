"""Themes: those there are, one's own, and terminals with fewer colours or none."""

import os
import re
import unittest

from screen import filled, offline


def set_theme(terminal, name):
    terminal.type(f":set theme={name}\r")
    terminal.wait(f"theme={name}")
    terminal.keys("j")
    return terminal.wait(re.compile(r"/30$", re.M))


class Themes(unittest.TestCase):
    def test_each_of_them_and_completion(self):
        with filled(30) as program, offline(program, size=(80, 24)) as terminal:
            terminal.wait("1/30")
            for name in ("dark", "light", "contrast", "mono", "terminal"):
                set_theme(terminal, name)
            terminal.type(":set theme=l")
            terminal.keys("Tab")
            terminal.wait(":set theme=light")
            terminal.keys("Enter")
            terminal.wait("theme=light")
            terminal.type(":set theme=nonsense\r")
            terminal.wait("there is no theme “nonsense”: there is contrast, dark, light, mono, terminal")

    def test_ones_own_with_a_tag_and_a_slip(self):
        with filled(30) as program:
            themes = os.path.join(os.path.dirname(program.config), "themes")
            os.mkdir(themes)
            own = os.path.join(themes, "own.theme")
            with open(own, "w") as file:
                file.write("[styles]\nbar = #ff0000 on 17\n[tags]\nwork = bright-green bold\n")
            with offline(program, size=(80, 24)) as terminal:
                terminal.wait("1/30")
                terminal.type("w+work\r")
                terminal.wait("work")
                raw = len(terminal.raw())
                set_theme(terminal, "own")
                drawn = terminal.raw()[raw:]
                self.assertRegex(drawn, rb"\x1b\[[0-9;]*38;5;196m")
                self.assertRegex(drawn, rb"\x1b\[[0-9;]*48;5;17m")
                self.assertRegex(drawn, rb"\x1b\[[0-9;]*(92|38;5;10)m")
                with open(own, "w") as file:
                    file.write("[styles]\nbra = red\n")
                terminal.type(":set theme=own\r")
                terminal.wait(re.compile(r"did\s+you\s+mean\s+“bar”"))

    def test_no_colour_where_none_is_wanted_or_had(self):
        for term, no_colour in (("xterm-256color", "1"), ("vt100", "")):
            with filled(30) as program:
                program.environment["NO_COLOR"] = no_colour
                with open(program.config) as file:
                    account = file.read()
                program.configure(account + "[screen]\ntheme = dark\n")
                with offline(program, size=(80, 24), term=term) as terminal:
                    terminal.wait("1/30")
                    terminal.keys("j")
                    terminal.wait("2/30")
                    self.assertNotRegex(terminal.raw(), rb"\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;[0-9]+)*m")

    def test_a_theme_that_is_not_there_is_told_at_the_start(self):
        with filled(3) as program:
            with open(program.config) as file:
                account = file.read()
            program.configure(account + "[screen]\ntheme = nonsense\n")
            with offline(program) as terminal:
                self.assertEqual(terminal.wait_exit(), 2)
                self.assertIn("there is no theme “nonsense”", terminal.stderr())


if __name__ == "__main__":
    unittest.main()
