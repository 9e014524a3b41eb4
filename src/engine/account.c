/* One account: its line, and what is sent on it next. */
#include "engine-private.h"

#include "base/safetext.h"
#include "imap/mutf7.h"

#define SILENT_S	3 /* without a byte, and the person is told */
#define RETRY_FIRST_MS	1000
#define RETRY_MAX_MS	60000
#define STEADY_MS	60000		/* a line that stood so long was a good one */
#define REFRESH_MS	(4 * 60 * 1000) /* folder counts, and IDLE renewed well before 29 minutes */
#define NOOP_MS		(60 * 1000)	/* where there is no IDLE */
#define STATUS_EVERY_MS 100

static gboolean on_pump(void *data);

Job *
job_new(JobKind kind)
{
	Job *job = g_new0(Job, 1);

	job->kind = kind;
	g_queue_init(&job->folders);
	return job;
}

void
job_free(Job *job)
{
	g_queue_clear_full(&job->folders, (GDestroyNotify)g_bytes_unref);
	g_clear_error(&job->error);
	g_clear_error(&job->skipped);
	g_strfreev(job->sections);
	g_free(job->folder);
	g_free(job);
}

bool
account_has(const Account *account, const char *capability)
{
	return account->connection &&
	       imap_session_has(connection_session(account->connection), capability);
}

GError *
account_refusal(const ImapResponse *response, PosternError code, const char *what)
{
	g_autofree char *words = safe_text(response->text, SAFE_LINE, NULL);

	return g_error_new(POSTERN_ERROR, (int)code, _("cannot %s: the server says \"%s\""), what,
			   words);
}

/* ---- what the person is told ------------------------------------------------------------------ */

static void
post_status(Account *account)
{
	int64_t now = g_get_monotonic_time() / 1000;
	EngineStatus status = {
		.account = account->config->name,
		.link = account->link,
		.error = account->link == ENGINE_ONLINE ? NULL : account->error,
		.doing = account->doing,
		.done = account->doing_done,
		.total = account->doing_total,
		.silent_s = account->silent_s,
	};
	EngineEvent event = { .type = ENGINE_EVENT_STATUS,
			      .account = account->id,
			      .status = &status };

	if (account->link == ENGINE_WAITING)
		status.retry_in_s = (int)MAX((account->retry_ms - now + 999) / 1000, 0);
	account->status_ms = now;
	engine_post(account->engine, &event);
}

static void
set_link(Account *account, EngineLink link)
{
	account->link = link;
	post_status(account);
}

void
account_status(Account *account, const char *doing, uint64_t done, uint64_t total)
{
	bool same = !g_strcmp0(account->doing, doing);

	if (same && account->doing_done == done && account->doing_total == total)
		return;
	account->doing_done = done;
	account->doing_total = total;
	if (!same) {
		g_free(account->doing);
		account->doing = g_strdup(doing);
	} else if (g_get_monotonic_time() / 1000 - account->status_ms < STATUS_EVERY_MS &&
		   done != total) {
		return;
	}
	post_status(account);
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
		parts_cancel(account->parts, job);
	engine_post(account->engine, &event);
	job_free(job);
	account_pump_later(account);
}

static void
finish_all(Account *account, const GError *error)
{
	Job *job;

	while ((job = g_queue_peek_head(&account->jobs)))
		account_finish(account, job, error);
	while ((job = g_queue_peek_head(&account->syncs)))
		account_finish(account, job, error);
}

void
account_store_failed(Account *account, const GError *error)
{
	engine_post_notice(account->engine, account->id, error->message);
	if (account->connection)
		connection_fail(account->connection, error);
}

/* ---- the line ----------------------------------------------------------------------------------- */

static void
count_totals(Account *account)
{
	ConnectionFacts facts;
	EngineTotals now = account->seen, more;

	connection_facts(account->connection, &facts);
	now.wire_in = facts.counts.wire_in;
	now.wire_out = facts.counts.wire_out;
	now.round_trips = imap_session_round_trips(connection_session(account->connection));
	more = (EngineTotals){ .wire_in = now.wire_in - account->seen.wire_in,
			       .wire_out = now.wire_out - account->seen.wire_out,
			       .round_trips = now.round_trips - account->seen.round_trips };
	account->seen = now;
	engine_add_totals(account->engine, &more);
}

static void
forget_line(Account *account, const GError *error)
{
	account->online = false;
	folders_forget(account);
	parts_forget(account->parts, error);
	g_clear_pointer(&account->mirror, mirror_free);
	engine_drop_source(&account->refresh);
	engine_drop_source(&account->silence);
	account->silent_s = 0;
	account->folders_ms = 0;
	g_clear_pointer(&account->doing, g_free);
}

static gboolean
on_retry(void *data)
{
	Account *account = data;

	engine_drop_source(&account->retry);
	account_connect(account);
	return G_SOURCE_REMOVE;
}

static void
plan_retry(Account *account)
{
	int64_t wait = RETRY_FIRST_MS << MIN(account->failures, 6);

	wait = MIN(wait, RETRY_MAX_MS);
	wait +=
	    g_random_int_range(0, (gint32)(wait / 4) + 1); /* jitter: servers restart for many */
	account->failures++;
	account->retry_ms = g_get_monotonic_time() / 1000 + wait;
	account->retry = engine_timeout(account->engine, (unsigned)wait, on_retry, account);
	set_link(account, ENGINE_WAITING);
}

static bool
is_final(const GError *error)
{
	return postern_error_is(error, POSTERN_ERROR_TRUST) ||
	       postern_error_is(error, POSTERN_ERROR_LOGIN) ||
	       postern_error_is(error, POSTERN_ERROR_CONFIG) ||
	       postern_error_is(error, POSTERN_ERROR_STORE);
}

static void
on_closed(void *data, const GError *error)
{
	Account *account = data;
	g_autoptr(GError) copy = g_error_copy(error);

	count_totals(account);
	/* A server that takes the login and hangs up soon after is not asked every second for ever. */
	if (account->online && g_get_monotonic_time() / 1000 - account->online_ms >= STEADY_MS)
		account->failures = 0;
	forget_line(account, copy);
	g_clear_pointer(&account->connection, connection_free);
	memset(&account->seen, 0, sizeof account->seen);
	g_clear_error(&account->error);
	account->error = g_error_copy(copy);
	finish_all(account, copy);
	account->refused = is_final(copy);
	if (account->engine->stopping || account->engine->hold || account->refused)
		set_link(account, ENGINE_OFFLINE);
	else if (account->at_once)
		account_connect(account);
	else
		plan_retry(account);
	account->at_once = false;
	if (account->engine->stopping)
		engine_quit_if_done(account->engine);
}

static void
on_link(void *data, EngineLink link)
{
	set_link(data, link);
}

static void
on_id(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	account_pump_later(data);
}

static void
send_id(Account *account)
{
	ImapCommand *command;

	if (!account_has(account, "ID"))
		return;
	command = imap_command_new("ID");
	imap_command_text(command, "(\"name\" \"Postern\" \"version\" \"%s\")", POSTERN_VERSION);
	connection_send(account->connection, command, IMAP_SEND_NORMAL, on_id, account);
}

static gboolean
on_refresh(void *data)
{
	Account *account = data;

	engine_drop_source(&account->refresh);
	if (!account->online)
		return G_SOURCE_REMOVE;
	if (account_has(account, "IDLE") ||
	    g_get_monotonic_time() / 1000 - account->folders_ms >= REFRESH_MS)
		folders_read(account);
	else
		connection_send(account->connection, imap_command_new("NOOP"), IMAP_SEND_NORMAL,
				NULL, NULL);
	account->refresh =
	    engine_timeout(account->engine, account_has(account, "IDLE") ? REFRESH_MS : NOOP_MS,
			   on_refresh, account);
	account_pump_later(account);
	return G_SOURCE_REMOVE;
}

/* The mailbox goes first: its window is asked for by numbers, which have to wait for the answer to
 * anything that is in flight before them (RFC 9051, 5.5), while these can follow it at once. */
static void
introduce(Account *account)
{
	if (!account->introduces || (account->mirror && !mirror_is_ready(account->mirror) &&
				     mirror_is_busy(account->mirror)))
		return;
	account->introduces = false;
	send_id(account);
	if (!account->engine->hold)
		folders_read(account);
	connection_flush_later(account->connection);
}

static void
on_online(void *data)
{
	Account *account = data;

	account->online = true;
	account->online_ms = g_get_monotonic_time() / 1000;
	store_account_set(account->engine->store, account->id, "binding", account->memory.binding,
			  NULL);
	g_clear_error(&account->error);
	/* A mailbox whose SELECT could not ride goes first: the person waits for it. */
	if (account->mirror &&
	    (!connection_rides(account->connection) || !mirror_is_busy(account->mirror)))
		mirror_select(account->mirror);
	account->introduces = true;
	introduce(account);
	set_link(account, ENGINE_ONLINE);
	account->refresh =
	    engine_timeout(account->engine, account_has(account, "IDLE") ? REFRESH_MS : NOOP_MS,
			   on_refresh, account);
	account_pump_later(account);
}

static void
keep_id(Account *account, const ImapResponse *response)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < response->pairs.count; i++) {
		g_autofree char *value = safe_text(response->pairs.at[i].value, SAFE_LINE, NULL);

		if (span_is_nocase(response->pairs.at[i].name, "name"))
			g_string_prepend(text, value);
		else if (span_is_nocase(response->pairs.at[i].name, "version"))
			g_string_append_printf(text, " %s", value);
	}
	g_free(account->server_id);
	account->server_id = g_string_free(g_steal_pointer(&text), FALSE);
}

static void
on_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	Account *account = data;

	if (response->code == IMAP_CODE_ALERT || response->code == IMAP_CODE_WEBALERT) {
		/* RFC 9051, 7.1: the person must see it; it says whose words it is. */
		g_autofree char *words = safe_text(response->text, SAFE_LINE, NULL);
		g_autofree char *notice =
		    g_strdup_printf(_("%s says: %s"), account->config->imap_host, words);

		engine_post_notice(account->engine, account->id, notice);
	}
	if (response->type == IMAP_RESPONSE_ID)
		keep_id(account, response);
	else if (response->type == IMAP_RESPONSE_FETCH)
		parts_on_fetch(account->parts, &response->fetch);
	folders_on_response(account, response);
	if (account->mirror && mirror_on_response(account->mirror, response))
		account_pump_later(account);
}

static bool
on_literal(void *data, Span prefix, uint64_t size)
{
	Account *account = data;

	return parts_on_literal(account->parts, prefix, size);
}

static void
on_literal_bytes(void *data, Span bytes)
{
	Account *account = data;

	parts_on_literal_bytes(account->parts, bytes);
}

/* The first mailbox that will be wanted, so that its SELECT can ride with the login. */
static void
ride_first_mailbox(Account *account)
{
	Job *job = g_queue_peek_head(&account->jobs);
	const char *folder = job && job->folder ? job->folder : NULL;
	GBytes *raw;

	if (!folder && g_queue_is_empty(&account->jobs))
		folder = account->home;
	raw = folder ? folders_raw_name(account, folder) : NULL;
	if (!raw)
		return;
	account->mirror = mirror_new(account, raw);
	mirror_ride(account->mirror);
	if (folder == account->home)
		mirror_want(account->mirror, account->home_rows);
	else if (job->kind == JOB_OPEN)
		mirror_want(account->mirror, MAX(job->rows, 1));
	g_bytes_unref(raw);
}

void
account_connect(Account *account)
{
	static const ConnectionHandler handler = { on_link,    on_online,	 on_response,
						   on_literal, on_literal_bytes, on_closed };
	g_autofree char *name = NULL;

	if (account->engine->offline)
		set_link(account, ENGINE_OFFLINE);
	if (account->connection || account->engine->offline)
		return;
	engine_drop_source(&account->retry);
	account->refused = false;
	name = g_strdup_printf("imap %s", account->config->name);
	account->connection = connection_open(account->config, &account->memory,
					      account->engine->log, name, &handler, account);
	ride_first_mailbox(account);
}

void
account_reconnect(Account *account)
{
	g_autoptr(GError) error = NULL;

	account->failures = 0;
	if (!account->connection) {
		account_connect(account);
	} else if (account->online && account->silent_s < SILENT_S) {
		folders_read(account);
		account_pump_later(account);
	} else {
		error =
		    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				_("%s did not answer: trying anew"), account->config->imap_host);
		account->at_once = true;
		connection_fail(account->connection, error);
	}
}

static gboolean
on_second(void *data)
{
	Account *account = data;
	int silent_s = account->connection ? connection_silent_s(account->connection) : -1;
	int shown = silent_s >= SILENT_S ? silent_s : 0;

	if (silent_s >= 0 && !account->doing && !g_queue_is_empty(&account->jobs))
		account_status(account, _("fetching"), 0, 0);
	if (shown != account->silent_s) {
		account->silent_s = shown;
		post_status(account);
	}
	if (silent_s >= 0)
		return G_SOURCE_CONTINUE;
	engine_drop_source(&account->silence);
	return G_SOURCE_REMOVE;
}

/* Something may have been asked: see that the answer comes. */
static void
account_watch(Account *account)
{
	if (!account->silence && account->connection &&
	    connection_silent_s(account->connection) >= 0)
		account->silence = engine_timeout(account->engine, 1000, on_second, account);
}

void
account_logout(Account *account)
{
	engine_drop_source(&account->retry);
	if (account->connection)
		connection_logout(account->connection);
}

/* ---- jobs ------------------------------------------------------------------------------------------ */

static GError *
no_line(Account *account)
{
	if (account->engine->offline)
		return g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				   _("this needs the server, and Postern works offline"));
	if (account->error)
		return g_error_copy(account->error);
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
	g_autoptr(GError) error = NULL;

	if (job->kind == JOB_OPEN)
		drop_other_opens(account, job->folder);
	g_queue_push_tail(job->kind == JOB_SYNC ? &account->syncs : &account->jobs, job);
	if (job->kind == JOB_OPEN)
		remember_home(account, job);
	if (account->mirror && job->kind != JOB_SYNC)
		mirror_hold(account->mirror);
	if (account->engine->offline || account->engine->stopping) {
		error = no_line(account);
		account_finish(account, job, error);
		return;
	}
	if (!account->connection) {
		/* A person asks: worth a try now, but what was refused stays refused. */
		if (account->refused) {
			error = no_line(account);
			account_finish(account, job, error);
			return;
		}
		account_connect(account);
	} else if (!account->online && !account->mirror) {
		ride_first_mailbox(account);
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

	if (!job)
		return;
	error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
	account_finish(account, job, error);
}

void
account_pump_later(Account *account)
{
	if (!account->pump)
		account->pump = engine_idle(account->engine, on_pump, account);
}

static gboolean
on_pump(void *data)
{
	Account *account = data;

	engine_drop_source(&account->pump);
	if (!account->online)
		return G_SOURCE_REMOVE;
	count_totals(account);
	if (account->mirror)
		mirror_continue_sync(account->mirror);
	jobs_step(account);
	if (account->online)
		introduce(account);
	account_watch(account);
	return G_SOURCE_REMOVE;
}

Account *
account_new(Engine *engine, const ConfigAccount *config, GError **error)
{
	Account *account = g_new0(Account, 1);

	account->engine = engine;
	account->config = config;
	account->link = ENGINE_OFFLINE;
	g_queue_init(&account->jobs);
	g_queue_init(&account->syncs);
	account->parts = parts_new(account);
	if (!store_account(engine->store, config->name, &account->id, error) ||
	    !store_account_get(engine->store, account->id, "binding", &account->memory.binding,
			       error)) {
		account_free(account);
		return NULL;
	}
	return account;
}

void
account_free(Account *account)
{
	if (!account)
		return;
	/* First: what is in flight is answered CLOSED, and lets go of what it belongs to. */
	g_clear_pointer(&account->connection, connection_free);
	g_clear_pointer(&account->mirror, mirror_free);
	folders_forget(account);
	parts_free(account->parts);
	engine_drop_source(&account->retry);
	engine_drop_source(&account->pump);
	engine_drop_source(&account->silence);
	engine_drop_source(&account->refresh);
	g_queue_clear_full(&account->jobs, (GDestroyNotify)job_free);
	g_queue_clear_full(&account->syncs, (GDestroyNotify)job_free);
	connection_memory_clear(&account->memory);
	g_free(account->memory.binding);
	g_clear_error(&account->error);
	g_free(account->home);
	g_free(account->server_id);
	g_free(account->doing);
	g_free(account);
}
