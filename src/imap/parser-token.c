#include "parser-private.h"

/* Bits of IMAP_CHAR_*, by byte.  Bytes from 0x80 up may stand anywhere: servers send raw 8-bit. */
/* clang-format off */
const uint8_t imap_chars[256] = {
	0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 11, 1, 11, 11, 11, 11, 11, 2, 2, 11, 11, 11, 11, 11, 11,
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 11, 11, 3, 11, 3, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 3, 9, 3, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 3, 11, 3, 11, 2,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
};
/* clang-format on */

static bool
take_run(Span *in, unsigned kind, Span *out)
{
	const char *p;

	imap_skip_spaces(in);
	for (p = in->at; p < in->end && imap_char_is(*p, kind); p++)
		;
	*out = (Span){ in->at, p };
	if (p == in->at)
		return false;
	in->at = p;
	return true;
}

bool
imap_take_word(Span *in, Span *out)
{
	return take_run(in, IMAP_CHAR_WORD, out);
}

bool
imap_take_name(Span *in, Span *out)
{
	return take_run(in, IMAP_CHAR_NAME, out);
}

/* *SATURATED: the value went over MAX, which stands in its place. */
static bool
take_digits(Span *in, uint64_t max, uint64_t *number, bool *saturated)
{
	const char *p;
	uint64_t n = 0;

	*saturated = false;
	imap_skip_spaces(in);
	for (p = in->at; p < in->end && imap_char_is(*p, IMAP_CHAR_DIGIT); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (max - digit) / 10)
			*saturated = true;
		n = n * 10 + digit;
	}
	if (p == in->at)
		return false;
	*number = *saturated ? max : n;
	in->at = p;
	return true;
}

bool
imap_take_number_capped(Span *in, uint64_t max, uint64_t *number)
{
	bool saturated;

	return take_digits(in, max, number, &saturated);
}

static bool
take_checked(Span *in, uint64_t max, uint64_t *number)
{
	const char *start = in->at;
	bool saturated;

	if (!take_digits(in, max, number, &saturated))
		return false;
	if (saturated)
		in->at = start;
	return !saturated;
}

bool
imap_take_number64(Span *in, uint64_t *number)
{
	return take_checked(in, INT64_MAX, number);
}

bool
imap_take_number(Span *in, uint32_t *number)
{
	uint64_t wide;

	if (!take_checked(in, UINT32_MAX, &wide))
		return false;
	*number = (uint32_t)wide;
	return true;
}

/* ---- strings ----------------------------------------------------------------------------------- */

/* Not 0 when one of WORD's bytes is 0, or is N.  The lowest bit set is that of the first one in
 * memory on a little-endian machine; above it there may be others that mean nothing. */
#define BYTES(n)	  (UINT64_C(0x0101010101010101) * (n))
#define HAS_ZERO(word)	  (((word)-BYTES(1)) & ~(word)&BYTES(0x80))
#define HAS_BYTE(word, n) HAS_ZERO((word) ^ BYTES(n))

/* The first byte that does not stand for itself in a quoted string, or END.  Eight at a time: most
 * of what a server says lies between quotes. */
static const char *
skip_plain(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t word, marks;

		memcpy(&word, p, 8);
		marks = HAS_BYTE(word, '"') | HAS_BYTE(word, '\\') | HAS_BYTE(word, '\n') |
			HAS_ZERO(word);
		if (!marks)
			continue;
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
		return p + (__builtin_ctzll(marks) >> 3);
#else
		break;
#endif
	}
	while (p < end && imap_char_is(*p, IMAP_CHAR_PLAIN))
		p++;
	return p;
}

/* What else may stand between the quotes inside FETCH: a NUL, and a lone LF, unless it could be the
 * end of a literal's head. */
static bool
is_forgiven(ImapParser *parser, const char *p)
{
	if (!parser->is_lenient || (*p != '\0' && (*p != '\n' || p[-1] == '\r' || p[-1] == '}')))
		return false;
	parser->is_odd = true;
	return true;
}

/* Moves P, which stands behind the opening quote, to the closing one.  NULL: there is none on this
 * line, or a NUL comes first (RFC 9051 forbids it; Dovecot and mutt had holes there). */
static const char *
find_quote(ImapParser *parser, const char *p, const char *end, bool *has_escapes)
{
	*has_escapes = false;
	for (;;) {
		p = skip_plain(p, end);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p;
		if (*p != '\\') {
			if (!is_forgiven(parser, p))
				return NULL;
			p++;
			continue;
		}
		if (end - p < 2)
			return NULL;
		*has_escapes = true;
		p++;
		if (*p != '\0' && *p != '\n')
			p++; /* those two are judged as if they stood alone */
	}
}

/* A backslash before anything but a quote or a backslash stands for itself: servers that forget to
 * escape send "\Sent" so. */
static Span
unescape(ImapParser *parser, Span raw)
{
	char *to = imap_arena_take(&parser->arena, span_size(raw)), *start = to;

	for (const char *p = raw.at; p < raw.end; p++) {
		if (*p == '\\' && (p[1] == '\\' || p[1] == '"'))
			p++;
		*to++ = *p;
	}
	return (Span){ start, to };
}

static bool
take_quoted(ImapParser *parser, Span *in, Span *out)
{
	bool has_escapes;
	const char *quote = find_quote(parser, in->at + 1, in->end, &has_escapes);

	if (!quote)
		return false;
	*out = (Span){ in->at + 1, quote };
	if (has_escapes)
		*out = unescape(parser, *out);
	in->at = quote + 1;
	return true;
}

/* The index in frame->streamed of the literal whose "{" is at AT, or -1.  Literals are mostly met
 * in order, so the search goes on where the last one ended. */
static int64_t
find_streamed(ImapParser *parser, const char *at)
{
	const ImapFrame *frame = parser->frame;
	size_t offset, i = parser->next_streamed;

	if (!frame || !frame->n_streamed)
		return -1;
	offset = (size_t)(at - frame->text.at);
	while (i > 0 && (i == frame->n_streamed || frame->streamed[i] > offset))
		i--;
	while (i + 1 < frame->n_streamed && frame->streamed[i] < offset)
		i++;
	parser->next_streamed = i;
	return frame->streamed[i] == offset ? (int64_t)i : -1;
}

bool
imap_take_literal_head(ImapParser *parser, Span *in, uint64_t *size, int64_t *streamed)
{
	Span rest = *in;
	const char *brace;

	if (rest.at < rest.end && *rest.at == '~')
		rest.at++;
	brace = rest.at;
	if (rest.at == rest.end || *rest.at != '{')
		return false;
	rest.at++;
	if (rest.at == rest.end || !imap_char_is(*rest.at, IMAP_CHAR_DIGIT) ||
	    !imap_take_number64(&rest, size))
		return false;
	if (rest.at < rest.end && *rest.at == '+')
		rest.at++;
	if (rest.at == rest.end || *rest.at++ != '}')
		return false;
	while (rest.at < rest.end && *rest.at == '\r')
		rest.at++;
	if (rest.at == rest.end || *rest.at++ != '\n')
		return false;
	*streamed = find_streamed(parser, brace);
	if (*streamed < 0 && *size > span_size(rest))
		return false;
	in->at = rest.at;
	parser->literal_end = rest.at + (*streamed < 0 ? *size : 0);
	return true;
}

static bool
take_literal(ImapParser *parser, Span *in, Span *out)
{
	Span rest = *in;
	uint64_t size;
	int64_t streamed;

	if (!imap_take_literal_head(parser, &rest, &size, &streamed))
		return false;
	if (streamed >= 0)
		size = 0;
	*out = span_of(rest.at, (size_t)size);
	rest.at += size;
	/* What clings to a message's literal is the rest of one longer than it said. */
	if (parser->is_lenient && rest.at < rest.end && *rest.at != ' ' && *rest.at != ')' &&
	    *rest.at != ']')
		return false;
	in->at = rest.at;
	return true;
}

bool
imap_take_string(ImapParser *parser, Span *in, Span *out)
{
	switch (imap_peek(in)) {
	case '"':
		return take_quoted(parser, in, out);
	case '{':
	case '~':
		return take_literal(parser, in, out);
	default:
		return false;
	}
}

bool
imap_take_astring(ImapParser *parser, Span *in, Span *out)
{
	char c = imap_peek(in);

	if (imap_take_string(parser, in, out))
		return true;
	/* An unclosed quote or a broken literal is no word. */
	return c != '"' && c != '{' && imap_take_word(in, out);
}

bool
imap_take_nstring(ImapParser *parser, Span *in, Span *out)
{
	if (imap_take_nil(in)) {
		*out = SPAN_EMPTY;
		return true;
	}
	return imap_take_astring(parser, in, out);
}

bool
imap_skip_string(ImapParser *parser, Span *in)
{
	bool has_escapes;
	const char *quote;
	Span out;

	if (imap_peek(in) != '"')
		return take_literal(parser, in, &out);
	quote = find_quote(parser, in->at + 1, in->end, &has_escapes);
	if (!quote)
		return false;
	in->at = quote + 1;
	return true;
}

bool
imap_skip_broken_word(ImapParser *parser, Span *in)
{
	const char *start = in->at;

	while (in->at < in->end && !strchr(" ()\r\n", *in->at ? *in->at : 'x')) {
		if (!imap_char_is(*in->at, IMAP_CHAR_WORD))
			parser->is_odd = true;
		in->at++;
	}
	return in->at > start;
}

static bool
skip_word(ImapParser *parser, Span *in)
{
	Span word;

	return parser->is_lenient ? imap_skip_broken_word(parser, in) : imap_take_word(in, &word);
}

static bool
skip_nested(ImapParser *parser, Span *in, size_t depth)
{
	Span word;

	do {
		switch (imap_peek(in)) {
		case '(':
			depth++;
			in->at++;
			break;
		case ')':
			if (!depth)
				return false;
			depth--;
			in->at++;
			break;
		case '"':
		case '{':
			if (!imap_skip_string(parser, in))
				return false;
			break;
		default:
			if (in->at == in->end ||
			    (!take_literal(parser, in, &word) && !skip_word(parser, in)))
				return false;
		}
	} while (depth);
	return true;
}

bool
imap_skip_value(ImapParser *parser, Span *in)
{
	return skip_nested(parser, in, 0);
}

bool
imap_skip_to_close(ImapParser *parser, Span *in)
{
	if (imap_take_char(in, ')'))
		return true;
	return skip_nested(parser, in, 1);
}
