"""Saving a part: asked where, never over anything unasked, readable by its owner alone."""

import os
import re
import stat
import unittest

import postern
from screen import filled, offline


class Save(unittest.TestCase):
    def to_parts(self, terminal):
        terminal.wait("1/300")
        terminal.keys("v")
        terminal.wait("text/plain")
        # A single text, or the first of several.
        if "├─" in terminal.text:
            terminal.keys("j")
            terminal.wait(re.compile(r" 2/\d$", re.M))

    def save_to(self, terminal, path):
        terminal.keys("s")
        terminal.wait("Save to: ")
        terminal.keys("C-u")
        terminal.type(path)
        terminal.keys("Enter")

    def test_it_writes_what_is_read_and_asks_before_it_replaces(self):
        with filled(300) as program, offline(program) as terminal:
            path = os.path.join(program.dir, "a text.txt")
            self.to_parts(terminal)
            self.save_to(terminal, path)
            terminal.wait("Saved ")
            with open(path, "rb") as file:
                saved = file.read()
            self.assertGreater(len(saved), 10)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

            with open(path, "w") as file:
                file.write("precious")
            self.save_to(terminal, path)
            terminal.wait("exists. Replace it? (y/n)")
            terminal.keys("n")
            terminal.wait("Save to: ")
            terminal.keys("Escape")
            terminal.wait("Not saved.")
            with open(path) as file:
                self.assertEqual(file.read(), "precious")

            self.save_to(terminal, path)
            terminal.wait("exists. Replace it? (y/n)")
            terminal.keys("y")
            terminal.wait("Saved ")
            with open(path, "rb") as file:
                self.assertEqual(file.read(), saved)
            self.assertEqual([n for n in os.listdir(program.dir) if n.endswith(".part")], [])

    def test_a_link_is_replaced_and_never_followed(self):
        with filled(300) as program, offline(program) as terminal:
            precious, link = (os.path.join(program.dir, n) for n in ("precious", "link"))
            with open(precious, "w") as file:
                file.write("precious")
            os.symlink(precious, link)
            dangling = os.path.join(program.dir, "dangling")
            os.symlink(os.path.join(program.dir, "elsewhere"), dangling)
            self.to_parts(terminal)
            for path in (link, dangling):
                self.save_to(terminal, path)
                terminal.wait("Replace it?")
                terminal.keys("y")
                terminal.wait(re.compile("Saved .*" + os.path.basename(path)))
                self.assertFalse(os.path.islink(path))
            with open(precious) as file:
                self.assertEqual(file.read(), "precious")
            self.assertFalse(os.path.exists(os.path.join(program.dir, "elsewhere")))

    def test_a_directory_gets_the_parts_own_name(self):
        with filled(300) as program, offline(program, size=(160, 30)) as terminal:
            directory = os.path.join(program.dir, "folder")
            os.mkdir(directory)
            self.to_parts(terminal)
            self.save_to(terminal, directory + "/")
            terminal.wait("Saved ")
            self.assertEqual(len(os.listdir(directory)), 1)

    def test_what_cannot_be_written_is_said_and_leaves_nothing(self):
        with filled(300) as program, offline(program, size=(160, 30)) as terminal:
            self.to_parts(terminal)
            self.save_to(terminal, os.path.join(program.dir, "no such", "file"))
            terminal.wait("there is no directory")
            fifo = os.path.join(program.dir, "fifo")
            os.mkfifo(fifo)
            self.save_to(terminal, fifo)
            screen = terminal.wait("is there already, and is not a file to replace")
            self.assertNotIn("exists", screen)
            self.save_to(terminal, "/dev/full")
            terminal.wait("/dev/full is there already, and is not a file to replace")
            self.save_to(terminal, "/proc/nothing")
            terminal.wait(re.compile("cannot (make|save)"))
            terminal.keys("s", "C-u", "Enter")
            terminal.wait("no file was named")

    def test_a_long_error_can_be_read_to_its_end(self):
        with filled(300) as program, offline(program, size=(80, 24)) as terminal:
            self.to_parts(terminal)
            self.save_to(terminal, "/" + "no-such-directory-/" * 5 + "the-end/file")
            terminal.wait(re.compile("the-end: No such file or directory"))
            screen = terminal.lines
            self.assertIn("offline", screen[-2])
            terminal.keys("j")
            terminal.wait("No such file", absent=True)
            self.save_to(terminal, "/" + "no-such-directory-/" * 15 + "the-end/file")
            terminal.wait("(! shows all of it)")
            terminal.keys("!")
            # A screen that is being painted has some of it.
            screen = terminal.wait(
                lambda text: "".join(text.split()).count("the-end:Nosuchfile") == 2)
            self.assertIn("Messages", screen)
            self.assertRegex(screen, "(?m)^offline$")
            terminal.keys("q")
            terminal.wait("text/plain")

    def test_paths_complete(self):
        with filled(300) as program, offline(program, size=(160, 30)) as terminal:
            os.mkdir(os.path.join(program.dir, "some-directory"))
            open(os.path.join(program.dir, "some-file"), "w").close()
            self.to_parts(terminal)
            terminal.keys("s", "C-u")
            terminal.type(program.dir + "/so")
            terminal.keys("Tab")
            terminal.wait(program.dir + "/some-")
            terminal.type("d")
            terminal.keys("Tab")
            terminal.wait("/some-directory/")
            terminal.keys("Escape")

    def test_a_part_that_is_not_here_is_not_saved_offline(self):
        with filled(300) as program, offline(program, size=(160, 30)) as terminal:
            terminal.wait("1/300")
            terminal.keys("*", "v")
            terminal.wait("text/plain")
            terminal.keys("j")
            path = os.path.join(program.dir, "never")
            self.save_to(terminal, path)
            terminal.wait("Not saved: this part is not here")
            self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    postern.main()
