"""Everything a real Dovecot says is parsed, and says what the messages are."""

import email
import email.policy
import json
import os
import re
import subprocess
import unittest

import mailgen
from dovecot import Dovecot
from postern import TOP, main

DUMP = os.environ.get("IMAP_DUMP") or os.path.join(TOP, "build", "tests", "imap-dump")

COMMANDS = [
    "CAPABILITY", 'ID ("name" "x")', "NAMESPACE", "ENABLE QRESYNC CONDSTORE",
    'LIST "" "*" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY '
    "UNSEEN HIGHESTMODSEQ SIZE RECENT))",
    'LSUB "" "*"', 'LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"', 'CREATE "a b"',
    'CREATE "Entw&APw-rfe"', 'LIST "" "*"', "SELECT INBOX", "UID SEARCH ALL",
    "UID SEARCH RETURN (ALL COUNT MIN MAX) UNSEEN", "SEARCH RETURN (PARTIAL 1:20) ALL",
    "UID SORT (SUBJECT) UTF-8 ALL", "UID THREAD REFS UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL",
    "SEARCH RETURN (UPDATE COUNT) FLAGGED",
    "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)",
    "UID FETCH 1:* (UID BODY.PEEK[])",
    'UID FETCH 1:* (BODY PREVIEW SAVEDATE SNIPPET BODY.PEEK[HEADER.FIELDS (FROM "X-Foo")])',
    "UID FETCH 1:20 (BINARY.PEEK[1] BINARY.SIZE[1] RFC822.HEADER BODY.PEEK[TEXT]<0.20>)",
    "STORE 1 +FLAGS (\\Deleted foo)", 'COPY 1:3 "a b"', 'MOVE 4:5 "a b"', "UID EXPUNGE 1:*",
    "GETQUOTAROOT INBOX", "SELECT nosuch", 'SELECT "a b" (QRESYNC (1 1))',
    "SELECT INBOX (QRESYNC (1 1 1:100))", "NOOP",
]


def converse(server):
    """What the server said, from its greeting to its goodbye."""
    said = []
    with server.client() as client:
        read, readline = client.read, client.readline

        def hear(take):
            def took(*arguments):
                said.append(take(*arguments))
                return said[-1]
            return took
        # The greeting and the login are the client's own; a later piece begins between two responses.
        client.read, client.readline = hear(read), hear(readline)
        for command in COMMANDS:
            tag = client._new_tag()
            client.send(tag + b" " + command.encode() + b"\r\n")
            while not client.readline().startswith(tag + b" "):
                literal = re.search(rb"\{(\d+)\}\r\n\Z", said[-1])
                while literal:
                    client.read(int(literal[1]))
                    literal = re.search(rb"\{(\d+)\}\r\n\Z", client.readline())
    return b"".join(said)


def dump(data, *arguments):
    return subprocess.run([DUMP, *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


class Server(unittest.TestCase):
    def test_a_session_with_dovecot(self):
        with Dovecot(mail=mailgen.sample()) as server:
            data = converse(server)
        out = dump(data)
        self.assertEqual(out, dump(data, "--chunk", "1"))
        rows = [json.loads(line) for line in out.splitlines()]
        for row in rows:
            for oddity in ("error", "unknown_items", "code_unknown", "body_truncated"):
                self.assertNotIn(oddity, row)
            self.assertNotEqual(row["type"], "UNKNOWN")
        self.check_messages([row for row in rows if row["type"] == "FETCH"])

    def check_messages(self, rows):
        """Size, identity and shape agree with the messages themselves."""
        listed = {row["uid"]: row for row in rows if "envelope" in row}
        whole = {row["uid"]: row["sections"][0] for row in rows
                 if "sections" in row and row["sections"][0]["section"] == ""}
        self.assertGreater(len(listed), 50)
        self.assertEqual(set(listed), set(whole))
        alike = 0
        for uid, row in listed.items():
            self.assertEqual(row["size"], whole[uid]["size"])
            text = whole[uid]["bytes"]
            message = email.message_from_string(text, policy=email.policy.compat32)
            identity = message.get("Message-ID")
            if identity and "\n" not in identity:
                self.assertEqual(row["envelope"]["message_id"], identity.strip())
            alike += shape(row["bodystructure"]) == expected(message)
        # Python sees no part where a boundary is missing, and parts in a delivery status.
        self.assertGreater(alike, len(listed) - 6)


def shape(part):
    name = (part["type"] + "/" + part["subtype"]).lower()
    return [name] + [shape(child) for child in part.get("parts", [])]


def expected(message):
    children = message.get_payload() if message.is_multipart() else []
    return [message.get_content_type()] + [expected(child) for child in children]


if __name__ == "__main__":
    main()
