"""What the servers in a root of their own have in common (see chrooted.py): a user, three URLs, faults."""

import contextlib
import imaplib
import signal
import socket
import time

from certs import Certs
from chrooted import Chroot, unpacked
from dovecot import PASSWORD, USER, free_port


class PackagedServer:
    """MAIL: an iterable of mailgen.Message.  CERTS: a Certs to share.

    A kind of server has NAME, PACKAGES, PROGRAMS, SEPARATOR and SESSIONS (the programs that serve one
    connection each), and the methods that raise here."""

    def __init__(self, mail=(), certs=None):
        self.user, self.password = USER, PASSWORD
        self.mail, self.certs = mail, certs
        self.chroot = None
        self.masters = []

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.chroot = Chroot(unpacked(self.name.lower(), self.packages, self.programs))
        self.certs = self.certs or Certs(self.chroot.dir + "/certs")
        self.ca = self.certs.ca
        self._prepare()
        self._launch()
        if self.mail:
            self.deliver(self.mail)
        return self

    def stop(self):
        if self.chroot:
            self.chroot.close()
            for process in self.masters:
                process.wait()
            self.chroot = None

    def restart(self):
        """Stops and starts again on the same mail and the same ports."""
        self._terminate()
        for process in self.masters:
            process.wait(10)
        self.chroot.signal(signal.SIGKILL)
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
        client = imaplib.IMAP4("127.0.0.1", self.imap)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.login(USER, PASSWORD)
        return client

    def folder(self, path):
        return path

    def deliver(self, messages):
        """Appends MESSAGES, in order, making their folders."""
        raise NotImplementedError

    def log(self):
        return self.chroot.syslog()

    # ---- faults --------------------------------------------------------------------------------

    def freeze(self):
        self.chroot.signal(signal.SIGSTOP)

    def thaw(self):
        self.chroot.signal(signal.SIGCONT)

    def cut(self):
        """Ends every session that is open now."""
        self.chroot.signal(signal.SIGKILL, *self.sessions)

    # ---- inside --------------------------------------------------------------------------------

    def _prepare(self):
        """What the root needs before the first start."""
        raise NotImplementedError

    def _launch(self, imap=None, imaps=None):
        """Starts it on these ports, or on free ones, and waits until it lets its user in."""
        self.imap, self.imaps = imap or free_port(), imaps or free_port()
        self.masters = self._start()
        end = time.monotonic() + 30
        while time.monotonic() < end and all(process.poll() is None for process in self.masters):
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                self.client().logout()
                return
            time.sleep(0.025)
        raise RuntimeError(f"{self.name} did not start:\n{self.log()[-3000:]}")

    def _start(self):
        """The processes that serve self.imap and self.imaps."""
        raise NotImplementedError

    def _terminate(self):
        self.chroot.signal(signal.SIGTERM)


def demo(kind):
    """A server to try things on."""
    import mailgen
    with kind(mail=mailgen.sample()) as server:
        print(f"{server.url}  {server.starttls_url}\npassword {PASSWORD!r}  ca-file {server.ca}\n"
              "End with Control-C.", flush=True)
        try:
            server.masters[-1].wait()
        except KeyboardInterrupt:
            pass
