/* Where Postern's files are: the XDG base directories.  Any thread. */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <glib.h>
#include <stdbool.h>

char *paths_config_file(void); /* $XDG_CONFIG_HOME/postern/config; yours to g_free */
char *paths_data_dir(void);    /* $XDG_DATA_HOME/postern; yours to g_free */

/* Makes PATH (and its parents) a directory of ours: mode 0700.  An existing one must belong to
 * us and is closed to others; a symbolic link as its last component is refused. */
bool paths_make_private_dir(const char *path, GError **error);

/* "~" and "~/..." become the home directory; anything else is copied.  Yours to g_free. */
char *paths_expand_home(const char *path);

#endif
