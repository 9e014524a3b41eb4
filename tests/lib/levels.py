"""The same mail on servers that can do much and little, for the tests that are run on each of them.

    class Mine(Level):
        def test_...(self): self.fill("Folder"), self.sync(), self.compare(name), ...

    for name, case in on_every_level(Mine): globals()[name] = case

makes DovecotQresync, DovecotCondstore, DovecotPlain, Courier and Cyrus of them.  A class has one server;
each test has a Postern of its own, and should have folders of its own.
"""

import base64
import re
import unittest

import mailgen
from courier import Courier
from cyrus import Cyrus
from dovecot import Dovecot, quoted
from mailgen import NOW
from postern import Postern

NO_QRESYNC = ("IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS "
              "LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE ESEARCH MOVE LITERAL+")
COUNT = 300
WAIT = 30       # seconds; for what takes one

SERVERS = {     # how it is made, and what it can do
    "DovecotQresync": (Dovecot, "QRESYNC"),
    "DovecotCondstore": (lambda: Dovecot(capability=NO_QRESYNC), "CONDSTORE"),
    "DovecotPlain": (lambda: Dovecot(capability="IMAP4rev1 IDLE"), "RFC 3501"),
    "Courier": (Courier, "RFC 3501"),
    "Cyrus": (Cyrus, "QRESYNC"),
}


def on_every_level(case):
    """(name, TestCase) of each server."""
    for name, (make, level) in SERVERS.items():
        yield name, type(name, (case, unittest.TestCase),
                         {"make": staticmethod(make), "level": level, "__module__": "__main__"})


def names(wire):
    """A mailbox name off the wire, as people read it (RFC 3501, 5.1.3)."""
    def wide(match):
        text = match[1].replace(",", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"
    return re.sub(r"&([^-]*)-", wide, wire)


def folders_of(client):
    """Its selectable folders: the name people read, and the one on the wire."""
    found = {}
    for line in client.list()[1]:
        attributes, name = re.match(rb'\(([^)]*)\) (?:NIL|"."|"\\\\") (.*)$', line).groups()
        name = name.decode().strip('"').replace('\\"', '"').replace("\\\\", "\\")
        if b"\\noselect" not in attributes.lower() and b"\\nonexistent" not in attributes.lower():
            found[names(name)] = name
    return found


def held_by(client, wire):
    """{UID: (flags and keywords, size)} of a folder, as a client of RFC 3501 sees it."""
    status, answer = client.select('"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"',
                                   readonly=True)
    assert status == "OK", answer
    held, lines = {}, []
    if int(answer[0]):
        lines = client.fetch("1:*", "(UID FLAGS RFC822.SIZE)")[1]
    client.close()      # Cyrus ends a session whose folder is deleted
    for line in lines:
        text = line.decode()
        held[int(re.search(r"\bUID (\d+)", text)[1])] = (
            frozenset(re.search(r"FLAGS \(([^)]*)\)", text)[1].split()) - {"\\Recent"},
            int(re.search(r"RFC822.SIZE (\d+)", text)[1]))
    return held


class Level:
    """A server and what a test needs on it."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.make()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        self.postern = self.enterContext(Postern(self.server.url, ca=self.server.ca))
        self.other, self.eye = self.server.client(), self.server.client()
        self.addCleanup(self.other.logout)
        self.addCleanup(self.eye.logout)

    def folder(self, path):
        """PATH as it is called on this server; and as it goes over the wire."""
        name = self.server.folder(path)
        return name, quoted(name).decode()

    def fill(self, path, count=COUNT):
        self.server.deliver(mailgen.bulk(count, seed=len(path), folder=path))
        return self.folder(path)

    def sync(self, *names):
        return self.postern.rows("sync", *names)[-1]

    def kept(self, name):
        rows = self.postern.rows("--offline", "list", name, "--limit", "100000")
        held = {row["uid"]: (frozenset(row["flags"]) - {"\\Recent"} | frozenset(row["keywords"]),
                             row["size"]) for row in rows}
        self.assertEqual(len(held), len(rows), "no message twice")
        return held

    def held(self, name):
        """The folder as a plain client sees it that looks now."""
        return held_by(self.eye, folders_of(self.eye)[name])

    def raw(self, wire, uid):
        self.eye.select(wire, readonly=True)
        bytes_of = next(item[1] for item in self.eye.uid("FETCH", str(uid), "(BODY.PEEK[])")[1]
                        if isinstance(item, tuple))
        self.eye.close()
        return bytes_of

    def compare(self, name):
        """What is kept of the folder is what the server has, and is counted so."""
        held, kept = self.held(name), self.kept(name)
        self.assertEqual(set(kept), set(held), name)
        for uid in held:
            self.assertEqual(kept[uid], held[uid], f"{name}, UID {uid}")
        row = next(row for row in self.postern.rows("--offline", "folders") if row["name"] == name)
        unread = sum("\\Seen" not in flags for flags, _ in held.values())
        self.assertEqual((row["total"], row["unread"]), (len(held), unread), name)
        return held

    # ---- what the other client does ------------------------------------------------------------

    def store(self, uids, how, flags):
        status, answer = self.other.uid("STORE", ",".join(map(str, uids)), how, f"({flags})")
        self.assertEqual(status, "OK", answer)

    def expunge(self, name, wire, uids):
        """Of these alone; what else is marked \\Deleted stays."""
        held = self.held(name)
        marked = [uid for uid, (flags, _) in held.items() if "\\Deleted" in flags and uid not in uids]
        self.other.select(wire)
        if marked:
            self.store(marked, "-FLAGS", "\\Deleted")
        self.store(uids, "+FLAGS", "\\Deleted")
        self.assertEqual(self.other.expunge()[0], "OK")
        if marked:
            self.store(marked, "+FLAGS", "\\Deleted")

    def add(self, name, wire, count, flags=()):
        for n in range(count):
            status, answer = self.other.append(
                wire, " ".join(flags), f'"{mailgen.imap_date(NOW)}"',
                mailgen.one("plain", subject=f"Added {n}", date=NOW))
            self.assertEqual(status, "OK", answer)

    def validity(self, wire):
        answer = self.other.status(wire, "(UIDVALIDITY)")[1][0]
        return int(re.search(rb"UIDVALIDITY (\d+)", answer)[1])

    def again(self, name):
        self.sync(name)
        return self.compare(name)
