/* Intents about folders.  mailboxes.raw is the server's name until the server has taken the new one;
 * mailboxes.name is what the person calls it. */
#include "journal-private.h"

static bool
fail_usage(GError **error, const char *words)
{
	g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, words);
	return false;
}

static bool
run_one(Store *store, Sql sql, StoreId mailbox, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	return store_run(store, query, NULL, error);
}

static bool
version_grows(Store *store, StoreId mailbox, GError **error)
{
	StoreHead head;

	store->folders_changed = true;
	return store_head_load(store, mailbox, &head, error) &&
	       store_head_save(store, &head, error);
}

/* ---- waiting rows of a folder ---------------------------------------------------------------------------- */

/* The last open row of KIND about MAILBOX; *ROW NULL: none. */
static bool
open_row(Store *store, StoreId mailbox, StoreIntentKind kind, StoreJournalRow **row, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_OF_FOLDER, error);
	bool found;

	*row = NULL;
	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	sqlite3_bind_int(query, 2, (int)kind);
	if (!store_step(store, query, &found, error))
		return false;
	return !found || store_journal_row(store, sqlite3_column_int64(query, 0), row, error);
}

static bool
is_waiting(const StoreJournalRow *row)
{
	return row && (row->state == STORE_ROW_WAITING || row->state == STORE_ROW_FAILED);
}

/* Closes the row of KIND that waits, as a later one stands for it; *WAS: there was one. */
static bool
swallow(Store *store, StoreId mailbox, StoreIntentKind kind, bool *was, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;

	if (!open_row(store, mailbox, kind, &row, error))
		return false;
	*was = is_waiting(row);
	return !*was || journal_set_state(store, row->id, STORE_ROW_CONFIRMED, error);
}

static bool
write_row(Store *store, const StoreIntent *intent, const StoreMailbox *mailbox, const char *name,
	  bool live, StoreIntended *out, StoreId *id, GError **error)
{
	StoreIntent row = *intent;

	row.mailbox = mailbox->id;
	row.dest = 0;
	row.keyword = NULL;
	row.name = name;
	if (!journal_row_add(store, &row, mailbox->account,
			     live ? STORE_ROW_WAITING : STORE_ROW_CONFIRMED, id, error))
		return false;
	out->group = intent->group ? intent->group : *id;
	out->mailbox = mailbox->id;
	out->row = live ? *id : 0;
	return version_grows(store, mailbox->id, error) && journal_prune(store, error);
}

/* ---- create ------------------------------------------------------------------------------------------------ */

/* The account's hierarchy delimiter, as its other folders have it. */
static bool
delimiter_of(Store *store, StoreId account, char *delimiter, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_ACCOUNT_DELIMITER, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	if (!store_step(store, query, &row, error))
		return false;
	*delimiter = row ? (char)sqlite3_column_int(query, 0) : '\0';
	return true;
}

static bool
check_name(const StoreIntent *intent, GError **error)
{
	if (!intent->name || !*intent->name || span_is_empty(intent->raw))
		return fail_usage(error, _("a folder needs a name"));
	return true;
}

/* No other folder is called that. */
static bool
is_free(Store *store, StoreId account, StoreId except, const char *name, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(GError) failed = NULL;

	if (!store_mailbox_find(store, account, name, &mailbox, &failed)) {
		if (postern_error_is(failed, POSTERN_ERROR_GONE))
			return true;
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	/* \Noselect: only what is below it is there, and it can be made. */
	if (mailbox->gone || mailbox->id == except || (!except && !mailbox->selectable))
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, _("there is a folder %s already"),
		    name);
	return false;
}

/* A folder other than EXCEPT is to be called RAW on the server by a rename that waits, whatever comes of it
 * later; then it has that name here too. */
static bool
is_promised(Store *store, StoreId account, StoreId except, Span raw, bool *promised, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;

	*promised = false;
	if (!store_journal(store, account, &rows, error))
		return false;
	for (guint i = 0; i < rows->len && !*promised; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);

		*promised = row->kind == STORE_INTENT_RENAME && row->mailbox != except &&
			    row->raw && span_equals(span_of(row->raw, row->raw_size), raw);
	}
	return true;
}

static bool
create(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	g_autoptr(StoreMailbox) there = NULL;
	StoreId id;
	bool promised;
	StoreMailbox mailbox = { .account = intent->account,
				 .raw = (char *)intent->raw.at,
				 .raw_size = span_size(intent->raw),
				 .name = (char *)intent->name,
				 .subscribed = true, /* as it will be */
				 .selectable = true };

	if (!check_name(intent, error) ||
	    !is_free(store, intent->account, 0, intent->name, error) ||
	    !store_mailbox_by_raw(store, intent->account, intent->raw, &there, error) ||
	    !is_promised(store, intent->account, 0, intent->raw, &promised, error) ||
	    !delimiter_of(store, intent->account, &mailbox.delimiter, error))
		return false;
	if (there && there->deleted)
		return fail_usage(error, _("the folder is still to be deleted on the server"));
	if (promised || (there && !there->gone && there->selectable))
		return fail_usage(error, _("another folder still has that name on the server"));
	/* Another folder had that name; what was read of it is not in this one. */
	if (there && there->gone &&
	    !journal_mailbox_reset(store, there->id, store->next_epoch++, error))
		return false;
	mailbox.has_children = there && there->has_children;
	if (!store_mailbox_put(store, &mailbox, error) ||
	    !run_one(store, SQL_MAILBOX_CREATED, mailbox.id, error))
		return false;
	return write_row(store, intent, &mailbox, intent->name, true, out, &id, error);
}

/* ---- rename ------------------------------------------------------------------------------------------------ */

static bool
is_family(const StoreMailbox *mailbox, const StoreMailbox *other)
{
	return other->id == mailbox->id ||
	       (mailbox->delimiter && other->raw_size > mailbox->raw_size + 1 &&
		!memcmp(other->raw, mailbox->raw, mailbox->raw_size) &&
		other->raw[mailbox->raw_size] == mailbox->delimiter);
}

/* As the person sees it. */
static bool
is_named_below(const StoreMailbox *mailbox, const StoreMailbox *other)
{
	size_t size = strlen(mailbox->name);

	return mailbox->delimiter && !strncmp(other->name, mailbox->name, size) &&
	       other->name[size] == mailbox->delimiter;
}

/* By our name alone: still to be made below MAILBOX, of whose name the server does not know. */
static bool
is_made_below(const StoreMailbox *mailbox, const StoreMailbox *other)
{
	return other->created && !is_family(mailbox, other) && is_named_below(mailbox, other);
}

/* By our name alone: it was there before, and comes below MAILBOX by rows that wait. */
static bool
is_to_come_below(const StoreMailbox *mailbox, const StoreMailbox *other)
{
	return !other->created && !is_family(mailbox, other) && is_named_below(mailbox, other);
}

/* Those that are deleted here and not there yet are in no list, and are renamed on the server all the
 * same. */
static bool
family_deleted(Store *store, const StoreMailbox *mailbox, GPtrArray *found, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;

	if (!store_journal(store, mailbox->account, &rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		g_autoptr(StoreMailbox) other = NULL;

		if (row->kind != STORE_INTENT_DELETE ||
		    !store_mailbox_get(store, row->mailbox, &other, NULL))
			continue;
		if (other->deleted && is_family(mailbox, other))
			g_ptr_array_add(found, g_steal_pointer(&other));
	}
	return true;
}

/* The folder itself and all below it. */
static bool
family(Store *store, const StoreMailbox *mailbox, GPtrArray **found, GError **error)
{
	g_autoptr(GPtrArray) all = NULL;
	g_autoptr(GPtrArray) kept =
	    g_ptr_array_new_with_free_func((GDestroyNotify)store_mailbox_free);

	if (!store_mailboxes(store, mailbox->account, &all, error))
		return false;
	for (guint i = 0; i < all->len; i++) {
		StoreMailbox *other = g_ptr_array_index(all, i);

		if (!is_family(mailbox, other) && !is_named_below(mailbox, other))
			continue;
		g_ptr_array_add(kept, other);
		all->pdata[i] = NULL;
	}
	if (!family_deleted(store, mailbox, kept, error))
		return false;
	*found = g_steal_pointer(&kept);
	return true;
}

/* What OTHER of MAILBOX's family is called when that is called NAME. */
static char *
renamed(const StoreMailbox *mailbox, const StoreMailbox *other, const char *name)
{
	size_t size = strlen(mailbox->name);

	if (other->id == mailbox->id || strncmp(other->name, mailbox->name, size) != 0)
		return g_strdup(other->id == mailbox->id ? name : other->name);
	return g_strconcat(name, other->name + size, NULL);
}

static bool
set_name(Store *store, Sql sql, StoreId mailbox, const char *name, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	sqlite3_bind_text(query, 2, name, -1, SQLITE_STATIC);
	return store_run(store, query, NULL, error) && version_grows(store, mailbox, error);
}

static bool
set_raw(Store *store, StoreId mailbox, const void *raw, size_t size, GError **error)
{
	StoreQuery *query = store_query(store, SQL_MAILBOX_RAW, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, mailbox);
	sqlite3_bind_blob64(query, 2, raw, size, SQLITE_STATIC);
	return store_run(store, query, NULL, error);
}

/* OTHER's server name once the first CUT bytes of it, MAILBOX's, are RAW. */
static bool
follow_raw(Store *store, const StoreMailbox *mailbox, size_t cut, const StoreMailbox *other,
	   Span raw, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(StoreMailbox) there = NULL;

	g_byte_array_append(bytes, (const guint8 *)raw.at, (guint)span_size(raw));
	g_byte_array_append(bytes, (const guint8 *)other->raw + cut,
			    (guint)(other->raw_size - cut));
	if (!store_mailbox_by_raw(store, mailbox->account, span_of(bytes->data, bytes->len), &there,
				  error))
		return false;
	/* LIST came first, and made a new one of it. */
	if (there && there->id != other->id &&
	    !journal_mailbox_absorb(store, other->id, there->id, error))
		return false;
	return set_raw(store, other->id, bytes->data, bytes->len, error);
}

/* What waits of a folder that is renamed once more. */
typedef struct Renaming {
	const StoreMailbox *mailbox;
	const StoreJournalRow *made;   /* the row that is to make it, if it waits; NULL: none */
	const StoreJournalRow *before; /* ... to rename it; NULL: none */
	Span called;		       /* what the server is to call it so far */
	bool back;		       /* ... and what it calls it is the new name */
	bool below;		       /* something is to be made below it under CALLED */
} Renaming;

static bool
rename_one(Store *store, Renaming *r, const StoreIntent *intent, const StoreMailbox *other,
	   GError **error)
{
	g_autofree char *name = renamed(r->mailbox, other, intent->name);
	bool below = is_made_below(r->mailbox, other) && other->raw_size > span_size(r->called) &&
		     span_equals(span_of(other->raw, span_size(r->called)), r->called);
	/* Under a name that it is not to have any more, the server has never heard of it. */
	bool unborn = r->made || (below && r->before);

	r->below |= below;
	if (!set_name(store, unborn ? SQL_MAILBOX_NAME : SQL_MAILBOX_RENAME, other->id, name,
		      error))
		return false;
	return !unborn ||
	       follow_raw(store, r->mailbox, span_size(r->called), other, intent->raw, error);
}

static bool
rename_family(Store *store, Renaming *r, const StoreIntent *intent, GError **error)
{
	g_autoptr(GPtrArray) all = NULL;

	if (!family(store, r->mailbox, &all, error))
		return false;
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = g_ptr_array_index(all, i);

		if (!rename_one(store, r, intent, other, error) ||
		    (r->back && !run_one(store, SQL_MAILBOX_NAMED_BACK, other->id, error)))
			return false;
	}
	return true;
}

/* For undo. */
static bool
note_old_name(Store *store, StoreId row, const StoreMailbox *mailbox, Span raw, GError **error)
{
	StoreQuery *query = store_query(store, SQL_UNDO_NAMES_SET, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_text(query, 2, mailbox->name, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(query, 3, raw.at, span_size(raw), SQLITE_STATIC);
	return store_run(store, query, NULL, error);
}

/* The folder is made or renamed under another name than it was to be. */
static bool
name_row(Store *store, StoreId row, const StoreIntent *intent, GError **error)
{
	StoreQuery *query = store_query(store, SQL_JOURNAL_NAME, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_text(query, 2, intent->name, -1, SQLITE_STATIC);
	store_bind_blob(query, 3, intent->raw);
	return store_run(store, query, NULL, error);
}

/* Does ROW, behind that which is to make or rename MAILBOX, leave it as it is that the name can be said there
 * in its place?  What other folders are called may rest on it, and what is free by then. */
static bool
lets_merge(Store *store, const StoreMailbox *mailbox, const StoreJournalRow *row)
{
	g_autoptr(StoreMailbox) other = NULL;

	if (row->mailbox == mailbox->id || row->kind < STORE_INTENT_CREATE ||
	    row->kind == STORE_INTENT_SUBSCRIBE || row->kind == STORE_INTENT_UNSUBSCRIBE)
		return true;
	return row->kind == STORE_INTENT_CREATE &&
	       store_mailbox_get(store, row->mailbox, &other, NULL) && other->created &&
	       is_named_below(mailbox, other);
}

/* A name that MAILBOX gets comes behind all rows that wait, not in place of one: something that is there
 * comes below it by them, or they have to do with names as ROW (NULL: none) leaves them. */
static bool
must_follow(Store *store, const StoreMailbox *mailbox, const StoreJournalRow *row, bool *must,
	    GError **error)
{
	g_autoptr(GPtrArray) all = NULL, rows = NULL;

	*must = false;
	if (!store_mailboxes(store, mailbox->account, &all, error) ||
	    !store_journal(store, mailbox->account, &rows, error))
		return false;
	for (guint i = 0; i < all->len && !*must; i++)
		*must = is_to_come_below(mailbox, g_ptr_array_index(all, i));
	for (guint i = 0; row && i < rows->len && !*must; i++) {
		const StoreJournalRow *later = g_ptr_array_index(rows, i);

		*must = later->id > row->id && !lets_merge(store, mailbox, later);
	}
	return true;
}

static bool
rename_folder(Store *store, const StoreIntent *intent, StoreMailbox *mailbox, StoreIntended *out,
	      GError **error)
{
	g_autoptr(StoreJournalRow) made = NULL, before = NULL;
	Span raw = span_of(mailbox->raw, mailbox->raw_size);
	Renaming r = { .mailbox = mailbox, .called = raw };
	g_autoptr(StoreMailbox) there = NULL;
	bool was, in_place, taken, follows;
	StoreId id;

	if (!check_name(intent, error) ||
	    !open_row(store, mailbox->id, STORE_INTENT_RENAME, &before, error) ||
	    !is_free(store, mailbox->account, mailbox->id, intent->name, error) ||
	    !open_row(store, mailbox->id, STORE_INTENT_CREATE, &made, error) ||
	    !must_follow(store, mailbox, before ? before : made, &follows, error))
		return false;
	if (mailbox->role == STORE_ROLE_INBOX)
		return fail_usage(error, _("INBOX cannot be renamed"));
	if (!store_mailbox_by_raw(store, mailbox->account, intent->raw, &there, error))
		return false;
	/* Another has that name until what waits of it is done: made first, then renamed. */
	if (!is_promised(store, mailbox->account, mailbox->id, intent->raw, &taken, error))
		return false;
	taken |= there && there->id != mailbox->id && !there->gone;
	r.made = is_waiting(made) && !is_waiting(before) && !taken && !follows ? made : NULL;
	r.before = !r.made && is_waiting(before) && !follows ? before : NULL;
	if (!r.made && before && before->raw)
		r.called = span_of(before->raw, before->raw_size);
	r.back = !r.made && !follows && (!before || r.before) && span_equals(intent->raw, raw);
	if (!rename_family(store, &r, intent, error))
		return false;
	/* What is to be made below it comes behind the row that waits. */
	in_place = r.before && r.below && !r.back;
	if ((r.made && !name_row(store, made->id, intent, error)) ||
	    (in_place && !name_row(store, before->id, intent, error)) ||
	    (!in_place && !follows &&
	     !swallow(store, mailbox->id, STORE_INTENT_RENAME, &was, error)))
		return false;
	if (!write_row(store, intent, mailbox, intent->name, !r.made && !in_place && !r.back, out,
		       &id, error))
		return false;
	/* What is to be waited for is the row that says it. */
	if (r.made || in_place)
		out->row = r.made ? made->id : before->id;
	return note_old_name(store, id, mailbox, r.called, error);
}

/* ---- delete, subscribe ------------------------------------------------------------------------------------- */

static bool
delete_folder(Store *store, const StoreIntent *intent, StoreMailbox *mailbox, StoreIntended *out,
	      GError **error)
{
	static const StoreIntentKind pointless[] = { STORE_INTENT_CREATE, STORE_INTENT_RENAME,
						     STORE_INTENT_SUBSCRIBE,
						     STORE_INTENT_UNSUBSCRIBE };
	g_autoptr(StoreJournalRow) made = NULL, renamed_by = NULL;
	g_autoptr(GPtrArray) all = NULL;
	bool busy, unborn, was;
	StoreId id;

	if (mailbox->role == STORE_ROLE_INBOX)
		return fail_usage(error, _("INBOX cannot be deleted"));
	if (!open_row(store, mailbox->id, STORE_INTENT_CREATE, &made, error) ||
	    !journal_is_busy(store, mailbox->id, &busy, error))
		return false;
	/* What goes along with a rename of it needs that, and so the folder. */
	if (!open_row(store, mailbox->id, STORE_INTENT_RENAME, &renamed_by, error) ||
	    !family(store, mailbox, &all, error))
		return false;
	unborn = is_waiting(made) && !busy && mailbox->total == 0 && !(renamed_by && all->len > 1);
	for (size_t i = 0; unborn && i < G_N_ELEMENTS(pointless); i++) {
		if (!swallow(store, mailbox->id, pointless[i], &was, error))
			return false;
	}
	if (!write_row(store, intent, mailbox, mailbox->name, !unborn, out, &id, error))
		return false;
	return unborn ? journal_mailbox_delete(store, mailbox->id, error)
		      : run_one(store, SQL_MAILBOX_DELETED, mailbox->id, error);
}

static bool
subscribe(Store *store, const StoreIntent *intent, StoreMailbox *mailbox, StoreIntended *out,
	  GError **error)
{
	g_autoptr(StoreJournalRow) before = NULL, made = NULL;
	StoreId id;
	bool on = intent->kind == STORE_INTENT_SUBSCRIBE, was, same;
	StoreIntentKind opposite = on ? STORE_INTENT_UNSUBSCRIBE : STORE_INTENT_SUBSCRIBE;
	StoreQuery *query = store_query(store, SQL_MAILBOX_SUBSCRIBE, error);

	if (!query || !open_row(store, mailbox->id, intent->kind, &before, error))
		return false;
	out->mailbox = mailbox->id;
	/* Nothing to do, unless it was tried in vain. */
	if (mailbox->subscribed == on && !(before && before->state == STORE_ROW_FAILED)) {
		if (!before && on &&
		    !open_row(store, mailbox->id, STORE_INTENT_CREATE, &made, error))
			return false;
		/* ... but to wait for what says it, or makes the folder, which is to be subscribed. */
		out->row = before ? before->id : made ? made->id : 0;
		return true;
	}
	if (!swallow(store, mailbox->id, opposite, &was, error) ||
	    !swallow(store, mailbox->id, intent->kind, &same, error))
		return false;
	/* What waited was against the server's word; so this one is with it. */
	was = was && mailbox->subscribed != on;
	sqlite3_bind_int64(query, 1, mailbox->id);
	sqlite3_bind_int(query, 2, on);
	sqlite3_bind_int(query, 3, was);
	return store_run(store, query, NULL, error) &&
	       write_row(store, intent, mailbox, NULL, !was, out, &id, error);
}

bool
journal_intend_folder(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (intent->kind == STORE_INTENT_CREATE)
		return create(store, intent, out, error);
	if (!store_mailbox_get(store, intent->mailbox, &mailbox, error))
		return false;
	if (mailbox->deleted)
		return fail_usage(error, _("the folder is still to be deleted on the server"));
	if (intent->kind == STORE_INTENT_RENAME)
		return rename_folder(store, intent, mailbox, out, error);
	if (intent->kind == STORE_INTENT_DELETE)
		return delete_folder(store, intent, mailbox, out, error);
	return subscribe(store, intent, mailbox, out, error);
}

/* ---- confirmed, dropped ------------------------------------------------------------------------------------ */

/* *MAILBOX NULL: it is not here any more. */
static bool
find_folder(Store *store, StoreId id, StoreMailbox **mailbox, GError **error)
{
	GError *failed = NULL;

	*mailbox = NULL;
	if (store_mailbox_get(store, id, mailbox, &failed))
		return true;
	if (postern_error_is(failed, POSTERN_ERROR_GONE)) {
		g_error_free(failed);
		return true;
	}
	g_propagate_error(error, failed);
	return false;
}

/* The server has the new name.  With another rename waiting, that one is still what the person sees. */
static bool
renamed_there(Store *store, const StoreJournalRow *row, const StoreMailbox *mailbox, GError **error)
{
	g_autoptr(StoreJournalRow) later = NULL;
	g_autoptr(GPtrArray) all = NULL;

	if (!open_row(store, mailbox->id, STORE_INTENT_RENAME, &later, error) ||
	    !family(store, mailbox, &all, error))
		return false;
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = g_ptr_array_index(all, i);
		g_autofree char *name = renamed(mailbox, other, row->name);

		if (!is_family(mailbox, other))
			continue;
		if (!follow_raw(store, mailbox, mailbox->raw_size, other,
				span_of(row->raw, row->raw_size), error) ||
		    !run_one(store, SQL_MAILBOX_RENAMED, other->id, error) ||
		    (later && !set_name(store, SQL_MAILBOX_OLD_NAME, other->id, name, error)))
			return false;
	}
	return true;
}

bool
journal_folder_done(Store *store, const StoreJournalRow *row, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	bool ok = true;

	store->folders_changed = true;
	if (!journal_set_state(store, row->id, STORE_ROW_CONFIRMED, error) ||
	    !find_folder(store, row->mailbox, &mailbox, error))
		return false;
	if (!mailbox)
		return true;
	if (row->kind == STORE_INTENT_CREATE)
		ok = run_one(store, SQL_MAILBOX_IS_THERE, mailbox->id, error);
	else if (row->kind == STORE_INTENT_RENAME)
		ok = renamed_there(store, row, mailbox, error);
	else if (row->kind == STORE_INTENT_DELETE)
		return journal_mailbox_delete(store, mailbox->id, error);
	else
		ok = run_one(store, SQL_MAILBOX_SUBSCRIBED, mailbox->id, error);
	return ok && version_grows(store, mailbox->id, error);
}

/* Everything that waits to be done in a folder that is not to be made after all. */
static bool
drop_all_of(Store *store, StoreId account, StoreId mailbox, StoreId except, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;

	if (!store_journal(store, account, &rows, error))
		return false;
	for (guint i = rows->len; i-- > 0;) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);

		if (row->id != except && (row->mailbox == mailbox || row->dest == mailbox) &&
		    !journal_drop(store, row, error))
			return false;
	}
	return true;
}

bool
journal_folder_drop(Store *store, const StoreJournalRow *row, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(GPtrArray) all = NULL;

	if (!find_folder(store, row->mailbox, &mailbox, error))
		return false;
	if (!mailbox)
		return true;
	if (row->kind == STORE_INTENT_CREATE)
		return drop_all_of(store, row->account, mailbox->id, row->id, error) &&
		       journal_mailbox_delete(store, mailbox->id, error);
	if (row->kind == STORE_INTENT_DELETE)
		return run_one(store, SQL_MAILBOX_UNDELETED, mailbox->id, error) &&
		       version_grows(store, mailbox->id, error);
	if (row->kind != STORE_INTENT_RENAME)
		return run_one(store, SQL_MAILBOX_UNSUBSCRIBED, mailbox->id, error) &&
		       version_grows(store, mailbox->id, error);
	if (!family(store, mailbox, &all, error))
		return false;
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = g_ptr_array_index(all, i);

		if (!run_one(store, SQL_MAILBOX_UNRENAMED, other->id, error) ||
		    !version_grows(store, other->id, error))
			return false;
	}
	return true;
}
