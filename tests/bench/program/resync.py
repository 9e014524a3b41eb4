"""What coming back costs: a mailbox that is here already, nothing changed, and then 1 % of its flags changed, 100
messages new and 100 expunged by another client.  `postern sync INBOX` beside mbsync (isync), each
through 100 ms and 10 Mbit/s, TLS and COMPRESS included.

    resync.py [MESSAGES]                by default 100,000

mbsync fetches whole messages, so it is given a mailbox of 5,000 at most: beside its figures stands how
many messages they are for."""

import os
import shutil
import sys

import mailgen
from bodies import LINE, Mbsync, measure
from dovecot import USER, Dovecot
from postern import Postern
from proxy import Proxy

PEERS_MAX = 5_000


class Ours:
    name = "postern"

    def __init__(self, server, port):
        self.postern = Postern(f"imaps://{USER}@localhost:{port}", ca=server.ca)

    def run(self):
        done = self.postern.run("sync", "INBOX", "--json", log=False, timeout=900)
        if done.status:
            sys.exit(repr(done))

    def close(self):
        self.postern.__exit__()


def change(server, count):
    """What another client does; the mailbox is as large as before."""
    client = server.client()
    client.select("INBOX")
    step = count // max(count // 100, 1)
    flagged = ",".join(str(n) for n in range(1, count + 1, step))
    client.store(flagged, "+FLAGS", r"(\Flagged $Label1)")
    gone = ",".join(str(n) for n in range(count // 2, count // 2 + 300, 3))
    client.store(gone, "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()
    server.deliver(mailgen.Message(mailgen.one("plain", seed=n), mailgen.NOW, (), "INBOX")
                   for n in range(100))


def peer(kind, count, capability, what):
    with Dovecot(count=count, compress=True, capability=capability) as server, \
            Proxy(server.imaps, **LINE) as line:
        client = kind(server, line.port)
        # The first time over a line that is not slow: it is not what is measured.
        line.rtt, line.rate = 0, 0
        measure(client)
        line.rtt, line.rate = LINE["rtt_ms"] / 1000, LINE["bytes_per_s"]
        for state in ("nothing changed", "1 %, 100, 100"):
            line.connections = []
            seconds, _ = measure(client)
            print(f"  {what:<20} {count:>7,} messages, {state:<16} {seconds:6.2f} s, "
                  f"{line.down:>9,} bytes in, {line.up:>7,} out, {line.turns:>3} turns", flush=True)
            if state == "nothing changed":
                change(server, count)
        client.close()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"through {LINE['rtt_ms']} ms and {LINE['bytes_per_s'] * 8 / 1e6:g} Mbit/s, with COMPRESS; load "
          f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.  What the protocols force is seven turns: "
          "TLS, the greeting, three of SCRAM, with COMPRESS behind it, SELECT, and the goodbye.")
    everything = ""
    condstore = ("IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT ESEARCH "
                 "CONDSTORE LIST-EXTENDED LIST-STATUS SPECIAL-USE COMPRESS=DEFLATE")
    plain = "IMAP4rev1 SASL-IR LITERAL+ ID IDLE NAMESPACE UIDPLUS UNSELECT COMPRESS=DEFLATE"
    peer(Ours, count, everything, "postern, QRESYNC")
    peer(Ours, count, condstore, "postern, CONDSTORE")
    peer(Ours, count, plain, "postern, plain")
    if shutil.which("mbsync"):
        peer(Mbsync, min(count, PEERS_MAX), everything, "mbsync")
    else:
        print("mbsync is not installed (tools/packages bench)")


if __name__ == "__main__":
    main()
