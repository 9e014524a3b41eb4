#include "fake-server.h"

#include "fake-server-private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALL_WORDS                                                                                  \
	"IMAP4rev1 SASL-IR AUTH=PLAIN IDLE LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH "         \
	"CONDSTORE"

/* ---- the test's side ---------------------------------------------------------------------------------- */

static void
wake(FakeServer *server)
{
	(void)!write(server->wake[1], "w", 1);
}

void
fake_server_capabilities(FakeServer *server, const char *words)
{
	pthread_mutex_lock(&server->lock);
	g_free(server->words);
	server->words = g_strdup(words ? words : ALL_WORDS);
	pthread_mutex_unlock(&server->lock);
}

void
fake_server_fault(FakeServer *server, unsigned faults)
{
	pthread_mutex_lock(&server->lock);
	server->faults = faults;
	pthread_mutex_unlock(&server->lock);
}

void
fake_server_rule(FakeServer *server, const char *words, unsigned times, FakeAction action,
		 const char *text)
{
	FakeRule *rule = g_new0(FakeRule, 1);

	rule->words = g_strdup(words);
	rule->times = times;
	rule->action = action;
	rule->text = g_strdup(text);
	pthread_mutex_lock(&server->lock);
	g_ptr_array_add(server->rules, rule);
	pthread_mutex_unlock(&server->lock);
}

void
fake_server_cut(FakeServer *server)
{
	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->lines->len; i++)
		((FakeLine *)g_ptr_array_index(server->lines, i))->cut = true;
	pthread_mutex_unlock(&server->lock);
	wake(server);
}

void
fake_server_cut_line(FakeServer *server, unsigned number)
{
	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->lines->len; i++) {
		FakeLine *line = g_ptr_array_index(server->lines, i);

		line->cut |= line->number == number;
	}
	pthread_mutex_unlock(&server->lock);
	wake(server);
}

FakeBox *
fake_box(FakeServer *server, const char *name)
{
	for (guint i = 0; i < server->boxes->len; i++) {
		FakeBox *box = g_ptr_array_index(server->boxes, i);

		if (!g_ascii_strcasecmp(box->name, name))
			return box;
	}
	return NULL;
}

static void
tell(FakeServer *server, const FakeBox *box, const char *line)
{
	for (guint i = 0; i < server->lines->len; i++) {
		FakeLine *one = g_ptr_array_index(server->lines, i);

		if (one->selected == box)
			g_string_append(one->news, line);
		else if (one->notifies)
			fake_append_status(server, one->news, box);
	}
}

void
fake_tell(FakeServer *server, const FakeBox *box, GString *out, const char *text)
{
	for (guint i = 0; i < server->lines->len; i++) {
		FakeLine *one = g_ptr_array_index(server->lines, i);

		if (one == server->line && one->selected == box)
			g_string_append(out, text);
		else if (one->selected == box)
			g_string_append(one->news, text);
		else if (one->notifies)
			fake_append_status(server, one->news, box);
	}
}

static void
tell_exists(FakeServer *server, const FakeBox *box)
{
	g_autofree char *line = g_strdup_printf("* %u EXISTS\r\n", box->messages->len);

	tell(server, box, line);
}

void
fake_box_add(FakeServer *server, FakeBox *box, unsigned count, const char *flags, size_t attachment)
{
	for (unsigned i = 0; i < count; i++) {
		FakeMessage message = { .uid = box->uidnext++,
					.attachment = attachment,
					.modseq = ++box->modseq };

		g_strlcpy(message.flags, flags, sizeof message.flags);
		g_array_append_val(box->messages, message);
	}
	tell_exists(server, box);
}

static uint32_t
add(FakeServer *server, const char *name, unsigned count, const char *flags, size_t attachment)
{
	FakeBox *box;
	uint32_t last;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	fake_box_add(server, box, count, flags, attachment);
	last = box->uidnext - 1;
	pthread_mutex_unlock(&server->lock);
	wake(server);
	return last;
}

uint32_t
fake_server_add(FakeServer *server, const char *box, unsigned count, const char *flags)
{
	return add(server, box, count, flags, 0);
}

uint32_t
fake_server_add_large(FakeServer *server, const char *box, size_t attachment)
{
	return add(server, box, 1, "", attachment);
}

static FakeMessage *
find(const FakeBox *box, uint32_t uid, guint *index)
{
	for (guint i = 0; i < box->messages->len; i++) {
		FakeMessage *message = &g_array_index(box->messages, FakeMessage, i);

		if (message->uid == uid) {
			*index = i;
			return message;
		}
	}
	return NULL;
}

unsigned
fake_server_copies(FakeServer *server, const char *name, uint32_t origin)
{
	FakeBox *box;
	unsigned n = 0;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	for (guint i = 0; box && i < box->messages->len; i++)
		n += fake_origin(&g_array_index(box->messages, FakeMessage, i)) == origin;
	pthread_mutex_unlock(&server->lock);
	return n;
}

unsigned
fake_server_total(FakeServer *server, const char *name)
{
	FakeBox *box;
	unsigned n;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	n = box ? box->messages->len : 0;
	pthread_mutex_unlock(&server->lock);
	return n;
}

char *
fake_server_flags_of(FakeServer *server, const char *name, uint32_t origin)
{
	FakeBox *box;
	char *flags = NULL;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	for (guint i = 0; box && !flags && i < box->messages->len; i++) {
		const FakeMessage *message = &g_array_index(box->messages, FakeMessage, i);

		if (fake_origin(message) == origin)
			flags = g_strdup(message->flags);
	}
	pthread_mutex_unlock(&server->lock);
	return flags;
}

bool
fake_server_has_box(FakeServer *server, const char *name)
{
	bool has;

	pthread_mutex_lock(&server->lock);
	has = fake_box(server, name) != NULL;
	pthread_mutex_unlock(&server->lock);
	return has;
}

void
fake_server_expunge(FakeServer *server, const char *name, uint32_t uid)
{
	FakeBox *box;
	guint index;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	if (find(box, uid, &index)) {
		g_autofree char *line = g_strdup_printf("* %u EXPUNGE\r\n", index + 1);

		g_array_remove_index(box->messages, index);
		if (server->faults & FAKE_SILENT_EXPUNGE)
			tell_exists(server, box);
		else
			tell(server, box, line);
	}
	pthread_mutex_unlock(&server->lock);
	wake(server);
}

void
fake_server_flags(FakeServer *server, const char *name, uint32_t uid, const char *flags)
{
	FakeBox *box;
	FakeMessage *message;
	guint index;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	message = find(box, uid, &index);
	if (message) {
		g_autofree char *named = g_strdup_printf("UID %u ", uid);
		g_autofree char *line = NULL;

		g_strlcpy(message->flags, flags, sizeof message->flags);
		message->modseq = ++box->modseq;
		line = g_strdup_printf("* %u FETCH (%sFLAGS (%s))\r\n", index + 1,
				       server->faults & FAKE_FLAGS_WITHOUT_UID ? "" : named, flags);
		tell(server, box, line);
	}
	pthread_mutex_unlock(&server->lock);
	wake(server);
}

void
fake_server_flaw(FakeServer *server, const char *name, uint32_t uid, unsigned flaws)
{
	FakeMessage *message;
	guint index;

	pthread_mutex_lock(&server->lock);
	message = find(fake_box(server, name), uid, &index);
	if (message)
		message->flaws = flaws;
	pthread_mutex_unlock(&server->lock);
}

void
fake_server_swap(FakeServer *server, const char *name, uint32_t uid, uint32_t origin)
{
	FakeMessage *message;
	guint index;

	pthread_mutex_lock(&server->lock);
	message = find(fake_box(server, name), uid, &index);
	if (message)
		message->origin = origin;
	pthread_mutex_unlock(&server->lock);
}

static void
number_from(FakeBox *box, uint32_t first)
{
	for (guint i = 0; i < box->messages->len; i++) {
		FakeMessage *message = &g_array_index(box->messages, FakeMessage, i);

		message->origin = fake_origin(message);
		message->uid = first + i;
	}
	box->uidnext = first + box->messages->len;
}

void
fake_server_renumber(FakeServer *server, const char *name, bool told)
{
	FakeBox *box;
	g_autofree char *line = NULL;

	pthread_mutex_lock(&server->lock);
	box = fake_box(server, name);
	number_from(box, 1);
	line = g_strdup_printf("* OK [UIDVALIDITY %u] renumbered\r\n", ++box->uidvalidity);
	if (told)
		tell(server, box, line);
	pthread_mutex_unlock(&server->lock);
	wake(server);
}

void
fake_server_uids_go_down(FakeServer *server, const char *name, uint32_t first)
{
	pthread_mutex_lock(&server->lock);
	number_from(fake_box(server, name), first);
	pthread_mutex_unlock(&server->lock);
}

char
fake_attachment_byte(size_t offset)
{
	return (char)('A' + (offset * 7 + offset / 1000) % 26);
}

unsigned
fake_server_count(FakeServer *server, const char *words)
{
	unsigned count = 0;

	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->log->len; i++)
		count += strstr(g_ptr_array_index(server->log, i), words) != NULL;
	pthread_mutex_unlock(&server->lock);
	return count;
}

unsigned
fake_server_count_on(FakeServer *server, unsigned number, const char *words)
{
	unsigned count = 0;

	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->log->len; i++)
		count += g_array_index(server->log_lines, unsigned, i) == number &&
			 strstr(g_ptr_array_index(server->log, i), words);
	pthread_mutex_unlock(&server->lock);
	return count;
}

unsigned
fake_server_lines(FakeServer *server)
{
	unsigned n = 0;

	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->lines->len; i++)
		n += ((const FakeLine *)g_ptr_array_index(server->lines, i))->logged_in;
	pthread_mutex_unlock(&server->lock);
	return n;
}

char **
fake_server_log(FakeServer *server)
{
	char **log;

	pthread_mutex_lock(&server->lock);
	log = g_new0(char *, server->log->len + 1);
	for (guint i = 0; i < server->log->len; i++)
		log[i] = g_strdup(g_ptr_array_index(server->log, i));
	pthread_mutex_unlock(&server->lock);
	return log;
}

void
fake_server_forget(FakeServer *server)
{
	pthread_mutex_lock(&server->lock);
	g_ptr_array_set_size(server->log, 0);
	g_array_set_size(server->log_lines, 0);
	server->bytes_out = 0;
	server->connections = 0;
	pthread_mutex_unlock(&server->lock);
}

unsigned
fake_server_connections(FakeServer *server)
{
	unsigned n;

	pthread_mutex_lock(&server->lock);
	n = server->connections;
	pthread_mutex_unlock(&server->lock);
	return n;
}

uint64_t
fake_server_bytes_out(FakeServer *server)
{
	uint64_t n;

	pthread_mutex_lock(&server->lock);
	n = server->bytes_out;
	pthread_mutex_unlock(&server->lock);
	return n;
}

bool
fake_server_is_idling(FakeServer *server)
{
	bool idling = false;

	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->lines->len; i++) {
		const FakeLine *line = g_ptr_array_index(server->lines, i);

		idling |= line->idle_tag && line->selected;
	}
	pthread_mutex_unlock(&server->lock);
	return idling;
}

/* ---- the socket ---------------------------------------------------------------------------------------- */

static void
line_free(void *data)
{
	FakeLine *line = data;

	close(line->fd);
	g_string_free(line->in, TRUE);
	g_string_free(line->news, TRUE);
	g_string_free(line->held, TRUE);
	g_string_free(line->content, TRUE);
	if (line->kept)
		g_string_free(line->kept, TRUE);
	g_free(line->kept_for);
	g_free(line->idle_tag);
	g_free(line->auth_tag);
	g_free(line);
}

/* Writes what was said; false: the line is gone. */
static bool
write_all(FakeServer *server, int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
		pthread_mutex_lock(&server->lock);
		server->bytes_out += (uint64_t)n;
		pthread_mutex_unlock(&server->lock);
	}
	return true;
}

/* Does the line held so far end in a literal's announcement (RFC 9051, 4.3)? */
static bool
announces_literal(FakeServer *server, FakeLine *at)
{
	const char *open = strrchr(at->held->str, '{');
	FakeRule *rule;

	if (!open || !g_str_has_suffix(at->held->str, "}"))
		return false;
	at->literal = strtoul(open + 1, NULL, 10);
	pthread_mutex_lock(&server->lock);
	for (guint i = 0; i < server->rules->len; i++) {
		rule = g_ptr_array_index(server->rules, i);
		if (rule->times && rule->action == FAKE_CUT_IN_LITERAL &&
		    strstr(at->held->str, rule->words)) {
			rule->times--;
			at->cut_literal = true;
		}
	}
	pthread_mutex_unlock(&server->lock);
	return true;
}

/* False: the literal is not here yet, or (MORE false) the line breaks in it. */
static bool
take_literal(FakeLine *at, bool *more)
{
	*more = !at->cut_literal || !at->in->len;
	if (at->cut_literal || at->in->len < at->literal)
		return false;
	if (!at->literal)
		return true;
	g_string_truncate(at->content, 0);
	g_string_append_len(at->content, at->in->str, (gssize)at->literal);
	g_string_erase(at->in, 0, (gssize)at->literal);
	at->literal = 0;
	g_string_append_c(at->held, '~');
	return true;
}

/* Takes whole lines off what came, and what they bring onto the line. */
/* COMMAND was answered on AT: what other lines kept for it. */
static void
say_kept(FakeServer *server, const FakeLine *at, const char *command)
{
	for (guint i = 0; i < server->lines->len; i++) {
		FakeLine *line = g_ptr_array_index(server->lines, i);

		if (line == at || !line->kept || !strstr(command, line->kept_for))
			continue;
		write_all(server, line->fd, line->kept->str, line->kept->len);
		g_string_free(g_steal_pointer(&line->kept), TRUE);
		g_clear_pointer(&line->kept_for, g_free);
	}
}

static bool
serve(FakeServer *server, FakeLine *at)
{
	char *end;

	for (;;) {
		g_autofree char *line = NULL;
		g_autoptr(GString) out = g_string_new(NULL);
		bool more;

		if (!take_literal(at, &more))
			return more;
		end = strstr(at->in->str, "\r\n");
		if (!end)
			break;
		g_string_append_len(at->held, at->in->str, end - at->in->str);
		g_string_erase(at->in, 0, end - at->in->str + 2);
		if (announces_literal(server, at)) {
			if (!g_str_has_suffix(at->held->str, "+}") &&
			    !write_all(server, at->fd, "+ go on\r\n", 9))
				return false;
			continue;
		}
		line = g_strdup(at->held->str);
		g_string_truncate(at->held, 0);
		pthread_mutex_lock(&server->lock);
		server->line = at;
		more = fake_command(server, line, out);
		server->line = NULL;
		pthread_mutex_unlock(&server->lock);
		if (!write_all(server, at->fd, out->str, out->len) || !more)
			return false;
		say_kept(server, at, line);
	}
	return true;
}

static bool
push_news(FakeServer *server, FakeLine *line)
{
	g_autoptr(GString) out = g_string_new(NULL);
	bool cut;

	pthread_mutex_lock(&server->lock);
	server->line = line;
	if (line->idle_tag || line->notifies)
		fake_tell_news(server, out);
	server->line = NULL;
	cut = line->cut;
	pthread_mutex_unlock(&server->lock);
	return write_all(server, line->fd, out->str, out->len) && !cut;
}

static bool
receive(FakeServer *server, FakeLine *line)
{
	char buffer[16384];
	ssize_t n = recv(line->fd, buffer, sizeof buffer, 0);

	if (n <= 0)
		return false;
	g_string_append_len(line->in, buffer, n);
	return serve(server, line);
}

/* Under the lock. */
static bool
is_full(const FakeServer *server)
{
	return (server->faults & FAKE_ONE_LINE && server->lines->len >= 1) ||
	       (server->faults & FAKE_TWO_LINES && server->lines->len >= 2);
}

static void
greet(FakeServer *server)
{
	FakeLine *line = g_new0(FakeLine, 1);
	g_autofree char *greeting = NULL;
	bool full;
	int on = 1;

	line->fd = accept(server->listener, NULL, NULL);
	if (line->fd < 0) {
		g_free(line);
		return;
	}
	setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	line->in = g_string_new(NULL);
	line->news = g_string_new(NULL);
	line->held = g_string_new(NULL);
	line->content = g_string_new(NULL);
	pthread_mutex_lock(&server->lock);
	full = is_full(server);
	greeting = full ? g_strdup("* BYE too many connections\r\n")
			: g_strdup_printf("* OK [CAPABILITY %s] ready\r\n", server->words);
	line->number = ++server->connections;
	if (!full)
		g_ptr_array_add(server->lines, line);
	pthread_mutex_unlock(&server->lock);
	write_all(server, line->fd, greeting, strlen(greeting));
	if (full)
		line_free(line);
}

static void
hang_up(FakeServer *server, FakeLine *line)
{
	pthread_mutex_lock(&server->lock);
	g_ptr_array_remove(server->lines, line);
	pthread_mutex_unlock(&server->lock);
}

static void *
run(void *data)
{
	FakeServer *server = data;
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));

	for (;;) {
		guint n = server->lines->len;
		struct pollfd own[2] = { { server->listener, POLLIN, 0 },
					 { server->wake[0], POLLIN, 0 } };
		char what = 0;

		g_array_set_size(fds, 0);
		g_array_append_vals(fds, own, 2);
		for (guint i = 0; i < n; i++) {
			const FakeLine *line = g_ptr_array_index(server->lines, i);
			struct pollfd one = { line->fd, POLLIN, 0 };

			g_array_append_val(fds, one);
		}
		if (poll((struct pollfd *)(void *)fds->data, fds->len, -1) < 0 && errno != EINTR)
			break;
		if (g_array_index(fds, struct pollfd, 1).revents &&
		    read(server->wake[0], &what, 1) == 1 && what == 'q')
			break;
		for (guint i = n; i > 0; i--) {
			FakeLine *line = g_ptr_array_index(server->lines, i - 1);

			if ((what && !push_news(server, line)) ||
			    (g_array_index(fds, struct pollfd, i + 1).revents &&
			     !receive(server, line)))
				hang_up(server, line);
		}
		if (g_array_index(fds, struct pollfd, 0).revents)
			greet(server);
	}
	return NULL;
}

static void
box_free(void *data)
{
	FakeBox *box = data;

	g_array_unref(box->messages);
	g_free(box->name);
	g_free(box);
}

static void
rule_free(void *data)
{
	FakeRule *rule = data;

	g_free(rule->words);
	g_free(rule->text);
	g_free(rule);
}

FakeBox *
fake_box_make(FakeServer *server, const char *name)
{
	FakeBox *box = g_new0(FakeBox, 1);

	box->name = g_strdup(name);
	box->messages = g_array_new(FALSE, FALSE, sizeof(FakeMessage));
	box->uidnext = 1;
	box->uidvalidity = 1000;
	box->modseq = 1;
	g_ptr_array_add(server->boxes, box);
	return box;
}

void
fake_server_remove(FakeServer *server, const char *name)
{
	pthread_mutex_lock(&server->lock);
	g_ptr_array_remove(server->boxes, fake_box(server, name));
	pthread_mutex_unlock(&server->lock);
}

bool
fake_server_is_subscribed(FakeServer *server, const char *name)
{
	bool is;

	pthread_mutex_lock(&server->lock);
	is = g_hash_table_contains(server->subscribed, name);
	pthread_mutex_unlock(&server->lock);
	return is;
}

FakeServer *
fake_server_new(void)
{
	FakeServer *server = g_new0(FakeServer, 1);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	pthread_mutex_init(&server->lock, NULL);
	server->words = g_strdup(ALL_WORDS);
	server->subscribed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	server->boxes = g_ptr_array_new_with_free_func(box_free);
	server->rules = g_ptr_array_new_with_free_func(rule_free);
	server->log = g_ptr_array_new_with_free_func(g_free);
	server->log_lines = g_array_new(FALSE, FALSE, sizeof(unsigned));
	server->lines = g_ptr_array_new_with_free_func(line_free);
	server->said = g_string_new(NULL);
	fake_box_make(server, "INBOX");
	fake_box_make(server, "Other");
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
fake_server_free(FakeServer *server)
{
	(void)!write(server->wake[1], "q", 1);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->wake[0]);
	close(server->wake[1]);
	g_ptr_array_unref(server->boxes);
	g_hash_table_unref(server->subscribed);
	g_ptr_array_unref(server->rules);
	g_ptr_array_unref(server->log);
	g_array_unref(server->log_lines);
	g_ptr_array_unref(server->lines);
	g_string_free(server->said, TRUE);
	g_free(server->words);
	pthread_mutex_destroy(&server->lock);
	g_free(server);
}

uint16_t
fake_server_port(const FakeServer *server)
{
	return server->port;
}
