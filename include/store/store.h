/* The local database: what the server said, kept for reading without it.  SQLite in WAL mode, one
 * file "mail.db" in the data directory, 0600.  One writer (the engine's handle); any number of
 * readers (one handle a thread).  A handle belongs to the thread that uses it.
 *
 * Two kinds of truth live in it: what can be had from the server again at any time, and what exists
 * only here, the journal of what a person wants (store/journal.h): in one file, so that an intent and
 * its effect are one transaction.  When a damaged file is set aside, whatever rows of the journal can
 * still be read go into the fresh one, and NOTICE says so.
 *
 * Order.  A mailbox's list is by date, newest first, then by UID, highest first.  It is kept as a
 * two-level array beside the rows: a directory (one row a mailbox: count and first key of each
 * chunk) and chunks of up to a thousand records of 16 bytes (date, uid, row id, flags).  A window
 * by offset, by key or from the end reads one directory, one or two chunks and the rows it shows,
 * whatever the size of the mailbox: see store_stats.  Flags live in those records alone, so that
 * marking 100,000 messages read rewrites a hundred chunks and no row.
 *
 * Errors are POSTERN_ERROR_STORE, and a failed call changed nothing.  A verb that fails inside
 * store_begin .. store_commit gives the whole transaction up: verbs after it fail, and so does
 * store_commit; the handle is then as it was before store_begin, and usable.  After a full disk or
 * an I/O error the handle stays usable too.  Damage found later than at store_open fails the call
 * that met it and leaves a mark, by which the next STORE_WRITER sets the file aside. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/log.h"

typedef struct Store Store;

typedef int64_t StoreId; /* a row's local identity; never reused; 0: none */

typedef enum {
	STORE_READER, /* fails with GONE when there is no database yet */
	STORE_WRITER, /* makes or migrates it; only one process holds it (flock on "lock") */
} StoreRole;

/* DIR exists and is private (paths_make_private_dir).  A database that is damaged or foreign is
 * renamed to "mail.db.set-aside-<date>" by a STORE_WRITER, a fresh one is made, and *NOTICE says so
 * in a sentence (yours to g_free; NULL when there is none); a STORE_READER fails instead.  One
 * written by a newer Postern is refused and left alone.  With STORE_WRITER held elsewhere: OFFLINE
 * error naming the process.  The lock goes with its process, however that ends.  NOTICE and LOG
 * may be NULL. */
Store *store_open(const char *dir, StoreRole role, Log *log, char **notice, GError **error);
void store_close(Store *store); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

/* ---- transactions (writer) --------------------------------------------------------------- */

/* They do not nest.  Keep them short: about 10 ms.  A verb outside one is its own. */
bool store_begin(Store *store, GError **error);
bool store_commit(Store *store, GError **error);
void store_rollback(Store *store);

/* Readers: holds one snapshot over several calls.  Begin and end in pairs. */
bool store_snapshot_begin(Store *store, GError **error);
void store_snapshot_end(Store *store);

/* Grows whenever this mailbox's rows, flags, order or cached parts changed (any process).  0: the
 * folders, that is any field of any StoreMailbox, counts included. */
bool store_version(Store *store, StoreId mailbox, int64_t *version, GError **error);

/* ---- accounts and mailboxes --------------------------------------------------------------- */

bool store_account(Store *store, const char *name, StoreId *id, GError **error); /* makes it */

/* A small fact about an account ("capabilities", "delimiter", ...), overwritten.  NULL value: none. */
bool store_account_set(Store *store, StoreId account, const char *key, const char *value,
		       GError **error);
bool store_account_get(Store *store, StoreId account, const char *key, char **value,
		       GError **error);

typedef enum {
	STORE_ROLE_NONE,
	STORE_ROLE_INBOX,
	STORE_ROLE_DRAFTS,
	STORE_ROLE_SENT,
	STORE_ROLE_ARCHIVE,
	STORE_ROLE_JUNK,
	STORE_ROLE_TRASH,
	STORE_ROLE_FLAGGED,
	STORE_ROLE_ALL,
	STORE_ROLE_IMPORTANT,
} StoreMailboxRole;

typedef struct StoreMailbox {
	StoreId id, account;
	char *raw; /* the server's bytes, a blob; NUL-terminated copy */
	size_t raw_size;
	char *name;	/* decoded, UTF-8; has NOT passed the door */
	char delimiter; /* '\0': none */
	StoreMailboxRole role;
	bool subscribed, selectable, has_children;
	bool gone; /* the server no longer lists it; kept, with its messages, and in no list for a
		    * person but for what is only_here */

	/* the server's word at the last STATUS or SELECT; -1: never heard */
	int64_t server_total, server_unread;
	uint32_t uidvalidity, uidnext; /* 0: never heard */
	uint64_t highestmodseq;

	/* the mirror's own */
	uint32_t total, unread; /* rows here, and those without SEEN; kept, never counted */
	/* The server view (store/journal.h): how many of the server's messages are mirrored; what
	 * EXISTS is held against.  total, but for what waits in the journal. */
	uint32_t mirrored;
	uint32_t only_here; /* messages of it that the server is still to get, or was not given */
	/* Made, renamed, deleted or (un)subscribed here, and not there yet: what LIST says of that is
	 * passed over.  Deleted ones are in no list but can be got by id and by raw. */
	bool created, renamed, deleted, resubscribed;
	uint32_t
	    known_from_uid; /* every UID from here up to mirrored_uidnext is mirrored; 0: nothing is,
				  * 1: complete */
	uint32_t mirrored_uidnext; /* UIDs below it (and from known_from_uid) are mirrored */
	uint64_t mirrored_modseq;  /* flags are true up to here; 0: not known */
} StoreMailbox;

void store_mailbox_free(StoreMailbox *mailbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreMailbox, store_mailbox_free)

/* Inserts or updates by (account, raw): name, delimiter, role, subscribed, selectable,
 * has_children, gone.  Sets mailbox->id. */
bool store_mailbox_put(Store *store, StoreMailbox *mailbox, GError **error);
/* The server's counts and state; fields that are -1 or 0 in MAILBOX stay as they were. */
bool store_mailbox_status(Store *store, const StoreMailbox *mailbox, GError **error);
/* How far the mirror is.  A mirrored_modseq below the one before: the server counts anew, so what was
 * heard of each message's MODSEQ is forgotten (a pass over all of them). */
bool store_mailbox_progress(Store *store, StoreId mailbox, uint32_t known_from_uid,
			    uint32_t mirrored_uidnext, uint64_t mirrored_modseq, GError **error);
/* Marks those of ACCOUNT not in KEEP (ids) as gone. */
bool store_mailboxes_keep(Store *store, StoreId account, const StoreId *keep, size_t n_keep,
			  GError **error);
/* UIDVALIDITY changed: every message of it is dropped, and so is how far the mirror was; the
 * mailbox stays.  Instant at any size: the space is given back by store_tidy. */
bool store_mailbox_reset(Store *store, StoreId mailbox, GError **error);

/* All of ACCOUNT (0: of every account), by account, role (INBOX first), then name.  An array of
 * StoreMailbox, owned: g_ptr_array_unref. */
bool store_mailboxes(Store *store, StoreId account, GPtrArray **mailboxes, GError **error);
bool store_mailbox_get(Store *store, StoreId id, StoreMailbox **mailbox, GError **error);
/* By what the server calls it, whatever it was renamed to here; *MAILBOX is NULL when there is none. */
bool store_mailbox_by_raw(Store *store, StoreId account, Span raw, StoreMailbox **mailbox,
			  GError **error);
/* By decoded name (INBOX without case); GONE when there is none. */
bool store_mailbox_find(Store *store, StoreId account, const char *name, StoreMailbox **mailbox,
			GError **error);

/* ---- messages ----------------------------------------------------------------------------- */

/* The same bits as the wire's system flags, and ours above. */
typedef enum {
	STORE_FLAG_SEEN = 1 << 0,
	STORE_FLAG_ANSWERED = 1 << 1,
	STORE_FLAG_FLAGGED = 1 << 2,
	STORE_FLAG_DELETED = 1 << 3,
	STORE_FLAG_DRAFT = 1 << 4,
	STORE_FLAG_RECENT = 1 << 5,
	STORE_FLAG_ATTACHMENT = 1 << 8,
	STORE_FLAG_KEYWORDS = 1 << 9, /* has some: they are in the row */
} StoreFlag;

/* One message on its way in.  Everything is borrowed for the call; spans are valid UTF-8, decoded,
 * not yet through the door. */
typedef struct StoreMessage {
	uint32_t uid;
	uint16_t flags;	  /* StoreFlag */
	Span keywords;	  /* separated by spaces */
	int64_t date;	  /* seconds since the epoch: what the list is ordered by */
	int32_t zone_min; /* of the Date header, minutes east */
	int64_t received; /* INTERNALDATE */
	uint64_t size;	  /* RFC822.SIZE, octets */
	uint64_t modseq;  /* 0: unknown */
	Span subject, from, to, cc, reply_to; /* address lists as "Name <a@b>, ..." */
	Span message_id, in_reply_to;
	Span structure; /* BODYSTRUCTURE as sent (imap_body_parse reads it) */
	uint16_t attachments;
} StoreMessage;

/* Adds or updates by (mailbox, uid): existing rows keep their id and their parts.  An update replaces
 * every field, but an empty structure leaves the one that is there, and what was told of it
 * (attachments, STORE_FLAG_ATTACHMENT).  N may be thousands; the order array is rebuilt only where
 * they fall.  Sorted by UID is fastest; of a UID given twice the last counts. */
bool store_messages_put(Store *store, StoreId mailbox, const StoreMessage *messages, size_t n,
			GError **error);

typedef struct StoreFlagChange {
	uint32_t uid;
	uint16_t flags; /* replaces the wire's bits; ATTACHMENT is left alone */
	Span keywords;
	uint64_t modseq;
} StoreFlagChange;
/* UIDs not here are passed over, and so is a change whose modseq is below the one already heard of
 * that message (a late answer on another connection).  *CHANGED (may be NULL): how many really
 * differed. */
bool store_messages_flag(Store *store, StoreId mailbox, const StoreFlagChange *changes, size_t n,
			 size_t *changed, GError **error);

/* UIDs that are gone on the server; those not here are passed over.  *REMOVED may be NULL. */
bool store_messages_remove(Store *store, StoreId mailbox, const uint32_t *uids, size_t n,
			   size_t *removed, GError **error);

/* Every UID here, ascending; yours to g_free.  Reads the order array, not the rows. */
bool store_message_uids(Store *store, StoreId mailbox, uint32_t **uids, size_t *n, GError **error);

/* ---- windows ------------------------------------------------------------------------------- */

/* One message on its way out; strings are owned by the row, never NULL, valid UTF-8, NOT yet
 * through the door. */
typedef struct StoreRow {
	StoreId id, mailbox;
	uint32_t uid; /* 0: none yet */
	uint16_t flags;
	char *keywords;
	int64_t date, received;
	int32_t zone_min;
	uint64_t size;
	char *subject, *from, *to, *cc, *reply_to, *message_id, *in_reply_to;
	GBytes *structure; /* NULL: not known */
	uint16_t attachments;
} StoreRow;

void store_row_free(StoreRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreRow, store_row_free)

/* Rows OFFSET.. (0 is the newest), at most COUNT; fewer at the end.  *TOTAL is the mailbox's.  An
 * array of StoreRow, owned.  With structures false, row->structure stays NULL (lists need it not). */
bool store_window(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, bool structures,
		  GPtrArray **rows, uint32_t *total, GError **error);

/* The identities of the rows OFFSET.., at most COUNT, into an array of StoreId, yours to g_array_unref.
 * Reads chunks, not rows. */
bool store_ids(Store *store, StoreId mailbox, uint32_t offset, uint32_t count, GArray **out,
	       GError **error);

/* Where a message stands now: its offset, or GONE.  So a selection stays on its message. */
bool store_offset_of(Store *store, StoreId mailbox, StoreId message, uint32_t *offset,
		     GError **error);
/* The offset at which a message of this date and uid would stand: where a lost selection lands. */
bool store_offset_at(Store *store, StoreId mailbox, int64_t date, uint32_t uid, uint32_t *offset,
		     GError **error);
/* From OFFSET on (forward: towards older), the next row with (flags & MASK) == WANT.  GONE: none.
 * Reads chunks, not rows. */
bool store_offset_next(Store *store, StoreId mailbox, uint32_t offset, bool forward, uint16_t mask,
		       uint16_t want, uint32_t *found, GError **error);

bool store_row_by_id(Store *store, StoreId message, StoreRow **row, GError **error);
bool store_row_by_uid(Store *store, StoreId mailbox, uint32_t uid, StoreRow **row, GError **error);

/* ---- parts ---------------------------------------------------------------------------------- */

/* A part's bytes as the server gave them for SECTION ("1", "1.2", "HEADER", "1.MIME", "" the whole
 * message), still in their transfer encoding.  Only whole ones are ever seen by a reader. */

/* GONE when it is not cached, or its message is not here.  Over 1 GiB: only store_part_read. */
bool store_part_load(Store *store, StoreId message, const char *section, GBytes **bytes,
		     GError **error);
bool store_part_has(Store *store, StoreId message, const char *section, bool *has, GError **error);
bool store_part_put(Store *store, StoreId message, const char *section, GBytes *bytes,
		    GError **error);

/* Streaming in: pieces are written as they come (a commit each, of about 256 KiB, unless inside a
 * transaction), and seen when finished.  What was not finished is dropped at the next store_open of
 * a writer.  A writer must not outlive its store. */
typedef struct StorePartWriter StorePartWriter;
StorePartWriter *store_part_begin(Store *store, GError **error);
/* Likewise, for one that a cut line or a killed process must not cost again: goes on where the last
 * try at SECTION of MESSAGE ended.  *SIZE bytes of TOTAL are here already; 0 where nothing is, or it
 * was of another total.  What is never taken up again is dropped after a month. */
StorePartWriter *store_part_resume(Store *store, StoreId message, const char *section,
				   uint64_t total, uint64_t *size, GError **error);
bool store_part_append(StorePartWriter *writer, Span bytes, GError **error);
/* Now it belongs to MESSAGE and SECTION, in place of what was there.  GONE when the message is.
 * Frees WRITER, also when it fails. */
bool store_part_finish(StorePartWriter *writer, StoreId message, const char *section,
		       GError **error);
void store_part_abort(StorePartWriter *writer); /* NULL is fine */
/* As store_part_abort, but what came is kept for store_part_resume (of one that was begun by it). */
void store_part_leave(StorePartWriter *writer);

/* Many small ones in one transaction.  Frees every writer, also when it fails. */
typedef struct StorePartDone {
	StorePartWriter *writer;
	StoreId message;
	const char *section; /* borrowed */
	int64_t looked;	     /* seconds since the epoch; 0: now.  See store_evict. */
	bool gone;	     /* set: its message is, and the part was dropped */
} StorePartDone;
bool store_parts_finish(Store *store, StorePartDone *parts, size_t n, GError **error);

/* Streaming out, a bounded piece at a time; CALL returns false to stop. */
typedef bool (*StorePieceFunc)(void *data, Span piece, GError **error);
bool store_part_read(Store *store, StoreId message, const char *section, StorePieceFunc call,
		     void *data, GError **error);

/* One message whose whole is not cached, as it is to be asked for. */
typedef struct StoreBody {
	StoreId message;
	uint32_t uid;
	int64_t date;
	uint64_t size;
	GBytes *structure; /* owned; NULL: not known, or not asked for */
} StoreBody;

/* A walk over a mailbox by UID, the highest first: it passes over nothing, whatever comes and goes
 * meanwhile. */
typedef struct StoreWalk {
	uint64_t below;	 /* the next is below it; at first STORE_WALK_START, in the end 0 */
	int64_t since;	 /* passes over what is older (seconds since the epoch) */
	bool structures; /* are wanted */
	uint32_t looked; /* rows looked at so far, in all */
} StoreWalk;
#define STORE_WALK_START (UINT64_C(1) << 32)

/* The next of them, at most COUNT; some hundred rows are looked at, so that there may be none before
 * the end.  An array of StoreBody, owned. */
bool store_bodies(Store *store, StoreId mailbox, StoreWalk *walk, uint32_t count,
		  GPtrArray **bodies, GError **error);

/* ---- what is kept ---------------------------------------------------------------------------- */

/* Bytes of ACCOUNT's cached parts.  Kept, never counted. */
bool store_kept(Store *store, StoreId account, uint64_t *bytes, GError **error);
/* When the part that would go first was last looked at (seconds since the epoch); INT64_MAX: none. */
bool store_kept_oldest(Store *store, StoreId account, int64_t *looked, GError **error);
/* MESSAGE is looked at.  Again within the hour writes nothing, so that reading costs no writing.  Writer. */
bool store_looked(Store *store, StoreId message, GError **error);
/* Drops a slice of what ACCOUNT has cached over LIMIT bytes, what was least recently looked at first;
 * *MORE: call it again.  Never of a message that the server may no longer have: one without UID,
 * of a folder that is gone, or of one in doubt (the fact "doubt/MAILBOX").  The space is given back by store_tidy.  Writer. */
bool store_evict(Store *store, StoreId account, uint64_t limit, bool *more, GError **error);

/* ---- upkeep (writer) ------------------------------------------------------------------------- */

/* Gives back a slice (some milliseconds) of the space of what was dropped: messages of a reset
 * mailbox, parts of removed messages, unfinished parts.  Call it when idle, outside a transaction,
 * as long as *MORE.  Nothing of it was visible any more. */
bool store_tidy(Store *store, bool *more, GError **error);

/* Reads everything and holds it against everything else: SQLite's own check, counters, order,
 * rows, parts.  Slow (seconds at a million messages); any handle.  The error names the first thing
 * that does not hold. */
bool store_check(Store *store, GError **error);

/* ---- counting, for tests and benchmarks ------------------------------------------------------ */

typedef struct StoreStats {
	uint64_t rows_read; /* rows stepped through, of any table, by this handle */
	uint64_t rows_written;
	uint64_t chunks_read, chunks_written;
	uint64_t transactions;
} StoreStats;
void store_stats(const Store *store, StoreStats *out);

#endif
