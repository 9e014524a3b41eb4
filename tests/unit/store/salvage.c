/* The journal outlives the file it is in. */
#include "store/journal.h"
#include "support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum { RUNS = 150, ROWS = 200 };

static void
mark_damaged(const char *dir)
{
	g_autofree char *mark = place_file(dir, "mail.db.damaged");
	int fd = open(mark, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static Store *
open_damaged(const char *dir, char **notice)
{
	GError *error = NULL;
	Store *store = store_open(dir, STORE_WRITER, NULL, notice, &error);

	MUST(store != NULL);
	assert_non_null(*notice);
	return store;
}

static StoreIntended
intend(Store *store, StoreIntent intent)
{
	StoreIntended out;
	GError *error = NULL;

	MUST(store_intend(store, &intent, &out, &error));
	return out;
}

static void
set_uidvalidity(Store *store, StoreId mailbox)
{
	StoreMailbox said = {
		.id = mailbox, .server_total = -1, .server_unread = -1, .uidvalidity = 9
	};
	GError *error = NULL;

	MUST(store_mailbox_status(store, &said, &error));
}

static GPtrArray *
queue_of(Store *store)
{
	GPtrArray *rows;
	GError *error = NULL;

	MUST(store_journal(store, 0, &rows, &error));
	return rows;
}

/* ---- one of each ------------------------------------------------------------------------------------- */

typedef struct Made {
	StoreId inbox, archive, flagged, moved, appended, created;
	StoreIntended flag, move, append;
} Made;

static Made
make_some(Store *store)
{
	g_autoptr(GBytes) bytes = g_bytes_new_take(g_strnfill(600000, 'x'), 600000);
	StoreMessage message = { .date = 77, .size = 600000, .subject = SPAN_LITERAL("mine") };
	Made made = { .inbox = make_mailbox(store, "INBOX"),
		      .archive = make_mailbox(store, "Archive") };
	StoreIntent create = { .kind = STORE_INTENT_CREATE,
			       .name = "New",
			       .raw = SPAN_LITERAL("New") };
	GError *error = NULL;

	set_uidvalidity(store, made.inbox);
	put_plain(store, made.inbox, 1, 9, 1000, 0);
	made.flagged = id_of_uid(store, made.inbox, 3);
	made.moved = id_of_uid(store, made.inbox, 5);
	made.flag = intend(store, (StoreIntent){ .kind = STORE_INTENT_FLAG,
						 .mailbox = made.inbox,
						 .messages = &made.flagged,
						 .n_messages = 1,
						 .flag = STORE_FLAG_SEEN,
						 .set = true });
	made.move = intend(store, (StoreIntent){ .kind = STORE_INTENT_MOVE,
						 .mailbox = made.inbox,
						 .dest = made.archive,
						 .messages = &made.moved,
						 .n_messages = 1 });
	made.append = intend(store, (StoreIntent){ .kind = STORE_INTENT_APPEND,
						   .dest = made.archive,
						   .message = &message,
						   .content = bytes });
	made.appended = made.append.message;
	MUST(store_account(store, "work", &create.account, &error));
	made.created = intend(store, create).mailbox;
	MUST(store_journal_sent(store, made.move.row, 4, 10, &error));
	return made;
}

static void
check_target(Store *store, StoreId row, StoreId mailbox, uint32_t uid)
{
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;

	MUST(store_journal_targets(store, row, 0, 9, &targets, &error));
	assert_int_equal(targets->len, 1);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).mailbox, mailbox);
	assert_int_equal(g_array_index(targets, StoreTarget, 0).uid, uid);
}

static void
check_row(Store *store, StoreId message, StoreId mailbox, const char *subject, uint16_t flags)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_id(store, message, &row, &error));
	assert_int_equal(row->mailbox, mailbox);
	assert_string_equal(row->subject, subject);
	assert_int_equal(row->flags, flags);
}

static void
what_waits_is_carried_over(void **state)
{
	Store *store = open_writer(*state);
	Made made = make_some(store);
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GBytes) content = NULL;
	g_autofree char *notice = NULL;
	GError *error = NULL;

	store_close(store);
	mark_damaged(*state);
	store = open_damaged(*state, &notice);
	assert_non_null(strstr(notice, "4 changes"));
	must_be_sound(store);
	rows = queue_of(store);
	assert_int_equal(rows->len, 4);
	assert_int_equal(((StoreJournalRow *)g_ptr_array_index(rows, 1))->state, STORE_ROW_SENT);
	check_target(store, made.flag.row, made.inbox, 3);
	check_target(store, made.move.row, made.inbox, 5);
	MUST(store_part_load(store, made.appended, "", &content, &error));
	assert_int_equal(g_bytes_get_size(content), 600000);
	check_row(store, made.appended, made.archive, "mine", 0);
	check_row(store, made.moved, made.archive, "subject 5", 0);
	/* The mirror comes by: they are the same messages, and the intents show. */
	put_plain(store, made.inbox, 1, 9, 1000, STORE_FLAG_FLAGGED);
	must_be_sound(store);
	assert_int_equal(id_of_uid(store, made.inbox, 3), made.flagged);
	check_row(store, made.flagged, made.inbox, "subject 3",
		  STORE_FLAG_FLAGGED | STORE_FLAG_SEEN);
	assert_int_equal(id_of_uid(store, made.inbox, 5), made.moved);
	check_row(store, made.moved, made.archive, "subject 5", STORE_FLAG_FLAGGED);
	MUST(store_journal_drop(store, made.flag.row, &error));
	check_row(store, made.flagged, made.inbox, "subject 3", STORE_FLAG_FLAGGED);
	must_be_sound(store);
	store_close(store);
}

static void
a_new_uidvalidity_makes_old_uids_nothing(void **state)
{
	Store *store = open_writer(*state);
	Made made = make_some(store);
	g_autofree char *notice = NULL;
	GError *error = NULL;

	store_close(store);
	mark_damaged(*state);
	store = open_damaged(*state, &notice);
	MUST(store_mailbox_reset(store, made.inbox, &error));
	must_be_sound(store);
	check_target(store, made.flag.row, made.inbox, 0);
	put_plain(store, made.inbox, 1, 2, 5000, 0);
	check_target(store, made.flag.row, made.inbox, 0);
	must_be_sound(store);
	store_close(store);
}

/* ---- any byte ---------------------------------------------------------------------------------------- */

static void
make_many(const char *dir)
{
	Store *store = open_writer(dir);
	StoreId inbox = make_mailbox(store, "INBOX"), archive = make_mailbox(store, "Archive");

	set_uidvalidity(store, inbox);
	put_plain(store, inbox, 1, ROWS, 1000, 0);
	for (uint32_t i = 1; i <= ROWS; i++) {
		StoreId id = id_of_uid(store, inbox, i);

		intend(store, (StoreIntent){ .kind = i % 2 ? STORE_INTENT_FLAG : STORE_INTENT_MOVE,
					     .mailbox = inbox,
					     .dest = archive,
					     .messages = &id,
					     .n_messages = 1,
					     .flag = i % 2 ? STORE_FLAG_SEEN : 0,
					     .set = true });
	}
	store_close(store);
}

/* The rows that can be read one by one: of uint64_t. */
static GArray *
readable_rows(const char *path)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(int64_t));
	sqlite3_stmt *query = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	sqlite3_prepare_v2(db,
			   "SELECT * FROM journal WHERE seq = ?1 AND state BETWEEN 1 AND 3"
			   " AND kind BETWEEN 1 AND 5",
			   -1, &query, NULL);
	for (int64_t i = 1; query && i <= ROWS; i++) {
		sqlite3_reset(query);
		sqlite3_bind_int64(query, 1, i);
		if (sqlite3_step(query) == SQLITE_ROW)
			g_array_append_val(found, i);
	}
	sqlite3_finalize(query);
	sqlite3_close(db);
	return found;
}

static void
flip_bytes(GRand *rand, const char *path, gsize size, char *bytes)
{
	for (int i = g_rand_int_range(rand, 1, 40); i > 0; i--)
		bytes[g_rand_int_range(rand, 100, (gint32)size)] ^=
		    (char)(1 << g_rand_int_range(rand, 0, 8));
	/* A whole page now and then. */
	if (g_rand_boolean(rand))
		memset(bytes + 4096 * g_rand_int_range(rand, 1, (gint32)(size / 4096)), 'x', 4096);
	assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	assert_int_equal(g_chmod(path, 0600), 0);
}

static void
must_have(Store *store, const GArray *rows)
{
	g_autoptr(GPtrArray) queue = queue_of(store);
	g_autoptr(GHashTable) there = g_hash_table_new(g_int64_hash, g_int64_equal);

	for (guint i = 0; i < queue->len; i++)
		g_hash_table_add(there, &((StoreJournalRow *)g_ptr_array_index(queue, i))->id);
	for (guint i = 0; i < rows->len; i++) {
		if (!g_hash_table_contains(there, &g_array_index(rows, int64_t, i)))
			fail_msg("row %d was readable and is lost",
				 (int)g_array_index(rows, int64_t, i));
	}
}

static void
no_readable_row_is_lost_whatever_byte_changes(void **state)
{
	const char *many = g_getenv("STORE_SALVAGE_RUNS");
	int runs = many ? atoi(many) : RUNS;
	g_autofree char *first = g_build_filename(*state, "first", NULL);
	g_autofree char *sound = g_build_filename(first, "mail.db", NULL);
	g_autofree char *bytes = NULL;
	gsize size;
	int kept = 0;

	assert_int_equal(g_mkdir(first, 0700), 0);
	make_many(first);
	assert_true(g_file_get_contents(sound, &bytes, &size, NULL));
	for (int i = 0; i < runs; i++) {
		g_autofree char *dir = g_build_filename(*state, "run", NULL);
		g_autofree char *path = g_build_filename(dir, "mail.db", NULL);
		g_autofree char *changed = g_memdup2(bytes, size), *notice = NULL;
		g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)i);
		g_autoptr(GArray) rows = NULL;
		Store *store;

		assert_int_equal(g_mkdir(dir, 0700), 0);
		flip_bytes(rand, path, size, changed);
		rows = readable_rows(path);
		mark_damaged(dir);
		store = open_damaged(dir, &notice);
		must_have(store, rows);
		must_be_sound(store);
		kept += rows->len == ROWS;
		store_close(store);
		assert_int_equal(place_teardown(&(void *){ g_steal_pointer(&dir) }), 0);
	}
	/* Not everything was hit everywhere. */
	assert_true(kept > runs / 10);
	assert_int_equal(place_teardown(&(void *){ g_steal_pointer(&first) }), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_waits_is_carried_over),
		TEST(a_new_uidvalidity_makes_old_uids_nothing),
		TEST(no_readable_row_is_lost_whatever_byte_changes),
	};

	return cmocka_run_group_tests_name("store/salvage", tests, NULL, NULL);
}
