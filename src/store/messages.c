/* Messages on their way in. */
#include "journal-private.h"

bool
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

bool
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
	if (message->uid)
		sqlite3_bind_int64(query, 3, message->uid);
	else
		sqlite3_bind_null(query, 3);
	rc = bind_message(query, message, known->date);
	if (rc != SQLITE_OK)
		return store_fail(store, rc, error);
	return store_run(store, query, NULL, error);
}

static bool
message_add(Store *store, Sheet *sheet, const StoreMessage *message, GError **error)
{
	Known known = {
		.date = order_clamp_date(message->date),
		.modseq = message->modseq,
	};

	if (!store_next_identity(store, &known.id, error))
		return false;
	desk_edit(sheet, ORDER_INSERT,
		  order_record(known.date, message->uid, known.id,
			       flags_with_keywords(message->flags, message->keywords)));
	return uid_write(store, SQL_UID_ADD, sheet->head.epoch, message->uid, &known, error) &&
	       message_write(store, SQL_MESSAGE_ADD, &sheet->head, &known, message, error);
}

bool
store_message_add_placed(Store *store, Sheet *sheet, StoreId id, const StoreMessage *message,
			 GError **error)
{
	Known known = { .id = id, .date = order_clamp_date(message->date) };

	desk_edit(sheet, ORDER_INSERT,
		  order_record(known.date, 0, id,
			       flags_with_keywords(message->flags, message->keywords)));
	return message_write(store, SQL_MESSAGE_ADD, &sheet->head, &known, message, error);
}

/* Where the server was told to put one like it: it stands nowhere until the answer comes. */
static bool
message_add_met(Desk *desk, Sheet *sheet, const StoreMessage *message, GError **error)
{
	Sheet *nowhere = desk_epoch(desk, 0, error);
	StoreMessage placed = *message;
	Known known = { .date = order_clamp_date(message->date), .modseq = message->modseq };

	placed.uid = 0;
	return nowhere && store_next_identity(desk->store, &known.id, error) &&
	       uid_write(desk->store, SQL_UID_ADD, sheet->head.epoch, message->uid, &known,
			 error) &&
	       uid_hide(sheet, desk->store, message->uid, known.id, false, error) &&
	       store_message_add_placed(desk->store, nowhere, known.id, &placed, error);
}

/* ---- updating ----------------------------------------------------------------------------------- */

/* One call of store_messages_put. */
typedef struct Filling {
	Store *store;
	Desk desk;
	Sheet *sheet;	    /* of the mailbox */
	bool any;	    /* some of the UIDs may be known */
	bool any_lost;	    /* messages may turn up here */
	bool any_open;	    /* the journal may have a word on flags */
	Expected *expected; /* NULL: nothing */
} Filling;

/* Where a known message stands: its sheet, and the UID it has there. */
typedef struct Standing {
	Sheet *sheet;
	uint32_t uid;
	bool leftover; /* the UID is no message's location */
} Standing;

static bool
find_standing(Filling *filling, uint32_t uid, StoreId id, Standing *standing, GError **error)
{
	bool hidden = false, found;
	Place place;

	*standing = (Standing){ filling->sheet, uid, false };
	if (filling->sheet->head.hidden &&
	    !uid_is_hidden(filling->store, filling->sheet->head.epoch, uid, &hidden,
			   &standing->leftover, error))
		return false;
	if (!hidden)
		return true;
	if (!place_find(filling->store, id, &place, &found, error))
		return false;
	if (!found)
		return store_fail_damaged(filling->store, "hidden UIDs", error);
	standing->uid = place.uid;
	standing->sheet = desk_epoch(&filling->desk, place.epoch, error);
	return standing->sheet != NULL;
}

/* The date changed: out there, in here, with the flags it is to have. */
static bool
move_in_order(Store *store, Sheet *sheet, const OrderEdit *edit, OrderRecord there, GError **error)
{
	OrderRecord now;
	uint32_t rank;
	bool found;
	Order *order;

	if (!order_open(store, &sheet->head, &order, error) ||
	    !order_rank(store, order, edit->record, &rank, &found, &now, error))
		return false;
	if (!found)
		return store_fail_damaged(store, "order and rows disagree", error);
	desk_edit(sheet, ORDER_REMOVE, edit->record);
	there.low |= (order_flags(now) & edit->keep) | edit->set;
	desk_edit(sheet, ORDER_INSERT, there);
	return true;
}

static bool
update_row(Filling *filling, const StoreMessage *message, const Standing *standing, Known known,
	   GError **error)
{
	Store *store = filling->store;
	int64_t date = order_clamp_date(message->date);
	uint64_t modseq = message->modseq ? message->modseq : known.modseq;
	OrderEdit edit = {
		.record = order_record(known.date, standing->uid, known.id, 0),
		.kind = ORDER_FLAGS,
		.set = flags_with_keywords(message->flags, message->keywords),
	};

	if (span_is_empty(message->structure)) {
		edit.keep = STORE_FLAG_ATTACHMENT;
		edit.set &= (uint16_t)~STORE_FLAG_ATTACHMENT;
	}
	standing->sheet->touched = true;
	if (date == known.date)
		g_array_append_val(standing->sheet->edits, edit);
	else if (!move_in_order(store, standing->sheet, &edit,
				order_record(date, standing->uid, known.id, 0), error))
		return false;
	if (date != known.date || modseq != known.modseq) {
		known.date = date;
		known.modseq = modseq;
		if (!uid_write(store, SQL_UID_UPDATE, filling->sheet->head.epoch, message->uid,
			       &known, error))
			return false;
	}
	return message_write(store, SQL_MESSAGE_UPDATE, &filling->sheet->head, &known, message,
			     error);
}

static bool
message_update(Filling *filling, const StoreMessage *message, Known known, GError **error)
{
	StoreMessage shown = *message;
	Overlay overlay = { 0 };
	Standing standing;
	bool ok;

	if (!find_standing(filling, message->uid, known.id, &standing, error))
		return false;
	/* The original of what is a message elsewhere already. */
	if (standing.leftover)
		return true;
	if (filling->any_open) {
		if (!journal_overlay(filling->store, known.id, message->flags, message->keywords,
				     &overlay, error))
			return false;
		shown.flags = overlay.flags;
		if (overlay.keywords)
			shown.keywords = span_of_string(overlay.keywords);
	}
	ok = update_row(filling, &shown, &standing, known, error);
	g_free(overlay.keywords);
	return ok;
}

/* Does the server use this UID for another message than the one we know?  Where both have a Message-ID,
 * that decides; sizes alone do not, some servers only guess them. */
static bool
is_other(Filling *filling, StoreId id, const StoreMessage *message, bool *other, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(filling->store, SQL_MESSAGE_IDENTITY, error);
	uint64_t size;
	Span known;
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	if (!store_step(filling->store, query, &row, error))
		return false;
	if (!row)
		return store_fail_damaged(filling->store, "uids and rows disagree", error);
	known = span_of(sqlite3_column_blob(query, 0), (size_t)sqlite3_column_bytes(query, 0));
	size = (uint64_t)sqlite3_column_int64(query, 1);
	if (!span_is_empty(known) && !span_is_empty(message->message_id))
		*other = !span_equals(known, message->message_id);
	else
		*other = size && message->size && size != message->size &&
			 sqlite3_column_int64(query, 2) != message->received;
	return true;
}

/* It turned up: MESSAGE is the one that KNOWN will say. */
static bool
take_in_lost(Filling *filling, const StoreMessage *message, Known *known, GError **error)
{
	Located located = { .uid = message->uid };
	StoreId id;

	if (!lost_find(filling->store, filling->sheet->head.epoch, message, &id, error))
		return false;
	if (!id)
		return true;
	located.id = id;
	return place_locate(&filling->desk, filling->sheet, &located, 1, error) &&
	       uid_find(filling->store, filling->sheet->head.epoch, message->uid, known, error);
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
message_put(Filling *filling, const StoreMessage *message, GError **error)
{
	Known known = { 0 };
	bool other = false;

	if (filling->any &&
	    !uid_find(filling->store, filling->sheet->head.epoch, message->uid, &known, error))
		return false;
	if (known.id && !is_other(filling, known.id, message, &other, error))
		return false;
	if (other) {
		if (!store_uid_gone(&filling->desk, filling->sheet, message->uid, known.id,
				    known.date, filling->any_open, error))
			return false;
		known.id = 0;
	}
	if (!known.id && filling->any_lost && !take_in_lost(filling, message, &known, error))
		return false;
	if (known.id)
		return message_update(filling, message, known, error);
	return filling->expected && expect_take(filling->expected, message)
		   ? message_add_met(&filling->desk, filling->sheet, message, error)
		   : message_add(filling->store, filling->sheet, message, error);
}

static bool
fill(Filling *filling, StoreId mailbox, const StoreMessage *messages, size_t n, GError **error)
{
	g_autoptr(GArray) picks = pick_by_uid(messages, n);

	filling->sheet = desk_mailbox(&filling->desk, mailbox, error);
	if (!filling->sheet)
		return false;
	if (g_array_index(picks, Pick, 0).uid == 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("a message without a UID cannot be kept"));
		return false;
	}
	if (!uid_any(filling->store, filling->sheet->head.epoch, g_array_index(picks, Pick, 0).uid,
		     g_array_index(picks, Pick, picks->len - 1).uid, &filling->any, error) ||
	    !lost_any(filling->store, filling->sheet->head.epoch, &filling->any_lost, error) ||
	    !journal_any(filling->store, &filling->any_open, error) ||
	    (filling->any_open &&
	     !expect_settle(&filling->desk, filling->sheet, &filling->expected, error)))
		return false;
	filling->sheet->touched = true;
	for (guint i = 0; i < picks->len; i++) {
		if (!message_put(filling, &messages[g_array_index(picks, Pick, i).index], error))
			return false;
	}
	return desk_apply(&filling->desk, error);
}

static bool
messages_put(Store *store, StoreId mailbox, const StoreMessage *messages, size_t n, GError **error)
{
	Filling filling = { .store = store };
	bool ok;

	desk_init(&filling.desk, store);
	ok = fill(&filling, mailbox, messages, n, error);
	expect_free(filling.expected);
	desk_clear(&filling.desk);
	return ok;
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
