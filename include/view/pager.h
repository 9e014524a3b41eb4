/* Text to read on a screen of any width: a document of paragraphs, and the place in it.  Lines are
 * cut where they show, never ahead: opening, scrolling and resizing cost what is on the screen,
 * however long the text; the place is a byte, so that it survives a resize.
 *
 * Lines break at blanks, before and after wide characters, and else between grapheme clusters; a
 * TAB goes to the next eighth column.  Preformatted lines break at the edge alone.  A table's columns
 * are as wide as they need, and as there is room for; where there is none, its cells stand below each
 * other.  A document is built on any thread, and then belongs to one. */
#ifndef VIEW_PAGER_H
#define VIEW_PAGER_H

#include "mail/rich.h"

typedef enum {
	VIEW_LINE_TEXT,
	VIEW_LINE_QUOTE,   /* ">" and so on: depth in quote */
	VIEW_LINE_HEADER,  /* "Name: value" */
	VIEW_LINE_NOTE,	   /* our own words about what is shown */
	VIEW_LINE_HEADING, /* above a group of lines */
	VIEW_LINE_RULE,	   /* a line across */
} ViewLineKind;

/* Bytes [at, end) of a line's text that look alike. */
typedef struct ViewSpan {
	uint32_t at, end;
	uint16_t style;	 /* of MailStyle, together */
	uint16_t colour; /* MailColour */
	uint32_t link;	 /* its number in the document (view_document_link); 0: none */
} ViewSpan;

typedef struct ViewLine {
	Span text;   /* through the door, may hold TABs */
	Span prefix; /* quote marks to the left of it, from column 0; fits in the indent */
	const ViewSpan *spans; /* in order; what is in none looks like its kind */
	size_t n_spans;
	ViewLineKind kind;
	int quote;	/* depth, 0: none */
	int indent;	/* cells to leave before it */
	bool continues; /* it is the rest of the line above, wrapped */
} ViewLine;

typedef struct ViewDocument ViewDocument;
ViewDocument *view_document_new(void);
void view_document_free(ViewDocument *document); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewDocument, view_document_free)
/* TEXT has passed the door; each LF ends a paragraph, and so does its end.  An empty TEXT is an empty
 * line.  With kind TEXT, quotes are recognised. */
void view_document_add(ViewDocument *document, ViewLineKind kind, Span text);
/* Likewise; the lines but the first of each paragraph are INDENT cells to the right. */
void view_document_add_indented(ViewDocument *document, ViewLineKind kind, int indent, Span text);
/* Styled text.  Its links get the numbers that follow those of the document: render it with
 * links_before set to view_document_links. */
void view_document_add_rich(ViewDocument *document, const MailRich *rich);
/* Where the links lead whose numbers stand in the text: "[1] https://...", a line each, below a
 * heading.  Nothing when there are none. */
void view_document_add_targets(ViewDocument *document);
unsigned view_document_links(const ViewDocument *document);
/* The target of link NUMBER, from 1; borrowed, through the door; NULL: there is no such link. */
const char *view_document_link(const ViewDocument *document, unsigned number);
size_t view_document_size(const ViewDocument *document);

/* Takes one screen line off the front of REST, a paragraph without LF; never nothing. */
Span view_wrap(Span *rest, int width);

typedef struct ViewPager ViewPager;
ViewPager *view_pager_new(void);
void view_pager_free(ViewPager *pager); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewPager, view_pager_free)

/* Keeps DOCUMENT (not NULL), and its place when KEEP, else starts at the top. */
void view_pager_take(ViewPager *pager, ViewDocument *document, bool keep);
void view_pager_resize(ViewPager *pager, int width, int rows);
/* By LINES, down when positive.  False: it stood at the end already. */
bool view_pager_scroll(ViewPager *pager, int lines);
bool view_pager_first(ViewPager *pager);
bool view_pager_last(ViewPager *pager);
/* Text is not wider than COLUMN, however wide the screen is; 0: as wide as that. */
void view_pager_wrap_at(ViewPager *pager, int column);
/* What is on show; NULL: nothing yet.  Borrowed. */
const ViewDocument *view_pager_document(const ViewPager *pager);
/* The lines on show from the top, at most N: how many.  What they point to is the pager's, until it is
 * asked again or shows something else. */
size_t view_pager_lines(const ViewPager *pager, ViewLine *lines, size_t n);
/* How much of the text is above the bottom of the screen: 0 to 100. */
int view_pager_percent(const ViewPager *pager);
int view_pager_rows(const ViewPager *pager);

#endif
