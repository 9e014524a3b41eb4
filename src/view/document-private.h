/* What a document is made of, for the files that lay it out.  Paragraphs are in order; their text is
 * one string, and so is the text of a table's row, cell by cell. */
#ifndef VIEW_DOCUMENT_PRIVATE_H
#define VIEW_DOCUMENT_PRIVATE_H

#include "view/pager.h"

typedef struct Paragraph {
	size_t at, end; /* in the text; without the LF */
	uint32_t row;	/* 1: the first of the document's rows; 0: it is no row */
	uint8_t kind, quote;
	uint8_t indent, hang; /* cells before its first line, and before the others */
	bool continues;	      /* it was cut from the one above */
	bool drawn_marks;     /* quote marks stand before its first line as well */
	bool pre;
} Paragraph;

typedef struct DocumentCell {
	size_t at, end;
	uint8_t column, span;
	uint8_t indent, hang;
	bool right;
} DocumentCell;

typedef struct DocumentTable {
	uint8_t columns;
	bool drawn;
	uint32_t header; /* 1: the first of the document's rows; 0: it has none */
	uint16_t natural[MAIL_TABLE_COLUMNS_MAX]; /* cells that each column would take */
	uint16_t word[MAIL_TABLE_COLUMNS_MAX];	  /* and its longest word */
} DocumentTable;

typedef struct DocumentRow {
	uint32_t table; /* index */
	uint32_t first_cell, n_cells;
	bool header;
} DocumentRow;

struct ViewDocument {
	GString *text;
	GArray *paragraphs; /* of Paragraph; never empty once on a pager */
	GArray *spans;	    /* of ViewSpan, with places in the text */
	GArray *tables;	    /* of DocumentTable */
	GArray *rows;	    /* of DocumentRow */
	GArray *cells;	    /* of DocumentCell */
	GPtrArray *links;   /* of MailLink, owned */
};

/* The spans of DOCUMENT in [at, end) of its text, with places moved by MOVE, are added to OUT. */
void document_spans(const ViewDocument *document, size_t at, size_t end, ptrdiff_t move,
		    GArray *out);

/* Takes one screen line off the front of REST, cut at the edge. */
Span document_cut(Span *rest, int width);

/* How many lines ROW has in WIDTH cells; at least one. */
size_t document_row_lines(const ViewDocument *document, const DocumentRow *row, int width);
/* Its line N, put together in TEXT, with its spans added to SPANS.  False: a line across. */
bool document_row_line(const ViewDocument *document, const DocumentRow *row, int width, size_t n,
		       GString *text, GArray *spans);

#endif
