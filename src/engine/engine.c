/* The engine's thread, and the way across: requests in, events out. */
#include "engine-private.h"
#include "serve-private.h"

#define STOP_MS 700 /* for the lines to say goodbye */

#define LAST_TURNS   100
#define TIDY_MS	     20	 /* between two slices */
#define TIDY_WAIT_MS 500 /* a person waits for something else */

typedef struct Posted {
	EngineEvent event;
	EngineStatus status;
	char *account, *doing, *section, *text;
	GError *error;
} Posted;

/* ---- the engine's loop ------------------------------------------------------------------------------ */

static GSource *
attach(Engine *engine, GSource *source, int priority, GSourceFunc call, void *data)
{
	g_source_set_priority(source, priority);
	g_source_set_callback(source, call, data, NULL);
	g_source_attach(source, engine->context);
	return source;
}

GSource *
engine_timeout(Engine *engine, unsigned ms, GSourceFunc call, void *data)
{
	return attach(engine, g_timeout_source_new(ms), G_PRIORITY_DEFAULT, call, data);
}

GSource *
engine_idle(Engine *engine, GSourceFunc call, void *data)
{
	return attach(engine, g_idle_source_new(), G_PRIORITY_HIGH, call, data);
}

void
engine_drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

/* ---- tidying ------------------------------------------------------------------------------------------ */

static bool
is_idle(const Engine *engine)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (!g_queue_is_empty(&account->jobs) || !g_queue_is_empty(&account->syncs))
			return false;
	}
	return true;
}

/* What is over an account's limit, a slice of it. */
static bool
evict(Engine *engine, bool *more, GError **error)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);
		bool some = false;

		if (account->config->cache_size != UINT64_MAX &&
		    !store_evict(engine->store, account->id, account->config->cache_size, &some,
				 error))
			return false;
		*more |= some;
	}
	return true;
}

static gboolean
on_tidy(void *data)
{
	Engine *engine = data;
	g_autoptr(GError) error = NULL;
	bool over = false, more = false;

	engine_drop_source(&engine->tidy);
	if (!is_idle(engine))
		engine->tidy = engine_timeout(engine, TIDY_WAIT_MS, on_tidy, engine);
	else if (!evict(engine, &over, &error) || !store_tidy(engine->store, &more, &error))
		/* It is for space alone; what needs the store will say what is wrong with it. */
		log_event(engine->log, "engine", "tidy: %s", error->message);
	else if (over || more)
		engine_tidy_later(engine);
	return G_SOURCE_REMOVE;
}

void
engine_tidy_later(Engine *engine)
{
	if (!engine->tidy)
		engine->tidy = engine_timeout(engine, TIDY_MS, on_tidy, engine);
}

void
engine_evict_later(Engine *engine)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (account->config->cache_size != UINT64_MAX)
			engine_tidy_later(engine);
	}
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void
posted_free(void *data)
{
	Posted *posted = data;

	g_clear_error(&posted->error);
	g_free(posted->account);
	g_free(posted->doing);
	g_free(posted->section);
	g_free(posted->text);
	g_free(posted);
}

static Posted *
posted_new(const EngineEvent *event)
{
	Posted *posted = g_new0(Posted, 1);

	posted->event = *event;
	posted->section = g_strdup(event->section);
	posted->text = g_strdup(event->text);
	posted->event.section = posted->section;
	posted->event.text = posted->text;
	if (event->error)
		posted->error = g_error_copy(event->error);
	if (event->status) {
		posted->status = *event->status;
		posted->account = g_strdup(event->status->account);
		posted->doing = g_strdup(event->status->doing);
		posted->status.account = posted->account;
		posted->status.doing = posted->doing;
		if (event->status->error)
			posted->error = g_error_copy(event->status->error);
		posted->status.error = posted->error;
		posted->event.status = &posted->status;
	} else {
		posted->event.error = posted->error;
	}
	return posted;
}

static gboolean
on_deliver(void *data)
{
	Engine *engine = data;
	GQueue events;
	Posted *posted;

	pthread_mutex_lock(&engine->lock);
	events = engine->events;
	g_queue_init(&engine->events);
	engine_drop_source(&engine->delivery);
	pthread_mutex_unlock(&engine->lock);
	while ((posted = g_queue_pop_head(&events))) {
		engine->on_event(engine->data, &posted->event);
		posted_free(posted);
	}
	return G_SOURCE_REMOVE;
}

static bool
replaces(const EngineEvent *newer, const EngineEvent *older)
{
	switch (newer->type) {
	case ENGINE_EVENT_STATUS:
	case ENGINE_EVENT_FOLDERS:
	case ENGINE_EVENT_QUEUE:
	case ENGINE_EVENT_ROWS:
	case ENGINE_EVENT_PROGRESS:
		return newer->type == older->type && newer->account == older->account &&
		       newer->mailbox == older->mailbox && newer->request == older->request;
	default:
		return false;
	}
}

void
engine_post(Engine *engine, const EngineEvent *event)
{
	if (engine->server)
		serve_event(engine->server, event);
	if (event->request & SERVE_REQUEST)
		return;
	pthread_mutex_lock(&engine->lock);
	for (GList *at = engine->events.head, *next; at; at = next) {
		Posted *older = at->data;

		next = at->next;
		if (replaces(event, &older->event)) {
			posted_free(older);
			g_queue_delete_link(&engine->events, at);
		}
	}
	g_queue_push_tail(&engine->events, posted_new(event));
	if (!engine->delivery) {
		engine->delivery = g_idle_source_new();
		g_source_set_priority(engine->delivery, G_PRIORITY_DEFAULT);
		g_source_set_callback(engine->delivery, on_deliver, engine, NULL);
		g_source_attach(engine->delivery, engine->owner_context);
	}
	pthread_mutex_unlock(&engine->lock);
}

void
engine_post_notice(Engine *engine, StoreId account, const char *text)
{
	EngineEvent event = { .type = ENGINE_EVENT_NOTICE, .account = account, .text = text };

	engine_post(engine, &event);
}

void
engine_set_report(Engine *engine, GPtrArray *take_report)
{
	pthread_mutex_lock(&engine->lock);
	g_clear_pointer(&engine->report, g_ptr_array_unref);
	engine->report = take_report;
	pthread_mutex_unlock(&engine->lock);
}

void
engine_add_totals(Engine *engine, const EngineTotals *more)
{
	pthread_mutex_lock(&engine->lock);
	engine->totals.wire_in += more->wire_in;
	engine->totals.wire_out += more->wire_out;
	engine->totals.round_trips += more->round_trips;
	engine->totals.messages += more->messages;
	engine->totals.parts += more->parts;
	pthread_mutex_unlock(&engine->lock);
}

void
engine_set_totals(Engine *engine, const EngineTotals *totals)
{
	pthread_mutex_lock(&engine->lock);
	engine->totals = *totals;
	pthread_mutex_unlock(&engine->lock);
}

/* ---- requests ------------------------------------------------------------------------------------------- */

void
call_free(void *data)
{
	Call *call = data;

	if (call->job)
		job_free(call->job);
	g_free(call->account);
	g_free(call);
}

static Account *
find_account(Engine *engine, const char *name)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (!name || g_str_equal(account->config->name, name))
			return account;
	}
	return NULL;
}

/* Where the message of a PARTS is; fills in its mailbox. */
static Account *
find_message(Engine *engine, Job *job)
{
	g_autoptr(StoreRow) row = NULL;
	g_autoptr(StoreMailbox) box = NULL;

	if (!store_row_by_id(engine->store, job->message, &row, NULL) ||
	    !store_mailbox_get(engine->store, row->mailbox, &box, NULL))
		return NULL;
	job->mailbox = row->mailbox;
	for (guint i = 0; i < engine->accounts->len; i++) {
		Account *account = g_ptr_array_index(engine->accounts, i);

		if (account->id == box->account)
			return account;
	}
	return NULL;
}

/* What is in the store already costs nothing, and needs no line. */
static bool
is_cached(Engine *engine, const Job *job)
{
	for (size_t i = 0; job->sections[i]; i++) {
		bool has = false;

		if (!engine_part_has(engine->store, job->message, job->sections[i], &has, NULL) ||
		    !has)
			return false;
	}
	return true;
}

void
engine_take_up(Engine *engine, const char *name, Job *job)
{
	Account *account;
	EngineEvent done = { .type = ENGINE_EVENT_DONE };
	g_autoptr(GError) error = NULL;

	/* A disk that is full does not keep anybody from reading. */
	if ((job->kind == JOB_LOOKED || job->kind == JOB_PARTS) &&
	    !store_looked(engine->store, job->message, &error)) {
		log_event(engine->log, "engine", "looked: %s", error->message);
		g_clear_error(&error);
	}
	if (job->kind == JOB_LOOKED) {
		job_free(job);
		return;
	}
	if (job->kind == JOB_WISH) {
		wish_take_up(engine, job);
		job_free(job);
		return;
	}
	account = job->kind == JOB_PARTS ? find_message(engine, job) : find_account(engine, name);
	done.request = job->request;
	done.message = job->message;
	if (!account) {
		error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_GONE,
					    job->kind == JOB_PARTS
						? _("this message is not there any more")
						: _("there is no such account"));
		done.error = error;
		engine_post(engine, &done);
		job_free(job);
	} else if (job->kind == JOB_PARTS && is_cached(engine, job)) {
		engine_post(engine, &done);
		job_free(job);
	} else {
		account_add_job(account, job);
	}
}

static gboolean
on_call(void *data)
{
	Engine *engine = data;
	Call *call;

	pthread_mutex_lock(&engine->lock);
	call = g_queue_pop_head(&engine->calls);
	pthread_mutex_unlock(&engine->lock);
	if (call) {
		if (call->job)
			engine_take_up(engine, call->account, g_steal_pointer(&call->job));
		else
			call->verb(engine, call->request);
		call_free(call);
	}
	return G_SOURCE_REMOVE;
}

void
engine_send_call(Engine *engine, Call *call)
{
	GSource *source;

	if (engine->client) {
		client_send(engine->client, call);
		return;
	}
	source = g_idle_source_new();

	pthread_mutex_lock(&engine->lock);
	g_queue_push_tail(&engine->calls, call);
	pthread_mutex_unlock(&engine->lock);
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_call, engine, NULL);
	g_source_attach(source, engine->context);
	g_source_unref(source);
}

EngineRequest
engine_send_job(Engine *engine, const char *account, Job *job)
{
	Call *call = g_new0(Call, 1);
	EngineRequest request = ++engine->last_request;

	job->request = request;
	call->account = g_strdup(account);
	call->job = job;
	engine_send_call(engine, call);
	return request;
}

static void
send_verb(Engine *engine, const char *op, void (*verb)(Engine *, EngineRequest),
	  EngineRequest request)
{
	Call *call = g_new0(Call, 1);

	call->op = op;
	call->verb = verb;
	call->request = request;
	engine_send_call(engine, call);
}

EngineRequest
engine_folders(Engine *engine, const char *account)
{
	return engine_send_job(engine, account, job_new(JOB_FOLDERS));
}

EngineRequest
engine_open(Engine *engine, const char *account, const char *folder, uint32_t offset, uint32_t rows,
	    bool fill)
{
	Job *job = job_new(JOB_OPEN);

	job->folder = g_strdup(folder);
	job->offset = offset;
	job->rows = rows;
	job->fill = fill;
	return engine_send_job(engine, account, job);
}

EngineRequest
engine_sync(Engine *engine, const char *account, const char *folder, EngineBodies bodies)
{
	Job *job = job_new(JOB_SYNC);

	job->folder = g_strdup(folder);
	job->bodies = bodies;
	return engine_send_job(engine, account, job);
}

EngineRequest
engine_accept_loss(Engine *engine, const char *account, const char *folder)
{
	Job *job = job_new(JOB_SYNC);

	job->folder = g_strdup(folder);
	job->accepts = true;
	return engine_send_job(engine, account, job);
}

EngineRequest
engine_message(Engine *engine, const char *account, const char *folder, uint32_t uid)
{
	Job *job = job_new(JOB_MESSAGE);

	job->folder = g_strdup(folder);
	job->uid = uid;
	return engine_send_job(engine, account, job);
}

EngineRequest
engine_parts(Engine *engine, StoreId message, const char *const *sections)
{
	Job *job = job_new(JOB_PARTS);

	job->message = message;
	job->sections = g_strdupv((char **)sections);
	return engine_send_job(engine, NULL, job);
}

void
engine_looked(Engine *engine, StoreId message)
{
	Job *job = job_new(JOB_LOOKED);

	job->message = message;
	engine_send_job(engine, NULL, job);
}

EngineRequest
engine_check(Engine *engine, const char *account)
{
	return engine_send_job(engine, account, job_new(JOB_CHECK));
}

GPtrArray *
engine_check_report(Engine *engine)
{
	GPtrArray *report;

	pthread_mutex_lock(&engine->lock);
	report = engine->report ? g_ptr_array_ref(engine->report) : NULL;
	pthread_mutex_unlock(&engine->lock);
	return report;
}

static void
do_cancel(Engine *engine, EngineRequest request)
{
	for (guint i = 0; i < engine->accounts->len; i++)
		account_cancel(g_ptr_array_index(engine->accounts, i), request);
}

static void
do_reconnect(Engine *engine, EngineRequest request)
{
	for (guint i = 0; i < engine->accounts->len; i++)
		account_reconnect(g_ptr_array_index(engine->accounts, i));
}

void
engine_cancel_now(Engine *engine, EngineRequest request)
{
	do_cancel(engine, request);
}

void
engine_reconnect_now(Engine *engine)
{
	do_reconnect(engine, 0);
}

void
engine_cancel(Engine *engine, EngineRequest request)
{
	send_verb(engine, "cancel", do_cancel, request);
}

void
engine_reconnect(Engine *engine)
{
	send_verb(engine, "reconnect", do_reconnect, 0);
}

void
engine_totals(Engine *engine, EngineTotals *out)
{
	pthread_mutex_lock(&engine->lock);
	*out = engine->totals;
	pthread_mutex_unlock(&engine->lock);
}

/* ---- start and stop -------------------------------------------------------------------------------------- */

static gboolean
on_stop_late(void *data)
{
	Engine *engine = data;

	g_main_loop_quit(engine->loop);
	return G_SOURCE_REMOVE;
}

static void
do_stop(Engine *engine, EngineRequest request)
{
	engine->stopping = engine_timeout(engine, STOP_MS, on_stop_late, engine);
	for (guint i = 0; i < engine->accounts->len; i++)
		account_logout(g_ptr_array_index(engine->accounts, i));
	engine_quit_if_done(engine);
}

void
engine_quit_if_done(Engine *engine)
{
	for (guint i = 0; i < engine->accounts->len; i++) {
		if (account_has_to_part(g_ptr_array_index(engine->accounts, i)))
			return;
	}
	g_main_loop_quit(engine->loop);
}

static void *
run(void *data)
{
	Engine *engine = data;

	g_main_context_push_thread_default(engine->context);
	engine->server = serve_start(engine);
	if (!engine->hold)
		for (guint i = 0; i < engine->accounts->len; i++)
			account_connect(g_ptr_array_index(engine->accounts, i));
	/* What the last run left. */
	engine->tidy = engine_timeout(engine, TIDY_WAIT_MS, on_tidy, engine);
	g_main_loop_run(engine->loop);
	g_clear_pointer(&engine->server, serve_stop);
	/* Here, because what they hold belongs to this thread. */
	g_ptr_array_set_size(engine->accounts, 0);
	engine_drop_source(&engine->stopping);
	engine_drop_source(&engine->tidy);
	/* What GIO was asked to give up says so on the loop before it lets go of its memory. */
	for (int turn = 0; turn < LAST_TURNS && g_main_context_iteration(engine->context, FALSE);
	     turn++)
		;
	g_main_context_pop_thread_default(engine->context);
	return NULL;
}

static bool
make_accounts(Engine *engine, const char *only, GError **error)
{
	for (guint i = 0; i < engine->config->accounts->len; i++) {
		const ConfigAccount *config = g_ptr_array_index(engine->config->accounts, i);
		Account *account;

		if (only && !g_str_equal(only, config->name))
			continue;
		account = account_new(engine, config, error);
		if (!account)
			return false;
		g_ptr_array_add(engine->accounts, account);
	}
	return true;
}

static void
engine_free(Engine *engine)
{
	Posted *posted;

	g_ptr_array_unref(engine->accounts);
	store_close(engine->store);
	engine_drop_source(&engine->delivery);
	while ((posted = g_queue_pop_head(&engine->events)))
		posted_free(posted);
	g_queue_clear_full(&engine->calls, call_free);
	g_clear_pointer(&engine->report, g_ptr_array_unref);
	g_main_loop_unref(engine->loop);
	g_main_context_unref(engine->context);
	g_main_context_unref(engine->owner_context);
	pthread_mutex_destroy(&engine->lock);
	log_unref(engine->log);
	g_free(engine->data_dir);
	g_free(engine->only);
	g_free(engine);
}

bool
engine_take_store(Engine *engine, GError **error)
{
	g_autofree char *notice = NULL;

	engine->store = store_open(engine->data_dir, STORE_WRITER, engine->log, &notice, error);
	if (!engine->store)
		return false;
	if (!make_accounts(engine, engine->only, error)) {
		g_ptr_array_set_size(engine->accounts, 0);
		g_clear_pointer(&engine->store, store_close);
		return false;
	}
	if (notice)
		engine_post_notice(engine, 0, notice);
	return true;
}

void
engine_begin(Engine *engine)
{
	/* The handle was made here and is used there from now on: nothing touches it in between. */
	engine->thread = g_thread_new("engine", run, engine);
}

Engine *
engine_start(const EngineOptions *options, GError **error)
{
	Engine *engine = g_new0(Engine, 1);
	g_autoptr(GError) problem = NULL;

	engine->config = options->config;
	engine->data_dir = g_strdup(options->data_dir);
	engine->offline = options->offline;
	engine->hold = options->hold;
	engine->log = log_ref(options->log);
	engine->on_event = options->on_event;
	engine->data = options->data;
	engine->context = g_main_context_new();
	engine->owner_context = g_main_context_ref_thread_default();
	engine->loop = g_main_loop_new(engine->context, FALSE);
	engine->accounts = g_ptr_array_new_with_free_func((GDestroyNotify)account_free);
	pthread_mutex_init(&engine->lock, NULL);
	g_queue_init(&engine->events);
	g_queue_init(&engine->calls);
	engine->only = g_strdup(options->account);
	if (engine_take_store(engine, &problem)) {
		engine_begin(engine);
	} else if (postern_error_is(problem, POSTERN_ERROR_OFFLINE)) {
		engine->client = client_new(engine);
	} else {
		g_propagate_error(error, g_steal_pointer(&problem));
		engine_free(engine);
		return NULL;
	}
	return engine;
}

void
engine_stop(Engine *engine)
{
	if (!engine)
		return;
	if (!engine->thread) {
		g_clear_pointer(&engine->client, client_free);
		engine_free(engine);
		return;
	}
	send_verb(engine, NULL, do_stop, 0);
	g_thread_join(engine->thread);
	engine_free(engine);
}
