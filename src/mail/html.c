#include "html-private.h"
#include "walk-private.h"

#include <libxml/HTMLparser.h>

#define PLACEHOLDER	 "\xef\xbf\xbd" /* U+FFFD */
#define SLICE_SIZE	 1024	/* fed to the parser between two looks at what it did with it */
#define DEPTH_MAX	 250000 /* open elements: eight bytes each in the parser */
#define SLICE_SEPARATORS 500	/* white space and quotes in one slice */
#define SEPARATORS_MAX	 3000	/* in one tag: its attributes are fewer */
#define COST_MAX	 UINT64_C(200000000) /* comparisons in the parser: half a second */
#define COST_ERROR	 100		     /* to be told of one */
#define COST_DUPLICATE	 1000		     /* of an attribute that comes twice */

struct HtmlText {
	htmlParserCtxtPtr parser;
	Walk *walk;
	HtmlTextState state;
	uint64_t cost;
	size_t separators; /* in the tag that the parser has the beginning of, about */
	GString *clean;	   /* a slice that had controls */
};

static void
stop(HtmlText *html, HtmlTextState why)
{
	if (html->state == HTML_TEXT_MORE)
		html->state = why;
	xmlStopParser(html->parser);
}

static void
charge(HtmlText *html, uint64_t cost)
{
	html->cost += cost;
	if (html->cost > COST_MAX)
		stop(html, HTML_TEXT_TANGLED);
	else if (walk_is_full(html->walk))
		stop(html, HTML_TEXT_FULL);
}

/* ---- what the parser finds ---- */

static void
on_text(void *data, const xmlChar *text, int size)
{
	HtmlText *html = data;

	if (html->state != HTML_TEXT_MORE)
		return;
	walk_text(html->walk, (const char *)text, (size_t)size);
	charge(html, 0);
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
	HtmlText *html = data;
	uint64_t n = 0;

	if (html->state != HTML_TEXT_MORE)
		return;
	while (attributes && attributes[2 * n])
		n++;
	walk_start(html->walk, (const char *)name, (const char **)attributes);
	charge(html, 1 + n * n / 2);
	if (walk_depth(html->walk) > DEPTH_MAX)
		stop(html, HTML_TEXT_TANGLED);
}

static void
on_end(void *data, const xmlChar *name)
{
	HtmlText *html = data;

	if (html->state != HTML_TEXT_MORE)
		return;
	walk_end(html->walk, (const char *)name);
	charge(html, 0);
}

/* Errors are what mail is made of; they matter for what finding them cost. */
static void
on_error(void *data, xmlErrorPtr error)
{
	HtmlText *html = data;

	charge(html,
	       walk_depth(html->walk) +
		   (error->code == XML_ERR_ATTRIBUTE_REDEFINED ? COST_DUPLICATE : COST_ERROR));
}

/* ---- the parser ---- */

static void
open_parser(HtmlText *html)
{
	/* Around all of it: the parser stops at the end of its first element, and makes up a
	 * paragraph where there is no element. */
	static const char root[] = "<x-mail>";
	/* Nothing here loads anything: no external subset, no entities but HTML's own. */
	htmlSAXHandler sax = {
		.startElement = on_start,
		.endElement = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.serror = (xmlStructuredErrorFunc)on_error,
		.initialized = XML_SAX2_MAGIC,
	};

	html->parser = htmlCreatePushParserCtxt(&sax, html, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	htmlCtxtUseOptions(html->parser, HTML_PARSE_RECOVER | HTML_PARSE_NONET |
					     HTML_PARSE_IGNORE_ENC | HTML_PARSE_NOIMPLIED);
	htmlParseChunk(html->parser, root, sizeof(root) - 1, 0);
}

/* All that was fed is taken; every element that is open ends. */
static void
close_parser(HtmlText *html)
{
	if (html->state == HTML_TEXT_MORE) {
		htmlParseChunk(html->parser, NULL, 0, 1);
		walk_pause(html->walk);
	}
	if (html->parser->myDoc)
		xmlFreeDoc(html->parser->myDoc);
	htmlFreeParserCtxt(html->parser);
	html->parser = NULL;
}

HtmlText *
html_text_new(size_t max_bytes, unsigned links_before, bool show_hidden)
{
	HtmlText *html = g_new0(HtmlText, 1);

	html->walk = walk_new(max_bytes, links_before, show_hidden);
	html->clean = g_string_new(NULL);
	open_parser(html);
	return html;
}

void
html_text_free(HtmlText *html)
{
	if (!html)
		return;
	html->state = HTML_TEXT_FULL; /* nobody listens any more */
	if (html->parser)
		close_parser(html);
	walk_free(html->walk);
	g_string_free(html->clean, TRUE);
	g_free(html);
}

static bool
is_separator(char c)
{
	return g_ascii_isspace(c) || c == '"' || c == '\'';
}

/* A tag that the parser has the beginning of: its bytes so far, 0 for none. */
static size_t
pending_tag(const HtmlText *html)
{
	const xmlParserInput *input = html->parser->input;
	size_t pending = input ? (size_t)(input->end - input->cur) : 0;

	return pending > 0 && input->cur[0] == '<' && (pending == 1 || input->cur[1] != '!')
		   ? pending
		   : 0;
}

/* What to feed next.  The parser looks for an attribute's name among all before it, so that a tag
 * with too many has to be noticed before its end is there; but one that is only long (a picture
 * in its own address) comes in pieces that double, for each is searched from its beginning. */
static Span
next_slice(Span utf8, size_t pending)
{
	size_t size = MIN(span_size(utf8), MAX(SLICE_SIZE, pending)), separators = 0;

	for (size_t i = 0; i < size; i++) {
		separators += is_separator(utf8.at[i]);
		if (separators == SLICE_SEPARATORS)
			size = i + 1;
	}
	while (size < span_size(utf8) && ((unsigned char)utf8.at[size] & 0xc0) == 0x80)
		size--;
	return span_of(utf8.at, size);
}

static void
feed_slice(HtmlText *html, Span slice, size_t pending)
{
	size_t separators = 0, still;

	for (const char *p = slice.at; p < slice.end; p++)
		separators += is_separator(*p);
#if LIBXML_VERSION < 21000
	/* 2.9.14 forgets which quote was open where a piece ended, and then waits for more
	 * until the very end: let it look from the tag's beginning. */
	if (pending > 0)
		html->parser->checkIndex = 0;
#endif
	htmlParseChunk(html->parser, slice.at, (int)span_size(slice), 0);
	still = pending_tag(html);
	html->separators =
	    still > pending && pending > 0 ? html->separators + separators : separators;
	/* A flood of attributes, or a quote too many, behind which the parser waits for another:
	 * let it take what it has, and begin anew. */
	if (still > 0 && html->separators > SEPARATORS_MAX && html->state == HTML_TEXT_MORE) {
		close_parser(html);
		open_parser(html);
	}
}

/* Controls as such show as what they are; the parser would drop some, and "&#146;" is to be told
 * from a C1 control.  Borrowed until the next call. */
static Span
without_controls(HtmlText *html, Span slice)
{
	const char *p = slice.at;

	g_string_truncate(html->clean, 0);
	for (; p < slice.end; p++) {
		unsigned char c = (unsigned char)*p;
		bool c1 = c == 0xc2 && p + 1 < slice.end && (unsigned char)p[1] < 0xa0;
		bool white = c == '\t' || c == '\n' || c == '\r' || c == '\f';

		if (!c1 && c != 0x7f && (c >= 0x20 || white))
			continue;
		g_string_append_len(html->clean, slice.at, p - slice.at);
		g_string_append(html->clean, PLACEHOLDER);
		p += c1;
		slice.at = p + 1;
	}
	if (html->clean->len == 0)
		return slice;
	g_string_append_len(html->clean, slice.at, slice.end - slice.at);
	return span_of(html->clean->str, html->clean->len);
}

HtmlTextState
html_text_feed(HtmlText *html, Span utf8, bool last)
{
	while (!span_is_empty(utf8) && html->state == HTML_TEXT_MORE) {
		size_t pending = pending_tag(html);
		Span slice = next_slice(utf8, pending);

		utf8.at = slice.end;
		feed_slice(html, without_controls(html, slice), pending);
	}
	if (last && html->parser)
		close_parser(html);
	return html->state;
}

MailRich *
html_text_finish(HtmlText *html)
{
	return walk_finish(html->walk);
}
