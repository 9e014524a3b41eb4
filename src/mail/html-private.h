/* HTML to running text, a piece at a time (HTML 4 as libxml2's push parser sees it: errors are
 * survived, nothing is ever loaded).  Memory does not grow with the nesting, time is linear: what
 * would make the parser's own searches quadratic (attributes by the thousand, end tags without
 * a beginning under a deep stack) ends the text instead. */
#ifndef MAIL_HTML_PRIVATE_H
#define MAIL_HTML_PRIVATE_H

#include "base/span.h"

typedef struct HtmlText HtmlText;

typedef enum {
	HTML_TEXT_MORE,	   /* feed on */
	HTML_TEXT_FULL,	   /* MAX_BYTES are there; the rest is not looked at */
	HTML_TEXT_TANGLED, /* nested or broken beyond reason: what came before is in OUT */
} HtmlTextState;

/* Appends to OUT, which stays the caller's, is not through the door, and may pass MAX_BYTES by one
 * piece's worth. */
HtmlText *html_text_new(GString *out, size_t max_bytes);
void html_text_free(HtmlText *html); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlText, html_text_free)

/* UTF8: valid, whole characters, without NUL. */
HtmlTextState html_text_feed(HtmlText *html, Span utf8, bool last);

#endif
