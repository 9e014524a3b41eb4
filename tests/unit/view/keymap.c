/* Keys to commands: sequences, counts, what the person changes, and names after ":". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "view/keymap.h"

static const ViewPlace places[] = { VIEW_PLACE_FOLDERS, VIEW_PLACE_LIST, VIEW_PLACE_MESSAGE,
				    VIEW_PLACE_PARTS,	VIEW_PLACE_HELP, VIEW_PLACE_QUEUE };

/* Types KEYS ("5 g,g"), and returns the name of what is found in the end; "more", "nothing",
 * "dropped". */
static const char *
type(ViewKeymap *keymap, ViewPlace place, const char *keys, unsigned *count)
{
	g_auto(GStrv) list = g_strsplit_set(keys, " ,", -1);
	ViewKeyAnswer answer = VIEW_KEY_NOTHING;
	const ViewCommand *command = NULL;
	unsigned n = 0;

	for (char **key = list; *key; key++)
		answer = view_keymap_take(keymap, place, *key, &command, &n);
	if (count)
		*count = n;
	switch (answer) {
	case VIEW_KEY_NOTHING:
		return "nothing";
	case VIEW_KEY_MORE:
		return "more";
	case VIEW_KEY_DROPPED:
		return "dropped";
	case VIEW_KEY_FOUND:
		break;
	}
	return command->name;
}

static void
every_key_of_the_table_finds_its_command(void **state)
{
	for (int set = 0; view_keymap_names[set]; set++) {
		g_autoptr(ViewKeymap) keymap = view_keymap_new(view_keymap_names[set]);

		for (const ViewCommand *c = view_commands; c->name; c++) {
			const char *all[] = { c->mutt, c->vim ? c->vim : c->mutt,
					      c->alpine ? c->alpine : c->mutt };
			g_auto(GStrv) keys = g_strsplit(all[set], " ", -1);

			for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
				for (char **key = keys; *key && **key && (c->places & places[i]);
				     key++)
					assert_string_equal(type(keymap, places[i], *key, NULL),
							    c->name);
		}
	}
	assert_null(view_keymap_new("emacs"));
}

static void
what_says_nothing_is_told(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("vim");

	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "Y", NULL), "nothing");
	assert_string_equal(view_keymap_typed(keymap), "Y");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "3 d Y", NULL), "nothing");
	assert_string_equal(view_keymap_typed(keymap), "3dY");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "d", NULL), "more");
	assert_string_equal(view_keymap_typed(keymap), "d");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "Esc", NULL), "dropped");
	assert_string_equal(view_keymap_typed(keymap), "");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "Esc", NULL), "nothing");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "d", NULL), "more");
	view_keymap_forget(keymap);
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "j", NULL), "down");
}

static void
digits_count_unless_they_begin_something(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("vim");
	unsigned count;

	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "1 0 j", &count), "down");
	assert_int_equal(count, 10);
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "2 d d", &count), "delete");
	assert_int_equal(count, 2);
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "G", &count), "last");
	assert_int_equal(count, 0);
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "0", NULL), "nothing");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "9 9 9 9 9 9 9 9 9 9 9 9 j", &count),
			    "down");
	assert_int_equal(count, VIEW_COUNT_MAX);

	assert_true(view_keymap_set(keymap, VIEW_PLACE_LIST, "help", "4 ?", NULL));
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "4", NULL), "help");
	assert_string_equal(type(keymap, VIEW_PLACE_PARTS, "4 j", &count), "down");
	assert_int_equal(count, 4);
}

static void
in_alpine_the_case_of_a_letter_is_no_matter_where_only_one_means_something(void **state)
{
	g_autoptr(ViewKeymap) alpine = view_keymap_new("alpine");
	g_autoptr(ViewKeymap) mutt = view_keymap_new("mutt");

	assert_string_equal(type(alpine, VIEW_PLACE_LIST, "N", NULL), "down");
	assert_string_equal(type(alpine, VIEW_PLACE_LIST, "q", NULL), "quit");
	assert_string_equal(type(mutt, VIEW_PLACE_LIST, "N", NULL), "toggle-read");
}

static void
what_is_set_replaces_and_stands_in_nobodys_way(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");
	const ViewCommand *command;
	g_autofree char *argument = NULL;
	g_autofree char *keys = NULL;

	assert_true(view_keymap_set(keymap, VIEW_PLACE_LIST, "archive", "j,j  Ctrl-X", NULL));
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "j,j", NULL), "archive");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "Ctrl-X", NULL), "archive");
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "A", NULL), "nothing");
	assert_string_equal(type(keymap, VIEW_PLACE_MESSAGE, "A", NULL), "archive");
	assert_string_equal(type(keymap, VIEW_PLACE_FOLDERS, "j", NULL), "down");
	command = view_keymap_parse(keymap, VIEW_PLACE_LIST, "archive", &argument, NULL);
	keys = view_keymap_keys(keymap, VIEW_PLACE_LIST, command);
	assert_string_equal(keys, "j,j Ctrl-X");

	assert_true(view_keymap_set(keymap, VIEW_PLACE_ANY, "delete", "none", NULL));
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "d", NULL), "nothing");
	assert_string_equal(type(keymap, VIEW_PLACE_MESSAGE, "Delete", NULL), "nothing");
	assert_string_equal(type(keymap, VIEW_PLACE_QUEUE, "d", NULL), "drop");
}

static void
wrong_keys_and_names_are_told_and_change_nothing(void **state)
{
	static const struct {
		const char *name, *keys, *says;
		ViewPlace place;
	} rows[] = {
		{ "archive", "Foo", "no key", VIEW_PLACE_LIST },
		{ "archive", "Ctrl-", "no key", VIEW_PLACE_LIST },
		{ "archive", "F13", "no key", VIEW_PLACE_LIST },
		{ "archive", "gg", "no key", VIEW_PLACE_LIST },
		{ "archive", "a,b,c,d,e,f,g", "more than", VIEW_PLACE_LIST },
		{ "archiv", "x", "did you mean", VIEW_PLACE_LIST },
		{ "archive", "x", "does not work here", VIEW_PLACE_QUEUE },
		{ "nonsense-of-mine", "x", "no command", VIEW_PLACE_LIST },
	};
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(
		    view_keymap_set(keymap, rows[i].place, rows[i].name, rows[i].keys, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
		if (!strstr(error->message, rows[i].says))
			fail_msg("%s", error->message);
		assert_string_equal(type(keymap, VIEW_PLACE_LIST, "A", NULL), "archive");
	}
}

static void
a_command_of_ones_own_is_a_command(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");
	g_autoptr(GPtrArray) names = NULL;
	g_autofree char *argument = NULL;
	g_autoptr(GError) error = NULL;
	const ViewCommand *command;

	assert_true(view_keymap_add(keymap, VIEW_PLACE_LIST, "file-it", "flag; move Archive/2026",
				    "g,a", NULL, NULL));
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "g,a", NULL), "file-it");
	assert_string_equal(type(keymap, VIEW_PLACE_PARTS, "g", NULL), "nothing");
	command = view_keymap_parse(keymap, VIEW_PLACE_LIST, "file", &argument, NULL);
	assert_int_equal(command->verb, VIEW_DO_RUN);
	assert_string_equal(command->run, "flag; move Archive/2026");
	assert_string_equal(command->sentence, "flag; move Archive/2026");
	names = view_keymap_complete(keymap, VIEW_PLACE_LIST, "fi");
	assert_int_equal(names->len, 2); /* and "first" */
	assert_true(view_keymap_set(keymap, VIEW_PLACE_LIST, "file-it", "Ctrl-X", NULL));
	assert_string_equal(type(keymap, VIEW_PLACE_LIST, "Ctrl-X", NULL), "file-it");

	assert_false(
	    view_keymap_add(keymap, VIEW_PLACE_LIST, "delete", "quit", NULL, NULL, &error));
	assert_non_null(strstr(error->message, "already"));
	g_clear_error(&error);
	assert_false(
	    view_keymap_add(keymap, VIEW_PLACE_LIST, "No Name", "quit", NULL, NULL, &error));
	assert_non_null(strstr(error->message, "no name"));
}

static void
help_command_quit_and_redraw_work_everywhere(void **state)
{
	for (int set = 0; view_keymap_names[set]; set++) {
		g_autoptr(ViewKeymap) keymap = view_keymap_new(view_keymap_names[set]);

		for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
			g_autofree char *argument = NULL;

			assert_string_equal(type(keymap, places[i], ":", NULL), "command");
			assert_string_equal(type(keymap, places[i], "Ctrl-L", NULL), "redraw");
			assert_non_null(
			    view_keymap_parse(keymap, places[i], "quit", &argument, NULL));
			if (places[i] != VIEW_PLACE_HELP)
				assert_string_equal(type(keymap, places[i], "?", NULL), "help");
		}
	}
}

static void
a_name_is_taken_whole_or_as_the_beginning_of_just_one(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");
	g_autofree char *argument = NULL;
	g_autoptr(GError) error = NULL;
	const ViewCommand *c =
	    view_keymap_parse(keymap, VIEW_PLACE_PARTS, "  save   a file.txt ", &argument, &error);

	assert_int_equal(c->verb, VIEW_DO_SAVE);
	assert_string_equal(argument, "a file.txt");
	g_clear_pointer(&argument, g_free);

	c = view_keymap_parse(keymap, VIEW_PLACE_LIST, "qui", &argument, &error);
	assert_int_equal(c->verb, VIEW_DO_QUIT);
	assert_null(argument);

	/* "tag" is a name though others begin so */
	c = view_keymap_parse(keymap, VIEW_PLACE_LIST, "tag", &argument, &error);
	assert_int_equal(c->verb, VIEW_DO_MARK);
}

static void
what_is_no_command_is_explained(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "page", "may be" },
		{ "nonsense", "no command" },
		{ "retry", "does not work here" },
		{ "save", "does not work here" },
		{ "quit now", "takes nothing" },
		{ "", "no command" },
		{ "  ", "no command" },
	};
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *argument = NULL;
		g_autoptr(GError) error = NULL;

		assert_null(
		    view_keymap_parse(keymap, VIEW_PLACE_LIST, rows[i].line, &argument, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
		assert_non_null(strstr(error->message, rows[i].says));
		assert_null(argument);
	}
}

static void
completion_knows_the_place(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");
	g_autoptr(GPtrArray) list = view_keymap_complete(keymap, VIEW_PLACE_LIST, "pag");
	g_autoptr(GPtrArray) parts = view_keymap_complete(keymap, VIEW_PLACE_PARTS, "su");

	assert_int_equal(list->len, 2);
	assert_string_equal(list->pdata[0], "page-down");
	assert_string_equal(list->pdata[1], "page-up");
	assert_int_equal(parts->len, 1);
	assert_string_equal(parts->pdata[0], "suspend");
}

static void
a_search_finds_names_first_then_sentences(void **state)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new("mutt");
	g_autoptr(GPtrArray) found = view_keymap_search(keymap, VIEW_PLACE_LIST, "unread");
	g_autoptr(GPtrArray) both = view_keymap_search(keymap, VIEW_PLACE_LIST, "TRASH after");
	g_autoptr(GPtrArray) none = view_keymap_search(keymap, VIEW_PLACE_LIST, "xyzzy");

	assert_true(found->len >= 3);
	assert_string_equal(((ViewCommand *)found->pdata[0])->name, "next-unread");
	assert_string_equal(((ViewCommand *)both->pdata[0])->name, "delete");
	assert_int_equal(none->len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_table_finds_its_command),
		cmocka_unit_test(what_says_nothing_is_told),
		cmocka_unit_test(digits_count_unless_they_begin_something),
		cmocka_unit_test(
		    in_alpine_the_case_of_a_letter_is_no_matter_where_only_one_means_something),
		cmocka_unit_test(what_is_set_replaces_and_stands_in_nobodys_way),
		cmocka_unit_test(wrong_keys_and_names_are_told_and_change_nothing),
		cmocka_unit_test(a_command_of_ones_own_is_a_command),
		cmocka_unit_test(help_command_quit_and_redraw_work_everywhere),
		cmocka_unit_test(a_name_is_taken_whole_or_as_the_beginning_of_just_one),
		cmocka_unit_test(what_is_no_command_is_explained),
		cmocka_unit_test(completion_knows_the_place),
		cmocka_unit_test(a_search_finds_names_first_then_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
