/* Header values as people read them (RFC 5322, RFC 2047, RFC 2231, RFC 6532).  What comes out is
 * valid UTF-8 and has NOT passed the door (base/safetext.h).  Any thread after mail_init. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/span.h"

/* Once, before anything else of this room, from the main thread. */
void mail_init(void);

/* Unstructured text: encoded words decoded, 8-bit bytes taken as UTF-8 if they are, else as
 * FALLBACK (NULL: windows-1252); folding undone.  An unknown charset leaves the encoded word as it
 * stands, visibly.  Appends to OUT.  Fast when there is nothing to decode. */
void mail_header_decode(Span raw, const char *fallback, GString *out);

/* True when RAW is plain: ASCII without "=?", CR or LF: it is its own decoding. */
bool mail_header_is_plain(Span raw);

/* Appends one address as "Name <mailbox@host>" (the name quoted where it must be, decoded;
 * an "@" in the name is kept and quoted; host IDN shown in A-labels as sent). */
void mail_address_append(GString *out, Span name, Span mailbox, Span host);

/* For a narrow column: the name, or the address where there is none, of the first address of a
 * list made of the above.  Yours to g_free. */
char *mail_address_short(const char *list);

/* A Date header (RFC 5322 3.3 and 4.3, and what is seen in the wild): seconds since the epoch, and
 * the zone, minutes east.  False when it is no date. */
bool mail_date_parse(Span raw, int64_t *seconds, int *zone_min);

#endif
