/* Opening a mailbox, filling it, opening it again. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define WINDOW 40

/* The place of the first command that holds WORDS; -1: none. */
static int
place_of(char **log, const char *words)
{
	for (int i = 0; log[i]; i++)
		if (strstr(log[i], words))
			return i;
	return -1;
}

static void
the_window_comes_before_anything_else(void **state)
{
	Fixture *fixture = *state;
	g_auto(GStrv) log = NULL;
	int window;

	fake_server_add(fixture->server, "INBOX", 300, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	assert_true(fixture_total(fixture, "INBOX") >= WINDOW);
	log = fake_server_log(fixture->server);
	assert_true(g_str_has_prefix(log[0], "AUTHENTICATE"));
	window = place_of(log, "FETCH");
	assert_int_equal(window, place_of(log, "SELECT") + 1);
	assert_true(g_str_has_prefix(log[window], "FETCH 261:300 ("));
	/* Nothing of the rest before it. */
	for (int i = 0; i < window; i++)
		assert_null(strstr(log[i], "LIST"));
	fixture_check(fixture);
}

static void
the_window_takes_two_round_trips_behind_the_greeting(void **state)
{
	Fixture *fixture = *state;
	EngineTotals totals;

	fake_server_add(fixture->server, "INBOX", 300, "");
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	engine_totals(fixture->engine, &totals);
	/* The login with the SELECT behind it, and the window; the two answers of the first may come
	 * in two pieces, but nothing is said between them. */
	assert_true(totals.round_trips <= 3);
}

static void
a_large_mailbox_costs_its_window(void **state)
{
	Fixture *fixture = *state;
	uint64_t bytes;

	fake_server_add(fixture->server, "INBOX", 100000, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	fixture_until(fixture, is_idling, 0);
	bytes = fake_server_bytes_out(fixture->server);
	assert_int_equal(fixture_total(fixture, "INBOX"), WINDOW);
	assert_int_equal(fake_server_count(fixture->server, "FETCH"), 1);
	assert_true(bytes < 64 * 1024);
}

static void
the_rest_fills_in_newest_first(void **state)
{
	Fixture *fixture = *state;
	g_auto(GStrv) log = NULL;
	unsigned below = 3000;

	fake_server_add(fixture->server, "INBOX", 3000, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 3000);
	log = fake_server_log(fixture->server);
	for (int i = 0; log[i]; i++) {
		unsigned low, high;

		if (sscanf(log[i], "UID FETCH %u:%u (", &low, &high) != 2)
			continue;
		assert_true(high < below && low <= high);
		below = low;
	}
	assert_int_equal(below, 1);
	fixture_check(fixture);
}

static void
a_window_further_down_fills_up_to_it(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 2000, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 900, WINDOW, false));
	assert_true(fixture_total(fixture, "INBOX") >= 940);
	fixture_wait_well(fixture,
			  engine_open(fixture->engine, NULL, "INBOX", UINT32_MAX, WINDOW, false));
	assert_int_equal(fixture_total(fixture, "INBOX"), 2000);
}

static void
no_rows_wanted_is_answered_too(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 20, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 0, false));
}

static void
an_empty_mailbox_is_empty(void **state)
{
	Fixture *fixture = *state;

	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	assert_int_equal(fixture_total(fixture, "INBOX"), 0);
	assert_int_equal(fake_server_count(fixture->server, "FETCH"), 0);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, inbox_has, 1);
}

static void
open_again(Fixture *fixture, unsigned rows)
{
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, rows, true));
	fixture_until(fixture, is_idling, 0);
}

static void
an_unchanged_mailbox_brings_nothing(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 500, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 500);
	open_again(fixture, WINDOW);
	/* What leaves with SELECT: changes, and new ones behind UID 500. */
	assert_true(fake_server_count(fixture->server, "FETCH") <= 2);
	assert_int_equal(fake_server_count(fixture->server, "UID FETCH 501:"),
			 fake_server_count(fixture->server, "ENVELOPE"));
	assert_int_equal(fake_server_count(fixture->server, "SEARCH"), 0);
	assert_true(fake_server_bytes_out(fixture->server) < 2000);
}

static void
what_happened_meanwhile_is_seen_when_opened_again(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 500, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 500);
	fixture_stop(fixture);
	fake_server_expunge(fixture->server, "INBOX", 250);
	fake_server_flags(fixture->server, "INBOX", 3, "\\Seen");
	fake_server_add(fixture->server, "INBOX", 3, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, is_idling, 0);
	assert_int_equal(fixture_total(fixture, "INBOX"), 502);
	assert_null(fixture_row(fixture, "INBOX", 250));
	assert_int_equal(fixture_flags(fixture, "INBOX", 3), STORE_FLAG_SEEN);
	fixture_check(fixture);
}

static void
an_interrupted_fill_goes_on_where_it_was(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 2000, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 1000, 1, false));
	fixture_stop(fixture);
	fake_server_expunge(fixture->server, "INBOX", 1990);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 1999);
	assert_int_equal(fake_server_count(fixture->server, ":2000 (UID FLAGS INTERNALDATE"), 0);
	fixture_check(fixture);
}

static void
a_bare_server_serves_as_well(void **state)
{
	Fixture *fixture = *state;

	fake_server_capabilities(fixture->server, "IMAP4rev1");
	fake_server_add(fixture->server, "INBOX", 500, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 500);
	fixture_stop(fixture);
	fake_server_expunge(fixture->server, "INBOX", 250);
	fake_server_flags(fixture->server, "INBOX", 3, "\\Seen");
	fake_server_flags(fixture->server, "INBOX", 499, "\\Seen");
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	assert_int_equal(fixture_total(fixture, "INBOX"), 500);
	/* What the person looks at is true at once; the rest behind it. */
	assert_int_equal(fixture_flags(fixture, "INBOX", 499), STORE_FLAG_SEEN);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	assert_int_equal(fixture_flags(fixture, "INBOX", 3), STORE_FLAG_SEEN);
	fixture_check(fixture);
}

static void
a_sync_of_everything_brings_every_folder(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 100, "");
	fake_server_add(fixture->server, "Other", 70, "");
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_TEXT));
	assert_int_equal(fixture_total(fixture, "INBOX"), 100);
	assert_int_equal(fixture_total(fixture, "Other"), 70);
	assert_int_equal(fixture->parts, 170);
	fixture_check(fixture);
}

static void
a_folder_that_is_not_there_is_said_to_be(void **state)
{
	Fixture *fixture = *state;
	const GError *error;

	fake_server_add(fixture->server, "INBOX", 10, "");
	fixture_start(fixture);
	error =
	    fixture_wait(fixture, engine_open(fixture->engine, NULL, "Nowhere", 0, WINDOW, true));
	assert_true(postern_error_is(error, POSTERN_ERROR_GONE));
	fixture_idle_ms(fixture, 200);
	/* With the login, alone, and that was it. */
	assert_true(fake_server_count(fixture->server, "SELECT") <= 2);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
}

static void
the_newest_open_wins(void **state)
{
	Fixture *fixture = *state;
	EngineRequest first, second, third;

	fake_server_add(fixture->server, "INBOX", 3000, "");
	fake_server_add(fixture->server, "Other", 30, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start(fixture);
	fixture_until(fixture, is_online, 0);
	first = engine_open(fixture->engine, NULL, "INBOX", 2990, WINDOW, true);
	second = engine_open(fixture->engine, NULL, "Other", 0, WINDOW, true);
	third = engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
	fixture_wait_well(fixture, third);
	assert_true(postern_error_is(fixture_wait(fixture, second), POSTERN_ERROR_CANCELLED));
	fixture_wait(fixture, first);
	fixture_until(fixture, inbox_complete, 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_window_comes_before_anything_else),
		TEST(the_window_takes_two_round_trips_behind_the_greeting),
		TEST(a_large_mailbox_costs_its_window),
		TEST(the_rest_fills_in_newest_first),
		TEST(a_window_further_down_fills_up_to_it),
		TEST(no_rows_wanted_is_answered_too),
		TEST(an_empty_mailbox_is_empty),
		TEST(an_unchanged_mailbox_brings_nothing),
		TEST(what_happened_meanwhile_is_seen_when_opened_again),
		TEST(an_interrupted_fill_goes_on_where_it_was),
		TEST(a_bare_server_serves_as_well),
		TEST(a_sync_of_everything_brings_every_folder),
		TEST(a_folder_that_is_not_there_is_said_to_be),
		TEST(the_newest_open_wins),
	};

	return cmocka_run_group_tests_name("engine/sync", tests, NULL, NULL);
}
