/* What other clients and lying servers do to a mailbox that is open. */
#include "fixture.h"

#include <string.h>

#define WINDOW 40

static void
open_inbox(Fixture *fixture, unsigned messages, bool fill)
{
	fake_server_add(fixture->server, "INBOX", messages, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, fill));
	if (fill)
		fixture_until(fixture, inbox_complete, messages);
	fixture_until(fixture, is_idling, 0);
}

static bool
is_seen(Fixture *fixture, unsigned uid)
{
	g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", uid);

	return row && row->flags & STORE_FLAG_SEEN;
}

static bool
is_gone(Fixture *fixture, unsigned uid)
{
	g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", uid);

	return !row;
}

static bool
is_here(Fixture *fixture, unsigned uid)
{
	return !is_gone(fixture, uid);
}

static void
assert_here(Fixture *fixture, uint32_t uid)
{
	if (is_gone(fixture, uid))
		fail_msg("message %u was lost", uid);
}

/* Every message of FIRST..LAST but those of GONE (ended by 0), and no other. */
static void
assert_only_gone(Fixture *fixture, uint32_t first, uint32_t last, const uint32_t *gone)
{
	for (uint32_t uid = first; uid <= last; uid++) {
		bool lost = false;

		for (size_t i = 0; gone[i]; i++)
			lost |= gone[i] == uid;
		if (lost != is_gone(fixture, uid))
			fail_msg("message %u is %s", uid, lost ? "still here" : "lost");
	}
	fixture_check(fixture);
}

static void
new_mail_appears_during_idle(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100, true);
	fake_server_forget(fixture->server);
	fake_server_add(fixture->server, "INBOX", 2, "");
	fixture_until(fixture, is_here, 102);
	assert_here(fixture, 101);
	assert_int_equal(fake_server_count(fixture->server, "FETCH"), 1);
	fixture_until(fixture, is_idling, 0);
}

static void
another_clients_expunge_removes_that_message(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 1, 50, 51, 100, 0 };

	open_inbox(fixture, 100, true);
	for (size_t i = 0; gone[i]; i++)
		fake_server_expunge(fixture->server, "INBOX", gone[i]);
	fixture_until(fixture, inbox_has, 96);
	assert_only_gone(fixture, 1, 100, gone);
}

static void
an_expunge_in_a_mailbox_partly_here_removes_that_message(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 270, 299, 0 };

	open_inbox(fixture, 300, false);
	fake_server_expunge(fixture->server, "INBOX", 10); /* not here */
	fake_server_expunge(fixture->server, "INBOX", 270);
	fake_server_expunge(fixture->server, "INBOX", 299);
	fixture_until(fixture, inbox_has, WINDOW - 2);
	assert_only_gone(fixture, 261, 300, gone);
}

static void
expunges_while_the_rest_fills_in_remove_those_messages(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 3, 700, 1500, 2000, 2400, 2990, 0 };

	fake_server_add(fixture->server, "INBOX", 3000, "");
	fake_server_fault(fixture->server, FAKE_SLOW);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	for (size_t i = 0; gone[i]; i++) {
		fake_server_expunge(fixture->server, "INBOX", gone[i]);
		fixture_idle_ms(fixture, 12);
	}
	fixture_until(fixture, inbox_complete, 2994);
	assert_only_gone(fixture, 1, 3000, gone);
}

static void
mail_that_comes_and_goes_at_once_confuses_nobody(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 40, 80, 101, 103, 0 };

	open_inbox(fixture, 100, true);
	fake_server_add(fixture->server, "INBOX", 2, "");
	fake_server_expunge(fixture->server, "INBOX", 101);
	fake_server_expunge(fixture->server, "INBOX", 40);
	fake_server_add(fixture->server, "INBOX", 2, "");
	fake_server_expunge(fixture->server, "INBOX", 103);
	fake_server_expunge(fixture->server, "INBOX", 80);
	fixture_until(fixture, inbox_has, 100);
	fixture_until(fixture, is_here, 104);
	assert_only_gone(fixture, 1, 104, gone);
	fake_server_expunge(fixture->server, "INBOX", 60);
	fixture_until(fixture, is_gone, 60);
	assert_int_equal(fixture_total(fixture, "INBOX"), 99);
}

static void
new_mail_while_new_mail_is_asked_for_moves_no_numbers(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 50, 0 };

	open_inbox(fixture, 100, true);
	/* The answer holds one message more than was announced when it was asked for, and in the
	 * same breath another client's expunge. */
	fake_server_rule(fixture->server, "UID FETCH 101:", 1, FAKE_SAY,
			 "* 102 EXISTS\r\n"
			 "* 102 FETCH (UID 102 FLAGS () INTERNALDATE \"21-Nov-2025 10:00:00 "
			 "+0000\" "
			 "RFC822.SIZE 9 ENVELOPE (NIL \"two\" NIL NIL NIL NIL NIL NIL NIL NIL) "
			 "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1))\r\n");
	fake_server_rule(fixture->server, "UID FETCH 10", 1, FAKE_SAY, "* 50 EXPUNGE\r\n");
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, is_gone, 50);
	assert_only_gone(fixture, 1, 100, gone);
}

static void
flags_told_without_a_uid_reach_their_message(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100, true);
	fake_server_fault(fixture->server, FAKE_FLAGS_WITHOUT_UID);
	fake_server_expunge(fixture->server, "INBOX", 20);
	fake_server_flags(fixture->server, "INBOX", 50, "\\Seen");
	fake_server_flags(fixture->server, "INBOX", 10, "\\Seen");
	fixture_until(fixture, is_seen, 50);
	fixture_until(fixture, is_seen, 10);
	for (uint32_t uid = 1; uid <= 100; uid++)
		if (uid != 50 && uid != 10 && uid != 20)
			assert_false(is_seen(fixture, uid));
}

static void
flags_told_with_a_uid_reach_their_message(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100, false);
	fake_server_flags(fixture->server, "INBOX", 90, "\\Seen \\Flagged work");
	fixture_until(fixture, is_seen, 90);
	assert_true(fixture_flags(fixture, "INBOX", 90) & STORE_FLAG_KEYWORDS);
}

static void
a_mailbox_that_shrinks_without_a_word_is_compared(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t silent[] = { 20, 30, 0 }, all[] = { 20, 30, 40, 0 };

	open_inbox(fixture, 100, true);
	fake_server_fault(fixture->server, FAKE_SILENT_EXPUNGE);
	fake_server_expunge(fixture->server, "INBOX", 20);
	fake_server_expunge(fixture->server, "INBOX", 30);
	fixture_until(fixture, inbox_has, 98);
	assert_only_gone(fixture, 1, 100, silent);
	/* And numbers mean the right messages again. */
	fixture_until(fixture, is_idling, 0);
	fake_server_fault(fixture->server, 0);
	fake_server_expunge(fixture->server, "INBOX", 40);
	fixture_until(fixture, inbox_has, 97);
	assert_only_gone(fixture, 1, 100, all);
}

static void
numbers_out_of_range_remove_nothing(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 0 };

	fake_server_rule(fixture->server, "LIST", 1, FAKE_SAY,
			 "* 0 EXPUNGE\r\n* 4294967295 EXPUNGE\r\n* 999 EXPUNGE\r\n"
			 "* 999 FETCH (FLAGS (\\Seen))\r\n");
	open_inbox(fixture, 100, true);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	assert_only_gone(fixture, 1, 100, gone);
}

static void
a_mailbox_that_never_stops_growing_is_shown_all_the_same(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 100, "");
	fake_server_fault(fixture->server, FAKE_GROWS);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	fake_server_fault(fixture->server, 0);
	fixture_until(fixture, is_idling, 0);
}

/* ---- renumbered ----------------------------------------------------------------------------------------- */

static void
new_uidvalidity_drops_the_old_rows(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 50, "");
	for (uint32_t uid = 1; uid <= 20; uid++)
		fake_server_expunge(fixture->server, "INBOX", uid);
	open_inbox(fixture, 20, false);
	fixture_until(fixture, inbox_has, WINDOW);
	fixture_stop(fixture);
	fake_server_renumber(fixture->server, "INBOX", false);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 50);
	for (uint32_t uid = 1; uid <= 50; uid++)
		assert_here(fixture, uid);
	assert_true(is_gone(fixture, 51));
	fixture_check(fixture);
}

static void
new_uidvalidity_in_mid_session_reads_anew(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 50, "");
	for (uint32_t uid = 1; uid <= 20; uid++)
		fake_server_expunge(fixture->server, "INBOX", uid);
	open_inbox(fixture, 20, false);
	fake_server_renumber(fixture->server, "INBOX", true);
	fixture_until(fixture, is_gone, 70);
	fixture_until(fixture, inbox_has, WINDOW);
	assert_here(fixture, 50);
	assert_int_equal(fixture->waits, 1);
	fixture_check(fixture);
}

static void
uids_that_go_down_are_new_messages(void **state)
{
	Fixture *fixture = *state;

	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_uids_go_down(fixture->server, "INBOX", 1000);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 50);
	fixture_stop(fixture);
	fake_server_uids_go_down(fixture->server, "INBOX", 500);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 50);
	assert_here(fixture, 500);
	assert_true(is_gone(fixture, 1049));
}

static void
the_space_of_old_rows_is_given_back(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(Store) store = NULL;
	bool more = true;

	open_inbox(fixture, 3000, true);
	fixture_stop(fixture);
	fake_server_renumber(fixture->server, "INBOX", false);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, false));
	fixture_idle_ms(fixture, 2500);
	fixture_stop(fixture);
	store = store_open(fixture->dir, STORE_WRITER, NULL, NULL, NULL);
	assert_non_null(store);
	assert_true(store_tidy(store, &more, NULL));
	assert_false(more);
	fixture_check(fixture);
}

static void
without_uidvalidity_nothing_old_is_believed(void **state)
{
	Fixture *fixture = *state;

	fake_server_fault(fixture->server, FAKE_NO_UIDVALIDITY);
	open_inbox(fixture, 50, true);
	fixture_stop(fixture);
	fake_server_uids_go_down(fixture->server, "INBOX", 100);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 50);
	assert_true(is_gone(fixture, 50));
}

/* ---- holes ------------------------------------------------------------------------------------------------ */

static void
a_message_whose_structure_cannot_be_read_is_listed(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t broken[] = { 3, 150, 280, 300 };
	static const uint32_t gone[] = { 30, 290, 0 };

	fake_server_add(fixture->server, "INBOX", 300, "");
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
		fake_server_flaw(fixture->server, "INBOX", broken[i], FAKE_BROKEN_STRUCTURE);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 300);
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
		g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", broken[i]);
		g_autofree char *subject = g_strdup_printf("subject %u", broken[i]);

		assert_non_null(row);
		assert_string_equal(row->subject, subject);
		assert_true(strstr(row->from, "ada@example.org"));
	}
	/* And the numbers of those below still mean them. */
	fixture_until(fixture, is_idling, 0);
	fake_server_expunge(fixture->server, "INBOX", 290);
	fake_server_expunge(fixture->server, "INBOX", 30);
	fixture_until(fixture, inbox_has, 298);
	assert_only_gone(fixture, 1, 300, gone);
}

static void
new_mail_whose_structure_cannot_be_read_is_listed(void **state)
{
	Fixture *fixture = *state;

	open_inbox(fixture, 100, true);
	fake_server_rule(fixture->server, "UID FETCH 101:", 1, FAKE_SAY,
			 "* 101 FETCH (UID 101 FLAGS () ENVELOPE (oops\r\n");
	fake_server_add(fixture->server, "INBOX", 1, "");
	fixture_until(fixture, is_here, 101);
	fixture_until(fixture, is_idling, 0);
	fake_server_rule(fixture->server, "UID FETCH 102:", 1, FAKE_ANSWER_NO, NULL);
	fake_server_add(fixture->server, "INBOX", 1, "");
	fake_server_flaw(fixture->server, "INBOX", 102, FAKE_BROKEN_STRUCTURE);
	fixture_until(fixture, is_here, 102);
}

static void
a_message_of_which_nothing_can_be_read_is_listed(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_flaw(fixture->server, "INBOX", 30, FAKE_BROKEN_STRUCTURE | FAKE_BROKEN_HEADER);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 50);
	row = fixture_row(fixture, "INBOX", 30);
	assert_non_null(row);
	assert_true(*row->subject);
	assert_int_equal(row->size, 200);
}

static void
a_message_never_answered_for_ends_no_sync_and_moves_no_numbers(void **state)
{
	Fixture *fixture = *state;
	static const uint32_t gone[] = { 10, 30, 45, 50, 0 };
	unsigned asked;

	fake_server_add(fixture->server, "INBOX", 50, "");
	fake_server_flaw(fixture->server, "INBOX", 30, FAKE_ABSENT);
	fake_server_flaw(fixture->server, "INBOX", 50, FAKE_ABSENT);
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, WINDOW, true));
	fixture_until(fixture, inbox_complete, 48);
	fixture_until(fixture, is_idling, 0);
	asked = fake_server_count(fixture->server, "FETCH");
	assert_true(asked < 12);
	fake_server_expunge(fixture->server, "INBOX", 45);
	fake_server_expunge(fixture->server, "INBOX", 10);
	fixture_until(fixture, inbox_has, 46);
	fixture_until(fixture, is_idling, 0);
	assert_only_gone(fixture, 1, 50, gone);
	assert_true(fake_server_count(fixture->server, "FETCH") < asked + 24);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(new_mail_appears_during_idle),
		TEST(another_clients_expunge_removes_that_message),
		TEST(an_expunge_in_a_mailbox_partly_here_removes_that_message),
		TEST(expunges_while_the_rest_fills_in_remove_those_messages),
		TEST(mail_that_comes_and_goes_at_once_confuses_nobody),
		TEST(new_mail_while_new_mail_is_asked_for_moves_no_numbers),
		TEST(flags_told_without_a_uid_reach_their_message),
		TEST(flags_told_with_a_uid_reach_their_message),
		TEST(a_mailbox_that_shrinks_without_a_word_is_compared),
		TEST(numbers_out_of_range_remove_nothing),
		TEST(a_mailbox_that_never_stops_growing_is_shown_all_the_same),
		TEST(new_uidvalidity_drops_the_old_rows),
		TEST(new_uidvalidity_in_mid_session_reads_anew),
		TEST(uids_that_go_down_are_new_messages),
		TEST(the_space_of_old_rows_is_given_back),
		TEST(without_uidvalidity_nothing_old_is_believed),
		TEST(a_message_whose_structure_cannot_be_read_is_listed),
		TEST(new_mail_whose_structure_cannot_be_read_is_listed),
		TEST(a_message_of_which_nothing_can_be_read_is_listed),
		TEST(a_message_never_answered_for_ends_no_sync_and_moves_no_numbers),
	};

	return cmocka_run_group_tests_name("engine/changes", tests, NULL, NULL);
}
