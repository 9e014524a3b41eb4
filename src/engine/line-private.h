/* A line: one connection of an account, the mailbox selected on it, what is read of parts over it,
 * and its life: connecting, back-off, silence, the end.  The engine's thread.
 *
 * Whatever is sent goes out through the line that owns the mailbox it means: a Mirror, a PartFetcher
 * and a FolderRead each belong to one line, and end with it.  Jobs belong to the account.
 *
 * An account has up to three, as far as its configuration, its server and `hold` (a command line: one
 * does all) let it:
 *
 *	interactive	always.  The person's jobs, and the folder the person looks at: IDLE there, its
 *			fill.  Its link is the account's; when it is lost, so is what a person waits for.
 *	background	opened when there is work, closed after a minute without: folders that are behind
 *			(folders-truth.c), SYNCs, bodies, the journal's rows.
 *	listening	opened when the first screen is there: NOTIFY for all folders (RFC 5465), on a line
 *			that selects nothing, so that no mailbox's numbers shift under a command; without
 *			NOTIFY IDLE on INBOX, while the person looks elsewhere.  Folders are listed here.
 *
 * One that the server refuses is done without until the interactive one connects anew.  A mailbox is
 * kept true by one line only: the others' mirrors of it are retired, the interactive one's never. */
#ifndef ENGINE_LINE_PRIVATE_H
#define ENGINE_LINE_PRIVATE_H

#include "connection-private.h"

typedef struct Account Account;
typedef struct Line Line;
typedef struct Mirror Mirror;
typedef struct PartFetcher PartFetcher;

typedef enum {
	LINE_INTERACTIVE,
	LINE_BACKGROUND,
	LINE_LISTENING,
	LINE_ROLES,
} LineRole;

typedef enum {
	NOTIFY_UNTRIED,
	NOTIFY_ASKED,
	NOTIFY_ON,
	NOTIFY_REFUSED,
} LineNotify;

struct Line {
	Account *account;
	LineRole role;
	char *name; /* in the log */

	EngineLink link;
	GError *error; /* why it is not online */
	bool refused;  /* for good: only a person's word tries again */
	Connection *connection;
	bool online;
	bool introduces;   /* ID and LIST are still to be sent */
	bool enables;	   /* ENABLE QRESYNC was sent, or it is too late for it */
	bool no_qresync;   /* SELECT (QRESYNC ...) was refused */
	int64_t online_ms; /* monotonic; since when */
	unsigned failures; /* in a row */
	GSource *retry;	   /* owned */
	int64_t retry_ms;  /* monotonic; when */
	EngineTotals seen; /* already added to the engine's */

	Line *waits_on;	   /* pumped again when that one was; NULL */
	GSource *pump;	   /* owned; looks once this turn at what to send next */
	bool hold_mailbox; /* while jobs are looked at: one that waits needs what is selected */

	Mirror *mirror;	    /* the mailbox selected or being selected; NULL */
	GBytes *open;	    /* what SELECT was last sent of, mirrored or not; NULL */
	bool unselecting;   /* it is being left, for nothing else */
	PartFetcher *parts; /* always */
	GSource *refresh;   /* owned: folder counts, IDLE renewal */

	GSource *silence; /* owned: looks each second while the server owes an answer */
	int silent_s;
	bool at_once;  /* the line was given up for a new one */
	bool leaving;  /* it logs out because there is nothing to do */
	GSource *rest; /* owned: after which a line with nothing to do is closed */
	LineNotify notify;

	char *doing; /* for the status; NULL */
	uint64_t doing_done, doing_total;
	int64_t status_ms; /* when that was last posted */
};

Line *line_new(Account *account, LineRole role);
void line_free(Line *line); /* NULL is fine */

void line_connect(Line *line); /* when it is not connected, nor trying */
/* There is nothing to do on it: closed after a minute of that. */
void line_rest(Line *line);
void line_stay(Line *line);  /* there is */
void line_leave(Line *line); /* closed now; online */
void line_reconnect(Line *line);
void line_logout(Line *line);
/* The first mailbox that will be wanted, so that its SELECT can ride with the login.  Not online. */
void line_ride(Line *line);

/* LOGOUT was sent, or it is over: nothing more can be said on it. */
bool line_is_ending(const Line *line);
bool line_has(const Line *line, const char *capability); /* false without a connection */
/* Before the login: what the account's last line had behind it; then what this one has. */
bool line_expects(const Line *line, const char *capability);

/* May it leave the mailbox that is selected for another one, nobody waiting?  The interactive one only
 * where there is no other to do it. */
bool line_may_roam(const Line *line);
/* Its mirror keeps RAW true. */
bool line_owns(const Line *line, GBytes *raw);

/* Selects RAW, when nothing of the mailbox before it is still under way: a mailbox that a job of this
 * turn waits for, commands of the mirror, parts.  True when it is ready; false: not yet, ask again
 * when the line is next pumped, or refused: then mirror_is(line->mirror, raw) and mirror_error.
 * On the background line, when another owns RAW, the mirror is a retired one: commands by UID can be
 * sent, what they change is seen by the owner. */
bool line_need_mailbox(Line *line, GBytes *raw);
/* What is selected was refused or is not needed: the next need selects anew. */
void line_forget_mailbox(Line *line);
/* Leaves what is selected, for a folder that goes away under it costs the line.  Never by CLOSE, which
 * expunges.  True: the server has heard of it; false: ask again when LINE was pumped. */
bool line_unselect(Line *line);

/* Looks again at what to send next, once this turn of the loop is over. */
void line_pump_later(Line *line);
/* IDLE, when nothing is under way. */
void line_idle(Line *line);
/* What the line is busy with, for the person; DOING is copied, NULL: nothing. */
void line_status(Line *line, const char *doing, uint64_t done, uint64_t total);

/* The pump (jobs.c) takes turns in this order: the person's jobs; then this hook, if the account has
 * one; then folders with news, SYNCs, fills; then the folder the person looks at.  STEP is called when no
 * job of the person waits on LINE, which is online: on the interactive line, which must not leave
 * its mailbox unless line_may_roam, and on the background one.  It may send commands, and select
 * with line_need_mailbox; account_owner names the line on which a mailbox is open already.  True: it
 * has something under way or waits for the line, and what is behind it waits; call line_pump_later
 * when there is more to do.  WAITS, true: there is something to do for STEP, and the background line
 * is opened for it; account_pump_later when that becomes so. */
typedef struct LineTurn {
	bool (*step)(Line *line);
	bool (*waits)(Account *account);
} LineTurn;

/* ---- listening (line-listen.c) ------------------------------------------------------------------- */

void line_listen(Line *line); /* its step; online */
/* Something came on the listening line that LIST should tell more of. */
void line_listen_heard(Line *line, const ImapResponse *response);

#endif
