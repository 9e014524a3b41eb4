#include "session-private.h"

Pending *
imap_pending_new(ImapSession *session, ImapCommand *command, ImapSendFlags flags, int timeout_ms,
		 ImapDone done, void *data)
{
	Pending *pending = g_new0(Pending, 1);

	pending->command = command;
	pending->verb = imap_verb_find(imap_command_name(command));
	pending->flags = flags;
	pending->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
	pending->done = done;
	pending->data = data;
	pending->tagless =
	    (pending->verb->traits & VERB_SEARCHES) && !imap_command_begins(command, "RETURN");
	return pending;
}

void
imap_pending_free(Pending *pending)
{
	if (!pending)
		return;
	imap_command_free(pending->command);
	if (pending->initial)
		explicit_bzero(pending->initial, pending->initial_size);
	g_free(pending->initial);
	g_free(pending);
}

void
imap_session_finish(ImapSession *session, Pending *pending, ImapOutcome outcome)
{
	pending->outcome = outcome;
	g_queue_push_tail(&session->finished, pending);
}

/* Callbacks may cancel, and so add to the queue. */
void
imap_session_tell(ImapSession *session)
{
	Pending *pending;

	while ((pending = g_queue_pop_head(&session->finished))) {
		if (pending->done)
			pending->done(pending->data, pending->ticket, pending->outcome, NULL);
		imap_pending_free(pending);
	}
}

/* ---- the queue --------------------------------------------------------------------------- */

/* An IDLE that has not left yet is not worth leaving for when something comes after it. */
static void
drop_waiting_idle(ImapSession *session)
{
	GList *next;

	for (GList *at = session->waiting.head; at; at = next) {
		Pending *pending = at->data;

		next = at->next;
		if (!(pending->verb->traits & VERB_IDLES))
			continue;
		g_queue_delete_link(&session->waiting, at);
		imap_session_finish(session, pending, IMAP_OUTCOME_CANCELLED);
	}
}

ImapTicket
imap_session_queue(ImapSession *session, Pending *pending)
{
	GList *at;

	if (session->state == IMAP_STATE_CLOSED || !imap_command_is_valid(pending->command)) {
		log_event(session->log, session->name, "%s not sent: %s",
			  imap_command_name(pending->command),
			  session->state == IMAP_STATE_CLOSED ? "closed" : "not valid");
		imap_pending_free(pending);
		return 0;
	}
	if (!++session->last_ticket)
		session->last_ticket = 1;
	pending->ticket = session->last_ticket;
	g_snprintf(pending->tag, sizeof(pending->tag), "A%u", pending->ticket);
	drop_waiting_idle(session);
	at = session->waiting.head;
	while (at &&
	       (!(pending->flags & IMAP_FIRST) || (((Pending *)at->data)->flags & IMAP_FIRST)))
		at = at->next;
	g_queue_insert_before(&session->waiting, at, pending);
	imap_session_pump(session);
	return session->last_ticket;
}

/* ---- may it leave? ----------------------------------------------------------------------- */

typedef enum {
	SEND,
	HOLD, /* and all behind it */
	SKIP, /* its state has not come: others may pass */
	DROP, /* its state cannot come any more */
} Leave;

static bool
a_select_waits_before(const ImapSession *session, const Pending *pending)
{
	for (const GList *at = session->waiting.head; at && at->data != pending; at = at->next)
		if (((const Pending *)at->data)->verb->traits & VERB_SELECTS)
			return true;
	return false;
}

/* Behind a login not yet answered.  A literal would lie in two pieces on the line, the second of
 * which a server that took the first for an answer to its challenge might obey. */
static Leave
behind_login(const ImapSession *session, const Pending *pending)
{
	bool rides = (pending->flags & IMAP_RIDE) && session->riders_fit &&
		     !imap_command_has_literal(pending->command);

	if (pending->verb->needs == NEEDS_LOGIN)
		return HOLD;
	return rides ? SEND : HOLD;
}

static Leave
needs_login(const ImapSession *session, const Pending *pending)
{
	if (session->state != IMAP_STATE_LOGIN)
		return session->state < IMAP_STATE_LOGIN ? SKIP : DROP;
	if (!session->ready)
		return SKIP;
	if (session->login)
		return HOLD;
	/* It was asked for before the server forbade it (RFC 9051, 6.2.3). */
	if (!(pending->verb->traits & VERB_EXCHANGES) && imap_session_has(session, "LOGINDISABLED"))
		return DROP;
	return SEND;
}

static Leave
needs_mailbox(const ImapSession *session, const Pending *pending)
{
	if (session->select)
		return pending->flags & IMAP_RIDE ? SEND : HOLD;
	if (session->state == IMAP_STATE_SELECTED && !session->login)
		return SEND;
	return a_select_waits_before(session, pending) ? SKIP : DROP;
}

/* Whether where the session stands lets PENDING leave, whatever else is in flight. */
static Leave
state_allows(const ImapSession *session, const Pending *pending)
{
	ImapState state = session->state;

	if (state >= IMAP_STATE_LOGOUT)
		return DROP;
	if (pending->verb->needs == NEEDS_PLAIN) {
		if (state == IMAP_STATE_PLAIN)
			return SEND;
		return state == IMAP_STATE_GREETING && !session->tls ? SKIP : DROP;
	}
	if (pending->verb->needs == NEEDS_LOGIN)
		return needs_login(session, pending);
	if (pending->verb->needs == NEEDS_SELECTED) {
		Leave leave = needs_mailbox(session, pending);

		if (leave != SEND)
			return leave;
	}
	if (state < IMAP_STATE_LOGIN)
		return SKIP;
	if (session->login)
		return behind_login(session, pending);
	/* Our own question about capabilities is the one thing that goes before we are ready. */
	if (!session->ready)
		return pending->verb->traits & VERB_ASKS_CAPABILITY ? SEND : SKIP;
	if (state == IMAP_STATE_LOGIN && pending->verb->needs != NEEDS_ANY)
		return SKIP;
	return SEND;
}

/* RFC 9051, 5.5: what came before the newest SELECT or login in flight cannot bring EXPUNGE of the
 * mailbox that PENDING's numbers count in. */
static bool
numbers_may_shift(const ImapSession *session)
{
	for (const GList *at = session->in_flight.tail; at; at = at->prev) {
		const Pending *before = at->data;

		if (before->verb->traits & (VERB_SELECTS | VERB_LOGS_IN))
			return false;
		if (!(before->verb->traits & VERB_NO_EXPUNGE))
			return true;
	}
	return false;
}

static bool
any_in_flight(const ImapSession *session, unsigned traits)
{
	for (const GList *at = session->in_flight.head; at; at = at->next)
		if (((const Pending *)at->data)->verb->traits & traits)
			return true;
	return false;
}

static bool
tagless_search_in_flight(const ImapSession *session)
{
	for (const GList *at = session->in_flight.head; at; at = at->next)
		if (((const Pending *)at->data)->tagless)
			return true;
	return false;
}

/* Whether those in flight make it ambiguous, or must come to their end first. */
static bool
line_allows(const ImapSession *session, const Pending *pending)
{
	unsigned traits = pending->verb->traits;

	if (session->owner)
		return false;
	if ((traits & VERB_ALONE || session->quirks & IMAP_QUIRK_NO_PIPELINE) &&
	    session->in_flight.length)
		return false;
	if (traits & VERB_NUMBERS && numbers_may_shift(session))
		return false;
	if (pending->verb->needs == NEEDS_SELECTED && any_in_flight(session, VERB_LEAVES))
		return false;
	if (traits & (VERB_SELECTS | VERB_LEAVES) &&
	    any_in_flight(session, VERB_USES_MAILBOX | VERB_SELECTS | VERB_LEAVES))
		return false;
	return !pending->tagless || !tagless_search_in_flight(session);
}

/* ---- leaving ----------------------------------------------------------------------------- */

static ImapLiterals
literals_allowed(const ImapSession *session)
{
	if (imap_session_has(session, "LITERAL+"))
		return IMAP_LITERALS_ALL;
	return imap_session_has(session, "LITERAL-") ? IMAP_LITERALS_SMALL : IMAP_LITERALS_ASK;
}

static void
count_turn(ImapSession *session)
{
	if (session->heard)
		session->round_trips++;
	session->heard = false;
}

void
imap_session_write_on(ImapSession *session, Pending *pending)
{
	g_autoptr(GString) trace = session->log ? g_string_new(NULL) : NULL;
	bool whole;

	count_turn(session);
	whole = imap_command_write(pending->command, pending->tag, literals_allowed(session),
				   &pending->cursor, &session->wire, trace);
	if (trace)
		log_line(session->log, session->name, LOG_SENT, span_of(trace->str, trace->len));
	if (!whole || pending->verb->traits & VERB_OWNS_LINE)
		session->owner = pending;
	else
		session->owner = NULL;
	/* An exchange that needs more than one line is never ridden behind. */
	if (whole && pending == session->login && pending->verb->traits & VERB_EXCHANGES &&
	    !session->riders_fit)
		session->owner = pending;
}

void
imap_session_write_line(ImapSession *session, Span line, const char *trace)
{
	count_turn(session);
	imap_wire_put(&session->wire, line.at, span_size(line));
	imap_wire_put(&session->wire, "\r\n", 2);
	log_line(session->log, session->name, LOG_SENT, span_of_string(trace));
}

void
imap_session_end_idle(ImapSession *session)
{
	Pending *idle = session->idle;

	idle->idle_stands = false;
	idle->sent_ms = session->fed ? session->now_ms : 0;
	session->idle = NULL;
	imap_session_write_line(session, SPAN_LITERAL("DONE"), "DONE");
}

static void
leave(ImapSession *session, Pending *pending)
{
	unsigned traits = pending->verb->traits;

	if (traits & VERB_LOGS_IN) {
		session->login = pending;
		session->capabilities_fresh = false;
		session->riders_fit = true;
		if (traits & VERB_EXCHANGES)
			imap_login_prepare(session, pending);
	}
	if (traits & VERB_SELECTS) {
		session->select = pending;
		session->new_mailbox = session->state != IMAP_STATE_SELECTED;
	}
	if (traits & VERB_IDLES)
		session->idle = pending;
	pending->sent_ms = session->fed ? session->now_ms : 0;
	g_queue_push_tail(&session->in_flight, pending);
	imap_session_write_on(session, pending);
	if (traits & VERB_LOGS_OUT)
		imap_session_step(session, IMAP_EVENT_LOGOUT_SENT);
}

/* The first that may leave; NULL when all that is left has to wait. */
static Pending *
next_to_leave(ImapSession *session)
{
	GList *next;

	for (GList *at = session->waiting.head; at; at = next) {
		Pending *pending = at->data;
		Leave verdict = state_allows(session, pending);

		next = at->next;
		if (verdict == SKIP)
			continue;
		if (verdict == DROP) {
			g_queue_delete_link(&session->waiting, at);
			imap_session_finish(session, pending, IMAP_OUTCOME_CANCELLED);
			continue;
		}
		if (verdict == HOLD)
			return NULL;
		if (session->idle && session->idle->idle_stands)
			imap_session_end_idle(session);
		if (!line_allows(session, pending))
			return NULL;
		g_queue_delete_link(&session->waiting, at);
		return pending;
	}
	return NULL;
}

void
imap_session_pump(ImapSession *session)
{
	Pending *pending;

	while (session->state != IMAP_STATE_CLOSED && (pending = next_to_leave(session)))
		leave(session, pending);
}
