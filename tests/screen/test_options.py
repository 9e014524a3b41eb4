"""Options: shown and changed by :set, completed, saved, and read anew when the configuration changes."""

import re
import unittest

from screen import filled, offline


class Options(unittest.TestCase):
    def say(self, terminal, line):
        terminal.type(":")
        terminal.wait(re.compile(r"^:", re.M))
        terminal.type(line + "\r")

    def test_set_shows_changes_completes_and_saves(self):
        with filled(30) as program, offline(program, size=(80, 24)) as terminal:
            terminal.wait("1/30")
            self.say(terminal, "set keymap?")
            terminal.wait("keymap=mutt")
            self.say(terminal, "set kemap=vim")
            terminal.wait("there is no option “kemap”: did you mean “keymap”?")
            self.say(terminal, "set keymap=emacs")
            terminal.wait("keymap is one of mutt, vim, alpine")
            terminal.type(":set ke")
            terminal.keys("Tab")
            terminal.wait(":set keymap=")
            terminal.type("v")
            terminal.keys("Tab", "Enter")
            terminal.wait("keymap=vim")
            terminal.type("gg3j")
            terminal.wait("4/30")
            self.say(terminal, "save-options")
            terminal.wait("1 option was written to")
            with open(program.config) as file:
                self.assertIn("[screen]\nkeymap = vim\n", file.read())
            self.say(terminal, "save-options")
            terminal.wait("says all of it already")
            self.say(terminal, "set")
            terminal.wait("keymap=vim  Which keys say what")
            terminal.type("q")
            self.say(terminal, "set keymap&")
            terminal.wait("keymap=mutt")

    def test_the_configuration_is_read_again_when_it_changes(self):
        with filled(30) as program, offline(program, size=(80, 24)) as terminal:
            terminal.wait("1/30")
            with open(program.config) as file:
                before = file.read()
            program.configure(before + "[keys]\nlast = e\n")
            terminal.wait("The configuration was read again.")
            terminal.type("e")
            terminal.wait("30/30")
            program.configure(before + "[keys]\nlsat = e\n")
            terminal.wait(re.compile(r"did you\s+mean\s+“last”"))
            terminal.keys("Home")
            terminal.wait(re.compile(r" 1/30$", re.M))
            terminal.type("e")                      # what was right stays
            terminal.wait("30/30")
            program.configure(before + "[account more]\nimap = imaps://a@example.org\n")
            terminal.wait(re.compile(r"what it says of accounts"))
            terminal.keys("Home")
            terminal.wait(re.compile(r" 1/30$", re.M))
            terminal.type("e")
            terminal.wait("e does nothing here")


if __name__ == "__main__":
    unittest.main()
