#include "literal-private.h"

#include <string.h>

/* The "BODY[1.2]<4096> {8192}" that PREFIX ends in (RFC 9051, 7.5.2).  False: another literal.  What
 * stands before it may be a sender's words, and look like anything. */
static bool
take_section(Span prefix, LiteralName *name)
{
	Span at = prefix, digits;

	while (at.end > at.at && at.end[-1] != '{')
		at.end--;
	if (span_size(at) < 2 || at.end[-2] != ' ')
		return false;
	at.end -= 2;
	if (at.end > at.at && at.end[-1] == '>') {
		digits.end = digits.at = at.end - 1;
		while (digits.at > at.at && g_ascii_isdigit(digits.at[-1]))
			digits.at--;
		if (digits.at == at.at || digits.at[-1] != '<' ||
		    !span_to_number(digits, UINT64_MAX, &name->origin))
			return false;
		name->has_origin = true;
		at.end = digits.at - 1;
	}
	if (span_is_empty(at) || at.end[-1] != ']')
		return false;
	name->section.at = name->section.end = at.end - 1;
	while (name->section.at > at.at && name->section.at[-1] != '[')
		name->section.at--;
	at.end = name->section.at - 1;
	at.at = MAX(at.at, at.end - 4);
	return name->section.at > prefix.at && span_is_nocase(at, "BODY");
}

/* Servers name the UID first, but need not. */
static uint32_t
uid_of_prefix(Span prefix)
{
	static const char word[] = "UID ";
	uint64_t uid = 0;

	for (const char *p = prefix.at + 1; p + sizeof word - 1 < prefix.end; p++) {
		Span digits = { p + 4, p + 4 };

		if (memcmp(p, word, sizeof word - 1) || (p[-1] != '(' && p[-1] != ' '))
			continue;
		while (digits.end < prefix.end && g_ascii_isdigit(*digits.end))
			digits.end++;
		return span_to_number(digits, UINT32_MAX, &uid) ? (uint32_t)uid : 0;
	}
	return 0;
}

bool
literal_name(Span prefix, LiteralName *name)
{
	*name = (LiteralName){ .uid = uid_of_prefix(prefix) };
	return take_section(prefix, name);
}
