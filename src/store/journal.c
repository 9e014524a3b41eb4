/* Intents: their effect and their row, in one transaction. */
#include "journal-private.h"

static bool
fail_usage(GError **error, const char *words)
{
	g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, words);
	return false;
}

/* ---- which messages are meant ------------------------------------------------------------------------ */

static bool
gather_all(Store *store, const StoreHead *head, GArray *meant, GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	Order *order;

	if (!order_open(store, head, &order, error))
		return false;
	for (guint e = 0; e < order->entries->len; e++) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, e);

		if (!order_chunk_load(store, entry, records, error))
			return false;
		for (size_t i = 0; i < entry->count; i++) {
			Meant m = { .id = order_id(records[i]),
				    .date = order_date(records[i]),
				    .uid = order_uid(records[i]) };

			g_array_append_val(meant, m);
		}
	}
	return true;
}

static bool
gather_ids(Store *store, const StoreHead *head, const StoreId *ids, size_t n, GArray *meant,
	   GError **error)
{
	for (size_t i = 0; i < n; i++) {
		Place place;
		bool found;

		if (!place_find(store, ids[i], &place, &found, error))
			return false;
		if (found && place.epoch == head->epoch) {
			Meant m = { .id = place.id, .date = place.date, .uid = place.uid };

			g_array_append_val(meant, m);
		}
	}
	return true;
}

static bool
gather_range(Store *store, const StoreHead *head, uint32_t low, uint32_t high, GArray *meant,
	     GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UID_RANGE, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, head->epoch);
	sqlite3_bind_int64(query, 2, low);
	sqlite3_bind_int64(query, 3, high);
	while (store_step(store, query, &row, error)) {
		bool hidden = false;
		Meant m = { 0 };

		if (!row)
			return true;
		m.uid = (uint32_t)sqlite3_column_int64(query, 0);
		m.id = sqlite3_column_int64(query, 1);
		m.date = sqlite3_column_int64(query, 2);
		if (head->hidden && !uid_is_hidden(store, head->epoch, m.uid, &hidden, NULL, error))
			return false;
		if (!hidden)
			g_array_append_val(meant, m);
	}
	return false;
}

static int
compare_meant(gconstpointer a, gconstpointer b)
{
	const Meant *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void
sort_and_unify(GArray *meant)
{
	guint kept = 0;

	g_array_sort(meant, compare_meant);
	for (guint i = 0; i < meant->len; i++) {
		Meant m = g_array_index(meant, Meant, i);

		if (kept == 0 || g_array_index(meant, Meant, kept - 1).id != m.id)
			g_array_index(meant, Meant, kept++) = m;
	}
	g_array_set_size(meant, kept);
}

static bool
gather(Store *store, const StoreIntent *intent, const StoreHead *head, GArray *meant,
       GError **error)
{
	if (intent->all) {
		if (!gather_all(store, head, meant, error))
			return false;
	} else if (!gather_ids(store, head, intent->messages, intent->n_messages, meant, error)) {
		return false;
	}
	for (size_t i = 0; !intent->all && i < intent->n_uid_ranges; i++) {
		if (!gather_range(store, head, intent->uid_ranges[2 * i],
				  intent->uid_ranges[2 * i + 1], meant, error))
			return false;
	}
	sort_and_unify(meant);
	return true;
}

/* Where the server has them now. */
static bool
note_locations(Desk *desk, const StoreHead *head, GArray *meant, GError **error)
{
	for (guint i = 0; i < meant->len; i++) {
		Meant *m = &g_array_index(meant, Meant, i);
		Place place = { .id = m->id, .epoch = head->epoch, .uid = m->uid };
		int64_t epoch;
		Sheet *sheet;

		m->at_uid = m->uid;
		m->at_mailbox = m->uid ? head->mailbox : 0;
		m->at_uidvalidity = m->uid ? head->uidvalidity : 0;
		if (m->uid)
			continue;
		if (!place_location(desk->store, &place, &epoch, &m->at_uid, error))
			return false;
		if (!m->at_uid && !journal_maker(desk->store, m->id, true, &m->because, error))
			return false;
		if (!m->at_uid)
			continue;
		sheet = desk_epoch(desk, epoch, error);
		if (!sheet)
			return false;
		m->at_mailbox = sheet->head.mailbox;
		m->at_uidvalidity = sheet->head.uidvalidity;
	}
	return true;
}

/* ---- writing the row ----------------------------------------------------------------------------------- */

static bool
row_add(Store *store, const StoreIntent *intent, StoreId account, StoreRowState state, uint32_t n,
	StoreId *row, GError **error)
{
	StoreQuery *query = store_query(store, SQL_JOURNAL_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, intent->group);
	sqlite3_bind_int64(query, 2, account);
	sqlite3_bind_int(query, 3, (int)intent->kind);
	sqlite3_bind_int(query, 4, (int)intent->action);
	sqlite3_bind_int(query, 5, (int)state);
	sqlite3_bind_int64(query, 6, intent->mailbox);
	sqlite3_bind_int64(query, 7, intent->dest);
	sqlite3_bind_int(query, 8, intent->flag);
	sqlite3_bind_text(query, 9, intent->keyword, -1, SQLITE_STATIC);
	sqlite3_bind_int(query, 10, intent->set);
	sqlite3_bind_text(query, 11, intent->name, -1, SQLITE_STATIC);
	store_bind_blob(query, 12, intent->raw);
	sqlite3_bind_int64(query, 13, g_get_real_time() / G_USEC_PER_SEC);
	sqlite3_bind_int64(query, 14, n);
	if (!store_run(store, query, NULL, error))
		return false;
	*row = sqlite3_last_insert_rowid(store->db);
	return intent->group || journal_run(store, SQL_JOURNAL_GROUP, *row, *row, 0, 0, error);
}

bool
journal_row_add(Store *store, const StoreIntent *intent, StoreId account, StoreRowState state,
		StoreId *row, GError **error)
{
	return row_add(store, intent, account, state, 0, row, error);
}

static bool
target_add(Store *store, StoreId row, const Meant *m, GError **error)
{
	StoreQuery *query = store_query(store, SQL_TARGET_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, row);
	sqlite3_bind_int64(query, 2, m->id);
	sqlite3_bind_int64(query, 3, m->copy);
	sqlite3_bind_int64(query, 4, m->at_mailbox);
	sqlite3_bind_int64(query, 5, m->at_uidvalidity);
	sqlite3_bind_int64(query, 6, m->at_uid);
	sqlite3_bind_int(query, 7, m->changed);
	sqlite3_bind_int(query, 8, m->live ? STORE_TARGET_TO_DO : STORE_TARGET_DONE);
	return store_run(store, query, NULL, error);
}

/* One row for those of MEANT that BECAUSE (0: nothing) keeps from being done. */
static bool
write_part(Store *store, StoreIntent *intent, StoreId account, const GArray *meant, StoreId because,
	   StoreId *row, GError **error)
{
	uint32_t live = 0, n = 0;

	*row = 0;
	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);

		n += m->because == because;
		live += m->because == because && m->live;
	}
	if (n == 0)
		return true;
	if (!row_add(store, intent, account, live ? STORE_ROW_WAITING : STORE_ROW_CONFIRMED, live,
		     row, error))
		return false;
	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);

		if (m->because == because && !target_add(store, *row, m, error))
			return false;
	}
	if (!intent->group)
		intent->group = *row;
	if (because && live &&
	    !journal_set_failed(store, *row, POSTERN_ERROR_REFUSED,
				_("an earlier change that it needs was not done"), because, error))
		return false;
	if (!live)
		*row = 0;
	return true;
}

static bool
write_row(Store *store, const StoreIntent *intent, StoreId account, const GArray *meant,
	  StoreIntended *out, GError **error)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_int64_hash, g_int64_equal);
	StoreIntent parts = *intent;

	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);
		StoreId row;

		if (!g_hash_table_add(done, (gpointer)&m->because))
			continue;
		if (!write_part(store, &parts, account, meant, m->because, &row, error))
			return false;
		if (row && (!out->row || !m->because))
			out->row = row;
	}
	out->group = parts.group;
	out->n = meant->len;
	return journal_prune(store, error);
}

/* ---- intents about messages ------------------------------------------------------------------------------ */

static bool
check_message_intent(const StoreIntent *intent, const Sheet *from, const Sheet *to, GError **error)
{
	bool needs_dest = intent->kind == STORE_INTENT_MOVE || intent->kind == STORE_INTENT_COPY;

	if (needs_dest && from->head.mailbox &&
	    (!intent->dest || to->head.account != from->head.account))
		return fail_usage(error,
				  _("messages can be moved and copied within one account only"));
	if (intent->kind == STORE_INTENT_MOVE && from == to)
		return fail_usage(error, _("the messages are in that folder already"));
	if (intent->kind == STORE_INTENT_FLAG) {
		bool one = intent->flag && !(intent->flag & (intent->flag - 1));
		bool keyword = intent->keyword && *intent->keyword;

		if (keyword ? intent->flag != 0 : !one || intent->flag > STORE_FLAG_DRAFT)
			return fail_usage(error, _("one flag or keyword at a time"));
		if (keyword && strpbrk(intent->keyword, " (){%*\"\\]\r\n\t"))
			return fail_usage(error, _("not a keyword that a server takes"));
	}
	return true;
}

static bool
carry_out(Desk *desk, const StoreIntent *intent, Sheet *from, Sheet *to, GArray *meant,
	  GError **error)
{
	switch (intent->kind) {
	case STORE_INTENT_FLAG:
		return journal_flag(desk, from, intent->flag, intent->keyword, intent->set, meant,
				    error);
	case STORE_INTENT_COPY:
		return place_copy(desk, from, to, meant, error);
	case STORE_INTENT_MOVE:
	case STORE_INTENT_EXPUNGE:
		return place_move(desk, from, to, meant, error);
	case STORE_INTENT_APPEND:
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		break;
	}
	return false;
}

/* What was never to get to the server and is not wanted any more. */
static bool
delete_unborn(Desk *desk, const GArray *meant, GError **error)
{
	for (guint i = 0; i < meant->len; i++) {
		const Meant *m = &g_array_index(meant, Meant, i);

		if (!m->live && !place_delete(desk, m->id, error))
			return false;
	}
	return true;
}

static bool
intend_messages(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	g_autoptr(GArray) meant = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_auto(Desk) desk = { 0 };
	Sheet *from, *to = NULL;
	StoreId dest = intent->kind == STORE_INTENT_EXPUNGE ? 0 : intent->dest;

	desk_init(&desk, store);
	from = desk_mailbox(&desk, intent->mailbox, error);
	if (from && intent->kind != STORE_INTENT_FLAG)
		to = desk_mailbox(&desk, dest, error);
	if (!from || (intent->kind != STORE_INTENT_FLAG && !to) ||
	    !check_message_intent(intent, from, to, error) ||
	    !gather(store, intent, &from->head, meant, error))
		return false;
	if (meant->len == 0)
		return true;
	if (!note_locations(&desk, &from->head, meant, error) ||
	    !carry_out(&desk, intent, from, to, meant, error) ||
	    !journal_merge(store, intent, &from->head, to ? &to->head : NULL, meant, error) ||
	    !write_row(store, intent, from->head.mailbox ? from->head.account : to->head.account,
		       meant, out, error))
		return false;
	if (intent->kind == STORE_INTENT_EXPUNGE && !delete_unborn(&desk, meant, error))
		return false;
	return desk_apply_adjusted(&desk, error);
}

/* ---- a message that is only here ------------------------------------------------------------------------- */

#define APPENDED_FLAGS                                                                             \
	(STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED | STORE_FLAG_DELETED |         \
	 STORE_FLAG_DRAFT)

static bool
intend_append(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	g_autoptr(GArray) meant = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_autofree char *keywords = NULL;
	g_auto(Desk) desk = { 0 };
	Meant m = { .live = true };
	StoreIntent row = *intent;
	Sheet *to;

	desk_init(&desk, store);
	if (!intent->message || !intent->content)
		return fail_usage(error, _("there is no message to keep"));
	to = desk_mailbox(&desk, intent->dest, error);
	if (to && intent->message->uid)
		return fail_usage(error, _("a message that is to be appended has no UID"));
	if (!to || !store_next_identity(store, &m.id, error) ||
	    !store_message_add_placed(store, to, m.id, intent->message, error) ||
	    !desk_apply_adjusted(&desk, error) ||
	    !store_part_put(store, m.id, "", intent->content, error))
		return false;
	g_array_append_val(meant, m);
	/* As it is to be sent; what becomes of its flags here is sent by rows of its own. */
	row.flag = intent->message->flags & APPENDED_FLAGS;
	if (!span_is_empty(intent->message->keywords))
		row.keyword = keywords = span_dup(intent->message->keywords);
	if (!write_row(store, &row, to->head.account, meant, out, error))
		return false;
	out->message = m.id;
	return true;
}

bool
journal_intend(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	*out = (StoreIntended){ 0 };
	switch (intent->kind) {
	case STORE_INTENT_FLAG:
	case STORE_INTENT_MOVE:
	case STORE_INTENT_COPY:
	case STORE_INTENT_EXPUNGE:
		return intend_messages(store, intent, out, error);
	case STORE_INTENT_APPEND:
		return intend_append(store, intent, out, error);
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		return journal_intend_folder(store, intent, out, error);
	}
	return fail_usage(error, _("no such change"));
}

bool
store_intend(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error)
{
	StoreIntended intended;
	bool own;

	if (!store_verb_begin(store, &own, error))
		return false;
	if (!store_verb_end(store, own, journal_intend(store, intent, &intended, error), error))
		return false;
	*out = intended;
	return true;
}
