/* One parsed response as one JSON object.  The names of its fields: see imap-dump.c. */
#ifndef TESTS_IMAP_DUMP_RESPONSE_H
#define TESTS_IMAP_DUMP_RESPONSE_H

#include "imap-dump-json.h"
#include "imap/response.h"

void dump_response(Json *json, const ImapResponse *response);

/* imap-dump-fetch.c */
void dump_fetch(Json *json, const ImapFetch *fetch);
void dump_strings(Json *json, const char *key, ImapStrings strings);
void dump_pairs(Json *json, const char *key, ImapPairs pairs);
void dump_flags(Json *json, const char *key, const ImapFlags *flags);

#endif
