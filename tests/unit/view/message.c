#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>

#include "base/safetext.h"
#include "mail/header.h"
#include "view/message.h"

#define TEXT(size)                                                                                 \
	"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" " size " 1 NIL NIL NIL NIL)"
#define PDF                                                                                        \
	"(\"APPLICATION\" \"PDF\" (\"NAME\" \"re\033port.pdf\") NIL NIL \"BASE64\" 5000 NIL "      \
	"(\"ATTACHMENT\" (\"FILENAME\" \"re\033port.pdf\")) NIL NIL)"
#define MIXED(parts) "(" parts " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)"

typedef struct Fixture {
	char *dir;
	Store *store;
	StoreId mailbox, message;
	ViewMessage *view;
} Fixture;

/* A message of this BODYSTRUCTURE; NULL: not known. */
static void
message_of(Fixture *f, const char *structure)
{
	StoreMessage message = {
		.uid = 7,
		.date = 0,
		.subject = span_of_string("a \033[31msubject"),
		.from = span_of_string("Ada <ada@example.org>"),
		.reply_to = span_of_string("Ada <ada@example.org>"),
		.to = span_of_string("bob@example.com"),
		.structure = span_of_string(structure),
	};
	StoreRow *row = NULL;
	GError *error = NULL;

	assert_true(store_messages_put(f->store, f->mailbox, &message, 1, &error));
	assert_true(store_row_by_uid(f->store, f->mailbox, 7, &row, &error));
	f->message = row->id;
	if (f->view)
		view_message_update(f->view, row);
	else
		f->view = view_message_new(row);
}

static int
set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	StoreMailbox mailbox = {
		.raw = (char *)"INBOX", .raw_size = 5, .name = (char *)"INBOX", .selectable = true
	};

	f->dir = g_dir_make_tmp("postern-message-XXXXXX", NULL);
	f->store = store_open(f->dir, STORE_WRITER, NULL, NULL, NULL);
	assert_true(store_account(f->store, "test", &mailbox.account, NULL));
	assert_true(store_mailbox_put(f->store, &mailbox, NULL));
	f->mailbox = mailbox.id;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *f = *state;
	GDir *dir;
	const char *name;

	view_message_free(f->view);
	store_close(f->store);
	dir = g_dir_open(f->dir, 0, NULL);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->dir, name, NULL);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(f->dir);
	g_free(f->dir);
	g_free(f);
	return 0;
}

static void
put_part(Fixture *f, const char *section, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	assert_true(store_part_put(f->store, f->message, section, bytes, NULL));
}

/* What is missing, joined by blanks; "?" when not even the structure is known. */
static char *
missing(Fixture *f)
{
	g_auto(GStrv) sections = view_message_missing(f->view, f->store, NULL);

	return sections ? g_strjoinv(" ", sections) : g_strdup("?");
}

#define assert_missing(f, wanted)                                                                  \
	do {                                                                                       \
		g_autofree char *are = missing(f);                                                 \
		assert_string_equal(are, wanted);                                                  \
	} while (0)

/* The document, a line each. */
static char *
rendered(Fixture *f)
{
	g_autoptr(ViewText) text = view_message_text(f->view, f->store, "WHY", NULL);
	g_autoptr(ViewPager) pager = view_pager_new();
	ViewLine lines[200];
	GString *out = g_string_new(NULL);
	size_t n;

	assert_false(view_text_is_heavy(text));
	view_pager_resize(pager, 1000, 200);
	view_pager_take(pager, view_text_render(text), false);
	n = view_pager_lines(pager, lines, 200);
	for (size_t i = 0; i < n; i++) {
		g_string_append_len(out, lines[i].text.at, (gssize)span_size(lines[i].text));
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

static void
only_what_is_read_is_asked_for(void **state)
{
	Fixture *f = *state;

	message_of(f, MIXED(TEXT("2000") PDF));
	assert_missing(f, "1");
	put_part(f, "1", "the text");
	assert_missing(f, "");
	view_message_show_headers(f->view, true);
	assert_missing(f, "HEADER");
	view_message_show_headers(f->view, false);
	view_message_show_part(f->view, "2");
	assert_missing(f, "2");
}

static void
without_a_structure_that_comes_first(void **state)
{
	Fixture *f = *state;
	g_autofree char *before = NULL;

	message_of(f, "");
	assert_missing(f, "?");
	before = rendered(f);
	assert_non_null(strstr(before, "From: Ada <ada@example.org>\n"));
	assert_non_null(strstr(before, "WHY\n"));
	message_of(f, TEXT("8"));
	assert_missing(f, "1");
}

static void
it_renders_headers_text_and_what_else_there_is(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, MIXED(TEXT("2000") PDF));
	put_part(f, "1", "the \033[31mtext\r\n> quoted\r\n");
	text = rendered(f);
	assert_non_null(strstr(text, "From: Ada <ada@example.org>\nTo: bob@example.com\n"));
	assert_non_null(strstr(text, "Date: Thu, 1 Jan 1970 00:00 +0000\n"));
	assert_non_null(strstr(text, "\n> quoted\n"));
	assert_non_null(strstr(text, "port.pdf, 4.9K]\n"));
	assert_null(strstr(text, "Reply-To")); /* the same as From */
	assert_true(safe_text_is(span_of_string(text), SAFE_TEXT));
}

static void
what_is_not_here_is_said_in_its_place(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL, *whole = NULL;

	message_of(f, MIXED(TEXT("20") TEXT("30")));
	put_part(f, "1", "the first");
	text = rendered(f);
	assert_non_null(strstr(text, "the first\n"));
	assert_non_null(strstr(text, "2: text/plain\nWHY\n"));
	put_part(f, "2", "the second");
	whole = rendered(f);
	assert_null(strstr(whole, "WHY"));
}

static void
a_message_of_attachments_alone_says_so(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, MIXED(PDF));
	assert_missing(f, "");
	text = rendered(f);
	assert_non_null(strstr(text, "port.pdf"));
	assert_null(strstr(text, "WHY"));
}

static void
a_picture_alone_is_named(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, "(\"IMAGE\" \"JPEG\" NIL NIL NIL \"BASE64\" 5000)");
	text = rendered(f);
	assert_non_null(strstr(text, "There is no text in this message.\n"
				     "[part 1: image/jpeg, 4.9K]\n"
				     "v shows and saves attachments\n"));
}

static void
a_message_inside_is_named(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, MIXED(TEXT("20") "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 5000 (NIL "
				       "\"a tale\" NIL NIL NIL NIL NIL NIL NIL NIL) " TEXT(
					   "20") " 9)"));
	put_part(f, "1", "look");
	text = rendered(f);
	assert_non_null(strstr(text, "\n[part 2: message/rfc822, a tale, 4.9K]\n"));
}

static void
a_description_that_makes_no_sense_still_gives_the_first_part(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, "(\"TEXT\" (((");
	assert_missing(f, "1");
	put_part(f, "1", "it is here");
	text = rendered(f);
	assert_non_null(strstr(text, "it is here\n"));
	assert_non_null(strstr(text, "makes no sense"));
}

static void
all_headers_show_when_they_are_here(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	message_of(f, TEXT("5"));
	put_part(f, "1", "hello");
	put_part(f, "HEADER", "X-One: 1\r\nX-Two: \033[2J\r\n\r\n");
	view_message_show_headers(f->view, true);
	text = rendered(f);
	assert_non_null(strstr(text, "X-One: 1\n"));
	assert_non_null(strstr(text, "hello\n"));
	assert_true(safe_text_is(span_of_string(text), SAFE_TEXT));
}

static void
much_text_is_left_for_a_thread(void **state)
{
	Fixture *f = *state;
	g_autofree char *much = g_strnfill(200 * 1024, 'x');
	g_autoptr(ViewText) text = NULL;
	g_autoptr(ViewDocument) document = NULL;
	StoreStats before, after;

	message_of(f, MIXED(TEXT("3") TEXT("9")));
	put_part(f, "1", "abc");
	put_part(f, "2", much);
	store_stats(f->store, &before);
	text = view_message_text(f->view, f->store, "", NULL);
	store_stats(f->store, &after);
	assert_true(view_text_is_heavy(text));
	assert_true(after.rows_read - before.rows_read < 12);
	assert_true(view_text_load(text, f->store, NULL));
	document = view_text_render(text);
	assert_true(view_document_size(document) > 200 * 1024);
}

static MailPart *
leaf(const char *section, const char *type, const char *name)
{
	MailPart *part = mail_part_new();

	g_free(part->section);
	part->section = g_strdup(section);
	g_free(part->type);
	part->type = g_strdup(type);
	g_free(part->name);
	part->name = g_strdup(name);
	return part;
}

static void
the_tree_is_drawn_with_its_branches(void **state)
{
	MailPart *root = leaf("", "multipart/mixed", NULL);
	MailPart *inner = leaf("1", "multipart/alternative", NULL);
	g_autoptr(GPtrArray) rows = NULL;
	static const char *const labels[] = {
		"multipart/mixed", "├─multipart/alternative", "│ ├─text/plain",
		"│ └─text/html",   "├─a name with � [31m",    "└─image/png",
	};

	g_ptr_array_add(inner->children, leaf("1.1", "text/plain", NULL));
	g_ptr_array_add(inner->children, leaf("1.2", "text/html", NULL));
	g_ptr_array_add(root->children, inner);
	g_ptr_array_add(root->children, leaf("2", "application/pdf", "a name with \033 [31m"));
	g_ptr_array_add(root->children, leaf("3", "image/png", NULL));
	rows = view_parts(root);
	assert_int_equal(rows->len, G_N_ELEMENTS(labels));
	for (guint i = 0; i < rows->len; i++)
		assert_string_equal(((ViewPart *)rows->pdata[i])->label, labels[i]);
	mail_part_free(root);
}

static void
a_tree_of_any_depth_or_breadth_is_bounded(void **state)
{
	MailPart *root = leaf("", "multipart/mixed", NULL), *at = root;
	g_autoptr(GPtrArray) deep = NULL, broad = NULL;

	for (int i = 0; i < 100000; i++) {
		MailPart *inner = leaf("1", "multipart/mixed", NULL);

		g_ptr_array_add(at->children, inner);
		at = inner;
	}
	deep = view_parts(root);
	assert_int_equal(deep->len, VIEW_PARTS_MAX);
	assert_true(strlen(((ViewPart *)deep->pdata[VIEW_PARTS_MAX - 1])->label) < 200);
	mail_part_free(root);
	root = leaf("", "multipart/mixed", NULL);
	for (int i = 0; i < 10000; i++)
		g_ptr_array_add(root->children, leaf("1", "text/plain", NULL));
	broad = view_parts(root);
	assert_int_equal(broad->len, VIEW_PARTS_MAX);
	mail_part_free(root);
}

int
main(void)
{
#define MESSAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		MESSAGE_TEST(only_what_is_read_is_asked_for),
		MESSAGE_TEST(without_a_structure_that_comes_first),
		MESSAGE_TEST(it_renders_headers_text_and_what_else_there_is),
		MESSAGE_TEST(what_is_not_here_is_said_in_its_place),
		MESSAGE_TEST(a_message_of_attachments_alone_says_so),
		MESSAGE_TEST(a_picture_alone_is_named),
		MESSAGE_TEST(a_message_inside_is_named),
		MESSAGE_TEST(a_description_that_makes_no_sense_still_gives_the_first_part),
		MESSAGE_TEST(all_headers_show_when_they_are_here),
		MESSAGE_TEST(much_text_is_left_for_a_thread),
		cmocka_unit_test(the_tree_is_drawn_with_its_branches),
		cmocka_unit_test(a_tree_of_any_depth_or_breadth_is_bounded),
	};

	mail_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
