/* FLAG: one flag or keyword of the messages of a round (RFC 9051, 6.4.6), and UID STORE for those that are
 * to be deleted. */
#include "replay-private.h"

#define ECHO_MAX 1000 /* flags of more are changed without the server repeating each */

static const struct {
	uint16_t flag;
	const char *word;
} flag_words[] = {
	{ STORE_FLAG_SEEN, "\\Seen" },	     { STORE_FLAG_ANSWERED, "\\Answered" },
	{ STORE_FLAG_FLAGGED, "\\Flagged" }, { STORE_FLAG_DELETED, "\\Deleted" },
	{ STORE_FLAG_DRAFT, "\\Draft" },
};

static const char *
flag_word(const Group *group)
{
	for (size_t i = 0; i < G_N_ELEMENTS(flag_words); i++)
		if (flag_words[i].flag == group->row->flag)
			return flag_words[i].word;
	return group->row->keyword ? group->row->keyword : "";
}

void
flag_on_fetch(Group *group, const ImapFetch *fetch)
{
	Target *target = fetch->uid.value ? group_find_uid(group, fetch->uid.value) : NULL;
	const char *word = flag_word(group);

	if (!target)
		return;
	target->told = true;
	target->has = (fetch->flags.bits & group->row->flag) != 0;
	/* Keywords are compared without case (RFC 9051, 2.3.2). */
	for (size_t i = 0; i < fetch->flags.keywords.count; i++)
		target->has |= span_is_nocase(fetch->flags.keywords.at[i], word);
}

static Step
not_kept(Group *group)
{
	g_autofree char *words =
	    g_strdup_printf(_("the server does not keep the flag %s in this folder"),
			    flag_word(group));

	return group_fail(group, POSTERN_ERROR_REFUSED, words);
}

/* The answers to STORE, and to FETCH of those that it did not tell of, are in. */
static Step
judge_flags(Group *group)
{
	bool silent = group->targets->len > ECHO_MAX, wrong = false, again = false;
	Verdict verdict;

	verdict_init(&verdict);
	for (guint i = 0; i < group->targets->len; i++) {
		const Target *target = at(group->targets, i);

		if (silent && !group->refused)
			verdict_say(&verdict, target, STORE_TARGET_DONE, false);
		else if (target->told && target->has == group->row->set)
			verdict_say(&verdict, target, STORE_TARGET_DONE, false);
		else if (!group->refused && !group_tried_in_vain(group, target))
			again = true;
		else if (target->told)
			wrong = true;
		else if (!group->refused)
			verdict_say(&verdict, target, STORE_TARGET_GONE, false);
	}
	if (!verdict_settle(&verdict, group))
		return STEP_OVER;
	if (group->refused)
		return group_give_up(group);
	if (wrong)
		return not_kept(group);
	group->step = send_plan;
	/* Another client may have had the last word, just now; or the session was not told yet of what came
	 * over another line. */
	if (again)
		group_send(group, imap_command_new("NOOP"), group_on_answer, NULL);
	return group->pending ? STEP_WAIT : STEP_ON;
}

static Step
read_flags_back(Group *group)
{
	g_autoptr(GArray) untold = g_array_new(FALSE, FALSE, sizeof(Target));
	guint next = 0;
	Step step;

	/* A person may have gone elsewhere on this line. */
	if (!group_select(group, group->mailbox, false, &step))
		return step;
	group->step = judge_flags;
	for (guint i = 0; i < group->targets->len && !group->refused; i++)
		if (!at(group->targets, i)->told)
			g_array_append_vals(untold, at(group->targets, i), 1);
	while (next < untold->len) {
		ImapCommand *command = imap_command_new("UID FETCH");

		replay_put_uids(command, untold, &next);
		imap_command_text(command, "(UID FLAGS)");
		group_send(group, command, group_on_answer, NULL);
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

ImapCommand *
flag_command(const GArray *targets, guint *next, bool set, bool silent, const char *word)
{
	ImapCommand *command = imap_command_new("UID STORE");

	replay_put_uids(command, targets, next);
	imap_command_text(command, "%sFLAGS%s", set ? "+" : "-", silent ? ".SILENT" : "");
	imap_command_open(command);
	imap_command_atom(command, span_of_string(word));
	imap_command_close(command);
	return command;
}

Step
flag_send(Group *group)
{
	bool silent = group->targets->len > ECHO_MAX;
	guint next = 0;

	if (!mirror_keeps_flag(group->line->mirror, group->row->flag, group->row->keyword))
		return not_kept(group);
	if (!group_mark_sent(group))
		return STEP_OVER;
	group->step = silent ? judge_flags : read_flags_back;
	while (next < group->targets->len)
		if (!group_send(group,
				flag_command(group->targets, &next, group->row->set, silent,
					     flag_word(group)),
				group_on_answer, NULL))
			break;
	return group->pending ? STEP_WAIT : STEP_ON;
}
