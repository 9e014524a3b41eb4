/* What the commands share: the engine and how to wait for it, and the store's reader. */
#ifndef CLI_RUN_PRIVATE_H
#define CLI_RUN_PRIVATE_H

#include "cli/run.h"
#include "output-private.h"

typedef struct Cli {
	const CliOptions *options;
	const Config *config;
	const char *data_dir;
	Log *log;
	CliOutput *out;
	GString *line; /* what is being put together for OUT */

	Engine *engine; /* NULL: without a line */
	Store *store;	/* the reader; NULL until cli_store */

	GHashTable *ended;	   /* of EngineRequest -> GError or NULL: DONEs not asked for yet */
	EngineRequest waiting;	   /* for this one's */
	StoreId done_group;	   /* of the change waited for last; 0: merged away */
	uint32_t done_n;	   /* ... and how many messages it was about */
	char *done_text;	   /* ... and what it says; NULL */
	EngineRequest progress_of; /* shows how far it is, on a terminal; 0: none */
	bool shows_progress;	   /* there is a line on the terminal to wipe */
	GMainLoop *loop;
	char *said; /* the last notice: an error in the same words is not said again */
	int signal; /* that came; 0: none */
} Cli;

/* Starts the engine, unless --offline; with MUST, that is an OFFLINE error.  Where another Postern
 * has the store, that one does what is asked. */
bool cli_engine(Cli *cli, bool must, GError **error);
/* The engine for a change: with --offline it opens no line. */
bool cli_engine_to_change(Cli *cli, GError **error);
/* Until REQUEST's DONE; its error.  CANCELLED after a signal. */
bool cli_wait(Cli *cli, EngineRequest request, GError **error);
/* The reader.  OFFLINE error when nothing is kept yet. */
bool cli_store(Cli *cli, GError **error);
/* The accounts a command without a folder is about: the one named, or all.  Borrowed pointers;
 * yours to g_ptr_array_unref. */
GPtrArray *cli_accounts(const Cli *cli);
/* The account a folder is in: the one named, or the default. */
const ConfigAccount *cli_account(const Cli *cli);

/* The decoded name for a folder as it was typed, which may be as it is shown.  Yours to g_free. */
char *cli_folder_name(Cli *cli, const char *typed);
/* FOLDER in the store, of cli_account.  GONE with the nearest name, or OFFLINE where the folders were
 * never read. */
bool cli_mailbox(Cli *cli, const char *folder, StoreMailbox **mailbox, GError **error);

/* A sentence on standard error, translated, through the door. */
void cli_notice(Cli *cli, const char *text);
/* Appends how to get what is not kept: to come on line. */
void cli_needs_line(const Cli *cli, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

bool cli_run_folders(Cli *cli, GError **error);
bool cli_run_sync(Cli *cli, GError **error);
bool cli_run_list(Cli *cli, GError **error);
bool cli_run_show(Cli *cli, GError **error);
bool cli_run_check(Cli *cli, GError **error);
bool cli_run_flag(Cli *cli, GError **error);
bool cli_run_move(Cli *cli, GError **error);
bool cli_run_copy(Cli *cli, GError **error);
bool cli_run_delete(Cli *cli, GError **error);
bool cli_run_append(Cli *cli, GError **error);
bool cli_run_folder(Cli *cli, GError **error);
bool cli_run_queue(Cli *cli, GError **error);
bool cli_run_undo(Cli *cli, GError **error);

#endif
