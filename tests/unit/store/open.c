/* Opening: who may, what is set aside, what is refused, and who can read the files. */
#include "support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A database with one mailbox of N messages, closed. */
static void
make_database(const char *dir, uint32_t n)
{
	g_autoptr(Store) store = open_writer(dir);

	put_plain(store, make_mailbox(store, "INBOX"), 1, n, 1000, 0);
}

static void
run_sql(const char *dir, const char *sql)
{
	g_autofree char *path = place_file(dir, "mail.db");
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
write_file(const char *dir, const char *name, const void *bytes, size_t size)
{
	g_autofree char *path = place_file(dir, name);

	assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

static unsigned
count_set_aside(const char *dir)
{
	GDir *entries = g_dir_open(dir, 0, NULL);
	const char *name;
	unsigned n = 0;

	while ((name = g_dir_read_name(entries)))
		n +=
		    g_str_has_prefix(name, "mail.db.set-aside-") && !g_str_has_suffix(name, "-wal");
	g_dir_close(entries);
	return n;
}

/* What is there is set aside with a notice, and a usable empty store is open. */
static void
must_be_set_aside(const char *dir, const char *notice_says)
{
	g_autofree char *notice = NULL;
	GError *error = NULL;
	g_autoptr(Store) store = store_open(dir, STORE_WRITER, NULL, &notice, &error);

	MUST(store != NULL);
	assert_non_null(notice);
	assert_non_null(strstr(notice, notice_says));
	assert_int_equal(count_set_aside(dir), 1);
	put_plain(store, make_mailbox(store, "INBOX"), 1, 3, 1000, 0);
	must_be_sound(store);
}

static void
a_reader_without_a_database_is_told_so(void **state)
{
	GError *error = NULL;

	MUST_FAIL(store_open(*state, STORE_READER, NULL, NULL, &error) != NULL, POSTERN_ERROR_GONE);
}

static void
what_was_written_is_there_after_reopening(void **state)
{
	g_autofree char *before = NULL, *after = NULL;
	Store *store = open_writer(*state);

	put_plain(store, make_mailbox(store, "INBOX"), 1, 100, 1000, STORE_FLAG_SEEN);
	before = store_digest(store);
	store_close(store);
	store = open_writer(*state);
	after = store_digest(store);
	assert_string_equal(before, after);
	must_be_sound(store);
	store_close(store);
}

static void
a_second_writer_is_refused_and_told_who_is_at_work(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree char *pid = g_strdup_printf("%ld", (long)getpid());
	GError *error = NULL;

	assert_null(store_open(*state, STORE_WRITER, NULL, NULL, &error));
	assert_non_null(strstr(error->message, pid));
	MUST_FAIL(false, POSTERN_ERROR_OFFLINE);
}

static void
the_lock_is_free_once_the_writer_is_closed(void **state)
{
	store_close(open_writer(*state));
	store_close(open_writer(*state));
}

static void
a_killed_writer_leaves_no_lock_and_loses_nothing_committed(void **state)
{
	g_autoptr(Store) store = NULL;
	g_autofree char *uids = NULL;
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		GError *error = NULL;
		Store *writer = store_open(*state, STORE_WRITER, NULL, NULL, &error);

		put_plain(writer, make_mailbox(writer, "INBOX"), 1, 5, 1000, 0);
		store_begin(writer, &error);
		put_plain(writer, make_mailbox(writer, "INBOX"), 6, 5, 2000, 0);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	store = open_writer(*state);
	uids = window_uids(store, make_mailbox(store, "INBOX"), 0, 100);
	assert_string_equal(uids, "5 4 3 2 1");
	must_be_sound(store);
}

static void
files_are_closed_to_others_whatever_the_umask(void **state)
{
	static const char *const names[] = { "mail.db", "mail.db-wal", "mail.db-shm", "lock" };
	mode_t old = umask(0);
	g_autoptr(Store) store = open_writer(*state);

	put_plain(store, make_mailbox(store, "INBOX"), 1, 5, 1000, 0);
	umask(old);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = place_file(*state, names[i]);
		struct stat info;

		assert_int_equal(stat(path, &info), 0);
		assert_int_equal(info.st_mode & 07777, 0600);
	}
}

static void
files_that_stand_open_are_closed_to_others(void **state)
{
	g_autofree char *path = place_file(*state, "mail.db");
	struct stat info;

	make_database(*state, 1);
	assert_int_equal(chmod(path, 0644), 0);
	store_close(open_writer(*state));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
}

static void
a_link_in_place_of_a_file_is_refused(void **state)
{
	static const char *const names[] = { "mail.db", "mail.db-wal", "mail.db-shm", "lock" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = place_file(*state, names[i]);
		g_autofree char *target = place_file(*state, "elsewhere");
		GError *error = NULL;

		g_unlink(path);
		assert_int_equal(symlink(target, path), 0);
		MUST_FAIL(store_open(*state, STORE_WRITER, NULL, NULL, &error) != NULL,
			  POSTERN_ERROR_STORE);
		assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
		g_unlink(path);
	}
}

static void
an_empty_file_becomes_a_database(void **state)
{
	write_file(*state, "mail.db", "", 0);
	make_database(*state, 3);
}

static void
garbage_is_set_aside(void **state)
{
	char bytes[9000];

	memset(bytes, 'x', sizeof bytes);
	write_file(*state, "mail.db", bytes, sizeof bytes);
	must_be_set_aside(*state, "damaged");
}

static void
a_short_file_is_set_aside(void **state)
{
	write_file(*state, "mail.db", "SQLite format 3", 15);
	must_be_set_aside(*state, "damaged");
}

static void
somebody_elses_database_is_set_aside(void **state)
{
	run_sql(*state, "CREATE TABLE bookmarks(url); PRAGMA user_version = 1;");
	must_be_set_aside(*state, "not one that Postern made");
}

static void
a_reader_sets_nothing_aside(void **state)
{
	GError *error = NULL;

	run_sql(*state, "CREATE TABLE bookmarks(url);");
	MUST_FAIL(store_open(*state, STORE_READER, NULL, NULL, &error) != NULL,
		  POSTERN_ERROR_STORE);
	assert_int_equal(count_set_aside(*state), 0);
}

static void
a_newer_database_is_refused_and_left_alone(void **state)
{
	g_autofree char *path = place_file(*state, "mail.db");
	g_autofree char *before = NULL, *after = NULL;
	GError *error = NULL;
	gsize size_before, size_after;

	make_database(*state, 5);
	run_sql(*state, "PRAGMA user_version = 1000;");
	assert_true(g_file_get_contents(path, &before, &size_before, NULL));
	for (int role = STORE_READER; role <= STORE_WRITER; role++) {
		assert_null(store_open(*state, (StoreRole)role, NULL, NULL, &error));
		assert_non_null(strstr(error->message, "newer Postern"));
		MUST_FAIL(false, POSTERN_ERROR_STORE);
	}
	assert_true(g_file_get_contents(path, &after, &size_after, NULL));
	assert_int_equal(size_before, size_after);
	assert_memory_equal(before, after, size_before);
	assert_int_equal(count_set_aside(*state), 0);
}

static void
a_truncated_database_is_set_aside_at_open(void **state)
{
	g_autofree char *path = place_file(*state, "mail.db");
	struct stat info;

	make_database(*state, 2000);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(truncate(path, info.st_size / 2), 0);
	must_be_set_aside(*state, "damaged");
}

static void
a_missing_table_is_damage(void **state)
{
	make_database(*state, 5);
	run_sql(*state, "DROP TABLE state;");
	must_be_set_aside(*state, "damaged");
}

/* Overwrites the page on which the newest rows are. */
static void
damage_rows(const char *dir)
{
	g_autofree char *path = place_file(dir, "mail.db");
	g_autofree char *content = NULL;
	char noise[512];
	gsize size;
	char *at = NULL;
	int fd;

	assert_true(g_file_get_contents(path, &content, &size, NULL));
	for (gsize i = 0; i + 13 < size; i++) {
		if (memcmp(content + i, "subject 2000\0", 12) == 0)
			at = content + i;
	}
	assert_non_null(at);
	memset(noise, 0xff, sizeof noise);
	fd = open(path, O_WRONLY);
	assert_true(pwrite(fd, noise, sizeof noise, (at - content) / 4096 * 4096) == sizeof noise);
	close(fd);
}

static void
damage_met_later_fails_that_call_and_is_set_aside_next_time(void **state)
{
	g_autofree char *mark = place_file(*state, "mail.db.damaged");
	g_autoptr(GPtrArray) rows = NULL;
	Store *store;
	GError *error = NULL;
	uint32_t total;
	StoreId mailbox;

	make_database(*state, 2000);
	damage_rows(*state);
	store = open_writer(*state);
	mailbox = make_mailbox(store, "INBOX");
	assert_false(store_window(store, mailbox, 0, 50, false, &rows, &total, &error));
	assert_non_null(strstr(error->message, "start it again"));
	MUST_FAIL(false, POSTERN_ERROR_STORE);
	assert_true(g_file_test(mark, G_FILE_TEST_EXISTS));
	store_close(store);
	must_be_set_aside(*state, "damaged");
	assert_false(g_file_test(mark, G_FILE_TEST_EXISTS));
	store_close(open_writer(*state));
}

static void
a_missing_directory_is_an_error(void **state)
{
	g_autofree char *path = place_file(*state, "nowhere");
	GError *error = NULL;

	MUST_FAIL(store_open(path, STORE_WRITER, NULL, NULL, &error) != NULL, POSTERN_ERROR_STORE);
}

static void
opening_reads_few_rows(void **state)
{
	g_autoptr(Store) store = NULL;
	StoreStats stats;

	make_database(*state, 20000);
	store = open_reader(*state);
	store_stats(store, &stats);
	assert_true(stats.rows_read < 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reader_without_a_database_is_told_so),
		TEST(what_was_written_is_there_after_reopening),
		TEST(a_second_writer_is_refused_and_told_who_is_at_work),
		TEST(the_lock_is_free_once_the_writer_is_closed),
		TEST(a_killed_writer_leaves_no_lock_and_loses_nothing_committed),
		TEST(files_are_closed_to_others_whatever_the_umask),
		TEST(files_that_stand_open_are_closed_to_others),
		TEST(a_link_in_place_of_a_file_is_refused),
		TEST(an_empty_file_becomes_a_database),
		TEST(garbage_is_set_aside),
		TEST(a_short_file_is_set_aside),
		TEST(somebody_elses_database_is_set_aside),
		TEST(a_reader_sets_nothing_aside),
		TEST(a_newer_database_is_refused_and_left_alone),
		TEST(a_truncated_database_is_set_aside_at_open),
		TEST(a_missing_table_is_damage),
		TEST(damage_met_later_fails_that_call_and_is_set_aside_next_time),
		TEST(a_missing_directory_is_an_error),
		TEST(opening_reads_few_rows),
	};

	return cmocka_run_group_tests_name("store/open", tests, NULL, NULL);
}
