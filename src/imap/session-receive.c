#include "base/safetext.h"
#include "session-private.h"

#define BYE_MAX_CHARS 200

/* ---- the trace --------------------------------------------------------------------------- */

/* Where the literal that a CRLF inside a response announces has its "{": in a whole response a
 * line end stands nowhere else.  NULL: not one. */
static const char *
literal_mark(const char *start, const char *line_end, uint64_t *size)
{
	const char *p = line_end;

	if (p > start && p[-1] == '\r')
		p--;
	if (p == start || *--p != '}')
		return NULL;
	while (p > start && p[-1] != '{')
		p--;
	if (p == start)
		return NULL;
	*size = g_ascii_strtoull(p, NULL, 10);
	return p - 1;
}

static bool
was_streamed(const ImapFrame *frame, const char *mark)
{
	for (size_t i = 0; i < frame->n_streamed; i++)
		if (frame->text.at + frame->streamed[i] == mark)
			return true;
	return false;
}

/* FRAME as a line for people: what literals hold is left out. */
static void
log_frame(const ImapSession *session, const ImapFrame *frame)
{
	g_autoptr(GString) line = NULL;
	Span rest = frame->text;
	const char *end;

	if (!session->log)
		return;
	line = g_string_new(NULL);
	while (!span_is_empty(rest) && (end = memchr(rest.at, '\n', span_size(rest)))) {
		uint64_t size = 0;
		const char *mark = literal_mark(rest.at, end, &size);

		if (!mark)
			break;
		g_string_append_len(line, rest.at, mark - rest.at);
		g_string_append_printf(line, "{%" G_GUINT64_FORMAT "} ...", size);
		rest.at = end + 1;
		if (!was_streamed(frame, mark))
			rest.at += MIN(size, span_size(rest));
	}
	g_string_append_len(line, rest.at, (gssize)span_size(rest));
	log_line(session->log, session->name, LOG_RECEIVED, span_of(line->str, line->len));
}

/* ---- literals ---------------------------------------------------------------------------- */

/* "* 12 FETCH" and, with UIDONLY (RFC 9586), "* 12 UIDFETCH". */
static bool
is_fetch(Span prefix)
{
	const char *p = prefix.at;

	if (!span_starts_nocase(prefix, "* "))
		return false;
	for (p += 2; p < prefix.end && g_ascii_isdigit(*p); p++)
		;
	prefix.at = p;
	return span_starts_nocase(prefix, " FETCH ") || span_starts_nocase(prefix, " UIDFETCH ");
}

bool
imap_session_literal_wanted(void *data, Span prefix, uint64_t size)
{
	ImapSession *session = data;
	g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, size);
	bool fetching = false, wanted = false;

	session->literal_wasted = true;
	if (session->state == IMAP_STATE_CLOSED)
		return true; /* an earlier one of this response has ended it */
	if (session->state < IMAP_STATE_AUTHENTICATED) {
		imap_session_fail(session, imap_session_fault(session),
				  _("the server sent %s bytes where it has nothing to send"),
				  bytes);
		return true;
	}
	session->literal_wasted = false;
	if (!is_fetch(prefix))
		return false; /* a long name or value: kept, if the limits let it */
	for (const GList *at = session->in_flight.head; at; at = at->next) {
		const Pending *pending = at->data;

		fetching |= (pending->verb->traits & VERB_FETCHES) != 0;
		wanted |= (pending->verb->traits & VERB_FETCHES) && !pending->cancelled;
	}
	if (!fetching) {
		session->literal_wasted = true;
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server sent %s bytes of a message nobody asked for"),
				  bytes);
		return true;
	}
	if (!wanted) {
		session->literal_wasted = true;
		session->response_spoilt = true;
		return true;
	}
	return session->handler.on_literal &&
	       session->handler.on_literal(session->data, prefix, size);
}

void
imap_session_literal_bytes(void *data, Span bytes)
{
	ImapSession *session = data;

	session->progress_ms = session->now_ms;
	if (!session->literal_wasted && session->handler.on_literal_bytes)
		session->handler.on_literal_bytes(session->data, bytes);
}

/* ---- untagged ---------------------------------------------------------------------------- */

/* Codes that only the opening of a mailbox brings (RFC 9051, 6.3.2; RFC 7162; RFC 8474). */
static bool
opens_mailbox(ImapCode code)
{
	switch (code) {
	case IMAP_CODE_CLOSED:
	case IMAP_CODE_UIDVALIDITY:
	case IMAP_CODE_UIDNEXT:
	case IMAP_CODE_PERMANENTFLAGS:
	case IMAP_CODE_UNSEEN:
	case IMAP_CODE_MAILBOXID:
	case IMAP_CODE_NOMODSEQ:
		return true;
	default:
		return false;
	}
}

/* Data that a server sends in great numbers because it was asked to. */
static bool
is_progress(ImapResponseType type)
{
	switch (type) {
	case IMAP_RESPONSE_FETCH:
	case IMAP_RESPONSE_UIDFETCH:
	case IMAP_RESPONSE_LIST:
	case IMAP_RESPONSE_LSUB:
	case IMAP_RESPONSE_STATUS:
	case IMAP_RESPONSE_SEARCH:
	case IMAP_RESPONSE_ESEARCH:
	case IMAP_RESPONSE_SORT:
	case IMAP_RESPONSE_THREAD:
		return true;
	default:
		return false;
	}
}

static ImapTicket
ticket_by_tag(const ImapSession *session, Span tag)
{
	for (const GList *at = session->in_flight.head; at; at = at->next)
		if (span_is(tag, ((const Pending *)at->data)->tag))
			return ((const Pending *)at->data)->ticket;
	return 0;
}

/* Two searches without tags are never in flight together. */
static ImapTicket
ticket_of_search(const ImapSession *session)
{
	for (const GList *at = session->in_flight.head; at; at = at->next)
		if (((const Pending *)at->data)->tagless)
			return ((const Pending *)at->data)->ticket;
	return 0;
}

static ImapTicket
ticket_of(ImapSession *session, const ImapResponse *response)
{
	ImapTicket select = session->select && !session->login ? session->select->ticket : 0;

	switch (response->type) {
	case IMAP_RESPONSE_ESEARCH:
		return response->esearch.tag.at ? ticket_by_tag(session, response->esearch.tag) : 0;
	case IMAP_RESPONSE_SEARCH:
	case IMAP_RESPONSE_SORT:
	case IMAP_RESPONSE_THREAD:
		return ticket_of_search(session);
	case IMAP_RESPONSE_FLAGS:
	case IMAP_RESPONSE_EXISTS:
	case IMAP_RESPONSE_RECENT:
		return select;
	case IMAP_RESPONSE_OK:
		if (select && opens_mailbox(response->code))
			session->new_mailbox = true;
		return session->new_mailbox ? select : 0;
	case IMAP_RESPONSE_EXPUNGE:
	case IMAP_RESPONSE_VANISHED:
	case IMAP_RESPONSE_FETCH:
	case IMAP_RESPONSE_UIDFETCH:
		return session->new_mailbox ? select : 0;
	default:
		return 0;
	}
}

static void
learn_id(ImapSession *session, ImapPairs pairs)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < pairs.count; i++) {
		g_string_append_c(text, '"');
		g_string_append_len(text, pairs.at[i].name.at, (gssize)span_size(pairs.at[i].name));
		g_string_append(text, "\" \"");
		g_string_append_len(text, pairs.at[i].value.at,
				    (gssize)span_size(pairs.at[i].value));
		g_string_append(text, "\" ");
	}
	session->quirks |= imap_quirks_match("id", span_of(text->str, text->len));
}

static bool
in_flight_before(const ImapSession *session, const Pending *until, unsigned traits)
{
	for (const GList *at = session->in_flight.head; at && at->data != until; at = at->next)
		if (((const Pending *)at->data)->verb->traits & traits)
			return true;
	return false;
}

/* Capabilities said while a login is in flight are those behind it, unless somebody had asked for
 * those before it. */
static void
take_capabilities(ImapSession *session, ImapStrings words)
{
	imap_session_learn(session, words);
	session->capabilities_fresh =
	    session->login && !in_flight_before(session, session->login, VERB_ASKS_CAPABILITY);
}

static void
take_enabled(ImapSession *session, ImapStrings words)
{
	for (size_t i = 0; i < words.count; i++) {
		g_autofree char *word = span_dup(words.at[i]);

		if (!imap_session_enabled(session, word) &&
		    session->enabled->len < CAPABILITIES_MAX)
			g_ptr_array_add(session->enabled, g_steal_pointer(&word));
	}
}

static void
take_bye(ImapSession *session, const ImapResponse *response)
{
	g_autofree char *words = NULL;

	if (!session->tls) {
		imap_session_fail(session, POSTERN_ERROR_OFFLINE,
				  _("the server closed the connection before it was encrypted"));
		return;
	}
	words = safe_text(response->text, SAFE_LINE, NULL);
	if (g_utf8_strlen(words, -1) > BYE_MAX_CHARS)
		*g_utf8_offset_to_pointer(words, BYE_MAX_CHARS) = '\0';
	if (*words)
		imap_session_fail(session, POSTERN_ERROR_OFFLINE,
				  _("the server closed the connection: %s"), words);
	else
		imap_session_fail(session, POSTERN_ERROR_OFFLINE,
				  _("the server closed the connection"));
}

/* What stands where it must not.  Its words are shown only when they came through TLS. */
static void
refuse(ImapSession *session, const ImapFrame *frame)
{
	g_autofree char *words = imap_words_shorten(frame->text);

	if (session->state == IMAP_STATE_GREETING && session->tls)
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server's greeting is not IMAP: \"%s\""), words);
	else if (session->state == IMAP_STATE_GREETING)
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server's greeting is not IMAP"));
	else if (!session->tls)
		imap_session_fail(session, POSTERN_ERROR_TRUST,
				  _("the server said what it must not say before encryption; "
				    "somebody may be tampering with the connection"));
	else
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server said what does not belong here: \"%s\""), words);
}

static void
take_greeting(ImapSession *session, const ImapResponse *response)
{
	if (response->type == IMAP_RESPONSE_PREAUTH && !session->tls) {
		imap_session_fail(session, POSTERN_ERROR_TRUST,
				  _("the server skips the login, which would leave the connection "
				    "without encryption"));
		return;
	}
	if (response->type == IMAP_RESPONSE_BYE) {
		if (session->tls && session->handler.on_response)
			session->handler.on_response(session->data, response, 0);
		take_bye(session, response);
		return;
	}
	if (!session->tls) {
		imap_session_step(session, IMAP_EVENT_GREETED_IN_CLEAR);
		return;
	}
	session->quirks |= imap_quirks_match("greeting", response->text);
	imap_session_step(session, response->type == IMAP_RESPONSE_PREAUTH
				       ? IMAP_EVENT_PREAUTHENTICATED
				       : IMAP_EVENT_GREETED);
	if (response->code == IMAP_CODE_CAPABILITY)
		imap_session_learn(session, response->strings);
	if (session->handler.on_response)
		session->handler.on_response(session->data, response, 0);
	if (imap_session_knows(session))
		imap_session_be_ready(session);
	else
		imap_session_ask_capability(session);
}

static void
take_untagged(ImapSession *session, const ImapFrame *frame, const ImapResponse *response)
{
	ImapVerdict verdict = imap_state_accepts(session->state, response->type);
	ImapTicket ticket;

	/* Data of a mailbox comes before the OK that says it is selected. */
	if (verdict == IMAP_DROP && session->state == IMAP_STATE_AUTHENTICATED && session->select)
		verdict = imap_state_accepts(IMAP_STATE_SELECTED, response->type);
	if (response->type == IMAP_RESPONSE_ID && session->state == IMAP_STATE_LOGIN &&
	    !in_flight_before(session, NULL, VERB_ASKS_ID))
		verdict = IMAP_REFUSE;
	if (verdict == IMAP_REFUSE) {
		refuse(session, frame);
		return;
	}
	if (session->state == IMAP_STATE_GREETING) {
		take_greeting(session, response);
		return;
	}
	if (verdict == IMAP_DROP || session->response_spoilt) {
		log_event(session->log, session->name, "dropped in %s",
			  imap_state_name(session->state));
		return;
	}
	if (is_progress(response->type))
		session->progress_ms = session->now_ms;
	ticket = ticket_of(session, response);
	if (response->type == IMAP_RESPONSE_CAPABILITY)
		take_capabilities(session, response->strings);
	else if (response->type == IMAP_RESPONSE_OK && response->code == IMAP_CODE_CAPABILITY)
		take_capabilities(session, response->strings);
	else if (response->type == IMAP_RESPONSE_ENABLED)
		take_enabled(session, response->strings);
	else if (response->type == IMAP_RESPONSE_ID)
		learn_id(session, response->pairs);
	if (session->tls && session->handler.on_response)
		session->handler.on_response(session->data, response, ticket);
	if (response->type == IMAP_RESPONSE_BYE)
		take_bye(session, response);
}

/* ---- "+" --------------------------------------------------------------------------------- */

static void
take_continue(ImapSession *session, const ImapFrame *frame, const ImapResponse *response)
{
	Pending *pending = session->owner;

	if (imap_state_accepts(session->state, IMAP_RESPONSE_CONTINUE) == IMAP_REFUSE) {
		refuse(session, frame);
	} else if (pending && pending->cursor.announced) {
		imap_session_write_on(session, pending);
	} else if (pending && pending->verb->traits & VERB_IDLES && !pending->idle_stands) {
		pending->idle_stands = true;
		session->owner = NULL;
		if (pending->cancelled)
			imap_session_end_idle(session);
	} else if (session->login && session->login->verb->traits & VERB_EXCHANGES) {
		imap_login_continue(session, session->login, response->text);
	} else if (session->idle && session->idle->idle_stands) {
		log_event(session->log, session->name, "a second \"+\" to IDLE: dropped");
	} else {
		refuse(session, frame);
	}
}

/* ---- tagged ------------------------------------------------------------------------------ */

/* The login failed, and the server took these lines for answers of its exchange. */
static void
drop_swallowed(ImapSession *session)
{
	GList *next;

	for (GList *at = session->in_flight.head; at; at = next) {
		Pending *pending = at->data;

		next = at->next;
		if (!pending->swallowed)
			continue;
		g_queue_delete_link(&session->in_flight, at);
		if (session->select == pending)
			session->select = NULL;
		if (session->owner == pending)
			session->owner = NULL;
		imap_session_finish(session, pending, IMAP_OUTCOME_CANCELLED);
	}
}

static void
login_answered(ImapSession *session, const ImapResponse *response)
{
	session->login = NULL;
	session->riders_fit = false;
	if (response->type != IMAP_RESPONSE_OK) {
		drop_swallowed(session);
		return;
	}
	imap_session_step(session, IMAP_EVENT_LOGGED_IN);
	/* RFC 9051, 6.2.2: what was announced before the login counts no more. */
	if (!session->capabilities_fresh)
		imap_session_forget(session);
}

static void
select_answered(ImapSession *session, const ImapResponse *response)
{
	bool was_open = session->state == IMAP_STATE_SELECTED, moved = session->new_mailbox;

	session->select = NULL;
	session->new_mailbox = false;
	if (session->state != IMAP_STATE_AUTHENTICATED && !was_open)
		return; /* it rode behind a login that failed */
	if (response->type == IMAP_RESPONSE_OK)
		imap_session_step(session, IMAP_EVENT_MAILBOX_OPENED);
	else if (response->type == IMAP_RESPONSE_NO || moved)
		imap_session_step(session, IMAP_EVENT_MAILBOX_LEFT);
	/* BAD changes nothing (RFC 9051, 5.5) */
}

static void
starttls_answered(ImapSession *session, const ImapResponse *response)
{
	if (response->type != IMAP_RESPONSE_OK) {
		imap_session_fail(session, POSTERN_ERROR_TRUST,
				  _("the server refuses to encrypt the connection (STARTTLS)"));
		return;
	}
	imap_session_step(session, IMAP_EVENT_TLS_GRANTED);
	session->tls_granted = true;
}

/* What the answer changes, before its owner hears of it.  False: it is no answer. */
static bool
settle(ImapSession *session, Pending *pending, const ImapResponse *response)
{
	unsigned traits = pending->verb->traits;
	bool ok = response->type == IMAP_RESPONSE_OK;

	if (session->owner == pending)
		session->owner = NULL;
	if (session->idle == pending)
		session->idle = NULL;
	if (ok && pending->cursor.announced) {
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server says %s is done before it had all of it"),
				  imap_command_name(pending->command));
		return false;
	}
	if (ok && pending->aborted) {
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server accepted a login that was given up"));
		return false;
	}
	if (session->login == pending)
		login_answered(session, response);
	if (session->select == pending)
		select_answered(session, response);
	if (ok && traits & VERB_LEAVES && session->state == IMAP_STATE_SELECTED)
		imap_session_step(session, IMAP_EVENT_MAILBOX_LEFT);
	if (traits & VERB_STARTS_TLS)
		starttls_answered(session, response);
	else if (session->state >= IMAP_STATE_LOGIN && session->state < IMAP_STATE_LOGOUT &&
		 response->code == IMAP_CODE_CAPABILITY)
		imap_session_learn(session, response->strings);
	if (ok && traits & VERB_LOGS_OUT)
		imap_session_step(session, IMAP_EVENT_OVER);
	return true;
}

static ImapOutcome
outcome_of(const ImapResponse *response)
{
	if (response->type == IMAP_RESPONSE_OK)
		return IMAP_OUTCOME_OK;
	return response->type == IMAP_RESPONSE_NO ? IMAP_OUTCOME_NO : IMAP_OUTCOME_BAD;
}

/* No word from before TLS gets out. */
static ImapResponse
without_words(const ImapResponse *response)
{
	ImapResponse quiet = { .type = response->type, .text = SPAN_LITERAL("") };

	quiet.tag = response->tag;
	quiet.name = response->name;
	return quiet;
}

static void
tell_answer(ImapSession *session, Pending *pending, const ImapResponse *response)
{
	ImapResponse quiet = without_words(response);

	if (response->type == IMAP_RESPONSE_OK && pending->verb->traits & VERB_DEFLATES) {
		session->deflate = true;
		if (session->handler.on_start_deflate)
			session->handler.on_start_deflate(session->data);
	}
	if (pending->done)
		pending->done(pending->data, pending->ticket, outcome_of(response),
			      session->tls ? response : &quiet);
	imap_pending_free(pending);
}

static Pending *
take_answered(ImapSession *session, Span tag)
{
	for (GList *at = session->in_flight.head; at; at = at->next) {
		Pending *pending = at->data;

		if (!span_is(tag, pending->tag))
			continue;
		g_queue_delete_link(&session->in_flight, at);
		return pending;
	}
	return NULL;
}

static void
take_tagged(ImapSession *session, const ImapFrame *frame, const ImapResponse *response)
{
	Pending *pending;

	if (response->type < IMAP_RESPONSE_OK || response->type > IMAP_RESPONSE_BAD ||
	    session->state == IMAP_STATE_GREETING) {
		refuse(session, frame);
		return;
	}
	pending = take_answered(session, response->tag);
	if (!pending && session->tls) {
		g_autofree char *words = imap_words_shorten(frame->text);

		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server answered a command that is not waiting for it: "
				    "\"%s\""),
				  words);
	} else if (!pending) {
		refuse(session, frame);
	} else if (!settle(session, pending, response)) {
		imap_session_finish(session, pending, IMAP_OUTCOME_CLOSED);
	} else {
		session->progress_ms = session->now_ms;
		tell_answer(session, pending, response);
	}
}

/* ---- one response ------------------------------------------------------------------------ */

/* The frame's bounds hold, so one broken answer (a structure a server cannot put into words) costs
 * no more than itself.  Not before the login, not without end, and not with a literal: its size may
 * be what is wrong, and the next line a stranger's text. */
static bool
may_skip(ImapSession *session, const ImapFrame *frame)
{
	Span head = frame->text;

	if (session->state != IMAP_STATE_AUTHENTICATED && session->state != IMAP_STATE_SELECTED)
		return false;
	if (memchr(head.at, '\n', span_size(head)))
		return false;
	head.end = head.at + MIN(span_size(head), 2);
	return span_is(head, "* ") && ++session->n_skipped <= SKIPPED_MAX;
}

static void
log_received(const ImapSession *session, const ImapFrame *frame)
{
	bool exchanges = session->login && session->login->verb->traits & VERB_EXCHANGES;

	if (exchanges && !span_is_empty(frame->text) && *frame->text.at == '+')
		log_line(session->log, session->name, LOG_RECEIVED, SPAN_LITERAL("+ [redacted]"));
	else
		log_frame(session, frame);
}

void
imap_session_take_frame(ImapSession *session, const ImapFrame *frame)
{
	ImapResponse response;
	size_t offset = 0;

	log_received(session, frame);
	if (!imap_parser_parse(session->parser, frame, &response, &offset)) {
		g_autofree char *words = imap_words_shorten(frame->text);

		if (!session->tls || session->state == IMAP_STATE_GREETING)
			refuse(session, frame);
		else if (may_skip(session, frame))
			log_event(session->log, session->name,
				  "skipped: no response, readable up to byte %zu", offset);
		else
			imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
					  _("the server sent what is no IMAP response (readable up "
					    "to byte %zu): \"%s\""),
					  offset, words);
	} else if (span_is(response.tag, "*")) {
		bool greets = session->state == IMAP_STATE_GREETING;

		take_untagged(session, frame, &response);
		if (greets)
			imap_session_pump(session);
	} else {
		if (span_is(response.tag, "+"))
			take_continue(session, frame, &response);
		else
			take_tagged(session, frame, &response);
		/* These are what commands wait for; data is not. */
		imap_session_pump(session);
	}
	session->response_spoilt = false;
}
