/* What it costs to show a message in a list, and to read one.  Prints; asserts nothing. */
#include "mail/header.h"
#include "mail/text.h"
#include "base/safetext.h"

#include <stdio.h>

#define TIMES 200000

static void
print_each(const char *what, gint64 start_us, unsigned times)
{
	double us = (double)(g_get_monotonic_time() - start_us);

	printf("%-34s %8.0f ns\n", what, us * 1000 / times);
}

static void
bench_headers(void)
{
	static const struct {
		const char *what, *raw;
	} values[] = {
		{ "a plain subject",
		  "Re: [list] a subject line of a usual length, sixty bytes or so" },
		{ "raw UTF-8", "Gr\xc3\xbc\xc3\x9f"
			       "e aus M\xc3\xbcnchen" },
		{ "two words of UTF-8",
		  "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?Q?_M=C3=BCnchen?=" },
		{ "a word of Latin-1", "=?iso-8859-1?Q?Gr=FC=DFe_aus_M=FCnchen?=" },
		{ "a word of ISO-2022-JP", "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=" },
	};
	g_autoptr(GString) out = g_string_new(NULL);
	gint64 start;
	int64_t seconds;
	int zone_min;

	for (size_t v = 0; v < G_N_ELEMENTS(values); v++) {
		Span raw = span_of_string(values[v].raw);

		start = g_get_monotonic_time();
		for (unsigned i = 0; i < TIMES; i++) {
			g_string_truncate(out, 0);
			mail_header_decode(raw, NULL, out);
		}
		print_each(values[v].what, start, TIMES);
	}
	start = g_get_monotonic_time();
	for (unsigned i = 0; i < TIMES; i++) {
		g_string_truncate(out, 0);
		mail_address_append(out, SPAN_LITERAL("Ada Example"), SPAN_LITERAL("ada"),
				    SPAN_LITERAL("example.org"));
	}
	print_each("an address", start, TIMES);
	start = g_get_monotonic_time();
	for (unsigned i = 0; i < TIMES; i++)
		mail_date_parse(SPAN_LITERAL("Mon, 02 Jan 2006 15:04:05 +0100 (CET)"), &seconds,
				&zone_min);
	print_each("a date", start, TIMES);
}

static void
bench_text(const char *what, const char *type, const char *unit)
{
	g_autoptr(MailPart) part = mail_part_new();
	g_autoptr(GString) body = g_string_new(NULL);
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *text = NULL;
	gint64 start, us;

	while (body->len < (size_t)4 << 20)
		g_string_append(body, unit);
	bytes = g_bytes_new(body->str, body->len);
	part->type = g_strdup(type);
	part->charset = g_strdup("utf-8");
	part->encoding = g_strdup("");
	start = g_get_monotonic_time();
	text = mail_text_render(part, bytes, NULL, NULL);
	us = MAX(g_get_monotonic_time() - start, 1);
	printf("%-34s %8.1f MB/s\n", what, (double)body->len / (double)us);
}

int
main(void)
{
	mail_init();
	bench_headers();
	bench_text("plain text", "text/plain",
		   "A line of text as people write them, in ASCII.\r\n");
	bench_text("plain text, not ASCII", "text/plain",
		   "\xd0\x96\xd0\xb8\xd0\xbb\xd0\xb8-\xd0\xb1\xd1\x8b\xd0\xbb\xd0\xb8 "
		   "\xe6\x97\xa5\xe6\x9c\xac.\r\n");
	bench_text("a newsletter", "text/html",
		   "<tr style=\"margin:0\"><td width=\"50%\" style=\"font:12px Arial;color:#333\">"
		   "<p>Some words, a <a "
		   "href=\"https://example.org/?a=1&amp;b=2\">link</a>.</p></td></tr>\n");
	bench_text("the deepest nesting", "text/html", "<div>");
	return 0;
}
