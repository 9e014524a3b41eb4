/* Taking a row's local effect back. */
#include "journal-private.h"

/* ---- messages that nothing holds any more -------------------------------------------------------------- */

/* Stands nowhere, with its flags and parts. */
bool
journal_aside(Desk *desk, const Place *place, GError **error)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Meant m = { .id = place->id, .date = place->date, .uid = place->uid };
	Sheet *from = desk_epoch(desk, place->epoch, error);
	Sheet *to = from ? desk_epoch(desk, 0, error) : NULL;

	g_array_append_val(one, m);
	return to && place_move(desk, from, to, one, error);
}

bool
journal_release(Desk *desk, StoreId id, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;
	int64_t epoch = 0, lost = 0;
	uint32_t uid = 0;
	Place place;
	bool found;

	if (!place_find(desk->store, id, &place, &found, error))
		return false;
	if (!found)
		return true;
	if (!place_location(desk->store, &place, &epoch, &uid, error) ||
	    !lost_where(desk->store, id, &lost, NULL, error) ||
	    !journal_claims(desk->store, id, &claims, error))
		return false;
	return uid || lost || claims->len > 0 || place_delete(desk, id, error);
}

bool
journal_release_strays(Desk *desk, StoreId row, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(desk->store, SQL_STRAYS, error);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	bool more = true;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	while (more) {
		StoreId id;

		if (!store_step(desk->store, query, &more, error))
			return false;
		id = more ? sqlite3_column_int64(query, 0) : 0;
		if (id)
			g_array_append_val(ids, id);
	}
	for (guint i = 0; i < ids->len; i++) {
		if (!journal_release(desk, g_array_index(ids, StoreId, i), error))
			return false;
	}
	return true;
}

/* ---- moves ------------------------------------------------------------------------------------------------ */

/* The epoch in which a message is to stand once ROW is not there: as the last other row wants it, else
 * where the server has it.  *EPOCH -1: as it is. */
static bool
place_without(Desk *desk, const StoreJournalRow *row, StoreId id, int64_t *epoch, GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;
	StoreId dest = -1;
	uint32_t uid;
	Place place;
	bool found;

	*epoch = -1;
	if (!place_find(desk->store, id, &place, &found, error))
		return false;
	if (!found)
		return true;
	if (!journal_claims(desk->store, id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);
		bool gives = kind_moves(claim->kind)
				 ? !claim->by_copy
				 : claim->kind == STORE_INTENT_APPEND || claim->by_copy;

		if (!gives || claim->row == row->id || claim->target == STORE_TARGET_GONE)
			continue;
		if (claim->row > row->id)
			return true;
		dest = claim->kind == STORE_INTENT_EXPUNGE ? 0 : claim->dest;
	}
	if (dest >= 0) {
		Sheet *sheet;

		if (!desk_find(desk, dest, &sheet, error))
			return false;
		*epoch = sheet ? sheet->head.epoch : 0;
		return true;
	}
	if (!place_location(desk->store, &place, epoch, &uid, error))
		return false;
	if (!uid && !lost_where(desk->store, id, epoch, NULL, error))
		return false;
	return true;
}

typedef struct Back {
	int64_t from, to;
	Meant meant;
} Back;

static int
compare_backs(gconstpointer a, gconstpointer b)
{
	const Back *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->meant.id > y->meant.id) - (x->meant.id < y->meant.id);
}

/* Carries out what goes the same way in one piece. */
static bool
carry_back(Desk *desk, GArray *backs, GError **error)
{
	g_array_sort(backs, compare_backs);
	for (guint i = 0; i < backs->len;) {
		const Back *first = &g_array_index(backs, Back, i);
		g_autoptr(GArray) group = g_array_new(FALSE, FALSE, sizeof(Meant));
		Sheet *from = desk_epoch(desk, first->from, error);
		Sheet *to = from ? desk_epoch(desk, first->to, error) : NULL;

		for (; i < backs->len; i++) {
			const Back *back = &g_array_index(backs, Back, i);

			if (back->from != first->from || back->to != first->to)
				break;
			g_array_append_val(group, back->meant);
		}
		if (!to || !place_move(desk, from, to, group, error))
			return false;
	}
	return true;
}

/* The original of a half done move is a message again; the copy is where it was to go. */
static bool
drop_copied(Desk *desk, const Target *target, GError **error)
{
	uint32_t uid = target->uid;
	Sheet *source;

	if (!desk_find(desk, target->mailbox, &source, error) ||
	    (source && !place_leftover(desk->store, target->id, source->head.epoch, &uid, error)))
		return false;
	return !source || !uid || place_revive(desk, source, target->id, uid, 0, error);
}

static bool
drop_moves(Desk *desk, const StoreJournalRow *row, const GArray *targets, GError **error)
{
	g_autoptr(GArray) backs = g_array_new(FALSE, FALSE, sizeof(Back));

	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);
		Back back = { 0 };
		Place place;
		bool found;

		if (target->state == STORE_TARGET_COPIED) {
			if (!drop_copied(desk, target, error))
				return false;
			continue;
		}
		if (!place_without(desk, row, target->id, &back.to, error) ||
		    !place_find(desk->store, target->id, &place, &found, error))
			return false;
		if (!found || back.to < 0 || back.to == place.epoch)
			continue;
		back.from = place.epoch;
		back.meant = (Meant){ .id = place.id, .date = place.date, .uid = place.uid };
		g_array_append_val(backs, back);
	}
	return carry_back(desk, backs, error);
}

/* ---- flags ------------------------------------------------------------------------------------------------- */

static bool
is_same_flag(const StoreJournalRow *row, const Claim *claim)
{
	if (claim->kind != STORE_INTENT_FLAG || claim->by_copy || claim->row == row->id)
		return false;
	return row->keyword ? claim->keyword && !g_ascii_strcasecmp(claim->keyword, row->keyword)
			    : !claim->keyword && claim->flag == row->flag;
}

/* Without ROW, a later row of the same flag stands on what was before ROW; *LAST: there is none. */
static bool
unchain(Store *store, const StoreJournalRow *row, const Target *target, bool before, bool *last,
	GError **error)
{
	g_autoptr(GPtrArray) claims = NULL;

	*last = true;
	if (!journal_claims(store, target->id, &claims, error))
		return false;
	for (guint i = 0; i < claims->len; i++) {
		const Claim *claim = g_ptr_array_index(claims, i);

		if (!is_same_flag(row, claim) || claim->row < row->id)
			continue;
		*last = false;
		return target_set(store, claim->row, target->id, claim->target,
				  (uint8_t)((claim->changed & ~TARGET_DIFFERS) |
					    (claim->value != before ? TARGET_DIFFERS : 0)),
				  error);
	}
	return true;
}

static int
compare_places(gconstpointer a, gconstpointer b)
{
	const Place *x = a, *y = b;

	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static bool
flag_back(Desk *desk, const StoreJournalRow *row, GArray *places, GError **error)
{
	g_array_sort(places, compare_places);
	for (guint i = 0; i < places->len;) {
		int64_t epoch = g_array_index(places, Place, i).epoch;
		g_autoptr(GArray) group = g_array_new(FALSE, FALSE, sizeof(Meant));
		Sheet *sheet = desk_epoch(desk, epoch, error);

		for (; i < places->len; i++) {
			const Place *place = &g_array_index(places, Place, i);
			Meant m = { .id = place->id, .date = place->date, .uid = place->uid };

			if (place->epoch != epoch)
				break;
			g_array_append_val(group, m);
		}
		if (!sheet ||
		    !journal_flag(desk, sheet, row->flag, row->keyword, !row->set, group, error))
			return false;
	}
	return true;
}

static bool
drop_flags(Desk *desk, const StoreJournalRow *row, const GArray *targets, GError **error)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));

	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);
		bool differs = target->changed & TARGET_DIFFERS, found, last;
		Place place;

		if (!unchain(desk->store, row, target, row->set != differs, &last, error) ||
		    !place_find(desk->store, target->id, &place, &found, error))
			return false;
		if (found && last && differs)
			g_array_append_val(places, place);
	}
	return flag_back(desk, row, places, error);
}

/* ---- all kinds ----------------------------------------------------------------------------------------------- */

/* What was made here and is not there goes. */
static bool
drop_made(Desk *desk, const GArray *targets, GError **error)
{
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);

		if (!place_delete(desk, target->copy ? target->copy : target->id, error))
			return false;
	}
	return true;
}

static bool
take_back(Desk *desk, const StoreJournalRow *row, const GArray *targets, GError **error)
{
	switch (row->kind) {
	case STORE_INTENT_FLAG:
		return drop_flags(desk, row, targets, error);
	case STORE_INTENT_MOVE:
	case STORE_INTENT_EXPUNGE:
		return drop_moves(desk, row, targets, error);
	case STORE_INTENT_COPY:
	case STORE_INTENT_APPEND:
		return drop_made(desk, targets, error);
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		break;
	}
	return journal_folder_drop(desk->store, row, error);
}

bool
journal_drop(Store *store, const StoreJournalRow *row, GError **error)
{
	g_autoptr(GArray) targets = NULL;
	g_auto(Desk) desk = { 0 };

	desk_init(&desk, store);
	store->folders_changed = true;
	if (!targets_of(store, row->id, false, &targets, error) ||
	    !take_back(&desk, row, targets, error) || !desk_apply(&desk, error) ||
	    !journal_delete(store, row->id, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		if (!journal_release(&desk, g_array_index(targets, Target, i).id, error))
			return false;
	}
	return desk_apply_adjusted(&desk, error);
}

static bool
drop_by_id(Store *store, StoreId id, GError **error)
{
	g_autoptr(StoreJournalRow) row = NULL;

	if (!store_journal_row(store, id, &row, error))
		return false;
	if (row->state == STORE_ROW_SENT) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("the change has been sent: it may have happened, and cannot be "
			      "dropped before the server has told"));
		return false;
	}
	if (row->state == STORE_ROW_CONFIRMED) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("no such change is waiting"));
		return false;
	}
	return journal_drop(store, row, error);
}

bool
store_journal_drop(Store *store, StoreId row, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, drop_by_id(store, row, error), error);
}

/* ---- once more ------------------------------------------------------------------------------------------------- */

static bool
retry(Store *store, StoreId id, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_JOURNAL_RETRY, error);
	g_autoptr(StoreQuery) targets = store_query(store, SQL_TARGETS_RETRY, error);
	int changed;

	if (!query || !targets)
		return false;
	sqlite3_bind_int64(targets, 1, id);
	sqlite3_bind_int64(query, 1, id);
	if (!store_run(store, targets, NULL, error) || !store_run(store, query, &changed, error))
		return false;
	store->folders_changed = true;
	if (changed > 0)
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("no such change has failed"));
	return false;
}

bool
store_journal_retry(Store *store, StoreId row, GError **error)
{
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	return store_verb_end(store, own, retry(store, row, error), error);
}
