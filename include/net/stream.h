/* One line to a server: resolve, connect, TLS, deflate; all non-blocking, on the calling thread's
 * GMainContext.  TLS is OpenSSL 3 over memory BIOs over a GIO socket: TLS 1.2 at least, SNI, chain,
 * dates, usage (serverAuth) and name checked: subjectAltName only, IDN as A-labels, IP addresses as
 * such (RFC 8314, RFC 9525).  Never a fall-back to plain text.
 *
 * Callbacks run from the main loop, never inside the call that asked; after net_stream_free none
 * runs.  A callback may free the stream.  Reads are bounded per turn of the loop (256 KiB). */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/log.h"

#include <gio/gio.h>

typedef struct NetStream NetStream;

typedef enum {
	NET_TLS_AT_ONCE, /* imaps, smtps */
	NET_TLS_LATER,	 /* STARTTLS: net_stream_start_tls */
	NET_TLS_NEVER, /* refused unless HOST is a loopback address or "localhost" resolving only to
			  * loopback addresses */
} NetTls;

typedef struct NetAddress {
	const char
	    *host; /* a name (UTF-8 or A-labels) or an address; also the name in the certificate */
	uint16_t port;
	NetTls tls;
	const char *ca_file;	 /* besides the system's; NULL: none */
	const char *client_cert; /* PEM with certificate and key, for EXTERNAL; NULL: none */
} NetAddress;

typedef struct NetStreamHandler {
	/* The line stands (TLS included with NET_TLS_AT_ONCE), or TLS stands after _start_tls. */
	void (*on_open)(void *data);
	/* Bytes came (decrypted, inflated).  Take what you can off the front of *IN; what is left is
	 * offered again with more.  Never called re-entrantly. */
	void (*on_bytes)(void *data, Span *in);
	/* The output buffer drained below its low mark. */
	void (*on_writable)(void *data);
	/* The end: ERROR is OFFLINE (cannot connect, broke, closed; a TLS close without close_notify
	 * says "cut off") or TRUST (certificate, protocol version...).  Last callback.  A clean close
	 * is an OFFLINE error as well: whether it was expected, the caller knows. */
	void (*on_closed)(void *data, const GError *error);
} NetStreamHandler;

/* ADDRESS and HANDLER are copied.  TIMEOUT_MS bounds connecting and each TLS handshake (0: 20 s).
 * Connecting tries every address (happy eyeballs by GSocketClient). */
NetStream *net_stream_open(const NetAddress *address, int timeout_ms,
			   const NetStreamHandler *handler, void *data, Log *log);
void
net_stream_free(NetStream *stream); /* NULL is fine; closes at once, after what the kernel takes
					  * of a TLS close_notify */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetStream, net_stream_free)

/* Queues bytes; false when the stream is closed.  Buffered without limit: watch _queued. */
bool net_stream_write(NetStream *stream, Span bytes);
size_t net_stream_queued_bytes(const NetStream *stream);

/* With NET_TLS_LATER, once.  Any byte received and not yet taken ends the line with TRUST: nothing
 * that arrived before TLS is kept (threats T1). */
void net_stream_start_tls(NetStream *stream);
bool net_stream_is_encrypted(const NetStream *stream);

/* From here on both ways are raw deflate (RFC 4978).  Bytes offered and not taken are inflated and
 * offered again.  Inflated bytes are bounded: over 1000:1 beyond the first MiB ends the line. */
bool net_stream_start_deflate(NetStream *stream, GError **error);
bool net_stream_is_deflated(const NetStream *stream);

/* Stops and resumes reading: back-pressure for a slow disk. */
void net_stream_pause(NetStream *stream, bool paused);

/* What was negotiated; strings are borrowed until the stream is freed, NULL where there is none.
 * Certificate texts have NOT passed the door (base/safetext.h). */
typedef struct NetSecurity {
	const char *protocol; /* "TLSv1.3" */
	const char *cipher;
	const char *subject, *issuer;	    /* one line each, RFC 2253 */
	const char *names;		    /* the subjectAltNames, ", " between */
	const char *not_before, *not_after; /* RFC 3339 */
	const char *sha256;		    /* fingerprint, hex */
	const char *peer_address;	    /* "127.0.0.1:993" */
} NetSecurity;
bool net_stream_security(NetStream *stream, NetSecurity *out);

/* Channel binding data (RFC 5929, RFC 9266); NULL where this line has none.  Yours to unref. */
GBytes *
net_stream_tls_exporter(NetStream *stream); /* TLS 1.3, or 1.2 with extended master secret */
GBytes *
net_stream_tls_unique(NetStream *stream); /* Finished; for servers that want it even at 1.3 */

/* Bytes on the wire, TLS and deflate included; and what the protocol above saw. */
typedef struct NetCounts {
	uint64_t wire_in, wire_out;
	uint64_t plain_in, plain_out;
} NetCounts;
void net_stream_counts(const NetStream *stream, NetCounts *out);

#endif
