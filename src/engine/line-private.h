/* A line: one connection of an account, the mailbox selected on it, what is read of parts over it,
 * and its life: connecting, back-off, silence, the end.  The engine's thread.
 *
 * Whatever is sent goes out through the line that owns the mailbox it means: a Mirror, a PartFetcher
 * and a FolderRead each belong to one line, and end with it.  Jobs belong to the account. */
#ifndef ENGINE_LINE_PRIVATE_H
#define ENGINE_LINE_PRIVATE_H

#include "connection-private.h"

typedef struct Account Account;
typedef struct Line Line;
typedef struct Mirror Mirror;
typedef struct PartFetcher PartFetcher;

struct Line {
	Account *account;
	char *name; /* in the log */

	EngineLink link;
	GError *error; /* why it is not online */
	bool refused;  /* for good: only a person's word tries again */
	Connection *connection;
	bool online;
	bool introduces;   /* ID and LIST are still to be sent */
	int64_t online_ms; /* monotonic; since when */
	unsigned failures; /* in a row */
	GSource *retry;	   /* owned */
	int64_t retry_ms;  /* monotonic; when */
	EngineTotals seen; /* already added to the engine's */

	GSource *pump;	   /* owned; looks once this turn at what to send next */
	bool hold_mailbox; /* while jobs are looked at: one that waits needs what is selected */

	Mirror *mirror;	    /* the mailbox selected or being selected; NULL */
	PartFetcher *parts; /* always */
	GSource *refresh;   /* owned: folder counts, IDLE renewal */

	GSource *silence; /* owned: looks each second while the server owes an answer */
	int silent_s;
	bool at_once; /* the line was given up for a new one */

	char *doing; /* for the status; NULL */
	uint64_t doing_done, doing_total;
	int64_t status_ms; /* when that was last posted */
};

Line *line_new(Account *account);
void line_free(Line *line); /* NULL is fine */

void line_connect(Line *line); /* when it is not connected, nor trying */
void line_reconnect(Line *line);
void line_logout(Line *line);
/* The first mailbox that will be wanted, so that its SELECT can ride with the login.  Not online. */
void line_ride(Line *line);

bool line_has(const Line *line, const char *capability); /* false without a connection */

/* Selects RAW, when nothing of the mailbox before it is still under way: a mailbox that a job of this
 * turn waits for, commands of the mirror, parts.  True when it is ready; false: not yet, ask again
 * when the line is next pumped, or refused: then mirror_is(line->mirror, raw) and mirror_error. */
bool line_need_mailbox(Line *line, GBytes *raw);
/* What is selected was refused or is not needed: the next need selects anew. */
void line_forget_mailbox(Line *line);

/* Looks again at what to send next, once this turn of the loop is over. */
void line_pump_later(Line *line);
/* What the line is busy with, for the person; DOING is copied, NULL: nothing. */
void line_status(Line *line, const char *doing, uint64_t done, uint64_t total);

/* The pump (jobs.c) takes turns in this order: the person's jobs; then this hook, if the account has
 * one; then SYNCs; then the folder the person looks at.  Called when no job of the person waits on
 * LINE, which is online.  It may send commands, and select with line_need_mailbox.  True: it has
 * something under way or waits for the line, and what is behind it waits; call line_pump_later when
 * there is more to do. */
typedef bool (*LineTurn)(Line *line);

#endif
