/* What the requests of a person share. */
#ifndef ENGINE_INTENT_PRIVATE_H
#define ENGINE_INTENT_PRIVATE_H

#include "replay-private.h"

typedef enum {
	WISH_INTEND,
	WISH_APPEND,
	WISH_UNDO,
	WISH_RETRY,
	WISH_DROP,
} WishKind;

/* A request for a change, on its way to the engine. */
typedef struct Wish {
	WishKind kind;
	EngineUntil until;
	StoreIntent intent; /* borrows from what follows */
	StoreId *messages;
	uint32_t *uid_ranges;
	char *keyword, *name, *raw;
	char *account; /* undo; NULL: any */
	StoreId row;   /* retry, drop */

	/* append */
	GBytes *content;
	uint16_t flags;
	char *keywords;
	int64_t date;
	RecordBatch *batch;
	StoreMessage message;
} Wish;

Wish *wish_new(WishKind kind, EngineUntil until);
EngineRequest wish_send(Engine *engine, Wish *take_wish);
/* Points the intent at what the wish owns. */
void wish_tie(Wish *wish);
/* Into the store; who waits is told, now or later. */
void wish_intend(Engine *engine, EngineRequest request, Wish *wish);
/* The intent's message, out of its bytes. */
void wish_read_message(Wish *wish);

#endif
