/* Whatever is framed is parsed or refused; what is parsed points into the frame or the parser's
 * memory; a structure that was kept gives the same parts again; and all of it can be dumped. */
#include "imap-dump-response.h"

#include "../../../src/imap/parser-private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct Check {
	const ImapParser *parser;
	Span frame;
} Check;

static void
check_span(const Check *check, Span span)
{
	if (span.end < span.at)
		abort();
	if (span_is_empty(span) || (span.at >= check->frame.at && span.end <= check->frame.end) ||
	    imap_arena_holds(&check->parser->arena, span) || span_is(span, "multipart"))
		return;
	abort();
}

static void
check_strings(const Check *check, ImapStrings strings)
{
	for (size_t i = 0; i < strings.count; i++)
		check_span(check, strings.at[i]);
}

static void
check_pairs(const Check *check, ImapPairs pairs)
{
	for (size_t i = 0; i < pairs.count; i++) {
		check_span(check, pairs.at[i].name);
		check_span(check, pairs.at[i].value);
	}
}

static void
check_ranges(ImapRanges ranges)
{
	for (size_t i = 0; i < ranges.count; i++) {
		if (!ranges.at[i].low || ranges.at[i].low > ranges.at[i].high)
			abort();
	}
}

static void
check_addresses(const Check *check, ImapAddresses addresses)
{
	for (size_t i = 0; i < addresses.count; i++) {
		check_span(check, addresses.at[i].name);
		check_span(check, addresses.at[i].route);
		check_span(check, addresses.at[i].mailbox);
		check_span(check, addresses.at[i].host);
	}
}

static void
check_envelope(const Check *check, const ImapEnvelope *envelope)
{
	check_span(check, envelope->date);
	check_span(check, envelope->subject);
	check_addresses(check, envelope->from);
	check_addresses(check, envelope->sender);
	check_addresses(check, envelope->reply_to);
	check_addresses(check, envelope->to);
	check_addresses(check, envelope->cc);
	check_addresses(check, envelope->bcc);
	check_span(check, envelope->in_reply_to);
	check_span(check, envelope->message_id);
}

static void
check_part(const Check *check, const ImapBodyPart *part)
{
	if (imap_string_is_nil(part->type) || imap_string_is_nil(part->subtype))
		abort();
	check_span(check, part->type);
	check_span(check, part->subtype);
	check_pairs(check, part->parameters);
	check_span(check, part->id);
	check_span(check, part->description);
	check_span(check, part->encoding);
	check_span(check, part->md5);
	check_span(check, part->disposition);
	check_pairs(check, part->disposition_parameters);
	check_strings(check, part->language);
	check_span(check, part->location);
	if (part->envelope)
		check_envelope(check, part->envelope);
}

/* Every part is reached once, from its parent, in order. */
static void
check_tree(const ImapBodyPart *parts, size_t n_parts)
{
	size_t reached = 1;

	if (!n_parts || n_parts > IMAP_BODY_MAX_PARTS || parts[0].parent || parts[0].next_sibling)
		abort();
	for (size_t i = 0; i < n_parts; i++) {
		uint32_t n_children = 0, previous = (uint32_t)i;

		if (parts[i].depth > IMAP_BODY_MAX_DEPTH)
			abort();
		for (uint32_t child = parts[i].n_children ? (uint32_t)i + 1 : 0; child;
		     child = parts[child].next_sibling) {
			if (child >= n_parts || child <= previous || parts[child].parent != i ||
			    parts[child].depth != parts[i].depth + 1)
				abort();
			previous = child;
			n_children++;
			reached++;
		}
		if (n_children != parts[i].n_children)
			abort();
	}
	if (reached != n_parts)
		abort();
}

static void
check_fetch(const Check *check, const ImapFetch *fetch)
{
	check_strings(check, fetch->flags.keywords);
	check_span(check, fetch->internaldate_text);
	if (fetch->present & IMAP_FETCH_ENVELOPE)
		check_envelope(check, &fetch->envelope);
	for (size_t i = 0; i < fetch->n_parts; i++)
		check_part(check, &fetch->parts[i]);
	if (fetch->present & IMAP_FETCH_BODYSTRUCTURE)
		check_tree(fetch->parts, fetch->n_parts);
	check_span(check, fetch->structure_text);
	check_span(check, fetch->preview);
	check_span(check, fetch->savedate_text);
	check_span(check, fetch->emailid);
	check_span(check, fetch->threadid);
	check_strings(check, fetch->gm_labels);
	for (size_t i = 0; i < fetch->n_sections; i++) {
		check_span(check, fetch->sections[i].item);
		check_span(check, fetch->sections[i].section);
		check_span(check, fetch->sections[i].bytes);
	}
	for (size_t i = 0; i < fetch->n_binary_sizes; i++)
		check_span(check, fetch->binary_sizes[i].section);
}

static void
check_response(const Check *check, const ImapResponse *response)
{
	check_span(check, response->tag);
	check_span(check, response->name);
	check_span(check, response->code_name);
	check_span(check, response->code_text);
	check_span(check, response->text);
	check_strings(check, response->strings);
	check_pairs(check, response->pairs);
	check_ranges(response->ranges);
	check_ranges(response->ranges2);
	check_strings(check, response->flags.keywords);
	check_span(check, response->mailbox);
	if (response->type == IMAP_RESPONSE_FETCH || response->type == IMAP_RESPONSE_UIDFETCH)
		check_fetch(check, &response->fetch);
	if (response->type == IMAP_RESPONSE_LIST) {
		check_span(check, response->list.name);
		check_strings(check, response->list.attributes);
		check_strings(check, response->list.childinfo);
	}
}

/* The kept structure of a response without streamed literals. */
static void
check_kept(const ImapFetch *fetch)
{
	g_autoptr(ImapParser) parser = imap_parser_new();
	size_t size = span_size(fetch->structure_text), n_parts;
	g_autofree char *copy = g_memdup2(fetch->structure_text.at, size);
	const ImapBodyPart *parts;
	bool truncated;

	if (!imap_body_parse(parser, span_of(copy, size), &parts, &n_parts, &truncated) ||
	    n_parts != fetch->n_parts || truncated != fetch->body_truncated)
		abort();
	for (size_t i = 0; i < n_parts; i++) {
		g_free(imap_body_section(parts, i));
		if (parts[i].n_children != fetch->parts[i].n_children ||
		    !span_equals(parts[i].subtype, fetch->parts[i].subtype))
			abort();
	}
}

static void
parse(ImapParser *parser, Json *json, const ImapFrame *frame)
{
	size_t size = span_size(frame->text), error_offset = SIZE_MAX;
	g_autofree char *copy = g_malloc(size);
	ImapFrame tight = *frame;
	ImapResponse response;
	Check check;

	if (size)
		memcpy(copy, frame->text.at, size);
	tight.text = span_of(copy, size);
	if (!imap_parser_parse(parser, &tight, &response, &error_offset)) {
		if (error_offset > size)
			abort();
		return;
	}
	check = (Check){ parser, tight.text };
	check_response(&check, &response);
	dump_response(json, &response);
	if (!frame->n_streamed && response.type == IMAP_RESPONSE_FETCH &&
	    response.fetch.present & IMAP_FETCH_BODYSTRUCTURE)
		check_kept(&response.fetch);
}

static bool
want(void *data, Span prefix, uint64_t size)
{
	return size % 2;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const ImapLiteralSink sink = { want, NULL };
	static FILE *nowhere;
	ImapLimits limits = imap_limits_default;
	g_autoptr(ImapFramer) framer = NULL;
	g_autoptr(ImapParser) parser = imap_parser_new();
	Span in = span_of(bytes, size);
	ImapFrame frame;
	Json json;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	json_init(&json, nowhere);
	limits.stream_from_bytes = 7;
	framer = imap_framer_new(&limits, &sink, NULL);
	while (imap_framer_take(framer, &in, &frame) == IMAP_FRAME_WHOLE)
		parse(parser, &json, &frame);
	json_clear(&json);
	return 0;
}
