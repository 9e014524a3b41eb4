#include "document-private.h"

struct ViewPager {
	ViewDocument *document;
	int width, rows;
	int column;	 /* to wrap text at; 0: none */
	guint paragraph; /* the top of the screen: this paragraph, from this byte of the text on */
	size_t at;

	/* Behind the lines that were asked for last. */
	GPtrArray *made; /* of GString: texts that are not of the document */
	GArray *spans;	 /* of ViewSpan */
};

static void
free_string(gpointer data)
{
	g_string_free(data, TRUE);
}

ViewPager *
view_pager_new(void)
{
	ViewPager *pager = g_new0(ViewPager, 1);

	pager->width = pager->rows = 1;
	pager->made = g_ptr_array_new_with_free_func(free_string);
	pager->spans = g_array_new(FALSE, FALSE, sizeof(ViewSpan));
	return pager;
}

void
view_pager_free(ViewPager *pager)
{
	if (!pager)
		return;
	view_document_free(pager->document);
	g_ptr_array_unref(pager->made);
	g_array_unref(pager->spans);
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

static int
room_for(const ViewPager *pager)
{
	return pager->column ? MIN(pager->column, pager->width) : pager->width;
}

static int
indent_of(const ViewPager *pager, const Paragraph *paragraph, size_t at)
{
	bool first = at == paragraph->at && !paragraph->continues;
	int indent = first ? paragraph->indent : paragraph->hang;

	return pager->width < 2 * indent ? 0 : indent;
}

/* What stands in the indent, and in the line across. */
static Span
repeated(const char *text, int n, size_t each)
{
	return span_of(text, (size_t)MAX(n, 0) * each);
}

static Span
prefix_of(const Paragraph *paragraph, const ViewLine *line)
{
	static const char marks[] = ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>";
	bool drawn = paragraph->drawn_marks || line->continues;

	return drawn && paragraph->quote && line->indent > 0
		   ? repeated(marks, MIN(MIN(paragraph->quote, line->indent), 32), 1)
		   : SPAN_EMPTY;
}

static Span
rule_of(int width)
{
	static const char rule[] = "────────────────────────────────────────"
				   "────────────────────────────────────────";

	return repeated(rule, MIN(width, 80), strlen("─"));
}

static void
take_row_line(const ViewPager *pager, const Paragraph *paragraph, size_t n, ViewLine *line)
{
	const DocumentRow *row =
	    &g_array_index(pager->document->rows, DocumentRow, paragraph->row - 1);
	GString *text = g_string_new(NULL);

	g_ptr_array_add(pager->made, text);
	if (!document_row_line(pager->document, row, pager->width - line->indent, n, text,
			       pager->spans))
		line->kind = VIEW_LINE_RULE;
	line->text = span_of(text->str, text->len);
	line->continues = n > 0;
}

static size_t
row_lines(const ViewPager *pager, const Paragraph *paragraph)
{
	const DocumentRow *row =
	    &g_array_index(pager->document->rows, DocumentRow, paragraph->row - 1);

	return document_row_lines(pager->document, row,
				  pager->width - indent_of(pager, paragraph, paragraph->at));
}

/* The line of PARAGRAPH that begins at *AT, in LINE unless that is NULL; *AT moves to the next.  Of a
 * row, each byte of its text stands for a line: it has more of them.  False: it was the last. */
static bool
take_line(const ViewPager *pager, const Paragraph *paragraph, size_t *at, ViewLine *line)
{
	const char *text = pager->document->text->str;
	int indent = indent_of(pager, paragraph, *at);
	guint spans = pager->spans->len;
	Span rest = { text + *at, text + paragraph->end }, taken;

	if (line)
		*line = (ViewLine){ .kind = (ViewLineKind)paragraph->kind,
				    .quote = paragraph->quote,
				    .indent = indent,
				    .continues = paragraph->continues || *at != paragraph->at };
	if (paragraph->row) {
		if (line)
			take_row_line(pager, paragraph, *at - paragraph->at, line);
		++*at;
	} else {
		taken = paragraph->pre ? document_cut(&rest, pager->width - indent)
				       : view_wrap(&rest, MAX(room_for(pager) - indent, 1));
		if (line) {
			size_t from = (size_t)(taken.at - text);

			line->text = paragraph->kind == VIEW_LINE_RULE
					 ? rule_of(room_for(pager) - indent)
					 : taken;
			document_spans(pager->document, from, (size_t)(taken.end - text),
				       -(ptrdiff_t)from, pager->spans);
		}
		*at = (size_t)(rest.at - text);
	}
	if (line) {
		line->n_spans = pager->spans->len - spans;
		line->prefix = prefix_of(paragraph, line);
	}
	return paragraph->row ? *at - paragraph->at < row_lines(pager, paragraph)
			      : *at < paragraph->end;
}

/* The beginning of the last line of PARAGRAPH that begins before BEFORE, or of its first. */
static size_t
line_before(const ViewPager *pager, const Paragraph *paragraph, size_t before)
{
	size_t at = paragraph->at, last = at;

	while (take_line(pager, paragraph, &at, NULL) && at < before)
		last = at;
	return last;
}

/* Moves the top to the beginning of the line it is in, at this width. */
static void
settle(ViewPager *pager)
{
	if (count_paragraphs(pager) > 0)
		pager->at =
		    line_before(pager, paragraph_at(pager, pager->paragraph), pager->at + 1);
}

/* One line down.  False: the top is the last line. */
static bool
line_down(const ViewPager *pager, guint *index, size_t *at)
{
	size_t next = *at;

	if (take_line(pager, paragraph_at(pager, *index), &next, NULL)) {
		*at = next;
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

	if (*at == paragraph->at) {
		if (*index == 0)
			return false;
		paragraph = paragraph_at(pager, --*index);
		before = SIZE_MAX;
	}
	*at = line_before(pager, paragraph, before);
	return true;
}

/* The highest top that still fills the screen. */
static void
last_top(const ViewPager *pager, guint *index, size_t *at)
{
	*index = count_paragraphs(pager) - 1;
	*at = line_before(pager, paragraph_at(pager, *index), SIZE_MAX);
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
	const ViewSpan *spans;

	g_ptr_array_set_size(pager->made, 0);
	g_array_set_size(pager->spans, 0);
	while (count < n && index < count_paragraphs(pager)) {
		while (take_line(pager, paragraph_at(pager, index), &at, &lines[count++]) &&
		       count < n)
			;
		if (++index < count_paragraphs(pager))
			at = paragraph_at(pager, index)->at;
	}
	/* The array may have moved while it grew. */
	spans = (const ViewSpan *)(void *)pager->spans->data;
	for (size_t i = 0; i < count; i++) {
		lines[i].spans = spans;
		spans += lines[i].n_spans;
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

void
view_pager_wrap_at(ViewPager *pager, int column)
{
	pager->column = MAX(column, 0);
	settle(pager);
	if (count_paragraphs(pager) > 0)
		clamp(pager);
}

const ViewDocument *
view_pager_document(const ViewPager *pager)
{
	return pager->document;
}
