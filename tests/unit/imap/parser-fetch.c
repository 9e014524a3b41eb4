/* FETCH without structures: items, dates, envelopes, sections. */
#include "rows.h"

#define ENVELOPE_REST "NIL NIL NIL NIL NIL NIL NIL NIL"
#define EMPTY_ENVELOPE                                                                             \
	"'envelope':{'date':null,'subject':null,'from':null,'sender':null,'reply_to':null,'to':"   \
	"null,'cc':null,'bcc':null,'in_reply_to':null,'message_id':null}"
#define ODD_7 "'uid':7,'unknown_items':true"
#define FETCH "'type':'FETCH','seq':1,"

static const Row rows[] = {
	{ "/imap/fetch/small-items",
	  "* 1 FETCH (UID 4827313 FLAGS (\\Seen $Forwarded) RFC822.SIZE 44827 MODSEQ "
	  "(624140003))\r\n"
	  "* 1 FETCH ()\r\n* 1 fetch (uid 4 flags ())\r\n",
	  FETCH "'uid':4827313,'flags':['\\\\Seen','$Forwarded'],'size':44827,'modseq':624140003\n"
		"'type':'FETCH','seq':1\n" FETCH "'uid':4,'flags':[]" },
	{ "/imap/fetch/extensions",
	  "* 1 FETCH (PREVIEW \"Hi \\\"you\\\"\" SAVEDATE \" 5-Feb-2021 01:02:03 +0000\" EMAILID "
	  "(M6d99)"
	  " THREADID (T64b) X-GM-MSGID 18446744073709551615 X-GM-THRID 7 X-GM-LABELS (\\Inbox "
	  "\"\\\\Sent\" Caf&AOk- {3}\r\na b))\r\n"
	  "* 1 FETCH (PREVIEW NIL SAVEDATE NIL THREADID NIL X-GM-LABELS ())\r\n"
	  "* 1 FETCH (SNIPPET (FUZZY \"Hi\"))\r\n",
	  FETCH
	  "'savedate':'2021-02-05T01:02:03Z','savedate_text':' 5-Feb-2021 01:02:03 +0000',"
	  "'preview':'Hi \\'you\\'','emailid':'M6d99','threadid':'T64b','gm_msgid':"
	  "18446744073709551615,'gm_thrid':7,'gm_labels':['\\\\Inbox','\\\\Sent','Caf&AOk-','a b"
	  "']\n" FETCH
	  "'savedate':null,'savedate_text':null,'preview':null,'threadid':null,'gm_labels':[]"
	  "\n" FETCH "'preview':'Hi'" },
	{ "/imap/fetch/uidonly-has-the-uid-in-front", "* 25900 UIDFETCH (FLAGS (\\Seen))\r\n",
	  "'type':'UIDFETCH','uid':25900,'flags':['\\\\Seen']" },
	{ "/imap/fetch/unknown-items-are-skipped-whole",
	  "* 1 FETCH (X-FOO 5 UID 7 X-BAR (a (b \")\" {1}\r\n))) X-BAZ[1.2]<3> \"x\" X-LAST 1)\r\n"
	  "* 1 FETCH (ANNOTATION (/comment (value.priv \"x\" value.shared NIL)) UID 8)\r\n",
	  FETCH "'uid':7,'unknown_items':true\n" FETCH "'uid':8,'unknown_items':true" },
	{ "/imap/fetch/malformed-item-spares-the-rest",
	  "* 1 FETCH (UID 0 FLAGS (\\Seen))\r\n* 1 FETCH (UID 4294967296 RFC822.SIZE 5)\r\n"
	  "* 1 FETCH (ENVELOPE NIL UID 7)\r\n* 1 FETCH (MODSEQ (9223372036854775808) UID 7)\r\n"
	  "* 1 FETCH (RFC822.SIZE NIL UID 7)\r\n* 1 FETCH (RFC822.SIZE 9223372036854775808 UID "
	  "7)\r\n",
	  FETCH "'flags':['\\\\Seen'],'unknown_items':true\n" FETCH
		"'size':5,'unknown_items':true\n" FETCH "'uid':7," EMPTY_ENVELOPE "\n" FETCH
		"'uid':7,'unknown_items':true\n" FETCH "'uid':7,'unknown_items':true\n" FETCH
		"'uid':7,'unknown_items':true" },
	{ "/imap/fetch/size-over-32-bits", "* 1 FETCH (RFC822.SIZE 9223372036854775807)\r\n",
	  FETCH "'size':9223372036854775807" },
	{ "/imap/fetch/spaces-in-odd-places",
	  "*  1  FETCH  ( UID  7  FLAGS( \\Seen  x )RFC822.SIZE 5 ) \r\n",
	  FETCH "'uid':7,'flags':['\\\\Seen','x'],'size':5" },
	{ "/imap/fetch/flags-in-odd-forms",
	  "* 1 FETCH (FLAGS (\\SEEN \\X-Own [Gmail]/x a]b %* \"quoted one\" \"\\\\Draft\" caf\xe9 "
	  "{1}\r\na "
	  "(nested (x)) \\))\r\n* 1 FETCH (FLAGS NIL)\r\n* 1 FETCH (FLAGS (NIL \"\"))\r\n",
	  FETCH "'flags':['\\\\Seen','\\\\Draft','\\\\X-Own','[Gmail]/x','a]b','%*','quoted one',"
		"'caf\\u00e9','a','\\\\']\n" FETCH "'flags':[]\n" FETCH "'flags':['NIL']" },
	{ "/imap/fetch/broken-is-refused",
	  "* 1 FETCH\r\n* 1 FETCH UID 7\r\n* 1 FETCH \"UID\" 7\r\n* 0 FETCH (UID 7)\r\n",
	  "!\n!\n!\n!" },
	{ "/imap/fetch/what-stands-before-the-break-is-kept",
	  "* 1 FETCH (UID 7\r\n* 1 FETCH (UID 7))\r\n* 1 FETCH (UID 7) x\r\n"
	  "* 1 FETCH (UID 7 FLAGS (\\Seen)\r\n* 1 FETCH (UID 7 BODY[] \"a)\r\n"
	  "* 1 FETCH (UID 7 BODY[ \"a\")\r\n* 1 FETCH (UID 7 X (((\r\n* 1 FETCH (UID 7 X)\r\n"
	  "* 1 FETCH (UID 7 BODYSTRUCTURE ((\"A\" \"B\" NIL NIL NIL \"7BIT\" 1) \"X\")\r\n"
	  "* 1 FETCH (UID 7 BODYSTRUCTURE (\"A\" \"B\")) RFC822.SIZE 5)\r\n",
	  FETCH ODD_7
	  "\n" FETCH ODD_7 "\n" FETCH ODD_7 "\n" FETCH
	  "'uid':7,'flags':['\\\\Seen'],'unknown_items':true\n" FETCH ODD_7 "\n" FETCH ODD_7
	  "\n" FETCH ODD_7 "\n" FETCH ODD_7 "\n" FETCH
	  "'uid':7,'bodystructure':{'section':'','type':'multipart','subtype':'X','parameters':"
	  "null,"
	  "'disposition':null,'language':null,'location':null,'parts':[{'section':'1','type':'A',"
	  "'subtype':'B','parameters':null,'id':null,'description':null,'encoding':'7BIT','size':1,"
	  "'md5':null,'disposition':null,'language':null,'location':null}]},'unknown_items':"
	  "true\n" FETCH
	  "'uid':7,'bodystructure':{'section':'1','type':'A','subtype':'B','parameters':null,"
	  "'id':null,'description':null,'encoding':null,'size':0,'md5':null,'disposition':null,"
	  "'language':null,'location':null},'unknown_items':true" },
	{ "/imap/fetch/break-behind-a-literal-is-refused",
	  "* 1 FETCH (UID 7 X {1}\r\na\r\n* 1 FETCH (UID 7 X {1}\r\na))\r\n"
	  "* 1 FETCH (UID 7 X {1}\r\na FLAGS (\\Seen)\r\n* 1 FETCH (UID 7 X {1}\r\na Y)\r\n"
	  "* 1 FETCH (UID 7 X {1}\r\na Y \"b)\r\n",
	  "!\n!\n!\n!\n!" },
	{ "/imap/fetch/rest-of-a-longer-literal-is-no-item",
	  "* 5 FETCH (UID 5 BODY[1] {3}\r\nshort)\r\n* 5 FETCH (BODY[1] {3}\r\nab)UID 7)\r\n"
	  "* 5 FETCH (X {3}\r\nshort)\r\n* 5 FETCH (FLAGS ({3}\r\nshort))\r\n",
	  "!\n!\n!\n!" },
	{ "/imap/fetch/bad-flag-costs-itself",
	  "* 1 FETCH (UID 25 FLAGS (\\Seen k\x1bx a\x7f \"q\"r ok) ENVELOPE (\"d\" {5}\r\nhello "
	  "NIL NIL NIL NIL NIL NIL NIL NIL) RFC822.SIZE 5)\r\n",
	  FETCH "'uid':25,'flags':['\\\\Seen','ok'],'size':5,'envelope':{'date':'d','subject':"
		"'hello','from':null,'sender':null,'reply_to':null,'to':null,'cc':null,'bcc':null,"
		"'in_reply_to':null,'message_id':null},'unknown_items':true" },
	{ "/imap/fetch/control-character-in-a-value-costs-that-value",
	  "* 1 FETCH (X-FOO a\x1b ENVELOPE (\x01) BODYSTRUCTURE (\"A\" b\x02) UID 7)\r\n",
	  FETCH ODD_7 },

	/* Dates. */
	{ "/imap/internaldate/every-form-of-the-day",
	  "* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n"
	  "* 1 FETCH (INTERNALDATE \" 7-Jul-1996 02:44:25 +0530\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"7-JUL-1996 02:44:25 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"07-jul-1996  02:44:25  -0000\")\r\n",
	  FETCH "'internaldate':'1996-07-17T02:44:25-07:00','internaldate_text':"
		"'17-Jul-1996 02:44:25 -0700'\n" FETCH
		"'internaldate':'1996-07-07T02:44:25+05:30','internaldate_text':"
		"' 7-Jul-1996 02:44:25 +0530'\n" FETCH
		"'internaldate':'1996-07-07T02:44:25Z','internaldate_text':"
		"'7-JUL-1996 02:44:25 +0000'\n" FETCH
		"'internaldate':'1996-07-07T02:44:25Z','internaldate_text':"
		"'07-jul-1996  02:44:25  -0000'" },
	{ "/imap/internaldate/far-ones",
	  "* 1 FETCH (INTERNALDATE \"01-Jan-1970 00:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"29-Feb-2000 23:59:60 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"31-Dec-1899 23:59:59 -2359\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"19-Jan-2038 03:14:08 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"31-Dec-9999 23:59:59 +0000\")\r\n",
	  FETCH "'internaldate':'1970-01-01T00:00:00Z','internaldate_text':"
		"'01-Jan-1970 00:00:00 +0000'\n" FETCH
		"'internaldate':'2000-03-01T00:00:00Z','internaldate_text':"
		"'29-Feb-2000 23:59:60 +0000'\n" FETCH
		"'internaldate':'1899-12-31T23:59:59-23:59','internaldate_text':"
		"'31-Dec-1899 23:59:59 -2359'\n" FETCH
		"'internaldate':'2038-01-19T03:14:08Z','internaldate_text':"
		"'19-Jan-2038 03:14:08 +0000'\n" FETCH
		"'internaldate':'9999-12-31T23:59:59Z','internaldate_text':"
		"'31-Dec-9999 23:59:59 +0000'" },
	{ "/imap/internaldate/what-is-no-date-is-kept-as-text",
	  "* 1 FETCH (INTERNALDATE \"29-Feb-1900 00:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"00-Jan-2000 00:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"01-Foo-2000 00:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"01-Jan-2000 24:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"01-Jan-2000 00:00:00\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"01-Jan-99999999 00:00:00 +0000\")\r\n"
	  "* 1 FETCH (INTERNALDATE \"\")\r\n* 1 FETCH (INTERNALDATE NIL)\r\n",
	  FETCH "'internaldate':null,'internaldate_text':'29-Feb-1900 00:00:00 +0000'\n" FETCH
		"'internaldate':null,'internaldate_text':'00-Jan-2000 00:00:00 +0000'\n" FETCH
		"'internaldate':null,'internaldate_text':'01-Foo-2000 00:00:00 +0000'\n" FETCH
		"'internaldate':null,'internaldate_text':'01-Jan-2000 24:00:00 +0000'\n" FETCH
		"'internaldate':null,'internaldate_text':'01-Jan-2000 00:00:00'\n" FETCH
		"'internaldate':null,'internaldate_text':'01-Jan-99999999 00:00:00 +0000'\n" FETCH
		"'internaldate':null,'internaldate_text':''\n" FETCH
		"'internaldate':null,'internaldate_text':null" },

	/* Envelopes. */
	{ "/imap/envelope/groups-routes-and-literals",
	  "* 1 FETCH (ENVELOPE (\"d\" {3}\r\na\"b ((\"A \\\\ \\\"B\\\"\" \"@x,@y\" \"a\" \"b.c\")) "
	  "NIL () "
	  "((NIL NIL \"list\" NIL)(NIL NIL \"m\" \"h\")(NIL NIL NIL NIL)) NIL \"\" \"<r@x>\" "
	  "\"<m@x>\"))\r\n",
	  FETCH "'envelope':{'date':'d','subject':'a\\'b','from':[{'name':'A \\\\ "
		"\\'B\\'','route':'@x,@y',"
		"'mailbox':'a','host':'b.c'}],'sender':null,'reply_to':[],'to':[{'name':null,'"
		"mailbox':'list',"
		"'host':null},{'name':null,'mailbox':'m','host':'h'},{'name':null,'mailbox':null,'"
		"host':null}],"
		"'cc':null,'bcc':null,'in_reply_to':'<r@x>','message_id':'<m@x>'}" },
	{ "/imap/envelope/8-bit-and-controls-in-quotes",
	  "* 1 FETCH (ENVELOPE (\"d\" \"caf\xc3\xa9 \xe2\x82\xac\" ((\"J\xf6rg\" NIL \"j\" \"h\")) "
	  "NIL NIL NIL NIL NIL NIL \"a\tb\rc\x1b[m\"))\r\n",
	  FETCH
	  "'envelope':{'date':'d','subject':'caf\\u00e9 \\u20ac','from':[{'name':'J\\u00f6rg',"
	  "'mailbox':'j','host':'h'}],'sender':null,'reply_to':null,'to':null,'cc':null,'bcc':"
	  "null,'in_reply_to':null,'message_id':'a\\tb\\rc\\u001b[m'}" },
	{ "/imap/envelope/too-little-too-much-and-other-shapes",
	  "* 1 FETCH (ENVELOPE (\"d\" \"s\"))\r\n"
	  "* 1 FETCH (ENVELOPE (NIL 5 \"\" NIL (NIL) ((\"n\")) ((\"n\" NIL \"m\" \"h\" \"x\" (y)) "
	  "z) (\"n\" "
	  "NIL \"m\" \"h\") (x (y)) word \"more\" (and (more)) 5) UID 7)\r\n",
	  FETCH
	  "'envelope':{'date':'d','subject':'s','from':null,'sender':null,'reply_to':null,'to':"
	  "null,'cc':null,'bcc':null,'in_reply_to':null,'message_id':null}\n" FETCH
	  "'uid':7,'envelope':{'date':null,'subject':'5','from':null,'sender':null,'reply_to':[],"
	  "'to':[{'name':'n','mailbox':null,'host':null}],'cc':[{'name':'n','mailbox':'m','host':"
	  "'h'}],'bcc':[{'name':'n','mailbox':'m','host':'h'}],'in_reply_to':null,'message_id':"
	  "'word'}" },
	{ "/imap/envelope/backslash-before-a-letter-stands-for-itself",
	  "* 1 FETCH (ENVELOPE (NIL \"\\Sent C:\\\\x \\\"\" " ENVELOPE_REST "))\r\n",
	  FETCH "'envelope':{'date':null,'subject':'\\\\Sent C:\\\\x "
		"\\'','from':null,'sender':null,'reply_to':"
		"null,'to':null,'cc':null,'bcc':null,'in_reply_to':null,'message_id':null}" },

	/* Sections. */
	{ "/imap/section/every-form",
	  "* 1 FETCH (BODY[] {3}\r\na\r\n BODY[1.2]<0> \"x\" BODY[HEADER.FIELDS (FROM TO)] \"F\" "
	  "BODY[TEXT] "
	  "NIL BODY[1.MIME]<17.100> \"\" RFC822 \"r\" RFC822.HEADER {1}\r\nh RFC822.TEXT "
	  "\"t\")\r\n",
	  FETCH "'sections':[{'item':'BODY','section':'','size':3,'bytes':'a\\r\\n'},{'item':'BODY'"
		",'section':"
		"'1.2','origin':0,'size':1,'bytes':'x'},{'item':'BODY','section':'HEADER.FIELDS "
		"(FROM TO)',"
		"'size':1,'bytes':'F'},{'item':'BODY','section':'TEXT','size':0,'bytes':null},{'"
		"item':'BODY',"
		"'section':'1.MIME','origin':17,'size':0,'bytes':''},{'item':'RFC822','section':'',"
		"'size':1,"
		"'bytes':'r'},{'item':'RFC822.HEADER','section':'','size':1,'bytes':'h'},{'item':'"
		"RFC822.TEXT',"
		"'section':'','size':1,'bytes':'t'}]" },
	{ "/imap/section/courier-quotes-header-names",
	  "* 1 FETCH (BODY[HEADER.FIELDS (\"FROM\" \"X]Y\")] {4}\r\na: b UID 7)\r\n",
	  FETCH
	  "'uid':7,'sections':[{'item':'BODY','section':'HEADER.FIELDS (\\'FROM\\' \\'X]Y\\')',"
	  "'size':4,'bytes':'a: b'}]" },
	{ "/imap/section/header-name-as-literal",
	  "* 1 FETCH (BODY[HEADER.FIELDS ({3}\r\nX]Y)] \"a\")\r\n",
	  FETCH
	  "'sections':[{'item':'BODY','section':'HEADER.FIELDS ({3}\\r\\nX]Y)','size':1,'bytes':'a'"
	  "}]" },
	{ "/imap/section/binary",
	  "* 1 FETCH (BINARY[1] ~{3}\r\na\nb BINARY[2]<5> NIL BINARY.SIZE[1.2] 4096 BINARY[] "
	  "{0}\r\n)\r\n",
	  FETCH "'sections':[{'item':'BINARY','section':'1','size':3,'bytes':'a\\nb'},{'item':'"
		"BINARY','section':"
		"'2','origin':5,'size':0,'bytes':null},{'item':'BINARY','section':'','size':0,'"
		"bytes':''}],"
		"'binary_sizes':[{'section':'1.2','size':4096}]" },
	{ "/imap/section/empty-literal", "* 1 FETCH (BODY[TEXT] {0}\r\n UID 7)\r\n",
	  FETCH "'uid':7,'sections':[{'item':'BODY','section':'TEXT','size':0,'bytes':''}]" },
	{ "/imap/section/message-that-looks-like-imap",
	  "* 1 FETCH (BODY[] {31}\r\n)\r\n* 2 EXPUNGE\r\nA1 OK gone\r\n\")\" UID 7)\r\n* 5 "
	  "EXISTS\r\n",
	  FETCH
	  "'uid':7,'sections':[{'item':'BODY','section':'','size':31,'bytes':')\\r\\n* 2 EXPUNGE"
	  "\\r\\nA1 OK gone\\r\\n\\')\\''}]\n'type':'EXISTS','number':5" },
	{ "/imap/section/literal-too-short-refuses-the-response",
	  "* 1 FETCH (BODY[] {3}\r\nabc\"def)\r\n", "!" },
};

/* A streamed literal leaves a mark, wherever it stands. */
static void
streamed_sections_are_told_apart(void **state)
{
	g_autoptr(ImapParser) parser = imap_parser_new();
	const char *text =
	    "* 1 FETCH (BODY[1] {70000}\r\n X (Y {5}\r\n) BODY[2] \"two\" BODY[3] ~{9}\r\n)";
	size_t streamed[] = {
		(size_t)(strstr(text, "{70000}") - text),
		(size_t)(strstr(text, "{5}") - text),
		(size_t)(strstr(text, "{9}") - text),
	};
	ImapFrame frame = { span_of_string(text), streamed, 3 };
	ImapResponse response;
	size_t error_offset;

	assert_true(imap_parser_parse(parser, &frame, &response, &error_offset));
	assert_int_equal(response.fetch.n_sections, 3);
	assert_true(response.fetch.sections[0].streamed);
	assert_int_equal(response.fetch.sections[0].stream_number, 0);
	assert_int_equal(response.fetch.sections[0].size_bytes, 70000);
	assert_false(imap_string_is_nil(response.fetch.sections[0].bytes));
	assert_false(response.fetch.sections[1].streamed);
	assert_true(span_is(response.fetch.sections[1].bytes, "two"));
	assert_true(response.fetch.sections[2].streamed);
	assert_int_equal(response.fetch.sections[2].stream_number, 2);
	/* The same bytes without the marks are a literal cut short. */
	frame.n_streamed = 0;
	assert_false(imap_parser_parse(parser, &frame, &response, &error_offset));
}

int
main(void)
{
	const struct CMUnitTest more[] = {
		{ "/imap/section/streamed-ones-are-told-apart", streamed_sections_are_told_apart },
	};

	return rows_run("imap-parser-fetch", rows, G_N_ELEMENTS(rows), more, G_N_ELEMENTS(more));
}
