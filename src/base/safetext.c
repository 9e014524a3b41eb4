#include "base/safetext.h"

#include <limits.h>
#include <utf8proc.h>

#define MARKS_MAX   8  /* on one base */
#define CLUSTER_MAX 32 /* code points; the longest emoji of Unicode has ten */
#define RUN_MAX	    4  /* bytes that one placeholder stands for */

#define PLACEHOLDER   "\xef\xbf\xbd" /* U+FFFD */
#define DOTTED_CIRCLE "\xe2\x97\x8c" /* U+25CC */

#define BYTES(n) (UINT64_C(0x0101010101010101) * (n))

typedef enum {
	PASS,	   /* as it is, and marks may stand on it */
	MARK,	   /* stands on what is before it */
	JOINER,	   /* likewise, and cannot be seen alone: ZWJ, ZWNJ, variation selectors */
	LEFT_OUT,  /* forbidden, but dropped in running text */
	FORBIDDEN, /* a placeholder */
} Kind;

typedef struct Door {
	GString *out;
	SafeMode mode;
	int marks;	  /* on the base at the end of OUT; -1: there is no base */
	unsigned run;	  /* forbidden bytes since the last placeholder; 0: none at the end */
	const char *kept; /* [kept, now) passes unchanged and is not copied yet */
} Door;

/* The first byte at or after P that is no printable ASCII. */
static inline const char *
skip_plain(const char *p, const char *end)
{
	uint64_t word;

	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		/* A high bit, below 0x20, or 0x7f; borrows only reach bytes above a real hit. */
		if ((word | (word - BYTES(0x20)) | ((word ^ BYTES(0x7f)) - BYTES(0x01))) &
		    BYTES(0x80))
			break;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f)
		p++;
	return p;
}

static inline bool
is_tail(const char *p)
{
	return ((unsigned char)*p & 0xc0) == 0x80;
}

/* One code point (RFC 3629, 4): its size in bytes, or 0 when P begins none. */
static unsigned
take_code_point(const char *p, const char *end, uint32_t *code)
{
	unsigned char lead = (unsigned char)p[0];
	uint32_t c;
	unsigned size = lead < 0x80   ? 1
			: lead < 0xc2 ? 0
			: lead < 0xe0 ? 2
			: lead < 0xf0 ? 3
			: lead < 0xf5 ? 4
				      : 0;

	if (size == 0 || (size_t)(end - p) < size)
		return 0;
	c = size == 1 ? lead : lead & (0x7fU >> size);
	for (unsigned i = 1; i < size; i++) {
		if (!is_tail(p + i))
			return 0;
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if ((size == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (size == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	*code = c;
	return size;
}

/* Format characters that have a shape of their own: Arabic and Kaithi number signs, the Syriac
 * abbreviation mark, the joiners of Egyptian hieroglyphs. */
static bool
is_visible_format(uint32_t c)
{
	return (c >= 0x600 && c <= 0x605) || c == 0x6dd || c == 0x70f || c == 0x890 || c == 0x891 ||
	       c == 0x8e2 || c == 0x110bd || c == 0x110cd || (c >= 0x13430 && c <= 0x1343f);
}

/* Vowels and finals of Hangul syllables: they are drawn on the letter before them. */
static inline bool
is_jamo_tail(uint32_t c)
{
	return (c >= 0x1160 && c <= 0x11ff) || (c >= 0xd7b0 && c <= 0xd7fb);
}

static int
code_point_width(uint32_t c, const utf8proc_property_t *property)
{
	if (c < 0x7f)
		return c >= 0x20 || c == '\t';
	if (is_jamo_tail(c))
		return 0;
	if (c >= 0x4dc0 && c <= 0x4dff) /* hexagrams: wide to every libc, and since Unicode 16 */
		return 2;
	if (property->category == UTF8PROC_CATEGORY_MC || is_visible_format(c))
		return property->charwidth == 2 ? 2 : 1;
	return property->charwidth;
}

static bool
is_usual_and_invisible(uint32_t c)
{
	return c == 0xad || c == 0x200b || c == 0x2060 || c == 0xfeff || c == 0x61c ||
	       c == 0x200e || c == 0x200f;
}

static Kind
kind_of_format(uint32_t c)
{
	if (c == 0x200c || c == 0x200d)
		return JOINER;
	if (is_usual_and_invisible(c))
		return LEFT_OUT;
	return is_visible_format(c) ? PASS : FORBIDDEN;
}

/* What Unicode's categories do not tell: blank Hangul fillers, code points that will be invisible
 * once they are assigned, tags, non-characters. */
static bool
is_never_shown(uint32_t c)
{
	return c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 || c == 0x2065 ||
	       (c >= 0xfff0 && c < 0xfff9) || (c >= 0xe0000 && c < 0xe1000) ||
	       (c >= 0xfdd0 && c < 0xfdf0) || (c & 0xfffe) == 0xfffe;
}

/* C is above ASCII. */
static Kind
kind_of(uint32_t c)
{
	const utf8proc_property_t *property;

	if (c < 0x300)
		return c < 0xa0 ? FORBIDDEN : c == 0xad ? LEFT_OUT : PASS;
	if (c >= 0x3400 && c < 0xa000) /* the most of CJK */
		return PASS;
	if (is_never_shown(c))
		return FORBIDDEN;
	property = utf8proc_get_property((utf8proc_int32_t)c);
	switch (property->category) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return FORBIDDEN;
	case UTF8PROC_CATEGORY_CF:
		return kind_of_format(c);
	default:
		break;
	}
	if (property->ignorable)
		return JOINER;
	if (property->boundclass == UTF8PROC_BOUNDCLASS_EXTEND ||
	    property->boundclass == UTF8PROC_BOUNDCLASS_SPACINGMARK ||
	    code_point_width(c, property) == 0)
		return MARK;
	return PASS;
}

/* Copies what is still pending before P; SIZE bytes at P are done with. */
static void
flush(Door *door, const char *p, unsigned size)
{
	if (p > door->kept)
		g_string_append_len(door->out, door->kept, p - door->kept);
	door->kept = p + size;
}

static void
put_placeholder(Door *door, const char *p, unsigned size)
{
	flush(door, p, size);
	if (door->run == 0 || door->run + size > RUN_MAX) {
		g_string_append_len(door->out, PLACEHOLDER, 3);
		door->run = 0;
	}
	door->run += size;
	door->marks = 0;
}

/* A byte below 0x20, or DEL. */
static void
pass_control(Door *door, const char *p, const char *end)
{
	bool newline = *p == '\n', tab = *p == '\t', cr = *p == '\r';

	if (door->mode == SAFE_TEXT && (newline || tab)) {
		door->marks = -1;
		door->run = 0;
	} else if (door->mode == SAFE_TEXT && cr && p + 1 < end && p[1] == '\n') {
		flush(door, p, 1);
	} else if (door->mode == SAFE_LINE && (newline || tab || cr)) {
		flush(door, p, 1);
		g_string_append_c(door->out, ' ');
		door->marks = 0;
		door->run = 0;
	} else {
		put_placeholder(door, p, 1);
	}
}

static void
pass_mark(Door *door, const char *p, unsigned size, Kind kind)
{
	if (door->marks < 0 && kind == JOINER) {
		put_placeholder(door, p, size);
		return;
	}
	if (door->marks < 0) {
		flush(door, p, 0);
		g_string_append_len(door->out, DOTTED_CIRCLE, 3);
		door->marks = 0;
	}
	if (door->marks >= MARKS_MAX)
		flush(door, p, size);
	else
		door->marks++;
	door->run = 0;
}

/* A byte with its high bit set: how many bytes are done with. */
static unsigned
pass_wide(Door *door, const char *p, const char *end)
{
	uint32_t code;
	unsigned size = take_code_point(p, end, &code);
	Kind kind = size ? kind_of(code) : FORBIDDEN;

	switch (kind) {
	case PASS:
		door->marks = 0;
		door->run = 0;
		break;
	case MARK:
	case JOINER:
		pass_mark(door, p, size, kind);
		break;
	case LEFT_OUT:
		if (door->mode == SAFE_TEXT) {
			flush(door, p, size);
			break;
		}
		/* fall through */
	case FORBIDDEN:
		size = size ? size : 1;
		put_placeholder(door, p, size);
		break;
	}
	return size;
}

void
safe_text_append(GString *out, Span text, SafeMode mode)
{
	Door door = { .out = out, .mode = mode, .marks = -1, .kept = text.at };
	const char *p = text.at;

	while (p < text.end) {
		const char *plain = skip_plain(p, text.end);

		if (plain > p) {
			door.marks = 0;
			door.run = 0;
			p = plain;
		} else if ((unsigned char)*p < 0x80) {
			pass_control(&door, p++, text.end);
		} else {
			p += pass_wide(&door, p, text.end);
		}
	}
	flush(&door, p, 0);
}

char *
safe_text(Span text, SafeMode mode, size_t *size)
{
	size_t length = span_size(text);
	GString *out;

	if (safe_text_is(text, mode)) {
		if (size)
			*size = length;
		return span_dup(text);
	}
	out = g_string_sized_new(length + length / 8 + 16);
	safe_text_append(out, text, mode);
	if (size)
		*size = out->len;
	return g_string_free(out, FALSE);
}

char *
safe_line(const char *text)
{
	return safe_text(span_of_string(text), SAFE_LINE, NULL);
}

bool
safe_text_is(Span text, SafeMode mode)
{
	int marks = -1;

	for (const char *p = text.at; p < text.end;) {
		const char *plain = skip_plain(p, text.end);
		uint32_t code;
		unsigned size;

		if (plain > p) {
			marks = 0;
			p = plain;
			continue;
		}
		if ((unsigned char)*p < 0x80) {
			if (mode != SAFE_TEXT || (*p != '\n' && *p != '\t'))
				return false;
			marks = -1;
			p++;
			continue;
		}
		size = take_code_point(p, text.end, &code);
		if (!size)
			return false;
		switch (kind_of(code)) {
		case PASS:
			marks = 0;
			break;
		case MARK:
		case JOINER:
			if (marks < 0 || marks++ >= MARKS_MAX)
				return false;
			break;
		default:
			return false;
		}
		p += size;
	}
	return true;
}

/* Symbols that U+FE0F turns into a picture two cells wide. */
static bool
has_emoji_form(uint32_t c, const utf8proc_property_t *property)
{
	return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
	       (c >= '0' && c <= '9') || c == '#' || c == '*';
}

int
safe_text_cluster(Span text, const char **next)
{
	const utf8proc_property_t *property;
	utf8proc_int32_t state = 0;
	uint32_t base, last;
	unsigned size;
	bool picture, symbol;
	int width;
	const char *p = text.at;

	*next = p;
	if (p >= text.end)
		return 0;
	if ((unsigned char)*p < 0x7f && (p + 1 == text.end || (unsigned char)p[1] < 0x80)) {
		*next = p + 1;
		return (unsigned char)*p >= 0x20 || *p == '\t';
	}
	size = take_code_point(p, text.end, &base);
	*next = p += size ? size : 1;
	if (!size)
		return 1;
	property = utf8proc_get_property((utf8proc_int32_t)base);
	picture = property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
	symbol = has_emoji_form(base, property);
	width = code_point_width(base, property);
	last = base;
	for (int points = 1; p < text.end && points < CLUSTER_MAX; points++) {
		uint32_t code;
		int more;

		size = take_code_point(p, text.end, &code);
		if (!size || utf8proc_grapheme_break_stateful((utf8proc_int32_t)last,
							      (utf8proc_int32_t)code, &state))
			break;
		more = code_point_width(code, utf8proc_get_property((utf8proc_int32_t)code));
		/* Terminals add up; only a picture is allowed to be narrower than its parts. */
		if (width + more > 2 && !picture)
			break;
		width = code == 0xfe0f && symbol ? 2 : MIN(2, width + more);
		last = code;
		*next = p += size;
	}
	return width;
}

int
safe_text_width(Span text)
{
	size_t cells = 0;
	const char *p = text.at;

	while (p < text.end) {
		const char *plain = skip_plain(p, text.end);

		/* The last plain one may be the base of what follows it. */
		if (plain < text.end && plain > p)
			plain--;
		cells += (size_t)(plain - p);
		p = plain;
		if (p < text.end)
			cells += (size_t)safe_text_cluster(span_of(p, (size_t)(text.end - p)), &p);
	}
	return (int)MIN(cells, (size_t)INT_MAX);
}
