/* What the files of replay share: one group of journal rows on its way to the server.
 *
 * Exactly once, or shown.  A row is SENT on disk before its first byte leaves; what the server
 * confirms of it is on disk before anything is built on it.  A SENT row that is met again (the line
 * broke, Postern was killed) is looked into before anything of it is sent anew:
 *
 *	FLAG, EXPUNGE	are sent again.  Both are deltas, done twice is done once, and UIDs are never
 *			given twice under one UIDVALIDITY, which SELECT has just confirmed.
 *	MOVE (RFC 6851)	is sent again: what is no longer in the source is passed over by the server,
 *			and looked for in the destination from the UIDNEXT on that was known before.
 *	COPY, APPEND	are looked for in the destination first, from that UIDNEXT on (Message-ID and
 *			size; without a Message-ID, size and INTERNALDATE).  As many as there should
 *			be are them; none: sent again; more: nobody can tell, and the row says so.
 *	folders		are asked for again; a refusal is no failure when LIST shows the wish fulfilled.
 *
 * What is about to be expunged is looked at first: a server that has another message under its UID keeps
 * that one, and the mailbox is read anew.  (A MOVE of the wrong one can be taken back.)
 *
 * Flags go as deltas (+FLAGS, -FLAGS) and without UNCHANGEDSINCE (RFC 7162, 3.1.3): two clients that
 * change different flags both win, and of the same flag the last word counts, as it would online.
 * UNCHANGEDSINCE would only turn the other client's unrelated change into a refusal and a second
 * round trip.
 *
 * Nothing is ever expunged but by UID EXPUNGE (RFC 4315), after the mirror of that mailbox is
 * current; where there is none, the originals stay, marked \Deleted.  A mailbox is left by SELECT,
 * never by CLOSE. */
#ifndef ENGINE_REPLAY_PRIVATE_H
#define ENGINE_REPLAY_PRIVATE_H

#include "engine-private.h"

typedef struct Group Group;

typedef enum {
	STEP_ON,   /* do group->step next */
	STEP_WAIT, /* for answers, a mailbox or the line */
	STEP_OVER, /* this group is done with, one way or the other */
} Step;
typedef Step (*StepFunc)(Group *group);

typedef void (*AnswerFunc)(Group *group, ImapOutcome outcome, const ImapResponse *response);

typedef struct Delay {
	int64_t until_ms;
	unsigned times;
} Delay;

struct Replay {
	Account *account;
	Group *group;		     /* under way; NULL */
	GPtrArray *waiters;	     /* of Waiter (replay.c), owned */
	GHashTable *delays;	     /* StoreId -> Delay: not before then */
	GHashTable *alone;	     /* StoreId: refused in company */
	GSource *timer;		     /* owned: the first of the delays */
	GHashTable *roam;	     /* StoreId: needs a line that may select what it likes */
	bool nothing;		     /* to do, when it was last looked for */
	bool wants_roam;	     /* something waits for such a line */
	int64_t rest_ms[LINE_ROLES]; /* until then nothing is looked for on that line */
};

/* A message of the group. */
typedef struct Target {
	StoreId row, message;
	StoreTargetState state;
	StoreId mailbox; /* its location; 0: none */
	uint32_t uid;
	StoreId somewhere_in; /* no location, but the store thinks it is there; 0: nowhere */

	uint32_t new_uid; /* in the destination, by COPYUID or found; 0 */
	bool told, has;	  /* FLAG: the server answered for it; the flag is there */
	bool there;	  /* still in the source, when that was asked */
	bool other;	  /* another message has its UID */
} Target;

/* What might be a message that is looked for. */
typedef struct Candidate {
	uint32_t uid;
	uint64_t size;
	int64_t received, date; /* INTERNALDATE, and what its Date header says */
	char *message_id;	/* decoded; "": none */
} Candidate;

struct Group {
	Account *account;
	Line *line;
	GPtrArray *rows; /* of StoreJournalRow, owned: one, or several that leave as one */
	const StoreJournalRow *row; /* the first */
	StoreIntentKind kind;
	bool verify; /* the row was SENT before: what became of it is not known */
	bool marked; /* SENT is written */
	StepFunc step;
	unsigned rounds; /* so that nothing goes round for ever */

	unsigned pending; /* commands in flight */
	bool dead;	  /* the line is gone: the last answer frees it */
	bool accepted;	  /* one of the commands of the round was answered OK */

	/* why it stops */
	GError *refused;
	bool passing; /* it may be taken another time */

	/* the mailbox at hand */
	StoreId mailbox;
	GArray *targets;   /* of Target, there, by UID */
	GHashTable *tried; /* StoreId -> how often it was asked for in vain */
	GHashTable *met;   /* StoreId: was seen where it should be */
	bool looked_alone; /* what is still there was asked after all else was answered */

	/* the destination of MOVE, COPY and APPEND */
	StoreMailbox *dest;
	bool dest_known; /* STATUS was answered */
	uint32_t dest_uidvalidity, dest_uidnext;
	bool dest_renumbered; /* since the row was sent */
	GHashTable *given;    /* UIDs there that one of the messages has, as pointers */

	/* looking for messages (replay-find.c) */
	StoreId find_in;
	uint32_t find_from;  /* 0: by Message-ID */
	bool find_check;     /* only whether they are what they should be, by UID */
	bool find_brief;     /* and of most of them size and date do */
	bool find_failed;    /* it could not be looked for */
	bool find_ambiguous; /* there are more than there should be */
	bool fetching;	     /* what comes without flags is a candidate */
	StepFunc find_then;
	GArray *lost;	      /* of Target, owned by the finder: new_uid is its answer */
	GArray *candidates;   /* of Candidate */
	GArray *hits;	      /* of uint32_t: what SEARCH said */
	GHashTable *searches; /* tickets of SEARCH in flight */

	/* folders */
	bool listing, listed, listed_other;
	bool leaving;	     /* no line is to have it selected */
	GBytes *raw, *other; /* the folder; RENAME: its new name */
	char delimiter;	     /* the folder's; '\0': none */
	GError *answer;	     /* the refusal that LIST is to judge */
};

/* ---- replay-group.c ---------------------------------------------------------------------------------- */

Group *group_new(Line *line, GPtrArray *take_rows);
void group_free(Group *group);
/* Sends; DONE gets its answer, unless the line is gone.  False: it cannot be put into a command, and
 * group->refused says so. */
bool group_send(Group *group, ImapCommand *command, AnswerFunc done, ImapTicket *ticket);
/* For answers that say no: the words, and whether another time may do. */
void group_refuse(Group *group, const ImapResponse *response);
/* An AnswerFunc that only does that. */
void group_on_answer(Group *group, ImapOutcome outcome, const ImapResponse *response);
/* Does it wait, or was it sent? */
bool group_is_open(Group *group, StoreId row);
/* The rows end here: refused, or put off. */
Step group_give_up(Group *group);
/* Its rows are not taken up before that. */
void group_put_off(Group *group, unsigned ms);
/* Likewise, with these words unless there are others. */
Step group_fail(Group *group, PosternError code, const char *words);
/* Its rows are SENT from now on.  False: the store failed, or a new intent changed a row meanwhile: it
 * is taken up anew. */
bool group_mark_sent(Group *group);
/* What became of some of TARGETS: those with keep[i].state other than TO_DO.  False: the store failed,
 * or all is over. */
bool group_settle(Group *group, const StoreOutcome *outcomes, const StoreId *rows, size_t n);

typedef struct Verdict {
	GArray *outcomes; /* of StoreOutcome */
	GArray *rows;	  /* of StoreId, beside them */
} Verdict;
void verdict_init(Verdict *verdict);
void verdict_say(Verdict *verdict, const Target *target, StoreTargetState state, bool left);
/* As group_settle; clears VERDICT. */
bool verdict_settle(Verdict *verdict, Group *group);

static inline const Target *
at(const GArray *targets, guint i)
{
	return &g_array_index(targets, Target, i);
}
/* TARGET was asked for and nothing came of it.  True: often enough. */
bool group_tried_in_vain(Group *group, const Target *target);
/* Of the round; NULL: none. */
Target *group_find_uid(Group *group, uint32_t uid);

/* The mailbox is selected on the group's line.  CURRENT: and its mirror knows all there is.  When
 * false, *STEP says what to return. */
bool group_select(Group *group, StoreId mailbox, bool current, Step *step);
/* Every message of the group still to be done, wherever it is. */
bool group_load(Group *group, GArray **targets);
/* The store said no. */
Step group_store_failed(Group *group, const GError *error);

/* A set that fits in one command line: *AT moves past the UIDs in it. */
void replay_put_uids(ImapCommand *command, const GArray *targets, guint *at);

/* ---- the others -------------------------------------------------------------------------------------- */

Step send_plan(Group *group); /* FLAG, MOVE, COPY, EXPUNGE */
Step
send_round(Group *group); /* the mailbox at hand is selected: what of the group is in it now? */
/* The look into the mailbox where they should be is over. */
Step send_settle_lost(Group *group);
/* Are those of the round the messages that they were?  ALL: also those that the mirror has seen.  False:
 * it is being looked into, and *STEP says what to return; then send_round is next. */
bool look_at_round(Group *group, bool all, Step *step);
Step flag_send(Group *group); /* a round's */
void flag_on_fetch(Group *group, const ImapFetch *fetch);
/* As much of TARGETS, from *NEXT on, as fits in one command. */
ImapCommand *flag_command(const GArray *targets, guint *next, bool set, bool silent,
			  const char *word);
Step append_plan(Group *group);
Step folder_plan(Group *group);
/* STATUS of the destination; then group->step is THEN.  In replay-send.c. */
Step send_ask_dest(Group *group, StepFunc then);
bool send_on_response(Group *group, const ImapResponse *response);
void folder_on_response(Group *group, const ImapResponse *response);
bool folder_takes(const Group *group,
		  GBytes *raw); /* RAW goes away, or is called otherwise, by it */

/* Looks for TARGETS (taken) in MAILBOX: from UID FROM on, or by Message-ID when FROM is 0; then
 * group->step is THEN, and group->lost has what was found. */
Step find_start(Group *group, StoreId mailbox, uint32_t from, GArray *take_targets, StepFunc then);
/* Are TARGETS (taken; in the mailbox at hand) what the server has under their UIDs?  In group->lost those
 * that are have new_uid, those that are not OTHER, and neither those that it has not. */
Step find_check(Group *group, GArray *take_targets, StepFunc then);
bool find_on_response(Group *group, const ImapResponse *response, ImapTicket ticket);
/* Sends UID SEARCH for those of TARGETS; group->hits gets what is there. */
void find_send_search(Group *group, ImapCommand *command);
/* Those of the round that it found are there. */
void find_take_hits(Group *group);
void find_clear(Group *group);

#endif
