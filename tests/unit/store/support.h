/* What the store's tests share: a place to put a database, plain messages, and claims about calls. */
#ifndef TESTS_STORE_SUPPORT_H
#define TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "store/store.h"

/* CALL takes &error. */
#define MUST(call)	      must((call), &error, #call, __FILE__, __LINE__)
#define MUST_FAIL(call, code) must_fail((call), &error, (code), #call, __FILE__, __LINE__)

void must(bool ok, GError **error, const char *call, const char *file, int line);
/* Clears ERROR; LAST_FAILURE (below) tells what it said. */
void must_fail(bool ok, GError **error, PosternError code, const char *call, const char *file,
	       int line);

/* cmocka fixtures: *STATE is a new directory, 0700, removed with all that is in it. */
int place_setup(void **state);
int place_teardown(void **state);

char *place_file(const char *dir, const char *name); /* yours to g_free */

/* These do not come back when it fails. */
Store *open_writer(const char *dir);
Store *open_reader(const char *dir);
StoreId make_mailbox(Store *store, const char *name);

/* A message whose subject is "subject UID", from "From UID <from@example.org>" and so on.  Its spans
 * belong to the pool, as long as that lives. */
StoreMessage plain_message(GStringChunk *pool, uint32_t uid, int64_t date, uint16_t flags);

/* N of them from FIRST_UID on, dated FIRST_DATE, FIRST_DATE + 60, ... */
void put_plain(Store *store, StoreId mailbox, uint32_t first_uid, uint32_t n, int64_t first_date,
	       uint16_t flags);

/* The UIDs of a window, as "9 8 7". Yours to g_free. */
char *window_uids(Store *store, StoreId mailbox, uint32_t offset, uint32_t count);
StoreId id_of_uid(Store *store, StoreId mailbox, uint32_t uid);
void must_be_sound(Store *store); /* store_check */

/* What a person could see of the whole store, as a checksum: yours to g_free. */
char *store_digest(Store *store);

#endif
