/* What is asked on the last line: a text, or yes or no. */
#include "app-private.h"

#include <string.h>

#include "base/i18n.h"

bool
ask_is_open(const App *app)
{
	return app->prompt || app->question;
}

void
ask_text(App *app, const char *label, const char *text, AskDone done, AskComplete complete)
{
	view_prompt_free(app->prompt);
	app->prompt = view_prompt_new(label, text);
	app->on_answer = done;
	app->on_complete = complete;
}

void
ask_yes(App *app, const char *question, ConfirmDone done)
{
	g_free(app->question);
	app->question = g_strdup(question);
	app->on_confirm = done;
}

static void
complete(App *app)
{
	g_autoptr(GPtrArray) candidates = NULL;

	if (!app->on_complete)
		return;
	candidates = app->on_complete(app, view_prompt_beginning(app->prompt));
	view_prompt_complete(app->prompt, candidates);
}

/* The answer may ask again, so the prompt is put away first. */
static void
answer(App *app, bool cancelled)
{
	g_autoptr(ViewPrompt) prompt = g_steal_pointer(&app->prompt);

	if (cancelled)
		act_forget_todo(app);
	else if (!*view_prompt_text(prompt))
		app_notice(app, _("Nothing was typed, and nothing done."));
	app->on_answer(app, cancelled ? NULL : view_prompt_text(prompt));
}

bool
ask_on_key(App *app, const char *key)
{
	if (app->question) {
		bool yes = !strcmp(key, "y") || !strcmp(key, "Y") || !strcmp(key, _("y"));
		bool no = !strcmp(key, "n") || !strcmp(key, "N") || !strcmp(key, _("n")) ||
			  !strcmp(key, "Esc") || !strcmp(key, "Ctrl-G") || !strcmp(key, "Ctrl-C") ||
			  !strcmp(key, "q");

		if (yes || no) {
			g_clear_pointer(&app->question, g_free);
			if (no)
				act_forget_todo(app);
			app->on_confirm(app, yes);
		}
		return true;
	}
	if (!app->prompt)
		return false;
	switch (view_prompt_key(app->prompt, key)) {
	case VIEW_PROMPT_COMPLETE:
		complete(app);
		break;
	case VIEW_PROMPT_DONE:
		answer(app, false);
		break;
	case VIEW_PROMPT_CANCELLED:
		answer(app, true);
		break;
	case VIEW_PROMPT_EDITED:
	case VIEW_PROMPT_IGNORED:
		break;
	}
	return true;
}
