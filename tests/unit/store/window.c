/* Windows and offsets: where messages stand, and that it costs the same in any mailbox. */
#include "support.h"

/* UIDs 1 to N, a minute apart, so that offset 0 is UID N. */
static StoreId
fill(Store *store, uint32_t n)
{
	StoreId mailbox = make_mailbox(store, "INBOX");

	for (uint32_t at = n; at > 0;) {
		uint32_t take = MIN(at, 5000);

		at -= take;
		put_plain(store, mailbox, at + 1, take, (int64_t)(at + 1) * 60, 0);
	}
	return mailbox;
}

static void
must_show(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, const char *expected)
{
	g_autofree char *uids = window_uids(store, mailbox, offset, count);

	assert_string_equal(uids, expected);
}

static void
a_window_is_cut_from_any_offset_and_at_the_end(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId mailbox = fill(store, 3000);

	must_show(store, mailbox, 0, 3, "3000 2999 2998");
	must_show(store, mailbox, 1022, 4, "1978 1977 1976 1975");
	must_show(store, mailbox, 2998, 50, "2 1");
	must_show(store, mailbox, 3000, 50, "");
	must_show(store, mailbox, UINT32_MAX, 50, "");
	must_show(store, mailbox, 5, 0, "");
}

static void
an_empty_mailbox_has_an_empty_window(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	uint32_t total = 9, offset = 9, found;

	MUST(store_window(store, mailbox, 0, 50, true, &rows, &total, &error));
	assert_int_equal(rows->len, 0);
	assert_int_equal(total, 0);
	MUST(store_offset_at(store, mailbox, 5, 5, &offset, &error));
	assert_int_equal(offset, 0);
	MUST_FAIL(store_offset_next(store, mailbox, 0, true, 0, 0, &found, &error),
		  POSTERN_ERROR_GONE);
	MUST_FAIL(store_offset_next(store, mailbox, 0, false, 0, 0, &found, &error),
		  POSTERN_ERROR_GONE);
}

static void
equal_dates_are_ordered_by_uid_highest_first(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StoreMessage in[] = { { .uid = 2, .date = 50 },		 { .uid = 256, .date = 50 },
			      { .uid = 4294967295, .date = 50 }, { .uid = 255, .date = 50 },
			      { .uid = 9, .date = 51 },		 { .uid = 300, .date = 49 } };

	for (size_t i = 0; i < G_N_ELEMENTS(in); i++)
		MUST(store_messages_put(store, mailbox, &in[i], 1, &error));
	must_show(store, mailbox, 0, 10, "9 4294967295 256 255 2 300");
	must_be_sound(store);
}

static void
structures_come_only_when_asked_for(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GPtrArray) without = NULL, with = NULL;
	GError *error = NULL;
	StoreId mailbox = fill(store, 1);
	uint32_t total;

	MUST(store_window(store, mailbox, 0, 1, false, &without, &total, &error));
	MUST(store_window(store, mailbox, 0, 1, true, &with, &total, &error));
	assert_null(((StoreRow *)g_ptr_array_index(without, 0))->structure);
	assert_non_null(((StoreRow *)g_ptr_array_index(with, 0))->structure);
}

static void
every_message_stands_at_its_offset(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	StoreId mailbox = fill(store, 3000);
	uint32_t total, offset;

	MUST(store_window(store, mailbox, 0, 3000, false, &rows, &total, &error));
	for (guint i = 0; i < rows->len; i += 7) {
		const StoreRow *row = g_ptr_array_index(rows, i);

		MUST(store_offset_of(store, mailbox, row->id, &offset, &error));
		assert_int_equal(offset, i);
		MUST(store_offset_at(store, mailbox, row->date, row->uid, &offset, &error));
		assert_int_equal(offset, i);
	}
}

static void
a_selection_stays_on_its_message_while_others_come_and_go(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId mailbox = fill(store, 2000), selected = id_of_uid(store, mailbox, 1000);
	uint32_t offset, older[] = { 1, 2, 3 }, newer[] = { 1999, 2000 };

	MUST(store_offset_of(reader, mailbox, selected, &offset, &error));
	assert_int_equal(offset, 1000);
	put_plain(store, mailbox, 3000, 500, 500000, 0);
	MUST(store_offset_of(reader, mailbox, selected, &offset, &error));
	assert_int_equal(offset, 1500);
	MUST(store_messages_remove(store, mailbox, older, 3, NULL, &error));
	MUST(store_messages_remove(store, mailbox, newer, 2, NULL, &error));
	MUST(store_offset_of(reader, mailbox, selected, &offset, &error));
	assert_int_equal(offset, 1498);
	must_show(reader, mailbox, offset, 1, "1000");
}

static void
a_lost_selection_lands_where_it_stood(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = fill(store, 100);
	uint32_t uid = 50, offset;

	MUST(store_messages_remove(store, mailbox, &uid, 1, NULL, &error));
	MUST(store_offset_at(store, mailbox, 50 * 60, 50, &offset, &error));
	assert_int_equal(offset, 50);
	must_show(store, mailbox, offset, 1, "49");
	MUST(store_offset_at(store, mailbox, INT64_MAX, 1, &offset, &error));
	assert_int_equal(offset, 0);
	MUST(store_offset_at(store, mailbox, INT64_MIN, 1, &offset, &error));
	assert_int_equal(offset, 99);
}

static void
a_message_of_another_mailbox_has_no_offset_here(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = fill(store, 10), other = make_mailbox(store, "Other");
	uint32_t offset;

	MUST_FAIL(store_offset_of(store, other, id_of_uid(store, mailbox, 5), &offset, &error),
		  POSTERN_ERROR_GONE);
}

static void
set_flags(Store *store, StoreId mailbox, uint32_t uid, uint16_t flags)
{
	StoreFlagChange change = { .uid = uid, .flags = flags };
	GError *error = NULL;

	MUST(store_messages_flag(store, mailbox, &change, 1, NULL, &error));
}

static void
the_next_message_with_a_flag_is_found_both_ways(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = fill(store, 5000);
	uint32_t found;

	set_flags(store, mailbox, 4990, STORE_FLAG_FLAGGED);
	set_flags(store, mailbox, 10, STORE_FLAG_FLAGGED);
	MUST(store_offset_next(store, mailbox, 0, true, STORE_FLAG_FLAGGED, STORE_FLAG_FLAGGED,
			       &found, &error));
	assert_int_equal(found, 10);
	MUST(store_offset_next(store, mailbox, 10, true, STORE_FLAG_FLAGGED, STORE_FLAG_FLAGGED,
			       &found, &error));
	assert_int_equal(found, 10);
	MUST(store_offset_next(store, mailbox, 11, true, STORE_FLAG_FLAGGED, STORE_FLAG_FLAGGED,
			       &found, &error));
	assert_int_equal(found, 4990);
	MUST(store_offset_next(store, mailbox, 4989, false, STORE_FLAG_FLAGGED, STORE_FLAG_FLAGGED,
			       &found, &error));
	assert_int_equal(found, 10);
	MUST(store_offset_next(store, mailbox, UINT32_MAX, false, STORE_FLAG_FLAGGED,
			       STORE_FLAG_FLAGGED, &found, &error));
	assert_int_equal(found, 4990);
	MUST(store_offset_next(store, mailbox, 10, true, STORE_FLAG_FLAGGED, 0, &found, &error));
	assert_int_equal(found, 11);
	MUST_FAIL(store_offset_next(store, mailbox, 4991, true, STORE_FLAG_FLAGGED,
				    STORE_FLAG_FLAGGED, &found, &error),
		  POSTERN_ERROR_GONE);
	MUST_FAIL(store_offset_next(store, mailbox, 9, false, STORE_FLAG_FLAGGED,
				    STORE_FLAG_FLAGGED, &found, &error),
		  POSTERN_ERROR_GONE);
	MUST_FAIL(store_offset_next(store, mailbox, 5000, true, 0, 0, &found, &error),
		  POSTERN_ERROR_GONE);
}

static void
a_snapshot_stands_still(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId mailbox = fill(store, 3);

	MUST(store_snapshot_begin(reader, &error));
	must_show(reader, mailbox, 0, 9, "3 2 1");
	put_plain(store, mailbox, 4, 1, 4 * 60, 0);
	must_show(reader, mailbox, 0, 9, "3 2 1");
	store_snapshot_end(reader);
	must_show(reader, mailbox, 0, 9, "4 3 2 1");
}

/* ---- costs -------------------------------------------------------------------------------------- */

enum { STEPS = 8 };

/* What a person does first, and the rows each step reads through a handle that has just opened. */
static void
count_steps(const char *dir, uint32_t n, uint64_t *rows)
{
	g_autoptr(Store) writer = open_writer(dir);
	StoreId mailbox = fill(writer, n);
	g_autoptr(Store) store = open_reader(dir);
	uint32_t offsets[] = { 0, 50, 100, n - 50, 0, n / 2 };
	GError *error = NULL;
	StoreStats before, after;
	uint32_t offset, found;

	for (size_t i = 0; i < STEPS; i++) {
		store_stats(store, &before);
		if (i < G_N_ELEMENTS(offsets)) {
			g_autofree char *uids = window_uids(store, mailbox, offsets[i], 50);
		} else if (i == 6) {
			MUST(store_offset_at(store, mailbox, n / 3 * 60, n / 3, &offset, &error));
		} else {
			MUST_FAIL(store_offset_next(store, mailbox, 0, true, STORE_FLAG_SEEN,
						    STORE_FLAG_SEEN, &found, &error),
				  POSTERN_ERROR_GONE);
		}
		store_stats(store, &after);
		rows[i] = after.rows_read - before.rows_read;
	}
}

static void
rows_read_do_not_grow_with_the_mailbox(void **state)
{
	g_autofree char *small = place_file(*state, "small"), *big = place_file(*state, "big");
	uint64_t rows_small[STEPS], rows_big[STEPS];

	assert_int_equal(g_mkdir_with_parents(small, 0700), 0);
	assert_int_equal(g_mkdir_with_parents(big, 0700), 0);
	count_steps(small, 1000, rows_small);
	count_steps(big, 200000, rows_big);
	for (size_t i = 0; i < STEPS; i++) {
		/* A window may lie across two chunks. */
		assert_true(rows_big[i] <= rows_small[i] + 1);
		assert_true(rows_big[i] <= 54);
	}
	place_teardown(&(void *){ g_steal_pointer(&small) });
	place_teardown(&(void *){ g_steal_pointer(&big) });
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_window_is_cut_from_any_offset_and_at_the_end),
		TEST(an_empty_mailbox_has_an_empty_window),
		TEST(equal_dates_are_ordered_by_uid_highest_first),
		TEST(structures_come_only_when_asked_for),
		TEST(every_message_stands_at_its_offset),
		TEST(a_selection_stays_on_its_message_while_others_come_and_go),
		TEST(a_lost_selection_lands_where_it_stood),
		TEST(a_message_of_another_mailbox_has_no_offset_here),
		TEST(the_next_message_with_a_flag_is_found_both_ways),
		TEST(a_snapshot_stands_still),
		TEST(rows_read_do_not_grow_with_the_mailbox),
	};

	return cmocka_run_group_tests_name("store/window", tests, NULL, NULL);
}
