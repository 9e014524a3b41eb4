/* The words of the command line, and the one table of commands and options that reads them and
 * feeds --help.  Options stand before or after the command; "--" ends them.  Pure; any thread. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "engine/engine.h"

typedef enum {
	CLI_UI, /* the full-screen client */
	CLI_FOLDERS,
	CLI_SYNC,
	CLI_LIST,
	CLI_SHOW,
	CLI_CHECK,
	CLI_FLAG,
	CLI_MOVE,
	CLI_COPY,
	CLI_DELETE,
	CLI_APPEND,
	CLI_FOLDER,
	CLI_QUEUE,
	CLI_UNDO,
	CLI_COMMANDS, /* how many */
} CliCommand;

typedef enum {
	CLI_SHOW_TEXT, /* as a reader would see it */
	CLI_SHOW_RAW,
	CLI_SHOW_HEADERS,
	CLI_SHOW_STRUCTURE,
	CLI_SHOW_PART,
} CliShow;

/* Strings are borrowed from argv. */
typedef struct CliOptions {
	CliCommand command;
	const char *config, *data, *account, *log; /* NULL: not given */
	bool offline, json, help, version;
	/* `postern FOLDER`, NULL: none.  Where it is a slip away from a command, that one is in
	 * near_command: open the folder only if there is one of that name. */
	const char *folder, *near_command;
	bool folder_is_sure;	  /* it stood behind "--" */
	const char *const *words; /* of the command, NULL-terminated: folders, UIDs, +flags */
	size_t n_words;
	EngineBodies bodies;
	bool accept_loss;
	uint32_t limit, offset; /* limit 0: all */
	CliShow show;
	const char *section; /* with CLI_SHOW_PART */
} CliOptions;

/* ARGV is argv with its program name, and is put in order: it keeps the words.  False with a USAGE
 * error that says how the command goes. */
bool cli_options_parse(CliOptions *options, int argc, char **argv, GError **error);

/* What --help prints, of one command or (CLI_UI) of all.  Yours to g_free. */
char *cli_options_help(CliCommand command);

/* The sentence for a first word that is no command: that it is a slip, and which is meant. */
void cli_options_slip(const CliOptions *options, GError **error);

/* A UID set with one message in it. */
typedef struct CliMessageName {
	enum { CLI_MESSAGE_UID, CLI_MESSAGE_LAST, CLI_MESSAGE_ID } kind; /* 7, *, id:17 */
	uint32_t uid;
	StoreId id;
} CliMessageName;
bool cli_message_name_parse(const char *word, CliMessageName *name, GError **error);

/* A UID set over several words: 7, 7:9, 7,9, *, 7:*, id:17. */
typedef struct CliMessageSet {
	GArray *ranges; /* of uint32_t: low, high, low, high ...; 0 stands for "*" */
	GArray *ids;	/* of StoreId */
} CliMessageSet;
void cli_message_set_init(CliMessageSet *set);
void cli_message_set_clear(CliMessageSet *set);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliMessageSet, cli_message_set_clear)
/* Adds what WORD names. */
bool cli_message_set_add(CliMessageSet *set, const char *word, GError **error);

/* "+\Seen", "-work": one flag or keyword, set or cleared.  A system flag is known without its
 * backslash too, which shells eat. */
typedef struct CliFlag {
	bool set;
	uint16_t flag;	     /* StoreFlag; 0: KEYWORD */
	const char *keyword; /* in the word */
} CliFlag;
bool cli_is_flag(const char *word); /* "+..." or "-...", not "--..." */
bool cli_flag_parse(const char *word, CliFlag *flag, GError **error);

#endif
