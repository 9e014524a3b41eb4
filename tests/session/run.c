/* Plays transcripts of whole sessions (*.txt in the directory named by the first argument; only
 * those named by further arguments) and says in TAP which hold.  Each is fed whole, one byte at a
 * time and in random pieces, and must come to the same events and the same bytes each time.
 *
 *	# a remark; the first one is the promise that the transcript shows
 *	tls: no			the line begins in clear (imap://)
 *	S: text			the server says the line; neighbouring S lines come in one piece
 *	S-: text		... without a line end
 *	S*: 20000 x		... so many bytes
 *	C: text			the client says the line (C-: without a line end, C*: as above)
 *	D: verb ...		the session's owner does something; see player_do
 *	E: event		what the session tells its owner, in this order
 *	E?: event		... that may come or not, as the pieces fall
 *	is, has, trips...: x	a claim; see player_check
 *	log: text		at the end, the trace holds the text; log-not: does not
 *
 * Everything the client says and every event must be named before the next S, or run of D. */
#include "player.h"

#include <glib/gstdio.h>
#include <stdio.h>

typedef struct Line {
	int number;
	char *key, *value;
} Line;

typedef struct Run {
	const char *path;
	const char *mode;
	PlayerChunk chunk;
	GRand *random;
	Player *player;
	char *log_path;
	GString *pending; /* of the server, not yet fed */
	bool doing;	  /* the line before was a D, too */
	char *failure;
} Run;

static void
line_free(gpointer data)
{
	Line *line = data;

	g_free(line->key);
	g_free(line->value);
	g_free(line);
}

static GPtrArray *
read_script(const char *path)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) rows = NULL;
	GPtrArray *lines = g_ptr_array_new_with_free_func(line_free);

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return lines;
	rows = g_strsplit(text, "\n", -1);
	for (int i = 0; rows[i]; i++) {
		char *colon = strchr(rows[i], ':');
		Line *line;

		if (rows[i][0] == '#' || !colon)
			continue;
		line = g_new0(Line, 1);
		line->number = i + 1;
		line->key = g_strndup(rows[i], (gsize)(colon - rows[i]));
		colon++;
		line->value = g_strdup(*colon == ' ' ? colon + 1 : colon);
		g_ptr_array_add(lines, line);
	}
	return lines;
}

static void fail(Run *run, const Line *line, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
fail(Run *run, const Line *line, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (run->failure)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	run->failure =
	    g_strdup_printf("fed %s, line %d (%s: %s): %s", run->mode, line ? line->number : 0,
			    line ? line->key : "", line ? line->value : "", text);
}

/* "S", "S-" and "S*" say bytes in the same way as "C" does. */
static GString *
bytes_of(const Line *line)
{
	GString *bytes;

	if (line->key[1] == '*') {
		gsize size = (gsize)g_ascii_strtoull(line->value, NULL, 10);
		char letter = strchr(line->value, ' ')[1];

		bytes = g_string_new(NULL);
		while (bytes->len < size)
			g_string_append_c(bytes, letter);
		return bytes;
	}
	bytes = player_unescape(line->value);
	if (!line->key[1])
		g_string_append(bytes, "\r\n");
	return bytes;
}

static void
feed_pending(Run *run)
{
	player_feed(run->player, run->pending, run->chunk, run->random);
	g_string_truncate(run->pending, 0);
}

static void
nothing_is_left(Run *run, const Line *line)
{
	GString *output = player_output(run->player);
	const char *event = player_peek_event(run->player);

	if (output->len)
		fail(run, line, "the client has said, unexpected, \"%.*s\"",
		     (int)MIN(output->len, 80), output->str);
	if (event)
		fail(run, line, "unexpected event: %s", event);
}

static void
expect_bytes(Run *run, const Line *line)
{
	g_autoptr(GString) want = bytes_of(line);
	GString *have = player_output(run->player);

	if (have->len < want->len || memcmp(have->str, want->str, want->len))
		fail(run, line, "the client says \"%.*s\"", (int)MIN(have->len, 80), have->str);
	else
		g_string_erase(have, 0, (gssize)want->len);
}

static void
expect_event(Run *run, const Line *line)
{
	const char *event = player_peek_event(run->player);
	bool same = event && !strcmp(event, line->value);

	if (same)
		g_free(player_take_event(run->player));
	else if (!line->key[1])
		fail(run, line, "the event is: %s", event ? event : "none");
}

static void
check_log(Run *run, const Line *line)
{
	g_autofree char *text = NULL;
	bool wanted = !strcmp(line->key, "log");

	if (!g_file_get_contents(run->log_path, &text, NULL, NULL) ||
	    (strstr(text, line->value) != NULL) != wanted)
		fail(run, line, "the trace is otherwise");
}

static void
play_line(Run *run, const Line *line)
{
	char kind =
	    line->key[1] && line->key[1] != '-' && line->key[1] != '*' && line->key[1] != '?'
		? 'x'
		: line->key[0];

	if (kind == 'S') {
		g_autoptr(GString) bytes = bytes_of(line);

		if (!run->pending->len)
			nothing_is_left(run, line);
		run->doing = false;
		g_string_append_len(run->pending, bytes->str, (gssize)bytes->len);
		return;
	}
	feed_pending(run);
	if (kind == 'C' || kind == 'E')
		run->doing = false;
	if (kind == 'D') {
		if (!run->doing)
			nothing_is_left(run, line);
		run->doing = true;
		if (!player_do(run->player, line->value))
			fail(run, line, "no such verb");
	} else if (kind == 'C') {
		expect_bytes(run, line);
	} else if (kind == 'E') {
		expect_event(run, line);
	} else if (!strcmp(line->key, "log") || !strcmp(line->key, "log-not")) {
		check_log(run, line);
	} else if (strcmp(line->key, "tls")) {
		g_autofree char *is = player_check(run->player, line->key, line->value);

		if (is)
			fail(run, line, "it is: %s", is);
	}
}

static bool
says_no_tls(const GPtrArray *lines)
{
	for (guint i = 0; i < lines->len; i++) {
		const Line *line = g_ptr_array_index(lines, i);

		if (!strcmp(line->key, "tls"))
			return !strcmp(line->value, "no");
	}
	return false;
}

static void
show_trace(const char *path)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) rows = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	rows = g_strsplit(text, "\n", -1);
	for (char **row = rows; *row; row++)
		printf("# %s\n", *row);
}

static char *
play(const GPtrArray *lines, const char *path, const char *mode, PlayerChunk chunk, guint32 seed)
{
	Run run = { .path = path, .mode = mode, .chunk = chunk };
	Log *log;
	int fd = g_file_open_tmp("session-XXXXXX", &run.log_path, NULL);

	if (fd < 0)
		return g_strdup("no temporary file");
	close(fd);
	log = log_open(run.log_path, NULL);
	run.random = g_rand_new_with_seed(seed);
	run.pending = g_string_new(NULL);
	run.player = player_new(!says_no_tls(lines), log);
	for (guint i = 0; i < lines->len && !run.failure; i++)
		play_line(&run, g_ptr_array_index(lines, i));
	if (!run.failure) {
		feed_pending(&run);
		nothing_is_left(&run, NULL);
	}
	player_free(run.player);
	log_unref(log);
	g_string_free(run.pending, TRUE);
	g_rand_free(run.random);
	if (run.failure)
		show_trace(run.log_path);
	g_unlink(run.log_path);
	g_free(run.log_path);
	return run.failure;
}

static size_t
whole(void *data)
{
	return SIZE_MAX;
}

static size_t
one_byte(void *data)
{
	return 1;
}

static size_t
some(void *data)
{
	return (size_t)g_rand_int_range(data, 1, 40);
}

static char *
play_all_ways(const char *path)
{
	g_autoptr(GPtrArray) lines = read_script(path);
	char *failure;

	if (!lines->len)
		return g_strdup("empty or unreadable");
	failure = play(lines, path, "whole", whole, 0);
	if (!failure)
		failure = play(lines, path, "one byte at a time", one_byte, 0);
	for (guint32 seed = 1; !failure && seed <= 3; seed++)
		failure = play(lines, path, "in random pieces", some, seed);
	return failure;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_chosen(const char *name, char **chosen)
{
	if (!g_str_has_suffix(name, ".txt"))
		return false;
	for (char **word = chosen; *word; word++)
		if (strstr(name, *word))
			return true;
	return !*chosen;
}

int
main(int argc, char **argv)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = argc > 1 ? g_dir_open(argv[1], 0, NULL) : NULL;
	const char *name;
	int failures = 0;

	if (!dir) {
		fprintf(stderr, "usage: run DIRECTORY [NAME...]\n");
		return 2;
	}
	while ((name = g_dir_read_name(dir)))
		if (is_chosen(name, argv + 2))
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	printf("1..%u\n", names->len);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(argv[1], names->pdata[i], NULL);
		g_autofree char *failure = play_all_ways(path);

		if (failure)
			printf("# %s\n", failure);
		printf("%sok %u - %s\n", failure ? "not " : "", i + 1, (char *)names->pdata[i]);
		failures += failure != NULL;
	}
	return failures ? 1 : 0;
}
