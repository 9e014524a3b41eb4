/* Taking back the last action, by inverse rows: what has not left yet is merged away with them. */
#include "journal-private.h"

typedef struct Undoing {
	Store *store;
	StoreUndone *out;
	StoreId group;	   /* of the inverse rows; 0: none yet */
	GHashTable *flags; /* of StoreId, owned: whose flags were taken back, by any row */
} Undoing;

/* ---- which ------------------------------------------------------------------------------------------- */

static bool
last_group(Store *store, StoreId account, StoreId *group, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UNDO_GROUP, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("there is nothing to take back"));
		return false;
	}
	*group = sqlite3_column_int64(query, 0);
	return true;
}

/* Its rows, the last one first. */
static bool
group_rows(Store *store, StoreId group, GPtrArray **rows, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UNDO_ROWS, error);
	g_autoptr(GPtrArray) found =
	    g_ptr_array_new_with_free_func((GDestroyNotify)store_journal_row_free);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool more = true;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, group);
	while (more) {
		if (!store_step(store, query, &more, error))
			return false;
		if (more) {
			StoreId id = sqlite3_column_int64(query, 0);

			g_array_append_val(ids, id);
		}
	}
	for (guint i = 0; i < ids->len; i++) {
		StoreJournalRow *row = NULL;

		if (!store_journal_row(store, g_array_index(ids, StoreId, i), &row, error))
			return false;
		g_ptr_array_add(found, row);
	}
	*rows = g_steal_pointer(&found);
	return true;
}

/* ---- words ------------------------------------------------------------------------------------------- */

static char *
folder_name(Store *store, StoreId id)
{
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (!id || !store_mailbox_get(store, id, &mailbox, NULL))
		return g_strdup(_("a folder that is gone"));
	return g_strdup(mailbox->name);
}

static char *
moved_words(Store *store, const StoreJournalRow *row, uint32_t n)
{
	g_autofree char *dest = folder_name(store, row->dest);

	if (row->action == STORE_ACTION_DELETE)
		return g_strdup_printf(P_("deleted %u message", "deleted %u messages", n), n);
	if (row->action == STORE_ACTION_ARCHIVE)
		return g_strdup_printf(P_("archived %u message", "archived %u messages", n), n);
	return g_strdup_printf(P_("moved %u message to %s", "moved %u messages to %s", n), n, dest);
}

static char *
keyword_words(const StoreJournalRow *row, uint32_t n)
{
	return g_strdup_printf(row->set ? P_("put the keyword %s on %u message",
					     "put the keyword %s on %u messages", n)
					: P_("took the keyword %s off %u message",
					     "took the keyword %s off %u messages", n),
			       row->keyword, n);
}

static char *
flag_words(const StoreJournalRow *row, uint32_t n)
{
	const char *words = P_("changed a flag of %u message", "changed a flag of %u messages", n);

	if (row->flag == STORE_FLAG_SEEN)
		words = row->set
			    ? P_("marked %u message as read", "marked %u messages as read", n)
			    : P_("marked %u message as unread", "marked %u messages as unread", n);
	else if (row->flag == STORE_FLAG_FLAGGED)
		words = row->set ? P_("marked %u message as important",
				      "marked %u messages as important", n)
				 : P_("marked %u message as no longer important",
				      "marked %u messages as no longer important", n);
	return g_strdup_printf(words, n);
}

/* Of an action with several keywords no one of them is what was done. */
static char *
flags_words(const GPtrArray *rows, const StoreJournalRow *row, uint32_t n)
{
	if (!row->keyword)
		return flag_words(row, n);
	if (rows->len == 1)
		return keyword_words(row, n);
	return g_strdup_printf(P_("changed the keywords of %u message",
				  "changed the keywords of %u messages", n),
			       n);
}

/* What ROWS were, all of one action, of which ROW is the first. */
static char *
words_of(Store *store, const GPtrArray *rows, const StoreJournalRow *row, uint32_t n)
{
	g_autofree char *folder = NULL;

	switch (row->kind) {
	case STORE_INTENT_FLAG:
		return flags_words(rows, row, n);
	case STORE_INTENT_MOVE:
		return moved_words(store, row, n);
	case STORE_INTENT_COPY:
		folder = folder_name(store, row->dest);
		return g_strdup_printf(P_("copied %u message to %s", "copied %u messages to %s", n),
				       n, folder);
	case STORE_INTENT_EXPUNGE:
		return g_strdup_printf(P_("deleted %u message for good",
					  "deleted %u messages for good", n),
				       n);
	case STORE_INTENT_APPEND:
		folder = folder_name(store, row->dest);
		return g_strdup_printf(_("put a message into %s"), folder);
	case STORE_INTENT_CREATE:
		return g_strdup_printf(_("made the folder %s"), row->name);
	case STORE_INTENT_RENAME:
		return g_strdup_printf(_("renamed a folder to %s"), row->name);
	case STORE_INTENT_DELETE:
		return g_strdup_printf(_("deleted the folder %s"), row->name);
	case STORE_INTENT_SUBSCRIBE:
		folder = folder_name(store, row->mailbox);
		return g_strdup_printf(_("subscribed to %s"), folder);
	case STORE_INTENT_UNSUBSCRIBE:
		folder = folder_name(store, row->mailbox);
		return g_strdup_printf(_("unsubscribed from %s"), folder);
	}
	return g_strdup("");
}

/* ---- inverses ------------------------------------------------------------------------------------------ */

static bool
fail_usage(GError **error, const char *words)
{
	g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, words);
	return false;
}

static bool
intend_inverse(Undoing *undoing, StoreIntent *intent, GError **error)
{
	StoreIntended intended;

	intent->action = STORE_ACTION_UNDO;
	intent->group = undoing->group;
	if (!journal_intend(undoing->store, intent, &intended, error))
		return false;
	if (intended.group)
		undoing->group = intended.group;
	if (intended.row)
		undoing->out->group = undoing->group;
	return true;
}

/* The targets that the inverse is about: of FLAG those that it changed, of COPY the copies. */
static bool
inverse_messages(Undoing *undoing, const StoreJournalRow *row, GArray *ids, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	if (!targets_of(undoing->store, row->id, true, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);

		if (row->kind == STORE_INTENT_FLAG && !(target->changed & TARGET_CHANGED))
			continue;
		if (row->kind == STORE_INTENT_FLAG)
			g_hash_table_add(undoing->flags, g_memdup2(&target->id, sizeof target->id));
		g_array_append_val(ids,
				   *(row->kind == STORE_INTENT_COPY ? &target->copy : &target->id));
	}
	if (row->kind != STORE_INTENT_FLAG)
		undoing->out->n += targets->len;
	return true;
}

static bool
undo_messages(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	StoreIntent intent = { .kind = STORE_INTENT_MOVE, .mailbox = row->dest };

	if (!inverse_messages(undoing, row, ids, error))
		return false;
	intent.messages = (const StoreId *)ids->data;
	intent.n_messages = ids->len;
	if (row->kind == STORE_INTENT_FLAG) {
		intent.kind = STORE_INTENT_FLAG;
		intent.mailbox = row->mailbox;
		intent.flag = row->flag;
		intent.keyword = row->keyword;
		intent.set = !row->set;
	} else if (row->kind == STORE_INTENT_COPY || row->kind == STORE_INTENT_APPEND) {
		intent.kind = STORE_INTENT_EXPUNGE;
	} else {
		intent.dest = row->mailbox;
	}
	return ids->len == 0 || intend_inverse(undoing, &intent, error);
}

static bool
undo_expunge(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	if (row->state == STORE_ROW_SENT || row->state == STORE_ROW_CONFIRMED)
		return fail_usage(error, _("messages that were deleted for good cannot be brought "
					   "back"));
	return undo_messages(undoing, row, error);
}

static bool
undo_create(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	StoreIntent intent = { .kind = STORE_INTENT_DELETE, .mailbox = row->mailbox };
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (!store_mailbox_get(undoing->store, row->mailbox, &mailbox, error))
		return false;
	if (mailbox->total > 0 || mailbox->server_total > 0)
		return fail_usage(error, _("the folder that was made is not empty any more"));
	return intend_inverse(undoing, &intent, error);
}

static bool
undo_rename(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(undoing->store, SQL_UNDO_NAMES, error);
	StoreIntent intent = { .kind = STORE_INTENT_RENAME, .mailbox = row->mailbox };
	g_autofree char *name = NULL, *raw = NULL;
	size_t size;
	bool found;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row->id);
	if (!store_step(undoing->store, query, &found, error))
		return false;
	size = found ? (size_t)sqlite3_column_bytes(query, 1) : 0;
	if (size == 0)
		return fail_usage(error, _("what the folder was called before is not known"));
	name = store_column_text(query, 0);
	raw = g_memdup2(sqlite3_column_blob(query, 1), size);
	intent.name = name;
	intent.raw = span_of(raw, size);
	return intend_inverse(undoing, &intent, error);
}

static bool
undo_folder(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	StoreIntent intent = { .mailbox = row->mailbox };

	undoing->out->n++;
	if (row->kind == STORE_INTENT_CREATE)
		return undo_create(undoing, row, error);
	if (row->kind == STORE_INTENT_RENAME)
		return undo_rename(undoing, row, error);
	if (row->kind == STORE_INTENT_DELETE)
		return row->state == STORE_ROW_WAITING
			   ? journal_drop(undoing->store, row, error)
			   : fail_usage(error,
					_("a folder that was deleted cannot be brought back"));
	intent.kind =
	    row->kind == STORE_INTENT_SUBSCRIBE ? STORE_INTENT_UNSUBSCRIBE : STORE_INTENT_SUBSCRIBE;
	return intend_inverse(undoing, &intent, error);
}

static bool
undo_row(Undoing *undoing, const StoreJournalRow *row, GError **error)
{
	if (row->state == STORE_ROW_FAILED) {
		undoing->out->n += MAX(row->n, 1);
		return journal_drop(undoing->store, row, error);
	}
	switch (row->kind) {
	case STORE_INTENT_FLAG:
	case STORE_INTENT_MOVE:
	case STORE_INTENT_COPY:
	case STORE_INTENT_APPEND:
		return undo_messages(undoing, row, error);
	case STORE_INTENT_EXPUNGE:
		return undo_expunge(undoing, row, error);
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		break;
	}
	return undo_folder(undoing, row, error);
}

/* ---- the verb --------------------------------------------------------------------------------------------- */

/* Of those that GROUP took away. */
static bool
first_back(Store *store, StoreId group, StoreId *message, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UNDO_FIRST, error);
	bool found;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, group);
	sqlite3_bind_int(query, 2, STORE_INTENT_MOVE);
	sqlite3_bind_int(query, 3, STORE_INTENT_EXPUNGE);
	if (!store_step(store, query, &found, error))
		return false;
	if (found)
		*message = sqlite3_column_int64(query, 0);
	return true;
}

static bool
undo(Store *store, StoreId group, StoreUndone *out, GError **error)
{
	g_autoptr(GHashTable) flags =
	    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	Undoing undoing = { .store = store, .out = out, .flags = flags };
	g_autoptr(GPtrArray) rows = NULL;
	const StoreJournalRow *first;

	if (!group_rows(store, group, &rows, error) ||
	    !first_back(store, group, &out->message, error))
		return false;
	for (guint i = 0; i < rows->len; i++) {
		if (!undo_row(&undoing, g_ptr_array_index(rows, i), error))
			return false;
	}
	first = g_ptr_array_index(rows, rows->len - 1);
	out->kind = first->kind;
	out->action = first->action;
	out->n += g_hash_table_size(flags);
	out->words = words_of(store, rows, first, out->n);
	/* Last, because what is marked is no longer kept. */
	return journal_run(store, SQL_UNDO_MARK, group, 0, 0, 0, error);
}

/* An action that cannot be taken back is not to stand in the way of those before it. */
static void
pass_over(Store *store, StoreId group)
{
	if (store_write_begin(store, NULL))
		store_write_end(store, journal_run(store, SQL_UNDO_MARK, group, 0, 0, 0, NULL),
				NULL);
}

bool
store_undo(Store *store, StoreId account, StoreUndone *out, GError **error)
{
	StoreUndone undone = { 0 };
	GError *failed = NULL;
	StoreId group = 0;
	bool ok, own;

	g_return_val_if_fail(!store->in_transaction, false);
	if (!store_verb_begin(store, &own, error))
		return false;
	ok = last_group(store, account, &group, &failed) && undo(store, group, &undone, &failed);
	if (store_verb_end(store, own, ok, ok ? error : NULL)) {
		*out = undone;
		return true;
	}
	g_free(undone.words);
	if (ok)
		return false;
	if (group && (postern_error_is(failed, POSTERN_ERROR_USAGE) ||
		      postern_error_is(failed, POSTERN_ERROR_GONE))) {
		pass_over(store, group);
		failed->code = POSTERN_ERROR_USAGE;
	}
	g_propagate_error(error, failed);
	return false;
}
