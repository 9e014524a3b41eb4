/* Where the mirror and the server differ: what is gone here, and what should be here and is not.
 *
 * A message whose answer cannot be read (the session passes over a structure that a server cannot
 * put into words), or that a server leaves out, is a hole.  It is asked for again as before, then by
 * its header's fields, then by its flags and size alone: a message is listed as long as anything
 * can be had of it.  One of which nothing can be had is remembered for this line, so that it is
 * not asked for again and that sequence numbers are counted with it.  Every round ends with fewer
 * holes, there are at most HOLE_ROUNDS, and of a server that lies about what it has only
 * HOPELESS_MAX are remembered: it ends. */
#include "mirror-private.h"

#include <stdlib.h>

#define HOLES_AT_ONCE 1000
#define HOLE_ROUNDS   200
#define HOPELESS_MAX  10000

static const char *const hole_items[] = {
	NULL, /* mirror_items */
	RECORD_ITEMS_HEADER,
	RECORD_ITEMS_BARE,
};

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* ---- what the mirror holds to be there --------------------------------------------------------------- */

bool
mirror_uids(Mirror *mirror, uint32_t from, uint32_t **out, size_t *n)
{
	size_t all, kept = 0;
	uint32_t *uids;

	from = MAX(from, MAX(mirror->box->known_from_uid, 1));
	if (!store_message_uids(mirror->account->engine->store, mirror->box->id, &uids, &all, NULL))
		return false;
	/* One above was asked for by itself; its neighbours are not known. */
	for (size_t i = 0; i < all; i++)
		if (uids[i] >= from && uids[i] < mirror->box->mirrored_uidnext)
			uids[kept++] = uids[i];
	if (mirror->hopeless->len) {
		uids = g_renew(uint32_t, uids, kept + mirror->hopeless->len);
		for (guint i = 0; i < mirror->hopeless->len; i++) {
			uint32_t uid = g_array_index(mirror->hopeless, uint32_t, i);

			if (uid >= from && uid < mirror->box->mirrored_uidnext)
				uids[kept++] = uid;
		}
		qsort(uids, kept, sizeof *uids, compare_uids);
	}
	*out = uids;
	*n = kept;
	return true;
}

void
mirror_forget_hopeless(Mirror *mirror, uint32_t uid)
{
	for (guint i = 0; i < mirror->hopeless->len; i++)
		if (g_array_index(mirror->hopeless, uint32_t, i) == uid)
			g_array_remove_index_fast(mirror->hopeless, i--);
}

/* ---- asking again ---------------------------------------------------------------------------------------- */

bool
mirror_is_hole(const Mirror *mirror, uint32_t uid)
{
	return mirror->holes->len &&
	       bsearch(&uid, mirror->holes->data, mirror->holes->len, sizeof uid, compare_uids);
}

static void send_holes(Mirror *mirror);

/* Those that came are holes no more. */
static void
drop_filled(Mirror *mirror)
{
	guint left = 0;

	for (guint i = 0; i < mirror->holes->len; i++) {
		uint32_t uid = g_array_index(mirror->holes, uint32_t, i);
		g_autoptr(StoreRow) row = NULL;

		if (!store_row_by_uid(mirror->account->engine->store, mirror->box->id, uid, &row,
				      NULL))
			g_array_index(mirror->holes, uint32_t, left++) = uid;
	}
	g_array_set_size(mirror->holes, left);
}

static void
on_holes(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->pending--;
	progress.mirrored_uidnext = MAX(mirror->holes_end, mirror->box->mirrored_uidnext);
	if (!mirror_apply(mirror))
		return;
	drop_filled(mirror);
	if (mirror->holes->len && ++mirror->hole_stage < G_N_ELEMENTS(hole_items)) {
		send_holes(mirror);
		return;
	}
	if (mirror->hopeless->len + mirror->holes->len <= HOPELESS_MAX)
		g_array_append_vals(mirror->hopeless, mirror->holes->data, mirror->holes->len);
	else
		mirror->hole_rounds = HOLE_ROUNDS;
	log_event(mirror->account->engine->log, "mirror", "nothing can be had of %u messages",
		  mirror->holes->len);
	g_array_set_size(mirror->holes, 0);
	mirror->hole_stage = 0;
	/* Numbers are counted anew, and there may be more. */
	mirror->doubt = true;
	if (mirror_write(mirror, &progress))
		mirror_resume(mirror);
}

static void
send_holes(Mirror *mirror)
{
	g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapUid));
	const char *items = hole_items[mirror->hole_stage];
	ImapCommand *command = imap_command_new("UID FETCH");

	for (guint i = 0; i < mirror->holes->len; i++) {
		ImapUid uid = { g_array_index(mirror->holes, uint32_t, i) };

		g_array_append_val(uids, uid);
	}
	imap_command_uids(command, (const ImapUid *)(void *)uids->data, uids->len);
	imap_command_text(command, "%s", items ? items : mirror_items(mirror));
	mirror->pending++;
	mirror_send(mirror, command, on_holes, mirror);
}

static void
take_holes(Mirror *mirror, const GArray *missing)
{
	g_array_set_size(mirror->holes, 0);
	for (guint i = 0; i < missing->len; i++) {
		const ImapRange *range = &g_array_index(missing, ImapRange, i);

		for (uint64_t at = range->low; at <= range->high; at++) {
			uint32_t uid = (uint32_t)at;

			if (mirror->holes->len == HOLES_AT_ONCE)
				return;
			g_array_append_val(mirror->holes, uid);
		}
	}
}

/* ---- comparing --------------------------------------------------------------------------------------------- */

/* How many of the server's UIDs there are, and how many from FROM on. */
static uint64_t
count_from(const GArray *ranges, uint32_t from)
{
	uint64_t count = 0;

	for (guint i = 0; i < ranges->len; i++) {
		const ImapRange *range = &g_array_index(ranges, ImapRange, i);
		uint32_t low = MAX(range->low, from);

		if (low <= range->high)
			count += (uint64_t)range->high - low + 1;
	}
	return count;
}

/* What was asked about, and no more: a search for a range of UIDs brings the newest message too,
 * and some servers do not look at the range. */
static void
cut_below(GArray *ranges, uint32_t from)
{
	for (guint i = ranges->len; i > 0; i--) {
		ImapRange *range = &g_array_index(ranges, ImapRange, i - 1);

		if (range->high < from)
			g_array_remove_index_fast(ranges, i - 1);
		else
			range->low = MAX(range->low, from);
	}
}

bool
mirror_compare(Mirror *mirror)
{
	g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	g_autofree uint32_t *uids = NULL;
	uint64_t above = count_from(mirror->found, mirror->box->mirrored_uidnext);
	size_t n;

	mirror->top_known = false;
	/* More than there can be: a server that lies about it is not asked again. */
	if (count_from(mirror->found, 1) > mirror->exists) {
		log_event(mirror->account->engine->log, "mirror", "SEARCH found more than EXISTS");
		return false;
	}
	if (!mirror_apply(mirror) || !mirror_uids(mirror, mirror->search_from, &uids, &n))
		return false;
	cut_below(mirror->found, mirror->search_from);
	seqmap_compare(mirror->found, uids, n, mirror->gone, missing);
	log_event(mirror->account->engine->log, "mirror", "compared: %u gone, %u ranges missing",
		  mirror->gone->len, missing->len);
	for (guint i = 0; i < mirror->gone->len; i++)
		mirror_forget_hopeless(mirror, g_array_index(mirror->gone, uint32_t, i));
	/* What is above is asked for with the holes; the newest of those below has this number. */
	mirror->top_seq = mirror->new_exists = mirror->exists - (uint32_t)above;
	mirror->top_known = true;
	seqmap_clear(&mirror->map);
	if (missing->len && mirror->hole_rounds < HOLE_ROUNDS) {
		mirror->hole_rounds++;
		mirror->top_known = false;
		take_holes(mirror, missing);
		mirror->holes_end =
		    g_array_index(mirror->holes, uint32_t, mirror->holes->len - 1) + 1;
		mirror->hole_stage = 0;
		send_holes(mirror);
	}
	return mirror_apply(mirror);
}
