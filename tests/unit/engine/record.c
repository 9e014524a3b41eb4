/* From FETCH answers to what the store takes, and from BODYSTRUCTURE to the tree of parts. */
#include "../../../src/engine/record-private.h"

#include "engine/engine.h"
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct Parsed {
	ImapParser *parser;
	ImapResponse response;
} Parsed;

static const ImapFetch *
parse(Parsed *parsed, const char *line)
{
	ImapFrame frame = { .text = span_of_string(line) };
	size_t offset;

	parsed->parser = imap_parser_new();
	assert_true(imap_parser_parse(parsed->parser, &frame, &parsed->response, &offset));
	assert_int_equal(parsed->response.type, IMAP_RESPONSE_FETCH);
	return &parsed->response.fetch;
}

static StoreMessage
record(RecordBatch *batch, const char *line)
{
	Parsed parsed;
	size_t n;

	assert_true(record_batch_add(batch, parse(&parsed, line)));
	/* What was parsed may go: the batch has its own copy. */
	imap_parser_free(parsed.parser);
	return record_batch_messages(batch, &n)[n - 1];
}

#define MESSAGE(date, internal, subject, from, structure)                                          \
	"* 3 FETCH (UID 7 FLAGS (\\Seen $Forwarded work) INTERNALDATE \"" internal                 \
	"\" RFC822.SIZE 4321 ENVELOPE (\"" date "\" " subject " " from " NIL NIL "                 \
	"((NIL NIL \"bob\" \"example.net\")) NIL NIL NIL \"<m@example.org>\") "                    \
	"BODYSTRUCTURE " structure ")"

#define PLAIN "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 10 1)"
#define ADA   "((\"=?utf-8?q?Ad=C3=A1?=\" NIL \"ada\" \"example.org\"))"

static void
header_fields_are_decoded(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	StoreMessage m =
	    record(batch, MESSAGE("Fri, 21 Nov 2025 10:00:00 +0200", "21-Nov-2025 08:01:00 +0000",
				  "\"=?iso-8859-1?q?caf=E9?= one\"", ADA, PLAIN));

	assert_int_equal(m.uid, 7);
	assert_true(span_is(m.subject, "café one"));
	assert_true(span_is(m.from, "Adá <ada@example.org>"));
	assert_true(span_is(m.to, "bob@example.net") || span_is(m.to, "<bob@example.net>"));
	assert_true(span_is(m.message_id, "<m@example.org>"));
	assert_int_equal(m.date, 1763712000);
	assert_int_equal(m.zone_min, 120);
	assert_int_equal(m.size, 4321);
	assert_int_equal(m.flags, STORE_FLAG_SEEN | STORE_FLAG_KEYWORDS);
	assert_true(span_is(m.keywords, "$Forwarded work"));
	assert_true(span_is(m.structure, PLAIN));
	assert_int_equal(m.attachments, 0);
}

static void
date_that_is_none_is_the_arrival(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	StoreMessage m =
	    record(batch, MESSAGE("soon", "21-Nov-2025 08:01:00 +0000", "NIL", "NIL", PLAIN));

	assert_int_equal(m.date, 1763712060);
	assert_true(span_is_empty(m.subject));
	assert_true(span_is_empty(m.from));
}

static void
date_far_ahead_of_the_arrival_is_not_believed(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	StoreMessage m = record(batch, MESSAGE("Fri, 21 Nov 2098 10:00:00 +0000",
					       "21-Nov-2025 08:01:00 +0000", "NIL", "NIL", PLAIN));

	assert_int_equal(m.date, 1763712060);
}

#define MIXED                                                                                      \
	"((\"text\" \"plain\" (\"charset\" \"utf-8\" \"format\" \"flowed\") NIL NIL \"8bit\" 20 "  \
	"2)(\"application\" \"pdf\" NIL NIL NIL \"base64\" 400 NIL (\"attachment\" "               \
	"(\"filename*0*\" \"UTF-8''gr%C3%BC\" \"filename*1\" \"n.pdf\")) NIL)(\"image\" \"png\" "  \
	"(\"name\" \"a.png\") NIL NIL \"base64\" 40 NIL NIL NIL) \"mixed\")"

static void
attachments_are_counted(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	StoreMessage m =
	    record(batch, MESSAGE("", "21-Nov-2025 08:01:00 +0000", "NIL", "NIL", MIXED));

	assert_int_equal(m.attachments, 2);
	assert_true(m.flags & STORE_FLAG_ATTACHMENT);
}

static void
structure_becomes_a_tree(void **state)
{
	StoreRow row = { .structure = g_bytes_new_static(MIXED, sizeof MIXED - 1) };
	g_autoptr(MailPart) root = engine_structure(&row);
	const MailPart *pdf;

	assert_non_null(root);
	assert_string_equal(root->type, "multipart/mixed");
	assert_string_equal(root->section, "");
	assert_int_equal(root->children->len, 3);
	assert_true(mail_part_find(root, "1")->format_flowed);
	pdf = mail_part_find(root, "2");
	assert_string_equal(pdf->name, "grün.pdf");
	assert_string_equal(pdf->encoding, "base64");
	assert_int_equal(pdf->size_octets, 400);
	assert_true(pdf->is_attachment);
	/* The list's paper clip and the tree agree. */
	assert_int_equal(mail_part_attachments(root), 2);
	g_bytes_unref(row.structure);
}

#define LEAF(type, subtype, more) "(\"" type "\" \"" subtype "\" " more ")"
#define BARE(type, subtype)	  LEAF(type, subtype, "NIL NIL NIL \"base64\" 40")
#define WITH_ID(type, subtype)	  LEAF(type, subtype, "NIL \"<a@b>\" NIL \"base64\" 40")
#define DISPOSED(type, subtype, how)                                                               \
	LEAF(type, subtype,                                                                        \
	     "NIL NIL NIL \"base64\" 40 NIL (\"" how "\" (\"filename\" \"a.b\")) NIL")
#define MULTI(subtype, parts) "(" parts " \"" subtype "\")"
#define MESSAGE_OF(body)                                                                           \
	"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 90 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "  \
	"NIL) " body " 5)"

/* The list's paper clip, from the wire, and what the tree says of the same. */
static void
both_counts_of_attachments_agree(void **state)
{
	static const struct {
		const char *structure;
		unsigned n;
	} cases[] = {
		{ PLAIN, 0 },
		{ BARE("IMAGE", "JPEG"), 1 },
		{ BARE("application", "octet-stream"), 1 },
		{ DISPOSED("image", "jpeg", "inline"), 1 },
		{ MULTI("mixed", PLAIN MESSAGE_OF(PLAIN)), 1 },
		{ MULTI("mixed", PLAIN MESSAGE_OF(MULTI("mixed", PLAIN BARE("image", "png")
								     BARE("image", "png")))
				     BARE("image", "png")),
		  2 },
		{ MULTI("mixed", MESSAGE_OF(MESSAGE_OF(BARE("image", "png")))), 1 },
		{ MULTI("Mixed", PLAIN DISPOSED("image", "jpeg", "INLINE")), 1 },
		{ MULTI("mixed", PLAIN BARE("image", "jpeg")), 1 },
		{ MULTI("mixed", PLAIN DISPOSED("text", "plain", "Attachment")), 1 },
		{ MULTI("mixed", PLAIN DISPOSED("text", "plain", "inline")), 0 },
		{ MULTI("related", PLAIN WITH_ID("image", "png")), 0 },
		{ MULTI("related", PLAIN BARE("image", "png")), 1 },
		{ MULTI("related", PLAIN WITH_ID("application", "pdf")), 1 },
		{ MULTI("related", WITH_ID("image", "png") PLAIN), 1 },
		{ MULTI("mixed", PLAIN WITH_ID("image", "png")), 1 },
		{ MULTI("signed", PLAIN DISPOSED("application", "PGP-signature", "attachment")),
		  0 },
		{ MULTI("encrypted", BARE("application", "pgp-encrypted")
					 DISPOSED("application", "octet-stream", "inline")),
		  0 },
		{ MULTI("report", PLAIN BARE("message", "delivery-status") MESSAGE_OF(PLAIN)), 0 },
		{ MULTI("alternative", PLAIN PLAIN DISPOSED("text", "calendar", "attachment")), 1 },
		{ MESSAGE_OF(PLAIN), 0 },
		{ MESSAGE_OF(MULTI("mixed", PLAIN BARE("image", "png"))), 1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *text = cases[i].structure;
		StoreRow row = { .structure = g_bytes_new_static(text, strlen(text)) };
		g_autoptr(MailPart) root = engine_structure(&row);
		g_autoptr(ImapParser) parser = imap_parser_new();
		const ImapBodyPart *parts;
		size_t n;
		bool cut;

		assert_true(imap_body_parse(parser, span_of_string(text), &parts, &n, &cut));
		if (record_attachments(parts, n) != cases[i].n ||
		    mail_part_attachments(root) != cases[i].n)
			fail_msg("%s: %u on the wire, %u in the tree", text,
				 record_attachments(parts, n), mail_part_attachments(root));
		g_bytes_unref(row.structure);
	}
}

static void
type_is_printable_whatever_the_server_sent(void **state)
{
	static const char hostile[] = "(\"APP\x1b]0;x\x07\" \"P\xc2\x9b"
				      "DF\" NIL NIL NIL \"BASE64\" 8)";
	StoreRow row = { .structure = g_bytes_new_static(hostile, sizeof hostile - 1) };
	g_autoptr(MailPart) root = engine_structure(&row);

	assert_string_equal(root->type, "app?]0;x?/p??df");
	assert_string_equal(root->encoding, "base64");
	g_bytes_unref(row.structure);
}

static void
structure_that_is_none_is_no_tree(void **state)
{
	StoreRow row = { .structure = g_bytes_new_static("((((", 4) };
	StoreRow none = { 0 };

	assert_null(engine_structure(&row));
	assert_null(engine_structure(&none));
	g_bytes_unref(row.structure);
}

static void
thousands_in_one_batch_keep_their_own_text(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	size_t n;
	const StoreMessage *messages;

	for (int i = 1; i <= 3000; i++) {
		g_autofree char *line =
		    g_strdup_printf("* %d FETCH (UID %d FLAGS () RFC822.SIZE 1 ENVELOPE (NIL "
				    "\"subject %d\" NIL NIL "
				    "NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE " PLAIN ")",
				    i, i, i);

		record(batch, line);
	}
	messages = record_batch_messages(batch, &n);
	assert_int_equal(n, 3000);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *subject = g_strdup_printf("subject %zu", i + 1);

		assert_true(span_is(messages[i].subject, subject));
	}
	record_batch_clear(batch);
	record_batch_messages(batch, &n);
	assert_int_equal(n, 0);
}

static void
message_with_a_broken_envelope_is_listed(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	StoreMessage m =
	    record(batch, "* 3 FETCH (UID 9 FLAGS (\\Seen) RFC822.SIZE 12 ENVELOPE (5 (x) "
			  "NIL) BODYSTRUCTURE " PLAIN ")");

	assert_int_equal(m.uid, 9);
	assert_int_equal(m.size, 12);
	assert_int_equal(m.flags, STORE_FLAG_SEEN);
	assert_true(span_is(m.structure, PLAIN));
}

static void
message_without_uid_or_envelope_is_none(void **state)
{
	g_autoptr(RecordBatch) batch = record_batch_new();
	Parsed parsed;

	assert_false(record_batch_add(batch, parse(&parsed, "* 3 FETCH (FLAGS (\\Seen))")));
	imap_parser_free(parsed.parser);
	assert_false(record_batch_add(batch, parse(&parsed, "* 3 FETCH (UID 4 FLAGS (\\Seen))")));
	imap_parser_free(parsed.parser);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields_are_decoded),
		cmocka_unit_test(date_that_is_none_is_the_arrival),
		cmocka_unit_test(date_far_ahead_of_the_arrival_is_not_believed),
		cmocka_unit_test(attachments_are_counted),
		cmocka_unit_test(structure_becomes_a_tree),
		cmocka_unit_test(type_is_printable_whatever_the_server_sent),
		cmocka_unit_test(both_counts_of_attachments_agree),
		cmocka_unit_test(structure_that_is_none_is_no_tree),
		cmocka_unit_test(thousands_in_one_batch_keep_their_own_text),
		cmocka_unit_test(message_with_a_broken_envelope_is_listed),
		cmocka_unit_test(message_without_uid_or_envelope_is_none),
	};

	mail_init();
	return cmocka_run_group_tests_name("engine/record", tests, NULL, NULL);
}
