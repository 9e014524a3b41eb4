/* The engine: accounts, their connections, the mirror.  Its own thread with its own main loop; it
 * owns the sockets and is the store's only writer.  This header is what the other thread (ui or
 * cli) may touch: calls return at once and never block, except _start and _stop.  Answers are
 * events, delivered on the GMainContext that was the caller's thread default at _start.
 *
 * One process has a store at a time, and serves the others over a socket beside it.  In those the same
 * calls are passed on, and the same events come back; when the one that has the store ends, one of
 * the others becomes it.  Nothing here tells a caller which one it is.
 *
 * An account has up to `connections` lines (config.h; three where nothing is said).  The first is the
 * person's: what is asked for by name, and the folder that was opened.  The second is there while
 * there is other work (folders that are behind, SYNCs, bodies, changes on their way out), the third
 * listens for news of all folders.  With `hold`, with `connections` 1, or where the server admits no
 * more, the first does the others' work as well, the person's before theirs: a request is sent as soon
 * as it is made, and what fills in behind is cut into slices of about 100 ms of line time, so that a
 * request waits behind about two of them.
 *
 * Opening a mailbox for the first time takes these round trips after the greeting (TLS's own not
 * counted), whatever its size:
 *
 *	imaps://			imap:// with STARTTLS
 *					1 STARTTLS
 *					2 CAPABILITY, for nothing said before TLS is kept
 *	1 AUTHENTICATE (SASL-IR), SELECT	3 likewise: SELECT rides behind where the mechanism is one
 *					  step (PLAIN, EXTERNAL): it needs nothing but the name
 *	2 FETCH exists-n+1:*, LIST-STATUS	4 likewise: the window needs EXISTS; LIST needs to know
 *					  what the server has, which comes with the answer to
 *					  AUTHENTICATE
 *
 * SCRAM adds two (its own steps; SELECT rides with its last line, once the server has proved itself),
 * a server that does not volunteer its capabilities one.  COMPRESS comes after the window, before
 * the rest fills in: it would cost a round trip when the person waits, and its worth is in the bulk. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/config.h"
#include "store/journal.h"

typedef struct Engine Engine;

typedef uint32_t EngineRequest; /* a request's name; 0: none */

typedef enum {
	ENGINE_OFFLINE,	   /* no line and not trying (--offline, or refused for good) */
	ENGINE_WAITING,	   /* will try again; retry_in_s says when */
	ENGINE_CONNECTING, /* resolving, connecting, TLS */
	ENGINE_LOGGING_IN,
	ENGINE_ONLINE,
} EngineLink;

typedef struct EngineStatus {
	const char *account;
	EngineLink link;
	int retry_in_s;
	const GError *error;  /* why it is not online; NULL */
	const char *doing;    /* "reading INBOX", NULL: idle; through the door, translated */
	uint64_t done, total; /* of that, in messages or bytes; total 0: not known */
	/* The server owes an answer and has not sent a byte for so long; 0: all is well.  Posted each
	 * second from three on; `doing` then names what is waited for. */
	int silent_s;
} EngineStatus;

/* What happened.  Everything is borrowed for the callback. */
typedef enum {
	ENGINE_EVENT_STATUS,   /* status */
	ENGINE_EVENT_FOLDERS,  /* account's mailboxes or counts changed: read the store */
	ENGINE_EVENT_ROWS,     /* mailbox: rows, flags or order changed */
	ENGINE_EVENT_PART,     /* message, section: its bytes are in the store now */
	ENGINE_EVENT_DONE,     /* request ended: error NULL or why not.  Exactly once each. */
	ENGINE_EVENT_PROGRESS, /* request: done of total bytes */
	ENGINE_EVENT_QUEUE,    /* account's journal changed: rows came, left or failed */
	ENGINE_EVENT_NOTICE, /* text, through the door: for the person (ALERT, a database set aside...) */
} EngineEventType;

typedef struct EngineEvent {
	EngineEventType type;
	StoreId account, mailbox, message;
	const char *section;
	EngineRequest request;
	const GError *error;
	const char *text;
	uint64_t done, total;
	const EngineStatus *status;
	/* DONE of an intent or undo: the action it became part of (0: merged away), and of how many
	 * messages; of an undo, text: what was taken back, and message: of those that are back the
	 * one a list shows first. */
	StoreId group;
	uint32_t n;
} EngineEvent;

typedef void (*EngineEventFunc)(void *data, const EngineEvent *event);

typedef struct EngineOptions {
	const Config *config; /* must outlive the engine */
	const char *account;  /* only this one; NULL: all */
	const char *data_dir;
	bool offline; /* never open a line */
	bool hold;    /* connect when first asked, not at once, and with one line (cli) */
	Log *log;
	EngineEventFunc on_event;
	void *data;
} EngineOptions;

/* Opens (or makes) the store as its writer, starts the thread.  When another process has the store
 * this is no error: requests go to that one, wait some seconds for it while it cannot be reached, and
 * then end with OFFLINE, as they do when it is suspended.  A change that was under way when it ended
 * does too: nobody knows then whether it was written down.  The other one's `offline` and lines hold,
 * not ours.  Reading needs no engine, only a STORE_READER handle. */
Engine *engine_start(const EngineOptions *options, GError **error);
/* Asks every connection to log out, waits for the thread (at most about a second for the lines); one
 * that another process serves just hangs up.  No event comes after it.  Never from inside an event.
 * NULL is fine. */
void engine_stop(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_stop)

/* Requests.  ACCOUNT NULL: the default.  Each ends in one ENGINE_EVENT_DONE. */

/* Reads the folder list and counts anew. */
EngineRequest engine_folders(Engine *engine, const char *account);

/* The person looks at FOLDER (decoded name) from row OFFSET on, ROWS of them: bring these first.
 * DONE when they are in the store.  The folder is then kept true (IDLE), and, with FILL, the rest
 * fills in behind, newest first.  The last one opened stays open. */
EngineRequest engine_open(Engine *engine, const char *account, const char *folder, uint32_t offset,
			  uint32_t rows, bool fill);

/* DONE when FOLDER's mirror is complete and true (NULL: every folder), with bodies: "none", "text"
 * or "all". */
typedef enum { ENGINE_BODIES_NONE, ENGINE_BODIES_TEXT, ENGINE_BODIES_ALL } EngineBodies;
EngineRequest engine_sync(Engine *engine, const char *account, const char *folder,
			  EngineBodies bodies);

/* A person says that what the server no longer has of FOLDER is meant to be gone.  Without it, much
 * that is missing at once (more than 50 messages and a fifth of what is kept; or a mailbox numbered
 * anew with so many less) and that the server did not name is kept: an ENGINE_EVENT_NOTICE
 * says so, the SYNC ends in REFUSED with the same sentence, and the account's fact "doubt/<mailbox id>"
 * (store_account_get) holds it until everything is back.  Then as engine_sync. */
EngineRequest engine_accept_loss(Engine *engine, const char *account, const char *folder);

/* DONE when message UID of FOLDER is in the store with its structure. */
EngineRequest engine_message(Engine *engine, const char *account, const char *folder, uint32_t uid);

/* DONE when these parts of MESSAGE are in the store ("" is the whole message, "HEADER" its header).
 * Those cached already cost nothing.  All are asked for in one flight. */
EngineRequest engine_parts(Engine *engine, StoreId message, const char *const *sections);
/* The person looks at MESSAGE, whose parts were here: it is not what goes first when the cache is too
 * large (engine_parts says so by itself).  No DONE. */
void engine_looked(Engine *engine, StoreId message);

/* What was negotiated, as `postern check` shows it: DONE, then engine_check_report. */
EngineRequest engine_check(Engine *engine, const char *account);
/* Ordered pairs of label and text, all through the door: GPtrArray of char * (label, text, label,
 * ...), NULL before the DONE of a check.  Yours to unref.  Labels are not translated; the texts of
 * those that begin with "capabilities" are words with a blank between. */
GPtrArray *engine_check_report(Engine *engine);

/* ---- intents: what a person wants changed -------------------------------------------------- */

/* Every change goes the same way, with and without a line: into the store and its journal in one
 * transaction (store/journal.h), and from there to the server.  DONE comes
 *
 *	ENGINE_QUEUED	when it is safely in the journal, and shows: what a screen wants
 *	ENGINE_THERE	when the server has confirmed all rows of the action.  With REFUSED (or what
 *			the row failed with) when one failed; with OFFLINE when it is queued and the
 *			line is away or went away (also with EngineOptions.offline)
 *
 * When the intent itself cannot be: USAGE, GONE or STORE, and nothing changed. */
typedef enum { ENGINE_QUEUED, ENGINE_THERE } EngineUntil;

/* INTENT is copied.  CREATE and RENAME: leave raw empty, it is made from name. */
EngineRequest engine_intend(Engine *engine, const StoreIntent *intent, EngineUntil until);
/* A message to be kept in DEST (a mailbox's id); its list fields are read out of CONTENT (any line
 * ends; borrowed: a reference is taken).  DATE: of INTERNALDATE, 0: now. */
EngineRequest engine_append(Engine *engine, StoreId dest, GBytes *content, uint16_t flags,
			    const char *keywords, int64_t date, EngineUntil until);
/* Takes back the last action of ACCOUNT (NULL: of any). */
EngineRequest engine_undo(Engine *engine, const char *account, EngineUntil until);
/* A person's word on a row of the journal (store_journal_retry, store_journal_drop). */
EngineRequest engine_retry(Engine *engine, StoreId row, EngineUntil until);
EngineRequest engine_drop(Engine *engine, StoreId row);

/* Where ACCOUNT keeps its trash, archive, sent mail...: as configured (trash = ..., archive = ...),
 * else by SPECIAL-USE (RFC 6154), else by a usual name.  GONE: there is none, and *NAME (yours) is
 * what to create.  Any thread, with its own reader. */
bool engine_special(Store *store, const ConfigAccount *config, StoreId account,
		    StoreMailboxRole role, StoreMailbox **mailbox, char **name, GError **error);

/* Ends REQUEST early: its DONE comes with CANCELLED; the line survives. */
void engine_cancel(Engine *engine, EngineRequest request);
/* Try the line now, whatever the back-off says.  One that is silent, or does not get through, is
 * given up for a new one; on one that is well the folders are read anew. */
void engine_reconnect(Engine *engine);

typedef struct EngineTotals { /* since the start, over all connections */
	uint64_t wire_in, wire_out, round_trips, messages, parts;
} EngineTotals;
void engine_totals(Engine *engine, EngineTotals *out);

/* ---- reading what is in the store (any thread, with its own reader) ------------------------- */

#include "mail/part.h"

/* A row's BODYSTRUCTURE as a tree; NULL when there is none or it cannot be read.  Yours to free. */
MailPart *engine_structure(const StoreRow *row);

/* A part's bytes as transferred, from the store: its own, or out of the message where that is here
 * whole.  GONE when it is not cached.  *BYTES is yours to unref. */
bool engine_part_load(Store *store, StoreId message, const char *section, GBytes **bytes,
		      GError **error);
/* The same question without the bytes. */
bool engine_part_has(Store *store, StoreId message, const char *section, bool *has, GError **error);

#endif
