/* What a style attribute says (CSS 2.1), as far as it matters for text: whether it is there to be
 * seen, and how.  Declarations are taken one by one; what is not understood is passed over.  No
 * style sheet is ever read. */
#ifndef MAIL_CSS_PRIVATE_H
#define MAIL_CSS_PRIVATE_H

#include "base/span.h"
#include "mail/rich.h"

typedef enum {
	CSS_UNSET,
	CSS_NO,
	CSS_YES,
} CssChoice;

typedef struct CssColour {
	bool is_set;
	bool is_clear; /* transparent */
	uint8_t red, green, blue;
} CssColour;

typedef struct Css {
	bool is_hidden; /* the element and all that is in it */
	bool is_mute;	/* no text of its own: a font nobody can read */
	CssChoice mute;
	CssChoice bold, italic, underline, strike;
	CssChoice pre;	 /* white space is meant */
	CssChoice right; /* text-align */
	CssColour colour;
	CssColour background;
	bool has_picture;	 /* behind the text: its colours are nobody's guess */
	bool is_close;		 /* no space below this paragraph */
	bool is_indented;	 /* a quote that is only an indent: a margin without a border */
	bool is_mso_quote;	 /* Outlook's blue line at the left */
	bool is_mso_reply;	 /* Outlook's grey line above what is replied to */
	int width_px, height_px; /* -1: not said */
} Css;

/* STYLE may be NULL. */
void css_parse(const char *style, Css *css);

/* "#fff", "rgb(1, 2, 3)", "white". */
CssColour css_colour(Span text);
/* So near that one cannot be read on the other. */
bool css_is_same(CssColour a, CssColour b);
/* The nearest that can be read on black as well as on white; else NONE. */
MailColour css_legible(CssColour colour);

#endif
