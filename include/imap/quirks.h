/* Server oddities, one row each, with the server they were seen on.  A quirk is known by what the
 * server says of itself: its greeting, its ID answer, its capabilities.  Pure. */
#ifndef IMAP_QUIRKS_H
#define IMAP_QUIRKS_H

#include "base/span.h"

typedef enum {
	IMAP_QUIRK_NO_SASL_IR = 1 << 0,	      /* announces SASL-IR falsely */
	IMAP_QUIRK_ID_BEFORE_SELECT = 1 << 1, /* refuses SELECT until ID was sent */
	IMAP_QUIRK_NO_LIST_EXTENDED = 1 << 2, /* answers OK to LIST options, and ignores them */
	IMAP_QUIRK_NO_PIPELINE = 1 << 3,      /* loses commands sent ahead */
	IMAP_QUIRK_FEW_ERRORS = 1 << 4,	      /* closes after some bad commands: never probe */
	IMAP_QUIRK_NO_REV2 = 1 << 5,	      /* announces IMAP4rev2, and breaks on it */
	IMAP_QUIRK_OUTBOX_SENDS = 1 << 6,     /* what is put into its outbox folder is sent */
	IMAP_QUIRK_UIDS_MOVE = 1 << 7,	      /* STATUS's UIDNEXT is no promise before SELECT */
	IMAP_QUIRK_NO_KEYWORDS = 1 << 8,      /* APPEND or STORE with a keyword is BAD */
	IMAP_QUIRK_FILES_SENT = 1 << 9,	      /* keeps its own copy of what was sent */
	IMAP_QUIRK_NO_NOTIFY_NONE = 1 << 10,  /* after NOTIFY NONE it reports nothing at all */
	IMAP_QUIRK_NO_PAST_END = 1 << 11,     /* a partial fetch from behind the end kills it */
	IMAP_QUIRK_NO_RIDE = 1 << 12,	      /* AUTHENTICATE swallows what was sent behind it */
} ImapQuirk;

typedef struct ImapQuirkRow {
	ImapQuirk quirk;
	const char *seen_on; /* server and version */
	const char *where;   /* "greeting", "id", "capability" */
	const char *match;   /* a glob ("*", "?") over that text, ASCII case ignored */
	const char *why;
} ImapQuirkRow;

/* Every row, ended by one whose seen_on is NULL. */
extern const ImapQuirkRow imap_quirks[];

/* The ImapQuirk bits that TEXT, found at WHERE, shows: the human text of the greeting; the fields
 * of ID as `"name" "value"`; the capabilities, each between two spaces. */
unsigned imap_quirks_match(const char *where, Span text);

#endif
