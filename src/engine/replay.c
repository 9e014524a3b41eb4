/* The journal's way to the server: which rows are next, who waits for them, and how a group of them
 * goes from step to step.  What is sent is in replay-send.c, replay-append.c and replay-folder.c.
 *
 * Rows go in the order they were made, one group at a time; a group is one row, or several of one kind
 * that follow each other and leave as one.  One that must wait (for an earlier row of its messages, for
 * its folder, for a server that is busy) lets later ones pass that have nothing to do with it. */
#include "replay-private.h"

#define GROUP_ROWS     500
#define GROUP_MESSAGES 100000
#define SENT_MAX       6   /* times that a line may break over a row */
#define REST_MS	       100 /* before a line that does not suit is looked at again */
#define SETTLE_MS      250 /* for a server to be through with what it got before the line broke */

typedef struct Waiter {
	EngineRequest request;
	EngineEvent done; /* what it will say */
	char *text;
	GArray *rows; /* of StoreId */
} Waiter;

/* ---- which rows are next ----------------------------------------------------------------------------- */

static bool
is_of_folder(const StoreJournalRow *row)
{
	return row->kind >= STORE_INTENT_CREATE;
}

static bool
holds(const GArray *ids, StoreId id)
{
	for (guint i = 0; id && i < ids->len; i++)
		if (g_array_index(ids, StoreId, i) == id)
			return true;
	return false;
}

static void
put_id(GArray *ids, StoreId id)
{
	if (id && !holds(ids, id))
		g_array_append_val(ids, id);
}

typedef struct Scan {
	GArray *busy;	 /* mailboxes that a row which waits has to do with */
	GArray *blocked; /* those of them whose folder row waits */
	GArray *missing; /* those that could not be made */
	GArray *full;	 /* those that something could not be taken out of */
	GArray *unsure;	 /* those where something that was SENT is to be looked for first */
	GPtrArray *held; /* names that folder rows which wait have to do with */
} Scan;

/* Where the first of its messages is, as far as is known. */
static StoreId
first_place(Store *store, const StoreJournalRow *row)
{
	g_autoptr(GArray) targets = NULL;
	StoreId mailbox = 0;

	if (store_journal_targets(store, row->id, 0, 1, &targets, NULL) && targets->len)
		mailbox = g_array_index(targets, StoreTarget, 0).mailbox;
	return mailbox ? mailbox : row->mailbox;
}

/* Will something have to be looked for in the destination? */
static bool
may_look_there(const Line *line, const StoreJournalRow *row)
{
	return row->dest && (row->state == STORE_ROW_SENT || !line_has(line, "UIDPLUS"));
}

/* May ROW leave on LINE?  What is open on the interactive line leaves there, by UID and without a SELECT;
 * the rest on one that may select what it likes. */
static bool
fits(Replay *replay, Line *line, const StoreJournalRow *row)
{
	Store *store = replay->account->engine->store;
	bool roams = line_may_roam(line) || line->role == LINE_BACKGROUND;
	g_autoptr(StoreMailbox) box = NULL;
	g_autoptr(GBytes) raw = NULL;
	const Line *owner;

	if (line->role == LINE_INTERACTIVE && roams)
		return true;
	if (row->kind == STORE_INTENT_CREATE || row->kind == STORE_INTENT_SUBSCRIBE ||
	    row->kind == STORE_INTENT_UNSUBSCRIBE)
		return true;
	if (row->kind == STORE_INTENT_APPEND)
		return roams || !may_look_there(line, row);
	if (is_of_folder(row) || may_look_there(line, row) ||
	    g_hash_table_contains(replay->roam, &row->id) ||
	    !store_mailbox_get(store, first_place(store, row), &box, NULL))
		return roams;
	raw = g_bytes_new(box->raw, box->raw_size);
	owner = account_owner(replay->account, raw);
	return owner && owner->role == LINE_INTERACTIVE ? owner == line : roams;
}

/* A row that is passed over: what it has to do with stays as it is.  So do names on the server: CREATE makes
 * parents, RENAME and DELETE mean what is below as well, and a name is free once the folder that had it is
 * gone. */
static void
pass_over(Replay *replay, Scan *scan, const StoreJournalRow *row)
{
	if (is_of_folder(row)) {
		put_id(scan->blocked, row->mailbox);
		folder_names_of_row(replay->account, row, scan->held);
	}
	put_id(scan->busy, row->mailbox);
	put_id(scan->busy, row->dest);
	if (row->state == STORE_ROW_SENT)
		put_id(scan->unsure, row->dest);
}

static bool
must_wait(Replay *replay, const Scan *scan, const StoreJournalRow *row)
{
	const Delay *delay = g_hash_table_lookup(replay->delays, &row->id);
	bool depends = false;

	if (delay && delay->until_ms > g_get_monotonic_time() / 1000)
		return true;
	if (holds(scan->blocked, row->mailbox) || holds(scan->blocked, row->dest))
		return true;
	if (is_of_folder(row) && holds(scan->busy, row->mailbox))
		return true;
	/* What this one puts there would be taken for what that one did. */
	if (holds(scan->unsure, row->dest))
		return true;
	if (is_of_folder(row) && scan->held->len) {
		g_autoptr(GPtrArray) names = folder_names_new();

		folder_names_of_row(replay->account, row, names);
		if (folder_names_meet(scan->held, names))
			return true;
	}
	return store_journal_depends(replay->account->engine->store, row->id, &depends, NULL) &&
	       depends;
}

static bool
may_join(Replay *replay, const StoreJournalRow *first, const StoreJournalRow *row)
{
	bool again = first->kind == STORE_INTENT_FLAG ||
		     first->kind == STORE_INTENT_EXPUNGE; /* done twice is done once: SENT or not */

	if (first->kind >= STORE_INTENT_APPEND || row->kind != first->kind ||
	    g_hash_table_contains(replay->alone, &first->id) ||
	    g_hash_table_contains(replay->alone, &row->id))
		return false;
	if (!again && (first->state == STORE_ROW_SENT || row->state == STORE_ROW_SENT))
		return false;
	return row->mailbox == first->mailbox && row->dest == first->dest &&
	       row->flag == first->flag && row->set == first->set &&
	       !g_strcmp0(row->keyword, first->keyword);
}

/* A row that ends without being sent.  False: the store failed. */
static bool
fail_row(Replay *replay, const StoreJournalRow *row, int code, const char *words)
{
	g_autoptr(GError) error = NULL;

	if (store_journal_fail(replay->account->engine->store, row->id, code, words, &error))
		return true;
	account_store_failed(replay->account, error);
	return false;
}

/* What can be said of ROW without asking the server.  True: it ended. */
static bool
fails_at_once(Replay *replay, const Scan *scan, const StoreJournalRow *row)
{
	bool here = row->kind != STORE_INTENT_DELETE && is_of_folder(row);

	if (holds(scan->missing, row->dest) || (here && holds(scan->missing, row->mailbox)))
		return fail_row(replay, row, POSTERN_ERROR_GONE,
				_("the folder could not be made on the server"));
	if (row->state == STORE_ROW_SENT && row->tries >= SENT_MAX)
		return fail_row(replay, row, POSTERN_ERROR_OFFLINE,
				_("the line broke each time this was sent: cannot tell whether it "
				  "was done"));
	if (row->kind == STORE_INTENT_DELETE && holds(scan->full, row->mailbox))
		return fail_row(replay, row, POSTERN_ERROR_REFUSED,
				_("there are still messages in the folder that were to be taken "
				  "out of it before"));
	return false;
}

/* What a row that failed means for those behind it. */
static void
note_failed(Replay *replay, Scan *scan, const StoreJournalRow *row)
{
	if (row->kind == STORE_INTENT_CREATE)
		put_id(scan->missing, row->mailbox);
	if (row->kind != STORE_INTENT_MOVE && row->kind != STORE_INTENT_COPY)
		return;
	put_id(scan->full, row->mailbox);
	put_id(scan->full, first_place(replay->account->engine->store, row));
}

/* The rows that leave next on LINE, taken out of ROWS; NULL: none can. */
static GPtrArray *
choose(Replay *replay, Line *line, GPtrArray *rows)
{
	g_autoptr(GPtrArray) chosen =
	    g_ptr_array_new_with_free_func((GDestroyNotify)store_journal_row_free);
	g_autoptr(GArray) busy = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GArray) blocked = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GArray) full = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GArray) unsure = g_array_new(FALSE, FALSE, sizeof(StoreId));
	g_autoptr(GPtrArray) held = folder_names_new();
	Scan scan = { busy, blocked, missing, full, unsure, held };
	uint64_t messages = 0;

	for (guint i = 0; i < rows->len && chosen->len < GROUP_ROWS; i++) {
		StoreJournalRow *row = g_ptr_array_index(rows, i);
		bool joins = chosen->len && may_join(replay, chosen->pdata[0], row);

		if (row->state == STORE_ROW_FAILED) {
			note_failed(replay, &scan, row);
			continue;
		}
		if (chosen->len && (!joins || messages + row->n > GROUP_MESSAGES))
			break;
		if (!chosen->len && fails_at_once(replay, &scan, row)) {
			note_failed(replay, &scan, row);
			continue;
		}
		if (must_wait(replay, &scan, row)) {
			if (chosen->len)
				break;
			pass_over(replay, &scan, row);
			continue;
		}
		if (!chosen->len && !fits(replay, line, row)) {
			replay->rest_ms[line->role] = g_get_monotonic_time() / 1000 + REST_MS;
			replay->wants_roam |= !line_may_roam(line);
			pass_over(replay, &scan, row);
			continue;
		}
		messages += row->n;
		g_ptr_array_add(chosen, row);
		rows->pdata[i] = NULL;
	}
	return chosen->len ? g_steal_pointer(&chosen) : NULL;
}

static void
look_anew(Replay *replay)
{
	engine_drop_source(&replay->timer);
	replay->nothing = false;
	memset(replay->rest_ms, 0, sizeof replay->rest_ms);
}

static gboolean
on_timer(void *data)
{
	Replay *replay = data;

	look_anew(replay);
	account_pump_later(replay->account);
	return G_SOURCE_REMOVE;
}

/* Looks again when the first of the delays is over. */
static void
plan_timer(Replay *replay)
{
	int64_t now = g_get_monotonic_time() / 1000, first = INT64_MAX;
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, replay->delays);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((Delay *)value)->until_ms > now)
			first = MIN(first, ((Delay *)value)->until_ms);
	for (unsigned i = 0; i < LINE_ROLES; i++)
		if (replay->rest_ms[i] > now)
			first = MIN(first, replay->rest_ms[i]);
	engine_drop_source(&replay->timer);
	if (first != INT64_MAX)
		replay->timer = engine_timeout(replay->account->engine,
					       (unsigned)MAX(first - now, 1), on_timer, replay);
}

/* ---- who waits ------------------------------------------------------------------------------------------ */

static void
waiter_free(void *data)
{
	Waiter *waiter = data;

	g_array_unref(waiter->rows);
	g_free(waiter->text);
	g_free(waiter);
}

static void
finish_waiter(Replay *replay, Waiter *waiter, const GError *error)
{
	EngineEvent done = waiter->done;

	done.type = ENGINE_EVENT_DONE;
	done.request = waiter->request;
	done.text = waiter->text;
	done.error = error;
	engine_post(replay->account->engine, &done);
	g_ptr_array_remove(replay->waiters, waiter);
}

/* True when all of WAITER's rows came to an end; *ERROR: of the first that failed. */
static bool
is_over(Replay *replay, const Waiter *waiter, GError **error)
{
	for (guint i = 0; i < waiter->rows->len; i++) {
		g_autoptr(StoreJournalRow) row = NULL;

		/* Gone: merged away, dropped or taken back. */
		if (!store_journal_row(replay->account->engine->store,
				       g_array_index(waiter->rows, StoreId, i), &row, NULL))
			continue;
		if (row->state == STORE_ROW_WAITING || row->state == STORE_ROW_SENT) {
			g_clear_error(error);
			return false;
		}
		if (row->state == STORE_ROW_FAILED && !*error)
			*error = g_error_new_literal(POSTERN_ERROR, row->code,
						     row->error ? row->error : _("it failed"));
	}
	return true;
}

static void
look_at_waiters(Replay *replay)
{
	for (guint i = replay->waiters->len; i-- > 0;) {
		Waiter *waiter = g_ptr_array_index(replay->waiters, i);
		g_autoptr(GError) error = NULL;

		if (is_over(replay, waiter, &error))
			finish_waiter(replay, waiter, error);
	}
}

void
replay_wait(Account *account, EngineRequest request, const EngineEvent *done, GArray *rows)
{
	Replay *replay = account->replay;
	Waiter *waiter = g_new0(Waiter, 1);
	Line *line = account_line(account);
	g_autoptr(GError) error = NULL;

	waiter->request = request;
	waiter->done = *done;
	waiter->text = g_strdup(done->text);
	waiter->rows = g_array_ref(rows);
	g_ptr_array_add(replay->waiters, waiter);
	if (is_over(replay, waiter, &error)) {
		finish_waiter(replay, waiter, error);
		return;
	}
	if (account->engine->offline || account->engine->stopping) {
		error = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
					    _("queued: it is sent when there is a line"));
		finish_waiter(replay, waiter, error);
		return;
	}
	if (!line->connection && line->refused) {
		replay_give_up(account, line->error);
		return;
	}
	/* A person asks: worth a try now. */
	if (!line->connection)
		account_connect(account);
	account_pump_later(account);
}

bool
replay_cancel(Account *account, EngineRequest request)
{
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < account->replay->waiters->len; i++) {
		Waiter *waiter = g_ptr_array_index(account->replay->waiters, i);

		if (waiter->request != request)
			continue;
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("cancelled"));
		finish_waiter(account->replay, waiter, error);
		return true;
	}
	return false;
}

void
replay_give_up(Account *account, const GError *why)
{
	Replay *replay = account->replay;
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE, _("queued: %s"),
			why ? why->message : _("it is sent when there is a line"));

	look_at_waiters(replay);
	while (replay->waiters->len)
		finish_waiter(replay, g_ptr_array_index(replay->waiters, 0), error);
}

/* ---- its turns ---------------------------------------------------------------------------------------------- */

static void
post(Account *account, EngineEventType type, StoreId mailbox)
{
	EngineEvent event = { .type = type, .account = account->id, .mailbox = mailbox };

	engine_post(account->engine, &event);
}

static void
tell(Account *account, StoreId mailbox, StoreId dest)
{
	if (mailbox)
		post(account, ENGINE_EVENT_ROWS, mailbox);
	if (dest && dest != mailbox)
		post(account, ENGINE_EVENT_ROWS, dest);
	post(account, ENGINE_EVENT_FOLDERS, 0);
	post(account, ENGINE_EVENT_QUEUE, 0);
}

void
replay_changed(Account *account, StoreId mailbox, StoreId dest)
{
	Replay *replay = account->replay;

	tell(account, mailbox, dest);
	g_hash_table_remove_all(replay->delays);
	look_anew(replay);
	look_at_waiters(replay);
	account_pump_later(account);
}

static void
end_group(Replay *replay)
{
	Group *group = g_steal_pointer(&replay->group);
	Account *account = replay->account;

	tell(account, group->row->mailbox, group->row->dest);
	if (group->mailbox != group->row->mailbox)
		post(account, ENGINE_EVENT_ROWS, group->mailbox);
	line_status(group->line, NULL, 0, 0);
	if (is_of_folder(group->row))
		folders_settled(account);
	look_anew(replay);
	account_pump_later(account);
	if (group->pending)
		group->dead = true;
	else
		group_free(group);
	look_at_waiters(replay);
}

static void
tell_doing(Line *line)
{
	uint32_t waiting = 0;
	g_autofree char *doing = NULL;

	if (!store_journal_counts(line->account->engine->store, line->account->id, &waiting, NULL,
				  NULL))
		return;
	waiting = MAX(waiting, 1);
	doing = g_strdup_printf(P_("sending %u change", "sending %u changes", waiting), waiting);
	line_status(line, doing, 0, 0);
}

static bool
begin(Replay *replay, Line *line)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *chosen;

	if (!store_journal(replay->account->engine->store, replay->account->id, &rows, &error)) {
		replay->nothing = true;
		account_store_failed(replay->account, error);
		return false;
	}
	replay->wants_roam = false;
	chosen = choose(replay, line, rows);
	if (!chosen) {
		replay->nothing = !replay->rest_ms[line->role];
		plan_timer(replay);
		look_at_waiters(replay);
		return false;
	}
	tell_doing(line);
	replay->group = group_new(line, chosen);
	return true;
}

static bool
step(Line *line)
{
	Replay *replay = line->account->replay;
	Group *group = replay->group;

	if (!group &&
	    (replay->nothing || line->account->engine->stopping || line_is_ending(line) ||
	     replay->rest_ms[line->role] > g_get_monotonic_time() / 1000 || !begin(replay, line)))
		return false;
	group = replay->group;
	if (group->line != line)
		return false;
	while (!group->pending) {
		Step next = group->step(group);

		if (next == STEP_WAIT)
			break;
		if (next == STEP_OVER) {
			end_group(replay);
			break;
		}
	}
	return true;
}

static bool
waits(Account *account)
{
	const Replay *replay = account->replay;

	return replay->wants_roam ||
	       (replay->group && replay->group->line->role == LINE_BACKGROUND);
}

const LineTurn replay_turn = { step, waits };

bool
replay_on_response(Line *line, const ImapResponse *response, ImapTicket ticket)
{
	Group *group = line->account->replay->group;

	if (!group || group->line != line)
		return false;
	folder_on_response(group, response);
	return find_on_response(group, response, ticket) || send_on_response(group, response);
}

bool
replay_is_leaving(const Line *line, GBytes *raw)
{
	const Replay *replay = line->account->replay;
	const Group *group = replay ? replay->group : NULL;

	return group && group->leaving && group->line != line && folder_takes(group, raw);
}

void
replay_wake(const Line *line)
{
	const Replay *replay = line->account->replay;
	const Group *group = replay ? replay->group : NULL;

	if (group && group->leaving && !group->pending && group->line != line)
		line_pump_later(group->line);
}

void
replay_forget_line(Line *line)
{
	Replay *replay = line->account->replay;
	Group *group = replay ? replay->group : NULL;

	if (replay)
		look_anew(replay);
	if (!group || group->line != line)
		return;
	if (group->marked)
		group_put_off(group, SETTLE_MS);
	replay->group = NULL;
	group->dead = true;
	if (!group->pending)
		group_free(group);
}

Replay *
replay_new(Account *account)
{
	Replay *replay = g_new0(Replay, 1);

	replay->account = account;
	replay->waiters = g_ptr_array_new_with_free_func(waiter_free);
	replay->delays = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	replay->roam = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	replay->alone = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return replay;
}

void
replay_free(Replay *replay)
{
	if (!replay)
		return;
	g_assert(!replay->group);
	engine_drop_source(&replay->timer);
	g_ptr_array_unref(replay->waiters);
	g_hash_table_unref(replay->delays);
	g_hash_table_unref(replay->alone);
	g_hash_table_unref(replay->roam);
	g_free(replay);
}
