/* The owner of a session, played from a transcript: does what the script says, and writes down
 * what the session tells it, one line an event.  Single thread. */
#ifndef TESTS_SESSION_PLAYER_H
#define TESTS_SESSION_PLAYER_H

#include "imap/session.h"

typedef struct Player Player;

/* TLS as imap_session_new takes it.  LOG may be NULL. */
Player *player_new(bool tls, Log *log);
void player_free(Player *player);

/* One line of the script's "D:".  False: no such verb. */
bool player_do(Player *player, const char *line);

/* BYTES from the server, in pieces of at most what NEXT_SIZE says. */
typedef size_t (*PlayerChunk)(void *data);
void player_feed(Player *player, const GString *bytes, PlayerChunk next_size, void *data);

/* The oldest event not yet taken, the caller's to g_free; NULL: none. */
char *player_take_event(Player *player);
const char *player_peek_event(const Player *player);

/* What the session wants written and nobody took yet. */
GString *player_output(Player *player);

/* A claim of the script ("is", "has", "trips"...).  NULL: it holds; else what is so instead, the
 * caller's to g_free. */
char *player_check(Player *player, const char *claim, const char *value);

/* "\r", "\n" and "\xNN" in TEXT become bytes; any other backslash is itself. */
GString *player_unescape(const char *text);

#endif
