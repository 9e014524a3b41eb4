/* How much is kept, as a person writes it. */
#include "config-private.h"

#include <string.h>

typedef struct Unit {
	char letter;
	uint64_t worth;
} Unit;

/* Digits and the letter of a unit; 0: something else, or too much. */
static uint64_t
take_amount(const char *value, const Unit *units, size_t n, uint64_t bare)
{
	const char *end = value + strspn(value, "0123456789");
	uint64_t number, worth = *end ? 0 : bare;

	if (!span_to_number(span_of(value, (size_t)(end - value)), UINT64_MAX, &number))
		return 0;
	for (size_t i = 0; *end && !end[1] && i < n; i++)
		if (g_ascii_tolower(*end) == units[i].letter)
			worth = units[i].worth;
	return worth && number <= (uint64_t)INT64_MAX / worth ? number * worth : 0;
}

bool
config_time_parse(const char *value, int64_t *seconds)
{
	static const Unit units[] = {
		{ 'd', 86400 },
		{ 'w', UINT64_C(7) * 86400 },
		{ 'y', UINT64_C(365) * 86400 },
	};

	if (!g_ascii_strcasecmp(value, "none"))
		*seconds = 0;
	else if (!g_ascii_strcasecmp(value, "all"))
		*seconds = INT64_MAX;
	else
		*seconds = (int64_t)take_amount(value, units, G_N_ELEMENTS(units), 0);
	return *seconds || !g_ascii_strcasecmp(value, "none");
}

bool
config_size_parse(const char *value, uint64_t *bytes)
{
	static const Unit units[] = {
		{ 'k', UINT64_C(1) << 10 },
		{ 'm', UINT64_C(1) << 20 },
		{ 'g', UINT64_C(1) << 30 },
		{ 't', UINT64_C(1) << 40 },
	};

	*bytes = take_amount(value, units, G_N_ELEMENTS(units), 1);
	return *bytes > 0;
}
