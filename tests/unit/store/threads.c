/* A writer and a reader at once, a thread and a handle each.  Made for the thread sanitizer as well. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 150, SLICE = 40 };

typedef struct Shared {
	const char *dir;
	StoreId mailbox;
	int done; /* atomic */
} Shared;

/* Every transaction adds SLICE messages, marks them all read, and takes half of them away: whoever sees
 * anything else than multiples of SLICE / 2, all read, has seen half a transaction. */
static void
write_round(Store *store, StoreId mailbox, uint32_t round)
{
	StoreFlagChange changes[SLICE] = { 0 };
	uint32_t uids[SLICE / 2];
	uint32_t first = 1 + (ROUNDS - round) * SLICE;
	GError *error = NULL;

	MUST(store_begin(store, &error));
	put_plain(store, mailbox, first, SLICE, (int64_t)first * 60, 0);
	for (uint32_t i = 0; i < SLICE; i++) {
		changes[i].uid = first + i;
		changes[i].flags = STORE_FLAG_SEEN;
	}
	MUST(store_messages_flag(store, mailbox, changes, SLICE, NULL, &error));
	for (uint32_t i = 0; i < SLICE / 2; i++)
		uids[i] = first + i * 2;
	MUST(store_messages_remove(store, mailbox, uids, SLICE / 2, NULL, &error));
	MUST(store_commit(store, &error));
}

static gpointer
write_all(gpointer data)
{
	Shared *shared = data;
	Store *store = open_writer(shared->dir);

	for (uint32_t round = 0; round < ROUNDS; round++)
		write_round(store, shared->mailbox, round);
	store_close(store);
	g_atomic_int_set(&shared->done, 1);
	return NULL;
}

/* One look at the list; returns its length. */
static uint32_t
look(Store *store, StoreId mailbox, uint32_t offset)
{
	g_autoptr(StoreMailbox) counts = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	uint32_t total;

	MUST(store_snapshot_begin(store, &error));
	MUST(store_window(store, mailbox, offset, 50, true, &rows, &total, &error));
	MUST(store_mailbox_get(store, mailbox, &counts, &error));
	assert_int_equal(counts->total, total);
	assert_int_equal(counts->unread, 0);
	assert_int_equal(total % (SLICE / 2), 0);
	assert_int_equal(rows->len, offset < total ? MIN(50, total - offset) : 0);
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = g_ptr_array_index(rows, i);
		uint32_t at;

		assert_true(row->flags & STORE_FLAG_SEEN);
		if (i % 10 == 0) {
			MUST(store_offset_of(store, mailbox, row->id, &at, &error));
			assert_int_equal(at, offset + i);
		}
	}
	store_snapshot_end(store);
	return total;
}

static gpointer
read_all(gpointer data)
{
	Shared *shared = data;
	g_autoptr(Store) store = open_reader(shared->dir);
	uint32_t total = 0;
	int64_t version = 0, now;
	GError *error = NULL;

	do {
		uint32_t seen = look(store, shared->mailbox, total / 2);

		MUST(store_version(store, shared->mailbox, &now, &error));
		assert_true(now >= version && seen >= total);
		version = now;
		total = seen;
	} while (!g_atomic_int_get(&shared->done));
	total = look(store, shared->mailbox, 0);
	assert_int_equal(total, ROUNDS * SLICE / 2);
	return NULL;
}

static void
a_reader_never_sees_half_a_transaction(void **state)
{
	Shared shared = { .dir = *state };
	Store *store = open_writer(*state);
	GThread *writer, *readers[2];

	shared.mailbox = make_mailbox(store, "INBOX");
	store_close(store);
	writer = g_thread_new("writer", write_all, &shared);
	for (int i = 0; i < 2; i++)
		readers[i] = g_thread_new("reader", read_all, &shared);
	g_thread_join(writer);
	for (int i = 0; i < 2; i++)
		g_thread_join(readers[i]);
	store = open_reader(*state);
	must_be_sound(store);
	store_close(store);
}

static void
a_reader_in_another_process_never_sees_half_a_transaction(void **state)
{
	Shared shared = { .dir = *state };
	Store *store = open_writer(*state);
	int status;
	pid_t pid;

	shared.mailbox = make_mailbox(store, "INBOX");
	store_close(store);
	pid = fork();
	if (pid == 0) {
		write_all(&shared);
		_exit(0);
	}
	store = open_reader(*state);
	while (waitpid(pid, &status, WNOHANG) == 0)
		look(store, shared.mailbox, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(look(store, shared.mailbox, 0), ROUNDS * SLICE / 2);
	must_be_sound(store);
	store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reader_never_sees_half_a_transaction),
		TEST(a_reader_in_another_process_never_sees_half_a_transaction),
	};

	return cmocka_run_group_tests_name("store/threads", tests, NULL, NULL);
}
