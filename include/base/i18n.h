/* Translation (gettext).  _() around words a person reads; N_() marks them in static tables, to be
 * looked up with _() when shown.  Wire words and log lines are never translated. */
#ifndef BASE_I18N_H
#define BASE_I18N_H

#include <libintl.h>

#define GETTEXT_PACKAGE "postern"
#define _(text)		dgettext(GETTEXT_PACKAGE, text)
#define N_(text)	(text)
/* One or many: ngettext's rule. */
#define P_(one, many, n) dngettext(GETTEXT_PACKAGE, one, many, n)

#endif
