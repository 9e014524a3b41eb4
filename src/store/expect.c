/* Messages that the mirror meets where the server was told to put them, before it told that it did.
 *
 * What was moved, copied or appended shows in its mailbox at once, without a UID.  While its row is SENT
 * another line may meet it there.  It may be ours, and then would show twice until the answer comes; or
 * another client has put the same there.  The answer says which; until then what was met stands
 * nowhere, its UID hidden, and no more of them than we expect.  Then it is either absorbed by the one that
 * was placed, or shown. */
#include "journal-private.h"

typedef struct Wanted {
	uint64_t size;	   /* 0: any, servers count what they are given in their own way */
	uint32_t from_uid; /* of what was met: its UID */
	int64_t received;  /* for those without a Message-ID */
} Wanted;

struct Expected {
	GHashTable *wanted; /* Message-ID ("": without), owned, to GArray of Wanted, owned */
};

void
expect_free(Expected *expected)
{
	if (expected)
		g_hash_table_unref(expected->wanted);
	g_free(expected);
}

static Expected *
expect_new(void)
{
	Expected *expected = g_new0(Expected, 1);

	expected->wanted =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
	return expected;
}

static void
add_wanted(Expected *expected, char *message_id, Wanted wanted)
{
	GArray *alike = g_hash_table_lookup(expected->wanted, message_id);

	if (!alike) {
		alike = g_array_new(FALSE, FALSE, sizeof(Wanted));
		g_hash_table_insert(expected->wanted, g_strdup(message_id), alike);
	}
	g_array_append_val(alike, wanted);
	g_free(message_id);
}

/* What the SENT rows of DEST are still to give a UID.  (What is met first of a mailbox comes before its
 * UIDVALIDITY.) */
static Expected *
load_wanted(Store *store, const StoreHead *dest, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_EXPECTED, error);
	g_autoptr(Expected) expected = expect_new();
	bool row;

	if (!query)
		return NULL;
	sqlite3_bind_int64(query, 1, dest->mailbox);
	sqlite3_bind_int64(query, 2, dest->uidvalidity);
	sqlite3_bind_int64(query, 3, dest->epoch);
	while (store_step(store, query, &row, error)) {
		Wanted wanted;

		if (!row)
			return g_steal_pointer(&expected);
		wanted.size = (uint64_t)sqlite3_column_int64(query, 1);
		wanted.from_uid = (uint32_t)sqlite3_column_int64(query, 2);
		wanted.received = sqlite3_column_int64(query, 3);
		add_wanted(expected, store_column_text(query, 0), wanted);
	}
	return NULL;
}

/* Takes one that is just like MET out of EXPECTED. */
static bool
take(Expected *expected, const char *message_id, Wanted met)
{
	GArray *alike = g_hash_table_lookup(expected->wanted, message_id);

	for (guint i = 0; alike && i < alike->len; i++) {
		const Wanted *wanted = &g_array_index(alike, Wanted, i);

		if (met.from_uid < wanted->from_uid || (wanted->size && wanted->size != met.size) ||
		    (!*message_id && wanted->received != met.received))
			continue;
		g_array_remove_index_fast(alike, i);
		return true;
	}
	return false;
}

bool
expect_take(Expected *expected, const StoreMessage *message)
{
	g_autofree char *message_id = NULL;
	Wanted met = { message->size, message->uid, message->received };

	if (g_hash_table_size(expected->wanted) == 0)
		return false;
	message_id = span_dup(message->message_id);
	return take(expected, message_id, met);
}

/* What waits in DEST to be known: SURPLUS (of Meant) gets what EXPECTED has none like; what is left of that
 * is not met yet. */
static bool
find_surplus(Store *store, const StoreHead *dest, Expected *expected, GArray *surplus,
	     GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_EXPECTED_MET, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, dest->epoch);
	while (store_step(store, query, &row, error)) {
		g_autofree char *message_id = NULL;
		Meant m = { 0 };
		Wanted met;

		if (!row)
			return true;
		m.at_uid = (uint32_t)sqlite3_column_int64(query, 0);
		m.id = sqlite3_column_int64(query, 1);
		m.date = sqlite3_column_int64(query, 2);
		message_id = store_column_text(query, 3);
		met = (Wanted){ (uint64_t)sqlite3_column_int64(query, 4), m.at_uid,
				sqlite3_column_int64(query, 5) };
		if (!take(expected, message_id, met))
			g_array_append_val(surplus, m);
	}
	return false;
}

bool
expect_settle(Desk *desk, Sheet *dest, Expected **left, GError **error)
{
	g_autoptr(GArray) surplus = g_array_new(FALSE, FALSE, sizeof(Meant));
	g_autoptr(Expected) expected = load_wanted(desk->store, &dest->head, error);
	Sheet *nowhere;

	if (!expected)
		return false;
	if (dest->head.hidden && !find_surplus(desk->store, &dest->head, expected, surplus, error))
		return false;
	if (surplus->len) {
		nowhere = desk_epoch(desk, 0, error);
		if (!nowhere || !place_move(desk, nowhere, dest, surplus, error))
			return false;
	}
	if (left)
		*left = g_steal_pointer(&expected);
	return true;
}

bool
expect_is(Store *store, StoreId id, bool *is, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_EXPECTED_IS, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	return store_step(store, query, is, error);
}
