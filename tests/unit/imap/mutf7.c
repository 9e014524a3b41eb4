#include "imap/mutf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct Row {
	const char *raw, *name; /* name NULL: RAW is not correct */
} Row;

static const Row rows[] = {
	{ "", "" },
	{ "INBOX", "INBOX" },
	{ "a&-b", "a&b" },
	{ "&-&-", "&&" },
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語" }, /* RFC 3501, 5.1.3 */
	{ "Entw&APw-rfe", "Entwürfe" },
	{ "&2D3cqA-", "💨" },
	{ "&2D3cqABh-", NULL },	 /* "a" in base64 */
	{ "&AGE-", NULL },	 /* likewise */
	{ "&Jjo-&Jjo-", NULL },	 /* two runs in a row */
	{ "&JjoAIQ-", NULL },	 /* RFC 3501: "!" can stand for itself */
	{ "&", NULL },		 /* not ended */
	{ "&ZeVnLIqe", NULL },	 /* likewise */
	{ "&Ze-", NULL },	 /* half a unit */
	{ "&ZeVn-", NULL },	 /* a unit and a half */
	{ "&2D0-", NULL },	 /* half a surrogate pair */
	{ "&3Kg-", NULL },	 /* its other half */
	{ "&ZeW-", NULL },	 /* bits behind the last unit that are not 0 */
	{ "&Ze/n-", NULL },	 /* "/" is "," here */
	{ "&Ze Vn-", NULL },	 /* a space inside */
	{ "&AAA-", NULL },	 /* NUL */
	{ "&AA0ACg-", NULL },	 /* CR LF */
	{ "caf\xc3\xa9", NULL }, /* 8-bit */
	{ "a\tb", NULL },	 /* a control stands in base64 */
	{ "a&AAk-b", "a\tb" },
};

static void
row_decodes_and_comes_back(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name =
		    imap_mailbox_name_decode(span_of_string(rows[i].raw), false);
		g_autofree char *raw = NULL;

		if (!rows[i].name) {
			if (name)
				fail_msg("%s became %s", rows[i].raw, name);
			continue;
		}
		assert_non_null(name);
		assert_string_equal(name, rows[i].name);
		raw = imap_mailbox_name_encode(name, false);
		assert_string_equal(raw, rows[i].raw);
	}
}

static void
utf8_name_is_itself(void **state)
{
	g_autofree char *decoded =
	    imap_mailbox_name_decode(span_of_string("a&-b/caf\xc3\xa9"), true);
	g_autofree char *encoded = imap_mailbox_name_encode("a&b/caf\xc3\xa9", true);

	assert_string_equal(decoded, "a&-b/caf\xc3\xa9");
	assert_string_equal(encoded, "a&b/caf\xc3\xa9");
	assert_null(imap_mailbox_name_decode(span_of_string("caf\xe9"), true));
	assert_null(imap_mailbox_name_decode(span_of("a\0b", 3), true));
}

static void
name_that_could_break_a_line_is_refused(void **state)
{
	for (int utf8 = 0; utf8 < 2; utf8++) {
		assert_null(imap_mailbox_name_encode("a\r\nA1 LOGOUT", utf8));
		assert_null(imap_mailbox_name_encode("a\nb", utf8));
		assert_null(imap_mailbox_name_encode("caf\xe9", utf8));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "/imap/mutf7/name-decodes-and-comes-back", row_decodes_and_comes_back },
		{ "/imap/mutf7/utf8-name-is-itself", utf8_name_is_itself },
		{ "/imap/mutf7/name-that-could-break-a-line-is-refused",
		  name_that_could_break_a_line_is_refused },
	};

	return cmocka_run_group_tests_name("imap-mutf7", tests, NULL, NULL);
}
