/* What the server has under the UIDs of a round, before it is told to move or expunge it.
 *
 * What the mirror has not seen under a UID that was only told (COPYUID, APPENDUID) is looked at always: a
 * server that tells it wrongly does not make us touch another message.  What is to be expunged is looked
 * at in any case, since it is gone for good: a mailbox that was put back from elsewhere, with all its
 * numbers as they were, may have other messages under them. */
#include "replay-private.h"

/* Did the mirror see what is under its UID?  Else that was only told (COPYUID, APPENDUID). */
static bool
is_mirrored(const StoreMailbox *box, const Target *target)
{
	return box && box->known_from_uid && target->uid >= box->known_from_uid &&
	       target->uid < box->mirrored_uidnext;
}

/* Under the UIDs of TARGETS the server has other messages than it had: their rows end here, and what is
 * here of the mailbox is worth nothing. */
static bool
fail_others(Group *group, const GArray *targets)
{
	Store *store = group->account->engine->store;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < targets->len; i++)
		if (!store_journal_fail(store, at(targets, i)->row, POSTERN_ERROR_GONE,
					_("the server has another message in its place, and that "
					  "one was not deleted"),
					&error)) {
			group_store_failed(group, error);
			return false;
		}
	mirror_read_again(group->account, group->mailbox);
	return true;
}

/* The look at what the UIDs stand for is over. */
static Step
judge_met(Group *group)
{
	g_autoptr(GArray) wrong = g_array_new(FALSE, FALSE, sizeof(Target));
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(Target));
	g_autoptr(StoreMailbox) box = NULL;

	store_mailbox_get(group->account->engine->store, group->mailbox, &box, NULL);
	for (guint i = 0; i < group->lost->len; i++) {
		const Target *target = at(group->lost, i);

		if (!target->new_uid && !is_mirrored(box, target))
			g_array_append_vals(wrong, target, 1);
		else if (target->other)
			g_array_append_vals(others, target, 1);
		else
			g_hash_table_add(group->met,
					 g_memdup2(&target->message, sizeof target->message));
	}
	group->step = send_round;
	if (others->len)
		return fail_others(group, others) ? STEP_ON : STEP_OVER;
	if (wrong->len)
		return find_start(group, group->mailbox, 0, g_steal_pointer(&wrong),
				  send_settle_lost);
	return STEP_ON;
}

static GArray *
to_look_at(Group *group, bool all, bool *told)
{
	g_autoptr(StoreMailbox) box = NULL;
	GArray *targets = g_array_new(FALSE, FALSE, sizeof(Target));

	store_mailbox_get(group->account->engine->store, group->mailbox, &box, NULL);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		bool mirrored = is_mirrored(box, target);

		if ((mirrored && !all) || g_hash_table_contains(group->met, &target->message))
			continue;
		*told |= !mirrored;
		g_array_append_vals(targets, target, 1);
	}
	return targets;
}

bool
look_at_round(Group *group, bool all, Step *step)
{
	bool told = false;
	g_autoptr(GArray) targets = to_look_at(group, all, &told);

	if (!targets->len)
		return true;
	/* They may have come over another line, and this one's session was not told yet. */
	if (told)
		group_send(group, imap_command_new("NOOP"), group_on_answer, NULL);
	*step = find_check(group, g_steal_pointer(&targets), judge_met);
	return false;
}
