/* The queue, for whoever asks. */
#include "journal-private.h"

void
store_journal_row_free(StoreJournalRow *row)
{
	if (!row)
		return;
	g_free(row->keyword);
	g_free(row->name);
	g_free(row->raw);
	g_free(row->error);
	g_free(row);
}

/* NULL stays NULL. */
static char *
text_or_null(StoreQuery *query, int column)
{
	return sqlite3_column_type(query, column) == SQLITE_NULL ? NULL
								 : store_column_text(query, column);
}

static StoreJournalRow *
row_of_query(StoreQuery *query)
{
	StoreJournalRow *row = g_new0(StoreJournalRow, 1);

	row->id = sqlite3_column_int64(query, 0);
	row->group = sqlite3_column_int64(query, 1);
	row->account = sqlite3_column_int64(query, 2);
	row->kind = (StoreIntentKind)sqlite3_column_int(query, 3);
	row->action = (StoreAction)sqlite3_column_int(query, 4);
	row->state = (StoreRowState)sqlite3_column_int(query, 5);
	row->mailbox = sqlite3_column_int64(query, 6);
	row->dest = sqlite3_column_int64(query, 7);
	row->flag = (uint16_t)sqlite3_column_int(query, 8);
	row->keyword = text_or_null(query, 9);
	row->set = sqlite3_column_int(query, 10);
	row->name = text_or_null(query, 11);
	row->n = (uint32_t)sqlite3_column_int64(query, 12);
	row->made = sqlite3_column_int64(query, 13);
	row->sent = sqlite3_column_int64(query, 14);
	row->dest_uidvalidity = (uint32_t)sqlite3_column_int64(query, 15);
	row->dest_uidnext = (uint32_t)sqlite3_column_int64(query, 16);
	row->error = text_or_null(query, 17);
	row->code = sqlite3_column_int(query, 18);
	row->tries = (unsigned)sqlite3_column_int(query, 19);
	row->raw_size = (size_t)sqlite3_column_bytes(query, 20);
	row->raw = row->raw_size ? g_malloc0(row->raw_size + 1) : NULL;
	if (row->raw)
		memcpy(row->raw, sqlite3_column_blob(query, 20), row->raw_size);
	return row;
}

bool
store_journal(Store *store, StoreId account, GPtrArray **rows, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL, error);
	g_autoptr(GPtrArray) found =
	    g_ptr_array_new_with_free_func((GDestroyNotify)store_journal_row_free);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	while (store_step(store, query, &row, error)) {
		if (!row) {
			*rows = g_steal_pointer(&found);
			return true;
		}
		g_ptr_array_add(found, row_of_query(query));
	}
	return false;
}

bool
store_journal_row(Store *store, StoreId id, StoreJournalRow **out, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_ROW, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("no such change is waiting"));
		return false;
	}
	*out = row_of_query(query);
	return true;
}

bool
store_journal_counts(Store *store, StoreId account, uint32_t *waiting, uint32_t *failed,
		     GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_COUNTS, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	if (!store_step(store, query, &row, error))
		return false;
	if (waiting)
		*waiting = row ? (uint32_t)sqlite3_column_int64(query, 0) : 0;
	if (failed)
		*failed = row ? (uint32_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

/* ---- targets ------------------------------------------------------------------------------------------- */

/* The mailbox whose messages are EPOCH's; 0: none. */
static bool
mailbox_of_epoch(Store *store, int64_t epoch, StoreId *mailbox, GError **error)
{
	g_autoptr(GError) failed = NULL;
	StoreHead head;

	*mailbox = 0;
	if (store_head_by_epoch(store, epoch, &head, &failed)) {
		*mailbox = head.mailbox;
		return true;
	}
	if (postern_error_is(failed, POSTERN_ERROR_GONE))
		return true;
	g_propagate_error(error, g_steal_pointer(&failed));
	return false;
}

/* What was true when it was made or sent, as long as the mailbox is still that one. */
static bool
hinted(Store *store, const Target *target, StoreTarget *out, GError **error)
{
	g_autoptr(GError) failed = NULL;
	StoreHead head;

	if (!target->uid || !target->mailbox)
		return true;
	if (!store_head_load(store, target->mailbox, &head, &failed)) {
		if (postern_error_is(failed, POSTERN_ERROR_GONE))
			return true;
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	if (head.uidvalidity == target->uidvalidity) {
		out->mailbox = target->mailbox;
		out->uid = target->uid;
	}
	return true;
}

static bool
where_is(Store *store, const StoreJournalRow *row, const Target *target, StoreTarget *out,
	 GError **error)
{
	int64_t epoch = 0;
	Place place;
	bool found;

	*out = (StoreTarget){ .message = target->id, .copy = target->copy, .state = target->state };
	if (!place_find(store, target->id, &place, &found, error))
		return false;
	if (!found)
		return hinted(store, target, out, error);
	if (target->state == STORE_TARGET_COPIED) {
		g_autoptr(GError) failed = NULL;
		StoreHead head;

		if (!store_head_load(store, target->mailbox, &head, &failed)) {
			if (postern_error_is(failed, POSTERN_ERROR_GONE))
				return true;
			g_propagate_error(error, g_steal_pointer(&failed));
			return false;
		}
		out->uid = target->uid;
		if (!place_leftover(store, target->id, head.epoch, &out->uid, error))
			return false;
		out->mailbox = out->uid ? target->mailbox : 0;
		return true;
	}
	if (row->kind == STORE_INTENT_APPEND)
		return true;
	if (!place_location(store, &place, &epoch, &out->uid, error))
		return false;
	if (!out->uid && !lost_where(store, target->id, &epoch, &out->uid, error))
		return false;
	return !epoch || mailbox_of_epoch(store, epoch, &out->mailbox, error);
}

static bool
read_targets(Store *store, StoreId id, StoreId after, uint32_t limit, GArray *found, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_autoptr(StoreQuery) query = NULL;
	bool more;

	if (!store_journal_row(store, id, &row, error))
		return false;
	query = store_query(store, SQL_TARGETS, error);
	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	sqlite3_bind_int64(query, 2, after);
	sqlite3_bind_int64(query, 3, limit);
	sqlite3_bind_int(query, 4, false);
	while (store_step(store, query, &more, error)) {
		StoreTarget out;
		Target target = { 0 };

		if (!more)
			return true;
		target.row = id;
		target.id = sqlite3_column_int64(query, 1);
		target.copy = sqlite3_column_int64(query, 2);
		target.mailbox = sqlite3_column_int64(query, 3);
		target.uidvalidity = (uint32_t)sqlite3_column_int64(query, 4);
		target.uid = (uint32_t)sqlite3_column_int64(query, 5);
		target.state = (StoreTargetState)sqlite3_column_int(query, 7);
		if (!where_is(store, row, &target, &out, error))
			return false;
		g_array_append_val(found, out);
	}
	return false;
}

bool
store_journal_targets(Store *store, StoreId row, StoreId after, uint32_t limit, GArray **targets,
		      GError **error)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(StoreTarget));
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = read_targets(store, row, after, limit, found, error);
	store_read_end(store);
	if (ok)
		*targets = g_steal_pointer(&found);
	return ok;
}

/* ---- what waits for what --------------------------------------------------------------------------------- */

static bool
ask_bool(Store *store, Sql sql, StoreId id, bool *is, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	return store_step(store, query, is, error);
}

static bool
depends(Store *store, StoreId row, bool *is, GError **error)
{
	bool earlier;

	*is = false;
	if (!ask_bool(store, SQL_JOURNAL_EARLIER, row, &earlier, error))
		return false;
	if (!earlier)
		return true;
	if (!ask_bool(store, SQL_JOURNAL_DEPENDS_FOLDER, row, is, error))
		return false;
	return *is || ask_bool(store, SQL_JOURNAL_DEPENDS, row, is, error);
}

bool
store_journal_depends(Store *store, StoreId row, bool *is, GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = depends(store, row, is, error);
	store_read_end(store);
	return ok;
}

bool
store_mailbox_is_pending(Store *store, StoreId mailbox, bool *pending, GError **error)
{
	return ask_bool(store, SQL_MAILBOX_PENDING, mailbox, pending, error);
}

bool
store_message_location(Store *store, StoreId message, StoreId *mailbox, uint32_t *uid,
		       GError **error)
{
	int64_t epoch = 0;
	Place place;
	bool found, ok;

	if (!store_read_begin(store, error))
		return false;
	*mailbox = 0;
	ok = place_find(store, message, &place, &found, error) &&
	     (!found || place_location(store, &place, &epoch, uid, error)) &&
	     (!epoch || mailbox_of_epoch(store, epoch, mailbox, error));
	store_read_end(store);
	if (ok && !*mailbox) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("the server does not have the message"));
		return false;
	}
	return ok;
}
