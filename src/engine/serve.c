#include "serve-private.h"
#include "wire-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PEERS_MAX = 32,
	BACKLOG_MAX = 16 * 1024 * 1024, /* octets that a peer has not read */
	PIECE = 64 * 1024,
	BEAT_MS = 1000, /* so often they hear that we live */
};

typedef struct Peer {
	Server *server;
	int fd;
	GByteArray *in, *out;
	GSource *reads, *writes; /* owned; writes NULL: nothing is to be written */
	GHashTable *requests;	 /* ours -> theirs */
	bool greeted;
} Peer;

struct Server {
	Engine *engine;
	char *path;
	int fd;
	GSource *accepts; /* owned */
	GSource *beat;	  /* owned; while there are peers */
	GPtrArray *peers; /* of Peer, owned */
	EngineRequest last_request;
};

static void
peer_free(void *data)
{
	Peer *peer = data;

	engine_drop_source(&peer->reads);
	engine_drop_source(&peer->writes);
	close(peer->fd);
	g_byte_array_unref(peer->in);
	g_byte_array_unref(peer->out);
	g_hash_table_unref(peer->requests);
	g_free(peer);
}

/* Nobody waits for what it asked any more. */
static void
peer_gone(Peer *peer)
{
	Server *server = peer->server;
	guint n;
	g_autofree void **requests = g_hash_table_get_keys_as_array(peer->requests, &n);

	g_hash_table_remove_all(peer->requests);
	for (guint i = 0; i < n; i++)
		engine_cancel_now(server->engine, GPOINTER_TO_UINT(requests[i]));
	log_event(server->engine->log, "engine", "another process left");
	g_ptr_array_remove_fast(server->peers, peer);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static gboolean
on_writable(gint fd, GIOCondition condition, void *data)
{
	Peer *peer = data;
	ssize_t n = send(fd, peer->out->data, peer->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* the reading side sees that it is gone */
		g_byte_array_set_size(peer->out, 0);
	} else if (n > 0) {
		g_byte_array_remove_range(peer->out, 0, (guint)n);
	}
	if (peer->out->len)
		return G_SOURCE_CONTINUE;
	engine_drop_source(&peer->writes);
	return G_SOURCE_REMOVE;
}

static GSource *
watch(Engine *engine, int fd, GIOCondition condition, GUnixFDSourceFunc call, void *data)
{
	GSource *source = g_unix_fd_source_new(fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(call), data, NULL);
	g_source_attach(source, engine->context);
	return source;
}

static void
put(Peer *peer, GVariant *dict)
{
	wire_put(peer->out, dict);
	if (peer->out->len > BACKLOG_MAX)
		shutdown(peer->fd, SHUT_RDWR); /* it comes back, and reads all anew */
	else if (!peer->writes)
		peer->writes = watch(peer->server->engine, peer->fd, G_IO_OUT, on_writable, peer);
}

/* ---- events ----------------------------------------------------------------------------------- */

void
serve_event(Server *server, const EngineEvent *event)
{
	EngineTotals totals;
	g_autoptr(GPtrArray) report = NULL;
	bool ours = event->type == ENGINE_EVENT_DONE || event->type == ENGINE_EVENT_PROGRESS;
	void *key = GUINT_TO_POINTER(event->request);

	if (!server->peers->len || (ours && !(event->request & SERVE_REQUEST)))
		return;
	engine_totals(server->engine, &totals);
	if (event->type == ENGINE_EVENT_DONE)
		report = engine_check_report(server->engine);
	for (guint i = 0; i < server->peers->len; i++) {
		Peer *peer = g_ptr_array_index(server->peers, i);
		EngineRequest request = GPOINTER_TO_UINT(g_hash_table_lookup(peer->requests, key));

		if (!peer->greeted || (ours && !request))
			continue;
		put(peer, wire_event(event, request, &totals, report));
		if (event->type == ENGINE_EVENT_DONE)
			g_hash_table_remove(peer->requests, key);
	}
}

/* ---- what they ask ---------------------------------------------------------------------------- */

static void
take_job(Peer *peer, GVariant *dict)
{
	Server *server = peer->server;
	char *account = NULL;
	Job *job = wire_job_read(dict, &account);
	EngineRequest theirs;

	if (!job)
		return;
	theirs = job->request;
	job->request = SERVE_REQUEST | ++server->last_request;
	job->guest = true;
	if (job->kind != JOB_LOOKED)
		g_hash_table_insert(peer->requests, GUINT_TO_POINTER(job->request),
				    GUINT_TO_POINTER(theirs));
	engine_take_up(server->engine, account, job);
	g_free(account);
}

static void
take_cancel(Peer *peer, EngineRequest theirs)
{
	GHashTableIter iter;
	void *key, *value;

	g_hash_table_iter_init(&iter, peer->requests);
	while (g_hash_table_iter_next(&iter, &key, &value))
		if (GPOINTER_TO_UINT(value) == theirs) {
			engine_cancel_now(peer->server->engine, GPOINTER_TO_UINT(key));
			return; /* its DONE has changed the table */
		}
}

static void
greet(Peer *peer, GVariant *dict)
{
	EngineTotals totals;
	EngineEvent hello = { .type = ENGINE_EVENT_FOLDERS };
	Engine *engine = peer->server->engine;

	if (wire_number(dict, "version") != WIRE_VERSION) {
		put(peer, wire_simple("no", 0));
		return;
	}
	peer->greeted = true;
	put(peer, wire_simple("hello", 0));
	engine_totals(engine, &totals);
	put(peer, wire_event(&hello, 0, &totals, NULL));
	for (guint i = 0; i < engine->accounts->len; i++)
		account_post_status(g_ptr_array_index(engine->accounts, i));
}

static void
take_frame(Peer *peer, GVariant *dict)
{
	const char *op = wire_op(dict);

	if (!strcmp(op, "hello"))
		greet(peer, dict);
	else if (!peer->greeted)
		return;
	else if (!strcmp(op, "job"))
		take_job(peer, dict);
	else if (!strcmp(op, "cancel"))
		take_cancel(peer, wire_number(dict, "request"));
	else if (!strcmp(op, "reconnect"))
		engine_reconnect_now(peer->server->engine);
}

static gboolean
on_readable(gint fd, GIOCondition condition, void *data)
{
	Peer *peer = data;
	uint8_t piece[PIECE];
	ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
	GVariant *dict;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		peer_gone(peer);
		return G_SOURCE_REMOVE;
	}
	g_byte_array_append(peer->in, piece, (guint)n);
	while (true) {
		if (!wire_take(peer->in, &dict)) {
			peer_gone(peer);
			return G_SOURCE_REMOVE;
		}
		if (!dict)
			return G_SOURCE_CONTINUE;
		take_frame(peer, dict);
		g_variant_unref(dict);
	}
}

/* ---- the socket ------------------------------------------------------------------------------- */

static bool
is_us(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static gboolean
on_beat(void *data)
{
	Server *server = data;

	for (guint i = 0; i < server->peers->len; i++) {
		Peer *peer = g_ptr_array_index(server->peers, i);

		if (peer->greeted)
			put(peer, wire_simple("beat", 0));
	}
	if (server->peers->len)
		return G_SOURCE_CONTINUE;
	engine_drop_source(&server->beat);
	return G_SOURCE_REMOVE;
}

static gboolean
on_connect(gint fd, GIOCondition condition, void *data)
{
	Server *server = data;
	int line = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	Peer *peer;

	if (line < 0)
		return G_SOURCE_CONTINUE;
	if (!is_us(line) || server->peers->len >= PEERS_MAX) {
		close(line);
		return G_SOURCE_CONTINUE;
	}
	log_event(server->engine->log, "engine", "another process came");
	if (!server->beat)
		server->beat = engine_timeout(server->engine, BEAT_MS, on_beat, server);
	peer = g_new0(Peer, 1);
	peer->server = server;
	peer->fd = line;
	peer->in = g_byte_array_new();
	peer->out = g_byte_array_new();
	peer->requests = g_hash_table_new(NULL, NULL);
	g_ptr_array_add(server->peers, peer);
	peer->reads = watch(server->engine, line, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, peer);
	return G_SOURCE_CONTINUE;
}

/* sun_path has room for 107 octets; a directory's descriptor makes any path short. */
bool
serve_address(const char *dir, struct sockaddr_un *address, int *dir_fd)
{
	g_autofree char *path = g_build_filename(dir, SERVE_SOCKET, NULL);

	*dir_fd = -1;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path)
		return true;
	*dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0)
		return false;
	g_snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" SERVE_SOCKET,
		   *dir_fd);
	return true;
}

/* The lock is ours: a socket that is there is of one that was killed. */
static int
listen_at(const char *dir, const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), dir_fd = -1;
	bool listens = fd >= 0 && (unlink(path) == 0 || errno == ENOENT) &&
		       serve_address(dir, &address, &dir_fd) &&
		       bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		       chmod(path, 0600) == 0 && listen(fd, 8) == 0;

	if (dir_fd >= 0)
		close(dir_fd);
	if (listens || fd < 0)
		return fd;
	close(fd);
	return -1;
}

Server *
serve_start(Engine *engine)
{
	Server *server = g_new0(Server, 1);

	server->engine = engine;
	server->path = g_build_filename(engine->data_dir, SERVE_SOCKET, NULL);
	server->peers = g_ptr_array_new_with_free_func(peer_free);
	server->fd = listen_at(engine->data_dir, server->path);
	if (server->fd < 0) {
		log_event(engine->log, "engine", "no socket for other processes: %s",
			  g_strerror(errno));
		serve_stop(server);
		return NULL;
	}
	server->accepts = watch(engine, server->fd, G_IO_IN, on_connect, server);
	return server;
}

void
serve_stop(Server *server)
{
	if (!server)
		return;
	engine_drop_source(&server->accepts);
	engine_drop_source(&server->beat);
	g_ptr_array_unref(server->peers);
	if (server->fd >= 0) {
		unlink(server->path);
		close(server->fd);
	}
	g_free(server->path);
	g_free(server);
}
