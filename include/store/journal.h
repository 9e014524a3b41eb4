/* The journal: what a person wants done on the server, from the moment of the key until the server
 * has confirmed it (RFC 4549, 3).  An intent is one transaction: its effect on the local view and
 * its row here, both or neither, on disk when the call returns (also through a power cut).
 *
 * Two views of a mailbox.  The server view is what the server has as far as it is mirrored: the
 * UIDs.  The local view is what a person sees: windows, offsets, totals, unread counts.  An intent
 * changes the local view at once and the server view when it is confirmed:
 *
 *	place		the mailbox in whose list a message stands; none while it is expunged here and
 *			not there yet
 *	location	the (mailbox, UID) under which the server has it; none while it is only here, or
 *			while its new UID is not known yet
 *	hidden		a UID whose message's place is not that mailbox
 *	placed		a message in a mailbox's list whose location is not there
 *
 * What the server says meanwhile goes to the server view, and shows with the waiting intents on top:
 * flags it tells of a message are shown with the deltas that wait for it.  A message's identity
 * (StoreId) stays the same when it moves; UIDs come and go.  store_message_uids, and mirrored in
 * StoreMailbox, are the server view; StoreRow.uid is 0 for a placed message.  store_row_by_uid finds
 * a hidden message too: row->mailbox is then another mailbox, or 0.
 *
 * A row's way:	WAITING -> SENT -> CONFIRMED, or from either to FAILED, and from there by retry to
 * WAITING or by drop out.  SENT is written before the first byte leaves: a SENT row of a line that
 * broke is one whose outcome must be found out from the server.  CONFIRMED rows stay for undo, the
 * last STORE_JOURNAL_KEPT actions; nothing else reads them.
 *
 * Merging.  An intent meets the WAITING and FAILED rows of its account as it becomes a row.  What the
 * older one was to do with a message is then DONE there, and the new one does it, if anything is left to
 * do; SENT ones are left alone.
 *	flag behind the opposite of the same flag: both are done, when the first differed from the
 *	    server; else the second is sent;	flag behind itself: nothing new
 *	move A-B, then B-C: one move, from A (the target's location) to C;	B-A: nothing
 *	move A-B, then expunge: expunge, in A
 *	copy, then expunge of the copy: both are done; an append likewise
 *	create, then delete of the folder: nothing, if nothing waits to go into it; create, then
 *	    rename: create under the new name;	rename, rename: one;	subscribe, unsubscribe: nothing
 * A row with nothing left to do is CONFIRMED, sent or not, and can be undone like any other: undo makes
 * the inverse, which merges with what has not left.  (A flag that waits of a message that is then
 * expunged is sent all the same: the expunging may be taken back.)
 *
 * Errors as in store.h; GONE when a mailbox or row is not there, USAGE when the intent makes no sense
 * (the sentence says why).  Verbs that change something are the writer's. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/store.h"

#define STORE_JOURNAL_KEPT 100 /* actions that can be undone */

typedef enum {			      /* numbers are on disk */
	       STORE_INTENT_FLAG = 1, /* one flag or keyword, of messages */
	       STORE_INTENT_MOVE = 2,
	       STORE_INTENT_COPY = 3,
	       STORE_INTENT_EXPUNGE = 4, /* these messages, for good */
	       STORE_INTENT_APPEND = 5,
	       STORE_INTENT_CREATE = 6, /* a folder, and subscribe to it */
	       STORE_INTENT_RENAME = 7, /* ... and those below it */
	       STORE_INTENT_DELETE = 8, /* ... and what is in it; not those below it */
	       STORE_INTENT_SUBSCRIBE = 9,
	       STORE_INTENT_UNSUBSCRIBE = 10,
} StoreIntentKind;

/* What a person called it; for undo's words and the queue.  Numbers are on disk. */
typedef enum {
	STORE_ACTION_PLAIN = 0, /* as the kind says */
	STORE_ACTION_DELETE = 1,
	STORE_ACTION_ARCHIVE = 2,
	STORE_ACTION_UNDO = 3, /* an inverse; undo passes over it */
	STORE_ACTION_READ = 4, /* seen because it was opened; undo passes over it too */
} StoreAction;

/* Everything is borrowed for the call. */
typedef struct StoreIntent {
	StoreIntentKind kind;
	StoreAction action;
	StoreId group;	 /* the action it belongs to, as StoreIntended gave it; 0: a new one */
	StoreId account; /* CREATE */
	/* FLAG, MOVE, COPY, EXPUNGE: where the messages stand.  RENAME, DELETE, (UN)SUBSCRIBE: the
	 * folder. */
	StoreId mailbox;
	StoreId dest; /* MOVE, COPY, APPEND */

	/* The messages: identities, or UIDs (ascending ranges low, high of the local view), or all.
	 * Those that do not stand in MAILBOX are passed over. */
	const StoreId *messages;
	size_t n_messages;
	const uint32_t *uid_ranges; /* low, high, low, high ... */
	size_t n_uid_ranges;	    /* pairs */
	bool all;

	/* FLAG: one StoreFlag of the wire's (not RECENT), or 0 and a keyword (an IMAP atom). */
	uint16_t flag;
	const char *keyword;
	bool set;

	/* CREATE, RENAME: the new name, decoded, and as the server will be told it. */
	const char *name;
	Span raw;

	/* APPEND: the list's fields (uid 0) and the bytes, CRLF line ends.  Kept whole as part "" of the
	 * new message, and never evicted before it is confirmed. */
	const StoreMessage *message;
	GBytes *content;
} StoreIntent;

typedef struct StoreIntended {
	StoreId group;
	StoreId row;	 /* that says it, perhaps an earlier one; 0: nothing is to be said */
	uint32_t n;	 /* messages that were meant and found */
	StoreId mailbox; /* CREATE: the new mailbox */
	StoreId message; /* APPEND: the new message */
} StoreIntended;

/* One transaction; or part of the caller's, which is then begun by store_begin_durable. */
bool store_intend(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error);
/* As store_begin; once committed, the transaction survives a power cut. */
bool store_begin_durable(Store *store, GError **error);

/* ---- reading the queue (any handle) --------------------------------------------------------- */

typedef enum { /* numbers are on disk */
	       STORE_ROW_WAITING = 1,
	       STORE_ROW_SENT = 2,
	       STORE_ROW_FAILED = 3,
	       STORE_ROW_CONFIRMED = 4,
} StoreRowState;

typedef struct StoreJournalRow {
	StoreId id; /* in the order they were made; replay follows it */
	StoreId group, account;
	StoreIntentKind kind;
	StoreAction action;
	StoreRowState state;
	StoreId mailbox, dest; /* 0: none.  Where the person saw them: what is to be selected is the
				* target's */
	uint16_t
	    flag; /* APPEND: the flags, and KEYWORD the keywords between spaces, as it was made */
	char *keyword; /* NULL: none */
	bool set;
	char *name; /* CREATE, RENAME: new; DELETE: the folder's; else NULL */
	char *raw;  /* RENAME: what the server is to call it; NUL-terminated copy */
	size_t raw_size;
	uint32_t n;		   /* messages still to be done */
	int64_t made;		   /* seconds since the epoch */
	int64_t sent;		   /* when, 0: never */
	uint32_t dest_uidvalidity; /* as known just before it was sent */
	uint32_t dest_uidnext;	   /* ... nothing at or above it was there then; 0: not known */
	char *error;		   /* FAILED: why; words for a person, NULL otherwise */
	int code;		   /* ... its PosternError */
	unsigned tries;
} StoreJournalRow;

void store_journal_row_free(StoreJournalRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreJournalRow, store_journal_row_free)

/* Rows of ACCOUNT (0: of all), WAITING, SENT and FAILED, by id.  An array of StoreJournalRow, owned. */
bool store_journal(Store *store, StoreId account, GPtrArray **rows, GError **error);
bool store_journal_row(Store *store, StoreId row, StoreJournalRow **out, GError **error);
/* How many rows are in each state (all accounts when 0); any pointer may be NULL. */
bool store_journal_counts(Store *store, StoreId account, uint32_t *waiting, uint32_t *failed,
			  GError **error);

typedef enum { /* numbers are on disk */
	       STORE_TARGET_TO_DO = 0,
	       STORE_TARGET_COPIED =
		   1, /* MOVE without MOVE: it is in DEST, the original is still there */
	       STORE_TARGET_DONE = 2,
	       STORE_TARGET_GONE = 3, /* the server has it no more */
} StoreTargetState;

typedef struct StoreTarget {
	StoreId message;
	StoreId copy; /* COPY: the new message; else 0 */
	StoreTargetState state;
	/* The location now; of COPIED that of the original.  mailbox 0: none.  uid 0: the server should
	 * have it in that mailbox under a UID that was not told yet: the mirror will meet it, or it can
	 * be searched by Message-ID (store_message_found).  After the cache was lost: the location
	 * when it was made, if that mailbox's UIDVALIDITY is still the same. */
	StoreId mailbox;
	uint32_t uid;
} StoreTarget;

/* Targets of ROW not DONE, by identity, at most LIMIT behind AFTER (0: from the first).  An array of
 * StoreTarget: g_array_unref. */
bool store_journal_targets(Store *store, StoreId row, StoreId after, uint32_t limit,
			   GArray **targets, GError **error);
/* Is a row of this message before ROW, WAITING or SENT, that must be confirmed first (a move, copy or
 * append that will give it its location)? */
bool store_journal_depends(Store *store, StoreId row, bool *depends, GError **error);
/* Does anything wait that has to do with MAILBOX: created, renamed or deleted here, not there yet? */
bool store_mailbox_is_pending(Store *store, StoreId mailbox, bool *pending, GError **error);

/* ---- replay (the engine) ---------------------------------------------------------------------- */

/* About to be sent: SENT, with what is needed to find out later whether it arrived. */
bool store_journal_sent(Store *store, StoreId row, uint32_t dest_uidvalidity, uint32_t dest_uidnext,
			GError **error);
/* It did not happen: WAITING again. */
bool store_journal_unsent(Store *store, StoreId row, GError **error);

typedef struct StoreOutcome {
	StoreId message; /* the target's */
	StoreTargetState state;
	/* DONE and COPIED of MOVE and COPY, DONE of APPEND: its UID in DEST; 0: not known, it is found by
	 * Message-ID and size when the mirror meets it.  A row the mirror has made of it already becomes
	 * one with it.  (What can be it, and is met while the row is SENT, is in no list until then.) */
	uint32_t uid;
	/* MOVE, EXPUNGE: the server cannot expunge just these: the original stays, marked \Deleted. */
	bool left;
} StoreOutcome;

/* What the server confirmed of some targets (or of the row: N 0).  When none is left to do the row is
 * CONFIRMED; if some were GONE it is FAILED with the words for that, its messages kept aside.
 * CREATE, RENAME, DELETE, (UN)SUBSCRIBE, APPEND: the folder's raw name and state follow. */
bool store_journal_done(Store *store, StoreId row, const StoreOutcome *outcomes, size_t n,
			GError **error);
/* None of its messages is left to do, and it is open all the same: the last of them went in another way
 * (expunged by somebody else, and forgotten) after others were GONE.  CONFIRMED or FAILED as above. */
bool store_journal_close(Store *store, StoreId row, GError **error);

/* FAILED, with what is left to do; the local effect stays until it is dropped. */
bool store_journal_fail(Store *store, StoreId row, int code, const char *words, GError **error);
/* The server has MESSAGE in MAILBOX under UID: found by search, or told by a code. */
bool store_message_found(Store *store, StoreId message, StoreId mailbox, uint32_t uid,
			 GError **error);
/* Where the server has it.  GONE: nowhere. */
bool store_message_location(Store *store, StoreId message, StoreId *mailbox, uint32_t *uid,
			    GError **error);

/* ---- a person's word on rows --------------------------------------------------------------------- */

/* A FAILED row is WAITING again, and so are those that failed because of it. */
bool store_journal_retry(Store *store, StoreId row, GError **error);
/* A WAITING or FAILED row goes, and its local effect with it.  USAGE for a SENT one: it may have
 * happened. */
bool store_journal_drop(Store *store, StoreId row, GError **error);

typedef struct StoreUndone {
	StoreId group; /* of the inverse rows; 0: rows that had not left were taken back */
	StoreIntentKind kind;
	StoreAction action;
	uint32_t n;
	StoreId message; /* of those that are back, the one a list shows first; 0: none came back */
	char *words; /* what was taken back, translated: "moved 3 messages to Archive"; g_free */
} StoreUndone;

/* Takes back the last action of ACCOUNT (0: of any) that was not taken back yet.  Rows WAITING or
 * FAILED are dropped, for the others inverse rows are made.  GONE: there is none.  USAGE: it cannot
 * be undone (expunged, a folder deleted), with the words; the next undo passes over it. */
bool store_undo(Store *store, StoreId account, StoreUndone *out, GError **error);

#endif
