#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "base/safetext.h"
#include "view/folders.h"

typedef struct Fixture {
	char *dir;
	Store *writer, *reader;
	StoreId accounts[2];
	Config config;
	ConfigAccount work, home;
	ViewFolders *folders;
} Fixture;

static StoreId
put(Fixture *f, int account, const char *name, int64_t total, int64_t unread)
{
	StoreMailbox mailbox = { .account = f->accounts[account],
				 .raw = (char *)name,
				 .raw_size = strlen(name),
				 .name = (char *)name,
				 .delimiter = '/',
				 .selectable = total >= 0,
				 .server_total = total,
				 .server_unread = unread };

	assert_true(store_mailbox_put(f->writer, &mailbox, NULL));
	assert_true(store_mailbox_status(f->writer, &mailbox, NULL));
	return mailbox.id;
}

static int
set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->dir = g_dir_make_tmp("postern-folders-XXXXXX", NULL);
	f->writer = store_open(f->dir, STORE_WRITER, NULL, NULL, NULL);
	assert_true(store_account(f->writer, "work", &f->accounts[0], NULL));
	assert_true(store_account(f->writer, "home", &f->accounts[1], NULL));
	f->work.name = (char *)"work";
	f->home.name = (char *)"home";
	f->config.accounts = g_ptr_array_new();
	g_ptr_array_add(f->config.accounts, &f->work);
	f->reader = store_open(f->dir, STORE_READER, NULL, NULL, NULL);
	f->folders = view_folders_new(f->reader, &f->config, NULL);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	Fixture *f = *state;
	GDir *dir;
	const char *name;

	view_folders_free(f->folders);
	store_close(f->reader);
	store_close(f->writer);
	dir = g_dir_open(f->dir, 0, NULL);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->dir, name, NULL);

		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(f->dir);
	g_free(f->dir);
	g_ptr_array_unref(f->config.accounts);
	g_free(f);
	return 0;
}

/* The tree as it shows, a line each, two blanks a level. */
static char *
drawn(Fixture *f)
{
	GString *out = g_string_new(NULL);
	const ViewFolder *folder;

	assert_true(view_folders_refresh(f->folders, NULL));
	for (uint32_t i = 0; (folder = view_folders_row(f->folders, i)); i++)
		g_string_append_printf(out, "%*s%s%s\n", folder->depth * 2, "", folder->label,
				       folder->mailbox ? "" : ":");
	return g_string_free(out, FALSE);
}

static void
children_stand_below_their_parent_and_inbox_first(void **state)
{
	Fixture *f = *state;
	g_autofree char *tree = NULL;

	put(f, 0, "lists-old", 0, 0);
	put(f, 0, "lists/mutt/2024", 0, 0);
	put(f, 0, "zebra", 0, 0);
	put(f, 0, "lists", 0, 0);
	put(f, 0, "INBOX", 0, 0);
	put(f, 0, "Archive", 0, 0);
	put(f, 0, "lists/mutt", 0, 0);
	put(f, 0, "lists/Alpine", 0, 0);
	put(f, 0, "INBOX/later", 0, 0);
	put(f, 0, "orphan/child", 0, 0);
	tree = drawn(f);
	assert_string_equal(tree, "INBOX\n"
				  "  later\n"
				  "Archive\n"
				  "lists\n"
				  "  Alpine\n"
				  "  mutt\n"
				  "    2024\n"
				  "lists-old\n"
				  "orphan/child\n"
				  "zebra\n");
}

static void
several_accounts_have_headings(void **state)
{
	Fixture *f = *state;
	g_autofree char *tree = NULL;

	g_ptr_array_add(f->config.accounts, &f->home);
	put(f, 0, "INBOX", 0, 0);
	put(f, 1, "INBOX", 0, 0);
	put(f, 1, "Sent", 0, 0);
	tree = drawn(f);
	assert_string_equal(tree, "work:\n  INBOX\nhome:\n  INBOX\n  Sent\n");
}

static void
the_selection_stays_on_its_folder(void **state)
{
	Fixture *f = *state;
	StoreId id;

	put(f, 0, "INBOX", 0, 0);
	id = put(f, 0, "lists", 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	view_cursor_move(view_folders_cursor(f->folders), VIEW_MOVE_DOWN);
	put(f, 0, "Archive", 0, 0);
	put(f, 0, "Boring", 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_int_equal(view_folders_selected(f->folders)->mailbox, id);
}

static void
the_servers_counts_show_until_the_mirror_is_whole(void **state)
{
	Fixture *f = *state;
	StoreId id = put(f, 0, "INBOX", 1000, 12);
	StoreMessage message = { .uid = 5, .date = 5 };

	assert_true(store_messages_put(f->writer, id, &message, 1, NULL));
	assert_true(store_mailbox_progress(f->writer, id, 5, 6, 0, NULL));
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_int_equal(view_folders_row(f->folders, 0)->total, 1000);
	assert_int_equal(view_folders_row(f->folders, 0)->unread, 12);
	assert_true(store_mailbox_progress(f->writer, id, 1, 6, 0, NULL));
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_int_equal(view_folders_row(f->folders, 0)->total, 1);
	assert_int_equal(view_folders_row(f->folders, 0)->unread, 1);
}

static void
a_folder_never_heard_of_has_no_counts(void **state)
{
	Fixture *f = *state;
	StoreMailbox mailbox = { .account = f->accounts[0],
				 .raw = (char *)"new",
				 .raw_size = 3,
				 .name = (char *)"new",
				 .delimiter = '/',
				 .selectable = true };

	assert_true(store_mailbox_put(f->writer, &mailbox, NULL));
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_int_equal(view_folders_row(f->folders, 0)->total, -1);
	assert_int_equal(view_folders_row(f->folders, 0)->unread, -1);
}

static void
hostile_names_are_shown_safely_and_found_by_what_is_shown(void **state)
{
	Fixture *f = *state;
	const char *name = "evil\033]0;title\007/\u202egnp";
	const ViewFolder *folder;
	g_autoptr(GPtrArray) names = NULL;

	put(f, 0, name, 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	folder = view_folders_row(f->folders, 0);
	assert_string_equal(folder->name, name);
	assert_true(safe_text_is(span_of_string(folder->label), SAFE_LINE));
	names = view_folders_complete(f->folders, "work", "EVIL");
	assert_int_equal(names->len, 1);
	assert_true(safe_text_is(span_of_string(names->pdata[0]), SAFE_LINE));
	assert_ptr_equal(view_folders_find(f->folders, "work", names->pdata[0]), folder);
}

static void
only_what_can_be_opened_is_found(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) names = NULL;

	put(f, 0, "INBOX", 0, 0);
	put(f, 0, "folder", -1, 0); /* not selectable */
	put(f, 0, "folder/in it", 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_null(view_folders_find(f->folders, "work", "folder"));
	assert_null(view_folders_find(f->folders, "home", "INBOX"));
	assert_non_null(view_folders_find(f->folders, "work", "inbox"));
	names = view_folders_complete(f->folders, "work", "");
	assert_int_equal(names->len, 2);
}

static void
a_misspelt_name_is_told_the_nearest(void **state)
{
	Fixture *f = *state;

	assert_true(view_folders_refresh(f->folders, NULL));
	assert_false(view_folders_known(f->folders, "work"));
	assert_null(view_folders_near(f->folders, "work", "Archive"));
	put(f, 0, "Archive", 0, 0);
	put(f, 0, "Archives", -1, 0); /* not selectable */
	put(f, 0, "INBOX", 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_true(view_folders_known(f->folders, "work"));
	assert_false(view_folders_known(f->folders, "home"));
	assert_string_equal(view_folders_near(f->folders, "work", "Archivs"), "Archive");
	assert_null(view_folders_near(f->folders, "work", "something else"));
}

static void
a_name_of_delimiters_alone_is_survived(void **state)
{
	Fixture *f = *state;
	g_autofree char *name = g_strnfill(3000, '/');

	put(f, 0, name, 0, 0);
	put(f, 0, "/", 0, 0);
	put(f, 0, "a//b", 0, 0);
	put(f, 0, "a/", 0, 0);
	assert_true(view_folders_refresh(f->folders, NULL));
	assert_int_equal(view_folders_cursor(f->folders)->total, 4);
}

int
main(void)
{
#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(children_stand_below_their_parent_and_inbox_first),
		FOLDER_TEST(several_accounts_have_headings),
		FOLDER_TEST(the_selection_stays_on_its_folder),
		FOLDER_TEST(the_servers_counts_show_until_the_mirror_is_whole),
		FOLDER_TEST(a_folder_never_heard_of_has_no_counts),
		FOLDER_TEST(hostile_names_are_shown_safely_and_found_by_what_is_shown),
		FOLDER_TEST(only_what_can_be_opened_is_found),
		FOLDER_TEST(a_misspelt_name_is_told_the_nearest),
		FOLDER_TEST(a_name_of_delimiters_alone_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
