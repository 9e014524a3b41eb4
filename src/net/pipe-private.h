/* The bytes of one connected line, both ways, without callbacks:
 *
 *	in:	socket -> tls -> packed -> deflate -> in
 *	out:	out -> deflate -> packing -> tls -> wire -> socket
 *
 * Reading is pulled from the right: nothing is received that nobody wants.  Never blocks. */
#ifndef NET_PIPE_PRIVATE_H
#define NET_PIPE_PRIVATE_H

#include "deflate-private.h"
#include "net/stream.h"
#include "tls-private.h"

typedef struct NetPipe {
	const NetHost *host; /* borrowed, for sentences */
	int fd;		     /* borrowed; -1: not connected */
	NetTlsLine *tls;     /* owned; NULL: in clear */
	bool is_secret;	     /* the handshake is over */
	NetDeflate *deflate; /* owned; NULL: none.  Out is deflated from when it is set... */
	bool inflates;	     /* ...and in from here on */
	bool is_broken;	     /* the socket takes no more; what came before can still be read */
	NetBuffer packed, in;
	NetBuffer out, packing, wire;
	NetCounts counts;
	size_t budget; /* how much may still be read; the caller sets it for each turn */
} NetPipe;

void net_pipe_clear(NetPipe *pipe);

/* All answer CLOSED and FAILED with ERROR set: OFFLINE for a line that ended or broke. */
NetStep net_pipe_shake_hands(NetPipe *pipe, GError **error);
/* DONE: something came, perhaps behind in; MORE: nothing for now, or the budget is spent. */
NetStep net_pipe_fill(NetPipe *pipe, GError **error);
/* At most about TURN_BYTES.  ENCODES false: only what is in wire.  DONE: nothing is left; MORE: the kernel
 * takes no more for now, or enough was sent.  FAILED without ERROR: the socket broke; is_broken. */
NetStep net_pipe_send(NetPipe *pipe, size_t turn_bytes, bool encodes, GError **error);

/* True when bytes are here, or in the kernel, that came before we began TLS. */
bool net_pipe_has_early_bytes(NetPipe *pipe);
/* What is in in was deflated already. */
void net_pipe_begin_inflate(NetPipe *pipe);
/* A last word of TLS, as far as the kernel takes it; in clear nothing is sent. */
void net_pipe_end(NetPipe *pipe);

static inline size_t
net_pipe_queued(const NetPipe *pipe)
{
	return net_buffer_size(&pipe->out) + net_buffer_size(&pipe->packing) +
	       net_buffer_size(&pipe->wire);
}

/* Yours: the line broke, by errno's NUMBER. */
GError *net_pipe_break(const NetPipe *pipe, int number);

#endif
