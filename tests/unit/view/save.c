#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "mail/header.h"
#include "view/save.h"

typedef struct Fixture {
	char *dir, *data;
	Store *store;
	StoreId message;
	MailPart *part;
} Fixture;

#define BIG (300 * 1024)

static char *
in_dir(Fixture *f, const char *name)
{
	return g_build_filename(f->dir, name, NULL);
}

static void
put_part(Fixture *f, const char *section, const char *text, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);

	assert_true(store_part_put(f->store, f->message, section, bytes, NULL));
}

static int
set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);
	StoreMailbox mailbox = {
		.raw = (char *)"INBOX", .raw_size = 5, .name = (char *)"INBOX", .selectable = true
	};
	StoreMessage message = { .uid = 1 };
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *raw = g_malloc(BIG), *encoded = NULL;

	f->dir = g_dir_make_tmp("postern-save-XXXXXX", NULL);
	f->data = g_dir_make_tmp("postern-data-XXXXXX", NULL);
	f->store = store_open(f->data, STORE_WRITER, NULL, NULL, NULL);
	assert_true(store_account(f->store, "test", &mailbox.account, NULL));
	assert_true(store_mailbox_put(f->store, &mailbox, NULL));
	assert_true(store_messages_put(f->store, mailbox.id, &message, 1, NULL));
	assert_true(store_row_by_uid(f->store, mailbox.id, 1, &row, NULL));
	f->message = row->id;
	put_part(f, "1", "plain text\r\n", 12);
	for (int i = 0; i < BIG; i++)
		raw[i] = (char)(i * 7);
	encoded = g_base64_encode((const guchar *)raw, BIG);
	put_part(f, "2", encoded, strlen(encoded));
	f->part = mail_part_new();
	g_free(f->part->name);
	f->part->name = g_strdup("../../etc/re\033port.pdf");
	*state = f;
	return 0;
}

static void
remove_all(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inside = g_build_filename(path, name, NULL);

		if (g_file_test(inside, G_FILE_TEST_IS_DIR) &&
		    !g_file_test(inside, G_FILE_TEST_IS_SYMLINK))
			remove_all(inside);
		else
			g_unlink(inside);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}

static int
tear_down(void **state)
{
	Fixture *f = *state;

	store_close(f->store);
	mail_part_free(f->part);
	remove_all(f->dir);
	remove_all(f->data);
	g_free(f->dir);
	g_free(f->data);
	g_free(f);
	return 0;
}

static bool
save(Fixture *f, const char *section, const char *encoding, const char *path, bool replace,
     GError **error)
{
	uint64_t written = 0;

	return view_save_write(f->store, f->message, section, encoding, path, replace, NULL,
			       &written, error);
}

static char *
contents(const char *path, gsize *size)
{
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, size, NULL));
	return text;
}

static guint
entries(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

static void
it_decodes_into_a_file_for_its_owner_alone(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file"), *got = NULL;
	struct stat at;
	gsize size;

	umask(0);
	assert_true(save(f, "2", "base64", path, false, NULL));
	got = contents(path, &size);
	assert_int_equal(size, BIG);
	for (int i = 0; i < BIG; i++)
		assert_int_equal((unsigned char)got[i], (unsigned char)(i * 7));
	assert_int_equal(stat(path, &at), 0);
	assert_int_equal(at.st_mode & 07777, 0600);
}

static void
what_is_there_is_never_touched_unasked(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file"), *link = in_dir(f, "link"), *text = NULL;
	g_autofree char *target = in_dir(f, "target");
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(path, "precious", -1, NULL));
	assert_false(save(f, "1", "", path, false, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_FILE));
	text = contents(path, NULL);
	assert_string_equal(text, "precious");
	/* A link to nowhere would have the file made at its other end. */
	assert_int_equal(symlink(target, link), 0);
	assert_false(save(f, "1", "", link, false, NULL));
	assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
}

static void
replacing_puts_the_whole_new_file_in_its_place(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file"), *link = in_dir(f, "link");
	g_autofree char *text = NULL, *other = NULL;

	assert_true(g_file_set_contents(path, "precious", -1, NULL));
	assert_int_equal(symlink(path, link), 0);
	assert_true(save(f, "1", "", link, true, NULL));
	text = contents(path, NULL);
	assert_string_equal(text, "precious");
	assert_false(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
	assert_true(save(f, "1", "", path, true, NULL));
	other = contents(path, NULL);
	assert_string_equal(other, "plain text\r\n");
	assert_int_equal(entries(f->dir), 2);
}

static void
a_failure_leaves_no_file_and_the_old_one_whole(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file"), *old = in_dir(f, "old"), *text = NULL;
	struct rlimit before, small;
	g_autoptr(GError) error = NULL, again = NULL;

	assert_true(g_file_set_contents(old, "precious", -1, NULL));
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 100 * 1024;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_false(save(f, "2", "base64", path, false, &error));
	assert_false(save(f, "2", "base64", old, true, &again));
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(postern_error_is(error, POSTERN_ERROR_FILE));
	assert_int_equal(entries(f->dir), 1);
	text = contents(old, NULL);
	assert_string_equal(text, "precious");
}

static void
a_part_that_is_not_here_makes_no_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file");
	g_autoptr(GError) error = NULL;

	assert_false(save(f, "9", "", path, false, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_GONE));
	assert_int_equal(entries(f->dir), 0);
}

static void
stopping_it_leaves_no_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_dir(f, "file");
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	uint64_t written;

	g_cancellable_cancel(cancellable);
	assert_false(view_save_write(f->store, f->message, "2", "base64", path, false, cancellable,
				     &written, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CANCELLED));
	assert_int_equal(entries(f->dir), 0);
}

static void
a_directory_gets_a_tame_name_inside(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = NULL, *wanted = NULL, *base = NULL;
	ViewSaveState found;

	assert_true(view_save_check(f->dir, f->part, &path, &found, NULL));
	assert_int_equal(found, VIEW_SAVE_FREE);
	base = g_path_get_dirname(path);
	assert_string_equal(base, f->dir);
	assert_non_null(strstr(path, "port.pdf"));
	assert_null(strchr(path, '\033'));
}

static void
what_stands_in_the_way_is_told_apart(void **state)
{
	Fixture *f = *state;
	g_autofree char *file = in_dir(f, "file"), *fifo = in_dir(f, "fifo");
	g_autofree char *link = in_dir(f, "link"), *nowhere = in_dir(f, "no/such");
	g_autofree char *path = NULL, *other = NULL;
	const char *refused[] = { fifo, nowhere, "", "/dev/null" };
	ViewSaveState found;

	assert_true(g_file_set_contents(file, "x", -1, NULL));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("nowhere", link), 0);
	assert_true(view_save_check(file, f->part, &path, &found, NULL));
	assert_int_equal(found, VIEW_SAVE_EXISTS);
	assert_true(view_save_check(link, f->part, &other, &found, NULL));
	assert_int_equal(found, VIEW_SAVE_EXISTS);
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;
		char *none = NULL;

		assert_false(view_save_check(refused[i], f->part, &none, &found, &error));
		assert_non_null(error);
		assert_null(none);
	}
}

static void
completion_offers_what_can_be_typed(void **state)
{
	Fixture *f = *state;
	g_autofree char *one = in_dir(f, "name one"), *two = in_dir(f, "name two");
	g_autofree char *evil = in_dir(f, "name\033evil"), *beginning = in_dir(f, "na");
	g_autofree char *hidden = in_dir(f, ".hidden");
	g_autoptr(GPtrArray) found = NULL;

	assert_true(g_file_set_contents(one, "", -1, NULL));
	assert_int_equal(g_mkdir(two, 0700), 0);
	assert_true(g_file_set_contents(evil, "", -1, NULL));
	assert_true(g_file_set_contents(hidden, "", -1, NULL));
	found = view_save_complete(beginning);
	assert_int_equal(found->len, 2);
	assert_string_equal(found->pdata[0], one);
	assert_true(g_str_has_suffix(found->pdata[1], "name two/"));
}

int
main(void)
{
#define SAVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SAVE_TEST(it_decodes_into_a_file_for_its_owner_alone),
		SAVE_TEST(what_is_there_is_never_touched_unasked),
		SAVE_TEST(replacing_puts_the_whole_new_file_in_its_place),
		SAVE_TEST(a_failure_leaves_no_file_and_the_old_one_whole),
		SAVE_TEST(a_part_that_is_not_here_makes_no_file),
		SAVE_TEST(stopping_it_leaves_no_file),
		SAVE_TEST(a_directory_gets_a_tame_name_inside),
		SAVE_TEST(what_stands_in_the_way_is_told_apart),
		SAVE_TEST(completion_offers_what_can_be_typed),
	};

	mail_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
