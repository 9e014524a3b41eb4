/* What of a message is read first, and by what name a part is saved. */
#include "mail/part.h"
#include "base/safetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define R "\xef\xbf\xbd"

/* Takes CHILDREN, which ends with NULL. */
static MailPart *
many(const char *section, const char *type, MailPart *child, ...)
{
	MailPart *part = mail_part_new();
	va_list more;

	part->section = g_strdup(section);
	part->type = g_strdup(type);
	part->encoding = g_strdup("");
	va_start(more, child);
	for (; child; child = va_arg(more, MailPart *))
		g_ptr_array_add(part->children, child);
	va_end(more);
	return part;
}

static MailPart *
leaf(const char *section, const char *type, uint64_t size)
{
	MailPart *part = many(section, type, NULL);

	part->size_octets = size;
	return part;
}

static MailPart *
attached(MailPart *part, const char *name)
{
	part->is_attachment = true;
	part->name = g_strdup(name);
	return part;
}

static MailPart *
with_id(MailPart *part)
{
	part->content_id = g_strdup("<id@x>");
	return part;
}

/* Frees ROOT.  WANTED: the sections, with blanks between. */
static void
assert_reads(MailPart *root, const char *wanted)
{
	g_autoptr(GPtrArray) leaves = mail_part_readable(root);
	g_autoptr(GString) sections = g_string_new(NULL);

	for (guint i = 0; i < leaves->len; i++)
		g_string_append_printf(sections, "%s%s", i ? " " : "",
				       ((const MailPart *)leaves->pdata[i])->section);
	assert_string_equal(sections->str, wanted);
	mail_part_free(root);
}

static void
one_text_is_read(void **state)
{
	assert_reads(leaf("1", "text/plain", 100), "1");
	assert_reads(leaf("1", "text/html", 100), "1");
	assert_reads(leaf("1", "text/x-patch", 100), "1");
	assert_reads(leaf("1", "text/calendar", 100), "1"); /* there is nothing else */
	assert_reads(leaf("1", "image/png", 100), "");
	assert_reads(attached(leaf("1", "text/plain", 100), "a.txt"), "1"); /* or else nothing */
	assert_reads(attached(leaf("1", "application/pdf", 100), "a.pdf"), "");
}

static MailPart *
alternative(uint64_t plain, uint64_t html)
{
	return many("", "multipart/alternative", leaf("1", "text/plain", plain),
		    leaf("2", "text/html", html), NULL);
}

static void
plain_text_needs_substance(void **state)
{
	MailPart *base64 = alternative(240, 60000);

	assert_reads(alternative(1000, 50000), "1");
	assert_reads(alternative(6, 3000), "1"); /* "Thanks" */
	assert_reads(alternative(0, 300), "2");
	assert_reads(alternative(2, 300), "2");
	assert_reads(alternative(80, 50000), "2"); /* "Your program cannot show this" */
	assert_reads(alternative(250, 500000), "1");
	assert_reads(many("", "multipart/alternative", leaf("1", "text/plain", 2), NULL), "1");
	g_free(((MailPart *)base64->children->pdata[0])->encoding);
	((MailPart *)base64->children->pdata[0])->encoding = g_strdup("base64");
	assert_reads(base64, "2");
}

static void
alternatives_of_other_shapes(void **state)
{
	/* HTML with its pictures */
	assert_reads(many("", "multipart/alternative", leaf("1", "text/plain", 0),
			  many("2", "multipart/related", leaf("2.1", "text/html", 9000),
			       with_id(leaf("2.2", "image/png", 9000)), NULL),
			  NULL),
		     "2.1");
	/* Apple's: HTML around attachments */
	assert_reads(many("", "multipart/alternative", leaf("1", "text/plain", 500),
			  many("2", "multipart/mixed", leaf("2.1", "text/html", 9000),
			       attached(leaf("2.2", "application/pdf", 9000), "a.pdf"),
			       leaf("2.3", "text/html", 100), NULL),
			  NULL),
		     "1");
	/* related around the alternative */
	assert_reads(many("", "multipart/related",
			  many("1", "multipart/alternative", leaf("1.1", "text/plain", 500),
			       leaf("1.2", "text/html", 900), NULL),
			  with_id(leaf("2", "image/png", 9000)), NULL),
		     "1.1");
	/* an invitation */
	assert_reads(many("", "multipart/alternative", leaf("1", "text/plain", 500),
			  leaf("2", "text/html", 900), leaf("3", "text/calendar", 900), NULL),
		     "1");
	assert_reads(many("", "multipart/alternative", leaf("1", "text/calendar", 900), NULL), "1");
	assert_reads(many("", "multipart/alternative", leaf("1", "text/x-amp-html", 900),
			  leaf("2", "text/html", 900), NULL),
		     "2");
	assert_reads(many("", "multipart/alternative", leaf("1", "image/png", 900), NULL), "");
	assert_reads(many("", "multipart/alternative", NULL), "");
}

static void
mixed_signed_and_reports(void **state)
{
	assert_reads(many("", "multipart/mixed", leaf("1", "text/plain", 500),
			  attached(leaf("2", "text/plain", 500), "notes.txt"),
			  leaf("3", "image/png", 5), leaf("4", "text/plain", 80),
			  leaf("5", "text/vcard", 80), NULL),
		     "1 4");
	assert_reads(many("", "multipart/unheard-of", leaf("1", "text/plain", 500),
			  leaf("2", "text/html", 500), NULL),
		     "1 2");
	assert_reads(many("", "multipart/signed", leaf("1", "text/plain", 500),
			  leaf("2", "application/pgp-signature", 500), NULL),
		     "1");
	assert_reads(many("", "multipart/signed",
			  many("1", "multipart/mixed", leaf("1.1", "text/plain", 500),
			       leaf("1.2", "text/plain", 90), NULL),
			  leaf("2", "application/pkcs7-signature", 500), NULL),
		     "1.1 1.2");
	assert_reads(many("", "multipart/report", leaf("1", "text/plain", 500),
			  leaf("2", "message/delivery-status", 500),
			  leaf("3", "text/rfc822-headers", 500), NULL),
		     "1 2");
	assert_reads(many("", "multipart/encrypted", leaf("1", "application/pgp-encrypted", 9),
			  leaf("2", "application/octet-stream", 500), NULL),
		     "");
}

static void
a_message_inside_is_a_part_of_its_own(void **state)
{
	MailPart *root =
	    many("", "multipart/mixed", leaf("1", "text/plain", 500),
		 many("2", "message/rfc822",
		      many("2", "multipart/alternative", leaf("2.1", "text/plain", 100),
			   leaf("2.2", "text/html", 100), NULL),
		      NULL),
		 NULL);
	g_autoptr(GPtrArray) inner = mail_part_readable(mail_part_find(root, "2"));

	assert_int_equal(inner->len, 1);
	assert_string_equal(((const MailPart *)inner->pdata[0])->section, "2.1");
	assert_string_equal(mail_part_find(root, "2")->type, "message/rfc822");
	assert_string_equal(mail_part_find(root, "2.2")->type, "text/html");
	assert_string_equal(mail_part_find(root, "")->type, "multipart/mixed");
	assert_null(mail_part_find(root, "3"));
	assert_int_equal(mail_part_attachments(root), 1);
	assert_reads(root, "1");
}

/* Frees ROOT.  WANTED: the sections, with blanks between. */
static void
assert_unshown(MailPart *root, const char *wanted)
{
	g_autoptr(GPtrArray) readable = mail_part_readable(root);
	g_autoptr(GPtrArray) parts = mail_part_unshown(root, readable);
	g_autoptr(GString) sections = g_string_new(NULL);

	for (guint i = 0; i < parts->len; i++)
		g_string_append_printf(sections, "%s%s", i ? " " : "",
				       ((const MailPart *)parts->pdata[i])->section);
	assert_string_equal(sections->str, wanted);
	mail_part_free(root);
}

static void
what_is_not_read_is_listed(void **state)
{
	MailPart *root = many("", "multipart/mixed", leaf("1", "text/plain", 9),
			      leaf("2", "text/plain", 9), NULL);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	g_autoptr(GPtrArray) all = mail_part_unshown(root, none);

	assert_int_equal(all->len, 2); /* what was left out for being too much */
	mail_part_free(root);
	assert_unshown(leaf("1", "text/plain", 9), "");
	assert_unshown(leaf("1", "image/jpeg", 9), "1");
	assert_unshown(leaf("1", "application/octet-stream", 9), "1");
	assert_unshown(many("", "multipart/mixed", leaf("1", "text/plain", 9),
			    leaf("2", "image/jpeg", 9),
			    many("3", "message/rfc822", leaf("3.1", "text/plain", 9), NULL),
			    attached(leaf("4", "text/plain", 9), "a.txt"),
			    leaf("5", "text/vcard", 9), NULL),
		       "2 3 4 5");
	/* The other words for the same are not listed, an invitation is. */
	assert_unshown(many("", "multipart/alternative", leaf("1", "text/plain", 900),
			    many("2", "multipart/related", leaf("2.1", "text/html", 900),
				 with_id(leaf("2.2", "image/png", 9)), leaf("2.3", "image/png", 9),
				 with_id(leaf("2.4", "application/pdf", 9)), NULL),
			    leaf("3", "text/calendar", 9), NULL),
		       "2.3 2.4 3");
	assert_unshown(many("", "multipart/signed", leaf("1", "text/plain", 9),
			    leaf("2", "application/pgp-signature", 9), NULL),
		       "");
	assert_unshown(many("", "multipart/encrypted", leaf("1", "application/pgp-encrypted", 9),
			    leaf("2", "application/octet-stream", 9), NULL),
		       "2");
	assert_unshown(many("", "multipart/report", leaf("1", "text/plain", 9),
			    leaf("2", "message/delivery-status", 9),
			    leaf("3", "text/rfc822-headers", 9), NULL),
		       "3");
	assert_unshown(many("1", "message/rfc822",
			    many("", "multipart/mixed", leaf("1.1", "text/plain", 9),
				 leaf("1.2", "image/png", 9), NULL),
			    NULL),
		       "1.2");
}

static void
paper_clips(void **state)
{
	const struct {
		MailPart *root;
		unsigned n;
	} cases[] = {
		{ leaf("1", "text/plain", 1), 0 },
		{ attached(leaf("1", "application/pdf", 1), "a.pdf"), 1 },
		{ many("", "multipart/mixed", leaf("1", "text/plain", 1),
		       attached(leaf("2", "application/pdf", 1), "a.pdf"),
		       attached(leaf("3", "text/plain", 1), "b.txt"), NULL),
		  2 },
		{ many("", "multipart/related", leaf("1", "text/html", 1),
		       with_id(attached(leaf("2", "image/png", 1), "logo.png")), NULL),
		  0 },
		{ many("", "multipart/related", leaf("1", "text/html", 1),
		       attached(leaf("2", "application/pdf", 1), "a.pdf"), NULL),
		  1 },
		{ many("", "multipart/signed", leaf("1", "text/plain", 1),
		       attached(leaf("2", "application/pgp-signature", 1), "s.asc"), NULL),
		  0 },
		{ many("", "multipart/report", leaf("1", "text/plain", 1),
		       leaf("2", "message/rfc822", 1), NULL),
		  0 },
		{ many("", "multipart/mixed", leaf("1", "text/plain", 1),
		       many("2", "message/rfc822",
			    attached(leaf("2.1", "application/pdf", 1), "a.pdf"), NULL),
		       NULL),
		  1 },
		{ many("", "multipart/mixed", NULL), 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (mail_part_attachments(cases[i].root) != cases[i].n)
			fail_msg("case %zu", i);
		mail_part_free(cases[i].root);
	}
}

static void
a_tree_of_any_depth(void **state)
{
	static const char *const types[] = { "multipart/mixed", "multipart/alternative",
					     "multipart/related", "message/rfc822" };

	for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
		MailPart *root = leaf("9", "text/plain", 500);

		for (int i = 0; i < 200000; i++)
			root = many("", types[t], root, NULL);
		assert_non_null(mail_part_find(root, "9"));
		mail_part_attachments(root);
		assert_reads(root, "");
	}
	/* As deep as we keep them is read. */
	for (size_t t = 0; t + 1 < G_N_ELEMENTS(types); t++) {
		MailPart *root = leaf("9", "text/plain", 500);

		for (int i = 0; i < 100; i++)
			root = many("", types[t], root, NULL);
		assert_reads(root, "9");
	}
}

static void
assert_name(const char *name, const char *wanted)
{
	g_autoptr(MailPart) part = leaf("1.2", "application/pdf", 1);
	g_autofree char *file_name = NULL;

	part->name = g_strdup(name);
	file_name = mail_part_file_name(part);
	assert_string_equal(file_name, wanted);
}

static void
file_names_stay_in_their_directory(void **state)
{
	assert_name("report.pdf", "report.pdf");
	assert_name("../../etc/passwd", "passwd");
	assert_name("/etc/passwd", "passwd");
	assert_name("C:\\Users\\x\\a.doc", "a.doc");
	assert_name("..\\..\\a.doc", "a.doc");
	assert_name("a/b\\c/d.txt", "d.txt");
	assert_name("dir/", "dir");
	assert_name("dir//\\/", "dir");
	assert_name(".bashrc", "bashrc");
	assert_name("...", "part-1.2.pdf");
	assert_name("..", "part-1.2.pdf");
	assert_name(".", "part-1.2.pdf");
	assert_name("/", "part-1.2.pdf");
	assert_name("", "part-1.2.pdf");
	assert_name(NULL, "part-1.2.pdf");
	assert_name(" \t ", "part-1.2.pdf");
	assert_name("-rf", "rf");
	assert_name("--", "part-1.2.pdf");
	assert_name("~root", "root");
	assert_name("~/.ssh/config", "config");
	assert_name(". -.~x", "x");
	assert_name("a.exe. . ", "a.exe");
}

static void
file_names_hide_nothing(void **state)
{
	assert_name("a\nb.txt", "a b.txt");
	assert_name("a\r\n\tb.txt", "a b.txt");
	assert_name("a\x1b[2J.txt", "a_[2J.txt");
	assert_name("\x9b"
		    "31m.txt",
		    "_31m.txt");
	/* ends in "exe", shows as if it ended in "pdf" */
	assert_name("inv\xe2\x80\xaegpj.exe", "inv_gpj.exe");
	assert_name("a\xe2\x80\x8b.pdf", "a_.pdf");
	assert_name("a.pdf                                                  .exe", "a.pdf .exe");
	assert_name("a.pdf\xc2\xa0\xc2\xa0\xc2\xa0\xe3\x80\x80.exe", "a.pdf .exe");
	assert_name(".\xcc\x81x", "\xe2\x97\x8c\xcc\x81x"); /* the mark was the dot's */
	assert_name("Gr\xc3\xbc\xc3\x9f"
		    "e \xe6\x97\xa5\xe6\x9c\xac.txt",
		    "Gr\xc3\xbc\xc3\x9f"
		    "e \xe6\x97\xa5\xe6\x9c\xac.txt");
}

static void
device_names_are_defused(void **state)
{
	assert_name("CON", "_CON");
	assert_name("nul.txt", "_nul.txt");
	assert_name("com1.tar.gz", "_com1.tar.gz");
	assert_name("LPT9", "_LPT9");
	assert_name("console.txt", "console.txt");
	assert_name("com.txt", "com.txt");
	assert_name("auxiliary", "auxiliary");
}

static void
long_file_names_are_cut(void **state)
{
	g_autofree char *ascii = g_strnfill(5000, 'a');
	g_autofree char *with_extension = g_strconcat(ascii, ".tar.gz", NULL);
	g_autofree char *long_extension = g_strconcat("a.", ascii, NULL);
	const char *names[] = { ascii, with_extension, long_extension };
	g_autoptr(GString) wide = g_string_new("x");

	for (int i = 0; i < 500; i++)
		g_string_append(wide, "\xf0\x9f\x98\x80");
	g_string_append(wide, ".jpeg");
	for (size_t i = 0; i < 4; i++) {
		g_autoptr(MailPart) part = leaf("1", "text/plain", 1);
		g_autofree char *file_name = NULL;

		part->name = g_strdup(i < 3 ? names[i] : wide->str);
		file_name = mail_part_file_name(part);
		assert_in_range(strlen(file_name), 250, 255);
		assert_true(safe_text_is(span_of_string(file_name), SAFE_LINE));
		if (i == 1)
			assert_true(g_str_has_suffix(file_name, "a.gz"));
		if (i == 3)
			assert_true(g_str_has_suffix(file_name, "\xf0\x9f\x98\x80.jpeg"));
	}
}

static void
nameless_parts_get_a_name_by_type(void **state)
{
	static const struct {
		const char *section, *type, *wanted;
	} cases[] = {
		{ "1", "text/plain", "part-1.txt" },	 { "2.1", "image/jpeg", "part-2.1.jpg" },
		{ "3", "message/rfc822", "part-3.eml" }, { "3", "text/unheard-of", "part-3.txt" },
		{ "3", "x/../../y", "part-3.bin" },	 { "", "multipart/mixed", "part.bin" },
		{ "../1", "text/html", "1.html" },	 { NULL, NULL, "part.bin" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(MailPart) part = leaf(cases[i].section, cases[i].type, 1);
		g_autofree char *file_name = mail_part_file_name(part);

		assert_string_equal(file_name, cases[i].wanted);
	}
}

static void
random_file_names_keep_the_promises(void **state)
{
	static const char *const pieces[] = {
		"/",
		"\\",
		".",
		"..",
		"-",
		"~",
		" ",
		"a",
		"con",
		"\n",
		"\xcc\x81",
		"\xe2\x80\xae",
		"\x1b",
		"\xff",
		".exe",
		"\xe3\x80\x80",
		"long-long-long-long-long-long-long-long-long-long-long-long"
	};
	GRand *random = g_rand_new_with_seed(2183);

	for (int round = 0; round < 20000; round++) {
		g_autoptr(MailPart) part = leaf("1", "text/plain", 1);
		g_autoptr(GString) name = g_string_new(NULL);
		g_autofree char *file_name = NULL, *again = NULL;

		for (int i = g_rand_int_range(random, 0, 12); i > 0; i--)
			g_string_append(name,
					pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
		part->name = g_strdup(name->str);
		file_name = mail_part_file_name(part);
		assert_in_range(strlen(file_name), 1, 255);
		assert_null(strpbrk(file_name, "/\\\n"));
		assert_null(strstr(file_name, R));
		assert_null(strchr(".-~ ", file_name[0]));
		assert_true(safe_text_is(span_of_string(file_name), SAFE_LINE));
	}
	g_rand_free(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_is_read),
		cmocka_unit_test(plain_text_needs_substance),
		cmocka_unit_test(alternatives_of_other_shapes),
		cmocka_unit_test(mixed_signed_and_reports),
		cmocka_unit_test(a_message_inside_is_a_part_of_its_own),
		cmocka_unit_test(what_is_not_read_is_listed),
		cmocka_unit_test(paper_clips),
		cmocka_unit_test(a_tree_of_any_depth),
		cmocka_unit_test(file_names_stay_in_their_directory),
		cmocka_unit_test(file_names_hide_nothing),
		cmocka_unit_test(device_names_are_defused),
		cmocka_unit_test(long_file_names_are_cut),
		cmocka_unit_test(nameless_parts_get_a_name_by_type),
		cmocka_unit_test(random_file_names_keep_the_promises),
	};

	return cmocka_run_group_tests_name("/mail/part", tests, NULL, NULL);
}
