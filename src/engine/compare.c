#include "compare-private.h"

#include "seqmap-private.h"

#include <stdlib.h>

#define ROUNDS_MAX 64
/* Numbers asked for in one round: so many are aimed at, and no more than so many. */
#define NUMBERS_AIM 400
#define NUMBERS_MAX 2000
#define SPREAD_MIN                                                                                 \
	3 /* numbers that divide a part, so many that three rounds do for one difference */
#define SPREAD_MAX 31
#define SHORT_PART 8 /* all of its numbers are asked for */

/* About what they take on the line. */
#define ANSWER_BYTES 28 /* "* 12345 FETCH (UID 123456)" */
#define UID_BYTES    7
#define RUN_BYTES    12
#define LIST_BYTES   4096 /* what may always be listed */
#define LIST_RUNS    64

typedef struct Part {
	uint32_t server, server_end; /* its sequence numbers, half open */
	size_t mine, mine_end;	     /* of ours, half open */
	uint32_t low, high;	     /* its UIDs */
	bool open_low;		     /* numbers at its start may be of UIDs below FROM */
	bool open_high;		     /* numbers at its end may be of UIDs from END on */
	bool listed;		     /* is being asked for as a range of UIDs */
	guint first, n;		     /* its numbers among those being asked for */
} Part;

typedef struct Answer {
	uint32_t seq, uid; /* 0: none yet */
} Answer;

struct Compare {
	CompareSides sides;
	GArray *parts;	 /* of Part: still to be told apart */
	GArray *answers; /* of Answer, ascending */
	GArray *numbers; /* of ImapUid: the same, as asked for */
	GArray *ranges;	 /* of ImapRange */
	GArray *found;	 /* of ImapRange */
	GArray *gone, *missing;
	unsigned rounds;
	bool failed;
};

static void
add_gone(Compare *compare, size_t mine, size_t mine_end)
{
	g_array_append_vals(compare->gone, compare->sides.uids + mine, (guint)(mine_end - mine));
}

/* What came of PART goes on as one of its own, unless it tells all. */
static void
add_part(Compare *compare, GArray *parts, const Part *part)
{
	uint32_t theirs = part->server_end - part->server;
	size_t ours = part->mine_end - part->mine;

	if (!theirs)
		add_gone(compare, part->mine, part->mine_end);
	else if (part->open_low || part->open_high || theirs != ours)
		g_array_append_vals(parts, part, 1);
}

Compare *
compare_new(const CompareSides *sides)
{
	Compare *compare = g_new0(Compare, 1);
	Part whole = { .server = 1,
		       .server_end = sides->exists + 1,
		       .mine_end = sides->n,
		       .low = sides->from,
		       .high = sides->end - 1,
		       .open_low = sides->from > 1,
		       .open_high = true };

	compare->sides = *sides;
	compare->parts = g_array_new(FALSE, FALSE, sizeof(Part));
	compare->answers = g_array_new(FALSE, FALSE, sizeof(Answer));
	compare->numbers = g_array_new(FALSE, FALSE, sizeof(ImapUid));
	compare->ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	compare->found = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	compare->gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	compare->missing = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	add_part(compare, compare->parts, &whole);
	return compare;
}

void
compare_free(Compare *compare)
{
	if (!compare)
		return;
	g_free(compare->sides.uids);
	g_array_unref(compare->parts);
	g_array_unref(compare->answers);
	g_array_unref(compare->numbers);
	g_array_unref(compare->ranges);
	g_array_unref(compare->found);
	g_array_unref(compare->gone);
	g_array_unref(compare->missing);
	g_free(compare);
}

/* ---- asking -------------------------------------------------------------------------------- */

static uint64_t
count_runs(const uint32_t *uids, size_t n)
{
	uint64_t runs = n > 0;

	for (size_t i = 1; i < n; i++)
		runs += uids[i] != uids[i - 1] + 1;
	return runs;
}

/* Whether the server's UIDs are told in fewer bytes by listing them than by dividing on. */
static bool
is_for_listing(const Compare *compare, const Part *part)
{
	uint64_t theirs = part->server_end - part->server, ours = part->mine_end - part->mine;
	uint64_t differ = MAX(ours > theirs ? ours - theirs : theirs - ours, 1);
	uint64_t depth = 2, listing = theirs * UID_BYTES;

	/* Below what is mirrored there may be any number. */
	if (part->open_low) {
		theirs = ours;
		differ = 1;
		listing = ours * UID_BYTES;
	}
	for (uint64_t left = theirs / MIN(differ, MAX(theirs, 1)); left > 1; left /= 2)
		depth++;
	if (compare->sides.esearch) {
		uint64_t runs = count_runs(compare->sides.uids + part->mine, ours);

		/* What is gone in one piece makes no run more. */
		if (runs <= LIST_RUNS + differ)
			listing = MIN(listing, (runs + differ) * RUN_BYTES);
		if (runs <= LIST_RUNS + differ && runs * RUN_BYTES <= LIST_BYTES)
			return true;
	}
	return listing <= LIST_BYTES && listing <= differ * depth * ANSWER_BYTES;
}

static int
compare_answers(const void *a, const void *b)
{
	uint32_t x = ((const Answer *)a)->seq, y = ((const Answer *)b)->seq;

	return x < y ? -1 : x > y;
}

static void
add_number(Compare *compare, const Part *part, uint64_t seq)
{
	Answer answer = { .seq = (uint32_t)seq };

	if (seq >= part->server && seq < part->server_end)
		g_array_append_val(compare->answers, answer);
}

static void
sort_numbers(Compare *compare, Part *part)
{
	Answer *answers = &g_array_index(compare->answers, Answer, part->first);
	guint n = compare->answers->len - part->first;

	qsort(answers, n, sizeof *answers, compare_answers);
	for (guint i = 0; i < n; i++)
		if (!i || answers[i].seq != answers[part->n - 1].seq)
			answers[part->n++] = answers[i];
	g_array_set_size(compare->answers, part->first + part->n);
}

/* N of PART's numbers, or all; and where it is open the two of which one is expected inside, one
 * outside. */
static void
spread_numbers(Compare *compare, Part *part, uint64_t n)
{
	uint64_t length = part->server_end - part->server;
	uint64_t ours = part->mine_end - part->mine;
	bool all = length <= MAX(n, SHORT_PART);

	part->first = compare->answers->len;
	part->n = 0;
	if (all)
		n = length;
	/* Likely it is all there is to ask. */
	else if (!compare->rounds && part->open_low)
		n = 0;
	for (uint64_t i = 0; i < n; i++)
		add_number(compare, part,
			   all ? part->server + i : part->server + (i + 1) * length / (n + 1));
	if (part->open_low && length > ours) {
		add_number(compare, part, part->server_end - ours - 1);
		add_number(compare, part, part->server_end - ours);
	}
	if (part->open_high)
		add_number(compare, part, part->server_end - 1);
	if (compare->answers->len > part->first)
		sort_numbers(compare, part);
}

bool
compare_ask(Compare *compare, const GArray **numbers, const GArray **ranges)
{
	uint64_t n;

	g_array_set_size(compare->answers, 0);
	g_array_set_size(compare->numbers, 0);
	g_array_set_size(compare->ranges, 0);
	g_array_set_size(compare->found, 0);
	if (!compare->parts->len || compare->failed)
		return false;
	n = CLAMP(NUMBERS_AIM / compare->parts->len, SPREAD_MIN, SPREAD_MAX);
	for (guint i = 0; i < compare->parts->len; i++) {
		Part *part = &g_array_index(compare->parts, Part, i);
		ImapRange range = { part->low, part->high };

		part->listed = is_for_listing(compare, part);
		part->n = 0;
		if (part->listed)
			g_array_append_val(compare->ranges, range);
		else if (compare->answers->len < NUMBERS_MAX)
			spread_numbers(compare, part, n);
	}
	for (guint i = 0; i < compare->answers->len; i++) {
		ImapUid seq = { g_array_index(compare->answers, Answer, i).seq };

		g_array_append_val(compare->numbers, seq);
	}
	*numbers = compare->numbers;
	*ranges = compare->ranges;
	return true;
}

/* ---- answers ------------------------------------------------------------------------------- */

void
compare_take_number(Compare *compare, uint32_t seq, uint32_t uid)
{
	Answer key = { .seq = seq };
	Answer *answer = compare->answers->len
			     ? bsearch(&key, compare->answers->data, compare->answers->len,
				       sizeof key, compare_answers)
			     : NULL;

	if (answer)
		answer->uid = uid;
}

void
compare_take_found(Compare *compare, ImapRange found)
{
	g_array_append_val(compare->found, found);
}

/* The first of ours from MINE on that is not below UID. */
static size_t
find_mine(const Compare *compare, size_t mine, size_t end, uint32_t uid)
{
	while (mine < end) {
		size_t middle = mine + (end - mine) / 2;

		if (compare->sides.uids[middle] < uid)
			mine = middle + 1;
		else
			end = middle;
	}
	return mine;
}

/* Cuts PART at each of its answers. */
static bool
divide(Compare *compare, GArray *parts, Part part)
{
	bool any = false;

	/* It was not its turn. */
	if (!part.n) {
		g_array_append_val(parts, part);
		return true;
	}

	for (guint i = part.first; i < part.first + part.n; i++) {
		const Answer *answer = &g_array_index(compare->answers, Answer, i);
		Part left = part;
		size_t at;

		if (!answer->uid)
			continue;
		any = true;
		if (part.open_low && answer->uid < compare->sides.from) {
			part.server = answer->seq + 1;
			continue;
		}
		if (part.open_high && answer->uid >= compare->sides.end) {
			part.server_end = answer->seq;
			break;
		}
		if (answer->uid < part.low || answer->uid > part.high)
			return false;
		at = find_mine(compare, part.mine, part.mine_end, answer->uid);
		left.server_end = answer->seq;
		left.mine_end = at;
		left.high = answer->uid - 1;
		left.open_high = false;
		add_part(compare, parts, &left);
		part.server = answer->seq + 1;
		part.mine = at;
		part.low = answer->uid + 1;
		part.open_low = false;
		if (at < part.mine_end && compare->sides.uids[at] == answer->uid) {
			part.mine++;
		} else {
			ImapRange one = { answer->uid, answer->uid };

			g_array_append_val(compare->missing, one);
		}
	}
	add_part(compare, parts, &part);
	return any;
}

static void
take_list(Compare *compare, const Part *part)
{
	g_autoptr(GArray) inside = g_array_new(FALSE, FALSE, sizeof(ImapRange));

	for (guint i = 0; i < compare->found->len; i++) {
		ImapRange range = g_array_index(compare->found, ImapRange, i);

		/* A search for a range of UIDs may bring the newest message, too, and some servers do
		 * not look at the range. */
		range.low = MAX(range.low, part->low);
		range.high = MIN(range.high, part->high);
		if (range.low <= range.high)
			g_array_append_val(inside, range);
	}
	seqmap_compare(inside, compare->sides.uids + part->mine, part->mine_end - part->mine,
		       compare->gone, compare->missing);
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t x = ((const ImapRange *)a)->low, y = ((const ImapRange *)b)->low;

	return x < y ? -1 : x > y;
}

bool
compare_go_on(Compare *compare)
{
	g_autoptr(GArray) before = g_steal_pointer(&compare->parts);

	compare->parts = g_array_new(FALSE, FALSE, sizeof(Part));
	for (guint i = 0; i < before->len && !compare->failed; i++) {
		const Part *part = &g_array_index(before, Part, i);

		if (part->listed)
			take_list(compare, part);
		else
			compare->failed = !divide(compare, compare->parts, *part);
	}
	if (++compare->rounds >= ROUNDS_MAX && compare->parts->len)
		compare->failed = true;
	g_array_sort(compare->gone, compare_uids);
	g_array_sort(compare->missing, compare_ranges);
	return !compare->failed;
}

const GArray *
compare_gone(const Compare *compare)
{
	return compare->gone;
}

const GArray *
compare_missing(const Compare *compare)
{
	return compare->missing;
}
