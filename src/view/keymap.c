#include "view/keymap.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"

/* Of one sequence. */
#define KEYS_MAX 6
/* Of a command's own name. */
#define NAME_BYTES_MAX 64

/* One sequence and the command it says. */
typedef struct Binding {
	char *keys; /* "g,g" */
	unsigned places;
	const ViewCommand *command; /* of the table, or of ViewKeymap.own */
} Binding;

struct ViewKeymap {
	GPtrArray *bindings; /* of Binding, owned */
	GPtrArray *own;	     /* of ViewCommand, owned, and its strings */
	bool folds_case;     /* a letter that says nothing is taken for its other case */
	GString *typed;	     /* keys so far, joined by commas */
	unsigned count;
	GString *shown; /* of both */
};

const char *const view_keymap_names[] = { "mutt", "vim", "alpine", NULL };

/* ---- one key ---------------------------------------------------------------------------------- */

static bool
is_named_key(const char *key)
{
	static const char *const names[] = { "Space",	  "Enter", "Tab",    "Shift-Tab",
					     "Backspace", "Esc",   "Up",     "Down",
					     "Left",	  "Right", "PgUp",   "PgDn",
					     "Home",	  "End",   "Delete", "Insert" };
	guint64 number;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i], key))
			return true;
	if (g_str_has_prefix(key, "Ctrl-"))
		return key[5] > '?' && key[5] <= '_' && !key[6];
	return *key == 'F' && g_ascii_string_to_unsigned(key + 1, 10, 1, 12, &number, NULL);
}

static bool
is_key(const char *key)
{
	gunichar c = g_utf8_get_char_validated(key, -1);

	if (c < 0x110000 && g_unichar_isgraph(c) && !*g_utf8_next_char(key))
		return true;
	return is_named_key(key);
}

/* "g,g" into its keys; a comma alone is itself.  NULL when it has none, or too many. */
static char **
split_sequence(const char *sequence)
{
	g_auto(GStrv) keys = strcmp(sequence, ",") ? g_strsplit(sequence, ",", -1) : NULL;

	if (!keys) {
		const char *comma[] = { ",", NULL };

		keys = g_strdupv((char **)comma);
	}
	if (g_strv_length(keys) > KEYS_MAX || !keys[0])
		return NULL;
	return g_steal_pointer(&keys);
}

static bool
check_sequence(const char *sequence, GError **error)
{
	g_auto(GStrv) keys = split_sequence(sequence);
	g_autofree char *safe = safe_line(sequence);

	if (!keys) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” is more than %d keys in a row"), safe, KEYS_MAX);
		return false;
	}
	for (char **key = keys; *key; key++)
		if (!is_key(*key)) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("“%s” is no key: a character, Space, Enter, Tab, Up, PgDn, "
				      "F5, Ctrl-X and so on, or several in a row with commas: g,g"),
				    safe);
			return false;
		}
	return true;
}

/* ---- binding ---------------------------------------------------------------------------------- */

/* Is SHORT the beginning of LONG, or all of it? */
static bool
begins(const char *brief, const char *whole)
{
	size_t n = strlen(brief);

	return g_str_has_prefix(whole, brief) && (!whole[n] || whole[n] == ',');
}

static void
binding_free(gpointer data)
{
	Binding *binding = data;

	g_free(binding->keys);
	g_free(binding);
}

static void
drop_unused(ViewKeymap *keymap)
{
	for (guint i = keymap->bindings->len; i-- > 0;)
		if (!((Binding *)keymap->bindings->pdata[i])->places)
			g_ptr_array_remove_index(keymap->bindings, i);
}

static void
bind(ViewKeymap *keymap, unsigned places, const char *keys, const ViewCommand *command)
{
	Binding *binding = g_new0(Binding, 1);

	for (guint i = 0; i < keymap->bindings->len; i++) {
		Binding *other = keymap->bindings->pdata[i];

		if (begins(keys, other->keys) || begins(other->keys, keys))
			other->places &= ~places;
	}
	drop_unused(keymap);
	binding->keys = g_strdup(keys);
	binding->places = places;
	binding->command = command;
	g_ptr_array_add(keymap->bindings, binding);
}

static void
bind_all(ViewKeymap *keymap, unsigned places, const char *keys, const ViewCommand *command)
{
	g_auto(GStrv) list = g_strsplit(keys, " ", -1);

	for (char **one = list; *one; one++)
		if (**one)
			bind(keymap, places, *one, command);
}

static bool
check_keys(const char *keys, GError **error)
{
	g_auto(GStrv) list = g_strsplit(keys, " ", -1);

	for (char **one = list; *one; one++)
		if (**one && !check_sequence(*one, error))
			return false;
	return true;
}

/* ---- making one ------------------------------------------------------------------------------- */

static void
command_free(gpointer data)
{
	ViewCommand *command = data;

	g_free((char *)command->name);
	g_free((char *)command->sentence);
	g_free((char *)command->run);
	g_free(command);
}

ViewKeymap *
view_keymap_new(const char *name)
{
	ViewKeymap *keymap;
	int set = -1;

	for (int i = 0; view_keymap_names[i]; i++)
		if (!strcmp(view_keymap_names[i], name))
			set = i;
	if (set < 0)
		return NULL;
	keymap = g_new0(ViewKeymap, 1);
	keymap->bindings = g_ptr_array_new_with_free_func(binding_free);
	keymap->own = g_ptr_array_new_with_free_func(command_free);
	keymap->typed = g_string_new(NULL);
	keymap->shown = g_string_new(NULL);
	keymap->folds_case = !strcmp(name, "alpine");
	for (const ViewCommand *c = view_commands; c->name; c++) {
		const char *keys[] = { c->mutt, c->vim ? c->vim : c->mutt,
				       c->alpine ? c->alpine : c->mutt };

		bind_all(keymap, c->places, keys[set], c);
	}
	return keymap;
}

void
view_keymap_free(ViewKeymap *keymap)
{
	if (!keymap)
		return;
	g_ptr_array_unref(keymap->bindings);
	g_ptr_array_unref(keymap->own);
	g_string_free(keymap->typed, TRUE);
	g_string_free(keymap->shown, TRUE);
	g_free(keymap);
}

/* Calls for the table's rows first, then one's own; NULL ends it. */
static const ViewCommand *
nth_command(const ViewKeymap *keymap, size_t n)
{
	size_t i = 0;

	for (const ViewCommand *c = view_commands; c->name; c++)
		if (i++ == n)
			return c;
	return n - i < keymap->own->len ? keymap->own->pdata[n - i] : NULL;
}

static bool
complain_name(const ViewKeymap *keymap, unsigned places, const char *name, GError **error)
{
	g_autofree char *safe = safe_line(name);
	const ViewCommand *c;
	const char *best = NULL;
	bool elsewhere = false;

	for (size_t i = 0; (c = nth_command(keymap, i)); i++) {
		elsewhere = elsewhere || !strcmp(c->name, name);
		best = nearest_of(name, best, c->name);
	}
	if (elsewhere)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” does not work here; ? shows what does"), safe);
	else if (best)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no command “%s”: did you mean “%s”?"), safe, best);
	else
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no command “%s”; ? shows those there are"), safe);
	return false;
}

bool
view_keymap_set(ViewKeymap *keymap, unsigned places, const char *name, const char *keys,
		GError **error)
{
	const ViewCommand *c;
	bool found = false;

	if (strcmp(keys, "none") && !check_keys(keys, error))
		return false;
	for (guint i = 0; i < keymap->bindings->len; i++) {
		Binding *binding = keymap->bindings->pdata[i];

		if (!strcmp(binding->command->name, name))
			binding->places &= ~places;
	}
	drop_unused(keymap);
	for (size_t i = 0; (c = nth_command(keymap, i)); i++) {
		if (strcmp(c->name, name) || !(c->places & places))
			continue;
		found = true;
		if (strcmp(keys, "none"))
			bind_all(keymap, c->places & places, keys, c);
	}
	return found || complain_name(keymap, places, name, error);
}

static bool
check_own_name(const ViewKeymap *keymap, const char *name, GError **error)
{
	const ViewCommand *c;
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (!size || name[size] || size > NAME_BYTES_MAX) {
		g_autofree char *safe = safe_line(name);

		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” is no name for a command: small letters, digits and -"), safe);
		return false;
	}
	for (size_t i = 0; (c = nth_command(keymap, i)); i++)
		if (!strcmp(c->name, name)) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("there is a command “%s” already"), name);
			return false;
		}
	return true;
}

bool
view_keymap_add(ViewKeymap *keymap, unsigned places, const char *name, const char *run,
		const char *keys, const char *sentence, GError **error)
{
	ViewCommand *command;

	if (!check_own_name(keymap, name, error) || (keys && !check_keys(keys, error)))
		return false;
	command = g_new0(ViewCommand, 1);
	command->verb = VIEW_DO_RUN;
	command->places = places;
	command->name = g_strdup(name);
	command->run = g_strdup(run);
	command->sentence = safe_line(sentence ? sentence : run);
	g_ptr_array_add(keymap->own, command);
	if (keys)
		bind_all(keymap, places, keys, command);
	return true;
}

/* ---- keys as they come ------------------------------------------------------------------------ */

/* True: something begins with what is typed; *COMMAND: what it is all of. */
static bool
look_up(const ViewKeymap *keymap, ViewPlace place, const char *typed, const ViewCommand **command)
{
	bool found = false;

	*command = NULL;
	for (guint i = 0; i < keymap->bindings->len; i++) {
		const Binding *binding = keymap->bindings->pdata[i];

		if (!(binding->places & place) || !begins(typed, binding->keys))
			continue;
		found = true;
		if (!strcmp(binding->keys, typed))
			*command = binding->command;
	}
	return found;
}

static void
append_key(GString *typed, const char *key)
{
	if (typed->len)
		g_string_append_c(typed, ',');
	g_string_append(typed, key);
}

/* A letter that says nothing may stand for its other case. */
static bool
append_found(ViewKeymap *keymap, ViewPlace place, const char *key, const ViewCommand **command)
{
	gsize before = keymap->typed->len;
	char other[2] = { 0 };

	append_key(keymap->typed, key);
	if (look_up(keymap, place, keymap->typed->str, command))
		return true;
	if (!keymap->folds_case || !g_ascii_isalpha(*key) || key[1])
		return false;
	other[0] = g_ascii_isupper(*key) ? g_ascii_tolower(*key) : g_ascii_toupper(*key);
	g_string_truncate(keymap->typed, before);
	append_key(keymap->typed, other);
	return look_up(keymap, place, keymap->typed->str, command);
}

static bool
is_count(const ViewKeymap *keymap, ViewPlace place, const char *key)
{
	const ViewCommand *command;

	return g_ascii_isdigit(*key) && !key[1] && !keymap->typed->len &&
	       (*key != '0' || keymap->count) && !look_up(keymap, place, key, &command);
}

static void
show_typed(ViewKeymap *keymap)
{
	g_string_truncate(keymap->shown, 0);
	if (keymap->count)
		g_string_append_printf(keymap->shown, "%u", keymap->count);
	for (const char *p = keymap->typed->str; *p; p++)
		if (*p != ',' || (p == keymap->typed->str))
			g_string_append_c(keymap->shown, *p);
}

ViewKeyAnswer
view_keymap_take(ViewKeymap *keymap, ViewPlace place, const char *key, const ViewCommand **command,
		 unsigned *count)
{
	bool begun = keymap->count || keymap->typed->len, found;

	*command = NULL;
	*count = keymap->count;
	if (is_count(keymap, place, key)) {
		keymap->count = MIN(keymap->count * 10 + (unsigned)(*key - '0'), VIEW_COUNT_MAX);
		show_typed(keymap);
		return VIEW_KEY_MORE;
	}
	found = append_found(keymap, place, key, command);
	show_typed(keymap);
	if (found && !*command)
		return VIEW_KEY_MORE;
	g_string_truncate(keymap->typed, 0);
	keymap->count = 0;
	if (found) {
		g_string_truncate(keymap->shown, 0);
		return VIEW_KEY_FOUND;
	}
	if (begun && !strcmp(key, "Esc")) {
		g_string_truncate(keymap->shown, 0);
		return VIEW_KEY_DROPPED;
	}
	return VIEW_KEY_NOTHING;
}

const char *
view_keymap_typed(const ViewKeymap *keymap)
{
	return keymap->shown->str;
}

void
view_keymap_forget(ViewKeymap *keymap)
{
	g_string_truncate(keymap->typed, 0);
	g_string_truncate(keymap->shown, 0);
	keymap->count = 0;
}

/* ---- commands --------------------------------------------------------------------------------- */

GPtrArray *
view_keymap_commands(const ViewKeymap *keymap, ViewPlace place)
{
	GPtrArray *commands = g_ptr_array_new();
	const ViewCommand *c;

	for (size_t i = 0; (c = nth_command(keymap, i)); i++)
		if (c->places & place)
			g_ptr_array_add(commands, (gpointer)c);
	return commands;
}

char *
view_keymap_keys(const ViewKeymap *keymap, ViewPlace place, const ViewCommand *command)
{
	GString *keys = g_string_new(NULL);

	for (guint i = 0; i < keymap->bindings->len; i++) {
		const Binding *binding = keymap->bindings->pdata[i];

		if (binding->command == command && (binding->places & place))
			g_string_append_printf(keys, "%s%s", keys->len ? " " : "", binding->keys);
	}
	return g_string_free(keys, FALSE);
}

/* Why NAME is no command of PLACE. */
static void
explain_unknown(const ViewKeymap *keymap, ViewPlace place, const char *name, GError **error)
{
	g_autofree char *safe = safe_line(name);
	g_autoptr(GPtrArray) near = view_keymap_complete(keymap, place, name);

	if (*name && near->len > 1)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” may be “%s” or “%s”"), safe, (char *)near->pdata[0],
			    (char *)near->pdata[1]);
	else
		complain_name(keymap, place, name, error);
}

/* A whole name is never the beginning of another, also where it does not work. */
static bool
is_name(const ViewKeymap *keymap, const char *name)
{
	const ViewCommand *c;

	for (size_t i = 0; (c = nth_command(keymap, i)); i++)
		if (!strcmp(c->name, name))
			return true;
	return false;
}

const ViewCommand *
view_keymap_parse(const ViewKeymap *keymap, ViewPlace place, const char *line, char **argument,
		  GError **error)
{
	g_autofree char *copy = g_strstrip(g_strdup(line));
	g_autoptr(GPtrArray) commands = view_keymap_commands(keymap, place);
	size_t n = strcspn(copy, " \t");
	const ViewCommand *found = NULL;
	bool unique = true, whole;

	*argument = copy[n] ? g_strdup(g_strstrip(copy + n + 1)) : NULL;
	copy[n] = '\0';
	whole = is_name(keymap, copy);
	for (guint i = 0; i < commands->len && n; i++) {
		const ViewCommand *c = commands->pdata[i];

		if (whole ? strcmp(c->name, copy) : strncmp(c->name, copy, n))
			continue;
		unique = !found;
		found = c;
	}
	if (found && unique && *argument && found->argument == VIEW_ARG_NONE) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s” takes nothing after its name"), found->name);
		found = NULL;
	} else if (!found || !unique) {
		explain_unknown(keymap, place, copy, error);
		found = NULL;
	}
	if (!found)
		g_clear_pointer(argument, g_free);
	return found;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
view_keymap_complete(const ViewKeymap *keymap, ViewPlace place, const char *beginning)
{
	g_autoptr(GPtrArray) commands = view_keymap_commands(keymap, place);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < commands->len; i++) {
		const ViewCommand *c = commands->pdata[i];

		if (g_str_has_prefix(c->name, beginning))
			g_ptr_array_add(names, g_strdup(c->name));
	}
	g_ptr_array_sort(names, compare_names);
	return names;
}

static bool
has_all(const char *text, char **words)
{
	g_autofree char *folded = g_utf8_casefold(text, -1);

	for (char **word = words; *word; word++) {
		g_autofree char *wanted = g_utf8_casefold(*word, -1);

		if (!strstr(folded, wanted))
			return false;
	}
	return true;
}

GPtrArray *
view_keymap_search(const ViewKeymap *keymap, ViewPlace place, const char *words)
{
	g_autoptr(GPtrArray) commands = view_keymap_commands(keymap, place);
	g_auto(GStrv) list = g_strsplit(words, " ", -1);
	GPtrArray *found = g_ptr_array_new();

	for (int pass = 0; pass < 2; pass++)
		for (guint i = 0; i < commands->len; i++) {
			const ViewCommand *c = commands->pdata[i];
			g_autofree char *text = g_strdup_printf("%s %s %s", c->name, c->sentence,
								c->run ? "" : _(c->sentence));
			bool in_name = has_all(c->name, list);

			if (pass == 0 ? in_name : !in_name && has_all(text, list))
				g_ptr_array_add(found, (gpointer)c);
		}
	return found;
}
