"""What the screen costs on a big mailbox, with --offline: from exec to the first screen, from a key to
the last byte of its frame, and memory.  Best and median of several runs: the machine has other
things to do.

    screen.py [MESSAGES]
"""

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

from postern import PROGRAM, TOP

STORE_FILL = os.environ.get("STORE_FILL") or os.path.join(TOP, "build", "tests", "store-fill")
KEYS = [("page down", b"\x1b[6~"), ("page down", b"\x1b[6~"), ("end", b"*"), ("page up", b"\x1b[5~"),
        ("home", b"="), ("next unread", b"\t"), ("open", b"\r"), ("back", b"q")]
RUNS = 7


def answer(terminal, quiet=0.1):
    """When the first and the last byte came, of what comes until it has been quiet for a while."""
    first = last = None
    while select.select([terminal], [], [], quiet if last else 10)[0]:
        if not os.read(terminal, 1 << 16):
            break
        last = time.monotonic()
        first = first or last
    return first, last


def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))


def run(command, times):
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    read_end, write_end = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.read(read_end, 1)            # the window has its size by then
        os.execve(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    begun = time.monotonic()
    os.write(write_end, b"x")
    os.close(read_end)
    os.close(write_end)
    first, _ = answer(terminal)
    times.setdefault("first screen", []).append(first - begun)
    for name, key in KEYS:
        begun = time.monotonic()
        os.write(terminal, key)
        times.setdefault(name, []).append(answer(terminal)[1] - begun)
    memory = status(pid, "VmHWM")
    os.write(terminal, b"q")
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:
        pass                            # it has left
    os.waitpid(pid, 0)
    return memory


def main():
    messages = sys.argv[1] if len(sys.argv) > 1 else "1000000"
    times, memory = {}, 0
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as directory:
        config, data = os.path.join(directory, "config"), os.path.join(directory, "data")
        with open(config, "w") as file:
            file.write("[account test]\nimap = imaps://ada@localhost:9\npassword = none\n")
        os.chmod(config, 0o600)
        subprocess.run([STORE_FILL, "--data", data, "--account", "test", "--messages", messages],
                       check=True, stdout=subprocess.DEVNULL)
        for _ in range(RUNS):
            memory = max(memory, run([PROGRAM, "--config", config, "--data", data, "--offline"],
                                     times))
    print(f"{messages} messages, 120x40; best and median of {RUNS}")
    for name, seconds in times.items():
        print(f"{name:14} {min(seconds) * 1000:7.1f} ms {statistics.median(seconds) * 1000:7.1f} ms")
    print(f"{'memory':14} {memory / 1024:7.1f} MiB at most")


if __name__ == "__main__":
    main()
