/* Charsets to UTF-8, a piece at a time, for every file of this room.  What comes out is valid UTF-8
 * without NUL; each run of up to four bytes that mean nothing, and each NUL, is one U+FFFD.
 *
 * Only names in our own table reach iconv: mail chooses the name, and iconv knows hundreds, some
 * of which have had endless loops and assertions (CVE-2021-3326, CVE-2020-27618).  UTF-7 and its
 * kin are not in it on purpose: they exist to smuggle what a filter would have seen. */
#ifndef MAIL_CHARSET_PRIVATE_H
#define MAIL_CHARSET_PRIVATE_H

#include "base/span.h"

typedef struct Charset Charset;

/* Whether NAME (any case, any of its spellings; a language suffix of RFC 2231 is not taken off) is
 * one we decode. */
bool charset_is_known(Span name);

/* For NAME; unknown or empty: a guess, which is UTF-8 if the first bytes above ASCII are, else
 * windows-1252.  ASCII that is not is guessed as well.  FALLBACK, unless NULL, stands for
 * windows-1252 in a guess. */
Charset *charset_new(Span name, const char *fallback);
void charset_free(Charset *charset); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Charset, charset_free)

/* Appends BYTES to OUT as UTF-8.  What ends within a character waits for the next piece, until
 * LAST.  A byte order mark at the very beginning decides against NAME when BOM was asked for. */
void charset_feed(Charset *charset, Span bytes, bool last, GString *out);
void charset_obey_bom(Charset *charset); /* before the first piece */

/* How many placeholders were put so far. */
size_t charset_errors(const Charset *charset);

/* What the bytes turned out to be: "UTF-8", "windows-1252", ...; borrowed, static. */
const char *charset_used(const Charset *charset);

/* All of it at once. */
void charset_append(GString *out, Span bytes, Span name, const char *fallback);

#endif
