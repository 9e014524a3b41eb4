/* Styled text: what looks how, where links lead, what is kept from view; and that it stays in bounds. */
#include "base/safetext.h"
#include "mail/header.h"
#include "mail/rich.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd"

static MailRich *
render(const char *type, Span text, MailRichLimits limits, char **note)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text.at, span_size(text));

	g_free(part->type);
	part->type = g_strdup(type);
	part->charset = g_strdup("utf-8");
	return mail_rich_render(part, bytes, &limits, note);
}

static MailRich *
html(const char *text)
{
	return render("text/html", span_of_string(text), (MailRichLimits){ 0 }, NULL);
}

static MailRich *
plain(const char *text)
{
	return render("text/plain", span_of_string(text), (MailRichLimits){ 0 }, NULL);
}

/* What rich.h promises of every document. */
static void
assert_sound(const MailRich *rich)
{
	uint32_t at = 0, run_at = 0;

	assert_true(safe_text_is(span_of(rich->text->str, rich->text->len), SAFE_TEXT));
	assert_null(memchr(rich->text->str, '\n', rich->text->len));
	for (guint i = 0; i < rich->blocks->len; i++) {
		const MailBlock *block = &g_array_index(rich->blocks, MailBlock, i);

		assert_true(block->at == at && block->end >= block->at);
		at = block->end;
		assert_true(block->table <= rich->tables->len);
		assert_true(block->column < MAIL_TABLE_COLUMNS_MAX);
	}
	assert_int_equal(at, rich->text->len);
	for (guint i = 0; i < rich->runs->len; i++) {
		const MailRun *run = &g_array_index(rich->runs, MailRun, i);

		assert_true(run->at >= run_at && run->end > run->at && run->end <= at);
		run_at = run->end;
		assert_true(run->link <= rich->links->len);
		assert_true(run->style || run->colour || run->link);
	}
	for (guint i = 0; i < rich->tables->len; i++) {
		const MailTable *table = &g_array_index(rich->tables, MailTable, i);

		assert_true(table->columns <= MAIL_TABLE_COLUMNS_MAX && table->n > 0);
		assert_true(table->first + table->n <= rich->blocks->len);
		for (uint32_t b = table->first; b < table->first + table->n; b++)
			assert_int_equal(g_array_index(rich->blocks, MailBlock, b).table, i + 1);
	}
	for (guint i = 0; i < rich->links->len; i++) {
		const MailLink *link = rich->links->pdata[i];

		assert_true(safe_text_is(span_of_string(link->target), SAFE_LINE));
		assert_null(strpbrk(link->target, " <>"));
	}
}

/* Its lines: "2|" a heading, "P|" preformatted, "_|" a rule, "1,0|" a cell, ">|" quoted; runs as
 * "{letters:text}". */
static char *
described(const MailRich *rich)
{
	static const char letters[] = "biuscLNWMPadhx";
	GString *out = g_string_new(NULL);
	guint run = 0;

	assert_sound(rich);
	for (guint i = 0; i < rich->blocks->len; i++) {
		const MailBlock *block = &g_array_index(rich->blocks, MailBlock, i);
		uint32_t at = block->at;

		for (unsigned n = 0; n < block->quote; n++)
			g_string_append_c(out, '>');
		if (block->kind == MAIL_BLOCK_HEADING)
			g_string_append_printf(out, "%u", block->level);
		if (block->table)
			g_string_append_printf(out, "%u,%u", block->row, block->column);
		g_string_append(out, block->kind == MAIL_BLOCK_PRE    ? "P|"
				     : block->kind == MAIL_BLOCK_RULE ? "_|"
								      : "|");
		for (; run < rich->runs->len; run++) {
			const MailRun *next = &g_array_index(rich->runs, MailRun, run);

			if (next->at >= block->end)
				break;
			g_string_append_len(out, rich->text->str + at, next->at - at);
			g_string_append_c(out, '{');
			for (unsigned b = 0; letters[b]; b++)
				if (next->style & (1U << b))
					g_string_append_c(out, letters[b]);
			if (next->colour)
				g_string_append_c(out, " rgybmc"[next->colour]);
			if (next->link)
				g_string_append_printf(out, "%u", next->link);
			g_string_append_c(out, ':');
			g_string_append_len(out, rich->text->str + next->at, next->end - next->at);
			g_string_append_c(out, '}');
			at = next->end;
		}
		g_string_append_len(out, rich->text->str + at, block->end - at);
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

typedef struct Case {
	const char *text, *wanted;
} Case;

static void
assert_all(const Case *cases, size_t n, MailRich *(*make)(const char *))
{
	for (size_t i = 0; i < n; i++) {
		g_autoptr(MailRich) rich = make(cases[i].text);
		g_autofree char *is = described(rich);

		if (strcmp(is, cases[i].wanted) != 0)
			fail_msg("%s\n--- gave ---\n%s--- not ---\n%s", cases[i].text, is,
				 cases[i].wanted);
	}
}

static void
elements_and_styles_say_how_text_looks(void **state)
{
	static const Case cases[] = {
		{ "<h2>a<b>b</b></h2>c", "2|a{b:b}\n|c\n" },
		{ "<b>a<i>b</b>c</i>d", "|{b:a}{bi:b}cd\n" },
		{ "<span style='font-weight: 700; font-style:italic'>a</span>b", "|{bi:a}b\n" },
		{ "<b>a<span style='font-weight:normal'>b</span>c</b>", "|{b:a}b{b:c}\n" },
		{ "<p style='color:#c00'>a</p><p style='color:#eee'>b</p><p style='color:#333'>c",
		  "|{r:a}\n|b\n|c\n" },
		{ "<font color=green>a</font> <font color=nonsense>b", "|{g:a} b\n" },
		{ "<s>a</s><u>b</u><code>c</code>", "|{s:a}{u:b}{c:c}\n" },
		{ "e<b>\xcc\x81</b>x", "|e\xcc\x81x\n" }, /* a mark is not torn from its base */
		{ "<pre>a\n  b</pre>", "P|a\nP|  b\n" },
		{ "a<hr>b", "|a\n_|\n|b\n" },
		{ "<ul><li>a", "|{M:* }a\n" },
		{ "<ol type=i start=4><li>a<li value=9>b", "|{M:iv. }a\n|{M:ix. }b\n" },
		{ "<img src=x alt=cat>", "|{P:[cat]}\n" },
		{ "<blockquote>a<blockquote>b</blockquote></blockquote>c", ">|a\n>>|b\n|c\n" },
		{ "<div class=gmail_signature>Ada</div>", "|{x:Ada}\n" },
	};

	assert_all(cases, G_N_ELEMENTS(cases), html);
}

static void
links_are_numbered(void **state)
{
	static const Case cases[] = {
		{ "<a href=https://x/1>a</a> <a href=https://x/2>b</a> <a href=https://x/1>c</a>",
		  "|{L1:a}{N1:[1]} {L2:b}{N2:[2]} {L1:c}{N1:[1]}\n" },
		/* its own text: a number only for who asks */
		{ "<a href=https://x.org/>x.org</a> <a href=https://y>y!</a>",
		  "|{L2:x.org} {L1:y!}{N1:[1]}\n" },
		{ "<a href=https://x>a<br>b</a>c", "|{L1:a}\n|{L1:b}{N1:[1]}c\n" },
		{ "<a href=https://evil.example/>https://bank.example/</a>",
		  "|{L1:https://bank.example/}{W1:[1: leads to evil.example]}\n" },
		{ "<a href=https://bank.example@evil.example/>bank.example</a>",
		  "|{L1:bank.example}{W1:[1: leads to evil.example]}\n" },
		{ "<a href='https:\\\\evil.example\\bank.example'>x</a>", "|{L1:x}{N1:[1]}\n" },
		{ "<a href='https://evil.example\\@bank.example/'>bank.example</a>",
		  "|{L1:bank.example}{W1:[1: leads to evil.example]}\n" },
		{ "<a href=https://news.bank.example/?id=1>www.bank.example</a>",
		  "|{L1:www.bank.example}{N1:[1]}\n" },
		{ "<a href=https://bank.example.evil.example/>bank.example</a>",
		  "|{L1:bank.example}{W1:[1: leads to bank.example.evil.example]}\n" },
		{ "<a href=mailto:b@evil.example>a@bank.example</a>",
		  "|{L1:a@bank.example}{W1:[1: leads to evil.example]}\n" },
		{ "<a href=https://x.example/>report.pdf</a> <a href=https://x.example>1.5</a>",
		  "|{L1:report.pdf}{N1:[1]} {L2:1.5}{N2:[2]}\n" },
		{ "<a href='https://x\xe2\x80\xae.example'>bank.example</a>",
		  "|{L1:bank.example}{W1:[1: leads to x" R ".example]}\n" },
	};

	assert_all(cases, G_N_ELEMENTS(cases), html);
}

static void
numbers_go_on_from_the_part_before(void **state)
{
	g_autoptr(MailRich) rich = render("text/html", SPAN_LITERAL("<a href=https://x>a</a>"),
					  (MailRichLimits){ .links_before = 7 }, NULL);

	assert_string_equal(rich->text->str, "a[8]");
	assert_int_equal(rich->links->len, 1);
}

static void
tables_are_told_from_layouts(void **state)
{
	static const Case cases[] = {
		{ "<table><tr><th>a<th>b<tr><td>c<td>d</table>",
		  "0,0|{b:a}\n0,1|{b:b}\n1,0|c\n1,1|d\n" },
		{ "<table border=1><tr><td rowspan=2>a<td>b<tr><td>c</table>",
		  "0,0|a\n0,1|b\n1,1|c\n" },
		/* a long text beside another is no row */
		{ "<table><tr><td>aaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa"
		  "<td>bbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb</table>",
		  "|aaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa\n"
		  "|bbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb bbbbbbbbbb\n" },
		{ "<table role=presentation><tr><th>a</table>", "|{b:a}\n" },
		{ "<table border=1><tr><td><table><tr><td>a<td>b</table><td>c</table>",
		  "0,0|a\n0,1|b\n|c\n" },
		{ "<table border=1><tr><td colspan=1000000000>a<tr><td>b<td>c</table>",
		  "0,0|a\n1,0|b\n1,1|c\n" },
		{ "<td>a<td>b<tr><td>c", "|a\n|b\n|c\n" },
		{ "</table></tr></td>x<table>y<tr>z</table>", "|x\n|y\n|z\n" },
	};

	assert_all(cases, G_N_ELEMENTS(cases), html);
}

static void
what_is_kept_from_view_is_counted(void **state)
{
	static const struct {
		const char *text, *shown;
		unsigned hidden, pixels;
	} cases[] = {
		{ "<p style='display:none'>no</p>x", "x", 1, 0 },
		{ "<p style='display:none'>&nbsp;&zwnj;</p>x", "x", 0, 0 },
		{ "<p style='display:none'>n<b>o</b> no</p>x<i hidden>no</i>", "x", 2, 0 },
		{ "<p style='opacity:0'>no</p><p style='opacity:0.9'>x", "x", 1, 0 },
		{ "<p style='font-size:0'>no<b style='font-size:12px'>x</b></p>", "x", 1, 0 },
		{ "<p style='font-size:1px'>no</p>x", "x", 1, 0 },
		{ "<p style='max-height:0;overflow:hidden'>no</p>x", "x", 1, 0 },
		{ "<p style='max-height:0'>x", "x", 0, 0 },
		{ "<p style='position:absolute;left:-5000px'>no</p>x", "x", 1, 0 },
		{ "<p style='color:transparent'>no</p>x", "x", 1, 0 },
		{ "<p style='color:rgba(0,0,0,0)'>no</p><p style='color:rgb(0, 0, 0)'>x", "x", 1,
		  0 },
		{ "<div bgcolor=#ffffff><font color=white>no</font>x</div>", "x", 1, 0 },
		{ "<div style='background:#fff'><b style='background:#000;color:#fff'>x</b></div>",
		  "x", 0, 0 },
		/* what is behind it nobody knows */
		{ "<div style='background:#fff'><p style='background-image:url(x);color:#fff'>x",
		  "x", 0, 0 },
		{ "<p style='color:#fff'>x", "x", 0, 0 },
		{ "<script>no</script><style>no</style><title>no</title>x", "x", 0, 0 },
		{ "<img src=https://t/ width=1 height=1>x", "x", 0, 1 },
		{ "<img src=https://t/ style='width:1px;height:1px' alt=no>x", "x", 0, 1 },
		{ "<img src=https://t/ style='display:none'>x", "x", 0, 1 },
		{ "<img src=https://t/spacer width=600 height=1>x", "x", 0, 0 },
		{ "<img src=cid:1 width=1 height=1>x", "x", 0, 0 },
		{ "<p style=\"background:url('a;b:c');display:none\">no</p>x", "x", 1, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MailRich) rich = html(cases[i].text);
		g_autofree char *left_out = mail_rich_left_out(rich);

		assert_sound(rich);
		if (strcmp(rich->text->str, cases[i].shown) != 0 ||
		    rich->hidden != cases[i].hidden || rich->pixels != cases[i].pixels)
			fail_msg("%s gave “%s”, %u hidden, %u pixels", cases[i].text,
				 rich->text->str, rich->hidden, rich->pixels);
		assert_int_equal(left_out != NULL, rich->hidden || rich->pixels);
	}
}

static void
hidden_text_is_shown_to_who_asks(void **state)
{
	g_autoptr(MailRich) rich =
	    render("text/html",
		   SPAN_LITERAL("<p style='display:none'>a</p><p style='font-size:0'>b</p>"
				"<script>no</script>"),
		   (MailRichLimits){ .show_hidden = true }, NULL);

	assert_string_equal(rich->text->str, "ab");
	assert_int_equal(rich->hidden, 0);
}

static void
plain_text_is_told_apart(void **state)
{
	static const Case cases[] = {
		{ "a\n\nb", "|a\n|\n|b\n" },
		{ "> > a\n>>b\nno > quote", ">>|> > a\n>>|>>b\n|no > quote\n" },
		{ "a\n-- \nAda\n", "|a\n|{x:-- }\n|{x:Ada}\n" },
		{ "--- a\n+++ b\n@@ -1 +1,2 @@ f\n-x\n+y\n+z\n- not\n",
		  "|{h:--- a}\n|{h:+++ b}\n|{h:@@ -1 +1,2 @@ f}\n|{d:-x}\n|{a:+y}\n|{a:+z}\n|- "
		  "not\n" },
		{ "@@ -x +1 @@\n+1", "|@@ -x +1 @@\n|+1\n" },
		{ "see https://x.org/a(b)c, or (www.y.org).",
		  "|see {L1:https://x.org/a(b)c}, or ({L2:www.y.org}).\n" },
		{ "<https://x.org/a\n  b>c", "|<{L1:https://x.org/a}\n|  {L1:b}>c\n" },
		{ "> <https://x.org/a\n> b> c", ">|> <{L1:https://x.org/a}\n>|> {L1:b}> c\n" },
		{ "<https://x.org/a\nno, not so>", "|<{L1:https://x.org/a}\n|no, not so>\n" },
		{ "ahttp://x http:// https://", "|ahttp://x http:// https://\n" },
	};
	g_autoptr(MailRich) joined = plain("> <https://x.org/a\n> b> c");

	assert_all(cases, G_N_ELEMENTS(cases), plain);
	assert_string_equal(((MailLink *)joined->links->pdata[0])->target, "https://x.org/ab");
}

/* ---- what is meant to hurt ---- */

static void
assert_survives(GString *text, size_t max_bytes)
{
	for (int i = 0; i < 2; i++) {
		g_autofree char *note = NULL;
		g_autoptr(MailRich) rich =
		    render(i ? "text/html" : "text/plain", span_of(text->str, text->len),
			   (MailRichLimits){ .max_bytes = max_bytes }, &note);
		size_t most = max_bytes ? max_bytes : 8 << 20;

		assert_sound(rich);
		/* One piece of the parser's may pass the limit, and the door may make more of it. */
		assert_true(rich->text->len <= 3 * (most + 65536));
		assert_true(rich->blocks->len <= most / 8 + 2000);
		assert_true(rich->runs->len <= most / 4 + 70000);
	}
}

static void
repeat(GString *text, const char *unit, size_t n)
{
	g_string_truncate(text, 0);
	for (size_t i = 0; i < n; i++)
		g_string_append(text, unit);
}

static void
tables_without_end_take_linear_time(void **state)
{
	static const char *const units[] = {
		"<table><tr><td>x",
		"<table border=1><tr><th>x<th>y",
		"<td>x",
		"<tr><td>x<td>y",
		"<table><tr><td>a<td>b</table>",
		"<td colspan=1000000000 rowspan=1000000000>x",
		"</table>",
		"<a href=x><table><td>x",
		"<div style='color:red'>x",
		"<div style='font-size:0'>x",
		"<a href='https://e.example'>bank.example ",
		"<b>x</b>",
		"<ol><li>x",
		"<blockquote style='border:none;margin:0'>x",
		"<div class=yahoo_quoted>x",
		"<div id=divRplyFwdMsg>x",
		"<div style='border:none;border-top:solid 1.0pt'>x",
		"<https://x\n",
		"https://x.org/((((",
		"> <https://x",
		"@@ -1,999999 +1,999999 @@\n+x\n",
		"--- \n+++ \n",
	};
	g_autoptr(GString) text = g_string_new("<table border=1>");

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		repeat(text, units[i], 200000 / strlen(units[i]));
		assert_survives(text, 0);
		assert_survives(text, 1000);
	}
}

static void
styles_without_end_take_linear_time(void **state)
{
	static const char *const units[] = { ";",	    "a:b;",  ":",
					     "(",	    "'",     "color:#",
					     "rgb(",	    "url(;", "font-size:1e999px;",
					     "!",	    "/**/",  "margin:0 ",
					     "border:none;" };
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) whole = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		repeat(text, units[i], 100000 / strlen(units[i]));
		g_string_printf(whole, "<p style=\"%s\">x</p><p class=\"%s\">y", text->str,
				text->str);
		assert_survives(whole, 0);
	}
}

/* Every control, escape sequence and bidi control, through every attribute that is looked at. */
static void
no_attribute_gets_past_the_door(void **state)
{
	static const char *const places[] = {
		"<a href=\"https://x/%s\">t</a>",
		"<a href=\"https://%s.example/\">bank.example</a>",
		"<a href=\"mailto:%s@x\">a@bank.example</a>",
		"<a href=\"https://x\">%s</a>",
		"<img src=x alt=\"%s\">",
		"<ol type=\"%s\" start=\"%s\"><li value=\"%s\">x",
		"<p style=\"%s\" class=\"%s\" id=\"%s\">x",
		"<p style=\"color:%s;font-size:%s;margin:%s\">x",
		"<table border=\"%s\" role=\"%s\"><tr><td colspan=\"%s\" align=\"%s\">x<td>%s",
		"<pre>%s</pre><h1>%s</h1>",
		"https://x.org/%s <https://y/%s\n%s>",
		"> %s\n-- \n%s\n@@ -1 +1 @@%s\n+%s",
	};
	static const char *const evil[] = {
		"\x1b[31m",
		"\x1b]0;x\x07",
		"\xc2\x9b"
		"31m",
		"&#27;[2J",
		"&#x9b;2J",
		"&#x202e;",
		"\xe2\x80\xae",
		"\xe2\x81\xa6",
		"&#8206;",
		"\xf3\xa0\x81\x81",
		"\r\n\x08\x7f",
		"&#0;",
		"\xcc\x81\xcc\x81",
		"\xe2\x80\xa8",
		"&#xd800;",
		"\xff\xfe",
	};

	for (size_t p = 0; p < G_N_ELEMENTS(places); p++)
		for (size_t e = 0; e < G_N_ELEMENTS(evil); e++) {
			const char *v = evil[e];
			g_auto(GStrv) cut = g_strsplit(places[p], "%s", -1);
			g_autofree char *whole = g_strjoinv(v, cut);
			g_autoptr(GString) text = g_string_new(whole);

			assert_survives(text, 0);
		}
}

static int
start(void **state)
{
	mail_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_and_styles_say_how_text_looks),
		cmocka_unit_test(links_are_numbered),
		cmocka_unit_test(numbers_go_on_from_the_part_before),
		cmocka_unit_test(tables_are_told_from_layouts),
		cmocka_unit_test(what_is_kept_from_view_is_counted),
		cmocka_unit_test(hidden_text_is_shown_to_who_asks),
		cmocka_unit_test(plain_text_is_told_apart),
		cmocka_unit_test(tables_without_end_take_linear_time),
		cmocka_unit_test(styles_without_end_take_linear_time),
		cmocka_unit_test(no_attribute_gets_past_the_door),
	};

	return cmocka_run_group_tests_name("/mail/rich", tests, start, NULL);
}
