#include "table-private.h"
#include "base/safetext.h"

#define DEPTH_MAX	64     /* tables deeper in tables are only lines */
#define CELLS_MAX	100000 /* of all tables that are open */
#define CELL_BYTES_MAX	1000   /* of a table's cell; what is longer was layout */
#define ROW_BYTES_MAX	3000
#define SHORT_BLOCKS	4   /* lines of a cell in a row of a layout that stays a row */
#define SHORT_ROW_CELLS 100 /* as wide as such a row may be */
#define GAP		2

typedef struct Cell {
	uint32_t row;
	uint32_t first, end; /* blocks */
	uint8_t column, span;
	bool header, right;
} Cell;

typedef struct Table {
	TableShape shape;
	guint first_cell; /* in the stack's cells */
	uint32_t rows;	  /* begun so far */
	unsigned column;  /* of the next cell */
	unsigned columns; /* the most */
	bool in_cell;
	bool nested;			       /* it holds another: a layout */
	bool overflowed;		       /* more columns or cells than are kept */
	uint16_t left[MAIL_TABLE_COLUMNS_MAX]; /* rows that a cell above still reaches into */
} Table;

struct TableStack {
	GArray *tables; /* of Table: those that are open */
	GArray *cells;	/* of Cell: theirs */
	unsigned deeper;
};

TableStack *
table_stack_new(void)
{
	TableStack *stack = g_new0(TableStack, 1);

	stack->tables = g_array_new(FALSE, FALSE, sizeof(Table));
	stack->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
	return stack;
}

void
table_stack_free(TableStack *stack)
{
	if (!stack)
		return;
	g_array_unref(stack->tables);
	g_array_unref(stack->cells);
	g_free(stack);
}

static Table *
innermost(TableStack *stack)
{
	return stack->tables->len > 0 && !stack->deeper
		   ? &g_array_index(stack->tables, Table, stack->tables->len - 1)
		   : NULL;
}

static Cell *
cell_at(TableStack *stack, guint index)
{
	return &g_array_index(stack->cells, Cell, index);
}

static MailBlock *
block_at(RichWriter *writer, guint index)
{
	return &g_array_index(writer->rich->blocks, MailBlock, index);
}

static void
end_line(RichWriter *writer)
{
	rich_end(writer, 1);
	rich_flush(writer);
}

static void
end_cell(TableStack *stack, RichWriter *writer)
{
	Table *table = innermost(stack);

	end_line(writer);
	if (!table || !table->in_cell)
		return;
	cell_at(stack, stack->cells->len - 1)->end = writer->rich->blocks->len;
	table->in_cell = false;
}

void
table_open(TableStack *stack, RichWriter *writer, TableShape shape)
{
	Table table = { .shape = shape, .first_cell = stack->cells->len };
	Table *outer = innermost(stack);

	end_line(writer);
	if (outer)
		outer->nested = true;
	if (stack->deeper || stack->tables->len >= DEPTH_MAX)
		stack->deeper++;
	else
		g_array_append_val(stack->tables, table);
}

void
table_row(TableStack *stack, RichWriter *writer)
{
	Table *table;

	end_cell(stack, writer);
	table = innermost(stack);
	if (!table)
		return;
	if (table->rows > 0)
		for (unsigned i = 0; i < MAIL_TABLE_COLUMNS_MAX; i++)
			table->left[i] -= table->left[i] > 0;
	table->rows++;
	table->column = 0;
}

void
table_cell(TableStack *stack, RichWriter *writer, CellShape shape)
{
	Table *table;
	Cell cell = { .header = shape.header, .right = shape.right };
	unsigned span = (unsigned)CLAMP(shape.columns, 1, MAIL_TABLE_COLUMNS_MAX);

	end_cell(stack, writer);
	table = innermost(stack);
	if (!table)
		return;
	if (table->rows == 0)
		table_row(stack, writer);
	while (table->column < MAIL_TABLE_COLUMNS_MAX && table->left[table->column] > 0)
		table->column++;
	if (table->column >= MAIL_TABLE_COLUMNS_MAX || stack->cells->len >= CELLS_MAX) {
		table->overflowed = true;
		return;
	}
	span = MIN(span, MAIL_TABLE_COLUMNS_MAX - table->column);
	cell.column = (uint8_t)table->column;
	cell.span = (uint8_t)span;
	cell.row = table->rows - 1;
	cell.first = cell.end = writer->rich->blocks->len;
	for (unsigned i = 0; i < span; i++)
		table->left[table->column++] = (uint16_t)CLAMP(shape.rows, 1, 1000);
	/* A single cell across a page makes no columns. */
	if (table->column > table->columns && shape.columns <= MAIL_TABLE_COLUMNS_MAX)
		table->columns = table->column;
	g_array_append_val(stack->cells, cell);
	table->in_cell = true;
}

void
table_cell_close(TableStack *stack, RichWriter *writer)
{
	end_cell(stack, writer);
}

/* ---- what it was ---- */

typedef struct Facts {
	guint filled; /* cells with text */
	size_t bytes;
	int width; /* of the widest lines of all cells, side by side */
	guint most_blocks;
	bool plain;    /* nothing in it that could not stand in a cell */
	bool headings; /* more than a line each */
	bool in_order; /* no text between its cells */
} Facts;

static int
block_width(RichWriter *writer, const MailBlock *block)
{
	const char *text = writer->rich->text->str;

	return block->indent + safe_text_width((Span){ text + block->at, text + block->end });
}

/* Of the cells [from, to). */
static Facts
look_at(TableStack *stack, RichWriter *writer, const Table *table, guint from, guint to)
{
	Facts facts = { .plain = true, .in_order = true };
	uint32_t next = cell_at(stack, from)->first;

	for (guint i = from; i < to; i++) {
		const Cell *cell = cell_at(stack, i);
		int width = 0;

		facts.in_order = facts.in_order && cell->first == next;
		next = cell->end;
		if (cell->first == cell->end)
			continue;
		facts.filled++;
		facts.most_blocks = MAX(facts.most_blocks, cell->end - cell->first);
		for (uint32_t b = cell->first; b < cell->end; b++) {
			const MailBlock *block = block_at(writer, b);

			facts.bytes += block->end - block->at;
			if (facts.bytes > ROW_BYTES_MAX) {
				facts.plain = false;
				return facts;
			}
			facts.plain =
			    facts.plain && !block->table && block->quote == table->shape.quote &&
			    block->kind != MAIL_BLOCK_RULE && block->indent >= table->shape.indent;
			if (block->kind == MAIL_BLOCK_HEADING && cell->end - cell->first > 1)
				facts.headings = true;
			width = MAX(width, block_width(writer, block));
		}
		facts.width += width + GAP;
	}
	return facts;
}

static guint
row_end(TableStack *stack, guint from)
{
	guint to = from;

	while (to < stack->cells->len && cell_at(stack, to)->row == cell_at(stack, from)->row)
		to++;
	return to;
}

/* The blocks of the cells [from, to) become rows of a table, from ROW on. */
static void
mark_cells(TableStack *stack, RichWriter *writer, const Table *table, guint from, guint to,
	   uint32_t row)
{
	uint32_t first_row = cell_at(stack, from)->row;

	for (guint i = from; i < to; i++) {
		const Cell *cell = cell_at(stack, i);

		for (uint32_t b = cell->first; b < cell->end; b++) {
			MailBlock *block = block_at(writer, b);

			block->table = writer->rich->tables->len;
			block->row = row + cell->row - first_row;
			block->column = cell->column;
			block->span = cell->span;
			block->right = cell->right || block->right;
			block->indent = (uint8_t)(block->indent - table->shape.indent);
			block->hang =
			    (uint8_t)(block->hang - MIN(block->hang, table->shape.indent));
			if (i > from || b > cell->first)
				block->blanks = 0;
		}
	}
}

static void
add_table(TableStack *stack, RichWriter *writer, guint from, guint to, unsigned columns, bool drawn)
{
	uint32_t first = cell_at(stack, from)->first;
	MailTable out = { .first = first,
			  .n = cell_at(stack, to - 1)->end - first,
			  .columns = (uint8_t)columns,
			  .drawn = drawn };

	for (guint i = from; drawn && i < row_end(stack, from); i++)
		out.header = (out.header || i == from) && cell_at(stack, i)->header;
	g_array_append_val(writer->rich->tables, out);
}

static bool
is_table(TableStack *stack, RichWriter *writer, const Table *table)
{
	bool says_so = table->shape.is_table;

	if (table->shape.is_layout || table->nested || table->overflowed || table->columns < 2)
		return false;
	for (guint i = table->first_cell; i < stack->cells->len && !says_so; i++)
		says_so = cell_at(stack, i)->header;
	if (!says_so)
		return false;
	for (guint from = table->first_cell, to; from < stack->cells->len; from = to) {
		Facts facts = look_at(stack, writer, table, from, to = row_end(stack, from));

		if (!facts.plain || !facts.in_order ||
		    cell_at(stack, from)->first != (from > table->first_cell
							? cell_at(stack, from - 1)->end
							: cell_at(stack, from)->first))
			return false;
		for (guint i = from; i < to; i++) {
			const Cell *cell = cell_at(stack, i);

			if (cell->end > cell->first && block_at(writer, cell->end - 1)->end -
							       block_at(writer, cell->first)->at >
							   CELL_BYTES_MAX)
				return false;
		}
	}
	return true;
}

static bool
stays_a_row(TableStack *stack, RichWriter *writer, const Table *table, guint from, guint to)
{
	Facts facts;

	if (to - from < 2)
		return false;
	facts = look_at(stack, writer, table, from, to);
	return facts.filled >= 2 && facts.plain && facts.in_order && !facts.headings &&
	       facts.most_blocks <= SHORT_BLOCKS && facts.width - GAP <= SHORT_ROW_CELLS;
}

/* Rows that stay rows, one below the other, with as many columns, share their columns. */
static void
keep_short_rows(TableStack *stack, RichWriter *writer, const Table *table)
{
	guint group = 0; /* where the last group began; its rows so far, its columns, its end */
	uint32_t rows = 0;
	unsigned columns = 0;
	uint32_t end = 0;

	for (guint from = table->first_cell, to; from < stack->cells->len; from = to) {
		const Cell *first = cell_at(stack, from), *last;
		MailTable *open;

		to = row_end(stack, from);
		last = cell_at(stack, to - 1);
		if (!stays_a_row(stack, writer, table, from, to)) {
			rows = 0;
			continue;
		}
		if (rows == 0 || last->column + last->span != (int)columns || first->first != end) {
			group = from;
			rows = 0;
			columns = (unsigned)last->column + last->span;
			add_table(stack, writer, from, to, columns, false);
		}
		mark_cells(stack, writer, table, from, to, rows++);
		open =
		    &g_array_index(writer->rich->tables, MailTable, writer->rich->tables->len - 1);
		open->n = last->end - cell_at(stack, group)->first;
		end = last->end;
	}
}

void
table_close(TableStack *stack, RichWriter *writer)
{
	Table *table;

	end_cell(stack, writer);
	if (stack->deeper) {
		stack->deeper--;
		return;
	}
	table = innermost(stack);
	if (!table)
		return;
	if (stack->cells->len > table->first_cell) {
		guint from = table->first_cell, to = stack->cells->len;

		if (is_table(stack, writer, table)) {
			add_table(stack, writer, from, to, table->columns, true);
			mark_cells(stack, writer, table, from, to, 0);
		} else {
			keep_short_rows(stack, writer, table);
		}
	}
	g_array_set_size(stack->cells, table->first_cell);
	g_array_set_size(stack->tables, stack->tables->len - 1);
}
