#include "mail/header.h"

#define RAW_MAX 512

/* What was found so far; -1: not yet. */
typedef struct Date {
	int year, month, day; /* month 0 to 11 */
	int hour, minute, second;
	bool afternoon, forenoon;
	int zone_min;
	bool has_offset; /* the zone was a number, which no name overrides */
	int year_digits;
} Date;

/* Places of the words that stand in dates; minutes east.  Military letters are no zones (RFC
 * 5322, 4.3), and neither are names that several places use (IST, CST outside America). */
static const struct {
	const char name[5];
	int zone_min;
} zones[] = {
	{ "ut", 0 },	 { "utc", 0 },	  { "gmt", 0 },	    { "z", 0 },	      { "est", -300 },
	{ "edt", -240 }, { "cst", -360 }, { "cdt", -300 },  { "mst", -420 },  { "mdt", -360 },
	{ "pst", -480 }, { "pdt", -420 }, { "akst", -540 }, { "akdt", -480 }, { "hst", -600 },
	{ "ast", -240 }, { "adt", -180 }, { "nst", -210 },  { "ndt", -150 },  { "wet", 0 },
	{ "west", 60 },	 { "bst", 60 },	  { "cet", 60 },    { "cest", 120 },  { "met", 60 },
	{ "mest", 120 }, { "mez", 60 },	  { "mesz", 120 },  { "eet", 120 },   { "eest", 180 },
	{ "msk", 180 },	 { "msd", 240 },  { "sgt", 480 },   { "hkt", 480 },   { "awst", 480 },
	{ "jst", 540 },	 { "kst", 540 },  { "aest", 600 },  { "aedt", 660 },  { "nzst", 720 },
	{ "nzdt", 780 },
};

static const char months[][10] = { "january",	"february", "march",	"april",
				   "may",	"june",	    "july",	"august",
				   "september", "october",  "november", "december" };
static const char days[][10] = { "sunday",   "monday", "tuesday", "wednesday",
				 "thursday", "friday", "saturday" };

/* White space, commas and comments. */
static void
skip_gaps(Span *in)
{
	unsigned depth = 0;

	for (; in->at < in->end; in->at++) {
		char c = *in->at;

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0 && in->at + 1 < in->end)
			in->at++;
		else if (depth == 0 && !g_ascii_isspace(c) && c != ',')
			break;
	}
}

/* Digits, at most nine of them; how many, 0 for none. */
static int
take_digits(Span *in, int *value)
{
	int n = 0, v = 0;

	while (in->at + n < in->end && g_ascii_isdigit(in->at[n])) {
		if (n == 9)
			return 0;
		v = v * 10 + (in->at[n++] - '0');
	}
	if (n > 0)
		*value = v;
	in->at += n;
	return n;
}

static bool
take_char(Span *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

/* WORD, lower case, begins NAME by at least three letters. */
static bool
abbreviates(const char *word, size_t size, const char *name)
{
	return size >= 3 && word[0] == name[0] && size <= strlen(name) && !memcmp(word, name, size);
}

/* ":MM", ":MM:SS", ":MM:SS.frac" after the hour; some write dots. */
static bool
take_time(Span *in, Date *date, int hour)
{
	char colon = *in->at;

	in->at++;
	if (date->hour >= 0 || hour > 23 || !take_digits(in, &date->minute) || date->minute > 59)
		return false;
	date->second = 0;
	if (take_char(in, colon)) {
		int fraction;

		if (!take_digits(in, &date->second) || date->second > 60)
			return false;
		if ((take_char(in, '.') || (colon == ':' && take_char(in, ','))) &&
		    !take_digits(in, &fraction))
			return false;
	}
	date->hour = hour;
	return true;
}

/* "+0100", "+01:00", "+1"; IN is past the sign.  What cannot be a zone counts as UTC. */
static bool
take_offset(Span *in, Date *date, bool east)
{
	int value, minute = 0, digits = take_digits(in, &value);

	if (digits == 0)
		return false;
	if (digits <= 2) {
		if (take_char(in, ':') && take_digits(in, &minute) != 2)
			return false;
	} else {
		minute = value % 100;
		value /= 100;
	}
	if (value > 15 || minute > 59)
		value = minute = 0;
	date->zone_min = (east ? 1 : -1) * (value * 60 + minute);
	date->has_offset = true;
	return true;
}

static void
take_zone_name(Date *date, const char *word, size_t size)
{
	if (date->has_offset)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
		if (strlen(zones[i].name) != size || memcmp(word, zones[i].name, size) != 0)
			continue;
		date->zone_min = zones[i].zone_min; /* "GMT+1" still adds to it */
		return;
	}
}

static bool
take_word(Span *in, Date *date)
{
	char word[12];
	size_t size = 0;

	while (in->at < in->end && g_ascii_isalpha(*in->at)) {
		if (size == sizeof(word))
			return false;
		word[size++] = g_ascii_tolower(*in->at++);
	}
	for (int i = 0; date->month < 0 && i < 12; i++) {
		if (abbreviates(word, size, months[i]) ||
		    (size == 4 && !memcmp(word, "sept", 4) && i == 8)) {
			date->month = i;
			if (!take_char(in, '.'))
				take_char(in, '-'); /* "17-Jul-1996" */
			return true;
		}
	}
	for (int i = 0; i < 7; i++) {
		if (abbreviates(word, size, days[i])) {
			take_char(in, '.');
			return true;
		}
	}
	if (size == 2 && word[1] == 'm' && date->hour >= 0 && (word[0] == 'a' || word[0] == 'p')) {
		date->afternoon = word[0] == 'p';
		date->forenoon = word[0] == 'a';
		return true;
	}
	if (size == 1 && word[0] == 't' && date->day >= 0 && date->hour < 0)
		return true; /* ISO 8601's */
	/* A word that means nothing is some zone, where one can stand. */
	take_zone_name(date, word, size);
	return date->hour >= 0;
}

static bool
take_number(Span *in, Date *date)
{
	Span start = *in;
	int value, digits = take_digits(in, &value);
	char after = in->at < in->end ? *in->at : ' ';

	if (digits == 0)
		return false;
	if (digits <= 2 && date->hour < 0 && in->end - in->at > 2 && g_ascii_isdigit(in->at[1]) &&
	    (after == ':' || (after == '.' && date->day >= 0 && date->month >= 0)))
		return take_time(in, date, value);
	if (digits == 4 && after == '-' && date->year < 0 && date->month < 0) {
		int month;

		in->at++;
		if (take_digits(in, &month) != 2 || month < 1 || month > 12 ||
		    !take_char(in, '-') || take_digits(in, &date->day) != 2)
			return false;
		date->year = value;
		date->year_digits = 4;
		date->month = month - 1;
		return true;
	}
	if (date->day < 0 && digits <= 2) {
		date->day = value;
	} else if (date->year < 0 && date->month >= 0 && digits >= 2 && digits <= 4) {
		date->year = value;
		date->year_digits = digits;
	} else {
		*in = start;
		return false;
	}
	take_char(in, '-');
	if (in->at < in->end && in->end - in->at >= 2 && g_ascii_isalpha(*in->at) &&
	    (!memcmp(in->at, "th", 2) || !memcmp(in->at, "st", 2) || !memcmp(in->at, "nd", 2) ||
	     !memcmp(in->at, "rd", 2)))
		in->at += 2;
	return true;
}

static int64_t
days_before(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t last = year - 1;

	return last * 365 + last / 4 - last / 100 + last / 400 + before[month] +
	       (leap && month > 1) + day - 1 - 719162; /* 1970-01-01 */
}

static bool
is_whole(Date *date)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (date->year < 0 || date->month < 0)
		return false;
	if (date->year_digits == 3) /* RFC 5322, 4.3 */
		date->year += 1900;
	else if (date->year_digits == 2)
		date->year += date->year < 50 ? 2000 : 1900;
	if (date->year < 1900 || date->day < 1 || date->day > lengths[date->month])
		return false;
	if (date->month == 1 && date->day == 29 &&
	    days_before(date->year, 2, 1) - days_before(date->year, 1, 1) != 29)
		return false;
	if (date->hour < 0)
		date->hour = date->minute = date->second = 0;
	if ((date->afternoon || date->forenoon) && (date->hour < 1 || date->hour > 12))
		return !date->forenoon;
	if (date->afternoon && date->hour < 12)
		date->hour += 12;
	if (date->forenoon && date->hour == 12)
		date->hour = 0;
	return true;
}

bool
mail_date_parse(Span raw, int64_t *seconds, int *zone_min)
{
	Date date = { -1, -1, -1, -1, 0, 0, false, false, 0, false, 0 };
	Span in = raw;

	if (span_size(in) > RAW_MAX)
		in.end = in.at + RAW_MAX;
	for (skip_gaps(&in); !span_is_empty(in); skip_gaps(&in)) {
		bool sign = (*in.at == '+' || *in.at == '-') && date.hour >= 0 && !date.has_offset;
		bool understood;

		if (sign) {
			bool east = *in.at++ == '+';

			understood = take_offset(&in, &date, east);
		} else if (g_ascii_isalpha(*in.at)) {
			understood = take_word(&in, &date);
		} else {
			understood = take_number(&in, &date);
		}
		/* Once there is a date and a time, what else is there does not matter. */
		if (!understood && (date.year < 0 || date.hour < 0))
			return false;
		if (!understood)
			break;
	}
	if (!is_whole(&date))
		return false;
	*seconds = days_before(date.year, date.month, date.day) * 86400 + date.hour * 3600 +
		   date.minute * 60 + date.second - (int64_t)date.zone_min * 60;
	*zone_min = date.zone_min;
	return true;
}
