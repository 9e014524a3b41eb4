/* Deflate from a server.  The first byte says in which steps the rest arrives; however it is cut,
 * what comes out is the same, and never more than the bomb's limit. */
#include "deflate-private.h"

#define MOST_BYTES (64 * 1024)

static size_t
inflate_in_steps(const uint8_t *bytes, size_t size, size_t step, guint *hash, bool *is_broken)
{
	NetDeflate *line = net_deflate_new(NULL);
	NetBuffer in = { 0 };
	NetBuffer out = { 0 };
	size_t total = 0;
	size_t made;
	g_autoptr(GError) error = NULL;

	*hash = 5381;
	for (size_t at = 0; at < size && !error; at += step) {
		net_buffer_append(&in, span_of(bytes + at, MIN(step, size - at)));
		do {
			made = 0;
			if (!net_deflate_unpack(line, &in, &out, 4096, &made, &error))
				break;
			for (const char *p = net_buffer_span(&out).at;
			     p < net_buffer_span(&out).end; p++)
				*hash = *hash * 33 + (guint)*p;
			total += made;
			net_buffer_take(&out, net_buffer_size(&out));
		} while (made && total < MOST_BYTES);
	}
	*is_broken = error != NULL;
	net_buffer_clear(&in);
	net_buffer_clear(&out);
	net_deflate_free(line);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t whole, cut;
	guint whole_hash, cut_hash;
	bool whole_broken, cut_broken;

	if (!size)
		return 0;
	whole = inflate_in_steps(bytes + 1, size - 1, size, &whole_hash, &whole_broken);
	cut = inflate_in_steps(bytes + 1, size - 1, 1 + bytes[0] % 16u, &cut_hash, &cut_broken);
	if (whole < MOST_BYTES && cut < MOST_BYTES && !whole_broken && !cut_broken)
		g_assert(whole == cut && whole_hash == cut_hash);
	return 0;
}
