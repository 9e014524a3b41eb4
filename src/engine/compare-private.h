/* Holds the UIDs that are mirrored against those that the server has, and asks for as little as tells
 * them apart.  Pure.
 *
 * Both are ascending, so a sequence number and the UID that the server has there say how many of ours
 * below it are gone.  A set of numbers spread over the mailbox (one FETCH of their UIDs) divides it
 * into parts; a part with as many on either side is taken as equal, one with none at the server is
 * gone, and the rest is divided again.  A part whose UIDs the server can list in few words (ours are in
 * few runs, and it knows ESEARCH; or it is short) is listed instead.  So what is asked grows with what
 * differs, not with the mailbox: 100 messages gone, scattered over 100,000 UIDs with holes everywhere,
 * take four round trips and 50 KB; without holes one, and 1 KB.
 *
 * Sequence numbers must not shift meanwhile: after an EXPUNGE or VANISHED throw it away and begin anew. */
#ifndef ENGINE_COMPARE_PRIVATE_H
#define ENGINE_COMPARE_PRIVATE_H

#include "imap/response.h"

typedef struct Compare Compare;

typedef struct CompareSides {
	uint32_t *uids; /* ours, ascending, all in [FROM, END); g_free'd */
	size_t n;
	uint32_t from, end; /* the part that is mirrored; 1 as FROM: all up to END */
	uint32_t exists;    /* the server's, those outside of that part too */
	bool esearch;	    /* SEARCH RETURN (ALL) gives ranges */
} CompareSides;

Compare *compare_new(const CompareSides *take_sides);
void compare_free(Compare *compare); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Compare, compare_free)

/* What to ask now, together: the UIDs at these sequence NUMBERS (of ImapUid, ascending), and which UIDs
 * there are in RANGES (of ImapRange).  False: nothing is left to ask, it is over. */
bool compare_ask(Compare *compare, const GArray **numbers, const GArray **ranges);

/* Answers; what was not asked for is passed over. */
void compare_take_number(Compare *compare, uint32_t seq, uint32_t uid);
void compare_take_found(Compare *compare, ImapRange found);

/* All answers to what was asked are in.  False: they contradict each other, or nothing came. */
bool compare_go_on(Compare *compare);

/* When it is over: ours that the server has no more (of uint32_t, ascending), and what it has there
 * that is not ours (of ImapRange). */
const GArray *compare_gone(const Compare *compare);
const GArray *compare_missing(const Compare *compare);

#endif
