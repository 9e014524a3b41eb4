/* What connection.c (the line) and connection-login.c (the way to AUTHENTICATED) share. */
#ifndef ENGINE_CONNECTION_LOGIN_PRIVATE_H
#define ENGINE_CONNECTION_LOGIN_PRIVATE_H

#include "connection-private.h"

#include "engine/secret.h"
#include "net/sasl.h"

#define MAX_TRIES 6

typedef struct Try {
	const char *mechanism; /* "LOGIN-COMMAND" is the LOGIN command */
	const char *binding;   /* NULL: none */
} Try;

struct Connection {
	const ConfigAccount *config;
	ConnectionMemory *memory;
	Log *log;
	char *name;
	ConnectionHandler handler;
	void *data;

	NetStream *stream;
	ImapSession *session;
	GSource *flush;	   /* pending write at the end of the turn; owned */
	GSource *deadline; /* owned */
	int64_t deadline_ms;

	/* login */
	SecretRequest *secret_request; /* running; NULL */
	bool ready;		       /* the server waits for our login */
	Try tries[MAX_TRIES];
	unsigned n_tries, at_try, logins;
	NetSasl *sasl;
	GError *sasl_error;  /* why a step failed */
	ConnectionRide ride; /* NULL: none */
	void *ride_data;
	bool rides;

	bool online, compressing, closed;
	GError *refusal;	    /* the server's last NO to a login; NULL */
	int64_t heard_ms, asked_ms; /* bytes came; something was asked with nothing in flight */
	GError *failure;	    /* set by connection_fail, delivered from the loop */
	GSource *fail;
};

/* Begins to find the secret, while the line is being made. */
void connection_prepare_login(Connection *connection);
/* The server waits for it: logs in as soon as the secret is known. */
void connection_begin_login(Connection *connection);
/* AUTHENTICATED: on_online, as soon as the capabilities are known. */
void connection_logged_in(Connection *connection);

#endif
