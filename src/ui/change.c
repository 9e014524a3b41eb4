/* What changes mail: intents for the engine, about the message on show, the one selected or those that
 * are tagged.  The effect is on the screen as soon as the engine has written it down; what it says
 * then is kept here until its DONE.  What is meant is settled when the key is pressed: the messages
 * are held while something is asked, whatever comes and goes in the list meanwhile. */
#include "change-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

void
change_free(gpointer data)
{
	Change *change = data;

	g_free(change->done);
	g_free(change->where);
	g_strfreev(change->keywords);
	g_clear_pointer(&change->messages, g_array_unref);
	g_free(change);
}

Change *
change_remember(App *app, EngineRequest request, char *take_done)
{
	Change *change = g_new0(Change, 1);

	change->request = request;
	change->done = take_done;
	g_ptr_array_add(app->changes, change);
	return change;
}

Change *
change_intend(App *app, const StoreIntent *intent, char *take_done)
{
	Change *change =
	    change_remember(app, engine_intend(app->engine, intent, ENGINE_QUEUED), take_done);

	change->about_messages = intent->n_messages && intent->action != STORE_ACTION_READ;
	change->copies = intent->kind == STORE_INTENT_COPY;
	change->makes_folder = intent->kind == STORE_INTENT_CREATE;
	return change;
}

bool
change_has_engine(App *app)
{
	if (!app->engine)
		app_notice(app, _("Nothing can be changed: the store cannot be written now."));
	return app->engine;
}

void
change_ask_or_do(App *app, const char *argument, const char *label, AskDone verb,
		 AskComplete complete)
{
	if (argument)
		verb(app, argument);
	else
		ask_text(app, label, NULL, verb, complete);
}

static void put_away(App *app, StoreMailboxRole role, StoreAction action);
static void change_keywords(App *app, Change *change, StoreId group);

void
change_count(App *app)
{
	uint32_t failed = app->failed;

	app->waiting = app->failed = 0;
	if (app->store)
		store_journal_counts(app->store, 0, &app->waiting, &app->failed, NULL);
	if (app->failed > failed) {
		app_notice(app, _("A change failed on the server: W shows which and why."));
		app->notice_is_error = true;
	}
}

static char *
where_words(const Change *change, uint32_t n)
{
	if (change->one && change->copies)
		return g_strdup_printf(_("Copied to %s; u takes it back."), change->where);
	if (change->one)
		return g_strdup_printf(_("Moved to %s; u takes it back."), change->where);
	if (change->copies)
		return g_strdup_printf(P_("%u message copied to %s; u takes it back.",
					  "%u messages copied to %s; u takes it back.", n),
				       n, change->where);
	return g_strdup_printf(P_("%u message moved to %s; u takes it back.",
				  "%u messages moved to %s; u takes it back.", n),
			       n, change->where);
}

static char *
mark_words(const Change *change, uint32_t n)
{
	bool seen = change->flag == STORE_FLAG_SEEN;

	if (change->one && seen)
		return g_strdup(change->set ? _("Marked as read; u takes it back.")
					    : _("Marked as unread; u takes it back."));
	if (change->one)
		return g_strdup(change->set ? _("Marked as important; u takes it back.")
					    : _("No longer important; u takes it back."));
	if (seen && change->set)
		return g_strdup_printf(P_("%u message marked as read; u takes it back.",
					  "%u messages marked as read; u takes it back.", n),
				       n);
	if (seen)
		return g_strdup_printf(P_("%u message marked as unread; u takes it back.",
					  "%u messages marked as unread; u takes it back.", n),
				       n);
	if (change->set)
		return g_strdup_printf(P_("%u message marked as important; u takes it back.",
					  "%u messages marked as important; u takes it back.", n),
				       n);
	return g_strdup_printf(P_("%u message no longer important; u takes it back.",
				  "%u messages no longer important; u takes it back.", n),
			       n);
}

/* In the list that MESSAGE came back to. */
static void
go_to_message(App *app, StoreId message)
{
	g_autoptr(StoreRow) row = NULL;
	const StoreMailbox *mailbox;
	uint32_t at;

	if (!app->list || app_place(app) != VIEW_PLACE_LIST || !app_refresh(app) || !app->list)
		return;
	mailbox = view_list_mailbox(app->list);
	if (mailbox && store_row_by_id(app->store, message, &row, NULL) &&
	    row->mailbox == mailbox->id &&
	    store_offset_of(app->store, mailbox->id, message, &at, NULL))
		view_list_select(app->list, at);
}

/* CHANGE is in the journal, as part of GROUP: what comes next, and what is said. */
static void
take_done(App *app, Change *change, const EngineEvent *event)
{
	g_autofree char *taken_back = NULL;

	if (event->error) {
		app_complain(app, event->error);
		return;
	}
	if (change->makes_folder && app->folders && view_folders_refresh(app->folders, NULL))
		view_folders_select(app->folders, event->mailbox);
	if (change->undoes && event->text) {
		taken_back = g_strdup_printf(_("Taken back: %s."), event->text);
		app_notice(app, taken_back);
		if (event->message)
			go_to_message(app, event->message);
	} else if (change->about_messages && !event->n) {
		app_notice(app, change->one ? _("It is not there any more.")
					    : _("None of them is there any more."));
	} else if (change->where) {
		g_autofree char *text = where_words(change, event->n);

		app_notice(app, text);
	} else if (change->marks) {
		g_autofree char *text = mark_words(change, event->n);

		app_notice(app, text);
	} else if (change->done) {
		app_notice(app, change->done);
	}
	if (change->keywords && *change->keywords)
		change_keywords(app, change, event->group);
	if (change->role != STORE_ROLE_NONE && app->held)
		put_away(app, change->role, change->action);
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
		read_look_again(app);
		take_done(app, change, event);
		change_free(change);
		break;
	}
}

/* ---- what is meant ------------------------------------------------------------------------------ */

/* What a command is about. */
typedef struct Meant {
	StoreId mailbox;
	GArray *messages; /* of StoreId */
	bool one;	  /* the one on show or selected, not by a tag */
	bool marked;
} Meant;

static void
meant_clear(Meant *meant)
{
	g_clear_pointer(&meant->messages, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Meant, meant_clear)

static void
let_go(App *app)
{
	g_clear_pointer(&app->held, g_array_unref);
}

static bool
look(App *app, Meant *meant)
{
	const StoreRow *row;

	if (app_place(app) != VIEW_PLACE_MESSAGE && change_marked(app)) {
		meant->mailbox = app->marks_mailbox;
		meant->messages = view_marks_messages(app->marks);
		meant->marked = true;
		return true;
	}
	row = app_place(app) == VIEW_PLACE_MESSAGE ? view_message_row(app->message)
	      : app->list			   ? view_list_selected(app->list)
						   : NULL;
	if (!row) {
		app_notice(app, _("There is no message here."));
		return false;
	}
	meant->mailbox = row->mailbox;
	meant->messages = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_array_append_val(meant->messages, row->id);
	meant->one = true;
	return true;
}

/* What is held, or what is meant now. */
static bool
mean(App *app, Meant *meant)
{
	*meant = (Meant){ 0 };
	if (!change_has_engine(app)) {
		let_go(app);
		return false;
	}
	if (!app->held)
		return look(app, meant);
	meant->messages = g_steal_pointer(&app->held);
	meant->mailbox = app->held_mailbox;
	meant->marked = app->held_marked;
	meant->one = !meant->marked;
	return true;
}

static void
hold_meant(App *app, const Meant *meant)
{
	let_go(app);
	app->held = g_array_ref(meant->messages);
	app->held_mailbox = meant->mailbox;
	app->held_marked = meant->marked;
}

/* Before something is asked. */
static bool
hold(App *app)
{
	g_auto(Meant) meant = { 0 };

	let_go(app);
	if (!change_has_engine(app) || !look(app, &meant))
		return false;
	hold_meant(app, &meant);
	return true;
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
	else if (app_place(app) == VIEW_PLACE_LIST) {
		/* At once, so that a key typed ahead is about the next one. */
		if (!view_list_move(app->list, VIEW_MOVE_DOWN) && leaves)
			view_list_move(app->list, VIEW_MOVE_UP);
	} else if (app_place(app) != VIEW_PLACE_LIST && leaves) {
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
	Change *change;

	if (!mean(app, &meant))
		return;
	intent = intent_of(&meant, STORE_INTENT_FLAG);
	intent.flag = flag;
	intent.set = set;
	change = change_intend(app, &intent, NULL);
	change->marks = true;
	change->flag = flag;
	change->set = set;
	change->one = meant.one;
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
		change_intend(app, &intent, NULL);
}

static void
mark_folder_read(App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;
	StoreIntent intent = {
		.kind = STORE_INTENT_FLAG, .all = true, .flag = STORE_FLAG_SEEN, .set = true
	};

	if (!mailbox || !change_has_engine(app))
		return;
	if (!mailbox->unread && mailbox->known_from_uid == 1) {
		app_notice(app, _("There is no unread message."));
		return;
	}
	intent.mailbox = mailbox->id;
	change_intend(app, &intent, g_strdup(_("All of it is marked as read; u takes it back.")));
}

/* The next keyword of CHANGE, as part of GROUP (0: a new action). */
static void
change_keywords(App *app, Change *change, StoreId group)
{
	const char *word = change->keywords[0];
	StoreIntent intent = { .kind = STORE_INTENT_FLAG,
			       .group = group,
			       .mailbox = change->mailbox,
			       .messages = (const StoreId *)(const void *)change->messages->data,
			       .n_messages = change->messages->len,
			       .keyword = word + (*word == '+' || *word == '-'),
			       .set = *word != '-' };
	Change *next;

	if (!change_has_engine(app))
		return;
	next = change_intend(app, &intent, NULL);
	next->keywords = g_strdupv(change->keywords + 1);
	next->mailbox = change->mailbox;
	next->messages = g_array_ref(change->messages);
	if (!*next->keywords)
		next->done = g_strdup(_("The keywords are changed; u takes it back."));
}

/* "+work -later": one after the other, as one action. */
static void
set_keywords(App *app, const char *typed)
{
	g_auto(GStrv) words = g_strsplit_set(typed ? typed : "", " \t", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	g_auto(Meant) meant = { 0 };
	Change first = { 0 };

	for (char **word = words; *word; word++)
		if (strlen(*word) > (size_t)(**word == '+' || **word == '-'))
			g_ptr_array_add(kept, *word);
	g_ptr_array_add(kept, NULL);
	if (kept->len == 1) {
		let_go(app);
		return;
	}
	if (!mean(app, &meant))
		return;
	first.keywords = (char **)kept->pdata;
	first.mailbox = meant.mailbox;
	first.messages = meant.messages;
	change_keywords(app, &first, 0);
	move_on(app, &meant, false);
}

/* What the first of them has, so that one knows what can be taken off. */
static void
ask_keywords(App *app, const char *argument)
{
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *shown = NULL;
	g_autofree char *label = NULL;

	if (!hold(app))
		return;
	if (argument) {
		set_keywords(app, argument);
		return;
	}
	if (store_row_by_id(app->store, g_array_index(app->held, StoreId, 0), &row, NULL))
		shown = safe_line(row->keywords);
	label = shown && *shown ? g_strdup_printf(_("Keywords (now %s; +work -later): "), shown)
				: g_strdup(_("Keywords (+work -later): "));
	ask_text(app, label, NULL, set_keywords, NULL);
}

/* ---- going elsewhere ------------------------------------------------------------------------------ */

/* When it is done CHANGE says where they went, and how many really did. */
static void
say_where(Change *change, const Meant *meant, const char *folder)
{
	change->where = safe_line(folder);
	change->one = meant->one;
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

	if (!name || !*name) {
		let_go(app);
		return;
	}
	if (!mean(app, &meant))
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
	say_where(change_intend(app, &intent, NULL), &meant, folder->name);
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
find_special(App *app, const Meant *meant, StoreId account, StoreMailboxRole role,
	     StoreAction action, StoreMailbox **mailbox)
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
	change = change_remember(app, engine_intend(app->engine, &intent, ENGINE_QUEUED), NULL);
	change->role = role;
	change->action = action;
	hold_meant(app, meant);
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

	if (!yes || !mean(app, &meant)) {
		let_go(app);
		return;
	}
	intent = intent_of(&meant, STORE_INTENT_EXPUNGE);
	change_intend(app, &intent, g_strdup(_("Deleted for good.")));
	move_on(app, &meant, true);
}

static void
ask_expunge(App *app, const Meant *meant)
{
	guint n = meant->messages->len;
	g_autofree char *question = g_strdup_printf(P_("Delete %u message for good? (y/n)",
						       "Delete %u messages for good? (y/n)", n),
						    n);

	hold_meant(app, meant);
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
	    !find_special(app, &meant, account, role, action, &mailbox))
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
	say_where(change_intend(app, &intent, NULL), &meant, mailbox->name);
	move_on(app, &meant, true);
}

/* ---- the commands ------------------------------------------------------------------------------------- */

bool
change_do(App *app, ViewVerb verb, const char *argument)
{
	if (verb != VIEW_DO_UNDO)
		let_go(app);
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
		ask_keywords(app, argument);
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
		if (hold(app))
			change_ask_or_do(app, argument, _("Move to: "), on_move,
					 act_complete_folder);
		return true;
	case VIEW_DO_COPY:
		if (hold(app))
			change_ask_or_do(app, argument, _("Copy to: "), on_copy,
					 act_complete_folder);
		return true;
	case VIEW_DO_UNDO:
		if (change_has_engine(app))
			change_remember(app, engine_undo(app->engine, NULL, ENGINE_QUEUED), NULL)
			    ->undoes = true;
		return true;
	default:
		return mark_do(app, verb, argument) || manage_do(app, verb, argument);
	}
}
