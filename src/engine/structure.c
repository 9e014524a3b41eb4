/* BODYSTRUCTURE as the wire says it, into the tree that a person looks at. */
#include "engine/engine.h"
#include "base/error.h"
#include "base/i18n.h"
#include "imap/response.h"
#include "mail/extract.h"
#include "mail/header.h"

/* RFC 2231 parameters: name*0, name*1*, name*: joined, percent-decoded, their charset honoured.
 * Sections past this many are not a file name. */
#define MAX_SECTIONS 64

static Span
find_parameter(const ImapPairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (span_is_nocase(pairs->at[i].name, name))
			return pairs->at[i].value;
	return SPAN_EMPTY;
}

static void
append_percent_decoded(GString *out, Span value)
{
	for (const char *p = value.at; p < value.end; p++) {
		if (*p == '%' && value.end - p > 2 && g_ascii_isxdigit(p[1]) &&
		    g_ascii_isxdigit(p[2])) {
			g_string_append_c(out, (char)(g_ascii_xdigit_value(p[1]) * 16 +
						      g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			g_string_append_c(out, *p);
		}
	}
}

/* CHARSET'LANGUAGE'text: takes the first two off the front (RFC 2231, 4). */
static char *
take_charset(Span *value)
{
	const char *first = memchr(value->at, '\'', span_size(*value));
	const char *second =
	    first ? memchr(first + 1, '\'', (size_t)(value->end - first - 1)) : NULL;
	char *charset;

	if (!second)
		return NULL;
	charset = g_strndup(value->at, (size_t)(first - value->at));
	value->at = second + 1;
	return charset;
}

static char *
to_utf8(const GString *bytes, const char *charset)
{
	g_autoptr(GString) text = g_string_new(NULL);

	mail_charset_decode(span_of(bytes->str, bytes->len), span_of_string(charset), text);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
extended_parameter(const ImapPairs *pairs, const char *name)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autofree char *charset = NULL;
	g_autofree char *whole = g_strconcat(name, "*", NULL);
	Span value = find_parameter(pairs, whole);
	bool found = false;

	if (value.at) {
		charset = take_charset(&value);
		append_percent_decoded(bytes, value);
		return to_utf8(bytes, charset);
	}
	for (unsigned n = 0; n < MAX_SECTIONS; n++) {
		g_autofree char *plain = g_strdup_printf("%s*%u", name, n);
		g_autofree char *coded = g_strconcat(plain, "*", NULL);

		value = find_parameter(pairs, plain);
		if (value.at) {
			g_string_append_len(bytes, value.at, (gssize)span_size(value));
		} else {
			value = find_parameter(pairs, coded);
			if (!value.at)
				break;
			if (n == 0)
				charset = take_charset(&value);
			append_percent_decoded(bytes, value);
		}
		found = true;
	}
	return found ? to_utf8(bytes, charset) : NULL;
}

static char *
decoded(Span raw)
{
	g_autoptr(GString) text = NULL;

	if (!raw.at)
		return NULL;
	text = g_string_new(NULL);
	mail_header_decode(raw, NULL, text);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The name a part goes by: disposition's filename, then the type's name; RFC 2231's form first. */
static char *
part_name(const ImapBodyPart *wire)
{
	char *name = extended_parameter(&wire->disposition_parameters, "filename");

	if (!name)
		name = decoded(find_parameter(&wire->disposition_parameters, "filename"));
	if (!name)
		name = extended_parameter(&wire->parameters, "name");
	if (!name)
		name = decoded(find_parameter(&wire->parameters, "name"));
	return name;
}

/* A word that a standard names (a type, an encoding): lower case, and printable ASCII whatever the
 * server sent, because it is compared, and shown beside the name. */
static char *
word_dup(Span span)
{
	char *word = span_dup(span);

	for (char *p = word; *p; p++)
		*p = g_ascii_isgraph(*p) ? g_ascii_tolower(*p) : '?';
	return word;
}

static char *
valid_dup(Span span)
{
	return span.at ? g_utf8_make_valid(span.at, (gssize)span_size(span)) : NULL;
}

static MailPart *
convert(const ImapBodyPart *wire, const ImapBodyPart *all, size_t index)
{
	MailPart *part = mail_part_new();
	g_autofree char *major = word_dup(wire->type);
	g_autofree char *minor = word_dup(wire->subtype);
	g_autofree char *type = g_strdup_printf("%s/%s", major, minor);
	Span format = find_parameter(&wire->parameters, "format");
	Span delsp = find_parameter(&wire->parameters, "delsp");

	part->section = imap_body_section(all, index);
	part->type = g_utf8_make_valid(type, -1);
	part->charset = valid_dup(find_parameter(&wire->parameters, "charset"));
	part->encoding = word_dup(wire->encoding);
	part->name = part_name(wire);
	part->description = decoded(wire->description);
	part->content_id = valid_dup(wire->id);
	part->is_attachment =
	    !g_str_equal(major, "multipart") && span_is_nocase(wire->disposition, "attachment");
	part->format_flowed = span_is_nocase(format, "flowed");
	part->delsp = span_is_nocase(delsp, "yes");
	part->size_octets = wire->size_octets;
	part->size_lines = wire->size_lines;
	if (wire->envelope) {
		const ImapAddresses *from = &wire->envelope->from;

		part->subject = decoded(wire->envelope->subject);
		if (from->count) {
			g_autoptr(GString) who = g_string_new(NULL);

			mail_address_append(who, from->at[0].name, from->at[0].mailbox,
					    from->at[0].host);
			part->from = g_string_free(g_steal_pointer(&who), FALSE);
		}
	}
	return part;
}

MailPart *
engine_structure(const StoreRow *row)
{
	g_autoptr(ImapParser) parser = NULL;
	g_autofree MailPart **made = NULL;
	const ImapBodyPart *parts;
	size_t n;
	bool cut;
	gsize size;
	const char *bytes;

	if (!row->structure)
		return NULL;
	parser = imap_parser_new();
	bytes = g_bytes_get_data(row->structure, &size);
	if (!imap_body_parse(parser, span_of(bytes, size), &parts, &n, &cut) || !n)
		return NULL;

	made = g_new0(MailPart *, n);
	for (size_t i = 0; i < n; i++) {
		made[i] = convert(&parts[i], parts, i);
		if (i)
			g_ptr_array_add(made[parts[i].parent]->children, made[i]);
	}
	made[0]->cut = cut;
	return made[0];
}

/* ---- the bytes ---------------------------------------------------------------------------------- */

bool
engine_part_has(Store *store, StoreId message, const char *section, bool *has, GError **error)
{
	if (!store_part_has(store, message, section, has, error))
		return false;
	return *has || store_part_has(store, message, "", has, error);
}

bool
engine_part_load(Store *store, StoreId message, const char *section, GBytes **bytes, GError **error)
{
	g_autoptr(GError) own = NULL;
	g_autoptr(GBytes) whole = NULL;

	if (store_part_load(store, message, section, bytes, &own))
		return true;
	if (!postern_error_is(own, POSTERN_ERROR_GONE) ||
	    !store_part_load(store, message, "", &whole, NULL)) {
		g_propagate_error(error, g_steal_pointer(&own));
		return false;
	}
	*bytes = mail_extract(whole, section);
	if (!*bytes)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("the message has no part %s"), section);
	return *bytes != NULL;
}
