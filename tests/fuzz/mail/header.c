/* Header values: always UTF-8 without NUL, never much longer than they came, and an address that
 * was written is read back as one. */
#include "mail/header.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	mail_init();
	return 0;
}

static void
check(const GString *out, size_t size)
{
	if (!g_utf8_validate(out->str, (gssize)out->len, NULL) || strlen(out->str) != out->len ||
	    out->len > 8 * size + 16)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const fallbacks[] = { NULL, "koi8-r", "iso-2022-jp", "no-such" };
	Span raw = span_of(bytes, size), name = raw, host = raw;
	g_autoptr(GString) decoded = g_string_new(NULL);
	g_autoptr(GString) again = g_string_new(NULL);
	g_autoptr(GString) list = g_string_new(NULL);
	g_autoptr(GString) address = g_string_new(NULL);
	g_autofree char *brief = NULL, *brief_of_one = NULL;

	mail_header_decode(raw, fallbacks[size % G_N_ELEMENTS(fallbacks)], decoded);
	check(decoded, size);
	if (mail_header_is_plain(raw) && !span_equals(raw, span_of(decoded->str, decoded->len)))
		abort();
	mail_address_list_append(list, raw);
	check(list, size);
	brief = mail_address_short(list->str);
	if (!g_utf8_validate(brief, -1, NULL))
		abort();
	name.end = name.at + size / 2;
	host.at = host.end - size / 4;
	mail_address_append(address, name, (Span){ name.end, host.at }, host);
	check(address, size);
	brief_of_one = mail_address_short(address->str);
	return 0;
}
