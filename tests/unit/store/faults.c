/* A scripted session in which something breaks: at every write a full disk, an I/O error, a kill; at
 * every read an I/O error; and in which any byte of the file may have changed while it was closed. */
#include "faulty-vfs.h"
#include "store/journal.h"
#include "support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the session ---------------------------------------------------------------------------------- */

typedef struct Session {
	Store *store;
	StoreId inbox, other;
	GStringChunk *pool;
} Session;

static bool
put_dated(Session *s, uint32_t first, uint32_t n, int64_t date, int64_t step, GError **error)
{
	g_autofree StoreMessage *messages = g_new(StoreMessage, n);

	for (uint32_t i = 0; i < n; i++)
		messages[i] = plain_message(s->pool, first + i, date + step * i, 0);
	return store_messages_put(s->store, s->inbox, messages, n, error);
}

static bool
make_mailboxes(Session *s, GError **error)
{
	StoreMailbox mailbox = {
		.raw = (char *)"INBOX", .raw_size = 5, .name = (char *)"INBOX", .selectable = true
	};
	StoreMailbox other;

	if (!store_begin(s->store, error))
		return false;
	if (!store_account(s->store, "work", &mailbox.account, error))
		goto failed;
	other = mailbox;
	other.raw = other.name = (char *)"Other";
	if (!store_mailbox_put(s->store, &mailbox, error) ||
	    !store_mailbox_put(s->store, &other, error))
		goto failed;
	s->inbox = mailbox.id;
	s->other = other.id;
	return store_commit(s->store, error);
failed:
	store_rollback(s->store);
	return false;
}

static bool
put_newest(Session *s, GError **error)
{
	return put_dated(s, 1001, 1500, 600000, 60, error);
}

static bool
put_older(Session *s, GError **error)
{
	return put_dated(s, 1, 300, 0, 60, error);
}

static bool
put_between(Session *s, GError **error)
{
	return put_dated(s, 3000, 40, 10, 17001, error);
}

static bool
put_again(Session *s, GError **error)
{
	return put_dated(s, 290, 20, 777, 0, error);
}

static bool
flag_some(Session *s, GError **error)
{
	StoreFlagChange changes[500] = { 0 };

	for (uint32_t i = 0; i < 500; i++) {
		changes[i].uid = 1 + i * 5;
		changes[i].flags = STORE_FLAG_SEEN;
		if (i % 100 == 0)
			changes[i].keywords = SPAN_LITERAL("work");
	}
	return store_messages_flag(s->store, s->inbox, changes, 500, NULL, error);
}

static bool
put_part(Session *s, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new_take(g_strnfill(300000, 'x'), 300000);
	g_autoptr(StoreRow) row = NULL;

	return store_row_by_uid(s->store, s->inbox, 1005, &row, error) &&
	       store_part_put(s->store, row->id, "1", bytes, error);
}

static bool
remove_some(Session *s, GError **error)
{
	uint32_t uids[600];

	for (uint32_t i = 0; i < 600; i++)
		uids[i] = 1005 + i * 2;
	return store_messages_remove(s->store, s->inbox, uids, 600, NULL, error);
}

static bool
tidy(Session *s, GError **error)
{
	bool more;

	return store_tidy(s->store, &more, error);
}

/* Two verbs in one transaction. */
static bool
fill_other(Session *s, GError **error)
{
	StoreMessage message = plain_message(s->pool, 7, 7, STORE_FLAG_SEEN);

	if (!store_begin(s->store, error))
		return false;
	if (store_messages_put(s->store, s->other, &message, 1, error) &&
	    store_mailbox_progress(s->store, s->other, 1, 8, 5, error))
		return store_commit(s->store, error);
	store_rollback(s->store);
	return false;
}

static bool
mark_all(Session *s, GError **error)
{
	StoreIntent intent = { .kind = STORE_INTENT_FLAG,
			       .mailbox = s->inbox,
			       .all = true,
			       .flag = STORE_FLAG_SEEN,
			       .set = true };

	return store_intend(s->store, &intent, &(StoreIntended){ 0 }, error);
}

static bool
move_some(Session *s, GError **error)
{
	const uint32_t range[] = { 1100, 1300 };
	StoreIntent intent = { .kind = STORE_INTENT_MOVE,
			       .mailbox = s->inbox,
			       .dest = s->other,
			       .uid_ranges = range,
			       .n_uid_ranges = 1 };

	return store_intend(s->store, &intent, &(StoreIntended){ 0 }, error);
}

static bool
append_one(Session *s, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new_take(g_strnfill(300000, 'x'), 300000);
	StoreMessage message = plain_message(s->pool, 0, 99, 0);
	StoreIntent intent = {
		.kind = STORE_INTENT_APPEND, .dest = s->other, .message = &message, .content = bytes
	};

	return store_intend(s->store, &intent, &(StoreIntended){ 0 }, error);
}

/* What was moved is there now, under UIDs of its own. */
static bool
confirm_move(Session *s, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GArray) targets = NULL,
			  outcomes = g_array_new(FALSE, FALSE, sizeof(StoreOutcome));
	const StoreJournalRow *row;

	if (!store_journal(s->store, 0, &rows, error))
		return false;
	row = g_ptr_array_index(rows, 1);
	if (!store_journal_targets(s->store, row->id, 0, 10000, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		StoreOutcome outcome = { .message = g_array_index(targets, StoreTarget, i).message,
					 .state = STORE_TARGET_DONE,
					 .uid = 5000 + i };

		g_array_append_val(outcomes, outcome);
	}
	return store_journal_done(s->store, row->id, (StoreOutcome *)outcomes->data, outcomes->len,
				  error);
}

static bool
undo_last(Session *s, GError **error)
{
	StoreUndone undone = { 0 };

	if (!store_undo(s->store, 0, &undone, error))
		return false;
	g_free(undone.words);
	return true;
}

static bool
reset_inbox(Session *s, GError **error)
{
	return store_mailbox_reset(s->store, s->inbox, error);
}

typedef bool (*StepFunc)(Session *s, GError **error);

static const StepFunc script[] = {
	make_mailboxes, put_newest, put_older,	 put_between, put_again, flag_some, put_part,
	remove_some,	tidy,	    tidy,	 fill_other,  mark_all,	 move_some, append_one,
	confirm_move,	undo_last,  reset_inbox, put_older,   tidy,
};

enum { STEPS = G_N_ELEMENTS(script) };

static void
session_init(Session *s, Store *store)
{
	*s = (Session){ .store = store, .pool = g_string_chunk_new(1 << 16) };
}

static void
session_clear(Session *s)
{
	store_close(s->store);
	g_string_chunk_free(s->pool);
}

/* The digests before the first step and after each: *DIGESTS has STEPS + 1. */
static void
run_undisturbed(const char *dir, char **digests)
{
	GError *error = NULL;
	Session s;

	session_init(&s, open_writer(dir));
	digests[0] = store_digest(s.store);
	for (size_t i = 0; i < STEPS; i++) {
		MUST(script[i](&s, &error));
		digests[i + 1] = store_digest(s.store);
	}
	session_clear(&s);
}

static char *
fresh_dir(const char *dir)
{
	char *path = place_file(dir, "run");

	assert_int_equal(g_mkdir(path, 0700), 0);
	return path;
}

static void
remove_dir(char *path)
{
	place_teardown(&(void *){ path });
}

static void
must_be_like(Store *store, const char *digest)
{
	g_autofree char *now = store_digest(store);

	assert_string_equal(now, digest);
}

/* ---- failing writes and reads ----------------------------------------------------------------------- */

/* Opens with the fault on its way.  When it strikes here, says so, and opens again without. */
static Store *
open_through(const char *dir, bool *happened)
{
	GError *error = NULL;
	Store *store = store_open(dir, STORE_WRITER, NULL, NULL, &error);

	if (store)
		return store;
	assert_true(fault_happened());
	MUST_FAIL(false, POSTERN_ERROR_STORE);
	*happened = true;
	fault_set(FAULT_NONE, 0);
	return open_writer(dir);
}

static void
says_full(const GError *error)
{
	if (!strstr(error->message, "disk is full"))
		fail_msg("not about the disk: %s", error->message);
}

/* A step that failed has changed nothing, and works when it is tried again on the same handle. */
static void
recover(Session *s, size_t step, char **digests)
{
	GError *error = NULL;

	fault_set(FAULT_NONE, 0);
	must_be_like(s->store, digests[step]);
	must_be_sound(s->store);
	MUST(script[step](s, &error));
}

/* The whole script with the fault at its Nth chance.  Returns whether it came at all. */
static bool
run_with_fault(const char *dir, Fault fault, int n, char **digests)
{
	char *path = fresh_dir(dir);
	GError *error = NULL;
	bool happened = false;
	Session s;

	fault_set(fault, n);
	session_init(&s, open_through(path, &happened));
	for (size_t i = 0; i < STEPS; i++) {
		if (script[i](&s, &error))
			continue;
		assert_true(error && fault_happened());
		if (fault == FAULT_FULL || fault == FAULT_STAYS_FULL)
			says_full(error);
		MUST_FAIL(false, POSTERN_ERROR_STORE);
		happened = true;
		recover(&s, i, digests);
	}
	session_clear(&s);
	happened |= fault_happened();
	fault_set(FAULT_NONE, 0);
	session_init(&s, open_writer(path));
	must_be_like(s.store, digests[STEPS]);
	must_be_sound(s.store);
	session_clear(&s);
	remove_dir(path);
	return happened;
}

/* STORE_SWEEP=1 takes every single write; else some, so that each run is short. */
static int
stride(void)
{
	const char *text = g_getenv("STORE_SWEEP");

	return text ? MAX(atoi(text), 1) : 97;
}

static void
sweep(const char *dir, Fault fault)
{
	char *digests[STEPS + 1];
	char *path = fresh_dir(dir);
	int n = 1;

	fault_set(FAULT_NONE, 0);
	run_undisturbed(path, digests);
	remove_dir(path);
	while (run_with_fault(dir, fault, n, digests))
		n += n < 10 ? 1 : stride();
	print_message("%d chances\n", n);
	assert_true(n > 20);
	for (size_t i = 0; i <= STEPS; i++)
		g_free(digests[i]);
}

static void
a_full_disk_at_any_write_changes_nothing_and_is_overcome(void **state)
{
	sweep(*state, FAULT_FULL);
}

static void
a_disk_that_stays_full_changes_nothing_and_is_overcome(void **state)
{
	sweep(*state, FAULT_STAYS_FULL);
}

static void
a_disk_without_any_room_is_read_all_the_same(void **state)
{
	g_autofree char *path = fresh_dir(*state);
	char *digests[STEPS + 1];
	Store *store;

	fault_set(FAULT_NONE, 0);
	run_undisturbed(path, digests);
	for (int i = 0; i < 2; i++) {
		fault_set(FAULT_STAYS_FULL, 1);
		store = open_reader(path);
		assert_true(fault_happened());
		must_be_like(store, digests[STEPS]);
		store_close(store);
	}
	fault_set(FAULT_NONE, 0);
	store = open_writer(path);
	must_be_like(store, digests[STEPS]);
	must_be_sound(store);
	store_close(store);
	for (size_t i = 0; i <= STEPS; i++)
		g_free(digests[i]);
	remove_dir(g_steal_pointer(&path));
}

static void
an_error_at_any_write_changes_nothing_and_is_overcome(void **state)
{
	sweep(*state, FAULT_WRITE_ERROR);
}

static void
an_error_at_any_read_changes_nothing_and_is_overcome(void **state)
{
	sweep(*state, FAULT_READ_ERROR);
}

/* ---- kills ------------------------------------------------------------------------------------------ */

/* In the child: a byte down the pipe for each step that is done. */
static void
run_to_death(const char *dir, int n, int done)
{
	GError *error = NULL;
	Session s;

	fault_set(FAULT_DIES, n);
	session_init(&s, open_writer(dir));
	for (size_t i = 0; i < STEPS; i++) {
		if (!script[i](&s, &error) || write(done, "x", 1) != 1)
			_exit(1);
	}
	store_close(s.store);
	_exit(0);
}

/* Returns whether the process was killed before its end. */
static bool
run_and_kill(const char *dir, int n, char **digests)
{
	char *path = fresh_dir(dir);
	g_autofree char *after = NULL;
	char bytes[STEPS + 1];
	ssize_t done = 0, got;
	int ends[2], status;
	Store *store;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		run_to_death(path, n, ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
		done += got;
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0);
	store = open_writer(path);
	must_be_sound(store);
	after = store_digest(store);
	/* The last step may have been done, and the word of it lost. */
	if (g_strcmp0(after, digests[done]) != 0) {
		assert_true(done < (ssize_t)STEPS);
		assert_string_equal(after, digests[done + 1]);
	}
	store_close(store);
	remove_dir(path);
	return WEXITSTATUS(status) == 9;
}

static void
a_kill_at_any_write_loses_nothing_that_was_done(void **state)
{
	char *digests[STEPS + 1];
	char *path = fresh_dir(*state);
	int n = 1;

	fault_set(FAULT_NONE, 0);
	run_undisturbed(path, digests);
	remove_dir(path);
	while (run_and_kill(*state, n, digests))
		n += n < 10 ? 1 : stride();
	assert_true(n > 20);
	for (size_t i = 0; i <= STEPS; i++)
		g_free(digests[i]);
}

/* ---- flipped bytes ---------------------------------------------------------------------------------- */

enum { FLIPPED_RUNS = 500 };

static void
make_small_database(const char *dir)
{
	GError *error = NULL;
	Session s;

	session_init(&s, open_writer(dir));
	MUST(make_mailboxes(&s, &error));
	MUST(put_older(&s, &error));
	MUST(put_newest(&s, &error));
	MUST(put_part(&s, &error));
	MUST(fill_other(&s, &error));
	session_clear(&s);
}

static void
flip(char *bytes, gsize size, GRand *rand)
{
	int n = 1 << g_rand_int_range(rand, 0, 8);
	gsize where = (gsize)g_rand_int_range(rand, 0, (gint32)size);

	for (int i = 0; i < n; i++) {
		/* All over the file, on one page, or in the first. */
		gsize at = n & 1   ? where
			   : n & 2 ? (gsize)g_rand_int_range(rand, 0, 4096)
			   : n & 4 ? where / 4096 * 4096 + (gsize)g_rand_int_range(rand, 0, 4096)
				   : (gsize)g_rand_int_range(rand, 0, (gint32)size);

		if (at < size)
			bytes[at] = (char)g_rand_int_range(rand, 0, 256);
	}
}

/* A call that may work, or fail as the header says. */
static bool
may(bool ok, GError **error)
{
	if (!ok) {
		if (!postern_error_is(*error, POSTERN_ERROR_STORE) &&
		    !postern_error_is(*error, POSTERN_ERROR_GONE))
			fail_msg("%s", *error ? (*error)->message : "no error set");
		g_clear_error(error);
	}
	return ok;
}

static void
use_mailbox(Session *s)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_autofree uint32_t *uids = NULL;
	GError *error = NULL;
	uint32_t total = 0, found;
	size_t n;

	if (may(store_window(s->store, s->inbox, 0, 400, true, &rows, &total, &error), &error)) {
		for (guint i = 0; i < rows->len; i += 50) {
			const StoreRow *row = g_ptr_array_index(rows, i);
			g_autoptr(GBytes) bytes = NULL;

			may(store_part_load(s->store, row->id, "1", &bytes, &error), &error);
			may(store_offset_of(s->store, s->inbox, row->id, &found, &error), &error);
		}
	}
	may(store_offset_next(s->store, s->inbox, 0, true, STORE_FLAG_DRAFT, STORE_FLAG_DRAFT,
			      &found, &error),
	    &error);
	may(store_message_uids(s->store, s->inbox, &uids, &n, &error), &error);
}

static void
use_all(Store *store)
{
	static const StepFunc steps[] = { flag_some,   put_between, put_part,	 put_again,
					  remove_some, tidy,	    reset_inbox, put_older };
	g_autoptr(GPtrArray) mailboxes = NULL;
	GError *error = NULL;
	Session s;

	session_init(&s, store);
	if (may(store_mailboxes(store, 0, &mailboxes, &error), &error)) {
		for (guint i = 0; i < mailboxes->len; i++) {
			s.inbox = ((StoreMailbox *)g_ptr_array_index(mailboxes, i))->id;
			use_mailbox(&s);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		may(steps[i](&s, &error), &error);
	use_mailbox(&s);
	for (int i = 0; i < 20; i++)
		may(tidy(&s, &error), &error);
	session_clear(&s);
}

/* Opens, uses and closes the database of these bytes; once damage was met, the next opening sets it
 * aside, and there is a good one. */
static void
live_with(const char *dir, const char *bytes, gsize size)
{
	char *path = fresh_dir(dir);
	g_autofree char *file = place_file(path, "mail.db");
	g_autofree char *mark = place_file(path, "mail.db.damaged");
	bool marked = false;

	assert_true(g_file_set_contents(file, bytes, (gssize)size, NULL));
	for (int round = 0; round < 2; round++) {
		g_autofree char *notice = NULL;
		GError *error = NULL;
		Store *store = store_open(path, STORE_WRITER, NULL, &notice, &error);

		if (!may(store != NULL, &error)) {
			/* Only one that seems newer is left standing. */
			assert_false(marked);
			break;
		}
		assert_true(notice || !marked);
		if (notice) {
			must_be_sound(store);
			put_plain(store, make_mailbox(store, "Fresh"), 1, 10, 0, 0);
			store_close(store);
			break;
		}
		use_all(store);
		marked = g_file_test(mark, G_FILE_TEST_EXISTS);
		if (!marked)
			break;
	}
	remove_dir(path);
}

static void
any_flipped_bytes_are_lived_with(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	char *path = fresh_dir(*state);
	g_autofree char *file = place_file(path, "mail.db");
	g_autofree char *whole = NULL;
	gsize size;

	fault_set(FAULT_NONE, 0);
	make_small_database(path);
	assert_true(g_file_get_contents(file, &whole, &size, NULL));
	remove_dir(path);
	for (int i = 0; i < FLIPPED_RUNS; i++) {
		g_autofree char *bytes = g_memdup2(whole, size);

		flip(bytes, size, rand);
		live_with(*state, bytes, size);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_disk_at_any_write_changes_nothing_and_is_overcome),
		TEST(a_disk_that_stays_full_changes_nothing_and_is_overcome),
		TEST(a_disk_without_any_room_is_read_all_the_same),
		TEST(an_error_at_any_write_changes_nothing_and_is_overcome),
		TEST(an_error_at_any_read_changes_nothing_and_is_overcome),
		TEST(a_kill_at_any_write_loses_nothing_that_was_done),
		TEST(any_flipped_bytes_are_lived_with),
	};

	fault_install();
	return cmocka_run_group_tests_name("store/faults", tests, NULL, NULL);
}
