#include "mail/header.h"
#include "charset-private.h"

#include <gmime/gmime.h>
#include <libxml/parser.h>

#define PLACEHOLDER "\xef\xbf\xbd" /* U+FFFD */
#define CHARSET_MAX 64
#define BYTES(n)    (UINT64_C(0x0101010101010101) * (n))

/* One encoded word: "=?charset*language?B?text?=". */
typedef struct Word {
	Span charset;
	Span text;
	char coding;	 /* 'b' or 'q' */
	const char *end; /* past its "?=" */
} Word;

/* Adjacent encoded words whose bytes belong together. */
typedef struct Words {
	GByteArray *bytes; /* decoded, not converted; NULL: there were no words yet */
	Span charset;	   /* of all of them */
	uint32_t bits;	   /* base64 that ended within a byte... */
	unsigned n_bits;   /* ...and how many bits that are */
} Words;

void
mail_init(void)
{
	g_mime_init();
	xmlInitParser();
}

bool
mail_header_is_plain(Span raw)
{
	const char *p = raw.at;
	uint64_t word;

	for (;;) {
		/* Eight at a time, while there is no high bit, nothing below 0x20, no '='. */
		for (; raw.end - p >= 8; p += 8) {
			memcpy(&word, p, 8);
			if ((word | (word - BYTES(0x20)) | ((word ^ BYTES('=')) - BYTES(1))) &
			    BYTES(0x80))
				break;
		}
		if (p >= raw.end)
			return true;
		if ((unsigned char)*p >= 0x80 || *p == '\0' || *p == '\r' || *p == '\n')
			return false;
		if (*p == '=' && p + 1 < raw.end && p[1] == '?')
			return false;
		p++;
	}
}

static const char *
find_pair(const char *p, const char *end, const char *pair)
{
	while (p < end && (p = memchr(p, pair[0], (size_t)(end - p))) && p + 1 < end) {
		if (p[1] == pair[1])
			return p;
		p++;
	}
	return NULL;
}

/* The last "?=": behind it no encoded word ends, so that nobody need look again and again. */
static const char *
last_word_end(Span raw)
{
	for (size_t i = span_size(raw); i >= 2; i--)
		if (raw.at[i - 2] == '?' && raw.at[i - 1] == '=')
			return raw.at + i - 2;
	return NULL;
}

/* P is at "=?".  LAST is where the last "?=" begins, or NULL. */
static bool
take_word(const char *p, const char *last, Word *word)
{
	const char *star = NULL, *q = p + 2;

	if (!last)
		return false;
	for (; q < last && *q != '?'; q++) {
		if (!g_ascii_isgraph(*q) || q - p > CHARSET_MAX)
			return false;
		if (*q == '*' && !star)
			star = q;
	}
	if (last - q < 3 || q[2] != '?')
		return false;
	word->charset = (Span){ p + 2, star ? star : q };
	word->coding = g_ascii_tolower(q[1]);
	if (word->coding != 'b' && word->coding != 'q')
		return false;
	word->text.at = q + 3;
	word->text.end = find_pair(word->text.at, last + 2, "?=");
	if (!word->text.end)
		return false;
	word->end = word->text.end + 2;
	return charset_is_known(word->charset);
}

/* Room for what TEXT can give at most, and never NULL: the end of it is where to write, and to be cut off. */
static guint8 *
make_room(Words *words, Span text)
{
	guint before = words->bytes->len;

	g_byte_array_set_size(words->bytes, before + (guint)span_size(text) + 1);
	return words->bytes->data + before;
}

static void
cut_room(Words *words, const guint8 *end)
{
	g_byte_array_set_size(words->bytes, (guint)(end - words->bytes->data));
}

/* RFC 2047, 4.2; spaces and broken escapes are taken as they stand. */
static void
put_quoted(Words *words, Span text)
{
	guint8 *out = make_room(words, text);

	words->n_bits = 0;
	for (const char *p = text.at; p < text.end; p++) {
		if (*p == '=' && text.end - p > 2 && g_ascii_isxdigit(p[1]) &&
		    g_ascii_isxdigit(p[2])) {
			*out++ =
			    (guint8)(g_ascii_xdigit_value(p[1]) << 4 | g_ascii_xdigit_value(p[2]));
			p += 2;
		} else if (*p != '\r' && *p != '\n') {
			*out++ = *p == '_' ? ' ' : (guint8)*p;
		}
	}
	cut_room(words, out);
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A writer that cuts one stream of base64 into words leaves bits over at the end of a word; one
 * that forgets the padding leaves zeros. */
static void
put_base64(Words *words, Span text)
{
	guint8 *out = make_room(words, text);

	for (const char *p = text.at; p < text.end; p++) {
		int value = base64_value(*p);

		if (*p == '=')
			words->n_bits = 0;
		if (value < 0)
			continue;
		words->bits = words->bits << 6 | (uint32_t)value;
		words->n_bits += 6;
		if (words->n_bits >= 8) {
			words->n_bits -= 8;
			*out++ = (guint8)(words->bits >> words->n_bits & 0xff);
		}
	}
	cut_room(words, out);
	words->bits &= (1U << words->n_bits) - 1;
	if (words->bits == 0)
		words->n_bits = 0;
}

static void
flush_words(Words *words, GString *out)
{
	g_autoptr(GString) text = NULL;

	if (!words->bytes || words->bytes->len == 0)
		return;
	text = g_string_sized_new(words->bytes->len);
	charset_append(text, span_of(words->bytes->data, words->bytes->len), words->charset, NULL);
	g_byte_array_set_size(words->bytes, 0);
	words->n_bits = 0;
	if (!strpbrk(text->str, "\r\n")) {
		g_string_append_len(out, text->str, (gssize)text->len);
		return;
	}
	for (size_t i = 0; i < text->len; i++) {
		if (text->str[i] == '\r' || text->str[i] == '\n')
			g_string_append_len(out, PLACEHOLDER, 3);
		else
			g_string_append_c(out, text->str[i]);
	}
}

static void
put_word(Words *words, const Word *word, GString *out)
{
	if (!words->bytes)
		words->bytes = g_byte_array_new();
	if (!span_equals_nocase(words->charset, word->charset))
		flush_words(words, out);
	words->charset = word->charset;
	if (word->coding == 'q')
		put_quoted(words, word->text);
	else
		put_base64(words, word->text);
}

static bool
is_fold(const char *p, const char *end)
{
	if (*p == '\r' && p + 1 < end && p[1] == '\n')
		p++;
	p++;
	return p >= end || *p == ' ' || *p == '\t';
}

/* What is no encoded word.  A line break before white space, or at the very end, was folding. */
static void
put_plain(Span text, const char *fallback, GString *out)
{
	const char *p = text.at;
	g_autoptr(GString) unfolded = NULL;

	if (span_is_empty(text))
		return;
	if (memchr(p, '\n', span_size(text)) || memchr(p, '\r', span_size(text))) {
		unfolded = g_string_sized_new(span_size(text));
		for (; p < text.end; p++) {
			if ((*p != '\r' && *p != '\n') || !is_fold(p, text.end))
				g_string_append_c(unfolded, *p);
			else if (*p == '\r' && p + 1 < text.end && p[1] == '\n')
				p++;
		}
		text = span_of(unfolded->str, unfolded->len);
	}
	charset_append(out, text, SPAN_EMPTY, fallback);
}

static bool
is_white(Span text)
{
	for (const char *p = text.at; p < text.end; p++)
		if (!strchr(" \t\r\n", *p) || !*p)
			return false;
	return true;
}

void
mail_charset_decode(Span bytes, Span charset, GString *out)
{
	if (!span_is_empty(bytes))
		charset_append(out, bytes, charset, NULL);
}

void
mail_header_decode(Span raw, const char *fallback, GString *out)
{
	const char *p = raw.at, *last, *mark;
	Words words = { .charset = SPAN_EMPTY };
	bool after_word = false;

	if (mail_header_is_plain(raw)) {
		if (!span_is_empty(raw))
			g_string_append_len(out, raw.at, (gssize)span_size(raw));
		return;
	}
	last = last_word_end(raw);
	for (mark = p; (mark = find_pair(mark, raw.end, "=?"));) {
		Span between = { p, mark };
		Word word;

		if (!take_word(mark, last, &word)) {
			mark += 2;
			continue;
		}
		/* White space between encoded words is not shown (RFC 2047, 6.2). */
		if (!after_word || !is_white(between)) {
			flush_words(&words, out);
			put_plain(between, fallback, out);
		}
		put_word(&words, &word, out);
		after_word = true;
		p = mark = word.end;
	}
	flush_words(&words, out);
	put_plain((Span){ p, raw.end }, fallback, out);
	if (words.bytes)
		g_byte_array_unref(words.bytes);
}
