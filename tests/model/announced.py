"""The levels of servers that a history can be run on, and what each may be told.

    Dovecot(capability=LEVELS["plain"])
    strip(line)             # a response line without what a server without UIDPLUS would not say
    check_command(line, announced)          # raises Wrong when the client used what was not announced

A masked Dovecot still understands everything: that nothing of it is used has to be looked at.
"""

import re

from model import Wrong

LEVELS = {
    "full": "",
    "condstore": "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS "
                 "LIST-EXTENDED SPECIAL-USE CONDSTORE ESEARCH MOVE LITERAL+",
    "uidplus": "IMAP4rev1 SASL-IR ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED "
               "SPECIAL-USE ESEARCH LITERAL-",
    "plain": "IMAP4rev1",
}

TOLD_UID = re.compile(rb" \[(?:COPYUID|APPENDUID) [^\]]*\]", re.I)

# What is said of a command, and the capabilities of which one allows it.  Of arguments only what is not in
# quotes is looked at.
NEEDS = [(re.compile(pattern, re.I), needs.encode().split()) for pattern, needs in (
    (rb"^\S+ (UID )?MOVE\b", "MOVE"),
    (rb"^\S+ UID EXPUNGE\b", "UIDPLUS"),
    (rb"\b(CHANGEDSINCE|UNCHANGEDSINCE|MODSEQ|HIGHESTMODSEQ|CONDSTORE)\b", "CONDSTORE QRESYNC"),
    (rb"\b(QRESYNC|VANISHED)\b", "QRESYNC"),
    (rb"^\S+ NOTIFY\b", "NOTIFY"),
    (rb"^\S+ IDLE\b", "IDLE"),
    (rb"^\S+ ENABLE\b", "ENABLE"),
    (rb"^\S+ UNSELECT\b", "UNSELECT"),
    (rb"^\S+ ID\b", "ID"),
    (rb"^\S+ NAMESPACE\b", "NAMESPACE"),
    (rb"^\S+ COMPRESS\b", "COMPRESS=DEFLATE"),
    (rb"^\S+ (GETMETADATA|SETMETADATA)\b", "METADATA METADATA-SERVER"),
    (rb"^\S+ (UID )?(SORT|THREAD)\b", "SORT THREAD=REFERENCES THREAD=REFS"),
    (rb"^\S+ (UID )?SEARCH .*\bRETURN\b", "ESEARCH SEARCHRES"),
    (rb"^\S+ (UID )?SEARCH .*\b(YOUNGER|OLDER)\b", "WITHIN"),
    (rb"^\S+ LIST (\(|.*\bRETURN\b)", "LIST-EXTENDED"),
    (rb"^\S+ LIST .*\bRETURN \(.*\bSPECIAL-USE\b", "SPECIAL-USE"),
    (rb"^\S+ LIST .*\bRETURN \(.*\bSTATUS\b", "LIST-STATUS"),
    (rb"^\S+ CREATE .* \(USE\b", "CREATE-SPECIAL-USE"),
    (rb"^\S+ STATUS .*\bSIZE\b", "STATUS=SIZE"),
    (rb"^\S+ AUTHENTICATE \S+ \S", "SASL-IR"),
    (rb"\bBINARY\b|~\{\d+\+?\}", "BINARY"),
    (rb"\{\d+\+\}\r\n$", "LITERAL+ LITERAL-"),
    (rb"\bPARTIAL\b", "PARTIAL"),
    (rb"\bPREVIEW\b", "PREVIEW"),
    (rb"\b(EMAILID|THREADID|MAILBOXID)\b", "OBJECTID"),
    (rb"\bSAVEDATE\b", "SAVEDATE"),
)]


def strip(line):
    return TOLD_UID.sub(b"", line, 1)


def check_command(line, announced, first=True):
    """LINE: one of a command, with its end; FIRST: its first.  ANNOUNCED: a set of words."""
    words = re.sub(rb'"(?:\\.|[^"\\])*"', b'""', line)
    if first and re.search(rb"^\S+ (EXPUNGE|CLOSE)\s*$", words, re.I):
        raise Wrong(f"the client said {line!r}, which may expunge more than was meant")
    for pattern, needs in NEEDS:
        if (first or not pattern.pattern.startswith(b"^")) and pattern.search(words) and not announced.intersection(needs):
            raise Wrong(f"the client said {line!r}, and the server has no {needs[0].decode()}")
