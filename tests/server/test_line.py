"""A bad line: cut, stalled, refused, and back again.  The screen stays true and usable."""

import datetime
import re
import unittest

import mailgen
from dovecot import Dovecot
from postern import DONE, NOT_NOW, Postern, main
from proxy import Proxy
from scripted import Scripted, Session
from terminal import Terminal


def message(subject, minutes=0):
    date = mailgen.NOW + datetime.timedelta(minutes=minutes)
    return mailgen.one("plain", subject=subject, date=date)


def deliver(server, subject, minutes=0, folder="INBOX"):
    """A new message, at the top of the list."""
    client = server.client()
    client.append(folder, "", None, message(subject, minutes))
    client.logout()


class Screen(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Dovecot(mail=mailgen.bulk(60)))
        deliver(self.server, "The first one", 1)
        self.line = self.enterContext(Proxy(self.server.imaps))
        self.postern = self.enterContext(Postern(
            f"imaps://ada@localhost:{self.line.port}", ca=self.server.ca))
        self.terminal = self.enterContext(Terminal(
            self.postern.command(), self.postern.environment, size=(100, 30)))
        self.terminal.wait("The first one")

    def test_new_mail_shows_by_itself(self):
        deliver(self.server, "The second one", 2)
        self.terminal.wait("The second one")

    def test_a_cut_line_comes_back_by_itself(self):
        self.line.cut()
        deliver(self.server, "While it was cut", 3)
        self.terminal.wait("While it was cut", 40)
        deliver(self.server, "And after", 4)
        self.terminal.wait("And after")

    def test_the_server_restarts(self):
        self.server.cut()
        deliver(self.server, "After the restart", 5)
        self.terminal.wait("After the restart", 40)

    def test_refused_is_shown_and_the_rest_is_usable(self):
        self.line.refuse()
        self.terminal.wait(re.compile("offline|waiting|retry|again|no line", re.I), 30)
        self.terminal.keys("j", "j", "k")
        self.terminal.wait("The first one")
        self.terminal.keys("?")
        self.terminal.wait(re.compile("help", re.I))
        self.terminal.keys("q")
        deliver(self.server, "Back again", 6)
        self.line.accept()
        self.terminal.wait("Back again", 60)
        self.terminal.keys("q")
        self.terminal.wait_exit(5)

    def test_quits_at_once_when_nothing_answers(self):
        self.server.freeze()
        try:
            self.terminal.keys("q")
            self.assertEqual(self.terminal.wait_exit(6), DONE)
        finally:
            self.server.thaw()


class Commands(unittest.TestCase):
    def test_a_cut_while_listing(self):
        with Dovecot(count=2000) as server, Proxy(server.imaps, cut_after=12000) as line, \
                Postern(f"imaps://ada@localhost:{line.port}", ca=server.ca) as postern:
            done = postern.run("sync", "INBOX")
            self.assertIn(done.status, (DONE, NOT_NOW), done)
            if done.status != DONE:
                self.assertEqual(len(done.err.strip().splitlines()), 1, done)
            line.cut_after = 0
            self.assertEqual(postern.run("sync", "INBOX").status, DONE)
            self.assertEqual(len(postern.rows("list", "INBOX", "--limit", "9999")), 2000)

    def test_sync_goes_on_where_it_stopped(self):
        """Cut again and again, it still ends, and does not begin anew each time."""
        with Dovecot(count=10_000) as server, \
                Proxy(server.imap, cut_after=1_500_000) as line, \
                Postern(f"imap+insecure://ada@127.0.0.1:{line.port}") as postern:
            for attempt in range(12):
                if postern.run("sync", "INBOX").status == DONE:
                    break
            else:
                self.fail("never done")
            self.assertEqual(len(postern.rows("--offline", "list", "INBOX", "--limit", "20000")),
                             10_000)
            self.assertLess(line.down, 14_000_000)

    def test_a_silent_server_has_a_deadline(self):
        """Its greeting never comes; the program says so (a short deadline for the tests would prove
        nothing, so this looks at what is said when the line ends)."""
        class Silent(Session):
            def greet(self):
                import time
                time.sleep(3)
                self.close()
        with Scripted(Silent) as server, Postern(server.url, ca=server.ca) as postern:
            done = postern.run("folders")
            self.assertEqual(done.status, NOT_NOW, done)
            self.assertEqual(len(done.err.strip().splitlines()), 1, done)

    def test_two_at_once(self):
        """One has the store, the other reads or is told so; neither harms the other."""
        with Dovecot(count=2000) as server, Postern(server.url, ca=server.ca) as postern:
            first = postern.start("sync", "INBOX")
            second = postern.run("list", "INBOX", "--limit", "5", "--json")
            first.communicate(timeout=120)
            statuses = (first.returncode, second.status)
            self.assertLessEqual(set(statuses), {DONE, NOT_NOW}, second)
            self.assertIn(DONE, statuses)
            self.assertEqual(len(postern.rows("list", "INBOX", "--limit", "9999")), 2000)


if __name__ == "__main__":
    main()
