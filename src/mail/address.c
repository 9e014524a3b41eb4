#include "mail/header.h"

#include <string.h>

#define LITERAL_MAX 64 /* "[IPv6:...]" is shorter */

/* A list of addresses, as it is being read. */
typedef struct Reader {
	GString *out;
	Span left;
	GString *phrase;   /* what is not in "<>" nor in "()", quotes undone, not decoded */
	GString *verbatim; /* the same, quotes and all */
	GString *comment;  /* what is in "()" */
	GString *angle;	   /* what is in "<>" */
	bool has_angle;
	bool in_group;
	bool needs_comma;
} Reader;

static bool
is_atom_char(char c)
{
	return (unsigned char)c >= 0x80 || g_ascii_isalnum(c) ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static void
put_quoted(GString *out, const char *text, size_t size)
{
	g_string_append_c(out, '"');
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"' || text[i] == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, text[i]);
	}
	g_string_append_c(out, '"');
}

/* RFC 5322, 3.4.1: a dot-atom, or quoted. */
static void
put_mailbox(GString *out, const char *text, size_t size)
{
	bool plain = size > 0 && text[0] != '.' && text[size - 1] != '.';

	for (size_t i = 0; plain && i < size; i++)
		plain = is_atom_char(text[i]) || (text[i] == '.' && text[i + 1] != '.');
	if (plain || size == 0)
		g_string_append_len(out, text, (gssize)size);
	else
		put_quoted(out, text, size);
}

/* A phrase (RFC 5322, 3.2.5, and dots, as in its 4.1), or quoted. */
static void
put_phrase(GString *out, const char *text, size_t size)
{
	bool plain = true;

	for (size_t i = 0; plain && i < size; i++)
		plain = is_atom_char(text[i]) ||
			(text[i] == ' ' && i + 1 < size && text[i + 1] != ' ') ||
			(text[i] == '.' && i > 0);
	if (plain)
		g_string_append_len(out, text, (gssize)size);
	else
		put_quoted(out, text, size);
}

static void
trim(GString *text)
{
	size_t start = 0, end = text->len;

	while (start < end && g_ascii_isspace(text->str[start]))
		start++;
	while (end > start && g_ascii_isspace(text->str[end - 1]))
		end--;
	g_string_truncate(text, end);
	g_string_erase(text, 0, (gssize)start);
}

/* Also takes off one pair of quotes, which says nothing. */
static void
trim_name(GString *name)
{
	trim(name);
	if (name->len >= 2 && name->str[0] == name->str[name->len - 1] &&
	    (name->str[0] == '"' || name->str[0] == '\'')) {
		g_string_truncate(name, name->len - 1);
		g_string_erase(name, 0, 1);
		trim(name);
	}
}

/* NAME is decoded; ADDRESS is whole. */
static void
put_address(GString *out, GString *name, const GString *address)
{
	trim_name(name);
	if (name->len == 0 || (address->len > 0 && !g_ascii_strcasecmp(name->str, address->str))) {
		g_string_append_len(out, address->str, (gssize)address->len);
		return;
	}
	put_phrase(out, name->str, name->len);
	g_string_append(out, " <");
	g_string_append_len(out, address->str, (gssize)address->len);
	g_string_append_c(out, '>');
}

/* 8-bit bytes to UTF-8, and nothing else: an encoded word in an address is a trick. */
static void
put_raw(GString *out, Span text)
{
	while (!span_is_empty(text)) {
		const char *mark = memchr(text.at, '=', span_size(text));
		Span piece = { text.at, mark ? mark + 1 : text.end };

		mail_header_decode(piece, NULL, out);
		text.at = piece.end;
	}
}

/* With what it takes to decode, trim and quote. */
static void
append_odd_address(GString *out, Span name, Span mailbox, Span host)
{
	g_autoptr(GString) decoded = g_string_new(NULL);
	g_autoptr(GString) address = g_string_new(NULL);
	g_autoptr(GString) local = g_string_new(NULL);

	mail_header_decode(name, NULL, decoded);
	put_raw(local, mailbox);
	put_mailbox(address, local->str, local->len);
	if (!span_is_empty(host)) {
		g_string_append_c(address, '@');
		put_raw(address, host);
	}
	put_address(out, decoded, address);
}

/* Letters, digits, "-" and "_", in runs with one GAP between two: what decoding, trimming and quoting
 * would leave as it is.  Most names, mailboxes and hosts are so, and a mailbox has many. */
static bool
is_common(Span text, char gap)
{
	bool after_gap = true;

	for (const char *p = text.at; p < text.end; p++) {
		if (*p != gap && !g_ascii_isalnum(*p) && *p != '-' && *p != '_')
			return false;
		if (*p == gap && after_gap)
			return false;
		after_gap = *p == gap;
	}
	return !after_gap;
}

static char *
put_span(char *to, Span text)
{
	memcpy(to, text.at, span_size(text));
	return to + span_size(text);
}

/* All three are common; NAME may be empty.  Written in one go. */
static void
append_common_address(GString *out, Span name, Span mailbox, Span host)
{
	size_t at = out->len, size = span_size(mailbox) + 1 + span_size(host);
	char *to;

	g_string_set_size(out, at + size + (span_is_empty(name) ? 0 : span_size(name) + 3));
	to = out->str + at;
	if (!span_is_empty(name)) {
		to = put_span(to, name);
		*to++ = ' ';
		*to++ = '<';
	}
	to = put_span(to, mailbox);
	*to++ = '@';
	to = put_span(to, host);
	if (!span_is_empty(name))
		*to = '>';
}

void
mail_address_append(GString *out, Span name, Span mailbox, Span host)
{
	if (is_common(mailbox, '.') && is_common(host, '.') &&
	    (span_is_empty(name) || is_common(name, ' ')))
		append_common_address(out, name, mailbox, host);
	else
		append_odd_address(out, name, mailbox, host);
}

/* At '"': through the closing one, or to the end. */
static void
read_quoted(Reader *reader)
{
	const char *p = reader->left.at + 1;

	for (; p < reader->left.end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < reader->left.end)
			p++;
		g_string_append_c(reader->phrase, *p);
	}
	g_string_append_len(reader->verbatim, reader->left.at, p - reader->left.at);
	g_string_append_c(reader->verbatim, '"');
	reader->left.at = p < reader->left.end ? p + 1 : p;
}

/* At "(": comments nest, but here they only count. */
static void
read_comment(Reader *reader)
{
	const char *p = reader->left.at;
	size_t depth = 0;

	g_string_truncate(reader->comment, 0);
	for (; p < reader->left.end; p++) {
		if (*p == '\\' && p + 1 < reader->left.end)
			p++;
		else if (*p == '(' && depth++ == 0)
			continue;
		else if (*p == ')' && --depth == 0)
			break;
		g_string_append_c(reader->comment, *p);
	}
	reader->left.at = p < reader->left.end ? p + 1 : p;
}

/* At "<"; a route in front of the address (RFC 5322, 4.4) leads nowhere any more. */
static void
read_angle(Reader *reader)
{
	const char *p = reader->left.at + 1, *start = p;
	bool quoted = false;

	for (; p < reader->left.end && (quoted || *p != '>'); p++) {
		if (*p == '\\' && quoted && p + 1 < reader->left.end)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == ':' && !quoted && start < p && *start == '@' &&
			 !memchr(start, '[', (size_t)(p - start)))
			start = p + 1;
	}
	g_string_truncate(reader->angle, 0);
	put_raw(reader->angle, (Span){ start, p });
	trim(reader->angle);
	reader->has_angle = true;
	reader->left.at = p < reader->left.end ? p + 1 : p;
}

/* At "[": a literal domain, which may hold a colon. */
static void
read_literal(Reader *reader)
{
	const char *p = memchr(reader->left.at, ']', MIN(span_size(reader->left), LITERAL_MAX));

	p = p ? p + 1 : reader->left.at + 1;
	g_string_append_len(reader->phrase, reader->left.at, p - reader->left.at);
	g_string_append_len(reader->verbatim, reader->left.at, p - reader->left.at);
	reader->left.at = p;
}

/* White space that is not in quotes: no address then. */
static bool
has_space(const GString *text)
{
	bool quoted = false;

	for (size_t i = 0; i < text->len; i++) {
		if (text->str[i] == '"')
			quoted = !quoted;
		else if (!quoted && g_ascii_isspace(text->str[i]))
			return true;
	}
	return false;
}

static void
start_address(Reader *reader)
{
	g_string_truncate(reader->phrase, 0);
	g_string_truncate(reader->verbatim, 0);
	g_string_truncate(reader->comment, 0);
	g_string_truncate(reader->angle, 0);
	reader->has_angle = false;
}

static void
decode_onto(GString *out, const GString *raw)
{
	mail_header_decode(span_of(raw->str, raw->len), NULL, out);
}

/* At a comma, a group's end or the end of all: writes what was read. */
static void
end_address(Reader *reader)
{
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) address = g_string_new(NULL);

	trim(reader->verbatim);
	if (!reader->has_angle && reader->verbatim->len == 0 && reader->comment->len == 0)
		return;
	if (reader->needs_comma)
		g_string_append(reader->out, ", ");
	reader->needs_comma = true;
	if (reader->has_angle) {
		decode_onto(name, reader->phrase);
		trim(name);
		if (name->len == 0)
			decode_onto(name, reader->comment);
		put_address(reader->out, name, reader->angle);
	} else if (memchr(reader->verbatim->str, '@', reader->verbatim->len) &&
		   !has_space(reader->verbatim)) {
		decode_onto(name, reader->comment);
		put_raw(address, span_of(reader->verbatim->str, reader->verbatim->len));
		put_address(reader->out, name, address);
	} else {
		decode_onto(name, reader->phrase->len ? reader->phrase : reader->comment);
		trim_name(name);
		put_phrase(reader->out, name->str, name->len);
	}
	start_address(reader);
}

/* At ":", after a group's name. */
static void
start_group(Reader *reader)
{
	g_autoptr(GString) name = g_string_new(NULL);

	decode_onto(name, reader->phrase);
	trim_name(name);
	if (reader->needs_comma)
		g_string_append(reader->out, ", ");
	put_phrase(reader->out, name->str, name->len);
	g_string_append_c(reader->out, ':');
	if (reader->left.at < reader->left.end && *reader->left.at != ';')
		g_string_append_c(reader->out, ' ');
	reader->needs_comma = false;
	reader->in_group = true;
	start_address(reader);
}

static void
read_one(Reader *reader)
{
	char c = *reader->left.at;

	if (c == '"') {
		read_quoted(reader);
	} else if (c == '(') {
		read_comment(reader);
	} else if (c == '<') {
		read_angle(reader);
	} else if (c == '[') {
		read_literal(reader);
	} else if (c == ',') {
		reader->left.at++;
		end_address(reader);
	} else if (c == ';') {
		reader->left.at++;
		end_address(reader);
		if (reader->in_group)
			g_string_append_c(reader->out, ';');
		reader->in_group = false;
	} else if (c == ':' && !reader->in_group && !reader->has_angle) {
		reader->left.at++;
		start_group(reader);
	} else {
		reader->left.at++;
		g_string_append_c(reader->phrase, c);
		g_string_append_c(reader->verbatim, c);
	}
}

void
mail_address_list_append(GString *out, Span raw)
{
	g_autoptr(GString) phrase = g_string_new(NULL);
	g_autoptr(GString) verbatim = g_string_new(NULL);
	g_autoptr(GString) comment = g_string_new(NULL);
	g_autoptr(GString) angle = g_string_new(NULL);
	Reader reader = {
		.out = out,
		.left = raw,
		.phrase = phrase,
		.verbatim = verbatim,
		.comment = comment,
		.angle = angle,
	};

	while (!span_is_empty(reader.left))
		read_one(&reader);
	end_address(&reader);
}

/* An "@", or what passes for one. */
static bool
looks_like_address(const char *name)
{
	return strchr(name, '@') || strstr(name, "\xef\xbc\xa0") || strstr(name, "\xef\xb9\xab");
}

char *
mail_address_short(const char *list)
{
	g_autoptr(GString) name = g_string_new(NULL);
	const char *p = list, *angle, *end;

	if (*p == '"') {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			g_string_append_c(name, *p);
		}
		if (*p)
			p++;
	} else {
		p += strcspn(p, "<,:@;");
		g_string_append_len(name, list, p - list);
	}
	end = p + strcspn(p, "<,;");
	angle = *end == '<' ? end : NULL;
	if (!angle && *p == '@')
		return g_strndup(list, (size_t)(end - list));
	trim(name);
	if (angle && (name->len == 0 || looks_like_address(name->str)))
		return g_strndup(angle + 1, strcspn(angle + 1, ">"));
	return g_strdup(name->str);
}
