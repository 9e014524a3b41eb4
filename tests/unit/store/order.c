/* The order array: what an edit touches, and that it holds under any dates. */
#include "support.h"

#define CHUNK 1024 /* records in a full one */

static StoreStats
stats_of(Store *store)
{
	StoreStats stats;

	store_stats(store, &stats);
	return stats;
}

/* Puts N messages from FIRST_UID on with random dates. */
static void
put_random(Store *store, StoreId mailbox, uint32_t first_uid, uint32_t n, GRand *rand)
{
	g_autofree StoreMessage *messages = g_new(StoreMessage, n);
	GStringChunk *pool = g_string_chunk_new(4096);
	GError *error = NULL;

	for (uint32_t i = 0; i < n; i++)
		messages[i] = plain_message(pool, first_uid + i, g_rand_int(rand), 0);
	MUST(store_messages_put(store, mailbox, messages, n, &error));
	g_string_chunk_free(pool);
}

static void
filling_newest_first_leaves_full_chunks(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree uint32_t *uids = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	GError *error = NULL;
	StoreStats before, after;
	size_t n;

	for (uint32_t at = 20 * CHUNK, take; at > 0; at -= take) {
		take = MIN(500, at);
		put_plain(store, mailbox, at - take + 1, take, (int64_t)(at - take) * 60, 0);
	}
	before = stats_of(store);
	MUST(store_message_uids(store, mailbox, &uids, &n, &error));
	after = stats_of(store);
	assert_int_equal(n, 20 * CHUNK);
	assert_int_equal(after.chunks_read - before.chunks_read, 20);
	must_be_sound(store);
}

static void
mail_arriving_touches_the_newest_chunk_only(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 10 * CHUNK, 0, 0);
	for (uint32_t uid = 20 * CHUNK; uid < 20 * CHUNK + 10; uid++) {
		StoreStats before = stats_of(store), after;

		put_plain(store, mailbox, uid, 1, uid * 60, 0);
		after = stats_of(store);
		assert_true(after.chunks_written - before.chunks_written <= 2);
		assert_true(after.chunks_read - before.chunks_read <= 1);
	}
	must_be_sound(store);
}

static void
a_slice_touches_only_the_chunks_it_falls_in(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreStats before, after;

	put_plain(store, mailbox, 1, 50 * CHUNK, 0, 0);
	before = stats_of(store);
	put_plain(store, mailbox, 100 * CHUNK, 500, 25 * CHUNK * 60, 0);
	after = stats_of(store);
	assert_true(after.chunks_written - before.chunks_written <= 4);
	must_be_sound(store);
}

static void
one_flag_rewrites_one_chunk(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreFlagChange change = { .uid = 5000, .flags = STORE_FLAG_SEEN };
	GError *error = NULL;
	StoreStats before, after;

	put_plain(store, mailbox, 1, 10 * CHUNK, 0, 0);
	before = stats_of(store);
	MUST(store_messages_flag(store, mailbox, &change, 1, NULL, &error));
	after = stats_of(store);
	assert_int_equal(after.chunks_written - before.chunks_written, 1);
	before = after;
	MUST(store_messages_flag(store, mailbox, &change, 1, NULL, &error));
	after = stats_of(store);
	assert_int_equal(after.chunks_written - before.chunks_written, 0);
	assert_int_equal(after.rows_written - before.rows_written, 0);
}

static void
random_dates_stay_in_order_and_chunks_split_evenly(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	g_autoptr(GPtrArray) rows = NULL;
	g_autofree uint32_t *uids = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	GError *error = NULL;
	StoreStats before, after;
	uint32_t total;
	size_t n;

	for (uint32_t i = 0; i < 20; i++)
		put_random(store, mailbox, 1 + i * 1500, 1500, rand);
	must_be_sound(store);
	MUST(store_window(store, mailbox, 0, UINT32_MAX, false, &rows, &total, &error));
	assert_int_equal(total, 30000);
	for (guint i = 1; i < rows->len; i++)
		assert_true(((StoreRow *)g_ptr_array_index(rows, i - 1))->date >=
			    ((StoreRow *)g_ptr_array_index(rows, i))->date);
	before = stats_of(store);
	MUST(store_message_uids(store, mailbox, &uids, &n, &error));
	after = stats_of(store);
	assert_true(after.chunks_read - before.chunks_read <= 30000 / (CHUNK / 2));
}

static void
a_mailbox_emptied_at_random_joins_its_chunks(void **state)
{
	enum { N = 20 * CHUNK };
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GRand) rand = g_rand_new_with_seed(2);
	g_autofree uint32_t *uids = g_new(uint32_t, N), *left = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	GError *error = NULL;
	StoreStats before, after;
	size_t n;

	put_plain(store, mailbox, 1, N, 0, 0);
	for (uint32_t i = 0; i < N; i++)
		uids[i] = i + 1;
	for (uint32_t i = N - 1; i > 0; i--) {
		uint32_t k = (uint32_t)g_rand_int_range(rand, 0, (gint32)i + 1), swap = uids[i];

		uids[i] = uids[k];
		uids[k] = swap;
	}
	for (uint32_t at = 0; at < N - 100; at += 700)
		MUST(store_messages_remove(store, mailbox, uids + at, MIN(700, N - 100 - at), NULL,
					   &error));
	must_be_sound(store);
	before = stats_of(store);
	MUST(store_message_uids(store, mailbox, &left, &n, &error));
	after = stats_of(store);
	assert_int_equal(n, 100);
	assert_int_equal(after.chunks_read - before.chunks_read, 1);
	MUST(store_messages_remove(store, mailbox, left, n, NULL, &error));
	must_be_sound(store);
	put_plain(store, mailbox, N + 1, 5, 0, 0);
	must_be_sound(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(filling_newest_first_leaves_full_chunks),
		TEST(mail_arriving_touches_the_newest_chunk_only),
		TEST(a_slice_touches_only_the_chunks_it_falls_in),
		TEST(one_flag_rewrites_one_chunk),
		TEST(random_dates_stay_in_order_and_chunks_split_evenly),
		TEST(a_mailbox_emptied_at_random_joins_its_chunks),
	};

	return cmocka_run_group_tests_name("store/order", tests, NULL, NULL);
}
