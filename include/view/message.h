/* One message on show: its headers, its tree of parts, what of it can be read, and what is still to
 * be fetched for that.  Rendering is a job of its own, which may run on another thread: a ViewText
 * holds everything it needs.  The rest belongs to the thread of the store handle. */
#ifndef VIEW_MESSAGE_H
#define VIEW_MESSAGE_H

#include "engine/engine.h"
#include "view/pager.h"

typedef struct ViewMessage ViewMessage;

/* Keeps ROW. */
ViewMessage *view_message_new(StoreRow *row);
void view_message_free(ViewMessage *message); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewMessage, view_message_free)

const StoreRow *view_message_row(const ViewMessage *message);
const MailPart *view_message_tree(const ViewMessage *message); /* NULL: not known (yet) */

/* The row again, now that more of it is known (flags, its structure).  Keeps ROW. */
void view_message_update(ViewMessage *message, StoreRow *row);

/* Show only this part (NULL: what there is to read). */
void view_message_show_part(ViewMessage *message, const char *section);
const char *view_message_shown_part(const ViewMessage *message);
/* All headers, or those that matter. */
void view_message_show_headers(ViewMessage *message, bool all);
bool view_message_headers_shown(const ViewMessage *message);

/* What has to come before it can be shown whole: sections for engine_parts, ended by NULL; a list of
 * none when all is here.  Yours to g_strfreev.  When even the structure is missing, NULL:
 * engine_message comes first. */
char **view_message_missing(const ViewMessage *message, Store *store, GError **error);

/* A part's name in a sentence: "2: photo.jpg", through the door.  Yours to g_free. */
char *view_part_title(const MailPart *part);

/* ---- rendering ------------------------------------------------------------------------------ */

typedef struct ViewText ViewText;

/* What is in the store now, as a job: what is little is read at once, the rest by view_text_load.
 * WHY_NOT, through the door: the sentence shown for what is not here ("Fetching...", or what went
 * wrong). */
ViewText *view_message_text(const ViewMessage *message, Store *store, const char *why_not,
			    GError **error);
void view_text_free(ViewText *text); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewText, view_text_free)
/* Is it too much to be done between a key and its frame?  Then load and render it on a thread. */
bool view_text_is_heavy(const ViewText *text);
/* Reads what was left, at most VIEW_TEXT_MAX bytes of each part.  Any thread, with its own STORE. */
#define VIEW_TEXT_MAX (32 * 1024 * 1024)
bool view_text_load(ViewText *text, Store *store, GError **error);
/* Any thread after mail_init.  Yours. */
ViewDocument *view_text_render(const ViewText *text);

/* ---- the tree of parts ---------------------------------------------------------------------- */

typedef struct ViewPart {
	const MailPart *part; /* borrowed from the tree */
	char *label; /* tree lines (box drawing), then its name, else its type; through the door */
} ViewPart;

/* Its lines in order.  Array of ViewPart, owned; at most VIEW_PARTS_MAX, with lines of trees deeper
 * than 20 drawn as if they were 20 deep. */
#define VIEW_PARTS_MAX 5000
GPtrArray *view_parts(const MailPart *tree);

#endif
