/* Asking for parts: small ones whole, those of the same sections in one command, large ones in pieces.
 * What comes is parts.c's. */
#include "parts-private.h"

#define WHOLE_MAX_BYTES	  (128 * 1024) /* asked for without pieces */
#define PIECE_FIRST_BYTES (128 * 1024)
#define PIECE_MAX_BYTES	  (1024 * 1024)
#define PIECE_US	  200000

typedef struct Asked {
	PartFetcher *parts;
	GPtrArray *fetches; /* of PartFetch, references */
	uint64_t end;	    /* of the piece */
} Asked;

static void ask_pieces(PartFetch *fetch);

static void
end_misfit(PartFetch *fetch)
{
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_PROTOCOL,
			_("the server sent another piece of message %u than was asked for"),
			fetch->uid);

	part_fetch_end(fetch, error);
}

static void
on_asked(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Asked *asked = data;
	PartFetcher *parts = asked->parts;

	/* It could not leave any more: parts_forget ends what wanted it. */
	if (outcome == IMAP_OUTCOME_CANCELLED && line_is_ending(parts->line))
		outcome = IMAP_OUTCOME_CLOSED;
	parts->in_flight--;
	/* An answer that the session kept to itself leaves nothing for the next. */
	parts_forget_streams(parts);
	for (guint i = 0; i < asked->fetches->len; i++) {
		PartFetch *fetch = g_ptr_array_index(asked->fetches, i);
		int64_t us = g_get_monotonic_time() - fetch->piece_us;

		if (fetch->over || fetch->complete || outcome == IMAP_OUTCOME_CLOSED)
			continue;
		/* Everything this command was to bring has come, or never will. */
		if (outcome == IMAP_OUTCOME_BAD) {
			g_autoptr(GError) error =
			    account_refusal(response, POSTERN_ERROR_REFUSED, _("read the message"));

			part_fetch_end(fetch, error);
			continue;
		}
		if (fetch->misfit && (fetch->whole || fetch->offset < asked->end)) {
			end_misfit(fetch);
			continue;
		}
		if (fetch->whole || fetch->offset < asked->end) {
			part_fetch_gone(fetch);
			continue;
		}
		if (us < PIECE_US / 2 && fetch->piece < PIECE_MAX_BYTES &&
		    fetch->asked == fetch->offset)
			fetch->piece *= 2;
		ask_pieces(fetch);
	}
	g_ptr_array_unref(asked->fetches);
	g_free(asked);
	if (!parts->in_flight)
		parts_write(parts);
	line_pump_later(parts->line);
}

static ImapTicket
send_ask(PartFetcher *parts, ImapCommand *command, Asked *asked)
{
	ImapTicket ticket;

	parts->in_flight++;
	ticket =
	    connection_send(parts->line->connection, command, IMAP_SEND_NORMAL, on_asked, asked);
	if (!ticket)
		on_asked(asked, 0, IMAP_OUTCOME_CLOSED, NULL);
	return ticket;
}

static Asked *
asked_new(PartFetcher *parts)
{
	Asked *asked = g_new0(Asked, 1);

	asked->parts = parts;
	asked->fetches = g_ptr_array_new_with_free_func(part_fetch_unref);
	return asked;
}

static void
ask_pieces(PartFetch *fetch)
{
	while (!fetch->over &&
	       fetch->asked - fetch->offset < (uint64_t)PARTS_PIECES * fetch->piece) {
		ImapUid uid = { fetch->uid };
		ImapCommand *command;
		Asked *asked;

		/* Behind a piece in flight only what surely exists (hMailServer fails past the end). */
		if (fetch->asked > fetch->offset && fetch->asked >= fetch->size_hint)
			return;
		command = imap_command_new("UID FETCH");
		asked = asked_new(fetch->parts);
		imap_command_uids(command, &uid, 1);
		imap_command_text(command, "(UID BODY.PEEK[%s]<%" G_GUINT64_FORMAT ".%u>)",
				  fetch->section, fetch->asked, fetch->piece);
		fetch->asked += fetch->piece;
		fetch->piece_us = g_get_monotonic_time();
		asked->end = MIN(fetch->asked, fetch->size_hint ? fetch->size_hint : fetch->asked);
		g_ptr_array_add(asked->fetches, part_fetch_ref(fetch));
		fetch->tickets[fetch->n_tickets++ % PARTS_PIECES] =
		    send_ask(fetch->parts, command, asked);
	}
}

/* Those of FETCHES that come whole, and in one command: they are all of the same sections. */
static void
ask_whole(PartFetcher *parts, const GArray *uids, char *const *sections, GPtrArray *take_fetches)
{
	ImapCommand *command = imap_command_new("UID FETCH");
	g_autoptr(GString) items = g_string_new("(UID");
	Asked *asked = g_new0(Asked, 1);

	for (size_t i = 0; sections[i]; i++)
		g_string_append_printf(items, " BODY.PEEK[%s]", sections[i]);
	g_string_append_c(items, ')');
	imap_command_uids(command, (const ImapUid *)(void *)uids->data, uids->len);
	imap_command_text(command, "%s", items->str);
	asked->parts = parts;
	asked->fetches = take_fetches;
	send_ask(parts, command, asked);
}

/* ASCII of ours or digits and dots of the server's numbering: never a byte a stranger chose. */
static bool
is_section(const char *section)
{
	return strspn(section, "0123456789.ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(section) &&
	       strlen(section) < 1000;
}

static uint64_t
size_of(const StoreRow *row, const MailPart *root, const char *section)
{
	const MailPart *part = root ? mail_part_find(root, section) : NULL;

	if (!*section)
		return row->size;
	return part ? part->size_octets : 0;
}

static PartFetch *
fetch_new(PartFetcher *parts, const StoreRow *row, const MailPart *root, const char *section,
	  int64_t date, GError **error)
{
	PartFetch *fetch = g_new0(PartFetch, 1);

	fetch->refs = 1;
	fetch->parts = parts;
	fetch->message = row->id;
	fetch->uid = row->uid;
	fetch->section = g_strdup(section);
	fetch->size_hint = size_of(row, root, section);
	fetch->date = date;
	fetch->whole = fetch->size_hint <= WHOLE_MAX_BYTES;
	fetch->piece = PIECE_FIRST_BYTES;
	fetch->waiters = g_array_new(FALSE, FALSE, sizeof(EngineRequest));
	if (fetch->whole)
		return fetch;
	fetch->writer = store_part_resume(parts->account->engine->store, row->id, section,
					  fetch->size_hint, &fetch->offset, error);
	fetch->asked = fetch->offset;
	if (fetch->writer)
		return fetch;
	part_fetch_unref(fetch);
	return NULL;
}

/* A fetch of SECTION; NULL when it is here, or under way already. */
static PartFetch *
want_part(PartFetcher *parts, PartAsk *ask, const StoreRow *row, const MailPart *root,
	  const char *section, int64_t date)
{
	g_autofree char *key = part_fetch_key(row->uid, section);
	PartFetch *fetch = g_hash_table_lookup(parts->fetches, key);
	bool has = false, made = !fetch;

	if (!engine_part_has(parts->account->engine->store, row->id, section, &has, &ask->error) ||
	    has)
		return NULL;
	if (made) {
		fetch = fetch_new(parts, row, root, section, date, &ask->error);
		if (!fetch)
			return NULL;
		g_hash_table_insert(parts->fetches, g_steal_pointer(&key), fetch);
	}
	if (ask->job) {
		g_array_append_val(fetch->waiters, ask->job->request);
		ask->job->pending++;
	} else if (!fetch->for_keeps) {
		fetch->for_keeps = true;
		parts->keeps_pending++;
	}
	return made ? fetch : NULL;
}

typedef struct Group {
	GArray *uids;	    /* of ImapUid */
	GPtrArray *fetches; /* references */
} Group;

void
parts_ask_init(PartAsk *ask, Job *job)
{
	*ask = (PartAsk){ .job = job };
	ask->groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void
parts_ask_for(PartFetcher *parts, PartAsk *ask, const StoreRow *row, const MailPart *root,
	      char *const *sections, int64_t date)
{
	g_autoptr(GString) key = g_string_new(NULL);
	g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(part_fetch_unref);
	ImapUid uid = { row->uid };
	Group *group;

	/* On its way into this mailbox: there is nothing to ask for yet. */
	if (!row->uid)
		return;
	for (size_t i = 0; sections[i] && !ask->error; i++) {
		PartFetch *fetch;

		if (!is_section(sections[i])) {
			ask->error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_GONE,
							 _("the message has no such part"));
			break;
		}
		fetch = want_part(parts, ask, row, root, sections[i], date);
		if (!fetch)
			continue;
		if (!fetch->whole) {
			ask_pieces(fetch);
			continue;
		}
		g_string_append_printf(key, "%s%s", key->len ? " " : "=", sections[i]);
		g_ptr_array_add(whole, part_fetch_ref(fetch));
	}
	if (!whole->len)
		return;
	group = g_hash_table_lookup(ask->groups, key->str);
	if (!group) {
		group = g_new0(Group, 1);
		group->uids = g_array_new(FALSE, FALSE, sizeof(ImapUid));
		group->fetches = g_ptr_array_new_with_free_func(part_fetch_unref);
		g_hash_table_insert(ask->groups, g_strdup(key->str), group);
	}
	g_array_append_val(group->uids, uid);
	g_ptr_array_extend_and_steal(group->fetches, g_steal_pointer(&whole));
}

void
parts_ask_send(PartFetcher *parts, PartAsk *ask)
{
	GHashTableIter iter;
	void *key, *value;

	g_hash_table_iter_init(&iter, ask->groups);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		Group *group = value;
		g_auto(GStrv) sections = g_strsplit((char *)key + 1, " ", -1);
		char *none[] = { (char *)"", NULL };

		ask_whole(parts, group->uids, sections[0] ? sections : none, group->fetches);
		g_array_unref(group->uids);
		g_free(group);
	}
	g_clear_pointer(&ask->groups, g_hash_table_unref);
	if (ask->job && !ask->job->error)
		ask->job->error = g_steal_pointer(&ask->error);
	g_clear_error(&ask->error);
}

void
parts_start(PartFetcher *parts, Job *job)
{
	g_autoptr(StoreRow) row = NULL;
	g_autoptr(MailPart) root = NULL;
	PartAsk ask;

	job->started = true;
	if (!store_row_by_id(parts->account->engine->store, job->message, &row, &job->error))
		return;
	if (!row->uid) {
		job->error =
		    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_GONE,
					_("the server has not said yet where this message is"));
		return;
	}
	root = engine_structure(row);
	parts_ask_init(&ask, job);
	parts_ask_for(parts, &ask, row, root, job->sections, 0);
	parts_ask_send(parts, &ask);
}

uint64_t
parts_due(const PartFetcher *parts)
{
	GHashTableIter iter;
	void *value;
	uint64_t bytes = 0;

	g_hash_table_iter_init(&iter, parts->fetches);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const PartFetch *fetch = value;

		if (!fetch->complete)
			bytes +=
			    (fetch->whole ? MAX(fetch->size_hint, fetch->offset) : fetch->asked) -
			    fetch->offset;
	}
	return bytes;
}
