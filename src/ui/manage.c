/* Folders made, renamed and deleted; and what waits for the server. */
#include "change-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <string.h>

/* ---- folders -------------------------------------------------------------------------------------- */

static const ViewFolder *
folder_here(App *app)
{
	const ViewFolder *folder = app->folders ? view_folders_selected(app->folders) : NULL;

	return folder && folder->mailbox ? folder : NULL;
}

static char *done_words(StoreIntentKind kind, const char *shown);

static void
create_folder(App *app, const char *name)
{
	g_autofree char *shown = safe_line(name ? name : "");

	const ViewFolder *here = app->folders ? view_folders_selected(app->folders) : NULL;
	const ConfigAccount *config = here ? here->account : app->account;
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .name = name };

	if (!name || !*name || !change_has_engine(app))
		return;
	if (!app->store || !store_account(app->store, config->name, &intent.account, NULL)) {
		app_notice(app, _("Nothing of this account is known yet."));
		return;
	}
	change_intend(app, &intent, done_words(STORE_INTENT_CREATE, shown));
}

/* What to say when it is written down. */
static char *
done_words(StoreIntentKind kind, const char *shown)
{
	switch (kind) {
	case STORE_INTENT_CREATE:
		return g_strdup_printf(_("The folder %s is made; u takes it back."), shown);
	case STORE_INTENT_RENAME:
		return g_strdup_printf(_("The folder %s is renamed; u takes it back."), shown);
	case STORE_INTENT_DELETE:
		return g_strdup_printf(_("The folder %s is deleted."), shown);
	case STORE_INTENT_SUBSCRIBE:
		return g_strdup_printf(_("You are subscribed to %s; u takes it back."), shown);
	case STORE_INTENT_UNSUBSCRIBE:
		return g_strdup_printf(_("You are not subscribed to %s any more; u takes it back."),
				       shown);
	default:
		return NULL;
	}
}

static void
change_folder(App *app, StoreId mailbox, StoreIntentKind kind, const char *name)
{
	StoreIntent intent = { .kind = kind, .name = name, .mailbox = mailbox };
	g_autoptr(StoreMailbox) box = NULL;
	g_autofree char *shown = NULL;

	if (!change_has_engine(app))
		return;
	if (store_mailbox_get(app->store, mailbox, &box, NULL))
		shown = safe_line(box->name);
	change_intend(app, &intent, done_words(kind, shown ? shown : "?"));
}

/* The folder selected is the one that is meant, whatever is selected when the answer comes. */
static bool
hold_folder(App *app)
{
	const ViewFolder *folder = folder_here(app);

	app->held_folder = folder ? folder->mailbox : 0;
	if (!folder)
		app_notice(app, _("This is no folder."));
	return folder;
}

static void
subscribe(App *app, StoreIntentKind kind)
{
	if (hold_folder(app))
		change_folder(app, app->held_folder, kind, NULL);
}

static void
rename_folder(App *app, const char *name)
{
	if (name && *name)
		change_folder(app, app->held_folder, STORE_INTENT_RENAME, name);
}

static void
ask_rename(App *app, const char *argument)
{
	if (!hold_folder(app))
		return;
	if (argument)
		rename_folder(app, argument);
	else
		ask_text(app, _("New name: "), folder_here(app)->shown, rename_folder, NULL);
}

static void
on_delete_folder(App *app, bool yes)
{
	if (yes)
		change_folder(app, app->held_folder, STORE_INTENT_DELETE, NULL);
}

static void
ask_delete_folder(App *app)
{
	const ViewFolder *folder = folder_here(app);
	g_autofree char *question = NULL;

	if (!hold_folder(app))
		return;
	if (!strcmp(folder->shown, "INBOX")) {
		app_notice(app, _("INBOX cannot be deleted."));
		return;
	}
	question =
	    folder->total > 0
		? g_strdup_printf(P_("Delete %s and the %u message in it? It cannot be taken "
				     "back. (y/n)",
				     "Delete %s and the %u messages in it? It cannot be taken "
				     "back. (y/n)",
				     (unsigned long)folder->total),
				  folder->shown, (unsigned)folder->total)
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

	if (!queued || !change_has_engine(app))
		return;
	if (queued->state != STORE_ROW_FAILED)
		app_notice(app, _("It waits for the server: there is nothing to try again."));
	else
		change_remember(app, engine_retry(app->engine, queued->row, ENGINE_QUEUED),
				g_strdup(_("It is tried again.")));
}

static void
on_drop(App *app, bool yes)
{
	if (yes && change_has_engine(app))
		change_remember(app, engine_drop(app->engine, app->held_row),
				g_strdup(_("It is given up, and its effect here taken back.")));
}

static void
ask_drop(App *app)
{
	const ViewQueued *queued = app->queue ? view_queue_selected(app->queue) : NULL;

	if (!queued) {
		app_notice(app, _("Nothing waits."));
		return;
	}
	app->held_row = queued->row;
	ask_yes(app, _("Give this change up, and take it back here? (y/n)"), on_drop);
}

static void
explain_row(App *app)
{
	const ViewQueued *queued = app->queue ? view_queue_selected(app->queue) : NULL;
	g_autofree char *text = NULL;

	if (!queued)
		return;
	text = g_strdup_printf("%s: %s%s%s", view_queue_state(queued->state), queued->text,
			       queued->error ? ": " : "", queued->error ? queued->error : "");
	app_notice(app, text);
}

bool
manage_do(App *app, ViewVerb verb, const char *argument)
{
	switch (verb) {
	case VIEW_DO_CREATE_FOLDER:
		change_ask_or_do(app, argument, _("Name of the new folder: "), create_folder, NULL);
		return true;
	case VIEW_DO_RENAME_FOLDER:
		ask_rename(app, argument);
		return true;
	case VIEW_DO_DELETE_FOLDER:
		ask_delete_folder(app);
		return true;
	case VIEW_DO_SUBSCRIBE:
		subscribe(app, STORE_INTENT_SUBSCRIBE);
		return true;
	case VIEW_DO_UNSUBSCRIBE:
		subscribe(app, STORE_INTENT_UNSUBSCRIBE);
		return true;
	case VIEW_DO_QUEUE:
		show_queue(app);
		return true;
	case VIEW_DO_RETRY:
		retry_row(app);
		return true;
	case VIEW_DO_DROP:
		ask_drop(app);
		return true;
	case VIEW_DO_EXPLAIN:
		explain_row(app);
		return true;
	default:
		return false;
	}
}
