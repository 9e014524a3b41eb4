/* Memory for one response: taken piece by piece, given back all at once.  What a response needed
 * stays for the next, so that a steady stream of them costs no malloc.  One thread at a time. */
#ifndef IMAP_ARENA_PRIVATE_H
#define IMAP_ARENA_PRIVATE_H

#include "base/span.h"

typedef struct ImapArenaBlock ImapArenaBlock;

typedef struct ImapArena {
	ImapArenaBlock *block; /* being filled; older ones hang behind it */
	char *at, *end;
} ImapArena;

void imap_arena_init(ImapArena *arena);
void imap_arena_clear(ImapArena *arena);
/* Everything taken is gone. */
void imap_arena_reset(ImapArena *arena);
/* SIZE bytes, aligned for any of our types; not zeroed.  Never NULL, also for 0. */
void *imap_arena_take(ImapArena *arena, size_t size);
/* True when SPAN lies in memory of ARENA: for the fuzzer. */
bool imap_arena_holds(const ImapArena *arena, Span span);

#endif
