#include "view/queue.h"

#include "base/i18n.h"
#include "base/safetext.h"

#include <string.h>

struct ViewQueue {
	Store *store;
	GPtrArray *rows; /* of ViewQueued, owned */
	ViewCursor cursor;
};

static void
queued_free(void *data)
{
	ViewQueued *queued = data;

	g_free(queued->text);
	g_free(queued->error);
	g_free(queued);
}

ViewQueue *
view_queue_new(Store *store)
{
	ViewQueue *queue = g_new0(ViewQueue, 1);

	queue->store = store;
	queue->rows = g_ptr_array_new_with_free_func(queued_free);
	queue->cursor.rows = 1;
	return queue;
}

void
view_queue_free(ViewQueue *queue)
{
	if (!queue)
		return;
	g_ptr_array_unref(queue->rows);
	g_free(queue);
}

/* ---- words ------------------------------------------------------------------------------------ */

static char *
folder_name(Store *store, StoreId id)
{
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (!id || !store_mailbox_get(store, id, &mailbox, NULL))
		return g_strdup("?");
	return safe_line(mailbox->name);
}

/* One message by its subject, several by their number. */
static char *
messages_words(Store *store, const StoreJournalRow *row)
{
	g_autoptr(GArray) targets = NULL;
	g_autoptr(StoreRow) message = NULL;
	g_autofree char *subject = NULL;

	if (row->n == 1 && store_journal_targets(store, row->id, 0, 1, &targets, NULL) &&
	    targets->len == 1 &&
	    store_row_by_id(store, g_array_index(targets, StoreTarget, 0).message, &message,
			    NULL)) {
		subject = safe_line(message->subject);
		return g_strdup_printf(_("“%s”"), *subject ? subject : _("(no subject)"));
	}
	return g_strdup_printf(P_("%u message", "%u messages", row->n), row->n);
}

static char *
flag_words(const StoreJournalRow *row, const char *messages, const char *folder)
{
	static const struct {
		uint16_t flag;
		bool set;
		const char *words; /* messages, folder */
	} known[] = {
		{ STORE_FLAG_SEEN, true, N_("Mark %s in %s as read") },
		{ STORE_FLAG_SEEN, false, N_("Mark %s in %s as unread") },
		{ STORE_FLAG_FLAGGED, true, N_("Flag %s in %s as important") },
		{ STORE_FLAG_FLAGGED, false, N_("Take the flag off %s in %s") },
		{ STORE_FLAG_ANSWERED, true, N_("Mark %s in %s as answered") },
		{ STORE_FLAG_ANSWERED, false, N_("Mark %s in %s as not answered") },
		{ STORE_FLAG_DELETED, true, N_("Mark %s in %s as deleted") },
		{ STORE_FLAG_DELETED, false, N_("Mark %s in %s as not deleted") },
		{ STORE_FLAG_DRAFT, true, N_("Mark %s in %s as a draft") },
		{ STORE_FLAG_DRAFT, false, N_("Mark %s in %s as no draft") },
	};
	g_autofree char *keyword = safe_line(row->keyword ? row->keyword : "");

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (row->flag == known[i].flag && row->set == known[i].set)
			return g_strdup_printf(_(known[i].words), messages, folder);
	return g_strdup_printf(row->set ? _("Put the keyword %s on %s in %s")
					: _("Take the keyword %s off %s in %s"),
			       keyword, messages, folder);
}

static char *
words_of(Store *store, const StoreJournalRow *row)
{
	g_autofree char *messages = messages_words(store, row);
	g_autofree char *folder = folder_name(store, row->mailbox);
	g_autofree char *dest = folder_name(store, row->dest);
	g_autofree char *name = safe_line(row->name ? row->name : "");

	switch (row->kind) {
	case STORE_INTENT_FLAG:
		return flag_words(row, messages, folder);
	case STORE_INTENT_MOVE:
		return g_strdup_printf(_("Move %s from %s to %s"), messages, folder, dest);
	case STORE_INTENT_COPY:
		return g_strdup_printf(_("Copy %s from %s to %s"), messages, folder, dest);
	case STORE_INTENT_EXPUNGE:
		return g_strdup_printf(_("Delete %s from %s for good"), messages, folder);
	case STORE_INTENT_APPEND:
		return g_strdup_printf(_("Keep %s in %s"), messages, dest);
	case STORE_INTENT_CREATE:
		return g_strdup_printf(_("Make the folder %s"), name);
	case STORE_INTENT_RENAME:
		return g_strdup_printf(_("Rename the folder to %s"), name);
	case STORE_INTENT_DELETE:
		return g_strdup_printf(_("Delete the folder %s"), *name ? name : folder);
	case STORE_INTENT_SUBSCRIBE:
		return g_strdup_printf(_("Subscribe to %s"), folder);
	case STORE_INTENT_UNSUBSCRIBE:
		return g_strdup_printf(_("Unsubscribe from %s"), folder);
	}
	return g_strdup("?");
}

const char *
view_queue_state(StoreRowState state)
{
	switch (state) {
	case STORE_ROW_WAITING:
		return _("waiting");
	case STORE_ROW_SENT:
		return _("sent");
	case STORE_ROW_FAILED:
		return _("failed");
	case STORE_ROW_CONFIRMED:
		break;
	}
	return _("done");
}

/* ---- rows ------------------------------------------------------------------------------------- */

bool
view_queue_refresh(ViewQueue *queue, GError **error)
{
	g_autoptr(GPtrArray) found = NULL;
	const ViewQueued *selected = view_queue_selected(queue);
	StoreId keep = selected ? selected->row : 0;

	if (!store_journal(queue->store, 0, &found, error))
		return false;
	g_ptr_array_set_size(queue->rows, 0);
	for (guint i = 0; i < found->len; i++) {
		const StoreJournalRow *row = found->pdata[i];
		ViewQueued *queued = g_new0(ViewQueued, 1);

		queued->row = row->id;
		queued->state = row->state;
		queued->text = words_of(queue->store, row);
		queued->error = row->error ? safe_line(row->error) : NULL;
		g_ptr_array_add(queue->rows, queued);
		if (row->id == keep)
			queue->cursor.at = i;
	}
	queue->cursor.total = queue->rows->len;
	view_cursor_fit(&queue->cursor);
	return true;
}

ViewCursor *
view_queue_cursor(ViewQueue *queue)
{
	return &queue->cursor;
}

const ViewQueued *
view_queue_row(const ViewQueue *queue, uint32_t at)
{
	return at < queue->rows->len ? queue->rows->pdata[at] : NULL;
}

const ViewQueued *
view_queue_selected(const ViewQueue *queue)
{
	return view_queue_row(queue, queue->cursor.at);
}
