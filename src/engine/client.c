/* The side of a Postern that does not have the store. */
#include "serve-private.h"
#include "wire-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	LOOK_MS = 50,		/* between two looks at whose the store is */
	LOOK_LATER_MS = 1000,	/* ... after some time of it */
	PATIENCE_MS = 5 * 1000, /* what was asked waits so long for one who answers */
	BEAT_MS = 1000,		/* the other says so often that it lives */
	BEATS_MISSED = 5,	/* and is stopped (Ctrl-Z, a debugger) when it does not */
	PIECE = 64 * 1024,
};

struct Client {
	Engine *engine;
	int fd; /* -1: looking */
	bool greeted, was_served;
	GByteArray *in, *out;
	GSource *reads, *writes, *look, *watch; /* owned; NULL: none */
	unsigned missed;			/* beats, of our own clock */
	GQueue pending;				/* of Call, owned: asked, and without a DONE */
	int64_t since_ms;			/* monotonic; when it began to look */
	EngineTotals base;			/* the other's totals when we came */
	bool based;				/* BASE is known */
	/* What the person here looks at: opened anew when the store becomes ours. */
	char *home_account, *home;
	uint32_t home_rows;
	bool told; /* the person knows that nobody answers */
};

static void look_later(Client *client, unsigned ms);

static GSource *
watch(Client *client, GIOCondition condition, GUnixFDSourceFunc call)
{
	GSource *source = g_unix_fd_source_new(client->fd, condition);

	g_source_set_callback(source, G_SOURCE_FUNC(call), client, NULL);
	g_source_attach(source, client->engine->owner_context);
	return source;
}

static void
hang_up(Client *client)
{
	engine_drop_source(&client->reads);
	engine_drop_source(&client->writes);
	engine_drop_source(&client->watch);
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->greeted = false;
	g_byte_array_set_size(client->in, 0);
	g_byte_array_set_size(client->out, 0);
	client->since_ms = g_get_monotonic_time() / 1000;
}

static void
finish(Client *client, Call *call, const GError *error)
{
	EngineEvent done = { .type = ENGINE_EVENT_DONE,
			     .request = call->job->request,
			     .error = error };

	g_queue_remove(&client->pending, call);
	engine_post(client->engine, &done);
	call_free(call);
}

static void
finish_all(Client *client, const GError *error)
{
	Call *call;

	while ((call = g_queue_peek_head(&client->pending)))
		finish(client, call, error);
}

static Call *
find_pending(Client *client, EngineRequest request)
{
	for (GList *at = client->pending.head; at; at = at->next)
		if (((Call *)at->data)->job->request == request)
			return at->data;
	return NULL;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static gboolean
on_writable(gint fd, GIOCondition condition, void *data)
{
	Client *client = data;
	ssize_t n = send(fd, client->out->data, client->out->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		g_byte_array_remove_range(client->out, 0, (guint)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		g_byte_array_set_size(client->out, 0); /* the reading side sees that it is gone */
	if (client->out->len)
		return G_SOURCE_CONTINUE;
	engine_drop_source(&client->writes);
	return G_SOURCE_REMOVE;
}

static void
put(Client *client, GVariant *dict)
{
	wire_put(client->out, dict);
	if (!client->writes)
		client->writes = watch(client, G_IO_OUT, on_writable);
}

static void
ask(Client *client, Call *call)
{
	put(client, wire_job(call->account, call->job));
	call->sent = true;
}

static void
end_cancelled(Client *client, const Call *cancel)
{
	g_autoptr(GError) error =
	    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
	Call *call = find_pending(client, cancel->request);

	if (call && !g_strcmp0(cancel->op, "cancel"))
		finish(client, call, error);
}

static void
remember_home(Client *client, const Call *call)
{
	g_free(client->home_account);
	g_free(client->home);
	client->home_account = g_strdup(call->account);
	client->home = g_strdup(call->job->folder);
	client->home_rows = call->job->rows;
}

void
client_send(Client *client, Call *take_call)
{
	if (!take_call->job) {
		if (client->greeted)
			put(client, wire_simple(take_call->op, take_call->request));
		/* Whether the other one answers or not. */
		end_cancelled(client, take_call);
		call_free(take_call);
		return;
	}
	/* It is not answered, and not worth waiting for. */
	if (take_call->job->kind == JOB_LOOKED) {
		if (client->greeted)
			put(client, wire_job(take_call->account, take_call->job));
		call_free(take_call);
		return;
	}
	if (take_call->job->kind == JOB_OPEN)
		remember_home(client, take_call);
	g_queue_push_tail(&client->pending, take_call);
	if (client->greeted)
		ask(client, take_call);
	else if (!client->look)
		look_later(client, LOOK_MS);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void
take_event(Client *client, GVariant *dict)
{
	g_auto(WireEvent) came = { 0 };
	EngineTotals totals;
	Call *call;

	if (!wire_event_read(dict, &came))
		return;
	if (came.event.type == ENGINE_EVENT_DONE) {
		call = find_pending(client, came.event.request);
		if (!call)
			return;
		g_queue_remove(&client->pending, call);
		call_free(call);
	}
	totals = (EngineTotals){
		.wire_in = came.totals.wire_in - client->base.wire_in,
		.wire_out = came.totals.wire_out - client->base.wire_out,
		.round_trips = came.totals.round_trips - client->base.round_trips,
		.messages = came.totals.messages - client->base.messages,
		.parts = came.totals.parts - client->base.parts,
	};
	engine_set_totals(client->engine, &totals);
	if (came.report)
		engine_set_report(client->engine, g_steal_pointer(&came.report));
	engine_post(client->engine, &came.event);
}

static gboolean on_beat(void *data);

static void
take_hello(Client *client)
{
	if (client->greeted)
		return;
	client->greeted = client->was_served = true;
	client->told = false;
	engine_drop_source(&client->look);
	client->missed = 0;
	client->watch = g_timeout_source_new(BEAT_MS);
	g_source_set_callback(client->watch, on_beat, client, NULL);
	g_source_attach(client->watch, client->engine->owner_context);
	for (GList *at = client->pending.head; at; at = at->next)
		if (!((Call *)at->data)->sent)
			ask(client, at->data);
}

static void
take_frame(Client *client, GVariant *dict)
{
	const char *op = wire_op(dict);
	g_autoptr(GError) error = NULL;
	g_auto(WireEvent) first = { 0 };

	if (!strcmp(op, "hello")) {
		take_hello(client);
	} else if (!strcmp(op, "no")) {
		error =
		    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
					_("another version of Postern is at work on this store: "
					  "end it first"));
		finish_all(client, error);
	} else if (!strcmp(op, "event") && client->greeted) {
		/* The first tells what was counted before we came. */
		if (!client->based && wire_event_read(dict, &first)) {
			client->base = first.totals;
			client->based = true;
		}
		take_event(client, dict);
	}
}

/* What was being written down when the other one ended: nobody knows. */
static void
give_up_changes(Client *client)
{
	g_autoptr(GError) error =
	    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				_("the Postern that has the store ended before it said whether "
				  "this was written down: "
				  "look before you do it again"));

	for (GList *at = client->pending.head, *next; at; at = next) {
		Call *call = at->data;

		next = at->next;
		if (call->sent && job_is_change(call->job))
			finish(client, call, error);
		else
			call->sent = false;
	}
}

static void
lost(Client *client)
{
	hang_up(client);
	give_up_changes(client);
	look_later(client, 0);
}

static gboolean
on_readable(gint fd, GIOCondition condition, void *data)
{
	Client *client = data;
	uint8_t piece[PIECE];
	ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
	GVariant *dict;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0)
		g_byte_array_append(client->in, piece, (guint)n);
	client->missed = 0;
	while (n > 0) {
		if (!wire_take(client->in, &dict))
			n = 0;
		else if (!dict)
			return G_SOURCE_CONTINUE;
		else {
			take_frame(client, dict);
			g_variant_unref(dict);
		}
	}
	lost(client);
	return G_SOURCE_REMOVE;
}

/* It is there and says nothing: nobody can tell for how long. */
static void
does_not_answer(Client *client)
{
	g_autoptr(GError) error =
	    g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
				_("another Postern has the store and does not answer: is it "
				  "suspended? Bring it back "
				  "(fg) or end it; --offline reads what is kept here"));

	hang_up(client);
	give_up_changes(client);
	finish_all(client, error);
	if (!client->told)
		engine_post_notice(client->engine, 0, error->message);
	client->told = true;
	look_later(client, LOOK_LATER_MS);
}

/* Beats are counted, not seconds: we may have been suspended ourselves. */
static gboolean
on_beat(void *data)
{
	Client *client = data;

	if (++client->missed <= BEATS_MISSED)
		return G_SOURCE_CONTINUE;
	does_not_answer(client);
	return G_SOURCE_REMOVE;
}

/* ---- looking for who has the store ------------------------------------------------------------ */

static bool
connect_to(Client *client)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), dir_fd = -1;
	bool connected = fd >= 0 && serve_address(client->engine->data_dir, &address, &dir_fd) &&
			 connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	if (dir_fd >= 0)
		close(dir_fd);
	if (!connected) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	/* One line at a time: what was asked is asked once. */
	engine_drop_source(&client->look);
	client->fd = fd;
	client->based = false;
	client->reads = watch(client, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
	put(client, wire_simple("hello", 0));
	look_later(client, client->told ? LOOK_LATER_MS : PATIENCE_MS);
	return true;
}

/* The store is ours now: ENGINE does itself what it asked for, and the client is no more. */
static void
take_over(Client *client)
{
	Engine *engine = client->engine;
	Call *call;

	engine->client = NULL;
	if (!engine->hold && client->was_served)
		engine_post_notice(engine, 0,
				   _("The other Postern is gone: this one has the line now."));
	engine_begin(engine);
	if (client->home && !engine->hold)
		engine_open(engine, client->home_account, client->home, 0, client->home_rows, true);
	while ((call = g_queue_pop_head(&client->pending)))
		engine_send_call(engine, call);
	client_free(client);
}

static void
lose_patience(Client *client, const GError *why)
{
	if (g_get_monotonic_time() / 1000 - client->since_ms < PATIENCE_MS)
		return;
	finish_all(client, why);
	if (!client->told)
		engine_post_notice(client->engine, 0, why->message);
	client->told = true;
}

static gboolean
on_look(void *data)
{
	Client *client = data;
	g_autoptr(GError) error = NULL;

	engine_drop_source(&client->look);
	if (client->fd >= 0) {
		/* connected for so long, and no hello */
		does_not_answer(client);
		return G_SOURCE_REMOVE;
	}
	if (engine_take_store(client->engine, &error)) {
		take_over(client);
		return G_SOURCE_REMOVE;
	}
	if (postern_error_is(error, POSTERN_ERROR_OFFLINE)) {
		if (connect_to(client))
			return G_SOURCE_REMOVE;
		lose_patience(client, error);
	} else {
		/* It is free, and cannot be used: what was asked ends with the reason. */
		client->since_ms = 0;
		lose_patience(client, error);
	}
	look_later(client, client->told ? LOOK_LATER_MS : LOOK_MS);
	return G_SOURCE_REMOVE;
}

static void
look_later(Client *client, unsigned ms)
{
	engine_drop_source(&client->look);
	client->look = g_timeout_source_new(ms);
	g_source_set_callback(client->look, on_look, client, NULL);
	g_source_attach(client->look, client->engine->owner_context);
}

Client *
client_new(Engine *engine)
{
	Client *client = g_new0(Client, 1);

	client->engine = engine;
	client->fd = -1;
	client->in = g_byte_array_new();
	client->out = g_byte_array_new();
	client->since_ms = g_get_monotonic_time() / 1000;
	g_queue_init(&client->pending);
	if (!connect_to(client))
		look_later(client, LOOK_MS);
	return client;
}

void
client_free(Client *client)
{
	if (!client)
		return;
	engine_drop_source(&client->look);
	hang_up(client);
	g_queue_clear_full(&client->pending, call_free);
	g_byte_array_unref(client->in);
	g_byte_array_unref(client->out);
	g_free(client->home_account);
	g_free(client->home);
	g_free(client);
}
