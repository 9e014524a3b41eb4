/* What a hostile server can do with one response: depth, width, length, NULs.  Each ends in an answer,
 * within time and memory that grow with the bytes sent and no faster. */
#include "rows.h"

#include "../../../src/imap/parser-private.h"

static void
repeat(GString *out, const char *text, size_t times)
{
	while (times--)
		g_string_append(out, text);
}

/* Parses HEAD, N times OPEN, MIDDLE, N times CLOSE, TAIL. */
static bool
parse_deep(ImapParser *parser, GString *line, const char *const text[5], size_t n,
	   ImapResponse *response)
{
	ImapFrame frame = { 0 };
	size_t error_offset;

	g_string_assign(line, text[0]);
	repeat(line, text[1], n);
	g_string_append(line, text[2]);
	repeat(line, text[3], n);
	g_string_append(line, text[4]);
	frame.text = span_of(line->str, line->len);
	return imap_parser_parse(parser, &frame, response, &error_offset);
}

#define LEAF "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)"
#define DEEP 100000

static void
deep_structure_is_cut_and_the_message_stays(void **state)
{
	static const char *const nests[][5] = {
		{ "* 1 FETCH (UID 7 BODYSTRUCTURE ", "(", LEAF, " \"MIXED\")", " RFC822.SIZE 5)" },
		{ "* 1 FETCH (UID 7 BODYSTRUCTURE ",
		  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 (NIL) ", LEAF, " 5)",
		  " RFC822.SIZE 5)" },
		{ "* 1 FETCH (UID 7 BODYSTRUCTURE ", "(", "", ")", " RFC822.SIZE 5)" },
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(nests); i++) {
		assert_true(parse_deep(parser, line, nests[i], DEEP, &response));
		assert_true(response.fetch.body_truncated);
		assert_int_equal(response.fetch.uid.value, 7);
		assert_int_equal(response.fetch.size, 5);
		assert_int_equal(response.fetch.n_parts, IMAP_BODY_MAX_DEPTH + 1);
		assert_int_equal(response.fetch.parts[IMAP_BODY_MAX_DEPTH].depth,
				 IMAP_BODY_MAX_DEPTH);
		for (size_t part = 0; part < response.fetch.n_parts; part++)
			g_free(imap_body_section(response.fetch.parts, part));
	}
	/* As deep as allowed is not cut. */
	assert_true(parse_deep(parser, line, nests[0], IMAP_BODY_MAX_DEPTH, &response));
	assert_false(response.fetch.body_truncated);
}

/* A structure as long as one may get passes the framer's limits. */
static void
longest_structure_fits_the_limits(void **state)
{
	static const char part[] = "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 999999 "
				   "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ";
	g_autoptr(ImapFramer) framer = imap_framer_new(NULL, NULL, NULL);
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new("* 1 FETCH (UID 7 BODYSTRUCTURE ");
	ImapFrame frame;
	ImapResponse response;
	size_t error_offset;
	Span in;

	repeat(line, part, DEEP);
	g_string_append(line, LEAF);
	repeat(line, " 99999)", DEEP);
	g_string_append(line, " RFC822.SIZE 5)\r\n");
	assert_true(line->len > 9 << 20);
	in = span_of(line->str, line->len);
	assert_int_equal(imap_framer_take(framer, &in, &frame), IMAP_FRAME_WHOLE);
	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	assert_true(response.fetch.body_truncated);
	assert_int_equal(response.fetch.size, 5);
}

static void
deep_and_unclosed_is_refused(void **state)
{
	static const char *const heads[] = {
		"* 1 FETCH (X {0}\r\n BODYSTRUCTURE ",
		"* 1 FETCH (X {0}\r\n X-FOO ",
		"* 1 FETCH (X {0}\r\n ENVELOPE ",
		"* 1 FETCH (X {0}\r\n FLAGS (",
		"* THREAD ",
		"* NAMESPACE ((\"\" \"/\" ",
		"* STATUS a (X-FOO ",
		"* LIST () NIL a (X ",
		"* ESEARCH X ",
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
		const char *const text[5] = { heads[i], "(", "", "", "" };

		assert_false(parse_deep(parser, line, text, DEEP, &response));
	}
}

static void
deep_and_unclosed_costs_only_its_item(void **state)
{
	static const char *const heads[] = {
		"* 1 FETCH (UID 7 BODYSTRUCTURE ",
		"* 1 FETCH (UID 7 X-FOO ",
		"* 1 FETCH (UID 7 ENVELOPE ",
		"* 1 FETCH (UID 7 FLAGS (",
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
		const char *const text[5] = { heads[i], "(", "", "", "" };

		assert_true(parse_deep(parser, line, text, DEEP, &response));
		assert_int_equal(response.fetch.present, IMAP_FETCH_UID | IMAP_FETCH_UNKNOWN);
		assert_int_equal(response.fetch.uid.value, 7);
	}
}

static void
deep_lists_are_skipped(void **state)
{
	static const char *const nests[][5] = {
		{ "* 1 FETCH (X-FOO ", "(", "x", ")", " UID 7)" },
		{ "* 1 FETCH (ENVELOPE (NIL ", "(", "x", ")", ") UID 7)" },
		{ "* 1 FETCH (FLAGS (a ", "(", "x", ")", ") UID 7)" },
		{ "* 1 FETCH (BODYSTRUCTURE (\"A\" \"B\" (\"x\" ", "(", "x", ")", ")) UID 7)" },
		{ "* NAMESPACE ((\"\" \"/\" \"X\" ", "(", "x", ")", ")) NIL NIL" },
		{ "* STATUS a (X-FOO ", "(", "x", ")", " MESSAGES 5)" },
		{ "* LIST () NIL a (X ", "(", "x", ")", ")" },
		{ "* ESEARCH X-FOO ", "(", "x", ")", " COUNT 5" },
		{ "* XFOO ", "(", "x", ")", "" },
		{ "* OK [XFOO ", "(", "x", ")", "] text" },
		{ "* OK [XFOO ", "[", "x", "]", "] text" },
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(nests); i++) {
		assert_true(parse_deep(parser, line, nests[i], DEEP, &response));
		if (response.type == IMAP_RESPONSE_FETCH)
			assert_int_equal(response.fetch.uid.value, 7);
	}
}

static void
deep_thread_keeps_its_depth(void **state)
{
	static const char *const nests[][5] = {
		{ "* THREAD ", "(1 ", "(2)(3)", ")", "" },
		{ "* THREAD ", "(", "(2)(3)", ")", "" },
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(nests); i++) {
		assert_true(parse_deep(parser, line, nests[i], DEEP, &response));
		assert_int_equal(response.threads.count, DEEP + 2);
		assert_int_equal(response.threads.at[DEEP + 1].number, 3);
		assert_int_equal(response.threads.at[DEEP + 1].depth, DEEP);
	}
}

static void
wide_structure_is_cut(void **state)
{
	static const char *const text[5] = { "* 1 FETCH (BODYSTRUCTURE (", LEAF, "", "",
					     " \"MIXED\") UID 7)" };
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	assert_true(parse_deep(parser, line, text, DEEP, &response));
	assert_true(response.fetch.body_truncated);
	assert_int_equal(response.fetch.n_parts, IMAP_BODY_MAX_PARTS);
	assert_int_equal(response.fetch.parts[0].n_children, IMAP_BODY_MAX_PARTS - 1);
	assert_int_equal(response.fetch.uid.value, 7);
}

/* A body cut for its depth must not cost its later sisters theirs. */
static void
message_behind_a_cut_one_keeps_its_body(void **state)
{
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	const char *const text[5] = { "* 1 FETCH (BODYSTRUCTURE (", "(", LEAF, " \"MIXED\")",
				      "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 (NIL) " LEAF
				      " 5) \"MIXED\"))" };
	const ImapBodyPart *last;
	ImapResponse response;

	assert_true(parse_deep(parser, line, text, 500, &response));
	assert_true(response.fetch.body_truncated);
	last = &response.fetch.parts[response.fetch.n_parts - 1];
	assert_true(span_is(last->type, "TEXT"));
	assert_int_equal(last->depth, 2);
}

static void
wide_lists_are_counted_right(void **state)
{
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	assert_true(parse_deep(parser, line,
			       (const char *const[5]){ "* SEARCH", " 123456", "", "", "" },
			       3 * DEEP, &response));
	assert_int_equal(response.numbers.count, 3 * DEEP);
	assert_int_equal(response.numbers.at[3 * DEEP - 1], 123456);
	/* four bytes each, and none twice */
	assert_true(parser->scratch_capacity < 3 * DEEP);
	assert_true((size_t)(parser->arena.at - (const char *)response.numbers.at) <=
		    3 * DEEP * sizeof(uint32_t) + 16);
	assert_true(
	    parse_deep(parser, line,
		       (const char *const[5]){ "* 1 FETCH (FLAGS (", " \\Seen kw", "", "", "))" },
		       DEEP, &response));
	assert_int_equal(response.fetch.flags.keywords.count, DEEP);
	assert_true(parse_deep(parser, line,
			       (const char *const[5]){ "* 1 FETCH (ENVELOPE (NIL NIL (",
						       "(NIL NIL \"m\" \"h\")", "", "", ")))" },
			       DEEP, &response));
	assert_int_equal(response.fetch.envelope.from.count, DEEP);
	assert_true(parse_deep(parser, line,
			       (const char *const[5]){ "* 1 FETCH (BODYSTRUCTURE (\"A\" \"B\" (",
						       "\"name*0*\" \"x\" ", "", "", ")))" },
			       DEEP, &response));
	assert_int_equal(response.fetch.parts[0].parameters.count, DEEP);
	assert_true(parse_deep(parser, line,
			       (const char *const[5]){ "* ESEARCH", " ADDTO (1 2:3)", "", "", "" },
			       DEEP, &response));
	assert_int_equal(response.esearch.n_updates, DEEP);
	assert_true(parse_deep(parser, line,
			       (const char *const[5]){ "* VANISHED 7", ",1:2", "", "", "" }, DEEP,
			       &response));
	assert_int_equal(response.ranges.count, DEEP + 1);
	assert_true(
	    parse_deep(parser, line,
		       (const char *const[5]){ "* 1 FETCH (", "BODY[1] \"a\" ", "", "", ")" }, DEEP,
		       &response));
	assert_int_equal(response.fetch.n_sections, DEEP);
}

/* Many brackets that do not pair, many quotes that do not: each is looked at a bounded number of
 * times, or this would not end. */
static void
unpaired_marks_are_linear(void **state)
{
	static const char *const texts[][5] = {
		{ "* OK [X ", "[", "]", "", " text" },	 { "* OK [X ", "\"\\\"", "]", "", " text" },
		{ "* OK [X ", "{1}", "]", "", " text" }, { "* OK [X ", "\" ", "]", "", " text" },
		{ "* OK ", "[", "", "", " text" },	 { "* OK [X \"", "\\\"", "]", "", " text" },
	};
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapResponse response;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		assert_true(parse_deep(parser, line, texts[i], 10 * DEEP + 1, &response));
}

static void
nul_is_refused_but_in_literals_and_fetch(void **state)
{
	static const struct {
		const char *input;
		size_t size;
		const char *output;
	} rows[] = {
#define ODD		       "'type':'FETCH','seq':1"
#define UNKNOWN		       ",'unknown_items':true"
#define NUL_ROW(input, output) { input, sizeof(input) - 1, output }
		NUL_ROW("* LIST () \"/\" \"a\0b\"\r\n", "!"),
		NUL_ROW("* LIST () \"/\" a\0b\r\n", "!"),
		NUL_ROW("* LIST () \"/\" \"a\\\0b\"\r\n", "!"),
		NUL_ROW("* 1 FETCH (X-FOO \"\0\" UID 7)\r\n", ODD ",'uid':7" UNKNOWN),
		NUL_ROW("* 1 FETCH (UID 7 \0)\r\n", ODD ",'uid':7" UNKNOWN),
		NUL_ROW("* 1 FETCH (FLAGS (a\0b \\Seen))\r\n", ODD ",'flags':['\\\\Seen']" UNKNOWN),
		NUL_ROW("* 1 FETCH (BODYSTRUCTURE (\0) UID 7)\r\n", ODD ",'uid':7" UNKNOWN),
		NUL_ROW("* 1 FETCH (ENVELOPE (\"d\" \"a\0b\\\0\") UID 7)\r\n",
			ODD ",'uid':7,'envelope':{'date':'d','subject':'a\\u0000b\\\\\\u0000',"
			    "'from':null,'sender':null,'reply_to':null,'to':null,'cc':null,'bcc':"
			    "null,'in_reply_to':null,'message_id':null}" UNKNOWN),
		NUL_ROW("\0* OK\r\n", "!"),
		NUL_ROW("* 1 FETCH (BINARY[1] ~{3}\r\na\0b)\r\n",
			"'type':'FETCH','seq':1,'sections':[{'item':'BINARY','section':'1','size':"
			"3,"
			"'bytes':'a\\u0000b'}]"),
		NUL_ROW("* OK a\0b\r\n", "'type':'OK','text':'a\\u0000b'"),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *output = rows_say(span_of(rows[i].input, rows[i].size), SIZE_MAX);

		assert_string_equal(output, rows[i].output);
	}
}

/* The second of two like responses takes no memory that the first did not. */
static void
steady_stream_takes_no_memory(void **state)
{
	static const char line[] = "* 1 FETCH (UID 7 FLAGS (\\Seen a b) ENVELOPE (\"d\" \"s\\\"t\" "
				   "((NIL NIL \"m\" \"h\"))) "
				   "BODYSTRUCTURE (" LEAF LEAF LEAF " \"MIXED\") BODY[1] \"x\")";
	g_autoptr(ImapParser) parser = imap_parser_new();
	ImapFrame frame = { .text = SPAN_LITERAL(line) };
	const void *block, *scratch, *parts;
	ImapResponse response;
	size_t error_offset;

	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	block = parser->arena.block;
	scratch = parser->scratch;
	parts = parser->parts;
	for (int i = 0; i < 1000; i++) {
		assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
		assert_ptr_equal(parser->arena.block, block);
		assert_ptr_equal(parser->scratch, scratch);
		assert_ptr_equal(parser->parts, parts);
	}
}

/* ... and a huge one is not remembered. */
static void
memory_of_a_huge_response_is_given_back(void **state)
{
	static const char *const text[5] = { "* 1 FETCH (BODYSTRUCTURE (", LEAF, "", "",
					     " \"MIXED\"))" };
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) line = g_string_new(NULL);
	ImapFrame frame = { .text = SPAN_LITERAL("* OK") };
	ImapResponse response;
	size_t error_offset;

	assert_true(parse_deep(parser, line, text, DEEP, &response));
	assert_true(parse_deep(parser, line, (const char *const[5]){ "* SEARCH", " 1", "", "", "" },
			       10 * DEEP, &response));
	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	assert_true(parser->scratch_capacity <= 256 << 10);
	assert_true(parser->parts_capacity <= 256);
	assert_true((size_t)(parser->arena.end - parser->arena.at) <= 1 << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "/imap/hostile/deep-structure-is-cut-and-the-message-stays",
		  deep_structure_is_cut_and_the_message_stays },
		{ "/imap/hostile/longest-structure-fits-the-limits",
		  longest_structure_fits_the_limits },
		{ "/imap/hostile/deep-and-unclosed-is-refused", deep_and_unclosed_is_refused },
		{ "/imap/hostile/deep-and-unclosed-costs-only-its-item",
		  deep_and_unclosed_costs_only_its_item },
		{ "/imap/hostile/deep-lists-are-skipped", deep_lists_are_skipped },
		{ "/imap/hostile/deep-thread-keeps-its-depth", deep_thread_keeps_its_depth },
		{ "/imap/hostile/wide-structure-is-cut", wide_structure_is_cut },
		{ "/imap/hostile/message-behind-a-cut-one-keeps-its-body",
		  message_behind_a_cut_one_keeps_its_body },
		{ "/imap/hostile/wide-lists-are-counted-right", wide_lists_are_counted_right },
		{ "/imap/hostile/unpaired-marks-are-linear", unpaired_marks_are_linear },
		{ "/imap/hostile/nul-is-refused-but-in-literals-and-fetch",
		  nul_is_refused_but_in_literals_and_fetch },
		{ "/imap/parser/steady-stream-takes-no-memory", steady_stream_takes_no_memory },
		{ "/imap/parser/memory-of-a-huge-response-is-given-back",
		  memory_of_a_huge_response_is_given_back },
	};

	return rows_run("imap-parser-hostile", NULL, 0, tests, G_N_ELEMENTS(tests));
}
