"""imap-dump: JSON lines from any bytes, the same however they come, on after what is broken."""

import json
import os
import subprocess
import unittest

from postern import TOP, main

DUMP = os.environ.get("IMAP_DUMP") or os.path.join(TOP, "build", "tests", "imap-dump")

LEAF = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)'


def run(data, *arguments):
    return subprocess.run([DUMP, *arguments], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)


def dump(data, chunks=(1, 2, 7, 4096)):
    """The objects and the exit status, the same in pieces of any size."""
    whole = run(data)
    for chunk in chunks:
        pieces = run(data, "--chunk", str(chunk))
        assert pieces.stdout == whole.stdout, chunk
        assert pieces.returncode == whole.returncode, chunk
    assert whole.stdout.isascii()
    return [json.loads(line) for line in whole.stdout.splitlines()], whole.returncode


class Dump(unittest.TestCase):
    def test_every_response_is_one_object(self):
        rows, status = dump(b"* OK [CAPABILITY IMAP4rev1] hi\r\n* 3 EXISTS\n+ go\r\nA1 OK done\r\n"
                            b'* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[] {5}\r\na\r\nb" ENVELOPE (NIL "s" '
                            b"NIL NIL NIL NIL NIL NIL NIL NIL))\r\n")
        self.assertEqual(status, 0)
        self.assertEqual([(row["tag"], row["type"]) for row in rows],
                         [("*", "OK"), ("*", "EXISTS"), ("+", "CONTINUE"), ("A1", "OK"),
                          ("*", "FETCH")])
        self.assertEqual(rows[0]["capabilities"], ["IMAP4rev1"])
        self.assertEqual(rows[4]["uid"], 7)
        self.assertEqual(rows[4]["flags"], ["\\Seen"])
        self.assertEqual(rows[4]["sections"][0]["bytes"], 'a\r\nb"')
        self.assertEqual(rows[4]["envelope"]["subject"], "s")
        self.assertIsNone(rows[4]["envelope"]["from"])

    def test_it_goes_on_behind_what_is_broken(self):
        broken = [
            (b"garbage\r\n", "grammar"),
            (b"* 1 FETCH UID\r\n", "grammar"),
            (b'* LIST () "/" "a\0b"\r\n', "grammar"),
            (b"* 1 FETCH (BODY[] {4294967296}\r\n", "where at most"),
            (b"* 1 FETCH (BODY[] {-1}\r\n", "impossible number"),
            (b"* 1 FETCH (BODY[] {99999999999999999999}\r\n", "impossible number"),
        ]
        for data, error in broken:
            rows, status = dump(b"* OK hi\r\n" + data + b"* 2 EXISTS\r\n")
            self.assertEqual(status, 1)
            self.assertEqual([row.get("type") for row in rows], ["OK", None, "EXISTS"], data)
            self.assertIn(error, rows[1]["error"])
            self.assertEqual(rows[1]["offset"], 9)
            self.assertTrue(9 <= rows[1]["at"] <= 9 + len(data))

    def test_an_input_cut_short_is_an_error(self):
        text = b"* OK hi\r\n* 1 FETCH (BODY[] {5}\r\nhello UID 7)\r\n"
        for size in range(len(text)):
            rows, status = dump(text[:size], chunks=(1, 5))
            whole = size in (0, 9)
            self.assertEqual(status, 0 if whole else 1, size)
            if not whole:
                self.assertEqual(rows[-1]["offset"], 0 if size < 9 else 9)
                self.assertEqual(rows[-1]["at"], size)

    def test_strings_that_are_no_utf8_are_their_bytes(self):
        rows, status = dump(b'* LIST () "/" "caf\xe9"\r\n* LIST () "/" "caf\xc3\xa9 \xf0\x9f\x92\xa8"\r\n'
                            b"* OK \x1b[31m\x7f\xc2\x9b\r\n")
        self.assertEqual(status, 0)
        self.assertEqual([row.get("name", row.get("text")) for row in rows],
                         ["caf\u00e9", "caf\u00e9 \U0001f4a8", "\x1b[31m\x7f\x9b"])

    def test_a_structure_100000_deep_is_cut(self):
        rows, status = dump(b"* 1 FETCH (UID 7 BODYSTRUCTURE " + b"(" * 100000 + LEAF +
                            b' "MIXED")' * 100000 + b" RFC822.SIZE 9)\r\n* 2 EXISTS\r\n",
                            chunks=(4096,))
        self.assertEqual(status, 0)
        self.assertTrue(rows[0]["body_truncated"])
        self.assertEqual((rows[0]["uid"], rows[0]["size"]), (7, 9))
        self.assertEqual(rows[1]["type"], "EXISTS")

    def test_a_line_without_end_is_given_up(self):
        rows, status = dump(b"* OK " + b"x" * (65 << 20) + b"\r\n* 2 EXISTS\r\n", chunks=(65537,))
        self.assertEqual(status, 1)
        self.assertIn("a line of more than", rows[0]["error"])
        self.assertEqual(rows[1]["type"], "EXISTS")

    def test_usage(self):
        self.assertEqual(run(b"", "--help").returncode, 0)
        self.assertIn(b"--chunk N", run(b"", "--help").stdout)
        for arguments in (["--chunk"], ["--chunk", "0"], ["--chunk", "x"], ["file"]):
            self.assertEqual(run(b"", *arguments).returncode, 2, arguments)


if __name__ == "__main__":
    main()
