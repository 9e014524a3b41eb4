/* Giving back the space of what is no longer visible, in slices. */
#include "order-private.h"

#define SLICE_PIECES   16 /* 4 MiB */
#define SLICE_MESSAGES 500

/* The number in the first column of the first row; 0: no row. */
static bool
first_number(Store *store, Sql sql, int64_t *number, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);
	bool row;

	if (!query || !store_step(store, query, &row, error))
		return false;
	*number = row ? sqlite3_column_int64(query, 0) : 0;
	return true;
}

static bool
delete_by(Store *store, Sql sql, int64_t id, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	return store_run(store, query, NULL, error);
}

static bool
tidy_part(Store *store, int64_t part, GError **error)
{
	StoreQuery *query = store_query(store, SQL_PIECES_DELETE, error);
	int changed;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, store_piece_id(part, 0));
	sqlite3_bind_int64(query, 2, store_piece_id(part, STORE_PIECES_MAX - 1));
	sqlite3_bind_int(query, 3, SLICE_PIECES);
	if (!store_run(store, query, &changed, error))
		return false;
	return changed == SLICE_PIECES || delete_by(store, SQL_PART_DELETE, part, error);
}

/* A slice of an epoch's messages: their UIDs and identities. */
static bool
epoch_slice(Store *store, int64_t epoch, GArray *uids, GArray *ids, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_EPOCH_UIDS, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int(query, 2, SLICE_MESSAGES);
	while (store_step(store, query, &row, error)) {
		int64_t uid, id;

		if (!row)
			return true;
		uid = sqlite3_column_int64(query, 0);
		id = sqlite3_column_int64(query, 1);
		g_array_append_val(uids, uid);
		g_array_append_val(ids, id);
	}
	return false;
}

/* The order goes in one piece: at a million messages a thousand chunks. */
static bool
tidy_order(Store *store, int64_t epoch, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(OrderEntry));

	if (!order_directory(store, epoch, entries, error))
		return false;
	for (guint i = 0; i < entries->len; i++) {
		if (!delete_by(store, SQL_CHUNK_DELETE, g_array_index(entries, OrderEntry, i).chunk,
			       error))
			return false;
	}
	return delete_by(store, SQL_ORDER_DELETE, epoch, error) &&
	       delete_by(store, SQL_EPOCH_DELETE, epoch, error);
}

static bool
tidy_epoch(Store *store, int64_t epoch, GError **error)
{
	g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));

	if (!epoch_slice(store, epoch, uids, ids, error))
		return false;
	for (guint i = 0; i < ids->len; i++) {
		StoreQuery *query = store_query(store, SQL_UID_DELETE, error);
		StoreId id = g_array_index(ids, int64_t, i);

		if (!query)
			return false;
		sqlite3_bind_int64(query, 1, epoch);
		sqlite3_bind_int64(query, 2, g_array_index(uids, int64_t, i));
		if (!store_run(store, query, NULL, error) ||
		    !delete_by(store, SQL_MESSAGE_DELETE, id, error) ||
		    !store_parts_drop(store, id, error))
			return false;
	}
	return ids->len > 0 || tidy_order(store, epoch, error);
}

static bool
tidy(Store *store, bool *more, GError **error)
{
	int64_t part, epoch;

	if (!first_number(store, SQL_PART_DROPPED, &part, error) ||
	    !first_number(store, SQL_EPOCH_DROPPED, &epoch, error))
		return false;
	*more = part || epoch;
	if (part)
		return tidy_part(store, part, error);
	return !epoch || tidy_epoch(store, epoch, error);
}

bool
store_tidy(Store *store, bool *more, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, tidy(store, more, error), error);
}
