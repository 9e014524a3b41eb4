/* "Did you mean ...?": the right word nearest to a misspelt one.  Any thread; pure. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* Letters to add, drop, change or swap with a neighbour to get from A to B; ASCII case costs nothing.
 * Words over 64 bytes are as far as can be: SIZE_MAX. */
size_t nearest_distance(const char *a, const char *b);

/* Of CANDIDATE and BEST (NULL: none yet) the one nearer to WORD, or NULL when neither is near: a
 * third of the word's letters may be wrong, and one always.  Fold over a table to search it. */
const char *nearest_of(const char *word, const char *best, const char *candidate);

#endif
