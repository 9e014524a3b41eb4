/* The server's thread, its lines, and the moments of a case. */
#include "server-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_LINES 16

Box *
server_box(Server *server, const char *name)
{
	for (guint i = 0; i < server->boxes->len; i++) {
		Box *box = g_ptr_array_index(server->boxes, i);

		if (!g_ascii_strcasecmp(box->name, name))
			return box;
	}
	return NULL;
}

bool
server_has(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += size)
		if ((at == words || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return true;
	return false;
}

/* ---- moments ----------------------------------------------------------------------------------------- */

static void
moment_free(void *data)
{
	Moment *one = data;

	g_strfreev(one->globs);
	g_free(one->actions);
	g_free(one->words);
	g_free(one);
}

bool
server_at(Server *server, const char *when, const char *globs, const char *actions, bool optional)
{
	Moment *one = g_new0(Moment, 1);
	char *end;
	bool fine = true;

	one->nth = (unsigned)g_ascii_strtoull(globs, &end, 10);
	if (one->nth && g_str_has_prefix(end, ". "))
		globs = end + 2;
	else
		one->nth = 1;
	one->globs = g_strsplit(globs, " | ", -1);
	one->actions = g_strdup(actions);
	one->words = g_strdup_printf("%s of %s", when, globs);
	one->optional = optional;
	if (!strcmp(when, "start"))
		one->kind = MOMENT_START;
	else if (!strcmp(when, "end"))
		one->kind = MOMENT_END;
	else if (!strcmp(when, "after"))
		one->kind = MOMENT_AFTER;
	else if (g_str_has_prefix(when, "line "))
		one->kind = MOMENT_LINE;
	else
		fine = false;
	if (one->kind == MOMENT_LINE && fine)
		one->line = (unsigned)g_ascii_strtoull(when + 5, NULL, 10);
	pthread_mutex_lock(&server->lock);
	g_ptr_array_add(server->moments, one);
	pthread_mutex_unlock(&server->lock);
	return fine;
}

static bool
is_meant(const Moment *one, const char *command)
{
	for (size_t i = 0; one->globs[i]; i++)
		if (g_pattern_match_simple(one->globs[i], command))
			return true;
	return false;
}

static bool
is_now(const Moment *one, const Line *line, MomentKind kind)
{
	if (one->kind == MOMENT_LINE && kind == MOMENT_LINE)
		return line->said >= one->line;
	/* An answer of fewer lines: before it ends. */
	return kind == one->kind || (one->kind == MOMENT_LINE && kind == MOMENT_END);
}

void
moment(Server *server, Line *line, MomentKind kind)
{
	for (guint i = 0; i < server->moments->len && line->command; i++) {
		Moment *one = g_ptr_array_index(server->moments, i);

		if (one->done || (one->of && one->of != line->command))
			continue;
		if (!one->of) {
			if (kind != MOMENT_START || !is_meant(one, line->command) || --one->nth)
				continue;
			one->of = line->command;
		}
		if (!is_now(one, line, kind))
			continue;
		one->done = true;
		if (!act(server, line, one->actions))
			g_error("cannot do \"%s\"", one->actions);
	}
}

char *
server_moments_left(Server *server, bool *did)
{
	char *why = NULL;

	*did = false;
	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->moments->len; i++) {
		Moment *one = g_ptr_array_index(server->moments, i);

		if (one->done)
			continue;
		if (one->optional) {
			printf("# at rest before \"%s\"\n", one->words);
			one->done = *did = true;
			act(server, NULL, one->actions);
		} else if (!why) {
			why = g_strdup_printf("it never came to \"%s\"", one->words);
		}
	}
	pthread_mutex_unlock(&server->lock);
	if (*did)
		(void)!write(server->wake[1], "w", 1);
	return why;
}

/* ---- the case's side ------------------------------------------------------------------------------------ */

bool
server_act(Server *server, const char *actions)
{
	bool fine;

	pthread_mutex_lock(&server->lock);
	fine = act(server, NULL, actions);
	pthread_mutex_unlock(&server->lock);
	(void)!write(server->wake[1], "w", 1);
	return fine;
}

void
server_figures(Server *server, const char *name, uint32_t uidvalidity, uint32_t uidnext,
	       uint64_t modseq)
{
	Box *box;

	pthread_mutex_lock(&server->lock);
	box = server_box(server, name);
	if (uidvalidity)
		box->uidvalidity = uidvalidity;
	if (uidnext)
		box->uidnext = uidnext;
	if (modseq) {
		box->modseq = modseq;
		for (guint i = 0; i < box->messages->len; i++)
			g_array_index(box->messages, ServerMessage, i).modseq = modseq;
	}
	pthread_mutex_unlock(&server->lock);
}

GArray *
server_messages(Server *server, const char *name)
{
	GArray *copy;

	pthread_mutex_lock(&server->lock);
	copy = g_array_copy(server_box(server, name)->messages);
	pthread_mutex_unlock(&server->lock);
	return copy;
}

void
server_state(Server *server, const char *name, uint32_t *uidvalidity, uint32_t *uidnext,
	     uint64_t *modseq)
{
	const Box *box;

	pthread_mutex_lock(&server->lock);
	box = server_box(server, name);
	*uidvalidity = box->uidvalidity;
	*uidnext = box->uidnext;
	*modseq = box->modseq;
	pthread_mutex_unlock(&server->lock);
}

bool
server_rests(Server *server, const char *name)
{
	bool rests = false, idles;

	pthread_mutex_lock(&server->lock);
	idles = server_has(server->words, "IDLE");
	for (guint i = 0; i < server->lines->len; i++) {
		const Line *line = g_ptr_array_index(server->lines, i);

		rests |= line->box == server_box(server, name) && (line->idle_tag || !idles);
	}
	for (guint i = 0; i < server->lines->len; i++) {
		const Line *line = g_ptr_array_index(server->lines, i);

		rests &= !line->in->len && !line->out->len && !line->closing;
	}
	pthread_mutex_unlock(&server->lock);
	return rests;
}

static bool
is_mirroring(const char *command)
{
	static const char *const others[] = { "CAPABILITY", "LOGIN",	   "ENABLE", "ID ",
					      "NAMESPACE",  "COMPRESS",	   "LIST ",  "LSUB ",
					      "STATUS ",    "NOOP",	   "IDLE",   "LOGOUT",
					      "NOTIFY ",    SERVER_IN_VAIN };

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (g_str_has_prefix(command, others[i]))
			return false;
	return true;
}

char **
server_log(Server *server, bool all)
{
	g_autoptr(GStrvBuilder) log = g_strv_builder_new();

	pthread_mutex_lock(&server->lock);
	for (guint i = server->forgotten; i < server->log->len; i++) {
		const char *command = g_ptr_array_index(server->log, i);

		if (all || is_mirroring(command))
			g_strv_builder_add(log, command);
	}
	pthread_mutex_unlock(&server->lock);
	return g_strv_builder_end(log);
}

unsigned
server_asked(Server *server)
{
	g_auto(GStrv) log = server_log(server, false);

	return g_strv_length(log);
}

void
server_forget(Server *server)
{
	pthread_mutex_lock(&server->lock);
	server->forgotten = server->log->len;
	pthread_mutex_unlock(&server->lock);
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static void
line_free(void *data)
{
	Line *line = data;

	close(line->fd);
	g_string_free(line->in, TRUE);
	g_string_free(line->out, TRUE);
	g_array_unref(line->view);
	g_array_unref(line->changed);
	g_free(line->idle_tag);
	g_free(line->auth_tag);
	g_free(line->verdict);
	g_free(line);
}

static void
accept_line(Server *server)
{
	Line *line;
	int fd = accept(server->listener, NULL, NULL), on = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	line = g_new0(Line, 1);
	line->fd = fd;
	line->in = g_string_new(NULL);
	line->out = g_string_new(NULL);
	line->view = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	line->changed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	pthread_mutex_lock(&server->lock);
	g_string_append_printf(line->out, "* OK [CAPABILITY %s] ready\r\n", server->words);
	g_ptr_array_add(server->lines, line);
	pthread_mutex_unlock(&server->lock);
}

static void
read_line(Server *server, Line *line)
{
	char buffer[4096], *end;
	ssize_t n = recv(line->fd, buffer, sizeof buffer, 0);

	pthread_mutex_lock(&server->lock);
	if (n <= 0)
		line->closing = true;
	else
		g_string_append_len(line->in, buffer, n);
	while (!line->closing && (end = strstr(line->in->str, "\r\n"))) {
		g_autofree char *text = g_strndup(line->in->str, (gsize)(end - line->in->str));

		g_string_erase(line->in, 0, end - line->in->str + 2);
		if (!answer(server, line, text))
			line->closing = true;
	}
	pthread_mutex_unlock(&server->lock);
}

/* All that is to be said, by all; lines that are over go. */
static void
flush(Server *server)
{
	pthread_mutex_lock(&server->lock);
	for (guint i = server->lines->len; i > 0; i--) {
		Line *line = g_ptr_array_index(server->lines, i - 1);

		while (line->out->len) {
			ssize_t n = send(line->fd, line->out->str, line->out->len, MSG_NOSIGNAL);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0) {
				line->closing = true;
				g_string_truncate(line->out, 0);
				break;
			}
			g_string_erase(line->out, 0, n);
		}
		if (line->closing)
			g_ptr_array_remove_index(server->lines, i - 1);
	}
	pthread_mutex_unlock(&server->lock);
}

static void *
run(void *data)
{
	Server *server = data;

	while (!server->quit) {
		struct pollfd fds[2 + MAX_LINES] = { { server->listener, POLLIN, 0 },
						     { server->wake[0], POLLIN, 0 } };
		nfds_t n = 2;
		char what = 0;

		for (guint i = 0; i < server->lines->len && n < G_N_ELEMENTS(fds); i++)
			fds[n++] =
			    (struct pollfd){ ((Line *)g_ptr_array_index(server->lines, i))->fd,
					     POLLIN, 0 };
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents && read(server->wake[0], &what, 1) == 1 && what == 'q')
			server->quit = true;
		for (nfds_t i = 2; i < n; i++)
			if (fds[i].revents)
				read_line(server, g_ptr_array_index(server->lines, i - 2));
		flush(server);
		if (fds[0].revents) {
			accept_line(server);
			flush(server);
		}
	}
	return NULL;
}

/* ---- beginning and end --------------------------------------------------------------------------------------- */

static void
box_free(void *data)
{
	Box *box = data;

	g_array_unref(box->messages);
	g_array_unref(box->gone);
	g_hash_table_unref(box->lies);
	g_free(box);
}

static void
add_box(Server *server, const char *name)
{
	Box *box = g_new0(Box, 1);

	box->name = name;
	box->messages = g_array_new(FALSE, FALSE, sizeof(ServerMessage));
	box->gone = g_array_new(FALSE, FALSE, sizeof(Gone));
	box->lies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	box->uidnext = 1;
	box->uidvalidity = 666;
	box->modseq = 1;
	g_ptr_array_add(server->boxes, box);
}

Server *
server_new(const char *words, const char *quirks)
{
	Server *server = g_new0(Server, 1);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	pthread_mutex_init(&server->lock, NULL);
	server->quirks = g_strdup(quirks ? quirks : "");
	server->words = g_strdup(server_has(server->quirks, "forgets") ? SERVER_PLAIN : words);
	server->boxes = g_ptr_array_new_with_free_func(box_free);
	server->lines = g_ptr_array_new_with_free_func(line_free);
	server->moments = g_ptr_array_new_with_free_func(moment_free);
	server->log = g_ptr_array_new_with_free_func(g_free);
	add_box(server, "INBOX");
	add_box(server, "Other");
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (pipe(server->wake) || bind(server->listener, (struct sockaddr *)&address, size) ||
	    listen(server->listener, 8) ||
	    getsockname(server->listener, (struct sockaddr *)&address, &size))
		g_error("no loopback: %s", g_strerror(errno));
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, run, server);
	return server;
}

void
server_free(Server *server)
{
	(void)!write(server->wake[1], "q", 1);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->wake[0]);
	close(server->wake[1]);
	g_ptr_array_unref(server->lines);
	g_ptr_array_unref(server->boxes);
	g_ptr_array_unref(server->moments);
	g_ptr_array_unref(server->log);
	g_free(server->words);
	g_free(server->quirks);
	pthread_mutex_destroy(&server->lock);
	g_free(server);
}

uint16_t
server_port(const Server *server)
{
	return server->port;
}
