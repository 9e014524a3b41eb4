"""The program in a real terminal (a private tmux): keys in, cells out.

    with Terminal(postern.command(), environment=postern.environment, size=(100, 30)) as terminal:
        terminal.wait("INBOX")                  # a string or a pattern, somewhere on the screen
        terminal.keys("j", "Enter", "C-d")      # as tmux names them
        terminal.type("some text")
        terminal.lines                          # the screen, a list of str
        terminal.cursor                         # (column, row)
        terminal.resize(40, 10)
        terminal.wait_exit()                    # its exit status
        terminal.raw()                          # every byte it ever wrote

A failed wait() shows the screen."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest


class Terminal:
    def __init__(self, command, environment=None, size=(100, 30), term="tmux-256color",
                 locale="C.UTF-8"):
        self.command, self.size = command, size
        self.environment = {**(environment or {}), "TERM": term, "LC_ALL": locale}

    def __enter__(self):
        if not shutil.which("tmux"):
            raise unittest.SkipTest("needs tmux")
        self.dir = tempfile.mkdtemp(prefix="postern-tty-")
        self.socket = os.path.join(self.dir, "s")
        record = os.path.join(self.dir, "raw")
        open(record, "wb").close()
        words = ["env", "-i", *(f"{k}={v}" for k, v in self.environment.items()), *self.command]
        line = " ".join(shlex.quote(word) for word in words)
        # The program waits until everything it writes is recorded.
        gate = os.path.join(self.dir, "gate")
        with open(os.path.join(self.dir, "run"), "w") as script:
            script.write(f"while [ ! -e {shlex.quote(gate)} ]; do sleep 0.01; done\n"
                         f"{line} 2>{shlex.quote(os.path.join(self.dir, 'stderr'))}\n"
                         f"echo $? >{shlex.quote(os.path.join(self.dir, 'status.new'))}\n"
                         f"mv {shlex.quote(os.path.join(self.dir, 'status.new'))} "
                         f"{shlex.quote(os.path.join(self.dir, 'status'))}\n")
        self._tmux("-f", "/dev/null", "start-server", ";", "set", "-g", "remain-on-exit", "on", ";",
                   "set", "-g", "status", "off", ";", "set", "-g", "escape-time", "0", ";",
                   "new-session", "-d", "-x", str(self.size[0]), "-y", str(self.size[1]),
                   "sh", os.path.join(self.dir, "run"))
        self._tmux("resize-window", "-x", str(self.size[0]), "-y", str(self.size[1]))
        self._tmux("pipe-pane", "-o", f"cat >>{shlex.quote(record)}")
        open(gate, "w").close()
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _tmux(self, *arguments):
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        return subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], check=True,
                              env=environment, stdout=subprocess.PIPE).stdout.decode()

    def kill(self):
        """SIGKILL for the program: it has no time for anything."""
        os.kill(int(self._tmux("display-message", "-p", "#{pane_pid}")), signal.SIGKILL)

    @property
    def lines(self):
        text = self._tmux("capture-pane", "-p")
        return text.split("\n")[:self.size[1]]

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)

    def styled(self):
        """The screen with its colours and attributes, as SGR sequences."""
        return self._tmux("capture-pane", "-pe")

    @property
    def cursor(self):
        x, y = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    def keys(self, *names):
        self._tmux("send-keys", *names)

    def type(self, text):
        self._tmux("send-keys", "-l", "--", text)

    def resize(self, width, height):
        self.size = (width, height)
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, wanted, seconds=30, absent=False):
        """Until WANTED (a string, a compiled pattern, or a function of the screen's text) is there,
        or is no more; returns the screen's text."""
        def found(text):
            if callable(wanted):
                return wanted(text)
            if isinstance(wanted, re.Pattern):
                return wanted.search(text)
            return wanted in text

        end = time.monotonic() + seconds
        while True:
            text = self.text
            if bool(found(text)) != absent:
                return text
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {wanted!r}"
                                     f"{' to go' if absent else ''}; the screen is:\n{text}\n"
                                     f"--- standard error\n{self.stderr()}")
            time.sleep(0.02)

    def wait_exit(self, seconds=20):
        path = os.path.join(self.dir, "status")
        end = time.monotonic() + seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise AssertionError(f"still running; the screen is:\n{self.text}")
            time.sleep(0.02)
        with open(path) as status:
            return int(status.read())

    def program(self):
        """The process id of the program."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children") as children:
            return int(children.read().split()[-1])

    def stderr(self):
        with open(os.path.join(self.dir, "stderr"), errors="replace") as errors:
            return errors.read()

    def raw(self):
        with open(os.path.join(self.dir, "raw"), "rb") as record:
            return record.read()
