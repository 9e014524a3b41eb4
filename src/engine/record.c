#include "record-private.h"

#include "base/i18n.h"
#include "mail/header.h"

/* A Date header may lie; the server's clock bounds the lie: a message is not listed as more than
 * a day newer than its arrival. */
#define FUTURE_SECONDS (24 * 60 * 60)

#define ARENA_BLOCK (256 * 1024)

struct RecordBatch {
	GArray *messages;  /* of StoreMessage, spans into the blocks */
	GPtrArray *blocks; /* of char, owned; each ARENA_BLOCK unless one string needed more */
	char *at;	   /* free room in the last block */
	size_t room;
	GString *scratch;
};

RecordBatch *
record_batch_new(void)
{
	RecordBatch *batch = g_new0(RecordBatch, 1);

	batch->messages = g_array_new(FALSE, FALSE, sizeof(StoreMessage));
	batch->blocks = g_ptr_array_new_with_free_func(g_free);
	batch->scratch = g_string_new(NULL);
	return batch;
}

void
record_batch_free(RecordBatch *batch)
{
	if (!batch)
		return;
	g_array_unref(batch->messages);
	g_ptr_array_unref(batch->blocks);
	g_string_free(batch->scratch, TRUE);
	g_free(batch);
}

void
record_batch_clear(RecordBatch *batch)
{
	g_array_set_size(batch->messages, 0);
	g_ptr_array_set_size(batch->blocks, 0);
	batch->at = NULL;
	batch->room = 0;
}

static Span
keep(RecordBatch *batch, const char *bytes, size_t size)
{
	char *copy;

	if (!size)
		return SPAN_EMPTY;
	if (size > batch->room) {
		size_t block = MAX(size, ARENA_BLOCK);

		batch->at = g_malloc(block);
		batch->room = block;
		g_ptr_array_add(batch->blocks, batch->at);
	}
	copy = batch->at;
	memcpy(copy, bytes, size);
	batch->at += size;
	batch->room -= size;
	return span_of(copy, size);
}

static Span
keep_text(RecordBatch *batch, Span raw)
{
	if (mail_header_is_plain(raw))
		return keep(batch, raw.at, span_size(raw));
	g_string_truncate(batch->scratch, 0);
	mail_header_decode(raw, NULL, batch->scratch);
	return keep(batch, batch->scratch->str, batch->scratch->len);
}

static Span
keep_addresses(RecordBatch *batch, const ImapAddresses *list)
{
	GString *out = batch->scratch;

	g_string_truncate(out, 0);
	for (size_t i = 0; i < list->count; i++) {
		const ImapAddress *a = &list->at[i];

		/* RFC 9051, 7.5.2: host NIL starts a group (mailbox: its name) or ends it. */
		if (imap_string_is_nil(a->host) && imap_string_is_nil(a->mailbox))
			continue;
		if (out->len)
			g_string_append(out, ", ");
		mail_address_append(out, a->name, a->mailbox, a->host);
	}
	return keep(batch, out->str, out->len);
}

uint16_t
record_flags(const ImapFlags *flags, GString *keywords)
{
	uint16_t bits = 0;

	/* The system flags have the same bits on both sides (RFC 9051, 2.3.2).  \Recent is of one
	 * session, and says nothing to the next: it is not kept. */
	bits |= (uint16_t)(flags->bits & (IMAP_FLAG_SEEN | IMAP_FLAG_ANSWERED | IMAP_FLAG_FLAGGED |
					  IMAP_FLAG_DELETED | IMAP_FLAG_DRAFT));
	for (size_t i = 0; i < flags->keywords.count; i++) {
		Span word = flags->keywords.at[i];

		if (span_is_empty(word) || !g_utf8_validate(word.at, (gssize)span_size(word), NULL))
			continue;
		if (keywords->len)
			g_string_append_c(keywords, ' ');
		g_string_append_len(keywords, word.at, (gssize)span_size(word));
	}
	if (keywords->len)
		bits |= STORE_FLAG_KEYWORDS;
	return bits;
}

G_STATIC_ASSERT((int)STORE_FLAG_SEEN == IMAP_FLAG_SEEN);
G_STATIC_ASSERT((int)STORE_FLAG_ANSWERED == IMAP_FLAG_ANSWERED);
G_STATIC_ASSERT((int)STORE_FLAG_FLAGGED == IMAP_FLAG_FLAGGED);
G_STATIC_ASSERT((int)STORE_FLAG_DELETED == IMAP_FLAG_DELETED);
G_STATIC_ASSERT((int)STORE_FLAG_DRAFT == IMAP_FLAG_DRAFT);

static bool
type_is(const ImapBodyPart *part, const char *major, const char *minor)
{
	return span_is_nocase(part->type, major) && span_is_nocase(part->subtype, minor);
}

static bool
is_message(const ImapBodyPart *part)
{
	return type_is(part, "message", "rfc822") || type_is(part, "message", "global");
}

static bool
reads_as_text(const ImapBodyPart *part)
{
	return span_is_nocase(part->type, "text") || type_is(part, "message", "delivery-status") ||
	       type_is(part, "message", "disposition-notification");
}

static bool
is_signature(const ImapBodyPart *part)
{
	return span_is_nocase(part->type, "application") &&
	       (span_is_nocase(part->subtype, "pgp-signature") ||
		span_is_nocase(part->subtype, "pkcs7-signature") ||
		span_is_nocase(part->subtype, "x-pkcs7-signature") ||
		span_is_nocase(part->subtype, "pgp-encrypted"));
}

static bool
counts(const ImapBodyPart *part, const ImapBodyPart *parent)
{
	bool picture = type_is(parent, "multipart", "related") && part->number > 1 && part->id.at &&
		       span_is_nocase(part->type, "image");

	if (reads_as_text(part) && !span_is_nocase(part->disposition, "attachment"))
		return false;
	return !picture && !is_signature(part) && !type_is(parent, "multipart", "encrypted") &&
	       !(is_message(part) && type_is(parent, "multipart", "report"));
}

unsigned
record_attachments(const ImapBodyPart *parts, size_t n_parts)
{
	unsigned count = 0;
	size_t i = 0;

	while (i < n_parts) {
		const ImapBodyPart *part = &parts[i++];

		if (span_is_nocase(part->type, "multipart") || (part == parts && part->n_children))
			continue;
		count += counts(part, &parts[part->parent]);
		/* What is in a message inside is not this one's. */
		while (i < n_parts && parts[i].depth > part->depth)
			i++;
	}
	return count;
}

bool
record_is_whole(const ImapFetch *fetch)
{
	return (fetch->present & IMAP_FETCH_UID) &&
	       (fetch->present & (IMAP_FETCH_ENVELOPE | IMAP_FETCH_SIZE));
}

/* A new message with what every FETCH for the list brings; its date is still to be set. */
static StoreMessage *
begin_message(RecordBatch *batch, const ImapFetch *fetch)
{
	StoreMessage *message;

	g_array_set_size(batch->messages, batch->messages->len + 1);
	message = &g_array_index(batch->messages, StoreMessage, batch->messages->len - 1);
	*message = (StoreMessage){ .uid = fetch->uid.value };
	g_string_truncate(batch->scratch, 0);
	message->flags = record_flags(&fetch->flags, batch->scratch);
	message->keywords = keep(batch, batch->scratch->str, batch->scratch->len);
	message->received = fetch->internaldate_ok ? fetch->internaldate : 0;
	message->size = fetch->size;
	message->modseq = fetch->modseq;
	return message;
}

static void
set_date(StoreMessage *message, const ImapFetch *fetch, Span date)
{
	int zone_min = fetch->internaldate_zone_min;

	if (!mail_date_parse(date, &message->date, &zone_min) ||
	    (fetch->internaldate_ok && message->date > message->received + FUTURE_SECONDS)) {
		message->date = message->received;
		zone_min = fetch->internaldate_zone_min;
	}
	message->zone_min = zone_min;
}

bool
record_batch_add(RecordBatch *batch, const ImapFetch *fetch)
{
	StoreMessage *message;
	const ImapEnvelope *e = &fetch->envelope;

	if (!record_is_whole(fetch) || !fetch->uid.value)
		return false;
	message = begin_message(batch, fetch);
	set_date(message, fetch, e->date);
	message->subject = keep_text(batch, e->subject);
	message->from = keep_addresses(batch, e->from.count ? &e->from : &e->sender);
	message->to = keep_addresses(batch, &e->to);
	message->cc = keep_addresses(batch, &e->cc);
	message->reply_to = keep_addresses(batch, &e->reply_to);
	message->message_id = keep_text(batch, e->message_id);
	message->in_reply_to = keep_text(batch, e->in_reply_to);
	message->structure =
	    keep(batch, fetch->structure_text.at, span_size(fetch->structure_text));
	message->attachments =
	    (uint16_t)MIN(record_attachments(fetch->parts, fetch->n_parts), 65535);
	if (message->attachments)
		message->flags |= STORE_FLAG_ATTACHMENT;
	return true;
}

/* The value of the first field NAME (with its colon) in HEADER, with its folding, without the
 * spaces around it (RFC 5322, 2.2). */
static Span
header_field(Span header, const char *name)
{
	size_t size = strlen(name);

	while (!span_is_empty(header)) {
		const char *end = header.at;
		Span value;

		/* A line that begins with a space goes on the one before it. */
		do {
			const char *lf = memchr(end, '\n', (size_t)(header.end - end));

			end = lf ? lf + 1 : header.end;
		} while (end < header.end && (*end == ' ' || *end == '\t'));
		value = (Span){ header.at, end };
		header.at = end;
		if (!span_starts_nocase(value, name))
			continue;
		value.at += size;
		while (value.at < value.end && g_ascii_isspace(*value.at))
			value.at++;
		while (value.end > value.at && g_ascii_isspace(value.end[-1]))
			value.end--;
		return value;
	}
	return SPAN_EMPTY;
}

static Span
keep_address_field(RecordBatch *batch, Span header, const char *name)
{
	g_string_truncate(batch->scratch, 0);
	mail_address_list_append(batch->scratch, header_field(header, name));
	return keep(batch, batch->scratch->str, batch->scratch->len);
}

bool
record_batch_add_bare(RecordBatch *batch, const ImapFetch *fetch)
{
	Span header = SPAN_EMPTY;
	StoreMessage *message;

	if (!(fetch->present & IMAP_FETCH_UID) || !fetch->uid.value ||
	    !(fetch->present & IMAP_FETCH_FLAGS))
		return false;
	for (size_t i = 0; i < fetch->n_sections; i++)
		if (span_starts_nocase(fetch->sections[i].section, "HEADER"))
			header = fetch->sections[i].bytes;
	message = begin_message(batch, fetch);
	set_date(message, fetch, header_field(header, "Date:"));
	if (span_is_empty(header)) {
		const char *words = _("(the server cannot describe this message)");

		message->subject = keep(batch, words, strlen(words));
		return true;
	}
	message->subject = keep_text(batch, header_field(header, "Subject:"));
	message->from = keep_address_field(batch, header, "From:");
	message->to = keep_address_field(batch, header, "To:");
	message->cc = keep_address_field(batch, header, "Cc:");
	message->reply_to = keep_address_field(batch, header, "Reply-To:");
	message->message_id = keep_text(batch, header_field(header, "Message-ID:"));
	message->in_reply_to = keep_text(batch, header_field(header, "In-Reply-To:"));
	return true;
}

const StoreMessage *
record_batch_messages(const RecordBatch *batch, size_t *n)
{
	*n = batch->messages->len;
	return (const StoreMessage *)(void *)batch->messages->data;
}
