/* SCRAM's client (RFC 5802, RFC 7677) with channel binding, on OpenSSL.  Ours because GNU SASL 2.2
 * cannot say "y", the flag by which a server finds out that somebody took its -PLUS mechanisms off
 * the list (RFC 5802, section 6).  No socket; all that is secret is wiped. */
#ifndef NET_SCRAM_PRIVATE_H
#define NET_SCRAM_PRIVATE_H

#include "base/span.h"

#define NET_SCRAM_MAX_ROUNDS 1000000

typedef struct NetScram NetScram;

typedef enum {
	NET_SCRAM_OK,
	NET_SCRAM_NONSENSE,   /* not what a SCRAM server says here */
	NET_SCRAM_TOO_MUCH,   /* more than NET_SCRAM_MAX_ROUNDS */
	NET_SCRAM_REFUSED,    /* "e=": net_scram_fault */
	NET_SCRAM_OTHER_LINE, /* "e=", and it is about channel binding */
	NET_SCRAM_UNPROVEN,   /* the server's signature is wrong or missing */
} NetScramResult;

/* USER and PASSWORD have passed SASLprep.  FLAG: "n", "y" or "p=" and the binding's name; BINDING its
 * data, empty without "p".  NONCE NULL: a fresh one. */
NetScram *net_scram_new(bool is_sha256, const char *user, const char *password, const char *flag,
			Span binding, const char *nonce);
void net_scram_free(NetScram *scram); /* NULL is fine */

/* Borrowed, as are the others. */
const char *net_scram_first(const NetScram *scram);
/* *OUT is what answers server-first-message; it proves that we know the password. */
NetScramResult net_scram_answer(NetScram *scram, Span challenge, const char **out);
/* Judges server-final-message. */
NetScramResult net_scram_verify(NetScram *scram, Span challenge);
/* The server's own word, after REFUSED; has not passed the door. */
const char *net_scram_fault(const NetScram *scram);

/* NAME as a saslname: "," and "=" are written otherwise (RFC 5801, section 4). */
void net_scram_append_name(GString *text, const char *name);

#endif
