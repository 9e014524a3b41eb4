/* Whatever is taken for a date is one, within the years that there are. */
#include "mail/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int64_t seconds = 0;
	int zone_min = 0;

	if (!mail_date_parse(span_of(bytes, size), &seconds, &zone_min))
		return 0;
	if (abs(zone_min) >= 16 * 60 || seconds < INT64_C(-2208988800) - 86400 ||
	    seconds > INT64_C(253402300800) + 86400)
		abort();
	return 0;
}
