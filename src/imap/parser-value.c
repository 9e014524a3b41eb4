#include "parser-private.h"

/* ---- gathering --------------------------------------------------------------------------------- */

void
imap_gather_grow(ImapParser *parser, size_t size)
{
	parser->scratch_capacity = MAX(parser->scratch_size + size, 4096) * 2;
	parser->scratch = g_realloc(parser->scratch, parser->scratch_capacity);
}

const void *
imap_gather_end(ImapParser *parser, size_t mark, size_t *size)
{
	void *copy;

	*size = parser->scratch_size - mark;
	copy = imap_arena_take(&parser->arena, *size);
	if (*size)
		memcpy(copy, parser->scratch + mark, *size);
	parser->scratch_size = mark;
	return copy;
}

ImapStrings
imap_gather_strings(ImapParser *parser, size_t mark)
{
	ImapStrings strings;
	size_t size;

	strings.at = imap_gather_end(parser, mark, &size);
	strings.count = size / sizeof(Span);
	return strings;
}

ImapPairs
imap_gather_pairs(ImapParser *parser, size_t mark)
{
	ImapPairs pairs;
	size_t size;

	pairs.at = imap_gather_end(parser, mark, &size);
	pairs.count = size / sizeof(ImapPair);
	return pairs;
}

bool
imap_take_strings(ImapParser *parser, Span *in, ImapStrings *out)
{
	size_t mark = imap_gather_begin(parser);
	Span value;

	if (!imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		if (!imap_take_astring(parser, in, &value))
			return false;
		imap_gather(parser, &value, sizeof value);
	}
	*out = imap_gather_strings(parser, mark);
	return true;
}

bool
imap_take_strings_rest(ImapParser *parser, Span *in, ImapStrings *out)
{
	size_t mark = imap_gather_begin(parser);
	Span value;

	while (!imap_at_end(in)) {
		if (!imap_take_astring(parser, in, &value))
			return false;
		imap_gather(parser, &value, sizeof value);
	}
	*out = imap_gather_strings(parser, mark);
	return true;
}

/* ---- numbers ----------------------------------------------------------------------------------- */

/* nz-number or "*"; UINT32_MAX for "*". */
static bool
take_seq_number(Span *in, uint32_t *number)
{
	if (in->at < in->end && *in->at == '*') {
		in->at++;
		*number = UINT32_MAX;
		return true;
	}
	return in->at < in->end && imap_char_is(*in->at, IMAP_CHAR_DIGIT) &&
	       imap_take_number(in, number) && *number > 0;
}

bool
imap_take_ranges(ImapParser *parser, Span *in, ImapRanges *out)
{
	size_t mark = imap_gather_begin(parser), size;

	imap_skip_spaces(in);
	for (;;) {
		uint32_t a, b;
		ImapRange range;

		if (!take_seq_number(in, &a))
			return false;
		b = a;
		if (in->at < in->end && *in->at == ':') {
			in->at++;
			if (!take_seq_number(in, &b))
				return false;
		}
		range = (ImapRange){ MIN(a, b), MAX(a, b) };
		imap_gather(parser, &range, sizeof range);
		if (in->at == in->end || *in->at != ',')
			break;
		in->at++;
	}
	out->at = imap_gather_end(parser, mark, &size);
	out->count = size / sizeof(ImapRange);
	return true;
}

/* ---- flags ------------------------------------------------------------------------------------- */

static unsigned
flag_bit(Span flag)
{
	static const struct {
		const char *name;
		unsigned bit;
	} system[] = {
		{ "\\Seen", IMAP_FLAG_SEEN },	    { "\\Answered", IMAP_FLAG_ANSWERED },
		{ "\\Flagged", IMAP_FLAG_FLAGGED }, { "\\Deleted", IMAP_FLAG_DELETED },
		{ "\\Draft", IMAP_FLAG_DRAFT },	    { "\\Recent", IMAP_FLAG_RECENT },
		{ "\\*", IMAP_FLAG_ANY },
	};

	if (*flag.at != '\\')
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(system); i++) {
		if (span_is_nocase(flag, system[i].name))
			return system[i].bit;
	}
	return 0;
}

/* A flag, empty where it was one that cannot be: with a control character inside FETCH. */
static bool
take_flag(ImapParser *parser, Span *in, Span *flag)
{
	bool taken = imap_take_astring(parser, in, flag) || imap_take_word(in, flag);

	if (!parser->is_lenient || in->at == in->end || strchr(" ()", *in->at ? *in->at : 'x'))
		return taken;
	*flag = SPAN_EMPTY;
	return in->at != parser->literal_end && imap_skip_broken_word(parser, in);
}

/* Flags in forms no grammar knows are still flags: quoted, with brackets, 8-bit, NIL for none. */
bool
imap_take_flags(ImapParser *parser, Span *in, ImapFlags *out)
{
	size_t mark;
	Span flag;

	*out = (ImapFlags){ 0 };
	if (imap_take_nil(in))
		return true;
	mark = imap_gather_begin(parser);
	if (!imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		unsigned bit;

		if (imap_peek(in) == '(') {
			if (!imap_skip_value(parser, in))
				return false;
			continue;
		}
		if (!take_flag(parser, in, &flag))
			return false;
		bit = span_is_empty(flag) ? 0 : flag_bit(flag);
		out->bits |= bit;
		if (!bit && !span_is_empty(flag))
			imap_gather(parser, &flag, sizeof flag);
	}
	out->keywords = imap_gather_strings(parser, mark);
	return true;
}

/* ---- dates --------------------------------------------------------------------------------------- */

/* Days from 1970-01-01 to a day of the Gregorian calendar, in years of March to February, so that
 * the leap day is the last. */
static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2), era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int
month_from_name(const char *name)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char lower[3] = { (char)(name[0] | 0x20), (char)(name[1] | 0x20), (char)(name[2] | 0x20) };

	for (int i = 0; i < 12; i++) {
		if (!memcmp(lower, names + i * 3, 3))
			return i + 1;
	}
	return 0;
}

static int
days_in_month(int year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Exactly COUNT digits. */
static bool
take_fixed(Span *in, int count, int *value)
{
	if (in->end - in->at < count)
		return false;
	*value = 0;
	for (int i = 0; i < count; i++) {
		if (!imap_char_is(in->at[i], IMAP_CHAR_DIGIT))
			return false;
		*value = *value * 10 + (in->at[i] - '0');
	}
	in->at += count;
	return true;
}

static bool
take_exactly(Span *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static bool
take_zone(Span *in, int *zone_min)
{
	int hours, minutes;
	bool west;

	imap_skip_spaces(in);
	if (in->end - in->at < 5 || (*in->at != '+' && *in->at != '-'))
		return false;
	west = *in->at++ == '-';
	if (!take_fixed(in, 2, &hours) || !take_fixed(in, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*zone_min = (hours * 60 + minutes) * (west ? -1 : 1);
	return true;
}

bool
imap_date_parse(Span text, int64_t *seconds, int *zone_min)
{
	int day, month, year, hour, minute, second, zone;

	imap_skip_spaces(&text);
	if (!take_fixed(&text, 2, &day) && !take_fixed(&text, 1, &day))
		return false;
	if (!take_exactly(&text, '-') || text.end - text.at < 3)
		return false;
	month = month_from_name(text.at);
	text.at += 3;
	if (!month || !take_exactly(&text, '-') || !take_fixed(&text, 4, &year))
		return false;
	imap_skip_spaces(&text);
	if (!take_fixed(&text, 2, &hour) || !take_exactly(&text, ':') ||
	    !take_fixed(&text, 2, &minute) || !take_exactly(&text, ':') ||
	    !take_fixed(&text, 2, &second) || !take_zone(&text, &zone))
		return false;
	imap_skip_spaces(&text);
	if (!span_is_empty(text) || day < 1 || day > days_in_month(year, month) || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	*seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
		   zone * 60;
	*zone_min = zone;
	return true;
}
