/* What waits and meets a server that is not as it was thought to be: half a move, folders that went, a
 * UID that was told wrongly. */
#include "person.h"

#include <limits.h>
#include <string.h>

static void
begin_offline(Fixture *fixture, const char *words)
{
	fixture_begin(fixture, words, 5);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
}

static void
intend(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to, StoreId message)
{
	StoreIntent intent = { .kind = kind, .messages = &message, .n_messages = 1 };

	intent.mailbox = fixture_box_id(fixture, from);
	if (to)
		intent.dest = fixture_box_id(fixture, to);
	if (kind == STORE_INTENT_FLAG) {
		intent.flag = STORE_FLAG_FLAGGED;
		intent.set = true;
	}
	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_QUEUED));
}

static void
append(Fixture *fixture, const char *dest, unsigned number)
{
	fixture_wait_well(fixture, person_appends(fixture, dest, number, ENGINE_QUEUED));
}

/* The message at the end of the list of BOX that says it is NUMBER. */
static StoreId
listed(Fixture *fixture, const char *box, unsigned number)
{
	g_autofree char *wanted = g_strdup_printf("<m%u@example.org>", number);
	g_autoptr(GPtrArray) rows = NULL;
	StoreId found = 0;
	uint32_t total;

	assert_true(store_window(fixture_store(fixture), fixture_box_id(fixture, box), 0, 100,
				 false, &rows, &total, NULL));
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = rows->pdata[i];

		if (!g_strcmp0(row->message_id, wanted))
			found = row->id;
	}
	assert_true(found);
	return found;
}

/* ---- half a move, of what an earlier row gave its UID --------------------------------------------- */

static void
what_was_just_appended_is_moved_whole(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, PLUS_WORDS);
	append(fixture, "Other", 900);
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 900));
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 900, 0);
	assert_copies(fixture, "INBOX", 900, 1);
	assert_int_equal(fake_server_count(fixture->server, "UID EXPUNGE"), 1);
	assert_agrees(fixture);
}

static void
a_copy_that_was_just_made_is_moved_whole(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, PLUS_WORDS);
	intend(fixture, STORE_INTENT_COPY, "INBOX", "Other", listed(fixture, "INBOX", 4));
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 4));
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 4, 0);
	assert_copies(fixture, "INBOX", 4, 2);
	assert_agrees(fixture);
}

static void
what_was_just_appended_is_marked_where_nothing_can_be_expunged(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *flags = NULL;

	begin_offline(fixture, PLAIN_WORDS);
	append(fixture, "Other", 900);
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 900));
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "INBOX", 900, 1);
	flags = fake_server_flags_of(fixture->server, "Other", 900);
	assert_string_equal(flags, "\\Seen \\Deleted");
	assert_agrees(fixture);
}

/* ---- folders that went ------------------------------------------------------------------------------ */

static void
what_waits_in_a_folder_that_went_fails_at_once(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) rows = NULL;

	begin_offline(fixture, MOVE_WORDS);
	intend(fixture, STORE_INTENT_FLAG, "Other", NULL, listed(fixture, "Other", 1));
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 2));
	/* Without a word of RFC 5530. */
	fake_server_rule(fixture->server, "SELECT Other", 1000, FAKE_ANSWER_NO, "what folder?");
	fixture_go_online(fixture);
	fixture_wait(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_true(queue_is_done(fixture, 2));
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = rows->pdata[i];

		assert_non_null(strstr(row->error, "what folder?"));
	}
}

static void
what_waits_in_a_folder_that_is_busy_goes_on_waiting(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS);
	intend(fixture, STORE_INTENT_FLAG, "Other", NULL, listed(fixture, "Other", 1));
	fake_server_rule(fixture->server, "SELECT Other", 1, FAKE_ANSWER_NO, "[INUSE] soon");
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_agrees(fixture);
}

static void
a_folder_is_made_whatever_else_failed(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS);
	append(fixture, "Other", 900);
	fixture_wait_well(fixture,
			  person_folder(fixture, STORE_INTENT_CREATE, NULL, "New", ENGINE_QUEUED));
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_true(fake_server_has_box(fixture->server, "New"));
}

static void
a_folder_goes_only_when_what_was_to_be_kept_is_out_of_it(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS);
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 2));
	fixture_wait_well(fixture, person_folder(fixture, STORE_INTENT_DELETE, "Other", NULL,
						 ENGINE_QUEUED));
	fake_server_rule(fixture->server, "UID MOVE", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 2);
	assert_copies(fixture, "Other", 2, 1);
	assert_true(fake_server_has_box(fixture->server, "Other"));
}

/* ---- UIDs that are not known yet -------------------------------------------------------------------- */

static void
a_message_on_its_way_holds_nothing_up(void **state)
{
	Fixture *fixture = *state;
	const char *sections[] = { "1", NULL };
	const GError *error;

	fixture_begin(fixture, MOVE_WORDS, 5);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fake_server_rule(fixture->server, "UID MOVE", UINT_MAX, FAKE_ANSWER_NO, "[INUSE] soon");
	intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", listed(fixture, "INBOX", 4));
	error = fixture_wait(fixture,
			     engine_parts(fixture->engine, listed(fixture, "Other", 4), sections));
	assert_true(postern_error_is(error, POSTERN_ERROR_GONE));
	fixture_wait_well(fixture,
			  engine_parts(fixture->engine, listed(fixture, "INBOX", 3), sections));
}

/* ---- UIDs that were told wrongly ----------------------------------------------------------------------- */

static void
a_lying_appenduid_makes_no_second_message(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	begin_offline(fixture, MOVE_WORDS);
	append(fixture, "Other", 900);
	fake_server_fault(fixture->server, FAKE_APPENDUID_LIES);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_agrees(fixture);
	row = fixture_row(fixture, "Other", 3);
	assert_non_null(row);
	assert_string_equal(row->message_id, "<m900@example.org>");
	assert_int_equal(fake_server_count(fixture->server, "APPEND"), 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_just_appended_is_moved_whole),
		TEST(a_copy_that_was_just_made_is_moved_whole),
		TEST(what_was_just_appended_is_marked_where_nothing_can_be_expunged),
		TEST(what_waits_in_a_folder_that_went_fails_at_once),
		TEST(what_waits_in_a_folder_that_is_busy_goes_on_waiting),
		TEST(a_folder_is_made_whatever_else_failed),
		TEST(a_folder_goes_only_when_what_was_to_be_kept_is_out_of_it),
		TEST(a_message_on_its_way_holds_nothing_up),
		TEST(a_lying_appenduid_makes_no_second_message),
	};

	return cmocka_run_group_tests_name("engine/refused", tests, NULL, NULL);
}
