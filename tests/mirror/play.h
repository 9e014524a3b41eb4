/* Plays one case at one level: an engine with the case's cache, on a server with the case's mailboxes.
 * Main thread. */
#ifndef TESTS_MIRROR_PLAY_H
#define TESTS_MIRROR_PLAY_H

#include <glib.h>
#include <stdbool.h>

typedef struct CaseLine {
	unsigned number;
	char *key, *value;
} CaseLine;

/* What a case says at one level. */
typedef struct Case {
	char *promise;
	GPtrArray *lines; /* of CaseLine */
} Case;

/* Those lines of the file at PATH that are meant for LEVEL; NULL: the case is not for it. */
Case *case_read(const char *path, const char *level);
void case_free(Case *one);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Case, case_free)
const char *case_get(const Case *one, const char *key); /* the first line's value, or NULL */

/* What the server can do in it: g_free. */
char *case_words(const Case *one, const char *level);

/* What does not hold, in words; NULL: all of it does. */
char *play(const Case *one, const char *level);

#endif
