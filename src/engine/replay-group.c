/* A group of journal rows: what is sent for it and answered, what the store is told of it, and what must
 * be selected for it. */
#include "replay-private.h"

#include "base/safetext.h"

#define TARGETS_PAGE  10000
#define SET_MAX_BYTES 7000 /* servers bound their command lines (RFC 7162, 4: 8192) */
#define PASSING_TRIES 4	   /* times that a busy server is asked */
#define TRIES_MAX     2
#define PASSING_MS    1000 /* the first wait; then twice that */

Group *
group_new(Line *line, GPtrArray *take_rows)
{
	Group *group = g_new0(Group, 1);

	group->account = line->account;
	group->line = line;
	group->rows = take_rows;
	group->row = g_ptr_array_index(take_rows, 0);
	group->kind = group->row->kind;
	group->verify = group->row->state == STORE_ROW_SENT;
	group->targets = g_array_new(FALSE, FALSE, sizeof(Target));
	group->tried = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	group->met = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	group->searches = g_hash_table_new(NULL, NULL);
	group->given = g_hash_table_new(NULL, NULL);
	group->hits = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	switch (group->kind) {
	case STORE_INTENT_FLAG:
	case STORE_INTENT_MOVE:
	case STORE_INTENT_COPY:
	case STORE_INTENT_EXPUNGE:
		group->step = send_plan;
		break;
	case STORE_INTENT_APPEND:
		group->step = append_plan;
		break;
	case STORE_INTENT_CREATE:
	case STORE_INTENT_RENAME:
	case STORE_INTENT_DELETE:
	case STORE_INTENT_SUBSCRIBE:
	case STORE_INTENT_UNSUBSCRIBE:
		group->step = folder_plan;
		break;
	}
	return group;
}

void
group_free(Group *group)
{
	find_clear(group);
	g_ptr_array_unref(group->rows);
	g_array_unref(group->targets);
	g_hash_table_unref(group->tried);
	g_hash_table_unref(group->met);
	g_hash_table_unref(group->searches);
	g_hash_table_unref(group->given);
	g_array_unref(group->hits);
	g_clear_pointer(&group->raw, g_bytes_unref);
	g_clear_pointer(&group->other, g_bytes_unref);
	g_clear_error(&group->refused);
	g_clear_error(&group->answer);
	store_mailbox_free(group->dest);
	g_free(group);
}

typedef struct Flight {
	Group *group;
	AnswerFunc done;
} Flight;

static void
on_flight(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	g_autofree Flight *flight = data;
	Group *group = flight->group;

	group->pending--;
	g_hash_table_remove(group->searches, GUINT_TO_POINTER(ticket));
	/* What was done of it is found out on the next line. */
	if (outcome == IMAP_OUTCOME_CLOSED || group->dead) {
		if (group->dead && !group->pending)
			group_free(group);
		return;
	}
	flight->done(group, outcome, response);
	if (!group->pending)
		line_pump_later(group->line);
}

bool
group_send(Group *group, ImapCommand *command, AnswerFunc done, ImapTicket *ticket)
{
	Flight *flight = g_new0(Flight, 1);
	ImapTicket sent;

	flight->group = group;
	flight->done = done;
	sent =
	    connection_send(group->line->connection, command, IMAP_SEND_NORMAL, on_flight, flight);
	if (ticket)
		*ticket = sent;
	if (sent) {
		group->pending++;
		return true;
	}
	g_free(flight);
	if (line_is_ending(group->line))
		group_refuse(group, NULL);
	else if (!group->refused)
		group->refused = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_REFUSED,
						     _("this cannot be said to a mail server"));
	return false;
}

/* What the person wanted, for "cannot ...". */
static char *
describe(const Group *group)
{
	Store *store = group->account->engine->store;
	g_autoptr(StoreMailbox) box = NULL, dest = NULL;
	g_autofree char *from = NULL, *to = NULL;

	if (group->row->mailbox)
		store_mailbox_get(store, group->row->mailbox, &box, NULL);
	if (group->row->dest)
		store_mailbox_get(store, group->row->dest, &dest, NULL);
	from = safe_line(box ? box->name : "");
	to = safe_line(dest ? dest->name : group->row->name ? group->row->name : "");
	switch (group->kind) {
	case STORE_INTENT_FLAG:
		return g_strdup_printf(_("change flags in \"%s\""), from);
	case STORE_INTENT_MOVE:
		return g_strdup_printf(_("move messages to \"%s\""), to);
	case STORE_INTENT_COPY:
		return g_strdup_printf(_("copy messages to \"%s\""), to);
	case STORE_INTENT_EXPUNGE:
		return g_strdup_printf(_("delete messages of \"%s\""), from);
	case STORE_INTENT_APPEND:
		return g_strdup_printf(_("put a message into \"%s\""), to);
	case STORE_INTENT_CREATE:
		return g_strdup_printf(_("make the folder \"%s\""), to);
	case STORE_INTENT_RENAME:
		return g_strdup_printf(_("rename a folder to \"%s\""), to);
	case STORE_INTENT_DELETE:
		return g_strdup_printf(_("delete the folder \"%s\""), *from ? from : to);
	case STORE_INTENT_SUBSCRIBE:
		return g_strdup_printf(_("subscribe to \"%s\""), from);
	case STORE_INTENT_UNSUBSCRIBE:
		return g_strdup_printf(_("unsubscribe from \"%s\""), from);
	}
	return g_strdup("");
}

void
group_refuse(Group *group, const ImapResponse *response)
{
	g_autofree char *what = NULL;

	if (group->refused)
		return;
	what = describe(group);
	if (!response) {
		/* Not carried out: what was selected is not any more. */
		group->passing = true;
		group->refused =
		    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE, _("cannot %s now"), what);
		return;
	}
	group->passing = account_is_passing(response);
	group->refused = account_refusal(response,
					 response->code == IMAP_CODE_NONEXISTENT ||
						 response->code == IMAP_CODE_TRYCREATE
					     ? POSTERN_ERROR_GONE
					     : POSTERN_ERROR_REFUSED,
					 what);
}

void
group_on_answer(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
	if (outcome != IMAP_OUTCOME_OK)
		group_refuse(group, response);
}

Step
group_store_failed(Group *group, const GError *error)
{
	account_store_failed(group->account, error);
	return STEP_OVER;
}

/* ---- what the store is told -------------------------------------------------------------------- */

bool
group_is_open(Group *group, StoreId id)
{
	g_autoptr(StoreJournalRow) row = NULL;

	return store_journal_row(group->account->engine->store, id, &row, NULL) &&
	       (row->state == STORE_ROW_WAITING || row->state == STORE_ROW_SENT);
}

static Delay *
delay_of(Replay *replay, StoreId row)
{
	Delay *delay = g_hash_table_lookup(replay->delays, &row);

	if (!delay) {
		delay = g_new0(Delay, 1);
		g_hash_table_insert(replay->delays, g_memdup2(&row, sizeof row), delay);
	}
	return delay;
}

void
group_put_off(Group *group, unsigned ms)
{
	for (guint i = 0; i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);

		delay_of(group->account->replay, row->id)->until_ms =
		    g_get_monotonic_time() / 1000 + ms;
	}
}

static bool
give_up_row(Group *group, const StoreJournalRow *row, GError **error)
{
	Replay *replay = group->account->replay;
	Store *store = group->account->engine->store;
	bool company = group->rows->len > 1 && !group->passing;
	Delay *delay;

	if (!group_is_open(group, row->id))
		return true;
	delay = group->passing ? delay_of(replay, row->id) : NULL;
	if (company)
		g_hash_table_add(replay->alone, g_memdup2(&row->id, sizeof row->id));
	if (company || (delay && ++delay->times < PASSING_TRIES)) {
		if (delay)
			delay->until_ms =
			    g_get_monotonic_time() / 1000 + (PASSING_MS << (delay->times - 1));
		/* One whose fate is not known stays SENT. */
		return !group->marked || group->find_failed || row->state == STORE_ROW_SENT ||
		       store_journal_unsent(store, row->id, error);
	}
	g_hash_table_remove(replay->delays, &row->id);
	return store_journal_fail(store, row->id, group->refused->code, group->refused->message,
				  error);
}

Step
group_give_up(Group *group)
{
	g_autoptr(GError) error = NULL;

	/* Nothing was refused: what was SENT is looked into, and what was not goes, on the next line. */
	if (line_is_ending(group->line))
		return STEP_OVER;
	if (!group->refused)
		group_refuse(group, NULL);
	for (guint i = 0; i < group->rows->len; i++)
		if (!give_up_row(group, g_ptr_array_index(group->rows, i), &error))
			return group_store_failed(group, error);
	return STEP_OVER;
}

Step
group_fail(Group *group, PosternError code, const char *words)
{
	if (!group->refused)
		group->refused = g_error_new_literal(POSTERN_ERROR, (int)code, words);
	return group_give_up(group);
}

/* A row that WAITS may be merged with a new intent until it is SENT. */
static bool
is_unchanged(Group *group, const StoreJournalRow *row, bool *open)
{
	g_autoptr(StoreJournalRow) now = NULL;

	*open = store_journal_row(group->account->engine->store, row->id, &now, NULL) &&
		(now->state == STORE_ROW_WAITING || now->state == STORE_ROW_SENT);
	return !*open ||
	       (now->kind == row->kind && now->mailbox == row->mailbox && now->dest == row->dest &&
		now->set == row->set && now->flag == row->flag &&
		!g_strcmp0(now->keyword, row->keyword) && !g_strcmp0(now->name, row->name));
}

bool
group_mark_sent(Group *group)
{
	Store *store = group->account->engine->store;
	g_autoptr(GError) error = NULL;
	bool fine, open;

	if (group->marked)
		return true;
	for (guint i = 0; i < group->rows->len; i++)
		if (!is_unchanged(group, group->rows->pdata[i], &open))
			return false;
	fine = store_begin_durable(store, &error);
	for (guint i = 0; fine && i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);

		if (!is_unchanged(group, row, &open) || !open)
			continue;
		/* What was moved before the folder was numbered anew is still to be looked for. */
		fine = group->verify && group->dest_renumbered
			   ? store_journal_sent(store, row->id, row->dest_uidvalidity,
						row->dest_uidnext, &error)
			   : store_journal_sent(store, row->id, group->dest_uidvalidity,
						group->dest_uidnext, &error);
	}
	if (fine)
		fine = store_commit(store, &error);
	else
		store_rollback(store);
	if (!fine) {
		group_store_failed(group, error);
		return false;
	}
	group->marked = true;
	return true;
}

/* On another line the same mailbox may be kept true by numbers, and has not heard yet what went. */
static void
warn_owner(Group *group)
{
	for (guint i = 0; i < group->account->lines->len; i++) {
		Line *line = g_ptr_array_index(group->account->lines, i);

		StoreId mailbox = line->mirror ? mirror_mailbox(line->mirror) : 0;

		if (line != group->line && mailbox &&
		    (mailbox == group->mailbox || mailbox == group->row->mailbox))
			mirror_doubt(line->mirror);
	}
}

bool
group_settle(Group *group, const StoreOutcome *outcomes, const StoreId *rows, size_t n)
{
	Store *store = group->account->engine->store;
	g_autoptr(GArray) mine = g_array_new(FALSE, FALSE, sizeof(StoreOutcome));
	g_autoptr(GError) error = NULL;
	bool fine;

	if (!n)
		return true;
	for (size_t i = 0; i < n; i++)
		if (outcomes[i].uid)
			g_hash_table_add(group->given, GUINT_TO_POINTER(outcomes[i].uid));
	if (group->kind == STORE_INTENT_MOVE || group->kind == STORE_INTENT_EXPUNGE)
		warn_owner(group);
	fine = store_begin_durable(store, &error);
	for (guint i = 0; fine && i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);

		g_array_set_size(mine, 0);
		for (size_t j = 0; j < n; j++)
			if (rows[j] == row->id)
				g_array_append_val(mine, outcomes[j]);
		if (mine->len)
			fine = store_journal_done(store, row->id,
						  (const StoreOutcome *)(void *)mine->data,
						  mine->len, &error);
	}
	if (fine)
		fine = store_commit(store, &error);
	else
		store_rollback(store);
	if (!fine) {
		group_store_failed(group, error);
		return false;
	}
	engine_tidy_later(group->account->engine);
	return true;
}

void
verdict_init(Verdict *verdict)
{
	verdict->outcomes = g_array_new(FALSE, TRUE, sizeof(StoreOutcome));
	verdict->rows = g_array_new(FALSE, FALSE, sizeof(StoreId));
}

void
verdict_say(Verdict *verdict, const Target *target, StoreTargetState state, bool left)
{
	StoreOutcome outcome = {
		.message = target->message, .state = state, .uid = target->new_uid, .left = left
	};

	g_array_append_val(verdict->outcomes, outcome);
	g_array_append_val(verdict->rows, target->row);
}

bool
verdict_settle(Verdict *verdict, Group *group)
{
	bool fine = group_settle(group, (const StoreOutcome *)(void *)verdict->outcomes->data,
				 (const StoreId *)(void *)verdict->rows->data, verdict->rows->len);

	g_array_unref(verdict->outcomes);
	g_array_unref(verdict->rows);
	return fine;
}

bool
group_tried_in_vain(Group *group, const Target *target)
{
	unsigned times = GPOINTER_TO_UINT(g_hash_table_lookup(group->tried, &target->message)) + 1;

	g_hash_table_insert(group->tried, g_memdup2(&target->message, sizeof target->message),
			    GUINT_TO_POINTER(times));
	return times >= TRIES_MAX;
}

bool
group_load(Group *group, GArray **targets)
{
	Store *store = group->account->engine->store;
	g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(Target));
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);
		StoreId after = 0;
		guint got;

		if (!group_is_open(group, row->id))
			continue;
		do {
			g_autoptr(GArray) page = NULL;

			if (!store_journal_targets(store, row->id, after, TARGETS_PAGE, &page,
						   &error)) {
				group_store_failed(group, error);
				return false;
			}
			got = page->len;
			for (guint j = 0; j < got; j++) {
				const StoreTarget *from = &g_array_index(page, StoreTarget, j);
				Target target = { .row = row->id,
						  .message = from->message,
						  .state = from->state,
						  .mailbox = from->uid ? from->mailbox : 0,
						  .uid = from->mailbox ? from->uid : 0,
						  .somewhere_in = from->uid ? 0 : from->mailbox };

				after = from->message;
				if (from->state == STORE_TARGET_TO_DO ||
				    from->state == STORE_TARGET_COPIED)
					g_array_append_val(all, target);
			}
		} while (got == TARGETS_PAGE);
	}
	*targets = g_steal_pointer(&all);
	return true;
}

/* ---- what is selected ---------------------------------------------------------------------------- */

/* SELECT, or reading what is there, was refused.  Not every server says of a folder that went that it is
 * not there: what SELECT is answered is as good as what any other command is. */
static Step
refused_mailbox(Group *group, const GError *why)
{
	group->refused = g_error_copy(why);
	group->passing = !postern_error_is(why, POSTERN_ERROR_GONE) &&
			 !(group->line->mirror && mirror_is_refused(group->line->mirror));
	line_forget_mailbox(group->line);
	return group_give_up(group);
}

/* The line must stay where the person looks: another takes the rows up. */
static Step
hand_over(Group *group)
{
	for (guint i = 0; i < group->rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(group->rows, i);

		g_hash_table_add(group->account->replay->roam, g_memdup2(&row->id, sizeof row->id));
	}
	return STEP_OVER;
}

/* The mirror that keeps RAW true; NULL: its line is on its way there. */
static Mirror *
true_mirror(Group *group, GBytes *raw)
{
	Line *owner;

	if (!mirror_is_retired(group->line->mirror))
		return group->line->mirror;
	owner = account_owner(group->account, raw);
	if (owner && owner != group->line)
		group->line->waits_on = owner;
	return owner ? owner->mirror : NULL;
}

bool
group_select(Group *group, StoreId mailbox, bool current, Step *step)
{
	Line *line = group->line;
	Mirror *mirror;
	g_autoptr(StoreMailbox) box = NULL;
	g_autoptr(GBytes) raw = NULL;
	g_autoptr(GError) error = NULL;

	*step = STEP_WAIT;
	if (!store_mailbox_get(group->account->engine->store, mailbox, &box, &error)) {
		*step = refused_mailbox(group, error);
		return false;
	}
	raw = g_bytes_new(box->raw, box->raw_size);
	if (!line_may_roam(line) && !(line->mirror && mirror_is(line->mirror, raw))) {
		*step = hand_over(group);
		return false;
	}
	if (!line_need_mailbox(line, raw)) {
		if (mirror_is(line->mirror, raw) && mirror_error(line->mirror))
			*step = refused_mailbox(group, mirror_error(line->mirror));
		else
			mirror_hold(line->mirror);
		return false;
	}
	if (!current)
		return true;
	mirror = true_mirror(group, raw);
	if (!mirror)
		return false;
	mirror_want(mirror, 1);
	if (!mirror_is_ready(mirror) || !mirror_is_current(mirror))
		return false;
	if (mirror_error(mirror)) {
		*step = refused_mailbox(group, mirror_error(mirror));
		return false;
	}
	return mirror_apply(mirror);
}

void
replay_put_uids(ImapCommand *command, const GArray *targets, guint *at)
{
	g_autoptr(GString) set = g_string_new(NULL);

	while (*at < targets->len && set->len < SET_MAX_BYTES) {
		uint32_t low = g_array_index(targets, Target, *at).uid, high = low;

		for (++*at; *at < targets->len; ++*at) {
			uint32_t uid = g_array_index(targets, Target, *at).uid;

			if (uid != high && uid != high + 1)
				break;
			high = uid;
		}
		g_string_append_printf(set, "%s%u", set->len ? "," : "", low);
		if (high != low)
			g_string_append_printf(set, ":%u", high);
	}
	imap_command_text(command, "%s", set->str);
}
