/* The secret behind an account: its password or its OAuth token, from the configuration, a file or
 * a command.  Nothing here blocks: a command runs beside us, a file is read in a thread.  Belongs to
 * the thread that runs the context.
 *
 * Secrets stay out of logs and errors.  What this module held is wiped when it lets go; what it
 * hands out is the caller's to copy, and then to wipe (secret_free).
 *
 * Errors: LOGIN when there is no secret, or its command failed, with the first line that the command
 * wrote to its standard error; CONFIG when a file is open to others or cannot be read. */
#ifndef ENGINE_SECRET_H
#define ENGINE_SECRET_H

#include "engine/config.h"

#include <gio/gio.h>

typedef enum {
	SECRET_NONE, /* the account names none: EXTERNAL may still do */
	SECRET_PASSWORD,
	SECRET_TOKEN, /* for XOAUTH2 and OAUTHBEARER */
} SecretKind;

SecretKind secret_kind(const ConfigAccount *account);

typedef struct SecretRequest SecretRequest;

/* Runs once, from the loop.  SECRET is borrowed for the call, never empty; NULL when ERROR is set. */
typedef void (*SecretFunc)(void *data, const char *secret, const GError *error);

enum {
	SECRET_LINE_MAX = 16 * 1024,	 /* bytes of the first line */
	SECRET_OUTPUT_MAX = 1024 * 1024, /* bytes a command may write before it is stopped */
	SECRET_TIMEOUT_MS = 120 * 1000,	 /* a person may have to type into it */
};

/* Asks for ACCOUNT's secret.  ACCOUNT must outlive the request.  Call it on the thread that runs
 * CONTEXT.  TIMEOUT_MS bounds a command; 0: SECRET_TIMEOUT_MS. */
SecretRequest *secret_ask(const ConfigAccount *account, GMainContext *context, int timeout_ms,
			  SecretFunc on_secret, void *data);

/* Before the callback: it will not run, and the command is stopped.  Also from inside the callback;
 * every request needs it once.  NULL is fine. */
void secret_request_free(SecretRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretRequest, secret_request_free)

/* Wipes, then frees a NUL-terminated string.  NULL is fine. */
void secret_free(char *secret);
/* Wipes SIZE bytes in a way that the compiler keeps.  NULL with 0 is fine. */
void secret_wipe(void *bytes, size_t size);

#endif
