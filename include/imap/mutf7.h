/* Mailbox names: modified UTF-7 (RFC 3501, 5.1.3) and plain UTF-8 (RFC 9051, RFC 6855).  The raw
 * bytes stay the identity; what comes out of here is for showing and typing.  Any thread; pure. */
#ifndef IMAP_MUTF7_H
#define IMAP_MUTF7_H

#include "base/span.h"

/* RAW as UTF-8, yours to g_free; NULL when RAW is no correct modified UTF-7 (show it raw, through
 * the door).  With UTF8 true (server enabled UTF8=ACCEPT, or rev2) it is taken as UTF-8. */
char *imap_mailbox_name_decode(Span raw, bool utf8);

/* What to send for NAME (UTF-8); yours to g_free; NULL for a NUL, CR, LF or invalid UTF-8. */
char *imap_mailbox_name_encode(const char *name, bool utf8);

#endif
