/* Tables of HTML, as they nest.  What is in the cells becomes blocks like everything else; when a
 * table ends it is known whether it was one, or a way to lay a page out: a layout falls apart into
 * its cells in the order they are read in, but rows of a few short words stay rows.  Each cell is
 * looked at once, in the innermost table it is of. */
#ifndef MAIL_TABLE_PRIVATE_H
#define MAIL_TABLE_PRIVATE_H

#include "rich-private.h"

typedef struct TableStack TableStack;
TableStack *table_stack_new(void);
void table_stack_free(TableStack *stack); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TableStack, table_stack_free)

typedef struct TableShape {
	bool is_layout; /* it says so */
	bool is_table;	/* likewise: a border */
	uint8_t quote;	/* around it */
	uint8_t indent;
} TableShape;

typedef struct CellShape {
	bool header, right;
	int columns, rows; /* that it spans: any number, as it came */
} CellShape;

/* Lines end at each of these. */
void table_open(TableStack *stack, RichWriter *writer, TableShape shape);
void table_row(TableStack *stack, RichWriter *writer);
void table_cell(TableStack *stack, RichWriter *writer, CellShape shape);
void table_cell_close(TableStack *stack, RichWriter *writer);
void table_close(TableStack *stack, RichWriter *writer);

#endif
