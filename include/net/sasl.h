/* SASL (RFC 4422), client side: which mechanism, and its exchange.  SCRAM-SHA-256 and -1 with and
 * without channel binding, CRAM-MD5, PLAIN, LOGIN and EXTERNAL by GNU SASL; OAUTHBEARER (RFC 7628) and
 * XOAUTH2 are ours.  Secrets are wiped when freed.  One thread at a time; never blocks. */
#ifndef NET_SASL_H
#define NET_SASL_H

#include "base/span.h"
#include "net/stream.h"

typedef struct NetCredentials {
	const char *user;
	const char *password; /* NULL: none */
	const char *token;    /* an OAuth access token; NULL: none */
	bool external;	      /* a client certificate is in use */
	const char *host;     /* for OAUTHBEARER */
	uint16_t port;
	bool
	    encrypted; /* false: PLAIN, LOGIN and tokens are refused (loopback+insecure says true) */
} NetCredentials;

/* Mechanisms to try, strongest first, of those OFFERED (the words behind "AUTH=", NULL ended) that
 * CREDENTIALS can serve: with a token OAUTHBEARER, XOAUTH2; with a certificate EXTERNAL; else
 * SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN.
 * -PLUS only where STREAM (may be NULL) has binding data.  NULL ended, static strings inside; the
 * array is yours to g_free. */
const char **net_sasl_choose(char *const *offered, const NetCredentials *credentials,
			     NetStream *stream);

typedef struct NetSasl NetSasl;

/* CREDENTIALS are copied.  BINDING: "tls-exporter" or "tls-unique" for a -PLUS mechanism, by
 * net_sasl_binding; NULL else.  *PLUS_OFFERED: the server announced a -PLUS variant (decides the
 * gs2 flag: "y" only where we could and it did not announce; "n" where we cannot).
 * NULL with ERROR when the mechanism cannot be had. */
NetSasl *net_sasl_new(const char *mechanism, const NetCredentials *credentials, NetStream *stream,
		      const char *binding, bool plus_offered, GError **error);
void net_sasl_free(NetSasl *sasl); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetSasl, net_sasl_free)

/* True when the client speaks first: *OUT (raw, not base64) is yours to g_free, after wiping it. */
bool net_sasl_initial(NetSasl *sasl, char **out, size_t *size, GError **error);

/* Answers one challenge (raw).  False: ERROR (LOGIN: the server did not prove itself, or a broken
 * challenge); abort the exchange. */
bool net_sasl_step(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error);

/* After the server said OK: true when the mechanism is content (SCRAM: the server's signature was
 * seen and right).  False: ERROR TRUST; drop the line. */
bool net_sasl_finish(NetSasl *sasl, GError **error);

/* OAuth: the JSON error the server sent with its failure, if any; borrowed; NULL: none. */
const char *net_sasl_server_error(const NetSasl *sasl);

#endif
