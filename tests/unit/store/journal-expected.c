/* Messages that the mirror meets where they were sent before the server's answer tells that they are there:
 * none shows twice, and what another client put there is not lost. */
#include "store/journal.h"
#include "support.h"

#define UIDVALIDITY 7
#define UIDNEXT	    100

typedef struct Fixture {
	Store *store;
	StoreId account, inbox, archive, lists;
	StoreId message; /* UID 3 of INBOX */
	StoreId row;	 /* what is done with it, SENT */
} Fixture;

static Fixture
begin(const char *dir)
{
	Fixture f = { .store = open_writer(dir) };
	StoreMailbox said = { .server_total = -1, .server_unread = -1, .uidvalidity = UIDVALIDITY };
	GError *error = NULL;

	f.inbox = make_mailbox(f.store, "INBOX");
	f.archive = make_mailbox(f.store, "Archive");
	f.lists = make_mailbox(f.store, "Lists");
	MUST(store_account(f.store, "work", &f.account, &error));
	said.id = f.archive;
	MUST(store_mailbox_status(f.store, &said, &error));
	put_plain(f.store, f.inbox, 1, 3, 1000, 0);
	f.message = id_of_uid(f.store, f.inbox, 3);
	return f;
}

static StoreId
intend(Fixture *f, StoreIntent intent, const StoreId *messages, size_t n)
{
	StoreIntended out = { 0 };
	GError *error = NULL;

	intent.messages = messages;
	intent.n_messages = n;
	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out.row;
}

static void
send_row(Fixture *f)
{
	GError *error = NULL;

	MUST(store_journal_sent(f->store, f->row, UIDVALIDITY, UIDNEXT, &error));
}

static Fixture
begin_sent(const char *dir, StoreIntentKind kind)
{
	Fixture f = begin(dir);

	f.row = intend(&f, (StoreIntent){ .kind = kind, .mailbox = f.inbox, .dest = f.archive },
		       &f.message, 1);
	send_row(&f);
	return f;
}

/* The mirror meets what UID 3 of INBOX is, in Archive. */
static void
meet(Fixture *f, uint32_t uid, uint64_t size, uint16_t flags)
{
	GStringChunk *pool = g_string_chunk_new(4096);
	StoreMessage message = plain_message(pool, 3, 1120, flags);
	GError *error = NULL;

	message.uid = uid;
	message.size = size;
	MUST(store_messages_put(f->store, f->archive, &message, 1, &error));
	g_string_chunk_free(pool);
	must_be_sound(f->store);
}

static void
told(Fixture *f, StoreId message, uint32_t uid)
{
	StoreOutcome outcome = { .message = message, .state = STORE_TARGET_DONE, .uid = uid };
	GError *error = NULL;

	MUST(store_journal_done(f->store, f->row, &outcome, 1, &error));
	must_be_sound(f->store);
}

static void
check_counts(Fixture *f, StoreId id, uint32_t total, uint32_t unread)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autofree char *uids = window_uids(f->store, id, 0, 100);
	g_auto(GStrv) shown = g_strsplit(uids, " ", 0);
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_int_equal(mailbox->total, total);
	assert_int_equal(mailbox->unread, unread);
	assert_int_equal(g_strv_length(shown), total);
}

/* How many of the server's messages the mirror has. */
static void
check_mirrored(Fixture *f, uint32_t mirrored)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, f->archive, &mailbox, &error));
	assert_int_equal(mailbox->mirrored, mirrored);
}

static void
check_flags(Fixture *f, uint16_t flags)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_uid(f->store, f->archive, UIDNEXT, &row, &error));
	assert_int_equal(row->flags, flags);
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

/* Of whatever kind: it is there once, before and after the answer. */
static void
shows_once(Fixture *f, StoreId shown, uint64_t size)
{
	check_counts(f, f->archive, 1, 1);
	meet(f, UIDNEXT, size, 0);
	check_counts(f, f->archive, 1, 1);
	check_mirrored(f, 1);
	meet(f, UIDNEXT, size, STORE_FLAG_SEEN);
	check_counts(f, f->archive, 1, 1);
	told(f, f->message, UIDNEXT);
	check_counts(f, f->archive, 1, 0);
	check_mirrored(f, 1);
	assert_int_equal(id_of_uid(f->store, f->archive, UIDNEXT), shown);
}

static void
what_is_moved_shows_once(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	shows_once(&f, f.message, 1003);
	check_counts(&f, f.inbox, 2, 2);
	end(&f);
}

static void
it_shows_once_in_a_folder_that_was_never_opened(void **state)
{
	Fixture f = begin(*state);
	StoreMailbox said = { .server_total = -1, .server_unread = -1, .uidvalidity = UIDVALIDITY };
	GError *error = NULL;

	f.archive = said.id = f.lists;
	f.row =
	    intend(&f,
		   (StoreIntent){ .kind = STORE_INTENT_MOVE, .mailbox = f.inbox, .dest = f.lists },
		   &f.message, 1);
	send_row(&f);
	meet(&f, UIDNEXT, 1003, 0);
	MUST(store_mailbox_status(f.store, &said, &error));
	shows_once(&f, f.message, 1003);
	end(&f);
}

static StoreId
only_one_in(Fixture *f, StoreId mailbox)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	uint32_t total;

	MUST(store_window(f->store, mailbox, 0, 10, false, &rows, &total, &error));
	assert_int_equal(rows->len, 1);
	return ((const StoreRow *)g_ptr_array_index(rows, 0))->id;
}

static void
what_is_copied_shows_once(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_COPY);

	shows_once(&f, only_one_in(&f, f.archive), 1003);
	check_counts(&f, f.inbox, 3, 3);
	end(&f);
}

/* Servers count the octets of what they are given in their own way. */
static void
what_is_appended_shows_once(void **state)
{
	Fixture f = begin(*state);
	GStringChunk *pool = g_string_chunk_new(4096);
	StoreMessage message = plain_message(pool, 3, 1120, 0);
	g_autoptr(GBytes) content = g_bytes_new_static("x", 1);
	StoreIntent intent = { .kind = STORE_INTENT_APPEND,
			       .dest = f.archive,
			       .message = &message,
			       .content = content };
	StoreIntended out = { 0 };
	GError *error = NULL;

	message.uid = 0;
	MUST(store_intend(f.store, &intent, &out, &error));
	g_string_chunk_free(pool);
	f.message = out.message;
	f.row = out.row;
	send_row(&f);
	shows_once(&f, f.message, 1042);
	end(&f);
}

/* Size and date tell then what it is. */
static void
what_has_no_message_id_shows_once(void **state)
{
	for (uint32_t uid = UIDNEXT; uid <= UIDNEXT + 1; uid++) {
		Fixture f = begin(*state);
		GStringChunk *pool = g_string_chunk_new(4096);
		StoreMessage bare = plain_message(pool, 9, 1120, 0);
		GError *error = NULL;

		bare.message_id = (Span){ 0 };
		MUST(store_messages_put(f.store, f.lists, &bare, 1, &error));
		f.message = id_of_uid(f.store, f.lists, 9);
		f.row =
		    intend(&f,
			   (StoreIntent){
			       .kind = STORE_INTENT_MOVE, .mailbox = f.lists, .dest = f.archive },
			   &f.message, 1);
		send_row(&f);
		bare.uid = UIDNEXT;
		bare.received += uid - UIDNEXT;
		MUST(store_messages_put(f.store, f.archive, &bare, 1, &error));
		must_be_sound(f.store);
		check_counts(&f, f.archive, uid == UIDNEXT ? 1 : 2, uid == UIDNEXT ? 1 : 2);
		told(&f, f.message, uid == UIDNEXT ? 0 : uid);
		check_counts(&f, f.archive, uid == UIDNEXT ? 1 : 2, uid == UIDNEXT ? 1 : 2);
		assert_int_equal(id_of_uid(f.store, f.archive, uid), f.message);
		g_string_chunk_free(pool);
		end(&f);
		place_teardown(state);
		place_setup(state);
	}
}

static void
what_waits_of_its_flags_stays_on_top(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	intend(&f,
	       (StoreIntent){ .kind = STORE_INTENT_FLAG,
			      .mailbox = f.archive,
			      .flag = STORE_FLAG_FLAGGED,
			      .set = true },
	       &f.message, 1);
	meet(&f, UIDNEXT, 1003, STORE_FLAG_SEEN);
	told(&f, f.message, UIDNEXT);
	check_flags(&f, STORE_FLAG_SEEN | STORE_FLAG_FLAGGED);
	end(&f);
}

static void
it_may_have_gone_on_meanwhile(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	meet(&f, UIDNEXT, 1003, 0);
	intend(&f,
	       (StoreIntent){ .kind = STORE_INTENT_MOVE, .mailbox = f.archive, .dest = f.lists },
	       &f.message, 1);
	check_counts(&f, f.archive, 0, 0);
	told(&f, f.message, UIDNEXT);
	check_counts(&f, f.archive, 0, 0);
	check_counts(&f, f.lists, 1, 1);
	end(&f);
}

/* It is in no list twice even where it went back to. */
static void
it_may_be_on_its_way_back(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	intend(&f,
	       (StoreIntent){ .kind = STORE_INTENT_MOVE, .mailbox = f.archive, .dest = f.inbox },
	       &f.message, 1);
	meet(&f, UIDNEXT, 1003, 0);
	check_counts(&f, f.archive, 0, 0);
	check_counts(&f, f.inbox, 3, 3);
	told(&f, f.message, UIDNEXT);
	check_counts(&f, f.archive, 0, 0);
	check_counts(&f, f.inbox, 3, 3);
	end(&f);
}

static void
it_is_found_where_no_uid_is_told(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	meet(&f, UIDNEXT, 1003, 0);
	told(&f, f.message, 0);
	check_counts(&f, f.archive, 1, 1);
	assert_int_equal(id_of_uid(f.store, f.archive, UIDNEXT), f.message);
	end(&f);
}

static void
anothers_shows_when_ours_is_told_elsewhere(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	meet(&f, UIDNEXT, 1003, 0);
	told(&f, f.message, UIDNEXT + 1);
	check_counts(&f, f.archive, 2, 2);
	assert_int_equal(id_of_uid(f.store, f.archive, UIDNEXT + 1), f.message);
	assert_int_not_equal(id_of_uid(f.store, f.archive, UIDNEXT), f.message);
	end(&f);
}

static void
anothers_shows_when_ours_was_not_sent(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;

	meet(&f, UIDNEXT, 1003, 0);
	check_counts(&f, f.archive, 1, 1);
	MUST(store_journal_unsent(f.store, f.row, &error));
	must_be_sound(f.store);
	check_counts(&f, f.archive, 2, 2);
	/* and ours is still to be moved from where it is */
	MUST(store_journal_targets(f.store, f.row, 0, 10, &targets, &error));
	assert_int_equal(g_array_index(targets, StoreTarget, 0).mailbox, f.inbox);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).uid, 3);
	end(&f);
}

static void
anothers_shows_when_ours_failed(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_COPY);
	GError *error = NULL;

	meet(&f, UIDNEXT, 1003, 0);
	MUST(store_journal_fail(f.store, f.row, POSTERN_ERROR_REFUSED, "no", &error));
	must_be_sound(f.store);
	check_counts(&f, f.archive, 2, 2);
	MUST(store_journal_drop(f.store, f.row, &error));
	check_counts(&f, f.archive, 1, 1);
	end(&f);
}

static void
anothers_shows_when_ours_is_gone(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);
	StoreOutcome outcome = { .message = f.message, .state = STORE_TARGET_GONE };
	GError *error = NULL;

	meet(&f, UIDNEXT, 1003, 0);
	MUST(store_journal_done(f.store, f.row, &outcome, 1, &error));
	must_be_sound(f.store);
	check_counts(&f, f.archive, 1, 1);
	end(&f);
}

/* Two alike are to come, and three are there. */
static void
each_of_those_that_are_alike_is_met_once(void **state)
{
	Fixture f = begin(*state);
	GStringChunk *pool = g_string_chunk_new(4096);
	StoreMessage twin = plain_message(pool, 3, 1120, 0);
	StoreId both[2] = { f.message };
	GError *error = NULL;

	twin.uid = 4;
	MUST(store_messages_put(f.store, f.inbox, &twin, 1, &error));
	g_string_chunk_free(pool);
	both[1] = id_of_uid(f.store, f.inbox, 4);
	f.row = intend(&f,
		       (StoreIntent){
			   .kind = STORE_INTENT_MOVE, .mailbox = f.inbox, .dest = f.archive },
		       both, 2);
	send_row(&f);
	meet(&f, 100, 1003, 0);
	check_counts(&f, f.archive, 2, 2);
	meet(&f, 101, 1003, 0);
	check_counts(&f, f.archive, 2, 2);
	meet(&f, 102, 1003, 0);
	check_counts(&f, f.archive, 3, 3);
	meet(&f, 101, 1003, STORE_FLAG_SEEN);
	check_counts(&f, f.archive, 3, 3);
	told(&f, both[0], 102);
	check_counts(&f, f.archive, 2, 2);
	told(&f, both[1], 100);
	check_counts(&f, f.archive, 3, 2);
	assert_int_equal(id_of_uid(f.store, f.archive, 102), both[0]);
	assert_int_equal(id_of_uid(f.store, f.archive, 100), both[1]);
	end(&f);
}

static void
only_what_can_be_ours_waits_for_the_answer(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);

	meet(&f, UIDNEXT - 1, 1003, 0); /* was there before */
	check_counts(&f, f.archive, 2, 2);
	meet(&f, UIDNEXT + 1, 1004, 0); /* of another size */
	check_counts(&f, f.archive, 3, 3);
	put_plain(f.store, f.archive, UIDNEXT + 2, 1, 1120, 0); /* another Message-ID */
	check_counts(&f, f.archive, 4, 4);
	told(&f, f.message, UIDNEXT);
	check_counts(&f, f.archive, 4, 4);
	end(&f);
}

static void
what_was_met_and_expunged_is_gone(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);
	uint32_t uid = UIDNEXT;
	GError *error = NULL;

	meet(&f, uid, 1003, 0);
	MUST(store_messages_remove(f.store, f.archive, &uid, 1, NULL, &error));
	must_be_sound(f.store);
	check_counts(&f, f.archive, 1, 1);
	check_mirrored(&f, 0);
	end(&f);
}

/* As lost, it is found under the new UIDVALIDITY. */
static void
its_folder_may_be_made_anew(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);
	GError *error = NULL;

	meet(&f, UIDNEXT, 1003, 0);
	MUST(store_mailbox_reset(f.store, f.archive, &error));
	must_be_sound(f.store);
	check_counts(&f, f.archive, 1, 1);
	meet(&f, 1, 1003, 0);
	check_counts(&f, f.archive, 2, 2);
	end(&f);
}

/* Nothing of it stays behind. */
static void
its_folder_may_go_before_the_answer(void **state)
{
	Fixture f = begin_sent(*state, STORE_INTENT_MOVE);
	StoreIntent intent = { .kind = STORE_INTENT_DELETE, .mailbox = f.archive };
	StoreIntended out = { 0 };
	GError *error = NULL;

	meet(&f, UIDNEXT, 1003, 0);
	MUST(store_intend(f.store, &intent, &out, &error));
	MUST(store_journal_sent(f.store, out.row, 0, 0, &error));
	MUST(store_journal_done(f.store, out.row, NULL, 0, &error));
	must_be_sound(f.store);
	told(&f, f.message, UIDNEXT);
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_moved_shows_once),
		TEST(it_shows_once_in_a_folder_that_was_never_opened),
		TEST(what_is_copied_shows_once),
		TEST(what_is_appended_shows_once),
		TEST(what_has_no_message_id_shows_once),
		TEST(what_waits_of_its_flags_stays_on_top),
		TEST(it_may_have_gone_on_meanwhile),
		TEST(it_may_be_on_its_way_back),
		TEST(it_is_found_where_no_uid_is_told),
		TEST(anothers_shows_when_ours_is_told_elsewhere),
		TEST(anothers_shows_when_ours_was_not_sent),
		TEST(anothers_shows_when_ours_failed),
		TEST(anothers_shows_when_ours_is_gone),
		TEST(each_of_those_that_are_alike_is_met_once),
		TEST(only_what_can_be_ours_waits_for_the_answer),
		TEST(what_was_met_and_expunged_is_gone),
		TEST(its_folder_may_be_made_anew),
		TEST(its_folder_may_go_before_the_answer),
	};

	return cmocka_run_group_tests_name("store/journal-expected", tests, NULL, NULL);
}
