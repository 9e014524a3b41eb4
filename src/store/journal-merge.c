/* What an intent makes pointless of those that wait (store/journal.h: merging). */
#include "journal-private.h"

/* The row is not to do anything with the message any more. */
static bool
swallow(Store *store, const Claim *claim, StoreId id, GHashTable *touched, GError **error)
{
	if (touched)
		g_hash_table_add(touched, g_memdup2(&claim->row, sizeof claim->row));
	return target_set(store, claim->row, id, STORE_TARGET_DONE, claim->changed, error);
}

static bool
is_left_alone(const Claim *claim)
{
	return claim->state == STORE_ROW_SENT || claim->target == STORE_TARGET_COPIED;
}

/* A copy that waits is to carry the flag as it was then. */
static bool
is_copied_after(const GPtrArray *claims, const Claim *flag)
{
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->kind == STORE_INTENT_COPY && !claim->by_copy && claim->row > flag->row)
			return true;
	}
	return false;
}

static bool
same_flag(const Claim *claim, uint16_t flag, const char *keyword)
{
	if (claim->kind != STORE_INTENT_FLAG || claim->by_copy)
		return false;
	return keyword ? claim->keyword && !g_ascii_strcasecmp(claim->keyword, keyword)
		       : claim->flag == flag;
}

/* ---- a flag ------------------------------------------------------------------------------------------ */

static bool
merge_flag(Store *store, const StoreIntent *intent, Meant *m, GHashTable *touched, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;
	bool sent = false, seen = false, base = false;

	if (!journal_claims(store, m->id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);
		bool leave = is_left_alone(claim) || is_copied_after(claims, claim);

		if (!same_flag(claim, intent->flag, intent->keyword))
			continue;
		if (!seen)
			base = claim->value != !!(claim->changed & TARGET_DIFFERS);
		seen = true;
		sent |= leave;
		if (claim->state == STORE_ROW_WAITING && claim->value == intent->set) {
			m->live = false;
			return true;
		}
		if (!leave && !swallow(store, claim, m->id, touched, error))
			return false;
	}
	if (!seen || sent)
		return true;
	m->live = intent->set != base;
	m->changed = (uint8_t)((m->changed & ~TARGET_DIFFERS) | (m->live ? TARGET_DIFFERS : 0));
	return true;
}

/* ---- a move, or away for good ---------------------------------------------------------------------------- */

/* A copy or an appended message that is not there yet need not get there to be expunged, unless it is
 * to be copied on from there. */
static bool
is_unborn(const GPtrArray *claims)
{
	bool unborn = false;

	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->kind == STORE_INTENT_COPY && !claim->by_copy)
			return false;
		unborn |= (claim->kind == STORE_INTENT_APPEND || claim->by_copy) &&
			  claim->state != STORE_ROW_SENT;
	}
	return unborn;
}

static bool
add_deleted(Store *store, StoreId mailbox, bool *deleted, GError **error)
{
	g_autoptr(StoreMailbox) box = NULL;

	if (!mailbox || *deleted)
		return true;
	if (!store_mailbox_get(store, mailbox, &box, error))
		return false;
	*deleted = box->deleted;
	return true;
}

/* Is the folder that the message is to leave deleted here?  It must have left before that is done on
 * the server: a move that waits for it keeps its turn. */
static bool
leaves_deleted(Store *store, const GPtrArray *claims, int64_t epoch, bool *deleted, GError **error)
{
	StoreHead head;

	*deleted = false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (kind_moves(claim->kind) && !claim->by_copy &&
		    !add_deleted(store, claim->mailbox, deleted, error))
			return false;
	}
	if (!epoch || !claims->len || *deleted)
		return true;
	return store_head_by_epoch(store, epoch, &head, error) &&
	       add_deleted(store, head.mailbox, deleted, error);
}

static bool
merge_move(Store *store, const StoreIntent *intent, const StoreHead *to, Meant *m,
	   GHashTable *touched, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;
	bool sent = false, unborn, deleted;
	int64_t epoch;
	uint32_t uid;
	Place place;
	bool found;

	if (!journal_claims(store, m->id, &claims, error) ||
	    !place_find(store, m->id, &place, &found, error) ||
	    !place_location(store, &place, &epoch, &uid, error) ||
	    !leaves_deleted(store, claims, uid ? epoch : 0, &deleted, error))
		return false;
	unborn = intent->kind == STORE_INTENT_EXPUNGE && !uid && is_unborn(claims);
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (unborn) {
			if (claim->by_copy || claim->kind == STORE_INTENT_APPEND)
				g_hash_table_add(touched,
						 g_memdup2(&claim->row, sizeof claim->row));
			continue;
		}
		if (!kind_moves(claim->kind) || claim->by_copy)
			continue;
		sent |= deleted || is_left_alone(claim);
		if (!deleted && !is_left_alone(claim) &&
		    !swallow(store, claim, m->id, touched, error))
			return false;
	}
	m->live = !unborn && (sent || !uid || epoch != to->epoch);
	return true;
}

/* Does any row wait that could be merged with INTENT? */
static bool
any_related(Store *store, const StoreIntent *intent, StoreId account, bool *any, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_RELATED, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, account);
	sqlite3_bind_int(query, 2, (int)intent->kind);
	sqlite3_bind_int(query, 3, intent->keyword ? 0 : intent->flag);
	return store_step(store, query, any, error);
}

/* ---- both -------------------------------------------------------------------------------------------- */

static bool
count_touched(Store *store, GHashTable *touched, GError **error)
{
	GHashTableIter iter;
	gpointer row;

	g_hash_table_iter_init(&iter, touched);
	while (g_hash_table_iter_next(&iter, &row, NULL)) {
		if (!journal_count(store, *(const StoreId *)row, error))
			return false;
	}
	return true;
}

bool
journal_merge(Store *store, const StoreIntent *intent, const StoreHead *from, const StoreHead *to,
	      GArray *meant, GError **error)
{
	g_autoptr(GHashTable) touched =
	    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	bool any;

	if (!any_related(store, intent, from->mailbox ? from->account : to->account, &any, error))
		return false;
	for (guint i = 0; i < meant->len; i++) {
		Meant *m = &g_array_index(meant, Meant, i);

		m->live = true;
		if (!any)
			continue;
		if (intent->kind == STORE_INTENT_FLAG &&
		    !merge_flag(store, intent, m, touched, error))
			return false;
		if (kind_moves(intent->kind) && from != to &&
		    !merge_move(store, intent, to, m, touched, error))
			return false;
	}
	return count_touched(store, touched, error);
}

/* ---- a row that did not happen ----------------------------------------------------------------------------- */

static bool
yield_flag(Store *store, const StoreJournalRow *row, const Target *target, const Claim *later,
	   GError **error)
{
	bool base = row->set != !!(target->changed & TARGET_DIFFERS);
	uint8_t changed = (uint8_t)((later->changed & ~TARGET_DIFFERS) |
				    (later->value != base ? TARGET_DIFFERS : 0));

	return target_set(store, row->id, target->id, STORE_TARGET_DONE, target->changed, error) &&
	       target_set(store, later->row, target->id, later->target, changed, error);
}

/* LATER brings the message from where it is; when it is there already, it has nothing to do. */
static bool
yield_move(Desk *desk, const StoreJournalRow *row, const Target *target, const Claim *later,
	   GError **error)
{
	Place place = { .id = target->id };
	int64_t epoch = 0;
	uint32_t uid = 0;
	bool found;

	if (!place_find(desk->store, target->id, &place, &found, error) ||
	    !place_location(desk->store, &place, &epoch, &uid, error) ||
	    !target_set(desk->store, row->id, target->id, STORE_TARGET_DONE, target->changed,
			error))
		return false;
	if (later->kind != STORE_INTENT_MOVE || later->state == STORE_ROW_SENT || !uid ||
	    place.epoch != epoch)
		return true;
	return target_set(desk->store, later->row, target->id, STORE_TARGET_DONE, later->changed,
			  error) &&
	       journal_count(desk->store, later->row, error);
}

static bool
yield_one(Desk *desk, const StoreJournalRow *row, const Target *target, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	if (!journal_claims(desk->store, target->id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (claim->row <= row->id || claim->by_copy || claim->target != STORE_TARGET_TO_DO)
			continue;
		if (row->kind == STORE_INTENT_FLAG && same_flag(claim, row->flag, row->keyword))
			return yield_flag(desk->store, row, target, claim, error);
		if (kind_moves(row->kind) && kind_moves(claim->kind))
			return yield_move(desk, row, target, claim, error);
	}
	return true;
}

bool
journal_yield(Desk *desk, const StoreJournalRow *row, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	if (row->kind != STORE_INTENT_FLAG && !kind_moves(row->kind))
		return true;
	if (!targets_of(desk->store, row->id, false, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);

		if (target->state == STORE_TARGET_TO_DO && !yield_one(desk, row, target, error))
			return false;
	}
	return journal_count(desk->store, row->id, error);
}
