"""Servers that cannot be installed beside each other: their packages unpacked, run in a root of their own.

Every IMAP server of Debian conflicts with every other, so only one of them can be on the machine.  The
others are downloaded with apt, unpacked (never installed: no script of theirs runs, nothing of the
machine's changes), and what their daemons need is laid out in a small directory, kept in
$POSTERN_TEST_CACHE.  A server runs in a copy of it with chroot(2), which asks for root, or for
user namespaces; without either a test is skipped.

    template = unpacked("cyrus", packages, programs)    # a directory, made at the first call
    with Chroot(template) as root:
        root.write("/etc/imapd.conf", text)
        root.run("/usr/sbin/saslpasswd2", "-p", "ada", input=b"...")
        root.start("/usr/lib/cyrus/bin/master")         # a subprocess.Popen
        root.processes("imapd"), root.syslog()

Whatever runs in there ends with it, and with the process that made it, however that ends.
"""

import contextlib
import fcntl
import glob
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from dovecot import cache

SYSTEM_USER = ("daemon", 1)     # who a daemon is that gives root up; 1: as in every Debian

# ---- packages ----------------------------------------------------------------------------------


def unpacked(name, packages, programs):
    """The template for server NAME, from PACKAGES: PROGRAMS (paths and patterns as they are in the
    packages) and every library they need.  Raises SkipTest when it cannot be had here."""
    place = cache()
    with open(os.path.join(place, f"lock-{name}"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = os.path.join(place, f"server-1-{name}")      # 1: raise it when this file changes it
        if os.path.isdir(path):
            return path
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise unittest.SkipTest(f"{name}: needs apt and dpkg to get it with")
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=place) as work:
            files = os.path.join(work, "files")
            for package in _download(packages, work):
                _call(["dpkg-deb", "-x", package, files])
            _lay_out(files, os.path.join(work, "root"), programs)
            os.rename(os.path.join(work, "root"), path)
        return path


def _download(packages, work):
    """The files of PACKAGES, and of the libraries they need that this machine has not."""
    folder = os.path.join(work, "packages")
    os.mkdir(folder)
    trouble = ""
    for lists in (None, os.path.join(work, "lists")):
        options = ["-o", "APT::Sandbox::User=root"]
        if lists:       # ours may be missing or old, and the machine's are not ours to change
            os.makedirs(os.path.join(lists, "partial"))
            options += ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={work}"]
        try:
            if lists:
                _call(["apt-get", "-q", *options, "update"])
            plan = _call(["apt-get", "-q", "-s", "-y", *options, "--no-install-recommends",
                          "install", *packages])
            names = set(re.findall(r"^Inst (lib\S+)", plan, re.M)) | set(packages)
            names = {name for name in names if not name.endswith("-dev")}
            _call(["apt-get", "-q", *options, "download", *sorted(names)], cwd=folder)
            return glob.glob(os.path.join(folder, "*.deb"))
        except RuntimeError as error:
            trouble = str(error)
    raise unittest.SkipTest(f"cannot download {', '.join(packages)}: {trouble}")


def _lay_out(files, root, programs):
    """Copies PROGRAMS of FILES to ROOT, and the libraries that they and their plugins load."""
    for folder in ("usr/bin", "usr/lib", "usr/sbin", "dev", "etc", "run", "tmp", "var"):
        os.makedirs(os.path.join(root, folder))
    for link in ("bin", "sbin", "lib", "lib64"):
        os.symlink("usr/" + link.replace("64", ""), os.path.join(root, link))
    os.chmod(os.path.join(root, "tmp"), 0o1777)
    wanted = []
    for pattern in programs:
        found = glob.glob(files + pattern)
        if not found:
            raise RuntimeError(f"{pattern} is in none of the packages")
        wanted += found
    places = sorted({os.path.dirname(path)
                     for path in glob.glob(files + "/**/lib*.so*", recursive=True)})
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(places), LC_ALL="C")
    libraries = {}
    for path in wanted:
        target = os.path.join(root, os.path.relpath(path, files))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(path, target)
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        for line in _call(["ldd", path], env=environment).splitlines():
            match = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
            if match:
                libraries[match[1] or os.path.basename(match[2])] = match[2]
            elif "not found" in line:
                raise RuntimeError(f"{path}: {line.strip()}")
    for name, path in libraries.items():
        shutil.copy(path, os.path.join(root, "usr/lib", os.path.basename(name)))


def _call(words, **keywords):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600, **keywords)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:4])}...: "
                           f"{(done.stderr or done.stdout).decode(errors='replace')[-500:]}")
    return done.stdout.decode(errors="replace")


# ---- a root of its own -------------------------------------------------------------------------


class Chroot:
    """A copy of TEMPLATE to run daemons in.  USER, UID: who they are when they give root up."""

    def __init__(self, template):
        self.enter = _entrance()
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="postern-"))
        os.chmod(self.dir, 0o755)
        self.root = os.path.join(self.dir, "root")
        self.user, self.uid = SYSTEM_USER
        try:
            shutil.copytree(template, self.root, symlinks=True, copy_function=_link)
            self.write("/etc/passwd", "root:x:0:0::/:/bin/false\n%s:x:%d:%d::/tmp:/bin/false\n"
                       % (*SYSTEM_USER, SYSTEM_USER[1]))
            self.write("/etc/group", "root:x:0:\n%s:x:%d:\nmail:x:8:\n" % SYSTEM_USER)
            self._devices()
            self.keeper = subprocess.Popen(
                [sys.executable, "-B", os.path.abspath(__file__), self.dir],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
            self.keeper.stdout.readline()
        except BaseException:
            shutil.rmtree(self.dir, ignore_errors=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends everything in there, and removes it."""
        if self.keeper:
            self.keeper.stdin.close()
            self.keeper.wait()
            self.keeper.stdout.close()
            self.keeper = None

    def path(self, inside):
        return self.root + inside

    def write(self, inside, content, mode=0o644):
        path = self.path(inside)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)

    def folder(self, inside, mode=0o755):
        """A directory of the daemons' user."""
        os.makedirs(self.path(inside), exist_ok=True)
        os.chmod(self.path(inside), mode)
        self.own(inside)

    def own(self, inside):
        """Gives a file, or a directory and all of it, to the daemons' user."""
        if os.getuid() != 0:
            return
        os.chown(self.path(inside), self.uid, self.uid)
        for top, folders, files in os.walk(self.path(inside)):
            for name in folders + files:
                os.chown(os.path.join(top, name), self.uid, self.uid)

    def start(self, *words, environment=None):
        """A daemon.  What it says is part of syslog()."""
        with open(os.path.join(self.dir, "syslog"), "ab") as out:
            return subprocess.Popen([*self.enter(self.root), *words], stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=out, start_new_session=True,
                                    env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TZ": "UTC",
                                         **(environment or {})})

    def run(self, *words, input=b""):
        done = subprocess.run([*self.enter(self.root), *words], input=input,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TZ": "UTC"})
        if done.returncode:
            raise RuntimeError(f"{words[0]}: status {done.returncode}\n"
                               f"{done.stdout.decode(errors='replace')}\n{self.syslog()[-2000:]}")
        return done.stdout

    def processes(self, *names):
        """Those that run in there: all, or the programs called so."""
        return list(inhabitants(self.root, names))

    def signal(self, number, *names):
        for process in self.processes(*names):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def syslog(self):
        with contextlib.suppress(OSError), \
                open(os.path.join(self.dir, "syslog"), errors="replace") as log:
            return log.read()
        return ""

    def _devices(self):
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            path = self.path(f"/dev/{name}")
            try:
                os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
                with open(path, "rb+", buffering=0):
                    pass        # it can be opened: the file system allows devices
            except OSError:
                self.write(f"/dev/{name}", b"")
            os.chmod(path, 0o666)


def _entrance():
    """What makes the command line that enters a root."""
    ways = [lambda root: ["unshare", "--user", "--map-user=%d" % SYSTEM_USER[1],
                          "--map-group=%d" % SYSTEM_USER[1], "--root=" + root]]
    if os.getuid() == 0:
        ways.insert(0, lambda root: ["chroot", root])
    for way in ways:
        with contextlib.suppress(OSError):
            if subprocess.run([*way("/"), "true"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return way
    raise unittest.SkipTest("needs root, or user namespaces, to give a server a root of its own")


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def inhabitants(root, names=()):
    """The processes whose root directory is ROOT."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/root") != root:
                    continue
                with open(f"/proc/{name}/comm") as comm:
                    if not names or comm.read().strip() in names:
                        yield int(name)


# ---- the keeper --------------------------------------------------------------------------------


def keep(directory):
    """Is /dev/log in DIRECTORY/root until its standard input ends, whoever held the other end and
    however that ended; then ends what runs there and removes it all."""
    root = os.path.join(directory, "root")
    os.chdir(os.path.join(root, "dev"))     # a socket's path may not be long
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("log")
    os.chmod("log", 0o666)
    with open(os.path.join(directory, "syslog"), "ab", buffering=0) as out:
        print("ready", flush=True)
        while True:
            ready = select.select([log, 0], [], [])[0]
            if log in ready:
                out.write(log.recv(65536).rstrip(b"\0\n") + b"\n")
            if 0 in ready and not os.read(0, 100):
                break
    end = time.monotonic() + 3
    number = signal.SIGTERM
    while True:
        left = list(inhabitants(root))
        if not left:
            break
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
                os.kill(process, number)
        if time.monotonic() > end:
            number = signal.SIGKILL
        time.sleep(0.05)
    os.chdir("/")
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    keep(sys.argv[1])
