/* A message of ours: its list fields out of its bytes. */
#include "intent-private.h"

/* RFC 9051, 6.3.12: lines end in CRLF; what a file or an editor gave may not. */
static GBytes *
with_crlf(GBytes *content)
{
	gsize size;
	const char *from = g_bytes_get_data(content, &size);
	g_autoptr(GString) out = NULL;
	bool fine = true;

	for (gsize i = 0; i < size && fine; i++)
		fine = (from[i] != '\n' || (i && from[i - 1] == '\r')) &&
		       (from[i] != '\r' || (i + 1 < size && from[i + 1] == '\n'));
	if (fine)
		return g_bytes_ref(content);
	out = g_string_sized_new(size + size / 16);
	for (gsize i = 0; i < size; i++) {
		bool pair = from[i] == '\r' && i + 1 < size && from[i + 1] == '\n';

		if (pair || from[i] == '\r' || from[i] == '\n')
			g_string_append(out, "\r\n");
		else
			g_string_append_c(out, from[i]);
		i += pair;
	}
	return g_string_free_to_bytes(g_steal_pointer(&out));
}

/* Up to the empty line. */
static Span
header_of(GBytes *content)
{
	gsize size;
	const char *at = g_bytes_get_data(content, &size);
	const char *end = g_strstr_len(at, (gssize)size, "\r\n\r\n");

	return span_of(at, end ? (size_t)(end + 2 - at) : size);
}

void
wish_read_message(Wish *wish)
{
	ImapBodySection section = { .item = SPAN_LITERAL("BODY"),
				    .section = SPAN_LITERAL("HEADER"),
				    .bytes = header_of(wish->content) };
	ImapFetch fetch = { .present = IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_SIZE |
				       IMAP_FETCH_INTERNALDATE,
			    .uid = { 1 },
			    .internaldate = wish->date,
			    .internaldate_ok = true,
			    .size = g_bytes_get_size(wish->content),
			    .sections = &section,
			    .n_sections = 1 };
	StoreMessage *message = &wish->message;
	size_t n;

	wish->batch = record_batch_new();
	record_batch_add_bare(wish->batch, &fetch);
	*message = *record_batch_messages(wish->batch, &n);
	message->uid = 0;
	message->flags = wish->flags & (uint16_t)~STORE_FLAG_KEYWORDS;
	message->keywords = span_of_string(wish->keywords);
	if (!span_is_empty(message->keywords))
		message->flags |= STORE_FLAG_KEYWORDS;
	wish->intent.message = message;
	wish->intent.content = wish->content;
}

EngineRequest
engine_append(Engine *engine, StoreId dest, GBytes *content, uint16_t flags, const char *keywords,
	      int64_t date, EngineUntil until)
{
	Wish *wish = wish_new(WISH_APPEND, until);

	wish->intent.kind = STORE_INTENT_APPEND;
	wish->intent.dest = dest;
	wish->content = with_crlf(content);
	wish->flags = flags;
	wish->keywords = g_strdup(keywords ? keywords : "");
	wish->date = date ? date : g_get_real_time() / G_USEC_PER_SEC;
	return wish_send(engine, wish);
}
