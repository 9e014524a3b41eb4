/* HTML as text: what is shown, what is not, and that nobody is called while it happens. */
#include "mail/header.h"
#include "mail/text.h"
#include "base/safetext.h"

#include <errno.h>
#include <libxml/xmlIO.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd"

/* ---- nobody is called: these stand in front of libc's, for libxml2 as well ---- */

static unsigned calls_out;

int
socket(int domain, int type, int protocol)
{
	calls_out++;
	errno = EPERM;
	return -1;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	    struct addrinfo **result)
{
	calls_out++;
	return EAI_FAIL;
}

static unsigned loads;

static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr context)
{
	loads++;
	return NULL;
}

static int
matches_everything(const char *name)
{
	loads++;
	return 0;
}

/* ---- */

static char *
render(Span html, const char *charset, size_t max_bytes, char **note)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GBytes) bytes = g_bytes_new(html.at, span_size(html));
	MailTextLimits limits = { max_bytes };
	char *text;

	part->type = g_strdup("text/html");
	part->charset = g_strdup(charset);
	part->encoding = g_strdup("");
	text = mail_text_render(part, bytes, &limits, note);
	assert_true(safe_text_is(span_of_string(text), SAFE_TEXT));
	return text;
}

typedef struct Case {
	const char *html, *wanted;
} Case;

static void
assert_all_render(const Case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_autofree char *note = NULL;
		g_autofree char *text = render(span_of_string(cases[i].html), "utf-8", 0, &note);

		if (strcmp(text, cases[i].wanted) != 0)
			fail_msg("%s\n--- gave ---\n%s\n--- not ---\n%s", cases[i].html, text,
				 cases[i].wanted);
		assert_null(note);
	}
}

static void
blocks_become_lines(void **state)
{
	static const Case cases[] = {
		{ "", "" },
		{ "just text", "just text" },
		{ "<p>one</p><p>two</p>", "one\n\ntwo" },
		{ "<div>one</div><div>two</div>three", "one\ntwo\nthree" },
		{ "<div><div><div>one</div></div></div><div>two</div>", "one\ntwo" },
		{ "one<br>two<br/>three<br><br>four<br><br><br><br>five",
		  "one\ntwo\nthree\n\nfour\n\nfive" },
		{ "<h1>Head</h1>text", "Head\n\ntext" },
		{ " a \n\t b  <b> c</b> d", "a b c d" },
		{ "a<b>b</b>c", "abc" },
		{ "a&nbsp;&nbsp;b", "a  b" },
		{ "one<hr>two", "one\n----------------\ntwo" },
		{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>e", "a  b\nc  d\ne" },
		{ "<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a  b" },
		{ "<p>", "" },
		{ "<html><head></head><body>a</body></html>b<p>c", "a\nb\n\nc" },
		{ "a</body></html><html><body>b</body></html></body></html>c", "a\nb\nc" },
		{ "<p></p><p> </p><div></div>x", "x" },
		{ "<center>a</center>b", "a\nb" },
		{ "say <q>so</q>", "say \"so\"" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
lists_quotes_and_code(void **state)
{
	static const Case cases[] = {
		{ "a<ul><li>one<li>two</ul>b", "a\n\n* one\n* two\n\nb" },
		{ "<ol><li>one</li><li>two</li></ol>", "1. one\n2. two" },
		{ "<ol start=9><li>one<li>two<br>more</ol>", "9. one\n10. two\n    more" },
		{ "<ol start=-99999999999999999999><li>one</ol>", "1. one" },
		{ "<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>", "* a\n  * b\n    1. c\n* d" },
		{ "<ul><li></li><li>b</li></ul>", "* b" },
		{ "<li>stray", "* stray" },
		{ "</ul></ol></li></blockquote></pre></a>x", "x" },
		{ "<dl><dt>t<dd>d</dl>", "t\n    d" },
		{ "a<blockquote>b<br>c</blockquote>d", "a\n\n> b\n> c\n\nd" },
		{ "<blockquote><p>a<p>b<blockquote>c</blockquote></blockquote>",
		  "> a\n>\n> b\n>\n>> c" },
		{ "<blockquote><ul><li>a<br>b</ul></blockquote>", "> * a\n>   b" },
		{ "<pre>a\n  b\n\n\n\tc</pre>d  e", "a\n  b\n\n\n\tc\n\nd e" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
links_show_where_they_lead(void **state)
{
	static const Case cases[] = {
		{ "<a href=\"https://x.org/a?b=1&amp;c=2\">here</a>!",
		  "here <https://x.org/a?b=1&c=2>!" },
		{ "<a href=\"http://evil.example/\">https://bank.com</a>",
		  "https://bank.com <http://evil.example/>" },
		{ "<a href=\"https://x.org/\">x.org</a>", "x.org" },
		{ "<a href=\"https://x.org/a\">https://x.org/a</a>", "https://x.org/a" },
		{ "<a href=\"mailto:a@b\">a@b</a>", "a@b" },
		{ "<a href=\"mailto:a@b\">Ada</a>", "Ada <mailto:a@b>" },
		{ "<a href=\"#top\">top</a> <a href=\"javascript:x()\">js</a>", "top js" },
		{ "<a name=x>anchor</a>", "anchor" },
		{ "<a href=\"https://x\"></a>", "" },
		{ "<a href=\"https://x\"><img src=y alt=\"Logo\"></a>", "[Logo] <https://x>" },
		{ "<a href=\"https://x\"><img src=y></a>", "[picture] <https://x>" },
		{ "<a href=\"https://x\"><div>block</div></a>y", "block <https://x>\ny" },
		{ "<a href=\"https://x/a b> <fake\">t</a>", "t <https://x/a%20b%3E%20%3Cfake>" },
		{ "<a href=\" https://x\n/y \">t</a>", "t <https://x/y>" },
		{ "<a href=\"https://x\xe2\x80\xae"
		  "y\">t</a>",
		  "t <https://x" R "y>" },
		{ "<a href=\"https://a\">one<a href=\"https://b\">two</a>",
		  "one <https://a>two <https://b>" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
pictures(void **state)
{
	static const Case cases[] = {
		{ "<img src=x alt=\" A  cat \">", "[A cat]" },
		{ "<img src=x>", "[picture]" },
		{ "a<img src=x alt=\"\">b", "ab" },
		{ "<img src=x width=1 height=1>", "" },
		{ "<img src=x width=1 height=1 alt=open>", "" },
		{ "<img src=x width=\"100%\">", "[picture]" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
what_is_not_displayed_is_left_out(void **state)
{
	static const Case cases[] = {
		{ "<head><title>t</title><style>p{}</style></head>x", "x" },
		{ "<script>if (a < b) document.write('<p>no</p>')</script>x", "x" },
		{ "<script>never closed <p>no</p>", "" },
		{ "<style><!-- p{} --></style>x<!-- no -->y", "xy" },
		{ "<div style=\"display:none\">no<div>no</div></div>x", "x" },
		{ "<div style=\"color:red; DISPLAY : None !important\">no</div>x", "x" },
		/* which is for Outlook alone: others show it, often what the mail is about */
		{ "<div style=\"mso-hide:all\">yes</div><p style='visibility: hidden'>no</p>x",
		  "yes\nx" },
		{ "<div style=\"display:none-such\">x</div><p style=\"x-display:none\">y",
		  "x\n\ny" },
		{ "<p hidden>no</p>x<img style=\"display:none\" alt=no>y", "xy" },
		{ "<div style=\"display:none\">no<p>no<b>no</div>x", "x" },
		{ "<svg><text>no</text></svg><iframe src=x>no</iframe><template>no</template>x",
		  "x" },
		{ "<noscript>yes</noscript>", "yes" },
		{ "<![if !mso]>a<![endif]><!--[if mso]>no<![endif]-->b &lt;![x y", "ab <![x y" },
		{ "a<o:p>b</o:p><unknown>c</unknown>", "abc" },
		{ "<!DOCTYPE html PUBLIC \"x\" \"http://x.example/x.dtd\"><?php no ?>x", "x" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
entities_and_broken_markup(void **state)
{
	static const Case cases[] = {
		{ "&lt;b&gt; &amp;amp; &quot; &eacute; &#233; &#xE9; &euro;",
		  "<b> &amp; \" \xc3\xa9 \xc3\xa9 \xc3\xa9 \xe2\x82\xac" },
		{ "&#146;&#147;", "\xe2\x80\x99\xe2\x80\x9c" },
		{ "&bogus; & &; a&b", "&bogus; & &; a&b" },
		{ "1 < 2 <3 < 4", "1 < 2 <3 < 4" },
		/* what the door is for */
		{ "&#x202e;&#x2066;x", R R "x" },
		{ "\x1b[31mx\x7f", R "[31mx" R },
		{ "\xc2\x9b"
		  "31mx",
		  R "31mx" },
		{ "<b\x1b title='\x1b'>x", "x" },
		{ "a&shy;b&#8203;c", "abc" },
	};

	assert_all_render(cases, G_N_ELEMENTS(cases));
}

static void
control_references_do_not_get_through(void **state)
{
	for (int c = 0; c < 0xa0; c++) {
		g_autofree char *html = g_strdup_printf("a&#%d;b&#x%x;c", c, c);
		g_autofree char *text = render(span_of_string(html), "utf-8", 0, NULL);

		assert_true(g_str_has_prefix(text, "a"));
	}
}

static void
the_charset_of_html(void **state)
{
	static const struct {
		const char *charset, *html, *wanted;
	} cases[] = {
		{ "utf-8", "<meta charset=koi8-r>\xc3\xa9",
		  "\xc3\xa9" }, /* the header knows better */
		{ NULL, "<meta charset=\"koi8-r\">\xf0", "\xd0\x9f" },
		{ NULL, "<META http-equiv=x content=\"text/html; charset=koi8-r\">\xf0",
		  "\xd0\x9f" },
		{ "x-foo", "<meta charset=koi8-r>\xf0", "\xd0\x9f" },
		{ NULL, "<meta charset=utf-7>+ADw-", "+ADw-" },
		{ NULL, "<meta charset=utf-16>\xe9", "\xc3\xa9" },
		{ NULL, "<meta charset=>\xe9", "\xc3\xa9" },
		{ NULL, "<meta charset", "" },
		{ NULL, "", "" }, /* found by the fuzzer */
		{ NULL, "\xc3\xa9", "\xc3\xa9" },
		{ NULL, "\xe9", "\xc3\xa9" },
	};

	g_autofree char *utf16 = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
		    render(span_of_string(cases[i].html), cases[i].charset, 0, NULL);

		assert_string_equal(text, cases[i].wanted);
	}
	utf16 = render(SPAN_LITERAL("\xff\xfe<\0b\0>\0x\0"), NULL, 0, NULL);
	assert_string_equal(utf16, "x");
}

static void
a_character_across_slices(void **state)
{
	for (int offset = 0; offset < 4; offset++) {
		g_autoptr(GString) html = g_string_new(NULL);
		g_autofree char *text = NULL;

		for (int i = 0; i < offset; i++)
			g_string_append_c(html, 'x');
		for (int i = 0; i < 30000; i++)
			g_string_append(html, "\xf0\x9f\x98\x80");
		text = render(span_of(html->str, html->len), "utf-8", 0, NULL);
		assert_string_equal(text, html->str);
	}
}

/* Wherever the pieces that the parser gets end, it sees the same. */
static void
any_tag_across_slices(void **state)
{
	static const char row[] =
	    "<tr style=\"margin:0\"><td width='50%' alt='a > b'><p>Some words, a "
	    "<a title='\"' href=\"https://example.org/?a=1&amp;b=2\">link</a>.</p>"
	    "<!-- a \"comment' --></td></tr>\n";
	g_autoptr(GString) html = g_string_new(NULL);
	g_autofree char *wanted = NULL;
	int rows = 0;

	for (int i = 0; i < 40; i++)
		g_string_append(html, row);
	for (int offset = 0; offset < (int)sizeof(row); offset++) {
		g_autofree char *note = NULL;
		char *text = render(span_of(html->str, html->len), "utf-8", 0, &note);

		assert_null(note);
		if (wanted) {
			assert_string_equal(text, wanted);
			g_free(text);
		} else {
			wanted = text;
			for (const char *p = text; (p = strstr(p, "link <https")); p++)
				rows++;
			assert_int_equal(rows, 40);
		}
		g_string_prepend_c(html, ' ');
	}
}

/* A minute would not be enough for any of these if the time were quadratic. */
static void
hostile_html_takes_linear_time(void **state)
{
	static const char *const units[] = {
		"<div>",
		"<b>",
		"</b>",
		"<p>",
		"<ul><li>",
		"<ol>",
		"<blockquote>",
		"<pre>",
		"<table><tr><td>",
		"<",
		"<a ",
		"<a href='",
		"<a href=x>",
		"&",
		"&#",
		"&amp",
		"<!--",
		"<!",
		"<![",
		"]]>",
		"<?",
		"<div style='display:none'>",
		"<script>",
		"</script>",
		"<style>",
		"<title>",
		"</",
		"\n",
		" ",
		"\"",
		"<img>",
		"<br>",
		"<q>",
		"<blockquote><br>x",
		"<li>x",
		"<a b c d e f g h>",
	};

	for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
		g_autoptr(GString) html = g_string_new("start ");
		g_autofree char *text = NULL;

		while (html->len < 300000)
			g_string_append(html, units[u]);
		text = render(span_of(html->str, html->len), "utf-8", 0, NULL);
		assert_true(g_str_has_prefix(text, "start"));
	}
}

static void
assert_ends(const GString *html, bool tangled)
{
	g_autofree char *note = NULL;
	g_autofree char *text = render(span_of(html->str, html->len), "utf-8", 0, &note);

	assert_true(g_str_has_prefix(text, "start"));
	assert_int_equal(note != NULL, tangled);
}

static void
what_would_be_quadratic_ends_early(void **state)
{
	g_autoptr(GString) html = g_string_new("start <a");

	for (int i = 0; i < 200000; i++)
		g_string_append_printf(html, " a%d=1", i);
	g_string_append(html, ">x");
	assert_ends(html, false); /* the rest of the tag is text */

	g_string_assign(html, "start <a");
	for (int i = 0; i < 200000; i++)
		g_string_append_printf(html, "a%d='>'", i);
	assert_ends(html, false);

	g_string_assign(html, "start ");
	for (int k = 0; k < 2000; k++) {
		g_string_append(html, "<a");
		for (int i = 0; i < 900; i++)
			g_string_append_printf(html, " a%d", i);
		g_string_append(html, ">");
	}
	assert_ends(html, true);

	g_string_assign(html, "start ");
	for (int i = 0; i < 20000; i++)
		g_string_append(html, "<div>");
	for (int i = 0; i < 100000; i++)
		g_string_append(html, "</b>");
	assert_ends(html, true);

	g_string_assign(html, "start ");
	for (int i = 0; i < 600000; i++)
		g_string_append(html, "<i>");
	assert_ends(html, true);
}

/* A quote too many in a tag is a common slip; all of the text is still there. */
static void
a_stray_quote_costs_nothing(void **state)
{
	g_autoptr(GString) html = g_string_new("start<td width=\"5\" \">");
	g_autofree char *note = NULL, *text = NULL;
	int rows = 0;

	for (int i = 0; i < 5000; i++)
		g_string_append_printf(html, "<p class=\"x\">word %d <a href=\"y\">w</a></p>", i);
	text = render(span_of(html->str, html->len), "utf-8", 0, &note);
	assert_null(note);
	for (const char *p = text; (p = strstr(p, "word ")); p++)
		rows++;
	assert_int_equal(rows, 5000);
}

static void
deep_but_honest_html_is_whole(void **state)
{
	g_autoptr(GString) html = g_string_new(NULL);
	g_autofree char *note = NULL, *text = NULL;

	for (int i = 0; i < 100000; i++)
		g_string_append(html, "<div>");
	g_string_append(html, "deep<img alt='");
	for (int i = 0; i < 200000; i++) /* one large attribute is none of our business */
		g_string_append(html, "A/+=");
	g_string_append(html, "' width=1>end");
	text = render(span_of(html->str, html->len), "utf-8", 0, &note);
	assert_null(note);
	assert_string_equal(text, "deepend");
}

static void
output_is_bounded(void **state)
{
	/* Prefixes are what could make a little HTML a lot of text. */
	g_autoptr(GString) html = g_string_new(NULL);
	g_autofree char *text = NULL, *note = NULL;

	for (int i = 0; i < 1000; i++)
		g_string_append(html, "<blockquote><ul>");
	for (int i = 0; i < 100000; i++)
		g_string_append(html, "<li>x");
	text = render(span_of(html->str, html->len), "utf-8", 10000, &note);
	assert_true(strlen(text) <= 10000);
	assert_non_null(note);
}

static void
nothing_is_loaded(void **state)
{
	static const char html[] =
	    "<!DOCTYPE html SYSTEM \"http://x.example/x.dtd\" [<!ENTITY e SYSTEM "
	    "\"http://x.example/e\">]>"
	    "<?xml-stylesheet href=\"http://x.example/s.xsl\"?>"
	    "<html manifest=\"http://x.example/m\"><head><base href=\"http://x.example/\">"
	    "<link rel=stylesheet href=\"http://x.example/c.css\">"
	    "<link rel=dns-prefetch href=\"//x.example\"><link rel=preconnect href=\"//x.example\">"
	    "<meta http-equiv=refresh content=\"0;url=http://x.example/\">"
	    "<style>@import url(http://x.example/i.css); "
	    "p{background:url(http://x.example/b)}</style>"
	    "<script src=\"http://x.example/j.js\"></script></head>"
	    "<body background=\"http://x.example/bg\" onload=\"x()\">"
	    "<img src=\"http://x.example/p.gif\"><img srcset=\"http://x.example/p.gif 2x\">"
	    "<iframe src=\"http://x.example/f\"></iframe><object "
	    "data=\"http://x.example/o\"></object>"
	    "<embed src=\"file:///etc/passwd\"><video poster=\"http://x.example/v\"></video>"
	    "<form action=\"http://x.example/\"><input type=image "
	    "src=\"http://x.example/i\"></form>"
	    "<xi:include href=\"file:///etc/passwd\"/>&e;"
	    "<a href=\"http://x.example/\">link</a></body></html>";
	xmlExternalEntityLoader loader = xmlGetExternalEntityLoader();
	g_autofree char *text = NULL;

	/* The guards are awake. */
	calls_out = 0;
	assert_int_equal(socket(AF_INET, SOCK_STREAM, 0), -1);
	assert_int_equal(calls_out, 1);
	calls_out = loads = 0;
	xmlSetExternalEntityLoader(load_nothing);
	xmlRegisterInputCallbacks(matches_everything, NULL, NULL, NULL);
	text = render(SPAN_LITERAL(html), NULL, 0, NULL);
	assert_non_null(strstr(text, "link <http://x.example/>"));
	assert_null(strstr(text, "root:"));
	assert_int_equal(calls_out, 0);
	assert_int_equal(loads, 0);
	xmlPopInputCallbacks();
	xmlSetExternalEntityLoader(loader);
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
		cmocka_unit_test(blocks_become_lines),
		cmocka_unit_test(lists_quotes_and_code),
		cmocka_unit_test(links_show_where_they_lead),
		cmocka_unit_test(pictures),
		cmocka_unit_test(what_is_not_displayed_is_left_out),
		cmocka_unit_test(entities_and_broken_markup),
		cmocka_unit_test(control_references_do_not_get_through),
		cmocka_unit_test(the_charset_of_html),
		cmocka_unit_test(a_character_across_slices),
		cmocka_unit_test(any_tag_across_slices),
		cmocka_unit_test(hostile_html_takes_linear_time),
		cmocka_unit_test(what_would_be_quadratic_ends_early),
		cmocka_unit_test(a_stray_quote_costs_nothing),
		cmocka_unit_test(deep_but_honest_html_is_whole),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(nothing_is_loaded),
	};

	return cmocka_run_group_tests_name("/mail/html", tests, start, NULL);
}
