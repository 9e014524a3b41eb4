/* What fake-server.c (the thread and its socket) and fake-answers.c (the protocol) share. */
#ifndef TESTS_ENGINE_FAKE_SERVER_PRIVATE_H
#define TESTS_ENGINE_FAKE_SERVER_PRIVATE_H

#include "fake-server.h"

#include <pthread.h>

typedef struct FakeMessage {
	uint32_t uid;
	char flags[60];
	size_t attachment; /* bytes; 0: a text alone */
	uint64_t modseq;
	unsigned flaws;
} FakeMessage;

typedef struct FakeBox {
	const char *name;
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
};

FakeBox *fake_box(FakeServer *server, const char *name);
void fake_box_add(FakeServer *server, FakeBox *box, unsigned count, const char *flags,
		  size_t attachment);
/* One line from the client; its answer goes to OUT.  False: hang up behind it. */
bool fake_command(FakeServer *server, const char *line, GString *out);
void fake_tell_news(FakeServer *server, GString *out);
void fake_append_status(FakeServer *server, GString *out, const FakeBox *box);

#endif
