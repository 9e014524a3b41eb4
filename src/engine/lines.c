/* Which lines an account has: the interactive one always, the others as they are needed and as far as
 * the configuration and the server let us. */
#include "engine-private.h"

#define POLL_MS	       (2 * 60 * 1000)	/* folders that are listed with their numbers in one go */
#define POLL_SLOW_MS   (10 * 60 * 1000) /* one STATUS for each */
#define POLL_SOON_MS   1000		/* it told of one: of several at once, as a rule */
#define POLL_NOTIFY_MS (30 * 60 * 1000) /* the server tells by itself */

static const char *const role_names[LINE_ROLES] = { "interactive", "background", "listening" };

Line *
account_line(Account *account)
{
	return g_ptr_array_index(account->lines, LINE_INTERACTIVE);
}

static Line *
find(const Account *account, LineRole role)
{
	for (guint i = 0; i < account->lines->len; i++) {
		Line *line = g_ptr_array_index(account->lines, i);

		if (line->role == role)
			return line;
	}
	return NULL;
}

Line *
account_line_of(Account *account, LineRole role)
{
	Line *line = find(account, role);

	return line && line->online && !line->leaving ? line : NULL;
}

bool
account_may_have(const Account *account, LineRole role)
{
	const Engine *engine = account->engine;

	if (role == LINE_INTERACTIVE)
		return true;
	return !engine->hold && !engine->offline && !engine->stopping &&
	       account->config->connections > (unsigned)role && !account->denied[role];
}

bool
account_is_online(const Account *account)
{
	for (guint i = 0; i < account->lines->len; i++)
		if (((const Line *)g_ptr_array_index(account->lines, i))->online)
			return true;
	return false;
}

bool
account_has_to_part(const Account *account)
{
	for (guint i = 0; i < account->lines->len; i++) {
		const Line *line = g_ptr_array_index(account->lines, i);

		if (line->online && !line_is_ending(line))
			return true;
	}
	return false;
}

Line *
account_owner(Account *account, GBytes *raw)
{
	for (guint i = 0; i < account->lines->len; i++) {
		Line *line = g_ptr_array_index(account->lines, i);

		if (line_owns(line, raw))
			return line;
	}
	return NULL;
}

void
account_connect(Account *account)
{
	line_connect(account_line(account));
}

void
account_reconnect(Account *account)
{
	for (guint i = 0; i < account->lines->len; i++)
		line_reconnect(g_ptr_array_index(account->lines, i));
}

void
account_logout(Account *account)
{
	engine_drop_source(&account->poll);
	for (guint i = 0; i < account->lines->len; i++)
		line_logout(g_ptr_array_index(account->lines, i));
}

void
account_pump_later(Account *account)
{
	for (guint i = 0; i < account->lines->len; i++)
		line_pump_later(g_ptr_array_index(account->lines, i));
}

/* ---- the folders, now and then ---------------------------------------------------------------- */

static gboolean
on_poll(void *data)
{
	Account *account = data;
	Line *line = account_line_of(account, LINE_LISTENING);

	engine_drop_source(&account->poll);
	if (!line)
		line = account_line_of(account, LINE_BACKGROUND);
	if (!line)
		line = account_line_of(account, LINE_INTERACTIVE);
	if (!line)
		return G_SOURCE_REMOVE;
	folders_read(line);
	line_pump_later(line);
	account_poll_later(account);
	return G_SOURCE_REMOVE;
}

static void
poll_in(Account *account, unsigned ms)
{
	engine_drop_source(&account->poll);
	account->poll = engine_timeout(account->engine, ms, on_poll, account);
}

void
account_poll_soon(Account *account)
{
	poll_in(account, POLL_SOON_MS);
}

void
account_poll_later(Account *account)
{
	const Line *listening = account_line_of(account, LINE_LISTENING);
	unsigned wait = line_has(account_line(account), "LIST-STATUS") ? POLL_MS : POLL_SLOW_MS;

	if (listening && listening->notify == NOTIFY_ON)
		wait = POLL_NOTIFY_MS;
	poll_in(account, wait);
}

/* ---- opening and closing ------------------------------------------------------------------------ */

static bool
wants_background(Account *account)
{
	return !g_queue_is_empty(&account->syncs) || truth_has_news(account->truth) ||
	       truth_has_fills(account->truth) || keep_waits(account) ||
	       (account->turn && account->turn->waits(account));
}

/* Where the server does not tell of all folders, only INBOX is worth a line, while nobody looks there. */
static bool
wants_listening(Account *account)
{
	const Line *line = account_line(account);

	if (line_has(line, "NOTIFY")) {
		const Line *listening = find(account, LINE_LISTENING);

		if (!listening || listening->notify != NOTIFY_REFUSED)
			return true;
	}
	return line_has(line, "IDLE") && account->home &&
	       g_ascii_strcasecmp(account->home, "INBOX") != 0;
}

static void
look_at(Account *account, LineRole role, bool wanted)
{
	Line *line = find(account, role);

	if (!wanted) {
		if (line && line->online)
			line_rest(line);
		return;
	}
	if (line)
		line_stay(line);
	if (!account_may_have(account, role) || (line && (line->connection || line->retry)))
		return;
	if (!line) {
		line = line_new(account, role);
		g_ptr_array_add(account->lines, line);
	}
	line_connect(line);
}

void
account_look_at_lines(Account *account)
{
	if (!account_line(account)->online)
		return;
	look_at(account, LINE_BACKGROUND, account->settled && wants_background(account));
	look_at(account, LINE_LISTENING, account->settled && wants_listening(account));
}

/* A SYNC's parts that were under way on LINE are asked for again on another. */
static void
release_jobs(Account *account)
{
	for (GList *at = account->syncs.head; at; at = at->next) {
		Job *job = at->data;

		g_clear_error(&job->error);
		g_clear_pointer(&job->walk, body_walk_free);
	}
	for (GList *at = account->jobs.head; at; at = at->next) {
		Job *job = at->data;

		if (job->kind == JOB_FOLDERS || job->kind == JOB_CHECK)
			job->started = false;
	}
}

/* There is no room for one of ROLE.  Work comes before listening. */
static void
deny(Account *account, LineRole role, const GError *error)
{
	Line *listening = account_line_of(account, LINE_LISTENING);

	if (role == LINE_BACKGROUND && listening) {
		role = LINE_LISTENING;
		line_leave(listening);
	}
	account->denied[role] = true;
	log_event(account->engine->log, account_line(account)->name, "does without a %s line: %s",
		  role_names[role], error->message);
}

void
account_lost_line(Account *account, Line *line, const GError *error, bool was_online)
{
	if (!was_online && account_line(account)->online)
		deny(account, line->role, error);
	release_jobs(account);
	if (!account_is_online(account))
		account_finish_all(account, error);
	account_pump_later(account);
}

void
account_is_back(Account *account)
{
	memset(account->denied, 0, sizeof account->denied);
	account->settled = false;
	account_poll_later(account);
}
