#include "rows.h"

static void
say_response(GString *out, ImapParser *parser, const ImapFrame *frame)
{
	/* A copy of its own, so that a read past its end is seen. */
	size_t size = span_size(frame->text), error_offset;
	g_autofree char *copy = g_memdup2(frame->text.at, size);
	ImapFrame tight = *frame;
	ImapResponse response;
	char *text = NULL;
	size_t text_size = 0;
	Json json;

	tight.text = span_of(copy ? copy : "", size);
	if (!imap_parser_parse(parser, &tight, &response, &error_offset)) {
		assert_true(error_offset <= size);
		g_string_append(out, "!\n");
		return;
	}
	json_init(&json, open_memstream(&text, &text_size));
	dump_response(&json, &response);
	json_clear(&json);
	fclose(json.file);
	g_string_append_len(out, text, (gssize)text_size);
	free(text);
}

char *
rows_say(Span input, size_t chunk)
{
	g_autoptr(ImapFramer) framer = imap_framer_new(NULL, NULL, NULL);
	g_autoptr(ImapParser) parser = imap_parser_new();
	GString *out = g_string_new(NULL);

	while (!span_is_empty(input)) {
		Span in = { input.at, input.at + MIN(chunk, span_size(input)) };
		ImapFrame frame;

		input.at = in.end;
		while (imap_framer_take(framer, &in, &frame) == IMAP_FRAME_WHOLE)
			say_response(out, parser, &frame);
	}
	g_string_replace(out, "{\"tag\":\"*\",", "", 0);
	g_string_replace(out, "}\n", "\n", 0);
	g_string_replace(out, "\"", "'", 0);
	if (out->len)
		g_string_truncate(out, out->len - 1);
	return g_string_free(out, false);
}

/* Each beginning of the row's first response, as a whole frame. */
static void
parse_beginnings(const char *input)
{
	g_autoptr(ImapParser) parser = imap_parser_new();

	for (size_t size = 0; size <= strlen(input); size++) {
		g_autofree char *copy = g_memdup2(input, size);
		ImapFrame frame = { .text = span_of(copy ? copy : "", size) };
		ImapResponse response;
		size_t error_offset = 0;

		if (!imap_parser_parse(parser, &frame, &response, &error_offset))
			assert_true(error_offset <= size);
	}
}

static void
run_row(void **state)
{
	const Row *row = *state;
	g_autofree char *whole = rows_say(span_of_string(row->input), SIZE_MAX);
	g_autofree char *bytes = rows_say(span_of_string(row->input), 1);

	assert_string_equal(whole, row->output);
	assert_string_equal(bytes, row->output);
	parse_beginnings(row->input);
}

int
rows_run(const char *group, const Row *rows, size_t n_rows, const struct CMUnitTest *more,
	 size_t n_more)
{
	g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest, n_rows + n_more);

	for (size_t i = 0; i < n_rows; i++) {
		tests[i].name = rows[i].name;
		tests[i].test_func = run_row;
		tests[i].initial_state = (void *)&rows[i];
	}
	if (n_more)
		memcpy(tests + n_rows, more, n_more * sizeof *more);
	return _cmocka_run_group_tests(group, tests, n_rows + n_more, NULL, NULL);
}
