/* HTML to styled text, a piece at a time (HTML 4 as libxml2's push parser sees it: errors are
 * survived, nothing is ever loaded).  Memory does not grow with the nesting, time is linear: what
 * would make the parser's own searches quadratic (attributes by the thousand, end tags without
 * a beginning under a deep stack) ends the text instead. */
#ifndef MAIL_HTML_PRIVATE_H
#define MAIL_HTML_PRIVATE_H

#include "rich-private.h"

typedef struct HtmlText HtmlText;

typedef enum {
	HTML_TEXT_MORE,	   /* feed on */
	HTML_TEXT_FULL,	   /* MAX_BYTES are there; the rest is not looked at */
	HTML_TEXT_TANGLED, /* nested or broken beyond reason: what came before is kept */
} HtmlTextState;

/* What is written may pass MAX_BYTES by one piece's worth. */
HtmlText *html_text_new(size_t max_bytes, unsigned links_before, bool show_hidden);
void html_text_free(HtmlText *html); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlText, html_text_free)

/* UTF8: valid, whole characters, without NUL. */
HtmlTextState html_text_feed(HtmlText *html, Span utf8, bool last);

/* What was seen until now; yours.  Once, after the last piece, or when no more is wanted. */
MailRich *html_text_finish(HtmlText *html);

#endif
