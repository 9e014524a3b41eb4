/* Sequence numbers of the mirrored part of a mailbox, and what differs from the server's. */
#include "../../../src/engine/seqmap-private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static SeqMap
map_of(uint32_t from_uid, uint32_t top_seq)
{
	static const uint32_t uids[] = { 3, 10, 11, 20, 21 };
	SeqMap map = { 0 };

	seqmap_load(&map, g_memdup2(uids, sizeof uids), G_N_ELEMENTS(uids), from_uid, top_seq);
	return map;
}

static void
newest_is_counted_from_the_top(void **state)
{
	SeqMap map = map_of(10, 100);

	assert_int_equal(seqmap_uid(&map, 100), 21);
	assert_int_equal(seqmap_uid(&map, 97), 10);
	assert_int_equal(seqmap_uid(&map, 96), 0); /* uid 3 is below what is mirrored */
	assert_int_equal(seqmap_uid(&map, 101), 0);
	assert_int_equal(seqmap_uid(&map, 0), 0);
	seqmap_clear(&map);
}

static void
expunge_moves_those_behind_it_up(void **state)
{
	SeqMap map = map_of(10, 100);

	assert_int_equal(seqmap_expunge(&map, 98), 11);
	assert_int_equal(seqmap_uid(&map, 99), 21);
	assert_int_equal(seqmap_uid(&map, 98), 20);
	assert_int_equal(seqmap_uid(&map, 97), 10);
	/* One that is not mirrored only moves the numbers. */
	assert_int_equal(seqmap_expunge(&map, 5), 0);
	assert_int_equal(seqmap_uid(&map, 98), 21);
	assert_int_equal(seqmap_uid(&map, 96), 10);
	/* One that came after the newest mirrored moves nothing. */
	assert_int_equal(seqmap_expunge(&map, 200), 0);
	assert_int_equal(seqmap_uid(&map, 98), 21);
	seqmap_clear(&map);
}

/* The slow way, for what fits in 64 UIDs. */
static void
compare_as_sets(const GArray *server, uint64_t mine)
{
	g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	uint32_t uids[64];
	uint64_t theirs = 0, found_gone = 0, found_missing = 0;
	size_t n = 0;

	for (uint32_t uid = 1; uid < 64; uid++)
		if (mine >> uid & 1)
			uids[n++] = uid;
	for (guint i = 0; i < server->len; i++) {
		const ImapRange *range = &g_array_index(server, ImapRange, i);

		for (uint32_t uid = range->low; uid <= range->high; uid++)
			theirs |= 1ull << uid;
	}
	seqmap_compare(server, uids, n, gone, missing);
	for (guint i = 0; i < gone->len; i++)
		found_gone |= 1ull << g_array_index(gone, uint32_t, i);
	for (guint i = 0; i < missing->len; i++) {
		const ImapRange *range = &g_array_index(missing, ImapRange, i);

		for (uint32_t uid = range->low; uid <= range->high; uid++)
			found_missing |= 1ull << uid;
	}
	assert_true(found_gone == (mine & ~theirs));
	assert_true(found_missing == (theirs & ~mine));
}

static void
comparing_finds_what_is_gone_and_what_is_missing(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);

	for (int round = 0; round < 20000; round++) {
		g_autoptr(GArray) server = g_array_new(FALSE, FALSE, sizeof(ImapRange));
		uint64_t mine = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

		for (int i = g_rand_int_range(rand, 0, 6); i > 0; i--) {
			uint32_t low = (uint32_t)g_rand_int_range(rand, 1, 64);
			ImapRange range = { low,
					    (uint32_t)g_rand_int_range(rand, (gint32)low, 64) };

			g_array_append_val(server, range);
		}
		compare_as_sets(server, mine & ~1ull);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_is_counted_from_the_top),
		cmocka_unit_test(expunge_moves_those_behind_it_up),
		cmocka_unit_test(comparing_finds_what_is_gone_and_what_is_missing),
	};

	return cmocka_run_group_tests_name("engine/seqmap", tests, NULL, NULL);
}
