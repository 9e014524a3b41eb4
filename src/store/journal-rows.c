/* The journal's rows and targets, as the tables have them. */
#include "journal-private.h"

bool
journal_any(Store *store, bool *any, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_ANY, error);

	return query && store_step(store, query, any, error);
}

static void
claim_free(void *data)
{
	Claim *claim = data;

	g_free(claim->keyword);
	g_free(claim);
}

/* NULL stays NULL. */
static char *
column_or_null(StoreQuery *query, int column)
{
	return sqlite3_column_type(query, column) == SQLITE_NULL ? NULL
								 : store_column_text(query, column);
}

bool
journal_claims(Store *store, StoreId id, GPtrArray **claims, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_CLAIMS, error);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(claim_free);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	while (store_step(store, query, &row, error)) {
		Claim *claim;

		if (!row) {
			*claims = g_steal_pointer(&found);
			return true;
		}
		claim = g_new0(Claim, 1);
		claim->row = sqlite3_column_int64(query, 0);
		claim->kind = (StoreIntentKind)sqlite3_column_int(query, 1);
		claim->state = (StoreRowState)sqlite3_column_int(query, 2);
		claim->mailbox = sqlite3_column_int64(query, 3);
		claim->dest = sqlite3_column_int64(query, 4);
		claim->flag = (uint16_t)sqlite3_column_int(query, 5);
		claim->keyword = column_or_null(query, 6);
		claim->value = sqlite3_column_int(query, 7);
		claim->changed = (uint8_t)sqlite3_column_int(query, 8);
		claim->target = (StoreTargetState)sqlite3_column_int(query, 9);
		claim->by_copy = sqlite3_column_int(query, 10);
		claim->copy = claim->by_copy ? 0 : sqlite3_column_int64(query, 11);
		claim->source = sqlite3_column_int64(query, 12);
		claim->because = sqlite3_column_int64(query, 13);
		g_ptr_array_add(found, claim);
	}
	return false;
}

bool
journal_run(Store *store, Sql sql, int64_t a, int64_t b, int64_t c, int64_t d, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);
	int n;

	if (!query)
		return false;
	n = sqlite3_bind_parameter_count(query);
	sqlite3_bind_int64(query, 1, a);
	if (n > 1)
		sqlite3_bind_int64(query, 2, b);
	if (n > 2)
		sqlite3_bind_int64(query, 3, c);
	if (n > 3)
		sqlite3_bind_int64(query, 4, d);
	return store_run(store, query, NULL, error);
}

bool
journal_wanted(Store *store, StoreId id, StoreId otherwise, StoreId *mailbox, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	*mailbox = otherwise;
	if (!journal_claims(store, id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->target == STORE_TARGET_GONE)
			continue;
		if (claim->kind == STORE_INTENT_EXPUNGE)
			*mailbox = 0;
		else if (claim->by_copy || claim->kind == STORE_INTENT_MOVE ||
			 claim->kind == STORE_INTENT_APPEND)
			*mailbox = claim->dest;
	}
	return true;
}

bool
journal_maker(Store *store, StoreId id, bool failed, StoreId *maker, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	*maker = 0;
	if (!journal_claims(store, id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if ((claim->by_copy || claim->kind == STORE_INTENT_APPEND) &&
		    (failed ? claim->state == STORE_ROW_FAILED
			    : claim->target != STORE_TARGET_GONE))
			*maker = claim->because ? claim->because : claim->row;
	}
	return true;
}

bool
journal_set_state(Store *store, StoreId row, StoreRowState state, GError **error)
{
	return journal_run(store, SQL_JOURNAL_STATE, row, state, 0, 0, error);
}

bool
journal_count(Store *store, StoreId row, GError **error)
{
	return journal_run(store, SQL_JOURNAL_COUNT, row, 0, 0, 0, error);
}

static Target
target_of_row(StoreQuery *query)
{
	return (Target){
		.row = sqlite3_column_int64(query, 0),
		.id = sqlite3_column_int64(query, 1),
		.copy = sqlite3_column_int64(query, 2),
		.mailbox = sqlite3_column_int64(query, 3),
		.uidvalidity = (uint32_t)sqlite3_column_int64(query, 4),
		.uid = (uint32_t)sqlite3_column_int64(query, 5),
		.changed = (uint8_t)sqlite3_column_int(query, 6),
		.state = (StoreTargetState)sqlite3_column_int(query, 7),
	};
}

bool
target_find(Store *store, StoreId row, StoreId id, Target *target, bool *found, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_TARGET_FIND, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_int64(query, 2, id);
	if (!store_step(store, query, found, error))
		return false;
	if (*found)
		*target = target_of_row(query);
	return true;
}

bool
target_set(Store *store, StoreId row, StoreId id, StoreTargetState state, uint8_t changed,
	   GError **error)
{
	return journal_run(store, SQL_TARGET_SET, row, id, state, changed, error);
}

bool
targets_of(Store *store, StoreId row, bool all, GArray **targets, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_TARGETS, error);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Target));
	bool more;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_int64(query, 2, 0);
	sqlite3_bind_int64(query, 3, -1);
	sqlite3_bind_int(query, 4, all);
	while (store_step(store, query, &more, error)) {
		Target target;

		if (!more) {
			*targets = g_steal_pointer(&found);
			return true;
		}
		target = target_of_row(query);
		g_array_append_val(found, target);
	}
	return false;
}

bool
targets_forget(Store *store, StoreId id, GArray *copies, GArray *sources, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	if (!journal_claims(store, id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		/* The original of a half done move is still to go. */
		if (!copies && (claim->copy || claim->target == STORE_TARGET_COPIED))
			continue;
		if (claim->copy)
			g_array_append_val(copies, claim->copy);
		if (sources && claim->by_copy)
			g_array_append_val(sources, claim->source);
		if (!journal_run(store, SQL_TARGET_FORGET, claim->row, claim->source, 0, 0,
				 error) ||
		    !journal_run(store, SQL_JOURNAL_ONE_LESS, claim->row, 0, 0, 0, error))
			return false;
	}
	return true;
}

static bool
rows_of_both(Store *store, StoreId id, StoreId other, GArray *rows, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_TARGETS_BOTH, error);
	bool more;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	sqlite3_bind_int64(query, 2, other);
	while (store_step(store, query, &more, error)) {
		StoreId row = more ? sqlite3_column_int64(query, 0) : 0;

		if (!more)
			return true;
		g_array_append_val(rows, row);
	}
	return false;
}

/* ROW means both: one of them is to be done, unless one is. */
static bool
unite_in_row(Store *store, StoreId row, StoreId id, StoreId other, GArray *copies, GError **error)
{
	Target own, met;
	const Target *less;
	bool found;

	if (!target_find(store, row, id, &own, &found, error) ||
	    !target_find(store, row, other, &met, &found, error))
		return false;
	less = own.state == STORE_TARGET_DONE ? &met : &own;
	if (less->copy)
		g_array_append_val(copies, less->copy);
	return journal_run(store, SQL_TARGET_DELETE, row, less->id, 0, 0, error) &&
	       (less->state == STORE_TARGET_DONE ||
		journal_run(store, SQL_JOURNAL_ONE_LESS, row, 0, 0, 0, error));
}

bool
targets_unite(Store *store, StoreId id, StoreId other, GArray *copies, GError **error)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(StoreId));

	if (!rows_of_both(store, id, other, rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++)
		if (!unite_in_row(store, g_array_index(rows, StoreId, i), id, other, copies, error))
			return false;
	return journal_run(store, SQL_TARGETS_RENAME, other, id, 0, 0, error) &&
	       journal_run(store, SQL_TARGETS_RENAME_COPY, other, id, 0, 0, error);
}

/* ---- states ------------------------------------------------------------------------------------------ */

bool
journal_finish_targets(Store *store, StoreId row, GError **error)
{
	return journal_run(store, SQL_TARGETS_FINISH, row, 0, 0, 0, error);
}

bool
journal_gone(Store *store, StoreId row, uint32_t *gone, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_GONE, error);
	bool found;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	if (!store_step(store, query, &found, error))
		return false;
	*gone = found ? (uint32_t)sqlite3_column_int64(query, 0) : 0;
	return true;
}

bool
journal_set_failed(Store *store, StoreId row, int code, const char *words, StoreId because,
		   GError **error)
{
	StoreQuery *query = store_query(store, SQL_JOURNAL_FAILED, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_int(query, 2, code);
	sqlite3_bind_text(query, 3, words, -1, SQLITE_STATIC);
	sqlite3_bind_int64(query, 4, because);
	return store_run(store, query, NULL, error);
}

bool
journal_split(Store *store, StoreId row, const GArray *targets, StoreId *split, GError **error)
{
	if (!journal_run(store, SQL_JOURNAL_SPLIT, row, 0, 0, 0, error))
		return false;
	*split = sqlite3_last_insert_rowid(store->db);
	for (guint i = 0; i < targets->len; i++) {
		if (!journal_run(store, SQL_TARGET_SPLIT, row, g_array_index(targets, Target, i).id,
				 *split, 0, error))
			return false;
	}
	return journal_count(store, row, error) && journal_count(store, *split, error);
}

bool
journal_delete(Store *store, StoreId row, GError **error)
{
	return journal_run(store, SQL_TARGETS_DELETE, row, 0, 0, 0, error) &&
	       journal_run(store, SQL_JOURNAL_DELETE, row, 0, 0, 0, error);
}

/* ---- what is too old to be undone ----------------------------------------------------------------------- */

/* At each new row a few: so that the queue does not grow, and no change waits for a long cleaning up. */
#define PRUNE_ROWS 4

static bool
one_number(Store *store, Sql sql, int64_t argument, int64_t *number, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, argument);
	if (!store_step(store, query, &row, error))
		return false;
	*number = row ? sqlite3_column_int64(query, 0) : 0;
	return true;
}

bool
journal_prune(Store *store, GError **error)
{
	int64_t oldest, row;

	if (!one_number(store, SQL_JOURNAL_OLDEST, STORE_JOURNAL_KEPT, &oldest, error))
		return false;
	for (int i = 0; i < PRUNE_ROWS; i++) {
		if (!one_number(store, SQL_JOURNAL_OLD, oldest, &row, error))
			return false;
		if (!row)
			return true;
		if (!journal_delete(store, row, error))
			return false;
	}
	return true;
}
