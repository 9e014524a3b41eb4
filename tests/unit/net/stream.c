/* The line beneath any protocol: STARTTLS, and how it ends. */
#include "lab.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- without TLS ------------------------------------------------------------------------- */

static void
plain_text_stays_on_this_machine(void **state)
{
	static const char *const allowed[] = { "127.0.0.1", "localhost", "LOCALHOST.",
					       "imap.localhost" };
	static const char *const refused[] = {
		"far.test", "a.test", "192.0.2.1", "::2", "localhost.example.org", "127.1"
	};
	LabServer *server = lab_server_new(NULL, lab_echo, NULL);
	LabClient client = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++) {
		lab_client_open_to(&client, *state, server, NET_TLS_NEVER, allowed[i]);
		lab_client_write_line(&client, "hello"); /* before it is open */
		assert_true(lab_until_bytes(&client, 7));
		assert_string_equal(client.bytes->str, "hello\r\n");
		assert_false(net_stream_is_encrypted(client.stream));
		lab_client_clear(&client);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		lab_client_open_to(&client, *state, server, NET_TLS_NEVER, refused[i]);
		assert_true(lab_until_closed(&client));
		assert_int_equal(client.opened, 0);
		assert_true(postern_error_is(client.error, POSTERN_ERROR_CONFIG));
		lab_says(client.error, refused[i]);
		lab_client_clear(&client);
	}
	lab_server_free(server);
}

static void
what_is_no_host_is_named(void **state)
{
	static const char *const bad[] = {
		"",	"a b", "a..b",	    ".a",    "mail.example.org:993", "a/b", "\xff\xfe",
		"[::1", "-\n", "user@host", "::1%%", "127.0.0.1%lo"
	};
	LabServer *server = lab_server_new(NULL, lab_echo, NULL);
	LabClient client = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		lab_client_open_to(&client, *state, server, NET_TLS_AT_ONCE, bad[i]);
		assert_true(lab_until_closed(&client));
		if (!postern_error_is(client.error, POSTERN_ERROR_CONFIG))
			print_error("%s: %s\n", bad[i], client.error->message);
		assert_true(postern_error_is(client.error, POSTERN_ERROR_CONFIG));
		assert_true(g_utf8_validate(client.error->message, -1, NULL));
		lab_client_clear(&client);
	}
	lab_server_free(server);
}

static void
a_refused_connection_and_an_unknown_name_are_told_apart(void **state)
{
	LabServer *server = lab_server_new(NULL, lab_echo, NULL);
	NetAddress address = { "a.test", lab_server_port(server), NET_TLS_LATER, NULL, NULL };
	LabClient client = { 0 };

	lab_server_free(server);
	lab_client_open(&client, &address, 0);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_says(client.error, "a.test refuses connections on port ");
	lab_client_clear(&client);
	address.host = "no.invalid";
	lab_client_open(&client, &address, 0);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_says(client.error, "the name no.invalid is not found");
	lab_client_clear(&client);
}

/* A listener with a full queue takes no connection, and refuses none. */
static void
a_server_that_does_not_answer_is_given_up(void **state)
{
	LabClient client = { 0 };
	NetAddress address = { "127.0.0.1", 0, NET_TLS_NEVER, NULL, NULL };
	g_autoptr(GSocketListener) listener = g_socket_listener_new();
	g_autoptr(GSocketAddress) any = NULL;
	g_autoptr(GSocketAddress) got = NULL;
	g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
	GSocket *fill[8] = { NULL };

	g_socket_listener_set_backlog(listener, 0);
	any = g_inet_socket_address_new(loopback, 0);
	assert_true(g_socket_listener_add_address(listener, any, G_SOCKET_TYPE_STREAM,
						  G_SOCKET_PROTOCOL_TCP, NULL, &got, NULL));
	address.port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(got));
	for (size_t i = 0; i < G_N_ELEMENTS(fill); i++) {
		fill[i] = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
				       G_SOCKET_PROTOCOL_TCP, NULL);
		g_socket_set_blocking(fill[i], FALSE);
		g_socket_connect(fill[i], got, NULL, NULL);
	}
	lab_client_open(&client, &address, 50);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_says(client.error, "did not answer on port ");
	lab_client_clear(&client);
	for (size_t i = 0; i < G_N_ELEMENTS(fill); i++)
		g_clear_object(&fill[i]);
}

/* ---- STARTTLS ---------------------------------------------------------------------------- */

typedef struct Injection {
	const char *glued;  /* behind the answer, in the same write */
	const char *later;  /* in a write of its own, before TLS */
	bool is_in_tls_too; /* whether the server goes on with TLS */
	GString *heard;	    /* what the client said in clear */
} Injection;

static void
agree_to_tls(LabPeer *peer, void *data)
{
	Injection *injection = data;
	g_autofree char *command = NULL;
	g_autofree char *inside = NULL;
	g_autofree char *answer =
	    g_strconcat("A1 OK go ahead\r\n", injection->glued ? injection->glued : "", NULL);
	char byte;

	lab_say_line(peer, "* OK hello");
	command = lab_hear_line(peer);
	g_string_append(injection->heard, command ? command : "(nothing)");
	lab_say(peer, answer, strlen(answer));
	if (injection->later)
		lab_say(peer, injection->later, strlen(injection->later));
	if (lab_tls(peer) && (inside = lab_hear_line(peer))) {
		lab_say_line(peer, inside);
		lab_hear(peer, &byte, 1);
		lab_goodbye(peer);
	}
}

/* Like a session: reads lines, and asks for TLS by what they are. */
static void
talk_tls(LabClient *client, Span *in)
{
	const char *end = memchr(in->at, '\n', span_size(*in));
	Span line;

	if (!end)
		return;
	line = (Span){ in->at, end + 1 };
	in->at = line.end;
	g_string_append_len(client->bytes, line.at, (gssize)span_size(line));
	if (span_starts_nocase(line, "* OK")) {
		lab_client_write_line(client, "A1 STARTTLS");
	} else if (span_starts_nocase(line, "A1 OK")) {
		net_stream_start_tls(client->stream);
		lab_client_write_line(client, "A2 LOGIN ada secret");
	}
}

static void
after_the_answer_everything_is_encrypted(void **state)
{
	Lab *lab = *state;
	Injection none = { .heard = g_string_new(NULL) };
	LabServer *server = lab_server_new(&lab->cert, agree_to_tls, &none);
	LabClient client = { .hook = talk_tls };
	const char *all = "* OK hello\r\nA1 OK go ahead\r\nA2 LOGIN ada secret\r\n";

	lab_client_open_to(&client, lab, server, NET_TLS_LATER, "a.test");
	assert_true(lab_until_opened(&client, 1));
	assert_false(net_stream_is_encrypted(client.stream));
	assert_true(lab_until_opened(&client, 2));
	assert_true(net_stream_is_encrypted(client.stream));
	assert_true(lab_until_bytes(&client, strlen(all)));
	assert_string_equal(client.bytes->str, all);
	lab_client_clear(&client);
	lab_server_free(server);
	assert_string_equal(none.heard->str, "A1 STARTTLS");
	g_string_free(none.heard, TRUE);
}

static void
bytes_injected_before_tls_end_the_line(void **state)
{
	static const Injection rows[] = {
		{ .glued = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" },
		{ .glued = "x" },
		{ .later = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" },
		{ .later = "A2 OK you are in\r\n" },
		{ .later = "\x16" },
		{ .later = "\x17\x03\x03" },
	};
	Lab *lab = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		Injection injection = rows[i];
		LabClient client = { .hook = talk_tls };
		LabServer *server;

		injection.heard = g_string_new(NULL);
		server = lab_server_new(&lab->cert, agree_to_tls, &injection);
		lab_client_open_to(&client, lab, server, NET_TLS_LATER, "a.test");
		assert_true(lab_until_closed(&client));
		assert_int_equal(client.opened, 1);
		/* One byte that looks like a record may also be taken for a broken handshake. */
		assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST) ||
			    (i >= 4 && postern_error_is(client.error, POSTERN_ERROR_OFFLINE)));
		assert_string_equal(client.bytes->str, "* OK hello\r\nA1 OK go ahead\r\n");
		lab_client_clear(&client);
		lab_server_free(server);
		assert_string_equal(injection.heard->str, "A1 STARTTLS");
		g_string_free(injection.heard, TRUE);
	}
}

static void
ask_twice(LabClient *client)
{
	if (client->opened == 2)
		net_stream_start_tls(client->stream);
}

static void
tls_is_begun_once_and_only_where_agreed(void **state)
{
	Lab *lab = *state;
	Injection none = { .heard = g_string_new(NULL) };
	LabServer *server = lab_server_new(&lab->cert, agree_to_tls, &none);
	LabServer *plain = lab_server_new(NULL, lab_echo, NULL);
	LabClient client = { .hook = talk_tls, .open_hook = ask_twice };

	lab_client_open_to(&client, lab, server, NET_TLS_LATER, "a.test");
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_client_clear(&client);
	lab_client_open_to(&client, lab, plain, NET_TLS_NEVER, "127.0.0.1");
	assert_true(lab_until_opened(&client, 1));
	net_stream_start_tls(client.stream);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_client_clear(&client);
	lab_server_free(server);
	lab_server_free(plain);
	g_string_free(none.heard, TRUE);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void
free_now(LabClient *client, Span *in)
{
	client->offers = 1000;
	net_stream_free(client->stream);
	client->stream = NULL;
}

static void
free_on_open(LabClient *client)
{
	net_stream_free(client->stream);
	client->stream = NULL;
}

static void
a_callback_may_free_the_stream(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, lab_flood, lab);
	LabServer *plain = lab_server_new(NULL, lab_flood, NULL);
	LabClient client = { .hook = free_now };

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	while (client.stream)
		g_main_context_iteration(NULL, TRUE);
	lab_settle(20);
	assert_int_equal(client.offers, 1000);
	assert_int_equal(client.closed, 0);
	lab_client_clear(&client);
	for (int i = 0; i < 2; i++) {
		client.open_hook = free_on_open;
		lab_client_open_to(&client, lab, i ? plain : server,
				   i ? NET_TLS_LATER : NET_TLS_AT_ONCE, "a.test");
		while (client.stream)
			g_main_context_iteration(NULL, TRUE);
		lab_settle(20);
		assert_int_equal(client.offers + client.closed, 0);
		lab_client_clear(&client);
	}
	lab_server_free(server);
	lab_server_free(plain);
}

static void
freed_at_any_moment_nothing_is_called(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, lab_flood, lab);
	LabClient client = { 0 };

	for (int turns = 0; turns < 12; turns++) {
		lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
		for (int i = 0; i < turns; i++)
			g_main_context_iteration(NULL, FALSE);
		net_stream_free(client.stream);
		client.stream = NULL;
		client.opened = 1000;
		lab_settle(5);
		assert_int_equal(client.opened, 1000);
		assert_int_equal(client.closed, 0);
		lab_client_clear(&client);
	}
	lab_server_free(server);
}

static void
hear_all(LabPeer *peer, void *data)
{
	GString *heard = data;
	char byte;

	if (lab_tls(peer)) {
		while (lab_hear(peer, &byte, 1) == 1)
			g_string_append_c(heard, byte);
		g_string_append(heard,
				SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN ? "." : "!");
	}
}

static void
freeing_says_what_is_queued_and_goodbye(void **state)
{
	Lab *lab = *state;
	GString *heard = g_string_new(NULL);
	LabServer *server = lab_server_new(&lab->cert, hear_all, heard);
	LabClient client = { 0 };

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(lab_until_opened(&client, 1));
	lab_client_write_line(&client, "A9 LOGOUT");
	lab_client_clear(&client);
	lab_server_free(server);
	assert_string_equal(heard->str, "A9 LOGOUT\r\n.");
	g_string_free(heard, TRUE);
}

static void
say_and_slam(LabPeer *peer, void *data)
{
	const struct linger now = { .l_onoff = 1 };
	char byte;

	lab_hear(peer, &byte, 1);
	lab_say_line(peer, "* BYE too many connections");
	lab_say_line(peer, "* really");
	if (data)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void
the_last_words_are_read_before_the_end_is_told(void **state)
{
	LabServer *server = lab_server_new(NULL, say_and_slam, NULL);
	LabClient client = { 0 };
	g_autofree char *much = g_malloc0(1024 * 1024);

	lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
	assert_true(net_stream_write(client.stream, SPAN_LITERAL("x")));
	assert_true(lab_until_closed(&client));
	assert_string_equal(client.bytes->str, "* BYE too many connections\r\n* really\r\n");
	lab_says(client.error, "127.0.0.1 closed the line");
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_settle(20);
	assert_int_equal(client.closed, 1);
	assert_false(net_stream_write(client.stream, SPAN_LITERAL("y")));
	net_stream_start_tls(client.stream);
	net_stream_pause(client.stream, true);
	net_stream_pause(client.stream, false);
	assert_false(net_stream_start_deflate(client.stream, NULL));
	lab_settle(20);
	assert_int_equal(client.closed, 1);
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
a_reset_ends_the_line_once(void **state)
{
	LabServer *server = lab_server_new(NULL, say_and_slam, &server);
	LabClient client = { 0 };
	g_autofree char *much = g_malloc0(4 * 1024 * 1024);

	lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
	net_stream_write(client.stream, span_of(much, 4 * 1024 * 1024));
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_settle(20);
	assert_int_equal(client.closed, 1);
	lab_client_clear(&client);
	lab_server_free(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays_on_this_machine),
		cmocka_unit_test(what_is_no_host_is_named),
		cmocka_unit_test(a_refused_connection_and_an_unknown_name_are_told_apart),
		cmocka_unit_test(a_server_that_does_not_answer_is_given_up),
		cmocka_unit_test(after_the_answer_everything_is_encrypted),
		cmocka_unit_test(bytes_injected_before_tls_end_the_line),
		cmocka_unit_test(tls_is_begun_once_and_only_where_agreed),
		cmocka_unit_test(a_callback_may_free_the_stream),
		cmocka_unit_test(freed_at_any_moment_nothing_is_called),
		cmocka_unit_test(freeing_says_what_is_queued_and_goodbye),
		cmocka_unit_test(the_last_words_are_read_before_the_end_is_told),
		cmocka_unit_test(a_reset_ends_the_line_once),
	};

	return cmocka_run_group_tests_name("net/stream", tests, lab_set_up, lab_tear_down);
}
