"""What it costs to bring a mailbox up to date that was mirrored before, at each level that a server
may have: QRESYNC, CONDSTORE, nothing.  Bytes and round trips are counted on the line; at the end what
is here is what the server has, flags too."""

import os
import random
import re
import unittest

from dovecot import Dovecot
from mailgen import NOW, Message, one
from postern import Postern, main
from proxy import Proxy

# What Dovecot announces behind the login, masked.
BARE = "IMAP4rev1 SASL-IR LITERAL+ ID IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN LIST-EXTENDED " \
       "LIST-STATUS SPECIAL-USE"
CONDSTORE = BARE + " CONDSTORE ESEARCH ENABLE"
LEVELS = {"QRESYNC": "", "CONDSTORE": CONDSTORE, "CONDSTORE without ESEARCH": BARE + " CONDSTORE",
          "plain": BARE}
MANY = int(os.environ.get("POSTERN_TEST_MANY", "100000"))


class Cost:
    """Of one session: after the login was answered, until the goodbye."""

    def __init__(self, line, log):
        connection = line.connections[-1]
        said = bytes(connection.record)
        self.down = connection.down
        login = re.search(rb"^A\d+ OK .*\r\n", said, re.M)
        self.after = connection.down - login.end()
        # What left with the login is not a turn of its own.
        self.turns = len([at for at in connection.asked_at if at >= login.end()]) - 1   # LOGOUT
        self.up = connection.up
        self.commands = re.findall(r" C: A\d+ (.*)", log)
        # How often nothing was in flight when something was sent: what was waited for, whole.
        self.waits, flight = 0, set()
        for who, tag in re.findall(r" ([CS]): (A\d+) ", log):
            self.waits += who == "C" and not flight
            (flight.add if who == "C" else flight.discard)(tag)

    def __repr__(self):
        return f"{self.down} bytes, {self.after} after the login, {self.up} to the server, " \
               f"{self.turns} turns, {self.waits} of them with nothing in flight"


class Resync(unittest.TestCase):
    def compare(self, server, postern, level):
        """What is here against what the server has."""
        client = server.client()
        client.select("INBOX", readonly=True)
        _, data = client.uid("FETCH", "1:*", "(FLAGS)")
        theirs = {}
        for line in data:
            uid, flags = re.search(rb"UID (\d+) FLAGS \(([^)]*)\)|FLAGS \(([^)]*)\) UID (\d+)",
                                   line).group(1, 2)
            theirs[int(uid)] = sorted(set(flags.decode().split()) - {"\\Recent"})
        client.logout()
        rows = postern.rows("--offline", "list", "INBOX", "--limit", str(len(theirs) + 1000))
        ours = {row["uid"]: sorted(set(row["flags"] + row["keywords"]) - {"\\Recent"})
                for row in rows}
        self.assertEqual(ours.keys() ^ theirs.keys(), set(), level)
        self.assertEqual(ours, theirs, level)

    def change(self, server, rand, percent, new, gone):
        """Somebody else's changes."""
        client = server.client()
        client.select("INBOX")
        uids = client.uid("SEARCH", None, "ALL")[1][0].decode().split()
        flagged = rand.sample(uids, len(uids) * percent // 100)
        for at in range(0, len(flagged), 500):
            client.uid("STORE", ",".join(flagged[at:at + 500]),
                       rand.choice("+-") + "FLAGS.SILENT",
                       rand.choice(["(\\Seen)", "(\\Flagged)", "(\\Answered $Work)"]))
        if gone:
            client.uid("STORE", ",".join(rand.sample(uids, gone)), "+FLAGS.SILENT", "(\\Deleted)")
            client.expunge()
        client.logout()
        server.deliver(Message(one("plain", subject=f"New {i}", date=NOW), NOW)
                       for i in range(new))

    def sync(self, line, postern, *arguments):
        postern_log = postern.log()
        line.reset()
        line.connections.clear()
        last = postern.rows("sync", "INBOX", *arguments)[-1]
        cost = Cost(line, postern.log()[len(postern_log):])
        self.assertLess(abs(cost.down - last["bytes_in"]), 200)
        self.assertGreater(last["round_trips"], 0)
        return cost

    def run_level(self, count, level, compress=False):
        rand = random.Random(count)
        with Dovecot(count=count, capability=LEVELS[level] + (" COMPRESS=DEFLATE" if compress and
                                                             LEVELS[level] else ""),
                     compress=compress, mechanisms="plain login") as server, \
                Proxy(server.imap, rtt_ms=60, record=not compress) as line, \
                Postern(f"imap+insecure://{server.user}@127.0.0.1:{line.port}",
                        ca=server.ca) as postern:
            postern.rows("sync", "INBOX")
            postern.rows("sync", "INBOX")
            if compress:
                return self.compressed(server, line, postern, rand)
            unchanged = self.sync(line, postern)
            self.change(server, rand, 1, 100, 100)
            changed = self.sync(line, postern)
            self.compare(server, postern, level)
            settled = self.sync(line, postern)
            print(f"\n  {level}, {count}: unchanged {unchanged}\n"
                  f"    changed {changed}\n    then {settled}", flush=True)
            return unchanged, changed, settled

    def compressed(self, server, line, postern, rand):
        line.connections.clear()
        unchanged = postern.rows("sync", "INBOX")[-1]
        self.change(server, rand, 1, 100, 100)
        changed = postern.rows("sync", "INBOX")[-1]
        self.compare(server, postern, "compressed")
        print(f"\n  compressed: unchanged {unchanged}\n    changed {changed}", flush=True)
        return unchanged, changed

    def quick(self, cost):
        """One round trip, under 2 KiB, and nothing but SELECT and what leaves with it."""
        self.assertLessEqual(cost.turns, 1)
        self.assertLess(cost.after, 2048)
        asked = [c for c in cost.commands if not c.startswith(("AUTHENTICATE", "LOGOUT", "ENABLE", "ID"))]
        self.assertTrue(asked[0].startswith("SELECT"), asked)
        self.assertLessEqual(len(asked), 3, asked)
        self.assertTrue(all(re.match(r"UID FETCH \d+:\d+ \(", c) for c in asked[1:]), asked)

    def check_told(self, count):
        unchanged, changed, settled = self.run_level(count, "QRESYNC")
        self.quick(unchanged)
        self.quick(settled)
        flags, new, gone = count // 100 * 70, 100 * 1500, 100 * 8
        self.assertLess(changed.after, 2048 + flags + new + gone)
        self.assertLessEqual(changed.turns, 1)      # SELECT, and what is new with it
        self.assertFalse([c for c in changed.commands if "SEARCH" in c])

    def test_qresync_of_1000(self):
        self.check_told(1000)

    def test_qresync_of_many(self):
        self.check_told(MANY)

    def check_condstore(self, count, level):
        unchanged, changed, settled = self.run_level(count, level)
        self.quick(unchanged)
        self.quick(settled)
        flags, new, gone = count // 100 * 70, 100 * 1500, 100 * 700
        self.assertLess(changed.after, 2048 + flags + new + gone)
        self.assertLessEqual(changed.turns, 2 if "without" not in level else 7)

    def test_condstore_of_1000(self):
        self.check_condstore(1000, "CONDSTORE")

    def test_condstore_of_many(self):
        self.check_condstore(MANY, "CONDSTORE")

    def test_condstore_without_esearch_of_1000(self):
        self.check_condstore(1000, "CONDSTORE without ESEARCH")

    def test_condstore_without_esearch_of_many(self):
        self.check_condstore(MANY, "CONDSTORE without ESEARCH")

    def check_plain(self, count):
        """One list of flags, in slices, newest first; nothing else grows with the mailbox."""
        unchanged, changed, settled = self.run_level(count, "plain")
        for cost in unchanged, changed, settled:
            self.assertLess(cost.after, count * 64 + 100 * 1500 + 100 * 700)
            slices = [int(low) for low in
                      re.findall(r"UID FETCH (\d+):\d+ \(UID FLAGS\)", "\n".join(cost.commands))]
            self.assertEqual(slices, sorted(slices, reverse=True))
            # While a slice comes the next is asked for: however many there are, the line does not rest.
            self.assertLessEqual(cost.waits, 16 if cost is changed else 8)
        self.assertFalse([c for c in unchanged.commands if "SEARCH" in c])

    def test_plain_of_1000(self):
        self.check_plain(1000)

    def test_plain_of_many(self):
        self.check_plain(MANY)

    def test_compressed(self):
        """1 % of flags, 100 new and 100 gone among MANY."""
        unchanged, changed = self.run_level(MANY, "QRESYNC", compress=True)
        self.assertLess(unchanged["bytes_in"], 2048)
        self.assertLess(changed["bytes_in"], 25 * 1024 if MANY >= 100_000 else 20 * 1024)
        # The login with COMPRESS behind it, which nothing may follow (RFC 4978, 3); SELECT with what is new.
        self.assertEqual((unchanged["round_trips"], changed["round_trips"]), (2, 2))


if __name__ == "__main__":
    main()
