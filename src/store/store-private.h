/* What the store's files share: the handle, its prepared statements, errors and transactions.
 *
 * Tables.  state: one row of counters.  accounts, facts, mailboxes: as the header says.  A mailbox's
 * messages belong to its EPOCH, which changes with every reset: dropping a million messages is then
 * one small write, and store_tidy deletes them at leisure (table dropped lists such epochs).
 * messages: one row each, by identity.  uids: (epoch, uid) to identity, date and modseq, so that a
 * server's answers about flags never touch the wide rows.  orders and chunks: see order-private.h.
 * parts and pieces: see parts.c. */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include "base/error.h"
#include "base/i18n.h"
#include "store/store.h"

#include <sqlite3.h>

#define STORE_APPLICATION_ID 0x506f7374 /* "Post" */

typedef struct Order Order;

/* The prepared statements; their text is in query.c. */
typedef enum {
	SQL_BEGIN,
	SQL_BEGIN_IMMEDIATE,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_STATE,
	SQL_STATE_SAVE,
	SQL_FOLDERS_VERSION,
	SQL_MAILBOX_VERSION,

	SQL_ACCOUNT_FIND,
	SQL_ACCOUNT_ADD,
	SQL_FACT_SET,
	SQL_FACT_DELETE,
	SQL_FACT_GET,
	SQL_MAILBOX_BY_RAW,
	SQL_MAILBOX_ADD,
	SQL_MAILBOX_UPDATE,
	SQL_MAILBOX_STATUS,
	SQL_MAILBOX_PROGRESS,
	SQL_MAILBOX_FORGET_MODSEQS,
	SQL_MAILBOX_GONE,
	SQL_MAILBOX_LISTED,
	SQL_MAILBOX_RESET,
	SQL_MAILBOXES,
	SQL_MAILBOX_BY_ID,
	SQL_MAILBOX_BY_NAME,
	SQL_EPOCH_DROP,

	SQL_HEAD_BY_ID,
	SQL_HEAD_BY_EPOCH,
	SQL_HEAD_SAVE,
	SQL_UID_ANY,
	SQL_UID_FIND,
	SQL_UID_ADD,
	SQL_UID_UPDATE,
	SQL_UID_DELETE,
	SQL_MESSAGE_ADD,
	SQL_MESSAGE_UPDATE,
	SQL_MESSAGE_IDENTITY,
	SQL_MESSAGE_DELETE,
	SQL_MESSAGE_KEYWORDS,
	SQL_MESSAGE_KEYWORDS_SET,
	SQL_MESSAGE_KEY,
	SQL_MESSAGE_ROW,
	SQL_MESSAGE_ROW_WHOLE,

	SQL_ORDER_LOAD,
	SQL_ORDER_ADD,
	SQL_ORDER_SAVE,
	SQL_ORDER_DELETE,
	SQL_CHUNK_LOAD,
	SQL_CHUNK_ADD,
	SQL_CHUNK_SAVE,
	SQL_CHUNK_DELETE,

	SQL_PART_FIND,
	SQL_ORIGIN_ADD,
	SQL_ORIGIN_DELETE,
	SQL_PART_ADD,
	SQL_PART_FINISH,
	SQL_PART_REPLACE,
	SQL_PART_DROP,
	SQL_PARTS_DROP_OF,
	SQL_PARTS_DROP_UNFINISHED,
	SQL_PART_DROPPED,
	SQL_PART_DELETE,
	SQL_PIECE_ADD,
	SQL_PIECE_COUNT,
	SQL_PIECES,
	SQL_PIECES_SIZE,
	SQL_PIECES_DELETE,
	SQL_UNFINISHED_FIND,
	SQL_UNFINISHED_ADD,
	SQL_UNFINISHED_DELETE,
	SQL_UNFINISHED_DELETE_OF,
	SQL_UNFINISHED_DROP_OF,
	SQL_UNFINISHED_OLD,

	SQL_KEPT,
	SQL_KEPT_OLDEST,
	SQL_KEPT_VICTIMS,
	SQL_LOOKED_BEFORE,
	SQL_LOOKED,
	SQL_UIDS_BELOW,
	SQL_MESSAGE_BODY,

	SQL_EPOCH_DROPPED,
	SQL_EPOCH_DELETE,
	SQL_EPOCH_UIDS,

	SQL_MAILBOX_ADJUST,
	SQL_MAILBOX_CREATED,
	SQL_MAILBOX_IS_THERE,
	SQL_MAILBOX_DELETED,
	SQL_MAILBOX_UNDELETED,
	SQL_MAILBOX_DELETE,
	SQL_MAILBOX_NAME,
	SQL_MAILBOX_RAW,
	SQL_MAILBOX_RENAME,
	SQL_MAILBOX_OLD_NAME,
	SQL_MAILBOX_RENAMED,
	SQL_MAILBOX_UNRENAMED,
	SQL_MAILBOX_NAMED_BACK,
	SQL_MAILBOX_SUBSCRIBE,
	SQL_MAILBOX_SUBSCRIBED,
	SQL_MAILBOX_UNSUBSCRIBED,
	SQL_ACCOUNT_DELIMITER,
	SQL_MAILBOX_PENDING,

	SQL_HIDDEN_ADD,
	SQL_HIDDEN_DELETE,
	SQL_HIDDEN_FIND,
	SQL_HIDDEN_OF,
	SQL_HIDDEN_LEAVE,
	SQL_HIDDEN_LEFT,
	SQL_TARGET_AT,
	SQL_HIDDEN_UIDS,
	SQL_HIDDEN_ALL,
	SQL_MESSAGE_PLACE,
	SQL_MESSAGE_CLONE,
	SQL_UID_RANGE,
	SQL_PLACED_IN,
	SQL_CLAIMED_IN,
	SQL_PARTS_RENAME,

	SQL_MESSAGE_EMPTY,
	SQL_LOST_ANY,
	SQL_LOST_ADD,
	SQL_LOST_AT,
	SQL_LOST_FIND_AT,
	SQL_LOST_FIND,
	SQL_LOST_FOR_GOOD,
	SQL_LOST_MET,
	SQL_LOST_WHERE,
	SQL_LOST_DELETE,
	SQL_LOST_EPOCH,
	SQL_LOST_NOWHERE,
	SQL_EXPECTED,
	SQL_EXPECTED_MET,
	SQL_EXPECTED_IS,

	SQL_JOURNAL_ANY,
	SQL_JOURNAL_ADD,
	SQL_JOURNAL_GROUP,
	SQL_JOURNAL,
	SQL_JOURNAL_ROW,
	SQL_JOURNAL_COUNTS,
	SQL_JOURNAL_STATE,
	SQL_JOURNAL_SENT,
	SQL_JOURNAL_FAILED,
	SQL_JOURNAL_COUNT,
	SQL_JOURNAL_ONE_LESS,
	SQL_JOURNAL_LESS,
	SQL_JOURNAL_GONE,
	SQL_JOURNAL_DELETE,
	SQL_JOURNAL_RETRY,
	SQL_JOURNAL_SPLIT,
	SQL_JOURNAL_NAME,
	SQL_JOURNAL_OF_FOLDER,
	SQL_JOURNAL_FOLDER_RENAME,
	SQL_JOURNAL_BUSY,
	SQL_JOURNAL_RELATED,
	SQL_JOURNAL_EARLIER,
	SQL_JOURNAL_DEPENDS_FOLDER,
	SQL_JOURNAL_DEPENDS,
	SQL_JOURNAL_OLDEST,
	SQL_JOURNAL_OLD,
	SQL_TARGET_ADD,
	SQL_TARGET_FIND,
	SQL_TARGETS,
	SQL_TARGET_SET,
	SQL_TARGETS_FINISH,
	SQL_TARGETS_RETRY,
	SQL_TARGET_FORGET,
	SQL_TARGET_SPLIT,
	SQL_TARGETS_DELETE,
	SQL_TARGET_DELETE,
	SQL_TARGETS_BOTH,
	SQL_TARGETS_RENAME,
	SQL_TARGETS_RENAME_COPY,
	SQL_CLAIMS,
	SQL_STRAYS,
	SQL_UNDO_GROUP,
	SQL_UNDO_ROWS,
	SQL_UNDO_FIRST,
	SQL_UNDO_MARK,
	SQL_UNDO_NAMES,
	SQL_UNDO_NAMES_SET,

	SQL_N
} Sql;

struct Store {
	sqlite3 *db;
	StoreRole role;
	char *dir, *path; /* dir without links in it; path: mail.db */
	int lock_fd;	  /* -1 with a reader */
	Log *log;
	sqlite3_stmt *queries[SQL_N];

	bool durable;	      /* the transaction open now is synchronous=FULL */
	bool in_transaction;  /* between store_begin and store_commit */
	bool given_up;	      /* ... and something failed since */
	unsigned snapshots;   /* how many store_snapshot_begin are open */
	unsigned rollbacks;   /* how often a transaction was taken back */
	bool state_changed;   /* the counters below differ from the row */
	bool folders_changed; /* state.folders must grow at commit */
	StoreId next_message;
	int64_t next_part, next_epoch;

	GList *resumed; /* of StorePartWriter that can go on after a cut; theirs */

	Order *order; /* the directory used last; NULL: none */
	StoreStats stats;
};

/* ---- query.c: statements, errors, transactions ---------------------------------------------- */

/* A prepared statement, taken from the handle and reset when it goes out of scope. */
typedef sqlite3_stmt StoreQuery;
StoreQuery *store_query(Store *store, Sql sql, GError **error);
void store_query_done(StoreQuery *query); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreQuery, store_query_done)

/* Steps to a row (*ROW true) or to the end. */
bool store_step(Store *store, StoreQuery *query, bool *row, GError **error);
/* Steps a writing statement to its end; *CHANGED (may be NULL) is how many rows it changed. */
bool store_run(Store *store, StoreQuery *query, int *changed, GError **error);

/* The empty span is NULL in the database.  SQLITE_OK or the error; the span stays borrowed until the
 * statement is reset. */
int store_bind_text(StoreQuery *query, int column, Span text);
int store_bind_blob(StoreQuery *query, int column, Span bytes);
/* Yours to g_free; "" for NULL in the database. */
char *store_column_text(StoreQuery *query, int column);

/* Sets ERROR from SQLite's RC, and returns false.  Damage leaves the mark. */
bool store_fail(Store *store, int rc, GError **error);
/* RC, just met, says that there is no room. */
bool store_is_full(Store *store, int rc);
/* The contents contradict themselves: as SQLITE_CORRUPT. */
bool store_fail_damaged(Store *store, const char *what, GError **error);
void store_mark_damaged(Store *store);
bool store_state_load(Store *store, GError **error);

/* Likewise of a verb that calls others; its own transaction survives a power cut once committed. */
bool store_verb_begin(Store *store, bool *own, GError **error);
bool store_verb_end(Store *store, bool own, bool ok, GError **error); /* returns OK, or false */
/* A verb's bracket: its own transaction, unless the caller has one open. */
bool store_write_begin(Store *store, GError **error);
bool store_write_end(Store *store, bool ok, GError **error); /* returns OK, or false */
bool store_read_begin(Store *store, GError **error);
void store_read_end(Store *store);

/* ---- schema.c ---------------------------------------------------------------------------------- */

int store_schema_version(void); /* what this program writes */
/* Brings a database at user_version FROM to ours, in one transaction. */
bool store_schema_migrate(Store *store, int from, GError **error);

/* ---- mailboxes.c ------------------------------------------------------------------------------- */

/* The part of a mailbox's row that every verb about its messages needs. */
typedef struct StoreHead {
	StoreId mailbox;
	StoreId account;
	int64_t epoch, version;
	uint32_t total, unread;
	uint32_t hidden; /* UIDs whose message stands elsewhere */
	uint32_t placed; /* records without a UID */
	uint32_t uidvalidity;
} StoreHead;

bool store_head_load(Store *store, StoreId mailbox, StoreHead *head, GError **error);
/* Of the mailbox whose messages are EPOCH's; GONE when they were dropped. */
bool store_head_by_epoch(Store *store, int64_t epoch, StoreHead *head, GError **error);
/* Writes the counts, and makes the version grow. */
bool store_head_save(Store *store, StoreHead *head, GError **error);

/* ---- salvage.c --------------------------------------------------------------------------------- */

/* Carries what only the damaged database at PATH has into the fresh one of STORE.  *WORDS: sentences about
 * it, yours to g_free; NULL: there was nothing. */
bool store_salvage(Store *store, const char *path, char **words, GError **error);

/* ---- parts.c ----------------------------------------------------------------------------------- */

#define STORE_PIECES_MAX (INT64_C(1) << 20) /* of one part: 256 GiB */

/* The number of a part's piece in "pieces"; of any numbers that a damaged file may hold. */
static inline int64_t
store_piece_id(int64_t part, int64_t piece)
{
	return (int64_t)((uint64_t)part * (uint64_t)STORE_PIECES_MAX + (uint64_t)piece);
}

/* Its message is known to be here. */
bool store_part_is_here(Store *store, StoreId message, const char *section, bool *is,
			GError **error);
/* The parts of a message that is removed. */
bool store_parts_drop(Store *store, StoreId message, GError **error);

#endif
