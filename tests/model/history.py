"""One random history, from its seed: what a person does, what other clients do, what the line does."""

import random
import time

from checkpoints import Checkpoints
from driver import Broken, Driver, Told
from model import ANYWHERE, FLAGS, Action, Model, Wrong, flags_of
from others import BASE, FRAGILE, KEYWORDS, OtherClients
from wire import Client, quoted

NAMES = ["New", "New/below", "Plan & Co", "Zoë", "A b", "Old"]

#       weight, name, group
STEPS = [
    (16, "flag", "flag"), (9, "move", "move"), (5, "copy", "copy"), (5, "delete", "delete"),
    (2, "expunge", "expunge"), (5, "append", "append"), (3, "create", "folder"),
    (2, "rename", "folder"), (2, "remove", "folder"), (2, "subscribe", "folder"),
    (6, "undo", "undo"), (2, "retry_or_drop", "drop"),
    (8, "other_flag", "other"), (4, "other_append", "other"), (3, "other_move", "other"),
    (2, "other_copy", "other"), (2, "other_expunge", "other"), (1, "other_fragile", "fragile"),
    (1, "other_purge", "purge"),
    (4, "offline", "offline"), (4, "online", "offline"), (3, "refuse", "cut"),
    (4, "accept", "cut"), (3, "cut", "cut"), (8, "cut_later", "cut"), (3, "kill", "kill"),
    (3, "kill_amid", "kill"), (1, "restart", "kill"), (3, "open", "open"), (2, "sync", "open"),
    (6, "pause", "pause"),
]
GROUPS = sorted({group for _, _, group in STEPS})


class History(OtherClients, Checkpoints):
    def __init__(self, seed, server, line, home, user, steps=200, kinds=None, say=None, leaves=False):
        """LEAVES: the server has no UIDPLUS."""
        self.seed, self.server, self.line, self.home, self.user = seed, server, line, home, user
        self.random = random.Random(seed)
        self.steps = steps
        self.kinds = set(kinds) if kinds is not None else set(GROUPS)
        self.model = Model(leaves)
        self.told = []              # the history, for whoever must replay it
        self.say = say
        self.number = 0             # of messages
        self.state = "down"         # the driver: down, offline, online
        self.refused = False
        self.driver = None
        self.others = []
        self.fragile_fell = False   # in this window
        self.ids = {}
        self.counts = {}

    def note(self, text):
        self.told.append(f"{time.monotonic():.3f} {text}")
        if self.say:
            self.say(self.told[-1])

    # ---- the whole of it ---------------------------------------------------------------------------

    def run(self):
        try:
            self.prepare()
            self.start("online")
            self.checkpoint()
            deadline = self.random.randint(12, 40)
            for step in range(self.steps):
                self.step(step)
                deadline -= 1
                if deadline <= 0:
                    self.checkpoint()
                    deadline = self.random.randint(12, 40)
            self.checkpoint()
            self.check_contents()
            self.driver.quit()
        finally:
            if self.driver:
                self.driver.end()
            for client in self.others:
                client.close()

    def prepare(self):
        self.others = [Client(self.server.imap, self.user) for _ in range(3)]
        self.observer = self.others[2]
        said, = [line for line in self.observer.ok("CAPABILITY") if line.startswith(b"* CAPABILITY")]
        self.announced = set(said.upper().split()[2:])
        for folder in BASE + [FRAGILE]:
            if folder != "INBOX":
                self.others[0].command(b"CREATE ", quoted(folder))
                self.others[0].command(b"SUBSCRIBE ", quoted(folder))
        for folder in self.observer.folders():
            self.model.folders[folder] = None
        for _ in range(30):
            self.appended_by_other(self.others[0], self.random.choice(BASE))

    def step(self, number):
        steps = [(weight, name) for weight, name, group in STEPS
                 if group in self.kinds and (group != "purge" or self.model.leaves)]
        name = self.random.choices([n for _, n in steps], [w for w, _ in steps])[0]
        self.note(f"[{number}] {name}")
        self.counts[name] = self.counts.get(name, 0) + 1
        try:
            getattr(self, "do_" + name)()
        except Broken as broken:
            raise Wrong(f"step {number}, {name}: {broken}") from None
        chance = self.random.random()
        if chance < 0.3:
            time.sleep(chance * 0.02)
        elif chance < 0.4:
            self.check_view()

    # ---- the driver ------------------------------------------------------------------------------

    def start(self, how):
        if self.driver is None:
            self.driver = Driver(self.home)
        began = time.monotonic()
        self.driver.ask("start", how)
        if time.monotonic() - began > 30:
            raise Wrong("a restart took longer than 30 s")
        self.state = how

    def stop(self):
        self.driver.ask("stop")
        self.state = "down"

    def killed(self):
        self.driver.kill()
        self.driver = None
        how = self.state if self.random.random() < 0.7 else self.random.choice(["online", "offline"])
        self.note(f"    restarted {how}")
        self.start(how)
        self.check_view()

    def local_folders(self):
        """{name: fields}; and which identity each has."""
        rows = self.driver.rows("folders")
        found = {}
        for row in rows:
            if row[4] == "0" and row[5] == "1":         # not gone, and selectable
                found[row[1]] = row
        self.ids = {name: row[0] for name, row in found.items()}
        return found

    def id_of(self, folder):
        if folder not in self.ids:
            self.local_folders()
        if folder not in self.ids:
            raise Wrong(f"the folder {folder} is not in the store; there are {sorted(self.ids)}")
        return self.ids[folder]

    def local_rows(self, folder):
        """[(id, uid, flags, subject)]"""
        try:
            rows = self.driver.rows("list", self.id_of(folder))
        except Told as told:
            self.home.check_files()
            raise Wrong(f"the list of {folder}: {told}; {self.driver.rows('folders')} {self.driver.ask('status')}") from None
        return [(row[0], int(row[1]), flags_of(row[2], row[3]), row[4]) for row in rows]

    def check_view(self):
        """What is shown, at any time: of what other clients left alone, just what was asked."""
        shown, folders = {}, self.local_folders()
        for folder in folders:
            for _, _, flags, subject in self.local_rows(folder):
                shown.setdefault(subject, []).append((folder, flags))
        for key, family in self.model.families.items():
            if family.loose or family.is_others():
                continue
            # what is in a folder that LIST does not tell shows nowhere
            if FRAGILE not in folders and any(i.place == FRAGILE for i in family.instances):
                continue
            expected = family.agrees(shown.get(key, []), purged=False)
            if expected is not None and not (family.other_appended and key not in shown):
                raise Wrong(f"{key} is shown as {shown.get(key)}, and ought to be {expected}")

    # ---- choosing ----------------------------------------------------------------------------------

    def folder(self, fragile=True):
        names = sorted(name for name in self.model.folders
                       if name not in ("Drafts", "Junk", "Sent") and
                       (fragile or name != FRAGILE))
        return self.random.choice(names)

    def pick(self, many=6):
        """Some messages of a folder as the screen shows it: (folder, WHICH, [(family, instance)], ids)"""
        for _ in range(6):
            folder = self.folder()
            if folder == FRAGILE and folder not in self.local_folders():
                continue
            rows = sorted(self.local_rows(folder), key=lambda row: (row[3], sorted(row[2])))
            if rows:
                break
        else:
            return None
        how = self.random.random()
        if how < 0.1 and not self.is_moving():
            rows, which = rows, "all"
        elif how < 0.25 and not self.is_moving() and all(row[1] for row in rows):
            uids = sorted(row[1] for row in rows)
            low, high = sorted((self.random.choice(uids), self.random.choice(uids)))
            rows = [row for row in rows if low <= row[1] <= high]
            which = f"uid:{low}:{high}"
        else:
            rows = self.random.sample(rows, min(len(rows), self.random.randint(1, many)))
            which = "id:" + ",".join(row[0] for row in rows)
        used, picked, ids = set(), [], []
        for row in rows:
            member = self.known(folder, row, used)
            if member:
                picked.append(member)
                ids.append(row[0])
        if len(ids) < len(rows):
            which = "id:" + ",".join(ids)
        return (folder, which, picked, ids) if ids else None

    def is_moving(self):
        """May the list change between looking and asking?"""
        return self.state == "online"

    def known(self, folder, row, used=()):
        """The model's word for a row of the list; None: it may be what stays behind of one, and nobody acts
        on that before a checkpoint has found it."""
        family = self.model.families.get(row[3])
        if not family:
            raise Wrong(f"the list of {folder} shows {row[3]}, which nobody made")
        if family.taken[folder] and "\\deleted" in row[2]:
            return None
        free = [i for i in family.instances if i.place == folder and id(i) not in used]
        unsure = family.loose_flags | family.other_flags
        free.sort(key=lambda i: len((i.flags ^ set(row[2])) - unsure))
        if not free:
            if not family.loose and not family.other_place:
                raise Wrong(f"the list of {folder} shows {row[3]} (id {row[0]}, UID {row[1]}), which "
                            f"ought to be {family.instances!r}")
            family.loosen("shown where it is not, moved by others")
            return family, None
        first = free[0]
        if any(i.flags - unsure == first.flags - unsure and i.flags != first.flags for i in free):
            family.loosen("one of several that only others' flags tell apart")
        used.add(id(first))
        return family, first

    def seen_at_once(self, folder, picked, ids, present, what):
        """What was asked shows, as soon as it is queued."""
        rows = {row[0]: row for row in self.local_rows(folder)}
        for key in ids:
            if (key in rows) != present:
                families = ", ".join(family.key for family, _ in picked)
                raise Wrong(f"{what} of {families}: id {key} is {'not ' if present else 'still '}shown "
                            f"in {folder}")

    def ask(self, *words):
        """(group, n, words) or None where it said no."""
        try:
            fields = self.driver.ask(*words)
        except Told as told:
            self.note(f"    {' '.join(str(w)[:60] for w in words)}: told {told}")
            return None
        self.note(f"    {' '.join(str(w)[:60] for w in words)}: {fields}")
        return int(fields[0]), int(fields[1]), fields[2]

    def ask_of(self, verb, folder, *words):
        """Of a folder.  LIST may tell a new name before our RENAME is answered: there are two of that name
        until then, and one of them goes."""
        key = self.id_of(folder)
        answer = self.ask(verb, key, *words)
        if answer is None and self.is_moving() and \
                key not in [fields[0] for fields in self.local_folders().values()]:
            answer = self.ask(verb, self.id_of(folder), *words)
        return answer

    def must(self, *words, count=None):
        """COUNT messages, when the list cannot have changed since it was read."""
        answer = self.ask(*words)
        if answer is None:
            raise Wrong(f"{' '.join(str(w)[:80] for w in words)} was refused: {self.told[-1]}")
        if count is not None and self.state == "offline" and answer[1] != count:
            raise Wrong(f"{self.told[-1]}: {answer[1]} messages, and {count} were asked for")
        return answer

    def pushed(self, action, answer):
        """An action that can be undone, unless it merged away."""
        if answer[0]:
            self.model.actions.append(action)
            del self.model.actions[:-60]
        elif action.clean and action.items:
            raise Wrong(f"{action.kind} of {[f.key for f in action.families()]} is no action, and there "
                        "was nothing it could merge with")

    # ---- a person ----------------------------------------------------------------------------------

    def do_flag(self):
        picked = self.pick(many=9)
        if not picked:
            return
        folder, which, members, ids = picked
        name = self.random.choice(["\\seen", "\\seen", "\\flagged", "\\answered", "\\deleted",
                                   "\\draft"] + KEYWORDS)
        value = self.random.random() < 0.6
        answer = self.must("flag", self.id_of(folder),
                           ("+" if value else "-") + str(FLAGS.get(name, name)), which,
                           count=len(ids))
        self.note(f"    {'+' if value else '-'}{name} {folder} {[f.key for f, _ in members]}")
        self.pushed(self.model.ours_flag(members, name, value), answer)
        if self.random.random() < 0.3:
            rows = {row[0]: row for row in self.local_rows(folder)}
            for (family, instance), key in zip(members, ids):
                if instance and not family.is_others() and key in rows and \
                        (name in rows[key][2]) != value:
                    raise Wrong(f"{name} of {family.key} in {folder} is not shown as it was set")

    def do_move(self, verb="move"):
        picked = self.pick()
        if not picked:
            return
        folder, which, members, ids = picked
        dest = "Trash" if verb == "delete" else self.folder()
        if dest not in self.local_folders() or (dest == folder and verb != "copy"):
            return
        answer = self.must(verb, self.id_of(folder), self.id_of(dest), which, count=len(ids))
        self.note(f"    {verb} {folder} -> {dest} {[f.key for f, _ in members]}")
        if verb == "copy":
            self.pushed(self.model.ours_copy(members, dest), answer)
            return
        self.pushed(self.model.ours_move(members, dest), answer)
        if self.random.random() < 0.3 and not any(f.is_others() or f.loose for f, _ in members):
            self.seen_at_once(folder, members, ids, False, verb)
            self.seen_at_once(dest, members, ids, True, verb)

    def do_copy(self):
        self.do_move("copy")

    def do_delete(self):
        self.do_move("delete")

    def do_expunge(self):
        picked = self.pick(many=2)
        if not picked or picked[1] == "all":
            return
        folder, which, members, ids = picked
        answer = self.must("expunge", self.id_of(folder), which, count=len(ids))
        self.note(f"    expunge {folder} {[f.key for f, _ in members]}")
        self.pushed(self.model.ours_expunge(members), answer)
        self.seen_at_once(folder, members, ids, False, "expunge")

    def do_append(self):
        dest = self.folder()
        if dest not in self.local_folders():
            return
        key, raw = self.message("ours")
        names = self.random.sample(list(FLAGS), self.random.randint(0, 2))
        keywords = self.random.sample(KEYWORDS, self.random.randint(0, 1))
        sent = raw if self.random.random() < 0.5 else raw.replace("\r\n", "\n")
        answer = self.must("append", self.id_of(dest), sum(FLAGS[name] for name in names),
                           " ".join(keywords), sent)
        self.note(f"    append {key} to {dest} {names} {keywords}")
        self.pushed(self.model.ours_append(key, dest, names + keywords, raw), answer)
        if key not in [row[3] for row in self.local_rows(dest)]:
            raise Wrong(f"{key} is not shown in {dest}, to which it was appended")

    def do_create(self):
        name = self.random.choice(NAMES)
        taken = name in self.model.folders
        if "/" in name and name.rsplit("/", 1)[0] not in self.model.folders:
            return
        answer = self.ask("create", name)
        if answer is None and not taken and name in self.model.vacated:
            return              # on the server one of that name has yet to go
        if taken != (answer is None):
            raise Wrong(f"create {name}: {'there was one' if taken else self.told[-1]}")
        if taken:
            return
        clean = name not in self.model.fresh_folders
        for action in self.model.actions:
            if action.is_of_folder() and action.more["name"] == name and not clean:
                action.clean = False
        self.model.folders[name] = None
        self.model.fresh_folders.add(name)
        self.pushed(Action("create", clean=clean, name=name, old=None), answer)
        if name not in self.local_folders():
            raise Wrong(f"the new folder {name} is not shown")

    def mine(self):
        return sorted(name for name in self.model.folders if name in NAMES)

    def leaves(self):
        mine = self.mine()
        return [name for name in mine if not any(m.startswith(name + "/") for m in mine)]

    def touched(self, name):
        """A folder's earlier actions of this window may merge with what comes."""
        fresh = name in self.model.fresh_folders
        self.model.fresh_folders.add(name)
        if fresh:
            for action in self.model.actions:
                if action.is_of_folder() and name in (action.more["name"], action.more["old"]):
                    action.clean = False
        return not fresh

    def do_rename(self):
        mine = self.mine()
        if not mine:
            return
        old, new = self.random.choice(mine), self.random.choice(NAMES)
        if new in self.model.folders or new.startswith(old + "/") or "/" in new or "/" in old:
            return
        if any(name.startswith(new + "/") for name in self.model.folders):
            return
        clean = self.touched(old)
        answer = self.ask_of("rename", old, new)
        if answer is None:
            if new in self.model.vacated:
                return
            raise Wrong(f"rename {old} to {new}: {self.told[-1]}")
        self.note(f"    rename {old} to {new}")
        self.model.vacated |= {name for name in self.model.folders if (name + "/").startswith(old + "/")}
        self.model.rename(old, new)
        self.pushed(Action("rename", clean=clean, name=new, old=old), answer)
        shown = self.local_folders()
        if new not in shown or old in shown:
            raise Wrong(f"{old}, renamed to {new}: shown are {sorted(shown)}")

    def do_remove(self):
        leaves = self.leaves()
        if not leaves:
            return
        name = self.random.choice(leaves)
        clean = self.touched(name)
        answer = self.must("remove", self.id_of(name))
        self.note(f"    remove {name}")
        self.model.vacated.add(name)
        said = self.model.folders[name]
        gone = self.model.remove(name)
        for family, instance in gone:
            self.model.dirty(family)
            clean = clean and not family.is_ours()
            family.ours_place = True
            family.ours_ends += 1
            if family.other_place:
                family.loosen("its folder removed, and moved by others")
        for action in self.model.actions:
            if action.kind == "move" and any(item[2] == name for item in action.items):
                action.clean = False
        self.pushed(Action("remove", gone, clean, name=name, old=said), answer)
        if name in self.local_folders():
            raise Wrong(f"the folder {name}, which was removed, is still shown")

    def do_subscribe(self):
        mine = self.mine()
        if not mine:
            return
        name = self.random.choice(mine)
        value = self.random.random() < 0.5
        clean = self.touched(name)
        row = self.local_folders()[name]
        answer = self.must("subscribe" if value else "unsubscribe", self.id_of(name))
        old = self.model.folders[name]
        if old is None:
            old = row[3] == "1"
        self.model.folders[name] = value
        if old != value:
            self.pushed(Action("subscribe", clean=clean, name=name, old=old), answer)
        if (self.local_folders()[name][3] == "1") != value:
            raise Wrong(f"{name} is not shown as {'' if value else 'un'}subscribed")

    def do_undo(self):
        actions = self.model.actions
        doubtful = []
        for action in reversed(actions):
            doubtful.append(action)
            if action.clean:
                break
        if not doubtful or not doubtful[-1].clean:
            return
        if len(doubtful) > 1 and any(action.is_of_folder() for action in doubtful):
            return
        if len(doubtful) > 1 and self.random.random() < 0.6:
            return
        if len(doubtful) == 1 and doubtful[0].kind == "create" and \
                any(i.place == doubtful[0].more["name"] for f in self.model.families.values()
                    for i in f.instances):
            return
        answer = self.ask("undo")
        self.note(f"    undo {[(a.kind, [f.key for f in a.families()]) for a in doubtful]}")
        if len(doubtful) == 1:
            action = actions.pop()
            left = action.is_of_folder() and action.more["name"] not in self.model.folders
            if answer is None and action.kind not in ("expunge", "remove") and not left:
                raise Wrong(f"{action.kind} cannot be undone: {self.told[-2]}")
            self.model.undo(action, answer is None)
            return
        for action in doubtful:
            for family in action.families():
                family.loosen("undone, one of several")
                family.ours_place = True
                self.model.take(family, ANYWHERE)
                if action.kind in ("copy", "append"):
                    family.ours_ends += sum(item[0] is family for item in action.items)
        actions.clear()

    def do_retry_or_drop(self):
        rows = self.driver.rows("queue")
        rows = [row for row in rows if int(row[1]) <= 5 and (row[2] != "2")]
        if not rows:
            return
        row = self.random.choice(rows)
        verb = "retry" if row[2] == "3" and self.random.random() < 0.5 else "drop"
        self.note(f"    {verb} {row}")
        answer = self.ask(verb, row[0])
        if answer is not None or verb == "drop":
            self.doubt(row)

    def doubt(self, row):
        """A row of the journal was dropped or has failed: what it was to do may have been done or not."""
        shown = {fields[0] for fields in self.local_folders().values()}
        for key in filter(None, row[9].split(",")):
            family = self.model.families.get(key)
            if not family:
                continue
            family.loosen(f"row {row[0]} dropped or failed")
            family.ours_place = True
            # a copy is not made; and what stays in a folder that is to be deleted goes with it
            if row[1] in ("3", "5") or (row[1] == "2" and row[3] not in shown):
                family.ours_ends += 1
            self.model.dirty(family)

    # ---- the line and the process ------------------------------------------------------------------

    def do_offline(self):
        if self.state == "online":
            self.stop()
            self.start("offline")

    def do_online(self):
        if self.state != "online":
            self.stop()
            self.start("online")

    def do_refuse(self):
        self.line.refuse()
        self.refused = True

    def do_accept(self):
        if self.refused:
            self.line.accept()
            self.refused = False
            self.driver.ask("reconnect")

    def do_cut(self):
        self.line.cut()
        if not self.refused and self.random.random() < 0.7:
            self.driver.ask("reconnect")

    def do_cut_later(self):
        way = self.random.choice(["up", "up", "down"])
        count = self.random.randint(1, 400 if way == "up" else 1500)
        self.note(f"    {way} {count}")
        self.line.arm(way, count)

    def do_kill(self):
        time.sleep(self.random.random() * 0.01)
        self.killed()

    def do_kill_amid(self):
        """While something is being asked: whether it was, nobody can say."""
        picked = self.pick()
        if not picked:
            return
        folder, which, members, _ = picked
        dest = self.folder()
        if dest not in self.local_folders():
            return
        verb = self.random.choice([v for v in ("flag", "move", "copy", "append") if v in self.kinds] or
                                  ["flag"])
        if verb == "append":
            key, raw = self.message("ours")
            self.driver.send("append", self.id_of(dest), 0, "", raw)
            self.model.ours_append(key, dest, [], raw)
            family = self.model.families[key]
            family.loosen("killed while it was appended")
            family.base, family.ours_copies = 0, 1
        elif verb == "flag":
            name = self.random.choice(list(FLAGS))
            self.driver.send("flag", self.id_of(folder), f"+{FLAGS[name]}", which)
            self.model.ours_flag(members, name, True)
            for family, _ in members:
                family.loose_flags.add(name)
        elif folder != dest:
            self.driver.send(verb, self.id_of(folder), self.id_of(dest), which)
            getattr(self.model, "ours_" + verb)(members, dest)
            for family, _ in members:
                family.loosen(f"killed during a {verb}")
        self.model.actions.clear()
        self.note(f"    {verb} {folder} -> {dest} {[f.key for f, _ in members]}")
        time.sleep(self.random.random() * 0.004)
        self.killed()

    def do_restart(self):
        self.driver.quit()
        self.driver = None
        self.start(self.state)

    def do_open(self):
        if self.state == "online" and not self.refused:
            self.ask_freely("open", self.folder(fragile=False))

    def do_sync(self):
        if self.state == "online" and not self.refused:
            self.ask_freely("sync", *([self.folder(fragile=False)] if self.random.random() < 0.5
                                      else []))

    def ask_freely(self, *words):
        try:
            self.driver.ask(*words)
        except Told as told:
            self.note(f"    {words}: told {told}")

    def do_pause(self):
        time.sleep(self.random.random() * 0.03)
