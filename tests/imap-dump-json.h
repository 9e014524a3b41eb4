/* Writes JSON as it goes, in ASCII only, so that a dump of hostile bytes is safe to `cat`: text that
 * is valid UTF-8 becomes its code points (\uXXXX where they are not ASCII), any other string its
 * bytes one by one, as if they were Latin-1 (\u00XX). */
#ifndef TESTS_IMAP_DUMP_JSON_H
#define TESTS_IMAP_DUMP_JSON_H

#include "base/span.h"

#include <stdio.h>

typedef struct Json {
	FILE *file;
	GString *buffer;
	char last; /* what was written last decides about the comma */
} Json;

void json_init(Json *json, FILE *file);
bool json_clear(Json *json); /* flushes; false: FILE could not be written */

/* KEY is NULL in an array. */
void json_open(Json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(Json *json, char bracket);		   /* '}' or ']' */
void json_line_end(Json *json);
void json_null(Json *json, const char *key);
void json_bool(Json *json, const char *key, bool value);
void json_number(Json *json, const char *key, uint64_t value);
void json_signed(Json *json, const char *key, int64_t value);
void json_text(Json *json, const char *key, const char *value); /* NULL: null */
void json_span(Json *json, const char *key, Span value);	/* at == NULL: null */
/* A key that a stranger chose. */
void json_pair(Json *json, Span key, Span value);

#endif
