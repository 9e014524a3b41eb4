"""Fills an empty store with an inbox of 100,000 messages, on loopback without TLS, beside a bare pipelined
FETCH of the same items from the same server, which only counts bytes.

    fill.py [COUNT]"""

import os
import socket
import subprocess
import sys
import time

from dovecot import PASSWORD, USER, Dovecot
from postern import Postern

ITEMS = b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"


def bare(server, count, step=2000):
    """Every FETCH is sent at once; the answers are read and thrown away."""
    with socket.create_connection(("127.0.0.1", server.imap)) as line:
        line.recv(4096)
        began = time.perf_counter()
        commands = [f'a LOGIN {USER} "{PASSWORD}"\r\nb EXAMINE INBOX\r\n'.encode()]
        commands += [b"c FETCH %d:%d %s\r\n" % (first, min(first + step - 1, count), ITEMS)
                     for first in range(1, count + 1, step)]
        line.sendall(b"".join(commands) + b"z NOOP\r\n")
        total, tail = 0, b""
        while b"\r\nz OK" not in tail:
            data = line.recv(1 << 18)
            if not data:
                raise RuntimeError("the server closed")
            total += len(data)
            tail = tail[-16:] + data
        return time.perf_counter() - began, total


def ours(server):
    with Postern(server.insecure_url) as postern:
        began = time.perf_counter()
        child = subprocess.Popen(postern.command("sync", "INBOX", log=False),
                                 env=postern.environment, stdout=subprocess.PIPE)
        said = child.stdout.read().decode()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        if status:
            raise RuntimeError(f"status {status}")
        rows = len(postern.rows("--offline", "list", "INBOX"))
        return seconds, usage.ru_utime + usage.ru_stime, rows, said.strip()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with Dovecot(count=count) as server:
        bare(server, count)
        for _ in range(2):
            floor, size = bare(server, count)
            print(f"bare FETCH {floor:6.2f} s  {size / 1e6:.1f} MB  {count / floor:,.0f} messages/s")
            seconds, cpu, rows, said = ours(server)
            assert rows == count, rows
            print(f"postern    {seconds:6.2f} s  {cpu:.2f} s of it its own CPU  "
                  f"{seconds / floor:.2f} times; without its CPU {max(seconds - cpu, 0) / floor:.2f}\n           {said}", flush=True)


if __name__ == "__main__":
    main()
