/* Options: shown, changed, saved, and read anew when the configuration changes. */
#include "app-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"

/* Editors write a file in several steps. */
#define SETTLE_MS 200

/* ---- names and values ------------------------------------------------------------------------- */

static bool
is_option(const ConfigKey *key)
{
	return !strcmp(key->section, "screen");
}

static const ConfigKey *
find(const char *name, GError **error)
{
	const ConfigKey *found = config_key("screen", name);
	g_autofree char *safe = safe_line(name);
	const char *best = NULL;

	if (found)
		return found;
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (is_option(key))
			best = nearest_of(name, best, key->key);
	if (best)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no option “%s”: did you mean “%s”?"), safe, best);
	else
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no option “%s”; :set shows those there are"), safe);
	return NULL;
}

static char *
described(const App *app, const ConfigKey *key)
{
	g_autofree char *value = config_screen_get(&app->wanted, key);
	g_autofree char *safe = safe_line(value ? value : "");

	return g_strdup_printf("%s=%s", key->key, safe);
}

static void
show_all(App *app)
{
	ViewDocument *document = view_document_new();

	view_document_add(document, VIEW_LINE_HEADING, span_of_string(_("Options")));
	view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	for (const ConfigKey *key = config_keys; key->key; key++) {
		g_autofree char *now = NULL;
		g_autofree char *line = NULL;

		if (!is_option(key))
			continue;
		now = described(app, key);
		line =
		    g_strdup_printf("%s  %s%s%s%s", now, _(key->sentence), key->values ? " (" : "",
				    key->values ? key->values : "", key->values ? ")" : "");
		view_document_add_indented(document, VIEW_LINE_TEXT, 4, span_of_string(line));
	}
	view_pager_take(app->help, document, false);
	app->help_title = _("Options");
	app_go(app, VIEW_PLACE_HELP);
}

/* ---- changing --------------------------------------------------------------------------------- */

/* Beside the configuration. */
static char *
themes_dir(const App *app)
{
	g_autofree char *dir = g_path_get_dirname(app->options->config->path);

	return g_build_filename(dir, "themes", NULL);
}

bool
options_load_theme(App *app, const ConfigScreen *wanted, ViewTheme **theme, GError **error)
{
	g_autofree char *dir = themes_dir(app);
	g_autoptr(ViewTheme) loaded = view_theme_load(dir, wanted->theme, error);

	/* Where there are no colours, the one that needs none. */
	if (loaded && !screen_colours(app->screen)) {
		view_theme_free(loaded);
		loaded = view_theme_load(NULL, "mono", error);
	}
	*theme = g_steal_pointer(&loaded);
	return *theme != NULL;
}

/* Everything as WANTED says; an error leaves all as it was. */
static bool
adopt(App *app, const Config *config, const ConfigScreen *wanted, GError **error)
{
	g_autoptr(ViewKeymap) keymap = keys_load(config, wanted, error);
	g_autoptr(ViewTheme) theme = NULL;
	ConfigScreen copy;

	if (!keymap || !options_load_theme(app, wanted, &theme, error))
		return false;
	config_screen_copy(&copy, wanted);
	config_screen_clear(&app->wanted);
	app->wanted = copy;
	view_keymap_free(app->keymap);
	app->keymap = g_steal_pointer(&keymap);
	view_theme_free(app->theme);
	app->theme = g_steal_pointer(&theme);
	screen_set_theme(app->screen, app->theme);
	draw_layout(app);
	return true;
}

static const Config *
config_of(const App *app)
{
	return app->reread ? app->reread : app->options->config;
}

static bool
change(App *app, const ConfigKey *key, const char *value, GError **error)
{
	ConfigScreen wanted;
	bool good;

	config_screen_copy(&wanted, &app->wanted);
	good = config_screen_set(&wanted, key, value, error) &&
	       adopt(app, config_of(app), &wanted, error);
	config_screen_clear(&wanted);
	return good;
}

/* "name=value", "name value", "name", "noname", "name?", "name&". */
static bool
set(App *app, char *words, const ConfigKey **key, GError **error)
{
	size_t n = strcspn(words, "=?& \t");
	char what = words[n];
	char *value = words + n + (what ? 1 : 0);
	bool no = false;

	words[n] = '\0';
	g_strstrip(value);
	if (!what && g_str_has_prefix(words, "no")) {
		const ConfigKey *bare = config_key("screen", words + 2);

		no = bare && !strcmp(bare->type, "yes/no");
	}
	*key = find(words + (no ? 2 : 0), error);
	if (!*key)
		return false;
	if (what == '?' || (!what && strcmp((*key)->type, "yes/no")))
		return true;
	if (what == '&')
		return change(app, *key, NULL, error);
	if (!what)
		return change(app, *key, no ? "no" : "yes", error);
	return change(app, *key, *value ? value : NULL, error);
}

void
options_set(App *app, const char *argument)
{
	g_autofree char *words = argument ? g_strstrip(g_strdup(argument)) : NULL;
	g_autofree char *now = NULL;
	g_autoptr(GError) error = NULL;
	const ConfigKey *key;

	if (!words || !*words) {
		show_all(app);
		return;
	}
	if (!set(app, words, &key, &error)) {
		app_complain(app, error);
		return;
	}
	now = described(app, key);
	app_notice(app, now);
}

static char **
theme_names(const App *app)
{
	g_autofree char *dir = themes_dir(app);
	g_autoptr(GPtrArray) names = view_theme_names(dir);
	char **list = g_new0(char *, names->len + 1);

	for (guint i = 0; i < names->len; i++)
		list[i] = g_strdup(names->pdata[i]);
	return list;
}

/* "theme=l" gives "theme=light". */
static void
add_values(const App *app, GPtrArray *found, const ConfigKey *key, const char *beginning)
{
	g_auto(GStrv) words = NULL;

	if (!strcmp(key->type, "yes/no"))
		words = g_strsplit("yes no", " ", -1);
	else if (!strcmp(key->type, "choice"))
		words = g_strsplit(key->values, " ", -1);
	else if (!strcmp(key->key, "theme"))
		words = theme_names(app);
	for (char **word = words; word && *word; word++)
		if (g_str_has_prefix(*word, beginning))
			g_ptr_array_add(found, g_strdup_printf("%s=%s", key->key, *word));
}

GPtrArray *
options_complete(App *app, const char *beginning)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	const char *equals = strchr(beginning, '=');
	g_autofree char *name =
	    equals ? g_strndup(beginning, (gsize)(equals - beginning)) : g_strdup(beginning);
	const ConfigKey *whole = equals ? config_key("screen", name) : NULL;

	if (whole)
		add_values(app, found, whole, equals + 1);
	for (const ConfigKey *key = config_keys; key->key && !equals; key++)
		if (is_option(key) && g_str_has_prefix(key->key, name))
			g_ptr_array_add(found, strcmp(key->type, "yes/no")
						   ? g_strdup_printf("%s=", key->key)
						   : g_strdup(key->key));
	return found;
}

void
options_save(App *app)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree char *path = safe_line(app->options->config->path);
	unsigned changed;

	if (!config_screen_save(app->options->config, &app->wanted, &changed, &error)) {
		app_complain(app, error);
		return;
	}
	text = changed ? g_strdup_printf(P_("%u option was written to %s.",
					    "%u options were written to %s.", changed),
					 changed, path)
		       : g_strdup_printf(_("%s says all of it already."), path);
	app_notice(app, text);
}

/* ---- reading anew ----------------------------------------------------------------------------- */

static bool
is_same_account(const ConfigAccount *a, const ConfigAccount *b)
{
	return !g_strcmp0(a->name, b->name) && !g_strcmp0(a->imap_host, b->imap_host) &&
	       !g_strcmp0(a->imap_user, b->imap_user) && a->imap_port == b->imap_port &&
	       a->imap_tls == b->imap_tls;
}

static bool
has_same_accounts(const Config *a, const Config *b)
{
	if (a->accounts->len != b->accounts->len)
		return false;
	for (guint i = 0; i < a->accounts->len; i++)
		if (!is_same_account(a->accounts->pdata[i], b->accounts->pdata[i]))
			return false;
	return true;
}

/* What the file did not change stays as the person set it. */
static bool
take(App *app, const Config *now, GError **error)
{
	const Config *before = config_of(app);
	ConfigScreen wanted;
	bool good;

	config_screen_copy(&wanted, &app->wanted);
	for (const ConfigKey *key = config_keys; key->key; key++) {
		g_autofree char *old = NULL;
		g_autofree char *new = NULL;

		if (!is_option(key))
			continue;
		old = config_screen_get(&before->screen, key);
		new = config_screen_get(&now->screen, key);
		if (g_strcmp0(old, new))
			config_screen_set(&wanted, key, new, NULL);
	}
	good = adopt(app, now, &wanted, error);
	config_screen_clear(&wanted);
	return good;
}

void
options_reload(App *app)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) now = config_load(app->options->config->path, &error);

	if (!now || !take(app, now, &error)) {
		app_complain(app, error);
		return;
	}
	app_notice(app, has_same_accounts(now, app->options->config)
			    ? _("The configuration was read again.")
			    : _("The configuration was read again; what it says of accounts holds "
				"when Postern is started anew."));
	config_free(app->reread);
	app->reread = g_steal_pointer(&now);
}

static gboolean
on_settled(gpointer data)
{
	App *app = data;

	app->reload = 0;
	options_reload(app);
	return G_SOURCE_REMOVE;
}

static void
on_changed(GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
	App *app = data;

	if (event == G_FILE_MONITOR_EVENT_DELETED ||
	    event == G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED)
		return;
	if (app->reload)
		g_source_remove(app->reload);
	app->reload = g_timeout_add(SETTLE_MS, on_settled, app);
}

void
options_watch(App *app)
{
	g_autoptr(GFile) file = g_file_new_for_path(app->options->config->path);

	app->monitor = g_file_monitor_file(file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
	if (app->monitor)
		g_signal_connect(app->monitor, "changed", G_CALLBACK(on_changed), app);
}

void
options_end(App *app)
{
	g_clear_object(&app->monitor);
	g_clear_handle_id(&app->reload, g_source_remove);
	g_clear_pointer(&app->reread, config_free);
	config_screen_clear(&app->wanted);
}
