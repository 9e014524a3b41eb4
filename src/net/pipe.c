#include "pipe-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <errno.h>
#include <sys/socket.h>

#define READ_BYTES	(16 * 1024) /* one TLS record */
#define WIRE_HIGH_BYTES (64 * 1024) /* encrypted ahead of what the kernel takes */

void
net_pipe_clear(NetPipe *pipe)
{
	net_tls_free(pipe->tls);
	net_deflate_free(pipe->deflate);
	net_buffer_clear(&pipe->packed);
	net_buffer_clear(&pipe->in);
	net_buffer_clear(&pipe->out);
	net_buffer_clear(&pipe->packing);
	net_buffer_clear(&pipe->wire);
	*pipe = (NetPipe){ .fd = -1 };
}

GError *
net_pipe_break(const NetPipe *pipe, int number)
{
	if (number == ETIMEDOUT) {
		return g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				   _("%s does not answer any more"), pipe->host->shown);
	}
	return g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE, _("the line to %s broke (%s)"),
			   pipe->host->shown, g_strerror(number));
}

/* The socket came to its end, without TLS's. */
static void
explain_end(const NetPipe *pipe, GError **error)
{
	const char *format = _("%s closed the line");

	if (pipe->tls && pipe->is_secret)
		format = _("%s cut the line off without ending TLS in order");
	else if (pipe->tls)
		format = _("%s closed the line while TLS was being set up");
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE, format, pipe->host->shown);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* At most SIZE bytes off the socket. */
static NetStep
receive(NetPipe *pipe, char *bytes, size_t size, size_t *made, GError **error)
{
	ssize_t got;

	*made = 0;
	do {
		got = recv(pipe->fd, bytes, size, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		*made = (size_t)got;
		pipe->counts.wire_in += *made;
		pipe->budget -= MIN(pipe->budget, *made);
		return NET_STEP_DONE;
	}
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NET_STEP_MORE;
	if (got < 0)
		g_propagate_error(error, net_pipe_break(pipe, errno));
	else
		explain_end(pipe, error);
	return NET_STEP_CLOSED;
}

/* DONE: TLS has more to work on.  MORE also when the budget is spent. */
static NetStep
feed_tls(NetPipe *pipe, GError **error)
{
	char bytes[READ_BYTES];
	size_t made;
	NetStep step;

	if (!pipe->budget)
		return NET_STEP_MORE;
	step = receive(pipe, bytes, sizeof bytes, &made, error);
	if (step == NET_STEP_DONE)
		net_tls_feed(pipe->tls, span_of(bytes, made));
	return step;
}

NetStep
net_pipe_shake_hands(NetPipe *pipe, GError **error)
{
	NetStep step;
	NetStep fed = NET_STEP_DONE;

	do {
		step = net_tls_handshake(pipe->tls, error);
		net_tls_wire(pipe->tls, &pipe->wire);
		if (step == NET_STEP_MORE)
			fed = feed_tls(pipe, error);
	} while (step == NET_STEP_MORE && fed == NET_STEP_DONE);
	pipe->is_secret = step == NET_STEP_DONE;
	return step == NET_STEP_MORE ? fed : step;
}

/* Bytes as the server meant them, before inflating, behind BUFFER. */
static NetStep
read_plain(NetPipe *pipe, NetBuffer *buffer, GError **error)
{
	char *room = net_buffer_room(buffer, READ_BYTES);
	size_t made;
	NetStep step;
	NetStep fed = NET_STEP_DONE;

	if (!pipe->tls) {
		step = receive(pipe, room, READ_BYTES, &made, error);
		net_buffer_filled(buffer, made);
		return step;
	}
	do {
		step = net_tls_read(pipe->tls, room, READ_BYTES, &made, error);
		/* A key update wants an answer. */
		net_tls_wire(pipe->tls, &pipe->wire);
		if (step == NET_STEP_MORE)
			fed = feed_tls(pipe, error);
	} while (step == NET_STEP_MORE && fed == NET_STEP_DONE);
	net_buffer_filled(buffer, made);
	if (step == NET_STEP_CLOSED) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE, _("%s closed the line"),
			    pipe->host->shown);
	}
	return step == NET_STEP_MORE ? fed : step;
}

NetStep
net_pipe_fill(NetPipe *pipe, GError **error)
{
	size_t before = net_buffer_size(&pipe->in);
	size_t made;
	NetStep step;

	if (!pipe->inflates) {
		step = read_plain(pipe, &pipe->in, error);
	} else {
		/* Blocks of deflate may hold nothing at all; the budget ends such a row. */
		do {
			if (!net_deflate_unpack(pipe->deflate, &pipe->packed, &pipe->in, READ_BYTES,
						&made, error))
				return NET_STEP_FAILED;
			step = made ? NET_STEP_DONE : read_plain(pipe, &pipe->packed, error);
		} while (!made && step == NET_STEP_DONE && pipe->budget);
	}
	made = net_buffer_size(&pipe->in) - before;
	pipe->counts.plain_in += made;
	pipe->budget -= MIN(pipe->budget, made);
	return step;
}

bool
net_pipe_has_early_bytes(NetPipe *pipe)
{
	char byte;

	return net_buffer_size(&pipe->in) || recv(pipe->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
net_pipe_begin_inflate(NetPipe *pipe)
{
	pipe->inflates = true;
	pipe->counts.plain_in -= net_buffer_size(&pipe->in);
	net_buffer_move(&pipe->packed, &pipe->in);
}

/* ---- out --------------------------------------------------------------------------------- */

/* Moves some of what is written to wire.  DONE: there was none. */
static NetStep
encode_some(NetPipe *pipe, GError **error)
{
	Span some;

	if (!net_buffer_size(&pipe->packing)) {
		some = net_buffer_span(&pipe->out);
		if (span_is_empty(some))
			return NET_STEP_DONE;
		if (pipe->deflate) {
			some.end = some.at + MIN(span_size(some), (size_t)READ_BYTES);
			net_deflate_pack(pipe->deflate, some,
					 span_size(some) == net_buffer_size(&pipe->out),
					 &pipe->packing);
			net_buffer_take(&pipe->out, span_size(some));
		} else {
			net_buffer_move(&pipe->packing, &pipe->out);
		}
	}
	if (!pipe->tls) {
		net_buffer_move(&pipe->wire, &pipe->packing);
		return NET_STEP_MORE;
	}
	some = net_buffer_span(&pipe->packing);
	some.end = some.at + MIN(span_size(some), (size_t)READ_BYTES);
	if (!net_tls_write(pipe->tls, some, error))
		return NET_STEP_FAILED;
	net_buffer_take(&pipe->packing, span_size(some));
	net_tls_wire(pipe->tls, &pipe->wire);
	return NET_STEP_MORE;
}

/* DONE: wire is empty. */
static NetStep
send_wire(NetPipe *pipe)
{
	Span wire = net_buffer_span(&pipe->wire);
	ssize_t sent;

	if (span_is_empty(wire))
		return NET_STEP_DONE;
	do {
		sent = send(pipe->fd, wire.at, span_size(wire), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NET_STEP_MORE;
	if (sent < 0) {
		pipe->is_broken = true;
		net_buffer_clear(&pipe->out);
		net_buffer_clear(&pipe->packing);
		net_buffer_clear(&pipe->wire);
		return NET_STEP_FAILED;
	}
	pipe->counts.wire_out += (size_t)sent;
	net_buffer_take(&pipe->wire, (size_t)sent);
	return net_buffer_size(&pipe->wire) ? NET_STEP_MORE : NET_STEP_DONE;
}

NetStep
net_pipe_send(NetPipe *pipe, size_t turn_bytes, bool encodes, GError **error)
{
	uint64_t end = pipe->counts.wire_out + turn_bytes;
	NetStep step;

	if (pipe->is_broken)
		return NET_STEP_FAILED;
	for (;;) {
		step = encodes ? NET_STEP_MORE : NET_STEP_DONE;
		while (step == NET_STEP_MORE && net_buffer_size(&pipe->wire) < WIRE_HIGH_BYTES)
			step = encode_some(pipe, error);
		if (step == NET_STEP_FAILED)
			return step;
		if (!net_buffer_size(&pipe->wire))
			return NET_STEP_DONE;
		step = send_wire(pipe);
		if (step != NET_STEP_DONE)
			return step;
		if (pipe->counts.wire_out >= end)
			return encodes && net_pipe_queued(pipe) ? NET_STEP_MORE : NET_STEP_DONE;
	}
}

void
net_pipe_end(NetPipe *pipe)
{
	if (!pipe->tls) {
		/* After a fault nothing more leaves in clear. */
		net_buffer_clear(&pipe->wire);
		return;
	}
	net_tls_close(pipe->tls);
	net_tls_wire(pipe->tls, &pipe->wire);
	if (!pipe->is_broken)
		send_wire(pipe);
}
