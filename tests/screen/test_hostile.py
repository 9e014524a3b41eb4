"""Everything a stranger can write, at the worst it can be: none of it reaches the terminal."""

import base64
import os
import re
import unittest

import mailgen
import postern
from dovecot import Dovecot
from mailgen import Message
from postern import Postern
from screen import strange
from terminal import Terminal

# Each would do something to a terminal that let it through; the number tells that it was this.
EVIL = "".join([
    "\x1b[31337m", "\x1b]0;31337\x07", "\x1b]52;c;MzEzMzc=\x07", "\x1bP31337\x1b\\", "\x1b_31337\x1b\\",
    "\x1b^31337\x1b\\", "\x1bc", "\x1b[2J", "\x1b[?1049l", "\x1b(0", "\x0e31337\x0f", "\x9b31337m",
    "\x9d0;31337\x9c", "\x9031337\x9c", "\x85", "\x07", "\x08\x08\x08", "\x00", "\x7f", "\x0b\x0c",
    "\u202e31337\u202c", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c", "\u202a\u202b\u202d",
    "\u2028\u2029", "\U000e0041\U000e007f", "\u200b\u2060\ufeff\u00ad", "Z" + "\u0301" * 200,
])


def word(text):
    """Encoded words hide controls from a server that would look for them."""
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def evil_message(number):
    name = "".join("%%%02X" % byte for byte in ("../../etc/" + EVIL + ".txt").encode())
    raw = "\r\n".join([
        f"From: {word('Eve ' + EVIL)} <eve@example.com>", f"To: {word(EVIL)} <ada@example.org>",
        f"Cc: {word(EVIL)} <c@example.org>", f"Reply-To: {word(EVIL)} <r@example.org>",
        f"Subject: {word(f'evil {number} ' + EVIL)}", f"X-Evil: {word(EVIL)}",
        "Date: Mon, 2 Jan 2023 10:00:00 +0000", "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"', "", "--b",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
        base64.encodebytes(f"begin\n{EVIL}\nend\n".encode()).decode().replace("\n", "\r\n"), "--b",
        "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: base64",
        "Content-Disposition: inline", "",
        base64.encodebytes(f"<p>html {EVIL} &#27;[31337m &#x9b;31337m &#x202e;</p>".encode())
        .decode().replace("\n", "\r\n"), "--b",
        f"Content-Type: application/x-{'evil'}", f"Content-Description: {word(EVIL)}",
        f"Content-Disposition: attachment; filename*=utf-8''{name}",
        "Content-Transfer-Encoding: base64", "", "ZXZpbA==", "--b",
        "Content-Type: text/plain; charset=x-none; name*=utf-8''" + name,
        "Content-Disposition: attachment", "", "other", "--b--", ""]).encode()
    return Message(raw, mailgen.START)


def evil_bytes():
    """The same as raw bytes, in what has no charset at all."""
    raw = (b"From: eve@example.com\r\nSubject: raw \x9b31337m\xc2\x9b31337m\x1b[31337m \x07\r\n"
           b"Date: Mon, 2 Jan 2023 09:00:00 +0000\r\nContent-Type: text/plain\r\n"
           b"Content-Transfer-Encoding: 8bit\r\n\r\n"
           b"\x1b[31337m \x9b31337m \x85 \xc2\x85 \xff\xfe \x1b]0;31337\x07 \r bare\r\n")
    return Message(raw, mailgen.START)


def mutf7(text):
    def shifted(match):
        data = base64.b64encode(match.group().encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
        return f"&{data.decode()}-"
    return re.sub("[^\x20-\x7e]+", shifted, text.replace("&", "&-")).encode()


class Hostile(unittest.TestCase):
    def check(self, terminal):
        raw = terminal.raw()
        self.assertEqual(strange(raw), [])
        self.assertIn(b"[31337m", raw)      # it came, and was harmless
        self.assertNotRegex(raw, rb"\x1b\[?31337|\x1b[]P_^c]")

    def test_nothing_gets_through_anywhere(self):
        mail = [evil_message(1), evil_message(2), evil_bytes()]
        for locale in ("C.UTF-8", "C"):
            with self.subTest(locale), Dovecot(mail=mail) as server, \
                    Postern(server.url, ca=server.ca) as program:
                client = server.client()
                made = [client.create(b'"evil%d %s"' % (number, mutf7(name)))[0] for number, name in
                        enumerate(("\x9b31337m", "\u202eevil\u202c", "\x1b[31337m", "tab\there"))]
                self.assertIn("OK", made)
                client.logout()
                with Terminal(program.command(), environment=program.environment, locale=locale,
                              size=(120, 40)) as terminal:
                    self.walk(terminal, program)
                    self.check(terminal)

    def walk(self, terminal, program):
        terminal.wait("INBOX  3 messages")
        terminal.wait("evil 1")
        for position in (1, 2, 3):
            terminal.keys("Enter")
            terminal.wait(re.compile(r"^From: ", re.M))
            terminal.wait("Fetching...", absent=True)
            terminal.keys("h", "C-l")
            terminal.wait("Content-Type: ")
            terminal.keys("End", "Home", "v")
            terminal.wait("text/plain")
            terminal.keys("j", "Enter", "C-l", "End", "q", "j", "j", "s")
            terminal.wait("Save to: " if position < 3 else re.compile("Save to: |whole"))
            terminal.keys("Escape", "q", "q")
            terminal.wait(re.compile(rf" {position}/3$", re.M))
            terminal.keys("j")
        terminal.keys("y")
        terminal.wait("evil1")
        terminal.keys("C-l", "q", "c")
        terminal.wait("Open folder:")
        terminal.type("evil")
        terminal.keys("Tab", "Tab", "Tab", "Enter")
        terminal.wait(re.compile("^ evil", re.M))
        terminal.keys(":")
        terminal.wait(re.compile("^:", re.M))
        terminal.keys("Escape", "q")
        self.assertEqual(terminal.wait_exit(), 0)

    def test_a_file_name_is_one_component_and_tame(self):
        with Dovecot(mail=[evil_message(1)]) as server, \
                Postern(server.url, ca=server.ca) as program, \
                Terminal(program.command(), environment=program.environment,
                         size=(160, 30)) as terminal:
            terminal.wait("1/1")
            directory = os.path.join(program.dir, "here")
            os.mkdir(directory)
            terminal.keys("v")
            terminal.wait("application/x-evil")
            terminal.keys("j", "j", "j")
            terminal.wait("4/5")
            terminal.keys("s", "C-u")
            terminal.type(directory)
            terminal.keys("Enter")
            terminal.wait("Saved ")
            names = os.listdir(directory)
            self.assertEqual(len(names), 1)
            self.assertNotRegex(names[0], "[\x00-\x1f\x7f-\x9f\u202e/]|^[.-]")
            self.assertLessEqual(len(names[0].encode()), 255)
            with open(os.path.join(directory, names[0])) as file:
                self.assertEqual(file.read(), "evil")
            self.check(terminal)


if __name__ == "__main__":
    postern.main()
