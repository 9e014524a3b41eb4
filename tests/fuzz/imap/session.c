/* A session that does a little of everything, at the mercy of a server that says anything.  The
 * first byte of the input chooses what it does.  The same bytes, whole and one at a time, must come
 * to the same words of ours and to the same events. */
#include "imap/session.h"

typedef struct Owner {
	ImapSession *session;
	uint8_t plan;
	uint32_t events; /* a hash of what was told, in its order */
	uint32_t words;	 /* ... of what was said */
	int asked, told;
	bool over;
	uint64_t literal_left;
	bool tls;
} Owner;

enum {
	PLAN_IN_CLEAR = 1 << 0,
	PLAN_EXCHANGE = 1 << 1,
	PLAN_COMPRESS = 1 << 2,
	PLAN_IDLE = 1 << 3,
	PLAN_CANCEL = 1 << 4,
	PLAN_KEEP = 1 << 5,
	PLAN_LOGIN = 1 << 6,
	PLAN_LOGOUT = 1 << 7,
};

static void
mix(uint32_t *hash, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ p[i]) * 16777619u;
}

static void
note(Owner *owner, char what, const void *bytes, size_t size)
{
	mix(&owner->events, &what, 1);
	if (size)
		mix(&owner->events, bytes, size);
}

static void
on_done(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Owner *owner = data;

	owner->told++;
	note(owner, 'd', &ticket, sizeof(ticket));
	note(owner, 'o', &outcome, sizeof(outcome));
	g_assert(!response == (outcome >= IMAP_OUTCOME_CANCELLED));
	if (response && !owner->tls)
		g_assert(span_is_empty(response->text) && !response->code);
}

static ImapTicket
ask(Owner *owner, const char *name, const char *text, const char *value, ImapSendFlags flags)
{
	ImapCommand *command = imap_command_new(name);
	ImapTicket ticket;

	if (text)
		imap_command_text(command, "%s", text);
	if (value)
		imap_command_string(command, span_of_string(value));
	ticket = imap_session_send(owner->session, command, flags, 0, on_done, owner);
	owner->asked += ticket != 0;
	return ticket;
}

static bool
on_challenge(void *data, Span challenge, char **answer, size_t *answer_size)
{
	Owner *owner = data;

	note(owner, 'c', challenge.at, span_size(challenge));
	if (span_size(challenge) % 7 == 3)
		return false;
	*answer = g_strdup("answer");
	*answer_size = 6;
	return true;
}

static void
on_ready(void *data)
{
	Owner *owner = data;
	ImapTicket ticket;

	note(owner, 'r', NULL, 0);
	if (owner->plan & PLAN_LOGIN)
		owner->asked += imap_session_login(owner->session, SPAN_LITERAL("ada"),
						   SPAN_LITERAL("p\"w"), on_done, owner) != 0;
	else
		owner->asked +=
		    imap_session_authenticate(owner->session,
					      owner->plan & PLAN_EXCHANGE ? "SCRAM-SHA-1" : "PLAIN",
					      SPAN_LITERAL("initial"), on_challenge, on_done,
					      owner) != 0;
	ask(owner, "CAPABILITY", NULL, NULL, IMAP_RIDE);
	ask(owner, "SELECT", "INBOX", NULL, IMAP_RIDE);
	ticket = ask(owner, "UID FETCH", "1:* (FLAGS BODY.PEEK[])", NULL, IMAP_RIDE);
	if (owner->plan & PLAN_CANCEL)
		imap_session_cancel(owner->session, ticket);
	ask(owner, "FETCH", "1:* (FLAGS)", NULL, IMAP_SEND_NORMAL);
	ask(owner, "UID SEARCH", "SUBJECT", "\xc3\xa9", IMAP_SEND_NORMAL);
	ask(owner, "UID SEARCH", "RETURN (ALL) ALL", NULL, IMAP_SEND_NORMAL);
	if (owner->plan & PLAN_COMPRESS)
		owner->asked += imap_session_compress(owner->session, on_done, owner) != 0;
	if (owner->plan & PLAN_IDLE)
		owner->asked += imap_session_idle(owner->session, on_done, owner) != 0;
}

static void
on_start_tls(void *data)
{
	Owner *owner = data;

	owner->tls = true;
	imap_session_tls_started(owner->session);
}

static void
on_start_deflate(void *data)
{
	note(data, 'z', NULL, 0);
}

static void
on_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	Owner *owner = data;

	g_assert(owner->tls);
	note(owner, 'u', &response->type, sizeof(response->type));
	note(owner, 't', &ticket, sizeof(ticket));
	note(owner, 'x', response->text.at, span_size(response->text));
	if (!imap_session_is_idling(owner->session) || owner->asked > 100)
		return;
	if (owner->plan & PLAN_LOGOUT)
		ask(owner, "LOGOUT", NULL, NULL, IMAP_SEND_NORMAL);
	else
		ask(owner, "SELECT", "Archive", NULL, IMAP_SEND_NORMAL);
}

static bool
on_literal(void *data, Span prefix, uint64_t size)
{
	Owner *owner = data;

	note(owner, 'l', &size, sizeof(size));
	if (owner->plan & PLAN_KEEP)
		return false;
	owner->literal_left = size;
	return true;
}

static void
on_literal_bytes(void *data, Span bytes)
{
	Owner *owner = data;

	g_assert(span_size(bytes) <= owner->literal_left);
	owner->literal_left -= span_size(bytes);
	if (!span_is_empty(bytes))
		mix(&owner->events, bytes.at, span_size(bytes));
}

static void
take_output(Owner *owner)
{
	Span out = imap_session_output(owner->session);

	if (span_is_empty(out))
		return;
	mix(&owner->words, out.at, span_size(out));
	imap_session_written(owner->session, span_size(out));
}

static void
play(Owner *owner, const uint8_t *bytes, size_t size, size_t piece)
{
	static const ImapSessionHandler handler = {
		on_ready, on_start_tls, on_start_deflate, on_response, on_literal, on_literal_bytes,
	};
	ImapLimits limits = imap_limits_default;

	limits.max_line_bytes = 4096;
	limits.max_response_bytes = 16384;
	limits.max_literal_bytes = 1 << 20;
	limits.stream_from_bytes = 16;
	owner->tls = !(owner->plan & PLAN_IN_CLEAR);
	owner->session = imap_session_new(&handler, owner, owner->tls, &limits, NULL, "fuzz");
	if (!owner->tls)
		owner->asked += imap_session_starttls(owner->session, on_done, owner) != 0;
	for (size_t at = 0; at < size; at += piece) {
		Span in = span_of(bytes + at, MIN(piece, size - at));

		if (!imap_session_tick(owner->session, 1000, NULL))
			break;
		while (!span_is_empty(in) && imap_session_feed(owner->session, &in, NULL))
			if (imap_session_state(owner->session) == IMAP_STATE_CLOSED)
				break;
		take_output(owner);
	}
	owner->over = imap_session_state(owner->session) == IMAP_STATE_CLOSED;
	imap_session_end(owner->session);
	imap_session_tick(owner->session, 2000, NULL);
	g_assert(owner->asked == owner->told);
	g_assert(!imap_session_in_flight(owner->session));
	g_assert(!imap_session_waiting(owner->session));
	imap_session_free(owner->session);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Owner whole = { 0 }, pieces = { 0 };

	if (!size)
		return 0;
	whole.plan = pieces.plan = bytes[0];
	play(&whole, bytes + 1, size - 1, size);
	play(&pieces, bytes + 1, size - 1, 1);
	/* In clear, bytes behind the answer to STARTTLS are seen sooner when they come together. */
	if (!(whole.plan & PLAN_IN_CLEAR)) {
		g_assert(whole.events == pieces.events);
		g_assert(whole.over == pieces.over);
		/* What was not taken before the end is not said. */
		g_assert(whole.over || whole.words == pieces.words);
		g_assert(whole.asked == pieces.asked);
	}
	return 0;
}
