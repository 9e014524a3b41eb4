"""All folders stay true, also those nobody has open, and what that costs: told by NOTIFY, or found out
by LIST-STATUS; over several connections, or over one where the server has no room for more."""

import re
import time
import unittest

import mailgen
from dovecot import Dovecot
from postern import DONE, Postern, main
from proxy import Proxy
from terminal import Terminal

NO_NOTIFY = "IMAP4rev1 SASL-IR IDLE ENABLE CONDSTORE ESEARCH LIST-EXTENDED LIST-STATUS SPECIAL-USE"
ONE_LINE = "protocol imap {\n  mail_max_userip_connections = 1\n}\n"
WAIT = 30


def mail(subject):
    return mailgen.one("plain", subject=subject, date=mailgen.NOW)


class Screen:
    """INBOX is on the screen; another client works on Work and Lists."""

    options = {}

    def setUp(self):
        self.server = self.enterContext(Dovecot(count=100, **self.options))
        self.other = self.server.client()
        self.addCleanup(self.other.shutdown)
        for name in ("Work", "Lists"):
            self.other.create(name)
        for number in range(30):
            self.other.append("Work", "", None, mail(f"Work {number}"))
        self.postern = self.enterContext(Postern(self.server.url, ca=self.server.ca))
        self.terminal = self.enterContext(Terminal(
            self.postern.command(), self.postern.environment, size=(100, 30)))
        self.terminal.wait("1/100")
        self.until("Work", lambda rows: len(rows) == 30)

    def until(self, folder, wanted):
        """Until what is kept of FOLDER is as WANTED; a second process looks, without a line."""
        end = time.monotonic() + WAIT
        while True:
            done = self.postern.run("--offline", "--json", "list", folder, log=False)
            rows = done.rows if done.status == DONE else []
            if wanted(rows):
                return rows
            if time.monotonic() > end:
                self.fail(f"{folder}: {rows}\n{self.postern.log()}")
            time.sleep(0.1)

    def until_logged(self, words):
        end = time.monotonic() + WAIT
        while words not in self.postern.log():
            self.assertLess(time.monotonic(), end, self.postern.log())
            time.sleep(0.05)

    def said(self, words):
        """By the line the person looks through."""
        return re.findall(rf" imap test C: [A-Z]+\d+ {words}", self.postern.log())


class Told(Screen, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.until_logged("OK NOTIFY completed")

    def test_new_mail_in_any_folder(self):
        self.other.append("Lists", "", None, mail("For the list"))
        self.until("Lists", lambda rows: [row["subject"] for row in rows] == ["For the list"])
        self.other.append("Work", "", None, mail("More work"))
        self.until("Work", lambda rows: len(rows) == 31)
        self.other.append("Lists", "", None, mail("Again"))
        self.until("Lists", lambda rows: len(rows) == 2)
        folders = {row["name"]: row for row in self.postern.rows("--offline", "folders")}
        self.assertEqual((folders["Lists"]["total"], folders["Lists"]["unread"]), (2, 2))
        self.assertEqual(self.said("SELECT (?!INBOX)"), [], "the person's line stays where it is")

    def test_what_another_client_does(self):
        self.other.select("Work")
        self.other.store("1:10", "+FLAGS", "\\Seen")
        self.until("Work", lambda rows: sum("\\Seen" in row["flags"] for row in rows) == 10)
        self.other.store("11:15", "+FLAGS", "\\Deleted")
        self.other.expunge()
        self.until("Work", lambda rows: len(rows) == 25)
        self.other.store("1", "+FLAGS", "\\Flagged")
        self.until("Work", lambda rows: sum("\\Flagged" in row["flags"] for row in rows) == 1)

    def test_a_new_folder(self):
        self.other.create("Fresh")
        self.other.append("Fresh", "", None, mail("In a new folder"))
        self.until("Fresh", lambda rows: len(rows) == 1)


class NotTold(Screen, unittest.TestCase):
    options = dict(capability=NO_NOTIFY)

    def test_inbox_is_listened_to_while_another_is_open(self):
        self.terminal.keys("c")
        self.terminal.type("Work")
        self.terminal.keys("Enter")
        self.terminal.wait("Work 29")
        self.until_logged(" imap test listening S: + idling")
        self.other.append("INBOX", "", None, mail("While I am at work"))
        self.until("INBOX", lambda rows: len(rows) == 101)
        self.assertEqual(len(self.said("SELECT INBOX")), 1)


class OneLine(Screen, unittest.TestCase):
    """A server with no room for a second one; the person hears nothing of it."""

    options = dict(extra=ONE_LINE)

    def setUp(self):
        # Who looks on from outside must find room: nobody does while the program runs.
        self.server = self.enterContext(Dovecot(count=100, **self.options))
        self.postern = self.enterContext(Postern(self.server.url, ca=self.server.ca))
        self.terminal = self.enterContext(Terminal(
            self.postern.command(), self.postern.environment, size=(100, 30)))
        self.terminal.wait("1/100")

    def test_it_is_all_done_on_that(self):
        self.until_logged("does without a listening line")
        text = self.terminal.wait("connected")
        self.assertNotIn("Maximum number", text)
        self.terminal.keys("Enter")
        self.terminal.wait(re.compile("^ *Subject", re.M))


class Cost(unittest.TestCase):
    def commands(self, log):
        """Behind the login."""
        behind = log[log.rindex(" logged in by "):]
        return re.findall(r" imap test C: [A-Z]+\d+ (\S+)", behind)

    def test_of_a_sync_with_nothing_new(self):
        with Dovecot(mail=mailgen.sample(), mechanisms="plain") as server, \
                Proxy(server.imap, rtt_ms=30, record=True) as line, \
                Postern(f"imap+insecure://{server.user}@127.0.0.1:{line.port}") as postern:
            for _ in range(2):
                self.assertEqual(postern.run("sync").status, DONE)
            line.connections.clear()
            before = len(postern.log())
            done = postern.run("sync")
            said = bytes(line.connections[0].record)
            commands = self.commands(postern.log()[before:])
        self.assertEqual(done.status, DONE, done)
        self.assertEqual(commands, ["ID", "LIST", "LOGOUT"])
        size = len(said) - said.index(b"Logged in")
        folders = said.count(b"* STATUS ")
        print(f"\n  nothing new in {folders} folders: {size} bytes behind the login; "
              f"{done.text.strip()}", flush=True)
        self.assertEqual(len(line.connections), 1)
        self.assertLessEqual(size, 400 + 200 * folders)
        self.assertLessEqual(line.turns, 3)     # the login, LIST, LOGOUT

    def test_of_a_sync_of_one_change(self):
        """Only that folder is opened."""
        with Dovecot(mail=mailgen.sample(), mechanisms="plain") as server, \
                Postern(server.insecure_url) as postern:
            for _ in range(2):
                self.assertEqual(postern.run("sync").status, DONE)
            client = server.client()
            client.append("Sent", "", None, mail("One more"))
            client.logout()
            before = len(postern.log())
            self.assertEqual(postern.run("sync").status, DONE)
            opened = re.findall(r" C: [A-Z]+\d+ SELECT \"?([^\" ]+)", postern.log()[before:])
            self.assertEqual(opened, ["Sent"])
            self.assertEqual(postern.rows("--offline", "list", "Sent", "--limit", "1")[0]["subject"],
                             "One more")


if __name__ == "__main__":
    main()
