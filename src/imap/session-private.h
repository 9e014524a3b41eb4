/* What the session's own files share.  session.c is the contract's verbs and the clock,
 * session-states.c the tables, session-send.c the queue, session-receive.c the answers,
 * session-login.c the exchange of AUTHENTICATE. */
#ifndef IMAP_SESSION_PRIVATE_H
#define IMAP_SESSION_PRIVATE_H

#include "base/error.h"
#include "base/i18n.h"
#include "command-private.h"
#include "imap/session.h"

#define DEFAULT_TIMEOUT_MS 60000
/* The longest a command lives on bytes that do not come from its answer. */
#define PROGRESS_TIMEOUT_MS 600000
#define CHALLENGE_MAX_BYTES (64 * 1024) /* of base64 */
/* Broken answers of one session that are passed over. */
#define SKIPPED_MAX	 1000
#define CAPABILITIES_MAX 1000

/* ---- tables ------------------------------------------------------------------------------ */

typedef enum {		  /* when a command may be sent */
	       NEEDS_ANY, /* from LOGIN on */
	       NEEDS_PLAIN,
	       NEEDS_LOGIN,
	       NEEDS_AUTHENTICATED,
	       NEEDS_SELECTED,
} ImapNeeds;

typedef enum {
	VERB_ALONE = 1 << 0,	    /* nothing may be in flight before it */
	VERB_OWNS_LINE = 1 << 1,    /* nothing may follow before its answer */
	VERB_LOGS_IN = 1 << 2,	    /* its OK leads to AUTHENTICATED */
	VERB_SELECTS = 1 << 3,	    /* SELECT, EXAMINE */
	VERB_LEAVES = 1 << 4,	    /* its OK leads out of the mailbox */
	VERB_NUMBERS = 1 << 5,	    /* uses or returns message sequence numbers */
	VERB_NO_EXPUNGE = 1 << 6,   /* the server may not send EXPUNGE during it */
	VERB_USES_MAILBOX = 1 << 7, /* its answer is data of the selected mailbox */
	VERB_FETCHES = 1 << 8,	    /* its answer may hold large literals */
	VERB_SEARCHES = 1 << 9,	    /* SEARCH, SORT, THREAD and their UID forms */
	VERB_IDLES = 1 << 10,
	VERB_LOGS_OUT = 1 << 11,
	VERB_ASKS_ID = 1 << 12,
	VERB_ASKS_CAPABILITY = 1 << 13,
	VERB_STARTS_TLS = 1 << 14,
	VERB_DEFLATES = 1 << 15,
	VERB_EXCHANGES = 1 << 16, /* AUTHENTICATE */
} ImapVerbTrait;

typedef struct ImapVerb {
	const char *name;
	ImapNeeds needs;
	unsigned traits; /* of ImapVerbTrait */
} ImapVerb;

/* Never NULL: what no row names needs AUTHENTICATED, and may bring EXPUNGE. */
const ImapVerb *imap_verb_find(const char *name);

typedef enum {
	IMAP_REFUSE, /* ends the session */
	IMAP_DROP,   /* logged, and forgotten */
	IMAP_TAKE,
} ImapVerdict;

/* What an untagged response of TYPE meets in STATE. */
ImapVerdict imap_state_accepts(ImapState state, ImapResponseType type);

typedef enum {
	IMAP_EVENT_GREETED_IN_CLEAR,
	IMAP_EVENT_GREETED,
	IMAP_EVENT_PREAUTHENTICATED,
	IMAP_EVENT_TLS_GRANTED,
	IMAP_EVENT_TLS_STARTED,
	IMAP_EVENT_LOGGED_IN,
	IMAP_EVENT_MAILBOX_OPENED,
	IMAP_EVENT_MAILBOX_LEFT,
	IMAP_EVENT_LOGOUT_SENT,
	IMAP_EVENT_OVER,
} ImapEvent;

/* False: no row of the table leads on from STATE; *STATE is untouched. */
bool imap_state_step(ImapState *state, ImapEvent event);

const char *imap_state_name(ImapState state);

/* ---- a command from its asking to its answer --------------------------------------------- */

typedef struct Pending {
	ImapTicket ticket;
	char tag[16];
	ImapCommand *command; /* owned */
	const ImapVerb *verb;
	ImapSendFlags flags;
	ImapDone done;
	void *data;
	ImapOutcome outcome; /* once it waits to be told */
	int timeout_ms;
	int64_t sent_ms; /* 0: not yet given its time */
	ImapCursor cursor;
	bool cancelled;
	bool swallowed;	   /* a rider whose line was taken as an answer to a challenge */
	bool idle_stands;  /* IDLE was granted, and DONE not yet written */
	bool tagless;	   /* a search whose answer carries no tag */
	ImapSaslStep step; /* AUTHENTICATE: */
	char *initial;	   /* raw; owned, wiped */
	size_t initial_size;
	bool one_step;
	bool initial_sent;  /* with the command, or in answer to "+" */
	bool initial_again; /* was asked for once more */
	bool aborted;	    /* "*" was sent */
} Pending;

void imap_pending_free(Pending *pending); /* NULL is fine */

struct ImapSession {
	ImapSessionHandler handler;
	void *data;
	Log *log;
	char *name;
	ImapLimits limits;
	bool tls; /* the line is as safe as it must become */
	ImapState state;
	GError *failure; /* why it is CLOSED; NULL after LOGOUT */

	ImapFramer *framer;
	ImapParser *parser;
	bool fed;	      /* inside feed, tick or end: callbacks may run */
	bool tls_granted;     /* and not yet said */
	bool deflate;	      /* the rest of this feed is the owner's */
	bool response_spoilt; /* holds a literal that was thrown away */
	bool literal_wasted;  /* ... of the literal that is coming */

	ImapWire wire;
	uint64_t round_trips;
	bool heard; /* bytes came since we last wrote */

	ImapTicket last_ticket;
	GQueue waiting;	  /* of Pending, owned; in the order they will leave */
	GQueue in_flight; /* of Pending, owned; in the order they left */
	GQueue finished;  /* of Pending, owned; their outcome is to be told */
	/* Of those in flight; NULL: none. */
	Pending *owner;	    /* nothing may be sent until it lets go of the line */
	Pending *login;	    /* AUTHENTICATE or LOGIN */
	Pending *select;    /* SELECT or EXAMINE */
	Pending *idle;	    /* the IDLE that stands, or will */
	bool riders_fit;    /* behind the login */
	unsigned n_skipped; /* untagged responses that were not the grammar */
	bool last_step;	    /* the answer being made is the mechanism's last */
	bool new_mailbox;   /* what comes now is certainly SELECT's mailbox */

	bool ready;
	GPtrArray *capabilities; /* of char *, as sent; NULL: not known */
	bool capabilities_fresh; /* came while the login was in flight */
	GPtrArray *enabled;	 /* of char * */
	unsigned quirks;

	int64_t now_ms;	  /* the last tick; 0: none yet */
	int64_t heard_ms; /* when bytes came last */
	/* When a literal's bytes, data that somebody asked for or an answer came last, or ours went. */
	int64_t progress_ms;
	int64_t opened_ms; /* when the greeting began to be waited for */
};

/* Ends the session: it is CLOSED from here on, and the outermost call tells everybody.  Only the
 * first reason counts. */
void imap_session_fail(ImapSession *session, PosternError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* What is wrong with a server before TLS is a matter of trust, later only of grammar. */
PosternError imap_session_fault(const ImapSession *session);
void imap_session_step(ImapSession *session, ImapEvent event);

/* Words of a server, short enough for a sentence: printable ASCII, the rest as \xNN.  g_free. */
char *imap_words_shorten(Span words);

/* ---- session-send.c ---------------------------------------------------------------------- */

Pending *imap_pending_new(ImapSession *session, ImapCommand *command, ImapSendFlags flags,
			  int timeout_ms, ImapDone done, void *data);
/* Takes PENDING into the queue, and sends what may be sent. */
ImapTicket imap_session_queue(ImapSession *session, Pending *pending);
void imap_session_pump(ImapSession *session);
/* On with a command whose literal was asked for. */
void imap_session_write_on(ImapSession *session, Pending *pending);
/* A line of ours that is no command: an answer to "+", DONE.  TRACE is what the log shows. */
void imap_session_write_line(ImapSession *session, Span line, const char *trace);
void imap_session_end_idle(ImapSession *session);
/* PENDING, out of every queue, will be told OUTCOME before the outermost call returns. */
void imap_session_finish(ImapSession *session, Pending *pending, ImapOutcome outcome);
void imap_session_tell(ImapSession *session);

/* ---- session-login.c --------------------------------------------------------------------- */

bool imap_login_is_one_step(const char *mechanism);
/* The initial response of AUTHENTICATE goes with the command, if it may. */
void imap_login_prepare(ImapSession *session, Pending *pending);
void imap_login_continue(ImapSession *session, Pending *pending, Span challenge);

/* ---- session-receive.c ------------------------------------------------------------------- */

void imap_session_take_frame(ImapSession *session, const ImapFrame *frame);
bool imap_session_literal_wanted(void *session, Span prefix, uint64_t size);
void imap_session_literal_bytes(void *session, Span bytes);

/* ---- session.c --------------------------------------------------------------------------- */

void imap_session_ask_capability(ImapSession *session);
void imap_session_be_ready(ImapSession *session);
void imap_session_forget(ImapSession *session); /* capabilities */
void imap_session_learn(ImapSession *session, ImapStrings words);

#endif
