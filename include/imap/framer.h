/* Cuts a server's byte stream into whole responses: lines and their literals (RFC 9051, 2.2.2
 * and 4.3).  Knows no grammar, socket, store or screen.  One thread at a time.
 *
 * Small literals stay in the response.  A large one may be streamed: its bytes go to a sink as
 * they arrive, and the response holds a mark in their place, so that a 30 MB part never lies in
 * memory.  Literal8 (~{n}) and non-synchronising forms are literals like any other.  A lone LF
 * ends a line as CRLF does, for servers that send it, and CR CR LF does too; the line's end is not
 * part of a response.  Servers that send CRLF let an LF slip into the quotes of a FETCH: it stays there.
 *
 * A line that ends in "{n}" announces a literal, except in the human text of a status response or
 * continuation, where it is text ("* OK see {3}"). */
#ifndef IMAP_FRAMER_H
#define IMAP_FRAMER_H

#include "base/span.h"

typedef struct ImapFramer ImapFramer; /* opaque */

/* The most a server can make us hold.  Over any of these the framer fails for good. */
typedef struct ImapLimits {
	size_t max_line_bytes;	    /* one line between literals, with its end; default 16 MiB: a
				     * SEARCH that finds a million messages is one, and the
				     * structure of 100,000 messages in one another */
	size_t max_response_bytes;  /* one response without what was streamed; default 32 MiB */
	uint64_t max_literal_bytes; /* one literal, streamed or not; default 2 GiB - 1 */
	size_t max_literals;	    /* in one response; default 10,000 */
	size_t stream_from_bytes;   /* literals at least this large are offered; default 16 KiB */
} ImapLimits;

extern const ImapLimits imap_limits_default;

/* Called from inside imap_framer_take only. */
typedef struct ImapLiteralSink {
	/* A literal of SIZE bytes is about to come.  PREFIX is the response so far, up to and with
	 * the "{n}".  True: stream it.  False: keep it, if the limits let it. */
	bool (*wanted)(void *data, Span prefix, uint64_t size);
	void (*bytes)(void *data, Span bytes); /* the next bytes; SIZE in all, never more */
} ImapLiteralSink;

typedef enum {
	IMAP_FRAME_WHOLE,	/* *out is one response; *in moved past it */
	IMAP_FRAME_MORE,	/* not all here yet; what came is kept, *in is empty */
	IMAP_FRAME_TOO_LONG,	/* a line over max_line_bytes */
	IMAP_FRAME_TOO_BIG,	/* a response or literal over its limit */
	IMAP_FRAME_BAD_LITERAL, /* "{-1}", "{99999999999999999999}" */
} ImapFrameResult;

/* One response.  Borrowed until the next call on the framer. */
typedef struct ImapFrame {
	Span text; /* the line with its literals in place: "{n}\r\n" and n bytes; a streamed one is
		    * "{n}\r\n" and nothing.  Line ends are as sent; there is none at the end. */
	/* Offsets into TEXT of the "{" of each streamed literal, ascending. */
	const size_t *streamed;
	size_t n_streamed;
} ImapFrame;

/* LIMITS NULL: the defaults.  SINK NULL: nothing is streamed.  Both are copied. */
ImapFramer *imap_framer_new(const ImapLimits *limits, const ImapLiteralSink *sink, void *data);
void imap_framer_free(ImapFramer *framer); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapFramer, imap_framer_free)

/* Takes bytes off the front of IN.  A response that lies whole in IN is not copied.  After a failure
 * IN stands on or before the end of the line that caused it. */
ImapFrameResult imap_framer_take(ImapFramer *framer, Span *in, ImapFrame *out);

/* Whether it may hold a literal.  A line end in it stands for one, unless it is an LF that follows
 * neither a CR nor a "}". */
bool imap_frame_has_literal(const ImapFrame *frame);

/* True between two responses: nothing is kept of a response not yet whole. */
bool imap_framer_is_empty(const ImapFramer *framer);

/* What the server did that the framer failed, for people and with its numbers: "the server sent a line
 * of more than 16 MiB".  After any other result: that the response is cut short.  Yours to g_free. */
char *imap_framer_complaint(const ImapFramer *framer);

/* Skips to behind the next line end: for tools that go on after a bad response.  False: it is not
 * in IN, which is empty now; call again with more. */
bool imap_framer_resync(ImapFramer *framer, Span *in);

#endif
