/* Whatever comes in, what goes out is safe, stable, bounded, and its clusters add up. */
#include "base/safetext.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check(Span text, SafeMode mode)
{
	size_t out_size, again_size;
	g_autofree char *out = safe_text(text, mode, &out_size);
	g_autofree char *again = safe_text(span_of(out, out_size), mode, &again_size);
	size_t cells = 0;

	if (out_size > 3 * span_size(text) || again_size != out_size ||
	    memcmp(out, again, out_size) != 0 || !g_utf8_validate(out, (gssize)out_size, NULL))
		abort();
	for (const char *p = out; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (mode == SAFE_TEXT && (c == '\n' || c == '\t'))
			continue;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || (c >= 0xe0000 && c <= 0xe0fff))
			abort();
	}
	for (const char *p = out, *next; *p; p = next) {
		cells += (size_t)safe_text_cluster(span_of(p, (size_t)(out + out_size - p)), &next);
		if (next <= p)
			abort();
	}
	if (cells != (size_t)safe_text_width(span_of(out, out_size)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	check(span_of(bytes, size), SAFE_LINE);
	check(span_of(bytes, size), SAFE_TEXT);
	return 0;
}
