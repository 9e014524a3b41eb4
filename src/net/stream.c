#include "net/stream.h"

#include "connect-private.h"
#include "pipe-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <errno.h>

#define DEFAULT_TIMEOUT_MS 20000
#define TURN_BYTES	   (256 * 1024) /* received, offered or sent in one turn of the loop */
#define MAX_UNTAKEN_BYTES  (4 * 1024 * 1024)

typedef enum {
	CONNECTING,
	HANDSHAKING,
	OPEN,
	CLOSED, /* error is set; on_closed is due or was called */
} State;

/* Sources and callbacks run with a reference held, for a callback may free the stream. */
struct NetStream {
	unsigned references;
	State state;
	bool is_freed; /* by the owner: no callback any more */
	NetHost host;
	uint16_t port;
	NetTls mode;
	char *ca_file, *client_cert;
	int timeout_ms;
	NetStreamHandler handler;
	void *data;
	Log *log;

	GMainContext *context;
	GCancellable *cancellable;
	GSocketConnection *connection;
	GSocket *socket; /* borrowed from connection; NULL: not connected, or closed */
	char *peer;
	GSource *reader, *writer, *timer;
	GSource *turn; /* work that waits for the next turn of the loop */

	NetPipe pipe;
	bool is_paused;
	bool is_offering;    /* inside on_bytes */
	bool tls_is_due;     /* start_tls was called: what is written waits for the handshake */
	bool deflate_is_due; /* what comes in is deflated once on_bytes returns */
	bool offer_is_due;   /* what was left untaken, on resuming */
	bool was_high;	     /* on_writable is owed */
	GError *error;
};

static gboolean on_turn(void *data);
static gboolean on_timeout(void *data);
static gboolean on_socket_readable(GSocket *socket, GIOCondition condition, void *data);
static gboolean on_socket_writable(GSocket *socket, GIOCondition condition, void *data);
static void on_connected(GObject *source, GAsyncResult *result, void *data);

static NetStream *
hold(NetStream *stream)
{
	stream->references++;
	return stream;
}

static void
release(NetStream *stream)
{
	if (--stream->references)
		return;
	net_pipe_clear(&stream->pipe);
	g_clear_object(&stream->connection);
	g_clear_object(&stream->cancellable);
	g_clear_error(&stream->error);
	g_main_context_unref(stream->context);
	net_host_clear(&stream->host);
	g_free(stream->peer);
	g_free(stream->ca_file);
	g_free(stream->client_cert);
	log_unref(stream->log);
	g_free(stream);
}

static bool
is_over(const NetStream *stream)
{
	return stream->is_freed || stream->state == CLOSED;
}

/* ---- sources ----------------------------------------------------------------------------- */

static void
drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

static void
want_turn(NetStream *stream)
{
	if (stream->turn)
		return;
	stream->turn = g_idle_source_new();
	g_source_set_priority(stream->turn, G_PRIORITY_DEFAULT);
	g_source_set_callback(stream->turn, on_turn, stream, NULL);
	g_source_attach(stream->turn, stream->context);
}

static void
want_socket(NetStream *stream, GSource **source, GIOCondition condition, GSocketSourceFunc callback)
{
	if (*source)
		return;
	*source = g_socket_create_source(stream->socket, condition, NULL);
	g_source_set_callback(*source, G_SOURCE_FUNC(callback), stream, NULL);
	g_source_attach(*source, stream->context);
}

static void
start_timer(NetStream *stream)
{
	drop_source(&stream->timer);
	stream->timer = g_timeout_source_new((guint)stream->timeout_ms);
	g_source_set_callback(stream->timer, on_timeout, stream, NULL);
	g_source_attach(stream->timer, stream->context);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void
hang_up(NetStream *stream)
{
	drop_source(&stream->reader);
	drop_source(&stream->writer);
	drop_source(&stream->timer);
	g_cancellable_cancel(stream->cancellable);
	if (!stream->socket)
		return;
	net_pipe_end(&stream->pipe);
	g_socket_close(stream->socket, NULL);
	stream->socket = NULL;
	stream->pipe.fd = -1;
}

/* Takes ERROR.  The first one counts; on_closed follows from the loop. */
static void
fail(NetStream *stream, GError *error)
{
	if (is_over(stream)) {
		g_error_free(error);
		return;
	}
	log_event(stream->log, "net", "%s: closed: %s",
		  stream->host.shown ? stream->host.shown : "?", error->message);
	stream->error = error;
	stream->state = CLOSED;
	hang_up(stream);
	want_turn(stream);
}

G_GNUC_PRINTF(3, 4)
static void
fail_with(NetStream *stream, PosternError code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(stream, g_error_new_valist(POSTERN_ERROR, (int)code, format, arguments));
	va_end(arguments);
}

static gboolean
on_timeout(void *data)
{
	NetStream *stream = data;

	if (stream->state == CONNECTING) {
		fail_with(stream, POSTERN_ERROR_OFFLINE,
			  _("%s did not answer on port %u within %d s: look whether the port is "
			    "right, and "
			    "whether a firewall is in the way"),
			  stream->host.shown, stream->port, (stream->timeout_ms + 999) / 1000);
	} else {
		fail_with(stream, POSTERN_ERROR_OFFLINE,
			  _("%s did not set up TLS on port %u within %d s: look whether that port "
			    "speaks TLS"),
			  stream->host.shown, stream->port, (stream->timeout_ms + 999) / 1000);
	}
	return G_SOURCE_REMOVE;
}

/* ---- in ---------------------------------------------------------------------------------- */

static void
begin_handshake(NetStream *stream)
{
	GError *error = NULL;

	stream->pipe.tls = net_tls_new(&stream->host, stream->ca_file, stream->client_cert, &error);
	if (!stream->pipe.tls) {
		fail(stream, error);
		return;
	}
	stream->state = HANDSHAKING;
	start_timer(stream);
	want_turn(stream);
}

/* STARTTLS was agreed to.  Bytes that came before our ClientHello cannot be the server's answer to
 * it; what comes later than this look is taken for TLS, and breaks the handshake. */
static void
begin_tls_later(NetStream *stream)
{
	stream->tls_is_due = false;
	if (net_pipe_has_early_bytes(&stream->pipe)) {
		fail_with(stream, POSTERN_ERROR_TRUST,
			  _("%s sent something between agreeing to STARTTLS and TLS, which may be "
			    "an attack: "
			    "nothing was sent"),
			  stream->host.shown);
		return;
	}
	begin_handshake(stream);
}

static void
begin_inflate(NetStream *stream)
{
	stream->deflate_is_due = false;
	net_pipe_begin_inflate(&stream->pipe);
}

static void
offer(NetStream *stream)
{
	NetBuffer *buffer = &stream->pipe.in;
	Span in = net_buffer_span(buffer);
	const char *end = in.end;

	stream->offer_is_due = false;
	if (span_is_empty(in))
		return;
	stream->is_offering = true;
	stream->handler.on_bytes(stream->data, &in);
	stream->is_offering = false;
	if (is_over(stream))
		return;
	g_assert(in.end == end && in.at <= in.end);
	net_buffer_take(buffer, net_buffer_size(buffer) - span_size(in));
	if (stream->tls_is_due)
		begin_tls_later(stream);
	else if (stream->deflate_is_due)
		begin_inflate(stream);
	if (net_buffer_size(buffer) > MAX_UNTAKEN_BYTES) {
		fail_with(stream, POSTERN_ERROR_PROTOCOL,
			  _("%s sent more than can be understood at once"), stream->host.shown);
	}
}

static void
stand(NetStream *stream)
{
	stream->state = OPEN;
	drop_source(&stream->timer);
	if (stream->pipe.tls) {
		log_event(stream->log, "net", "%s: %s with %s", stream->host.shown,
			  net_tls_protocol(stream->pipe.tls), net_tls_cipher(stream->pipe.tls));
	}
	stream->handler.on_open(stream->data);
}

/* One turn's worth of reading and of telling. */
static void
take_input(NetStream *stream)
{
	NetPipe *pipe = &stream->pipe;
	NetStep step = NET_STEP_MORE;
	GError *error = NULL;

	pipe->budget = TURN_BYTES;
	if (stream->state == HANDSHAKING) {
		step = net_pipe_shake_hands(pipe, &error);
		if (step == NET_STEP_DONE)
			stand(stream);
	}
	if (!is_over(stream) && stream->state == OPEN && stream->offer_is_due && !stream->is_paused)
		offer(stream);
	while (!is_over(stream) && stream->state == OPEN && !stream->is_paused && pipe->budget) {
		step = net_pipe_fill(pipe, &error);
		if (step != NET_STEP_DONE)
			break;
		offer(stream);
	}
	if (is_over(stream))
		return;
	if (error) {
		fail(stream, error);
	} else if (pipe->is_broken && (step == NET_STEP_MORE || stream->is_paused)) {
		fail(stream, net_pipe_break(pipe, EPIPE));
	} else if (!pipe->budget) {
		/* TLS or inflate may hold bytes that poll cannot see. */
		drop_source(&stream->reader);
		want_turn(stream);
	} else if (stream->is_paused && stream->state == OPEN) {
		drop_source(&stream->reader);
	} else {
		want_socket(stream, &stream->reader, G_IO_IN, on_socket_readable);
	}
}

/* ---- out --------------------------------------------------------------------------------- */

static void
send_output(NetStream *stream)
{
	GError *error = NULL;
	bool encodes = stream->state == OPEN && !stream->tls_is_due;

	switch (net_pipe_send(&stream->pipe, TURN_BYTES, encodes, &error)) {
	case NET_STEP_MORE:
		want_socket(stream, &stream->writer, G_IO_OUT, on_socket_writable);
		break;
	case NET_STEP_DONE:
		drop_source(&stream->writer);
		break;
	case NET_STEP_CLOSED:
	case NET_STEP_FAILED:
	default:
		drop_source(&stream->writer);
		if (error)
			fail(stream, error);
		else /* The server may have said why: that is read first. */
			want_turn(stream);
		break;
	}
}

static void
tell_writable(NetStream *stream)
{
	if (is_over(stream) || stream->pipe.is_broken || !stream->was_high ||
	    net_stream_queued_bytes(stream) >= NET_STREAM_LOW_MARK)
		return;
	stream->was_high = false;
	if (stream->handler.on_writable)
		stream->handler.on_writable(stream->data);
}

/* ---- the loop's turns -------------------------------------------------------------------- */

static void
take_turn(NetStream *stream)
{
	hold(stream);
	take_input(stream);
	if (!is_over(stream))
		send_output(stream);
	tell_writable(stream);
	release(stream);
}

static gboolean
on_socket_readable(GSocket *socket, GIOCondition condition, void *data)
{
	take_turn(data);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_socket_writable(GSocket *socket, GIOCondition condition, void *data)
{
	NetStream *stream = hold(data);

	send_output(stream);
	tell_writable(stream);
	release(stream);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_turn(void *data)
{
	NetStream *stream = hold(data);

	drop_source(&stream->turn);
	if (stream->state == CLOSED)
		stream->handler.on_closed(stream->data, stream->error);
	else if (stream->state != CONNECTING)
		take_turn(stream);
	release(stream);
	return G_SOURCE_REMOVE;
}

static void
on_connected(GObject *source, GAsyncResult *result, void *data)
{
	NetStream *stream = data;
	GError *error = NULL;
	GSocketConnection *connection =
	    net_connect_finish(&stream->host, stream->port, source, result, &error);

	if (is_over(stream)) {
		g_clear_object(&connection);
		g_clear_error(&error);
	} else if (!connection) {
		fail(stream, error);
	} else {
		stream->connection = connection;
		stream->socket = g_socket_connection_get_socket(connection);
		stream->pipe.fd = g_socket_get_fd(stream->socket);
		stream->peer = net_connect_peer(stream->socket);
		log_event(stream->log, "net", "%s: connected to %s", stream->host.shown,
			  stream->peer ? stream->peer : "?");
		if (stream->mode == NET_TLS_NEVER && !net_host_is_loopback(stream->socket)) {
			fail_with(stream, POSTERN_ERROR_TRUST,
				  _("%s is not this machine, and without TLS nothing is sent to "
				    "another"),
				  stream->host.shown);
		} else if (stream->mode == NET_TLS_AT_ONCE) {
			begin_handshake(stream);
		} else {
			stand(stream);
			if (!is_over(stream))
				take_turn(stream);
		}
	}
	release(stream);
}

/* ---- the contract ------------------------------------------------------------------------ */

NetStream *
net_stream_open(const NetAddress *address, int timeout_ms, const NetStreamHandler *handler,
		void *data, Log *log)
{
	NetStream *stream = g_new0(NetStream, 1);
	GError *error = NULL;

	stream->references = 1;
	stream->pipe = (NetPipe){ .host = &stream->host, .fd = -1 };
	stream->port = address->port;
	stream->mode = address->tls;
	stream->ca_file = g_strdup(address->ca_file);
	stream->client_cert = g_strdup(address->client_cert);
	stream->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
	stream->handler = *handler;
	stream->data = data;
	stream->log = log_ref(log);
	stream->context = g_main_context_ref_thread_default();
	stream->cancellable = g_cancellable_new();
	if (!net_host_parse(&stream->host, address->host, &error)) {
		fail(stream, error);
	} else if (stream->mode == NET_TLS_NEVER && !stream->host.is_local) {
		fail_with(stream, POSTERN_ERROR_CONFIG,
			  _("%s is not this machine, and without TLS nothing is sent to another: "
			    "use imaps:// "
			    "or imap://"),
			  stream->host.shown);
	} else {
		start_timer(stream);
		net_connect_start(&stream->host, stream->port, stream->cancellable, on_connected,
				  hold(stream));
	}
	return stream;
}

void
net_stream_free(NetStream *stream)
{
	if (!stream)
		return;
	if (stream->socket && !is_over(stream))
		send_output(stream);
	stream->is_freed = true;
	hang_up(stream);
	drop_source(&stream->turn);
	release(stream);
}

bool
net_stream_write(NetStream *stream, Span bytes)
{
	if (is_over(stream) || stream->pipe.is_broken)
		return false;
	net_buffer_append(&stream->pipe.out, bytes);
	stream->pipe.counts.plain_out += span_size(bytes);
	if (net_stream_queued_bytes(stream) >= NET_STREAM_LOW_MARK)
		stream->was_high = true;
	/* In the next turn, so that what is written bit by bit leaves together. */
	if (stream->state == OPEN && !stream->writer)
		want_socket(stream, &stream->writer, G_IO_OUT, on_socket_writable);
	return true;
}

size_t
net_stream_queued_bytes(const NetStream *stream)
{
	return net_pipe_queued(&stream->pipe);
}

void
net_stream_start_tls(NetStream *stream)
{
	if (is_over(stream))
		return;
	if (stream->state != OPEN || stream->mode != NET_TLS_LATER || stream->pipe.tls ||
	    stream->tls_is_due || stream->pipe.deflate) {
		fail_with(stream, POSTERN_ERROR_TRUST,
			  _("TLS cannot be begun now on the line to %s"), stream->host.shown);
		return;
	}
	/* What was written before stays before. */
	net_buffer_move(&stream->pipe.wire, &stream->pipe.out);
	stream->tls_is_due = true;
	if (!stream->is_offering)
		begin_tls_later(stream);
}

bool
net_stream_is_encrypted(const NetStream *stream)
{
	return stream->pipe.is_secret && stream->state == OPEN;
}

bool
net_stream_start_deflate(NetStream *stream, GError **error)
{
	if (stream->state != OPEN || stream->pipe.deflate || stream->tls_is_due) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("compression cannot be begun now on the line to %s"),
			    stream->host.shown ? stream->host.shown : "?");
		return false;
	}
	stream->pipe.deflate = net_deflate_new(error);
	if (!stream->pipe.deflate)
		return false;
	net_buffer_move(&stream->pipe.packing, &stream->pipe.out);
	stream->deflate_is_due = true;
	if (!stream->is_offering) {
		begin_inflate(stream);
		want_turn(stream);
	}
	return true;
}

bool
net_stream_is_deflated(const NetStream *stream)
{
	return stream->pipe.deflate != NULL;
}

void
net_stream_pause(NetStream *stream, bool paused)
{
	if (is_over(stream) || stream->is_paused == paused)
		return;
	stream->is_paused = paused;
	if (stream->state != OPEN)
		return;
	if (paused) {
		drop_source(&stream->reader);
	} else {
		stream->offer_is_due = true;
		want_turn(stream);
	}
}

bool
net_stream_security(NetStream *stream, NetSecurity *out)
{
	const NetCertificate *certificate;

	*out = (NetSecurity){ .peer_address = stream->peer };
	if (!net_stream_is_encrypted(stream))
		return false;
	certificate = net_tls_certificate(stream->pipe.tls);
	out->protocol = net_tls_protocol(stream->pipe.tls);
	out->cipher = net_tls_cipher(stream->pipe.tls);
	out->subject = certificate->subject;
	out->issuer = certificate->issuer;
	out->names = certificate->names;
	out->not_before = certificate->not_before;
	out->not_after = certificate->not_after;
	out->sha256 = certificate->sha256;
	return true;
}

GBytes *
net_stream_tls_exporter(NetStream *stream)
{
	return net_stream_is_encrypted(stream) ? net_tls_exporter(stream->pipe.tls) : NULL;
}

GBytes *
net_stream_tls_unique(NetStream *stream)
{
	return net_stream_is_encrypted(stream) ? net_tls_unique(stream->pipe.tls) : NULL;
}

void
net_stream_counts(const NetStream *stream, NetCounts *out)
{
	*out = stream->pipe.counts;
}
