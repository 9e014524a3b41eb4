#include "imap-dump-json.h"

#define FLUSH_BYTES (64 << 10)

void
json_init(Json *json, FILE *file)
{
	json->file = file;
	json->buffer = g_string_sized_new(FLUSH_BYTES * 2);
	json->last = '\n';
}

static void
flush(Json *json)
{
	fwrite(json->buffer->str, 1, json->buffer->len, json->file);
	g_string_truncate(json->buffer, 0);
}

bool
json_clear(Json *json)
{
	bool ok;

	flush(json);
	ok = fflush(json->file) == 0 && !ferror(json->file);
	g_string_free(json->buffer, true);
	return ok;
}

static void
put(Json *json, char c)
{
	g_string_append_c(json->buffer, c);
	json->last = c;
	if (json->buffer->len >= FLUSH_BYTES)
		flush(json);
}

static void
put_ascii(Json *json, const char *text)
{
	for (; *text; text++)
		put(json, *text);
}

static void
put_unit(Json *json, unsigned unit)
{
	char escape[8];

	g_snprintf(escape, sizeof escape, "\\u%04x", unit & 0xffff);
	put_ascii(json, escape);
}

static void
put_code_point(Json *json, gunichar c)
{
	if (c == '"' || c == '\\') {
		put(json, '\\');
		put(json, (char)c);
	} else if (c >= 0x20 && c < 0x7f) {
		put(json, (char)c);
	} else if (c == '\r' || c == '\n' || c == '\t') {
		put(json, '\\');
		put(json, c == '\r' ? 'r' : c == '\n' ? 'n' : 't');
	} else if (c < 0x10000) {
		put_unit(json, c);
	} else {
		put_unit(json, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(json, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

/* UTF-8, where a NUL is a character like any other. */
static bool
is_utf8(Span text)
{
	while (!span_is_empty(text)) {
		const char *nul = memchr(text.at, '\0', span_size(text));
		const char *end = nul ? nul : text.end;

		if (!g_utf8_validate_len(text.at, (gsize)(end - text.at), NULL))
			return false;
		text.at = nul ? nul + 1 : end;
	}
	return true;
}

static void
put_string(Json *json, Span text)
{
	bool utf8 = is_utf8(text);

	put(json, '"');
	for (const char *p = text.at; p < text.end;) {
		if (utf8) {
			put_code_point(json, g_utf8_get_char(p));
			p = g_utf8_next_char(p);
		} else {
			put_code_point(json, (unsigned char)*p++);
		}
	}
	put(json, '"');
	json->last = '"';
}

static void
put_key(Json *json, const char *key)
{
	if (json->last != '{' && json->last != '[' && json->last != '\n')
		put(json, ',');
	if (!key)
		return;
	put_string(json, span_of_string(key));
	put(json, ':');
}

void
json_open(Json *json, const char *key, char bracket)
{
	put_key(json, key);
	put(json, bracket);
}

void
json_close(Json *json, char bracket)
{
	put(json, bracket);
}

void
json_line_end(Json *json)
{
	put(json, '\n');
}

void
json_null(Json *json, const char *key)
{
	put_key(json, key);
	put_ascii(json, "null");
}

void
json_bool(Json *json, const char *key, bool value)
{
	put_key(json, key);
	put_ascii(json, value ? "true" : "false");
}

void
json_number(Json *json, const char *key, uint64_t value)
{
	char digits[24];

	g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, value);
	put_key(json, key);
	put_ascii(json, digits);
}

void
json_signed(Json *json, const char *key, int64_t value)
{
	char digits[24];

	g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, value);
	put_key(json, key);
	put_ascii(json, digits);
}

void
json_text(Json *json, const char *key, const char *value)
{
	json_span(json, key, span_of_string(value));
}

void
json_span(Json *json, const char *key, Span value)
{
	if (!value.at) {
		json_null(json, key);
		return;
	}
	put_key(json, key);
	put_string(json, value);
}

void
json_pair(Json *json, Span key, Span value)
{
	put_key(json, NULL);
	put_string(json, key);
	put(json, ':');
	if (value.at)
		put_string(json, value);
	else
		put_ascii(json, "null");
}
