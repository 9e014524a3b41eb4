/* What a script reads: rows out of a store, as JSON and as text. */
#include "base/safetext.h"
#include "cli/format.h"
#include "mail/header.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct Fixture {
	char *dir;
	Store *store;
	StoreMailbox *inbox;
} Fixture;

#define GOOD(call) assert_true((call) || (show_error(error), false))

static void
show_error(const GError *error)
{
	print_message("%s\n", error ? error->message : "?");
}

static int
fill(void **state)
{
	const StoreMessage messages[] = {
		{ .uid = 7,
		  .flags = STORE_FLAG_SEEN | STORE_FLAG_FLAGGED | STORE_FLAG_KEYWORDS,
		  .keywords = SPAN_LITERAL("$Forwarded bold\x1b[1m"),
		  .date = 1714554000,
		  .zone_min = 120,
		  .received = 1714554000,
		  .size = 5000000000,
		  .subject = SPAN_LITERAL("Gr\xc3\xbc\xc3\x9f"
					  "e \"quoted\" \\ back\xe2\x80\xae\x1b]0;x\x07"),
		  .from = SPAN_LITERAL("Ada Example <ada@example.org>"),
		  .to = SPAN_LITERAL("bob@example.org, \"C, D\" <cd@example.org>"),
		  .cc = SPAN_LITERAL("eve@example.org"),
		  .message_id = SPAN_LITERAL("<1@example.org>"),
		  .attachments = 2 },
		{ .uid = 9, .date = -2208988800, .zone_min = -330, .received = 1 },
		{ .uid = 12 },
	};
	Fixture *fixture = g_new0(Fixture, 1);
	GError *error = NULL;
	StoreMailbox mailbox = { .raw = (char *)"INBOX",
				 .raw_size = 5,
				 .name = (char *)"INBOX",
				 .delimiter = '/',
				 .role = STORE_ROLE_INBOX,
				 .subscribed = true,
				 .selectable = true,
				 .server_total = -1,
				 .server_unread = -1 };

	fixture->dir = g_dir_make_tmp("postern-format-XXXXXX", NULL);
	fixture->store = store_open(fixture->dir, STORE_WRITER, NULL, NULL, &error);
	assert_non_null(fixture->store);
	GOOD(store_account(fixture->store, "work", &mailbox.account, &error));
	GOOD(store_mailbox_put(fixture->store, &mailbox, &error));
	GOOD(store_messages_put(fixture->store, mailbox.id, messages, G_N_ELEMENTS(messages),
				&error));
	GOOD(store_mailbox_get(fixture->store, mailbox.id, &fixture->inbox, &error));
	*state = fixture;
	return 0;
}

static int
empty(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(GDir) dir = g_dir_open(fixture->dir, 0, NULL);
	const char *name;

	store_mailbox_free(fixture->inbox);
	store_close(fixture->store);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

		g_unlink(path);
	}
	g_rmdir(fixture->dir);
	g_free(fixture->dir);
	g_free(fixture);
	return 0;
}

static StoreRow *
row_of(const Fixture *fixture, uint32_t uid)
{
	StoreRow *row = NULL;
	GError *error = NULL;

	GOOD(store_row_by_uid(fixture->store, fixture->inbox->id, uid, &row, &error));
	return row;
}

/* One line, that a reader can parse and that the door would pass unchanged. */
static JsonObject *
parse_line(const GString *out, JsonParser *parser)
{
	GError *error = NULL;

	assert_true(out->len && out->str[out->len - 1] == '\n');
	assert_ptr_equal(strchr(out->str, '\n'), out->str + out->len - 1);
	assert_true(safe_text_is(span_of(out->str, out->len - 1), SAFE_LINE));
	GOOD(json_parser_load_from_data(parser, out->str, (gssize)out->len, &error));
	return json_node_get_object(json_parser_get_root(parser));
}

static void
assert_members(JsonObject *object, const char *names)
{
	g_autoptr(GString) found = g_string_new(NULL);
	g_autoptr(GList) members = json_object_get_members(object);

	for (GList *at = members; at; at = at->next)
		g_string_append_printf(found, "%s%s", found->len ? " " : "", (char *)at->data);
	assert_string_equal(found->str, names);
}

static char *
joined(JsonObject *object, const char *name)
{
	g_autoptr(GString) out = g_string_new(NULL);
	JsonArray *array = json_object_get_array_member(object, name);

	for (unsigned i = 0; i < json_array_get_length(array); i++)
		g_string_append_printf(out, "%s%s", i ? " " : "",
				       json_array_get_string_element(array, i));
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
test_a_row_has_the_contracts_fields(void **state)
{
	g_autoptr(StoreRow) row = row_of(*state, 7);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;
	g_autofree char *flags = NULL;
	g_autofree char *keywords = NULL;

	cli_json_row(out, row);
	object = parse_line(out, parser);
	assert_members(object, "uid id flags keywords date from to subject size message_id thread "
			       "attachments");
	flags = joined(object, "flags");
	keywords = joined(object, "keywords");
	assert_int_equal(json_object_get_int_member(object, "uid"), 7);
	assert_int_equal(json_object_get_int_member(object, "id"), row->id);
	assert_string_equal(flags, "\\Seen \\Flagged");
	assert_string_equal(keywords, "$Forwarded bold\xef\xbf\xbd[1m");
	assert_string_equal(json_object_get_string_member(object, "date"),
			    "2024-05-01T11:00:00+02:00");
	assert_string_equal(json_object_get_string_member(object, "from"),
			    "Ada Example <ada@example.org>");
	assert_string_equal(json_object_get_string_member(object, "subject"),
			    "Gr\xc3\xbc\xc3\x9f"
			    "e \"quoted\" \\ back\xef\xbf\xbd]0;x\xef\xbf\xbd");
	assert_true(json_object_get_int_member(object, "size") == 5000000000);
	assert_string_equal(json_object_get_string_member(object, "message_id"), "<1@example.org>");
	assert_true(json_object_get_null_member(object, "thread"));
	assert_int_equal(json_object_get_int_member(object, "attachments"), 2);
}

static void
test_what_is_not_known_is_null(void **state)
{
	g_autoptr(StoreRow) row = row_of(*state, 12);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;

	row->uid = 0; /* moved while offline */
	cli_json_row(out, row);
	object = parse_line(out, parser);
	assert_true(json_object_get_null_member(object, "uid"));
	assert_true(json_object_get_null_member(object, "date"));
	assert_true(json_object_get_null_member(object, "message_id"));
	assert_string_equal(json_object_get_string_member(object, "subject"), "");
	assert_int_equal(json_array_get_length(json_object_get_array_member(object, "flags")), 0);
}

static void
test_dates_keep_the_senders_zone(void **state)
{
	static const struct {
		int64_t seconds;
		int zone_min;
		const char *date;
	} rows[] = {
		{ 0, 0, "1970-01-01T00:00:00+00:00" },
		{ 1714554000, -330, "2024-05-01T03:30:00-05:30" },
		{ 951782400, 60, "2000-02-29T01:00:00+01:00" },
		{ -2208988800, 0, "1900-01-01T00:00:00+00:00" },
		{ 1714554000, 100000, "2024-05-01T09:00:00+00:00" },
		{ 253402300799, 0, "9999-12-31T23:59:59+00:00" },
		{ 253402300799, 1, NULL },
		{ INT64_MAX, 0, NULL },
		{ INT64_MIN, 0, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *date = cli_date(rows[i].seconds, rows[i].zone_min);

		if (rows[i].date)
			assert_string_equal(date, rows[i].date);
		else
			assert_null(date);
	}
}

static void
test_a_line_of_text_has_columns_and_no_escapes(void **state)
{
	g_autoptr(StoreRow) seen = row_of(*state, 7);
	g_autoptr(StoreRow) bare = row_of(*state, 12);
	g_autoptr(GString) out = g_string_new(NULL);

	cli_text_row(out, seen, 3, 0);
	assert_string_equal(out->str,
			    "  7   !  @ 2024-05-01T11:00:00+02:00  Ada Example             "
			    "Gr\xc3\xbc\xc3\x9f"
			    "e \"quoted\" \\ back\xef\xbf\xbd]0;x\xef\xbf\xbd\n");
	g_string_truncate(out, 0);
	cli_text_row(out, bare, 3, 0);
	assert_memory_equal(out->str, " 12 N", 5);
	g_string_truncate(out, 0);
	cli_text_row(out, seen, 3, 72);
	assert_int_equal(safe_text_width(span_of(out->str, out->len - 1)), 72);
}

static void
test_a_folder_has_the_contracts_fields(void **state)
{
	const Fixture *fixture = *state;
	StoreMailbox odd = { .name = (char *)"a\x1b[2J\nb",
			     .server_total = 9,
			     .server_unread = 9,
			     .selectable = false };
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;

	cli_json_mailbox(out, "work", fixture->inbox);
	object = parse_line(out, parser);
	assert_members(object, "account name delimiter role total unread subscribed");
	assert_string_equal(json_object_get_string_member(object, "account"), "work");
	assert_string_equal(json_object_get_string_member(object, "delimiter"), "/");
	assert_string_equal(json_object_get_string_member(object, "role"), "inbox");
	assert_true(json_object_get_null_member(object, "total")); /* never heard, not complete */
	assert_true(json_object_get_boolean_member(object, "subscribed"));

	fixture->inbox->known_from_uid = 1;
	assert_int_equal(cli_mailbox_total(fixture->inbox), 3);
	assert_int_equal(cli_mailbox_unread(fixture->inbox), 2);
	fixture->inbox->server_total = 100;
	assert_int_equal(cli_mailbox_total(fixture->inbox), 100);

	g_string_truncate(out, 0);
	cli_json_mailbox(out, "work", &odd);
	object = parse_line(out, parser);
	assert_true(json_object_get_null_member(object, "delimiter"));
	assert_true(json_object_get_null_member(object, "role"));
	assert_true(json_object_get_null_member(object, "total"));
	g_string_truncate(out, 0);
	cli_text_mailbox(out, NULL, &odd, 20);
	assert_true(safe_text_is(span_of(out->str, out->len - 1), SAFE_LINE));
}

static MailPart *
leaf(const char *section, const char *type, const char *name, const char *encoding, uint64_t size)
{
	MailPart *part = mail_part_new();

	g_free(part->section);
	g_free(part->type);
	g_free(part->encoding);
	part->section = g_strdup(section);
	part->type = g_strdup(type);
	part->name = g_strdup(name);
	part->encoding = g_strdup(encoding);
	part->size_octets = size;
	return part;
}

static void
test_a_structure_is_a_tree(void **state)
{
	g_autoptr(MailPart) root = leaf("", "multipart/mixed", NULL, "", 0);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object, *child;

	g_ptr_array_add(root->children, leaf("1", "text/plain", NULL, "quoted-printable", 120));
	g_ptr_array_add(root->children,
			leaf("2", "application/pdf", "../a\x1b[1m.pdf", "base64", 5000000000));
	cli_json_structure(out, root);
	object = parse_line(out, parser);
	assert_members(object, "section type name encoding size parts");
	assert_string_equal(json_object_get_string_member(object, "section"), "");
	assert_true(json_object_get_null_member(object, "size"));
	assert_true(json_object_get_null_member(object, "encoding"));
	child = json_array_get_object_element(json_object_get_array_member(object, "parts"), 1);
	assert_string_equal(json_object_get_string_member(child, "name"),
			    "../a\xef\xbf\xbd[1m.pdf");
	assert_true(json_object_get_int_member(child, "size") == 5000000000);
	assert_int_equal(json_array_get_length(json_object_get_array_member(child, "parts")), 0);

	g_string_truncate(out, 0);
	cli_text_structure(out, root);
	assert_string_equal(
	    out->str, "-         multipart/mixed                   -                         -\n"
		      "1           text/plain                      quoted-printable        120\n"
		      "2           application/pdf                 base64           5000000000"
		      "  ../a\xef\xbf\xbd[1m.pdf\n");
}

static void
test_a_message_is_its_row_its_text_and_its_parts(void **state)
{
	g_autoptr(StoreRow) row = row_of(*state, 7);
	g_autoptr(MailPart) root = leaf("1", "text/plain", NULL, "7bit", 5);
	g_autoptr(GPtrArray) notes = g_ptr_array_new();
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;
	JsonArray *headers;

	g_ptr_array_add(notes, (char *)"unknown charset");
	cli_json_message(out, row, "Hello\n\tyou\n", notes, root);
	object = parse_line(out, parser);
	assert_members(object, "uid id flags keywords date from to subject size message_id thread "
			       "attachments text notes parts");
	assert_string_equal(json_object_get_string_member(object, "text"), "Hello\n\tyou\n");
	g_string_truncate(out, 0);
	cli_text_message_head(out, row);
	assert_non_null(strstr(out->str, "Cc: eve@example.org\nDate: 2024-05-01T11:00:00+02:00\n"));
	g_string_truncate(out, 0);
	cli_json_headers(out, row,
			 SPAN_LITERAL("From : a\r\nX-Empty:\r\nno field\r\nSubject: "
				      "=?utf-8?q?b=3A_c?=\r\n \td\x1b\r\n\r\n"));
	object = parse_line(out, parser);
	headers = json_object_get_array_member(object, "headers");
	assert_int_equal(json_array_get_length(headers), 3);
	object = json_array_get_object_element(headers, 0);
	assert_string_equal(json_object_get_string_member(object, "name"), "From");
	object = json_array_get_object_element(headers, 1);
	assert_string_equal(json_object_get_string_member(object, "value"), "");
	object = json_array_get_object_element(headers, 2);
	assert_string_equal(json_object_get_string_member(object, "value"), "b: c  d\xef\xbf\xbd");
}

static void
test_cells_are_padded_and_cut_by_width(void **state)
{
	static const struct {
		const char *text;
		int width;
		bool is_last;
		const char *cell;
	} rows[] = {
		{ "abc", 5, false, "abc  " },
		{ "abc", 5, true, "abc" },
		{ "abcdef", 4, false, "abc\xe2\x80\xa6" },
		{ "\xe4\xbd\x90\xe8\x97\xa4", 4, false, "\xe4\xbd\x90\xe8\x97\xa4" },
		{ "\xe4\xbd\x90\xe8\x97\xa4", 3, false, "\xe4\xbd\x90\xe2\x80\xa6" },
		{ "\xe4\xbd\x90\xe8\x97\xa4", 2, false, "\xe2\x80\xa6 " },
		{ "", 2, false, "  " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		cli_append_cell(out, rows[i].text, rows[i].width, rows[i].is_last);
		assert_string_equal(out->str, rows[i].cell);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row_has_the_contracts_fields),
		cmocka_unit_test(test_what_is_not_known_is_null),
		cmocka_unit_test(test_dates_keep_the_senders_zone),
		cmocka_unit_test(test_a_line_of_text_has_columns_and_no_escapes),
		cmocka_unit_test(test_a_folder_has_the_contracts_fields),
		cmocka_unit_test(test_a_structure_is_a_tree),
		cmocka_unit_test(test_a_message_is_its_row_its_text_and_its_parts),
		cmocka_unit_test(test_cells_are_padded_and_cut_by_width),
	};

	mail_init();
	return cmocka_run_group_tests_name("/cli/format", tests, fill, empty);
}
