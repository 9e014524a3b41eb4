"""What a key costs, counted: one frame, and the rows on show, whatever the size of the mailbox."""

import re
import unittest

import postern
from screen import filled, frames, offline


class Frames(unittest.TestCase):
    def cost(self, messages):
        """Rows read before the first frame, and by each of some keys."""
        with filled(messages) as program, offline(program, size=(100, 30)) as terminal:
            terminal.wait(f"1/{messages}")
            first = frames(program)[0]
            costs = {"first": first[2]}
            for key, name, position in (("NPage", "PgDn", 28), ("End", "End", messages),
                                        ("PPage", "PgUp", messages - 27), ("Home", "Home", 1),
                                        ("j", "j", 2)):
                before = len(frames(program))
                terminal.keys(key)
                terminal.wait(f" {position}/{messages}")
                drawn = [frame for frame in frames(program)[before:] if frame[1] == name]
                self.assertEqual(len(drawn), 1, f"{key} of {messages}: {drawn}")
                costs[key] = drawn[0][2]
            return costs

    def test_rows_read_do_not_grow_with_the_mailbox(self):
        few, many = self.cost(200), self.cost(20000)
        for key, rows in many.items():
            self.assertLessEqual(rows, few[key] + 10, f"{key}: {few} {many}")
            self.assertLess(rows, 60)
        self.assertLess(many["j"], 5)

    def test_nothing_is_drawn_when_nothing_happens(self):
        with filled(200) as program, offline(program) as terminal:
            terminal.wait("1/200")
            terminal.keys("j")
            terminal.wait("2/200")
            before = len(frames(program))
            # A message, a look at all its states, and time goes by.
            terminal.keys("Enter")
            terminal.wait(re.compile("^From: ", re.M))
            with self.assertRaises(AssertionError):
                terminal.wait("this is never shown", seconds=3)
            self.assertLessEqual(len(frames(program)), before + 3)

    def test_a_paste_of_keys_is_taken_in_few_frames_and_none_is_lost(self):
        with filled(300) as program, offline(program) as terminal:
            terminal.wait("1/300")
            terminal.type("j" * 200)
            terminal.wait("201/300")


if __name__ == "__main__":
    postern.main()
