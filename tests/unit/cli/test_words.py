"""The program's words and exit statuses where no server is needed: wrong usage, help, closed outputs,
and what a store that was filled beforehand gives without a line."""

import json
import os
import subprocess
import unittest

from postern import DONE, FAILED, NOT_NOW, USAGE, Postern, main

STORE_FILL = os.environ["STORE_FILL"]
MESSAGES = 1200
URL = "imaps://ada@localhost:1"     # nobody listens there


def setUpModule():
    global postern
    postern = Postern(URL)
    unittest.addModuleCleanup(postern.__exit__)
    os.mkdir(postern.data, 0o700)
    subprocess.run([STORE_FILL, "--data", postern.data, "--account", "test", "--messages",
                    str(MESSAGES)], check=True, stdout=subprocess.DEVNULL)


class Case(unittest.TestCase):
    def says(self, status, *arguments, **keywords):
        """One sentence on standard error, nothing on standard output."""
        done = postern.run(*arguments, **keywords)
        self.assertEqual(done.status, status, done)
        self.assertEqual(done.out, b"")
        self.assertEqual(len(done.err.splitlines()), 1, done)
        self.assertTrue(done.err.startswith("postern: "), done)
        return done.err


class Usage(Case):
    def test_wrong_words_are_status_2(self):
        for arguments in (("list",), ("show", "INBOX"), ("list", "INBOX", "--limit", "0"),
                          ("show", "INBOX", "7:9"), ("show", "INBOX", "7", "--raw", "--json"),
                          ("list", "INBOX", "--sort", "date"), ("flag", "INBOX", "7"),
                          ("imaps://ada@localhost/INBOX",), ("mailto:ada@example.org",),
                          ("--account", "nobody", "folders"), ("--json",), ("--nonsense",)):
            self.says(USAGE, "--offline", *arguments)

    def test_a_slip_in_an_option_is_told_before_the_configuration_is_read(self):
        self.assertIn("--limit", self.says(USAGE, "list", "INBOX", "--limt=3", config=False))

    def test_a_slip_of_a_command_does_not_open_the_screen(self):
        self.assertIn('"list"', self.says(USAGE, "--offline", "lits"))
        self.assertIn('"sync"', self.says(USAGE, "--offline", "snyc", "INBOX"))

    def test_an_escape_in_an_argument_does_not_come_back(self):
        for arguments in (("list", "\x1b[2J", "x"), ("--\x1b[2J",), ("--offline", "list", "\x1b[2J"),
                          ("--offline", "show", "\x1b[2J", "1"), ("--account", "\x1b", "folders")):
            self.assertNotIn("\x1b", postern.run(*arguments).err)

    def test_help_and_version(self):
        for arguments in (("--help",), ("list", "--help"), ("help",)):
            done = postern.run(*arguments, config=False, log=False)
            self.assertEqual((done.status, done.err), (DONE, ""))
            self.assertIn("postern list FOLDER", done.text)
        self.assertRegex(postern.run("--version").text, r"^postern \d+\.\d+")


class Outputs(Case):
    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            for arguments in (("--offline", "list", "INBOX"), ("--help",)):
                child = subprocess.run(postern.command(*arguments), stdout=full,
                                       stderr=subprocess.PIPE, env=postern.environment)
                self.assertEqual(child.returncode, FAILED)
                self.assertIn(b"No space left", child.stderr)

    def test_a_closed_output_is_no_file_of_ours(self):
        command = " ".join(f"'{word}'" for word in postern.command("--offline", "list", "INBOX"))
        for closed in (">&-", "<&-", "2>&-", "<&- >&- 2>&-"):
            child = subprocess.run(["/bin/sh", "-c", f"{command} {closed}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=postern.environment)
            self.assertEqual(child.returncode, FAILED if " >&-" in " " + closed else DONE,
                             closed)
        self.assertEqual(len(postern.rows("--offline", "list", "INBOX")), MESSAGES)

    def test_a_reader_that_leaves_is_told_nothing(self):
        child = postern.start("--offline", "list", "INBOX", "--json")
        child.stdout.read(10)
        child.stdout.close()
        errors = child.stderr.read()
        child.stderr.close()
        self.assertEqual((child.wait(60), errors), (FAILED, b""))


class Offline(Case):
    def test_rows_are_json_lines_newest_first(self):
        rows = postern.rows("--offline", "list", "INBOX")
        self.assertEqual(len(rows), MESSAGES)
        self.assertEqual(len({row["uid"] for row in rows}), MESSAGES)
        pages = [row for start in range(0, MESSAGES, 500) for row in
                 postern.rows("--offline", "list", "INBOX", "--limit", "500", "--offset", str(start))]
        self.assertEqual(pages, rows)
        self.assertEqual(postern.rows("--offline", "list", "INBOX", "--offset", "4294967295"), [])

    def test_text_has_a_line_for_each_row(self):
        done = postern.run("--offline", "list", "INBOX", "--limit", "50",
                           environment={"LC_ALL": "C"})
        self.assertEqual(len(done.text.splitlines()), 50)

    def test_a_message_is_named_by_uid_by_star_and_by_id(self):
        last = max(postern.rows("--offline", "list", "INBOX"), key=lambda row: row["uid"])
        trees = [postern.run("--offline", "show", "INBOX", name, "--structure", "--json").out
                 for name in (str(last["uid"]), "*", f"id:{last['id']}")]
        self.assertEqual(trees[0], trees[1])
        self.assertEqual(trees[0], trees[2])
        self.assertIn("type", json.loads(trees[0]))

    def test_what_is_not_here_needs_the_line(self):
        for arguments in (("sync",), ("check",), ("show", "INBOX", "1", "--raw"),
                          ("show", "INBOX", "1", "--headers")):
            self.assertIn("--offline", self.says(NOT_NOW, "--offline", *arguments))

    def test_what_is_nowhere_is_a_failure(self):
        self.assertIn("INBOX", self.says(FAILED, "--offline", "list", "INBOXX"))
        self.says(FAILED, "--offline", "show", "INBOX", "id:99999999")
        self.says(FAILED, "--offline", "show", "INBOX", "*", "--part", "77")

    def test_a_server_that_is_away_is_status_3(self):
        self.assertIn("localhost", self.says(NOT_NOW, "list", "INBOX", "--limit", "5"))


if __name__ == "__main__":
    main()
