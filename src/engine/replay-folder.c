/* Folders made, renamed, deleted, subscribed to and unsubscribed from (RFC 9051, 6.3.4 to 6.3.8).
 *
 * CREATE and RENAME also see to subscriptions, which servers keep by name and leave alone: a new folder
 * is subscribed to, as most clients do it, for those that list nothing else; a renamed one, and those
 * below it, as they were under the old name.  A refusal there changes nothing: the folder is what
 * was asked for. */
#include "replay-private.h"

#include "imap/mutf7.h"

static Span
span_of_bytes(GBytes *bytes)
{
	gsize size;
	const char *at = g_bytes_get_data(bytes, &size);

	return span_of(at, size);
}

static Step
settle(Group *group)
{
	g_autoptr(GError) error = NULL;

	if (!store_journal_done(group->account->engine->store, group->row->id, NULL, 0, &error))
		return group_store_failed(group, error);
	return STEP_OVER;
}

/* ---- what LIST says ---------------------------------------------------------------------------- */

static bool
is_name(Span name, GBytes *raw)
{
	return raw && span_equals(name, span_of_bytes(raw));
}

void
folder_on_response(Group *group, const ImapResponse *response)
{
	if (!group->listing || response->type != IMAP_RESPONSE_LIST)
		return;
	for (size_t i = 0; i < response->list.attributes.count; i++)
		if (span_is_nocase(response->list.attributes.at[i], "\\NonExistent"))
			return;
	group->listed |= is_name(response->list.name, group->raw);
	group->listed_other |= is_name(response->list.name, group->other);
}

/* It was refused; is it so already?  Then somebody did it, or we did before the line broke. */
static Step
judge_list(Group *group)
{
	bool there = false;

	group->listing = false;
	if (group->refused)
		g_clear_error(&group->refused);
	else if (group->kind == STORE_INTENT_CREATE)
		there = group->listed;
	else if (group->kind == STORE_INTENT_DELETE)
		there = !group->listed;
	else if (group->kind == STORE_INTENT_RENAME)
		there = group->listed_other && !group->listed;
	if (there)
		return settle(group);
	group->refused = g_steal_pointer(&group->answer);
	return group_give_up(group);
}

static void
send_list(Group *group, GBytes *raw)
{
	ImapCommand *command = imap_command_new("LIST");

	imap_command_text(command, "\"\"");
	imap_command_string(command, span_of_bytes(raw));
	group_send(group, command, group_on_answer, NULL);
}

static Step
judge(Group *group)
{
	if (!group->refused)
		return settle(group);
	if (group->passing || group->kind == STORE_INTENT_SUBSCRIBE ||
	    group->kind == STORE_INTENT_UNSUBSCRIBE)
		return group_give_up(group);
	group->answer = g_steal_pointer(&group->refused);
	group->listing = true;
	group->step = judge_list;
	send_list(group, group->raw);
	if (group->other)
		send_list(group, group->other);
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* ---- what is sent --------------------------------------------------------------------------------- */

/* Whatever the answer. */
static void
on_extra(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
}

static void
send_name(Group *group, const char *verb, Span raw, AnswerFunc done)
{
	ImapCommand *command = imap_command_new(verb);

	imap_command_mailbox(command, raw);
	group_send(group, command, done, NULL);
}

/* BOX, of the family, is called otherwise now.  By what the server has of it: a wish that waits comes behind
 * this, and by the new name. */
static void
move_subscription(Group *group, const StoreMailbox *box)
{
	Span old = span_of_bytes(group->raw), new = span_of_bytes(group->other);
	Span raw = span_of(box->raw, box->raw_size);
	size_t cut = span_size(old);
	bool same = span_equals(raw, old);
	bool below = !same && box->delimiter && span_size(raw) > cut &&
		     !memcmp(raw.at, old.at, cut) && raw.at[cut] == box->delimiter;
	g_autoptr(GString) name = NULL;

	if (box->created || !(same || below))
		return;
	if (box->subscribed != box->resubscribed && !box->deleted) {
		name = g_string_new_len(new.at, (gssize)span_size(new));
		g_string_append_len(name, raw.at + cut, (gssize)(span_size(raw) - cut));
		send_name(group, "SUBSCRIBE", span_of(name->str, name->len), on_extra);
	}
	if (box->subscribed || box->resubscribed)
		send_name(group, "UNSUBSCRIBE", raw, on_extra);
}

/* The same with what is below it, and with what is still to be deleted, maybe it itself, which is in no
 * list. */
static void
move_subscriptions(Group *group)
{
	Store *store = group->account->engine->store;
	g_autoptr(GPtrArray) boxes = NULL, rows = NULL;

	if (!store_mailboxes(store, group->account->id, &boxes, NULL) ||
	    !store_journal(store, group->account->id, &rows, NULL))
		return;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		StoreMailbox *box = NULL;

		if (row->kind == STORE_INTENT_DELETE &&
		    store_mailbox_get(store, row->mailbox, &box, NULL))
			g_ptr_array_add(boxes, box);
	}
	for (guint i = 0; i < boxes->len; i++)
		move_subscription(group, g_ptr_array_index(boxes, i));
}

static void
send_rename(Group *group)
{
	ImapCommand *command = imap_command_new("RENAME");

	imap_command_mailbox(command, span_of_bytes(group->raw));
	imap_command_mailbox(command, span_of_bytes(group->other));
	group_send(group, command, group_on_answer, NULL);
	move_subscriptions(group);
}

bool
folder_takes(const Group *group, GBytes *raw)
{
	Span old = span_of_bytes(group->raw), other = span_of_bytes(raw);
	size_t cut = span_size(old);

	if (group->kind == STORE_INTENT_DELETE || span_size(other) <= cut)
		return span_equals(old, other);
	return group->delimiter && !memcmp(other.at, old.at, cut) &&
	       other.at[cut] == group->delimiter;
}

static Step
send_folder(Group *group)
{
	Line *line = group->line;
	Span raw = span_of_bytes(group->raw);

	/* What follows may leave with it. */
	if (group->leaving && line->open && folder_takes(group, line->open) &&
	    !line_unselect(line) && line->open)
		return STEP_WAIT;
	if (!group_mark_sent(group))
		return STEP_OVER;
	folders_sending(group->account, group->row);
	group->step = judge;
	switch (group->kind) {
	case STORE_INTENT_CREATE:
		send_name(group, "CREATE", raw, group_on_answer);
		send_name(group, "SUBSCRIBE", raw, on_extra);
		break;
	case STORE_INTENT_RENAME:
		send_rename(group);
		break;
	case STORE_INTENT_DELETE:
		send_name(group, "DELETE", raw, group_on_answer);
		send_name(group, "UNSUBSCRIBE", raw, on_extra);
		break;
	case STORE_INTENT_SUBSCRIBE:
		send_name(group, "SUBSCRIBE", raw, group_on_answer);
		break;
	default:
		send_name(group, "UNSUBSCRIBE", raw, group_on_answer);
		break;
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* A folder that goes away or changes its name is left first, wherever it is selected: some servers end a
 * line under which that happens. */
static Step
leave(Group *group)
{
	GPtrArray *lines = group->account->lines;
	bool left = true;

	group->leaving = true;
	for (guint i = 0; i < lines->len; i++) {
		Line *line = g_ptr_array_index(lines, i);

		if (line == group->line || !line->online || line_is_ending(line))
			continue;
		if (line->unselecting || (line->open && folder_takes(group, line->open)))
			left &= line_unselect(line);
	}
	return left ? send_folder(group) : STEP_WAIT;
}

Step
folder_plan(Group *group)
{
	const StoreJournalRow *row = group->row;
	g_autoptr(StoreMailbox) box = NULL;
	g_autofree char *name = NULL;

	if (!store_mailbox_get(group->account->engine->store, row->mailbox, &box, NULL))
		return settle(group); /* a later wish: it never was there, or went */
	group->raw = g_bytes_new(box->raw, box->raw_size);
	group->delimiter = box->delimiter;
	if (row->kind == STORE_INTENT_RENAME) {
		name = row->name ? imap_mailbox_name_encode(row->name, false) : NULL;
		if (!name)
			return group_fail(group, POSTERN_ERROR_USAGE,
					  _("this is no name for a folder"));
		group->other = g_bytes_new(name, strlen(name));
	}
	/* Renamed and back again. */
	if (group->other && g_bytes_equal(group->raw, group->other))
		return settle(group);
	group->step = row->kind == STORE_INTENT_RENAME || row->kind == STORE_INTENT_DELETE
			  ? leave
			  : send_folder;
	return STEP_ON;
}
