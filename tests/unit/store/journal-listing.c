/* Folders that are made, renamed, deleted and subscribed to here before the server hears of it. */
#include "store/journal.h"
#include "support.h"

typedef struct Fixture {
	Store *store;
	StoreId account, inbox;
} Fixture;

static Fixture
begin(const char *dir)
{
	Fixture f = { .store = open_writer(dir) };
	GError *error = NULL;

	f.inbox = make_mailbox(f.store, "INBOX");
	MUST(store_account(f.store, "work", &f.account, &error));
	put_plain(f.store, f.inbox, 1, 3, 1000, 0);
	return f;
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

static StoreIntended
intend(Fixture *f, StoreIntent intent)
{
	StoreIntended out;
	GError *error = NULL;

	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

static StoreIntended
create(Fixture *f, const char *name)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_CREATE,
					.account = f->account,
					.name = name,
					.raw = span_of_string(name) });
}

static StoreIntended
rename_to(Fixture *f, StoreId mailbox, const char *name)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_RENAME,
					.mailbox = mailbox,
					.name = name,
					.raw = span_of_string(name) });
}

static StoreIntended
about(Fixture *f, StoreIntentKind kind, StoreId mailbox)
{
	return intend(f, (StoreIntent){ .kind = kind, .mailbox = mailbox });
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

	MUST(store_undo(f->store, 0, &out, &error));
	g_free(out.words);
	must_be_sound(f->store);
}

static uint32_t
waiting(Fixture *f)
{
	uint32_t n;
	GError *error = NULL;

	MUST(store_journal_counts(f->store, 0, &n, NULL, &error));
	return n;
}

/* All that is listed, as "INBOX=INBOX Old=New": raw and name. */
static void
check_list(Fixture *f, const char *expected)
{
	g_autoptr(GPtrArray) mailboxes = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	GError *error = NULL;

	MUST(store_mailboxes(f->store, f->account, &mailboxes, &error));
	for (guint i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = g_ptr_array_index(mailboxes, i);

		g_string_append_printf(text, "%s%s=%s%s", i ? " " : "", mailbox->raw, mailbox->name,
				       mailbox->gone ? "!" : "");
	}
	assert_string_equal(text->str, expected);
}

/* The server's LIST, of raw names that are decoded as they are. */
static void
hear_list(Fixture *f, const char *const *names, size_t n)
{
	StoreId ids[8];
	GError *error = NULL;

	for (size_t i = 0; i < n; i++)
		ids[i] = make_mailbox(f->store, names[i]);
	MUST(store_mailboxes_keep(f->store, f->account, ids, n, &error));
	must_be_sound(f->store);
}

/* ---- tests ------------------------------------------------------------------------------------------ */

static void
a_folder_is_there_at_once_and_stays(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = create(&f, "New");
	StoreId id = id_of_uid(f.store, f.inbox, 2);
	StoreIntended moved = intend(&f, (StoreIntent){ .kind = STORE_INTENT_MOVE,
							.mailbox = f.inbox,
							.dest = made.mailbox,
							.messages = &id,
							.n_messages = 1 });
	GError *error = NULL;
	bool is;

	check_list(&f, "INBOX=INBOX New=New");
	hear_list(&f, (const char *const[]){ "INBOX" }, 1);
	check_list(&f, "INBOX=INBOX New=New");
	MUST(store_mailbox_is_pending(f.store, made.mailbox, &is, &error));
	assert_true(is);
	MUST(store_journal_depends(f.store, moved.row, &is, &error));
	assert_true(is);
	done(&f, made.row);
	MUST(store_journal_depends(f.store, moved.row, &is, &error));
	assert_false(is);
	MUST(store_mailbox_is_pending(f.store, made.mailbox, &is, &error));
	assert_false(is);
	end(&f);
}

static void
made_and_deleted_is_nothing(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = create(&f, "New");

	assert_int_equal(about(&f, STORE_INTENT_DELETE, made.mailbox).row, 0);
	check_list(&f, "INBOX=INBOX");
	assert_int_equal(waiting(&f), 0);
	end(&f);
}

static void
made_and_renamed_is_made_under_the_new_name(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = create(&f, "New");
	g_autoptr(StoreJournalRow) row = NULL;
	GError *error = NULL;

	assert_int_equal(rename_to(&f, made.mailbox, "Newer").row, made.row);
	check_list(&f, "INBOX=INBOX Newer=Newer");
	MUST(store_journal_row(f.store, made.row, &row, &error));
	assert_string_equal(row->name, "Newer");
	assert_int_equal(waiting(&f), 1);
	undo(&f);
	check_list(&f, "INBOX=INBOX New=New");
	undo(&f);
	check_list(&f, "INBOX=INBOX");
	assert_int_equal(waiting(&f), 0);
	end(&f);
}

static void
a_failed_creation_takes_what_goes_into_it_along(void **state)
{
	Fixture f = begin(*state);
	StoreIntended made = create(&f, "New");
	StoreId id = id_of_uid(f.store, f.inbox, 2);
	uint32_t failed;
	GError *error = NULL;

	intend(&f, (StoreIntent){ .kind = STORE_INTENT_MOVE,
				  .mailbox = f.inbox,
				  .dest = made.mailbox,
				  .messages = &id,
				  .n_messages = 1 });
	MUST(store_journal_fail(f.store, made.row, POSTERN_ERROR_REFUSED, "no", &error));
	MUST(store_journal_counts(f.store, 0, NULL, &failed, &error));
	assert_int_equal(failed, 2);
	MUST(store_journal_drop(f.store, made.row, &error));
	check_list(&f, "INBOX=INBOX");
	assert_int_equal(id_of_uid(f.store, f.inbox, 2), id);
	MUST(store_journal_counts(f.store, 0, NULL, &failed, &error));
	assert_int_equal(failed, 0);
	end(&f);
}

static void
a_rename_takes_those_below_along(void **state)
{
	static const char *const old[] = { "INBOX", "Old", "Old/Below" };
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");
	StoreIntended first, second;

	make_mailbox(f.store, "Old/Below");
	first = rename_to(&f, id, "New");
	check_list(&f, "INBOX=INBOX Old=New Old/Below=New/Below");
	hear_list(&f, old, 3);
	check_list(&f, "INBOX=INBOX Old=New Old/Below=New/Below");
	undo(&f);
	check_list(&f, "INBOX=INBOX Old=Old Old/Below=Old/Below");
	first = rename_to(&f, id, "New");
	done(&f, first.row);
	check_list(&f, "INBOX=INBOX New=New New/Below=New/Below");
	undo(&f);
	check_list(&f, "INBOX=INBOX New=Old New/Below=Old/Below");
	second = rename_to(&f, id, "Third");
	done(&f, second.row);
	check_list(&f, "INBOX=INBOX Third=Third Third/Below=Third/Below");
	end(&f);
}

static void
a_rename_that_list_tells_first_is_one_folder(void **state)
{
	static const char *const heard[] = { "INBOX", "New" };
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");
	StoreIntended out;
	GError *error = NULL;

	put_plain(f.store, id, 1, 4, 1000, 0);
	out = rename_to(&f, id, "New");
	MUST(store_journal_sent(f.store, out.row, 0, 0, &error));
	hear_list(&f, heard, 2);
	MUST(store_journal_done(f.store, out.row, NULL, 0, &error));
	check_list(&f, "INBOX=INBOX New=New");
	assert_int_not_equal(id_of_uid(f.store, id, 3), 0);
	end(&f);
}

static void
a_second_rename_stays_when_the_first_is_done(void **state)
{
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");
	StoreIntended first = rename_to(&f, id, "New"), second;
	GError *error = NULL;

	MUST(store_journal_sent(f.store, first.row, 0, 0, &error));
	second = rename_to(&f, id, "Newer");
	MUST(store_journal_done(f.store, first.row, NULL, 0, &error));
	check_list(&f, "INBOX=INBOX New=Newer");
	hear_list(&f, (const char *const[]){ "INBOX", "New" }, 2);
	check_list(&f, "INBOX=INBOX New=Newer");
	done(&f, second.row);
	check_list(&f, "INBOX=INBOX Newer=Newer");
	end(&f);
}

static void
a_deleted_folder_shows_no_more_and_comes_back_when_dropped(void **state)
{
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");
	StoreIntended out;
	GError *error = NULL;

	put_plain(f.store, id, 1, 4, 1000, 0);
	out = about(&f, STORE_INTENT_DELETE, id);
	check_list(&f, "INBOX=INBOX");
	hear_list(&f, (const char *const[]){ "INBOX", "Old" }, 2);
	check_list(&f, "INBOX=INBOX");
	MUST(store_journal_fail(f.store, out.row, POSTERN_ERROR_REFUSED, "no", &error));
	MUST(store_journal_drop(f.store, out.row, &error));
	check_list(&f, "INBOX=INBOX Old=Old");
	assert_int_not_equal(id_of_uid(f.store, id, 3), 0);
	done(&f, about(&f, STORE_INTENT_DELETE, id).row);
	check_list(&f, "INBOX=INBOX");
	MUST_FAIL(store_undo(f.store, 0, &(StoreUndone){ 0 }, &error), POSTERN_ERROR_USAGE);
	end(&f);
}

static void
what_waits_in_a_deleted_folder_is_kept(void **state)
{
	Fixture f = begin(*state);
	StoreId old = make_mailbox(f.store, "Old"), id;
	StoreIntended flagged, deleted;
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	put_plain(f.store, old, 1, 4, 1000, 0);
	id = id_of_uid(f.store, old, 2);
	flagged = intend(&f, (StoreIntent){ .kind = STORE_INTENT_FLAG,
					    .mailbox = old,
					    .messages = &id,
					    .n_messages = 1,
					    .flag = STORE_FLAG_SEEN,
					    .set = true });
	MUST(store_journal_fail(f.store, flagged.row, POSTERN_ERROR_REFUSED, "no", &error));
	deleted = about(&f, STORE_INTENT_DELETE, old);
	done(&f, deleted.row);
	MUST(store_row_by_id(f.store, id, &row, &error));
	assert_int_equal(row->mailbox, 0);
	MUST(store_journal_drop(f.store, flagged.row, &error));
	end(&f);
}

static bool
is_subscribed(Fixture *f, StoreId id)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	return mailbox->subscribed;
}

static void
subscribed_and_unsubscribed_is_nothing(void **state)
{
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");

	about(&f, STORE_INTENT_SUBSCRIBE, id);
	assert_true(is_subscribed(&f, id));
	hear_list(&f, (const char *const[]){ "INBOX", "Old" }, 2);
	assert_true(is_subscribed(&f, id));
	assert_int_equal(about(&f, STORE_INTENT_UNSUBSCRIBE, id).row, 0);
	assert_false(is_subscribed(&f, id));
	assert_int_equal(waiting(&f), 0);
	done(&f, about(&f, STORE_INTENT_SUBSCRIBE, id).row);
	assert_true(is_subscribed(&f, id));
	undo(&f);
	assert_false(is_subscribed(&f, id));
	assert_int_equal(waiting(&f), 1);
	end(&f);
}

static void
inbox_and_taken_names_are_refused(void **state)
{
	Fixture f = begin(*state);
	StoreId id = make_mailbox(f.store, "Old");
	StoreMailbox inbox = { .account = f.account,
			       .raw = (char *)"INBOX",
			       .raw_size = 5,
			       .name = (char *)"INBOX",
			       .role = STORE_ROLE_INBOX,
			       .selectable = true };
	StoreIntent intent = { .kind = STORE_INTENT_DELETE, .mailbox = f.inbox };
	StoreIntended out;
	GError *error = NULL;

	MUST(store_mailbox_put(f.store, &inbox, &error));
	MUST_FAIL(store_intend(f.store, &intent, &out, &error), POSTERN_ERROR_USAGE);
	intent.kind = STORE_INTENT_RENAME;
	intent.name = "X";
	intent.raw = SPAN_LITERAL("X");
	MUST_FAIL(store_intend(f.store, &intent, &out, &error), POSTERN_ERROR_USAGE);
	intent.mailbox = id;
	intent.name = "INBOX";
	intent.raw = SPAN_LITERAL("INBOX");
	MUST_FAIL(store_intend(f.store, &intent, &out, &error), POSTERN_ERROR_USAGE);
	intent.kind = STORE_INTENT_CREATE;
	intent.account = f.account;
	intent.name = "Old";
	intent.raw = SPAN_LITERAL("Old");
	MUST_FAIL(store_intend(f.store, &intent, &out, &error), POSTERN_ERROR_USAGE);
	check_list(&f, "INBOX=INBOX Old=Old");
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_there_at_once_and_stays),
		TEST(made_and_deleted_is_nothing),
		TEST(made_and_renamed_is_made_under_the_new_name),
		TEST(a_failed_creation_takes_what_goes_into_it_along),
		TEST(a_rename_takes_those_below_along),
		TEST(a_rename_that_list_tells_first_is_one_folder),
		TEST(a_second_rename_stays_when_the_first_is_done),
		TEST(a_deleted_folder_shows_no_more_and_comes_back_when_dropped),
		TEST(what_waits_in_a_deleted_folder_is_kept),
		TEST(subscribed_and_unsubscribed_is_nothing),
		TEST(inbox_and_taken_names_are_refused),
	};

	return cmocka_run_group_tests_name("store/journal-listing", tests, NULL, NULL);
}
