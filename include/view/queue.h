/* What waits to be done on the server or failed, as lines: of all accounts, in the order they were
 * made.  Belongs to the thread of its store handle. */
#ifndef VIEW_QUEUE_H
#define VIEW_QUEUE_H

#include "store/journal.h"
#include "view/cursor.h"

typedef struct ViewQueued {
	StoreId row;
	StoreRowState state;
	char *text;  /* "Move 3 messages from INBOX to Archive"; through the door, translated */
	char *error; /* why it failed; through the door; NULL */
} ViewQueued;

typedef struct ViewQueue ViewQueue;

/* STORE is a reader, borrowed.  Nothing is read yet. */
ViewQueue *view_queue_new(Store *store);
void view_queue_free(ViewQueue *queue); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewQueue, view_queue_free)

/* Reads it anew; the selection stays on its row. */
bool view_queue_refresh(ViewQueue *queue, GError **error);

ViewCursor *view_queue_cursor(ViewQueue *queue);
const ViewQueued *view_queue_row(const ViewQueue *queue, uint32_t at); /* NULL: no such */
const ViewQueued *view_queue_selected(const ViewQueue *queue);

/* "waiting"; translated, static. */
const char *view_queue_state(StoreRowState state);

#endif
