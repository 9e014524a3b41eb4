/* What the files of this room share: the one App, and what each of them does for the others. */
#ifndef UI_APP_PRIVATE_H
#define UI_APP_PRIVATE_H

#include <gio/gio.h>

#include "engine/engine.h"
#include "ui/app.h"
#include "ui/screen.h"
#include "view/command.h"
#include "view/folders.h"
#include "view/keymap.h"
#include "view/list.h"
#include "view/marks.h"
#include "view/message.h"
#include "view/pager.h"
#include "view/prompt.h"
#include "view/queue.h"
#include "view/status.h"

#define PLACES_MAX 8

typedef struct App App;
typedef struct Saving Saving; /* one file on its way; save.c */

typedef void (*AskDone)(App *app, const char *text); /* of a prompt */
typedef GPtrArray *(*AskComplete)(App *app, const char *beginning);
typedef void (*ConfirmDone)(App *app, bool yes);

struct App {
	const UiOptions *options;
	ConfigScreen wanted; /* as the configuration, and then the person, wants it */
	Config *reread;	     /* the configuration, when it was read again; NULL */
	GFileMonitor *monitor;
	guint reload; /* timer: the configuration has changed; 0 */
	ViewKeymap *keymap;
	ViewTheme *theme;
	GQueue *todo; /* of char *: the commands yet to come of one that runs several */
	Screen *screen;
	Store *store;	      /* our reader; NULL: there is no database yet */
	Engine *engine;	      /* NULL: not started, or it could not be */
	GHashTable *statuses; /* of ViewStatus, owned, by account name */

	/* Where the person is: a stack, its bottom the message list. */
	ViewPlace places[PLACES_MAX];
	int depth;

	ViewFolders *folders; /* NULL without a store */

	/* The folder on show. */
	const ConfigAccount *account;
	char *folder;	/* decoded name */
	ViewList *list; /* NULL: not in the store (yet) */
	EngineRequest open_request;
	char *open_error;

	/* The one before, until the server has taken the new one. */
	const ConfigAccount *left_account; /* NULL: there is none */
	char *left_folder;
	ViewList *left_list;
	GHashTable *were;	 /* where one was in each: StoreId -> ViewListPlace, owned */
	gint64 folders_asked_us; /* when the folder list was last asked for; 0: never */

	/* The message on show: whole, and one part of it. */
	ViewMessage *message;
	ViewPager *pager, *part_pager;
	EngineRequest message_request;
	char **message_asked;		      /* the sections it asked for; NULL: what there is */
	char *message_error;		      /* why it is not all here; NULL */
	uint64_t message_done, message_total; /* bytes of it; 0: not told */
	bool message_waits;		      /* for the line: then it is asked for again */
	bool message_gone;		      /* the server did not know it (yet) */
	unsigned message_tries;		      /* since then */
	guint render_number; /* of the last rendering begun: earlier ones come too late */

	GPtrArray *parts; /* of ViewPart, owned; of message's tree */
	ViewCursor parts_cursor;

	ViewPager *help;
	const char *help_title; /* what is in it; static */

	/* What is asked on the last line. */
	ViewPrompt *prompt;
	AskDone on_answer;
	AskComplete on_complete;
	char *question; /* to be answered by y or n */
	ConfirmDone on_confirm;

	/* What is tagged, of one mailbox. */
	ViewMarks *marks; /* NULL: nothing */
	StoreId marks_mailbox;
	guint marking;	 /* a source: looks for what matches */
	bool has_anchor; /* a range begins at message ANCHOR */
	StoreId anchor;

	GPtrArray *changes; /* of Change, owned: on their way into the journal */
	/* What was meant when something was asked; HELD is of StoreId, NULL: nothing. */
	GArray *held;
	StoreId held_mailbox, held_folder, held_row;
	bool held_marked;
	ViewQueue *queue;	  /* NULL: not looked at yet */
	uint32_t waiting, failed; /* rows of the journal */

	GPtrArray *savings; /* of Saving, owned */
	Saving *asked;	    /* the one being asked about; owned; NULL */

	char *notice; /* through the door; until the next key */
	bool notice_is_error;
	GPtrArray *said; /* of char *: the notices so far, with their time, the last ones */

	bool quit;
	GError *fatal; /* why it cannot go on; NULL */
	bool dirty;    /* draw at the end of this turn */
	guint soon;    /* timer: draw a little later; 0 */
	guint tick;    /* timer: once a second while a text changes by itself; 0 */
	guint look;    /* timer: without an engine, what another process wrote; 0 */
	guint browse;  /* timer: the folder list is on show; 0 */
	int tasks;     /* threads at work for us */
	guint frames;
	uint64_t rows_read; /* as of the last frame */
	char key[SCREEN_KEY_MAX];
	int64_t seen_version; /* reading only */
};

/* ---- app.c ---------------------------------------------------------------------------------- */

ViewPlace app_place(const App *app);
void app_go(App *app, ViewPlace place);
bool app_back(App *app); /* false: it is at the bottom */
void app_to_list(App *app);

/* One line for the person; copied, made safe. */
void app_notice(App *app, const char *text);
void app_complain(App *app, const GError *error);

/* The number of rows between the lines above and below. */
int app_body_rows(const App *app);

void app_open_folder(App *app, const ConfigAccount *account, const char *name);
const ViewStatus *app_status(const App *app); /* of the account on show */
/* Asks for the folder list, if it was not just asked for. */
void app_ask_folders(App *app);
/* False: it could not be read, and that has been said. */
bool app_refresh(App *app);

/* ---- draw.c --------------------------------------------------------------------------------- */

/* Draws a frame from what is in memory and the rows on show. */
void draw_frame(App *app);
/* Gives every pager, list and cursor the size of the screen. */
void draw_layout(App *app);

/* ---- act.c ---------------------------------------------------------------------------------- */

void act_on_key(App *app, const char *key);
ViewDocument *act_help(const App *app, ViewPlace place, int width);
/* What is left of several commands: does it, as far as nothing is asked; or forgets it. */
void act_go_on(App *app);
void act_forget_todo(App *app);
GPtrArray *act_complete_folder(App *app, const char *beginning);

/* ---- keys.c ---------------------------------------------------------------------------------- */

/* The keymap that WANTED names, with what CONFIG changes in it.  NULL with a CONFIG error. */
ViewKeymap *keys_load(const Config *config, const ConfigScreen *wanted, GError **error);

/* ---- options.c ------------------------------------------------------------------------------- */

/* What stands after ":set"; NULL shows them all. */
void options_set(App *app, const char *argument);
GPtrArray *options_complete(App *app, const char *beginning);
void options_save(App *app);
void options_reload(App *app);
/* The theme that is wanted, for this terminal. */
bool options_load_theme(App *app, const ConfigScreen *wanted, ViewTheme **theme, GError **error);
void options_watch(App *app); /* the configuration: reads it again when it changes */
void options_end(App *app);

/* ---- change.c: what changes mail and folders --------------------------------------------------- */

/* False: VERB is none of these. */
bool change_do(App *app, ViewVerb verb, const char *argument);
/* It is being read: so it is seen. */
void change_seen(App *app, const StoreRow *row);
void change_on_event(App *app, const EngineEvent *event);
/* Reads how many wait and failed. */
void change_count(App *app);
bool change_is_marked(const App *app, StoreId message);
uint32_t change_marked(const App *app); /* how many, of the mailbox on show */
void change_forget_marks(App *app);
ViewMarks *change_marks(App *app); /* of the mailbox on show; NULL: there is none */
void change_free(gpointer change);

/* ---- read.c: the message and its parts ------------------------------------------------------- */

void read_open(App *app, StoreId message);
void read_open_parts(App *app, StoreId message);
void read_close(App *app);
/* From one part of it back to the whole. */
void read_leave_part(App *app);
/* Something of it may have come: ask for what is missing, render what is here. */
void read_update(App *app);
/* Its flags, its keywords or its UID may be others now. */
void read_look_again(App *app);
/* "fetching the text, 1.2M of 3.4M"; NULL.  Yours to g_free. */
char *read_progress(const App *app);
void read_on_event(App *app, const EngineEvent *event);
bool read_show_parts(App *app);
void read_open_part(App *app, const MailPart *part);
ViewPager *read_pager(App *app); /* of what is on show */

/* ---- ask.c ---------------------------------------------------------------------------------- */

void ask_text(App *app, const char *label, const char *text, AskDone done, AskComplete complete);
void ask_yes(App *app, const char *question, ConfirmDone done);
bool ask_on_key(App *app, const char *key); /* false: nothing is being asked */
bool ask_is_open(const App *app);

/* ---- save.c --------------------------------------------------------------------------------- */

/* TYPED NULL: asks where. */
void save_part(App *app, const MailPart *part, const char *typed);
void save_on_event(App *app, const EngineEvent *event);
/* "fetching photo.jpg 1.2M of 3.4M"; NULL: nothing is under way.  Yours to g_free. */
char *save_progress(const App *app);
void save_cancel_all(App *app);
void saving_free(gpointer saving);

#endif
