/* Plays the cases (*.txt in the directory named by the second argument; only those named by further
 * arguments) at the level named by the first, and says in TAP which hold.  README says how to read
 * and write one. */
#include "play.h"
#include "server.h"

#include "mail/header.h"

#include <stdio.h>
#include <string.h>

static void
line_free(void *data)
{
	CaseLine *line = data;

	g_free(line->key);
	g_free(line->value);
	g_free(line);
}

void
case_free(Case *one)
{
	if (!one)
		return;
	g_ptr_array_unref(one->lines);
	g_free(one->promise);
	g_free(one);
}

const char *
case_get(const Case *one, const char *key)
{
	for (guint i = 0; i < one->lines->len; i++) {
		const CaseLine *line = g_ptr_array_index(one->lines, i);

		if (!strcmp(line->key, key))
			return line->value;
	}
	return NULL;
}

char *
case_words(const Case *one, const char *level)
{
	const char *changes = case_get(one, "words");
	g_auto(GStrv) each = g_strsplit(changes ? changes : "", " ", -1);
	GString *words = g_string_new(SERVER_PLAIN);

	if (strcmp(level, "plain"))
		g_string_append(words, " LIST-EXTENDED LIST-STATUS SPECIAL-USE ENABLE ESEARCH "
				       "CONDSTORE");
	if (!strcmp(level, "qresync"))
		g_string_append(words, " QRESYNC");
	for (size_t i = 0; each[i]; i++) {
		if (*each[i] == '+')
			g_string_append_printf(words, " %s", each[i] + 1);
		else if (*each[i] == '-')
			g_string_replace(words, each[i] + 1, "", 1);
	}
	return g_string_free(words, FALSE);
}

/* "key: value", or "key[level,level]: value".  False: nothing for LEVEL. */
static bool
read_line(const char *text, const char *level, CaseLine *out)
{
	const char *colon = strchr(text, ':'), *bracket = strchr(text, '[');
	const char *end = colon;

	if (*text == '#' || !colon)
		return false;
	if (bracket && bracket < colon) {
		const char *close = strchr(bracket, ']');
		g_autofree char *levels =
		    g_strndup(bracket + 1, (gsize)(close ? close - bracket - 1 : 0));

		if (!strstr(levels, level))
			return false;
		end = bracket;
	}
	out->key = g_strndup(text, (gsize)(end - text));
	out->value = g_strstrip(g_strdup(colon + 1));
	return true;
}

Case *
case_read(const char *path, const char *level)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) rows = NULL;
	g_autoptr(Case) one = g_new0(Case, 1);
	const char *levels;

	one->lines = g_ptr_array_new_with_free_func(line_free);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	rows = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; rows[i]; i++) {
		CaseLine line = { .number = i + 1 };

		if (!one->promise && g_str_has_prefix(rows[i], "# "))
			one->promise = g_strdup(rows[i] + 2);
		if (read_line(rows[i], level, &line))
			g_ptr_array_add(one->lines, g_memdup2(&line, sizeof line));
	}
	levels = case_get(one, "levels");
	if (levels && !strstr(levels, level))
		return NULL;
	return g_steal_pointer(&one);
}

static int
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
names_in(const char *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *open = g_dir_open(dir, 0, NULL);
	const char *name;

	while (open && (name = g_dir_read_name(open)))
		if (g_str_has_suffix(name, ".txt"))
			g_ptr_array_add(names, g_strndup(name, strlen(name) - 4));
	if (open)
		g_dir_close(open);
	g_ptr_array_sort(names, by_name);
	return names;
}

static bool
is_wanted(const char *name, char **wanted)
{
	for (; *wanted; wanted++)
		if (!strcmp(*wanted, name))
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	g_autoptr(GPtrArray) names = NULL;
	unsigned n = 0, failed = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s LEVEL DIRECTORY [CASE...]\n", argv[0]);
		return 2;
	}
	mail_init();
	names = names_in(argv[2]);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *file = g_strconcat(name, ".txt", NULL);
		g_autofree char *path = g_build_filename(argv[2], file, NULL);
		g_autoptr(Case) one = NULL;
		g_autofree char *why = NULL;

		if (argv[3] && !is_wanted(name, argv + 3))
			continue;
		one = case_read(path, argv[1]);
		if (!one)
			continue;
		why = play(one, argv[1]);
		printf("%sok %u - %s (%s)\n", why ? "not " : "", ++n, name, argv[1]);
		failed += why != NULL;
		if (why) {
			g_auto(GStrv) rows = g_strsplit(why, "\n", -1);

			printf("# %s\n", one->promise ? one->promise : "");
			for (size_t row = 0; rows[row]; row++)
				printf("# %s\n", rows[row]);
		}
		fflush(stdout);
	}
	printf("1..%u\n", n);
	return failed ? 1 : 0;
}
