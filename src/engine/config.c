#include "config-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/paths.h"
#include "base/safetext.h"
#include "engine/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX = 1024 * 1024, /* bytes of a whole configuration */
	NAME_MAX_BYTES = 64,	/* of an account's name */
};

#define AT(member) offsetof(ConfigAccount, member)

const ConfigKey config_keys[] = {
	{ "account", "address", "text",
	  N_("Who you are: Ada Example <ada@example.org>.  Without a user in imap or smtp, the "
	     "login "
	     "name is the address."),
	  AT(address) },
	{ "account", "imap", "url",
	  N_("Where the mail is: imaps://USER@HOST[:PORT] (TLS, port 993) or "
	     "imap://USER@HOST[:PORT] "
	     "(STARTTLS, port 143)."),
	  AT(imap_host) },
	{ "account", "smtp", "url",
	  N_("Where mail is handed in: smtps://USER@HOST[:PORT] (TLS, port 465) or "
	     "smtp://USER@HOST[:PORT] (STARTTLS, port 587)."),
	  AT(smtp_host) },
	{ "account", "password-command", "command",
	  N_("Run by /bin/sh; the first line it prints is the password."), AT(password_command) },
	{ "account", "password-file", "file",
	  N_("Its first line is the password; nobody else may be able to read it."),
	  AT(password_file) },
	{ "account", "password", "text",
	  N_("The password itself; nobody else may then be able to read the configuration."),
	  AT(password) },
	{ "account", "token-command", "command",
	  N_("Run by /bin/sh; the first line it prints is an OAuth 2 access token."),
	  AT(token_command) },
	{ "account", "ca-file", "file",
	  N_("Certificates (PEM) to trust besides the system's, for a private authority."),
	  AT(ca_file) },
	{ "account", "client-cert", "file",
	  N_("Our own certificate and its key (PEM), for servers that ask for one."),
	  AT(client_cert) },
	{ "account", "trash", "text",
	  N_("The folder that deleted messages go to, in place of the one the server marks."),
	  AT(trash) },
	{ "account", "archive", "text",
	  N_("The folder that archived messages go to, in place of the one the server marks."),
	  AT(archive) },
	{ "account", "connections", "number",
	  N_("Connections to the server at most, from 1 to 15; 3 where nothing is said."),
	  AT(connections) },
	{ "account", "keep-text", "time",
	  N_("Whose text is kept for reading without a line: 90d (of the last 90 days; also w, y), "
	     "all or none; 90d where nothing is said."),
	  AT(keep_text_s) },
	{ "account", "keep-attachments", "size",
	  N_("Which attachments of those messages are kept as well: up to a size (500k, 2M), all "
	     "or "
	     "none; none where nothing is said, that is when they are opened."),
	  AT(keep_attachments) },
	{ "account", "cache-size", "size",
	  N_("How much text and attachments may take here: a size (2G), or all, which is meant "
	     "where "
	     "nothing is said.  What was least recently looked at goes first."),
	  AT(cache_size) },
	{ "account", "default", "yes/no",
	  N_("The account that is meant where none is named; else the first one is."),
	  AT(is_default) },
	{ NULL, NULL, NULL, NULL, 0 },
};

/* One key as it stands in the file. */
typedef struct Entry {
	char *group;
	const ConfigKey *key;
	ConfigAccount *account;
	unsigned line;
} Entry;

/* One pass over the text: finds the lines, which GKeyFile does not tell, refuses what it would
 * merge or drop in silence, and gives it a copy without comments. */
typedef struct Scan {
	const char *path; /* through the door */
	Config *config;
	GString *clean;
	GArray *entries;       /* of Entry, cleared with it */
	GArray *section_lines; /* of unsigned, one an account */
	char *group;	       /* the one we are in; NULL: none yet */
	unsigned line;
} Scan;

static void
account_free(ConfigAccount *account)
{
	g_free(account->name);
	g_free(account->address);
	g_free(account->imap_user);
	g_free(account->imap_host);
	g_free(account->smtp_user);
	g_free(account->smtp_host);
	secret_free(account->password);
	g_free(account->password_command);
	g_free(account->password_file);
	g_free(account->token_command);
	g_free(account->ca_file);
	g_free(account->trash);
	g_free(account->archive);
	g_free(account->client_cert);
	g_free(account);
}

static void
entry_clear(Entry *entry)
{
	g_free(entry->group);
}

static void
scan_clear(Scan *scan)
{
	secret_wipe(scan->clean->str, scan->clean->len);
	g_string_free(scan->clean, TRUE);
	g_array_unref(scan->entries);
	g_array_unref(scan->section_lines);
	g_free(scan->group);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

static bool G_GNUC_PRINTF(4, 5)
    complain(const Scan *scan, unsigned line, GError **error, const char *format, ...)
{
	va_list args;
	g_autofree char *what = NULL;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG, "%s:%u: %s", scan->path, line,
		    what);
	return false;
}

/* ---- the file's lines -------------------------------------------------------------------------- */

static void
trim(Span *span)
{
	while (span->at < span->end && (*span->at == ' ' || *span->at == '\t'))
		span->at++;
	while (span->at < span->end && (span->end[-1] == ' ' || span->end[-1] == '\t'))
		span->end--;
}

/* Up to a "#" that begins the span or follows a blank. */
static void
strip_comment(Span *span)
{
	for (const char *p = span->at; p < span->end; p++)
		if (*p == '#' && (p == span->at || p[-1] == ' ' || p[-1] == '\t')) {
			span->end = p;
			break;
		}
	trim(span);
}

static bool
section_is_known(const char *word)
{
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(key->section, word))
			return true;
	return false;
}

static bool
complain_section(const Scan *scan, const char *word, const char *name, GError **error)
{
	g_autofree char *shown = safe_line(word);
	g_autofree char *shown_name = safe_line(name);
	const char *best = NULL;

	for (const ConfigKey *key = config_keys; key->key; key++)
		best = nearest_of(word, best, key->section);
	if (best)
		return complain(scan, scan->line, error,
				_("no such section [%s]: did you mean [%s %s]?"), shown, best,
				*shown_name ? shown_name : "NAME");
	if (!*shown_name)
		return complain(scan, scan->line, error,
				_("no such section [%s]: did you mean [account %s]?"), shown,
				shown);
	return complain(scan, scan->line, error,
			_("no such section [%s %s]: a section is [account NAME]"), shown,
			shown_name);
}

static bool
add_account(Scan *scan, Span name, GError **error)
{
	ConfigAccount *account;

	if (span_is_empty(name))
		return complain(scan, scan->line, error,
				_("an account needs a name: [account NAME]"));
	if (span_size(name) > NAME_MAX_BYTES || !safe_text_is(name, SAFE_LINE) ||
	    memchr(name.at, '[', span_size(name)))
		return complain(scan, scan->line, error,
				_("an account's name is at most %d bytes of text without brackets"),
				NAME_MAX_BYTES);
	for (unsigned i = 0; i < scan->config->accounts->len; i++) {
		account = scan->config->accounts->pdata[i];
		if (span_is(name, account->name))
			return complain(scan, scan->line, error,
					_("[account %s] a second time: it begins at line %u"),
					account->name,
					g_array_index(scan->section_lines, unsigned, i));
	}
	account = g_new0(ConfigAccount, 1);
	account->connections = CONFIG_CONNECTIONS;
	account->keep_text_s = CONFIG_KEEP_TEXT_S;
	account->cache_size = UINT64_MAX;
	account->name = span_dup(name);
	g_ptr_array_add(scan->config->accounts, account);
	g_array_append_val(scan->section_lines, scan->line);
	return true;
}

static bool
scan_section(Scan *scan, Span line, GError **error)
{
	const char *close = memchr(line.at, ']', span_size(line));
	Span word, name;
	g_autofree char *word_text = NULL;
	g_autofree char *name_text = NULL;

	if (!close)
		return complain(scan, scan->line, error, _("a section ends with \"]\""));
	word = span_of(line.at + 1, (size_t)(close - line.at - 1));
	line.at = close + 1;
	strip_comment(&line);
	if (!span_is_empty(line))
		return complain(scan, scan->line, error,
				_("nothing may follow the \"]\" of a section"));
	trim(&word);
	name = (Span){ word.end, word.end };
	for (const char *p = word.at; p < word.end; p++)
		if (*p == ' ' || *p == '\t') {
			name = (Span){ p, word.end };
			word.end = p;
			break;
		}
	trim(&name);
	word_text = span_dup(word);
	name_text = span_dup(name);
	if (!section_is_known(word_text))
		return complain_section(scan, word_text, name_text, error);
	if (!add_account(scan, name, error))
		return false;
	g_free(scan->group);
	scan->group = g_strdup_printf("%s %s", word_text, name_text);
	g_string_append_printf(scan->clean, "[%s]", scan->group);
	return true;
}

static bool
complain_key(const Scan *scan, const char *word, GError **error)
{
	g_autofree char *shown = safe_line(word);
	const char *best = NULL;

	for (const ConfigKey *key = config_keys; key->key; key++)
		if (g_str_has_prefix(scan->group, key->section))
			best = nearest_of(word, best, key->key);
	if (best)
		return complain(scan, scan->line, error,
				_("no such key \"%s\" in [%s]: did you mean \"%s\"?"), shown,
				scan->group, best);
	return complain(scan, scan->line, error,
			_("no such key \"%s\" in [%s]: postern-config(5) lists those there are"),
			shown, scan->group);
}

static bool
scan_key(Scan *scan, Span line, GError **error)
{
	const char *equals = memchr(line.at, '=', span_size(line));
	Span word, value;
	g_autofree char *text = NULL;
	Entry entry = { .line = scan->line };

	if (!equals)
		return complain(scan, scan->line, error,
				_("this is neither \"key = value\" nor a [section] nor a # "
				  "comment"));
	word = (Span){ line.at, equals };
	value = (Span){ equals + 1, line.end };
	trim(&word);
	trim(&value);
	text = span_dup(word);
	if (!scan->group)
		return complain(scan, scan->line, error,
				_("a key stands below a section: begin with [account NAME]"));
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(key->key, text))
			entry.key = key;
	if (!entry.key)
		return complain_key(scan, text, error);
	for (unsigned i = 0; i < scan->entries->len; i++) {
		const Entry *other = &g_array_index(scan->entries, Entry, i);

		if (other->key == entry.key && !strcmp(other->group, scan->group))
			return complain(scan, scan->line, error,
					_("%s a second time in [%s]: it stands at line %u"),
					entry.key->key, scan->group, other->line);
	}
	if (strcmp(entry.key->type, "command"))
		strip_comment(&value);
	if (span_is_empty(value))
		return complain(scan, scan->line, error, _("%s has no value"), entry.key->key);
	entry.group = g_strdup(scan->group);
	entry.account = scan->config->accounts->pdata[scan->config->accounts->len - 1];
	g_array_append_val(scan->entries, entry);
	g_string_append_printf(scan->clean, "%s=", entry.key->key);
	g_string_append_len(scan->clean, value.at, (gssize)span_size(value));
	return true;
}

static bool
scan_lines(Scan *scan, Span text, GError **error)
{
	while (!span_is_empty(text)) {
		const char *newline = memchr(text.at, '\n', span_size(text));
		Span line = { text.at, newline ? newline : text.end };

		text.at = newline ? newline + 1 : text.end;
		scan->line++;
		if (line.at < line.end && line.end[-1] == '\r')
			line.end--;
		trim(&line);
		if (!g_utf8_validate(line.at, (gssize)span_size(line), NULL))
			return complain(scan, scan->line, error,
					_("this line is not UTF-8 text: save the file as UTF-8"));
		if (span_is_empty(line) || *line.at == '#')
			continue;
		if (*line.at == '[' ? !scan_section(scan, line, error)
				    : !scan_key(scan, line, error))
			return false;
		g_string_append_c(scan->clean, '\n');
	}
	return true;
}

/* ---- values ----------------------------------------------------------------------------------- */

static bool
set_yes_no(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	static const char *const words[][2] = {
		{ "yes", "no" },
		{ "true", "false" },
		{ "on", "off" },
		{ "1", "0" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		for (int no = 0; no < 2; no++)
			if (!g_ascii_strcasecmp(words[i][no], value)) {
				G_STRUCT_MEMBER(bool, entry->account, entry->key->offset) = !no;
				return true;
			}
	return complain(scan, entry->line, error, _("%s is yes or no"), entry->key->key);
}

static bool
set_server(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	ConfigAccount *account = entry->account;
	ConfigServer server;
	g_autoptr(GError) problem = NULL;

	if (!config_server_parse(entry->key->key, value, &server, &problem))
		return complain(scan, entry->line, error, "%s", problem->message);
	if (!strcmp(entry->key->key, "imap")) {
		account->imap_user = server.user;
		account->imap_host = server.host;
		account->imap_port = server.port;
		account->imap_tls = server.tls;
	} else {
		account->smtp_user = server.user;
		account->smtp_host = server.host;
		account->smtp_port = server.port;
		account->smtp_tls = server.tls;
	}
	return true;
}

/* Certificates are looked at now, for OpenSSL's own words would name neither key nor line; a
 * password's file only when it is needed: it may be on a disk that is mounted later. */
static bool
set_file(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	g_autofree char *path = paths_expand_home(value);
	g_autofree char *shown = safe_line(path);
	g_autofree char *dir = NULL;
	struct stat info;

	if (!g_path_is_absolute(path)) { /* beside the configuration, wherever we were started */
		g_autofree char *name = g_steal_pointer(&path);

		dir = g_path_get_dirname(scan->config->path);
		path = g_build_filename(dir, name, NULL);
	}
	if (entry->key->offset != AT(password_file)) {
		if (access(path, R_OK) < 0 || stat(path, &info) < 0)
			return complain(scan, entry->line, error, _("cannot read %s %s: %s"),
					entry->key->key, shown, g_strerror(errno));
		if (!S_ISREG(info.st_mode))
			return complain(scan, entry->line, error, _("%s %s is not a file"),
					entry->key->key, shown);
	}
	G_STRUCT_MEMBER(char *, entry->account, entry->key->offset) = g_steal_pointer(&path);
	return true;
}

static bool
set_text(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	g_autofree char *bare = NULL;

	if (!strcmp(entry->key->key, "address")) {
		bare = config_address_bare(value);
		if (!bare)
			return complain(scan, entry->line, error,
					_("address is no mail address: write Ada Example "
					  "<ada@example.org>"));
	}
	G_STRUCT_MEMBER(char *, entry->account, entry->key->offset) = g_strdup(value);
	return true;
}

static bool
set_number(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, 1, CONFIG_CONNECTIONS_MAX, &number, NULL))
		return complain(scan, entry->line, error,
				/* TRANSLATORS: a key, then the largest number allowed */
				_("%s is a number from 1 to %d"), entry->key->key,
				CONFIG_CONNECTIONS_MAX);
	G_STRUCT_MEMBER(unsigned, entry->account, entry->key->offset) = (unsigned)number;
	return true;
}

static bool
set_time(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	if (config_time_parse(value, &G_STRUCT_MEMBER(int64_t, entry->account, entry->key->offset)))
		return true;
	return complain(scan, entry->line, error,
			_("%s is a time in days, weeks or years (90d, 12w, 1y), all or none"),
			entry->key->key);
}

static bool
set_size(const Scan *scan, const Entry *entry, const char *value, GError **error)
{
	bool may_be_none = entry->key->offset == AT(keep_attachments);
	uint64_t bytes = UINT64_MAX;

	if (may_be_none && !g_ascii_strcasecmp(value, "none"))
		bytes = 0;
	else if (g_ascii_strcasecmp(value, "all") && !config_size_parse(value, &bytes))
		return complain(scan, entry->line, error,
				may_be_none ? _("%s is a size (500k, 20M, 1G), all or none")
					    : _("%s is a size (500k, 20M, 1G) or all"),
				entry->key->key);
	G_STRUCT_MEMBER(uint64_t, entry->account, entry->key->offset) = bytes;
	return true;
}

static const struct {
	const char *type;
	bool (*set)(const Scan *scan, const Entry *entry, const char *value, GError **error);
} setters[] = {
	{ "text", set_text },  { "command", set_text },	 { "file", set_file },
	{ "url", set_server }, { "yes/no", set_yes_no }, { "number", set_number },
	{ "time", set_time },  { "size", set_size },
};

static bool
set_values(const Scan *scan, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) problem = NULL;

	if (scan->clean->len && !g_key_file_load_from_data(file, scan->clean->str, scan->clean->len,
							   G_KEY_FILE_NONE, &problem)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG, "%s: %s", scan->path,
			    problem->message);
		return false;
	}
	for (unsigned i = 0; i < scan->entries->len; i++) {
		const Entry *entry = &g_array_index(scan->entries, Entry, i);
		char *value = g_key_file_get_value(file, entry->group, entry->key->key, NULL);
		bool good = false;

		for (size_t j = 0; j < G_N_ELEMENTS(setters); j++)
			if (!strcmp(setters[j].type, entry->key->type))
				good = setters[j].set(scan, entry, value, error);
		secret_free(value);
		if (!good)
			return false;
	}
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool
check_secrets(const Scan *scan, const ConfigAccount *account, GError **error)
{
	static const size_t sources[] = { AT(password), AT(password_command), AT(password_file),
					  AT(token_command) };
	const Entry *first = NULL;

	for (unsigned i = 0; i < scan->entries->len; i++) {
		const Entry *entry = &g_array_index(scan->entries, Entry, i);

		if (entry->account != account)
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(sources); j++) {
			if (entry->key->offset != sources[j])
				continue;
			if (first)
				return complain(scan, entry->line, error,
						_("%s beside %s (line %u): keep one of the two"),
						entry->key->key, first->key->key, first->line);
			first = entry;
		}
	}
	return true;
}

static bool
fill_user(const Scan *scan, const ConfigAccount *account, unsigned line, const char *key,
	  const char *host, char **user, GError **error)
{
	if (!host || *user)
		return true;
	if (!account->address)
		return complain(scan, line, error,
				_("who logs in at %s?  Write %s = PROTOCOL://USER@%s, or an "
				  "address"),
				host, key, host);
	*user = config_address_bare(account->address);
	return true;
}

static bool
check_account(const Scan *scan, ConfigAccount *account, unsigned line, GError **error)
{
	if (!account->imap_host)
		return complain(scan, line, error,
				_("[account %s] has no imap: add imap = imaps://USER@HOST"),
				account->name);
	return check_secrets(scan, account, error) &&
	       fill_user(scan, account, line, "imap", account->imap_host, &account->imap_user,
			 error) &&
	       fill_user(scan, account, line, "smtp", account->smtp_host, &account->smtp_user,
			 error);
}

/* Checks each account; puts the default first. */
static bool
check_accounts(const Scan *scan, GError **error)
{
	GPtrArray *accounts = scan->config->accounts;
	ConfigAccount *chosen = NULL;

	for (unsigned i = 0; i < accounts->len; i++) {
		ConfigAccount *account = accounts->pdata[i];
		unsigned line = g_array_index(scan->section_lines, unsigned, i);

		if (!check_account(scan, account, line, error))
			return false;
		if (account->is_default && chosen)
			return complain(scan, line, error,
					_("[account %s] and [account %s] cannot both be the "
					  "default"),
					chosen->name, account->name);
		if (account->is_default)
			chosen = account;
	}
	if (!chosen)
		chosen = accounts->pdata[0];
	chosen->is_default = true;
	for (unsigned i = 0; i < accounts->len; i++)
		if (accounts->pdata[i] == chosen) {
			memmove(accounts->pdata + 1, accounts->pdata, i * sizeof(void *));
			accounts->pdata[0] = chosen;
		}
	return true;
}

static const char *
example(void)
{
	return "    [account work]\n"
	       "    address = Ada Example <ada@example.org>\n"
	       "    imap = imaps://ada@mail.example.org\n"
	       "    smtp = smtps://ada@mail.example.org\n"
	       "    password-command = pass show mail/ada";
}

/* A pipe will do (--config <(...)), so the size is not asked for.  MODE is the file's. */
static bool
read_file(const char *path, const char *shown, GString *text, mode_t *mode, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat info;
	char piece[4096];
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &info) == 0)
		while ((n = read(fd, piece, sizeof piece)) > 0 && text->len <= FILE_MAX)
			g_string_append_len(text, piece, n);
	secret_wipe(piece, sizeof piece);
	if (n < 0 && errno == ENOENT)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("there is no configuration: looked for %s.  These lines would "
			      "do:\n\n%s"),
			    shown, example());
	else if (n < 0)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("cannot read the configuration %s: %s"), shown, g_strerror(errno));
	else if (n > 0)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("%s is larger than a configuration may be (1 MiB)"), shown);
	else
		*mode = info.st_mode;
	if (fd >= 0)
		close(fd);
	return n == 0;
}

static bool
check_mode(const Scan *scan, mode_t mode, GError **error)
{
	g_autofree char *quoted = NULL;

	if (!S_ISREG(mode))
		return true;
	quoted = g_shell_quote(scan->path);
	if (mode & S_IWOTH) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("everybody can write to %s, which names commands that Postern runs: "
			      "close it with chmod 600 %s"),
			    scan->path, quoted);
		return false;
	}
	if (!(mode & (S_IRWXG | S_IRWXO)))
		return true;
	for (unsigned i = 0; i < scan->entries->len; i++) {
		const Entry *entry = &g_array_index(scan->entries, Entry, i);

		if (entry->key->offset == AT(password))
			return complain(scan, entry->line, error,
					_("there is a password in it, and others can read it: "
					  "close "
					  "it with chmod 600 %s"),
					quoted);
	}
	return true;
}

static bool
parse(Scan *scan, Span text, mode_t mode, GError **error)
{
	if (span_starts_nocase(text, "\xEF\xBB\xBF"))
		text.at += 3;
	if (!scan_lines(scan, text, error) || !check_mode(scan, mode, error) ||
	    !set_values(scan, error))
		return false;
	if (!scan->config->accounts->len) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("%s has no [account NAME] section.  These lines would do:\n\n%s"),
			    scan->path, example());
		return false;
	}
	return check_accounts(scan, error);
}

Config *
config_load(const char *path, GError **error)
{
	g_autoptr(Config) config = g_new0(Config, 1);
	g_autofree char *shown = NULL;
	GString *text = g_string_sized_new(64 * 1024); /* growing would leave copies behind */
	mode_t mode = 0;
	bool good;

	config->path = path ? paths_expand_home(path) : paths_config_file();
	config->accounts = g_ptr_array_new_with_free_func((GDestroyNotify)account_free);
	shown = safe_line(config->path);
	good = read_file(config->path, shown, text, &mode, error);
	if (good) {
		g_auto(Scan) scan = {
			.path = shown,
			.config = config,
			.clean = g_string_sized_new(text->len + 16),
			.entries = g_array_new(FALSE, TRUE, sizeof(Entry)),
			.section_lines = g_array_new(FALSE, TRUE, sizeof(unsigned)),
		};

		g_array_set_clear_func(scan.entries, (GDestroyNotify)entry_clear);
		good = parse(&scan, span_of(text->str, text->len), mode, error);
	}
	secret_wipe(text->str, text->len);
	g_string_free(text, TRUE);
	return good ? g_steal_pointer(&config) : NULL;
}

void
config_free(Config *config)
{
	if (!config)
		return;
	g_free(config->path);
	g_ptr_array_unref(config->accounts);
	g_free(config);
}

const ConfigAccount *
config_account(const Config *config, const char *name, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	g_autofree char *shown = NULL;

	if (!name)
		return config->accounts->pdata[0];
	for (unsigned i = 0; i < config->accounts->len; i++) {
		const ConfigAccount *account = config->accounts->pdata[i];

		if (!strcmp(account->name, name))
			return account;
		g_string_append_printf(names, "%s%s", i ? ", " : "", account->name);
	}
	shown = safe_line(name);
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
		    _("no account \"%s\" in %s: there is %s"), shown, config->path, names->str);
	return NULL;
}
