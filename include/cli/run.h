/* Runs one command of the command line to its end, in the main thread: data to standard output,
 * words to standard error. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/options.h"

/* OPTIONS->command is not CLI_UI; DATA_DIR exists and is private; mail_init() has run.  Returns the
 * exit status; a signal that ended it is raised again, so that a shell's loop ends as well. */
int cli_run(const CliOptions *options, const Config *config, const char *data_dir, Log *log);

/* Whether there is a folder FOLDER in what is kept, without a line.  For `postern FOLDER`. */
bool cli_knows_folder(const CliOptions *options, const Config *config, const char *data_dir,
		      Log *log);

/* "postern: " and the error's message, through the door, on standard error.  Returns the exit
 * status that goes with it. */
int cli_report(const GError *error);

#endif
