/* From the configuration to a keymap. */
#include "app-private.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

/* "list message"; NULL is everywhere. */
static bool
take_places(const char *words, unsigned *places, GError **error)
{
	g_auto(GStrv) list = g_strsplit_set(words ? words : "", " ,", -1);

	*places = words ? 0 : VIEW_PLACE_ANY;
	for (char **word = list; *word; word++) {
		ViewPlace place = view_place_of_word(*word);

		if (**word && !place) {
			g_autofree char *safe = safe_line(*word);

			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("there is no place “%s”: they are folders, list, message, "
				      "parts, queue and help"),
				    safe);
			return false;
		}
		*places |= place;
	}
	return true;
}

static bool
complain(const Config *config, unsigned line, GError *problem, GError **error)
{
	g_autofree char *path = safe_line(config->path);

	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG, "%s:%u: %s", path, line,
		    problem->message);
	g_error_free(problem);
	return false;
}

static bool
add_commands(ViewKeymap *keymap, const Config *config, GError **error)
{
	for (guint i = 0; i < config->commands->len; i++) {
		const ConfigCommand *own = config->commands->pdata[i];
		GError *problem = NULL;
		unsigned places;

		if (!take_places(own->where, &places, &problem) ||
		    !view_keymap_add(keymap, places, own->name, own->run, own->keys, own->sentence,
				     &problem))
			return complain(config, own->line, problem, error);
	}
	return true;
}

static bool
set_keys(ViewKeymap *keymap, const Config *config, GError **error)
{
	for (guint i = 0; i < config->keys->len; i++) {
		const ConfigKeys *keys = config->keys->pdata[i];
		GError *problem = NULL;
		unsigned places;

		if (!take_places(keys->place, &places, &problem) ||
		    !view_keymap_set(keymap, places, keys->command, keys->keys, &problem))
			return complain(config, keys->line, problem, error);
	}
	return true;
}

ViewKeymap *
keys_load(const Config *config, const ConfigScreen *wanted, GError **error)
{
	g_autoptr(ViewKeymap) keymap = view_keymap_new(wanted->keymap);

	if (!add_commands(keymap, config, error) || !set_keys(keymap, config, error))
		return NULL;
	return g_steal_pointer(&keymap);
}
