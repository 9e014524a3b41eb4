/* Messages coming, changing, going; counts and versions; transactions; resets and tidying. */
#include "support.h"

static StoreMailbox *
get(Store *store, StoreId id)
{
	StoreMailbox *mailbox;
	GError *error = NULL;

	MUST(store_mailbox_get(store, id, &mailbox, &error));
	return mailbox;
}

static void
must_count(Store *store, StoreId id, uint32_t total, uint32_t unread)
{
	g_autoptr(StoreMailbox) mailbox = get(store, id);

	assert_int_equal(mailbox->total, total);
	assert_int_equal(mailbox->unread, unread);
}

static int64_t
version_of(Store *store, StoreId mailbox)
{
	GError *error = NULL;
	int64_t version;

	MUST(store_version(store, mailbox, &version, &error));
	return version;
}

static StoreRow *
row_of(Store *store, StoreId mailbox, uint32_t uid)
{
	GError *error = NULL;
	StoreRow *row;

	MUST(store_row_by_uid(store, mailbox, uid, &row, &error));
	return row;
}

/* One flag change; returns whether it differed. */
static bool
flag(Store *store, StoreId mailbox, uint32_t uid, uint16_t flags, const char *keywords,
     uint64_t modseq)
{
	StoreFlagChange change = { uid, flags, span_of_string(keywords), modseq };
	GError *error = NULL;
	size_t changed;

	MUST(store_messages_flag(store, mailbox, &change, 1, &changed, &error));
	return changed > 0;
}

static void
every_field_comes_back(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL, same = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in = {
		.uid = 4294967295,
		.flags = STORE_FLAG_ANSWERED | STORE_FLAG_ATTACHMENT,
		.keywords = SPAN_LITERAL("$Forwarded work"),
		.date = 1700000000,
		.zone_min = -720,
		.received = -5,
		.size = UINT64_C(5000000000),
		.modseq = 9,
		.subject = SPAN_LITERAL("Grüße 会議"),
		.from = SPAN_LITERAL("Ada <ada@example.org>"),
		.to = SPAN_LITERAL("b@example.org"),
		.cc = SPAN_LITERAL("c@example.org"),
		.reply_to = SPAN_LITERAL("r@example.org"),
		.message_id = SPAN_LITERAL("<1@x>"),
		.in_reply_to = SPAN_LITERAL("<0@x>"),
		.structure = SPAN_LITERAL("(\0)"),
		.attachments = 65535,
	};

	MUST(store_messages_put(store, mailbox, &in, 1, &error));
	row = row_of(store, mailbox, 4294967295);
	assert_true(row->id > 0);
	assert_int_equal(row->mailbox, mailbox);
	assert_int_equal(row->uid, 4294967295);
	assert_int_equal(row->flags,
			 STORE_FLAG_ANSWERED | STORE_FLAG_ATTACHMENT | STORE_FLAG_KEYWORDS);
	assert_string_equal(row->keywords, "$Forwarded work");
	assert_int_equal(row->date, 1700000000);
	assert_int_equal(row->zone_min, -720);
	assert_int_equal(row->received, -5);
	assert_true(row->size == UINT64_C(5000000000));
	assert_string_equal(row->subject, "Grüße 会議");
	assert_string_equal(row->from, "Ada <ada@example.org>");
	assert_string_equal(row->to, "b@example.org");
	assert_string_equal(row->cc, "c@example.org");
	assert_string_equal(row->reply_to, "r@example.org");
	assert_string_equal(row->message_id, "<1@x>");
	assert_string_equal(row->in_reply_to, "<0@x>");
	assert_int_equal(row->attachments, 65535);
	assert_int_equal(g_bytes_get_size(row->structure), 3);
	MUST(store_row_by_id(store, row->id, &same, &error));
	assert_int_equal(same->uid, row->uid);
	assert_string_equal(same->subject, row->subject);
	must_be_sound(store);
}

static void
what_is_empty_comes_back_empty_and_reply_to_as_from(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) bare = NULL, twice = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in[] = {
		{ .uid = 1 },
		{ .uid = 2, .from = SPAN_LITERAL("a@x"), .reply_to = SPAN_LITERAL("a@x") }
	};

	MUST(store_messages_put(store, mailbox, in, 2, &error));
	bare = row_of(store, mailbox, 1);
	assert_string_equal(bare->keywords, "");
	assert_string_equal(bare->subject, "");
	assert_string_equal(bare->from, "");
	assert_string_equal(bare->reply_to, "");
	assert_string_equal(bare->in_reply_to, "");
	assert_null(bare->structure);
	twice = row_of(store, mailbox, 2);
	assert_string_equal(twice->reply_to, "a@x");
}

static void
dates_beyond_all_sense_are_kept_in_order(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree char *uids = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in[] = {
		{ .uid = 1, .date = INT64_MIN, .received = INT64_MAX },
		{ .uid = 2, .date = INT64_MAX, .received = INT64_MIN },
		{ .uid = 3, .date = -1 },
		{ .uid = 4, .date = 0 },
	};

	MUST(store_messages_put(store, mailbox, in, 4, &error));
	uids = window_uids(store, mailbox, 0, 10);
	assert_string_equal(uids, "2 4 3 1");
	must_be_sound(store);
}

static void
an_update_keeps_identity_parts_and_a_structure_not_told(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX"), id;
	StoreMessage in = { .uid = 7,
			    .date = 50,
			    .flags = STORE_FLAG_ATTACHMENT,
			    .attachments = 2,
			    .subject = SPAN_LITERAL("old"),
			    .structure = SPAN_LITERAL("(x)") };
	bool has;

	MUST(store_messages_put(store, mailbox, &in, 1, &error));
	id = id_of_uid(store, mailbox, 7);
	MUST(store_part_put(store, id, "1", bytes, &error));
	in = (StoreMessage){
		.uid = 7, .date = 60, .flags = STORE_FLAG_SEEN, .subject = SPAN_LITERAL("new")
	};
	MUST(store_messages_put(store, mailbox, &in, 1, &error));
	row = row_of(store, mailbox, 7);
	assert_int_equal(row->id, id);
	assert_int_equal(row->flags, STORE_FLAG_SEEN | STORE_FLAG_ATTACHMENT);
	assert_int_equal(row->attachments, 2);
	assert_int_equal(row->date, 60);
	assert_string_equal(row->subject, "new");
	assert_int_equal(g_bytes_get_size(row->structure), 3);
	MUST(store_part_has(store, id, "1", &has, &error));
	assert_true(has);
	must_count(store, mailbox, 1, 0);
	must_be_sound(store);
}

static void
of_a_uid_given_twice_the_last_counts(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *uids = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in[] = {
		{ .uid = 9, .date = 1, .subject = SPAN_LITERAL("first") },
		{ .uid = 3, .date = 2 },
		{ .uid = 9, .date = 3, .subject = SPAN_LITERAL("last") },
	};

	MUST(store_messages_put(store, mailbox, in, 3, &error));
	row = row_of(store, mailbox, 9);
	assert_string_equal(row->subject, "last");
	uids = window_uids(store, mailbox, 0, 10);
	assert_string_equal(uids, "9 3");
	must_count(store, mailbox, 2, 2);
}

static void
a_message_without_a_uid_is_refused_whole(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in[] = { { .uid = 5 }, { .uid = 0 } };

	MUST_FAIL(store_messages_put(store, mailbox, in, 2, &error), POSTERN_ERROR_STORE);
	must_count(store, mailbox, 0, 0);
}

static void
identities_are_never_given_twice(void **state)
{
	Store *store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX"), first;
	uint32_t uid = 1;

	put_plain(store, mailbox, 1, 1, 1000, 0);
	first = id_of_uid(store, mailbox, 1);
	MUST(store_messages_remove(store, mailbox, &uid, 1, NULL, &error));
	store_close(store);
	store = open_writer(*state);
	put_plain(store, mailbox, 1, 1, 1000, 0);
	assert_true(id_of_uid(store, mailbox, 1) > first);
	store_close(store);
}

static void
flags_replace_the_wires_and_leave_our_own(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 3, 1000, STORE_FLAG_ATTACHMENT | STORE_FLAG_FLAGGED);
	must_count(store, mailbox, 3, 3);
	assert_true(flag(store, mailbox, 2, STORE_FLAG_SEEN | STORE_FLAG_KEYWORDS, NULL, 0));
	must_count(store, mailbox, 3, 2);
	row = row_of(store, mailbox, 2);
	assert_int_equal(row->flags, STORE_FLAG_SEEN | STORE_FLAG_ATTACHMENT);
	assert_false(flag(store, mailbox, 2, STORE_FLAG_SEEN, NULL, 0));
	assert_true(flag(store, mailbox, 2, 0, NULL, 0));
	must_count(store, mailbox, 3, 3);
	assert_false(flag(store, mailbox, 77, 0, NULL, 0));
	must_be_sound(store);
}

static void
keywords_come_change_and_go(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) with = NULL, without = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	int64_t version;

	put_plain(store, mailbox, 1, 1, 1000, 0);
	assert_true(flag(store, mailbox, 1, 0, "a b", 0));
	version = version_of(store, mailbox);
	assert_true(flag(store, mailbox, 1, 0, "a c", 0));
	assert_true(version_of(store, mailbox) > version);
	version = version_of(store, mailbox);
	assert_false(flag(store, mailbox, 1, 0, "a c", 0));
	assert_int_equal(version_of(store, mailbox), version);
	with = row_of(store, mailbox, 1);
	assert_string_equal(with->keywords, "a c");
	assert_int_equal(with->flags, STORE_FLAG_KEYWORDS);
	assert_true(flag(store, mailbox, 1, 0, NULL, 0));
	without = row_of(store, mailbox, 1);
	assert_string_equal(without->keywords, "");
	assert_int_equal(without->flags, 0);
	must_be_sound(store);
}

static void
a_late_answer_about_flags_loses(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 1, 1000, 0);
	assert_true(flag(store, mailbox, 1, STORE_FLAG_SEEN, NULL, 20));
	assert_false(flag(store, mailbox, 1, 0, NULL, 19));
	assert_true(flag(store, mailbox, 1, STORE_FLAG_SEEN | STORE_FLAG_DRAFT, NULL, 20));
	assert_true(flag(store, mailbox, 1, STORE_FLAG_DRAFT, NULL, 0));
	row = row_of(store, mailbox, 1);
	assert_int_equal(row->flags, STORE_FLAG_DRAFT);
}

static void
no_answer_is_late_where_the_server_counts_anew(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX"), other = make_mailbox(store, "Other");

	put_plain(store, mailbox, 2, 1, 1000, 0);
	put_plain(store, other, 2, 1, 1000, 0);
	MUST(store_mailbox_progress(store, mailbox, 1, 4, 50, &error));
	assert_true(flag(store, mailbox, 2, STORE_FLAG_SEEN, NULL, 50));
	assert_true(flag(store, other, 2, STORE_FLAG_SEEN, NULL, 50));
	/* On the way up nothing is forgotten. */
	MUST(store_mailbox_progress(store, mailbox, 1, 4, 60, &error));
	assert_false(flag(store, mailbox, 2, 0, NULL, 49));
	MUST(store_mailbox_progress(store, mailbox, 1, 4, 0, &error));
	assert_true(flag(store, mailbox, 2, 0, NULL, 2));
	assert_false(flag(store, mailbox, 2, STORE_FLAG_SEEN, NULL, 1));
	assert_false(flag(store, other, 2, 0, NULL, 49));
}

static void
one_message_may_be_flagged_twice_in_a_call(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreFlagChange changes[] = { { .uid = 1, .flags = STORE_FLAG_SEEN },
				      { .uid = 1, .flags = STORE_FLAG_DELETED } };

	put_plain(store, mailbox, 1, 1, 1000, 0);
	MUST(store_messages_flag(store, mailbox, changes, 2, NULL, &error));
	row = row_of(store, mailbox, 1);
	assert_int_equal(row->flags, STORE_FLAG_DELETED);
	must_be_sound(store);
}

static void
marking_many_read_rewrites_chunks_and_no_rows(void **state)
{
	enum { N = 20000 };
	g_autoptr(Store) store = open_writer(*state);
	g_autofree StoreFlagChange *changes = g_new0(StoreFlagChange, N);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreStats before, after;
	size_t changed;

	put_plain(store, mailbox, 1, N, 1000, 0);
	for (uint32_t i = 0; i < N; i++) {
		changes[i].uid = i + 1;
		changes[i].flags = STORE_FLAG_SEEN;
	}
	store_stats(store, &before);
	MUST(store_messages_flag(store, mailbox, changes, N, &changed, &error));
	store_stats(store, &after);
	assert_int_equal(changed, N);
	must_count(store, mailbox, N, 0);
	assert_true(after.rows_written - before.rows_written < 50);
	assert_true(after.chunks_written - before.chunks_written < 40);
}

static void
removed_messages_are_gone_with_their_parts(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5);
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *uids = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX"), id;
	uint32_t gone[] = { 2, 99, 4, 2 }, offset;
	size_t removed;
	bool more, has;

	put_plain(store, mailbox, 1, 5, 1000, 0);
	id = id_of_uid(store, mailbox, 2);
	MUST(store_part_put(store, id, "1", bytes, &error));
	MUST(store_messages_remove(store, mailbox, gone, 4, &removed, &error));
	assert_int_equal(removed, 2);
	must_count(store, mailbox, 3, 3);
	uids = window_uids(store, mailbox, 0, 10);
	assert_string_equal(uids, "5 3 1");
	MUST_FAIL(store_row_by_id(store, id, &row, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_row_by_uid(store, mailbox, 2, &row, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_offset_of(store, mailbox, id, &offset, &error), POSTERN_ERROR_GONE);
	MUST(store_part_has(store, id, "1", &has, &error));
	assert_false(has);
	do
		MUST(store_tidy(store, &more, &error));
	while (more);
	must_be_sound(store);
}

static void
every_uid_is_listed_in_ascending_order(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree uint32_t *uids = NULL, *none = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	size_t n;

	MUST(store_message_uids(store, mailbox, &none, &n, &error));
	assert_int_equal(n, 0);
	put_plain(store, mailbox, 4000000000, 2000, 1000, 0);
	put_plain(store, mailbox, 1, 3000, 5000000, 0);
	MUST(store_message_uids(store, mailbox, &uids, &n, &error));
	assert_int_equal(n, 5000);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(uids[i], i < 3000 ? i + 1 : 4000000000 + i - 3000);
}

static void
the_version_grows_with_every_change_also_seen_by_others(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX"), other = make_mailbox(store, "Other");
	int64_t version = version_of(reader, mailbox), others = version_of(reader, other);
	uint32_t uid = 1;

	put_plain(store, mailbox, 1, 2, 1000, 0);
	assert_true(version_of(reader, mailbox) > version);
	version = version_of(reader, mailbox);
	flag(store, mailbox, 1, STORE_FLAG_SEEN, NULL, 0);
	assert_true(version_of(reader, mailbox) > version);
	version = version_of(reader, mailbox);
	MUST(store_messages_remove(store, mailbox, &uid, 1, NULL, &error));
	assert_true(version_of(reader, mailbox) > version);
	version = version_of(reader, mailbox);
	MUST(store_mailbox_reset(store, mailbox, &error));
	assert_true(version_of(reader, mailbox) > version);
	assert_int_equal(version_of(reader, other), others);
	MUST_FAIL(store_version(reader, 999, &version, &error), POSTERN_ERROR_GONE);
}

static void
a_reset_drops_all_at_once_and_tidying_gives_back_the_space(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5), back = NULL;
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *uids = NULL;
	GError *error = NULL;
	StoreId id = make_mailbox(store, "INBOX"), message;
	StoreStats before, after;
	bool more, has;

	put_plain(store, id, 1, 3000, 1000, 0);
	message = id_of_uid(store, id, 7);
	MUST(store_part_put(store, message, "1", bytes, &error));
	MUST(store_mailbox_progress(store, id, 1, 3001, 9, &error));
	store_stats(store, &before);
	MUST(store_mailbox_reset(store, id, &error));
	store_stats(store, &after);
	assert_true(after.rows_written - before.rows_written < 10);
	mailbox = get(store, id);
	assert_int_equal(mailbox->total, 0);
	assert_int_equal(mailbox->unread, 0);
	assert_int_equal(mailbox->known_from_uid, 0);
	assert_int_equal(mailbox->mirrored_modseq, 0);
	MUST_FAIL(store_row_by_id(store, message, &row, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_part_load(store, message, "1", &back, &error), POSTERN_ERROR_GONE);
	MUST(store_part_has(store, message, "1", &has, &error));
	assert_false(has);
	put_plain(store, id, 5, 3, 1000, 0);
	must_be_sound(store);
	do
		MUST(store_tidy(store, &more, &error));
	while (more);
	must_be_sound(store);
	uids = window_uids(store, id, 0, 10);
	assert_string_equal(uids, "7 6 5");
}

static void
a_transaction_taken_back_leaves_nothing(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree char *before = NULL, *after = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 2000, 1000, 0);
	before = store_digest(store);
	MUST(store_begin(store, &error));
	put_plain(store, mailbox, 5000, 10, 9000, 0);
	make_mailbox(store, "Other");
	flag(store, mailbox, 1, STORE_FLAG_SEEN, NULL, 0);
	store_rollback(store);
	after = store_digest(store);
	assert_string_equal(before, after);
	must_be_sound(store);
}

static void
a_transaction_is_seen_by_others_when_it_is_whole(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	g_autofree char *none = NULL, *mine = NULL, *all = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreStats before, after;

	store_stats(store, &before);
	MUST(store_begin(store, &error));
	put_plain(store, mailbox, 1, 1, 1000, 0);
	put_plain(store, mailbox, 2, 1, 2000, 0);
	none = window_uids(reader, mailbox, 0, 10);
	mine = window_uids(store, mailbox, 0, 10);
	MUST(store_commit(store, &error));
	store_stats(store, &after);
	all = window_uids(reader, mailbox, 0, 10);
	assert_string_equal(none, "");
	assert_string_equal(mine, "2 1");
	assert_string_equal(all, "2 1");
	assert_int_equal(after.transactions - before.transactions, 1);
}

static void
a_verb_that_fails_gives_up_its_transaction(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree char *uids = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage bad = { .uid = 0 };

	MUST(store_begin(store, &error));
	put_plain(store, mailbox, 1, 1, 1000, 0);
	MUST_FAIL(store_messages_put(store, mailbox, &bad, 1, &error), POSTERN_ERROR_STORE);
	MUST_FAIL(store_mailbox_reset(store, mailbox, &error), POSTERN_ERROR_STORE);
	MUST_FAIL(store_commit(store, &error), POSTERN_ERROR_STORE);
	put_plain(store, mailbox, 2, 1, 1000, 0);
	uids = window_uids(store, mailbox, 0, 10);
	assert_string_equal(uids, "2");
	MUST(store_begin(store, &error));
	MUST_FAIL(store_messages_put(store, mailbox, &bad, 1, &error), POSTERN_ERROR_STORE);
	store_rollback(store);
	put_plain(store, mailbox, 3, 1, 1000, 0);
	must_be_sound(store);
}

static void
verbs_about_no_mailbox_say_gone(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	StoreMessage in = { .uid = 1 };
	uint32_t uid = 1, total;

	MUST_FAIL(store_messages_put(store, 9, &in, 1, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_messages_remove(store, 9, &uid, 1, NULL, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_mailbox_reset(store, 9, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_window(store, 9, 0, 10, false, &rows, &total, &error), POSTERN_ERROR_GONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_comes_back),
		TEST(what_is_empty_comes_back_empty_and_reply_to_as_from),
		TEST(dates_beyond_all_sense_are_kept_in_order),
		TEST(an_update_keeps_identity_parts_and_a_structure_not_told),
		TEST(of_a_uid_given_twice_the_last_counts),
		TEST(a_message_without_a_uid_is_refused_whole),
		TEST(identities_are_never_given_twice),
		TEST(flags_replace_the_wires_and_leave_our_own),
		TEST(keywords_come_change_and_go),
		TEST(a_late_answer_about_flags_loses),
		TEST(no_answer_is_late_where_the_server_counts_anew),
		TEST(one_message_may_be_flagged_twice_in_a_call),
		TEST(marking_many_read_rewrites_chunks_and_no_rows),
		TEST(removed_messages_are_gone_with_their_parts),
		TEST(every_uid_is_listed_in_ascending_order),
		TEST(the_version_grows_with_every_change_also_seen_by_others),
		TEST(a_reset_drops_all_at_once_and_tidying_gives_back_the_space),
		TEST(a_transaction_taken_back_leaves_nothing),
		TEST(a_transaction_is_seen_by_others_when_it_is_whole),
		TEST(a_verb_that_fails_gives_up_its_transaction),
		TEST(verbs_about_no_mailbox_say_gone),
	};

	return cmocka_run_group_tests_name("store/messages", tests, NULL, NULL);
}
