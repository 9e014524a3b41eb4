#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/safetext.h"
#include "view/prompt.h"

/* KEYS separated by blanks. */
static ViewPromptAnswer
press(ViewPrompt *prompt, const char *keys)
{
	g_auto(GStrv) each = g_strsplit(keys, " ", -1);
	ViewPromptAnswer answer = VIEW_PROMPT_IGNORED;

	for (char **key = each; *key; key++)
		answer = view_prompt_key(prompt, *key);
	return answer;
}

static void
keys_edit_as_in_a_shell(void **state)
{
	static const struct {
		const char *text, *keys, *gives;
	} rows[] = {
		{ "", "a b Space c", "ab c" },
		{ "abc", "Left Left X", "aXbc" },
		{ "abc", "Home X End Y", "XabcY" },
		{ "abc", "Backspace", "ab" },
		{ "abc", "Ctrl-A Delete Ctrl-D", "c" },
		{ "one two", "Ctrl-W X", "one X" },
		{ "/tmp/file.txt", "Ctrl-W", "/tmp/" },
		{ "/tmp/", "Ctrl-W", "/" },
		{ "abc", "Ctrl-U x", "x" },
		{ "abc", "Left Ctrl-K", "ab" },
		{ "ae\u0301", "Backspace", "a" }, /* a cluster, not a code point */
		{ "a👨‍👩‍👧b", "Left Left X", "aX👨‍👩‍👧b" },
		{ "", "ü 汉", "ü汉" },
		{ "a", "Up Down PgUp F5", "a" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(ViewPrompt) prompt = view_prompt_new("? ", rows[i].text);

		press(prompt, rows[i].keys);
		assert_string_equal(view_prompt_text(prompt), rows[i].gives);
	}
}

static void
enter_ends_it_and_escape_cancels_it(void **state)
{
	g_autoptr(ViewPrompt) prompt = view_prompt_new("? ", "x");

	assert_int_equal(press(prompt, "Enter"), VIEW_PROMPT_DONE);
	assert_int_equal(press(prompt, "Esc"), VIEW_PROMPT_CANCELLED);
	assert_int_equal(press(prompt, "Ctrl-G"), VIEW_PROMPT_CANCELLED);
	assert_int_equal(press(prompt, "Backspace"), VIEW_PROMPT_EDITED);
	assert_int_equal(press(prompt, "Backspace"), VIEW_PROMPT_CANCELLED);
}

static GPtrArray *
candidates(const char *const *names)
{
	GPtrArray *array = g_ptr_array_new_with_free_func(g_free);

	for (; *names; names++)
		g_ptr_array_add(array, g_strdup(*names));
	return array;
}

static void
tab_fills_in_what_is_common_then_goes_through_them(void **state)
{
	g_autoptr(ViewPrompt) prompt = view_prompt_new(":", "p");
	g_autoptr(GPtrArray) names =
	    candidates((const char *const[]){ "page-down", "page-up", "page-x", NULL });

	assert_int_equal(press(prompt, "Tab"), VIEW_PROMPT_COMPLETE);
	view_prompt_complete(prompt, names);
	assert_string_equal(view_prompt_text(prompt), "page-");
	assert_non_null(view_prompt_candidates(prompt));
	view_prompt_complete(prompt, names);
	assert_string_equal(view_prompt_text(prompt), "page-down");
	assert_string_equal(view_prompt_beginning(prompt), "page-");
	view_prompt_complete(prompt, names);
	view_prompt_complete(prompt, names);
	view_prompt_complete(prompt, names);
	assert_string_equal(view_prompt_text(prompt), "page-down");
	press(prompt, "x");
	assert_null(view_prompt_candidates(prompt));
	assert_string_equal(view_prompt_text(prompt), "page-downx");
}

static void
a_single_one_is_filled_in_and_none_changes_nothing(void **state)
{
	g_autoptr(ViewPrompt) prompt = view_prompt_new(":", "in");
	g_autoptr(GPtrArray) one = candidates((const char *const[]){ "INBOX", NULL });
	g_autoptr(GPtrArray) none = candidates((const char *const[]){ NULL });

	view_prompt_complete(prompt, none);
	assert_string_equal(view_prompt_text(prompt), "in");
	assert_int_equal(view_prompt_candidates(prompt)->len, 0);
	view_prompt_complete(prompt, one);
	assert_string_equal(view_prompt_text(prompt), "INBOX");
	assert_null(view_prompt_candidates(prompt));
}

static void
common_beginnings_end_between_characters(void **state)
{
	g_autoptr(ViewPrompt) prompt = view_prompt_new(":", "");
	g_autoptr(GPtrArray) names = candidates((const char *const[]){ "aü", "aö", NULL });

	view_prompt_complete(prompt, names);
	assert_string_equal(view_prompt_text(prompt), "a");
}

static void
the_cursor_is_always_in_the_window(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(ViewPrompt) prompt = NULL;

	for (int i = 0; i < 60; i++)
		g_string_append(text, i % 3 ? "x" : "汉");
	prompt = view_prompt_new("Save to: ", text->str);
	for (int i = 0; i < 80; i++) {
		for (int width = 3; width < 100; width += 7) {
			int cursor = -1;
			g_autofree char *window = view_prompt_window(prompt, width, &cursor);

			assert_in_range(cursor, 0, width - 1);
			assert_true(safe_text_is(span_of_string(window), SAFE_LINE));
		}
		press(prompt, "Left");
	}
}

static void
nothing_unsafe_gets_in(void **state)
{
	g_autoptr(ViewPrompt) prompt = view_prompt_new("? ", "a\033[31mb\u202e");
	const char *keys[] = { "\xc2\x9b", "\u202e", "\033" };

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		view_prompt_key(prompt, keys[i]);
	assert_true(safe_text_is(span_of_string(view_prompt_text(prompt)), SAFE_LINE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_edit_as_in_a_shell),
		cmocka_unit_test(enter_ends_it_and_escape_cancels_it),
		cmocka_unit_test(tab_fills_in_what_is_common_then_goes_through_them),
		cmocka_unit_test(a_single_one_is_filled_in_and_none_changes_nothing),
		cmocka_unit_test(common_beginnings_end_between_characters),
		cmocka_unit_test(the_cursor_is_always_in_the_window),
		cmocka_unit_test(nothing_unsafe_gets_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
