"""What the first screenful and a message cost on the line: bytes from the server and round trips,
counted outside the program."""

import re
import time
import unittest

from dovecot import Dovecot
from mailgen import NOW, Message, big_attachment, bulk, one
from postern import Postern, main
from proxy import Proxy
from terminal import Terminal

TURNS, BYTES = 4, 64 * 1024
TLS_TURNS = 2           # ClientHello; Finished.  TLS 1.3
SLOW = dict(rtt_ms=120, bytes_per_s=150_000)


def through(line, server, scheme):
    if scheme == "imaps":
        return f"imaps://{server.user}@localhost:{line.port}"
    return f"imap+insecure://{server.user}@127.0.0.1:{line.port}"


def turns_said(log):
    """Until the window and the folders are here."""
    turns, told, missing = 0, True, {"Fetch", "List"}
    for line in log.splitlines():
        if " imap test S: " in line:
            told = True
            missing -= {word for word in missing if f" OK {word} completed" in line}
        elif " imap test C: " in line and told and missing:
            turns, told = turns + 1, False
    return turns


class FirstScreen(unittest.TestCase):
    """A screen is there when the newest message and the folder's count are on it.  What belongs to it
    is found in the bytes the server sent: what is asked for behind the screen's back is not charged to
    it, and cannot hide what it waited for.  The connections that open behind it are left out: with one,
    it is the same screen."""

    def measure(self, server, subject, total):
        with Proxy(server.imap, **SLOW, record=True) as line, \
                Postern(through(line, server, "imap"), ca=server.ca, connections=1) as postern, \
                Terminal(postern.command(), postern.environment, size=(120, 40)) as terminal:
            terminal.wait(lambda text: subject in text and str(total) in text.replace(",", ""), 60)
            self.assertEqual(len(line.connections), 1, "one connection brings the first screen")
            connection = line.connections[0]
            while b"STATUS INBOX" not in connection.record:
                time.sleep(0.01)
            said, shown = bytes(connection.record), line.down
            terminal.keys("q")
            terminal.wait_exit()
        newest = said.index(subject.encode())
        counts = said.index(b"STATUS INBOX")
        oldest = said.rindex(b" FETCH (", 0, said.index(b" OK ", newest))
        whole = max(oldest, counts)
        turns = len([at for at in connection.asked_at if at < whole])
        self.assertGreaterEqual(said[:whole].count(b" FETCH ("), 25, "a screenful")
        print(f"\n  {total} messages: {turns} turns, {whole} bytes from the server; {shown} when it "
              "was seen", flush=True)
        return turns, whole, shown

    def check(self, count, mechanisms):
        subject = f"Newest of {count}"
        with Dovecot(count=count, mechanisms=mechanisms) as server:
            client = server.client()
            client.append("INBOX", "", None, one("plain", subject=subject, date=NOW))
            client.logout()
            turns, whole, shown = self.measure(server, subject, count + 1)
            self.assertLessEqual(turns, TURNS)
            self.assertLessEqual(whole, BYTES)
            self.assertLessEqual(shown, BYTES)

    def test_of_100_messages(self):
        self.check(100, "plain login")

    def test_of_100000_messages(self):
        self.check(100_000, "plain login")

    def test_of_100000_messages_after_scram(self):
        self.check(100_000, "plain login scram-sha-1 scram-sha-256")

    def test_over_tls(self):
        """Nothing more than TLS's own two turns, and at most one that is asked behind the screen."""
        subject = "Newest over TLS"
        with Dovecot(count=100, mechanisms="plain login") as server:
            server.deliver([Message(one("plain", subject=subject, date=NOW), NOW)])
            with Proxy(server.imaps, **SLOW) as line, \
                    Postern(through(line, server, "imaps"), ca=server.ca,
                            connections=1) as postern, \
                    Terminal(postern.command(), postern.environment) as terminal:
                terminal.wait(subject, 60)
                turns, down = line.turns, line.down
                self.assertEqual(len(line.connections), 1)
            print(f"\n  TLS: {turns} turns, {down} bytes", flush=True)
            self.assertLessEqual(turns, TURNS + TLS_TURNS + 1)
            self.assertLessEqual(down, BYTES)

    def test_of_every_way_to_log_in(self):
        """As the program tells it: a turn is what it says after it was told something.  STARTTLS and
        SCRAM are two turns more each: what a server can do is asked anew under TLS, and SCRAM has a
        second step."""
        for scheme in ("imaps", "imap"):
            for mechanisms, steps in (("plain", 0), ("scram-sha-256", 2)):
                with self.subTest(scheme=scheme, mechanisms=mechanisms), \
                        Dovecot(count=100, mechanisms=mechanisms) as server, \
                        Proxy(server.imaps if scheme == "imaps" else server.imap, **SLOW) as line, \
                        Postern(f"{scheme}://{server.user}@localhost:{line.port}",
                                ca=server.ca) as postern, \
                        Terminal(postern.command(), postern.environment) as terminal:
                    terminal.wait("1/100", 60)
                    terminal.wait(lambda _: "OK List completed" in postern.log(), 60)
                    terminal.keys("q")
                    terminal.wait_exit()
                    turns = turns_said(postern.log())
                    print(f"\n  {scheme}, {mechanisms}: {turns} turns", flush=True)
                    self.assertLessEqual(turns, 2 + steps + (2 if scheme == "imap" else 0))

    def test_of_the_command_line(self):
        with Dovecot(count=100_000, mechanisms="plain login") as server, \
                Proxy(server.imap, rtt_ms=60) as line, \
                Postern(through(line, server, "imap"), ca=server.ca) as postern:
            rows = postern.rows("list", "INBOX", "--limit", "50")
            self.assertEqual(len(rows), 50)
            print(f"\n  list: {line.connections}", flush=True)
            self.assertLessEqual(line.turns, TURNS + 1)     # LOGOUT
            self.assertLessEqual(line.down, BYTES)


class OneMessage(unittest.TestCase):
    def test_text_beside_a_big_attachment(self):
        """2 KB of text, 5 MB of attachment: fewer than 16 KiB, all of the session counted."""
        mail = list(bulk(30)) + [Message(big_attachment(2048, 5 << 20), NOW)]
        with Dovecot(mail=mail) as server, Proxy(server.imap) as line, \
                Postern(through(line, server, "imap"), ca=server.ca) as postern:
            uid = postern.rows("list", "INBOX", "--limit", "1")[0]["uid"]
            line.reset()
            done = postern.run("show", "INBOX", str(uid))
            self.assertEqual(done.status, 0, done)
            self.assertGreater(len(done.out), 1900)
            print(f"\n  show: {line.down} bytes from the server, {line.up} to it", flush=True)
            self.assertLess(line.down, 16 * 1024)
            line.reset()
            again = postern.run("show", "INBOX", str(uid))
            self.assertEqual(again.out, done.out)
            self.assertLess(line.down, 3000, "a cached part costs nothing but the login")

    def test_first_look_at_it(self):
        """As above, from an empty store."""
        with Dovecot(mail=[Message(big_attachment(2048, 5 << 20), NOW)]) as server, \
                Proxy(server.imap) as line, \
                Postern(through(line, server, "imap"), ca=server.ca) as postern:
            done = postern.run("show", "INBOX", "1")
            self.assertEqual(done.status, 0, done)
            self.assertLess(line.down, 16 * 1024)

    def test_sync_counts_what_the_line_carried(self):
        with Dovecot(mail=bulk(500)) as server, Proxy(server.imap, rtt_ms=30) as line, \
                Postern(through(line, server, "imap"), ca=server.ca) as postern:
            last = postern.rows("sync", "INBOX")[-1]
            self.assertEqual(last["messages"], 500)
            # All but the goodbyes.
            self.assertLess(line.down - last["bytes_in"], 200)
            self.assertLess(line.up - last["bytes_out"], 50)
            # The line also counts what is asked while an answer still streams in.
            self.assertLessEqual(last["round_trips"], line.turns)
            self.assertGreaterEqual(last["round_trips"], 4)

    def test_a_sync_is_compressed_where_the_server_can(self):
        """The same mailbox with and without COMPRESS=DEFLATE (RFC 4978), to the same rows."""
        carried, rows = [], []
        for compress in (False, True):
            with Dovecot(mail=bulk(1000), compress=compress) as server, \
                    Proxy(server.imaps) as line, \
                    Postern(through(line, server, "imaps"), ca=server.ca) as postern:
                last = postern.rows("sync", "INBOX")[-1]
                self.assertEqual(last["messages"], 1000)
                self.assertLess(abs(line.down - last["bytes_in"]), 300, "what the line carried")
                carried.append(line.down)
                # All but the local identities, which go by the order of arrival.
                rows.append([{**row, "id": None} for row in
                             postern.rows("--offline", "list", "INBOX", "--limit", "1000")])
        print(f"\n  {carried[0]} bytes from the server, compressed {carried[1]}", flush=True)
        self.assertLess(carried[1] * 4, carried[0])
        self.assertEqual(rows[0], rows[1])

    def test_bodies_are_compressed_where_the_line_is_slow(self):
        """2 MB of text through 400 KB/s: what it brings is seen first."""
        text = b"From: a@example.org\r\nSubject: long\r\n\r\n" + b"The same, once more.\r\n" * 1500
        with Dovecot(mail=[Message(text, NOW, (), "INBOX")] * 60, compress=True) as server, \
                Proxy(server.imaps, rtt_ms=30, bytes_per_s=400_000) as line, \
                Postern(through(line, server, "imaps"), ca=server.ca) as postern:
            done = postern.rows("sync", "INBOX", "--bodies", "all")[-1]
            commands = re.findall(r" C: A\d+ (\w+)", postern.log())
        print(f"\n  {60 * len(text)} bytes of bodies, {done['bytes_in']} on the line", flush=True)
        self.assertIn("COMPRESS", commands)
        self.assertLess(done["bytes_in"], 60 * len(text) * 3 // 4)


class Slices(unittest.TestCase):
    """What fills in behind the screen comes in slices of about 100 ms of line time."""

    def slices(self, messages, **line):
        with Dovecot(mail=bulk(messages)) as server, Proxy(server.imaps, **line) as slow, \
                Postern(through(slow, server, "imaps"), ca=server.ca) as postern:
            self.assertEqual(postern.rows("sync", "INBOX")[-1]["messages"], messages)
            found = re.findall(r"C: A\d+ UID FETCH (\d+):(\d+) ", postern.log())
        rows = [int(high) - int(low) + 1 for low, high in found]
        print(f"\n  {line}: {rows}", flush=True)
        return rows

    def test_latency_does_not_make_them_short(self):
        # 10 Mbit/s bring about 200 in 100 ms.
        self.assertLess(len(self.slices(3000, rtt_ms=250, bytes_per_s=1_250_000)), 45)

    def test_a_slow_line_does(self):
        # 1 Mbit/s brings about 20 in 100 ms; the first is sent before anything is known.
        self.assertLess(max(self.slices(500, rtt_ms=60, bytes_per_s=125_000)[3:]), 60)


if __name__ == "__main__":
    main()
