"""A whole account made readable offline: `postern sync --bodies all` beside mbsync (isync), from the
same server; on loopback, and through 100 ms and 10 Mbit/s.  Then both again, with nothing changed.

    bodies.py [MESSAGES [SLOW_MESSAGES]]        10,000 messages are 90 MB; 0 slow ones: loopback alone

Through the line the bytes and the turns of each are those of the line, TLS included."""

import base64
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import mailgen
from dovecot import PASSWORD, USER, Dovecot
from postern import Postern
from proxy import Proxy

LINE = dict(rtt_ms=100, bytes_per_s=1_250_000)


def mail(count):
    """Messages of 9 KB on average: text that compresses, and in each sixth an attachment that does not."""
    rng = random.Random(7)
    words = [bytes(rng.choices(b"aaabcdeeeefghiiklmnnooprsttu", k=rng.randrange(2, 10)))
             for _ in range(4000)]
    for message in mailgen.bulk(count):
        lines = [b" ".join(rng.choices(words, k=11)) for _ in range(rng.randrange(20, 100))]
        text = b"\r\n".join(lines)
        head = message.raw.split(b"\r\nContent-Type:")[0]
        if rng.randrange(6):
            raw = head + b"\r\nContent-Type: text/plain\r\n\r\n" + text + b"\r\n"
        else:
            data = rng.randbytes(rng.randrange(5000, 35000))
            encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
            raw = b"".join((
                head, b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n",
                b"--b1\r\nContent-Type: text/plain\r\n\r\n", text,
                b"\r\n--b1\r\nContent-Type: application/pdf; name=paper.pdf\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n", encoded, b"--b1--\r\n"))
        yield mailgen.Message(raw, message.date, message.flags, message.folder)


class Ours:
    name = "postern"

    def __init__(self, server, port):
        self.postern = Postern(f"imaps://{USER}@localhost:{port}", ca=server.ca)

    def run(self):
        done = self.postern.run("sync", "--bodies", "all", "--json", log=False, timeout=900)
        if done.status:
            sys.exit(repr(done))

    def close(self):
        self.postern.__exit__()


class Mbsync:
    name = "mbsync"

    def __init__(self, server, port):
        self.dir = tempfile.mkdtemp(prefix="postern-mbsync-")
        with open(os.path.join(self.dir, "rc"), "w") as rc:
            rc.write(f"""IMAPAccount a
Host localhost
Port {port}
User {USER}
Pass "{PASSWORD}"
{self.tls()}
CertificateFile {server.ca}

IMAPStore far
Account a

MaildirStore near
Path {self.dir}/mail/
Inbox {self.dir}/inbox
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
SyncState *
""")
        os.mkdir(os.path.join(self.dir, "mail"))

    @staticmethod
    def tls():
        """The word changed with isync 1.5."""
        version = subprocess.run(["mbsync", "--version"], stdout=subprocess.PIPE).stdout.split()[-1]
        return "TLSType IMAPS" if tuple(map(int, version.split(b".")[:2])) >= (1, 5) else "SSLType IMAPS"

    def run(self):
        subprocess.run(["mbsync", "-q", "-c", os.path.join(self.dir, "rc"), "all"], check=True,
                       timeout=900, env={**os.environ, "HOME": self.dir})

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def measure(client):
    """Wall and CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    client.run()
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def loopback(server, kinds, runs):
    print("on loopback, over TLS")
    least = {}
    for _ in range(runs):
        for kind in kinds:
            client = kind(server, server.imaps)
            took = measure(client)
            client.close()
            least[kind] = min(least.get(kind, took), took)
    for kind in kinds:
        print(f"  {kind.name:<8} {least[kind][0]:6.2f} s, its own CPU {least[kind][1]:5.2f} s")
    return {kind: took[0] for kind, took in least.items()}


def through(server, kinds, size):
    print(f"through {LINE['rtt_ms']} ms and {LINE['bytes_per_s'] * 8 / 1e6:g} Mbit/s "
          f"({size / LINE['bytes_per_s']:.1f} s for {size / 1e6:.1f} MB uncompressed)")
    for kind in kinds:
        with Proxy(server.imaps, **LINE) as line:
            client = kind(server, line.port)
            seconds, _ = measure(client)
            print(f"  {kind.name:<8} {seconds:6.2f} s, {line.down / 1e6:.2f} MB in, "
                  f"{line.down / seconds / LINE['bytes_per_s'] * 100:.0f} % of the line, "
                  f"{line.turns} turns, {len(line.connections)} connections")
            line.reset()
            line.connections = []
            seconds, _ = measure(client)
            print(f"  {kind.name:<8} {seconds:6.2f} s with nothing changed, {line.down:,} bytes in, "
                  f"{line.up:,} out, {line.turns} turns")
            client.close()


def main():
    numbers = [int(word) for word in sys.argv[1:]]
    count, slow = (numbers + [10_000, 1_000][len(numbers):])[:2]
    kinds = [Ours]
    if shutil.which("mbsync"):
        kinds.append(Mbsync)
    else:
        print("mbsync is not installed (tools/packages bench)")
    for compress in (False, True):
        messages = list(mail(count))
        size = sum(len(message.raw) for message in messages)
        with Dovecot(mail=messages, compress=compress) as server:
            print(f"{count:,} messages, {size / 1e6:.1f} MB, from Dovecot "
                  f"{'with' if compress else 'without'} COMPRESS; load {os.getloadavg()[0]:.1f} on "
                  f"{os.cpu_count()} processors", flush=True)
            least = loopback(server, kinds, 2)
            if Mbsync in least:
                print(f"  {least[Mbsync] / least[Ours]:.1f} times as fast as mbsync")
        if slow:
            messages = messages[-slow:]
            size = sum(len(message.raw) for message in messages)
            with Dovecot(mail=messages, compress=compress) as server:
                through(server, kinds, size)


if __name__ == "__main__":
    main()
