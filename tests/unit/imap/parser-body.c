/* BODYSTRUCTURE and BODY: as RFC 9051 has them, as servers send them, and their sections. */
#include "rows.h"

/* A structure drawn in one line: type/subtype, section, size; children in brackets. */
typedef struct Shape {
	const char *name, *structure, *shape; /* shape NULL: refused */
} Shape;

#define TEXT  "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \"7BIT\" 12 3)"
#define ENV   "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL \"<i@x>\")"
#define IMAGE "(\"IMAGE\" \"PNG\" (\"NAME\" \"a.png\") \"<id@x>\" \"desc\" \"BASE64\" 77)"

static const Shape shapes[] = {
	{ "/imap/body/plain", TEXT, "TEXT/PLAIN 1 12" },
	{ "/imap/body/plain-with-extension-data",
	  "(\"TEXT\" \"HTML\" NIL NIL NIL \"8BIT\" 5 1 \"md5\" (\"inline\" NIL) (\"en\" \"de\") "
	  "\"loc\" (1 (2 "
	  "\")\")) x)",
	  "TEXT/HTML 1 5" },
	{ "/imap/body/multipart", "(" TEXT IMAGE " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)",
	  "multipart/MIXED - 0 [TEXT/PLAIN 1 12, IMAGE/PNG 2 77]" },
	{ "/imap/body/multipart-in-multipart",
	  "((" TEXT TEXT " \"ALTERNATIVE\")" IMAGE "(" IMAGE " \"DIGEST\") \"MIXED\")",
	  "multipart/MIXED - 0 [multipart/ALTERNATIVE 1 0 [TEXT/PLAIN 1.1 12, TEXT/PLAIN 1.2 12], "
	  "IMAGE/PNG 2 77, multipart/DIGEST 3 0 [IMAGE/PNG 3.1 77]]" },
	{ "/imap/body/message-with-one-part",
	  "(" TEXT "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 99 " ENV TEXT " 8) \"MIXED\")",
	  "multipart/MIXED - 0 [TEXT/PLAIN 1 12, MESSAGE/RFC822 2 99 \"inner\" [TEXT/PLAIN 2.1 "
	  "12]]" },
	{ "/imap/body/message-with-multipart",
	  "(" TEXT "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 99 " ENV "(" TEXT IMAGE
	  " \"MIXED\") 8 NIL "
	  "(\"attachment\" (\"filename\" \"a.eml\"))) \"MIXED\")",
	  "multipart/MIXED - 0 [TEXT/PLAIN 1 12, MESSAGE/RFC822 2 99 \"inner\" [multipart/MIXED "
	  "2.TEXT 0 "
	  "[TEXT/PLAIN 2.1 12, IMAGE/PNG 2.2 77]]]" },
	{ "/imap/body/message-in-message",
	  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 99 " ENV
	  "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 50 " ENV TEXT " 4) 8)",
	  "MESSAGE/RFC822 1 99 \"inner\" [MESSAGE/GLOBAL 1.1 50 \"inner\" [TEXT/PLAIN 1.1.1 12]]" },
	{ "/imap/body/delivery-report",
	  "(" TEXT "(\"MESSAGE\" \"DELIVERY-STATUS\" NIL NIL NIL \"7BIT\" 40)(\"MESSAGE\" "
	  "\"DELIVERY-STATUS\" "
	  "NIL NIL NIL \"7BIT\" 41 7 NIL NIL) \"REPORT\")",
	  "multipart/REPORT - 0 [TEXT/PLAIN 1 12, MESSAGE/DELIVERY-STATUS 2 40, "
	  "MESSAGE/DELIVERY-STATUS 3 41]" },

	/* What servers send beside the grammar. */
	{ "/imap/body/spaces-between-parts", "( " TEXT "  " IMAGE "  \"MIXED\" )",
	  "multipart/MIXED - 0 [TEXT/PLAIN 1 12, IMAGE/PNG 2 77]" },
	{ "/imap/body/exchange-nil-for-strings", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
	  "/ 1 0" },
	{ "/imap/body/nil-type-inside-a-multipart",
	  "((NIL NIL NIL NIL NIL \"7BIT\" 0 NIL NIL NIL NIL) \"MIXED\")",
	  "multipart/MIXED - 0 [/ 1 0]" },
	{ "/imap/body/empty-part", "(() \"MIXED\")", "multipart/MIXED - 0 [/ 1 0]" },
	{ "/imap/body/empty-root", "()", "/ 1 0" },
	{ "/imap/body/multipart-without-children",
	  "(" TEXT "(\"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL) \"MIXED\")",
	  "multipart/MIXED - 0 [TEXT/PLAIN 1 12, multipart/MIXED 2 0]" },
	{ "/imap/body/multipart-without-subtype", "(" TEXT TEXT ")",
	  "multipart/ - 0 [TEXT/PLAIN 1 12, TEXT/PLAIN 2 12]" },
	{ "/imap/body/message-without-envelope",
	  "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 99 NIL NIL 8)(\"MESSAGE\" \"RFC822\" NIL "
	  "NIL NIL "
	  "\"7BIT\" 98 NIL (\"attachment\" NIL) NIL NIL)(\"MESSAGE\" \"RFC822\" NIL NIL NIL "
	  "\"7BIT\" 97)"
	  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 96 " ENV " NIL 8) \"MIXED\")",
	  "multipart/MIXED - 0 [MESSAGE/RFC822 1 99, MESSAGE/RFC822 2 98, MESSAGE/RFC822 3 97, "
	  "MESSAGE/RFC822 4 96 \"inner\"]" },
	{ "/imap/body/fields-cut-short",
	  "((\"TEXT\")(\"TEXT\" \"PLAIN\")(\"TEXT\" \"PLAIN\" NIL)(\"TEXT\" \"PLAIN\" NIL NIL NIL "
	  "\"7BIT\") \"X\")",
	  "multipart/X - 0 [TEXT/ 1 0, TEXT/PLAIN 2 0, TEXT/PLAIN 3 0, TEXT/PLAIN 4 0]" },
	{ "/imap/body/fields-of-other-shapes",
	  "(\"TEXT\" \"PLAIN\" \"\" (x) 5 word \"12\" -1 (md5) \"attachment\" \"en\" (loc))",
	  "TEXT/PLAIN 1 12" },
	{ "/imap/body/size-over-32-bits-is-the-most-we-count",
	  "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 99999999999999999999999)", "A/B 1 4294967295" },
	{ "/imap/body/literals-inside",
	  "({4}\r\nTEXT {5}\r\nPLAIN ({1}\r\n( {1}\r\n)) NIL NIL \"7BIT\" 5 1)", "TEXT/PLAIN 1 5" },

	{ "/imap/body/no-list-is-refused", "NIL", NULL },
	{ "/imap/body/unclosed-is-refused", "(" TEXT IMAGE, NULL },
	{ "/imap/body/open-quote-is-refused", "(\"TEXT\" \"PLAIN", NULL },
};

static void
draw(GString *out, const ImapBodyPart *parts, size_t index)
{
	const ImapBodyPart *part = &parts[index];
	g_autofree char *section = imap_body_section(parts, index);

	g_string_append_printf(out, "%.*s/%.*s %s %u", (int)span_size(part->type), part->type.at,
			       (int)span_size(part->subtype), part->subtype.at,
			       *section ? section : "-", part->size_octets);
	if (part->envelope)
		g_string_append_printf(out, " \"%.*s\"", (int)span_size(part->envelope->subject),
				       part->envelope->subject.at);
	if (!part->n_children)
		return;
	g_string_append(out, " [");
	for (uint32_t child = (uint32_t)index + 1; child; child = parts[child].next_sibling) {
		assert_int_equal(parts[child].parent, index);
		assert_int_equal(parts[child].depth, part->depth + 1);
		draw(out, parts, child);
		if (parts[child].next_sibling)
			g_string_append(out, ", ");
	}
	g_string_append_c(out, ']');
}

static void
structure_has_its_shape(void **state)
{
	const Shape *shape = *state;
	g_autoptr(ImapParser) parser = imap_parser_new();
	g_autoptr(GString) drawn = g_string_new(NULL);
	const ImapBodyPart *parts;
	bool truncated;
	size_t n_parts;

	for (size_t size = 0; size <= strlen(shape->structure); size++) {
		g_autofree char *cut = g_memdup2(shape->structure, size);

		assert_false(imap_body_parse(parser, span_of(cut ? cut : "", size), &parts,
					     &n_parts, &truncated) &&
			     size < strlen(shape->structure));
	}
	if (!shape->shape) {
		assert_false(imap_body_parse(parser, span_of_string(shape->structure), &parts,
					     &n_parts, &truncated));
		return;
	}
	assert_true(imap_body_parse(parser, span_of_string(shape->structure), &parts, &n_parts,
				    &truncated));
	assert_false(truncated);
	draw(drawn, parts, 0);
	assert_string_equal(drawn->str, shape->shape);
}

static const Row rows[] = {
	{ "/imap/body/every-field",
	  "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\" \"FORMAT\" NIL) "
	  "\"<i@x>\" \"d\" "
	  "\"7BIT\" 12 3 \"md5\" (\"attachment\" (\"filename\" \"a\\\"b\")) (\"en\" \"de\") "
	  "\"http://x/\" (7)) "
	  "\"MIXED\" (\"BOUNDARY\" \"b\") (\"inline\" NIL) \"fr\" NIL 5) UID 7)\r\n",
	  "'type':'FETCH','seq':1,'uid':7,'bodystructure':{'section':'','type':'multipart','"
	  "subtype':'MIXED',"
	  "'parameters':{'BOUNDARY':'b'},'disposition':{'type':'inline','parameters':null},'"
	  "language':['fr'],"
	  "'location':null,'parts':[{'section':'1','type':'TEXT','subtype':'PLAIN','parameters':{'"
	  "CHARSET':"
	  "'UTF-8','FORMAT':null},'id':'<i@x>','description':'d','encoding':'7BIT','size':12,'"
	  "lines':3,'md5':"
	  "'md5','disposition':{'type':'attachment','parameters':{'filename':'a\\'b'}},'language':["
	  "'en','de'],"
	  "'location':'http://x/'}]}" },
	{ "/imap/body/non-extensible-form",
	  "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 12 3))\r\n",
	  "'type':'FETCH','seq':1,'bodystructure':{'section':'1','type':'TEXT','subtype':'PLAIN','"
	  "parameters':"
	  "null,'id':null,'description':null,'encoding':'7BIT','size':12,'lines':3,'md5':null,'"
	  "disposition':"
	  "null,'language':null,'location':null}" },
	{ "/imap/body/parameters-in-odd-numbers",
	  "* 1 FETCH (BODYSTRUCTURE (\"A\" \"B\" (\"x\" \"1\" NIL \"2\" \"y\" (3) \"z\") NIL NIL "
	  "\"7BIT\" 12))\r\n",
	  "'type':'FETCH','seq':1,'bodystructure':{'section':'1','type':'A','subtype':'B','"
	  "parameters':{'x':'1',"
	  "'y':null,'z':null},'id':null,'description':null,'encoding':'7BIT','size':12,'md5':null,"
	  "'disposition':null,'language':null,'location':null}" },
	{ "/imap/body/malformed-structure-spares-the-message",
	  "* 1 FETCH (UID 7 BODYSTRUCTURE NIL FLAGS ())\r\n* 1 FETCH (UID 7 BODYSTRUCTURE "
	  "\"x\")\r\n"
	  "* 1 FETCH (UID 7 BODYSTRUCTURE (\"A\" \"B\" NIL NIL NIL NIL 1) BODYSTRUCTURE NIL)\r\n",
	  "'type':'FETCH','seq':1,'uid':7,'flags':[],'unknown_items':true\n"
	  "'type':'FETCH','seq':1,'uid':7,'unknown_items':true\n"
	  "'type':'FETCH','seq':1,'uid':7,'unknown_items':true" },
};

/* What is kept of a structure gives the same structure again. */
static void
kept_text_parses_again(void **state)
{
	g_autoptr(ImapParser) parser = imap_parser_new(), second = imap_parser_new();
	const char *structure =
	    "(" TEXT "(\"MESSAGE\" \"RFC822\" NIL NIL {3}\r\nd\"e \"7BIT\" 99 " ENV "(" TEXT IMAGE
	    " \"MIXED\") 8) \"MIXED\")";
	g_autofree char *line =
	    g_strconcat("* 1 FETCH (BODYSTRUCTURE ", structure, " UID 7)", NULL);
	g_autoptr(GString) first = g_string_new(NULL), again = g_string_new(NULL);
	ImapFrame frame = { .text = span_of_string(line) };
	const ImapBodyPart *parts;
	ImapResponse response;
	size_t error_offset, n_parts;
	bool truncated;

	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	assert_true(span_is(response.fetch.structure_text, structure));
	draw(first, response.fetch.parts, 0);
	assert_true(
	    imap_body_parse(second, response.fetch.structure_text, &parts, &n_parts, &truncated));
	assert_int_equal(n_parts, response.fetch.n_parts);
	draw(again, parts, 0);
	assert_string_equal(first->str, again->str);
}

/* Inside FETCH a NUL between quotes is let pass; so it is when the text is taken back. */
static void
kept_text_with_a_nul_parses_again(void **state)
{
	static const char line[] =
	    "* 1 FETCH (UID 7 BODYSTRUCTURE (\"TE\0XT\" \"PLAIN\" NIL NIL NIL "
	    "\"7BIT\" 12 3))";
	g_autoptr(ImapParser) parser = imap_parser_new(), second = imap_parser_new();
	ImapFrame frame = { .text = span_of(line, sizeof line - 1) };
	const ImapBodyPart *parts;
	ImapResponse response;
	size_t error_offset, n_parts;
	bool truncated;

	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	assert_true(response.fetch.present & IMAP_FETCH_BODYSTRUCTURE);
	assert_true(
	    imap_body_parse(second, response.fetch.structure_text, &parts, &n_parts, &truncated));
	assert_int_equal(n_parts, 1);
}

int
main(void)
{
	struct CMUnitTest more[G_N_ELEMENTS(shapes) + 2] = {
		{ "/imap/body/kept-text-parses-again", kept_text_parses_again },
		{ "/imap/body/kept-text-with-a-nul-parses-again",
		  kept_text_with_a_nul_parses_again },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
		more[i + 2] = (struct CMUnitTest){
			.name = shapes[i].name,
			.test_func = structure_has_its_shape,
			.initial_state = (void *)&shapes[i],
		};
	}
	return rows_run("imap-parser-body", rows, G_N_ELEMENTS(rows), more, G_N_ELEMENTS(more));
}
