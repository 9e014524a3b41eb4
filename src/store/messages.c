/* Messages on their way in. */
#include "order-private.h"

#define WIRE_FLAGS                                                                                 \
	(STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED | STORE_FLAG_DELETED |         \
	 STORE_FLAG_DRAFT | STORE_FLAG_RECENT)

/* A message that is here already. */
typedef struct Known {
	StoreId id; /* 0: it is not */
	int64_t date;
	uint64_t modseq;
} Known;

static bool
uid_find(Store *store, int64_t epoch, uint32_t uid, Known *known, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UID_FIND, error);
	bool row;

	*known = (Known){ 0 };
	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, uid);
	if (!store_step(store, query, &row, error))
		return false;
	if (row) {
		known->id = sqlite3_column_int64(query, 0);
		known->date = sqlite3_column_int64(query, 1);
		known->modseq = (uint64_t)sqlite3_column_int64(query, 2);
		if (known->id <= 0 || known->id > ORDER_ID_MAX)
			return store_fail_damaged(store, "identity", error);
	}
	return true;
}

static bool
uid_any(Store *store, int64_t epoch, uint32_t from, uint32_t to, bool *any, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UID_ANY, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, from);
	sqlite3_bind_int64(query, 3, to);
	return store_step(store, query, any, error);
}

static bool
uid_write(Store *store, Sql sql, int64_t epoch, uint32_t uid, const Known *known, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);
	int column = 3;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, uid);
	if (sql == SQL_UID_ADD)
		sqlite3_bind_int64(query, column++, known->id);
	sqlite3_bind_int64(query, column, known->date);
	sqlite3_bind_int64(query, column + 1, (sqlite3_int64)known->modseq);
	return store_run(store, query, NULL, error);
}

/* ---- adding ----------------------------------------------------------------------------------- */

static uint16_t
flags_with_keywords(uint16_t flags, Span keywords)
{
	return span_is_empty(keywords) ? (uint16_t)(flags & ~STORE_FLAG_KEYWORDS)
				       : (uint16_t)(flags | STORE_FLAG_KEYWORDS);
}

static int
bind_message(StoreQuery *query, const StoreMessage *message, int64_t date)
{
	int rc = 0;

	sqlite3_bind_int64(query, 4, date);
	sqlite3_bind_int64(query, 5, (sqlite3_int64)((uint64_t)message->received - (uint64_t)date));
	sqlite3_bind_int(query, 6, message->zone_min);
	sqlite3_bind_int64(query, 7, (sqlite3_int64)message->size);
	sqlite3_bind_int(query, 8, message->attachments);
	rc |= store_bind_text(query, 9, message->keywords);
	rc |= store_bind_text(query, 10, message->subject);
	rc |= store_bind_text(query, 11, message->from);
	rc |= store_bind_text(query, 12, message->to);
	rc |= store_bind_text(query, 13, message->cc);
	/* Servers repeat From there when the header is missing (RFC 9051, 7.5.2). */
	if (!span_is_empty(message->from) && span_equals(message->from, message->reply_to))
		rc |= sqlite3_bind_int(query, 14, 1);
	else
		rc |= store_bind_text(query, 14, message->reply_to);
	rc |= store_bind_text(query, 15, message->message_id);
	rc |= store_bind_text(query, 16, message->in_reply_to);
	rc |= store_bind_blob(query, 17, message->structure);
	return rc;
}

static bool
message_write(Store *store, Sql sql, const StoreHead *head, const Known *known,
	      const StoreMessage *message, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);
	int rc;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, known->id);
	sqlite3_bind_int64(query, 2, head->epoch);
	sqlite3_bind_int64(query, 3, message->uid);
	rc = bind_message(query, message, known->date);
	if (rc != SQLITE_OK)
		return store_fail(store, rc, error);
	return store_run(store, query, NULL, error);
}

static bool
message_add(Store *store, const StoreHead *head, const StoreMessage *message, GArray *edits,
	    GError **error)
{
	Known known = {
		.id = store->next_message,
		.date = order_clamp_date(message->date),
		.modseq = message->modseq,
	};
	OrderEdit edit = { .kind = ORDER_INSERT };

	if (known.id > ORDER_ID_MAX) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the mail cache %s has had too many messages: move it away"),
			    store->path);
		return false;
	}
	store->next_message++;
	store->state_changed = true;
	edit.record = order_record(known.date, message->uid, known.id,
				   flags_with_keywords(message->flags, message->keywords));
	g_array_append_val(edits, edit);
	return uid_write(store, SQL_UID_ADD, head->epoch, message->uid, &known, error) &&
	       message_write(store, SQL_MESSAGE_ADD, head, &known, message, error);
}

static bool
message_update(Store *store, const StoreHead *head, const StoreMessage *message, Known known,
	       GArray *edits, GError **error)
{
	int64_t date = order_clamp_date(message->date);
	uint64_t modseq = message->modseq ? message->modseq : known.modseq;
	OrderEdit edit = {
		.record = order_record(known.date, message->uid, known.id, 0),
		.kind = ORDER_FLAGS,
		.set = flags_with_keywords(message->flags, message->keywords),
	};

	if (span_is_empty(message->structure)) {
		edit.keep = STORE_FLAG_ATTACHMENT;
		edit.set &= (uint16_t)~STORE_FLAG_ATTACHMENT;
	}
	if (date != known.date) {
		OrderRecord now;
		uint32_t rank;
		bool found;
		Order *order;

		/* It moves: out there, in here, with the flags it is to have. */
		if (!order_open(store, head, &order, error) ||
		    !order_rank(store, order, edit.record, &rank, &found, &now, error))
			return false;
		if (!found)
			return store_fail_damaged(store, "order and rows disagree", error);
		edit.kind = ORDER_REMOVE;
		g_array_append_val(edits, edit);
		edit.kind = ORDER_INSERT;
		edit.record = order_record(date, message->uid, known.id,
					   (uint16_t)((order_flags(now) & edit.keep) | edit.set));
	}
	g_array_append_val(edits, edit);
	if (date != known.date || modseq != known.modseq) {
		known.date = date;
		known.modseq = modseq;
		if (!uid_write(store, SQL_UID_UPDATE, head->epoch, message->uid, &known, error))
			return false;
	}
	return message_write(store, SQL_MESSAGE_UPDATE, head, &known, message, error);
}

typedef struct Pick {
	uint32_t uid;
	size_t index;
} Pick;

static int
compare_picks(gconstpointer a, gconstpointer b)
{
	const Pick *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Which messages to take, by ascending UID: of equal ones the last. */
static GArray *
pick_by_uid(const StoreMessage *messages, size_t n)
{
	GArray *picks = g_array_sized_new(FALSE, FALSE, sizeof(Pick), (guint)n);
	bool sorted = true;
	guint kept = 0;

	for (size_t i = 0; i < n; i++) {
		Pick pick = { messages[i].uid, i };

		sorted = sorted && (i == 0 || messages[i - 1].uid < pick.uid);
		g_array_append_val(picks, pick);
	}
	if (sorted)
		return picks;
	g_array_sort(picks, compare_picks);
	for (guint i = 0; i < picks->len; i++) {
		Pick *pick = &g_array_index(picks, Pick, i);

		if (i + 1 == picks->len || pick[1].uid != pick->uid)
			g_array_index(picks, Pick, kept++) = *pick;
	}
	g_array_set_size(picks, kept);
	return picks;
}

static bool
messages_put(Store *store, StoreId mailbox, const StoreMessage *messages, size_t n, GError **error)
{
	g_autoptr(GArray) picks = pick_by_uid(messages, n);
	g_autoptr(GArray) edits = g_array_sized_new(FALSE, FALSE, sizeof(OrderEdit), (guint)n);
	StoreHead head;
	bool any, changed;

	if (!store_head_load(store, mailbox, &head, error))
		return false;
	if (g_array_index(picks, Pick, 0).uid == 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("a message without a UID cannot be kept"));
		return false;
	}
	if (!uid_any(store, head.epoch, g_array_index(picks, Pick, 0).uid,
		     g_array_index(picks, Pick, picks->len - 1).uid, &any, error))
		return false;
	for (guint i = 0; i < picks->len; i++) {
		const StoreMessage *message = &messages[g_array_index(picks, Pick, i).index];
		Known known = { 0 };

		if (any && !uid_find(store, head.epoch, message->uid, &known, error))
			return false;
		if (known.id ? !message_update(store, &head, message, known, edits, error)
			     : !message_add(store, &head, message, edits, error))
			return false;
	}
	if (!order_apply(store, &head, edits, &changed, error))
		return false;
	return changed || store_head_save(store, &head, error);
}

bool
store_messages_put(Store *store, StoreId mailbox, const StoreMessage *messages, size_t n,
		   GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, n == 0 || messages_put(store, mailbox, messages, n, error),
			       error);
}

/* ---- flags -------------------------------------------------------------------------------------- */

/* Brings the row's keywords up to date; *DIFFERED is set when they were others. */
static bool
keywords_set(Store *store, StoreId message, Span keywords, bool *differed, GError **error)
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

/* Finds the messages and makes an edit for each; their tags are indexes into CHANGES. */
static bool
flag_edits(Store *store, const StoreHead *head, const StoreFlagChange *changes, size_t n,
	   GArray *edits, GError **error)
{
	for (size_t i = 0; i < n; i++) {
		const StoreFlagChange *change = &changes[i];
		OrderEdit edit = {
			.kind = ORDER_FLAGS,
			.keep = STORE_FLAG_ATTACHMENT,
			.set = flags_with_keywords(change->flags & WIRE_FLAGS, change->keywords),
			.tag = i,
		};
		Known known;

		if (!uid_find(store, head->epoch, change->uid, &known, error))
			return false;
		if (!known.id || (change->modseq && change->modseq < known.modseq))
			continue;
		edit.record = order_record(known.date, change->uid, known.id, 0);
		g_array_append_val(edits, edit);
		if (change->modseq > known.modseq) {
			known.modseq = change->modseq;
			if (!uid_write(store, SQL_UID_UPDATE, head->epoch, change->uid, &known,
				       error))
				return false;
		}
	}
	return true;
}

static bool
messages_flag(Store *store, StoreId mailbox, const StoreFlagChange *changes, size_t n,
	      size_t *changed, GError **error)
{
	g_autoptr(GArray) edits = g_array_sized_new(FALSE, FALSE, sizeof(OrderEdit), (guint)n);
	bool order_changed, keywords_changed = false;
	StoreHead head;

	if (!store_head_load(store, mailbox, &head, error) ||
	    !flag_edits(store, &head, changes, n, edits, error) ||
	    !order_apply(store, &head, edits, &order_changed, error))
		return false;
	for (guint i = 0; i < edits->len; i++) {
		const OrderEdit *edit = &g_array_index(edits, OrderEdit, i);
		Span keywords = changes[edit->tag].keywords;
		bool differed = false;

		if (((edit->was & STORE_FLAG_KEYWORDS) || !span_is_empty(keywords)) &&
		    !keywords_set(store, order_id(edit->record), keywords, &differed, error))
			return false;
		keywords_changed |= differed;
		*changed += differed || edit->was != edit->now;
	}
	return order_changed || !keywords_changed || store_head_save(store, &head, error);
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
message_remove(Store *store, const StoreHead *head, uint32_t uid, StoreId id, GError **error)
{
	g_autoptr(StoreQuery) delete_uid = store_query(store, SQL_UID_DELETE, error);
	g_autoptr(StoreQuery) delete_row = store_query(store, SQL_MESSAGE_DELETE, error);

	if (!delete_uid || !delete_row)
		return false;
	sqlite3_bind_int64(delete_uid, 1, head->epoch);
	sqlite3_bind_int64(delete_uid, 2, uid);
	sqlite3_bind_int64(delete_row, 1, id);
	return store_run(store, delete_uid, NULL, error) &&
	       store_run(store, delete_row, NULL, error) && store_parts_drop(store, id, error);
}

static bool
messages_remove(Store *store, StoreId mailbox, const uint32_t *uids, size_t n, size_t *removed,
		GError **error)
{
	g_autoptr(GArray) edits = g_array_new(FALSE, FALSE, sizeof(OrderEdit));
	StoreHead head;

	if (!store_head_load(store, mailbox, &head, error))
		return false;
	for (size_t i = 0; i < n; i++) {
		OrderEdit edit = { .kind = ORDER_REMOVE };
		Known known;

		if (!uid_find(store, head.epoch, uids[i], &known, error))
			return false;
		if (!known.id)
			continue;
		edit.record = order_record(known.date, uids[i], known.id, 0);
		g_array_append_val(edits, edit);
		if (!message_remove(store, &head, uids[i], known.id, error))
			return false;
	}
	*removed = edits->len;
	return order_apply(store, &head, edits, NULL, error);
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
