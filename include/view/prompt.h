/* One line that a person types, with a cursor that moves by grapheme clusters, and completion.  Pure
 * data; what is typed passes the door on its way in. */
#ifndef VIEW_PROMPT_H
#define VIEW_PROMPT_H

#include <glib.h>
#include <stdbool.h>

typedef struct ViewPrompt ViewPrompt;

/* LABEL ("Save to: ") is copied; TEXT is what stands there to begin with, NULL: nothing. */
ViewPrompt *view_prompt_new(const char *label, const char *text);
void view_prompt_free(ViewPrompt *prompt); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewPrompt, view_prompt_free)

const char *view_prompt_text(const ViewPrompt *prompt);
void view_prompt_set(ViewPrompt *prompt, const char *text);

typedef enum {
	VIEW_PROMPT_IGNORED,
	VIEW_PROMPT_EDITED,
	VIEW_PROMPT_COMPLETE, /* Tab: give candidates to view_prompt_complete */
	VIEW_PROMPT_DONE,     /* Enter */
	VIEW_PROMPT_CANCELLED,
} ViewPromptAnswer;

/* KEY as view/command.h names them. */
ViewPromptAnswer view_prompt_key(ViewPrompt *prompt, const char *key);

/* Puts in what all CANDIDATES (of char *) have in common; when that adds nothing, each further call
 * puts in the next one whole.  Keeps CANDIDATES for showing until the next other key. */
void view_prompt_complete(ViewPrompt *prompt, GPtrArray *candidates);
/* NULL: none to show.  Empty: Tab found none. */
const GPtrArray *view_prompt_candidates(const ViewPrompt *prompt);
/* The text as it was when Tab was first pressed: complete this. */
const char *view_prompt_beginning(const ViewPrompt *prompt);

/* The part of label and text to show in WIDTH cells, so that the cursor is in it, and the cursor's
 * cell.  Yours to g_free. */
char *view_prompt_window(const ViewPrompt *prompt, int width, int *cursor);

#endif
