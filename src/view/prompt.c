#include "view/prompt.h"

#include <string.h>

#include "base/safetext.h"

#define TEXT_MAX 4096

struct ViewPrompt {
	char *label;
	GString *text;
	gsize at;	       /* the cursor: a byte of TEXT, between clusters */
	GPtrArray *candidates; /* of char *; NULL: none */
	char *beginning;       /* what was there when Tab was first pressed */
	guint next;	       /* the candidate that comes next */
};

ViewPrompt *
view_prompt_new(const char *label, const char *text)
{
	ViewPrompt *prompt = g_new0(ViewPrompt, 1);

	prompt->label = safe_line(label);
	prompt->text = g_string_new(NULL);
	view_prompt_set(prompt, text ? text : "");
	return prompt;
}

void
view_prompt_free(ViewPrompt *prompt)
{
	if (!prompt)
		return;
	g_free(prompt->label);
	g_string_free(prompt->text, TRUE);
	g_clear_pointer(&prompt->candidates, g_ptr_array_unref);
	g_free(prompt->beginning);
	g_free(prompt);
}

const char *
view_prompt_text(const ViewPrompt *prompt)
{
	return prompt->text->str;
}

void
view_prompt_set(ViewPrompt *prompt, const char *text)
{
	g_autofree char *safe = safe_line(text);

	g_string_assign(prompt->text, safe);
	prompt->at = prompt->text->len;
}

/* ---- editing -------------------------------------------------------------------------------- */

static gsize
cluster_after(const ViewPrompt *prompt, gsize at)
{
	Span rest = span_of(prompt->text->str + at, prompt->text->len - at);
	const char *next = rest.end;

	if (!span_is_empty(rest))
		safe_text_cluster(rest, &next);
	return (gsize)(next - prompt->text->str);
}

static gsize
cluster_before(const ViewPrompt *prompt, gsize at)
{
	gsize found = 0;

	for (gsize p = 0; p < at; p = cluster_after(prompt, p))
		found = p;
	return found;
}

/* To the beginning of the word, or of the path's component, before the cursor. */
static gsize
word_before(const ViewPrompt *prompt)
{
	const char *text = prompt->text->str;
	gsize at = prompt->at;

	while (at > 0 && strchr(" /", text[at - 1]))
		at--;
	while (at > 0 && !strchr(" /", text[at - 1]))
		at--;
	return at;
}

static void
erase(ViewPrompt *prompt, gsize from, gsize to)
{
	g_string_erase(prompt->text, (gssize)from, (gssize)(to - from));
	prompt->at = from;
}

static bool
insert(ViewPrompt *prompt, const char *key)
{
	g_autofree char *safe = safe_line(!strcmp(key, "Space") ? " " : key);

	if (prompt->text->len + strlen(safe) > TEXT_MAX)
		return false;
	g_string_insert(prompt->text, (gssize)prompt->at, safe);
	prompt->at += strlen(safe);
	return true;
}

static bool
is_one(const char *key, const char *const *names)
{
	return g_strv_contains(names, key);
}
#define KEY_IS(...) is_one(key, (const char *const[]){ __VA_ARGS__, NULL })

static bool
edit(ViewPrompt *prompt, const char *key)
{
	gsize size = prompt->text->len;

	if (KEY_IS("Left", "Ctrl-B"))
		prompt->at = cluster_before(prompt, prompt->at);
	else if (KEY_IS("Right", "Ctrl-F"))
		prompt->at = cluster_after(prompt, prompt->at);
	else if (KEY_IS("Home", "Ctrl-A"))
		prompt->at = 0;
	else if (KEY_IS("End", "Ctrl-E"))
		prompt->at = size;
	else if (KEY_IS("Backspace"))
		erase(prompt, cluster_before(prompt, prompt->at), prompt->at);
	else if (KEY_IS("Delete", "Ctrl-D"))
		erase(prompt, prompt->at, cluster_after(prompt, prompt->at));
	else if (KEY_IS("Ctrl-W"))
		erase(prompt, word_before(prompt), prompt->at);
	else if (KEY_IS("Ctrl-U"))
		erase(prompt, 0, size);
	else if (KEY_IS("Ctrl-K"))
		erase(prompt, prompt->at, size);
	else if (KEY_IS("Space") || g_utf8_strlen(key, -1) == 1)
		return insert(prompt, key);
	else
		return false;
	return true;
}

static void
forget_candidates(ViewPrompt *prompt)
{
	g_clear_pointer(&prompt->candidates, g_ptr_array_unref);
	g_clear_pointer(&prompt->beginning, g_free);
}

ViewPromptAnswer
view_prompt_key(ViewPrompt *prompt, const char *key)
{
	if (KEY_IS("Tab"))
		return VIEW_PROMPT_COMPLETE;
	forget_candidates(prompt);
	if (KEY_IS("Enter"))
		return VIEW_PROMPT_DONE;
	/* Ctrl-G as in mutt; and whoever takes away all there is, is done with it. */
	if (KEY_IS("Esc", "Ctrl-G", "Ctrl-C") || (KEY_IS("Backspace") && prompt->text->len == 0))
		return VIEW_PROMPT_CANCELLED;
	return edit(prompt, key) ? VIEW_PROMPT_EDITED : VIEW_PROMPT_IGNORED;
}

/* ---- completion ----------------------------------------------------------------------------- */

static gsize
common_size(const GPtrArray *candidates)
{
	const char *first = candidates->pdata[0];
	gsize size = strlen(first);

	for (guint i = 1; i < candidates->len; i++) {
		const char *other = candidates->pdata[i];
		gsize n = 0;

		while (n < size && first[n] && first[n] == other[n])
			n++;
		size = n;
	}
	while (size > 0 && ((unsigned char)first[size] & 0xc0) == 0x80)
		size--;
	return size;
}

void
view_prompt_complete(ViewPrompt *prompt, GPtrArray *candidates)
{
	g_autofree char *common = NULL;

	if (prompt->candidates && prompt->candidates->len) {
		const GPtrArray *all = prompt->candidates;

		view_prompt_set(prompt, all->pdata[prompt->next++ % all->len]);
		return;
	}
	forget_candidates(prompt);
	if (candidates->len == 0) {
		prompt->candidates = g_ptr_array_ref(candidates);
		prompt->beginning = g_strdup(prompt->text->str);
		return;
	}
	common = g_strndup(candidates->pdata[0], common_size(candidates));
	if (candidates->len == 1 || strlen(common) > prompt->text->len)
		view_prompt_set(prompt, common);
	if (candidates->len == 1)
		return;
	prompt->candidates = g_ptr_array_ref(candidates);
	prompt->beginning = g_strdup(prompt->text->str);
	prompt->next = 0;
}

const GPtrArray *
view_prompt_candidates(const ViewPrompt *prompt)
{
	return prompt->candidates;
}

const char *
view_prompt_beginning(const ViewPrompt *prompt)
{
	return prompt->beginning ? prompt->beginning : prompt->text->str;
}

/* ---- showing -------------------------------------------------------------------------------- */

static int
width_of(const char *at, const char *end)
{
	return safe_text_width((Span){ at, end });
}

char *
view_prompt_window(const ViewPrompt *prompt, int width, int *cursor)
{
	const char *text = prompt->text->str, *from = text, *to = text + prompt->at;
	int label = safe_text_width(span_of_string(prompt->label));

	/* A long label gives way to what is typed. */
	if (label > width / 2)
		label = 0;
	while (from < to && label + width_of(from, to) >= width)
		safe_text_cluster((Span){ from, text + prompt->text->len }, &from);
	*cursor = label + width_of(from, to);
	return g_strconcat(label ? prompt->label : "", from, NULL);
}
