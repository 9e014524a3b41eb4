/* The walk over HTML: elements as the tokenizer finds them (html-private.h), in; a MailRich out.  Every
 * start has its end.  Memory does not grow with the nesting but by a few bytes an element that
 * changes how text looks. */
#ifndef MAIL_WALK_PRIVATE_H
#define MAIL_WALK_PRIVATE_H

#include "rich-private.h"

typedef struct Walk Walk;
Walk *walk_new(size_t max_bytes, unsigned links_before, bool show_hidden);
void walk_free(Walk *walk); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Walk, walk_free)

/* ATTRIBUTES: name, value (may be NULL), ..., NULL; or NULL. */
void walk_start(Walk *walk, const char *name, const char **attributes);
void walk_end(Walk *walk, const char *name);
/* UTF-8, but not always whole. */
void walk_text(Walk *walk, const char *text, size_t size);
/* No text follows: what was held back is shown. */
void walk_pause(Walk *walk);

unsigned walk_depth(const Walk *walk); /* open elements */
bool walk_is_full(const Walk *walk);

/* What was seen until now; yours.  Once, at the end. */
MailRich *walk_finish(Walk *walk);

#endif
