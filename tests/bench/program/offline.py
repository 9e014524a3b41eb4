"""What the screen costs on a big mailbox: `postern --offline` on a store of a million messages.

    offline.py [MESSAGES [RUNS]]

Time from before fork and exec until the last byte of the first screen came out of the pseudo-terminal;
the most memory the process ever had (VmHWM); and from the bytes of a key going in until the last
byte of its frame came out, for some keys.  The store is made once, in $POSTERN_TEST_CACHE.
"""

import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM = os.environ["POSTERN"]
STORE_FILL = os.environ["STORE_FILL"]
COLUMNS, ROWS = 100, 30
QUIET_S = 0.15          # a frame has ended when nothing came for so long

KEYS = [("page down", b"\x1b[6~"), ("end", b"\x1b[4~"), ("page up", b"\x1b[5~"), ("home", b"\x1b[1~"),
        ("down", b"j")]


def filled(messages):
    """The directory of a store of MESSAGES; made at the first call."""
    place = os.environ.get("POSTERN_TEST_CACHE") or os.path.join(
        tempfile.gettempdir(), f"postern-cache-{os.getuid()}")
    os.makedirs(place, mode=0o700, exist_ok=True)
    path = os.path.join(place, f"store-{messages}")
    if not os.path.isdir(path):
        print(f"making a store of {messages:,} messages ...", flush=True)
        subprocess.run([STORE_FILL, "--data", path + ".new", "--account", "test", "--messages",
                        str(messages)], check=True, stdout=subprocess.DEVNULL)
        os.rename(path + ".new", path)
    return path


class Screen:
    """The program in a pseudo-terminal, and when its bytes came."""

    def __init__(self, words, environment):
        self.started = time.monotonic()
        self.process, self.terminal = pty.fork()
        if not self.process:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execve(words[0], words, environment)

    def frame(self):
        """Everything until it is quiet: the bytes, and when the last of them came."""
        data, last = b"", time.monotonic()
        while select.select([self.terminal], [], [], QUIET_S if data else 10)[0]:
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            last = time.monotonic()
            data += piece
        return data, last

    def press(self, key):
        """Milliseconds until the frame was out, and its size."""
        begun = time.monotonic()
        os.write(self.terminal, key)
        data, last = self.frame()
        return (last - begun) * 1000, len(data)

    def memory_mb(self, field="VmHWM"):
        with open(f"/proc/{self.process}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def end(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


def show(what, values, unit, limit):
    least, median = min(values), statistics.median(values)
    print(f"{what:<14} {least:8.1f} {unit} least, {median:8.1f} median of {len(values)}"
          f"   (promised: {limit})")


def measure(home, messages, runs):
    environment = {"HOME": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                   "TERM": "xterm-256color"}
    words = [PROGRAM, "--config", os.path.join(home, "config"), "--data", filled(messages),
             "--offline"]
    first, memory, keys = [], [], {name: [] for name, _ in KEYS}
    for _ in range(runs):
        screen = Screen(words, environment)
        try:
            data, last = screen.frame()
            if f"1/{messages}".encode() not in data:
                sys.exit(f"offline.py: no first screen came:\n{data.decode(errors='replace')}")
            first.append((last - screen.started) * 1000)
            memory.append(screen.memory_mb())
            for name, key in KEYS * 2:
                milliseconds, size = screen.press(key)
                if not size:
                    sys.exit(f"offline.py: {name} drew nothing")
                keys[name].append(milliseconds)
            memory_after = screen.memory_mb()
        finally:
            screen.end()
    print(f"postern --offline, {messages:,} messages, {COLUMNS}x{ROWS}; load "
          f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    show("first screen", first, "ms", "50 ms")
    show("  its memory", memory, "MB", "40 MB")
    for name, _ in KEYS:
        show(name, keys[name], "ms", "16 ms")
    print(f"memory after all keys: {memory_after:.1f} MB")


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    home = tempfile.mkdtemp(prefix="postern-bench-")
    try:
        with open(os.path.join(home, "config"), "w") as config:
            config.write("[account test]\naddress = ada@example.org\n"
                         "imap = imaps://ada@localhost:9\npassword = none\n")
        os.chmod(os.path.join(home, "config"), 0o600)
        measure(home, messages, runs)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
