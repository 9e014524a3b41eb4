/* Where messages stand, and where the server has them (store/journal.h: place and location).
 *
 * messages.epoch is the place, messages.uid the UID there: NULL when the server has it elsewhere or
 * nowhere.  Mailbox 0, whose epoch is 0, lists what stands nowhere, so that flags have a record there as
 * well.  uids has a row for all that the server has.  hidden has one for each of those whose message
 * stands elsewhere; of these a leftover is the original of a half done move: not the location, but
 * still to be expunged.  A message with neither a UID at its place nor a hidden row has no location.
 * lost: messages without one that the server has, or will have, in that epoch, under a UID that
 * nobody has told. */
#ifndef STORE_PLACE_PRIVATE_H
#define STORE_PLACE_PRIVATE_H

#include "order-private.h"

/* A mailbox's head, and edits of its order that are not carried out yet. */
typedef struct Sheet {
	StoreHead head;
	uint32_t total, unread; /* when it was taken up */
	GArray *edits;		/* of OrderEdit */
	bool touched;
} Sheet;

/* The heads that one change has in hand: each is read once and saved at the end, so that two parts of
 * the change cannot overwrite each other's counts. */
typedef struct Desk {
	Store *store;
	GPtrArray *sheets; /* of Sheet, owned */
} Desk;

void desk_init(Desk *desk, Store *store);
void desk_clear(Desk *desk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

/* Borrowed from the desk; NULL with an error, GONE when there is none. */
Sheet *desk_mailbox(Desk *desk, StoreId mailbox, GError **error);
Sheet *desk_epoch(Desk *desk, int64_t epoch, GError **error);
/* *SHEET NULL: the mailbox has been deleted. */
bool desk_find(Desk *desk, StoreId mailbox, Sheet **sheet, GError **error);
void desk_edit(Sheet *sheet, OrderKind kind, OrderRecord record);
/* Carries the edits out, and saves what was touched. */
bool desk_apply(Desk *desk, GError **error);
/* ... and lets the server's counts follow what changed in the local view. */
bool desk_apply_adjusted(Desk *desk, GError **error);

typedef struct Place {
	StoreId id;
	int64_t epoch, date;
	uint32_t uid; /* 0: the server does not have it there */
} Place;

/* *FOUND: there is such a message. */
bool place_find(Store *store, StoreId id, Place *place, bool *found, GError **error);
/* The location of a message that stands at PLACE: *EPOCH 0: none. */
bool place_location(Store *store, const Place *place, int64_t *epoch, uint32_t *uid,
		    GError **error);
/* Is UID in EPOCH a leftover of ID?  *UID becomes 0: no. */
bool place_leftover(Store *store, StoreId id, int64_t epoch, uint32_t *uid, GError **error);
bool place_set(Store *store, StoreId id, int64_t epoch, uint32_t uid, GError **error);

/* A message that a change means. */
typedef struct Meant {
	StoreId id;
	int64_t date;
	uint32_t uid; /* where it stands; 0: none */
	uint16_t flags;
	uint8_t changed; /* TargetChanged */
	bool live;	 /* there is something to be sent */
	StoreId copy;
	StoreId because; /* the failed row without which nothing can be done with it */
	/* the location when it was meant */
	StoreId at_mailbox;
	uint32_t at_uidvalidity, at_uid;
} Meant;

/* Takes the records of MEANT out of SHEET, and fills in their flags. */
bool place_take_out(Desk *desk, Sheet *sheet, GArray *meant, GError **error);
/* MEANT stand in FROM; then they stand in TO.  Their flags are filled in. */
bool place_move(Desk *desk, Sheet *from, Sheet *to, GArray *meant, GError **error);
/* New identities for MEANT of FROM, which stand in TO; meant[].copy tells them. */
bool place_copy(Desk *desk, Sheet *from, Sheet *to, GArray *meant, GError **error);

typedef struct Located {
	StoreId id;
	uint32_t uid;
} Located;
/* The server has them in THERE: their location, whatever it was before. */
bool place_locate(Desk *desk, Sheet *there, const Located *located, size_t n, GError **error);
/* They have no location any more; where they stand is as it was. */
bool place_unlocate(Desk *desk, StoreId id, GError **error);
/* The UID in SHEET is not the server's any more.  It was hidden. */
bool place_unhide(Desk *desk, Sheet *sheet, uint32_t uid, GError **error);
/* The location, which is UID in SHEET, becomes a leftover. */
bool place_leave(Desk *desk, const Place *place, Sheet *sheet, uint32_t uid, GError **error);
/* The leftover UID in SHEET becomes a message of its own, a copy of ID, with FLAGS added. */
bool place_revive(Desk *desk, Sheet *sheet, StoreId id, uint32_t uid, uint16_t flags,
		  GError **error);
/* Forgets a message: its row, UIDs, parts, and what the journal has of it. */
bool place_delete(Desk *desk, StoreId id, GError **error);

bool uid_delete(Store *store, int64_t epoch, uint32_t uid, GError **error);
bool uid_hide(Sheet *sheet, Store *store, uint32_t uid, StoreId id, bool leftover, GError **error);
/* Is UID hidden in EPOCH; *LEFTOVER (may be NULL). */
bool uid_is_hidden(Store *store, int64_t epoch, uint32_t uid, bool *hidden, bool *leftover,
		   GError **error);

/* A new identity, or an error when there are none left. */
bool store_next_identity(Store *store, StoreId *id, GError **error);

/* ---- lost.c: messages whose UID nobody told ---------------------------------------------------- */

bool lost_any(Store *store, int64_t epoch, bool *any, GError **error);
/* ID will turn up in EPOCH, at FROM_UID or above; 0: it may be there or not.  STRICT: only with the very same INTERNALDATE.
 * SIZED: its size is known. */
bool lost_add(Store *store, StoreId id, int64_t epoch, uint32_t from_uid, bool strict, bool sized,
	      GError **error);
/* Which of them MESSAGE is; *ID 0: none. */
bool lost_find(Store *store, int64_t epoch, const StoreMessage *message, StoreId *id,
	       GError **error);
/* The epoch in which ID will turn up; 0: it is not lost.  *UID (may be NULL): as what, 0: not known. */
bool lost_where(Store *store, StoreId id, int64_t *epoch, uint32_t *uid, GError **error);
bool lost_delete(Store *store, StoreId id, GError **error);
/* All UIDs of SHEET from KNOWN_FROM up to UIDNEXT are mirrored: who should have turned up among them and
 * did not is gone. */
bool lost_give_up(Desk *desk, Sheet *sheet, uint32_t known_from, uint32_t uidnext, GError **error);

/* ---- expect.c: messages met before the server told that they are ours ---------------------------- */

/* What SENT rows are to put into a mailbox, and was not met there yet. */
typedef struct Expected Expected;
void expect_free(Expected *expected);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expected, expect_free)

/* Shows what was met in DEST and no SENT row may mean any more.  *LEFT (may be NULL): what is still to
 * be met, yours to free. */
bool expect_settle(Desk *desk, Sheet *dest, Expected **left, GError **error);
/* Is MESSAGE one of EXPECTED?  Then that one is taken. */
bool expect_take(Expected *expected, const StoreMessage *message);
/* Was ID met, and is not known yet to be ours or another? */
bool expect_is(Store *store, StoreId id, bool *is, GError **error);

#endif
