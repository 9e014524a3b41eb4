#include "player.h"

#include "base/error.h"

struct Player {
	ImapSession *session;
	GQueue events;	/* of char *, owned */
	GQueue answers; /* of char *, owned: for challenges */
	GString *output;
	bool takes_literals;
	uint64_t literal_size, literal_seen;
	uint32_t literal_sum; /* shows whether a byte is lost, doubled or changed */
	int64_t now_ms;
};

GString *
player_unescape(const char *text)
{
	GString *out = g_string_new(NULL);

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && (p[1] == 'r' || p[1] == 'n')) {
			g_string_append_c(out, p[1] == 'r' ? '\r' : '\n');
			p++;
		} else if (p[0] == '\\' && p[1] == 'x' && g_ascii_isxdigit(p[2]) &&
			   g_ascii_isxdigit(p[3])) {
			g_string_append_c(out, (char)(g_ascii_xdigit_value(p[2]) * 16 +
						      g_ascii_xdigit_value(p[3])));
			p += 3;
		} else {
			g_string_append_c(out, *p);
		}
	}
	return out;
}

/* ---- events ------------------------------------------------------------------------------ */

static void note(Player *player, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
note(Player *player, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_queue_push_tail(&player->events, g_strdup_vprintf(format, args));
	va_end(args);
}

#define SHOWN_BYTES 200

static void
put_span(GString *line, Span span)
{
	size_t size = span_size(span);

	if (size > SHOWN_BYTES) {
		g_string_append_printf(line, "%zu bytes", size);
		return;
	}
	for (const char *p = span.at; p < span.end; p++) {
		if (*p >= 0x20 && *p < 0x7f)
			g_string_append_c(line, *p);
		else
			g_string_append_printf(line, "\\x%02x", (unsigned char)*p);
	}
}

static void
put_ranges(GString *line, ImapRanges ranges)
{
	for (size_t i = 0; i < ranges.count; i++) {
		g_string_append_printf(line, "%s%u", i ? "," : " ", ranges.at[i].low);
		if (ranges.at[i].high != ranges.at[i].low)
			g_string_append_printf(line, ":%u", ranges.at[i].high);
	}
}

static void
put_fetch(GString *line, const ImapFetch *fetch)
{
	if (fetch->present & IMAP_FETCH_UID)
		g_string_append_printf(line, " uid=%u", fetch->uid.value);
	if (fetch->present & IMAP_FETCH_FLAGS)
		g_string_append_printf(line, " flags=%u", fetch->flags.bits);
	if (fetch->present & IMAP_FETCH_MODSEQ)
		g_string_append_printf(line, " modseq=%" G_GUINT64_FORMAT, fetch->modseq);
	if (fetch->present & IMAP_FETCH_ENVELOPE) {
		g_string_append(line, " subject=");
		put_span(line, fetch->envelope.subject);
	}
	for (size_t i = 0; i < fetch->n_sections; i++) {
		const ImapBodySection *section = &fetch->sections[i];

		g_string_append_c(line, ' ');
		put_span(line, section->item);
		g_string_append_c(line, '[');
		put_span(line, section->section);
		g_string_append(line, "]=");
		if (section->streamed)
			g_string_append_printf(line, "streamed%u", section->stream_number);
		else
			put_span(line, section->bytes);
	}
}

static void
put_detail(GString *line, const ImapResponse *response)
{
	switch (response->type) {
	case IMAP_RESPONSE_EXISTS:
	case IMAP_RESPONSE_RECENT:
	case IMAP_RESPONSE_EXPUNGE:
		g_string_append_printf(line, " %" G_GUINT64_FORMAT, response->number);
		break;
	case IMAP_RESPONSE_FETCH:
		g_string_append_printf(line, " %u", response->fetch.seq.value);
		put_fetch(line, &response->fetch);
		break;
	case IMAP_RESPONSE_VANISHED:
		put_ranges(line, response->ranges);
		break;
	case IMAP_RESPONSE_SEARCH:
		for (size_t i = 0; i < response->numbers.count; i++)
			g_string_append_printf(line, " %u", response->numbers.at[i]);
		break;
	case IMAP_RESPONSE_ESEARCH:
		put_ranges(line, response->esearch.all);
		break;
	case IMAP_RESPONSE_LIST:
	case IMAP_RESPONSE_LSUB:
		g_string_append_c(line, ' ');
		put_span(line, response->list.name);
		break;
	case IMAP_RESPONSE_STATUS:
		g_string_append_c(line, ' ');
		put_span(line, response->status.mailbox);
		break;
	default:
		break;
	}
}

/* "OK [UIDVALIDITY] the text", "FETCH 3 uid=7 flags=1". */
static char *
describe(const ImapResponse *response)
{
	GString *line = g_string_new(NULL);

	put_span(line, response->name);
	if (response->type <= IMAP_RESPONSE_PREAUTH) {
		if (response->code_name.at) {
			g_string_append(line, " [");
			put_span(line, response->code_name);
			g_string_append_c(line, ']');
		}
		if (!span_is_empty(response->text)) {
			g_string_append_c(line, ' ');
			put_span(line, response->text);
		}
	}
	put_detail(line, response);
	return g_string_free(line, FALSE);
}

static void
on_ready(void *data)
{
	note(data, "ready");
}

static void
on_start_tls(void *data)
{
	note(data, "start-tls");
}

static void
on_start_deflate(void *data)
{
	note(data, "start-deflate");
}

static void
on_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	g_autofree char *line = describe(response);

	if (ticket)
		note(data, "data %s (A%u)", line, ticket);
	else
		note(data, "data %s", line);
}

static bool
on_literal(void *data, Span prefix, uint64_t size)
{
	Player *player = data;

	note(player, "literal of %" G_GUINT64_FORMAT, size);
	player->literal_size = size;
	player->literal_seen = 0;
	player->literal_sum = 0;
	return player->takes_literals;
}

static void
on_literal_bytes(void *data, Span bytes)
{
	Player *player = data;

	for (const char *p = bytes.at; p < bytes.end; p++)
		player->literal_sum = player->literal_sum * 31 + (unsigned char)*p;
	player->literal_seen += span_size(bytes);
	if (player->literal_seen >= player->literal_size)
		note(player, "literal is whole, %" G_GUINT64_FORMAT " bytes, sum %08x",
		     player->literal_seen, player->literal_sum);
}

static void
on_done(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	static const char *const names[] = { "OK", "NO", "BAD", "CANCELLED", "CLOSED" };
	g_autofree char *line = response ? describe(response) : g_strdup(names[outcome]);

	note(data, "A%u %s", ticket, line);
}

static bool
on_challenge(void *data, Span challenge, char **answer, size_t *answer_size)
{
	Player *player = data;
	g_autoptr(GString) line = g_string_new(NULL);

	put_span(line, challenge);
	note(player, "challenge \"%s\"", line->str);
	*answer = g_queue_pop_head(&player->answers);
	/* By "last-answer": the mechanism is content with it. */
	if (*answer && g_str_has_prefix(*answer, "last:")) {
		memmove(*answer, *answer + 5, strlen(*answer + 5) + 1);
		imap_session_last_step(player->session);
	}
	*answer_size = *answer ? strlen(*answer) : 0;
	return *answer;
}

/* ---- the owner --------------------------------------------------------------------------- */

Player *
player_new(bool tls, Log *log)
{
	static const ImapSessionHandler handler = {
		on_ready, on_start_tls, on_start_deflate, on_response, on_literal, on_literal_bytes,
	};
	Player *player = g_new0(Player, 1);
	ImapLimits limits = imap_limits_default;

	limits.max_line_bytes = 128 * 1024; /* so that one byte at a time takes no second */
	g_queue_init(&player->events);
	g_queue_init(&player->answers);
	player->output = g_string_new(NULL);
	player->takes_literals = true;
	player->now_ms = 1000;
	player->session = imap_session_new(&handler, player, tls, &limits, log, "imap");
	return player;
}

void
player_free(Player *player)
{
	imap_session_free(player->session);
	g_queue_clear_full(&player->events, g_free);
	g_queue_clear_full(&player->answers, g_free);
	g_string_free(player->output, TRUE);
	g_free(player);
}

static void
note_error(Player *player, const GError *error)
{
	static const char *const names[] = { "USAGE",	  "CONFIG",  "OFFLINE",	 "TRUST",
					     "LOGIN",	  "REFUSED", "PROTOCOL", "GONE",
					     "CANCELLED", "STORE",   "FILE" };

	note(player, "closed %s: %s", names[error->code], error->message);
}

static void
tick(Player *player)
{
	g_autoptr(GError) error = NULL;

	if (imap_session_state(player->session) == IMAP_STATE_CLOSED)
		return;
	if (!imap_session_tick(player->session, player->now_ms, &error))
		note_error(player, error);
}

void
player_feed(Player *player, const GString *bytes, PlayerChunk next_size, void *data)
{
	size_t at = 0;

	while (at < bytes->len && imap_session_state(player->session) != IMAP_STATE_CLOSED) {
		g_autoptr(GError) error = NULL;
		size_t piece = next_size(data), size = MIN(piece, bytes->len - at);
		/* A copy of its own size, so that a sanitizer sees one byte too far. */
		g_autofree char *copy = g_memdup2(bytes->str + at, size);
		Span in = span_of(copy, size);

		at += size;
		tick(player);
		while (!span_is_empty(in) &&
		       imap_session_state(player->session) != IMAP_STATE_CLOSED) {
			if (!imap_session_feed(player->session, &in, &error)) {
				note_error(player, error);
				break;
			}
		}
	}
}

GString *
player_output(Player *player)
{
	Span out = imap_session_output(player->session);

	if (!span_is_empty(out)) {
		g_string_append_len(player->output, out.at, (gssize)span_size(out));
		imap_session_written(player->session, span_size(out));
	}
	return player->output;
}

char *
player_take_event(Player *player)
{
	return g_queue_pop_head(&player->events);
}

const char *
player_peek_event(const Player *player)
{
	return g_queue_peek_head((GQueue *)&player->events);
}

/* ---- commands ---------------------------------------------------------------------------- */

/* Takes one argument off *TEXT: a word, or KIND'bytes' (a: astring, s: string, m: mailbox,
 * p: secret, 8: literal8), or KIND*N for N times "x", or a lone parenthesis. */
static void
put_argument(ImapCommand *command, const char **text)
{
	const char *p = *text, *end;
	g_autoptr(GString) value = NULL;
	g_autofree char *raw = NULL;
	char kind = *p;

	if (p[0] && p[1] == '\'' && (end = strchr(p + 2, '\''))) {
		raw = g_strndup(p + 2, (gsize)(end - p - 2));
		value = player_unescape(raw);
		end++;
	} else if (p[0] && p[1] == '*' && g_ascii_isdigit(p[2])) {
		gsize size = (gsize)g_ascii_strtoull(p + 2, (char **)&end, 10);

		value = g_string_new(NULL);
		while (value->len < size)
			g_string_append_c(value, 'x');
	} else if (g_str_equal(p, ")") || g_str_has_prefix(p, ") ")) {
		imap_command_close(command);
		end = p + 1;
	} else if (g_str_has_prefix(p, "( ")) {
		imap_command_open(command);
		end = p + 1;
	} else {
		end = p + strcspn(p, " ");
		raw = g_strndup(p, (gsize)(end - p));
		imap_command_text(command, "%s", raw);
	}
	*text = end + strspn(end, " ");
	if (!value)
		return;
	if (kind == 'a')
		imap_command_astring(command, span_of(value->str, value->len));
	else if (kind == 's')
		imap_command_string(command, span_of(value->str, value->len));
	else if (kind == 'm')
		imap_command_mailbox(command, span_of(value->str, value->len));
	else if (kind == 'p')
		imap_command_secret(command, span_of(value->str, value->len));
	else
		imap_command_literal8(command, span_of(value->str, value->len));
}

static void
send_command(Player *player, const char *text, ImapSendFlags flags)
{
	size_t length = strcspn(text, " ");
	g_autofree char *name = NULL;
	ImapCommand *command;

	if (g_str_has_prefix(text, "UID "))
		length = 4 + strcspn(text + 4, " ");
	name = g_strndup(text, length);
	command = imap_command_new(g_intern_string(name));
	text += length;
	text += strspn(text, " ");
	while (*text)
		put_argument(command, &text);
	if (!imap_session_send(player->session, command, flags, 0, on_done, player))
		note(player, "refused");
}

/* "PLAIN" or "PLAIN initial bytes". */
static void
authenticate(Player *player, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	g_autoptr(GString) initial = words[1] ? player_unescape(words[1]) : NULL;
	Span span = initial ? span_of(initial->str, initial->len) : SPAN_EMPTY;

	if (!imap_session_authenticate(player->session, words[0], span, on_challenge, on_done,
				       player))
		note(player, "refused");
}

static void
login(Player *player, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	g_autoptr(GString) password = player_unescape(words[1]);

	if (!imap_session_login(player->session, span_of_string(words[0]),
				span_of(password->str, password->len), on_done, player))
		note(player, "refused");
}

bool
player_do(Player *player, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 2);
	const char *verb = words[0], *rest = words[0] && words[1] ? words[1] : "";
	ImapSession *session = player->session;

	if (!strcmp(verb, "send"))
		send_command(player, rest, IMAP_SEND_NORMAL);
	else if (!strcmp(verb, "ride"))
		send_command(player, rest, IMAP_RIDE);
	else if (!strcmp(verb, "first"))
		send_command(player, rest, IMAP_FIRST);
	else if (!strcmp(verb, "authenticate"))
		authenticate(player, rest);
	else if (!strcmp(verb, "last-answer"))
		g_queue_push_tail(&player->answers, g_strconcat("last:", rest, NULL));
	else if (!strcmp(verb, "answer"))
		g_queue_push_tail(&player->answers, g_strdup(rest));
	else if (!strcmp(verb, "login"))
		login(player, rest);
	else if (!strcmp(verb, "starttls"))
		imap_session_starttls(session, on_done, player);
	else if (!strcmp(verb, "tls"))
		imap_session_tls_started(session);
	else if (!strcmp(verb, "compress"))
		imap_session_compress(session, on_done, player);
	else if (!strcmp(verb, "idle"))
		imap_session_idle(session, on_done, player);
	else if (!strcmp(verb, "cancel"))
		imap_session_cancel(session, (ImapTicket)g_ascii_strtoull(rest + 1, NULL, 10));
	else if (!strcmp(verb, "keep-literals"))
		player->takes_literals = false;
	else if (!strcmp(verb, "quirk-no-pipeline"))
		imap_session_add_quirks(session, IMAP_QUIRK_NO_PIPELINE);
	else if (!strcmp(verb, "quirk-no-sasl-ir"))
		imap_session_add_quirks(session, IMAP_QUIRK_NO_SASL_IR);
	else if (!strcmp(verb, "line-ends"))
		imap_session_end(session);
	else if (!strcmp(verb, "wait"))
		player->now_ms += (int64_t)g_ascii_strtoull(rest, NULL, 10);
	else if (strcmp(verb, "tick"))
		return false;
	tick(player);
	return true;
}

/* ---- claims ------------------------------------------------------------------------------ */

static char *
differs(const char *is, const char *value)
{
	return strcmp(is, value) ? g_strdup(is) : NULL;
}

static char *
number_differs(uint64_t is, const char *value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, is);

	return differs(text, value);
}

static char *
quirks_differ(unsigned quirks, const char *value)
{
	static const struct {
		ImapQuirk quirk;
		const char *name;
	} rows[] = {
		{ IMAP_QUIRK_NO_SASL_IR, "NO_SASL_IR" },
		{ IMAP_QUIRK_ID_BEFORE_SELECT, "ID_BEFORE_SELECT" },
		{ IMAP_QUIRK_NO_LIST_EXTENDED, "NO_LIST_EXTENDED" },
		{ IMAP_QUIRK_NO_PIPELINE, "NO_PIPELINE" },
		{ IMAP_QUIRK_FEW_ERRORS, "FEW_ERRORS" },
		{ IMAP_QUIRK_NO_REV2, "NO_REV2" },
		{ IMAP_QUIRK_OUTBOX_SENDS, "OUTBOX_SENDS" },
		{ IMAP_QUIRK_UIDS_MOVE, "UIDS_MOVE" },
		{ IMAP_QUIRK_NO_KEYWORDS, "NO_KEYWORDS" },
		{ IMAP_QUIRK_FILES_SENT, "FILES_SENT" },
		{ IMAP_QUIRK_NO_NOTIFY_NONE, "NO_NOTIFY_NONE" },
		{ IMAP_QUIRK_NO_PAST_END, "NO_PAST_END" },
		{ IMAP_QUIRK_NO_RIDE, "NO_RIDE" },
	};
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (quirks & rows[i].quirk)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", rows[i].name);
	return differs(text->len ? text->str : "none", value);
}

char *
player_check(Player *player, const char *claim, const char *value)
{
	static const char *const states[] = {
		"GREETING",	 "PLAIN",    "STARTING_TLS", "LOGIN",
		"AUTHENTICATED", "SELECTED", "LOGOUT",	     "CLOSED"
	};
	ImapSession *session = player->session;
	int64_t deadline;

	if (!strcmp(claim, "is"))
		return differs(states[imap_session_state(session)], value);
	if (!strcmp(claim, "has"))
		return imap_session_has(session, value) ? NULL : g_strdup("not announced");
	if (!strcmp(claim, "hasnt"))
		return imap_session_has(session, value) ? g_strdup("announced") : NULL;
	if (!strcmp(claim, "enabled"))
		return imap_session_enabled(session, value) ? NULL : g_strdup("not enabled");
	if (!strcmp(claim, "knows"))
		return differs(imap_session_knows(session) ? "yes" : "no", value);
	if (!strcmp(claim, "idling"))
		return differs(imap_session_is_idling(session) ? "yes" : "no", value);
	if (!strcmp(claim, "trips"))
		return number_differs(imap_session_round_trips(session), value);
	if (!strcmp(claim, "in-flight"))
		return number_differs(imap_session_in_flight(session), value);
	if (!strcmp(claim, "waiting"))
		return number_differs(imap_session_waiting(session), value);
	if (!strcmp(claim, "quirks"))
		return quirks_differ(imap_session_quirks(session), value);
	if (!strcmp(claim, "deadline-in")) {
		deadline = imap_session_deadline_ms(session);
		if (deadline == INT64_MAX)
			return differs("never", value);
		return number_differs((uint64_t)MAX(deadline - player->now_ms, 0), value);
	}
	return g_strdup("no such claim");
}
