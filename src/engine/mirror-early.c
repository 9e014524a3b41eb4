/* What leaves behind SELECT, before its answer: what is new, and where the server has CONDSTORE and not
 * QRESYNC, what changed.  Most often one of them is asked for anyway, a round trip later.
 *
 * It is a guess that the UIDs still mean the same.  What SELECT says then decides: when it was wrong, what
 * comes is passed over, and everything is asked for as if nothing had been.  New ones are asked for by
 * a range that ends somewhere: with "*" the newest message would come each time (RFC 9051, 9,
 * "seq-range"), and a mailbox that grew by thousands is nothing to have in one piece. */
#include "mirror-private.h"

#define NEW_UIDS 200

struct MirrorEarly {
	Mirror *mirror; /* NULL: it does not care any more */
	unsigned pending;
	bool stands; /* SELECT said that the UIDs are those that were meant */
	bool strays; /* ... or of other messages */
	uint32_t uidvalidity, low, high;
	uint64_t modseq;
};

static bool
changes_are_right(const Mirror *mirror, const MirrorEarly *early)
{
	return early->stands && mirror_has_condstore(mirror) &&
	       mirror->box->mirrored_modseq == early->modseq;
}

/* EARLY's command was answered; false: nobody waits for it. */
static bool
is_wanted(MirrorEarly *early, ImapOutcome outcome)
{
	early->pending--;
	return early->mirror && !early->mirror->retired && outcome != IMAP_OUTCOME_CLOSED;
}

static void
end(MirrorEarly *early)
{
	Mirror *mirror = early->mirror;

	if (early->pending)
		return;
	g_free(early);
	if (!mirror)
		return;
	mirror->early = NULL;
	mirror_resume(mirror);
}

static void
on_early_changes(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	MirrorEarly *early = data;
	Mirror *mirror = early->mirror;

	if (is_wanted(early, outcome) && outcome == IMAP_OUTCOME_OK &&
	    changes_are_right(mirror, early)) {
		mirror->flags_done = true;
		mirror_write(mirror, &(MirrorProgress){ .mirrored_modseq = mirror->modseq });
	}
	end(early);
}

/* Refused, it is asked for again, for itself. */
static void
on_early_new(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	MirrorEarly *early = data;
	Mirror *mirror = early->mirror;
	MirrorProgress progress = { 0 };

	if (is_wanted(early, outcome) && outcome == IMAP_OUTCOME_OK && early->stands) {
		mirror->new_done = mirror->uidnext && mirror->uidnext <= early->high + 1;
		if (mirror->rows_seen)
			mirror_learn_top(mirror);
		progress.mirrored_uidnext =
		    MIN(MAX(mirror->seen_max + 1, mirror->uidnext), early->high + 1);
		if (progress.mirrored_uidnext > mirror->box->mirrored_uidnext)
			mirror_write(mirror, &progress);
	}
	end(early);
}

static void
send(MirrorEarly *early, ImapCommand *command, ImapDone done)
{
	/* When the SELECT cannot leave it waits behind it. */
	if (connection_send(early->mirror->line->connection, command, IMAP_RIDE, done, early))
		early->pending++;
}

void
mirror_send_early(Mirror *mirror)
{
	const StoreMailbox *box = mirror->box;
	MirrorEarly *early;
	ImapCommand *command;

	if (mirror->way == MIRROR_PLAIN || mirror->retired || !box || !box->uidvalidity ||
	    !box->known_from_uid || box->mirrored_uidnext <= box->known_from_uid ||
	    !box->mirrored_modseq || box->mirrored_uidnext > UINT32_MAX - NEW_UIDS)
		return;
	early = mirror->early = g_new0(MirrorEarly, 1);
	early->mirror = mirror;
	early->uidvalidity = box->uidvalidity;
	early->modseq = box->mirrored_modseq;
	early->low = box->mirrored_uidnext;
	early->high = early->low + NEW_UIDS - 1;
	if (mirror->way == MIRROR_CONDSTORE) {
		command = imap_command_new("UID FETCH");
		imap_command_range(command, box->known_from_uid, early->low - 1);
		imap_command_text(command, "(UID FLAGS) (CHANGEDSINCE %" G_GUINT64_FORMAT ")",
				  early->modseq);
		send(early, command, on_early_changes);
	}
	command = imap_command_new("UID FETCH");
	imap_command_range(command, early->low, early->high);
	imap_command_text(command, "%s", RECORD_ITEMS_MODSEQ);
	send(early, command, on_early_new);
	if (!early->pending)
		mirror_drop_early(mirror);
}

void
mirror_drop_early(Mirror *mirror)
{
	MirrorEarly *early = mirror->early;

	mirror->early = NULL;
	if (!early)
		return;
	early->mirror = NULL;
	if (!early->pending)
		g_free(early);
}

void
mirror_judge_early(Mirror *mirror)
{
	MirrorEarly *early = mirror->early;
	const StoreMailbox *box = mirror->box;

	if (!early)
		return;
	early->strays = !box->known_from_uid || box->uidvalidity != early->uidvalidity ||
			mirror->uidvalidity != early->uidvalidity;
	early->stands = !early->strays && box->mirrored_uidnext == early->low;
	mirror->new_exists = mirror->exists;
	mirror_reset_seen(mirror);
}

bool
mirror_is_stray(const Mirror *mirror)
{
	return mirror->early && mirror->early->strays;
}
