/* Writes a MailRich: text in pieces that look alike, gathered into lines, which pass the door whole.
 * Who writes says when a line begins and what it is; how many line ends came before it is kept
 * here. */
#ifndef MAIL_RICH_PRIVATE_H
#define MAIL_RICH_PRIVATE_H

#include "mail/rich.h"

typedef struct RichLook {
	uint16_t style;
	uint8_t colour;
	uint32_t link;
} RichLook;

typedef struct RichWriter {
	MailRich *rich;
	size_t max_bytes;
	GString *line;	 /* not through the door yet */
	GArray *pieces;	 /* of that: RichPiece */
	MailBlock block; /* what the line is */
	bool open;	 /* text may be added */
	unsigned breaks; /* line ends since: 2 leaves a blank line */
	bool full;	 /* the limit is passed: what comes is not wanted */
} RichWriter;

MailRich *mail_rich_new(void);
void rich_writer_init(RichWriter *writer, size_t max_bytes);
/* What was written; yours. */
MailRich *rich_writer_finish(RichWriter *writer);

/* Begins a line like SHAPE (its kind, level, quote, marked, indent, hang and right). */
void rich_begin(RichWriter *writer, MailBlock shape);
void rich_put(RichWriter *writer, RichLook look, Span text);
void rich_put_char(RichWriter *writer, RichLook look, gunichar c);
/* The line ends, N line ends at least; more can still be put behind its text. */
void rich_end(RichWriter *writer, unsigned n);
/* It is a block from now on. */
void rich_flush(RichWriter *writer);

/* The number of links with a target each; the index plus one of TARGET, which is looked for among
 * LINKS (owned strings to numbers) first.  0: there are too many. */
uint32_t rich_add_link(MailRich *rich, GHashTable *links, const char *target);

/* What mail_text_render gives for it: LF between lines, ">> " before quotes, " <target>" behind
 * links; stops soon after MAX bytes. */
void rich_plain(const MailRich *rich, size_t max, GString *out);

/* TEXT, plain and through the door, with what can be told from it. */
MailRich *rich_of_plain(Span text, size_t max_bytes);

#endif
