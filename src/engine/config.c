/* The configuration as a whole: read, checked, and let go of. */
#include "config-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/safetext.h"
#include "engine/secret.h"

#define FILE_MAX   (1024 * 1024) /* bytes of a whole configuration */
#define AT(member) offsetof(ConfigAccount, member)

static void
account_free(gpointer data)
{
	ConfigAccount *account = data;

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
command_free(gpointer data)
{
	ConfigCommand *command = data;

	g_free(command->name);
	g_free(command->run);
	g_free(command->keys);
	g_free(command->where);
	g_free(command->sentence);
	g_free(command);
}

static void
keys_free(gpointer data)
{
	ConfigKeys *keys = data;

	g_free(keys->place);
	g_free(keys->command);
	g_free(keys->keys);
	g_free(keys);
}

static bool
set_values(const ConfigScan *scan, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *dir = g_path_get_dirname(scan->config->path);
	g_autoptr(GError) problem = NULL;

	if (scan->clean->len && !g_key_file_load_from_data(file, scan->clean->str, scan->clean->len,
							   G_KEY_FILE_NONE, &problem)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG, "%s: %s", scan->path,
			    problem->message);
		return false;
	}
	for (unsigned i = 0; i < scan->entries->len; i++) {
		const ConfigEntry *entry = &g_array_index(scan->entries, ConfigEntry, i);
		char *value = g_key_file_get_value(file, entry->group, entry->word, NULL);
		bool good =
		    !entry->key || config_value_set(entry->base, entry->key, value, dir, &problem);

		secret_free(value);
		if (!good)
			return config_scan_complain(scan, entry->line, error, "%s",
						    problem->message);
	}
	return true;
}

static bool
check_secrets(const ConfigScan *scan, const ConfigAccount *account, GError **error)
{
	static const size_t sources[] = { AT(password), AT(password_command), AT(password_file),
					  AT(token_command) };
	const ConfigEntry *first = NULL;

	for (unsigned i = 0; i < scan->entries->len; i++) {
		const ConfigEntry *entry = &g_array_index(scan->entries, ConfigEntry, i);

		if (entry->account != account)
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(sources); j++) {
			if (entry->key->offset != sources[j])
				continue;
			if (first)
				return config_scan_complain(scan, entry->line, error,
							    _("%s beside %s (line %u): keep one of "
							      "the two"),
							    entry->key->key, first->key->key,
							    first->line);
			first = entry;
		}
	}
	return true;
}

static bool
fill_user(const ConfigScan *scan, const ConfigAccount *account, unsigned line, const char *key,
	  const char *host, char **user, GError **error)
{
	if (!host || *user)
		return true;
	if (!account->address)
		return config_scan_complain(scan, line, error,
					    _("who logs in at %s?  Write %s = PROTOCOL://USER@%s, "
					      "or an "
					      "address"),
					    host, key, host);
	*user = config_address_bare(account->address);
	return true;
}

static bool
check_account(const ConfigScan *scan, ConfigAccount *account, unsigned line, GError **error)
{
	if (!account->imap_host)
		return config_scan_complain(scan, line, error,
					    _("[account %s] has no imap: add imap = "
					      "imaps://USER@HOST"),
					    account->name);
	return check_secrets(scan, account, error) &&
	       fill_user(scan, account, line, "imap", account->imap_host, &account->imap_user,
			 error) &&
	       fill_user(scan, account, line, "smtp", account->smtp_host, &account->smtp_user,
			 error);
}

/* Checks each account; puts the default first. */
static bool
check_accounts(const ConfigScan *scan, GError **error)
{
	GPtrArray *accounts = scan->config->accounts;
	ConfigAccount *chosen = NULL;

	for (unsigned i = 0; i < accounts->len; i++) {
		ConfigAccount *account = accounts->pdata[i];
		unsigned line = g_array_index(scan->section_lines, unsigned, i);

		if (!check_account(scan, account, line, error))
			return false;
		if (account->is_default && chosen)
			return config_scan_complain(scan, line, error,
						    _("[account %s] and [account %s] cannot both "
						      "be the "
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

static bool
check_commands(const ConfigScan *scan, GError **error)
{
	for (unsigned i = 0; i < scan->config->commands->len; i++) {
		const ConfigCommand *command = scan->config->commands->pdata[i];

		if (!command->run)
			return config_scan_complain(scan, command->line, error,
						    _("[command %s] has no run: add run = COMMAND; "
						      "COMMAND"),
						    command->name);
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
check_mode(const ConfigScan *scan, mode_t mode, GError **error)
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
		const ConfigEntry *entry = &g_array_index(scan->entries, ConfigEntry, i);

		if (entry->account && entry->key->offset == AT(password))
			return config_scan_complain(scan, entry->line, error,
						    _("there is a password in it, and others can "
						      "read it: "
						      "close "
						      "it with chmod 600 %s"),
						    quoted);
	}
	return true;
}

static bool
parse(ConfigScan *scan, Span text, mode_t mode, GError **error)
{
	if (span_starts_nocase(text, "\xEF\xBB\xBF"))
		text.at += 3;
	if (!config_scan_lines(scan, text, error) || !check_mode(scan, mode, error) ||
	    !set_values(scan, error))
		return false;
	if (!scan->config->accounts->len) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("%s has no [account NAME] section.  These lines would do:\n\n%s"),
			    scan->path, example());
		return false;
	}
	return check_accounts(scan, error) && check_commands(scan, error);
}

static bool
parse_file(Config *config, GString *text, mode_t mode, GError **error)
{
	g_autofree char *shown = safe_line(config->path);
	g_auto(ConfigScan) scan = { 0 };

	config_scan_init(&scan, config, shown, text->len + 16);
	return parse(&scan, span_of(text->str, text->len), mode, error);
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
	config->accounts = g_ptr_array_new_with_free_func(account_free);
	config->commands = g_ptr_array_new_with_free_func(command_free);
	config->keys = g_ptr_array_new_with_free_func(keys_free);
	config_set_normal("screen", &config->screen);
	shown = safe_line(config->path);
	good = read_file(config->path, shown, text, &mode, error) &&
	       parse_file(config, text, mode, error);
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
	g_ptr_array_unref(config->commands);
	g_ptr_array_unref(config->keys);
	config_screen_clear(&config->screen);
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
