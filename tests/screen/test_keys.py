"""Keys: the three keymaps, sequences and counts, what the configuration changes, commands of one's own."""

import re
import unittest

from screen import filled, offline


def configured(program, text):
    with open(program.config) as file:
        account = file.read()
    program.configure(account + text)


class Keys(unittest.TestCase):
    def test_vim(self):
        with filled(300) as program:
            configured(program, "[screen]\nkeymap = vim\n")
            with offline(program, size=(80, 24)) as terminal:
                terminal.wait("1/300")
                for typed, position in (("5j", 6), ("2k", 4), ("G", 300), ("gg", 1), ("42G", 42),
                                        ("7gg", 7)):
                    terminal.type(typed)
                    terminal.wait(re.compile(rf" {position}/300$", re.M))
                terminal.type("3d")
                terminal.wait(re.compile(r"3d$", re.M))
                terminal.keys("Escape")
                terminal.wait(re.compile(r"3d$", re.M), absent=True)
                terminal.type("gx")
                terminal.wait("gx does nothing here; ? shows what does")
                terminal.type("dd")
                terminal.wait("7/299")
                terminal.type("l")
                terminal.wait(re.compile(r"7/299  \d+%"))
                terminal.type("h")
                terminal.wait(re.compile(r"7/299$", re.M))
                terminal.keys("?")
                self.assertRegex(terminal.wait("Message list"), r"(?m)^ *g,g Home +Go to the first line")
                terminal.type("ZZ")
                self.assertEqual(terminal.wait_exit(), 0)

    def test_alpine(self):
        with filled(300) as program:
            configured(program, "[screen]\nkeymap = alpine\n")
            with offline(program, size=(80, 24)) as terminal:
                terminal.wait("1/300")
                terminal.type("nNn")                # either case
                terminal.wait("4/300")
                terminal.type(">")
                terminal.wait(re.compile(r"4/300  \d+%"))
                terminal.type("p")
                terminal.wait(re.compile(r"3/300  \d+%"))
                terminal.type("<")
                terminal.wait(re.compile(r"3/300$", re.M))
                terminal.type("L")
                terminal.wait("Unread")
                terminal.type("Q")
                self.assertEqual(terminal.wait_exit(), 0)

    def test_what_the_configuration_changes(self):
        with filled(300) as program:
            configured(program, "[keys]\nundo = Ctrl-U\n[keys list]\nlast = e\ndown = j,j\n"
                                "[command away]\nrun = flag; tag; tag; delete\n"
                                "keys = g,x\nwhere = list\nsentence = Both of them\n"
                                "[command ask]\nrun = tag; move; last\nkeys = g,m\n"
                                "[command for-ever]\nrun = down; for-ever\nkeys = g,y\n")
            with offline(program, size=(80, 24)) as terminal:
                terminal.wait("1/300")
                terminal.type("e")
                terminal.wait("300/300")
                terminal.keys("Home")
                terminal.type("jjjj")
                terminal.wait("3/300")
                terminal.type("gx")
                terminal.wait("/298")
                terminal.keys("C-u")
                terminal.wait("/300")
                # What asks is waited for, and what is left of it is forgotten when it is given up.
                terminal.keys("Home")
                terminal.type("gm")
                terminal.wait("Move to:")
                terminal.type("Sent\r")
                terminal.wait("299/299")
                terminal.keys("Home")
                terminal.type("gm")
                terminal.wait("Move to:")
                terminal.keys("Escape")
                terminal.wait(re.compile(r" 2/299$", re.M))
                terminal.type("gy")
                terminal.wait("Stopped: these commands run each other for ever.")
                terminal.keys("?")
                self.assertRegex(terminal.wait("Message list"), r"Go to the last line")
                terminal.keys("End")
                terminal.wait(re.compile(r"g,x +Both of them \(:away\)"))

    def test_slips_are_told_with_their_line(self):
        for text, says in (("[keys]\narchiv = x\n", "did you mean “archive”"),
                           ("[keys here]\narchive = x\n", "there is no place “here”"),
                           ("[keys]\narchive = Foo\n", "“Foo” is no key"),
                           ("[screen]\nkeymap = emacs\n", "keymap is one of mutt, vim, alpine"),
                           ("[command Bad]\nrun = quit\n", "is no name for a command")):
            with filled(3) as program:
                configured(program, text)
                with offline(program) as terminal:
                    self.assertEqual(terminal.wait_exit(), 2)
                    self.assertRegex(terminal.stderr(), r"/config:\d+: ")
                    self.assertIn(says, terminal.stderr())


if __name__ == "__main__":
    unittest.main()
