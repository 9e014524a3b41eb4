/* From a part's bytes to text a person reads.  Decoding the transfer encoding, the charset, then
 * the door, in that order; format=flowed (RFC 3676); HTML to text by libxml2's push parser,
 * without any network.  Output is bounded, time is linear in the input.  Any thread after
 * mail_init. */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include "mail/part.h"

typedef struct MailTextLimits {
	size_t max_bytes; /* of the result; 0: 8 MiB.  More is cut, and the text says so */
} MailTextLimits;

/* BYTES as transferred.  The result is UTF-8 that has passed the door (SAFE_TEXT), LF line ends,
 * not wrapped, but flowed paragraphs joined into one line each (quote marks kept: ">> text").
 *
 * HTML: blocks become lines, lists get bullets or numbers, quotes "> ", table cells stand side by
 * side with two spaces between; a link is followed by its target (" <https://...>") unless it is its own text, a picture is its alternative text in
 * brackets; scripts, styles and what is not displayed are left out.
 *
 * A charset that is not known, or ASCII that is none, is shown as UTF-8 if it is that, else as
 * windows-1252; UTF-7 is never decoded.
 *
 * LIMITS may be NULL.  Never NULL; yours to g_free.  *NOTE, unless NULL: sentences for what
 * degraded, through the door, one line, yours to g_free; NULL when nothing did. */
char *mail_text_render(const MailPart *part, GBytes *bytes, const MailTextLimits *limits,
		       char **note);

/* Undoes the transfer encoding (RFC 2045, 6), a piece at a time: for saving.  base64 takes bytes
 * that are not its own for line noise, ends at its padding, and gives the last bytes of one that
 * was cut; quoted-printable leaves what is no escape as it stands, and takes white space between
 * a "=" and the end of its line.  Everything else, uuencode as well, is passed as it is. */
typedef struct MailDecoder MailDecoder;
MailDecoder *mail_decoder_new(const char *encoding); /* lower case; NULL is "" */
void mail_decoder_free(MailDecoder *decoder);	     /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailDecoder, mail_decoder_free)
/* Whether mail_decoder_new knows ENCODING: "", 7bit, 8bit, binary, base64, quoted-printable. */
bool mail_decoder_knows(const char *encoding);
/* Appends to OUT what PIECE gives; LAST flushes.  All pieces together give no more than came. */
void mail_decoder_feed(MailDecoder *decoder, Span piece, bool last, GByteArray *out);

/* Headers for reading, from a HEADER section's bytes: From, To, Cc, Date, Subject, Reply-To first,
 * in that order, each "Name: value" through the door, a line each; what is missing is left out,
 * what comes twice (two From, RFC 5322 allows one) is shown twice.  ALL: every header in its own
 * order, by the name it has.  Only the first 10 MiB are looked at; a value over 16 KiB is cut and
 * ends in "[...]"; so does the whole, after 1 MiB.  Yours to g_free. */
char *mail_text_headers(GBytes *bytes, bool all);

#endif
