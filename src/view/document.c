/* A document: how text becomes paragraphs, and paragraphs lines. */
#include "document-private.h"

#include "base/i18n.h"
#include "base/safetext.h"

/* A paragraph longer than this is kept as several, so that finding a line in it stays cheap. */
#define PARAGRAPH_MAX 4096
#define TAB_STOP      8
#define INDENT_MAX    64
#define QUOTE_MAX     32 /* marks that are drawn */
#define HEADER_INDENT 4
#define CELLS_MAX     1000 /* of a column */
#define WORD_MAX      40

static void
free_link(gpointer data)
{
	MailLink *link = data;

	g_free(link->target);
	g_free(link);
}

ViewDocument *
view_document_new(void)
{
	ViewDocument *document = g_new0(ViewDocument, 1);

	document->text = g_string_new(NULL);
	document->paragraphs = g_array_new(FALSE, FALSE, sizeof(Paragraph));
	document->spans = g_array_new(FALSE, FALSE, sizeof(ViewSpan));
	document->tables = g_array_new(FALSE, FALSE, sizeof(DocumentTable));
	document->rows = g_array_new(FALSE, FALSE, sizeof(DocumentRow));
	document->cells = g_array_new(FALSE, FALSE, sizeof(DocumentCell));
	document->links = g_ptr_array_new_with_free_func(free_link);
	return document;
}

void
view_document_free(ViewDocument *document)
{
	if (!document)
		return;
	g_string_free(document->text, TRUE);
	g_array_unref(document->paragraphs);
	g_array_unref(document->spans);
	g_array_unref(document->tables);
	g_array_unref(document->rows);
	g_array_unref(document->cells);
	g_ptr_array_unref(document->links);
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

/* LINE as paragraphs like SHAPE. */
static void
add_paragraph(ViewDocument *document, Paragraph shape, Span line)
{
	do {
		Span piece = line;
		Paragraph paragraph = shape;

		if (span_size(piece) > PARAGRAPH_MAX)
			piece.end = cut_point(piece);
		paragraph.at = document->text->len;
		g_string_append_len(document->text, piece.at, (gssize)span_size(piece));
		paragraph.end = document->text->len;
		g_array_append_val(document->paragraphs, paragraph);
		line.at = piece.end;
		shape.continues = true;
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
		Paragraph shape = { .kind = (uint8_t)kind };

		if (lf)
			line.end = lf;
		if (kind == VIEW_LINE_TEXT)
			shape.quote = (uint8_t)quote_depth(line);
		if (shape.quote)
			shape.kind = VIEW_LINE_QUOTE;
		shape.hang =
		    (uint8_t)CLAMP(shape.quote ? quote_indent(line) : indent, 0, INDENT_MAX);
		add_paragraph(document, shape, line);
		text.at = lf ? lf + 1 : text.end;
	} while (!span_is_empty(text));
}

/* ---- styled text ---------------------------------------------------------------------------- */

static const MailBlock *
block_at(const MailRich *rich, guint index)
{
	return &g_array_index(rich->blocks, MailBlock, index);
}

static Span
block_text(const MailRich *rich, const MailBlock *block)
{
	return (Span){ rich->text->str + block->at, rich->text->str + block->end };
}

static uint8_t
quoted_indent(const MailBlock *block, unsigned indent)
{
	unsigned marks = block->quote && !block->marked ? MIN(block->quote, QUOTE_MAX) + 1U : 0;

	return (uint8_t)MIN(indent + marks, INDENT_MAX);
}

static Paragraph
shape_of(const MailBlock *block)
{
	return (Paragraph){
		.kind = block->kind == MAIL_BLOCK_HEADING ? VIEW_LINE_HEADING
			: block->kind == MAIL_BLOCK_RULE  ? VIEW_LINE_RULE
			: block->quote			  ? VIEW_LINE_QUOTE
							  : VIEW_LINE_TEXT,
		.quote = block->quote,
		.indent = quoted_indent(block, block->indent),
		.hang = quoted_indent(block, block->hang),
		.drawn_marks = block->quote && !block->marked,
		.pre = block->kind == MAIL_BLOCK_PRE,
	};
}

static void
add_blanks(ViewDocument *document, const MailBlock *block, const MailBlock *last)
{
	MailBlock blank = { .quote = last ? MIN(block->quote, last->quote) : 0 };

	for (unsigned i = 0; last && i < block->blanks; i++)
		add_paragraph(document, shape_of(&blank), SPAN_EMPTY);
}

/* Cells of the longest word, that breaks nowhere. */
static int
longest_word(Span text)
{
	int most = 0, word = 0;

	while (!span_is_empty(text)) {
		bool blank = *text.at == ' ' || *text.at == '\t';
		int cells = safe_text_cluster(text, &text.at);

		word = blank ? 0 : cells > 1 ? cells : word + cells;
		most = MAX(most, word);
	}
	return most;
}

/* The cells' widths if each had all the room it wants. */
static void
measure(DocumentTable *table, const MailRich *rich, const MailTable *from)
{
	for (uint32_t i = from->first; i < from->first + from->n; i++) {
		const MailBlock *block = block_at(rich, i);
		int width = safe_text_width(block_text(rich, block)) + block->indent;
		uint16_t *natural = &table->natural[block->column];

		table->columns = MAX(table->columns, (uint8_t)(block->column + 1));
		if (block->span > 1)
			continue;
		*natural = (uint16_t)CLAMP(width, *natural, CELLS_MAX);
		table->word[block->column] =
		    (uint16_t)CLAMP(longest_word(block_text(rich, block)) + block->hang,
				    table->word[block->column], WORD_MAX);
	}
	/* A cell across several columns makes the last of them wider when it must. */
	for (uint32_t i = from->first; i < from->first + from->n; i++) {
		const MailBlock *block = block_at(rich, i);
		int width = safe_text_width(block_text(rich, block)) + block->indent;
		int last = MIN(block->column + block->span, table->columns) - 1, sum = 0;

		for (int column = block->column; column <= last; column++)
			sum += table->natural[column];
		if (sum < width && block->span > 1)
			table->natural[last] =
			    (uint16_t)CLAMP(table->natural[last] + width - sum, 0, CELLS_MAX);
	}
}

/* The blocks from FIRST on that are one row: how many. */
static guint
row_size(const MailRich *rich, guint first)
{
	guint next = first;

	while (next < rich->blocks->len &&
	       block_at(rich, next)->table == block_at(rich, first)->table &&
	       block_at(rich, next)->row == block_at(rich, first)->row)
		next++;
	return next - first;
}

static guint
add_row(ViewDocument *document, const MailRich *rich, guint first)
{
	const MailBlock *block = block_at(rich, first);
	const MailTable *table = &g_array_index(rich->tables, MailTable, block->table - 1);
	DocumentRow row = { .first_cell = document->cells->len };
	Paragraph paragraph = shape_of(&(MailBlock){ .quote = block->quote });

	if (first == table->first) {
		DocumentTable measured = { .columns = table->columns, .drawn = table->drawn };

		measure(&measured, rich, table);
		g_array_append_val(document->tables, measured);
	}
	row.table = document->tables->len - 1;
	row.header = table->header && block->row == 0;
	if (row.header)
		g_array_index(document->tables, DocumentTable, row.table).header =
		    document->rows->len + 1;
	row.n_cells = row_size(rich, first);
	paragraph.at = document->text->len;
	for (guint i = first; i < first + row.n_cells; i++) {
		const MailBlock *from = block_at(rich, i);
		Span text = block_text(rich, from);
		DocumentCell cell = { .at = document->text->len,
				      .column = from->column,
				      .span = from->span,
				      .indent = from->indent,
				      .hang = from->hang,
				      .right = from->right };

		g_string_append_len(document->text, text.at, (gssize)span_size(text));
		cell.end = document->text->len;
		g_array_append_val(document->cells, cell);
	}
	paragraph.end = document->text->len;
	g_array_append_val(document->rows, row);
	paragraph.row = document->rows->len;
	g_array_append_val(document->paragraphs, paragraph);
	return row.n_cells;
}

static void
add_links(ViewDocument *document, const MailRich *rich)
{
	for (guint i = 0; i < rich->links->len; i++) {
		const MailLink *from = rich->links->pdata[i];
		MailLink *link = g_new0(MailLink, 1);

		link->target = g_strdup(from->target);
		link->shown = from->shown;
		g_ptr_array_add(document->links, link);
	}
}

void
view_document_add_rich(ViewDocument *document, const MailRich *rich)
{
	size_t moved = document->text->len;
	unsigned links = document->links->len;
	const MailBlock *last = NULL;

	for (guint i = 0; i < rich->runs->len; i++) {
		const MailRun *run = &g_array_index(rich->runs, MailRun, i);
		ViewSpan span = { (uint32_t)(run->at + moved), (uint32_t)(run->end + moved),
				  run->style, run->colour, run->link ? run->link + links : 0 };

		g_array_append_val(document->spans, span);
	}
	for (guint i = 0; i < rich->blocks->len;) {
		const MailBlock *block = block_at(rich, i);

		add_blanks(document, block, last);
		last = block;
		if (block->table) {
			i += add_row(document, rich, i);
			continue;
		}
		add_paragraph(document, shape_of(block), block_text(rich, block));
		i++;
	}
	if (rich->blocks->len == 0)
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	add_links(document, rich);
}

void
view_document_add_targets(ViewDocument *document)
{
	bool any = false;

	for (guint i = 0; i < document->links->len; i++) {
		const MailLink *link = document->links->pdata[i];
		g_autofree char *number = g_strdup_printf("[%u] ", i + 1);
		int indent = (int)strlen(number);
		g_autofree char *line = g_strconcat(number, link->target, NULL);
		ViewSpan span = { .style = MAIL_STYLE_LINK, .link = i + 1 };

		if (!link->shown)
			continue;
		if (!any) {
			view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
			/* Above the list of where the links of a message lead. */
			view_document_add(document, VIEW_LINE_HEADING, span_of_string(_("Links")));
		}
		any = true;
		span.at = (uint32_t)document->text->len + (uint32_t)indent;
		view_document_add_indented(document, VIEW_LINE_TEXT, indent, span_of_string(line));
		span.end = (uint32_t)document->text->len;
		g_array_append_val(document->spans, span);
	}
}

unsigned
view_document_links(const ViewDocument *document)
{
	return document->links->len;
}

const char *
view_document_link(const ViewDocument *document, unsigned number)
{
	return number > 0 && number <= document->links->len
		   ? ((MailLink *)document->links->pdata[number - 1])->target
		   : NULL;
}

void
document_spans(const ViewDocument *document, size_t at, size_t end, ptrdiff_t move, GArray *out)
{
	guint low = 0, high = document->spans->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(document->spans, ViewSpan, middle).end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < document->spans->len; low++) {
		ViewSpan span = g_array_index(document->spans, ViewSpan, low);

		if (span.at >= end)
			break;
		span.at = (uint32_t)((ptrdiff_t)MAX(span.at, at) + move);
		span.end = (uint32_t)((ptrdiff_t)MIN(span.end, end) + move);
		g_array_append_val(out, span);
	}
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

Span
document_cut(Span *rest, int width)
{
	const char *p = rest->at;
	Span line = *rest;

	for (int x = 0; p < rest->end;) {
		const char *cluster = p;

		x += take_cluster(&p, rest->end, x);
		if (x > width && cluster > rest->at) {
			p = cluster;
			break;
		}
	}
	line.end = rest->at = p;
	return line;
}
