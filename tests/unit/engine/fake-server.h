/* A small IMAP server on loopback, in a thread of its own, whose mailboxes are tables that a test
 * changes and whose misbehaviour a test switches on.  It answers in order, and counts.  Every function may be called from the test's thread at any time. */
#ifndef TESTS_ENGINE_FAKE_SERVER_H
#define TESTS_ENGINE_FAKE_SERVER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct FakeServer FakeServer;

/* Wrong for as long as it is on. */
typedef enum {
	FAKE_LOGIN_REFUSED = 1 << 0,
	FAKE_LIST_EMPTY = 1 << 1,
	FAKE_NO_UIDVALIDITY = 1 << 2,
	FAKE_FLAGS_WITHOUT_UID = 1 << 3, /* what is told unasked names no UID */
	FAKE_BODY_OF_ANOTHER = 1 << 4,	 /* a part's answer names the UID above */
	FAKE_WRONG_ORIGIN = 1 << 5,	 /* a piece's answer names another offset */
	FAKE_NO_ORIGIN = 1 << 6,	 /* a piece's answer is the whole part */
	FAKE_GROWS = 1 << 7,	       /* every answer to a FETCH is followed by one message more */
	FAKE_SILENT_EXPUNGE = 1 << 8,  /* expunges are told by a smaller EXISTS alone */
	FAKE_SLOW = 1 << 9,	       /* a FETCH takes 10 ms */
	FAKE_ONE_LINE = 1 << 10,       /* a second connection is refused */
	FAKE_STORE_IGNORED = 1 << 11,  /* STORE is answered OK, and changes nothing */
	FAKE_COPYUID_LIES = 1 << 12,   /* it names the UIDs above */
	FAKE_READ_ONLY = 1 << 13,      /* every SELECT is */
	FAKE_TWO_LINES = 1 << 14,      /* a third one is */
	FAKE_APPENDUID_LIES = 1 << 15, /* it names a UID that is not there */
} FakeFault;

/* Wrong about one message. */
typedef enum {
	FAKE_BROKEN_STRUCTURE = 1 << 0, /* the answer with BODYSTRUCTURE cannot be parsed */
	FAKE_BROKEN_HEADER = 1 << 1,	/* likewise that with header fields */
	FAKE_NIL_BODY = 1 << 2,
	FAKE_ABSENT = 1 << 3, /* no FETCH ever answers for it */
} FakeFlaw;

/* What becomes of one command. */
typedef enum {
	FAKE_ANSWER_NO,
	FAKE_ANSWER_BAD,
	FAKE_CUT,	     /* the line, instead of the answer; nothing was done */
	FAKE_CUT_DONE,	     /* likewise, and it was done */
	FAKE_CUT_DONE_TWICE, /* ... and somebody else did the same */
	FAKE_CUT_IN_LITERAL, /* likewise, in the middle of the first long literal, theirs or ours */
	FAKE_PRETEND,	     /* "OK", and nothing is done */
	FAKE_HANG,	     /* nothing more is said on this line */
	FAKE_SAY,	     /* TEXT before the answer */
	FAKE_LATE,	     /* the answer takes 300 ms */
	FAKE_BEHIND, /* the answer comes behind that to a command with TEXT on another line */
} FakeAction;

FakeServer *fake_server_new(void); /* with an empty INBOX and an empty "Other" */
void fake_server_free(FakeServer *server);
uint16_t fake_server_port(const FakeServer *server);

/* The words of CAPABILITY; NULL: all that it can do. */
void fake_server_capabilities(FakeServer *server, const char *words);
void fake_server_fault(FakeServer *server, unsigned faults);
/* TIMES commands that hold WORDS.  TEXT of an ANSWER_NO: what stands behind the NO; NULL: something. */
void fake_server_rule(FakeServer *server, const char *words, unsigned times, FakeAction action,
		      const char *text);
void fake_server_cut(FakeServer *server); /* now */
void fake_server_cut_line(FakeServer *server, unsigned number);

/* ---- the mailboxes: a change is told to who has it selected, in IDLE at once ---------------------- */

/* COUNT messages, with the next UIDs, of the flags given.  Returns the last one's UID. */
uint32_t fake_server_add(FakeServer *server, const char *box, unsigned count, const char *flags);
/* One of two parts: a small text, and ATTACHMENT bytes. */
uint32_t fake_server_add_large(FakeServer *server, const char *box, size_t attachment);
/* How many messages BOX has whose header is that of the message that once was UID of some mailbox. */
unsigned fake_server_copies(FakeServer *server, const char *box, uint32_t origin);
unsigned fake_server_total(FakeServer *server, const char *box);
/* The flags of the first of them; yours to g_free; NULL: there is none. */
char *fake_server_flags_of(FakeServer *server, const char *box, uint32_t origin);
bool fake_server_has_box(FakeServer *server, const char *box);
void fake_server_expunge(FakeServer *server, const char *box, uint32_t uid);
void fake_server_flags(FakeServer *server, const char *box, uint32_t uid, const char *flags);
void fake_server_flaw(FakeServer *server, const char *box, uint32_t uid, unsigned flaws);
void fake_server_remove(FakeServer *server, const char *box); /* by somebody else */
bool fake_server_is_subscribed(FakeServer *server, const char *box);
/* Under UID there is another message from now on, and nobody is told. */
void fake_server_swap(FakeServer *server, const char *box, uint32_t uid, uint32_t origin);
/* New UIDVALIDITY: the same messages, from UID 1 on.  TELL: to who has it selected. */
void fake_server_renumber(FakeServer *server, const char *box, bool tell);
/* UIDs start again at FIRST under the same UIDVALIDITY. */
void fake_server_uids_go_down(FakeServer *server, const char *box, uint32_t first);

/* The byte at OFFSET of every attachment. */
char fake_attachment_byte(size_t offset);

/* ---- what was seen ------------------------------------------------------------------------------------ */

/* Commands that hold WORDS ("": all), without their tags. */
unsigned fake_server_count(FakeServer *server, const char *words);
/* The commands so far, oldest first: g_strfreev. */
char **fake_server_log(FakeServer *server);
void fake_server_forget(FakeServer *server); /* the log, counts go to 0 */
unsigned fake_server_connections(FakeServer *server);
/* Likewise, on one connection: the first has number 1 (since fake_server_forget). */
unsigned fake_server_count_on(FakeServer *server, unsigned number, const char *words);
unsigned fake_server_lines(FakeServer *server); /* logged in now */
uint64_t fake_server_bytes_out(FakeServer *server);
bool fake_server_is_idling(FakeServer *server); /* a line that has a mailbox selected */

#endif
