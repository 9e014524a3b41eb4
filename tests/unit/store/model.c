/* Random histories against a plain model in memory.  The seed of a failing one is printed; give it as
 * STORE_MODEL_SEED to run that one alone. */
#include "support.h"

#include <stdlib.h>

enum { HISTORIES = 8, STEPS = 120, MAILBOXES = 2, UIDS = 8000 };

typedef struct Copy {
	uint32_t uid;
	uint16_t flags;
	int64_t date;
	StoreId id; /* 0: not asked yet */
	bool keyword;
} Copy;

typedef struct Model {
	GRand *rand;
	GStringChunk *pool;
	Store *store, *reader;
	char *dir;
	StoreId mailbox[MAILBOXES];
	GArray *copies[MAILBOXES]; /* of Copy, in display order */
	guint where[UIDS];	   /* by UID, after index_copies: its place + 1, or 0 */
} Model;

static uint32_t
draw(Model *model, uint32_t below)
{
	return (uint32_t)g_rand_int_range(model->rand, 0, (gint32)below);
}

static int
compare_copies(gconstpointer a, gconstpointer b)
{
	const Copy *x = a, *y = b;

	if (x->date != y->date)
		return x->date > y->date ? -1 : 1;
	return (x->uid < y->uid) - (x->uid > y->uid);
}

static void
index_copies(Model *model, int m)
{
	memset(model->where, 0, sizeof model->where);
	for (guint i = 0; i < model->copies[m]->len; i++)
		model->where[g_array_index(model->copies[m], Copy, i).uid] = i + 1;
}

static Copy *
find_copy(Model *model, int m, uint32_t uid)
{
	guint at = model->where[uid];

	return at ? &g_array_index(model->copies[m], Copy, at - 1) : NULL;
}

/* Sometimes all alike, sometimes like the UID, sometimes anything. */
static int64_t
draw_date(Model *model, uint32_t uid)
{
	switch (draw(model, 4)) {
	case 0:
		return 500;
	case 1:
		return (int64_t)uid * 60 + draw(model, 600);
	case 2:
		return draw(model, 200000);
	default:
		return (int64_t)uid * 60;
	}
}

static void
put_some(Model *model, int m)
{
	static const uint32_t sizes[] = { 1, 3, 40, 400, 2500 };
	uint32_t n = sizes[draw(model, 5)], first = 1 + draw(model, 3000);
	g_autofree StoreMessage *messages = g_new(StoreMessage, n);
	GError *error = NULL;

	index_copies(model, m);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t uid = first + i;
		int64_t date = draw_date(model, uid);
		uint16_t flags = draw(model, 2) ? STORE_FLAG_SEEN : STORE_FLAG_FLAGGED;
		Copy *copy = find_copy(model, m, uid);

		messages[i] = plain_message(model->pool, uid, date, flags);
		if (copy) {
			copy->date = date;
			copy->flags = flags;
			copy->keyword = false;
		} else {
			Copy fresh = { uid, flags, date, 0, false };

			g_array_append_val(model->copies[m], fresh);
		}
	}
	g_array_sort(model->copies[m], compare_copies);
	MUST(store_messages_put(model->store, model->mailbox[m], messages, n, &error));
}

static void
flag_some(Model *model, int m)
{
	static const uint32_t sizes[] = { 1, 10, 1500 };
	uint32_t n = sizes[draw(model, 3)];
	g_autofree StoreFlagChange *changes = g_new0(StoreFlagChange, n);
	GError *error = NULL;
	size_t changed, expected = 0;
	uint32_t first = 1 + draw(model, 5000);

	index_copies(model, m);
	for (uint32_t i = 0; i < n; i++) {
		Copy *copy = find_copy(model, m, first + i);
		bool keyword = draw(model, 10) == 0;

		changes[i].uid = first + i;
		changes[i].flags = (uint16_t)draw(model, 32);
		changes[i].keywords = keyword ? SPAN_LITERAL("work") : SPAN_EMPTY;
		if (!copy)
			continue;
		expected += copy->flags != changes[i].flags || copy->keyword != keyword;
		copy->flags = changes[i].flags;
		copy->keyword = keyword;
	}
	MUST(store_messages_flag(model->store, model->mailbox[m], changes, n, &changed, &error));
	assert_int_equal(changed, expected);
}

static void
remove_some(Model *model, int m)
{
	static const uint32_t sizes[] = { 1, 30, 800 };
	uint32_t n = sizes[draw(model, 3)], first = 1 + draw(model, 5000);
	g_autofree uint32_t *uids = g_new(uint32_t, n);
	GError *error = NULL;
	size_t removed, expected = 0;

	index_copies(model, m);
	for (uint32_t i = 0; i < n; i++) {
		uids[i] = first + i * 2;
		if (find_copy(model, m, uids[i])) {
			find_copy(model, m, uids[i])->uid = 0;
			expected++;
		}
	}
	for (guint k = model->copies[m]->len; k-- > 0;) {
		if (g_array_index(model->copies[m], Copy, k).uid == 0)
			g_array_remove_index(model->copies[m], k);
	}
	MUST(store_messages_remove(model->store, model->mailbox[m], uids, n, &removed, &error));
	assert_int_equal(removed, expected);
}

static void
reset_one(Model *model, int m)
{
	GError *error = NULL;

	MUST(store_mailbox_reset(model->store, model->mailbox[m], &error));
	g_array_set_size(model->copies[m], 0);
}

static void
tidy_some(Model *model)
{
	GError *error = NULL;
	bool more;

	MUST(store_tidy(model->store, &more, &error));
}

static void
reopen(Model *model)
{
	store_close(model->reader);
	store_close(model->store);
	model->store = open_writer(model->dir);
	model->reader = open_reader(model->dir);
}

/* A transaction with a few steps that is taken back: the model never hears of it. */
static void
take_back(Model *model, int m)
{
	GError *error = NULL;
	StoreFlagChange change = { .uid = 1 + draw(model, 5000), .flags = STORE_FLAG_DRAFT };

	MUST(store_begin(model->store, &error));
	put_plain(model->store, model->mailbox[m], 1 + draw(model, 5000), 1 + draw(model, 50),
		  draw(model, 99999), 0);
	MUST(store_messages_flag(model->store, model->mailbox[m], &change, 1, NULL, &error));
	if (draw(model, 2))
		MUST(store_mailbox_reset(model->store, model->mailbox[m], &error));
	store_rollback(model->store);
}

static void
step(Model *model)
{
	int m = (int)draw(model, MAILBOXES);
	uint32_t kind = draw(model, 100);

	if (kind < 40)
		put_some(model, m);
	else if (kind < 65)
		flag_some(model, m);
	else if (kind < 85)
		remove_some(model, m);
	else if (kind < 87)
		reset_one(model, m);
	else if (kind < 93)
		tidy_some(model);
	else if (kind < 96)
		reopen(model);
	else
		take_back(model, m);
}

static void
compare_row(Copy *copy, const StoreRow *row)
{
	uint16_t flags = copy->keyword ? copy->flags | STORE_FLAG_KEYWORDS : copy->flags;

	assert_int_equal(row->uid, copy->uid);
	assert_int_equal(row->date, copy->date);
	assert_int_equal(row->flags, flags);
	assert_string_equal(row->keywords, copy->keyword ? "work" : "");
	if (copy->id == 0)
		copy->id = row->id;
	assert_int_equal(row->id, copy->id);
}

static void
compare_window(Model *model, Store *store, int m)
{
	GArray *copies = model->copies[m];
	uint32_t offset = draw(model, copies->len + 10), count = 1 + draw(model, 60), total;
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_window(store, model->mailbox[m], offset, count, false, &rows, &total, &error));
	assert_int_equal(total, copies->len);
	assert_int_equal(rows->len, offset < copies->len ? MIN(count, copies->len - offset) : 0);
	for (guint i = 0; i < rows->len; i++)
		compare_row(&g_array_index(copies, Copy, offset + i), g_ptr_array_index(rows, i));
}

static void
compare_offsets(Model *model, Store *store, int m)
{
	GArray *copies = model->copies[m];
	uint32_t at, offset, found, next;
	GError *error = NULL;
	const Copy *copy;

	if (copies->len == 0)
		return;
	at = draw(model, copies->len);
	copy = &g_array_index(copies, Copy, at);
	MUST(store_offset_at(store, model->mailbox[m], copy->date, copy->uid, &offset, &error));
	assert_int_equal(offset, at);
	if (copy->id) {
		MUST(store_offset_of(store, model->mailbox[m], copy->id, &offset, &error));
		assert_int_equal(offset, at);
	}
	for (next = at; next < copies->len; next++) {
		if (!(g_array_index(copies, Copy, next).flags & STORE_FLAG_SEEN))
			break;
	}
	if (next < copies->len) {
		MUST(store_offset_next(store, model->mailbox[m], at, true, STORE_FLAG_SEEN, 0,
				       &found, &error));
		assert_int_equal(found, next);
	} else {
		MUST_FAIL(store_offset_next(store, model->mailbox[m], at, true, STORE_FLAG_SEEN, 0,
					    &found, &error),
			  POSTERN_ERROR_GONE);
	}
}

static void
compare_counts(Model *model, int m)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;
	uint32_t unread = 0;

	for (guint i = 0; i < model->copies[m]->len; i++)
		unread += !(g_array_index(model->copies[m], Copy, i).flags & STORE_FLAG_SEEN);
	MUST(store_mailbox_get(model->reader, model->mailbox[m], &mailbox, &error));
	assert_int_equal(mailbox->total, model->copies[m]->len);
	assert_int_equal(mailbox->unread, unread);
}

static void
run_history(const char *dir, guint32 seed)
{
	Model model = {
		.rand = g_rand_new_with_seed(seed),
		.pool = g_string_chunk_new(1 << 16),
		.dir = g_build_filename(dir, "model", NULL),
	};

	print_message("seed %u\n", seed);
	assert_int_equal(g_mkdir_with_parents(model.dir, 0700), 0);
	model.store = open_writer(model.dir);
	model.reader = open_reader(model.dir);
	for (int m = 0; m < MAILBOXES; m++) {
		model.mailbox[m] = make_mailbox(model.store, m ? "Other" : "INBOX");
		model.copies[m] = g_array_new(FALSE, FALSE, sizeof(Copy));
	}
	for (int i = 0; i < STEPS; i++) {
		step(&model);
		for (int m = 0; m < MAILBOXES; m++) {
			compare_window(&model, i % 2 ? model.store : model.reader, m);
			compare_offsets(&model, i % 3 ? model.store : model.reader, m);
			compare_counts(&model, m);
		}
		if (i % 30 == 29)
			must_be_sound(model.reader);
	}
	store_close(model.reader);
	store_close(model.store);
	for (int m = 0; m < MAILBOXES; m++)
		g_array_unref(model.copies[m]);
	g_string_chunk_free(model.pool);
	g_rand_free(model.rand);
	place_teardown(&(void *){ model.dir });
}

static void
random_histories_agree_with_a_plain_model(void **state)
{
	const char *only = g_getenv("STORE_MODEL_SEED");

	if (only) {
		run_history(*state, (guint32)strtoul(only, NULL, 10));
		return;
	}
	for (guint32 seed = 1; seed <= HISTORIES; seed++)
		run_history(*state, seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_histories_agree_with_a_plain_model,
						place_setup, place_teardown),
	};

	return cmocka_run_group_tests_name("store/model", tests, NULL, NULL);
}
