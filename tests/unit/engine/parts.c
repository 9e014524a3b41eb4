/* Parts: fetched once, kept, in pieces when they are large, and never another's bytes. */
#include "fixture.h"

#include <string.h>

#define LARGE (5 * 1024 * 1024)

static const char *const text[] = { "1", NULL };
static const char *const attachment[] = { "2", NULL };
static const char *const whole[] = { "", NULL };

static StoreId
open_inbox(Fixture *fixture, uint32_t uid)
{
	g_autoptr(StoreRow) row = NULL;

	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, false));
	fixture_until(fixture, is_idling, 0);
	row = fixture_row(fixture, "INBOX", uid);
	assert_non_null(row);
	return row->id;
}

static void
assert_attachment(Fixture *fixture, StoreId message, size_t size)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	const char *data;
	gsize n;

	if (!engine_part_load(fixture_store(fixture), message, "2", &bytes, &error))
		fail_msg("%s", error->message);
	data = g_bytes_get_data(bytes, &n);
	assert_int_equal(n, size);
	for (size_t i = 0; i < n; i++)
		if (data[i] != fake_attachment_byte(i))
			fail_msg("another byte at %zu", i);
}

static bool
part_is_here(Fixture *fixture, StoreId message, const char *section)
{
	bool has = true;

	assert_true(engine_part_has(fixture_store(fixture), message, section, &has, NULL));
	return has;
}

static bool
has_progress(Fixture *fixture, unsigned ignored)
{
	return fixture->progress > 0;
}

static void
a_part_is_fetched_once_and_stays(void **state)
{
	Fixture *fixture = *state;
	StoreId message;
	g_autoptr(GBytes) bytes = NULL;

	fake_server_add(fixture->server, "INBOX", 50, "");
	message = open_inbox(fixture, 30);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, text));
	assert_int_equal(fixture->parts, 1);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, text));
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[1]"), 1);
	assert_true(engine_part_load(fixture_store(fixture), message, "1", &bytes, NULL));
	assert_true(span_is(span_of(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)),
			    "Dear reader,\r\n\r\nthis is message 30.\r\n"));
	/* Also without a line. */
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, text));
}

static void
two_who_want_the_same_are_served_by_one_fetch(void **state)
{
	Fixture *fixture = *state;
	EngineRequest first, second;
	StoreId message;

	fake_server_add(fixture->server, "INBOX", 50, "");
	message = open_inbox(fixture, 30);
	first = engine_parts(fixture->engine, message, text);
	second = engine_parts(fixture->engine, message, text);
	fixture_wait_well(fixture, first);
	fixture_wait_well(fixture, second);
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[1]"), 1);
}

static void
a_large_part_comes_in_pieces(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	StoreId message = open_inbox(fixture, uid);

	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_true(fake_server_count(fixture->server, "BODY.PEEK[2]<") > 4);
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[2])"), 0);
	assert_true(fixture->progress > 0);
	assert_attachment(fixture, message, LARGE);
	fixture_check(fixture);
}

static void
a_cancelled_part_leaves_the_line_usable_and_can_be_asked_for_again(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	StoreId message;
	EngineRequest request;

	fake_server_fault(fixture->server, FAKE_SLOW);
	message = open_inbox(fixture, uid);
	for (int round = 0; round < 4; round++) {
		fixture->progress = 0;
		request = engine_parts(fixture->engine, message, attachment);
		/* The first time while a piece is under way, then at once. */
		if (round % 2 == 0)
			fixture_until(fixture, has_progress, 0);
		engine_cancel(fixture->engine, request);
		assert_true(
		    postern_error_is(fixture_wait(fixture, request), POSTERN_ERROR_CANCELLED));
		assert_false(part_is_here(fixture, message, "2"));
	}
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, LARGE);
	assert_int_equal(fake_server_connections(fixture->server), 1);
	fixture_check(fixture);
}

static void
a_cancelled_small_part_can_be_asked_for_again(void **state)
{
	Fixture *fixture = *state;
	StoreId message;
	EngineRequest request;
	const GError *error;

	fake_server_add_large(fixture->server, "INBOX", 60000);
	message = open_inbox(fixture, 1);
	for (int round = 0; round < 5; round++) {
		request = engine_parts(fixture->engine, message, attachment);
		engine_cancel(fixture->engine, request);
		/* It may have been faster. */
		error = fixture_wait(fixture, request);
		assert_true(!error || postern_error_is(error, POSTERN_ERROR_CANCELLED));
	}
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, 60000);
}

static void
a_line_cut_in_a_literal_leaves_no_part_behind(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	StoreId message = open_inbox(fixture, uid);
	const GError *error;

	fake_server_rule(fixture->server, "BODY.PEEK[2]<", 1, FAKE_CUT_IN_LITERAL, NULL);
	error = fixture_wait(fixture, engine_parts(fixture->engine, message, attachment));
	assert_true(postern_error_is(error, POSTERN_ERROR_OFFLINE));
	assert_false(part_is_here(fixture, message, "2"));
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, LARGE);
	fixture_check(fixture);
}

static void
a_part_that_is_not_there_is_gone(void **state)
{
	Fixture *fixture = *state;
	StoreId message;

	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_flaw(fixture->server, "INBOX", 30, FAKE_NIL_BODY);
	message = open_inbox(fixture, 30);
	assert_true(
	    postern_error_is(fixture_wait(fixture, engine_parts(fixture->engine, message, text)),
			     POSTERN_ERROR_GONE));
	assert_false(part_is_here(fixture, message, "1"));
	/* A name that is no section is never sent. */
	{
		static const char *const odd[] = { "1] x", NULL };

		assert_true(postern_error_is(fixture_wait(fixture, engine_parts(fixture->engine,
										message, odd)),
					     POSTERN_ERROR_GONE));
	}
}

static void
another_messages_body_is_not_kept(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid;
	StoreId message;

	fake_server_add(fixture->server, "INBOX", 3, "");
	uid = fake_server_add_large(fixture->server, "INBOX", 60000);
	fake_server_add(fixture->server, "INBOX", 3, "");
	message = open_inbox(fixture, uid);
	fake_server_fault(fixture->server, FAKE_BODY_OF_ANOTHER);
	assert_non_null(fixture_wait(fixture, engine_parts(fixture->engine, message, text)));
	assert_non_null(fixture_wait(fixture, engine_parts(fixture->engine, message, attachment)));
	assert_false(part_is_here(fixture, message, "1"));
	assert_false(part_is_here(fixture, message, "2"));
	fake_server_fault(fixture->server, 0);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, 60000);
}

static void
a_piece_from_elsewhere_is_not_kept(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	StoreId message = open_inbox(fixture, uid);

	fake_server_fault(fixture->server, FAKE_WRONG_ORIGIN);
	assert_true(postern_error_is(fixture_wait(fixture, engine_parts(fixture->engine, message,
									attachment)),
				     POSTERN_ERROR_PROTOCOL));
	assert_false(part_is_here(fixture, message, "2"));
	fake_server_fault(fixture->server, 0);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, LARGE);
}

static void
a_server_that_knows_no_pieces_is_no_trap(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", 1024 * 1024);
	StoreId message = open_inbox(fixture, uid);

	fake_server_fault(fixture->server, FAKE_NO_ORIGIN);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, 1024 * 1024);
}

/* A sender chooses the words of ENVELOPE: they must not pass for the section of a literal. */
static void
a_subject_that_looks_like_a_section_takes_no_literal(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GString) line = g_string_new("* 1 FETCH (UID 1 ENVELOPE (NIL \"BODY[2]\" ");
	StoreId message;

	fake_server_add_large(fixture->server, "INBOX", 60000);
	message = open_inbox(fixture, 1);
	g_string_append(line, "((NIL NIL {20000}\r\n");
	for (int i = 0; i < 20000; i++)
		g_string_append_c(line, 'x');
	g_string_append(line, " \"example.org\")) NIL NIL NIL NIL NIL NIL NIL))\r\n");
	fake_server_rule(fixture->server, "BODY.PEEK[2]", 1, FAKE_SAY, line->str);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, attachment));
	assert_attachment(fixture, message, 60000);
}

static bool
some_rows(Fixture *fixture, unsigned rows)
{
	return fixture_total(fixture, "INBOX") > rows;
}

/* Slices of the fill that the server saw before the command that holds WORDS; all of them when it
 * never saw that. */
static unsigned
slices_before(Fixture *fixture, const char *words)
{
	g_auto(GStrv) log = fake_server_log(fixture->server);
	unsigned n = 0;

	for (size_t i = 0; log[i] && !strstr(log[i], words); i++)
		n += g_str_has_prefix(log[i], "UID FETCH") && strstr(log[i], "ENVELOPE");
	return n;
}

static void
a_persons_request_overtakes_the_fill(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;
	unsigned before, at_request;

	fake_server_add(fixture->server, "INBOX", 20000, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_until(fixture, some_rows, 300);
	row = fixture_row(fixture, "INBOX", 19999);
	before = slices_before(fixture, "BODY.PEEK");
	fixture_wait_well(fixture, engine_parts(fixture->engine, row->id, text));
	at_request = slices_before(fixture, "BODY.PEEK");
	/* Those in flight, and one that left while the request was on its way to the engine. */
	assert_true(at_request - before <= 3);
	assert_true(fixture_total(fixture, "INBOX") < 20000);
}

static void
a_sync_passes_over_a_message_it_cannot_read(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 200, "");
	fake_server_flaw(fixture->server, "INBOX", 150, FAKE_NIL_BODY);
	fixture_start_with(fixture, false, true);
	/* It says so, and has all the others. */
	assert_non_null(
	    fixture_wait(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL)));
	assert_int_equal(fixture->parts, 199);
}

static void
a_sync_of_large_messages_comes_through(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	for (int i = 0; i < 8; i++)
		fake_server_add_large(fixture->server, "INBOX", 300 * 1024);
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL));
	row = fixture_row(fixture, "INBOX", 3);
	assert_true(part_is_here(fixture, row->id, ""));
	assert_int_equal(fixture->parts, 8);
	fixture_check(fixture);
}

static void
a_message_is_fetched_by_its_uid(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;
	StoreId message;

	fake_server_add(fixture->server, "INBOX", 500, "");
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_message(fixture->engine, NULL, "INBOX", 7));
	row = fixture_row(fixture, "INBOX", 7);
	assert_non_null(row);
	assert_non_null(row->structure);
	message = fixture->message;
	assert_int_equal(row->id, message);
	fixture_wait_well(fixture, engine_parts(fixture->engine, message, whole));
	assert_true(postern_error_is(fixture_wait(fixture, engine_message(fixture->engine, NULL,
									  "INBOX", 501)),
				     POSTERN_ERROR_GONE));
	/* It does not count as part of what is here without a hole. */
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	assert_int_equal(fixture_total(fixture, "INBOX"), 500);
	fixture_check(fixture);
}

static void
parts_of_two_folders_are_fetched_one_after_the_other(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) there = NULL;
	EngineRequest first, second;
	StoreId here;

	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_add(fixture->server, "Other", 50, "");
	here = open_inbox(fixture, 50);
	fixture_wait_well(fixture, engine_message(fixture->engine, NULL, "Other", 50));
	there = fixture_row(fixture, "Other", 50);
	first = engine_parts(fixture->engine, here, text);
	second = engine_parts(fixture->engine, there->id, text);
	fixture_wait_well(fixture, second);
	fixture_wait_well(fixture, first);
	/* And home again. */
	fixture_until(fixture, is_idling, 0);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, inbox_has, 41);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_part_is_fetched_once_and_stays),
		TEST(two_who_want_the_same_are_served_by_one_fetch),
		TEST(a_large_part_comes_in_pieces),
		TEST(a_cancelled_part_leaves_the_line_usable_and_can_be_asked_for_again),
		TEST(a_cancelled_small_part_can_be_asked_for_again),
		TEST(a_line_cut_in_a_literal_leaves_no_part_behind),
		TEST(a_part_that_is_not_there_is_gone),
		TEST(another_messages_body_is_not_kept),
		TEST(a_piece_from_elsewhere_is_not_kept),
		TEST(a_server_that_knows_no_pieces_is_no_trap),
		TEST(a_subject_that_looks_like_a_section_takes_no_literal),
		TEST(a_persons_request_overtakes_the_fill),
		TEST(a_sync_passes_over_a_message_it_cannot_read),
		TEST(a_sync_of_large_messages_comes_through),
		TEST(a_message_is_fetched_by_its_uid),
		TEST(parts_of_two_folders_are_fetched_one_after_the_other),
	};

	return cmocka_run_group_tests_name("engine/parts", tests, NULL, NULL);
}
