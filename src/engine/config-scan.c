/* The lines of a configuration. */
#include "config-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"
#include "engine/secret.h"

/* Of an account's name, or a command's. */
#define NAME_MAX_BYTES 64

static void
entry_clear(gpointer data)
{
	ConfigEntry *entry = data;

	g_free(entry->group);
	g_free(entry->word);
}

void
config_scan_init(ConfigScan *scan, Config *config, const char *path, size_t size)
{
	*scan = (ConfigScan){
		.path = path,
		.config = config,
		.clean = g_string_sized_new(size), /* growing would leave copies behind */
		.entries = g_array_new(FALSE, TRUE, sizeof(ConfigEntry)),
		.section_lines = g_array_new(FALSE, TRUE, sizeof(unsigned)),
	};
	g_array_set_clear_func(scan->entries, entry_clear);
}

void
config_scan_clear(ConfigScan *scan)
{
	secret_wipe(scan->clean->str, scan->clean->len);
	g_string_free(scan->clean, TRUE);
	g_array_unref(scan->entries);
	g_array_unref(scan->section_lines);
	g_free(scan->section);
	g_free(scan->group);
	g_free(scan->place);
}

bool
config_scan_complain(const ConfigScan *scan, unsigned line, GError **error, const char *format, ...)
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

static const char *const sections[] = { "account", "screen", "keys", "command" };

static bool
complain_section(const ConfigScan *scan, const char *word, const char *name, GError **error)
{
	g_autofree char *shown = safe_line(word);
	g_autofree char *shown_name = safe_line(name);
	const char *best = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
		best = nearest_of(word, best, sections[i]);
	if (best && (!strcmp(best, "account") || !strcmp(best, "command")))
		return config_scan_complain(scan, scan->line, error,
					    _("no such section [%s]: did you mean [%s %s]?"), shown,
					    best, *shown_name ? shown_name : "NAME");
	if (best)
		return config_scan_complain(scan, scan->line, error,
					    _("no such section [%s]: did you mean [%s]?"), shown,
					    best);
	if (!*shown_name)
		return config_scan_complain(scan, scan->line, error,
					    _("no such section [%s]: did you mean [account %s]?"),
					    shown, shown);
	return config_scan_complain(scan, scan->line, error,
				    _("no such section [%s %s]: a section is [account NAME], "
				      "[screen], [keys] or [command NAME]"),
				    shown, shown_name);
}

static bool
check_name(const ConfigScan *scan, const char *name, GError **error)
{
	const Config *config = scan->config;
	unsigned line = 0;

	if (!*name)
		return config_scan_complain(scan, scan->line, error,
					    !strcmp(scan->section, "account")
						? _("an account needs a name: [account NAME]")
						: _("a command needs a name: [command NAME]"));
	if (strlen(name) > NAME_MAX_BYTES || !safe_text_is(span_of_string(name), SAFE_LINE) ||
	    strchr(name, '['))
		return config_scan_complain(scan, scan->line, error,
					    _("a name is at most %d bytes of text without "
					      "brackets"),
					    NAME_MAX_BYTES);
	for (unsigned i = 0; !strcmp(scan->section, "account") && i < config->accounts->len; i++)
		if (!strcmp(((ConfigAccount *)config->accounts->pdata[i])->name, name))
			line = g_array_index(scan->section_lines, unsigned, i);
	for (unsigned i = 0; !strcmp(scan->section, "command") && i < config->commands->len; i++) {
		const ConfigCommand *other = config->commands->pdata[i];

		if (!strcmp(other->name, name))
			line = other->line;
	}
	if (line)
		return config_scan_complain(scan, scan->line, error,
					    _("[%s] a second time: it begins at line %u"),
					    scan->group, line);
	return true;
}

static void
add_account(ConfigScan *scan, const char *name)
{
	ConfigAccount *account = g_new0(ConfigAccount, 1);

	config_set_normal("account", account);
	account->name = g_strdup(name);
	g_ptr_array_add(scan->config->accounts, account);
	g_array_append_val(scan->section_lines, scan->line);
	scan->base = account;
}

static void
add_command(ConfigScan *scan, const char *name)
{
	ConfigCommand *command = g_new0(ConfigCommand, 1);

	command->name = g_strdup(name);
	command->line = scan->line;
	g_ptr_array_add(scan->config->commands, command);
	scan->base = command;
}

static bool
begin_section(ConfigScan *scan, const char *word, const char *name, GError **error)
{
	g_free(scan->section);
	g_free(scan->group);
	g_clear_pointer(&scan->place, g_free);
	scan->section = g_strdup(word);
	scan->group = *name ? g_strdup_printf("%s %s", word, name) : g_strdup(word);
	scan->base = NULL;
	if (!strcmp(word, "account") || !strcmp(word, "command")) {
		if (!check_name(scan, name, error))
			return false;
		if (!strcmp(word, "account"))
			add_account(scan, name);
		else
			add_command(scan, name);
	} else if (!strcmp(word, "screen")) {
		if (*name)
			return config_scan_complain(scan, scan->line, error,
						    _("[screen] takes no name"));
		scan->base = &scan->config->screen;
	} else if (*name) {
		scan->place = g_strdup(name);
	}
	g_string_append_printf(scan->clean, "[%s]", scan->group);
	return true;
}

static bool
scan_section(ConfigScan *scan, Span line, GError **error)
{
	const char *close = memchr(line.at, ']', span_size(line));
	Span word, name;
	g_autofree char *word_text = NULL;
	g_autofree char *name_text = NULL;

	if (!close)
		return config_scan_complain(scan, scan->line, error,
					    _("a section ends with \"]\""));
	word = span_of(line.at + 1, (size_t)(close - line.at - 1));
	line.at = close + 1;
	strip_comment(&line);
	if (!span_is_empty(line))
		return config_scan_complain(scan, scan->line, error,
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
	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
		if (!strcmp(sections[i], word_text))
			return begin_section(scan, word_text, name_text, error);
	return complain_section(scan, word_text, name_text, error);
}

static bool
complain_key(const ConfigScan *scan, const char *word, GError **error)
{
	g_autofree char *shown = safe_line(word);
	const char *best = NULL;

	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(scan->section, key->section))
			best = nearest_of(word, best, key->key);
	if (best)
		return config_scan_complain(scan, scan->line, error,
					    _("no such key \"%s\" in [%s]: did you mean \"%s\"?"),
					    shown, scan->group, best);
	return config_scan_complain(scan, scan->line, error,
				    _("no such key \"%s\" in [%s]: postern-config(5) lists those "
				      "there are"),
				    shown, scan->group);
}

static bool
check_repeated(const ConfigScan *scan, const char *word, GError **error)
{
	for (unsigned i = 0; i < scan->entries->len; i++) {
		const ConfigEntry *other = &g_array_index(scan->entries, ConfigEntry, i);

		if (!strcmp(other->word, word) && !strcmp(other->group, scan->group))
			return config_scan_complain(scan, scan->line, error,
						    _("%s a second time in [%s]: it stands at line "
						      "%u"),
						    word, scan->group, other->line);
	}
	return true;
}

/* Of those the shell, or whoever knows keys, reads the "#". */
static bool
has_comments(const ConfigEntry *entry)
{
	return entry->key && strcmp(entry->key->type, "command") &&
	       strcmp(entry->key->section, "command");
}

static bool
scan_key(ConfigScan *scan, Span line, GError **error)
{
	const char *equals = memchr(line.at, '=', span_size(line));
	Span word, value;
	g_autofree char *text = NULL;
	ConfigEntry entry = { .line = scan->line };

	if (!equals)
		return config_scan_complain(scan, scan->line, error,
					    _("this is neither \"key = value\" nor a [section] nor "
					      "a # comment"));
	word = (Span){ line.at, equals };
	value = (Span){ equals + 1, line.end };
	trim(&word);
	trim(&value);
	text = span_dup(word);
	if (!scan->group)
		return config_scan_complain(scan, scan->line, error,
					    _("a key stands below a section: begin with [account "
					      "NAME]"));
	entry.key = config_key(scan->section, text);
	if (scan->base ? !entry.key : span_is_empty(word))
		return complain_key(scan, text, error);
	if (!check_repeated(scan, text, error))
		return false;
	if (has_comments(&entry))
		strip_comment(&value);
	if (span_is_empty(value))
		return config_scan_complain(scan, scan->line, error, _("%s has no value"), text);
	if (!scan->base) {
		ConfigKeys *keys = g_new0(ConfigKeys, 1);

		keys->place = g_strdup(scan->place);
		keys->command = g_strdup(text);
		keys->keys = span_dup(value);
		keys->line = scan->line;
		g_ptr_array_add(scan->config->keys, keys);
	}
	entry.base = scan->base;
	entry.account = strcmp(scan->section, "account") ? NULL : scan->base;
	entry.group = g_strdup(scan->group);
	entry.word = g_steal_pointer(&text);
	g_array_append_val(scan->entries, entry);
	g_string_append_printf(scan->clean, "%s=", entry.word);
	g_string_append_len(scan->clean, value.at, (gssize)span_size(value));
	return true;
}

bool
config_scan_lines(ConfigScan *scan, Span text, GError **error)
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
			return config_scan_complain(scan, scan->line, error,
						    _("this line is not UTF-8 text: save the file "
						      "as UTF-8"));
		if (span_is_empty(line) || *line.at == '#')
			continue;
		if (*line.at == '[' ? !scan_section(scan, line, error)
				    : !scan_key(scan, line, error))
			return false;
		g_string_append_c(scan->clean, '\n');
	}
	return true;
}
