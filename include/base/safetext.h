/* The door between text from outside and a terminal.  Every byte that a server, a message or a
 * certificate can choose passes through here before anyone sees it: as cells on the screen, as
 * a line on standard output, as a JSON string, as a line in an error message.
 *
 * What comes out is valid UTF-8 without: C0 controls (but see SAFE_TEXT), DEL, C1 controls, bidi
 * overrides, embeddings, isolates and marks (U+061C, 200E/F, 202A-E, 2066-9), line and paragraph
 * separators, the tag block (U+E0000-E0FFF), non-characters and invisible fillers used to hide
 * text (U+200B, 2060-2064, FEFF, 180E, 00AD as itself).  Each shows as a visible placeholder:
 * bytes that are no UTF-8 and controls as U+FFFD, one for each run of up to four bytes.  At most
 * eight combining marks stay on one base.  ZWJ and ZWNJ and variation selectors stay: scripts and
 * emoji need them.  Any thread; pure. */
#ifndef BASE_SAFETEXT_H
#define BASE_SAFETEXT_H

#include "base/span.h"

typedef enum {
	SAFE_LINE, /* one line: TAB, CR and LF are controls as well, each shown as one space */
	SAFE_TEXT, /* running text: LF and TAB stay, CRLF becomes LF, a bare CR a placeholder */
} SafeMode;

/* Yours to g_free; never NULL.  *SIZE, unless NULL, is its length without the NUL. */
char *safe_text(Span text, SafeMode mode, size_t *size);

/* safe_text of a NUL-terminated string as one line.  NULL gives "". */
char *safe_line(const char *text);

/* True when TEXT would pass unchanged. */
bool safe_text_is(Span text, SafeMode mode);

/* Cells a terminal uses for one grapheme cluster (0 to 2), by one table for the whole program:
 * the widest of its code points, 2 for a flag (two regional indicators) and for a base followed
 * by U+FE0F.  *NEXT moves past the cluster.  TEXT must have passed the door. */
int safe_text_cluster(Span text, const char **next);

/* Cells for a whole line that has passed the door. */
int safe_text_width(Span text);

#endif
