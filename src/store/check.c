/* Everything held against everything else.  Slow, and on purpose not clever. */
#include "order-private.h"

/* Statements that count what must not be there: the sentence, and the query. */
static const struct {
	const char *what;
	const char *sql;
} nones[] = {
	{ "messages of no mailbox",
	  "SELECT count(*) FROM messages WHERE epoch NOT IN"
	  " (SELECT epoch FROM mailboxes UNION SELECT epoch FROM dropped)" },
	{ "messages not listed by UID",
	  "SELECT count(*) FROM messages m LEFT JOIN uids u ON u.epoch = m.epoch AND u.uid = m.uid"
	  " AND u.id = m.id AND u.date = m.date WHERE u.id IS NULL AND m.uid IS NOT NULL" },
	{ "UIDs whose message stands elsewhere, and that are not hidden",
	  "SELECT count(*) FROM uids u JOIN messages m ON m.id = u.id LEFT JOIN hidden h"
	  " ON h.epoch = u.epoch AND h.uid = u.uid AND h.id = u.id"
	  " WHERE (h.id IS NULL) <> (m.epoch = u.epoch AND m.uid IS u.uid)" },
	{ "hidden UIDs that nothing has", "SELECT count(*) FROM hidden h LEFT JOIN uids u"
					  " ON u.epoch = h.epoch AND u.uid = h.uid AND u.id = h.id"
					  " WHERE u.id IS NULL" },
	{ "messages with two locations",
	  "SELECT count(*) FROM hidden h JOIN messages m ON m.id = h.id WHERE NOT h.leftover"
	  " AND (m.uid IS NOT NULL OR EXISTS(SELECT 1 FROM hidden o WHERE o.id = h.id"
	  "  AND NOT o.leftover AND (o.epoch, o.uid) <> (h.epoch, h.uid)))" },
	{ "a wrong count of hidden UIDs",
	  "SELECT count(*) FROM mailboxes b WHERE hidden <>"
	  " (SELECT count(*) FROM hidden h WHERE h.epoch = b.epoch)" },
	{ "a wrong count of messages without a UID",
	  "SELECT count(*) FROM mailboxes b WHERE placed <>"
	  " (SELECT count(*) FROM messages m WHERE m.epoch = b.epoch AND m.uid IS NULL)" },
	{ "messages that nothing waits for and the server does not have",
	  "SELECT count(*) FROM messages m WHERE m.uid IS NULL"
	  " AND NOT EXISTS(SELECT 1 FROM hidden h WHERE h.id = m.id AND NOT h.leftover)"
	  " AND NOT EXISTS(SELECT 1 FROM lost l WHERE l.id = m.id)"
	  " AND NOT EXISTS(SELECT 1 FROM targets t JOIN journal j ON j.seq = t.seq"
	  "  WHERE t.id = m.id AND t.state <> 2 AND j.state < 4)"
	  " AND NOT EXISTS(SELECT 1 FROM targets t JOIN journal j ON j.seq = t.seq"
	  "  WHERE t.copy = m.id AND t.copy > 0 AND t.state <> 2 AND j.state < 4)" },
	{ "lost messages that are not lost",
	  "SELECT count(*) FROM lost l LEFT JOIN messages m ON m.id = l.id"
	  " WHERE m.id IS NULL OR m.uid IS NOT NULL"
	  " OR EXISTS(SELECT 1 FROM hidden h WHERE h.id = l.id AND NOT h.leftover)"
	  " OR l.epoch NOT IN (SELECT epoch FROM mailboxes)" },
	{ "waiting changes of messages that are not here",
	  "SELECT count(*) FROM targets t JOIN journal j ON j.seq = t.seq WHERE j.state < 4"
	  " AND t.state <> 2 AND t.id NOT IN (SELECT m.id FROM messages m JOIN mailboxes b"
	  "  ON b.epoch = m.epoch)" },
	{ "targets of no change",
	  "SELECT count(*) FROM targets WHERE seq NOT IN (SELECT seq FROM journal)" },
	{ "a change that counts its messages wrong",
	  "SELECT count(*) FROM journal j WHERE kind < 6 AND state < 4 AND n <>"
	  " (SELECT count(*) FROM targets t WHERE t.seq = j.seq AND t.state <> 2)" },
	{ "a change that waits for nothing",
	  "SELECT count(*) FROM journal WHERE kind < 6 AND state < 3 AND n = 0" },
	{ "UIDs without a message", "SELECT count(*) FROM uids WHERE id NOT IN"
				    " (SELECT id FROM messages)" },
	{ "orders of no mailbox",
	  "SELECT count(*) FROM orders WHERE epoch NOT IN"
	  " (SELECT epoch FROM mailboxes UNION SELECT epoch FROM dropped)" },
	{ "parts of no message", "SELECT count(*) FROM parts WHERE message > 0 AND message NOT IN"
				 " (SELECT id FROM messages)" },
	{ "the same part twice", "SELECT count(*) FROM (SELECT 1 FROM parts WHERE message > 0"
				 " GROUP BY message, section HAVING count(*) > 1)" },
	{ "parts that are not whole",
	  "SELECT count(*) FROM parts p WHERE message > 0 AND (pieces, size) IS NOT"
	  " (SELECT count(*), coalesce(sum(length(bytes)), 0) FROM pieces"
	  "  WHERE id BETWEEN p.id << 20 AND ((p.id + 1) << 20) - 1)" },
	{ "a wrong count of bytes kept",
	  "SELECT count(*) FROM accounts a WHERE kept <> (SELECT coalesce(sum(size), 0) FROM parts"
	  "  WHERE message > 0 AND account = a.id)" },
	{ "unfinished parts that nobody writes", "SELECT count(*) FROM unfinished WHERE part NOT IN"
						 " (SELECT id FROM parts WHERE message IS NULL)"
						 " OR message NOT IN (SELECT id FROM messages)" },
	{ "pieces of no part", "SELECT count(*) FROM pieces WHERE id >> 20 NOT IN"
			       " (SELECT id FROM parts)" },
	{ "numbers to be given out again",
	  "SELECT count(*) FROM state WHERE next_message <= (SELECT max(id) FROM messages)"
	  " OR next_part <= (SELECT max(id) FROM parts)"
	  " OR next_epoch <= (SELECT max(epoch) FROM mailboxes)" },
};

static bool
fail_check(GError **error, const char *what)
{
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE, _("the mail cache is damaged: %s"),
		    what);
	return false;
}

/* The first column of the only row, as a number and, when TEXT is not NULL, as text. */
static bool
ask(Store *store, const char *sql, int64_t argument, int64_t *number, char **text, GError **error)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &query, NULL);

	if (rc == SQLITE_OK) {
		if (sqlite3_bind_parameter_count(query) > 0)
			sqlite3_bind_int64(query, 1, argument);
		rc = sqlite3_step(query);
	}
	if (rc != SQLITE_ROW) {
		store_fail(store, rc, error);
		sqlite3_finalize(query);
		return false;
	}
	if (text)
		*text = store_column_text(query, 0);
	*number = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	return true;
}

static bool
check_sqlite(Store *store, GError **error)
{
	g_autofree char *text = NULL;
	int64_t number;

	if (!ask(store, "PRAGMA integrity_check(1)", 0, &number, &text, error))
		return false;
	return g_str_equal(text, "ok") || fail_check(error, text);
}

static bool
check_nones(Store *store, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(nones); i++) {
		int64_t count;

		if (!ask(store, nones[i].sql, 0, &count, NULL, error))
			return false;
		if (count > 0)
			return fail_check(error, nones[i].what);
	}
	return true;
}

/* One record against its row. */
static bool
check_record(Store *store, int64_t epoch, OrderRecord record, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MESSAGE_ROW, error);
	bool row, has_keywords;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, order_id(record));
	if (!store_step(store, query, &row, error))
		return false;
	if (!row)
		return fail_check(error, "a record without a row");
	has_keywords = sqlite3_column_type(query, 7) != SQLITE_NULL;
	if (sqlite3_column_int64(query, 0) != epoch ||
	    sqlite3_column_int64(query, 1) != order_uid(record) ||
	    sqlite3_column_int64(query, 2) != order_date(record))
		return fail_check(error, "a record unlike its row");
	if (has_keywords != !!(order_flags(record) & STORE_FLAG_KEYWORDS))
		return fail_check(error, "a record whose keywords are not in its row");
	return true;
}

/* One chunk against the directory and the rows; adds up what is UNREAD. */
static bool
check_chunk(Store *store, int64_t epoch, const OrderEntry *entry, const OrderRecord *next,
	    uint32_t *unread, GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	uint16_t any = 0, all = UINT16_MAX;

	if (!order_chunk_load(store, entry, records, error))
		return false;
	for (size_t i = 0; i < entry->count; i++) {
		any |= order_flags(records[i]);
		all &= order_flags(records[i]);
		*unread += !(order_flags(records[i]) & STORE_FLAG_SEEN);
		if (!check_record(store, epoch, records[i], error))
			return false;
	}
	if (any != entry->any || all != entry->all)
		return fail_check(error, "a directory that tells other flags than its chunk");
	if (next && order_compare(records[entry->count - 1], *next) >= 0)
		return fail_check(error, "chunks that overlap");
	return true;
}

static bool
check_mailbox(Store *store, StoreId mailbox, GError **error)
{
	uint32_t unread = 0;
	int64_t uids, rows;
	StoreHead head;
	Order *order;

	/* Not the copy in memory. */
	order_free(g_steal_pointer(&store->order));
	if (!store_head_load(store, mailbox, &head, error) ||
	    !order_open(store, &head, &order, error))
		return false;
	for (guint i = 0; i < order->entries->len; i++) {
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, i);

		if (!check_chunk(store, head.epoch, entry,
				 i + 1 < order->entries->len ? &entry[1].first : NULL, &unread,
				 error))
			return false;
	}
	if (unread != head.unread)
		return fail_check(error, "a wrong count of unread messages");
	if (!ask(store, "SELECT count(*) FROM uids WHERE epoch = ?1", head.epoch, &uids, NULL,
		 error) ||
	    !ask(store, "SELECT count(*) FROM messages WHERE epoch = ?1", head.epoch, &rows, NULL,
		 error))
		return false;
	if (uids + head.placed != (int64_t)head.total + head.hidden || rows != head.total)
		return fail_check(error, "rows that no order lists");
	return true;
}

/* Adds how many chunks EPOCH's directory lists. */
static bool
count_chunks(Store *store, const char *epochs_sql, int64_t *count, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(OrderEntry));
	int64_t epoch = -1;

	for (;;) {
		if (!ask(store, epochs_sql, epoch, &epoch, NULL, error))
			return false;
		if (epoch < 0)
			return true;
		g_array_set_size(entries, 0);
		if (!order_directory(store, epoch, entries, error))
			return false;
		*count += entries->len;
	}
}

static bool
check_all(Store *store, GError **error)
{
	int64_t listed = 0, chunks;

	if (!check_sqlite(store, error) || !check_nones(store, error))
		return false;
	/* Also those that no list shows: number 0, and what is to be deleted. */
	for (int64_t id = -1;;) {
		if (!ask(store, "SELECT coalesce(min(id), -1) FROM mailboxes WHERE id > ?1", id,
			 &id, NULL, error))
			return false;
		if (id < 0)
			break;
		if (!check_mailbox(store, id, error))
			return false;
	}
	if (!count_chunks(store, "SELECT coalesce(min(epoch), -1) FROM orders WHERE epoch > ?1",
			  &listed, error) ||
	    !ask(store, "SELECT count(*) FROM chunks", 0, &chunks, NULL, error))
		return false;
	return listed == chunks || fail_check(error, "chunks that no directory lists");
}

bool
store_check(Store *store, GError **error)
{
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = check_all(store, error);
	store_read_end(store);
	return ok;
}
