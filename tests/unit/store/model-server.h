/* A server that is a few arrays, the mirror that hears of it, and the other clients it has. */
#ifndef TESTS_STORE_MODEL_SERVER_H
#define TESTS_STORE_MODEL_SERVER_H

#include "store/journal.h"

#include <glib.h>

enum { MODEL_MAILBOXES = 3 };

/* A message as the server has it.  KEY says which: copies share it. */
typedef struct Mail {
	uint32_t uid, key;
	uint16_t flags;
	bool keyword;
} Mail;

typedef struct Box {
	StoreId id;
	GArray *mails; /* of Mail, by UID */
	uint32_t uidnext, uidvalidity;
} Box;

typedef struct Model {
	GRand *rand;
	GStringChunk *pool;
	char *dir;
	Store *store;
	StoreId account;
	Box boxes[MODEL_MAILBOXES];
	uint32_t next_key;
	GArray *gone;	/* of uint32_t: keys whose intents met nothing */
	GArray *copied; /* ... that wait to be copied: with what flags is the server's to say */
	bool talk;
} Model;

/* Below BELOW, by the model's dice. */
uint32_t model_draw(Model *model, uint32_t below);
Box *model_box(Model *model, StoreId id); /* NULL: there is none */
/* NULL: not there.  *AT (may be NULL): where. */
Mail *box_mail(Box *box, uint32_t uid, guint *at);
/* Its UID there. */
uint32_t box_arrive(Box *box, Mail mail);

StoreMessage model_message(Model *model, const Mail *mail);
void model_hear_gone(Model *model, Box *box, uint32_t uid);
/* All that differs between the server and the server view. */
void model_synchronise(Model *model, Box *box);

/* One thing another client does. */
void model_somebody_else(Model *model, Box *box);
void model_change_uidvalidity(Model *model, Box *box);

#endif
