/* The folder list and its counts, in the fewest round trips: LIST-EXTENDED with LIST-STATUS (RFC 5258,
 * RFC 5819) in one; LIST and LSUB with a STATUS for each folder behind them otherwise. */
#include "engine-private.h"

#include "imap/mutf7.h"

#define STATUS_AT_ONCE 8 /* commands in flight where LIST-STATUS is not to be had */

typedef struct FolderRead {
	Line *line;
	Account *account;    /* the line's */
	GPtrArray *found;    /* of StoreMailbox, owned */
	GHashTable *by_name; /* GBytes -> StoreMailbox in FOUND */
	unsigned pending;
	bool extended, with_status, refused;
	unsigned status_next; /* index in FOUND of the next to ask for */
	GPtrArray *own;	      /* names that rows of ours had to do with meanwhile (folders-own.c) */
	bool again, twice;    /* what is missing is asked for a second time; that was answered */
	GHashTable *missed;   /* GBytes: those that were there that time */
} FolderRead;

static void on_list(void *data, ImapTicket ticket, ImapOutcome outcome,
		    const ImapResponse *response);

GBytes *
folders_raw_name(Account *account, const char *name)
{
	g_autoptr(StoreMailbox) box = NULL;
	g_autofree char *raw = NULL;

	if (store_mailbox_find(account->engine->store, account->id, name, &box, NULL))
		return g_bytes_new(box->raw, box->raw_size);
	if (!g_ascii_strcasecmp(name, "INBOX"))
		return g_bytes_new_static("INBOX", 5);
	raw = imap_mailbox_name_encode(name, false);
	return raw ? g_bytes_new(raw, strlen(raw)) : NULL;
}

static StoreMailbox *
box_by_raw(Account *account, Span raw)
{
	StoreMailbox *box = NULL;

	return store_mailbox_by_raw(account->engine->store, account->id, raw, &box, NULL) ? box
											  : NULL;
}

/* By its raw name: what a person sees may be a new one, which the server does not know yet.  INBOX
 * has no case. */
StoreMailbox *
folders_box(Account *account, GBytes *raw)
{
	gsize size;
	const char *bytes = g_bytes_get_data(raw, &size);
	StoreMailbox *box = box_by_raw(account, span_of(bytes, size));

	if (!box && span_is_nocase(span_of(bytes, size), "INBOX"))
		store_mailbox_find(account->engine->store, account->id, "INBOX", &box, NULL);
	return box;
}

/* Dovecot's NOTIFY tells names in UTF-8 that it tells encoded everywhere else. */
static StoreMailbox *
box_of_status(Account *account, Span told)
{
	StoreMailbox *box = box_by_raw(account, told);
	g_autofree char *text = NULL;
	g_autofree char *raw = NULL;

	if (box || !g_utf8_validate(told.at, (gssize)span_size(told), NULL))
		return box;
	text = g_strndup(told.at, span_size(told));
	raw = imap_mailbox_name_encode(text, false);
	if (raw)
		box = box_by_raw(account, span_of_string(raw));
	if (!box && !g_ascii_strcasecmp(text, "INBOX"))
		store_mailbox_find(account->engine->store, account->id, "INBOX", &box, NULL);
	return box;
}

static bool
has_word(const ImapStrings *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (span_is_nocase(words->at[i], word))
			return true;
	return false;
}

static const struct {
	const char *attribute; /* RFC 6154; the last two XLIST's */
	StoreMailboxRole role;
} roles[] = {
	{ "\\Drafts", STORE_ROLE_DRAFTS },   { "\\Sent", STORE_ROLE_SENT },
	{ "\\Archive", STORE_ROLE_ARCHIVE }, { "\\Junk", STORE_ROLE_JUNK },
	{ "\\Trash", STORE_ROLE_TRASH },     { "\\Flagged", STORE_ROLE_FLAGGED },
	{ "\\All", STORE_ROLE_ALL },	     { "\\Important", STORE_ROLE_IMPORTANT },
	{ "\\Spam", STORE_ROLE_JUNK },	     { "\\AllMail", STORE_ROLE_ALL },
};

static StoreMailboxRole
role_of(const ImapList *list)
{
	if (span_is_nocase(list->name, "INBOX"))
		return STORE_ROLE_INBOX;
	for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
		if (has_word(&list->attributes, roles[i].attribute))
			return roles[i].role;
	return STORE_ROLE_NONE;
}

static StoreMailbox *
find(FolderRead *read, Span name)
{
	g_autoptr(GBytes) key = g_bytes_new_static(name.at, span_size(name));
	StoreMailbox *box = g_hash_table_lookup(read->by_name, key);

	if (!box && span_is_nocase(name, "INBOX")) {
		g_autoptr(GBytes) inbox = g_bytes_new_static("INBOX", 5);

		box = g_hash_table_lookup(read->by_name, inbox);
	}
	return box;
}

static void
take_list(FolderRead *read, const ImapList *list)
{
	StoreMailbox *box = find(read, list->name);
	bool inbox = span_is_nocase(list->name, "INBOX");
	Span raw = inbox ? SPAN_LITERAL("INBOX") : list->name;

	if (span_is_empty(raw))
		return;
	if (read->again) {
		g_hash_table_add(read->missed, g_bytes_new(raw.at, span_size(raw)));
		return;
	}
	if (!box) {
		box = g_new0(StoreMailbox, 1);
		box->account = read->account->id;
		box->raw = span_dup(raw);
		box->raw_size = span_size(raw);
		box->name = imap_mailbox_name_decode(raw, false);
		/* Broken modified UTF-7 is shown as it is; the raw bytes stay the identity. */
		if (!box->name)
			box->name = g_utf8_make_valid(raw.at, (gssize)span_size(raw));
		box->server_total = box->server_unread = -1;
		g_ptr_array_add(read->found, box);
		g_hash_table_insert(read->by_name, g_bytes_new(box->raw, box->raw_size), box);
	}
	box->delimiter = list->delimiter;
	box->role = role_of(list);
	box->selectable = !has_word(&list->attributes, "\\Noselect") &&
			  !has_word(&list->attributes, "\\NonExistent");
	box->has_children = has_word(&list->attributes, "\\HasChildren");
	if (has_word(&list->attributes, "\\Subscribed"))
		box->subscribed = true;
}

static void
take_lsub(FolderRead *read, const ImapList *list)
{
	StoreMailbox *box = find(read, list->name);

	/* \Noselect in LSUB means only that a child is subscribed (RFC 3501, 6.3.9). */
	if (box && !has_word(&list->attributes, "\\Noselect"))
		box->subscribed = true;
}

static void
status_into(StoreMailbox *box, const ImapStatus *status)
{
	if (status->present & IMAP_STATUS_MESSAGES)
		box->server_total = status->messages;
	if (status->present & IMAP_STATUS_UNSEEN)
		box->server_unread = status->unseen;
	if (status->present & IMAP_STATUS_UIDNEXT)
		box->uidnext = status->uidnext;
	if (status->present & IMAP_STATUS_HIGHESTMODSEQ)
		box->highestmodseq = status->highestmodseq;
}

/* Unasked STATUS (NOTIFY, or a late one): straight into the store. */
static void
status_alone(Line *line, const ImapStatus *status)
{
	Account *account = line->account;
	StoreMailbox box = { .server_total = -1, .server_unread = -1 };
	g_autoptr(StoreMailbox) known = box_of_status(account, status->mailbox);
	g_autoptr(GError) error = NULL;
	EngineEvent event = { .type = ENGINE_EVENT_FOLDERS, .account = account->id };

	if (!known)
		return;
	box.id = known->id;
	status_into(&box, status);
	if (!store_mailbox_status(account->engine->store, &box, &error)) {
		account_store_failed(account, error);
		return;
	}
	engine_post(account->engine, &event);
	truth_heard(account->truth, known->raw, known->raw_size, status);
	truth_look_at(account->truth, line, known);
}

/* The one in flight, if it is on LINE. */
static FolderRead *
folder_read_on(Line *line)
{
	FolderRead *read = line->account->folder_read;

	return read && read->line == line ? read : NULL;
}

bool
folders_is_read_on(const Line *line)
{
	const FolderRead *read = line->account->folder_read;

	return read && read->line == line;
}

void
folders_on_response(Line *line, const ImapResponse *response)
{
	FolderRead *read = folder_read_on(line);
	StoreMailbox *box;

	switch (response->type) {
	case IMAP_RESPONSE_LIST:
	case IMAP_RESPONSE_XLIST:
		if (read)
			take_list(read, &response->list);
		break;
	case IMAP_RESPONSE_LSUB:
		if (read)
			take_lsub(read, &response->list);
		break;
	case IMAP_RESPONSE_STATUS:
		box = read ? find(read, response->status.mailbox) : NULL;
		if (box) {
			status_into(box, &response->status);
			truth_heard(line->account->truth, box->raw, box->raw_size,
				    &response->status);
		} else {
			status_alone(line, &response->status);
		}
		break;
	default:
		break;
	}
}

static void
read_free(FolderRead *read)
{
	g_hash_table_unref(read->by_name);
	g_hash_table_unref(read->missed);
	g_ptr_array_unref(read->found);
	g_ptr_array_unref(read->own);
	g_free(read);
}

static Span
raw_of(const StoreMailbox *box)
{
	return span_of(box->raw, box->raw_size);
}

/* What LIST says of BOX is from before what we did to it, or from behind it. */
static bool
is_doubtful(const FolderRead *read, const StoreMailbox *box)
{
	return folder_names_have(read->own, raw_of(box));
}

/* Not in the first answer; was it in the second? */
static bool
is_missing(FolderRead *read, const StoreMailbox *box)
{
	g_autoptr(GBytes) key = g_bytes_new_static(box->raw, box->raw_size);

	return !box->gone && !box->created && !find(read, raw_of(box)) && !is_doubtful(read, box) &&
	       !g_hash_table_contains(read->missed, key);
}

static bool
misses_any(FolderRead *read)
{
	g_autoptr(GPtrArray) boxes = NULL;

	if (!store_mailboxes(read->account->engine->store, read->account->id, &boxes, NULL))
		return false;
	for (guint i = 0; i < boxes->len; i++)
		if (is_missing(read, g_ptr_array_index(boxes, i)))
			return true;
	return false;
}

/* Those that are not in the list, and are not gone for that. */
static bool
keep_others(FolderRead *read, GArray *keep, GError **error)
{
	g_autoptr(GPtrArray) boxes = NULL;

	if (!store_mailboxes(read->account->engine->store, read->account->id, &boxes, error))
		return false;
	for (guint i = 0; i < boxes->len; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);

		if (box->gone || find(read, raw_of(box)) || (read->twice && is_missing(read, box)))
			continue;
		read->account->folders_doubted |= !box->created;
		g_array_append_val(keep, box->id);
	}
	return true;
}

static bool
write_all(FolderRead *read, GError **error)
{
	Store *store = read->account->engine->store;
	g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool fine = store_begin(store, error), any = read->found->len > 0;

	if (!fine)
		return false;
	for (unsigned i = 0; fine && i < read->found->len; i++) {
		StoreMailbox *box = g_ptr_array_index(read->found, i);
		g_autoptr(StoreMailbox) known = NULL;

		if (is_doubtful(read, box)) {
			read->account->folders_doubted = true;
			fine = store_mailbox_by_raw(store, read->account->id, raw_of(box), &known,
						    error);
			if (known)
				g_array_append_val(keep, known->id);
			continue;
		}
		fine =
		    store_mailbox_put(store, box, error) && store_mailbox_status(store, box, error);
		g_array_append_val(keep, box->id);
	}
	/* An empty list after a login is a server in trouble, not an empty account. */
	if (fine && any)
		fine = keep_others(read, keep, error) &&
		       store_mailboxes_keep(store, read->account->id,
					    (const StoreId *)(void *)keep->data, keep->len, error);
	if (!fine) {
		store_rollback(store);
		return false;
	}
	return store_commit(store, error);
}

static void
finish(FolderRead *read)
{
	Account *account = read->account;
	EngineEvent event = { .type = ENGINE_EVENT_FOLDERS, .account = account->id };
	g_autoptr(GError) error = NULL;

	account->folder_read = NULL;
	account->folders_ms = g_get_monotonic_time() / 1000;
	account->folders_doubted = false;
	if (!read->refused) {
		folder_names_of_sent(account, read->own);
		if (!read->found->len)
			engine_post_notice(account->engine, account->id,
					   _("the server lists no folders at all: what is here is "
					     "kept"));
		if (!write_all(read, &error))
			account_store_failed(account, error);
		else
			engine_post(account->engine, &event);
		truth_look(account->truth, read->line);
	}
	read_free(read);
	folders_settled(account);
	account_pump_later(account);
}

void
folders_sending(Account *account, const StoreJournalRow *row)
{
	if (account->folder_read)
		folder_names_of_row(account, row, account->folder_read->own);
}

void
folders_settled(Account *account)
{
	g_autoptr(GPtrArray) sent = NULL;

	if (!account->folders_doubted || account->folder_read)
		return;
	sent = folder_names_new();
	folder_names_of_sent(account, sent);
	if (!sent->len)
		account_poll_soon(account);
}

static void
ask_status(FolderRead *read)
{
	bool modseq = line_has(read->line, "CONDSTORE");

	while (read->pending < STATUS_AT_ONCE && read->status_next < read->found->len) {
		StoreMailbox *box = g_ptr_array_index(read->found, read->status_next++);
		ImapCommand *command;

		if (!box->selectable)
			continue;
		command = imap_command_new("STATUS");
		imap_command_mailbox(command, span_of(box->raw, box->raw_size));
		imap_command_text(command, "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY%s)",
				  modseq ? " HIGHESTMODSEQ" : "");
		read->pending++;
		connection_send(read->line->connection, command, IMAP_SEND_NORMAL, on_list, read);
	}
}

/* Those who wait for the list hear why there is none. */
static void
tell_refused(Account *account, const ImapResponse *response)
{
	for (GList *at = account->jobs.head; at; at = at->next) {
		Job *job = at->data;

		if (job->kind == JOB_FOLDERS && job->started && !job->error && response)
			job->error =
			    account_refusal(response, POSTERN_ERROR_REFUSED, _("list the folders"));
	}
}

static void
send_list(FolderRead *read, const char *name, const char *options)
{
	ImapCommand *command = imap_command_new(name);

	imap_command_text(command, "\"\" \"*\"%s", options);
	read->pending++;
	connection_send(read->line->connection, command, IMAP_SEND_NORMAL, on_list, read);
}

/* A folder counts as gone once two complete answers were without it. */
static bool
ask_again(FolderRead *read)
{
	if (read->again || read->refused || !read->found->len || !misses_any(read))
		return false;
	read->again = true;
	send_list(read, "LIST", "");
	return true;
}

static void
on_list(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	FolderRead *read = data;

	/* Not answered: folders_forget frees it, now or when LOGOUT is over. */
	if (outcome == IMAP_OUTCOME_CLOSED || outcome == IMAP_OUTCOME_CANCELLED)
		return;
	read->pending--;
	read->twice = read->again && outcome == IMAP_OUTCOME_OK;
	if (outcome != IMAP_OUTCOME_OK && !read->found->len) {
		read->refused = true;
		tell_refused(read->account, response);
	}
	if (read->pending == 0 || read->status_next) {
		if (!read->with_status && !read->refused && !read->again)
			ask_status(read);
		if (!read->pending && !ask_again(read))
			finish(read);
	}
}

void
folders_read(Line *line)
{
	Account *account = line->account;
	ImapSession *session = connection_session(line->connection);
	g_autoptr(GString) options = NULL;
	FolderRead *read;

	if (account->folder_read)
		return;
	read = g_new0(FolderRead, 1);
	read->line = line;
	read->account = account;
	read->found = g_ptr_array_new_with_free_func((GDestroyNotify)store_mailbox_free);
	read->by_name =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	read->missed =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	read->own = folder_names_new();
	folder_names_of_sent(account, read->own);
	account->folder_read = read;
	truth_forget_numbers(account->truth);

	read->extended = line_has(line, "LIST-EXTENDED") &&
			 !(imap_session_quirks(session) & IMAP_QUIRK_NO_LIST_EXTENDED);
	if (!read->extended) {
		send_list(read, "LIST", "");
		send_list(read, "LSUB", "");
		return;
	}
	options = g_string_new(" RETURN (SUBSCRIBED CHILDREN");
	if (line_has(line, "SPECIAL-USE"))
		g_string_append(options, " SPECIAL-USE");
	read->with_status = line_has(line, "LIST-STATUS");
	if (read->with_status) {
		g_string_append(options, " STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY");
		g_string_append(options, line_has(line, "CONDSTORE") ? " HIGHESTMODSEQ))" : "))");
	} else {
		g_string_append(options, ")");
	}
	send_list(read, "LIST", options->str);
}

void
folders_forget(Line *line)
{
	FolderRead *read = folder_read_on(line);

	if (!read)
		return;
	read_free(read);
	line->account->folder_read = NULL;
}
