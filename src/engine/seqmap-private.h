/* Message sequence numbers (RFC 9051, 2.3.1.2) for the part of a mailbox that is mirrored: its
 * newest UIDs without a hole, from some UID up.  Pure. */
#ifndef ENGINE_SEQMAP_PRIVATE_H
#define ENGINE_SEQMAP_PRIVATE_H

#include "imap/response.h"

typedef struct SeqMap {
	GArray *uids;	  /* of uint32_t, ascending; NULL: not loaded */
	uint32_t top_seq; /* the sequence number of the last of them */
} SeqMap;

void seqmap_clear(SeqMap *map);
bool seqmap_is_loaded(const SeqMap *map);

/* UIDS is taken (g_free'd), ascending; those below FROM_UID are left out. */
void seqmap_load(SeqMap *map, uint32_t *take_uids, size_t n, uint32_t from_uid, uint32_t top_seq);

/* 0: not of the mirrored ones. */
uint32_t seqmap_uid(const SeqMap *map, uint32_t seq);
/* EXPUNGE: the UID that had SEQ, or 0; those behind it move up. */
uint32_t seqmap_expunge(SeqMap *map, uint32_t seq);

/* VANISHED: of these UIDs (ascending), those that are in it go, and so many below all of it. */
void seqmap_remove(SeqMap *map, const uint32_t *uids, size_t n, uint32_t below);

/* What changed between two sets: SERVER's ranges (any order) against MINE (ascending).  GONE gets
 * those only here, MISSING the ranges only there; both are GArrays, of uint32_t and ImapRange. */
void seqmap_compare(const GArray *server, const uint32_t *mine, size_t n_mine, GArray *gone,
		    GArray *missing);

#endif
