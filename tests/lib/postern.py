"""Runs the real program, in a home of its own.

    with Postern(server.url, ca=server.ca) as postern:
        done = postern.run("list", "INBOX")         # done.status, done.out, done.err
        rows = postern.rows("list", "INBOX")        # its JSON lines, and status 0
        postern.log()                               # what --log wrote so far

The program is $POSTERN, or the build beside the tests.  A test file ends with main().
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from dovecot import PASSWORD

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("POSTERN") or os.path.join(TOP, "build", "src", "postern")

DONE, FAILED, USAGE, NOT_NOW = 0, 1, 2, 3


class Result:
    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.out, self.err = arguments, status, out, err

    @property
    def text(self):
        return self.out.decode("utf-8")

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.decode("utf-8").splitlines()]

    def __repr__(self):
        return (f"postern {' '.join(self.arguments)}\nstatus {self.status}\n"
                f"--- out\n{self.out[:4000].decode(errors='replace')}\n--- err\n{self.err[:4000]}")


class Postern:
    """URL None: no configuration is written.  KEYS: more keys for the account; None leaves one out."""

    def __init__(self, url=None, ca=None, password=PASSWORD, **keys):
        self.dir = tempfile.mkdtemp(prefix="postern-home-")
        self.data = os.path.join(self.dir, "data")
        self.config = os.path.join(self.dir, "config")
        self.log_path = os.path.join(self.dir, "log")
        self.environment = {
            "HOME": self.dir, "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": os.path.join(self.dir, "xdg-config"),
            "XDG_DATA_HOME": os.path.join(self.dir, "xdg-data"), "TERM": "xterm-256color",
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") or name.startswith("LSAN"):
                self.environment[name] = value
        if url:
            values = {"address": "Ada Example <ada@example.org>", "imap": url, "ca-file": ca,
                      "password": password}
            values.update({name.replace("_", "-"): value for name, value in keys.items()})
            self.configure("[account test]\n" + "".join(
                f"{name} = {value}\n" for name, value in values.items() if value is not None))

    def configure(self, text, mode=0o600):
        with open(self.config, "w") as out:
            out.write(text)
        os.chmod(self.config, mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, *arguments, config=True, log=True):
        words = [PROGRAM]
        if config:
            words += ["--config", self.config]
        words += ["--data", self.data]
        if log:
            words += ["--log", self.log_path]
        return words + list(arguments)

    def run(self, *arguments, timeout=90, config=True, log=True, environment=None, input=b""):
        done = subprocess.run(self.command(*arguments, config=config, log=log), input=input,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              env={**self.environment, **(environment or {})})
        err = done.stderr.decode("utf-8", "replace")
        if done.returncode < 0 or "Sanitizer" in err or "runtime error" in err:
            raise AssertionError(f"the program broke: {Result(arguments, done.returncode, done.stdout, err)}")
        return Result(arguments, done.returncode, done.stdout, err)

    def start(self, *arguments, **keywords):
        """A running program, as a subprocess.Popen; its output goes to pipes."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment, **keywords)

    def rows(self, *arguments, **keywords):
        done = self.run(*arguments, "--json", **keywords)
        if done.status != DONE:
            raise AssertionError(repr(done))
        return done.rows

    def log(self):
        try:
            with open(self.log_path, errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def files(self):
        """Everything under its home, as (path, bytes)."""
        for top, _, names in os.walk(self.dir):
            for name in names:
                path = os.path.join(top, name)
                with open(path, "rb") as file:
                    yield path, file.read()


def secret_forms(secret, user=""):
    """How SECRET could leak: as it is, and inside base64 at any offset."""
    forms = {secret.encode()}
    for before in ("", "x", "xx", f"\0{user}\0"):
        data = base64.b64encode((before + secret).encode())
        forms.add(data[(len(before) * 4 + 2) // 3 + 1:len(data) - 4])
    return {form for form in forms if len(form) > 5}


def root_only(test):
    return unittest.skipUnless(os.getuid() == 0, "needs root")(test)


def main():
    """Runs the file's tests: status 77 when all were skipped; on CI a skipped test is a failure."""
    import __main__
    # When time is up: a way out past every clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    arguments = sys.argv[1:]
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"{PROGRAM}: not there; build it, or set POSTERN")
    suite = unittest.defaultTestLoader.loadTestsFromNames(arguments, __main__) if arguments else \
        unittest.defaultTestLoader.loadTestsFromModule(__main__)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for test, why in result.skipped:
        print(f"SKIPPED {test}: {why}", file=sys.stderr)
    if not result.wasSuccessful() or (result.skipped and os.environ.get("CI")):
        sys.exit(1)
    sys.exit(77 if result.testsRun == len(result.skipped) else 0)
