#include "cli/options.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"

typedef struct Command {
	const char *name, *arguments;
	size_t min_words, max_words;
	const char *sentence;
} Command;

static const Command commands[CLI_COMMANDS] = {
	[CLI_UI] = { "", "[FOLDER]", 0, 1,
		     N_("The full-screen client, at FOLDER or the inbox.  \"postern -- FOLDER\" "
			"for a "
			"folder that is called like a command.") },
	[CLI_FOLDERS] = { "folders", "", 0, 0,
			  N_("Every folder with its counts: account, name, delimiter, role, total, "
			     "unread, subscribed.") },
	[CLI_SYNC] = { "sync", "[FOLDER...] [--bodies none|text|all] [--accept-loss]", 0, SIZE_MAX,
		       N_("Mirror now, every folder or these; the last line counts messages, "
			  "bytes, "
			  "round trips and seconds.  When much of a folder is missing at once "
			  "nothing is "
			  "removed here until --accept-loss FOLDER says that it may be.") },
	[CLI_LIST] = { "list", "FOLDER [--limit N] [--offset N]", 1, 1,
		       N_("The messages of a folder, newest first.") },
	[CLI_SHOW] = { "show", "FOLDER UID [--raw | --headers | --structure | --part SECTION]", 2,
		       2,
		       N_("One message: its text, its bytes, its headers, its tree of parts, or "
			  "one "
			  "part, decoded.  UID is a number, * (the last one) or id:N.") },
	[CLI_CHECK] = { "check", "", 0, 0,
			N_("Connect, and say what was negotiated or what is wrong.") },
	[CLI_FLAG] = { "flag", "FOLDER UID... +FLAG... -FLAG...", 3, SIZE_MAX,
		       N_("Set and clear flags and keywords of messages: '+\\Seen', -work.  A UID "
			  "set is 7, 7:9, 7,9, * (the last one) or id:N.") },
	[CLI_MOVE] = { "move", "FOLDER UID... DEST", 3, SIZE_MAX,
		       N_("Move messages to another folder.") },
	[CLI_COPY] = { "copy", "FOLDER UID... DEST", 3, SIZE_MAX,
		       N_("Copy messages to another folder.") },
	[CLI_DELETE] = { "delete", "FOLDER UID...", 2, SIZE_MAX,
			 N_("Move messages to the trash; those that are there already go for good, "
			    "after asking where there is somebody to ask.") },
	[CLI_APPEND] = { "append", "FOLDER [+FLAG...]", 1, SIZE_MAX,
			 N_("Keep the message on standard input in a folder.") },
	[CLI_FOLDER] = { "folder",
			 "create NAME | rename NAME NEW | delete NAME | subscribe NAME | "
			 "unsubscribe NAME",
			 2, 3, N_("Make, rename, delete a folder, or change what is subscribed.") },
	[CLI_QUEUE] = { "queue", "[retry [ID] | drop ID]", 0, 2,
			N_("What waits to be done on the server or failed, and why; try again what "
			   "failed, or take back one change.") },
	[CLI_UNDO] = { "undo", "", 0, 0, N_("Take back the last action.") },
};

/* Named in the contract of the command line, and not yet here. */
static const char *const later_commands[] = {
	"search",
	"send",
	"backup",
};

#define FOR(command) (1u << (command))
#define FOR_EVERY    (~0u)

typedef bool (*TakeOption)(CliOptions *options, const char *value, GError **error);

typedef struct Option {
	const char *name;
	char letter;	      /* '\0': none */
	const char *argument; /* NULL: a switch */
	unsigned commands;    /* that know it, FOR() of each */
	TakeOption take;
	const char *sentence; /* NULL: the command's own line says it */
} Option;

static bool G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_propagate_error(error,
			  g_error_new_valist(POSTERN_ERROR, POSTERN_ERROR_USAGE, format, args));
	va_end(args);
	return false;
}

/* ---- options ---------------------------------------------------------------------------------- */

static bool
take_config(CliOptions *options, const char *value, GError **error)
{
	options->config = value;
	return true;
}

static bool
take_data(CliOptions *options, const char *value, GError **error)
{
	options->data = value;
	return true;
}

static bool
take_account(CliOptions *options, const char *value, GError **error)
{
	options->account = value;
	return true;
}

static bool
take_offline(CliOptions *options, const char *value, GError **error)
{
	options->offline = true;
	return true;
}

static bool
take_log(CliOptions *options, const char *value, GError **error)
{
	options->log = value;
	return true;
}

static bool
take_json(CliOptions *options, const char *value, GError **error)
{
	options->json = true;
	return true;
}

static bool
take_help(CliOptions *options, const char *value, GError **error)
{
	options->help = true;
	return true;
}

static bool
take_version(CliOptions *options, const char *value, GError **error)
{
	options->version = true;
	return true;
}

static bool
take_bodies(CliOptions *options, const char *value, GError **error)
{
	static const char *const words[] = {
		[ENGINE_BODIES_NONE] = "none",
		[ENGINE_BODIES_TEXT] = "text",
		[ENGINE_BODIES_ALL] = "all",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i], value)) {
			options->bodies = (EngineBodies)i;
			return true;
		}
	return refuse(error, _("--bodies is none, text or all"));
}

static bool
take_accept_loss(CliOptions *options, const char *value, GError **error)
{
	options->accept_loss = true;
	return true;
}

static bool
take_number(const char *name, const char *value, uint32_t min, uint32_t *number, GError **error)
{
	uint64_t wide;

	if (!span_to_number(span_of_string(value), UINT32_MAX, &wide) || wide < min)
		return refuse(error, _("%s is a number from %u"), name, min);
	*number = (uint32_t)wide;
	return true;
}

static bool
take_limit(CliOptions *options, const char *value, GError **error)
{
	return take_number("--limit", value, 1, &options->limit, error);
}

static bool
take_offset(CliOptions *options, const char *value, GError **error)
{
	return take_number("--offset", value, 0, &options->offset, error);
}

static bool
take_show(CliOptions *options, CliShow show, GError **error)
{
	if (options->show != CLI_SHOW_TEXT && options->show != show)
		return refuse(error,
			      _("only one of --raw, --headers, --structure and --part at a time"));
	options->show = show;
	return true;
}

static bool
take_raw(CliOptions *options, const char *value, GError **error)
{
	return take_show(options, CLI_SHOW_RAW, error);
}

static bool
take_headers(CliOptions *options, const char *value, GError **error)
{
	return take_show(options, CLI_SHOW_HEADERS, error);
}

static bool
take_structure(CliOptions *options, const char *value, GError **error)
{
	return take_show(options, CLI_SHOW_STRUCTURE, error);
}

static bool
take_part(CliOptions *options, const char *value, GError **error)
{
	options->section = value;
	return take_show(options, CLI_SHOW_PART, error);
}

/* TAKE NULL: in the contract of the command line, and not yet here. */
static const Option options_table[] = {
	{ "config", 0, "FILE", FOR_EVERY, take_config,
	  N_("the configuration, instead of $XDG_CONFIG_HOME/postern/config") },
	{ "data", 0, "DIR", FOR_EVERY, take_data,
	  N_("where mail is kept, instead of $XDG_DATA_HOME/postern") },
	{ "account", 0, "NAME", FOR_EVERY, take_account,
	  N_("this account, instead of the default") },
	{ "offline", 0, NULL, FOR_EVERY, take_offline, N_("use what is kept, open no line") },
	{ "log", 0, "FILE", FOR_EVERY, take_log,
	  N_("append a trace of the session, without its secrets") },
	{ "json", 0, NULL, FOR_EVERY & ~FOR(CLI_UI), take_json,
	  N_("one JSON object a line instead of text") },
	{ "help", 'h', NULL, FOR_EVERY, take_help, N_("this text, or that of one command") },
	{ "version", 'V', NULL, FOR_EVERY, take_version, N_("the version") },
	{ "bodies", 0, "none|text|all", FOR(CLI_SYNC), take_bodies, NULL },
	{ "accept-loss", 0, NULL, FOR(CLI_SYNC), take_accept_loss, NULL },
	{ "limit", 0, "N", FOR(CLI_LIST), take_limit, NULL },
	{ "offset", 0, "N", FOR(CLI_LIST), take_offset, NULL },
	{ "threads", 0, NULL, FOR(CLI_LIST), NULL, NULL },
	{ "sort", 0, "KEY", FOR(CLI_LIST), NULL, NULL },
	{ "query", 0, "QUERY", FOR(CLI_LIST), NULL, NULL },
	{ "raw", 0, NULL, FOR(CLI_SHOW), take_raw, NULL },
	{ "headers", 0, NULL, FOR(CLI_SHOW), take_headers, NULL },
	{ "structure", 0, NULL, FOR(CLI_SHOW), take_structure, NULL },
	{ "part", 0, "SECTION", FOR(CLI_SHOW), take_part, NULL },
};

static bool
unknown_option(const char *word, GError **error)
{
	g_autofree char *name = g_strndup(word, strcspn(word, "="));
	g_autofree char *shown = safe_line(name);
	const char *best = NULL;

	if (g_str_has_prefix(name, "--"))
		for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++)
			best = nearest_of(name + 2, best, options_table[i].name);
	if (best)
		return refuse(error, _("no such option %s: did you mean --%s?"), shown, best);
	return refuse(error, _("no such option %s: postern --help lists those there are"), shown);
}

/* The row of WORD ("--name", "--name=value", "-h"); *VALUE is what follows "=", or NULL. */
static const Option *
find_option(const char *word, const char **value, GError **error)
{
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
	Span name = { word + 2, equals ? equals : word + strlen(word) };

	*value = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const Option *option = &options_table[i];

		if (word[1] == '-' ? span_is(name, option->name)
				   : (option->letter && word[1] == option->letter && !word[2]))
			return option;
	}
	unknown_option(word, error);
	return NULL;
}

/* Takes argv[*at], an option, and its argument; *SEEN collects the rows met. */
static bool
take_option(CliOptions *options, int argc, char **argv, int *at, uint32_t *seen, GError **error)
{
	const char *value;
	const Option *option = find_option(argv[*at], &value, error);

	if (!option)
		return false;
	if (!option->take)
		return refuse(error, _("--%s is not in this version of Postern"), option->name);
	if (value && !option->argument)
		return refuse(error, _("--%s takes no value"), option->name);
	if (!value && option->argument) {
		if (*at + 1 == argc)
			return refuse(error, _("--%s needs a value: --%s %s"), option->name,
				      option->name, option->argument);
		value = argv[++*at];
	}
	if (value && !*value)
		return refuse(error, _("--%s has an empty value"), option->name);
	*seen |= 1u << (option - options_table);
	return option->take(options, value, error);
}

/* ---- words ------------------------------------------------------------------------------------ */

static bool
wrong_words(CliCommand command, const char *why, GError **error)
{
	const Command *row = &commands[command];

	return refuse(error, _("%s: it goes postern%s%s%s%s"), why, *row->name ? " " : "",
		      row->name, *row->arguments ? " " : "", row->arguments);
}

/* The first word: a command, or a folder to open. */
static bool
take_first_word(CliOptions *options, const char *word, bool is_folder, GError **error)
{
	g_autofree char *shown = safe_line(word);

	for (int i = 1; i < CLI_COMMANDS && !is_folder; i++) {
		if (!strcmp(commands[i].name, word)) {
			options->command = (CliCommand)i;
			return true;
		}
		options->near_command = nearest_of(word, options->near_command, commands[i].name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(later_commands) && !is_folder; i++)
		if (!strcmp(later_commands[i], word))
			return refuse(error, _("\"%s\" is not in this version of Postern"), word);
	if (g_str_has_prefix(word, "imap://") || g_str_has_prefix(word, "imaps://") ||
	    g_str_has_prefix(word, "mailto:"))
		return refuse(error, _("this version of Postern does not open %s"), shown);
	if (!is_folder && !strcmp(word, "help")) {
		options->help = true;
		for (int i = 1; i < CLI_COMMANDS && options->n_words > 1; i++)
			if (!strcmp(commands[i].name, options->words[1]))
				options->command = (CliCommand)i;
		return true;
	}
	options->folder = word;
	options->folder_is_sure = is_folder;
	return true;
}

static char *
missing_word(const CliOptions *options)
{
	const char *name = commands[options->command].name;

	if (options->command == CLI_FOLDER)
		return g_strdup_printf(options->n_words ? _("%s needs a NAME")
							: _("%s needs a word for what to do"),
				       name);
	if (!options->n_words)
		return g_strdup_printf(_("%s needs a FOLDER"), name);
	if (options->n_words == 1)
		return g_strdup_printf(_("%s needs a UID"), name);
	return g_strdup_printf(options->command == CLI_FLAG ? _("%s needs a +FLAG or -FLAG")
							    : _("%s needs a folder to go to"),
			       name);
}

static bool
check_words(CliOptions *options, GError **error)
{
	const Command *row = &commands[options->command];
	g_autofree char *shown = NULL;
	g_autofree char *why = NULL;

	for (size_t i = 0; i < options->n_words; i++)
		if (!g_utf8_validate(options->words[i], -1, NULL)) {
			shown = safe_line(options->words[i]);
			return refuse(error, _("\"%s\" is not UTF-8 text"), shown);
		}
	if (options->command == CLI_UI && options->n_words > 1) {
		if (options->folder_is_sure)
			return wrong_words(CLI_UI, _("one folder is opened at a time"), error);
		if (options->near_command) {
			cli_options_slip(options, error);
			return false;
		}
		shown = safe_line(options->folder);
		return refuse(error,
			      _("no such command \"%s\": postern --help lists those there are"),
			      shown);
	}
	if (options->n_words < row->min_words) {
		why = missing_word(options);
		return wrong_words(options->command, why, error);
	}
	if (options->n_words > row->max_words) {
		shown = safe_line(options->words[row->max_words]);
		why = g_strdup_printf(_("%s does not take \"%s\""), row->name, shown);
		return wrong_words(options->command, why, error);
	}
	for (size_t i = 0; i < options->n_words; i++)
		if (!*options->words[i])
			return wrong_words(options->command, _("a word is empty"), error);
	return true;
}

static bool
check_options(const CliOptions *options, uint32_t seen, GError **error)
{
	const Command *row = &commands[options->command];
	g_autofree char *why = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const Option *option = &options_table[i];

		if (!(seen & (1u << i)) || (option->commands & FOR(options->command)))
			continue;
		if (options->command == CLI_UI)
			return refuse(error, _("--%s needs a command: postern --help lists them"),
				      option->name);
		why = g_strdup_printf(_("%s does not take --%s"), row->name, option->name);
		return wrong_words(options->command, why, error);
	}
	if (options->json && (options->show == CLI_SHOW_RAW || options->show == CLI_SHOW_PART))
		return refuse(error, _("--json has no form for bytes: leave it out with --raw and "
				       "--part"));
	return true;
}

/* "-work" behind "flag" clears a keyword. */
static bool
takes_flag(const char *command, const char *word)
{
	return !strcmp(command, commands[CLI_FLAG].name) && cli_is_flag(word) &&
	       strcmp(word, "-h") && strcmp(word, "-V");
}

bool
cli_options_parse(CliOptions *options, int argc, char **argv, GError **error)
{
	CliOptions found = { 0 };
	uint32_t seen = 0;
	size_t n_words = 0;
	bool is_ended = false, first_is_folder = false;

	G_STATIC_ASSERT(G_N_ELEMENTS(options_table) <= 32);
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (!is_ended && !strcmp(word, "--")) {
			is_ended = true;
			first_is_folder = !n_words;
		} else if (!is_ended && word[0] == '-' && word[1] &&
			   !(n_words && !first_is_folder && takes_flag(argv[1], word))) {
			if (!take_option(&found, argc, argv, &i, &seen, error))
				return false;
		} else {
			argv[1 + n_words++] = word; /* words are never more than what was read */
		}
	}
	if (argc > 0)
		argv[1 + n_words] = NULL; /* at most where argv's own NULL is */
	found.words = (const char *const *)argv + 1;
	found.n_words = n_words;
	if (n_words && !take_first_word(&found, argv[1], first_is_folder, error))
		return false;
	if (found.command != CLI_UI) {
		found.words++;
		found.n_words--;
	}
	if (!found.help && !found.version &&
	    (!check_words(&found, error) || !check_options(&found, seen, error)))
		return false;
	*options = found;
	return true;
}

void
cli_options_slip(const CliOptions *options, GError **error)
{
	g_autofree char *shown = safe_line(options->folder);

	refuse(error, _("no such command or folder \"%s\": did you mean \"%s\"?"), shown,
	       options->near_command);
}

/* ---- UIDs ------------------------------------------------------------------------------------- */

bool
cli_message_name_parse(const char *word, CliMessageName *name, GError **error)
{
	g_autofree char *shown = safe_line(word);
	uint64_t number;

	if (!strcmp(word, "*")) {
		*name = (CliMessageName){ .kind = CLI_MESSAGE_LAST };
		return true;
	}
	if (g_str_has_prefix(word, "id:") &&
	    span_to_number(span_of_string(word + 3), INT64_MAX, &number) && number) {
		*name = (CliMessageName){ .kind = CLI_MESSAGE_ID, .id = (StoreId)number };
		return true;
	}
	if (span_to_number(span_of_string(word), UINT32_MAX, &number) && number) {
		*name = (CliMessageName){ .kind = CLI_MESSAGE_UID, .uid = (uint32_t)number };
		return true;
	}
	if (*word && strspn(word, "0123456789:,*") == strlen(word) && strpbrk(word, ":,"))
		return refuse(error, _("show takes one message, and \"%s\" can be several"), shown);
	return refuse(error, _("\"%s\" is no UID: it is a number, * (the last one) or id:N"),
		      shown);
}

/* ---- help ------------------------------------------------------------------------------------- */

static void
append_wrapped(GString *out, const char *indent, const char *text)
{
	size_t column = 0;
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	for (char **word = words; *word; word++) {
		size_t width = (size_t)safe_text_width(span_of_string(*word));

		if (!**word)
			continue;
		if (column && strlen(indent) + column + 1 + width > 78) {
			g_string_append_c(out, '\n');
			column = 0;
		}
		g_string_append_printf(out, "%s%s", column ? " " : indent, *word);
		column += width + (column ? 1 : 0);
	}
	g_string_append_c(out, '\n');
}

static void
append_command(GString *out, const Command *row)
{
	g_string_append_printf(out, "  postern%s%s%s%s\n", *row->name ? " " : "", row->name,
			       *row->arguments ? " " : "", row->arguments);
	append_wrapped(out, "      ", _(row->sentence));
}

static void
append_options(GString *out)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options_table); i++) {
		const Option *option = &options_table[i];
		g_autofree char *name = NULL;

		if (!option->sentence)
			continue;
		name = g_strdup_printf("--%s%s%s", option->name, option->argument ? " " : "",
				       option->argument ? option->argument : "");
		if (option->letter)
			g_string_append_printf(out, "  -%c, %-12s", option->letter, name);
		else
			g_string_append_printf(out, "  %-16s", name);
		g_string_append_printf(out, "  %s\n", _(option->sentence));
	}
}

char *
cli_options_help(CliCommand command)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (command != CLI_UI) {
		append_command(out, &commands[command]);
	} else {
		g_string_append_printf(out, "%s\n\n",
				       _("postern [--config FILE] [--data DIR] [--account NAME] "
					 "[--offline] [--log FILE] [COMMAND]"));
		for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
			append_command(out, &commands[i]);
	}
	g_string_append_c(out, '\n');
	append_options(out);
	if (command == CLI_UI)
		g_string_append_printf(out, "\n%s\n",
				       _("Exit status: 0 done, 1 failed, 2 wrong usage or "
					 "configuration, 3 not now: it "
					 "needs the\nline, or the server is away and the change "
					 "was "
					 "queued.  The manual is postern(1)."));
	return g_string_free(g_steal_pointer(&out), FALSE);
}
