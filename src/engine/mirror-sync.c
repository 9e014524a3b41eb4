/* What is asked for: the window the person looks at, what is new, what changed, what is gone, and
 * then the rest, newest first, in slices.
 *
 * Slices are ranges of UIDs, because a UID FETCH means the same whatever arrives or goes in the
 * meantime; how many messages such a range holds is learnt from the slices before it.  A slice is
 * sized so that it takes about SLICE_US of line time, and the next one leaves when no more than that,
 * or than a round trip brings, is still to come: the line is busy while rows are written down, and a
 * person's command waits for about two slices. */
#include "mirror-private.h"

#include "base/safetext.h"

#define WINDOW_MAX_ROWS 200
#define SLICE_US	100000
#define SLICE_FIRST	64     /* messages, before anything is known of the line */
#define WAIT_MAX_US	400000 /* a longer round trip leaves the line idle in between */
#define SLICE_MIN_ROWS	8
#define PIECE_US	2000 /* what comes within so long comes at once */
#define SLICE_MAX_ROWS	4000 /* and no more, however fast: memory, and a cancelled fill */
#define FLAGS_FACTOR	8    /* flags alone are this much shorter than whole records, or more */
#define NEWS_MAX	5    /* times new mail is asked for, before the rest is looked at */

void
mirror_resume(Mirror *mirror)
{
	mirror_continue_sync(mirror);
	line_pump_later(mirror->line);
}

/* ---- the window ------------------------------------------------------------------------------------ */

static void
sync_failed(Mirror *mirror, const ImapResponse *response, const char *what)
{
	g_autoptr(GError) error =
	    response ? account_refusal(response, POSTERN_ERROR_REFUSED, what)
		     : g_error_new(POSTERN_ERROR, POSTERN_ERROR_REFUSED, _("cannot %s"), what);

	mirror->stuck = true;
	engine_post_notice(mirror->account->engine, mirror->account->id, error->message);
	if (!mirror->error)
		mirror->error = g_steal_pointer(&error);
	line_pump_later(mirror->line);
}

/* The newest row that came says where the mirror ends in sequence numbers. */
static void
learn_top(Mirror *mirror)
{
	mirror->top_known = mirror->seen_seq != 0;
	mirror->top_seq = mirror->seen_seq;
	seqmap_clear(&mirror->map);
	if (!mirror->top_known && mirror->new_exists)
		mirror->doubt = true;
}

static void
reset_seen(Mirror *mirror)
{
	mirror->seen_min = mirror->seen_max = mirror->seen_seq = mirror->rows_seen = 0;
}

static void
on_window(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };
	uint32_t uidnext;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->pending--;
	/* NO, and rows: one of them is broken on the server; it is a hole, and looked for below. */
	if (outcome == IMAP_OUTCOME_CANCELLED || outcome == IMAP_OUTCOME_BAD ||
	    (outcome == IMAP_OUTCOME_NO && !mirror->rows_seen)) {
		sync_failed(mirror, response, _("read the newest messages"));
		return;
	}
	mirror->doubt |= mirror->rows_seen < MIN(mirror->wanted, mirror->new_exists);
	/* Nothing at or above the UIDNEXT of SELECT existed then; what came since is asked for next. */
	uidnext = MAX(mirror->seen_max + 1, mirror->uidnext);
	progress.mirrored_uidnext = MAX(uidnext, 1);
	progress.mirrored_modseq = mirror_has_condstore(mirror) ? mirror->modseq : 0;
	if (mirror->wanted >= mirror->new_exists)
		progress.known_from_uid = 1;
	else
		progress.known_from_uid = mirror->seen_min ? mirror->seen_min : uidnext;
	learn_top(mirror);
	mirror->flags_done = mirror->checked = mirror->new_done = true;
	if (mirror_write(mirror, &progress))
		mirror_resume(mirror);
}

/* By sequence number: no UID is known yet, and of sequence numbers the newest are known. */
static void
send_window(Mirror *mirror)
{
	ImapCommand *command = imap_command_new("FETCH");
	uint32_t rows;

	mirror->wanted = MIN(mirror->wanted, WINDOW_MAX_ROWS);
	rows = MIN(mirror->wanted, mirror->exists);
	imap_command_range(command, mirror->exists - rows + 1, mirror->exists);
	imap_command_text(command, "%s", mirror_items(mirror));
	reset_seen(mirror);
	mirror->new_exists = mirror->exists;
	mirror->pending++;
	mirror_send(mirror, command, on_window, mirror);
}

static void
settle_empty(Mirror *mirror)
{
	MirrorProgress progress = { .known_from_uid = 1,
				    .mirrored_uidnext = MAX(mirror->uidnext, 1) };

	if (mirror_has_condstore(mirror))
		progress.mirrored_modseq = mirror->modseq;
	mirror->flags_done = mirror->checked = mirror->new_done = true;
	mirror->new_exists = 0;
	mirror_write(mirror, &progress);
}

/* ---- what is new -------------------------------------------------------------------------------------- */

static void
on_new(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->pending--;
	mirror->new_done = true;
	progress.mirrored_uidnext = MAX(mirror->box->mirrored_uidnext, mirror->seen_max + 1);
	progress.mirrored_uidnext = MAX(progress.mirrored_uidnext, mirror->uidnext);
	/* What did not come, or was refused, is looked for by its UID. */
	if (outcome != IMAP_OUTCOME_OK ||
	    (mirror->current && mirror->rows_seen < mirror->new_exists - mirror->new_base))
		mirror->doubt = true;
	if (mirror->rows_seen)
		learn_top(mirror);
	mirror->checked &= mirror->box->known_from_uid != 1;
	if (mirror_write(mirror, &progress))
		mirror_resume(mirror);
}

static void
send_new(Mirror *mirror)
{
	ImapCommand *command = imap_command_new("UID FETCH");

	imap_command_range(command, MAX(mirror->box->mirrored_uidnext, 1), 0);
	imap_command_text(command, "%s", mirror_items(mirror));
	reset_seen(mirror);
	mirror->news += !mirror->current;
	mirror->new_base = mirror->new_exists;
	mirror->new_exists = mirror->exists;
	mirror->pending++;
	mirror_send(mirror, command, on_new, mirror);
}

static bool
wants_new(const Mirror *mirror)
{
	/* A mailbox may grow faster than it is read: what is here gets its turn. */
	if (!mirror->current && mirror->news >= NEWS_MAX)
		return false;
	if (mirror->new_done)
		return mirror->exists > mirror->new_exists;
	return !mirror->uidnext || mirror->uidnext > mirror->box->mirrored_uidnext;
}

/* ---- what changed --------------------------------------------------------------------------------------- */

static void
on_changed(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->pending--;
	mirror->flags_done = true;
	if (outcome != IMAP_OUTCOME_OK)
		mirror->flags_next = mirror->box->mirrored_uidnext - 1;
	else if (!mirror->flags_next)
		progress.mirrored_modseq = mirror->modseq;
	if (mirror_write(mirror, &progress))
		mirror_resume(mirror);
}

static void
send_flags(Mirror *mirror, uint32_t low, const char *items)
{
	ImapCommand *command = imap_command_new("UID FETCH");

	imap_command_range(command, low, mirror->box->mirrored_uidnext - 1);
	imap_command_text(command, "%s", items);
	mirror->pending++;
	mirror_send(mirror, command, on_changed, mirror);
}

/* Every flag: of the rows that the person looks at now, of the rest in slices, behind the fill. */
static void
send_window_flags(Mirror *mirror)
{
	g_autofree uint32_t *uids = NULL;
	size_t n;
	uint32_t low;

	if (!mirror_uids(mirror, 0, &uids, &n) || !n)
		return;
	low = uids[n - MIN(n, MIN(mirror->wanted, WINDOW_MAX_ROWS))];
	mirror->flags_done = false;
	mirror->flags_next = low > MAX(mirror->box->known_from_uid, 1) ? low - 1 : 0;
	send_flags(mirror, low, "(UID FLAGS)");
}

/* RFC 7162, 3.1.4.1, where MODSEQ can be believed. */
static void
send_changed(Mirror *mirror)
{
	const StoreMailbox *box = mirror->box;
	g_autofree char *items = NULL;

	mirror->flags_done = true;
	if (mirror_has_condstore(mirror) && box->mirrored_modseq == mirror->modseq)
		return;
	if (!mirror_has_condstore(mirror) || !box->mirrored_modseq ||
	    box->mirrored_modseq > mirror->modseq) {
		send_window_flags(mirror);
		return;
	}
	mirror->flags_done = false;
	items = g_strdup_printf("(UID FLAGS) (CHANGEDSINCE %" G_GUINT64_FORMAT ")",
				box->mirrored_modseq);
	send_flags(mirror, MAX(box->known_from_uid, 1), items);
}

/* ---- what is gone ----------------------------------------------------------------------------------------- */

static void
on_searched(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->pending--;
	mirror->searching = false;
	mirror->checked = true;
	mirror->doubt = false;
	if (outcome == IMAP_OUTCOME_OK && mirror->compare) {
		mirror_compare(mirror);
	} else if (outcome == IMAP_OUTCOME_OK && mirror->has_count) {
		g_autofree uint32_t *uids = NULL;
		size_t n;

		mirror->doubt =
		    mirror_uids(mirror, mirror->search_from, &uids, &n) && n != mirror->count;
	}
	mirror_resume(mirror);
}

static void
send_search(Mirror *mirror, bool compare)
{
	ImapCommand *command = imap_command_new("UID SEARCH");

	mirror->compare = compare;
	mirror->searching = true;
	mirror->has_count = false;
	g_array_set_size(mirror->found, 0);
	if (line_has(mirror->line, "ESEARCH"))
		imap_command_text(command, compare ? "RETURN (ALL)" : "RETURN (COUNT)");
	else
		mirror->compare = true;
	mirror->search_from = MAX(mirror->box->known_from_uid, 1);
	imap_command_text(command, "UID %u:*", mirror->search_from);
	mirror->pending++;
	mirror_send(mirror, command, on_searched, mirror);
}

/* When everything is here, the count tells; else the server counts the part that is. */
static bool
must_search(Mirror *mirror)
{
	if (mirror->doubt)
		return true;
	if (mirror->checked)
		return false;
	if (mirror->box->known_from_uid == 1) {
		mirror->checked = true;
		mirror->doubt = mirror->box->mirrored + mirror->hopeless->len != mirror->new_exists;
		return mirror->doubt;
	}
	return true;
}

/* ---- one after the other ------------------------------------------------------------------------------------ */

void
mirror_continue_sync(Mirror *mirror)
{
	if (mirror->retired || !mirror->ready || mirror->pending || mirror->stuck ||
	    !mirror_apply(mirror))
		return;
	/* Only a message or its parts were asked for so far. */
	if (!mirror->wanted)
		return;
	if (!mirror->box->known_from_uid) {
		if (mirror->exists) {
			send_window(mirror);
			return;
		}
		settle_empty(mirror);
	}
	if (wants_new(mirror)) {
		send_new(mirror);
		return;
	}
	if (!mirror->new_done) {
		mirror->new_done = true;
		mirror->new_exists = mirror->exists;
	}
	if (!mirror->flags_done) {
		send_changed(mirror);
		if (mirror->pending)
			return;
	}
	if (must_search(mirror)) {
		send_search(mirror, mirror->doubt);
		return;
	}
	if (!mirror->top_known) {
		mirror->top_seq = mirror->new_exists;
		mirror->top_known = true;
		seqmap_clear(&mirror->map);
	}
	if (!mirror->current) {
		mirror->current = true;
		mirror->fill_next = mirror->box->known_from_uid - 1;
	}
}

/* ---- a single message ------------------------------------------------------------------------------------------ */

typedef struct LoneFetch {
	Mirror *mirror;
	EngineRequest request;
	uint32_t uid;
} LoneFetch;

static void
on_lone(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	g_autofree LoneFetch *lone = data;
	Mirror *mirror = lone->mirror;
	g_autoptr(StoreRow) row = NULL;
	Job *job;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->lone--;
	mirror_apply(mirror);
	line_pump_later(mirror->line);
	job = account_find_job(mirror->account, lone->request);
	if (!job)
		return;
	job->pending--;
	if (outcome == IMAP_OUTCOME_NO || outcome == IMAP_OUTCOME_BAD)
		job->error =
		    account_refusal(response, POSTERN_ERROR_REFUSED, _("read the message"));
	else if (!store_row_by_uid(mirror->account->engine->store, mirror->box->id, lone->uid, &row,
				   NULL))
		job->error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_GONE,
					 _("there is no message %u in \"%s\""), lone->uid,
					 mirror->box->name);
	else
		job->message = row->id;
}

void
mirror_fetch_message(Mirror *mirror, Job *job)
{
	g_autoptr(StoreRow) row = NULL;
	ImapUid uid = { job->uid };
	ImapCommand *command;
	LoneFetch *lone;

	job->started = true;
	if (store_row_by_uid(mirror->account->engine->store, mirror->box->id, job->uid, &row,
			     NULL) &&
	    row->structure) {
		job->message = row->id;
		return;
	}
	lone = g_new0(LoneFetch, 1);
	lone->mirror = mirror;
	lone->request = job->request;
	lone->uid = job->uid;
	command = imap_command_new("UID FETCH");
	imap_command_uids(command, &uid, 1);
	imap_command_text(command, "%s", mirror_items(mirror));
	job->pending++;
	mirror->lone++;
	if (!mirror_send(mirror, command, on_lone, lone)) {
		job->pending--;
		mirror->lone--;
		g_free(lone);
	}
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

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

	if (mirror->look_rows * 4 < slice->rows) {
		/* All of it in one piece: too short to tell; or it ended together with another. */
		return mirror->looked ? 0 : MIN(slice->rows * 2, SLICE_MAX_ROWS);
	}
	sample = mirror->look_rows * G_USEC_PER_SEC / (now - mirror->look_us);
	mirror->rate = MAX(sample, mirror->rate * 9 / 10);
	mirror->looked = true;
	mirror->look_us = now;
	mirror->look_rows = 0;
	/* At most four times what was seen to work. */
	return (
	    uint32_t)CLAMP(MIN(mirror->rate * SLICE_US / G_USEC_PER_SEC, (int64_t)slice->rows * 4),
			   SLICE_MIN_ROWS, SLICE_MAX_ROWS);
}

/* SLICE is over: how many UIDs next. */
static void
learn_span(Mirror *mirror, const Slice *slice)
{
	uint32_t asked = slice->high - slice->low + 1, goal;

	if (!slice->rows) {
		mirror->span = scaled(MAX(mirror->span, asked), 4, 1);
		return;
	}
	if (slice->kind == SLICE_FLAGS || asked < mirror->span)
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
	*slice = (Slice){
		.kind = kind,
		.low = low,
		.high = high,
		.expected = kind == SLICE_FLAGS ? goal * FLAGS_FACTOR : goal,
	};
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
		mirror->n_slices--;
		memmove(mirror->slices, mirror->slices + 1,
			mirror->n_slices * sizeof *mirror->slices);
	}
	for (unsigned i = 0; i < mirror->n_slices; i++)
		flags &= mirror->slices[i].kind != SLICE_FLAGS;
	if (flags && !mirror->flags_next && mirror_has_condstore(mirror))
		progress->mirrored_modseq = mirror->modseq;
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

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	while (slice->ticket != ticket) {
		slice++;
		g_assert(slice < mirror->slices + mirror->n_slices);
	}
	slice->ended = true;
	/* NO: some of these were expunged meanwhile, or one is broken on the server; what could be had
	 * came.  BAD: the server does not take what we ask. */
	if (outcome == IMAP_OUTCOME_BAD)
		sync_failed(mirror, response, _("read the rest of the folder"));
	else
		learn_span(mirror, slice);
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
