/* The folder list as a tree: INBOX first, then by name, children below their parent.  Belongs to the
 * thread of its store handle. */
#ifndef VIEW_FOLDERS_H
#define VIEW_FOLDERS_H

#include "engine/config.h"
#include "store/store.h"
#include "view/cursor.h"

typedef struct ViewFolder {
	const ConfigAccount *account;
	StoreId mailbox; /* 0: this row is the account's heading */
	char *name;	 /* decoded, as the engine takes it; NOT through the door; NULL: heading */
	char *shown;	 /* the whole name, through the door */
	char *label;	 /* what stands at its place in the tree, through the door */
	int depth;
	bool selectable;
	int64_t total,
	    unread; /* the best we know: the mirror's when whole, else the server's; -1 */
} ViewFolder;

typedef struct ViewFolders ViewFolders;

/* ACCOUNT NULL: every one of CONFIG, each under its heading if there are several.  Nothing is read
 * yet.  All borrowed. */
ViewFolders *view_folders_new(Store *store, const Config *config, const char *account);
void view_folders_free(ViewFolders *folders); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewFolders, view_folders_free)

/* Reads them anew if they changed; the selection stays on its folder. */
bool view_folders_refresh(ViewFolders *folders, GError **error);

ViewCursor *view_folders_cursor(ViewFolders *folders);
const ViewFolder *view_folders_row(const ViewFolders *folders, uint32_t at); /* NULL: no such */
const ViewFolder *view_folders_selected(const ViewFolders *folders);
void view_folders_select(ViewFolders *folders, StoreId mailbox);

/* What was typed: the decoded name, or the name as shown.  INBOX without case.  NULL: none. */
const ViewFolder *view_folders_find(const ViewFolders *folders, const char *account,
				    const char *name);
/* Is there any folder of ACCOUNT's?  Else a name that is not found says nothing. */
bool view_folders_known(const ViewFolders *folders, const char *account);
/* The name (as shown) of the account's folder that may have been meant; borrowed; NULL: none is near. */
const char *view_folders_near(const ViewFolders *folders, const char *account, const char *name);
/* Names (as shown) of the account's folders that can be opened and begin so, ASCII case ignored.
 * Array of char *, owned. */
GPtrArray *view_folders_complete(const ViewFolders *folders, const char *account,
				 const char *beginning);

/* The best we know of a mailbox's counts, by the rule above; -1: not known. */
void view_folder_counts(const StoreMailbox *mailbox, int64_t *total, int64_t *unread);

#endif
