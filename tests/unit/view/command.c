/* The table of commands: whole, and without contradictions in any set of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "view/command.h"

static const ViewPlace places[] = { VIEW_PLACE_FOLDERS, VIEW_PLACE_LIST, VIEW_PLACE_MESSAGE,
				    VIEW_PLACE_PARTS,	VIEW_PLACE_HELP, VIEW_PLACE_QUEUE };

static const char *
keys_of(const ViewCommand *c, int set)
{
	const char *keys[] = { c->mutt, c->vim ? c->vim : c->mutt,
			       c->alpine ? c->alpine : c->mutt };

	return keys[set];
}

static void
every_command_has_a_name_a_sentence_and_a_place(void **state)
{
	for (const ViewCommand *c = view_commands; c->name; c++) {
		assert_true(strlen(c->name) > 1);
		assert_true(strlen(c->sentence) > 10);
		assert_non_null(c->mutt); /* may be empty: then only by its name */
		assert_true(c->places & VIEW_PLACE_ANY);
		assert_false(c->places & ~(unsigned)VIEW_PLACE_ANY);
		assert_null(c->run);
	}
}

/* "g" and "g,g" are both the beginning of "g,g". */
static bool
is_beginning(const char *brief, const char *whole)
{
	size_t n = strlen(brief);

	return !strncmp(brief, whole, n) && (!whole[n] || whole[n] == ',');
}

static void
add_keys(GPtrArray *seen, const char *keys, ViewPlace place)
{
	g_auto(GStrv) list = g_strsplit(keys, " ", -1);

	for (char **key = list; *key && **key; key++) {
		for (guint i = 0; i < seen->len; i++)
			if (is_beginning(*key, seen->pdata[i]) ||
			    is_beginning(seen->pdata[i], *key))
				fail_msg("%s and %s in %s", *key, (char *)seen->pdata[i],
					 view_place_title(place));
		g_ptr_array_add(seen, g_strdup(*key));
	}
}

static void
a_key_means_one_thing_in_a_place_and_begins_nothing_else(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(places) * 3; i++) {
		ViewPlace place = places[i / 3];
		g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

		for (const ViewCommand *c = view_commands; c->name; c++) {
			if (!(c->places & place))
				continue;
			if (!g_hash_table_add(names, (gpointer)c->name))
				fail_msg("two commands are called %s in %s", c->name,
					 view_place_title(place));
			add_keys(seen, keys_of(c, (int)(i % 3)), place);
		}
	}
}

static void
every_place_has_a_word(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
		assert_int_equal(view_place_of_word(view_place_word(places[i])), places[i]);
	assert_int_equal(view_place_of_word("nowhere"), 0);
	assert_int_equal(view_place_of_word(""), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_a_name_a_sentence_and_a_place),
		cmocka_unit_test(a_key_means_one_thing_in_a_place_and_begins_nothing_else),
		cmocka_unit_test(every_place_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
