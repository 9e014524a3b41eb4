/* The messages of one mailbox that a person has marked, to do something with all of them at once.
 * Marks are of messages, not of lines.  Marking what matches a pattern, or a thread, reads the whole
 * mailbox, in slices: begin, then step until there is no more; what was found shows as it comes.
 *
 * Belongs to the thread of its store handle. */
#ifndef VIEW_MARKS_H
#define VIEW_MARKS_H

#include "store/store.h"

typedef struct ViewMarks ViewMarks;

/* STORE is a reader, borrowed. */
ViewMarks *view_marks_new(Store *store, StoreId mailbox);
void view_marks_free(ViewMarks *marks); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewMarks, view_marks_free)

bool view_marks_has(const ViewMarks *marks, StoreId message);
uint32_t view_marks_count(const ViewMarks *marks);
void view_marks_toggle(ViewMarks *marks, StoreId message);
void view_marks_clear(ViewMarks *marks);
/* The rows from one offset to another, both included, in either direction. */
bool view_marks_range(ViewMarks *marks, uint32_t from, uint32_t to, GError **error);
/* Of StoreId; yours to g_array_unref. */
GArray *view_marks_messages(const ViewMarks *marks);

/* Words that must all match, as parts of words, without case: WORD in sender, recipients or
 * subject; from:WORD, to:WORD, subject:WORD, keyword:WORD; is:unread, is:read, is:flagged, is:answered,
 * is:deleted.  False with a USAGE error. */
bool view_marks_begin_pattern(ViewMarks *marks, const char *pattern, bool mark, GError **error);
/* All that hangs together by Message-ID and In-Reply-To with MESSAGE. */
void view_marks_begin_thread(ViewMarks *marks, const StoreRow *message);
/* A slice of some milliseconds.  *MORE: call again.  False: the store failed, and it is over. */
bool view_marks_step(ViewMarks *marks, bool *more, GError **error);
/* How many the last one begun has found so far. */
uint32_t view_marks_found(const ViewMarks *marks);

#endif
