/* What each command does. */
#include "app-private.h"

#include <string.h>

#include "base/i18n.h"
#include "base/error.h"
#include "base/safetext.h"
#include "view/save.h"

/* ---- help ----------------------------------------------------------------------------------- */

#define KEYS_WIDTH 24
/* Commands that one key may run, one after another. */
#define RUN_MAX 200

/* Keys in a column of their own, where there is room for one. */
ViewDocument *
act_help(const App *app, ViewPlace place, int width)
{
	int column = width >= 3 * KEYS_WIDTH ? KEYS_WIDTH : 0;
	g_autoptr(GPtrArray) commands = view_keymap_commands(app->keymap, place);
	ViewDocument *document = view_document_new();

	view_document_add(document, VIEW_LINE_HEADING, span_of_string(view_place_title(place)));
	view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	for (guint i = 0; i < commands->len; i++) {
		const ViewCommand *c = commands->pdata[i];
		const char *argument = view_argument_name(c->argument);
		g_autofree char *keys = view_keymap_keys(app->keymap, place, c);
		g_autofree char *line =
		    g_strdup_printf("%-*s%s%s (:%s%s%s)", column, keys, column || *keys ? "  " : "",
				    c->run ? c->sentence : _(c->sentence), c->name,
				    argument ? " " : "", argument ? argument : "");

		view_document_add_indented(document, VIEW_LINE_TEXT, column ? column + 2 : 4,
					   span_of_string(line));
	}
	return document;
}

static void
show_help(App *app)
{
	view_pager_take(app->help, act_help(app, app_place(app), screen_columns(app->screen)),
			false);
	app->help_title = view_place_title(VIEW_PLACE_HELP);
	app_go(app, VIEW_PLACE_HELP);
}

/* The status line first, then the notices, the last one on top. */
static void
show_messages(App *app)
{
	g_autofree char *status = view_status_text(app_status(app), g_get_monotonic_time());
	ViewDocument *document = view_document_new();

	view_document_add(document, VIEW_LINE_HEADING, span_of_string(status));
	view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	for (guint i = app->said->len; i-- > 0;)
		view_document_add_indented(document, VIEW_LINE_TEXT, 2,
					   span_of_string(app->said->pdata[i]));
	view_pager_take(app->help, document, false);
	app->help_title = _("Messages");
	app_go(app, VIEW_PLACE_HELP);
}

/* ---- moving --------------------------------------------------------------------------------- */

static void
move_text(App *app, ViewPager *pager, ViewMove move)
{
	int rows = view_pager_rows(pager);
	bool moved = false;

	switch (move) {
	case VIEW_MOVE_DOWN:
		moved = view_pager_scroll(pager, 1);
		break;
	case VIEW_MOVE_UP:
		moved = view_pager_scroll(pager, -1);
		break;
	case VIEW_MOVE_PAGE_DOWN: /* a line stays, to read on from */
		moved = view_pager_scroll(pager, MAX(rows - 1, 1));
		break;
	case VIEW_MOVE_PAGE_UP:
		moved = view_pager_scroll(pager, -MAX(rows - 1, 1));
		break;
	case VIEW_MOVE_HALF_DOWN:
		moved = view_pager_scroll(pager, MAX(rows / 2, 1));
		break;
	case VIEW_MOVE_HALF_UP:
		moved = view_pager_scroll(pager, -MAX(rows / 2, 1));
		break;
	case VIEW_MOVE_FIRST:
		view_pager_first(pager);
		return;
	case VIEW_MOVE_LAST:
		view_pager_last(pager);
		return;
	}
	if (!moved)
		app_notice(app, move == VIEW_MOVE_DOWN || move == VIEW_MOVE_PAGE_DOWN ||
					move == VIEW_MOVE_HALF_DOWN
				    ? _("This is the end.")
				    : _("This is the beginning."));
}

static void
move(App *app, ViewMove move)
{
	switch (app_place(app)) {
	case VIEW_PLACE_FOLDERS:
		if (app->folders)
			view_cursor_move(view_folders_cursor(app->folders), move);
		break;
	case VIEW_PLACE_LIST:
		if (app->list)
			view_list_move(app->list, move);
		break;
	case VIEW_PLACE_PARTS:
		view_cursor_move(&app->parts_cursor, move);
		break;
	case VIEW_PLACE_QUEUE:
		if (app->queue)
			view_cursor_move(view_queue_cursor(app->queue), move);
		break;
	case VIEW_PLACE_MESSAGE:
		move_text(app, read_pager(app), move);
		break;
	case VIEW_PLACE_HELP:
		move_text(app, app->help, move);
		break;
	}
}

/* ---- opening -------------------------------------------------------------------------------- */

static void
open_selected(App *app, bool parts)
{
	const StoreRow *row = app->list ? view_list_selected(app->list) : NULL;

	if (!row) {
		app_notice(app, _("There is no message here."));
		return;
	}
	view_list_select(app->list, view_list_cursor(app->list)->at); /* the one, not the place */
	if (parts)
		read_open_parts(app, row->id);
	else
		read_open(app, row->id);
}

static void
open_here(App *app)
{
	const ViewFolder *folder;

	switch (app_place(app)) {
	case VIEW_PLACE_LIST:
		open_selected(app, false);
		break;
	case VIEW_PLACE_FOLDERS:
		folder = app->folders ? view_folders_selected(app->folders) : NULL;
		if (folder && folder->mailbox && folder->selectable) {
			g_autofree char *name = g_strdup(folder->name);

			app_open_folder(app, folder->account, name);
		} else
			app_notice(app, _("This only holds other folders."));
		break;
	case VIEW_PLACE_PARTS:
		read_open_part(app,
			       ((const ViewPart *)app->parts->pdata[app->parts_cursor.at])->part);
		break;
	case VIEW_PLACE_MESSAGE:
	case VIEW_PLACE_HELP:
	case VIEW_PLACE_QUEUE:
		break;
	}
}

/* In a message: the one beside it in the list, without going there first. */
static void
open_beside(App *app, ViewMove move)
{
	if (!app->list || !view_list_move(app->list, move))
		app_notice(app, move == VIEW_MOVE_DOWN ? _("This is the last message.")
						       : _("This is the first message."));
	else if (app_refresh(app))
		open_selected(app, false);
}

static void
go_unread(App *app, bool forward)
{
	g_autoptr(GError) error = NULL;
	bool wrapped = false, found;

	if (!app->list)
		return;
	found = view_list_next_unread(app->list, forward, &wrapped, &error);
	if (error)
		app_complain(app, error);
	else if (!found)
		app_notice(app, _("There is no unread message."));
	else if (app_refresh(app) && app_place(app) == VIEW_PLACE_MESSAGE)
		open_selected(app, false);
	if (found && wrapped)
		app_notice(app, forward ? _("Went on from the top.") : _("Went on from the end."));
}

static void
show_folders(App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;

	app_go(app, VIEW_PLACE_FOLDERS);
	if (mailbox && app->folders)
		view_folders_select(app->folders, mailbox->id);
	app_ask_folders(app);
}

static void
save_selected(App *app, const char *where)
{
	save_part(app, ((const ViewPart *)app->parts->pdata[app->parts_cursor.at])->part, where);
}

static void
toggle_headers(App *app)
{
	if (view_message_shown_part(app->message))
		return;
	view_message_show_headers(app->message, !view_message_headers_shown(app->message));
	view_pager_first(app->pager);
	read_update(app);
}

/* ---- asking --------------------------------------------------------------------------------- */

static void
say_no_folder(App *app, const char *name)
{
	const char *near =
	    app->folders ? view_folders_near(app->folders, app->account->name, name) : NULL;
	g_autofree char *safe = safe_line(name);
	g_autofree char *text =
	    near ? g_strdup_printf(_("There is no folder “%s”: did you mean “%s”?"), safe, near)
		 : g_strdup_printf(_("There is no folder “%s” here."), safe);

	app_notice(app, text);
	app_ask_folders(app); /* somebody may have just made it */
}

static void
change_folder(App *app, const char *name)
{
	const char *account = app->account->name;
	const ViewFolder *folder = NULL;

	if (!name || !*name)
		return;
	if (app->folders && view_folders_refresh(app->folders, NULL))
		folder = view_folders_find(app->folders, account, name);
	if (folder) {
		g_autofree char *decoded = g_strdup(folder->name);

		app_open_folder(app, folder->account, decoded);
	} else if (app->engine && !app->options->offline &&
		   !(app->folders && view_folders_known(app->folders, account)))
		app_open_folder(app, app->account, name); /* the server may know it */
	else
		say_no_folder(app, name);
}

GPtrArray *
act_complete_folder(App *app, const char *beginning)
{
	if (!app->folders || !view_folders_refresh(app->folders, NULL))
		return g_ptr_array_new();
	return view_folders_complete(app->folders, app->account->name, beginning);
}

static void do_command(App *app, const ViewCommand *command, const char *argument);
static GPtrArray *complete_command(App *app, const char *beginning);

static GPtrArray *
complete_file(App *app, const char *beginning)
{
	return view_save_complete(beginning);
}

/* ---- commands one after another ------------------------------------------------------------- */

/* "a; b c" goes before what is to be done already. */
static void
push_commands(App *app, const char *commands)
{
	g_auto(GStrv) list = g_strsplit(commands, ";", -1);

	for (guint i = g_strv_length(list); i-- > 0;)
		if (*g_strstrip(list[i]))
			g_queue_push_head(app->todo, g_strdup(list[i]));
}

void
act_forget_todo(App *app)
{
	g_queue_clear_full(app->todo, g_free);
}

static void
run_line(App *app, const char *line)
{
	g_autofree char *argument = NULL;
	g_autoptr(GError) error = NULL;
	const ViewCommand *command =
	    view_keymap_parse(app->keymap, app_place(app), line, &argument, &error);

	if (command) {
		do_command(app, command, argument);
	} else {
		app_complain(app, error);
		act_forget_todo(app);
	}
}

void
act_go_on(App *app)
{
	int n = 0;

	while (!ask_is_open(app) && !app->quit && !g_queue_is_empty(app->todo)) {
		g_autofree char *line = g_queue_pop_head(app->todo);

		if (n++ == RUN_MAX) {
			app_notice(app, _("Stopped: these commands run each other for ever."));
			act_forget_todo(app);
			return;
		}
		run_line(app, line);
		app_refresh(app); /* the next one acts on what this one brought */
	}
}

static void
on_command(App *app, const char *line)
{
	if (line && *line)
		run_line(app, line);
}

/* What ARGUMENT is completed by; NULL: nothing. */
static AskComplete
completion_of(ViewArgument argument)
{
	switch (argument) {
	case VIEW_ARG_FOLDER:
		return act_complete_folder;
	case VIEW_ARG_FILE:
		return complete_file;
	case VIEW_ARG_OPTION:
		return options_complete;
	case VIEW_ARG_COMMAND:
		return complete_command;
	case VIEW_ARG_NONE:
	case VIEW_ARG_PATTERN:
	case VIEW_ARG_KEYWORDS:
	case VIEW_ARG_NAME:
		break;
	}
	return NULL;
}

/* The name first; behind it, what that command takes. */
static GPtrArray *
complete_command(App *app, const char *beginning)
{
	const char *blank = strchr(beginning, ' ');
	g_autofree char *name = blank ? g_strndup(beginning, (gsize)(blank - beginning)) : NULL;
	g_autofree char *argument = NULL;
	g_autoptr(GPtrArray) arguments = NULL;
	const ViewCommand *command;
	AskComplete complete;
	GPtrArray *whole;

	if (!blank)
		return view_keymap_complete(app->keymap, app_place(app), beginning);
	whole = g_ptr_array_new_with_free_func(g_free);
	command = view_keymap_parse(app->keymap, app_place(app), name, &argument, NULL);
	complete = command ? completion_of(command->argument) : NULL;
	if (complete)
		arguments = complete(app, blank + 1);
	for (guint i = 0; arguments && i < arguments->len; i++)
		g_ptr_array_add(whole, g_strdup_printf("%s %s", command->name,
						       (char *)arguments->pdata[i]));
	return whole;
}

static void
on_leave(App *app, bool yes)
{
	app->quit = app->quit || yes;
}

static void
leave(App *app)
{
	if (app->savings->len > 0)
		ask_yes(app, _("A file is still being saved. Leave without it? (y/n)"), on_leave);
	else
		app->quit = true;
}

static void
ask_folder(App *app, const char *argument)
{
	if (argument) {
		change_folder(app, argument);
		return;
	}
	if (app->folders)
		view_folders_refresh(app->folders, NULL);
	ask_text(app, _("Open folder: "), NULL, change_folder, act_complete_folder);
}

static void
reconnect(App *app)
{
	if (app->options->offline)
		app_notice(app, _("Postern was started with --offline."));
	else if (app->engine) {
		engine_reconnect(app->engine);
		app_notice(app, _("Trying the line again."));
	} else {
		app_notice(app, _("There is no line to try."));
	}
}

static void
suspend(App *app)
{
	screen_suspend(app->screen);
	draw_layout(app);
}

static void
do_command(App *app, const ViewCommand *command, const char *argument)
{
	switch (command->verb) {
	case VIEW_DO_DOWN:
	case VIEW_DO_UP:
	case VIEW_DO_PAGE_DOWN:
	case VIEW_DO_PAGE_UP:
	case VIEW_DO_HALF_DOWN:
	case VIEW_DO_HALF_UP:
	case VIEW_DO_FIRST:
	case VIEW_DO_LAST: /* both enumerations in the same order */
		move(app, (ViewMove)(VIEW_MOVE_DOWN + (int)(command->verb - VIEW_DO_DOWN)));
		break;
	case VIEW_DO_OPEN:
		open_here(app);
		break;
	case VIEW_DO_BACK:
		app_back(app);
		break;
	case VIEW_DO_QUIT:
		leave(app);
		break;
	case VIEW_DO_NEXT_UNREAD:
	case VIEW_DO_PREVIOUS_UNREAD:
		go_unread(app, command->verb == VIEW_DO_NEXT_UNREAD);
		break;
	case VIEW_DO_NEXT_MESSAGE:
		open_beside(app, VIEW_MOVE_DOWN);
		break;
	case VIEW_DO_PREVIOUS_MESSAGE:
		open_beside(app, VIEW_MOVE_UP);
		break;
	case VIEW_DO_CHANGE_FOLDER:
		ask_folder(app, argument);
		break;
	case VIEW_DO_FOLDERS:
		show_folders(app);
		break;
	case VIEW_DO_PARTS:
		if (app_place(app) == VIEW_PLACE_LIST)
			open_selected(app, true);
		else if (view_message_shown_part(app->message))
			app_back(app);
		else
			read_show_parts(app);
		break;
	case VIEW_DO_SAVE:
		save_selected(app, argument);
		break;
	case VIEW_DO_HEADERS:
		toggle_headers(app);
		break;
	case VIEW_DO_HELP:
		show_help(app);
		break;
	case VIEW_DO_MESSAGES:
		show_messages(app);
		break;
	case VIEW_DO_COMMAND:
		ask_text(app, ":", NULL, on_command, complete_command);
		break;
	case VIEW_DO_REDRAW:
		screen_redraw(app->screen);
		break;
	case VIEW_DO_SET:
		options_set(app, argument);
		break;
	case VIEW_DO_SAVE_OPTIONS:
		options_save(app);
		break;
	case VIEW_DO_RELOAD:
		options_reload(app);
		break;
	case VIEW_DO_RECONNECT:
		reconnect(app);
		break;
	case VIEW_DO_SUSPEND:
		suspend(app);
		break;
	case VIEW_DO_RUN:
		push_commands(app, command->run);
		break;
	default:
		change_do(app, command->verb, argument);
		break;
	}
}

/* "5G": the fifth line, where lines are counted. */
static bool
go_to_line(App *app, ViewVerb verb, unsigned count)
{
	if (app_place(app) != VIEW_PLACE_LIST || !app->list ||
	    (verb != VIEW_DO_FIRST && verb != VIEW_DO_LAST))
		return false;
	view_list_select(app->list, count - 1);
	return true;
}

static void
do_counted(App *app, const ViewCommand *command, unsigned count)
{
	if (count && go_to_line(app, command->verb, count))
		return;
	for (unsigned i = 0; i < MAX(count, 1) && !app->quit; i++) {
		do_command(app, command, NULL);
		act_go_on(app);
		/* What asks is answered once; and who is at the end needs no more telling. */
		if (count < 2 || ask_is_open(app) ||
		    (command->verb <= VIEW_DO_HALF_UP && app->notice) || !app_refresh(app))
			break;
	}
}

static void
say_nothing_there(App *app, const char *key)
{
	const char *typed = view_keymap_typed(app->keymap);
	g_autofree char *text =
	    g_strdup_printf(_("%s does nothing here; ? shows what does"), *typed ? typed : key);

	app_notice(app, text);
}

void
act_on_key(App *app, const char *key)
{
	const ViewCommand *command;
	unsigned count;

	g_clear_pointer(&app->notice, g_free);
	app->dirty = true;
	if (!strcmp(key, "Ctrl-Z")) { /* whatever is being asked */
		suspend(app);
		return;
	}
	if (ask_on_key(app, key)) {
		act_go_on(app);
		return;
	}
	switch (view_keymap_take(app->keymap, app_place(app), key, &command, &count)) {
	case VIEW_KEY_FOUND:
		do_counted(app, command, count);
		break;
	case VIEW_KEY_NOTHING:
		say_nothing_there(app, key);
		break;
	case VIEW_KEY_MORE:
	case VIEW_KEY_DROPPED:
		break;
	}
}
