/* What changes mail and folders: shared by change.c, mark.c and manage.c. */
#ifndef UI_CHANGE_PRIVATE_H
#define UI_CHANGE_PRIVATE_H

#include "app-private.h"

/* A request on its way into the journal. */
typedef struct Change {
	EngineRequest request;
	char *done;	       /* what to say then; NULL: nothing, or what the event says */
	bool undoes;	       /* what the event says was taken back */
	bool about_messages;   /* of which there should be some */
	bool makes_folder;     /* the cursor of the folder list goes there */
	bool one, copies;      /* not of tagged ones; COPY */
	char *where;	       /* they went there; through the door; NULL */
	StoreMailboxRole role; /* then put away there what is held; NONE */
	StoreAction action;
	bool marks; /* says which FLAG was SET, or taken off */
	uint16_t flag;
	bool set;
	char **keywords; /* still to be changed of MESSAGES, as parts of one action; NULL: none */
	StoreId mailbox;
	GArray *messages; /* of StoreId; NULL */
} Change;

/* Kept until its DONE.  Borrowed. */
Change *change_remember(App *app, EngineRequest request, char *take_done);
Change *change_intend(App *app, const StoreIntent *intent, char *take_done);
/* False: there is none, and that has been said. */
bool change_has_engine(App *app);
/* With ARGUMENT at once, else after asking for it. */
void change_ask_or_do(App *app, const char *argument, const char *label, AskDone verb,
		      AskComplete complete);

/* False: VERB is none of these. */
bool mark_do(App *app, ViewVerb verb, const char *argument);
bool manage_do(App *app, ViewVerb verb, const char *argument);

#endif
