/* Parts, one at a time, as they are looked at.  Small ones come whole, many in one command; large ones
 * in pieces of about PIECE_US of line time, so that a cancelled one costs no more than a piece and a
 * person's request never waits behind 30 MB; after a cut they go on where they were.  What arrives
 * is kept only when the answer named the UID, the section and the offset that were asked for.  What
 * somebody waits for is written as soon as it is here, the rest many at a time. */
#include "literal-private.h"
#include "parts-private.h"

#define WHOLE_MAX_BYTES	  (128 * 1024) /* asked for without pieces */
#define PIECE_FIRST_BYTES (128 * 1024)
#define PIECE_MAX_BYTES	  (1024 * 1024)
#define PIECE_US	  200000
#define WRITE_BYTES	  (1024 * 1024) /* in one transaction: about 10 ms */
#define WRITE_PARTS	  200

typedef struct Asked {
	PartFetcher *parts;
	GPtrArray *fetches; /* of PartFetch, references */
	uint64_t end;	    /* of the piece */
} Asked;

static void ask_pieces(PartFetch *fetch);

/* What came of FETCH is given up.  LATER: it may go on from there. */
static void
let_go(PartFetch *fetch, bool later)
{
	StorePartWriter *writer = g_steal_pointer(&fetch->writer);

	if (later && !fetch->whole && !fetch->unsure)
		store_part_leave(writer);
	else
		store_part_abort(writer);
}

static void
fetch_unref(PartFetch *fetch)
{
	if (!fetch || --fetch->refs)
		return;
	let_go(fetch, true);
	g_array_unref(fetch->waiters);
	g_free(fetch->section);
	g_free(fetch);
}

static PartFetch *
fetch_ref(PartFetch *fetch)
{
	fetch->refs++;
	return fetch;
}

static void
unref_maybe(void *fetch)
{
	fetch_unref(fetch);
}

PartFetcher *
parts_new(Line *line)
{
	PartFetcher *parts = g_new0(PartFetcher, 1);

	parts->line = line;
	parts->account = line->account;
	parts->fetches = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_maybe);
	parts->streamed = g_ptr_array_new_with_free_func(unref_maybe);
	parts->complete = g_ptr_array_new_with_free_func(unref_maybe);
	return parts;
}

void
parts_free(PartFetcher *parts)
{
	if (!parts)
		return;
	fetch_unref(parts->streaming);
	g_ptr_array_unref(parts->streamed);
	g_ptr_array_unref(parts->complete);
	g_hash_table_unref(parts->fetches);
	keeping_free(parts->keeping);
	g_free(parts);
}

bool
parts_is_busy(const PartFetcher *parts)
{
	return parts->in_flight > 0;
}

static char *
fetch_key(uint32_t uid, const char *section)
{
	return g_strdup_printf("%u %s", uid, section);
}

/* A message that cannot be read does not keep a SYNC from the others; it is told in the end, unless
 * the message went meanwhile. */
static void
job_failed(Account *account, Job *job, StoreId message, const GError *error)
{
	bool one = postern_error_is(error, POSTERN_ERROR_GONE) ||
		   postern_error_is(error, POSTERN_ERROR_REFUSED);

	if (job->kind != JOB_SYNC || !one) {
		if (!job->error)
			job->error = g_error_copy(error);
	} else if (!job->skipped || !job_has_skipped(account, job)) {
		g_clear_error(&job->skipped);
		job->skipped = g_error_copy(error);
		job->skipped_message = message;
	}
}

/* FETCH is over, with ERROR or well; those who wait are told. */
static void
fetch_end(PartFetch *fetch, const GError *error)
{
	PartFetcher *parts = fetch->parts;
	Account *account = parts->account;
	g_autofree char *key = fetch_key(fetch->uid, fetch->section);
	EngineEvent event = { .type = ENGINE_EVENT_PART,
			      .account = account->id,
			      .message = fetch->message,
			      .section = fetch->section };
	EngineTotals more = { .parts = 1 };

	if (fetch->over)
		return;
	fetch_ref(fetch);
	fetch->over = true;
	if (fetch->writer) {
		engine_tidy_later(account->engine);
		let_go(fetch, !postern_error_is(error, POSTERN_ERROR_GONE) &&
				  !postern_error_is(error, POSTERN_ERROR_PROTOCOL));
	}
	parts->keeps_pending -= fetch->for_keeps;
	if (!error) {
		engine_add_totals(account->engine, &more);
		engine_post(account->engine, &event);
	}
	for (guint i = 0; i < fetch->waiters->len; i++) {
		Job *job =
		    account_find_job(account, g_array_index(fetch->waiters, EngineRequest, i));

		if (!job)
			continue;
		job->pending--;
		if (error)
			job_failed(account, job, fetch->message, error);
	}
	g_hash_table_remove(parts->fetches, key);
	account_pump_later(account);
	fetch_unref(fetch);
}

static void
fetch_gone(PartFetch *fetch)
{
	g_autoptr(GError) error = NULL;

	if (fetch->over)
		return;
	if (*fetch->section)
		error =
		    g_error_new(POSTERN_ERROR, POSTERN_ERROR_GONE,
				_("the server does not give part %s of message %u: it may be gone"),
				fetch->section, fetch->uid);
	else
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("the server does not give message %u: it may be gone"),
				    fetch->uid);
	fetch_end(fetch, error);
}

static void
fetch_misfit(PartFetch *fetch)
{
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_PROTOCOL,
			_("the server sent another piece of message %u than was asked for"),
			fetch->uid);

	fetch_end(fetch, error);
}

static bool
fetch_append(PartFetch *fetch, Span bytes, GError **error)
{
	if (!fetch->writer)
		fetch->writer = store_part_begin(fetch->parts->account->engine->store, error);
	if (!fetch->writer || !store_part_append(fetch->writer, bytes, error))
		return false;
	fetch->offset += span_size(bytes);
	return true;
}

static void
fetch_failed(PartFetch *fetch, const GError *error)
{
	g_autoptr(GError) copy = g_error_copy(error);

	fetch_end(fetch, copy);
	/* GONE: only this message went.  Anything else is the disk, and everything's business. */
	if (!postern_error_is(copy, POSTERN_ERROR_GONE))
		account_store_failed(fetch->parts->account, copy);
}

/* Does a person wait for it? */
static bool
is_urgent(const PartFetch *fetch)
{
	for (guint i = 0; i < fetch->waiters->len; i++) {
		const Job *job = account_find_job(fetch->parts->account,
						  g_array_index(fetch->waiters, EngineRequest, i));

		if (job && job->kind == JOB_PARTS)
			return true;
	}
	return false;
}

static StorePartDone
done_of(PartFetch *fetch)
{
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;

	return (StorePartDone){
		.writer = g_steal_pointer(&fetch->writer),
		.message = fetch->message,
		.section = fetch->section,
		.looked = is_urgent(fetch) ? 0 : CLAMP(fetch->date, 0, now),
	};
}

void
parts_write(PartFetcher *parts)
{
	g_autoptr(GPtrArray) fetches = parts->complete;
	g_autofree StorePartDone *done = g_new0(StorePartDone, fetches->len + 1);
	g_autoptr(GError) error = NULL;
	guint n = 0;

	parts->complete = g_ptr_array_new_with_free_func(unref_maybe);
	parts->complete_bytes = 0;
	/* Some may have been given up meanwhile. */
	for (guint i = fetches->len; i > 0; i--)
		if (((PartFetch *)g_ptr_array_index(fetches, i - 1))->over)
			g_ptr_array_remove_index(fetches, i - 1);
	for (; n < fetches->len; n++)
		done[n] = done_of(g_ptr_array_index(fetches, n));
	if (!n)
		return;
	store_parts_finish(parts->account->engine->store, done, n, &error);
	for (guint i = 0; i < n; i++) {
		PartFetch *fetch = g_ptr_array_index(fetches, i);

		if (!error && done[i].gone)
			fetch_gone(fetch);
		else
			fetch_end(fetch, error);
	}
	if (error)
		account_store_failed(parts->account, error);
	else
		engine_evict_later(parts->account->engine);
}

static void
fetch_complete(PartFetch *fetch)
{
	PartFetcher *parts = fetch->parts;
	g_autoptr(GError) error = NULL;

	if (!fetch->writer)
		fetch->writer = store_part_begin(parts->account->engine->store, &error);
	if (!fetch->writer) {
		fetch_failed(fetch, error);
		return;
	}
	fetch->complete = true;
	g_ptr_array_add(parts->complete, fetch_ref(fetch));
	parts->complete_bytes += fetch->offset;
	if (parts->complete_bytes >= WRITE_BYTES || parts->complete->len >= WRITE_PARTS ||
	    is_urgent(fetch))
		parts_write(parts);
}

static void
tell_progress(PartFetch *fetch)
{
	Account *account = fetch->parts->account;

	for (guint i = 0; i < fetch->waiters->len; i++) {
		EngineEvent event = { .type = ENGINE_EVENT_PROGRESS,
				      .account = account->id,
				      .message = fetch->message,
				      .request = g_array_index(fetch->waiters, EngineRequest, i),
				      .done = fetch->offset,
				      .total = fetch->size_hint };

		if (!fetch->whole && account_find_job(account, event.request))
			engine_post(account->engine, &event);
	}
}

/* ---- what comes ------------------------------------------------------------------------------------- */

static PartFetch *
find_fetch(PartFetcher *parts, uint32_t uid, Span section)
{
	g_autofree char *name = span_dup(section);
	g_autofree char *key = fetch_key(uid, name);

	return g_hash_table_lookup(parts->fetches, key);
}

/* The only fetch of SECTION, for servers that name the UID last. */
static PartFetch *
only_fetch(PartFetcher *parts, Span section)
{
	GHashTableIter iter;
	void *value;
	PartFetch *found = NULL;

	g_hash_table_iter_init(&iter, parts->fetches);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		PartFetch *fetch = value;

		if (!span_is(section, fetch->section))
			continue;
		if (found)
			return NULL;
		found = fetch;
	}
	return found;
}

/* Is an answer of SIZE bytes what FETCH needs next?  One to a piece that was cancelled, and asked for
 * again since, may come before the one that is meant, and may serve as well. */
static bool
fits(const PartFetch *fetch, bool has_origin, uint64_t origin, uint64_t size)
{
	if (fetch->complete)
		return false;
	if (fetch->whole || !has_origin)
		return !fetch->offset && !origin; /* all of it, whatever was asked for */
	return origin == fetch->offset && size <= fetch->asked - fetch->offset;
}

bool
parts_on_literal(PartFetcher *parts, Span prefix, uint64_t size)
{
	LiteralName name;
	PartFetch *fetch;

	g_clear_pointer(&parts->streaming, fetch_unref);
	if (!literal_name(prefix, &name) || span_starts_nocase(name.section, "HEADER.FIELDS"))
		return false;
	fetch =
	    name.uid ? find_fetch(parts, name.uid, name.section) : only_fetch(parts, name.section);
	if (fetch && fits(fetch, name.has_origin, name.origin, size))
		parts->streaming = fetch_ref(fetch);
	if (parts->streaming)
		fetch->unsure = !name.uid;
	/* Else it goes nowhere: it may be large. */
	g_ptr_array_add(parts->streamed, parts->streaming ? fetch_ref(parts->streaming) : NULL);
	return true;
}

void
parts_on_literal_bytes(PartFetcher *parts, Span bytes)
{
	PartFetch *fetch = parts->streaming;
	g_autoptr(GError) error = NULL;

	parts_count_bytes(parts, span_size(bytes));
	if (!fetch || fetch->over)
		return;
	if (!fetch_append(fetch, bytes, &error))
		fetch_failed(fetch, error);
}

/* One section of one answer.  GOT: its bytes went to FETCH as they came. */
static void
take_section(PartFetch *fetch, const ImapBodySection *section, bool got)
{
	g_autoptr(GError) error = NULL;

	if (fetch->over || fetch->complete)
		return;
	if (got)
		fetch->unsure = false;
	if (!section->streamed)
		parts_count_bytes(fetch->parts, span_size(section->bytes));
	if (!section->streamed && imap_string_is_nil(section->bytes)) {
		fetch_gone(fetch);
		return;
	}
	if (!got && (section->streamed ||
		     !fits(fetch, section->has_origin, section->origin, section->size_bytes))) {
		fetch->misfit = true;
		return;
	}
	if (!got && !fetch_append(fetch, section->bytes, &error)) {
		fetch_failed(fetch, error);
		return;
	}
	tell_progress(fetch);
	/* A short piece is the last one; so is the one that ends where the structure says. */
	if (fetch->whole || !section->has_origin || section->size_bytes < fetch->piece ||
	    (fetch->size_hint && fetch->offset == fetch->size_hint))
		fetch_complete(fetch);
}

/* Bytes went to GOT that its answer does not own up to. */
static void
fetch_spoilt(PartFetch *got)
{
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_PROTOCOL,
			_("the server sent another message than %u"), got->uid);

	fetch_end(got, error);
}

static void
forget_streams(PartFetcher *parts)
{
	g_ptr_array_set_size(parts->streamed, 0);
	g_clear_pointer(&parts->streaming, fetch_unref);
}

void
parts_on_fetch(PartFetcher *parts, const ImapFetch *response)
{
	for (size_t i = 0; i < response->n_sections; i++) {
		const ImapBodySection *section = &response->sections[i];
		PartFetch *fetch = (response->present & IMAP_FETCH_UID)
				       ? find_fetch(parts, response->uid.value, section->section)
				       : NULL;
		void **slot = section->streamed && section->stream_number < parts->streamed->len
				  ? &g_ptr_array_index(parts->streamed, section->stream_number)
				  : NULL;
		bool got = slot && *slot && *slot == fetch;

		if (fetch) {
			fetch_ref(fetch);
			take_section(fetch, section, got);
			fetch_unref(fetch);
		}
		if (got)
			fetch_unref(g_steal_pointer(slot));
	}
	for (guint i = 0; i < parts->streamed->len; i++)
		if (g_ptr_array_index(parts->streamed, i))
			fetch_spoilt(g_ptr_array_index(parts->streamed, i));
	forget_streams(parts);
}

/* ---- what is asked ------------------------------------------------------------------------------------ */

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
	forget_streams(parts);
	for (guint i = 0; i < asked->fetches->len; i++) {
		PartFetch *fetch = g_ptr_array_index(asked->fetches, i);
		int64_t us = g_get_monotonic_time() - fetch->piece_us;

		if (fetch->over || fetch->complete || outcome == IMAP_OUTCOME_CLOSED)
			continue;
		/* Everything this command was to bring has come, or never will. */
		if (outcome == IMAP_OUTCOME_BAD) {
			g_autoptr(GError) error =
			    account_refusal(response, POSTERN_ERROR_REFUSED, _("read the message"));

			fetch_end(fetch, error);
			continue;
		}
		if (fetch->misfit && (fetch->whole || fetch->offset < asked->end)) {
			fetch_misfit(fetch);
			continue;
		}
		if (fetch->whole || fetch->offset < asked->end) {
			fetch_gone(fetch);
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
	asked->fetches = g_ptr_array_new_with_free_func(unref_maybe);
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
		g_ptr_array_add(asked->fetches, fetch_ref(fetch));
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
	fetch_unref(fetch);
	return NULL;
}

/* A fetch of SECTION; NULL when it is here, or under way already. */
static PartFetch *
want_part(PartFetcher *parts, PartAsk *ask, const StoreRow *row, const MailPart *root,
	  const char *section, int64_t date)
{
	g_autofree char *key = fetch_key(row->uid, section);
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
	g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(unref_maybe);
	ImapUid uid = { row->uid };
	Group *group;

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
		g_ptr_array_add(whole, fetch_ref(fetch));
	}
	if (!whole->len)
		return;
	group = g_hash_table_lookup(ask->groups, key->str);
	if (!group) {
		group = g_new0(Group, 1);
		group->uids = g_array_new(FALSE, FALSE, sizeof(ImapUid));
		group->fetches = g_ptr_array_new_with_free_func(unref_maybe);
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

/* ---- ends --------------------------------------------------------------------------------------------------- */

void
parts_cancel(PartFetcher *parts, Job *job)
{
	g_autoptr(GPtrArray) idle = g_ptr_array_new();
	GHashTableIter iter;
	void *value;

	/* What is here stays. */
	parts_write(parts);
	g_hash_table_iter_init(&iter, parts->fetches);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		PartFetch *fetch = value;

		for (guint i = fetch->waiters->len; i > 0; i--)
			if (g_array_index(fetch->waiters, EngineRequest, i - 1) == job->request)
				g_array_remove_index_fast(fetch->waiters, i - 1);
		if (!fetch->waiters->len && !fetch->for_keeps)
			g_ptr_array_add(idle, fetch_ref(fetch));
	}
	for (guint i = 0; i < idle->len; i++) {
		g_autoptr(GError) error =
		    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
		PartFetch *fetch = g_ptr_array_index(idle, i);

		/* A piece under way must not be taken for one that is asked for later. */
		for (unsigned t = 0; t < MIN(fetch->n_tickets, PARTS_PIECES); t++)
			imap_session_cancel(connection_session(parts->line->connection),
					    fetch->tickets[t]);
		fetch_end(fetch, error);
		fetch_unref(fetch);
	}
}

void
parts_forget(PartFetcher *parts, const GError *error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(unref_maybe);
	GHashTableIter iter;
	void *value;

	/* What is here stays. */
	parts_write(parts);
	g_hash_table_iter_init(&iter, parts->fetches);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(all, fetch_ref(value));
	for (guint i = 0; i < all->len; i++)
		fetch_end(g_ptr_array_index(all, i), error);
	forget_streams(parts);
	g_clear_pointer(&parts->keeping, keeping_free);
	parts->in_flight = 0;
}
