/* The selected mailbox: what the server says of it, and how that gets into the store.
 *
 * The store's promise to itself: every UID from box->known_from_uid up to box->mirrored_uidnext is
 * here.  So the sequence number of any of them follows from that of the newest (SeqMap), without
 * asking for the UIDs of the rest. */
#include "mirror-private.h"

#include "base/safetext.h"
#include "imap/mutf7.h"

#define WRITE_ROWS    500 /* a transaction of about 10 ms */
#define WRITE_CHANGES 5000
#define MORE_CHANGES  250 /* came: time for more of them, perhaps */

Mirror *
mirror_new(Line *line, GBytes *raw)
{
	Mirror *mirror = g_new0(Mirror, 1);

	mirror->line = line;
	mirror->account = line->account;
	mirror->raw = g_bytes_ref(raw);
	mirror->batch = record_batch_new();
	mirror->changes = g_array_new(FALSE, FALSE, sizeof(StoreFlagChange));
	mirror->change_words = g_string_chunk_new(1024);
	mirror->gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	mirror->found = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	mirror->earlier = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	mirror->searches = g_array_new(FALSE, FALSE, sizeof(ImapTicket));
	mirror->suspects = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	mirror->holes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	mirror->hopeless = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return mirror;
}

void
mirror_free(Mirror *mirror)
{
	if (!mirror)
		return;
	mirror_drop_early(mirror);
	seqmap_clear(&mirror->map);
	compare_free(mirror->compare);
	for (unsigned i = 0; i < mirror->n_slices; i++)
		g_clear_pointer(&mirror->slices[i].came, g_array_unref);
	g_array_unref(mirror->earlier);
	g_array_unref(mirror->searches);
	g_array_unref(mirror->suspects);
	g_array_unref(mirror->holes);
	g_array_unref(mirror->hopeless);
	g_array_unref(mirror->found);
	g_array_unref(mirror->gone);
	g_array_unref(mirror->changes);
	g_string_chunk_free(mirror->change_words);
	record_batch_free(mirror->batch);
	store_mailbox_free(mirror->box);
	g_clear_error(&mirror->error);
	g_clear_error(&mirror->loss);
	g_clear_pointer(&mirror->kept_flags, g_ptr_array_unref);
	g_bytes_unref(mirror->raw);
	g_free(mirror);
}

void
mirror_retire(Mirror *mirror)
{
	if (mirror->ready && !mirror->stuck)
		mirror_apply(mirror);
	mirror->retired = true;
	mirror->filling = false;
}

bool
mirror_is_retired(const Mirror *mirror)
{
	return mirror->retired;
}

void
mirror_doubt(Mirror *mirror)
{
	mirror->doubt = true;
	mirror->top_known = false;
	seqmap_clear(&mirror->map);
}

bool
mirror_is(const Mirror *mirror, GBytes *raw)
{
	return mirror && g_bytes_equal(mirror->raw, raw);
}

bool
mirror_is_ready(const Mirror *mirror)
{
	return mirror->ready;
}

bool
mirror_is_current(const Mirror *mirror)
{
	return mirror->current || mirror->stuck;
}

bool
mirror_is_complete(const Mirror *mirror)
{
	return mirror->stuck || (mirror->box && mirror->box->known_from_uid == 1 &&
				 !mirror->flags_next && !mirror->suspects->len);
}

bool
mirror_is_windowing(const Mirror *mirror)
{
	return mirror->pending && !mirror->box->known_from_uid;
}

bool
mirror_is_busy(const Mirror *mirror)
{
	return mirror->selecting || mirror->riding || mirror->early || mirror->pending ||
	       mirror->n_slices || mirror->lone;
}

bool
mirror_is_refused(const Mirror *mirror)
{
	return mirror->error && mirror->for_good;
}

const GError *
mirror_error(const Mirror *mirror)
{
	return mirror->error;
}

StoreId
mirror_mailbox(const Mirror *mirror)
{
	return mirror->box ? mirror->box->id : 0;
}

void
mirror_want(Mirror *mirror, uint32_t rows)
{
	if (rows <= mirror->wanted)
		return;
	mirror->wanted = rows;
	if (mirror->ready)
		line_pump_later(mirror->line);
}

bool
mirror_covers(const Mirror *mirror, uint32_t n)
{
	return mirror->stuck || mirror->box->known_from_uid == 1 || mirror->box->mirrored >= n;
}

bool
mirror_has_condstore(const Mirror *mirror)
{
	/* QRESYNC implies it (RFC 7162, 3.2.3). */
	return mirror->modseq && !mirror->no_modseq &&
	       (line_has(mirror->line, "CONDSTORE") || line_has(mirror->line, "QRESYNC"));
}

const char *
mirror_items(const Mirror *mirror)
{
	return mirror_has_condstore(mirror) ? RECORD_ITEMS_MODSEQ : RECORD_ITEMS;
}

ImapTicket
mirror_send(Mirror *mirror, ImapCommand *command, ImapDone done, void *data)
{
	return connection_send(mirror->line->connection, command, IMAP_SEND_NORMAL, done, data);
}

bool
mirror_is_unanswered(Mirror *mirror, ImapOutcome outcome)
{
	Line *line = mirror->line;
	g_autoptr(GError) error = NULL;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return true;
	if (outcome != IMAP_OUTCOME_CANCELLED)
		return false;
	if (!line_is_ending(line)) {
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				    _("%s did not answer: trying anew"),
				    mirror->account->config->imap_host);
		connection_fail(line->connection, error);
	}
	return true;
}

/* ---- writing down -------------------------------------------------------------------------------- */

static bool
put_rows(Mirror *mirror, Store *store, GError **error)
{
	size_t n;
	const StoreMessage *messages = record_batch_messages(mirror->batch, &n);
	EngineTotals more = { .messages = n };

	if (!n)
		return true;
	if (!store_messages_put(store, mirror->box->id, messages, n, error))
		return false;
	seqmap_clear(&mirror->map);
	engine_add_totals(mirror->account->engine, &more);
	return true;
}

static bool
write_down(Mirror *mirror, const MirrorProgress *progress, GError **error)
{
	Store *store = mirror->account->engine->store;
	StoreMailbox *box = mirror->box;
	MirrorProgress to = { box->known_from_uid, box->mirrored_uidnext, box->mirrored_modseq };

	if (!put_rows(mirror, store, error))
		return false;
	if (mirror->changes->len &&
	    !store_messages_flag(store, box->id, (StoreFlagChange *)(void *)mirror->changes->data,
				 mirror->changes->len, NULL, error))
		return false;
	if (mirror->gone->len &&
	    !store_messages_remove(store, box->id, (uint32_t *)(void *)mirror->gone->data,
				   mirror->gone->len, NULL, error))
		return false;
	if (progress) {
		if (progress->known_from_uid)
			to.known_from_uid = progress->known_from_uid;
		if (progress->mirrored_uidnext)
			to.mirrored_uidnext = progress->mirrored_uidnext;
		if (progress->mirrored_modseq && !mirror->distrusts)
			to.mirrored_modseq = progress->mirrored_modseq;
		if (!store_mailbox_progress(store, box->id, to.known_from_uid, to.mirrored_uidnext,
					    to.mirrored_modseq, error))
			return false;
	}
	return true;
}

/* The server's counts as of now: what it said of EXISTS; of unread what the mirror knows, once it
 * is complete. */
static bool
write_counts(Mirror *mirror, GError **error)
{
	Store *store = mirror->account->engine->store;
	g_autoptr(StoreMailbox) fresh = NULL;
	StoreMailbox counts = { .id = mirror->box->id,
				.server_total = mirror->exists,
				.server_unread = -1,
				.uidvalidity = mirror->uidvalidity,
				.uidnext = mirror->uidnext,
				.highestmodseq = mirror->modseq };

	if (!store_mailbox_get(store, mirror->box->id, &fresh, error))
		return false;
	if (fresh->known_from_uid == 1)
		counts.server_unread = fresh->unread;
	if (!store_mailbox_status(store, &counts, error))
		return false;
	store_mailbox_free(mirror->box);
	mirror->box = g_steal_pointer(&fresh);
	return true;
}

static void
forget_gathered(Mirror *mirror)
{
	record_batch_clear(mirror->batch);
	g_array_set_size(mirror->changes, 0);
	g_string_chunk_clear(mirror->change_words);
	g_array_set_size(mirror->gone, 0);
}

bool
mirror_write(Mirror *mirror, const MirrorProgress *progress)
{
	Account *account = mirror->account;
	Store *store = account->engine->store;
	g_autoptr(GError) error = NULL;
	EngineEvent event = { .type = ENGINE_EVENT_ROWS, .account = account->id };
	EngineEvent folders = { .type = ENGINE_EVENT_FOLDERS, .account = account->id };
	bool fine;

	if (!mirror->box)
		return true;
	if (mirror->retired) {
		forget_gathered(mirror);
		return true;
	}
	event.mailbox = mirror->box->id;
	fine = store_begin(store, &error);
	if (fine && (!write_down(mirror, progress, &error) || !write_counts(mirror, &error))) {
		store_rollback(store);
		fine = false;
	}
	if (fine)
		fine = store_commit(store, &error);
	if (mirror->gone->len)
		engine_tidy_later(account->engine);
	forget_gathered(mirror);
	if (!fine) {
		mirror->stuck = true;
		account_store_failed(account, error);
		return false;
	}
	engine_post(account->engine, &event);
	if (mirror->current)
		engine_post(account->engine, &folders);
	return true;
}

static bool
has_gathered(const Mirror *mirror)
{
	size_t n;

	record_batch_messages(mirror->batch, &n);
	return n || mirror->changes->len || mirror->gone->len;
}

bool
mirror_apply(Mirror *mirror)
{
	return !has_gathered(mirror) || mirror_write(mirror, NULL);
}

/* ---- sequence numbers ------------------------------------------------------------------------------ */

static bool
load_map(Mirror *mirror)
{
	uint32_t *uids;
	size_t n;

	if (!mirror->top_known)
		return false;
	/* Rows not written yet are not in it, and writing them forgets it. */
	record_batch_messages(mirror->batch, &n);
	if (seqmap_is_loaded(&mirror->map) && !n)
		return true;
	if (!mirror_apply(mirror))
		return false;
	if (seqmap_is_loaded(&mirror->map))
		return true;
	if (!mirror_uids(mirror, 0, &uids, &n))
		return false;
	seqmap_load(&mirror->map, uids, n, 1, mirror->top_seq);
	return true;
}

const GArray *
mirror_mapped(Mirror *mirror)
{
	return load_map(mirror) ? mirror->map.uids : NULL;
}

static void
on_expunge(Mirror *mirror, uint32_t seq)
{
	uint32_t uid = 0;

	/* Before SELECT's answer: of the mailbox before, unless behind its EXISTS. */
	if (!mirror->ready && mirror->counted && seq && seq <= mirror->exists)
		mirror->exists--;
	/* Out of range. */
	if (!mirror->ready || !seq || seq > mirror->exists) {
		mirror->doubt = true;
		return;
	}
	mirror_numbers_shifted(mirror);
	mirror->exists--;
	if (seq <= mirror->new_exists)
		mirror->new_exists--;
	if (seq <= mirror->new_base)
		mirror->new_base--;
	if (seq < mirror->seen_seq)
		mirror->seen_seq--;
	else if (seq == mirror->seen_seq)
		mirror->seen_seq = 0;
	if (load_map(mirror))
		uid = seqmap_expunge(&mirror->map, seq);
	else
		mirror->doubt |= !mirror->distrusts;
	if (mirror->top_known && seq <= mirror->top_seq)
		mirror->top_seq--;
	if (uid) {
		mirror_forget_hopeless(mirror, uid);
		g_array_append_val(mirror->gone, uid);
	}
}

/* ---- responses -------------------------------------------------------------------------------------- */

static void
count_row(Mirror *mirror, uint32_t uid)
{
	for (unsigned i = 0; i < mirror->n_slices; i++) {
		Slice *slice = &mirror->slices[i];

		if (uid < slice->low || uid > slice->high)
			continue;
		slice->rows++;
		if (!slice->came || slice->came->len > mirror->exists)
			continue;
		g_array_append_val(slice->came, uid);
		mirror_time_row(mirror);
	}
}

/* Before SELECT's answer said what its UIDs mean: it will be asked for again. */
static void
lose_early(Mirror *mirror)
{
	mirror->early_lost = true;
	g_array_set_size(mirror->changes, 0);
	g_string_chunk_clear(mirror->change_words);
}

static void
on_flags(Mirror *mirror, const ImapFetch *fetch)
{
	uint32_t uid = fetch->uid.value;
	StoreFlagChange change = { 0 };
	g_autoptr(GString) words = NULL;

	if (!mirror->box)
		return;
	if (!(fetch->present & IMAP_FETCH_UID))
		uid = load_map(mirror) ? seqmap_uid(&mirror->map, fetch->seq.value) : 0;
	if (!uid)
		return;
	words = g_string_new(NULL);
	change.uid = uid;
	change.flags = record_flags(&fetch->flags, words);
	change.modseq = fetch->modseq;
	if (words->len)
		change.keywords =
		    span_of_string(g_string_chunk_insert_len(mirror->change_words, words->str,
							     (gssize)words->len));
	g_array_append_val(mirror->changes, change);
	count_row(mirror, uid);
	if (mirror->changes->len % MORE_CHANGES == 0)
		mirror_fill_on(mirror);
	if (mirror->changes->len < WRITE_CHANGES)
		return;
	if (mirror->ready || mirror_is_told(mirror))
		mirror_apply(mirror);
	else
		lose_early(mirror);
}

/* In mid-session: nothing known of this line holds any more. */
static void
on_renumbered(Mirror *mirror)
{
	g_autofree char *name = safe_line(mirror->box->name);
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			_("the server renumbered \"%s\": reading it anew"), name);

	connection_fail(mirror->line->connection, error);
}

/* Another message under a UID that is known, and the same UIDVALIDITY: the next SELECT would not see it.
 * Nothing is written from here any more, of what is still on its way. */
static void
on_other(Mirror *mirror)
{
	uint32_t kept = mirror_kept(mirror);
	g_autoptr(GError) error = NULL;

	log_event(mirror->account->engine->log, "mirror", "another message under a UID: read anew");
	if (!mirror_may_lose(mirror, kept - MIN(kept, mirror->exists)))
		mirror_distrust_numbers(mirror);
	else if (!mirror_read_anew(mirror, &error))
		account_store_failed(mirror->account, error);
	mirror->retired = true;
	on_renumbered(mirror);
}

static void
on_fetch(Mirror *mirror, const ImapFetch *fetch, bool early)
{
	size_t n;

	/* Before SELECT's answer it is of the mailbox before, or part of that answer. */
	if (early && fetch->present & IMAP_FETCH_FLAGS && fetch->present & IMAP_FETCH_UID)
		on_flags(mirror, fetch);
	if (!mirror->ready || mirror_is_stray(mirror))
		return;
	if (fetch->present & IMAP_FETCH_MODSEQ && fetch->modseq <= INT64_MAX)
		mirror->seen_modseq = MAX(mirror->seen_modseq, fetch->modseq);
	if (mirror->compare && fetch->present & IMAP_FETCH_UID)
		compare_take_number(mirror->compare, fetch->seq.value, fetch->uid.value);
	if (!(fetch->present & IMAP_FETCH_ENVELOPE) && mirror->hole_stage &&
	    mirror_is_hole(mirror, fetch->uid.value)) {
		record_batch_add_bare(mirror->batch, fetch);
		return;
	}
	if (!record_is_whole(fetch)) {
		if (fetch->present & IMAP_FETCH_FLAGS)
			on_flags(mirror, fetch);
		return;
	}
	if (mirror_is_other(mirror, fetch)) {
		on_other(mirror);
		return;
	}
	if (!record_batch_add(mirror->batch, fetch))
		return;
	mirror->rows_seen++;
	mirror->seen_min =
	    mirror->seen_min ? MIN(mirror->seen_min, fetch->uid.value) : fetch->uid.value;
	if (fetch->uid.value >= mirror->seen_max) {
		mirror->seen_max = fetch->uid.value;
		mirror->seen_seq = fetch->seq.value <= mirror->exists ? fetch->seq.value : 0;
	}
	count_row(mirror, fetch->uid.value);
	mirror_time_row(mirror);
	record_batch_messages(mirror->batch, &n);
	if (n >= WRITE_ROWS && mirror->box && mirror_apply(mirror))
		mirror_fill_on(mirror);
}

static void
on_exists(Mirror *mirror, uint32_t exists)
{
	/* It may not shrink without EXPUNGE (RFC 9051, 7.4.1): nobody knows what went. */
	if (mirror->ready && exists < mirror->exists) {
		mirror->doubt |= !mirror->distrusts;
		mirror->top_known = false;
		mirror_numbers_shifted(mirror);
		mirror->new_exists = MIN(mirror->new_exists, exists);
		mirror->new_base = MIN(mirror->new_base, exists);
	}
	mirror->grew |= mirror->counted && exists > mirror->exists;
	mirror->counted = true;
	mirror->exists = exists;
}

/* RFC 9051, 7.1: which flags can be changed for good. */
static void
keep_permanent(Mirror *mirror, const ImapFlags *flags)
{
	g_clear_pointer(&mirror->kept_flags, g_ptr_array_unref);
	mirror->kept_flags = g_ptr_array_new_with_free_func(g_free);
	mirror->kept_bits = flags->bits;
	for (size_t i = 0; i < flags->keywords.count; i++)
		g_ptr_array_add(mirror->kept_flags, span_dup(flags->keywords.at[i]));
}

bool
mirror_keeps_flag(const Mirror *mirror, uint16_t flag, const char *keyword)
{
	if (mirror->read_only)
		return false;
	if (!mirror->kept_flags)
		return true;
	if (flag)
		return (mirror->kept_bits & flag) != 0;
	if (mirror->kept_bits & IMAP_FLAG_ANY)
		return true;
	for (guint i = 0; i < mirror->kept_flags->len; i++)
		if (!g_ascii_strcasecmp(mirror->kept_flags->pdata[i], keyword))
			return true;
	return false;
}

static void
on_code(Mirror *mirror, const ImapResponse *response)
{
	switch (response->code) {
	case IMAP_CODE_UIDNEXT:
		mirror->uidnext = (uint32_t)response->number;
		break;
	case IMAP_CODE_UIDVALIDITY:
		if (mirror->ready && mirror->uidvalidity != response->number)
			on_renumbered(mirror);
		mirror->uidvalidity = (uint32_t)response->number;
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		/* RFC 7162, 3.1: 63 bits.  It counts, also when more was seen (6). */
		mirror->modseq = response->number <= INT64_MAX ? response->number : 0;
		mirror->seen_modseq = 0;
		break;
	case IMAP_CODE_NOMODSEQ:
		mirror->no_modseq = true;
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		keep_permanent(mirror, &response->flags);
		break;
	case IMAP_CODE_READ_ONLY:
		mirror->read_only = true;
		break;
	case IMAP_CODE_READ_WRITE:
		mirror->read_only = false;
		break;
	default:
		break;
	}
}

bool
mirror_on_response(Mirror *mirror, const ImapResponse *response, ImapTicket ticket)
{
	bool early = !mirror->ready && ticket && ticket == mirror->select_ticket;

	if (!mirror->selecting && !mirror->riding && !mirror->ready)
		return false;
	/* Of a mailbox that another line looks after only its UIDVALIDITY matters. */
	if (mirror->retired && response->type != IMAP_RESPONSE_OK)
		return false;
	switch (response->type) {
	case IMAP_RESPONSE_FETCH:
		on_fetch(mirror, &response->fetch, early);
		break;
	case IMAP_RESPONSE_EXISTS:
		on_exists(mirror, (uint32_t)MIN(response->number, UINT32_MAX));
		break;
	case IMAP_RESPONSE_EXPUNGE:
		on_expunge(mirror, (uint32_t)MIN(response->number, UINT32_MAX));
		break;
	case IMAP_RESPONSE_VANISHED:
		mirror_on_vanished(mirror, response, early);
		break;
	case IMAP_RESPONSE_SEARCH:
	case IMAP_RESPONSE_ESEARCH:
		mirror_on_search(mirror, response, ticket);
		break;
	case IMAP_RESPONSE_OK:
		on_code(mirror, response);
		break;
	default:
		return false;
	}
	/* What comes unasked (IDLE) is written once this turn of the loop is over. */
	return mirror->ready && !mirror->early && !mirror->n_slices && !mirror->pending;
}
