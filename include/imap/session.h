/* One IMAP connection's protocol, without a socket (RFC 3501, RFC 9051): bytes in, events out;
 * commands in, bytes out.  Never blocks, never sees a thread, a database or a screen.
 *
 * Commands are pipelined: many may be in flight, each with its own answer.  The session holds a
 * command back only where RFC 9051 5.5 makes the pair ambiguous (see Ambiguity below), where a
 * literal must be asked for, and while AUTHENTICATE, STARTTLS, COMPRESS or IDLE own the line.
 *
 * States and what is accepted in them; anything else is a protocol error, which ends the session:
 *
 *	GREETING	OK, PREAUTH, BYE
 *	PLAIN		before TLS on an imap:// line: OK/NO/BAD/BYE and CAPABILITY, none of which is
 *			kept, and the answer to STARTTLS.  Only STARTTLS (and CAPABILITY) can be sent.
 *	STARTING_TLS	nothing: a byte behind the STARTTLS answer ends the session
 *	LOGIN		OK/NO/BAD/BYE, CAPABILITY, ENABLED?, ID, "+" during AUTHENTICATE
 *	AUTHENTICATED	the above and mailbox-independent data
 *	SELECTED	everything
 *	LOGOUT		OK/NO/BAD/BYE and untagged data, which is dropped
 *	CLOSED		nothing
 *
 * PREAUTH on an imap:// line that must become TLS ends the session (threats T2).
 *
 * Ambiguity: a command that uses message sequence numbers (FETCH, STORE, SEARCH and COPY without
 * UID) is not sent while a command is in flight during which the server may send EXPUNGE (any
 * but those); SELECT, EXAMINE, UNSELECT and CLOSE wait for everything before them that uses the
 * selected mailbox, and what follows SELECT is attributed to the new mailbox (with CLOSED, from
 * that response on; without, from the SELECT's own start).  A caller may say that a command rides
 * behind a SELECT (IMAP_RIDE): it is sent at once, and cancelled unsent effects are the caller's.
 *
 * Callbacks run from inside imap_session_feed, _end and _expire only, never from the call that
 * asked; they may send commands, but must not free the session.  One thread at a time. */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "base/log.h"
#include "imap/command.h"
#include "imap/quirks.h"

typedef struct ImapSession ImapSession;

typedef enum {
	IMAP_STATE_GREETING,
	IMAP_STATE_PLAIN,
	IMAP_STATE_STARTING_TLS,
	IMAP_STATE_LOGIN,
	IMAP_STATE_AUTHENTICATED,
	IMAP_STATE_SELECTED,
	IMAP_STATE_LOGOUT,
	IMAP_STATE_CLOSED,
} ImapState;

/* A command's name while it lives; 0 is none. */
typedef uint32_t ImapTicket;

typedef struct ImapSessionHandler {
	/* The greeting came, or TLS stands: the session is in LOGIN (or AUTHENTICATED by PREAUTH).
	 * Capabilities are known if the server volunteered them: see imap_session_knows. */
	void (*on_ready)(void *data);
	/* STARTTLS was accepted and nothing came behind it.  Start TLS, then call
	 * imap_session_tls_started. */
	void (*on_start_tls)(void *data);
	/* COMPRESS was accepted: from the next byte on, both ways, the stream is deflated (RFC 4978).
	 * The bytes of IN not yet taken by imap_session_feed are deflated already. */
	void (*on_start_deflate)(void *data);
	/* Untagged data, and untagged OK/NO/BAD/BYE with their codes.  Borrowed.  TICKET: the command
	 * the data answers where that is certain (ESEARCH by tag; SELECT's data), else 0. */
	void (*on_response)(void *data, const ImapResponse *response, ImapTicket ticket);
	/* A literal is about to come: see ImapLiteralSink, whose prefix and order these follow.  Only
	 * called in SELECTED, inside a FETCH response, while a command that fetches is in flight. */
	bool (*on_literal)(void *data, Span prefix, uint64_t size);
	void (*on_literal_bytes)(void *data, Span bytes);
} ImapSessionHandler;

typedef enum {
	IMAP_OUTCOME_OK,
	IMAP_OUTCOME_NO,
	IMAP_OUTCOME_BAD,
	IMAP_OUTCOME_CANCELLED, /* by imap_session_cancel, before it was sent */
	IMAP_OUTCOME_CLOSED,	/* the session ended first: whether it was done is not known */
} ImapOutcome;

/* Exactly once for each command.  RESPONSE is the tagged answer, borrowed; NULL with CANCELLED
 * and CLOSED. */
typedef void (*ImapDone)(void *data, ImapTicket ticket, ImapOutcome outcome,
			 const ImapResponse *response);

/* NAME ("imap 1") marks its lines in LOG (NULL is fine).  TLS: true when the line is already
 * encrypted (imaps://), or is a loopback without TLS (imap+insecure://).  HANDLER is copied. */
ImapSession *imap_session_new(const ImapSessionHandler *handler, void *data, bool tls,
			      const ImapLimits *limits, Log *log, const char *name);
void
imap_session_free(ImapSession *session); /* NULL is fine; pending commands are dropped silently */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapSession, imap_session_free)

/* ---- bytes ------------------------------------------------------------------------------- */

/* Takes bytes off the front of IN, all of them, except after on_start_deflate: then call again with
 * the rest inflated.  False: the session is over (state CLOSED, every command answered CLOSED) and
 * ERROR says why: PROTOCOL, TRUST, OFFLINE (BYE; shown words only after TLS). */
bool imap_session_feed(ImapSession *session, Span *in, GError **error);

/* What is to be written, borrowed until the next call; empty when there is nothing. */
Span imap_session_output(const ImapSession *session);
void imap_session_written(ImapSession *session, size_t size_bytes);

/* The line is gone: every command is answered CLOSED. */
void imap_session_end(ImapSession *session);

/* TLS stands.  Everything the server said before is forgotten; CAPABILITY is asked anew. */
void imap_session_tls_started(ImapSession *session);

/* ---- time -------------------------------------------------------------------------------- */

/* Monotonic milliseconds; the caller's clock.  The earliest deadline of a command in flight, or
 * INT64_MAX.  A response of any kind, or bytes of a literal, pushes the deadlines of those in
 * flight behind it: a slow answer is not a dead line. */
int64_t imap_session_deadline_ms(const ImapSession *session);
/* Call with the time at each feed and when the deadline passes.  False: a command's time is over;
 * the session is CLOSED and ERROR is OFFLINE. */
bool imap_session_tick(ImapSession *session, int64_t now_ms, GError **error);

/* ---- commands ---------------------------------------------------------------------------- */

typedef enum {
	IMAP_SEND_NORMAL = 0,
	IMAP_RIDE = 1 << 0,  /* send now, behind a SELECT or AUTHENTICATE not yet answered */
	IMAP_FIRST = 1 << 1, /* before those that wait */
} ImapSendFlags;

/* Takes COMMAND.  DONE may be NULL.  TIMEOUT_MS 0: the default, 60 s. */
ImapTicket imap_session_send(ImapSession *session, ImapCommand *command, ImapSendFlags flags,
			     int timeout_ms, ImapDone done, void *data);

/* Unsent: answered CANCELLED from the next feed or tick.  In flight: its answer still comes, its
 * literals are no longer offered.  IDLE: DONE is sent. */
void imap_session_cancel(ImapSession *session, ImapTicket ticket);

/* The person's or engine's login: AUTHENTICATE MECHANISM, with INITIAL (raw bytes; at == NULL:
 * none) as SASL-IR when the server has it.  STEP answers each challenge (raw bytes, already
 * base64-decoded): *ANSWER is taken (g_free'd, wiped); false aborts with "*" (RFC 9051 6.2.2). */
typedef bool (*ImapSaslStep)(void *data, Span challenge, char **answer, size_t *answer_size);
ImapTicket imap_session_authenticate(ImapSession *session, const char *mechanism, Span initial,
				     ImapSaslStep step, ImapDone done, void *data);
/* LOGIN (RFC 9051, 6.2.3), refused here when LOGINDISABLED is announced (ticket 0). */
ImapTicket imap_session_login(ImapSession *session, Span user, Span password, ImapDone done,
			      void *data);

ImapTicket imap_session_starttls(ImapSession *session, ImapDone done, void *data);
ImapTicket imap_session_compress(ImapSession *session, ImapDone done, void *data);

/* IDLE (RFC 2177).  Anything sent later ends it first (DONE), by itself. */
ImapTicket imap_session_idle(ImapSession *session, ImapDone done, void *data);
bool imap_session_is_idling(const ImapSession *session);

/* ---- what is known ----------------------------------------------------------------------- */

ImapState imap_session_state(const ImapSession *session);
bool imap_session_knows(const ImapSession *session); /* capabilities came since TLS/login */
bool imap_session_has(const ImapSession *session,
		      const char *capability);		       /* "IDLE", "AUTH=PLAIN" */
char **imap_session_capabilities(const ImapSession *session);  /* a copy, NULL ended; g_strfreev */
unsigned imap_session_quirks(const ImapSession *session);      /* ImapQuirk bits */
size_t imap_session_in_flight(const ImapSession *session);     /* sent and not answered */
size_t imap_session_waiting(const ImapSession *session);       /* not sent yet */
uint64_t imap_session_round_trips(const ImapSession *session); /* times the line turned to us: a
					   * write after at least one byte came in since the last */

#endif
