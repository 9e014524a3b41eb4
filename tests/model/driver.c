/* The engine, told what to do on standard input: what the model test drives, kills and asks.
 *
 *	driver CONFIG DATA [LOG]
 *
 * A line is a verb and its words, with one blank between; a word is percent-encoded, "." is none.  An
 * answer is any number of lines "| FIELD\tFIELD...", then "ok\tFIELD..." or "err\tCODE\tWORDS"; fields
 * are escaped as in C.  A verb that asks for something ends when that has ended.
 *
 *	start online|offline		stop			status
 *	folders				list MAILBOX		queue
 *	refresh				(the folders, from the server)
 *	open NAME			sync [NAME]
 *	online SECONDS			drain SECONDS		(until it is)
 *	flag MAILBOX +|-FLAG WHICH	(FLAG: a number of StoreFlag, or a keyword)
 *	move|copy|delete MAILBOX DEST WHICH			expunge MAILBOX WHICH
 *	append DEST FLAGS KEYWORDS CONTENT
 *	create NAME			rename MAILBOX NAME	remove MAILBOX
 *	subscribe|unsubscribe MAILBOX
 *	undo				retry ROW		drop ROW
 *	special ROLE			check			reconnect
 *	fault KIND N			(of the store's files: see faulty-vfs.h; -1: the same still; has it
 *					happened?)
 *	quit
 *
 * MAILBOX and DEST are identities.  WHICH: "all", "id:1,2,3" or "uid:1:5,7:7".  A change ends when it is
 * QUEUED; with "!" before the verb when it is THERE. */
#include "base/error.h"
#include "engine/engine.h"
#include "faulty-vfs.h"
#include "mail/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 60

typedef struct Driver {
	Config *config;
	const char *dir;
	Log *log;
	Engine *engine;
	Store *store; /* a reader */
	EngineLink link;
	char *line_error;  /* why it is not online; NULL */
	EngineUntil until; /* of the verb */

	EngineRequest waiting; /* 0: not for a request */
	bool ended;
	GError *error;
	StoreId group;
	uint32_t n;
	char *text;
	GString *notices;
	bool woken; /* something happened: look again */
} Driver;

typedef struct Verb {
	const char *name;
	unsigned words; /* at least */
	void (*call)(Driver *driver, char **words);
} Verb;

/* ---- answers ------------------------------------------------------------------------------------ */

static void
say_fields(const char *first, va_list args)
{
	const char *field;

	fputs(first, stdout);
	while ((field = va_arg(args, const char *))) {
		g_autofree char *escaped = g_strescape(field, NULL);

		printf("\t%s", escaped);
	}
	putchar('\n');
}

/* Strings, NULL at the end. */
static void
say(const char *first, ...)
{
	va_list args;

	va_start(args, first);
	say_fields(first, args);
	va_end(args);
}

static void
say_error(const GError *error)
{
	g_autofree char *code =
	    g_strdup_printf("%d", error->domain == POSTERN_ERROR ? error->code : -1 - error->code);

	say("err", code, error->message, NULL);
}

static void
say_failure(int code, const char *words)
{
	g_autoptr(GError) error = g_error_new_literal(POSTERN_ERROR, code, words);

	say_error(error);
}

#define NUMBER(name, value)                                                                        \
	char name[24];                                                                             \
	g_snprintf(name, sizeof name, "%" G_GINT64_FORMAT, (gint64)(value))

/* ---- events and waiting ------------------------------------------------------------------------- */

static void
on_event(void *data, const EngineEvent *event)
{
	Driver *driver = data;

	driver->woken = true;
	switch (event->type) {
	case ENGINE_EVENT_STATUS:
		driver->link = event->status->link;
		g_free(driver->line_error);
		driver->line_error =
		    event->status->error ? g_strdup(event->status->error->message) : NULL;
		break;
	case ENGINE_EVENT_DONE:
		if (!driver->waiting || event->request != driver->waiting)
			break;
		driver->ended = true;
		driver->error = event->error ? g_error_copy(event->error) : NULL;
		driver->group = event->group;
		driver->n = event->n;
		g_free(driver->text);
		driver->text = g_strdup(event->text);
		break;
	case ENGINE_EVENT_NOTICE:
		g_string_append_printf(driver->notices, "%s\n", event->text);
		break;
	default:
		break;
	}
}

static gboolean
on_time(void *data)
{
	bool *passed = data;

	*passed = true;
	return G_SOURCE_CONTINUE;
}

static bool
wait_until(Driver *driver, bool (*claim)(Driver *), unsigned seconds)
{
	bool passed = false;
	guint timer = g_timeout_add_seconds(seconds, on_time, &passed);
	/* the store may change without an event that says so */
	bool tick = false;
	guint ticker = g_timeout_add(50, on_time, &tick);

	while (!claim(driver) && !passed)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	g_source_remove(ticker);
	return !passed;
}

static bool
has_ended(Driver *driver)
{
	return driver->ended;
}

/* True when REQUEST has ended well; else the answer is given. */
static bool
await(Driver *driver, EngineRequest request)
{
	g_autoptr(GError) error = NULL;

	driver->waiting = request;
	driver->ended = false;
	driver->group = 0;
	driver->n = 0;
	if (!wait_until(driver, has_ended, PATIENCE_S)) {
		say_failure(-1000, "it does not end");
		driver->waiting = 0;
		return false;
	}
	driver->waiting = 0;
	error = g_steal_pointer(&driver->error);
	if (error)
		say_error(error);
	return !error;
}

/* The answer of a change: its action, how many messages, what was taken back. */
static void
answer_change(Driver *driver, EngineRequest request)
{
	if (await(driver, request)) {
		NUMBER(group, driver->group);
		NUMBER(n, driver->n);
		say("ok", group, n, driver->text ? driver->text : "", NULL);
	}
}

static Store *
reader(Driver *driver, GError **error)
{
	if (!driver->store)
		driver->store = store_open(driver->dir, STORE_READER, NULL, NULL, error);
	return driver->store;
}

/* The engine or an answer that there is none. */
static bool
has_engine(Driver *driver)
{
	if (!driver->engine)
		say_failure(POSTERN_ERROR_USAGE, "not started");
	return driver->engine;
}

/* ---- life --------------------------------------------------------------------------------------- */

static void
verb_start(Driver *driver, char **words)
{
	EngineOptions options = {
		.config = driver->config,
		.data_dir = driver->dir,
		.offline = !strcmp(words[1], "offline"),
		.log = driver->log,
		.on_event = on_event,
		.data = driver,
	};
	g_autoptr(GError) error = NULL;

	driver->engine = engine_start(&options, &error);
	if (!driver->engine)
		say_error(error);
	else
		say("ok", NULL);
}

static void
verb_stop(Driver *driver, char **words)
{
	engine_stop(driver->engine);
	driver->engine = NULL;
	driver->link = ENGINE_OFFLINE;
	/* its file may be another one when it starts again */
	store_close(g_steal_pointer(&driver->store));
	while (g_main_context_iteration(NULL, FALSE))
		;
	say("ok", NULL);
}

static void
verb_status(Driver *driver, char **words)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
	NUMBER(link, driver->link);
	say("ok", link, driver->notices->str, NULL);
	g_string_truncate(driver->notices, 0);
}

static void
verb_fault(Driver *driver, char **words)
{
	NUMBER(happened, fault_happened());
	if (atoi(words[1]) >= 0)
		fault_set((Fault)atoi(words[1]), atoi(words[2]));
	say("ok", happened, NULL);
}

static void
verb_quit(Driver *driver, char **words)
{
	engine_stop(driver->engine);
	driver->engine = NULL;
	store_close(g_steal_pointer(&driver->store));
	say("ok", NULL);
	exit(0);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static void
say_mailbox(const StoreMailbox *box)
{
	NUMBER(id, box->id);
	NUMBER(role, box->role);
	NUMBER(subscribed, box->subscribed);
	NUMBER(gone, box->gone || box->deleted);
	NUMBER(selectable, box->selectable);
	NUMBER(created, box->created);
	NUMBER(total, box->total);
	NUMBER(mirrored, box->mirrored);
	NUMBER(unread, box->unread);
	say("|", id, box->name, role, subscribed, gone, selectable, created, total, mirrored,
	    unread, NULL);
}

static void
verb_folders(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) boxes = NULL;

	if (!reader(driver, &error) || !store_mailboxes(driver->store, 0, &boxes, &error)) {
		say_error(error);
		return;
	}
	for (unsigned i = 0; i < boxes->len; i++)
		say_mailbox(boxes->pdata[i]);
	say("ok", NULL);
}

static void
say_row(const StoreRow *row)
{
	NUMBER(id, row->id);
	NUMBER(uid, row->uid);
	NUMBER(flags, row->flags);
	NUMBER(size, row->size);
	say("|", id, uid, flags, row->keywords, row->subject, size, NULL);
}

static void
verb_list(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	uint32_t total;

	if (!reader(driver, &error) || !store_window(driver->store, atoll(words[1]), 0, UINT32_MAX,
						     false, &rows, &total, &error)) {
		say_error(error);
		return;
	}
	for (unsigned i = 0; i < rows->len; i++)
		say_row(rows->pdata[i]);
	NUMBER(all, total);
	say("ok", all, NULL);
}

/* The subjects of what ROW still has to do, comma-separated. */
static char *
subjects_of(Driver *driver, StoreId row, GError **error)
{
	g_autoptr(GArray) targets = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!store_journal_targets(driver->store, row, 0, UINT32_MAX, &targets, error))
		return NULL;
	for (unsigned i = 0; i < targets->len; i++) {
		const StoreTarget *target = &g_array_index(targets, StoreTarget, i);
		g_autoptr(StoreRow) message = NULL;

		if (store_row_by_id(driver->store, target->message, &message, NULL))
			g_string_append_printf(text, "%s%s", text->len ? "," : "",
					       message->subject);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool
say_journal_row(Driver *driver, const StoreJournalRow *row, GError **error)
{
	g_autofree char *subjects = subjects_of(driver, row->id, error);

	if (!subjects)
		return false;
	NUMBER(id, row->id);
	NUMBER(kind, row->kind);
	NUMBER(state, row->state);
	NUMBER(mailbox, row->mailbox);
	NUMBER(dest, row->dest);
	NUMBER(n, row->n);
	NUMBER(code, row->code);
	say("|", id, kind, state, mailbox, dest, row->name ? row->name : "", n, code,
	    row->error ? row->error : "", subjects, NULL);
	return true;
}

static void
verb_queue(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	bool fine;

	if (!reader(driver, &error) || !store_snapshot_begin(driver->store, &error)) {
		say_error(error);
		return;
	}
	fine = store_journal(driver->store, 0, &rows, &error);
	for (unsigned i = 0; fine && i < rows->len; i++)
		fine = say_journal_row(driver, rows->pdata[i], &error);
	store_snapshot_end(driver->store);
	if (fine)
		say("ok", NULL);
	else
		say_error(error);
}

static void
verb_check(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;

	if (!reader(driver, &error) || !store_check(driver->store, &error))
		say_error(error);
	else
		say("ok", NULL);
}

static void
verb_special(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(StoreMailbox) box = NULL;
	g_autofree char *name = NULL;

	if (!reader(driver, &error) ||
	    !engine_special(driver->store, driver->config->accounts->pdata[0], 1,
			    (StoreMailboxRole)atoi(words[1]), &box, &name, &error)) {
		say_error(error);
		return;
	}
	NUMBER(id, box->id);
	say("ok", id, NULL);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void
verb_open(Driver *driver, char **words)
{
	if (has_engine(driver) &&
	    await(driver, engine_open(driver->engine, NULL, words[1], 0, 25, true)))
		say("ok", NULL);
}

static void
verb_sync(Driver *driver, char **words)
{
	if (has_engine(driver) &&
	    await(driver, engine_sync(driver->engine, NULL, words[1], ENGINE_BODIES_NONE)))
		say("ok", NULL);
}

static void
verb_refresh(Driver *driver, char **words)
{
	if (has_engine(driver) && await(driver, engine_folders(driver->engine, NULL)))
		say("ok", NULL);
}

static void
verb_reconnect(Driver *driver, char **words)
{
	if (!has_engine(driver))
		return;
	engine_reconnect(driver->engine);
	say("ok", NULL);
}

static bool
is_online(Driver *driver)
{
	if (driver->link == ENGINE_WAITING) {
		driver->link = ENGINE_CONNECTING; /* until we hear of it */
		engine_reconnect(driver->engine);
	}
	return driver->link == ENGINE_ONLINE;
}

static void
verb_online(Driver *driver, char **words)
{
	if (!has_engine(driver))
		return;
	if (wait_until(driver, is_online, (unsigned)atoi(words[1]))) {
		say("ok", NULL);
	} else {
		g_autofree char *text =
		    g_strdup_printf("it does not come online, state %d: %s", (int)driver->link,
				    driver->line_error ? driver->line_error : "no error");
		say_failure(-1000, text);
	}
}

static bool
is_drained(Driver *driver)
{
	uint32_t waiting = 1;

	return driver->store && store_journal_counts(driver->store, 0, &waiting, NULL, NULL) &&
	       !waiting;
}

/* Nothing waits any more, or is on its way. */
static void
verb_drain(Driver *driver, char **words)
{
	g_autoptr(GError) error = NULL;

	if (!has_engine(driver))
		return;
	if (!reader(driver, &error))
		say_error(error);
	else if (!wait_until(driver, is_drained, (unsigned)atoi(words[1])))
		say_failure(-1000, "the queue does not drain");
	else
		say("ok", NULL);
}

/* ---- intents ------------------------------------------------------------------------------------ */

typedef struct Which {
	GArray *ids;	/* of StoreId */
	GArray *ranges; /* of uint32_t, pairs */
} Which;

static void
which_clear(Which *which)
{
	g_array_unref(which->ids);
	g_array_unref(which->ranges);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Which, which_clear)

static void
which_read(Which *which, const char *text, StoreIntent *intent)
{
	const char *list = strchr(text, ':');
	g_auto(GStrv) items = list ? g_strsplit(list + 1, ",", -1) : NULL;

	which->ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	which->ranges = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	for (unsigned i = 0; items && items[i]; i++) {
		StoreId id = atoll(items[i]);
		const char *colon = strchr(items[i], ':');
		uint32_t range[2] = { (uint32_t)id,
				      colon ? (uint32_t)atoll(colon + 1) : (uint32_t)id };

		if (g_str_has_prefix(text, "id:"))
			g_array_append_val(which->ids, id);
		else
			g_array_append_vals(which->ranges, range, 2);
	}
	intent->all = !list;
	intent->messages = (const StoreId *)(void *)which->ids->data;
	intent->n_messages = which->ids->len;
	intent->uid_ranges = (const uint32_t *)(void *)which->ranges->data;
	intent->n_uid_ranges = which->ranges->len / 2;
}

/* Of messages: in MAILBOX, WHICH of them. */
static void
intend(Driver *driver, StoreIntent *intent, const char *mailbox, const char *which_text)
{
	g_auto(Which) which = { NULL, NULL };

	which_read(&which, which_text, intent);
	intent->account = 1;
	intent->mailbox = atoll(mailbox);
	if (has_engine(driver))
		answer_change(driver, engine_intend(driver->engine, intent, driver->until));
}

static void
verb_flag(Driver *driver, char **words)
{
	const char *flag = words[2] + 1;
	bool is_number = g_ascii_isdigit(*flag);
	StoreIntent intent = {
		.kind = STORE_INTENT_FLAG,
		.flag = is_number ? (uint16_t)atoi(flag) : 0,
		.keyword = is_number ? NULL : flag,
		.set = words[2][0] == '+',
	};

	intend(driver, &intent, words[1], words[3]);
}

static void
verb_move(Driver *driver, char **words)
{
	StoreIntent intent = {
		.kind = !strcmp(words[0], "copy") ? STORE_INTENT_COPY : STORE_INTENT_MOVE,
		.action = !strcmp(words[0], "delete") ? STORE_ACTION_DELETE : STORE_ACTION_PLAIN,
		.dest = atoll(words[2]),
	};

	intend(driver, &intent, words[1], words[3]);
}

static void
verb_expunge(Driver *driver, char **words)
{
	StoreIntent intent = { .kind = STORE_INTENT_EXPUNGE };

	intend(driver, &intent, words[1], words[2]);
}

static void
verb_append(Driver *driver, char **words)
{
	g_autoptr(GBytes) content = g_bytes_new(words[4], strlen(words[4]));

	if (has_engine(driver))
		answer_change(driver,
			      engine_append(driver->engine, atoll(words[1]), content,
					    (uint16_t)atoi(words[2]), words[3], 0, driver->until));
}

static void
verb_create(Driver *driver, char **words)
{
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .account = 1, .name = words[1] };

	if (has_engine(driver))
		answer_change(driver, engine_intend(driver->engine, &intent, driver->until));
}

static void
verb_of_folder(Driver *driver, char **words)
{
	static const struct {
		const char *verb;
		StoreIntentKind kind;
	} kinds[] = {
		{ "rename", STORE_INTENT_RENAME },
		{ "remove", STORE_INTENT_DELETE },
		{ "subscribe", STORE_INTENT_SUBSCRIBE },
		{ "unsubscribe", STORE_INTENT_UNSUBSCRIBE },
	};
	StoreIntent intent = { .account = 1, .mailbox = atoll(words[1]), .name = words[2] };

	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(words[0], kinds[i].verb))
			intent.kind = kinds[i].kind;
	if (has_engine(driver))
		answer_change(driver, engine_intend(driver->engine, &intent, driver->until));
}

static void
verb_undo(Driver *driver, char **words)
{
	if (has_engine(driver))
		answer_change(driver, engine_undo(driver->engine, NULL, driver->until));
}

static void
verb_retry(Driver *driver, char **words)
{
	if (has_engine(driver))
		answer_change(driver, engine_retry(driver->engine, atoll(words[1]), driver->until));
}

static void
verb_drop(Driver *driver, char **words)
{
	if (has_engine(driver))
		answer_change(driver, engine_drop(driver->engine, atoll(words[1])));
}

/* ---- the lines ---------------------------------------------------------------------------------- */

/* clang-format off */
static const Verb verbs[] = {
	{ "start", 2, verb_start },
	{ "stop", 1, verb_stop },
	{ "status", 1, verb_status },
	{ "fault", 3, verb_fault },
	{ "quit", 1, verb_quit },
	{ "folders", 1, verb_folders },
	{ "list", 2, verb_list },
	{ "queue", 1, verb_queue },
	{ "check", 1, verb_check },
	{ "special", 2, verb_special },
	{ "open", 2, verb_open },
	{ "sync", 1, verb_sync },
	{ "refresh", 1, verb_refresh },
	{ "reconnect", 1, verb_reconnect },
	{ "online", 2, verb_online },
	{ "drain", 2, verb_drain },
	{ "flag", 4, verb_flag },
	{ "move", 4, verb_move },
	{ "copy", 4, verb_move },
	{ "delete", 4, verb_move },
	{ "expunge", 3, verb_expunge },
	{ "append", 5, verb_append },
	{ "create", 2, verb_create },
	{ "rename", 3, verb_of_folder },
	{ "remove", 2, verb_of_folder },
	{ "subscribe", 2, verb_of_folder },
	{ "unsubscribe", 2, verb_of_folder },
	{ "undo", 1, verb_undo },
	{ "retry", 2, verb_retry },
	{ "drop", 2, verb_drop },
};
/* clang-format on */

/* The words, decoded; "." is the empty one. */
static char **
split(const char *line)
{
	char **words = g_strsplit(line, " ", -1);

	for (unsigned i = 0; words[i]; i++) {
		char *word = g_uri_unescape_string(strcmp(words[i], ".") ? words[i] : "", NULL);

		if (word) {
			g_free(words[i]);
			words[i] = word;
		}
	}
	return words;
}

static void
obey(Driver *driver, const char *line)
{
	bool there = *line == '!';
	g_auto(GStrv) words = split(there ? line + 1 : line);

	driver->until = there ? ENGINE_THERE : ENGINE_QUEUED;
	for (unsigned i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (words[0] && !strcmp(words[0], verbs[i].name) &&
		    g_strv_length(words) >= verbs[i].words) {
			verbs[i].call(driver, words);
			fflush(stdout);
			return;
		}
	say_failure(POSTERN_ERROR_USAGE, "no such verb");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	Driver driver = { .notices = g_string_new(NULL) };
	g_autoptr(GError) error = NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	if (argc < 3)
		return 2;
	fault_install();
	mail_init();
	driver.dir = argv[2];
	driver.config = config_load(argv[1], &error);
	if (driver.config && argc > 3)
		driver.log = log_open(argv[3], &error);
	if (error) {
		say_error(error);
		return 1;
	}
	while ((size = getline(&line, &room, stdin)) > 0) {
		if (line[size - 1] == '\n')
			line[size - 1] = '\0';
		obey(&driver, line);
	}
	free(line);
	engine_stop(driver.engine);
	store_close(driver.store);
	config_free(driver.config);
	log_unref(driver.log);
	g_string_free(driver.notices, TRUE);
	g_free(driver.text);
	g_free(driver.line_error);
	return 0;
}
