/* Intents: seen at once, in the queue, and what becomes of them. */
#include "store/journal.h"
#include "support.h"

typedef struct Fixture {
	Store *store;
	StoreId account, inbox, archive;
} Fixture;

static Fixture
begin(const char *dir, uint32_t n)
{
	Fixture f = { .store = open_writer(dir) };
	GError *error = NULL;

	f.inbox = make_mailbox(f.store, "INBOX");
	f.archive = make_mailbox(f.store, "Archive");
	MUST(store_account(f.store, "work", &f.account, &error));
	put_plain(f.store, f.inbox, 1, n, 1000, 0);
	return f;
}

static void
end(Fixture *f)
{
	must_be_sound(f->store);
	store_close(f->store);
}

static void
check_totals(Fixture *f, StoreId id, uint32_t total, uint32_t unread, uint32_t mirrored)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_int_equal(mailbox->total, total);
	assert_int_equal(mailbox->unread, unread);
	assert_int_equal(mailbox->mirrored, mirrored);
}

static StoreIntended
intend(Fixture *f, StoreIntent intent)
{
	StoreIntended out = { 0 };
	GError *error = NULL;

	MUST(store_intend(f->store, &intent, &out, &error));
	must_be_sound(f->store);
	return out;
}

static StoreIntended
flag(Fixture *f, StoreId mailbox, StoreId message, uint16_t which, bool set)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_FLAG,
					.mailbox = mailbox,
					.messages = &message,
					.n_messages = 1,
					.flag = which,
					.set = set });
}

static StoreIntended
move(Fixture *f, StoreId from, StoreId to, StoreId message)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_MOVE,
					.mailbox = from,
					.dest = to,
					.messages = &message,
					.n_messages = 1 });
}

static StoreIntended
expunge(Fixture *f, StoreId mailbox, StoreId message)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_EXPUNGE,
					.mailbox = mailbox,
					.messages = &message,
					.n_messages = 1 });
}

static void
done(Fixture *f, StoreId row, StoreId message, uint32_t uid)
{
	StoreOutcome outcome = { .message = message, .state = STORE_TARGET_DONE, .uid = uid };
	GError *error = NULL;

	MUST(store_journal_done(f->store, row, &outcome, 1, &error));
	must_be_sound(f->store);
}

static void
sent(Fixture *f, StoreId row)
{
	GError *error = NULL;

	MUST(store_journal_sent(f->store, row, 7, 100, &error));
}

static guint
queue_length(Fixture *f)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(f->store, f->account, &rows, &error));
	return rows->len;
}

static StoreTarget
only_target(Fixture *f, StoreId row)
{
	g_autoptr(GArray) targets = NULL;
	GError *error = NULL;

	MUST(store_journal_targets(f->store, row, 0, 10, &targets, &error));
	assert_int_equal(targets->len, 1);
	return g_array_index(targets, StoreTarget, 0);
}

static uint16_t
flags_of(Fixture *f, StoreId message)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_id(f->store, message, &row, &error));
	return row->flags;
}

static StoreId
mailbox_of(Fixture *f, StoreId message)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_id(f->store, message, &row, &error));
	return row->mailbox;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static void
a_flag_shows_at_once_and_waits(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = flag(&f, f.inbox, id, STORE_FLAG_SEEN, true);
	g_autoptr(StoreJournalRow) row = NULL;
	GError *error = NULL;

	assert_int_equal(out.n, 1);
	assert_int_equal(flags_of(&f, id), STORE_FLAG_SEEN);
	check_totals(&f, f.inbox, 5, 4, 5);
	MUST(store_journal_row(f.store, out.row, &row, &error));
	assert_int_equal(row->state, STORE_ROW_WAITING);
	assert_int_equal(row->n, 1);
	assert_int_equal(only_target(&f, out.row).uid, 3);
	sent(&f, out.row);
	MUST(store_journal_done(f.store, out.row, NULL, 0, &error));
	assert_int_equal(queue_length(&f), 0);
	assert_int_equal(flags_of(&f, id), STORE_FLAG_SEEN);
	end(&f);
}

static void
a_dropped_flag_is_taken_back(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = flag(&f, f.inbox, id, STORE_FLAG_SEEN, true);
	GError *error = NULL;

	MUST(store_journal_fail(f.store, out.row, POSTERN_ERROR_REFUSED, "no", &error));
	assert_int_equal(flags_of(&f, id), STORE_FLAG_SEEN);
	MUST(store_journal_drop(f.store, out.row, &error));
	assert_int_equal(flags_of(&f, id), 0);
	assert_int_equal(queue_length(&f), 0);
	check_totals(&f, f.inbox, 5, 5, 5);
	end(&f);
}

static void
a_flag_and_its_opposite_are_nothing(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended first = flag(&f, f.inbox, id, STORE_FLAG_SEEN, true), second;

	assert_int_not_equal(first.row, 0);
	second = flag(&f, f.inbox, id, STORE_FLAG_SEEN, false);
	assert_int_equal(second.row, 0);
	assert_int_equal(second.n, 1);
	assert_int_equal(queue_length(&f), 0);
	assert_int_equal(flags_of(&f, id), 0);
	end(&f);
}

static void
an_opposite_of_what_is_sent_is_sent_too(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended first = flag(&f, f.inbox, id, STORE_FLAG_SEEN, true);

	sent(&f, first.row);
	assert_int_not_equal(flag(&f, f.inbox, id, STORE_FLAG_SEEN, false).row, 0);
	assert_int_equal(queue_length(&f), 2);
	end(&f);
}

static void
a_keyword_is_a_flag_too(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntent intent = { .kind = STORE_INTENT_FLAG,
			       .mailbox = f.inbox,
			       .messages = &id,
			       .n_messages = 1,
			       .keyword = "$Work",
			       .set = true };
	StoreIntended out = intend(&f, intent);
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_id(f.store, id, &row, &error));
	assert_string_equal(row->keywords, "$Work");
	MUST(store_journal_drop(f.store, out.row, &error));
	assert_int_equal(flags_of(&f, id), 0);
	intent.keyword = "two words";
	MUST_FAIL(store_intend(f.store, &intent, &out, &error), POSTERN_ERROR_USAGE);
	end(&f);
}

static void
a_moved_message_stands_there_and_keeps_its_identity(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = move(&f, f.inbox, f.archive, id);
	g_autofree uint32_t *uids = NULL;
	GError *error = NULL;
	StoreTarget target;
	size_t n;

	check_totals(&f, f.inbox, 4, 4, 5);
	check_totals(&f, f.archive, 1, 1, 0);
	assert_int_equal(mailbox_of(&f, id), f.archive);
	MUST(store_message_uids(f.store, f.inbox, &uids, &n, &error));
	assert_int_equal(n, 5);
	assert_int_equal(uids[2], 3);
	target = only_target(&f, out.row);
	assert_int_equal(target.mailbox, f.inbox);
	assert_int_equal(target.uid, 3);
	sent(&f, out.row);
	done(&f, out.row, id, 77);
	check_totals(&f, f.inbox, 4, 4, 4);
	check_totals(&f, f.archive, 1, 1, 1);
	assert_int_equal(id_of_uid(f.store, f.archive, 77), id);
	assert_int_equal(queue_length(&f), 0);
	end(&f);
}

/* ... whose first SELECT must find them, not take them for another numbering's. */
static void
told_uids_bring_their_uidvalidity_to_a_mailbox_never_opened(void **state)
{
	Fixture f = begin(*state, 2);
	StoreId id = id_of_uid(f.store, f.inbox, 2);
	StoreIntended out = move(&f, f.inbox, f.archive, id);
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	sent(&f, out.row);
	MUST(store_mailbox_get(f.store, f.archive, &mailbox, &error));
	assert_int_equal(mailbox->uidvalidity, 0);
	done(&f, out.row, id, 100);
	store_mailbox_free(g_steal_pointer(&mailbox));
	MUST(store_mailbox_get(f.store, f.archive, &mailbox, &error));
	assert_int_equal(mailbox->uidvalidity, 7);
	end(&f);
}

static void
moved_twice_is_moved_once(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3), other = make_mailbox(f.store, "Other");
	StoreIntended out;
	StoreTarget target;

	move(&f, f.inbox, f.archive, id);
	out = move(&f, f.archive, other, id);
	assert_int_equal(queue_length(&f), 1);
	target = only_target(&f, out.row);
	assert_int_equal(target.mailbox, f.inbox);
	assert_int_equal(target.uid, 3);
	assert_int_equal(mailbox_of(&f, id), other);
	assert_int_equal(move(&f, other, f.inbox, id).row, 0);
	assert_int_equal(queue_length(&f), 0);
	assert_int_equal(id_of_uid(f.store, f.inbox, 3), id);
	check_totals(&f, f.inbox, 5, 5, 5);
	end(&f);
}

static void
moved_then_expunged_is_expunged_where_it_is(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out;
	GError *error = NULL;
	StoreTarget target;

	move(&f, f.inbox, f.archive, id);
	out = expunge(&f, f.archive, id);
	assert_int_equal(queue_length(&f), 1);
	target = only_target(&f, out.row);
	assert_int_equal(target.mailbox, f.inbox);
	check_totals(&f, f.inbox, 4, 4, 5);
	check_totals(&f, f.archive, 0, 0, 0);
	assert_int_equal(mailbox_of(&f, id), 0);
	done(&f, out.row, id, 0);
	check_totals(&f, f.inbox, 4, 4, 4);
	assert_false(store_row_by_id(f.store, id, &(StoreRow *){ NULL }, &error));
	MUST_FAIL(false, POSTERN_ERROR_GONE);
	end(&f);
}

static void
a_dropped_move_goes_back(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = move(&f, f.inbox, f.archive, id);
	GError *error = NULL;

	sent(&f, out.row);
	MUST_FAIL(store_journal_drop(f.store, out.row, &error), POSTERN_ERROR_USAGE);
	MUST(store_journal_fail(f.store, out.row, POSTERN_ERROR_REFUSED, "over quota", &error));
	MUST(store_journal_drop(f.store, out.row, &error));
	check_totals(&f, f.inbox, 5, 5, 5);
	check_totals(&f, f.archive, 0, 0, 0);
	assert_int_equal(id_of_uid(f.store, f.inbox, 3), id);
	end(&f);
}

static void
check_server_total(Fixture *f, StoreId id, int64_t total)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;

	MUST(store_mailbox_get(f->store, id, &mailbox, &error));
	assert_int_equal(mailbox->server_total, total);
}

/* What the server says of a folder while a move waits or has failed knows nothing of the move. */
static void
the_servers_counts_come_while_a_move_waits(void **state)
{
	Fixture f = begin(*state, 5);
	StoreMailbox five = { .id = f.inbox, .server_total = 5, .server_unread = 5 };
	StoreMailbox none = { .id = f.archive };
	GError *error = NULL;
	StoreIntended out;

	MUST(store_mailbox_status(f.store, &five, &error));
	MUST(store_mailbox_status(f.store, &none, &error));
	out = move(&f, f.inbox, f.archive, id_of_uid(f.store, f.inbox, 3));
	check_server_total(&f, f.inbox, 4);
	check_server_total(&f, f.archive, 1);
	MUST(store_mailbox_status(f.store, &five, &error));
	MUST(store_mailbox_status(f.store, &none, &error));
	check_server_total(&f, f.inbox, 4);
	check_server_total(&f, f.archive, 1);
	MUST(store_journal_drop(f.store, out.row, &error));
	check_server_total(&f, f.inbox, 5);
	check_server_total(&f, f.archive, 0);
	end(&f);
}

static void
a_half_done_move_keeps_both(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = move(&f, f.inbox, f.archive, id);
	StoreOutcome outcome = { .message = id, .state = STORE_TARGET_COPIED, .uid = 9 };
	GError *error = NULL;
	StoreTarget target;

	MUST(store_journal_done(f.store, out.row, &outcome, 1, &error));
	must_be_sound(f.store);
	check_totals(&f, f.archive, 1, 1, 1);
	check_totals(&f, f.inbox, 4, 4, 5);
	target = only_target(&f, out.row);
	assert_int_equal(target.state, STORE_TARGET_COPIED);
	assert_int_equal(target.mailbox, f.inbox);
	assert_int_equal(target.uid, 3);
	outcome.state = STORE_TARGET_DONE;
	outcome.uid = 0;
	outcome.left = true;
	MUST(store_journal_done(f.store, out.row, &outcome, 1, &error));
	must_be_sound(f.store);
	assert_int_equal(queue_length(&f), 0);
	check_totals(&f, f.inbox, 5, 5, 5);
	assert_int_equal(flags_of(&f, id_of_uid(f.store, f.inbox, 3)), STORE_FLAG_DELETED);
	assert_int_equal(id_of_uid(f.store, f.archive, 9), id);
	end(&f);
}

static void
a_copy_has_the_parts_of_its_original(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3), copy;
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5), got = NULL;
	StoreIntended out;
	GError *error = NULL;

	MUST(store_part_put(f.store, id, "1", bytes, &error));
	out = intend(&f, (StoreIntent){ .kind = STORE_INTENT_COPY,
					.mailbox = f.inbox,
					.dest = f.archive,
					.messages = &id,
					.n_messages = 1 });
	copy = only_target(&f, out.row).copy;
	check_totals(&f, f.archive, 1, 1, 0);
	MUST(store_part_load(f.store, copy, "1", &got, &error));
	assert_true(g_bytes_equal(bytes, got));
	done(&f, out.row, id, 12);
	assert_int_equal(id_of_uid(f.store, f.archive, 12), copy);
	end(&f);
}

static void
a_copy_that_is_expunged_never_was(void **state)
{
	Fixture f = begin(*state, 5);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = intend(&f, (StoreIntent){ .kind = STORE_INTENT_COPY,
						      .mailbox = f.inbox,
						      .dest = f.archive,
						      .messages = &id,
						      .n_messages = 1 });

	assert_int_equal(expunge(&f, f.archive, only_target(&f, out.row).copy).row, 0);
	assert_int_equal(queue_length(&f), 0);
	check_totals(&f, f.archive, 0, 0, 0);
	end(&f);
}

static StoreIntended
append(Fixture *f, StoreId dest)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("Subject: x\r\n\r\nhello\r\n", 21);
	StoreMessage message = { .date = 5000,
				 .size = 21,
				 .subject = SPAN_LITERAL("x"),
				 .message_id = SPAN_LITERAL("<x@example.org>") };

	return intend(f, (StoreIntent){ .kind = STORE_INTENT_APPEND,
					.dest = dest,
					.message = &message,
					.content = bytes });
}

static void
an_appended_message_is_here_whole(void **state)
{
	Fixture f = begin(*state, 2);
	StoreIntended out = append(&f, f.archive), later;
	g_autoptr(GBytes) got = NULL;
	GError *error = NULL;
	bool depends;

	MUST(store_part_load(f.store, out.message, "", &got, &error));
	assert_int_equal(g_bytes_get_size(got), 21);
	check_totals(&f, f.archive, 1, 1, 0);
	later = flag(&f, f.archive, out.message, STORE_FLAG_SEEN, true);
	MUST(store_journal_depends(f.store, later.row, &depends, &error));
	assert_true(depends);
	done(&f, out.row, out.message, 4);
	MUST(store_journal_depends(f.store, later.row, &depends, &error));
	assert_false(depends);
	assert_int_equal(only_target(&f, later.row).uid, 4);
	check_totals(&f, f.archive, 1, 0, 1);
	end(&f);
}

static void
what_needs_a_failed_row_fails_and_is_tried_with_it(void **state)
{
	Fixture f = begin(*state, 2);
	StoreIntended out = append(&f, f.archive);
	StoreIntended later = flag(&f, f.archive, out.message, STORE_FLAG_SEEN, true);
	uint32_t waiting, failed;
	GError *error = NULL;

	sent(&f, out.row);
	MUST(store_journal_fail(f.store, out.row, POSTERN_ERROR_REFUSED, "over quota", &error));
	must_be_sound(f.store);
	MUST(store_journal_counts(f.store, 0, &waiting, &failed, &error));
	assert_int_equal(waiting, 0);
	assert_int_equal(failed, 2);
	MUST(store_journal_retry(f.store, out.row, &error));
	MUST(store_journal_counts(f.store, 0, &waiting, &failed, &error));
	assert_int_equal(waiting, 2);
	MUST(store_journal_drop(f.store, out.row, &error));
	assert_int_equal(queue_length(&f), 0);
	check_totals(&f, f.archive, 0, 0, 0);
	assert_int_not_equal(later.row, 0);
	end(&f);
}

static void
gone_messages_make_a_failed_row(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = move(&f, f.inbox, f.archive, id);
	StoreOutcome outcome = { .message = id, .state = STORE_TARGET_GONE };
	g_autoptr(StoreJournalRow) row = NULL;
	GError *error = NULL;
	uint32_t uid = 3;

	MUST(store_messages_remove(f.store, f.inbox, &uid, 1, NULL, &error));
	must_be_sound(f.store);
	MUST(store_journal_done(f.store, out.row, &outcome, 1, &error));
	MUST(store_journal_row(f.store, out.row, &row, &error));
	assert_int_equal(row->state, STORE_ROW_FAILED);
	assert_int_equal(row->code, POSTERN_ERROR_GONE);
	assert_int_equal(mailbox_of(&f, id), 0);
	check_totals(&f, f.archive, 0, 0, 0);
	must_be_sound(f.store);
	MUST(store_journal_drop(f.store, out.row, &error));
	assert_false(store_row_by_id(f.store, id, &(StoreRow *){ NULL }, &error));
	MUST_FAIL(false, POSTERN_ERROR_GONE);
	end(&f);
}

static void
undo(Fixture *f, uint32_t n)
{
	StoreUndone out;
	GError *error = NULL;

	MUST(store_undo(f->store, f->account, &out, &error));
	assert_int_equal(out.n, n);
	assert_non_null(out.words);
	g_free(out.words);
	must_be_sound(f->store);
}

static void
undo_goes_back_step_by_step(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out;
	GError *error = NULL;

	flag(&f, f.inbox, id, STORE_FLAG_SEEN, true);
	out = move(&f, f.inbox, f.archive, id);
	sent(&f, out.row);
	done(&f, out.row, id, 70);
	undo(&f, 1);
	assert_int_equal(mailbox_of(&f, id), f.inbox);
	assert_int_equal(queue_length(&f), 2);
	undo(&f, 1);
	assert_int_equal(flags_of(&f, id), 0);
	assert_int_equal(queue_length(&f), 1);
	MUST_FAIL(store_undo(f.store, f.account, &(StoreUndone){ 0 }, &error), POSTERN_ERROR_GONE);
	end(&f);
}

static StoreUndone
undone(Fixture *f)
{
	StoreUndone out;
	GError *error = NULL;

	MUST(store_undo(f->store, f->account, &out, &error));
	must_be_sound(f->store);
	return out;
}

static void
must_say(StoreUndone out, uint32_t n, StoreId message, const char *words)
{
	assert_int_equal(out.n, n);
	assert_int_equal(out.message, message);
	assert_string_equal(out.words, words);
	g_free(out.words);
}

static StoreId
keyword(Fixture *f, StoreId group, const StoreId *messages, size_t n, const char *word)
{
	return intend(f, (StoreIntent){ .kind = STORE_INTENT_FLAG,
					.group = group,
					.mailbox = f->inbox,
					.messages = messages,
					.n_messages = n,
					.keyword = word,
					.set = true })
	    .group;
}

static void
undo_says_what_it_took_back(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId ids[3], group;

	for (uint32_t i = 0; i < 3; i++)
		ids[i] = id_of_uid(f.store, f.inbox, i + 1);
	intend(&f, (StoreIntent){ .kind = STORE_INTENT_MOVE,
				  .mailbox = f.inbox,
				  .dest = f.archive,
				  .messages = ids,
				  .n_messages = 3 });
	/* The newest is the first in a list. */
	must_say(undone(&f), 3, ids[2], "moved 3 messages to Archive");
	flag(&f, f.inbox, ids[1], STORE_FLAG_FLAGGED, true);
	must_say(undone(&f), 1, 0, "marked 1 message as important");
	keyword(&f, 0, ids, 2, "work");
	must_say(undone(&f), 2, 0, "put the keyword work on 2 messages");
	group = keyword(&f, 0, ids, 2, "work");
	keyword(&f, group, ids, 3, "urgent");
	must_say(undone(&f), 3, 0, "changed the keywords of 3 messages");
	end(&f);
}

static void
undo_outlives_a_restart(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = move(&f, f.inbox, f.archive, id);

	sent(&f, out.row);
	done(&f, out.row, id, 70);
	store_close(f.store);
	f.store = open_writer(*state);
	undo(&f, 1);
	assert_int_equal(mailbox_of(&f, id), f.inbox);
	assert_int_equal(queue_length(&f), 1);
	end(&f);
}

static void
what_is_expunged_comes_back_while_it_waits_only(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended out = expunge(&f, f.inbox, id);
	GError *error = NULL;

	undo(&f, 1);
	assert_int_equal(id_of_uid(f.store, f.inbox, 3), id);
	assert_int_equal(mailbox_of(&f, id), f.inbox);
	assert_int_equal(queue_length(&f), 0);
	flag(&f, f.inbox, id, STORE_FLAG_SEEN, true);
	out = expunge(&f, f.inbox, id);
	sent(&f, out.row);
	MUST_FAIL(store_undo(f.store, 0, &(StoreUndone){ 0 }, &error), POSTERN_ERROR_USAGE);
	/* The one before it. */
	undo(&f, 1);
	end(&f);
}

static void
only_so_many_actions_are_kept(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreUndone undone;
	GError *error = NULL;

	for (int i = 0; i < STORE_JOURNAL_KEPT + 50; i++) {
		StoreIntended out = flag(&f, f.inbox, id, STORE_FLAG_SEEN, i % 2 == 0);

		sent(&f, out.row);
		MUST(store_journal_done(f.store, out.row, NULL, 0, &error));
	}
	for (int i = 0; i < STORE_JOURNAL_KEPT; i++) {
		MUST(store_undo(f.store, 0, &undone, &error));
		g_free(undone.words);
	}
	MUST_FAIL(store_undo(f.store, 0, &undone, &error), POSTERN_ERROR_GONE);
	end(&f);
}

static void
another_message_under_the_same_uid_is_another(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	GStringChunk *pool = g_string_chunk_new(512);
	StoreMessage other = plain_message(pool, 77, 9000, 0);
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello", 5);
	GError *error = NULL;
	bool has;

	MUST(store_part_put(f.store, id, "1", bytes, &error));
	other.uid = 3;
	MUST(store_messages_put(f.store, f.inbox, &other, 1, &error));
	must_be_sound(f.store);
	assert_int_not_equal(id_of_uid(f.store, f.inbox, 3), id);
	MUST(store_part_has(f.store, id_of_uid(f.store, f.inbox, 3), "1", &has, &error));
	assert_false(has);
	check_totals(&f, f.inbox, 3, 3, 3);
	g_string_chunk_free(pool);
	end(&f);
}

static void
half_moved_and_expunged_leaves_the_original_to_go(void **state)
{
	Fixture f = begin(*state, 3);
	StoreId id = id_of_uid(f.store, f.inbox, 3);
	StoreIntended moved = move(&f, f.inbox, f.archive, id), out;
	StoreOutcome outcome = { .message = id, .state = STORE_TARGET_COPIED, .uid = 9 };
	GError *error = NULL;
	StoreTarget target;

	sent(&f, moved.row);
	MUST(store_journal_done(f.store, moved.row, &outcome, 1, &error));
	out = expunge(&f, f.archive, id);
	done(&f, out.row, id, 0);
	target = only_target(&f, moved.row);
	assert_int_equal(target.state, STORE_TARGET_COPIED);
	assert_int_equal(target.mailbox, f.inbox);
	assert_int_equal(target.uid, 3);
	done(&f, moved.row, id, 0);
	assert_int_equal(queue_length(&f), 0);
	check_totals(&f, f.inbox, 2, 2, 2);
	check_totals(&f, f.archive, 0, 0, 0);
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flag_shows_at_once_and_waits),
		TEST(a_dropped_flag_is_taken_back),
		TEST(a_flag_and_its_opposite_are_nothing),
		TEST(an_opposite_of_what_is_sent_is_sent_too),
		TEST(a_keyword_is_a_flag_too),
		TEST(a_moved_message_stands_there_and_keeps_its_identity),
		TEST(told_uids_bring_their_uidvalidity_to_a_mailbox_never_opened),
		TEST(moved_twice_is_moved_once),
		TEST(moved_then_expunged_is_expunged_where_it_is),
		TEST(a_dropped_move_goes_back),
		TEST(the_servers_counts_come_while_a_move_waits),
		TEST(a_half_done_move_keeps_both),
		TEST(a_copy_has_the_parts_of_its_original),
		TEST(a_copy_that_is_expunged_never_was),
		TEST(an_appended_message_is_here_whole),
		TEST(what_needs_a_failed_row_fails_and_is_tried_with_it),
		TEST(gone_messages_make_a_failed_row),
		TEST(undo_goes_back_step_by_step),
		TEST(undo_says_what_it_took_back),
		TEST(undo_outlives_a_restart),
		TEST(what_is_expunged_comes_back_while_it_waits_only),
		TEST(only_so_many_actions_are_kept),
		TEST(another_message_under_the_same_uid_is_another),
		TEST(half_moved_and_expunged_leaves_the_original_to_go),
	};

	return cmocka_run_group_tests_name("store/journal", tests, NULL, NULL);
}
