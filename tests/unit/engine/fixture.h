/* An engine on a fake server: what the tests of the engine stand on. */
#ifndef TESTS_ENGINE_FIXTURE_H
#define TESTS_ENGINE_FIXTURE_H

#include "base/error.h"
#include "engine/engine.h"
#include "fake-server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct Fixture {
	FakeServer *server;
	char *dir;
	Config *config;
	Engine *engine;
	Store *store; /* a reader; NULL before the first look */

	GHashTable *done;   /* EngineRequest -> how often */
	GHashTable *errors; /* EngineRequest -> GError, owned */
	StoreId message;    /* of the last DONE that named one */
	EngineLink link;
	unsigned waits; /* times the line was WAITING */
	unsigned notices, rows, parts, progress;
	GError *line_error; /* the last reason for not being online */
	bool *stopped_by;   /* set when an event comes after engine_stop */
} Fixture;

/* cmocka's set-up and tear-down; *STATE is the Fixture.  The engine is not started yet. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* As many to the server, not one; before the start. */
void fixture_connections(Fixture *fixture, unsigned connections);
void fixture_start(Fixture *fixture);
void fixture_start_with(Fixture *fixture, bool offline, bool hold);
void fixture_stop(Fixture *fixture);

/* Runs the loop until WHAT is true of the fixture; fails the test after half a minute. */
typedef bool (*FixtureClaim)(Fixture *fixture, unsigned number);
void fixture_until(Fixture *fixture, FixtureClaim what, unsigned number);
/* Runs the loop for so long: for what must not happen. */
void fixture_idle_ms(Fixture *fixture, unsigned ms);

/* Until its DONE; the error (borrowed), or NULL. */
const GError *fixture_wait(Fixture *fixture, EngineRequest request);
#define fixture_wait_well(fixture, request)                                                        \
	do {                                                                                       \
		const GError *failed_ = fixture_wait(fixture, request);                            \
                                                                                                   \
		if (failed_)                                                                       \
			fail_msg("%s", failed_->message);                                          \
	} while (0)
unsigned fixture_done_count(Fixture *fixture, EngineRequest request);

/* What the store says. */
Store *fixture_store(Fixture *fixture);
StoreMailbox *fixture_box(Fixture *fixture, const char *name);
uint32_t fixture_total(Fixture *fixture, const char *name);
/* Has FOLDER a row of UID; its row: yours to free. */
StoreRow *fixture_row(Fixture *fixture, const char *name, uint32_t uid);
uint16_t fixture_flags(Fixture *fixture, const char *name, uint32_t uid);
/* store_check. */
void fixture_check(Fixture *fixture);

/* Claims. */
bool is_idling(Fixture *fixture, unsigned ignored);
bool is_online(Fixture *fixture, unsigned ignored);
bool inbox_has(Fixture *fixture, unsigned rows);
bool inbox_complete(Fixture *fixture, unsigned rows);
bool other_complete(Fixture *fixture, unsigned rows);
bool has_lines(Fixture *fixture, unsigned lines); /* logged in */

#endif
