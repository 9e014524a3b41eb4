/* Servers' oddities: known by what the server says, and each row says whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "imap/quirks.h"

static void
every_row_names_its_server(void **state)
{
	size_t count = 0;

	for (const ImapQuirkRow *row = imap_quirks; row->seen_on; row++, count++) {
		assert_true(*row->seen_on && *row->why && *row->match);
		assert_true(!strcmp(row->where, "greeting") || !strcmp(row->where, "id") ||
			    !strcmp(row->where, "capability"));
		assert_true(row->quirk && !(row->quirk & (row->quirk - 1)));
	}
	assert_true(count > 10);
}

static void
servers_are_known_by_what_they_say(void **state)
{
	static const struct {
		const char *where, *text;
		unsigned want;
	} rows[] = {
		{ "greeting", "Courier-IMAP ready. Copyright 1998-2018 Double Precision, Inc.",
		  IMAP_QUIRK_NO_LIST_EXTENDED | IMAP_QUIRK_FEW_ERRORS },
		{ "greeting", "COURIER-IMAP READY.",
		  IMAP_QUIRK_NO_LIST_EXTENDED | IMAP_QUIRK_FEW_ERRORS },
		{ "capability", " IMAP4rev1 ACL2=UNION XCOURIEROUTBOX=INBOX.Outbox ",
		  IMAP_QUIRK_NO_LIST_EXTENDED | IMAP_QUIRK_FEW_ERRORS | IMAP_QUIRK_OUTBOX_SENDS },
		{ "greeting", "Coremail System IMap Server Ready(163com[ab])",
		  IMAP_QUIRK_NO_SASL_IR | IMAP_QUIRK_ID_BEFORE_SELECT },
		{ "capability", " X-CM-EXT-1 ",
		  IMAP_QUIRK_NO_SASL_IR | IMAP_QUIRK_ID_BEFORE_SELECT },
		{ "capability", " X-CM-EXT-10 ", 0 },
		{ "greeting", "The Microsoft Exchange IMAP4 service is ready. [TQ==]",
		  IMAP_QUIRK_NO_REV2 | IMAP_QUIRK_FILES_SENT },
		{ "capability", " IMAP4rev1 X-GM-EXT-1 IDLE ", IMAP_QUIRK_FILES_SENT },
		{ "greeting", "Dovecot (Debian) ready.", IMAP_QUIRK_NO_NOTIFY_NONE },
		{ "id", "\"name\" \"Dovecot\" \"version\" \"2.3.19\" ", IMAP_QUIRK_NO_NOTIFY_NONE },
		{ "greeting", "IMAPrev1", IMAP_QUIRK_NO_PAST_END },
		{ "greeting", "localhost Cyrus IMAP 3.6.1-Debian-3.6.1-4 server ready",
		  IMAP_QUIRK_NO_RIDE },
		{ "capability", " IMAP4rev1 LIST-METADATA NO_ATOMIC_RENAME SCAN ",
		  IMAP_QUIRK_NO_RIDE },
		{ "greeting", "IMAP4rev1", 0 },
		{ "greeting", "", 0 },
		{ "id", "Dovecot ready.", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(imap_quirks_match(rows[i].where, span_of_string(rows[i].text)),
				 rows[i].want);
}

static void
a_hostile_text_costs_no_more_than_its_length(void **state)
{
	g_autofree char *text = g_strnfill(1 << 20, 'C');

	/* A matcher that tries every star again would not come back from this. */
	assert_int_equal(imap_quirks_match("greeting", span_of(text, 1 << 20)), 0);
	assert_int_equal(imap_quirks_match("greeting", SPAN_EMPTY), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_names_its_server),
		cmocka_unit_test(servers_are_known_by_what_they_say),
		cmocka_unit_test(a_hostile_text_costs_no_more_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
