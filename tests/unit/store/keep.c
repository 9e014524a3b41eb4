/* What is kept: parts that go on after a cut, many at once, which go first, and which are missing. */
#include "support.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOTAL 1000000

static char
byte_at(size_t n)
{
	return (char)(n * 13 + n / 777);
}

/* Bytes FROM up to TO of the big part. */
static void
append(StorePartWriter *writer, size_t from, size_t to)
{
	char piece[9973];
	GError *error = NULL;

	while (from < to) {
		size_t n = MIN(sizeof piece, to - from);

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(from + i);
		MUST(store_part_append(writer, span_of(piece, n), &error));
		from += n;
	}
}

static void
must_be_whole(Store *store, StoreId message)
{
	g_autoptr(GBytes) bytes = NULL;
	GError *error = NULL;
	const char *data;
	gsize size;

	MUST(store_part_load(store, message, "2", &bytes, &error));
	data = g_bytes_get_data(bytes, &size);
	assert_int_equal(size, TOTAL);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], byte_at(i));
}

static StoreId
message_of(Store *store, uint32_t uid)
{
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 5, 1000, 0);
	return id_of_uid(store, mailbox, uid);
}

static void
tidy_all(Store *store)
{
	GError *error = NULL;
	bool more;

	do
		MUST(store_tidy(store, &more, &error));
	while (more);
}

static void
run_sql(const char *dir, const char *script)
{
	g_autofree char *path = place_file(dir, "mail.db");
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, script, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
put_sized(Store *store, StoreId message, const char *section, size_t size)
{
	g_autofree char *zeros = g_malloc0(size + 1);
	g_autoptr(GBytes) bytes = g_bytes_new(zeros, size);
	GError *error = NULL;

	MUST(store_part_put(store, message, section, bytes, &error));
}

static uint64_t
kept(Store *store)
{
	GError *error = NULL;
	uint64_t bytes;

	MUST(store_kept(store, 1, &bytes, &error));
	return bytes;
}

static bool
has(Store *store, StoreId message, const char *section)
{
	GError *error = NULL;
	bool is;

	MUST(store_part_has(store, message, section, &is, &error));
	return is;
}

/* ---- going on ----------------------------------------------------------------------------------- */

static void
a_part_goes_on_where_it_was_left(void **state)
{
	static const size_t cuts[] = { 1, 100, 262143, 262144, 262145, 500000, 999999, TOTAL };
	StoreId message = 0;
	size_t at = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
		g_autoptr(Store) store = open_writer(*state);
		GError *error = NULL;
		StorePartWriter *writer;
		uint64_t here;

		message = message_of(store, 3);
		writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
		MUST(writer != NULL);
		assert_int_equal(here, at);
		append(writer, at, cuts[i]);
		at = cuts[i];
		if (at == TOTAL) {
			MUST(store_part_finish(writer, message, "2", &error));
			must_be_whole(store, message);
		} else {
			store_part_leave(writer);
			assert_false(has(store, message, "2"));
		}
		tidy_all(store);
		must_be_sound(store);
	}
}

static void
a_killed_writer_costs_less_than_a_piece(void **state)
{
	g_autoptr(Store) store = NULL;
	GError *error = NULL;
	StorePartWriter *writer;
	StoreId message;
	uint64_t here;
	pid_t pid = fork();

	if (pid == 0) {
		Store *lost = open_writer(*state);
		StoreId id = message_of(lost, 3);

		append(store_part_resume(lost, id, "2", TOTAL, &here, NULL), 0, 900000);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	store = open_writer(*state);
	message = message_of(store, 3);
	writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
	MUST(writer != NULL);
	assert_in_range(here, 900000 - (256 << 10), 900000);
	append(writer, here, TOTAL);
	MUST(store_part_finish(writer, message, "2", &error));
	must_be_whole(store, message);
	must_be_sound(store);
}

static void
what_was_of_another_total_is_begun_anew(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3);
	StorePartWriter *writer;
	uint64_t here;

	writer = store_part_resume(store, message, "2", TOTAL + 1, &here, &error);
	append(writer, 0, 600000);
	store_part_leave(writer);
	writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
	assert_int_equal(here, 0);
	append(writer, 0, TOTAL);
	MUST(store_part_finish(writer, message, "2", &error));
	must_be_whole(store, message);
	tidy_all(store);
	must_be_sound(store);
}

static void
two_that_bring_the_same_part_do_not_meet(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3);
	StorePartWriter *a, *b;
	uint64_t here;

	a = store_part_resume(store, message, "2", TOTAL, &here, &error);
	append(a, 0, 700000);
	b = store_part_resume(store, message, "2", TOTAL, &here, &error);
	assert_int_equal(here, 0);
	append(b, 0, 300000);
	append(a, 700000, TOTAL);
	MUST(store_part_finish(a, message, "2", &error));
	append(b, 300000, TOTAL);
	store_part_leave(b);
	must_be_whole(store, message);
	tidy_all(store);
	must_be_sound(store);
}

static void
what_came_of_a_part_goes_with_its_message(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3), other = message_of(store, 4);
	uint32_t uids[] = { 3, 4 };
	StorePartWriter *writer, *writing;
	uint64_t here;

	writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
	append(writer, 0, 600000);
	store_part_leave(writer);
	writing = store_part_resume(store, other, "2", TOTAL, &here, &error);
	append(writing, 0, 600000);
	MUST(store_messages_remove(store, make_mailbox(store, "INBOX"), uids, 2, NULL, &error));
	must_be_sound(store);
	tidy_all(store);
	append(writing, 600000, TOTAL);
	store_part_leave(writing);
	tidy_all(store);
	must_be_sound(store);
	store_close(g_steal_pointer(&store));
	store = open_writer(*state);
	must_be_sound(store);
}

static void
what_nobody_takes_up_again_goes_after_a_month(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3);
	StorePartWriter *writer;
	uint64_t here;
	bool more;

	writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
	append(writer, 0, 600000);
	store_part_leave(writer);
	store_close(g_steal_pointer(&store));
	run_sql(*state, "UPDATE unfinished SET begun = begun - 31 * 86400");
	store = open_writer(*state);
	must_be_sound(store);
	MUST(store_tidy(store, &more, &error));
	assert_true(more);
	tidy_all(store);
	writer = store_part_resume(store, message, "2", TOTAL, &here, &error);
	assert_int_equal(here, 0);
	store_part_abort(writer);
}

/* ---- many at once ------------------------------------------------------------------------------- */

static void
many_parts_are_one_transaction_and_a_message_that_went_stops_none(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	StorePartDone parts[5] = { 0 };
	StoreStats before, after;
	uint32_t gone = 2;

	put_plain(store, mailbox, 1, 5, 1000, 0);
	for (uint32_t i = 0; i < 5; i++) {
		parts[i].message = id_of_uid(store, mailbox, i + 1);
		parts[i].section = "";
		parts[i].writer = store_part_begin(store, &error);
		MUST(store_part_append(parts[i].writer, SPAN_LITERAL("the whole"), &error));
	}
	MUST(store_messages_remove(store, mailbox, &gone, 1, NULL, &error));
	store_stats(store, &before);
	MUST(store_parts_finish(store, parts, 5, &error));
	store_stats(store, &after);
	assert_int_equal(after.transactions - before.transactions, 1);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(parts[i].gone, i == 1);
		if (i != 1)
			assert_true(has(store, parts[i].message, ""));
	}
	must_be_sound(store);
}

/* ---- what goes ---------------------------------------------------------------------------------- */

static void
bytes_kept_are_counted_as_parts_come_and_go(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3), other = message_of(store, 4);
	uint32_t uid = 3;

	assert_int_equal(kept(store), 0);
	put_sized(store, message, "1", 1000);
	put_sized(store, message, "2", 300000);
	put_sized(store, other, "", 50);
	assert_int_equal(kept(store), 301050);
	put_sized(store, message, "1", 10);
	assert_int_equal(kept(store), 300060);
	MUST(store_messages_remove(store, make_mailbox(store, "INBOX"), &uid, 1, NULL, &error));
	assert_int_equal(kept(store), 50);
	tidy_all(store);
	assert_int_equal(kept(store), 50);
	must_be_sound(store);
}

static void
what_was_least_recently_looked_at_goes_first(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	int64_t oldest;
	bool more = true;

	put_plain(store, mailbox, 1, 200, 1000, 0);
	for (uint32_t uid = 1; uid <= 200; uid++) {
		StorePartDone part = { .message = id_of_uid(store, mailbox, uid),
				       .section = "1",
				       .looked = 3600 * (INT64_C(1000) - uid) };

		part.writer = store_part_begin(store, &error);
		MUST(store_part_append(part.writer, SPAN_LITERAL("0123456789"), &error));
		MUST(store_parts_finish(store, &part, 1, &error));
	}
	MUST(store_kept_oldest(store, 1, &oldest, &error));
	assert_int_equal(oldest, 3600 * 800);
	MUST(store_looked(store, id_of_uid(store, mailbox, 200), &error));
	MUST(store_kept_oldest(store, 1, &oldest, &error));
	assert_int_equal(oldest, 3600 * 801);
	for (unsigned slices = 0; more; slices++) {
		assert_true(slices < 10);
		MUST(store_evict(store, 1, 505, &more, &error));
	}
	assert_int_equal(kept(store), 500);
	assert_true(has(store, id_of_uid(store, mailbox, 200), "1"));
	assert_true(has(store, id_of_uid(store, mailbox, 49), "1"));
	assert_false(has(store, id_of_uid(store, mailbox, 50), "1"));
	assert_false(has(store, id_of_uid(store, mailbox, 199), "1"));
	tidy_all(store);
	must_be_sound(store);
}

static void
reading_again_within_the_hour_writes_nothing(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3), other = message_of(store, 4);
	StoreStats before, after;

	put_sized(store, message, "1", 1000);
	MUST(store_looked(store, message, &error));
	store_stats(store, &before);
	MUST(store_looked(store, message, &error));
	MUST(store_looked(store, other, &error));
	store_stats(store, &after);
	assert_int_equal(after.rows_written, before.rows_written);
	assert_int_equal(after.transactions, before.transactions);
}

static void
what_the_server_no_longer_has_does_not_go(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = message_of(store, 3);
	bool more;

	put_sized(store, message, "1", 1000);
	MUST(store_account_set(store, 1, "doubt/1", "INBOX", &error));
	MUST(store_evict(store, 1, 0, &more, &error));
	assert_true(has(store, message, "1"));
	MUST(store_account_set(store, 1, "doubt/1", NULL, &error));
	MUST(store_mailboxes_keep(store, 1, NULL, 0, &error));
	MUST(store_evict(store, 1, 0, &more, &error));
	assert_false(more);
	assert_true(has(store, message, "1"));
}

/* ---- what is missing ---------------------------------------------------------------------------- */

static void
the_walk_finds_what_is_not_whole_and_passes_over_nothing(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId mailbox = make_mailbox(store, "INBOX");
	g_autoptr(GString) seen = g_string_new(NULL);
	StoreWalk walk = { .below = STORE_WALK_START, .since = 1000 + 60 * 599 };
	uint32_t gone[] = { 1999, 1500 };

	put_plain(store, mailbox, 1, 2000, 1000, 0);
	for (uint32_t uid = 1; uid <= 2000; uid++)
		if (uid % 200)
			put_sized(store, id_of_uid(store, mailbox, uid), "", 1);
	put_sized(store, id_of_uid(store, mailbox, 1600), "1", 1);
	for (unsigned looks = 0; walk.below; looks++) {
		g_autoptr(GPtrArray) bodies = NULL;

		assert_true(looks < 20);
		MUST(store_bodies(store, mailbox, &walk, 2, &bodies, &error));
		for (guint i = 0; i < bodies->len; i++) {
			const StoreBody *body = g_ptr_array_index(bodies, i);

			assert_int_equal(body->message, id_of_uid(store, mailbox, body->uid));
			assert_true(body->size > 0);
			g_string_append_printf(seen, "%u ", body->uid);
		}
		if (looks == 0)
			MUST(store_messages_remove(store, mailbox, gone, 2, NULL, &error));
	}
	assert_string_equal(seen->str, "2000 1800 1600 1400 1200 1000 800 600 ");
	assert_int_equal(walk.looked, 1999);
}

/* ---- an older database -------------------------------------------------------------------------- */

/* The tables as the first version made them. */
static const char first_schema[] =
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_message INTEGER NOT NULL,"
    " next_part INTEGER NOT NULL, next_epoch INTEGER NOT NULL, folders INTEGER NOT NULL);"
    "INSERT INTO state VALUES(1, 1, 1, 1, 1);"
    "CREATE TABLE accounts(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE facts(account INTEGER, key TEXT, value TEXT NOT NULL,"
    " PRIMARY KEY(account, key)) WITHOUT ROWID;"
    "CREATE TABLE mailboxes(id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,"
    " raw BLOB NOT NULL, name TEXT NOT NULL, delimiter INTEGER NOT NULL, role INTEGER NOT NULL,"
    " subscribed INTEGER NOT NULL, selectable INTEGER NOT NULL, has_children INTEGER NOT NULL,"
    " gone INTEGER NOT NULL, server_total INTEGER NOT NULL DEFAULT -1,"
    " server_unread INTEGER NOT NULL DEFAULT -1, uidvalidity INTEGER NOT NULL DEFAULT 0,"
    " uidnext INTEGER NOT NULL DEFAULT 0, highestmodseq INTEGER NOT NULL DEFAULT 0,"
    " epoch INTEGER NOT NULL UNIQUE, total INTEGER NOT NULL DEFAULT 0,"
    " unread INTEGER NOT NULL DEFAULT 0, known_from_uid INTEGER NOT NULL DEFAULT 0,"
    " mirrored_uidnext INTEGER NOT NULL DEFAULT 0,"
    " mirrored_modseq INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,"
    " UNIQUE(account, raw));"
    "CREATE TABLE dropped(epoch INTEGER PRIMARY KEY);"
    "CREATE TABLE messages(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, uid INTEGER,"
    " date INTEGER NOT NULL, received INTEGER NOT NULL, zone_min INTEGER NOT NULL,"
    " size INTEGER NOT NULL, attachments INTEGER NOT NULL, keywords TEXT, subject TEXT,"
    " from_ TEXT, to_ TEXT, cc TEXT, reply_to, message_id TEXT, in_reply_to TEXT,"
    " structure BLOB);"
    "CREATE TABLE uids(epoch INTEGER, uid INTEGER, id INTEGER NOT NULL, date INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL, PRIMARY KEY(epoch, uid)) WITHOUT ROWID;"
    "CREATE TABLE orders(epoch INTEGER PRIMARY KEY, directory BLOB NOT NULL);"
    "CREATE TABLE chunks(id INTEGER PRIMARY KEY, records BLOB NOT NULL);"
    "CREATE TABLE parts(id INTEGER PRIMARY KEY, message INTEGER, section TEXT NOT NULL,"
    " size INTEGER NOT NULL, pieces INTEGER NOT NULL);"
    "CREATE INDEX parts_message ON parts(message, section);"
    "CREATE TABLE pieces(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);";

/* Writes what is in the database anew, as the first version would have. */
static void
make_old(const char *dir)
{
	static const char *const tables[][2] = {
		{ "state", "one, next_message, next_part, next_epoch, folders" },
		{ "accounts", "id, name" },
		{ "facts", "account, key, value" },
		{ "mailboxes",
		  "id, account, raw, name, delimiter, role, subscribed, selectable, has_children, "
		  "gone,"
		  " server_total, server_unread, uidvalidity, uidnext, highestmodseq, epoch, total,"
		  " unread, known_from_uid, mirrored_uidnext, mirrored_modseq, version" },
		{ "messages",
		  "id, epoch, uid, date, received, zone_min, size, attachments, keywords, subject,"
		  " from_, to_, cc, reply_to, message_id, in_reply_to, structure" },
		{ "uids", "epoch, uid, id, date, modseq" },
		{ "orders", "epoch, directory" },
		{ "chunks", "id, records" },
		{ "parts", "id, message, section, size, pieces" },
		{ "pieces", "id, bytes" },
	};
	g_autoptr(GString) script = g_string_new(NULL);
	g_autofree char *now = place_file(dir, "mail.db");
	g_autofree char *then = place_file(dir, "newer.db");

	assert_int_equal(rename(now, then), 0);
	g_string_append_printf(script, "PRAGMA journal_mode = WAL; ATTACH '%s' AS newer; %s", then,
			       "DELETE FROM state;");
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		g_string_append_printf(script, "INSERT INTO %s(%s) SELECT %s FROM newer.%s;",
				       tables[i][0], tables[i][1], tables[i][1], tables[i][0]);
	g_string_append_printf(script,
			       "DELETE FROM mailboxes WHERE id = 0;"
			       "PRAGMA application_id = %d; PRAGMA user_version = 1;",
			       0x506f7374);
	run_sql(dir, first_schema);
	run_sql(dir, script->str);
}

static void
what_an_older_postern_kept_is_counted(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId message = message_of(store, 3);

	put_sized(store, message, "1", 1234);
	store_close(g_steal_pointer(&store));
	make_old(*state);
	store = open_writer(*state);
	assert_int_equal(kept(store), 1234);
	assert_true(has(store, message, "1"));
	must_be_sound(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_goes_on_where_it_was_left),
		TEST(a_killed_writer_costs_less_than_a_piece),
		TEST(what_was_of_another_total_is_begun_anew),
		TEST(two_that_bring_the_same_part_do_not_meet),
		TEST(what_came_of_a_part_goes_with_its_message),
		TEST(what_nobody_takes_up_again_goes_after_a_month),
		TEST(many_parts_are_one_transaction_and_a_message_that_went_stops_none),
		TEST(bytes_kept_are_counted_as_parts_come_and_go),
		TEST(what_was_least_recently_looked_at_goes_first),
		TEST(reading_again_within_the_hour_writes_nothing),
		TEST(what_the_server_no_longer_has_does_not_go),
		TEST(the_walk_finds_what_is_not_whole_and_passes_over_nothing),
		TEST(what_an_older_postern_kept_is_counted),
	};

	return cmocka_run_group_tests_name("store/keep", tests, NULL, NULL);
}
