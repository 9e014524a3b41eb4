/* What was asked of an account, step by step: which mailbox must be selected, what is sent next, and
 * when a request is over.  The person's come first, side by side where they are of one mailbox;
 * then SYNCs, one after the other; then the folder that the person looks at. */
#include "engine-private.h"

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
finish_refused(Line *line, Job *job)
{
	Account *account = line->account;
	g_autoptr(GError) error = g_error_copy(mirror_error(line->mirror));

	line_forget_mailbox(line);
	/* It is not asked for again until somebody does. */
	if (job->kind == JOB_OPEN && !g_strcmp0(account->home, job->folder))
		g_clear_pointer(&account->home, g_free);
	account_finish(account, job, error);
}

/* Once for each OPEN: what the server refused before is asked for anew. */
static bool
starts_anew(Line *line, Job *job)
{
	bool first = job->kind == JOB_OPEN && !job->started;

	job->started |= job->kind == JOB_OPEN;
	if (!first || !mirror_error(line->mirror) || mirror_is_busy(line->mirror))
		return false;
	line_forget_mailbox(line);
	return true;
}

/* True when the JOB is over and was freed. */
static bool
step_in_mailbox(Line *line, Job *job)
{
	Account *account = line->account;
	g_autoptr(GBytes) raw = job_mailbox(account, job);
	g_autoptr(GError) error = NULL;

	if (!raw) {
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("there is no folder \"%s\""), job->folder ? job->folder : "");
		account_finish(account, job, error);
		return true;
	}
	if (!line_need_mailbox(line, raw)) {
		if (mirror_is(line->mirror, raw) && mirror_error(line->mirror)) {
			finish_refused(line, job);
			return true;
		}
		if (job->kind == JOB_OPEN && mirror_is(line->mirror, raw))
			mirror_want(line->mirror, rows_needed(job));
		return false;
	}
	if (starts_anew(line, job)) {
		line_need_mailbox(line, raw);
		mirror_want(line->mirror, rows_needed(job));
		return false;
	}
	job->mailbox = mirror_mailbox(line->mirror);
	switch (job->kind) {
	case JOB_OPEN:
		mirror_want(line->mirror, rows_needed(job));
		if (!mirror_is_current(line->mirror))
			return false;
		if (!mirror_covers(line->mirror, rows_needed(job))) {
			mirror_fill(line->mirror);
			return false;
		}
		break;
	case JOB_MESSAGE:
		/* The window's rows are told apart by nothing coming between. */
		if (!job->started && !mirror_is_windowing(line->mirror))
			mirror_fetch_message(line->mirror, job);
		if (!job->started || job->pending)
			return false;
		break;
	case JOB_PARTS:
		if (!job->started)
			parts_start(line->parts, job);
		if (job->pending)
			return false;
		break;
	default:
		g_assert_not_reached();
	}
	if (job->error)
		error = g_error_copy(job->error);
	else if (job->kind == JOB_OPEN && mirror_error(line->mirror))
		error = g_error_copy(mirror_error(line->mirror));
	account_finish(account, job, error);
	return true;
}

static bool
step_job(Line *line, Job *job)
{
	Account *account = line->account;
	g_autoptr(GError) error = NULL;

	switch (job->kind) {
	case JOB_FOLDERS:
	case JOB_CHECK:
		if (!job->started) {
			job->started = true;
			folders_read(line);
		}
		if (account->folder_read)
			return false;
		if (job->kind == JOB_CHECK)
			engine_set_report(account->engine, report_make(line));
		error = job->error ? g_error_copy(job->error) : NULL;
		account_finish(account, job, error);
		return true;
	default:
		return step_in_mailbox(line, job);
	}
}

/* The folders and their numbers, as of now: not of before it was asked for.  True when they are
 * here. */
static bool
list_folders(Line *line, Job *job)
{
	Account *account = line->account;

	if (account->folder_read)
		return false;
	if (job->listed && account->folders_ms)
		return true;
	folders_read(line);
	job->listed = true;
	return false;
}

/* A SYNC of everything learns the folders first, then takes those that are behind, one after the
 * other. */
static bool
plan_sync(Line *line, Job *job)
{
	Account *account = line->account;
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
	if (!list_folders(line, job))
		return false;
	job->started = true;
	job->unchanged = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					       (GDestroyNotify)g_bytes_unref, g_free);
	if (!store_mailboxes(account->engine->store, account->id, &boxes, &job->error))
		return true;
	for (unsigned i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);
		bool bodies = job->bodies != ENGINE_BODIES_NONE && box->selectable && !box->gone &&
			      !box->created && !box->deleted;
		GBytes *raw = g_bytes_new(box->raw, box->raw_size);
		bool differs = truth_differs(account->truth, line, box) ||
			       (!box->gone && account_owner(account, raw));

		if (bodies && !differs)
			g_hash_table_insert(job->unchanged, g_bytes_ref(raw),
					    g_memdup2(&box->id, sizeof box->id));
		if (bodies || differs)
			g_queue_push_tail(&job->folders, g_bytes_ref(raw));
		g_bytes_unref(raw);
	}
	return true;
}

static void
next_sync_folder(Job *job)
{
	g_bytes_unref(g_queue_pop_head(&job->folders));
	g_clear_pointer(&job->walk, body_walk_free);
	job->bodies_done = job->in_folder = false;
	job->news = NEWS_NOT_ASKED;
}

/* The others go on; it is told in the end. */
static void
skip_sync_folder(Job *job, const GError *error)
{
	if (!job->refused)
		job->refused = g_error_copy(error);
	next_sync_folder(job);
}

bool
job_has_skipped(Account *account, const Job *job)
{
	g_autoptr(StoreRow) row = NULL;

	return job->skipped &&
	       store_row_by_id(account->engine->store, job->skipped_message, &row, NULL);
}

/* What is selected already hears of news only when it is asked, or in IDLE. */
static bool
selects_again(const Line *line, const Line *owner, const Job *job)
{
	return owner == line && !job->in_folder && line->role == LINE_BACKGROUND;
}

/* The mirror that brings RAW up to date: LINE's own, or that of the line where it is open; NULL: not
 * yet, or refused on LINE. */
static Mirror *
sync_mirror(Line *line, Job *job, GBytes *raw)
{
	Line *owner = account_owner(line->account, raw);

	if (owner && owner != line) {
		line->waits_on = owner;
		return mirror_is_ready(owner->mirror) ? owner->mirror : NULL;
	}
	if (selects_again(line, owner, job)) {
		if (mirror_is_busy(line->mirror) || parts_is_busy(line->parts))
			return NULL;
		line_forget_mailbox(line);
	}
	job->in_folder = true;
	return line_need_mailbox(line, raw) ? line->mirror : NULL;
}

/* A server deflates more slowly than a fast line carries: ten times so, where it shares a processor with
 * us.  Of envelopes there are few; of bodies it is seen first what the line brings. */
static void
sync_compress(Line *line, const Job *job)
{
	if (job->bodies == ENGINE_BODIES_NONE || parts_are_slow(line->parts))
		connection_compress(line->connection);
}

typedef struct NewsAsk {
	Account *account;
	EngineRequest request;
} NewsAsk;

static void
on_news(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	g_autofree NewsAsk *ask = data;
	Job *job = account_find_job(ask->account, ask->request);

	if (job && job->news == NEWS_ASKED)
		job->news = NEWS_TOLD;
	if (outcome != IMAP_OUTCOME_CLOSED)
		account_pump_later(ask->account);
}

/* A mailbox that is selected anyway is as true as the server has told so far, which tells in IDLE when
 * it likes: a SYNC asks.  True when that is answered, or need not be: what is selected only now is
 * fresh. */
static bool
has_told_news(Line *line, Job *job, GBytes *raw)
{
	Line *owner = account_owner(line->account, raw);
	NewsAsk *ask;

	if (job->news == NEWS_NOT_ASKED && owner && mirror_is_ready(owner->mirror) &&
	    !mirror_error(owner->mirror) && !selects_again(line, owner, job)) {
		ask = g_new0(NewsAsk, 1);
		*ask = (NewsAsk){ line->account, job->request };
		if (connection_send(owner->connection, imap_command_new("NOOP"), IMAP_SEND_NORMAL,
				    on_news, ask)) {
			job->news = NEWS_ASKED;
			return false;
		}
		g_free(ask);
	}
	if (job->news == NEWS_NOT_ASKED)
		job->news = NEWS_TOLD;
	return job->news == NEWS_TOLD;
}

/* True when the bodies of what is selected are here, or cannot be had. */
static bool
sync_bodies(Line *line, Job *job, GBytes *raw)
{
	if (job->bodies == ENGINE_BODIES_NONE || job->bodies_done)
		return true;
	sync_compress(line, job);
	/* Another line may keep it true: this one looks on. */
	if (!line_need_mailbox(line, raw))
		return mirror_is(line->mirror, raw) && mirror_error(line->mirror);
	if (parts_sync(line->parts, job, job->mailbox))
		return false;
	job->bodies_done = true;
	return true;
}

/* Is RAW true, and are all its bodies here?  Then it need not be selected.  *MORE: that is not known
 * yet. */
static bool
has_all(Line *line, Job *job, GBytes *raw, bool *more)
{
	const StoreId *mailbox =
	    job->unchanged && !job->in_folder ? g_hash_table_lookup(job->unchanged, raw) : NULL;

	*more = false;
	return mailbox && !parts_sync_lacks(line->parts, job, *mailbox, more) && !*more;
}

/* One step of a SYNC; true when it is over. */
static bool
step_sync(Line *line, Job *job)
{
	Account *account = line->account;
	GBytes *raw;
	g_autoptr(GError) error = NULL;

	if (!plan_sync(line, job))
		return false;
	while (!job->error && (raw = g_queue_peek_head(&job->folders))) {
		bool more;
		Mirror *mirror;

		if (has_all(line, job, raw, &more)) {
			next_sync_folder(job);
			continue;
		}
		if (more || !has_told_news(line, job, raw))
			return false;
		mirror = sync_mirror(line, job, raw);

		if (job->accepts && (mirror || (line->mirror && mirror_is(line->mirror, raw))))
			mirror_accept_loss(mirror ? mirror : line->mirror);
		if (!mirror) {
			if (!line->mirror || !mirror_is(line->mirror, raw) ||
			    !mirror_error(line->mirror))
				return false;
			skip_sync_folder(job, mirror_error(line->mirror));
			line_forget_mailbox(line);
			continue;
		}
		mirror_want(mirror, 1);
		mirror_continue_sync(mirror);
		/* Where nothing changed there is nothing to compress. */
		if (!mirror_is_current(mirror) || !mirror_is_complete(mirror)) {
			sync_compress(line, job);
			if (mirror_is_current(mirror))
				mirror_fill(mirror);
			return false;
		}
		/* It may be current, and news that were just told be on their way. */
		if (mirror_is_busy(mirror))
			return false;
		job->mailbox = mirror_mailbox(mirror);
		if (!sync_bodies(line, job, raw))
			return false;
		if (mirror_error(mirror))
			skip_sync_folder(job, mirror_error(mirror));
		else if (mirror_loss(mirror))
			skip_sync_folder(job, mirror_loss(mirror));
		else
			next_sync_folder(job);
	}
	if (!job->error && job_has_skipped(account, job))
		job->error = g_error_copy(job->skipped);
	if (!job->error && job->refused)
		job->error = g_error_copy(job->refused);
	if (!job->error)
		job->error = g_steal_pointer(&job->full);
	error = job->error ? g_error_copy(job->error) : NULL;
	account_finish(account, job, error);
	return true;
}

/* Nobody waits: the folder the person looks at comes back, fills, and is kept true. */
static void
step_home(Line *line)
{
	Account *account = line->account;
	g_autoptr(GBytes) raw = account->home ? folders_raw_name(account, account->home) : NULL;

	if (raw && !line_need_mailbox(line, raw)) {
		if (mirror_is(line->mirror, raw) && mirror_error(line->mirror)) {
			engine_post_notice(account->engine, account->id,
					   mirror_error(line->mirror)->message);
			line_forget_mailbox(line);
			g_clear_pointer(&account->home, g_free);
		}
		return;
	}
	if (line->mirror && raw) {
		mirror_want(line->mirror, MAX(account->home_rows, 1));
		if (!mirror_is_current(line->mirror))
			return;
		/* The folders and their counts belong to the first screen. */
		if (account->folder_read && !account->settled)
			return;
		account->settled = true;
		if (account->home_fill && !mirror_is_complete(line->mirror)) {
			connection_compress(line->connection);
			mirror_fill(line->mirror);
			return;
		}
		if (account->home_fill && line_may_roam(line) &&
		    keep_step(line, mirror_mailbox(line->mirror)))
			return;
	}
	if (!line->introduces && !account->folder_read)
		account->settled = true;
	line_status(line, NULL, 0, 0);
	if (line->mirror)
		line_idle(line);
}

static bool
needs_mailbox(const Job *job)
{
	return job->kind != JOB_FOLDERS && job->kind != JOB_CHECK;
}

/* What is done behind the person's back, and is short; true while it has something under way. */
static bool
step_short(Line *line)
{
	Account *account = line->account;

	return (account->turn && account->turn->step(line)) ||
	       truth_step_news(account->truth, line);
}

/* What may be long. */
static bool
step_long(Line *line)
{
	Account *account = line->account;

	if (g_queue_is_empty(&account->syncs))
		return false;
	step_sync(line, g_queue_peek_head(&account->syncs));
	return true;
}

static void
step_interactive(Line *line)
{
	Account *account = line->account;

	/* A command that came for something else takes what waits along, first. */
	if (account->engine->hold && account->turn && account->turn->step(line))
		return;
	/* Jobs of one mailbox run side by side; the first that waits keeps it selected. */
	line->hold_mailbox = false;
	for (GList *at = account->jobs.head, *next; at; at = next) {
		next = at->next;
		if (!step_job(line, at->data) && needs_mailbox(at->data))
			line->hold_mailbox = true;
	}
	line->hold_mailbox = false;
	if (!g_queue_is_empty(&account->jobs))
		return;
	if (line_may_roam(line) ? step_short(line) || step_long(line)
				: account->turn && account->turn->step(line))
		return;
	step_home(line);
}

/* While a person waits nothing long is gone on with: the lines share one bottleneck, wherever it is. */
static void
step_background(Line *line)
{
	Account *account = line->account;

	if (step_short(line))
		return;
	if (!g_queue_is_empty(&account->jobs)) {
		if (line->mirror)
			mirror_hold(line->mirror);
		return;
	}
	if (!step_long(line) && !truth_step_fills(account->truth, line) && !keep_step(line, 0))
		line_status(line, NULL, 0, 0);
}

void
jobs_step(Line *line)
{
	switch (line->role) {
	case LINE_INTERACTIVE:
		step_interactive(line);
		break;
	case LINE_BACKGROUND:
		step_background(line);
		break;
	case LINE_LISTENING:
		line_listen(line);
		break;
	case LINE_ROLES:
		g_assert_not_reached();
	}
}
