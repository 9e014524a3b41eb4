/* What goes over the line beneath any protocol: deflate, back-pressure, pausing. */
#include "lab.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

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

	lab_client_open_to(&client, lab, server, tls, host);
	lab_client_write_line(&client, "A1 COMPRESS DEFLATE");
	assert_true(lab_until_bytes(&client, sent->len));
	assert_string_equal(client.bytes->str, sent->str);
	for (int i = 0; i < 20000; i++) {
		g_autofree char *line = g_strdup_printf("A%d FETCH %d (FLAGS)", i, i * 7);

		lab_client_write_line(&client, line);
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
	lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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
	lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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

		lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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
		lab_echo(peer, data);
	lab_goodbye(peer);
}

static void
much_goes_through_in_tiny_pieces(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(&lab->cert, echo_in_tls, NULL);
	LabClient client = { 0 };
	GString *sent = g_string_new(NULL);

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
	for (int i = 0; i < 4; i++) {
		assert_true(net_stream_write(client.stream, SPAN_LITERAL("abcd")));
		assert_true(lab_until_bytes(&client, 3u * ((unsigned)i + 1)));
	}
	assert_string_equal(client.bytes->str, "abcdabcdabcd");
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
who_never_takes_is_cut_off(void **state)
{
	LabServer *server = lab_server_new(NULL, lab_flood, NULL);
	LabClient client = { .keeps = true };

	lab_client_open_to(&client, *state, server, NET_TLS_NEVER, "127.0.0.1");
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
	LabServer *server = lab_server_new(&lab->cert, lab_flood, lab);
	LabClient client = { 0 };
	unsigned turns = 0;
	size_t before, most = 0;
	guint counter;

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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
	LabServer *server = lab_server_new(&lab->cert, lab_flood, lab);
	LabClient client = { 0 };
	NetCounts before, after;

	lab_client_open_to(&client, lab, server, NET_TLS_AT_ONCE, "a.test");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("net/stream-flow", tests, lab_set_up, lab_tear_down);
}
