#include "order-private.h"

#define ENTRY_BYTES  32
#define RECORD_BYTES 16

void
order_free(Order *order)
{
	if (!order)
		return;
	g_array_unref(order->entries);
	g_free(order);
}

/* ---- on disk ----------------------------------------------------------------------------------- */

static uint64_t
get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return GUINT64_FROM_BE(value);
}

static void
put64(uint8_t *at, uint64_t value)
{
	value = GUINT64_TO_BE(value);
	memcpy(at, &value, sizeof value);
}

static OrderRecord
get_record(const uint8_t *at)
{
	return (OrderRecord){ get64(at), get64(at + 8) };
}

static void
put_record(uint8_t *at, OrderRecord record)
{
	put64(at, record.high);
	put64(at + 8, record.low);
}

/* An entry: its first record (whose flags mean nothing here), count, any, all and two spare bytes,
 * chunk. */
static OrderEntry
get_entry(const uint8_t *at)
{
	uint64_t numbers = get64(at + 16);

	return (OrderEntry){
		.first = get_record(at),
		.count = (uint16_t)(numbers >> 48),
		.any = (uint16_t)(numbers >> 32),
		.all = (uint16_t)(numbers >> 16),
		.chunk = (int64_t)get64(at + 24),
	};
}

static void
put_entry(uint8_t *at, const OrderEntry *entry)
{
	put_record(at, entry->first);
	put64(at + 16, (uint64_t)entry->count << 48 | (uint64_t)entry->any << 32 |
			   (uint64_t)entry->all << 16);
	put64(at + 24, (uint64_t)entry->chunk);
}

static bool
decode_directory(const uint8_t *at, size_t size, GArray *entries)
{
	if (size % ENTRY_BYTES)
		return false;
	g_array_set_size(entries, (guint)(size / ENTRY_BYTES));
	for (guint i = 0; i < entries->len; i++, at += ENTRY_BYTES) {
		OrderEntry *entry = &g_array_index(entries, OrderEntry, i);

		*entry = get_entry(at);
		if (entry->count == 0 || entry->count > ORDER_CHUNK)
			return false;
		if (i > 0 && order_compare(entry[-1].first, entry->first) >= 0)
			return false;
	}
	return true;
}

bool
order_directory(Store *store, int64_t epoch, GArray *entries, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_ORDER_LOAD, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, epoch);
	if (!store_step(store, query, &row, error))
		return false;
	if (row && !decode_directory(sqlite3_column_blob(query, 0),
				     (size_t)sqlite3_column_bytes(query, 0), entries))
		return store_fail_damaged(store, "directory", error);
	return true;
}

static bool
directory_load(Store *store, const StoreHead *head, GArray *entries, GError **error)
{
	uint64_t total = 0;

	if (!order_directory(store, head->epoch, entries, error))
		return false;
	for (guint i = 0; i < entries->len; i++)
		total += g_array_index(entries, OrderEntry, i).count;
	if (total != head->total)
		return store_fail_damaged(store, "directory and count disagree", error);
	return true;
}

bool
order_open(Store *store, const StoreHead *head, Order **order, GError **error)
{
	g_autoptr(GArray) entries = NULL;

	if (!store->order || store->order->epoch != head->epoch ||
	    store->order->version != head->version) {
		order_free(g_steal_pointer(&store->order));
		entries = g_array_new(FALSE, FALSE, sizeof(OrderEntry));
		if (!directory_load(store, head, entries, error))
			return false;
		store->order = g_new(Order, 1);
		*store->order = (Order){ head->epoch, head->version, g_steal_pointer(&entries) };
	}
	*order = store->order;
	return true;
}

static bool
directory_save(Store *store, const Order *order, GError **error)
{
	g_autoptr(StoreQuery) save = store_query(store, SQL_ORDER_SAVE, error);
	g_autoptr(StoreQuery) add = store_query(store, SQL_ORDER_ADD, error);
	size_t size = (size_t)order->entries->len * ENTRY_BYTES;
	g_autofree uint8_t *bytes = g_malloc(size + 1);
	int changed;

	if (!save || !add)
		return false;
	for (guint i = 0; i < order->entries->len; i++)
		put_entry(bytes + (size_t)i * ENTRY_BYTES,
			  &g_array_index(order->entries, OrderEntry, i));
	sqlite3_bind_int64(save, 1, order->epoch);
	sqlite3_bind_blob64(save, 2, bytes, size, SQLITE_STATIC);
	if (!store_run(store, save, &changed, error))
		return false;
	if (changed)
		return true;
	sqlite3_bind_int64(add, 1, order->epoch);
	sqlite3_bind_blob64(add, 2, bytes, size, SQLITE_STATIC);
	return store_run(store, add, NULL, error);
}

bool
order_chunk_load(Store *store, const OrderEntry *entry, OrderRecord *records, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_CHUNK_LOAD, error);
	const uint8_t *at;
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, entry->chunk);
	if (!store_step(store, query, &row, error))
		return false;
	store->stats.chunks_read++;
	at = row ? sqlite3_column_blob(query, 0) : NULL;
	if (!at || sqlite3_column_bytes(query, 0) != entry->count * RECORD_BYTES)
		return store_fail_damaged(store, "chunk", error);
	for (size_t i = 0; i < entry->count; i++, at += RECORD_BYTES) {
		records[i] = get_record(at);
		if (i > 0 && order_compare(records[i - 1], records[i]) >= 0)
			return store_fail_damaged(store, "chunk out of order", error);
	}
	if (order_compare(records[0], entry->first) != 0)
		return store_fail_damaged(store, "chunk and directory disagree", error);
	return true;
}

/* Writes N records as ENTRY's chunk, a new one when ENTRY has none yet, and describes them in it. */
static bool
chunk_save(Store *store, OrderEntry *entry, const OrderRecord *records, size_t n, GError **error)
{
	g_autoptr(StoreQuery) query =
	    store_query(store, entry->chunk ? SQL_CHUNK_SAVE : SQL_CHUNK_ADD, error);
	uint8_t bytes[ORDER_CHUNK * RECORD_BYTES];
	int column = 1;

	if (!query)
		return false;
	entry->first = records[0];
	entry->count = (uint16_t)n;
	entry->any = 0;
	entry->all = UINT16_MAX;
	entry->touched = true;
	for (size_t i = 0; i < n; i++) {
		put_record(bytes + i * RECORD_BYTES, records[i]);
		entry->any |= order_flags(records[i]);
		entry->all &= order_flags(records[i]);
	}
	if (entry->chunk)
		sqlite3_bind_int64(query, column++, entry->chunk);
	sqlite3_bind_blob64(query, column, bytes, n * RECORD_BYTES, SQLITE_STATIC);
	if (!store_run(store, query, NULL, error))
		return false;
	if (!entry->chunk)
		entry->chunk = sqlite3_last_insert_rowid(store->db);
	store->stats.chunks_written++;
	return true;
}

static bool
chunk_delete(Store *store, const OrderEntry *entry, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_CHUNK_DELETE, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, entry->chunk);
	return store_run(store, query, NULL, error);
}

/* ---- finding ----------------------------------------------------------------------------------- */

bool
order_at(const Order *order, uint32_t offset, guint *entry, uint32_t *within)
{
	for (guint i = 0; i < order->entries->len; i++) {
		uint32_t count = g_array_index(order->entries, OrderEntry, i).count;

		if (offset < count) {
			*entry = i;
			*within = offset;
			return true;
		}
		offset -= count;
	}
	return false;
}

/* The last entry that begins at or before KEY; 0 when none does. */
static guint
entry_of(const Order *order, OrderRecord key)
{
	guint low = 0, high = order->entries->len;

	while (high - low > 1) {
		guint middle = low + (high - low) / 2;
		const OrderEntry *entry = &g_array_index(order->entries, OrderEntry, middle);

		if (order_compare(entry->first, key) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool
order_rank(Store *store, const Order *order, OrderRecord key, uint32_t *rank, bool *found,
	   OrderRecord *record, GError **error)
{
	OrderRecord records[ORDER_CHUNK];
	const OrderEntry *entry;
	guint at = entry_of(order, key);
	size_t low = 0, high;
	uint32_t before = 0;

	*found = false;
	*rank = 0;
	if (order->entries->len == 0)
		return true;
	entry = &g_array_index(order->entries, OrderEntry, at);
	if (!order_chunk_load(store, entry, records, error))
		return false;
	for (guint i = 0; i < at; i++)
		before += g_array_index(order->entries, OrderEntry, i).count;
	for (high = entry->count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (order_compare(records[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*rank = before + (uint32_t)low;
	if (low < entry->count && order_compare(records[low], key) == 0) {
		*found = true;
		if (record)
			*record = records[low];
	}
	return true;
}

/* ---- editing ----------------------------------------------------------------------------------- */

/* What one call of order_apply has to carry from chunk to chunk. */
typedef struct Edition {
	Store *store;
	GArray *entries;      /* the new directory */
	OrderRecord *records; /* one chunk's records after its edits */
	size_t n_records;
	int64_t total, unread; /* how they change */
	int64_t placed;	       /* ... and those without a UID */
	size_t first, last;    /* inserted before all, and behind all, of the old ones */
	size_t inserted;
	bool differs;	  /* this chunk's records differ from what they were */
	bool any_differs; /* ... or some other's */
	bool any_removed;
} Edition;

static bool
is_unread(uint16_t flags)
{
	return !(flags & STORE_FLAG_SEEN);
}

static void
keep_record(Edition *edition, OrderRecord record)
{
	edition->records[edition->n_records++] = record;
}

static void
insert_record(Edition *edition, OrderRecord record, bool is_first, bool is_last)
{
	keep_record(edition, record);
	edition->total++;
	edition->unread += is_unread(order_flags(record));
	edition->placed += order_uid(record) == 0;
	edition->inserted++;
	edition->first += is_first;
	edition->last += is_last;
	edition->differs = true;
}

static OrderRecord
change_flags(Edition *edition, OrderRecord record, OrderEdit *edit)
{
	edit->was = order_flags(record);
	edit->now = (uint16_t)((edit->was & edit->keep) | edit->set);
	edition->unread += is_unread(edit->now) - is_unread(edit->was);
	edition->differs |= edit->now != edit->was;
	record.low = (record.low & ~UINT64_C(0xffff)) | edit->now;
	return record;
}

/* Merges one chunk's records with the edits that fall into it.  False: an edit contradicts what is
 * there. */
static bool
merge(Edition *edition, const OrderRecord *old, size_t n_old, OrderEdit *edits, size_t n_edits)
{
	size_t i = 0, e = 0;

	edition->n_records = edition->first = edition->last = edition->inserted = 0;
	edition->differs = false;
	while (i < n_old || e < n_edits) {
		int order = e == n_edits ? -1
			    : i == n_old ? 1
					 : order_compare(old[i], edits[e].record);

		if (order < 0) {
			keep_record(edition, old[i++]);
		} else if (order > 0) {
			if (edits[e].kind != ORDER_INSERT)
				return false;
			insert_record(edition, edits[e++].record, i == 0, i == n_old);
		} else if (edits[e].kind == ORDER_REMOVE) {
			edits[e].was = order_flags(old[i]);
			edition->total--;
			edition->unread -= is_unread(order_flags(old[i]));
			edition->placed -= order_uid(old[i++]) == 0;
			edition->differs = edition->any_removed = true;
			e++;
		} else {
			OrderRecord record = old[i++];

			for (; e < n_edits && order_compare(record, edits[e].record) == 0; e++) {
				if (edits[e].kind != ORDER_FLAGS)
					return false;
				record = change_flags(edition, record, &edits[e]);
			}
			keep_record(edition, record);
		}
	}
	edition->any_differs |= edition->differs;
	return true;
}

/* Writes the merged records as one or more chunks, the first of them in CHUNK's place (0: none). */
static bool
write_merged(Edition *edition, int64_t chunk, GError **error)
{
	size_t n = edition->n_records, n_chunks = (n + ORDER_CHUNK - 1) / ORDER_CHUNK;
	size_t size = ORDER_CHUNK, take = MIN(size, n);

	if (n == 0) {
		OrderEntry old = { .chunk = chunk };

		return !chunk || chunk_delete(edition->store, &old, error);
	}
	if (n_chunks > 1 && edition->last != edition->inserted) {
		if (edition->first == edition->inserted) {
			take = n - (n_chunks - 1) * ORDER_CHUNK;
		} else {
			n_chunks = (n * 4 + ORDER_CHUNK * 3 - 1) / (ORDER_CHUNK * 3);
			take = size = (n + n_chunks - 1) / n_chunks;
		}
	}
	for (size_t at = 0; at < n; at += take, take = MIN(size, n - at), chunk = 0) {
		OrderEntry entry = { .chunk = chunk };

		if (!chunk_save(edition->store, &entry, edition->records + at, take, error))
			return false;
		g_array_append_val(edition->entries, entry);
	}
	return true;
}

/* One chunk with the edits that fall into it.  ENTRY is NULL in an empty mailbox. */
static bool
edit_chunk(Edition *edition, const OrderEntry *entry, OrderEdit *edits, size_t n_edits,
	   GError **error)
{
	OrderRecord old[ORDER_CHUNK];
	size_t n_old = entry ? entry->count : 0;

	if (entry && !order_chunk_load(edition->store, entry, old, error))
		return false;
	g_free(edition->records);
	edition->records = g_new(OrderRecord, n_old + n_edits);
	if (!merge(edition, old, n_old, edits, n_edits))
		return store_fail_damaged(edition->store, "order and rows disagree", error);
	if (!edition->differs) {
		if (entry)
			g_array_append_val(edition->entries, *entry);
		return true;
	}
	return write_merged(edition, entry ? entry->chunk : 0, error);
}

/* Joins a small chunk with the one after it. */
static bool
join_next(Edition *edition, guint at, GError **error)
{
	OrderEntry *entry = &g_array_index(edition->entries, OrderEntry, at);
	OrderRecord records[ORDER_CHUNK];
	size_t n = (size_t)entry[0].count + entry[1].count;

	if (!order_chunk_load(edition->store, &entry[0], records, error) ||
	    !order_chunk_load(edition->store, &entry[1], records + entry[0].count, error) ||
	    !chunk_delete(edition->store, &entry[1], error) ||
	    !chunk_save(edition->store, &entry[0], records, n, error))
		return false;
	g_array_remove_index(edition->entries, at + 1);
	return true;
}

static bool
join_small(Edition *edition, GError **error)
{
	for (guint i = 0; i + 1 < edition->entries->len;) {
		const OrderEntry *entry = &g_array_index(edition->entries, OrderEntry, i);
		unsigned sum = (unsigned)entry[0].count + entry[1].count;

		if ((entry[0].touched || entry[1].touched) && sum <= ORDER_CHUNK / 2) {
			if (!join_next(edition, i, error))
				return false;
		} else {
			i++;
		}
	}
	return true;
}

static int
compare_edits(gconstpointer a, gconstpointer b)
{
	const OrderEdit *x = a, *y = b;
	int order = order_compare(x->record, y->record);

	return order ? order : (x->tag > y->tag) - (x->tag < y->tag);
}

/* How many of the edits from E on belong before NEXT (all, when it is NULL). */
static size_t
edits_before(const GArray *edits, size_t e, const OrderEntry *next)
{
	size_t end = e;

	if (!next)
		return edits->len - e;
	while (end < edits->len &&
	       order_compare(g_array_index(edits, OrderEdit, end).record, next->first) < 0)
		end++;
	return end - e;
}

static bool
edit_all(Edition *edition, const GArray *old, GArray *edits, GError **error)
{
	size_t e = 0;

	if (old->len == 0)
		return edit_chunk(edition, NULL, &g_array_index(edits, OrderEdit, 0), edits->len,
				  error);
	for (guint i = 0; i < old->len; i++) {
		OrderEntry *entry = &g_array_index(old, OrderEntry, i);
		size_t n = edits_before(edits, e, i + 1 < old->len ? entry + 1 : NULL);

		entry->touched = false;
		if (n == 0)
			g_array_append_val(edition->entries, *entry);
		else if (!edit_chunk(edition, entry, &g_array_index(edits, OrderEdit, e), n, error))
			return false;
		e += n;
	}
	return !edition->any_removed || join_small(edition, error);
}

bool
order_apply(Store *store, StoreHead *head, GArray *edits, bool *changed, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(OrderEntry));
	Edition edition = { .store = store, .entries = entries };
	Order *order;
	bool ok;

	if (changed)
		*changed = false;
	if (edits->len == 0)
		return true;
	if (!order_open(store, head, &order, error))
		return false;
	g_array_sort(edits, compare_edits);
	ok = edit_all(&edition, order->entries, edits, error);
	g_free(edition.records);
	if (!ok || !edition.any_differs)
		return ok;
	g_array_unref(order->entries);
	order->entries = g_array_ref(entries);
	head->total = (uint32_t)(head->total + edition.total);
	head->unread = (uint32_t)(head->unread + edition.unread);
	head->placed = (uint32_t)(head->placed + edition.placed);
	if (!directory_save(store, order, error) || !store_head_save(store, head, error))
		return false;
	order->version = head->version;
	if (changed)
		*changed = true;
	return true;
}
