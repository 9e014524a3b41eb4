/* The life of the full-screen client: first a frame from the store, then the engine, then one turn of
 * the main loop after another, each ended by at most one frame. */
#include "app-private.h"

#include <glib-unix.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

/* What the engine tells is drawn this much later, so that a flood of it costs few frames.  A key is
 * answered at once. */
#define SOON_MS 50
/* Another process's changes are looked for this often. */
#define LOOK_S 2
/* The folder list is asked for at most this often, and while it is on show, this often. */
#define FOLDERS_S 5
#define BROWSE_S  30
/* Keys taken in one turn: a paste must not keep the rest waiting. */
#define KEYS_A_TURN   64
#define OPEN_ROWS_MAX 60
#define SAID_MAX      50

/* ---- places --------------------------------------------------------------------------------- */

ViewPlace
app_place(const App *app)
{
	return app->places[app->depth - 1];
}

void
app_go(App *app, ViewPlace place)
{
	g_assert(app->depth < PLACES_MAX);
	app->places[app->depth++] = place;
}

static bool
has_place(const App *app, ViewPlace place)
{
	for (int i = 0; i < app->depth; i++)
		if (app->places[i] == place)
			return true;
	return false;
}

bool
app_back(App *app)
{
	ViewPlace left = app_place(app);

	if (app->depth == 1)
		return false;
	app->depth--;
	if (left == VIEW_PLACE_MESSAGE && view_message_shown_part(app->message))
		read_leave_part(app);
	if (left == VIEW_PLACE_PARTS && app_place(app) == VIEW_PLACE_MESSAGE)
		read_update(app);
	if (app->message && !has_place(app, VIEW_PLACE_MESSAGE) &&
	    !has_place(app, VIEW_PLACE_PARTS))
		read_close(app);
	return true;
}

void
app_to_list(App *app)
{
	app->depth = 1;
	read_close(app);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void
keep_notice(App *app)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%H:%M:%S");

	if (app->said->len == SAID_MAX)
		g_ptr_array_remove_index(app->said, 0);
	g_ptr_array_add(app->said, g_strdup_printf("%s  %s", time, app->notice));
}

void
app_notice(App *app, const char *text)
{
	g_free(app->notice);
	app->notice = safe_line(text);
	app->notice_is_error = false;
	app->dirty = true;
	keep_notice(app);
}

void
app_complain(App *app, const GError *error)
{
	app_notice(app, error ? error->message : _("that failed"));
	app->notice_is_error = true;
}

const ViewStatus *
app_status(const App *app)
{
	return g_hash_table_lookup(app->statuses, app->account->name);
}

int
app_body_rows(const App *app)
{
	return MAX(screen_rows(app->screen) - 3, 1);
}

/* ---- drawing -------------------------------------------------------------------------------- */

static gboolean
on_soon(gpointer data)
{
	App *app = data;

	app->soon = 0;
	app->dirty = true;
	return G_SOURCE_REMOVE;
}

static void
draw_soon(App *app)
{
	if (!app->soon)
		app->soon = g_timeout_add(SOON_MS, on_soon, app);
}

static gboolean
on_tick(gpointer data)
{
	App *app = data;

	app->dirty = true;
	if (view_status_ticks(app_status(app)))
		return G_SOURCE_CONTINUE;
	app->tick = 0;
	return G_SOURCE_REMOVE;
}

/* Finds the folder on show in the store, once it is there. */
static bool
find_list(App *app, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(GError) gone = NULL;
	StoreId account;

	if (store_account(app->store, app->account->name, &account, &gone) &&
	    store_mailbox_find(app->store, account, app->folder, &mailbox, &gone)) {
		const ViewListPlace *place = g_hash_table_lookup(app->were, &mailbox->id);

		app->list = view_list_new(app->store, mailbox->id);
		if (place)
			view_list_return(app->list, place);
		return true;
	}
	if (postern_error_is(gone, POSTERN_ERROR_GONE))
		return true;
	g_propagate_error(error, g_steal_pointer(&gone));
	return false;
}

static bool
refresh_list(App *app, GError **error)
{
	g_autoptr(GError) gone = NULL;

	if (view_list_refresh(app->list, &gone))
		return true;
	/* The folder itself is no more. */
	if (postern_error_is(gone, POSTERN_ERROR_GONE)) {
		g_clear_pointer(&app->list, view_list_free);
		return true;
	}
	g_propagate_error(error, g_steal_pointer(&gone));
	return false;
}

bool
app_refresh(App *app)
{
	g_autoptr(GError) error = NULL;
	bool ok = true;

	if (!app->store)
		return true;
	if (!app->list)
		ok = find_list(app, &error);
	draw_layout(app);
	if (ok && app->list)
		ok = refresh_list(app, &error);
	if (ok && app_place(app) == VIEW_PLACE_FOLDERS)
		ok = view_folders_refresh(app->folders, &error);
	if (ok && app_place(app) == VIEW_PLACE_QUEUE && app->queue)
		ok = view_queue_refresh(app->queue, &error);
	if (!ok)
		app_complain(app, error);
	return ok;
}

/* What happens in the other folders is told by nobody but the list itself. */
static gboolean
on_browse(gpointer data)
{
	App *app = data;

	if (app_place(app) == VIEW_PLACE_FOLDERS) {
		app_ask_folders(app);
		return G_SOURCE_CONTINUE;
	}
	app->browse = 0;
	return G_SOURCE_REMOVE;
}

static void
draw(App *app)
{
	StoreStats stats = { 0 };

	app_refresh(app);
	draw_layout(app);
	draw_frame(app);
	app->dirty = false;
	app->frames++;
	if (app->store)
		store_stats(app->store, &stats);
	log_event(app->options->log, "ui", "frame %u key=%s rows=%" G_GUINT64_FORMAT, app->frames,
		  *app->key ? app->key : "-", stats.rows_read - app->rows_read);
	app->rows_read = stats.rows_read;
	*app->key = '\0';
	if (!app->tick && view_status_ticks(app_status(app)))
		app->tick = g_timeout_add_seconds(1, on_tick, app);
	if (!app->browse && app_place(app) == VIEW_PLACE_FOLDERS)
		app->browse = g_timeout_add_seconds(BROWSE_S, on_browse, app);
}

/* ---- folders -------------------------------------------------------------------------------- */

static void
ask_engine_for_folder(App *app)
{
	uint32_t rows = (uint32_t)MIN(app_body_rows(app), OPEN_ROWS_MAX);

	g_clear_pointer(&app->open_error, g_free);
	app->open_request = 0;
	if (app->engine && !app->options->offline)
		app->open_request =
		    engine_open(app->engine, app->account->name, app->folder, 0, rows, true);
}

static void
forget_left(App *app)
{
	app->left_account = NULL;
	g_clear_pointer(&app->left_folder, g_free);
	g_clear_pointer(&app->left_list, view_list_free);
}

static void
remember_place(App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;
	ViewListPlace place;

	if (!mailbox)
		return;
	if (view_list_place(app->list, &place))
		g_hash_table_insert(app->were, g_memdup2(&mailbox->id, sizeof mailbox->id),
				    g_memdup2(&place, sizeof place));
	else
		g_hash_table_remove(app->were, &mailbox->id);
}

void
app_open_folder(App *app, const ConfigAccount *account, const char *name)
{
	char *folder = g_strdup(name);

	app_to_list(app);
	remember_place(app);
	/* Of several in a row, the last that was seen open is the one to go back to. */
	if (app->left_account && app->open_request) {
		g_free(app->folder);
		view_list_free(app->list);
	} else {
		forget_left(app);
		app->left_account = app->account;
		app->left_folder = app->folder;
		app->left_list = app->list;
	}
	app->account = account;
	app->folder = folder;
	app->list = NULL;
	ask_engine_for_folder(app);
	app->dirty = true;
}

/* The server does not have it: where there is nothing to see, the one before is better. */
static void
go_back_to_left(App *app)
{
	if (app->message)
		app_to_list(app);
	g_free(app->folder);
	view_list_free(app->list);
	app->account = app->left_account;
	app->folder = g_steal_pointer(&app->left_folder);
	app->list = g_steal_pointer(&app->left_list);
	app->left_account = NULL;
	ask_engine_for_folder(app);
}

void
app_ask_folders(App *app)
{
	const GPtrArray *accounts = app->options->config->accounts;
	gint64 now = g_get_monotonic_time();

	if (!app->engine || app->options->offline ||
	    (app->folders_asked_us && now - app->folders_asked_us < FOLDERS_S * G_USEC_PER_SEC))
		return;
	app->folders_asked_us = now;
	for (guint i = 0; i < accounts->len; i++) {
		const ConfigAccount *account = accounts->pdata[i];

		if (!app->options->account || account == app->account)
			engine_folders(app->engine, account->name);
	}
}

/* ---- the engine's events -------------------------------------------------------------------- */

static void
take_status(App *app, const EngineStatus *said)
{
	ViewStatus *status = g_hash_table_lookup(app->statuses, said->account);

	if (status)
		view_status_take(status, said, g_get_monotonic_time());
}

static void
take_refusal(App *app, const GError *error)
{
	g_autofree char *text =
	    g_strdup_printf(_("%s could not be opened: %s"), app->folder, error->message);

	app_notice(app, text);
	app->notice_is_error = true;
	if (app->left_account && (!app->list || view_list_cursor(app->list)->total == 0))
		go_back_to_left(app);
	else
		app->open_error = safe_line(error->message);
}

static void
take_done(App *app, const EngineEvent *event)
{
	if (!event->request || event->request != app->open_request)
		return;
	app->open_request = 0;
	if (!event->error)
		forget_left(app);
	if (!event->error || postern_error_is(event->error, POSTERN_ERROR_CANCELLED))
		return;
	if (postern_error_is(event->error, POSTERN_ERROR_GONE) ||
	    postern_error_is(event->error, POSTERN_ERROR_REFUSED)) {
		take_refusal(app, event->error);
		return;
	}
	app->open_error = safe_line(event->error->message);
	/* A line that is away is the status line's to tell. */
	if (!postern_error_is(event->error, POSTERN_ERROR_OFFLINE))
		app_complain(app, event->error);
}

static void
on_event(void *data, const EngineEvent *event)
{
	App *app = data;

	switch (event->type) {
	case ENGINE_EVENT_STATUS:
		take_status(app, event->status);
		break;
	case ENGINE_EVENT_DONE:
		take_done(app, event);
		break;
	case ENGINE_EVENT_NOTICE:
		app_notice(app, event->text);
		break;
	case ENGINE_EVENT_FOLDERS:
	case ENGINE_EVENT_ROWS:
	case ENGINE_EVENT_PART:
	case ENGINE_EVENT_QUEUE:
	case ENGINE_EVENT_PROGRESS:
		break;
	}
	read_on_event(app, event);
	save_on_event(app, event);
	change_on_event(app, event);
	/* What somebody waits for is shown at once; there is little of it. */
	if (event->type == ENGINE_EVENT_DONE)
		app->dirty = true;
	else
		draw_soon(app);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

/* No database yet is no error: then there is no store. */
static bool
open_store(App *app, GError **error)
{
	g_autoptr(GError) gone = NULL;

	app->store =
	    store_open(app->options->data_dir, STORE_READER, app->options->log, NULL, &gone);
	if (!app->store) {
		if (postern_error_is(gone, POSTERN_ERROR_GONE))
			return true;
		g_propagate_error(error, g_steal_pointer(&gone));
		return false;
	}
	app->folders = view_folders_new(app->store, app->options->config, app->options->account);
	change_count(app);
	return true;
}

static gboolean
on_look(gpointer data)
{
	App *app = data;
	int64_t folders = 0, list = 0;
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;

	if (!app->store || !store_version(app->store, 0, &folders, NULL) ||
	    (mailbox && !store_version(app->store, mailbox->id, &list, NULL)))
		return G_SOURCE_CONTINUE;
	if (folders + list != app->seen_version) {
		app->seen_version = folders + list;
		read_update(app);
		app->dirty = true;
	}
	return G_SOURCE_CONTINUE;
}

/* Without an engine the status line says why. */
static void
go_without_engine(App *app, const GError *error)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, app->statuses);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		EngineStatus said = { .link = ENGINE_OFFLINE, .error = error };

		view_status_take(value, &said, 0);
	}
	if (!app->look)
		app->look = g_timeout_add_seconds(LOOK_S, on_look, app);
	app_complain(app, error);
}

/* Ctrl-Z from outside is curses' to handle, and only in this thread. */
static Engine *
start_quietly(const EngineOptions *options, GError **error)
{
	sigset_t stop, old;
	Engine *engine;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &stop, &old);
	engine = engine_start(options, error);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return engine;
}

static Engine *
try_engine(App *app, GError **error)
{
	EngineOptions options = {
		.config = app->options->config,
		.account = app->options->account,
		.data_dir = app->options->data_dir,
		.offline = app->options->offline,
		.log = app->options->log,
		.on_event = on_event,
		.data = app,
	};

	return start_quietly(&options, error);
}

static void
start_engine(App *app)
{
	g_autoptr(GError) error = NULL;

	app->engine = try_engine(app, &error);
	if (!app->engine)
		go_without_engine(app, error);
	/* What could not be read before may have been made, or set aside, by the engine. */
	if (!app->store)
		open_store(app, app->engine ? &app->fatal : NULL);
	if (!app->store && !app->engine && !app->fatal)
		app->fatal = g_steal_pointer(&error);
	if (app->fatal)
		app->quit = true;
	ask_engine_for_folder(app);
	app->dirty = true;
}

static gboolean
on_end_signal(gpointer data)
{
	((App *)data)->quit = true;
	return G_SOURCE_CONTINUE;
}

static gboolean
on_resize(gpointer data)
{
	App *app = data;

	if (screen_resize(app->screen)) {
		g_strlcpy(app->key, "resize", sizeof(app->key));
		app->dirty = true;
	}
	return G_SOURCE_CONTINUE;
}

static gboolean
on_input(gint fd, GIOCondition condition, gpointer data)
{
	App *app = data;
	char key[SCREEN_KEY_MAX];
	int n = 0;

	while (n < KEYS_A_TURN && !app->quit && screen_key(app->screen, key)) {
		n++;
		g_strlcpy(app->key, key, sizeof(app->key));
		act_on_key(app, key);
		/* The next one acts on what this one brought, as if it had been seen. */
		if (!app->quit)
			app_refresh(app);
	}
	if (n == 0 && (condition & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)))
		app->quit = true;
	return G_SOURCE_CONTINUE;
}

static void
free_status(gpointer data)
{
	view_status_clear(data);
	g_free(data);
}

static bool
set_up(App *app, const UiOptions *options, GError **error)
{
	const GPtrArray *accounts = options->config->accounts;

	app->options = options;
	app->places[app->depth++] = VIEW_PLACE_LIST;
	app->account = config_account(options->config, options->account, error);
	if (!app->account)
		return false;
	app->folder = g_strdup(options->folder ? options->folder : "INBOX");
	app->statuses = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_status);
	for (guint i = 0; i < accounts->len; i++) {
		const ConfigAccount *account = accounts->pdata[i];
		ViewStatus *status = g_new0(ViewStatus, 1);

		status->alone = options->offline;
		g_hash_table_insert(app->statuses, account->name, status);
	}
	config_screen_copy(&app->wanted, &options->config->screen);
	app->keymap = keys_load(options->config, &app->wanted, error);
	if (!app->keymap)
		return false;
	app->todo = g_queue_new();
	app->were = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	app->savings = g_ptr_array_new_with_free_func(saving_free);
	app->changes = g_ptr_array_new_with_free_func(change_free);
	app->said = g_ptr_array_new_with_free_func(g_free);
	app->pager = view_pager_new();
	app->part_pager = view_pager_new();
	app->help = view_pager_new();
	return true;
}

static void
live(App *app)
{
	guint sources[] = {
		g_unix_signal_add(SIGINT, on_end_signal, app),
		g_unix_signal_add(SIGTERM, on_end_signal, app),
		g_unix_signal_add(SIGHUP, on_end_signal, app),
		g_unix_signal_add(SIGWINCH, on_resize, app),
		g_unix_fd_add_full(G_PRIORITY_HIGH, STDIN_FILENO,
				   G_IO_IN | G_IO_HUP | G_IO_ERR | G_IO_NVAL, on_input, app, NULL),
	};

	draw(app);
	start_engine(app);
	options_watch(app);
	while (!app->quit) {
		if (app->dirty)
			draw(app);
		g_main_context_iteration(NULL, TRUE);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
}

/* Threads that work for us hold what is ours: let them end. */
static void
wait_for_tasks(App *app)
{
	const guint *timers[] = { &app->soon, &app->tick, &app->look, &app->browse };

	save_cancel_all(app);
	while (app->tasks > 0)
		g_main_context_iteration(NULL, TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(timers); i++)
		if (*timers[i])
			g_source_remove(*timers[i]);
}

static void
tear_down(App *app)
{
	read_close(app);
	g_clear_pointer(&app->list, view_list_free);
	forget_left(app);
	g_clear_pointer(&app->were, g_hash_table_unref);
	g_clear_pointer(&app->folders, view_folders_free);
	g_clear_pointer(&app->queue, view_queue_free);
	change_forget_marks(app);
	g_clear_pointer(&app->changes, g_ptr_array_unref);
	g_clear_pointer(&app->held, g_array_unref);
	store_close(app->store);
	saving_free(app->asked);
	g_clear_pointer(&app->savings, g_ptr_array_unref);
	view_pager_free(app->pager);
	view_pager_free(app->part_pager);
	view_pager_free(app->help);
	view_keymap_free(app->keymap);
	view_theme_free(app->theme);
	if (app->todo)
		act_forget_todo(app);
	g_clear_pointer(&app->todo, g_queue_free);
	options_end(app);
	view_prompt_free(app->prompt);
	g_free(app->question);
	g_clear_pointer(&app->statuses, g_hash_table_unref);
	g_free(app->folder);
	g_free(app->open_error);
	g_free(app->notice);
	g_clear_pointer(&app->said, g_ptr_array_unref);
}

static bool
open_screen(App *app, GError **error)
{
	app->screen = screen_open(error);
	if (!app->screen)
		return false;
	if (options_load_theme(app, &app->wanted, &app->theme, error)) {
		screen_set_theme(app->screen, app->theme);
		return true;
	}
	screen_close(app->screen);
	return false;
}

int
ui_run(const UiOptions *options)
{
	g_autoptr(GError) error = NULL;
	App app = { 0 };
	int status;

	if (set_up(&app, options, &error) && open_screen(&app, &error)) {
		/* A store that cannot be read is the engine's to set aside, or to explain. */
		open_store(&app, NULL);
		live(&app);
		screen_close(app.screen);
		engine_stop(app.engine);
		app.engine = NULL;
		wait_for_tasks(&app);
		error = app.fatal;
	}
	status = postern_error_exit_status(error);
	if (error) {
		g_autofree char *safe = safe_line(error->message);

		fprintf(stderr, "postern: %s\n", safe);
	}
	tear_down(&app);
	return status;
}
