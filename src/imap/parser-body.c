/* ENVELOPE, BODYSTRUCTURE and BODY (RFC 9051, 7.5.2 and 9).
 *
 * A structure nests as deep as a stranger likes, so its walk keeps its own bounded stack, and what
 * lies below the bound is skipped by counting parentheses.
 *
 * Servers leave fields out at the end, send NIL for strings and numbers, lists for strings, and
 * fields nobody knows.  So every field is read leniently: one that is missing is NIL, one of another
 * shape is skipped, and what is too much is skipped up to the closing parenthesis. */
#include "parser-private.h"

/* ---- fields -------------------------------------------------------------------------------------- */

/* False only where the text is no value at all: an open quote, an early end. */
static bool
take_field(ImapParser *parser, Span *in, Span *out)
{
	char c = imap_peek(in);

	*out = SPAN_EMPTY;
	switch (c) {
	case '"':
		return imap_take_string(parser, in, out);
	case ')':
		return true;
	case '(':
		return imap_skip_value(parser, in);
	default:
		return imap_take_nstring(parser, in, out);
	}
}

/* Likewise for a count: NIL, "12" and -1 (all seen) give what can be had of them. */
static bool
take_count(ImapParser *parser, Span *in, uint32_t *count)
{
	uint64_t wide = 0;
	Span word;

	*count = 0;
	if (imap_peek(in) == ')')
		return true;
	if (!imap_take_number_capped(in, UINT32_MAX, &wide)) {
		if (!take_field(parser, in, &word))
			return false;
		imap_take_number_capped(&word, UINT32_MAX, &wide);
	}
	*count = (uint32_t)wide;
	return true;
}

/* body-fld-param */
static bool
take_parameters(ImapParser *parser, Span *in, ImapPairs *out)
{
	size_t mark;
	ImapPair pair;

	*out = (ImapPairs){ 0 };
	if (imap_peek(in) != '(')
		return take_field(parser, in, &pair.name);
	in->at++;
	mark = imap_gather_begin(parser);
	while (!imap_take_char(in, ')')) {
		if (!take_field(parser, in, &pair.name) || !take_field(parser, in, &pair.value))
			return false;
		if (!imap_string_is_nil(pair.name))
			imap_gather(parser, &pair, sizeof pair);
	}
	*out = imap_gather_pairs(parser, mark);
	return true;
}

/* body-fld-dsp, also as a bare string. */
static bool
take_disposition(ImapParser *parser, Span *in, ImapBodyPart *part)
{
	if (imap_peek(in) != '(')
		return take_field(parser, in, &part->disposition);
	in->at++;
	return take_field(parser, in, &part->disposition) &&
	       take_parameters(parser, in, &part->disposition_parameters) &&
	       imap_skip_to_close(parser, in);
}

/* body-fld-lang */
static bool
take_language(ImapParser *parser, Span *in, ImapStrings *out)
{
	size_t mark = imap_gather_begin(parser);
	Span language;

	*out = (ImapStrings){ 0 };
	if (!imap_take_char(in, '(')) {
		if (!take_field(parser, in, &language))
			return false;
		if (imap_string_is_nil(language))
			return true;
		imap_gather(parser, &language, sizeof language);
		*out = imap_gather_strings(parser, mark);
		return true;
	}
	while (!imap_take_char(in, ')')) {
		if (!take_field(parser, in, &language))
			return false;
		if (!imap_string_is_nil(language))
			imap_gather(parser, &language, sizeof language);
	}
	*out = imap_gather_strings(parser, mark);
	return true;
}

/* ---- envelope ------------------------------------------------------------------------------------ */

/* The four strings of an address, without its parentheses. */
static bool
take_address_fields(ImapParser *parser, Span *in, ImapAddress *address)
{
	return take_field(parser, in, &address->name) && take_field(parser, in, &address->route) &&
	       take_field(parser, in, &address->mailbox) && take_field(parser, in, &address->host);
}

/* "(" 1*address ")" or NIL; also "", (), and one address that lacks its own parentheses. */
static bool
take_addresses(ImapParser *parser, Span *in, ImapAddresses *out)
{
	size_t mark, size;
	ImapAddress address;
	Span other;

	*out = (ImapAddresses){ 0 };
	if (imap_peek(in) != '(')
		return take_field(parser, in, &other);
	in->at++;
	mark = imap_gather_begin(parser);
	if (imap_peek(in) == '"') {
		if (!take_address_fields(parser, in, &address))
			return false;
		imap_gather(parser, &address, sizeof address);
	}
	while (!imap_take_char(in, ')')) {
		if (imap_peek(in) != '(') {
			if (!take_field(parser, in, &other))
				return false;
			continue;
		}
		in->at++;
		if (!take_address_fields(parser, in, &address) || !imap_skip_to_close(parser, in))
			return false;
		imap_gather(parser, &address, sizeof address);
	}
	out->at = imap_gather_end(parser, mark, &size);
	out->count = size / sizeof(ImapAddress);
	return true;
}

bool
imap_take_envelope(ImapParser *parser, Span *in, ImapEnvelope *out)
{
	return imap_take_char(in, '(') && take_field(parser, in, &out->date) &&
	       take_field(parser, in, &out->subject) && take_addresses(parser, in, &out->from) &&
	       take_addresses(parser, in, &out->sender) &&
	       take_addresses(parser, in, &out->reply_to) && take_addresses(parser, in, &out->to) &&
	       take_addresses(parser, in, &out->cc) && take_addresses(parser, in, &out->bcc) &&
	       take_field(parser, in, &out->in_reply_to) &&
	       take_field(parser, in, &out->message_id) && imap_skip_to_close(parser, in);
}

/* ---- structure ----------------------------------------------------------------------------------- */

typedef enum {
	INSIDE_MULTIPART, /* its children come, then its subtype */
	INSIDE_MESSAGE,	  /* its one body comes, then its lines */
} Inside;

/* A part whose children are being read. */
typedef struct Level {
	uint32_t part;
	uint32_t last_child; /* 0: none yet */
	Inside inside;
	bool has_entered; /* a message has one body, be it kept or cut */
} Level;

typedef struct Walk {
	ImapParser *parser;
	Span *in;
	bool *truncated;
	size_t n_levels;
	Level levels[IMAP_BODY_MAX_DEPTH + 1];
} Walk;

static ImapBodyPart *
part_at(const Walk *walk, uint32_t index)
{
	return &walk->parser->parts[index];
}

/* A new part below the innermost level. */
static uint32_t
add_part(Walk *walk)
{
	ImapParser *parser = walk->parser;
	uint32_t index = (uint32_t)parser->n_parts;
	ImapBodyPart *part;

	if (parser->n_parts == parser->parts_capacity) {
		parser->parts_capacity = parser->parts_capacity ? parser->parts_capacity * 2 : 16;
		parser->parts = g_renew(ImapBodyPart, parser->parts, parser->parts_capacity);
	}
	parser->n_parts++;
	part = part_at(walk, index);
	memset(part, 0, sizeof *part);
	part->type = part->subtype = SPAN_LITERAL("");
	part->depth = (uint16_t)walk->n_levels;
	part->parent = index;
	if (walk->n_levels) {
		Level *level = &walk->levels[walk->n_levels - 1];
		ImapBodyPart *parent = part_at(walk, level->part);

		part->parent = level->part;
		part->number = ++parent->n_children;
		if (level->last_child)
			part_at(walk, level->last_child)->next_sibling = index;
		level->last_child = index;
	}
	return index;
}

static void
set_string(Span *field, Span value)
{
	if (!imap_string_is_nil(value))
		*field = value;
}

/* [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]] ")" */
static bool
close_part(Walk *walk, ImapBodyPart *part)
{
	return take_disposition(walk->parser, walk->in, part) &&
	       take_language(walk->parser, walk->in, &part->language) &&
	       take_field(walk->parser, walk->in, &part->location) &&
	       imap_skip_to_close(walk->parser, walk->in);
}

/* media-subtype [SP body-ext-mpart] ")", behind the children of a multipart. */
static bool
close_multipart(Walk *walk, ImapBodyPart *part)
{
	Span subtype;

	part->type = SPAN_LITERAL("multipart");
	if (!take_field(walk->parser, walk->in, &subtype))
		return false;
	set_string(&part->subtype, subtype);
	return take_parameters(walk->parser, walk->in, &part->parameters) && close_part(walk, part);
}

/* [SP body-fld-lines] [SP body-ext-1part] ")".  Lines are read for any type: servers give them
 * to more than text. */
static bool
close_leaf(Walk *walk, ImapBodyPart *part)
{
	if (imap_char_is(imap_peek(walk->in), IMAP_CHAR_DIGIT) &&
	    !take_count(walk->parser, walk->in, &part->size_lines))
		return false;
	return take_field(walk->parser, walk->in, &part->md5) && close_part(walk, part);
}

static bool
is_message(const ImapBodyPart *part)
{
	return span_is_nocase(part->type, "message") &&
	       (span_is_nocase(part->subtype, "rfc822") || span_is_nocase(part->subtype, "global"));
}

/* The envelope of a message/rfc822, or two NILs before a number in place of envelope and body.
 * Some servers send neither, and go on with the extension data.  *HAS_BODY: a body comes next. */
static bool
take_message_head(Walk *walk, ImapBodyPart *part, bool *has_body)
{
	Span ahead = *walk->in;

	*has_body = false;
	if (imap_peek(walk->in) == '(') {
		ImapEnvelope *envelope =
		    imap_arena_take(&walk->parser->arena, sizeof(ImapEnvelope));

		if (!imap_take_envelope(walk->parser, walk->in, envelope))
			return false;
		part->envelope = envelope;
		*has_body = imap_peek(walk->in) == '(';
		if (!*has_body)
			imap_take_nil(walk->in);
	} else if (imap_take_nil(&ahead) && imap_take_nil(&ahead) &&
		   imap_char_is(imap_peek(&ahead), IMAP_CHAR_DIGIT)) {
		*walk->in = ahead;
	}
	return true;
}

/* What stands in a part that is no multipart, up to its children or to its end. */
static bool
take_leaf(Walk *walk, ImapBodyPart *part, bool *has_body)
{
	ImapParser *parser = walk->parser;
	Span type, subtype;

	*has_body = false;
	if (!take_field(parser, walk->in, &type))
		return false;
	if (imap_peek(walk->in) == '(') { /* a multipart without children: subtype, parameters */
		part->type = SPAN_LITERAL("multipart");
		set_string(&part->subtype, type);
		return take_parameters(parser, walk->in, &part->parameters) &&
		       close_part(walk, part);
	}
	set_string(&part->type, type);
	if (!take_field(parser, walk->in, &subtype))
		return false;
	set_string(&part->subtype, subtype);
	if (!take_parameters(parser, walk->in, &part->parameters) ||
	    !take_field(parser, walk->in, &part->id) ||
	    !take_field(parser, walk->in, &part->description) ||
	    !take_field(parser, walk->in, &part->encoding) ||
	    !take_count(parser, walk->in, &part->size_octets))
		return false;
	if (is_message(part) && !take_message_head(walk, part, has_body))
		return false;
	return *has_body || close_leaf(walk, part);
}

/* Goes into the body that comes next, as a child of the innermost level (or as the root). */
static bool
enter(Walk *walk)
{
	bool has_body;
	uint32_t index;
	Level *level;

	if (walk->n_levels > IMAP_BODY_MAX_DEPTH || walk->parser->n_parts == IMAP_BODY_MAX_PARTS) {
		*walk->truncated = true;
		return imap_skip_value(walk->parser, walk->in);
	}
	index = add_part(walk);
	walk->in->at++; /* the "(" */
	level = &walk->levels[walk->n_levels];
	*level = (Level){ .part = index, .inside = INSIDE_MULTIPART };
	if (imap_peek(walk->in) == '(') {
		/* The multipart of a message has no number of its own. */
		if (walk->n_levels && level[-1].inside == INSIDE_MESSAGE)
			part_at(walk, index)->number = 0;
		walk->n_levels++;
		return true;
	}
	if (!take_leaf(walk, part_at(walk, index), &has_body))
		return false;
	if (has_body) {
		level->inside = INSIDE_MESSAGE;
		walk->n_levels++;
	}
	return true;
}

/* Ends the innermost level, whose children are all read. */
static bool
leave(Walk *walk)
{
	Level *level = &walk->levels[--walk->n_levels];
	ImapBodyPart *part = part_at(walk, level->part);

	return level->inside == INSIDE_MULTIPART ? close_multipart(walk, part)
						 : close_leaf(walk, part);
}

bool
imap_take_body(ImapParser *parser, Span *in, bool *truncated)
{
	Walk walk;

	walk.parser = parser;
	walk.in = in;
	walk.truncated = truncated;
	walk.n_levels = 0;
	*truncated = false;
	parser->n_parts = 0;
	if (imap_peek(in) != '(' || !enter(&walk))
		return false;
	while (walk.n_levels) {
		Level *level = &walk.levels[walk.n_levels - 1];
		bool is_full = level->inside == INSIDE_MESSAGE && level->has_entered;

		level->has_entered = true;
		if (!(imap_peek(in) == '(' && !is_full ? enter(&walk) : leave(&walk)))
			return false;
	}
	return true;
}

/* ---- sections ------------------------------------------------------------------------------------ */

static bool
is_multipart(const ImapBodyPart *part)
{
	return span_is_nocase(part->type, "multipart");
}

char *
imap_body_section(const ImapBodyPart *parts, size_t index)
{
	g_autoptr(GString) section = g_string_new(NULL);
	uint32_t numbers[IMAP_BODY_MAX_DEPTH + 2];
	size_t n = 0;

	for (size_t i = index; i != 0 && n <= IMAP_BODY_MAX_DEPTH; i = parts[i].parent) {
		if (parts[i].number)
			numbers[n++] = parts[i].number;
	}
	if (!is_multipart(&parts[0]))
		numbers[n++] = 1;
	while (n--)
		g_string_append_printf(section, section->len ? ".%u" : "%u", numbers[n]);
	if (index && !parts[index].number)
		g_string_append(section, ".TEXT");
	return g_string_free(g_steal_pointer(&section), false);
}
