/* The listening line: NOTIFY for all folders (RFC 5465), on a line that selects nothing; where the
 * server has none, or refuses it, IDLE on INBOX while the person looks at another folder.
 *
 * Never NOTIFY NONE (Dovecot then tells nothing at all, not even of our own commands), and no
 * SELECTED: the open folder is the interactive line's, by IDLE, where numbers shift only when it
 * asks for it. */
#include "engine-private.h"

static void
on_notify(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Line *line = data;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	line->notify = outcome == IMAP_OUTCOME_OK ? NOTIFY_ON : NOTIFY_REFUSED;
	account_poll_later(line->account);
	line_pump_later(line);
}

/* ENABLE first: HIGHESTMODSEQ is told only to those who know it (RFC 7162, 3.1). */
static void
ask_to_be_told(Line *line)
{
	ImapCommand *command;

	if (line_has(line, "CONDSTORE") && line_has(line, "ENABLE")) {
		command = imap_command_new("ENABLE");
		imap_command_text(command, "CONDSTORE");
		connection_send(line->connection, command, IMAP_SEND_NORMAL, NULL, NULL);
	}
	command = imap_command_new("NOTIFY");
	imap_command_text(command, "SET STATUS (personal (MessageNew MessageExpunge FlagChange "
				   "MailboxName SubscriptionChange))");
	line->notify = NOTIFY_ASKED;
	connection_send(line->connection, command, IMAP_SEND_NORMAL, on_notify, line);
}

/* True when it is selected, and what it has is here; or when it is no business of LINE's. */
static bool
watch_inbox(Line *line)
{
	g_autoptr(GBytes) raw = g_bytes_new_static("INBOX", 5);
	const Line *owner = account_owner(line->account, raw);

	if (owner && owner->role == LINE_INTERACTIVE)
		return true;
	if (!line_need_mailbox(line, raw))
		return line->mirror && mirror_is(line->mirror, raw) && mirror_error(line->mirror);
	mirror_want(line->mirror, 1);
	return mirror_is_current(line->mirror);
}

void
line_listen(Line *line)
{
	if (line->notify == NOTIFY_UNTRIED) {
		if (line_has(line, "NOTIFY"))
			ask_to_be_told(line);
		else
			line->notify = NOTIFY_REFUSED;
	}
	if (line->notify == NOTIFY_ASKED || (line->notify == NOTIFY_REFUSED && !watch_inbox(line)))
		return;
	line_idle(line);
}

static bool
has_attribute(const ImapList *list, const char *word)
{
	for (size_t i = 0; i < list->attributes.count; i++)
		if (span_is_nocase(list->attributes.at[i], word))
			return true;
	return false;
}

/* Some servers tell of every folder once more as soon as they are asked to tell of changes. */
static bool
is_old_news(Line *line, const ImapList *list)
{
	bool inbox = span_is_nocase(list->name, "INBOX");
	g_autoptr(GBytes) raw = inbox ? g_bytes_new_static("INBOX", 5)
				      : g_bytes_new(list->name.at, span_size(list->name));
	g_autoptr(StoreMailbox) box = folders_box(line->account, raw);

	return box && !box->gone && !has_attribute(list, "\\NonExistent") &&
	       box->subscribed == has_attribute(list, "\\Subscribed");
}

void
line_listen_heard(Line *line, const ImapResponse *response)
{
	if (response->code == IMAP_CODE_NOTIFICATIONOVERFLOW && line->notify == NOTIFY_ON) {
		line->notify = NOTIFY_REFUSED;
		account_poll_later(line->account);
		line_pump_later(line);
	} else if (response->type == IMAP_RESPONSE_LIST && !folders_is_read_on(line) &&
		   !is_old_news(line, &response->list)) {
		account_poll_soon(line->account);
	}
}
