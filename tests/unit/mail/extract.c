/* One section of a whole message, as BODY[section] would have given it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mail/extract.h"
#include "mail/header.h"

#define MIXED "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
#define INNER "Content-Type: multipart/alternative; boundary=c\r\n\r\n"

static void
a_section_is_what_the_server_would_say(void **state)
{
	static const struct {
		const char *message, *section, *want; /* want NULL: there is none */
	} rows[] = {
		{ "Subject: x\r\n\r\nhello\r\n", "1", "hello\r\n" },
		{ "Subject: x\r\n\r\nhello\r\n", "", "Subject: x\r\n\r\nhello\r\n" },
		{ "Subject: x\r\n\r\nhello\r\n", "HEADER", "Subject: x\r\n\r\n" },
		{ "Subject: x\r\n\r\nhello\r\n", "2", NULL },
		{ "Subject: x\r\n\r\nhello\r\n", "1.1", NULL },
		{ MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "1", "one" },
		{ MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "2", "two" },
		{ MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "3", NULL },
		{ MIXED "--b\r\n" INNER "--c\r\n\r\ndeep\r\n--c--\r\n--b--\r\n", "1.1", "deep" },
		/* The boundary never comes: Dovecot and Cyrus announce one part, and it is empty. */
		{ MIXED "--a\r\n\r\nlost\r\n--a--\r\n", "1", "" },
		{ MIXED "--a\r\n\r\nlost\r\n--a--\r\n", "2", NULL },
		{ MIXED "--a\r\n\r\nlost\r\n--a--\r\n", "1.1", NULL },
		{ MIXED "--b\r\n" INNER "lost\r\n--b--\r\n", "1.1", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) message =
		    g_bytes_new_static(rows[i].message, strlen(rows[i].message));
		g_autoptr(GBytes) bytes = mail_extract(message, rows[i].section);
		g_autofree char *text = NULL;

		if (bytes)
			text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		if (g_strcmp0(text, rows[i].want))
			fail_msg("row %zu, section %s: %s", i, rows[i].section,
				 text ? text : "none");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_is_what_the_server_would_say),
	};

	mail_init();
	return cmocka_run_group_tests_name("/mail/extract", tests, NULL, NULL);
}
