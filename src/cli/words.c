/* UID sets and flags as a person types them. */
#include "cli/options.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

/* ---- UID sets --------------------------------------------------------------------------------- */

void
cli_message_set_init(CliMessageSet *set)
{
	set->ranges = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	set->ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
}

void
cli_message_set_clear(CliMessageSet *set)
{
	g_clear_pointer(&set->ranges, g_array_unref);
	g_clear_pointer(&set->ids, g_array_unref);
}

/* "7" or "*", which gives 0. */
static bool
parse_end(Span text, uint32_t *uid)
{
	uint64_t number;

	*uid = 0;
	if (span_is(text, "*"))
		return true;
	if (!span_to_number(text, UINT32_MAX, &number) || !number)
		return false;
	*uid = (uint32_t)number;
	return true;
}

static bool
add_range(CliMessageSet *set, Span text)
{
	const char *colon = memchr(text.at, ':', span_size(text));
	uint32_t low, high;

	if (!parse_end((Span){ text.at, colon ? colon : text.end }, &low))
		return false;
	high = low;
	if (colon && !parse_end((Span){ colon + 1, text.end }, &high))
		return false;
	/* RFC 9051, 9: 9:7 is 7:9, and "*" is the largest there is. */
	if (low && high && low > high) {
		uint32_t swapped = low;

		low = high;
		high = swapped;
	} else if (!low && high) {
		low = high;
		high = 0;
	}
	g_array_append_val(set->ranges, low);
	g_array_append_val(set->ranges, high);
	return true;
}

bool
cli_message_set_add(CliMessageSet *set, const char *word, GError **error)
{
	g_auto(GStrv) pieces = g_strsplit(word, ",", -1);
	g_autofree char *shown = safe_line(word);

	for (char **piece = pieces; *word && *piece; piece++) {
		uint64_t number;

		if (g_str_has_prefix(*piece, "id:") &&
		    span_to_number(span_of_string(*piece + 3), INT64_MAX, &number) && number) {
			StoreId id = (StoreId)number;

			g_array_append_val(set->ids, id);
		} else if (!add_range(set, span_of_string(*piece))) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("\"%s\" is no UID set: it goes 7, 7:9, 7,9, * (the last one) "
				      "or id:N"),
				    shown);
			return false;
		}
	}
	if (!*word)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE, _("a UID set is empty"));
	return *word;
}

/* ---- flags ------------------------------------------------------------------------------------ */

bool
cli_is_flag(const char *word)
{
	return word[0] == '+' || (word[0] == '-' && word[1] && word[1] != '-');
}

/* RFC 9051, 9: flag-keyword is an atom. */
static bool
is_atom(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("(){%*\"\\]", *at))
			return false;
	return *text != '\0';
}

bool
cli_flag_parse(const char *word, CliFlag *flag, GError **error)
{
	static const struct {
		const char *name;
		uint16_t flag;
	} known[] = {
		{ "Seen", STORE_FLAG_SEEN },	   { "Answered", STORE_FLAG_ANSWERED },
		{ "Flagged", STORE_FLAG_FLAGGED }, { "Deleted", STORE_FLAG_DELETED },
		{ "Draft", STORE_FLAG_DRAFT },
	};
	const char *name = word + 1;
	g_autofree char *shown = safe_line(word);

	*flag = (CliFlag){ .set = word[0] == '+' };
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (!g_ascii_strcasecmp(name + (*name == '\\'), known[i].name)) {
			flag->flag = known[i].flag;
			return true;
		}
	if (*name == '\\') {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("\"%s\": the flags that can be changed are \\Seen, \\Answered, "
			      "\\Flagged, \\Deleted and \\Draft"),
			    shown);
		return false;
	}
	if (!is_atom(name)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("\"%s\" is no keyword: it is one word of printable ASCII without "
			      "(){%%*\"\\]"),
			    shown);
		return false;
	}
	flag->keyword = name;
	return true;
}
