/* Random histories of intents, of what other clients do and of what becomes of it on a server that is
 * a few arrays.  Whenever the queue has run dry, the server is what the person saw before.  The seed of a
 * failing history is printed; give it as STORE_MODEL_SEED to run that one alone. */
#include "model-server.h"
#include "support.h"

#include <stdlib.h>

enum { HISTORIES = 25, STEPS = 120 };

/* ---- the person ------------------------------------------------------------------------------------------ */

static void
some_of(Model *model, StoreId mailbox, GArray *ids)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	uint32_t total;

	MUST(store_window(model->store, mailbox, 0, 1000, false, &rows, &total, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = g_ptr_array_index(rows, i);

		if (model_draw(model, 3) == 0)
			g_array_append_val(ids, row->id);
	}
}

static void
intend_append(Model *model, StoreId dest)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("x\r\n\r\ny\r\n", 8);
	Mail mail = { .key = model->next_key++ };
	StoreMessage message = model_message(model, &mail);
	StoreIntent intent = {
		.kind = STORE_INTENT_APPEND, .dest = dest, .message = &message, .content = bytes
	};
	StoreIntended out;
	GError *error = NULL;

	MUST(store_intend(model->store, &intent, &out, &error));
}

static void
check_flagged(Model *model, const StoreIntent *intent)
{
	for (size_t i = 0; i < intent->n_messages; i++) {
		g_autoptr(StoreRow) row = NULL;
		GError *error = NULL;
		bool is;

		MUST(store_row_by_id(model->store, intent->messages[i], &row, &error));
		is = intent->keyword ? *row->keywords != '\0' : (row->flags & intent->flag) != 0;
		assert_int_equal(is, intent->set);
	}
}

static void
check_moved(Model *model, const StoreIntent *intent)
{
	for (size_t i = 0; i < intent->n_messages; i++) {
		g_autoptr(StoreRow) row = NULL;
		GError *error = NULL;

		MUST(store_row_by_id(model->store, intent->messages[i], &row, &error));
		assert_int_equal(row->mailbox, intent->dest);
	}
}

static void
tell_intent(Model *model, const StoreIntent *intent, const StoreIntended *out)
{
	print_message("  row %d: kind %u, %d -> %d, flag %u %s %d:", (int)out->row, intent->kind,
		      (int)intent->mailbox, (int)intent->dest, intent->flag,
		      intent->keyword ? intent->keyword : "", intent->set);
	for (size_t i = 0; i < intent->n_messages; i++) {
		StoreRow *row = NULL;
		bool is = store_row_by_id(model->store, intent->messages[i], &row, NULL);

		print_message(" %d=%d", (int)intent->messages[i], is ? (int)(row->date / 60) : 0);
		store_row_free(row);
	}
	print_message("\n");
}

static void
wish(Model *model)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	uint32_t from = model_draw(model, MODEL_MAILBOXES), what = model_draw(model, 12);
	StoreIntent intent = { .mailbox = model->boxes[from].id };
	StoreIntended out;
	GError *error = NULL;

	if (what == 0) {
		intend_append(model, intent.mailbox);
		return;
	}
	some_of(model, intent.mailbox, ids);
	intent.messages = (const StoreId *)ids->data;
	intent.n_messages = ids->len;
	intent.dest =
	    model->boxes[(from + 1 + model_draw(model, MODEL_MAILBOXES - 1)) % MODEL_MAILBOXES].id;
	intent.kind = what < 6	  ? STORE_INTENT_FLAG
		      : what < 9  ? STORE_INTENT_MOVE
		      : what < 11 ? STORE_INTENT_COPY
				  : STORE_INTENT_EXPUNGE;
	intent.flag = (uint16_t)(1U << model_draw(model, 3));
	intent.set = model_draw(model, 2);
	if (model_draw(model, 4) == 0) {
		intent.flag = 0;
		intent.keyword = "$Work";
	}
	MUST(store_intend(model->store, &intent, &out, &error));
	assert_int_equal(out.n, ids->len);
	if (model->talk)
		tell_intent(model, &intent, &out);
	if (intent.kind == STORE_INTENT_FLAG)
		check_flagged(model, &intent);
	if (intent.kind == STORE_INTENT_MOVE)
		check_moved(model, &intent);
}

static void
change_mind(Model *model)
{
	StoreUndone out = { 0 };
	GError *error = NULL;

	if (store_undo(model->store, 0, &out, &error)) {
		g_free(out.words);
	} else if (postern_error_is(error, POSTERN_ERROR_USAGE)) {
		MUST_FAIL(false, POSTERN_ERROR_USAGE);
	} else {
		MUST_FAIL(false, POSTERN_ERROR_GONE);
	}
}

/* ---- the engine ------------------------------------------------------------------------------------------ */

/* How a server takes a row. */
typedef struct Manner {
	bool tell;   /* it has UIDPLUS */
	bool halves; /* it has no MOVE: first the copy */
	bool leave;  /* it cannot expunge single messages */
} Manner;

/* The second half of a move: its original goes, or stays with \\Deleted. */
static void
serve_original(const StoreTarget *target, Box *from, Manner manner, StoreOutcome *outcome,
	       GArray *news)
{
	guint at = 0;
	Mail *there = box_mail(from, target->uid, &at);

	outcome->left = there && manner.leave;
	if (outcome->left)
		there->flags |= STORE_FLAG_DELETED;
	outcome->state = there ? STORE_TARGET_DONE : STORE_TARGET_GONE;
	if (!there || manner.leave)
		return;
	g_array_remove_index(from->mails, at);
	g_array_append_val(news, target->mailbox);
	g_array_append_val(news, ((StoreId){ target->uid }));
}

/* What the server does with one target, and what it tells of it. */
static bool
serve(Model *model, const StoreJournalRow *row, const StoreTarget *target, Manner manner,
      StoreOutcome *outcome, GArray *news)
{
	Box *from = target->mailbox ? model_box(model, target->mailbox) : NULL;
	Box *to = model_box(model, row->dest);
	guint at = 0;
	Mail *there = box_mail(from, target->uid, &at);
	Mail mail;

	*outcome = (StoreOutcome){ .message = target->message, .state = STORE_TARGET_GONE };
	if (target->state == STORE_TARGET_COPIED) {
		serve_original(target, from, manner, outcome, news);
		return true;
	}
	if (row->kind == STORE_INTENT_APPEND) {
		g_autoptr(StoreRow) was = NULL;
		GError *error = NULL;

		MUST(store_row_by_id(model->store, target->message, &was, &error));
		mail = (Mail){ .key = (uint32_t)(was->date / 60) };
	} else if (!there) {
		return false;
	} else {
		mail = *there;
	}
	outcome->state = STORE_TARGET_DONE;
	if (row->kind == STORE_INTENT_FLAG) {
		if (row->keyword)
			there->keyword = row->set;
		else
			there->flags = (uint16_t)(row->set ? there->flags | row->flag
							   : there->flags & ~row->flag);
		return true;
	}
	if (row->kind == STORE_INTENT_MOVE && manner.halves) {
		outcome->state = STORE_TARGET_COPIED;
	} else if (row->kind == STORE_INTENT_MOVE || row->kind == STORE_INTENT_EXPUNGE) {
		g_array_remove_index(from->mails, at);
		g_array_append_val(news, target->mailbox);
		g_array_append_val(news, ((StoreId){ target->uid }));
	}
	if (row->kind != STORE_INTENT_EXPUNGE) {
		outcome->uid = box_arrive(to, mail);
		if (!manner.tell)
			outcome->uid = 0;
	}
	return true;
}

static void
hear_news(Model *model, const GArray *news)
{
	for (guint i = 0; i < news->len; i += 2)
		model_hear_gone(model, model_box(model, g_array_index(news, StoreId, i)),
				(uint32_t)g_array_index(news, StoreId, i + 1));
}

static void
note_key(Model *model, GArray *keys, StoreId message)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;
	uint32_t key;

	MUST(store_row_by_id(model->store, message, &row, &error));
	key = (uint32_t)(row->date / 60);
	g_array_append_val(keys, key);
}

/* The targets of ROW, after the mirror has met what it can. */
static GArray *
targets_to_send(Model *model, StoreId row)
{
	GArray *targets = NULL;
	GError *error = NULL;
	bool again = false;

	MUST(store_journal_targets(model->store, row, 0, 10000, &targets, &error));
	for (guint i = 0; i < targets->len; i++) {
		const StoreTarget *target = &g_array_index(targets, StoreTarget, i);

		if (!target->mailbox || target->uid)
			continue;
		model_synchronise(model, model_box(model, target->mailbox));
		again = true;
	}
	if (!again)
		return targets;
	g_array_unref(targets);
	MUST(store_journal_targets(model->store, row, 0, 10000, &targets, &error));
	return targets;
}

/* One command, or some: what the server does with it, and what is heard of that. */
static void
send(Model *model, const StoreJournalRow *row, Manner manner)
{
	g_autoptr(GArray) targets = targets_to_send(model, row->id);
	g_autoptr(GArray) outcomes = g_array_new(FALSE, FALSE, sizeof(StoreOutcome));
	g_autoptr(GArray) news = g_array_new(FALSE, FALSE, sizeof(StoreId));
	Box *dest = model_box(model, row->dest);
	GError *error = NULL;

	for (guint i = 0; i < targets->len; i++) {
		const StoreTarget *target = &g_array_index(targets, StoreTarget, i);
		StoreOutcome outcome;

		if (!serve(model, row, target, manner, &outcome, news) &&
		    row->kind != STORE_INTENT_EXPUNGE)
			note_key(model, model->gone, outcome.message);
		if (model->talk)
			print_message("    %d at %d:%u, %u -> %u %u\n", (int)outcome.message,
				      (int)target->mailbox, target->uid, target->state,
				      outcome.state, outcome.uid);
		g_array_append_val(outcomes, outcome);
	}
	if (model_draw(model, 2))
		hear_news(model, news);
	if (dest && model_draw(model, 3) == 0)
		model_synchronise(model, dest);
	if (outcomes->len > 0)
		MUST(store_journal_done(model->store, row->id, (StoreOutcome *)outcomes->data,
					outcomes->len, &error));
	if (model_draw(model, 2))
		hear_news(model, news);
}

/* Sends one row, and has it confirmed. */
static void
replay(Model *model, const StoreJournalRow *row, bool troubled)
{
	Box *dest = model_box(model, row->dest);
	Manner manner = { .tell = model_draw(model, 3) > 0,
			  .halves = row->kind == STORE_INTENT_MOVE && model_draw(model, 3) == 0,
			  .leave = troubled && model_draw(model, 3) == 0 };
	GError *error = NULL;

	MUST(store_journal_sent(model->store, row->id, dest ? dest->uidvalidity : 0,
				dest ? dest->uidnext : 0, &error));
	if (troubled && model_draw(model, 6) == 0) {
		MUST(store_journal_unsent(model->store, row->id, &error));
		return;
	}
	if (troubled && model_draw(model, 6) == 0) {
		MUST(
		    store_journal_fail(model->store, row->id, POSTERN_ERROR_REFUSED, "no", &error));
		return;
	}
	if (troubled && model_draw(model, 4) == 0)
		wish(model);
	send(model, row, manner);
	if (!manner.halves)
		return;
	if (troubled && model_draw(model, 3) == 0) {
		MUST(store_journal_unsent(model->store, row->id, &error));
		return;
	}
	must_be_sound(model->store);
	if (troubled && model_draw(model, 3) == 0)
		wish(model);
	manner.halves = false;
	send(model, row, manner);
}

/* The first row that nothing stands in the way of. */
static bool
replay_next(Model *model, bool troubled)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(model->store, model->account, &rows, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		bool depends;

		if (row->state != STORE_ROW_WAITING)
			continue;
		MUST(store_journal_depends(model->store, row->id, &depends, &error));
		if (depends)
			continue;
		if (model->talk)
			print_message("  row %d kind %u n %u\n", (int)row->id, row->kind, row->n);
		replay(model, row, troubled);
		return true;
	}
	return false;
}

static void
settle_failed(Model *model, bool all)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(model->store, model->account, &rows, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		g_autoptr(StoreJournalRow) now = NULL;

		if (row->state != STORE_ROW_FAILED)
			continue;
		if (!store_journal_row(model->store, row->id, &now, &error)) {
			MUST_FAIL(false, POSTERN_ERROR_GONE);
			continue;
		}
		if (now->state != STORE_ROW_FAILED)
			continue;
		if (all || model_draw(model, 2) || row->code == POSTERN_ERROR_GONE)
			MUST(store_journal_drop(model->store, row->id, &error));
		else
			MUST(store_journal_retry(model->store, row->id, &error));
	}
}

/* ---- at the end -------------------------------------------------------------------------------------------- */

static int
compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
seen_in(Model *model, StoreId mailbox, GPtrArray *lines)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	uint32_t total;

	MUST(store_window(model->store, mailbox, 0, 100000, false, &rows, &total, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = g_ptr_array_index(rows, i);

		g_ptr_array_add(lines, g_strdup_printf("%d %u %x %s", (int)mailbox,
						       (unsigned)(row->date / 60), row->flags & 7u,
						       row->keywords));
	}
}

static GPtrArray *
what_is_seen(Model *model)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (int i = 0; i < MODEL_MAILBOXES; i++)
		seen_in(model, model->boxes[i].id, lines);
	g_ptr_array_sort(lines, compare_text);
	return lines;
}

static GPtrArray *
what_is_there(Model *model)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (int i = 0; i < MODEL_MAILBOXES; i++) {
		const Box *box = &model->boxes[i];

		for (guint k = 0; k < box->mails->len; k++) {
			const Mail *mail = &g_array_index(box->mails, Mail, k);

			g_ptr_array_add(lines, g_strdup_printf("%d %u %x %s", (int)box->id,
							       mail->key, mail->flags & 7u,
							       mail->keyword ? "$Work" : ""));
		}
	}
	g_ptr_array_sort(lines, compare_text);
	return lines;
}

static bool
is_among(const GArray *keys, const char *line)
{
	uint32_t key = line ? (uint32_t)strtoul(strchr(line, ' ') + 1, NULL, 10) : 0;

	for (guint i = 0; i < keys->len; i++) {
		if (g_array_index(keys, uint32_t, i) == key)
			return true;
	}
	return false;
}

/* Without the flags of what is to be copied. */
static void
blur(Model *model, GPtrArray *lines)
{
	for (guint i = 0; i < lines->len; i++) {
		char *line = g_ptr_array_index(lines, i);

		if (is_among(model->copied, line))
			*strchr(strchr(line, ' ') + 1, ' ') = '\0';
	}
	g_ptr_array_sort(lines, compare_text);
}

static void
note_copied(Model *model)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	g_array_set_size(model->copied, 0);
	MUST(store_journal(model->store, model->account, &rows, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		g_autoptr(GArray) targets = NULL;

		if (row->kind != STORE_INTENT_COPY)
			continue;
		MUST(store_journal_targets(model->store, row->id, 0, 10000, &targets, &error));
		for (guint k = 0; k < targets->len; k++)
			note_key(model, model->copied,
				 g_array_index(targets, StoreTarget, k).message);
	}
}

/* Lines of messages that another client expunged may be missing. */
static void
must_be_equal(const char *what, const GPtrArray *a, const GPtrArray *b, const GArray *gone)
{
	guint i = 0, k = 0;

	while (i < a->len || k < b->len) {
		const char *x = i < a->len ? g_ptr_array_index(a, i) : NULL;
		const char *y = k < b->len ? g_ptr_array_index(b, k) : NULL;
		bool excused;

		if (x && y && !strcmp(x, y)) {
			i++;
			k++;
			continue;
		}
		excused = x && gone && is_among(gone, x);
		if (!excused || (y && strcmp(x, y) > 0))
			fail_msg("%s: %s | %s", what, x ? x : "nothing", y ? y : "nothing");
		i++;
	}
}

/* Everything is sent, nothing is refused: then the server has what the person saw. */
static void
drain(Model *model)
{
	g_autoptr(GPtrArray) before = NULL, there = NULL, after = NULL;
	uint32_t waiting, failed;
	GError *error = NULL;

	settle_failed(model, true);
	must_be_sound(model->store);
	for (int i = 0; i < MODEL_MAILBOXES; i++)
		model_synchronise(model, &model->boxes[i]);
	must_be_sound(model->store);
	g_array_set_size(model->gone, 0);
	note_copied(model);
	before = what_is_seen(model);
	while (replay_next(model, false))
		must_be_sound(model->store);
	MUST(store_journal_counts(model->store, 0, &waiting, &failed, &error));
	assert_int_equal(waiting, 0);
	settle_failed(model, true);
	for (int i = 0; i < MODEL_MAILBOXES; i++)
		model_synchronise(model, &model->boxes[i]);
	must_be_sound(model->store);
	there = what_is_there(model);
	after = what_is_seen(model);
	must_be_equal("seen after | on the server", after, there, NULL);
	blur(model, before);
	blur(model, there);
	must_be_equal("seen before | on the server", before, there, model->gone);
}

static void
step(Model *model)
{
	Box *box = &model->boxes[model_draw(model, MODEL_MAILBOXES)];
	uint32_t what = model_draw(model, 100);

	if (model->talk)
		print_message("%u\n", what);
	if (what < 35)
		wish(model);
	else if (what < 55)
		model_somebody_else(model, box);
	else if (what < 65)
		model_synchronise(model, box);
	else if (what < 85)
		replay_next(model, true);
	else if (what < 90)
		change_mind(model);
	else if (what < 94)
		settle_failed(model, false);
	else if (what < 96)
		model_change_uidvalidity(model, box);
	else if (what < 98)
		drain(model);
	else {
		store_close(model->store);
		model->store = open_writer(model->dir);
	}
}

static void
run_history(const char *dir, guint32 seed, bool talk)
{
	Model model = {
		.rand = g_rand_new_with_seed(seed),
		.pool = g_string_chunk_new(1 << 16),
		.dir = g_build_filename(dir, "model", NULL),
		.next_key = 1,
		.gone = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
		.copied = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
		.talk = talk,
	};
	GError *error = NULL;

	print_message("seed %u\n", seed);
	assert_int_equal(g_mkdir_with_parents(model.dir, 0700), 0);
	model.store = open_writer(model.dir);
	for (int i = 0; i < MODEL_MAILBOXES; i++) {
		g_autofree char *name = g_strdup_printf("Box %d", i);
		StoreMailbox mailbox = { .server_total = -1, .server_unread = -1 };
		Box *box = &model.boxes[i];

		box->id = mailbox.id = make_mailbox(model.store, name);
		box->mails = g_array_new(FALSE, FALSE, sizeof(Mail));
		box->uidnext = 1;
		box->uidvalidity = mailbox.uidvalidity = 5;
		MUST(store_mailbox_status(model.store, &mailbox, &error));
		for (uint32_t k = model_draw(&model, 15); k > 0; k--)
			box_arrive(box, (Mail){ .key = model.next_key++ });
		model_synchronise(&model, box);
	}
	MUST(store_account(model.store, "work", &model.account, &error));
	for (int i = 0; i < STEPS; i++) {
		step(&model);
		must_be_sound(model.store);
	}
	drain(&model);
	store_close(model.store);
	for (int i = 0; i < MODEL_MAILBOXES; i++)
		g_array_unref(model.boxes[i].mails);
	g_array_unref(model.gone);
	g_array_unref(model.copied);
	g_string_chunk_free(model.pool);
	g_rand_free(model.rand);
	place_teardown(&(void *){ model.dir });
}

static void
a_drained_queue_leaves_what_was_seen(void **state)
{
	const char *only = g_getenv("STORE_MODEL_SEED"), *many = g_getenv("STORE_MODEL_RUNS");
	guint32 n = many ? (guint32)strtoul(many, NULL, 10) : HISTORIES;

	if (only) {
		run_history(*state, (guint32)strtoul(only, NULL, 10), true);
		return;
	}
	for (guint32 seed = 1; seed <= n; seed++)
		run_history(*state, seed, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_drained_queue_leaves_what_was_seen, place_setup,
						place_teardown),
	};

	return cmocka_run_group_tests_name("store/journal-model", tests, NULL, NULL);
}
