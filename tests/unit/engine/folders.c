/* Folders: the order in which they are made, renamed and deleted, and what LIST is believed of them. */
#include "fixture.h"

#include <string.h>

#define WORDS                                                                                      \
	"IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH UIDPLUS LITERAL+ "    \
	"MOVE CONDSTORE"

static StoreId
box_id(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	assert_non_null(box);
	return box->id;
}

static EngineRequest
folder(Fixture *fixture, StoreIntentKind kind, const char *box, const char *name, EngineUntil until)
{
	StoreIntent intent = { .kind = kind, .name = name };

	if (box)
		intent.mailbox = box_id(fixture, box);
	return engine_intend(fixture->engine, &intent, until);
}

static bool
queue_is_empty(Fixture *fixture, unsigned ignored)
{
	g_autoptr(GPtrArray) rows = NULL;

	return store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 0;
}

static bool
is_quiet(Fixture *fixture, unsigned ignored)
{
	return fake_server_is_idling(fixture->server);
}

static void
begin(Fixture *fixture, const char *words, const char *open)
{
	fake_server_capabilities(fixture->server, words);
	fake_server_add(fixture->server, "INBOX", 3, "");
	fake_server_add(fixture->server, "Other", 2, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, open, 0, 40, true));
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_until(fixture, is_quiet, 0);
	fake_server_forget(fixture->server);
}

static void
go_offline(Fixture *fixture)
{
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
}

static void
go_online(Fixture *fixture)
{
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
	fixture_until(fixture, queue_is_empty, 0);
}

/* The number of the first command that begins like that; it must be there. */
static unsigned
when(Fixture *fixture, const char *command)
{
	g_auto(GStrv) log = fake_server_log(fixture->server);

	for (unsigned i = 0; log[i]; i++)
		if (g_str_has_prefix(log[i], command))
			return i;
	fail_msg("never said: %s", command);
	return 0;
}

static bool
is_here(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	return box && !box->gone;
}

/* ---- order ------------------------------------------------------------------------------------------- */

/* What could leave at once waits for what has to do with the same names. */
static void
what_is_below_a_new_name_comes_behind_it(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, WORDS, "INBOX");
	go_offline(fixture);
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "Other", "New", ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_CREATE, NULL, "New/below", ENGINE_QUEUED));
	go_online(fixture);
	assert_true(when(fixture, "RENAME") < when(fixture, "CREATE New/below"));
}

static void
a_name_is_taken_when_it_is_free(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, WORDS, "INBOX");
	fixture_wait_well(fixture, folder(fixture, STORE_INTENT_CREATE, NULL, "Old", ENGINE_THERE));
	go_offline(fixture);
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "Other", "First", ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_DELETE, "Old", NULL, ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_CREATE, NULL, "First/below", ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "First", "Old", ENGINE_QUEUED));
	go_online(fixture);
	assert_true(is_here(fixture, "Old"));
	assert_int_equal(fake_server_total(fixture->server, "Old"), 2);
}

/* ---- subscriptions --------------------------------------------------------------------------------------- */

/* RENAME takes along what the server has of it, not what is still to be said behind it. */
static void
an_unsubscribed_folder_leaves_nothing_behind(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, WORDS, "INBOX");
	fixture_wait_well(fixture, folder(fixture, STORE_INTENT_CREATE, NULL, "Old", ENGINE_THERE));
	assert_true(fake_server_is_subscribed(fixture->server, "Old"));
	go_offline(fixture);
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "Old", "New", ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_UNSUBSCRIBE, "New", NULL, ENGINE_QUEUED));
	go_online(fixture);
	assert_false(fake_server_is_subscribed(fixture->server, "Old"));
	assert_false(fake_server_is_subscribed(fixture->server, "New"));
}

/* ---- what LIST is believed -------------------------------------------------------------------------------- */

static bool
list_was_asked(Fixture *fixture, unsigned times)
{
	return fake_server_count(fixture->server, "LIST \"\"") >= times;
}

/* LIST was asked before, and is answered behind it. */
static void
a_list_from_before_undoes_nothing(void **state)
{
	Fixture *fixture = *state;
	EngineRequest listed;

	begin(fixture, WORDS, "INBOX");
	fixture_wait_well(fixture, folder(fixture, STORE_INTENT_CREATE, NULL, "Old", ENGINE_THERE));
	fake_server_forget(fixture->server);
	fake_server_rule(fixture->server, "LIST", 1, FAKE_BEHIND, "SUBSCRIBE Newest");
	listed = engine_folders(fixture->engine, NULL);
	fixture_until(fixture, list_was_asked, 1);
	fixture_wait_well(fixture, folder(fixture, STORE_INTENT_CREATE, NULL, "New", ENGINE_THERE));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "Old", "Older", ENGINE_THERE));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_DELETE, "Other", NULL, ENGINE_THERE));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_CREATE, NULL, "Newest", ENGINE_THERE));
	fixture_wait_well(fixture, listed);
	assert_true(is_here(fixture, "New") && is_here(fixture, "Newest"));
	assert_true(is_here(fixture, "Older"));
	assert_false(is_here(fixture, "Old") || is_here(fixture, "Other"));
	/* What was not believed is asked for once more. */
	fixture_until(fixture, list_was_asked, 2);
}

static bool
other_is_gone(Fixture *fixture, unsigned ignored)
{
	return !is_here(fixture, "Other");
}

static void
what_others_deleted_is_gone_when_two_lists_are_without_it(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, WORDS, "INBOX");
	fake_server_remove(fixture->server, "Other");
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	assert_int_equal(fake_server_count(fixture->server, "LIST \"\""), 2);
	fixture_until(fixture, other_is_gone, 0);
	fake_server_forget(fixture->server);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	assert_int_equal(fake_server_count(fixture->server, "LIST \"\""), 1);
}

static void
what_was_only_missing_once_stays(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, WORDS, "INBOX");
	fake_server_remove(fixture->server, "Other");
	fake_server_rule(fixture->server, "RETURN", 1, FAKE_LATE, NULL);
	fake_server_rule(fixture->server, "LIST", 1, FAKE_ANSWER_NO, NULL);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	assert_int_equal(fake_server_count(fixture->server, "LIST \"\""), 2);
	assert_true(is_here(fixture, "Other"));
	fake_server_fault(fixture->server, FAKE_LIST_EMPTY);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	assert_true(is_here(fixture, "Other"));
}

/* ---- what is open ----------------------------------------------------------------------------------------- */

/* The server refuses to delete or rename what is selected, on any line. */
static void
leave_and(Fixture *fixture, StoreIntentKind kind, const char *name, bool unselect)
{
	begin(fixture, unselect ? WORDS " UNSELECT" : WORDS, "Other");
	fixture_wait_well(fixture, folder(fixture, kind, "Other", name, ENGINE_THERE));
	assert_false(fake_server_has_box(fixture->server, "Other"));
	assert_true(!name || fake_server_has_box(fixture->server, name));
	assert_true(fake_server_count(fixture->server, unselect ? "UNSELECT" : "EXAMINE") > 0);
}

static void
a_folder_is_left_before_it_goes(void **state)
{
	leave_and(*state, STORE_INTENT_DELETE, NULL, false);
}

static void
a_folder_is_unselected_before_it_goes(void **state)
{
	leave_and(*state, STORE_INTENT_DELETE, NULL, true);
}

static void
a_folder_is_left_before_it_is_renamed(void **state)
{
	leave_and(*state, STORE_INTENT_RENAME, "New", false);
}

static void
a_folder_is_unselected_before_it_is_renamed(void **state)
{
	leave_and(*state, STORE_INTENT_RENAME, "New", true);
}

static int
set_up_many_lines(void **state)
{
	if (fixture_set_up(state))
		return -1;
	fixture_connections(*state, 3);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
#define TEST_OF_MANY(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, set_up_many_lines, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_below_a_new_name_comes_behind_it),
		TEST_OF_MANY(what_is_below_a_new_name_comes_behind_it),
		TEST_OF_MANY(a_name_is_taken_when_it_is_free),
		TEST(an_unsubscribed_folder_leaves_nothing_behind),
		TEST_OF_MANY(a_list_from_before_undoes_nothing),
		TEST(what_others_deleted_is_gone_when_two_lists_are_without_it),
		TEST(what_was_only_missing_once_stays),
		TEST(a_folder_is_left_before_it_goes),
		TEST(a_folder_is_unselected_before_it_is_renamed),
		TEST_OF_MANY(a_folder_is_left_before_it_goes),
		TEST_OF_MANY(a_folder_is_unselected_before_it_goes),
		TEST_OF_MANY(a_folder_is_left_before_it_is_renamed),
		TEST_OF_MANY(a_folder_is_unselected_before_it_is_renamed),
	};

	return cmocka_run_group_tests_name("engine/folders", tests, NULL, NULL);
}
