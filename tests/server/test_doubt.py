"""What is not believed at once: much that is missing is kept, and a person asked."""

import unittest

from dovecot import Dovecot
from mailgen import bulk
from postern import Postern, main
from terminal import Terminal
from test_resync import LEVELS


class Doubt(unittest.TestCase):
    def serve(self, count, level="QRESYNC"):
        server = self.enterContext(Dovecot(mail=bulk(count), capability=LEVELS[level]))
        postern = self.enterContext(Postern(server.url, ca=server.ca))
        postern.rows("sync", "INBOX")
        return server, postern

    def uids(self, postern):
        return [row["uid"] for row in postern.rows("--offline", "list", "INBOX",
                                                   "--limit", "1000")]

    def expunge(self, server, uids):
        client = server.client()
        client.select("INBOX")
        client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()
        client.logout()

    def is_asked(self, postern, before):
        for _ in range(2):      # as long as nobody answers
            asked = postern.run("sync", "INBOX")
            self.assertEqual(asked.status, 1, asked)
            self.assertIn("--accept-loss", asked.err)
            self.assertEqual(self.uids(postern), before)

    def test_much_that_is_missing_is_kept_and_asked_about(self):
        for level in ("CONDSTORE", "CONDSTORE without ESEARCH", "plain"):
            with self.subTest(level=level):
                server, postern = self.serve(200, level)
                before = self.uids(postern)
                self.expunge(server, before[::2])
                self.is_asked(postern, before)
                # What is new comes in all the same.
                server.deliver(bulk(3, seed=9))
                self.assertEqual(postern.run("sync", "INBOX").status, 1)
                new = set(self.uids(postern)) - set(before)
                self.assertEqual(len(new), 3)
                self.assertGreater(set(self.uids(postern)), set(before))
                postern.rows("sync", "--accept-loss", "INBOX")
                self.assertEqual(set(self.uids(postern)), new | set(before[1::2]))
                postern.rows("sync", "INBOX")

    def test_what_the_server_names_is_obeyed(self):
        server, postern = self.serve(200)
        before = self.uids(postern)
        self.expunge(server, before[::2])
        postern.rows("sync", "INBOX")
        self.assertEqual(self.uids(postern), before[1::2])

    def test_nothing_left_is_asked_about(self):
        for level in LEVELS:
            with self.subTest(level=level):
                server, postern = self.serve(60, level)
                before = self.uids(postern)
                self.expunge(server, before)
                self.is_asked(postern, before)
                postern.rows("sync", "--accept-loss", "INBOX")
                self.assertEqual(self.uids(postern), [])

    def test_few_are_removed_without_a_word(self):
        for level in LEVELS:
            with self.subTest(level=level):
                server, postern = self.serve(60, level)
                before = self.uids(postern)
                self.expunge(server, before[5:45])
                postern.rows("sync", "INBOX")
                self.assertEqual(self.uids(postern), before[:5] + before[45:])

    def test_a_folder_made_anew_and_empty_is_asked_about(self):
        with Dovecot(mail=bulk(80, folder="Box")) as server, \
                Postern(server.url, ca=server.ca) as postern:
            postern.rows("sync", "Box")
            client = server.client()
            client.delete("Box")
            client.create("Box")
            asked = postern.run("sync", "Box")
            self.assertEqual(asked.status, 1, asked)
            self.assertIn("--accept-loss", asked.err)
            self.assertEqual(len(postern.rows("--offline", "list", "Box", "--limit", "100")), 80)
            postern.rows("sync", "--accept-loss", "Box")
            self.assertEqual(postern.rows("--offline", "list", "Box", "--limit", "100"), [])
            client.logout()

    def test_accepting_names_its_folder(self):
        with Postern("imaps://a@localhost:1") as postern:
            self.assertEqual(postern.run("sync", "--accept-loss").status, 2)


class Live(unittest.TestCase):
    def test_what_vanishes_while_it_is_open_is_counted_without_asking(self):
        """200 messages, most of them expunged while the folder is on the screen: VANISHED says it all."""
        with Dovecot(mail=bulk(200), mechanisms="plain login") as server, \
                Postern(server.url, ca=server.ca) as postern:
            postern.rows("sync", "INBOX")
            start = len(postern.log())
            with Terminal(postern.command(), postern.environment) as terminal:
                terminal.wait("1/200", 60)
                began = len(postern.log())
                terminal.wait(lambda _: "+ idling" in postern.log()[start:], 60)
                client = server.client()
                client.select("INBOX")
                client.uid("STORE", "1:150", "+FLAGS.SILENT", "(\\Deleted)")
                client.expunge()
                terminal.wait("1/50", 60)
                client.uid("STORE", "199", "+FLAGS.SILENT", "(\\Deleted)")
                client.expunge()
                client.append("INBOX", None, None, b"Subject: The last\r\n\r\n")
                client.logout()
                terminal.wait("The last", 60)
                terminal.wait("INBOX  50 messages", 60)
                log = postern.log()[began:]
                terminal.keys("q")
                terminal.wait_exit()
            self.assertIn("VANISHED", log)
            self.assertNotRegex(log, r" C: A\d+ UID SEARCH| C: A\d+ FETCH")


if __name__ == "__main__":
    main()
