/* Accounts and mailboxes: what LIST and STATUS told, and how far the mirror is. */
#include "support.h"

static StoreMailbox
listed(StoreId account, const char *name, StoreMailboxRole role)
{
	return (StoreMailbox){
		.account = account,
		.raw = (char *)name,
		.raw_size = strlen(name),
		.name = (char *)name,
		.delimiter = '.',
		.role = role,
		.selectable = true,
	};
}

static StoreMailbox *
get(Store *store, StoreId id)
{
	StoreMailbox *mailbox;
	GError *error = NULL;

	MUST(store_mailbox_get(store, id, &mailbox, &error));
	return mailbox;
}

static int64_t
version_of(Store *store, StoreId mailbox)
{
	GError *error = NULL;
	int64_t version;

	MUST(store_version(store, mailbox, &version, &error));
	return version;
}

static void
an_account_is_made_once_and_keeps_its_facts(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autofree char *value = NULL, *none = NULL;
	GError *error = NULL;
	StoreId a, b, again;

	MUST(store_account(store, "work", &a, &error));
	MUST(store_account(store, "home", &b, &error));
	MUST(store_account(store, "work", &again, &error));
	assert_true(a > 0 && b > 0 && a != b && again == a);
	MUST(store_account_set(store, a, "delimiter", ".", &error));
	MUST(store_account_set(store, a, "delimiter", "/", &error));
	MUST(store_account_set(store, b, "delimiter", "x", &error));
	MUST(store_account_get(store, a, "delimiter", &value, &error));
	assert_string_equal(value, "/");
	MUST(store_account_set(store, a, "delimiter", NULL, &error));
	MUST(store_account_get(store, a, "delimiter", &none, &error));
	assert_null(none);
}

static void
a_reader_makes_no_account(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId id;

	MUST_FAIL(store_account(reader, "work", &id, &error), POSTERN_ERROR_GONE);
}

static void
a_mailbox_is_known_by_its_raw_name(void **state)
{
	static const char raw[] = "Entw\0&-rfe";
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;
	StoreMailbox in = listed(0, "Entwürfe", STORE_ROLE_DRAFTS);
	StoreId id;

	MUST(store_account(store, "work", &in.account, &error));
	in.raw = (char *)raw;
	in.raw_size = sizeof raw - 1;
	MUST(store_mailbox_put(store, &in, &error));
	id = in.id;
	in.name = (char *)"Drafts";
	in.subscribed = true;
	in.id = 0;
	MUST(store_mailbox_put(store, &in, &error));
	assert_int_equal(in.id, id);
	mailbox = get(store, id);
	assert_string_equal(mailbox->name, "Drafts");
	assert_true(mailbox->subscribed && mailbox->selectable && !mailbox->has_children);
	assert_int_equal(mailbox->raw_size, sizeof raw - 1);
	assert_memory_equal(mailbox->raw, raw, sizeof raw);
	assert_int_equal(mailbox->delimiter, '.');
	assert_int_equal(mailbox->server_total, -1);
}

static void
status_keeps_what_it_does_not_tell(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;
	StoreId id = make_mailbox(store, "INBOX");
	StoreMailbox all = { .id = id,
			     .server_total = 7,
			     .server_unread = 0,
			     .uidvalidity = 4000000000,
			     .uidnext = 4294967295,
			     .highestmodseq = UINT64_MAX >> 1 };
	StoreMailbox some = { .id = id, .server_total = 8, .server_unread = -1 };

	MUST(store_mailbox_status(store, &all, &error));
	MUST(store_mailbox_status(store, &some, &error));
	mailbox = get(store, id);
	assert_int_equal(mailbox->server_total, 8);
	assert_int_equal(mailbox->server_unread, 0);
	assert_int_equal(mailbox->uidvalidity, 4000000000);
	assert_int_equal(mailbox->uidnext, 4294967295);
	assert_true(mailbox->highestmodseq == UINT64_MAX >> 1);
	some.id = 999;
	MUST_FAIL(store_mailbox_status(store, &some, &error), POSTERN_ERROR_GONE);
}

static void
the_folders_version_grows_only_with_a_change(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(Store) reader = open_reader(*state);
	GError *error = NULL;
	StoreId id = make_mailbox(store, "INBOX");
	StoreMailbox status = { .id = id, .server_total = 7, .server_unread = 2 };
	int64_t before = version_of(reader, 0);

	MUST(store_mailbox_status(store, &status, &error));
	assert_true(version_of(reader, 0) > before);
	before = version_of(reader, 0);
	MUST(store_mailbox_status(store, &status, &error));
	make_mailbox(store, "INBOX");
	assert_int_equal(version_of(reader, 0), before);
	MUST(store_mailbox_progress(store, id, 5, 10, 77, &error));
	assert_true(version_of(reader, 0) > before);
	before = version_of(reader, 0);
	MUST(store_mailbox_progress(store, id, 5, 10, 77, &error));
	assert_int_equal(version_of(reader, 0), before);
	put_plain(store, id, 1, 1, 1000, 0);
	assert_true(version_of(reader, 0) > before);
}

static void
progress_is_kept(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;
	StoreId id = make_mailbox(store, "INBOX");

	MUST(store_mailbox_progress(store, id, 500, 1000, 12345678901, &error));
	mailbox = get(store, id);
	assert_int_equal(mailbox->known_from_uid, 500);
	assert_int_equal(mailbox->mirrored_uidnext, 1000);
	assert_int_equal(mailbox->mirrored_modseq, 12345678901);
	MUST_FAIL(store_mailbox_progress(store, 999, 1, 1, 0, &error), POSTERN_ERROR_GONE);
}

static void
mailboxes_not_listed_any_more_are_gone_and_come_back(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreMailbox) lost = NULL, kept = NULL, back = NULL;
	GError *error = NULL;
	StoreId a = make_mailbox(store, "A"), b = make_mailbox(store, "B");
	StoreId account;

	MUST(store_account(store, "work", &account, &error));
	MUST(store_mailboxes_keep(store, account, &a, 1, &error));
	kept = get(store, a);
	lost = get(store, b);
	assert_false(kept->gone);
	assert_true(lost->gone);
	assert_int_equal(make_mailbox(store, "B"), b);
	back = get(store, b);
	assert_false(back->gone);
}

static void
folders_come_by_account_role_and_name(void **state)
{
	static const struct {
		const char *name;
		StoreMailboxRole role;
	} in[] = { { "zoo", STORE_ROLE_NONE },	  { "Apples", STORE_ROLE_NONE },
		   { "Trash", STORE_ROLE_TRASH }, { "INBOX", STORE_ROLE_INBOX },
		   { "pears", STORE_ROLE_NONE },  { "Sent", STORE_ROLE_SENT } };
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(GPtrArray) all = NULL, one = NULL;
	g_autoptr(GString) names = g_string_new(NULL);
	GError *error = NULL;
	StoreId work, home;
	StoreMailbox other;

	MUST(store_account(store, "work", &work, &error));
	MUST(store_account(store, "home", &home, &error));
	other = listed(home, "A", STORE_ROLE_NONE);
	MUST(store_mailbox_put(store, &other, &error));
	for (size_t i = 0; i < G_N_ELEMENTS(in); i++) {
		StoreMailbox mailbox = listed(work, in[i].name, in[i].role);

		MUST(store_mailbox_put(store, &mailbox, &error));
	}
	MUST(store_mailboxes(store, 0, &all, &error));
	for (guint i = 0; i < all->len; i++)
		g_string_append_printf(names, "%s ",
				       ((StoreMailbox *)g_ptr_array_index(all, i))->name);
	assert_string_equal(names->str, "INBOX Sent Trash Apples pears zoo A ");
	MUST(store_mailboxes(store, home, &one, &error));
	assert_int_equal(one->len, 1);
}

static void
a_mailbox_is_found_by_name_and_inbox_without_case(void **state)
{
	g_autoptr(Store) store = open_writer(*state);
	g_autoptr(StoreMailbox) inbox = NULL, none = NULL;
	GError *error = NULL;
	StoreId id = make_mailbox(store, "INBOX"), account;

	make_mailbox(store, "Work");
	MUST(store_account(store, "work", &account, &error));
	MUST(store_mailbox_find(store, account, "inBox", &inbox, &error));
	assert_int_equal(inbox->id, id);
	MUST_FAIL(store_mailbox_find(store, account, "work", &none, &error), POSTERN_ERROR_GONE);
	MUST_FAIL(store_mailbox_get(store, 999, &none, &error), POSTERN_ERROR_GONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_account_is_made_once_and_keeps_its_facts),
		TEST(a_reader_makes_no_account),
		TEST(a_mailbox_is_known_by_its_raw_name),
		TEST(status_keeps_what_it_does_not_tell),
		TEST(the_folders_version_grows_only_with_a_change),
		TEST(progress_is_kept),
		TEST(mailboxes_not_listed_any_more_are_gone_and_come_back),
		TEST(folders_come_by_account_role_and_name),
		TEST(a_mailbox_is_found_by_name_and_inbox_without_case),
	};

	return cmocka_run_group_tests_name("store/mailboxes", tests, NULL, NULL);
}
