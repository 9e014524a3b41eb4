/* What a certificate says, in words a person may see: every text out of one passes the door
 * (base/safetext.h) here.  Pure. */
#ifndef NET_CERTIFICATE_PRIVATE_H
#define NET_CERTIFICATE_PRIVATE_H

#include "host-private.h"

#include <openssl/x509.h>

typedef struct NetCertificate {
	char *subject, *issuer; /* RFC 2253, one line each */
	char *names;		/* the subjectAltNames that name hosts, ", " between; NULL: none */
	char *not_before, *not_after; /* RFC 3339, UTC; NULL: no date */
	char *sha256;		      /* hex, ':' between, as openssl x509 -fingerprint prints it */
} NetCertificate;

void net_certificate_read(NetCertificate *out, const X509 *certificate);
void net_certificate_clear(NetCertificate *certificate);

/* The sentence for verification's CODE (X509_V_ERR_...), found at CERTIFICATE, DEPTH steps above
 * HOST's own (may be NULL). */
char *net_certificate_complaint(int code, int depth, X509 *certificate, const NetHost *host);

#endif
