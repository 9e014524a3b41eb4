"""flag, move, copy, delete, append, folder, queue and undo, as scripts use them, with a line and without,
against Dovecot."""

import re
import unittest

import mailgen
from dovecot import Dovecot
from mailgen import Message
from postern import DONE, FAILED, NOT_NOW, USAGE, Postern, main
from proxy import Proxy

MAILS = 12


def mail(n, folder="INBOX"):
    raw = (f"From: Bob <bob@example.org>\r\nTo: ada@example.org\r\nSubject: number {n}\r\n"
           f"Message-ID: <{n}@example.org>\r\nDate: Mon, 02 Mar 2009 10:{n:02}:00 +0000\r\n\r\n"
           f"The text of number {n}.\r\n").encode()
    return Message(raw, mailgen.NOW, folder=folder)


class Case(unittest.TestCase):
    def setUp(self):
        self.server = Dovecot(mail=[mail(n) for n in range(1, MAILS + 1)])
        self.addCleanup(self.server.stop)
        self.server.start()
        self.line = Proxy(self.server.imaps)
        self.line.__enter__()
        self.addCleanup(self.line.__exit__, None, None, None)
        self.postern = Postern(f"imaps://ada@localhost:{self.line.port}", ca=self.server.ca)
        self.addCleanup(self.postern.__exit__)

    def run_(self, status, *arguments, **keywords):
        done = self.postern.run(*arguments, **keywords)
        self.assertEqual(done.status, status, done)
        return done

    def do(self, *arguments, **keywords):
        return self.run_(DONE, *arguments, **keywords)

    def offline(self, *arguments, **keywords):
        return self.run_(DONE, "--offline", *arguments, **keywords)

    def here(self, folder):
        """Message-IDs of what is listed here, with flags and keywords."""
        return {row["message_id"]: set(row["flags"]) | set(row["keywords"])
                for row in self.postern.rows("--offline", "list", folder)}

    def there(self, folder):
        """The same of the server."""
        client = self.server.client()
        try:
            status, _ = client.select(f'"{folder}"', readonly=True)
            if status != "OK":
                return None
            data = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]
        finally:
            client.logout()
        found = {}
        for part in data:
            if not isinstance(part, tuple):
                continue
            flags = re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1).decode().split()
            name = re.search(rb"<[^>]*>", part[1]).group().decode()
            self.assertNotIn(name, found, "doubled")
            found[name] = set(flags) - {"\\Recent"}
        return found

    def agree(self, *folders):
        for folder in folders:
            self.assertEqual(self.here(folder), self.there(folder), folder)

    def queue(self):
        return self.postern.rows("--offline", "queue")

    def folders(self):
        client = self.server.client()
        rows = client.list()[1]
        client.logout()
        return {row.decode().split('"/" ')[1].strip('"') for row in rows}


class Online(Case):
    def test_flags_and_keywords(self):
        self.do("flag", "INBOX", "2:4", "+\\Seen", "+work")
        self.assertEqual(self.there("INBOX")["<3@example.org>"], {"\\Seen", "work"})
        self.do("flag", "INBOX", "3", "-Seen", "-work", "+Flagged")
        self.assertEqual(self.there("INBOX")["<3@example.org>"], {"\\Flagged"})
        self.agree("INBOX")
        self.assertEqual(self.queue(), [])

    def test_move_copy_delete(self):
        self.do("folder", "create", "Elsewhere")
        self.do("move", "INBOX", "1,3", "Elsewhere")
        self.do("copy", "INBOX", "2", "Elsewhere")
        self.assertEqual(set(self.there("Elsewhere")),
                         {"<1@example.org>", "<2@example.org>", "<3@example.org>"})
        self.assertNotIn("<1@example.org>", self.there("INBOX"))
        self.do("delete", "INBOX", "*")
        self.assertEqual(set(self.there("Trash")), {f"<{MAILS}@example.org>"})
        self.do("delete", "Trash", "1")
        self.assertEqual(self.there("Trash"), {})
        self.do("sync")
        self.agree("INBOX", "Elsewhere", "Trash")

    def test_a_message_keeps_its_identity_when_it_moves(self):
        self.do("folder", "create", "Elsewhere")
        self.do("sync", "INBOX")
        row = next(row for row in self.postern.rows("--offline", "list", "INBOX") if row["uid"] == 5)
        self.do("move", "INBOX", f"id:{row['id']}", "Elsewhere")
        moved = self.postern.rows("--offline", "list", "Elsewhere")[0]
        self.assertEqual((moved["id"], moved["message_id"]), (row["id"], row["message_id"]))
        self.assertEqual(moved["uid"], 1)

    def test_append(self):
        raw = mail(77).raw.replace(b"\r\n", b"\n")
        self.do("append", "INBOX", "+\\Seen", "+work", input=raw)
        self.assertEqual(self.there("INBOX")["<77@example.org>"], {"\\Seen", "work"})
        row = self.postern.rows("list", "INBOX", "--limit", "1")[0]
        self.assertEqual(row["message_id"], "<77@example.org>")
        self.assertEqual(self.postern.run("show", "INBOX", "*", "--raw").out, mail(77).raw)

    def test_folders(self):
        self.do("folder", "create", "One/Two")
        self.do("folder", "rename", "One", "Eins")
        self.assertIn("Eins/Two", self.folders())
        self.do("folder", "subscribe", "Eins/Two")
        self.do("folder", "create", "Größe & mehr")
        self.assertIn("Gr&APYA3w-e &- mehr", self.folders())
        self.do("folder", "delete", "Eins/Two")
        self.assertNotIn("Eins/Two", self.folders())
        self.assertIn("Größe & mehr", {row["name"] for row in self.postern.rows("folders")})

    def test_undo(self):
        before = self.there("INBOX")
        self.do("flag", "INBOX", "1:5", "+\\Flagged")
        self.do("delete", "INBOX", "2:3")
        self.assertEqual(len(self.there("INBOX")), MAILS - 2)
        self.do("undo")
        self.assertEqual(set(self.there("INBOX")), set(before))
        self.assertIn("\\Flagged", self.there("INBOX")["<2@example.org>"])
        self.do("undo")
        self.assertEqual(self.there("INBOX"), before)
        self.do("sync")
        self.agree("INBOX", "Trash")

    def test_what_is_wrong_changes_nothing(self):
        self.do("sync")
        self.run_(FAILED, "flag", "INBOX", "1,99", "+\\Seen")
        self.run_(FAILED, "move", "INBOX", "1", "Nowhere")
        self.run_(FAILED, "flag", "Nowhere", "1", "+\\Seen")
        self.run_(USAGE, "flag", "INBOX", "one", "+\\Seen")
        self.run_(USAGE, "flag", "INBOX", "1", "+\\Recent")
        self.run_(USAGE, "move", "INBOX", "1", "INBOX")
        self.run_(FAILED, "undo")
        self.assertEqual(self.queue(), [])
        self.agree("INBOX")


class Offline(Case):
    def test_what_is_done_without_a_line_shows_at_once_and_is_sent_later(self):
        self.do("sync")
        self.offline("folder", "create", "New")
        self.offline("flag", "INBOX", "1:6", "+\\Seen")
        self.offline("move", "INBOX", "1,2", "New")
        self.offline("copy", "INBOX", "3", "New")
        self.offline("delete", "INBOX", "4")
        self.assertEqual(set(self.here("New")),
                         {"<1@example.org>", "<2@example.org>", "<3@example.org>"})
        self.assertEqual(len(self.here("INBOX")), MAILS - 3)
        for row in self.postern.rows("--offline", "list", "New"):
            self.assertIsNone(row["uid"])
        totals = {row["name"]: (row["total"], row["unread"])
                  for row in self.postern.rows("--offline", "folders")}
        self.assertEqual(totals["INBOX"], (MAILS - 3, MAILS - 6))
        self.assertEqual(totals["New"], (3, 0))
        self.assertEqual({row["state"] for row in self.queue()}, {"waiting"})
        self.assertEqual(len(self.there("INBOX")), MAILS)
        self.do("sync")
        self.assertEqual(self.queue(), [])
        self.agree("INBOX", "New", "Trash")
        self.assertEqual(len(self.there("New")), 3)

    def test_chains_over_messages_that_have_no_uid_yet(self):
        self.do("sync")
        self.offline("folder", "create", "A")
        self.offline("folder", "create", "B")
        self.offline("move", "INBOX", "1:3", "A")
        ids = [row["id"] for row in self.postern.rows("--offline", "list", "A")]
        self.offline("flag", "A", f"id:{ids[0]}", "+\\Flagged", "+later")
        self.offline("move", "A", f"id:{ids[0]}", f"id:{ids[1]}", "B")
        self.offline("copy", "B", f"id:{ids[1]}", "A")
        self.offline("flag", "B", f"id:{ids[1]}", "+\\Answered")
        self.offline("delete", "A", f"id:{ids[2]}")
        self.do("sync")
        self.assertEqual(self.queue(), [])
        self.agree("INBOX", "A", "B", "Trash")
        flags = set().union(*self.there("B").values())
        self.assertEqual(flags, {"\\Flagged", "later", "\\Answered"})
        self.assertEqual((len(self.there("A")), len(self.there("Trash"))), (1, 1))

    def test_what_undoes_itself_never_leaves(self):
        self.do("sync")
        before = self.there("INBOX")
        self.offline("flag", "INBOX", "1:5", "+\\Seen")
        self.offline("flag", "INBOX", "1:5", "-\\Seen")
        self.assertEqual(self.queue(), [])
        self.offline("delete", "INBOX", "1:2")
        self.offline("undo")
        self.assertEqual([row["action"] for row in self.queue() if row["action"] != "folder create"],
                         [])
        self.do("sync")
        self.assertEqual(self.there("INBOX"), before)

    def test_undo_after_it_was_sent(self):
        self.do("sync")
        before = self.there("INBOX")
        self.offline("flag", "INBOX", "1:4", "+\\Flagged")
        self.do("sync")
        self.offline("undo")
        self.assertEqual(self.here("INBOX"), before)
        self.do("sync")
        self.assertEqual(self.there("INBOX"), before)

    def test_both_win_when_two_clients_change_different_flags(self):
        self.do("sync")
        self.offline("flag", "INBOX", "1", "+\\Flagged")
        client = self.server.client()
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", "(\\Seen theirs)")
        client.logout()
        self.do("sync")
        self.assertEqual(self.there("INBOX")["<1@example.org>"], {"\\Flagged", "\\Seen", "theirs"})
        self.agree("INBOX")

    def test_a_queued_change_of_a_message_that_is_gone_is_shown(self):
        self.do("sync")
        self.offline("flag", "INBOX", "1:2", "+\\Flagged")
        client = self.server.client()
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
        client.expunge()
        client.logout()
        self.postern.run("sync")
        rows = self.queue()
        self.assertEqual([(row["state"], row["action"]) for row in rows], [("failed", "flag")])
        self.assertEqual(rows[0]["message_ids"], ["<1@example.org>"])
        self.assertTrue(rows[0]["error"])
        self.assertEqual(self.there("INBOX")["<2@example.org>"], {"\\Flagged"})
        self.do("queue", "drop", str(rows[0]["id"]))
        self.assertEqual(self.queue(), [])
        self.agree("INBOX")


class Away(Case):
    def test_a_server_that_is_away_queues_it(self):
        self.do("sync")
        self.line.refuse()
        done = self.run_(NOT_NOW, "flag", "INBOX", "1", "+\\Seen")
        self.assertIn("queue", done.err)
        self.assertIn("\\Seen", self.here("INBOX")["<1@example.org>"])
        self.line.accept()
        self.do("sync")
        self.assertEqual(self.queue(), [])
        self.agree("INBOX")

    def test_every_kind_of_change_is_queued_when_the_server_is_away(self):
        self.do("folder", "create", "Old")
        self.do("delete", "INBOX", "1")     # so that there is a trash
        self.do("sync")
        self.line.refuse()
        for arguments in (("move", "INBOX", "2", "Old"), ("copy", "INBOX", "3", "Old"),
                          ("delete", "INBOX", "4"), ("folder", "create", "New"),
                          ("folder", "rename", "Old", "Older"),
                          ("folder", "unsubscribe", "Trash")):
            self.assertIn("queued", self.run_(NOT_NOW, *arguments).err, arguments)
        self.assertIn("queued", self.run_(NOT_NOW, "append", "New", input=mail(77).raw).err)
        self.line.accept()
        self.do("sync")
        self.assertEqual(self.queue(), [])
        self.agree("INBOX", "Older", "New", "Trash")
        self.assertEqual(set(self.there("New")), {"<77@example.org>"})
        self.assertEqual(set(self.there("Older")), {"<2@example.org>", "<3@example.org>"})

    def test_what_a_server_refuses_stays_with_its_words(self):
        self.do("sync")
        self.offline("folder", "create", "Gone")
        self.do("sync")
        self.offline("move", "INBOX", "1", "Gone")
        client = self.server.client()
        client.delete("Gone")
        client.logout()
        self.offline("flag", "INBOX", "2", "+\\Seen")
        self.assertIn("1 change failed", self.postern.run("sync").err)
        rows = self.queue()
        self.assertEqual([row["state"] for row in rows], ["failed"], rows)
        self.assertEqual(rows[0]["action"], "move")
        self.assertIn("\\Seen", self.there("INBOX")["<2@example.org>"])
        client = self.server.client()
        client.create("Gone")
        client.logout()
        self.do("queue", "retry")
        self.assertEqual(self.queue(), [])
        self.do("sync")
        self.agree("INBOX", "Gone")
        self.assertEqual(set(self.there("Gone")), {"<1@example.org>"})


if __name__ == "__main__":
    main()
