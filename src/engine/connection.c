#include "connection-login-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

static void close_with(Connection *connection, const GError *error);

static int64_t
now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

void
connection_memory_clear(ConnectionMemory *memory)
{
	secret_free(memory->secret);
	memory->secret = NULL;
}

static void
drop_source(GSource **source)
{
	if (*source) {
		g_source_destroy(*source);
		g_source_unref(*source);
		*source = NULL;
	}
}

static GSource *
attach_source(GSource *source, int priority, GSourceFunc call, void *data)
{
	g_source_set_priority(source, priority);
	g_source_set_callback(source, call, data, NULL);
	g_source_attach(source, g_main_context_get_thread_default());
	return source;
}

/* ---- writing and time --------------------------------------------------------------------- */

static gboolean
on_deadline(void *data)
{
	Connection *connection = data;
	g_autoptr(GError) error = NULL;

	drop_source(&connection->deadline);
	if (!imap_session_tick(connection->session, now_ms(), &error))
		close_with(connection, error);
	else
		connection_flush_later(connection);
	return G_SOURCE_REMOVE;
}

static void
watch_deadline(Connection *connection)
{
	int64_t when = imap_session_deadline_ms(connection->session);
	int64_t wait;

	/* A deadline that moved away needs no new timer: the old one looks again when it fires. */
	if (connection->deadline && connection->deadline_ms <= when)
		return;
	drop_source(&connection->deadline);
	if (when == INT64_MAX)
		return;
	wait = MAX(when - now_ms(), 0) + 1;
	connection->deadline_ms = when;
	connection->deadline = attach_source(g_timeout_source_new((guint)MIN(wait, 3600 * 1000)),
					     G_PRIORITY_DEFAULT, on_deadline, connection);
}

static void
flush(Connection *connection)
{
	Span out = imap_session_output(connection->session);

	if (!span_is_empty(out)) {
		net_stream_write(connection->stream, out);
		imap_session_written(connection->session, span_size(out));
	}
	watch_deadline(connection);
}

static gboolean
on_flush(void *data)
{
	Connection *connection = data;

	drop_source(&connection->flush);
	if (!connection->closed)
		flush(connection);
	return G_SOURCE_REMOVE;
}

void
connection_flush_later(Connection *connection)
{
	if (!connection->flush && !connection->closed)
		connection->flush =
		    attach_source(g_idle_source_new(), G_PRIORITY_HIGH, on_flush, connection);
}

static bool
is_waiting(const Connection *connection)
{
	return imap_session_in_flight(connection->session) > 0 &&
	       !imap_session_is_idling(connection->session);
}

int
connection_silent_s(const Connection *connection)
{
	if (!is_waiting(connection))
		return -1;
	return (int)((now_ms() - MAX(connection->heard_ms, connection->asked_ms)) / 1000);
}

ImapTicket
connection_send(Connection *connection, ImapCommand *command, ImapSendFlags flags, ImapDone done,
		void *data)
{
	connection_flush_later(connection);
	if (!is_waiting(connection))
		connection->asked_ms = now_ms();
	return imap_session_send(connection->session, command, flags, 0, done, data);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void
close_with(Connection *connection, const GError *error)
{
	g_autoptr(GError) copy = NULL;

	if (connection->closed)
		return;
	/* A login refused is why, whatever the server, or what rode with the login, made of it then. */
	if (connection->failure)
		error = connection->failure;
	else if (connection->refusal && !connection->online)
		error = connection->refusal;
	copy = g_error_copy(error);
	connection->closed = true;
	log_event(connection->log, connection->name, "closed: %s", copy->message);
	drop_source(&connection->flush);
	drop_source(&connection->deadline);
	drop_source(&connection->fail);
	imap_session_end(connection->session);
	g_clear_pointer(&connection->secret_request, secret_request_free);
	connection->handler.on_closed(connection->data, copy);
}

static gboolean
on_fail(void *data)
{
	Connection *connection = data;

	close_with(connection, connection->failure);
	return G_SOURCE_REMOVE;
}

void
connection_fail(Connection *connection, const GError *error)
{
	if (connection->closed || connection->fail)
		return;
	connection->failure = g_error_copy(error);
	connection->fail = attach_source(g_idle_source_new(), G_PRIORITY_HIGH, on_fail, connection);
}

void
connection_logout(Connection *connection)
{
	if (connection->closed || !connection->online)
		return;
	connection_send(connection, imap_command_new("LOGOUT"), IMAP_SEND_NORMAL, NULL, NULL);
	flush(connection);
}

/* ---- the session's and the stream's events ---------------------------------------------------- */

static void
session_ready(void *data)
{
	Connection *connection = data;

	if (imap_session_state(connection->session) == IMAP_STATE_AUTHENTICATED) {
		connection->tries[0] = (Try){ "PREAUTH", NULL };
		connection->n_tries = 1;
		connection_logged_in(connection);
		return;
	}
	connection->ready = true;
	connection->handler.on_link(connection->data, ENGINE_LOGGING_IN);
	connection_begin_login(connection);
}

static void
session_start_tls(void *data)
{
	Connection *connection = data;

	net_stream_start_tls(connection->stream);
}

static void
session_start_deflate(void *data)
{
	Connection *connection = data;
	g_autoptr(GError) error = NULL;

	if (!net_stream_start_deflate(connection->stream, &error))
		connection_fail(connection, error);
}

static void
session_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	Connection *connection = data;

	connection->handler.on_response(connection->data, response, ticket);
}

static bool
session_literal(void *data, Span prefix, uint64_t size)
{
	Connection *connection = data;

	return connection->handler.on_literal(connection->data, prefix, size);
}

static void
session_literal_bytes(void *data, Span bytes)
{
	Connection *connection = data;

	connection->handler.on_literal_bytes(connection->data, bytes);
}

static void
stream_open(void *data)
{
	Connection *connection = data;

	if (connection->config->imap_tls == NET_TLS_LATER &&
	    net_stream_is_encrypted(connection->stream)) {
		imap_session_tls_started(connection->session);
		connection_flush_later(connection);
	}
}

static void
stream_bytes(void *data, Span *in)
{
	Connection *connection = data;
	g_autoptr(GError) error = NULL;

	connection->heard_ms = now_ms();
	imap_session_tick(connection->session, now_ms(), NULL);
	if (!imap_session_feed(connection->session, in, &error)) {
		close_with(connection, error);
		return;
	}
	flush(connection);
}

static void
stream_writable(void *data)
{
	flush(data);
}

static void
stream_closed(void *data, const GError *error)
{
	close_with(data, error);
}

Connection *
connection_open(const ConfigAccount *config, ConnectionMemory *memory, Log *log, const char *name,
		const ConnectionHandler *handler, void *data)
{
	static const NetStreamHandler on_stream = { stream_open, stream_bytes, stream_writable,
						    stream_closed };
	static const ImapSessionHandler on_session = {
		session_ready,	  session_start_tls, session_start_deflate,
		session_response, session_literal,   session_literal_bytes
	};
	Connection *connection = g_new0(Connection, 1);
	NetAddress address = {
		.host = config->imap_host,
		.port = config->imap_port,
		.tls = config->imap_tls,
		.ca_file = config->ca_file,
		.client_cert = config->client_cert,
	};

	connection->config = config;
	connection->memory = memory;
	connection->log = log_ref(log);
	connection->name = g_strdup(name);
	connection->handler = *handler;
	connection->data = data;
	connection->session = imap_session_new(&on_session, connection,
					       config->imap_tls != NET_TLS_LATER, NULL, log, name);
	imap_session_tick(connection->session, now_ms(), NULL);
	connection->stream = net_stream_open(&address, 0, &on_stream, connection, log);
	if (config->imap_tls == NET_TLS_LATER)
		imap_session_starttls(connection->session, NULL, NULL);
	connection_prepare_login(connection);
	/* A server that never greets has a deadline too. */
	watch_deadline(connection);
	handler->on_link(data, ENGINE_CONNECTING);
	return connection;
}

void
connection_free(Connection *connection)
{
	if (!connection)
		return;
	g_clear_pointer(&connection->secret_request, secret_request_free);
	connection->closed = true;
	imap_session_end(connection->session);
	drop_source(&connection->flush);
	drop_source(&connection->deadline);
	drop_source(&connection->fail);
	imap_session_free(connection->session);
	net_sasl_free(connection->sasl);
	net_stream_free(connection->stream);
	g_clear_error(&connection->failure);
	g_clear_error(&connection->refusal);
	g_clear_error(&connection->sasl_error);
	log_unref(connection->log);
	g_free(connection->name);
	g_free(connection);
}

void
connection_ride(Connection *connection, ConnectionRide ride, void *data)
{
	connection->ride = ride;
	connection->ride_data = data;
}

bool
connection_rides(const Connection *connection)
{
	return connection->rides;
}

ImapSession *
connection_session(Connection *connection)
{
	return connection->session;
}

static void
on_compress(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Connection *connection = data;

	connection->compressing = outcome == IMAP_OUTCOME_OK;
}

void
connection_compress(Connection *connection)
{
	if (!imap_session_has(connection->session, "COMPRESS=DEFLATE"))
		return;
	connection_compress_riding(connection);
}

void
connection_compress_riding(Connection *connection)
{
	ImapCommand *command;

	if (connection->compressing || net_stream_is_deflated(connection->stream))
		return;
	connection->compressing = true;
	command = imap_command_new("COMPRESS");
	imap_command_text(command, "DEFLATE");
	connection_send(connection, command, IMAP_RIDE, on_compress, connection);
}

void
connection_facts(Connection *connection, ConnectionFacts *out)
{
	*out = (ConnectionFacts){
		.mechanism =
		    connection->online ? connection->tries[connection->at_try].mechanism : NULL,
		.binding =
		    connection->online ? connection->tries[connection->at_try].binding : NULL,
		.transport = connection->config->imap_tls == NET_TLS_AT_ONCE ? "imaps"
			     : connection->config->imap_tls == NET_TLS_LATER ? "STARTTLS"
									     : "no TLS (loopback)",
		.compressed = net_stream_is_deflated(connection->stream),
	};
	out->encrypted = net_stream_security(connection->stream, &out->security);
	net_stream_counts(connection->stream, &out->counts);
}
