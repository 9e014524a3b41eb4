#include "imap-dump-response.h"

/* NIL is null, here and below; an empty list is an empty list. */
void
dump_strings(Json *json, const char *key, ImapStrings strings)
{
	if (!strings.at) {
		json_null(json, key);
		return;
	}
	json_open(json, key, '[');
	for (size_t i = 0; i < strings.count; i++)
		json_span(json, NULL, strings.at[i]);
	json_close(json, ']');
}

/* An object; a name that comes twice comes twice. */
void
dump_pairs(Json *json, const char *key, ImapPairs pairs)
{
	if (!pairs.at) {
		json_null(json, key);
		return;
	}
	json_open(json, key, '{');
	for (size_t i = 0; i < pairs.count; i++)
		json_pair(json, pairs.at[i].name, pairs.at[i].value);
	json_close(json, '}');
}

void
dump_flags(Json *json, const char *key, const ImapFlags *flags)
{
	static const char *const names[] = { "\\Seen",	"\\Answered", "\\Flagged", "\\Deleted",
					     "\\Draft", "\\Recent",   "\\*" };

	json_open(json, key, '[');
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (flags->bits & 1u << i)
			json_text(json, NULL, names[i]);
	}
	for (size_t i = 0; i < flags->keywords.count; i++)
		json_span(json, NULL, flags->keywords.at[i]);
	json_close(json, ']');
}

/* RFC 3339, in the sender's own zone. */
static void
dump_date(Json *json, const char *key, bool ok, int64_t seconds, int zone_min)
{
	g_autoptr(GDateTime) utc =
	    ok ? g_date_time_new_from_unix_utc(seconds + zone_min * 60) : NULL;
	g_autofree char *local = utc ? g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S") : NULL;
	g_autofree char *text = NULL;
	int zone = ABS(zone_min);

	if (local && zone_min)
		text = g_strdup_printf("%s%c%02d:%02d", local, zone_min < 0 ? '-' : '+', zone / 60,
				       zone % 60);
	else if (local)
		text = g_strconcat(local, "Z", NULL);
	json_text(json, key, text);
}

static void
dump_addresses(Json *json, const char *key, ImapAddresses addresses)
{
	if (!addresses.at) {
		json_null(json, key);
		return;
	}
	json_open(json, key, '[');
	for (size_t i = 0; i < addresses.count; i++) {
		const ImapAddress *address = &addresses.at[i];

		json_open(json, NULL, '{');
		json_span(json, "name", address->name);
		if (address->route.at)
			json_span(json, "route", address->route);
		json_span(json, "mailbox", address->mailbox);
		json_span(json, "host", address->host);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_envelope(Json *json, const ImapEnvelope *envelope)
{
	json_open(json, "envelope", '{');
	json_span(json, "date", envelope->date);
	json_span(json, "subject", envelope->subject);
	dump_addresses(json, "from", envelope->from);
	dump_addresses(json, "sender", envelope->sender);
	dump_addresses(json, "reply_to", envelope->reply_to);
	dump_addresses(json, "to", envelope->to);
	dump_addresses(json, "cc", envelope->cc);
	dump_addresses(json, "bcc", envelope->bcc);
	json_span(json, "in_reply_to", envelope->in_reply_to);
	json_span(json, "message_id", envelope->message_id);
	json_close(json, '}');
}

static void
dump_part_fields(Json *json, const ImapBodyPart *parts, size_t index)
{
	const ImapBodyPart *part = &parts[index];
	g_autofree char *section = imap_body_section(parts, index);
	bool is_multipart = span_is_nocase(part->type, "multipart");

	json_text(json, "section", section);
	json_span(json, "type", part->type);
	json_span(json, "subtype", part->subtype);
	dump_pairs(json, "parameters", part->parameters);
	if (!is_multipart) {
		json_span(json, "id", part->id);
		json_span(json, "description", part->description);
		json_span(json, "encoding", part->encoding);
		json_number(json, "size", part->size_octets);
		if (part->size_lines || part->envelope || span_is_nocase(part->type, "text"))
			json_number(json, "lines", part->size_lines);
		json_span(json, "md5", part->md5);
	}
	if (part->disposition.at) {
		json_open(json, "disposition", '{');
		json_span(json, "type", part->disposition);
		dump_pairs(json, "parameters", part->disposition_parameters);
		json_close(json, '}');
	} else {
		json_null(json, "disposition");
	}
	dump_strings(json, "language", part->language);
	json_span(json, "location", part->location);
	if (part->envelope)
		dump_envelope(json, part->envelope);
}

/* Recursion is safe here: the parser cuts a structure at IMAP_BODY_MAX_DEPTH. */
static void
dump_part(Json *json, const char *key, const ImapBodyPart *parts, size_t index)
{
	const ImapBodyPart *part = &parts[index];

	json_open(json, key, '{');
	dump_part_fields(json, parts, index);
	if (part->n_children || span_is_nocase(part->type, "multipart")) {
		uint32_t child = part->n_children ? (uint32_t)index + 1 : 0;

		json_open(json, "parts", '[');
		for (; child; child = parts[child].next_sibling)
			dump_part(json, NULL, parts, child);
		json_close(json, ']');
	}
	json_close(json, '}');
}

static void
dump_sections(Json *json, const ImapFetch *fetch)
{
	json_open(json, "sections", '[');
	for (size_t i = 0; i < fetch->n_sections; i++) {
		const ImapBodySection *section = &fetch->sections[i];

		json_open(json, NULL, '{');
		json_span(json, "item", section->item);
		json_span(json, "section", section->section);
		if (section->has_origin)
			json_number(json, "origin", section->origin);
		json_number(json, "size", section->size_bytes);
		json_span(json, "bytes", section->bytes);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_binary_sizes(Json *json, const ImapFetch *fetch)
{
	json_open(json, "binary_sizes", '[');
	for (size_t i = 0; i < fetch->n_binary_sizes; i++) {
		json_open(json, NULL, '{');
		json_span(json, "section", fetch->binary_sizes[i].section);
		json_number(json, "size", fetch->binary_sizes[i].size);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_dates(Json *json, const ImapFetch *fetch)
{
	if (fetch->present & IMAP_FETCH_INTERNALDATE) {
		dump_date(json, "internaldate", fetch->internaldate_ok, fetch->internaldate,
			  fetch->internaldate_zone_min);
		json_span(json, "internaldate_text", fetch->internaldate_text);
	}
	if (fetch->present & IMAP_FETCH_SAVEDATE) {
		dump_date(json, "savedate", fetch->savedate != INT64_MIN, fetch->savedate, 0);
		json_span(json, "savedate_text", fetch->savedate_text);
	}
}

static void
dump_structure(Json *json, const ImapFetch *fetch)
{
	if (fetch->n_parts)
		dump_part(json, "bodystructure", fetch->parts, 0);
	if (fetch->body_truncated)
		json_bool(json, "body_truncated", true);
}

static void
dump_extensions(Json *json, const ImapFetch *fetch)
{
	if (fetch->present & IMAP_FETCH_MODSEQ)
		json_number(json, "modseq", fetch->modseq);
	if (fetch->present & IMAP_FETCH_PREVIEW)
		json_span(json, "preview", fetch->preview);
	if (fetch->present & IMAP_FETCH_EMAILID)
		json_span(json, "emailid", fetch->emailid);
	if (fetch->present & IMAP_FETCH_THREADID)
		json_span(json, "threadid", fetch->threadid);
	if (fetch->present & IMAP_FETCH_GM_MSGID)
		json_number(json, "gm_msgid", fetch->gm_msgid);
	if (fetch->present & IMAP_FETCH_GM_THRID)
		json_number(json, "gm_thrid", fetch->gm_thrid);
	if (fetch->present & IMAP_FETCH_GM_LABELS)
		dump_strings(json, "gm_labels", fetch->gm_labels);
}

void
dump_fetch(Json *json, const ImapFetch *fetch)
{
	if (fetch->seq.value)
		json_number(json, "seq", fetch->seq.value);
	if (fetch->present & IMAP_FETCH_UID)
		json_number(json, "uid", fetch->uid.value);
	if (fetch->present & IMAP_FETCH_FLAGS)
		dump_flags(json, "flags", &fetch->flags);
	dump_dates(json, fetch);
	if (fetch->present & IMAP_FETCH_SIZE)
		json_number(json, "size", fetch->size);
	if (fetch->present & IMAP_FETCH_ENVELOPE)
		dump_envelope(json, &fetch->envelope);
	if (fetch->present & IMAP_FETCH_BODYSTRUCTURE)
		dump_structure(json, fetch);
	dump_extensions(json, fetch);
	if (fetch->n_sections)
		dump_sections(json, fetch);
	if (fetch->n_binary_sizes)
		dump_binary_sizes(json, fetch);
	if (fetch->present & IMAP_FETCH_UNKNOWN)
		json_bool(json, "unknown_items", true);
}
