/* Messages that the server has under a UID that nobody told us: found again when the mirror meets
 * them, by Message-ID, size and date. */
#include "journal-private.h"

bool
lost_any(Store *store, int64_t epoch, bool *any, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_LOST_ANY, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	return store_step(store, query, any, error);
}

bool
lost_add(Store *store, StoreId id, int64_t epoch, uint32_t from_uid, bool strict, bool sized,
	 GError **error)
{
	StoreQuery *query = store_query(store, SQL_LOST_ADD, error);

	if (!query || !lost_delete(store, id, error))
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, id);
	sqlite3_bind_int64(query, 3, from_uid);
	sqlite3_bind_int(query, 4, strict);
	sqlite3_bind_int(query, 5, sized);
	return store_run(store, query, NULL, error);
}

bool
lost_find(Store *store, int64_t epoch, const StoreMessage *message, StoreId *id, GError **error)
{
	g_autoptr(StoreQuery) at = store_query(store, SQL_LOST_FIND_AT, error);
	g_autoptr(StoreQuery) query = store_query(store, SQL_LOST_FIND, error);
	bool row;

	if (!query || !at)
		return false;
	sqlite3_bind_int64(at, 1, epoch);
	sqlite3_bind_int64(at, 2, message->uid);
	if (!store_step(store, at, &row, error))
		return false;
	if (row) {
		*id = sqlite3_column_int64(at, 0);
		return true;
	}
	sqlite3_bind_int64(query, 1, epoch);
	store_bind_text(query, 2, message->message_id);
	sqlite3_bind_int64(query, 3, (sqlite3_int64)message->size);
	sqlite3_bind_int64(query, 4, message->received);
	sqlite3_bind_int64(query, 5, message->uid);
	sqlite3_bind_int64(query, 6, message->date);
	if (!store_step(store, query, &row, error))
		return false;
	*id = row ? sqlite3_column_int64(query, 0) : 0;
	return true;
}

bool
lost_where(Store *store, StoreId id, int64_t *epoch, uint32_t *uid, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_LOST_WHERE, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	if (!store_step(store, query, &row, error))
		return false;
	*epoch = row ? sqlite3_column_int64(query, 0) : 0;
	if (uid)
		*uid = row ? (uint32_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

bool
lost_delete(Store *store, StoreId id, GError **error)
{
	StoreQuery *query = store_query(store, SQL_LOST_DELETE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	return store_run(store, query, NULL, error);
}

static bool
lost_for_good(Store *store, int64_t epoch, uint32_t known_from, uint32_t uidnext, GArray *ids,
	      GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_LOST_FOR_GOOD, error);
	bool more = true;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, known_from);
	sqlite3_bind_int64(query, 3, uidnext);
	while (more) {
		StoreId id;

		if (!store_step(store, query, &more, error))
			return false;
		id = more ? sqlite3_column_int64(query, 0) : 0;
		if (id)
			g_array_append_val(ids, id);
	}
	return true;
}

bool
lost_give_up(Desk *desk, Sheet *sheet, uint32_t known_from, uint32_t uidnext, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool any;

	if (!expect_settle(desk, sheet, NULL, error) ||
	    !lost_any(desk->store, sheet->head.epoch, &any, error))
		return false;
	if (!any || !known_from)
		return true;
	if (!lost_for_good(desk->store, sheet->head.epoch, known_from, uidnext, ids, error))
		return false;
	for (guint i = 0; i < ids->len; i++) {
		StoreId id = g_array_index(ids, StoreId, i);
		Place place;
		bool found;

		if (!lost_delete(desk->store, id, error) ||
		    !place_find(desk->store, id, &place, &found, error))
			return false;
		if (found && place.epoch == sheet->head.epoch &&
		    !journal_aside(desk, &place, error))
			return false;
		if (!journal_release(desk, id, error))
			return false;
	}
	return true;
}
