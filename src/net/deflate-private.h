/* Raw deflate both ways over one line (RFC 4978, RFC 1951).  No socket, no callbacks. */
#ifndef NET_DEFLATE_PRIVATE_H
#define NET_DEFLATE_PRIVATE_H

#include "buffer-private.h"

typedef struct NetDeflate NetDeflate;

/* NULL with ERROR when zlib cannot start. */
NetDeflate *net_deflate_new(GError **error);
void net_deflate_free(NetDeflate *codec); /* NULL is fine */

/* Compresses BYTES behind OUT.  FLUSH: so that the other side can read all of them at once. */
void net_deflate_pack(NetDeflate *codec, Span bytes, bool flush, NetBuffer *out);

/* Inflates from the front of IN behind OUT, at most MAX_BYTES.  *MADE is how many came: 0 when more input
 * is needed.  False with ERROR (PROTOCOL): broken data, data behind the end of the deflate stream,
 * or a bomb: more than 1 MiB + 1000 times what came in. */
bool net_deflate_unpack(NetDeflate *codec, NetBuffer *in, NetBuffer *out, size_t max_bytes,
			size_t *made, GError **error);

#endif
