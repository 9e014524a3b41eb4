/* Intents about folders: what merges, what is undone, and what folders are called meanwhile. */
#include "store/journal.h"
#include "support.h"

#include <string.h>

typedef struct Fixture {
	Store *store;
	StoreId account, old, below;
} Fixture;

static Fixture
begin(const char *dir)
{
	Fixture f = { .store = open_writer(dir) };
	GError *error = NULL;

	f.old = make_mailbox(f.store, "Old");
	f.below = make_mailbox(f.store, "Old/below");
	MUST(store_account(f.store, "work", &f.account, &error));
	return f;
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

static StoreIntended
intend(Fixture *f, StoreIntentKind kind, StoreId mailbox, const char *name)
{
	StoreIntent intent = { .kind = kind,
			       .account = f->account,
			       .mailbox = mailbox,
			       .name = name,
			       .raw = span_of_string(name) };
	StoreIntended out = { 0 };
	GError *error = NULL;

	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

static void
check_names(Fixture *f, StoreId id, const char *name, const char *raw)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_string_equal(mailbox->name, name);
	assert_string_equal(mailbox->raw, raw);
}

static bool
is_subscribed(Fixture *f, StoreId id)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	return mailbox->subscribed;
}

/* The queue, as "rename Zoë, create Zoë/x". */
static void
check_queue(Fixture *f, const char *expected)
{
	static const char *const kinds[] = { [STORE_INTENT_CREATE] = "create",
					     [STORE_INTENT_RENAME] = "rename",
					     [STORE_INTENT_DELETE] = "delete",
					     [STORE_INTENT_SUBSCRIBE] = "subscribe",
					     [STORE_INTENT_UNSUBSCRIBE] = "unsubscribe" };
	g_autoptr(GString) found = g_string_new(NULL);
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(f->store, f->account, &rows, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);

		g_string_append_printf(found, "%s%s%s%s", i ? ", " : "", kinds[row->kind],
				       row->name ? " " : "", row->name ? row->name : "");
	}
	assert_string_equal(found->str, expected);
}

static void
done(Fixture *f, StoreId row)
{
	GError *error = NULL;

	MUST(store_journal_sent(f->store, row, 0, 0, &error));
	MUST(store_journal_done(f->store, row, NULL, 0, &error));
	must_be_sound(f->store);
}

static void
undo(Fixture *f)
{
	StoreUndone out;
	GError *error = NULL;

	MUST(store_undo(f->store, f->account, &out, &error));
	g_free(out.words);
	must_be_sound(f->store);
}

static void
a_folder_renamed_then_deleted_is_deleted_under_its_new_name(void **state)
{
	Fixture f = begin(*state);
	StoreIntended renamed = intend(&f, STORE_INTENT_RENAME, f.old, "New");

	intend(&f, STORE_INTENT_DELETE, f.below, NULL);
	intend(&f, STORE_INTENT_DELETE, f.old, NULL);
	check_names(&f, f.old, "New", "Old");
	done(&f, renamed.row);
	check_names(&f, f.old, "New", "New");
	check_names(&f, f.below, "New/below", "New/below");
	end(&f);
}

static void
renamed_back_is_not_renamed(void **state)
{
	Fixture f = begin(*state);

	intend(&f, STORE_INTENT_RENAME, f.old, "New");
	check_queue(&f, "rename New");
	intend(&f, STORE_INTENT_RENAME, f.old, "Old");
	check_queue(&f, "");
	check_names(&f, f.below, "Old/below", "Old/below");
	undo(&f);
	check_queue(&f, "rename New");
	check_names(&f, f.below, "New/below", "Old/below");
	undo(&f);
	check_queue(&f, "");
	check_names(&f, f.old, "Old", "Old");
	end(&f);
}

static void
renamed_back_while_the_first_is_under_way_is_renamed_twice(void **state)
{
	Fixture f = begin(*state);
	StoreIntended first = intend(&f, STORE_INTENT_RENAME, f.old, "New");
	GError *error = NULL;

	MUST(store_journal_sent(f.store, first.row, 0, 0, &error));
	intend(&f, STORE_INTENT_RENAME, f.old, "Old");
	check_queue(&f, "rename New, rename Old");
	end(&f);
}

static void
what_is_to_be_made_below_is_renamed_too(void **state)
{
	Fixture f = begin(*state);
	StoreIntended renamed = intend(&f, STORE_INTENT_RENAME, f.old, "New");
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "New/made");

	intend(&f, STORE_INTENT_RENAME, f.old, "Last");
	check_names(&f, f.below, "Last/below", "Old/below");
	check_names(&f, made.mailbox, "Last/made", "Last/made");
	/* Before what it is needed for. */
	check_queue(&f, "rename Last, create New/made");
	undo(&f);
	check_names(&f, made.mailbox, "New/made", "New/made");
	intend(&f, STORE_INTENT_RENAME, f.old, "Last");
	done(&f, renamed.row);
	check_names(&f, f.below, "Last/below", "Last/below");
	check_names(&f, made.mailbox, "Last/made", "Last/made");
	done(&f, made.row);
	check_queue(&f, "");
	end(&f);
}

static void
what_is_to_be_made_below_goes_back_with_it(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made;

	intend(&f, STORE_INTENT_RENAME, f.old, "New");
	made = intend(&f, STORE_INTENT_CREATE, 0, "New/made");
	intend(&f, STORE_INTENT_RENAME, f.old, "Old");
	check_names(&f, made.mailbox, "Old/made", "Old/made");
	check_queue(&f, "create New/made");
	end(&f);
}

static void
what_is_to_be_made_waits_for_a_name_that_is_taken(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "Made"), removed, renamed;

	removed = intend(&f, STORE_INTENT_DELETE, f.below, NULL);
	renamed = intend(&f, STORE_INTENT_RENAME, made.mailbox, "Old/below");
	check_queue(&f, "create Made, delete Old/below, rename Old/below");
	check_names(&f, made.mailbox, "Old/below", "Made");
	done(&f, made.row);
	done(&f, removed.row);
	done(&f, renamed.row);
	check_names(&f, made.mailbox, "Old/below", "Old/below");
	end(&f);
}

static void
what_was_never_made_leaves_nothing_to_do(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "Made");

	intend(&f, STORE_INTENT_DELETE, f.below, NULL);
	intend(&f, STORE_INTENT_RENAME, made.mailbox, "Old/below");
	intend(&f, STORE_INTENT_UNSUBSCRIBE, made.mailbox, NULL);
	intend(&f, STORE_INTENT_DELETE, made.mailbox, NULL);
	check_queue(&f, "delete Old/below");
	end(&f);
}

static void
subscribed_already_is_nothing_to_do(void **state)
{
	Fixture f = begin(*state);
	StoreIntended first = intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL), again;

	done(&f, first.row);
	again = intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL);
	assert_int_equal(again.group, 0);
	assert_int_equal(again.row, 0);
	check_queue(&f, "");
	intend(&f, STORE_INTENT_UNSUBSCRIBE, f.old, NULL);
	check_queue(&f, "unsubscribe");
	intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL);
	check_queue(&f, "");
	assert_true(is_subscribed(&f, f.old));
	end(&f);
}

static void
a_folder_that_is_made_is_subscribed(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "Made");

	assert_true(is_subscribed(&f, made.mailbox));
	intend(&f, STORE_INTENT_UNSUBSCRIBE, made.mailbox, NULL);
	check_queue(&f, "create Made, unsubscribe");
	done(&f, made.row);
	assert_false(is_subscribed(&f, made.mailbox));
	end(&f);
}

static void
subscribed_in_vain_may_be_tried_anew(void **state)
{
	Fixture f = begin(*state);
	StoreIntended first = intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL), again;
	GError *error = NULL;

	MUST(store_journal_fail(f.store, first.row, POSTERN_ERROR_REFUSED, "no", &error));
	again = intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL);
	assert_int_not_equal(again.row, 0);
	check_queue(&f, "subscribe");
	end(&f);
}

static void
a_row_outlives_its_folder_and_can_be_dropped(void **state)
{
	Fixture f = begin(*state);
	StoreIntended first = intend(&f, STORE_INTENT_SUBSCRIBE, f.old, NULL), removed;
	GError *error = NULL;

	removed = intend(&f, STORE_INTENT_DELETE, f.old, NULL);
	MUST(store_journal_fail(f.store, first.row, POSTERN_ERROR_GONE, "gone", &error));
	done(&f, removed.row);
	check_queue(&f, "subscribe");
	MUST(store_journal_drop(f.store, first.row, &error));
	check_queue(&f, "");
	end(&f);
}

static StoreIntended
move_all(Fixture *f, StoreId from, StoreId to)
{
	StoreIntent intent = { .kind = STORE_INTENT_MOVE,
			       .account = f->account,
			       .mailbox = from,
			       .dest = to,
			       .all = true };
	StoreIntended out = { 0 };
	GError *error = NULL;

	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

/* Or the DELETE takes them along. */
static void
what_left_a_folder_leaves_it_before_it_is_deleted(void **state)
{
	Fixture f = begin(*state);
	StoreId trash = make_mailbox(f.store, "Trash"), other = make_mailbox(f.store, "Other");
	g_autoptr(StoreJournalRow) row = NULL;
	StoreIntended moved;
	GError *error = NULL;

	put_plain(f.store, f.below, 1, 3, 1000, 0);
	moved = move_all(&f, f.below, trash);
	intend(&f, STORE_INTENT_DELETE, f.below, NULL);
	move_all(&f, trash, other);
	MUST(store_journal_row(f.store, moved.row, &row, &error));
	assert_int_equal(row->state, STORE_ROW_WAITING);
	assert_int_equal(row->n, 3);
	end(&f);
}

static void
a_new_folder_can_be_unsubscribed(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "New");

	assert_true(is_subscribed(&f, made.mailbox));
	assert_true(intend(&f, STORE_INTENT_UNSUBSCRIBE, made.mailbox, NULL).row);
	check_queue(&f, "create New, unsubscribe");
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

/* ---- in place of an earlier row, or behind all ----------------------------------------------------------- */

static void
a_rename_takes_no_name_before_it_is_free(void **state)
{
	Fixture f = begin(*state);
	StoreId third = make_mailbox(f.store, "Third");

	intend(&f, STORE_INTENT_RENAME, f.old, "First");
	intend(&f, STORE_INTENT_DELETE, third, NULL);
	intend(&f, STORE_INTENT_CREATE, 0, "First/made");
	intend(&f, STORE_INTENT_RENAME, f.old, "Third");
	check_queue(&f, "rename First, delete Third, create First/made, rename Third");
	check_names(&f, f.below, "Third/below", "Old/below");
	end(&f);
}

static void
what_is_to_come_below_goes_along_with_it(void **state)
{
	Fixture f = begin(*state);
	StoreId third = make_mailbox(f.store, "Third");
	StoreIntended in = intend(&f, STORE_INTENT_RENAME, third, "Old/third"), on;

	on = intend(&f, STORE_INTENT_RENAME, f.old, "New");
	check_queue(&f, "rename Old/third, rename New");
	check_names(&f, third, "New/third", "Third");
	done(&f, in.row);
	check_names(&f, third, "New/third", "Old/third");
	done(&f, on.row);
	check_names(&f, third, "New/third", "New/third");
	end(&f);
}

static void
what_is_made_with_its_parent_is_renamed_with_it(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "Made");
	StoreIntended below = intend(&f, STORE_INTENT_CREATE, 0, "Made/below");

	intend(&f, STORE_INTENT_RENAME, made.mailbox, "New");
	check_names(&f, below.mailbox, "New/below", "New/below");
	intend(&f, STORE_INTENT_DELETE, made.mailbox, NULL);
	check_names(&f, below.mailbox, "New/below", "New/below");
	check_queue(&f, "create Made/below");
	end(&f);
}

static void
a_name_that_a_rename_is_to_give_is_not_free(void **state)
{
	Fixture f = begin(*state);
	StoreIntended renamed = intend(&f, STORE_INTENT_RENAME, f.below, "New"), out;
	StoreIntent again = { .kind = STORE_INTENT_CREATE,
			      .account = f.account,
			      .name = "New",
			      .raw = SPAN_LITERAL("New") };
	StoreIntended removed = intend(&f, STORE_INTENT_DELETE, f.below, NULL);
	g_autoptr(GError) refused = NULL;
	GError *error = NULL;

	assert_false(store_intend(f.store, &again, &out, &refused));
	assert_true(postern_error_is(refused, POSTERN_ERROR_USAGE));
	done(&f, renamed.row);
	done(&f, removed.row);
	MUST(store_intend(f.store, &again, &out, &error));
	end(&f);
}

/* ---- what is there and cannot be opened, and what was -------------------------------------------------------- */

static void
listed(Fixture *f, const char *name, bool selectable)
{
	StoreMailbox box = { .account = f->account,
			     .raw = (char *)name,
			     .raw_size = strlen(name),
			     .name = (char *)name,
			     .delimiter = '/',
			     .selectable = selectable };
	GError *error = NULL;

	MUST(store_mailbox_put(f->store, &box, &error));
}

static void
a_parent_that_is_no_folder_can_be_made(void **state)
{
	Fixture f = begin(*state);
	g_autoptr(StoreMailbox) box = NULL;
	StoreIntended made;
	GError *error = NULL;

	listed(&f, "Old", false);
	made = intend(&f, STORE_INTENT_CREATE, 0, "Old");
	assert_int_equal(made.mailbox, f.old);
	/* LIST says nothing new of it until it is made. */
	listed(&f, "Old", false);
	MUST(store_mailbox_get(f.store, f.old, &box, &error));
	assert_true(box->created && box->selectable && box->subscribed);
	assert_int_equal(box->server_total, 0);
	done(&f, made.row);
	check_queue(&f, "");
	end(&f);
}

static void
what_a_lost_folder_held_is_not_in_a_new_one(void **state)
{
	Fixture f = begin(*state);
	StoreId kept = 0, account;
	g_autoptr(StoreMailbox) box = NULL;
	StoreIntended made;
	GError *error = NULL;

	MUST(store_account(f.store, "work", &account, &error));
	kept = f.below;
	MUST(store_mailboxes_keep(f.store, account, &kept, 1, &error));
	made = intend(&f, STORE_INTENT_CREATE, 0, "Old");
	MUST(store_mailbox_get(f.store, made.mailbox, &box, &error));
	assert_true(box->created && !box->gone);
	assert_int_equal(box->total, 0);
	assert_int_equal(box->known_from_uid, 0);
	end(&f);
}

static void
merged_into_an_earlier_row_it_waits_for_that(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = intend(&f, STORE_INTENT_CREATE, 0, "Made");

	assert_int_equal(intend(&f, STORE_INTENT_RENAME, made.mailbox, "New").row, made.row);
	assert_int_equal(intend(&f, STORE_INTENT_SUBSCRIBE, made.mailbox, NULL).row, made.row);
	check_queue(&f, "create New");
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_parent_that_is_no_folder_can_be_made),
		TEST(what_a_lost_folder_held_is_not_in_a_new_one),
		TEST(merged_into_an_earlier_row_it_waits_for_that),
		TEST(a_rename_takes_no_name_before_it_is_free),
		TEST(what_is_to_come_below_goes_along_with_it),
		TEST(what_is_made_with_its_parent_is_renamed_with_it),
		TEST(a_name_that_a_rename_is_to_give_is_not_free),
		TEST(a_folder_renamed_then_deleted_is_deleted_under_its_new_name),
		TEST(renamed_back_is_not_renamed),
		TEST(renamed_back_while_the_first_is_under_way_is_renamed_twice),
		TEST(what_is_to_be_made_below_is_renamed_too),
		TEST(what_is_to_be_made_below_goes_back_with_it),
		TEST(what_is_to_be_made_waits_for_a_name_that_is_taken),
		TEST(what_was_never_made_leaves_nothing_to_do),
		TEST(subscribed_already_is_nothing_to_do),
		TEST(a_folder_that_is_made_is_subscribed),
		TEST(subscribed_in_vain_may_be_tried_anew),
		TEST(a_row_outlives_its_folder_and_can_be_dropped),
		TEST(what_left_a_folder_leaves_it_before_it_is_deleted),
		TEST(a_new_folder_can_be_unsubscribed),
	};

	return cmocka_run_group_tests_name("store/journal-folders", tests, NULL, NULL);
}
