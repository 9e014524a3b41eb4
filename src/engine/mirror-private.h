/* What mirror.c (what comes in) and mirror-sync.c (what is asked for) share. */
#ifndef ENGINE_MIRROR_PRIVATE_H
#define ENGINE_MIRROR_PRIVATE_H

#include "compare-private.h"
#include "engine-private.h"
#include "seqmap-private.h"

/* In flight at most, however short the rest of each: several when a server works on all at once and
 * ends them together. */
#define MIRROR_SLICES 6

typedef enum {
	SLICE_FLAGS, /* flags of messages known, where the server cannot say which changed */
	SLICE_FULL,  /* messages not here yet */
} SliceKind;

typedef struct Slice {
	SliceKind kind;
	ImapTicket ticket;
	bool ended;		 /* but one asked for before it is not */
	uint32_t low, high;	 /* UIDs */
	uint32_t rows, expected; /* came so far; as many as the slices before it let hope for */
	GArray *came;		 /* FLAGS: of uint32_t; owned */
} Slice;

typedef struct MirrorEarly MirrorEarly; /* mirror-early.c */

typedef enum { /* of SELECT, best first */
	       MIRROR_QRESYNC,
	       MIRROR_CONDSTORE,
	       MIRROR_PLAIN,
} MirrorWay;

struct Mirror {
	Line *line;	  /* it is selected on */
	Account *account; /* the line's */
	GBytes *raw;
	StoreMailbox *box; /* as the store has it; NULL: not there, before SELECT's answer */
	bool riding;	   /* SELECT is to go with the login, or went */
	bool rode;	   /* and was not answered OK yet */
	bool selecting, ready, current;
	bool retired; /* another line keeps this mailbox true: nothing is written from here */
	bool stuck;   /* more of it cannot be had: say so once, and do not ask again */
	GError *error;
	bool for_good; /* SELECT refused it, and not for a reason that passes */

	/* what SELECT was told of what is known here */
	MirrorWay way, least_way;
	ImapTicket select_ticket;   /* while it is in flight */
	uint32_t asked_uidvalidity; /* 0: nothing */
	uint64_t asked_modseq;
	GArray *earlier;    /* of uint32_t: VANISHED (EARLIER) before its OK */
	bool early_lost;    /* something came too early to be understood */
	bool told;	    /* its answer brought all that changed */
	MirrorEarly *early; /* in flight behind it; NULL */

	/* what SELECT and the server since said */
	uint32_t exists, uidnext, uidvalidity;
	bool counted; /* EXISTS came since SELECT was sent */
	bool grew;    /* and a higher one, before what is new was asked for */
	uint64_t modseq;
	bool no_modseq;
	uint64_t seen_modseq; /* the highest of a FETCH since */
	bool read_only;
	unsigned kept_bits;    /* PERMANENTFLAGS: of ImapFlagBit */
	GPtrArray *kept_flags; /* of char *, its keywords; NULL: it did not say, so all are kept */

	/* what is not believed (mirror-doubt.c) */
	bool distrusts; /* too much is gone: nothing is removed */
	bool accepts;	/* a person said that it may be */
	GError *loss;	/* the sentence about that; NULL */
	uint32_t lost;	/* removed since SELECT, without a word of the server */

	/* gathered, not written yet */
	RecordBatch *batch;
	GArray *changes; /* of StoreFlagChange; keywords in CHANGE_WORDS */
	GStringChunk *change_words;
	GArray *gone;		     /* of uint32_t */
	uint32_t seen_min, seen_max; /* UIDs of full records since they were last reset */
	uint32_t seen_seq;	     /* the sequence number of SEEN_MAX; 0: not known */
	uint32_t rows_seen;	     /* full records since then */

	/* bringing what is here up to date */
	uint32_t wanted;  /* rows the person looks at, from the newest */
	unsigned pending; /* commands of that in flight */
	unsigned lone;	  /* single messages asked for, in flight */
	bool new_done, flags_done, checked;
	uint32_t new_exists; /* EXISTS when what is new was asked for */
	uint32_t new_base;   /* those of them that were known before */
	unsigned news;	     /* times it was asked for, before the mirror was current */
	bool doubt;	     /* what is here may not be what the server has: compare */

	/* comparing (mirror-compare.c) */
	Compare *compare; /* under way; NULL */
	GArray *searches; /* of ImapTicket: our SEARCHes in flight */
	uint64_t found_count;
	GArray *found;	  /* of ImapRange: of suspects */
	GArray *suspects; /* of uint32_t, ascending: a list of flags left them out */
	bool refused;
	bool shifted; /* sequence numbers did */
	unsigned anew;

	/* what should be here and is not (mirror-holes.c) */
	GArray *holes;	     /* of uint32_t, ascending: asked for now */
	unsigned hole_stage; /* how modestly */
	unsigned hole_rounds;
	uint32_t holes_end; /* behind the last of them */
	GArray *hopeless;   /* of uint32_t: the server has them, and gives nothing of them */

	SeqMap map;
	bool top_known;	  /* TOP_SEQ is right */
	uint32_t top_seq; /* of the newest message mirrored */

	/* the rest, newest first */
	Slice slices[MIRROR_SLICES];
	unsigned n_slices;
	uint32_t flags_next; /* the highest UID whose flags are to be asked for; 0: none */
	uint32_t fill_next;  /* the highest UID to ask for; 0: none, or not begun */
	uint32_t span;	     /* UIDs a slice */
	uint32_t goal;	     /* rows a slice; 0: nothing is known of the line yet */
	int64_t asked_us;    /* when a slice was last sent to a line at rest */
	int64_t wait_us;     /* how long its first row took, at least: a round trip; 0 */
	int64_t rate;	     /* full records a second, as far as is known; 0 */
	bool looked;	     /* since slices are in flight */
	int64_t look_us; /* when the line was last looked at, or the first row came; 0: none yet */
	int64_t look_rows; /* full records that came since, without the first piece */
	bool filling;	   /* nobody waits: go on */
};

/* What to write together with what was gathered; zero fields stay as they are. */
typedef struct MirrorProgress {
	uint32_t known_from_uid, mirrored_uidnext;
	uint64_t mirrored_modseq;
} MirrorProgress;
bool mirror_write(Mirror *mirror, const MirrorProgress *progress);

/* More of it cannot be had: the server says in RESPONSE (NULL: nothing) that it cannot WHAT. */
void mirror_failed(Mirror *mirror, const ImapResponse *response, const char *what);

/* A full record came: how fast is this line? */
void mirror_time_row(Mirror *mirror);

/* More rows came: time for the next slice, unless a person came in between. */
void mirror_fill_on(Mirror *mirror);

/* How many of the server's messages are here. */
static inline uint32_t
mirror_kept(const Mirror *mirror)
{
	return mirror->box->mirrored;
}

/* The UIDs from FROM (at least known_from_uid) up to mirrored_uidnext that the server has, as far as
 * is known here, ascending; yours to g_free. */
bool mirror_uids(Mirror *mirror, uint32_t from, uint32_t **uids, size_t *n);
/* All of them, in memory as long as nothing comes or goes; NULL: not known.  Borrowed. */
const GArray *mirror_mapped(Mirror *mirror);
void mirror_fetch_holes(Mirror *mirror, const GArray *missing); /* of ImapRange */
bool mirror_is_hole(const Mirror *mirror, uint32_t uid);	/* asked for just now */
void mirror_forget_hopeless(Mirror *mirror, uint32_t uid);
void mirror_resume(Mirror *mirror);	/* what is to be done next */
void mirror_reset_seen(Mirror *mirror); /* full records are counted from now on */
void mirror_learn_top(Mirror *mirror);	/* ... and the newest of them ends the mirror */

/* ---- mirror-select.c ---- */

/* SELECT's answer brings changes since what it was told (RFC 7162, 3.2.5.1). */
bool mirror_is_told(const Mirror *mirror);
/* Drops all that is here of it. */
bool mirror_read_anew(Mirror *mirror, GError **error);

/* ---- mirror-early.c ---- */

/* SELECT was sent: what it most likely makes necessary follows at once. */
void mirror_send_early(Mirror *mirror);
/* SELECT's answer is OK, and the store knows of it. */
void mirror_judge_early(Mirror *mirror);
void mirror_drop_early(Mirror *mirror); /* whatever comes of it */
/* What comes now was asked for of other messages. */
bool mirror_is_stray(const Mirror *mirror);

/* ---- mirror-vanished.c ---- */

/* VANISHED (RFC 7162, 3.2.10).  EARLY: it is part of SELECT's answer. */
void mirror_on_vanished(Mirror *mirror, const ImapResponse *response, bool early);

/* ---- mirror-compare.c ---- */

/* Holds what is here against what the server has: removes what is gone, asks for what is missing. */
void mirror_compare(Mirror *mirror);
/* The same of those that a list of flags left out; nothing else of the mirror is in flight. */
void mirror_ask_suspects(Mirror *mirror);
void mirror_on_search(Mirror *mirror, const ImapResponse *response, ImapTicket ticket);
void mirror_numbers_shifted(Mirror *mirror); /* EXPUNGE, VANISHED */

/* ---- mirror-doubt.c ---- */

/* N more messages are not there any more, and the server did not say that they went: may they be
 * removed? */
bool mirror_may_lose(Mirror *mirror, uint32_t n);
/* They may not: a person is told, and nothing is removed.  THERE: how many the server has. */
void mirror_distrust(Mirror *mirror, uint32_t there);
void mirror_distrust_numbers(Mirror *mirror); /* ... under new UIDs: mirror->error */
void mirror_trust(Mirror *mirror);	      /* everything is there: it is forgotten */
/* When every flag was asked for last is kept beside the mailbox. */
void mirror_flags_seen(Mirror *mirror);
bool mirror_flags_are_old(const Mirror *mirror);
/* FETCH is of a UID that is here, and of another message. */
bool mirror_is_other(const Mirror *mirror, const ImapFetch *fetch);

const char *mirror_items(const Mirror *mirror);
bool mirror_has_condstore(const Mirror *mirror);
/* It did not leave, LOGOUT having been said, or the line is gone: nothing was learnt, and the mirror stays
 * busy with it for the short while that it is still there. */
bool mirror_is_unanswered(Mirror *mirror, ImapOutcome outcome);
ImapTicket mirror_send(Mirror *mirror, ImapCommand *command, ImapDone done, void *data);

#endif
