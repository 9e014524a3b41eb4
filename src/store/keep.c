/* What is kept, and what goes when it is too much. */
#include "store-private.h"

#define SLICE_PARTS 64
#define SLICE_ROWS  500
#define LOOKED_S    3600 /* looked at again so soon is not written down */

static bool
ask_account(Store *store, Sql sql, StoreId account, int64_t none, int64_t *value, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	if (!store_step(store, query, &row, error))
		return false;
	*value = row ? sqlite3_column_int64(query, 0) : none;
	return true;
}

bool
store_kept(Store *store, StoreId account, uint64_t *bytes, GError **error)
{
	int64_t kept;

	if (!ask_account(store, SQL_KEPT, account, 0, &kept, error))
		return false;
	*bytes = kept > 0 ? (uint64_t)kept : 0;
	return true;
}

bool
store_kept_oldest(Store *store, StoreId account, int64_t *looked, GError **error)
{
	return ask_account(store, SQL_KEPT_OLDEST, account, INT64_MAX, looked, error);
}

bool
store_looked(Store *store, StoreId message, GError **error)
{
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(StoreQuery) query = store_query(store, SQL_LOOKED_BEFORE, error);
	StoreQuery *update;
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, message);
	sqlite3_bind_int64(query, 2, now - LOOKED_S);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		return true;
	store_query_done(g_steal_pointer(&query));
	update = store_query(store, SQL_LOOKED, error);
	if (!update || !store_write_begin(store, error))
		return false;
	sqlite3_bind_int64(update, 1, message);
	sqlite3_bind_int64(update, 2, now);
	return store_write_end(store, store_run(store, update, NULL, error), error);
}

/* ---- what goes ------------------------------------------------------------------------------------ */

typedef struct Victim {
	int64_t part, epoch;
	uint64_t size;
} Victim;

static bool
find_victims(Store *store, StoreId account, GArray *victims, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_KEPT_VICTIMS, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_int(query, 2, SLICE_PARTS);
	while (store_step(store, query, &row, error)) {
		Victim victim;

		if (!row)
			return true;
		victim.part = sqlite3_column_int64(query, 0);
		victim.size = (uint64_t)sqlite3_column_int64(query, 1);
		victim.epoch = sqlite3_column_int64(query, 2);
		g_array_append_val(victims, victim);
	}
	return false;
}

/* A reader that shows what is kept looks again. */
static bool
drop_victim(Store *store, const Victim *victim, GError **error)
{
	StoreQuery *query = store_query(store, SQL_PART_DROP, error);
	StoreHead head;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, victim->part);
	return store_run(store, query, NULL, error) &&
	       store_head_by_epoch(store, victim->epoch, &head, error) &&
	       store_head_save(store, &head, error);
}

static bool
evict(Store *store, StoreId account, uint64_t limit, bool *more, GError **error)
{
	g_autoptr(GArray) victims = g_array_new(FALSE, FALSE, sizeof(Victim));
	uint64_t kept;

	if (!store_kept(store, account, &kept, error) ||
	    !find_victims(store, account, victims, error))
		return false;
	for (guint i = 0; i < victims->len && kept > limit; i++) {
		const Victim *victim = &g_array_index(victims, Victim, i);

		if (!drop_victim(store, victim, error))
			return false;
		kept -= MIN(kept, victim->size);
	}
	*more = kept > limit && victims->len == SLICE_PARTS;
	return true;
}

bool
store_evict(Store *store, StoreId account, uint64_t limit, bool *more, GError **error)
{
	uint64_t kept;

	*more = false;
	if (!store_kept(store, account, &kept, error))
		return false;
	if (kept <= limit)
		return true;
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, evict(store, account, limit, more, error), error);
}

/* ---- what is missing ------------------------------------------------------------------------------- */

static void
body_free(void *data)
{
	StoreBody *body = data;

	if (body->structure)
		g_bytes_unref(body->structure);
	g_free(body);
}

static bool
add_body(Store *store, StoreBody body, bool structures, GPtrArray *bodies, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MESSAGE_BODY, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, body.message);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		return store_fail_damaged(store, "uids", error);
	body.size = (uint64_t)sqlite3_column_int64(query, 0);
	if (structures && sqlite3_column_bytes(query, 1) > 0)
		body.structure = g_bytes_new(sqlite3_column_blob(query, 1),
					     (gsize)sqlite3_column_bytes(query, 1));
	g_ptr_array_add(bodies, g_memdup2(&body, sizeof body));
	return true;
}

static bool
walk_bodies(Store *store, int64_t epoch, StoreWalk *walk, uint32_t count, GPtrArray *bodies,
	    GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UIDS_BELOW, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, (sqlite3_int64)walk->below);
	for (unsigned looked = 0; looked < SLICE_ROWS && bodies->len < count; looked++) {
		StoreBody body = { 0 };
		bool has;

		if (!store_step(store, query, &row, error))
			return false;
		if (!row) {
			walk->below = 0;
			return true;
		}
		body.uid = (uint32_t)sqlite3_column_int64(query, 0);
		body.message = sqlite3_column_int64(query, 1);
		body.date = sqlite3_column_int64(query, 2);
		walk->below = body.uid;
		walk->looked++;
		if (body.date < walk->since)
			continue;
		if (!store_part_is_here(store, body.message, "", &has, error) ||
		    (!has && !add_body(store, body, walk->structures, bodies, error)))
			return false;
	}
	return true;
}

bool
store_bodies(Store *store, StoreId mailbox, StoreWalk *walk, uint32_t count, GPtrArray **bodies,
	     GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(body_free);
	StoreWalk next = *walk;
	StoreHead head;
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = store_head_load(store, mailbox, &head, error) &&
	     walk_bodies(store, head.epoch, &next, count, found, error);
	store_read_end(store);
	if (!ok)
		return false;
	*walk = next;
	*bodies = g_steal_pointer(&found);
	return true;
}
