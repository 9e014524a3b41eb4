/* The door between text from outside and a terminal.  Every byte that a server, a message or a
 * certificate can choose passes through here before anyone sees it: as cells on the screen, as
 * a line on standard output, as a JSON string, as a line in an error message.
 *
 * What comes out is valid UTF-8, and holds none of these:
 *  - C0 controls (but see SAFE_TEXT), DEL, C1 controls, U+2028 and U+2029
 *  - bidi controls: U+061C, 200E, 200F, 202A-202E, 2066-2069
 *  - every other invisible format character (Unicode's Cf: U+00AD, 180E, 200B, 2060-206F, FEFF,
 *    FFF0-FFFB, ...) but ZWJ and ZWNJ, and the blank Hangul fillers (U+115F, 1160, 3164, FFA0)
 *  - the whole block U+E0000-E0FFF (tags, and variation selectors that carry hidden data)
 *  - surrogates, overlong or cut sequences, non-characters, anything above U+10FFFF
 * Each of them shows as U+FFFD, one for a run of up to four bytes of them; SAFE_TEXT leaves out
 * the few that good writers use.  A combining mark with nothing before it to stand on (at the
 * start, or after a LF or TAB) gets U+25CC, or U+FFFD where it is invisible itself; of the marks
 * on one base the first eight stay.
 *
 * The result is at most three times as long as the text, and passes again unchanged.  ZWJ, ZWNJ
 * and U+FE00-FE0F stay: scripts and emoji need them.  Any thread; pure; linear. */
#ifndef BASE_SAFETEXT_H
#define BASE_SAFETEXT_H

#include "base/span.h"

typedef enum {
	/* One line: TAB, CR and LF each show as one space. */
	SAFE_LINE,
	/* Running text: LF and TAB stay, CRLF becomes LF, a bare CR is a control.  What is
	 * invisible, harmless and usual in well-meant text is left out: soft hyphen, U+200B,
	 * U+2060, U+FEFF, and the marks U+061C, 200E, 200F. */
	SAFE_TEXT,
} SafeMode;

/* Yours to g_free; never NULL.  *SIZE, unless NULL, is its length without the NUL. */
char *safe_text(Span text, SafeMode mode, size_t *size);

/* The same, at the end of OUT, which is taken to end where a line or a field begins. */
void safe_text_append(GString *out, Span text, SafeMode mode);

/* safe_text of a NUL-terminated string as one line.  NULL gives "". */
char *safe_line(const char *text);

/* True when TEXT would pass unchanged. */
bool safe_text_is(Span text, SafeMode mode);

/* Cells a terminal uses for one grapheme cluster (0 to 2), by one table for the whole program:
 * the sum of its code points as wcwidth has them (ambiguous ones narrow; a TAB is 1, a LF 0: who
 * knows the column does better), but 2 for a whole emoji sequence and for a symbol followed by
 * U+FE0F.  What would be wider than 2 is more than one cluster; none is longer than 32 code
 * points.  *NEXT, never NULL, moves past the cluster.  TEXT must have passed the door: other
 * bytes are never overrun, but count one cell each. */
int safe_text_cluster(Span text, const char **next);

/* Cells for a whole line that has passed the door; at most INT_MAX. */
int safe_text_width(Span text);

#endif
