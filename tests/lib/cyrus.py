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

from dovecot import PASSWORD, USER, Appender
from packaged import PackagedServer, demo

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


class Cyrus(PackagedServer):
    """See PackagedServer."""

    name, packages, programs = "Cyrus", PACKAGES, PROGRAMS
    separator = "/"
    sessions = ["imapd"]

    def deliver(self, messages):
        """Appends MESSAGES, in order, making their folders; many in one command."""
        with Appender(self.imap) as appender:
            appender.append(messages)

    # ---- inside --------------------------------------------------------------------------------

    def _prepare(self):
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

    def _start(self):
        self.chroot.write("/etc/cyrus.conf", SERVICES.format(imap=self.imap, imaps=self.imaps))
        return [self.chroot.start("/usr/lib/cyrus/bin/master", "-L", "/var/cyrus/log/master",
                                  "-p", "/run/cyrus/master.pid")]

    def _terminate(self):
        self.masters[0].terminate()


if __name__ == "__main__":      # python3 cyrus.py
    demo(Cyrus)
