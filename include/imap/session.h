/* One IMAP connection's protocol, without a socket (RFC 3501, RFC 9051): bytes in, events out;
 * commands in, bytes out.  Never blocks, never sees a thread, a database or a screen.
 *
 * States and what is accepted in them; anything else is a protocol error, which ends the session:
 *
 *	GREETING	OK, PREAUTH, BYE
 *	PLAIN		before TLS on an imap:// line: OK/NO/BAD/BYE and CAPABILITY, none of which is
 *			kept or shown, and the answer to STARTTLS.  Only STARTTLS can be sent.
 *	STARTING_TLS	nothing: a byte behind the STARTTLS answer ends the session
 *	LOGIN		OK/NO/BAD/BYE, CAPABILITY, ID when asked, "+" during AUTHENTICATE
 *	AUTHENTICATED	the above and mailbox-independent data; data of a mailbox is dropped, unless a
 *			SELECT is in flight
 *	SELECTED	everything
 *	LOGOUT		OK/NO/BAD/BYE; untagged data is dropped
 *	CLOSED		nothing
 *
 * Unknown untagged responses are skipped from LOGIN on; after the login also one that is not the
 * grammar, if no literal in it can have gone wrong.  PREAUTH on an imap:// line that must
 * become TLS ends the session (threat: the sink-hole), and so does a refused STARTTLS; both are
 * TRUST.  No word that came before TLS reaches a callback or an error.
 *
 * Commands are pipelined: many may be in flight, each with its own answer.  They leave in the
 * order they were sent; one that must wait makes those behind it wait, but for those whose state
 * has not come yet (a LIST sent before the login), which let others pass.  It waits
 *
 *	- for the state it needs.  What needs a selected mailbox, with none selected and no SELECT in
 *	  flight or before it, is answered CANCELLED;
 *	- while AUTHENTICATE, LOGIN, STARTTLS, COMPRESS, an IDLE not yet granted or a literal that
 *	  must be asked for own the line;
 *	- for ambiguity (RFC 9051, 5.5): a command that uses message sequence numbers (FETCH, STORE,
 *	  SEARCH, COPY... without UID) while one is in flight during which the server may send EXPUNGE
 *	  (any but FETCH, STORE and SEARCH); a search whose answer carries no tag while another is in
 *	  flight; SELECT, EXAMINE, UNSELECT and CLOSE while one that uses the selected mailbox is;
 *	- for the answer to a SELECT or a login in flight, unless it may ride (IMAP_RIDE).
 *
 * Untagged data after a SELECT belongs to the new mailbox (that ticket) from [CLOSED] on.  For
 * servers without [CLOSED], FLAGS, EXISTS and RECENT belong to it from its start (a server repeats
 * them), FETCH, EXPUNGE and VANISHED from the first code that only a SELECT can bring
 * (UIDVALIDITY, UIDNEXT, PERMANENTFLAGS...); before that they are the old mailbox's, ticket 0.
 *
 * Callbacks run from inside imap_session_feed, _tick and _end only, never from the call that
 * asked; they may send and cancel commands, but must not free, feed, tick or end the session.
 * One thread at a time. */
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
	/* The greeting came, or TLS stands: the session is in LOGIN (or AUTHENTICATED by PREAUTH), and
	 * capabilities are known: where the server did not volunteer them, the session has asked.
	 * Once. */
	void (*on_ready)(void *data);
	/* STARTTLS was accepted and nothing came behind it.  Start TLS, then call
	 * imap_session_tls_started. */
	void (*on_start_tls)(void *data);
	/* COMPRESS was accepted: from the next byte on, both ways, the stream is deflated (RFC 4978).
	 * The bytes of IN not yet taken by imap_session_feed are deflated already. */
	void (*on_start_deflate)(void *data);
	/* Untagged data, and untagged OK/NO/BAD/BYE with their codes, from LOGIN on.  Borrowed.
	 * TICKET: the command the data answers where that is certain (ESEARCH by its tag; SEARCH, SORT
	 * and THREAD when one is in flight; SELECT's data as said above), else 0. */
	void (*on_response)(void *data, const ImapResponse *response, ImapTicket ticket);
	/* A literal is about to come: see ImapLiteralSink, whose prefix and order these follow.  Only
	 * called inside a FETCH response while a command that fetches is in flight and not all of
	 * those are cancelled.  Bytes of a cancelled one are thrown away, and so is its response. */
	bool (*on_literal)(void *data, Span prefix, uint64_t size);
	void (*on_literal_bytes)(void *data, Span bytes);
} ImapSessionHandler;

typedef enum {
	IMAP_OUTCOME_OK,
	IMAP_OUTCOME_NO,
	IMAP_OUTCOME_BAD,
	IMAP_OUTCOME_CANCELLED, /* not carried out: by imap_session_cancel before it was sent;
				 * because its state cannot come any more; an IDLE that something
				 * overtook unsent; a rider that a refused login swallowed */
	IMAP_OUTCOME_CLOSED,	/* the session ended first: whether it was done is not known */
} ImapOutcome;

/* Exactly once for each ticket.  RESPONSE is the tagged answer, borrowed; NULL with CANCELLED
 * and CLOSED. */
typedef void (*ImapDone)(void *data, ImapTicket ticket, ImapOutcome outcome,
			 const ImapResponse *response);

/* NAME ("imap 1") marks its lines in LOG (NULL is fine).  TLS: true when the line is already
 * encrypted (imaps://), or is a loopback without TLS (imap+insecure://); false: it must become so,
 * and the owner asks by imap_session_starttls, which may be called at once.  HANDLER is copied,
 * its members may be NULL. */
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

/* Monotonic milliseconds; the caller's clock, which must be above 0.  When to call
 * imap_session_tick next: the earliest deadline of a command in flight, or of the greeting; a time
 * already past when a callback waits to be made or a command was just sent; or INT64_MAX.  Bytes of any
 * kind push the deadlines: a slow answer is not a dead line.  But the greeting has one minute from
 * the first tick on, and a command ten without its own: a literal's bytes, a FETCH, LIST, STATUS or
 * search, an answer, or bytes of ours that left.  An IDLE that stands has no deadline. */
int64_t imap_session_deadline_ms(const ImapSession *session);
/* Call with the time just before each feed, and when the deadline passes; it gives those their
 * time who were sent since.  False: the session is over, CLOSED, and ERROR is OFFLINE. */
bool imap_session_tick(ImapSession *session, int64_t now_ms, GError **error);

/* ---- commands ---------------------------------------------------------------------------- */

typedef enum {
	IMAP_SEND_NORMAL = 0,
	IMAP_RIDE =
	    1 << 0, /* may be sent behind a SELECT, AUTHENTICATE or LOGIN not yet answered, and
			      * behind other riders.  Behind a login only where that is safe: its
			      * mechanism is one step, the server has SASL-IR, the rider has no
			      * literal; else it waits.  When what it rides on fails, it fails too. */
	IMAP_FIRST = 1 << 1, /* before those that wait */
} ImapSendFlags;

/* Takes COMMAND.  DONE may be NULL.  TIMEOUT_MS 0: the default, 60 s; it runs from when the command
 * is sent.  0: refused, freed, and DONE is not called: the session is CLOSED, or the command is
 * not valid (imap_command_is_valid).  All that return a ticket do so. */
ImapTicket imap_session_send(ImapSession *session, ImapCommand *command, ImapSendFlags flags,
			     int timeout_ms, ImapDone done, void *data);

/* Unsent: answered CANCELLED from the next feed or tick.  In flight: its answer still comes, its
 * literals are no longer offered.  IDLE: DONE is sent. */
void imap_session_cancel(ImapSession *session, ImapTicket ticket);

/* The person's or engine's login: AUTHENTICATE MECHANISM, with INITIAL (raw bytes, copied; at ==
 * NULL: none; an empty one is sent as "=") as SASL-IR when the server has it (RFC 4959), else in
 * answer to the first "+".  STEP (may be NULL) answers each challenge (raw bytes, already
 * base64-decoded): *ANSWER is taken (wiped, g_free'd); false aborts with "*" (RFC 9051 6.2.2).  A
 * server that asks for the initial response again gets it again, and has shown
 * IMAP_QUIRK_NO_SASL_IR. */
typedef bool (*ImapSaslStep)(void *data, Span challenge, char **answer, size_t *answer_size);
ImapTicket imap_session_authenticate(ImapSession *session, const char *mechanism, Span initial,
				     ImapSaslStep step, ImapDone done, void *data);
/* From inside STEP: with this answer the mechanism has said all it has to say, so what rides may
 * leave with it. */
void imap_session_last_step(ImapSession *session);
/* LOGIN (RFC 9051, 6.2.3), refused here when LOGINDISABLED is announced (ticket 0). */
ImapTicket imap_session_login(ImapSession *session, Span user, Span password, ImapDone done,
			      void *data);

/* The answer NO or BAD ends the session (TRUST) after DONE, which sees no word of it. */
ImapTicket imap_session_starttls(ImapSession *session, ImapDone done, void *data);
ImapTicket imap_session_compress(ImapSession *session, ImapDone done, void *data);

/* IDLE (RFC 2177), sent when nothing waits.  Anything sent later ends it first (DONE), by itself;
 * so does cancelling it.  Renewing it before 29 minutes are over is the owner's. */
ImapTicket imap_session_idle(ImapSession *session, ImapDone done, void *data);
bool imap_session_is_idling(const ImapSession *session);

/* ---- what is known ----------------------------------------------------------------------- */

ImapState imap_session_state(const ImapSession *session);
bool imap_session_knows(const ImapSession *session); /* capabilities came since TLS/login */
bool imap_session_has(const ImapSession *session,
		      const char *capability);		      /* "IDLE", "AUTH=PLAIN" */
char **imap_session_capabilities(const ImapSession *session); /* a copy, NULL ended; g_strfreev */
bool imap_session_enabled(const ImapSession *session,
			  const char *extension);	  /* ENABLED named it: "QRESYNC" */
unsigned imap_session_quirks(const ImapSession *session); /* ImapQuirk bits */
/* What an earlier connection to this server has taught. */
void imap_session_add_quirks(ImapSession *session, unsigned quirks);
size_t imap_session_in_flight(const ImapSession *session);     /* sent and not answered */
size_t imap_session_waiting(const ImapSession *session);       /* not sent yet */
uint64_t imap_session_round_trips(const ImapSession *session); /* times the line turned to us: a
					   * write after at least one byte came in since the last */

#endif
