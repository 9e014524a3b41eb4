/* The journal's way to the server: what is sent, and what is made of the answers. */
#include "person.h"

#include <limits.h>
#include <string.h>

/* ---- flags ----------------------------------------------------------------------------------------- */

static void
flags_go_as_one_delta(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 4, "\\Flagged");
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 3, 5,
						  ENGINE_THERE));
	assert_flags(fixture, "INBOX", 4, "\\Flagged \\Seen");
	assert_flags(fixture, "INBOX", 6, "");
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 1);
	assert_int_equal(fake_server_count(fixture->server, "UID STORE 3:5 +FLAGS (\\Seen)"), 1);
	assert_int_equal(fake_server_count(fixture->server, "SELECT INBOX"), 0);
	assert_true(fixture_flags(fixture, "INBOX", 4) & STORE_FLAG_SEEN);
	assert_settled(fixture);
}

static void
many_flags_are_one_silent_command(void **state)
{
	Fixture *fixture = *state;
	StoreIntent intent;

	fixture_begin(fixture, MOVE_WORDS, 3000);
	intent = person_intent(fixture, STORE_INTENT_FLAG, "INBOX", NULL);
	intent.all = true;
	intent.flag = STORE_FLAG_SEEN;
	intent.set = true;
	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_THERE));
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 1);
	assert_int_equal(fake_server_count(fixture->server, "+FLAGS.SILENT"), 1);
	assert_flags(fixture, "INBOX", 3000, "\\Seen");
	assert_settled(fixture);
}

static void
rows_of_one_kind_leave_as_one_command(void **state)
{
	Fixture *fixture = *state;

	fixture_begin_offline(fixture, MOVE_WORDS, 30);
	for (uint32_t uid = 1; uid <= 20; uid++)
		fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
							  uid, uid, ENGINE_QUEUED));
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 1);
	assert_flags(fixture, "INBOX", 20, "\\Seen");
	assert_flags(fixture, "INBOX", 21, "");
}

static void
a_flag_that_the_server_ignores_is_a_failed_row(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 5);
	fake_server_fault(fixture->server, FAKE_STORE_IGNORED);
	assert_true(
	    postern_error_is(fixture_wait(fixture,
					  person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
							 2, 2, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_true(queue_is_done(fixture, 1));
}

static void
a_flag_that_cannot_be_kept_is_not_sent(void **state)
{
	Fixture *fixture = *state;

	fake_server_rule(fixture->server, "SELECT", UINT_MAX, FAKE_SAY,
			 "* OK [PERMANENTFLAGS (\\Deleted)] these\r\n");
	fixture_begin(fixture, MOVE_WORDS, 5);
	assert_true(
	    postern_error_is(fixture_wait(fixture,
					  person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
							 2, 2, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 0);
	assert_true(queue_is_done(fixture, 1));
}

/* ---- moves ----------------------------------------------------------------------------------------- */

static void
a_move_is_one_command_where_there_is_move(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_THERE));
	assert_copies(fixture, "INBOX", 5, 0);
	assert_copies(fixture, "Other", 5, 1);
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 1);
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 0);
	assert_int_equal(fake_server_count(fixture->server, "EXPUNGE"), 0);
	assert_int_equal(fake_server_count(fixture->server, "SELECT INBOX"), 0);
	/* COPYUID told where it is. */
	row = fixture_row(fixture, "Other", 4);
	assert_non_null(row);
	assert_string_equal(row->message_id, "<m5@example.org>");
	assert_settled(fixture);
}

static void
without_move_the_copy_is_confirmed_before_the_original_goes(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 9, "\\Deleted"); /* somebody else's */
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_THERE));
	assert_copies(fixture, "INBOX", 5, 0);
	assert_copies(fixture, "Other", 5, 1);
	assert_copies(fixture, "INBOX", 9, 1);
	assert_int_equal(fake_server_count(fixture->server, "UID COPY 4:6 Other"), 1);
	assert_int_equal(fake_server_count(fixture->server,
					   "UID STORE 4:6 +FLAGS.SILENT (\\Deleted)"),
			 1);
	assert_int_equal(fake_server_count(fixture->server, "UID EXPUNGE 4:6"), 1);
	assert_settled(fixture);
}

static void
without_uidplus_nothing_is_expunged(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, PLAIN_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 9, "\\Deleted");
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_THERE));
	assert_copies(fixture, "Other", 5, 1);
	assert_flags(fixture, "INBOX", 5, "\\Deleted");
	assert_int_equal(fake_server_count(fixture->server, "EXPUNGE"), 0);
	assert_int_equal(fake_server_count(fixture->server, "CLOSE"), 0);
	assert_settled(fixture);
}

static void
a_copy_that_is_refused_costs_no_original(void **state)
{
	Fixture *fixture = *state;
	const GError *error;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "UID COPY", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	error = fixture_wait(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other",
						     4, 6, ENGINE_THERE));
	assert_true(postern_error_is(error, POSTERN_ERROR_REFUSED));
	assert_non_null(strstr(error->message, "it is full"));
	assert_int_equal(fake_server_count(fixture->server, "\\Deleted"), 0);
	assert_copies(fixture, "INBOX", 5, 1);
	assert_true(queue_is_done(fixture, 1));
	/* Later rows go on. */
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 8, 8,
						  ENGINE_THERE));
	assert_flags(fixture, "INBOX", 8, "\\Seen");
}

static void
a_server_that_is_busy_is_asked_again(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID MOVE", 1, FAKE_ANSWER_NO, "[INUSE] in a moment");
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_THERE));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 2);
	assert_copies(fixture, "Other", 5, 1);
}

static void
a_read_only_mailbox_is_left_alone(void **state)
{
	Fixture *fixture = *state;

	fake_server_fault(fixture->server, FAKE_READ_ONLY);
	fixture_begin(fixture, MOVE_WORDS, 10);
	assert_true(
	    postern_error_is(fixture_wait(fixture,
					  person_intends(fixture, STORE_INTENT_MOVE, "INBOX",
							 "Other", 4, 6, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 0);
	assert_true(queue_is_done(fixture, 1));
}

static void
a_move_that_was_only_said_to_be_done_is_a_failed_row(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID MOVE", 5, FAKE_PRETEND, NULL);
	assert_true(
	    postern_error_is(fixture_wait(fixture,
					  person_intends(fixture, STORE_INTENT_MOVE, "INBOX",
							 "Other", 4, 4, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 2);
	assert_true(queue_is_done(fixture, 1));
	assert_copies(fixture, "INBOX", 4, 1);
}

/* The server passed over what it had not told this line of yet, and its idea of UIDNEXT is as old. */
static void
an_original_is_not_taken_for_its_copy(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "STATUS", 1, FAKE_PRETEND, NULL);
	fake_server_rule(fixture->server, "UID COPY", 1, FAKE_PRETEND, NULL);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_COPY, "INBOX", "INBOX", 10,
						  10, ENGINE_THERE));
	assert_int_equal(fake_server_count(fixture->server, "UID COPY"), 2);
	assert_copies(fixture, "INBOX", 10, 2);
}

static void
a_lying_copyuid_moves_no_other_message(void **state)
{
	Fixture *fixture = *state;
	StoreId message;
	StoreIntent intent = { .kind = STORE_INTENT_MOVE };

	fixture_begin(fixture, MOVE_WORDS, 10);
	{
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", 7);

		message = row->id;
	}
	fake_server_fault(fixture->server, FAKE_COPYUID_LIES);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 7,
						  7, ENGINE_THERE));
	fake_server_fault(fixture->server, 0);
	fake_server_add(fixture->server, "Other", 3, ""); /* one of them has the UID of the lie */
	intent.mailbox = fixture_box_id(fixture, "Other");
	intent.dest = fixture_box_id(fixture, "INBOX");
	intent.messages = &message;
	intent.n_messages = 1;
	fixture_wait(fixture, engine_intend(fixture->engine, &intent, ENGINE_THERE));
	assert_int_equal(fake_server_total(fixture->server, "Other") +
			     fake_server_total(fixture->server, "INBOX"),
			 15);
	for (uint32_t stranger = 4; stranger <= 6; stranger++)
		assert_copies(fixture, "Other", stranger, 1);
}

static void
a_message_that_went_meanwhile_is_a_failed_row(void **state)
{
	Fixture *fixture = *state;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 5);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_copies(fixture, "Other", 4, 1);
	assert_copies(fixture, "Other", 5, 0);
	assert_copies(fixture, "Other", 6, 1);
	fixture_check(fixture);
}

/* The server's OK passes over it in silence (RFC 9051, 6.4.9). */
static void
a_copy_of_what_went_meanwhile_says_that_it_went(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) rows = NULL;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_COPY, "INBOX", "Other", 4,
						  6, ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 5);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL));
	assert_int_equal(((const StoreJournalRow *)rows->pdata[0])->code, POSTERN_ERROR_GONE);
	assert_copies(fixture, "Other", 4, 1);
	assert_copies(fixture, "Other", 6, 1);
	fixture_check(fixture);
}

static StoreId
id_at(Fixture *fixture, const char *box, uint32_t uid)
{
	g_autoptr(StoreRow) row = fixture_row(fixture, box, uid);

	assert_non_null(row);
	return row->id;
}

/* Two that are the same are moved, and one of them is not there any more: where the other went is not
 * where this one is. */
static void
what_went_is_not_taken_for_one_like_it(void **state)
{
	Fixture *fixture = *state;
	StoreIntent intent;
	uint32_t ranges[4] = { 5, 5, 11, 11 };
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GArray) targets = NULL;
	StoreId gone;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_COPY, "INBOX", "INBOX", 5,
						  5, ENGINE_THERE));
	fixture_until(fixture, inbox_complete, 11);
	gone = id_at(fixture, "INBOX", 11);
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
	intent = person_intent(fixture, STORE_INTENT_MOVE, "INBOX", "Other");
	intent.uid_ranges = ranges;
	intent.n_uid_ranges = 2;
	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 11);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_copies(fixture, "Other", 5, 1);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 1);
	assert_true(store_journal_targets(fixture_store(fixture),
					  ((StoreJournalRow *)rows->pdata[0])->id, 0, 10, &targets,
					  NULL));
	assert_int_equal(targets->len, 1);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).message, gone);
	fixture_check(fixture);
}

/* Dovecot answers SEARCH before it is through with the EXPUNGE before it, while another client is at
 * work. */
static void
an_expunge_is_looked_at_when_all_is_answered(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID SEARCH UID 5", 1, FAKE_SAY, "* SEARCH 5\r\n");
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_EXPUNGE, "INBOX", NULL, 5,
						  5, ENGINE_THERE));
	assert_copies(fixture, "INBOX", 5, 0);
	assert_int_equal(fake_server_count(fixture->server, "UID EXPUNGE"), 1);
	assert_settled(fixture);
}

static void
a_mailbox_that_was_renumbered_moves_the_right_message(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 3, "");
	fake_server_expunge(fixture->server, "INBOX", 1);
	fake_server_expunge(fixture->server, "INBOX", 2);
	fake_server_capabilities(fixture->server, MOVE_WORDS);
	fake_server_add(fixture->server, "INBOX", 7, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_until(fixture, inbox_complete, 8);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 5,
						  5, ENGINE_QUEUED));
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 6, 6,
						  ENGINE_QUEUED));
	fake_server_renumber(fixture->server, "INBOX", false);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 5, 1);
	assert_copies(fixture, "INBOX", 5, 0);
	assert_int_equal(fake_server_total(fixture->server, "INBOX"), 7);
	assert_flags(fixture, "INBOX", 6, "\\Seen");
	assert_flags(fixture, "INBOX", 3, "");
	fixture_check(fixture);
}

/* ---- in order --------------------------------------------------------------------------------------- */

static void
chains_made_offline_arrive_in_order(void **state)
{
	Fixture *fixture = *state;
	StoreIntent on = { .kind = STORE_INTENT_MOVE };
	StoreId message;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	{
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", 4);

		message = row->id;
	}
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  4, ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  person_folder(fixture, STORE_INTENT_CREATE, NULL, "New", ENGINE_QUEUED));
	on.mailbox = fixture_box_id(fixture, "Other");
	on.dest = fixture_box_id(fixture, "New");
	on.messages = &message;
	on.n_messages = 1;
	fixture_wait_well(fixture, engine_intend(fixture->engine, &on, ENGINE_QUEUED));
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_COPY, "INBOX", "New", 7, 8,
						  ENGINE_QUEUED));
	fixture_wait_well(fixture, person_appends(fixture, "New", 900, ENGINE_QUEUED));
	fixture_wait_well(fixture, person_folder(fixture, STORE_INTENT_RENAME, "New", "Newer",
						 ENGINE_QUEUED));
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_EXPUNGE, "INBOX", NULL, 10,
						  10, ENGINE_QUEUED));
	assert_int_equal(fixture_total(fixture, "Newer"), 4);
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Newer", 4, 1);
	assert_copies(fixture, "Newer", 7, 1);
	assert_copies(fixture, "Newer", 900, 1);
	assert_copies(fixture, "INBOX", 7, 1);
	assert_copies(fixture, "INBOX", 4, 0);
	assert_copies(fixture, "INBOX", 10, 0);
	assert_int_equal(fake_server_total(fixture->server, "Newer"), 4);
	assert_false(fake_server_has_box(fixture->server, "New"));
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_int_equal(fixture_total(fixture, "Newer"), 4);
	assert_settled(fixture);
}

static void
a_folder_renamed_and_deleted_offline_goes(void **state)
{
	Fixture *fixture = *state;
	StoreIntent remove = { .kind = STORE_INTENT_DELETE };

	fixture_begin_offline(fixture, MOVE_WORDS, 3);
	remove.mailbox = fixture_box_id(fixture, "Other");
	fixture_wait_well(fixture, person_folder(fixture, STORE_INTENT_RENAME, "Other", "New",
						 ENGINE_QUEUED));
	fixture_wait_well(fixture, engine_intend(fixture->engine, &remove, ENGINE_QUEUED));
	fixture_go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_false(fake_server_has_box(fixture->server, "Other"));
	assert_false(fake_server_has_box(fixture->server, "New"));
}

static void
what_is_dropped_never_leaves(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) rows = NULL;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  4, ENGINE_QUEUED));
	assert_int_equal(fixture_total(fixture, "INBOX"), 9);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 1);
	fixture_wait_well(fixture,
			  engine_drop(fixture->engine, ((StoreJournalRow *)rows->pdata[0])->id));
	assert_int_equal(fixture_total(fixture, "INBOX"), 10);
	fixture_go_online(fixture);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 0);
	assert_settled(fixture);
}

static void
undo_after_the_fact_moves_back(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_THERE));
	fixture_wait_well(fixture, engine_undo(fixture->engine, NULL, ENGINE_THERE));
	assert_copies(fixture, "INBOX", 5, 1);
	assert_copies(fixture, "Other", 5, 0);
	assert_settled(fixture);
}

static void
offline_there_is_queued(void **state)
{
	Fixture *fixture = *state;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	assert_true(
	    postern_error_is(fixture_wait(fixture,
					  person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
							 4, 4, ENGINE_THERE)),
			     POSTERN_ERROR_OFFLINE));
	assert_true(fixture_flags(fixture, "INBOX", 4) & STORE_FLAG_SEEN);
	assert_int_equal(rows_in(fixture, STORE_ROW_WAITING), 1);
}

/* What waits leaves before what was asked, also where nothing else keeps a line. */
static void
a_sync_takes_along_what_waits(void **state)
{
	Fixture *fixture = *state;

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4,
						  6, ENGINE_QUEUED));
	fixture_stop(fixture);
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_copies(fixture, "Other", 5, 1);
	assert_settled(fixture);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flags_go_as_one_delta),
		TEST(many_flags_are_one_silent_command),
		TEST(rows_of_one_kind_leave_as_one_command),
		TEST(a_flag_that_the_server_ignores_is_a_failed_row),
		TEST(a_flag_that_cannot_be_kept_is_not_sent),
		TEST(a_move_is_one_command_where_there_is_move),
		TEST(without_move_the_copy_is_confirmed_before_the_original_goes),
		TEST(without_uidplus_nothing_is_expunged),
		TEST(a_copy_that_is_refused_costs_no_original),
		TEST(a_server_that_is_busy_is_asked_again),
		TEST(a_read_only_mailbox_is_left_alone),
		TEST(a_move_that_was_only_said_to_be_done_is_a_failed_row),
		TEST(an_original_is_not_taken_for_its_copy),
		TEST(a_lying_copyuid_moves_no_other_message),
		TEST(a_message_that_went_meanwhile_is_a_failed_row),
		TEST(a_copy_of_what_went_meanwhile_says_that_it_went),
		TEST(what_went_is_not_taken_for_one_like_it),
		TEST(an_expunge_is_looked_at_when_all_is_answered),
		TEST(a_mailbox_that_was_renumbered_moves_the_right_message),
		TEST(chains_made_offline_arrive_in_order),
		TEST(a_folder_renamed_and_deleted_offline_goes),
		TEST(what_is_dropped_never_leaves),
		TEST(undo_after_the_fact_moves_back),
		TEST(offline_there_is_queued),
		TEST(a_sync_takes_along_what_waits),
	};

	return cmocka_run_group_tests_name("engine/replay", tests, NULL, NULL);
}
