/* Opening a mailbox: the best way of SELECT that this server has, what its answer says of what changed
 * since (RFC 7162, 3.2.5), and whether the UIDs known here still mean the same.
 *
 * QRESYNC is enabled once a line, before the first SELECT (RFC 5161, 3.1), in the same flight.  With the
 * account's capabilities remembered from its last line, both ride with the login.  Each way that is
 * refused falls back to the next: SELECT (QRESYNC ...), SELECT (CONDSTORE), SELECT. */
#include "mirror-private.h"

#include "base/safetext.h"
#include "imap/mutf7.h"

/* ---- which mailbox --------------------------------------------------------------------------- */

static char *
decoded_name(const Mirror *mirror)
{
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);
	char *name = imap_mailbox_name_decode(span_of(raw, size), false);

	return name ? name : g_utf8_make_valid(raw, (gssize)size);
}

static void
find_box(Mirror *mirror)
{
	g_clear_pointer(&mirror->box, store_mailbox_free);
	mirror->box = folders_box(mirror->account, mirror->raw);
}

static bool
find_or_make(Mirror *mirror, GError **error)
{
	g_autofree char *name = decoded_name(mirror);
	g_autoptr(StoreMailbox) box = NULL;
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);

	find_box(mirror);
	if (mirror->box)
		return true;
	box = g_new0(StoreMailbox, 1);
	box->account = mirror->account->id;
	box->raw = g_strndup(raw, size);
	box->raw_size = size;
	box->name = g_strdup(name);
	box->selectable = true;
	box->role = g_ascii_strcasecmp(name, "INBOX") ? STORE_ROLE_NONE : STORE_ROLE_INBOX;
	box->server_total = box->server_unread = -1;
	if (!store_mailbox_put(mirror->account->engine->store, box, error))
		return false;
	mirror->box = g_steal_pointer(&box);
	return true;
}

/* ---- what came with SELECT's answer -------------------------------------------------------------- */

bool
mirror_is_told(const Mirror *mirror)
{
	return mirror->box && mirror->asked_uidvalidity &&
	       mirror->uidvalidity == mirror->asked_uidvalidity;
}

static void
forget_told(Mirror *mirror)
{
	g_array_set_size(mirror->changes, 0);
	g_array_set_size(mirror->earlier, 0);
	g_string_chunk_clear(mirror->change_words);
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Each once, however often it was named. */
static void
sort_earlier(Mirror *mirror)
{
	uint32_t *uids = (uint32_t *)(void *)mirror->earlier->data;
	guint n = 0;

	g_array_sort(mirror->earlier, compare_uids);
	for (guint i = 0; i < mirror->earlier->len; i++)
		if (!n || uids[i] != uids[n - 1])
			uids[n++] = uids[i];
	g_array_set_size(mirror->earlier, n);
}

/* What the server says has vanished leaves a number that can be: those that are left, and new ones only
 * where there may be new ones. */
static bool
adds_up(const Mirror *mirror)
{
	uint32_t left = mirror_kept(mirror) - mirror->earlier->len;

	if (mirror->box->known_from_uid != 1 || mirror->exists == left)
		return true;
	return mirror->exists > left && mirror->uidnext > mirror->box->mirrored_uidnext;
}

/* True: everything that changed up to HIGHESTMODSEQ is here now. */
static bool
take_told(Mirror *mirror)
{
	const StoreMailbox *box = mirror->box;
	ImapSession *session = connection_session(mirror->line->connection);
	MirrorProgress progress = { .mirrored_modseq = mirror->modseq };

	if (!mirror_is_told(mirror) || !imap_session_enabled(session, "QRESYNC") ||
	    !mirror_has_condstore(mirror) || mirror->modseq < mirror->asked_modseq ||
	    mirror->early_lost) {
		mirror->doubt |= mirror->earlier->len > 0;
		forget_told(mirror);
		return false;
	}
	sort_earlier(mirror);
	if (!adds_up(mirror)) {
		log_event(mirror->account->engine->log, "mirror",
			  "%u vanished of %u, and %u exist: not believed", mirror->earlier->len,
			  mirror_kept(mirror), mirror->exists);
		g_array_set_size(mirror->earlier, 0);
		mirror->doubt = true;
		progress.mirrored_modseq = 0;
	} else if (!mirror->exists && !mirror_may_lose(mirror, mirror->earlier->len)) {
		mirror_distrust(mirror, 0);
		progress.mirrored_modseq = 0;
	} else {
		g_array_append_vals(mirror->gone, mirror->earlier->data, mirror->earlier->len);
	}
	g_array_set_size(mirror->earlier, 0);
	mirror->told = mirror->flags_done = true;
	if (mirror->changes->len || mirror->gone->len ||
	    progress.mirrored_modseq > box->mirrored_modseq)
		return mirror_write(mirror, &progress);
	return true;
}

/* MODSEQ that was reset, is not kept any more, or does not grow with the mailbox says nothing: every
 * flag is asked for anew. */
static bool
check_modseq(Mirror *mirror, GError **error)
{
	StoreMailbox *box = mirror->box;
	bool silent = box->known_from_uid == 1 && mirror->exists > mirror_kept(mirror) &&
		      mirror->uidnext > box->mirrored_uidnext &&
		      mirror->modseq == box->mirrored_modseq;

	if (!box->mirrored_modseq ||
	    (mirror_has_condstore(mirror) && mirror->modseq >= box->mirrored_modseq && !silent))
		return true;
	log_event(mirror->account->engine->log, "mirror",
		  "modseq %" G_GUINT64_FORMAT ", was %" G_GUINT64_FORMAT ": not believed",
		  mirror->modseq, box->mirrored_modseq);
	box->mirrored_modseq = 0;
	return store_mailbox_progress(mirror->account->engine->store, box->id, box->known_from_uid,
				      box->mirrored_uidnext, 0, error);
}

/* ---- whether the UIDs hold --------------------------------------------------------------------------- */

bool
mirror_read_anew(Mirror *mirror, GError **error)
{
	StoreId id = mirror->box->id;

	if (!store_mailbox_reset(mirror->account->engine->store, id, error))
		return false;
	engine_tidy_later(mirror->account->engine);
	g_clear_pointer(&mirror->box, store_mailbox_free);
	return store_mailbox_get(mirror->account->engine->store, id, &mirror->box, error);
}

/* UIDs from before mean nothing when UIDVALIDITY changed, was never sent, or UIDNEXT went down.  What is
 * here is read anew, but not when that would leave next to nothing of it (a mailbox that was not
 * mounted, or made anew and empty): then a person is asked.  False: ERROR, or mirror->error. */
static bool
forget_if_renumbered(Mirror *mirror, GError **error)
{
	const StoreMailbox *box = mirror->box;
	uint32_t kept = mirror_kept(mirror);
	bool renumbered = mirror->uidvalidity != box->uidvalidity || !mirror->uidvalidity ||
			  (mirror->uidnext && mirror->uidnext < box->mirrored_uidnext);

	if (!(box->known_from_uid || box->mirrored) || !renumbered)
		return true;
	if (mirror->retired) {
		mirror->error =
		    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				_("the server renumbered \"%s\": reading it anew"), box->name);
		return false;
	}
	log_event(mirror->account->engine->log, "mirror",
		  "uidvalidity %u, was %u; uidnext %u, mirrored below %u", mirror->uidvalidity,
		  box->uidvalidity, mirror->uidnext, box->mirrored_uidnext);
	forget_told(mirror);
	if (!mirror_may_lose(mirror, kept - MIN(kept, mirror->exists))) {
		mirror_distrust_numbers(mirror);
		return false;
	}
	return mirror_read_anew(mirror, error);
}

/* ---- ways ------------------------------------------------------------------------------------------------ */

static MirrorWay
best_way(const Mirror *mirror)
{
	const Line *line = mirror->line;
	const StoreMailbox *box = mirror->box;

	if (!mirror->retired && line_expects(line, "QRESYNC") && line_expects(line, "ENABLE") &&
	    !line->no_qresync && line->enables && box && box->uidvalidity && box->known_from_uid &&
	    box->mirrored_modseq && box->mirrored_uidnext > box->known_from_uid)
		return MIRROR_QRESYNC;
	if (line_expects(line, "CONDSTORE") || line_expects(line, "QRESYNC"))
		return MIRROR_CONDSTORE;
	return MIRROR_PLAIN;
}

static void
on_enabled(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Line *line = data;

	if (outcome == IMAP_OUTCOME_CLOSED)
		return;
	/* It rode with a login that was refused: there may be another. */
	if (outcome == IMAP_OUTCOME_CANCELLED ||
	    imap_session_state(connection_session(line->connection)) < IMAP_STATE_AUTHENTICATED)
		line->enables = false;
	else
		line->no_qresync |=
		    !imap_session_enabled(connection_session(line->connection), "QRESYNC");
}

/* A server that says nothing before the login is asked too where it has ENABLE: what it does not know it
 * passes over (RFC 5161, 3.1). */
static void
send_enable(Mirror *mirror, ImapSendFlags flags)
{
	Line *line = mirror->line;
	ImapCommand *command;
	bool may_have =
	    line_expects(line, "QRESYNC") || (!line->online && !line->account->capabilities);

	if (line->enables)
		return;
	line->enables = true;
	if (!may_have || !line_expects(line, "ENABLE"))
		return;
	command = imap_command_new("ENABLE");
	imap_command_text(command, "QRESYNC");
	connection_send(line->connection, command, flags, on_enabled, line);
}

static ImapCommand *
select_command(Mirror *mirror)
{
	ImapCommand *command = imap_command_new("SELECT");
	const StoreMailbox *box = mirror->box;
	gsize size;
	const char *raw = g_bytes_get_data(mirror->raw, &size);

	mirror->asked_uidvalidity = 0;
	imap_command_mailbox(command, span_of(raw, size));
	if (mirror->way == MIRROR_CONDSTORE)
		imap_command_text(command, "(CONDSTORE)");
	if (mirror->way != MIRROR_QRESYNC)
		return command;
	/* Only what is mirrored: the rest comes whole. */
	imap_command_text(command, "(QRESYNC (%u %" G_GUINT64_FORMAT " %u:%u))", box->uidvalidity,
			  box->mirrored_modseq, box->known_from_uid, box->mirrored_uidnext - 1);
	mirror->asked_uidvalidity = box->uidvalidity;
	mirror->asked_modseq = box->mirrored_modseq;
	return command;
}

static void on_select(void *data, ImapTicket ticket, ImapOutcome outcome,
		      const ImapResponse *response);

static void
send_select(Mirror *mirror, ImapSendFlags flags)
{
	find_box(mirror);
	send_enable(mirror, flags);
	mirror->way = MAX(best_way(mirror), mirror->least_way);
	mirror->exists = mirror->uidnext = mirror->uidvalidity = 0;
	mirror->modseq = 0;
	mirror->no_modseq = mirror->early_lost = mirror->counted = mirror->grew = false;
	mirror->read_only = false;
	g_clear_pointer(&mirror->kept_flags, g_ptr_array_unref);
	forget_told(mirror);
	g_clear_pointer(&mirror->line->open, g_bytes_unref);
	mirror->line->open = g_bytes_ref(mirror->raw);
	mirror_drop_early(mirror);
	mirror->select_ticket = connection_send(mirror->line->connection, select_command(mirror),
						flags, on_select, mirror);
	mirror_send_early(mirror);
}

static bool
fall_back(Mirror *mirror, ImapOutcome outcome, const ImapResponse *response)
{
	bool again = mirror->rode;

	if (mirror->way < MIRROR_PLAIN &&
	    (outcome == IMAP_OUTCOME_BAD ||
	     (mirror->way == MIRROR_QRESYNC && response->code == IMAP_CODE_NONE))) {
		mirror->line->no_qresync |= mirror->way == MIRROR_QRESYNC;
		mirror->least_way = mirror->way + 1;
		again = true;
	}
	mirror->rode = false;
	if (again)
		mirror_select(mirror);
	return again;
}

static void
select_refused(Mirror *mirror, ImapOutcome outcome, const ImapResponse *response)
{
	g_autofree char *name = decoded_name(mirror);
	g_autofree char *shown = safe_line(name);
	g_autofree char *what = g_strdup_printf(_("open the folder \"%s\""), shown);

	/* What rode with the login may have come too early for this server: once more, alone. */
	if (fall_back(mirror, outcome, response))
		return;
	mirror->for_good = !account_is_passing(response);
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
	mirror->select_ticket = 0;
	line_pump_later(mirror->line);
	/* It rode with a login that was refused; when another is taken, it is sent again. */
	if (outcome == IMAP_OUTCOME_CANCELLED)
		return;
	if (outcome != IMAP_OUTCOME_OK) {
		select_refused(mirror, outcome, response);
		return;
	}
	mirror->rode = false;
	if (!find_or_make(mirror, &error) || !forget_if_renumbered(mirror, &error) ||
	    (!mirror->retired && !check_modseq(mirror, &error))) {
		if (error)
			account_store_failed(mirror->account, error);
		return;
	}
	if (response->code == IMAP_CODE_READ_ONLY)
		mirror->read_only = true;
	mirror->ready = true;
	if (mirror->retired)
		return;
	mirror_judge_early(mirror);
	if (take_told(mirror) || !mirror->stuck)
		mirror_continue_sync(mirror);
}

void
mirror_select(Mirror *mirror)
{
	mirror->riding = false;
	if (mirror->selecting || mirror->ready || mirror->error || !mirror->line->online)
		return;
	mirror->selecting = true;
	send_select(mirror, IMAP_SEND_NORMAL);
}

static void
on_ride(void *data)
{
	send_select(data, IMAP_RIDE);
}

void
mirror_ride(Mirror *mirror)
{
	/* The login has left already, with something else or alone: SELECT goes when it was taken. */
	if (connection_rides(mirror->line->connection))
		return;
	mirror->riding = mirror->rode = true;
	connection_ride(mirror->line->connection, on_ride, mirror);
}
