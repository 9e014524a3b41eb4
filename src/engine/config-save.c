/* What a person changed while it ran, into the file they wrote: everything else in it stays as it is. */
#include "config-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "engine/secret.h"

static bool
is_section(const char *line)
{
	return line[strspn(line, " \t")] == '[';
}

static bool
is_screen(const char *line)
{
	g_autofree char *copy = g_strstrip(g_strdup(line));

	return g_str_has_prefix(copy, "[screen]");
}

/* Does LINE say KEY? */
static bool
says(const char *line, const char *key)
{
	size_t size = strlen(key);

	line += strspn(line, " \t");
	if (strncmp(line, key, size) != 0)
		return false;
	line += size;
	return line[strspn(line, " \t")] == '=';
}

/* KEY = VALUE in place of its line, else behind the last one of [screen], else below a new [screen]. */
static void
put_line(GPtrArray *lines, const char *key, const char *value)
{
	g_autofree char *text = g_strdup_printf("%s = %s", key, value);
	bool inside = false;
	guint last = 0;

	for (guint i = 0; i < lines->len; i++) {
		char *line = lines->pdata[i];

		if (is_section(line))
			inside = is_screen(line);
		if (inside && says(line, key)) {
			g_free(line);
			lines->pdata[i] = g_steal_pointer(&text);
			return;
		}
		if (inside && line[strspn(line, " \t\r")])
			last = i + 1;
	}
	if (!last) {
		g_ptr_array_add(lines, g_strdup(""));
		g_ptr_array_add(lines, g_strdup("[screen]"));
		last = lines->len;
	}
	g_ptr_array_insert(lines, (int)last, g_steal_pointer(&text));
}

/* There may be a password in it. */
static void
forget_line(gpointer line)
{
	secret_free(line);
}

/* The lines of TEXT, without empty ones at the end. */
static GPtrArray *
split(const char *text)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(forget_line);
	char **list = g_strsplit(text, "\n", -1);

	for (char **line = list; *line; line++)
		g_ptr_array_add(lines, *line);
	g_free(list);
	while (lines->len && !*(char *)lines->pdata[lines->len - 1])
		g_ptr_array_remove_index(lines, lines->len - 1);
	return lines;
}

static char *
join(const GPtrArray *lines)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < lines->len; i++)
		g_string_append_printf(text, "%s\n", (char *)lines->pdata[i]);
	return g_string_free(text, FALSE);
}

/* A link goes on leading to the file. */
static bool
write_file(const char *path, char *text, GError **error)
{
	g_autofree char *real = realpath(path, NULL);
	struct stat info;
	bool good = real && g_stat(real, &info) == 0 &&
		    g_file_set_contents_full(real, text, -1, G_FILE_SET_CONTENTS_CONSISTENT,
					     (int)(info.st_mode & 0777), error);

	if (!real)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, "%s", g_strerror(errno));
	secret_wipe(text, strlen(text));
	g_free(text);
	return good;
}

bool
config_screen_save(const Config *config, const ConfigScreen *screen, unsigned *changed,
		   GError **error)
{
	g_autoptr(Config) now = config_load(config->path, error);
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) lines = NULL;
	g_autofree char *shown = safe_line(config->path);
	g_autoptr(GError) problem = NULL;

	*changed = 0;
	if (!now)
		return false;
	if (!g_file_get_contents(config->path, &text, NULL, &problem))
		goto failed;
	lines = split(text);
	secret_wipe(text, strlen(text));
	for (const ConfigKey *key = config_keys; key->key; key++) {
		g_autofree char *wanted = NULL;
		g_autofree char *old = NULL;

		if (strcmp(key->section, "screen"))
			continue;
		wanted = config_screen_get(screen, key);
		old = config_screen_get(&now->screen, key);
		if (wanted && g_strcmp0(wanted, old)) {
			put_line(lines, key->key, wanted);
			(*changed)++;
		}
	}
	if (!*changed || write_file(config->path, join(lines), &problem))
		return true;
failed:
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, _("cannot write %s: %s"), shown,
		    problem ? problem->message : "");
	return false;
}
