/* Every command there is: its name, one sentence, where it works and its keys.  One table feeds the
 * keymaps (view/keymap.h), `?`, `:` with its completion, and the manual.  Pure data; any thread. */
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
	VIEW_DO_SET,
	VIEW_DO_SAVE_OPTIONS,
	VIEW_DO_RELOAD,

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

	VIEW_DO_RUN, /* what a command of one's own stands for */
} ViewVerb;

/* What may follow a command's name; how it is asked for and completed. */
typedef enum {
	VIEW_ARG_NONE,
	VIEW_ARG_FOLDER,
	VIEW_ARG_FILE,
	VIEW_ARG_PATTERN,
	VIEW_ARG_KEYWORDS,
	VIEW_ARG_NAME,
	VIEW_ARG_COMMAND,
	VIEW_ARG_OPTION,
} ViewArgument;

/* "FOLDER", for help and the manual; translated, static; NULL for NONE. */
const char *view_argument_name(ViewArgument argument);

/* Keys stand separated by spaces, the first one is shown in short hints.  One is a character, or Space
 * Enter Tab Shift-Tab Backspace Delete Insert Esc Up Down Left Right PgUp PgDn Home End F1 to F12 or
 * Ctrl-X; several in a row are joined by commas: g,g. */
typedef struct ViewCommand {
	ViewVerb verb;
	unsigned places; /* of ViewPlace */
	const char *name;
	const char *mutt;	  /* keys */
	const char *vim, *alpine; /* NULL: as mutt's */
	ViewArgument argument;
	const char *sentence; /* N_() */
	const char *run;      /* a command of one's own: the commands it stands for; else NULL */
} ViewCommand;

/* Ended by a row whose name is NULL.  A name stands twice where its keys or sentence differ by place. */
extern const ViewCommand view_commands[];

/* "Message list", as a heading; translated, static. */
const char *view_place_title(ViewPlace place);

/* "list", as the configuration calls it; static. */
const char *view_place_word(ViewPlace place);
/* 0: no such word. */
ViewPlace view_place_of_word(const char *word);

#endif
