/* What was asked of an account, step by step: which mailbox must be selected, what is sent next, and
 * when a request is over.  The person's come first, side by side where they are of one mailbox;
 * then SYNCs, one after the other; then the folder that the person looks at. */
#include "engine-private.h"

/* Selects RAW, when nothing of the mailbox before it is still under way.  True when it is ready. */
static bool
need_mailbox(Account *account, GBytes *raw)
{
	if (account->mirror && mirror_is(account->mirror, raw)) {
		/* A SELECT that rode with a login that was refused, and with none since. */
		if (!mirror_is_ready(account->mirror) && !mirror_is_busy(account->mirror))
			mirror_select(account->mirror);
		return mirror_is_ready(account->mirror);
	}
	if (account->mirror && (account->hold_mailbox || mirror_is_busy(account->mirror) ||
				parts_is_busy(account->parts)))
		return false;
	g_clear_pointer(&account->mirror, mirror_free);
	account->mirror = mirror_new(account, raw);
	mirror_select(account->mirror);
	return false;
}

static GBytes *
job_mailbox(Account *account, Job *job)
{
	g_autoptr(StoreMailbox) box = NULL;

	if (job->folder)
		return folders_raw_name(account, job->folder);
	if (job->mailbox && store_mailbox_get(account->engine->store, job->mailbox, &box, NULL))
		return g_bytes_new(box->raw, box->raw_size);
	return NULL;
}

/* How many rows an OPEN needs, from the newest on: at least one. */
static uint32_t
rows_needed(const Job *job)
{
	uint64_t rows = (uint64_t)job->offset + MAX(job->rows, 1);

	return (uint32_t)MIN(rows, UINT32_MAX);
}

/* SELECT was refused. */
static void
finish_refused(Account *account, Job *job)
{
	g_autoptr(GError) error = g_error_copy(mirror_error(account->mirror));

	g_clear_pointer(&account->mirror, mirror_free);
	/* It is not asked for again until somebody does. */
	if (job->kind == JOB_OPEN && !g_strcmp0(account->home, job->folder))
		g_clear_pointer(&account->home, g_free);
	account_finish(account, job, error);
}

/* Once for each OPEN: what the server refused before is asked for anew. */
static bool
starts_anew(Account *account, Job *job)
{
	bool first = job->kind == JOB_OPEN && !job->started;

	job->started |= job->kind == JOB_OPEN;
	if (!first || !mirror_error(account->mirror) || mirror_is_busy(account->mirror))
		return false;
	g_clear_pointer(&account->mirror, mirror_free);
	return true;
}

/* True when the JOB is over and was freed. */
static bool
step_in_mailbox(Account *account, Job *job)
{
	g_autoptr(GBytes) raw = job_mailbox(account, job);
	g_autoptr(GError) error = NULL;

	if (!raw) {
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("there is no folder \"%s\""), job->folder ? job->folder : "");
		account_finish(account, job, error);
		return true;
	}
	if (!need_mailbox(account, raw)) {
		if (mirror_is(account->mirror, raw) && mirror_error(account->mirror)) {
			finish_refused(account, job);
			return true;
		}
		if (job->kind == JOB_OPEN && mirror_is(account->mirror, raw))
			mirror_want(account->mirror, rows_needed(job));
		return false;
	}
	if (starts_anew(account, job)) {
		need_mailbox(account, raw);
		mirror_want(account->mirror, rows_needed(job));
		return false;
	}
	job->mailbox = mirror_mailbox(account->mirror);
	switch (job->kind) {
	case JOB_OPEN:
		mirror_want(account->mirror, rows_needed(job));
		if (!mirror_is_current(account->mirror))
			return false;
		if (!mirror_covers(account->mirror, rows_needed(job))) {
			mirror_fill(account->mirror);
			return false;
		}
		break;
	case JOB_MESSAGE:
		/* The window's rows are told apart by nothing coming between. */
		if (!job->started && !mirror_is_windowing(account->mirror))
			mirror_fetch_message(account->mirror, job);
		if (!job->started || job->pending)
			return false;
		break;
	case JOB_PARTS:
		if (!job->started)
			parts_start(account->parts, job);
		if (job->pending)
			return false;
		break;
	default:
		g_assert_not_reached();
	}
	if (job->error)
		error = g_error_copy(job->error);
	else if (job->kind == JOB_OPEN && mirror_error(account->mirror))
		error = g_error_copy(mirror_error(account->mirror));
	account_finish(account, job, error);
	return true;
}

static bool
step_job(Account *account, Job *job)
{
	g_autoptr(GError) error = NULL;

	switch (job->kind) {
	case JOB_FOLDERS:
	case JOB_CHECK:
		if (!job->started) {
			job->started = true;
			folders_read(account);
		}
		if (account->folder_read)
			return false;
		if (job->kind == JOB_CHECK)
			engine_set_report(account->engine, report_make(account));
		error = job->error ? g_error_copy(job->error) : NULL;
		account_finish(account, job, error);
		return true;
	default:
		return step_in_mailbox(account, job);
	}
}

/* A SYNC of everything learns the folders first, then takes one after the other. */
static bool
plan_sync(Account *account, Job *job)
{
	g_autoptr(GPtrArray) boxes = NULL;

	if (job->started)
		return true;
	if (job->folder) {
		GBytes *raw = folders_raw_name(account, job->folder);

		if (raw)
			g_queue_push_tail(&job->folders, raw);
		job->started = true;
		return true;
	}
	if (!account->folders_ms) {
		if (!account->folder_read)
			folders_read(account);
		return false;
	}
	job->started = true;
	if (!store_mailboxes(account->engine->store, account->id, &boxes, &job->error))
		return true;
	for (unsigned i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);

		if (box->selectable && !box->gone)
			g_queue_push_tail(&job->folders, g_bytes_new(box->raw, box->raw_size));
	}
	return true;
}

static void
next_sync_folder(Job *job)
{
	g_bytes_unref(g_queue_pop_head(&job->folders));
	job->body_offset = 0;
	job->bodies_done = false;
}

bool
job_has_skipped(Account *account, const Job *job)
{
	g_autoptr(StoreRow) row = NULL;

	return job->skipped &&
	       store_row_by_id(account->engine->store, job->skipped_message, &row, NULL);
}

/* One step of a SYNC; true when it is over. */
static bool
step_sync(Account *account, Job *job)
{
	GBytes *raw;
	g_autoptr(GError) error = NULL;

	if (!plan_sync(account, job))
		return false;
	while (!job->error && (raw = g_queue_peek_head(&job->folders))) {
		if (!need_mailbox(account, raw)) {
			if (!mirror_is(account->mirror, raw) || !mirror_error(account->mirror))
				return false;
			job->error = g_error_copy(mirror_error(account->mirror));
			g_clear_pointer(&account->mirror, mirror_free);
			next_sync_folder(job);
			continue;
		}
		connection_compress(account->connection);
		mirror_want(account->mirror, 1);
		if (!mirror_is_current(account->mirror))
			return false;
		if (!mirror_is_complete(account->mirror)) {
			mirror_fill(account->mirror);
			return false;
		}
		if (mirror_is_busy(account->mirror))
			return false;
		if (mirror_error(account->mirror))
			job->error = g_error_copy(mirror_error(account->mirror));
		job->mailbox = mirror_mailbox(account->mirror);
		if (job->bodies != ENGINE_BODIES_NONE && !job->bodies_done) {
			if (parts_sync(account->parts, job, job->mailbox))
				return false;
			job->bodies_done = true;
		}
		next_sync_folder(job);
	}
	if (!job->error && job_has_skipped(account, job))
		job->error = g_error_copy(job->skipped);
	error = job->error ? g_error_copy(job->error) : NULL;
	account_finish(account, job, error);
	return true;
}

/* Nobody waits: the folder the person looks at comes back, fills, and is kept true. */
static void
step_home(Account *account)
{
	g_autoptr(GBytes) raw = account->home ? folders_raw_name(account, account->home) : NULL;
	ImapSession *session = connection_session(account->connection);

	if (raw && !need_mailbox(account, raw)) {
		if (mirror_is(account->mirror, raw) && mirror_error(account->mirror)) {
			engine_post_notice(account->engine, account->id,
					   mirror_error(account->mirror)->message);
			g_clear_pointer(&account->mirror, mirror_free);
			g_clear_pointer(&account->home, g_free);
		}
		return;
	}
	if (account->mirror && raw) {
		mirror_want(account->mirror, MAX(account->home_rows, 1));
		if (!mirror_is_current(account->mirror))
			return;
		/* The folders and their counts belong to the first screen. */
		if (account->home_fill && !mirror_is_complete(account->mirror)) {
			if (account->folder_read)
				return;
			connection_compress(account->connection);
			mirror_fill(account->mirror);
			return;
		}
	}
	account_status(account, NULL, 0, 0);
	/* A command line asks its next question at once. */
	if (account->mirror && !account->introduces && !account->engine->hold &&
	    account_has(account, "IDLE") && !imap_session_is_idling(session) &&
	    !imap_session_in_flight(session) && !imap_session_waiting(session)) {
		imap_session_idle(session, NULL, NULL);
		connection_flush_later(account->connection);
	}
}

static bool
needs_mailbox(const Job *job)
{
	return job->kind != JOB_FOLDERS && job->kind != JOB_CHECK;
}

void
jobs_step(Account *account)
{
	/* Jobs of one mailbox run side by side; the first that waits keeps it selected. */
	account->hold_mailbox = false;
	for (GList *at = account->jobs.head, *next; at; at = next) {
		next = at->next;
		if (!step_job(account, at->data) && needs_mailbox(at->data))
			account->hold_mailbox = true;
	}
	account->hold_mailbox = false;
	if (!g_queue_is_empty(&account->jobs))
		return;
	if (!g_queue_is_empty(&account->syncs))
		step_sync(account, g_queue_peek_head(&account->syncs));
	else
		step_home(account);
}
