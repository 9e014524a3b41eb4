"""Changing mail from the screen: flags, tags, moves, undo, the queue; what is shown at once, and what the
server then has."""

import re
import time
import unittest

import postern
from dovecot import Dovecot
from postern import Postern
from terminal import Terminal
from test_server import online, simple

MAILS = 12


class Case(unittest.TestCase):
    def setUp(self):
        self.server = Dovecot(mail=[simple(n) for n in range(1, MAILS + 1)])
        self.addCleanup(self.server.stop)
        self.server.start()
        self.program = Postern(self.server.url, ca=self.server.ca)
        self.addCleanup(self.program.__exit__)

    def there(self, folder):
        """Subjects of what the server has, with flags."""
        client = self.server.client()
        try:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return None
            data = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        finally:
            client.logout()
        found = {}
        for part in data:
            if isinstance(part, tuple):
                flags = re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1).decode().split()
                found[int(re.search(rb"number (\d+)", part[1]).group(1))] = set(flags) - {"\\Recent"}
        return found

    def until(self, claim):
        """Waits for the server to have what CLAIM wants."""
        end = time.monotonic() + 30
        while not claim():
            if time.monotonic() > end:
                self.fail("the server never had it")
            time.sleep(0.05)


class Online(Case):
    def test_flags_show_at_once_and_reach_the_server(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("F")
            terminal.wait(re.compile(r"^N!.*number 12", re.M))
            terminal.keys("N")     # the next line: 11
            terminal.wait(re.compile(r"^  .*number 11", re.M))
            self.until(lambda: self.there("INBOX")[12] == {"\\Flagged"})
            self.until(lambda: self.there("INBOX")[11] == {"\\Seen"})
            terminal.keys("w")
            terminal.wait("Keywords")
            terminal.type("+work")
            terminal.keys("Enter")
            terminal.wait("work subject number 10")
            self.until(lambda: "work" in self.there("INBOX")[10])
            terminal.keys("k", "w")
            terminal.wait("Keywords (now work;")
            terminal.type("-work +one +two")
            terminal.keys("Enter")
            terminal.wait("one two subject number 10")
            terminal.keys("u")
            terminal.wait("Taken back:")
            terminal.wait("work subject number 10")
            terminal.keys("C-r")
            self.until(lambda: all("\\Seen" in flags for flags in self.there("INBOX").values()))

    def test_reading_marks_as_read(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.keys("Enter")
            terminal.wait("The text of number 12.")
            terminal.keys("q")
            terminal.wait(re.compile(r"^  .*number 12", re.M))
            self.until(lambda: "\\Seen" in self.there("INBOX")[12])

    def test_what_changes_on_the_message_on_show_is_seen_there(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("Enter")
            terminal.wait("The text of number 12.")
            terminal.keys("F")
            terminal.wait("Marked as important; u takes it back.")
            terminal.wait(re.compile(rf"important  1/{MAILS}"))
            terminal.keys("N")
            terminal.wait("Marked as unread; u takes it back.")
            terminal.wait(re.compile(rf"important, unread  1/{MAILS}"))
            terminal.keys("w")
            terminal.wait("Keywords (+")
            terminal.type("+work")
            terminal.keys("Enter")
            terminal.wait(re.compile("^Keywords: work", re.M))
            terminal.keys("u")
            terminal.wait("Taken back: put the keyword work on 1 message.")
            terminal.wait(re.compile("^Keywords: work", re.M), absent=True)
            terminal.keys("u", "u")
            terminal.wait("Taken back: marked 1 message as important.")
            self.until(lambda: self.there("INBOX")[12] == {"\\Seen"})

    def test_undo_goes_to_what_came_back(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("j", "t", "t", "t", "d")
            terminal.wait("3 messages moved to Trash; u takes it back.")
            terminal.keys("End")
            terminal.wait(f"{MAILS - 3}/{MAILS - 3}")
            terminal.keys("u")
            terminal.wait(f"/{MAILS}")
            terminal.wait(re.compile(rf"[1-4]/{MAILS}$", re.M))    # their dates are all the same
            terminal.keys("Enter")
            terminal.wait(re.compile("The text of number (9|10|11)[.]"))

    def test_who_comes_back_to_a_folder_is_where_they_were(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.keys("j", "j", "j")
            terminal.wait(f" 4/{MAILS}")
            for folder, at in ("Trash", "0/0"), ("INBOX", f" 4/{MAILS}"):
                terminal.keys("c")
                terminal.wait("Open folder:")
                terminal.type(folder)
                terminal.keys("Enter")
                terminal.wait(at)

    def test_what_comes_to_nothing_is_said(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("s")
            terminal.wait("Move to:")
            terminal.type("zzz")
            terminal.keys("Tab")
            terminal.wait("nothing begins like this")
            terminal.keys("C-u", "Enter")
            terminal.wait("Nothing was typed, and nothing done.")
            terminal.keys("T")
            terminal.wait("Tag what matches")
            terminal.type("before:2020")
            terminal.keys("Enter")
            terminal.wait("there is no pattern before:")

    def test_delete_and_undo(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("d")
            terminal.wait("u takes it back")
            terminal.wait(f"1/{MAILS - 1}")
            self.until(lambda: 12 not in self.there("INBOX") and 12 in (self.there("Trash") or {}))
            terminal.keys("u")
            terminal.wait(f"/{MAILS}")
            terminal.wait("number 12")
            self.until(lambda: 12 in self.there("INBOX") and not self.there("Trash"))

    def test_keys_typed_ahead_are_about_one_message_each(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.type("dddd")
            terminal.wait(f"/{MAILS - 4}")
            terminal.keys("End")
            terminal.type("dd")
            terminal.wait(f"/{MAILS - 6}")
            self.until(lambda: set(self.there("Trash") or ()) == {12, 11, 10, 9, 2, 1})

    def test_tags_and_a_move(self):
        client = self.server.client()
        client.create("Elsewhere")
        client.logout()
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("t", "t")
            terminal.wait("2 tagged")
            terminal.keys("T")
            terminal.wait("Tag what matches")
            terminal.type("subject:number is:unread from:bob 5")
            terminal.keys("Enter")
            terminal.wait("3 messages are tagged.")
            terminal.keys("V", "j", "V")
            terminal.wait("5 messages are tagged.")
            terminal.keys("s")
            terminal.wait("Move to:")
            terminal.type("Else")
            terminal.keys("Tab", "Enter")
            terminal.wait("5 messages moved to Elsewhere; u takes it back.")
            terminal.wait(f"/{MAILS - 5}")
            self.until(lambda: set(self.there("Elsewhere")) == {12, 11, 10, 9, 5})
            terminal.keys("u")
            terminal.wait(f"/{MAILS}")
            self.until(lambda: len(self.there("INBOX")) == MAILS and not self.there("Elsewhere"))

    def test_folders_are_made_renamed_and_deleted(self):
        with online(self.program) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.keys("y")
            terminal.wait("INBOX")
            terminal.keys("C")
            terminal.wait("Name of the new folder")
            terminal.type("Zebra")
            terminal.keys("Enter")
            terminal.wait(re.compile(r"^ *Zebra", re.M))
            self.until(lambda: self.there("Zebra") is not None)
            terminal.keys("*", "r")
            terminal.wait("New name")
            terminal.keys("C-u")
            terminal.type("Zoo")
            terminal.keys("Enter")
            terminal.wait(re.compile(r"^ *Zoo", re.M))
            self.until(lambda: self.there("Zoo") is not None and self.there("Zebra") is None)
            terminal.keys("d")
            terminal.wait("(y/n)")
            terminal.keys("y")
            terminal.wait(re.compile(r"^ *Zoo", re.M), absent=True)
            self.until(lambda: self.there("Zoo") is None)


class Offline(Case):
    def test_changes_wait_in_the_queue_and_survive(self):
        client = self.server.client()
        client.create("Trash")
        client.logout()
        self.assertEqual(self.program.run("sync").status, postern.DONE)
        with Terminal(self.program.command("--offline"),
                      environment=self.program.environment) as terminal:
            terminal.wait(f"1/{MAILS}")
            terminal.keys("d")
            terminal.wait(f"1/{MAILS - 1}")
            terminal.wait("1 waiting")
            terminal.keys("F")
            terminal.wait("2 waiting")
            terminal.keys("W")
            terminal.wait("Move “")
            terminal.wait("to Trash")
            terminal.wait("as important")
            terminal.keys("q", "q")
            self.assertEqual(terminal.wait_exit(), 0)
        self.assertEqual(len(self.there("INBOX")), MAILS)
        with Terminal(self.program.command("--offline"),
                      environment=self.program.environment) as terminal:
            terminal.wait(f"1/{MAILS - 1}")
            terminal.keys("u")
            terminal.wait("1 waiting")
            terminal.keys("q")
            self.assertEqual(terminal.wait_exit(), 0)
        with online(self.program) as terminal:
            terminal.wait(re.compile("^ connected", re.M))
            self.until(lambda: set(self.there("Trash")) == {12})
            self.until(lambda: self.there("INBOX")[11] == set())


if __name__ == "__main__":
    postern.main()
