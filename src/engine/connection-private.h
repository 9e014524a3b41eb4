/* One logged-in line: a NetStream and an ImapSession, and the way from nothing to AUTHENTICATED:
 * TLS or STARTTLS, the strongest SASL mechanism offered, capabilities.  The engine's thread.
 *
 * Callbacks run from the main loop, never from inside a call of this header; the connection may be
 * freed inside any of them but on_response, on_literal, on_literal_bytes and a command's ImapDone
 * (close it there by connection_fail).  */
#ifndef ENGINE_CONNECTION_PRIVATE_H
#define ENGINE_CONNECTION_PRIVATE_H

#include "engine/engine.h"
#include "imap/session.h"

typedef struct Connection Connection;

typedef struct ConnectionHandler {
	void (*on_link)(void *data, EngineLink link); /* CONNECTING, then LOGGING_IN */
	void (*on_online)(void *data);		      /* logged in, and capabilities are known */
	void (*on_response)(void *data, const ImapResponse *response, ImapTicket ticket);
	bool (*on_literal)(void *data, Span prefix, uint64_t size);
	void (*on_literal_bytes)(void *data, Span bytes);
	void (*on_closed)(void *data, const GError *error); /* last; every command was answered */
} ConnectionHandler;

/* What a login leaves behind for the next: the secret (asked for once a session) and what worked.
 * Owned by the account; cleared and wiped by connection_memory_clear. */
typedef struct ConnectionMemory {
	char *secret; /* wiped when a login is refused, so that the next asks again */
	/* The channel binding that was taken: Cyrus lets three seconds pass before it refuses the one
	 * it does not know.  Kept in the store by the account. */
	char *binding;
} ConnectionMemory;
void connection_memory_clear(ConnectionMemory *memory);

/* CONFIG and MEMORY outlive it. */
Connection *connection_open(const ConfigAccount *config, ConnectionMemory *memory, Log *log,
			    const char *name, const ConnectionHandler *handler, void *data);
/* NULL is fine.  What is in flight is answered CLOSED from inside; on_closed does not come. */
void connection_free(Connection *connection);

/* Something is to leave in the same flight as the login, where that is possible.  RIDE is called at
 * most once, from the loop, before on_online, and sends it by connection_send with IMAP_RIDE; never
 * when this server or login lets nothing ride: connection_rides tells. */
typedef void (*ConnectionRide)(void *data);
void connection_ride(Connection *connection, ConnectionRide ride, void *data); /* NULL: nothing */
bool connection_rides(const Connection *connection);

ImapSession *connection_session(Connection *connection);

/* As imap_session_send; written at the end of this turn of the loop, with what else is sent in it. */
ImapTicket connection_send(Connection *connection, ImapCommand *command, ImapSendFlags flags,
			   ImapDone done, void *data);
void connection_flush_later(Connection *connection);

/* For how long the server has owed an answer and not sent a byte; -1: it owes none. */
int connection_silent_s(const Connection *connection);

/* Ends the line with this error, from the main loop: on_closed comes. */
void connection_fail(Connection *connection, const GError *error);
void connection_logout(Connection *connection);

/* COMPRESS=DEFLATE, when the server has it and it is not on yet. */
void connection_compress(Connection *connection);
/* The same, asked with the login: from inside a ConnectionRide, by somebody who knows that the server
 * has it. */
void connection_compress_riding(Connection *connection);

typedef struct ConnectionFacts {
	const char *mechanism; /* "SCRAM-SHA-256-PLUS"; NULL before the login */
	const char *binding;   /* "tls-exporter"; NULL: none */
	const char *transport; /* "imaps", "STARTTLS", "no TLS (loopback)" */
	bool compressed;
	NetSecurity security; /* valid if encrypted */
	bool encrypted;
	NetCounts counts;
} ConnectionFacts;
void connection_facts(Connection *connection, ConnectionFacts *out);

#endif
