/* A person who changes things, and what is to come of it: what the tests of the journal's way to the
 * server stand on. */
#ifndef TESTS_ENGINE_PERSON_H
#define TESTS_ENGINE_PERSON_H

#include "fixture.h"

#define PLAIN_WORDS "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS ESEARCH"
#define PLUS_WORDS  PLAIN_WORDS " UIDPLUS LITERAL+"
#define MOVE_WORDS  PLUS_WORDS " MOVE CONDSTORE"

/* Starts on a server of WORDS: INBOX of COUNT messages, everything mirrored, and "Other" of two. */
void fixture_begin(Fixture *fixture, const char *words, unsigned count);
/* The same, and then without a line. */
void fixture_begin_offline(Fixture *fixture, const char *words, unsigned count);
/* Starts anew with one; what was sent before is forgotten. */
void fixture_go_online(Fixture *fixture);
StoreId fixture_box_id(Fixture *fixture, const char *name);

/* One that names these folders (NULL: none), and nothing else yet. */
StoreIntent person_intent(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to);
/* What a person does to messages LOW to HIGH, by UID (a flag: \Seen)... */
EngineRequest person_intends(Fixture *fixture, StoreIntentKind kind, const char *from,
			     const char *to, uint32_t low, uint32_t high, EngineUntil until);
/* ... to a folder (BOX, or NAME that it is to have; NULL: none)... */
EngineRequest person_folder(Fixture *fixture, StoreIntentKind kind, const char *box,
			    const char *name, EngineUntil until);
/* ... and a read message of NUMBER's own that is put into DEST. */
EngineRequest person_appends(Fixture *fixture, const char *dest, unsigned number,
			     EngineUntil until);

/* How many rows of the queue are in STATE. */
unsigned rows_in(Fixture *fixture, StoreRowState state);
/* A claim: nothing is on its way, and as many FAILED. */
bool queue_is_done(Fixture *fixture, unsigned failed);

/* What the server has. */
void assert_copies(Fixture *fixture, const char *box, uint32_t message, unsigned n);
void assert_flags(Fixture *fixture, const char *box, uint32_t message, const char *flags);
/* Here is what is there... */
void assert_agrees(Fixture *fixture);
/* ... and the queue is empty. */
void assert_settled(Fixture *fixture);

int fixture_set_up_many_lines(void **state);

/* On one line, and on as many as it likes. */
#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down),                  \
	    cmocka_unit_test_setup_teardown(name, fixture_set_up_many_lines, fixture_tear_down)
#define TEST_OF_MANY(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, fixture_set_up_many_lines, fixture_tear_down)

#endif
