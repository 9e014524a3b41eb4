/* The configuration: an INI file read by GKeyFile, every key in one table that also feeds the
 * manual, completion and the error for a misspelt key.  Immutable once loaded; any thread.
 *
 * A value stands as it is typed, without escapes, and ends at a " #" comment, except in commands,
 * where the shell reads it.  Errors are CONFIG, and name the file, the line and the nearest right
 * name; they never repeat a secret.
 *
 * A server is PROTOCOL://[USER@]HOST[:PORT].  The last "@" divides, so that USER may hold one, and
 * may be percent-encoded.  Without USER the login name is the whole e-mail address of `address`.
 * HOST is a name (UTF-8 or A-labels), an IPv4 address or an IPv6 one in brackets. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include "net/stream.h"

typedef struct ConfigAccount {
	char *name;		     /* "work" of [account work] */
	char *address;		     /* "Ada Example <ada@example.org>"; NULL: none */
	char *imap_user, *imap_host; /* of imap = imaps://ada@mail.example.org; host may be UTF-8 */
	uint16_t imap_port;
	NetTls imap_tls;
	char *smtp_user, *smtp_host; /* likewise; NULL when there is no smtp = */
	uint16_t smtp_port;
	NetTls smtp_tls;
	/* At most one of these four is set. */
	char *password;		/* only tests and the careless: the file must then be 0600 */
	char *password_command; /* run by /bin/sh; its first line is the password */
	char *password_file;	/* its first line; must be closed to others */
	char *token_command;	/* likewise, an OAuth token: XOAUTH2, OAUTHBEARER */
	char *ca_file, *client_cert;
	char *trash,
	    *archive; /* names of folders; NULL: as the server marks them, or by usual names */
	unsigned connections; /* to the server, at most */
	/* What is kept without being asked for. */
	int64_t keep_text_s;	   /* the text of messages that are no older; INT64_MAX: of all */
	uint64_t keep_attachments; /* of those, no larger (bytes); UINT64_MAX: all */
	uint64_t cache_size;	   /* bytes of parts, at most; UINT64_MAX: no limit */
	bool is_default;
} ConfigAccount;

/* How the full screen looks and behaves: [screen].  Kept here so that one table holds every key. */
typedef struct ConfigScreen {
	char *keymap; /* of view/keymap.h; never NULL */
	char *theme;  /* of view/theme.h; never NULL */
} ConfigScreen;

/* A command of one's own: [command NAME]. */
typedef struct ConfigCommand {
	char *name, *run;
	char *keys, *where, *sentence; /* NULL: not said */
	unsigned line;
} ConfigCommand;

/* COMMAND = KEYS, of [keys] or [keys PLACE]; what they mean is the screen's to know. */
typedef struct ConfigKeys {
	char *place; /* NULL: everywhere */
	char *command, *keys;
	unsigned line;
} ConfigKeys;

typedef struct Config {
	char *path;
	GPtrArray *accounts; /* of ConfigAccount, owned; at least one; the default first */
	ConfigScreen screen;
	GPtrArray *commands; /* of ConfigCommand, owned */
	GPtrArray *keys;     /* of ConfigKeys, owned */
} Config;

/* PATH NULL: the XDG one.  Without any file: a CONFIG error that says where it looked and shows five
 * lines that would do.  A file with a password in it that others can read is refused, as is one
 * that everybody can write to: it names commands that we run. */
Config *config_load(const char *path, GError **error);
void config_free(Config *config); /* NULL is fine; passwords are wiped */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* NAME NULL: the default.  NULL with a USAGE error naming those there are. */
const ConfigAccount *config_account(const Config *config, const char *name, GError **error);

/* The table, for the manual and completion; ended by a row whose key is NULL. */
typedef struct ConfigKey {
	const char *section; /* "account", "screen", "command" */
	const char *key;
	const char *type;     /* "text", "url", "command", "file", "yes/no", "number",
			       * "time", "size", "choice" */
	const char *values;   /* a choice's words; a number's least and most; NULL */
	const char *normal;   /* where nothing is said, as it would be typed; NULL: nothing */
	const char *sentence; /* not translated; N_() marked */
	size_t offset;	      /* of its value in ConfigAccount and so on; config's own */
} ConfigKey;
extern const ConfigKey config_keys[];

/* NULL: there is no such key. */
const ConfigKey *config_key(const char *section, const char *key);

/* For what a person changes while it runs.  A copy is its taker's, cleared by config_screen_clear. */
void config_screen_copy(ConfigScreen *to, const ConfigScreen *from);
void config_screen_clear(ConfigScreen *screen);
/* VALUE as it would be typed in the file; NULL: as where nothing is said.  CONFIG error, without a
 * place; then nothing changed. */
bool config_screen_set(ConfigScreen *screen, const ConfigKey *key, const char *value,
		       GError **error);
/* As it would be typed; yours to g_free. */
char *config_screen_get(const ConfigScreen *screen, const ConfigKey *key);
/* Writes what of SCREEN the file of CONFIG does not say; all else in it stays as it stands.  *CHANGED:
 * how many keys.  CONFIG error: the file is not right as it is; FILE: it cannot be written. */
bool config_screen_save(const Config *config, const ConfigScreen *screen, unsigned *changed,
			GError **error);

#endif
