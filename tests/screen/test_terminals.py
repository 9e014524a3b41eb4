"""Every terminal, character set and size: nothing breaks, and columns line up."""

import re
import unittest

import postern
from screen import cells, filled, offline, strange
from terminal import Terminal

TERMINALS = ["vt100", "linux", "xterm-256color", "tmux-256color", "screen", "vt220"]


class Terminals(unittest.TestCase):
    def walk(self, terminal):
        """Every place there is, and back."""
        screens = [terminal.wait("1/300")]
        for keys, wanted in ((["NPage"], re.compile(r" \d\d/300")), (["="], " 1/300"),
                             (["Enter"], re.compile("^From: ", re.M)), (["v"], "text/plain"),
                             (["?"], "Parts of the message"), (["q", "q", "q"], "INBOX  300"),
                             (["y"], "Unread"), (["q"], "INBOX  300")):
            terminal.keys(*keys)
            screens.append(terminal.wait(wanted))
        return screens

    def test_a_walk_on_every_terminal_in_utf8(self):
        for term in TERMINALS:
            with self.subTest(term), filled(300) as program, \
                    offline(program, term=term, size=(80, 24)) as terminal:
                screens = self.walk(terminal)
                self.assertTrue(any("é" in screen or "ü" in screen for screen in screens))
                terminal.keys("q")
                self.assertEqual(terminal.wait_exit(), 0)
                self.assertEqual(strange(terminal.raw()), [])

    def test_a_walk_on_every_terminal_in_plain_ascii(self):
        for term in TERMINALS:
            with self.subTest(term), filled(300) as program, \
                    offline(program, term=term, size=(80, 24), locale="C") as terminal:
                screens = self.walk(terminal)
                self.assertTrue(any("?" in screen.split("\n", 1)[1] for screen in screens))
                terminal.keys("q")
                self.assertEqual(terminal.wait_exit(), 0)
                raw = terminal.raw()
                self.assertEqual(strange(raw), [])
                self.assertEqual([byte for byte in raw if byte >= 0x80], [])

    def test_columns_line_up_whatever_the_names_are(self):
        with filled(300) as program, offline(program, size=(120, 40)) as terminal:
            for _ in range(7):
                terminal.wait("/300")
                rows = [cells(line) for line in terminal.lines[1:38]]
                for row in rows:
                    row += [" "] * (120 - len(row))
                    self.assertEqual(row[3], " ", row)
                    self.assertEqual(row[16], " ", row)     # after the date
                    self.assertEqual(row[47], " ", row)     # after the sender
                    self.assertRegex(row[52], r"[0-9KM]")   # where sizes end
                    self.assertEqual(row[53:55], [" ", " "], row)
                    self.assertNotEqual(row[55], " ", row)  # where subjects begin
                terminal.keys("NPage")

    def test_resizes_keep_the_place_and_fill_the_screen(self):
        with filled(300) as program, offline(program, size=(120, 40)) as terminal:
            terminal.wait("1/300")
            terminal.keys("*", "k", "k")
            terminal.wait("298/300")
            for width, height in ((40, 10), (200, 60), (80, 24), (40, 10), (120, 40)):
                terminal.resize(width, height)

                def drawn(text):
                    lines = text.split("\n")
                    return len(lines) >= height and lines[height - 2].rstrip().endswith("298/300")
                terminal.wait(drawn)
                self.assertEqual(len([line for line in terminal.lines[1:height - 2] if line.strip()]),
                                 height - 3)
            terminal.keys("Enter")
            terminal.wait(re.compile("^From: ", re.M))
            for width, height in ((40, 10), (200, 60), (120, 40)):
                terminal.resize(width, height)
                terminal.wait(lambda text: text.split("\n")[height - 2].rstrip().endswith("%"))
            terminal.keys("?")
            terminal.wait("Help")
            terminal.resize(40, 10)
            terminal.wait(lambda text: text.split("\n")[8].rstrip().endswith("%"))
            terminal.keys("q", "q", "q")
            self.assertEqual(terminal.wait_exit(), 0)

    def test_sizes_too_small_to_be_of_use_do_not_break_it(self):
        with filled(300) as program, offline(program, size=(80, 24)) as terminal:
            terminal.wait("1/300")
            for width, height in ((10, 3), (1, 1), (2, 2), (5, 10), (80, 2), (200, 1)):
                terminal.resize(width, height)
                terminal.keys("j", "Enter", "v", "?", "q", "q", "y", "q", ":", "x", "Escape", "q")
                terminal.keys("i", "i")
            terminal.resize(80, 24)
            terminal.keys("C-l")
            terminal.wait("/300")

    def test_stopped_and_continued_it_draws_itself_anew(self):
        with filled(300) as program:
            command = program.command("--offline")
            script = " ".join(f"'{word}'" for word in command)
            shell = ["sh", "-i", "-c", f"set -m; {script}; echo STOPPED; fg >/dev/null; echo OVER"]
            with Terminal(shell, environment=program.environment) as terminal:
                terminal.wait("1/300")
                terminal.keys("j")
                terminal.wait("2/300")
                before = len(terminal.raw())
                terminal.keys("C-z")
                terminal.wait("2/300")
                terminal.keys("j")
                terminal.wait("3/300")
                self.assertIn(b"\x1b[?1049l", terminal.raw()[before:])
                self.assertIn(b"STOPPED", terminal.raw()[before:])
                terminal.keys("q")
                terminal.wait("OVER")

    def test_it_stops_in_the_middle_of_a_question(self):
        with filled(300) as program:
            command = program.command("--offline")
            script = " ".join(f"'{word}'" for word in command)
            shell = ["sh", "-i", "-c", f"set -m; {script}; echo STOPPED; fg >/dev/null; echo OVER"]
            with Terminal(shell, environment=program.environment) as terminal:
                terminal.wait("1/300")
                terminal.keys("c")
                terminal.type("Sen")
                terminal.wait("Open folder: Sen")
                before = len(terminal.raw())
                terminal.keys("C-z")
                terminal.wait(lambda _: b"STOPPED" in terminal.raw()[before:])
                terminal.type("t")
                terminal.wait("Open folder: Sent")
                terminal.keys("Escape", "q")
                terminal.wait("OVER")


if __name__ == "__main__":
    postern.main()
