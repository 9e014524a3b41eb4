#include "person.h"

#include <limits.h>
#include <string.h>

StoreId
fixture_box_id(Fixture *fixture, const char *name)
{
	g_autoptr(StoreMailbox) box = fixture_box(fixture, name);

	assert_non_null(box);
	return box->id;
}

StoreIntent
person_intent(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to)
{
	StoreIntent intent = { .kind = kind };

	if (from)
		intent.mailbox = fixture_box_id(fixture, from);
	if (to)
		intent.dest = fixture_box_id(fixture, to);
	return intent;
}

EngineRequest
person_intends(Fixture *fixture, StoreIntentKind kind, const char *from, const char *to,
	       uint32_t low, uint32_t high, EngineUntil until)
{
	StoreIntent intent = person_intent(fixture, kind, from, to);
	uint32_t range[2] = { low, high };

	intent.uid_ranges = range;
	intent.n_uid_ranges = 1;
	if (kind == STORE_INTENT_FLAG) {
		intent.flag = STORE_FLAG_SEEN;
		intent.set = true;
	}
	return engine_intend(fixture->engine, &intent, until);
}

EngineRequest
person_folder(Fixture *fixture, StoreIntentKind kind, const char *box, const char *name,
	      EngineUntil until)
{
	StoreIntent intent = person_intent(fixture, kind, box, NULL);

	intent.name = name;
	return engine_intend(fixture->engine, &intent, until);
}

EngineRequest
person_appends(Fixture *fixture, const char *dest, unsigned number, EngineUntil until)
{
	g_autofree char *text =
	    g_strdup_printf("Date: Fri, 21 Nov 2025 10:00:00 +0000\nFrom: Ada <ada@example.org>\n"
			    "Subject: mine\nMessage-ID: <m%u@example.org>\n\nDear all,\n\nhello.\n",
			    number);
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	return engine_append(fixture->engine, fixture_box_id(fixture, dest), content,
			     STORE_FLAG_SEEN, NULL, 1763719200, until);
}

unsigned
rows_in(Fixture *fixture, StoreRowState state)
{
	g_autoptr(GPtrArray) rows = NULL;
	unsigned n = 0;

	if (!store_journal(fixture_store(fixture), 0, &rows, NULL))
		return UINT_MAX;
	for (guint i = 0; i < rows->len; i++)
		n += ((const StoreJournalRow *)rows->pdata[i])->state == state;
	return n;
}

bool
queue_is_done(Fixture *fixture, unsigned failed)
{
	return !rows_in(fixture, STORE_ROW_WAITING) && !rows_in(fixture, STORE_ROW_SENT) &&
	       rows_in(fixture, STORE_ROW_FAILED) == failed;
}

void
fixture_begin(Fixture *fixture, const char *words, unsigned count)
{
	fake_server_capabilities(fixture->server, words);
	fake_server_add(fixture->server, "INBOX", count, "");
	fake_server_add(fixture->server, "Other", 2, "");
	fixture_start(fixture);
	fixture_wait_well(fixture, engine_open(fixture->engine, NULL, "INBOX", 0, 40, true));
	fixture_until(fixture, inbox_complete, count);
	fixture_wait_well(fixture, engine_folders(fixture->engine, NULL));
	fixture_until(fixture, is_idling, 0);
	fake_server_forget(fixture->server);
}

void
fixture_begin_offline(Fixture *fixture, const char *words, unsigned count)
{
	fixture_begin(fixture, words, count);
	fixture_stop(fixture);
	fixture_start_with(fixture, true, false);
}

void
fixture_go_online(Fixture *fixture)
{
	fixture_stop(fixture);
	fake_server_forget(fixture->server);
	fixture_start(fixture);
}

void
assert_copies(Fixture *fixture, const char *box, uint32_t message, unsigned n)
{
	unsigned there = fake_server_copies(fixture->server, box, message);

	if (there != n) {
		g_auto(GStrv) log = fake_server_log(fixture->server);
		g_autofree char *text = g_strjoinv("\n", log);

		fail_msg("message %u is in %s %u times, not %u:\n%s", message, box, there, n, text);
	}
}

void
assert_flags(Fixture *fixture, const char *box, uint32_t message, const char *flags)
{
	g_autofree char *there = fake_server_flags_of(fixture->server, box, message);

	assert_string_equal(there ? there : "(none)", flags);
}

void
assert_agrees(Fixture *fixture)
{
	fixture_wait_well(fixture, engine_sync(fixture->engine, NULL, NULL, ENGINE_BODIES_NONE));
	fixture_check(fixture);
	assert_int_equal(fixture_total(fixture, "INBOX"),
			 fake_server_total(fixture->server, "INBOX"));
	assert_int_equal(fixture_total(fixture, "Other"),
			 fake_server_total(fixture->server, "Other"));
}

void
assert_settled(Fixture *fixture)
{
	fixture_until(fixture, queue_is_done, 0);
	assert_agrees(fixture);
}

int
fixture_set_up_many_lines(void **state)
{
	fixture_set_up(state);
	fixture_connections(*state, 3);
	return 0;
}
