/* APPEND: a message that exists only here, into a mailbox (RFC 9051, 6.3.12). */
#include "replay-private.h"

#include <time.h>

static Step send_append(Group *group);

/* The server has it under UID; 0: it did not say where. */
static Step
settle(Group *group, uint32_t uid)
{
	const Target *target = &g_array_index(group->lost, Target, 0);
	StoreOutcome outcome = { .message = target->message,
				 .state = STORE_TARGET_DONE,
				 .uid = uid };

	group_settle(group, &outcome, &target->row, 1);
	return STEP_OVER;
}

/* The UID that is told counts when it is the next one.  Another may have come between; or the server tells
 * it wrongly, and what is really there would be taken for another message: then it is looked for. */
static void
on_append(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
	Target *target = &g_array_index(group->lost, Target, 0);

	if (outcome == IMAP_OUTCOME_OK && response->code == IMAP_CODE_APPENDUID &&
	    response->ranges.count == 1 &&
	    (!group->dest_uidvalidity || response->number == group->dest_uidvalidity) &&
	    (!group->dest_uidnext || response->ranges.at[0].low == group->dest_uidnext))
		target->new_uid = response->ranges.at[0].low;
	group_on_answer(group, outcome, response);
}

static Step
judge_search(Group *group)
{
	const Target *target = &g_array_index(group->lost, Target, 0);

	return settle(group, target->new_uid);
}

static GArray *
copy_lost(const Group *group)
{
	GArray *copy = g_array_new(FALSE, FALSE, sizeof(Target));

	g_array_append_vals(copy, group->lost->data, group->lost->len);
	return copy;
}

static Step
judge_append(Group *group)
{
	const Target *target = &g_array_index(group->lost, Target, 0);

	if (group->refused)
		return group_give_up(group);
	if (target->new_uid || !group->dest_uidnext)
		return settle(group, target->new_uid);
	return find_start(group, group->row->dest, group->dest_uidnext, copy_lost(group),
			  judge_search);
}

/* RFC 9051, 9: date-time; in UTC. */
static void
put_date(ImapCommand *command, int64_t seconds)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t time = (time_t)seconds;
	struct tm tm;

	if (seconds <= 0 || !gmtime_r(&time, &tm) || tm.tm_year > 8099)
		return;
	imap_command_text(command, "\"%2d-%s-%04d %02d:%02d:%02d +0000\"", tm.tm_mday,
			  months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* As the row was made: a flag that changed since is sent by a row of its own, behind those that copy the
 * message as it was. */
static void
put_flags(Group *group, ImapCommand *command)
{
	const StoreJournalRow *row = group->row;
	static const struct {
		uint16_t flag;
		const char *word;
	} words[] = {
		{ STORE_FLAG_SEEN, "\\Seen" },	     { STORE_FLAG_ANSWERED, "\\Answered" },
		{ STORE_FLAG_FLAGGED, "\\Flagged" }, { STORE_FLAG_DELETED, "\\Deleted" },
		{ STORE_FLAG_DRAFT, "\\Draft" },
	};
	unsigned quirks = imap_session_quirks(connection_session(group->line->connection));
	g_auto(GStrv) keywords = g_strsplit(row->keyword ? row->keyword : "", " ", -1);

	imap_command_open(command);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (row->flag & words[i].flag)
			imap_command_atom(command, span_of_string(words[i].word));
	for (size_t i = 0; keywords[i] && !(quirks & IMAP_QUIRK_NO_KEYWORDS); i++)
		if (*keywords[i])
			imap_command_atom(command, span_of_string(keywords[i]));
	imap_command_close(command);
}

static Step
send_append(Group *group)
{
	Store *store = group->account->engine->store;
	StoreId message = g_array_index(group->lost, Target, 0).message;
	g_autoptr(StoreRow) row = NULL;
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GError) error = NULL;
	ImapCommand *command;
	gsize size;
	const char *bytes;

	if (!store_row_by_id(store, message, &row, &error) ||
	    !store_part_load(store, message, "", &content, &error)) {
		if (!postern_error_is(error, POSTERN_ERROR_GONE))
			return group_store_failed(group, error);
		return group_fail(group, POSTERN_ERROR_GONE,
				  _("the message's text is not here any more"));
	}
	bytes = g_bytes_get_data(content, &size);
	if (!size)
		return group_fail(group, POSTERN_ERROR_USAGE, _("the message is empty"));
	command = imap_command_new("APPEND");
	imap_command_mailbox(command, span_of(group->dest->raw, group->dest->raw_size));
	put_flags(group, command);
	put_date(command, row->received);
	/* RFC 3516: only BINARY takes a NUL. */
	if (memchr(bytes, '\0', size) && line_has(group->line, "BINARY"))
		imap_command_literal8(command, span_of(bytes, size));
	else
		imap_command_string(command, span_of(bytes, size));
	if (!imap_command_is_valid(command)) {
		imap_command_free(command);
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the message has bytes in it that this server does not take"));
	}
	if (!group_mark_sent(group)) {
		imap_command_free(command);
		return STEP_OVER;
	}
	group->step = judge_append;
	group_send(group, command, on_append, NULL);
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* It was sent before: is it there? */
static Step
judge_before(Group *group)
{
	const Target *target = &g_array_index(group->lost, Target, 0);

	if (group->find_ambiguous)
		return group_fail(group, POSTERN_ERROR_REFUSED,
				  _("the line broke over this, and the folder has more than one "
				    "message "
				    "like it: cannot tell whether it was done"));
	if (target->new_uid)
		return settle(group, target->new_uid);
	group->verify = false;
	return send_append(group);
}

static Step
look_first(Group *group)
{
	if (group->refused)
		return group_give_up(group);
	if (group->verify)
		return find_start(group, group->row->dest,
				  group->dest_renumbered ? 0 : group->dest_uidnext,
				  copy_lost(group), judge_before);
	return send_append(group);
}

Step
append_plan(Group *group)
{
	GArray *all = NULL;

	if (!group_load(group, &all))
		return STEP_OVER;
	find_clear(group);
	group->lost = all;
	if (!all->len)
		return STEP_OVER;
	return send_ask_dest(group, look_first);
}
