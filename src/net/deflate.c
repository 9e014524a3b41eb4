#include "deflate-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <zlib.h>

#define RAW_WINDOW_BITS (-15) /* RFC 4978, section 3: no zlib header */
#define BOMB_RATIO	1000
#define BOMB_FREE_BYTES (1024 * 1024)
#define PACK_ROOM_BYTES (16 * 1024)
#define MAX_ZLIB_STEP	(64 * 1024 * 1024) /* zlib counts in unsigned int */

struct NetDeflate {
	z_stream pack, unpack;
	uint64_t taken, made; /* by unpack */
	bool ended;	      /* the other side finished its deflate stream */
};

NetDeflate *
net_deflate_new(GError **error)
{
	NetDeflate *codec = g_new0(NetDeflate, 1);

	if (deflateInit2(&codec->pack, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW_BITS,
			 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		g_free(codec);
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("compression cannot be started: zlib has no memory"));
		return NULL;
	}
	if (inflateInit2(&codec->unpack, RAW_WINDOW_BITS) != Z_OK) {
		deflateEnd(&codec->pack);
		g_free(codec);
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("compression cannot be started: zlib has no memory"));
		return NULL;
	}
	return codec;
}

void
net_deflate_free(NetDeflate *codec)
{
	if (!codec)
		return;
	deflateEnd(&codec->pack);
	inflateEnd(&codec->unpack);
	g_free(codec);
}

void
net_deflate_pack(NetDeflate *codec, Span bytes, bool flush, NetBuffer *out)
{
	z_stream *z = &codec->pack;
	size_t step;

	do {
		step = MIN(span_size(bytes), (size_t)MAX_ZLIB_STEP);
		z->next_in = (Bytef *)(uintptr_t)bytes.at;
		z->avail_in = (uInt)step;
		bytes.at += step;
		/* Full output means that zlib may hold more; a flush is over when it does not. */
		do {
			z->next_out = (Bytef *)net_buffer_room(out, PACK_ROOM_BYTES);
			z->avail_out = PACK_ROOM_BYTES;
			deflate(z, flush && span_is_empty(bytes) ? Z_SYNC_FLUSH : Z_NO_FLUSH);
			net_buffer_filled(out, PACK_ROOM_BYTES - z->avail_out);
		} while (!z->avail_out);
	} while (!span_is_empty(bytes));
}

static bool
broken(GError **error, const char *sentence)
{
	g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_PROTOCOL, sentence);
	return false;
}

bool
net_deflate_unpack(NetDeflate *codec, NetBuffer *in, NetBuffer *out, size_t max_bytes, size_t *made,
		   GError **error)
{
	z_stream *z = &codec->unpack;
	size_t size = MIN(net_buffer_size(in), (size_t)MAX_ZLIB_STEP);
	int status;

	*made = 0;
	if (codec->ended) {
		return !size || broken(error, _("the server sent data behind the end of its "
						"compressed data"));
	}
	max_bytes = MIN(max_bytes, (size_t)MAX_ZLIB_STEP);
	z->next_in = (Bytef *)(uintptr_t)net_buffer_span(in).at;
	z->avail_in = (uInt)size;
	z->next_out = (Bytef *)net_buffer_room(out, max_bytes);
	z->avail_out = (uInt)max_bytes;
	status = inflate(z, Z_SYNC_FLUSH);
	*made = max_bytes - z->avail_out;
	codec->taken += size - z->avail_in;
	codec->made += *made;
	net_buffer_take(in, size - z->avail_in);
	/* Z_BUF_ERROR: no progress without more input, which is no error. */
	if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
		return broken(error, _("the server sent broken compressed data"));
	if (codec->made > BOMB_FREE_BYTES + BOMB_RATIO * codec->taken)
		return broken(error, _("the server sent compressed data that grows more than a "
				       "thousandfold: that is no mail"));
	net_buffer_filled(out, *made);
	codec->ended = status == Z_STREAM_END;
	return true;
}
