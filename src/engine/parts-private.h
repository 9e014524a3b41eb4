/* What the reading of single parts (parts.c, parts-ask.c) and of whole folders (bodies.c) share.  The engine's
 * thread. */
#ifndef ENGINE_PARTS_PRIVATE_H
#define ENGINE_PARTS_PRIVATE_H

#include "engine-private.h"

#include "mail/part.h"

#define PARTS_PIECES 2 /* of one part in flight, while the end is known to be further on */

typedef struct PartFetch {
	PartFetcher *parts;
	unsigned refs;
	StoreId message;
	uint32_t uid;
	char *section;
	uint64_t size_hint; /* 0: not known */
	int64_t date;	    /* the message's; 0: it is looked at */
	bool whole;	    /* asked for without an offset */
	StorePartWriter *writer;
	uint64_t offset;		  /* bytes here */
	uint64_t asked;			  /* bytes asked for */
	uint32_t piece;			  /* bytes a piece */
	int64_t piece_us;		  /* when the last piece was asked for */
	ImapTicket tickets[PARTS_PIECES]; /* of the last pieces asked for */
	unsigned n_tickets;
	bool unsure;	 /* the bytes that come now do not say yet whose they are */
	bool misfit;	 /* an answer named another offset */
	bool complete;	 /* all is here, and waits to be written with others */
	bool over;	 /* finished, failed or given up: what still comes is thrown away */
	bool for_keeps;	 /* the policy wants it, besides those who wait */
	GArray *waiters; /* of EngineRequest */
} PartFetch;

struct PartFetcher {
	Line *line;	      /* parts are asked for on */
	Account *account;     /* the line's */
	GHashTable *fetches;  /* "uid section" -> PartFetch, one reference */
	PartFetch *streaming; /* the literal coming now; a reference */
	GPtrArray *streamed;  /* of PartFetch, or NULL for what nobody wants, by number within this
			       * response; references */
	unsigned in_flight;   /* commands */

	GPtrArray *complete;	 /* of PartFetch, references: to be written in one transaction */
	uint64_t complete_bytes; /* of those */

	/* How much may be on its way for folders: what the line brings in a moment. */
	uint64_t budget;
	uint64_t came;	  /* bytes since... */
	int64_t since_us; /* ...then */
	uint64_t fastest; /* bytes a second, of so many times looked */
	unsigned looked;

	struct Keeping *keeping; /* what the policy wants of the mailbox selected; NULL */
	unsigned keeps_pending;	 /* fetches that are for_keeps */
};

/* parts.c */
PartFetch *part_fetch_ref(PartFetch *fetch);
void part_fetch_unref(void *fetch); /* of a PartFetch; NULL is fine */
/* FETCH's name among its fetcher's.  Yours to free. */
char *part_fetch_key(uint32_t uid, const char *section);
/* FETCH is over, with ERROR or well; those who wait are told. */
void part_fetch_end(PartFetch *fetch, const GError *error);
/* ... because the server does not give it. */
void part_fetch_gone(PartFetch *fetch);
/* What literals brought belongs to nothing that comes from now on. */
void parts_forget_streams(PartFetcher *parts);
/* Writes what is complete. */
void parts_write(PartFetcher *parts);

/* Who asks: a job, or the policy (JOB NULL). */
typedef struct PartAsk {
	Job *job;
	GHashTable *groups; /* sections joined by spaces -> what goes into one command */
	GError *error;	    /* set when no more is to be asked for */
} PartAsk;

/* parts-ask.c */
void parts_ask_init(PartAsk *ask, Job *job);
/* Adds SECTIONS of ROW, those that are not here.  DATE 0: somebody looks at it.  Large ones leave now. */
void parts_ask_for(PartFetcher *parts, PartAsk *ask, const StoreRow *row, const MailPart *root,
		   char *const *sections, int64_t date);
/* The others leave, and ASK is cleared; its error goes to the job, or nowhere. */
void parts_ask_send(PartFetcher *parts, PartAsk *ask);
/* Bytes asked for that are not here. */
uint64_t parts_due(const PartFetcher *parts);

/* bodies.c */
void parts_count_bytes(PartFetcher *parts, uint64_t bytes); /* came just now */
void keeping_free(struct Keeping *keeping);		    /* NULL is fine */

#endif
