#include "mail/text.h"

#include <gmime/gmime.h>

typedef enum {
	AS_IT_IS,
	BASE64,
	QUOTED,
} Encoding;

/* Where a piece ended within quoted-printable. */
typedef enum {
	IN_TEXT,
	AFTER_EQUAL, /* "=" */
	AFTER_DIGIT, /* "=C" */
	AFTER_BLANK, /* "= ", and more of them: a soft break, if a line end follows */
	AFTER_CR,    /* "=\r", perhaps with blanks between */
} Place;

struct MailDecoder {
	Encoding encoding;
	GMimeEncoding base64;
	Place place;
	char digit;	    /* AFTER_DIGIT */
	GByteArray *blanks; /* AFTER_BLANK and AFTER_CR: what stood behind the "=" */
};

static Encoding
encoding_of(const char *name)
{
	if (name && !strcmp(name, "base64"))
		return BASE64;
	return name && !strcmp(name, "quoted-printable") ? QUOTED : AS_IT_IS;
}

bool
mail_decoder_knows(const char *encoding)
{
	static const char *const identities[] = { "", "7bit", "8bit", "binary" };

	for (size_t i = 0; i < G_N_ELEMENTS(identities); i++)
		if (!encoding || !strcmp(encoding, identities[i]))
			return true;
	return encoding_of(encoding) != AS_IT_IS;
}

MailDecoder *
mail_decoder_new(const char *encoding)
{
	MailDecoder *decoder = g_new0(MailDecoder, 1);

	decoder->encoding = encoding_of(encoding);
	decoder->blanks = g_byte_array_new();
	g_mime_encoding_init_decode(&decoder->base64, GMIME_CONTENT_ENCODING_BASE64);
	return decoder;
}

void
mail_decoder_free(MailDecoder *decoder)
{
	if (!decoder)
		return;
	g_byte_array_unref(decoder->blanks);
	g_free(decoder);
}

static void
put(GByteArray *out, const char *bytes, size_t size)
{
	g_byte_array_append(out, (const guint8 *)bytes, (guint)size);
}

static void
feed_base64(MailDecoder *decoder, Span piece, bool last, GByteArray *out)
{
	size_t size = span_size(piece), before = out->len;

	g_byte_array_set_size(out,
			      (guint)(before + g_mime_encoding_outlen(&decoder->base64, size) + 4));
	before +=
	    g_mime_encoding_step(&decoder->base64, piece.at, size, (char *)out->data + before);
	/* The padding that a cut one lacks; it does nothing where there was one. */
	if (last)
		before +=
		    g_mime_encoding_step(&decoder->base64, "==", 2, (char *)out->data + before);
	g_byte_array_set_size(out, (guint)before);
}

/* What looked like an escape was none. */
static void
give_back(MailDecoder *decoder, GByteArray *out)
{
	put(out, "=", 1);
	if (decoder->place == AFTER_DIGIT)
		put(out, &decoder->digit, 1);
	put(out, (const char *)decoder->blanks->data, decoder->blanks->len);
	g_byte_array_set_size(decoder->blanks, 0);
	decoder->place = IN_TEXT;
}

/* C, after the beginning of an escape; false when C is not part of it, and still to be taken. */
static bool
go_on(MailDecoder *decoder, char c, GByteArray *out)
{
	bool hex = g_ascii_isxdigit(c);

	if (c == '\n' && decoder->place != AFTER_DIGIT) {
		g_byte_array_set_size(decoder->blanks, 0);
		decoder->place = IN_TEXT;
		return true;
	}
	if (decoder->place == AFTER_EQUAL && hex) {
		decoder->digit = c;
		decoder->place = AFTER_DIGIT;
		return true;
	}
	if (decoder->place == AFTER_DIGIT && hex) {
		char byte =
		    (char)(g_ascii_xdigit_value(decoder->digit) << 4 | g_ascii_xdigit_value(c));

		put(out, &byte, 1);
		decoder->place = IN_TEXT;
		return true;
	}
	if ((decoder->place == AFTER_EQUAL || decoder->place == AFTER_BLANK) &&
	    (c == ' ' || c == '\t' || c == '\r')) {
		put(decoder->blanks, &c, 1);
		decoder->place = c == '\r' ? AFTER_CR : AFTER_BLANK;
		return true;
	}
	return false;
}

static void
feed_quoted(MailDecoder *decoder, Span piece, bool last, GByteArray *out)
{
	const char *p = piece.at;

	while (p < piece.end) {
		if (decoder->place == IN_TEXT) {
			const char *equal = memchr(p, '=', (size_t)(piece.end - p));
			const char *stop = equal ? equal : piece.end;

			put(out, p, (size_t)(stop - p));
			p = stop;
			if (equal) {
				decoder->place = AFTER_EQUAL;
				p++;
			}
		} else if (go_on(decoder, *p, out)) {
			p++;
		} else {
			give_back(decoder, out);
		}
	}
	/* A "=" at the very end was a soft break before the end of the last line. */
	if (last && decoder->place == AFTER_DIGIT)
		give_back(decoder, out);
}

void
mail_decoder_feed(MailDecoder *decoder, Span piece, bool last, GByteArray *out)
{
	if (decoder->encoding == BASE64)
		feed_base64(decoder, piece, last, out);
	else if (decoder->encoding == QUOTED)
		feed_quoted(decoder, piece, last, out);
	else
		put(out, piece.at, span_size(piece));
}
