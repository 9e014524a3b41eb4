/* Header values as people read them (RFC 5322, RFC 2047, RFC 2231, RFC 6532).  What comes out is
 * valid UTF-8 without NUL and has NOT passed the door (base/safetext.h).  Any thread after
 * mail_init; linear in its input, and no recursion on it.
 *
 * Encoded words are taken apart here and not by GMime, which drops the name of an unknown charset,
 * decodes UTF-7, and loses a character that two words share when they differ in case or coding. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/span.h"

/* Once, before anything else of this room, from the main thread. */
void mail_init(void);

/* Unstructured text: encoded words decoded wherever they stand, adjacent ones joined (also in the
 * middle of a character), 8-bit bytes taken as UTF-8 if they are, else as FALLBACK (NULL:
 * windows-1252); folding undone.  A broken word or one in an unknown charset stays as it stands,
 * visibly.  A NUL becomes U+FFFD, and so do CR and LF out of an encoded word (no header has
 * them); other controls stay for the door to mark.  Appends to OUT.  Fast when there is nothing to
 * decode. */
void mail_header_decode(Span raw, const char *fallback, GString *out);

/* Bytes whose charset is told beside them (RFC 2231's charset'language'text, its percent signs
 * undone): to UTF-8 at the end of OUT, by the charsets that mail may use and no others; an unknown
 * one is guessed as raw bytes above.  A NUL, and what means nothing, becomes U+FFFD. */
void mail_charset_decode(Span bytes, Span charset, GString *out);

/* True when RAW is plain: ASCII without "=?", NUL, CR or LF: it is its own decoding. */
bool mail_header_is_plain(Span raw);

/* Appends one address as "Name <mailbox@host>".  The name is decoded, and quoted where it must be
 * (so is one with an "@" in it); the mailbox is taken as it stands, never decoded, and quoted
 * where it must be; a host is shown as sent (IDN in A-labels).  No name, or one that is the
 * address again: the address alone.  No host: the mailbox alone, as in a broken header. */
void mail_address_append(GString *out, Span name, Span mailbox, Span host);

/* A From, To, ... header's value: every address as above, with ", " between them.  A group's name
 * is shown before its members ("Friends: a@b, c@d;"); what is no address stays, decoded. */
void mail_address_list_append(GString *out, Span raw);

/* For a narrow column: the name of the first address of a list made of the above; the address
 * where there is no name, or where the name has an "@" and might pass for an address.  Yours to
 * g_free. */
char *mail_address_short(const char *list);

/* A Date header (RFC 5322 3.3 and 4.3, and what is seen in the wild: asctime, ISO 8601, "GMT+1",
 * month first, AM and PM): seconds since the epoch, and the zone, minutes east; a zone that is
 * missing or unknown is UTC, a missing time midnight.  Only the first 512 bytes count.  False when
 * it is no date: both are left alone. */
bool mail_date_parse(Span raw, int64_t *seconds, int *zone_min);

#endif
