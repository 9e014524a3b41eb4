"""A person walks through folders, messages, parts and help, with nothing but a store."""

import os
import re
import signal
import sqlite3
import unittest

import postern
from screen import fill, filled, offline, running


class Walk(unittest.TestCase):
    def test_folder_list_message_parts_help_and_out(self):
        with filled(300) as program, offline(program) as terminal:
            screen = terminal.wait("1/300")
            self.assertIn("INBOX  300 messages", screen)
            self.assertIn("offline", screen)

            terminal.keys("y")
            screen = terminal.wait("Unread")
            for name in ("INBOX", "Sent", "Trash"):
                self.assertRegex(screen, rf"(?m)^ {name} +\d+ +\d+$")
            terminal.keys("j", "Enter")
            terminal.wait("There are no messages here.")
            terminal.keys("c")
            terminal.wait("Open folder:")
            terminal.type("inb")
            terminal.keys("Tab")
            terminal.wait("Open folder: INBOX")
            terminal.keys("Enter")
            terminal.wait("1/300")

            terminal.keys("j", "j")
            terminal.wait("3/300")
            terminal.keys("Enter")
            # The last line of a frame: what stands above it has been drawn.
            screen = terminal.wait(re.compile(r"3/300  \d+%"))
            self.assertRegex(screen, r"(?m)^From: ")
            self.assertRegex(screen, r"(?m)^Subject: ")
            terminal.keys("j")                          # mutt's: the next message
            terminal.wait(re.compile(r"4/300  \d+%"))
            terminal.keys("v")
            terminal.wait(re.compile(r"text/plain"))
            terminal.keys("?")
            screen = terminal.wait("Parts of the message")
            self.assertIn("Save this part to a file", screen)
            terminal.keys("q", "q", "i")
            terminal.wait(re.compile(r"4/300$", re.M))
            terminal.keys("q")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertEqual(terminal.stderr(), "")

    def test_moving_reaches_both_ends(self):
        with filled(300) as program, offline(program, size=(80, 24)) as terminal:
            terminal.wait("1/300")
            for key, position in (("NPage", 22), ("PPage", 1), ("z", 22), ("Z", 1), ("*", 300),
                                  ("=", 1), ("End", 300), ("Home", 1), ("Down", 2), ("k", 1),
                                  ("k", 1), ("G", 300), ("j", 300), ("[", 290), ("]", 300)):
                terminal.keys(key)
                terminal.wait(re.compile(rf" {position}/300$", re.M))

    def test_next_unread_goes_round(self):
        with filled(300) as program, offline(program) as terminal:
            terminal.wait("1/300")
            seen, at = [], 1
            for _ in range(120):
                terminal.keys("Tab")
                screen = terminal.wait(lambda text: f" {at}/300" not in text and "/300" in text)
                at = int(re.search(r" (\d+)/300", screen).group(1))
                seen.append(at)
                if "Went on from the top" in screen:
                    break
            self.assertIn("Went on from the top", screen)
            self.assertEqual(seen[:-1], sorted(set(seen[:-1])))
            terminal.keys("BTab")
            terminal.wait(re.compile(rf" {seen[-2]}/300$", re.M))

    def test_commands_by_name(self):
        with filled(300) as program, offline(program) as terminal:
            terminal.wait("1/300")
            terminal.keys(":")
            terminal.type("pa")
            terminal.keys("Tab")
            terminal.wait("page-down  page-up  parts")
            terminal.keys("Tab", "Tab")
            terminal.wait(":page-up")
            terminal.keys("C-u")
            terminal.type("la")
            terminal.keys("Enter")
            terminal.wait("300/300")
            terminal.keys(":")
            terminal.type("nonsense")
            terminal.keys("Enter")
            terminal.wait("there is no command “nonsense”")
            terminal.keys(":")
            terminal.type("save")
            terminal.keys("Enter")
            terminal.wait("“save” does not work here")
            terminal.keys(":")
            terminal.type("change-folder Se")
            terminal.keys("Tab")
            terminal.wait(":change-folder Sent")
            terminal.keys("Enter")
            terminal.wait("Sent  0 messages")
            terminal.keys(":")
            terminal.wait(re.compile(r"^:$", re.M))
            terminal.keys("Escape")
            terminal.wait(re.compile(r"^:$", re.M), absent=True)
            terminal.keys(":")
            terminal.type("quit")
            terminal.keys("Enter")
            self.assertEqual(terminal.wait_exit(), 0)

    def test_every_key_in_help_does_not_break_it(self):
        keys = ["j", "k", "NPage", "PPage", "Home", "End", "Space", "-", "[", "]", "h", "v", "Enter",
                "Tab", "BTab", "C-l", "F5", "y", "=", "*", "$", "^", "G", "BSpace", "Left", "Right",
                "F1", "q", "s", "Escape", "@", "ü", "汉", "F12", "IC"]
        with filled(30) as program, offline(program) as terminal:
            terminal.wait("1/30")
            for place in ([], ["Enter"], ["v"], ["y"], ["?"], ["Enter", "v", "Enter"]):
                for key in keys:
                    terminal.keys(*place, key, "Escape", "Escape")
                terminal.keys(*("i" for _ in range(8)))
            terminal.keys("Escape", "Escape")
            terminal.keys(":")
            terminal.type("quit")
            terminal.keys("Enter")
            self.assertEqual(terminal.wait_exit(60), 0)

    def test_a_folder_named_on_the_command_line(self):
        with filled(30) as program:
            fill(program, 44, "other")
            with offline(program, "other") as terminal:
                terminal.wait("other  44 messages")

    def test_an_empty_data_directory(self):
        with postern.Postern("imaps://ada@localhost:9") as program, offline(program) as terminal:
            terminal.wait("INBOX was never read while connected.")
            terminal.keys("y")
            terminal.wait("No folders are known yet.")
            terminal.keys("j", "Enter", "q", "Enter")
            terminal.wait("There is no message here.")
            terminal.keys("q")
            self.assertEqual(terminal.wait_exit(), 0)

    def test_a_damaged_database_is_set_aside_and_said(self):
        with filled(30) as program:
            path = os.path.join(program.data, "mail.db")
            with open(path, "r+b") as file:
                file.write(b"this is no database" * 100)
            with offline(program) as terminal:
                terminal.wait("set aside")
                self.assertTrue([n for n in os.listdir(program.data) if "set-aside" in n])
                terminal.keys("q")
                self.assertEqual(terminal.wait_exit(), 0)

    def test_a_newer_database_is_refused_in_a_sentence(self):
        with filled(30) as program:
            with sqlite3.connect(os.path.join(program.data, "mail.db")) as database:
                database.execute("PRAGMA user_version = 99999")
            with offline(program) as terminal:
                self.assertEqual(terminal.wait_exit(), postern.FAILED)
                self.assertIn("newer", terminal.stderr())

    def test_text_that_was_never_fetched_is_not_pretended(self):
        with filled(300) as program, offline(program) as terminal:
            terminal.wait("1/300")
            terminal.keys("*", "Enter")
            terminal.wait("Not here: this was never read while connected.")

    def test_signals_leave_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with filled(30) as program, offline(program) as terminal:
                terminal.wait("1/30")
                for pid in running(program):
                    os.kill(pid, number)
                terminal.wait_exit()
                self.assertTrue(left_clean(terminal.raw()), number)

    def test_control_c_leaves(self):
        with filled(30) as program, offline(program) as terminal:
            terminal.wait("1/30")
            terminal.keys("C-c")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertTrue(left_clean(terminal.raw()))

    def test_without_a_terminal_it_says_so(self):
        with filled(30) as program:
            done = program.run("--offline")
            self.assertEqual(done.status, postern.USAGE)
            self.assertIn("needs a terminal", done.err)
            self.assertEqual(done.out, b"")

    def test_an_unknown_terminal_is_refused_in_a_sentence(self):
        for term in ("dumb", "no-such-terminal"):
            with filled(30) as program, offline(program, term=term) as terminal:
                self.assertEqual(terminal.wait_exit(), postern.USAGE)
                self.assertIn(f"terminal of type “{term}”", terminal.stderr())


def left_clean(raw):
    """The alternate screen, if taken, was left, and the cursor shown."""
    return raw.rfind(b"\x1b[?1049l") >= raw.rfind(b"\x1b[?1049h") and \
        max(raw.rfind(b"\x1b[?25h"), raw.rfind(b"\x1b[?12l\x1b[?25h"),
            raw.rfind(b"\x1b[34h\x1b[?25h")) > raw.rfind(b"\x1b[?25l")


if __name__ == "__main__":
    postern.main()
