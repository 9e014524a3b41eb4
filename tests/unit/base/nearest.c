/* The nearest right word. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *
search(const char *word)
{
	static const char *const words[] = { "folders", "sync",	 "list",
					     "show",	"check", "password-command" };
	const char *best = NULL;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		best = nearest_of(word, best, words[i]);
	return best;
}

static void
test_distance_counts_adds_drops_changes_and_swaps(void **state)
{
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("imaps", "imap"), 1);
	assert_int_equal(nearest_distance("lits", "list"), 1);
	assert_int_equal(nearest_distance("SYNC", "sync"), 0);
	assert_int_equal(nearest_distance("ca_file", "ca-file"), 1);
}

static void
test_a_slip_finds_its_word(void **state)
{
	assert_string_equal(search("snyc"), "sync");
	assert_string_equal(search("fodlers"), "folders");
	assert_string_equal(search("pasword-comand"), "password-command");
	assert_string_equal(search("lst"), "list");
}

static void
test_a_far_word_finds_nothing(void **state)
{
	char endless[500];

	memset(endless, 'a', sizeof endless - 1);
	endless[sizeof endless - 1] = '\0';
	assert_null(search("Archive"));
	assert_null(search("x"));
	assert_null(search(""));
	assert_null(search(endless));
	assert_true(nearest_distance(endless, "a") == SIZE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance_counts_adds_drops_changes_and_swaps),
		cmocka_unit_test(test_a_slip_finds_its_word),
		cmocka_unit_test(test_a_far_word_finds_nothing),
	};

	return cmocka_run_group_tests_name("/base/nearest", tests, NULL, NULL);
}
