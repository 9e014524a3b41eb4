#include "play-private.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 30000
#define MOST_ASKED  40 /* commands until it rests, unless a case says otherwise */
#define WINDOW	    40

void
fail(Play *play, const char *format, ...)
{
	va_list arguments;

	if (play->failure)
		return;
	va_start(arguments, format);
	play->failure = g_strdup_vprintf(format, arguments);
	va_end(arguments);
}

/* ---- the engine ------------------------------------------------------------------------------------ */

static void
on_event(void *data, const EngineEvent *event)
{
	Play *play = data;

	if (event->type == ENGINE_EVENT_STATUS)
		play->link = event->status->link;
	if (event->type != ENGINE_EVENT_DONE)
		return;
	g_hash_table_add(play->done, GUINT_TO_POINTER(event->request));
	if (event->request == play->opened) {
		g_clear_error(&play->error);
		play->error = event->error ? g_error_copy(event->error) : NULL;
	}
}

static void
start(Play *play, bool offline)
{
	EngineOptions options = { .config = play->config,
				  .data_dir = play->dir,
				  .offline = offline,
				  .on_event = on_event,
				  .data = play };
	g_autoptr(GError) error = NULL;

	g_hash_table_remove_all(play->done);
	play->engine = engine_start(&options, &error);
	if (error)
		fail(play, "engine_start: %s", error->message);
}

static void
stop(Play *play)
{
	engine_stop(play->engine);
	play->engine = NULL;
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static gboolean
on_tick(void *data)
{
	unsigned *left = data;

	if (*left)
		--*left;
	return G_SOURCE_CONTINUE;
}

bool
until(Play *play, Claim what)
{
	unsigned left = PATIENCE_MS / 2;
	guint ticker = g_timeout_add(2, on_tick, &left);
	bool so;

	while (!(so = what(play)) && left)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(ticker);
	return so;
}

static bool
is_waiting(Play *play)
{
	return play->link == ENGINE_WAITING;
}

static bool
is_online(Play *play)
{
	return play->link == ENGINE_ONLINE;
}

static bool
is_opened(Play *play)
{
	return g_hash_table_contains(play->done, GUINT_TO_POINTER(play->opened));
}

/* ---- the cache that a case begins with --------------------------------------------------------------- */

static uint64_t
figure(const char *state, const char *name, uint64_t otherwise)
{
	g_auto(GStrv) words = g_strsplit(state ? state : "", " ", -1);

	for (size_t i = 0; words[i]; i++) {
		size_t size = strlen(name);

		if (!strncmp(words[i], name, size) && words[i][size] == '=')
			return g_ascii_strtoull(words[i] + size + 1, NULL, 10);
	}
	return otherwise;
}

uint16_t
flag_bits(const char *flags, char **keywords)
{
	static const char *const names[] = { "\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
					     "\\Draft" };
	g_auto(GStrv) words = g_strsplit(flags, " ", -1);
	g_autoptr(GString) rest = g_string_new(NULL);
	uint16_t bits = 0;

	for (size_t i = 0; words[i]; i++) {
		bool known = !*words[i] || !strcmp(words[i], "\\Recent");

		for (size_t n = 0; n < G_N_ELEMENTS(names); n++)
			if (!g_ascii_strcasecmp(words[i], names[n])) {
				bits |= (uint16_t)(1 << n);
				known = true;
			}
		if (!known)
			g_string_append_printf(rest, "%s%s", rest->len ? " " : "", words[i]);
	}
	if (rest->len)
		bits |= STORE_FLAG_KEYWORDS;
	*keywords = g_string_free(g_steal_pointer(&rest), FALSE);
	return bits;
}

static bool
put_messages(Store *store, StoreId box, const GArray *messages, GError **error)
{
	bool fine = true;

	for (guint i = 0; i < messages->len && fine; i++) {
		const ServerMessage *one = &g_array_index(messages, ServerMessage, i);
		g_autofree char *subject = g_strdup_printf(SERVER_SUBJECT, one->serial);
		g_autofree char *id = g_strdup_printf("<m%u@example.org>", one->serial);
		g_autofree char *keywords = NULL;
		StoreMessage message = {
			.uid = one->uid,
			.flags = flag_bits(one->flags, &keywords),
			.date = server_date(one->serial),
			.received = server_date(one->serial),
			.size = 200,
			.modseq = one->modseq,
			.subject = span_of_string(subject),
			.from = span_of_string("Ada <ada@example.org>"),
			.to = span_of_string("Bob <bob@example.net>"),
			.message_id = span_of_string(id),
			.structure =
			    span_of_string("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 24 3)"),
		};

		message.keywords = span_of_string(keywords);
		fine = store_messages_put(store, box, &message, 1, error);
	}
	return fine;
}

/* What an engine that was online just now remembers beside the messages. */
static bool
put_facts(Play *play, Store *store, const StoreMailbox *box, GError **error)
{
	g_autofree char *words = case_words(play->one, play->level);
	g_autofree char *flags = g_strdup_printf("flags/%" G_GINT64_FORMAT, box->id);
	g_autofree char *now = g_strdup_printf("%" G_GINT64_FORMAT, g_get_real_time() / 1000000);

	return store_account_set(store, box->account, "capabilities", words, error) &&
	       store_account_set(store, box->account, flags, now, error);
}

static bool
make_cache(Play *play, const GArray *messages, const char *state, GError **error)
{
	g_autoptr(Store) store = store_open(play->dir, STORE_WRITER, NULL, NULL, error);
	bool plain = !strcmp(play->level, "plain");
	StoreMailbox box = { .raw = (char *)"INBOX",
			     .raw_size = 5,
			     .name = (char *)"INBOX",
			     .delimiter = '/',
			     .role = STORE_ROLE_INBOX,
			     .selectable = true,
			     .subscribed = true };

	if (!store || !store_account(store, "test", &box.account, error) ||
	    !store_mailbox_put(store, &box, error))
		return false;
	box.uidvalidity = (uint32_t)figure(state, "uidvalidity", 666);
	box.uidnext = (uint32_t)figure(state, "uidnext", 100);
	box.highestmodseq = plain ? 0 : figure(state, "modseq", 33);
	box.server_total = messages->len;
	box.server_unread = -1;
	return store_mailbox_status(store, &box, error) &&
	       put_messages(store, box.id, messages, error) &&
	       store_mailbox_progress(store, box.id, (uint32_t)figure(state, "from", 1),
				      box.uidnext, box.highestmodseq, error) &&
	       (case_get(play->one, "forgetful") || put_facts(play, store, &box, error));
}

/* "6 \Seen x, 9, 10:12 y" -> one arrival each. */
bool
arrive_all(Server *server, const char *box, const char *list)
{
	g_auto(GStrv) each = g_strsplit(list, ",", -1);

	for (size_t i = 0; each[i]; i++) {
		const char *one = g_strstrip(each[i]);
		g_autofree char *action = g_strdup_printf("in %s arrive %s", box, one);

		if (*one && strcmp(one, "nothing") && !server_act(server, action))
			return false;
	}
	return true;
}

/* Messages below what is known from are the server's alone. */
static void
drop_below(GArray *messages, uint32_t from)
{
	while (messages->len && g_array_index(messages, ServerMessage, 0).uid < from)
		g_array_remove_index(messages, 0);
}

static void
prepare(Play *play)
{
	const char *cache = case_get(play->one, "cache"), *state = case_get(play->one, "state");
	const char *other = case_get(play->one, "other");
	g_autoptr(GError) error = NULL;

	if (cache && !arrive_all(play->server, "INBOX", cache))
		fail(play, "cannot read \"%s\"", cache);
	server_figures(play->server, "INBOX", (uint32_t)figure(state, "uidvalidity", 666),
		       (uint32_t)figure(state, "uidnext", 100), figure(state, "modseq", 33));
	if (cache) {
		g_autoptr(GArray) messages = server_messages(play->server, "INBOX");

		drop_below(messages, (uint32_t)figure(state, "from", 1));
		if (!make_cache(play, messages, state, &error))
			fail(play, "the cache: %s", error->message);
	}
	if (other && !arrive_all(play->server, "Other", other))
		fail(play, "cannot read \"%s\"", other);
}

/* ---- steps ---------------------------------------------------------------------------------------------- */

static void
open_folder(Play *play, const char *name)
{
	const char *rows = case_get(play->one, "rows");

	char *home = g_strdup(*name ? name : "INBOX");

	g_free(play->home);
	play->home = home;
	if (!play->engine)
		start(play, false);
	if (play->engine)
		play->opened = engine_open(play->engine, NULL, play->home, 0,
					   rows ? (uint32_t)strtoul(rows, NULL, 10) : WINDOW, true);
}

static bool
server_is_at_rest(Play *play)
{
	return server_rests(play->server, play->home);
}

/* It rests when it says so, and says so again after answers to questions of another kind, with
 * nothing asked in between. */
static void
rest(Play *play)
{
	unsigned before;
	bool did;

	if (!until(play, is_opened)) {
		fail(play, "the folder was never opened");
		return;
	}
	if (play->error) {
		fail(play, "open: %s", play->error->message);
		return;
	}
	do {
		g_autofree char *why = NULL;

		before = server_asked(play->server);
		if (!until(play, server_is_at_rest)) {
			fail(play, "it does not come to rest");
			return;
		}
		play->opened = engine_folders(play->engine, NULL);
		if (!until(play, is_opened) || !until(play, server_is_at_rest)) {
			fail(play, "it does not come to rest again");
			return;
		}
		why = server_moments_left(play->server, &did);
		if (!did && why && before == server_asked(play->server)) {
			fail(play, "%s", why);
			return;
		}
	} while (did || before != server_asked(play->server));
	play->expected = 0;
}

/* The line is gone, or goes: at once, not when the engine would try again. */
static void
reconnect(Play *play)
{
	if (!until(play, is_waiting)) {
		fail(play, "the line is not gone");
		return;
	}
	/* Who waited was told; the folder that was open comes back. */
	g_clear_error(&play->error);
	engine_reconnect(play->engine);
	if (!until(play, is_online))
		fail(play, "it does not come back");
}

static void
restart(Play *play, const char *actions)
{
	stop(play);
	if (*actions && !server_act(play->server, actions))
		fail(play, "cannot do \"%s\"", actions);
	server_forget(play->server);
	open_folder(play, play->home);
}

static void
step(Play *play, const CaseLine *line, const CaseLine *next)
{
	const char *key = line->key, *value = line->value;
	unsigned most = MOST_ASKED;

	if (!strcmp(key, "open"))
		open_folder(play, value);
	else if (!strcmp(key, "offline"))
		start(play, true);
	else if (!strcmp(key, "restart"))
		restart(play, value);
	else if (!strcmp(key, "again"))
		reconnect(play);
	else if (!strcmp(key, "rest")) {
		rest(play);
		if (*value)
			most = (unsigned)strtoul(value, NULL, 10);
		if (!play->failure && server_asked(play->server) > most)
			fail(play, "it asked %u times", server_asked(play->server));
		if (!play->failure && (!next || strcmp(next->key, "here")))
			check_same(play);
	} else if (!strcmp(key, "do")) {
		server_forget(play->server);
		if (!server_act(play->server, value))
			fail(play, "cannot do \"%s\"", value);
	} else if (!strcmp(key, "asked"))
		check_asked(play, value);
	else if (!strcmp(key, "asked-some"))
		check_asked_some(play, value);
	else if (!strcmp(key, "asked-not"))
		check_asked_not(play, value);
	else if (!strcmp(key, "order"))
		check_order(play, value);
	else if (!strcmp(key, "here"))
		check_here(play, value);
	else if (!strcmp(key, "refused")) {
		if (!until(play, is_opened) || !play->error)
			fail(play, "it was not refused");
		else if (!g_pattern_match_simple(value, play->error->message))
			fail(play, "refused with \"%s\"", play->error->message);
		g_clear_error(&play->error);
	} else {
		fail(play, "there is no \"%s\"", key);
	}
}

static void
add_moment(Play *play, const CaseLine *line)
{
	g_auto(GStrv) halves = g_strsplit(line->value, " -> ", 2);
	g_auto(GStrv) when = g_strsplit(halves[0] ? halves[0] : "", " of ", 2);

	if (!halves[0] || !halves[1] || !when[0] || !when[1] ||
	    !server_at(play->server, when[0], when[1], halves[1], !strcmp(line->key, "at?")))
		fail(play, "cannot read \"%s\"", line->value);
}

/* Does what was learnt hold?  Everything changes a little while nobody looks, told the truth. */
static void
afterword(Play *play)
{
	g_autoptr(GArray) messages = server_messages(play->server, "INBOX");
	guint n = messages->len;

	stop(play);
	server_act(play->server, "truth");
	for (guint i = 0; i < n; i += n / 3 + 1) {
		uint32_t uid = g_array_index(messages, ServerMessage, i).uid;
		g_autofree char *action = g_strdup_printf("flags %u \\Answered after%u", uid, i);

		server_act(play->server, action);
	}
	if (n > 1) {
		g_autofree char *action =
		    g_strdup_printf("expunge %u",
				    g_array_index(messages, ServerMessage, n / 2).uid);

		server_act(play->server, action);
	}
	server_act(play->server, "arrive + \\Seen");
	server_forget(play->server);
	open_folder(play, "INBOX");
	rest(play);
	if (!play->failure)
		check_same(play);
	if (play->failure) {
		char *what = g_strconcat("opened again: ", play->failure, NULL);

		g_free(play->failure);
		play->failure = what;
	}
}

/* What only says how things are; the rest are steps. */
static bool
is_setting(const char *key)
{
	static const char *const keys[] = { "levels",	 "words",     "quirks",	     "cache",
					    "state",	 "meanwhile", "other",	     "rows",
					    "forgetful", "lies",      "no-afterword" };

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static void
play_lines(Play *play)
{
	static const CaseLine open = { 0, (char *)"open", (char *)"INBOX" };
	static const CaseLine rests = { 0, (char *)"rest", (char *)"" };
	const GPtrArray *lines = play->one->lines;
	bool opened = case_get(play->one, "open") || case_get(play->one, "offline");
	const char *meanwhile = case_get(play->one, "meanwhile");

	if (meanwhile && !server_act(play->server, meanwhile))
		fail(play, "cannot do \"%s\"", meanwhile);
	for (guint i = 0; i < lines->len && !play->failure; i++) {
		const CaseLine *line = g_ptr_array_index(lines, i);
		const CaseLine *next = i + 1 < lines->len ? g_ptr_array_index(lines, i + 1) : NULL;

		if (is_setting(line->key))
			continue;
		if (!strcmp(line->key, "at") || !strcmp(line->key, "at?")) {
			add_moment(play, line);
			continue;
		}
		if (!opened)
			step(play, &open, NULL);
		opened = true;
		step(play, line, next);
		if (play->failure) {
			char *where = g_strdup_printf("line %u: %s", line->number, play->failure);

			g_free(play->failure);
			play->failure = where;
		}
	}
	if (!opened && !play->failure)
		step(play, &open, NULL);
	if (!case_get(play->one, "rest") && !case_get(play->one, "here") && !play->failure)
		step(play, &rests, NULL);
	if (!case_get(play->one, "no-afterword") && !play->failure)
		afterword(play);
}

/* ---- beginning and end ------------------------------------------------------------------------------------ */

static void
remove_dir(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inside = g_build_filename(path, name, NULL);

		g_unlink(inside);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}

static void
configure(Play *play)
{
	g_autofree char *path = g_build_filename(play->dir, "config", NULL);
	g_autofree char *text =
	    g_strdup_printf("[account test]\naddress = ada@example.org\n"
			    "imap = imap+insecure://ada@127.0.0.1:%u\npassword = sesame\n",
			    server_port(play->server));
	g_autoptr(GError) error = NULL;

	g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
	play->config = config_load(path, &error);
	if (error)
		fail(play, "%s", error->message);
}

static void
tell_log(Play *play)
{
	g_auto(GStrv) log = server_log(play->server, true);
	g_autofree char *text = g_strjoinv("\n  ", log);
	char *all = g_strdup_printf("%s; the server was asked:\n  %s", play->failure, text);

	g_free(play->failure);
	play->failure = all;
}

char *
play(const Case *one, const char *level)
{
	g_autofree char *words = case_words(one, level);
	Play play = { .one = one, .level = level };

	play.server = server_new(words, case_get(one, "quirks"));
	play.dir = g_dir_make_tmp("postern-mirror-XXXXXX", NULL);
	play.home = g_strdup("INBOX");
	play.done = g_hash_table_new(NULL, NULL);
	configure(&play);
	if (!play.failure)
		prepare(&play);
	if (!play.failure)
		play_lines(&play);
	if (play.failure)
		tell_log(&play);
	stop(&play);
	store_close(play.store);
	config_free(play.config);
	server_free(play.server);
	remove_dir(play.dir);
	g_hash_table_unref(play.done);
	g_clear_error(&play.error);
	g_free(play.home);
	g_free(play.dir);
	return play.failure;
}
