#!/usr/bin/python3
"""sample.py PROGRAM [ARGS...] - runs PROGRAM on a sample account: a few hundred varied messages on a
private Dovecot on loopback.  All of it is thrown away when the program ends.  What `tools/try` shows."""

import os
import signal
import subprocess
import sys
import tempfile

import mailgen
from dovecot import PASSWORD, Dovecot

CONFIG = """\
# A throw-away account: everything here ends with this session.
[account sample]
address = Ada Example <ada@example.org>
imap = {url}
password-file = {dir}/password
ca-file = {ca}
default = true
"""


def main():
    program, arguments = os.path.abspath(sys.argv[1]), sys.argv[2:]
    # A signal to end must pass through the cleaning up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with Dovecot(mail=mailgen.sample(), compress=True) as server, \
            tempfile.TemporaryDirectory(prefix="postern-try-") as directory:
        write(directory, "password", PASSWORD + "\n")
        write(directory, "config", CONFIG.format(url=server.url, dir=directory, ca=server.ca))
        # The keyboard's interrupt is the program's to understand: it owns the terminal now.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = subprocess.Popen(
            [program, "--config", os.path.join(directory, "config"),
             "--data", os.path.join(directory, "data"), *arguments],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        try:
            status = follow(child)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if status < 0:
        print(f"postern ended by signal {-status}", file=sys.stderr)
        status = 128 - status
    sys.exit(status)


def follow(child):
    """Waits for CHILD; when it is stopped, so are we, and the shell has the terminal until `fg`."""
    while True:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode
        os.kill(os.getpid(), signal.SIGSTOP)
        child.send_signal(signal.SIGCONT)


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


if __name__ == "__main__":
    main()
