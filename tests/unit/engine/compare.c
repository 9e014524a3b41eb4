/* Our UIDs against the server's: found out by asking for little. */
#include "../../../src/engine/compare-private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct Cost {
	unsigned rounds;
	uint64_t numbers, listed, bytes;
} Cost;

/* What is in SERVER (ascending UIDs) answers, until it is over. */
static bool
play(Compare *compare, const GArray *server, bool esearch, Cost *cost)
{
	const GArray *numbers, *ranges;

	*cost = (Cost){ 0 };
	while (compare_ask(compare, &numbers, &ranges)) {
		cost->rounds++;
		cost->numbers += numbers->len;
		cost->bytes += 28 * numbers->len;
		for (guint i = 0; i < numbers->len; i++) {
			uint32_t seq = g_array_index(numbers, ImapUid, i).value;

			assert_in_range(seq, 1, server->len);
			compare_take_number(compare, seq, g_array_index(server, uint32_t, seq - 1));
		}
		for (guint r = 0; r < ranges->len; r++) {
			ImapRange range = g_array_index(ranges, ImapRange, r);
			uint32_t last = 0;

			for (guint i = 0; i < server->len; i++) {
				uint32_t uid = g_array_index(server, uint32_t, i);

				if (uid < range.low || uid > range.high)
					continue;
				compare_take_found(compare, (ImapRange){ uid, uid });
				cost->listed++;
				cost->bytes += esearch && last && uid == last + 1 ? 0 : 7;
				last = uid;
			}
		}
		if (!compare_go_on(compare))
			return false;
	}
	return true;
}

/* Differences between the sets, the slow way. */
static void
check(const Compare *compare, const GArray *server, const uint32_t *mine, size_t n, uint32_t from,
      uint32_t end)
{
	g_autoptr(GHashTable) theirs = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) ours = g_hash_table_new(NULL, NULL);
	const GArray *gone = compare_gone(compare), *missing = compare_missing(compare);
	uint64_t found_missing = 0, are_missing = 0;
	guint at = 0;

	for (guint i = 0; i < server->len; i++)
		g_hash_table_add(theirs, GUINT_TO_POINTER(g_array_index(server, uint32_t, i)));
	for (size_t i = 0; i < n; i++) {
		g_hash_table_add(ours, GUINT_TO_POINTER(mine[i]));
		if (!g_hash_table_contains(theirs, GUINT_TO_POINTER(mine[i]))) {
			assert_in_range(at, 0, gone->len - 1);
			assert_int_equal(g_array_index(gone, uint32_t, at), mine[i]);
			at++;
		}
	}
	assert_int_equal(at, gone->len);
	for (guint i = 0; i < server->len; i++) {
		uint32_t uid = g_array_index(server, uint32_t, i);

		are_missing +=
		    uid >= from && uid < end && !g_hash_table_contains(ours, GUINT_TO_POINTER(uid));
	}
	for (guint i = 0; i < missing->len; i++) {
		ImapRange range = g_array_index(missing, ImapRange, i);

		for (uint32_t uid = range.low; uid <= range.high; uid++) {
			assert_true(g_hash_table_contains(theirs, GUINT_TO_POINTER(uid)));
			assert_false(g_hash_table_contains(ours, GUINT_TO_POINTER(uid)));
			found_missing++;
		}
	}
	assert_int_equal(found_missing, are_missing);
}

typedef struct Case {
	unsigned size, stride; /* messages, a UID each 1..STRIDE */
	unsigned known;	       /* the newest so many are ours; 0: all */
	unsigned gone, gone_run, missing, above;
	bool esearch;
} Case;

static Cost
run(GRand *rand, const Case *one)
{
	g_autoptr(GArray) server = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) mine = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree char *fate = g_new0(char, one->size);
	g_autoptr(Compare) compare = NULL;
	CompareSides sides = { .from = 1, .esearch = one->esearch };
	unsigned first = one->known ? one->size - one->known : 0;
	uint32_t uid = 0;
	Cost cost;

	for (unsigned i = 0; i < one->gone; i++)
		for (unsigned
			 at = (unsigned)g_rand_int_range(rand, (gint32)first, (gint32)one->size),
			 j = 0;
		     j < MAX(one->gone_run, 1) && at < one->size; j++)
			fate[at++] = 'g';
	for (unsigned i = 0; i < one->missing; i++)
		fate[g_rand_int_range(rand, (gint32)first, (gint32)one->size)] = 'm';
	for (unsigned i = 0; i < one->size + one->above; i++) {
		uid +=
		    one->stride > 1 ? (uint32_t)g_rand_int_range(rand, 1, (gint32)one->stride) : 1;
		if (i == one->size)
			sides.end = uid;
		if (i == first && first)
			sides.from = uid;
		if (i >= one->size || fate[i] != 'g')
			g_array_append_val(server, uid);
		if (i < one->size && i >= first && fate[i] != 'm')
			g_array_append_val(mine, uid);
	}
	if (!sides.end)
		sides.end = uid + 1;
	sides.exists = server->len;
	sides.n = mine->len;
	sides.uids = g_memdup2(mine->data, mine->len * sizeof(uint32_t));
	compare = compare_new(&sides);
	assert_true(play(compare, server, one->esearch, &cost));
	check(compare, server, (uint32_t *)(void *)mine->data, mine->len, sides.from, sides.end);
	return cost;
}

static void
whatever_is_gone_is_found(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(20240605);

	for (unsigned i = 0; i < 4000; i++) {
		unsigned size = (unsigned)g_rand_int_range(rand, 0, i % 10 ? 60 : 3000);
		Case one = { .size = size,
			     .stride = (unsigned)g_rand_int_range(rand, 1, 6),
			     .known = size && i % 3 == 0
					  ? (unsigned)g_rand_int_range(rand, 1, (gint32)size + 1)
					  : 0,
			     .gone = size
					 ? (unsigned)g_rand_int_range(rand, 0, (gint32)size / 3 + 2)
					 : 0,
			     .gone_run = (unsigned)g_rand_int_range(rand, 1, 9),
			     .above = i % 5 == 0 ? (unsigned)g_rand_int_range(rand, 0, 9) : 0,
			     .esearch = i & 1 };

		run(rand, &one);
	}
}

/* As many gone as missing in one part is not seen by counting: then there is only missing here. */
static void
whatever_is_missing_is_found(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);

	for (unsigned i = 0; i < 2000; i++) {
		unsigned size = (unsigned)g_rand_int_range(rand, 1, i % 10 ? 60 : 3000);
		Case one = { .size = size,
			     .stride = (unsigned)g_rand_int_range(rand, 1, 6),
			     .known = i % 3 == 0
					  ? (unsigned)g_rand_int_range(rand, 1, (gint32)size + 1)
					  : 0,
			     .missing = (unsigned)g_rand_int_range(rand, 0, (gint32)size / 3 + 2),
			     .esearch = i & 1 };

		run(rand, &one);
	}
}

static void
cost_grows_with_what_differs(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(3);
	static const struct {
		const char *what;
		Case one;
		unsigned rounds;
		uint64_t bytes;
	} rows[] = {
		{ "dense, listed in runs", { 100000, 1, 0, 100, 1, 0, 0, true }, 1, 1000 },
		{ "one run gone", { 100000, 1, 0, 1, 20000, 0, 0, true }, 1, 100 },
		{ "sparse, 100 gone", { 100000, 9, 0, 100, 1, 0, 0, true }, 5, 60000 },
		{ "sparse, 100 gone, no ESEARCH", { 100000, 9, 0, 100, 1, 0, 0, false }, 5, 60000 },
		{ "sparse, one gone", { 100000, 9, 0, 1, 1, 0, 0, true }, 5, 4000 },
		{ "sparse, one run gone", { 100000, 9, 0, 1, 20000, 0, 0, true }, 5, 6000 },
		{ "sparse, few mirrored, none gone",
		  { 100000, 9, 500, 0, 1, 0, 0, false },
		  1,
		  4000 },
		{ "few mirrored, none gone", { 100000, 9, 50000, 0, 1, 0, 0, false }, 1, 100 },
		{ "few mirrored, one gone", { 100000, 9, 50000, 1, 1, 0, 0, false }, 7, 9000 },
		{ "new ones above", { 100000, 9, 0, 1, 1, 0, 40, false }, 6, 6000 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		Cost cost = run(rand, &rows[i].one);

		print_message("%s: %u rounds, %" G_GUINT64_FORMAT " numbers, %" G_GUINT64_FORMAT
			      " listed, %" G_GUINT64_FORMAT " bytes\n",
			      rows[i].what, cost.rounds, cost.numbers, cost.listed, cost.bytes);
		assert_in_range(cost.rounds, 0, rows[i].rounds);
		assert_in_range(cost.bytes, 0, rows[i].bytes);
	}
}

static void
nonsense_ends(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);

	for (unsigned i = 0; i < 500; i++) {
		CompareSides sides = { .uids = g_new(uint32_t, 1000),
				       .n = 1000,
				       .from = 1,
				       .end = 5000,
				       .exists = (uint32_t)g_rand_int_range(rand, 0, 5000),
				       .esearch = i & 1 };
		g_autoptr(Compare) compare = NULL;
		const GArray *numbers, *ranges;
		unsigned rounds = 0;

		for (uint32_t j = 0; j < 1000; j++)
			sides.uids[j] = j * 4 + 1;
		compare = compare_new(&sides);
		while (compare_ask(compare, &numbers, &ranges)) {
			for (guint j = 0; j < numbers->len && i % 7; j++)
				compare_take_number(compare,
						    g_array_index(numbers, ImapUid, j).value,
						    (uint32_t)g_rand_int_range(rand, 0, 6000));
			compare_take_found(compare,
					   (ImapRange){ g_rand_int(rand), g_rand_int(rand) });
			rounds++;
			if (!compare_go_on(compare))
				break;
		}
		assert_in_range(rounds, 0, 64);
		assert_in_range(compare_gone(compare)->len, 0, 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_gone_is_found),
		cmocka_unit_test(whatever_is_missing_is_found),
		cmocka_unit_test(cost_grows_with_what_differs),
		cmocka_unit_test(nonsense_ends),
	};

	return cmocka_run_group_tests_name("/engine/compare", tests, NULL, NULL);
}
