/* The journal's way to the server: over several lines, and over one that breaks. */
#include "person.h"

#include <limits.h>
#include <string.h>

/* ---- several lines ------------------------------------------------------------------------------------ */

static void
another_folder_is_changed_behind_the_screen(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_until(fixture, is_idling, 0);
	fake_server_forget(fixture->server);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "Other", NULL, 1, 2,
						  ENGINE_THERE));
	assert_flags(fixture, "Other", 2, "\\Seen");
	assert_int_equal(fake_server_count(fixture->server, "SELECT INBOX"), 0);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "Other", "INBOX", 2,
						  2, ENGINE_THERE));
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

	fixture_begin(fixture, PLAIN_WORDS " MOVE", 30);
	for (uint32_t uid = 5; uid <= 20; uid += 5) {
		fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_MOVE, "INBOX",
							  "Other", uid, uid + 1, ENGINE_THERE));
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

	fixture_begin_offline(fixture, MOVE_WORDS, 10);
	fake_server_rule(fixture->server, "UID STORE 1:3 ", UINT_MAX, FAKE_ANSWER_NO, NULL);
	fake_server_rule(fixture->server, "UID STORE 2 ", UINT_MAX, FAKE_ANSWER_NO, "not this");
	for (uint32_t uid = 1; uid <= 3; uid++)
		fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_FLAG, "INBOX", NULL,
							  uid, uid, ENGINE_QUEUED));
	fixture_go_online(fixture);
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

	fixture_begin(fixture, MOVE_WORDS, 40);
	for (uint32_t uid = 1; uid <= 12; uid++) {
		person_intends(fixture, STORE_INTENT_MOVE, "INBOX", "Other", 2 * uid + 1,
			       2 * uid + 2, ENGINE_QUEUED);
		person_appends(fixture, "Other", 900 + uid, ENGINE_QUEUED);
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
		return person_intends(fixture, kind, "INBOX", "Other", 4, 6, ENGINE_QUEUED);
	case STORE_INTENT_APPEND:
		return person_appends(fixture, "Other", 900, ENGINE_QUEUED);
	case STORE_INTENT_CREATE:
		return person_folder(fixture, kind, NULL, "New", ENGINE_QUEUED);
	case STORE_INTENT_RENAME:
		return person_folder(fixture, kind, "Other", "New", ENGINE_QUEUED);
	case STORE_INTENT_DELETE:
		return person_folder(fixture, kind, "Other", NULL, ENGINE_QUEUED);
	default:
		return person_intends(fixture, kind, "INBOX", NULL, 4, 6, ENGINE_QUEUED);
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
	fixture_begin(fixture, row->words, 10);
	fake_server_rule(fixture->server, row->during, 1, action, NULL);
	fixture_wait_well(fixture, wish(fixture, row->kind));
	fixture_until(fixture, has_waited, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, queue_is_done, 0);
	assert_done_once(fixture, row);
	fixture_until(fixture, is_online, 0);
	assert_agrees(fixture);
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

	fixture_begin(fixture, PLUS_WORDS, 10);
	/* The line breaks, and two of them are there when it is back. */
	fake_server_rule(fixture->server, "UID COPY", 1, FAKE_CUT_DONE_TWICE, NULL);
	fixture_wait_well(fixture, person_intends(fixture, STORE_INTENT_COPY, "INBOX", "Other", 5,
						  5, ENGINE_QUEUED));
	fixture_until(fixture, queue_is_done, 1);
	assert_copies(fixture, "Other", 5, 2);
	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL) && rows->len == 1);
	assert_non_null(strstr(((StoreJournalRow *)rows->pdata[0])->error, "cannot tell"));
}

/* Dovecot shows a session that has the mailbox selected what came over another line when it is asked to
 * look, and not before. */
static void
it_is_looked_for_when_the_server_has_looked(void **state)
{
	Fixture *fixture = *state;
	g_auto(GStrv) log = NULL;
	guint at = 0;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_CUT_DONE, NULL);
	fixture_wait_well(fixture, person_appends(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_until(fixture, has_waited, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, queue_is_done, 0);
	log = fake_server_log(fixture->server);
	while (log[at] && !g_str_has_prefix(log[at], "UID FETCH 3:* (UID RFC822.SIZE"))
		at++;
	assert_non_null(log[at]);
	while (at > 0 && strcmp(log[at], "NOOP") && !g_str_has_prefix(log[at], "SELECT"))
		at--;
	assert_string_equal(log[at], "NOOP");
	assert_copies(fixture, "Other", 900, 1);
}

/* The folder went while the line was away, and another of that name is there. */
static void
what_was_sent_to_a_folder_that_is_another_now_gets_there(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(StoreRow) row = NULL;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_CUT, NULL);
	fixture_wait_well(fixture, person_appends(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_until(fixture, has_waited, 0);
	fixture_stop(fixture);
	fake_server_expunge(fixture->server, "Other", 1);
	fake_server_expunge(fixture->server, "Other", 2);
	fake_server_renumber(fixture->server, "Other", false);
	fixture_start(fixture);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 900, 1);
	assert_settled(fixture);
	row = fixture_row(fixture, "Other", 1);
	assert_non_null(row);
}

/* Two drafts with one Message-ID: what became of the first is found out before the second can be taken for
 * it. */
static void
a_message_of_ours_is_not_taken_for_an_earlier_one(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_rule(fixture->server, "APPEND", 1, FAKE_CUT, NULL);
	fixture_wait_well(fixture, person_appends(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_wait_well(fixture, person_appends(fixture, "Other", 900, ENGINE_QUEUED));
	fixture_until(fixture, has_waited, 0);
	engine_reconnect(fixture->engine);
	fixture_until(fixture, queue_is_done, 0);
	assert_copies(fixture, "Other", 900, 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_OF_MANY(another_folder_is_changed_behind_the_screen),
		TEST(what_went_on_another_line_takes_no_other_row_along),
		TEST(one_that_is_refused_in_company_is_refused_alone),
		TEST(stopped_at_any_moment_it_is_done_once),
		cmocka_unit_test(a_line_that_breaks_before_it_was_done_loses_nothing),
		cmocka_unit_test(a_line_that_breaks_after_it_was_done_doubles_nothing),
		cmocka_unit_test(a_line_that_breaks_in_a_message_of_ours_loses_and_doubles_nothing),
		TEST(it_is_looked_for_when_the_server_has_looked),
		TEST(what_was_sent_to_a_folder_that_is_another_now_gets_there),
		TEST(a_message_of_ours_is_not_taken_for_an_earlier_one),
		TEST(when_others_copy_the_same_nobody_can_tell),
	};

	return cmocka_run_group_tests_name("engine/replay-lines", tests, NULL, NULL);
}
