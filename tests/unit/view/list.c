#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>

#include "store-sample.h"
#include "view/list.h"

typedef struct Fixture {
	char *dir;
	Store *writer, *reader;
	StoreId mailbox;
	ViewList *list;
} Fixture;

static void
put(Fixture *f, uint32_t uid, int64_t date, uint16_t flags)
{
	StoreMessage message = {
		.uid = uid,
		.date = date,
		.received = date,
		.flags = flags,
		.subject = span_of_string("a subject"),
		.from = span_of_string("Ada <ada@example.org>"),
	};
	GError *error = NULL;

	assert_true(store_messages_put(f->writer, f->mailbox, &message, 1, &error));
}

/* UIDs 1 to N, the highest the newest; every fifth unread. */
static void
fill(Fixture *f, uint32_t n)
{
	for (uint32_t uid = 1; uid <= n; uid++)
		put(f, uid, 1000 + uid, uid % 5 ? STORE_FLAG_SEEN : 0);
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
	StoreId account;
	GError *error = NULL;

	f->dir = g_dir_make_tmp("postern-list-XXXXXX", NULL);
	f->writer = store_open(f->dir, STORE_WRITER, NULL, NULL, &error);
	assert_non_null(f->writer);
	assert_true(store_account(f->writer, "test", &account, &error));
	mailbox.account = account;
	assert_true(store_mailbox_put(f->writer, &mailbox, &error));
	f->mailbox = mailbox.id;
	assert_true(store_mailbox_progress(f->writer, f->mailbox, 1, 1, 0, &error));
	f->reader = store_open(f->dir, STORE_READER, NULL, NULL, &error);
	assert_non_null(f->reader);
	f->list = view_list_new(f->reader, f->mailbox);
	view_list_resize(f->list, 10);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *f = *state;
	GDir *dir;
	const char *name;

	view_list_free(f->list);
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
refresh(Fixture *f)
{
	GError *error = NULL;

	if (!view_list_refresh(f->list, &error))
		fail_msg("%s", error->message);
}

static void
move(Fixture *f, ViewMove how)
{
	view_list_move(f->list, how);
	refresh(f);
}

static uint32_t
selected(Fixture *f)
{
	const StoreRow *row = view_list_selected(f->list);

	return row ? row->uid : 0;
}

/* The UID on the screen's first line. */
static uint32_t
top(Fixture *f)
{
	const StoreRow *row = view_list_row(f->list, 0);

	return row ? row->uid : 0;
}

static void
an_empty_mailbox_has_no_selection(void **state)
{
	Fixture *f = *state;
	bool wrapped;

	refresh(f);
	assert_null(view_list_selected(f->list));
	assert_null(view_list_row(f->list, 0));
	move(f, VIEW_MOVE_PAGE_DOWN);
	move(f, VIEW_MOVE_LAST);
	assert_null(view_list_selected(f->list));
	assert_false(view_list_next_unread(f->list, true, &wrapped, NULL));
}

static void
it_is_newest_first_and_shows_a_screenful(void **state)
{
	Fixture *f = *state;

	fill(f, 100);
	refresh(f);
	assert_int_equal(selected(f), 100);
	assert_int_equal(view_list_cursor(f->list)->total, 100);
	assert_int_equal(view_list_row(f->list, 9)->uid, 91);
	assert_null(view_list_row(f->list, 10));
	move(f, VIEW_MOVE_LAST);
	assert_int_equal(selected(f), 1);
	assert_int_equal(top(f), 10);
}

static void
who_went_to_the_end_stays_there_while_more_comes_in(void **state)
{
	Fixture *f = *state;
	GError *error = NULL;

	assert_true(store_mailbox_progress(f->writer, f->mailbox, 50, 101, 0, &error));
	for (uint32_t uid = 100; uid >= 50; uid--)
		put(f, uid, 1000 + uid, 0);
	refresh(f);
	move(f, VIEW_MOVE_LAST);
	assert_int_equal(selected(f), 50);
	for (uint32_t uid = 49; uid >= 20; uid--)
		put(f, uid, 1000 + uid, 0);
	refresh(f);
	assert_int_equal(selected(f), 20);
	assert_int_equal(top(f), 29);

	move(f, VIEW_MOVE_UP);
	put(f, 19, 1019, 0);
	refresh(f);
	assert_int_equal(selected(f), 21);

	/* Whole with the last batch: that is the end, and then a message is what is selected. */
	move(f, VIEW_MOVE_LAST);
	for (uint32_t uid = 18; uid >= 2; uid--)
		put(f, uid, 1000 + uid, 0);
	assert_true(store_mailbox_progress(f->writer, f->mailbox, 1, 101, 0, &error));
	refresh(f);
	assert_int_equal(selected(f), 2);
	put(f, 101, 500, 0);
	refresh(f);
	assert_int_equal(selected(f), 2);
}

static void
the_message_stays_selected_and_on_its_line_when_others_arrive_above(void **state)
{
	Fixture *f = *state;

	fill(f, 100);
	refresh(f);
	move(f, VIEW_MOVE_PAGE_DOWN);
	move(f, VIEW_MOVE_DOWN);
	assert_int_equal(selected(f), 89);
	assert_int_equal(top(f), 90);
	for (uint32_t uid = 101; uid <= 130; uid++)
		put(f, uid, 1000 + uid, 0);
	refresh(f);
	assert_int_equal(selected(f), 89);
	assert_int_equal(top(f), 90);
	assert_int_equal(view_list_cursor(f->list)->at, 41);
}

static void
at_the_very_top_new_ones_are_let_in_and_the_selection_stays(void **state)
{
	Fixture *f = *state;

	fill(f, 20);
	refresh(f);
	put(f, 21, 5000, 0);
	refresh(f);
	assert_int_equal(selected(f), 20);
	assert_int_equal(top(f), 21);
}

static void
while_a_mailbox_first_comes_in_the_newest_is_selected_until_somebody_chooses(void **state)
{
	Fixture *f = *state;

	assert_true(store_mailbox_progress(f->writer, f->mailbox, 50, 51, 0, NULL));
	put(f, 50, 1000, 0);
	refresh(f);
	assert_int_equal(selected(f), 50);
	put(f, 49, 2000, 0); /* a lower UID with a later date */
	refresh(f);
	assert_int_equal(selected(f), 49);
	move(f, VIEW_MOVE_DOWN);
	put(f, 48, 3000, 0);
	refresh(f);
	assert_int_equal(selected(f), 50);
}

static void
more_than_a_screenful_arriving_never_hides_the_selection(void **state)
{
	Fixture *f = *state;

	fill(f, 20);
	refresh(f);
	for (uint32_t uid = 21; uid <= 60; uid++)
		put(f, uid, 5000 + uid, 0);
	refresh(f);
	assert_int_equal(selected(f), 20);
	assert_int_equal(view_list_row(f->list, view_list_cursor(f->list)->at -
						    view_list_cursor(f->list)->top)
			     ->uid,
			 20);
}

static void
when_it_is_removed_its_neighbour_takes_its_place(void **state)
{
	Fixture *f = *state;
	const uint32_t gone[] = { 15 };
	size_t removed;

	fill(f, 20);
	refresh(f);
	for (int i = 0; i < 5; i++)
		move(f, VIEW_MOVE_DOWN);
	assert_int_equal(selected(f), 15);
	assert_true(store_messages_remove(f->writer, f->mailbox, gone, 1, &removed, NULL));
	refresh(f);
	assert_int_equal(selected(f), 14);
	assert_int_equal(view_list_cursor(f->list)->at, 5);
}

static void
when_all_are_removed_nothing_is_selected_and_the_next_one_is(void **state)
{
	Fixture *f = *state;

	fill(f, 20);
	refresh(f);
	move(f, VIEW_MOVE_LAST);
	assert_true(store_mailbox_reset(f->writer, f->mailbox, NULL));
	refresh(f);
	assert_null(view_list_selected(f->list));
	put(f, 7, 50, 0);
	refresh(f);
	assert_int_equal(selected(f), 7);
}

static void
a_flag_set_elsewhere_shows_without_moving_anything(void **state)
{
	Fixture *f = *state;
	StoreFlagChange change = { .uid = 19, .flags = STORE_FLAG_SEEN | STORE_FLAG_FLAGGED };
	size_t changed;

	fill(f, 20);
	refresh(f);
	move(f, VIEW_MOVE_DOWN);
	assert_true(store_messages_flag(f->writer, f->mailbox, &change, 1, &changed, NULL));
	refresh(f);
	assert_int_equal(selected(f), 19);
	assert_true(view_list_selected(f->list)->flags & STORE_FLAG_FLAGGED);
}

static void
next_unread_goes_round(void **state)
{
	Fixture *f = *state;
	bool wrapped;

	fill(f, 20); /* 20, 15, 10, 5 are unread */
	refresh(f);
	assert_true(view_list_next_unread(f->list, true, &wrapped, NULL));
	refresh(f);
	assert_int_equal(selected(f), 15);
	assert_false(wrapped);
	move(f, VIEW_MOVE_LAST);
	assert_true(view_list_next_unread(f->list, true, &wrapped, NULL));
	refresh(f);
	assert_int_equal(selected(f), 20);
	assert_true(wrapped);
	assert_true(view_list_next_unread(f->list, false, &wrapped, NULL));
	refresh(f);
	assert_int_equal(selected(f), 5);
	assert_true(wrapped);
}

static void
growing_and_shrinking_the_screen_keeps_the_selection_on_it(void **state)
{
	Fixture *f = *state;

	fill(f, 100);
	refresh(f);
	move(f, VIEW_MOVE_LAST);
	view_list_resize(f->list, 57);
	refresh(f);
	assert_int_equal(selected(f), 1);
	assert_int_equal(top(f), 57);
	view_list_resize(f->list, 7);
	refresh(f);
	assert_int_equal(selected(f), 1);
	assert_int_equal(view_list_row(f->list, 6)->uid, 1);
}

/* Leaves the list, to come back to it later. */
static bool
come_back(Fixture *f)
{
	ViewListPlace place;
	bool somewhere = view_list_place(f->list, &place);

	view_list_free(f->list);
	f->list = view_list_new(f->reader, f->mailbox);
	view_list_resize(f->list, 10);
	if (somewhere)
		view_list_return(f->list, &place);
	return somewhere;
}

static void
who_comes_back_is_where_they_were(void **state)
{
	Fixture *f = *state;
	uint32_t gone = 60;

	fill(f, 100);
	refresh(f);
	assert_false(come_back(f));
	refresh(f);
	assert_int_equal(selected(f), 100);
	view_list_select(f->list, 35);
	move(f, VIEW_MOVE_DOWN);
	move(f, VIEW_MOVE_UP);
	move(f, VIEW_MOVE_UP);
	assert_int_equal(selected(f), 66);
	assert_int_equal(top(f), 73);
	put(f, 101, 2000, 0);
	assert_true(come_back(f));
	put(f, 102, 2001, 0);
	view_list_resize(f->list, 10);
	refresh(f);
	assert_int_equal(selected(f), 66);
	assert_int_equal(top(f), 73);
	/* Of one that went, where it was. */
	view_list_select(f->list, 42);
	refresh(f);
	assert_int_equal(selected(f), gone);
	assert_true(come_back(f));
	assert_true(store_messages_remove(f->writer, f->mailbox, &gone, 1, NULL, NULL));
	refresh(f);
	assert_int_equal(selected(f), 59);
}

/* Promise 2 of the design: cost follows the screen. */
static uint64_t
rows_read_by_keys(uint32_t messages)
{
	Fixture *f;
	void *state;
	StoreStats before, after;
	g_autoptr(Sample) sample = sample_new(messages, 1);

	set_up(&state);
	f = state;
	assert_true(sample_fill(sample, messages, f->writer, f->mailbox, 2000, NULL));
	store_stats(f->reader, &before);
	refresh(f);
	move(f, VIEW_MOVE_PAGE_DOWN);
	move(f, VIEW_MOVE_LAST);
	move(f, VIEW_MOVE_PAGE_UP);
	move(f, VIEW_MOVE_FIRST);
	store_stats(f->reader, &after);
	tear_down(&state);
	return after.rows_read - before.rows_read;
}

static void
rows_read_do_not_grow_with_the_mailbox(void **state)
{
	uint64_t few = rows_read_by_keys(100), many = rows_read_by_keys(20000);

	assert_true(few >= 40);
	/* a directory row or two more, where there are more chunks than one */
	assert_true(many <= few + 20);
}

int
main(void)
{
#define LIST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LIST_TEST(an_empty_mailbox_has_no_selection),
		LIST_TEST(it_is_newest_first_and_shows_a_screenful),
		LIST_TEST(who_went_to_the_end_stays_there_while_more_comes_in),
		LIST_TEST(the_message_stays_selected_and_on_its_line_when_others_arrive_above),
		LIST_TEST(at_the_very_top_new_ones_are_let_in_and_the_selection_stays),
		LIST_TEST(
		    while_a_mailbox_first_comes_in_the_newest_is_selected_until_somebody_chooses),
		LIST_TEST(more_than_a_screenful_arriving_never_hides_the_selection),
		LIST_TEST(when_it_is_removed_its_neighbour_takes_its_place),
		LIST_TEST(when_all_are_removed_nothing_is_selected_and_the_next_one_is),
		LIST_TEST(a_flag_set_elsewhere_shows_without_moving_anything),
		LIST_TEST(next_unread_goes_round),
		LIST_TEST(growing_and_shrinking_the_screen_keeps_the_selection_on_it),
		LIST_TEST(who_comes_back_is_where_they_were),
		cmocka_unit_test(rows_read_do_not_grow_with_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
