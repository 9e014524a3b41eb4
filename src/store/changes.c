/* What the server says of messages that are here: their flags, and that they are gone. */
#include "journal-private.h"

#define WIRE_FLAGS                                                                                 \
	(STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED | STORE_FLAG_DELETED |         \
	 STORE_FLAG_DRAFT | STORE_FLAG_RECENT)

/* ---- flags -------------------------------------------------------------------------------------- */

bool
store_keywords_get(Store *store, StoreId message, char **keywords, GError **error)
{
	g_autoptr(StoreQuery) find = store_query(store, SQL_MESSAGE_KEYWORDS, error);
	bool row;

	if (!find)
		return false;
	sqlite3_bind_int64(find, 1, message);
	if (!store_step(store, find, &row, error))
		return false;
	if (!row)
		return store_fail_damaged(store, "order and rows disagree", error);
	*keywords = store_column_text(find, 0);
	return true;
}

bool
store_keywords_set(Store *store, StoreId message, Span keywords, bool *differed, GError **error)
{
	g_autoptr(StoreQuery) find = store_query(store, SQL_MESSAGE_KEYWORDS, error);
	g_autoptr(StoreQuery) set = store_query(store, SQL_MESSAGE_KEYWORDS_SET, error);
	bool row;

	if (!find || !set)
		return false;
	sqlite3_bind_int64(find, 1, message);
	if (!store_step(store, find, &row, error))
		return false;
	if (!row)
		return store_fail_damaged(store, "uids and rows disagree", error);
	if (span_equals(keywords, span_of(sqlite3_column_blob(find, 0),
					  (size_t)sqlite3_column_bytes(find, 0))))
		return true;
	*differed = true;
	sqlite3_reset(find);
	sqlite3_bind_int64(set, 1, message);
	store_bind_text(set, 2, keywords);
	return store_run(store, set, NULL, error);
}

/* The edits of one order, and what each is to say. */
typedef struct Group {
	Sheet *sheet;
	GArray *edits; /* of OrderEdit; tags are indexes into CHANGES */
} Group;

/* One call of store_messages_flag. */
typedef struct Flagging {
	Store *store;
	Desk desk;
	Sheet *sheet;	/* of the mailbox */
	GArray *groups; /* of Group; the first is the mailbox's own */
	StoreFlagChange
	    *changes; /* as they are to be shown; of those laid over, keywords are in POOL */
	GStringChunk *pool;
	bool any_open;
} Flagging;

static void
group_clear(void *data)
{
	g_array_unref(((Group *)data)->edits);
}

static GArray *
edits_of(Flagging *flagging, Sheet *sheet)
{
	Group group = { .sheet = sheet };

	for (guint i = 0; i < flagging->groups->len; i++) {
		const Group *known = &g_array_index(flagging->groups, Group, i);

		if (known->sheet == sheet)
			return known->edits;
	}
	group.edits = g_array_new(FALSE, FALSE, sizeof(OrderEdit));
	g_array_append_val(flagging->groups, group);
	return group.edits;
}

/* With what waits on top. */
static bool
lay_over(Flagging *flagging, StoreId id, StoreFlagChange *change, GError **error)
{
	Overlay overlay;

	if (!journal_overlay(flagging->store, id, change->flags, change->keywords, &overlay, error))
		return false;
	change->flags = overlay.flags;
	if (overlay.keywords)
		change->keywords =
		    span_of_string(g_string_chunk_insert(flagging->pool, overlay.keywords));
	g_free(overlay.keywords);
	return true;
}

/* Where the message stands, when its UID is hidden; *SHEET NULL: it is a leftover. */
static bool
stands_elsewhere(Flagging *flagging, uint32_t uid, StoreId id, Sheet **sheet, uint32_t *there,
		 GError **error)
{
	bool hidden, leftover, found;
	Place place;

	if (!uid_is_hidden(flagging->store, (*sheet)->head.epoch, uid, &hidden, &leftover, error))
		return false;
	if (!hidden)
		return true;
	*sheet = NULL;
	if (leftover)
		return true;
	if (!place_find(flagging->store, id, &place, &found, error))
		return false;
	if (!found)
		return store_fail_damaged(flagging->store, "hidden UIDs", error);
	*there = place.uid;
	*sheet = desk_epoch(&flagging->desk, place.epoch, error);
	return *sheet != NULL;
}

/* Makes an edit for one change, where its message stands. */
static bool
flag_edit(Flagging *flagging, size_t i, GError **error)
{
	StoreFlagChange *change = &flagging->changes[i];
	Sheet *sheet = flagging->sheet;
	OrderEdit edit = { .kind = ORDER_FLAGS, .keep = STORE_FLAG_ATTACHMENT, .tag = i };
	uint32_t uid = change->uid;
	Known known;

	if (!uid_find(flagging->store, sheet->head.epoch, uid, &known, error))
		return false;
	if (!known.id || (change->modseq && change->modseq < known.modseq))
		return true;
	if (sheet->head.hidden &&
	    !stands_elsewhere(flagging, change->uid, known.id, &sheet, &uid, error))
		return false;
	change->flags &= WIRE_FLAGS;
	if (sheet) {
		if (flagging->any_open && !lay_over(flagging, known.id, change, error))
			return false;
		edit.record = order_record(known.date, uid, known.id, 0);
		edit.set = flags_with_keywords(change->flags, change->keywords);
		g_array_append_val(edits_of(flagging, sheet), edit);
	}
	if (change->modseq <= known.modseq)
		return true;
	known.modseq = change->modseq;
	return uid_write(flagging->store, SQL_UID_UPDATE, flagging->sheet->head.epoch, change->uid,
			 &known, error);
}

static bool
group_apply(Flagging *flagging, Group *group, size_t *changed, GError **error)
{
	bool order_changed, keywords_changed = false;

	if (!order_apply(flagging->store, &group->sheet->head, group->edits, &order_changed, error))
		return false;
	for (guint i = 0; i < group->edits->len; i++) {
		const OrderEdit *edit = &g_array_index(group->edits, OrderEdit, i);
		Span keywords = flagging->changes[edit->tag].keywords;
		bool differed = false;

		if (((edit->was & STORE_FLAG_KEYWORDS) || !span_is_empty(keywords)) &&
		    !store_keywords_set(flagging->store, order_id(edit->record), keywords,
					&differed, error))
			return false;
		keywords_changed |= differed;
		*changed += differed || edit->was != edit->now;
	}
	group->sheet->touched |= keywords_changed && !order_changed;
	return true;
}

static bool
flag_all(Flagging *flagging, StoreId mailbox, size_t n, size_t *changed, GError **error)
{
	flagging->sheet = desk_mailbox(&flagging->desk, mailbox, error);
	if (!flagging->sheet || !journal_any(flagging->store, &flagging->any_open, error))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!flag_edit(flagging, i, error))
			return false;
	}
	for (guint i = 0; i < flagging->groups->len; i++) {
		if (!group_apply(flagging, &g_array_index(flagging->groups, Group, i), changed,
				 error))
			return false;
	}
	return desk_apply(&flagging->desk, error);
}

static bool
messages_flag(Store *store, StoreId mailbox, const StoreFlagChange *changes, size_t n,
	      size_t *changed, GError **error)
{
	Flagging flagging = {
		.store = store,
		.groups = g_array_new(FALSE, FALSE, sizeof(Group)),
		.changes = g_memdup2(changes, n * sizeof *changes),
		.pool = g_string_chunk_new(1024),
	};
	bool ok;

	desk_init(&flagging.desk, store);
	g_array_set_clear_func(flagging.groups, group_clear);
	ok = flag_all(&flagging, mailbox, n, changed, error);
	g_array_unref(flagging.groups);
	g_free(flagging.changes);
	g_string_chunk_free(flagging.pool);
	desk_clear(&flagging.desk);
	return ok;
}

bool
store_messages_flag(Store *store, StoreId mailbox, const StoreFlagChange *changes, size_t n,
		    size_t *changed, GError **error)
{
	size_t count = 0;

	if (!store_write_begin(store, error))
		return false;
	if (!store_write_end(store, messages_flag(store, mailbox, changes, n, &count, error),
			     error))
		return false;
	if (changed)
		*changed = count;
	return true;
}

/* ---- removing ----------------------------------------------------------------------------------- */

static bool
message_remove(Desk *desk, Sheet *sheet, uint32_t uid, StoreId id, int64_t date, GError **error)
{
	desk_edit(sheet, ORDER_REMOVE, order_record(date, uid, id, 0));
	return uid_delete(desk->store, sheet->head.epoch, uid, error) &&
	       journal_run(desk->store, SQL_MESSAGE_DELETE, id, 0, 0, 0, error) &&
	       store_parts_drop(desk->store, id, error);
}

/* It is kept as long as something waits for it: where the journal has put it, or else nowhere. */
static bool
message_keep(Desk *desk, const Sheet *sheet, StoreId id, const GPtrArray *claims, GError **error)
{
	Place place;
	bool found, wanted = false;

	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->kind == STORE_INTENT_MOVE && claim->target != STORE_TARGET_GONE)
			wanted = claim->dest == sheet->head.mailbox;
	}
	if (!place_unlocate(desk, id, error) || !place_find(desk->store, id, &place, &found, error))
		return false;
	return wanted || !found || journal_aside(desk, &place, error);
}

bool
store_uid_gone(Desk *desk, Sheet *sheet, uint32_t uid, StoreId id, int64_t date, bool any_open,
	       GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;
	bool hidden = false, leftover;

	if (sheet->head.hidden &&
	    !uid_is_hidden(desk->store, sheet->head.epoch, uid, &hidden, &leftover, error))
		return false;
	if (hidden)
		return place_unhide(desk, sheet, uid, error) &&
		       (leftover || journal_release(desk, id, error));
	if (any_open && !journal_claims(desk->store, id, &claims, error))
		return false;
	if (claims && claims->len > 0)
		return message_keep(desk, sheet, id, claims, error);
	return message_remove(desk, sheet, uid, id, date, error);
}

static bool
remove_all(Desk *desk, StoreId mailbox, const uint32_t *uids, size_t n, size_t *removed,
	   GError **error)
{
	Sheet *sheet = desk_mailbox(desk, mailbox, error);
	bool any_open;

	if (!sheet || !journal_any(desk->store, &any_open, error))
		return false;
	for (size_t i = 0; i < n; i++) {
		Known known;

		if (!uid_find(desk->store, sheet->head.epoch, uids[i], &known, error))
			return false;
		if (!known.id)
			continue;
		++*removed;
		if (!store_uid_gone(desk, sheet, uids[i], known.id, known.date, any_open, error))
			return false;
	}
	return desk_apply(desk, error);
}

static bool
messages_remove(Store *store, StoreId mailbox, const uint32_t *uids, size_t n, size_t *removed,
		GError **error)
{
	g_auto(Desk) desk = { 0 };

	desk_init(&desk, store);
	return remove_all(&desk, mailbox, uids, n, removed, error);
}

bool
store_messages_remove(Store *store, StoreId mailbox, const uint32_t *uids, size_t n,
		      size_t *removed, GError **error)
{
	size_t count = 0;

	if (!store_write_begin(store, error))
		return false;
	if (!store_write_end(store, messages_remove(store, mailbox, uids, n, &count, error), error))
		return false;
	if (removed)
		*removed = count;
	return true;
}
