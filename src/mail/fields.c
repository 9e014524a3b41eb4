/* mail_text_headers: a header section as a person reads it. */
#include "mail/text.h"
#include "mail/header.h"
#include "base/safetext.h"

#define HEADER_MAX ((size_t)10 << 20) /* of the section; more is not looked at */
#define VALUE_MAX  ((size_t)16 << 10)
#define OUT_MAX	   ((size_t)1 << 20)
#define KEPT_MAX   1000 /* fields, of those that are shown */
#define CUT	   "[...]"

typedef struct Field {
	Span name, value;
} Field;

/* What a reader sees first, in this order. */
static const struct {
	const char *name;
	bool addresses;
} shown[] = {
	{ "From", true },  { "To", true },	 { "Cc", true },
	{ "Date", false }, { "Subject", false }, { "Reply-To", true },
};

/* Addresses elsewhere. */
static const char *const address_fields[] = {
	"Sender",	    "Bcc",	   "Resent-From",
	"Resent-To",	    "Resent-Cc",   "Resent-Sender",
	"Mail-Followup-To", "Return-Path", "Disposition-Notification-To"
};

/* A name and a colon, perhaps with blanks between (RFC 5322, 4.5), at the beginning of LINE. */
static bool
split(Span line, Field *field)
{
	const char *p = line.at;

	while (p < line.end && g_ascii_isgraph(*p) && *p != ':')
		p++;
	field->name = (Span){ line.at, p };
	while (p < line.end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == line.end || *p != ':' || span_is_empty(field->name))
		return false;
	for (p++; p < line.end && g_ascii_isspace(*p);)
		p++;
	field->value = (Span){ p, line.end };
	return true;
}

/* One field with its folded lines.  What is none (an mbox's "From ", noise) is skipped; false at
 * the empty line, or at the end. */
static bool
take_field(Span *in, Field *field)
{
	while (!span_is_empty(*in) && *in->at != '\n' && *in->at != '\r') {
		Span line = *in;

		do {
			const char *newline = memchr(in->at, '\n', span_size(*in));

			in->at = newline ? newline + 1 : in->end;
		} while (!span_is_empty(*in) && (*in->at == ' ' || *in->at == '\t'));
		line.end = in->at;
		while (!span_is_empty(line) && g_ascii_isspace(line.end[-1]))
			line.end--;
		if (split(line, field))
			return true;
	}
	return false;
}

static bool
has_addresses(Span name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
		if (shown[i].addresses && span_is_nocase(name, shown[i].name))
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(address_fields); i++)
		if (span_is_nocase(name, address_fields[i]))
			return true;
	return false;
}

/* False when OUT is full. */
static bool
put_field(GString *out, Span name, Span value)
{
	g_autoptr(GString) decoded = g_string_new(NULL);
	bool cut = span_size(value) > VALUE_MAX;

	if (out->len > OUT_MAX) {
		g_string_append(out, CUT "\n");
		return false;
	}
	if (cut)
		value.end = value.at + VALUE_MAX;
	if (has_addresses(name))
		mail_address_list_append(decoded, value);
	else
		mail_header_decode(value, NULL, decoded);
	safe_text_append(out, name, SAFE_LINE);
	g_string_append(out, ": ");
	safe_text_append(out, span_of(decoded->str, decoded->len), SAFE_LINE);
	g_string_append(out, cut ? " " CUT "\n" : "\n");
	return true;
}

/* Which of SHOWN; -1 for none. */
static int
place_of(Span name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
		if (span_is_nocase(name, shown[i].name))
			return (int)i;
	return -1;
}

char *
mail_text_headers(GBytes *bytes, bool all)
{
	size_t size;
	const char *data = g_bytes_get_data(bytes, &size);
	Span in = size > 0 ? span_of(data, MIN(size, HEADER_MAX)) : SPAN_EMPTY;
	GString *out = g_string_new(NULL);
	g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(Field));
	Field field;
	bool room = true;

	while (room && take_field(&in, &field)) {
		if (all)
			room = put_field(out, field.name, field.value);
		else if (place_of(field.name) >= 0 && kept->len < KEPT_MAX)
			g_array_append_val(kept, field);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(shown); i++) {
		for (guint k = 0; room && k < kept->len; k++) {
			const Field *one = &g_array_index(kept, Field, k);

			if (place_of(one->name) == (int)i)
				room = put_field(out, span_of_string(shown[i].name), one->value);
		}
	}
	return g_string_free(out, FALSE);
}
