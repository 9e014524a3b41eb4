#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/safetext.h"
#include "view/pager.h"

/* TEXT wrapped at WIDTH, "|" between the lines. */
static char *
wrapped(const char *text, int width)
{
	GString *out = g_string_new(NULL);
	Span rest = span_of_string(text);

	while (!span_is_empty(rest)) {
		Span line = view_wrap(&rest, width);

		g_string_append_len(out, line.at, (gssize)span_size(line));
		if (!span_is_empty(rest))
			g_string_append_c(out, '|');
	}
	return g_string_free(out, FALSE);
}

static void
lines_break_where_a_reader_would(void **state)
{
	static const struct {
		const char *text;
		int width;
		const char *lines;
	} rows[] = {
		{ "aaa bbb", 10, "aaa bbb" },
		{ "aaa bbb", 7, "aaa bbb" },
		{ "aaa bbb", 5, "aaa|bbb" },
		{ "aaaaa bbb", 5, "aaaaa|bbb" },
		{ "aaa   bbb", 5, "aaa|bbb" },
		{ "aaaaa   bbb", 5, "aaaaa|bbb" },
		{ "aaaaaaaa", 3, "aaa|aaa|aa" },
		{ "a bbbbbb c", 4, "a|bbbb|bb c" },
		{ "  indented-very", 6, "  inde|nted-v|ery" },
		{ "\tx", 20, "\tx" },
		{ "\tx y", 9, "\tx|y" },
		{ "汉字汉字", 5, "汉字|汉字" },
		{ "ab汉字cd", 4, "ab汉|字cd" },
		{ "e\u0301e\u0301e\u0301", 2, "e\u0301e\u0301|e\u0301" },
		{ "汉", 1, "汉" },
		{ "汉字", 1, "汉|字" },
		{ "a", 1, "a" },
		{ "👨‍👩‍👧 x", 2, "👨‍👩‍👧|x" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *lines = wrapped(rows[i].text, rows[i].width);

		assert_string_equal(lines, rows[i].lines);
	}
}

/* No line is wider than the screen, nothing but blanks is lost, and it always gets on. */
static void
any_text_wraps_at_any_width(void **state)
{
	static const char *const pieces[] = {
		"a",  "bc",	" ",	"  ", "\t", "汉", "e\u0301", "🎉", "👨‍👩‍👧",
		"🇩🇪", "\u0301", "word", "-"
	};
	g_autoptr(GRand) random = g_rand_new_with_seed(3);

	for (int i = 0; i < 3000; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		int width = g_rand_int_range(random, 2, 30);
		size_t kept = 0, blank = 0;
		Span rest;

		for (int n = g_rand_int_range(random, 0, 40); n > 0; n--)
			g_string_append(text,
					pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
		rest = span_of(text->str, text->len);
		while (!span_is_empty(rest)) {
			const char *from = rest.at;
			Span line = view_wrap(&rest, width);
			g_autofree char *copy = span_dup(line);

			assert_true(rest.at > from);
			kept += span_size(line);
			if (!strchr(copy, '\t') && *g_strchomp(copy))
				if (safe_text_width(span_of_string(copy)) > width)
					fail_msg("“%s” is wider than %d, of “%s”", copy, width,
						 text->str);
		}
		for (const char *p = text->str; *p; p++)
			blank += *p == ' ' || *p == '\t';
		assert_true(kept + blank >= text->len);
	}
}

/* The lines on show, a line each. */
static char *
shown(ViewPager *pager, int rows)
{
	ViewLine lines[64];
	size_t n = view_pager_lines(pager, lines, (size_t)rows);
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		g_string_append_printf(out, "%*s", lines[i].indent, "");
		g_string_append_len(out, lines[i].text.at, (gssize)span_size(lines[i].text));
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

#define assert_shown(pager, rows, text)                                                            \
	do {                                                                                       \
		g_autofree char *are = shown(pager, rows);                                         \
		assert_string_equal(are, text);                                                    \
	} while (0)

static ViewPager *
pager_of(const char *text, int width, int rows)
{
	ViewPager *pager = view_pager_new();
	ViewDocument *document = view_document_new();

	view_pager_resize(pager, width, rows);
	view_document_add(document, VIEW_LINE_TEXT, span_of_string(text));
	view_pager_take(pager, document, false);
	return pager;
}

static void
scrolling_stops_at_both_ends(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("1\n2\n3\n\n5\n6", 10, 3);

	assert_false(view_pager_scroll(pager, -1));
	assert_shown(pager, 3, "1\n2\n3\n");
	assert_true(view_pager_scroll(pager, 2));
	assert_shown(pager, 3, "3\n\n5\n");
	assert_true(view_pager_scroll(pager, 2));
	assert_shown(pager, 3, "\n5\n6\n");
	assert_int_equal(view_pager_percent(pager), 100);
	assert_false(view_pager_scroll(pager, 1));
	assert_true(view_pager_scroll(pager, -1));
	assert_shown(pager, 3, "3\n\n5\n");
	assert_true(view_pager_first(pager));
	assert_true(view_pager_last(pager));
	assert_shown(pager, 3, "\n5\n6\n");
	assert_false(view_pager_last(pager));
}

static void
a_short_text_does_not_scroll(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("one\ntwo", 10, 5);
	g_autoptr(ViewPager) empty = pager_of("", 10, 5);

	assert_false(view_pager_scroll(pager, 1));
	assert_false(view_pager_last(pager));
	assert_int_equal(view_pager_percent(pager), 100);
	assert_false(view_pager_scroll(empty, 3));
	assert_shown(empty, 5, "\n");
	assert_int_equal(view_pager_percent(empty), 100);
}

static void
wrapped_lines_scroll_one_by_one(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("aa bb cc dd\nee", 3, 2);

	assert_shown(pager, 2, "aa\nbb\n");
	view_pager_scroll(pager, 1);
	assert_shown(pager, 2, "bb\ncc\n");
	view_pager_last(pager);
	assert_shown(pager, 2, "dd\nee\n");
	view_pager_scroll(pager, -2);
	assert_shown(pager, 2, "bb\ncc\n");
}

static void
a_resize_keeps_the_place_in_the_text(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("one two three four five six\nseven\neight\nnine\n"
					      "ten\neleven",
					      6, 3);

	view_pager_scroll(pager, 3);
	assert_shown(pager, 1, "four\n");
	view_pager_resize(pager, 80, 3);
	assert_shown(pager, 2, "one two three four five six\nseven\n");
	view_pager_resize(pager, 10, 3);
	assert_shown(pager, 1, "one two\n");
}

static void
a_growing_screen_shows_no_void_below_the_end(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("1\n2\n3\n4\n5\n6", 10, 2);

	view_pager_last(pager);
	view_pager_resize(pager, 10, 4);
	assert_shown(pager, 4, "3\n4\n5\n6\n");
}

static void
quotes_are_recognised_and_stay_right_of_their_marks(void **state)
{
	g_autoptr(ViewPager) pager = pager_of("> one two\n> > deep\n>>x\nno > quote\n >y", 7, 9);
	ViewLine lines[9];

	assert_int_equal(view_pager_lines(pager, lines, 9), 8);
	assert_int_equal(lines[0].quote, 1);
	assert_int_equal(lines[0].kind, VIEW_LINE_QUOTE);
	assert_int_equal(lines[1].quote, 1);
	assert_true(lines[1].continues);
	assert_int_equal(lines[1].indent, 2);
	assert_int_equal(lines[2].quote, 2);
	assert_int_equal(lines[4].quote, 2);
	assert_int_equal(lines[5].quote, 0);
	assert_int_equal(lines[7].quote, 0);
}

/* A line of megabytes is kept in pieces: what a key costs is bounded. */
static void
a_line_of_two_megabytes_scrolls_from_end_to_end(void **state)
{
	g_autofree char *text = g_strnfill(2 << 20, 'x');
	g_autoptr(ViewPager) pager = pager_of(text, 80, 24);
	ViewLine lines[24];
	int steps = 0;

	assert_true(view_pager_last(pager));
	assert_int_equal(view_pager_lines(pager, lines, 24), 24);
	assert_int_equal(view_pager_percent(pager), 100);
	while (view_pager_scroll(pager, -1000))
		steps++;
	assert_true(steps >= 26);
	assert_shown(pager, 1,
		     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
}

/* Every way there is leads to lines that were there. */
static void
random_walks_stay_in_the_text(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(11);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(ViewPager) pager = NULL;

	for (int i = 0; i < 200; i++)
		g_string_append_printf(text, "%sline %d 汉字 🎉 %s\n", i % 7 ? "" : "> ", i,
				       i % 5 ? "" : "and quite a lot more than that to wrap");
	pager = pager_of(text->str, 20, 7);
	for (int i = 0; i < 20000; i++) {
		ViewLine lines[40];
		int rows = view_pager_rows(pager);

		switch (g_rand_int_range(random, 0, 20)) {
		case 0:
			view_pager_last(pager);
			break;
		case 1:
			view_pager_first(pager);
			break;
		case 2:
			view_pager_resize(pager, g_rand_int_range(random, 1, 90),
					  g_rand_int_range(random, 1, 40));
			rows = view_pager_rows(pager);
			break;
		default:
			view_pager_scroll(pager, g_rand_int_range(random, -30, 30));
		}
		assert_int_equal(view_pager_lines(pager, lines, (size_t)rows), rows);
		assert_in_range(view_pager_percent(pager), 0, 100);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_break_where_a_reader_would),
		cmocka_unit_test(any_text_wraps_at_any_width),
		cmocka_unit_test(scrolling_stops_at_both_ends),
		cmocka_unit_test(a_short_text_does_not_scroll),
		cmocka_unit_test(wrapped_lines_scroll_one_by_one),
		cmocka_unit_test(a_resize_keeps_the_place_in_the_text),
		cmocka_unit_test(a_growing_screen_shows_no_void_below_the_end),
		cmocka_unit_test(quotes_are_recognised_and_stay_right_of_their_marks),
		cmocka_unit_test(a_line_of_two_megabytes_scrolls_from_end_to_end),
		cmocka_unit_test(random_walks_stay_in_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
