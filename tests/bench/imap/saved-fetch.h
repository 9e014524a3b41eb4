/* A saved answer to UID FETCH (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE), made up the
 * same each time: plain and alternative texts, attachments, mailing lists, forwarded messages, encoded
 * words, several addresses, a literal now and then.  Each line ends a response; no tagged answer. */
#ifndef TESTS_BENCH_IMAP_SAVED_FETCH_H
#define TESTS_BENCH_IMAP_SAVED_FETCH_H

#include <glib.h>

GString *saved_fetch_make(guint messages); /* g_string_free */

#endif
