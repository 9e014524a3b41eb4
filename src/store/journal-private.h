/* The journal's rows.
 *
 * A row of "journal" is one intent; its "targets" are the messages it means, one row each, in the order
 * of their identities.  A target that has been done with, or that a later intent swallowed, is DONE:
 * it stays as long as its row, for undo.  A row is open (state below 4) while a target is not DONE, or,
 * of those without targets, until it is confirmed. */
#ifndef STORE_JOURNAL_PRIVATE_H
#define STORE_JOURNAL_PRIVATE_H

#include "place-private.h"
#include "store/journal.h"

/* Of FLAG.  The first is for undo: what the person saw change.  The second for dropping: the server's
 * flags, with the rows before this one, differ from what it wants. */
typedef enum {
	TARGET_CHANGED = 1,
	TARGET_DIFFERS = 2,
} TargetChanged;

typedef struct Target {
	StoreId row, id, copy;
	StoreId mailbox; /* the location when it was made or sent */
	uint32_t uidvalidity, uid;
	uint8_t changed;
	StoreTargetState state;
} Target;

/* An open row that means some message, as far as merging needs it. */
typedef struct Claim {
	StoreId row;
	StoreIntentKind kind;
	StoreRowState state;
	StoreId mailbox, dest;
	uint16_t flag;
	char *keyword; /* owned; NULL: none */
	bool value;
	uint8_t changed;
	StoreTargetState target;
	bool by_copy;	 /* the message is the row's copy */
	StoreId copy;	 /* ... or the row is to make this copy of it */
	StoreId because; /* the failed row that made this one fail; 0: none */
	StoreId source;	 /* what the row means: the message, or what it is a copy of */
} Claim;

/* ---- journal-rows.c ------------------------------------------------------------------------------------ */

static inline bool
kind_moves(StoreIntentKind kind)
{
	return kind == STORE_INTENT_MOVE || kind == STORE_INTENT_EXPUNGE;
}

/* Is any row open at all? */
bool journal_any(Store *store, bool *any, GError **error);
/* The open rows that mean ID and are not done with it, by row; of Claim, owned. */
bool journal_claims(Store *store, StoreId id, GPtrArray **claims, GError **error);
/* The mailbox in which the open rows want ID to stand (0: nowhere); OTHERWISE when none says. */
bool journal_wanted(Store *store, StoreId id, StoreId otherwise, StoreId *mailbox, GError **error);
/* The open row (FAILED: of those that failed, the one that is to blame) that is to give ID its first
 * location, by copying or appending; *MAKER 0: none. */
bool journal_maker(Store *store, StoreId id, bool failed, StoreId *maker, GError **error);
bool journal_set_state(Store *store, StoreId row, StoreRowState state, GError **error);
/* Counts what is left of ROW; one that has nothing left is CONFIRMED. */
bool journal_count(Store *store, StoreId row, GError **error);

bool target_find(Store *store, StoreId row, StoreId id, Target *target, bool *found,
		 GError **error);
bool target_set(Store *store, StoreId row, StoreId id, StoreTargetState state, uint8_t changed,
		GError **error);
/* The message is no more: nothing is to be done with it.  COPIES (of StoreId) tells what was to be copied
 * from it, SOURCES what it was to be a copy of; without, rows that are to copy it
 * or have moved it half are left as they are. */
bool targets_forget(Store *store, StoreId id, GArray *copies, GArray *sources, GError **error);
/* What is to be done with OTHER is to be done with ID, once.  COPIES (of StoreId) tells those that are not
 * made, because another is. */
bool targets_unite(Store *store, StoreId id, StoreId other, GArray *copies, GError **error);
/* Messages of ROW that nothing holds any more go. */
bool journal_release_strays(Desk *desk, StoreId row, GError **error);
/* All targets of ROW that are not DONE (ALL: every one); of Target. */
bool targets_of(Store *store, StoreId row, bool all, GArray **targets, GError **error);

/* FLAG: every target is DONE. */
bool journal_finish_targets(Store *store, StoreId row, GError **error);
/* How many of the row's targets are GONE. */
bool journal_gone(Store *store, StoreId row, uint32_t *gone, GError **error);
/* FAILED; BECAUSE: the row whose failing made this one fail, or 0. */
bool journal_set_failed(Store *store, StoreId row, int code, const char *words, StoreId because,
			GError **error);
/* TARGETS (of Target) of ROW become a row of their own, behind all others. */
bool journal_split(Store *store, StoreId row, const GArray *targets, StoreId *split,
		   GError **error);
bool journal_delete(Store *store, StoreId row, GError **error);
/* A row without targets. */
bool journal_row_add(Store *store, const StoreIntent *intent, StoreId account, StoreRowState state,
		     StoreId *row, GError **error);

/* What was kept for undo and is too old for it goes. */
bool journal_prune(Store *store, GError **error);
/* Runs a statement whose parameters, at most four, are numbers. */
bool journal_run(Store *store, Sql sql, int64_t a, int64_t b, int64_t c, int64_t d, GError **error);

/* ---- journal.c ------------------------------------------------------------------------------------ */

/* Inside a transaction. */
bool journal_intend(Store *store, const StoreIntent *intent, StoreIntended *out, GError **error);

/* ---- journal-merge.c ------------------------------------------------------------------------------ */

/* Looks at what waits for MEANT and is of the same sort as INTENT; sets meant[].live, and takes out of the
 * older rows what the new one makes pointless.  After the effect. */
bool journal_merge(Store *store, const StoreIntent *intent, const StoreHead *from,
		   const StoreHead *to, GArray *meant, GError **error);
/* ROW is WAITING again, or failed: its messages that a later row means leave it. */
bool journal_yield(Desk *desk, const StoreJournalRow *row, GError **error);

/* ---- journal-drop.c ------------------------------------------------------------------------------- */

/* Takes the row's local effect back and deletes it. */
bool journal_drop(Store *store, const StoreJournalRow *row, GError **error);
/* A message that nothing waits for and that the server does not have goes. */
bool journal_release(Desk *desk, StoreId id, GError **error);
/* The message stands nowhere from now on, and is kept. */
bool journal_aside(Desk *desk, const Place *place, GError **error);

/* ---- journal-folder.c ----------------------------------------------------------------------------- */

bool journal_intend_folder(Store *store, const StoreIntent *intent, StoreIntended *out,
			   GError **error);
bool journal_folder_done(Store *store, const StoreJournalRow *row, GError **error);
bool journal_folder_drop(Store *store, const StoreJournalRow *row, GError **error);

/* ---- journal-mailbox.c ---------------------------------------------------------------------------- */

/* Does a row that is open mean messages in, from or to MAILBOX? */
bool journal_is_busy(Store *store, StoreId mailbox, bool *busy, GError **error);
/* The mailbox and what stands in it go; messages that something waits for are kept, nowhere. */
bool journal_mailbox_delete(Store *store, StoreId mailbox, GError **error);
/* OTHER is MAILBOX under its new name, met by LIST. */
bool journal_mailbox_absorb(Store *store, StoreId mailbox, StoreId other, GError **error);
/* The epoch of MAILBOX changes to EPOCH: what must outlive that goes over, as lost. */
bool journal_mailbox_reset(Store *store, StoreId mailbox, int64_t epoch, GError **error);

/* ---- journal-flags.c ------------------------------------------------------------------------------ */

/* What the server says of a message's flags, with what waits for it on top. */
typedef struct Overlay {
	uint16_t flags;
	char *keywords; /* owned; NULL: as they came */
} Overlay;
bool journal_overlay(Store *store, StoreId id, uint16_t flags, Span keywords, Overlay *out,
		     GError **error);
/* KEYWORDS with KEYWORD (compared without case) or without; yours to g_free. */
char *keywords_with(Span keywords, const char *keyword, bool set);
bool keywords_has(Span keywords, const char *keyword);
/* ---- messages.c ----------------------------------------------------------------------------------- */

/* A new message without a UID, which stands in SHEET. */
bool store_message_add_placed(Store *store, Sheet *sheet, StoreId id, const StoreMessage *message,
			      GError **error);
/* A message that is here already. */
typedef struct Known {
	StoreId id; /* 0: it is not */
	int64_t date;
	uint64_t modseq;
} Known;
bool uid_find(Store *store, int64_t epoch, uint32_t uid, Known *known, GError **error);
bool uid_write(Store *store, Sql sql, int64_t epoch, uint32_t uid, const Known *known,
	       GError **error);

static inline uint16_t
flags_with_keywords(uint16_t flags, Span keywords)
{
	return span_is_empty(keywords) ? (uint16_t)(flags & ~STORE_FLAG_KEYWORDS)
				       : (uint16_t)(flags | STORE_FLAG_KEYWORDS);
}

/* ---- changes.c ------------------------------------------------------------------------------------ */

/* The server has UID in SHEET no more, which is ID's.  ANY_OPEN: the journal may mean it. */
bool store_uid_gone(Desk *desk, Sheet *sheet, uint32_t uid, StoreId id, int64_t date, bool any_open,
		    GError **error);
/* Sets the keywords of the row; *DIFFERED is set when they were others.  */
bool store_keywords_set(Store *store, StoreId message, Span keywords, bool *differed,
			GError **error);
bool store_keywords_get(Store *store, StoreId message, char **keywords, GError **error);
/* The flag or keyword of MEANT in SHEET; sets meant[].changed. */
bool journal_flag(Desk *desk, Sheet *sheet, uint16_t flag, const char *keyword, bool set,
		  GArray *meant, GError **error);

#endif
