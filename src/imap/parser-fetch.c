/* FETCH (RFC 9051, 7.5.2; the extensions at each field of ImapFetch).  An item that is not known is
 * skipped whole; so is a known one whose value is not what it should be, for the rest of the
 * message is of use without it.  Where a value's end cannot be found, what came before it is kept,
 * unless the response holds a literal: its size may be what is wrong, and what is then taken for
 * the next response a stranger's text.  All that shows as IMAP_FETCH_UNKNOWN. */
#include "parser-private.h"

typedef bool (*TakeItem)(ImapParser *parser, Span *in, ImapFetch *fetch);

typedef struct Item {
	const char *name;
	unsigned bit; /* set when TAKE says yes */
	TakeItem take;
} Item;

static bool
take_uid(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	uint32_t uid;

	if (!imap_take_number(in, &uid) || !uid)
		return false;
	fetch->uid.value = uid;
	return true;
}

static bool
take_flags(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return imap_take_flags(parser, in, &fetch->flags);
}

static bool
take_internaldate(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	if (!imap_take_nstring(parser, in, &fetch->internaldate_text))
		return false;
	fetch->internaldate_ok = imap_date_parse(fetch->internaldate_text, &fetch->internaldate,
						 &fetch->internaldate_zone_min);
	return true;
}

static bool
take_size(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return imap_take_number64(in, &fetch->size);
}

static bool
take_envelope(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	fetch->envelope = (ImapEnvelope){ 0 };
	return imap_take_nil(in) || imap_take_envelope(parser, in, &fetch->envelope);
}

static bool
take_structure(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	const char *start;

	imap_skip_spaces(in);
	start = in->at;
	fetch->structure_text = SPAN_EMPTY;
	fetch->present &= ~(unsigned)IMAP_FETCH_BODYSTRUCTURE; /* one sent twice: the last counts */
	if (!imap_take_body(parser, in, &fetch->body_truncated))
		return false;
	fetch->structure_text = (Span){ start, in->at };
	return true;
}

/* "(" number ")", or (some servers) the number alone. */
static bool
take_modseq(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	if (!imap_take_char(in, '('))
		return imap_take_number64(in, &fetch->modseq);
	return imap_take_number64(in, &fetch->modseq) && imap_take_char(in, ')');
}

/* nstring; before RFC 8970 it was "(" algorithm SP string ")". */
static bool
take_preview(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	Span algorithm;

	if (!imap_take_char(in, '('))
		return imap_take_nstring(parser, in, &fetch->preview);
	return imap_take_word(in, &algorithm) && imap_take_nstring(parser, in, &fetch->preview) &&
	       imap_take_char(in, ')');
}

static bool
take_savedate(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	int zone_min;

	if (!imap_take_nstring(parser, in, &fetch->savedate_text))
		return false;
	if (!imap_date_parse(fetch->savedate_text, &fetch->savedate, &zone_min))
		fetch->savedate = INT64_MIN;
	return true;
}

/* "(" objectid ")" or NIL (RFC 8474) */
static bool
take_object_id(ImapParser *parser, Span *in, Span *id)
{
	if (!imap_take_char(in, '('))
		return imap_take_nstring(parser, in, id);
	return imap_take_nstring(parser, in, id) && imap_take_char(in, ')');
}

static bool
take_emailid(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return take_object_id(parser, in, &fetch->emailid);
}

static bool
take_threadid(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return take_object_id(parser, in, &fetch->threadid);
}

/* Gmail's identities use all 64 bits. */
static bool
take_gm_id(Span *in, uint64_t *id)
{
	Span word, rest = *in;

	if (!imap_take_word(&rest, &word) || !span_to_number(word, UINT64_MAX, id))
		return false;
	*in = rest;
	return true;
}

static bool
take_gm_msgid(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return take_gm_id(in, &fetch->gm_msgid);
}

static bool
take_gm_thrid(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return take_gm_id(in, &fetch->gm_thrid);
}

static bool
take_gm_labels(ImapParser *parser, Span *in, ImapFetch *fetch)
{
	return imap_take_nil(in) || imap_take_strings(parser, in, &fetch->gm_labels);
}

/* ---- sections ---------------------------------------------------------------------------------- */

/* Sections of one FETCH, while they are gathered: each array in a scratch of its own would cost
 * more than it saves, so they are chained in the arena and laid out at the end. */
typedef struct Sections {
	struct SectionNode {
		struct SectionNode *next;
		ImapBodySection section;
	} * first, **last;
	size_t n;
	struct SizeNode {
		struct SizeNode *next;
		ImapBinarySize size;
	} * first_size, **last_size;
	size_t n_sizes;
} Sections;

/* "[" section "]".  Header names inside may be quoted or literals, and hold brackets. */
static bool
take_brackets(ImapParser *parser, Span *in, Span *section)
{
	const char *start;

	if (in->at == in->end || *in->at != '[')
		return false;
	start = ++in->at;
	while (in->at < in->end && *in->at != ']') {
		if (*in->at == '"' || *in->at == '{') {
			if (!imap_skip_string(parser, in))
				return false;
		} else if (*in->at == '\r' || *in->at == '\n' || *in->at == '\0') {
			return false;
		} else {
			in->at++;
		}
	}
	if (in->at == in->end)
		return false;
	*section = (Span){ start, in->at++ };
	return true;
}

/* "<" number ">"; some servers repeat the length: "<0.100>". */
static bool
take_origin(Span *in, ImapBodySection *section)
{
	uint64_t length;

	if (in->at == in->end || *in->at != '<')
		return true;
	in->at++;
	section->has_origin = true;
	if (!imap_take_number64(in, &section->origin))
		return false;
	if (in->at < in->end && *in->at == '.') {
		in->at++;
		if (!imap_take_number64(in, &length))
			return false;
	}
	return imap_take_char(in, '>');
}

static bool
take_section_bytes(ImapParser *parser, Span *in, ImapBodySection *section)
{
	Span rest = *in;
	int64_t streamed;
	char c = imap_peek(&rest);

	if ((c == '{' || c == '~') &&
	    imap_take_literal_head(parser, &rest, &section->size_bytes, &streamed) &&
	    streamed >= 0) {
		section->streamed = true;
		section->stream_number = (uint32_t)streamed;
		section->bytes = span_of(rest.at, 0);
		*in = rest;
		return true;
	}
	if (!imap_take_nstring(parser, in, &section->bytes))
		return false;
	section->size_bytes = span_size(section->bytes);
	return true;
}

static bool
take_section(ImapParser *parser, Span *in, Span name, Sections *sections)
{
	struct SectionNode *node = imap_arena_take(&parser->arena, sizeof *node);

	memset(node, 0, sizeof *node);
	node->section.item = name;
	node->section.section = span_of(name.end, 0);
	if (in->at < in->end && *in->at == '[' &&
	    !take_brackets(parser, in, &node->section.section))
		return false;
	if (!take_origin(in, &node->section) || !take_section_bytes(parser, in, &node->section))
		return false;
	*sections->last = node;
	sections->last = &node->next;
	sections->n++;
	return true;
}

static bool
take_binary_size(ImapParser *parser, Span *in, Sections *sections)
{
	struct SizeNode *node = imap_arena_take(&parser->arena, sizeof *node);

	node->next = NULL;
	if (!take_brackets(parser, in, &node->size.section) ||
	    !imap_take_number(in, &node->size.size))
		return false;
	*sections->last_size = node;
	sections->last_size = &node->next;
	sections->n_sizes++;
	return true;
}

static void
lay_out_sections(ImapParser *parser, const Sections *sections, ImapFetch *fetch)
{
	ImapBodySection *section =
	    imap_arena_take(&parser->arena, sections->n * sizeof(ImapBodySection));
	ImapBinarySize *size =
	    imap_arena_take(&parser->arena, sections->n_sizes * sizeof(ImapBinarySize));

	fetch->sections = section;
	fetch->n_sections = sections->n;
	for (const struct SectionNode *node = sections->first; node; node = node->next)
		*section++ = node->section;
	fetch->binary_sizes = size;
	fetch->n_binary_sizes = sections->n_sizes;
	for (const struct SizeNode *node = sections->first_size; node; node = node->next)
		*size++ = node->size;
}

/* ---- items ------------------------------------------------------------------------------------- */

static const Item items[] = {
	{ "UID", IMAP_FETCH_UID, take_uid },
	{ "FLAGS", IMAP_FETCH_FLAGS, take_flags },
	{ "ENVELOPE", IMAP_FETCH_ENVELOPE, take_envelope },
	{ "INTERNALDATE", IMAP_FETCH_INTERNALDATE, take_internaldate },
	{ "RFC822.SIZE", IMAP_FETCH_SIZE, take_size },
	{ "BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE, take_structure },
	{ "BODY", IMAP_FETCH_BODYSTRUCTURE, take_structure },
	{ "MODSEQ", IMAP_FETCH_MODSEQ, take_modseq },
	{ "PREVIEW", IMAP_FETCH_PREVIEW, take_preview },
	{ "SNIPPET", IMAP_FETCH_PREVIEW, take_preview },
	{ "SAVEDATE", IMAP_FETCH_SAVEDATE, take_savedate },
	{ "EMAILID", IMAP_FETCH_EMAILID, take_emailid },
	{ "THREADID", IMAP_FETCH_THREADID, take_threadid },
	{ "X-GM-MSGID", IMAP_FETCH_GM_MSGID, take_gm_msgid },
	{ "X-GM-THRID", IMAP_FETCH_GM_THRID, take_gm_thrid },
	{ "X-GM-LABELS", IMAP_FETCH_GM_LABELS, take_gm_labels },
};

static const Item *
find_item(Span name)
{
	char first = g_ascii_toupper(*name.at);

	for (size_t i = 0; i < G_N_ELEMENTS(items); i++) {
		if (items[i].name[0] == first && span_is_nocase(name, items[i].name))
			return &items[i];
	}
	return NULL;
}

static bool
is_section(Span name, bool has_bracket)
{
	if (has_bracket)
		return span_is_nocase(name, "BODY") || span_is_nocase(name, "BINARY");
	return span_is_nocase(name, "RFC822") || span_is_nocase(name, "RFC822.HEADER") ||
	       span_is_nocase(name, "RFC822.TEXT");
}

static bool
take_known(ImapParser *parser, Span *in, Span name, ImapFetch *fetch, Sections *sections)
{
	bool has_bracket = in->at < in->end && *in->at == '[';
	const Item *item = has_bracket ? NULL : find_item(name);

	if (item) {
		if (!item->take(parser, in, fetch))
			return false;
		fetch->present |= item->bit;
		return true;
	}
	if (is_section(name, has_bracket))
		return take_section(parser, in, name, sections);
	return has_bracket && span_is_nocase(name, "BINARY.SIZE") &&
	       take_binary_size(parser, in, sections);
}

static bool
skip_item(ImapParser *parser, Span *in)
{
	Span section;

	if (in->at < in->end && *in->at == '[' && !take_brackets(parser, in, &section))
		return false;
	/* "<0>" and whatever else clings to the name */
	while (in->at < in->end && imap_char_is(*in->at, IMAP_CHAR_WORD))
		in->at++;
	return imap_skip_value(parser, in);
}

/* False: this is not where an item begins, or its value does not end. */
static bool
take_item(ImapParser *parser, Span *in, ImapFetch *out, Sections *sections)
{
	Span name, value;

	if (!imap_take_name(in, &name))
		return false;
	value = *in;
	if (take_known(parser, in, name, out, sections))
		return true;
	*in = value;
	out->present |= IMAP_FETCH_UNKNOWN;
	return skip_item(parser, in);
}

/* A space stands between two items; behind a ")" servers leave it out.  Never behind a literal:
 * what clings to it is the rest of one that is longer than it said. */
static bool
take_items(ImapParser *parser, Span *in, ImapFetch *out, Sections *sections)
{
	if (!imap_take_char(in, '('))
		return false;
	for (bool is_first = true;; is_first = false) {
		const char *end = in->at;

		if (imap_take_char(in, ')'))
			return imap_at_end(in);
		if (!is_first && in->at == end && (end[-1] != ')' || end == parser->literal_end))
			return false;
		if (!take_item(parser, in, out, sections))
			return false;
	}
}

bool
imap_take_fetch(ImapParser *parser, Span *in, ImapFetch *out)
{
	Sections sections = { .last = &sections.first, .last_size = &sections.first_size };

	if (imap_peek(in) != '(')
		return false;
	parser->is_lenient = true;
	if (!take_items(parser, in, out, &sections)) {
		if (imap_frame_has_literal(parser->frame))
			return false;
		parser->is_odd = true;
		in->at = in->end;
	}
	if (parser->is_odd)
		out->present |= IMAP_FETCH_UNKNOWN;
	if (out->present & IMAP_FETCH_BODYSTRUCTURE) {
		out->parts = parser->parts;
		out->n_parts = parser->n_parts;
	}
	lay_out_sections(parser, &sections, out);
	return true;
}
