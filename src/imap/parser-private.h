/* What the parser's files share.  A "take" function reads one thing off the front of IN, skips the
 * spaces before it, and moves; when it says no, a token's function has moved over spaces at most, and
 * one for a larger thing stands at the token it did not understand.
 *
 * IN lies inside one frame.  Literals are "{n}" CRLF and n bytes, or no bytes when streamed. */
#ifndef IMAP_PARSER_PRIVATE_H
#define IMAP_PARSER_PRIVATE_H

#include "arena-private.h"
#include "imap/response.h"

struct ImapParser {
	ImapArena arena;

	/* Lists are gathered here while their length is not known: see imap_gather. */
	char *scratch;
	size_t scratch_size, scratch_capacity;

	ImapBodyPart *parts; /* of the structure last parsed */
	size_t n_parts, parts_capacity;

	const ImapFrame *frame; /* NULL in imap_body_parse: nothing is streamed */
	size_t next_streamed;	/* where the last look into frame->streamed ended */

	const char *literal_end; /* behind the literal last met; NULL: none */
	/* Inside FETCH: what the grammar forbids in one value costs no more than that value.
	 * Quotes may hold NULs, words control characters. */
	bool is_lenient;
	bool is_odd; /* it was so */
};

/* ---- characters -------------------------------------------------------------------------- */

enum {
	IMAP_CHAR_WORD = 1 << 0,  /* may stand in a word: all but space, parentheses, controls */
	IMAP_CHAR_PLAIN = 1 << 1, /* may stand in a quoted string as itself */
	IMAP_CHAR_DIGIT = 1 << 2,
	IMAP_CHAR_NAME = 1 << 3, /* may stand in the name of an item: a word without []<>{}" */
};

extern const uint8_t imap_chars[256];

static inline bool
imap_char_is(char c, unsigned kind)
{
	return (imap_chars[(unsigned char)c] & kind) != 0;
}

/* RFC 9051 wants one space in one place; servers put two, or one more before a parenthesis. */
static inline void
imap_skip_spaces(Span *in)
{
	while (in->at < in->end && *in->at == ' ')
		in->at++;
}

/* The next character that is no space; '\0' at the end (a NUL is never understood either). */
static inline char
imap_peek(Span *in)
{
	imap_skip_spaces(in);
	return in->at < in->end ? *in->at : '\0';
}

/* Nothing but spaces is left. */
static inline bool
imap_at_end(Span *in)
{
	imap_skip_spaces(in);
	return in->at == in->end;
}

static inline bool
imap_take_char(Span *in, char c)
{
	if (imap_peek(in) != c || in->at == in->end)
		return false;
	in->at++;
	return true;
}

/* NIL */
static inline bool
imap_take_nil(Span *in)
{
	if ((imap_peek(in) | 0x20) != 'n' || in->end - in->at < 3 || (in->at[1] | 0x20) != 'i' ||
	    (in->at[2] | 0x20) != 'l' ||
	    (in->end - in->at > 3 && imap_char_is(in->at[3], IMAP_CHAR_WORD)))
		return false;
	in->at += 3;
	return true;
}

/* ---- tokens (parser-token.c) --------------------------------------------------------------- */

bool imap_take_word(Span *in, Span *out); /* 1*WORD: a lenient atom, flag, tag or number */
bool imap_take_name(Span *in, Span *out); /* 1*NAME */

bool imap_take_number64(Span *in, uint64_t *number); /* below 2^63 */
bool imap_take_number(Span *in, uint32_t *number);   /* below 2^32 */
/* Digits of any length, the value at most MAX: for counts that only inform. */
bool imap_take_number_capped(Span *in, uint64_t max, uint64_t *number);

/* quoted, literal or literal8.  A streamed literal gives an empty string. */
bool imap_take_string(ImapParser *parser, Span *in, Span *out);
bool imap_skip_string(ImapParser *parser, Span *in);
bool imap_take_astring(ImapParser *parser, Span *in, Span *out); /* string or word */
/* string, NIL, or (servers do it) a bare word. */
bool imap_take_nstring(ImapParser *parser, Span *in, Span *out);
/* The head "{n}" CRLF of a literal, which IN stands on; *STREAMED is its index in frame->streamed, or
 * -1 when its bytes follow (SIZE of them are there). */
bool imap_take_literal_head(ImapParser *parser, Span *in, uint64_t *size, int64_t *streamed);

/* 1*(all but space, parentheses and line ends): what is left of a word that is none. */
bool imap_skip_broken_word(ImapParser *parser, Span *in);
/* One value whatever it is: a word, a string or a list however deep.  No recursion. */
bool imap_skip_value(ImapParser *parser, Span *in);
/* Values up to and with the ")" that closes a list already opened. */
bool imap_skip_to_close(ImapParser *parser, Span *in);

/* seq-range *("," seq-range), 32 bits, "*" allowed. */
bool imap_take_ranges(ImapParser *parser, Span *in, ImapRanges *out);

/* "(" *string ")" and the like. */
bool imap_take_strings(ImapParser *parser, Span *in, ImapStrings *out);	     /* with parentheses */
bool imap_take_strings_rest(ImapParser *parser, Span *in, ImapStrings *out); /* to the end of IN */
bool imap_take_flags(ImapParser *parser, Span *in, ImapFlags *out);

/* "17-Jul-1996 02:44:25 -0700", TEXT without its quotes. */
bool imap_date_parse(Span text, int64_t *seconds, int *zone_min);

/* ---- gathering lists ------------------------------------------------------------------------- */

/* BEGIN gives a mark, imap_gather adds one element, END copies what came since the mark into the
 * arena (never NULL) and says how many bytes.  They nest.  On failure just leave: the scratch is
 * emptied before the next response. */
static inline size_t
imap_gather_begin(const ImapParser *parser)
{
	return parser->scratch_size;
}

void imap_gather_grow(ImapParser *parser, size_t size);
const void *imap_gather_end(ImapParser *parser, size_t mark, size_t *size);

static inline void
imap_gather(ImapParser *parser, const void *element, size_t size)
{
	if (parser->scratch_capacity - parser->scratch_size < size)
		imap_gather_grow(parser, size);
	memcpy(parser->scratch + parser->scratch_size, element, size);
	parser->scratch_size += size;
}

ImapStrings imap_gather_strings(ImapParser *parser, size_t mark);
ImapPairs imap_gather_pairs(ImapParser *parser, size_t mark);

/* ---- larger things ----------------------------------------------------------------------------- */

/* parser-body.c.  BODY leaves its parts in parser->parts; false: IN is no list at all, or ends
 * inside it. */
bool imap_take_envelope(ImapParser *parser, Span *in, ImapEnvelope *out);
bool imap_take_body(ImapParser *parser, Span *in, bool *truncated);

/* parser-fetch.c: "(" items ")" */
bool imap_take_fetch(ImapParser *parser, Span *in, ImapFetch *out);

/* parser-code.c: [ "[" code "]" ] text, to the end of IN; cannot fail. */
void imap_take_resp_text(ImapParser *parser, Span *in, ImapResponse *out);

/* parser-search.c */
bool imap_take_search(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_esearch(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_thread(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_vanished(ImapParser *parser, Span *in, ImapResponse *out);

/* parser-mailbox.c */
bool imap_take_list(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_status(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_namespace(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_quota(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_quotaroot(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_acl(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_listrights(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_metadata(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_id(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_urlfetch(ImapParser *parser, Span *in, ImapResponse *out);
bool imap_take_comparator(ImapParser *parser, Span *in, ImapResponse *out);

#endif
