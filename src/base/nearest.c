#include "base/nearest.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 64 };

size_t
nearest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1]; /* the row before last, the last, this one */
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > WORD_MAX || b_size > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_size; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
			size_t cost = MIN(now[j - 1], last[j]) + 1;

			cost = MIN(cost, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) &&
			    g_ascii_tolower(a[i - 2]) == y)
				cost = MIN(cost, before[j - 2] + 1);
			now[j] = cost;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_size];
}

const char *
nearest_of(const char *word, const char *best, const char *candidate)
{
	size_t distance = nearest_distance(word, candidate);

	if (distance > MAX(strlen(word) / 3, 1))
		return best;
	return !best || distance < nearest_distance(word, best) ? candidate : best;
}
