"""One session, told step by step, that is killed or fails at one place; and what must be so afterwards.

Every step that was answered holds, every step that was not told holds not, and the one during which it
happened holds or not, but not by half.  A session is a table of steps; what the server has after each of
them is worked out from the same table.
"""

import os
import sqlite3
import time

import driver as driving
from driver import STORE, Broken, Driver, Late, Told
from model import FLAGS, Wrong, flags_of
from wire import Client, Watch, quoted

FAULTS = {"full": 1, "stays-full": 2, "error": 3, "dies": 5}
PHASES = ("before", "between", "after")
CONTENT = ("From: Bob Brown <bob@example.com>\r\nTo: Ada Example <ada@example.org>\r\nSubject: {0}\r\n"
           "Date: Mon, 05 Feb 2024 10:49:16 +0000\r\nMessage-ID: <{0}@example.org>\r\n\r\n"
           "This is {0}.\r\n")
MAIL = {"INBOX": [f"m{n}" for n in range(1, 13)], "Work": ["w1", "w2"], "Archive": ["r1"]}

SESSION = [
    ("start", "online"), ("sync",),
    ("flag", "INBOX", "+\\seen", "m1 m2 m3"), ("flag", "INBOX", "+kw1", "m2"),
    ("move", "INBOX", "Archive", "m3"), ("copy", "INBOX", "Work", "m4"), ("append", "Work", "a1"),
    ("create", "Neu"), ("move", "INBOX", "Neu", "m5 m6"), ("drain",),
    ("stop",), ("start", "offline"),
    ("move", "INBOX", "Work", "m7 m8"), ("move", "Work", "Neu", "m7"), ("flag", "Neu", "+\\flagged", "m7"),
    ("append", "Neu", "a2"), ("create", "Two"), ("move", "Archive", "Two", "m3 r1"),
    ("rename", "Two", "Three"), ("append", "Three", "a3"), ("expunge", "INBOX", "m9"),
    ("copy", "INBOX", "Three", "m1"), ("undo",), ("move", "INBOX", "Trash", "m10 m11"), ("undo",),
    ("flag", "INBOX", "+\\answered", "m10 m11 m12"), ("create", "Gone"), ("remove", "Gone"),
    ("stop",), ("start", "online"), ("drain",),
    ("move", "Neu", "INBOX", "m7"), ("drain",), ("undo",), ("flag", "INBOX", "-\\seen", "m1 m2"),
    ("rename", "Neu", "Old"), ("drain",), ("expunge", "INBOX", "m12"), ("copy", "INBOX", "Old", "m10 m11"),
    ("drain",), ("undo",), ("subscribe", "Old"), ("create", "Short"), ("move", "INBOX", "Short", "m11"),
    ("drain",), ("move", "Short", "INBOX", "m11"), ("remove", "Short"), ("append", "INBOX", "a4"),
    ("drain",), ("sync",),
]


class State:
    """What the server has after some steps: {folder: {subject: flags}}"""

    def __init__(self):
        self.folders = {name: {} for name in ("INBOX", "Work", "Archive", "Trash", "Drafts", "Sent", "Junk")}
        for folder, subjects in MAIL.items():
            for subject in subjects:
                self.folders[folder][subject] = frozenset()
        self.before = []            # for undo

    def take(self, step):
        verb, *words = step
        if verb in ("start", "stop", "drain", "sync"):
            return
        copy = {name: dict(rows) for name, rows in self.folders.items()}
        if verb == "undo":
            self.folders = self.before.pop()
            return
        self.before.append(copy)
        rows = self.folders.get(words[0])
        if verb == "flag":
            for subject in words[2].split():
                rows[subject] = rows[subject] | {words[1][1:]} if words[1][0] == "+" else \
                    rows[subject] - {words[1][1:]}
        elif verb in ("move", "copy"):
            for subject in words[2].split():
                self.folders[words[1]][subject] = rows[subject]
                if verb == "move":
                    del rows[subject]
        elif verb == "expunge":
            for subject in words[1].split():
                del rows[subject]
        elif verb == "append":
            rows[words[1]] = frozenset()
        elif verb == "create":
            self.folders[words[0]] = {}
        elif verb == "rename":
            self.folders[words[1]] = self.folders.pop(words[0])
        elif verb == "remove":
            del self.folders[words[0]]

    @staticmethod
    def after(count):
        state = State()
        for step in SESSION[:count]:
            state.take(step)
        return {name: sorted((subject, sorted(flags)) for subject, flags in rows.items())
                for name, rows in state.folders.items()}


class Session:
    def __init__(self, server, line, home, user):
        self.server, self.line, self.home, self.user = server, line, home, user
        self.driver = None
        self.told = []
        self.others = []            # as History has them, for the file that is kept
        self.counts = {}
        self.seed = 0
        self.restart_s = 0.0

    def note(self, text):
        self.told.append(f"{time.monotonic():.3f} {text}")

    def prepare(self):
        client = Client(self.server.imap, self.user)
        self.others = [client]
        for folder, subjects in MAIL.items():
            if folder != "INBOX":
                client.command(b"CREATE ", quoted(folder))
            for subject in subjects:
                client.append(folder, CONTENT.format(subject).encode())

    # ---- the steps ---------------------------------------------------------------------------------

    def id_of(self, folder):
        for row in self.driver.rows("folders"):
            if row[1] == folder and row[4] == "0":
                return row[0]
        raise Wrong(f"the folder {folder} is not in the store")

    def which(self, folder, subjects):
        ids = {row[4]: row[0] for row in self.driver.rows("list", folder)}
        missing = [subject for subject in subjects.split() if subject not in ids]
        if missing:
            raise Wrong(f"{missing} is not in folder {folder}: {sorted(ids)}")
        return "id:" + ",".join(ids[subject] for subject in subjects.split())

    def take(self, step):
        """Asks for one step; Told and Broken go up."""
        verb, *words = step
        self.note(" ".join(step))
        ask = self.driver.ask
        if verb == "drain":
            ask("online", 60)
            return ask("drain", 60)
        if verb == "sync":
            ask("online", 60)
            return self.synchronise()
        if verb in ("start", "stop", "undo", "create"):
            return ask(verb, *words)
        box = self.id_of(words[0])
        if verb == "flag":
            flag = words[1][0] + str(FLAGS.get(words[1][1:], words[1][1:]))
            return ask("flag", box, flag, self.which(box, words[2]))
        if verb in ("move", "copy"):
            return ask(verb, box, self.id_of(words[1]), self.which(box, words[2]))
        if verb == "expunge":
            return ask("expunge", box, self.which(box, words[1]))
        if verb == "append":
            return ask("append", box, 0, "", CONTENT.format(words[1]))
        return ask(verb, box, *words[1:])

    def synchronise(self):
        for _ in range(5):
            try:
                self.driver.ask("refresh")
                return self.driver.ask("sync")
            except Told as told:
                if told.code != driving.OFFLINE:
                    raise
                self.driver.ask("online", 60)
        raise Wrong("it does not synchronise")

    # ---- what must be so -----------------------------------------------------------------------------

    def settle(self, count, whole):
        """COUNT steps were answered; one more may have been begun, unless WHOLE."""
        for _ in range(100):
            self.driver.ask("online", 60)
            self.driver.ask("drain", 60)
            self.synchronise()
            rows = self.driver.rows("queue")
            if rows:
                raise Wrong(f"it failed: {rows}")
            wrong = self.differs(count, whole)
            if not wrong:
                break
            time.sleep(0.1)
        else:
            raise Wrong(wrong)
        self.home.check_files()
        self.driver.ask("check")
        self.driver.quit()
        self.driver = None
        with sqlite3.connect(os.path.join(self.home.data, "mail.db")) as database:
            said = database.execute("PRAGMA integrity_check").fetchall()
        database.close()
        if said != [("ok",)]:
            raise Wrong(f"integrity_check: {said}")

    def differs(self, count, whole):
        client = self.others[0]
        server = {}
        for name in client.folders():
            client.select(name, examine=True)
            server[name] = sorted((subject, sorted(flags)) for _, flags, subject in client.rows())
        right = [State.after(count)] + ([] if whole else [State.after(count + 1)])
        if server not in right:
            return self.difference("the server", server, right)
        local = {}
        for row in self.driver.rows("folders"):
            if row[4] == "0" and row[5] == "1":
                local[row[1]] = sorted((r[4], sorted(flags_of(r[2], r[3])))
                                       for r in self.driver.rows("list", row[0]))
        if local != server:
            return self.difference("the store", local, [server])
        return None

    @staticmethod
    def difference(who, has, right):
        texts = []
        for expected in right:
            names = sorted(set(has) | set(expected))
            texts.append("; ".join(f"{name}: {has.get(name)}, ought to be {expected.get(name)}"
                                   for name in names if has.get(name) != expected.get(name)))
        return f"{who} has " + "\n  or ".join(texts)

    # ---- killed ----------------------------------------------------------------------------------------

    def killed_at_write(self, number):
        """False: the session ended before there were so many."""
        self.prepare()
        self.driver = Driver(self.home)
        self.driver.ask("fault", FAULTS["dies"], number)
        return self.until_killed(lambda: False)

    def killed_at_command(self, number, phase):
        self.prepare()
        self.driver = Driver(self.home)
        watch = Watch(number, phase, lambda: self.driver.process.kill())
        self.line.watch(watch)
        return self.until_killed(lambda: watch.struck)

    def until_killed(self, was_struck):
        count = 0
        try:
            for step in SESSION:
                self.take(step)
                count += 1
        except Broken as broken:
            status = self.driver.process.wait(30)
            if status not in (9, -9):
                raise Wrong(f"step {count}, {SESSION[count]}: {broken}") from None
        except Told as told:
            raise Wrong(f"step {count}, {SESSION[count]}: {told}") from None
        killed = count < len(SESSION) or was_struck()
        if not killed:
            self.driver.ask("fault", 0, 0)
        self.note(f"killed during step {count}" if killed else "not killed")
        self.line.watch(None)
        if killed:
            self.driver.end()
            began = time.monotonic()
            self.driver = Driver(self.home)
            self.driver.ask("start", "online")
            self.driver.rows("queue")
            self.restart_s = time.monotonic() - began
        try:
            self.settle(count, whole=not killed or count == len(SESSION))
        except (Told, Broken) as error:
            raise Wrong(f"killed during step {count}; then {error}") from None
        return killed

    # ---- no room ---------------------------------------------------------------------------------------

    def failing_at_write(self, kind, number):
        """A write fails (full, error) or all from it on until somebody makes room (stays-full)."""
        self.prepare()
        self.driver = Driver(self.home)
        self.driver.ask("fault", FAULTS[kind], number)

        def make_room():
            happened = self.driver.ask("fault", -1, 0)[0] == "1"
            if happened:
                self.driver.ask("fault", 0, 0)
            return happened
        happened = self.with_room_made(make_room)
        self.driver.ask("fault", 0, 0)
        try:
            self.settle(len(SESSION), whole=True)
        except (Told, Broken) as error:
            raise Wrong(f"after the fault: {error}") from None
        return happened

    def with_room_made(self, make_room, first=0):
        """Every step; one that says that the store failed is told again when there is room."""
        happened = False
        for count, step in enumerate(SESSION[first:], first):
            if step[0] in ("drain", "sync"):
                time.sleep(0.03)    # let it fail behind our back, too
                happened = make_room() or happened
            for attempt in range(3):
                try:
                    if step[0] == "drain":
                        happened = self.drained(make_room) or happened
                    else:
                        self.take(step)
                    break
                except Told as told:
                    self.note(f"    told {told}")
                    if told.code != STORE or not told.words or attempt == 2:
                        raise Wrong(f"step {count}, {step}: {told}") from None
                    happened = make_room() or happened
                except Broken as broken:
                    raise Wrong(f"step {count}, {step}: {broken}") from None
        return happened

    def drained(self, make_room):
        """The disk may fill up in the middle of it."""
        happened = False
        while True:
            try:
                self.driver.ask("online", 60)
                self.driver.ask("drain", 5)
                return happened
            except Late:
                if not make_room():
                    raise
                happened = True

    def on_small_disk(self, room_bytes):
        """The data directory is on a file system that fills up for good, by ROOM_BYTES more."""
        ballast = os.path.join(self.home.data, "ballast")
        self.prepare()
        self.driver = Driver(self.home)
        for step in SESSION[:2]:
            self.take(step)
        room = os.statvfs(self.home.data)
        with open(ballast, "wb") as file:
            file.write(bytes(max(0, room.f_bavail * room.f_frsize - room_bytes)))

        def make_room():
            if os.path.exists(ballast):
                os.unlink(ballast)
                return True
            return False
        happened = self.with_room_made(make_room, first=2)
        self.settle(len(SESSION), whole=True)
        return happened

    def end(self):
        if self.driver:
            self.driver.end()
        for client in self.others:
            client.close()
