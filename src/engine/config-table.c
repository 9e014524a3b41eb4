/* Every key there is. */
#include "config-private.h"

#include <string.h>

#include "base/i18n.h"

#define AT(member)	offsetof(ConfigAccount, member)
#define SCREEN(member)	offsetof(ConfigScreen, member)
#define COMMAND(member) offsetof(ConfigCommand, member)

const ConfigKey config_keys[] = {
	{ "account", "address", "text", NULL, NULL,
	  N_("Who you are: Ada Example <ada@example.org>.  Without a user in imap or smtp, the "
	     "login name is the address."),
	  AT(address) },
	{ "account", "imap", "url", NULL, NULL,
	  N_("Where the mail is: imaps://USER@HOST[:PORT] (TLS, port 993) or "
	     "imap://USER@HOST[:PORT] (STARTTLS, port 143)."),
	  AT(imap_host) },
	{ "account", "smtp", "url", NULL, NULL,
	  N_("Where mail is handed in: smtps://USER@HOST[:PORT] (TLS, port 465) or "
	     "smtp://USER@HOST[:PORT] (STARTTLS, port 587)."),
	  AT(smtp_host) },
	{ "account", "password-command", "command", NULL, NULL,
	  N_("Run by /bin/sh; the first line it prints is the password."), AT(password_command) },
	{ "account", "password-file", "file", NULL, NULL,
	  N_("Its first line is the password; nobody else may be able to read it."),
	  AT(password_file) },
	{ "account", "password", "text", NULL, NULL,
	  N_("The password itself; nobody else may then be able to read the configuration."),
	  AT(password) },
	{ "account", "token-command", "command", NULL, NULL,
	  N_("Run by /bin/sh; the first line it prints is an OAuth 2 access token."),
	  AT(token_command) },
	{ "account", "ca-file", "file", NULL, NULL,
	  N_("Certificates (PEM) to trust besides the system's, for a private authority."),
	  AT(ca_file) },
	{ "account", "client-cert", "file", NULL, NULL,
	  N_("Our own certificate and its key (PEM), for servers that ask for one."),
	  AT(client_cert) },
	{ "account", "trash", "text", NULL, NULL,
	  N_("The folder that deleted messages go to, in place of the one the server marks."),
	  AT(trash) },
	{ "account", "archive", "text", NULL, NULL,
	  N_("The folder that archived messages go to, in place of the one the server marks."),
	  AT(archive) },
	{ "account", "connections", "number", "1 15", "3",
	  N_("Connections to the server at most, from 1 to 15; 3 where nothing is said."),
	  AT(connections) },
	{ "account", "keep-text", "time", NULL, "90d",
	  N_("Whose text is kept for reading without a line: 90d (of the last 90 days; also w, y), "
	     "all or none; 90d where nothing is said."),
	  AT(keep_text_s) },
	{ "account", "keep-attachments", "size", NULL, "none",
	  N_("Which attachments of those messages are kept as well: up to a size (500k, 2M), all "
	     "or none; none where nothing is said, that is when they are opened."),
	  AT(keep_attachments) },
	{ "account", "cache-size", "size", NULL, "all",
	  N_("How much text and attachments may take here: a size (2G), or all, which is meant "
	     "where nothing is said.  What was least recently looked at goes first."),
	  AT(cache_size) },
	{ "account", "default", "yes/no", NULL, "no",
	  N_("The account that is meant where none is named; else the first one is."),
	  AT(is_default) },

	{ "screen", "keymap", "choice", "mutt vim alpine", "mutt",
	  N_("Which keys say what to begin with: those of mutt, of vim or of alpine."),
	  SCREEN(keymap) },
	{ "screen", "theme", "text", NULL, "terminal",
	  N_("The colours: terminal, dark, light, contrast, mono, or one of your own, "
	     "themes/NAME.theme beside the configuration."),
	  SCREEN(theme) },

	{ "command", "run", "text", NULL, NULL,
	  N_("The commands it stands for, as after a colon, with a semicolon between them."),
	  COMMAND(run) },
	{ "command", "keys", "text", NULL, NULL,
	  N_("The keys that say it: x, Ctrl-X, F5, or several in a row: g,x."), COMMAND(keys) },
	{ "command", "where", "text", NULL, NULL,
	  N_("Where it works: folders, list, message, parts, queue, help; everywhere where nothing "
	     "is said."),
	  COMMAND(where) },
	{ "command", "sentence", "text", NULL, NULL, N_("What it does, for the list of commands."),
	  COMMAND(sentence) },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0 },
};

const ConfigKey *
config_key(const char *section, const char *key)
{
	for (const ConfigKey *k = config_keys; k->key; k++)
		if (!strcmp(k->section, section) && !strcmp(k->key, key))
			return k;
	return NULL;
}

void
config_set_normal(const char *section, void *base)
{
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(key->section, section) && key->normal)
			config_value_set(base, key, key->normal, NULL, NULL);
}
