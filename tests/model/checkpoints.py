"""Where a history stands still: nothing waits any more, and server, store and model must agree."""

from announced import check_command
from driver import OFFLINE, Broken, Told
from model import Wrong
from others import FRAGILE


class Checkpoints:
    """A part of History."""

    # ---- checkpoints -----------------------------------------------------------------------------

    def checkpoint(self):
        self.note("checkpoint")
        try:
            self.line.arm("up", 1 << 60)
            if self.state != "online":
                self.stop()
                self.start("online")
            self.line.accept()
            self.refused = False
            self.driver.ask("online", 60)
            self.settle()
            self.compare()
        except Told as told:
            raise Wrong(f"checkpoint: {told}") from None
        except Broken as broken:
            raise Wrong(f"checkpoint: {broken}") from None
        self.fragile_fell = False

    def settle(self):
        """Until nothing waits, and what failed has been retried or dropped."""
        for attempt in range(6):
            try:
                self.driver.ask("drain", 60)
            except Broken:
                raise Wrong(f"it does not drain: {self.driver.rows('queue')}") from None
            rows = self.driver.rows("queue")
            if any(row[2] != "3" for row in rows):
                raise Wrong(f"drained, and there is {rows}")
            if not rows:
                return
            for row in rows:
                self.check_failed(row, rows)
                self.doubt(row)
            if attempt == 0 and self.random.random() < 0.5:
                self.mend_fragile()
            for row in rows:
                # a folder's change is only held up by what it needs
                drop = int(row[1]) < 6 and (attempt > 1 or self.random.random() < 0.5)
                self.note(f"    {'drop' if drop else 'retry'} {row}")
                self.ask("drop" if drop else "retry", row[0])
        raise Wrong(f"what failed does not go: {self.driver.rows('queue')}")

    def check_failed(self, row, rows):
        """A row that failed has words, and a reason that the model knows of."""
        self.note(f"    failed: {row}")
        if not row[8]:
            raise Wrong(f"a row failed without words: {row}")
        if int(row[1]) >= 6 and len(rows) > 1:
            return              # because of another
        families = [self.model.families[key] for key in filter(None, row[9].split(","))]
        if self.fragile_fell or any(f.is_others() or f.loose for f in families):
            return
        raise Wrong(f"it failed, and ought not: {row} {[f.instances for f in families]}")

    def synchronise(self):
        for _ in range(5):
            try:
                self.driver.ask("refresh")
                self.driver.ask("sync")
                return
            except Told as told:        # a line that was cut a moment ago
                if told.code != OFFLINE:
                    raise
                self.driver.ask("online", 60)
        raise Wrong("it does not synchronise")

    def server_rows(self):
        folders = self.observer.folders()
        found = {}
        for name in folders:
            self.observer.select(name, examine=True)
            found[name] = self.observer.rows()
        return folders, found

    def compare(self):
        self.mend_fragile()
        self.synchronise()
        folders, server = self.server_rows()
        if FRAGILE not in self.model.folders:
            self.model.folders[FRAGILE] = None
        found = self.model.compare(server)
        for family in self.model.families.values():
            judged = "loosely" if family.loose else "exactly"
            self.counts[judged] = self.counts.get(judged, 0) + 1
        self.compare_folders(folders)
        self.compare_local(server)
        self.home.check_files()
        self.driver.ask("check")
        self.check_transcript()
        self.model.open_window(found)

    def compare_folders(self, folders):
        local = self.local_folders()
        if not set(folders) == set(local) == set(self.model.folders):
            raise Wrong(f"folders: the server has {sorted(folders)}, the store {sorted(local)}, the "
                        f"model {sorted(self.model.folders)}")
        for name, subscribed in folders.items():
            said = self.model.folders[name]
            shown = local[name][3] == "1"
            if shown != subscribed or (said is not None and said != subscribed):
                raise Wrong(f"{name}: subscribed on the server: {subscribed}, in the store: {shown}, in "
                            f"the model: {said}")

    def compare_local(self, server):
        local = self.local_folders()
        for folder, rows in server.items():
            mine = sorted((uid, sorted(flags), subject)
                          for _, uid, flags, subject in self.local_rows(folder))
            theirs = sorted((uid, sorted(flags), subject) for uid, flags, subject in rows)
            if mine != theirs:
                only = [row for row in mine if row not in theirs]
                missing = [row for row in theirs if row not in mine]
                raise Wrong(f"{folder}: only in the store {only}, only on the server {missing}")
            total, mirrored, unread = (int(x) for x in local[folder][7:10])
            if (total, mirrored) != (len(rows), len(rows)) or \
                    unread != sum("\\seen" not in row[1] for row in rows):
                raise Wrong(f"{folder}: {len(rows)} messages, and the store counts {total}, "
                            f"{mirrored} mirrored, {unread} unread")

    def check_transcript(self):
        """Nothing that the server did not say it can do, and never what would expunge more than was
        meant."""
        for first, line in self.line.asked():
            check_command(line, self.announced, first)

    def check_contents(self):
        """What was appended is there, to the byte."""
        for folder in self.observer.folders():
            self.observer.select(folder, examine=True)
            for uid, _, subject in self.observer.rows():
                content = self.model.families[subject].content
                if content and self.observer.body(uid) != content.encode():
                    raise Wrong(f"{subject} in {folder} is not as it was appended")
