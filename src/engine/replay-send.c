/* What goes to the server for rows about messages: flags, moves, copies, expunges.
 *
 *	plan	what is still to be done, and in which mailbox first
 *	round	that mailbox selected: sent, answered, looked into where the answer does not say enough,
 *		and settled; then plan again, until nothing is left */
#include "replay-private.h"

#define ROUNDS_MAX 1000 /* mailboxes, and tries */

static int
by_uid(const void *a, const void *b)
{
	uint32_t x = ((const Target *)a)->uid, y = ((const Target *)b)->uid;

	return x < y ? -1 : x > y;
}

Target *
group_find_uid(Group *group, uint32_t uid)
{
	Target key = { .uid = uid };

	return group->targets->len ? bsearch(&key, group->targets->data, group->targets->len,
					     sizeof(Target), by_uid)
				   : NULL;
}

static bool
has_uidplus(const Group *group)
{
	return line_has(group->line, "UIDPLUS") || line_has(group->line, "IMAP4REV2");
}

static bool
has_move(const Group *group)
{
	return line_has(group->line, "MOVE") || line_has(group->line, "IMAP4REV2");
}

/* ---- the destination ----------------------------------------------------------------------------------- */

static void
on_dest_status(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
	const StoreJournalRow *row = group->row;

	if (outcome != IMAP_OUTCOME_OK) {
		group_refuse(group, response);
		return;
	}
	group->dest_known = true;
	if (!group->verify)
		return;
	/* Sent before: what was there then counts, not what is there now, unless it is another folder by now
	 * or the same one numbered anew. */
	group->dest_renumbered =
	    row->dest_uidnext && group->dest_uidvalidity != row->dest_uidvalidity;
	if (!group->dest_renumbered)
		group->dest_uidnext = row->dest_uidnext;
}

Step
send_ask_dest(Group *group, StepFunc then)
{
	Store *store = group->account->engine->store;
	g_autoptr(GError) error = NULL;
	ImapCommand *command;

	g_clear_pointer(&group->dest, store_mailbox_free);
	if (!store_mailbox_get(store, group->row->dest, &group->dest, &error))
		return group_fail(group, POSTERN_ERROR_GONE, error->message);
	command = imap_command_new("STATUS");
	imap_command_mailbox(command, span_of(group->dest->raw, group->dest->raw_size));
	imap_command_text(command, "(UIDNEXT UIDVALIDITY)");
	group->step = then;
	group_send(group, command, on_dest_status, NULL);
	return group->refused ? group_give_up(group) : STEP_WAIT;
}

static void
on_status(Group *group, const ImapStatus *status)
{
	Span raw = span_of(group->dest->raw, group->dest->raw_size);

	if (!span_equals(status->mailbox, raw) &&
	    !(span_is_nocase(raw, "INBOX") && span_is_nocase(status->mailbox, "INBOX")))
		return;
	if (status->present & IMAP_STATUS_UIDNEXT)
		group->dest_uidnext = status->uidnext;
	if (status->present & IMAP_STATUS_UIDVALIDITY)
		group->dest_uidvalidity = status->uidvalidity;
}

/* Where a look into the destination begins; 0: by Message-ID alone. */
static uint32_t
dest_from(const Group *group)
{
	return group->dest_renumbered ? 0 : group->dest_uidnext;
}

/* ---- COPYUID ---------------------------------------------------------------------------------------------- */

static uint64_t
count_uids(ImapRanges ranges)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ranges.count; i++)
		n += (uint64_t)ranges.at[i].high - ranges.at[i].low + 1;
	return n;
}

/* RFC 4315, 3: as many on both sides, in the same order.  Nothing of it is believed when it does not
 * fit what was asked: another UIDVALIDITY, messages nobody meant, UIDs that were there before. */
static void
take_copyuid(Group *group, const ImapResponse *response)
{
	ImapRanges from = response->ranges, to = response->ranges2;
	uint64_t n = count_uids(from);
	size_t range = 0;
	uint32_t next;

	if (n != count_uids(to) || n > group->targets->len || !n || !group->dest_known ||
	    (group->dest_uidvalidity && response->number != group->dest_uidvalidity))
		return;
	next = to.at[0].low;
	for (size_t i = 0; i < from.count; i++) {
		for (uint64_t uid = from.at[i].low; uid <= from.at[i].high; uid++) {
			Target *target = group_find_uid(group, (uint32_t)uid);

			if (target && next >= MAX(group->dest_uidnext, 1))
				target->new_uid = next;
			if (next < to.at[range].high)
				next++;
			else if (++range < to.count)
				next = to.at[range].low;
		}
	}
}

/* ---- what is no longer where it was --------------------------------------------------------------------------- */

/* The look into the destination is over: what is not there either is gone. */
static Step
settle_moved(Group *group)
{
	Verdict verdict;

	verdict_init(&verdict);
	for (guint i = 0; i < group->lost->len; i++) {
		const Target *target = at(group->lost, i);

		verdict_say(&verdict, target,
			    target->new_uid ? STORE_TARGET_DONE : STORE_TARGET_GONE, false);
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	if (group->refused)
		return group_give_up(group);
	group->step = send_plan;
	return STEP_ON;
}

/* Of a MOVE that was sent, it may be where it was to go. */
static bool
may_have_moved(const Group *group)
{
	return group->kind == STORE_INTENT_MOVE && (group->verify || group->marked);
}

/* The look into the mailbox where they should be is over. */
Step
send_settle_lost(Group *group)
{
	Store *store = group->account->engine->store;
	g_autoptr(GArray) nowhere = g_array_new(FALSE, FALSE, sizeof(Target));
	g_autoptr(GError) error = NULL;
	Verdict verdict;

	for (guint i = 0; i < group->lost->len; i++) {
		Target *target = &g_array_index(group->lost, Target, i);
		uint32_t uid = target->new_uid;

		target->new_uid = 0;
		if (!uid || group_tried_in_vain(group, target))
			g_array_append_vals(nowhere, target, 1);
		else if (!store_message_found(store, target->message, group->find_in, uid, &error))
			return group_store_failed(group, error);
	}
	if (may_have_moved(group) && nowhere->len)
		return find_start(group, group->row->dest, dest_from(group),
				  g_steal_pointer(&nowhere), settle_moved);
	verdict_init(&verdict);
	for (guint i = 0; i < nowhere->len; i++)
		verdict_say(&verdict, at(nowhere, i), STORE_TARGET_GONE, false);
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	group->step = send_plan;
	return STEP_ON;
}

/* The mirror may meet them by itself: after a UIDVALIDITY that changed, or a move whose new UID nobody
 * told. */
static Step
look_for_lost(Group *group)
{
	g_autoptr(GArray) all = NULL;
	g_autoptr(GArray) lost = g_array_new(FALSE, FALSE, sizeof(Target));
	Step step;

	if (!group_select(group, group->mailbox, true, &step))
		return step;
	if (!group_load(group, &all))
		return STEP_OVER;
	for (guint i = 0; i < all->len; i++)
		if (at(all, i)->somewhere_in == group->mailbox)
			g_array_append_vals(lost, at(all, i), 1);
	if (!lost->len) {
		group->step = send_plan;
		return STEP_ON;
	}
	return find_start(group, group->mailbox, 0, g_steal_pointer(&lost), send_settle_lost);
}

/* Nothing of what is left has a location. */
static Step
plan_lost(Group *group, const GArray *lost)
{
	g_autoptr(GArray) moved = g_array_new(FALSE, FALSE, sizeof(Target));
	Verdict verdict;

	verdict_init(&verdict);
	group->mailbox = 0;
	for (guint i = 0; i < lost->len; i++) {
		const Target *target = at(lost, i);

		/* The copy is there, and the original went by itself. */
		if (target->state == STORE_TARGET_COPIED)
			verdict_say(&verdict, target, STORE_TARGET_DONE, false);
		else if (target->somewhere_in)
			group->mailbox = target->somewhere_in;
		else if (may_have_moved(group))
			g_array_append_vals(moved, target, 1);
		else
			verdict_say(&verdict, target, STORE_TARGET_GONE, false);
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	if (moved->len)
		return find_start(group, group->row->dest, dest_from(group),
				  g_steal_pointer(&moved), settle_moved);
	group->step = group->mailbox ? look_for_lost : send_plan;
	return STEP_ON;
}

/* ---- MOVE (RFC 6851) ------------------------------------------------------------------------------------------- */

/* Which of TARGETS are still in the mailbox at hand?  Then THEN, and find_take_hits. */
static Step
ask_which(Group *group, const GArray *targets, StepFunc then)
{
	guint next = 0;
	Step step;

	/* A person may have gone elsewhere on this line. */
	if (!group_select(group, group->mailbox, false, &step))
		return step;
	group->step = then;
	group->find_failed = false;
	g_array_set_size(group->hits, 0);
	while (next < targets->len) {
		ImapCommand *command = imap_command_new("UID SEARCH");

		imap_command_text(command, "UID");
		replay_put_uids(command, targets, &next);
		find_send_search(group, command);
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* Those of the round that nobody told of: hits are still there. */
static Step
judge_rest(Group *group)
{
	g_autoptr(GArray) moved = g_array_new(FALSE, FALSE, sizeof(Target));
	bool vain = false;

	if (group->find_failed)
		return group_give_up(group);
	find_take_hits(group);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		if (target->new_uid)
			continue;
		if (!target->there)
			g_array_append_vals(moved, target, 1);
		else
			vain |= group_tried_in_vain(group, target);
	}
	if (vain && !group->refused)
		group->refused = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_REFUSED,
						     _("the server said yes and did not do it"));
	if (moved->len)
		return find_start(group, group->row->dest, dest_from(group),
				  g_steal_pointer(&moved), settle_moved);
	if (group->refused)
		return group_give_up(group);
	group->step = send_plan;
	return STEP_ON;
}

/* What was not told of: is it still there? */
static Step
ask_for_rest(Group *group)
{
	return ask_which(group, group->targets, judge_rest);
}

static Step
judge_move(Group *group)
{
	GArray *rest = g_array_new(FALSE, FALSE, sizeof(Target));
	Verdict verdict;

	verdict_init(&verdict);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		if (target->new_uid)
			verdict_say(&verdict, target, STORE_TARGET_DONE, false);
		else
			g_array_append_vals(rest, target, 1);
	}
	group->accepted |= verdict.rows->len > 0;
	g_array_unref(group->targets);
	group->targets = rest;
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	/* Refused from the first to the last: all is as it was. */
	if (group->targets->len && group->refused && !group->verify && !group->accepted)
		return group_give_up(group);
	group->step = group->targets->len ? ask_for_rest : send_plan;
	return STEP_ON;
}

static void
on_copied(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
	group->accepted |= outcome == IMAP_OUTCOME_OK;
	if (outcome == IMAP_OUTCOME_OK && response->code == IMAP_CODE_COPYUID)
		take_copyuid(group, response);
	group_on_answer(group, outcome, response);
}

/* One UID set after the other: COPY or MOVE. */
static Step
send_to_dest(Group *group, const char *name, StepFunc then)
{
	guint next = 0;

	if (!group_mark_sent(group))
		return STEP_OVER;
	group->accepted = false;
	group->step = then;
	while (next < group->targets->len) {
		ImapCommand *command = imap_command_new(name);

		replay_put_uids(command, group->targets, &next);
		imap_command_mailbox(command, span_of(group->dest->raw, group->dest->raw_size));
		if (!group_send(group, command, on_copied, NULL))
			break;
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* ---- COPY -------------------------------------------------------------------------------------------------------- */

static StoreTargetState
copied_state(const Group *group)
{
	return group->kind == STORE_INTENT_COPY ? STORE_TARGET_DONE : STORE_TARGET_COPIED;
}

/* OK, and no copy: those that are still in the source were not copied, the others are not there to be. */
static Step
judge_vain(Group *group)
{
	Verdict verdict;

	if (group->find_failed)
		return group_give_up(group);
	find_take_hits(group);
	verdict_init(&verdict);
	for (guint i = 0; i < group->lost->len; i++) {
		const Target *source = group_find_uid(group, at(group->lost, i)->uid);

		if (source && !source->there)
			verdict_say(&verdict, at(group->lost, i), STORE_TARGET_GONE, false);
		else if (!group->refused)
			group->refused =
			    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_REFUSED,
						_("the server said yes and did not do it"));
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	group->step = send_plan;
	return group->refused ? group_give_up(group) : STEP_ON;
}

static Step
look_for_vain(Group *group)
{
	return ask_which(group, group->lost, judge_vain);
}

/* The look into the destination is over: for copies nobody told of, or that may have been made before
 * the line broke. */
static Step
settle_copied(Group *group)
{
	bool before = group->verify && !group->marked;
	GArray *vain;
	Verdict verdict;

	if (group->find_ambiguous && before)
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the line broke over this, and the other folder has more "
				    "messages like "
				    "it than it should: cannot tell whether it was done"));
	vain = g_array_new(FALSE, FALSE, sizeof(Target));
	verdict_init(&verdict);
	for (guint i = 0; i < group->lost->len; i++) {
		const Target *target = at(group->lost, i);

		if (target->new_uid)
			verdict_say(&verdict, target, copied_state(group), false);
		else if (!before && !group->refused && group_tried_in_vain(group, target))
			g_array_append_vals(vain, target, 1);
	}
	g_array_unref(group->lost);
	group->lost = vain;
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	if (group->refused)
		return group_give_up(group);
	if (vain->len) {
		group->step = look_for_vain;
		return STEP_ON;
	}
	group->verify = false;
	group->step = send_plan;
	return STEP_ON;
}

static Step
judge_copy(Group *group)
{
	g_autoptr(GArray) rest = g_array_new(FALSE, FALSE, sizeof(Target));
	Verdict verdict;

	verdict_init(&verdict);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		if (target->new_uid)
			verdict_say(&verdict, target, copied_state(group), false);
		else
			g_array_append_vals(rest, target, 1);
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	/* A set that is refused copied nothing (RFC 9051, 6.4.7). */
	if (rest->len && group->refused && !group->accepted)
		return group_give_up(group);
	if (rest->len)
		return find_start(group, group->row->dest, dest_from(group), g_steal_pointer(&rest),
				  settle_copied);
	group->step = send_plan;
	return group->refused ? group_give_up(group) : STEP_ON;
}

static void
drop_copied(GArray *targets)
{
	guint kept = 0;

	for (guint i = 0; i < targets->len; i++)
		if (at(targets, i)->state != STORE_TARGET_COPIED)
			g_array_index(targets, Target, kept++) = *at(targets, i);
	g_array_set_size(targets, kept);
}

static Step
send_copied(Group *group)
{
	/* Those that are there already only have their originals to lose. */
	drop_copied(group->targets);
	return send_to_dest(group, "UID COPY", judge_copy);
}

/* ---- \Deleted and UID EXPUNGE --------------------------------------------------------------------------------------- */

static Step judge_deletes(Group *group);

/* Said in the same flight, "still there" proves nothing: Dovecot answers SEARCH before it is through with
 * EXPUNGE while another client is at work. */
static Step
look_alone(Group *group)
{
	return ask_which(group, group->targets, judge_deletes);
}

static Step
judge_deletes(Group *group)
{
	bool left = !has_uidplus(group), vain = false;
	Verdict verdict;

	if (group->refused)
		return group_give_up(group);
	if (group->hits->len && !group->looked_alone) {
		group->looked_alone = true;
		group->step = look_alone;
		return STEP_ON;
	}
	verdict_init(&verdict);
	find_take_hits(group);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		if (!target->there)
			verdict_say(&verdict, target, STORE_TARGET_DONE, left);
		else
			vain |= group_tried_in_vain(group, target);
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	if (vain)
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the server said yes and did not do it"));
	group->step = send_plan;
	return STEP_ON;
}

/* In the same flight: of these UIDs alone, and what was not marked stays.  What is left of them is asked
 * for as well: while another client is at work, an OK may mean some of them only. */
static void
expunge_these(Group *group, guint from)
{
	guint next = from;
	ImapCommand *command = imap_command_new("UID EXPUNGE");

	replay_put_uids(command, group->targets, &next);
	group_send(group, command, group_on_answer, NULL);
	command = imap_command_new("UID SEARCH");
	imap_command_text(command, "UID");
	replay_put_uids(command, group->targets, &from);
	find_send_search(group, command);
}

static Step
send_deletes(Group *group)
{
	guint next = 0;

	if (!mirror_keeps_flag(group->line->mirror, STORE_FLAG_DELETED, NULL))
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the server lets nothing be deleted from this folder"));
	if (!group_mark_sent(group))
		return STEP_OVER;
	group->step = judge_deletes;
	group->looked_alone = false;
	g_array_set_size(group->hits, 0);
	while (next < group->targets->len) {
		guint from = next;
		ImapCommand *command = flag_command(group->targets, &next, true, true, "\\Deleted");

		group_send(group, command, group_on_answer, NULL);
		if (has_uidplus(group))
			expunge_these(group, from);
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* ---- one after the other ---------------------------------------------------------------------------------------------- */

static bool
is_destructive(const Group *group)
{
	return group->kind == STORE_INTENT_MOVE || group->kind == STORE_INTENT_EXPUNGE;
}

static bool
needs_dest(const Group *group)
{
	return group->kind == STORE_INTENT_MOVE || group->kind == STORE_INTENT_COPY;
}

static Step
send_move(Group *group)
{
	bool copied = true;

	for (guint i = 0; i < group->targets->len; i++)
		copied &= at(group->targets, i)->state == STORE_TARGET_COPIED;
	if (copied)
		return send_deletes(group);
	if (!mirror_keeps_flag(group->line->mirror, STORE_FLAG_DELETED, NULL))
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the server lets nothing be moved out of this folder"));
	if (!has_move(group))
		return send_copied(group);
	/* Copied before, over a line to a server without MOVE: those lose their originals first. */
	for (guint i = group->targets->len; i-- > 0;)
		if (at(group->targets, i)->state != STORE_TARGET_COPIED)
			continue;
		else
			return send_copied(group);
	return send_to_dest(group, "UID MOVE", judge_move);
}

/* Will something be expunged in this round, or the one after it? */
static bool
will_expunge(const Group *group)
{
	bool copied = false;

	for (guint i = 0; i < group->targets->len; i++)
		copied |= at(group->targets, i)->state == STORE_TARGET_COPIED;
	return group->kind == STORE_INTENT_EXPUNGE ||
	       (group->kind == STORE_INTENT_MOVE && (copied || !has_move(group)));
}

/* The mailbox at hand is selected: what of the group is in it now? */
Step
send_round(Group *group)
{
	g_autoptr(GArray) all = NULL;
	Step step;

	if (!group_select(group, group->mailbox, is_destructive(group), &step))
		return step;
	if (!group_load(group, &all))
		return STEP_OVER;
	g_array_set_size(group->targets, 0);
	for (guint i = 0; i < all->len; i++)
		if (at(all, i)->mailbox == group->mailbox)
			g_array_append_vals(group->targets, at(all, i), 1);
	g_array_sort(group->targets, by_uid);
	if (!group->targets->len) {
		group->step = send_plan;
		return STEP_ON;
	}
	if (is_destructive(group) && !look_at_round(group, will_expunge(group), &step))
		return step;
	switch (group->kind) {
	case STORE_INTENT_FLAG:
		return flag_send(group);
	case STORE_INTENT_MOVE:
		return send_move(group);
	case STORE_INTENT_COPY:
		return send_copied(group);
	default:
		return send_deletes(group);
	}
}

/* The mailbox of the next round: the one that is selected, if any of it is there. */
static StoreId
next_mailbox(const Group *group, const GArray *targets)
{
	StoreId selected = group->line->mirror ? mirror_mailbox(group->line->mirror) : 0, first = 0;

	for (guint i = 0; i < targets->len; i++) {
		StoreId mailbox = at(targets, i)->mailbox;

		if (mailbox && mailbox == selected)
			return mailbox;
		first = first ? first : mailbox;
	}
	return first;
}

/* Sent before, by COPY: what is there already? */
static bool
must_look_first(const Group *group)
{
	return group->verify && !group->marked &&
	       (group->kind == STORE_INTENT_COPY ||
		(group->kind == STORE_INTENT_MOVE && !has_move(group)));
}

/* Nothing is left to do of it. */
static Step
close_rows(Group *group)
{
	Store *store = group->account->engine->store;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);

		if (group_is_open(group, row->id) && !store_journal_close(store, row->id, &error))
			return group_store_failed(group, error);
	}
	return STEP_OVER;
}

Step
send_plan(Group *group)
{
	g_autoptr(GArray) all = NULL;

	if (group->rounds++ >= ROUNDS_MAX)
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the server said yes and did not do it"));
	if (!group_load(group, &all))
		return STEP_OVER;
	if (!all->len)
		return close_rows(group);
	if (needs_dest(group) && !group->dest_known)
		return group->refused ? group_give_up(group) : send_ask_dest(group, send_plan);
	if (must_look_first(group)) {
		drop_copied(all);
		if (all->len)
			return find_start(group, group->row->dest, dest_from(group),
					  g_steal_pointer(&all), settle_copied);
		group->verify = false;
		return STEP_ON;
	}
	group->mailbox = next_mailbox(group, all);
	if (!group->mailbox)
		return plan_lost(group, all);
	group->step = send_round;
	return STEP_ON;
}

bool
send_on_response(Group *group, const ImapResponse *response)
{
	if (!group->pending)
		return false;
	if (response->type == IMAP_RESPONSE_STATUS && group->dest)
		on_status(group, &response->status);
	else if (response->type == IMAP_RESPONSE_OK && response->code == IMAP_CODE_COPYUID)
		take_copyuid(group, response);
	else if (response->type == IMAP_RESPONSE_FETCH && group->kind == STORE_INTENT_FLAG &&
		 response->fetch.present & IMAP_FETCH_FLAGS)
		flag_on_fetch(group, &response->fetch);
	return false; /* others want it too */
}
