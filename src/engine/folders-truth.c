/* Which folders are behind: the numbers the server gives of each (STATUS, LIST-STATUS, NOTIFY) are held
 * against what the mirror has, and only a folder where they differ is opened.
 *
 * A server with CONDSTORE owns up to every change by HIGHESTMODSEQ; another one's UNSEEN shows only
 * those of \Seen, so that other flags wait until the folder is opened, or synchronised because
 * somebody asked.  A folder that was read at some numbers is not read at the same ones again in this
 * session: a server whose numbers are never met is not asked for ever.
 *
 * News go before fills: those are interrupted for them, and go on behind. */
#include "engine-private.h"

#include "base/safetext.h"

typedef struct Numbers {
	unsigned present; /* of ImapStatusBit */
	uint32_t messages, unseen, uidnext, uidvalidity;
	uint64_t modseq;
} Numbers;

typedef struct Folder {
	GBytes *raw;
	Numbers said, asked, read; /* last; when reading began; at which it was read */
	bool begun;		   /* it is being read */
	bool in_news, in_fills;
} Folder;

struct Truth {
	Account *account;
	GHashTable *folders; /* GBytes -> Folder, owned */
	GQueue news, fills;  /* of Folder, borrowed */
};

static void
folder_free(Folder *folder)
{
	g_bytes_unref(folder->raw);
	g_free(folder);
}

Truth *
truth_new(Account *account)
{
	Truth *truth = g_new0(Truth, 1);

	truth->account = account;
	truth->folders =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, NULL, (GDestroyNotify)folder_free);
	g_queue_init(&truth->news);
	g_queue_init(&truth->fills);
	return truth;
}

void
truth_free(Truth *truth)
{
	if (!truth)
		return;
	g_queue_clear(&truth->news);
	g_queue_clear(&truth->fills);
	g_hash_table_unref(truth->folders);
	g_free(truth);
}

/* ---- what the server says -------------------------------------------------------------------- */

void
truth_forget_numbers(Truth *truth)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, truth->folders);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((Folder *)value)->said.present = 0;
}

/* Known by the server's bytes; INBOX in one spelling.  Only what LIST named is remembered: a server
 * cannot make us hold more names than the store does. */
static Folder *
find(Truth *truth, const char *raw, size_t size, bool make)
{
	g_autoptr(GBytes) key = g_bytes_new(raw, size);
	Folder *folder = g_hash_table_lookup(truth->folders, key);

	if (!folder && make) {
		folder = g_new0(Folder, 1);
		folder->raw = g_bytes_ref(key);
		g_hash_table_insert(truth->folders, folder->raw, folder);
	}
	return folder;
}

void
truth_heard(Truth *truth, const char *raw, size_t size, const ImapStatus *status)
{
	Folder *folder = find(truth, raw, size, true);
	Numbers *said = &folder->said;

	said->present |= status->present;
	if (status->present & IMAP_STATUS_MESSAGES)
		said->messages = status->messages;
	if (status->present & IMAP_STATUS_UNSEEN)
		said->unseen = status->unseen;
	if (status->present & IMAP_STATUS_UIDNEXT)
		said->uidnext = status->uidnext;
	if (status->present & IMAP_STATUS_UIDVALIDITY)
		said->uidvalidity = status->uidvalidity;
	if (status->present & IMAP_STATUS_HIGHESTMODSEQ)
		said->modseq = status->highestmodseq;
}

/* ---- held against what is here ----------------------------------------------------------------- */

static bool
same_numbers(const Numbers *a, const Numbers *b)
{
	return a->messages == b->messages && a->unseen == b->unseen && a->uidnext == b->uidnext &&
	       a->uidvalidity == b->uidvalidity && a->modseq == b->modseq;
}

static bool
counts_changes(const Numbers *said, const StoreMailbox *box)
{
	return said->present & IMAP_STATUS_HIGHESTMODSEQ && said->modseq && box->mirrored_modseq;
}

static bool
differs(const Numbers *said, const StoreMailbox *box, unsigned quirks)
{
	if (!box->known_from_uid) /* but what was moved there may be known by COPYUID */
		return said->messages > 0 || box->mirrored > 0;
	if (said->present & IMAP_STATUS_UIDVALIDITY && said->uidvalidity != box->uidvalidity)
		return true;
	if (said->present & IMAP_STATUS_UIDNEXT && !(quirks & IMAP_QUIRK_UIDS_MOVE) &&
	    said->uidnext != box->mirrored_uidnext)
		return true;
	if (said->present & IMAP_STATUS_MESSAGES && box->known_from_uid == 1 &&
	    said->messages != box->mirrored)
		return true;
	if (counts_changes(said, box))
		return said->modseq != box->mirrored_modseq;
	return said->present & IMAP_STATUS_UNSEEN && box->known_from_uid == 1 &&
	       said->unseen != box->unread;
}

static bool
is_on_server(const StoreMailbox *box)
{
	return box->selectable && !box->gone && !box->created && !box->deleted;
}

bool
truth_differs(Truth *truth, Line *line, const StoreMailbox *box)
{
	unsigned quirks = imap_session_quirks(connection_session(line->connection));
	const Folder *folder = find(truth, box->raw, box->raw_size, false);

	if (!is_on_server(box))
		return false;
	if (!folder || !folder->said.present || differs(&folder->said, box, quirks))
		return true;
	/* Nothing of the rest has come, or may have changed, without its number. */
	return folder->said.messages &&
	       (box->known_from_uid != 1 || !counts_changes(&folder->said, box));
}

static void
add(Folder *folder, GQueue *queue, bool *in)
{
	gsize size;
	const char *raw = g_bytes_get_data(folder->raw, &size);

	if (*in)
		return;
	*in = true;
	if (size == 5 && !memcmp(raw, "INBOX", 5))
		g_queue_push_head(queue, folder);
	else
		g_queue_push_tail(queue, folder);
}

static bool
has_work(const Truth *truth)
{
	return truth->news.length || truth->fills.length;
}

static void
look_at(Truth *truth, const StoreMailbox *box, unsigned quirks)
{
	Folder *folder = find(truth, box->raw, box->raw_size, false);

	if (!folder || !folder->said.present || !is_on_server(box) ||
	    same_numbers(&folder->said, &folder->read))
		return;
	if (box->known_from_uid && differs(&folder->said, box, quirks))
		add(folder, &truth->news, &folder->in_news);
	else if (box->known_from_uid != 1 && folder->said.messages)
		add(folder, &truth->fills, &folder->in_fills);
}

void
truth_look(Truth *truth, Line *line)
{
	unsigned quirks = imap_session_quirks(connection_session(line->connection));
	g_autoptr(GPtrArray) boxes = NULL;

	if (truth->account->engine->hold ||
	    !store_mailboxes(truth->account->engine->store, truth->account->id, &boxes, NULL))
		return;
	for (guint i = 0; i < boxes->len; i++)
		look_at(truth, g_ptr_array_index(boxes, i), quirks);
	if (has_work(truth))
		account_pump_later(truth->account);
}

void
truth_look_at(Truth *truth, Line *line, const StoreMailbox *box)
{
	if (truth->account->engine->hold)
		return;
	look_at(truth, box, imap_session_quirks(connection_session(line->connection)));
	if (has_work(truth))
		account_pump_later(truth->account);
}

bool
truth_has_news(const Truth *truth)
{
	return !g_queue_is_empty((GQueue *)&truth->news);
}

/* ---- reading what is behind ---------------------------------------------------------------------- */

static void
end_news(Truth *truth, Folder *folder)
{
	folder->read = folder->asked;
	folder->begun = folder->in_news = false;
	g_queue_remove(&truth->news, folder);
}

static void
end_fill(Truth *truth, Folder *folder)
{
	folder->in_fills = false;
	g_queue_remove(&truth->fills, folder);
}

/* It was refused: not before its numbers change. */
static void
give_up(Truth *truth, Folder *folder, Line *line)
{
	log_event(truth->account->engine->log, line->name, "a folder was left out: %s",
		  mirror_error(line->mirror)->message);
	line_forget_mailbox(line);
	folder->read = folder->said;
}

static bool
is_refused(const Line *line, const Folder *folder)
{
	return line->mirror && mirror_is(line->mirror, folder->raw) && mirror_error(line->mirror);
}

/* What is selected already hears of news only when it is asked: it is selected anew. */
static bool
begin_news(Folder *folder, Line *line)
{
	if (folder->begun)
		return true;
	if (line_owns(line, folder->raw)) {
		if (mirror_is_busy(line->mirror) || parts_is_busy(line->parts))
			return false;
		line_forget_mailbox(line);
	}
	folder->asked = folder->said;
	folder->begun = true;
	return true;
}

bool
truth_step_news(Truth *truth, Line *line)
{
	Folder *folder;

	while ((folder = g_queue_peek_head(&truth->news))) {
		const Line *owner = account_owner(truth->account, folder->raw);

		/* It is kept true there. */
		if (owner && owner != line) {
			folder->asked = folder->said;
			end_news(truth, folder);
			continue;
		}
		if (line->mirror && !mirror_is(line->mirror, folder->raw))
			mirror_hold(line->mirror);
		if (!begin_news(folder, line))
			return true;
		if (!line_need_mailbox(line, folder->raw)) {
			if (!is_refused(line, folder))
				return true;
			give_up(truth, folder, line);
			end_news(truth, folder);
			continue;
		}
		mirror_want(line->mirror, 1);
		if (!mirror_is_current(line->mirror))
			return true;
		end_news(truth, folder);
		if (!mirror_is_complete(line->mirror))
			add(folder, &truth->fills, &folder->in_fills);
	}
	return false;
}

/* Another line may have filled it meanwhile. */
static bool
is_complete(Truth *truth, const Folder *folder)
{
	g_autoptr(StoreMailbox) box = folders_box(truth->account, folder->raw);

	return box && box->known_from_uid == 1;
}

bool
truth_has_fills(Truth *truth)
{
	for (GList *at = truth->fills.head, *next; at; at = next) {
		Folder *folder = at->data;
		const Line *owner = account_owner(truth->account, folder->raw);

		next = at->next;
		if (owner && owner->role != LINE_BACKGROUND)
			continue;
		if (owner || !is_complete(truth, folder))
			return true;
		end_fill(truth, folder);
	}
	return false;
}

/* The first that no other line looks after, the one under way before all. */
static Folder *
next_fill(Truth *truth, Line *line)
{
	for (GList *at = truth->fills.head, *next; at; at = next) {
		Folder *folder = at->data;
		Line *owner = account_owner(truth->account, folder->raw);

		next = at->next;
		if (!owner || owner == line)
			return folder;
		if (mirror_is_complete(owner->mirror))
			end_fill(truth, folder);
		else
			line->waits_on = owner;
	}
	return NULL;
}

/* One step of FOLDER's; true while it is not here in full. */
static bool
fill(Truth *truth, Folder *folder, Line *line)
{
	if (!line_owns(line, folder->raw) && is_complete(truth, folder))
		return false;
	if (!line_need_mailbox(line, folder->raw)) {
		if (!is_refused(line, folder))
			return true;
		give_up(truth, folder, line);
		return false;
	}
	connection_compress(line->connection);
	mirror_want(line->mirror, 1);
	if (!mirror_is_current(line->mirror))
		return true;
	if (!mirror_is_complete(line->mirror)) {
		mirror_fill(line->mirror);
		return true;
	}
	folder->read = folder->said;
	return mirror_is_busy(line->mirror);
}

bool
truth_step_fills(Truth *truth, Line *line)
{
	Line *interactive = account_line(truth->account);
	Folder *folder;

	/* What the person looks at fills first. */
	if (interactive != line && interactive->mirror &&
	    !mirror_is_complete(interactive->mirror) && !mirror_error(interactive->mirror) &&
	    truth->account->home_fill) {
		line->waits_on = interactive;
		return true;
	}
	while ((folder = next_fill(truth, line))) {
		if (fill(truth, folder, line))
			return true;
		end_fill(truth, folder);
	}
	return truth_has_fills(truth);
}
