#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "view/command.h"

static const ViewPlace places[] = { VIEW_PLACE_FOLDERS, VIEW_PLACE_LIST, VIEW_PLACE_MESSAGE,
				    VIEW_PLACE_PARTS,	VIEW_PLACE_HELP, VIEW_PLACE_QUEUE };

static void
every_command_has_a_name_a_sentence_a_key_and_a_place(void **state)
{
	for (const ViewCommand *c = view_commands; c->name; c++) {
		assert_true(strlen(c->name) > 1);
		assert_true(strlen(c->sentence) > 10);
		assert_true(strlen(c->keys) > 0);
		assert_true(c->places & VIEW_PLACE_ANY);
		assert_false(c->places & ~(unsigned)VIEW_PLACE_ANY);
	}
}

static void
a_key_means_one_thing_in_a_place(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GHashTable) seen =
		    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

		for (const ViewCommand *c = view_commands; c->name; c++) {
			g_auto(GStrv) keys = g_strsplit(c->keys, " ", -1);

			if (!(c->places & places[i]))
				continue;
			if (!g_hash_table_add(names, (gpointer)c->name))
				fail_msg("two commands are called %s in %s", c->name,
					 view_place_title(places[i]));
			for (char **key = keys; *key; key++)
				if (!g_hash_table_add(seen, g_strdup(*key)))
					fail_msg("%s means two things in %s", *key,
						 view_place_title(places[i]));
		}
	}
}

static void
every_key_of_the_table_finds_its_command(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		for (const ViewCommand *c = view_commands; c->name; c++) {
			g_auto(GStrv) keys = g_strsplit(c->keys, " ", -1);

			for (char **key = keys; *key && (c->places & places[i]); key++)
				assert_ptr_equal(view_command_for_key(places[i], *key), c);
		}
	assert_null(view_command_for_key(VIEW_PLACE_LIST, "Y"));
	assert_null(view_command_for_key(VIEW_PLACE_LIST, "Pg"));
	assert_null(view_command_for_key(VIEW_PLACE_LIST, ""));
}

static void
help_command_quit_and_redraw_work_everywhere(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *argument = NULL;

		assert_non_null(view_command_for_key(places[i], ":"));
		assert_non_null(view_command_for_key(places[i], "Ctrl-L"));
		assert_non_null(view_command_parse(places[i], "quit", &argument, NULL));
		if (places[i] != VIEW_PLACE_HELP)
			assert_non_null(view_command_for_key(places[i], "?"));
	}
}

static void
a_name_is_taken_whole_or_as_the_beginning_of_just_one(void **state)
{
	g_autofree char *argument = NULL;
	g_autoptr(GError) error = NULL;
	const ViewCommand *c =
	    view_command_parse(VIEW_PLACE_PARTS, "  save   a file.txt ", &argument, &error);

	assert_int_equal(c->verb, VIEW_DO_SAVE);
	assert_string_equal(argument, "a file.txt");
	g_clear_pointer(&argument, g_free);

	c = view_command_parse(VIEW_PLACE_LIST, "qui", &argument, &error);
	assert_int_equal(c->verb, VIEW_DO_QUIT);
	assert_null(argument);

	/* "down" is a name though others could begin so */
	c = view_command_parse(VIEW_PLACE_LIST, "down", &argument, &error);
	assert_int_equal(c->verb, VIEW_DO_DOWN);
}

static void
what_is_no_command_is_explained(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "page", "may be" },
		{ "nonsense", "no command" },
		{ "save", "does not work here" },
		{ "quit now", "takes nothing" },
		{ "", "no command" },
		{ "  ", "no command" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *argument = NULL;
		g_autoptr(GError) error = NULL;

		assert_null(view_command_parse(VIEW_PLACE_LIST, rows[i].line, &argument, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
		assert_non_null(strstr(error->message, rows[i].says));
		assert_null(argument);
	}
}

static void
completion_knows_the_place(void **state)
{
	g_autoptr(GPtrArray) list = view_command_complete(VIEW_PLACE_LIST, "pa");
	g_autoptr(GPtrArray) parts = view_command_complete(VIEW_PLACE_PARTS, "s");

	assert_int_equal(list->len, 3);
	assert_string_equal(list->pdata[0], "page-down");
	assert_string_equal(list->pdata[1], "page-up");
	assert_string_equal(list->pdata[2], "parts");
	assert_int_equal(parts->len, 2);
	assert_string_equal(parts->pdata[0], "save");
	assert_string_equal(parts->pdata[1], "suspend");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_a_name_a_sentence_a_key_and_a_place),
		cmocka_unit_test(a_key_means_one_thing_in_a_place),
		cmocka_unit_test(every_key_of_the_table_finds_its_command),
		cmocka_unit_test(help_command_quit_and_redraw_work_everywhere),
		cmocka_unit_test(a_name_is_taken_whole_or_as_the_beginning_of_just_one),
		cmocka_unit_test(what_is_no_command_is_explained),
		cmocka_unit_test(completion_knows_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
