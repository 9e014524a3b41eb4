#include "session-private.h"

#define WORDS_MAX_BYTES 80

/* Before TLS a server has nothing long to say. */
static const ImapLimits limits_in_clear = {
	.max_line_bytes = 64 * 1024,
	.max_response_bytes = 64 * 1024,
	.max_literal_bytes = 1024,
	.max_literals = 1,
	.stream_from_bytes = 1024,
};

static void
open_framer(ImapSession *session)
{
	const ImapLiteralSink sink = { imap_session_literal_wanted, imap_session_literal_bytes };

	imap_framer_free(session->framer);
	session->framer =
	    imap_framer_new(session->tls ? &session->limits : &limits_in_clear, &sink, session);
}

ImapSession *
imap_session_new(const ImapSessionHandler *handler, void *data, bool tls, const ImapLimits *limits,
		 Log *log, const char *name)
{
	ImapSession *session = g_new0(ImapSession, 1);

	session->handler = *handler;
	session->data = data;
	session->log = log_ref(log);
	session->name = g_strdup(name);
	session->limits = limits ? *limits : imap_limits_default;
	session->tls = tls;
	session->parser = imap_parser_new();
	session->enabled = g_ptr_array_new_with_free_func(g_free);
	g_queue_init(&session->waiting);
	g_queue_init(&session->in_flight);
	g_queue_init(&session->finished);
	open_framer(session);
	return session;
}

static void
free_pending(gpointer data)
{
	imap_pending_free(data);
}

void
imap_session_free(ImapSession *session)
{
	if (!session)
		return;
	g_assert(!session->fed);
	g_queue_clear_full(&session->waiting, free_pending);
	g_queue_clear_full(&session->in_flight, free_pending);
	g_queue_clear_full(&session->finished, free_pending);
	imap_session_forget(session);
	g_ptr_array_unref(session->enabled);
	imap_wire_clear(&session->wire);
	imap_framer_free(session->framer);
	imap_parser_free(session->parser);
	g_clear_error(&session->failure);
	log_unref(session->log);
	g_free(session->name);
	g_free(session);
}

/* ---- endings ----------------------------------------------------------------------------- */

char *
imap_words_shorten(Span words)
{
	GString *text = g_string_new(NULL);
	const char *p = words.at;

	for (; p < words.end && text->len < WORDS_MAX_BYTES; p++) {
		if (*p >= 0x20 && *p < 0x7f)
			g_string_append_c(text, *p);
		else
			g_string_append_printf(text, "\\x%02x", (unsigned char)*p);
	}
	if (p < words.end)
		g_string_append(text, "...");
	return g_string_free(text, FALSE);
}

void
imap_session_fail(ImapSession *session, PosternError code, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (session->state == IMAP_STATE_CLOSED)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	log_event(session->log, session->name, "closing in %s: %s", imap_state_name(session->state),
		  text);
	session->state = IMAP_STATE_CLOSED;
	session->failure = g_error_new_literal(POSTERN_ERROR, (gint)code, text);
}

PosternError
imap_session_fault(const ImapSession *session)
{
	return session->state == IMAP_STATE_PLAIN || session->state == IMAP_STATE_STARTING_TLS
		   ? POSTERN_ERROR_TRUST
		   : POSTERN_ERROR_PROTOCOL;
}

void
imap_session_step(ImapSession *session, ImapEvent event)
{
	ImapState before = session->state;

	if (before == IMAP_STATE_CLOSED)
		return;
	if (!imap_state_step(&session->state, event))
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server's answer does not fit where the session stands"));
	else if (before != session->state)
		log_event(session->log, session->name, "%s -> %s", imap_state_name(before),
			  imap_state_name(session->state));
}

/* Everything that was asked is told how it ended; nothing more goes out. */
static void
close_all(ImapSession *session)
{
	Pending *pending;

	session->owner = session->login = session->select = session->idle = NULL;
	imap_wire_clear(&session->wire);
	while ((pending = g_queue_pop_head(&session->in_flight)))
		imap_session_finish(session, pending, IMAP_OUTCOME_CLOSED);
	while ((pending = g_queue_pop_head(&session->waiting)))
		imap_session_finish(session, pending, IMAP_OUTCOME_CLOSED);
	imap_session_tell(session);
}

static bool
report(const ImapSession *session, GError **error)
{
	if (session->failure)
		g_propagate_error(error, g_error_copy(session->failure));
	else
		g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				    _("the connection is closed"));
	return false;
}

void
imap_session_end(ImapSession *session)
{
	if (session->state == IMAP_STATE_CLOSED)
		return;
	session->fed = true;
	imap_session_tell(session);
	imap_session_fail(session, POSTERN_ERROR_OFFLINE, _("the connection is closed"));
	close_all(session);
	session->fed = false;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void
refuse_size(ImapSession *session)
{
	g_autofree char *words = imap_framer_complaint(session->framer);
	const Pending *pending = g_queue_peek_head(&session->in_flight);

	if (pending)
		imap_session_fail(session, imap_session_fault(session),
				  _("%s, in answer to %s; ask whoever runs the server"), words,
				  imap_command_name(pending->command));
	else
		imap_session_fail(session, imap_session_fault(session),
				  _("%s; ask whoever runs the server"), words);
}

static void
take_one(ImapSession *session, Span *in)
{
	ImapFrame frame;
	ImapFrameResult result;

	/* Whoever wrote this has read nothing of ours since STARTTLS (threat: response injection). */
	if (session->state == IMAP_STATE_STARTING_TLS) {
		imap_session_fail(session, POSTERN_ERROR_TRUST,
				  _("the server went on talking in clear after it agreed to "
				    "encrypt; somebody may be tampering with the connection"));
		return;
	}
	result = imap_framer_take(session->framer, in, &frame);
	if (session->state == IMAP_STATE_CLOSED) /* a literal nobody may send */
		return;
	if (result == IMAP_FRAME_WHOLE)
		imap_session_take_frame(session, &frame);
	else if (result != IMAP_FRAME_MORE)
		refuse_size(session);
}

bool
imap_session_feed(ImapSession *session, Span *in, GError **error)
{
	g_return_val_if_fail(!session->fed, false);
	if (session->state == IMAP_STATE_CLOSED)
		return report(session, error);
	session->fed = true;
	session->deflate = false;
	if (!span_is_empty(*in)) {
		session->heard = true;
		session->heard_ms = session->now_ms;
	}
	imap_session_tell(session);
	while (session->state != IMAP_STATE_CLOSED && !session->deflate && !span_is_empty(*in)) {
		take_one(session, in);
		imap_session_tell(session);
	}
	/* Only now is it known that nothing came behind the answer. */
	if (session->tls_granted && session->state == IMAP_STATE_STARTING_TLS) {
		session->tls_granted = false;
		if (session->handler.on_start_tls)
			session->handler.on_start_tls(session->data);
	}
	if (session->state == IMAP_STATE_CLOSED)
		close_all(session);
	session->fed = false;
	return !session->failure || report(session, error);
}

Span
imap_session_output(const ImapSession *session)
{
	if (!session->wire.at)
		return SPAN_EMPTY;
	return (Span){ session->wire.at + session->wire.start,
		       session->wire.at + session->wire.end };
}

void
imap_session_written(ImapSession *session, size_t size_bytes)
{
	imap_wire_drop(&session->wire, size_bytes);
	if (size_bytes)
		session->progress_ms = session->now_ms;
}

void
imap_session_tls_started(ImapSession *session)
{
	if (session->state != IMAP_STATE_STARTING_TLS)
		return;
	session->tls = true;
	imap_session_step(session, IMAP_EVENT_TLS_STARTED);
	imap_session_forget(session);
	open_framer(session);
	imap_session_ask_capability(session);
}

/* ---- time -------------------------------------------------------------------------------- */

static bool
has_deadline(const Pending *pending)
{
	return !pending->idle_stands;
}

static int
ceiling_of(const Pending *pending)
{
	return MAX(PROGRESS_TIMEOUT_MS, pending->timeout_ms);
}

static int64_t
silence_ends(const ImapSession *session, const Pending *pending)
{
	return MAX(pending->sent_ms, session->heard_ms) + pending->timeout_ms;
}

static int64_t
deadline_of(const ImapSession *session, const Pending *pending)
{
	return MIN(silence_ends(session, pending),
		   MAX(pending->sent_ms, session->progress_ms) + ceiling_of(pending));
}

int64_t
imap_session_deadline_ms(const ImapSession *session)
{
	int64_t first = INT64_MAX;

	if (!g_queue_is_empty((GQueue *)&session->finished))
		return session->now_ms;
	if (session->state == IMAP_STATE_CLOSED)
		return INT64_MAX;
	if (session->state == IMAP_STATE_GREETING) {
		if (!session->opened_ms)
			return session->now_ms;
		first = session->opened_ms + DEFAULT_TIMEOUT_MS;
	}
	for (const GList *at = session->in_flight.head; at; at = at->next) {
		const Pending *pending = at->data;

		if (!has_deadline(pending))
			continue;
		if (!pending->sent_ms)
			return session->now_ms;
		first = MIN(first, deadline_of(session, pending));
	}
	return first;
}

static void
check_time(ImapSession *session)
{
	if (session->state == IMAP_STATE_GREETING) {
		if (!session->opened_ms)
			session->opened_ms = session->now_ms;
		if (session->now_ms >= session->opened_ms + DEFAULT_TIMEOUT_MS)
			imap_session_fail(session, POSTERN_ERROR_OFFLINE,
					  _("the server did not greet within %d seconds"),
					  DEFAULT_TIMEOUT_MS / 1000);
	}
	for (GList *at = session->in_flight.head; at; at = at->next) {
		Pending *pending = at->data;

		if (!has_deadline(pending))
			continue;
		if (!pending->sent_ms)
			pending->sent_ms = session->now_ms;
		if (session->now_ms >= deadline_of(session, pending)) {
			bool is_silent = session->now_ms >= silence_ends(session, pending);

			imap_session_fail(session, POSTERN_ERROR_OFFLINE,
					  _("the server did not answer %s within %d seconds"),
					  imap_command_name(pending->command),
					  (is_silent ? pending->timeout_ms : ceiling_of(pending)) /
					      1000);
			return;
		}
	}
}

bool
imap_session_tick(ImapSession *session, int64_t now_ms, GError **error)
{
	g_return_val_if_fail(!session->fed, false);
	session->now_ms = now_ms;
	session->fed = true;
	imap_session_tell(session);
	if (session->state != IMAP_STATE_CLOSED) {
		check_time(session);
		imap_session_pump(session);
		imap_session_tell(session);
	}
	if (session->state == IMAP_STATE_CLOSED)
		close_all(session);
	session->fed = false;
	return session->state != IMAP_STATE_CLOSED || report(session, error);
}

/* ---- the owner's commands ---------------------------------------------------------------- */

ImapTicket
imap_session_send(ImapSession *session, ImapCommand *command, ImapSendFlags flags, int timeout_ms,
		  ImapDone done, void *data)
{
	return imap_session_queue(session, imap_pending_new(session, command, flags, timeout_ms,
							    done, data));
}

static Pending *
find_pending(const GQueue *queue, ImapTicket ticket)
{
	for (const GList *at = queue->head; at; at = at->next)
		if (((Pending *)at->data)->ticket == ticket)
			return at->data;
	return NULL;
}

void
imap_session_cancel(ImapSession *session, ImapTicket ticket)
{
	Pending *pending = find_pending(&session->waiting, ticket);

	if (pending) {
		g_queue_remove(&session->waiting, pending);
		imap_session_finish(session, pending, IMAP_OUTCOME_CANCELLED);
		imap_session_pump(session); /* what it held back may go */
		return;
	}
	pending = find_pending(&session->in_flight, ticket);
	if (!pending)
		return;
	pending->cancelled = true;
	if (pending->idle_stands)
		imap_session_end_idle(session);
}

ImapTicket
imap_session_authenticate(ImapSession *session, const char *mechanism, Span initial,
			  ImapSaslStep step, ImapDone done, void *data)
{
	ImapCommand *command = imap_command_new("AUTHENTICATE");
	Pending *pending;

	imap_command_atom(command, span_of_string(mechanism));
	pending = imap_pending_new(session, command, IMAP_SEND_NORMAL, 0, done, data);
	pending->step = step;
	pending->one_step = imap_login_is_one_step(mechanism);
	if (initial.at) {
		pending->initial_size = span_size(initial);
		pending->initial = g_malloc(pending->initial_size + 1);
		memcpy(pending->initial, initial.at, pending->initial_size);
	}
	return imap_session_queue(session, pending);
}

ImapTicket
imap_session_login(ImapSession *session, Span user, Span password, ImapDone done, void *data)
{
	ImapCommand *command;

	if (imap_session_has(session, "LOGINDISABLED")) {
		log_event(session->log, session->name, "LOGIN not sent: LOGINDISABLED");
		return 0;
	}
	command = imap_command_new("LOGIN");
	imap_command_astring(command, user);
	imap_command_secret(command, password);
	return imap_session_send(session, command, IMAP_SEND_NORMAL, 0, done, data);
}

ImapTicket
imap_session_starttls(ImapSession *session, ImapDone done, void *data)
{
	return imap_session_send(session, imap_command_new("STARTTLS"), IMAP_FIRST, 0, done, data);
}

ImapTicket
imap_session_compress(ImapSession *session, ImapDone done, void *data)
{
	ImapCommand *command = imap_command_new("COMPRESS");

	imap_command_text(command, "DEFLATE");
	return imap_session_send(session, command, IMAP_SEND_NORMAL, 0, done, data);
}

ImapTicket
imap_session_idle(ImapSession *session, ImapDone done, void *data)
{
	return imap_session_send(session, imap_command_new("IDLE"), IMAP_SEND_NORMAL, 0, done,
				 data);
}

bool
imap_session_is_idling(const ImapSession *session)
{
	return session->idle && session->idle->idle_stands;
}

/* ---- what is known ----------------------------------------------------------------------- */

void
imap_session_be_ready(ImapSession *session)
{
	session->ready = true;
	if (session->handler.on_ready)
		session->handler.on_ready(session->data);
}

static void
on_capability_answered(void *data, ImapTicket ticket, ImapOutcome outcome,
		       const ImapResponse *response)
{
	ImapSession *session = data;

	if (session->state != IMAP_STATE_CLOSED && !session->ready)
		imap_session_be_ready(session);
}

void
imap_session_ask_capability(ImapSession *session)
{
	imap_session_queue(session,
			   imap_pending_new(session, imap_command_new("CAPABILITY"), IMAP_FIRST, 0,
					    on_capability_answered, session));
}

void
imap_session_forget(ImapSession *session)
{
	g_clear_pointer(&session->capabilities, g_ptr_array_unref);
	session->capabilities_fresh = false;
}

void
imap_session_learn(ImapSession *session, ImapStrings words)
{
	g_autoptr(GString) text = g_string_new(" ");

	imap_session_forget(session);
	session->capabilities = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < words.count && i < CAPABILITIES_MAX; i++) {
		char *word = span_dup(words.at[i]);

		g_ptr_array_add(session->capabilities, word);
		g_string_append_printf(text, "%s ", word);
	}
	session->quirks |= imap_quirks_match("capability", span_of(text->str, text->len));
}

static bool
holds_word(const GPtrArray *words, const char *word)
{
	for (guint i = 0; words && i < words->len; i++)
		if (!g_ascii_strcasecmp(g_ptr_array_index(words, i), word))
			return true;
	return false;
}

/* What IMAP4rev2 holds without saying (RFC 9051, appendix E), for a server that announces nothing
 * else; one that announces both says the rest as well. */
static bool
rev2_implies(const char *capability)
{
	static const char *const implied[] = {
		"NAMESPACE", "UNSELECT", "UIDPLUS",	"ESEARCH",	 "SEARCHRES",
		"ENABLE",    "IDLE",	 "SASL-IR",	"LIST-EXTENDED", "LIST-STATUS",
		"MOVE",	     "LITERAL-", "STATUS=SIZE",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(implied); i++)
		if (!g_ascii_strcasecmp(implied[i], capability))
			return true;
	return false;
}

bool
imap_session_has(const ImapSession *session, const char *capability)
{
	if (holds_word(session->capabilities, capability))
		return true;
	return rev2_implies(capability) && holds_word(session->capabilities, "IMAP4rev2") &&
	       !holds_word(session->capabilities, "IMAP4rev1");
}

ImapState
imap_session_state(const ImapSession *session)
{
	return session->state;
}

bool
imap_session_knows(const ImapSession *session)
{
	return session->capabilities;
}

char **
imap_session_capabilities(const ImapSession *session)
{
	guint count = session->capabilities ? session->capabilities->len : 0;
	char **copy = g_new0(char *, count + 1);

	for (guint i = 0; i < count; i++)
		copy[i] = g_strdup(g_ptr_array_index(session->capabilities, i));
	return copy;
}

bool
imap_session_enabled(const ImapSession *session, const char *extension)
{
	return holds_word(session->enabled, extension);
}

unsigned
imap_session_quirks(const ImapSession *session)
{
	return session->quirks;
}

void
imap_session_add_quirks(ImapSession *session, unsigned quirks)
{
	session->quirks |= quirks;
}

size_t
imap_session_in_flight(const ImapSession *session)
{
	return session->in_flight.length;
}

size_t
imap_session_waiting(const ImapSession *session)
{
	return session->waiting.length;
}

uint64_t
imap_session_round_trips(const ImapSession *session)
{
	return session->round_trips;
}
