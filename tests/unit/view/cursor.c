#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib.h>

#include "view/cursor.h"

static void
check(const ViewCursor *cursor, uint32_t top, uint32_t at)
{
	assert_int_equal(cursor->top, top);
	assert_int_equal(cursor->at, at);
}

static void
moves_stay_inside(void **state)
{
	ViewCursor cursor = { .total = 100, .rows = 10 };

	assert_false(view_cursor_move(&cursor, VIEW_MOVE_UP));
	assert_false(view_cursor_move(&cursor, VIEW_MOVE_PAGE_UP));
	check(&cursor, 0, 0);
	assert_true(view_cursor_move(&cursor, VIEW_MOVE_LAST));
	check(&cursor, 90, 99);
	assert_false(view_cursor_move(&cursor, VIEW_MOVE_DOWN));
	assert_false(view_cursor_move(&cursor, VIEW_MOVE_PAGE_DOWN));
	check(&cursor, 90, 99);
	assert_true(view_cursor_move(&cursor, VIEW_MOVE_FIRST));
	check(&cursor, 0, 0);
}

static void
a_page_keeps_the_line_on_the_screen(void **state)
{
	ViewCursor cursor = { .total = 100, .rows = 10, .at = 3 };

	view_cursor_move(&cursor, VIEW_MOVE_PAGE_DOWN);
	check(&cursor, 10, 13);
	view_cursor_move(&cursor, VIEW_MOVE_HALF_DOWN);
	check(&cursor, 15, 18);
	view_cursor_move(&cursor, VIEW_MOVE_PAGE_UP);
	check(&cursor, 5, 8);
	view_cursor_move(&cursor, VIEW_MOVE_PAGE_UP);
	check(&cursor, 0, 0);
}

static void
the_screen_follows_the_selection(void **state)
{
	ViewCursor cursor = { .total = 100, .rows = 10 };

	for (int i = 0; i < 12; i++)
		view_cursor_move(&cursor, VIEW_MOVE_DOWN);
	check(&cursor, 3, 12);
	for (int i = 0; i < 11; i++)
		view_cursor_move(&cursor, VIEW_MOVE_UP);
	check(&cursor, 1, 1);
	view_cursor_select(&cursor, 50);
	check(&cursor, 41, 50);
}

static void
shrinking_leaves_no_blank_screen(void **state)
{
	ViewCursor cursor = { .total = 100, .rows = 10, .top = 90, .at = 99 };

	cursor.total = 5;
	view_cursor_fit(&cursor);
	check(&cursor, 0, 4);
	cursor.total = 0;
	view_cursor_fit(&cursor);
	check(&cursor, 0, 0);
	assert_false(view_cursor_move(&cursor, VIEW_MOVE_DOWN));
}

/* Whatever is pressed, whatever the size. */
static void
the_selection_is_always_on_show(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	ViewCursor cursor = { .rows = 1 };

	for (int i = 0; i < 100000; i++) {
		if (g_rand_int_range(random, 0, 5) == 0) {
			cursor.total = g_rand_boolean(random)
					   ? (uint32_t)g_rand_int_range(random, 0, 30)
					   : UINT32_MAX - (uint32_t)g_rand_int_range(random, 0, 3);
			cursor.rows = (uint32_t)g_rand_int_range(random, 0, 60);
			view_cursor_fit(&cursor);
		}
		view_cursor_move(&cursor, (ViewMove)g_rand_int_range(random, 0, 8));
		if (cursor.total == 0) {
			check(&cursor, 0, 0);
			continue;
		}
		assert_true(cursor.at < cursor.total);
		assert_true(cursor.top <= cursor.at);
		assert_true(cursor.at - cursor.top < cursor.rows);
		assert_true(cursor.top == 0 || cursor.total - cursor.top >= cursor.rows);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_stay_inside),
		cmocka_unit_test(a_page_keeps_the_line_on_the_screen),
		cmocka_unit_test(the_screen_follows_the_selection),
		cmocka_unit_test(shrinking_leaves_no_blank_screen),
		cmocka_unit_test(the_selection_is_always_on_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
