/* A TLS client without a socket, on OpenSSL 3's memory BIOs: wire bytes in and out, plain bytes in
 * and out.  TLS 1.2 at least, never renegotiation, never resumption.  The peer is verified in the
 * handshake (RFC 9525): chain, dates, serverAuth, and the host by subjectAltName alone. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include "buffer-private.h"
#include "certificate-private.h"

typedef struct NetTlsLine NetTlsLine;

typedef enum {
	NET_STEP_DONE,	 /* the handshake is over; bytes were read */
	NET_STEP_MORE,	 /* more wire bytes are needed */
	NET_STEP_CLOSED, /* the server closed TLS in order */
	NET_STEP_FAILED, /* ERROR is set, mostly TRUST */
} NetStep;

/* HOST is borrowed while the line lives.  CONFIG when a file cannot be used. */
NetTlsLine *net_tls_new(const NetHost *host, const char *ca_file, const char *client_cert,
			GError **error);
void net_tls_free(NetTlsLine *tls); /* NULL is fine */

/* Wire bytes from the server; before them in time, those of net_tls_wire to it. */
void net_tls_feed(NetTlsLine *tls, Span wire);
/* Moves what is to be sent behind OUT; call after everything that may make some. */
void net_tls_wire(NetTlsLine *tls, NetBuffer *out);

NetStep net_tls_handshake(NetTlsLine *tls, GError **error);
/* At most SIZE bytes into BYTES; *MADE how many. */
NetStep net_tls_read(NetTlsLine *tls, char *bytes, size_t size, size_t *made, GError **error);
bool net_tls_write(NetTlsLine *tls, Span bytes, GError **error);
void net_tls_close(NetTlsLine *tls); /* makes a close_notify */

/* After the handshake; borrowed. */
const char *net_tls_protocol(const NetTlsLine *tls);
const char *net_tls_cipher(const NetTlsLine *tls);
const NetCertificate *net_tls_certificate(NetTlsLine *tls);
GBytes *net_tls_exporter(NetTlsLine *tls);
GBytes *net_tls_unique(NetTlsLine *tls);

#endif
