"""What is kept: a whole account for reading without a line, however often it is cut on the way there."""

import os
import signal
import time
import unittest

import mailgen
from dovecot import Dovecot
from mailgen import Message
from postern import DONE, FAILED, NOT_NOW, Postern, main
from proxy import Proxy
from terminal import Terminal

ATTACHMENT = 3_000_000


def note(number, folder="INBOX"):
    raw = (f"From: Bob Brown <bob@example.com>\r\nTo: ada@example.org\r\n"
           f"Subject: note {number}\r\nMessage-ID: <{number}@example.com>\r\n\r\n"
           f"The text of note {number}.\r\n").encode()
    return Message(raw, mailgen.START, (), folder)


def big():
    return Message(mailgen.big_attachment(attachment_bytes=ATTACHMENT), mailgen.NOW)


class Cut(unittest.TestCase):
    def setUp(self):
        self.big = big()
        self.server = self.enterContext(Dovecot(mail=[note(1), self.big, note(2)]))
        self.line = self.enterContext(Proxy(self.server.imaps))
        self.postern = self.enterContext(Postern(
            f"imaps://ada@localhost:{self.line.port}", ca=self.server.ca))
        # The lists are here; what counts is the bodies.
        self.assertEqual(self.postern.run("sync").status, DONE)
        self.line.reset()

    def is_whole(self):
        shown = self.postern.run("--offline", "show", "INBOX", "2", "--raw")
        self.assertEqual(shown.status, DONE, shown)
        self.assertEqual(shown.out, self.big.raw)

    def test_a_line_cut_at_many_bytes_costs_the_bytes_once(self):
        for cut in (200_000, 300_001, 123_456, 1_000_000, 77_777, 654_321):
            self.line.cut_after = cut
            done = self.postern.run("sync", "--bodies", "all")
            self.assertEqual(done.status, NOT_NOW, done)
        self.line.cut_after = 0
        self.assertEqual(self.postern.run("sync", "--bodies", "all").status, DONE)
        self.is_whole()
        # The handshakes and lists of seven lines are in it, and what was in flight at a cut.
        self.assertLess(self.line.down, len(self.big.raw) * 1.1 + 7 * 20_000)
        self.assertEqual(self.postern.run("--offline", "show", "INBOX", "3").status, DONE)
        # All is here: no message is asked for again.
        self.line.reset()
        self.assertEqual(self.postern.run("sync", "--bodies", "all").status, DONE)
        self.assertLess(self.line.down, 20_000)

    def test_a_killed_process_costs_less_than_a_piece(self):
        for enough in (800_000, 1_700_000, 2_600_000):
            program = self.postern.start("sync", "--bodies", "all")
            until = time.monotonic() + 60
            # Slowly, so that there is something to cut short.
            self.line.rate = 2_000_000
            while self.line.down < enough and program.poll() is None:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)
            os.kill(program.pid, signal.SIGKILL)
            program.communicate()
        self.line.rate = 0
        self.assertEqual(self.postern.run("sync", "--bodies", "all").status, DONE)
        self.is_whole()
        # Of each try a piece of the store's (256 KiB), what the proxy and the sockets held, and two
        # pieces in flight may be lost.
        self.assertLess(self.line.down, len(self.big.raw) + 3 * 1_200_000)

    def test_a_limit_is_told_and_held(self):
        with open(self.postern.config, "a") as config:
            config.write("cache-size = 1M\n")
        done = self.postern.run("sync", "--bodies", "all")
        self.assertEqual(done.status, FAILED, done)
        self.assertIn("cache-size", done.err)


class Kept(unittest.TestCase):
    def test_the_screen_keeps_the_text_of_every_folder(self):
        mail = [note(n) for n in range(1, 30)] + [note(n, "lists/mutt") for n in range(30, 60)]
        mail.append(Message(mailgen.big_attachment(attachment_bytes=300_000), mailgen.NOW))
        with Dovecot(mail=mail) as server, \
                Postern(server.url, ca=server.ca, keep_text="all") as postern:
            with Terminal(postern.command(), postern.environment) as terminal:
                terminal.wait("INBOX")
                until = time.monotonic() + 60
                wanted = [("INBOX", str(n)) for n in (1, 29, 30)] + [("lists/mutt", "1")]
                while wanted:
                    self.assertLess(time.monotonic(), until, wanted)
                    time.sleep(0.1)
                    wanted = [one for one in wanted if postern.run(
                        "--offline", "show", *one, log=False).status != DONE]
                terminal.keys("q")
            # The attachment was not asked for.
            done = postern.run("--offline", "show", "INBOX", "30", "--part", "2")
            self.assertEqual(done.status, NOT_NOW, done)


if __name__ == "__main__":
    main()
