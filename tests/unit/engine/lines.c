/* Several connections to one account, and all its folders kept true. */
#include "fixture.h"

#include <string.h>

#define WINDOW 40
#define LISTENS                                                                                    \
	"IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH ENABLE CONDSTORE "    \
	"NOTIFY"
#define NO_NOTIFY "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH CONDSTORE"
#define PLAIN	  "IMAP4rev1 AUTH=PLAIN IDLE"

/* The first line is the interactive one. */
static unsigned
others_count(Fixture *fixture, const char *words)
{
	return fake_server_count(fixture->server, words) -
	       fake_server_count_on(fixture->server, 1, words);
}

static bool
others_saw(Fixture *fixture, unsigned times, const char *words)
{
	return others_count(fixture, words) >= times;
}

static bool
has_asked_to_be_told(Fixture *fixture, unsigned times)
{
	return others_saw(fixture, times, "NOTIFY SET") && others_saw(fixture, times, "IDLE");
}

static bool
has_selected_other(Fixture *fixture, unsigned times)
{
	return others_saw(fixture, times, "SELECT Other");
}

static bool
has_selected_inbox_besides(Fixture *fixture, unsigned times)
{
	return others_saw(fixture, times, "SELECT INBOX");
}

static bool
has_read_a_body_besides(Fixture *fixture, unsigned times)
{
	return others_saw(fixture, times, "BODY.PEEK");
}

static bool
other_has_more(Fixture *fixture, unsigned rows)
{
	return fixture_total(fixture, "Other") > rows;
}

/* INBOX on the screen, INBOX and Other mirrored; the lines that are to be are there. */
static void
begin(Fixture *fixture, const char *words, unsigned inbox, unsigned other)
{
	fake_server_capabilities(fixture->server, words);
	fixture_connections(fixture, 3);
	fake_server_add(fixture->server, "INBOX", inbox, "");
	if (other)
		fake_server_add(fixture->server, "Other", other, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, inbox);
	if (other)
		fixture_until(fixture, other_complete, other);
	if (strstr(words, "NOTIFY"))
		fixture_until(fixture, has_asked_to_be_told, 1);
	fixture_until(fixture, is_idling, 0);
}

static void
every_folder_is_mirrored_behind_the_screen(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, LISTENS, 300, 500);
	assert_int_equal(fake_server_count_on(fixture->server, 1, "SELECT Other"), 0);
	assert_int_equal(others_count(fixture, "SELECT INBOX"), 0);
	assert_int_equal(fixture->notices, 0);
	fixture_check(fixture);
}

static void
mail_in_a_folder_that_is_not_open_shows_up_by_itself(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid;

	begin(fixture, LISTENS, 50, 60);
	uid = fake_server_add(fixture->server, "Other", 2, "");
	fixture_until(fixture, other_complete, 62);
	/* Again, while it is still selected there. */
	fake_server_add(fixture->server, "Other", 1, "");
	fixture_until(fixture, other_complete, 63);
	fake_server_expunge(fixture->server, "Other", uid);
	fixture_until(fixture, other_complete, 62);
	assert_int_equal(fake_server_count_on(fixture->server, 1, "SELECT Other"), 0);
	assert_int_equal(fixture->link, ENGINE_ONLINE);
	fixture_check(fixture);
}

static bool
other_is_read(Fixture *fixture, unsigned uid)
{
	return fixture_flags(fixture, "Other", uid) & STORE_FLAG_SEEN;
}

static void
a_flag_changed_elsewhere_shows_up_by_itself(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, LISTENS, 50, 60);
	fake_server_flags(fixture->server, "Other", 7, "\\Seen");
	fixture_until(fixture, other_is_read, 7);
}

static void
a_folder_that_differs_in_nothing_is_not_opened(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, LISTENS, 50, 60);
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, has_asked_to_be_told, 1);
	fixture_idle_ms(fixture, 200);
	assert_int_equal(fake_server_count(fixture->server, "SELECT Other"), 0);
	assert_int_equal(fake_server_connections(fixture->server), 2);
}

static void
a_sync_of_everything_with_nothing_new_is_one_list(void **state)
{
	Fixture *fixture = *state;
	EngineTotals before, after;

	begin(fixture, NO_NOTIFY, 50, 60);
	fixture_stop(fixture);
	/* What INBOX was told in IDLE is made sure of once. */
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start_with(fixture, false, true);
	engine_totals(fixture->engine, &before);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	engine_totals(fixture->engine, &after);
	assert_int_equal(fake_server_count(fixture->server, "LIST "), 1);
	assert_int_equal(fake_server_count(fixture->server, "SELECT"), 0);
	assert_true(after.round_trips - before.round_trips <= 2);
	assert_int_equal(fake_server_connections(fixture->server), 1);
}

/* Where flags have no number of their own, somebody who asks is told the truth. */
static void
a_sync_of_everything_without_condstore_looks_at_all(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, PLAIN, 50, 60);
	fixture_stop(fixture);
	fake_server_flags(fixture->server, "Other", 3, "\\Flagged");
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_true(fixture_flags(fixture, "Other", 3) & STORE_FLAG_FLAGGED);
}

/* What is open stays selected, and the server tells nothing of it unasked. */
static void
a_sync_asks_about_what_is_open(void **state)
{
	Fixture *fixture = *state;
	const char *folders[] = { "INBOX", NULL };

	fake_server_capabilities(fixture->server, "IMAP4rev1");
	fixture_connections(fixture, 3);
	fake_server_add(fixture->server, "INBOX", 20, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 20);
	for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(StoreRow) came = NULL;

		fake_server_add(fixture->server, "INBOX", 1, "");
		fake_server_expunge(fixture->server, "INBOX", 3 + i);
		fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, folders[i],
						       ENGINE_BODIES_NONE));
		assert_int_equal(fixture_total(fixture, "INBOX"), 20);
		assert_null(fixture_row(fixture, "INBOX", 3 + i));
		came = fixture_row(fixture, "INBOX", 21 + i);
		assert_non_null(came);
	}
	fixture_check(fixture);
}

static void
without_notify_inbox_is_listened_to_while_another_is_open(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, NO_NOTIFY, 50, 60);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "Other", 0, WINDOW, true));
	fixture_until(fixture, has_selected_inbox_besides, 1);
	fake_server_add(fixture->server, "INBOX", 3, "");
	fixture_until(fixture, inbox_complete, 53);
	assert_int_equal(fake_server_count_on(fixture->server, 1, "SELECT INBOX"), 1);
	/* And back: it is the interactive line's again, and true. */
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fake_server_add(fixture->server, "INBOX", 4, "");
	fixture_until(fixture, inbox_complete, 57);
	fixture_check(fixture);
}

static void
with_one_connection_news_are_read_in_between(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, NO_NOTIFY, 50, 60);
	fixture_stop(fixture);
	fixture_connections(fixture, 1);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, is_idling, 0);
	fake_server_add(fixture->server, "Other", 5, "");
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_until(fixture, other_complete, 65);
	/* What the person looks at is open again. */
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, inbox_complete, 51);
	assert_int_equal(fake_server_connections(fixture->server), 1);
}

static void
a_server_with_room_for_one_line_has_it_all_done_there(void **state)
{
	Fixture *fixture = *state;

	fake_server_fault(fixture->server, FAKE_ONE_LINE);
	fake_server_capabilities(fixture->server, LISTENS);
	fixture_connections(fixture, 3);
	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_add(fixture->server, "Other", 60, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "Other", ENGINE_BODIES_TEXT));
	assert_true(other_complete(fixture, 60));
	fixture_until(fixture, is_idling, 0);
	/* One try each, and no word to the person. */
	assert_true(fake_server_connections(fixture->server) <= 3);
	assert_int_equal(fixture->notices, 0);
	assert_int_equal(fixture->waits, 0);
	assert_int_equal(fixture->link, ENGINE_ONLINE);
}

/* Whichever asks first: work comes before listening. */
static void
a_server_with_room_for_two_has_work_done_on_the_second(void **state)
{
	Fixture *fixture = *state;

	fake_server_fault(fixture->server, FAKE_TWO_LINES);
	fake_server_capabilities(fixture->server, LISTENS);
	fixture_connections(fixture, 3);
	fake_server_add(fixture->server, "INBOX", 50, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	/* It listens, because there is nothing else to do. */
	fixture_until(fixture, has_asked_to_be_told, 1);
	fake_server_add(fixture->server, "Other", 60, "");
	fixture_until(fixture, other_complete, 60);
	fixture_until(fixture, has_selected_other, 1);
	fake_server_add(fixture->server, "Other", 300, "");
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_true(other_complete(fixture, 360));
	assert_int_equal(fake_server_count_on(fixture->server, 1, "SELECT Other"), 0);
	assert_int_equal(fixture->notices, 0);
	assert_int_equal(fixture->waits, 0);
}

static void
a_persons_request_does_not_wait_for_a_sync(void **state)
{
	Fixture *fixture = *state;
	EngineRequest sync;

	begin(fixture, NO_NOTIFY, 200, 0);
	fake_server_add(fixture->server, "Other", 3000, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	sync = engine_sync(fixture->engine, NULL, "Other", ENGINE_BODIES_ALL);
	fixture_until(fixture, other_has_more, 100);
	fixture_wait_well(fixture, engine_message(fixture->engine, NULL, "INBOX", 17));
	{
		const char *const sections[] = { "", NULL };

		fixture_wait_well(fixture,
				  engine_parts(fixture->engine, fixture->message, sections));
	}
	assert_int_equal(fixture_done_count(fixture, sync), 0);
	assert_int_equal(fake_server_count_on(fixture->server, 1, "SELECT Other"), 0);
	engine_cancel(fixture->engine, sync);
	fixture_wait(fixture, sync);
	fixture_check(fixture);
}

static void
a_background_line_that_is_lost_is_replaced(void **state)
{
	Fixture *fixture = *state;
	EngineRequest sync;

	begin(fixture, NO_NOTIFY, 50, 0);
	fake_server_add(fixture->server, "Other", 800, "");
	sync = engine_sync(fixture->engine, NULL, "Other", ENGINE_BODIES_TEXT);
	fixture_until(fixture, has_read_a_body_besides, 1);
	fake_server_cut_line(fixture->server, 2);
	fixture_wait_well(fixture, sync);
	assert_true(other_complete(fixture, 800));
	/* The person has seen nothing of it. */
	assert_int_equal(fixture->waits, 0);
	assert_int_equal(fixture->notices, 0);
	fixture_check(fixture);
}

static void
a_folder_opened_while_it_is_read_behind_is_read_once(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, NO_NOTIFY, 50, 0);
	fake_server_add(fixture->server, "Other", 3000, "");
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_until(fixture, has_selected_other, 1);
	fixture_until(fixture, other_has_more, 0);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "Other", 0, WINDOW, true));
	fake_server_expunge(fixture->server, "Other", 1500);
	fake_server_expunge(fixture->server, "Other", 2995);
	fake_server_add(fixture->server, "Other", 10, "");
	fixture_until(fixture, other_complete, 3008);
	fixture_check(fixture);
}

/* Two lines have it selected then; the one that reads bodies writes nothing of what it hears. */
static void
bodies_of_the_open_folder_are_read_on_another_line(void **state)
{
	Fixture *fixture = *state;
	EngineRequest sync;

	begin(fixture, NO_NOTIFY, 300, 0);
	sync = engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_TEXT);
	fixture_until(fixture, has_read_a_body_besides, 1);
	fake_server_expunge(fixture->server, "INBOX", 150);
	fake_server_add(fixture->server, "INBOX", 2, "");
	fake_server_flags(fixture->server, "INBOX", 7, "\\Seen");
	fixture_wait(fixture, sync);
	fixture_until(fixture, inbox_complete, 301);
	assert_true(fixture_flags(fixture, "INBOX", 7) & STORE_FLAG_SEEN);
	assert_int_equal(fake_server_count_on(fixture->server, 1, "BODY.PEEK[1]"), 0);
	fixture_check(fixture);
}

static void
a_refused_folder_keeps_a_sync_from_no_other(void **state)
{
	Fixture *fixture = *state;
	const GError *error;

	fake_server_add(fixture->server, "INBOX", 20, "");
	fake_server_add(fixture->server, "Other", 30, "");
	fake_server_rule(fixture->server, "SELECT INBOX", 10, FAKE_ANSWER_NO, NULL);
	fixture_start_with(fixture, false, true);
	error = fixture_wait(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_true(postern_error_is(error, POSTERN_ERROR_REFUSED));
	assert_true(other_complete(fixture, 30));
}

static void
a_folder_whose_numbers_are_never_met_is_read_once(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, LISTENS, 50, 60);
	fake_server_forget(fixture->server);
	fake_server_rule(fixture->server, "SELECT Other", 100, FAKE_ANSWER_NO, NULL);
	fake_server_add(fixture->server, "Other", 1, "");
	fixture_until(fixture, has_selected_other, 1);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_idle_ms(fixture, 300);
	assert_int_equal(fake_server_count(fixture->server, "SELECT Other"), 1);
	assert_int_equal(fixture->notices, 0);
}

static void
notify_refused_is_done_without(void **state)
{
	Fixture *fixture = *state;

	fake_server_rule(fixture->server, "NOTIFY", 100, FAKE_ANSWER_NO, NULL);
	begin(fixture, NO_NOTIFY " NOTIFY", 50, 60);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "Other", 0, WINDOW, true));
	fixture_until(fixture, has_selected_inbox_besides, 1);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, inbox_complete, 51);
	assert_int_equal(fake_server_count(fixture->server, "NOTIFY"), 1);
	assert_int_equal(fixture->notices, 0);
}

static void
stopped_at_any_moment_with_three_lines(void **state)
{
	Fixture *fixture = *state;

	fixture_connections(fixture, 3);
	fake_server_capabilities(fixture->server, LISTENS);
	fake_server_add(fixture->server, "INBOX", 300, "");
	fake_server_add(fixture->server, "Other", 300, "");
	for (unsigned ms = 0; ms < 60; ms += 4) {
		fixture_start(fixture);
		engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true);
		engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_TEXT);
		fixture_idle_ms(fixture, ms);
		fixture_stop(fixture);
	}
	fixture_check(fixture);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_folder_is_mirrored_behind_the_screen),
		TEST(mail_in_a_folder_that_is_not_open_shows_up_by_itself),
		TEST(a_flag_changed_elsewhere_shows_up_by_itself),
		TEST(a_folder_that_differs_in_nothing_is_not_opened),
		TEST(a_sync_of_everything_with_nothing_new_is_one_list),
		TEST(a_sync_of_everything_without_condstore_looks_at_all),
		TEST(a_sync_asks_about_what_is_open),
		TEST(without_notify_inbox_is_listened_to_while_another_is_open),
		TEST(with_one_connection_news_are_read_in_between),
		TEST(a_server_with_room_for_one_line_has_it_all_done_there),
		TEST(a_server_with_room_for_two_has_work_done_on_the_second),
		TEST(a_persons_request_does_not_wait_for_a_sync),
		TEST(a_background_line_that_is_lost_is_replaced),
		TEST(a_folder_opened_while_it_is_read_behind_is_read_once),
		TEST(bodies_of_the_open_folder_are_read_on_another_line),
		TEST(a_refused_folder_keeps_a_sync_from_no_other),
		TEST(a_folder_whose_numbers_are_never_met_is_read_once),
		TEST(notify_refused_is_done_without),
		TEST(stopped_at_any_moment_with_three_lines),
	};

	return cmocka_run_group_tests_name("engine/lines", tests, NULL, NULL);
}
