/* What is tagged: one by one, by range, by pattern, by conversation. */
#include "change-private.h"

#include "base/error.h"
#include "base/i18n.h"

ViewMarks *
change_marks(App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;

	if (!mailbox)
		return NULL;
	if (app->marks && app->marks_mailbox != mailbox->id)
		change_forget_marks(app);
	if (!app->marks) {
		app->marks = view_marks_new(app->store, mailbox->id);
		app->marks_mailbox = mailbox->id;
	}
	return app->marks;
}

void
change_forget_marks(App *app)
{
	g_clear_handle_id(&app->marking, g_source_remove);
	g_clear_pointer(&app->marks, view_marks_free);
	app->marks_mailbox = 0;
	app->has_anchor = false;
}

bool
change_is_marked(const App *app, StoreId message)
{
	return app->marks && app->list && view_list_mailbox(app->list) &&
	       view_list_mailbox(app->list)->id == app->marks_mailbox &&
	       view_marks_has(app->marks, message);
}

uint32_t
change_marked(const App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;

	return app->marks && mailbox && mailbox->id == app->marks_mailbox
		   ? view_marks_count(app->marks)
		   : 0;
}

static void
say_marked(App *app)
{
	uint32_t n = change_marked(app);
	g_autofree char *text =
	    g_strdup_printf(P_("%u message is tagged.", "%u messages are tagged.", n), n);

	app_notice(app, text);
}

static gboolean
on_marking(gpointer data)
{
	App *app = data;
	g_autoptr(GError) error = NULL;
	bool more = false;

	if (app->marks && !view_marks_step(app->marks, &more, &error))
		app_complain(app, error);
	else if (!more)
		say_marked(app);
	app->dirty |= !more;
	if (more)
		return G_SOURCE_CONTINUE;
	app->marking = 0;
	return G_SOURCE_REMOVE;
}

static void
begin_marking(App *app)
{
	bool more = false;

	/* a small mailbox at once */
	if (!view_marks_step(app->marks, &more, NULL) || !more) {
		say_marked(app);
		return;
	}
	app_notice(app, _("Looking through the folder..."));
	if (!app->marking)
		app->marking = g_idle_add_full(G_PRIORITY_LOW, on_marking, app, NULL);
}

static void
mark_one(App *app)
{
	const StoreRow *row = app->list ? view_list_selected(app->list) : NULL;

	if (!row || !change_marks(app))
		return;
	view_marks_toggle(app->marks, row->id);
	view_list_move(app->list, VIEW_MOVE_DOWN);
}

static void
mark_pattern(App *app, const char *pattern, bool on)
{
	g_autoptr(GError) error = NULL;

	if (!pattern || !*pattern || !change_marks(app))
		return;
	if (view_marks_begin_pattern(app->marks, pattern, on, &error))
		begin_marking(app);
	else
		app_complain(app, error);
}

static void
on_mark_pattern(App *app, const char *pattern)
{
	mark_pattern(app, pattern, true);
}

static void
on_unmark_pattern(App *app, const char *pattern)
{
	mark_pattern(app, pattern, false);
}

static void
mark_thread(App *app)
{
	const StoreRow *row = app->list ? view_list_selected(app->list) : NULL;

	if (!row || !change_marks(app))
		return;
	view_marks_begin_thread(app->marks, row);
	begin_marking(app);
}

/* The first time it is where the range begins, the second where it ends. */
static void
mark_range(App *app)
{
	const StoreRow *row = app->list ? view_list_selected(app->list) : NULL;
	g_autoptr(GError) error = NULL;
	uint32_t from = 0;

	if (!row || !change_marks(app))
		return;
	if (!app->has_anchor) {
		app->has_anchor = true;
		app->anchor = row->id;
		app_notice(app, _("The range begins here; go to its end and press the key again."));
		return;
	}
	app->has_anchor = false;
	if (store_offset_of(app->store, app->marks_mailbox, app->anchor, &from, &error) &&
	    view_marks_range(app->marks, from, view_list_cursor(app->list)->at, &error))
		say_marked(app);
	else
		app_complain(app, error);
}

static void
unmark_all(App *app)
{
	change_forget_marks(app);
	say_marked(app);
}

bool
mark_do(App *app, ViewVerb verb, const char *argument)
{
	switch (verb) {
	case VIEW_DO_MARK:
		mark_one(app);
		return true;
	case VIEW_DO_MARK_PATTERN:
		change_ask_or_do(app, argument, _("Tag what matches: "), on_mark_pattern, NULL);
		return true;
	case VIEW_DO_UNMARK_PATTERN:
		change_ask_or_do(app, argument, _("Untag what matches: "), on_unmark_pattern, NULL);
		return true;
	case VIEW_DO_MARK_THREAD:
		mark_thread(app);
		return true;
	case VIEW_DO_MARK_RANGE:
		mark_range(app);
		return true;
	case VIEW_DO_UNMARK_ALL:
		unmark_all(app);
		return true;
	default:
		return false;
	}
}
