/* The host as configured, in the three forms a line needs.  Pure. */
#ifndef NET_HOST_PRIVATE_H
#define NET_HOST_PRIVATE_H

#include <gio/gio.h>
#include <stdbool.h>

typedef struct NetHost {
	char *shown;  /* as configured, for sentences */
	char *lookup; /* A-labels or an address, for the resolver */
	char *name; /* A-labels without a last dot, for SNI and the certificate; NULL: an address */
	char *address; /* for the certificate's IP addresses, without a zone; NULL: a name */
	bool is_local; /* a loopback address, or a "localhost" name (RFC 6761, section 6.3) */
} NetHost;

/* CONFIG when TEXT can be no host.  What is made is freed by net_host_clear. */
bool net_host_parse(NetHost *host, const char *text, GError **error);
void net_host_clear(NetHost *host);

/* True when the other end of SOCKET is a loopback address. */
bool net_host_is_loopback(GSocket *socket);

#endif
