/* Messages on their way out: windows of rows, offsets, one row. */
#include "order-private.h"

void
store_row_free(StoreRow *row)
{
	if (!row)
		return;
	g_free(row->keywords);
	g_free(row->subject);
	g_free(row->from);
	g_free(row->to);
	g_free(row->cc);
	g_free(row->reply_to);
	g_free(row->message_id);
	g_free(row->in_reply_to);
	g_clear_pointer(&row->structure, g_bytes_unref);
	g_free(row);
}

static bool
fail_gone(GError **error)
{
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("the message is not here"));
	return false;
}

/* Everything but the mailbox and the flags, which are not in the row.  The columns are
 * MESSAGE_COLUMNS and the structure. */
static StoreRow *
row_of_query(StoreQuery *query, StoreId id)
{
	StoreRow *row = g_new0(StoreRow, 1);
	int64_t received = sqlite3_column_int64(query, 3);

	row->id = id;
	row->uid = (uint32_t)sqlite3_column_int64(query, 1);
	row->date = sqlite3_column_int64(query, 2);
	row->received = (int64_t)((uint64_t)row->date + (uint64_t)received);
	row->zone_min = sqlite3_column_int(query, 4);
	row->size = (uint64_t)sqlite3_column_int64(query, 5);
	row->attachments = (uint16_t)sqlite3_column_int(query, 6);
	row->keywords = store_column_text(query, 7);
	row->subject = store_column_text(query, 8);
	row->from = store_column_text(query, 9);
	row->to = store_column_text(query, 10);
	row->cc = store_column_text(query, 11);
	row->reply_to = sqlite3_column_type(query, 12) == SQLITE_INTEGER
			    ? g_strdup(row->from)
			    : store_column_text(query, 12);
	row->message_id = store_column_text(query, 13);
	row->in_reply_to = store_column_text(query, 14);
	if (sqlite3_column_type(query, 15) != SQLITE_NULL)
		row->structure = g_bytes_new(sqlite3_column_blob(query, 15),
					     (gsize)sqlite3_column_bytes(query, 15));
	return row;
}

/* The row of one record. */
static bool
row_of_record(Store *store, const StoreHead *head, OrderRecord record, bool structures,
	      StoreRow **row, GError **error)
{
	g_autoptr(StoreQuery) query =
	    store_query(store, structures ? SQL_MESSAGE_ROW_WHOLE : SQL_MESSAGE_ROW, error);
	bool found;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, order_id(record));
	if (!store_step(store, query, &found, error))
		return false;
	if (!found || sqlite3_column_int64(query, 0) != head->epoch ||
	    sqlite3_column_int64(query, 1) != order_uid(record))
		return store_fail_damaged(store, "order and rows disagree", error);
	*row = row_of_query(query, order_id(record));
	(*row)->mailbox = head->mailbox;
	(*row)->flags = order_flags(record);
	return true;
}

/* ---- windows ----------------------------------------------------------------------------------- */

static bool
window(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, bool structures,
       GPtrArray *rows, uint32_t *total, GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	StoreHead head;
	Order *order;
	uint32_t at;
	guint e;

	if (!store_head_load(store, mailbox, &head, error) ||
	    !order_open(store, &head, &order, error))
		return false;
	*total = head.total;
	if (!order_at(order, offset, &e, &at))
		return true;
	for (; e < order->entries->len && rows->len < count; e++, at = 0) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, e);

		if (!order_chunk_load(store, entry, records, error))
			return false;
		for (; at < entry->count && rows->len < count; at++) {
			StoreRow *row = NULL;

			if (!row_of_record(store, &head, records[at], structures, &row, error))
				return false;
			g_ptr_array_add(rows, row);
		}
	}
	return true;
}

bool
store_window(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, bool structures,
	     GPtrArray **rows, uint32_t *total, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)store_row_free);
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = window(store, mailbox, offset, count, structures, found, total, error);
	store_read_end(store);
	if (ok)
		*rows = g_steal_pointer(&found);
	return ok;
}

static bool
ids(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, GArray *out, GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	StoreHead head;
	Order *order;
	uint32_t at;
	guint e;

	if (!store_head_load(store, mailbox, &head, error) ||
	    !order_open(store, &head, &order, error))
		return false;
	if (!order_at(order, offset, &e, &at))
		return true;
	for (; e < order->entries->len && out->len < count; e++, at = 0) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, e);

		if (!order_chunk_load(store, entry, records, error))
			return false;
		for (; at < entry->count && out->len < count; at++) {
			StoreId id = order_id(records[at]);

			g_array_append_val(out, id);
		}
	}
	return true;
}

bool
store_ids(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, GArray **out,
	  GError **error)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = ids(store, mailbox, offset, count, found, error);
	store_read_end(store);
	if (ok)
		*out = g_steal_pointer(&found);
	return ok;
}

/* ---- offsets ------------------------------------------------------------------------------------ */

/* Where a message belongs in the order, without its flags; *EPOCH is its mailbox's, then or now. */
static bool
message_key(Store *store, StoreId message, OrderRecord *key, int64_t *epoch, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MESSAGE_KEY, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, message);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		return fail_gone(error);
	*epoch = sqlite3_column_int64(query, 0);
	*key = order_record(sqlite3_column_int64(query, 2),
			    (uint32_t)sqlite3_column_int64(query, 1), message, 0);
	return true;
}

static bool
offset_of(Store *store, StoreId mailbox, StoreId message, uint32_t *offset, GError **error)
{
	OrderRecord key;
	StoreHead head;
	Order *order;
	int64_t epoch;
	bool found;

	if (!message_key(store, message, &key, &epoch, error) ||
	    !store_head_load(store, mailbox, &head, error))
		return false;
	if (epoch != head.epoch)
		return fail_gone(error);
	if (!order_open(store, &head, &order, error) ||
	    !order_rank(store, order, key, offset, &found, NULL, error))
		return false;
	return found || store_fail_damaged(store, "order and rows disagree", error);
}

bool
store_offset_of(Store *store, StoreId mailbox, StoreId message, uint32_t *offset, GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = offset_of(store, mailbox, message, offset, error);
	store_read_end(store);
	return ok;
}

static bool
offset_at(Store *store, StoreId mailbox, OrderRecord key, uint32_t *offset, GError **error)
{
	StoreHead head;
	Order *order;
	bool found;

	return store_head_load(store, mailbox, &head, error) &&
	       order_open(store, &head, &order, error) &&
	       order_rank(store, order, key, offset, &found, NULL, error);
}

bool
store_offset_at(Store *store, StoreId mailbox, int64_t date, uint32_t uid, uint32_t *offset,
		GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = offset_at(store, mailbox, order_record(date, uid, ORDER_ID_MAX, 0), offset, error);
	store_read_end(store);
	return ok;
}

/* What to look for. */
typedef struct Wanted {
	uint16_t mask, want;
} Wanted;

static bool
is_wanted(Wanted wanted, OrderRecord record)
{
	return (order_flags(record) & wanted.mask) == wanted.want;
}

/* Says no only when the directory alone rules the chunk out. */
static bool
may_be_wanted(Wanted wanted, const OrderEntry *entry)
{
	uint16_t unwanted = wanted.mask & (uint16_t)~wanted.want;

	return (entry->any & wanted.want) == wanted.want && !(entry->all & unwanted);
}

/* Looks through one chunk from AT on, in the direction of STEP.  *AT is where, or outside. */
static bool
look_through(Store *store, const OrderEntry *entry, Wanted wanted, int step, int *at,
	     GError **error)
{
	OrderRecord records[ORDER_CHUNK];

	if (!order_chunk_load(store, entry, records, error))
		return false;
	while (*at >= 0 && *at < entry->count && !is_wanted(wanted, records[*at]))
		*at += step;
	return true;
}

static bool
offset_next(Store *store, StoreId mailbox, uint32_t offset, bool forward, Wanted wanted,
	    uint32_t *found, GError **error)
{
	StoreHead head;
	Order *order;
	uint32_t within, base;
	int step = forward ? 1 : -1;
	guint e;

	if (!store_head_load(store, mailbox, &head, error) ||
	    !order_open(store, &head, &order, error))
		return false;
	if (!forward && head.total > 0)
		offset = MIN(offset, head.total - 1);
	if (!order_at(order, offset, &e, &within))
		return fail_gone(error);
	base = offset - within;
	for (int at = (int)within;;) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, e);

		if (may_be_wanted(wanted, entry)) {
			if (!look_through(store, entry, wanted, step, &at, error))
				return false;
			if (at >= 0 && at < entry->count) {
				*found = base + (uint32_t)at;
				return true;
			}
		}
		if (forward ? e + 1 == order->entries->len : e == 0)
			return fail_gone(error);
		if (forward)
			base += entry->count;
		e = forward ? e + 1 : e - 1;
		entry = &g_array_index(order->entries, OrderEntry, e);
		if (!forward)
			base -= entry->count;
		at = forward ? 0 : entry->count - 1;
	}
}

bool
store_offset_next(Store *store, StoreId mailbox, uint32_t offset, bool forward, uint16_t mask,
		  uint16_t want, uint32_t *found, GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = offset_next(store, mailbox, offset, forward, (Wanted){ mask, want }, found, error);
	store_read_end(store);
	return ok;
}

/* ---- one row ------------------------------------------------------------------------------------ */

static bool
row_by_id(Store *store, StoreId message, StoreRow **row, GError **error)
{
	g_autoptr(GError) lost = NULL;
	OrderRecord key, record;
	StoreHead head;
	Order *order;
	uint32_t rank;
	int64_t epoch;
	bool found;

	if (!message_key(store, message, &key, &epoch, error))
		return false;
	if (!store_head_by_epoch(store, epoch, &head, &lost)) {
		if (postern_error_is(lost, POSTERN_ERROR_GONE))
			return fail_gone(error);
		g_propagate_error(error, g_steal_pointer(&lost));
		return false;
	}
	if (!order_open(store, &head, &order, error) ||
	    !order_rank(store, order, key, &rank, &found, &record, error))
		return false;
	if (!found)
		return store_fail_damaged(store, "order and rows disagree", error);
	return row_of_record(store, &head, record, true, row, error);
}

bool
store_row_by_id(Store *store, StoreId message, StoreRow **row, GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = row_by_id(store, message, row, error);
	store_read_end(store);
	return ok;
}

/* The identity of (mailbox, uid); GONE when it is not here. */
static bool
id_of_uid(Store *store, StoreId mailbox, uint32_t uid, StoreId *id, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UID_FIND, error);
	StoreHead head;
	bool row;

	if (!query || !store_head_load(store, mailbox, &head, error))
		return false;
	sqlite3_bind_int64(query, 1, head.epoch);
	sqlite3_bind_int64(query, 2, uid);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		return fail_gone(error);
	*id = sqlite3_column_int64(query, 0);
	return true;
}

bool
store_row_by_uid(Store *store, StoreId mailbox, uint32_t uid, StoreRow **row, GError **error)
{
	StoreId id;
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = id_of_uid(store, mailbox, uid, &id, error) && row_by_id(store, id, row, error);
	store_read_end(store);
	return ok;
}

/* ---- every UID ---------------------------------------------------------------------------------- */

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Those that the server has here and whose message stands elsewhere. */
static bool
collect_hidden(Store *store, const StoreHead *head, uint32_t *uids, GError **error)
{
	g_autoptr(StoreQuery) query = NULL;
	bool row;

	if (head->hidden == 0)
		return true;
	query = store_query(store, SQL_HIDDEN_UIDS, error);
	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, head->epoch);
	for (uint32_t i = 0; i < head->hidden; i++) {
		if (!store_step(store, query, &row, error))
			return false;
		if (!row)
			return store_fail_damaged(store, "hidden UIDs", error);
		uids[i] = (uint32_t)sqlite3_column_int64(query, 0);
	}
	return true;
}

/* UIDS has room for TOTAL, of which the first HIDDEN are there.  Filled from its end, so that a mailbox
 * whose dates follow its UIDs comes out sorted.  Records without a UID are not the server's. */
static bool
collect_uids(Store *store, const Order *order, uint32_t *uids, uint32_t hidden, uint32_t total,
	     GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	uint32_t at = total;
	bool sorted = hidden == 0;

	for (guint e = 0; e < order->entries->len; e++) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, e);

		if (!order_chunk_load(store, entry, records, error))
			return false;
		for (size_t i = 0; i < entry->count; i++) {
			if (order_uid(records[i]) == 0)
				continue;
			if (at == hidden)
				return store_fail_damaged(store, "UIDs", error);
			uids[--at] = order_uid(records[i]);
			sorted = sorted && (at + 1 == total || uids[at] < uids[at + 1]);
		}
	}
	if (at != hidden)
		return store_fail_damaged(store, "UIDs", error);
	if (!sorted)
		qsort(uids, total, sizeof *uids, compare_uids);
	return true;
}

bool
store_message_uids(Store *store, StoreId mailbox, uint32_t **uids, size_t *n, GError **error)
{
	g_autofree uint32_t *found = NULL;
	uint32_t all = 0;
	StoreHead head;
	Order *order;
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = store_head_load(store, mailbox, &head, error) &&
	     order_open(store, &head, &order, error);
	if (ok && (head.placed > head.total || head.hidden > UINT32_MAX - head.total))
		ok = store_fail_damaged(store, "counts", error);
	if (ok) {
		all = head.total - head.placed + head.hidden;
		found = g_new(uint32_t, MAX(all, 1));
		ok = collect_hidden(store, &head, found, error) &&
		     collect_uids(store, order, found, head.hidden, all, error);
	}
	store_read_end(store);
	if (ok) {
		*n = all;
		*uids = g_steal_pointer(&found);
	}
	return ok;
}
