/* What fake-server.c (the thread and its socket) and fake-answers.c (the protocol) share. */
#ifndef TESTS_ENGINE_FAKE_SERVER_PRIVATE_H
#define TESTS_ENGINE_FAKE_SERVER_PRIVATE_H

#include "fake-server.h"

#include <pthread.h>

typedef struct FakeMessage {
	uint32_t uid;
	uint32_t origin; /* the number its header goes by; 0: the UID */
	char flags[60];
	size_t attachment; /* bytes; 0: a text alone */
	size_t size;	   /* of one that was appended; 0: by the above */
	uint64_t modseq;
	unsigned flaws;
} FakeMessage;

typedef struct FakeBox {
	char *name;
	GArray *messages; /* of FakeMessage */
	uint32_t uidnext, uidvalidity;
	uint64_t modseq;
} FakeBox;

typedef struct FakeRule {
	char *words;
	unsigned times;
	FakeAction action;
	char *text;
} FakeRule;

typedef struct FakeLine {
	int fd;
	unsigned number; /* of all there were, from 1 */
	GString *in;	 /* the thread's own */
	FakeBox *selected;
	GString *news; /* not told yet */
	char *idle_tag, *auth_tag;
	bool logged_in, hangs, cut, notifies;
	GString *held;	  /* the command so far, when a literal is in it */
	GString *content; /* the last literal */
	size_t literal;	  /* octets of one still to come */
	bool cut_literal; /* ... and the line breaks in it */
	GString *kept;	  /* an answer that waits for one on another line, with these words */
	char *kept_for;
} FakeLine;

struct FakeServer {
	int listener, wake[2];
	uint16_t port;
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows */
	char *words;
	unsigned faults;
	GPtrArray *boxes, *rules, *log;
	GArray *log_lines; /* of unsigned: on which line each of LOG came */
	GPtrArray *lines;  /* of FakeLine, owned: those that stand */
	FakeLine *line;	   /* whose command is answered */
	unsigned connections;
	uint64_t bytes_out;
	GString *said;		/* an answer in the making */
	GHashTable *subscribed; /* names */
};

FakeBox *fake_box_make(FakeServer *server, const char *name);
FakeBox *fake_box(FakeServer *server, const char *name);
void fake_box_add(FakeServer *server, FakeBox *box, unsigned count, const char *flags,
		  size_t attachment);
/* One line from the client; its answer goes to OUT.  False: hang up behind it. */
bool fake_command(FakeServer *server, const char *line, GString *out);
/* An answer to a command that changes something; NULL: COMMAND is none. */
const char *fake_change(FakeServer *server, GString *out, const char *command);
/* To who has BOX selected: at once to the line that is answered, later to others. */
void fake_tell(FakeServer *server, const FakeBox *box, GString *out, const char *text);
/* Is UID in SET of BOX? */
bool fake_in_set(const char *set, uint32_t uid, const FakeBox *box);
uint32_t fake_origin(const FakeMessage *message);
/* The rule for COMMAND, which is used up by it; NULL: none. */
FakeRule *fake_rule(FakeServer *server, const char *command);
void fake_tell_news(FakeServer *server, GString *out);
void fake_append_status(FakeServer *server, GString *out, const FakeBox *box);

#endif
