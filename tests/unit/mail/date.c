/* Dates as they are, as they were, and as they should not be. */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* 2006-01-02 15:04:05 UTC */
#define THEN INT64_C(1136214245)

static void
dates_of_the_standard_and_of_the_wild(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int zone_min;
	} cases[] = {
		{ "Mon, 2 Jan 2006 15:04:05 +0000", THEN, 0 },
		{ "Mon, 02 Jan 2006 15:04:05 -0700", THEN + 7 * 3600, -420 },
		{ "2 Jan 2006 15:04:05 +0530", THEN - 330 * 60, 330 },
		{ "Mon, 2 Jan 2006 15:04 +0000", THEN - 5, 0 },
		{ "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
		{ "Wed, 31 Dec 1969 23:59:59 +0000", -1, 0 },
		{ "Tue, 29 Feb 2000 12:00:00 +0000", 951825600, 0 },
		{ "Thu, 29 Feb 2024 12:00:00 +0000", 1709208000, 0 },
		{ "Tue, 19 Jan 2038 03:14:08 +0000", INT64_C(2147483648), 0 },
		{ "Fri, 31 Dec 9999 23:59:59 +0000", INT64_C(253402300799), 0 },
		{ "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 0 }, /* a leap second */
		/* comments, folding, missing spaces */
		{ "Mon, 2 Jan 2006 16:04:05 +0100 (CET)", THEN, 60 },
		{ "Mon (a (nested \\) one)), 2 (x) Jan 2006 15:04:05 +0000", THEN, 0 },
		{ " Mon,\r\n 2 Jan\r\n 2006 15:04:05\r\n +0000 ", THEN, 0 },
		{ "Mon,2 Jan 2006 15:04:05+0000", THEN, 0 },
		/* obsolete (RFC 5322, 4.3) */
		{ "Mon, 2 Jan 06 15:04:05 GMT", THEN, 0 },
		{ "2 Jan 106 15:04:05 UT", THEN, 0 },
		{ "21 Nov 97 09:55:06 EST", 880124106, -300 },
		{ "2 Jan 2006 10:04:05 EST", THEN, -300 },
		{ "2 Jan 2006 08:04:05 PDT", THEN, -420 },
		{ "2 Jan 2006 15:04:05 A", THEN, 0 },
		{ "2 Jan 2006 15:04:05 NOPE", THEN, 0 },
		{ "2 Jan 2006 15:04:05", THEN, 0 },
		{ "2 Jan 2006 15:04:05 -0000", THEN, 0 },
		/* the wild */
		{ "Mon Jan  2 15:04:05 2006", THEN, 0 },
		{ "Mon Jan 2 16:04:05 CET 2006", THEN, 60 },
		{ "Mon Jan 2 16:04:05 +0100 2006", THEN, 60 },
		{ "2006-01-02T15:04:05Z", THEN, 0 },
		{ "2006-01-02T15:04:05.123456Z", THEN, 0 },
		{ "2006-01-02 16:04:05+01:00", THEN, 60 },
		{ "2006-01-02", THEN - (15 * 3600 + 245), 0 },
		{ "Mon, 2 Jan 2006 16:04:05 GMT+1", THEN, 60 },
		{ "Mon, 2 Jan 2006 16:04:05 GMT+0100", THEN, 60 },
		{ "Mon, 2 Jan 2006 16:04:05 UTC +01:00", THEN, 60 },
		{ "Mon, 2 Jan 2006 16:04:05 +0100 CET", THEN, 60 },
		{ "Monday, 2 January 2006 15:04:05 +0000", THEN, 0 },
		{ "Monday, January 2, 2006 3:04:05 PM", THEN, 0 },
		{ "Jan 2, 2006 12:04:05 AM", THEN - 15 * 3600, 0 },
		{ "Jan 2nd, 2006 12:04:05 pm", THEN - 3 * 3600, 0 },
		{ " 2-Jan-2006 16:04:05 +0100", THEN, 60 },
		{ "02-Jan-06 15:04:05", THEN, 0 },
		{ "2 Sept. 2006 15:04:05", THEN + 243 * 86400, 0 },
		{ "Mon, 2 Jan 2006 15.04.05 +0000", THEN, 0 },
		{ "mon, 2 JAN 2006 15:04:05 gmt", THEN, 0 },
		{ "Mon, 2 Jan 2006 15:04:05 +9999", THEN, 0 },
		{ "Mon, 2 Jan 2006 15:04:05 +0000 and more, 99:99", THEN, 0 },
		{ "Mon, 2 Jan 2006", THEN - (15 * 3600 + 245), 0 },
		{ "Fri, 2 Jan 2006 15:04:05 +0000", THEN, 0 }, /* the wrong day of the week */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int64_t seconds = 42;
		int zone_min = 42;

		if (!mail_date_parse(span_of_string(cases[i].text), &seconds, &zone_min))
			fail_msg("no date: %s", cases[i].text);
		if (seconds != cases[i].seconds || zone_min != cases[i].zone_min)
			fail_msg("%s: %" G_GINT64_FORMAT " %d", cases[i].text, (gint64)seconds,
				 zone_min);
	}
}

static void
nonsense_is_no_date(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"()",
		"(",
		"nonsense",
		"Mon",
		"Jan",
		"2",
		"2006",
		"15:04:05",
		"2 Jan",
		"Jan 2006",
		"32 Jan 2006 15:04:05",
		"0 Jan 2006 15:04:05",
		"31 Apr 2006 15:04:05",
		"29 Feb 2006 15:04:05",
		"29 Feb 1900 15:04:05",
		"2 Jan 2006 24:00:00",
		"2 Jan 2006 15:60:00",
		"2 Jan 2006 15:04:61",
		"2 Jan 20066 15:04:05",
		"2 Jan 1899 15:04:05",
		"2 Jan 0006 15:04:05",
		"2 Foo 2006 15:04:05",
		"2 January2006x 15:04",
		"2006-13-02T15:04:05Z",
		"2006-01-32",
		"2006-1-2-3",
		"99999999999999999999 Jan 2006 15:04:05",
		"2 Jan 99999999999999999999 15:04:05",
		"2 Jan 2006 99999999999:04:05",
		"=?utf-8?Q?2_Jan_2006?=",
		"\xff\xfe 2 Jan 2006",
		"-2 Jan 2006 15:04:05",
		"2 Ja 2006 15:04:05",
		"2 Januaryy 2006 15:04:05",
		"12/31/2006",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int64_t seconds = 42;
		int zone_min = 42;

		if (mail_date_parse(span_of_string(cases[i]), &seconds, &zone_min))
			fail_msg("taken for a date: %s", cases[i]);
		assert_int_equal(seconds, 42);
		assert_int_equal(zone_min, 42);
	}
}

static void
every_day_of_four_centuries_agrees_with_glib(void **state)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	for (int year = 1900; year < 2301; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 28; day <= 31; day++) {
				g_autoptr(GDateTime) right =
				    g_date_time_new_utc(year, month, day, 1, 2, 3);
				g_autofree char *text =
				    g_strdup_printf("%d %s %d 01:02:03 +0000", day,
						    months[month - 1], year);
				int64_t seconds;
				int zone_min;

				assert_int_equal(mail_date_parse(span_of_string(text), &seconds,
								 &zone_min),
						 right != NULL);
				if (right)
					assert_int_equal(seconds, g_date_time_to_unix(right));
			}
		}
	}
}

static void
noise_is_bounded(void **state)
{
	GRand *random = g_rand_new_with_seed(822);
	static const char noise[] = "Mon, 2 Jan 2006 15:04:05 +0100 (CET) Z T PM.-/";

	for (int round = 0; round < 100000; round++) {
		char text[64];
		int64_t seconds = 0;
		int zone_min = 0;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = round % 2 ? noise[g_rand_int_range(random, 0, sizeof(noise))]
					    : noise[i % sizeof(noise)];
		text[g_rand_int_range(random, 0, 40)] = (char)g_rand_int(random);
		if (mail_date_parse(span_of(text, sizeof(text)), &seconds, &zone_min)) {
			assert_in_range(zone_min + 16 * 60, 0, 32 * 60);
			assert_true(seconds > INT64_C(-2208988800) - 86400 &&
				    seconds < INT64_C(253402300799) + 86400);
		}
	}
	g_rand_free(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_the_standard_and_of_the_wild),
		cmocka_unit_test(nonsense_is_no_date),
		cmocka_unit_test(every_day_of_four_centuries_agrees_with_glib),
		cmocka_unit_test(noise_is_bounded),
	};

	return cmocka_run_group_tests_name("/mail/date", tests, NULL, NULL);
}
