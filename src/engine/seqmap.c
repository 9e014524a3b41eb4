#include "seqmap-private.h"

void
seqmap_clear(SeqMap *map)
{
	g_clear_pointer(&map->uids, g_array_unref);
}

bool
seqmap_is_loaded(const SeqMap *map)
{
	return map->uids != NULL;
}

void
seqmap_load(SeqMap *map, uint32_t *take_uids, size_t n, uint32_t from_uid, uint32_t top_seq)
{
	size_t first = 0;

	while (first < n && take_uids[first] < from_uid)
		first++;
	seqmap_clear(map);
	map->uids = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), (guint)(n - first));
	g_array_append_vals(map->uids, take_uids + first, (guint)(n - first));
	map->top_seq = top_seq;
	g_free(take_uids);
}

/* The index of SEQ, or -1. */
static int64_t
index_of(const SeqMap *map, uint32_t seq)
{
	int64_t index;

	if (!map->uids || !seq || seq > map->top_seq)
		return -1;
	index = (int64_t)map->uids->len - 1 - (int64_t)(map->top_seq - seq);
	return index < 0 ? -1 : index;
}

uint32_t
seqmap_uid(const SeqMap *map, uint32_t seq)
{
	int64_t index = index_of(map, seq);

	return index < 0 ? 0 : g_array_index(map->uids, uint32_t, index);
}

uint32_t
seqmap_expunge(SeqMap *map, uint32_t seq)
{
	int64_t index = index_of(map, seq);
	uint32_t uid = 0;

	if (index >= 0) {
		uid = g_array_index(map->uids, uint32_t, index);
		g_array_remove_index(map->uids, (guint)index);
	}
	if (map->uids && seq && seq <= map->top_seq)
		map->top_seq--;
	return uid;
}

void
seqmap_remove(SeqMap *map, const uint32_t *uids, size_t n, uint32_t below)
{
	guint kept = 0;

	if (!map->uids)
		return;
	for (guint i = 0; i < map->uids->len; i++) {
		uint32_t uid = g_array_index(map->uids, uint32_t, i);

		for (; n && *uids < uid; uids++)
			n--;
		if (!n || *uids != uid)
			g_array_index(map->uids, uint32_t, kept++) = uid;
	}
	below += map->uids->len - kept;
	map->top_seq -= MIN(map->top_seq, below);
	g_array_set_size(map->uids, kept);
}

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t x = ((const ImapRange *)a)->low, y = ((const ImapRange *)b)->low;

	return x < y ? -1 : x > y;
}

static void
add_missing(GArray *missing, uint64_t low, uint64_t high)
{
	ImapRange range = { (uint32_t)low, (uint32_t)high };

	if (low <= high)
		g_array_append_val(missing, range);
}

void
seqmap_compare(const GArray *server, const uint32_t *mine, size_t n_mine, GArray *gone,
	       GArray *missing)
{
	g_autoptr(GArray) sorted = g_array_copy((GArray *)server);
	size_t at = 0;
	uint64_t next = 0; /* the first UID of the server's not looked at yet, within a range */

	g_array_sort(sorted, compare_ranges);
	for (guint i = 0; i < sorted->len; i++) {
		const ImapRange *range = &g_array_index(sorted, ImapRange, i);

		next = MAX(next, range->low);
		for (; at < n_mine && mine[at] < range->low; at++)
			g_array_append_val(gone, mine[at]);
		for (; at < n_mine && mine[at] <= range->high; at++) {
			add_missing(missing, next, (uint64_t)mine[at] - 1);
			next = (uint64_t)mine[at] + 1;
		}
		add_missing(missing, next, range->high);
		next = MAX(next, (uint64_t)range->high + 1);
	}
	for (; at < n_mine; at++)
		g_array_append_val(gone, mine[at]);
}
