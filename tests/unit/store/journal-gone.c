/* Messages that the server has no more, or that were never to get there. */
#include "store/journal.h"
#include "support.h"

typedef struct Fixture {
	Store *store;
	StoreId account, inbox, archive, lists;
} Fixture;

static Fixture
begin(const char *dir, uint32_t n)
{
	Fixture f = { .store = open_writer(dir) };
	GError *error = NULL;

	f.inbox = make_mailbox(f.store, "INBOX");
	f.archive = make_mailbox(f.store, "Archive");
	f.lists = make_mailbox(f.store, "Lists");
	MUST(store_account(f.store, "work", &f.account, &error));
	put_plain(f.store, f.inbox, 1, n, 1000, 0);
	return f;
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

static void
check_totals(Fixture *f, StoreId id, uint32_t total, uint32_t mirrored)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_int_equal(mailbox->total, total);
	assert_int_equal(mailbox->mirrored, mirrored);
}

static StoreIntended
intend(Fixture *f, StoreIntentKind kind, StoreId mailbox, StoreId dest, StoreId message)
{
	StoreIntent intent = { .kind = kind,
			       .mailbox = mailbox,
			       .dest = dest,
			       .messages = &message,
			       .n_messages = 1,
			       .flag = kind == STORE_INTENT_FLAG ? STORE_FLAG_FLAGGED : 0,
			       .set = true };
	StoreIntended out = { 0 };
	GError *error = NULL;

	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

static void
gone(Fixture *f, StoreId row, StoreId message)
{
	StoreOutcome outcome = { .message = message, .state = STORE_TARGET_GONE };
	GError *error = NULL;

	MUST(store_journal_sent(f->store, row, 7, 100, &error));
	MUST(store_journal_done(f->store, row, &outcome, 1, &error));
	must_be_sound(f->store);
}

static void
drop(Fixture *f, StoreId row)
{
	GError *error = NULL;

	MUST(store_journal_drop(f->store, row, &error));
	must_be_sound(f->store);
}

static StoreId
copy_of(Fixture *f, StoreId row)
{
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;

	MUST(store_journal_targets(f->store, row, 0, 10, &targets, &error));
	assert_int_equal(targets->len, 1);
	return g_array_index(targets, StoreTarget, 0).copy;
}

static guint
queue_length(Fixture *f)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(f->store, f->account, &rows, &error));
	return rows->len;
}

/* The mirror has not told that the message went. */
static void
what_is_gone_stays_gone(void **state)
{
	static const StoreIntentKind kinds[] = { STORE_INTENT_FLAG, STORE_INTENT_MOVE,
						 STORE_INTENT_COPY };
	Fixture f = begin(*state, 4);
	GError *error = NULL;

	for (uint32_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		StoreId id = id_of_uid(f.store, f.inbox, i + 1);
		StoreIntended out = intend(&f, kinds[i], f.inbox, f.archive, id);

		gone(&f, out.row, id);
		check_totals(&f, f.inbox, 3 - i, 3 - i);
		check_totals(&f, f.archive, 0, 0);
		assert_int_equal(queue_length(&f), 1);
		drop(&f, out.row);
		check_totals(&f, f.inbox, 3 - i, 3 - i);
		check_totals(&f, f.archive, 0, 0);
		MUST_FAIL(store_row_by_id(f.store, id, &(StoreRow *){ NULL }, &error),
			  POSTERN_ERROR_GONE);
	}
	end(&f);
}

/* Made anew, it is empty: whatever stood there by UID is not there. */
static void
a_folder_made_anew_and_empty_has_nothing_that_was_meant(void **state)
{
	Fixture f = begin(*state, 4);
	StoreIntended rows[3];
	GError *error = NULL;

	for (uint32_t i = 0; i < 3; i++)
		rows[i] =
		    intend(&f, STORE_INTENT_FLAG, f.inbox, 0, id_of_uid(f.store, f.inbox, i + 1));
	MUST(store_mailbox_reset(f.store, f.inbox, &error));
	must_be_sound(f.store);
	check_totals(&f, f.inbox, 3, 0);
	MUST(store_mailbox_progress(f.store, f.inbox, 1, 1, 0, &error));
	must_be_sound(f.store);
	check_totals(&f, f.inbox, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		drop(&f, rows[i].row);
	check_totals(&f, f.inbox, 0, 0);
	end(&f);
}

static void
a_copy_of_a_copy_goes_with_it(void **state)
{
	Fixture f = begin(*state, 1);
	StoreId id = id_of_uid(f.store, f.inbox, 1);
	GError *error = NULL;

	for (int fails = 0; fails < 4; fails++) {
		StoreIntended first = intend(&f, STORE_INTENT_COPY, f.inbox, f.archive, id);
		StoreIntended second =
		    intend(&f, STORE_INTENT_COPY, f.archive, f.lists, copy_of(&f, first.row));

		intend(&f, STORE_INTENT_COPY, f.lists, f.inbox, copy_of(&f, second.row));
		check_totals(&f, f.inbox, 2, 1);
		if (fails == 2)
			gone(&f, second.row, copy_of(&f, first.row));
		if (fails == 3)
			gone(&f, first.row, id);
		if (fails == 1)
			MUST(store_journal_fail(f.store, first.row, POSTERN_ERROR_REFUSED, "no",
						&error));
		drop(&f, first.row);
		assert_int_equal(queue_length(&f), 0);
		check_totals(&f, f.inbox, fails < 3, fails < 3);
		check_totals(&f, f.archive, 0, 0);
		check_totals(&f, f.lists, 0, 0);
	}
	end(&f);
}

/* ... also when the first copy has been moved or expunged meanwhile. */
static void
a_copy_of_a_moved_copy_goes_with_it(void **state)
{
	static const StoreIntentKind kinds[] = { STORE_INTENT_MOVE, STORE_INTENT_EXPUNGE };
	Fixture f = begin(*state, 1);
	StoreId id = id_of_uid(f.store, f.inbox, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		StoreIntended first = intend(&f, STORE_INTENT_COPY, f.inbox, f.archive, id);
		StoreId copy = copy_of(&f, first.row);

		intend(&f, STORE_INTENT_COPY, f.archive, f.lists, copy);
		intend(&f, kinds[i], f.archive, kinds[i] == STORE_INTENT_MOVE ? f.inbox : 0, copy);
		drop(&f, first.row);
		assert_int_equal(queue_length(&f), 0);
		check_totals(&f, f.inbox, 1, 1);
		check_totals(&f, f.archive, 0, 0);
		check_totals(&f, f.lists, 0, 0);
	}
	end(&f);
}

static void
an_appended_message_is_sent_with_the_flags_that_it_came_with(void **state)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("Subject: x\r\n\r\nhello\r\n", 21);
	StoreMessage message = { .date = 5000,
				 .size = 21,
				 .flags = STORE_FLAG_SEEN,
				 .keywords = SPAN_LITERAL("$Forwarded kw") };
	StoreIntent intent = { .kind = STORE_INTENT_APPEND, .message = &message, .content = bytes };
	Fixture f = begin(*state, 1);
	g_autoptr(StoreJournalRow) row = NULL;
	GError *error = NULL;
	StoreIntended out;

	intent.dest = f.archive;
	MUST(store_intend(f.store, &intent, &out, &error));
	intend(&f, STORE_INTENT_FLAG, f.archive, 0, out.message);
	MUST(store_journal_row(f.store, out.row, &row, &error));
	assert_int_equal(row->flag, STORE_FLAG_SEEN);
	assert_string_equal(row->keyword, "$Forwarded kw");
	assert_int_equal(queue_length(&f), 2);
	end(&f);
}

/* Archive was made anew on the server, and is not read anew here yet: the UID that is told of what was moved
 * there is of another message here, which something waits for. */
static void
a_uid_of_a_folder_made_anew_is_of_no_message_here(void **state)
{
	Fixture f = begin(*state, 3);
	StoreMailbox status = {
		.id = f.archive, .uidvalidity = 7, .server_total = -1, .server_unread = -1
	};
	StoreOutcome outcome = { .state = STORE_TARGET_DONE, .uid = 5 };
	GError *error = NULL;
	StoreId old, row;

	MUST(store_mailbox_status(f.store, &status, &error));
	put_plain(f.store, f.archive, 4, 3, 1000, 0);
	old = id_of_uid(f.store, f.archive, 5);
	intend(&f, STORE_INTENT_FLAG, f.archive, 0, old);
	outcome.message = id_of_uid(f.store, f.inbox, 3);
	row = intend(&f, STORE_INTENT_MOVE, f.inbox, f.archive, outcome.message).row;
	MUST(store_journal_sent(f.store, row, 8, 1, &error));
	MUST(store_journal_done(f.store, row, &outcome, 1, &error));
	must_be_sound(f.store);
	assert_int_equal(id_of_uid(f.store, f.archive, 5), old);
	check_totals(&f, f.archive, 4, 3);
	/* Read anew: it is met. */
	MUST(store_mailbox_reset(f.store, f.archive, &error));
	put_plain(f.store, f.archive, 3, 1, 1000, 0);
	must_be_sound(f.store);
	assert_int_equal(id_of_uid(f.store, f.archive, 3), outcome.message);
	end(&f);
}

/* Of two that are to be moved one is gone, and the other is expunged: of the row nothing is left that
 * could be answered. */
static void
a_row_that_nothing_is_left_of_is_closed(void **state)
{
	Fixture f = begin(*state, 4);
	StoreId both[] = { id_of_uid(f.store, f.inbox, 1), id_of_uid(f.store, f.inbox, 2) };
	StoreIntent intent = { .kind = STORE_INTENT_MOVE,
			       .mailbox = f.inbox,
			       .dest = f.archive,
			       .messages = both,
			       .n_messages = 2 };
	StoreOutcome expunged = { .message = both[1], .state = STORE_TARGET_DONE };
	g_autoptr(StoreJournalRow) row = NULL;
	g_autoptr(GArray) targets = NULL;
	StoreIntended moved = { 0 }, other;
	GError *error = NULL;

	MUST(store_intend(f.store, &intent, &moved, &error));
	gone(&f, moved.row, both[0]);
	other = intend(&f, STORE_INTENT_EXPUNGE, f.archive, 0, both[1]);
	MUST(store_journal_sent(f.store, other.row, 0, 0, &error));
	MUST(store_journal_done(f.store, other.row, &expunged, 1, &error));
	MUST(store_journal_targets(f.store, moved.row, 0, 10, &targets, &error));
	assert_int_equal(targets->len, 1);
	MUST(store_journal_close(f.store, moved.row, &error));
	must_be_sound(f.store);
	MUST(store_journal_row(f.store, moved.row, &row, &error));
	assert_int_equal(row->state, STORE_ROW_FAILED);
	assert_int_equal(row->code, POSTERN_ERROR_GONE);
	drop(&f, moved.row);
	assert_int_equal(queue_length(&f), 0);
	end(&f);
}

static void
a_row_with_something_left_is_not_closed(void **state)
{
	Fixture f = begin(*state, 4);
	StoreIntended out =
	    intend(&f, STORE_INTENT_MOVE, f.inbox, f.archive, id_of_uid(f.store, f.inbox, 1));
	g_autoptr(StoreJournalRow) row = NULL;
	GError *error = NULL;

	MUST(store_journal_close(f.store, out.row, &error));
	MUST(store_journal_row(f.store, out.row, &row, &error));
	assert_int_equal(row->state, STORE_ROW_WAITING);
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_gone_stays_gone),
		TEST(a_folder_made_anew_and_empty_has_nothing_that_was_meant),
		TEST(a_copy_of_a_copy_goes_with_it),
		TEST(a_copy_of_a_moved_copy_goes_with_it),
		TEST(a_uid_of_a_folder_made_anew_is_of_no_message_here),
		TEST(an_appended_message_is_sent_with_the_flags_that_it_came_with),
		TEST(a_row_that_nothing_is_left_of_is_closed),
		TEST(a_row_with_something_left_is_not_closed),
	};

	return cmocka_run_group_tests_name("store/journal-gone", tests, NULL, NULL);
}
