/* The session's promises that a transcript cannot show: who calls whom when, and what is left of
 * the bytes.  What passes over the line is in tests/session/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/error.h"
#include "imap/session.h"

typedef struct Owner {
	ImapSession *session;
	int ready, done, cancelled, closed, deflate, start_tls, responses;
	bool calling; /* inside a call of ours that must not call back */
	bool sends_when_ready;
	bool starts_tls_at_once;
} Owner;

static void
on_done(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Owner *owner = data;

	assert_false(owner->calling);
	owner->done++;
	owner->cancelled += outcome == IMAP_OUTCOME_CANCELLED;
	owner->closed += outcome == IMAP_OUTCOME_CLOSED;
	assert_true((response != NULL) ==
		    (outcome != IMAP_OUTCOME_CANCELLED && outcome != IMAP_OUTCOME_CLOSED));
}

static ImapTicket
send_named(Owner *owner, const char *name)
{
	return imap_session_send(owner->session, imap_command_new(name), IMAP_SEND_NORMAL, 0,
				 on_done, owner);
}

static void
on_ready(void *data)
{
	Owner *owner = data;

	assert_false(owner->calling);
	owner->ready++;
	if (owner->sends_when_ready)
		send_named(owner, "NOOP");
}

static void
on_start_tls(void *data)
{
	Owner *owner = data;

	owner->start_tls++;
	if (owner->starts_tls_at_once)
		imap_session_tls_started(owner->session);
}

static void
on_start_deflate(void *data)
{
	((Owner *)data)->deflate++;
}

static void
on_response(void *data, const ImapResponse *response, ImapTicket ticket)
{
	((Owner *)data)->responses++;
}

static void
open_session(Owner *owner, bool tls)
{
	const ImapSessionHandler handler = {
		.on_ready = on_ready,
		.on_start_tls = on_start_tls,
		.on_start_deflate = on_start_deflate,
		.on_response = on_response,
	};

	owner->session = imap_session_new(&handler, owner, tls, NULL, NULL, "imap");
}

/* Returns how many bytes were left. */
static size_t
feed(Owner *owner, const char *text)
{
	g_autoptr(GError) error = NULL;
	Span in = span_of_string(text);

	assert_true(imap_session_feed(owner->session, &in, &error));
	assert_null(error);
	return span_size(in);
}

static void
assert_output(Owner *owner, const char *want)
{
	Span out = imap_session_output(owner->session);

	assert_int_equal(span_size(out), strlen(want));
	if (*want)
		assert_memory_equal(out.at, want, strlen(want));
	imap_session_written(owner->session, span_size(out));
}

#define GREETING "* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hi\r\n"

static void
deflated_bytes_are_left_to_the_owner(void **state)
{
	Owner owner = { 0 };

	open_session(&owner, true);
	feed(&owner, GREETING);
	imap_session_compress(owner.session, on_done, &owner);
	assert_output(&owner, "A1 COMPRESS DEFLATE\r\n");
	assert_int_equal(feed(&owner, "A1 OK go\r\n\x78\x9c garbage\r\n"), 12);
	assert_int_equal(owner.deflate, 1);
	assert_int_equal(owner.done, 1);
	/* ... and what it makes of them comes in by the next feed. */
	assert_int_equal(feed(&owner, "* CAPABILITY IMAP4rev1\r\n"), 0);
	assert_int_equal(owner.responses, 2);
	imap_session_free(owner.session);
}

static void
no_callback_runs_from_the_call_that_asked(void **state)
{
	Owner owner = { 0 };
	ImapTicket ticket;

	open_session(&owner, true);
	feed(&owner, GREETING);
	owner.calling = true;
	assert_int_not_equal(send_named(&owner, "UID FETCH"), 0); /* nothing is selected */
	ticket = send_named(&owner, "LOGOUT");
	send_named(&owner, "NOOP");
	imap_session_cancel(owner.session, ticket);
	owner.calling = false;
	assert_int_equal(owner.done, 0);
	/* The clock is asked to come soon, and its call tells. */
	assert_true(imap_session_deadline_ms(owner.session) <= 5);
	assert_true(imap_session_tick(owner.session, 5, NULL));
	assert_int_equal(owner.done, 2);
	assert_int_equal(owner.cancelled, 2);
	imap_session_free(owner.session);
}

static void
callbacks_may_send(void **state)
{
	Owner owner = { .sends_when_ready = true };

	open_session(&owner, true);
	feed(&owner, GREETING);
	assert_int_equal(owner.ready, 1);
	assert_output(&owner, "A1 NOOP\r\n");
	feed(&owner, "A1 OK done\r\n");
	assert_int_equal(owner.done, 1);
	imap_session_free(owner.session);
}

static void
tls_may_start_inside_the_callback(void **state)
{
	Owner owner = { .starts_tls_at_once = true };

	open_session(&owner, false);
	imap_session_starttls(owner.session, on_done, &owner);
	feed(&owner, "* OK hi\r\n");
	assert_output(&owner, "A1 STARTTLS\r\n");
	feed(&owner, "A1 OK go\r\n");
	assert_int_equal(owner.start_tls, 1);
	assert_output(&owner, "A2 CAPABILITY\r\n");
	feed(&owner, "* CAPABILITY IMAP4rev1\r\nA2 OK done\r\n");
	assert_int_equal(owner.ready, 1);
	assert_int_equal(owner.responses, 1);
	imap_session_free(owner.session);
}

static void
a_second_feed_does_not_start_tls_again(void **state)
{
	Owner owner = { 0 };

	open_session(&owner, false);
	imap_session_starttls(owner.session, on_done, &owner);
	feed(&owner, "* OK hi\r\nA1 OK go\r\n");
	feed(&owner, "");
	assert_int_equal(owner.start_tls, 1);
	imap_session_free(owner.session);
}

static void
an_end_tells_everybody_once(void **state)
{
	g_autoptr(GError) error = NULL;
	Owner owner = { 0 };
	Span in = SPAN_LITERAL("* OK late\r\n");

	open_session(&owner, true);
	feed(&owner, GREETING);
	for (int i = 0; i < 5; i++)
		send_named(&owner, i % 2 ? "COPY" : "NOOP");
	imap_session_end(owner.session);
	imap_session_end(owner.session);
	assert_int_equal(owner.done, 5);
	assert_int_equal(owner.closed, 3);
	assert_int_equal(send_named(&owner, "NOOP"), 0);
	assert_true(span_is_empty(imap_session_output(owner.session)));
	assert_false(imap_session_feed(owner.session, &in, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_OFFLINE));
	imap_session_free(owner.session);
}

static void
freeing_drops_what_is_pending(void **state)
{
	Owner owner = { 0 };

	open_session(&owner, true);
	feed(&owner, GREETING);
	send_named(&owner, "NOOP");
	imap_session_login(owner.session, SPAN_LITERAL("a"), SPAN_LITERAL("b"), on_done, &owner);
	imap_session_free(owner.session);
	assert_int_equal(owner.done, 0);
}

static void
output_goes_out_in_any_pieces(void **state)
{
	Owner owner = { 0 };
	g_autoptr(GString) all = g_string_new(NULL);

	open_session(&owner, true);
	feed(&owner, GREETING);
	for (int i = 0; i < 200; i++) {
		Span out;

		send_named(&owner, "NOOP");
		out = imap_session_output(owner.session);
		out.end = out.at + MIN(span_size(out), (size_t)3);
		g_string_append_len(all, out.at, (gssize)span_size(out));
		imap_session_written(owner.session, span_size(out));
	}
	while (!span_is_empty(imap_session_output(owner.session))) {
		g_string_append_c(all, *imap_session_output(owner.session).at);
		imap_session_written(owner.session, 1);
	}
	assert_true(g_str_has_prefix(all->str, "A1 NOOP\r\nA2 NOOP\r\nA3 NOOP\r\n"));
	assert_true(g_str_has_suffix(all->str, "\r\nA200 NOOP\r\n"));
	assert_int_equal(imap_session_round_trips(owner.session), 1);
	imap_session_free(owner.session);
}

static void
capabilities_are_bounded(void **state)
{
	Owner owner = { 0 };
	g_autoptr(GString) line = g_string_new("* CAPABILITY IMAP4rev1");
	g_auto(GStrv) known = NULL;

	open_session(&owner, true);
	feed(&owner, GREETING);
	for (int i = 0; i < 50000; i++)
		g_string_append_printf(line, " X%d", i);
	g_string_append(line, "\r\n");
	feed(&owner, line->str);
	known = imap_session_capabilities(owner.session);
	assert_int_equal(g_strv_length(known), 1000);
	assert_string_equal(known[0], "IMAP4rev1");
	imap_session_free(owner.session);
}

/* Its owner asks for the time before anything came. */
static void
silent_server_has_a_deadline_from_the_start(void **state)
{
	g_autoptr(GError) error = NULL;
	Owner owner = { 0 };

	open_session(&owner, false);
	assert_true(imap_session_deadline_ms(owner.session) < INT64_MAX);
	assert_true(imap_session_tick(owner.session, 5000, &error));
	assert_int_equal(imap_session_deadline_ms(owner.session), 65000);
	assert_true(imap_session_tick(owner.session, 64999, &error));
	assert_false(imap_session_tick(owner.session, 65000, &error));
	assert_true(g_error_matches(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE));
	assert_int_equal(imap_session_deadline_ms(owner.session), INT64_MAX);
	imap_session_free(owner.session);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "/imap/session/silent-server-has-a-deadline-from-the-start",
		  silent_server_has_a_deadline_from_the_start },
		cmocka_unit_test(deflated_bytes_are_left_to_the_owner),
		cmocka_unit_test(no_callback_runs_from_the_call_that_asked),
		cmocka_unit_test(callbacks_may_send),
		cmocka_unit_test(tls_may_start_inside_the_callback),
		cmocka_unit_test(a_second_feed_does_not_start_tls_again),
		cmocka_unit_test(an_end_tells_everybody_once),
		cmocka_unit_test(freeing_drops_what_is_pending),
		cmocka_unit_test(output_goes_out_in_any_pieces),
		cmocka_unit_test(capabilities_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
