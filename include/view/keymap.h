/* Which keys say which command, place by place: a set of keys to begin with, then what the person's
 * configuration changes, and the commands of their own.  Takes keys one at a time, with sequences
 * (g,g) and counts (5j).
 *
 * Within one place no sequence is the beginning of another: what is bound later takes away what stands
 * in its way.  A digit that begins nothing counts.  Errors are USAGE.  Belongs to one thread. */
#ifndef VIEW_KEYMAP_H
#define VIEW_KEYMAP_H

#include "view/command.h"

#define VIEW_COUNT_MAX 9999

typedef struct ViewKeymap ViewKeymap;

/* The names there are, for completion; ended by NULL. */
extern const char *const view_keymap_names[];

/* NAME is one of view_keymap_names; NULL when it is none. */
ViewKeymap *view_keymap_new(const char *name);
void view_keymap_free(ViewKeymap *keymap); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewKeymap, view_keymap_free)

/* KEYS, and no others, say the command NAME in PLACES, as far as it works there: "x g,x", or "none". */
bool view_keymap_set(ViewKeymap *keymap, unsigned places, const char *name, const char *keys,
		     GError **error);
/* A command of one's own: RUN is commands as typed after ":", separated by ";".  KEYS may be NULL; the
 * SENTENCE too: then RUN is one. */
bool view_keymap_add(ViewKeymap *keymap, unsigned places, const char *name, const char *run,
		     const char *keys, const char *sentence, GError **error);

/* ---- keys as they come ---------------------------------------------------------------------- */

typedef enum {
	VIEW_KEY_NOTHING, /* what was typed so far says nothing: it is forgotten */
	VIEW_KEY_MORE,	  /* it may become something */
	VIEW_KEY_DROPPED, /* Esc: what was typed so far is forgotten */
	VIEW_KEY_FOUND,
} ViewKeyAnswer;

/* KEY as screen_key names it.  *COUNT is 0 when none was typed. */
ViewKeyAnswer view_keymap_take(ViewKeymap *keymap, ViewPlace place, const char *key,
			       const ViewCommand **command, unsigned *count);
/* "12g": what was typed and has not become a command yet; "" when nothing was; for NOTHING, what it
 * was.  Borrowed until the next call. */
const char *view_keymap_typed(const ViewKeymap *keymap);
void view_keymap_forget(ViewKeymap *keymap);

/* ---- commands ------------------------------------------------------------------------------- */

/* The commands of PLACE in the order of the table, one's own last.  Array of ViewCommand *, borrowed. */
GPtrArray *view_keymap_commands(const ViewKeymap *keymap, ViewPlace place);
/* "j Down"; yours to g_free. */
char *view_keymap_keys(const ViewKeymap *keymap, ViewPlace place, const ViewCommand *command);

/* What a person typed after ":", a whole name or the beginning of just one of this place; *ARGUMENT
 * is what follows, without blanks around it, or NULL.  NULL with a USAGE error that helps. */
const ViewCommand *view_keymap_parse(const ViewKeymap *keymap, ViewPlace place, const char *line,
				     char **argument, GError **error);
/* The names of PLACE's commands that begin so, sorted.  Array of char *, owned. */
GPtrArray *view_keymap_complete(const ViewKeymap *keymap, ViewPlace place, const char *beginning);
/* Those whose name or sentence has all of WORDS in it, names first: the palette.  Array of
 * ViewCommand *, borrowed. */
GPtrArray *view_keymap_search(const ViewKeymap *keymap, ViewPlace place, const char *words);

#endif
