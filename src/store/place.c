#include "place-private.h"
#include "journal-private.h"

/* ---- the desk ----------------------------------------------------------------------------------- */

static void
sheet_free(void *data)
{
	Sheet *sheet = data;

	g_array_unref(sheet->edits);
	g_free(sheet);
}

void
desk_init(Desk *desk, Store *store)
{
	desk->store = store;
	desk->sheets = g_ptr_array_new_with_free_func(sheet_free);
}

void
desk_clear(Desk *desk)
{
	g_clear_pointer(&desk->sheets, g_ptr_array_unref);
}

static Sheet *
take_up(Desk *desk, StoreHead head)
{
	Sheet *sheet = g_new0(Sheet, 1);

	sheet->head = head;
	sheet->total = head.total;
	sheet->unread = head.unread;
	sheet->edits = g_array_new(FALSE, FALSE, sizeof(OrderEdit));
	g_ptr_array_add(desk->sheets, sheet);
	return sheet;
}

Sheet *
desk_mailbox(Desk *desk, StoreId mailbox, GError **error)
{
	StoreHead head;

	for (guint i = 0; i < desk->sheets->len; i++) {
		Sheet *sheet = g_ptr_array_index(desk->sheets, i);

		if (sheet->head.mailbox == mailbox)
			return sheet;
	}
	return store_head_load(desk->store, mailbox, &head, error) ? take_up(desk, head) : NULL;
}

Sheet *
desk_epoch(Desk *desk, int64_t epoch, GError **error)
{
	StoreHead head;

	for (guint i = 0; i < desk->sheets->len; i++) {
		Sheet *sheet = g_ptr_array_index(desk->sheets, i);

		if (sheet->head.epoch == epoch)
			return sheet;
	}
	return store_head_by_epoch(desk->store, epoch, &head, error) ? take_up(desk, head) : NULL;
}

bool
desk_find(Desk *desk, StoreId mailbox, Sheet **sheet, GError **error)
{
	g_autoptr(GError) failed = NULL;

	*sheet = desk_mailbox(desk, mailbox, &failed);
	if (*sheet || postern_error_is(failed, POSTERN_ERROR_GONE))
		return true;
	g_propagate_error(error, g_steal_pointer(&failed));
	return false;
}

void
desk_edit(Sheet *sheet, OrderKind kind, OrderRecord record)
{
	OrderEdit edit = { .kind = kind, .record = record, .tag = sheet->edits->len };

	g_array_append_val(sheet->edits, edit);
}

static bool
sheet_apply(Store *store, Sheet *sheet, GError **error)
{
	bool changed = false;

	if (sheet->edits->len > 0 &&
	    !order_apply(store, &sheet->head, sheet->edits, &changed, error))
		return false;
	g_array_set_size(sheet->edits, 0);
	if (sheet->touched && !changed && !store_head_save(store, &sheet->head, error))
		return false;
	sheet->touched = false;
	return true;
}

bool
desk_apply(Desk *desk, GError **error)
{
	for (guint i = 0; i < desk->sheets->len; i++) {
		if (!sheet_apply(desk->store, g_ptr_array_index(desk->sheets, i), error))
			return false;
	}
	return true;
}

bool
desk_apply_adjusted(Desk *desk, GError **error)
{
	if (!desk_apply(desk, error))
		return false;
	for (guint i = 0; i < desk->sheets->len; i++) {
		const Sheet *sheet = g_ptr_array_index(desk->sheets, i);
		StoreQuery *query;

		if (sheet->head.total == sheet->total && sheet->head.unread == sheet->unread)
			continue;
		query = store_query(desk->store, SQL_MAILBOX_ADJUST, error);
		if (!query)
			return false;
		sqlite3_bind_int64(query, 1, sheet->head.mailbox);
		sqlite3_bind_int64(query, 2, (int64_t)sheet->head.total - sheet->total);
		sqlite3_bind_int64(query, 3, (int64_t)sheet->head.unread - sheet->unread);
		if (!store_run(desk->store, query, NULL, error))
			return false;
	}
	return true;
}

/* ---- one message -------------------------------------------------------------------------------- */

bool
place_find(Store *store, StoreId id, Place *place, bool *found, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MESSAGE_KEY, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	if (!store_step(store, query, found, error))
		return false;
	if (*found)
		*place =
		    (Place){ id, sqlite3_column_int64(query, 0), sqlite3_column_int64(query, 2),
			     (uint32_t)sqlite3_column_int64(query, 1) };
	return true;
}

static bool
hidden_of(Store *store, StoreId id, bool leftover, int64_t *epoch, uint32_t *uid, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_HIDDEN_OF, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	sqlite3_bind_int(query, 2, leftover);
	sqlite3_bind_int64(query, 3, *epoch);
	if (!store_step(store, query, &row, error))
		return false;
	*epoch = row ? sqlite3_column_int64(query, 0) : 0;
	*uid = row ? (uint32_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

bool
place_location(Store *store, const Place *place, int64_t *epoch, uint32_t *uid, GError **error)
{
	*epoch = 0;
	if (!place->uid)
		return hidden_of(store, place->id, false, epoch, uid, error);
	*epoch = place->epoch;
	*uid = place->uid;
	return true;
}

bool
place_leftover(Store *store, StoreId id, int64_t epoch, uint32_t *uid, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_HIDDEN_LEFT, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, *uid);
	sqlite3_bind_int64(query, 3, id);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		*uid = 0;
	return true;
}

bool
place_set(Store *store, StoreId id, int64_t epoch, uint32_t uid, GError **error)
{
	StoreQuery *query = store_query(store, SQL_MESSAGE_PLACE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	sqlite3_bind_int64(query, 2, epoch);
	if (uid)
		sqlite3_bind_int64(query, 3, uid);
	else
		sqlite3_bind_null(query, 3);
	return store_run(store, query, NULL, error);
}

/* ---- UIDs ----------------------------------------------------------------------------------------- */

bool
uid_delete(Store *store, int64_t epoch, uint32_t uid, GError **error)
{
	StoreQuery *query = store_query(store, SQL_UID_DELETE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, uid);
	return store_run(store, query, NULL, error);
}

bool
uid_hide(Sheet *sheet, Store *store, uint32_t uid, StoreId id, bool leftover, GError **error)
{
	StoreQuery *query = store_query(store, SQL_HIDDEN_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, sheet->head.epoch);
	sqlite3_bind_int64(query, 2, uid);
	sqlite3_bind_int64(query, 3, id);
	sqlite3_bind_int(query, 4, leftover);
	sheet->head.hidden++;
	sheet->touched = true;
	return store_run(store, query, NULL, error);
}

/* The UID stays the server's; its message is about to stand there. */
static bool
uid_show(Sheet *sheet, Store *store, uint32_t uid, GError **error)
{
	StoreQuery *query = store_query(store, SQL_HIDDEN_DELETE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, sheet->head.epoch);
	sqlite3_bind_int64(query, 2, uid);
	sheet->head.hidden--;
	sheet->touched = true;
	return store_run(store, query, NULL, error);
}

bool
uid_is_hidden(Store *store, int64_t epoch, uint32_t uid, bool *hidden, bool *leftover,
	      GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_HIDDEN_FIND, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, uid);
	if (!store_step(store, query, hidden, error))
		return false;
	if (leftover)
		*leftover = *hidden && sqlite3_column_int(query, 0);
	return true;
}

bool
place_unhide(Desk *desk, Sheet *sheet, uint32_t uid, GError **error)
{
	return uid_show(sheet, desk->store, uid, error) &&
	       uid_delete(desk->store, sheet->head.epoch, uid, error);
}

static bool
uid_add(Store *store, int64_t epoch, const Place *place, uint32_t uid, GError **error)
{
	StoreQuery *query = store_query(store, SQL_UID_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	sqlite3_bind_int64(query, 2, uid);
	sqlite3_bind_int64(query, 3, place->id);
	sqlite3_bind_int64(query, 4, place->date);
	sqlite3_bind_int64(query, 5, 0);
	return store_run(store, query, NULL, error);
}

/* ---- moving --------------------------------------------------------------------------------------- */

bool
place_take_out(Desk *desk, Sheet *sheet, GArray *meant, GError **error)
{
	g_autoptr(GArray) edits = g_array_sized_new(FALSE, FALSE, sizeof(OrderEdit), meant->len);

	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);
		OrderEdit edit = { .kind = ORDER_REMOVE,
				   .record = order_record(m->date, m->uid, m->id, 0),
				   .tag = i };

		g_array_append_val(edits, edit);
	}
	if (!order_apply(desk->store, &sheet->head, edits, NULL, error))
		return false;
	for (guint i = 0; i < edits->len; i++) {
		const OrderEdit *edit = &g_array_index(edits, OrderEdit, i);

		g_array_index(meant, Meant, edit->tag).flags = edit->was;
	}
	return true;
}

/* The UID that M is to have at TO, its old one being hidden. */
static bool
change_uid(Desk *desk, Sheet *from, Sheet *to, const Meant *m, uint32_t *uid, GError **error)
{
	int64_t epoch = 0;

	*uid = 0;
	if (m->uid)
		return uid_hide(from, desk->store, m->uid, m->id, false, error);
	if (!hidden_of(desk->store, m->id, false, &epoch, uid, error))
		return false;
	if (*uid && epoch == to->head.epoch)
		return uid_show(to, desk->store, *uid, error);
	*uid = 0;
	return true;
}

bool
place_move(Desk *desk, Sheet *from, Sheet *to, GArray *meant, GError **error)
{
	if (from == to)
		return true;
	if (!desk_apply(desk, error) || !place_take_out(desk, from, meant, error))
		return false;
	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);
		uint32_t uid;

		if (!change_uid(desk, from, to, m, &uid, error) ||
		    !place_set(desk->store, m->id, to->head.epoch, uid, error))
			return false;
		desk_edit(to, ORDER_INSERT, order_record(m->date, uid, m->id, m->flags));
	}
	return desk_apply(desk, error);
}

/* ---- copying -------------------------------------------------------------------------------------- */

bool
store_next_identity(Store *store, StoreId *id, GError **error)
{
	if (store->next_message > ORDER_ID_MAX) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the mail cache %s has had too many messages: move it away"),
			    store->path);
		return false;
	}
	*id = store->next_message++;
	store->state_changed = true;
	return true;
}

/* A row like ID's for a new identity, at EPOCH, without a UID. */
static bool
clone_row(Store *store, StoreId id, StoreId *copy, int64_t epoch, GError **error)
{
	StoreQuery *query = store_query(store, SQL_MESSAGE_CLONE, error);

	if (!query || !store_next_identity(store, copy, error))
		return false;
	sqlite3_bind_int64(query, 1, id);
	sqlite3_bind_int64(query, 2, *copy);
	sqlite3_bind_int64(query, 3, epoch);
	return store_run(store, query, NULL, error) &&
	       journal_run(store, SQL_ORIGIN_ADD, id, *copy, 0, 0, error);
}

/* Fills in the flags of MEANT, which stand in SHEET. */
static bool
look_at_flags(Desk *desk, Sheet *sheet, GArray *meant, GError **error)
{
	g_autoptr(GArray) edits = g_array_sized_new(FALSE, FALSE, sizeof(OrderEdit), meant->len);

	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);
		OrderEdit edit = { .kind = ORDER_FLAGS,
				   .keep = UINT16_MAX,
				   .record = order_record(m->date, m->uid, m->id, 0),
				   .tag = i };

		g_array_append_val(edits, edit);
	}
	if (!order_apply(desk->store, &sheet->head, edits, NULL, error))
		return false;
	for (guint i = 0; i < edits->len; i++) {
		const OrderEdit *edit = &g_array_index(edits, OrderEdit, i);

		g_array_index(meant, Meant, edit->tag).flags = edit->was;
	}
	return true;
}

bool
place_copy(Desk *desk, Sheet *from, Sheet *to, GArray *meant, GError **error)
{
	if (!desk_apply(desk, error) || !look_at_flags(desk, from, meant, error))
		return false;
	for (guint i = 0; i < meant->len; i++) {
		Meant *m = &g_array_index(meant, Meant, i);

		if (!clone_row(desk->store, m->id, &m->copy, to->head.epoch, error))
			return false;
		desk_edit(to, ORDER_INSERT, order_record(m->date, 0, m->copy, m->flags));
	}
	return desk_apply(desk, error);
}

bool
place_revive(Desk *desk, Sheet *sheet, StoreId id, uint32_t uid, uint16_t flags, GError **error)
{
	Meant m = { .id = id };
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Sheet *stands;
	StoreId copy;
	Place place;
	bool found;

	if (!place_find(desk->store, id, &place, &found, error))
		return false;
	if (!found)
		return store_fail_damaged(desk->store, "leftover", error);
	stands = desk_epoch(desk, place.epoch, error);
	if (!stands)
		return false;
	m.date = place.date;
	m.uid = place.uid;
	g_array_append_val(one, m);
	if (!desk_apply(desk, error) || !look_at_flags(desk, stands, one, error) ||
	    !clone_row(desk->store, id, &copy, sheet->head.epoch, error) ||
	    !place_unhide(desk, sheet, uid, error))
		return false;
	place.id = copy;
	desk_edit(sheet, ORDER_INSERT,
		  order_record(place.date, uid, copy, g_array_index(one, Meant, 0).flags | flags));
	return uid_add(desk->store, sheet->head.epoch, &place, uid, error) &&
	       place_set(desk->store, copy, sheet->head.epoch, uid, error);
}

/* ---- locations ------------------------------------------------------------------------------------ */

/* Takes the UID from a message at its place: out of the order and in again, without. */
static bool
without_uid(Desk *desk, const Place *place, GError **error)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Meant m = { .id = place->id, .date = place->date, .uid = place->uid };
	Sheet *sheet = desk_epoch(desk, place->epoch, error);

	if (!sheet || !desk_apply(desk, error))
		return false;
	g_array_append_val(one, m);
	if (!place_take_out(desk, sheet, one, error))
		return false;
	desk_edit(sheet, ORDER_INSERT,
		  order_record(place->date, 0, place->id, g_array_index(one, Meant, 0).flags));
	return place_set(desk->store, place->id, place->epoch, 0, error);
}

bool
place_unlocate(Desk *desk, StoreId id, GError **error)
{
	int64_t epoch = 0;
	uint32_t uid;
	Sheet *sheet;
	Place place;
	bool found;

	if (!place_find(desk->store, id, &place, &found, error))
		return false;
	if (found && place.uid)
		return without_uid(desk, &place, error) &&
		       uid_delete(desk->store, place.epoch, place.uid, error);
	if (!hidden_of(desk->store, id, false, &epoch, &uid, error))
		return false;
	if (!uid)
		return true;
	sheet = desk_epoch(desk, epoch, error);
	return sheet && place_unhide(desk, sheet, uid, error);
}

bool
place_leave(Desk *desk, const Place *place, Sheet *sheet, uint32_t uid, GError **error)
{
	if (!place->uid)
		return journal_run(desk->store, SQL_HIDDEN_LEAVE, sheet->head.epoch, uid, 0, 0,
				   error);
	/* It was moved back here meanwhile: it stays, as the copy, until that is moved back. */
	return without_uid(desk, place, error) &&
	       uid_hide(sheet, desk->store, uid, place->id, true, error);
}

/* What UID of SHEET is known as; *ID 0: as nothing. */
static bool
met_as(Store *store, const Sheet *sheet, uint32_t uid, StoreId *id, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UID_FIND, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, sheet->head.epoch);
	sqlite3_bind_int64(query, 2, uid);
	if (!store_step(store, query, &row, error))
		return false;
	*id = row ? sqlite3_column_int64(query, 0) : 0;
	return true;
}

/* How a message shows. */
typedef struct Looks {
	uint16_t flags;
	char *keywords; /* owned */
} Looks;

static bool
look_at(Desk *desk, const Place *place, Looks *looks, GError **error)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Meant m = { .id = place->id, .date = place->date, .uid = place->uid };
	Sheet *sheet = desk_epoch(desk, place->epoch, error);

	g_array_append_val(one, m);
	if (!sheet || !desk_apply(desk, error) || !look_at_flags(desk, sheet, one, error) ||
	    !store_keywords_get(desk->store, place->id, &looks->keywords, error))
		return false;
	looks->flags = g_array_index(one, Meant, 0).flags;
	return true;
}

/* The message at PLACE shows as LOOKS, and what waits of it on top. */
static bool
show_as(Desk *desk, const Place *place, const Looks *looks, GError **error)
{
	Span keywords = span_of_string(looks->keywords);
	g_autoptr(GArray) edits = g_array_new(FALSE, FALSE, sizeof(OrderEdit));
	g_autofree char *laid_over = NULL;
	OrderEdit edit = { .kind = ORDER_FLAGS, .keep = STORE_FLAG_ATTACHMENT };
	Sheet *sheet = desk_epoch(desk, place->epoch, error);
	bool changed = false, differed = false;
	Overlay overlay;

	if (!sheet ||
	    !journal_overlay(desk->store, place->id, looks->flags, keywords, &overlay, error))
		return false;
	laid_over = overlay.keywords;
	if (laid_over)
		keywords = span_of_string(laid_over);
	edit.record = order_record(place->date, place->uid, place->id, 0);
	edit.set = flags_with_keywords(overlay.flags & ~STORE_FLAG_ATTACHMENT, keywords);
	g_array_append_val(edits, edit);
	if (!desk_apply(desk, error) ||
	    !order_apply(desk->store, &sheet->head, edits, &changed, error) ||
	    !store_keywords_set(desk->store, place->id, keywords, &differed, error))
		return false;
	sheet->touched |= differed && !changed;
	return true;
}

/* What was met in THERE, and has been put at PLACE since: the message goes with it, unless it has gone
 * elsewhere itself. */
static bool
follow(Desk *desk, const Sheet *there, StoreId id, const Place *place, GError **error)
{
	g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
	Sheet *from, *to;
	Place own;
	bool found;

	if (place->epoch == there->head.epoch)
		return true;
	if (!place_find(desk->store, id, &own, &found, error))
		return false;
	if (!found || own.epoch != there->head.epoch)
		return true;
	Meant m = { .id = id, .date = own.date, .uid = own.uid };
	g_array_append_val(one, m);
	from = desk_epoch(desk, own.epoch, error);
	to = from ? desk_epoch(desk, place->epoch, error) : NULL;
	return to && place_move(desk, from, to, one, error);
}

/* The mirror met ID in THERE as OTHER.  The older one stays, as the server says that it is; OTHER's journal
 * rows and parts become ID's. */
static bool
absorb(Desk *desk, const Sheet *there, StoreId id, StoreId other, GError **error)
{
	g_autoptr(GArray) copies = g_array_new(FALSE, FALSE, sizeof(StoreId));
	Looks looks = { 0 };
	g_autofree char *keywords = NULL;
	Place met, own;
	bool is_met, found, ok, expected;

	if (!place_find(desk->store, other, &met, &is_met, error) ||
	    !expect_is(desk->store, other, &expected, error))
		return false;
	ok = !is_met || look_at(desk, &met, &looks, error);
	keywords = looks.keywords;
	if (!ok || !targets_unite(desk->store, id, other, copies, error) ||
	    !journal_run(desk->store, SQL_PARTS_RENAME, other, id, 0, 0, error) ||
	    !place_delete(desk, other, error))
		return false;
	for (guint i = 0; i < copies->len; i++)
		if (!place_delete(desk, g_array_index(copies, StoreId, i), error))
			return false;
	if ((is_met && !expected && !follow(desk, there, id, &met, error)) ||
	    !place_find(desk->store, id, &own, &found, error))
		return false;
	return !is_met || !found || show_as(desk, &own, &looks, error);
}

/* Nobody else is there, and the message is nowhere else. */
static bool
make_way(Desk *desk, Sheet *there, const Located *l, GError **error)
{
	StoreId other;

	if (!met_as(desk->store, there, l->uid, &other, error))
		return false;
	if (other && other != l->id && !absorb(desk, there, l->id, other, error))
		return false;
	return place_unlocate(desk, l->id, error) && lost_delete(desk->store, l->id, error);
}

/* What was given up or is new here, and is in THERE after all, shows: where the journal wants it. */
static bool
bring_back(Desk *desk, Sheet *there, const GArray *strays, GError **error)
{
	for (guint i = 0; i < strays->len; i++) {
		const Meant *m = &g_array_index(strays, Meant, i);
		g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(Meant));
		Sheet *nowhere = desk_epoch(desk, 0, error), *to;
		StoreId wanted;

		if (!nowhere ||
		    !journal_wanted(desk->store, m->id, there->head.mailbox, &wanted, error))
			return false;
		g_array_append_val(one, *m);
		if (!desk_find(desk, wanted, &to, error) ||
		    !place_move(desk, nowhere, to ? to : there, one, error))
			return false;
	}
	return true;
}

bool
place_locate(Desk *desk, Sheet *there, const Located *located, size_t n, GError **error)
{
	g_autoptr(GArray) here = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(Meant));

	for (size_t i = 0; i < n; i++) {
		Place place;
		bool found;

		if (!make_way(desk, there, &located[i], error) ||
		    !place_find(desk->store, located[i].id, &place, &found, error))
			return false;
		if (!found)
			continue;
		if (!uid_add(desk->store, there->head.epoch, &place, located[i].uid, error))
			return false;
		if (place.epoch == there->head.epoch) {
			Meant m = { .id = place.id, .date = place.date, .at_uid = located[i].uid };

			g_array_append_val(here, m);
			continue;
		}
		if (!uid_hide(there, desk->store, located[i].uid, place.id, false, error))
			return false;
		if (!place.epoch) {
			Meant m = { .id = place.id, .date = place.date };

			g_array_append_val(strays, m);
		}
	}
	if (!desk_apply(desk, error) || !place_take_out(desk, there, here, error))
		return false;
	for (guint i = 0; i < here->len; i++) {
		const Meant *m = &g_array_index(here, Meant, i);

		if (!place_set(desk->store, m->id, there->head.epoch, m->at_uid, error))
			return false;
		desk_edit(there, ORDER_INSERT, order_record(m->date, m->at_uid, m->id, m->flags));
	}
	return desk_apply(desk, error) && bring_back(desk, there, strays, error);
}

/* ---- going ---------------------------------------------------------------------------------------- */

static bool
delete_hidden_of(Desk *desk, StoreId id, bool leftover, GError **error)
{
	for (;;) {
		int64_t epoch = 0;
		uint32_t uid;
		Sheet *sheet;

		if (!hidden_of(desk->store, id, leftover, &epoch, &uid, error))
			return false;
		if (!uid)
			return true;
		sheet = desk_epoch(desk, epoch, error);
		if (!sheet || !place_unhide(desk, sheet, uid, error))
			return false;
	}
}

bool
place_delete(Desk *desk, StoreId id, GError **error)
{
	g_autoptr(GArray) copies = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(StoreId));
	Sheet *sheet;
	Place place;
	bool found;

	if (!place_find(desk->store, id, &place, &found, error))
		return false;
	if (!found)
		return true;
	sheet = desk_epoch(desk, place.epoch, error);
	if (!sheet)
		return false;
	desk_edit(sheet, ORDER_REMOVE, order_record(place.date, place.uid, id, 0));
	if ((place.uid && !uid_delete(desk->store, place.epoch, place.uid, error)) ||
	    !delete_hidden_of(desk, id, false, error) || !delete_hidden_of(desk, id, true, error) ||
	    !lost_delete(desk->store, id, error) ||
	    !targets_forget(desk->store, id, copies, sources, error) ||
	    !journal_run(desk->store, SQL_MESSAGE_DELETE, id, 0, 0, 0, error) ||
	    !store_parts_drop(desk->store, id, error))
		return false;
	/* What was to be made of it cannot be; what it was to be made of may have been kept for that. */
	for (guint i = 0; i < copies->len; i++) {
		if (!place_delete(desk, g_array_index(copies, StoreId, i), error))
			return false;
	}
	for (guint i = 0; i < sources->len; i++) {
		if (!journal_release(desk, g_array_index(sources, StoreId, i), error))
			return false;
	}
	return true;
}
