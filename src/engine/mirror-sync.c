/* What is asked for: the window the person looks at, what is new, what changed, what is gone.  What is new
 * and what changed goes out together; what QRESYNC told with SELECT is not asked for again. */
#include "mirror-private.h"

#include "base/safetext.h"

#define WINDOW_MAX_ROWS 200
#define NEWS_MAX	5 /* times new mail is asked for, before the rest is looked at */

void
mirror_resume(Mirror *mirror)
{
	mirror_continue_sync(mirror);
	line_pump_later(mirror->line);
}

/* ---- the window ------------------------------------------------------------------------------------ */

void
mirror_failed(Mirror *mirror, const ImapResponse *response, const char *what)
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
void
mirror_learn_top(Mirror *mirror)
{
	mirror->top_known = mirror->seen_seq != 0;
	mirror->top_seq = mirror->seen_seq;
	seqmap_clear(&mirror->map);
	if (!mirror->top_known && mirror->new_exists)
		mirror->doubt = true;
}

void
mirror_reset_seen(Mirror *mirror)
{
	mirror->seen_min = mirror->seen_max = mirror->seen_seq = mirror->rows_seen = 0;
}

static void
on_window(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };
	uint32_t uidnext;

	if (mirror_is_unanswered(mirror, outcome))
		return;
	mirror->pending--;
	/* NO, and rows: one of them is broken on the server; it is a hole, and looked for below. */
	if (outcome == IMAP_OUTCOME_BAD || (outcome == IMAP_OUTCOME_NO && !mirror->rows_seen)) {
		mirror_failed(mirror, response, _("read the newest messages"));
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
	mirror_learn_top(mirror);
	mirror->flags_done = mirror->checked = mirror->new_done = true;
	mirror_flags_seen(mirror);
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
	mirror_reset_seen(mirror);
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
	mirror_flags_seen(mirror);
	mirror_write(mirror, &progress);
}

/* ---- what is new -------------------------------------------------------------------------------------- */

static void
on_new(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };

	if (mirror_is_unanswered(mirror, outcome))
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
		mirror_learn_top(mirror);
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
	mirror_reset_seen(mirror);
	mirror->grew = false;
	mirror->news += !mirror->current;
	mirror->new_base = mirror->new_exists;
	mirror->new_exists = mirror->exists;
	mirror->pending++;
	mirror_send(mirror, command, on_new, mirror);
}

/* A message whose UID was told when we moved or copied it there (COPYUID) counts among those that are
 * here, and nobody has seen yet what the server made of it. */
static bool
has_unseen(const Mirror *mirror)
{
	uint32_t mirrored = mirror->box->mirrored_uidnext;
	g_autofree uint32_t *uids = NULL;
	size_t n;

	if (mirror->uidnext && mirror->uidnext <= mirrored)
		return false;
	return !store_message_uids(mirror->account->engine->store, mirror->box->id, &uids, &n,
				   NULL) ||
	       (n && uids[n - 1] >= mirrored);
}

/* The server said all that went, and as many are here as it has: none of them is new. */
static bool
has_nothing_new(const Mirror *mirror)
{
	return mirror->told && !mirror->grew && !mirror->doubt && !mirror->distrusts &&
	       mirror->box->known_from_uid == 1 &&
	       mirror->exists == mirror_kept(mirror) + mirror->hopeless->len && !has_unseen(mirror);
}

static bool
wants_new(const Mirror *mirror)
{
	/* A mailbox may grow faster than it is read: what is here gets its turn. */
	if (!mirror->current && mirror->news >= NEWS_MAX)
		return false;
	if (mirror->new_done)
		return mirror->exists > mirror->new_exists;
	if (has_nothing_new(mirror))
		return false;
	return mirror->grew || !mirror->uidnext || mirror->uidnext > mirror->box->mirrored_uidnext;
}

/* ---- what changed --------------------------------------------------------------------------------------- */

static void
on_changed(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	MirrorProgress progress = { 0 };

	if (mirror_is_unanswered(mirror, outcome))
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

/* How many there are up to the newest that is mirrored, at the server. */
static uint32_t
top_number(const Mirror *mirror)
{
	return mirror->top_known ? mirror->top_seq : mirror->new_exists;
}

/* When everything is here, the count tells; when the rest is not, and the server did not tell, a look at
 * the numbers where what is here begins. */
static bool
must_compare(Mirror *mirror)
{
	bool whole = mirror->box->known_from_uid == 1;

	if (mirror->distrusts)
		return false;
	if (mirror->doubt)
		return true;
	if (mirror->checked)
		return false;
	mirror->checked = true;
	if (whole)
		return mirror_kept(mirror) + mirror->hopeless->len != top_number(mirror);
	return !mirror->told;
}

/* At once, before anything is asked for: so much less that it is not believed. */
static bool
is_decimated(Mirror *mirror)
{
	uint32_t kept = mirror_kept(mirror);

	if (mirror->current || mirror->distrusts || mirror->box->known_from_uid != 1 ||
	    mirror->exists >= kept || mirror_may_lose(mirror, kept - mirror->exists))
		return false;
	mirror_distrust(mirror, mirror->exists);
	return true;
}

/* ---- one after the other ------------------------------------------------------------------------------------ */

static void
become_current(Mirror *mirror)
{
	if (!mirror->top_known && !mirror->distrusts) {
		mirror->top_seq = mirror->new_exists;
		mirror->top_known = true;
		seqmap_clear(&mirror->map);
	}
	if (mirror->current)
		return;
	mirror->current = true;
	mirror->fill_next = mirror->box->known_from_uid - 1;
	if (!mirror->distrusts)
		mirror_trust(mirror);
	if (!mirror->flags_next && mirror->box->mirrored_uidnext > 1 &&
	    mirror_flags_are_old(mirror))
		mirror->flags_next = mirror->box->mirrored_uidnext - 1;
}

/* Nothing is under way: what was heard of is what there is (RFC 7162, 6). */
static bool
note_modseq(Mirror *mirror)
{
	ImapSession *session = connection_session(mirror->line->connection);
	MirrorProgress progress = { .mirrored_modseq = MAX(mirror->modseq, mirror->seen_modseq) };

	if (!mirror_has_condstore(mirror) || !mirror->box->mirrored_modseq || mirror->distrusts ||
	    mirror->flags_next || mirror->n_slices ||
	    progress.mirrored_modseq <= mirror->box->mirrored_modseq ||
	    imap_session_in_flight(session) || imap_session_waiting(session))
		return true;
	return mirror_write(mirror, &progress);
}

/* True: asked for something that has to come first. */
static bool
ask_for_changes(Mirror *mirror)
{
	if (wants_new(mirror))
		send_new(mirror);
	if (!mirror->flags_done)
		send_changed(mirror);
	if (mirror->pending)
		return true;
	if (!mirror->new_done) {
		mirror->new_done = true;
		mirror->new_exists = mirror->exists;
		/* What came and went meanwhile had numbers, too. */
		if (has_nothing_new(mirror) && mirror->uidnext > mirror->box->mirrored_uidnext)
			mirror_write(mirror,
				     &(MirrorProgress){ .mirrored_uidnext = mirror->uidnext });
	}
	return false;
}

void
mirror_continue_sync(Mirror *mirror)
{
	if (mirror->retired || !mirror->ready || mirror->early || mirror->pending ||
	    mirror->stuck || !mirror_apply(mirror))
		return;
	/* Only a message or its parts were asked for so far. */
	if (!mirror->wanted)
		return;
	is_decimated(mirror);
	if (!mirror->box->known_from_uid) {
		if (mirror->exists) {
			send_window(mirror);
			return;
		}
		settle_empty(mirror);
	}
	if (ask_for_changes(mirror))
		return;
	if (must_compare(mirror)) {
		mirror_compare(mirror);
		return;
	}
	if (mirror->suspects->len && !mirror->n_slices) {
		mirror_ask_suspects(mirror);
		return;
	}
	become_current(mirror);
	note_modseq(mirror);
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

	if (mirror_is_unanswered(mirror, outcome))
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
