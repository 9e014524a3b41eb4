/* Cached parts.  A row of "parts" is one part: of a message once it is whole (message > 0), being
 * written (NULL), or dropped and waiting for store_tidy (0).  Its bytes are rows of "pieces", whose
 * numbers follow from the part's.  One that may go on after a cut has a row in "unfinished" as well,
 * from its first piece on until it is whole; what is being written without one goes at the next
 * store_open. */
#include "store-private.h"

#define PIECE_BYTES ((size_t)256 << 10)
#define LOAD_MAX    (UINT64_C(1) << 30) /* bytes that store_part_load takes into memory */

struct StorePartWriter {
	Store *store;
	int64_t part; /* 0: nothing is written yet */
	GByteArray *waiting;
	int64_t pieces;
	uint64_t size;

	/* of one that can go on after a cut */
	StoreId message;
	char *section; /* NULL: it cannot */
	uint64_t total;
};

static int64_t
now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static bool
part_find(Store *store, StoreId message, const char *section, int64_t *part, uint64_t *size,
	  GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_PART_FIND, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, message);
	sqlite3_bind_text(query, 2, section, -1, SQLITE_STATIC);
	if (!store_step(store, query, &row, error))
		return false;
	*part = row ? sqlite3_column_int64(query, 0) : 0;
	*size = row ? (uint64_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

bool
store_part_is_here(Store *store, StoreId message, const char *section, bool *is, GError **error)
{
	uint64_t size;
	int64_t part;

	if (!part_find(store, message, section, &part, &size, error))
		return false;
	*is = part != 0;
	return true;
}

/* The mailbox MESSAGE is in, or GONE: also when its mailbox was reset. */
static bool
message_head(Store *store, StoreId message, StoreHead *head, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_MESSAGE_KEY, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, message);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("the message is not here"));
		return false;
	}
	return store_head_by_epoch(store, sqlite3_column_int64(query, 0), head, error);
}

static bool
drop(Store *store, Sql sql, int64_t id, const char *section, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, id);
	if (section)
		sqlite3_bind_text(query, 2, section, -1, SQLITE_STATIC);
	return store_run(store, query, NULL, error);
}

/* A part being written, and what is known of it. */
static bool
drop_unwanted(Store *store, int64_t part, GError **error)
{
	return drop(store, SQL_PART_DROP, part, NULL, error) &&
	       drop(store, SQL_UNFINISHED_DELETE, part, NULL, error);
}

bool
store_parts_drop(Store *store, StoreId message, GError **error)
{
	bool writing = false;

	/* What somebody still writes is dropped by him, who will find that the message is gone. */
	for (GList *at = store->resumed; at; at = at->next)
		writing |= ((StorePartWriter *)at->data)->message == message;
	return drop(store, SQL_ORIGIN_DELETE, message, NULL, error) &&
	       drop(store, SQL_PARTS_DROP_OF, message, NULL, error) &&
	       (writing || drop(store, SQL_UNFINISHED_DROP_OF, message, NULL, error)) &&
	       drop(store, SQL_UNFINISHED_DELETE_OF, message, NULL, error);
}

/* ---- in ----------------------------------------------------------------------------------------- */

StorePartWriter *
store_part_begin(Store *store, GError **error)
{
	StorePartWriter *writer;

	g_return_val_if_fail(store->role == STORE_WRITER, NULL);
	writer = g_new0(StorePartWriter, 1);
	writer->store = store;
	writer->waiting = g_byte_array_new();
	return writer;
}

static void
writer_free(StorePartWriter *writer)
{
	if (writer->section)
		writer->store->resumed = g_list_remove(writer->store->resumed, writer);
	g_byte_array_unref(writer->waiting);
	g_free(writer->section);
	g_free(writer);
}

static bool
is_being_written(Store *store, StoreId message, const char *section)
{
	for (GList *at = store->resumed; at; at = at->next) {
		StorePartWriter *writer = at->data;

		if (writer->message == message && g_str_equal(writer->section, section))
			return true;
	}
	return false;
}

/* What is here of an unfinished part: how many pieces, and their bytes. */
static bool
count_pieces(Store *store, int64_t part, int64_t *pieces, uint64_t *size, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_PIECES_SIZE, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, store_piece_id(part, 0));
	sqlite3_bind_int64(query, 2, store_piece_id(part, STORE_PIECES_MAX - 1));
	if (!store_step(store, query, &row, error))
		return false;
	*pieces = row ? sqlite3_column_int64(query, 0) : 0;
	*size = row ? (uint64_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

/* The part begun before of MESSAGE's SECTION, and its size when it is whole; 0: none. */
static bool
find_unfinished(Store *store, StoreId message, const char *section, int64_t *part, uint64_t *total,
		GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_UNFINISHED_FIND, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, message);
	sqlite3_bind_text(query, 2, section, -1, SQLITE_STATIC);
	if (!store_step(store, query, &row, error))
		return false;
	*part = row ? sqlite3_column_int64(query, 0) : 0;
	*total = row ? (uint64_t)sqlite3_column_int64(query, 1) : 0;
	return true;
}

/* Takes up what was begun before; what does not fit is dropped. */
static bool
take_up(StorePartWriter *writer, GError **error)
{
	Store *store = writer->store;
	uint64_t total, size;
	int64_t part, pieces;

	if (!find_unfinished(store, writer->message, writer->section, &part, &total, error))
		return false;
	if (!part)
		return true;
	if (!count_pieces(store, part, &pieces, &size, error))
		return false;
	if (total != writer->total || size >= total)
		return drop_unwanted(store, part, error);
	writer->part = part;
	writer->pieces = pieces;
	writer->size = size;
	return true;
}

StorePartWriter *
store_part_resume(Store *store, StoreId message, const char *section, uint64_t total,
		  uint64_t *size, GError **error)
{
	StorePartWriter *writer = store_part_begin(store, error);

	*size = 0;
	/* One of two that bring the same part is enough to go on later. */
	if (!writer || !total || is_being_written(store, message, section))
		return writer;
	writer->message = message;
	writer->section = g_strdup(section);
	writer->total = total;
	store->resumed = g_list_prepend(store->resumed, writer);
	if (!store_write_begin(store, error) ||
	    !store_write_end(store, take_up(writer, error), error)) {
		writer_free(writer);
		return NULL;
	}
	*size = writer->size;
	return writer;
}

/* So that it is found again. */
static bool
note_unfinished(StorePartWriter *writer, int64_t part, GError **error)
{
	StoreQuery *query = store_query(writer->store, SQL_UNFINISHED_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, writer->message);
	sqlite3_bind_text(query, 2, writer->section, -1, SQLITE_STATIC);
	sqlite3_bind_int64(query, 3, part);
	sqlite3_bind_int64(query, 4, (sqlite3_int64)writer->total);
	sqlite3_bind_int64(query, 5, now());
	return store_run(writer->store, query, NULL, error);
}

static bool
part_add(StorePartWriter *writer, GError **error)
{
	Store *store = writer->store;
	StoreQuery *query = store_query(store, SQL_PART_ADD, error);
	int64_t part = store->next_part;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, part);
	if (!store_run(store, query, NULL, error) ||
	    (writer->section && !note_unfinished(writer, part, error)))
		return false;
	store->next_part++;
	store->state_changed = true;
	writer->part = part;
	return true;
}

/* Inside a transaction. */
static bool
piece_add(StorePartWriter *writer, const void *bytes, size_t size, GError **error)
{
	Store *store = writer->store;
	StoreQuery *query = store_query(store, SQL_PIECE_ADD, error);

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, store_piece_id(writer->part, writer->pieces));
	sqlite3_bind_blob64(query, 2, bytes, size, SQLITE_STATIC);
	if (!store_run(store, query, NULL, error))
		return false;
	writer->pieces++;
	return true;
}

static bool
flush(StorePartWriter *writer, GError **error)
{
	if (writer->waiting->len == 0)
		return true;
	if (writer->pieces == STORE_PIECES_MAX) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the part is too big to be kept"));
		return false;
	}
	if (!piece_add(writer, writer->waiting->data, writer->waiting->len, error))
		return false;
	g_byte_array_set_size(writer->waiting, 0);
	return true;
}

static bool
flush_alone(StorePartWriter *writer, GError **error)
{
	int64_t part = writer->part, pieces = writer->pieces;
	bool ok;

	if (!store_write_begin(writer->store, error))
		return false;
	ok = (part || part_add(writer, error)) && flush(writer, error);
	if (store_write_end(writer->store, ok, error))
		return true;
	writer->part = part;
	writer->pieces = pieces;
	return false;
}

bool
store_part_append(StorePartWriter *writer, Span bytes, GError **error)
{
	while (!span_is_empty(bytes)) {
		size_t take = MIN(span_size(bytes), PIECE_BYTES - writer->waiting->len);

		g_byte_array_append(writer->waiting, (const guint8 *)bytes.at, (guint)take);
		bytes.at += take;
		writer->size += take;
		if (writer->waiting->len == PIECE_BYTES && !flush_alone(writer, error))
			return false;
	}
	return true;
}

/* Pieces written inside a transaction that was then taken back are missing. */
static bool
check_pieces(StorePartWriter *writer, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(writer->store, SQL_PIECE_COUNT, error);
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, store_piece_id(writer->part, 0));
	sqlite3_bind_int64(query, 2, store_piece_id(writer->part, STORE_PIECES_MAX - 1));
	if (!store_step(writer->store, query, &row, error))
		return false;
	if (row && sqlite3_column_int64(query, 0) == writer->pieces)
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
		    _("the part was given up with the transaction it was written in"));
	return false;
}

static bool
part_finish(StorePartWriter *writer, StoreId message, const char *section, int64_t looked,
	    GError **error)
{
	Store *store = writer->store;
	g_autoptr(StoreQuery) query = store_query(store, SQL_PART_FINISH, error);
	StoreHead head;
	int changed;

	if (!query || !message_head(store, message, &head, error) ||
	    (!writer->part && !part_add(writer, error)) || !flush(writer, error) ||
	    !check_pieces(writer, error) ||
	    !drop(store, SQL_PART_REPLACE, message, section, error) ||
	    (writer->section && !drop(store, SQL_UNFINISHED_DELETE, writer->part, NULL, error)))
		return false;
	sqlite3_bind_int64(query, 1, writer->part);
	sqlite3_bind_int64(query, 2, message);
	sqlite3_bind_text(query, 3, section, -1, SQLITE_STATIC);
	sqlite3_bind_int64(query, 4, (sqlite3_int64)writer->size);
	sqlite3_bind_int64(query, 5, writer->pieces);
	sqlite3_bind_int64(query, 6, head.mailbox);
	sqlite3_bind_int64(query, 7, looked ? looked : now());
	if (!store_run(store, query, &changed, error))
		return false;
	if (changed == 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the part was given up with the transaction it was written in"));
		return false;
	}
	return store_head_save(store, &head, error);
}

bool
store_part_finish(StorePartWriter *writer, StoreId message, const char *section, GError **error)
{
	int64_t part = writer->part;
	bool ok;

	if (!store_write_begin(writer->store, error)) {
		store_part_abort(writer);
		return false;
	}
	ok = store_write_end(writer->store, part_finish(writer, message, section, 0, error), error);
	writer->part = part;
	if (ok)
		writer_free(writer);
	else
		store_part_abort(writer);
	return ok;
}

/* Those whose message went are dropped, and say so. */
static bool
parts_finish(Store *store, StorePartDone *parts, size_t n, GError **error)
{
	for (size_t i = 0; i < n; i++) {
		StorePartDone *part = &parts[i];
		g_autoptr(GError) failed = NULL;
		StoreHead head;

		part->gone = !message_head(store, part->message, &head, &failed);
		if (part->gone && !postern_error_is(failed, POSTERN_ERROR_GONE)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return false;
		}
		if (part->gone
			? part->writer->part && !drop_unwanted(store, part->writer->part, error)
			: !part_finish(part->writer, part->message, part->section, part->looked,
				       error))
			return false;
	}
	return true;
}

bool
store_parts_finish(Store *store, StorePartDone *parts, size_t n, GError **error)
{
	g_autofree int64_t *before = g_new(int64_t, n);
	bool ok;

	for (size_t i = 0; i < n; i++)
		before[i] = parts[i].writer->part;
	ok = store_write_begin(store, error) &&
	     store_write_end(store, parts_finish(store, parts, n, error), error);
	for (size_t i = 0; i < n; i++) {
		StorePartWriter *writer = g_steal_pointer(&parts[i].writer);

		writer->part = before[i];
		if (ok)
			writer_free(writer);
		else
			store_part_abort(writer);
	}
	return ok;
}

void
store_part_abort(StorePartWriter *writer)
{
	if (!writer)
		return;
	/* When even that fails, the next store_open drops it, or goes on with it. */
	if (writer->part && store_write_begin(writer->store, NULL))
		store_write_end(writer->store, drop_unwanted(writer->store, writer->part, NULL),
				NULL);
	writer_free(writer);
}

static bool
part_leave(StorePartWriter *writer, GError **error)
{
	Store *store = writer->store;
	uint64_t total;
	int64_t part;

	if (!writer->part)
		return part_add(writer, error) && flush(writer, error);
	/* Its message may have gone meanwhile. */
	if (!find_unfinished(store, writer->message, writer->section, &part, &total, error))
		return false;
	return part == writer->part ? flush(writer, error)
				    : drop(store, SQL_PART_DROP, writer->part, NULL, error);
}

void
store_part_leave(StorePartWriter *writer)
{
	if (!writer || !writer->section || !writer->size) {
		store_part_abort(writer);
		return;
	}
	/* When that fails, what was written before is still here. */
	if (store_write_begin(writer->store, NULL))
		store_write_end(writer->store, part_leave(writer, NULL), NULL);
	writer_free(writer);
}

bool
store_part_put(Store *store, StoreId message, const char *section, GBytes *bytes, GError **error)
{
	StorePartWriter *writer = store_part_begin(store, error);
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);

	if (!writer)
		return false;
	if (size > 0 && !store_part_append(writer, span_of(data, size), error)) {
		store_part_abort(writer);
		return false;
	}
	return store_part_finish(writer, message, section, error);
}

/* ---- out ---------------------------------------------------------------------------------------- */

/* The part's number, or GONE; its message must be there as well. */
static bool
part_open(Store *store, StoreId message, const char *section, int64_t *part, uint64_t *size,
	  GError **error)
{
	StoreHead head;

	if (!message_head(store, message, &head, error) ||
	    !part_find(store, message, section, part, size, error))
		return false;
	if (*part)
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("the part is not here"));
	return false;
}

/* Hands out the pieces one after another.  *DONE counts what CALL has taken; it may say stop. */
static bool
read_pieces(Store *store, int64_t part, uint64_t size, StorePieceFunc call, void *data,
	    GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_PIECES, error);
	uint64_t done = 0;
	bool row;

	if (!query)
		return false;
	sqlite3_bind_int64(query, 1, store_piece_id(part, 0));
	sqlite3_bind_int64(query, 2, store_piece_id(part, STORE_PIECES_MAX - 1));
	while (store_step(store, query, &row, error)) {
		const void *bytes;
		size_t n;

		if (!row)
			return done == size || store_fail_damaged(store, "part", error);
		bytes = sqlite3_column_blob(query, 0);
		n = (size_t)sqlite3_column_bytes(query, 0);
		done += n;
		if (done > size || (n > 0 && !bytes))
			return store_fail_damaged(store, "part", error);
		if (n > 0 && !call(data, span_of(bytes, n), error))
			return false;
	}
	return false;
}

bool
store_part_read(Store *store, StoreId message, const char *section, StorePieceFunc call, void *data,
		GError **error)
{
	int64_t part;
	uint64_t size;
	bool ok;

	/* A snapshot, so that CALL may read other things. */
	if (!store_snapshot_begin(store, error))
		return false;
	ok = part_open(store, message, section, &part, &size, error) &&
	     read_pieces(store, part, size, call, data, error);
	store_snapshot_end(store);
	return ok;
}

static bool
gather(void *data, Span piece, GError **error)
{
	GByteArray *whole = data;

	if (whole->len + span_size(piece) > LOAD_MAX) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the part is too big to be taken into memory"));
		return false;
	}
	g_byte_array_append(whole, (const guint8 *)piece.at, (guint)span_size(piece));
	return true;
}

bool
store_part_load(Store *store, StoreId message, const char *section, GBytes **bytes, GError **error)
{
	GByteArray *whole = g_byte_array_new();

	if (!store_part_read(store, message, section, gather, whole, error)) {
		g_byte_array_unref(whole);
		return false;
	}
	*bytes = g_byte_array_free_to_bytes(whole);
	return true;
}

bool
store_part_has(Store *store, StoreId message, const char *section, bool *has, GError **error)
{
	g_autoptr(GError) failed = NULL;
	int64_t part;
	uint64_t size;
	bool ok;

	if (!store_read_begin(store, error))
		return false;
	ok = part_open(store, message, section, &part, &size, &failed);
	store_read_end(store);
	if (!ok && !postern_error_is(failed, POSTERN_ERROR_GONE)) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	*has = ok;
	return true;
}
