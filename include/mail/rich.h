/* Styled text: what a part says, for a screen of any width.  HTML becomes headings, lists, quotes,
 * links, tables and emphasis; plain text gets what can be told from it: quotes, a signature, diffs,
 * addresses of pages.  mail/text.h's plain text of HTML is written from this: there is one walk.
 *
 * A document is a list of blocks, each a line to wrap wherever it is shown, of one text.  Nothing here
 * knows a width.  All text has passed the door (SAFE_TEXT) and holds no LF; right-to-left text stays
 * in logical order; nothing is ever loaded.  Memory is bounded by the limit (at most about nine times
 * its bytes), time is linear in the input.  Any thread after mail_init. */
#ifndef MAIL_RICH_H
#define MAIL_RICH_H

#include "mail/text.h"

typedef enum {
	MAIL_STYLE_BOLD = 1,
	MAIL_STYLE_ITALIC = 2,
	MAIL_STYLE_UNDERLINE = 4,
	MAIL_STYLE_STRIKE = 8,
	MAIL_STYLE_CODE = 16,
	MAIL_STYLE_LINK = 32,
	MAIL_STYLE_NUMBER = 64,	  /* our "[3]" behind a link: not of the text */
	MAIL_STYLE_WARNING = 128, /* likewise: "[3: leads to evil.example]" */
	MAIL_STYLE_MARKER = 256,  /* our "* " or "1. " before an item */
	MAIL_STYLE_PICTURE = 512, /* "[A cat]": a picture's alternative text */
	MAIL_STYLE_ADDED = 1024,  /* of a diff */
	MAIL_STYLE_REMOVED = 2048,
	MAIL_STYLE_DIFF = 4096, /* its other lines: file names, "@@" */
	MAIL_STYLE_SIGNATURE = 8192,
} MailStyle;

/* Only where the sender's own colour can be read on black and on white. */
typedef enum {
	MAIL_COLOUR_NONE,
	MAIL_COLOUR_RED,
	MAIL_COLOUR_GREEN,
	MAIL_COLOUR_YELLOW,
	MAIL_COLOUR_BLUE,
	MAIL_COLOUR_MAGENTA,
	MAIL_COLOUR_CYAN,
} MailColour;

/* Bytes [at, end) of the text that look alike.  Runs are in order, do not touch two blocks, and only
 * stand where there is something to say. */
typedef struct MailRun {
	uint32_t at, end;
	uint16_t style;	 /* of MailStyle, together */
	uint16_t colour; /* MailColour */
	uint32_t link;	 /* 1: the first of the document's links; 0: none */
} MailRun;

typedef enum {
	MAIL_BLOCK_TEXT,
	MAIL_BLOCK_HEADING,
	MAIL_BLOCK_PRE,	 /* its blanks are meant; not to be wrapped between words */
	MAIL_BLOCK_RULE, /* a line across; no text */
} MailBlockKind;

typedef struct MailBlock {
	uint32_t at, end;
	uint8_t kind;	/* MailBlockKind */
	uint8_t level;	/* of a heading: 1 to 6 */
	uint8_t quote;	/* depth; the marks are not in the text, but where marked says so */
	uint8_t marked; /* bytes at the beginning that are quote marks as they came */
	uint8_t blanks; /* lines to leave empty before it */
	uint8_t indent; /* cells before its first line */
	uint8_t hang;	/* cells before the others */
	uint8_t right;	/* of a table cell: its lines end at the right */
	uint32_t table; /* 1: the document's first table; 0: none */
	uint32_t row;	/* in that, from 0; a cell may have several blocks */
	uint8_t column, span;
} MailBlock;

/* Its blocks are [first, first + n), row by row, cell by cell.  An empty cell has none. */
typedef struct MailTable {
	uint32_t first, n;
	uint8_t columns;
	bool drawn;  /* a table as such; else rows of a layout, that look best side by side */
	bool header; /* its first row says what the columns are */
} MailTable;
#define MAIL_TABLE_COLUMNS_MAX 32

typedef struct MailLink {
	char *target; /* through the door, without white space, "<" and ">"; at most 2003 bytes */
	bool shown;   /* its number stands in the text; else the text is the target */
} MailLink;

typedef struct MailRich {
	GString *text;
	GArray *blocks;	  /* of MailBlock */
	GArray *runs;	  /* of MailRun */
	GArray *tables;	  /* of MailTable */
	GPtrArray *links; /* of MailLink, owned; a target comes once */
	unsigned hidden;  /* pieces of text that the sender keeps from view: left out */
	unsigned pixels;  /* pictures too small to see, that tell who has read: left out */
} MailRich;

typedef struct MailRichLimits {
	size_t max_bytes;      /* of the text; 0: 8 MiB */
	unsigned links_before; /* the first link is number links_before + 1 */
	bool show_hidden;      /* leave no text out for how it looks */
} MailRichLimits;

/* BYTES as transferred, of a text part.  LIMITS may be NULL.  Never NULL; *NOTE as mail_text_render
 * has it. */
MailRich *mail_rich_render(const MailPart *part, GBytes *bytes, const MailRichLimits *limits,
			   char **note);
void mail_rich_free(MailRich *rich); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailRich, mail_rich_free)

/* "2 hidden pieces of text and 1 tracking pixel were left out."  NULL: none were.  Yours. */
char *mail_rich_left_out(const MailRich *rich);

#endif
