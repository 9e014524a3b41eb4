#include "view/cursor.h"

#include <glib.h>

void
view_cursor_fit(ViewCursor *cursor)
{
	if (cursor->rows < 1)
		cursor->rows = 1;
	if (cursor->total == 0) {
		cursor->at = cursor->top = 0;
		return;
	}
	cursor->at = MIN(cursor->at, cursor->total - 1);
	if (cursor->at - cursor->top >= cursor->rows || cursor->at < cursor->top)
		cursor->top = cursor->at < cursor->top ? cursor->at : cursor->at - cursor->rows + 1;
	/* No blank lines below the last while there are lines above the first. */
	if (cursor->total <= cursor->rows)
		cursor->top = 0;
	else
		cursor->top = MIN(cursor->top, cursor->total - cursor->rows);
}

void
view_cursor_select(ViewCursor *cursor, uint32_t at)
{
	cursor->at = at;
	view_cursor_fit(cursor);
}

/* The screen moves with the selection, so that it keeps its line. */
static void
move_by(ViewCursor *cursor, uint32_t lines, bool down)
{
	uint32_t last = cursor->total - 1;

	if (down) {
		cursor->at += MIN(lines, last - cursor->at);
		cursor->top += MIN(lines, last - cursor->top);
	} else {
		cursor->at -= MIN(lines, cursor->at);
		cursor->top -= MIN(lines, cursor->top);
	}
}

bool
view_cursor_move(ViewCursor *cursor, ViewMove move)
{
	ViewCursor old;

	view_cursor_fit(cursor);
	old = *cursor;
	if (cursor->total == 0)
		return false;
	switch (move) {
	case VIEW_MOVE_DOWN:
		if (cursor->at < cursor->total - 1)
			cursor->at++;
		break;
	case VIEW_MOVE_UP:
		if (cursor->at > 0)
			cursor->at--;
		break;
	case VIEW_MOVE_PAGE_DOWN:
		move_by(cursor, cursor->rows, true);
		break;
	case VIEW_MOVE_PAGE_UP:
		move_by(cursor, cursor->rows, false);
		break;
	case VIEW_MOVE_HALF_DOWN:
		move_by(cursor, MAX(cursor->rows / 2, 1), true);
		break;
	case VIEW_MOVE_HALF_UP:
		move_by(cursor, MAX(cursor->rows / 2, 1), false);
		break;
	case VIEW_MOVE_FIRST:
		cursor->at = 0;
		break;
	case VIEW_MOVE_LAST:
		cursor->at = cursor->total - 1;
		break;
	}
	view_cursor_fit(cursor);
	return cursor->at != old.at;
}
