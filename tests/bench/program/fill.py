"""An empty store filled with a mailbox to its complete index, on loopback, beside a bare pipelined FETCH
of the same from the same server.

    fill.py [--tls] [MESSAGES [RUNS]]

The server's caches are warm, and the two take turns.  The bare one sends every FETCH at once and
throws away what comes; `postern sync` learns its slices, parses, and writes every row.  A processor
that the client shares with the server counts against it: its own CPU time is printed beside."""

import os
import resource
import socket
import ssl
import statistics
import sys
import time

from dovecot import PASSWORD, USER, Dovecot
from postern import Postern

ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)"
SLICE = 2000


def bare(server, messages, tls):
    """Seconds, the client's CPU seconds, bytes: from connecting to the last answer."""
    begun, cpu = time.monotonic(), time.process_time()
    line = socket.create_connection(("127.0.0.1", server.imaps if tls else server.imap))
    if tls:
        context = ssl.create_default_context(cafile=server.ca)
        line = context.wrap_socket(line, server_hostname="localhost")
    # Alone: what comes behind a login has to fit the 4 KiB that Dovecot's login process reads.
    line.sendall(f'1 LOGIN {USER} "{PASSWORD}"\r\n'.encode())
    greeting = b""
    while b"\r\n1 OK" not in greeting:
        got = line.recv(4096)
        if not got:
            sys.exit(f"fill.py: the server closed: {greeting}")
        greeting += got
    words = ["2 SELECT INBOX (CONDSTORE)"]
    for high in range(messages, 0, -SLICE):
        words.append(f"3 FETCH {max(high - SLICE + 1, 1)}:{high} {ITEMS}")
    words.append("4 NOOP")
    line.sendall(("\r\n".join(words) + "\r\n").encode())
    buffer, end, size = bytearray(1 << 18), b"", 0
    while b"\r\n4 OK" not in end:
        got = line.recv_into(buffer)
        if not got:
            sys.exit(f"fill.py: the server closed: {end}")
        size += got
        end = (end + buffer[max(got - 200, 0):got])[-200:]
    line.close()
    return time.monotonic() - begun, time.process_time() - cpu, size


def filled(server, messages, tls):
    """The same for `postern sync INBOX` into an empty store."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Postern(server.url if tls else server.insecure_url, ca=server.ca) as postern:
        begun = time.monotonic()
        done = postern.run("sync", "INBOX", "--json", log=False, timeout=600)
        seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.status or done.rows[-1]["messages"] != messages:
        sys.exit(f"fill.py: {done!r}")
    return (seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            done.rows[-1]["bytes_in"])


def show(what, runs, messages):
    seconds = [run[0] for run in runs]
    print(f"{what:<14} {min(seconds):6.2f} s least, {statistics.median(seconds):6.2f} s median of "
          f"{len(runs)};  {messages / min(seconds):8,.0f} messages/s;  its own CPU "
          f"{min(run[1] for run in runs):5.2f} s;  {runs[0][2] / 1e6:.1f} MB")
    return min(seconds)


def main():
    arguments = sys.argv[1:]
    tls = "--tls" in arguments
    numbers = [int(word) for word in arguments if word != "--tls"]
    messages, runs = (numbers + [100_000, 5][len(numbers):])[:2]
    with Dovecot(count=messages) as server:
        bare(server, messages, tls)     # its files are in memory from here on
        bares, fills = [], []
        for _ in range(runs):
            bares.append(bare(server, messages, tls))
            fills.append(filled(server, messages, tls))
    print(f"{messages:,} messages from Dovecot on loopback, {'over' if tls else 'without'} TLS; load "
          f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    least = show("bare FETCH", bares, messages)
    ours = show("postern sync", fills, messages)
    cpu = min(run[1] for run in fills)
    print(f"{ours / least:.2f} times the bare FETCH; {(ours - cpu) / least:.2f} without its own CPU "
          "(promised: 1.3, the client's CPU apart)")


if __name__ == "__main__":
    main()
