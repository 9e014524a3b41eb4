/* The message list: a window over one mailbox in the store, newest first.  Only the rows on show are
 * read, whatever the size of the mailbox.  What is selected is a message, not a line: it stays
 * selected when rows come or go around it, and keeps its line on the screen, except that at the very
 * top what arrives is let in.  When it is removed, the one that takes its place is selected.  While a
 * mailbox comes in for the first time, and nothing was chosen yet, the newest so far is selected; and
 * who went to the last row then stays at the last, until they move or choose a message.
 *
 * Belongs to the thread of its store handle. */
#ifndef VIEW_LIST_H
#define VIEW_LIST_H

#include "store/store.h"
#include "view/cursor.h"

typedef struct ViewList ViewList;

/* STORE is a reader, borrowed.  Nothing is read yet. */
ViewList *view_list_new(Store *store, StoreId mailbox);
void view_list_free(ViewList *list); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewList, view_list_free)

/* How many rows the screen shows. */
void view_list_resize(ViewList *list, uint32_t rows);

/* Takes in what changed in the store, and reads the rows on show if need be.  Call before asking for
 * rows, after anything that moved.  Costs one look at the mailbox's version when nothing did. */
bool view_list_refresh(ViewList *list, GError **error);

/* Where somebody was in it. */
typedef struct ViewListPlace {
	StoreId selected;
	int64_t date; /* of that message: where it would stand if it were gone */
	uint32_t uid;
	uint32_t at, top; /* its offset, and that of the first line of the screen */
} ViewListPlace;

/* False: at the very top, where the newest is whichever that is. */
bool view_list_place(const ViewList *list, ViewListPlace *place);
/* The first refresh goes to PLACE. */
void view_list_return(ViewList *list, const ViewListPlace *place);

/* False when there was nowhere to go. */
bool view_list_move(ViewList *list, ViewMove move);
bool view_list_select(ViewList *list, uint32_t offset);
/* The next unread one, older (FORWARD) or newer, going round at the ends.  False: there is none. */
bool view_list_next_unread(ViewList *list, bool forward, bool *wrapped, GError **error);

const ViewCursor *view_list_cursor(const ViewList *list);
/* Counts and names as of the last refresh; NULL before the first. */
const StoreMailbox *view_list_mailbox(const ViewList *list);
/* LINE counts from the top of the screen; NULL below the last.  Borrowed until the next refresh. */
const StoreRow *view_list_row(const ViewList *list, uint32_t line);
const StoreRow *view_list_selected(const ViewList *list); /* NULL: the mailbox is empty */

#endif
