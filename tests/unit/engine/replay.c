/* The journal's way to the server: what is sent, what is made of the answers, and what happens when there
 * is none. */
#include "fixture.h"

#include <limits.h>
#include <string.h>

#define PLAIN_WORDS "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH"
#define PLUS_WORDS  PLAIN_WORDS " UIDPLUS LITERAL+"
#define MOVE_WORDS  PLUS_WORDS " MOVE CONDSTORE"

/* ---- what a person does -------------------------------------------------------------------------- */

static StoreId
box_id(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	assert_non_null(box);
	return box->id;
}

static StoreIntent
intent_of(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to)
{
	StoreIntent intent = { .kind = kind };

	if (from)
		intent.mailbox = box_id(fixture, from);
	if (to)
		intent.dest = box_id(fixture, to);
	return intent;
}

/* By UIDs. */
static EngineRequest
intend(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to, uint32_t low,
       uint32_t high, EngineUntil until)
{
	StoreIntent intent = intent_of(fixture, kind, from, to);
	uint32_t range[2] = { low, high };

	intent.uid_ranges = range;
	intent.n_uid_ranges = 1;
	if (kind == STORE_INTENT_FLAG) {
		intent.flag = STORE_FLAG_SEEN;
		intent.set = true;
	}
	return engine_intend(fixture->engine, &intent, until);
}

static EngineRequest
folder(Fixture *fixture, StoreIntentKind kind, const char *box, const char *name, EngineUntil until)
{
	StoreIntent intent = intent_of(fixture, kind, box, NULL);

	intent.name = name;
	return engine_intend(fixture->engine, &intent, until);
}

static EngineRequest
append(Fixture *fixture, const char *dest, unsigned number, EngineUntil until)
{
	g_autofree char *text =
	    g_strdup_printf("Date: Fri, 21 Nov 2025 10:00:00 +0000\nFrom: Ada <ada@example.org>\n"
			    "Subject: mine\nMessage-ID: <m%u@example.org>\n\nDear all,\n\nhello.\n",
			    number);
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	return engine_append(fixture->engine, box_id(fixture, dest), content, STORE_FLAG_SEEN, NULL,
			     1763719200, until);
}

/* What is in the queue, by state. */
static unsigned
rows_in(Fixture *fixture, StoreRowState state)
{
	g_autoptr(GPtrArray) rows = NULL;
	unsigned n = 0;

	if (!store_journal(fixture_store(fixture), 0, &rows, NULL))
		return UINT_MAX;
	for (guint i = 0; i < rows->len; i++)
		n += ((const StoreJournalRow *)rows->pdata[i])->state == state;
	return n;
}

static bool
queue_is_done(Fixture *fixture, unsigned failed)
{
	return !rows_in(fixture, STORE_ROW_WAITING) && !rows_in(fixture, STORE_ROW_SENT) &&
	       rows_in(fixture, STORE_ROW_FAILED) == failed;
}

static bool
is_quiet(Fixture *fixture, unsigned ignored)
{
	return fake_server_is_idling(fixture->server);
}

/* INBOX of COUNT messages, everything mirrored, and "Other". */
static void
begin(Fixture *fixture, const char *words, unsigned count)
{
	fake_server_capabilities(fixture->server, words);
	fake_server_add(fixture->server, "INBOX", count, "");
	fake_server_add(fixture->server, "Other", 2, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_until(fixture, inbox_complete, count);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_until(fixture, is_quiet, 0);
	fake_server_forget(fixture->server);
}

/* The same, and then without a line. */
static void
begin_offline(Fixture *fixture, const char *words, unsigned count)
{
	begin(fixture, words, count);
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
}

static void
go_online(Fixture *fixture)
{
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
}

static void
assert_copies(Fixture *fixture, const char *box, uint32_t message, unsigned n)
{
	unsigned there = fake_server_copies(fixture->server, box, message);

	if (there != n) {
		g_auto(GStrv) log = fake_server_log(fixture->server);
		g_autofree char *text = g_strjoinv("\n", log);

		fail_msg("message %u is in %s %u times, not %u:\n%s", message, box, there, n, text);
	}
}

static void
assert_flags(Fixture *fixture, const char *box, uint32_t message, const char *flags)
{
	g_autofree char *there = fake_server_flags_of(fixture->server, box, message);

	assert_string_equal(there ? there : "(none)", flags);
}

/* The queue is empty, and here is what is there. */
static void
assert_settled(Fixture *fixture)
{
	fixture_until(fixture, queue_is_done, 0);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_check(fixture);
	assert_int_equal(fixture_total(fixture, "INBOX"),
			 fake_server_total(fixture->server, "INBOX"));
	assert_int_equal(fixture_total(fixture, "Other"),
			 fake_server_total(fixture->server, "Other"));
}

/* ---- flags ----------------------------------------------------------------------------------------- */

static void
flags_go_as_one_delta(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 4, "\\Flagged");
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 3, 5, ENGINE_THERE));
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

	begin(fixture, MOVE_WORDS, 3000);
	intent = intent_of(fixture, STORE_INTENT_FLAG, "INBOX", NULL);
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

	begin_offline(fixture, MOVE_WORDS, 30);
	for (uint32_t uid = 1; uid <= 20; uid++)
		fixture_wait_well(fixture, intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL, uid,
						  uid, ENGINE_QUEUED));
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 1);
	assert_flags(fixture, "INBOX", 20, "\\Seen");
	assert_flags(fixture, "INBOX", 21, "");
}

static void
a_flag_that_the_server_ignores_is_a_failed_row(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 5);
	fake_server_fault(fixture->server, FAKE_STORE_IGNORED);
	assert_true(
	    postern_error_is(fixture_wait(fixture, intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
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
	begin(fixture, MOVE_WORDS, 5);
	assert_true(
	    postern_error_is(fixture_wait(fixture, intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
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

	begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6, ENGINE_THERE));
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

	begin(fixture, PLUS_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 9, "\\Deleted"); /* somebody else's */
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6, ENGINE_THERE));
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

	begin(fixture, PLAIN_WORDS, 10);
	fake_server_flags(fixture->server, "INBOX", 9, "\\Deleted");
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6, ENGINE_THERE));
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

	begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "UID COPY", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	error = fixture_wait(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6,
					     ENGINE_THERE));
	assert_true(postern_error_is(error, POSTERN_ERROR_REFUSED));
	assert_non_null(strstr(error->message, "it is full"));
	assert_int_equal(fake_server_count(fixture->server, "\\Deleted"), 0);
	assert_copies(fixture, "INBOX", 5, 1);
	assert_true(queue_is_done(fixture, 1));
	/* Later rows go on. */
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 8, 8, ENGINE_THERE));
	assert_flags(fixture, "INBOX", 8, "\\Seen");
}

static void
a_server_that_is_busy_is_asked_again(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID MOVE", 1, FAKE_ANSWER_NO, "[INUSE] in a moment");
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6, ENGINE_THERE));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 2);
	assert_copies(fixture, "Other", 5, 1);
}

static void
a_read_only_mailbox_is_left_alone(void **state)
{
	Fixture *fixture = *state;

	fake_server_fault(fixture->server, FAKE_READ_ONLY);
	begin(fixture, MOVE_WORDS, 10);
	assert_true(
	    postern_error_is(fixture_wait(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX",
							  "Other", 4, 6, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 0);
	assert_true(queue_is_done(fixture, 1));
}

static void
a_move_that_was_only_said_to_be_done_is_a_failed_row(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID MOVE", 5, FAKE_PRETEND, NULL);
	assert_true(
	    postern_error_is(fixture_wait(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX",
							  "Other", 4, 4, ENGINE_THERE)),
			     POSTERN_ERROR_REFUSED));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 2);
	assert_true(queue_is_done(fixture, 1));
	assert_copies(fixture, "INBOX", 4, 1);
}

static void
a_lying_copyuid_moves_no_other_message(void **state)
{
	Fixture *fixture = *state;
	StoreId message;
	StoreIntent intent = { .kind = STORE_INTENT_MOVE };

	begin(fixture, MOVE_WORDS, 10);
	{
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", 7);

		message = row->id;
	}
	fake_server_fault(fixture->server, FAKE_COPYUID_LIES);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 7, 7, ENGINE_THERE));
	fake_server_fault(fixture->server, 0);
	fake_server_add(fixture->server, "Other", 3, ""); /* one of them has the UID of the lie */
	intent.mailbox = box_id(fixture, "Other");
	intent.dest = box_id(fixture, "INBOX");
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

	begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6,
					  ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 5);
	go_online(fixture);
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

	begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_COPY, "INBOX", "Other", 4, 6,
					  ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 5);
	go_online(fixture);
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

	begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_COPY, "INBOX", "INBOX", 5, 5, ENGINE_THERE));
	fixture_until(fixture, inbox_complete, 11);
	gone = id_at(fixture, "INBOX", 11);
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
	intent = intent_of(fixture, STORE_INTENT_MOVE, "INBOX", "Other");
	intent.uid_ranges = ranges;
	intent.n_uid_ranges = 2;
	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_QUEUED));
	fake_server_expunge(fixture->server, "INBOX", 11);
	go_online(fixture);
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

	begin(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID SEARCH UID 5", 1, FAKE_SAY, "* SEARCH 5\r\n");
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_EXPUNGE, "INBOX", NULL, 5, 5, ENGINE_THERE));
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
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 5, 5,
					  ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL, 6, 6, ENGINE_QUEUED));
	fake_server_renumber(fixture->server, "INBOX", false);
	go_online(fixture);
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

	begin_offline(fixture, MOVE_WORDS, 10);
	{
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", 4);

		message = row->id;
	}
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 4,
					  ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_CREATE, NULL, "New", ENGINE_QUEUED));
	on.mailbox = box_id(fixture, "Other");
	on.dest = box_id(fixture, "New");
	on.messages = &message;
	on.n_messages = 1;
	fixture_wait_well(fixture, engine_intend(fixture->engine, &on, ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_COPY, "INBOX", "New", 7, 8, ENGINE_QUEUED));
	fixture_wait_well(fixture, append(fixture, "New", 900, ENGINE_QUEUED));
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "New", "Newer", ENGINE_QUEUED));
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_EXPUNGE, "INBOX", NULL, 10, 10,
					  ENGINE_QUEUED));
	assert_int_equal(fixture_total(fixture, "Newer"), 4);
	go_online(fixture);
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

	begin_offline(fixture, MOVE_WORDS, 3);
	remove.mailbox = box_id(fixture, "Other");
	fixture_wait_well(fixture,
			  folder(fixture, STORE_INTENT_RENAME, "Other", "New", ENGINE_QUEUED));
	fixture_wait_well(fixture, engine_intend(fixture->engine, &remove, ENGINE_QUEUED));
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_false(fake_server_has_box(fixture->server, "Other"));
	assert_false(fake_server_has_box(fixture->server, "New"));
}

static void
what_is_dropped_never_leaves(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) rows = NULL;

	begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 4,
					  ENGINE_QUEUED));
	assert_int_equal(fixture_total(fixture, "INBOX"), 9);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 1);
	fixture_wait_well(fixture,
			  engine_drop(fixture->engine, ((StoreJournalRow *)rows->pdata[0])->id));
	assert_int_equal(fixture_total(fixture, "INBOX"), 10);
	go_online(fixture);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_int_equal(fake_server_count(fixture->server, "UID MOVE"), 0);
	assert_settled(fixture);
}

static void
undo_after_the_fact_moves_back(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6, ENGINE_THERE));
	fixture_wait_well(fixture, engine_undo(fixture->engine, NULL, ENGINE_THERE));
	assert_copies(fixture, "INBOX", 5, 1);
	assert_copies(fixture, "Other", 5, 0);
	assert_settled(fixture);
}

static void
offline_there_is_queued(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS, 10);
	assert_true(
	    postern_error_is(fixture_wait(fixture, intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
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

	begin_offline(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 4, 6,
					  ENGINE_QUEUED));
	fixture_stop(fixture);
	fixture_start_with(fixture, false, true);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	assert_copies(fixture, "Other", 5, 1);
	assert_settled(fixture);
}

/* ---- several lines ------------------------------------------------------------------------------------ */

static void
another_folder_is_changed_behind_the_screen(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_until(fixture, is_quiet, 0);
	fake_server_forget(fixture->server);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_FLAG, "Other", NULL, 1, 2, ENGINE_THERE));
	assert_flags(fixture, "Other", 2, "\\Seen");
	assert_int_equal(fake_server_count(fixture->server, "SELECT INBOX"), 0);
	fixture_wait_well(fixture,
			  intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", 2, 2, ENGINE_THERE));
	assert_int_equal(fake_server_total(fixture->server, "INBOX"), 11);
	assert_int_equal(fake_server_count(fixture->server, "SELECT INBOX"), 0);
	assert_settled(fixture);
}

/* Where the new UIDs have to be looked for, that is done on a line that may open the other folder, and the
 * one with the open folder hears of it by numbers. */
static void
what_went_on_another_line_takes_no_other_row_along(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, PLAIN_WORDS " MOVE", 30);
	for (uint32_t uid = 5; uid <= 20; uid += 5) {
		fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", uid,
						  uid + 1, ENGINE_THERE));
		assert_copies(fixture, "Other", uid, 1);
	}
	assert_settled(fixture);
	for (uint32_t uid = 1; uid <= 30; uid++) {
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", uid);
		bool moved = uid >= 5 && uid <= 21 && uid % 5 < 2;

		if (moved == (row != NULL))
			fail_msg("message %u is %s", uid, moved ? "still here" : "lost");
	}
}

static void
one_that_is_refused_in_company_is_refused_alone(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID STORE 1:3 ", UINT_MAX, FAKE_ANSWER_NO, NULL);
	fake_server_rule(fixture->server, "UID STORE 2 ", UINT_MAX, FAKE_ANSWER_NO, "not this");
	for (uint32_t uid = 1; uid <= 3; uid++)
		fixture_wait_well(fixture, intend(fixture, STORE_INTENT_FLAG, "INBOX", NULL, uid,
						  uid, ENGINE_QUEUED));
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_flags(fixture, "INBOX", 1, "\\Seen");
	assert_flags(fixture, "INBOX", 2, "");
	assert_flags(fixture, "INBOX", 3, "\\Seen");
}

/* Stopped at any moment and started again: once. */
static void
stopped_at_any_moment_it_is_done_once(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, MOVE_WORDS, 40);
	for (uint32_t uid = 1; uid <= 12; uid++) {
		intend(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 2 * uid + 1, 2 * uid + 2,
		       ENGINE_QUEUED);
		append(fixture, "Other", 900 + uid, ENGINE_QUEUED);
		fixture_idle_ms(fixture, uid * uid / 2);
		fixture_stop(fixture);
		fixture_start(fixture);
	}
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_until(fixture, queue_is_done, 0);
	for (uint32_t uid = 3; uid <= 26; uid++)
		assert_true(fake_server_copies(fixture->server, "Other", uid) +
				fake_server_copies(fixture->server, "INBOX", uid) ==
			    1);
	for (uint32_t number = 901; number <= 912; number++)
		assert_true(fake_server_copies(fixture->server, "Other", number) <= 1);
	assert_settled(fixture);
}

/* ---- the line breaks ---------------------------------------------------------------------------------- */

typedef struct Break {
	const char *words;  /* what the server can do */
	const char *during; /* the command whose answer does not come */
	StoreIntentKind kind;
} Break;

static const Break breaks[] = {
	{ MOVE_WORDS, "UID STORE", STORE_INTENT_FLAG },
	{ MOVE_WORDS, "UID MOVE", STORE_INTENT_MOVE },
	{ PLAIN_WORDS " MOVE", "UID MOVE", STORE_INTENT_MOVE },
	{ PLUS_WORDS, "UID COPY", STORE_INTENT_MOVE },
	{ PLUS_WORDS, "UID STORE", STORE_INTENT_MOVE },
	{ PLUS_WORDS, "UID EXPUNGE", STORE_INTENT_MOVE },
	{ PLAIN_WORDS, "UID COPY", STORE_INTENT_MOVE },
	{ PLAIN_WORDS, "UID FETCH 3:* (UID RFC822.SIZE", STORE_INTENT_MOVE },
	{ PLUS_WORDS, "STATUS", STORE_INTENT_COPY },
	{ PLUS_WORDS, "UID COPY", STORE_INTENT_COPY },
	{ PLAIN_WORDS, "UID COPY", STORE_INTENT_COPY },
	{ PLUS_WORDS, "UID STORE", STORE_INTENT_EXPUNGE },
	{ PLUS_WORDS, "UID EXPUNGE", STORE_INTENT_EXPUNGE },
	{ PLUS_WORDS, "APPEND", STORE_INTENT_APPEND },
	{ PLAIN_WORDS, "APPEND", STORE_INTENT_APPEND },
	{ PLUS_WORDS, "CREATE", STORE_INTENT_CREATE },
	{ PLUS_WORDS, "RENAME", STORE_INTENT_RENAME },
	{ PLUS_WORDS, "DELETE", STORE_INTENT_DELETE },
};

static EngineRequest
wish(Fixture *fixture, StoreIntentKind kind)
{
	switch (kind) {
	case STORE_INTENT_MOVE:
	case STORE_INTENT_COPY:
		return intend(fixture, kind, "INBOX", "Other", 4, 6, ENGINE_QUEUED);
	case STORE_INTENT_APPEND:
		return append(fixture, "Other", 900, ENGINE_QUEUED);
	case STORE_INTENT_CREATE:
		return folder(fixture, kind, NULL, "New", ENGINE_QUEUED);
	case STORE_INTENT_RENAME:
		return folder(fixture, kind, "Other", "New", ENGINE_QUEUED);
	case STORE_INTENT_DELETE:
		return folder(fixture, kind, "Other", NULL, ENGINE_QUEUED);
	default:
		return intend(fixture, kind, "INBOX", NULL, 4, 6, ENGINE_QUEUED);
	}
}

static void
assert_done_once(Fixture *fixture, const Break *row)
{
	bool uidplus = strstr(row->words, "UIDPLUS") || strstr(row->words, "MOVE");

	switch (row->kind) {
	case STORE_INTENT_FLAG:
		assert_flags(fixture, "INBOX", 5, "\\Seen");
		break;
	case STORE_INTENT_MOVE:
		assert_copies(fixture, "Other", 4, 1);
		assert_copies(fixture, "Other", 5, 1);
		assert_copies(fixture, "Other", 6, 1);
		if (uidplus)
			assert_copies(fixture, "INBOX", 5, 0);
		else
			assert_flags(fixture, "INBOX", 5, "\\Deleted");
		break;
	case STORE_INTENT_COPY:
		assert_copies(fixture, "Other", 5, 1);
		assert_copies(fixture, "INBOX", 5, 1);
		break;
	case STORE_INTENT_EXPUNGE:
		assert_copies(fixture, "INBOX", 5, 0);
		assert_int_equal(fake_server_total(fixture->server, "INBOX"), 7);
		break;
	case STORE_INTENT_APPEND:
		assert_copies(fixture, "Other", 900, 1);
		assert_flags(fixture, "Other", 900, "\\Seen");
		break;
	case STORE_INTENT_CREATE:
		assert_true(fake_server_has_box(fixture->server, "New"));
		break;
	case STORE_INTENT_RENAME:
		assert_true(fake_server_has_box(fixture->server, "New"));
		assert_false(fake_server_has_box(fixture->server, "Other"));
		break;
	default:
		assert_false(fake_server_has_box(fixture->server, "Other"));
		break;
	}
}

static bool
has_waited(Fixture *fixture, unsigned ignored)
{
	return fixture->waits > 0 || queue_is_done(fixture, 0);
}

static void
break_the_line(const Break *row, FakeAction action, unsigned connections)
{
	Fixture *fixture;
	void *state;

	fixture_set_up(&state);
	fixture = state;
	fixture_connections(fixture, connections);
	begin(fixture, row->words, 10);
	fake_server_rule(fixture->server, row->during, 1, action, NULL);
	fixture_wait_well(fixture, wish(fixture, row->kind));
	fixture_until(fixture, has_waited, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, queue_is_done, 0);
	assert_done_once(fixture, row);
	fixture_until(fixture, is_online, 0);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_check(fixture);
	assert_int_equal(fixture_total(fixture, "INBOX"),
			 fake_server_total(fixture->server, "INBOX"));
	assert_int_equal(fixture_total(fixture, "Other"),
			 fake_server_total(fixture->server, "Other"));
	fixture_tear_down(&state);
}

static void
a_line_that_breaks_before_it_was_done_loses_nothing(void **state)
{
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(breaks); i++)
		break_the_line(&breaks[i / 2], FAKE_CUT, i % 2 ? 3 : 1);
}

static void
a_line_that_breaks_after_it_was_done_doubles_nothing(void **state)
{
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(breaks); i++)
		break_the_line(&breaks[i / 2], FAKE_CUT_DONE, i % 2 ? 3 : 1);
}

static void
a_line_that_breaks_in_a_message_of_ours_loses_and_doubles_nothing(void **state)
{
	static const Break rows[] = { { PLUS_WORDS, "APPEND", STORE_INTENT_APPEND },
				      { PLAIN_WORDS, "APPEND", STORE_INTENT_APPEND } };

	for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++)
		break_the_line(&rows[i / 2], FAKE_CUT_IN_LITERAL, i % 2 ? 3 : 1);
}

static void
when_others_copy_the_same_nobody_can_tell(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GPtrArray) rows = NULL;

	begin(fixture, PLUS_WORDS, 10);
	/* The line breaks, and two of them are there when it is back. */
	fake_server_rule(fixture->server, "UID COPY", 1, FAKE_CUT_DONE_TWICE, NULL);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_COPY, "INBOX", "Other", 5, 5,
					  ENGINE_QUEUED));
	fixture_until(fixture, queue_is_done, 1);
	assert_copies(fixture, "Other", 5, 2);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 1);
	assert_non_null(strstr(((StoreJournalRow *)rows->pdata[0])->error, "cannot tell"));
}

/* Two drafts with one Message-ID: what became of the first is found out before the second can be taken for
 * it. */
static void
a_message_of_ours_is_not_taken_for_an_earlier_one(void **state)
{
	Fixture *fixture = *state;

	begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_CUT, NULL);
	fixture_wait_well(fixture, append(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_wait_well(fixture, append(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_until(fixture, has_waited, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 900, 2);
}

static int
set_up_many_lines(void **state)
{
	fixture_set_up(state);
	fixture_connections(*state, 3);
	return 0;
}

/* On one line, and on as many as it likes. */
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down),                  \
	    cmocka_unit_test_setup_teardown(name, set_up_many_lines, fixture_tear_down)
#define TEST_OF_MANY(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, set_up_many_lines, fixture_tear_down)

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
		TEST_OF_MANY(another_folder_is_changed_behind_the_screen),
		TEST(what_went_on_another_line_takes_no_other_row_along),
		TEST(one_that_is_refused_in_company_is_refused_alone),
		TEST(stopped_at_any_moment_it_is_done_once),
		cmocka_unit_test(a_line_that_breaks_before_it_was_done_loses_nothing),
		cmocka_unit_test(a_line_that_breaks_after_it_was_done_doubles_nothing),
		cmocka_unit_test(a_line_that_breaks_in_a_message_of_ours_loses_and_doubles_nothing),
		TEST(a_message_of_ours_is_not_taken_for_an_earlier_one),
		TEST(when_others_copy_the_same_nobody_can_tell),
	};

	return cmocka_run_group_tests_name("engine/replay", tests, NULL, NULL);
}
