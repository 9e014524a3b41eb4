/* A part of any kind: safe, bounded, and the same whatever is behind it in memory.  The first bytes
 * choose the kind: type, charset, encoding, limit. */
#include "mail/header.h"
#include "mail/rich.h"
#include "mail/text.h"
#include "base/safetext.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	mail_init();
	return 0;
}

/* What mail/rich.h promises. */
static void
check_rich(const MailRich *rich)
{
	uint32_t at = 0;

	if (!safe_text_is(span_of(rich->text->str, rich->text->len), SAFE_TEXT) ||
	    memchr(rich->text->str, '\n', rich->text->len))
		abort();
	for (guint i = 0; i < rich->blocks->len; i++) {
		const MailBlock *block = &g_array_index(rich->blocks, MailBlock, i);

		if (block->at != at || block->end < at || block->table > rich->tables->len ||
		    block->column >= MAIL_TABLE_COLUMNS_MAX)
			abort();
		at = block->end;
	}
	if (at != rich->text->len)
		abort();
	at = 0;
	for (guint i = 0; i < rich->runs->len; i++) {
		const MailRun *run = &g_array_index(rich->runs, MailRun, i);

		if (run->at < at || run->end <= run->at || run->end > rich->text->len ||
		    run->link > rich->links->len)
			abort();
		at = run->end;
	}
	for (guint i = 0; i < rich->tables->len; i++) {
		const MailTable *table = &g_array_index(rich->tables, MailTable, i);

		if (table->n == 0 || table->first + table->n > rich->blocks->len ||
		    g_array_index(rich->blocks, MailBlock, table->first).table != i + 1)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const types[] = { "text/html", "text/plain", "text/plain; flowed" };
	static const char *const charsets[] = {
		"utf-8",     NULL,	     "us-ascii",    "utf-16",	   "utf-16le",
		"utf-32",    "iso-2022-jp",  "gb18030",	    "shift_jis",   "euc-kr",
		"koi8-r",    "big5-hkscs",   "iso-2022-kr", "iso-2022-cn", "euc-tw",
		"x-unknown", "windows-1255", "tcvn",	    "johab"
	};
	static const char *const encodings[] = { "", "quoted-printable", "base64" };
	static const size_t limits[] = { 0, 10, 1000, 100 };
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GBytes) body = NULL, headers = NULL;
	g_autofree char *text = NULL, *note = NULL, *some = NULL, *all = NULL;
	g_autoptr(MailRich) rich = NULL;
	MailTextLimits limit;

	if (size < 4)
		return 0;
	part->type = g_strdup(types[bytes[0] % G_N_ELEMENTS(types)]);
	part->format_flowed = bytes[0] % G_N_ELEMENTS(types) == 2;
	part->delsp = bytes[0] >= 128;
	part->charset = g_strdup(charsets[bytes[1] % G_N_ELEMENTS(charsets)]);
	part->encoding = g_strdup(encodings[bytes[2] % G_N_ELEMENTS(encodings)]);
	limit.max_bytes = limits[bytes[3] % G_N_ELEMENTS(limits)];
	body = g_bytes_new(bytes + 4, size - 4);
	text = mail_text_render(part, body, &limit, &note);
	if (!safe_text_is(span_of_string(text), SAFE_TEXT) ||
	    (limit.max_bytes && strlen(text) > limit.max_bytes) ||
	    (note && !safe_text_is(span_of_string(note), SAFE_LINE)))
		abort();
	rich =
	    mail_rich_render(part, body,
			     &(MailRichLimits){ limit.max_bytes, bytes[3], bytes[1] >= 128 }, NULL);
	check_rich(rich);
	some = mail_text_headers(body, false);
	all = mail_text_headers(body, true);
	if (!safe_text_is(span_of_string(some), SAFE_TEXT) ||
	    !safe_text_is(span_of_string(all), SAFE_TEXT))
		abort();
	return 0;
}
