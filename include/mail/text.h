/* From a part's bytes to text a person reads.  Decoding the transfer encoding, the charset, then
 * the door; format=flowed (RFC 3676); HTML stripped to text by libxml2's push parser, without any
 * network.  Output is bounded.  Any thread after mail_init. */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include "mail/part.h"

typedef struct MailTextLimits {
	size_t max_bytes; /* of the result; default 8 MiB: more is cut, and the text says so */
} MailTextLimits;

/* BYTES as transferred.  The result is UTF-8 that has passed the door (SAFE_TEXT), LF line ends, not
 * wrapped, but flowed paragraphs joined into one line each ("> " marks kept).  Never NULL; yours
 * to g_free.  *NOTE, unless NULL: a sentence when something degraded ("unknown charset x-foo: shown
 * as ..."), yours to g_free, NULL when nothing did. */
char *mail_text_render(const MailPart *part, GBytes *bytes, const MailTextLimits *limits,
		       char **note);

/* Undoes the transfer encoding, a piece at a time: for saving.  ENCODING "" and unknown: as it is. */
typedef struct MailDecoder MailDecoder;
MailDecoder *mail_decoder_new(const char *encoding);
void mail_decoder_free(MailDecoder *decoder); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailDecoder, mail_decoder_free)
/* Appends to OUT what PIECE gives; LAST flushes. */
void mail_decoder_feed(MailDecoder *decoder, Span piece, bool last, GByteArray *out);

/* Headers for reading, from a HEADER section's bytes: From, To, Cc, Date, Subject, Reply-To first,
 * in that order, each "Name: value" through the door, a line each; ALL: every header in its own
 * order.  Yours to g_free. */
char *mail_text_headers(GBytes *bytes, bool all);

#endif
