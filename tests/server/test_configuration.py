"""A wrong configuration ends in one clear sentence and status 2, before any line is opened."""

import os
import unittest

from dovecot import PASSWORD
from postern import USAGE, Postern, main
from scripted import Scripted


def setUpModule():
    global server
    server = Scripted()
    server.__enter__()
    unittest.addModuleCleanup(server.__exit__)


class Configuration(unittest.TestCase):
    def refused(self, postern, *wanted, lines=1, arguments=("folders",), **keywords):
        before = len(server.sessions)
        done = postern.run(*arguments, **keywords)
        self.assertEqual(done.status, USAGE, done)
        self.assertEqual(done.out, b"")
        for word in wanted:
            self.assertIn(word, done.err)
        if lines:
            self.assertEqual(len(done.err.strip().splitlines()), lines, done)
        self.assertEqual(len(server.sessions), before, "a line was opened")
        self.assertNotIn(PASSWORD, done.err)
        return done

    def test_none_at_all_says_where_it_looked_and_what_would_do(self):
        with Postern() as postern:
            done = self.refused(postern, os.path.join("xdg-config", "postern", "config"),
                                "[account", "imap", config=False, lines=0)
            self.assertGreaterEqual(len(done.err.strip().splitlines()), 5)

    def test_named_but_missing(self):
        with Postern() as postern:
            self.refused(postern, postern.config, lines=0)

    def test_misspelt_key(self):
        with Postern(server.url, ca=server.ca, pasword_command="true") as postern:
            self.refused(postern, postern.config, "6", "pasword-command", "password-command")

    def test_misspelt_section(self):
        with Postern(server.url, ca=server.ca) as postern:
            with open(postern.config) as config:
                text = config.read()
            postern.configure("# a comment\n\n" + text.replace("[account ", "[acount "))
            self.refused(postern, "3", "acount", "account")

    def test_not_an_ini_file(self):
        for text in ("complete nonsense\n", "[account test\n", "imap = imaps://a@b\n", "\0\1\2",
                     "[account test]\naddress\n", "[account t\xe9st]\nimap = imaps://a@\xff\n"):
            with Postern() as postern:
                with open(postern.config, "wb") as config:
                    config.write(text.encode("latin-1"))
                os.chmod(postern.config, 0o600)
                self.refused(postern, postern.config, lines=0)

    def test_password_in_a_file_that_others_can_read(self):
        with Postern(server.url, ca=server.ca) as postern:
            os.chmod(postern.config, 0o644)
            self.refused(postern, postern.config, "chmod")

    def test_password_file_that_others_can_read(self):
        with Postern(server.url, ca=server.ca, password=None) as postern:
            path = os.path.join(postern.dir, "password")
            with open(path, "w") as out:
                out.write(PASSWORD + "\n")
            os.chmod(path, 0o644)
            with open(postern.config, "a") as config:
                config.write(f"password-file = {path}\n")
            done = postern.run("folders")
            self.assertEqual(done.status, USAGE, done)
            self.assertIn(path, done.err)
            self.assertEqual(server.logins, 0)
            os.chmod(path, 0o600)
            self.assertEqual(postern.run("folders").status, 0)

    def test_password_that_cannot_be_read(self):
        for key, value in (("password_file", "/nonexistent/password"),
                           ("password_command", "echo no key >&2; exit 3")):
            with Postern(server.url, ca=server.ca, password=None, **{key: value}) as postern:
                done = postern.run("folders")
                self.assertIn(done.status, (1, USAGE), done)
                self.assertTrue("/nonexistent/password" in done.err or "no key" in done.err
                                or "3" in done.err, done)

    def test_no_encryption_only_to_this_machine(self):
        with Postern("imap+insecure://ada@mail.example.org") as postern:
            self.refused(postern, postern.config, "imaps://")

    def test_odd_addresses_of_servers(self):
        for url in ("mail.example.org", "http://a@b", "imaps://", "imaps://ada@host:99999",
                    "imaps://ada:secret@host", "imaps://ada@host:x", "imaps://ada@ho st"):
            with Postern(url) as postern:
                self.refused(postern, postern.config, lines=0)

    def test_ca_file_that_is_none(self):
        with Postern(server.url, ca="/nonexistent/ca.pem") as postern:
            done = postern.run("folders")
            self.assertIn(done.status, (1, USAGE), done)
            self.assertIn("/nonexistent/ca.pem", done.err)


if __name__ == "__main__":
    main()
