/* Messages that the mirror meets where they were sent before the server's answer tells that they are there, and
 * that it takes for others: nobody knew from which UID on they would be. */
#include "store/journal.h"
#include "support.h"

typedef struct Fixture {
	Store *store;
	StoreId account, inbox, archive, lists;
	StoreId message, row; /* moved from INBOX to Archive, and sent */
	StoreId met;	      /* the same, as the mirror met it in Archive under UID 100 */
} Fixture;

static StoreIntended
intend(Fixture *f, StoreIntent intent, StoreId message)
{
	StoreIntended out = { 0 };
	GError *error = NULL;

	intent.messages = &message;
	intent.n_messages = 1;
	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

static Fixture
begin(const char *dir, uint16_t flags)
{
	Fixture f = { .store = open_writer(dir) };
	GError *error = NULL;

	f.inbox = make_mailbox(f.store, "INBOX");
	f.archive = make_mailbox(f.store, "Archive");
	f.lists = make_mailbox(f.store, "Lists");
	MUST(store_account(f.store, "work", &f.account, &error));
	put_plain(f.store, f.inbox, 1, 3, 1000, 0);
	f.message = id_of_uid(f.store, f.inbox, 3);
	f.row = intend(&f,
		       (StoreIntent){
			   .kind = STORE_INTENT_MOVE, .mailbox = f.inbox, .dest = f.archive },
		       f.message)
		    .row;
	MUST(store_journal_sent(f.store, f.row, 7, 0, &error));
	put_plain(f.store, f.archive, 100, 1, 1000, flags);
	f.met = id_of_uid(f.store, f.archive, 100);
	assert_int_not_equal(f.met, f.message);
	return f;
}

static void
told(Fixture *f)
{
	StoreOutcome outcome = { .message = f->message, .state = STORE_TARGET_DONE, .uid = 100 };
	GError *error = NULL;

	MUST(store_journal_done(f->store, f->row, &outcome, 1, &error));
	must_be_sound(f->store);
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

static void
check_total(Fixture *f, StoreId id, uint32_t total)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_int_equal(mailbox->total, total);
}

static void
it_has_the_flags_that_the_server_told(void **state)
{
	Fixture f = begin(*state, STORE_FLAG_SEEN);
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	intend(&f,
	       (StoreIntent){ .kind = STORE_INTENT_FLAG,
			      .mailbox = f.archive,
			      .flag = STORE_FLAG_FLAGGED,
			      .set = true },
	       f.message);
	told(&f);
	assert_int_equal(id_of_uid(f.store, f.archive, 100), f.message);
	MUST(store_row_by_id(f.store, f.message, &row, &error));
	assert_int_equal(row->flags, STORE_FLAG_SEEN | STORE_FLAG_FLAGGED);
	check_total(&f, f.archive, 1);
	end(&f);
}

static void
what_was_done_with_it_is_done_with_the_message(void **state)
{
	Fixture f = begin(*state, 0);
	g_autoptr(StoreRow) row = NULL;
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;
	StoreIntended out =
	    intend(&f,
		   (StoreIntent){
		       .kind = STORE_INTENT_MOVE, .mailbox = f.archive, .dest = f.lists },
		   f.met);

	told(&f);
	MUST(store_row_by_id(f.store, f.message, &row, &error));
	assert_int_equal(row->mailbox, f.lists);
	MUST(store_journal_targets(f.store, out.row, 0, 10, &targets, &error));
	assert_int_equal(targets->len, 1);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).message, f.message);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).mailbox, f.archive);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).uid, 100);
	check_total(&f, f.archive, 0);
	check_total(&f, f.lists, 1);
	end(&f);
}

static void
what_was_expunged_stays_expunged(void **state)
{
	Fixture f = begin(*state, 0);
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;
	StoreIntended out =
	    intend(&f, (StoreIntent){ .kind = STORE_INTENT_EXPUNGE, .mailbox = f.archive }, f.met);

	told(&f);
	check_total(&f, f.archive, 0);
	MUST(store_journal_targets(f.store, out.row, 0, 10, &targets, &error));
	assert_int_equal(targets->len, 1);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).message, f.message);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).uid, 100);
	end(&f);
}

/* They were shown as two, and both were meant: once is enough. */
static void
what_was_to_be_done_with_both_is_done_once(void **state)
{
	Fixture f = begin(*state, 0);
	StoreId both[2] = { f.message, f.met };
	StoreIntent flag = { .kind = STORE_INTENT_FLAG,
			     .mailbox = f.archive,
			     .flag = STORE_FLAG_FLAGGED,
			     .set = true,
			     .messages = both,
			     .n_messages = 2 };
	StoreIntent copy = { .kind = STORE_INTENT_COPY,
			     .mailbox = f.archive,
			     .dest = f.lists,
			     .messages = both,
			     .n_messages = 2 };
	StoreIntended flagged = { 0 }, copied = { 0 };
	g_autoptr(StoreJournalRow) flag_row = NULL, copy_row = NULL;
	GError *error = NULL;

	MUST(store_intend(f.store, &flag, &flagged, &error));
	MUST(store_intend(f.store, &copy, &copied, &error));
	check_total(&f, f.lists, 2);
	told(&f);
	MUST(store_journal_row(f.store, flagged.row, &flag_row, &error));
	assert_int_equal(flag_row->n, 1);
	MUST(store_journal_row(f.store, copied.row, &copy_row, &error));
	assert_int_equal(copy_row->n, 1);
	check_total(&f, f.lists, 1);
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_has_the_flags_that_the_server_told),
		TEST(what_was_done_with_it_is_done_with_the_message),
		TEST(what_was_expunged_stays_expunged),
		TEST(what_was_to_be_done_with_both_is_done_once),
	};

	return cmocka_run_group_tests_name("store/journal-met", tests, NULL, NULL);
}
