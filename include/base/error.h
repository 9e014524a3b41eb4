/* What failed, by what the caller can do about it.  The sentence is written where the facts
 * are; the code travels unchanged to whoever decides; context is prefixed going up. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>

#define POSTERN_ERROR postern_error_quark()
GQuark postern_error_quark(void);

typedef enum {
	POSTERN_ERROR_USAGE,   /* the words of the command are wrong: say how they go */
	POSTERN_ERROR_CONFIG,  /* the configuration is wrong: show where */
	POSTERN_ERROR_OFFLINE, /* no line, or it broke: wait and retry */
	POSTERN_ERROR_TRUST, /* the line cannot be trusted (TLS, STARTTLS): never retry in clear */
	POSTERN_ERROR_LOGIN, /* the server does not take this login: ask again, do not loop */
	POSTERN_ERROR_REFUSED,	/* NO or BAD to one command: show the server's words */
	POSTERN_ERROR_PROTOCOL, /* bytes that are not the protocol: drop the line */
	POSTERN_ERROR_GONE,	/* the message, folder or part is not there (any more): forget it */
	POSTERN_ERROR_CANCELLED, /* the person changed their mind */
	POSTERN_ERROR_STORE, /* the local store failed (disk full, I/O): nothing was half done */
	POSTERN_ERROR_FILE,  /* a file of the person's could not be read or written */
} PosternError;

/* True when ERROR is one of ours with this CODE.  NULL is fine. */
#define postern_error_is(error, code) g_error_matches((error), POSTERN_ERROR, (code))

/* The exit status of the command line's contract: 0 for NULL, 2 for wrong usage or
 * configuration, 3 when it needs the line, 1 for the rest. */
int postern_error_exit_status(const GError *error);

#endif
