#include "fixture.h"

#include "mail/header.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 8000

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

int
fixture_set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	mail_init();
	fixture->server = fake_server_new();
	fixture->dir = g_dir_make_tmp("postern-engine-XXXXXX", &error);
	assert_null(error);
	path = g_build_filename(fixture->dir, "config", NULL);
	text = g_strdup_printf("[account test]\naddress = ada@example.org\n"
			       "imap = imap+insecure://ada@127.0.0.1:%u\npassword = sesame\n"
			       "connections = 1\nkeep-text = none\n",
			       fake_server_port(fixture->server));
	assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	fixture->config = config_load(path, &error);
	if (error)
		fail_msg("%s", error->message);
	fixture->done = g_hash_table_new(NULL, NULL);
	fixture->errors = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_error_free);
	*state = fixture;
	return 0;
}

int
fixture_tear_down(void **state)
{
	Fixture *fixture = *state;

	fixture_stop(fixture);
	store_close(fixture->store);
	config_free(fixture->config);
	fake_server_free(fixture->server);
	remove_dir(fixture->dir);
	g_hash_table_unref(fixture->done);
	g_hash_table_unref(fixture->errors);
	g_clear_error(&fixture->line_error);
	g_free(fixture->dir);
	g_free(fixture);
	return 0;
}

static void
on_status(Fixture *fixture, const EngineStatus *status)
{
	if (status->link == ENGINE_WAITING && fixture->link != ENGINE_WAITING)
		fixture->waits++;
	fixture->link = status->link;
	if (status->error) {
		g_clear_error(&fixture->line_error);
		fixture->line_error = g_error_copy(status->error);
	}
}

static void
on_event(void *data, const EngineEvent *event)
{
	Fixture *fixture = data;
	void *key = GUINT_TO_POINTER(event->request);

	assert_non_null(fixture->engine); /* none after engine_stop */
	switch (event->type) {
	case ENGINE_EVENT_STATUS:
		on_status(fixture, event->status);
		break;
	case ENGINE_EVENT_DONE:
		g_hash_table_insert(fixture->done, key,
				    GUINT_TO_POINTER(
					GPOINTER_TO_UINT(g_hash_table_lookup(fixture->done, key)) +
					1));
		if (event->error)
			g_hash_table_insert(fixture->errors, key, g_error_copy(event->error));
		if (event->message)
			fixture->message = event->message;
		break;
	case ENGINE_EVENT_ROWS:
		fixture->rows++;
		break;
	case ENGINE_EVENT_PART:
		fixture->parts++;
		break;
	case ENGINE_EVENT_QUEUE:
	case ENGINE_EVENT_PROGRESS:
		fixture->progress++;
		break;
	case ENGINE_EVENT_NOTICE:
		fixture->notices++;
		break;
	case ENGINE_EVENT_FOLDERS:
		break;
	}
}

void
fixture_connections(Fixture *fixture, unsigned connections)
{
	ConfigAccount *account = g_ptr_array_index(fixture->config->accounts, 0);

	account->connections = connections;
}

void
fixture_start_with(Fixture *fixture, bool offline, bool hold)
{
	EngineOptions options = { .config = fixture->config,
				  .data_dir = fixture->dir,
				  .offline = offline,
				  .hold = hold,
				  .on_event = on_event,
				  .data = fixture };
	g_autoptr(GError) error = NULL;

	/* Another engine counts its requests from the beginning. */
	g_hash_table_remove_all(fixture->done);
	g_hash_table_remove_all(fixture->errors);
	fixture->engine = engine_start(&options, &error);
	if (error)
		fail_msg("%s", error->message);
}

void
fixture_start(Fixture *fixture)
{
	fixture_start_with(fixture, false, false);
}

void
fixture_stop(Fixture *fixture)
{
	engine_stop(fixture->engine);
	fixture->engine = NULL;
	while (g_main_context_iteration(NULL, FALSE))
		;
	fixture->link = ENGINE_OFFLINE;
}

static gboolean
on_tick(void *data)
{
	unsigned *left = data;

	if (*left)
		--*left;
	return G_SOURCE_CONTINUE;
}

/* The journal, for a test that fails. */
static char *
queue_text(Fixture *fixture)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) rows = NULL;

	if (!store_journal(fixture_store(fixture), 0, &rows, NULL))
		return g_strdup("(the journal cannot be read)\n");
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = rows->pdata[i];

		g_string_append_printf(text, "row %d: kind %d, state %d, %u left, tries %u: %s\n",
				       (int)row->id, row->kind, row->state, row->n, row->tries,
				       row->error ? row->error : "");
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

void
fixture_until(Fixture *fixture, FixtureClaim what, unsigned number)
{
	unsigned left = PATIENCE_MS / 20;
	guint ticker = g_timeout_add(20, on_tick, &left);

	while (!what(fixture, number) && left)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(ticker);
	if (!left) {
		g_auto(GStrv) log = fake_server_log(fixture->server);
		g_autofree char *text = g_strjoinv("\n", log);

		g_autofree char *queue = queue_text(fixture);

		fail_msg("it did not happen in time; the line: %s\n%sthe server saw:\n%s",
			 fixture->line_error ? fixture->line_error->message : "fine", queue, text);
	}
}

static bool
never(Fixture *fixture, unsigned until_ms)
{
	return g_get_monotonic_time() / 1000 >= (int64_t)until_ms;
}

void
fixture_idle_ms(Fixture *fixture, unsigned ms)
{
	fixture_until(fixture, never, (unsigned)(g_get_monotonic_time() / 1000) + ms);
}

unsigned
fixture_done_count(Fixture *fixture, EngineRequest request)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(fixture->done, GUINT_TO_POINTER(request)));
}

static bool
is_done(Fixture *fixture, unsigned request)
{
	return fixture_done_count(fixture, request) > 0;
}

const GError *
fixture_wait(Fixture *fixture, EngineRequest request)
{
	fixture_until(fixture, is_done, request);
	assert_int_equal(fixture_done_count(fixture, request), 1);
	return g_hash_table_lookup(fixture->errors, GUINT_TO_POINTER(request));
}

Store *
fixture_store(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;

	if (!fixture->store)
		fixture->store = store_open(fixture->dir, STORE_READER, NULL, NULL, &error);
	if (error)
		fail_msg("%s", error->message);
	return fixture->store;
}

StoreMailbox *
fixture_box(Fixture *fixture, const char *name)
{
	StoreMailbox *box = NULL;
	StoreId account = 1;

	return store_mailbox_find(fixture_store(fixture), account, name, &box, NULL) ? box : NULL;
}

uint32_t
fixture_total(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	return box ? box->total : 0;
}

StoreRow *
fixture_row(Fixture *fixture, const char *name, uint32_t uid)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);
	StoreRow *row = NULL;

	return box && store_row_by_uid(fixture_store(fixture), box->id, uid, &row, NULL) ? row
											 : NULL;
}

uint16_t
fixture_flags(Fixture *fixture, const char *name, uint32_t uid)
{
	g_autoptr(StoreRow) row = fixture_row(fixture, name, uid);

	assert_non_null(row);
	return row->flags;
}

void
fixture_check(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;

	if (!store_check(fixture_store(fixture), &error))
		fail_msg("%s", error->message);
}

bool
is_idling(Fixture *fixture, unsigned ignored)
{
	return fake_server_is_idling(fixture->server);
}

bool
is_online(Fixture *fixture, unsigned ignored)
{
	return fixture->link == ENGINE_ONLINE;
}

bool
inbox_has(Fixture *fixture, unsigned rows)
{
	return fixture_total(fixture, "INBOX") == rows;
}

static bool
is_complete(Fixture *fixture, const char *name, unsigned rows)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	return box && box->total == rows && box->known_from_uid == 1;
}

bool
inbox_complete(Fixture *fixture, unsigned rows)
{
	return is_complete(fixture, "INBOX", rows);
}

bool
other_complete(Fixture *fixture, unsigned rows)
{
	return is_complete(fixture, "Other", rows);
}

bool
has_lines(Fixture *fixture, unsigned lines)
{
	return fake_server_lines(fixture->server) == lines;
}
