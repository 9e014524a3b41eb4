#include "imap/framer.h"

#include "base/i18n.h"

/* Where a line of digits in braces is a literal, and where it is only text.
 *
 * The framer knows no grammar but this: a line that ends in "{digits}" announces a literal, unless
 * it is the human text of a status response (OK, NO, BAD, BYE, PREAUTH, tagged or not) or of a
 * continuation, which may say anything ("* OK see {3}").  Behind an open response code the
 * exception does not hold yet: RFC 3501 lets BADCHARSET carry an astring, so a literal.
 *
 * A quoted string cannot cross a line's end, so "{12}" at a line's end inside an unclosed quote is
 * broken either way.  It is taken as a literal too: the parser then meets a line end inside
 * quotes and refuses the whole response.  The other choice would let a stray quote turn the bytes
 * of a message into responses.
 *
 * For the same reason an LF without its CR is no line end inside the quotes of numbered data ("* 5
 * FETCH"), when this server has ended a line with CRLF before: it is a stranger's subject. */

typedef enum {
	LITERAL_NONE,
	LITERAL_SIZE,
	LITERAL_BAD,
} LiteralKind;

struct ImapFramer {
	ImapLimits limits;
	ImapLiteralSink sink;
	void *data;

	/* A response lies in the input ("loose"), or, once it did not fit there or had a streamed
	 * literal, in HELD.  Then bytes are moved to HELD as they are taken. */
	char *held;
	size_t held_size, held_capacity;
	bool is_held;
	bool is_delivered; /* HELD was handed out: it ends with the next call */

	size_t line_start;     /* offset in the response of the line being read */
	uint64_t literal_left; /* of the literal being read */
	bool in_literal, is_streaming;
	bool has_crlf;	   /* a line of this stream ended so */
	size_t quote_seen; /* how far into the response its quotes were followed */
	bool in_quote;	   /* there */
	bool in_code;	   /* a status response whose "[code" was still open at its last literal */
	size_t n_literals;
	uint64_t announced; /* by the last literal */
	bool has_too_many;  /* literals, when it failed */
	GArray *streamed;   /* of size_t */
	ImapFrameResult failure;
};

/* The response so far: SIZE bytes, in the input or in HELD. */
typedef struct Walk {
	const char *start; /* of the response, while it is loose */
	const char *at, *end;
} Walk;

const ImapLimits imap_limits_default = {
	.max_line_bytes = 16 << 20,
	.max_response_bytes = 32 << 20,
	.max_literal_bytes = INT32_MAX,
	.max_literals = 10000,
	.stream_from_bytes = 16 << 10,
};

/* More than this is given back between two responses. */
#define HELD_KEEP_BYTES (256 << 10)

/* Digits in a literal's size: 2^63 - 1 has 19. */
#define SIZE_DIGITS 19

static void begin_response(ImapFramer *framer);
static ImapFrameResult take_lines(ImapFramer *framer, Walk *walk);

ImapFramer *
imap_framer_new(const ImapLimits *limits, const ImapLiteralSink *sink, void *data)
{
	ImapFramer *framer = g_new0(ImapFramer, 1);

	framer->limits = limits ? *limits : imap_limits_default;
	if (sink)
		framer->sink = *sink;
	framer->data = data;
	framer->streamed = g_array_new(false, false, sizeof(size_t));
	framer->failure = IMAP_FRAME_WHOLE;
	return framer;
}

void
imap_framer_free(ImapFramer *framer)
{
	if (!framer)
		return;
	g_free(framer->held);
	g_array_unref(framer->streamed);
	g_free(framer);
}

static void
hold(ImapFramer *framer, const char *at, size_t size)
{
	if (framer->held_capacity - framer->held_size < size) {
		size_t want = MAX(framer->held_size + size, framer->held_capacity * 2);

		framer->held_capacity = MAX(want, 4096);
		framer->held = g_realloc(framer->held, framer->held_capacity);
	}
	if (size)
		memcpy(framer->held + framer->held_size, at, size);
	framer->held_size += size;
}

/* From here on the response lies in HELD. */
static void
move_to_held(ImapFramer *framer, Walk *walk)
{
	if (framer->is_held)
		return;
	hold(framer, walk->start, (size_t)(walk->at - walk->start));
	framer->is_held = true;
}

static void
take_bytes(ImapFramer *framer, Walk *walk, size_t size)
{
	if (framer->is_held)
		hold(framer, walk->at, size);
	walk->at += size;
}

static Span
response_so_far(const ImapFramer *framer, const Walk *walk)
{
	if (framer->is_held)
		return span_of(framer->held, framer->held_size);
	return (Span){ walk->start, walk->at };
}

static size_t
response_size(const ImapFramer *framer, const Walk *walk)
{
	return framer->is_held ? framer->held_size : (size_t)(walk->at - walk->start);
}

ImapFrameResult
imap_framer_take(ImapFramer *framer, Span *in, ImapFrame *out)
{
	Walk walk = { in->at, in->at, in->end };
	ImapFrameResult result;
	Span text;

	if (framer->failure != IMAP_FRAME_WHOLE)
		return framer->failure;
	if (framer->is_delivered)
		begin_response(framer);
	result = take_lines(framer, &walk);
	in->at = walk.at;
	if (result == IMAP_FRAME_MORE) {
		if (walk.at > walk.start)
			move_to_held(framer, &walk);
		return result;
	}
	if (result != IMAP_FRAME_WHOLE) {
		framer->has_too_many = framer->n_literals > framer->limits.max_literals;
		begin_response(framer);
		framer->failure = result;
		return result;
	}
	text = response_so_far(framer, &walk);
	text.end--; /* the LF */
	while (text.end > text.at + framer->line_start && text.end[-1] == '\r')
		text.end--;
	out->text = text;
	out->streamed = (const size_t *)framer->streamed->data;
	out->n_streamed = framer->streamed->len;
	framer->is_delivered = true;
	return IMAP_FRAME_WHOLE;
}

static void
begin_line(ImapFramer *framer, size_t offset)
{
	framer->line_start = framer->quote_seen = offset;
	framer->in_quote = false;
}

static void
begin_response(ImapFramer *framer)
{
	if (framer->held_capacity > HELD_KEEP_BYTES) {
		g_clear_pointer(&framer->held, g_free);
		framer->held_capacity = 0;
	}
	framer->held_size = 0;
	framer->is_held = false;
	framer->is_delivered = false;
	begin_line(framer, 0);
	framer->in_literal = false;
	framer->in_code = false;
	framer->n_literals = 0;
	g_array_set_size(framer->streamed, 0);
}

/* "OK", "NO", ... as the second word of RESPONSE, or a "+" as its first: *REST is the text. */
static bool
is_status(Span response, Span *rest)
{
	static const char *const words[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };
	const char *p = response.at, *word;

	if (p < response.end && *p == '+') {
		*rest = (Span){ p + 1, response.end };
		return true;
	}
	while (p < response.end && *p != ' ')
		p++;
	while (p < response.end && *p == ' ')
		p++;
	word = p;
	while (p < response.end && g_ascii_isalpha(*p))
		p++;
	*rest = (Span){ p, response.end };
	if (p < response.end && *p != ' ')
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (span_is_nocase((Span){ word, p }, words[i]))
			return true;
	}
	return false;
}

/* True when the end of RESPONSE's last line lies in the human text of a status response.  Looks at
 * the last line only, so that many lines stay linear. */
static bool
ends_in_text(ImapFramer *framer, Span response)
{
	Span line = { response.at + framer->line_start, response.end };

	if (framer->line_start == 0) {
		if (!is_status(response, &line))
			return false;
		while (line.at < line.end && *line.at == ' ')
			line.at++;
		if (line.at == line.end || *line.at != '[')
			return true;
		framer->in_code = true;
	}
	if (!framer->in_code || !memchr(line.at, ']', span_size(line)))
		return false;
	framer->in_code = false;
	return true;
}

/* Whether RESPONSE, whose last line has just ended (without the line end), announces a literal.
 * *BRACE is the offset of its "{". */
static LiteralKind
find_literal(ImapFramer *framer, Span response, size_t *brace, uint64_t *size)
{
	const char *first = response.at + framer->line_start;
	const char *p = response.end, *digits;
	Span number;

	if (p == first || p[-1] != '}')
		return LITERAL_NONE;
	for (digits = --p; digits > first; digits--) {
		if (!g_ascii_isdigit(digits[-1]) && digits[-1] != '+' && digits[-1] != '-')
			break;
	}
	if (digits == p || digits == first || digits[-1] != '{' || ends_in_text(framer, response))
		return LITERAL_NONE;
	*brace = (size_t)(digits - 1 - response.at);
	number = (Span){ digits, p[-1] == '+' ? p - 1 : p };
	if (span_size(number) > SIZE_DIGITS || !span_to_number(number, INT64_MAX, size))
		return LITERAL_BAD;
	return LITERAL_SIZE;
}

/* Whether the lone LF behind RESPONSE stands inside quotes.  Looks at each byte once. */
static bool
is_quoted_lf(ImapFramer *framer, Span response)
{
	const char *p = response.at + framer->quote_seen;

	if (!framer->has_crlf || span_size(response) < 3 || memcmp(response.at, "* ", 2) != 0 ||
	    !g_ascii_isdigit(response.at[2]))
		return false;
	for (; p < response.end; p++) {
		if (*p == '"')
			framer->in_quote = !framer->in_quote;
		else if (*p == '\\' && framer->in_quote && p + 1 < response.end)
			p++;
	}
	framer->quote_seen = (size_t)(p - response.at);
	return framer->in_quote;
}

/* A line has ended and announced a literal.  WALK stands on its LF still. */
static ImapFrameResult
begin_literal(ImapFramer *framer, Walk *walk, size_t brace, uint64_t size)
{
	size_t used = response_size(framer, walk) + 1;
	Span prefix = response_so_far(framer, walk);

	framer->announced = size;
	if (size > framer->limits.max_literal_bytes ||
	    ++framer->n_literals > framer->limits.max_literals)
		return IMAP_FRAME_TOO_BIG;
	while (prefix.end[-1] != '}')
		prefix.end--;
	framer->is_streaming = size >= framer->limits.stream_from_bytes && framer->sink.wanted &&
			       framer->sink.wanted(framer->data, prefix, size);
	if (!framer->is_streaming && size > framer->limits.max_response_bytes - used)
		return IMAP_FRAME_TOO_BIG;
	take_bytes(framer, walk, 1);
	if (framer->is_streaming) {
		move_to_held(framer, walk);
		g_array_append_val(framer->streamed, brace);
	}
	framer->in_literal = true;
	framer->literal_left = size;
	return IMAP_FRAME_WHOLE;
}

/* False: its bytes are not all here yet. */
static bool
take_literal(ImapFramer *framer, Walk *walk)
{
	size_t here = (size_t)(walk->end - walk->at);
	size_t size = (size_t)MIN((uint64_t)here, framer->literal_left);

	if (framer->is_streaming) {
		const char *at = walk->at;

		walk->at += size;
		if (size && framer->sink.bytes)
			framer->sink.bytes(framer->data, span_of(at, size));
	} else {
		take_bytes(framer, walk, size);
	}
	framer->literal_left -= size;
	if (framer->literal_left)
		return false;
	framer->in_literal = false;
	begin_line(framer, response_size(framer, walk));
	return true;
}

/* WHOLE: WALK is behind the line's LF, and the response is complete.  On a failure it stands before
 * the line's LF, so that imap_framer_resync skips this line and no more. */
static ImapFrameResult
take_lines(ImapFramer *framer, Walk *walk)
{
	const ImapLimits *limits = &framer->limits;

	for (;;) {
		size_t used, line_used, line_room, room, here, brace;
		ImapFrameResult result;
		LiteralKind kind;
		uint64_t size;
		const char *lf;
		Span text;

		if (framer->in_literal && !take_literal(framer, walk))
			return IMAP_FRAME_MORE;
		used = response_size(framer, walk);
		line_used = used - framer->line_start;
		line_room = limits->max_line_bytes - MIN(line_used, limits->max_line_bytes);
		room = limits->max_response_bytes - MIN(used, limits->max_response_bytes);
		here = (size_t)(walk->end - walk->at);
		lf = here ? memchr(walk->at, '\n', MIN(here, MIN(room, line_room))) : NULL;
		if (!lf && here < MIN(room, line_room)) {
			take_bytes(framer, walk, here);
			return IMAP_FRAME_MORE;
		}
		if (!lf) {
			walk->at += MIN(room, line_room);
			return line_room <= room ? IMAP_FRAME_TOO_LONG : IMAP_FRAME_TOO_BIG;
		}
		take_bytes(framer, walk, (size_t)(lf - walk->at));
		text = response_so_far(framer, walk);
		if (text.end > text.at + framer->line_start && text.end[-1] == '\r') {
			framer->has_crlf = true;
		} else if (is_quoted_lf(framer, text)) {
			take_bytes(framer, walk, 1);
			continue;
		}
		while (text.end > text.at + framer->line_start && text.end[-1] == '\r')
			text.end--;
		kind = find_literal(framer, text, &brace, &size);
		if (kind == LITERAL_NONE) {
			take_bytes(framer, walk, 1);
			return IMAP_FRAME_WHOLE;
		}
		if (kind == LITERAL_BAD)
			return IMAP_FRAME_BAD_LITERAL;
		result = begin_literal(framer, walk, brace, size);
		if (result != IMAP_FRAME_WHOLE)
			return result;
	}
}

bool
imap_framer_is_empty(const ImapFramer *framer)
{
	return framer->is_delivered || (!framer->is_held && !framer->in_literal);
}

bool
imap_frame_has_literal(const ImapFrame *frame)
{
	Span rest = frame->text;
	const char *lf;

	while (!span_is_empty(rest) && (lf = memchr(rest.at, '\n', span_size(rest)))) {
		if (lf > frame->text.at && (lf[-1] == '\r' || lf[-1] == '}'))
			return true;
		rest.at = lf + 1;
	}
	return false;
}

static char *
amount_text(uint64_t bytes)
{
	if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
		return g_strdup_printf(_("%u MiB"), (unsigned)(bytes >> 20));
	if (bytes >= 1 << 10 && bytes % (1 << 10) == 0)
		return g_strdup_printf(_("%u KiB"), (unsigned)(bytes >> 10));
	return g_strdup_printf(_("%u bytes"), (unsigned)bytes);
}

static char *
too_big_text(const ImapFramer *framer)
{
	const ImapLimits *limits = &framer->limits;
	g_autofree char *announced = g_strdup_printf("%" G_GUINT64_FORMAT, framer->announced);
	g_autofree char *most = g_strdup_printf("%" G_GUINT64_FORMAT, limits->max_literal_bytes);
	g_autofree char *whole = amount_text(limits->max_response_bytes);

	if (framer->announced > limits->max_literal_bytes)
		return g_strdup_printf(
		    _("the server announced %s bytes where at most %s are taken"), announced, most);
	if (framer->has_too_many)
		return g_strdup_printf(_("the server sent more than %u texts in one answer"),
				       (unsigned)limits->max_literals);
	return g_strdup_printf(_("the server sent an answer of more than %s"), whole);
}

char *
imap_framer_complaint(const ImapFramer *framer)
{
	g_autofree char *most = amount_text(framer->limits.max_line_bytes);

	switch (framer->failure) {
	case IMAP_FRAME_TOO_LONG:
		return g_strdup_printf(_("the server sent a line of more than %s"), most);
	case IMAP_FRAME_TOO_BIG:
		return too_big_text(framer);
	case IMAP_FRAME_BAD_LITERAL:
		return g_strdup(_("the server announced an impossible number of bytes"));
	case IMAP_FRAME_WHOLE:
	case IMAP_FRAME_MORE:
		break;
	}
	return g_strdup(_("the server's answer is cut short"));
}

bool
imap_framer_resync(ImapFramer *framer, Span *in)
{
	const char *lf = span_is_empty(*in) ? NULL : memchr(in->at, '\n', span_size(*in));

	begin_response(framer);
	if (!lf) {
		in->at = in->end;
		return false;
	}
	in->at = lf + 1;
	framer->failure = IMAP_FRAME_WHOLE;
	return true;
}
