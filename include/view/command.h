/* Every command there is: its name, one sentence, where it works and its keys.  One table feeds the
 * keys themselves, `?`, `:` with its completion, and the manual.  Pure data; any thread. */
#ifndef VIEW_COMMAND_H
#define VIEW_COMMAND_H

#include <glib.h>
#include <stdbool.h>

/* Where the person is; commands name several. */
typedef enum {
	VIEW_PLACE_FOLDERS = 1 << 0,
	VIEW_PLACE_LIST = 1 << 1,
	VIEW_PLACE_MESSAGE = 1 << 2,
	VIEW_PLACE_PARTS = 1 << 3,
	VIEW_PLACE_HELP = 1 << 4,
	VIEW_PLACE_QUEUE = 1 << 5,
} ViewPlace;
#define VIEW_PLACE_ANY 0x3f
#define VIEW_PLACE_LISTS                                                                           \
	(VIEW_PLACE_FOLDERS | VIEW_PLACE_LIST | VIEW_PLACE_PARTS | VIEW_PLACE_QUEUE)
#define VIEW_PLACE_TEXTS (VIEW_PLACE_MESSAGE | VIEW_PLACE_HELP)

typedef enum {
	VIEW_DO_DOWN,
	VIEW_DO_UP,
	VIEW_DO_PAGE_DOWN,
	VIEW_DO_PAGE_UP,
	VIEW_DO_HALF_DOWN,
	VIEW_DO_HALF_UP,
	VIEW_DO_FIRST,
	VIEW_DO_LAST,
	VIEW_DO_OPEN,
	VIEW_DO_BACK,
	VIEW_DO_QUIT,
	VIEW_DO_NEXT_UNREAD,
	VIEW_DO_PREVIOUS_UNREAD,
	VIEW_DO_NEXT_MESSAGE,
	VIEW_DO_PREVIOUS_MESSAGE,
	VIEW_DO_CHANGE_FOLDER,
	VIEW_DO_FOLDERS,
	VIEW_DO_PARTS,
	VIEW_DO_SAVE,
	VIEW_DO_HEADERS,
	VIEW_DO_HELP,
	VIEW_DO_COMMAND,
	VIEW_DO_REDRAW,
	VIEW_DO_RECONNECT,
	VIEW_DO_SUSPEND,
	VIEW_DO_MESSAGES,

	VIEW_DO_FLAG,
	VIEW_DO_TOGGLE_READ,
	VIEW_DO_READ_ALL,
	VIEW_DO_KEYWORD,
	VIEW_DO_DELETE,
	VIEW_DO_EXPUNGE,
	VIEW_DO_ARCHIVE,
	VIEW_DO_MOVE,
	VIEW_DO_COPY,
	VIEW_DO_UNDO,
	VIEW_DO_MARK,
	VIEW_DO_MARK_PATTERN,
	VIEW_DO_UNMARK_PATTERN,
	VIEW_DO_MARK_THREAD,
	VIEW_DO_MARK_RANGE,
	VIEW_DO_UNMARK_ALL,
	VIEW_DO_CREATE_FOLDER,
	VIEW_DO_RENAME_FOLDER,
	VIEW_DO_DELETE_FOLDER,
	VIEW_DO_SUBSCRIBE,
	VIEW_DO_UNSUBSCRIBE,
	VIEW_DO_QUEUE,
	VIEW_DO_RETRY,
	VIEW_DO_DROP,
	VIEW_DO_EXPLAIN,
} ViewVerb;

typedef struct ViewCommand {
	ViewVerb verb;
	unsigned places; /* of ViewPlace */
	const char *name;
	/* Separated by spaces, mutt's first.  A printable character is itself; the others are
	 * Space Enter Tab Shift-Tab Backspace Esc Up Down Left Right PgUp PgDn Home End F1... and
	 * Ctrl-X. */
	const char *keys;
	const char *argument; /* what may follow the name after ":"; N_(); NULL: nothing */
	const char *sentence; /* N_() */
} ViewCommand;

/* Ended by a row whose name is NULL.  A name stands twice where its keys differ by place. */
extern const ViewCommand view_commands[];

/* "Message list", as a heading; translated, static. */
const char *view_place_title(ViewPlace place);

/* NULL: the key means nothing there. */
const ViewCommand *view_command_for_key(ViewPlace place, const char *key);

/* What a person typed after ":", a whole name or the beginning of just one of this place; *ARGUMENT
 * is what follows, without blanks around it, or NULL.  NULL with a USAGE error that helps. */
const ViewCommand *view_command_parse(ViewPlace place, const char *line, char **argument,
				      GError **error);

/* The names of PLACE's commands that begin so, sorted.  Array of char *, owned. */
GPtrArray *view_command_complete(ViewPlace place, const char *beginning);

#endif
