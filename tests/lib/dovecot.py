"""A private Dovecot on loopback, thrown away afterwards.

    with Dovecot(mail=mailgen.sample()) as server:
        server.imaps, server.imap           # ports; imap offers STARTTLS
        server.user, server.password, server.ca
        server.url                          # imaps://ada@localhost:PORT
        client = server.client()            # an imaplib client, logged in: "somebody else's"
        server.freeze(), server.thaw()      # SIGSTOP, SIGCONT
        server.cut()                        # every open connection ends

It needs no privilege: whoever starts it is the user it runs as, except that root gives way to
`nobody`.  A big mailbox is made once and kept in $POSTERN_TEST_CACHE (see big()).
"""

import contextlib
import ctypes
import fcntl
import grp
import imaplib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import mailgen
from certs import Certs

# Daemons are not in an ordinary user's PATH.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

USER, PASSWORD = "ada", "s3cret horse"

CONFIG = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_vsz_limit = 0
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {user}
mail_gid = {group}
mail_home = {dir}/home/%n
mail_location = {location}
mail_max_userip_connections = 100
mailbox_list_index = yes
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = {no_plaintext}
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_cache_size = 0
imap_capability = {capability}
imap_metadata = yes
mail_attribute_dict = file:%h/dovecot-attributes
mail_plugins = {plugins}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {dir}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/home/%n
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
protocol imap {{
  mail_plugins = {plugins} {imap_plugins}
}}
{extra}
"""


class Dovecot:
    """MAIL: an iterable of mailgen.Message.  COUNT: so many of mailgen.bulk() in the inbox instead,
    from the cache.  MECHANISMS: auth_mechanisms.  COMPRESS: offer COMPRESS=DEFLATE.  CAPABILITY: the
    whole imap_capability line (a mask).  PLAINTEXT: allow a login without TLS.  CERT: see certs.py.
    EXTRA: more configuration."""

    def __init__(self, mail=(), count=0, mechanisms="plain login scram-sha-1 scram-sha-256",
                 compress=False, capability="", plaintext=True, cert="good",
                 separator="/", location="mdbox:~/mail", extra="", certs=None):
        self.user, self.password = USER, PASSWORD
        self.mail, self.count, self.options = mail, count, dict(
            mechanisms=mechanisms, capability=capability, separator=separator, location=location,
            no_plaintext="no" if plaintext else "yes", extra=extra,
            plugins="zlib" if compress else "", imap_plugins="imap_zlib" if compress else "")
        self.cert_kind, self.certs, self.separator = cert, certs, separator
        self.master = None
        self.dir = None

    # ---- life --------------------------------------------------------------------------------

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        if not shutil.which("dovecot"):
            raise unittest.SkipTest("needs Dovecot (tools/packages try)")
        self.uid, self.gid = os.getuid(), os.getgid()
        if self.uid == 0:
            nobody = pwd.getpwnam("nobody")
            self.uid, self.gid = nobody.pw_uid, nobody.pw_gid
        self.dir = self._directory()
        self.certs = self.certs or Certs(os.path.join(self.dir, "certs"))
        self.ca = self.certs.ca
        for name in ("run", "state", "home", f"home/{USER}"):
            os.makedirs(os.path.join(self.dir, name))
        with open(os.path.join(self.dir, "users"), "w") as users:
            users.write(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        if self.count:
            shutil.copytree(big(self.count), os.path.join(self.dir, "home", USER, "mail"))
        self._own()
        self._launch()
        if self.mail:
            self.deliver(self.mail)
        return self

    def stop(self):
        if self.master:
            self.thaw()
            for process in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
            try:
                self.master.wait(5)
            except subprocess.TimeoutExpired:
                for process in self._processes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                self.master.wait()
            self.master = None
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = None

    def restart(self):
        """Stops and starts again on the same mail and the same ports."""
        self.master.terminate()
        self.master.wait(10)
        self._launch(self.imap, self.imaps)

    # ---- what is in it -------------------------------------------------------------------------

    @property
    def url(self):
        return f"imaps://{self.user}@localhost:{self.imaps}"

    @property
    def starttls_url(self):
        return f"imap://{self.user}@localhost:{self.imap}"

    @property
    def insecure_url(self):
        return f"imap+insecure://{self.user}@127.0.0.1:{self.imap}"

    def client(self):
        """An imaplib client of its own, logged in: what another program does to the mail."""
        client = self._connect()
        client.login(USER, PASSWORD)
        return client

    def folder(self, path):
        """What the folder PATH ("Projekte/Berlin") is called here."""
        return path.replace("/", self.separator)

    def deliver(self, messages):
        """Appends MESSAGES, in order, making their folders; many in one command."""
        with Appender(self.imap) as appender:
            appender.append(messages, self.separator)

    def log(self):
        with open(os.path.join(self.dir, "log"), errors="replace") as log:
            return log.read()

    def doveadm(self, *arguments):
        return subprocess.run(["doveadm", "-c", self._path("dovecot.conf"), *arguments],
                              check=True, stdout=subprocess.PIPE, **self._as_user()).stdout

    # ---- faults --------------------------------------------------------------------------------

    def freeze(self):
        """Nothing answers any more, and nothing is closed."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)

    def thaw(self):
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def cut(self):
        """Ends every session that is open now."""
        for process in self._processes():
            if process != self.master.pid and self._name(process) in ("imap", "imap-login"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    # ---- inside --------------------------------------------------------------------------------

    def _connect(self):
        """A process that was just cut may have taken the connection with it."""
        end = time.monotonic() + 20
        while True:
            try:
                return imaplib.IMAP4("127.0.0.1", self.imap)
            except (imaplib.IMAP4.abort, ConnectionError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _launch(self, imap=None, imaps=None):
        for attempt in range(10):
            self.imap, self.imaps = imap or free_port(), imaps or free_port()
            values = dict(self.options, dir=self.dir, imap=self.imap, imaps=self.imaps,
                          user=pwd.getpwuid(self.uid).pw_name,
                          group=grp.getgrgid(self.gid).gr_name,
                          cert=self.certs.cert(self.cert_kind), key=self.certs.key)
            with open(self._path("dovecot.conf"), "w") as config:
                config.write(CONFIG.format(**values))
            with open(self._path("stderr"), "ab") as errors:
                self.master = subprocess.Popen(
                    ["dovecot", "-F", "-c", self._path("dovecot.conf")], stdin=subprocess.DEVNULL,
                    stdout=errors, stderr=errors, start_new_session=True,
                    preexec_fn=end_with_parent, **self._as_user())
            if self._wait():
                return
            self.master.wait()
            if imap is None and "Address already in use" in self._trouble():
                continue
            break
        raise RuntimeError("Dovecot did not start:\n" + self._trouble())

    def _wait(self):
        for _ in range(400):
            if self.master.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.imap), 5) as line:
                    if line.recv(100).startswith(b"* OK"):
                        return True
            except OSError:
                pass
            time.sleep(0.025)
        self.master.kill()
        return False

    def _trouble(self):
        text = ""
        for name in ("stderr", "log"):
            with contextlib.suppress(OSError), open(self._path(name), errors="replace") as file:
                text += file.read()
        return text[-3000:]

    def _processes(self):
        """Dovecot's processes: the session that its master leads."""
        if not self.master:
            return []
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    with open(f"/proc/{name}/stat") as stat:
                        fields = stat.read().rsplit(")", 1)[1].split()
                    if int(fields[3]) == self.master.pid and fields[0] != "Z":
                        found.append(int(name))
        return found

    @staticmethod
    def _name(process):
        with contextlib.suppress(OSError), open(f"/proc/{process}/comm") as comm:
            return comm.read().strip()
        return ""

    def _directory(self):
        """A private directory whose path leaves room for the names of sockets, and which the user
        that Dovecot runs as can reach."""
        for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
            path = os.path.realpath(place)
            if len(path) < 60 and self._reachable(path):
                directory = tempfile.mkdtemp(prefix="postern-", dir=path)
                os.chmod(directory, 0o755)
                return directory
        raise RuntimeError("no directory for a throw-away Dovecot")

    def _reachable(self, path):
        if not os.access(path, os.W_OK | os.X_OK):
            return False
        if os.getuid() != 0:
            return True
        while True:
            if not os.stat(path).st_mode & 0o001:
                return False
            if path == "/":
                return True
            path = os.path.dirname(path)

    def _own(self):
        if os.getuid() != 0:
            return
        for top, _, files in os.walk(self.dir):
            os.chown(top, self.uid, self.gid)
            for name in files:
                os.chown(os.path.join(top, name), self.uid, self.gid)

    def _as_user(self):
        if os.getuid() != 0:
            return {}
        return dict(user=self.uid, group=self.gid, extra_groups=[])

    def _path(self, name):
        return os.path.join(self.dir, name)


def end_with_parent():
    """In a child: SIGTERM when its parent is gone, however that ended."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    """A port nobody listens on, below the range that outgoing connections are given."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Appender:
    """A plain connection that appends many messages in one command (MULTIAPPEND, LITERAL+)."""

    BATCH_BYTES = 8 << 20

    def __init__(self, port):
        self.line = socket.create_connection(("127.0.0.1", port))
        self.reader = self.line.makefile("rb")
        self.reader.readline()
        self.number = 0
        self.command(f'LOGIN {USER} "{PASSWORD}"'.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()
        self.reader.close()

    def command(self, *pieces, allow_no=False):
        self.number += 1
        tag = b"a%d" % self.number
        self.line.sendall(b"".join((tag, b" ", *pieces, b"\r\n")))
        lines = []
        while True:
            line = self.reader.readline()
            if not line:
                raise RuntimeError("Dovecot closed the connection")
            lines.append(line)
            if line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK") and not allow_no:
                    raise RuntimeError(line.decode(errors="replace"))
                return lines

    def append(self, messages, separator="/"):
        folder, pieces, size, made = None, [], 0, set()

        def flush():
            if pieces:
                self.command(b"APPEND ", quoted(folder), *pieces)

        for message in messages:
            if message.folder != folder or size > self.BATCH_BYTES:
                flush()
                folder, pieces, size = message.folder, [], 0
                if folder not in made and folder != "INBOX":
                    self.command(b"CREATE ", quoted(folder), allow_no=True)
                    self.command(b"SUBSCRIBE ", quoted(folder), allow_no=True)
                    made.add(folder)
            pieces.append(b' (%s) "%s" {%d+}\r\n' % (
                " ".join(message.flags).encode(), mailgen.imap_date(message.date).encode(),
                len(message.raw)))
            pieces.append(message.raw)
            size += len(message.raw)
        flush()


def quoted(folder):
    return b'"' + utf7(folder).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def utf7(name):
    """A mailbox name in modified UTF-7 (RFC 3501, 5.1.3)."""
    import base64
    out, wide = b"", ""

    def flush():
        nonlocal out, wide
        if wide:
            out += b"&" + base64.b64encode(wide.encode("utf-16-be")).rstrip(b"=").replace(
                b"/", b",") + b"-"
            wide = ""

    for character in name:
        if " " <= character <= "~":
            flush()
            out += b"&-" if character == "&" else character.encode()
        else:
            wide += character
    flush()
    return out


def cache():
    """The directory for what is dear to make: $POSTERN_TEST_CACHE, or one of our own."""
    place = os.environ.get("POSTERN_TEST_CACHE") or os.path.join(
        tempfile.gettempdir(), f"postern-cache-{os.getuid()}")
    os.makedirs(place, mode=0o700, exist_ok=True)
    if os.stat(place).st_uid != os.getuid():
        raise RuntimeError(f"{place} belongs to somebody else")
    return place


def big(count):
    """The directory of a mailbox of COUNT messages, made at the first call and kept in
    $POSTERN_TEST_CACHE, or for a while in the temporary directory.  Its caches are warm, as those of
    a mailbox that some client has read before."""
    place = cache()
    with open(os.path.join(place, f"lock-{count}"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = os.path.join(place, f"mailbox-1-{count}")    # 1: raise it when bulk() changes
        if os.path.isdir(path):
            return path
        with Dovecot() as server:
            server.deliver(mailgen.bulk(count))
            with Appender(server.imap) as reader:
                reader.command(b"SELECT INBOX")
                step = 10000
                for first in range(1, count + 1, step):
                    reader.command(b"FETCH %d:%d (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE "
                                   b"BODYSTRUCTURE)" % (first, min(count, first + step - 1)))
                reader.command(b"LOGOUT")
            shutil.copytree(os.path.join(server.dir, "home", USER, "mail"), path + ".new")
        os.rename(path + ".new", path)
        return path


if __name__ == "__main__":      # python3 dovecot.py [COUNT]: a server to try things on
    import sys
    arguments = dict(count=int(sys.argv[1])) if len(sys.argv) > 1 else dict(mail=mailgen.sample())
    with Dovecot(**arguments) as demo:
        print(f"{demo.url}  {demo.starttls_url}  {demo.insecure_url}\n"
              f"password {PASSWORD!r}  ca-file {demo.ca}\nEnd with Control-C.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            demo.master.wait()
