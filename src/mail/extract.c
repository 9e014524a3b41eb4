#include "mail/extract.h"

#include <gmime/gmime.h>

static GBytes *
header_of(GBytes *message)
{
	gsize size;
	const char *bytes = g_bytes_get_data(message, &size);
	const char *end = bytes + size;

	for (const char *line = bytes; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			break;
		if (newline == line || (newline == line + 1 && *line == '\r'))
			return g_bytes_new_from_bytes(message, 0, (gsize)(newline + 1 - bytes));
		line = newline + 1;
	}
	return g_bytes_ref(message);
}

/* A message/rfc822 is its own multipart's section, or its single part is number 1.  A multipart whose
 * boundary never comes has no part here, and for servers one that is empty: HOLLOW. */
static GMimeObject *
child_of(GMimeObject *object, uint64_t number, bool *hollow)
{
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		object = inner ? g_mime_message_get_mime_part(inner) : NULL;
	}
	if (!object)
		return NULL;
	if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);

		*hollow = number == 1 && g_mime_multipart_get_count(multipart) == 0;
		if (number > (uint64_t)g_mime_multipart_get_count(multipart))
			return NULL;
		return g_mime_multipart_get_part(multipart, (int)number - 1);
	}
	return number == 1 ? object : NULL;
}

static GMimeObject *
find_section(GMimeMessage *message, const char *section, bool *hollow)
{
	GMimeObject *object = g_mime_message_get_mime_part(message);
	Span rest = span_of_string(section);
	bool first = true;

	*hollow = false;
	while (object && !span_is_empty(rest)) {
		const char *dot = memchr(rest.at, '.', span_size(rest));
		Span digits = { rest.at, dot ? dot : rest.end };
		uint64_t number;

		if (!span_to_number(digits, 100000, &number) || !number)
			return NULL;
		/* At the top, as at every level, a part that is not a multipart is its own number 1;
		 * below one that is neither multipart nor message there is nothing. */
		if (!first && !GMIME_IS_MULTIPART(object) && !GMIME_IS_MESSAGE_PART(object))
			return NULL;
		if (first && !GMIME_IS_MULTIPART(object))
			object = number == 1 ? object : NULL;
		else
			object = child_of(object, number, hollow);
		first = false;
		rest.at = dot ? dot + 1 : rest.end;
	}
	*hollow = *hollow && span_is_empty(rest);
	return object;
}

static GBytes *
bytes_of(GMimeObject *object)
{
	GMimeStream *out = g_mime_stream_mem_new();
	GByteArray *array;
	GBytes *bytes;

	if (GMIME_IS_PART(object)) {
		GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
		GMimeStream *in = content ? g_mime_data_wrapper_get_stream(content) : NULL;

		if (in) {
			g_mime_stream_reset(in);
			g_mime_stream_write_to_stream(in, out);
		}
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (inner)
			g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, out);
	} else {
		g_mime_object_write_content_to_stream(object, NULL, out);
	}
	array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
	bytes = g_bytes_new(array->data, array->len);
	g_object_unref(out);
	return bytes;
}

GBytes *
mail_extract(GBytes *message, const char *section)
{
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *parsed;
	GMimeObject *object = NULL;
	GBytes *bytes = NULL;
	bool hollow = false;
	gsize size;
	const char *data = g_bytes_get_data(message, &size);

	if (!*section)
		return g_bytes_ref(message);
	if (g_str_equal(section, "HEADER"))
		return header_of(message);
	stream = g_mime_stream_mem_new_with_buffer(data, size);
	parser = g_mime_parser_new_with_stream(stream);
	parsed = g_mime_parser_construct_message(parser, NULL);
	if (parsed)
		object = find_section(parsed, section, &hollow);
	if (object)
		bytes = bytes_of(object);
	else if (hollow)
		bytes = g_bytes_new_static("", 0);
	if (parsed)
		g_object_unref(parsed);
	g_object_unref(parser);
	g_object_unref(stream);
	return bytes;
}
