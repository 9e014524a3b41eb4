/* format=flowed (RFC 3676): paragraphs that were cut into lines become one line again. */
#ifndef MAIL_FLOWED_PRIVATE_H
#define MAIL_FLOWED_PRIVATE_H

#include "base/span.h"

/* Appends TEXT to OUT: each paragraph one line, ">" for each level it is quoted and a space in
 * front; lines that do not flow as they are, without their stuffing.  DELSP: the space that says
 * "goes on" is not part of the text.  Never longer than TEXT and one byte a line. */
void flowed_join(Span text, bool delsp, GString *out);

#endif
