/* What the files of the engine share.  The engine's thread, unless said otherwise. */
#ifndef ENGINE_ENGINE_PRIVATE_H
#define ENGINE_ENGINE_PRIVATE_H

#include "base/error.h"
#include "base/i18n.h"
#include "line-private.h"
#include "record-private.h"

#include <pthread.h>

typedef struct Truth Truth;

struct Engine {
	const Config *config;
	char *data_dir;
	bool offline, hold;
	Log *log;
	Store *store;	     /* the writer */
	GPtrArray *accounts; /* of Account, owned */

	GThread *thread;
	GMainContext *context; /* the engine's */
	GMainLoop *loop;
	GSource *tidy;	   /* owned; gives back the store's space when nobody waits */
	GSource *stopping; /* owned; the time after which we no longer wait for the lines */

	/* Across the threads, under LOCK: a POSIX one, because the thread sanitizer cannot see into
	 * GLib's, nor into what its main loops hand over. */
	pthread_mutex_t lock;
	GQueue calls; /* of Call, not taken up yet */
	GMainContext *owner_context;
	GQueue events;	   /* of Posted, not delivered yet */
	GSource *delivery; /* attached to the owner's context while there are events; owned */
	EngineEventFunc on_event;
	void *data;
	GPtrArray *report; /* of char *, or NULL */
	EngineTotals totals;
	EngineRequest last_request;

	/* Another process has the store: it is asked (serve-private.h); else NULL. */
	struct Client *client; /* the owner's thread */
	struct Server *server; /* what other processes ask; NULL: none can */
	char *only;	       /* the account that was asked for; NULL: all */
};

/* Queues EVENT for the owner's thread; what it borrows is copied.  STATUS, FOLDERS, ROWS and
 * PROGRESS not yet delivered are replaced by the newer one of the same subject, so that a slow
 * reader finds a short queue. */
void engine_post(Engine *engine, const EngineEvent *event);
void engine_post_notice(Engine *engine, StoreId account, const char *text);
void engine_set_report(Engine *engine, GPtrArray *take_report);
void engine_add_totals(Engine *engine, const EngineTotals *more);

/* More is kept now: what is over the limit goes when nobody waits. */
void engine_evict_later(Engine *engine);
/* Something was dropped from the store: its space is given back, in slices, when nobody waits. */
void engine_tidy_later(Engine *engine);

/* The loop ends when every line has said goodbye.  The answer is not waited for: it says nothing. */
void engine_quit_if_done(Engine *engine);

/* ---- jobs: what was asked for, until its DONE ------------------------------------------------ */

typedef enum {
	JOB_FOLDERS,
	JOB_OPEN,
	JOB_SYNC,
	JOB_MESSAGE,
	JOB_PARTS,
	JOB_CHECK,
	JOB_LOOKED, /* nobody waits for it */
	JOB_WISH,   /* a change, or a word on one */
} JobKind;

typedef struct Job {
	EngineRequest request;
	JobKind kind;
	bool guest;	 /* another process asks: what the person here looks at stays what it is */
	char *folder;	 /* decoded name; NULL where there is none */
	StoreId mailbox; /* PARTS: where the message is */
	uint32_t offset, rows;
	bool fill;
	EngineBodies bodies;
	bool accepts; /* SYNC: whatever is gone may be */
	uint32_t uid;
	StoreId message;
	char **sections;
	struct Wish *wish; /* WISH: owned */

	bool started, listed;
	unsigned pending; /* commands or parts it waits for */
	GError *error;	  /* the first that went wrong */
	GQueue folders;	  /* SYNC of everything: raw names (GBytes) still to do */
	GHashTable
	    *unchanged; /* likewise with bodies: raw name -> StoreId, of what is true already */
	struct BodyWalk *walk; /* SYNC with bodies: how far in this folder; NULL: not begun */
	bool bodies_done, in_folder;
	enum { NEWS_NOT_ASKED, NEWS_ASKED, NEWS_TOLD } news; /* SYNC: of what is selected anyway */
	GError *refused; /* SYNC: of the first folder that could not be read */
	GError
	    *skipped; /* SYNC: the first message that could not be read, and may still be there */
	StoreId skipped_message;
	GError *full; /* SYNC: not everything may be kept */
} Job;

Job *job_new(JobKind kind);
void job_free(Job *job);
bool job_is_change(const Job *job);			/* an intent: not to be asked twice */
bool job_has_skipped(Account *account, const Job *job); /* and it is there */

/* ---- calls: what the owner's thread asks ------------------------------------------------------- */

typedef struct Call {
	char *account; /* NULL: the default, or where the message is */
	Job *job;      /* NULL: the verb below */
	void (*verb)(Engine *engine, EngineRequest request);
	const char *op; /* the verb's name between processes */
	EngineRequest request;
	bool sent; /* to another process */
} Call;
void call_free(void *call);

/* To the engine, in this process or another.  Any thread but the engine's. */
EngineRequest engine_send_job(Engine *engine, const char *account, Job *take_job);
void engine_send_call(Engine *engine, Call *take_call);
/* The engine's thread: what another process asks. */
void engine_take_up(Engine *engine, const char *account, Job *take_job);
void engine_cancel_now(Engine *engine, EngineRequest request);
void engine_reconnect_now(Engine *engine);
/* The owner's thread, without a store: takes the lock if it is free, and opens the store. */
bool engine_take_store(Engine *engine, GError **error);
/* ... and then: the thread. */
void engine_begin(Engine *engine);
void engine_set_totals(Engine *engine, const EngineTotals *totals);

/* ---- an account -------------------------------------------------------------------------------- */

struct Account {
	Engine *engine;
	const ConfigAccount *config;
	StoreId id;

	ConnectionMemory memory;
	char **capabilities; /* behind the last login; NULL: never logged in */
	/* Of Line, owned, by LineRole as far as they were ever needed; the first is always there. */
	GPtrArray *lines;
	bool denied[LINE_ROLES]; /* the server has no room for it */
	bool settled;		 /* the first screen is here, and nobody waits */

	GQueue jobs;	      /* of Job, owned: the person's, in order */
	GQueue syncs;	      /* of Job, owned: behind them */
	const LineTurn *turn; /* between the two; NULL: none */
	struct Replay *replay;

	/* what the person last opened, brought back after a lost line */
	char *home;
	uint32_t home_rows;
	bool home_fill;

	struct FolderRead *folder_read; /* a LIST in flight; NULL */
	int64_t folders_ms;		/* when the folders were last read; 0: not on this line */
	bool folders_doubted;		/* not all of that could be believed */
	GSource *poll;			/* owned: when they are read again */
	Truth *truth;			/* folders-truth.c; always */
	char *server_id;		/* the answer to ID, one line; NULL */
	char *store_words;		/* last said of a store that failed; NULL */
	int64_t store_words_ms;
	struct Keep *keep; /* how far the parts are here that the configuration keeps; bodies.c */
};

Account *account_new(Engine *engine, const ConfigAccount *config, GError **error);
void account_free(Account *account);

Line *account_line(Account *account);			/* the interactive one */
Line *account_line_of(Account *account, LineRole role); /* NULL: none, or not online */
bool account_may_have(const Account *account, LineRole role);
Line *account_owner(Account *account, GBytes *raw); /* the line that keeps RAW true; NULL */
/* Opens the lines that are needed, lets go of those that are not. */
void account_look_at_lines(Account *account);
/* LINE, which is not the interactive one, is gone: what was done on it is done elsewhere. */
void account_lost_line(Account *account, Line *line, const GError *error, bool was_online);
/* The interactive line is online: what the server refused before is tried again. */
void account_is_back(Account *account);
/* The folders are due to be read again after a while. */
void account_poll_later(Account *account);
void account_poll_soon(Account *account);
bool account_is_online(const Account *account); /* any line is */
/* A line is online that has not said goodbye. */
bool account_has_to_part(const Account *account);

void account_add_job(Account *account, Job *take_job);
Job *account_find_job(Account *account, EngineRequest request); /* NULL: over */
void account_cancel(Account *account, EngineRequest request);
void account_reconnect(Account *account);
void account_connect(Account *account);
void account_logout(Account *account);

/* JOB is over: its DONE is posted, it is freed.  ERROR may be NULL, and is not taken. */
void account_finish(Account *account, Job *job, const GError *error);
/* Nobody is to wait any longer; SYNCs go on if a line is left. */
void account_finish_all(Account *account, const GError *error);
/* What to send next on LINE, which is online. */
void jobs_step(Line *line);
/* As line_pump_later, for every line. */
void account_pump_later(Account *account);
/* Tells the person how the account stands now. */
void account_post_status(Account *account);
/* A store that cannot be written ends what needs it; the words go to the person, and the lines come back
 * after a while to see whether it can now. */
void account_store_failed(Account *account, const GError *error);

/* Turns a command's NO or BAD into words: "cannot WHAT: the server says ...". */
GError *account_refusal(const ImapResponse *response, PosternError code, const char *what);
/* RFC 5530: its code says nothing against what was asked. */
bool account_is_passing(const ImapResponse *response);

/* ---- replay: the journal's rows leave ------------------------------------------------------------ */

typedef struct Replay Replay;

Replay *replay_new(Account *account);
void replay_free(Replay *replay); /* after the account's lines; NULL is fine */
extern const LineTurn replay_turn;
/* Before anybody else looks at RESPONSE.  True: it is for replay alone. */
bool replay_on_response(Line *line, const ImapResponse *response, ImapTicket ticket);
void replay_forget_line(Line *line); /* it is gone */
/* RAW is about to be deleted or renamed on another line: nobody selects it until that is over. */
bool replay_is_leaving(const Line *line, GBytes *raw);
/* LINE was pumped: a group on another one may wait for it to leave its mailbox. */
void replay_wake(const Line *line);
/* No line is left: those who wait hear WHY; the rows stay. */
void replay_give_up(Account *account, const GError *why);

/* The journal was changed from outside: tells of it and of the mailboxes (0: none), and looks what can
 * leave. */
void replay_changed(Account *account, StoreId mailbox, StoreId dest);
/* REQUEST's DONE comes when ROWS (of StoreId) came to an end; DONE has what else it says. */
void replay_wait(Account *account, EngineRequest request, const EngineEvent *done, GArray *rows);
/* True: it waited, and was told. */
bool replay_cancel(Account *account, EngineRequest request);

/* ---- wishes (intent.c): what a person wants changed --------------------------------------------- */

typedef struct Wish Wish;

void wish_free(Wish *wish); /* NULL is fine */
/* JOB's; its DONE comes now or later. */
void wish_take_up(Engine *engine, const Job *job);
/* Between processes (intent-wire.c). */
void wish_put(GVariantBuilder *builder, const Wish *wish);
Wish *wish_read(GVariant *dict); /* NULL: that is none */

/* ---- folders ----------------------------------------------------------------------------------- */

/* Asks for the list and its counts; the jobs of kind FOLDERS that were started are done with it. */
void folders_read(Line *line);
void folders_on_response(Line *line, const ImapResponse *response);
void folders_forget(Line *line);			  /* it is gone */
bool folders_is_read_on(const Line *line);		  /* a LIST is in flight there */
StoreMailbox *folders_box(Account *account, GBytes *raw); /* yours to free; NULL: not known */
/* Raw bytes for a folder by its decoded name; yours to unref. */
GBytes *folders_raw_name(Account *account, const char *name);
/* Commands of ROW leave now: what a LIST in flight says of its folders may be from before or after. */
void folders_sending(Account *account, const StoreJournalRow *row);
/* A row about a folder came to an end: what LIST was not believed of is asked for once more. */
void folders_settled(Account *account);

/* Names on the server that rows about folders have to do with (folders-own.c): arrays of FolderName,
 * owned. */
GPtrArray *folder_names_new(void);
void folder_names_of_row(Account *account, const StoreJournalRow *row, GPtrArray *names);
/* Of all rows of which it is not known what became of them. */
void folder_names_of_sent(Account *account, GPtrArray *names);
/* Is RAW one of NAMES, or below one? */
bool folder_names_have(const GPtrArray *names, Span raw);
/* Is something of A also of B, or below or above it? */
bool folder_names_meet(const GPtrArray *a, const GPtrArray *b);

/* ---- which of them are behind (folders-truth.c) ------------------------------------------------ */

Truth *truth_new(Account *account);
void truth_free(Truth *truth);
/* The folders are about to be listed with their numbers: those of before are not relied upon. */
void truth_forget_numbers(Truth *truth);
void truth_heard(Truth *truth, const char *raw, size_t size, const ImapStatus *status);
/* Puts what is behind on the list of what is to be read; QUIRKS and capabilities are LINE's. */
void truth_look(Truth *truth, Line *line);
void truth_look_at(Truth *truth, Line *line, const StoreMailbox *box); /* at this one */
/* Does the mirror of BOX not come to what the server last said of it?  True where that is not known. */
bool truth_differs(Truth *truth, Line *line, const StoreMailbox *box);
bool truth_has_news(const Truth *truth); /* something may be new in a folder */
/* A folder is not here in full, and no line but the background one looks after it. */
bool truth_has_fills(Truth *truth);
/* One step on LINE; true while there is more of it to do. */
bool truth_step_news(Truth *truth, Line *line);
bool truth_step_fills(Truth *truth, Line *line);

/* ---- the mirror of one selected mailbox ----------------------------------------------------------- */

/* Starts with SELECT, unless it rides with the login. */
Mirror *mirror_new(Line *line, GBytes *raw);
void mirror_free(Mirror *mirror);
void mirror_select(Mirror *mirror); /* now */
void mirror_ride(Mirror *mirror);   /* with the login, if that can be */
/* Another line keeps this mailbox true from now on (two would write over each other): what comes here
 * is passed over, and nothing more is asked for.  Parts may still be read. */
void mirror_retire(Mirror *mirror);
bool mirror_is_retired(const Mirror *mirror);
/* UIDs of it came or went by another line's doing: numbers are not to be trusted until it was compared. */
void mirror_doubt(Mirror *mirror);
/* The server was seen to have another message under a UID of MAILBOX: what is here of it is dropped, and
 * read anew on the lines that have it selected. */
void mirror_read_again(Account *account, StoreId mailbox);
bool mirror_is(const Mirror *mirror, GBytes *raw); /* NULL is none */
bool mirror_is_ready(const Mirror *mirror);	   /* SELECT was answered OK */
bool mirror_is_current(const Mirror *mirror); /* and new, changed and lost messages are known */
bool mirror_is_complete(const Mirror *mirror);
bool
mirror_is_windowing(const Mirror *mirror); /* the first window was asked for, and is not here */
bool mirror_is_busy(const Mirror *mirror); /* commands of its own in flight */
const GError *mirror_error(const Mirror *mirror); /* SELECT was refused */
/* ... and not for a reason that passes. */
bool mirror_is_refused(const Mirror *mirror);
/* So much is gone that nothing was removed (mirror-doubt.c): the sentence; or NULL. */
const GError *mirror_loss(const Mirror *mirror);
/* A person says that it may be. */
void mirror_accept_loss(Mirror *mirror);
StoreId mirror_mailbox(const Mirror *mirror);
bool mirror_on_response(Mirror *mirror, const ImapResponse *response, ImapTicket ticket);
/* May FLAG (or KEYWORD, when it is 0) be changed for good here, as far as SELECT told? */
bool mirror_keeps_flag(const Mirror *mirror, uint16_t flag, const char *keyword);

/* The person looks here: the window first. */
void mirror_want(Mirror *mirror, uint32_t rows);
/* True when rows up to N are here, or all there are. */
bool mirror_covers(const Mirror *mirror, uint32_t n);
/* One message, if it is not here yet; JOB->started and ->pending follow. */
void mirror_fetch_message(Mirror *mirror, Job *job);
/* Sends the next slices of what is missing. */
void mirror_fill(Mirror *mirror);
/* Not before mirror_fill is called again: a person's request goes first. */
void mirror_hold(Mirror *mirror);
/* Writes what was gathered; false: the store failed. */
bool mirror_apply(Mirror *mirror);
/* The next thing to ask for, after SELECT and after every answer, until the mirror is current. */
void mirror_continue_sync(Mirror *mirror);

/* ---- parts -------------------------------------------------------------------------------------- */

PartFetcher *parts_new(Line *line);
void parts_free(PartFetcher *parts);
/* Asks for what is not cached of JOB's sections; JOB->pending counts them.  The mailbox is selected. */
void parts_start(PartFetcher *parts, Job *job);
/* The next messages' bodies of a SYNC; false when all are here. */
bool parts_sync(PartFetcher *parts, Job *job, StoreId mailbox);
/* The line has never brought as much of them as a server can deflate. */
bool parts_are_slow(const PartFetcher *parts);
void body_walk_free(struct BodyWalk *walk); /* NULL is fine */
/* True when a body of MAILBOX that JOB wants is not here.  *MORE: not known yet; ask again. */
bool parts_sync_lacks(PartFetcher *parts, Job *job, StoreId mailbox, bool *more);

/* What the configuration keeps without being asked for (bodies.c).  Something of it may be missing: */
bool keep_waits(Account *account);
void keep_free(struct Keep *keep); /* NULL is fine */
/* The next of it, on LINE, when nobody waits; true while there is something under way.  ONLY: of this
 * mailbox, which is selected; 0: of each, selecting them. */
bool keep_step(Line *line, StoreId only);
bool parts_is_busy(const PartFetcher *parts);
void parts_on_fetch(PartFetcher *parts, const ImapFetch *fetch);
bool parts_on_literal(PartFetcher *parts, Span prefix, uint64_t size);
void parts_on_literal_bytes(PartFetcher *parts, Span bytes);
void parts_cancel(PartFetcher *parts, Job *job);
void parts_forget(PartFetcher *parts, const GError *error); /* the line is gone */

/* ---- check -------------------------------------------------------------------------------------- */

GPtrArray *report_make(Line *line);

/* Attached to the engine's context; yours to destroy and unref. */
GSource *engine_timeout(Engine *engine, unsigned ms, GSourceFunc call, void *data);
GSource *engine_idle(Engine *engine, GSourceFunc call, void *data);
void engine_drop_source(GSource **source); /* NULL inside is fine */

#endif
