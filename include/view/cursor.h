/* A line selected among many, of which a screenful shows.  Pure arithmetic, by value; total may be
 * millions.  Any thread. */
#ifndef VIEW_CURSOR_H
#define VIEW_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ViewCursor {
	uint32_t total; /* lines there are */
	uint32_t rows;	/* lines that fit on the screen; at least 1 */
	uint32_t top;	/* the first one shown */
	uint32_t at;	/* the one selected; 0 when there is none */
} ViewCursor;

typedef enum {
	VIEW_MOVE_DOWN,
	VIEW_MOVE_UP,
	VIEW_MOVE_PAGE_DOWN,
	VIEW_MOVE_PAGE_UP,
	VIEW_MOVE_HALF_DOWN,
	VIEW_MOVE_HALF_UP,
	VIEW_MOVE_FIRST,
	VIEW_MOVE_LAST,
} ViewMove;

/* False when it stood at the end already. */
bool view_cursor_move(ViewCursor *cursor, ViewMove move);
/* Selects line AT, scrolling no more than needed. */
void view_cursor_select(ViewCursor *cursor, uint32_t at);
/* Makes it whole again after total or rows changed: the selection stays in, and on show. */
void view_cursor_fit(ViewCursor *cursor);

#endif
