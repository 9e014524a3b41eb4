#include "view/pager.h"

#include "base/safetext.h"

/* A paragraph longer than this is kept as several, so that finding a line in it stays cheap. */
#define PARAGRAPH_MAX 4096
#define TAB_STOP      8
#define INDENT_MAX    32
#define HEADER_INDENT 4

typedef struct Paragraph {
	size_t at, end; /* in the text; without the LF */
	uint8_t kind, quote;
	uint8_t indent; /* cells before each line but the first */
	bool continues; /* it was cut from the one above */
} Paragraph;

struct ViewDocument {
	GString *text;
	GArray *paragraphs; /* of Paragraph; never empty once on a pager */
};

struct ViewPager {
	ViewDocument *document;
	int width, rows;
	guint paragraph; /* the top of the screen: this paragraph, from this byte of the text on */
	size_t at;
};

ViewDocument *
view_document_new(void)
{
	ViewDocument *document = g_new0(ViewDocument, 1);

	document->text = g_string_new(NULL);
	document->paragraphs = g_array_new(FALSE, FALSE, sizeof(Paragraph));
	return document;
}

void
view_document_free(ViewDocument *document)
{
	if (!document)
		return;
	g_string_free(document->text, TRUE);
	g_array_unref(document->paragraphs);
	g_free(document);
}

size_t
view_document_size(const ViewDocument *document)
{
	return document->text->len;
}

/* "> > text", ">>text": how deep. */
static int
quote_depth(Span line)
{
	int depth = 0;

	for (const char *p = line.at; p < line.end && (*p == '>' || *p == ' '); p++) {
		if (*p == ' ' && (depth == 0 || (p + 1 < line.end && p[1] != '>')))
			break;
		depth += *p == '>';
	}
	return MIN(depth, 99);
}

/* Where to cut a paragraph that is too long: at a blank, else between characters, never before a
 * mark that belongs to what precedes it. */
static const char *
cut_point(Span line)
{
	const char *limit = line.at + PARAGRAPH_MAX;
	const char *p;

	for (p = limit; p > limit - 256; p--)
		if (p[-1] == ' ')
			return p;
	for (p = limit; p > line.at + PARAGRAPH_MAX / 2; p--) {
		gunichar c;

		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		c = g_utf8_get_char(p);
		if (!g_unichar_ismark(c) && !g_unichar_iszerowidth(c))
			break;
	}
	return p;
}

/* Lines of a quote stay right of its marks. */
static int
quote_indent(Span line)
{
	const char *p = line.at;

	while (p < line.end && (*p == '>' || *p == ' '))
		p++;
	return (int)MIN(p - line.at, INDENT_MAX);
}

static void
add_paragraph(ViewDocument *document, ViewLineKind kind, int indent, Span line)
{
	int quote = kind == VIEW_LINE_TEXT ? quote_depth(line) : 0;
	bool continues = false;

	if (quote)
		indent = quote_indent(line);

	do {
		Span piece = line;
		Paragraph paragraph;

		if (span_size(piece) > PARAGRAPH_MAX)
			piece.end = cut_point(piece);
		paragraph.at = document->text->len;
		g_string_append_len(document->text, piece.at, (gssize)span_size(piece));
		paragraph.end = document->text->len;
		paragraph.kind = (uint8_t)(quote ? VIEW_LINE_QUOTE : kind);
		paragraph.quote = (uint8_t)quote;
		paragraph.indent = (uint8_t)CLAMP(indent, 0, INDENT_MAX);
		paragraph.continues = continues;
		g_array_append_val(document->paragraphs, paragraph);
		line.at = piece.end;
		continues = true;
	} while (!span_is_empty(line));
}

void
view_document_add(ViewDocument *document, ViewLineKind kind, Span text)
{
	view_document_add_indented(document, kind, kind == VIEW_LINE_HEADER ? HEADER_INDENT : 0,
				   text);
}

void
view_document_add_indented(ViewDocument *document, ViewLineKind kind, int indent, Span text)
{
	do {
		Span line = text;
		const char *lf =
		    span_is_empty(text) ? NULL : memchr(text.at, '\n', span_size(text));

		if (lf)
			line.end = lf;
		add_paragraph(document, kind, indent, line);
		text.at = lf ? lf + 1 : text.end;
	} while (!span_is_empty(text));
}

/* ---- wrapping ------------------------------------------------------------------------------- */

/* Cells of the cluster at *P, at column X; moves past it. */
static int
take_cluster(const char **p, const char *end, int x)
{
	unsigned char c = (unsigned char)**p;

	if (c == '\t') {
		++*p;
		return TAB_STOP - x % TAB_STOP;
	}
	if (c < 0x80 && (*p + 1 == end || (unsigned char)(*p)[1] < 0x80)) {
		++*p;
		return 1;
	}
	return safe_text_cluster((Span){ *p, end }, p);
}

Span
view_wrap(Span *rest, int width)
{
	const char *p = rest->at, *break_end = NULL, *break_next = NULL;
	Span line = *rest;
	bool blank = true; /* so far: an indented word is no place to break before */
	int x = 0;

	while (p < rest->end) {
		const char *cluster = p;
		int cells = take_cluster(&p, rest->end, x);
		bool is_blank = p == cluster + 1 && (*cluster == ' ' || *cluster == '\t');

		if (x + cells > width && !is_blank) {
			if (cells == 2 && cluster > rest->at)
				break_end = break_next = cluster;
			if (!break_next)
				break_end = break_next = cluster > rest->at ? cluster : p;
			line.end = break_end;
			rest->at = break_next;
			return line;
		}
		if (is_blank) {
			/* Blanks at the break are not shown; those beyond the edge go with it. */
			if (!blank && break_next != cluster)
				break_end = cluster;
			if (!blank)
				break_next = p;
			if (x + cells > width) {
				x = width;
				continue;
			}
		} else {
			blank = false;
			if (cells == 2)
				break_end = break_next = p;
		}
		x += cells;
	}
	rest->at = rest->end;
	return line;
}

/* ---- the pager ------------------------------------------------------------------------------ */

ViewPager *
view_pager_new(void)
{
	ViewPager *pager = g_new0(ViewPager, 1);

	pager->width = pager->rows = 1;
	return pager;
}

void
view_pager_free(ViewPager *pager)
{
	if (!pager)
		return;
	view_document_free(pager->document);
	g_free(pager);
}

static const Paragraph *
paragraph_at(const ViewPager *pager, guint index)
{
	return &g_array_index(pager->document->paragraphs, Paragraph, index);
}

static guint
count_paragraphs(const ViewPager *pager)
{
	return pager->document ? pager->document->paragraphs->len : 0;
}

static Span
span_from(const ViewPager *pager, size_t at, size_t end)
{
	const char *text = pager->document->text->str;

	return (Span){ text + at, text + end };
}

static int
indent_of(const ViewPager *pager, const Paragraph *paragraph, const char *at)
{
	bool first = at == pager->document->text->str + paragraph->at && !paragraph->continues;

	return first || pager->width < 2 * paragraph->indent ? 0 : paragraph->indent;
}

/* One screen line off the front of REST, the rest of PARAGRAPH. */
static Span
take_line(const ViewPager *pager, const Paragraph *paragraph, Span *rest)
{
	return view_wrap(rest, pager->width - indent_of(pager, paragraph, rest->at));
}

/* Moves the top to the beginning of the line it is in, at this width. */
static void
settle(ViewPager *pager)
{
	const Paragraph *paragraph;
	Span rest;

	if (count_paragraphs(pager) == 0)
		return;
	paragraph = paragraph_at(pager, pager->paragraph);
	rest = span_from(pager, paragraph->at, paragraph->end);
	while (!span_is_empty(rest)) {
		Span line = take_line(pager, paragraph, &rest);

		if (span_is_empty(rest) || rest.at > pager->document->text->str + pager->at) {
			pager->at = (size_t)(line.at - pager->document->text->str);
			return;
		}
	}
	pager->at = paragraph->at;
}

/* One line down.  False: the top is the last line. */
static bool
line_down(const ViewPager *pager, guint *index, size_t *at)
{
	const Paragraph *paragraph = paragraph_at(pager, *index);
	Span rest = span_from(pager, *at, paragraph->end);

	take_line(pager, paragraph, &rest);
	if (!span_is_empty(rest)) {
		*at = (size_t)(rest.at - pager->document->text->str);
		return true;
	}
	if (*index + 1 >= count_paragraphs(pager))
		return false;
	*at = paragraph_at(pager, ++*index)->at;
	return true;
}

/* One line up: the last line that begins before AT, found from its paragraph's start. */
static bool
line_up(const ViewPager *pager, guint *index, size_t *at)
{
	const Paragraph *paragraph = paragraph_at(pager, *index);
	size_t before = *at;
	Span rest;

	if (*at == paragraph->at) {
		if (*index == 0)
			return false;
		paragraph = paragraph_at(pager, --*index);
		before = paragraph->end + 1;
	}
	rest = span_from(pager, paragraph->at, paragraph->end);
	*at = paragraph->at;
	while (!span_is_empty(rest)) {
		size_t start = (size_t)(rest.at - pager->document->text->str);

		if (start >= before)
			break;
		*at = start;
		take_line(pager, paragraph, &rest);
	}
	return true;
}

/* The highest top that still fills the screen. */
static void
last_top(const ViewPager *pager, guint *index, size_t *at)
{
	*index = count_paragraphs(pager) - 1;
	*at = paragraph_at(pager, *index)->end + 1;
	if (paragraph_at(pager, *index)->at == paragraph_at(pager, *index)->end)
		*at = paragraph_at(pager, *index)->at;
	else
		line_up(pager, index, at);
	for (int i = 1; i < pager->rows; i++)
		if (!line_up(pager, index, at))
			break;
}

/* No blank screen below the end while there is text above.  False: nothing to mend. */
static bool
clamp(ViewPager *pager)
{
	size_t at;
	guint index;

	last_top(pager, &index, &at);
	if (pager->paragraph < index || (pager->paragraph == index && pager->at <= at))
		return false;
	pager->paragraph = index;
	pager->at = at;
	return true;
}

void
view_pager_take(ViewPager *pager, ViewDocument *document, bool keep)
{
	if (document->paragraphs->len == 0)
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	keep = keep && pager->document;
	view_document_free(pager->document);
	pager->document = document;
	if (!keep)
		pager->paragraph = 0;
	pager->paragraph = MIN(pager->paragraph, document->paragraphs->len - 1);
	if (!keep || pager->at < paragraph_at(pager, pager->paragraph)->at ||
	    pager->at > paragraph_at(pager, pager->paragraph)->end)
		pager->at = paragraph_at(pager, pager->paragraph)->at;
	settle(pager);
	clamp(pager);
}

void
view_pager_resize(ViewPager *pager, int width, int rows)
{
	bool wrap = width != pager->width;

	pager->width = MAX(width, 1);
	pager->rows = MAX(rows, 1);
	if (count_paragraphs(pager) == 0)
		return;
	if (wrap)
		settle(pager);
	clamp(pager);
}

bool
view_pager_scroll(ViewPager *pager, int lines)
{
	size_t old = pager->at;
	guint old_paragraph = pager->paragraph;

	if (count_paragraphs(pager) == 0)
		return false;
	for (; lines < 0; lines++)
		if (!line_up(pager, &pager->paragraph, &pager->at))
			break;
	for (; lines > 0; lines--)
		if (!line_down(pager, &pager->paragraph, &pager->at))
			break;
	clamp(pager);
	return pager->at != old || pager->paragraph != old_paragraph;
}

bool
view_pager_first(ViewPager *pager)
{
	bool moved = pager->paragraph != 0 || pager->at != 0;

	pager->paragraph = 0;
	pager->at = 0;
	return moved;
}

bool
view_pager_last(ViewPager *pager)
{
	size_t old = pager->at;
	guint old_paragraph = pager->paragraph;

	if (count_paragraphs(pager) == 0)
		return false;
	last_top(pager, &pager->paragraph, &pager->at);
	return pager->at != old || pager->paragraph != old_paragraph;
}

size_t
view_pager_lines(const ViewPager *pager, ViewLine *lines, size_t n)
{
	guint index = pager->paragraph;
	size_t at = pager->at, count = 0;

	while (count < n && index < count_paragraphs(pager)) {
		const Paragraph *paragraph = paragraph_at(pager, index);
		Span rest = span_from(pager, at, paragraph->end);

		do {
			ViewLine *line = &lines[count++];

			line->continues = paragraph->continues ||
					  rest.at != pager->document->text->str + paragraph->at;
			line->indent = indent_of(pager, paragraph, rest.at);
			line->text = take_line(pager, paragraph, &rest);
			line->kind = (ViewLineKind)paragraph->kind;
			line->quote = paragraph->quote;
		} while (count < n && !span_is_empty(rest));
		if (++index < count_paragraphs(pager))
			at = paragraph_at(pager, index)->at;
	}
	return count;
}

int
view_pager_percent(const ViewPager *pager)
{
	guint index = pager->paragraph;
	size_t at = pager->at, size;

	if (count_paragraphs(pager) == 0 || (size = view_document_size(pager->document)) == 0)
		return 100;
	for (int i = 0; i < pager->rows; i++)
		if (!line_down(pager, &index, &at))
			return 100;
	return (int)((double)at * 100 / (double)size);
}

int
view_pager_rows(const ViewPager *pager)
{
	return pager->rows;
}
