/* A queue of bytes between two layers of a line: appended at the back, taken off the front.  What
 * leaves a buffer is wiped, for passwords pass through here. */
#ifndef NET_BUFFER_PRIVATE_H
#define NET_BUFFER_PRIVATE_H

#include "base/span.h"

typedef struct NetBuffer {
	char *bytes; /* allocated; what is queued is [start, end) */
	size_t start, end, allocated;
} NetBuffer;

static inline size_t
net_buffer_size(const NetBuffer *buffer)
{
	return buffer->end - buffer->start;
}

/* Borrowed until the buffer changes. */
static inline Span
net_buffer_span(const NetBuffer *buffer)
{
	return (Span){ buffer->bytes + buffer->start, buffer->bytes + buffer->end };
}

/* Room for SIZE more bytes at the back; write there, then net_buffer_filled. */
char *net_buffer_room(NetBuffer *buffer, size_t size);
void net_buffer_filled(NetBuffer *buffer, size_t size);

void net_buffer_append(NetBuffer *buffer, Span bytes);
void net_buffer_take(NetBuffer *buffer, size_t size); /* drops SIZE bytes off the front */
/* Everything in FROM goes behind what TO holds. */
void net_buffer_move(NetBuffer *to, NetBuffer *from);
void net_buffer_clear(NetBuffer *buffer);

#endif
