#include "base/span.h"

bool
span_equals_nocase(Span a, Span b)
{
	return span_size(a) == span_size(b) &&
	       (span_is_empty(a) || !g_ascii_strncasecmp(a.at, b.at, span_size(a)));
}

bool
span_is(Span span, const char *text)
{
	return span_equals(span, span_of_string(text));
}

bool
span_is_nocase(Span span, const char *text)
{
	return span_equals_nocase(span, span_of_string(text));
}

bool
span_starts_nocase(Span span, const char *prefix)
{
	Span want = span_of_string(prefix);

	if (span_size(span) < span_size(want))
		return false;
	span.end = span.at + span_size(want);
	return span_equals_nocase(span, want);
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
