/* What changes mail and folders: intents for the engine, about the message on show, the one selected
 * or those that are marked.  The effect is on the screen as soon as the engine has written it down;
 * what it says then is kept here until its DONE. */
#include "app-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

/* One on its way into the journal. */
typedef struct Change {
	EngineRequest request;
	char *done;	       /* what to say then; NULL: nothing, or what the event says */
	StoreMailboxRole role; /* then put away what is meant there; NONE */
	StoreAction action;
} Change;

void
change_free(gpointer data)
{
	Change *change = data;

	g_free(change->done);
	g_free(change);
}

static Change *
remember(App *app, EngineRequest request, char *take_done)
{
	Change *change = g_new0(Change, 1);

	change->request = request;
	change->done = take_done;
	g_ptr_array_add(app->changes, change);
	return change;
}

static void put_away(App *app, StoreMailboxRole role, StoreAction action);

static bool
has_engine(App *app)
{
	if (!app->engine)
		app_notice(app, _("Nothing can be changed: the store cannot be written now."));
	return app->engine;
}

static void
intend(App *app, const StoreIntent *intent, char *take_done)
{
	remember(app, engine_intend(app->engine, intent, ENGINE_QUEUED), take_done);
}

void
change_count(App *app)
{
	app->waiting = app->failed = 0;
	if (app->store)
		store_journal_counts(app->store, 0, &app->waiting, &app->failed, NULL);
}

void
change_on_event(App *app, const EngineEvent *event)
{
	if (event->type == ENGINE_EVENT_QUEUE) {
		change_count(app);
		return;
	}
	if (event->type != ENGINE_EVENT_DONE)
		return;
	for (guint i = 0; i < app->changes->len; i++) {
		Change *change = app->changes->pdata[i];

		if (change->request != event->request)
			continue;
		change = g_ptr_array_steal_index(app->changes, i);
		if (event->error)
			app_complain(app, event->error);
		else if (event->text && *event->text)
			app_notice(app, event->text);
		else if (change->done)
			app_notice(app, change->done);
		if (!event->error && change->role != STORE_ROLE_NONE)
			put_away(app, change->role, change->action);
		change_free(change);
		break;
	}
}

/* ---- marks ------------------------------------------------------------------------------------ */

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

/* ---- what is meant ------------------------------------------------------------------------------ */

/* What a command is about; the messages are borrowed by the intent made of it. */
typedef struct Meant {
	StoreId mailbox;
	GArray *messages;    /* of StoreId */
	const StoreRow *one; /* the only one, not by a mark; NULL */
	bool marked;
} Meant;

static void
meant_clear(Meant *meant)
{
	g_clear_pointer(&meant->messages, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Meant, meant_clear)

static bool
mean(App *app, Meant *meant)
{
	*meant = (Meant){ 0 };
	if (app_place(app) == VIEW_PLACE_MESSAGE || app_place(app) == VIEW_PLACE_PARTS) {
		meant->one = view_message_row(app->message);
	} else if (change_marked(app)) {
		meant->mailbox = app->marks_mailbox;
		meant->messages = view_marks_messages(app->marks);
		meant->marked = true;
		return has_engine(app);
	} else {
		meant->one = app->list ? view_list_selected(app->list) : NULL;
	}
	if (!meant->one) {
		app_notice(app, _("There is no message here."));
		return false;
	}
	meant->mailbox = meant->one->mailbox;
	meant->messages = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_array_append_val(meant->messages, meant->one->id);
	return has_engine(app);
}

static StoreIntent
intent_of(const Meant *meant, StoreIntentKind kind)
{
	return (StoreIntent){ .kind = kind,
			      .mailbox = meant->mailbox,
			      .messages = (const StoreId *)(const void *)meant->messages->data,
			      .n_messages = meant->messages->len };
}

/* After something was done to what was meant: on to the next line, as mutt does, unless the messages
 * leave anyway. */
static void
move_on(App *app, const Meant *meant, bool leaves)
{
	if (meant->marked)
		change_forget_marks(app);
	else if (app_place(app) == VIEW_PLACE_LIST && !leaves)
		view_list_move(app->list, VIEW_MOVE_DOWN);
	else if (app_place(app) != VIEW_PLACE_LIST && leaves) {
		/* The one that is read goes: read the next one, or go back to the list. */
		if (app->list && view_list_move(app->list, VIEW_MOVE_DOWN) && app_refresh(app))
			read_open(app, view_list_selected(app->list)->id);
		else
			app_to_list(app);
	}
}

/* ---- flags -------------------------------------------------------------------------------------- */

static void
set_flag(App *app, uint16_t flag, bool set)
{
	g_auto(Meant) meant;
	StoreIntent intent;

	if (!mean(app, &meant))
		return;
	intent = intent_of(&meant, STORE_INTENT_FLAG);
	intent.flag = flag;
	intent.set = set;
	intend(app, &intent, NULL);
	move_on(app, &meant, false);
}

/* Of several, the first decides: set where it is not. */
static void
toggle_flag(App *app, uint16_t flag)
{
	g_auto(Meant) meant;
	g_autoptr(StoreRow) row = NULL;

	if (!mean(app, &meant))
		return;
	if (!store_row_by_id(app->store, g_array_index(meant.messages, StoreId, 0), &row, NULL))
		app_notice(app, _("This message is not there any more."));
	else
		set_flag(app, flag, !(row->flags & flag));
}

void
change_seen(App *app, const StoreRow *row)
{
	StoreIntent intent = { .kind = STORE_INTENT_FLAG,
			       .action = STORE_ACTION_READ,
			       .mailbox = row->mailbox,
			       .messages = &row->id,
			       .n_messages = 1,
			       .flag = STORE_FLAG_SEEN,
			       .set = true };

	if (app->engine && row->mailbox && !(row->flags & STORE_FLAG_SEEN))
		intend(app, &intent, NULL);
}

static void
mark_folder_read(App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;
	StoreIntent intent = {
		.kind = STORE_INTENT_FLAG, .all = true, .flag = STORE_FLAG_SEEN, .set = true
	};

	if (!mailbox || !has_engine(app))
		return;
	intent.mailbox = mailbox->id;
	intend(app, &intent, g_strdup(_("All of it is marked as read; u takes it back.")));
}

/* "+work -later": each as an intent of its own. */
static void
set_keywords(App *app, const char *typed)
{
	g_auto(GStrv) words = g_strsplit_set(typed ? typed : "", " \t", -1);
	g_auto(Meant) meant = { 0 };

	if (!typed || !*typed || !mean(app, &meant))
		return;
	for (char **word = words; *word; word++) {
		StoreIntent intent = intent_of(&meant, STORE_INTENT_FLAG);
		char *name = **word == '+' || **word == '-' ? *word + 1 : *word;

		if (!*name)
			continue;
		intent.keyword = name;
		intent.set = **word != '-';
		intend(app, &intent, NULL);
	}
	move_on(app, &meant, false);
}

/* ---- going elsewhere ------------------------------------------------------------------------------ */

/* Words for what was done: N messages, or one by its subject. */
static char *
moved_words(const Meant *meant, const char *folder, const char *one, const char *many_one,
	    const char *many)
{
	guint n = meant->messages->len;
	g_autofree char *shown = safe_line(folder);

	return meant->one ? g_strdup_printf(one, shown)
			  : g_strdup_printf(n == 1 ? many_one : many, n, shown);
}

static const ViewFolder *
find_folder(App *app, const char *name)
{
	if (!app->folders || !view_folders_refresh(app->folders, NULL))
		return NULL;
	return view_folders_find(app->folders, app->account->name, name);
}

static void
transfer(App *app, const char *name, StoreIntentKind kind)
{
	const ViewFolder *folder;
	g_auto(Meant) meant = { 0 };
	StoreIntent intent;
	bool moves = kind == STORE_INTENT_MOVE;
	g_autofree char *safe = safe_line(name ? name : "");
	g_autofree char *text = NULL;

	if (!name || !*name || !mean(app, &meant))
		return;
	folder = find_folder(app, name);
	if (!folder || !folder->selectable) {
		text = g_strdup_printf(_("There is no folder “%s” here."), safe);
		app_notice(app, text);
		return;
	}
	intent = intent_of(&meant, kind);
	intent.dest = folder->mailbox;
	if (moves && intent.dest == intent.mailbox) {
		app_notice(app, _("It is in this folder already."));
		return;
	}
	intend(app, &intent,
	       moves ? moved_words(&meant, folder->name, _("Moved to %s; u takes it back."),
				   _("%u message moved to %s; u takes it back."),
				   _("%u messages moved to %s; u takes it back."))
		     : moved_words(&meant, folder->name, _("Copied to %s; u takes it back."),
				   _("%u message copied to %s; u takes it back."),
				   _("%u messages copied to %s; u takes it back.")));
	move_on(app, &meant, moves);
}

static void
on_move(App *app, const char *name)
{
	transfer(app, name, STORE_INTENT_MOVE);
}

static void
on_copy(App *app, const char *name)
{
	transfer(app, name, STORE_INTENT_COPY);
}

/* The mailbox of this role.  Where there is none it is made, and what was to go there goes when it is
 * (false); or that cannot be, and has been said (false). */
static bool
find_special(App *app, StoreId account, StoreMailboxRole role, StoreAction action,
	     StoreMailbox **mailbox)
{
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .action = action, .account = account };
	Change *change;

	if (engine_special(app->store, app->account, account, role, mailbox, &name, &error))
		return true;
	if (!name) {
		app_complain(app, error);
		return false;
	}
	intent.name = name;
	change = remember(app, engine_intend(app->engine, &intent, ENGINE_QUEUED), NULL);
	change->role = role;
	change->action = action;
	return false;
}

static bool
find_account(App *app, StoreId mailbox, StoreId *account)
{
	g_autoptr(StoreMailbox) box = NULL;

	if (!store_mailbox_get(app->store, mailbox, &box, NULL))
		return false;
	*account = box->account;
	return true;
}

static void
on_expunge(App *app, bool yes)
{
	g_auto(Meant) meant = { 0 };
	StoreIntent intent;

	if (!yes || !mean(app, &meant))
		return;
	intent = intent_of(&meant, STORE_INTENT_EXPUNGE);
	intend(app, &intent, g_strdup(_("Deleted for good.")));
	move_on(app, &meant, true);
}

static void
ask_expunge(App *app, const Meant *meant)
{
	guint n = meant->messages->len;
	g_autofree char *question = g_strdup_printf(P_("Delete %u message for good? (y/n)",
						       "Delete %u messages for good? (y/n)", n),
						    n);

	ask_yes(app, question, on_expunge);
}

static void
delete_for_good(App *app)
{
	g_auto(Meant) meant = { 0 };

	if (mean(app, &meant))
		ask_expunge(app, &meant);
}

/* To the trash or the archive; from the trash, after asking, for good. */
static void
put_away(App *app, StoreMailboxRole role, StoreAction action)
{
	g_auto(Meant) meant = { 0 };
	g_autoptr(StoreMailbox) mailbox = NULL;
	StoreId account;
	StoreIntent intent;

	if (!mean(app, &meant) || !find_account(app, meant.mailbox, &account) ||
	    !find_special(app, account, role, action, &mailbox))
		return;
	if (mailbox->id == meant.mailbox) {
		if (role == STORE_ROLE_TRASH)
			ask_expunge(app, &meant);
		else
			app_notice(app, _("It is in this folder already."));
		return;
	}
	intent = intent_of(&meant, STORE_INTENT_MOVE);
	intent.dest = mailbox->id;
	intent.action = action;
	intend(app, &intent,
	       moved_words(&meant, mailbox->name, _("Moved to %s; u takes it back."),
			   _("%u message moved to %s; u takes it back."),
			   _("%u messages moved to %s; u takes it back.")));
	move_on(app, &meant, true);
}

/* ---- folders -------------------------------------------------------------------------------------- */

static const ViewFolder *
folder_here(App *app)
{
	const ViewFolder *folder = app->folders ? view_folders_selected(app->folders) : NULL;

	return folder && folder->mailbox ? folder : NULL;
}

static void
create_folder(App *app, const char *name)
{
	const ViewFolder *here = app->folders ? view_folders_selected(app->folders) : NULL;
	const ConfigAccount *config = here ? here->account : app->account;
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .name = name };

	if (!name || !*name || !has_engine(app))
		return;
	if (!app->store || !store_account(app->store, config->name, &intent.account, NULL)) {
		app_notice(app, _("Nothing of this account is known yet."));
		return;
	}
	intend(app, &intent, NULL);
}

/* Of the folder selected. */
static void
change_folder(App *app, StoreIntentKind kind, const char *name)
{
	const ViewFolder *folder = folder_here(app);
	StoreIntent intent = { .kind = kind, .name = name };

	if (!folder) {
		app_notice(app, _("This is no folder."));
		return;
	}
	intent.mailbox = folder->mailbox;
	if (has_engine(app))
		intend(app, &intent, NULL);
}

static void
rename_folder(App *app, const char *name)
{
	if (name && *name)
		change_folder(app, STORE_INTENT_RENAME, name);
}

static void
ask_rename(App *app)
{
	const ViewFolder *folder = folder_here(app);

	if (folder)
		ask_text(app, _("New name: "), folder->shown, rename_folder, NULL);
	else
		app_notice(app, _("This is no folder."));
}

static void
on_delete_folder(App *app, bool yes)
{
	if (yes)
		change_folder(app, STORE_INTENT_DELETE, NULL);
}

static void
ask_delete_folder(App *app)
{
	const ViewFolder *folder = folder_here(app);
	g_autofree char *question = NULL;

	if (!folder) {
		app_notice(app, _("This is no folder."));
		return;
	}
	question = folder->total > 0
		       ? g_strdup_printf(_("Delete the folder %s and the mail in it? (y/n)"),
					 folder->shown)
		       : g_strdup_printf(_("Delete the folder %s? (y/n)"), folder->shown);
	ask_yes(app, question, on_delete_folder);
}

/* ---- the queue -------------------------------------------------------------------------------------- */

static void
show_queue(App *app)
{
	g_autoptr(GError) error = NULL;

	if (!app->store) {
		app_notice(app, _("Nothing waits."));
		return;
	}
	if (!app->queue)
		app->queue = view_queue_new(app->store);
	if (!view_queue_refresh(app->queue, &error)) {
		app_complain(app, error);
		return;
	}
	app_go(app, VIEW_PLACE_QUEUE);
}

static void
retry_row(App *app)
{
	const ViewQueued *queued = app->queue ? view_queue_selected(app->queue) : NULL;

	if (!queued || !has_engine(app))
		return;
	if (queued->state != STORE_ROW_FAILED)
		app_notice(app, _("It did not fail: it goes by itself."));
	else
		remember(app, engine_retry(app->engine, queued->row, ENGINE_QUEUED),
			 g_strdup(_("It is tried again.")));
}

static void
on_drop(App *app, bool yes)
{
	const ViewQueued *queued = app->queue ? view_queue_selected(app->queue) : NULL;

	if (yes && queued && has_engine(app))
		remember(app, engine_drop(app->engine, queued->row),
			 g_strdup(_("It is given up, and its effect here taken back.")));
}

static void
explain_row(App *app)
{
	const ViewQueued *queued = app->queue ? view_queue_selected(app->queue) : NULL;
	g_autofree char *text = NULL;

	if (!queued)
		return;
	text = g_strdup_printf("%s: %s%s%s", view_queue_state(queued->state), queued->text,
			       queued->error ? ". " : "", queued->error ? queued->error : "");
	app_notice(app, text);
}

/* ---- the commands ------------------------------------------------------------------------------------- */

static void
ask_or_do(App *app, const char *argument, const char *label, AskDone verb, AskComplete complete)
{
	if (argument)
		verb(app, argument);
	else
		ask_text(app, label, NULL, verb, complete);
}

static bool
do_mark(App *app, ViewVerb verb, const char *argument)
{
	switch (verb) {
	case VIEW_DO_MARK:
		mark_one(app);
		return true;
	case VIEW_DO_MARK_PATTERN:
		ask_or_do(app, argument, _("Tag what matches: "), on_mark_pattern, NULL);
		return true;
	case VIEW_DO_UNMARK_PATTERN:
		ask_or_do(app, argument, _("Untag what matches: "), on_unmark_pattern, NULL);
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

static bool
do_folder(App *app, ViewVerb verb, const char *argument)
{
	switch (verb) {
	case VIEW_DO_CREATE_FOLDER:
		ask_or_do(app, argument, _("Name of the new folder: "), create_folder, NULL);
		return true;
	case VIEW_DO_RENAME_FOLDER:
		if (argument)
			rename_folder(app, argument);
		else
			ask_rename(app);
		return true;
	case VIEW_DO_DELETE_FOLDER:
		ask_delete_folder(app);
		return true;
	case VIEW_DO_SUBSCRIBE:
		change_folder(app, STORE_INTENT_SUBSCRIBE, NULL);
		return true;
	case VIEW_DO_UNSUBSCRIBE:
		change_folder(app, STORE_INTENT_UNSUBSCRIBE, NULL);
		return true;
	case VIEW_DO_QUEUE:
		show_queue(app);
		return true;
	case VIEW_DO_RETRY:
		retry_row(app);
		return true;
	case VIEW_DO_DROP:
		ask_yes(app, _("Give this change up, and take it back here? (y/n)"), on_drop);
		return true;
	case VIEW_DO_EXPLAIN:
		explain_row(app);
		return true;
	default:
		return false;
	}
}

bool
change_do(App *app, ViewVerb verb, const char *argument)
{
	switch (verb) {
	case VIEW_DO_FLAG:
		toggle_flag(app, STORE_FLAG_FLAGGED);
		return true;
	case VIEW_DO_TOGGLE_READ:
		toggle_flag(app, STORE_FLAG_SEEN);
		return true;
	case VIEW_DO_READ_ALL:
		mark_folder_read(app);
		return true;
	case VIEW_DO_KEYWORD:
		ask_or_do(app, argument, _("Keywords (+work -later): "), set_keywords, NULL);
		return true;
	case VIEW_DO_DELETE:
		put_away(app, STORE_ROLE_TRASH, STORE_ACTION_DELETE);
		return true;
	case VIEW_DO_EXPUNGE:
		delete_for_good(app);
		return true;
	case VIEW_DO_ARCHIVE:
		put_away(app, STORE_ROLE_ARCHIVE, STORE_ACTION_ARCHIVE);
		return true;
	case VIEW_DO_MOVE:
		ask_or_do(app, argument, _("Move to: "), on_move, act_complete_folder);
		return true;
	case VIEW_DO_COPY:
		ask_or_do(app, argument, _("Copy to: "), on_copy, act_complete_folder);
		return true;
	case VIEW_DO_UNDO:
		if (has_engine(app))
			remember(app, engine_undo(app->engine, NULL, ENGINE_QUEUED), NULL);
		return true;
	default:
		return do_mark(app, verb, argument) || do_folder(app, verb, argument);
	}
}
