/* One section out of a whole message that is here already (RFC 9051, 6.4.5): what BODY[section]
 * would have given, so that a message kept whole serves for its parts.  Any thread after mail_init. */
#ifndef MAIL_EXTRACT_H
#define MAIL_EXTRACT_H

#include "base/span.h"

/* SECTION: "", "HEADER", or part numbers ("1", "2.1").  The bytes as transferred, still encoded;
 * yours to unref.  NULL: there is no such section, or it is none of these. */
GBytes *mail_extract(GBytes *message, const char *section);

#endif
