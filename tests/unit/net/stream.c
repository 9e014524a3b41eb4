/* The line beneath any protocol: STARTTLS, deflate, back-pressure, and how it ends. */
#include "lab.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

typedef struct Lab {
	LabCert root, cert;
	char *ca_file;
} Lab;

static int
set_up(void **state)
{
	Lab *lab = g_new0(Lab, 1);

	lab_resolve();
	lab->root = lab_cert((LabCertWish){ .cn = "Test Root", .is_authority = true });
	lab->cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	lab->ca_file = lab_cert_file(&lab->root, false);
	*state = lab;
	return 0;
}

static int
tear_down(void **state)
{
	Lab *lab = *state;

	unlink(lab->ca_file);
	g_free(lab->ca_file);
	lab_cert_clear(&lab->root);
	lab_cert_clear(&lab->cert);
	g_free(lab);
	return 0;
}

static void
open_to(LabClient *client, const Lab *lab, const LabServer *server, NetTls tls, const char *host)
{
	const NetAddress address = {
		.host = host,
		.port = lab_server_port(server),
		.tls = tls,
		.ca_file = lab->ca_file,
	};

	lab_client_open(client, &address, 0);
}

static void
write_line(LabClient *client, const char *line)
{
	g_autofree char *whole = g_strconcat(line, "\r\n", NULL);

	assert_true(net_stream_write(client->stream, span_of_string(whole)));
}

/* ---- without TLS ------------------------------------------------------------------------- */

static void
echo(LabPeer *peer, void *data)
{
	g_autofree char *bytes = g_malloc(65536);
	ssize_t size;

	while ((size = lab_hear(peer, bytes, 65536)) > 0 && lab_say(peer, bytes, (size_t)size))
		;
}

static void
plain_text_stays_on_this_machine(void **state)
{
	static const char *const allowed[] = { "127.0.0.1", "localhost", "LOCALHOST.",
					       "imap.localhost" };
	static const char *const refused[] = {
		"far.test", "a.test", "192.0.2.1", "::2", "localhost.example.org", "127.1"
	};
	LabServer *server = lab_server_new(NULL, echo, NULL);
	LabClient client = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++) {
		open_to(&client, *state, server, NET_TLS_NEVER, allowed[i]);
		write_line(&client, "hello"); /* before it is open */
		assert_true(lab_until_bytes(&client, 7));
		assert_string_equal(client.bytes->str, "hello\r\n");
		assert_false(net_stream_is_encrypted(client.stream));
		lab_client_clear(&client);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		open_to(&client, *state, server, NET_TLS_NEVER, refused[i]);
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
	LabServer *server = lab_server_new(NULL, echo, NULL);
	LabClient client = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		open_to(&client, *state, server, NET_TLS_AT_ONCE, bad[i]);
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
	LabServer *server = lab_server_new(NULL, echo, NULL);
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
		write_line(client, "A1 STARTTLS");
	} else if (span_starts_nocase(line, "A1 OK")) {
		net_stream_start_tls(client->stream);
		write_line(client, "A2 LOGIN ada secret");
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

	open_to(&client, lab, server, NET_TLS_LATER, "a.test");
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
		open_to(&client, lab, server, NET_TLS_LATER, "a.test");
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
	LabServer *plain = lab_server_new(NULL, echo, NULL);
	LabClient client = { .hook = talk_tls, .open_hook = ask_twice };

	open_to(&client, lab, server, NET_TLS_LATER, "a.test");
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_client_clear(&client);
	open_to(&client, lab, plain, NET_TLS_NEVER, "127.0.0.1");
	assert_true(lab_until_opened(&client, 1));
	net_stream_start_tls(client.stream);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_client_clear(&client);
	lab_server_free(server);
	lab_server_free(plain);
	g_string_free(none.heard, TRUE);
}

/* ---- deflate ----------------------------------------------------------------------------- */

static size_t
squeeze(z_stream *z, const void *bytes, size_t size, int flush, void *out, size_t room)
{
	z->next_in = (Bytef *)(uintptr_t)bytes;
	z->avail_in = (uInt)size;
	z->next_out = out;
	z->avail_out = (uInt)room;
	deflate(z, flush);
	assert_true(z->avail_out > 0);
	return room - z->avail_out;
}

/* Answers one plain line with OK, glued to the first deflated bytes, then echoes in deflate. */
static void
echo_deflated(LabPeer *peer, void *data)
{
	z_stream pack = { 0 };
	z_stream unpack = { 0 };
	g_autofree char *line = NULL;
	g_autofree char *in = g_malloc(65536);
	g_autofree char *plain = g_malloc(65536);
	g_autofree char *out = g_malloc(200000);
	size_t size;
	ssize_t got;

	deflateInit2(&pack, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	inflateInit2(&unpack, -15);
	if (peer->context && data)
		lab_tls(peer);
	line = lab_hear_line(peer);
	memcpy(out, "A1 OK deflate\r\n", 15);
	size = 15 + squeeze(&pack, "* 1 EXISTS\r\n", 12, Z_SYNC_FLUSH, out + 15, 1000);
	lab_say(peer, out, size);
	while ((got = lab_hear(peer, in, 65536)) > 0) {
		unpack.next_in = (Bytef *)in;
		unpack.avail_in = (uInt)got;
		do {
			unpack.next_out = (Bytef *)plain;
			unpack.avail_out = 65536;
			inflate(&unpack, Z_SYNC_FLUSH);
			size = squeeze(&pack, plain, 65536 - unpack.avail_out, Z_SYNC_FLUSH, out,
				       200000);
			lab_say(peer, out, size);
		} while (!unpack.avail_out);
	}
	deflateEnd(&pack);
	inflateEnd(&unpack);
}

static void
talk_deflate(LabClient *client, Span *in)
{
	const char *end;
	g_autoptr(GError) error = NULL;

	while ((end = memchr(in->at, '\n', span_size(*in)))) {
		Span line = { in->at, end + 1 };

		in->at = line.end;
		g_string_append_len(client->bytes, line.at, (gssize)span_size(line));
		if (span_starts_nocase(line, "A1 OK")) {
			assert_true(net_stream_start_deflate(client->stream, &error));
			assert_false(net_stream_start_deflate(client->stream, &error));
			assert_true(net_stream_is_deflated(client->stream));
			return;
		}
	}
}

static void
deflate_runs_both_ways(Lab *lab, NetTls tls, const char *host)
{
	LabServer *server =
	    lab_server_new(&lab->cert, echo_deflated, tls == NET_TLS_AT_ONCE ? lab : NULL);
	LabClient client = { .hook = talk_deflate };
	GString *sent = g_string_new("A1 OK deflate\r\n* 1 EXISTS\r\n");
	NetCounts counts;

	open_to(&client, lab, server, tls, host);
	write_line(&client, "A1 COMPRESS DEFLATE");
	assert_true(lab_until_bytes(&client, sent->len));
	assert_string_equal(client.bytes->str, sent->str);
	for (int i = 0; i < 20000; i++) {
		g_autofree char *line = g_strdup_printf("A%d FETCH %d (FLAGS)", i, i * 7);

		write_line(&client, line);
		g_string_append_printf(sent, "%s\r\n", line);
	}
	assert_true(lab_until_bytes(&client, sent->len));
	assert_string_equal(client.bytes->str, sent->str);
	assert_int_equal(net_stream_queued_bytes(client.stream), 0);
	net_stream_counts(client.stream, &counts);
	assert_int_equal(counts.plain_in, sent->len);
	assert_true(counts.wire_out * 2 < counts.plain_out);
	assert_true(counts.wire_in * 2 < counts.plain_in);
	lab_client_clear(&client);
	lab_server_free(server);
	g_string_free(sent, TRUE);
}

static void
deflate_runs_in_clear_and_in_tls(void **state)
{
	deflate_runs_both_ways(*state, NET_TLS_NEVER, "127.0.0.1");
	deflate_runs_both_ways(*state, NET_TLS_AT_ONCE, "a.test");
}

typedef struct Block {
	const void *bytes;
	size_t size;
} Block;

static void
say_block(LabPeer *peer, void *data)
{
	const Block *block = data;
	char byte;

	lab_say_line(peer, "A1 OK deflate");
	lab_say(peer, block->bytes, block->size);
	lab_hear(peer, &byte, 1);
}

/* Takes everything once it is deflated. */
static void
swallow_deflated(LabClient *client, Span *in)
{
	if (!net_stream_is_deflated(client->stream)) {
		talk_deflate(client, in);
		return;
	}
	g_string_append_len(client->bytes, in->at, (gssize)span_size(*in));
	in->at = in->end;
}

static void
a_deflate_bomb_ends_the_line(void **state)
{
	static const size_t bomb_size = 64 * 1024 * 1024;
	g_autofree char *zeros = g_malloc0(bomb_size);
	g_autofree char *packed = g_malloc(1024 * 1024);
	z_stream pack = { 0 };
	Block bomb = { packed, 0 };
	LabServer *server;
	LabClient client = { .hook = swallow_deflated };

	deflateInit2(&pack, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
	bomb.size = squeeze(&pack, zeros, bomb_size, Z_SYNC_FLUSH, packed, 1024 * 1024);
	deflateEnd(&pack);
	assert_true(bomb.size * 1000 < bomb_size);
	server = lab_server_new(NULL, say_block, &bomb);
	open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_PROTOCOL));
	lab_says(client.error, "thousandfold");
	/* As soon as it shows, and never much of it at once. */
	assert_true(client.bytes->len < bomb_size);
	assert_true(client.largest_offer <= 64 * 1024);
	lab_client_clear(&client);
	lab_server_free(server);
}

/* Mail at its most monotonous, a file of zeros in base64, is no bomb. */
static void
monotonous_mail_is_no_bomb(void **state)
{
	GString *mail = g_string_new(NULL);
	g_autofree char *packed = g_malloc(4 * 1024 * 1024);
	z_stream pack = { 0 };
	Block block = { packed, 0 };
	LabServer *server;
	LabClient client = { .hook = talk_deflate };

	while (mail->len < 8 * 1024 * 1024) {
		g_string_append(mail,
				"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
				"AAAAAAAAAAAA\r\n");
	}
	deflateInit2(&pack, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
	block.size = squeeze(&pack, mail->str, mail->len, Z_SYNC_FLUSH, packed, 4 * 1024 * 1024);
	deflateEnd(&pack);
	server = lab_server_new(NULL, say_block, &block);
	open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
	assert_true(lab_until_bytes(&client, mail->len + 15));
	assert_int_equal(client.closed, 0);
	lab_client_clear(&client);
	lab_server_free(server);
	g_string_free(mail, TRUE);
}

static void
broken_deflate_ends_the_line(void **state)
{
	static const Block rows[] = {
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
		/* A whole last block, then more. */
		{ "\x4b\x04\x00\x4b\x04\x00", 6 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		LabServer *server = lab_server_new(NULL, say_block, (void *)(uintptr_t)&rows[i]);
		LabClient client = { .hook = talk_deflate };

		open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
		assert_true(lab_until_closed(&client));
		assert_true(postern_error_is(client.error, POSTERN_ERROR_PROTOCOL));
		lab_client_clear(&client);
		lab_server_free(server);
	}
}

/* ---- much, and little -------------------------------------------------------------------- */

static void
echo_in_tls(LabPeer *peer, void *data)
{
	if (lab_tls(peer))
		echo(peer, data);
	lab_goodbye(peer);
}

static void
much_goes_through_in_tiny_pieces(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, echo_in_tls, NULL);
	LabClient client = { 0 };
	GString *sent = g_string_new(NULL);

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	for (unsigned i = 0; i < 300000; i++) {
		char byte = (char)(i * 2654435761u >> 24);

		g_string_append_c(sent, byte);
		assert_true(net_stream_write(client.stream, span_of(&byte, 1)));
	}
	assert_int_equal(net_stream_queued_bytes(client.stream), sent->len);
	assert_true(lab_until_bytes(&client, sent->len));
	assert_true(g_string_equal(client.bytes, sent));
	assert_int_equal(client.writable, 1);
	assert_int_equal(net_stream_queued_bytes(client.stream), 0);
	lab_client_clear(&client);
	lab_server_free(server);
	g_string_free(sent, TRUE);
}

static void
drip(LabPeer *peer, void *data)
{
	char byte = 'x';

	if (!lab_tls(peer))
		return;
	for (int i = 0; i < 200; i++)
		lab_say(peer, &byte, 1);
	/* A record in two halves: TLS must wait for the rest. */
	lab_say(peer, "end", 3);
	lab_hear(peer, &byte, 1);
	lab_goodbye(peer);
}

static void
one_byte_at_a_time_arrives_whole(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, drip, NULL);
	LabClient client = { 0 };

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(lab_until_bytes(&client, 203));
	assert_int_equal(strspn(client.bytes->str, "x"), 200);
	lab_client_clear(&client);
	lab_server_free(server);
}

/* Takes three bytes at most of what is offered. */
static void
take_three(LabClient *client, Span *in)
{
	size_t size = MIN(span_size(*in), 3u);

	g_string_append_len(client->bytes, in->at, (gssize)size);
	in->at += size;
}

static void
what_is_left_is_offered_again_with_more(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, echo_in_tls, NULL);
	LabClient client = { .hook = take_three };

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	for (int i = 0; i < 4; i++) {
		assert_true(net_stream_write(client.stream, SPAN_LITERAL("abcd")));
		assert_true(lab_until_bytes(&client, 3u * ((unsigned)i + 1)));
	}
	assert_string_equal(client.bytes->str, "abcdabcdabcd");
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
flood(LabPeer *peer, void *data)
{
	g_autofree char *bytes = g_malloc0(65536);

	if (data)
		lab_tls(peer);
	while (lab_say(peer, bytes, 65536))
		;
}

static void
who_never_takes_is_cut_off(void **state)
{
	LabServer *server = lab_server_new(NULL, flood, NULL);
	LabClient client = { .keeps = true };

	open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_PROTOCOL));
	assert_true(client.largest_offer < 5 * 1024 * 1024);
	lab_client_clear(&client);
	lab_server_free(server);
}

static gboolean
count_turn(void *data)
{
	(*(unsigned *)data)++;
	return G_SOURCE_CONTINUE;
}

/* Other sources of the same priority have their turn between bounded reads. */
static void
a_flood_leaves_the_loop_its_turns(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, flood, lab);
	LabClient client = { 0 };
	unsigned turns = 0;
	size_t before, most = 0;
	guint counter;

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(lab_until_opened(&client, 1));
	counter = g_idle_add_full(G_PRIORITY_DEFAULT, count_turn, &turns, NULL);
	while (client.bytes->len < 16 * 1024 * 1024) {
		before = client.bytes->len;
		g_main_context_iteration(NULL, TRUE);
		most = MAX(most, client.bytes->len - before);
	}
	g_source_remove(counter);
	assert_true(turns >= 16 * 1024 / 256);
	assert_true(most <= 256 * 1024);
	lab_client_clear(&client);
	lab_server_free(server);
}

/* ---- pausing ----------------------------------------------------------------------------- */

static void
pause_after_first(LabClient *client, Span *in)
{
	g_string_append_len(client->bytes, in->at, 1);
	in->at++;
	net_stream_pause(client->stream, true);
}

static void
a_paused_stream_offers_nothing_and_goes_on(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, echo_in_tls, NULL);
	LabClient client = { .hook = pause_after_first };

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(net_stream_write(client.stream, SPAN_LITERAL("abc")));
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(lab_until_bytes(&client, i));
		assert_int_equal(client.offers, i);
		lab_settle(20);
		assert_int_equal(client.offers, i);
		/* No more arrives: what was left is offered by itself. */
		net_stream_pause(client.stream, false);
	}
	assert_string_equal(client.bytes->str, "abc");
	lab_settle(20);
	assert_int_equal(client.offers, 3);
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
a_paused_stream_holds_the_server_back(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, flood, lab);
	LabClient client = { 0 };
	NetCounts before, after;

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(lab_until_bytes(&client, 1));
	net_stream_pause(client.stream, true);
	lab_settle(0);
	net_stream_counts(client.stream, &before);
	lab_settle(50);
	net_stream_counts(client.stream, &after);
	assert_int_equal(before.wire_in, after.wire_in);
	net_stream_pause(client.stream, false);
	assert_true(lab_until_bytes(&client, client.bytes->len + 1024 * 1024));
	lab_client_clear(&client);
	lab_server_free(server);
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
	LabServer *server = lab_server_new(&lab->cert, flood, lab);
	LabServer *plain = lab_server_new(NULL, flood, NULL);
	LabClient client = { .hook = free_now };

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	while (client.stream)
		g_main_context_iteration(NULL, TRUE);
	lab_settle(20);
	assert_int_equal(client.offers, 1000);
	assert_int_equal(client.closed, 0);
	lab_client_clear(&client);
	for (int i = 0; i < 2; i++) {
		client.open_hook = free_on_open;
		open_to(&client, lab, i ? plain : server, i ? NET_TLS_LATER : NET_TLS_AT_ONCE,
			"a.test");
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
	LabServer *server = lab_server_new(&lab->cert, flood, lab);
	LabClient client = { 0 };

	for (int turns = 0; turns < 12; turns++) {
		open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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

	open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	assert_true(lab_until_opened(&client, 1));
	write_line(&client, "A9 LOGOUT");
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

	open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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

	open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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
		cmocka_unit_test(deflate_runs_in_clear_and_in_tls),
		cmocka_unit_test(a_deflate_bomb_ends_the_line),
		cmocka_unit_test(monotonous_mail_is_no_bomb),
		cmocka_unit_test(broken_deflate_ends_the_line),
		cmocka_unit_test(much_goes_through_in_tiny_pieces),
		cmocka_unit_test(one_byte_at_a_time_arrives_whole),
		cmocka_unit_test(what_is_left_is_offered_again_with_more),
		cmocka_unit_test(who_never_takes_is_cut_off),
		cmocka_unit_test(a_flood_leaves_the_loop_its_turns),
		cmocka_unit_test(a_paused_stream_offers_nothing_and_goes_on),
		cmocka_unit_test(a_paused_stream_holds_the_server_back),
		cmocka_unit_test(a_callback_may_free_the_stream),
		cmocka_unit_test(freed_at_any_moment_nothing_is_called),
		cmocka_unit_test(freeing_says_what_is_queued_and_goodbye),
		cmocka_unit_test(the_last_words_are_read_before_the_end_is_told),
		cmocka_unit_test(a_reset_ends_the_line_once),
	};

	return cmocka_run_group_tests_name("net/stream", tests, set_up, tear_down);
}
