/* From a host's name to a connected socket, without blocking: every address is tried (RFC 8305, by
 * GSocketClient), no proxy, no TLS of GIO's. */
#ifndef NET_CONNECT_PRIVATE_H
#define NET_CONNECT_PRIVATE_H

#include "host-private.h"

#include <stdint.h>

/* DONE is called once, from the calling thread's context, also after CANCELLABLE was cancelled. */
void net_connect_start(const NetHost *host, uint16_t port, GCancellable *cancellable,
		       GAsyncReadyCallback done, void *data);

/* In DONE.  The socket is non-blocking and notices a dead line by itself in about a minute.  NULL
 * with ERROR: OFFLINE, in our words. */
GSocketConnection *net_connect_finish(const NetHost *host, uint16_t port, GObject *source,
				      GAsyncResult *result, GError **error);

/* "127.0.0.1:993", "[::1]:993"; yours to g_free. */
char *net_connect_peer(GSocket *socket);

#endif
