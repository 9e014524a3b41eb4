/* Reading a message: what to ask the engine for, and rendering, at once when it is little and on a
 * thread when it is much. */
#include "app-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"

#define PROGRESS_BYTES (100 * 1024)
/* What just came to where it is may be asked for on a line that has not heard of it. */
#define TRIES 3

ViewPager *
read_pager(App *app)
{
	return app->message && view_message_shown_part(app->message) ? app->part_pager : app->pager;
}

static void
forget_request(App *app)
{
	if (app->message_request && app->engine)
		engine_cancel(app->engine, app->message_request);
	app->message_request = 0;
	g_clear_pointer(&app->message_asked, g_strfreev);
	app->message_done = app->message_total = 0;
	g_clear_pointer(&app->message_error, g_free);
	app->message_waits = app->message_gone = false;
}

void
read_close(App *app)
{
	forget_request(app);
	app->render_number++;
	g_clear_pointer(&app->parts, g_ptr_array_unref);
	g_clear_pointer(&app->message, view_message_free);
}

/* ---- rendering ------------------------------------------------------------------------------ */

typedef struct Rendering {
	App *app;
	guint number;
	bool keep_place;
	ViewText *text;
	char *data_dir;
} Rendering;

static void
free_rendering(gpointer data)
{
	Rendering *rendering = data;

	view_text_free(rendering->text);
	g_free(rendering->data_dir);
	g_free(rendering);
}

static void
free_document(gpointer data)
{
	view_document_free(data);
}

static void
render_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	Rendering *rendering = data;
	GError *error = NULL;
	g_autoptr(Store) store = store_open(rendering->data_dir, STORE_READER, NULL, NULL, &error);

	if (store && view_text_load(rendering->text, store, &error))
		g_task_return_pointer(task, view_text_render(rendering->text), free_document);
	else
		g_task_return_error(task, error);
}

static void
on_rendered(GObject *source, GAsyncResult *result, gpointer data)
{
	Rendering *rendering = g_task_get_task_data(G_TASK(result));
	App *app = rendering->app;
	g_autoptr(GError) error = NULL;
	g_autoptr(ViewDocument) document = g_task_propagate_pointer(G_TASK(result), &error);

	app->tasks--;
	if (rendering->number != app->render_number)
		return;
	if (!document) {
		app_complain(app, error);
		return;
	}
	view_pager_take(read_pager(app), g_steal_pointer(&document), rendering->keep_place);
	app->dirty = true;
}

static void
render(App *app, ViewText *text, bool keep_place)
{
	g_autoptr(GTask) task = NULL;
	Rendering *rendering;

	app->render_number++;
	if (!view_text_is_heavy(text)) {
		view_pager_take(read_pager(app), view_text_render(text), keep_place);
		view_text_free(text);
		return;
	}
	if (!keep_place) {
		ViewDocument *document = view_document_new();
		const char *wait = _("Preparing a long text...");

		view_document_add(document, VIEW_LINE_NOTE, span_of_string(wait));
		view_pager_take(read_pager(app), document, false);
	}
	rendering = g_new0(Rendering, 1);
	rendering->app = app;
	rendering->number = app->render_number;
	rendering->keep_place = keep_place;
	rendering->text = text;
	rendering->data_dir = g_strdup(app->options->data_dir);
	task = g_task_new(NULL, NULL, on_rendered, NULL);
	g_task_set_task_data(task, rendering, free_rendering);
	app->tasks++;
	g_task_run_in_thread(task, render_in_thread);
}

/* ---- fetching ------------------------------------------------------------------------------- */

static bool
can_fetch(const App *app)
{
	return app->engine && !app->options->offline;
}

/* The sentence in place of what is not here. */
static char *
why_not(const App *app)
{
	if (app->message_error)
		return g_strdup_printf(_("Not here: %s"), app->message_error);
	if (!can_fetch(app))
		return g_strdup(_("Not here: this was never read while connected."));
	return g_strdup(_("Fetching..."));
}

/* Asks once; after an error, again when the line is back. */
static bool
fetch_missing(App *app, GError **error)
{
	const StoreRow *row = view_message_row(app->message);
	GError *failed = NULL;
	char **missing = view_message_missing(app->message, app->store, &failed);

	if (failed) {
		g_propagate_error(error, failed);
		return false;
	}
	if (can_fetch(app) && !app->message_request && !app->message_error) {
		if (!missing && row->uid)
			app->message_request =
			    engine_message(app->engine, app->account->name, app->folder, row->uid);
		else if (missing && missing[0] && row->uid) {
			app->message_request =
			    engine_parts(app->engine, row->id, (const char *const *)missing);
			app->message_asked = g_steal_pointer(&missing);
		}
	}
	g_strfreev(missing);
	return true;
}

static void
update(App *app, bool keep_place)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *why = NULL;
	ViewText *text;

	if (!fetch_missing(app, &error)) {
		app_complain(app, error);
		return;
	}
	why = why_not(app);
	text = view_message_text(app->message, app->store, why, &error);
	if (text)
		render(app, text, keep_place);
	else
		app_complain(app, error);
}

static void
read_tree_again(App *app)
{
	StoreRow *row = NULL;

	if (!view_message_tree(app->message) &&
	    store_row_by_id(app->store, view_message_row(app->message)->id, &row, NULL))
		view_message_update(app->message, row);
}

void
read_update(App *app)
{
	if (!app->message)
		return;
	read_tree_again(app);
	update(app, true);
}

void
read_look_again(App *app)
{
	const StoreRow *old = app->message ? view_message_row(app->message) : NULL;
	g_autoptr(StoreRow) row = NULL;
	bool other, there;

	/* One that went elsewhere is read on as it was. */
	if (!old || !store_row_by_id(app->store, old->id, &row, NULL) ||
	    row->mailbox != old->mailbox)
		return;
	/* It was on its way to where it is, and there was nothing to ask for. */
	there = row->uid &&
		(row->uid != old->uid || (app->message_gone && app->message_tries++ < TRIES));
	other = strcmp(row->keywords, old->keywords) != 0;
	view_message_update(app->message, g_steal_pointer(&row));
	if (there)
		forget_request(app);
	if (there || other)
		update(app, true);
}

static bool
load(App *app, StoreId message)
{
	g_autoptr(GError) error = NULL;
	StoreRow *row = NULL;

	if (!store_row_by_id(app->store, message, &row, &error)) {
		app_complain(app, error);
		return false;
	}
	app_to_list(app);
	app->message = view_message_new(row);
	app->message_tries = 0;
	if (app->engine)
		engine_looked(app->engine, message);
	return true;
}

void
read_open(App *app, StoreId message)
{
	if (!load(app, message))
		return;
	app_go(app, VIEW_PLACE_MESSAGE);
	change_seen(app, view_message_row(app->message));
	update(app, false);
}

void
read_open_parts(App *app, StoreId message)
{
	if (!load(app, message))
		return;
	if (view_message_tree(app->message)) {
		read_show_parts(app);
		return;
	}
	app_go(app, VIEW_PLACE_MESSAGE);
	update(app, false);
	read_show_parts(app);
}

void
read_leave_part(App *app)
{
	forget_request(app);
	app->render_number++;
	view_message_show_part(app->message, NULL);
}

/* Is one of ASKED still MISSING?  What is wanted besides since then (all headers) was not asked for. */
static bool
came_without(char *const *asked, char *const *missing)
{
	for (; asked && missing && *missing; missing++)
		if (g_strv_contains((const char *const *)asked, *missing))
			return true;
	return false;
}

/* Its request ended: what came is shown, and what did not is explained. */
static void
take_done(App *app, const EngineEvent *event)
{
	bool had_tree = view_message_tree(app->message) != NULL;
	g_auto(GStrv) asked = g_steal_pointer(&app->message_asked);
	g_auto(GStrv) missing = NULL;

	app->message_request = 0;
	app->message_done = app->message_total = 0;
	g_free(app->message_error);
	app->message_error = event->error ? g_strdup(event->error->message) : NULL;
	app->message_waits = postern_error_is(event->error, POSTERN_ERROR_OFFLINE);
	app->message_gone = postern_error_is(event->error, POSTERN_ERROR_GONE);
	if (!event->error && !had_tree)
		read_tree_again(app);
	/* It said it is done: asking for the same again would only go round. */
	if (!event->error && had_tree) {
		missing = view_message_missing(app->message, app->store, NULL);
		if (came_without(asked, missing))
			app->message_error = g_strdup(_("the server does not have it"));
	} else if (!event->error && !view_message_tree(app->message))
		app->message_error =
		    g_strdup(_("the server did not say what this message is made of"));
	update(app, true);
}

void
read_on_event(App *app, const EngineEvent *event)
{
	bool ours = event->request && event->request == app->message_request;

	if (!app->message)
		return;
	if (event->type == ENGINE_EVENT_DONE && ours)
		take_done(app, event);
	else if (event->type == ENGINE_EVENT_ROWS)
		read_look_again(app);
	else if (event->type == ENGINE_EVENT_PROGRESS && ours) {
		app->message_done = event->done;
		app->message_total = event->total;
	} else if (event->type == ENGINE_EVENT_PART &&
		   event->message == view_message_row(app->message)->id &&
		   !(app->message_asked && !app->message_asked[1]))
		read_update(app); /* of one part, DONE tells as well */
	else if (event->type == ENGINE_EVENT_STATUS && event->status->link == ENGINE_ONLINE &&
		 app->message_waits) {
		forget_request(app);
		read_update(app);
	}
}

char *
read_progress(const App *app)
{
	g_autofree char *done = NULL, *total = NULL;

	/* What is here in a moment is not worth a word. */
	if (!app->message_request || app->message_total < PROGRESS_BYTES)
		return NULL;
	done = view_size_text(app->message_done);
	total = view_size_text(app->message_total);
	return g_strdup_printf(_("fetching the text, %s of %s"), done, total);
}

/* ---- parts ---------------------------------------------------------------------------------- */

bool
read_show_parts(App *app)
{
	const MailPart *tree = view_message_tree(app->message);

	if (!tree) {
		app_notice(app, _("What this message is made of is not known yet."));
		return false;
	}
	g_clear_pointer(&app->parts, g_ptr_array_unref);
	app->parts = view_parts(tree);
	app->parts_cursor.at = app->parts_cursor.top = 0;
	app->parts_cursor.total = app->parts->len;
	view_cursor_fit(&app->parts_cursor);
	app_go(app, VIEW_PLACE_PARTS);
	return true;
}

void
read_open_part(App *app, const MailPart *part)
{
	if (!g_str_has_prefix(part->type, "text/") && strcmp(part->type, "message/rfc822") != 0) {
		g_autofree char *text =
		    g_str_has_prefix(part->type, "multipart/")
			? g_strdup(_("This only holds other parts: go to one of them."))
			: g_strdup_printf(_("%s is not text; s saves it"), part->type);

		app_notice(app, text);
		return;
	}
	forget_request(app);
	view_message_show_part(app->message, part->section);
	app_go(app, VIEW_PLACE_MESSAGE);
	update(app, false);
}
