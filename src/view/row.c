/* A row of a table, in the width there is. */
#include "document-private.h"

#include "base/safetext.h"

#define COLUMN_MIN 8 /* narrower is not readable: then cells stand below each other */
#define GAP	   2
#define GAP_DRAWN  3

typedef struct Layout {
	const ViewDocument *document;
	const DocumentTable *table;
	const DocumentRow *row;
	bool stacked;
	int width;
	int widths[MAIL_TABLE_COLUMNS_MAX];
	int gap;
} Layout;

/* With every column at most MOST wide; but WORDS: whole words. */
static int
needed(const DocumentTable *table, int most, bool words, int widths[])
{
	int gap = table->drawn ? GAP_DRAWN : GAP, sum = 0;

	for (int i = 0; i < table->columns; i++) {
		int room = words ? MAX(most, table->word[i]) : most;

		widths[i] = MIN(table->natural[i], room);
		sum += widths[i] + (widths[i] && sum ? gap : 0);
	}
	return sum;
}

/* The widest columns give way first. */
static Layout
lay_out(const ViewDocument *document, const DocumentRow *row, int width)
{
	const DocumentTable *table = &g_array_index(document->tables, DocumentTable, row->table);
	Layout layout = { document, table, row, false, width, { 0 }, 0 };
	int low = COLUMN_MIN, high = UINT16_MAX, left;
	bool words;

	layout.gap = table->drawn ? GAP_DRAWN : GAP;
	if (needed(table, high, false, layout.widths) <= width)
		return layout;
	words = needed(table, low, true, layout.widths) <= width;
	layout.stacked = !words && needed(table, low, false, layout.widths) > width;
	while (low + 1 < high && !layout.stacked) {
		int middle = low + (high - low) / 2;

		if (needed(table, middle, words, layout.widths) <= width)
			low = middle;
		else
			high = middle;
	}
	left = width - needed(table, low, words, layout.widths);
	for (int i = 0; i < table->columns && left > 0; i++)
		if (table->natural[i] > layout.widths[i]) {
			layout.widths[i]++;
			left--;
		}
	return layout;
}

/* Where column N begins. */
static int
column_at(const Layout *layout, int n)
{
	int x = 0;

	for (int i = 0; i < n && i < layout->table->columns; i++)
		x += layout->widths[i] ? layout->widths[i] + layout->gap : 0;
	return x;
}

static int
cell_width(const Layout *layout, const DocumentCell *cell)
{
	int x = column_at(layout, cell->column), end = column_at(layout, cell->column + cell->span);

	return layout->stacked ? layout->width : MAX(end - x - layout->gap, 1);
}

static const DocumentCell *
cell_of(const Layout *layout, uint32_t i)
{
	return &g_array_index(layout->document->cells, DocumentCell, layout->row->first_cell + i);
}

static Span
cell_text(const Layout *layout, const DocumentCell *cell)
{
	const char *text = layout->document->text->str;

	return (Span){ text + cell->at, text + cell->end };
}

/* What stands above CELL's column, where cells stand below each other; empty: nothing, or too much. */
static Span
label_of(const Layout *layout, const DocumentCell *cell)
{
	const ViewDocument *document = layout->document;
	const DocumentRow *header;

	if (!layout->stacked || !layout->table->header)
		return SPAN_EMPTY;
	header = &g_array_index(document->rows, DocumentRow, layout->table->header - 1);
	for (uint32_t i = 0; i < header->n_cells; i++) {
		const DocumentCell *above =
		    &g_array_index(document->cells, DocumentCell, header->first_cell + i);
		Span label = cell_text(layout, above);

		if (above->column == cell->column && cell->span <= 1)
			return safe_text_width(label) + 2 <= layout->width / 2 ? label : SPAN_EMPTY;
	}
	return SPAN_EMPTY;
}

/* The first line of REST, which is (the rest of) CELL's text; its indent in *INDENT. */
static Span
take_cell_line(const Layout *layout, const DocumentCell *cell, Span *rest, int *indent)
{
	int width = cell_width(layout, cell);
	bool first = rest->at == layout->document->text->str + cell->at;
	Span label = first ? label_of(layout, cell) : SPAN_EMPTY;

	*indent = first ? cell->indent : cell->hang;
	if (*indent * 2 > width)
		*indent = 0;
	if (!span_is_empty(label))
		*indent = safe_text_width(label) + 2;
	return view_wrap(rest, width - *indent);
}

static size_t
count_lines(const Layout *layout)
{
	size_t most = 0, n = 0;
	int column = -1, indent;

	for (uint32_t i = 0; i < layout->row->n_cells; i++) {
		const DocumentCell *cell = cell_of(layout, i);
		Span rest = cell_text(layout, cell);

		if (cell->column != column && !layout->stacked)
			n = 0;
		column = cell->column;
		while (!span_is_empty(rest)) {
			take_cell_line(layout, cell, &rest, &indent);
			n++;
		}
		most = MAX(most, n);
	}
	return MAX(most, 1);
}

/* Below what says what the columns are; or, where that stands in each row, below the row. */
static bool
has_line_below(const Layout *layout)
{
	return layout->stacked ? layout->table->header > 0 : layout->row->header;
}

size_t
document_row_lines(const ViewDocument *document, const DocumentRow *row, int width)
{
	Layout layout = lay_out(document, row, width);

	if (layout.stacked && row->header)
		return 1;
	return count_lines(&layout) + has_line_below(&layout);
}

/* ---- one line ---- */

static void
pad(GString *text, int *x, int to)
{
	for (; *x < to; ++*x)
		g_string_append_c(text, ' ');
}

static void
put_label(const Layout *layout, const DocumentCell *cell, int *x, GString *text, GArray *spans)
{
	Span label = label_of(layout, cell);
	ViewSpan span = { .at = (uint32_t)text->len, .style = MAIL_STYLE_BOLD };

	if (span_is_empty(label))
		return;
	for (const char *p = label.at; p < label.end; p++)
		g_string_append_c(text, *p == '\t' ? ' ' : *p);
	g_string_append_c(text, ':');
	span.end = (uint32_t)text->len;
	g_array_append_val(spans, span);
	*x += safe_text_width(label) + 1;
}

static void
put_piece(const Layout *layout, const DocumentCell *cell, Span piece, int indent, int *x,
	  GString *text, GArray *spans)
{
	size_t at = (size_t)(piece.at - layout->document->text->str);
	int start = layout->stacked ? 0 : column_at(layout, cell->column);
	int cells = 0;

	/* A TAB in a cell would not know its column. */
	for (Span rest = piece; !span_is_empty(rest);)
		cells += *rest.at == '\t' ? (rest.at++, 1) : safe_text_cluster(rest, &rest.at);
	if (piece.at == layout->document->text->str + cell->at)
		put_label(layout, cell, x, text, spans);
	if (cell->right && !layout->stacked)
		indent = MAX(indent, cell_width(layout, cell) - cells);
	pad(text, x, start + indent);
	document_spans(layout->document, at, at + span_size(piece),
		       (ptrdiff_t)text->len - (ptrdiff_t)at, spans);
	for (const char *p = piece.at; p < piece.end; p++)
		g_string_append_c(text, *p == '\t' ? ' ' : *p);
	*x += cells;
}

static void
put_bar(const Layout *layout, int column, int *x, GString *text)
{
	if (!layout->table->drawn || layout->stacked || column == 0)
		return;
	pad(text, x, column_at(layout, column) - 2);
	g_string_append(text, "│");
	++*x;
}

static void
put_line_across(const Layout *layout, GString *text)
{
	bool begun = false;

	for (int x = 0; x < layout->width && layout->stacked; x++)
		g_string_append(text, "─");
	if (layout->stacked)
		return;
	for (int i = 0; i < layout->table->columns; i++) {
		if (!layout->widths[i])
			continue;
		if (begun)
			g_string_append(text, "─┼─");
		for (int x = 0; x < layout->widths[i]; x++)
			g_string_append(text, "─");
		begun = true;
	}
}

/* The first column that is not shown as a cell before COLUMN, with its bars. */
static void
put_bars_to(const Layout *layout, int *bar, int column, int *x, GString *text)
{
	for (; *bar <= column; ++*bar)
		if (*bar < layout->table->columns && layout->widths[*bar] &&
		    column_at(layout, *bar) > 0)
			put_bar(layout, *bar, x, text);
}

bool
document_row_line(const ViewDocument *document, const DocumentRow *row, int width, size_t n,
		  GString *text, GArray *spans)
{
	Layout layout = lay_out(document, row, width);
	size_t line = 0;
	int column = -1, x = 0, indent, bar = 0;

	if (has_line_below(&layout) &&
	    (n >= count_lines(&layout) || (layout.stacked && row->header))) {
		put_line_across(&layout, text);
		return false;
	}
	for (uint32_t i = 0; i < row->n_cells; i++) {
		const DocumentCell *cell = cell_of(&layout, i);
		Span rest = cell_text(&layout, cell);

		if (cell->column != column && !layout.stacked) {
			line = 0;
			put_bars_to(&layout, &bar, cell->column, &x, text);
			bar = MAX(bar, cell->column + cell->span);
		}
		column = cell->column;
		while (!span_is_empty(rest)) {
			Span piece = take_cell_line(&layout, cell, &rest, &indent);

			if (line++ == n)
				put_piece(&layout, cell, piece, indent, &x, text, spans);
		}
	}
	if (!layout.stacked)
		put_bars_to(&layout, &bar, layout.table->columns - 1, &x, text);
	return true;
}
