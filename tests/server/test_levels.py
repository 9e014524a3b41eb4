"""The same mail on servers that can do much and little: Dovecot and Cyrus with QRESYNC, Dovecot masked
down to CONDSTORE and to RFC 3501, Courier, which never could more.  What Postern keeps is compared with
what a plain client sees.

    test_levels.py Courier [Courier.test]       # one server alone
"""

import base64
import re
import unittest

import mailgen
from courier import Courier as CourierServer
from cyrus import Cyrus as CyrusServer
from dovecot import Dovecot, quoted
from mailgen import NOW, Message
from postern import DONE, Postern, main
from terminal import Terminal

NO_QRESYNC = ("IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS "
              "LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE ESEARCH MOVE LITERAL+")
COUNT = 300
WAIT = 30       # seconds; for what takes one


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


class Levels:
    """What must be so on every server.  Each test has folders of its own."""

    options = {}

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
        place = getattr(self.server, "folder", lambda path: path)
        return place(path), quoted(place(path)).decode()

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

    # ---- the mirror ----------------------------------------------------------------------------

    def test_every_folder_and_message(self):
        sample = mailgen.sample()
        self.server.deliver(sample)
        self.sync()
        on_server = folders_of(self.eye)
        rows = {row["name"]: row for row in self.postern.rows("--offline", "folders")}
        self.assertEqual(set(rows), set(on_server))
        self.assertGreaterEqual(set(on_server), {self.folder(m.folder)[0] for m in sample})
        for name in on_server:
            self.compare(name)

    def test_what_another_client_does(self):
        name, wire = self.fill("Changing")
        self.sync(name)
        uids = sorted(self.compare(name))
        self.other.select(wire)

        with self.subTest("flags and keywords"):
            self.store(uids[::7], "+FLAGS", "\\Flagged")
            self.store(uids[5:50:5], "-FLAGS", "\\Seen")
            self.store(uids[100:120], "+FLAGS", "later $Forwarded")
            self.store(uids[-3:], "FLAGS", "\\Answered other")
            self.again(name)
        with self.subTest("new ones"):
            self.add(name, wire, 20)
            self.again(name)
        with self.subTest("expunged ones"):
            self.expunge(name, wire, uids[:3] + uids[40:80:4] + uids[150:160])
            self.again(name)
        with self.subTest("the newest expunged, and others in their place"):
            self.expunge(name, wire, sorted(self.held(name))[-5:])
            self.add(name, wire, 5)
            self.again(name)
        with self.subTest("all at once"):
            left = sorted(self.held(name))
            self.other.select(wire)
            self.store(left[::3], "-FLAGS", "later \\Seen")
            self.store(left[1::9], "+FLAGS", "\\Deleted")
            self.expunge(name, wire, left[10:200:10])
            self.add(name, wire, 11, ("\\Seen", "work"))
            self.again(name)
        with self.subTest("one flag of one message"):
            left = sorted(self.held(name))
            self.other.select(wire)
            self.store(left[len(left) // 2:][:1], "+FLAGS", "\\Draft")
            self.again(name)
        with self.subTest("nothing left"):
            self.expunge(name, wire, sorted(self.held(name)))
            self.again(name)
        with self.subTest("and full again"):
            self.add(name, wire, 30)
            self.again(name)

    def test_what_happens_in_a_folder_that_is_not_asked_for(self):
        """`sync` of everything finds the one that changed, and only its count need change."""
        one, _ = self.fill("Quiet", 40)
        two, wire = self.fill("Busy", 40)
        self.sync()
        self.other.select(wire)
        self.store(sorted(self.kept(two))[::2], "-FLAGS", "\\Seen")
        self.expunge(two, wire, sorted(self.kept(two))[:4])
        self.add(two, wire, 4)      # as many as before: no count betrays it
        self.sync()
        self.compare(one)
        self.compare(two)

    def test_a_folder_made_renamed_and_removed(self):
        self.sync()
        for path in ("Neu & schön", "Neu & schön/Проект ☃"):
            name, wire = self.folder(path)
            self.assertEqual(self.other.create(wire)[0], "OK")
            self.add(name, wire, 3)
        self.sync()
        self.compare(name)
        parent, parent_wire = self.folder("Neu & schön")
        self.compare(parent)
        there, there_wire = self.folder("Anders")
        self.assertEqual(self.other.rename(wire, there_wire)[0], "OK")
        self.sync()
        rows = {row["name"] for row in self.postern.rows("--offline", "folders")}
        self.assertGreaterEqual(rows, set(folders_of(self.eye)))
        # What is kept of a folder that is no more is not thrown away unasked.
        self.assertLessEqual(rows - set(folders_of(self.eye)), {name})
        self.compare(there)
        empty, empty_wire = self.folder("Leer")
        self.assertEqual(self.other.create(empty_wire)[0], "OK")
        self.sync()
        self.assertEqual(self.compare(empty), {})
        self.assertEqual(self.other.delete(empty_wire)[0], "OK")
        self.assertEqual(self.other.delete(there_wire)[0], "OK")
        self.sync()
        rows = {row["name"] for row in self.postern.rows("--offline", "folders")}
        self.assertGreaterEqual(rows, set(folders_of(self.eye)))
        self.assertNotIn(empty, rows)

    def test_another_folder_of_the_same_name(self):
        """UIDVALIDITY: the same UIDs, and nothing of the old folder's is shown for them."""
        name, wire = self.fill("Anew", 30)
        self.sync(name)
        before = self.validity(wire)
        while True:             # some servers count it in seconds
            self.assertEqual(self.other.delete(wire)[0], "OK")
            self.assertEqual(self.other.create(wire)[0], "OK")
            if self.validity(wire) != before:
                break
        self.add(name, wire, 12, ("\\Flagged",))
        self.sync(name)
        self.compare(name)
        subjects = {row["subject"] for row in self.postern.rows("--offline", "list", name)}
        self.assertEqual(subjects, {f"Added {n}" for n in range(12)})

    def test_nothing_changed_costs_little(self):
        name, _ = self.fill("Unchanged", 200)
        self.sync(name)
        first = self.sync(name)
        log = len(self.postern.log())
        second = self.sync(name)
        said = re.findall(r" imap test C: (.*)", self.postern.log()[log:])
        print(f"\n  {type(self).__name__}: {second}\n  " + "\n  ".join(said), flush=True)
        self.assertLessEqual(second["round_trips"], first["round_trips"])
        # A range that ends in "*" holds the last message, whatever it begins with.
        self.assertFalse([line for line in said if "ENVELOPE" in line and ":* " not in line], said)
        self.assertLess(second["bytes_in"], 16 * 1024)
        self.compare(name)

    def test_a_message_is_read(self):
        sample = [m for m in mailgen.sample() if m.folder == "Lists"]
        name, wire = self.folder("Reading")
        self.server.deliver([Message(m.raw, m.date, m.flags, "Reading") for m in sample])
        rows = self.postern.rows("list", name)
        self.assertEqual(len(rows), len(sample))
        for row in rows:
            done = self.postern.run("show", name, str(row["uid"]), "--raw")
            self.assertEqual(done.status, DONE, done)
            self.assertIn(done.out, [m.raw for m in sample])
        self.sync(name)
        self.compare(name)      # to read it by the command line changed no flag

    # ---- as it happens -------------------------------------------------------------------------

    def test_changes_appear_on_the_screen(self):
        name, wire = self.fill("Watched", 20)
        with Terminal(self.postern.command(name), self.postern.environment) as terminal:
            terminal.wait("/20", WAIT)
            self.add(name, wire, 1)
            terminal.wait(lambda text: "Added 0" in text and "/21" in text, WAIT)
            self.other.select(wire)
            uids = sorted(self.held(name))
            self.expunge(name, wire, uids[:2])
            terminal.wait("/19", WAIT)
            terminal.keys("q")
            terminal.wait_exit()
        self.sync(name)
        self.compare(name)

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


class DovecotQresync(Levels, unittest.TestCase):
    @staticmethod
    def make():
        return Dovecot()


class DovecotCondstore(Levels, unittest.TestCase):
    @staticmethod
    def make():
        return Dovecot(capability=NO_QRESYNC)


class DovecotPlain(Levels, unittest.TestCase):
    @staticmethod
    def make():
        return Dovecot(capability="IMAP4rev1 IDLE")


class Courier(Levels, unittest.TestCase):
    @staticmethod
    def make():
        return CourierServer()


class Cyrus(Levels, unittest.TestCase):
    @staticmethod
    def make():
        return CyrusServer()


if __name__ == "__main__":
    main()
