/* What server.c (lines, moments), act.c (what happens to mailboxes) and answer.c (what is said) share.
 * Everything here is called with the lock held. */
#ifndef TESTS_MIRROR_SERVER_PRIVATE_H
#define TESTS_MIRROR_SERVER_PRIVATE_H

#include "server.h"

#include <pthread.h>

typedef struct Gone {
	uint32_t uid;
	uint64_t modseq;
} Gone;

typedef struct Box {
	const char *name;
	GArray *messages; /* of ServerMessage, by UID */
	GArray *gone;	  /* of Gone */
	uint32_t uidnext, uidvalidity;
	uint64_t modseq;
	GHashTable *lies; /* of char */
} Box;

/* A connection. */
typedef struct Line {
	int fd;
	GString *in, *out;
	bool logged_in, condstore, qresync, closing, hangs;
	char *idle_tag, *auth_tag;

	Box *box;	 /* selected */
	bool told;	 /* how many there are: changes may be told */
	GArray *view;	 /* of uint32_t: UIDs, as numbered for this client */
	GArray *changed; /* of uint32_t: flags not told yet */

	/* the command under way */
	const char *tag, *command;
	unsigned said;
	char *verdict; /* ends the answer */
} Line;

typedef enum { MOMENT_START, MOMENT_LINE, MOMENT_END, MOMENT_AFTER } MomentKind;

typedef struct Moment {
	MomentKind kind;
	unsigned line, nth;
	char **globs;
	char *actions, *words;
	const char *of; /* the command it came to: NULL, not yet */
	bool optional, done;
} Moment;

struct Server {
	int listener, wake[2];
	uint16_t port;
	pthread_t thread;
	bool quit;

	pthread_mutex_t lock; /* for what follows */
	char *words, *quirks;
	GPtrArray *boxes, *lines, *moments;
	GPtrArray *log;	 /* of char */
	guint forgotten; /* those of LOG before it */
};

Box *server_box(Server *server, const char *name);
bool server_has(const char *words, const char *word);

/* act.c */
bool act(Server *server, Line *line, const char *actions);
/* What LINE has not been told yet; EXPUNGES: these too. */
void tell(Server *server, Line *line, bool expunges);
void select_view(Line *line);
guint view_index(const Line *line, uint32_t uid); /* G_MAXUINT: not there */
ServerMessage *box_find(Box *box, uint32_t uid);
/* UIDs as a set: "1:3,7". */
char *uids_text(const GArray *uids);

/* answer.c */
bool answer(Server *server, Line *line, const char *text); /* false: hang up */

/* server.c */
void moment(Server *server, Line *line, MomentKind kind);

#endif
