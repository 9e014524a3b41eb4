/* Mailboxes, rows and part trees as a line of text or of JSON.  Everything from outside passes the
 * door (base/safetext.h) on its way, as JSON too.  Appends to OUT, the line end included.  Pure;
 * any thread. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "mail/part.h"
#include "store/journal.h"

#include <json-glib/json-glib.h>

/* RFC 3339 with the sender's zone; NULL where it cannot say it (before year 1, after 9999).  Yours
 * to g_free. */
char *cli_date(int64_t seconds, int zone_min);

/* Messages and unread ones: the server's last word, or the mirror's where that is whole; -1: not
 * known. */
int64_t cli_mailbox_total(const StoreMailbox *mailbox);
int64_t cli_mailbox_unread(const StoreMailbox *mailbox);

/* account, name, delimiter, role, total, unread, subscribed */
void cli_json_mailbox(GString *out, const char *account, const StoreMailbox *mailbox);
/* NAME_WIDTH: cells of the widest name; ACCOUNT NULL: not shown. */
void cli_text_mailbox(GString *out, const char *account, const StoreMailbox *mailbox,
		      int name_width);

/* uid, id, flags, keywords, date, from, to, subject, size, message_id, thread, attachments */
void cli_json_row(GString *out, const StoreRow *row);
/* Columns: UID, flags as letters, date, sender, subject.  WIDTH: of the terminal, where a line is
 * cut; 0: nowhere. */
void cli_text_row(GString *out, const StoreRow *row, int uid_width, int width);

/* section, type, name, encoding, size, parts: a tree */
void cli_json_structure(GString *out, const MailPart *root);
void cli_text_structure(GString *out, const MailPart *root);

/* A row as above, and text, notes, parts (the tree). */
void cli_json_message(GString *out, const StoreRow *row, const char *text, GPtrArray *notes,
		      const MailPart *root);
/* The headers a reader sees: From, To, Cc, Date, Subject. */
void cli_text_message_head(GString *out, const StoreRow *row);
/* uid, id, headers: an array of name, value, unfolded and decoded, in HEADER's own order. */
void cli_json_headers(GString *out, const StoreRow *row, Span header);

/* A row of the journal, and what it is about. */
typedef struct CliQueued {
	const StoreJournalRow *row; /* borrowed */
	char *folder, *dest;	    /* NULL: none */
	GPtrArray *messages;	    /* of StoreRow: the first thousand */
	GArray *uids;		    /* of uint32_t: those known in FOLDER */
} CliQueued;
void cli_queued_clear(CliQueued *queued);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliQueued, cli_queued_clear)
/* id, state, action, folder, dest, name, flag, n, uids, ids, message_ids, made, error */
void cli_json_queued(GString *out, const CliQueued *queued);
/* Columns: id, state, what is to be done; a failed one has its error on the next line. */
void cli_text_queued(GString *out, const CliQueued *queued);

/* TEXT, which passed the door, in WIDTH cells: padded, or cut with an ellipsis. */
void cli_append_cell(GString *out, const char *text, int width, bool is_last);

#endif
