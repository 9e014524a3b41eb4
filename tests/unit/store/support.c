#include "support.h"
#include "store/journal.h"

#include <glib/gstdio.h>
#include <unistd.h>

void
must(bool ok, GError **error, const char *call, const char *file, int line)
{
	if (!ok) {
		print_error("%s: %s\n", call, *error ? (*error)->message : "no error set");
		_fail(file, line);
	}
	if (*error) {
		print_error("%s: succeeded, and set an error\n", call);
		_fail(file, line);
	}
}

void
must_fail(bool ok, GError **error, PosternError code, const char *call, const char *file, int line)
{
	if (ok || !postern_error_is(*error, code)) {
		print_error("%s: %s\n", call,
			    ok	     ? "succeeded"
			    : *error ? (*error)->message
				     : "no error set");
		_fail(file, line);
	}
	g_clear_error(error);
}

int
place_setup(void **state)
{
	*state = g_dir_make_tmp("store-XXXXXX", NULL);
	return *state ? 0 : -1;
}

int
place_teardown(void **state)
{
	g_autofree char *dir = *state;
	GDir *entries = g_dir_open(dir, 0, NULL);
	const char *name;

	while (entries && (name = g_dir_read_name(entries))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		g_unlink(path);
	}
	g_clear_pointer(&entries, g_dir_close);
	return g_rmdir(dir);
}

char *
place_file(const char *dir, const char *name)
{
	return g_build_filename(dir, name, NULL);
}

Store *
open_writer(const char *dir)
{
	g_autofree char *notice = NULL;
	GError *error = NULL;
	Store *store = store_open(dir, STORE_WRITER, NULL, &notice, &error);

	MUST(store != NULL);
	assert_null(notice);
	return store;
}

Store *
open_reader(const char *dir)
{
	GError *error = NULL;
	Store *store = store_open(dir, STORE_READER, NULL, NULL, &error);

	MUST(store != NULL);
	return store;
}

StoreId
make_mailbox(Store *store, const char *name)
{
	GError *error = NULL;
	StoreMailbox mailbox = {
		.raw = (char *)name,
		.raw_size = strlen(name),
		.name = (char *)name,
		.delimiter = '/',
		.selectable = true,
	};

	MUST(store_account(store, "work", &mailbox.account, &error));
	MUST(store_mailbox_put(store, &mailbox, &error));
	return mailbox.id;
}

static Span
pooled(GStringChunk *pool, const char *format, uint32_t uid)
{
	char text[80];

	g_snprintf(text, sizeof text, format, uid);
	return span_of_string(g_string_chunk_insert(pool, text));
}

StoreMessage
plain_message(GStringChunk *pool, uint32_t uid, int64_t date, uint16_t flags)
{
	return (StoreMessage){
		.uid = uid,
		.flags = flags,
		.date = date,
		.received = date + 5,
		.zone_min = 60,
		.size = 1000 + uid,
		.subject = pooled(pool, "subject %u", uid),
		.from = pooled(pool, "From %u <from@example.org>", uid),
		.to = SPAN_LITERAL("To <to@example.org>"),
		.message_id = pooled(pool, "<%u@example.org>", uid),
		.structure = SPAN_LITERAL("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1)"),
	};
}

void
put_plain(Store *store, StoreId mailbox, uint32_t first_uid, uint32_t n, int64_t first_date,
	  uint16_t flags)
{
	g_autofree StoreMessage *messages = g_new(StoreMessage, MAX(n, 1));
	GStringChunk *pool = g_string_chunk_new(4096);
	GError *error = NULL;

	for (uint32_t i = 0; i < n; i++)
		messages[i] =
		    plain_message(pool, first_uid + i, first_date + (int64_t)i * 60, flags);
	MUST(store_messages_put(store, mailbox, messages, n, &error));
	g_string_chunk_free(pool);
}

char *
window_uids(Store *store, StoreId mailbox, uint32_t offset, uint32_t count)
{
	g_autoptr(GPtrArray) rows = NULL;
	GString *text = g_string_new(NULL);
	GError *error = NULL;
	uint32_t total;

	MUST(store_window(store, mailbox, offset, count, false, &rows, &total, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreRow *row = g_ptr_array_index(rows, i);

		g_string_append_printf(text, "%s%u", i ? " " : "", row->uid);
	}
	return g_string_free(text, FALSE);
}

StoreId
id_of_uid(Store *store, StoreId mailbox, uint32_t uid)
{
	g_autoptr(StoreRow) row = NULL;
	GError *error = NULL;

	MUST(store_row_by_uid(store, mailbox, uid, &row, &error));
	return row->id;
}

void
must_be_sound(Store *store)
{
	GError *error = NULL;

	MUST(store_check(store, &error));
}

static void
digest_row(Store *store, GChecksum *sum, const StoreRow *row)
{
	static const char *const sections[] = { "1", "2", "HEADER" };
	GError *error = NULL;
	g_autofree char *line =
	    g_strdup_printf("%" G_GINT64_FORMAT " %u %x %" G_GINT64_FORMAT " %s|%s|%s|%s\n",
			    row->id, row->uid, row->flags, row->date, row->keywords, row->subject,
			    row->from, row->message_id);

	g_checksum_update(sum, (const guchar *)line, -1);
	for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
		g_autoptr(GBytes) bytes = NULL;
		gsize size;
		const guchar *data;

		if (!store_part_load(store, row->id, sections[i], &bytes, &error)) {
			MUST_FAIL(false, POSTERN_ERROR_GONE);
			continue;
		}
		data = g_bytes_get_data(bytes, &size);
		g_checksum_update(sum, data, (gssize)size);
	}
}

static void
digest_queue(Store *store, GChecksum *sum)
{
	g_autoptr(GPtrArray) rows = NULL;
	GError *error = NULL;

	MUST(store_journal(store, 0, &rows, &error));
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);
		g_autofree char *line = g_strdup_printf("%" G_GINT64_FORMAT " %u %u %u\n", row->id,
							row->kind, row->state, row->n);

		g_checksum_update(sum, (const guchar *)line, -1);
	}
}

char *
store_digest(Store *store)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);
	g_autoptr(GPtrArray) mailboxes = NULL;
	GError *error = NULL;

	MUST(store_mailboxes(store, 0, &mailboxes, &error));
	for (guint i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = g_ptr_array_index(mailboxes, i);
		g_autofree char *line =
		    g_strdup_printf("%s %u %u %u %u\n", mailbox->name, mailbox->total,
				    mailbox->unread, mailbox->known_from_uid, mailbox->uidvalidity);
		g_autoptr(GPtrArray) rows = NULL;
		uint32_t total;

		g_checksum_update(sum, (const guchar *)line, -1);
		MUST(store_window(store, mailbox->id, 0, UINT32_MAX, false, &rows, &total, &error));
		for (guint k = 0; k < rows->len; k++)
			digest_row(store, sum, g_ptr_array_index(rows, k));
	}
	digest_queue(store, sum);
	return g_strdup(g_checksum_get_string(sum));
}
