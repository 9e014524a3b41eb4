#include "session-private.h"

/* ---- what is accepted -------------------------------------------------------------------- */

typedef struct AcceptRow {
	ImapResponseType first, last; /* of the enum's own order */
	ImapVerdict verdict[IMAP_STATE_CLOSED + 1];
} AcceptRow;

/* Untagged responses.  What no row names is data that belongs to the account (LIST, STATUS...):
 * the last row.  Before TLS nothing is believed, and nothing but what RFC 9051, 7.1 and 7.2.2 allow
 * there is even passed over: the rest is somebody else's hand on the line.  ID before the login is
 * looked at again by the receiver: it must have been asked for. */
#define NOT IMAP_REFUSE
#define YES IMAP_TAKE
#define DRP IMAP_DROP
static const AcceptRow accept_rows[] = {
	/* first, last			    GREET PLAIN STARTS LOGIN AUTHD SELECT LOGOUT CLOSED */
	{ IMAP_RESPONSE_CONTINUE,
	  IMAP_RESPONSE_CONTINUE, /* has its own rules */
	  { NOT, YES, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_OK, IMAP_RESPONSE_OK, { YES, DRP, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_NO, IMAP_RESPONSE_BAD, { NOT, DRP, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_BYE, IMAP_RESPONSE_BYE, { YES, YES, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_PREAUTH,
	  IMAP_RESPONSE_PREAUTH,
	  { YES, NOT, NOT, NOT, NOT, NOT, NOT, NOT } },
	{ IMAP_RESPONSE_CAPABILITY,
	  IMAP_RESPONSE_CAPABILITY,
	  { NOT, DRP, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_FLAGS, IMAP_RESPONSE_FLAGS, { NOT, NOT, NOT, NOT, DRP, YES, DRP, NOT } },
	{ IMAP_RESPONSE_SEARCH, IMAP_RESPONSE_SORT, { NOT, NOT, NOT, NOT, DRP, YES, DRP, NOT } },
	{ IMAP_RESPONSE_THREAD, IMAP_RESPONSE_FETCH, { NOT, NOT, NOT, NOT, DRP, YES, DRP, NOT } },
	{ IMAP_RESPONSE_UIDFETCH,
	  IMAP_RESPONSE_UIDFETCH,
	  { NOT, NOT, NOT, NOT, DRP, YES, DRP, NOT } },
	{ IMAP_RESPONSE_ID, IMAP_RESPONSE_ID, { NOT, NOT, NOT, YES, YES, YES, DRP, NOT } },
	{ IMAP_RESPONSE_UNKNOWN,
	  IMAP_RESPONSE_UNKNOWN,
	  { NOT, NOT, NOT, DRP, DRP, DRP, DRP, NOT } },
	{ IMAP_RESPONSE_CONTINUE,
	  IMAP_RESPONSE_UNKNOWN,
	  { NOT, NOT, NOT, NOT, YES, YES, DRP, NOT } },
};

ImapVerdict
imap_state_accepts(ImapState state, ImapResponseType type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(accept_rows); i++)
		if (type >= accept_rows[i].first && type <= accept_rows[i].last)
			return accept_rows[i].verdict[state];
	return IMAP_REFUSE;
}

/* ---- how states follow each other -------------------------------------------------------- */

static const struct {
	ImapState in;
	ImapEvent when;
	ImapState go_to;
} steps[] = {
	{ IMAP_STATE_GREETING, IMAP_EVENT_GREETED_IN_CLEAR, IMAP_STATE_PLAIN },
	{ IMAP_STATE_GREETING, IMAP_EVENT_GREETED, IMAP_STATE_LOGIN },
	{ IMAP_STATE_GREETING, IMAP_EVENT_PREAUTHENTICATED, IMAP_STATE_AUTHENTICATED },
	{ IMAP_STATE_PLAIN, IMAP_EVENT_TLS_GRANTED, IMAP_STATE_STARTING_TLS },
	{ IMAP_STATE_STARTING_TLS, IMAP_EVENT_TLS_STARTED, IMAP_STATE_LOGIN },
	{ IMAP_STATE_LOGIN, IMAP_EVENT_LOGGED_IN, IMAP_STATE_AUTHENTICATED },
	{ IMAP_STATE_AUTHENTICATED, IMAP_EVENT_MAILBOX_OPENED, IMAP_STATE_SELECTED },
	{ IMAP_STATE_AUTHENTICATED, IMAP_EVENT_MAILBOX_LEFT, IMAP_STATE_AUTHENTICATED },
	{ IMAP_STATE_SELECTED, IMAP_EVENT_MAILBOX_OPENED, IMAP_STATE_SELECTED },
	{ IMAP_STATE_SELECTED, IMAP_EVENT_MAILBOX_LEFT, IMAP_STATE_AUTHENTICATED },
	{ IMAP_STATE_LOGIN, IMAP_EVENT_LOGOUT_SENT, IMAP_STATE_LOGOUT },
	{ IMAP_STATE_AUTHENTICATED, IMAP_EVENT_LOGOUT_SENT, IMAP_STATE_LOGOUT },
	{ IMAP_STATE_SELECTED, IMAP_EVENT_LOGOUT_SENT, IMAP_STATE_LOGOUT },
	{ IMAP_STATE_LOGOUT, IMAP_EVENT_OVER, IMAP_STATE_CLOSED },
};

bool
imap_state_step(ImapState *state, ImapEvent event)
{
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		if (steps[i].in == *state && steps[i].when == event) {
			*state = steps[i].go_to;
			return true;
		}
	}
	return false;
}

const char *
imap_state_name(ImapState state)
{
	static const char *const names[] = {
		"GREETING",	 "PLAIN",    "STARTING_TLS", "LOGIN",
		"AUTHENTICATED", "SELECTED", "LOGOUT",	     "CLOSED",
	};

	return names[state];
}

/* ---- what commands mean to the line ------------------------------------------------------ */

/* A UID command brings EXPUNGE where its plain form may not (RFC 9051, 5.5 and 7.5.1).  SORT and
 * THREAD are not named there, so they are taken to bring it, too. */
static const ImapVerb verbs[] = {
	{ "CAPABILITY", NEEDS_ANY, VERB_ASKS_CAPABILITY },
	{ "NOOP", NEEDS_ANY, 0 },
	{ "ID", NEEDS_ANY, VERB_ASKS_ID },
	{ "LOGOUT", NEEDS_ANY, VERB_ALONE | VERB_OWNS_LINE | VERB_LOGS_OUT },
	{ "STARTTLS", NEEDS_PLAIN, VERB_ALONE | VERB_OWNS_LINE | VERB_STARTS_TLS },
	{ "AUTHENTICATE", NEEDS_LOGIN, VERB_LOGS_IN | VERB_EXCHANGES },
	{ "LOGIN", NEEDS_LOGIN, VERB_LOGS_IN },
	{ "COMPRESS", NEEDS_AUTHENTICATED, VERB_OWNS_LINE | VERB_DEFLATES },
	{ "IDLE", NEEDS_AUTHENTICATED, VERB_OWNS_LINE | VERB_IDLES },
	{ "SELECT", NEEDS_AUTHENTICATED, VERB_SELECTS },
	{ "EXAMINE", NEEDS_AUTHENTICATED, VERB_SELECTS },
	{ "UNSELECT", NEEDS_SELECTED, VERB_LEAVES },
	{ "CLOSE", NEEDS_SELECTED, VERB_LEAVES },
	{ "CHECK", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "EXPUNGE", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "UID EXPUNGE", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "FETCH", NEEDS_SELECTED,
	  VERB_NUMBERS | VERB_NO_EXPUNGE | VERB_USES_MAILBOX | VERB_FETCHES },
	{ "UID FETCH", NEEDS_SELECTED, VERB_USES_MAILBOX | VERB_FETCHES },
	{ "STORE", NEEDS_SELECTED, VERB_NUMBERS | VERB_NO_EXPUNGE | VERB_USES_MAILBOX },
	{ "UID STORE", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "SEARCH", NEEDS_SELECTED,
	  VERB_NUMBERS | VERB_NO_EXPUNGE | VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "UID SEARCH", NEEDS_SELECTED, VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "SORT", NEEDS_SELECTED, VERB_NUMBERS | VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "UID SORT", NEEDS_SELECTED, VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "THREAD", NEEDS_SELECTED, VERB_NUMBERS | VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "UID THREAD", NEEDS_SELECTED, VERB_USES_MAILBOX | VERB_SEARCHES },
	{ "COPY", NEEDS_SELECTED, VERB_NUMBERS | VERB_USES_MAILBOX },
	{ "UID COPY", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "MOVE", NEEDS_SELECTED, VERB_NUMBERS | VERB_USES_MAILBOX },
	{ "UID MOVE", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ "REPLACE", NEEDS_SELECTED, VERB_NUMBERS | VERB_USES_MAILBOX },
	{ "UID REPLACE", NEEDS_SELECTED, VERB_USES_MAILBOX },
	{ NULL, NEEDS_AUTHENTICATED, 0 },
};

const ImapVerb *
imap_verb_find(const char *name)
{
	const ImapVerb *verb = verbs;

	while (verb->name && g_ascii_strcasecmp(verb->name, name))
		verb++;
	return verb;
}
