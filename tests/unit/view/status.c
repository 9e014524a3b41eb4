#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/safetext.h"
#include "view/status.h"

#define assert_text(call, wanted)                                                                  \
	do {                                                                                       \
		g_autofree char *text = (call);                                                    \
		assert_string_equal(text, wanted);                                                 \
	} while (0)

static void
it_says_what_the_engine_said(void **state)
{
	g_autoptr(GError) error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_LOGIN, "wrong password");
	static const struct {
		EngineLink link;
		const char *doing;
		uint64_t done, total;
		bool failed;
		const char *text;
	} rows[] = {
		{ ENGINE_ONLINE, NULL, 0, 0, false, "connected" },
		{ ENGINE_ONLINE, "reading INBOX", 0, 0, false, "connected, reading INBOX" },
		{ ENGINE_ONLINE, "reading INBOX", 5, 10, false, "connected, reading INBOX 5/10" },
		{ ENGINE_CONNECTING, NULL, 0, 0, false, "connecting" },
		{ ENGINE_LOGGING_IN, NULL, 0, 0, false, "logging in" },
		{ ENGINE_OFFLINE, NULL, 0, 0, false, "offline" },
		{ ENGINE_OFFLINE, NULL, 0, 0, true, "offline: wrong password" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		ViewStatus status = { 0 };
		EngineStatus said = { .link = rows[i].link,
				      .doing = rows[i].doing,
				      .done = rows[i].done,
				      .total = rows[i].total,
				      .error = rows[i].failed ? error : NULL };

		view_status_take(&status, &said, 0);
		assert_text(view_status_text(&status, 0), rows[i].text);
		assert_false(view_status_ticks(&status));
		view_status_clear(&status);
	}
}

static void
a_silent_line_is_not_plainly_connected(void **state)
{
	EngineStatus said = {
		.link = ENGINE_ONLINE, .doing = "fetching", .total = 10, .silent_s = 7
	};
	ViewStatus status = { 0 };

	view_status_take(&status, &said, 0);
	assert_text(view_status_text(&status, 0), "connected, no answer for 7 s (F5 tries anew)");
	said.silent_s = 0;
	view_status_take(&status, &said, 0);
	assert_text(view_status_text(&status, 0), "connected, fetching 0/10");
	view_status_clear(&status);
}

static void
waiting_counts_down(void **state)
{
	g_autoptr(GError) error =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE, "no route\033[2J to host");
	EngineStatus said = { .link = ENGINE_WAITING, .retry_in_s = 12, .error = error };
	ViewStatus status = { 0 };
	g_autofree char *text = NULL;

	view_status_take(&status, &said, 5 * G_USEC_PER_SEC);
	assert_true(view_status_ticks(&status));
	text = view_status_text(&status, 5 * G_USEC_PER_SEC);
	assert_true(g_str_has_prefix(text, "no line, trying again in 12 s: no route"));
	assert_true(safe_text_is(span_of_string(text), SAFE_LINE));
	g_free(text);
	text = view_status_text(&status, 5 * G_USEC_PER_SEC + 8 * G_USEC_PER_SEC + 1);
	assert_true(g_str_has_prefix(text, "no line, trying again in 4 s"));
	g_free(text);
	text = view_status_text(&status, 100 * G_USEC_PER_SEC);
	assert_true(g_str_has_prefix(text, "no line, trying again:"));
	view_status_clear(&status);
}

static void
it_does_not_claim_what_nobody_said(void **state)
{
	ViewStatus status = { 0 };

	assert_text(view_status_text(&status, 0), "starting");
	/* Who wants no line does not miss it. */
	status.alone = true;
	assert_text(view_status_text(&status, 0), "offline");
}

static void
sizes_take_five_cells(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1.0K" },
		{ 1024 * 10, "10K" },
		{ 1024 * 999, "999K" },
		{ 1024 * 1024 - 1, "1.0M" },
		{ 5 * 1024 * 1024, "5.0M" },
		{ 4000000000u, "3.7G" },
		{ UINT64_MAX, "16E" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_text(view_size_text(rows[i].bytes), rows[i].text);
}

static void
dates_say_what_matters(void **state)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) now = g_date_time_new(utc, 2026, 1, 15, 12, 0, 0);
	int64_t at = g_date_time_to_unix(now);
	g_autofree char *ancient = view_date_text(INT64_MIN, now, false);

	assert_text(view_date_text(at - 3600, now, false), "11:00");
	assert_text(view_date_text(at - 20 * 86400, now, false), "Dec 26");
	assert_text(view_date_text(at - 20 * 86400, now, true), "Dec 26 12:00");
	assert_text(view_date_text(at - 800 * 86400, now, false), "Nov 2023");
	assert_text(view_date_text(at + 86400, now, false), "Jan 2026"); /* the future is odd */
	assert_string_equal(ancient, "?");
	assert_text(view_date_long(0, 330), "Thu, 1 Jan 1970 05:30 +0530");
	assert_text(view_date_long(INT64_MAX, 0), "?");
	assert_text(view_date_long(0, 1000000), "Thu, 1 Jan 1970 23:59 +2359");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_engine_said),
		cmocka_unit_test(a_silent_line_is_not_plainly_connected),
		cmocka_unit_test(waiting_counts_down),
		cmocka_unit_test(it_does_not_claim_what_nobody_said),
		cmocka_unit_test(sizes_take_five_cells),
		cmocka_unit_test(dates_say_what_matters),
	};

	g_setenv("TZ", "UTC", TRUE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
