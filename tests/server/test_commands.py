"""folders, list, show, sync and check, as scripts use them, against Dovecot (design: the command line is
a contract)."""

import base64
import email
import imaplib
import os
import re
import unittest

import mailgen
from dovecot import Dovecot
from postern import DONE, FAILED, NOT_NOW, USAGE, Postern, main

FILM = mailgen.big_attachment()
LIST_FIELDS = {"uid", "id", "flags", "keywords", "date", "from", "to", "subject", "size",
               "message_id", "thread", "attachments"}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$")


def setUpModule():
    global server, postern, sample
    sample = mailgen.sample()
    server = Dovecot(mail=sample, compress=True)
    unittest.addModuleCleanup(server.stop)
    server.start()
    postern = Postern(server.url, ca=server.ca)
    unittest.addModuleCleanup(postern.__exit__)


def in_folder(name):
    """What the server has there, in the order of UIDs."""
    return [m for m in sample if m.folder == name]


class Folders(unittest.TestCase):
    def test_lists_every_folder_with_its_counts(self):
        rows = {row["name"]: row for row in postern.rows("folders")}
        self.assertEqual(set(rows), set(mailgen.FOLDERS))
        client = server.client()
        for name, row in rows.items():
            wire = name.encode("ascii", "ignore").decode()
            if wire == name and "&" not in name:
                status = client.status(f'"{name}"', "(MESSAGES UNSEEN)")[1][0].decode()
                total, unread = re.search(r"MESSAGES (\d+) UNSEEN (\d+)", status).groups()
                self.assertEqual((row["total"], row["unread"]), (int(total), int(unread)), name)
            self.assertEqual(row["account"], "test")
            self.assertEqual(row["delimiter"], "/")
        client.logout()

    def test_says_the_role_and_the_subscription(self):
        rows = {row["name"]: row for row in postern.rows("folders")}
        for name in ("Sent", "Drafts", "Trash", "Junk", "Archive"):
            self.assertIn(name.lower(), str(rows[name]["role"]).lower())
        self.assertFalse(rows["Projekte"]["role"])
        self.assertIs(rows["INBOX"]["subscribed"] in (True, False), True)
        self.assertIs(rows["日本語"]["subscribed"], True)

    def test_text_output_has_a_line_a_folder(self):
        done = postern.run("folders")
        self.assertEqual(done.status, DONE, done)
        for name in mailgen.FOLDERS:
            self.assertIn(name, done.text)


class List(unittest.TestCase):
    def test_is_newest_first_and_complete(self):
        rows = postern.rows("list", "INBOX", "--limit", "1000")
        self.assertEqual(len(rows), len(in_folder("INBOX")))
        dates = [row["date"] for row in rows]
        for date in dates:
            self.assertRegex(date, RFC3339)
        moments = [moment(date) for date in dates]
        self.assertEqual(moments, sorted(moments, reverse=True))

    def test_has_every_field(self):
        for row in postern.rows("list", "INBOX", "--limit", "20"):
            self.assertGreaterEqual(set(row), LIST_FIELDS)
            self.assertIsInstance(row["uid"], int)
            self.assertIsInstance(row["flags"], list)
            self.assertIsInstance(row["keywords"], list)
            self.assertIsInstance(row["attachments"], int)

    def test_tells_what_the_server_tells(self):
        rows = {row["uid"]: row for row in postern.rows("list", "INBOX", "--limit", "1000")}
        client = server.client()
        client.select("INBOX", readonly=True)
        answers = client.fetch("1:*", "(UID FLAGS RFC822.SIZE)")[1]
        client.logout()
        for answer in answers:
            text = answer.decode()
            uid = int(re.search(r"UID (\d+)", text)[1])
            self.assertEqual(rows[uid]["size"], int(re.search(r"RFC822.SIZE (\d+)", text)[1]))
            flags = set(re.search(r"FLAGS \(([^)]*)\)", text)[1].split()) - {"\\Recent"}
            ours = set(rows[uid]["flags"]) - {"\\Recent"} | set(rows[uid]["keywords"])
            self.assertEqual(ours, flags, text)

    def test_pages_fit_together(self):
        whole = [r["uid"] for r in postern.rows("list", "INBOX", "--limit", "30")]
        pages = []
        for offset in (0, 10, 20):
            pages += [r["uid"] for r in postern.rows("list", "INBOX", "--limit", "10",
                                                     "--offset", str(offset))]
        self.assertEqual(pages, whole)

    def test_decodes_subjects_in_every_charset(self):
        subjects = {(row["message_id"] or "").strip("<>"): row["subject"]
                    for row in postern.rows("list", "INBOX", "--limit", "1000")}
        for message in in_folder("INBOX"):
            if message.kind != "language":
                continue
            mail = email.message_from_bytes(message.raw)
            ident = mail["Message-ID"].strip("<>")
            charset = mail.get_content_charset()
            text = next(t for c, e, t in mailgen.LANGUAGES
                        if c == charset and e == mail["Content-Transfer-Encoding"])
            wanted = text.split("\n")[0][:40]
            if wanted.isascii():
                continue
            # What cannot be seen shows as a placeholder.
            wanted = wanted.replace("\u200b", "\ufffd")
            self.assertEqual(squeeze(subjects[ident]), squeeze(wanted), charset)

    def test_counts_attachments(self):
        rows = {(row["message_id"] or "").strip("<>"): row
                for row in postern.rows("list", "INBOX", "--limit", "1000")}
        for message in in_folder("INBOX"):
            mail = email.message_from_bytes(message.raw)
            if message.kind in ("attachments", "big"):
                self.assertGreater(rows[mail["Message-ID"].strip("<>")]["attachments"], 0)
            if message.kind in ("plain", "flowed", "alternative"):
                self.assertEqual(rows[mail["Message-ID"].strip("<>")]["attachments"], 0)

    def test_unknown_folder_is_an_error_that_names_it(self):
        done = postern.run("list", "Nowhere")
        self.assertEqual(done.status, FAILED, done)
        self.assertIn("Nowhere", done.err)
        self.assertEqual(done.out, b"")
        self.assertEqual(len(done.err.strip().splitlines()), 1, done)

    def test_folder_with_a_utf8_name(self):
        rows = postern.rows("list", "Projekte/Grüße & Küsse", "--limit", "1000")
        self.assertEqual(len(rows), len(in_folder("Projekte/Grüße & Küsse")))

    def test_inbox_has_no_case(self):
        self.assertTrue(postern.rows("list", "inbox", "--limit", "1"))


class Show(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.uid = {}
        for row in postern.rows("list", "INBOX", "--limit", "1000"):
            cls.uid[(row["message_id"] or "").strip("<>")] = row["uid"]

    def find(self, kind):
        """(uid, message) of the first one of KIND that can be told by its Message-ID."""
        for message in in_folder("INBOX"):
            ident = (email.message_from_bytes(message.raw)["Message-ID"] or "").strip("<>")
            if message.kind == kind and ident in self.uid:
                return self.uid[ident], message
        raise AssertionError(kind)

    def show(self, uid, *options):
        done = postern.run("show", "INBOX", str(uid), *options)
        self.assertEqual(done.status, DONE, done)
        return done

    def test_raw_is_the_message_byte_for_byte(self):
        for kind in ("plain", "attachments", "language", "forwarded", "escapes", "wrong-charset",
                     "unclosed", "deep"):
            uid, message = self.find(kind)
            self.assertEqual(self.show(uid, "--raw").out, message.raw, kind)

    def test_headers_are_the_header_and_no_more(self):
        uid, message = self.find("list-post")
        out = self.show(uid, "--headers").out
        head = message.raw.partition(b"\r\n\r\n")[0]
        self.assertEqual(out.replace(b"\r\n", b"\n").rstrip(b"\n"), head.replace(b"\r\n", b"\n"))

    def test_text_is_readable_in_every_charset(self):
        for message in in_folder("INBOX"):
            if message.kind != "language":
                continue
            mail = email.message_from_bytes(message.raw)
            charset = mail.get_content_charset()
            if charset == "utf-7":      # never decoded for display
                continue
            text = next(t for c, e, t in mailgen.LANGUAGES
                        if c == charset and e == mail["Content-Transfer-Encoding"])
            out = self.show(self.uid[mail["Message-ID"].strip("<>")]).text
            wanted = text.split("\n")[0]
            wanted = re.sub("[\u200b]", "", wanted)
            shown = re.sub("[\u200b\ufffd]", "", out)
            first = re.split(r"[^\w]", wanted)[0]
            self.assertIn(first, shown, charset)
            if "\u200d" not in wanted and "\u200b" not in text:
                self.assertIn(squeeze(wanted), squeeze(shown), charset)

    def test_flowed_paragraphs_are_joined(self):
        uid, _ = self.find("flowed")
        out = self.show(uid).text
        self.assertIn("> ", out)
        self.assertNotIn(" \n> ", out)

    def test_alternative_shows_the_plain_one(self):
        uid, _ = self.find("alternative")
        out = self.show(uid).text
        self.assertNotIn("<p>", out)
        self.assertNotIn("Cell one", out)

    def test_html_is_text(self):
        uid, _ = self.find("html-only")
        out = self.show(uid).text
        self.assertIn("Cell one", out)
        self.assertIn("& friends", out)
        self.assertIn("—", out)
        for hidden in ("alert(", "color: red", "<b>", "&amp;"):
            self.assertNotIn(hidden, out)

    def test_nothing_reaches_the_terminal_but_text(self):
        for kind in ("escapes", "bad-charset", "raw-headers", "wrong-charset"):
            uid, _ = self.find(kind)
            for options in ((), ("--structure",), ("--json",)):
                out = self.show(uid, *options).text
                bad = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)
                self.assertEqual(bad, [], kind)

    def test_structure_is_a_tree(self):
        uid, message = self.find("forwarded")
        tree = postern.rows("show", "INBOX", str(uid), "--structure")[0]
        for part in walk(tree):
            self.assertGreaterEqual(set(part), {"section", "type", "name", "encoding", "size",
                                                "parts"})
        self.assertEqual(tree["type"], "multipart/mixed")
        types = {part["section"]: part["type"] for part in walk(tree)}
        self.assertEqual(types["1"], "text/plain")
        self.assertEqual(types["2"], "message/rfc822")
        self.assertEqual(types["2.1"], "text/plain")
        self.assertEqual(types["2.2"], "message/rfc822")
        self.assertEqual(types["2.2.1"], "text/plain")
        self.assertEqual(types["2.2.2"], "text/html")

    def test_part_is_its_decoded_bytes(self):
        uid, message = self.find("big")
        attachment = list(email.message_from_bytes(message.raw).walk())[2]
        self.assertEqual(self.show(uid, "--part", "2").out, attachment.get_payload(decode=True))
        uid, message = self.find("attachments")
        for number, part in enumerate(email.message_from_bytes(message.raw).get_payload(), 1):
            if part["Content-Transfer-Encoding"] == "base64":
                self.assertEqual(self.show(uid, "--part", str(number)).out,
                                 base64.b64decode(part.get_payload()))

    def test_a_message_inside_has_its_line(self):
        uid, _ = self.find("forwarded")
        self.assertRegex(self.show(uid).text, r"(?m)^\[part 2: message/rfc822, .*bytes\]$")
        row = [row for row in postern.rows("list", "INBOX", "--limit", "1000000")
               if row["uid"] == uid][0]
        self.assertEqual(row["attachments"], 1)

    def test_unknown_message_and_part(self):
        for arguments in (("999999",), ("1", "--part", "77")):
            done = postern.run("show", "INBOX", *arguments)
            self.assertEqual(done.status, FAILED, done)
            self.assertEqual(len(done.err.strip().splitlines()), 1, done)
            self.assertIn(arguments[-1], done.err)

    def test_every_message_can_be_shown(self):
        """Whatever it is made of: status 0 and no more than a note on standard error."""
        for row in postern.rows("list", "Broken", "--limit", "1000"):
            done = postern.run("show", "Broken", str(row["uid"]))
            self.assertEqual(done.status, DONE, done)


class Sync(unittest.TestCase):
    def test_then_everything_is_there_without_a_line(self):
        with Postern(server.url, ca=server.ca) as fresh:
            last = fresh.rows("sync", "--bodies", "text")[-1]
            self.assertGreaterEqual(set(last), {"messages", "bytes_in", "bytes_out",
                                                "round_trips", "seconds"})
            self.assertGreater(last["messages"], 0)
            online = {name: fresh.rows("list", name, "--limit", "1000")
                      for name in ("INBOX", "Lists/users", "日本語")}
            port = fresh.config
            with open(port) as config:
                text = config.read()
            fresh.configure(text.replace(f":{server.imaps}", ":1"))     # nobody listens there
            for name, rows in online.items():
                self.assertEqual(fresh.rows("--offline", "list", name, "--limit", "1000"), rows)
            self.assertEqual(len(fresh.rows("--offline", "folders")), len(mailgen.FOLDERS))
            uid = online["INBOX"][0]["uid"]
            done = fresh.run("--offline", "show", "INBOX", str(uid))
            self.assertEqual(done.status, DONE, done)
            self.assertTrue(done.out.strip())

    def test_one_folder_alone(self):
        with Postern(server.url, ca=server.ca) as fresh:
            last = fresh.rows("sync", "Lists")[-1]
            self.assertEqual(last["messages"], len(in_folder("Lists")))
            self.assertEqual(len(fresh.rows("--offline", "list", "Lists")),
                             len(in_folder("Lists")))

    def test_all_bodies(self):
        with Postern(server.url, ca=server.ca) as fresh:
            fresh.rows("sync", "Lists", "--bodies", "all")
            for row in fresh.rows("--offline", "list", "Lists"):
                done = fresh.run("--offline", "show", "Lists", str(row["uid"]), "--raw")
                self.assertEqual(done.status, DONE, done)
                self.assertIn(done.out, [m.raw for m in in_folder("Lists")])

    def test_other_clients_changes_arrive(self):
        with Postern(server.url, ca=server.ca) as fresh:
            fresh.rows("sync", "Archive")
            before = [row for row in fresh.rows("--offline", "list", "Archive")
                      if "\\Deleted" not in row["flags"]]
            client = server.client()
            client.select("Archive")
            uid = before[0]["uid"]
            client.uid("STORE", str(uid), "+FLAGS", "(\\Flagged later)")
            client.uid("STORE", str(before[1]["uid"]), "+FLAGS", "(\\Deleted)")
            client.expunge()
            client.append("Archive", "", None, mailgen.one("plain", 4711))
            client.logout()
            fresh.rows("sync", "Archive")
            after = {row["uid"]: row for row in fresh.rows("--offline", "list", "Archive")}
            self.assertIn("\\Flagged", after[uid]["flags"])
            self.assertIn("later", after[uid]["keywords"])
            self.assertNotIn(before[1]["uid"], after)
            self.assertTrue(set(after) - {row["uid"] for row in before})


class Offline(unittest.TestCase):
    def test_what_was_never_fetched_needs_the_line(self):
        with Postern(server.url, ca=server.ca) as fresh:
            for arguments in (("list", "INBOX"), ("show", "INBOX", "1"), ("folders",), ("check",)):
                done = fresh.run("--offline", *arguments)
                self.assertEqual(done.status, NOT_NOW, done)
                self.assertEqual(len(done.err.strip().splitlines()), 1, done)

    def test_a_server_that_is_away(self):
        with Postern(f"imaps://ada@localhost:1", ca=server.ca) as fresh:
            for arguments in (("list", "INBOX"), ("folders",), ("check",), ("sync",)):
                done = fresh.run(*arguments)
                self.assertEqual(done.status, NOT_NOW, done)
                self.assertIn("localhost", done.err)


class Check(unittest.TestCase):
    def test_says_what_was_negotiated(self):
        done = postern.run("check")
        self.assertEqual(done.status, DONE, done)
        self.assertLessEqual(len(done.text.splitlines()), 24)
        for word in ("TLS", "1.3", "SCRAM-SHA-256", "localhost", "IDLE"):
            self.assertIn(word, done.text)

    def test_json(self):
        report, = postern.rows("check")
        self.assertGreaterEqual(set(report["capabilities_used"]),
                                {"IMAP4rev1", "IDLE", "QRESYNC", "UIDPLUS", "MOVE"})
        self.assertGreaterEqual(set(report["capabilities_unused"]), {"CATENATE", "THREAD=REFS"})

    def test_a_log_that_cannot_be_written_is_said_once(self):
        done = postern.run("--log", "/dev/full", "check")
        self.assertEqual(done.status, DONE, done)
        self.assertEqual(done.err.count("cannot write the log /dev/full"), 1, done)

    def test_uses_the_strongest_mechanism(self):
        for offered, chosen in (("plain login", "PLAIN"), ("plain cram-md5", "CRAM-MD5"),
                                ("plain scram-sha-1 cram-md5", "SCRAM-SHA-1"), ("login", "LOGIN")):
            with Dovecot(mechanisms=offered) as other, \
                    Postern(other.url, ca=other.ca) as fresh:
                done = fresh.run("check")
                self.assertEqual(done.status, DONE, done)
                self.assertRegex(done.text, rf"\b{chosen}\b")
                self.assertRegex(other.log(), rf"method={chosen}\b")

    def test_starttls(self):
        with Postern(server.starttls_url, ca=server.ca) as fresh:
            done = fresh.run("check")
            self.assertEqual(done.status, DONE, done)
            self.assertIn("TLS", done.text)


class Usage(unittest.TestCase):
    def test_wrong_words_are_status_2_with_a_hint(self):
        for arguments in (("lsit", "INBOX"), ("list",), ("show", "INBOX"), ("show", "INBOX", "x"),
                          ("list", "INBOX", "--limt", "3"), ("list", "INBOX", "--limit", "-3"),
                          ("show", "INBOX", "1", "--raw", "--headers"),
                          ("sync", "--bodies", "some"), ("--account", "nobody", "folders")):
            done = postern.run(*arguments)
            self.assertEqual(done.status, USAGE, done)
            self.assertEqual(done.out, b"")
            self.assertTrue(done.err.strip())
        self.assertIn("list", postern.run("lsit", "INBOX").err)
        self.assertIn("--limit", postern.run("list", "INBOX", "--limt", "3").err)

    def test_help_and_version_go_to_standard_output(self):
        for option, word in (("--help", "folders"), ("--version", "0.")):
            done = postern.run(option, config=False, log=False)
            self.assertEqual(done.status, DONE, done)
            self.assertIn(word, done.text)

    def test_a_reader_that_leaves_is_no_disaster(self):
        """`postern list | head -1`"""
        child = postern.start("list", "INBOX", "--limit", "1000")
        child.stdout.close()
        child.wait(60)
        errors = child.stderr.read().decode()
        child.stderr.close()
        self.assertNotIn("Sanitizer", errors)
        self.assertIn(child.returncode, (DONE, FAILED, -13, 141))

    def test_files_are_the_owners_alone(self):
        old = os.umask(0)
        try:
            with Postern(server.url, ca=server.ca) as fresh:
                fresh.rows("sync", "Lists")
                for top, _, names in os.walk(fresh.data):
                    self.assertEqual(os.stat(top).st_mode & 0o077, 0, top)
                    for name in names:
                        path = os.path.join(top, name)
                        self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
                self.assertEqual(os.stat(fresh.log_path).st_mode & 0o077, 0)
        finally:
            os.umask(old)


def moment(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def squeeze(text):
    import unicodedata
    return unicodedata.normalize("NFC", re.sub(r"\s+", "", text))


def walk(part):
    yield part
    for child in part.get("parts") or ():
        yield from walk(child)


if __name__ == "__main__":
    main()
