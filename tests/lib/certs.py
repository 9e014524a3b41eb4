"""Certificates for servers on loopback: a private CA, and one good and several bad certificates.

    certs = Certs(directory)
    context = certs.server_context("good")      # an ssl.SSLContext for a Python server
    certs.ca                                    # for `ca-file`
    certs.cert("expired"), certs.key            # files

Kinds: good (localhost, 127.0.0.1, ::1), expired, future, wrong-name, cn-only (no SAN at all),
self-signed, other-ca (signed by a CA nobody trusts), client-only (its usage is not a server's).
"""

import os
import ssl
import subprocess

GOOD_NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
LIFETIME = ("20200101000000Z", "20400101000000Z")

KINDS = {
    # kind: (names, usage, from, until, CA)
    "good": (GOOD_NAMES, "serverAuth", *LIFETIME, "ca"),
    "expired": (GOOD_NAMES, "serverAuth", "20200101000000Z", "20210101000000Z", "ca"),
    "future": (GOOD_NAMES, "serverAuth", "20390101000000Z", "20400101000000Z", "ca"),
    "wrong-name": ("DNS:mail.example.net", "serverAuth", *LIFETIME, "ca"),
    "cn-only": (None, "serverAuth", *LIFETIME, "ca"),
    "other-ca": (GOOD_NAMES, "serverAuth", *LIFETIME, "other-ca"),
    "client-only": (GOOD_NAMES, "clientAuth", *LIFETIME, "ca"),
}


class Certs:
    def __init__(self, directory):
        self.dir = directory
        os.makedirs(directory, exist_ok=True)
        self.key = self._path("key.pem")
        self.ca = self._path("ca.pem")
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-out", self.key)
        os.chmod(self.key, 0o644)       # a throw-away server may run as somebody else
        self._authority("ca")

    def cert(self, kind="good"):
        """The certificate's file, made when first asked for."""
        path = self._path(f"{kind}.pem")
        if os.path.exists(path):
            return path
        if kind == "self-signed":
            self._openssl("req", "-x509", "-key", self.key, "-days", "3650",
                          "-subj", "/CN=localhost", "-addext", f"subjectAltName={GOOD_NAMES}",
                          "-out", path)
            return path
        names, usage, start, end, authority = KINDS[kind]
        self._authority(authority)
        request = self._path(f"{kind}.csr")
        self._openssl("req", "-new", "-key", self.key, "-subj", "/CN=localhost", "-out", request)
        extensions = f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n"
        if names:
            extensions += f"subjectAltName={names}\n"
        config = self._path(f"{kind}.cnf")
        with open(config, "w") as out:
            out.write(
                "[ca]\ndefault_ca=it\n[it]\n"
                f"database={self._path(authority + '.index')}\nnew_certs_dir={self.dir}\n"
                "default_md=sha256\npolicy=any\nrand_serial=yes\nunique_subject=no\n"
                "email_in_dn=no\n[any]\ncommonName=supplied\n[ext]\n" + extensions)
        open(self._path(authority + ".index"), "a").close()
        self._openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "ext",
                      "-in", request, "-out", path, "-startdate", start, "-enddate", end,
                      "-cert", self._path(authority + ".pem"),
                      "-keyfile", self._path(authority + ".key"))
        return path

    def server_context(self, kind="good", minimum=ssl.TLSVersion.TLSv1_2, maximum=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = minimum
        if maximum:
            context.maximum_version = maximum
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(self.cert(kind), self.key)
        return context

    def client_context(self):
        return ssl.create_default_context(cafile=self.ca)

    def _authority(self, name):
        if os.path.exists(self._path(f"{name}.pem")):
            return
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7300",
                      "-subj", f"/CN=Postern tests {name}",
                      "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", self._path(f"{name}.key"), "-out", self._path(f"{name}.pem"))

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stdout.decode(errors='replace')}")
