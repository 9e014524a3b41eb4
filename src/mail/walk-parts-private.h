/* What the files of the walk share: where it stands, lines and what is put on them. */
#ifndef MAIL_WALK_PARTS_PRIVATE_H
#define MAIL_WALK_PARTS_PRIVATE_H

#include "css-private.h"
#include "link-private.h"
#include "table-private.h"
#include "walk-private.h"

#define LISTS_MAX  16 /* deeper ones are as deep as this */
#define QUOTES_MAX 32 /* likewise */

typedef struct List {
	int number;	/* of the next item; 0: bullets */
	char type;	/* "1", "a", "A", "i", "I" */
	unsigned width; /* of the marker: how far the rest of an item is indented */
} List;

/* How text looks here: what an element changes is put back when it ends. */
typedef struct Looks {
	uint16_t style;
	uint8_t heading; /* level; 0: none */
	bool mute;	 /* too small to be read */
	bool right;
	bool meant_space;     /* white-space: pre */
	uint8_t shown_colour; /* MailColour */
	CssColour colour, background;
	unsigned piece; /* which hidden piece text that nobody can see is of */
} Looks;

typedef struct Saved {
	unsigned depth; /* of the element whose end puts them back */
	Looks looks;
	bool quote; /* and ends a quote, an indent */
	bool indent;
} Saved;

struct Walk {
	RichWriter writer;
	TableStack *tables;
	unsigned links_before, links_shown;
	bool show_hidden;

	unsigned depth;	    /* open elements */
	unsigned hidden_at; /* the depth of the outermost one that is not shown; 0: none */
	bool hidden_counts; /* that one keeps text from view, where a script only is none */
	unsigned pieces, last_piece;
	Looks looks;
	GArray *saved; /* of Saved */

	unsigned pre, quotes;
	bool close_paragraph; /* the open one has no space below */
	List lists[LISTS_MAX];
	unsigned n_lists;
	char marker[24]; /* before the next text, where an item began; "": none */
	bool space;	 /* white space was seen since the last text */
	bool less;	 /* a "<" came by itself: perhaps "<![if ...]>" */

	GString *href;	    /* of the open link; "": none */
	GString *link_text; /* what is in it, as far as it matters */
	uint32_t link;	    /* its number among the writer's; 0: it has no text yet */
	GHashTable *links;  /* of targets: the writer's number */
	GArray *numbers;    /* of unsigned: what each of these is called, 0 not yet */
};

/* A boundary between blocks: N line ends at least. */
void walk_end_line(Walk *walk, unsigned n);
/* <br>, or a line end in <pre>: after another one, a blank line; only <pre> has more of them. */
void walk_break_line(Walk *walk);
void walk_begin_line(Walk *walk);
/* Our own words, or the sender's way of writing them. */
void walk_put(Walk *walk, const char *text, uint16_t style);

/* Nobody could read text that looks like this. */
bool walk_is_unseen(const Walk *walk, const Looks *looks);
void walk_note_hidden(Walk *walk, unsigned piece);

/* An attribute's value; NULL: it has none. */
const char *walk_attribute(const char **attributes, const char *name);
/* A number, or -1. */
int walk_number(const char **attributes, const char *name);

void walk_open_link(Walk *walk, const char **attributes);
void walk_close_link(Walk *walk);
void walk_put_picture(Walk *walk, const char **attributes, const Css *css);
/* NUMBER 0: bullets. */
void walk_open_list(Walk *walk, int number, const char *type);
void walk_close_list(Walk *walk);
void walk_open_item(Walk *walk, const char **attributes);
/* A level of indent without a marker. */
void walk_open_indent(Walk *walk);

#endif
