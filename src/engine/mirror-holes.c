/* What should be here and is not.
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

	if (mirror_is_unanswered(mirror, outcome))
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

void
mirror_fetch_holes(Mirror *mirror, const GArray *missing)
{
	if (!missing->len || mirror->hole_rounds >= HOLE_ROUNDS)
		return;
	mirror->hole_rounds++;
	mirror->hole_stage = 0;
	mirror->top_known = false;
	take_holes(mirror, missing);
	mirror->holes_end = g_array_index(mirror->holes, uint32_t, mirror->holes->len - 1) + 1;
	send_holes(mirror);
}
