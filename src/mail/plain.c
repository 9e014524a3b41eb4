/* Plain text with what can be told from it: quotes, the signature (RFC 3676, 4.3), unified diffs,
 * and the addresses of pages (RFC 3986, appendix C). */
#include "base/i18n.h"
#include "link-private.h"
#include "rich-private.h"

#define JOINED_LINES_MAX 8 /* of an address in "<>" that was broken */
#define MARKS_MAX	 99
#define LINE_BYTES	 8 /* on average, or there are too many lines */
#define LINES_SPARE	 1000

typedef struct Plain {
	MailRich *rich;
	GHashTable *links;
	bool in_signature;
	bool in_diff_head;
	uint64_t removed, added; /* lines of a diff that are still to come */
	Span joined; /* an address that goes on in the lines below: where in the text, and which */
	uint32_t joined_link;
} Plain;

static Span
first_line(Span text)
{
	const char *newline = span_is_empty(text) ? NULL : memchr(text.at, '\n', span_size(text));

	return (Span){ text.at, newline ? newline : text.end };
}

/* ---- quotes ---- */

/* "> > text", ">>text": how deep, and where the text begins. */
static unsigned
take_marks(Span *line)
{
	unsigned depth = 0;

	for (const char *p = line->at; p < line->end && depth < MARKS_MAX; p++) {
		if (*p == '>') {
			depth++;
			line->at = p + 1;
		} else if (*p != ' ' || depth == 0 || (p + 1 < line->end && p[1] != '>')) {
			break;
		}
	}
	if (depth > 0 && line->at < line->end && *line->at == ' ')
		line->at++;
	return depth;
}

/* ---- diffs ---- */

static bool
take_count(Span *in, uint64_t *count)
{
	const char *p = in->at;

	while (p < in->end && g_ascii_isdigit(*p))
		p++;
	if (!span_to_number((Span){ in->at, p }, 1000000, count))
		return false;
	in->at = p;
	return true;
}

/* "-1,5", or "-1" for one line. */
static bool
take_range(Span *in, char sign, uint64_t *lines)
{
	uint64_t first;

	if (span_is_empty(*in) || *in->at != sign)
		return false;
	in->at++;
	*lines = 1;
	if (!take_count(in, &first))
		return false;
	if (span_is_empty(*in) || *in->at != ',')
		return true;
	in->at++;
	return take_count(in, lines);
}

/* "@@ -1,5 +1,7 @@ where". */
static bool
is_hunk(Span line, uint64_t *removed, uint64_t *added)
{
	if (!span_starts_nocase(line, "@@ "))
		return false;
	line.at += strlen("@@ ");
	if (!take_range(&line, '-', removed) || !span_starts_nocase(line, " "))
		return false;
	line.at++;
	return take_range(&line, '+', added) && span_starts_nocase(line, " @@");
}

/* "--- a/file", followed by "+++ b/file" and the first hunk; also from further down. */
static bool
is_diff_head(Span line, Span rest)
{
	Span next = first_line(rest);
	uint64_t removed, added;

	if (span_starts_nocase(line, "diff --git ") || span_starts_nocase(line, "Index: "))
		return true;
	if (span_starts_nocase(line, "--- "))
		return span_starts_nocase(next, "+++ ");
	return span_starts_nocase(line, "+++ ") && is_hunk(next, &removed, &added);
}

/* 0: it is no line of a diff. */
static uint16_t
diff_style(Plain *plain, Span line, Span rest)
{
	char first = span_is_empty(line) ? ' ' : *line.at;

	if (plain->removed || plain->added) {
		if (first == '+' && plain->added) {
			plain->added--;
			return MAIL_STYLE_ADDED;
		}
		if (first == '-' && plain->removed) {
			plain->removed--;
			return MAIL_STYLE_REMOVED;
		}
		if ((first == ' ' || first == '\t') && plain->added && plain->removed) {
			plain->added--;
			plain->removed--;
			return 0;
		}
		if (first == '\\')
			return 0;
		plain->added = plain->removed = 0;
	}
	if (is_hunk(line, &plain->removed, &plain->added)) {
		plain->in_diff_head = false;
		return MAIL_STYLE_DIFF;
	}
	/* "index 12ab..34cd", "rename from": what follows "diff" is its head up to the first hunk. */
	plain->in_diff_head =
	    !span_is_empty(line) && (plain->in_diff_head || is_diff_head(line, rest));
	return plain->in_diff_head ? MAIL_STYLE_DIFF : 0;
}

/* ---- addresses of pages ---- */

/* The length of what AT begins with, if that begins an address; else 0. */
static size_t
scheme_size(Span at)
{
	static const char *const schemes[] = { "https://", "http://", "ftp://", "mailto:", "www." };

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (span_starts_nocase(at, schemes[i]) && span_size(at) > strlen(schemes[i]) &&
		    ((unsigned char)at.at[strlen(schemes[i])] >= 0x80 ||
		     g_ascii_isalnum(at.at[strlen(schemes[i])]) ||
		     at.at[strlen(schemes[i])] == '['))
			return strlen(schemes[i]);
	return 0;
}

/* Up to white space, quotes or brackets; what ends a sentence is not of it, nor is a bracket that was
 * opened before it. */
static Span
take_address(Span at)
{
	Span url = { at.at, at.at };
	int open = 0;

	for (; url.end < at.end && !strchr(" \t<>\"`", *url.end); url.end++)
		open += (*url.end == '(') - (*url.end == ')');
	while (url.end > url.at && strchr(".,;:!?'*_)", url.end[-1])) {
		if (url.end[-1] == ')' && open >= 0)
			break;
		open += url.end[-1] == ')';
		url.end--;
	}
	return url;
}

/* The whole of an address that begins at URL in "<>", and whose lines were broken, with the end of it
 * in *END.  False: it is none. */
static bool
join_address(Span url, Span line, Span rest, GString *out, const char **end)
{
	g_string_truncate(out, 0);
	g_string_append_len(out, url.at, line.end - url.at);
	for (int i = 0; i < JOINED_LINES_MAX && !span_is_empty(rest); i++) {
		Span next = first_line(rest);
		const char *close;

		rest.at = next.end < rest.end ? next.end + 1 : rest.end;
		take_marks(&next);
		while (!span_is_empty(next) && *next.at == ' ')
			next.at++;
		close = span_is_empty(next) ? NULL : memchr(next.at, '>', span_size(next));
		*end = close ? close : next.end;
		for (const char *p = next.at; p < *end; p++)
			if (g_ascii_isspace(*p) || *p == '<' || *p == '"')
				return false;
		g_string_append_len(out, next.at, *end - next.at);
		if (close)
			return out->len <= LINK_MAX;
		if (span_is_empty(next))
			return false;
	}
	return false;
}

static uint32_t
add_link(Plain *plain, Span url)
{
	g_autoptr(GString) target = g_string_new(NULL);
	g_autofree char *href = span_starts_nocase(url, "www.") ? g_strdup("https://") : NULL;
	g_autofree char *bare = span_dup(url);
	g_autofree char *whole = g_strconcat(href ? href : "", bare, NULL);

	return link_target(whole, target) ? rich_add_link(plain->rich, plain->links, target->str)
					  : 0;
}

static void
put(Plain *plain, uint16_t style, uint32_t link, Span text)
{
	MailRun run = { .at = (uint32_t)plain->rich->text->len,
			.style = (uint16_t)(style | (link ? MAIL_STYLE_LINK : 0)),
			.link = link };

	if (span_is_empty(text))
		return;
	g_string_append_len(plain->rich->text, text.at, (gssize)span_size(text));
	run.end = (uint32_t)plain->rich->text->len;
	if (run.style)
		g_array_append_val(plain->rich->runs, run);
}

/* At an address?  Then it is put, and *AT moves past it. */
static bool
put_address(Plain *plain, uint16_t style, Span line, Span rest, const char **at)
{
	g_autoptr(GString) joined = NULL;
	Span url = take_address((Span){ *at, line.end });
	const char *end;

	if (span_size(url) < 5)
		return false;
	if (*at > line.at && (*at)[-1] == '<' && !memchr(*at, '>', (size_t)(line.end - *at)) &&
	    url.end == line.end) {
		joined = g_string_new(NULL);
		if (join_address(url, line, rest, joined, &end)) {
			plain->joined_link = add_link(plain, span_of(joined->str, joined->len));
			plain->joined = (Span){ line.end, end };
			put(plain, style, plain->joined_link, (Span){ *at, line.end });
			*at = line.end;
			return true;
		}
	}
	put(plain, style, add_link(plain, url), url);
	*at = url.end;
	return true;
}

static void
put_line(Plain *plain, uint16_t style, Span line, Span rest)
{
	const char *from = line.at;

	if (line.at < plain->joined.end && line.at > plain->joined.at) {
		const char *end = MIN(plain->joined.end, line.end);
		Span blank = { line.at, line.at };

		while (blank.end < end && *blank.end == ' ')
			blank.end++;
		put(plain, style, 0, blank);
		put(plain, style, plain->joined_link, (Span){ blank.end, end });
		from = end;
	}
	for (const char *p = from; p < line.end;) {
		bool word = p > line.at && (g_ascii_isalnum(p[-1]) || (unsigned char)p[-1] >= 0x80);
		const char *at = p;

		if (!word && strchr("hHfFmMwW", *p) && scheme_size((Span){ p, line.end })) {
			put(plain, style, 0, (Span){ from, p });
			if (put_address(plain, style, line, rest, &at)) {
				from = p = at;
				continue;
			}
			from = p;
		}
		p++;
	}
	put(plain, style, 0, (Span){ from, line.end });
}

/* ---- lines ---- */

/* Lines of quotes stay right of their marks. */
static unsigned
hang_of(Span marks)
{
	return (unsigned)MIN(span_size(marks), 32);
}

static void
take_line(Plain *plain, Span line, Span rest)
{
	Span text = line;
	MailBlock block = { .at = (uint32_t)plain->rich->text->len,
			    .quote = (uint8_t)take_marks(&text) };
	uint16_t style = 0;

	if (block.quote) {
		block.marked = (uint8_t)MIN(text.at - line.at, 255);
		block.hang = (uint8_t)hang_of((Span){ line.at, text.at });
		plain->removed = plain->added = 0;
	} else {
		style = diff_style(plain, line, rest);
		if (span_is(line, "-- ") && !style)
			plain->in_signature = true;
	}
	if (plain->in_signature)
		style |= MAIL_STYLE_SIGNATURE;
	put(plain, style, 0, (Span){ line.at, text.at });
	put_line(plain, style, text, rest);
	block.end = (uint32_t)plain->rich->text->len;
	g_array_append_val(plain->rich->blocks, block);
}

MailRich *
rich_of_plain(Span text, size_t max_bytes)
{
	Plain plain = { .rich = mail_rich_new() };
	size_t lines = max_bytes / LINE_BYTES + LINES_SPARE;

	plain.links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (; !span_is_empty(text) && lines > 0; lines--) {
		Span line = first_line(text);

		text.at = line.end < text.end ? line.end + 1 : text.end;
		take_line(&plain, line, text);
	}
	if (!span_is_empty(text))
		take_line(&plain, span_of_string(_("[Cut here: the rest is not shown.]")),
			  SPAN_EMPTY);
	g_hash_table_unref(plain.links);
	return plain.rich;
}
