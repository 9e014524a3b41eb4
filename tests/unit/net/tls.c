/* What a TLS line refuses, and in which words; and what it says of itself when it stands. */
#include "lab.h"

#include "base/error.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Greets inside TLS and waits for the client to leave. */
static void
greet(LabPeer *peer, void *data)
{
	char byte;

	if (lab_tls(peer) && lab_say_line(peer, "* OK hello"))
		lab_hear(peer, &byte, 1);
	lab_goodbye(peer);
}

static void
open_to(LabClient *client, const Lab *lab, const LabServer *server, const char *host)
{
	lab_client_open_to(client, lab, server, NET_TLS_AT_ONCE, host);
}

/* A server with a certificate by WISH (issued by the trusted root unless it says otherwise) is
 * called HOST: ends with WORDS, or with none stands. */
static void
try_cert(Lab *lab, LabCertWish wish, bool by_itself, const char *host, const char *words)
{
	LabCert cert;
	LabServer *server;
	LabClient client = { 0 };

	if (!wish.issuer && !by_itself)
		wish.issuer = &lab->root;
	cert = lab_cert(wish);
	server = lab_server_new(&cert, greet, NULL);
	open_to(&client, lab, server, host);
	if (words) {
		assert_true(lab_until_closed(&client));
		assert_int_equal(client.opened, 0);
		assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
		lab_says(client.error, words);
		lab_says(client.error, host);
	} else {
		assert_true(lab_until_bytes(&client, strlen("* OK hello\r\n")));
		assert_int_equal(client.opened, 1);
		assert_true(net_stream_is_encrypted(client.stream));
		assert_string_equal(client.bytes->str, "* OK hello\r\n");
	}
	lab_client_clear(&client);
	lab_server_free(server);
	lab_cert_clear(&cert);
}

static void
a_good_certificate_is_taken(void **state)
{
	try_cert(*state, (LabCertWish){ .san = "DNS:mail.example.org", .usage = "serverAuth" },
		 false, "mail.example.org", NULL);
	try_cert(*state, (LabCertWish){ .san = "DNS:mail.example.org" }, false, "Mail.Example.ORG.",
		 NULL);
}

static void
dates_are_checked(void **state)
{
	LabCertWish expired = { .san = "DNS:a.test", .from_days = -20, .to_days = -10 };
	LabCertWish early = { .san = "DNS:a.test", .from_days = 10, .to_days = 20 };
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) then = g_date_time_add_days(now, -10);
	g_autofree char *day =
	    g_date_time_format(then, "the certificate of a.test expired on %Y-%m-%d");

	try_cert(*state, expired, false, "a.test", day);
	try_cert(*state, early, false, "a.test", "the certificate of a.test is not valid before ");
}

static void
an_expired_issuer_is_named(void **state)
{
	Lab *lab = *state;
	LabCert old = lab_cert((LabCertWish){
	    .cn = "Old Issuer", .is_authority = true, .from_days = -20, .to_days = -10 });
	g_autofree char *file = lab_cert_file(&old, false);
	Lab trusting = { .ca_file = file };

	try_cert(&trusting, (LabCertWish){ .san = "DNS:a.test", .issuer = &old }, false, "a.test",
		 "rests on one (CN=Old Issuer) that expired on ");
	unlink(file);
	lab_cert_clear(&old);
	(void)lab;
}

static void
issuers_are_checked(void **state)
{
	Lab *lab = *state;
	LabCert leaf = lab_cert((LabCertWish){ .cn = "No Authority", .issuer = &lab->root });

	try_cert(lab, (LabCertWish){ .san = "DNS:a.test" }, true, "a.test",
		 "the certificate of a.test is self-signed");
	try_cert(lab, (LabCertWish){ .san = "DNS:a.test", .issuer = &lab->other }, false, "a.test",
		 "does not know (CN=Other Root): if that is the right one, name a file with the "
		 "issuer's certificate by ca-file");
	try_cert(lab, (LabCertWish){ .san = "DNS:a.test", .issuer = &leaf }, false, "a.test",
		 "the certificate of a.test ");
	lab_cert_clear(&leaf);
}

static void
names_are_checked_by_san_alone(void **state)
{
	Lab *lab = *state;

	try_cert(lab, (LabCertWish){ .san = "DNS:b.test,DNS:c.test,IP:10.0.0.1" }, false, "a.test",
		 "the certificate of a.test is not for that name, but for b.test, c.test, "
		 "10.0.0.1");
	try_cert(lab, (LabCertWish){ .cn = "a.test" }, false, "a.test", "no subjectAltName");
	try_cert(lab, (LabCertWish){ .cn = "a.test", .san = "DNS:b.test" }, false, "a.test",
		 "is not for that name, but for b.test");
	try_cert(lab, (LabCertWish){ .cn = "a.test", .san = "email:ada@a.test" }, false, "a.test",
		 "no subjectAltName");
}

static void
wildcards_stand_for_one_whole_label(void **state)
{
	Lab *lab = *state;

	try_cert(lab, (LabCertWish){ .san = "DNS:*.example.org" }, false, "mail.example.org", NULL);
	try_cert(lab, (LabCertWish){ .san = "DNS:*.example.org" }, false, "a.b.example.org",
		 "not for that name");
	try_cert(lab, (LabCertWish){ .san = "DNS:*.example.org" }, false, "example.org",
		 "not for that name");
	try_cert(lab, (LabCertWish){ .san = "DNS:ma*.example.org" }, false, "mail.example.org",
		 "not for that name");
}

static void
international_names_are_compared_as_a_labels(void **state)
{
	Lab *lab = *state;

	try_cert(lab, (LabCertWish){ .san = "DNS:xn--bcher-kva.example" }, false, "bücher.example",
		 NULL);
	try_cert(lab, (LabCertWish){ .san = "DNS:xn--bcher-kva.example" }, false, "BÜCHER.example",
		 NULL);
	try_cert(lab, (LabCertWish){ .san = "DNS:xn--bcher-kva.example" }, false,
		 "xn--bcher-kva.example", NULL);
	try_cert(lab, (LabCertWish){ .san = "DNS:bucher.example" }, false, "bücher.example",
		 "not for that name, but for bucher.example");
}

static void
addresses_need_an_address_in_the_certificate(void **state)
{
	Lab *lab = *state;

	try_cert(lab, (LabCertWish){ .san = "IP:127.0.0.1" }, false, "127.0.0.1", NULL);
	try_cert(lab, (LabCertWish){ .san = "IP:127.0.0.2" }, false, "127.0.0.1",
		 "but for 127.0.0.2");
	try_cert(lab, (LabCertWish){ .san = "DNS:127.0.0.1" }, false, "127.0.0.1",
		 "not for that name");
	try_cert(lab, (LabCertWish){ .cn = "127.0.0.1" }, false, "127.0.0.1", "no subjectAltName");
}

static void
a_certificate_for_clients_is_no_servers(void **state)
{
	try_cert(*state, (LabCertWish){ .san = "DNS:a.test", .usage = "clientAuth" }, false,
		 "a.test", "lacks serverAuth");
}

static void
texts_of_certificates_pass_the_door(void **state)
{
	LabCertWish wish = { .san = "DNS:b.test\033]0;owned\a" };
	LabCert hostile = lab_cert((LabCertWish){ .cn = "Evil\033[2J\xe2\x80\xae Root" });
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &hostile });
	LabServer *server = lab_server_new(&cert, greet, NULL);
	LabClient client = { 0 };

	try_cert(*state, wish, false, "a.test", "b.test\xef\xbf\xbd");
	open_to(&client, *state, server, "a.test");
	assert_true(lab_until_closed(&client));
	lab_says(client.error, "Evil");
	assert_null(strchr(client.error->message, '\033'));
	assert_null(strstr(client.error->message, "\xe2\x80\xae"));
	lab_client_clear(&client);
	lab_server_free(server);
	lab_cert_clear(&cert);
	lab_cert_clear(&hostile);
}

static void
the_servers_own_certificate_can_be_the_ca_file(void **state)
{
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test" });
	LabCert chained =
	    lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &((Lab *)*state)->other });
	g_autofree char *file = lab_cert_file(&cert, false);
	g_autofree char *chained_file = lab_cert_file(&chained, false);
	Lab pinned = { .ca_file = file };
	Lab pinned_chained = { .ca_file = chained_file };
	LabServer *server = lab_server_new(&cert, greet, NULL);
	LabServer *chained_server = lab_server_new(&chained, greet, NULL);
	LabClient client = { 0 };

	open_to(&client, &pinned, server, "a.test");
	assert_true(lab_until_opened(&client, 1));
	lab_client_clear(&client);
	open_to(&client, &pinned_chained, chained_server, "a.test");
	assert_true(lab_until_opened(&client, 1));
	lab_client_clear(&client);
	/* It is still not good for another name. */
	open_to(&client, &pinned, server, "b.test");
	assert_true(lab_until_closed(&client));
	lab_says(client.error, "but for a.test");
	lab_client_clear(&client);
	lab_server_free(server);
	lab_server_free(chained_server);
	unlink(file);
	unlink(chained_file);
	lab_cert_clear(&cert);
	lab_cert_clear(&chained);
}

static void
files_that_cannot_be_used_are_named(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(NULL, greet, NULL);
	NetAddress address = { "a.test", lab_server_port(server), NET_TLS_AT_ONCE,
			       "/nonexistent/ca.pem", NULL };
	LabClient client = { 0 };

	lab_client_open(&client, &address, 0);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_CONFIG));
	lab_says(client.error, "/nonexistent/ca.pem");
	lab_client_clear(&client);
	/* A certificate without its key. */
	address.ca_file = NULL;
	address.client_cert = lab->ca_file;
	lab_client_open(&client, &address, 0);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_CONFIG));
	lab_says(client.error, lab->ca_file);
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
it_says_what_was_negotiated(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){
	    .cn = "Ada\033", .san = "DNS:a.test,IP:127.0.0.1", .issuer = &lab->root });
	LabServer *server = lab_server_new(&cert, greet, NULL);
	LabClient client = { 0 };
	NetSecurity security;
	NetCounts counts;

	open_to(&client, lab, server, "a.test");
	assert_false(net_stream_security(client.stream, &security));
	assert_null(net_stream_tls_unique(client.stream));
	assert_true(lab_until_bytes(&client, 12));
	assert_true(net_stream_security(client.stream, &security));
	assert_string_equal(security.protocol, "TLSv1.3");
	assert_non_null(strstr(security.cipher, "TLS_"));
	assert_string_equal(security.subject, "CN=Ada\\1B");
	assert_string_equal(security.issuer, "CN=Test Root");
	assert_string_equal(security.names, "a.test, 127.0.0.1");
	assert_int_equal(strlen(security.not_before), strlen("2024-01-01T00:00:00Z"));
	assert_true(strcmp(security.not_before, security.not_after) < 0);
	assert_int_equal(strlen(security.sha256), 32 * 3 - 1);
	assert_true(g_str_has_prefix(security.peer_address, "127.0.0.1:"));
	net_stream_counts(client.stream, &counts);
	assert_int_equal(counts.plain_in, 12);
	assert_true(counts.wire_in > 500);
	assert_true(counts.wire_out > 200);
	assert_int_equal(counts.plain_out, 0);
	lab_client_clear(&client);
	lab_server_free(server);
	lab_cert_clear(&cert);
}

/* ---- the name sent, bindings, client certificates ---------------------------------------- */

typedef struct Seen {
	char *sni;
	char exporter[32];
	char unique[64];
	size_t unique_size;
	char *client_subject;
} Seen;

static void
look_and_greet(LabPeer *peer, void *data)
{
	Seen *seen = data;
	X509 *certificate;
	char byte;

	if (!lab_tls(peer))
		return;
	g_free(seen->sni);
	seen->sni = g_strdup(SSL_get_servername(peer->ssl, TLSEXT_NAMETYPE_host_name));
	SSL_export_keying_material(peer->ssl, (unsigned char *)seen->exporter, 32,
				   "EXPORTER-Channel-Binding", 24, (const unsigned char *)"", 0, 1);
	seen->unique_size = SSL_get_peer_finished(peer->ssl, seen->unique, sizeof seen->unique);
	certificate = SSL_get0_peer_certificate(peer->ssl);
	if (certificate)
		seen->client_subject =
		    X509_NAME_oneline(X509_get_subject_name(certificate), NULL, 0);
	lab_say_line(peer, "* OK hello");
	lab_hear(peer, &byte, 1);
	lab_goodbye(peer);
}

static void
see(Lab *lab, const LabCert *cert, const char *host, int max_version, Seen *seen)
{
	LabServer *server = lab_server_new(cert, look_and_greet, seen);
	LabClient client = { 0 };
	g_autoptr(GBytes) exporter = NULL;
	g_autoptr(GBytes) unique = NULL;

	SSL_CTX_set_max_proto_version(lab_server_context(server), max_version);
	open_to(&client, lab, server, host);
	assert_true(lab_until_bytes(&client, 12));
	exporter = net_stream_tls_exporter(client.stream);
	unique = net_stream_tls_unique(client.stream);
	lab_client_clear(&client);
	lab_server_free(server);
	assert_int_equal(g_bytes_get_size(exporter), 32);
	assert_memory_equal(g_bytes_get_data(exporter, NULL), seen->exporter, 32);
	assert_int_equal(g_bytes_get_size(unique), seen->unique_size);
	assert_memory_equal(g_bytes_get_data(unique, NULL), seen->unique, seen->unique_size);
}

static void
both_sides_see_the_same_channel(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	Seen seen = { 0 };

	see(lab, &cert, "a.test", TLS1_3_VERSION, &seen);
	see(lab, &cert, "a.test", TLS1_2_VERSION, &seen);
	assert_int_equal(seen.unique_size, 12);
	g_free(seen.sni);
	lab_cert_clear(&cert);
}

static void
the_name_is_told_but_never_an_address(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){
	    .san = "DNS:xn--bcher-kva.example,IP:127.0.0.1,DNS:a.test", .issuer = &lab->root });
	Seen seen = { 0 };

	see(lab, &cert, "bücher.example", TLS1_3_VERSION, &seen);
	assert_string_equal(seen.sni, "xn--bcher-kva.example");
	see(lab, &cert, "A.test.", TLS1_3_VERSION, &seen);
	assert_string_equal(seen.sni, "a.test");
	see(lab, &cert, "127.0.0.1", TLS1_3_VERSION, &seen);
	assert_null(seen.sni);
	lab_cert_clear(&cert);
}

static int
take_any(int preverified, X509_STORE_CTX *store)
{
	return 1;
}

static void
a_client_certificate_is_shown_when_asked_for(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	LabCert mine = lab_cert((LabCertWish){ .cn = "ada", .usage = "clientAuth" });
	g_autofree char *file = lab_cert_file(&mine, true);
	Seen seen = { 0 };
	LabServer *server = lab_server_new(&cert, look_and_greet, &seen);
	NetAddress address = { "a.test", lab_server_port(server), NET_TLS_AT_ONCE, lab->ca_file,
			       file };
	LabClient client = { 0 };

	SSL_CTX_set_verify(lab_server_context(server),
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
	lab_client_open(&client, &address, 0);
	assert_true(lab_until_bytes(&client, 12));
	lab_client_clear(&client);
	/* Without one, the refusal says what is missing. */
	address.client_cert = NULL;
	lab_client_open(&client, &address, 0);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_says(client.error, "wants a certificate from you");
	lab_client_clear(&client);
	lab_server_free(server);
	assert_string_equal(seen.client_subject, "/CN=ada");
	OPENSSL_free(seen.client_subject);
	g_free(seen.sni);
	unlink(file);
	lab_cert_clear(&mine);
	lab_cert_clear(&cert);
}

/* ---- servers that are not right ---------------------------------------------------------- */

static void
end_with(const Lab *lab, LabServer *server, PosternError code, const char *words)
{
	LabClient client = { 0 };

	open_to(&client, lab, server, "a.test");
	assert_true(lab_until_closed(&client));
	assert_int_equal(client.opened, 0);
	lab_says(client.error, words);
	assert_true(postern_error_is(client.error, code));
	lab_settle(20);
	assert_int_equal(client.closed, 1);
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
a_server_without_tls_1_2_is_refused(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	LabServer *server = lab_server_new(&cert, greet, NULL);

	SSL_CTX_set_security_level(lab_server_context(server), 0);
	SSL_CTX_set_max_proto_version(lab_server_context(server), TLS1_1_VERSION);
	end_with(lab, server, POSTERN_ERROR_TRUST, "refuses TLS 1.2 and 1.3");
	lab_cert_clear(&cert);
}

/* As servers do that know nothing of TLS 1.3's list of versions. */
static void
choose_old_version(LabPeer *peer, void *data)
{
	unsigned char hello[5 + 4 + 38] = { 22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2 };
	char bytes[4096];

	/* An empty session, AES128-SHA over ECDHE, no compression. */
	hello[5 + 4 + 35] = 0xc0;
	hello[5 + 4 + 36] = 0x13;
	lab_hear(peer, bytes, sizeof bytes);
	lab_say_raw(peer, hello, sizeof hello);
	lab_hear(peer, bytes, sizeof bytes);
}

static void
an_old_servers_version_is_named(void **state)
{
	end_with(*state, lab_server_new(NULL, choose_old_version, NULL), POSTERN_ERROR_TRUST,
		 "offers only TLS 1.1");
}

static void
speak_plainly(LabPeer *peer, void *data)
{
	char byte;

	lab_say_line(peer, "* OK [CAPABILITY IMAP4rev1] SECRET WORDS \033[2J");
	lab_hear(peer, &byte, 1);
}

static void
plain_text_on_the_tls_port_is_named_and_not_shown(void **state)
{
	LabClient client = { 0 };
	LabServer *server = lab_server_new(NULL, speak_plainly, NULL);

	open_to(&client, *state, server, "a.test");
	assert_true(lab_until_closed(&client));
	lab_says(client.error, "plain text where TLS must begin");
	assert_null(strstr(client.error->message, "SECRET"));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_TRUST));
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
leave_at_once(LabPeer *peer, void *data)
{
}

static void
leave_in_handshake(LabPeer *peer, void *data)
{
	char bytes[4096];

	lab_hear(peer, bytes, sizeof bytes);
	lab_say_raw(peer, "\x16\x03\x03\x00\x7a\x02", 6);
	shutdown(peer->fd, SHUT_WR);
	lab_hear(peer, bytes, sizeof bytes);
}

static void
a_cut_in_the_handshake_is_a_lost_line(void **state)
{
	end_with(*state, lab_server_new(NULL, leave_in_handshake, NULL), POSTERN_ERROR_OFFLINE,
		 "while TLS was being set up");
	end_with(*state, lab_server_new(NULL, leave_at_once, NULL), POSTERN_ERROR_OFFLINE,
		 "a.test");
}

static void
stay_silent(LabPeer *peer, void *data)
{
	char bytes[4096];

	while (lab_hear(peer, bytes, sizeof bytes) > 0)
		;
}

static void
a_silent_server_is_given_up(void **state)
{
	Lab *lab = *state;
	LabServer *server = lab_server_new(NULL, stay_silent, NULL);
	NetAddress address = { "a.test", lab_server_port(server), NET_TLS_AT_ONCE, lab->ca_file,
			       NULL };
	LabClient client = { 0 };

	lab_client_open(&client, &address, 50);
	assert_true(lab_until_closed(&client));
	assert_true(postern_error_is(client.error, POSTERN_ERROR_OFFLINE));
	lab_says(client.error, "did not set up TLS");
	lab_client_clear(&client);
	lab_server_free(server);
}

static void
end_in_order(LabPeer *peer, void *data)
{
	if (lab_tls(peer) && lab_say_line(peer, "* BYE"))
		lab_goodbye(peer);
}

static void
end_abruptly(LabPeer *peer, void *data)
{
	if (lab_tls(peer))
		lab_say_line(peer, "* BYE");
}

static void
corrupt_a_record(LabPeer *peer, void *data)
{
	char byte;

	if (lab_tls(peer) && lab_say_line(peer, "* BYE"))
		lab_say_raw(peer, "\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcde", 37);
	lab_hear(peer, &byte, 1);
}

static void
truncation_is_told_from_a_close(void **state)
{
	static const struct {
		LabScript script;
		const char *words;
		PosternError code;
	} rows[] = {
		{ end_in_order, "a.test closed the line", POSTERN_ERROR_OFFLINE },
		{ end_abruptly, "cut the line off", POSTERN_ERROR_OFFLINE },
		{ corrupt_a_record, "TLS with the server a.test failed", POSTERN_ERROR_TRUST },
	};
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		LabServer *server = lab_server_new(&cert, rows[i].script, NULL);
		LabClient client = { 0 };

		open_to(&client, lab, server, "a.test");
		assert_true(lab_until_closed(&client));
		assert_int_equal(client.opened, 1);
		assert_string_equal(client.bytes->str, "* BYE\r\n");
		lab_says(client.error, rows[i].words);
		assert_true(postern_error_is(client.error, rows[i].code));
		assert_false(net_stream_write(client.stream, SPAN_LITERAL("x")));
		lab_client_clear(&client);
		lab_server_free(server);
	}
	lab_cert_clear(&cert);
}

/* New keys in the middle of the talk, asked for by the server. */
static void
update_keys(LabPeer *peer, void *data)
{
	g_autofree char *line = NULL;

	if (!lab_tls(peer))
		return;
	lab_say_line(peer, "one");
	SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED);
	lab_say_line(peer, "two");
	line = lab_hear_line(peer);
	lab_say_line(peer, line ? line : "?");
	lab_goodbye(peer);
}

static void
keys_may_be_renewed(void **state)
{
	Lab *lab = *state;
	LabCert cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	LabServer *server = lab_server_new(&cert, update_keys, NULL);
	LabClient client = { 0 };

	open_to(&client, lab, server, "a.test");
	assert_true(lab_until_bytes(&client, 10));
	assert_true(net_stream_write(client.stream, SPAN_LITERAL("three\r\n")));
	assert_true(lab_until_closed(&client));
	assert_string_equal(client.bytes->str, "one\r\ntwo\r\nthree\r\n");
	lab_client_clear(&client);
	lab_server_free(server);
	lab_cert_clear(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_certificate_is_taken),
		cmocka_unit_test(dates_are_checked),
		cmocka_unit_test(an_expired_issuer_is_named),
		cmocka_unit_test(issuers_are_checked),
		cmocka_unit_test(names_are_checked_by_san_alone),
		cmocka_unit_test(wildcards_stand_for_one_whole_label),
		cmocka_unit_test(international_names_are_compared_as_a_labels),
		cmocka_unit_test(addresses_need_an_address_in_the_certificate),
		cmocka_unit_test(a_certificate_for_clients_is_no_servers),
		cmocka_unit_test(texts_of_certificates_pass_the_door),
		cmocka_unit_test(the_servers_own_certificate_can_be_the_ca_file),
		cmocka_unit_test(files_that_cannot_be_used_are_named),
		cmocka_unit_test(it_says_what_was_negotiated),
		cmocka_unit_test(both_sides_see_the_same_channel),
		cmocka_unit_test(the_name_is_told_but_never_an_address),
		cmocka_unit_test(a_client_certificate_is_shown_when_asked_for),
		cmocka_unit_test(a_server_without_tls_1_2_is_refused),
		cmocka_unit_test(an_old_servers_version_is_named),
		cmocka_unit_test(plain_text_on_the_tls_port_is_named_and_not_shown),
		cmocka_unit_test(a_cut_in_the_handshake_is_a_lost_line),
		cmocka_unit_test(a_silent_server_is_given_up),
		cmocka_unit_test(truncation_is_told_from_a_close),
		cmocka_unit_test(keys_may_be_renewed),
	};

	return cmocka_run_group_tests_name("net/tls", tests, lab_set_up, lab_tear_down);
}
