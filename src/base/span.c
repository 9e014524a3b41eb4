#include "base/span.h"

/* Not g_ascii_strncasecmp: it ends at a NUL, and a span does not. */
static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool
span_equals_nocase(Span a, Span b)
{
	if (span_size(a) != span_size(b))
		return false;
	for (; a.at < a.end; a.at++, b.at++) {
		if (*a.at != *b.at && lower(*a.at) != lower(*b.at))
			return false;
	}
	return true;
}

bool
span_is(Span span, const char *text)
{
	return span_equals(span, span_of_string(text));
}

/* True when SPAN begins with TEXT; *SPAN is then what follows. */
static bool
skip_nocase(Span *span, const char *text)
{
	const char *p = span->at;

	for (; *text; p++, text++) {
		if (p == span->end || (*p != *text && lower(*p) != lower(*text)))
			return false;
	}
	span->at = p;
	return true;
}

bool
span_is_nocase(Span span, const char *text)
{
	return skip_nocase(&span, text) && span_is_empty(span);
}

bool
span_starts_nocase(Span span, const char *prefix)
{
	return skip_nocase(&span, prefix);
}

bool
span_to_number(Span span, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (span_is_empty(span))
		return false;
	for (const char *p = span.at; p < span.end; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (!g_ascii_isdigit(*p) || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*value = n;
	return true;
}

char *
span_dup(Span span)
{
	return span_is_empty(span) ? g_strdup("") : g_strndup(span.at, span_size(span));
}
