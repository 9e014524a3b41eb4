/* The line: logging in, losing it, coming back, doing without it, giving it up. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define WINDOW 40

static void
open_inbox(Fixture *fixture, unsigned messages)
{
	fake_server_add(fixture->server, "INBOX", messages, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, messages);
	fixture_until(fixture, is_idling, 0);
}

static bool
is_offline(Fixture *fixture, unsigned ignored)
{
	return fixture->link == ENGINE_OFFLINE && fixture->line_error;
}

static bool
has_waited(Fixture *fixture, unsigned times)
{
	return fixture->waits >= times;
}

static void
a_refused_login_is_no_loop(void **state)
{
	Fixture *fixture = *state;
	EngineRequest request;

	fake_server_fault(fixture->server, FAKE_LOGIN_REFUSED);
	fixture_start(fixture);
	request = engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
	assert_true(postern_error_is(fixture_wait(fixture, request), POSTERN_ERROR_LOGIN));
	fixture_until(fixture, is_offline, 0);
	fixture_idle_ms(fixture, 1500);
	assert_true(fake_server_count(fixture->server, "AUTHENTICATE") +
			fake_server_count(fixture->server, "LOGIN ") <=
		    2);
	assert_int_equal(fixture->waits, 0);
	/* What was refused stays refused, and is said so at once, until the person tries again. */
	request = engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
	assert_true(postern_error_is(fixture_wait(fixture, request), POSTERN_ERROR_LOGIN));
	assert_int_equal(fake_server_connections(fixture->server), 1);
	fake_server_fault(fixture->server, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, is_online, 0);
}

static void
a_lost_line_comes_back_and_brings_the_folder(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100);
	fake_server_cut(fixture->server);
	fixture_until(fixture, has_waited, 1);
	assert_true(postern_error_is(fixture->line_error, POSTERN_ERROR_OFFLINE));
	fixture_until(fixture, is_online, 0);
	fixture_until(fixture, is_idling, 0);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, inbox_has, 101);
	assert_int_equal(fixture->waits, 1);
}

static void
a_line_cut_in_the_window_is_tried_again(void **state)
{
	Fixture *fixture = *state;
	EngineRequest request;

	fake_server_add(fixture->server, "INBOX", 100, "");
	fake_server_rule(fixture->server, "FETCH 61:100", 1, FAKE_CUT, NULL);
	fixture_start(fixture);
	request = engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
	assert_true(postern_error_is(fixture_wait(fixture, request), POSTERN_ERROR_OFFLINE));
	/* The folder is where the person is: it comes all the same. */
	fixture_until(fixture, inbox_complete, 100);
	fixture_check(fixture);
}

static void
a_server_that_hangs_up_after_every_login_is_asked_less_and_less(void **state)
{
	Fixture *fixture = *state;
	int64_t begun = g_get_monotonic_time();

	fake_server_add(fixture->server, "INBOX", 100, "");
	fake_server_rule(fixture->server, "SELECT", 1000, FAKE_CUT, NULL);
	fake_server_rule(fixture->server, "LIST", 1000, FAKE_CUT, NULL);
	fixture_start(fixture);
	fixture_wait(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, has_waited, 3);
	/* The waits before it were of one second and of two, or more: never less; of the first
	 * nothing is left where the person's open came in it. */
	assert_true(g_get_monotonic_time() - begun >= 2000000);
	/* One more where the person's open came after the first was lost: that is tried at once. */
	assert_in_range(fake_server_connections(fixture->server), 3, 4);
}

static void
a_refused_select_of_the_folder_at_home_is_no_loop(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100);
	fake_server_forget(fixture->server);
	fake_server_rule(fixture->server, "SELECT", 1000, FAKE_ANSWER_NO, NULL);
	fake_server_cut(fixture->server);
	fixture_until(fixture, has_waited, 1);
	fixture_until(fixture, is_online, 0);
	fixture_idle_ms(fixture, 500);
	/* With the login, and alone. */
	assert_true(fake_server_count(fixture->server, "SELECT") <= 2);
	assert_true(fixture->notices >= 1);
	assert_true(postern_error_is(fixture_wait(fixture, engine_open(fixture->engine, NULL,
								       "INBOX", 0, WINDOW, true)),
				     POSTERN_ERROR_REFUSED));
	assert_int_equal(fixture->link, ENGINE_ONLINE);
}

static void
a_refused_window_is_asked_for_again_when_opened_again(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 100, "");
	fake_server_rule(fixture->server, "FETCH 61:100", 1, FAKE_ANSWER_NO, NULL);
	fixture_start(fixture);
	assert_true(postern_error_is(fixture_wait(fixture, engine_open(fixture->engine, NULL,
								       "INBOX", 0, WINDOW, true)),
				     POSTERN_ERROR_REFUSED));
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 100);
}

static void
a_slice_answered_no_leaves_no_hole(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 300, "");
	fake_server_rule(fixture->server, ":260 (UID FLAGS", 1, FAKE_ANSWER_NO, NULL);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 300);
	fixture_check(fixture);
}

static void
an_empty_list_takes_no_folder_away(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreMailbox) box = NULL;

	open_inbox(fixture, 10);
	fake_server_fault(fixture->server, FAKE_LIST_EMPTY);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	assert_true(fixture->notices >= 1);
	box = fixture_box(fixture, "Other");
	assert_non_null(box);
	assert_false(box->gone);
}

static void
a_refused_list_is_said_to_be(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 10);
	fake_server_rule(fixture->server, "LIST", 1, FAKE_ANSWER_NO, NULL);
	assert_true(postern_error_is(fixture_wait(fixture, engine_folders(fixture->engine, NULL)),
				     POSTERN_ERROR_REFUSED));
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
}

static void
without_a_line_requests_are_answered_at_once(void **state)
{
	Fixture *fixture = *state;

	fixture_start_with(fixture, true, false);
	for (int i = 0; i < 3; i++)
		assert_true(
		    postern_error_is(fixture_wait(fixture, engine_open(fixture->engine, NULL,
								       "INBOX", 0, WINDOW, true)),
				     POSTERN_ERROR_OFFLINE));
	assert_true(postern_error_is(fixture_wait(fixture, engine_sync(fixture->engine, NULL, NULL,
								       ENGINE_BODIES_ALL)),
				     POSTERN_ERROR_OFFLINE));
	engine_reconnect(fixture->engine);
	fixture_idle_ms(fixture, 200);
	assert_int_equal(fake_server_connections(fixture->server), 0);
}

static void
held_it_connects_when_first_asked(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 10, "");
	fixture_start_with(fixture, false, true);
	fixture_idle_ms(fixture, 300);
	assert_int_equal(fake_server_connections(fixture->server), 0);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	assert_int_equal(fake_server_connections(fixture->server), 1);
	/* And does not come back by itself. */
	fake_server_cut(fixture->server);
	fixture_until(fixture, is_offline, 0);
	fixture_idle_ms(fixture, 1500);
	assert_int_equal(fake_server_connections(fixture->server), 1);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
}

static void
stopped_with_everything_in_flight(void **state)
{
	Fixture *fixture = *state;
	static const char *const parts[] = { "2", "1", "HEADER", NULL };
	g_autoptr(StoreRow) row = NULL;

	fake_server_add(fixture->server, "INBOX", 5000, "");
	fake_server_add_large(fixture->server, "INBOX", 3 * 1024 * 1024);
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	row = fixture_row(fixture, "INBOX", 5001);
	fake_server_rule(fixture->server, "BODY.PEEK", 1, FAKE_HANG, NULL);
	engine_folders(fixture->engine, NULL);
	engine_parts(fixture->engine, row->id, parts);
	engine_message(fixture->engine, NULL, "INBOX", 17);
	engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_ALL);
	engine_open(fixture->engine, NULL, "Other", 0, WINDOW, true);
	fixture_idle_ms(fixture, 100);
	fixture_stop(fixture);
	fixture_check(fixture);
}

static void
stopped_at_any_moment(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 2000, "");
	for (unsigned ms = 0; ms < 24; ms += 3) {
		fixture_start(fixture);
		engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
		if (ms)
			fixture_idle_ms(fixture, ms);
		fixture_stop(fixture);
	}
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 2000);
	fixture_check(fixture);
}

static void
cancelled_requests_end_once(void **state)
{
	Fixture *fixture = *state;
	EngineRequest requests[6];

	fake_server_add(fixture->server, "INBOX", 2000, "");
	fake_server_add(fixture->server, "Other", 20, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start(fixture);
	requests[0] = engine_open(fixture->engine, NULL, "INBOX", 1500, WINDOW, true);
	requests[1] = engine_sync(fixture->engine, NULL, "Other", ENGINE_BODIES_ALL);
	requests[2] = engine_message(fixture->engine, NULL, "Other", 3);
	requests[3] = engine_folders(fixture->engine, NULL);
	requests[4] = engine_check(fixture->engine, NULL);
	requests[5] = engine_open(fixture->engine, "nobody", "INBOX", 0, WINDOW, true);
	fixture_idle_ms(fixture, 50);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		engine_cancel(fixture->engine, requests[i]);
		engine_cancel(fixture->engine, requests[i]);
	}
	engine_cancel(fixture->engine, 4711);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		fixture_wait(fixture, requests[i]);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 2000);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		assert_int_equal(fixture_done_count(fixture, requests[i]), 1);
	assert_int_equal(fake_server_connections(fixture->server), 1);
}

static void
what_is_said_unasked_harms_nothing(void **state)
{
	Fixture *fixture = *state;

	fake_server_rule(fixture->server, "SELECT", 1, FAKE_SAY,
			 "* 7 EXPUNGE\r\n* VANISHED 1:4000000000\r\n"
			 "* 9 FETCH (UID 9 FLAGS (\\Seen) ENVELOPE (NIL \"x\" NIL NIL NIL NIL NIL "
			 "NIL NIL NIL))\r\n");
	fake_server_rule(fixture->server, "LIST", 1, FAKE_SAY,
			 "* SEARCH 1 2 3\r\n* ESEARCH (TAG \"x\") UID ALL 1:4000000000\r\n"
			 "* STATUS Nowhere (MESSAGES 4)\r\n* OK [ALERT] look here\r\n"
			 "* LSUB () \"/\" Ghost\r\n* NO [OVERQUOTA] full\r\n");
	open_inbox(fixture, 100);
	assert_true(fixture->notices >= 1);
	fixture_check(fixture);
}

static bool
has_asked_to_log_in(Fixture *fixture, unsigned times)
{
	return fake_server_count(fixture->server, "AUTHENTICATE") >= times;
}

/* A SYNC alone has nothing that rides with the login; what is opened behind it has missed it. */
static void
what_is_opened_while_a_login_is_under_way_is_not_forgotten(void **state)
{
	Fixture *fixture = *state;
	EngineRequest sync;

	open_inbox(fixture, 10);
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fake_server_rule(fixture->server, "AUTHENTICATE", 1, FAKE_LATE, NULL);
	fixture_start(fixture);
	sync = engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE);
	fixture_until(fixture, has_asked_to_log_in, 1);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_wait_well(fixture, sync);
}

static bool
has_selected(Fixture *fixture, unsigned times)
{
	return fake_server_count(fixture->server, "SELECT INBOX") >= times;
}

/* SELECT's numbers say nothing of what was not fetched any more. */
static void
stopped_while_a_folder_is_opened_it_misses_nothing_later(void **state)
{
	Fixture *fixture = *state;

	fake_server_capabilities(fixture->server,
				 "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS "
				 "ESEARCH CONDSTORE");
	open_inbox(fixture, 10);
	fixture_stop(fixture);
	/* As many as before. */
	fake_server_expunge(fixture->server, "INBOX", 3);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fake_server_forget(fixture->server);
	fake_server_rule(fixture->server, "SELECT", 1, FAKE_LATE, NULL);
	fixture_start(fixture);
	engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
	fixture_until(fixture, has_selected, 1);
	fixture_stop(fixture);
	/* What leaves with SELECT, and is not answered before it. */
	assert_true(fake_server_count(fixture->server, "FETCH") <= 2);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	assert_int_equal(fixture_flags(fixture, "INBOX", 11), 0);
	assert_null(fixture_row(fixture, "INBOX", 3));
	fixture_check(fixture);
}

/* No file of this process may grow, or be written, for as long as it is ON. */
static void
let_disk_be_full(bool on)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = on ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_is_waited_for(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 10);
	let_disk_be_full(true);
	fake_server_add(fixture->server, "INBOX", 3, "");
	fixture_until(fixture, has_waited, 2);
	let_disk_be_full(false);
	assert_true(postern_error_is(fixture->line_error, POSTERN_ERROR_STORE));
	/* Once, however often it was tried. */
	assert_int_equal(fixture->notices, 1);
	fixture_until(fixture, inbox_complete, 13);
	fixture_until(fixture, is_online, 0);
	fixture_check(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_refused_login_is_no_loop),
		TEST(a_lost_line_comes_back_and_brings_the_folder),
		TEST(a_line_cut_in_the_window_is_tried_again),
		TEST(a_server_that_hangs_up_after_every_login_is_asked_less_and_less),
		TEST(a_refused_select_of_the_folder_at_home_is_no_loop),
		TEST(a_refused_window_is_asked_for_again_when_opened_again),
		TEST(a_slice_answered_no_leaves_no_hole),
		TEST(an_empty_list_takes_no_folder_away),
		TEST(a_refused_list_is_said_to_be),
		TEST(without_a_line_requests_are_answered_at_once),
		TEST(held_it_connects_when_first_asked),
		TEST(stopped_with_everything_in_flight),
		TEST(stopped_at_any_moment),
		TEST(cancelled_requests_end_once),
		TEST(what_is_said_unasked_harms_nothing),
		TEST(what_is_opened_while_a_login_is_under_way_is_not_forgotten),
		TEST(stopped_while_a_folder_is_opened_it_misses_nothing_later),
		TEST(a_full_disk_is_waited_for),
	};

	return cmocka_run_group_tests_name("engine/line", tests, NULL, NULL);
}
