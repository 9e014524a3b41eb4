/* What is kept without being asked for, what goes, and what a cut line costs. */
#include "fixture.h"

#include <string.h>

#define LARGE (5 * 1024 * 1024)

static const char *const attachment[] = { "2", NULL };

static ConfigAccount *
account_of(Fixture *fixture)
{
	return g_ptr_array_index(fixture->config->accounts, 0);
}

static bool
has(Fixture *fixture, uint32_t uid, const char *section)
{
	g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", uid);
	bool is = false;

	assert_true(!row || store_part_has(fixture_store(fixture), row->id, section, &is, NULL));
	return is;
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

static uint64_t
kept(Fixture *fixture)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, "INBOX");
	uint64_t bytes;

	assert_true(store_kept(fixture_store(fixture), box->account, &bytes, NULL));
	return bytes;
}

static void
open_inbox(Fixture *fixture)
{
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
}

/* ---- kept ------------------------------------------------------------------------------------------ */

static bool
text_is_here(Fixture *fixture, unsigned uid)
{
	return has(fixture, uid, "1");
}

static void
text_is_kept_and_so_is_that_of_what_comes(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid;
	unsigned before;

	account_of(fixture)->keep_text_s = INT64_MAX;
	fake_server_add(fixture->server, "INBOX", 500, "");
	fake_server_add_large(fixture->server, "INBOX", 60000);
	open_inbox(fixture);
	fixture_until(fixture, text_is_here, 1);
	fixture_until(fixture, is_idling, 0);
	for (uint32_t i = 1; i <= 501; i++)
		assert_true(has(fixture, i, "1"));
	assert_false(has(fixture, 501, "2"));
	/* Many in one command. */
	assert_true(fake_server_count(fixture->server, "BODY.PEEK[1]") < 20);
	/* New mail costs no second walk. */
	before = fake_server_count(fixture->server, "BODY.PEEK[1]");
	uid = fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, text_is_here, uid);
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[1]"), before + 1);
	fixture_stop(fixture);
	fixture_check(fixture);
}

static bool
attachment_is_here(Fixture *fixture, unsigned uid)
{
	return has(fixture, uid, "2");
}

static void
attachments_are_kept_up_to_their_size(void **state)
{
	Fixture *fixture = *state;
	uint32_t small, large;

	account_of(fixture)->keep_text_s = INT64_MAX;
	account_of(fixture)->keep_attachments = 100000;
	large = fake_server_add_large(fixture->server, "INBOX", 200000);
	small = fake_server_add_large(fixture->server, "INBOX", 60000);
	fake_server_add(fixture->server, "INBOX", 1, "");
	open_inbox(fixture);
	fixture_until(fixture, attachment_is_here, small);
	fixture_until(fixture, text_is_here, large);
	fixture_until(fixture, is_idling, 0);
	assert_false(has(fixture, large, "2"));
}

static void
what_is_older_is_not_kept(void **state)
{
	Fixture *fixture = *state;

	/* The server's messages are of November 2025, a minute apart. */
	fake_server_add(fixture->server, "INBOX", 300, "");
	open_inbox(fixture);
	fixture_until(fixture, inbox_complete, 300);
	fixture_stop(fixture);
	{
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", 200);

		account_of(fixture)->keep_text_s =
		    g_get_real_time() / G_USEC_PER_SEC - row->date + 30;
	}
	open_inbox(fixture);
	fixture_until(fixture, text_is_here, 260);
	fixture_until(fixture, is_idling, 0);
	assert_false(has(fixture, 199, "1"));
	assert_int_equal(kept(fixture) > 0, true);
}

static void
nothing_is_kept_for_a_command(void **state)
{
	Fixture *fixture = *state;

	account_of(fixture)->keep_text_s = INT64_MAX;
	fake_server_add(fixture->server, "INBOX", 20, "");
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_NONE));
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[1]"), 0);
}

/* ---- the limit --------------------------------------------------------------------------------------- */

static bool
is_within(Fixture *fixture, unsigned bytes)
{
	return kept(fixture) <= bytes;
}

static void
a_sync_stops_at_the_limit_and_says_so(void **state)
{
	Fixture *fixture = *state;
	const GError *error;

	for (int i = 0; i < 40; i++)
		fake_server_add_large(fixture->server, "INBOX", 50000);
	account_of(fixture)->cache_size = 1000000;
	fixture_start_with(fixture, false, true);
	error =
	    fixture_wait(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL));
	if (!postern_error_is(error, POSTERN_ERROR_STORE))
		fail_msg("%s", error ? error->message : "no error");
	assert_non_null(strstr(error->message, "cache-size"));
	assert_true(kept(fixture) > 500000 && kept(fixture) <= 1000000);
	/* The newest are here. */
	assert_true(has(fixture, 40, ""));
	assert_false(has(fixture, 1, ""));
	/* Which costs nothing to find out again. */
	fake_server_forget(fixture->server);
	fixture_wait(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL));
	assert_true(fake_server_count(fixture->server, "BODY.PEEK[]") <= 2);
	/* New mail takes the place of old. */
	fake_server_add_large(fixture->server, "INBOX", 50000);
	fixture_wait(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL));
	fixture_until(fixture, is_within, 1000000);
	fixture_stop(fixture);
	fixture_check(fixture);
}

static void
a_lower_limit_lets_the_oldest_go(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	for (int i = 0; i < 20; i++)
		fake_server_add_large(fixture->server, "INBOX", 50000);
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL));
	/* The oldest is looked at. */
	row = fixture_row(fixture, "INBOX", 1);
	engine_looked(fixture->engine, row->id);
	fixture_stop(fixture);
	account_of(fixture)->cache_size = 200000;
	fixture_start_with(fixture, true, false);
	fixture_until(fixture, is_within, 200000);
	assert_true(has(fixture, 1, ""));
	assert_true(has(fixture, 20, ""));
	assert_false(has(fixture, 2, ""));
	fixture_stop(fixture);
	fixture_check(fixture);
}

/* ---- a cut line --------------------------------------------------------------------------------------- */

static void
a_line_cut_again_and_again_costs_little_more_than_the_part(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	g_autoptr(StoreRow) row = NULL;
	uint64_t before;

	open_inbox(fixture);
	fixture_until(fixture, is_idling, 0);
	row = fixture_row(fixture, "INBOX", uid);
	before = fake_server_bytes_out(fixture->server);
	fake_server_rule(fixture->server, "BODY.PEEK[2]<", 6, FAKE_CUT_IN_LITERAL, NULL);
	for (int i = 0; i < 6; i++) {
		assert_true(
		    postern_error_is(fixture_wait(fixture, engine_parts(fixture->engine, row->id,
									attachment)),
				     POSTERN_ERROR_OFFLINE));
		assert_false(has(fixture, uid, "2"));
	}
	fixture_wait_well(fixture, engine_parts(fixture->engine, row->id, attachment));
	assert_attachment(fixture, row->id, LARGE);
	assert_true(fake_server_bytes_out(fixture->server) - before < LARGE + LARGE / 10);
	fixture_check(fixture);
}

static void
an_engine_stopped_in_the_middle_goes_on_there(void **state)
{
	Fixture *fixture = *state;
	uint32_t uid = fake_server_add_large(fixture->server, "INBOX", LARGE);
	g_autoptr(StoreRow) row = NULL;
	uint64_t before;

	open_inbox(fixture);
	fixture_until(fixture, is_idling, 0);
	row = fixture_row(fixture, "INBOX", uid);
	before = fake_server_bytes_out(fixture->server);
	fake_server_rule(fixture->server, "BODY.PEEK[2]<1", 1, FAKE_CUT_IN_LITERAL, NULL);
	assert_non_null(fixture_wait(fixture, engine_parts(fixture->engine, row->id, attachment)));
	fixture_stop(fixture);
	open_inbox(fixture);
	fixture_wait_well(fixture, engine_parts(fixture->engine, row->id, attachment));
	assert_attachment(fixture, row->id, LARGE);
	assert_true(fake_server_bytes_out(fixture->server) - before < LARGE + LARGE / 10);
	assert_int_equal(fake_server_count(fixture->server, "BODY.PEEK[2]<0."), 1);
}

/* ---- a whole folder ------------------------------------------------------------------------------------ */

static bool
some_are_here(Fixture *fixture, unsigned parts)
{
	return fixture->parts >= parts;
}

static void
what_is_expunged_meanwhile_makes_a_sync_pass_over_nothing(void **state)
{
	Fixture *fixture = *state;
	EngineRequest request;

	fake_server_add(fixture->server, "INBOX", 3000, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start_with(fixture, false, true);
	request = engine_sync(fixture->engine, NULL, "INBOX", ENGINE_BODIES_ALL);
	fixture_until(fixture, some_are_here, 100);
	for (uint32_t uid = 3000; uid > 2000; uid -= 20)
		fake_server_expunge(fixture->server, "INBOX", uid);
	fixture_wait_well(fixture, request);
	for (uint32_t uid = 1; uid <= 2000; uid++)
		assert_true(has(fixture, uid, ""));
	for (uint32_t uid = 2999; uid > 2000; uid--)
		assert_true(uid % 20 == 0 || has(fixture, uid, ""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(text_is_kept_and_so_is_that_of_what_comes),
		TEST(attachments_are_kept_up_to_their_size),
		TEST(what_is_older_is_not_kept),
		TEST(nothing_is_kept_for_a_command),
		TEST(a_sync_stops_at_the_limit_and_says_so),
		TEST(a_lower_limit_lets_the_oldest_go),
		TEST(a_line_cut_again_and_again_costs_little_more_than_the_part),
		TEST(an_engine_stopped_in_the_middle_goes_on_there),
		TEST(what_is_expunged_meanwhile_makes_a_sync_pass_over_nothing),
	};

	return cmocka_run_group_tests_name("engine/keep", tests, NULL, NULL);
}
