/* What the status line says, and how numbers are written there and in lists.  Pure; any thread. */
#ifndef VIEW_STATUS_H
#define VIEW_STATUS_H

#include "engine/engine.h"

/* The last word on an account's line, kept. */
typedef struct ViewStatus {
	bool known; /* the engine has said something */
	EngineLink link;
	bool alone;	     /* --offline: nobody tries */
	gint64 retry_at_us;  /* monotonic; 0: not waiting */
	char *error, *doing; /* through the door; NULL */
	uint64_t done, total;
	int silent_s; /* something was asked, and not a byte came for so long */
} ViewStatus;

void view_status_take(ViewStatus *status, const EngineStatus *said, gint64 now_us);
void view_status_clear(ViewStatus *status); /* the memory is the caller's */
/* Does the text change by itself as time goes by? */
bool view_status_ticks(const ViewStatus *status);
/* One line, through the door, translated.  Yours to g_free. */
char *view_status_text(const ViewStatus *status, gint64 now_us);

/* "12K", "3.4M": at most five cells.  Yours to g_free. */
char *view_size_text(uint64_t bytes);
/* Today "14:05", in the last months "Jul 04", else "Jul 2019": at most 8 cells in most languages.
 * WIDE: "Jul 04 14:05", "Jul 04  2019": 12. */
char *view_date_text(int64_t seconds, GDateTime *now, bool wide);
/* With weekday, seconds left out, in the sender's own zone: "Thu, 4 Jul 2024 12:30 +0200". */
char *view_date_long(int64_t seconds, int zone_min);
/* "12/100000"; "0/0" when there is none. */
char *view_position_text(uint64_t at, uint64_t total);

#endif
