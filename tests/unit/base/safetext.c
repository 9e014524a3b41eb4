/* The door, against everything that must not get through. */
#include "base/safetext.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd" /* U+FFFD */
#define C "\xe2\x97\x8c" /* U+25CC */

/* The claim of the header, written without looking at how it is kept. */
static bool
is_forbidden(gunichar c, SafeMode mode)
{
	static const struct {
		gunichar first, last;
	} never[] = {
		{ 0x00, 0x08 },	    { 0x0b, 0x1f },	  { 0x7f, 0x9f },     { 0xad, 0xad },
		{ 0x61c, 0x61c },   { 0x115f, 0x1160 },	  { 0x180e, 0x180e }, { 0x200b, 0x200b },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e },	  { 0x2060, 0x206f }, { 0x3164, 0x3164 },
		{ 0xd800, 0xdfff }, { 0xfdd0, 0xfdef },	  { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
	};

	if (c == '\n' || c == '\t')
		return mode != SAFE_TEXT;
	for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
		if (c >= never[i].first && c <= never[i].last)
			return true;
	return (c & 0xfffe) == 0xfffe || c > 0x10ffff;
}

static void
assert_safe(const char *text, size_t size, SafeMode mode)
{
	assert_true(g_utf8_validate(text, (gssize)size, NULL));
	for (const char *p = text; p < text + size; p = g_utf8_next_char(p))
		if (is_forbidden(g_utf8_get_char(p), mode))
			fail_msg("U+%04X came through", g_utf8_get_char(p));
}

/* Through the door; with every claim that holds for any text checked on the way. */
static char *
pass(const void *bytes, size_t size, SafeMode mode)
{
	Span text = span_of(bytes, size);
	size_t out_size, again_size;
	char *out = safe_text(text, mode, &out_size);
	g_autofree char *again = safe_text(span_of(out, out_size), mode, &again_size);

	assert_int_equal(strlen(out), out_size);
	assert_true(out_size <= 3 * size);
	assert_safe(out, out_size, mode);
	assert_int_equal(again_size, out_size);
	assert_memory_equal(again, out, out_size);
	assert_true(safe_text_is(span_of(out, out_size), mode));
	assert_int_equal(safe_text_is(text, mode), out_size == size && !memcmp(out, bytes, size));
	return out;
}

static void
assert_pass(const char *text, SafeMode mode, const char *wanted)
{
	g_autofree char *out = pass(text, strlen(text), mode);

	assert_string_equal(out, wanted);
}

static void
every_byte_alone(void **state)
{
	for (int mode = SAFE_LINE; mode <= SAFE_TEXT; mode++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[3] = { 'a', (char)byte, 'b' };
			g_autofree char *out = pass(text, 3, (SafeMode)mode);
			bool plain = byte >= 0x20 && byte < 0x7f;
			bool stays = mode == SAFE_TEXT && (byte == '\n' || byte == '\t');
			bool space = mode == SAFE_LINE && byte && strchr("\t\r\n", byte);

			if (plain || stays)
				assert_memory_equal(out, text, 3);
			else
				assert_string_equal(out, space ? "a b" : "a" R "b");
		}
	}
}

static void
every_code_point_alone(void **state)
{
	for (gunichar c = 0x80; c <= 0x10ffff; c++) {
		char text[16];
		int size = g_unichar_to_utf8(c, text + 1);
		g_autofree char *line = NULL, *running = NULL;
		Span span = span_of(text, (size_t)size + 2);

		text[0] = 'a';
		text[size + 1] = 'b';
		if (safe_text_is(span, SAFE_LINE) != !is_forbidden(c, SAFE_LINE) &&
		    g_unichar_type(c) != G_UNICODE_FORMAT)
			fail_msg("U+%04X is taken wrong", c);
		if (c > 0x1ffff && c < 0xdffff && c % 1001)
			continue; /* the planes nobody uses: a sample is enough */
		line = safe_text(span, SAFE_LINE, NULL);
		running = safe_text(span, SAFE_TEXT, NULL);
		assert_safe(line, strlen(line), SAFE_LINE);
		assert_safe(running, strlen(running), SAFE_TEXT);
		if (is_forbidden(c, SAFE_LINE))
			assert_string_equal(line, "a" R "b");
	}
}

static void
c1_controls_in_both_forms(void **state)
{
	for (int c = 0x80; c < 0xa0; c++) {
		char raw[] = { (char)c, '[', '3', '1', 'm', 0 };
		char utf8[] = { '\xc2', (char)c, '[', '3', '1', 'm', 0 };

		assert_pass(raw, SAFE_TEXT, R "[31m");
		assert_pass(utf8, SAFE_TEXT, R "[31m");
		assert_pass(raw, SAFE_LINE, R "[31m");
		assert_pass(utf8, SAFE_LINE, R "[31m");
	}
}

static void
broken_utf8_is_placeholders(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "\xc0\xaf", R },			  /* overlong / */
		{ "\xe0\x80\xaf", R },			  /* */
		{ "\xf0\x80\x80\xaf", R },		  /* */
		{ "\xc1\x9b[2J", R "[2J" },		  /* overlong [ */
		{ "\xe0\x9f\xbf", R },			  /* overlong U+07FF */
		{ "\xed\xa0\x80", R },			  /* a surrogate */
		{ "\xed\xbf\xbf", R },			  /* */
		{ "\xed\xa0\xbd\xed\xb8\x80", R R },	  /* a pair of them (CESU-8) */
		{ "\xf4\x90\x80\x80", R },		  /* U+110000 */
		{ "\xf8\x88\x80\x80\x80", R R },	  /* five bytes, as of old */
		{ "\xe2\x82", R },			  /* cut */
		{ "a\xe2\x82z", "a" R "z" },		  /* */
		{ "\xf0\x9f\x98", R },			  /* */
		{ "\xe2\x1b[0m", R "[0m" },		  /* cut by a control: one run */
		{ "\xe2\x82\xac\x82", "\xe2\x82\xac" R }, /* a tail too many */
		{ "\xef\xbf\xbe\xef\xbf\xbf", R R },	  /* non-characters */
		{ "\xef\xb7\x90\xf0\x9f\xbf\xbf", R R },  /* */
		{ "Gr\xfc\xdf"
		  "e",
		  "Gr" R "e" }, /* Latin-1 */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_pass(cases[i].text, SAFE_TEXT, cases[i].wanted);
		assert_pass(cases[i].text, SAFE_LINE, cases[i].wanted);
	}
}

static void
a_run_shows_once_for_four_bytes(void **state)
{
	assert_pass("\x1b\x1b\x1b\x1b", SAFE_TEXT, R);
	assert_pass("\x1b\x1b\x1b\x1b\x1b", SAFE_TEXT, R R);
	assert_pass("\x1b"
		    "a\x1b",
		    SAFE_TEXT, R "a" R);
	assert_pass("\x1b\n\x1b", SAFE_TEXT, R "\n" R);
	assert_pass("\xe2\x80\xae\xe2\x80\xae", SAFE_TEXT, R R);
	assert_pass(R R "\x1b", SAFE_TEXT, R R R);
}

static void
line_ends_by_mode(void **state)
{
	assert_pass("a\r\nb\nc\td\re", SAFE_TEXT, "a\nb\nc\td" R "e");
	assert_pass("a\r\nb\nc\td\re", SAFE_LINE, "a  b c d e");
	assert_pass("\r\r\n", SAFE_TEXT, R "\n");
	assert_pass("a\r", SAFE_TEXT, "a" R);
	assert_pass("a\xe2\x80\xa8"
		    "b\xe2\x80\xa9",
		    SAFE_TEXT, "a" R "b" R);
	assert_pass("a\xc2\x85"
		    "b",
		    SAFE_LINE, "a" R "b"); /* NEL */
}

static void
bidi_and_hidden_text(void **state)
{
	assert_pass("gpj.\xe2\x80\xae"
		    "exe",
		    SAFE_LINE, "gpj." R "exe");
	assert_pass("gpj.\xe2\x80\xae"
		    "exe",
		    SAFE_TEXT, "gpj." R "exe");
	assert_pass("\xe2\x81\xa6x\xe2\x81\xa9", SAFE_TEXT, R "x" R);
	assert_pass("a\xf3\xa0\x81\xa1\xf3\xa0\x81\xa2", SAFE_TEXT, "a" R R); /* tags */
	assert_pass("a\xf3\xa0\x84\x80", SAFE_TEXT, "a" R);		      /* VS17 */
	/* An address must not look like another; running text reads as it was meant. */
	assert_pass("pay\xe2\x80\x8bpal", SAFE_LINE, "pay" R "pal");
	assert_pass("Donau\xc2\xad"
		    "dampf\xe2\x80\x8b.\xef\xbb\xbf",
		    SAFE_TEXT, "Donaudampf.");
	assert_pass("\xd7\x90\xe2\x80\x8f!", SAFE_LINE, "\xd7\x90" R "!");
	assert_pass("\xd7\x90\xe2\x80\x8f!", SAFE_TEXT, "\xd7\x90!");
	assert_pass("\xe3\x85\xa4\xef\xbe\xa0", SAFE_TEXT, R R); /* Hangul fillers */
	/* Visible format characters and joiners have work to do. */
	assert_pass("\xd9\x86\xe2\x80\x8c\xdb\x81", SAFE_LINE, "\xd9\x86\xe2\x80\x8c\xdb\x81");
	assert_pass("\xd8\x80\xd9\xa1", SAFE_LINE, "\xd8\x80\xd9\xa1");
}

static void
combining_floods_are_cut(void **state)
{
	g_autoptr(GString) flood = g_string_new("Z");
	g_autoptr(GString) wanted = g_string_new("Z");
	const char *marks[] = { "\xcc\x80", "\xe2\x80\x8d", "\xef\xb8\x8f", "\xe0\xa4\xbe",
				"\xf0\x9f\x8f\xbb" };

	for (int i = 0; i < 50000; i++)
		g_string_append(flood, "\xcc\xb7");
	g_string_append(flood, "a");
	for (int i = 0; i < 8; i++)
		g_string_append(wanted, "\xcc\xb7");
	g_string_append(wanted, "a");
	assert_pass(flood->str, SAFE_TEXT, wanted->str);
	assert_pass(flood->str, SAFE_LINE, wanted->str);
	for (size_t m = 0; m < G_N_ELEMENTS(marks); m++) {
		g_autofree char *out = NULL;

		g_string_assign(flood, "x");
		for (int i = 0; i < 100; i++)
			g_string_append(flood, marks[m]);
		out = pass(flood->str, flood->len, SAFE_TEXT);
		assert_int_equal(strlen(out), 1 + 8 * strlen(marks[m]));
	}
}

static void
a_mark_without_a_base_gets_one(void **state)
{
	assert_pass("\xcc\x81"
		    "e",
		    SAFE_LINE,
		    C "\xcc\x81"
		      "e");
	assert_pass("a\n\xcc\x81", SAFE_TEXT, "a\n" C "\xcc\x81");
	assert_pass("a\t\xcc\x81", SAFE_TEXT, "a\t" C "\xcc\x81");
	assert_pass("a \xcc\x81", SAFE_TEXT, "a \xcc\x81");
	assert_pass("\xe2\x80\x8d"
		    "a",
		    SAFE_LINE, R "a");
	assert_pass("\xef\xb8\x8f", SAFE_LINE, R);
	assert_pass("\x1b\xcc\x81", SAFE_LINE, R "\xcc\x81");
	assert_pass("\xe2\x80\x8b\xcc\x81", SAFE_TEXT, C "\xcc\x81");
}

static void
nul_and_null_are_harmless(void **state)
{
	g_autofree char *out = pass("a\0b", 3, SAFE_LINE);
	g_autofree char *none = safe_line(NULL);
	g_autofree char *empty = safe_text(SPAN_EMPTY, SAFE_TEXT, NULL);
	g_autoptr(GString) appended = g_string_new("x: ");

	assert_string_equal(out, "a" R "b");
	assert_string_equal(none, "");
	assert_string_equal(empty, "");
	safe_text_append(appended, SPAN_LITERAL("\xcc\x81\x07"), SAFE_LINE);
	assert_string_equal(appended->str, "x: " C "\xcc\x81" R);
}

static void
widths_of_lines(void **state)
{
	static const struct {
		const char *text;
		int cells;
	} cases[] = {
		{ "", 0 },
		{ "plain", 5 },
		{ "a\tb", 3 },
		{ "caf\xc3\xa9", 4 },
		{ "cafe\xcc\x81", 4 },
		{ "cafe\xcc\x81 au lait", 12 },
		{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6 },	       /* CJK */
		{ "\xef\xbc\xa1", 2 },				       /* full width A */
		{ "\xef\xbd\xb6\xef\xbe\x9e", 2 },		       /* half width ga */
		{ "\xed\x95\x9c", 2 },				       /* a Hangul syllable */
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2 },	       /* the same in jamo */
		{ "\xe1\x84\x92\xe1\x84\x92", 4 },		       /* two initials */
		{ "\xf0\x9f\x98\x80", 2 },			       /* an emoji */
		{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", 2 }, /* woman ZWJ laptop */
		{ "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", 2 },
		{ "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 2 }, /* thumb, skin tone */
		{ "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2 }, /* a flag */
		{ "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xf0\x9f\x87\xab\xf0\x9f\x87\xb7", 4 },
		{ "\xf0\x9f\x87\xa9", 1 },			   /* half a flag */
		{ "\xe2\x9d\xa4", 1 },				   /* heart */
		{ "\xe2\x9d\xa4\xef\xb8\x8f", 2 },		   /* heart VS16 */
		{ "1\xef\xb8\x8f\xe2\x83\xa3", 2 },		   /* keycap */
		{ "a\xef\xb8\x8f", 1 },				   /* no emoji form */
		{ "\xe0\xa4\x95\xe0\xa4\xbe", 2 },		   /* ka + spacing aa */
		{ "\xe0\xa4\x95\xe0\xa5\x8d", 1 },		   /* ka + virama */
		{ "\xc2\xb1\xe2\x80\xa6\xce\xb1\xe2\x94\x80", 4 }, /* ambiguous ones */
		{ "\xef\xbf\xbd", 1 },
		{ "\xee\x82\xb0", 1 }, /* private use */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Span text = span_of_string(cases[i].text);

		if (!safe_text_is(text, SAFE_TEXT))
			fail_msg("case %zu has not passed the door", i);
		if (safe_text_width(text) != cases[i].cells)
			fail_msg("case %zu: %d cells, not %d", i, safe_text_width(text),
				 cases[i].cells);
	}
}

static void
clusters_are_short_and_add_up(void **state)
{
	g_autoptr(GString) flood = g_string_new(NULL);
	const char *units[] = { "\xf0\x9f\x91\xa9\xe2\x80\x8d", "\xe1\x84\x92", "\xd8\x80",
				"e\xcc\x81", "\xf0\x9f\x87\xa9" };

	for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
		g_autofree char *out = NULL;
		int cells = 0;

		g_string_assign(flood, "");
		for (int i = 0; i < 20000; i++)
			g_string_append(flood, units[u]);
		out = safe_text(span_of(flood->str, flood->len), SAFE_LINE, NULL);
		for (const char *p = out, *next; *p; p = next) {
			int width = safe_text_cluster(span_of_string(p), &next);

			assert_true(next > p && next - p <= 4 * 32);
			assert_in_range(width, 0, 2);
			cells += width;
		}
		assert_int_equal(cells, safe_text_width(span_of_string(out)));
	}
}

static void
random_bytes_never_get_through(void **state)
{
	/* Pieces that the interesting code looks at, between noise. */
	static const char *const pieces[] = {
		"\x1b[",	"\xc2\x9b",
		"\xe2\x80\xae", "\xf3\xa0\x80\xa1",
		"\xcc\x81",	"\r\n",
		"\r",		"\xe2\x80\x8b",
		"\xef\xb8\x8f", "\xe2\x80\x8d",
		"\xed\xa0\x80", "\xf0\x9f",
		"plain text",	"\xef\xbf\xbd",
		"\t",		"\n",
		"\xe1\x85\xa1", "\xf0\x9f\x91\xa9",
	};
	GRand *random = g_rand_new_with_seed(20240229);
	g_autoptr(GString) text = g_string_new(NULL);

	for (int round = 0; round < 20000; round++) {
		int length = g_rand_int_range(random, 0, 24);
		g_autofree char *line = NULL, *running = NULL;
		int cells = 0;

		g_string_truncate(text, 0);
		for (int i = 0; i < length; i++) {
			if (g_rand_boolean(random))
				g_string_append_c(text, (char)g_rand_int_range(random, 0, 256));
			else
				g_string_append(text,
						pieces[g_rand_int_range(random, 0,
									G_N_ELEMENTS(pieces))]);
		}
		line = pass(text->str, text->len, SAFE_LINE);
		running = pass(text->str, text->len, SAFE_TEXT);
		for (const char *p = line, *next; *p; p = next)
			cells += safe_text_cluster(span_of_string(p), &next);
		assert_int_equal(cells, safe_text_width(span_of_string(line)));
		/* Bytes that skipped the door do not lead out of the span either. */
		for (const char *p = text->str, *end = p + text->len; p < end;) {
			safe_text_cluster(span_of(p, (size_t)(end - p)), &p);
			assert_true(p <= end);
		}
	}
	g_rand_free(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_alone),
		cmocka_unit_test(every_code_point_alone),
		cmocka_unit_test(c1_controls_in_both_forms),
		cmocka_unit_test(broken_utf8_is_placeholders),
		cmocka_unit_test(a_run_shows_once_for_four_bytes),
		cmocka_unit_test(line_ends_by_mode),
		cmocka_unit_test(bidi_and_hidden_text),
		cmocka_unit_test(combining_floods_are_cut),
		cmocka_unit_test(a_mark_without_a_base_gets_one),
		cmocka_unit_test(nul_and_null_are_harmless),
		cmocka_unit_test(widths_of_lines),
		cmocka_unit_test(clusters_are_short_and_add_up),
		cmocka_unit_test(random_bytes_never_get_through),
	};

	return cmocka_run_group_tests_name("/base/safetext", tests, NULL, NULL);
}
