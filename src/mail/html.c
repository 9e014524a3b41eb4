#include "html-private.h"
#include "base/i18n.h"

#include <libxml/HTMLparser.h>

#define PLACEHOLDER	 "\xef\xbf\xbd" /* U+FFFD */
#define SLICE_SIZE	 1024	/* fed to the parser between two looks at what it did with it */
#define DEPTH_MAX	 250000 /* open elements: eight bytes each in the parser */
#define LISTS_MAX	 16	/* deeper ones are as deep as this */
#define QUOTES_MAX	 32	/* likewise */
#define BLANKS_MAX	 20
#define HREF_MAX	 2000
#define SLICE_SEPARATORS 500		     /* white space and quotes in one slice */
#define SEPARATORS_MAX	 3000		     /* in one tag: its attributes are fewer */
#define COST_MAX	 UINT64_C(200000000) /* comparisons in the parser: half a second */
#define COST_ERROR	 100		     /* to be told of one */
#define COST_DUPLICATE	 1000		     /* of an attribute that comes twice */

typedef enum {
	INLINE,
	BLOCK,	   /* on lines of its own */
	PARAGRAPH, /* with blank lines around it */
	HEADLESS,  /* not shown, nor what is in it */
	BREAK,
	RULE,
	CELL,
	PREFORMATTED,
	QUOTE,
	BULLETS,
	NUMBERS,
	ITEM,
	DEFINITION,
	LINK,
	PICTURE,
	SHORT_QUOTE,
} Kind;

typedef struct Element {
	char name[12];
	Kind kind;
} Element;

/* Sorted; what is not here is INLINE. */
static const Element elements[] = {
	{ "a", LINK },		 { "address", BLOCK },	   { "article", BLOCK },
	{ "aside", BLOCK },	 { "blockquote", QUOTE },  { "body", BLOCK },
	{ "br", BREAK },	 { "caption", BLOCK },	   { "center", BLOCK },
	{ "dd", DEFINITION },	 { "details", BLOCK },	   { "dir", BULLETS },
	{ "div", BLOCK },	 { "dl", PARAGRAPH },	   { "dt", BLOCK },
	{ "fieldset", BLOCK },	 { "figcaption", BLOCK },  { "figure", BLOCK },
	{ "footer", BLOCK },	 { "form", BLOCK },	   { "h1", PARAGRAPH },
	{ "h2", PARAGRAPH },	 { "h3", PARAGRAPH },	   { "h4", PARAGRAPH },
	{ "h5", PARAGRAPH },	 { "h6", PARAGRAPH },	   { "header", BLOCK },
	{ "hr", RULE },		 { "iframe", HEADLESS },   { "img", PICTURE },
	{ "legend", BLOCK },	 { "li", ITEM },	   { "main", BLOCK },
	{ "math", HEADLESS },	 { "menu", BULLETS },	   { "nav", BLOCK },
	{ "noembed", HEADLESS }, { "noframes", HEADLESS }, { "ol", NUMBERS },
	{ "option", BLOCK },	 { "p", PARAGRAPH },	   { "pre", PREFORMATTED },
	{ "q", SHORT_QUOTE },	 { "script", HEADLESS },   { "section", BLOCK },
	{ "style", HEADLESS },	 { "summary", BLOCK },	   { "svg", HEADLESS },
	{ "table", BLOCK },	 { "td", CELL },	   { "template", HEADLESS },
	{ "th", CELL },		 { "title", HEADLESS },	   { "tr", BLOCK },
	{ "ul", BULLETS },
};

typedef struct List {
	int number;	/* of the next item; 0: bullets */
	unsigned width; /* of the marker: how far the rest of an item is indented */
} List;

struct HtmlText {
	htmlParserCtxtPtr parser;
	GString *out;
	size_t start; /* where our text begins in OUT */
	size_t max_bytes;
	HtmlTextState state;

	unsigned depth;	    /* open elements */
	unsigned hidden_at; /* the depth of the outermost one that is not shown; 0: none */
	unsigned pre;
	unsigned quotes;
	unsigned last_quotes; /* of the line before */
	List lists[LISTS_MAX];
	unsigned n_lists;

	bool line_open;	  /* there is text on this line */
	unsigned breaks;  /* line ends before the next text: 2 leaves a blank line */
	bool space;	  /* white space was seen since the last text */
	bool cell;	  /* a table cell began */
	bool less;	  /* a "<" came by itself: perhaps "<![if ...]>" */
	char marker[16];  /* before the next text, where an item began; "": none */
	GString *href;	  /* of the open link; "": none */
	size_t link_text; /* where its text begins in OUT; SIZE_MAX: it has none yet */

	uint64_t cost;
	size_t separators; /* in the tag that the parser has the beginning of, about */
	GString *clean;	   /* a slice that had controls */
};

static int
compare_element(const void *name, const void *element)
{
	return strcmp(name, ((const Element *)element)->name);
}

static Kind
kind_of(const char *name)
{
	const Element *element =
	    bsearch(name, elements, G_N_ELEMENTS(elements), sizeof(elements[0]), compare_element);

	return element ? element->kind : INLINE;
}

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
}

/* ---- lines ---- */

static void
put_quote_marks(HtmlText *html, unsigned n)
{
	for (unsigned i = 0; i < MIN(n, QUOTES_MAX); i++)
		g_string_append_c(html->out, '>');
}

static void
begin_line(HtmlText *html)
{
	unsigned indent = 0, levels = MIN(html->n_lists, LISTS_MAX);

	if (html->out->len > html->start) {
		g_string_append_c(html->out, '\n');
		for (unsigned i = 1; i < html->breaks; i++) {
			put_quote_marks(html, MIN(html->quotes, html->last_quotes));
			g_string_append_c(html->out, '\n');
		}
	}
	html->last_quotes = html->quotes;
	put_quote_marks(html, html->quotes);
	if (html->quotes > 0)
		g_string_append_c(html->out, ' ');
	for (unsigned i = 0; i < levels; i++)
		indent += html->lists[i].width;
	if (html->marker[0] && levels > 0)
		indent -= html->lists[levels - 1].width;
	g_string_append_printf(html->out, "%*s%s", (int)indent, "", html->marker);
	html->marker[0] = '\0';
	html->line_open = true;
	html->breaks = 0;
	html->space = html->cell = false;
}

/* Before every character that is shown. */
static void
begin_text(HtmlText *html)
{
	if (!html->line_open)
		begin_line(html);
	else if (html->cell)
		g_string_append(html->out, "  ");
	else if (html->space)
		g_string_append_c(html->out, ' ');
	html->space = html->cell = false;
	if (html->href->len > 0 && html->link_text == SIZE_MAX)
		html->link_text = html->out->len;
}

static void
put_text(HtmlText *html, const char *text)
{
	begin_text(html);
	g_string_append(html->out, text);
	if (html->out->len - html->start > html->max_bytes)
		stop(html, HTML_TEXT_FULL);
}

/* A boundary between blocks: N line ends at least. */
static void
end_line(HtmlText *html, unsigned n)
{
	html->line_open = false;
	html->breaks = MAX(html->breaks, n);
}

/* <br>, or a line end in <pre>: after another one, a blank line; only <pre> has more of them. */
static void
break_line(HtmlText *html)
{
	if (html->line_open)
		end_line(html, 1);
	else
		html->breaks = MIN(html->breaks + 1, html->pre ? BLANKS_MAX : 2);
}

/* ---- text ---- */

/* "&#146;" means what it means in windows-1252 (HTML 5, 13.2.5.80). */
static gunichar
repair(gunichar c)
{
	static const gunichar windows[32] = {
		0x20ac, 0x81,	0x201a, 0x192,	0x201e, 0x2026, 0x2020, 0x2021,
		0x2c6,	0x2030, 0x160,	0x2039, 0x152,	0x8d,	0x17d,	0x8f,
		0x90,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x2dc,	0x2122, 0x161,	0x203a, 0x153,	0x9d,	0x17e,	0x178,
	};

	return c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c;
}

static void
put_char(HtmlText *html, gunichar c)
{
	if (c < 0x80 && g_ascii_isspace((char)c) && !html->pre) {
		html->space = true;
	} else if (c == '\n' && html->pre) {
		break_line(html);
	} else if (c != '\r' || !html->pre) {
		begin_text(html);
		g_string_append_unichar(html->out, c == 0xa0 ? ' ' : repair(c));
	}
}

/* P is the text that comes next, or NULL.
 * The parser takes the comments of Microsoft's, "<![if !mso]>", for text: a "<", and the rest. */
static const char *
skip_condition(HtmlText *html, const char *p, const char *end)
{
	const char *close;

	if (!html->less)
		return p;
	html->less = false;
	close =
	    end - p > 2 && p[0] == '!' && p[1] == '[' ? memchr(p, '>', (size_t)(end - p)) : NULL;
	if (close)
		return close + 1;
	put_char(html, '<');
	return p;
}

static void
on_text(void *data, const xmlChar *text, int size)
{
	HtmlText *html = data;
	const char *p = (const char *)text, *end = p + size;

	if (html->hidden_at || html->state != HTML_TEXT_MORE)
		return;
	p = skip_condition(html, p, end);
	if (size == 1 && *p == '<') {
		html->less = true;
		return;
	}
	while (p < end) {
		gunichar c = g_utf8_get_char_validated(p, end - p);

		if (c >= 0x110000) {
			p++;
			c = 0xfffd;
		} else {
			p = g_utf8_next_char(p);
		}
		put_char(html, c);
	}
	if (html->out->len - html->start > html->max_bytes)
		stop(html, HTML_TEXT_FULL);
}

/* ---- attributes ---- */

static const char *
attribute(const xmlChar **attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (!strcmp((const char *)attributes[0], name))
			return attributes[1] ? (const char *)attributes[1] : "";
	return NULL;
}

/* Whether STYLE has "name:value" as one of its declarations. */
static bool
style_has(const char *style, const char *declaration)
{
	for (; *style; style++) {
		const char *s = style, *d = declaration;

		while (*d) {
			if (g_ascii_isspace(*s)) {
				s++;
				continue;
			}
			if (g_ascii_tolower(*s) != *d)
				break;
			s++;
			d++;
		}
		while (g_ascii_isspace(*s))
			s++;
		if (!*d && (!*s || *s == ';' || *s == '!'))
			return true;
		style += strcspn(style, ";");
		if (!*style)
			return false;
	}
	return false;
}

static bool
is_hidden(const xmlChar **attributes)
{
	const char *style = attribute(attributes, "style");

	return attribute(attributes, "hidden") ||
	       (style &&
		(style_has(style, "display:none") || style_has(style, "visibility:hidden") ||
		 style_has(style, "mso-hide:all")));
}

/* ---- elements ---- */

/* Only what a person could follow: no fragment, no script, no picture of this message. */
static bool
is_target(const char *href)
{
	static const char *const dead[] = { "#",     "javascript:", "vbscript:",
					    "data:", "cid:",	    "about:" };

	for (size_t i = 0; i < G_N_ELEMENTS(dead); i++)
		if (!g_ascii_strncasecmp(href, dead[i], strlen(dead[i])))
			return false;
	return *href != '\0';
}

/* White space and brackets would make the end of the target a matter of belief. */
static void
open_link(HtmlText *html, const char *href)
{
	g_string_truncate(html->href, 0);
	html->link_text = SIZE_MAX;
	while (href && g_ascii_isspace(*href))
		href++;
	if (!href || !is_target(href))
		return;
	for (const char *p = href; *p && html->href->len < HREF_MAX; p++) {
		if ((*p == ' ' && p[strspn(p, " ")]) || *p == '<' || *p == '>')
			g_string_append_printf(html->href, "%%%02X", (unsigned)*p);
		else if (!g_ascii_iscntrl(*p) && *p != ' ')
			g_string_append_c(html->href, *p);
	}
	if (html->href->len >= HREF_MAX)
		g_string_append(html->href, "...");
}

/* "example.org" is what https://example.org/ is about, and nobody needs to be told. */
static bool
says_the_same(Span text, const char *href)
{
	static const char *const schemes[] = { "", "mailto:", "http://", "https://" };

	while (!span_is_empty(text) && g_ascii_isspace(text.end[-1]))
		text.end--;
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		Span rest = span_of_string(href);

		if (!span_starts_nocase(rest, schemes[i]))
			continue;
		rest.at += strlen(schemes[i]);
		if (span_equals_nocase(rest, text))
			return true;
		if (!span_is_empty(rest) && rest.end[-1] == '/') {
			rest.end--;
			if (span_equals_nocase(rest, text))
				return true;
		}
	}
	return false;
}

static void
close_link(HtmlText *html)
{
	if (html->href->len > 0 && html->link_text < html->out->len) {
		Span text = { html->out->str + html->link_text, html->out->str + html->out->len };

		if (!says_the_same(text, html->href->str)) {
			/* On the link's own line, even where it was a block. */
			g_string_append_printf(html->out, " <%s>", html->href->str);
			if (html->out->len - html->start > html->max_bytes)
				stop(html, HTML_TEXT_FULL);
		}
	}
	g_string_truncate(html->href, 0);
	html->link_text = SIZE_MAX;
}

/* A tracking pixel is no picture; one without alternative text may be all there is. */
static void
put_picture(HtmlText *html, const xmlChar **attributes)
{
	const char *alt = attribute(attributes, "alt");
	const char *width = attribute(attributes, "width");
	const char *height = attribute(attributes, "height");
	bool pixel = (width && strtoul(width, NULL, 10) <= 2 && g_ascii_isdigit(*width)) ||
		     (height && strtoul(height, NULL, 10) <= 2 && g_ascii_isdigit(*height));

	if (alt)
		alt += strspn(alt, " \t\r\n");
	if (pixel || (alt && !*alt))
		return;
	put_text(html, "[");
	if (alt)
		on_text(html, (const xmlChar *)alt, (int)MIN(strlen(alt), HREF_MAX));
	else
		put_text(html, _("picture"));
	html->space = false;
	put_text(html, "]");
}

static void
open_list(HtmlText *html, int number)
{
	end_line(html, html->n_lists > 0 ? 1 : 2);
	if (html->n_lists++ < LISTS_MAX)
		html->lists[html->n_lists - 1] = (List){ .number = number };
}

static void
close_list(HtmlText *html)
{
	if (html->n_lists > 0)
		html->n_lists--;
	html->marker[0] = '\0';
	end_line(html, html->n_lists > 0 ? 1 : 2);
}

static void
open_item(HtmlText *html)
{
	List *list = html->n_lists > 0 ? &html->lists[MIN(html->n_lists, LISTS_MAX) - 1] : NULL;

	end_line(html, 1);
	if (list && list->number > 0)
		g_snprintf(html->marker, sizeof(html->marker), "%d. ", list->number++);
	else
		g_snprintf(html->marker, sizeof(html->marker), "* ");
	if (list)
		list->width = (unsigned)strlen(html->marker);
}

static int
first_number(const xmlChar **attributes)
{
	const char *start = attribute(attributes, "start");
	long number = start ? strtol(start, NULL, 10) : 1;

	return number < 1 || number > 1000000 ? 1 : (int)number;
}

static void
open_element(HtmlText *html, Kind kind, const xmlChar **attributes)
{
	switch (kind) {
	case BLOCK:
		end_line(html, 1);
		break;
	case PARAGRAPH:
		end_line(html, 2);
		break;
	case BREAK:
		break_line(html);
		break;
	case RULE:
		end_line(html, 1);
		put_text(html, "----------------");
		end_line(html, 1);
		break;
	case CELL:
		html->cell = html->line_open;
		break;
	case PREFORMATTED:
		end_line(html, 2);
		html->pre++;
		break;
	case QUOTE:
		end_line(html, 2);
		html->quotes++;
		break;
	case BULLETS:
		open_list(html, 0);
		break;
	case NUMBERS:
		open_list(html, first_number(attributes));
		break;
	case ITEM:
		open_item(html);
		break;
	case DEFINITION:
		end_line(html, 1);
		g_snprintf(html->marker, sizeof(html->marker), "    ");
		break;
	case LINK:
		open_link(html, attribute(attributes, "href"));
		break;
	case PICTURE:
		put_picture(html, attributes);
		break;
	case SHORT_QUOTE:
		put_text(html, "\"");
		break;
	case HEADLESS:
	case INLINE:
		break;
	}
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
	HtmlText *html = data;
	Kind kind = kind_of((const char *)name);
	uint64_t n = 0;

	if (html->state != HTML_TEXT_MORE)
		return;
	while (attributes && attributes[2 * n])
		n++;
	charge(html, 1 + n * n / 2);
	if (++html->depth > DEPTH_MAX)
		stop(html, HTML_TEXT_TANGLED);
	if (html->hidden_at || html->state != HTML_TEXT_MORE)
		return;
	skip_condition(html, NULL, NULL);
	if (kind == HEADLESS || is_hidden(attributes))
		html->hidden_at = html->depth;
	else
		open_element(html, kind, attributes);
}

static void
close_element(HtmlText *html, Kind kind)
{
	switch (kind) {
	case BLOCK:
	case ITEM:
	case DEFINITION:
		end_line(html, 1);
		html->marker[0] = '\0';
		break;
	case PARAGRAPH:
		end_line(html, 2);
		break;
	case PREFORMATTED:
		html->pre -= html->pre > 0;
		end_line(html, 2);
		break;
	case QUOTE:
		html->quotes -= html->quotes > 0;
		end_line(html, 2);
		break;
	case BULLETS:
	case NUMBERS:
		close_list(html);
		break;
	case LINK:
		close_link(html);
		break;
	case SHORT_QUOTE:
		html->space = false;
		put_text(html, "\"");
		break;
	default:
		break;
	}
}

static void
on_end(void *data, const xmlChar *name)
{
	HtmlText *html = data;

	if (html->state == HTML_TEXT_FULL || html->state == HTML_TEXT_TANGLED)
		return;
	skip_condition(html, NULL, NULL);
	if (!html->hidden_at)
		close_element(html, kind_of((const char *)name));
	else if (html->hidden_at >= html->depth)
		html->hidden_at = 0;
	html->depth -= html->depth > 0;
}

/* Errors are what mail is made of; they matter for what finding them cost. */
static void
on_error(void *data, xmlErrorPtr error)
{
	HtmlText *html = data;

	charge(html, html->depth + (error->code == XML_ERR_ATTRIBUTE_REDEFINED ? COST_DUPLICATE
									       : COST_ERROR));
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
		skip_condition(html, NULL, NULL);
	}
	if (html->parser->myDoc)
		xmlFreeDoc(html->parser->myDoc);
	htmlFreeParserCtxt(html->parser);
	html->parser = NULL;
}

HtmlText *
html_text_new(GString *out, size_t max_bytes)
{
	HtmlText *html = g_new0(HtmlText, 1);

	html->out = out;
	html->start = out->len;
	html->max_bytes = max_bytes;
	html->href = g_string_new(NULL);
	html->clean = g_string_new(NULL);
	html->link_text = SIZE_MAX;
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
	g_string_free(html->href, TRUE);
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
