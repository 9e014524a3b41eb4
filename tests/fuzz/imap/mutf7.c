/* A name that decodes comes back as the same bytes; a name that encodes comes back as the same
 * name; and what is sent can break no line. */
#include "imap/mutf7.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_raw(Span raw, bool utf8)
{
	g_autofree char *name = imap_mailbox_name_decode(raw, utf8);
	g_autofree char *again = name ? imap_mailbox_name_encode(name, utf8) : NULL;

	if (!name)
		return;
	if (!g_utf8_validate(name, -1, NULL) || !again || !span_is(raw, again))
		abort();
}

static void
check_name(const char *name, bool utf8)
{
	g_autofree char *raw = imap_mailbox_name_encode(name, utf8);
	g_autofree char *again = raw ? imap_mailbox_name_decode(span_of_string(raw), utf8) : NULL;

	if (!raw)
		return;
	if (!again || strcmp(again, name) != 0 || strpbrk(raw, "\r\n"))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autofree char *text = g_strndup((const char *)bytes, size);

	for (int utf8 = 0; utf8 < 2; utf8++) {
		check_raw(span_of(bytes, size), utf8);
		check_name(text, utf8);
	}
	return 0;
}
