/* From bytes to text: transfer encodings, charsets that lie, flowed paragraphs, headers. */
#include "mail/header.h"
#include "mail/text.h"
#include "base/safetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd"

static char *
render_limited(const char *type, const char *charset, const char *encoding, Span bytes,
	       size_t max_bytes, char **note)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GBytes) body = g_bytes_new(bytes.at, span_size(bytes));
	MailTextLimits limits = { max_bytes };
	char *text;

	part->type = g_strdup(type);
	part->charset = g_strdup(charset);
	part->encoding = g_strdup(encoding);
	part->format_flowed = !strcmp(type, "text/x-flowed");
	text = mail_text_render(part, body, &limits, note);
	assert_true(safe_text_is(span_of_string(text), SAFE_TEXT));
	if (note && *note)
		assert_true(safe_text_is(span_of_string(*note), SAFE_LINE));
	return text;
}

static void
assert_text(const char *charset, const char *encoding, Span bytes, const char *wanted, bool clean)
{
	g_autofree char *note = NULL;
	g_autofree char *text = render_limited("text/plain", charset, encoding, bytes, 0, &note);

	assert_string_equal(text, wanted);
	if (clean && note)
		fail_msg("a note: %s", note);
	if (!clean)
		assert_non_null(note);
}

#define assert_plain(charset, bytes, wanted)                                                       \
	assert_text(charset, "", SPAN_LITERAL(bytes), wanted, true)
#define assert_noted(charset, bytes, wanted)                                                       \
	assert_text(charset, "", SPAN_LITERAL(bytes), wanted, false)

static void
charsets(void **state)
{
	assert_plain("utf-8", "a\r\nb\n\xc3\xa9", "a\nb\n\xc3\xa9");
	assert_plain("UTF8", "\xc3\xa9", "\xc3\xa9");
	assert_plain("iso-8859-1", "\xe9", "\xc3\xa9");
	assert_plain("ISO_8859-1:1987", "\xe9", "\xc3\xa9");
	assert_plain("iso-8859-15", "\xa4", "\xe2\x82\xac");
	assert_plain("koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8");
	assert_plain("gb2312", "\xd6\xd0\xce\xc4", "\xe4\xb8\xad\xe6\x96\x87");
	assert_plain("iso-2022-jp", "\x1b$BF|K\\\x1b(B", "\xe6\x97\xa5\xe6\x9c\xac");
	assert_plain("utf-16le", "h\0i\0", "hi");
	assert_plain("utf-16be", "\0h\0i", "hi");
	assert_plain(NULL, "plain", "plain");
	assert_plain(NULL, "", "");
	assert_plain("utf-16", "", "");
	/* nobody says what it is */
	assert_plain(NULL, "\xc3\xa9", "\xc3\xa9");
	assert_plain(NULL, "\xe9", "\xc3\xa9");
	assert_plain("us-ascii", "\xe9t\xe9", "\xc3\xa9t\xc3\xa9");
	assert_plain("unknown-8bit", "\xc3\xa9", "\xc3\xa9");
	/* a byte order mark knows better */
	assert_plain("us-ascii", "\xef\xbb\xbfh\xc3\xa9", "h\xc3\xa9");
	assert_plain("utf-8", "\xff\xfeh\0i\0", "hi");
	assert_plain(NULL, "\xfe\xff\0h\0i", "hi");
	assert_plain("utf-16", "\xfe\xff\0h\0i", "hi");
	assert_plain("utf-32", "\xff\xfe\0\0h\0\0\0", "h");
	assert_plain(NULL, "\0\0\xfe\xff\0\0\0h", "h");
	assert_plain("utf-16", "\xff\xfe=\xd8\0\xde", "\xf0\x9f\x98\x80");
}

static void
charsets_that_lie_degrade_visibly(void **state)
{
	assert_noted("x-foo", "caf\xe9", "caf\xc3\xa9");
	assert_noted("x-foo", "caf\xc3\xa9", "caf\xc3\xa9");
	assert_noted("utf-7", "+ADw-script+AD4-", "+ADw-script+AD4-");
	assert_noted("x-imap4-modified-utf7", "&AGE-", "&AGE-");
	assert_noted("utf-8//TRANSLIT", "a", "a");
	assert_noted("utf-8",
		     "a\xff"
		     "b",
		     "a" R "b");
	assert_noted("utf-8", "cut \xe2\x82", "cut " R);
	assert_noted("utf-16le", "h\0\0\xd8i\0", "h" R "i"); /* half a pair */
	assert_noted("utf-16le", "h\0i", "h" R);
	assert_noted("shift_jis", "\x81", R);
	assert_noted("windows-1252", "\x81", R);
	assert_noted("utf-8", "a\0b", "a" R "b");
	/* the name of a charset is a stranger's text as well */
	assert_noted("\x1b]0;owned\x07", "a", "a");
	assert_noted("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "a",
		     "a", "a");
}

static void
conversion_comes_before_the_door(void **state)
{
	/* An escape, a C1 control and an override that only exist after decoding. */
	assert_plain("utf-16le", "\x1b\0[\0", R "[");
	assert_plain("iso-8859-1", "\x80", "\xe2\x82\xac");
	assert_plain("iso-8859-5",
		     "\x9b"
		     "31m",
		     R "31m");
	assert_plain("utf-16be", "\x20\x2e\0x", R "x");
	assert_text("utf-8", "quoted-printable", SPAN_LITERAL("=1B[31m=C2=9B=E2=80=AE"),
		    R "[31m" R R, true);
	assert_text("utf-8", "base64", SPAN_LITERAL("G1sybQ=="), R "[2m", true);
}

static void
a_character_across_pieces(void **state)
{
	static const char *const charsets[] = { "utf-8", "utf-16le", "iso-2022-jp", "gb18030",
						NULL };

	/* More than one piece of the renderer's, in which the characters stand at every offset. */
	for (size_t c = 0; c < G_N_ELEMENTS(charsets); c++) {
		for (int offset = 0; offset < 4; offset++) {
			g_autoptr(GString) utf8 = g_string_new(NULL);
			g_autofree char *bytes = NULL, *text = NULL, *note = NULL;
			gsize size;

			for (int i = 0; i < offset; i++)
				g_string_append_c(utf8, 'x');
			for (int i = 0; i < 30000; i++)
				g_string_append(utf8, "\xe6\x97\xa5");
			bytes = g_convert(utf8->str, (gssize)utf8->len,
					  charsets[c] ? charsets[c] : "utf-8", "utf-8", NULL, &size,
					  NULL);
			text = render_limited("text/plain", charsets[c], "", span_of(bytes, size),
					      0, &note);
			assert_string_equal(text, utf8->str);
			assert_null(note);
		}
	}
}

static void
transfer_encodings(void **state)
{
	static const struct {
		const char *encoding, *bytes, *wanted;
	} cases[] = {
		{ "base64", "aGVs\r\nbG8=", "hello" },
		{ "base64", "aGVsbG8=\r\n\r\n-- \r\nlist footer", "hello" },
		{ "base64", "aG!V sbG8=", "hello" },
		{ "base64", "aGVsbG8", "hello" }, /* cut */
		{ "base64", "aGVsbA", "hell" },
		{ "base64", "aGVs", "hel" },
		{ "base64", "a", "" },
		{ "base64", "", "" },
		{ "base64", "====", "" },
		{ "quoted-printable", "a=3Db=\r\nc=\nd", "a=bcd" },
		{ "quoted-printable", "a= \t \r\nb", "ab" },
		{ "quoted-printable", "a=  b", "a=  b" },
		{ "quoted-printable", "a=ZZ=4Z=4", "a=ZZ=4Z=4" },
		{ "quoted-printable", "a==3D", "a==" },
		{ "quoted-printable", "a=", "a" },
		{ "quoted-printable", "a=\r", "a" },
		{ "quoted-printable", "=c3=a9", "\xc3\xa9" },
		{ "quoted-printable", "-- \r\nme", "-- \r\nme" },
		{ "quoted-printable", "https://x/?a=b&c=de", "https://x/?a=b&c\xde" },
		{ "7bit", "=41", "=41" },
		{ "8bit", "\xc3\xa9", "\xc3\xa9" },
		{ "binary", "a", "a" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Span bytes = span_of_string(cases[i].bytes);

		assert_true(mail_decoder_knows(cases[i].encoding));
		/* whole, and one byte at a time */
		for (int whole = 0; whole < 2; whole++) {
			g_autoptr(MailDecoder) decoder = mail_decoder_new(cases[i].encoding);
			g_autoptr(GByteArray) out = g_byte_array_new();

			if (whole)
				mail_decoder_feed(decoder, bytes, true, out);
			for (const char *p = bytes.at; !whole && p < bytes.end; p++)
				mail_decoder_feed(decoder, span_of(p, 1), false, out);
			if (!whole)
				mail_decoder_feed(decoder, SPAN_EMPTY, true, out);
			if (!span_equals(span_of(out->data, out->len),
					 span_of_string(cases[i].wanted)))
				fail_msg("case %zu, %s: %.*s", i, whole ? "whole" : "bytes",
					 (int)out->len, (char *)out->data);
		}
	}
}

static void
uuencode_is_left_alone(void **state)
{
	const char *body = "begin 644 x\n#86)C\n`\nend\n";

	assert_false(mail_decoder_knows("x-uuencode"));
	assert_text("utf-8", "x-uuencode", span_of_string(body), body, false);
	assert_text("utf-8", "7bit", span_of_string(body), body, true);
	assert_text("utf-8", "x-\x1b[31m", SPAN_LITERAL("=41"), "=41", false);
}

static void
long_texts_are_cut_and_say_so(void **state)
{
	static const char *const types[] = { "text/plain", "text/html", "text/x-flowed" };
	static const char *const units[] = { "word ", "\xc3\xa9", "\x1b", "\n" };

	for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
		for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
			g_autoptr(GString) body = g_string_new("start ");
			g_autofree char *text = NULL, *note = NULL;

			while (body->len < 300000)
				g_string_append(body, units[u]);
			g_string_append(body, "the end");
			text = render_limited(types[t], "utf-8", "", span_of(body->str, body->len),
					      1000, &note);
			assert_true(strlen(text) <= 1000);
			assert_true(g_str_has_prefix(text, "start"));
			if (t == 1 && (u == 2 || u == 3))
				continue; /* HTML drops them: nothing is too long */
			assert_non_null(strstr(text, "Cut here"));
			assert_null(strstr(text, "the end"));
			assert_non_null(note);
		}
	}
}

static void
assert_flows(const char *body, bool delsp, const char *wanted)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
	g_autofree char *text = NULL;

	part->type = g_strdup("text/plain");
	part->encoding = g_strdup("");
	part->charset = g_strdup("utf-8");
	part->format_flowed = true;
	part->delsp = delsp;
	text = mail_text_render(part, bytes, NULL, NULL);
	assert_string_equal(text, wanted);
}

static void
flowed_paragraphs(void **state)
{
	assert_flows("one \r\ntwo \r\nthree\r\nfour\r\n", false, "one two three\nfour\n");
	assert_flows("one \ntwo", false, "one two");
	assert_flows("one \r\ntwo\r\n", true, "onetwo\n");
	assert_flows("\xe6\x97\xa5 \n\xe6\x9c\xac\n", true, "\xe6\x97\xa5\xe6\x9c\xac\n");
	/* quotes; a paragraph ends where their depth changes */
	assert_flows("> a \n> b\n>> c \n>> d\ne\n", false, "> a b\n>> c d\ne\n");
	assert_flows("> a \nb\n", false, "> a \nb\n");
	assert_flows(">\n> x\n>>y\n", false, ">\n> x\n>> y\n");
	/* stuffing */
	assert_flows(" From here\n  two\n >no quote\n", false, "From here\n two\n>no quote\n");
	/* a signature is no paragraph's end, nor its beginning */
	assert_flows("a \n-- \nme\n", false, "a \n-- \nme\n");
	assert_flows("> a\n> -- \n> me\n", false, "> a\n> -- \n> me\n");
	assert_flows("\n\na\n\n", false, "\n\na\n\n");
	assert_flows(" \n \n", false, "\n\n");
	assert_flows("", false, "");
	assert_flows("a ", false, "a ");
	assert_flows("a ", true, "a");
}

static void
assert_headers(const char *section, bool all, const char *wanted)
{
	g_autoptr(GBytes) bytes = g_bytes_new(section, strlen(section));
	g_autofree char *text = mail_text_headers(bytes, all);

	assert_string_equal(text, wanted);
}

static void
headers_in_reading_order(void **state)
{
	const char *section = "Received: from a\r\n\tby b\r\n"
			      "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?Q?_an_alle?=\r\n"
			      "DATE: Mon, 2 Jan 2006 15:04:05 +0000\r\n"
			      "To: \"B, C\" <bc@x>,\r\n\td@y\r\n"
			      "From : Ada <ada@x>\r\n"
			      "X-Empty:\r\n"
			      "\r\n"
			      "Cc: in the body\r\n";

	assert_headers(section, false,
		       "From: Ada <ada@x>\n"
		       "To: \"B, C\" <bc@x>, d@y\n"
		       "Date: Mon, 2 Jan 2006 15:04:05 +0000\n"
		       "Subject: Gr\xc3\xbc\xc3\x9f"
		       "e an alle\n");
	assert_headers(section, true,
		       "Received: from a by b\n"
		       "Subject: Gr\xc3\xbc\xc3\x9f"
		       "e an alle\n"
		       "DATE: Mon, 2 Jan 2006 15:04:05 +0000\n"
		       "To: \"B, C\" <bc@x>, d@y\n"
		       "From: Ada <ada@x>\n"
		       "X-Empty: \n");
}

static void
headers_that_lie(void **state)
{
	/* Two of them: both are shown. */
	assert_headers("From: a@x\nSubject: s\nFrom: b@y\n\n", false,
		       "From: a@x\nFrom: b@y\nSubject: s\n");
	/* No name makes up an address, no value makes up a line. */
	assert_headers("From: =?utf-8?Q?boss=40work.org_=3Cboss=40work.org=3E?= <evil@x>\n", false,
		       "From: \"boss@work.org <boss@work.org>\" <evil@x>\n");
	assert_headers("Subject: =?utf-8?Q?a=0AFrom:_b?=\n", false, "Subject: a" R "From: b\n");
	assert_headers("Subject: a\x1b[2J\xc2\x9b\xe2\x80\xae\n", false,
		       "Subject: a" R "[2J" R R "\n");
	assert_headers("Subject: a\rFrom: b\n", false, "Subject: a From: b\n");
	/* What is no field. */
	assert_headers("From x@y Mon Jan  2\n>From: q\nno colon\n: no name\nSubject: s\n", false,
		       "Subject: s\n");
	assert_headers(" folded: first\nSubject: s\n", false, "Subject: s\n");
	assert_headers("Sub ject: x\nSubject: s", false, "Subject: s\n");
	assert_headers("", false, "");
	assert_headers("\r\nSubject: in the body\n", true, "");
	assert_headers("\n", true, "");
}

static void
huge_headers_are_cut(void **state)
{
	static const char *const units[] = { "x",      "\r\n ",	     "a@b, ", "=?utf-8?Q?=41?= ",
					     "X: y\n", "From: a@b\n" };

	for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
		for (int all = 0; all < 2; all++) {
			g_autoptr(GString) section = g_string_new("From: me@x\nSubject: start ");
			g_autoptr(GBytes) bytes = NULL;
			g_autofree char *text = NULL;

			while (section->len < (size_t)11 << 20)
				g_string_append(section, units[u]);
			bytes = g_bytes_new(section->str, section->len);
			text = mail_text_headers(bytes, all);
			assert_true(g_str_has_prefix(text, "From: me@x\n"));
			assert_non_null(strstr(text, "Subject: start"));
			assert_true(strlen(text) < (size_t)2 << 20);
			/* Folded white space is nothing; many short fields may be cut or not. */
			if (u != 1 && u != 5 && (u != 4 || all))
				assert_true(g_str_has_suffix(text, "[...]\n"));
		}
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
		cmocka_unit_test(charsets),
		cmocka_unit_test(charsets_that_lie_degrade_visibly),
		cmocka_unit_test(conversion_comes_before_the_door),
		cmocka_unit_test(a_character_across_pieces),
		cmocka_unit_test(transfer_encodings),
		cmocka_unit_test(uuencode_is_left_alone),
		cmocka_unit_test(long_texts_are_cut_and_say_so),
		cmocka_unit_test(flowed_paragraphs),
		cmocka_unit_test(headers_in_reading_order),
		cmocka_unit_test(headers_that_lie),
		cmocka_unit_test(huge_headers_are_cut),
	};

	return cmocka_run_group_tests_name("/mail/text", tests, start, NULL);
}
