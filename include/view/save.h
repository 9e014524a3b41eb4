/* Saving a part to a file: the name proposed, what stands in its way, and the writing.  The sender's
 * name for it gives the last component of a proposal and nothing else. */
#ifndef VIEW_SAVE_H
#define VIEW_SAVE_H

#include <gio/gio.h>

#include "mail/part.h"
#include "store/store.h"

typedef enum {
	VIEW_SAVE_FREE,	  /* nothing has that name */
	VIEW_SAVE_EXISTS, /* a file (or a link) has it: ask before replacing it */
} ViewSaveState;

/* From what was TYPED to a path: "~/" is home, and a directory gets the part's own name inside.
 * *PATH is yours.  FILE error: the directory is not there, or the name is taken by no file. */
bool view_save_check(const char *typed, const MailPart *part, char **path, ViewSaveState *state,
		     GError **error);

/* Decodes MESSAGE's part from the store into PATH, a piece at a time.  Without REPLACE, PATH must not
 * exist: what came there meanwhile, a link included, is an error and is left alone.  With it, the new
 * file is complete before it takes the old one's place.  Mode 0600 less the umask.  On failure no
 * file of ours stays.  Any thread, with its own STORE. */
bool view_save_write(Store *store, StoreId message, const char *section, const char *encoding,
		     const char *path, bool replace, GCancellable *cancellable, uint64_t *written,
		     GError **error);

/* File names that complete what was TYPED, as it would be typed; directories end in "/".  At most
 * 200, and no more than 5,000 entries are looked at.  Array of char *, owned. */
GPtrArray *view_save_complete(const char *typed);

#endif
