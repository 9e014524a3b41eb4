/* Parts, one at a time, as they are looked at.  Small ones come whole, many in one command; large ones
 * in pieces of about PIECE_US of line time, so that a cancelled one costs no more than a piece and a
 * person's request never waits behind 30 MB; after a cut they go on where they were.  What arrives
 * is kept only when the answer named the UID, the section and the offset that were asked for.  What
 * somebody waits for is written as soon as it is here, the rest many at a time. */
#include "literal-private.h"
#include "parts-private.h"

#define WRITE_BYTES (1024 * 1024) /* in one transaction: about 10 ms */
#define WRITE_PARTS 200

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

void
part_fetch_unref(void *data)
{
	PartFetch *fetch = data;

	if (!fetch || --fetch->refs)
		return;
	let_go(fetch, true);
	g_array_unref(fetch->waiters);
	g_free(fetch->section);
	g_free(fetch);
}

PartFetch *
part_fetch_ref(PartFetch *fetch)
{
	fetch->refs++;
	return fetch;
}

PartFetcher *
parts_new(Line *line)
{
	PartFetcher *parts = g_new0(PartFetcher, 1);

	parts->line = line;
	parts->account = line->account;
	parts->fetches = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, part_fetch_unref);
	parts->streamed = g_ptr_array_new_with_free_func(part_fetch_unref);
	parts->complete = g_ptr_array_new_with_free_func(part_fetch_unref);
	return parts;
}

void
parts_free(PartFetcher *parts)
{
	if (!parts)
		return;
	part_fetch_unref(parts->streaming);
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

char *
part_fetch_key(uint32_t uid, const char *section)
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
void
part_fetch_end(PartFetch *fetch, const GError *error)
{
	PartFetcher *parts = fetch->parts;
	Account *account = parts->account;
	g_autofree char *key = part_fetch_key(fetch->uid, fetch->section);
	EngineEvent event = { .type = ENGINE_EVENT_PART,
			      .account = account->id,
			      .message = fetch->message,
			      .section = fetch->section };
	EngineTotals more = { .parts = 1 };

	if (fetch->over)
		return;
	part_fetch_ref(fetch);
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
	part_fetch_unref(fetch);
}

void
part_fetch_gone(PartFetch *fetch)
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
	part_fetch_end(fetch, error);
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

	part_fetch_end(fetch, copy);
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

	parts->complete = g_ptr_array_new_with_free_func(part_fetch_unref);
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
			part_fetch_gone(fetch);
		else
			part_fetch_end(fetch, error);
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
	g_ptr_array_add(parts->complete, part_fetch_ref(fetch));
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
	g_autofree char *key = part_fetch_key(uid, name);

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

	g_clear_pointer(&parts->streaming, part_fetch_unref);
	if (!literal_name(prefix, &name) || span_starts_nocase(name.section, "HEADER.FIELDS"))
		return false;
	fetch =
	    name.uid ? find_fetch(parts, name.uid, name.section) : only_fetch(parts, name.section);
	if (fetch && fits(fetch, name.has_origin, name.origin, size))
		parts->streaming = part_fetch_ref(fetch);
	if (parts->streaming)
		fetch->unsure = !name.uid;
	/* Else it goes nowhere: it may be large. */
	g_ptr_array_add(parts->streamed,
			parts->streaming ? part_fetch_ref(parts->streaming) : NULL);
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
		part_fetch_gone(fetch);
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

	part_fetch_end(got, error);
}

void
parts_forget_streams(PartFetcher *parts)
{
	g_ptr_array_set_size(parts->streamed, 0);
	g_clear_pointer(&parts->streaming, part_fetch_unref);
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
			part_fetch_ref(fetch);
			take_section(fetch, section, got);
			part_fetch_unref(fetch);
		}
		if (got)
			part_fetch_unref(g_steal_pointer(slot));
	}
	for (guint i = 0; i < parts->streamed->len; i++)
		if (g_ptr_array_index(parts->streamed, i))
			fetch_spoilt(g_ptr_array_index(parts->streamed, i));
	parts_forget_streams(parts);
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
			g_ptr_array_add(idle, part_fetch_ref(fetch));
	}
	for (guint i = 0; i < idle->len; i++) {
		g_autoptr(GError) error =
		    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
		PartFetch *fetch = g_ptr_array_index(idle, i);

		/* A piece under way must not be taken for one that is asked for later. */
		for (unsigned t = 0; t < MIN(fetch->n_tickets, PARTS_PIECES); t++)
			imap_session_cancel(connection_session(parts->line->connection),
					    fetch->tickets[t]);
		part_fetch_end(fetch, error);
		part_fetch_unref(fetch);
	}
}

void
parts_forget(PartFetcher *parts, const GError *error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(part_fetch_unref);
	GHashTableIter iter;
	void *value;

	/* What is here stays. */
	parts_write(parts);
	g_hash_table_iter_init(&iter, parts->fetches);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(all, part_fetch_ref(value));
	for (guint i = 0; i < all->len; i++)
		part_fetch_end(g_ptr_array_index(all, i), error);
	parts_forget_streams(parts);
	g_clear_pointer(&parts->keeping, keeping_free);
	parts->in_flight = 0;
}
