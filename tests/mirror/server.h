/* An IMAP server on loopback, in a thread of its own, that is honest by itself: it answers from its
 * mailboxes as RFC 3501, 7162 and 4731 say, at the level that its capabilities name, to several
 * lines at once.  A case makes it do things at named moments of an answer, and lie.
 *
 * Actions, several divided by ';':
 *
 *	arrive UIDS [FLAG...]	new messages; UIDS "12", "12:14", "+" (the next one), "+3"
 *	expunge UIDS
 *	flags UIDS [FLAG...]	these are the flags now
 *	replace UID		the same UID is another message
 *	omit UID		no FETCH answers for it any more
 *	renumber FIRST [N]	UIDs begin anew at FIRST; N: with this UIDVALIDITY
 *	uidnext N, modseq N	the mailbox's own figures
 *	lie WHAT VALUE		SELECT and STATUS say so: uidnext, uidvalidity, modseq, exists;
 *				VALUE "none": nothing, modseq "no": NOMODSEQ; select: how each
 *				SELECT ends ("NO why")
 *	truth			no more lies
 *	say TEXT		an untagged line; in the answer, or to all who have it selected
 *	answer TEXT		the answer ends here, with this ("NO why") for its tagged line
 *	cut			the line ends here
 *	hang			the line says nothing more
 *
 * What another client did is told at once, to the line whose answer is under way and to those in
 * IDLE, to others before their next answer ends.  "later ACTION": not at once.  "silently ACTION":
 * never, and no MODSEQ, nor a VANISHED, witnesses it.  "in NAME ACTION": another mailbox than INBOX.
 *
 * Quirks, a line of words: bare-flags (FLAGS told without UID), no-closed (no [CLOSED]),
 * known-alone (SELECT's QRESYNC tells nothing of messages at or above the UIDNEXT known),
 * vanished-all (VANISHED names every UID that is not there), twice (each FETCH is said twice),
 * backwards (FETCH answers newest first), enabled (an ENABLED that nobody asked for in SELECT),
 * forgets (it can do no more than SERVER_PLAIN, whatever the case's level remembers of it). */
#ifndef TESTS_MIRROR_SERVER_H
#define TESTS_MIRROR_SERVER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Server Server;

#define SERVER_PLAIN "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE"

typedef struct ServerMessage {
	uint32_t uid;
	unsigned serial; /* which message it is */
	char flags[80];	 /* separated by blanks */
	uint64_t modseq;
	bool omitted;
} ServerMessage;

Server *server_new(const char *words, const char *quirks);
void server_free(Server *server);
uint16_t server_port(const Server *server);

/* A mailbox's beginning: messages are made by server_act. */
void server_figures(Server *server, const char *box, uint32_t uidvalidity, uint32_t uidnext,
		    uint64_t modseq);
/* False: ACTIONS cannot be read. */
bool server_act(Server *server, const char *actions);

/* "start", "line N", "end" (before the tagged line) or "after" of the answer to the first command
 * that matches one of GLOBS (divided by " | "); "2. GLOB": the second one.  False: it cannot be
 * read. */
bool server_at(Server *server, const char *moment, const char *globs, const char *actions,
	       bool optional);
/* The first that has not come yet: why, or NULL.  Does the optional ones now; *DID says so. */
char *server_moments_left(Server *server, bool *did);

/* ServerMessage, by UID: g_array_unref. */
GArray *server_messages(Server *server, const char *box);
void server_state(Server *server, const char *box, uint32_t *uidvalidity, uint32_t *uidnext,
		  uint64_t *modseq);

/* Nobody waits for an answer, and BOX is selected by a line in IDLE (where there is no IDLE: by any
 * line). */
bool server_rests(Server *server, const char *box);
/* Before a UID FETCH in the log that left before the answer to what is before it, and brought nothing:
 * no part of mirroring. */
#define SERVER_IN_VAIN "(in vain) "
/* Commands since the last _forget, g_strfreev; ALL: with what is no part of mirroring. */
char **server_log(Server *server, bool all);
unsigned server_asked(Server *server); /* how many, without those */
void server_forget(Server *server);

/* The nth message's own words, for the cache that a case begins with. */
#define SERVER_SUBJECT "message %u"
int64_t server_date(unsigned serial);

#endif
