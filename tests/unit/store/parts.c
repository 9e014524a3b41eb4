/* Cached parts: whole ones are seen, others never. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

/* A mailbox with messages 1 to 5, and the identity of message 3. */
static StoreId
one_message(Store *store)
{
	StoreId mailbox = make_mailbox(store, "INBOX");

	put_plain(store, mailbox, 1, 5, 1000, 0);
	return id_of_uid(store, mailbox, 3);
}

static void
must_hold(Store *store, StoreId message, const char *section, const char *text)
{
	g_autoptr(GBytes) bytes = NULL;
	GError *error = NULL;
	gsize size;
	const char *data;

	MUST(store_part_load(store, message, section, &bytes, &error));
	data = g_bytes_get_data(bytes, &size);
	assert_int_equal(size, strlen(text));
	if (size > 0)
		assert_memory_equal(data, text, size);
}

static void
must_lack(Store *store, StoreId message, const char *section)
{
	g_autoptr(GBytes) bytes = NULL;
	GError *error = NULL;
	bool has;

	MUST(store_part_has(store, message, section, &has, &error));
	assert_false(has);
	MUST_FAIL(store_part_load(store, message, section, &bytes, &error), POSTERN_ERROR_GONE);
}

static void
put_text(Store *store, StoreId message, const char *section, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	GError *error = NULL;

	MUST(store_part_put(store, message, section, bytes, &error));
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
parts_are_told_apart_by_section(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	StoreId message = one_message(store);

	put_text(store, message, "1", "text");
	put_text(store, message, "1.1", "inner");
	put_text(store, message, "", "the whole");
	put_text(store, message, "HEADER", "");
	must_hold(reader, message, "1", "text");
	must_hold(reader, message, "1.1", "inner");
	must_hold(reader, message, "", "the whole");
	must_hold(reader, message, "HEADER", "");
	must_lack(reader, message, "2");
	must_lack(reader, message + 1, "1");
	must_be_sound(store);
}

static void
a_part_put_again_takes_the_place_of_the_old(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId message = one_message(store);

	put_text(store, message, "1", "old");
	put_text(store, message, "1", "newer");
	must_hold(store, message, "1", "newer");
	tidy_all(store);
	must_hold(store, message, "1", "newer");
	must_be_sound(store);
}

static void
a_part_of_a_message_that_is_gone_is_not_kept(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
	GError *error = NULL;
	StoreId message = one_message(store);
	uint32_t uid = 3;

	MUST(store_messages_remove(store, make_mailbox(store, "INBOX"), &uid, 1, NULL, &error));
	MUST_FAIL(store_part_put(store, message, "1", bytes, &error), POSTERN_ERROR_GONE);
	tidy_all(store);
	must_be_sound(store);
}

/* Byte N of the big part. */
static char
byte_at(size_t n)
{
	return (char)(n * 7 + n / 1000);
}

#define BIG (3 * 1000 * 1000 + 17)

static StorePartWriter *
write_big(Store *store)
{
	char piece[10007];
	GError *error = NULL;
	StorePartWriter *writer = store_part_begin(store, &error);

	MUST(writer != NULL);
	for (size_t at = 0; at < BIG;) {
		size_t n = MIN(sizeof piece, BIG - at);

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(at + i);
		MUST(store_part_append(writer, span_of(piece, n), &error));
		at += n;
	}
	return writer;
}

typedef struct Reading {
	size_t done, stop_after, biggest;
} Reading;

static bool
check_piece(void *data, Span piece, GError **error)
{
	Reading *reading = data;

	for (size_t i = 0; i < span_size(piece); i++)
		assert_int_equal(piece.at[i], byte_at(reading->done + i));
	reading->done += span_size(piece);
	reading->biggest = MAX(reading->biggest, span_size(piece));
	if (reading->done < reading->stop_after)
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CANCELLED, "enough");
	return false;
}

static void
a_big_part_streams_in_and_out_in_bounded_pieces(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId message = one_message(store);
	StorePartWriter *writer = write_big(store);
	Reading whole = { .stop_after = SIZE_MAX }, some = { .stop_after = 300000 };
	StoreStats before, after;

	must_lack(reader, message, "2");
	MUST(store_part_finish(writer, message, "2", &error));
	store_stats(reader, &before);
	MUST(store_part_read(reader, message, "2", check_piece, &whole, &error));
	store_stats(reader, &after);
	assert_int_equal(whole.done, BIG);
	assert_true(whole.biggest <= 256 << 10);
	assert_true(after.rows_read - before.rows_read < 20);
	MUST_FAIL(store_part_read(reader, message, "2", check_piece, &some, &error),
		  POSTERN_ERROR_CANCELLED);
	assert_true(some.done < BIG);
	must_be_sound(store);
}

static bool
read_others(void *data, Span piece, GError **error)
{
	g_autofree char *uids = window_uids(data, 1, 0, 9);

	assert_string_equal(uids, "5 4 3 2 1");
	return true;
}

static void
other_things_may_be_read_while_a_part_streams_out(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId message = one_message(store);

	assert_int_equal(make_mailbox(store, "INBOX"), 1);
	MUST(store_part_finish(write_big(store), message, "2", &error));
	MUST(store_part_read(reader, message, "2", read_others, reader, &error));
	MUST(store_part_read(store, message, "2", read_others, store, &error));
}

static void
an_aborted_part_leaves_nothing(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	StoreId message = one_message(store);

	store_part_abort(write_big(store));
	store_part_abort(NULL);
	must_lack(store, message, "2");
	tidy_all(store);
	must_be_sound(store);
}

static void
an_unfinished_part_is_dropped_by_the_next_writer(void **state)
{
	g_autoptr(Store) store = NULL;
	GError *error = NULL;
	pid_t pid = fork();
	StoreId message;
	bool more;

	if (pid == 0) {
		Store *lost = open_writer(*state);

		one_message(lost);
		write_big(lost);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	store = open_writer(*state);
	message = id_of_uid(store, make_mailbox(store, "INBOX"), 3);
	must_lack(store, message, "2");
	MUST(store_tidy(store, &more, &error));
	assert_true(more);
	tidy_all(store);
	must_be_sound(store);
}

static void
two_parts_may_be_written_at_once(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = one_message(store);
	StorePartWriter *a = write_big(store), *b = store_part_begin(store, &error);
	Reading whole = { .stop_after = SIZE_MAX };

	MUST(store_part_append(b, SPAN_LITERAL("small"), &error));
	tidy_all(store);
	MUST(store_part_finish(b, message, "1", &error));
	MUST(store_part_finish(a, message, "2", &error));
	must_hold(store, message, "1", "small");
	MUST(store_part_read(store, message, "2", check_piece, &whole, &error));
	assert_int_equal(whole.done, BIG);
	must_be_sound(store);
}

static void
a_part_written_in_a_transaction_that_is_taken_back_is_given_up(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = one_message(store);
	StorePartWriter *writer;

	MUST(store_begin(store, &error));
	writer = write_big(store);
	store_rollback(store);
	MUST(store_part_append(writer, SPAN_LITERAL("tail"), &error));
	MUST_FAIL(store_part_finish(writer, message, "2", &error), POSTERN_ERROR_STORE);
	must_lack(store, message, "2");
	tidy_all(store);
	must_be_sound(store);
}

static void
a_cached_part_makes_the_version_grow(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	GError *error = NULL;
	StoreId message = one_message(store), mailbox = make_mailbox(store, "INBOX");
	int64_t before, after;

	MUST(store_version(store, mailbox, &before, &error));
	put_text(store, message, "1", "text");
	MUST(store_version(store, mailbox, &after, &error));
	assert_true(after > before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_are_told_apart_by_section),
		TEST(a_part_put_again_takes_the_place_of_the_old),
		TEST(a_part_of_a_message_that_is_gone_is_not_kept),
		TEST(a_big_part_streams_in_and_out_in_bounded_pieces),
		TEST(other_things_may_be_read_while_a_part_streams_out),
		TEST(an_aborted_part_leaves_nothing),
		TEST(an_unfinished_part_is_dropped_by_the_next_writer),
		TEST(two_parts_may_be_written_at_once),
		TEST(a_part_written_in_a_transaction_that_is_taken_back_is_given_up),
		TEST(a_cached_part_makes_the_version_grow),
	};

	return cmocka_run_group_tests_name("store/parts", tests, NULL, NULL);
}
