"""The screen on a real server: reading, saving, news, and a line that fails."""

import os
import re
import stat
import time
import unittest

import mailgen
import postern
from dovecot import Dovecot
from mailgen import Message
from postern import Postern
from proxy import Proxy
from screen import frames
from scripted import Scripted, Session
from terminal import Terminal


def online(program, *arguments, **keywords):
    return Terminal(program.command(*arguments), environment=program.environment, **keywords)


def simple(number, folder="INBOX", flags=()):
    raw = (f"From: Bob Brown <bob@example.com>\r\nTo: ada@example.org\r\n"
           f"Subject: subject number {number}\r\nMessage-ID: <{number}@example.com>\r\n"
           f"Date: Mon, 2 Jan 2023 10:{number // 60:02}:{number % 60:02} +0000\r\n\r\n"
           f"The text of number {number}.\r\n").encode()
    return Message(raw, mailgen.START, flags, folder)


class Server(unittest.TestCase):
    def test_from_nothing_to_reading_and_saving(self):
        mail = [simple(n) for n in range(1, 40)] + [simple(50, "lists/mutt")]
        mail.append(Message(mailgen.big_attachment(text_bytes=2048, attachment_bytes=300_000),
                            mailgen.NOW))
        with Dovecot(mail=mail) as server, Postern(server.url, ca=server.ca) as program, \
                online(program) as terminal:
            terminal.wait("INBOX  40 messages, 40 unread")
            terminal.wait("connected")
            terminal.wait("1/40")

            terminal.keys("Enter")
            terminal.wait(re.compile(r"^From: ", re.M))
            terminal.wait("Fetching...", absent=True)
            terminal.keys("v")
            terminal.wait("text/plain")
            terminal.keys("End")
            terminal.wait(re.compile(r"(\d)/\1$", re.M))
            path = os.path.join(program.dir, "saved")
            terminal.keys("s", "C-u")
            terminal.type(path)
            terminal.keys("Enter")
            terminal.wait("Saved ")
            self.assertEqual(os.stat(path).st_size, 300_000)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

            terminal.keys("q", "q", "y")
            screen = terminal.wait("mutt")
            self.assertRegex(screen, r"(?m)^ INBOX +39 +40$")
            self.assertRegex(screen, r"(?m)^ +(lists/)?mutt +1 +1$")
            terminal.keys("c")
            terminal.type("lists/m")
            terminal.keys("Tab", "Enter")
            terminal.wait("subject number 50")
            terminal.keys("q")
            self.assertEqual(terminal.wait_exit(), 0)
            self.assertEqual(terminal.stderr(), "")

    def test_reading_marks_what_was_opened_and_no_other(self):
        with Dovecot(mail=[simple(n) for n in range(1, 4)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("1/3")
            terminal.keys("Enter")
            terminal.wait("The text of number 3.")
            client = server.client()
            client.select("INBOX", readonly=True)
            end = time.monotonic() + 30
            while client.search(None, "SEEN")[1] == [b""] and time.monotonic() < end:
                client.noop()
            self.assertEqual(client.search(None, "SEEN")[1], [b"3"])
            client.logout()

    def test_new_mail_shows_by_itself_and_the_selection_stays(self):
        with Dovecot(mail=[simple(n) for n in range(1, 60)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("1/59")
            terminal.keys("j", "j")
            terminal.wait("3/59")
            server.deliver([simple(70)])
            terminal.wait("subject number 70")
            terminal.wait("4/60")
            terminal.keys("Enter")
            terminal.wait("The text of number 57.")

    def test_all_headers_are_fetched_when_wanted(self):
        with Dovecot(mail=[simple(1)]) as server, Postern(server.url, ca=server.ca) as program, \
                online(program) as terminal:
            terminal.wait("1/1")
            terminal.keys("Enter")
            terminal.wait("The text of number 1.")
            self.assertNotIn("Message-ID", terminal.text)
            terminal.keys("h")
            terminal.wait("Message-ID: <1@example.com>")
            terminal.keys("h")
            terminal.wait("Message-ID", absent=True)

    def test_a_small_text_beside_a_big_attachment_is_cheap(self):
        mail = [Message(mailgen.big_attachment(text_bytes=2048, attachment_bytes=5 << 20),
                        mailgen.NOW)]
        with Dovecot(mail=mail) as server, Proxy(server.imaps) as line, \
                Postern(f"imaps://ada@localhost:{line.port}", ca=server.ca) as program, \
                online(program) as terminal:
            terminal.wait("1/1")
            terminal.wait(re.compile("^ connected +", re.M))
            before = line.down
            terminal.keys("Enter")
            terminal.wait(re.compile(r"^From: ", re.M))
            terminal.wait("Fetching...", absent=True)
            terminal.keys("End")
            terminal.wait(re.compile(r"\[part 2: .*M\]"))
            self.assertLess(line.down - before, 16 * 1024)

    def test_a_text_of_megabytes_is_read_and_rendered_aside(self):
        raw = ("From: bob@example.com\r\nSubject: megabytes\r\n\r\nthe first line\r\n" +
               "a line of ordinary text, and more of it\r\n" * 100_000).encode()
        with Dovecot(mail=[Message(raw, mailgen.NOW)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("megabytes")
            before = len(frames(program))
            terminal.keys("Enter")
            terminal.wait("the first line", seconds=60)
            # No frame read the text itself: of 4 MB there are hundreds of pieces.
            drawn = frames(program)[before:]
            self.assertLess(max(rows for _, _, rows in drawn), 40)
            terminal.keys("End")
            terminal.wait("100%")
            terminal.keys("q")
            terminal.wait("1/1")

    def test_a_line_that_breaks_is_shown_and_comes_back(self):
        with Dovecot(mail=[simple(n) for n in range(1, 30)]) as server, \
                Proxy(server.imaps) as line, \
                Postern(f"imaps://ada@localhost:{line.port}", ca=server.ca) as program, \
                online(program) as terminal:
            terminal.wait("1/29")
            terminal.wait("connected")
            line.refuse()
            terminal.wait("no line")
            terminal.keys("*")
            terminal.wait("29/29")
            line.accept()
            terminal.keys("F5")
            terminal.wait(re.compile("^ connected", re.M), seconds=60)
            terminal.keys("Enter")
            terminal.wait("The text of number 1.")

    def test_a_second_one_does_all_the_first_does(self):
        with Dovecot(mail=[simple(n) for n in range(1, 30)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as first:
            first.wait("1/29")
            first.wait("connected")
            with online(program) as second:
                second.wait("1/29")
                second.wait(re.compile("^ connected", re.M))
                second.keys("Enter")
                second.wait("The text of number 29.")
                second.keys("q")
                server.deliver([simple(31)])
                second.wait("subject number 31")
                first.wait("subject number 31")
                # And so does a command beside them.
                done = program.run("sync", "INBOX", "--bodies", "text")
                self.assertEqual(done.status, 0, done)
                second.keys("q")
                self.assertEqual(second.wait_exit(), 0)

    def test_the_open_folder_list_shows_what_happens(self):
        with Dovecot(mail=[simple(1), simple(2, "Archive")]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("1/1")
            terminal.wait(re.compile("^ connected", re.M))
            server.deliver([simple(3, "Archive")])
            terminal.keys("y")          # asks anew
            terminal.wait(re.compile(r"^ Archive +2 +2$", re.M))
            server.deliver([simple(4), simple(5, "Made just now")])
            terminal.wait(re.compile(r"^ INBOX +2 +2$", re.M))
            terminal.keys("F5")
            terminal.wait(re.compile(r"^ Made just now +1 +1$", re.M))
            # Opened again at once, it does not ask again.
            terminal.keys("q", "y", "q", "y")
            terminal.wait("Made just now")
            self.assertLessEqual(len(re.findall(r"C: A\d+ LIST ", program.log())), 3)

    def test_an_unknown_folder_leaves_one_where_one_is(self):
        with Dovecot(mail=[simple(1), simple(2, "Archive")]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("1/1")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("y")
            terminal.wait("Archive")
            terminal.keys("q", "c")
            terminal.type("Archvie")
            terminal.keys("Enter")
            screen = terminal.wait("There is no folder “Archvie”: did you mean “Archive”?")
            self.assertIn("subject number 1", screen)

    def test_a_folder_the_server_refuses_leaves_one_where_one_was(self):
        class Refusing(Session):
            folders = [*Session.folders, ("Ghost", "")]

            def on_select(self, tag, args):
                if "Ghost" in args:
                    self.no(tag, "[NOPERM] not for you")
                else:
                    super().on_select(tag, args)

        with Scripted(Refusing) as server, Postern(server.url, ca=server.ca) as program, \
                online(program) as terminal:
            terminal.wait("Hello")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("y")
            terminal.wait("Ghost")
            terminal.keys("q", "c")
            terminal.type("Ghost")
            terminal.keys("Enter")
            screen = terminal.wait("Ghost could not be opened:")
            self.assertIn("not for you", screen)
            self.assertIn(" INBOX  1 message", screen)
            self.assertIn("Hello", screen)

    def test_f5_says_what_it_does(self):
        with Dovecot(mail=[simple(n) for n in range(1, 30)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as terminal:
            terminal.wait("1/29")
            terminal.wait(re.compile("^ connected", re.M))
            terminal.keys("F5")
            terminal.wait("Trying the line again.")
            terminal.keys("y")
            terminal.wait("Trying the line again.", absent=True)
            terminal.keys("F5")
            screen = terminal.wait("Trying the line again.")
            self.assertIn("Unread", screen)
            terminal.keys("q")
            terminal.wait("1/29")
            terminal.wait(re.compile("^ connected", re.M))

    def test_a_second_one_takes_over_when_the_first_is_gone(self):
        with Dovecot(mail=[simple(n) for n in range(1, 30)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as first:
            first.wait("1/29")
            first.wait(re.compile("^ connected", re.M))
            with online(program) as second:
                second.wait(re.compile("^ connected", re.M))
                first.keys("q")
                self.assertEqual(first.wait_exit(), 0)
                second.wait("The other Postern is gone: this one has the line now.")
                second.wait(re.compile("^ connected", re.M))
                second.keys("Enter")
                second.wait("The text of number 29.")
                second.keys("q", "q")
                self.assertEqual(second.wait_exit(), 0)

    def test_a_second_one_takes_over_when_the_first_is_killed(self):
        with Dovecot(mail=[simple(n) for n in range(1, 30)]) as server, \
                Postern(server.url, ca=server.ca) as program, online(program) as first:
            first.wait(re.compile("^ connected", re.M))
            with online(program) as second:
                second.wait(re.compile("^ connected", re.M))
                first.kill()
                second.wait("The other Postern is gone: this one has the line now.")
                server.deliver([simple(31)])
                second.wait("subject number 31")
                second.keys("q")
                self.assertEqual(second.wait_exit(), 0)

    def test_a_wrong_password_is_said_and_the_screen_stays(self):
        with Dovecot(mail=[simple(1)]) as server, \
                Postern(server.url, ca=server.ca, password="wrong") as program, \
                online(program, size=(160, 30)) as terminal:
            terminal.wait("offline:")
            terminal.keys("y")
            terminal.wait("No folders are known yet.")
            terminal.keys("q", "q")
            self.assertEqual(terminal.wait_exit(), 0)


class Keys(unittest.TestCase):
    """Keys are answered at once whatever the line does: a frame a key, however long it hangs."""

    def press_and_count(self, program, terminal, presses):
        before = len(frames(program))
        for key, name, position in presses:
            terminal.keys(key)
            terminal.wait(position)
        drawn = [frame[1] for frame in frames(program)[before:] if frame[1] != "-"]
        self.assertEqual(drawn, [name for _, name, _ in presses])

    def test_with_the_server_stopped(self):
        with Dovecot(mail=[simple(n) for n in range(1, 101)]) as server, \
                Postern(server.url, ca=server.ca) as program, \
                online(program, size=(80, 24)) as terminal:
            terminal.wait("1/100")
            terminal.wait(re.compile("^ connected +", re.M))
            server.freeze()
            self.press_and_count(program, terminal, [
                ("NPage", "PgDn", "22/100"), ("*", "*", "100/100"), ("k", "k", "99/100"),
                ("Enter", "Enter", "Fetching..."), ("q", "q", re.compile(r" 99/100$", re.M)),
                ("Home", "Home", " 1/100"), ("y", "y", "Unread"), ("q", "q", "1/100"),
                ("?", "?", "Message list"), ("q", "q", "1/100")])
            server.thaw()
            terminal.keys("Enter")
            terminal.wait("The text of number 100.", seconds=90)

    def test_while_a_big_mailbox_fills_through_a_slow_line(self):
        with Dovecot(count=100_000) as server, \
                Proxy(server.imaps, rtt_ms=60, bytes_per_s=125_000) as line, \
                Postern(f"imaps://ada@localhost:{line.port}", ca=server.ca) as program, \
                online(program, size=(80, 24)) as terminal:
            terminal.wait("INBOX  100000 messages", seconds=60)
            terminal.wait(re.compile(r"1/(\d{3,6})$", re.M), seconds=60)    # the rest is coming in
            drawn = len(frames(program))
            for step in range(2, 22):
                terminal.keys("j")
                terminal.wait(re.compile(rf"(?<!\d){step}/\d+$", re.M))
            keys = [frame for frame in frames(program)[drawn:] if frame[1] == "j"]
            self.assertEqual(len(keys), 20)
            self.assertLess(max(rows for _, _, rows in keys), 60)
            # What the engine tells in the meantime is drawn, and not more often than it can be seen.
            begun, drawn = time.monotonic(), len(frames(program))
            with self.assertRaises(AssertionError):
                terminal.wait("never shown", seconds=2)
            self.assertLess(len(frames(program)) - drawn, 25 * (time.monotonic() - begun))
            terminal.keys("Enter")
            terminal.wait(re.compile(r"^From: ", re.M))
            terminal.wait("Fetching...", absent=True, seconds=20)


if __name__ == "__main__":
    postern.main()
