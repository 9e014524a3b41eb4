/* What play.c (the engine, the cache, the steps) and claims.c (what must be so) share. */
#ifndef TESTS_MIRROR_PLAY_PRIVATE_H
#define TESTS_MIRROR_PLAY_PRIVATE_H

#include "play.h"

#include "engine/engine.h"
#include "server.h"

typedef struct Play {
	const Case *one;
	const char *level;
	Server *server;
	char *dir, *home; /* the folder that is open */
	Config *config;
	Engine *engine;
	Store *store; /* a reader */
	GHashTable *done;
	GError *error; /* of the last DONE of an open */
	EngineRequest opened;
	EngineLink link;
	unsigned expected; /* the command that "asked" is to name next */
	char *failure;
} Play;

void fail(Play *play, const char *format, ...) G_GNUC_PRINTF(2, 3);

typedef bool (*Claim)(Play *play);
/* Runs the loop until WHAT is so; false: it was not in time. */
bool until(Play *play, Claim what);

/* "6 \Seen x, 9, 10:12 y" -> one arrival each. */
bool arrive_all(Server *server, const char *box, const char *list);
/* The store's bits; *KEYWORDS gets the rest: yours to g_free. */
uint16_t flag_bits(const char *flags, char **keywords);

/* claims.c: each fails the play. */
void check_same(Play *play);
void check_here(Play *play, const char *list);
void check_asked(Play *play, const char *globs);
void check_asked_not(Play *play, const char *globs);
void check_asked_some(Play *play, const char *globs);
void check_order(Play *play, const char *value);

#endif
