#include "imap/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What comes out of INPUT, fed CHUNK bytes at a time: responses between bars, a failure as "!" and
 * its name (the framer then goes on behind the line), "..." for a response that has not ended. */
static char *
cut(Span input, size_t chunk, const ImapLimits *limits, const ImapLiteralSink *sink, void *data)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(limits, sink, data);
	g_autoptr(GString) out = g_string_new("|");
	bool skipping = false;

	while (!span_is_empty(input)) {
		/* A copy of its own, so that a read past its end is seen. */
		size_t size = MIN(chunk, span_size(input));
		g_autofree char *copy = g_memdup2(input.at, size);
		Span in = span_of(copy, size);

		input.at += size;
		while (!span_is_empty(in)) {
			ImapFrame frame;
			ImapFrameResult result;

			if (skipping) {
				skipping = !imap_framer_resync(framer, &in);
				continue;
			}
			result = imap_framer_take(framer, &in, &frame);
			if (result == IMAP_FRAME_WHOLE) {
				g_string_append_len(out, frame.text.at,
						    (gssize)span_size(frame.text));
				for (size_t i = 0; i < frame.n_streamed; i++)
					g_string_append_printf(out, "<%zu>", frame.streamed[i]);
				g_string_append_c(out, '|');
				assert_true(imap_framer_is_empty(framer));
			} else if (result == IMAP_FRAME_MORE) {
				assert_true(span_is_empty(in));
			} else {
				ImapFrame again;

				g_string_append(out, result == IMAP_FRAME_TOO_LONG  ? "!long|"
						     : result == IMAP_FRAME_TOO_BIG ? "!big|"
										    : "!bad|");
				/* It fails for good, until somebody skips. */
				assert_int_equal(imap_framer_take(framer, &in, &again), result);
				skipping = true;
			}
		}
	}
	if (!imap_framer_is_empty(framer))
		g_string_append(out, "...");
	return g_string_free(g_steal_pointer(&out), false);
}

static const size_t chunks[] = { SIZE_MAX, 1, 2, 3, 5, 7, 11 };

typedef struct Row {
	const char *name, *input, *output;
} Row;

static const ImapLimits small = {
	.max_line_bytes = 40,
	.max_response_bytes = 100,
	.max_literal_bytes = 64,
	.max_literals = 3,
	.stream_from_bytes = 1000,
};

static const Row rows[] = {
	{ "/imap/framer/crlf-ends-a-line", "* OK a\r\nA1 OK b\r\n", "|* OK a|A1 OK b|" },
	{ "/imap/framer/lone-lf-ends-a-line", "* OK a\nA1 OK b\n", "|* OK a|A1 OK b|" },
	{ "/imap/framer/lone-lf-in-the-quotes-of-a-fetch-ends-nothing",
	  "* OK\r\n* 1 FETCH (\"a\n\\\"\\\n* 2 \"\n \"\\\n\\\")\r\n* Y\n",
	  "|* OK|* 1 FETCH (\"a\n\\\"\\\n* 2 \"| \"\\|\\\")|* Y|" },
	{ "/imap/framer/lone-lf-in-quotes-ends-the-line-of-a-server-that-sends-lf",
	  "* OK\n* 1 FETCH (\"a\nb\")\n", "|* OK|* 1 FETCH (\"a|b\")|" },
	{ "/imap/framer/lone-lf-in-quotes-of-other-data-ends-the-line",
	  "* OK\r\n* LIST \"a\nb\"\r\n", "|* OK|* LIST \"a|b\"|" },
	{ "/imap/framer/lone-lf-behind-a-literal-ends-the-line",
	  "* OK\r\n* 1 F \"{1}\r\n\"\n* \"\n", "|* OK|* 1 F \"{1}\r\n\"|* \"|" },
	{ "/imap/framer/cr-cr-lf-ends-a-line", "* OK a\r\r\nA1 OK b\r\n", "|* OK a|A1 OK b|" },
	{ "/imap/framer/lone-cr-ends-nothing", "* OK a\rb\r\n", "|* OK a\rb|" },
	{ "/imap/framer/empty-lines-are-responses", "\r\n\n* OK\r\n", "|||* OK|" },
	{ "/imap/framer/unended-line-is-kept", "* OK a\r\n* OK", "|* OK a|..." },
	{ "/imap/literal/is-part-of-its-response",
	  "* 1 FETCH (X {5}\r\na\r\nb) Y {0}\r\n)\r\n* 2\r\n",
	  "|* 1 FETCH (X {5}\r\na\r\nb) Y {0}\r\n)|* 2|" },
	{ "/imap/literal/non-synchronising-form", "* X {3+}\r\nabc\r\n", "|* X {3+}\r\nabc|" },
	{ "/imap/literal/literal8", "* X ~{3}\r\na\nb\r\n", "|* X ~{3}\r\na\nb|" },
	{ "/imap/literal/behind-a-lone-lf", "* X {3}\nabc\n* Y\n", "|* X {3}\nabc|* Y|" },
	{ "/imap/literal/behind-cr-cr-lf", "* X {3}\r\r\nabc\r\n", "|* X {3}\r\r\nabc|" },
	{ "/imap/literal/leading-zeros", "* X {003}\r\nabc\r\n", "|* X {003}\r\nabc|" },
	{ "/imap/literal/may-hold-another-announcement", "* X {5}\r\n{9}\r\n\r\n* Y\r\n",
	  "|* X {5}\r\n{9}\r\n|* Y|" },
	{ "/imap/literal/cut-short-is-kept", "* X {5}\r\nab", "|..." },
	{ "/imap/literal/announced-and-not-begun-is-kept", "* X {5}\r\n", "|..." },
	{ "/imap/literal/braces-in-the-middle-are-text", "* X {3} y\r\n", "|* X {3} y|" },
	{ "/imap/literal/without-digits-is-text", "* X {}\r\n* Y {a3}\r\n* Z 3}\r\n{\r\n}\r\n",
	  "|* X {}|* Y {a3}|* Z 3}|{|}|" },
	{ "/imap/literal/closed-quote-behind-it-is-text", "* LIST () NIL \"a {12}\"\r\n* Y\r\n",
	  "|* LIST () NIL \"a {12}\"|* Y|" },
	{ "/imap/literal/in-an-open-quote-is-swallowed-for-the-parser-to-refuse",
	  "* LIST () NIL \"a {4}\r\n* OK\r\n* Y\r\n", "|* LIST () NIL \"a {4}\r\n* OK|* Y|" },
	{ "/imap/literal/negative-size-is-refused", "* X {-1}\r\n* Y\r\n", "|!bad|* Y|" },
	{ "/imap/literal/twenty-digits-are-refused", "* {18446744073709551616}\r\n* Y\r\n",
	  "|!bad|* Y|" },
	{ "/imap/literal/over-63-bits-is-refused", "* X {9223372036854775808}\r\n* Y\r\n",
	  "|!bad|* Y|" },
	{ "/imap/literal/two-signs-are-refused", "* X {3++}\r\n* Y\r\n", "|!bad|* Y|" },
	{ "/imap/literal/four-gigabytes-are-refused-when-announced", "* X {4294967296}\r\n* Y\r\n",
	  "|!big|* Y|" },
	{ "/imap/literal/larger-than-limit-is-refused", "* X {65}\r\n* Y\r\n", "|!big|* Y|" },
	{ "/imap/literal/larger-than-the-response-may-be-is-refused",
	  "* X {60}\r\n123456789a123456789b123456789c123456789d123456789e123456789f {30}\r\n* "
	  "Y\r\n",
	  "|!big|* Y|" },
	{ "/imap/literal/more-than-limit-are-refused",
	  "* {1}\r\na{1}\r\nb{1}\r\nc\r\n* {1}\r\na{1}\r\nb{1}\r\nc{1}\r\nd\r\n* Y\r\n",
	  "|* {1}\r\na{1}\r\nb{1}\r\nc|!big|d|* Y|" },
	{ "/imap/line/as-long-as-limit-passes", "* 3456789 123456789 123456789 12345678\r\n* Y\r\n",
	  "|* 3456789 123456789 123456789 12345678|* Y|" },
	{ "/imap/line/longer-than-limit-is-refused",
	  "* 3456789 123456789 123456789 123456789\r\n* Y\r\n", "|!long|* Y|" },
	{ "/imap/line/endless-one-is-refused-before-its-end",
	  "* 3456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789",
	  "|!long|" },
	{ "/imap/line/limit-counts-from-the-last-literal",
	  "* 3456789 123456789 {5}\r\nabcde 123456789 123456789\r\n",
	  "|* 3456789 123456789 {5}\r\nabcde 123456789 123456789|" },
	{ "/imap/text/braces-end-a-status",
	  "* OK see {3}\r\nA1 NO {3}\r\na bad x{3}\r\n* BYE {3}\r\n",
	  "|* OK see {3}|A1 NO {3}|a bad x{3}|* BYE {3}|" },
	{ "/imap/text/braces-end-a-preauth", "* PREAUTH {3}\r\n* Y\r\n", "|* PREAUTH {3}|* Y|" },
	{ "/imap/text/braces-end-a-continuation", "+ go {3}\r\n+{3}\r\n* Y\r\n",
	  "|+ go {3}|+{3}|* Y|" },
	{ "/imap/text/braces-no-size-end-a-status", "* OK {-1}\r\n* NO {99999999999999999999}\r\n",
	  "|* OK {-1}|* NO {99999999999999999999}|" },
	{ "/imap/text/braces-behind-a-code", "* OK [ALERT] see {3}\r\n* Y\r\n",
	  "|* OK [ALERT] see {3}|* Y|" },
	{ "/imap/text/literal-inside-an-open-code",
	  "* NO [BADCHARSET ({5}\r\nUTF-8)] x {1}\r\n* Y\r\n",
	  "|* NO [BADCHARSET ({5}\r\nUTF-8)] x {1}|* Y|" },
	{ "/imap/text/two-literals-inside-an-open-code",
	  "A NO [BADCHARSET ({1}\r\n] {1}\r\nb)] {1}\r\n* Y\r\n",
	  "|A NO [BADCHARSET ({1}\r\n] {1}\r\nb)] {1}|* Y|" },
	{ "/imap/text/okay-is-not-ok", "* OKAY {3}\r\nabc\r\n", "|* OKAY {3}\r\nabc|" },
};

static void
row_comes_out_the_same_however_it_is_fed(void **state)
{
	const Row *row = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
		g_autofree char *output =
		    cut(span_of_string(row->input), chunks[i], &small, NULL, NULL);

		assert_string_equal(output, row->output);
	}
}

/* ---- streaming --------------------------------------------------------------------------------- */

static bool
want_bodies(void *data, Span prefix, uint64_t size)
{
	GString *heard = data;

	g_string_append_printf(heard, "[%.*s %" G_GUINT64_FORMAT "]", (int)span_size(prefix),
			       prefix.at, size);
	return g_strstr_len(prefix.at, (gssize)span_size(prefix), "BODY") != NULL;
}

static void
hear(void *data, Span bytes)
{
	assert_false(span_is_empty(bytes));
	g_string_append_len(data, bytes.at, (gssize)span_size(bytes));
}

static void
large_literal_goes_to_the_sink(void **state)
{
	static const ImapLiteralSink sink = { want_bodies, hear };
	ImapLimits limits = small;
	const char *input = "* 1 FETCH (X {6}\r\nkept-6 BODY[] {12}\r\n* 2 EXISTS\r\n Y {2}\r\nok"
			    " BODY[2] ~{7+}\r\nstream2)\r\n* OK\r\n";

	limits.stream_from_bytes = 6;
	limits.max_literals = 4;
	for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
		g_autoptr(GString) heard = g_string_new(NULL);
		g_autofree char *output =
		    cut(span_of_string(input), chunks[i], &limits, &sink, heard);

		assert_string_equal(heard->str,
				    "[* 1 FETCH (X {6} 6]"
				    "[* 1 FETCH (X {6}\r\nkept-6 BODY[] {12} 12]* 2 EXISTS\r\n"
				    "[* 1 FETCH (X {6}\r\nkept-6 BODY[] {12}\r\n Y {2}\r\nok "
				    "BODY[2] "
				    "~{7+} 7]stream2");
		assert_string_equal(output,
				    "|* 1 FETCH (X {6}\r\nkept-6 BODY[] {12}\r\n Y {2}\r\nok "
				    "BODY[2] ~{7+}\r\n)<32><58>|* OK|");
	}
}

static void
streamed_literal_counts_against_its_own_limit_only(void **state)
{
	static const ImapLiteralSink sink = { want_bodies, hear };
	ImapLimits limits = { 100, 40, 50, 10, 1 };
	g_autoptr(GString) heard = g_string_new(NULL);
	g_autoptr(GString) input = g_string_new("* BODY {50}\r\n");
	g_autofree char *output = NULL;

	for (int i = 0; i < 50; i++)
		g_string_append_c(input, 'x');
	g_string_append(input, "\r\n* BODY {51}\r\n* Y\r\n");
	output = cut(span_of(input->str, input->len), 9, &limits, &sink, heard);
	assert_string_equal(output, "|* BODY {50}\r\n<7>|!big|* Y|");
}

/* ---- promises ------------------------------------------------------------------------------------ */

static void
whole_response_is_not_copied(void **state)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(NULL, NULL, NULL);
	const char *text = "* X {3}\r\nabc\r\n* Y\r\n";
	Span in = span_of_string(text);
	ImapFrame frame;

	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_WHOLE);
	assert_ptr_equal(frame.text.at, text);
	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_WHOLE);
	assert_ptr_equal(frame.text.at, text + 14);
	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_MORE);
}

/* Were the start scanned again with each byte, this would not end. */
static void
long_line_byte_by_byte_is_linear(void **state)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(NULL, NULL, NULL);
	ImapFrame frame;
	Span in;

	for (int i = 0; i < 4 << 20; i++) {
		in = span_of("x{1}", 4);
		assert_int_equal(imap_framer_take(framer,
						  &(Span){ in.at + i % 4, in.at + i % 4 + 1 },
						  &frame),
				 IMAP_FRAME_MORE);
	}
	in = span_of("\n", 1);
	/* It ends in "{1}": a literal; and its one byte and line end. */
	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_MORE);
	in = span_of("a\n", 2);
	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_WHOLE);
	assert_int_equal(span_size(frame.text), (4 << 20) + 2);
}

static bool
refuse(void *data, Span prefix, uint64_t size)
{
	return false;
}

static void
unwanted_literal_is_kept(void **state)
{
	static const ImapLiteralSink sink = { refuse, NULL };
	g_autofree char *output = NULL;

	output = cut(span_of_string("* X {5}\r\nabcde\r\n"), 2,
		     &(ImapLimits){ 100, 100, 100, 9, 1 }, &sink, NULL);
	assert_string_equal(output, "|* X {5}\r\nabcde|");
}

int
main(void)
{
	struct CMUnitTest tests[G_N_ELEMENTS(rows) + 5] = {
		{ "/imap/literal/large-one-goes-to-the-sink", large_literal_goes_to_the_sink },
		{ "/imap/literal/streamed-one-counts-against-its-own-limit-only",
		  streamed_literal_counts_against_its_own_limit_only },
		{ "/imap/literal/unwanted-one-is-kept", unwanted_literal_is_kept },
		{ "/imap/framer/whole-response-is-not-copied", whole_response_is_not_copied },
		{ "/imap/framer/long-line-byte-by-byte-is-linear",
		  long_line_byte_by_byte_is_linear },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		tests[5 + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = row_comes_out_the_same_however_it_is_fed,
			.initial_state = (void *)&rows[i],
		};
	}
	return cmocka_run_group_tests_name("imap-framer", tests, NULL, NULL);
}
