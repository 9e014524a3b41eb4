/* What the store costs, printed.  store-bench [MESSAGES] */
#include "base/paths.h"
#include "store-sample.h"
#include "store/journal.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE 2000

static double
seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Says what failed, and ends. */
static void
need(bool ok, GError **error)
{
	if (ok)
		return;
	fprintf(stderr, "store-bench: %s\n", (*error)->message);
	exit(1);
}

static Store *
open_store(const char *dir, StoreRole role)
{
	GError *error = NULL;
	Store *store = store_open(dir, role, NULL, NULL, &error);

	need(store != NULL, &error);
	return store;
}

static StoreId
inbox_of(Store *store)
{
	StoreMailbox mailbox = { .raw = (char *)"INBOX",
				 .raw_size = 5,
				 .name = (char *)"INBOX",
				 .delimiter = '/',
				 .role = STORE_ROLE_INBOX,
				 .selectable = true };
	GError *error = NULL;

	need(store_account(store, "bench", &mailbox.account, &error), &error);
	need(store_mailbox_put(store, &mailbox, &error), &error);
	return mailbox.id;
}

/* ---- filling ------------------------------------------------------------------------------------ */

static void
fill(const char *dir, uint32_t n)
{
	g_autoptr(Store) store = open_store(dir, STORE_WRITER);
	g_autoptr(Sample) sample = sample_new(n, 1);
	StoreId inbox = inbox_of(store);
	GError *error = NULL;
	double making, wall, cpu;

	/* What making the mail up costs is taken off again. */
	making = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (uint32_t left = n; left > 0; left -= MIN(left, SLICE))
		sample_messages(sample, left - MIN(left, SLICE), MIN(left, SLICE));
	making = seconds(CLOCK_THREAD_CPUTIME_ID) - making;
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	need(sample_fill(sample, n, store, inbox, SLICE, &error), &error);
	wall = seconds(CLOCK_MONOTONIC) - wall - making;
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu - making;
	printf("fill, newest first, slices of %d   %8.0f messages/s of CPU, %.0f of wall time\n",
	       SLICE, n / cpu, n / wall);
}

/* The worst order there is: every slice falls all over the mailbox. */
static void
fill_random(const char *dir, uint32_t n)
{
	g_autoptr(Store) store = open_store(dir, STORE_WRITER);
	g_autoptr(Sample) sample = sample_new(n, 2);
	StoreId inbox = inbox_of(store);
	GError *error = NULL;
	double cpu = 0, last = 0;

	for (uint32_t at = 0; at < n; at += 5000) {
		uint32_t take = MIN(5000, n - at);
		const StoreMessage *made = sample_messages(sample, at, take);
		g_autofree StoreMessage *messages = g_memdup2(made, take * sizeof *made);
		double before;

		for (uint32_t i = 0; i < take; i++)
			messages[i].date = g_random_int();
		before = seconds(CLOCK_THREAD_CPUTIME_ID);
		need(store_messages_put(store, inbox, messages, take, &error), &error);
		last = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		cpu += last;
	}
	printf("fill, random dates, slices of 5000 %8.0f messages/s of CPU; the last slice %.0f "
	       "ms\n",
	       n / cpu, last * 1e3);
}

/* ---- looking -------------------------------------------------------------------------------------- */

static void
look(Store *store, StoreId inbox, const char *what, uint32_t offset, double since)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;
	StoreStats before, after;
	uint32_t total;

	store_stats(store, &before);
	need(store_window(store, inbox, offset, 50, false, &rows, &total, &error), &error);
	store_stats(store, &after);
	printf("%-35s%8.2f ms, %3u rows read, %u chunks\n", what,
	       (seconds(CLOCK_MONOTONIC) - since) * 1e3,
	       (unsigned)(after.rows_read - before.rows_read),
	       (unsigned)(after.chunks_read - before.chunks_read));
}

static void
look_around(const char *dir, uint32_t n)
{
	double since = seconds(CLOCK_MONOTONIC);
	g_autoptr(Store) store = open_store(dir, STORE_READER);
	g_autoptr(GPtrArray) mailboxes = NULL;
	GError *error = NULL;
	struct rusage usage;
	StoreId inbox;
	uint32_t found;

	need(store_mailboxes(store, 0, &mailboxes, &error), &error);
	inbox = ((StoreMailbox *)g_ptr_array_index(mailboxes, 0))->id;
	look(store, inbox, "open, folders and newest 50", 0, since);
	look(store, inbox, "page down", 50, seconds(CLOCK_MONOTONIC));
	look(store, inbox, "page down", 100, seconds(CLOCK_MONOTONIC));
	look(store, inbox, "end", n - MIN(n, 50), seconds(CLOCK_MONOTONIC));
	look(store, inbox, "home", 0, seconds(CLOCK_MONOTONIC));
	look(store, inbox, "jump to the middle", n / 2, seconds(CLOCK_MONOTONIC));
	since = seconds(CLOCK_MONOTONIC);
	store_offset_next(store, inbox, n / 2, true, STORE_FLAG_DRAFT, STORE_FLAG_DRAFT, &found,
			  NULL);
	printf("%-35s%8.2f ms\n", "search for a flag that none has",
	       (seconds(CLOCK_MONOTONIC) - since) * 1e3);
	getrusage(RUSAGE_SELF, &usage);
	printf("%-35s%8.1f MB\n", "memory of a process that looked", (double)usage.ru_maxrss / 1e3);
}

/* In a process of its own, so that its memory is its own. */
static void
look_around_apart(const char *dir, uint32_t n)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		g_autofree char *count = g_strdup_printf("%u", n);

		execl("/proc/self/exe", "store-bench", "look", dir, count, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* ---- changing --------------------------------------------------------------------------------------- */

/* STEP: of every how many messages one is changed; from the newest on. */
static void
change_flags(Store *store, StoreId inbox, uint32_t n, uint32_t changes, uint32_t step,
	     uint16_t flags, const char *what)
{
	g_autofree StoreFlagChange *all = g_new0(StoreFlagChange, changes);
	GError *error = NULL;
	StoreStats before, after;
	double since;
	size_t changed;

	for (uint32_t i = 0; i < changes; i++) {
		all[i].uid = n - i * step;
		all[i].flags = flags;
	}
	store_stats(store, &before);
	since = seconds(CLOCK_MONOTONIC);
	need(store_messages_flag(store, inbox, all, changes, &changed, &error), &error);
	store_stats(store, &after);
	printf("%-35s%8.2f ms, %zu changed, %u chunks and %u rows written\n", what,
	       (seconds(CLOCK_MONOTONIC) - since) * 1e3, changed,
	       (unsigned)(after.chunks_written - before.chunks_written),
	       (unsigned)(after.rows_written - before.rows_written));
}

static void
change(const char *dir, uint32_t n)
{
	g_autoptr(Store) store = open_store(dir, STORE_WRITER);
	g_autofree uint32_t *uids = NULL;
	StoreId inbox = inbox_of(store);
	GError *error = NULL;
	double since;
	size_t n_uids;

	change_flags(store, inbox, n, 1, 1, STORE_FLAG_DELETED, "one flag");
	change_flags(store, inbox, n, 10000, 1, STORE_FLAG_FLAGGED, "flags of 10,000 in a row");
	change_flags(store, inbox, n, 10000, n / 10000, STORE_FLAG_DELETED,
		     "flags of 10,000 all over");
	change_flags(store, inbox, n, MIN(n, 100000), 1, STORE_FLAG_ANSWERED,
		     "flags of 100,000 in a row");
	since = seconds(CLOCK_MONOTONIC);
	need(store_message_uids(store, inbox, &uids, &n_uids, &error), &error);
	printf("%-35s%8.2f ms\n", "every UID", (seconds(CLOCK_MONOTONIC) - since) * 1e3);
	since = seconds(CLOCK_MONOTONIC);
	need(store_messages_remove(store, inbox, uids + n_uids / 2, 1000, NULL, &error), &error);
	printf("%-35s%8.2f ms\n", "1,000 removed", (seconds(CLOCK_MONOTONIC) - since) * 1e3);
	since = seconds(CLOCK_MONOTONIC);
	need(store_mailbox_reset(store, inbox, &error), &error);
	printf("%-35s%8.2f ms\n", "reset", (seconds(CLOCK_MONOTONIC) - since) * 1e3);
}

/* ---- intents ---------------------------------------------------------------------------------------- */

static void
said(const char *what, double since, uint32_t n)
{
	printf("%-35s%8.2f ms, %u messages\n", what, (seconds(CLOCK_MONOTONIC) - since) * 1e3, n);
}

static StoreIntended
wish(Store *store, const char *what, const StoreIntent *intent)
{
	StoreIntended out;
	GError *error = NULL;
	double since = seconds(CLOCK_MONOTONIC);

	need(store_intend(store, intent, &out, &error), &error);
	said(what, since, out.n);
	return out;
}

/* As the server tells the new UIDs of what was moved. */
static void
confirm(Store *store, StoreId row, const char *what)
{
	g_autoptr(GArray) targets = NULL;
	g_autoptr(GArray) outcomes = g_array_new(FALSE, FALSE, sizeof(StoreOutcome));
	GError *error = NULL;
	double since;

	need(store_journal_sent(store, row, 1, 1, &error), &error);
	since = seconds(CLOCK_MONOTONIC);
	need(store_journal_targets(store, row, 0, UINT32_MAX, &targets, &error), &error);
	said("the targets of that", since, targets->len);
	for (guint i = 0; i < targets->len; i++) {
		StoreOutcome outcome = { .message = g_array_index(targets, StoreTarget, i).message,
					 .state = STORE_TARGET_DONE,
					 .uid = i + 1 };

		g_array_append_val(outcomes, outcome);
	}
	since = seconds(CLOCK_MONOTONIC);
	need(store_journal_done(store, row, (StoreOutcome *)outcomes->data, outcomes->len, &error),
	     &error);
	said(what, since, outcomes->len);
}

static void
take_back(Store *store, const char *what)
{
	StoreUndone undone;
	GError *error = NULL;
	double since = seconds(CLOCK_MONOTONIC);

	need(store_undo(store, 0, &undone, &error), &error);
	g_free(undone.words);
	said(what, since, undone.n);
}

/* N messages, of which up to 100,000 are marked and 10,000 moved. */
static void
intend(const char *dir, uint32_t n)
{
	g_autoptr(Store) store = open_store(dir, STORE_WRITER);
	g_autoptr(Sample) sample = sample_new(n, 3);
	StoreMailbox archive = { .raw = (char *)"Archive",
				 .raw_size = 7,
				 .name = (char *)"Archive",
				 .selectable = true };
	const uint32_t range[] = { 1, 10000 };
	StoreIntent flag = { .kind = STORE_INTENT_FLAG,
			     .mailbox = inbox_of(store),
			     .all = true,
			     .flag = STORE_FLAG_ANSWERED,
			     .set = true };
	StoreIntent move = { .kind = STORE_INTENT_MOVE,
			     .uid_ranges = range,
			     .n_uid_ranges = 1,
			     .mailbox = flag.mailbox };
	StoreIntended out;
	GError *error = NULL;
	double since;

	need(store_account(store, "bench", &archive.account, &error), &error);
	need(store_mailbox_put(store, &archive, &error), &error);
	move.dest = archive.id;
	need(sample_fill(sample, n, store, flag.mailbox, SLICE, &error), &error);
	wish(store, "a flag, of a whole folder", &flag);
	take_back(store, "undone while it waits");
	out = wish(store, "again", &flag);
	need(store_journal_sent(store, out.row, 0, 0, &error), &error);
	since = seconds(CLOCK_MONOTONIC);
	need(store_journal_done(store, out.row, NULL, 0, &error), &error);
	said("confirmed as a whole", since, out.n);
	take_back(store, "undone after that");
	out = wish(store, "10,000 moved", &move);
	confirm(store, out.row, "confirmed one by one");
}

/* ---- putting it together ------------------------------------------------------------------------------ */

static void
print_size(const char *dir, uint32_t n)
{
	g_autofree char *path = g_build_filename(dir, "mail.db", NULL);
	GStatBuf info;

	if (g_stat(path, &info) == 0)
		printf("%-35s%8.0f MB, %.0f bytes a message\n", "size", (double)info.st_size / 1e6,
		       (double)info.st_size / n);
}

static void
remove_dir(const char *dir)
{
	static const char *const names[] = { "mail.db", "mail.db-wal", "mail.db-shm", "lock" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		g_unlink(path);
	}
	g_rmdir(dir);
}

static char *
temporary_dir(void)
{
	GError *error = NULL;
	char *dir = g_dir_make_tmp("store-bench-XXXXXX", &error);

	need(dir != NULL, &error);
	return dir;
}

int
main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	g_autofree char *dir = NULL, *random = NULL;

	if (argc == 4 && g_str_equal(argv[1], "look")) {
		look_around(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
		return 0;
	}
	n = MAX(n, 10000);
	printf("%u messages\n", n);
	dir = temporary_dir();
	fill(dir, n);
	print_size(dir, n);
	look_around_apart(dir, n);
	change(dir, n);
	remove_dir(dir);
	g_free(dir);
	dir = temporary_dir();
	intend(dir, MIN(n, 100000));
	remove_dir(dir);
	random = temporary_dir();
	fill_random(random, n);
	remove_dir(random);
	return 0;
}
