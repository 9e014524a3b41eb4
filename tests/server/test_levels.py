"""What Postern keeps is what a plain client sees: on Dovecot and Cyrus with QRESYNC, on Dovecot masked
down to CONDSTORE and to RFC 3501, on Courier, which never could more.

    test_levels.py Courier [Courier.test]       # one server alone
"""

import re

import mailgen
from levels import WAIT, Level, folders_of, on_every_level
from mailgen import Message
from postern import DONE, Postern, main
from terminal import Terminal


class Mirror(Level):
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
            kept = self.kept(name)
            self.expunge(name, wire, sorted(self.held(name)))
            # As a disk that is not mounted would look: nothing is removed before a person says so.
            asked = self.postern.run("sync", name)
            self.assertEqual(asked.status, 1, asked)
            self.assertIn("--accept-loss", asked.err)
            self.assertEqual(self.kept(name), kept)
            self.postern.rows("sync", "--accept-loss", name)
            self.compare(name)
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
        # Slices are as long as the line is fast.
        self.assertLessEqual(second["round_trips"], first["round_trips"] + 10)
        # What the level is good for: a folder that did not change is asked for nothing but that.
        way = {"QRESYNC": r"SELECT .*\(QRESYNC \(", "CONDSTORE": r"SELECT .*\(CONDSTORE\)",
               "RFC 3501": r"SELECT [^(]*$"}[self.level]
        self.assertTrue([line for line in said if re.search(way, line)], said)
        if self.level != "RFC 3501":
            # What leaves with SELECT, before it is known that there is nothing.
            self.assertLessEqual(len([line for line in said if "FETCH" in line]), 2, said)
        # A range that ends in "*" holds the last message, whatever it begins with.
        self.assertFalse([line for line in said if "ENVELOPE" in line and ":* " not in line and
                          "UID FETCH 201:400 " not in line], said)
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

    def test_every_byte_of_every_kind(self):
        """What breaks parsers, and what is ordinary, one of each, read without a line."""
        kinds = {}
        for message in mailgen.sample():
            kinds.setdefault(message.kind, message)
        self.server.deliver([Message(m.raw, m.date, m.flags, "Bytes") for m in kinds.values()])
        name, wire = self.folder("Bytes")
        self.postern.rows("sync", name, "--bodies", "all")
        for uid in self.compare(name):
            done = self.postern.run("--offline", "show", name, str(uid), "--raw")
            self.assertEqual(done.status, DONE, done)
            self.assertEqual(done.out, self.raw(wire, uid))
            done = self.postern.run("--offline", "show", name, str(uid))
            self.assertEqual(done.status, DONE, done)

    def test_every_way_in(self):
        """TLS at once and STARTTLS; the check says who it is that answers."""
        self.news = "NOTIFY" if type(self).__name__ == "DovecotQresync" else "IDLE"
        software = {"Dovecot": "Dovecot", "Cyrus": "Cyrus"}.get(type(self.server).__name__)
        for url in (self.server.url, self.server.starttls_url):
            with self.subTest(url=url), Postern(url, ca=self.server.ca) as postern:
                report, = postern.rows("check")
                self.assertIn("TLS", str(report))
                self.assertTrue(report["changes"].startswith(self.level + ":"), report)
                self.assertTrue(report["news"].startswith(self.news), report)
                if software and " ID " in f" {report['capabilities_used']} ".replace("'", " "):
                    self.assertIn(software, str(report))
                first = postern.rows("list", "INBOX", "--limit", "5")
                self.assertEqual(postern.rows("list", "INBOX", "--limit", "5"), first)

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


for name, case in on_every_level(Mirror):
    globals()[name] = case

if __name__ == "__main__":
    main()
