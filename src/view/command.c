#include "view/command.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

/* Where mutt has a key for it, it is the first one.  Two liberties: the arrows scroll a message, as in
 * every other pager (mutt's go to another message, which j and k do here as well); and a list is
 * newest first. */
const ViewCommand view_commands[] = {
	{ VIEW_DO_DOWN, VIEW_PLACE_LISTS, "down", "j Down", NULL, N_("Go to the next line") },
	{ VIEW_DO_DOWN, VIEW_PLACE_MESSAGE, "down", "Enter Down", NULL, N_("Scroll down a line") },
	{ VIEW_DO_DOWN, VIEW_PLACE_HELP, "down", "j Enter Down", NULL, N_("Scroll down a line") },
	{ VIEW_DO_UP, VIEW_PLACE_LISTS, "up", "k Up", NULL, N_("Go to the previous line") },
	{ VIEW_DO_UP, VIEW_PLACE_MESSAGE, "up", "Backspace Up", NULL, N_("Scroll up a line") },
	{ VIEW_DO_UP, VIEW_PLACE_HELP, "up", "k Backspace Up", NULL, N_("Scroll up a line") },
	{ VIEW_DO_PAGE_DOWN, VIEW_PLACE_LISTS, "page-down", "PgDn z Right Ctrl-F", NULL,
	  N_("Go down a page") },
	{ VIEW_DO_PAGE_DOWN, VIEW_PLACE_TEXTS, "page-down", "Space PgDn Right Ctrl-F", NULL,
	  N_("Go down a page") },
	{ VIEW_DO_PAGE_UP, VIEW_PLACE_LISTS, "page-up", "PgUp Z Left - Ctrl-B", NULL,
	  N_("Go up a page") },
	{ VIEW_DO_PAGE_UP, VIEW_PLACE_TEXTS, "page-up", "- PgUp Left b Ctrl-B", NULL,
	  N_("Go up a page") },
	{ VIEW_DO_HALF_DOWN, VIEW_PLACE_ANY, "half-down", "]", NULL, N_("Go down half a page") },
	{ VIEW_DO_HALF_UP, VIEW_PLACE_ANY, "half-up", "[", NULL, N_("Go up half a page") },
	{ VIEW_DO_FIRST, VIEW_PLACE_LISTS, "first", "= Home", NULL, N_("Go to the first line") },
	{ VIEW_DO_FIRST, VIEW_PLACE_TEXTS, "first", "^ = Home", NULL, N_("Go to the beginning") },
	{ VIEW_DO_LAST, VIEW_PLACE_LISTS, "last", "* End G", NULL, N_("Go to the last line") },
	{ VIEW_DO_LAST, VIEW_PLACE_TEXTS, "last", "$ * End G", NULL, N_("Go to the end") },

	{ VIEW_DO_OPEN, VIEW_PLACE_LIST, "open", "Enter Space", NULL, N_("Read this message") },
	{ VIEW_DO_OPEN, VIEW_PLACE_FOLDERS, "open", "Enter Space", NULL, N_("Open this folder") },
	{ VIEW_DO_OPEN, VIEW_PLACE_PARTS, "open", "Enter Space", NULL, N_("Read this part") },
	{ VIEW_DO_NEXT_UNREAD, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "next-unread", "Tab", NULL,
	  N_("Go to the next unread message") },
	{ VIEW_DO_PREVIOUS_UNREAD, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "previous-unread",
	  "Shift-Tab", NULL, N_("Go to the previous unread message") },
	{ VIEW_DO_NEXT_MESSAGE, VIEW_PLACE_MESSAGE, "next-message", "j J", NULL,
	  N_("Read the next message of the list") },
	{ VIEW_DO_PREVIOUS_MESSAGE, VIEW_PLACE_MESSAGE, "previous-message", "k K", NULL,
	  N_("Read the previous message of the list") },
	{ VIEW_DO_PARTS, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "parts", "v", NULL,
	  N_("Show what this message is made of: its parts and attachments") },
	{ VIEW_DO_SAVE, VIEW_PLACE_PARTS, "save", "s", N_("FILE"),
	  N_("Save this part to a file; asks where, and before it replaces one") },
	{ VIEW_DO_HEADERS, VIEW_PLACE_MESSAGE, "headers", "h", NULL,
	  N_("Show all headers, or only those that matter") },

	{ VIEW_DO_FLAG, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "flag", "F", NULL,
	  N_("Flag as important, or take the flag away") },
	{ VIEW_DO_TOGGLE_READ, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "toggle-read", "N", NULL,
	  N_("Mark as unread, or as read") },
	{ VIEW_DO_READ_ALL, VIEW_PLACE_LIST, "read-all", "Ctrl-R", NULL,
	  N_("Mark the whole folder as read") },
	{ VIEW_DO_KEYWORD, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "keyword", "w", N_("KEYWORDS"),
	  N_("Put keywords on, or take them off: +work -later") },
	{ VIEW_DO_DELETE, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "delete", "d Delete", NULL,
	  N_("Move to the trash; from there delete for good, after asking") },
	{ VIEW_DO_EXPUNGE, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "expunge", "D", NULL,
	  N_("Delete for good, after asking, without the trash") },
	{ VIEW_DO_ARCHIVE, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "archive", "A", NULL,
	  N_("Move to the archive") },
	{ VIEW_DO_MOVE, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "move", "s", N_("FOLDER"),
	  N_("Move to another folder; Tab completes it") },
	{ VIEW_DO_COPY, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "copy", "C", N_("FOLDER"),
	  N_("Copy to another folder; Tab completes it") },
	{ VIEW_DO_UNDO,
	  VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE | VIEW_PLACE_QUEUE | VIEW_PLACE_FOLDERS, "undo", "u",
	  NULL, N_("Take back the last action") },
	{ VIEW_DO_MARK, VIEW_PLACE_LIST, "tag", "t", NULL,
	  N_("Tag this message: what follows is done to all that are tagged") },
	{ VIEW_DO_MARK_RANGE, VIEW_PLACE_LIST, "tag-range", "V", NULL,
	  N_("Tag from here to where this is said again") },
	{ VIEW_DO_MARK_THREAD, VIEW_PLACE_LIST, "tag-thread", "%", NULL,
	  N_("Tag the whole conversation of this message") },
	{ VIEW_DO_MARK_PATTERN, VIEW_PLACE_LIST, "tag-pattern", "T", N_("PATTERN"),
	  N_("Tag what matches: WORD, from:, to:, subject:, keyword:WORD, is:unread") },
	{ VIEW_DO_UNMARK_PATTERN, VIEW_PLACE_LIST, "untag-pattern", "Ctrl-T", N_("PATTERN"),
	  N_("Take the tags off what matches") },
	{ VIEW_DO_UNMARK_ALL, VIEW_PLACE_LIST, "untag-all", "U", NULL, N_("Take all tags away") },

	{ VIEW_DO_CREATE_FOLDER, VIEW_PLACE_FOLDERS, "create-folder", "C", N_("NAME"),
	  N_("Make a folder") },
	{ VIEW_DO_RENAME_FOLDER, VIEW_PLACE_FOLDERS, "rename-folder", "r", N_("NAME"),
	  N_("Rename this folder, and those below it") },
	{ VIEW_DO_DELETE_FOLDER, VIEW_PLACE_FOLDERS, "delete-folder", "d Delete", NULL,
	  N_("Delete this folder and the mail in it, after asking") },
	{ VIEW_DO_SUBSCRIBE, VIEW_PLACE_FOLDERS, "subscribe", "s", NULL,
	  N_("Subscribe to this folder") },
	{ VIEW_DO_UNSUBSCRIBE, VIEW_PLACE_FOLDERS, "unsubscribe", "S", NULL,
	  N_("Unsubscribe from this folder") },

	{ VIEW_DO_QUEUE, VIEW_PLACE_FOLDERS | VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "queue", "W",
	  NULL, N_("Show what waits to be done on the server, or failed") },
	{ VIEW_DO_EXPLAIN, VIEW_PLACE_QUEUE, "explain", "Enter Space", NULL,
	  N_("Say in full what this change is, and why it failed") },
	{ VIEW_DO_RETRY, VIEW_PLACE_QUEUE, "retry", "r", NULL, N_("Try a failed change again") },
	{ VIEW_DO_DROP, VIEW_PLACE_QUEUE, "drop", "d Delete", NULL,
	  N_("Give a change up, and take back what it did here; after asking") },

	{ VIEW_DO_CHANGE_FOLDER, VIEW_PLACE_FOLDERS | VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE,
	  "change-folder", "c", N_("FOLDER"), N_("Open a folder by its name; Tab completes it") },
	{ VIEW_DO_FOLDERS, VIEW_PLACE_LIST | VIEW_PLACE_MESSAGE, "folders", "y", NULL,
	  N_("Show all folders and how many messages are unread in each") },

	{ VIEW_DO_BACK, VIEW_PLACE_MESSAGE, "back", "q i x", NULL, N_("Go back to the list") },
	{ VIEW_DO_BACK, VIEW_PLACE_FOLDERS | VIEW_PLACE_PARTS | VIEW_PLACE_HELP | VIEW_PLACE_QUEUE,
	  "back", "q i x", NULL, N_("Go back to where you came from") },
	{ VIEW_DO_QUIT, VIEW_PLACE_LIST, "quit", "q Q x Ctrl-C", NULL, N_("Leave Postern") },
	{ VIEW_DO_QUIT, VIEW_PLACE_ANY & ~VIEW_PLACE_LIST, "quit", "Q Ctrl-C", NULL,
	  N_("Leave Postern") },
	{ VIEW_DO_HELP, VIEW_PLACE_ANY & ~VIEW_PLACE_HELP, "help", "? F1", NULL,
	  N_("Show what can be done here, and the keys for it") },
	{ VIEW_DO_MESSAGES, VIEW_PLACE_ANY & ~VIEW_PLACE_HELP, "messages", "!", NULL,
	  N_("Show in full what the lines below said") },
	{ VIEW_DO_COMMAND, VIEW_PLACE_ANY, "command", ":", N_("NAME"),
	  N_("Do something by its name; Tab completes it") },
	{ VIEW_DO_RECONNECT, VIEW_PLACE_ANY, "reconnect", "F5", NULL,
	  N_("Try the line to the server again now, and read the folder list anew") },
	{ VIEW_DO_REDRAW, VIEW_PLACE_ANY, "redraw", "Ctrl-L", NULL, N_("Draw the screen anew") },
	{ VIEW_DO_SUSPEND, VIEW_PLACE_ANY, "suspend", "Ctrl-Z", NULL,
	  N_("Stop Postern for now; the shell's fg brings it back") },
	{ 0 },
};

const char *
view_place_title(ViewPlace place)
{
	switch (place) {
	case VIEW_PLACE_FOLDERS:
		return _("Folders");
	case VIEW_PLACE_LIST:
		return _("Message list");
	case VIEW_PLACE_MESSAGE:
		return _("Message");
	case VIEW_PLACE_PARTS:
		return _("Parts of the message");
	case VIEW_PLACE_HELP:
		return _("Help");
	case VIEW_PLACE_QUEUE:
		return _("Waiting changes");
	}
	return "";
}

static bool
has_key(const char *keys, const char *key)
{
	size_t size = strlen(key);

	for (const char *p = keys; *p;) {
		size_t n = strcspn(p, " ");

		if (n == size && !memcmp(p, key, n))
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

const ViewCommand *
view_command_for_key(ViewPlace place, const char *key)
{
	for (const ViewCommand *c = view_commands; c->name; c++)
		if ((c->places & place) && has_key(c->keys, key))
			return c;
	return NULL;
}

/* Why NAME is no command of PLACE. */
static void
explain_unknown(ViewPlace place, const char *name, GError **error)
{
	g_autofree char *safe = safe_line(name);
	g_autoptr(GPtrArray) near = view_command_complete(place, name);

	for (const ViewCommand *c = view_commands; c->name; c++)
		if (!strcmp(c->name, name)) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("“%s” does not work here; ? shows what does"), safe);
			return;
		}
	if (*name && near->len > 1)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” may be “%s” or “%s”"), safe, (char *)near->pdata[0],
			    (char *)near->pdata[1]);
	else
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no command “%s”; ? shows those there are"), safe);
}

const ViewCommand *
view_command_parse(ViewPlace place, const char *line, char **argument, GError **error)
{
	g_autofree char *copy = g_strstrip(g_strdup(line));
	size_t n = strcspn(copy, " \t");
	const ViewCommand *found = NULL;
	bool unique = true;

	*argument = copy[n] ? g_strdup(g_strstrip(copy + n + 1)) : NULL;
	copy[n] = '\0';
	for (const ViewCommand *c = view_commands; c->name && n; c++) {
		if (!(c->places & place) || strncmp(c->name, copy, n) != 0)
			continue;
		if (!c->name[n]) {
			found = c;
			unique = true;
			break;
		}
		unique = !found;
		found = c;
	}
	if (found && unique && *argument && !found->argument) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” takes nothing after its name"), found->name);
		found = NULL;
	} else if (!found || !unique) {
		explain_unknown(place, copy, error);
		found = NULL;
	}
	if (!found)
		g_clear_pointer(argument, g_free);
	return found;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
view_command_complete(ViewPlace place, const char *beginning)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (const ViewCommand *c = view_commands; c->name; c++)
		if ((c->places & place) && g_str_has_prefix(c->name, beginning))
			g_ptr_array_add(names, g_strdup(c->name));
	g_ptr_array_sort(names, compare_names);
	return names;
}
