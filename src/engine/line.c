#include "engine-private.h"

#include "base/safetext.h"

#define SILENT_S	3 /* without a byte, and the person is told */
#define RETRY_FIRST_MS	1000
#define RETRY_MAX_MS	60000
#define STEADY_MS	60000		/* a line that stood so long was a good one */
#define REFRESH_MS	(4 * 60 * 1000) /* folder counts, and IDLE renewed well before 29 minutes */
#define NOOP_MS		(60 * 1000)	/* where there is no IDLE */
#define REST_MS		60000 /* without work, and a line that is not the first is closed */
#define STATUS_EVERY_MS 100

static gboolean on_pump(void *data);
static void take_mailbox(Line *line, GBytes *raw, bool retired);

bool
line_has(const Line *line, const char *capability)
{
	return line->connection &&
	       imap_session_has(connection_session(line->connection), capability);
}

bool
line_is_ending(const Line *line)
{
	return !line->connection ||
	       imap_session_state(connection_session(line->connection)) >= IMAP_STATE_LOGOUT;
}

bool
line_expects(const Line *line, const char *capability)
{
	char *const *words = line->account->capabilities;

	if (line->online || !words)
		return line_has(line, capability);
	for (; *words; words++)
		if (!g_ascii_strcasecmp(*words, capability))
			return true;
	return false;
}

/* So that the next line can ask for more with its login. */
static void
keep_capabilities(Line *line)
{
	Account *account = line->account;
	g_auto(GStrv) now = imap_session_capabilities(connection_session(line->connection));
	g_autofree char *words = NULL;

	if (account->capabilities &&
	    g_strv_equal((const char *const *)account->capabilities, (const char *const *)now))
		return;
	words = g_strjoinv(" ", now);
	store_account_set(account->engine->store, account->id, "capabilities", words, NULL);
	g_strfreev(account->capabilities);
	account->capabilities = g_steal_pointer(&now);
}

/* What the person is told of the account's link is the interactive line's. */
static void
set_link(Line *line, EngineLink link)
{
	line->link = link;
	if (line->role == LINE_INTERACTIVE)
		account_post_status(line->account);
}

void
line_status(Line *line, const char *doing, uint64_t done, uint64_t total)
{
	bool same = !g_strcmp0(line->doing, doing);

	if (same && line->doing_done == done && line->doing_total == total)
		return;
	line->doing_done = done;
	line->doing_total = total;
	if (!same) {
		g_free(line->doing);
		line->doing = g_strdup(doing);
	} else if (g_get_monotonic_time() / 1000 - line->status_ms < STATUS_EVERY_MS &&
		   done != total) {
		return;
	}
	line->status_ms = g_get_monotonic_time() / 1000;
	account_post_status(line->account);
}

/* ---- the line ----------------------------------------------------------------------------------- */

static void
count_totals(Line *line)
{
	ConnectionFacts facts;
	EngineTotals now = line->seen, more;

	connection_facts(line->connection, &facts);
	now.wire_in = facts.counts.wire_in;
	now.wire_out = facts.counts.wire_out;
	now.round_trips = imap_session_round_trips(connection_session(line->connection));
	more = (EngineTotals){ .wire_in = now.wire_in - line->seen.wire_in,
			       .wire_out = now.wire_out - line->seen.wire_out,
			       .round_trips = now.round_trips - line->seen.round_trips };
	line->seen = now;
	engine_add_totals(line->account->engine, &more);
}

static void
forget_line(Line *line, const GError *error)
{
	line->online = false;
	replay_forget_line(line);
	folders_forget(line);
	parts_forget(line->parts, error);
	line_forget_mailbox(line);
	g_clear_pointer(&line->open, g_bytes_unref);
	line->unselecting = false;
	engine_drop_source(&line->refresh);
	engine_drop_source(&line->silence);
	line->silent_s = 0;
	line->notify = NOTIFY_UNTRIED;
	engine_drop_source(&line->rest);
	if (line->role == LINE_INTERACTIVE)
		line->account->folders_ms = 0;
	g_clear_pointer(&line->doing, g_free);
}

static gboolean
on_retry(void *data)
{
	Line *line = data;

	engine_drop_source(&line->retry);
	if (line->role == LINE_INTERACTIVE)
		line_connect(line);
	else
		account_look_at_lines(line->account);
	return G_SOURCE_REMOVE;
}

static void
plan_retry(Line *line)
{
	int64_t wait = RETRY_FIRST_MS << MIN(line->failures, 6);

	wait = MIN(wait, RETRY_MAX_MS);
	wait +=
	    g_random_int_range(0, (gint32)(wait / 4) + 1); /* jitter: servers restart for many */
	line->failures++;
	line->retry_ms = g_get_monotonic_time() / 1000 + wait;
	line->retry = engine_timeout(line->account->engine, (unsigned)wait, on_retry, line);
	set_link(line, ENGINE_WAITING);
}

/* What trying again cannot mend.  A full disk can be given room. */
static bool
is_final(const GError *error)
{
	return postern_error_is(error, POSTERN_ERROR_TRUST) ||
	       postern_error_is(error, POSTERN_ERROR_LOGIN) ||
	       postern_error_is(error, POSTERN_ERROR_CONFIG);
}

/* A line that is not the interactive one: nobody is told, and what it did is done elsewhere. */
static void
extra_closed(Line *line, const GError *error, bool was_online)
{
	Account *account = line->account;
	bool stopping = account->engine->stopping != NULL;

	if (!line->leaving && !stopping)
		plan_retry(line);
	account_lost_line(account, line, error, was_online || line->leaving || stopping);
	line->leaving = false;
	if (stopping)
		engine_quit_if_done(account->engine);
}

static void
on_closed(void *data, const GError *error)
{
	Line *line = data;
	bool was_online = line->online;
	g_autoptr(GError) copy = g_error_copy(error);

	count_totals(line);
	/* A server that takes the login and hangs up soon after is not asked every second for ever. */
	if (line->online && g_get_monotonic_time() / 1000 - line->online_ms >= STEADY_MS)
		line->failures = 0;
	forget_line(line, copy);
	g_clear_pointer(&line->connection, connection_free);
	memset(&line->seen, 0, sizeof line->seen);
	if (line->role != LINE_INTERACTIVE) {
		extra_closed(line, copy, was_online);
		return;
	}
	g_clear_error(&line->error);
	line->error = g_error_copy(copy);
	account_finish_all(line->account, copy);
	line->refused = is_final(copy);
	if (line->account->engine->stopping || line->account->engine->hold || line->refused)
		set_link(line, ENGINE_OFFLINE);
	else if (line->at_once)
		line_connect(line);
	else
		plan_retry(line);
	line->at_once = false;
	if (line->account->engine->stopping)
		engine_quit_if_done(line->account->engine);
}

static void
on_link(void *data, EngineLink link)
{
	set_link(data, link);
}

static void
on_id(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	line_pump_later(data);
}

static void
send_id(Line *line)
{
	ImapCommand *command;

	if (!line_has(line, "ID"))
		return;
	command = imap_command_new("ID");
	imap_command_text(command, "(\"name\" \"Postern\" \"version\" \"%s\")", POSTERN_VERSION);
	connection_send(line->connection, command, IMAP_SEND_NORMAL, on_id, line);
}

/* Keeps the line alive, renews IDLE, and where there is none asks for news. */
static gboolean
on_refresh(void *data)
{
	Line *line = data;

	engine_drop_source(&line->refresh);
	if (!line->online)
		return G_SOURCE_REMOVE;
	connection_send(line->connection, imap_command_new("NOOP"), IMAP_SEND_NORMAL, NULL, NULL);
	line->refresh =
	    engine_timeout(line->account->engine, line_has(line, "IDLE") ? REFRESH_MS : NOOP_MS,
			   on_refresh, line);
	line_pump_later(line);
	return G_SOURCE_REMOVE;
}

/* The mailbox goes first: its window is asked for by numbers, which have to wait for the answer to
 * anything that is in flight before them (RFC 9051, 5.5), while these can follow it at once. */
static void
introduce(Line *line)
{
	if (!line->introduces ||
	    (line->mirror && !mirror_is_ready(line->mirror) && mirror_is_busy(line->mirror)))
		return;
	line->introduces = false;
	send_id(line);
	if (!line->account->engine->hold && line->role == LINE_INTERACTIVE)
		folders_read(line);
	connection_flush_later(line->connection);
}

static void
on_online(void *data)
{
	Line *line = data;

	line->online = true;
	line->online_ms = g_get_monotonic_time() / 1000;
	store_account_set(line->account->engine->store, line->account->id, "binding",
			  line->account->memory.binding, NULL);
	keep_capabilities(line);
	g_clear_error(&line->error);
	/* A mailbox whose SELECT could not ride goes first: the person waits for it. */
	if (line->mirror && (!connection_rides(line->connection) || !mirror_is_busy(line->mirror)))
		mirror_select(line->mirror);
	if (line->role == LINE_INTERACTIVE)
		account_is_back(line->account);
	line->introduces = true;
	introduce(line);
	set_link(line, ENGINE_ONLINE);
	line->refresh =
	    engine_timeout(line->account->engine, line_has(line, "IDLE") ? REFRESH_MS : NOOP_MS,
			   on_refresh, line);
	line_pump_later(line);
}

static void
keep_id(Line *line, const ImapResponse *response)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < response->pairs.count; i++) {
		g_autofree char *value = safe_text(response->pairs.at[i].value, SAFE_LINE, NULL);

		if (span_is_nocase(response->pairs.at[i].name, "name"))
			g_string_prepend(text, value);
		else if (span_is_nocase(response->pairs.at[i].name, "version"))
			g_string_append_printf(text, " %s", value);
	}
	g_free(line->account->server_id);
	line->account->server_id = g_string_free(g_steal_pointer(&text), FALSE);
}

static void
on_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	Line *line = data;

	if (response->code == IMAP_CODE_ALERT || response->code == IMAP_CODE_WEBALERT) {
		/* RFC 9051, 7.1: the person must see it; it says whose words it is. */
		g_autofree char *words = safe_text(response->text, SAFE_LINE, NULL);
		g_autofree char *notice =
		    g_strdup_printf(_("%s says: %s"), line->account->config->imap_host, words);

		engine_post_notice(line->account->engine, line->account->id, notice);
	}
	if (replay_on_response(line, response, ticket))
		return;
	if (response->type == IMAP_RESPONSE_ID)
		keep_id(line, response);
	else if (response->type == IMAP_RESPONSE_FETCH)
		parts_on_fetch(line->parts, &response->fetch);
	folders_on_response(line, response);
	if (line->role == LINE_LISTENING)
		line_listen_heard(line, response);
	if (line->mirror && mirror_on_response(line->mirror, response, ticket))
		line_pump_later(line);
}

static bool
on_literal(void *data, Span prefix, uint64_t size)
{
	Line *line = data;

	return parts_on_literal(line->parts, prefix, size);
}

static void
on_literal_bytes(void *data, Span bytes)
{
	Line *line = data;

	parts_on_literal_bytes(line->parts, bytes);
}

static void
ride_compress(void *data)
{
	Line *line = data;

	if (line_expects(line, "COMPRESS=DEFLATE"))
		connection_compress_riding(line->connection);
}

/* A SYNC is to be short rather than quick: what it asks for comes compressed, unless it may be so much
 * that this is decided later. */
static void
ride_for_sync(Line *line)
{
	const Job *job = g_queue_peek_head(&line->account->syncs);

	if (job && job->bodies == ENGINE_BODIES_NONE && line->account->capabilities)
		connection_ride(line->connection, ride_compress, line);
}

void
line_ride(Line *line)
{
	Job *job = g_queue_peek_head(&line->account->jobs);
	const char *folder = job && job->folder ? job->folder : NULL;
	GBytes *raw;

	if (!folder && g_queue_is_empty(&line->account->jobs))
		folder = line->account->home;
	raw = folder ? folders_raw_name(line->account, folder) : NULL;
	if (!raw) {
		if (!folder)
			ride_for_sync(line);
		return;
	}
	take_mailbox(line, raw, false);
	mirror_ride(line->mirror);
	if (folder == line->account->home)
		mirror_want(line->mirror, line->account->home_rows);
	else if (job->kind == JOB_OPEN)
		mirror_want(line->mirror, MAX(job->rows, 1));
	g_bytes_unref(raw);
}

void
line_connect(Line *line)
{
	static const ConnectionHandler handler = { on_link,    on_online,	 on_response,
						   on_literal, on_literal_bytes, on_closed };
	if (line->account->engine->offline)
		set_link(line, ENGINE_OFFLINE);
	if (line->connection || line->account->engine->offline)
		return;
	engine_drop_source(&line->retry);
	line->refused = line->enables = line->no_qresync = false;
	line->connection = connection_open(line->account->config, &line->account->memory,
					   line->account->engine->log, line->name, &handler, line);
	if (line->role == LINE_INTERACTIVE)
		line_ride(line);
}

void
line_reconnect(Line *line)
{
	g_autoptr(GError) error = NULL;

	line->failures = 0;
	if (!line->connection) {
		engine_drop_source(&line->retry);
		if (line->role == LINE_INTERACTIVE)
			line_connect(line);
	} else if (line->online && line->silent_s < SILENT_S) {
		if (line->role == LINE_INTERACTIVE)
			folders_read(line);
		line_pump_later(line);
	} else {
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				    _("%s did not answer: trying anew"),
				    line->account->config->imap_host);
		line->at_once = true;
		connection_fail(line->connection, error);
	}
}

static gboolean
on_second(void *data)
{
	Line *line = data;
	int silent_s = line->connection ? connection_silent_s(line->connection) : -1;
	int shown = silent_s >= SILENT_S ? silent_s : 0;

	if (silent_s >= 0 && !line->doing && line->role == LINE_INTERACTIVE &&
	    !g_queue_is_empty(&line->account->jobs))
		line_status(line, _("fetching"), 0, 0);
	if (shown != line->silent_s) {
		line->silent_s = shown;
		if (line->role == LINE_INTERACTIVE)
			account_post_status(line->account);
	}
	if (silent_s >= 0)
		return G_SOURCE_CONTINUE;
	engine_drop_source(&line->silence);
	return G_SOURCE_REMOVE;
}

/* Something may have been asked: see that the answer comes. */
static void
watch(Line *line)
{
	if (!line->silence && line->connection && connection_silent_s(line->connection) >= 0)
		line->silence = engine_timeout(line->account->engine, 1000, on_second, line);
}

void
line_logout(Line *line)
{
	engine_drop_source(&line->retry);
	if (line->connection)
		connection_logout(line->connection);
}

static gboolean
on_rested(void *data)
{
	Line *line = data;

	line_leave(line);
	return G_SOURCE_REMOVE;
}

void
line_leave(Line *line)
{
	engine_drop_source(&line->rest);
	line->leaving = true;
	connection_logout(line->connection);
}

void
line_rest(Line *line)
{
	if (!line->rest && !line->leaving)
		line->rest = engine_timeout(line->account->engine, REST_MS, on_rested, line);
}

void
line_stay(Line *line)
{
	engine_drop_source(&line->rest);
}

/* ---- the mailbox ----------------------------------------------------------------------------- */

bool
line_may_roam(const Line *line)
{
	return line->role == LINE_BACKGROUND || (line->role == LINE_INTERACTIVE &&
						 !account_may_have(line->account, LINE_BACKGROUND));
}

bool
line_owns(const Line *line, GBytes *raw)
{
	return line->mirror && mirror_is(line->mirror, raw) && !mirror_is_retired(line->mirror) &&
	       !mirror_error(line->mirror);
}

/* From now on RAW's mirror is LINE's, or, where another goes before it, one that only looks on. */
static void
take_mailbox(Line *line, GBytes *raw, bool retired)
{
	GPtrArray *lines = line->account->lines;

	line_forget_mailbox(line);
	for (guint i = 0; !retired && i < lines->len; i++) {
		Line *other = g_ptr_array_index(lines, i);

		if (line_owns(other, raw))
			mirror_retire(other->mirror);
	}
	line->mirror = mirror_new(line, raw);
	if (retired)
		mirror_retire(line->mirror);
}

bool
line_need_mailbox(Line *line, GBytes *raw)
{
	const Line *owner = account_owner(line->account, raw);
	bool leaving = replay_is_leaving(line, raw);
	bool retired = line->role == LINE_BACKGROUND && owner && owner != line;

	/* It is about to go away, or to be called otherwise. */
	if (leaving)
		return false;
	if (line->mirror && mirror_is(line->mirror, raw) &&
	    (retired || !mirror_is_retired(line->mirror))) {
		/* A SELECT that rode with a login that was refused, and with none since. */
		if (!mirror_is_ready(line->mirror) && !mirror_is_busy(line->mirror))
			mirror_select(line->mirror);
		return mirror_is_ready(line->mirror);
	}
	if (line->mirror &&
	    (line->hold_mailbox || mirror_is_busy(line->mirror) || parts_is_busy(line->parts)))
		return false;
	take_mailbox(line, raw, retired);
	mirror_select(line->mirror);
	return false;
}

void
line_forget_mailbox(Line *line)
{
	g_clear_pointer(&line->mirror, mirror_free);
}

static void
on_unselected(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Line *line = data;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	line->unselecting = false;
	account_pump_later(line->account);
}

bool
line_unselect(Line *line)
{
	bool may = line_has(line, "UNSELECT");
	ImapCommand *command;

	if ((line->mirror && mirror_is_busy(line->mirror)) || parts_is_busy(line->parts)) {
		if (line->mirror)
			mirror_hold(line->mirror);
		return false;
	}
	if (!line->open)
		return !line->unselecting;
	line_forget_mailbox(line);
	g_clear_pointer(&line->open, g_bytes_unref);
	if (imap_session_state(connection_session(line->connection)) != IMAP_STATE_SELECTED)
		return true;
	command = imap_command_new(may ? "UNSELECT" : "EXAMINE");
	if (!may)
		imap_command_mailbox(command, SPAN_LITERAL("INBOX"));
	line->unselecting =
	    connection_send(line->connection, command, IMAP_SEND_NORMAL, on_unselected, line) != 0;
	return !line->unselecting;
}

void
line_idle(Line *line)
{
	ImapSession *session = connection_session(line->connection);

	/* A command line asks its next question at once. */
	if (line->introduces || line->account->engine->hold || !line_has(line, "IDLE") ||
	    imap_session_is_idling(session) || imap_session_in_flight(session) ||
	    imap_session_waiting(session))
		return;
	imap_session_idle(session, NULL, NULL);
	connection_flush_later(line->connection);
}

/* ---- its turns ------------------------------------------------------------------------------- */

void
line_pump_later(Line *line)
{
	if (!line->pump)
		line->pump = engine_idle(line->account->engine, on_pump, line);
}

/* The background line may wait for what another's mirror has just got. */
static void
wake_others(Line *line)
{
	Line *background = account_line_of(line->account, LINE_BACKGROUND);

	if (background && background != line && background->waits_on == line) {
		background->waits_on = NULL;
		line_pump_later(background);
	}
	replay_wake(line);
}

static gboolean
on_pump(void *data)
{
	Line *line = data;

	engine_drop_source(&line->pump);
	if (!line->online)
		return G_SOURCE_REMOVE;
	count_totals(line);
	if (line->mirror)
		mirror_continue_sync(line->mirror);
	jobs_step(line);
	if (line->online)
		introduce(line);
	watch(line);
	account_look_at_lines(line->account);
	wake_others(line);
	return G_SOURCE_REMOVE;
}

Line *
line_new(Account *account, LineRole role)
{
	static const char *const suffix[LINE_ROLES] = { "", " background", " listening" };
	Line *line = g_new0(Line, 1);

	line->account = account;
	line->role = role;
	line->link = ENGINE_OFFLINE;
	line->name = g_strdup_printf("imap %s%s", account->config->name, suffix[role]);
	line->parts = parts_new(line);
	return line;
}

void
line_free(Line *line)
{
	if (!line)
		return;
	/* First: what is in flight is answered CLOSED, and lets go of what it belongs to. */
	g_clear_pointer(&line->connection, connection_free);
	replay_forget_line(line);
	line_forget_mailbox(line);
	folders_forget(line);
	parts_free(line->parts);
	g_clear_pointer(&line->open, g_bytes_unref);
	engine_drop_source(&line->retry);
	engine_drop_source(&line->pump);
	engine_drop_source(&line->silence);
	engine_drop_source(&line->refresh);
	engine_drop_source(&line->rest);
	g_clear_error(&line->error);
	g_free(line->doing);
	g_free(line->name);
	g_free(line);
}
