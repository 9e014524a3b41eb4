/* The same stream, whole and in pieces, gives the same responses, failures and literals; and never
 * more is kept than the limits allow. */
#include "imap/framer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
want(void *data, Span prefix, uint64_t size)
{
	GString *heard = data;

	g_string_append_printf(heard, "<%zu,%" G_GUINT64_FORMAT ">", span_size(prefix), size);
	g_string_append_len(heard, prefix.at, (gssize)span_size(prefix));
	return prefix.end[-1] == '}' && size % 2;
}

static void
hear(void *data, Span bytes)
{
	g_string_append_len(data, bytes.at, (gssize)span_size(bytes));
}

/* Appends what one call on the framer gave; true when a failure must be skipped now. */
static bool
note(GString *heard, const ImapLimits *limits, ImapFrameResult result, const ImapFrame *frame)
{
	if (result == IMAP_FRAME_MORE)
		return false;
	g_string_append_printf(heard, "[%d]", (int)result);
	if (result != IMAP_FRAME_WHOLE)
		return true;
	if (span_size(frame->text) >= limits->max_response_bytes)
		abort();
	g_string_append_len(heard, frame->text.at, (gssize)span_size(frame->text));
	for (size_t i = 0; i < frame->n_streamed; i++) {
		if (frame->text.at[frame->streamed[i]] != '{')
			abort();
		g_string_append_printf(heard, "@%zu", frame->streamed[i]);
	}
	return false;
}

static GString *
cut(Span input, size_t chunk, const ImapLimits *limits)
{
	static const ImapLiteralSink sink = { want, hear };
	GString *heard = g_string_new(NULL);
	g_autoptr(ImapFramer) framer = imap_framer_new(limits, &sink, heard);
	bool skipping = false;

	while (!span_is_empty(input)) {
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
			skipping = note(heard, limits, result, &frame);
			if (result == IMAP_FRAME_MORE && !span_is_empty(in))
				abort();
		}
	}
	g_string_append(heard, imap_framer_is_empty(framer) ? "." : "...");
	return heard;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const ImapLimits tight = { 60, 200, 100, 4, 5 };
	const ImapLimits *limits;
	g_autoptr(GString) whole = NULL;
	size_t chunk;

	if (size < 2)
		return 0;
	limits = bytes[0] & 1 ? &tight : &imap_limits_default;
	chunk = 1 + bytes[1] % 40;
	whole = cut(span_of(bytes + 2, size - 2), SIZE_MAX, limits);
	for (size_t i = 0; i < 2; i++) {
		g_autoptr(GString) pieces =
		    cut(span_of(bytes + 2, size - 2), i ? chunk : 1, limits);

		if (!g_string_equal(whole, pieces))
			abort();
	}
	return 0;
}
