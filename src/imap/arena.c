#include "arena-private.h"

struct ImapArenaBlock {
	ImapArenaBlock *next;
	size_t size;
	char bytes[] __attribute__((aligned(16)));
};

#define FIRST_BLOCK_BYTES ((size_t)32 << 10)
/* More than this is not kept for the next response. */
#define KEEP_BYTES ((size_t)1 << 20)

static void
add_block(ImapArena *arena, size_t size)
{
	ImapArenaBlock *block = g_malloc(sizeof(ImapArenaBlock) + size);

	block->next = arena->block;
	block->size = size;
	arena->block = block;
	arena->at = block->bytes;
	arena->end = block->bytes + size;
}

void
imap_arena_init(ImapArena *arena)
{
	arena->block = NULL;
	add_block(arena, FIRST_BLOCK_BYTES);
}

void
imap_arena_clear(ImapArena *arena)
{
	while (arena->block) {
		ImapArenaBlock *next = arena->block->next;

		g_free(arena->block);
		arena->block = next;
	}
}

void
imap_arena_reset(ImapArena *arena)
{
	size_t total = 0;

	if (arena->block->next || arena->block->size > KEEP_BYTES) {
		for (ImapArenaBlock *block = arena->block; block; block = block->next)
			total += block->size;
		imap_arena_clear(arena);
		add_block(arena, total > KEEP_BYTES ? FIRST_BLOCK_BYTES : total);
	}
	arena->at = arena->block->bytes;
}

void *
imap_arena_take(ImapArena *arena, size_t size)
{
	void *taken;

	size = (size + 15) & ~(size_t)15;
	if ((size_t)(arena->end - arena->at) < size)
		add_block(arena, MAX(size, arena->block->size * 2));
	taken = arena->at;
	arena->at += size;
	return taken;
}

bool
imap_arena_holds(const ImapArena *arena, Span span)
{
	for (const ImapArenaBlock *block = arena->block; block; block = block->next) {
		if (span.at >= block->bytes && span.end <= block->bytes + block->size)
			return true;
	}
	return false;
}
