/* One account: its lines, and what was asked of it. */
#include "engine-private.h"

#include "base/safetext.h"

#define SAY_AGAIN_MS (10 * 60 * 1000) /* the same words about a store that fails */

Job *
job_new(JobKind kind)
{
	Job *job = g_new0(Job, 1);

	job->kind = kind;
	g_queue_init(&job->folders);
	return job;
}

bool
job_is_change(const Job *job)
{
	return job->kind == JOB_WISH;
}

void
job_free(Job *job)
{
	g_queue_clear_full(&job->folders, (GDestroyNotify)g_bytes_unref);
	g_clear_error(&job->error);
	g_clear_error(&job->skipped);
	g_clear_error(&job->refused);
	g_clear_error(&job->full);
	g_strfreev(job->sections);
	wish_free(job->wish);
	body_walk_free(job->walk);
	if (job->unchanged)
		g_hash_table_unref(job->unchanged);
	g_free(job->folder);
	g_free(job);
}

GError *
account_refusal(const ImapResponse *response, PosternError code, const char *what)
{
	g_autofree char *words = safe_text(response->text, SAFE_LINE, NULL);

	return g_error_new(POSTERN_ERROR, (int)code, _("cannot %s: the server says \"%s\""), what,
			   words);
}

bool
account_is_passing(const ImapResponse *response)
{
	switch (response->code) {
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_INUSE:
	case IMAP_CODE_LIMIT:
	case IMAP_CODE_OVERLIMIT:
	case IMAP_CODE_THROTTLED:
	case IMAP_CODE_TEMPFAIL:
	case IMAP_CODE_EXPUNGEISSUED:
		return true;
	default:
		return false;
	}
}

/* ---- what the person is told ------------------------------------------------------------------ */

/* The first that is busy with something: the person's line before the others. */
static const Line *
busy_line(Account *account)
{
	for (guint i = 0; i < account->lines->len; i++) {
		const Line *line = g_ptr_array_index(account->lines, i);

		if (line->doing)
			return line;
	}
	return account_line(account);
}

void
account_post_status(Account *account)
{
	const Line *line = account_line(account), *busy = busy_line(account);
	int64_t now = g_get_monotonic_time() / 1000;
	EngineStatus status = {
		.account = account->config->name,
		.link = line->link,
		.error = line->link == ENGINE_ONLINE ? NULL : line->error,
		.doing = busy->doing,
		.done = busy->doing_done,
		.total = busy->doing_total,
		.silent_s = line->silent_s,
	};
	EngineEvent event = { .type = ENGINE_EVENT_STATUS,
			      .account = account->id,
			      .status = &status };

	if (line->link == ENGINE_WAITING)
		status.retry_in_s = (int)MAX((line->retry_ms - now + 999) / 1000, 0);
	engine_post(account->engine, &event);
}

void
account_finish(Account *account, Job *job, const GError *error)
{
	EngineEvent event = { .type = ENGINE_EVENT_DONE,
			      .account = account->id,
			      .request = job->request,
			      .mailbox = job->mailbox,
			      .message = job->message,
			      .error = error };

	g_queue_remove(&account->jobs, job);
	g_queue_remove(&account->syncs, job);
	if (job->kind == JOB_PARTS || job->kind == JOB_SYNC)
		for (guint i = 0; i < account->lines->len; i++)
			parts_cancel(((Line *)g_ptr_array_index(account->lines, i))->parts, job);
	engine_post(account->engine, &event);
	job_free(job);
	account_pump_later(account);
}

void
account_finish_all(Account *account, const GError *error)
{
	Job *job;

	while ((job = g_queue_peek_head(&account->jobs)))
		account_finish(account, job, error);
	while (!account_is_online(account) && (job = g_queue_peek_head(&account->syncs)))
		account_finish(account, job, error);
	replay_give_up(account, error);
}

void
account_store_failed(Account *account, const GError *error)
{
	int64_t now = g_get_monotonic_time() / 1000;

	/* The lines come back to try again, and may not be luckier. */
	if (g_strcmp0(account->store_words, error->message) ||
	    now - account->store_words_ms >= SAY_AGAIN_MS) {
		g_free(account->store_words);
		account->store_words = g_strdup(error->message);
		account->store_words_ms = now;
		engine_post_notice(account->engine, account->id, error->message);
	}
	for (guint i = 0; i < account->lines->len; i++) {
		Line *line = g_ptr_array_index(account->lines, i);

		if (line->connection)
			connection_fail(line->connection, error);
	}
}

/* ---- jobs ------------------------------------------------------------------------------------------ */

static GError *
no_line(Account *account)
{
	Line *line = account_line(account);

	if (account->engine->offline)
		return g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				   _("this needs the server, and Postern works offline"));
	if (line->error)
		return g_error_copy(line->error);
	return g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE, _("not connected to %s"),
			   account->config->imap_host);
}

static void
remember_home(Account *account, const Job *job)
{
	g_free(account->home);
	account->home = g_strdup(job->folder);
	account->home_rows = job->rows;
	account->home_fill = job->fill;
}

static Job *
find_job(GQueue *queue, EngineRequest request)
{
	for (GList *at = queue->head; at; at = at->next)
		if (((Job *)at->data)->request == request)
			return at->data;
	return NULL;
}

/* The person looks elsewhere now: nobody waits for what was opened before. */
static void
drop_other_opens(Account *account, const char *folder)
{
	g_autoptr(GError) error =
	    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));

	for (GList *at = account->jobs.head, *next; at; at = next) {
		Job *job = at->data;

		next = at->next;
		if (job->kind == JOB_OPEN && g_strcmp0(job->folder, folder))
			account_finish(account, job, error);
	}
}

void
account_add_job(Account *account, Job *job)
{
	Line *line = account_line(account);
	g_autoptr(GError) error = NULL;

	if (job->kind == JOB_OPEN && !job->guest)
		drop_other_opens(account, job->folder);
	g_queue_push_tail(job->kind == JOB_SYNC ? &account->syncs : &account->jobs, job);
	if (job->kind == JOB_OPEN && !job->guest)
		remember_home(account, job);
	for (guint i = 0; i < account->lines->len && job->kind != JOB_SYNC; i++) {
		Line *other = g_ptr_array_index(account->lines, i);

		if (other->mirror)
			mirror_hold(other->mirror);
	}
	if (account->engine->offline || account->engine->stopping) {
		error = no_line(account);
		account_finish(account, job, error);
		return;
	}
	if (!line->connection) {
		/* A person asks: worth a try now, but what was refused stays refused. */
		if (line->refused) {
			error = no_line(account);
			account_finish(account, job, error);
			return;
		}
		account_connect(account);
	} else if (!line->online && !line->mirror) {
		line_ride(line);
	}
	account_pump_later(account);
}

Job *
account_find_job(Account *account, EngineRequest request)
{
	Job *job = find_job(&account->jobs, request);

	return job ? job : find_job(&account->syncs, request);
}

void
account_cancel(Account *account, EngineRequest request)
{
	Job *job = account_find_job(account, request);
	g_autoptr(GError) error = NULL;

	if (!job) {
		replay_cancel(account, request);
		return;
	}
	error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
	account_finish(account, job, error);
}

Account *
account_new(Engine *engine, const ConfigAccount *config, GError **error)
{
	Account *account = g_new0(Account, 1);
	g_autofree char *capabilities = NULL;

	account->engine = engine;
	account->config = config;
	g_queue_init(&account->jobs);
	g_queue_init(&account->syncs);
	account->turn = &replay_turn;
	account->replay = replay_new(account);
	account->lines = g_ptr_array_new_with_free_func((GDestroyNotify)line_free);
	g_ptr_array_add(account->lines, line_new(account, LINE_INTERACTIVE));
	account->truth = truth_new(account);
	if (!store_account(engine->store, config->name, &account->id, error) ||
	    !store_account_get(engine->store, account->id, "binding", &account->memory.binding,
			       error) ||
	    !store_account_get(engine->store, account->id, "capabilities", &capabilities, error)) {
		account_free(account);
		return NULL;
	}
	if (capabilities)
		account->capabilities = g_strsplit(capabilities, " ", -1);
	return account;
}

void
account_free(Account *account)
{
	if (!account)
		return;
	g_ptr_array_unref(account->lines);
	truth_free(account->truth);
	engine_drop_source(&account->poll);
	replay_free(account->replay);
	g_queue_clear_full(&account->jobs, (GDestroyNotify)job_free);
	g_queue_clear_full(&account->syncs, (GDestroyNotify)job_free);
	connection_memory_clear(&account->memory);
	g_free(account->memory.binding);
	g_strfreev(account->capabilities);
	g_free(account->home);
	g_free(account->server_id);
	g_free(account->store_words);
	keep_free(account->keep);
	g_free(account);
}
