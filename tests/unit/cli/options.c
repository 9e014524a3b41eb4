/* The command line: what each spelling means, and what is refused with which words. */
#include "base/error.h"
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* Words split at blanks; '' stands for an empty one.  The array lives as long as the options. */
typedef struct Line {
	char **owned, **argv; /* the words; what the parser may move about */
	CliOptions options;
	GError *error;
	bool good;
} Line;

static Line
parse(const char *text)
{
	Line line = { 0 };
	g_autofree char *whole = g_strdup_printf("postern%s%s", *text ? " " : "", text);

	line.owned = g_strsplit(whole, " ", -1);
	for (char **word = line.owned; *word; word++)
		if (!strcmp(*word, "''"))
			**word = '\0';
	line.argv = g_memdup2(line.owned, (g_strv_length(line.owned) + 1) * sizeof(char *));
	line.good =
	    cli_options_parse(&line.options, (int)g_strv_length(line.argv), line.argv, &line.error);
	return line;
}

static void
line_clear(Line *line)
{
	g_strfreev(line->owned);
	g_free(line->argv);
	g_clear_error(&line->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Line, line_clear)

static void
test_no_word_opens_the_screen(void **state)
{
	g_auto(Line) bare = parse("");
	g_auto(Line) with = parse("--offline --account work --log=trace");

	assert_true(bare.good);
	assert_int_equal(bare.options.command, CLI_UI);
	assert_null(bare.options.folder);
	assert_true(with.good);
	assert_true(with.options.offline);
	assert_string_equal(with.options.account, "work");
	assert_string_equal(with.options.log, "trace");
}

static void
test_a_word_that_is_no_command_is_a_folder(void **state)
{
	g_auto(Line) plain = parse("Archive/2024");
	g_auto(Line) near = parse("lits --offline");
	g_auto(Line) forced = parse("-- list");

	assert_string_equal(plain.options.folder, "Archive/2024");
	assert_null(plain.options.near_command);
	assert_string_equal(near.options.folder, "lits");
	assert_string_equal(near.options.near_command, "list");
	assert_int_equal(forced.options.command, CLI_UI);
	assert_string_equal(forced.options.folder, "list");
	assert_null(forced.options.near_command);
}

static void
test_options_stand_before_and_after(void **state)
{
	static const char *const lines[] = {
		"--json --config c --data d list --limit 20 --offset 40 INBOX",
		"list INBOX --json --limit=20 --offset=40 --config=c --data=d",
		"--limit 20 list --json --offset 40 --data d --config c -- INBOX",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(Line) line = parse(lines[i]);
		const CliOptions *options = &line.options;

		assert_true(line.good);
		assert_int_equal(options->command, CLI_LIST);
		assert_int_equal(options->n_words, 1);
		assert_string_equal(options->words[0], "INBOX");
		assert_null(options->words[1]);
		assert_true(options->json);
		assert_int_equal(options->limit, 20);
		assert_int_equal(options->offset, 40);
		assert_string_equal(options->config, "c");
		assert_string_equal(options->data, "d");
	}
}

static void
test_words_after_two_dashes_are_no_options(void **state)
{
	g_auto(Line) line = parse("list -- --json");
	g_auto(Line) dash = parse("list -");

	assert_true(line.good);
	assert_string_equal(line.options.words[0], "--json");
	assert_false(line.options.json);
	assert_true(dash.good);
	assert_string_equal(dash.options.words[0], "-");
}

static void
test_each_way_to_show(void **state)
{
	static const struct {
		const char *line;
		CliShow show;
	} rows[] = {
		{ "show INBOX 7", CLI_SHOW_TEXT },
		{ "show INBOX 7 --raw", CLI_SHOW_RAW },
		{ "show --headers INBOX 7 --json", CLI_SHOW_HEADERS },
		{ "show INBOX --structure 7", CLI_SHOW_STRUCTURE },
		{ "show INBOX 7 --part 1.2", CLI_SHOW_PART },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(Line) line = parse(rows[i].line);

		assert_true(line.good);
		assert_int_equal(line.options.show, rows[i].show);
		assert_string_equal(line.options.words[1], "7");
	}
}

static void
test_sync_takes_folders_and_bodies(void **state)
{
	g_auto(Line) all = parse("sync");
	g_auto(Line) some = parse("sync INBOX Sent --bodies text");
	g_auto(Line) accepting = parse("sync --accept-loss INBOX");

	assert_int_equal(all.options.n_words, 0);
	assert_int_equal(all.options.bodies, ENGINE_BODIES_NONE);
	assert_int_equal(some.options.n_words, 2);
	assert_int_equal(some.options.bodies, ENGINE_BODIES_TEXT);
	assert_false(some.options.accept_loss);
	assert_true(accepting.options.accept_loss);
	assert_int_equal(accepting.options.n_words, 1);
}

static void
test_help_asks_for_nothing_else(void **state)
{
	static const char *const lines[] = { "--help", "show --help", "-h list", "help",
					     "help show" };

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(Line) line = parse(lines[i]);
		g_autofree char *help = NULL;

		assert_true(line.good);
		assert_true(line.options.help);
		help = cli_options_help(line.options.command);
		assert_non_null(strstr(help, "--config FILE"));
		if (strstr(lines[i], "show"))
			assert_non_null(strstr(help, "--part SECTION"));
		for (const char *at = help; *at; at = strchr(at, '\n') + 1)
			assert_true(strchr(at, '\n') - at <= 100);
	}
}

static void
test_wrong_words_say_how_it_goes(void **state)
{
	static const char *const rows[][2] = {
		{ "list",
		  "list needs a FOLDER: it goes postern list FOLDER [--limit N] [--offset N]" },
		{ "show INBOX", "show needs a UID: it goes postern show FOLDER UID..." },
		{ "list INBOX Sent", "list does not take \"Sent\": it goes postern list..." },
		{ "folders x", "folders does not take \"x\": it goes postern folders" },
		{ "list ''", "a word is empty: it goes postern list..." },
		{ "list \xff", "\"\xef\xbf\xbd\" is not UTF-8 text" },
		{ "--limit", "--limit needs a value: --limit N" },
		{ "list INBOX --limit 0", "--limit is a number from 1" },
		{ "list INBOX --limit -3", "--limit is a number from 1" },
		{ "list INBOX --limit 4294967296", "--limit is a number from 1" },
		{ "list INBOX --offset x", "--offset is a number from 0" },
		{ "list INBOX --limit=", "--limit has an empty value" },
		{ "list INBOX --json=yes", "--json takes no value" },
		{ "list INBOX --raw", "list does not take --raw: it goes postern list..." },
		{ "show INBOX 7 --limit 2", "show does not take --limit: it goes postern show..." },
		{ "show INBOX 7 --raw --headers", "only one of --raw, --headers..." },
		{ "show INBOX 7 --raw --json", "--json has no form for bytes..." },
		{ "sync --bodies some", "--bodies is none, text or all" },
		{ "--json", "--json needs a command: postern --help lists them" },
		{ "INBOX --json", "--json needs a command: postern --help lists them" },
		{ "list INBOX --limt 3", "no such option --limt: did you mean --limit?" },
		{ "-x", "no such option -x: postern --help lists those there are" },
		{ "--xyzzy", "no such option --xyzzy: postern --help lists those there are" },
		{ "lits INBOX", "no such command or folder \"lits\": did you mean \"list\"?" },
		{ "INBOX Sent", "no such command \"INBOX\": postern --help lists those there are" },
		{ "-- lits INBOX", "one folder is opened at a time: it goes postern [FOLDER]" },
		{ "flag INBOX 7", "flag needs a +FLAG or -FLAG: it goes postern flag FOLDER "
				  "UID... +FLAG... -FLAG..." },
		{ "move INBOX 7", "move needs a folder to go to: it goes postern move FOLDER "
				  "UID... DEST" },
		{ "folder create",
		  "folder needs a NAME: it goes postern folder create NAME | rename "
		  "NAME NEW | delete NAME | subscribe NAME | unsubscribe NAME" },
		{ "move INBOX -7 x", "no such option -7: postern --help lists those there are" },
		{ "search x", "\"search\" is not in this version of Postern" },
		{ "list INBOX --threads", "--threads is not in this version of Postern" },
		{ "list INBOX --sort date", "--sort is not in this version of Postern" },
		{ "imaps://ada@h/INBOX",
		  "this version of Postern does not open imaps://ada@h/INBOX" },
		{ "mailto:a@b\x1b[2J", "this version of Postern does not open mailto:a@b..." },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(Line) line = parse(rows[i][0]);
		g_autofree char *want = g_strdup(rows[i][1]);

		if (line.good)
			fail_msg("taken: %s", rows[i][0]);
		assert_true(postern_error_is(line.error, POSTERN_ERROR_USAGE));
		assert_null(strchr(line.error->message, '\x1b'));
		if (g_str_has_suffix(want, "..."))
			want[strlen(want) - 3] = '\0';
		else
			assert_string_equal(line.error->message, want);
		if (!g_str_has_prefix(line.error->message, want))
			assert_string_equal(line.error->message, want);
	}
}

static void
test_a_uid_names_one_message(void **state)
{
	static const struct {
		const char *word;
		int kind; /* -1: refused */
		int64_t number;
	} rows[] = {
		{ "7", CLI_MESSAGE_UID, 7 },
		{ "4294967295", CLI_MESSAGE_UID, 4294967295 },
		{ "*", CLI_MESSAGE_LAST, 0 },
		{ "id:17", CLI_MESSAGE_ID, 17 },
		{ "id:9223372036854775807", CLI_MESSAGE_ID, INT64_MAX },
		{ "0", -1, 0 },
		{ "4294967296", -1, 0 },
		{ "7:9", -1, 0 },
		{ "7,9", -1, 0 },
		{ "7:*", -1, 0 },
		{ "id:", -1, 0 },
		{ "id:0", -1, 0 },
		{ "id:9223372036854775808", -1, 0 },
		{ "-7", -1, 0 },
		{ "7 ", -1, 0 },
		{ "", -1, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		CliMessageName name = { 0 };
		g_autoptr(GError) error = NULL;
		bool good = cli_message_name_parse(rows[i].word, &name, &error);

		assert_int_equal(good, rows[i].kind >= 0);
		if (!good) {
			assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
			continue;
		}
		assert_int_equal(name.kind, rows[i].kind);
		assert_true((name.kind == CLI_MESSAGE_ID ? name.id : name.uid) == rows[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_word_opens_the_screen),
		cmocka_unit_test(test_a_word_that_is_no_command_is_a_folder),
		cmocka_unit_test(test_options_stand_before_and_after),
		cmocka_unit_test(test_words_after_two_dashes_are_no_options),
		cmocka_unit_test(test_each_way_to_show),
		cmocka_unit_test(test_sync_takes_folders_and_bodies),
		cmocka_unit_test(test_help_asks_for_nothing_else),
		cmocka_unit_test(test_wrong_words_say_how_it_goes),
		cmocka_unit_test(test_a_uid_names_one_message),
	};

	return cmocka_run_group_tests_name("/cli/options", tests, NULL, NULL);
}
