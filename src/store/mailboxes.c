#include "journal-private.h"

/* ---- accounts --------------------------------------------------------------------------------- */

static bool
account_find(Store *store, const char *name, StoreId *id, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_ACCOUNT_FIND, error);
	bool row;

	if (!query)
		return false;
	store_bind_text(query, 1, span_of_string(name));
	if (!store_step(store, query, &row, error))
		return false;
	*id = row ? sqlite3_column_int64(query, 0) : 0;
	return true;
}

static bool
account_add(Store *store, const char *name, StoreId *id, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_ACCOUNT_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
	if (!store_run(store, query, NULL, error))
		return false;
	*id = sqlite3_last_insert_rowid(store->db);
	return true;
}

bool
store_account(Store *store, const char *name, StoreId *id, GError **error)
{
	if (!account_find(store, name, id, error))
		return false;
	if (*id)
		return true;
	if (store->role != STORE_WRITER) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("nothing of the account %s is kept yet"), name);
		return false;
	}
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, account_add(store, name, id, error), error);
}

static bool
fact_set(Store *store, StoreId account, const char *key, const char *value, GError **error)
{
	g_autoptr(StoreQuery) query =
	    store_query(store, value ? SQL_FACT_SET : SQL_FACT_DELETE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_text(query, 2, key, -1, SQLITE_STATIC);
	if (value)
		sqlite3_bind_text(query, 3, value, -1, SQLITE_STATIC);
	return store_run(store, query, NULL, error);
}

bool
store_account_set(Store *store, StoreId account, const char *key, const char *value, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, fact_set(store, account, key, value, error), error);
}

bool
store_account_get(Store *store, StoreId account, const char *key, char **value, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_FACT_GET, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_text(query, 2, key, -1, SQLITE_STATIC);
	if (!store_step(store, query, &row, error))
		return false;
	*value = row ? store_column_text(query, 0) : NULL;
	return true;
}

/* ---- mailboxes, in ----------------------------------------------------------------------------- */

void
store_mailbox_free(StoreMailbox *mailbox)
{
	if (!mailbox)
		return;
	g_free(mailbox->raw);
	g_free(mailbox->name);
	g_free(mailbox);
}

static void
bind_raw(StoreQuery *query, int column, const StoreMailbox *mailbox)
{
	sqlite3_bind_blob64(query, column, mailbox->raw ? mailbox->raw : "", mailbox->raw_size,
			    SQLITE_STATIC);
}

/* The columns that LIST tells, from FIRST on. */
static void
bind_listed(StoreQuery *query, int first, const StoreMailbox *mailbox)
{
	sqlite3_bind_text(query, first, mailbox->name ? mailbox->name : "", -1, SQLITE_STATIC);
	sqlite3_bind_int(query, first + 1, (unsigned char)mailbox->delimiter);
	sqlite3_bind_int(query, first + 2, (int)mailbox->role);
	sqlite3_bind_int(query, first + 3, mailbox->subscribed);
	sqlite3_bind_int(query, first + 4, mailbox->selectable);
	sqlite3_bind_int(query, first + 5, mailbox->has_children);
	sqlite3_bind_int(query, first + 6, mailbox->gone);
}

static bool
mailbox_add(Store *store, StoreMailbox *mailbox, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox->account);
	bind_raw(query, 2, mailbox);
	bind_listed(query, 3, mailbox);
	sqlite3_bind_int64(query, 10, store->next_epoch);
	if (!store_run(store, query, NULL, error))
		return false;
	store->next_epoch++;
	store->state_changed = store->folders_changed = true;
	mailbox->id = sqlite3_last_insert_rowid(store->db);
	return true;
}

static bool
mailbox_put(Store *store, StoreMailbox *mailbox, GError **error)
{
	g_autoptr(StoreQuery) find = store_query(store, SQL_MAILBOX_BY_RAW, error);
	g_autoptr(StoreQuery) update = store_query(store, SQL_MAILBOX_UPDATE, error);
	StoreId id;
	bool row;
	int changed;

	if (!find || !update)
		return false;
	sqlite3_bind_int64(find, 1, mailbox->account);
	bind_raw(find, 2, mailbox);
	if (!store_step(store, find, &row, error))
		return false;
	if (!row)
		return mailbox_add(store, mailbox, error);
	id = sqlite3_column_int64(find, 0);
	sqlite3_bind_int64(update, 1, id);
	bind_listed(update, 2, mailbox);
	if (!store_run(store, update, &changed, error))
		return false;
	store->folders_changed |= changed > 0;
	mailbox->id = id;
	return true;
}

bool
store_mailbox_put(Store *store, StoreMailbox *mailbox, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, mailbox_put(store, mailbox, error), error);
}

/* Runs an UPDATE of one mailbox that passes over a row it would not change.  GONE when there is no
 * such mailbox. */
static bool
update_one(Store *store, StoreQuery *query, StoreId mailbox, GError **error)
{
	StoreHead head;
	int changed;

	if (!store_run(store, query, &changed, error))
		return false;
	if (changed)
		store->folders_changed = true;
	return changed || store_head_load(store, mailbox, &head, error);
}

static bool
mailbox_status(Store *store, const StoreMailbox *mailbox, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_STATUS, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox->id);
	sqlite3_bind_int64(query, 2, mailbox->server_total);
	sqlite3_bind_int64(query, 3, mailbox->server_unread);
	sqlite3_bind_int64(query, 4, mailbox->uidvalidity);
	sqlite3_bind_int64(query, 5, mailbox->uidnext);
	sqlite3_bind_int64(query, 6, (sqlite3_int64)mailbox->highestmodseq);
	return update_one(store, query, mailbox->id, error);
}

bool
store_mailbox_status(Store *store, const StoreMailbox *mailbox, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, mailbox_status(store, mailbox, error), error);
}

static bool
mailbox_progress(Store *store, StoreId mailbox, uint32_t known_from_uid, uint32_t mirrored_uidnext,
		 uint64_t mirrored_modseq, GError **error)
{
	g_autoptr(StoreQuery) forget = store_query(store, SQL_MAILBOX_FORGET_MODSEQS, error);
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_PROGRESS, error);
	g_auto(Desk) desk = { 0 };
	Sheet *sheet;

	if (!forget || !query)
		return false;
	sqlite3_bind_int64(forget, 1, mailbox);
	sqlite3_bind_int64(forget, 2, (sqlite3_int64)mirrored_modseq);
	if (!store_run(store, forget, NULL, error))
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	sqlite3_bind_int64(query, 2, known_from_uid);
	sqlite3_bind_int64(query, 3, mirrored_uidnext);
	sqlite3_bind_int64(query, 4, (sqlite3_int64)mirrored_modseq);
	if (!update_one(store, query, mailbox, error))
		return false;
	desk_init(&desk, store);
	sheet = desk_mailbox(&desk, mailbox, error);
	return sheet && lost_give_up(&desk, sheet, known_from_uid, mirrored_uidnext, error) &&
	       desk_apply(&desk, error);
}

bool
store_mailbox_progress(Store *store, StoreId mailbox, uint32_t known_from_uid,
		       uint32_t mirrored_uidnext, uint64_t mirrored_modseq, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store,
			       mailbox_progress(store, mailbox, known_from_uid, mirrored_uidnext,
						mirrored_modseq, error),
			       error);
}

static bool
mailbox_gone(Store *store, StoreId mailbox, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_GONE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	return update_one(store, query, mailbox, error);
}

static bool
mailboxes_keep(Store *store, StoreId account, const StoreId *keep, size_t n_keep, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_LISTED, error);
	g_autoptr(GHashTable) kept = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GArray) lost = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool row;

	if (!query)
		return false;
	for (size_t i = 0; i < n_keep; i++)
		g_hash_table_add(kept, (gpointer)&keep[i]);
	sqlite3_bind_int64(query, 1, account);
	while (store_step(store, query, &row, error)) {
		StoreId id;

		if (!row) {
			for (guint i = 0; i < lost->len; i++) {
				if (!mailbox_gone(store, g_array_index(lost, StoreId, i), error))
					return false;
			}
			return true;
		}
		id = sqlite3_column_int64(query, 0);
		if (!g_hash_table_contains(kept, &id))
			g_array_append_val(lost, id);
	}
	return false;
}

bool
store_mailboxes_keep(Store *store, StoreId account, const StoreId *keep, size_t n_keep,
		     GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, mailboxes_keep(store, account, keep, n_keep, error), error);
}

static bool
mailbox_reset(Store *store, StoreId mailbox, GError **error)
{
	int64_t epoch = store->next_epoch++;

	store->state_changed = store->folders_changed = true;
	return journal_mailbox_reset(store, mailbox, epoch, error);
}

bool
store_mailbox_reset(Store *store, StoreId mailbox, GError **error)
{
	if (!store_write_begin(store, error))
		return false;
	return store_write_end(store, mailbox_reset(store, mailbox, error), error);
}

/* ---- mailboxes, out ---------------------------------------------------------------------------- */

/* Whatever a damaged file holds, a role is one of ours. */
static StoreMailboxRole
role_of(int number)
{
	return number >= STORE_ROLE_NONE && number <= STORE_ROLE_IMPORTANT
		   ? (StoreMailboxRole)number
		   : STORE_ROLE_NONE;
}

static StoreMailbox *
mailbox_of_row(StoreQuery *query)
{
	StoreMailbox *mailbox = g_new0(StoreMailbox, 1);
	const void *raw = sqlite3_column_blob(query, 2);

	mailbox->id = sqlite3_column_int64(query, 0);
	mailbox->account = sqlite3_column_int64(query, 1);
	mailbox->raw_size = (size_t)sqlite3_column_bytes(query, 2);
	mailbox->raw = g_malloc0(mailbox->raw_size + 1);
	if (mailbox->raw_size > 0)
		memcpy(mailbox->raw, raw, mailbox->raw_size);
	mailbox->name = store_column_text(query, 3);
	mailbox->delimiter = (char)sqlite3_column_int(query, 4);
	mailbox->role = role_of(sqlite3_column_int(query, 5));
	mailbox->subscribed = sqlite3_column_int(query, 6);
	mailbox->selectable = sqlite3_column_int(query, 7);
	mailbox->has_children = sqlite3_column_int(query, 8);
	mailbox->gone = sqlite3_column_int(query, 9);
	mailbox->server_total = sqlite3_column_int64(query, 10);
	mailbox->server_unread = sqlite3_column_int64(query, 11);
	mailbox->uidvalidity = (uint32_t)sqlite3_column_int64(query, 12);
	mailbox->uidnext = (uint32_t)sqlite3_column_int64(query, 13);
	mailbox->highestmodseq = (uint64_t)sqlite3_column_int64(query, 14);
	mailbox->total = (uint32_t)sqlite3_column_int64(query, 15);
	mailbox->unread = (uint32_t)sqlite3_column_int64(query, 16);
	mailbox->known_from_uid = (uint32_t)sqlite3_column_int64(query, 17);
	mailbox->mirrored_uidnext = (uint32_t)sqlite3_column_int64(query, 18);
	mailbox->mirrored_modseq = (uint64_t)sqlite3_column_int64(query, 19);
	mailbox->mirrored = (uint32_t)sqlite3_column_int64(query, 20);
	mailbox->created = sqlite3_column_int(query, 21);
	mailbox->renamed = sqlite3_column_int(query, 22);
	mailbox->deleted = sqlite3_column_int(query, 23);
	mailbox->resubscribed = sqlite3_column_int(query, 24);
	mailbox->only_here = (uint32_t)sqlite3_column_int64(query, 25);
	return mailbox;
}

bool
store_mailboxes(Store *store, StoreId account, GPtrArray **mailboxes, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOXES, error);
	g_autoptr(GPtrArray) found =
	    g_ptr_array_new_with_free_func((GDestroyNotify)store_mailbox_free);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	while (store_step(store, query, &row, error)) {
		if (!row) {
			*mailboxes = g_steal_pointer(&found);
			return true;
		}
		g_ptr_array_add(found, mailbox_of_row(query));
	}
	return false;
}

static bool
mailbox_step(Store *store, StoreQuery *query, StoreMailbox **mailbox, GError **error)
{
	bool row;

	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("no such mailbox"));
		return false;
	}
	*mailbox = mailbox_of_row(query);
	return true;
}

bool
store_mailbox_get(Store *store, StoreId id, StoreMailbox **mailbox, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_BY_ID, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	return mailbox_step(store, query, mailbox, error);
}

bool
store_mailbox_by_raw(Store *store, StoreId account, Span raw, StoreMailbox **mailbox,
		     GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_BY_RAW, error);
	bool row;

	*mailbox = NULL;
	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_blob64(query, 2, raw.at, span_size(raw), SQLITE_STATIC);
	if (!store_step(store, query, &row, error))
		return false;
	return !row || store_mailbox_get(store, sqlite3_column_int64(query, 0), mailbox, error);
}

bool
store_mailbox_find(Store *store, StoreId account, const char *name, StoreMailbox **mailbox,
		   GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MAILBOX_BY_NAME, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_text(query, 2, name, -1, SQLITE_STATIC);
	return mailbox_step(store, query, mailbox, error);
}

/* ---- heads ------------------------------------------------------------------------------------- */

static bool
head_load(Store *store, Sql sql, int64_t key, StoreHead *head, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, sql, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, key);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("no such mailbox"));
		return false;
	}
	head->mailbox = sqlite3_column_int64(query, 0);
	head->epoch = sqlite3_column_int64(query, 1);
	head->version = sqlite3_column_int64(query, 2);
	head->total = (uint32_t)sqlite3_column_int64(query, 3);
	head->unread = (uint32_t)sqlite3_column_int64(query, 4);
	head->account = sqlite3_column_int64(query, 5);
	head->hidden = (uint32_t)sqlite3_column_int64(query, 6);
	head->placed = (uint32_t)sqlite3_column_int64(query, 7);
	head->uidvalidity = (uint32_t)sqlite3_column_int64(query, 8);
	return true;
}

bool
store_head_load(Store *store, StoreId mailbox, StoreHead *head, GError **error)
{
	return head_load(store, SQL_HEAD_BY_ID, mailbox, head, error);
}

bool
store_head_by_epoch(Store *store, int64_t epoch, StoreHead *head, GError **error)
{
	return head_load(store, SQL_HEAD_BY_EPOCH, epoch, head, error);
}

bool
store_head_save(Store *store, StoreHead *head, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_HEAD_SAVE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, head->mailbox);
	head->version = (int64_t)((uint64_t)head->version + 1);
	sqlite3_bind_int64(query, 2, head->version);
	sqlite3_bind_int64(query, 3, head->total);
	sqlite3_bind_int64(query, 4, head->unread);
	sqlite3_bind_int64(query, 5, head->hidden);
	sqlite3_bind_int64(query, 6, head->placed);
	return update_one(store, query, head->mailbox, error);
}
