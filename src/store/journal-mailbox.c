/* What the journal must outlive: a mailbox whose UIDVALIDITY changes, or that goes. */
#include "journal-private.h"

static bool
run_two(Store *store, Sql sql, int64_t a, int64_t b, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, a);
	if (sqlite3_bind_parameter_count(query) > 1)
		sqlite3_bind_int64(query, 2, b);
	return store_run(store, query, NULL, error);
}

bool
journal_is_busy(Store *store, StoreId mailbox, bool *busy, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_BUSY, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	return store_step(store, query, busy, error);
}

/* ---- what is stranded ---------------------------------------------------------------------------------- */

/* Messages that stand in EPOCH and that the journal still needs, or that only stand there by it. */
static bool
find_stranded(Store *store, Sql sql, int64_t epoch, GArray *meant, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	while (store_step(store, query, &row, error)) {
		Meant m = { 0 };

		if (!row)
			return true;
		m.id = sqlite3_column_int64(query, 0);
		m.uid = (uint32_t)sqlite3_column_int64(query, 1);
		m.date = sqlite3_column_int64(query, 2);
		g_array_append_val(meant, m);
	}
	return false;
}

/* Those that stand elsewhere and whose location was in EPOCH. */
static bool
find_hidden(Store *store, int64_t epoch, GArray *meant, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_HIDDEN_ALL, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	while (store_step(store, query, &row, error)) {
		Meant m = { 0 };

		if (!row)
			return true;
		m.uid = (uint32_t)sqlite3_column_int64(query, 0);
		m.id = sqlite3_column_int64(query, 1);
		m.live = !sqlite3_column_int(query, 2);
		g_array_append_val(meant, m);
	}
	return false;
}

/* Their UIDs mean nothing any more; in EPOCH (0: nowhere) they may turn up again. */
static bool
unhide_all(Desk *desk, Sheet *old, int64_t epoch, GError **error)
{
	g_autoptr(GArray) hidden = g_array_new(FALSE, FALSE, sizeof(Meant));

	if (!find_hidden(desk->store, old->head.epoch, hidden, error))
		return false;
	for (guint i = 0; i < hidden->len; i++) {
		const Meant *m = &g_array_index(hidden, Meant, i);

		if (!place_unhide(desk, old, m->uid, error) ||
		    (m->live && (epoch ? !lost_add(desk->store, m->id, epoch, 0, true, true, error)
				       : !journal_release(desk, m->id, error))))
			return false;
	}
	return true;
}

/* Takes all that must outlive OLD's epoch out of it, into the epoch TO, without a UID. */
static bool
strand(Desk *desk, Sheet *old, GArray *stranded, int64_t to, GError **error)
{
	if (!find_stranded(desk->store, SQL_PLACED_IN, old->head.epoch, stranded, error) ||
	    !find_stranded(desk->store, SQL_CLAIMED_IN, old->head.epoch, stranded, error) ||
	    !unhide_all(desk, old, to, error) || !place_take_out(desk, old, stranded, error))
		return false;
	for (guint i = 0; i < stranded->len; i++) {
		const Meant *m = &g_array_index(stranded, Meant, i);

		if (!place_set(desk->store, m->id, to, 0, error))
			return false;
		if (!m->uid)
			continue;
		if (!uid_delete(desk->store, old->head.epoch, m->uid, error) ||
		    (to && !lost_add(desk->store, m->id, to, 0, true, true, error)))
			return false;
	}
	return run_two(desk->store, to ? SQL_LOST_EPOCH : SQL_LOST_NOWHERE, old->head.epoch, to,
		       error);
}

static void
land(Sheet *sheet, const GArray *stranded)
{
	for (guint i = 0; i < stranded->len; i++) {
		const Meant *m = &g_array_index(stranded, Meant, i);

		desk_edit(sheet, ORDER_INSERT, order_record(m->date, 0, m->id, m->flags));
	}
}

bool
journal_mailbox_reset(Store *store, StoreId mailbox, int64_t epoch, GError **error)
{
	g_autoptr(GArray) stranded = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_auto(Desk) desk = { 0 };
	Sheet *old, *now;

	desk_init(&desk, store);
	old = desk_mailbox(&desk, mailbox, error);
	if (!old || !strand(&desk, old, stranded, epoch, error) || !desk_apply(&desk, error) ||
	    !run_two(store, SQL_EPOCH_DROP, old->head.epoch, 0, error) ||
	    !run_two(store, SQL_MAILBOX_RESET, mailbox, epoch, error))
		return false;
	desk_clear(&desk);
	desk_init(&desk, store);
	now = desk_mailbox(&desk, mailbox, error);
	if (!now)
		return false;
	land(now, stranded);
	return desk_apply(&desk, error);
}

bool
journal_mailbox_delete(Store *store, StoreId mailbox, GError **error)
{
	g_autoptr(GArray) stranded = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_auto(Desk) desk = { 0 };
	Sheet *old, *nowhere;

	desk_init(&desk, store);
	old = desk_mailbox(&desk, mailbox, error);
	nowhere = old ? desk_epoch(&desk, 0, error) : NULL;
	if (!nowhere || !strand(&desk, old, stranded, 0, error))
		return false;
	land(nowhere, stranded);
	if (!desk_apply(&desk, error))
		return false;
	for (guint i = 0; i < stranded->len; i++) {
		if (!journal_release(&desk, g_array_index(stranded, Meant, i).id, error))
			return false;
	}
	store->folders_changed = true;
	return desk_apply(&desk, error) &&
	       run_two(store, SQL_EPOCH_DROP, old->head.epoch, 0, error) &&
	       run_two(store, SQL_MAILBOX_DELETE, mailbox, 0, error);
}

bool
journal_mailbox_absorb(Store *store, StoreId mailbox, StoreId other, GError **error)
{
	return run_two(store, SQL_JOURNAL_FOLDER_RENAME, other, mailbox, error) &&
	       journal_mailbox_delete(store, other, error);
}
