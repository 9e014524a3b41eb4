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
#define FOUND_SPARE   1000

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
	mirror->holes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	mirror->hopeless = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return mirror;
}

void
mirror_free(Mirror *mirror)
{
	if (!mirror)
		return;
	seqmap_clear(&mirror->map);
	g_array_unref(mirror->holes);
	g_array_unref(mirror->hopeless);
	g_array_unref(mirror->found);
	g_array_unref(mirror->gone);
	g_array_unref(mirror->changes);
	g_string_chunk_free(mirror->change_words);
	record_batch_free(mirror->batch);
	store_mailbox_free(mirror->box);
	g_clear_error(&mirror->error);
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

bool
mirror_is(const Mirror *mirror, GBytes *raw)
{
	return g_bytes_equal(mirror->raw, raw);
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
	return mirror->stuck ||
	       (mirror->box && mirror->box->known_from_uid == 1 && !mirror->flags_next);
}

bool
mirror_is_windowing(const Mirror *mirror)
{
	return mirror->pending && !mirror->box->known_from_uid;
}

bool
mirror_is_busy(const Mirror *mirror)
{
	return mirror->selecting || mirror->riding || mirror->pending || mirror->n_slices ||
	       mirror->lone;
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
	return mirror->modseq && !mirror->no_modseq && line_has(mirror->line, "CONDSTORE");
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
		if (progress->mirrored_modseq)
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

static void
on_expunge(Mirror *mirror, uint32_t seq)
{
	uint32_t uid = 0;

	/* Out of range.  Before SELECT's answer: of the mailbox before. */
	if (!mirror->ready || !seq || seq > mirror->exists) {
		mirror->doubt = true;
		return;
	}
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
		mirror->doubt = true;
	if (mirror->top_known && seq <= mirror->top_seq)
		mirror->top_seq--;
	if (uid) {
		mirror_forget_hopeless(mirror, uid);
		g_array_append_val(mirror->gone, uid);
	}
}

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t x = ((const ImapRange *)a)->low, y = ((const ImapRange *)b)->low;

	return x < y ? -1 : x > y;
}

static void
on_vanished(Mirror *mirror, const ImapResponse *response)
{
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	g_autofree uint32_t *uids = NULL;
	uint32_t reach = 0;
	size_t n;
	guint next = 0;

	if (!mirror->ready || !mirror_apply(mirror) ||
	    !store_message_uids(mirror->account->engine->store, mirror->box->id, &uids, &n, NULL))
		return;
	g_array_append_vals(ranges, response->ranges.at, (guint)response->ranges.count);
	g_array_sort(ranges, compare_ranges);
	/* Only those here: a hostile range of four thousand million costs nothing. */
	for (size_t i = 0; i < n; i++) {
		for (; next < ranges->len && g_array_index(ranges, ImapRange, next).low <= uids[i];
		     next++)
			reach = MAX(reach, g_array_index(ranges, ImapRange, next).high);
		if (uids[i] <= reach)
			g_array_append_val(mirror->gone, uids[i]);
	}
	if (!response->vanished_earlier) {
		mirror->exists -= MIN(mirror->exists, mirror->gone->len);
		mirror->new_exists = MIN(mirror->new_exists, mirror->exists);
	}
	g_array_set_size(mirror->hopeless, 0);
	seqmap_clear(&mirror->map);
	mirror->top_known = false;
	mirror->doubt = true;
}

/* ---- responses -------------------------------------------------------------------------------------- */

static void
count_row(Mirror *mirror, uint32_t uid)
{
	for (unsigned i = 0; i < mirror->n_slices; i++)
		if (uid >= mirror->slices[i].low && uid <= mirror->slices[i].high)
			mirror->slices[i].rows++;
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
	if (mirror->changes->len >= WRITE_CHANGES)
		mirror_apply(mirror);
}

static void
on_fetch(Mirror *mirror, const ImapFetch *fetch)
{
	size_t n;

	/* Before SELECT's answer it is of the mailbox before. */
	if (!mirror->ready)
		return;
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
		mirror->doubt = true;
		mirror->top_known = false;
		mirror->new_exists = MIN(mirror->new_exists, exists);
		mirror->new_base = MIN(mirror->new_base, exists);
	}
	mirror->exists = exists;
}

/* A search finds no more than there is: what else is said is not kept. */
static bool
may_find(const Mirror *mirror, size_t more)
{
	return mirror->searching &&
	       mirror->found->len + (uint64_t)more <= (uint64_t)mirror->exists + FOUND_SPARE;
}

static void
on_search(Mirror *mirror, const ImapResponse *response)
{
	if (!may_find(mirror, response->numbers.count))
		return;
	for (size_t i = 0; i < response->numbers.count; i++) {
		ImapRange one = { response->numbers.at[i], response->numbers.at[i] };

		g_array_append_val(mirror->found, one);
	}
}

static void
on_esearch(Mirror *mirror, const ImapEsearch *esearch)
{
	if (!mirror->searching)
		return;
	if (esearch->has_all && may_find(mirror, esearch->all.count))
		g_array_append_vals(mirror->found, esearch->all.at, (guint)esearch->all.count);
	if (esearch->has_count) {
		mirror->has_count = true;
		mirror->count = esearch->count;
	}
}

static void
on_code(Mirror *mirror, const ImapResponse *response)
{
	switch (response->code) {
	case IMAP_CODE_UIDNEXT:
		mirror->uidnext = (uint32_t)response->number;
		break;
	case IMAP_CODE_UIDVALIDITY:
		if (mirror->ready && mirror->uidvalidity != response->number) {
			/* In mid-session: nothing known of this line holds any more. */
			g_autoptr(GError) error =
			    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
					_("the server renumbered \"%s\": reading it anew"),
					mirror->box->name);

			connection_fail(mirror->line->connection, error);
		}
		mirror->uidvalidity = (uint32_t)response->number;
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		mirror->modseq = response->number;
		break;
	case IMAP_CODE_NOMODSEQ:
		mirror->no_modseq = true;
		break;
	default:
		break;
	}
}

bool
mirror_on_response(Mirror *mirror, const ImapResponse *response)
{
	if (!mirror->selecting && !mirror->riding && !mirror->ready)
		return false;
	/* Of a mailbox that another line looks after only its UIDVALIDITY matters. */
	if (mirror->retired && response->type != IMAP_RESPONSE_OK)
		return false;
	switch (response->type) {
	case IMAP_RESPONSE_FETCH:
		on_fetch(mirror, &response->fetch);
		break;
	case IMAP_RESPONSE_EXISTS:
		on_exists(mirror, (uint32_t)MIN(response->number, UINT32_MAX));
		break;
	case IMAP_RESPONSE_EXPUNGE:
		on_expunge(mirror, (uint32_t)MIN(response->number, UINT32_MAX));
		break;
	case IMAP_RESPONSE_VANISHED:
		on_vanished(mirror, response);
		break;
	case IMAP_RESPONSE_SEARCH:
		on_search(mirror, response);
		break;
	case IMAP_RESPONSE_ESEARCH:
		on_esearch(mirror, &response->esearch);
		break;
	case IMAP_RESPONSE_OK:
		on_code(mirror, response);
		break;
	default:
		return false;
	}
	/* What comes unasked (IDLE) is written once this turn of the loop is over. */
	return mirror->ready && !mirror->n_slices && !mirror->pending;
}

/* ---- SELECT ------------------------------------------------------------------------------------------ */

static StoreMailbox *
find_or_make(Mirror *mirror, GError **error)
{
	Store *store = mirror->account->engine->store;
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);
	g_autofree char *name = imap_mailbox_name_decode(span_of(raw, size), false);
	g_autoptr(StoreMailbox) box = NULL;

	if (!name)
		name = g_utf8_make_valid(raw, (gssize)size);
	if (store_mailbox_find(store, mirror->account->id, name, &box, NULL))
		return g_steal_pointer(&box);
	box = g_new0(StoreMailbox, 1);
	box->account = mirror->account->id;
	box->raw = g_strndup(raw, size);
	box->raw_size = size;
	box->name = g_strdup(name);
	box->selectable = true;
	box->role = g_ascii_strcasecmp(name, "INBOX") ? STORE_ROLE_NONE : STORE_ROLE_INBOX;
	box->server_total = box->server_unread = -1;
	if (!store_mailbox_put(store, box, error))
		return NULL;
	return g_steal_pointer(&box);
}

/* UIDs from before mean nothing when UIDVALIDITY changed, was never sent, or UIDNEXT went down. */
static bool
forget_if_renumbered(Mirror *mirror, GError **error)
{
	const StoreMailbox *box = mirror->box;
	bool known = box->known_from_uid || box->mirrored;
	bool renumbered = mirror->uidvalidity != box->uidvalidity || !mirror->uidvalidity ||
			  (mirror->uidnext && mirror->uidnext < box->mirrored_uidnext);
	StoreId id = box->id;

	if (!known || !renumbered)
		return true;
	if (mirror->retired) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("the server renumbered \"%s\": reading it anew"), box->name);
		return false;
	}
	log_event(mirror->account->engine->log, "mirror",
		  "uidvalidity %u, was %u; uidnext %u, mirrored below %u: reading anew",
		  mirror->uidvalidity, box->uidvalidity, mirror->uidnext, box->mirrored_uidnext);
	if (!store_mailbox_reset(mirror->account->engine->store, id, error))
		return false;
	engine_tidy_later(mirror->account->engine);
	g_clear_pointer(&mirror->box, store_mailbox_free);
	return store_mailbox_get(mirror->account->engine->store, id, &mirror->box, error);
}

static void
select_refused(Mirror *mirror, const ImapResponse *response)
{
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);
	g_autofree char *name = imap_mailbox_name_decode(span_of(raw, size), false);
	g_autofree char *shown = safe_line(name ? name : "");
	g_autofree char *what = g_strdup_printf(_("open the folder \"%s\""), shown);

	/* What rode with the login may have come too early for this server: once more, alone. */
	if (mirror->rode) {
		mirror->rode = false;
		mirror_select(mirror);
		return;
	}
	mirror->error =
	    account_refusal(response,
			    response->code == IMAP_CODE_NONEXISTENT ? POSTERN_ERROR_GONE
								    : POSTERN_ERROR_REFUSED,
			    what);
}

static void
on_select(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	g_autoptr(GError) error = NULL;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	mirror->selecting = mirror->riding = false;
	line_pump_later(mirror->line);
	/* It rode with a login that was refused; when another is taken, it is sent again. */
	if (outcome == IMAP_OUTCOME_CANCELLED)
		return;
	if (outcome != IMAP_OUTCOME_OK) {
		select_refused(mirror, response);
		return;
	}
	mirror->box = find_or_make(mirror, &error);
	if (mirror->box && mirror->retired && !forget_if_renumbered(mirror, &error)) {
		mirror->error = g_steal_pointer(&error);
		return;
	}
	if (!mirror->box || !forget_if_renumbered(mirror, &error)) {
		account_store_failed(mirror->account, error);
		return;
	}
	mirror->ready = true;
	mirror->rode = false;
	mirror_continue_sync(mirror);
}

static ImapCommand *
select_command(Mirror *mirror)
{
	ImapCommand *command = imap_command_new("SELECT");
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);

	imap_command_mailbox(command, span_of(raw, size));
	if (line_has(mirror->line, "CONDSTORE"))
		imap_command_text(command, "(CONDSTORE)");
	return command;
}

void
mirror_select(Mirror *mirror)
{
	mirror->riding = false;
	if (mirror->selecting || mirror->ready || mirror->error || !mirror->line->online)
		return;
	mirror->selecting = true;
	mirror->exists = mirror->uidnext = mirror->uidvalidity = 0;
	mirror->modseq = 0;
	mirror_send(mirror, select_command(mirror), on_select, mirror);
}

void
mirror_ride(Mirror *mirror)
{
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);

	mirror->riding = mirror->rode = true;
	connection_ride(mirror->line->connection, span_of(raw, size), on_select, mirror);
}
