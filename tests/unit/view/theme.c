/* Themes: every one that comes with Postern, one's own, what is wrong in them, and fewer colours. */
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "view/theme.h"

typedef struct Dir {
	char *path, *file;
} Dir;

static int
make_dir(void **state)
{
	Dir *dir = g_new0(Dir, 1);

	dir->path = g_dir_make_tmp("postern-themes-XXXXXX", NULL);
	dir->file = g_build_filename(dir->path, "own.theme", NULL);
	*state = dir;
	return 0;
}

static int
remove_dir(void **state)
{
	Dir *dir = *state;

	g_unlink(dir->file);
	g_rmdir(dir->path);
	g_free(dir->path);
	g_free(dir->file);
	g_free(dir);
	return 0;
}

static void
assert_look(ViewLook look, int32_t text, int32_t ground, unsigned weight)
{
	assert_int_equal(look.text, text);
	assert_int_equal(look.ground, ground);
	assert_int_equal(look.weight, weight);
}

static void
every_theme_that_comes_along_is_right_and_says_all(void **state)
{
	static const char *const want[] = { "contrast", "dark", "light", "mono", "terminal" };
	g_autoptr(GPtrArray) names = view_theme_names(NULL);

	assert_int_equal(names->len, G_N_ELEMENTS(want));
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(ViewTheme) theme = view_theme_load(NULL, names->pdata[i], &error);
		ViewLook bar;

		assert_string_equal(names->pdata[i], want[i]);
		if (!theme)
			fail_msg("%s", error->message);
		bar = view_theme_look(theme, VIEW_STYLE_BAR, 8);
		assert_true(bar.weight || bar.ground != VIEW_COLOUR_DEFAULT);
	}
}

static void
mono_has_no_colour(void **state)
{
	g_autoptr(ViewTheme) theme = view_theme_load(NULL, "mono", NULL);

	for (int i = 0; i < VIEW_STYLES; i++) {
		ViewLook look = view_theme_look(theme, (ViewStyle)i, 256);

		assert_int_equal(look.text, VIEW_COLOUR_DEFAULT);
		assert_int_equal(look.ground, VIEW_COLOUR_DEFAULT);
	}
}

static void
words_make_a_look(void **state)
{
	ViewLook look;

	assert_true(view_look_parse("bold bright-red on blue", 256, &look, NULL));
	assert_look(look, 9, 4, VIEW_BOLD);
	assert_true(view_look_parse("default on 17 underline dim", 256, &look, NULL));
	assert_look(look, VIEW_COLOUR_DEFAULT, 17, VIEW_UNDERLINE | VIEW_DIM);
	assert_true(view_look_parse("#ff8800 italic / yellow reverse", 1 << 24, &look, NULL));
	assert_look(look, VIEW_COLOUR_DIRECT + 0xff8800, VIEW_COLOUR_DEFAULT, VIEW_ITALIC);
	assert_true(view_look_parse("#ff8800 italic / yellow reverse", 16, &look, NULL));
	assert_look(look, 3, VIEW_COLOUR_DEFAULT, VIEW_REVERSE);
	assert_true(view_look_parse("bright-green", 8, &look, NULL));
	assert_look(look, 2, VIEW_COLOUR_DEFAULT, 0);
	assert_true(view_look_parse("", 8, &look, NULL));
	assert_look(look, VIEW_COLOUR_DEFAULT, VIEW_COLOUR_DEFAULT, 0);
}

static void
the_nearest_colour_is_taken_where_there_are_fewer(void **state)
{
	assert_int_equal(view_colour_for(VIEW_COLOUR_DIRECT + 0xff0000, 256), 196);
	assert_int_equal(view_colour_for(VIEW_COLOUR_DIRECT + 0x808080, 256), 244);
	assert_int_equal(view_colour_for(VIEW_COLOUR_DIRECT + 0xfe0101, 16), 9);
	assert_int_equal(view_colour_for(VIEW_COLOUR_DIRECT + 0x00d000, 8), 2);
	assert_int_equal(view_colour_for(232, 8), 0);
	assert_int_equal(view_colour_for(VIEW_COLOUR_DEFAULT, 8), VIEW_COLOUR_DEFAULT);
	assert_int_equal(view_colour_for(196, 1 << 24), VIEW_COLOUR_DIRECT + 0xff0000);
	assert_int_equal(view_colour_for(3, 1 << 24), 3);
	for (int32_t colour = 0; colour < 256; colour++) {
		assert_int_equal(view_colour_for(colour, 256), colour);
		assert_in_range(view_colour_for(colour, 16), 0, 15);
		assert_in_range(view_colour_for(colour, 8), 0, 7);
	}
}

static void
ones_own_comes_before_and_its_tags_fold_case(void **state)
{
	const Dir *dir = *state;
	static const char text[] = "# mine\n[theme]\ntitle = Mine\n[styles]\nunread = red # loud\n"
				   "[tags]\nWork = #112233 / blue\n";
	g_autoptr(ViewTheme) theme = NULL;
	g_autoptr(ViewTheme) dark = NULL;
	g_autoptr(GPtrArray) names = NULL;
	ViewLook look;

	assert_true(g_file_set_contents(dir->file, text, -1, NULL));
	theme = view_theme_load(dir->path, "own", NULL);
	assert_non_null(theme);
	assert_look(view_theme_look(theme, VIEW_STYLE_UNREAD, 8), 1, VIEW_COLOUR_DEFAULT, 0);
	assert_look(view_theme_look(theme, VIEW_STYLE_BAR, 8), VIEW_COLOUR_DEFAULT,
		    VIEW_COLOUR_DEFAULT, VIEW_REVERSE);
	assert_true(view_theme_tag(theme, "wORK", 8, &look));
	assert_look(look, 4, VIEW_COLOUR_DEFAULT, 0);
	assert_false(view_theme_tag(theme, "later", 8, &look));
	names = view_theme_names(dir->path);
	assert_int_equal(names->len, 6);
	dark = view_theme_load(dir->path, "dark", NULL);
	assert_non_null(dark);
}

static void
slips_are_told_with_their_line(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[styles]\nunred = bold\n",
		  "own.theme:2: no such style “unred”: did you mean “unread”?" },
		{ "[styles]\nunread = blod\n", ":2: “blod” is no colour" },
		{ "[styles]\nunread = red on on blue\n", ":2: “on” is no colour" },
		{ "[styles]\nunread = 256\n", ":2: “256” is no colour" },
		{ "[styles]\nunread = #12345\n", "is no colour" },
		{ "[styles]\nunread = red / gren\n", "“gren” is no colour" },
		{ "[style]\n", ":1: no such section [style]" },
		{ "unread = bold\n", ":1: a style stands below [styles]" },
		{ "[styles]\n\nunread\n", ":3: this is neither" },
		{ "[theme]\nname = x\n", ":2: [theme] has a title" },
		{ "[styles]\nunread = \xff\n", "not UTF-8" },
	};
	const Dir *dir = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		assert_true(g_file_set_contents(dir->file, rows[i].text, -1, NULL));
		assert_null(view_theme_load(dir->path, "own", &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
		if (!strstr(error->message, rows[i].says))
			fail_msg("%s", error->message);
	}
}

static void
a_name_that_is_none_is_told_those_there_are(void **state)
{
	static const char *const names[] = { "", "nonsense", "../own", "/etc/passwd", ".." };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(view_theme_load(NULL, names[i], &error));
		assert_non_null(
		    strstr(error->message, "there is contrast, dark, light, mono, terminal"));
	}
}

#define WITH_DIR(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_theme_that_comes_along_is_right_and_says_all),
		cmocka_unit_test(mono_has_no_colour),
		cmocka_unit_test(words_make_a_look),
		cmocka_unit_test(the_nearest_colour_is_taken_where_there_are_fewer),
		WITH_DIR(ones_own_comes_before_and_its_tags_fold_case),
		WITH_DIR(slips_are_told_with_their_line),
		cmocka_unit_test(a_name_that_is_none_is_told_those_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
