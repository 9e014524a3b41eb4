/* What became of a row on the server. */
#include "journal-private.h"

/* ---- about to be sent, and not sent after all ------------------------------------------------------ */

/* ROW is not SENT any more: what the mirror met of it is ours by now, or another's. */
static bool
settle(Desk *desk, const StoreJournalRow *row, GError **error)
{
	Sheet *dest = NULL;

	if (row->kind != STORE_INTENT_MOVE && row->kind != STORE_INTENT_COPY &&
	    row->kind != STORE_INTENT_APPEND)
		return true;
	return desk_find(desk, row->dest, &dest, error) &&
	       (!dest || expect_settle(desk, dest, NULL, error));
}

static bool
journal_sent(Store *store, StoreId row, uint32_t uidvalidity, uint32_t uidnext, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_SENT, error);
	int changed;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_int64(query, 2, g_get_real_time() / G_USEC_PER_SEC);
	sqlite3_bind_int64(query, 3, uidvalidity);
	sqlite3_bind_int64(query, 4, uidnext);
	if (!store_run(store, query, &changed, error))
		return false;
	if (changed == 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("no such change is waiting"));
		return false;
	}
	store->folders_changed = true;
	return true;
}

bool
store_journal_sent(Store *store, StoreId row, uint32_t dest_uidvalidity, uint32_t dest_uidnext,
		   GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own,
			      journal_sent(store, row, dest_uidvalidity, dest_uidnext, error),
			      error);
}

static bool
journal_unsent(Store *store, StoreId id, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_auto(Desk) desk = { 0 };

	desk_init(&desk, store);
	if (!store_journal_row(store, id, &row, error))
		return false;
	if (row->state != STORE_ROW_SENT)
		return true;
	store->folders_changed = true;
	return journal_set_state(store, id, STORE_ROW_WAITING, error) &&
	       journal_yield(&desk, row, error) && settle(&desk, row, error) &&
	       desk_apply(&desk, error);
}

bool
store_journal_unsent(Store *store, StoreId row, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, journal_unsent(store, row, error), error);
}

/* ---- confirmed ----------------------------------------------------------------------------------------- */

/* One call of store_journal_done. */
typedef struct Doing {
	Store *store;
	Desk desk;
	StoreJournalRow *row;
	GArray *located; /* of Located, in row->dest */
	int64_t finished;
} Doing;

/* Has the mirror met it in DEST before the server confirmed it, without telling the UID? */
static bool
met_already(Doing *doing, const Sheet *dest, StoreId id, bool sized, uint32_t *uid, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(doing->store, SQL_LOST_MET, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, dest->head.epoch);
	sqlite3_bind_int64(query, 2, doing->row->dest_uidnext);
	sqlite3_bind_int64(query, 3, id);
	sqlite3_bind_int(query, 4, sized);
	sqlite3_bind_int64(query, 5, doing->row->id);
	if (!store_step(doing->store, query, &row, error))
		return false;
	*uid = row ? (uint32_t)sqlite3_column_int64(query, 0) : 0;
	return true;
}

/* Its UIDs are of another UIDVALIDITY than those that are here: they mean other messages, until the
 * mirror has read it anew. */
static bool
is_made_anew(const Doing *doing, const Sheet *dest)
{
	uint32_t told = doing->row->dest_uidvalidity;

	return told && dest->head.uidvalidity && told != dest->head.uidvalidity;
}

/* The server has it in DEST, under UID or under one that it did not tell. */
static bool
note_located(Doing *doing, StoreId id, uint32_t uid, bool sized, GError **error)
{
	Located located = { id, uid };
	Sheet *dest;

	if (!desk_find(&doing->desk, doing->row->dest, &dest, error))
		return false;
	/* The folder was deleted meanwhile, and what was in it with it. */
	if (!dest)
		return place_unlocate(&doing->desk, id, error);
	if (is_made_anew(doing, dest))
		return place_unlocate(&doing->desk, id, error) &&
		       lost_add(doing->store, id, dest->head.epoch,
				MAX(doing->row->dest_uidnext, 1), false, sized, error);
	if (!uid && doing->row->dest_uidnext &&
	    !met_already(doing, dest, id, sized, &located.uid, error))
		return false;
	/* At once, so that the next one does not find the same. */
	if (!uid && located.uid)
		return place_locate(&doing->desk, dest, &located, 1, error);
	if (uid) {
		g_array_append_val(doing->located, located);
		return true;
	}
	return place_unlocate(&doing->desk, id, error) &&
	       lost_add(doing->store, id, dest->head.epoch, MAX(doing->row->dest_uidnext, 1), false,
			sized, error);
}

/* It is not there any more: whatever still waits for it fails, and until then it is kept, out of sight,
 * unless something else is to give it a place. */
static bool
set_aside(Doing *doing, StoreId id, GError **error)
{
	int64_t epoch, lost;
	StoreId maker;
	uint32_t uid;
	Place place;
	bool found;

	if (!place_find(doing->store, id, &place, &found, error))
		return false;
	if (!found || place.epoch == 0)
		return true;
	if (!place_location(doing->store, &place, &epoch, &uid, error) ||
	    !lost_where(doing->store, id, &lost, NULL, error) ||
	    !journal_maker(doing->store, id, false, &maker, error))
		return false;
	return uid || lost || maker || journal_aside(&doing->desk, &place, error);
}

/* The server does not have it where it was, whatever the mirror still says. */
static bool
lose(Doing *doing, StoreId id, GError **error)
{
	return place_unlocate(&doing->desk, id, error) && desk_apply(&doing->desk, error) &&
	       set_aside(doing, id, error);
}

static bool
is_leftover(Doing *doing, const Target *target, Sheet **source, uint32_t *uid, GError **error)
{
	*uid = target->uid;
	if (!desk_find(&doing->desk, target->mailbox, source, error))
		return false;
	if (!*source)
		*uid = 0;
	return !*source ||
	       place_leftover(doing->store, target->id, (*source)->head.epoch, uid, error);
}

/* The half done move is done: its original went, or stays with \Deleted. */
static bool
finish_copied(Doing *doing, const Target *target, const StoreOutcome *outcome, GError **error)
{
	Sheet *source;
	uint32_t uid;

	if (!is_leftover(doing, target, &source, &uid, error))
		return false;
	if (!uid)
		return true;
	if (outcome->left)
		return place_revive(&doing->desk, source, target->id, uid, STORE_FLAG_DELETED,
				    error);
	return place_unhide(&doing->desk, source, uid, error);
}

/* Where the original is to be expunged. */
static bool
note_original(Store *store, const Target *target, const StoreHead *head, uint32_t uid,
	      GError **error)
{
	StoreQuery *query = store_query(store, SQL_TARGET_AT, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, target->row);
	sqlite3_bind_int64(query, 2, target->id);
	sqlite3_bind_int64(query, 3, head->mailbox);
	sqlite3_bind_int64(query, 4, head->uidvalidity);
	sqlite3_bind_int64(query, 5, uid);
	return store_run(store, query, NULL, error);
}

/* The original as a message of its own, before the copy takes the identity with it. */
static bool
leave_original(Doing *doing, const Target *target, uint16_t flags, bool revive, GError **error)
{
	int64_t epoch;
	uint32_t uid;
	Sheet *source;
	Place place;
	bool found;

	if (!place_find(doing->store, target->id, &place, &found, error))
		return false;
	if (!found)
		return true;
	if (!place_location(doing->store, &place, &epoch, &uid, error))
		return false;
	if (!uid)
		return true;
	source = desk_epoch(&doing->desk, epoch, error);
	if (!source || !place_leave(&doing->desk, &place, source, uid, error) ||
	    !note_original(doing->store, target, &source->head, uid, error))
		return false;
	return !revive || place_revive(&doing->desk, source, target->id, uid, flags, error);
}

static bool
move_done(Doing *doing, const Target *target, const StoreOutcome *outcome, GError **error)
{
	if (outcome->state == STORE_TARGET_GONE)
		return target->state == STORE_TARGET_COPIED
			   ? finish_copied(doing, target, outcome, error)
			   : lose(doing, target->id, error);
	if (target->state == STORE_TARGET_COPIED) {
		if (outcome->uid && !note_located(doing, target->id, outcome->uid, true, error))
			return false;
		return outcome->state == STORE_TARGET_COPIED ||
		       finish_copied(doing, target, outcome, error);
	}
	if ((outcome->state == STORE_TARGET_COPIED || outcome->left) &&
	    !leave_original(doing, target, STORE_FLAG_DELETED, outcome->left, error))
		return false;
	return note_located(doing, target->id, outcome->uid, true, error);
}

/* It could not be expunged: it is back, with \Deleted. */
static bool
back_with_deleted(Doing *doing, const Target *target, GError **error)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Meant m = { .id = target->id };
	int64_t epoch;
	Sheet *from, *to;
	Place place;
	bool found;

	if (!place_find(doing->store, target->id, &place, &found, error))
		return false;
	if (!found || !place_location(doing->store, &place, &epoch, &m.at_uid, error))
		return !found;
	if (!m.at_uid)
		return place_delete(&doing->desk, target->id, error);
	from = desk_epoch(&doing->desk, place.epoch, error);
	to = from ? desk_epoch(&doing->desk, epoch, error) : NULL;
	m.date = place.date;
	m.uid = place.uid;
	g_array_append_val(one, m);
	if (!to || !place_move(&doing->desk, from, to, one, error))
		return false;
	g_array_index(one, Meant, 0).uid = m.at_uid;
	return journal_flag(&doing->desk, to, STORE_FLAG_DELETED, NULL, true, one, error);
}

/* It is not on the server any more, as it was to be.  What it is still to be copied from fails, and is
 * to say what it was. */
static bool
expunged(Doing *doing, StoreId id, GError **error)
{
	return targets_forget(doing->store, id, NULL, NULL, error) &&
	       place_unlocate(&doing->desk, id, error) && journal_release(&doing->desk, id, error);
}

static bool
outcome_take(Doing *doing, const Target *target, const StoreOutcome *outcome, GError **error)
{
	switch (doing->row->kind) {
	case STORE_INTENT_MOVE:
		return move_done(doing, target, outcome, error);
	case STORE_INTENT_COPY:
		return outcome->state == STORE_TARGET_GONE
			   ? lose(doing, target->id, error) && set_aside(doing, target->copy, error)
			   : note_located(doing, target->copy, outcome->uid, true, error);
	case STORE_INTENT_APPEND:
		return note_located(doing, target->id, outcome->uid, false, error);
	case STORE_INTENT_EXPUNGE:
		return outcome->left ? back_with_deleted(doing, target, error)
				     : expunged(doing, target->id, error);
	case STORE_INTENT_FLAG:
		return outcome->state != STORE_TARGET_GONE || lose(doing, target->id, error);
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		break;
	}
	return true;
}

/* Gone is what an expunged message was to be, and the original of a move that was copied. */
static StoreTargetState
state_after(const Doing *doing, const Target *target, const StoreOutcome *outcome)
{
	if (outcome->state != STORE_TARGET_GONE)
		return outcome->state;
	return doing->row->kind == STORE_INTENT_EXPUNGE || target->state == STORE_TARGET_COPIED
		   ? STORE_TARGET_DONE
		   : STORE_TARGET_GONE;
}

static bool
outcomes_take(Doing *doing, const StoreOutcome *outcomes, size_t n, GError **error)
{
	for (size_t i = 0; i < n; i++) {
		StoreTargetState state;
		Target target;
		bool found;

		if (!target_find(doing->store, doing->row->id, outcomes[i].message, &target, &found,
				 error))
			return false;
		if (!found || target.state == STORE_TARGET_DONE)
			continue;
		state = state_after(doing, &target, &outcomes[i]);
		doing->finished += state == STORE_TARGET_DONE;
		/* First the target, so that what is forgotten of the message is not counted twice. */
		if (!target_set(doing->store, target.row, target.id, state, target.changed,
				error) ||
		    !outcome_take(doing, &target, &outcomes[i], error))
			return false;
	}
	return true;
}

/* UIDs are here now of a mailbox that was never opened.  Without the UIDVALIDITY they belong to, its
 * first SELECT would take it for renumbered, and read the same messages anew as others. */
static bool
note_uidvalidity(Doing *doing, Sheet *dest, GError **error)
{
	StoreMailbox said = { .id = doing->row->dest,
			      .server_total = -1,
			      .server_unread = -1,
			      .uidvalidity = doing->row->dest_uidvalidity };

	if (dest->head.uidvalidity || !said.uidvalidity)
		return true;
	dest->head.uidvalidity = said.uidvalidity;
	return store_mailbox_status(doing->store, &said, error);
}

static bool
locate_all(Doing *doing, GError **error)
{
	Sheet *dest;

	if (doing->located->len == 0)
		return true;
	dest = desk_mailbox(&doing->desk, doing->row->dest, error);
	return dest && note_uidvalidity(doing, dest, error) &&
	       place_locate(&doing->desk, dest, (const Located *)doing->located->data,
			    doing->located->len, error);
}

/* The row as a whole: its targets, as if each had been told. */
static bool
whole_row(Doing *doing, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	if (doing->row->kind == STORE_INTENT_FLAG)
		return journal_finish_targets(doing->store, doing->row->id, error) &&
		       journal_count(doing->store, doing->row->id, error);
	if (!targets_of(doing->store, doing->row->id, false, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		StoreOutcome outcome = { .message = g_array_index(targets, Target, i).id,
					 .state = STORE_TARGET_DONE };

		if (!outcomes_take(doing, &outcome, 1, error))
			return false;
	}
	return true;
}

static bool
close_row(Doing *doing, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_autofree char *words = NULL;
	uint32_t gone;

	/* Not counted: a row may have a hundred thousand messages, confirmed by the hundred. */
	if (!journal_run(doing->store, SQL_JOURNAL_LESS, doing->row->id, doing->finished, 0, 0,
			 error) ||
	    !journal_gone(doing->store, doing->row->id, &gone, error) ||
	    !store_journal_row(doing->store, doing->row->id, &row, error))
		return false;
	doing->store->folders_changed = true;
	if (row->n > gone)
		return true;
	if (!gone)
		return journal_set_state(doing->store, row->id, STORE_ROW_CONFIRMED, error) &&
		       settle(&doing->desk, row, error);
	words = g_strdup_printf(P_("%u message was no longer on the server",
				   "%u messages were no longer on the server", row->n),
				row->n);
	return journal_set_failed(doing->store, row->id, POSTERN_ERROR_GONE, words, 0, error) &&
	       settle(&doing->desk, row, error);
}

/* What nothing holds any more goes. */
static bool
release_all(Doing *doing, const StoreOutcome *outcomes, size_t n, GError **error)
{
	for (size_t i = 0; i < n; i++) {
		if (!journal_release(&doing->desk, outcomes[i].message, error))
			return false;
	}
	return n > 0 || journal_release_strays(&doing->desk, doing->row->id, error);
}

static bool
journal_done(Store *store, StoreId id, const StoreOutcome *outcomes, size_t n, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_autoptr(GArray) located = g_array_new(FALSE, FALSE, sizeof(Located));
	Doing doing = { .store = store, .located = located };
	bool ok;

	if (!store_journal_row(store, id, &row, error))
		return false;
	if (row->kind >= STORE_INTENT_CREATE)
		return journal_folder_done(store, row, error);
	doing.row = row;
	desk_init(&doing.desk, store);
	ok = (n ? outcomes_take(&doing, outcomes, n, error) : whole_row(&doing, error)) &&
	     locate_all(&doing, error) && close_row(&doing, error) &&
	     release_all(&doing, outcomes, n, error) && desk_apply(&doing.desk, error);
	desk_clear(&doing.desk);
	return ok;
}

bool
store_journal_done(Store *store, StoreId row, const StoreOutcome *outcomes, size_t n,
		   GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, journal_done(store, row, outcomes, n, error), error);
}

static bool
journal_close(Store *store, StoreId id, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	Doing doing = { .store = store };
	bool ok;

	if (!journal_count(store, id, error) || !store_journal_row(store, id, &row, error))
		return false;
	if (row->state != STORE_ROW_WAITING && row->state != STORE_ROW_SENT)
		return true;
	doing.row = row;
	desk_init(&doing.desk, store);
	ok = close_row(&doing, error) && desk_apply(&doing.desk, error);
	desk_clear(&doing.desk);
	return ok;
}

bool
store_journal_close(Store *store, StoreId row, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, journal_close(store, row, error), error);
}

/* ---- failed --------------------------------------------------------------------------------------------- */

/* What was to make the message or folder that a later row needs. */
typedef struct Blocked {
	GHashTable *messages, *mailboxes; /* of int64_t, owned */
} Blocked;

static void
block(GHashTable *set, StoreId id)
{
	if (id)
		g_hash_table_add(set, g_memdup2(&id, sizeof id));
}

static bool
block_made_by(Store *store, const StoreJournalRow *row, Blocked *blocked, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	if (row->kind == STORE_INTENT_CREATE)
		block(blocked->mailboxes, row->mailbox);
	if (row->kind != STORE_INTENT_APPEND && row->kind != STORE_INTENT_COPY)
		return true;
	if (!targets_of(store, row->id, false, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);

		block(blocked->messages,
		      row->kind == STORE_INTENT_COPY ? target->copy : target->id);
	}
	return true;
}

/* Those of the row's targets that are blocked; *ALL: none is left besides them. */
static bool
blocked_targets(Store *store, const StoreJournalRow *row, const Blocked *blocked, GArray *found,
		bool *all, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	*all = true;
	if (g_hash_table_size(blocked->messages) == 0) {
		*all = false;
		return true;
	}
	if (!targets_of(store, row->id, false, &targets, error))
		return false;
	/* A folder's row has none, and needs none. */
	*all = targets->len > 0;
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);

		if (g_hash_table_contains(blocked->messages, &target->id))
			g_array_append_val(found, *target);
		else
			*all = false;
	}
	return true;
}

/* A later row: fails as a whole, or those of its targets that cannot be done become a failed row. */
static bool
fail_because(Store *store, const StoreJournalRow *row, const StoreJournalRow *because,
	     Blocked *blocked, GError **error)
{
	const char *words = _("an earlier change that it needs was not done");
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Target));
	bool all = g_hash_table_contains(blocked->mailboxes, &row->mailbox) ||
		   g_hash_table_contains(blocked->mailboxes, &row->dest);
	StoreId failed = row->id;

	if (!all && !blocked_targets(store, row, blocked, found, &all, error))
		return false;
	if (!all && found->len == 0)
		return true;
	if (!all && !journal_split(store, row->id, found, &failed, error))
		return false;
	if (!journal_set_failed(store, failed, POSTERN_ERROR_REFUSED, words, because->id, error))
		return false;
	if (failed != row->id) {
		g_autoptr(StoreJournalRow) split = NULL;

		return store_journal_row(store, failed, &split, error) &&
		       block_made_by(store, split, blocked, error);
	}
	return block_made_by(store, row, blocked, error);
}

static bool
fail_dependents(Store *store, const StoreJournalRow *row, GError **error)
{
	Blocked blocked = { g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
			    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL) };
	g_autoptr(GHashTable) messages = blocked.messages;
	g_autoptr(GHashTable) mailboxes = blocked.mailboxes;
	g_autoptr(GPtrArray) rows = NULL;

	if (!block_made_by(store, row, &blocked, error))
		return false;
	if (g_hash_table_size(messages) == 0 && g_hash_table_size(mailboxes) == 0)
		return true;
	if (!store_journal(store, row->account, &rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *later = g_ptr_array_index(rows, i);

		if (later->id > row->id && later->state == STORE_ROW_WAITING &&
		    !fail_because(store, later, row, &blocked, error))
			return false;
	}
	return true;
}

static bool
journal_fail(Store *store, StoreId id, int code, const char *words, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;
	g_auto(Desk) desk = { 0 };

	desk_init(&desk, store);
	if (!store_journal_row(store, id, &row, error))
		return false;
	if (row->state == STORE_ROW_CONFIRMED)
		return true;
	store->folders_changed = true;
	return journal_set_failed(store, id, code, words, 0, error) &&
	       journal_yield(&desk, row, error) && fail_dependents(store, row, error) &&
	       settle(&desk, row, error) && desk_apply(&desk, error);
}

bool
store_journal_fail(Store *store, StoreId row, int code, const char *words, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, journal_fail(store, row, code, words, error), error);
}

/* ---- found ------------------------------------------------------------------------------------------------ */

static bool
message_found(Store *store, StoreId message, StoreId mailbox, uint32_t uid, GError **error)
{
	Located located = { message, uid };
	g_auto(Desk) desk = { 0 };
	Sheet *there;

	desk_init(&desk, store);
	there = desk_mailbox(&desk, mailbox, error);
	return there && place_locate(&desk, there, &located, 1, error) && desk_apply(&desk, error);
}

bool
store_message_found(Store *store, StoreId message, StoreId mailbox, uint32_t uid, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, message_found(store, message, mailbox, uid, error),
			      error);
}
