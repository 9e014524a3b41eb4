"""The lines of the model test: other people's IMAP clients, and the line that is cut.

    client = Client(port, user)             # logged in
    client.select("INBOX"); client.rows()   # [(uid, flags, subject)]
    status, lines = client.command("UID MOVE 7 Trash")

    with Line(server.imap) as line:         # a proxy on loopback, in a thread of its own; STRIP: what it
                                            # makes of a line that the server says
        line.port
        line.cut(); line.refuse(); line.accept()
        line.arm("up", 1234)                # reset after so many bytes more towards the server
        line.watch(function)                # see Watch
        line.transcript()                   # what was said, to be read
        line.asked()                        # the lines that went up since this was asked last
"""

import base64
import re
import selectors
import socket
import struct
import threading
import time

from dovecot import PASSWORD, utf7

SUBJECT = re.compile(rb"^Subject: *(\S+)", re.I | re.M)


class Refused(Exception):
    """NO or BAD, to another client."""


class Client:
    def __init__(self, port, user):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")
        self.reader.readline()
        self.number = 0
        self.selected = None
        self.said = []
        self.ok(b'LOGIN %s "%s"' % (user.encode(), PASSWORD.encode()))

    def close(self):
        self.reader.close()
        self.socket.close()

    def command(self, *pieces):
        """(b"OK", [untagged response with its literals]); the last one is the tagged line."""
        self.number += 1
        tag = b"x%d" % self.number
        pieces = [piece if isinstance(piece, bytes) else piece.encode() for piece in pieces]
        self.socket.sendall(b" ".join((tag, b"".join(pieces))) + b"\r\n")
        lines = []
        while True:
            response = b""
            while True:
                line = self.reader.readline()
                if not line:
                    raise RuntimeError("the server closed another client's line")
                response += line
                literal = re.search(rb"\{(\d+)\}\r\n$", line)
                if not literal:
                    break
                response += self.reader.read(int(literal[1]))
            lines.append(response)
            if response.startswith(tag + b" "):
                self.said.append((b"".join(pieces)[:200], response.strip()))
                return response.split()[1], lines

    def ok(self, *pieces):
        status, lines = self.command(*pieces)
        if status != b"OK":
            raise Refused(f"{pieces!r}: {lines[-1]!r}")
        return lines

    def select(self, folder, examine=False):
        self.ok(b"EXAMINE " if examine else b"SELECT ", quoted(folder))
        self.selected = folder

    def rows(self):
        """Of the selected mailbox: (uid, set of flags, subject)."""
        rows = []
        for response in self.ok("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            uid = re.search(rb"UID (\d+)", response)
            flags = re.search(rb"FLAGS \(([^)]*)\)", response)
            subject = SUBJECT.search(response)
            if response.startswith(b"* ") and uid and flags and subject:
                rows.append((int(uid[1]), flag_set(flags[1].decode().split()),
                             subject[1].decode()))
        return rows

    def body(self, uid):
        for response in self.ok(f"UID FETCH {uid} BODY.PEEK[]"):
            found = re.search(rb"BODY\[\] \{(\d+)\}\r\n", response)
            if found:
                return response[found.end():found.end() + int(found[1])]
        return None

    def append(self, folder, raw, flags=()):
        self.ok(b"APPEND ", quoted(folder), b" (%s) {%d+}\r\n" % (
            " ".join(flags).encode(), len(raw)), raw)

    def folders(self):
        """{name: subscribed}, of those that can be selected."""
        found = {}
        for response in self.ok('LIST (SUBSCRIBED) "" "*" RETURN (SUBSCRIBED)') + \
                self.ok('LIST "" "*" RETURN (SUBSCRIBED)'):
            match = re.match(rb'\* LIST \(([^)]*)\) "." (.*)\r\n', response)
            if not match:
                continue
            flags, name = match[1].lower().split(), match[2]
            if name.startswith(b"{"):
                raise RuntimeError(f"a folder's name is a literal: {response!r}")
            name = re.sub(rb"\\(.)", rb"\1", name[1:-1]) if name.startswith(b'"') else name
            if b"\\noselect" not in flags and b"\\nonexistent" not in flags:
                found[from_utf7(name)] = b"\\subscribed" in flags
        return found


def flag_set(names):
    """Without what belongs to a session."""
    return frozenset(name if not name.startswith("\\") else name.lower() for name in names
                     if name.lower() != "\\recent")


def quoted(folder):
    return b'"' + utf7(folder).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def from_utf7(raw):
    def wide(match):
        text = match[1].replace(b",", b"/")
        return base64.b64decode(text + b"=" * (-len(text) % 4)).decode("utf-16-be").encode() \
            if text else b"&"
    return re.sub(rb"&([^-]*)-", wide, raw).decode()


class Splitter:
    """One way of a connection, cut into the lines and literals that it is made of."""

    def __init__(self, is_server):
        self.is_server = is_server
        self.line = b""
        self.literal = 0
        self.fresh = True           # a line begins a response, or goes on behind a literal

    def take(self, data):
        """[(bytes, the whole line that they end or None, is it the first of its response)]"""
        pieces = []
        while data:
            if self.literal:
                piece, data = data[:self.literal], data[self.literal:]
                self.literal -= len(piece)
                pieces.append((piece, None, False))
                continue
            end = data.find(b"\n") + 1
            piece, data = (data[:end], data[end:]) if end else (data, b"")
            self.line += piece
            if not end:
                pieces.append((piece, None, False))
                continue
            literal = re.search(rb"\{(\d+)\+?\}\r\n$", self.line)
            self.literal = int(literal[1]) if literal else 0
            pieces.append((piece, self.line, self.fresh))
            self.fresh = not literal
            self.line = b""
        return pieces


class Watch:
    """Ends somebody at the Nth boundary of commands.  PHASE: "before" the command goes to the server,
    "between" the server's doing it and its answer getting through, "after" the answer."""

    def __init__(self, number, phase, strike):
        self.number, self.phase, self.strike = number, phase, strike
        self.count = 0
        self.tag = None
        self.struck = False

    def up(self, line):
        """True: this command is not to go."""
        words = line.split(b" ", 1)
        if len(words) < 2 or line.upper().startswith(b"DONE"):
            return False
        self.count += 1
        if self.count != self.number:
            return False
        self.tag = words[0]
        return self.phase == "before"

    def down(self, line):
        return self.tag is not None and line.startswith(self.tag + b" ")


class End:
    """One side of a connection."""

    def __init__(self, sock, connection, way):
        self.socket, self.connection, self.way = sock, connection, way
        self.splitter, self.whole = Splitter(way == "down"), Splitter(way == "down")


class Connection:
    def __init__(self, number):
        self.number = number
        self.ends = []


class Line:
    def __init__(self, target, strip=None):
        self.target, self.strip = target, strip
        self.asked_at, self.askers = 0, {}
        self.lock = threading.RLock()
        self.said = []              # (time, connection, way, bytes)
        self.armed = None           # (way, bytes left)
        self.watching = None
        self.connections = []
        self.number = 0
        self.bound = None

    def __enter__(self):
        self.selector = selectors.DefaultSelector()
        self.wake_in, self.wake_out = socket.socketpair()
        self.selector.register(self.wake_in, selectors.EVENT_READ, "wake")
        self.accept()
        self.port = self.listener.getsockname()[1]
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.wake_out.send(b"x")
        self.thread.join()
        self.refuse()
        self.selector.close()
        self.wake_in.close()
        self.wake_out.close()

    # ---- faults --------------------------------------------------------------------------------

    def cut(self):
        with self.lock:
            self.armed = None
            for connection in list(self.connections):
                self._end(connection, reset=True)

    def refuse(self):
        with self.lock:
            if self.bound:
                self.selector.unregister(self.listener)
                self.listener.close()
                self.bound = None
            self.cut()

    def accept(self):
        with self.lock:
            if self.bound:
                return
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", getattr(self, "port", 0)))
            self.listener.listen(16)
            self.selector.register(self.listener, selectors.EVENT_READ, "listen")
            self.bound = True

    def arm(self, way, count):
        with self.lock:
            self.armed = (way, count)

    def watch(self, watch):
        with self.lock:
            self.watching = watch

    def transcript(self):
        lines = []
        for when, number, way, data in self.said:
            mark = {"up": "C:", "down": "S:"}.get(way, "--")
            for line in data.decode("utf-8", "backslashreplace").splitlines():
                lines.append(f"{when:.3f} {number} {mark} {line}")
        return "\n".join(lines)

    def asked(self):
        """[(is it the first of its command, bytes)], without literals."""
        found = []
        until = len(self.said)
        for _, number, way, data in self.said[self.asked_at:until]:
            if way == "up":
                splitter = self.askers.setdefault(number, Splitter(False))
                found += [(first, line) for _, line, first in splitter.take(data) if line]
        self.asked_at = until
        return found

    # ---- the thread ------------------------------------------------------------------------------

    def _run(self):
        while self.running:
            for key, _ in self.selector.select(1):
                with self.lock:
                    if key.data == "wake":
                        self.wake_in.recv(100)
                    elif key.data == "listen":
                        self._accept()
                    elif key.data.connection in self.connections:
                        self._pass(key.data)

    def _accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 10)
        except OSError:
            client.close()
            return
        self.number += 1
        connection = Connection(self.number)
        connection.ends = [End(client, connection, "up"), End(server, connection, "down")]
        self.connections.append(connection)
        for end in connection.ends:
            end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(end.socket, selectors.EVENT_READ, end)

    def _note(self, connection, way, data):
        self.said.append((time.monotonic(), connection.number, way, data))

    def _end(self, connection, reset=False):
        if connection not in self.connections:
            return
        self.connections.remove(connection)
        self._note(connection, "event", b"the line is cut" if reset else b"the line ends")
        for end in connection.ends:
            self.selector.unregister(end.socket)
            if reset and end.way == "up":
                end.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
            end.socket.close()

    def _pass(self, end):
        connection = end.connection
        other = connection.ends[1] if end.way == "up" else connection.ends[0]
        try:
            data = end.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._end(connection)
            return
        if self.strip and end.way == "down":
            data = self._stripped(end, data)
        cut = False
        if self.armed and self.armed[0] == end.way:
            left = self.armed[1] - len(data)
            self.armed = (end.way, left)
            if left <= 0:
                data, cut, self.armed = data[:self.armed[1] + len(data)], True, None
        if self.watching:
            data, struck = self._watched(end, data)
        else:
            struck = False
            end.splitter.take(data)
        self._note(connection, end.way, data)
        try:
            other.socket.settimeout(10)
            other.socket.sendall(data)
        except OSError:
            self._end(connection)
            return
        if struck:
            self.watching.struck = True
            self.watching.strike()
        if cut or struck:
            if cut and end.way == "down":
                time.sleep(0.002)       # or the reset overtakes the bytes
            for every in list(self.connections) if struck else [connection]:
                self._end(every, reset=True)

    def _stripped(self, end, data):
        """The line that is not whole yet is held back."""
        pieces = end.whole.take(data)
        if end.whole.line:
            pieces.pop()
        return b"".join(self.strip(line) if line and first else line or piece
                        for piece, line, first in pieces)

    def _watched(self, end, data):
        watch, passed = self.watching, b""
        for piece, line, first in end.splitter.take(data):
            if watch.struck:
                break
            if end.way == "up":
                if line and first and watch.up(line):
                    return passed[:len(passed)], True
                passed += piece
                continue
            if line and first and watch.down(line):
                if watch.phase == "between":
                    return passed, True
                return passed + piece, True
            passed += piece
        return passed, False
