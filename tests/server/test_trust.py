"""No credential crosses a line that is not authenticated and encrypted, and nothing that came before
TLS is kept or shown."""

import base64
import ssl
import unittest

from dovecot import PASSWORD, USER
from postern import DONE, FAILED, NOT_NOW, Postern, main, secret_forms
from scripted import CAPABILITY, Scripted, Session

CANARY = "xyzzy-canary"


class TrustCase(unittest.TestCase):
    def refused(self, scenario, tls="starttls", words=(), cert="good", context=None,
                arguments=("folders",), statuses=(FAILED,)):
        """The client gives up with one sentence, and nothing secret was said or shown."""
        with Scripted(scenario, tls=tls, cert=cert, context=context) as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run(*arguments)
            self.assertIn(done.status, statuses, done)
            self.assertEqual(done.out, b"", done)
            self.assertEqual(len(done.err.strip().splitlines()), 1, done)
            for word in words:
                self.assertIn(word, done.err)
            self.assertNotIn(CANARY, done.err)
            heard = b"\n".join(server.said_in_clear) + b"".join(s.buffer for s in server.sessions)
            for form in secret_forms(PASSWORD, USER):
                self.assertNotIn(form, heard)
            for line in server.said_in_clear:
                for verb in (b"LOGIN", b"AUTHENTICATE", b"LIST", b"SELECT", b"FETCH", b"APPEND"):
                    self.assertNotIn(b" " + verb, line.upper())
            for path, data in postern.files():
                if path.endswith("mail.db") or path.endswith("-wal"):
                    self.assertNotIn(CANARY.encode(), data, path)
            return done

    def accepted(self, scenario=Session, tls="starttls", **keywords):
        with Scripted(scenario, tls=tls, **keywords) as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run("list", "INBOX")
            self.assertEqual(done.status, DONE, done)
            return server


class Certificates(TrustCase):
    def test_the_good_one_is_accepted(self):
        self.accepted(tls="implicit")
        self.accepted(tls="starttls")

    def test_expired(self):
        self.refused(Session, "implicit", ["expired"], "expired")
        self.refused(Session, "starttls", ["expired"], "expired")

    def test_not_yet_valid(self):
        self.refused(Session, "implicit", ["valid"], "future")

    def test_self_signed(self):
        self.refused(Session, "implicit", ["self-signed"], "self-signed")

    def test_wrong_name(self):
        self.refused(Session, "implicit", ["localhost"], "wrong-name")
        self.refused(Session, "starttls", ["localhost"], "wrong-name")

    def test_common_name_is_no_name(self):
        self.refused(Session, "implicit", ["localhost"], "cn-only")

    def test_unknown_authority(self):
        self.refused(Session, "implicit", [], "other-ca")

    def test_not_for_a_server(self):
        self.refused(Session, "implicit", [], "client-only")

    def test_tls_below_1_2(self):
        with Scripted() as server:      # for its certificates
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                try:
                    context = server.certs.server_context("good", version, version)
                except (ssl.SSLError, ValueError):
                    self.skipTest("this Python cannot serve old TLS")
                with Scripted(certs=server.certs, context=context) as old, \
                        Postern(old.url, ca=old.ca) as postern:
                    done = postern.run("folders")
                    self.assertEqual(done.status, FAILED, done)
                    self.assertEqual(old.logins, 0)

    def test_tls_1_2_will_do(self):
        with Scripted() as server:
            context = server.certs.server_context("good", maximum=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers("DEFAULT")
            with Scripted(certs=server.certs, context=context) as old, \
                    Postern(old.url, ca=old.ca) as postern:
                self.assertEqual(postern.run("folders").status, DONE)


class ImplicitTls(TrustCase):
    def test_plain_text_where_tls_should_be(self):
        class Plain(Session):
            def run(self):
                try:
                    self.send(f"* OK {CANARY} ready\r\n")
                    self.hang()
                except Exception:
                    pass
        self.refused(Plain, "implicit", ["TLS"])

    def test_preauth_inside_tls_is_fine(self):
        class Preauth(Session):
            def greet(self):
                self.authenticated = True
                self.reply(f"* PREAUTH [CAPABILITY {CAPABILITY}] hello")
        server = self.accepted(Preauth, "implicit")
        self.assertEqual(server.logins, 0)


class StartTls(TrustCase):
    def test_refused(self):
        for answer in ("{tag} NO not today", "{tag} BAD what", "* BYE go away", "+ go on",
                       "* OK but untagged", "{tag} MAYBE", "nonsense"):
            class Refuses(Session):
                def on_starttls(self, tag, args):
                    self.reply(answer.format(tag=tag) + " " + CANARY)
                    if not answer.startswith("{tag}"):
                        self.close()
            # A server that closes may be away for a while: status 3.
            closes = not answer.startswith("{tag}")
            self.refused(Refuses, statuses=(FAILED, NOT_NOW) if closes else (FAILED,))

    def test_not_offered(self):
        class Strips(Session):
            def capabilities(self):
                return super().capabilities().replace(" STARTTLS", "").replace(
                    " LOGINDISABLED", " AUTH=PLAIN")

            def on_starttls(self, tag, args):
                self.no(tag, CANARY)
        self.refused(Strips, words=["STARTTLS"])

    def test_closed_instead_of_an_answer(self):
        class Closes(Session):
            def on_starttls(self, tag, args):
                self.close()
        with Scripted(Closes, tls="starttls") as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run("folders")
            self.assertIn(done.status, (1, 3), done)
            self.assertEqual(server.logins, 0)

    def test_ok_and_then_no_tls(self):
        class Lies(Session):
            def on_starttls(self, tag, args):
                self.ok(tag)
                self.reply(f"* OK {CANARY}")
                self.hang()
        self.refused(Lies)

    def test_bytes_behind_the_ok_close_the_connection(self):
        """T1: in the same write, before anything of TLS is said."""
        for extra in ("* OK [ALERT] " + CANARY, "* CAPABILITY IMAP4rev1 AUTH=PLAIN",
                      '* LIST () "/" "' + CANARY + '"', "* 17 EXISTS", "* BYE " + CANARY,
                      "A2 OK " + CANARY, "+ ", "x"):
            class Injects(Session):
                def on_starttls(self, tag, args):
                    self.send(f"{tag} OK begin\r\n{extra}\r\n")
                    self.start_tls()
            self.refused(Injects)

    def test_a_byte_at_a_time_as_well(self):
        import time

        class Slowly(Session):
            def on_starttls(self, tag, args):
                for byte in f"{tag} OK begin\r\n* OK {CANARY}\r\n":
                    self.send(byte)
                    time.sleep(0.002)
                self.start_tls()
        with Scripted(Slowly, tls="starttls") as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run("folders")
            self.assertNotEqual(done.status, DONE, done)
            self.assertNotIn(CANARY, done.err)
            self.assertEqual(server.logins, 0)

    def test_preauth_without_tls(self):
        for capability in (CAPABILITY + " STARTTLS", CAPABILITY, None):
            class Preauth(Session):
                def greet(self):
                    self.authenticated = True
                    code = f"[CAPABILITY {capability}] " if capability else ""
                    self.reply(f"* PREAUTH {code}{CANARY}")
            self.refused(Preauth)

    def test_mailbox_data_before_tls(self):
        """T5: what does not belong to the state closes the connection."""
        for line in ('* LIST () "/" "' + CANARY + '"', "* 17 EXISTS", "* SEARCH 1 2 3",
                     "* 1 FETCH (UID 1 FLAGS ())", "* 1 EXPUNGE", '* STATUS INBOX (MESSAGES 3)',
                     "* FLAGS (\\Seen)", "* VANISHED 1:4"):
            class After(Session):
                def greet(self):
                    super().greet()
                    self.reply(line)

            class Before(Session):
                def on_starttls(self, tag, args):
                    self.reply(line)
                    super().on_starttls(tag, args)
            self.refused(After)
            self.refused(Before)

    def test_words_from_before_tls_are_not_shown(self):
        """T6: as if they were the provider's."""
        class Alert(Session):
            def greet(self):
                self.reply(f"* OK [ALERT] {CANARY}")

            def on_starttls(self, tag, args):
                self.no(tag, f"[ALERT] {CANARY}")

        class Bye(Session):
            def greet(self):
                self.reply(f"* BYE [ALERT] {CANARY} call us")
                self.close()
        self.refused(Alert)
        with Scripted(Bye, tls="starttls") as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run("folders")
            self.assertIn(done.status, (1, 3), done)
            self.assertNotIn(CANARY, done.err)

    def test_capabilities_from_before_tls_are_forgotten(self):
        """T4: asked again inside, and what they forbid is obeyed."""
        class Changes(Session):
            def capabilities(self):
                if not self.secure:
                    return "IMAP4rev1 STARTTLS AUTH=LOGIN AUTH=PLAIN SASL-IR LITERAL+"
                return "IMAP4rev1 LOGINDISABLED"
        with Scripted(Changes, tls="starttls") as server, \
                Postern(server.url, ca=server.ca) as postern:
            done = postern.run("folders")
            self.assertEqual(done.status, FAILED, done)
            self.assertEqual(server.logins, 0)
            self.assertTrue(any(b"CAPABILITY" in line for s in server.sessions
                                for line in s.said if line not in s.said_in_clear))

    def test_capabilities_in_the_ok_itself_are_not_believed(self):
        class Ok(Session):
            auth = "AUTH=PLAIN"

            def on_starttls(self, tag, args):
                self.ok(tag, "[CAPABILITY IMAP4rev1 AUTH=LOGIN] begin")
                self.start_tls()
        with Scripted(Ok, tls="starttls") as server, \
                Postern(server.url, ca=server.ca) as postern:
            postern.run("folders")
            for line in server.said:
                self.assertNotIn(b"AUTHENTICATE LOGIN", line)
                self.assertNotIn(b" LOGIN ", line)

    def test_referrals_are_not_followed(self):
        """T7."""
        with Scripted(tls="none") as sink:
            class Refers(Session):
                def on_starttls(self, tag, args):
                    self.no(tag, f"[REFERRAL imap://ada@localhost:{sink.port}/] {CANARY}")

            class RefersInside(Session):
                def on_authenticate(self, tag, args):
                    self.no(tag, f"[REFERRAL imap://ada@localhost:{sink.port}/] elsewhere")

                on_login = on_authenticate
            self.refused(Refers)
            self.refused(RefersInside)
            self.assertEqual(sink.sessions, [])


class Secrets(TrustCase):
    """Never in the log, in a file, or on the screen; not in base64 either."""

    def test_password_is_nowhere(self):
        from dovecot import Dovecot
        password = PASSWORD
        for mechanisms in ("plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"):
            with Dovecot(mechanisms=mechanisms) as server:
                for url in (server.url, server.starttls_url):
                    with Postern(url, ca=server.ca) as postern:
                        done = postern.run("check")
                        self.assertEqual(done.status, DONE, done)
                        self.nowhere(postern, done, password)

    def test_wrong_password_is_nowhere(self):
        from dovecot import Dovecot
        with Dovecot(mechanisms="plain login") as server, \
                Postern(server.url, ca=server.ca, password="wr0ng-canary-9") as postern:
            done = postern.run("folders")
            self.assertEqual(done.status, FAILED, done)
            self.nowhere(postern, done, "wr0ng-canary-9")

    def test_token_is_nowhere(self):
        class Token(Session):
            auth = "AUTH=XOAUTH2 AUTH=OAUTHBEARER"

            def on_authenticate(self, tag, args):
                words = args.split(" ")
                if len(words) < 2:
                    self.send("+ \r\n")
                    words.append(self.read_line().decode())
                self.token = base64.b64decode(words[1])
                self.finish_login(tag, b"t0ken-canary-7" in self.token)
        with Scripted(Token) as server, \
                Postern(server.url, ca=server.ca, password=None,
                        token_command="echo t0ken-canary-7") as postern:
            done = postern.run("folders")
            self.assertEqual(done.status, DONE, done)
            self.nowhere(postern, done, "t0ken-canary-7")

    def nowhere(self, postern, done, secret):
        self.assertTrue(postern.log())
        forms = secret_forms(secret, USER)
        for form in forms:
            self.assertNotIn(form, done.out)
            self.assertNotIn(form, done.err.encode())
        for path, data in postern.files():
            if path != postern.config:
                for form in forms:
                    self.assertNotIn(form, data, path)


if __name__ == "__main__":
    main()
