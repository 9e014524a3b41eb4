/* A run of bytes that somebody else owns: [at, end).  Never NUL terminated, may hold NULs.
 * Any thread.  A span is as short-lived as what it points into; the header that hands one
 * out says how long that is. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Span {
	const char *at;
	const char *end;
} Span;

#define SPAN_EMPTY ((Span){ NULL, NULL })
/* A string literal as a span, without its NUL. */
#define SPAN_LITERAL(text) ((Span){ (text), (text) + sizeof(text) - 1 })

static inline Span
span_of(const void *bytes, size_t size)
{
	/* nothing may be added to NULL, not even nothing (C17, 6.5.6) */
	return (Span){ (const char *)bytes, size ? (const char *)bytes + size : bytes };
}

/* NULL gives the empty span. */
static inline Span
span_of_string(const char *text)
{
	return text ? span_of(text, strlen(text)) : SPAN_EMPTY;
}

static inline size_t
span_size(Span span)
{
	return (size_t)(span.end - span.at);
}

static inline bool
span_is_empty(Span span)
{
	return span.at == span.end;
}

static inline bool
span_equals(Span a, Span b)
{
	return span_size(a) == span_size(b) &&
	       (span_is_empty(a) || !memcmp(a.at, b.at, span_size(a)));
}

/* ASCII letters compared without case, whatever the locale. */
bool span_equals_nocase(Span a, Span b);
bool span_is(Span span, const char *text);	  /* the same bytes as TEXT */
bool span_is_nocase(Span span, const char *text); /* likewise, ASCII without case */
bool span_starts_nocase(Span span, const char *prefix);

/* "number": 1*DIGIT and nothing else, at most MAX.  *VALUE is untouched when it says no. */
bool span_to_number(Span span, uint64_t max, uint64_t *value);

/* A NUL-terminated copy, the caller's to g_free.  A NUL inside cuts what C sees of it. */
char *span_dup(Span span);

#endif
