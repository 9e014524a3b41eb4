#include "parser-private.h"

/* More than this is given back between two responses. */
#define SCRATCH_KEEP_BYTES ((size_t)256 << 10)
#define PARTS_KEEP	   ((size_t)256)

typedef bool (*TakeData)(ImapParser *parser, Span *in, ImapResponse *out);

typedef struct Kind {
	const char *name;
	ImapResponseType type;
	TakeData take; /* NULL: nothing follows */
} Kind;

ImapParser *
imap_parser_new(void)
{
	ImapParser *parser = g_new0(ImapParser, 1);

	imap_arena_init(&parser->arena);
	return parser;
}

void
imap_parser_free(ImapParser *parser)
{
	if (!parser)
		return;
	imap_arena_clear(&parser->arena);
	g_free(parser->scratch);
	g_free(parser->parts);
	g_free(parser);
}

static void
begin(ImapParser *parser, const ImapFrame *frame)
{
	imap_arena_reset(&parser->arena);
	if (parser->scratch_capacity > SCRATCH_KEEP_BYTES) {
		g_clear_pointer(&parser->scratch, g_free);
		parser->scratch_capacity = 0;
	}
	if (parser->parts_capacity > PARTS_KEEP) {
		g_clear_pointer(&parser->parts, g_free);
		parser->parts_capacity = 0;
	}
	parser->scratch_size = 0;
	parser->n_parts = 0;
	parser->frame = frame;
	parser->next_streamed = 0;
	parser->literal_end = NULL;
	parser->is_lenient = false;
	parser->is_odd = false;
}

/* ---- data ------------------------------------------------------------------------------------------ */

static bool
take_strings(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_strings_rest(parser, in, &out->strings);
}

static bool
take_string_list(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_strings(parser, in, &out->strings);
}

static bool
take_flags(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_flags(parser, in, &out->flags);
}

static bool
take_fetch(ImapParser *parser, Span *in, ImapResponse *out)
{
	out->fetch.seq.value = (uint32_t)out->number;
	return imap_take_fetch(parser, in, &out->fetch);
}

static bool
take_uidfetch(ImapParser *parser, Span *in, ImapResponse *out)
{
	out->fetch.uid.value = (uint32_t)out->number;
	out->fetch.present = IMAP_FETCH_UID;
	return imap_take_fetch(parser, in, &out->fetch);
}

/* "* 5 NAME ..." */
static const Kind numbered[] = {
	{ "FETCH", IMAP_RESPONSE_FETCH, take_fetch },
	{ "EXISTS", IMAP_RESPONSE_EXISTS, NULL },
	{ "EXPUNGE", IMAP_RESPONSE_EXPUNGE, NULL },
	{ "RECENT", IMAP_RESPONSE_RECENT, NULL },
	{ "UIDFETCH", IMAP_RESPONSE_UIDFETCH, take_uidfetch },
};

/* "* NAME ..." */
static const Kind named[] = {
	{ "SEARCH", IMAP_RESPONSE_SEARCH, imap_take_search },
	{ "ESEARCH", IMAP_RESPONSE_ESEARCH, imap_take_esearch },
	{ "SORT", IMAP_RESPONSE_SORT, imap_take_search },
	{ "THREAD", IMAP_RESPONSE_THREAD, imap_take_thread },
	{ "VANISHED", IMAP_RESPONSE_VANISHED, imap_take_vanished },
	{ "LIST", IMAP_RESPONSE_LIST, imap_take_list },
	{ "LSUB", IMAP_RESPONSE_LSUB, imap_take_list },
	{ "XLIST", IMAP_RESPONSE_XLIST, imap_take_list },
	{ "STATUS", IMAP_RESPONSE_STATUS, imap_take_status },
	{ "FLAGS", IMAP_RESPONSE_FLAGS, take_flags },
	{ "CAPABILITY", IMAP_RESPONSE_CAPABILITY, take_strings },
	{ "ENABLED", IMAP_RESPONSE_ENABLED, take_strings },
	{ "NAMESPACE", IMAP_RESPONSE_NAMESPACE, imap_take_namespace },
	{ "ID", IMAP_RESPONSE_ID, imap_take_id },
	{ "QUOTA", IMAP_RESPONSE_QUOTA, imap_take_quota },
	{ "QUOTAROOT", IMAP_RESPONSE_QUOTAROOT, imap_take_quotaroot },
	{ "ACL", IMAP_RESPONSE_ACL, imap_take_acl },
	{ "LISTRIGHTS", IMAP_RESPONSE_LISTRIGHTS, imap_take_listrights },
	{ "MYRIGHTS", IMAP_RESPONSE_MYRIGHTS, imap_take_listrights },
	{ "METADATA", IMAP_RESPONSE_METADATA, imap_take_metadata },
	{ "LANGUAGE", IMAP_RESPONSE_LANGUAGE, take_string_list },
	{ "COMPARATOR", IMAP_RESPONSE_COMPARATOR, imap_take_comparator },
	{ "GENURLAUTH", IMAP_RESPONSE_GENURLAUTH, take_strings },
	{ "URLFETCH", IMAP_RESPONSE_URLFETCH, imap_take_urlfetch },
};

static const struct {
	const char *name;
	ImapResponseType type;
	bool may_be_tagged;
} conditions[] = {
	{ "OK", IMAP_RESPONSE_OK, true },
	{ "NO", IMAP_RESPONSE_NO, true },
	{ "BAD", IMAP_RESPONSE_BAD, true },
	{ "BYE", IMAP_RESPONSE_BYE, false },
	{ "PREAUTH", IMAP_RESPONSE_PREAUTH, false },
};

static const Kind *
find_kind(const Kind *kinds, size_t count, Span name)
{
	char first = g_ascii_toupper(*name.at);

	for (size_t i = 0; i < count; i++) {
		if (kinds[i].name[0] == first && span_is_nocase(name, kinds[i].name))
			return &kinds[i];
	}
	return NULL;
}

/* A condition's word and its text. */
static bool
take_condition(ImapParser *parser, Span *in, bool tagged, ImapResponse *out)
{
	for (size_t i = 0; i < G_N_ELEMENTS(conditions); i++) {
		if (!span_is_nocase(out->name, conditions[i].name) ||
		    (tagged && !conditions[i].may_be_tagged))
			continue;
		out->type = conditions[i].type;
		imap_take_resp_text(parser, in, out);
		return true;
	}
	return false;
}

static bool
take_unknown(Span *in, ImapResponse *out)
{
	out->type = IMAP_RESPONSE_UNKNOWN;
	imap_skip_spaces(in);
	out->text = *in;
	in->at = in->end;
	return g_ascii_isalpha(*out->name.at);
}

static bool
take_data(ImapParser *parser, Span *in, const Kind *kind, ImapResponse *out)
{
	if (!kind)
		return take_unknown(in, out);
	out->type = kind->type;
	if (kind->take && !kind->take(parser, in, out))
		return false;
	return imap_at_end(in);
}

/* "* 5 NAME": only EXISTS and RECENT may count nothing. */
static bool
take_numbered(ImapParser *parser, Span *in, ImapResponse *out)
{
	const Kind *kind;
	uint32_t number;

	if (!imap_take_number(in, &number) || !imap_take_name(in, &out->name))
		return false;
	out->number = number;
	kind = find_kind(numbered, G_N_ELEMENTS(numbered), out->name);
	if (kind && !number && kind->type != IMAP_RESPONSE_EXISTS &&
	    kind->type != IMAP_RESPONSE_RECENT)
		return false;
	return take_data(parser, in, kind, out);
}

static bool
take_untagged(ImapParser *parser, Span *in, ImapResponse *out)
{
	if (imap_char_is(imap_peek(in), IMAP_CHAR_DIGIT))
		return take_numbered(parser, in, out);
	if (!imap_take_name(in, &out->name))
		return false;
	if (take_condition(parser, in, false, out))
		return true;
	return take_data(parser, in, find_kind(named, G_N_ELEMENTS(named), out->name), out);
}

static bool
take_response(ImapParser *parser, Span *in, ImapResponse *out)
{
	if (in->at == in->end || *in->at == ' ')
		return false;
	if (*in->at == '+') { /* "+ text", "+", "+text" */
		out->tag = out->name = span_of(in->at++, 1);
		out->type = IMAP_RESPONSE_CONTINUE;
		imap_take_resp_text(parser, in, out);
		return true;
	}
	if (!imap_take_word(in, &out->tag) || in->at == in->end || *in->at != ' ')
		return false;
	if (span_is(out->tag, "*"))
		return take_untagged(parser, in, out);
	return imap_take_name(in, &out->name) && take_condition(parser, in, true, out);
}

bool
imap_parser_parse(ImapParser *parser, const ImapFrame *frame, ImapResponse *out,
		  size_t *error_offset)
{
	Span in = frame->text;

	begin(parser, frame);
	memset(out, 0, sizeof *out);
	if (take_response(parser, &in, out))
		return true;
	*error_offset = (size_t)(in.at - frame->text.at);
	return false;
}

bool
imap_body_parse(ImapParser *parser, Span text, const ImapBodyPart **parts, size_t *n_parts,
		bool *truncated)
{
	begin(parser, NULL);
	/* As the FETCH it was kept from was read. */
	parser->is_lenient = true;
	if (!imap_take_body(parser, &text, truncated))
		return false;
	*parts = parser->parts;
	*n_parts = parser->n_parts;
	return imap_at_end(&text);
}
