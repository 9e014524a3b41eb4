"""A private Cyrus IMAP on loopback, thrown away afterwards: CONDSTORE, QRESYNC, SPECIAL-USE, LIST-STATUS
and COMPRESS, no NOTIFY.

    with Cyrus(mail=mailgen.sample()) as server:
        server.url, server.ca, server.user, server.password
        client = server.client()            # an imaplib client, logged in: "somebody else's"
        server.deliver(messages)
        server.folder("Projekte/Berlin")    # that folder's name on this server
        server.cut(), server.freeze(), server.thaw(), server.restart(), server.log()

The first one of a build downloads its packages (see chrooted.py); starting takes about a second.
"""

import contextlib
import imaplib
import signal
import socket
import time

from certs import Certs
from chrooted import Chroot, unpacked
from dovecot import PASSWORD, USER, Appender, free_port

PACKAGES = ["cyrus-imapd", "cyrus-common", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db",
            "tzdata"]
PROGRAMS = ["/usr/lib/cyrus/bin/master", "/usr/lib/cyrus/bin/imapd", "/usr/lib/cyrus/bin/idled",
            "/usr/lib/cyrus/bin/ctl_cyrusdb", "/usr/sbin/saslpasswd2", "/usr/lib/*/sasl2/*.so*",
            "/usr/share/zoneinfo/*.tab", "/usr/share/zoneinfo/UTC"]

CONFIG = """
configdirectory: /var/cyrus
defaultpartition: default
partition-default: /var/spool
cyrus_user: {user}
cyrus_group: {user}
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /var/cyrus/sasldb2
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256
tls_server_cert: /etc/cert.pem
tls_server_key: /etc/key.pem
idlemethod: notify
delete_mode: immediate
expunge_mode: immediate
autocreate_quota: 1048576
autocreate_inbox_folders: Drafts | Sent | Junk | Trash | Archive
autosubscribe_inbox_folders: Drafts | Sent | Trash
xlist-drafts: Drafts
xlist-sent: Sent
xlist-junk: Junk
xlist-trash: Trash
xlist-archive: Archive
search_engine: none
skiplist_unsafe: yes
failedloginpause: 0
defaultdomain: localhost
servername: localhost
"""

SERVICES = """
START {{
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
  idled cmd="/usr/lib/cyrus/bin/idled"
}}
SERVICES {{
  imap cmd="/usr/lib/cyrus/bin/imapd -U 30" listen="127.0.0.1:{imap}" proto=tcp4 prefork=0 maxchild=100
  imaps cmd="/usr/lib/cyrus/bin/imapd -s -U 30" listen="127.0.0.1:{imaps}" proto=tcp4 prefork=0 maxchild=100
}}
EVENTS {{
}}
"""


class Cyrus:
    """MAIL: an iterable of mailgen.Message.  CERTS: a Certs to share."""

    separator = "/"

    def __init__(self, mail=(), certs=None):
        self.user, self.password = USER, PASSWORD
        self.mail, self.certs = mail, certs
        self.chroot = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.chroot = Chroot(unpacked("cyrus", PACKAGES, PROGRAMS))
        self.certs = self.certs or Certs(self.chroot.dir + "/certs")
        self.ca = self.certs.ca
        for name, path in (("key", self.certs.key), ("cert", self.certs.cert("good"))):
            with open(path, "rb") as file:
                self.chroot.write(f"/etc/{name}.pem", file.read())
        for folder in ("", "/db", "/socket", "/log", "/msg", "/proc", "/lock", "/user", "/quota",
                       "/ptclient", "/sieve"):
            self.chroot.folder("/var/cyrus" + folder)
        self.chroot.folder("/var/spool")
        self.chroot.folder("/run/cyrus")
        self.chroot.write("/etc/imapd.conf", CONFIG.format(user=self.chroot.user))
        self.chroot.run("/usr/sbin/saslpasswd2", "-p", "-c", "-f", "/var/cyrus/sasldb2",
                        "-u", "localhost", USER, input=PASSWORD.encode())
        self.chroot.own("/var/cyrus/sasldb2")
        self._launch()
        if self.mail:
            self.deliver(self.mail)
        return self

    def stop(self):
        if self.chroot:
            self.chroot.close()
            self.master.wait()
            self.chroot = None

    def restart(self):
        """Stops and starts again on the same mail and the same ports."""
        self.master.terminate()
        self.master.wait(10)
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
        """Appends MESSAGES, in order, making their folders; many in one command."""
        with Appender(self.imap) as appender:
            appender.append(messages)

    def log(self):
        return self.chroot.syslog()

    # ---- faults --------------------------------------------------------------------------------

    def freeze(self):
        self.chroot.signal(signal.SIGSTOP)

    def thaw(self):
        self.chroot.signal(signal.SIGCONT)

    def cut(self):
        """Ends every session that is open now."""
        self.chroot.signal(signal.SIGKILL, "imapd")

    # ---- inside --------------------------------------------------------------------------------

    def _launch(self, imap=None, imaps=None):
        self.imap, self.imaps = imap or free_port(), imaps or free_port()
        self.chroot.write("/etc/cyrus.conf", SERVICES.format(imap=self.imap, imaps=self.imaps))
        self.master = self.chroot.start("/usr/lib/cyrus/bin/master", "-L", "/var/cyrus/log/master",
                                        "-p", "/run/cyrus/master.pid")
        wait_for_login("Cyrus", self, self.master)


def wait_for_login(name, server, process):
    """Waits until SERVER lets its user in."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            server.client().logout()
            return
        time.sleep(0.025)
    raise RuntimeError(f"{name} did not start:\n{server.log()[-3000:]}")


if __name__ == "__main__":      # python3 cyrus.py: a server to try things on
    import mailgen
    with Cyrus(mail=mailgen.sample()) as demo:
        print(f"{demo.url}  {demo.starttls_url}\npassword {PASSWORD!r}  ca-file {demo.ca}\n"
              "End with Control-C.", flush=True)
        try:
            demo.master.wait()
        except KeyboardInterrupt:
            pass
