/* Rows of what a server says and what our parser makes of it, written as imap-dump prints it, with '
 * for ".  A row is fed whole and a byte at a time; and cut at each of its bytes, where it must be
 * refused or understood, and nothing may be read behind the cut. */
#ifndef TESTS_UNIT_IMAP_ROWS_H
#define TESTS_UNIT_IMAP_ROWS_H

#include "imap-dump-response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct Row {
	const char *name;
	const char *input; /* with its line ends */
	const char
	    *output; /* one object a response, without "{'tag':'*'," and "}"; "!" is a refusal */
} Row;

/* Runs ROWS, then MORE, as one group. */
int rows_run(const char *group, const Row *rows, size_t n_rows, const struct CMUnitTest *more,
	     size_t n_more);

/* What the parser makes of INPUT, as in a row; yours to g_free. */
char *rows_say(Span input, size_t chunk);

#endif
