r"""An IMAP server that does as it is told, over TLS with a test CA.

A scenario is a class of a few lines: it changes what an honest little server (Session) does.

    class HugeLiteral(Session):
        def on_fetch(self, tag, args):
            self.send("* 1 FETCH (UID 1 BODY[1] {4294967296}\r\n")
            self.hang()

    with Scripted(HugeLiteral) as server:
        server.url, server.ca
        server.sessions         # each with .said (client's lines), .logins, .error

Scripted(scenario, tls="implicit" | "starttls" | "none", cert="good").  With starttls the session
begins in the clear: self.secure tells, and on_starttls() is a scenario's to change.  Mail is a
list of raw messages; the honest answers are parsed from them.
"""

import base64
import contextlib
import email
import email.policy
import email.utils
import re
import socket
import ssl
import tempfile
import threading
import time

from certs import Certs
from dovecot import PASSWORD, USER, free_port

CAPABILITY = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE NAMESPACE UIDPLUS LIST-EXTENDED LIST-STATUS " \
             "SPECIAL-USE UNSELECT IDLE ESEARCH MOVE"
MESSAGE = (b"From: Bob <bob@example.com>\r\nTo: ada@example.org\r\nSubject: Hello\r\n"
           b"Date: Wed, 20 Nov 2024 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
           b"Content-Type: text/plain; charset=utf-8\r\n\r\nGood morning.\r\n")


class Closed(Exception):
    """The client is gone, or the scenario says that this is the end."""


class Session:
    """One connection to an honest little server.  Override greet(), on_NAME(tag, args) for the
    command NAME, on_any(tag, name, args) for all, and the class's own values."""

    capability = CAPABILITY
    auth = "AUTH=PLAIN"
    messages = [MESSAGE]
    folders = [("INBOX", ""), ("Sent", "\\Sent"), ("Trash", "\\Trash")]
    delimiter = "/"
    uidvalidity = 1700000000

    def __init__(self, server, line):
        self.server, self.line = server, line
        self.buffer = b""
        self.secure = False
        self.authenticated = False
        self.selected = False
        self.said = []          # whole commands, as bytes, literals included
        self.said_in_clear = []
        self.logins = 0
        self.error = None
        self.hung = False

    # ---- for scenarios -----------------------------------------------------------------------

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        try:
            self.line.sendall(data)
        except OSError as error:
            raise Closed from error

    def reply(self, text):
        self.send(text + "\r\n")

    def ok(self, tag, text="done"):
        self.reply(f"{tag} OK {text}")

    def no(self, tag, text="no"):
        self.reply(f"{tag} NO {text}")

    def close(self):
        raise Closed

    def hang(self):
        """Says no more, and waits until the client gives up."""
        self.hung = True
        while self._read():
            pass
        raise Closed

    def start_tls(self):
        """What the client says from here on is TLS."""
        self.line = self.server.context.wrap_socket(self.line, server_side=True)
        self.secure = True

    def mutf7(self, name):
        from dovecot import utf7
        return utf7(name).decode()

    # ---- honest answers --------------------------------------------------------------------------

    def greet(self):
        self.reply(f"* OK [CAPABILITY {self.capabilities()}] ready")

    def capabilities(self):
        words = [self.capability]
        if not self.secure and self.server.tls == "starttls":
            words.append("STARTTLS LOGINDISABLED")
        elif not self.authenticated:
            words.append(self.auth)
        return " ".join(words)

    def on_capability(self, tag, args):
        self.reply(f"* CAPABILITY {self.capabilities()}")
        self.ok(tag)

    def on_starttls(self, tag, args):
        self.ok(tag, "begin")
        self.start_tls()

    def on_noop(self, tag, args):
        self.ok(tag)

    on_check = on_enable = on_subscribe = on_noop

    def on_id(self, tag, args):
        self.reply('* ID ("name" "scripted")')
        self.ok(tag)

    def on_namespace(self, tag, args):
        self.reply(f'* NAMESPACE (("" "{self.delimiter}")) NIL NIL')
        self.ok(tag)

    def on_login(self, tag, args):
        words = self.words(args)
        self.finish_login(tag, words[:1] == [USER] and words[1:2] == [PASSWORD])

    def on_authenticate(self, tag, args):
        mechanism, _, initial = args.partition(" ")
        if mechanism.upper() != "PLAIN":
            self.no(tag, "no such mechanism")
            return
        if not initial:
            self.send("+ \r\n")
            initial = self.read_line().decode("latin-1")
        self.said.append(b"<" + initial.encode() + b">")
        try:
            fields = base64.b64decode(initial).decode().split("\0")
        except ValueError:
            fields = []
        self.finish_login(tag, fields[1:] == [USER, PASSWORD])

    def finish_login(self, tag, right):
        self.logins += 1
        if not right:
            self.no(tag, "[AUTHENTICATIONFAILED] wrong user or password")
            return
        self.authenticated = True
        self.ok(tag, f"[CAPABILITY {self.capabilities()}] welcome")

    def on_logout(self, tag, args):
        self.reply("* BYE until next time")
        self.ok(tag)
        raise Closed

    def on_list(self, tag, args):
        for name, use in self.folders:
            self.reply(f'* LIST ({use}) "{self.delimiter}" "{self.mutf7(name)}"')
            if "STATUS" in args.upper():
                self.reply(f'* STATUS "{self.mutf7(name)}" ({self.status(name)})')
        self.ok(tag)

    on_lsub = on_list

    def status(self, name):
        count = len(self.messages) if name == "INBOX" else 0
        return (f"MESSAGES {count} RECENT 0 UIDNEXT {count + 1} UIDVALIDITY {self.uidvalidity} "
                f"UNSEEN {count}")

    def on_status(self, tag, args):
        name = self.words(args)[0]
        self.reply(f'* STATUS "{name}" ({self.status(name)})')
        self.ok(tag)

    def on_select(self, tag, args):
        self.selected = True
        empty = self.words(args)[0] != "INBOX"
        self.box = [] if empty else self.messages
        self.reply("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self.reply("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] ok")
        self.reply(f"* {len(self.box)} EXISTS")
        self.reply("* 0 RECENT")
        self.reply(f"* OK [UIDVALIDITY {self.uidvalidity}] ok")
        self.reply(f"* OK [UIDNEXT {len(self.box) + 1}] ok")
        self.ok(tag, "[READ-WRITE] selected")

    on_examine = on_select

    def on_close(self, tag, args):
        self.selected = False
        self.ok(tag)

    on_unselect = on_close

    def on_idle(self, tag, args):
        self.send("+ idling\r\n")
        if self.read_line().upper() == b"DONE":
            self.ok(tag)

    def on_search(self, tag, args):
        self.reply("* SEARCH " + " ".join(str(n + 1) for n in range(len(self.box))))
        self.ok(tag)

    def on_uid(self, tag, args):
        name, _, rest = args.partition(" ")
        getattr(self, "on_" + name.lower(), self.on_unknown)(tag, rest)

    def on_store(self, tag, args):
        self.ok(tag)

    def on_fetch(self, tag, args):
        numbers, _, items = args.partition(" ")
        for number in self.numbers(numbers):
            self.send_message(number, items)
        self.ok(tag)

    def on_unknown(self, tag, args):
        self.reply(f"{tag} BAD not known here")

    def on_any(self, tag, name, args):
        """True when the scenario has answered."""
        return False

    def send_message(self, number, items):
        raw = self.messages[number - 1]
        answer = [b"UID %d" % number]
        upper = items.upper()
        if "FLAGS" in upper:
            answer.append(b"FLAGS ()")
        if "INTERNALDATE" in upper:
            answer.append(b'INTERNALDATE "20-Nov-2024 10:00:0%d +0000"' % (number % 10))
        if "RFC822.SIZE" in upper:
            answer.append(b"RFC822.SIZE %d" % len(raw))
        if "ENVELOPE" in upper:
            answer.append(b"ENVELOPE " + self.envelope(number, raw))
        if "BODYSTRUCTURE" in upper:
            answer.append(b"BODYSTRUCTURE " + self.bodystructure(number, raw))
        for match in re.finditer(r"BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?", items, re.I):
            data = self.section(number, raw, match[1].upper())
            name = b"BODY[%s]" % match[1].encode()
            if match[2]:
                data = data[int(match[2]):int(match[2]) + int(match[3])]
                name += b"<%s>" % match[2].encode()
            answer.append(name + b" {%d}\r\n" % len(data) + data)
        self.send(b"* %d FETCH (" % number + b" ".join(answer) + b")\r\n")

    def section(self, number, raw, name):
        head, _, body = raw.partition(b"\r\n\r\n")
        if name == "":
            return raw
        if name.startswith("HEADER"):
            wanted = re.search(r"\(([^)]*)\)", name)
            if not wanted:
                return head + b"\r\n\r\n"
            fields = [b.strip('"').lower() for b in wanted[1].split()]
            lines = [line for line in re.split(rb"\r\n(?![ \t])", head)
                     if line.split(b":")[0].decode("latin-1").lower() in fields]
            return b"".join(line + b"\r\n" for line in lines) + b"\r\n"
        return body

    def envelope(self, number, raw):
        mail = email.message_from_bytes(raw, policy=email.policy.compat32)

        def text(name):
            value = mail[name]
            return b"NIL" if value is None else b'"%s"' % str(value).replace('"', '\\"').encode()

        def person(name, mailbox):
            local, _, host = mailbox.partition("@")
            shown = f'"{name}"' if name else "NIL"
            return f'({shown} NIL "{local}" "{host}")'.encode()

        def people(name):
            pairs = email.utils.getaddresses(mail.get_all(name, []))
            return b"(" + b"".join(person(*p) for p in pairs) + b")" if pairs else b"NIL"

        sender = people("From")
        return b"(" + b" ".join((text("Date"), text("Subject"), sender, sender, sender,
                                 people("To"), people("Cc"), b"NIL", text("In-Reply-To"),
                                 text("Message-ID"))) + b")"

    def bodystructure(self, number, raw):
        body = raw.partition(b"\r\n\r\n")[2]
        return b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" %d %d NIL NIL NIL NIL)' % (
            len(body), body.count(b"\n"))

    # ---- reading --------------------------------------------------------------------------------

    def run(self):
        try:
            if self.server.tls == "implicit":
                self.start_tls()
            self.greet()
            while True:
                self.serve_one()
        except (Closed, OSError, ssl.SSLError) as error:
            self.error = error
        finally:
            with contextlib.suppress(OSError):
                self.line.close()

    def serve_one(self):
        command = self.read_command()
        tag, _, rest = command.decode("latin-1").partition(" ")
        name, _, args = rest.partition(" ")
        if self.on_any(tag, name.upper(), args):
            return
        getattr(self, "on_" + name.lower(), self.on_unknown)(tag, args)

    def read_command(self):
        """One command with its literals, each asked for if it waits."""
        command = b""
        while True:
            command += self.read_line()
            match = re.search(rb"\{(\d+)(\+?)\}$", command)
            if not match:
                break
            if not match[2]:
                self.send("+ go on\r\n")
            command += b"\r\n" + self.read_bytes(int(match[1]))
        self.said.append(command)
        if not self.secure:
            self.said_in_clear.append(command)
        return command

    def read_line(self):
        while b"\r\n" not in self.buffer:
            if len(self.buffer) > 1 << 20 or not self._read():
                raise Closed
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def read_bytes(self, count):
        while len(self.buffer) < count:
            if not self._read():
                raise Closed
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _read(self):
        try:
            data = self.line.recv(65536)
        except OSError:
            return False
        self.buffer += data
        return bool(data)

    @staticmethod
    def words(args):
        """The strings at the front of ARGS: atoms, quoted strings, literals."""
        out = []
        for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|\{(\d+)\+?\}\r\n|([^\s()"]+)', args):
            if match[2]:
                out.append(args[match.end():match.end() + int(match[2])])
            elif match[3]:
                out.append(match[3])
            else:
                out.append(re.sub(r"\\(.)", r"\1", match[1]))
        return out

    def numbers(self, text):
        last = len(self.box)
        for piece in text.split(","):
            ends = [last if end == "*" else int(end) for end in piece.split(":")]
            for number in range(min(ends), max(ends) + 1):
                if 1 <= number <= last:
                    yield number


class Scripted:
    """Listens on loopback and runs SCENARIO, a Session class, for each connection."""

    def __init__(self, scenario=Session, tls="implicit", cert="good", certs=None, context=None):
        self.scenario, self.tls, self.cert_kind = scenario, tls, cert
        self.certs, self.context = certs, context
        self.sessions = []
        self.lock = threading.Lock()

    def __enter__(self):
        self.temporary = None
        if not self.certs:
            self.temporary = tempfile.TemporaryDirectory(prefix="postern-certs-")
            self.certs = Certs(self.temporary.name)
        self.ca = self.certs.ca
        self.context = self.context or self.certs.server_context(self.cert_kind)
        self.listener = socket.create_server(("127.0.0.1", free_port()), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for session in list(self.sessions):
            with contextlib.suppress(OSError):
                session.line.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        if self.temporary:
            self.temporary.cleanup()

    @property
    def url(self):
        scheme = {"implicit": "imaps", "starttls": "imap", "none": "imap+insecure"}[self.tls]
        return f"{scheme}://{USER}@localhost:{self.port}"

    @property
    def logins(self):
        return sum(s.logins for s in self.sessions)

    @property
    def said(self):
        return [line for s in self.sessions for line in s.said]

    @property
    def said_in_clear(self):
        return [line for s in self.sessions for line in s.said_in_clear]

    def wait(self, test, seconds=10):
        """Until TEST() is true; False when it never was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if test():
                return True
            time.sleep(0.02)
        return bool(test())

    def _accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self.scenario(self, line)
            with self.lock:
                self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()
