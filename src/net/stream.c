#include "net/stream.h"

#include "buffer-private.h"
#include "connect-private.h"
#include "deflate-private.h"
#include "tls-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <errno.h>
#include <sys/socket.h>

#define DEFAULT_TIMEOUT_MS 20000
#define TURN_BYTES	   (256 * 1024) /* read, delivered or sent in one turn of the loop */
#define READ_BYTES	   (16 * 1024)	/* one TLS record */
#define WIRE_HIGH_BYTES	   (64 * 1024)	/* encrypted ahead of what the kernel takes */
#define MAX_UNTAKEN_BYTES  (4 * 1024 * 1024)

typedef enum {
	CONNECTING,
	HANDSHAKING,
	OPEN,
	CLOSED, /* error is set; on_closed is due or was called */
} State;

/* Bytes come in:  socket -> tls -> packed -> deflate -> in -> on_bytes
 * and go out:     net_stream_write -> out -> deflate -> packing -> tls -> wire -> socket
 * Reading is pulled from the right: nothing is received that nobody wants.  Sources and callbacks
 * run with a reference held, for a callback may free the stream. */
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
	GSocket *socket; /* borrowed from connection */
	char *peer;
	GSource *reader, *writer, *timer;
	GSource *turn; /* work that waits for the next turn of the loop */

	NetTlsLine *tls;
	NetDeflate *deflate;
	NetBuffer packed, in;
	NetBuffer out, packing, wire;
	NetCounts counts;
	size_t budget; /* what this turn may still read */

	bool is_paused;
	bool is_offering;    /* inside on_bytes */
	bool tls_is_due;     /* start_tls was called: out waits for the handshake */
	bool deflate_is_due; /* what comes in is deflated once on_bytes returns */
	bool inflates;
	bool offer_is_due; /* what was left untaken, on resuming */
	bool was_high;	   /* on_writable is owed */
	bool is_broken;	   /* the socket takes no more; what came before is still read */
	GError *error;
};

static gboolean on_turn(void *data);
static gboolean on_timeout(void *data);
static gboolean on_socket_readable(GSocket *socket, GIOCondition condition, void *data);
static gboolean on_socket_writable(GSocket *socket, GIOCondition condition, void *data);
static void on_connected(GObject *source, GAsyncResult *result, void *data);
static void fail(NetStream *stream, GError *error);
static void send_output(NetStream *stream);

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
	net_tls_free(stream->tls);
	net_deflate_free(stream->deflate);
	net_buffer_clear(&stream->packed);
	net_buffer_clear(&stream->in);
	net_buffer_clear(&stream->out);
	net_buffer_clear(&stream->packing);
	net_buffer_clear(&stream->wire);
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

/* Gives the kernel what it takes of a last word (an alert, a close_notify), and closes. */
static void
hang_up(NetStream *stream)
{
	Span wire;

	drop_source(&stream->reader);
	drop_source(&stream->writer);
	drop_source(&stream->timer);
	g_cancellable_cancel(stream->cancellable);
	if (!stream->socket)
		return;
	if (stream->tls) {
		net_tls_close(stream->tls);
		net_tls_wire(stream->tls, &stream->wire);
	} else {
		/* After a fault nothing more leaves in clear. */
		net_buffer_clear(&stream->wire);
	}
	wire = net_buffer_span(&stream->wire);
	if (!span_is_empty(wire) && !stream->is_broken &&
	    send(g_socket_get_fd(stream->socket), wire.at, span_size(wire), MSG_NOSIGNAL) < 0)
		log_event(stream->log, "net", "the last bytes were not taken");
	g_socket_close(stream->socket, NULL);
	stream->socket = NULL;
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

static void
fail_broken(NetStream *stream, int number)
{
	if (number == ETIMEDOUT) {
		fail_with(stream, POSTERN_ERROR_OFFLINE, _("%s does not answer any more"),
			  stream->host.shown);
	} else {
		fail_with(stream, POSTERN_ERROR_OFFLINE, _("the line to %s broke (%s)"),
			  stream->host.shown, g_strerror(number));
	}
}

/* The socket came to its end without TLS's. */
static void
fail_ended(NetStream *stream)
{
	const char *format = stream->state == HANDSHAKING
				 ? _("%s closed the line while TLS was being set up")
			     : stream->tls ? _("%s cut the line off without ending TLS in order")
					   : _("%s closed the line");

	fail_with(stream, POSTERN_ERROR_OFFLINE, format, stream->host.shown);
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

/* At most SIZE bytes off the socket.  CLOSED and FAILED have failed the stream. */
static NetStep
receive(NetStream *stream, char *bytes, size_t size, size_t *made)
{
	ssize_t got;

	*made = 0;
	do {
		got = recv(g_socket_get_fd(stream->socket), bytes, size, 0);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		*made = (size_t)got;
		stream->counts.wire_in += *made;
		stream->budget -= MIN(stream->budget, *made);
		return NET_STEP_DONE;
	}
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NET_STEP_MORE;
	if (got < 0)
		fail_broken(stream, errno);
	else
		fail_ended(stream);
	return NET_STEP_FAILED;
}

static NetStep
receive_for_tls(NetStream *stream)
{
	char bytes[READ_BYTES];
	size_t made;
	NetStep step = receive(stream, bytes, sizeof bytes, &made);

	if (step == NET_STEP_DONE)
		net_tls_feed(stream->tls, span_of(bytes, made));
	return step;
}

/* Bytes as the server meant them, before inflating, behind BUFFER. */
static NetStep
read_plain(NetStream *stream, NetBuffer *buffer)
{
	char *room = net_buffer_room(buffer, READ_BYTES);
	GError *error = NULL;
	size_t made;
	NetStep step;

	if (!stream->tls) {
		step = receive(stream, room, READ_BYTES, &made);
		net_buffer_filled(buffer, made);
		return step;
	}
	do {
		step = net_tls_read(stream->tls, room, READ_BYTES, &made, &error);
		/* A key update wants an answer. */
		net_tls_wire(stream->tls, &stream->wire);
	} while (step == NET_STEP_MORE && receive_for_tls(stream) == NET_STEP_DONE &&
		 stream->budget);
	net_buffer_filled(buffer, made);
	if (step == NET_STEP_CLOSED) {
		fail_with(stream, POSTERN_ERROR_OFFLINE, _("%s closed the line"),
			  stream->host.shown);
	} else if (step == NET_STEP_FAILED) {
		fail(stream, error);
	}
	return step;
}

/* More bytes behind in. */
static NetStep
fill(NetStream *stream)
{
	size_t before = net_buffer_size(&stream->in);
	GError *error = NULL;
	size_t made;
	NetStep step;

	if (!stream->inflates) {
		step = read_plain(stream, &stream->in);
	} else {
		do {
			if (!net_deflate_unpack(stream->deflate, &stream->packed, &stream->in,
						READ_BYTES, &made, &error)) {
				fail(stream, error);
				return NET_STEP_FAILED;
			}
			step = made ? NET_STEP_DONE : read_plain(stream, &stream->packed);
		} while (!made && step == NET_STEP_DONE && stream->budget);
	}
	made = net_buffer_size(&stream->in) - before;
	stream->counts.plain_in += made;
	stream->budget -= MIN(stream->budget, made);
	return step;
}

/* What TLS must not be begun with (threats T1): bytes that came before our ClientHello cannot be the
 * server's answer to it. */
static bool
has_early_bytes(NetStream *stream)
{
	char byte;

	return net_buffer_size(&stream->in) ||
	       recv(g_socket_get_fd(stream->socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void
begin_tls(NetStream *stream)
{
	GError *error = NULL;

	stream->tls_is_due = false;
	if (has_early_bytes(stream)) {
		fail_with(stream, POSTERN_ERROR_TRUST,
			  _("%s sent something between agreeing to STARTTLS and TLS, which may be "
			    "an attack: "
			    "nothing was sent"),
			  stream->host.shown);
		return;
	}
	stream->tls = net_tls_new(&stream->host, stream->ca_file, stream->client_cert, &error);
	if (!stream->tls) {
		fail(stream, error);
		return;
	}
	stream->state = HANDSHAKING;
	start_timer(stream);
	want_turn(stream);
}

static void
begin_inflate(NetStream *stream)
{
	stream->deflate_is_due = false;
	stream->inflates = true;
	stream->counts.plain_in -= net_buffer_size(&stream->in);
	net_buffer_move(&stream->packed, &stream->in);
}

static void
offer(NetStream *stream)
{
	Span in = net_buffer_span(&stream->in);
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
	net_buffer_take(&stream->in, net_buffer_size(&stream->in) - span_size(in));
	if (stream->tls_is_due)
		begin_tls(stream);
	else if (stream->deflate_is_due)
		begin_inflate(stream);
	if (!is_over(stream) && net_buffer_size(&stream->in) > MAX_UNTAKEN_BYTES) {
		fail_with(stream, POSTERN_ERROR_PROTOCOL,
			  _("%s sent more than can be understood at once"), stream->host.shown);
	}
}

static void
stand(NetStream *stream)
{
	stream->state = OPEN;
	drop_source(&stream->timer);
	if (stream->tls) {
		log_event(stream->log, "net", "%s: %s with %s", stream->host.shown,
			  net_tls_protocol(stream->tls), net_tls_cipher(stream->tls));
	}
	stream->handler.on_open(stream->data);
}

static void
shake_hands(NetStream *stream)
{
	GError *error = NULL;
	NetStep step;

	do {
		step = net_tls_handshake(stream->tls, &error);
		net_tls_wire(stream->tls, &stream->wire);
	} while (step == NET_STEP_MORE && stream->budget &&
		 receive_for_tls(stream) == NET_STEP_DONE);
	if (step == NET_STEP_DONE)
		stand(stream);
	else if (step == NET_STEP_FAILED)
		fail(stream, error);
}

/* One turn's worth of reading and of telling. */
static void
take_input(NetStream *stream)
{
	NetStep step = NET_STEP_DONE;

	stream->budget = TURN_BYTES;
	if (stream->state == HANDSHAKING)
		shake_hands(stream);
	if (stream->state == OPEN && stream->offer_is_due && !stream->is_paused)
		offer(stream);
	while (!is_over(stream) && stream->state == OPEN && !stream->is_paused && stream->budget) {
		step = fill(stream);
		if (step != NET_STEP_DONE)
			break;
		offer(stream);
	}
	if (is_over(stream))
		return;
	if (stream->is_broken && (step == NET_STEP_MORE || stream->is_paused)) {
		fail_broken(stream, EPIPE);
		return;
	}
	/* With the budget spent, TLS or inflate may hold bytes that poll cannot see. */
	if (!stream->budget)
		want_turn(stream);
	if (!stream->budget || (stream->is_paused && stream->state == OPEN))
		drop_source(&stream->reader);
	else
		want_socket(stream, &stream->reader, G_IO_IN, on_socket_readable);
}

/* ---- out --------------------------------------------------------------------------------- */

/* Moves some of what is written to wire, through deflate and TLS. */
static bool
encode_some(NetStream *stream)
{
	GError *error = NULL;
	Span some;

	if (!net_buffer_size(&stream->packing)) {
		some = net_buffer_span(&stream->out);
		if (span_is_empty(some))
			return false;
		if (stream->deflate) {
			some.end = some.at + MIN(span_size(some), (size_t)READ_BYTES);
			net_deflate_pack(stream->deflate, some,
					 span_size(some) == net_buffer_size(&stream->out),
					 &stream->packing);
			net_buffer_take(&stream->out, span_size(some));
		} else {
			net_buffer_move(&stream->packing, &stream->out);
		}
	}
	if (!stream->tls) {
		net_buffer_move(&stream->wire, &stream->packing);
		return true;
	}
	some = net_buffer_span(&stream->packing);
	some.end = some.at + MIN(span_size(some), (size_t)READ_BYTES);
	if (!net_tls_write(stream->tls, some, &error)) {
		fail(stream, error);
		return false;
	}
	net_buffer_take(&stream->packing, span_size(some));
	net_tls_wire(stream->tls, &stream->wire);
	return true;
}

/* The socket takes no more.  The server may have said why: that is read first. */
static void
break_off(NetStream *stream)
{
	stream->is_broken = true;
	net_buffer_clear(&stream->out);
	net_buffer_clear(&stream->packing);
	net_buffer_clear(&stream->wire);
	want_turn(stream);
}

/* False when the socket takes no more for now, or for ever. */
static bool
send_wire(NetStream *stream)
{
	Span wire = net_buffer_span(&stream->wire);
	ssize_t sent;

	if (span_is_empty(wire))
		return true;
	do {
		sent =
		    send(g_socket_get_fd(stream->socket), wire.at, span_size(wire), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			break_off(stream);
		return false;
	}
	stream->counts.wire_out += (size_t)sent;
	net_buffer_take(&stream->wire, (size_t)sent);
	return !net_buffer_size(&stream->wire);
}

/* One turn's worth, as much as the kernel takes. */
static void
send_output(NetStream *stream)
{
	uint64_t end = stream->counts.wire_out + TURN_BYTES;
	bool may_encode = stream->state == OPEN && !stream->tls_is_due;
	bool is_taken;

	do {
		while (may_encode && net_buffer_size(&stream->wire) < WIRE_HIGH_BYTES &&
		       encode_some(stream))
			;
		if (is_over(stream) || stream->is_broken)
			return;
		is_taken = send_wire(stream);
	} while (is_taken && stream->counts.wire_out < end && may_encode &&
		 net_stream_queued_bytes(stream));
	if (!stream->is_broken &&
	    (net_buffer_size(&stream->wire) || (may_encode && net_stream_queued_bytes(stream))))
		want_socket(stream, &stream->writer, G_IO_OUT, on_socket_writable);
	else
		drop_source(&stream->writer);
}

static void
tell_writable(NetStream *stream)
{
	if (is_over(stream) || stream->is_broken || !stream->was_high ||
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
		stream->peer = net_connect_peer(stream->socket);
		log_event(stream->log, "net", "%s: connected to %s", stream->host.shown,
			  stream->peer ? stream->peer : "?");
		if (stream->mode == NET_TLS_NEVER && !net_host_is_loopback(stream->socket)) {
			fail_with(stream, POSTERN_ERROR_TRUST,
				  _("%s is not this machine, and without TLS nothing is sent to "
				    "another"),
				  stream->host.shown);
		} else if (stream->mode == NET_TLS_AT_ONCE) {
			stream->tls = net_tls_new(&stream->host, stream->ca_file,
						  stream->client_cert, &error);
			if (stream->tls) {
				stream->state = HANDSHAKING;
				start_timer(stream);
				take_turn(stream);
			} else {
				fail(stream, error);
			}
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
	if (is_over(stream) || stream->is_broken)
		return false;
	net_buffer_append(&stream->out, bytes);
	stream->counts.plain_out += span_size(bytes);
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
	return net_buffer_size(&stream->out) + net_buffer_size(&stream->packing) +
	       net_buffer_size(&stream->wire);
}

void
net_stream_start_tls(NetStream *stream)
{
	if (is_over(stream))
		return;
	if (stream->state != OPEN || stream->mode != NET_TLS_LATER || stream->tls ||
	    stream->tls_is_due || stream->deflate) {
		fail_with(stream, POSTERN_ERROR_TRUST,
			  _("TLS cannot be begun now on the line to %s"), stream->host.shown);
		return;
	}
	/* What was written before stays before. */
	net_buffer_move(&stream->wire, &stream->out);
	stream->tls_is_due = true;
	if (!stream->is_offering)
		begin_tls(stream);
}

bool
net_stream_is_encrypted(const NetStream *stream)
{
	return stream->tls && stream->state == OPEN;
}

bool
net_stream_start_deflate(NetStream *stream, GError **error)
{
	if (stream->state != OPEN || stream->deflate || stream->tls_is_due) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("compression cannot be begun now on the line to %s"),
			    stream->host.shown ? stream->host.shown : "?");
		return false;
	}
	stream->deflate = net_deflate_new(error);
	if (!stream->deflate)
		return false;
	net_buffer_move(&stream->packing, &stream->out);
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
	return stream->deflate != NULL;
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
	certificate = net_tls_certificate(stream->tls);
	out->protocol = net_tls_protocol(stream->tls);
	out->cipher = net_tls_cipher(stream->tls);
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
	return net_stream_is_encrypted(stream) ? net_tls_exporter(stream->tls) : NULL;
}

GBytes *
net_stream_tls_unique(NetStream *stream)
{
	return net_stream_is_encrypted(stream) ? net_tls_unique(stream->tls) : NULL;
}

void
net_stream_counts(const NetStream *stream, NetCounts *out)
{
	*out = stream->counts;
}
