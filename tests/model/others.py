"""What other clients do in a history, each over a line of its own, and the mail that everybody makes."""

import collections
import re
import time

from wire import quoted

BASE = ["INBOX", "Archive", "Trash", "Work", "Lists/ü"]
FRAGILE = "Fragile"             # others take it away
KEYWORDS = ["kw1", "$Forwarded", "Later"]


class OtherClients:
    """A part of History."""

    # ---- other clients -------------------------------------------------------------------------------

    def other(self):
        """A client, one of its mailboxes selected, and its rows."""
        client = self.random.choice(self.others[:2])
        if client.selected is None or self.random.random() < 0.6:
            client.select(self.random.choice(BASE))
        client.ok("NOOP")
        rows = sorted((row for row in client.rows() if row[2] in self.model.families),
                      key=lambda row: row[2])
        # mostly what nobody else is at
        calm = [row for row in rows if not self.model.families[row[2]].is_ours()]
        if calm and self.random.random() < 0.7:
            rows = calm
        return client, rows

    def do_other_flag(self):
        client, rows = self.other()
        if not rows:
            return
        chosen = self.random.sample(rows, min(len(rows), self.random.randint(1, 4)))
        name = self.random.choice(["\\seen", "\\flagged", "\\answered"] + KEYWORDS)
        value = self.random.random() < 0.6
        uids = ",".join(str(row[0]) for row in chosen)
        client.ok(f"UID STORE {uids} {'+' if value else '-'}FLAGS ({name})")
        self.note(f"    other {'+' if value else '-'}{name} {client.selected} {[r[2] for r in chosen]}")
        for row in chosen:
            self.model.other_flag(self.model.families[row[2]], client.selected, name, value)

    def appended_by_other(self, client, folder):
        key, raw = self.message("other")
        names = self.random.sample(["\\seen", "\\flagged", "kw1"], self.random.randint(0, 2))
        client.append(folder, raw.encode(), names)
        self.note(f"    other appends {key} to {folder} {names}")
        self.model.other_append(key, folder, names)

    def do_other_append(self):
        for _ in range(self.random.randint(1, 3)):
            self.appended_by_other(self.random.choice(self.others[:2]), self.random.choice(BASE))

    def moved_by_other(self, verb):
        client, rows = self.other()
        chosen = self.random.sample(rows, min(len(rows), self.random.randint(1, 2)))
        dest = self.random.choice([name for name in BASE if name != client.selected])
        for row in chosen:
            if verb == "expunge":
                client.ok(f"UID STORE {row[0]} +FLAGS (\\Deleted)")
                lines = client.ok(f"UID EXPUNGE {row[0]}")
                done = any(b"EXPUNGE\r\n" in line or b"VANISHED" in line for line in lines[:-1])
            else:
                status, lines = client.command(f"UID {verb} {row[0]} ", quoted(dest))
                done = status == b"OK" and any(b"COPYUID" in line for line in lines)
            self.note(f"    other {verb} {client.selected} -> {dest} {row[2]}: {done}")
            family = self.model.families[row[2]]
            if not done:
                family.other_place = True
                family.loosen("moved by others in vain")
            elif verb == "expunge":
                self.model.other_expunge(family, client.selected)
            elif verb == "COPY":
                self.model.other_copy(family, client.selected, dest, row[1])
            else:
                self.model.other_move(family, client.selected, dest)

    def do_other_move(self):
        self.moved_by_other("MOVE")

    def do_other_copy(self):
        self.moved_by_other("COPY")

    def do_other_expunge(self):
        self.moved_by_other("expunge")

    def do_other_purge(self):
        """All that is marked, whoever marked it."""
        client, _ = self.other()
        rows = {uid: (flags, subject) for uid, flags, subject in client.rows()}
        lines = client.ok("EXPUNGE")
        numbers, gone = sorted(rows), []
        for line in lines:
            match = re.match(rb"\* (\d+) EXPUNGE\r\n", line)
            if match:
                gone.append(numbers.pop(int(match[1]) - 1))
        found = collections.Counter(rows[uid][1] for uid in gone)
        self.note(f"    other purges {client.selected} {dict(found)}")
        for subject, many in sorted(found.items()):
            self.model.other_purge(self.model.families[subject], client.selected, many)

    def do_other_fragile(self):
        """Somebody takes the folder away, when we are not looking; what was in it goes elsewhere."""
        client = self.others[0]
        if self.state == "online" and not self.refused:
            return
        if FRAGILE in client.folders():
            client.select(FRAGILE)
            for uid, flags, subject in client.rows():
                client.ok(f"UID MOVE {uid} Archive")
                self.model.other_move(self.model.families[subject], FRAGILE, "Archive")
            client.select("INBOX")
            client.ok(f"DELETE {FRAGILE}")
            self.note("    Fragile is gone")
            self.fragile_fell = True
            # what waits to go there may fail
            for family in self.model.families.values():
                if any(i.place == FRAGILE for i in family.instances):
                    family.loosen("on its way to a folder that is gone")
        else:
            self.mend_fragile()

    def mend_fragile(self):
        client = self.others[0]
        if FRAGILE not in client.folders():
            client.ok(f"CREATE {FRAGILE}")
            client.ok(f"SUBSCRIBE {FRAGILE}")

    # ---- mail ------------------------------------------------------------------------------------------

    def message(self, who):
        """(subject, its text).  Some have no Message-ID; some have that of another."""
        self.number += 1
        key = f"{who}-{self.number}"
        name = f"<{key}@example.org>"
        odd = self.random.random()
        if odd < 0.06:
            name = None
        elif odd < 0.12 and self.number > 5:
            name = f"<{who}-{self.number - 1}@example.org>"
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000",
                             time.gmtime(1700000000 + self.random.randrange(10 ** 7)))
        lines = [f"From: Bob Brown <bob@example.com>", "To: Ada Example <ada@example.org>",
                 f"Subject: {key}", f"Date: {date}"]
        if name:
            lines.append(f"Message-ID: {name}")
        lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "", f"This is {key}."]
        lines += ["A line of it."] * self.random.choice([0, 1, 1, 40])
        return key, "\r\n".join(lines) + "\r\n"
