/* VANISHED: what is gone, by UID.  While a mailbox is selected with QRESYNC enabled it comes in place of
 * EXPUNGE, and each UID named is one message less (RFC 7162, 3.2.10.2), so that EXISTS and every
 * sequence number stay known without asking. */
#include "mirror-private.h"

#define FEW 64 /* looked up one by one */

/* What a set of UIDs that are gone means here. */
typedef struct MirrorSet {
	GArray *here;	       /* of uint32_t, ascending: those that are here */
	uint32_t matched;      /* of those mirrored without a hole, so many are here or hopeless */
	uint32_t spurious;     /* ... and so many are not */
	uint32_t below, above; /* so many UIDs below and above that part */
	uint32_t seen;	       /* so many below the newest row seen */
	bool seen_gone;	       /* and that one, too */
} MirrorSet;

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t x = ((const ImapRange *)a)->low, y = ((const ImapRange *)b)->low;

	return x < y ? -1 : x > y;
}

/* Ascending, without overlaps. */
static GArray *
sorted_ranges(const ImapRanges *given)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	GArray *out = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	uint64_t next = 1;

	g_array_append_vals(all, given->at, (guint)given->count);
	g_array_sort(all, compare_ranges);
	for (guint i = 0; i < all->len; i++) {
		ImapRange range = g_array_index(all, ImapRange, i);

		if (range.high < next)
			continue;
		range.low = MAX(range.low, (uint32_t)next);
		next = (uint64_t)range.high + 1;
		g_array_append_val(out, range);
	}
	return out;
}

static uint64_t
count_between(const GArray *ranges, uint32_t low, uint64_t end)
{
	uint64_t count = 0;

	for (guint i = 0; i < ranges->len; i++) {
		ImapRange range = g_array_index(ranges, ImapRange, i);
		uint64_t from = MAX(range.low, low), to = MIN((uint64_t)range.high + 1, end);

		count += to > from ? to - from : 0;
	}
	return count;
}

static bool
is_in(const GArray *ranges, uint32_t uid)
{
	return count_between(ranges, uid, (uint64_t)uid + 1) > 0;
}

static void
find_few(Mirror *mirror, const GArray *ranges, GArray *here)
{
	for (guint i = 0; i < ranges->len; i++) {
		ImapRange range = g_array_index(ranges, ImapRange, i);

		for (uint64_t at = range.low; at <= range.high; at++) {
			g_autoptr(StoreRow) row = NULL;
			uint32_t uid = (uint32_t)at;

			if (store_row_by_uid(mirror->account->engine->store, mirror->box->id, uid,
					     &row, NULL))
				g_array_append_val(here, uid);
		}
	}
}

/* Only those here: a hostile range of four thousand million costs nothing. */
static void
find_many(Mirror *mirror, const GArray *ranges, GArray *here)
{
	g_autofree uint32_t *uids = NULL;
	size_t n;
	guint next = 0;

	if (!store_message_uids(mirror->account->engine->store, mirror->box->id, &uids, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++) {
		while (next < ranges->len && g_array_index(ranges, ImapRange, next).high < uids[i])
			next++;
		if (next < ranges->len && g_array_index(ranges, ImapRange, next).low <= uids[i])
			g_array_append_val(here, uids[i]);
	}
}

static void
find_here(Mirror *mirror, const GArray *ranges, GArray *here)
{
	if (count_between(ranges, 1, UINT64_MAX) <= FEW)
		find_few(mirror, ranges, here);
	else
		find_many(mirror, ranges, here);
}

static uint32_t
at_most(uint64_t n)
{
	return (uint32_t)MIN(n, UINT32_MAX / 4);
}

static void
understand(Mirror *mirror, const GArray *ranges, MirrorSet *set)
{
	uint32_t low = MAX(mirror->box->known_from_uid, 1);
	uint32_t end = MAX(mirror->box->mirrored_uidnext, low);
	uint64_t inside = count_between(ranges, low, end);

	for (guint i = 0; i < set->here->len; i++) {
		uint32_t uid = g_array_index(set->here, uint32_t, i);

		set->matched += uid >= low && uid < end;
	}
	for (guint i = 0; i < mirror->hopeless->len; i++) {
		uint32_t uid = g_array_index(mirror->hopeless, uint32_t, i);

		if (!is_in(ranges, uid))
			continue;
		set->matched += uid >= low && uid < end;
		g_array_remove_index_fast(mirror->hopeless, i--);
		seqmap_clear(&mirror->map);
	}
	set->spurious = at_most(inside - MIN(inside, set->matched));
	set->below = at_most(count_between(ranges, 1, low));
	set->above = at_most(count_between(ranges, end, UINT64_MAX));
	set->seen = at_most(count_between(ranges, 1, mirror->seen_max));
	set->seen_gone = mirror->seen_max && is_in(ranges, mirror->seen_max);
}

static void
take_set(Mirror *mirror, const MirrorSet *set)
{
	uint32_t below = set->matched + set->below;

	/* More than there are, or of one that is not here: nobody knows what went. */
	if (set->spurious || below + set->above > mirror->exists) {
		mirror->doubt |= !mirror->distrusts;
		mirror->top_known = false;
		seqmap_clear(&mirror->map);
	}
	mirror->exists -= MIN(mirror->exists, below + set->above);
	mirror->new_exists -= MIN(mirror->new_exists, below);
	mirror->new_exists = MIN(mirror->new_exists, mirror->exists);
	mirror->new_base -= MIN(mirror->new_base, below);
	mirror->new_base = MIN(mirror->new_base, mirror->exists);
	if (mirror->top_known)
		mirror->top_seq -= MIN(mirror->top_seq, below);
	if (set->spurious || set->seen_gone || set->seen > mirror->seen_seq)
		mirror->seen_seq = 0;
	else
		mirror->seen_seq -= set->seen;
	seqmap_remove(&mirror->map, (uint32_t *)(void *)set->here->data, set->here->len,
		      set->below);
}

/* One that went while SELECT was being answered, behind its EXISTS; before that it is of the mailbox
 * before. */
static void
take_early(Mirror *mirror, const GArray *ranges)
{
	uint64_t n = count_between(ranges, 1, UINT64_MAX);

	if (!mirror->counted)
		return;
	mirror->exists -= (uint32_t)MIN(n, mirror->exists);
	if (mirror->box && mirror->asked_uidvalidity)
		find_here(mirror, ranges, mirror->earlier);
	else
		mirror->doubt = true;
}

void
mirror_on_vanished(Mirror *mirror, const ImapResponse *response, bool early)
{
	g_autoptr(GArray) ranges = sorted_ranges(&response->ranges);
	g_autoptr(GArray) here = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	MirrorSet set = { .here = here };

	if (early && response->vanished_earlier && mirror->box) {
		find_here(mirror, ranges, mirror->earlier);
		return;
	}
	if (!mirror->ready) {
		take_early(mirror, ranges);
		return;
	}
	/* Nobody asked: it is looked at what there is. */
	if (response->vanished_earlier) {
		mirror->doubt |= !mirror->distrusts;
		return;
	}
	mirror_numbers_shifted(mirror);
	if (!mirror_apply(mirror))
		return;
	find_here(mirror, ranges, here);
	understand(mirror, ranges, &set);
	take_set(mirror, &set);
	g_array_append_vals(mirror->gone, here->data, here->len);
}
