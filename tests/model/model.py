"""What ought to be: every message and where it stands, what may have been changed by two at once.

A history is cut into windows by checkpoints, at which everything has left the queue and been mirrored.
A message and its copies are a family, named by their subject.  Where only we acted on a family in a
window, or only other clients, or both on different things, the model knows exactly what must come of it.
Where both moved it, or changed the same flag, either may have been first: then the flag is loose, or the
whole family is, and of a loose one only this is asked: that no copy was lost and none came from nowhere.

A server without UIDPLUS cannot expunge one message: what we moved or expunged stays where it was, marked
\\Deleted, as a message that anybody may see (and expunge: other clients do).  The model knows from where
we took something away in a window; there, as often, and only with \\Deleted, one more may be.  From the
next window on it is an instance like any other.
"""

import collections
import itertools

FLAGS = {"\\seen": 1, "\\answered": 2, "\\flagged": 4, "\\deleted": 8, "\\draft": 16}


ANYWHERE = None                 # of a loose family: nobody knows from where it was taken


class Wrong(Exception):
    """The promise that was broken."""


class Instance:
    __slots__ = ("place", "flags")

    def __init__(self, place, flags=()):
        self.place, self.flags = place, set(flags)

    def __repr__(self):
        return f"{self.place}({' '.join(sorted(self.flags))})"


class Family:
    def __init__(self, key, base=1):
        self.key = key
        self.content = None         # of one that we appended: what the server must have
        self.instances = []
        self.loose = False
        self.loose_flags = set()
        self.why = []
        self.other_appended = False # in this window: it may not have come to us yet
        self.open_window()
        self.base = base

    def open_window(self):
        self.base = len(self.instances)
        self.loose = False
        self.loose_flags = set()
        self.why = []
        self.ours_place = self.other_place = self.other_appended = False
        self.ours_flags, self.other_flags = set(), set()
        self.taken = collections.Counter()      # by us, from where: without UIDPLUS it may be left there
        self.purged = collections.Counter()     # of these, by others
        self.ever_deleted = any("\\deleted" in i.flags for i in self.instances)
        self.ours_copies = self.ours_ends = self.other_copies = self.other_ends = 0

    def is_ours(self):
        return self.ours_place or bool(self.ours_flags)

    def is_others(self):
        return self.other_place or bool(self.other_flags)

    def loosen(self, why):
        self.loose = True
        self.why.append(why)

    def at(self, place, flags=None):
        """The instance in PLACE, the likeliest of several."""
        found = [instance for instance in self.instances if instance.place == place]
        if flags is not None:
            found.sort(key=lambda instance: len(instance.flags ^ set(flags)))
        return found[0] if found else None

    def ambiguous(self, place):
        """Several that other clients could mean by it."""
        if len(self.instances) == 1:
            return False
        return self.ours_place or sum(i.place == place for i in self.instances) != 1

    # ---- what the server must have -------------------------------------------------------------

    def bounds(self):
        """Of a loose family: at least and at most so many."""
        sure = self.base + self.other_copies - self.other_ends
        return max(0, sure - self.ours_ends), sure + self.ours_copies

    def may_be_left(self, found, place, purged=True):
        """How many in PLACE may be what we took away from there."""
        most = self.taken[place] - (self.purged[place] if purged else 0)
        return min(most, sum(p == place and "\\deleted" in flags for p, flags in found))

    def without_left(self, found, purged):
        """FOUND, each way without what we left behind with \\Deleted."""
        ways = [[]]
        for place in sorted({p for p, _ in found}):
            here = [row for row in found if row[0] == place]
            extra = len(here) - sum(i.place == place for i in self.instances)
            if not 0 < extra <= self.may_be_left(found, place, purged):
                ways = [way + here for way in ways]
                continue
            marked = [n for n, row in enumerate(here) if "\\deleted" in row[1]]
            ways = [way + [row for n, row in enumerate(here) if n not in left]
                    for way in ways for left in itertools.combinations(marked, extra)]
        return ways

    def agrees(self, found, purged=True):
        """FOUND: [(place, flags)].  None, or what is wrong.  PURGED: what others expunged is gone."""
        if self.loose:
            low, high = self.bounds()
            left = sum("\\deleted" in flags for _, flags in found)
            left = min(left, self.taken[ANYWHERE] + sum(self.may_be_left(found, place)
                                                        for place in {p for p, _ in found}))
            if low <= len(found) <= high + left:
                return None
            return f"{low} to {high} of it, {left} left, loose: {'; '.join(self.why)}"
        wrong = None
        for way in self.without_left(found, purged):
            wrong = self.agrees_without(way)
            if wrong is None:
                return None
        return wrong + (f", taken from {dict(self.taken)}" if self.taken else "")

    def agrees_without(self, found):
        mine = sorted((i.place, sorted(i.flags - self.loose_flags)) for i in self.instances)
        theirs = sorted((place, sorted(set(flags) - self.loose_flags)) for place, flags in found)
        if mine == theirs or pooled(mine) == pooled(theirs):
            return None
        return f"{self.instances!r}" + (f" (loose: {self.loose_flags})" if self.loose_flags else "")


def pooled(rows):
    """Which of several in one folder is which, nobody can say when an answer was lost: so many of them
    have each flag."""
    return collections.Counter((place, flag) for place, flags in rows for flag in [None, *flags])


class Action:
    """What undo takes back."""

    def __init__(self, kind, items=(), clean=True, meant=(), **more):
        self.kind, self.items, self.clean = kind, list(items), clean
        self.meant = set(meant)     # families, also those of which nothing was to be changed
        self.more = more            # name, old: of folders

    def families(self):
        return {item[0] for item in self.items} | self.meant

    def is_of_folder(self):
        return self.kind in ("create", "rename", "remove", "subscribe")


class Model:
    def __init__(self, leaves=False):
        self.leaves = leaves        # the server has no UIDPLUS
        self.families = {}
        self.folders = {}           # name: subscribed, or None where nobody said
        self.fresh_folders = set()  # touched by us in this window
        self.vacated = set()        # names that nothing here has any more, in this window
        self.actions = []           # the last that can be undone is the last

    # ---- folders -----------------------------------------------------------------------------------

    def rename(self, old, new):
        def renamed(name):
            return new + name[len(old):] if name == old or name.startswith(old + "/") else name
        self.folders = {renamed(name): said for name, said in self.folders.items()}
        self.fresh_folders = {renamed(name) for name in self.fresh_folders} | {new}
        for family in self.families.values():
            for instance in family.instances:
                instance.place = renamed(instance.place)
            family.taken = collections.Counter({p and renamed(p): n for p, n in family.taken.items()})
            family.purged = collections.Counter({renamed(p): n for p, n in family.purged.items()})
        for action in self.actions:
            action.items = [tuple(renamed(x) if isinstance(x, str) and k == 2 else x
                                  for k, x in enumerate(item))
                            if action.kind in ("move",) else item for item in action.items]

    def remove(self, name):
        """What was in it goes with it: [(family, instance)]"""
        gone = []
        self.folders.pop(name, None)
        for family in self.families.values():
            for instance in [i for i in family.instances if i.place == name]:
                family.instances.remove(instance)
                gone.append((family, instance))
            if family.loose or family.other_place:      # it may have stood there, for all we know
                family.ours_ends += 1
        return gone

    # ---- ours ------------------------------------------------------------------------------------

    def dirty(self, family, kinds=None):
        """What waits of FAMILY may merge with what comes: undo will not meet it as it was."""
        for action in self.actions:
            if (kinds is None or action.kind in kinds) and family in action.families():
                action.clean = False

    def ours_flag(self, picked, flag, value):
        """PICKED: [(family, instance or None)]"""
        items, clean = [], True
        for family, instance in picked:
            if flag in family.ours_flags:
                clean = False
                self.dirty(family, ("flag",))
            family.ours_flags.add(flag)
            family.ever_deleted |= flag == "\\deleted"
            if flag in family.other_flags or family.other_place:
                family.loose_flags.add(flag)
            if family.loose or flag in family.loose_flags or instance is None:
                clean = False
            if instance is None:
                items.append((family, None, None))
            elif (flag in instance.flags) != value:
                (instance.flags.add if value else instance.flags.discard)(flag)
                items.append((family, instance, flag, value))
        return Action("flag", items, clean, {family for family, _ in picked})

    def take(self, family, place):
        """We take an instance away from PLACE."""
        if self.leaves:
            family.taken[place] += 1

    def _place_by_us(self, family, merges=True):
        clean = not family.ours_place and not family.loose
        if family.ours_place and merges:
            self.dirty(family, ("move", "copy", "append", "expunge"))
        family.ours_place = True
        if family.other_place:
            family.loosen("moved by both")
            family.loose_flags |= family.ours_flags
            clean = False
        return clean

    def ours_move(self, picked, dest):
        items, clean = [], True
        for family, instance in picked:
            clean = self._place_by_us(family) and clean
            if family.other_place:
                family.ours_copies += 1
            if instance is None:
                clean = False
                self.take(family, ANYWHERE)
                items.append((family, None, None))
                continue
            items.append((family, instance, instance.place))
            self.take(family, instance.place)
            instance.place = dest
        return Action("move", items, clean)

    def ours_copy(self, picked, dest):
        items, clean = [], True
        for family, instance in picked:
            clean = self._place_by_us(family, merges=False) and clean
            family.ours_copies += 1
            family.loose_flags |= family.other_flags
            if instance is None:
                clean = False
                items.append((family, None))
                continue
            new = Instance(dest, instance.flags)
            family.instances.append(new)
            items.append((family, new))
        return Action("copy", items, clean)

    def ours_expunge(self, picked):
        items, clean = [], True
        for family, instance in picked:
            self.dirty(family)
            clean = self._place_by_us(family) and clean
            family.ours_ends += 1
            if instance is None:
                clean = False
                self.take(family, ANYWHERE)
                items.append((family, None))
                continue
            family.instances.remove(instance)
            self.take(family, instance.place)
            items.append((family, instance))
        return Action("expunge", items, clean)

    def ours_append(self, key, place, flags, content):
        family = self.families[key] = Family(key)
        family.instances.append(Instance(place, flags))
        family.ever_deleted = "\\deleted" in family.instances[0].flags
        family.content = content
        family.ours_place = True
        return Action("append", [(family, family.instances[0])], True)

    def undo(self, action, told_no):
        """ACTION, a clean one, is taken back; TOLD_NO: the engine said that it cannot be."""
        if told_no:
            return
        for family, instance, *rest in action.items:
            if action.kind == "flag":
                flag, value = rest
                family.ours_flags.add(flag)
                (instance.flags.discard if value else instance.flags.add)(flag)
                if family.other_place or flag in family.other_flags:
                    family.loose_flags.add(flag)
                continue
            family.ours_place = True
            if family.other_place:
                family.loosen("undone, and moved by others")
            if action.kind == "move":
                self.take(family, instance.place)
                instance.place = rest[0]
            elif action.kind in ("copy", "append"):
                family.ours_ends += 1
                self.take(family, instance.place)
                if instance in family.instances:
                    family.instances.remove(instance)
            elif action.kind in ("expunge", "remove"):
                family.instances.append(instance)
                family.loose_flags |= family.ours_flags
        if action.is_of_folder():
            self.vacated.add(action.more["name"])
        if action.kind == "create":
            self.folders.pop(action.more["name"], None)
        elif action.kind == "remove":
            self.folders[action.more["name"]] = action.more["old"]
        elif action.kind == "rename":
            self.rename(action.more["name"], action.more["old"])
        elif action.kind == "subscribe":
            self.folders[action.more["name"]] = action.more["old"]

    # ---- other clients -------------------------------------------------------------------------------

    def other_flag(self, family, place, flag, value):
        family.other_flags.add(flag)
        if flag in family.ours_flags or family.ours_place or family.ambiguous(place):
            family.loose_flags.add(flag)
        instance = family.at(place) if len(family.instances) > 1 else \
            family.instances[0] if family.instances else None
        if instance:
            (instance.flags.add if value else instance.flags.discard)(flag)

    def _place_by_others(self, family, place):
        family.other_place = True
        family.loose_flags |= family.ours_flags
        if family.ours_place:
            family.loosen("moved by us, then by others")
        elif family.ambiguous(place):
            family.loosen("one of several moved by others")
        return None if family.loose else family.at(place)

    def other_move(self, family, place, dest):
        instance = self._place_by_others(family, place)
        if family.ours_place:
            family.ours_copies += 1     # Dovecot lets two sessions move one message at a time, twice
        if instance:
            instance.place = dest

    def other_copy(self, family, place, dest, flags):
        instance = self._place_by_others(family, place)
        family.other_copies += 1
        if instance:
            family.instances.append(Instance(dest, flags))

    def other_expunge(self, family, place):
        instance = self._place_by_others(family, place)
        if family.ours_place:
            family.ours_ends += 1       # who saw it vanish need not have been the one
        else:
            family.other_ends += 1
        if instance:
            family.instances.remove(instance)

    def other_purge(self, family, place, many):
        """MANY of it, marked \\Deleted, went with an EXPUNGE."""
        if family.ours_place and self.leaves and not family.ever_deleted:
            family.purged[place] += many    # nobody marked it but we, when it had been taken away
            return
        marked = [i for i in family.instances if i.place == place and "\\deleted" in i.flags]
        if not family.is_ours() and not family.loose and len(marked) == many:
            family.other_place = True
            family.other_ends += many
            for instance in marked:
                family.instances.remove(instance)
            return
        for _ in range(many):
            self.other_expunge(family, place)
        family.loosen("purged by others")

    def other_append(self, key, place, flags):
        family = self.families[key] = Family(key)
        family.instances.append(Instance(place, flags))
        family.other_appended = True

    # ---- checkpoints ---------------------------------------------------------------------------------

    def compare(self, server):
        """SERVER: {folder: [(uid, flags, subject)]}.  Raises Wrong."""
        found = {key: [] for key in self.families}
        for folder, rows in server.items():
            for _, flags, subject in rows:
                if subject not in found:
                    raise Wrong(f"the server has {subject} in {folder}, which nobody made")
                found[subject].append((folder, flags))
        complaints = []
        for key, family in self.families.items():
            expected = family.agrees(found[key])
            if expected is not None:
                complaints.append(f"{key}: the server has "
                                  f"{[(p, ' '.join(sorted(f))) for p, f in found[key]]}, "
                                  f"the model {expected}")
        if complaints:
            raise Wrong("\n".join(complaints))
        return found

    def open_window(self, found):
        """FOUND, by compare, is what is so now."""
        for key, family in list(self.families.items()):
            touched = family.is_others() or family.loose
            if touched:
                self.dirty(family)
            if family.loose or family.loose_flags or len(found[key]) != len(family.instances):
                # which of several is which does not matter any more
                family.instances = [Instance(place, flags) for place, flags in found[key]]
                self.dirty(family)
            family.open_window()
            if not family.instances:
                self.families[key].content = None
        self.fresh_folders, self.vacated = set(), set()
        if any(not action.clean and action.is_of_folder() for action in self.actions):
            self.actions = []


def flags_of(number, keywords):
    return frozenset(itertools.chain(
        (name for name, bit in FLAGS.items() if int(number) & bit), keywords.split()))
