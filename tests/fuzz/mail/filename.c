/* No name that a sender gives leads out of a directory, hides, or is no name. */
#include "mail/part.h"
#include "base/safetext.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autofree char *raw = g_strndup((const char *)bytes, size);
	g_autofree char *name = NULL;

	part->section = g_strdup("1.2");
	part->type = g_strdup("text/plain");
	part->name = g_utf8_make_valid(raw, -1);
	name = mail_part_file_name(part);
	if (!*name || strlen(name) > 255 || strpbrk(name, "/\\") || strchr(".-~ ", *name) ||
	    !safe_text_is(span_of_string(name), SAFE_LINE))
		abort();
	return 0;
}
