"""The program on a bare pseudo-terminal that is read as fast as it writes: for timing.

    with RawTty(postern.command(), postern.environment, size=(120, 40)) as tty:
        seconds = tty.until(b"Subject")     # since the start
        first, last, count = tty.press(b"j")    # seconds until its first and last byte of answer
        tty.peak_kb                         # the most memory it has had
"""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time


class RawTty:
    def __init__(self, command, environment, size=(120, 40), term="xterm-256color"):
        self.command, self.size = command, size
        self.environment = {**environment, "TERM": term, "LC_ALL": "C.UTF-8"}
        self.output = b""

    def __enter__(self):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.size[1], self.size[0], 0, 0))
            os.execvpe(self.command[0], self.command, self.environment)
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)

    def until(self, word, seconds=60):
        """Reads until WORD was written; the time since the start."""
        while word not in self.output:
            if not self._read(self.started + seconds - time.perf_counter()):
                raise AssertionError(f"no {word!r} in {seconds} s: {self.output[-2000:]!r}")
        return time.perf_counter() - self.started

    def quiet(self, seconds=0.2):
        """Reads until nothing came for so long."""
        while self._read(seconds):
            pass

    def press(self, key, quiet=0.1):
        began = time.perf_counter()
        before = len(self.output)
        os.write(self.master, key)
        first = last = None
        while self._read(quiet if first else 2):
            last = time.perf_counter() - began
            first = first or last
        return first, last, len(self.output) - before

    def _read(self, seconds):
        if not select.select([self.master], [], [], max(seconds, 0))[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.output += data
        return bool(data)

    @property
    def peak_kb(self):
        return peak_kb(self.pid)


def peak_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
