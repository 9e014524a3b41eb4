"""What the screen's tests share: the program on a store that needs no server, its cells, its frames."""

import contextlib
import os
import re
import subprocess
import unicodedata

from postern import PROGRAM, Postern, TOP
from terminal import Terminal

STORE_FILL = os.environ.get("STORE_FILL") or os.path.join(TOP, "build", "tests", "store-fill")


@contextlib.contextmanager
def filled(messages=300):
    """A Postern whose store holds MESSAGES in INBOX; there is no server."""
    with Postern("imaps://ada@localhost:9", ca=None, password="none") as postern:
        fill(postern, messages)
        yield postern


def fill(postern, messages, mailbox="INBOX"):
    subprocess.run([STORE_FILL, "--data", postern.data, "--account", "test", "--mailbox", mailbox,
                    "--messages", str(messages)], check=True, stdout=subprocess.DEVNULL)


def offline(postern, *arguments, **keywords):
    return Terminal(postern.command("--offline", *arguments), environment=postern.environment,
                    **keywords)


def running(postern):
    """The processes of the program itself that use POSTERN's data."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as cmdline:
                words = cmdline.read().split(b"\0")
                if words[0] == PROGRAM.encode() and postern.data.encode() in words:
                    yield int(name)


def cells(line):
    """A line of the screen as its cells: a wide character and an empty string, marks with their
    base."""
    out = []
    for character in line:
        if unicodedata.combining(character) or character in "\u200d\ufe0f":
            if out:
                out[-1] += character
        elif unicodedata.east_asian_width(character) in "WF":
            out += [character, ""]
        else:
            out.append(character)
    return out


FRAME = re.compile(r"ui frame (\d+) key=(\S+) rows=(\d+)")


def frames(postern):
    """Every frame drawn so far: (number, key, rows read from the store)."""
    return [(int(number), key, int(rows)) for number, key, rows in FRAME.findall(postern.log())]


# What curses sends, and nothing else: cursor and erase and attributes, character sets, modes.
KNOWN_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-hj-z@`]|\[[45]i|[()][0AB]|[=>78MDEHc])"
                          rb"|\x1b\[[0-9;?!]*[p]|\x1b\[[0-9;]*i")


def strange(raw):
    """The controls in RAW that no curses program sends."""
    left = KNOWN_ESCAPE.sub(b"", raw)
    # Cursor movement and padding; SO and SI choose vt100's other character set.
    left = left.translate(None, b"\r\n\b\t\x0e\x0f\x00")
    found = [byte for byte in left if byte < 0x20 or byte == 0x7f]
    text = left.decode("utf-8", "replace")
    found += [c for c in text if 0x80 <= ord(c) < 0xa0 or c in BIDI or 0xe0000 <= ord(c) < 0xe1000]
    return found


BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
