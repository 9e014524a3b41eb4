"""A private Courier IMAP on loopback, thrown away afterwards: RFC 3501, UIDPLUS and IDLE; no CONDSTORE, no
MOVE, no LITERAL+, no LIST-STATUS, no SPECIAL-USE; every folder is below INBOX, and the delimiter is a dot.

    with Courier(mail=mailgen.sample()) as server:
        server.url, server.ca, server.user, server.password
        client = server.client()            # an imaplib client, logged in: "somebody else's"
        server.deliver(messages)
        server.folder("Projekte/Berlin")    # "INBOX.Projekte.Berlin": that folder's name here
        server.cut(), server.freeze(), server.thaw(), server.restart(), server.log()

The first one of a build downloads its packages (see chrooted.py); starting takes about a second.
"""

import subprocess

from dovecot import PASSWORD, USER, quoted
from mailgen import imap_date
from packaged import PackagedServer, demo

PACKAGES = ["courier-imap", "courier-base", "courier-authlib", "courier-authdaemon",
            "courier-authlib-userdb", "gamin"]
PROGRAMS = ["/usr/bin/imapd", "/usr/bin/couriertls", "/usr/bin/maildirmake.courier",
            "/usr/sbin/couriertcpd", "/usr/sbin/courierlogger",
            "/usr/lib/courier/courier/imaplogin", "/usr/lib/courier/courier-authlib/authdaemond",
            "/usr/lib/courier/courier-authlib/makedatprog",
            "/usr/lib/courier-authlib/libauthuserdb.so*", "/usr/libexec/gam_server"]

HOME = "/var/mail/" + USER
TCPD = ["-address=127.0.0.1", "-maxprocs=80", "-maxperip=80", "-nodnslookup", "-noidentlookup"]
CAPABILITY = ("IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT "
              "QUOTA IDLE")     # what Debian configures
ENVIRONMENT = {
    "MAILDIRPATH": "Maildir", "COURIERTLS": "/usr/bin/couriertls",
    "TLS_CERTFILE": "/etc/courier/imapd.pem", "TLS_VERIFYPEER": "NONE",
    "IMAP_CAPABILITY": CAPABILITY, "IMAP_CAPABILITY_TLS": CAPABILITY + " AUTH=PLAIN",
    "IMAP_KEYWORDS": "1", "IMAP_ACL": "1", "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_CHECK_ALL_FOLDERS": "0", "IMAP_USELOCKS": "1", "IMAP_IDLE_TIMEOUT": "1",
    "IMAP_ENHANCEDIDLE": "0", "IMAP_TRASHFOLDERNAME": "Trash", "IMAP_EMPTYTRASH": "",
    "IMAP_MOVE_EXPUNGE_TO_TRASH": "0", "IMAP_TLS_REQUIRED": "0", "SENDMAIL": "/bin/false",
}

AUTHDAEMON = """
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=2
authdaemonvar=/run/courier/authdaemon
"""


class Courier(PackagedServer):
    """See PackagedServer."""

    name, packages, programs = "Courier", PACKAGES, PROGRAMS
    separator = "."
    sessions = ["imapd", "imaplogin", "couriertls"]

    def folder(self, path):
        return path if path == "INBOX" else "INBOX." + path.replace("/", ".")

    def deliver(self, messages):
        """Appends MESSAGES, in order, making their folders."""
        client, made = self.client(), {"INBOX"}
        for message in messages:
            folder = quoted(self.folder(message.folder)).decode()
            if folder not in made:
                client.create(folder)
                client.subscribe(folder)
                made.add(folder)
            answer = client.append(folder, " ".join(message.flags),
                                   f'"{imap_date(message.date)}"', message.raw)
            if answer[0] != "OK":
                raise RuntimeError(f"APPEND to {folder}: {answer}")
        client.logout()

    # ---- inside --------------------------------------------------------------------------------

    def _prepare(self):
        pem = b""
        for path in (self.certs.key, self.certs.cert("good")):
            with open(path, "rb") as file:
                pem += file.read()
        self.chroot.write("/etc/courier/imapd.pem", pem, mode=0o600)
        self.chroot.own("/etc/courier/imapd.pem")
        # STARTTLS is done as this user.
        with open(self.chroot.path("/etc/passwd"), "a") as users:
            users.write("courier:x:%d:%d::/tmp:/bin/false\n" % (self.chroot.uid, self.chroot.uid))
        with open(self.chroot.path("/etc/group"), "a") as groups:
            groups.write("courier:x:%d:\n" % self.chroot.uid)
        self.chroot.write("/etc/courier/authdaemonrc", AUTHDAEMON)
        self.chroot.folder("/run/courier/authdaemon")
        self.chroot.folder(HOME)
        self._user()
        self.chroot.run("/usr/bin/maildirmake.courier", HOME + "/Maildir")
        for name in ("Drafts", "Sent", "Trash", "Junk", "Archive"):
            self.chroot.run("/usr/bin/maildirmake.courier", "-f", name, HOME + "/Maildir")
        self.chroot.own(HOME)

    def _user(self):
        """The one user, in the databases that makeuserdb would make."""
        secret = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD.encode(),
                                stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        uid = self.chroot.uid
        for name, fields in (
                ("userdb", f"uid={uid}|gid={uid}|home={HOME}|mail={HOME}/Maildir|_="),
                ("userdbshadow", f"systempw={secret}")):
            path = f"/etc/courier/{name}"
            self.chroot.run("/usr/lib/courier/courier-authlib/makedatprog", "-", path + ".tmp",
                            path + ".dat", input=f"{USER}\t{fields}\n\n.\n".encode())

    def _start(self):
        return [
            self.chroot.start("/usr/lib/courier/courier-authlib/authdaemond"),
            self._listen(self.imap, {"IMAP_STARTTLS": "YES", "IMAP_TLS": "0"}),
            self._listen(self.imaps, {"IMAP_STARTTLS": "NO", "IMAP_TLS": "1"},
                         "/usr/bin/couriertls", "-server", "-tcpd"),
        ]

    def _listen(self, port, environment, *wrapper):
        return self.chroot.start(
            "/usr/sbin/couriertcpd", *TCPD, str(port), *wrapper,
            "/usr/lib/courier/courier/imaplogin", "/usr/bin/imapd", "Maildir",
            # Its locks wait with a helper whose socket is the machine's, not the root's.
            environment={**ENVIRONMENT, **environment, "GAM_CLIENT_ID": f"postern{self.imap}"})


if __name__ == "__main__":      # python3 courier.py
    demo(Courier)
