#include "session-private.h"

/* Mechanisms whose initial response is all they need. */
bool
imap_login_is_one_step(const char *mechanism)
{
	static const char *const names[] = { "PLAIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER",
					     "ANONYMOUS" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_ascii_strcasecmp(mechanism, names[i]))
			return true;
	return false;
}

static void
wipe(char *text, size_t size)
{
	if (text)
		explicit_bzero(text, size);
	g_free(text);
}

void
imap_login_prepare(ImapSession *session, Pending *pending)
{
	char *encoded;

	session->riders_fit = false;
	if (!pending->initial || session->quirks & IMAP_QUIRK_NO_SASL_IR ||
	    !imap_session_has(session, "SASL-IR"))
		return;
	session->riders_fit = pending->one_step;
	encoded = pending->initial_size
		      ? g_base64_encode((const guchar *)pending->initial, pending->initial_size)
		      : g_strdup("=");
	imap_command_secret_atom(pending->command, span_of_string(encoded));
	pending->initial_sent = true;
	wipe(encoded, strlen(encoded));
}

static void
answer(ImapSession *session, const char *bytes, size_t size)
{
	char *encoded = g_base64_encode((const guchar *)bytes, size);

	imap_session_write_line(session, span_of_string(encoded), "[redacted]");
	wipe(encoded, strlen(encoded));
}

/* RFC 9051, 6.2.2: "*" is the client's way out; the server then owes BAD. */
static void
abort_exchange(ImapSession *session, Pending *pending, const char *why)
{
	log_event(session->log, session->name, "AUTHENTICATE given up: %s", why);
	pending->aborted = true;
	imap_session_write_line(session, SPAN_LITERAL("*"), "*");
}

/* Base64 as RFC 4648, 4 has it and nothing else; NULL for noise. */
static char *
decode(Span text, size_t *size)
{
	char *encoded, *bytes;
	size_t length = span_size(text), padding = 0;

	if (length % 4)
		return NULL;
	while (padding < 2 && padding < length && text.end[-1 - (ptrdiff_t)padding] == '=')
		padding++;
	for (const char *p = text.at; p < text.end - padding; p++)
		if (!g_ascii_isalnum(*p) && *p != '+' && *p != '/')
			return NULL;
	encoded = g_strndup(length ? text.at : "", length);
	bytes = (char *)g_base64_decode(encoded, size);
	wipe(encoded, length);
	return bytes;
}

static void
step(ImapSession *session, Pending *pending, Span challenge)
{
	size_t size = 0, answer_size = 0;
	char *bytes = decode(challenge, &size), *answer_bytes = NULL;

	if (!bytes) {
		abort_exchange(session, pending, "the challenge is no base64");
		return;
	}
	if (!pending->step ||
	    !pending->step(pending->data, span_of(bytes, size), &answer_bytes, &answer_size))
		abort_exchange(session, pending, "the mechanism does not go on");
	else
		answer(session, answer_bytes ? answer_bytes : "", answer_size);
	wipe(answer_bytes, answer_size);
	wipe(bytes, size);
}

/* The server wants a line, and has one already: that of the first rider, which it takes for the
 * answer.  Neither its login nor that rider can come to anything. */
static bool
swallow_rider(ImapSession *session, Pending *pending)
{
	GList *at = g_queue_find(&session->in_flight, pending);

	for (at = at ? at->next : NULL; at; at = at->next) {
		Pending *rider = at->data;

		if (rider->swallowed)
			continue;
		rider->swallowed = true;
		log_event(session->log, session->name, "%s was taken for the answer to a challenge",
			  rider->tag);
		return true;
	}
	return false;
}

void
imap_login_continue(ImapSession *session, Pending *pending, Span challenge)
{
	bool asks_again =
	    pending->initial_sent && !pending->initial_again && span_is_empty(challenge);

	/* With the initial response given, no mechanism of ours is due an empty challenge: the server
	 * announced SASL-IR (RFC 4959), and did not read what it brought. */
	if (asks_again)
		session->quirks |= IMAP_QUIRK_NO_SASL_IR;
	if (swallow_rider(session, pending))
		return;
	session->riders_fit = session->last_step = false;
	session->owner = pending;
	if (pending->aborted) {
		imap_session_fail(session, POSTERN_ERROR_PROTOCOL,
				  _("the server does not let a login be given up"));
	} else if (pending->cancelled) {
		abort_exchange(session, pending, "cancelled");
	} else if (pending->initial && !pending->initial_sent) {
		pending->initial_sent = true;
		pending->initial_again = true;
		answer(session, pending->initial, pending->initial_size);
	} else if (asks_again && pending->initial) {
		pending->initial_again = true;
		answer(session, pending->initial, pending->initial_size);
	} else if (span_size(challenge) > CHALLENGE_MAX_BYTES) {
		abort_exchange(session, pending, "the challenge is too long");
	} else {
		step(session, pending, challenge);
		if (session->last_step && !pending->aborted) {
			session->riders_fit = true;
			session->owner = NULL;
		}
	}
}

void
imap_session_last_step(ImapSession *session)
{
	session->last_step = true;
}
