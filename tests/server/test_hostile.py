"""A server that is broken or means harm, after TLS and login: one clear sentence, the right status,
bounded memory, and what was there before is still there."""

import os
import resource
import subprocess
import unittest

from dovecot import Dovecot
from mailgen import bulk, one
from postern import DONE, FAILED, NOT_NOW, Postern, main, root_only
from scripted import MESSAGE, Scripted, Session

MEMORY_MB = 700         # of a program under the address sanitizer, which needs most of it


class HostileCase(unittest.TestCase):
    def run_against(self, scenario, *arguments, tls="implicit", timeout=60):
        with Scripted(scenario, tls=tls) as server, Postern(server.url, ca=server.ca) as postern:
            done = postern.run(*arguments, timeout=timeout)
            self.server = server
            return done

    def refused(self, scenario, *arguments, statuses=(FAILED,), words=(), **keywords):
        done = self.run_against(scenario, *(arguments or ("list", "INBOX")), **keywords)
        self.assertIn(done.status, statuses, done)
        self.assertEqual(len(done.err.strip().splitlines()), 1, done)
        for word in words:
            self.assertIn(word, done.err)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        self.assertLess(peak, MEMORY_MB)
        return done

    def survives(self, scenario, *arguments, **keywords):
        done = self.run_against(scenario, *(arguments or ("list", "INBOX", "--json")), **keywords)
        self.assertEqual(done.status, DONE, done)
        return done


class Greeting(HostileCase):
    def test_that_is_not_imap(self):
        for greeting in ("HTTP/1.1 400 Bad Request\r\n\r\n", "220 mx.example.org ESMTP\r\n",
                         "SSH-2.0-OpenSSH_9.2\r\n", "+OK POP3 ready\r\n", "\r\n", "*\r\n",
                         "* HELLO\r\n", "A1 OK hi\r\n", "* 3 EXISTS\r\n", "\0\0\0\0\r\n"):
            class Greets(Session):
                def greet(self):
                    self.send(greeting)
                    self.hang()
            self.refused(Greets, words=["IMAP"])

    def test_bye(self):
        class Bye(Session):
            def greet(self):
                self.reply("* BYE too many connections")
                self.close()
        self.refused(Bye, statuses=(FAILED, NOT_NOW))

    def test_that_never_ends(self):
        class Endless(Session):
            def greet(self):
                while True:
                    self.send("* OK " + "x" * 65536)
        self.refused(Endless)

    def test_closed_at_once(self):
        class Closes(Session):
            def greet(self):
                self.close()
        self.refused(Closes, statuses=(FAILED, NOT_NOW))


class Login(HostileCase):
    def test_wrong_password_is_tried_no_more_than_twice(self):
        with Dovecot(mechanisms="plain login cram-md5 scram-sha-1 scram-sha-256") as server, \
                Postern(server.url, ca=server.ca, password="wrong") as postern:
            done = postern.run("folders")
            self.assertEqual(done.status, FAILED, done)
            self.assertEqual(len(done.err.strip().splitlines()), 1, done)
            self.assertIn("ada", done.err)
        done = self.run_against(Refuses, "folders")
        self.assertEqual(done.status, FAILED, done)
        self.assertLessEqual(self.server.logins, 2)

    def test_temporary_trouble_is_not_a_wrong_password(self):
        class Busy(Session):
            def finish_login(self, tag, right):
                self.logins += 1
                self.no(tag, "[UNAVAILABLE] try later")
        done = self.refused(Busy, "folders", statuses=(FAILED, NOT_NOW), words=["try later"])
        self.assertLessEqual(self.server.logins, 2)
        self.assertNotIn("password", done.err)

    def test_challenge_without_end(self):
        class Challenges(Session):
            auth = "AUTH=CRAM-MD5"

            def on_authenticate(self, tag, args):
                while True:
                    self.send("+ " + "QUJD" * 30000 + "\r\n")
                    self.read_line()
        self.refused(Challenges)

    def test_no_mechanism_in_common(self):
        class Odd(Session):
            auth = "AUTH=X-ODD LOGINDISABLED"
        self.refused(Odd, words=["X-ODD"])


class Refuses(Session):
    def finish_login(self, tag, right):
        self.logins += 1
        self.no(tag, "[AUTHENTICATIONFAILED] no")


class Literals(HostileCase):
    def test_four_gigabytes_announced(self):
        class Huge(Session):
            def send_message(self, number, items):
                self.send(f"* {number} FETCH (UID 1 FLAGS () ENVELOPE (NIL {{4294967296}}\r\n")
                for _ in range(400):
                    self.send(b"x" * 65536)
                self.hang()
        self.refused(Huge)

    def test_four_gigabytes_of_a_part(self):
        class Huge(Session):
            def send_message(self, number, items):
                if "BODY" not in items.upper().replace("BODYSTRUCTURE", ""):
                    return super().send_message(number, items)
                self.send(f"* {number} FETCH (UID 1 BODY[1] {{4294967296}}\r\n")
                for _ in range(400):
                    self.send(b"x" * 65536)
                self.hang()
        self.refused(Huge, "show", "INBOX", "1")

    def test_sizes_that_are_none(self):
        for size in ("-1", "99999999999999999999", "18446744073709551616", "x", "", "1 ", "0x10"):
            class Odd(Session):
                def send_message(self, number, items):
                    self.send(f"* {number} FETCH (UID 1 ENVELOPE (NIL {{{size}}}\r\nabc\r\n")
                    self.hang()
            self.refused(Odd)

    def test_cut_in_the_middle(self):
        class Cut(Session):
            def send_message(self, number, items):
                if "BODY" in items.upper().replace("BODYSTRUCTURE", ""):
                    self.send("* 1 FETCH (UID 1 BODY[1] {5000}\r\nhalf of i")
                    self.close()
                super().send_message(number, items)
        with Scripted(Cut) as server, Postern(server.url, ca=server.ca) as postern:
            done = postern.run("show", "INBOX", "1")
            self.assertIn(done.status, (FAILED, NOT_NOW), done)
            self.assertEqual(len(done.err.strip().splitlines()), 1, done)
            self.assertEqual(done.out, b"", done)
            # the half was not kept for the whole, and what was known is still there
            self.assertEqual(postern.run("--offline", "list", "INBOX").status, DONE)
            done = postern.run("--offline", "show", "INBOX", "1")
            self.assertEqual(done.status, NOT_NOW, done)

    def test_cut_and_then_whole_again(self):
        class Once(Session):
            cut = [True]

            def send_message(self, number, items):
                if "BODY" in items.upper().replace("BODYSTRUCTURE", "") and self.cut:
                    self.cut.clear()
                    self.send("* 1 FETCH (UID 1 BODY[1] {5000}\r\nhalf of i")
                    self.close()
                super().send_message(number, items)
        with Scripted(Once) as server, Postern(server.url, ca=server.ca) as postern:
            first = postern.run("show", "INBOX", "1")
            second = postern.run("show", "INBOX", "1")
            self.assertIn(first.status, (DONE, FAILED, NOT_NOW))
            self.assertEqual(second.status, DONE, second)
            self.assertIn("Good morning.", second.text)
            self.assertNotIn("half of i", second.text)


class Responses(HostileCase):
    def test_a_line_that_never_ends(self):
        class Endless(Session):
            def send_message(self, number, items):
                self.send("* 1 FETCH (UID 1 FLAGS (")
                while True:
                    self.send("x" * 65536)
        self.refused(Endless)

    def test_bodystructure_nested_100000_deep(self):
        class Deep(Session):
            def bodystructure(self, number, raw):
                return b"(" * 100000 + b'"mixed"' + b")" * 100000
        done = self.run_against(Deep, "list", "INBOX", "--json")
        self.assertIn(done.status, (DONE, FAILED), done)
        self.assertLess(len(done.err.splitlines()), 4)

        class Wrapped(Session):
            def bodystructure(self, number, raw):
                leaf = super().bodystructure(number, raw)
                return b"(" * 100000 + leaf + b' "mixed")' * 100000
        done = self.run_against(Wrapped, "show", "INBOX", "1", "--structure")
        self.assertIn(done.status, (DONE, FAILED), done)

    def test_one_bad_message_does_not_hide_the_others(self):
        class OneBad(Session):
            messages = [MESSAGE, MESSAGE.replace(b"Hello", b"Second"), one("plain")]

            def envelope(self, number, raw):
                return b"(((" if number == 2 else super().envelope(number, raw)
        with Scripted(OneBad) as server, Postern(server.url, ca=server.ca) as postern:
            done = postern.run("list", "INBOX", "--json")
            if done.status == DONE:
                self.assertGreaterEqual(len(done.rows), 2)
            else:
                self.assertEqual(len(done.err.strip().splitlines()), 1, done)

    def test_unknown_things_are_passed_over(self):
        class Chatty(Session):
            def on_any(self, tag, name, args):
                self.reply("* OK [X-NEW (a (b {3}\r\nabc)) c] text")
                self.reply('* XNEWS 17 ("a" {2}\r\n)) NIL)')
                self.reply("* NO [ALERT] look out")
                return False
        self.survives(Chatty)

    def test_lies_about_the_mailbox(self):
        for lie in ("* 0 EXISTS", "* 4294967295 EXISTS", "* 9 EXPUNGE", "* 0 EXPUNGE",
                    "* 77 FETCH (FLAGS (\\Seen))", "* 1 FETCH (UID 4294967295 FLAGS ())",
                    "* OK [UIDNEXT 0] x", "* OK [UIDVALIDITY 0] x", "* VANISHED 1:4294967295",
                    "* SEARCH 1 2 3", "* STATUS INBOX (MESSAGES 5)"):
            class Lies(Session):
                def on_fetch(self, tag, args):
                    self.reply(lie)
                    super().on_fetch(tag, args)
            done = self.run_against(Lies, "list", "INBOX")
            self.assertIn(done.status, (DONE, FAILED, NOT_NOW), lie)

    def test_tagged_twice_and_tags_of_others(self):
        class Twice(Session):
            def ok(self, tag, text="done"):
                super().ok(tag, text)
                super().ok("Z99", text)
        done = self.run_against(Twice, "list", "INBOX")
        self.assertIn(done.status, (DONE, FAILED), done)

    def test_noise(self):
        class Noise(Session):
            def on_fetch(self, tag, args):
                self.send(os.urandom(100000))
                self.close()
        self.refused(Noise, statuses=(FAILED, NOT_NOW))

    def test_a_server_that_says_no(self):
        class No(Session):
            def on_select(self, tag, args):
                self.no(tag, "[NOPERM] this is not yours")
        self.refused(No, words=["this is not yours"])

    def test_text_of_the_server_is_made_safe(self):
        class Escapes(Session):
            def on_select(self, tag, args):
                self.no(tag, "\x1b]0;owned\x07 \x9b31m \u202ereversed")
        done = self.refused(Escapes)
        for bad in "\x1b\x07\x9b\u202e":
            self.assertNotIn(bad, done.err)


class Folders(HostileCase):
    def test_names_in_broken_modified_utf7(self):
        names = ["&", "&-&", "a&b", "&AAA-", "&Jjo", "&!!-", "&2D0-", "raw \xe4\xf6", "&U,BTFw-",
                 "ok & not", "&AGE-"]

        class Broken(Session):
            def on_list(self, tag, args):
                for name in names:
                    self.send(b'* LIST () "/" "%s"\r\n' % name.encode("latin-1"))
                super().on_list(tag, args)
        done = self.survives(Broken, "folders", "--json")
        rows = done.rows
        self.assertIn("INBOX", [row["name"] for row in rows])
        self.assertEqual(len(rows), len(names) + len(Session.folders))
        self.assertEqual(len({row["name"] for row in rows}), len(rows), "names must differ")

    def test_the_same_bytes_go_back(self):
        class Broken(Session):
            folders = [("INBOX", "")]

            def on_list(self, tag, args):
                self.send(b'* LIST () "/" "a&b"\r\n')
                super().on_list(tag, args)
        with Scripted(Broken) as server, Postern(server.url, ca=server.ca) as postern:
            name = next(r["name"] for r in postern.rows("folders") if r["name"] != "INBOX")
            postern.run("list", name)
            opened = [line for line in server.said if b" SELECT" in line or b" EXAMINE" in line]
            self.assertTrue(any(b'"a&b"' in line or b" a&b" in line for line in opened), opened)

    def test_names_that_would_be_paths_or_commands(self):
        names = ["../../../../tmp/owned", "/etc/passwd", "$(touch owned)", "a\\\\b", "", "..", "%s%n"]

        class Paths(Session):
            def on_list(self, tag, args):
                for name in names:
                    self.send(f'* LIST () "/" "{name}"\r\n')
                super().on_list(tag, args)
        with Scripted(Paths) as server, Postern(server.url, ca=server.ca) as postern:
            done = postern.run("sync")
            self.assertIn(done.status, (DONE, FAILED), done)
            for path, _ in postern.files():
                self.assertNotIn("owned", path)

    def test_a_flood(self):
        class Flood(Session):
            def on_list(self, tag, args):
                for n in range(20000):
                    self.send(f'* LIST () "/" "folder {n}"\r\n')
                super().on_list(tag, args)
        done = self.survives(Flood, "folders", "--json")
        self.assertGreaterEqual(len(done.rows), 20000)


class Compressed(HostileCase):
    def test_a_bomb_and_garbage(self):
        import zlib

        class Bomb(Session):
            capability = Session.capability + " COMPRESS=DEFLATE"
            data = None

            def on_compress(self, tag, args):
                self.ok(tag)
                packer = zlib.compressobj(9, zlib.DEFLATED, -15)
                self.send(self.data or packer.compress(b"* OK "))
                for _ in range(256):
                    self.send(packer.compress(b"x" * (1 << 20)))
                self.send(packer.flush())
                self.hang()

        class Garbage(Bomb):
            data = b"\xff" * 5000
        for scenario in (Bomb, Garbage):
            done = self.run_against(scenario, "sync", "INBOX")
            self.assertIn(done.status, (DONE, FAILED, NOT_NOW), done)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            self.assertLess(peak, MEMORY_MB)


class Disk(unittest.TestCase):
    @root_only
    def test_full(self):
        """A disk of 2 MB and a mailbox of 20: what was kept stays readable, and room mends it."""
        with Dovecot(mail=bulk(4000)) as server, Postern(server.url, ca=server.ca) as postern:
            os.makedirs(postern.data, mode=0o700)
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "postern",
                                      postern.data], stderr=subprocess.PIPE)
            if mounted.returncode:
                self.skipTest("cannot mount a tmpfs: " + mounted.stderr.decode().strip())
            try:
                done = postern.run("sync", "INBOX", "--bodies", "text")
                self.assertEqual(done.status, FAILED, done)
                self.assertEqual(len(done.err.strip().splitlines()), 1, done)
                self.assertRegex(done.err.lower(), "full|space")
                listed = postern.run("--offline", "list", "INBOX", "--limit", "10")
                self.assertIn(listed.status, (DONE, NOT_NOW), listed)
                subprocess.run(["mount", "-o", "remount,size=200m", postern.data], check=True)
                done = postern.run("sync", "INBOX")
                self.assertEqual(done.status, DONE, done)
                self.assertEqual(
                    len(postern.rows("--offline", "list", "INBOX", "--limit", "5000")), 4000)
            finally:
                subprocess.run(["umount", postern.data], check=True)

    def test_foreign_database_is_set_aside(self):
        with Dovecot(mail=bulk(20)) as server, Postern(server.url, ca=server.ca) as postern:
            postern.rows("sync", "INBOX")
            path = os.path.join(postern.data, "mail.db")
            self.assertTrue(os.path.exists(path), os.listdir(postern.data))
            for name in os.listdir(postern.data):
                if name.startswith("mail.db-"):
                    os.unlink(os.path.join(postern.data, name))
            with open(path, "r+b") as database:
                database.write(b"this is no database any more" * 100)
            done = postern.run("list", "INBOX", "--json", "--limit", "100")
            self.assertEqual(done.status, DONE, done)
            self.assertEqual(len(done.rows), 20)
            self.assertTrue([n for n in os.listdir(postern.data) if "set-aside" in n])
            self.assertIn("set", done.err)


if __name__ == "__main__":
    main()
