#include "buffer-private.h"

/* An empty buffer larger than this gives its memory back. */
#define KEEP_BYTES (256 * 1024)

char *
net_buffer_room(NetBuffer *buffer, size_t size)
{
	size_t queued = net_buffer_size(buffer);
	size_t wanted;
	char *grown;

	if (buffer->allocated - buffer->end >= size)
		return buffer->bytes + buffer->end;
	/* Moving down costs no more than what was taken off since the last time. */
	if (buffer->start >= queued && buffer->allocated - queued >= size) {
		memmove(buffer->bytes, buffer->bytes + buffer->start, queued);
	} else {
		wanted = MAX(queued + size, buffer->allocated * 2);
		grown = g_malloc(wanted);
		if (queued)
			memcpy(grown, buffer->bytes + buffer->start, queued);
		if (buffer->bytes)
			explicit_bzero(buffer->bytes, buffer->end);
		g_free(buffer->bytes);
		buffer->bytes = grown;
		buffer->allocated = wanted;
	}
	buffer->start = 0;
	buffer->end = queued;
	return buffer->bytes + buffer->end;
}

void
net_buffer_filled(NetBuffer *buffer, size_t size)
{
	g_assert(size <= buffer->allocated - buffer->end);
	buffer->end += size;
}

void
net_buffer_append(NetBuffer *buffer, Span bytes)
{
	if (span_is_empty(bytes))
		return;
	memcpy(net_buffer_room(buffer, span_size(bytes)), bytes.at, span_size(bytes));
	buffer->end += span_size(bytes);
}

void
net_buffer_take(NetBuffer *buffer, size_t size)
{
	g_assert(size <= net_buffer_size(buffer));
	if (!size)
		return;
	explicit_bzero(buffer->bytes + buffer->start, size);
	buffer->start += size;
	if (buffer->start < buffer->end)
		return;
	buffer->start = buffer->end = 0;
	if (buffer->allocated > KEEP_BYTES)
		net_buffer_clear(buffer);
}

void
net_buffer_move(NetBuffer *to, NetBuffer *from)
{
	NetBuffer empty = { 0 };

	if (!net_buffer_size(to)) {
		net_buffer_clear(to);
		*to = *from;
		*from = empty;
		return;
	}
	net_buffer_append(to, net_buffer_span(from));
	net_buffer_take(from, net_buffer_size(from));
}

void
net_buffer_clear(NetBuffer *buffer)
{
	if (buffer->bytes)
		explicit_bzero(buffer->bytes, buffer->end);
	g_free(buffer->bytes);
	*buffer = (NetBuffer){ 0 };
}
