/* What a person wants changed: into the journal, and who waits for the server's word. */
#include "intent-private.h"

#include "imap/mutf7.h"

Wish *
wish_new(WishKind kind, EngineUntil until)
{
	Wish *wish = g_new0(Wish, 1);

	wish->kind = kind;
	wish->until = until;
	return wish;
}

void
wish_free(Wish *wish)
{
	if (!wish)
		return;
	g_free(wish->messages);
	g_free(wish->uid_ranges);
	g_free(wish->keyword);
	g_free(wish->name);
	g_free(wish->raw);
	g_free(wish->account);
	g_free(wish->keywords);
	g_clear_pointer(&wish->content, g_bytes_unref);
	record_batch_free(wish->batch);
	g_free(wish);
}

EngineRequest
wish_send(Engine *engine, Wish *wish)
{
	Job *job = job_new(JOB_WISH);

	job->wish = wish;
	return engine_send_job(engine, NULL, job);
}

void
wish_tie(Wish *wish)
{
	wish->intent.messages = wish->messages;
	wish->intent.uid_ranges = wish->uid_ranges;
	wish->intent.keyword = wish->keyword;
	wish->intent.name = wish->name;
	wish->intent.raw = span_of_string(wish->raw);
}

static Account *
account_of(Engine *engine, StoreId id)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (account->id == id)
			return account;
	}
	return NULL;
}

static Account *
account_named(Engine *engine, const char *name)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (g_str_equal(account->config->name, name))
			return account;
	}
	return NULL;
}

static Account *
account_of_mailbox(Engine *engine, StoreId mailbox)
{
	g_autoptr(StoreMailbox) box = NULL;

	if (!mailbox || !store_mailbox_get(engine->store, mailbox, &box, NULL))
		return NULL;
	return account_of(engine, box->account);
}

static void
finish(Engine *engine, EngineRequest request, EngineEvent done, const GError *error)
{
	done.type = ENGINE_EVENT_DONE;
	done.request = request;
	done.error = error;
	engine_post(engine, &done);
}

/* The rows of GROUP (0: none), and ROW. */
static GArray *
rows_of(Account *account, StoreId group, StoreId row)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GPtrArray) rows = NULL;

	if (row)
		g_array_append_val(ids, row);
	if (!group || !store_journal(account->engine->store, account->id, &rows, NULL))
		return ids;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *each = g_ptr_array_index(rows, i);

		if (each->group == group && each->id != row)
			g_array_append_val(ids, each->id);
	}
	return ids;
}

/* It is in the journal: the screen hears of it, and who waits for more waits. */
static void
proceed(Account *account, EngineRequest request, EngineUntil until, const EngineEvent *done,
	StoreId row, StoreId dest)
{
	g_autoptr(GArray) rows = NULL;

	replay_changed(account, done->mailbox, dest);
	if (until == ENGINE_QUEUED) {
		finish(account->engine, request, *done, NULL);
		return;
	}
	rows = rows_of(account, done->group, row);
	replay_wait(account, request, done, rows);
}

/* The person looks at a folder by its name: that may be another now. */
static void
follow_home(Account *account, const StoreIntent *intent, const char *old)
{
	if (!account->home || g_strcmp0(account->home, old))
		return;
	if (intent->kind == STORE_INTENT_RENAME) {
		g_free(account->home);
		account->home = g_strdup(intent->name);
	} else if (intent->kind == STORE_INTENT_DELETE) {
		g_clear_pointer(&account->home, g_free);
	}
}

void
wish_intend(Engine *engine, EngineRequest request, Wish *wish)
{
	StoreIntent *intent = &wish->intent;
	StoreId named = intent->mailbox ? intent->mailbox : intent->dest;
	StoreIntended intended = { 0 };
	EngineEvent done = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(StoreMailbox) before = NULL;
	Account *account;

	if (intent->kind == STORE_INTENT_CREATE) {
		account = intent->account	  ? account_of(engine, intent->account)
			  : engine->accounts->len ? engine->accounts->pdata[0]
						  : NULL;
		intent->account = account ? account->id : 0;
	} else {
		account = account_of_mailbox(engine, named);
	}
	if (!account) {
		error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_GONE,
					    intent->kind == STORE_INTENT_CREATE
						? _("there is no such account")
						: _("this folder is not there any more"));
		finish(engine, request, done, error);
		return;
	}
	if (named)
		store_mailbox_get(engine->store, named, &before, NULL);
	done.account = account->id;
	if (!store_intend(engine->store, intent, &intended, &error)) {
		finish(engine, request, done, error);
		return;
	}
	if (before)
		follow_home(account, intent, before->name);
	done.mailbox = intended.mailbox ? intended.mailbox : named;
	done.message = intended.message;
	done.group = intended.group;
	done.n = intended.n;
	proceed(account, request, wish->until, &done, intended.row, intent->dest);
}

/* ---- the verbs ------------------------------------------------------------------------------------ */

static void
on_intend(Engine *engine, EngineRequest request, Wish *wish)
{
	StoreIntent *intent = &wish->intent;
	bool named = intent->kind == STORE_INTENT_CREATE || intent->kind == STORE_INTENT_RENAME;
	g_autoptr(GError) error = NULL;

	if (named && !wish->raw) {
		wish->raw = intent->name ? imap_mailbox_name_encode(intent->name, false) : NULL;
		if (!wish->raw || !*wish->raw) {
			error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_USAGE,
						    _("this is no name for a folder"));
			finish(engine, request, (EngineEvent){ 0 }, error);
			return;
		}
		wish_tie(wish);
	}
	wish_intend(engine, request, wish);
}

EngineRequest
engine_intend(Engine *engine, const StoreIntent *intent, EngineUntil until)
{
	Wish *wish = wish_new(WISH_INTEND, until);

	/* Messages are made by engine_append. */
	g_assert(intent->kind != STORE_INTENT_APPEND);
	wish->intent = *intent;
	wish->messages = g_memdup2(intent->messages, intent->n_messages * sizeof(StoreId));
	wish->uid_ranges =
	    g_memdup2(intent->uid_ranges, intent->n_uid_ranges * 2 * sizeof(uint32_t));
	wish->keyword = g_strdup(intent->keyword);
	wish->name = g_strdup(intent->name);
	wish->raw = span_is_empty(intent->raw) ? NULL : span_dup(intent->raw);
	wish_tie(wish);
	return wish_send(engine, wish);
}

static void
on_undo(Engine *engine, EngineRequest request, const Wish *wish)
{
	Account *account = wish->account ? account_named(engine, wish->account) : NULL;
	StoreUndone undone = { 0 };
	EngineEvent done = { 0 };
	g_autofree char *words = NULL;
	g_autoptr(GError) error = NULL;

	if (wish->account && !account) {
		error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_GONE,
					    _("there is no such account"));
		finish(engine, request, done, error);
		return;
	}
	if (!store_undo(engine->store, account ? account->id : 0, &undone, &error)) {
		finish(engine, request, done, error);
		return;
	}
	words = undone.words;
	done.group = undone.group;
	done.n = undone.n;
	done.message = undone.message;
	done.text = words;
	/* Which account it was is known by its rows; all look, which costs nothing. */
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *each = engine->accounts->pdata[i];
		g_autoptr(GArray) rows = NULL;

		if (account && each != account)
			continue;
		replay_changed(each, 0, 0);
		rows = undone.group && wish->until == ENGINE_THERE ? rows_of(each, undone.group, 0)
								   : NULL;
		if (!rows || !rows->len)
			continue;
		done.account = each->id;
		replay_wait(each, request, &done, rows);
		return;
	}
	finish(engine, request, done, NULL);
}

EngineRequest
engine_undo(Engine *engine, const char *account, EngineUntil until)
{
	Wish *wish = wish_new(WISH_UNDO, until);

	wish->account = g_strdup(account);
	return wish_send(engine, wish);
}

/* The account of a row, and what it has to do with. */
static Account *
look_up_row(Engine *engine, StoreId id, StoreJournalRow **row, GError **error)
{
	Account *account;

	if (!store_journal_row(engine->store, id, row, error))
		return NULL;
	account = account_of(engine, (*row)->account);
	if (!account)
		g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("there is no such account"));
	return account;
}

static void
on_retry(Engine *engine, EngineRequest request, const Wish *wish)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_autoptr(GError) error = NULL;
	EngineEvent done = { 0 };
	Account *account = look_up_row(engine, wish->row, &row, &error);

	if (!account || !store_journal_retry(engine->store, wish->row, &error)) {
		finish(engine, request, done, error);
		return;
	}
	done.account = account->id;
	done.mailbox = row->mailbox;
	done.group = row->group;
	done.n = row->n;
	proceed(account, request, wish->until, &done, wish->row, row->dest);
}

EngineRequest
engine_retry(Engine *engine, StoreId row, EngineUntil until)
{
	Wish *wish = wish_new(WISH_RETRY, until);

	wish->row = row;
	return wish_send(engine, wish);
}

static void
on_drop(Engine *engine, EngineRequest request, const Wish *wish)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_autoptr(GError) error = NULL;
	EngineEvent done = { 0 };
	Account *account = look_up_row(engine, wish->row, &row, &error);

	if (!account || !store_journal_drop(engine->store, wish->row, &error)) {
		finish(engine, request, done, error);
		return;
	}
	done.account = account->id;
	done.mailbox = row->mailbox;
	done.n = row->n;
	proceed(account, request, ENGINE_QUEUED, &done, 0, row->dest);
}

EngineRequest
engine_drop(Engine *engine, StoreId row)
{
	Wish *wish = wish_new(WISH_DROP, ENGINE_QUEUED);

	wish->row = row;
	return wish_send(engine, wish);
}

void
wish_take_up(Engine *engine, const Job *job)
{
	switch (job->wish->kind) {
	case WISH_INTEND:
		on_intend(engine, job->request, job->wish);
		break;
	case WISH_APPEND:
		wish_read_message(job->wish);
		wish_intend(engine, job->request, job->wish);
		break;
	case WISH_UNDO:
		on_undo(engine, job->request, job->wish);
		break;
	case WISH_RETRY:
		on_retry(engine, job->request, job->wish);
		break;
	case WISH_DROP:
		on_drop(engine, job->request, job->wish);
		break;
	}
}
