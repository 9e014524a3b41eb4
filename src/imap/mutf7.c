#include "imap/mutf7.h"

/* Runs of what is no printable ASCII stand between "&" and "-" as UTF-16 in base64, with "," for
 * "/" and without padding; "&-" is "&". */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* UTF-16 on its way to base64: at most 16 + 4 bits wait. */
typedef struct Bits {
	uint32_t value;
	unsigned count;
} Bits;

static bool
is_direct(gunichar c)
{
	return c >= 0x20 && c <= 0x7e;
}

static bool
can_be_sent(Span name)
{
	return span_is_empty(name) ||
	       (g_utf8_validate_len(name.at, span_size(name), NULL) &&
		!memchr(name.at, '\r', span_size(name)) && !memchr(name.at, '\n', span_size(name)));
}

/* ---- encoding ---------------------------------------------------------------------------------- */

static void
put_bits(GString *out, Bits *bits, unsigned count)
{
	while (bits->count >= count) {
		bits->count -= 6;
		g_string_append_c(out, base64[bits->value >> bits->count & 63]);
		bits->value &= (1u << bits->count) - 1;
	}
}

static void
put_unit(GString *out, Bits *bits, uint32_t unit)
{
	bits->value = bits->value << 16 | unit;
	bits->count += 16;
	put_bits(out, bits, 6);
}

static void
end_run(GString *out, Bits *bits)
{
	if (bits->count) {
		bits->value <<= 6 - bits->count;
		bits->count = 6;
		put_bits(out, bits, 6);
	}
	g_string_append_c(out, '-');
}

static char *
encode(Span name)
{
	GString *out = g_string_new(NULL);
	Bits bits = { 0 };
	bool in_run = false;

	for (const char *p = name.at; p < name.end; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (is_direct(c) && in_run)
			end_run(out, &bits);
		else if (!is_direct(c) && !in_run)
			g_string_append_c(out, '&');
		in_run = !is_direct(c);
		if (!in_run) {
			g_string_append_c(out, (char)c);
			if (c == '&')
				g_string_append_c(out, '-');
		} else if (c < 0x10000) {
			put_unit(out, &bits, c);
		} else {
			put_unit(out, &bits, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(out, &bits, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
		if (!in_run)
			bits = (Bits){ 0 };
	}
	if (in_run)
		end_run(out, &bits);
	return g_string_free(out, false);
}

char *
imap_mailbox_name_encode(const char *name, bool utf8)
{
	Span text = span_of_string(name);

	if (!can_be_sent(text))
		return NULL;
	return utf8 ? span_dup(text) : encode(text);
}

/* ---- decoding ---------------------------------------------------------------------------------- */

/* One UTF-16 unit more; *HIGH waits for its second half. */
static bool
put_utf16(GString *out, uint32_t unit, uint32_t *high)
{
	bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

	if (is_low != (*high != 0))
		return false;
	if (is_low) {
		g_string_append_unichar(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
	} else if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
	} else {
		g_string_append_unichar(out, unit);
	}
	return true;
}

/* The base64 of a run, up to and with its "-". */
static bool
decode_run(GString *out, Span *raw)
{
	uint32_t high = 0;
	Bits bits = { 0 };

	for (; raw->at < raw->end && *raw->at != '-'; raw->at++) {
		const char *digit = *raw->at ? strchr(base64, *raw->at) : NULL;

		if (!digit)
			return false;
		bits.value = bits.value << 6 | (uint32_t)(digit - base64);
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		if (!put_utf16(out, bits.value >> bits.count, &high))
			return false;
		bits.value &= (1u << bits.count) - 1;
	}
	if (raw->at == raw->end || high || bits.count >= 6 || bits.value)
		return false;
	raw->at++;
	return true;
}

char *
imap_mailbox_name_decode(Span raw, bool utf8)
{
	g_autoptr(GString) out = g_string_sized_new(span_size(raw));
	g_autofree char *again = NULL;
	Span rest = raw;

	if (utf8)
		return can_be_sent(raw) ? span_dup(raw) : NULL;
	while (rest.at < rest.end) {
		char c = *rest.at++;

		if (!is_direct((unsigned char)c))
			return NULL;
		if (c != '&') {
			g_string_append_c(out, c);
		} else if (rest.at < rest.end && *rest.at == '-') {
			g_string_append_c(out, c);
			rest.at++;
		} else if (!decode_run(out, &rest)) {
			return NULL;
		}
	}
	/* There is one right way to write a name.  What took another (ASCII in base64, two runs in a
	 * row) is shown raw, or two mailboxes would look the same. */
	again = imap_mailbox_name_encode(out->str, false);
	if (!again || strlen(out->str) != out->len || !span_is(raw, again))
		return NULL;
	return g_string_free(g_steal_pointer(&out), false);
}
