/* What nobody waits for: flags where the server cannot say which changed, and the messages that are not
 * here yet, newest first, in slices.
 *
 * Slices are ranges of UIDs, because a UID FETCH means the same whatever arrives or goes in the
 * meantime; how many messages such a range holds is learnt from the slices before it.  A slice is
 * sized so that it takes about SLICE_US of line time, and the next one leaves when no more than that,
 * or than a round trip brings, is still to come: the line is busy while rows are written down, and a
 * person's command waits for about two slices.
 *
 * A slice of flags also shows what is not there any more: a SEARCH for just those decides. */
#include "mirror-private.h"

#include "base/safetext.h"

#define SLICE_US       100000
#define SLICE_FIRST    64     /* messages, before anything is known of the line */
#define WAIT_MAX_US    400000 /* a longer round trip leaves the line idle in between */
#define SLICE_MIN_ROWS 8
#define PIECE_US       2000 /* what comes within so long comes at once */
#define SLICE_MAX_ROWS 4000 /* and no more, however fast: memory, and a cancelled fill */
#define FLAGS_FACTOR   8    /* flags alone are this much shorter than whole records, or more */

static uint32_t
scaled(uint32_t span, uint64_t times, uint64_t of)
{
	uint64_t n = (uint64_t)span * times / MAX(of, 1);

	return (uint32_t)CLAMP(n, 1, UINT32_MAX / 4);
}

void
mirror_time_row(Mirror *mirror)
{
	int64_t now = g_get_monotonic_time();

	if (!mirror->look_us) {
		int64_t wait_us = now - mirror->asked_us;

		mirror->look_us = now;
		mirror->wait_us = mirror->wait_us ? MIN(mirror->wait_us, wait_us) : wait_us;
	}
	if (mirror->look_rows || now - mirror->look_us >= PIECE_US)
		mirror->look_rows++;
}

/* How many rows a slice may have, now that SLICE is over.  Only what came after the first piece is
 * timed: that one waited for a round trip, and TLS hands out 16 KiB at once.  Of samples the highest
 * counts, as the lower ones may hold a time when nothing was asked for; a line that gets slower shows
 * within some slices. */
static uint32_t
learn_goal(Mirror *mirror, const Slice *slice)
{
	int64_t now = g_get_monotonic_time(), sample;
	unsigned factor = slice->kind == SLICE_FLAGS ? FLAGS_FACTOR : 1;
	uint32_t rows = MAX(slice->rows / factor, 1);

	if (mirror->look_rows * 4 < slice->rows) {
		/* All of it in one piece: too short to tell; or it ended together with another. */
		return mirror->looked ? 0 : MIN(rows * 2, SLICE_MAX_ROWS);
	}
	sample = mirror->look_rows * G_USEC_PER_SEC / (now - mirror->look_us) / factor;
	mirror->rate = MAX(sample, mirror->rate * 9 / 10);
	mirror->looked = true;
	mirror->look_us = now;
	mirror->look_rows = 0;
	/* At most four times what was seen to work. */
	return (uint32_t)CLAMP(MIN(mirror->rate * SLICE_US / G_USEC_PER_SEC, (int64_t)rows * 4),
			       SLICE_MIN_ROWS, SLICE_MAX_ROWS);
}

/* SLICE is over: how many UIDs next. */
static void
learn_span(Mirror *mirror, const Slice *slice)
{
	uint32_t asked = slice->high - slice->low + 1, goal;
	uint32_t factor = slice->kind == SLICE_FLAGS ? FLAGS_FACTOR : 1;

	if (!slice->rows) {
		mirror->span = scaled(MAX(mirror->span, asked / factor), 4, 1);
		return;
	}
	if (asked < scaled(mirror->span, factor, 1))
		return;
	goal = learn_goal(mirror, slice);
	if (!goal)
		return;
	mirror->goal = goal;
	mirror->span = scaled(asked, goal, slice->rows);
}

static void on_slice(void *data, ImapTicket ticket, ImapOutcome outcome,
		     const ImapResponse *response);

static void
send_slice(Mirror *mirror, SliceKind kind, uint32_t low, uint32_t high)
{
	ImapCommand *command = imap_command_new("UID FETCH");
	uint32_t goal = mirror->goal ? mirror->goal : SLICE_FIRST;
	Slice *slice;

	if (!mirror->n_slices) {
		mirror->looked = false;
		mirror->asked_us = g_get_monotonic_time();
		mirror->look_us = mirror->look_rows = 0;
	}
	slice = &mirror->slices[mirror->n_slices++];
	g_clear_pointer(&slice->came, g_array_unref);
	*slice = (Slice){
		.kind = kind,
		.low = low,
		.high = high,
		.expected = kind == SLICE_FLAGS ? goal * FLAGS_FACTOR : goal,
	};
	if (kind == SLICE_FLAGS)
		slice->came = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	imap_command_range(command, low, high);
	imap_command_text(command, "%s",
			  kind == SLICE_FLAGS ? "(UID FLAGS)" : mirror_items(mirror));
	slice->ticket = mirror_send(mirror, command, on_slice, mirror);
}

static void
tell_progress(Mirror *mirror)
{
	g_autofree char *doing = NULL;
	g_autofree char *name = NULL;

	if (mirror_is_complete(mirror))
		return;
	name = safe_line(mirror->box->name);
	doing = g_strdup_printf(_("reading %s"), name);
	line_status(mirror->line, doing, mirror->box->mirrored, mirror->exists);
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Those of ours in SLICE whose flags did not come. */
static void
suspect_silent(Mirror *mirror, Slice *slice)
{
	const GArray *ours = mirror_mapped(mirror);
	guint at = 0, next = 0;

	g_array_sort(slice->came, compare_uids);
	if (!ours || !slice->came->len)
		return;
	while (at < ours->len && g_array_index(ours, uint32_t, at) < slice->low)
		at++;
	for (; at < ours->len && g_array_index(ours, uint32_t, at) <= slice->high; at++) {
		uint32_t uid = g_array_index(ours, uint32_t, at);

		while (next < slice->came->len && g_array_index(slice->came, uint32_t, next) < uid)
			next++;
		if (next == slice->came->len || g_array_index(slice->came, uint32_t, next) != uid)
			g_array_append_val(mirror->suspects, uid);
	}
}

/* The last of the flags are here. */
static void
end_flags(Mirror *mirror, MirrorProgress *progress)
{
	if (mirror_has_condstore(mirror))
		progress->mirrored_modseq = mirror->modseq;
	mirror_flags_seen(mirror);
}

/* A server may end a later one first.  What is known reaches down to the lowest of those that are
 * over in a row: a line that breaks now leaves no hole. */
static void
take_ended(Mirror *mirror, MirrorProgress *progress)
{
	bool flags = false;

	while (mirror->n_slices && mirror->slices[0].ended) {
		const Slice *slice = &mirror->slices[0];

		if (slice->kind == SLICE_FULL)
			progress->known_from_uid = slice->low;
		else
			flags = true;
		g_clear_pointer(&mirror->slices[0].came, g_array_unref);
		mirror->n_slices--;
		memmove(mirror->slices, mirror->slices + 1,
			mirror->n_slices * sizeof *mirror->slices);
		mirror->slices[mirror->n_slices].came = NULL;
	}
	for (unsigned i = 0; i < mirror->n_slices; i++)
		flags &= mirror->slices[i].kind != SLICE_FLAGS;
	if (flags && !mirror->flags_next)
		end_flags(mirror, progress);
	/* All of it is here: does it come to what the server has? */
	if (progress->known_from_uid == 1)
		mirror->checked = false;
}

static void
on_slice(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };
	Slice *slice = mirror->slices;

	if (mirror_is_unanswered(mirror, outcome))
		return;
	while (slice->ticket != ticket) {
		slice++;
		g_assert(slice < mirror->slices + mirror->n_slices);
	}
	slice->ended = true;
	/* NO: some of these were expunged meanwhile, or one is broken on the server; what could be had
	 * came.  BAD: the server does not take what we ask. */
	if (outcome == IMAP_OUTCOME_BAD)
		mirror_failed(mirror, response, _("read the rest of the folder"));
	else
		learn_span(mirror, slice);
	if (outcome == IMAP_OUTCOME_OK && slice->kind == SLICE_FLAGS)
		suspect_silent(mirror, slice);
	take_ended(mirror, &progress);
	if (mirror->stuck || !mirror_write(mirror, &progress))
		return;
	tell_progress(mirror);
	line_pump_later(mirror->line);
}

static bool
may_send_slice(const Mirror *mirror)
{
	uint64_t to_come = 0, whole = 0;

	if (mirror->stuck || mirror->retired || mirror->n_slices >= MIRROR_SLICES)
		return false;
	for (unsigned i = 0; i < mirror->n_slices; i++) {
		const Slice *slice = &mirror->slices[i];

		whole = slice->expected;
		if (slice->ended)
			continue;
		to_come += slice->expected - MIN(slice->rows, slice->expected);
	}
	/* Before anything is known of the line, one at a time. */
	if (!mirror->n_slices || !mirror->goal)
		return !mirror->n_slices;
	/* What is on its way in a round trip keeps nobody waiting. */
	whole = whole * (uint64_t)CLAMP(mirror->wait_us, SLICE_US, WAIT_MAX_US) / SLICE_US;
	return to_come <= whole;
}

void
mirror_fill_on(Mirror *mirror)
{
	if (mirror->filling)
		mirror_fill(mirror);
}

void
mirror_hold(Mirror *mirror)
{
	mirror->filling = false;
}

void
mirror_fill(Mirror *mirror)
{
	uint32_t known_from = mirror->box->known_from_uid;

	if (!mirror->span)
		mirror->span = scaled(SLICE_FIRST, MAX(mirror->uidnext, 1), MAX(mirror->exists, 1));
	mirror->filling = true;
	while (may_send_slice(mirror)) {
		uint32_t low, high, span = mirror->span;

		if (mirror->flags_next && mirror->flags_next >= known_from) {
			span = scaled(span, FLAGS_FACTOR, 1);
			high = mirror->flags_next;
			low = high - MIN(span, high - known_from + 1) + 1;
			mirror->flags_next = low > known_from ? low - 1 : 0;
			send_slice(mirror, SLICE_FLAGS, low, high);
			continue;
		}
		mirror->flags_next = 0;
		if (!mirror->fill_next)
			break;
		high = mirror->fill_next;
		low = high - MIN(span, high) + 1;
		mirror->fill_next = low - 1;
		send_slice(mirror, SLICE_FULL, low, high);
	}
}
