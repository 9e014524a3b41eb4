/* One value as it is typed, into where it belongs. */
#include "config-private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "base/safetext.h"

typedef struct Slot {
	const ConfigKey *key;
	void *base;	 /* the struct that key->offset is in */
	const char *dir; /* what files are relative to */
} Slot;

static bool G_GNUC_PRINTF(2, 3) complain(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error)
		*error = g_error_new_valist(POSTERN_ERROR, POSTERN_ERROR_CONFIG, format, args);
	va_end(args);
	return false;
}

static void
take_string(const Slot *slot, char *text)
{
	char **place = &G_STRUCT_MEMBER(char *, slot->base, slot->key->offset);

	g_free(*place);
	*place = text;
}

static bool
set_yes_no(const Slot *slot, const char *value, GError **error)
{
	static const char *const words[][2] = {
		{ "yes", "no" },
		{ "true", "false" },
		{ "on", "off" },
		{ "1", "0" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		for (int no = 0; no < 2; no++)
			if (!g_ascii_strcasecmp(words[i][no], value)) {
				G_STRUCT_MEMBER(bool, slot->base, slot->key->offset) = !no;
				return true;
			}
	return complain(error, _("%s is yes or no"), slot->key->key);
}

static bool
set_server(const Slot *slot, const char *value, GError **error)
{
	ConfigAccount *account = slot->base;
	ConfigServer server;
	g_autoptr(GError) problem = NULL;

	if (!config_server_parse(slot->key->key, value, &server, &problem))
		return complain(error, "%s", problem->message);
	if (!strcmp(slot->key->key, "imap")) {
		account->imap_user = server.user;
		account->imap_host = server.host;
		account->imap_port = server.port;
		account->imap_tls = server.tls;
	} else {
		account->smtp_user = server.user;
		account->smtp_host = server.host;
		account->smtp_port = server.port;
		account->smtp_tls = server.tls;
	}
	return true;
}

/* Certificates are looked at now, for OpenSSL's own words would name neither key nor line; a
 * password's file only when it is needed: it may be on a disk that is mounted later. */
static bool
set_file(const Slot *slot, const char *value, GError **error)
{
	g_autofree char *path = paths_expand_home(value);
	g_autofree char *shown = safe_line(path);
	struct stat info;

	if (!g_path_is_absolute(path)) { /* beside the configuration, wherever we were started */
		g_autofree char *name = g_steal_pointer(&path);

		path = g_build_filename(slot->dir, name, NULL);
	}
	if (strcmp(slot->key->key, "password-file")) {
		if (access(path, R_OK) < 0 || stat(path, &info) < 0)
			return complain(error, _("cannot read %s %s: %s"), slot->key->key, shown,
					g_strerror(errno));
		if (!S_ISREG(info.st_mode))
			return complain(error, _("%s %s is not a file"), slot->key->key, shown);
	}
	take_string(slot, g_steal_pointer(&path));
	return true;
}

static bool
set_text(const Slot *slot, const char *value, GError **error)
{
	g_autofree char *bare = NULL;

	if (!strcmp(slot->key->key, "address")) {
		bare = config_address_bare(value);
		if (!bare)
			return complain(error, _("address is no mail address: write Ada Example "
						 "<ada@example.org>"));
	}
	take_string(slot, g_strdup(value));
	return true;
}

static bool
set_number(const Slot *slot, const char *value, GError **error)
{
	g_auto(GStrv) bounds = g_strsplit(slot->key->values, " ", 2);
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, strtoul(bounds[0], NULL, 10),
					strtoul(bounds[1], NULL, 10), &number, NULL))
		return complain(
		    error,
		    /* TRANSLATORS: a key, the smallest and the largest number allowed */
		    _("%s is a number from %s to %s"), slot->key->key, bounds[0], bounds[1]);
	G_STRUCT_MEMBER(unsigned, slot->base, slot->key->offset) = (unsigned)number;
	return true;
}

static bool
set_choice(const Slot *slot, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(slot->key->values, " ", -1);
	g_autofree char *list = g_strjoinv(", ", words);

	if (!g_strv_contains((const char *const *)words, value))
		return complain(error, _("%s is one of %s"), slot->key->key, list);
	take_string(slot, g_strdup(value));
	return true;
}

static bool
set_time(const Slot *slot, const char *value, GError **error)
{
	if (config_time_parse(value, &G_STRUCT_MEMBER(int64_t, slot->base, slot->key->offset)))
		return true;
	return complain(error,
			_("%s is a time in days, weeks or years (90d, 12w, 1y), all or none"),
			slot->key->key);
}

static bool
set_size(const Slot *slot, const char *value, GError **error)
{
	bool may_be_none = !strcmp(slot->key->key, "keep-attachments");
	uint64_t bytes = UINT64_MAX;

	if (may_be_none && !g_ascii_strcasecmp(value, "none"))
		bytes = 0;
	else if (g_ascii_strcasecmp(value, "all") && !config_size_parse(value, &bytes))
		return complain(error,
				may_be_none ? _("%s is a size (500k, 20M, 1G), all or none")
					    : _("%s is a size (500k, 20M, 1G) or all"),
				slot->key->key);
	G_STRUCT_MEMBER(uint64_t, slot->base, slot->key->offset) = bytes;
	return true;
}

static const struct {
	const char *type;
	bool (*set)(const Slot *slot, const char *value, GError **error);
} setters[] = {
	{ "text", set_text },  { "command", set_text },	 { "file", set_file },
	{ "url", set_server }, { "yes/no", set_yes_no }, { "number", set_number },
	{ "time", set_time },  { "size", set_size },	 { "choice", set_choice },
};

bool
config_value_set(void *base, const ConfigKey *key, const char *value, const char *dir,
		 GError **error)
{
	Slot slot = { .key = key, .base = base, .dir = dir };

	for (size_t i = 0; i < G_N_ELEMENTS(setters); i++)
		if (!strcmp(setters[i].type, key->type))
			return setters[i].set(&slot, value, error);
	g_return_val_if_reached(false);
}

/* ---- the screen's, which may change while it runs -------------------------------------------- */

static bool
is_string(const ConfigKey *key)
{
	return !strcmp(key->type, "text") || !strcmp(key->type, "command") ||
	       !strcmp(key->type, "choice");
}

void
config_screen_clear(ConfigScreen *screen)
{
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(key->section, "screen") && is_string(key))
			g_clear_pointer(&G_STRUCT_MEMBER(char *, screen, key->offset), g_free);
}

void
config_screen_copy(ConfigScreen *to, const ConfigScreen *from)
{
	*to = *from;
	for (const ConfigKey *key = config_keys; key->key; key++)
		if (!strcmp(key->section, "screen") && is_string(key)) {
			char **place = &G_STRUCT_MEMBER(char *, to, key->offset);

			*place = g_strdup(*place);
		}
}

bool
config_screen_set(ConfigScreen *screen, const ConfigKey *key, const char *value, GError **error)
{
	if (!value)
		value = key->normal;
	if (value)
		return config_value_set(screen, key, value, NULL, error);
	g_clear_pointer(&G_STRUCT_MEMBER(char *, screen, key->offset), g_free);
	return true;
}

char *
config_screen_get(const ConfigScreen *screen, const ConfigKey *key)
{
	if (is_string(key))
		return g_strdup(G_STRUCT_MEMBER(char *, screen, key->offset));
	if (!strcmp(key->type, "yes/no"))
		return g_strdup(G_STRUCT_MEMBER(bool, screen, key->offset) ? "yes" : "no");
	return g_strdup_printf("%u", G_STRUCT_MEMBER(unsigned, screen, key->offset));
}
