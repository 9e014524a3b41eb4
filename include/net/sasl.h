/* SASL (RFC 4422), client side: which mechanism, and its exchange.  CRAM-MD5 (RFC 2195), PLAIN, LOGIN
 * and EXTERNAL by GNU SASL; SCRAM-SHA-256 and -1 (RFC 5802, 7677) with and without channel binding,
 * OAUTHBEARER (RFC 7628) and XOAUTH2 are ours.  Secrets are wiped when freed.  One thread at a time;
 * never blocks (a server may ask at most a million SCRAM rounds of us, about a second's work).
 *
 * Which tries to make.  The first mechanism of net_sasl_choose is the one to use, a -PLUS one with its
 * first binding.  A refusal is final when the server says that it is the password (RFC 5530,
 * AUTHENTICATIONFAILED).  Else one second try may follow on the line, never a third, which would look
 * like guessing: after -PLUS the same mechanism with the next binding (Cyrus takes tls-unique only,
 * also over TLS 1.3, and says so only after the proof); after others the next mechanism, and only
 * while net_sasl_has_proved is false: the server saw nothing that could be a wrong password, and has
 * perhaps no SCRAM secret for this person. */
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
	/* False: PLAIN, LOGIN and tokens are refused (loopback+insecure says true). */
	bool encrypted;
} NetCredentials;

/* Mechanisms to try, strongest first, of those OFFERED (the words behind "AUTH=", NULL ended) that
 * CREDENTIALS can serve: with a token OAUTHBEARER, XOAUTH2; with a certificate EXTERNAL; else
 * SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN.
 * -PLUS only where STREAM (may be NULL) has binding data.  NULL ended, static strings inside; the
 * array is yours to g_free. */
const char **net_sasl_choose(char *const *offered, const NetCredentials *credentials,
			     NetStream *stream);

/* The channel binding to use with a -PLUS mechanism on STREAM, the best (INDEX 0) first; NULL when
 * there are no more.  TLS 1.3: "tls-exporter" (RFC 9266), then "tls-unique"; TLS 1.2: "tls-unique",
 * then "tls-exporter" if it has an extended master secret. */
const char *net_sasl_binding(NetStream *stream, size_t index);

/* True when OFFERED has a -PLUS mechanism (an uninteresting hash counts as well). */
bool net_sasl_offers_plus(char *const *offered);

typedef struct NetSasl NetSasl;

/* CREDENTIALS are copied.  BINDING: by net_sasl_binding for a -PLUS mechanism; NULL else.
 * PLUS_OFFERED: by net_sasl_offers_plus (decides SCRAM's gs2 flag without -PLUS: "y" where STREAM
 * could bind and the server did not announce it, so that a server whose announcement was removed
 * on the way notices; "n" where we cannot, or the binding was refused before).
 * NULL with ERROR (LOGIN; CONFIG for a token or name that cannot be sent) when the mechanism
 * cannot be had. */
NetSasl *net_sasl_new(const char *mechanism, const NetCredentials *credentials, NetStream *stream,
		      const char *binding, bool plus_offered, GError **error);
void net_sasl_free(NetSasl *sasl); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetSasl, net_sasl_free)

/* True when the client speaks first: *OUT (raw, not base64; may be of size 0, never NULL) is yours to
 * g_free, after wiping it.  False without ERROR: the server speaks first.  False with ERROR: the
 * mechanism cannot be used.  To be called once, before the first step; where an initial response
 * cannot be sent (no SASL-IR), answer the first, empty challenge with it. */
bool net_sasl_initial(NetSasl *sasl, char **out, size_t *size, GError **error);

/* Answers one challenge (raw); *OUT as above.  False: ERROR, and abort the exchange: LOGIN for a
 * challenge that makes no sense, TRUST when the server could not prove that it knows the password
 * or sees another TLS line than we do: drop the line, do not ask for the password again. */
bool net_sasl_step(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error);

/* After the server said OK: true when the mechanism is content (SCRAM: the server's signature was
 * seen and right).  False: ERROR TRUST; drop the line. */
bool net_sasl_finish(NetSasl *sasl, GError **error);

/* True once something that proves who we are (password, digest, proof, token) was handed out. */
bool net_sasl_has_proved(const NetSasl *sasl);

/* OAuth: the JSON error the server sent with its failure, if any; borrowed; NULL: none.  Has NOT passed
 * the door (base/safetext.h). */
const char *net_sasl_server_error(const NetSasl *sasl);

#endif
