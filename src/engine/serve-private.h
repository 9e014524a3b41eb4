/* One store, several Posterns: the one whose engine has the store serves the others, which ask it for
 * everything that is not reading.  They meet at the socket "engine" in the data directory, which only
 * its owner can reach; the peer's user is checked as well.  What they say is in wire-private.h. */
#ifndef ENGINE_SERVE_PRIVATE_H
#define ENGINE_SERVE_PRIVATE_H

#include "engine-private.h"

#define SERVE_REQUEST 0x80000000u /* in requests that came from another process */

#include <sys/un.h>

#define SERVE_SOCKET "engine"

/* Where DIR's socket is, however long its path: then through /proc and *DIR_FD, which is yours to
 * close after use (-1: none).  False: it cannot be named. */
bool serve_address(const char *dir, struct sockaddr_un *address, int *dir_fd);

/* ---- the engine that has the store (its thread) -------------------------------------------------- */

typedef struct Server Server;

/* NULL: it cannot; the log says why, and the others only read. */
Server *serve_start(Engine *engine);
/* Every peer's line is cut; what they waited for is theirs to ask again.  NULL is fine. */
void serve_stop(Server *server);
/* Passes EVENT on to those it concerns.  One who does not read is cut off. */
void serve_event(Server *server, const EngineEvent *event);

/* ---- the others (the owner's thread) ------------------------------------------------------------- */

typedef struct Client Client;

/* Looks for the engine that has the store, from the main loop on, and goes on looking; what is asked
 * meanwhile waits, for some seconds.  When the one that has the store ends, ENGINE becomes the one
 * itself, or looks for who was faster. */
Client *client_new(Engine *engine);
void client_free(Client *client); /* NULL is fine; what waits is dropped */
void client_send(Client *client, Call *take_call);

#endif
