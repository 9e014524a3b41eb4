/* A server that has another message under the same UID, and says nothing of it: what waits to be expunged
 * does not take that one along. */
#include "person.h"

#include <string.h>

#define STRANGER 5000
#define LOOK                                                                                       \
	"(UID RFC822.SIZE INTERNALDATE" /* what the mirror asks for is more, in another order */

/* Of INBOX, from UID LOW to HIGH; MOVE: to Other. */
static EngineRequest
intend(Fixture *fixture, StoreIntentKind kind, uint32_t low, uint32_t high)
{
	const char *to = kind == STORE_INTENT_MOVE ? "Other" : NULL;

	return person_intends(fixture, kind, "INBOX", to, low, high, ENGINE_THERE);
}

static StoreId
failed_row(Fixture *fixture)
{
	g_autoptr(GPtrArray) rows = NULL;

	assert_true(store_journal(fixture_store(fixture), 0, &rows, NULL));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);

		if (row->state == STORE_ROW_FAILED)
			return row->id;
	}
	return 0;
}

/* The list has the stranger under UID. */
static bool
shows_stranger(Fixture *fixture, unsigned uid)
{
	g_autofree char *id = g_strdup_printf("<m%u@example.org>", STRANGER);
	g_autoptr(StoreRow) row = fixture_row(fixture, "INBOX", uid);

	return row && !strcmp(row->message_id, id);
}

/* Nothing went, the row says why, and here is what is there. */
static void
assert_refused(Fixture *fixture, EngineRequest request, uint32_t uid)
{
	unsigned there = fake_server_total(fixture->server, "INBOX");
	const GError *error = fixture_wait(fixture, request);

	assert_true(postern_error_is(error, POSTERN_ERROR_GONE));
	assert_non_null(strstr(error->message, "another message"));
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 0);
	assert_int_equal(fake_server_count(fixture->server, "EXPUNGE"), 0);
	assert_int_equal(fake_server_total(fixture->server, "INBOX"), there);
	assert_true(queue_is_done(fixture, 1));
	fixture_until(fixture, shows_stranger, uid);
}

static void
what_is_expunged_is_looked_at_in_one_flight(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_EXPUNGE, 4, 6));
	assert_int_equal(fake_server_total(fixture->server, "INBOX"), 7);
	assert_int_equal(fake_server_count(fixture->server, LOOK), 1);
	assert_int_equal(fake_server_count(fixture->server, "UID FETCH 4:6 (UID RFC822.SIZE "
							    "INTERNALDATE ENVELOPE)"),
			 1);
	assert_int_equal(fake_server_count(fixture->server, "UID STORE"), 1);
	assert_int_equal(fake_server_count(fixture->server, "UID EXPUNGE 4:6"), 1);
	assert_settled(fixture);
}

/* ... which a move is not, where it can be taken back. */
static void
a_move_costs_no_look(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 10);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_MOVE, 4, 6));
	assert_int_equal(fake_server_count(fixture->server, LOOK), 0);
	assert_settled(fixture);
}

static void
another_message_is_not_expunged(void **state)
{
	static const char *const levels[] = { MOVE_WORDS, PLUS_WORDS, PLAIN_WORDS };
	Fixture *fixture = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
		fixture_begin(fixture, levels[i], 10);
		fake_server_swap(fixture->server, "INBOX", 5, STRANGER);
		assert_refused(fixture, intend(fixture, STORE_INTENT_EXPUNGE, 4, 6), 5);
		assert_int_equal(fake_server_copies(fixture->server, "INBOX", STRANGER), 1);
		/* It was not, and the others were. */
		fixture_wait_well(fixture,
				  engine_retry(fixture->engine, failed_row(fixture), ENGINE_THERE));
		fixture_until(fixture, queue_is_done, 0);
		assert_int_equal(fake_server_copies(fixture->server, "INBOX", STRANGER), 1);
		if (i < 2) {
			assert_int_equal(fake_server_copies(fixture->server, "INBOX", 4), 0);
			assert_int_equal(fake_server_copies(fixture->server, "INBOX", 6), 0);
		}
		assert_settled(fixture);
		if (i + 1 == G_N_ELEMENTS(levels))
			break;
		assert_int_equal(fixture_tear_down(state), 0);
		assert_int_equal(fixture_set_up(state), 0);
		fixture = *state;
	}
}

static void
another_message_is_not_moved_by_expunging_it(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, PLUS_WORDS, 10);
	fake_server_swap(fixture->server, "INBOX", 5, STRANGER);
	assert_refused(fixture, intend(fixture, STORE_INTENT_MOVE, 4, 6), 5);
	assert_int_equal(fake_server_count(fixture->server, "UID COPY"), 0);
	fixture_wait_well(fixture, engine_drop(fixture->engine, failed_row(fixture)));
	assert_settled(fixture);
	assert_int_equal(fixture_total(fixture, "INBOX"), 10);
	assert_int_equal(fixture_total(fixture, "Other"), 2);
}

static void
of_many_the_envelopes_are_not_asked_for(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 1600);
	fixture_wait_well(fixture, intend(fixture, STORE_INTENT_EXPUNGE, 1, 1100));
	assert_int_equal(fake_server_count(fixture->server,
					   "UID FETCH 1:1100 (UID RFC822.SIZE INTERNALDATE)"),
			 1);
	assert_int_equal(fake_server_count(fixture->server, LOOK), 1);
	assert_int_equal(fake_server_total(fixture->server, "INBOX"), 500);
	assert_settled(fixture);
}

static void
another_among_many_is_found(void **state)
{
	Fixture *fixture = *state;

	fixture_begin(fixture, MOVE_WORDS, 1200);
	fake_server_swap(fixture->server, "INBOX", 700, STRANGER);
	assert_refused(fixture, intend(fixture, STORE_INTENT_EXPUNGE, 1, 1100), 700);
	assert_true(fake_server_count(fixture->server, "UID FETCH 700 (UID RFC822.SIZE "
						       "INTERNALDATE ENVELOPE)") >= 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_expunged_is_looked_at_in_one_flight),
		TEST(a_move_costs_no_look),
		TEST(another_message_is_not_expunged),
		TEST(another_message_is_not_moved_by_expunging_it),
		TEST(of_many_the_envelopes_are_not_asked_for),
		TEST(another_among_many_is_found),
	};

	return cmocka_run_group_tests_name("engine/look", tests, NULL, NULL);
}
