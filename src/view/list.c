#include "view/list.h"

#include "base/error.h"

struct ViewList {
	Store *store;
	StoreId mailbox_id;
	StoreMailbox *mailbox;
	ViewCursor cursor;

	/* Until the mirror is whole, or somebody chose, the newest is selected, whichever that is:
	 * nobody opened a mailbox to have the message selected that happened to come first. */
	bool settled;
	/* Went to the last row while more come in behind it: stays at the last, whichever that is. */
	bool at_end;

	/* The message that is selected; where it would stand if it were gone. */
	StoreId selected;
	int64_t selected_date;
	uint32_t selected_uid;

	/* Where to go at the first refresh. */
	bool returns;
	ViewListPlace place;

	/* What was read, and from where. */
	GPtrArray *rows; /* of StoreRow, owned */
	uint32_t rows_top, rows_count;
	int64_t version;
};

ViewList *
view_list_new(Store *store, StoreId mailbox)
{
	ViewList *list = g_new0(ViewList, 1);

	list->store = store;
	list->mailbox_id = mailbox;
	list->cursor.rows = 1;
	list->version = -1;
	return list;
}

void
view_list_free(ViewList *list)
{
	if (!list)
		return;
	store_mailbox_free(list->mailbox);
	g_clear_pointer(&list->rows, g_ptr_array_unref);
	g_free(list);
}

void
view_list_resize(ViewList *list, uint32_t rows)
{
	list->cursor.rows = MAX(rows, 1);
	view_cursor_fit(&list->cursor);
}

bool
view_list_place(const ViewList *list, ViewListPlace *place)
{
	if (!list->settled || !list->selected || list->cursor.at == 0)
		return false;
	*place = (ViewListPlace){ .selected = list->selected,
				  .date = list->selected_date,
				  .uid = list->selected_uid,
				  .at = list->cursor.at,
				  .top = list->cursor.top };
	return true;
}

void
view_list_return(ViewList *list, const ViewListPlace *place)
{
	list->returns = true;
	list->place = *place;
}

static void
go_to_place(ViewList *list)
{
	list->returns = false;
	list->settled = true;
	list->selected = list->place.selected;
	list->selected_date = list->place.date;
	list->selected_uid = list->place.uid;
	list->cursor.at = list->place.at;
	list->cursor.top = list->place.top;
}

/* Of a row that is yet to be read, refresh says which it is. */
static void
note_selection(ViewList *list)
{
	const StoreRow *row = view_list_selected(list);

	list->selected = row ? row->id : 0;
	if (!row)
		return;
	list->selected_date = row->date;
	list->selected_uid = row->uid;
}

/* Finds where the selected message stands now, and keeps it on its line of the screen. */
static bool
follow_selection(ViewList *list, GError **error)
{
	ViewCursor *cursor = &list->cursor;
	g_autoptr(GError) gone = NULL;
	uint32_t at = 0;

	if (!list->settled) {
		cursor->at = cursor->top = 0;
		return true;
	}
	if (!list->selected)
		return true;
	if (!store_offset_of(list->store, list->mailbox_id, list->selected, &at, &gone)) {
		if (!postern_error_is(gone, POSTERN_ERROR_GONE)) {
			g_propagate_error(error, g_steal_pointer(&gone));
			return false;
		}
		list->selected = 0;
		if (!store_offset_at(list->store, list->mailbox_id, list->selected_date,
				     list->selected_uid, &at, error))
			return false;
	}
	if (cursor->top > 0) {
		int64_t top = (int64_t)cursor->top + at - cursor->at;

		cursor->top = (uint32_t)MAX(top, 0);
	}
	cursor->at = at;
	return true;
}

static bool
read_mailbox(ViewList *list, GError **error)
{
	StoreMailbox *mailbox = NULL;

	if (!store_mailbox_get(list->store, list->mailbox_id, &mailbox, error))
		return false;
	store_mailbox_free(list->mailbox);
	list->mailbox = mailbox;
	list->cursor.total = mailbox->total;
	list->settled = list->settled || mailbox->known_from_uid == 1;
	return true;
}

static bool
read_rows(ViewList *list, GError **error)
{
	GPtrArray *rows = NULL;
	uint32_t total = 0;

	if (!store_window(list->store, list->mailbox_id, list->cursor.top, list->cursor.rows, false,
			  &rows, &total, error))
		return false;
	g_clear_pointer(&list->rows, g_ptr_array_unref);
	list->rows = rows;
	list->rows_top = list->cursor.top;
	list->rows_count = list->cursor.rows;
	return true;
}

static bool
refresh(ViewList *list, GError **error)
{
	int64_t version = 0;
	bool changed;

	if (!store_version(list->store, list->mailbox_id, &version, error))
		return false;
	changed = version != list->version || !list->mailbox;
	if (list->returns)
		go_to_place(list);
	if (changed && (!follow_selection(list, error) || !read_mailbox(list, error)))
		return false;
	if (list->at_end && list->cursor.total > 0) {
		list->cursor.at = list->cursor.total - 1;
		list->at_end = list->mailbox->known_from_uid != 1;
	}
	view_cursor_fit(&list->cursor);
	if ((changed || !list->rows || list->rows_top != list->cursor.top ||
	     list->rows_count != list->cursor.rows) &&
	    !read_rows(list, error))
		return false;
	list->version = version;
	note_selection(list);
	return true;
}

bool
view_list_refresh(ViewList *list, GError **error)
{
	bool ok;

	if (!store_snapshot_begin(list->store, error))
		return false;
	ok = refresh(list, error);
	store_snapshot_end(list->store);
	return ok;
}

bool
view_list_move(ViewList *list, ViewMove move)
{
	bool moved = view_cursor_move(&list->cursor, move);

	list->settled = true;
	list->at_end =
	    move == VIEW_MOVE_LAST && list->mailbox && list->mailbox->known_from_uid != 1;
	if (moved)
		note_selection(list);
	return moved;
}

bool
view_list_select(ViewList *list, uint32_t offset)
{
	if (offset >= list->cursor.total)
		return false;
	list->settled = true;
	list->at_end = false;
	view_cursor_select(&list->cursor, offset);
	note_selection(list);
	return true;
}

/* *FOUND: an unread one from OFFSET on. */
static bool
find_unread(ViewList *list, uint32_t offset, bool forward, bool *any, uint32_t *found,
	    GError **error)
{
	g_autoptr(GError) gone = NULL;

	*any = store_offset_next(list->store, list->mailbox_id, offset, forward, STORE_FLAG_SEEN, 0,
				 found, &gone);
	if (*any || postern_error_is(gone, POSTERN_ERROR_GONE))
		return true;
	g_propagate_error(error, g_steal_pointer(&gone));
	return false;
}

bool
view_list_next_unread(ViewList *list, bool forward, bool *wrapped, GError **error)
{
	ViewCursor *cursor = &list->cursor;
	uint32_t found = 0, edge = forward ? cursor->total - 1 : 0;
	bool any = false;

	*wrapped = false;
	if (cursor->total == 0)
		return false;
	if (cursor->at != edge && !find_unread(list, forward ? cursor->at + 1 : cursor->at - 1,
					       forward, &any, &found, error))
		return false;
	if (!any) {
		*wrapped = true;
		if (!find_unread(list, cursor->total - 1 - edge, forward, &any, &found, error))
			return false;
	}
	return any && view_list_select(list, found);
}

const ViewCursor *
view_list_cursor(const ViewList *list)
{
	return &list->cursor;
}

const StoreMailbox *
view_list_mailbox(const ViewList *list)
{
	return list->mailbox;
}

const StoreRow *
view_list_row(const ViewList *list, uint32_t line)
{
	return list->rows && line < list->rows->len ? list->rows->pdata[line] : NULL;
}

const StoreRow *
view_list_selected(const ViewList *list)
{
	if (!list->rows || list->cursor.at < list->rows_top)
		return NULL;
	return view_list_row(list, list->cursor.at - list->rows_top);
}
