#include "charset-private.h"

#include <errno.h>
#include <iconv.h>

#define PLACEHOLDER "\xef\xbf\xbd" /* U+FFFD */
#define RUN_MAX	    4		   /* bytes that one placeholder stands for */
#define KEY_MAX	    24
#define BUFFER_SIZE 4096

typedef enum {
	WAY_UTF8,
	WAY_GUESS, /* UTF-8, or the fallback; the first byte above ASCII decides */
	WAY_ICONV,
} Way;

struct Charset {
	Way way;
	const char *used;
	const char *fallback; /* of a guess: iconv's name */
	iconv_t iconv;	      /* WAY_ICONV */
	unsigned unit;	      /* bytes skipped after one that means nothing */
	bool bom;	      /* nothing has come yet, and a byte order mark counts */
	GByteArray *pending;  /* an unfinished character, or less than a byte order mark */
	size_t errors;
	unsigned run; /* bytes that the placeholder at the end stands for; 0: none there */
};

typedef struct Row {
	const char *key;  /* lower case letters and digits of the name */
	const char *name; /* iconv's; NULL: UTF-8; "": a guess */
} Row;

/* Sorted by key.  Where a vendor's superset is what mail really means, it stands in (as in
 * WHATWG's Encoding Standard): ISO-8859-1 is windows-1252, GB2312 is GB18030. */
static const Row rows[] = {
	{ "437", "CP437" },
	{ "850", "CP850" },
	{ "852", "CP852" },
	{ "866", "CP866" },
	{ "ansix341968", "" },
	{ "armscii8", "ARMSCII-8" },
	{ "ascii", "" },
	{ "big5", "BIG5" },
	{ "big5hkscs", "BIG5-HKSCS" },
	{ "cnbig5", "BIG5" },
	{ "cp1125", "CP1125" },
	{ "cp1250", "windows-1250" },
	{ "cp1251", "windows-1251" },
	{ "cp1252", "windows-1252" },
	{ "cp1253", "windows-1253" },
	{ "cp1254", "windows-1254" },
	{ "cp1255", "windows-1255" },
	{ "cp1256", "windows-1256" },
	{ "cp1257", "windows-1257" },
	{ "cp1258", "windows-1258" },
	{ "cp367", "" },
	{ "cp437", "CP437" },
	{ "cp737", "CP737" },
	{ "cp775", "CP775" },
	{ "cp819", "windows-1252" },
	{ "cp850", "CP850" },
	{ "cp852", "CP852" },
	{ "cp855", "CP855" },
	{ "cp857", "CP857" },
	{ "cp858", "CP858" },
	{ "cp860", "CP860" },
	{ "cp861", "CP861" },
	{ "cp862", "CP862" },
	{ "cp863", "CP863" },
	{ "cp865", "CP865" },
	{ "cp866", "CP866" },
	{ "cp869", "CP869" },
	{ "cp874", "CP874" },
	{ "cp932", "CP932" },
	{ "cp936", "GB18030" },
	{ "cp949", "UHC" },
	{ "cp950", "BIG5" },
	{ "cseucpkdfmtjapanese", "EUC-JP-MS" },
	{ "csiso2022jp", "ISO-2022-JP-2" },
	{ "csshiftjis", "CP932" },
	{ "default", "" },
	{ "euccn", "GB18030" },
	{ "eucjp", "EUC-JP-MS" },
	{ "euckr", "UHC" },
	{ "euctw", "EUC-TW" },
	{ "gb18030", "GB18030" },
	{ "gb2312", "GB18030" },
	{ "gb231280", "GB18030" },
	{ "gbk", "GB18030" },
	{ "georgianps", "GEORGIAN-PS" },
	{ "ibm437", "CP437" },
	{ "ibm850", "CP850" },
	{ "ibm852", "CP852" },
	{ "ibm855", "CP855" },
	{ "ibm866", "CP866" },
	{ "iso2022cn", "ISO-2022-CN" },
	{ "iso2022jp", "ISO-2022-JP-2" },
	{ "iso2022jp1", "ISO-2022-JP-2" },
	{ "iso2022jp2", "ISO-2022-JP-2" },
	{ "iso2022kr", "ISO-2022-KR" },
	{ "iso646us", "" },
	{ "iso88591", "windows-1252" },
	{ "iso885910", "ISO-8859-10" },
	{ "iso885911", "CP874" },
	{ "iso885911987", "windows-1252" },
	{ "iso885913", "ISO-8859-13" },
	{ "iso885914", "ISO-8859-14" },
	{ "iso885915", "ISO-8859-15" },
	{ "iso885916", "ISO-8859-16" },
	{ "iso88592", "ISO-8859-2" },
	{ "iso88593", "ISO-8859-3" },
	{ "iso88594", "ISO-8859-4" },
	{ "iso88595", "ISO-8859-5" },
	{ "iso88596", "ISO-8859-6" },
	{ "iso88596e", "ISO-8859-6" },
	{ "iso88596i", "ISO-8859-6" },
	{ "iso88597", "ISO-8859-7" },
	{ "iso88598", "ISO-8859-8" },
	{ "iso88598e", "ISO-8859-8" },
	{ "iso88598i", "ISO-8859-8" },
	{ "iso88599", "windows-1254" },
	{ "johab", "JOHAB" },
	{ "koi8", "KOI8-R" },
	{ "koi8r", "KOI8-R" },
	{ "koi8ru", "KOI8-RU" },
	{ "koi8t", "KOI8-T" },
	{ "koi8u", "KOI8-U" },
	{ "korean", "UHC" },
	{ "ksc5601", "UHC" },
	{ "ksc56011987", "UHC" },
	{ "ksc56011989", "UHC" },
	{ "latin1", "windows-1252" },
	{ "latin2", "ISO-8859-2" },
	{ "latin3", "ISO-8859-3" },
	{ "latin4", "ISO-8859-4" },
	{ "latin5", "windows-1254" },
	{ "latin9", "ISO-8859-15" },
	{ "mac", "MACINTOSH" },
	{ "maccyrillic", "MAC-CYRILLIC" },
	{ "macintosh", "MACINTOSH" },
	{ "macroman", "MACINTOSH" },
	{ "ms932", "CP932" },
	{ "ms936", "GB18030" },
	{ "ms949", "UHC" },
	{ "ms950", "BIG5" },
	{ "mskanji", "CP932" },
	{ "pt154", "PT154" },
	{ "rk1048", "RK1048" },
	{ "shiftjis", "CP932" },
	{ "sjis", "CP932" },
	{ "tcvn", "TCVN" },
	{ "tis620", "CP874" },
	{ "uhc", "UHC" },
	{ "unicode11utf8", NULL },
	{ "unknown8bit", "" },
	{ "usascii", "" },
	{ "utf16", "UTF-16" },
	{ "utf16be", "UTF-16BE" },
	{ "utf16le", "UTF-16LE" },
	{ "utf32", "UTF-32" },
	{ "utf32be", "UTF-32BE" },
	{ "utf32le", "UTF-32LE" },
	{ "utf8", NULL },
	{ "viscii", "VISCII" },
	{ "win1250", "windows-1250" },
	{ "win1251", "windows-1251" },
	{ "win1252", "windows-1252" },
	{ "windows1250", "windows-1250" },
	{ "windows1251", "windows-1251" },
	{ "windows1252", "windows-1252" },
	{ "windows1253", "windows-1253" },
	{ "windows1254", "windows-1254" },
	{ "windows1255", "windows-1255" },
	{ "windows1256", "windows-1256" },
	{ "windows1257", "windows-1257" },
	{ "windows1258", "windows-1258" },
	{ "windows31j", "CP932" },
	{ "windows874", "CP874" },
	{ "windows932", "CP932" },
	{ "windows936", "GB18030" },
	{ "windows949", "UHC" },
	{ "xeucjp", "EUC-JP-MS" },
	{ "xgbk", "GB18030" },
	{ "xmaccyrillic", "MAC-CYRILLIC" },
	{ "xmacroman", "MACINTOSH" },
	{ "xsjis", "CP932" },
	{ "xunknown", "" },
	{ "xuserdefined", "" },
	{ "xwindows949", "UHC" },
	{ "xxbig5", "BIG5" },
};

static int
compare_row(const void *key, const void *row)
{
	return strcmp(key, ((const Row *)row)->key);
}

static const Row *
find_row(Span name)
{
	char key[KEY_MAX];
	size_t n = 0;

	for (const char *p = name.at; p < name.end; p++) {
		if (*p == '-' || *p == '_' || *p == ' ' || *p == '.' || *p == ':')
			continue;
		if (!g_ascii_isalnum(*p) || n == KEY_MAX - 1)
			return NULL;
		key[n++] = g_ascii_tolower(*p);
	}
	key[n] = '\0';
	return bsearch(key, rows, G_N_ELEMENTS(rows), sizeof(rows[0]), compare_row);
}

bool
charset_is_known(Span name)
{
	return find_row(name) != NULL;
}

static bool
open_iconv(Charset *charset, const char *name)
{
	charset->iconv = iconv_open("UTF-8", name);
	if (charset->iconv == (iconv_t)-1)
		return false;
	charset->way = WAY_ICONV;
	charset->used = name;
	charset->unit = g_str_has_prefix(name, "UTF-16")   ? 2
			: g_str_has_prefix(name, "UTF-32") ? 4
							   : 1;
	return true;
}

static void
guess(Charset *charset)
{
	charset->way = WAY_GUESS;
	charset->used = "UTF-8";
}

Charset *
charset_new(Span name, const char *fallback)
{
	Charset *charset = g_new0(Charset, 1);
	const Row *row = find_row(name);
	const Row *second = fallback ? find_row(span_of_string(fallback)) : NULL;

	charset->iconv = (iconv_t)-1;
	charset->unit = 1;
	charset->pending = g_byte_array_new();
	charset->fallback = second && second->name && *second->name ? second->name : "windows-1252";
	if (row && !row->name) {
		charset->way = WAY_UTF8;
		charset->used = "UTF-8";
	} else if (!row || !*row->name || !open_iconv(charset, row->name)) {
		guess(charset);
	}
	return charset;
}

void
charset_free(Charset *charset)
{
	if (!charset)
		return;
	if (charset->iconv != (iconv_t)-1)
		iconv_close(charset->iconv);
	g_byte_array_unref(charset->pending);
	g_free(charset);
}

void
charset_obey_bom(Charset *charset)
{
	charset->bom = true;
}

size_t
charset_errors(const Charset *charset)
{
	return charset->errors;
}

const char *
charset_used(const Charset *charset)
{
	return charset->used;
}

static void
put_placeholder(Charset *charset, size_t bytes, GString *out)
{
	if (charset->run == 0 || charset->run + bytes > RUN_MAX) {
		g_string_append_len(out, PLACEHOLDER, 3);
		charset->errors++;
		charset->run = 0;
	}
	charset->run += (unsigned)bytes;
}

/* Valid UTF-8, which may hold NULs. */
static void
put_text(Charset *charset, const char *text, size_t size, GString *out)
{
	const char *end = text + size;

	while (text < end) {
		const char *nul = memchr(text, 0, (size_t)(end - text));
		const char *stop = nul ? nul : end;

		if (stop > text) {
			g_string_append_len(out, text, stop - text);
			charset->run = 0;
		}
		if (nul)
			put_placeholder(charset, 1, out);
		text = nul ? nul + 1 : end;
	}
}

/* How many bytes at P, which begin no valid character, may still become one: 0 for none. */
static size_t
unfinished_utf8(const char *p, const char *end)
{
	gunichar c = g_utf8_get_char_validated(p, end - p);

	return c == (gunichar)-2 ? (size_t)(end - p) : 0;
}

/* Takes what it can; what is left at the end is an unfinished character. */
static size_t
take_utf8(Charset *charset, Span bytes, bool last, GString *out)
{
	const char *p = bytes.at;

	while (p < bytes.end) {
		const char *bad;

		g_utf8_validate_len(p, (size_t)(bytes.end - p), &bad);
		if (bad > p) {
			put_text(charset, p, (size_t)(bad - p), out);
			p = bad;
			continue;
		}
		if (*p && !last && unfinished_utf8(p, bytes.end))
			break;
		put_placeholder(charset, 1, out);
		p++;
	}
	return (size_t)(p - bytes.at);
}

static size_t
take_iconv(Charset *charset, Span bytes, bool last, GString *out)
{
	char buffer[BUFFER_SIZE];
	char *in = (char *)bytes.at;
	size_t left = span_size(bytes);

	while (left > 0) {
		char *to = buffer;
		size_t room = sizeof(buffer), before = left, skip;
		size_t result = iconv(charset->iconv, &in, &left, &to, &room);
		int why = result == (size_t)-1 ? errno : 0;

		put_text(charset, buffer, (size_t)(to - buffer), out);
		if (why == 0 || (why == E2BIG && (left < before || to > buffer)))
			continue;
		if (why == EINVAL && !last)
			break;
		skip = MIN(left, charset->unit);
		put_placeholder(charset, skip, out);
		in += skip;
		left -= skip;
	}
	if (last) {
		/* What it held back: windows-1255 and its like wait for a mark on the last letter. */
		char *to = buffer;
		size_t room = sizeof(buffer);

		if (iconv(charset->iconv, NULL, NULL, &to, &room) != (size_t)-1)
			put_text(charset, buffer, (size_t)(to - buffer), out);
	}
	return span_size(bytes) - left;
}

/* ASCII passes; the first byte above it decides what this is. */
static size_t
take_guess(Charset *charset, Span bytes, bool last, GString *out)
{
	const char *p = bytes.at;

	while (p < bytes.end && (unsigned char)*p < 0x80)
		p++;
	put_text(charset, bytes.at, (size_t)(p - bytes.at), out);
	if (p < bytes.end && (last || !unfinished_utf8(p, bytes.end))) {
		gunichar c = g_utf8_get_char_validated(p, bytes.end - p);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			if (!open_iconv(charset, charset->fallback))
				charset->way = WAY_UTF8;
		} else {
			charset->way = WAY_UTF8;
		}
	}
	return (size_t)(p - bytes.at);
}

/* A byte order mark at the beginning: its size, and what it says. */
static size_t
take_bom(Span bytes, const char **name)
{
	static const struct {
		const char *mark;
		size_t size;
		const char *name;
	} marks[] = {
		{ "\xef\xbb\xbf", 3, "UTF-8" },
		{ "\xff\xfe\0\0", 4, "UTF-32LE" }, /* before UTF-16's, whose mark begins it */
		{ "\0\0\xfe\xff", 4, "UTF-32BE" },
		{ "\xff\xfe", 2, "UTF-16LE" },
		{ "\xfe\xff", 2, "UTF-16BE" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		if (span_size(bytes) >= marks[i].size &&
		    !memcmp(bytes.at, marks[i].mark, marks[i].size)) {
			*name = marks[i].name;
			return marks[i].size;
		}
	}
	return 0;
}

static size_t
obey_bom(Charset *charset, Span bytes)
{
	const char *name;
	size_t size = take_bom(bytes, &name);

	charset->bom = false;
	if (!size)
		return 0;
	if (charset->iconv != (iconv_t)-1) {
		iconv_close(charset->iconv);
		charset->iconv = (iconv_t)-1;
	}
	if (!strcmp(name, "UTF-8") || !open_iconv(charset, name)) {
		charset->way = WAY_UTF8;
		charset->used = "UTF-8";
	}
	return size;
}

static void
take(Charset *charset, Span *bytes, bool last, GString *out)
{
	Way way;

	if (charset->bom && (last || span_size(*bytes) >= 4))
		bytes->at += obey_bom(charset, *bytes);
	if (charset->bom)
		return;
	do {
		way = charset->way;
		if (way == WAY_UTF8)
			bytes->at += take_utf8(charset, *bytes, last, out);
		else if (way == WAY_ICONV)
			bytes->at += take_iconv(charset, *bytes, last, out);
		else
			bytes->at += take_guess(charset, *bytes, last, out);
	} while (way != charset->way);
}

void
charset_feed(Charset *charset, Span bytes, bool last, GString *out)
{
	GByteArray *pending = charset->pending;

	if (span_is_empty(bytes))
		bytes = SPAN_LITERAL("");
	if (pending->len > 0) {
		Span all;
		size_t used;

		g_byte_array_append(pending, (const guint8 *)bytes.at, (guint)span_size(bytes));
		all = span_of(pending->data, pending->len);
		take(charset, &all, last, out);
		used = pending->len - span_size(all);
		if (used > 0)
			g_byte_array_remove_range(pending, 0, (guint)used);
	} else {
		take(charset, &bytes, last, out);
		if (!span_is_empty(bytes))
			g_byte_array_append(pending, (const guint8 *)bytes.at,
					    (guint)span_size(bytes));
	}
}

void
charset_append(GString *out, Span bytes, Span name, const char *fallback)
{
	const Row *row = find_row(name);
	g_autoptr(Charset) charset = NULL;

	/* Nearly everything is UTF-8 already. */
	if ((!row || !row->name || !*row->name) &&
	    g_utf8_validate_len(bytes.at, span_size(bytes), NULL)) {
		g_string_append_len(out, bytes.at, (gssize)span_size(bytes));
		return;
	}
	charset = charset_new(name, fallback);
	charset_feed(charset, bytes, true, out);
}
