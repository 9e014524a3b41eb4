/* Mail as it is sent, and the screen it gives: for NAME.html (or NAME.text) in the folder given, what is
 * in NAME.80.txt and NAME.120.txt beside it.  POSTERN_REWRITE=1 writes these anew, for a reviewer to
 * read.
 *
 * A line of the screen stands behind its kind and "|"; under it, behind ":", a letter for each cell that
 * looks otherwise: (b)old, (i)talic, (u)nderline, (s)trike, (c)ode, (l)ink, (n)umber of a link,
 * (w)arning, (m)arker of a list, (p)icture, "+" and "-" and "@" of a diff, (x) the signature, or a
 * colour: R, G, Y, B, M, C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gio/gio.h>

#include "base/safetext.h"
#include "mail/header.h"
#include "view/pager.h"

#define LINES_MAX 2000

static const char *folder;

static char
letter_of(const ViewSpan *span)
{
	static const struct {
		MailStyle style;
		char letter;
	} letters[] = {
		{ MAIL_STYLE_WARNING, 'w' }, { MAIL_STYLE_NUMBER, 'n' },
		{ MAIL_STYLE_MARKER, 'm' },  { MAIL_STYLE_PICTURE, 'p' },
		{ MAIL_STYLE_LINK, 'l' },    { MAIL_STYLE_ADDED, '+' },
		{ MAIL_STYLE_REMOVED, '-' }, { MAIL_STYLE_DIFF, '@' },
		{ MAIL_STYLE_STRIKE, 's' },  { MAIL_STYLE_SIGNATURE, 'x' },
		{ MAIL_STYLE_CODE, 'c' },    { MAIL_STYLE_BOLD, 'b' },
		{ MAIL_STYLE_ITALIC, 'i' },  { MAIL_STYLE_UNDERLINE, 'u' },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(letters); i++)
		if (span->style & letters[i].style)
			return letters[i].letter;
	return " RGYBMC"[span->colour];
}

static int
cells_of(const char **p, const char *end, int x)
{
	if (**p != '\t')
		return safe_text_cluster((Span){ *p, end }, p);
	++*p;
	return 8 - x % 8;
}

static void
write_line(GString *out, const ViewLine *line)
{
	static const char kinds[] = " >HN#_";
	g_autoptr(GString) looks = g_string_new(NULL);
	const char *p = line->text.at;
	int x = 0;

	assert_true(safe_text_is(line->text, SAFE_TEXT));
	for (int i = 0; i < line->indent; i++)
		g_string_append_c(looks, ' ');
	while (p < line->text.end) {
		size_t at = (size_t)(p - line->text.at);
		int cells = cells_of(&p, line->text.end, x);
		char letter = ' ';

		for (size_t i = 0; i < line->n_spans; i++)
			if (at >= line->spans[i].at && at < line->spans[i].end)
				letter = letter_of(&line->spans[i]);
		for (int i = 0; i < cells; i++)
			g_string_append_c(looks, letter);
		x += cells;
	}
	g_string_append_printf(out, "%c|", kinds[line->kind]);
	g_string_append_len(out, line->prefix.at, (gssize)span_size(line->prefix));
	if (!span_is_empty(line->text))
		g_string_append_printf(out, "%*s", line->indent - (int)span_size(line->prefix), "");
	g_string_append_len(out, line->text.at, (gssize)span_size(line->text));
	g_string_append_c(out, '\n');
	g_strchomp(looks->str);
	if (looks->str[0])
		g_string_append_printf(out, " :%s\n", looks->str);
}

static ViewDocument *
document_of(const char *path)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(MailRich) rich = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *note = NULL, *left_out = NULL;
	ViewDocument *document = view_document_new();
	char *text;
	gsize size;

	assert_true(g_file_get_contents(path, &text, &size, NULL));
	bytes = g_bytes_new_take(text, size);
	g_free(part->type);
	part->type = g_strdup(g_str_has_suffix(path, ".html") ? "text/html" : "text/plain");
	g_free(part->charset);
	part->charset = g_strdup("utf-8");
	rich = mail_rich_render(part, bytes, NULL, &note);
	assert_null(note);
	view_document_add_rich(document, rich);
	left_out = mail_rich_left_out(rich);
	if (left_out) {
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
		view_document_add(document, VIEW_LINE_NOTE, span_of_string(left_out));
	}
	view_document_add_targets(document);
	return document;
}

static char *
screen_of(const char *path, int width)
{
	static ViewLine lines[LINES_MAX];
	g_autoptr(ViewPager) pager = view_pager_new();
	GString *out = g_string_new(NULL);
	size_t n;

	view_pager_resize(pager, width, LINES_MAX);
	view_pager_take(pager, document_of(path), false);
	n = view_pager_lines(pager, lines, LINES_MAX);
	for (size_t i = 0; i < n; i++) {
		int cells = 0;

		for (const char *p = lines[i].text.at; p < lines[i].text.end;)
			cells += cells_of(&p, lines[i].text.end, cells);
		if (lines[i].indent + cells > width)
			fail_msg("%s is wider than %d in line %zu", path, width, i + 1);
		write_line(out, &lines[i]);
	}
	return g_string_free(out, FALSE);
}

static void
compare(const char *name, int width)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	const char *dot = strrchr(path, '.');
	g_autofree char *expected = g_strdup_printf("%.*s.%d.txt", (int)(dot - path), path, width);
	g_autofree char *is = screen_of(path, width), *wanted = NULL;

	if (g_getenv("POSTERN_REWRITE")) {
		assert_true(g_file_set_contents(expected, is, -1, NULL));
		return;
	}
	if (!g_file_get_contents(expected, &wanted, NULL, NULL))
		fail_msg("%s is missing: run this with POSTERN_REWRITE=1", expected);
	if (strcmp(is, wanted) != 0)
		fail_msg("%s at %d columns shows\n%s", name, width, is);
}

static void
every_mail_shows_as_expected(void **state)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;
	int n = 0;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		if (!g_str_has_suffix(name, ".html") && !g_str_has_suffix(name, ".text"))
			continue;
		compare(name, 80);
		compare(name, 120);
		n++;
	}
	assert_true(n >= 20);
}

/* At every width from nothing on: no line too wide, none lost on the way up or down. */
static void
every_mail_fits_any_width(void **state)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (!g_str_has_suffix(name, ".html") && !g_str_has_suffix(name, ".text"))
			continue;
		for (int width = 2; width < 100; width += 7) {
			g_autoptr(ViewPager) pager = view_pager_new();
			ViewLine line;
			int down = 0, up = 0;

			view_pager_resize(pager, width, 1);
			view_pager_take(pager, document_of(path), false);
			while (view_pager_scroll(pager, 1))
				down++;
			assert_int_equal(view_pager_lines(pager, &line, 1), 1);
			while (view_pager_scroll(pager, -1))
				up++;
			assert_int_equal(down, up);
		}
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mail_shows_as_expected),
		cmocka_unit_test(every_mail_fits_any_width),
	};

	folder = argc > 1 ? argv[1] : "screens";
	mail_init();
	return cmocka_run_group_tests_name("/view/screens", tests, NULL, NULL);
}
