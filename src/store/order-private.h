/* The order of a mailbox: records of 16 bytes, in display order, cut into chunks.
 *
 * A record is (date, uid, identity, flags), packed so that comparing two 64-bit numbers compares
 * what the list is ordered by: 40 bits of date (seconds, biased by 2^39: 17,000 years either way),
 * 32 of uid, 40 of identity, 16 of flags.  On disk big-endian.  The directory holds, for each chunk in
 * order, its first record, how many it has, and which flags any and all of them carry, so that a
 * search for the next unread message skips chunks without reading them.
 *
 * Chunks split when they are full: unevenly when all that came is at one end (mail arriving, a
 * mailbox filling up), so that they stay full; into equal parts otherwise.  Small neighbours are
 * joined. */
#ifndef STORE_ORDER_PRIVATE_H
#define STORE_ORDER_PRIVATE_H

#include "store-private.h"

#define ORDER_CHUNK    1024 /* records; 16 KiB */
#define ORDER_DATE_MAX ((INT64_C(1) << 39) - 1)
#define ORDER_ID_MAX   ((INT64_C(1) << 40) - 1)

typedef struct OrderRecord {
	uint64_t high, low;
} OrderRecord;

typedef struct OrderEntry {
	OrderRecord first;
	uint16_t count, any, all;
	bool touched; /* written by this edit; not on disk */
	int64_t chunk;
} OrderEntry;

struct Order {
	int64_t epoch, version;
	GArray *entries; /* of OrderEntry */
};

typedef enum {
	ORDER_INSERT,
	ORDER_REMOVE,
	ORDER_FLAGS, /* flags become (flags & keep) | set */
} OrderKind;

typedef struct OrderEdit {
	OrderRecord record;
	OrderKind kind;
	uint16_t keep, set;
	uint16_t was, now; /* out: for ORDER_FLAGS; was also for ORDER_REMOVE */
	size_t tag;	   /* the caller's; of equal records the lower goes first */
} OrderEdit;

static inline int64_t
order_clamp_date(int64_t date)
{
	return CLAMP(date, -ORDER_DATE_MAX, ORDER_DATE_MAX);
}

static inline OrderRecord
order_record(int64_t date, uint32_t uid, StoreId id, uint16_t flags)
{
	uint64_t biased = (uint64_t)(order_clamp_date(date) + ORDER_DATE_MAX + 1);

	return (OrderRecord){ biased << 24 | uid >> 8,
			      (uint64_t)(uid & 0xff) << 56 | (uint64_t)id << 16 | flags };
}

static inline int64_t
order_date(OrderRecord record)
{
	return (int64_t)(record.high >> 24) - ORDER_DATE_MAX - 1;
}

static inline uint32_t
order_uid(OrderRecord record)
{
	return (uint32_t)(record.high << 8) | (uint32_t)(record.low >> 56);
}

static inline StoreId
order_id(OrderRecord record)
{
	return (StoreId)(record.low >> 16 & (uint64_t)ORDER_ID_MAX);
}

static inline uint16_t
order_flags(OrderRecord record)
{
	return (uint16_t)record.low;
}

/* Below 0 when A is shown before B; flags do not matter. */
static inline int
order_compare(OrderRecord a, OrderRecord b)
{
	uint64_t low_a = a.low >> 16, low_b = b.low >> 16;

	if (a.high != b.high)
		return a.high > b.high ? -1 : 1;
	return low_a == low_b ? 0 : low_a > low_b ? -1 : 1;
}

void order_free(Order *order); /* NULL is fine */

/* HEAD's order, borrowed from the handle until the next call with another mailbox.  Inside the
 * caller's transaction. */
bool order_open(Store *store, const StoreHead *head, Order **order, GError **error);

/* The directory of EPOCH, of any mailbox or none, into ENTRIES (of OrderEntry). */
bool order_directory(Store *store, int64_t epoch, GArray *entries, GError **error);

/* Sorts EDITS into display order and carries them out.  HEAD's counts follow, and the version
 * grows when something *CHANGED (may be NULL). */
bool order_apply(Store *store, StoreHead *head, GArray *edits, bool *changed, GError **error);

/* The chunk's records, into RECORDS (room for ORDER_CHUNK). */
bool order_chunk_load(Store *store, const OrderEntry *entry, OrderRecord *records, GError **error);

/* Which entry holds OFFSET, and where in it. */
bool order_at(const Order *order, uint32_t offset, guint *entry, uint32_t *within);

/* How many are shown before KEY; *FOUND: KEY itself is there, as *RECORD. */
bool order_rank(Store *store, const Order *order, OrderRecord key, uint32_t *rank, bool *found,
		OrderRecord *record, GError **error);

#endif
