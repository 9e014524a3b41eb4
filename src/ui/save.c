/* Saving a part: where, over what, and the way there; several at a time. */
#include "app-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "view/save.h"

struct Saving {
	App *app;
	StoreId message;
	const MailPart *part; /* of the message on show; only while asked */
	char *section, *encoding, *title, *path;
	bool replace;
	EngineRequest request; /* 0: it is here, and being written */
	uint64_t done, total;  /* bytes fetched */
	GCancellable *cancellable;

	/* the thread's */
	char *data_dir;
	uint64_t written;
};

void
saving_free(gpointer data)
{
	Saving *saving = data;

	if (!saving)
		return;
	g_free(saving->section);
	g_free(saving->encoding);
	g_free(saving->title);
	g_free(saving->path);
	g_free(saving->data_dir);
	g_clear_object(&saving->cancellable);
	g_free(saving);
}

/* ---- the writing ---------------------------------------------------------------------------- */

static void
write_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	Saving *saving = data;
	GError *error = NULL;
	g_autoptr(Store) store = store_open(saving->data_dir, STORE_READER, NULL, NULL, &error);

	if (store &&
	    view_save_write(store, saving->message, saving->section, saving->encoding, saving->path,
			    saving->replace, saving->cancellable, &saving->written, &error))
		g_task_return_boolean(task, TRUE);
	else
		g_task_return_error(task, error);
}

static void
on_written(GObject *source, GAsyncResult *result, gpointer data)
{
	Saving *saving = data;
	App *app = saving->app;
	g_autoptr(GError) error = NULL;

	app->tasks--;
	app->dirty = true;
	if (g_task_propagate_boolean(G_TASK(result), &error)) {
		g_autofree char *size = view_size_text(saving->written);
		g_autofree char *text = g_strdup_printf(_("Saved %s, %s"), saving->path, size);

		app_notice(app, text);
	} else
		app_complain(app, error);
	g_ptr_array_remove(app->savings, saving);
}

static void
start_writing(Saving *saving)
{
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_written, saving);

	saving->request = 0;
	g_task_set_task_data(task, saving, NULL);
	saving->app->tasks++;
	g_task_run_in_thread(task, write_in_thread);
}

/* ---- the fetching --------------------------------------------------------------------------- */

/* Owns SAVING from here on. */
static void
start_saving(App *app, Saving *saving)
{
	const char *sections[] = { saving->section, NULL };
	g_autoptr(GError) error = NULL;
	bool has = false;

	saving->part = NULL;
	g_ptr_array_add(app->savings, saving);
	if (!store_part_has(app->store, saving->message, saving->section, &has, &error))
		app_complain(app, error);
	else if (has) {
		start_writing(saving);
		return;
	} else if (!app->engine || app->options->offline)
		app_notice(app, _("Not saved: this part is not here, and there is no line to the "
				  "server."));
	else {
		saving->request = engine_parts(app->engine, saving->message, sections);
		return;
	}
	g_ptr_array_remove(app->savings, saving);
}

static Saving *
find_request(const App *app, EngineRequest request)
{
	for (guint i = 0; request && i < app->savings->len; i++) {
		Saving *saving = app->savings->pdata[i];

		if (saving->request == request)
			return saving;
	}
	return NULL;
}

void
save_on_event(App *app, const EngineEvent *event)
{
	Saving *saving = find_request(app, event->request);

	if (!saving)
		return;
	if (event->type == ENGINE_EVENT_PROGRESS) {
		saving->done = event->done;
		saving->total = event->total;
	} else if (event->type == ENGINE_EVENT_DONE && event->error) {
		app_complain(app, event->error);
		g_ptr_array_remove(app->savings, saving);
	} else if (event->type == ENGINE_EVENT_DONE)
		start_writing(saving);
}

char *
save_progress(const App *app)
{
	const Saving *saving = app->savings->len ? app->savings->pdata[0] : NULL;
	g_autofree char *done = NULL, *total = NULL;

	if (!saving)
		return NULL;
	if (!saving->request)
		return g_strdup_printf(_("saving %s"), saving->title);
	if (!saving->total)
		return g_strdup_printf(_("fetching %s"), saving->title);
	done = view_size_text(saving->done);
	total = view_size_text(saving->total);
	return g_strdup_printf(_("fetching %s, %s of %s"), saving->title, done, total);
}

void
save_cancel_all(App *app)
{
	for (guint i = app->savings->len; i-- > 0;) {
		Saving *saving = app->savings->pdata[i];

		g_cancellable_cancel(saving->cancellable);
		if (saving->request)
			g_ptr_array_remove_index(app->savings, i);
	}
}

/* ---- the asking ----------------------------------------------------------------------------- */

static void ask_where(App *app, const char *text);

static void
on_replace(App *app, bool yes)
{
	Saving *saving = g_steal_pointer(&app->asked);

	if (yes) {
		saving->replace = true;
		start_saving(app, saving);
		return;
	}
	app->asked = saving;
	ask_where(app, saving->path);
}

static void
on_where(App *app, const char *typed)
{
	Saving *saving = app->asked;
	g_autoptr(GError) error = NULL;
	ViewSaveState state;

	if (!typed) {
		g_clear_pointer(&app->asked, saving_free);
		app_notice(app, _("Not saved."));
		return;
	}
	g_clear_pointer(&saving->path, g_free);
	if (!view_save_check(typed, saving->part, &saving->path, &state, &error)) {
		app_complain(app, error);
		g_clear_pointer(&app->asked, saving_free);
	} else if (state == VIEW_SAVE_EXISTS) {
		g_autofree char *question =
		    g_strdup_printf(_("%s exists. Replace it? (y/n)"), saving->path);

		ask_yes(app, question, on_replace);
	} else {
		app->asked = NULL;
		start_saving(app, saving);
	}
}

static GPtrArray *
complete_path(App *app, const char *beginning)
{
	return view_save_complete(beginning);
}

static void
ask_where(App *app, const char *text)
{
	ask_text(app, _("Save to: "), text, on_where, complete_path);
}

void
save_part(App *app, const MailPart *part, const char *typed)
{
	Saving *saving;

	if (g_str_has_prefix(part->type, "multipart/")) {
		app_notice(app, _("This only holds other parts: go to one of them."));
		return;
	}
	saving = g_new0(Saving, 1);
	saving->app = app;
	saving->message = view_message_row(app->message)->id;
	saving->part = part;
	saving->section = g_strdup(part->section);
	saving->encoding = g_strdup(part->encoding);
	saving->title = view_part_title(part);
	saving->data_dir = g_strdup(app->options->data_dir);
	saving->cancellable = g_cancellable_new();
	saving_free(app->asked);
	app->asked = saving;
	if (typed)
		on_where(app, typed);
	else {
		g_autofree char *name = mail_part_file_name(part);

		ask_where(app, name);
	}
}
