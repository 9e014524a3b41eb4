/* Carrying what exists only here out of a damaged database: the journal's open rows, what they mean,
 * and the messages that were only here.  Everything else the server still has.
 *
 * The damaged file is read row by row: where one cannot be read, the next that can is looked for behind
 * it, so that a bad page costs what is on it.  A message of the journal is put where the
 * journal wants it, and is met again by its UID when the mirror comes by (lost.at_uid). */
#include "journal-private.h"

#include <inttypes.h>
#include <unistd.h>

#define GAP_STEPS   4096
#define SINGLE_ROWS 200000

typedef struct Salvage {
	Store *store;
	sqlite3 *old;
	GHashTable *placed; /* of StoreId, owned: messages that have a row already */
	uint32_t n;	    /* changes carried over */
	uint32_t unread;    /* ... and gaps in the journal */
} Salvage;

/* A table of the damaged file, and how to walk it. */
typedef struct Walk {
	const char *sql; /* ?1: behind which key, ?2: the argument; the key is the first column */
	int64_t argument;
} Walk;

typedef bool (*RowFunc)(Salvage *salvage, sqlite3_stmt *row, GError **error);

/* ---- reading what can be read ------------------------------------------------------------------------ */

/* The first row behind AFTER: SQLITE_ROW, SQLITE_DONE, or what is wrong with the file. */
static int
row_behind(sqlite3_stmt *query, const Walk *walk, int64_t after)
{
	sqlite3_reset(query);
	sqlite3_bind_int64(query, 1, after);
	if (sqlite3_bind_parameter_count(query) > 1)
		sqlite3_bind_int64(query, 2, walk->argument);
	return sqlite3_step(query);
}

static bool
is_readable(int rc)
{
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* The lowest key behind AFTER from which on it can be read again.  Keys are mostly dense: one after
 * another first, so that what is between two gaps is not halved away. */
static int64_t
behind_gap(sqlite3_stmt *query, const Walk *walk, int64_t after)
{
	int64_t low = after, high = ORDER_ID_MAX;

	for (; low < after + GAP_STEPS; low++) {
		if (is_readable(row_behind(query, walk, low + 1)))
			return low + 1;
	}
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (is_readable(row_behind(query, walk, middle)))
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* Calls CALL for every row that can be read. */
static bool
walk_rows(Salvage *salvage, const Walk *walk, RowFunc call, GError **error)
{
	sqlite3_stmt *query = NULL;
	int64_t after = -1;
	bool ok = true;

	if (sqlite3_prepare_v2(salvage->old, walk->sql, -1, &query, NULL) != SQLITE_OK) {
		sqlite3_finalize(query);
		salvage->unread++;
		return true;
	}
	while (ok) {
		int rc = row_behind(query, walk, after);

		if (rc == SQLITE_DONE)
			break;
		if (rc != SQLITE_ROW) {
			salvage->unread++;
			after = behind_gap(query, walk, after);
			if (after >= ORDER_ID_MAX)
				break;
			continue;
		}
		/* A damaged key may say anything; it must not lead back. */
		after = MAX(sqlite3_column_int64(query, 0), after + 1);
		ok = call(salvage, query, error);
	}
	sqlite3_finalize(query);
	return ok;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

/* Runs SQL with the first N columns of ROW as its parameters.  A row that does not fit in is passed
 * over: *TAKEN (may be NULL). */
static bool
take_row(Salvage *salvage, const char *sql, sqlite3_stmt *row, int n, bool *taken, GError **error)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(salvage->store->db, sql, -1, &query, NULL);

	for (int i = 0; rc == SQLITE_OK && i < n; i++)
		rc = sqlite3_bind_value(query, i + 1, sqlite3_column_value(row, i));
	if (rc == SQLITE_OK)
		rc = sqlite3_step(query);
	if (taken)
		*taken = rc == SQLITE_DONE;
	if (rc != SQLITE_DONE && (rc & 0xff) != SQLITE_CONSTRAINT && (rc & 0xff) != SQLITE_MISMATCH)
		store_fail(salvage->store, rc, error);
	else
		rc = SQLITE_DONE;
	sqlite3_finalize(query);
	return rc == SQLITE_DONE;
}

static bool
take_account(Salvage *salvage, sqlite3_stmt *row, GError **error)
{
	return take_row(salvage, "INSERT INTO accounts(id, name) VALUES(?1, ?2)", row, 2, NULL,
			error);
}

#define MAILBOX_KEPT                                                                               \
	"id, account, raw, name, delimiter, role, subscribed, selectable, has_children, "          \
	"uidvalidity, created, deleted, old_name, server_subscribed"

static bool
take_mailbox(Salvage *salvage, sqlite3_stmt *row, GError **error)
{
	g_autofree char *sql =
	    g_strdup_printf("INSERT INTO mailboxes(" MAILBOX_KEPT ", gone, epoch) VALUES(?1, ?2,"
			    " ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, %" PRId64 ")",
			    salvage->store->next_epoch);
	bool taken;

	if (!take_row(salvage, sql, row, 14, &taken, error))
		return false;
	if (taken)
		salvage->store->next_epoch++;
	salvage->store->state_changed = salvage->store->folders_changed = true;
	return true;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static bool
has_message(Salvage *salvage, StoreId id)
{
	return g_hash_table_contains(salvage->placed, &id);
}

/* The number that SQL says about ID in the damaged file; 0 when it does not. */
static int64_t
old_number(Salvage *salvage, const char *sql, StoreId id)
{
	sqlite3_stmt *query = NULL;
	int64_t number = 0;

	if (sqlite3_prepare_v2(salvage->old, sql, -1, &query, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(query, 1, id);
		if (sqlite3_step(query) == SQLITE_ROW)
			number = sqlite3_column_int64(query, 0);
	}
	sqlite3_finalize(query);
	return number;
}

/* The message's row, without a UID, nowhere; an empty one when it cannot be read. */
static bool
take_message(Salvage *salvage, StoreId id, GError **error)
{
	static const char select[] =
	    "SELECT id, date, received, zone_min, size, attachments, subject, from_, to_, cc,"
	    " reply_to, message_id, in_reply_to, structure FROM messages WHERE id = ?1";
	static const char insert[] =
	    "INSERT INTO messages(id, date, received, zone_min, size, attachments, subject, from_,"
	    " to_, cc, reply_to, message_id, in_reply_to, structure, epoch)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0)";
	sqlite3_stmt *query = NULL;
	bool taken = false, ok = true;

	if (sqlite3_prepare_v2(salvage->old, select, -1, &query, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(query, 1, id);
		if (sqlite3_step(query) == SQLITE_ROW)
			ok = take_row(salvage, insert, query, 14, &taken, error);
	}
	sqlite3_finalize(query);
	if (!ok || (!taken && !journal_run(salvage->store, SQL_MESSAGE_EMPTY, id, 0, 0, 0, error)))
		return false;
	g_hash_table_add(salvage->placed, g_memdup2(&id, sizeof id));
	salvage->store->next_message = MAX(salvage->store->next_message, id + 1);
	salvage->store->state_changed = true;
	return true;
}

static bool
take_piece(void *data, Span piece, GError **error)
{
	return store_part_append(data, piece, error);
}

/* The whole of a message that is only here.  *WHOLE: all of it could be read. */
static bool
take_content(Salvage *salvage, StoreId id, bool *whole, GError **error)
{
	int64_t part =
	    old_number(salvage, "SELECT id FROM parts WHERE message = ?1 AND section = ''", id);
	int64_t size = old_number(salvage, "SELECT size FROM parts WHERE id = ?1", part);
	StorePartWriter *writer = store_part_begin(salvage->store, error);
	sqlite3_stmt *query = NULL;
	int64_t done = 0;
	bool ok = writer != NULL;

	if (ok && sqlite3_prepare_v2(salvage->old,
				     "SELECT bytes FROM pieces WHERE id BETWEEN ?1 AND ?2"
				     " ORDER BY id",
				     -1, &query, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(query, 1, store_piece_id(part, 0));
		sqlite3_bind_int64(query, 2, store_piece_id(part, STORE_PIECES_MAX - 1));
		while (ok && part && sqlite3_step(query) == SQLITE_ROW) {
			const void *bytes = sqlite3_column_blob(query, 0);
			int n = sqlite3_column_bytes(query, 0);

			done += n;
			ok = n == 0 || take_piece(writer, span_of(bytes, (size_t)n), error);
		}
	}
	sqlite3_finalize(query);
	*whole = part && done == size;
	if (!ok) {
		store_part_abort(writer);
		return false;
	}
	return store_part_finish(writer, id, "", error);
}

/* ---- where they belong ------------------------------------------------------------------------------------ */

/* Where the server had it: by the damaged file, else by the target.  *MAILBOX 0: unknown. */
static void
old_location(Salvage *salvage, StoreId id, StoreId *mailbox, uint32_t *uid)
{
	*uid = (uint32_t)old_number(salvage, "SELECT uid FROM messages WHERE id = ?1", id);
	*mailbox = old_number(salvage,
			      "SELECT b.id FROM messages m JOIN mailboxes b ON b.epoch = m.epoch"
			      " WHERE m.id = ?1 AND b.id > 0 AND m.uid IS NOT NULL",
			      id);
	if (*uid && *mailbox)
		return;
	*uid = (uint32_t)old_number(salvage,
				    "SELECT uid FROM hidden WHERE id = ?1 AND NOT leftover", id);
	*mailbox = old_number(salvage,
			      "SELECT b.id FROM hidden h JOIN mailboxes b ON b.epoch = h.epoch"
			      " WHERE h.id = ?1 AND NOT h.leftover AND b.id > 0",
			      id);
}

/* The mirror will meet it in MAILBOX. */
static bool
expect(Salvage *salvage, Desk *desk, StoreId id, StoreId mailbox, uint32_t uid, GError **error)
{
	g_autoptr(GError) failed = NULL;
	Sheet *sheet = desk_mailbox(desk, mailbox, &failed);

	if (!sheet) {
		if (postern_error_is(failed, POSTERN_ERROR_GONE))
			return true;
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	return lost_add(salvage->store, id, sheet->head.epoch, 0, false, true, error) &&
	       journal_run(salvage->store, SQL_LOST_AT, id, uid, 0, 0, error);
}

/* Stands where the journal wants it; nowhere when that is for the server to say. */
static bool
stand(Salvage *salvage, Desk *desk, StoreId id, GError **error)
{
	g_autoptr(GError) failed = NULL;
	StoreId wanted;
	Place place;
	Sheet *sheet;
	bool found;

	if (!place_find(salvage->store, id, &place, &found, error) ||
	    !journal_wanted(salvage->store, id, 0, &wanted, error))
		return false;
	if (!found)
		return true;
	sheet = desk_mailbox(desk, wanted, &failed);
	if (!sheet)
		sheet = desk_mailbox(desk, 0, error);
	if (!sheet)
		return false;
	desk_edit(sheet, ORDER_INSERT, order_record(place.date, 0, id, 0));
	return place_set(salvage->store, id, sheet->head.epoch, 0, error);
}

/* ---- the journal ------------------------------------------------------------------------------------------- */

/* By position: a flipped bit in the names of the columns must not hide the rows. */
enum { JOURNAL_KIND = 3, JOURNAL_STATE = 5, JOURNAL_FIRST = 25 };

static bool
take_journal_row(Salvage *salvage, sqlite3_stmt *row, GError **error)
{
	/* seq, grp, account, kind, action, state, mailbox, dest, flag, keyword, value, name, raw, made,
	 * sent, dest_uidvalidity, dest_uidnext, error, code, tries, old_name, old_raw, undone, because,
	 * n: in a damaged row, what must be there is. */
	static const char insert[] =
	    "INSERT INTO journal VALUES(?1, ifnull(?2, ?1), ifnull(?3, 0), ?4, ifnull(?5, 0), ?6,"
	    " ifnull(?7, 0), ifnull(?8, 0), ifnull(?9, 0), ?10, ifnull(?11, 0), ?12, ?13,"
	    " ifnull(?14, 0), ifnull(?15, 0), ifnull(?16, 0), ifnull(?17, 0), ?18, ifnull(?19, 0),"
	    " ifnull(?20, 0), ?21, ?22, ifnull(?23, 0), ifnull(?24, 0), 0 * ifnull(?25, 0))";
	int kind, state;
	bool taken;

	if (sqlite3_column_count(row) < JOURNAL_FIRST)
		return true;
	kind = sqlite3_column_int(row, JOURNAL_KIND);
	state = sqlite3_column_int(row, JOURNAL_STATE);
	if (kind < STORE_INTENT_FLAG || kind > STORE_INTENT_UNSUBSCRIBE ||
	    state < STORE_ROW_WAITING || state > STORE_ROW_FAILED)
		return true;
	if (!take_row(salvage, insert, row, JOURNAL_FIRST, &taken, error))
		return false;
	salvage->n += taken;
	return true;
}

/* Once more, each by its number: a damaged number in between hides nothing then. */
static bool
take_single_rows(Salvage *salvage, GError **error)
{
	int64_t last =
	    old_number(salvage, "SELECT seq FROM sqlite_sequence WHERE ?1 AND name = 'journal'", 1);
	sqlite3_stmt *query = NULL;
	bool ok = true;

	last = CLAMP(last, 0, ORDER_ID_MAX);
	if (sqlite3_prepare_v2(salvage->old, "SELECT * FROM journal WHERE rowid = ?1", -1, &query,
			       NULL) == SQLITE_OK) {
		for (int64_t i = MAX(last - SINGLE_ROWS, 0) + 1; ok && i <= last; i++) {
			sqlite3_reset(query);
			sqlite3_bind_int64(query, 1, i);
			if (sqlite3_step(query) == SQLITE_ROW)
				ok = take_journal_row(salvage, query, error);
		}
	}
	sqlite3_finalize(query);
	return ok;
}

static bool
is_identity(int64_t id)
{
	return id > 0 && id <= ORDER_ID_MAX;
}

static bool
take_target(Salvage *salvage, sqlite3_stmt *row, GError **error)
{
	StoreId id = sqlite3_column_int64(row, 0), copy = sqlite3_column_int64(row, 2);

	if (!is_identity(id) || (copy && !is_identity(copy)))
		return true;
	if (!has_message(salvage, id) && !take_message(salvage, id, error))
		return false;
	if (copy && !has_message(salvage, copy) && !take_message(salvage, copy, error))
		return false;
	return take_row(salvage,
			"INSERT INTO targets(id, seq, copy, mailbox, uidvalidity, uid, changed,"
			" state) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
			row, 8, NULL, error);
}

/* What a row of the fresh journal needs besides itself. */
static bool
complete_row(Salvage *salvage, Desk *desk, const StoreJournalRow *row, GError **error)
{
	g_autoptr(GArray) targets = NULL;
	Walk walk = { "SELECT id, seq, copy, mailbox, uidvalidity, uid, changed, state FROM targets"
		      " WHERE seq = ?2 AND id > ?1 AND state <> 2 ORDER BY id LIMIT 1",
		      row->id };
	bool whole = true;

	if (row->kind >= STORE_INTENT_CREATE)
		return true;
	if (!walk_rows(salvage, &walk, take_target, error) ||
	    !targets_of(salvage->store, row->id, false, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		const Target *target = &g_array_index(targets, Target, i);
		StoreId mailbox;
		uint32_t uid;

		if (row->kind == STORE_INTENT_APPEND) {
			if (!take_content(salvage, target->id, &whole, error))
				return false;
			continue;
		}
		old_location(salvage, target->id, &mailbox, &uid);
		if (!mailbox || !uid) {
			mailbox = target->mailbox;
			uid = target->uid;
		}
		if (mailbox && !expect(salvage, desk, target->id, mailbox, uid, error))
			return false;
	}
	if (!whole && !journal_set_failed(salvage->store, row->id, POSTERN_ERROR_STORE,
					  _("its content was damaged"), 0, error))
		return false;
	if (!journal_count(salvage->store, row->id, error))
		return false;
	return targets->len > 0 ||
	       journal_set_failed(salvage->store, row->id, POSTERN_ERROR_STORE,
				  _("which messages it was about could not be read any more"), 0,
				  error);
}

static bool
complete(Salvage *salvage, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_auto(Desk) desk = { 0 };
	GHashTableIter iter;
	gpointer id;

	desk_init(&desk, salvage->store);
	if (!store_journal(salvage->store, 0, &rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++) {
		if (!complete_row(salvage, &desk, g_ptr_array_index(rows, i), error))
			return false;
	}
	g_hash_table_iter_init(&iter, salvage->placed);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		if (!stand(salvage, &desk, *(const StoreId *)id, error))
			return false;
	}
	if (!desk_apply(&desk, error))
		return false;
	g_hash_table_iter_init(&iter, salvage->placed);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		if (!journal_release(&desk, *(const StoreId *)id, error))
			return false;
	}
	return desk_apply(&desk, error);
}

/* ---- the verb ------------------------------------------------------------------------------------------------ */

static bool
salvage_all(Salvage *salvage, GError **error)
{
	static const Walk accounts = {
		"SELECT id, name FROM accounts WHERE id > ?1 ORDER BY id LIMIT 1", 0
	};
	static const Walk mailboxes = { "SELECT " MAILBOX_KEPT
					" FROM mailboxes WHERE id > max(?1, 0) ORDER BY id LIMIT 1",
					0 };
	static const Walk journal = {
		"SELECT * FROM journal WHERE rowid > ?1 ORDER BY rowid LIMIT 1", 0
	};
	Store *store = salvage->store;
	int64_t next = old_number(salvage, "SELECT next_message FROM state WHERE one = ?1", 1);
	int64_t most = old_number(salvage, "SELECT max(id) FROM messages WHERE id > ?1", 0);
	int64_t gaps;

	if (is_identity(next))
		store->next_message = MAX(store->next_message, next);
	if (is_identity(most))
		store->next_message = MAX(store->next_message, most + 1);
	store->state_changed = true;
	if (!walk_rows(salvage, &accounts, take_account, error) ||
	    !walk_rows(salvage, &mailboxes, take_mailbox, error))
		return false;
	gaps = salvage->unread;
	if (!walk_rows(salvage, &journal, take_journal_row, error) ||
	    !take_single_rows(salvage, error))
		return false;
	salvage->unread -= (uint32_t)gaps;
	return complete(salvage, error);
}

static char *
words_of(const Salvage *salvage)
{
	g_autofree char *kept = NULL;

	if (salvage->n)
		kept = g_strdup_printf(P_("%u change that the server does not have yet was kept.",
					  "%u changes that the server does not have yet were kept.",
					  salvage->n),
				       salvage->n);
	if (!salvage->unread)
		return g_steal_pointer(&kept);
	return g_strdup_printf("%s%s%s", kept ? kept : "", kept ? " " : "",
			       _("Some of what waited to be sent could not be read."));
}

/* Also sets UNREAD, when the file does not even tell what tables it has. */
static bool
has_journal(Salvage *salvage)
{
	sqlite3_stmt *query = NULL;
	bool has = false, told = false;

	if (sqlite3_prepare_v2(salvage->old,
			       "SELECT count(*) FROM sqlite_schema WHERE name IN ('journal',"
			       " 'targets')",
			       -1, &query, NULL) == SQLITE_OK &&
	    sqlite3_step(query) == SQLITE_ROW) {
		told = true;
		has = sqlite3_column_int(query, 0) == 2;
	}
	sqlite3_finalize(query);
	salvage->unread += !told;
	return has;
}

bool
store_salvage(Store *store, const char *path, char **words, GError **error)
{
	Salvage salvage = { .store = store };
	g_autofree char *shm = g_strconcat(path, "-shm", NULL);
	bool ok = true, own;

	*words = NULL;
	if (sqlite3_open_v2(path, &salvage.old,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
			    NULL) == SQLITE_OK) {
		sqlite3_db_config(salvage.old, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_db_config(salvage.old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		/* writable_schema: with it a row of the schema that is damaged is passed over, and the
		 * tables that the others name can be read.  Nothing is written. */
		sqlite3_exec(salvage.old,
			     "PRAGMA writable_schema = ON; PRAGMA query_only = ON;"
			     "PRAGMA cell_size_check = ON",
			     NULL, NULL, NULL);
	}
	if (has_journal(&salvage)) {
		salvage.placed = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
		ok = store_verb_begin(store, &own, error) &&
		     store_verb_end(store, own, salvage_all(&salvage, error), error);
		g_hash_table_unref(salvage.placed);
	}
	sqlite3_close(salvage.old);
	unlink(shm);
	if (ok)
		*words = words_of(&salvage);
	return ok;
}
