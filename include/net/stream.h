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
	/* A name (UTF-8 or A-labels) or an address, also "[::1]"; and what the certificate must say. */
	const char *host;
	uint16_t port;
	NetTls tls;
	/* PEM, trusted besides the system's (an issuer, or the server's own certificate); NULL: none */
	const char *ca_file;
	const char *client_cert; /* PEM with certificate and key, for EXTERNAL; NULL: none */
} NetAddress;

typedef struct NetStreamHandler {
	/* The line stands (TLS included with NET_TLS_AT_ONCE), or TLS stands after _start_tls. */
	void (*on_open)(void *data);
	/* Bytes came (decrypted, inflated).  Take what you can off the front of *IN; what is left is
	 * offered again with more (over 4 MiB left ends the line with PROTOCOL).  Never called
	 * re-entrantly. */
	void (*on_bytes)(void *data, Span *in);
	/* What is queued fell below NET_STREAM_LOW_MARK again, after having been above it. */
	void (*on_writable)(void *data);
	/* The end, once, and the last callback.  ERROR is OFFLINE (cannot connect, broke, closed; a TLS
	 * close without close_notify says "cut off"), TRUST (certificate, protocol version, bytes
	 * before TLS...), CONFIG (no such host name, an unreadable ca_file, NET_TLS_NEVER to
	 * another machine) or PROTOCOL (broken or bomb-like deflate).  A clean close is an OFFLINE
	 * error as well: whether it was expected, the caller knows.  What the server sent before its
	 * end was offered first. */
	void (*on_closed)(void *data, const GError *error);
} NetStreamHandler;

#define NET_STREAM_LOW_MARK (64 * 1024)

/* ADDRESS and HANDLER are copied.  TIMEOUT_MS bounds connecting and each TLS handshake (0: 20 s).
 * Connecting tries every address (happy eyeballs by GSocketClient). */
NetStream *net_stream_open(const NetAddress *address, int timeout_ms,
			   const NetStreamHandler *handler, void *data, Log *log);
/* NULL is fine.  Closes at once, after what the kernel takes of what is queued and of a TLS
 * close_notify. */
void net_stream_free(NetStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetStream, net_stream_free)

/* Queues bytes; false when the stream is closed.  May be called before on_open: what is queued then
 * leaves when the line stands.  Buffered without limit: watch _queued.  Wiped once sent. */
bool net_stream_write(NetStream *stream, Span bytes);
size_t net_stream_queued_bytes(const NetStream *stream);

/* With NET_TLS_LATER, once.  Any byte received and not yet taken ends the line with TRUST: nothing
 * that arrived before TLS is kept.  Inside on_bytes that is judged when the callback
 * returns.  What is written from here on leaves encrypted, after the handshake. */
void net_stream_start_tls(NetStream *stream);
bool net_stream_is_encrypted(const NetStream *stream);

/* From here on both ways are raw deflate (RFC 4978).  Bytes offered and not taken are inflated and
 * offered again; inside on_bytes that is what the callback leaves when it returns.  Inflated bytes
 * are bounded: over 1000:1 beyond the first MiB ends the line. */
bool net_stream_start_deflate(NetStream *stream, GError **error);
bool net_stream_is_deflated(const NetStream *stream);

/* Stops and resumes on_bytes and reading: back-pressure for a slow disk.  A paused stream does not
 * notice that the server closed.  What was left untaken is offered again on resuming. */
void net_stream_pause(NetStream *stream, bool paused);

/* What was negotiated; strings are borrowed until the stream is freed, NULL where there is none.
 * Texts of certificates have passed the door as lines (base/safetext.h). */
typedef struct NetSecurity {
	const char *protocol; /* "TLSv1.3" */
	const char *cipher;
	const char *subject, *issuer;	    /* one line each, RFC 2253 */
	const char *names;		    /* the subjectAltNames, ", " between */
	const char *not_before, *not_after; /* RFC 3339 */
	const char *sha256;		    /* fingerprint, hex */
	const char *peer_address;	    /* "127.0.0.1:993" */
} NetSecurity;
/* False, with only peer_address filled (if connected), while the line is not encrypted. */
bool net_stream_security(NetStream *stream, NetSecurity *out);

/* Channel binding data (RFC 5929, RFC 9266); NULL where this line has none.  Yours to unref. */
GBytes *net_stream_tls_exporter(NetStream *stream); /* TLS 1.3; 1.2 with extended master secret */
GBytes *net_stream_tls_unique(NetStream *stream);   /* Finished; some servers want it even at 1.3 */

/* Bytes on the wire, TLS and deflate included; and what the protocol above saw. */
typedef struct NetCounts {
	uint64_t wire_in, wire_out;
	uint64_t plain_in, plain_out;
} NetCounts;
void net_stream_counts(const NetStream *stream, NetCounts *out);

#endif
