/* The full-screen client: owns the terminal from the call to the return.  Main thread. */
#ifndef UI_APP_H
#define UI_APP_H

#include "engine/config.h"

typedef struct UiOptions {
	const Config *config; /* outlives the call */
	const char *data_dir; /* made already (paths_make_private_dir) */
	const char
	    *account;	    /* show this one first, and run only it; NULL: all, the default first */
	const char *folder; /* decoded name of the first one shown; NULL: INBOX */
	bool offline;
	Log *log; /* one line a frame drawn, for tests that count them; NULL is fine */
} UiOptions;

/* Draws what the store holds, then starts the engine, then lives until the person quits, the
 * terminal goes away or SIGTERM, SIGINT or SIGHUP comes; the terminal is left as it was found.
 * mail_init() and the locale have been seen to.  The exit status: 0 when the person quit; without a
 * usable terminal a sentence on standard error and 2. */
int ui_run(const UiOptions *options);

#endif
