/* What waits and meets a server that is not as it was thought to be: half a move, folders that went, a
 * UID that was told wrongly. */
#include "fixture.h"

#include <string.h>

#define PLAIN_WORDS "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH"
#define PLUS_WORDS  PLAIN_WORDS " UIDPLUS LITERAL+"
#define MOVE_WORDS  PLUS_WORDS " MOVE CONDSTORE"

static StoreId
box_id(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	assert_non_null(box);
	return box->id;
}

static void
begin_offline(Fixture *fixture, const char *words)
{
	fake_server_capabilities(fixture->server, words);
	fake_server_add(fixture->server, "INBOX", 5, "");
	fake_server_add(fixture->server, "Other", 2, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
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
intend(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to, StoreId message)
{
	StoreIntent intent = { .kind = kind, .messages = &message, .n_messages = 1 };

	intent.mailbox = box_id(fixture, from);
	if (to)
		intent.dest = box_id(fixture, to);
	if (kind == STORE_INTENT_FLAG) {
		intent.flag = STORE_FLAG_FLAGGED;
		intent.set = true;
	}
	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_QUEUED));
}

static void
append(Fixture *fixture, const char *dest, unsigned number)
{
	g_autofree char *text =
	    g_strdup_printf("Date: Fri, 21 Nov 2025 10:00:00 +0000\nFrom: Ada <ada@example.org>\n"
			    "Subject: mine\nMessage-ID: <m%u@example.org>\n\nDear all,\n\nhello.\n",
			    number);
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	fixture_wait_well(fixture, engine_append(fixture->engine, box_id(fixture, dest), content, 0,
						 NULL, 1763719200, ENGINE_QUEUED));
}

/* The message at the end of the list of BOX that says it is NUMBER. */
static StoreId
listed(Fixture *fixture, const char *box, unsigned number)
{
	g_autofree char *wanted = g_strdup_printf("<m%u@example.org>", number);
	g_autoptr(GPtrArray) rows = NULL;
	StoreId found = 0;
	uint32_t total;

	assert_true(store_window(fixture_store(fixture), box_id(fixture, box), 0, 100, false, &rows,
				 &total, NULL));
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = rows->pdata[i];

		if (!g_strcmp0(row->message_id, wanted))
			found = row->id;
	}
	assert_true(found);
	return found;
}

static unsigned
rows_in(Fixture *fixture, StoreRowState state)
{
	g_autoptr(GPtrArray) rows = NULL;
	unsigned n = 0;

	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL));
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
assert_agrees(Fixture *fixture)
{
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_check(fixture);
	assert_int_equal(fixture_total(fixture, "INBOX"),
			 fake_server_total(fixture->server, "INBOX"));
	assert_int_equal(fixture_total(fixture, "Other"),
			 fake_server_total(fixture->server, "Other"));
}

/* ---- half a move, of what an earlier row gave its UID --------------------------------------------- */

static void
what_was_just_appended_is_moved_whole(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, PLUS_WORDS);
	append(fixture, "Other", 900);
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 900));
	go_online(fixture);
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
	go_online(fixture);
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
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "INBOX", 900, 1);
	flags = fake_server_flags_of(fixture->server, "Other", 900);
	assert_string_equal(flags, "\\Deleted");
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
	go_online(fixture);
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
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_agrees(fixture);
}

static void
make_folder(Fixture *fixture, const char *name)
{
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .name = name };

	fixture_wait_well(fixture, engine_intend(fixture->engine, &intent, ENGINE_QUEUED));
}

static void
a_folder_is_made_whatever_else_failed(void **state)
{
	Fixture *fixture = *state;

	begin_offline(fixture, MOVE_WORDS);
	append(fixture, "Other", 900);
	make_folder(fixture, "New");
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 1);
	assert_true(fake_server_has_box(fixture->server, "New"));
}

static void
a_folder_goes_only_when_what_was_to_be_kept_is_out_of_it(void **state)
{
	Fixture *fixture = *state;
	StoreIntent remove = { .kind = STORE_INTENT_DELETE };

	begin_offline(fixture, MOVE_WORDS);
	remove.mailbox = box_id(fixture, "Other");
	intend(fixture, STORE_INTENT_MOVE, "Other", "INBOX", listed(fixture, "Other", 2));
	fixture_wait_well(fixture, engine_intend(fixture->engine, &remove, ENGINE_QUEUED));
	fake_server_rule(fixture->server, "UID MOVE", 1, FAKE_ANSWER_NO, "[OVERQUOTA] it is full");
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 2);
	assert_copies(fixture, "Other", 2, 1);
	assert_true(fake_server_has_box(fixture->server, "Other"));
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
	go_online(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_agrees(fixture);
	row = fixture_row(fixture, "Other", 3);
	assert_non_null(row);
	assert_string_equal(row->message_id, "<m900@example.org>");
	assert_int_equal(fake_server_count(fixture->server, "APPEND"), 1);
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
		TEST(a_lying_appenduid_makes_no_second_message),
	};

	return cmocka_run_group_tests_name("engine/refused", tests, NULL, NULL);
}
