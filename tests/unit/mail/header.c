/* Header values: encoded words, raw bytes, addresses, and those who lie with them. */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd" /* U+FFFD */

static void
assert_decodes(const char *raw, size_t size, const char *fallback, const char *wanted)
{
	g_autoptr(GString) out = g_string_new("was here: ");
	g_autofree char *full = g_strconcat("was here: ", wanted, NULL);

	mail_header_decode(span_of(raw, size), fallback, out);
	assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
	assert_string_equal(out->str, full);
}

typedef struct Case {
	const char *raw, *wanted;
} Case;

static void
assert_all_decode(const Case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_decodes(cases[i].raw, strlen(cases[i].raw), NULL, cases[i].wanted);
}

static void
plain_text_is_left_alone(void **state)
{
	static const char *const plain[] = {
		"", "a", "Re: about = and ? and =", "1234567=", "a tab\tstays", "=", "\x1b[31m"
	};

	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
		assert_true(mail_header_is_plain(span_of_string(plain[i])));
		assert_decodes(plain[i], strlen(plain[i]), NULL, plain[i]);
	}
	/* What is not plain is seen at every offset of a word. */
	for (size_t i = 0; i < 40; i++) {
		static const char *const not_plain[] = { "=?", "\xc3", "\r", "\n", "\x80" };
		char text[48];

		for (size_t k = 0; k < G_N_ELEMENTS(not_plain); k++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + i, not_plain[k], strlen(not_plain[k]));
			assert_false(mail_header_is_plain(span_of(text, sizeof(text))));
			assert_false(mail_header_is_plain(span_of(text, i + strlen(not_plain[k]))));
			assert_true(mail_header_is_plain(span_of(text, i)));
		}
		memset(text, 'x', sizeof(text));
		text[i] = '\0';
		assert_false(mail_header_is_plain(span_of(text, sizeof(text))));
	}
	assert_true(mail_header_is_plain(SPAN_EMPTY));
}

static void
encoded_words(void **state)
{
	static const Case cases[] = {
		/* RFC 2047, 8 */
		{ "=?ISO-8859-1?Q?a?=", "a" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?= \r\n\t =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
		{ "=?US-ASCII?Q?Keith_Moore?= <m@x>", "Keith Moore <m@x>" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
		  " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
		  "If you can read this you understand the example." },
		/* RFC 2231, 5 */
		{ "=?utf-8*de?Q?M=C3=BCller?=", "M\xc3\xbcller" },
		/* case, glued words, spaces within */
		{ "=?UTF-8?q?=c3=A9?=", "\xc3\xa9" },
		{ "a=?utf-8?q?b?=c", "abc" },
		{ "=?utf-8?q?a?==?utf-8?q?b?=", "ab" },
		{ "=?utf-8?Q?a b?=", "a b" },
		{ "=?utf-8?Q?"
		  "?=x",
		  "x" },
		{ "=?utf-8?Q?"
		  "?=",
		  "" },
		{ "[=?utf-8?Q?=5Blist=5D?=] =?utf-8?Q?x?=", "[[list]] x" },
		/* other charsets */
		{ "=?koi8-r?B?79TXxdQ=?=", "\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82" },
		{ "=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87" },
		{ "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
		/* iconv holds the last letter back: a mark could follow */
		{ "=?windows-1255?Q?=F9=EC=E5=ED?=", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" },
		{ "=?ks_c_5601-1987?B?x9GxuQ==?=", "\xed\x95\x9c\xea\xb5\xad" },
		{ "=?Shift_JIS?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
		/* what says Latin-1 is windows-1252 */
		{ "=?iso-8859-1?Q?=93hi=94_=80?=", "\xe2\x80\x9chi\xe2\x80\x9d \xe2\x82\xac" },
		/* what says ASCII is guessed */
		{ "=?us-ascii?Q?=E9?=", "\xc3\xa9" },
		{ "=?us-ascii?Q?=C3=A9?=", "\xc3\xa9" },
	};

	assert_all_decode(cases, G_N_ELEMENTS(cases));
}

static void
a_character_split_across_words(void **state)
{
	static const Case cases[] = {
		{ "=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "\xe2\x82\xac" },
		{ "=?utf-8?Q?=E2=82?= =?UTF-8?Q?=AC?=", "\xe2\x82\xac" },
		{ "=?utf-8?Q?=E2=82?= =?utf-8?B?rA==?=", "\xe2\x82\xac" },
		/* a stream of base64 cut anywhere */
		{ "=?utf-8?B?4o?= =?utf-8?B?Ks?=", "\xe2\x82\xac" },
		{ "=?utf-8?B?4?= =?utf-8?B?oKs?=", "\xe2\x82\xac" },
		/* words that forgot their padding */
		{ "=?utf-8?B?YQ?= =?utf-8?B?Yg?=", "ab" },
		/* the second word relies on the state the first left */
		{ "=?iso-2022-jp?B?GyRCRnxLXA==?= =?iso-2022-jp?B?OGwbKEI=?=",
		  "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		/* not the same charset, or text between: each by itself */
		{ "=?utf-8?Q?=E2=82?= =?iso-8859-1?Q?=AC?=", R "\xc2\xac" },
		{ "=?utf-8?Q?=E2=82?= x =?utf-8?Q?=AC?=", R " x " R },
	};

	assert_all_decode(cases, G_N_ELEMENTS(cases));
}

static void
broken_words_stay_visible(void **state)
{
	static const Case cases[] = {
		{ "=?x-foo?Q?abc=41?=", "=?x-foo?Q?abc=41?=" },
		{ "=?utf-7?Q?+AGE-?=", "=?utf-7?Q?+AGE-?=" },
		{ "=?x-foo?Q?a?= =?x-foo?Q?b?=", "=?x-foo?Q?a?= =?x-foo?Q?b?=" },
		{ "=?utf-8?Q?a?= =?x-foo?Q?b?= =?utf-8?Q?c?=", "a =?x-foo?Q?b?= c" },
		{ "=?utf-8//TRANSLIT?Q?a?=", "=?utf-8//TRANSLIT?Q?a?=" },
		{ "=?"
		  "?Q?a?=",
		  "=?"
		  "?Q?a?=" },
		{ "=?utf-8?X?abc?=", "=?utf-8?X?abc?=" },
		{ "=?utf-8?Q?unterminated", "=?utf-8?Q?unterminated" },
		{ "=?utf-8?Q", "=?utf-8?Q" },
		{ "=?utf-8?=", "=?utf-8?=" },
		{ "=?", "=?" },
		{ "=?=", "=?=" },
		{ "=?=?=?=?", "=?=?=?=?" },
		{ "=?utf-8?Q?=?utf-8?Q?a?=", "=?utf-8?Q?a" },
		{ "=?utf-8?Q?=ZZ=4?=", "=ZZ=4" },
		{ "=?utf-8?B?!!YWJj!!?=", "abc" },
		{ "=?utf-8?B?YW Jj?=", "abc" },
		{ "=?utf-8?Q?=FF=FE?= x", R " x" },
		{ "=?utf-8?Q?=ED=A0=80?=", R },
	};

	assert_all_decode(cases, G_N_ELEMENTS(cases));
}

static void
folding_is_undone(void **state)
{
	static const Case cases[] = {
		{ "a\r\n b", "a b" }, { "a\r\n\tb", "a\tb" }, { "a\n b\n  c", "a b  c" },
		{ "a\r\n", "a" },     { "a\nb", "a\nb" }, /* no folding: the door's */
		{ "a\rb", "a\rb" },
	};

	assert_all_decode(cases, G_N_ELEMENTS(cases));
}

static void
raw_bytes(void **state)
{
	assert_decodes("M\xc3\xbcller", 7, NULL, "M\xc3\xbcller");
	assert_decodes("M\xfcller \x80", 8, NULL, "M\xc3\xbcller \xe2\x82\xac");
	assert_decodes("\xf0\xd2\xc9", 3, "koi8-r", "\xd0\x9f\xd1\x80\xd0\xb8");
	assert_decodes("\xf0\xd2\xc9", 3, "no-such", "\xc3\xb0\xc3\x92\xc3\x89");
	assert_decodes("\xc3\xbc", 2, "koi8-r", "\xc3\xbc");
	/* words and bytes side by side */
	assert_decodes("\xfc =?utf-8?Q?=C3=BC?= \xfc", 22, NULL, "\xc3\xbc \xc3\xbc \xc3\xbc");
}

static void
a_charset_told_beside_the_bytes(void **state)
{
	static const struct {
		const char *bytes, *charset, *wanted;
	} cases[] = {
		{ "M\xfcller.pdf", "iso-8859-1", "M\xc3\xbcller.pdf" },
		{ "\xc3\xbc", "UTF-8", "\xc3\xbc" },
		{ "\xfc", "utf-8", R },
		{ "+AC8-etc", "utf-7", "+AC8-etc" },
		{ "\xfc", "utf-8//IGNORE", "\xc3\xbc" }, /* unknown: guessed */
		{ "\xfc", "", "\xc3\xbc" },
		{ "", "koi8-r", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		mail_charset_decode(span_of_string(cases[i].bytes),
				    span_of_string(cases[i].charset), out);
		assert_string_equal(out->str, cases[i].wanted);
	}
}

static void
controls_from_words_do_not_end_anything(void **state)
{
	/* mailsploit.com */
	static const char sploit[] = "=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?=\0"
				     "=?utf-8?Q?=00?=@x";

	assert_decodes(sploit, sizeof(sploit) - 1, NULL, "potus@whitehouse.gov" R R "@x");
	assert_decodes("=?utf-8?Q?potus=40whitehouse.gov=0A=00?=", 40, NULL,
		       "potus@whitehouse.gov" R R);
	assert_decodes("=?utf-8?Q?a=0D=0Ab?=", 20, NULL, "a" R R "b");
	assert_decodes("=?utf-8?Q?=1B[2J?=", 18, NULL, "\x1b[2J"); /* the door's */
	assert_decodes("a\0b", 3, NULL, "a" R "b");
	assert_decodes("=?utf-16?B?AAo=?=", 17, NULL,
		       "\xe0\xa8\x80"); /* in host order: no newline */
	assert_decodes("=?utf-16be?B?AAoAAA==?=", 23, NULL, R R);
}

static void
long_values_stay_linear(void **state)
{
	/* Each of these was quadratic in somebody's decoder; here a minute is not enough if it is. */
	static const char *const units[] = { "=?utf-8?Q?",	"=?",	 "=?utf-8?Q?a",
					     "=?utf-8?Q?a?= ",	"\xc3",	 "=?x?Q?a?=",
					     "=?utf-8?Q?=0A?=", "\r\n ", "=?a*" };

	for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
		g_autoptr(GString) raw = g_string_new(NULL);
		g_autoptr(GString) out = g_string_new(NULL);

		while (raw->len < 4000000)
			g_string_append(raw, units[u]);
		mail_header_decode(span_of(raw->str, raw->len), NULL, out);
		assert_true(out->len <= 3 * raw->len);
	}
}

static void
addresses(void **state)
{
	static const struct {
		const char *name, *mailbox, *host, *wanted, *brief;
	} cases[] = {
		{ "Ada Example", "ada", "example.org", "Ada Example <ada@example.org>",
		  "Ada Example" },
		{ "", "ada", "example.org", "ada@example.org", "ada@example.org" },
		{ NULL, "ada", "example.org", "ada@example.org", "ada@example.org" },
		{ "ada@example.org", "ada", "example.org", "ada@example.org", "ada@example.org" },
		{ "Example, Ada", "ada", "example.org", "\"Example, Ada\" <ada@example.org>",
		  "Example, Ada" },
		{ "J. R. Hacker", "j", "x.org", "J. R. Hacker <j@x.org>", "J. R. Hacker" },
		{ "a \"b\" \\c", "j", "x.org", "\"a \\\"b\\\" \\\\c\" <j@x.org>", "a \"b\" \\c" },
		{ "'Ada'", "ada", "x.org", "Ada <ada@x.org>", "Ada" },
		{ "=?utf-8?Q?=22M=C3=BCller=2C_J=22?=", "j", "x.org",
		  "\"M\xc3\xbcller, J\" <j@x.org>", "M\xc3\xbcller, J" },
		/* a name that would pass for an address */
		{ "=?utf-8?Q?potus=40whitehouse.gov?=", "evil", "x.org",
		  "\"potus@whitehouse.gov\" <evil@x.org>", "evil@x.org" },
		{ "potus@whitehouse.gov <x", "evil", "x.org",
		  "\"potus@whitehouse.gov <x\" <evil@x.org>", "evil@x.org" },
		{ "potus\xef\xbc\xa0whitehouse.gov", "evil", "x.org",
		  "potus\xef\xbc\xa0whitehouse.gov <evil@x.org>", "evil@x.org" },
		/* no encoded word in an address */
		{ "", "=?utf-8?Q?a=40b?=", "x.org", "=?utf-8?Q?a=40b?=@x.org",
		  "=?utf-8?Q?a=40b?=@x.org" },
		{ "", "a b", "x.org", "\"a b\"@x.org", "\"a b\"@x.org" },
		{ "", "a@b", "x.org", "\"a@b\"@x.org", "\"a@b\"@x.org" },
		{ "", "a..b", "x.org", "\"a..b\"@x.org", "\"a..b\"@x.org" },
		{ "", "M\xfc", "xn--mller-kva.de", "M\xc3\xbc@xn--mller-kva.de",
		  "M\xc3\xbc@xn--mller-kva.de" },
		{ "Mr Root", "root", "", "Mr Root <root>", "Mr Root" },
		{ "", "root", "", "root", "root" },
		{ "", "", "", "", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autofree char *brief = NULL, *of_list = NULL;

		mail_address_append(out, span_of_string(cases[i].name),
				    span_of_string(cases[i].mailbox),
				    span_of_string(cases[i].host));
		assert_string_equal(out->str, cases[i].wanted);
		brief = mail_address_short(out->str);
		assert_string_equal(brief, cases[i].brief);
		g_string_append(out, ", Other <o@o>");
		of_list = mail_address_short(out->str);
		assert_string_equal(of_list, cases[i].brief);
	}
}

static void
address_lists(void **state)
{
	static const Case cases[] = {
		{ "ada@example.org", "ada@example.org" },
		{ "Ada <ada@example.org>, bob@x", "Ada <ada@example.org>, bob@x" },
		{ "\"Example, Ada\" <ada@example.org>,\r\n Bob<b@x>",
		  "\"Example, Ada\" <ada@example.org>, Bob <b@x>" },
		{ "ada@example.org (Ada (the first))", "\"Ada (the first)\" <ada@example.org>" },
		{ "ada@example.org (a \\) b)", "\"a ) b\" <ada@example.org>" },
		{ "=?utf-8?Q?M=C3=BCller=2C_J?= <j@x>", "\"M\xc3\xbcller, J\" <j@x>" },
		{ "\"=?utf-8?Q?M=C3=BCller?=\" <j@x>", "M\xc3\xbcller <j@x>" },
		{ "undisclosed-recipients:;", "undisclosed-recipients:;" },
		{ "Friends: a@b, C <c@d>;, e@f", "Friends: a@b, C <c@d>;, e@f" },
		{ "<@route,@two:ada@x>", "ada@x" },
		{ "Ada <ada@[IPv6:::1]>, bob@[IPv6:::2]", "Ada <ada@[IPv6:::1]>, bob@[IPv6:::2]" },
		{ "\"a b\"@x", "\"a b\"@x" },
		{ "MAILER-DAEMON", "MAILER-DAEMON" },
		{ "<>", "" },
		{ ", ,,a@b,,", "a@b" },
		{ "", "" },
		/* decoded names cannot make up an address, nor end one */
		{ "=?utf-8?Q?bank=40bank.com_=3Cx=40bank.com=3E=2C?= <evil@x>",
		  "\"bank@bank.com <x@bank.com>,\" <evil@x>" },
		{ "=?utf-8?Q?bank=40bank.com?=", "\"bank@bank.com\"" },
		{ "bank@bank.com <evil@x>", "\"bank@bank.com\" <evil@x>" },
		{ "\"unterminated <a@b>", "\"unterminated <a@b>\"" },
		{ "Ada <unterminated", "Ada <unterminated>" },
		{ "(((((", "\"((((\"" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		mail_address_list_append(out, span_of_string(cases[i].raw));
		assert_string_equal(out->str, cases[i].wanted);
	}
}

static void
address_floods_stay_linear(void **state)
{
	static const char *const units[] = { "(",  "a:", "<", "\"",   "a@b,",
					     "\\", "[",	 ";", "\xc3", "=?" };

	for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
		g_autoptr(GString) raw = g_string_new(NULL);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autofree char *brief = NULL;

		while (raw->len < 1000000)
			g_string_append(raw, units[u]);
		mail_address_list_append(out, span_of(raw->str, raw->len));
		assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
		brief = mail_address_short(out->str);
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
		cmocka_unit_test(plain_text_is_left_alone),
		cmocka_unit_test(encoded_words),
		cmocka_unit_test(a_character_split_across_words),
		cmocka_unit_test(broken_words_stay_visible),
		cmocka_unit_test(folding_is_undone),
		cmocka_unit_test(raw_bytes),
		cmocka_unit_test(a_charset_told_beside_the_bytes),
		cmocka_unit_test(controls_from_words_do_not_end_anything),
		cmocka_unit_test(long_values_stay_linear),
		cmocka_unit_test(addresses),
		cmocka_unit_test(address_lists),
		cmocka_unit_test(address_floods_stay_linear),
	};

	return cmocka_run_group_tests_name("/mail/header", tests, start, NULL);
}
