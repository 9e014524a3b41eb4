/* UID sets and flags: what each spelling means, and what is refused. */
#include "base/error.h"
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* The set as text: "7-9 *-* id17"; "*" is 0. */
static char *
parsed(const char *word)
{
	g_auto(CliMessageSet) set;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	cli_message_set_init(&set);
	if (!cli_message_set_add(&set, word, &error)) {
		assert_true(g_error_matches(error, POSTERN_ERROR, POSTERN_ERROR_USAGE));
		return g_strdup("refused");
	}
	for (guint i = 0; i + 1 < set.ranges->len; i += 2)
		g_string_append_printf(text, "%u-%u ", g_array_index(set.ranges, uint32_t, i),
				       g_array_index(set.ranges, uint32_t, i + 1));
	for (guint i = 0; i < set.ids->len; i++)
		g_string_append_printf(text, "id%d ", (int)g_array_index(set.ids, StoreId, i));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
test_sets(void **state)
{
	static const char *const cases[][2] = {
		{ "7", "7-7 " },
		{ "7:9", "7-9 " },
		{ "9:7", "7-9 " },
		{ "7,9", "7-7 9-9 " },
		{ "*", "0-0 " },
		{ "7:*", "7-0 " },
		{ "*:7", "7-0 " },
		{ "id:17", "id17 " },
		{ "1:3,id:17,5", "1-3 5-5 id17 " },
		{ "4294967295", "4294967295-4294967295 " },
		{ "4294967296", "refused" },
		{ "0", "refused" },
		{ "", "refused" },
		{ "7,", "refused" },
		{ "7:", "refused" },
		{ ":7", "refused" },
		{ "-7", "refused" },
		{ "id:", "refused" },
		{ "id:0", "refused" },
		{ "seven", "refused" },
		{ "1:2:3", "refused" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = parsed(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
}

static void
test_flags(void **state)
{
	static const struct {
		const char *word;
		bool set;
		uint16_t flag;
		const char *keyword;
	} cases[] = {
		{ "+\\Seen", true, STORE_FLAG_SEEN, NULL },
		{ "-\\seen", false, STORE_FLAG_SEEN, NULL },
		{ "+Flagged", true, STORE_FLAG_FLAGGED, NULL }, /* the shell ate the backslash */
		{ "-\\Deleted", false, STORE_FLAG_DELETED, NULL },
		{ "+$Forwarded", true, 0, "$Forwarded" },
		{ "-work", false, 0, "work" },
	};
	static const char *const wrong[] = { "+\\Recent", "+\\Mine", "+",	  "+two words",
					     "+a(b",	  "+a\"b",   "+\xc3\xa4", "+a]" };
	CliFlag flag;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_true(cli_is_flag(cases[i].word));
		assert_true(cli_flag_parse(cases[i].word, &flag, NULL));
		assert_int_equal(flag.set, cases[i].set);
		assert_int_equal(flag.flag, cases[i].flag);
		if (cases[i].keyword)
			assert_string_equal(flag.keyword, cases[i].keyword);
		else
			assert_null(flag.keyword);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(cli_flag_parse(wrong[i], &flag, &error));
		assert_true(g_error_matches(error, POSTERN_ERROR, POSTERN_ERROR_USAGE));
	}
	assert_false(cli_is_flag("--json"));
	assert_false(cli_is_flag("-"));
	assert_false(cli_is_flag("7"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
