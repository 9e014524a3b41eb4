/* What a link in HTML leads to, and whether its text says so (RFC 3986, as browsers read it). */
#ifndef MAIL_LINK_PRIVATE_H
#define MAIL_LINK_PRIVATE_H

#include "base/span.h"

#define LINK_MAX 2000 /* bytes of a target; more is cut, and ends in "..." */

/* HREF as it came, NULL is none; false: nothing a person could follow (a fragment, a script, a
 * picture of this message), and TARGET is empty.  White space and brackets, which would make the
 * end of the target a matter of belief, are written as escapes. */
bool link_target(const char *href, GString *target);

/* "example.org" is what https://example.org/ is about, and nobody needs to be told. */
bool link_says_the_same(Span text, const char *target);

/* The host that TARGET leads to, where TEXT names another: yours.  NULL: it does not. */
char *link_other_host(Span text, const char *target);

#endif
