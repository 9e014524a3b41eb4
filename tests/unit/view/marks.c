#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "view/marks.h"

typedef struct Fixture {
	char *dir;
	Store *writer, *reader;
	StoreId mailbox;
	ViewMarks *marks;
} Fixture;

static void
put(Fixture *f, uint32_t uid, uint16_t flags, const char *from, const char *subject, const char *id,
    const char *parent)
{
	StoreMessage message = {
		.uid = uid,
		.date = 1000 + uid,
		.received = 1000 + uid,
		.flags = flags,
		.subject = span_of_string(subject),
		.from = span_of_string(from),
		.to = span_of_string("All <all@example.org>"),
		.message_id = span_of_string(id),
		.in_reply_to = span_of_string(parent),
	};

	assert_true(store_messages_put(f->writer, f->mailbox, &message, 1, NULL));
}

static int
set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	StoreMailbox mailbox = { .raw = (char *)"INBOX",
				 .raw_size = 5,
				 .name = (char *)"INBOX",
				 .delimiter = '/',
				 .selectable = true };

	f->dir = g_dir_make_tmp("postern-marks-XXXXXX", NULL);
	f->writer = store_open(f->dir, STORE_WRITER, NULL, NULL, NULL);
	assert_non_null(f->writer);
	assert_true(store_account(f->writer, "test", &mailbox.account, NULL));
	assert_true(store_mailbox_put(f->writer, &mailbox, NULL));
	f->mailbox = mailbox.id;
	f->reader = store_open(f->dir, STORE_READER, NULL, NULL, NULL);
	assert_non_null(f->reader);
	f->marks = view_marks_new(f->reader, f->mailbox);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *f = *state;
	GDir *dir;
	const char *name;

	view_marks_free(f->marks);
	store_close(f->reader);
	store_close(f->writer);
	dir = g_dir_open(f->dir, 0, NULL);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->dir, name, NULL);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(f->dir);
	g_free(f->dir);
	g_free(f);
	return 0;
}

static void
scan(Fixture *f)
{
	bool more = true;

	while (more)
		assert_true(view_marks_step(f->marks, &more, NULL));
}

static bool
has(Fixture *f, uint32_t uid)
{
	g_autoptr(StoreRow) row = NULL;

	assert_true(store_row_by_uid(f->reader, f->mailbox, uid, &row, NULL));
	return view_marks_has(f->marks, row->id);
}

static void
test_a_pattern_marks_what_matches_all_its_words(void **state)
{
	Fixture *f = *state;

	put(f, 1, 0, "Ada <ada@example.org>", "Über lunch", "<1@x>", "");
	put(f, 2, STORE_FLAG_SEEN, "Ada <ada@example.org>", "über dinner", "<2@x>", "");
	put(f, 3, 0, "Bob <bob@example.org>", "lunch", "<3@x>", "");
	assert_true(view_marks_begin_pattern(f->marks, "from:ADA  ÜBER", true, NULL));
	scan(f);
	assert_int_equal(view_marks_found(f->marks), 2);
	assert_true(has(f, 1) && has(f, 2) && !has(f, 3));
	assert_true(view_marks_begin_pattern(f->marks, "is:unread", false, NULL));
	scan(f);
	assert_int_equal(view_marks_found(f->marks), 1);
	assert_true(!has(f, 1) && has(f, 2) && !has(f, 3));
}

static void
test_a_pattern_reaches_rows_beyond_the_first_slice(void **state)
{
	Fixture *f = *state;

	for (uint32_t uid = 1; uid <= 1000; uid++)
		put(f, uid, 0, "Ada <ada@example.org>", uid % 100 ? "other" : "hundred", "", "");
	assert_true(view_marks_begin_pattern(f->marks, "hundred", true, NULL));
	scan(f);
	assert_int_equal(view_marks_count(f->marks), 10);
}

static void
test_a_wrong_pattern_is_refused(void **state)
{
	static const char *const wrong[] = { "", "  ", "is:purple", "from:\xff", "before:2020" };
	Fixture *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		bool more = true;

		assert_false(view_marks_begin_pattern(f->marks, wrong[i], true, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_USAGE));
		assert_true(view_marks_step(f->marks, &more, NULL));
		assert_false(more);
	}
	assert_int_equal(view_marks_count(f->marks), 0);
}

static void
test_a_colon_alone_makes_no_key(void **state)
{
	static const char *const fine[] = { "Re:", "10:30", "https://example.org", "from:a:b",
					    ":x" };
	Fixture *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(fine); i++)
		assert_true(view_marks_begin_pattern(f->marks, fine[i], true, NULL));
}

static void
test_a_thread_is_what_hangs_together(void **state)
{
	Fixture *f = *state;
	g_autoptr(StoreRow) row = NULL;

	put(f, 1, 0, "a", "root", "<1@x>", "");
	put(f, 2, 0, "b", "Re: root", "<2@x>", "<1@x>");
	put(f, 3, 0, "c", "Re: root", "<3@x>", "<2@x>");
	put(f, 4, 0, "d", "root", "<4@x>", "<9@x>");
	put(f, 5, 0, "e", "no id", "", "");
	put(f, 6, 0, "f", "the parent is not here", "<6@x>", "<8@x>");
	put(f, 7, 0, "g", "a sibling", "<7@x>", "<8@x>");
	assert_true(store_row_by_uid(f->reader, f->mailbox, 3, &row, NULL));
	view_marks_begin_thread(f->marks, row);
	scan(f);
	assert_true(has(f, 1) && has(f, 2) && has(f, 3));
	assert_int_equal(view_marks_count(f->marks), 3);
	view_marks_clear(f->marks);
	g_clear_pointer(&row, store_row_free);
	assert_true(store_row_by_uid(f->reader, f->mailbox, 6, &row, NULL));
	view_marks_begin_thread(f->marks, row);
	scan(f);
	assert_true(has(f, 6) && has(f, 7));
	assert_int_equal(view_marks_count(f->marks), 2);
}

static void
test_a_range_is_of_rows_on_show(void **state)
{
	Fixture *f = *state;
	g_autoptr(GArray) ids = NULL;

	for (uint32_t uid = 1; uid <= 10; uid++)
		put(f, uid, 0, "a", "s", "", "");
	assert_true(view_marks_range(f->marks, 3, 1, NULL)); /* newest first: 9, 8, 7 */
	assert_true(has(f, 9) && has(f, 8) && has(f, 7) && !has(f, 10) && !has(f, 6));
	ids = view_marks_messages(f->marks);
	assert_int_equal(ids->len, 3);
	assert_true(view_marks_range(f->marks, 8, 4000000, NULL)); /* past the end: 2, 1 */
	assert_int_equal(view_marks_count(f->marks), 5);
}

static void
test_a_mark_goes_as_it_came(void **state)
{
	Fixture *f = *state;

	view_marks_toggle(f->marks, 17);
	assert_true(view_marks_has(f->marks, 17));
	view_marks_toggle(f->marks, 17);
	assert_false(view_marks_has(f->marks, 17));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_pattern_marks_what_matches_all_its_words,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pattern_reaches_rows_beyond_the_first_slice,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_wrong_pattern_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_colon_alone_makes_no_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_thread_is_what_hangs_together, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_range_is_of_rows_on_show, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_mark_goes_as_it_came, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
