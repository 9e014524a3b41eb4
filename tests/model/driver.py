"""The driver's process: the engine, told what to do (see driver.c).

    with Home(port, user) as home:
        driver = Driver(home)
        driver.ask("start", "online")           # its fields; raises Told when it says no
        driver.rows("list", 1)                  # its lines
        driver.kill()
"""

import codecs
import os
import select
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from dovecot import PASSWORD, end_with_parent
from model import Wrong

PROGRAM = os.environ.get("MODEL_DRIVER", "")
USAGE, CONFIG, OFFLINE, TRUST, LOGIN, REFUSED, PROTOCOL, GONE, CANCELLED, STORE, FILE = range(11)
PATIENCE = 120


class Told(Exception):
    """The engine said no."""

    def __init__(self, code, words):
        super().__init__(f"{code}: {words}")
        self.code, self.words = code, words


class Broken(Exception):
    """The driver died, or is stuck."""


class Late(Broken):
    """What was waited for did not come."""


class Home:
    """A data directory and a configuration."""

    def __init__(self, port, user, keys=None, place=None):
        self.dir = place or tempfile.mkdtemp(prefix="postern-model-")
        self.data = os.path.join(self.dir, "data")
        self.config = os.path.join(self.dir, "config")
        self.log = os.path.join(self.dir, "log") if os.environ.get("MODEL_LOG") else None
        if not os.path.isdir(self.data):
            os.mkdir(self.data, 0o700)
        with open(self.config, "w") as config:
            config.write(f"[account test]\naddress = Ada Example <ada@example.org>\n"
                         f"imap = imap+insecure://{user}@127.0.0.1:{port}\n"
                         f"password = {PASSWORD}\n")
            config.writelines(f"{name} = {value}\n" for name, value in (keys or {}).items())
        os.chmod(self.config, 0o600)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def check_files(self):
        aside = [name for name in os.listdir(self.data) if "set-aside" in name]
        if aside:
            raise Wrong(f"the store was found damaged: {aside}")


class Driver:
    def __init__(self, home):
        self.home = home
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, home.config, home.data] + ([home.log] if home.log else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env=dict(os.environ, LC_ALL="C.UTF-8"), preexec_fn=end_with_parent)
        self.buffer = b""

    def send(self, *words, there=False):
        line = " ".join(urllib.parse.quote(str(word), safe=":,+$\\") or "." for word in words)
        try:
            self.process.stdin.write((b"!" if there else b"") + line.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Broken(self.why()) from None

    def answer(self):
        """(rows, fields)"""
        rows = []
        while True:
            line = self._line()
            kind, *fields = [codecs.escape_decode(field.encode())[0].decode("utf-8", "replace")
                             for field in line.split("\t")]
            if kind == "|":
                rows.append(fields)
            elif kind == "ok":
                return rows, fields
            elif int(fields[0]) == -1000:
                raise Late(f"{fields[1]} {self.stacks()}")
            else:
                raise Told(int(fields[0]), fields[1])

    def ask(self, *words, there=False):
        self.send(*words, there=there)
        return self.answer()[1]

    def rows(self, *words):
        self.send(*words)
        return self.answer()[0]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def quit(self):
        """Status 0, or it is broken: the sanitizers speak here."""
        self.send("quit")
        self.answer()
        self.process.wait(PATIENCE)
        if self.process.returncode:
            raise Broken(self.why())
        self._reap()

    def end(self):
        """However."""
        if self.process.poll() is None:
            self.process.kill()
        self._reap()

    def why(self):
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self.errors.seek(0)
        return (f"the driver ended with {self.process.poll()}: "
                f"{self.errors.read().decode(errors='replace')[-6000:]}")

    def stacks(self):
        """Where its threads stand, if a debugger is here."""
        if not shutil.which("gdb"):
            return ""
        try:
            return subprocess.run(["gdb", "-p", str(self.process.pid), "-batch", "-ex",
                                   "thread apply all bt 14"], timeout=60, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout.decode(errors="replace")[-5000:]
        except subprocess.TimeoutExpired:
            return ""

    def _line(self):
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                raise Broken(f"the driver does not answer {self.stacks()}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Broken(self.why())
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def _reap(self):
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
