"""How long until the newest mail is on the screen: a line of 100 ms and 10 Mbit/s, TLS, 100,000 messages
in the inbox, nothing kept from before.  Beside alpine and aerc where they are installed.

    first_screen.py [--install] [COUNT]     --install: the peers as well (tools/packages bench)"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from dovecot import PASSWORD, USER, Dovecot
from mailgen import NOW, one
from postern import TOP, Postern
from proxy import Proxy
from terminal import Terminal

LINE = dict(rtt_ms=100, bytes_per_s=1_250_000)
SUBJECT = "The newest of them all"


def peak_kb(pid):
    """The most memory the process ever had."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def measure(name, port, command, environment, questions=None):
    """Runs COMMAND until SUBJECT is on its screen."""
    with Proxy(port, **LINE) as line:
        with tempfile.TemporaryDirectory(prefix="postern-bench-") as home:
            words = command(home, line.port)
            with Terminal(words, {**environment, "HOME": home}, size=(120, 40),
                          term="screen-256color") as terminal:
                began = time.perf_counter()
                questions = dict(questions or {})
                while SUBJECT not in terminal.text:
                    for question in [q for q in questions if q in terminal.text]:
                        terminal.type(questions.pop(question))
                    if time.perf_counter() - began > 120:
                        print(f"{name:<10} nothing in 120 s; its screen:\n{terminal.text}")
                        return
                    time.sleep(0.005)
                seconds = time.perf_counter() - began
                since = time.monotonic() - line.connections[0].started
                turns, down, up = line.turns, line.down, line.up
                peak = peak_kb(terminal.program())
                time.sleep(2)
                later = line.down
                terminal.keys("q")
    # Before it connects alpine waits for the name of this machine, which may not have one.
    print(f"{name:<10} {seconds:6.2f} s  {since:6.2f} s since it connected  {turns:3} turns (TLS's two included)  {down:9,} bytes in  "
          f"{up:6,} out  {peak / 1024:6.1f} MB  ({later:,} bytes 2 s later)", flush=True)


def main():
    arguments = sys.argv[1:]
    if "--install" in arguments:
        arguments.remove("--install")
        subprocess.run([os.path.join(TOP, "tools", "packages"), "bench"], check=True)
    count = int(arguments[0]) if arguments else 100_000
    with Dovecot(count=count) as server:
        client = server.client()
        raw = one("plain", subject=SUBJECT, date=NOW)
        client.append("INBOX", "", None, raw)
        client.logout()
        print(f"First screen, {count:,} messages, 100 ms and 10 Mbit/s", flush=True)

        with Postern() as postern:
            def ours(home, port):
                postern.configure(f"[account a]\nimap = imaps://{USER}@localhost:{port}\n"
                                  f"password = {PASSWORD}\nca-file = {server.ca}\n")
                return postern.command()
            measure("postern", server.imaps, ours, postern.environment)

        # Spared what has nothing to do with mail: its question about the password, its look for this
        # machine's name, its pause after making a folder.
        def alpine(home, port):
            os.mkdir(os.path.join(home, "mail"))
            with open(os.path.join(home, "pinerc"), "w") as out:
                out.write(f"inbox-path={{localhost:{port}/ssl/novalidate-cert/user={USER}}}INBOX\n"
                          "feature-list=disable-password-file-saving\nlast-version-used=9.99\n"
                          "nntp-server=\nuser-domain=example.org\nsort-key=Arrival/Reverse\n"
                          "incoming-startup-rule=first\n")
            return ["alpine", "-i", "-p", os.path.join(home, "pinerc")]

        # What alpine asks, and what is typed.
        asks = {"ENTER PASSWORD": PASSWORD + "\r"}

        def aerc(home, port):
            folder = os.path.join(home, ".config", "aerc")
            os.makedirs(folder)
            path = os.path.join(folder, "accounts.conf")
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as out:
                secret = urllib.parse.quote(PASSWORD)
                out.write(f"[test]\nsource = imaps://{USER}:{secret}@localhost:{port}\n"
                          "default = INBOX\nfrom = Ada <ada@example.org>\n")
            return ["aerc"]

        environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": server.ca}
        for name, command, questions in (("alpine", alpine, asks), ("aerc", aerc, None)):
            if shutil.which(name):
                measure(name, server.imaps, command, environment, questions)
            else:
                print(f"{name:<10} not installed (tools/packages bench)")


if __name__ == "__main__":
    main()
