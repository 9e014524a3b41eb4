"""What a person changes arrives on the server, once, with whatever the server has for it: MOVE, or COPY
and UID EXPUNGE; without UIDPLUS, \\Deleted and no expunge.  With a line and without, and never at the
cost of what other clients did or marked.

    test_levels_changes.py Courier [Courier.test]       # one server alone
"""

import email
import re

import mailgen
from levels import Level, folders_of, on_every_level
from mailgen import NOW, Message
from postern import DONE, main


class Changes(Level):
    def setUp(self):
        super().setUp()
        self.expunges = "UIDPLUS" in self.server_capabilities()

    def server_capabilities(self):
        return self.eye.capability()[1][0].decode().upper().split()

    def fill(self, path, count=20):
        """Messages "PATH 1", "PATH 2", ... with these as UIDs; all seen."""
        name, wire = self.folder(path)
        self.server.deliver([
            Message(mailgen.one("plain", n, subject=f"{path} {n}", date=NOW), NOW, ("\\Seen",), path)
            for n in range(1, count + 1)])
        return name, wire

    def fresh(self, path):
        name, wire = self.folder(path)
        self.assertEqual(self.other.create(wire)[0], "OK")
        return name, wire

    def do(self, *arguments, input=b""):
        done = self.postern.run(*arguments, input=input)
        self.assertEqual(done.status, DONE, done)
        return done

    def offline(self, *arguments, input=b""):
        return self.do("--offline", *arguments, input=input)

    def drained(self):
        """Nothing waits any more, and nothing failed."""
        self.assertEqual(self.postern.rows("--offline", "queue"), [])

    def on_server(self, name):
        """{subject: flags} of what is there and not on its way out."""
        wire = folders_of(self.eye)[name]
        status, answer = self.eye.select(f'"{wire}"', readonly=True)
        self.assertEqual(status, "OK", answer)
        found = []
        if int(answer[0]):
            for item in self.eye.fetch("1:*", "(FLAGS BODY.PEEK[HEADER])")[1]:
                if isinstance(item, tuple):
                    found.append([str(email.message_from_bytes(item[1])["Subject"]), item[0]])
                elif b"FLAGS" in item:      # Courier says them behind the literal
                    found[-1][1] = item
        self.eye.close()
        there = {}
        for subject, said in found:
            flags = flags_in(said.decode())
            if "\\Deleted" not in flags:
                self.assertNotIn(subject, there, "no message twice")
                there[subject] = flags
        return there

    def here(self, name):
        """The same, as Postern shows it."""
        rows = self.postern.rows("--offline", "list", name, "--limit", "1000")
        shown = {row["subject"]: frozenset(row["flags"]) - {"\\Recent"} | frozenset(row["keywords"])
                 for row in rows if "\\Deleted" not in row["flags"]}
        return shown

    def agree(self, *names):
        for name in names:
            self.sync(name)
            self.assertEqual(self.here(name), self.on_server(name), name)
            if self.expunges:
                self.compare(name)

    # ---- with a line ---------------------------------------------------------------------------

    def test_flags_and_keywords(self):
        name, wire = self.fill("Flagging")
        self.sync(name)
        self.do("flag", name, "1:5", "+\\Flagged", "-\\Seen")
        self.do("flag", name, "2,4", "+work", "+$Forwarded")
        self.do("flag", name, "3", "-\\Flagged")
        self.drained()
        there = self.on_server(name)
        self.assertEqual(there["Flagging 1"], {"\\Flagged"})
        self.assertEqual(there["Flagging 2"], {"\\Flagged", "work", "$Forwarded"})
        self.assertEqual(there["Flagging 3"], frozenset())
        self.assertEqual(there["Flagging 6"], {"\\Seen"})
        self.agree(name)

    def test_two_clients_change_different_flags(self):
        name, wire = self.fill("Both")
        self.sync(name)
        self.offline("flag", name, "1:10", "+\\Flagged", "-\\Seen")
        self.other.select(wire)
        self.store(range(1, 11), "+FLAGS", "\\Answered theirs")
        self.store([5], "-FLAGS", "\\Seen")
        self.agree(name)
        self.drained()
        for n in range(1, 11):
            self.assertEqual(self.on_server(name)[f"Both {n}"], {"\\Flagged", "\\Answered", "theirs"})

    def test_move(self):
        name, wire = self.fill("From")
        to, to_wire = self.fresh("To & für")
        self.other.select(wire)
        self.store([20], "+FLAGS", "\\Deleted")      # somebody else's, and not ours to expunge
        self.sync(name)
        self.do("move", name, "3:7", "9", to)
        self.drained()
        self.assertEqual(set(self.on_server(to)), {f"From {n}" for n in (3, 4, 5, 6, 7, 9)})
        self.assertEqual(set(self.on_server(name)),
                         {f"From {n}" for n in range(1, 20) if n not in (3, 4, 5, 6, 7, 9)})
        self.assertIn(20, self.held(name))
        self.assertEqual(self.on_server(to)["From 3"], {"\\Seen"})
        self.agree(name, to)
        self.do("undo")
        self.drained()
        self.assertEqual(set(self.on_server(name)), {f"From {n}" for n in range(1, 20)})
        self.assertEqual(self.on_server(to), {})
        self.agree(name, to)

    def test_copy(self):
        name, _ = self.fill("Original", 6)
        to, _ = self.fresh("Copies")
        self.sync(name)
        self.do("flag", name, "2", "+work")
        self.do("copy", name, "1:3", to)
        self.drained()
        self.assertEqual(set(self.on_server(to)), {f"Original {n}" for n in (1, 2, 3)})
        self.assertEqual(self.on_server(to)["Original 2"], {"\\Seen", "work"})
        self.assertEqual(len(self.on_server(name)), 6)
        self.agree(name, to)

    def test_delete(self):
        """To the trash; and from there for good, where the server can do that to one message."""
        name, _ = self.fill("Doomed", 8)
        trash, trash_wire = self.folder("Trash")
        self.server.deliver([Message(mailgen.one("plain", 99, subject="Bystander", date=NOW), NOW,
                                     ("\\Seen",), "Trash")])
        self.sync(name, trash)
        self.do("delete", name, "1:4")
        self.drained()
        self.assertEqual(set(self.on_server(name)), {f"Doomed {n}" for n in range(5, 9)})
        self.assertEqual(set(self.on_server(trash)),
                         {"Bystander"} | {f"Doomed {n}" for n in range(1, 5)})
        self.agree(name, trash)
        uid = {row["subject"]: row["uid"]
               for row in self.postern.rows("--offline", "list", trash)}["Doomed 2"]
        self.other.select(trash_wire)
        bystander = min(self.held(trash))
        self.do("delete", trash, str(uid))
        self.drained()
        self.assertEqual(set(self.on_server(trash)),
                         {"Bystander"} | {f"Doomed {n}" for n in (1, 3, 4)})
        self.assertIn(bystander, self.held(trash))
        self.assertEqual(uid in self.held(trash), not self.expunges)
        self.agree(trash)

    def test_append(self):
        name, _ = self.fresh("Appended")
        for n, raw in enumerate((mailgen.one("attachments", 3), mailgen.one("plain", 4),
                                 mailgen.one("language", 5))):
            self.do("append", name, "+\\Seen", "+mine", input=raw)
            self.drained()
            held = self.held(name)
            self.assertEqual(len(held), n + 1)
            self.assertEqual(held[max(held)], (frozenset({"\\Seen", "mine"}), len(raw)))
        self.sync(name)
        self.compare(name)
        uid = max(self.held(name))
        self.assertEqual(self.do("show", name, str(uid), "--raw").out, raw)

    def test_folders(self):
        parent, _ = self.folder("Reisen & mehr")
        child, _ = self.folder("Reisen & mehr/Österreich ☃")
        renamed, _ = self.folder("Fahrten")
        below, _ = self.folder("Fahrten/Österreich ☃")
        self.do("folders")
        self.do("folder", "create", parent)
        self.do("folder", "create", child)
        self.do("folder", "subscribe", child)
        self.drained()
        self.assertLessEqual({parent, child}, set(folders_of(self.eye)))
        self.assertIn(child, self.subscribed())
        self.do("folder", "unsubscribe", child)
        self.assertNotIn(child, self.subscribed())
        self.do("append", child, "+\\Seen", input=mailgen.one("plain", 1, subject="Inside"))
        self.do("folder", "rename", parent, renamed)
        self.drained()
        there = set(folders_of(self.eye))
        self.assertLessEqual({renamed, below}, there)
        self.assertFalse({parent, child} & there)
        self.assertEqual(set(self.on_server(below)), {"Inside"})
        self.agree(below)
        self.do("folder", "delete", below)
        self.do("folder", "delete", renamed)
        self.drained()
        self.assertFalse({renamed, below} & set(folders_of(self.eye)))
        rows = {row["name"] for row in self.postern.rows("folders")}
        self.assertFalse({parent, child, renamed, below} & rows)

    def subscribed(self):
        found = set()
        for line in self.eye.lsub()[1]:
            if line:
                found.add(line.decode().split(" ", 2)[2].strip('"'))
        by_wire = {wire: name for name, wire in folders_of(self.eye).items()}
        return {by_wire.get(wire, wire) for wire in found}

    # ---- without one ---------------------------------------------------------------------------

    def test_a_chain_made_offline(self):
        """Flag, move, flag, move on; into a folder that is not there yet; and some of it taken back."""
        one, wire = self.fill("Chain")
        two, _ = self.fresh("Chain two")
        three, _ = self.folder("Chain three & neu")
        self.sync()
        self.offline("flag", one, "1:6", "+\\Flagged")
        self.offline("move", one, "1:6", two)
        self.offline("folder", "create", three)
        self.offline("move", one, "7:8", three)
        ids = {row["subject"]: row["id"] for row in self.postern.rows("--offline", "list", two)}
        self.offline("flag", two, *(f"id:{ids[f'Chain {n}']}" for n in (1, 2)), "+late", "-\\Seen")
        self.offline("move", two, *(f"id:{ids[f'Chain {n}']}" for n in (1, 3)), three)
        self.offline("delete", one, "15")
        self.offline("undo")
        self.offline("copy", one, "10", three)
        # Shown at once, as if it had been done.
        self.assertEqual(set(self.here(two)), {f"Chain {n}" for n in (2, 4, 5, 6)})
        self.assertEqual(set(self.here(three)) - {"Chain 10"}, {f"Chain {n}" for n in (1, 3, 7, 8)})
        # Meanwhile
        self.other.select(wire)
        self.store([9, 2], "+FLAGS", "theirs")
        self.expunge(one, wire, [4])
        self.add(one, wire, 2)
        self.sync()
        self.only_failed()
        self.agree(one, two, three)
        there = self.on_server(three)
        self.assertEqual(set(there), {f"Chain {n}" for n in (1, 3, 7, 8, 10)})
        self.assertEqual(there["Chain 1"], {"\\Flagged", "late"})
        self.assertEqual(there["Chain 3"], {"\\Flagged", "\\Seen"})
        there = self.on_server(two)
        self.assertEqual(set(there), {f"Chain {n}" for n in (2, 5, 6)})
        self.assertEqual(there["Chain 2"], {"\\Flagged", "late", "theirs"})
        there = self.on_server(one)
        self.assertEqual(set(there), {f"Chain {n}" for n in range(9, 21)} | {"Added 0", "Added 1"})
        self.assertIn("theirs", there["Chain 9"])

    def only_failed(self):
        """Nothing waits; what failed is what another client had expunged."""
        rows = self.postern.rows("--offline", "queue")
        for row in rows:
            self.assertEqual(row["state"], "failed", rows)
        self.assertLessEqual(len(rows), 2, rows)

    def test_moved_and_back(self):
        """Rows that undo each other need not be sent at all; in the end nothing has changed."""
        one, _ = self.fill("Here", 6)
        two, _ = self.fresh("There")
        self.sync()
        before = self.held(one)
        self.offline("move", one, "2:4", two)
        self.offline("undo")
        self.offline("flag", one, "1", "+\\Flagged")
        self.offline("flag", one, "1", "-\\Flagged")
        self.sync()
        self.drained()
        self.agree(one, two)
        self.assertEqual(set(self.on_server(one)), {f"Here {n}" for n in range(1, 7)})
        self.assertEqual(self.on_server(two), {})
        self.assertEqual({flags for flags, _ in before.values()},
                         {flags for flags, _ in self.held(one).values()})

    def test_a_whole_folder_read(self):
        name, wire = self.folder("Unread")
        self.server.deliver([
            Message(mailgen.one("plain", n, subject=f"Unread {n}", date=NOW), NOW, (), "Unread")
            for n in range(1, 201)])
        self.sync(name)
        self.offline("flag", name, "1:200", "+\\Seen")
        self.assertEqual(len(self.postern.rows("--offline", "queue")), 1)
        log = len(self.postern.log())
        self.sync(name)
        stores = re.findall(r" C: A\d+ UID STORE .*", self.postern.log()[log:])
        self.assertLessEqual(len(stores), 4, stores)
        self.drained()
        self.assertEqual(set(self.on_server(name).values()), {frozenset({"\\Seen"})})
        self.agree(name)

    def test_what_cannot_be_done_is_shown(self):
        """The folder is gone when the line is back: the messages are where they were."""
        one, _ = self.fill("Stays", 4)
        two, two_wire = self.fresh("Goes")
        self.sync()
        self.offline("move", one, "1:2", two)
        self.assertEqual(self.other.delete(two_wire)[0], "OK")
        self.sync()
        row, = self.postern.rows("--offline", "queue")
        self.assertEqual(row["state"], "failed")
        self.assertTrue(row["error"])
        self.assertEqual(set(self.on_server(one)), {f"Stays {n}" for n in range(1, 5)})
        self.do("queue", "drop", str(row["id"]))
        self.drained()
        self.agree(one)


def flags_in(text):
    return frozenset(re.search(r"FLAGS \(([^)]*)\)", text)[1].split()) - {"\\Recent"}


for name, case in on_every_level(Changes):
    globals()[name] = case

if __name__ == "__main__":
    main()
