/* Logging in: which mechanism, the exact bytes, and servers that lie.  SCRAM talks to GNU SASL's
 * server, which shares no code with ours. */
#include "lab.h"
#include "scram-private.h"

#include "base/error.h"
#include "net/sasl.h"

#include <gsasl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static const NetCredentials ada = {
	.user = "user",
	.password = "pencil",
	.host = "mail.example.org",
	.port = 993,
	.encrypted = true,
};

/* ---- a TLS line to bind to --------------------------------------------------------------- */

typedef struct Line {
	LabCert root, cert;
	char *ca_file;
	LabServer *server;
	LabClient client;
	int max_version;
	pthread_mutex_t lock;
	char exporter[32], unique[64]; /* as the server sees them */
	size_t unique_size;
} Line;

static void
note_bindings(LabPeer *peer, void *data)
{
	Line *line = data;
	char byte;

	if (!lab_tls(peer))
		return;
	pthread_mutex_lock(&line->lock);
	SSL_export_keying_material(peer->ssl, (unsigned char *)line->exporter, 32,
				   "EXPORTER-Channel-Binding", 24, (const unsigned char *)"", 0, 1);
	line->unique_size = SSL_get_peer_finished(peer->ssl, line->unique, sizeof line->unique);
	pthread_mutex_unlock(&line->lock);
	lab_say_line(peer, "* OK");
	lab_hear(peer, &byte, 1);
}

static Line *
line_open(int max_version)
{
	Line *line = g_new0(Line, 1);
	NetAddress address = { .host = "a.test", .tls = NET_TLS_AT_ONCE };

	lab_resolve();
	pthread_mutex_init(&line->lock, NULL);
	line->root = lab_cert((LabCertWish){ .cn = "Test Root", .is_authority = true });
	line->cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &line->root });
	line->ca_file = lab_cert_file(&line->root, false);
	line->server = lab_server_new(&line->cert, note_bindings, line);
	SSL_CTX_set_max_proto_version(lab_server_context(line->server), max_version);
	address.port = lab_server_port(line->server);
	address.ca_file = line->ca_file;
	lab_client_open(&line->client, &address, 0);
	assert_true(lab_until_bytes(&line->client, 6));
	return line;
}

static void
line_close(Line *line)
{
	lab_client_clear(&line->client);
	lab_server_free(line->server);
	lab_cert_clear(&line->root);
	lab_cert_clear(&line->cert);
	unlink(line->ca_file);
	g_free(line->ca_file);
	pthread_mutex_destroy(&line->lock);
	g_free(line);
}

/* ---- which ------------------------------------------------------------------------------- */

static void
check_choice(const char *offered, NetCredentials credentials, NetStream *stream, const char *wanted)
{
	g_auto(GStrv) words = g_strsplit(offered, " ", -1);
	g_autofree const char **chosen = net_sasl_choose(words, &credentials, stream);
	g_autofree char *text = g_strjoinv(" ", (char **)(uintptr_t)chosen);

	assert_string_equal(text, wanted);
}

static void
the_strongest_comes_first(void **state)
{
	const char *all = "LOGIN PLAIN CRAM-MD5 scram-sha-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS "
			  "SCRAM-SHA-256-PLUS EXTERNAL XOAUTH2 OAUTHBEARER DIGEST-MD5 GSSAPI NTLM";
	NetCredentials credentials = ada;
	Line *line = line_open(TLS1_3_VERSION);

	check_choice(all, credentials, NULL, "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN");
	check_choice(all, credentials, line->client.stream,
		     "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN "
		     "LOGIN");
	check_choice("PLAIN LOGIN", credentials, NULL, "PLAIN LOGIN");
	check_choice("GSSAPI", credentials, NULL, "");
	check_choice("", credentials, NULL, "");
	credentials.encrypted = false;
	check_choice(all, credentials, NULL, "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5");
	credentials.encrypted = true;
	credentials.token = "t";
	credentials.password = NULL;
	check_choice(all, credentials, NULL, "OAUTHBEARER XOAUTH2");
	check_choice("PLAIN XOAUTH2", credentials, NULL, "XOAUTH2");
	credentials.token = NULL;
	credentials.external = true;
	check_choice(all, credentials, NULL, "EXTERNAL");
	check_choice("PLAIN", credentials, NULL, "");
	line_close(line);
}

static void
bindings_follow_the_version(void **state)
{
	Line *new = line_open(TLS1_3_VERSION);
	Line *old = line_open(TLS1_2_VERSION);

	assert_string_equal(net_sasl_binding(new->client.stream, 0), "tls-exporter");
	assert_string_equal(net_sasl_binding(new->client.stream, 1), "tls-unique");
	assert_null(net_sasl_binding(new->client.stream, 2));
	assert_string_equal(net_sasl_binding(old->client.stream, 0), "tls-unique");
	assert_string_equal(net_sasl_binding(old->client.stream, 1), "tls-exporter");
	assert_null(net_sasl_binding(old->client.stream, 2));
	assert_null(net_sasl_binding(NULL, 0));
	line_close(new);
	line_close(old);
}

static void
an_announced_plus_is_seen(void **state)
{
	char *with[] = { (char *)"PLAIN", (char *)"scram-sha-512-plus", NULL };
	char *without[] = { (char *)"SCRAM-SHA-1", (char *)"X-PLUS", (char *)"SCRAM-", NULL };

	assert_true(net_sasl_offers_plus(with));
	assert_false(net_sasl_offers_plus(without));
	assert_false(net_sasl_offers_plus(NULL));
}

static void
a_mechanism_that_cannot_be_had_is_refused(void **state)
{
	static const char *const names[] = { "DIGEST-MD5",  "GSSAPI",	"",
					     "OAUTHBEARER", "EXTERNAL", "SCRAM-SHA-256-PLUS" };
	NetCredentials open_line = ada;
	g_autoptr(GError) error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		assert_null(net_sasl_new(names[i], &ada, NULL, NULL, false, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_LOGIN));
		g_clear_error(&error);
	}
	open_line.encrypted = false;
	assert_null(net_sasl_new("PLAIN", &open_line, NULL, NULL, false, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_LOGIN));
}

/* ---- the exact bytes --------------------------------------------------------------------- */

static void
check_bytes(const char *out, size_t size, const char *wanted, size_t wanted_size)
{
	assert_non_null(out);
	assert_int_equal(size, wanted_size);
	assert_memory_equal(out, wanted, wanted_size);
	/* A NUL behind, for those who print it. */
	assert_int_equal(out[size], '\0');
}

#define CHECK(out, size, literal) check_bytes(out, size, literal, sizeof(literal) - 1)

static void
expect_initial(NetSasl *sasl, const char *wanted, size_t wanted_size)
{
	g_autofree char *out = NULL;
	size_t size;

	assert_true(net_sasl_initial(sasl, &out, &size, NULL));
	check_bytes(out, size, wanted, wanted_size);
}

static void
expect_answer(NetSasl *sasl, const char *challenge, const char *wanted)
{
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	if (!net_sasl_step(sasl, span_of_string(challenge), &out, &size, &error))
		fail_msg("%s", error->message);
	check_bytes(out, size, wanted, strlen(wanted));
}

static void
expect_refusal(NetSasl *sasl, const char *challenge, PosternError code, const char *words)
{
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	size_t size = 1;

	assert_false(net_sasl_step(sasl, span_of_string(challenge), &out, &size, &error));
	assert_null(out);
	assert_int_equal(size, 0);
	lab_says(error, words);
	assert_true(postern_error_is(error, code));
}

static void
plain_says_it_all_at_once(void **state)
{
	g_autoptr(NetSasl) sasl = net_sasl_new("plain", &ada, NULL, NULL, false, NULL);

	assert_non_null(sasl);
	assert_false(net_sasl_has_proved(sasl));
	expect_initial(sasl, "\0user\0pencil", 12);
	assert_true(net_sasl_has_proved(sasl));
	assert_true(net_sasl_finish(sasl, NULL));
	expect_refusal(sasl, "and more?", POSTERN_ERROR_LOGIN, "more than its login mechanism has");
}

/* The server had SASL-IR on its list and asks all the same; or it has no SASL-IR. */
static void
an_initial_response_not_heard_is_said_again(void **state)
{
	g_autoptr(NetSasl) again = net_sasl_new("PLAIN", &ada, NULL, NULL, false, NULL);
	g_autoptr(NetSasl) late = net_sasl_new("PLAIN", &ada, NULL, NULL, false, NULL);
	g_autofree char *out = NULL;
	g_autofree char *late_out = NULL;
	size_t size;

	expect_initial(again, "\0user\0pencil", 12);
	assert_true(net_sasl_step(again, SPAN_EMPTY, &out, &size, NULL));
	CHECK(out, size, "\0user\0pencil");
	expect_refusal(again, "", POSTERN_ERROR_LOGIN, "more than its login mechanism has");
	assert_true(net_sasl_step(late, SPAN_EMPTY, &late_out, &size, NULL));
	CHECK(late_out, size, "\0user\0pencil");
	assert_true(net_sasl_finish(late, NULL));
}

static void
login_answers_two_prompts(void **state)
{
	g_autoptr(NetSasl) sasl = net_sasl_new("LOGIN", &ada, NULL, NULL, false, NULL);
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	assert_false(net_sasl_initial(sasl, &out, &size, &error));
	assert_null(error);
	expect_answer(sasl, "User Name", "user");
	assert_false(net_sasl_has_proved(sasl));
	assert_false(net_sasl_finish(sasl, NULL));
	expect_answer(sasl, "Password", "pencil");
	assert_true(net_sasl_has_proved(sasl));
	assert_true(net_sasl_finish(sasl, NULL));
}

/* RFC 2195, section 2. */
static void
cram_md5_waits_and_gives_the_known_digest(void **state)
{
	NetCredentials tim = ada;
	g_autoptr(NetSasl) sasl = NULL;
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	tim.user = "tim";
	tim.password = "tanstaaftanstaaf";
	sasl = net_sasl_new("CRAM-MD5", &tim, NULL, NULL, false, NULL);
	assert_false(net_sasl_initial(sasl, &out, &size, &error));
	assert_null(error);
	assert_false(net_sasl_finish(sasl, NULL));
	expect_answer(sasl, "<1896.697170952@postoffice.reston.mci.net>",
		      "tim b913a602c7eda7a495b4e6e7334d3890");
	assert_true(net_sasl_has_proved(sasl));
	assert_true(net_sasl_finish(sasl, NULL));
}

static void
external_asks_for_the_certificates_own_identity(void **state)
{
	NetCredentials credentials = ada;
	g_autoptr(NetSasl) sasl = NULL;

	credentials.external = true;
	sasl = net_sasl_new("EXTERNAL", &credentials, NULL, NULL, false, NULL);
	expect_initial(sasl, "", 0);
	assert_true(net_sasl_finish(sasl, NULL));
}

/* RFC 7628, section 4.1. */
static void
oauthbearer_says_the_known_bytes(void **state)
{
	NetCredentials credentials = { .user = "user@example.com",
				       .token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
				       .host = "server.example.com",
				       .port = 143,
				       .encrypted = true };
	const char *wanted = "n,a=user@example.com,\001host=server.example.com\001port=143\001"
			     "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001";
	const char *json = "{\"status\":\"invalid_token\",\"scope\":\"example_scope\"}";
	NetSasl *sasl = net_sasl_new("OAUTHBEARER", &credentials, NULL, NULL, false, NULL);

	expect_initial(sasl, wanted, strlen(wanted));
	assert_true(net_sasl_has_proved(sasl));
	assert_null(net_sasl_server_error(sasl));
	assert_true(net_sasl_finish(sasl, NULL));
	expect_answer(sasl, json, "\001");
	assert_string_equal(net_sasl_server_error(sasl), json);
	assert_false(net_sasl_finish(sasl, NULL));
	expect_refusal(sasl, json, POSTERN_ERROR_LOGIN, "makes no sense");
	net_sasl_free(sasl);
	/* A name that would break out of the header. */
	credentials.user = "a,b=c";
	sasl = net_sasl_new("OAUTHBEARER", &credentials, NULL, NULL, false, NULL);
	wanted = "n,a=a=2Cb=3Dc,\001host=server.example.com\001port=143\001"
		 "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001";
	expect_initial(sasl, wanted, strlen(wanted));
	net_sasl_free(sasl);
}

static void
xoauth2_says_the_known_bytes(void **state)
{
	NetCredentials credentials = { .user = "someuser@example.com",
				       .token = "ya29.vF9dft4qmTc2Nvb3Rl",
				       .encrypted = true };
	const char *wanted =
	    "user=someuser@example.com\001auth=Bearer ya29.vF9dft4qmTc2Nvb3Rl\001\001";
	g_autoptr(NetSasl) sasl = net_sasl_new("XOAUTH2", &credentials, NULL, NULL, false, NULL);

	expect_initial(sasl, wanted, strlen(wanted));
	expect_answer(sasl, "{\"status\":\"401\"}", "");
	assert_string_equal(net_sasl_server_error(sasl), "{\"status\":\"401\"}");
}

static void
a_token_that_would_break_out_is_refused(void **state)
{
	static const char *const tokens[] = { "", "a b", "a\001host=evil", "a\n", "t\xc3\xb6ken" };
	NetCredentials credentials = { .user = "u", .host = "h", .encrypted = true };
	g_autoptr(GError) error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++) {
		credentials.token = tokens[i];
		assert_null(net_sasl_new("XOAUTH2", &credentials, NULL, NULL, false, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
		g_clear_error(&error);
	}
	credentials.token = "good";
	credentials.user = "u\001auth=Bearer evil";
	assert_null(net_sasl_new("XOAUTH2", &credentials, NULL, NULL, false, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_CONFIG));
}

/* ---- SCRAM ------------------------------------------------------------------------------- */

static void
check_vector(bool is_sha256, const char *nonce, const char *server_first, const char *last,
	     const char *server_last)
{
	NetScram *scram = net_scram_new(is_sha256, "user", "pencil", "n", SPAN_EMPTY, nonce);
	g_autofree char *first = g_strconcat("n,,n=user,r=", nonce, NULL);
	const char *answer = NULL;

	assert_string_equal(net_scram_first(scram), first);
	assert_int_equal(net_scram_verify(scram, span_of_string(server_last)), NET_SCRAM_UNPROVEN);
	assert_int_equal(net_scram_answer(scram, span_of_string(server_first), &answer),
			 NET_SCRAM_OK);
	assert_string_equal(answer, last);
	assert_int_equal(net_scram_verify(scram, span_of_string(server_last)), NET_SCRAM_OK);
	assert_int_equal(net_scram_verify(scram, SPAN_EMPTY), NET_SCRAM_UNPROVEN);
	net_scram_free(scram);
}

/* RFC 5802, section 5; RFC 7677, section 3. */
static void
scram_gives_the_known_answers(void **state)
{
	check_vector(false, "fyko+d2lbbFgONRv9qkxdawL",
		     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		     "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
	check_vector(true, "rOprNGfwEbeRWgbNEkqO",
		     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		     "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

static void
what_is_no_scram_challenge_is_refused(void **state)
{
	static const struct {
		const char *challenge;
		NetScramResult result;
	} rows[] = {
		{ "", NET_SCRAM_NONSENSE },
		{ "r=abcd", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=0", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=-1", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=4096x", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=1000001", NET_SCRAM_TOO_MUCH },
		{ "r=abcd,s=QUJD,i=4294967295", NET_SCRAM_TOO_MUCH },
		{ "r=abcd,s=QUJD,i=99999999999999999999", NET_SCRAM_NONSENSE },
		{ "r=abc,s=QUJD,i=4096", NET_SCRAM_NONSENSE },	/* adds nothing to our nonce */
		{ "r=xbcd,s=QUJD,i=4096", NET_SCRAM_NONSENSE }, /* not our nonce */
		{ "r=abcd,s=,i=4096", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJ,i=4096", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QU=D,i=4096", NET_SCRAM_NONSENSE },
		{ "r=abcd,s=Q*JD,i=4096", NET_SCRAM_NONSENSE },
		{ "m=x,r=abcd,s=QUJD,i=4096", NET_SCRAM_NONSENSE },
		{ "s=QUJD,r=abcd,i=4096", NET_SCRAM_NONSENSE },
		{ "r=ab\x7f"
		  "cd,s=QUJD,i=4096",
		  NET_SCRAM_NONSENSE },
		{ "r=abcd,s=QUJD,i=4096", NET_SCRAM_OK },
		{ "r=abcd,s=QQ==,i=1,x=later", NET_SCRAM_OK },
	};
	NetScram *scram = net_scram_new(true, "user", "pencil", "n", SPAN_EMPTY, "abc");
	const char *out = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (net_scram_answer(scram, span_of_string(rows[i].challenge), &out) !=
		    rows[i].result)
			fail_msg("%s", rows[i].challenge);
	}
	assert_int_equal(net_scram_answer(scram, span_of("r=abcd,s=QUJD,i=1\0", 18), &out),
			 NET_SCRAM_NONSENSE);
	net_scram_free(scram);
}

/* GNU SASL's server, told a password and what it sees of the line. */
typedef struct Peer {
	Gsasl *library;
	Gsasl_session *session;
} Peer;

static Peer
peer_new(const char *mechanism, const char *password, Line *line)
{
	Peer peer;
	g_autofree char *exporter = NULL;
	g_autofree char *unique = NULL;

	assert_int_equal(gsasl_init(&peer.library), GSASL_OK);
	assert_int_equal(gsasl_server_start(peer.library, mechanism, &peer.session), GSASL_OK);
	gsasl_property_set(peer.session, GSASL_PASSWORD, password);
	gsasl_property_set(peer.session, GSASL_SCRAM_ITER, "4096");
	if (line) {
		pthread_mutex_lock(&line->lock);
		exporter = g_base64_encode((guchar *)line->exporter, 32);
		unique = g_base64_encode((guchar *)line->unique, line->unique_size);
		pthread_mutex_unlock(&line->lock);
		gsasl_property_set(peer.session, GSASL_CB_TLS_EXPORTER, exporter);
		gsasl_property_set(peer.session, GSASL_CB_TLS_UNIQUE, unique);
	}
	return peer;
}

static void
peer_clear(Peer *peer)
{
	gsasl_finish(peer->session);
	gsasl_done(peer->library);
}

/* Talks until one side has had enough.  True: the server is content; FIRST is what we said first. */
static bool
talk(NetSasl *sasl, Peer *peer, char **first, GError **error)
{
	g_autofree char *out = NULL;
	size_t size;
	int status;

	assert_true(net_sasl_initial(sasl, &out, &size, NULL));
	if (first)
		*first = g_strdup(out);
	for (int rounds = 0; rounds < 5; rounds++) {
		char *answer = NULL;
		size_t answer_size = 0;
		bool is_fine;

		status = gsasl_step(peer->session, out, size, &answer, &answer_size);
		if (status != GSASL_OK && status != GSASL_NEEDS_MORE) {
			gsasl_free(answer);
			return false;
		}
		/* OK with data: IMAP sends that as one more challenge, answered by nothing. */
		if (status == GSASL_OK && !answer_size) {
			gsasl_free(answer);
			return true;
		}
		g_clear_pointer(&out, g_free);
		is_fine = net_sasl_step(sasl, span_of(answer, answer_size), &out, &size, error);
		gsasl_free(answer);
		if (!is_fine)
			return false;
		if (status == GSASL_OK) {
			assert_int_equal(size, 0);
			return true;
		}
	}
	return false;
}

static void
check_login(const char *mechanism, NetCredentials credentials, const char *stored, Line *line,
	    const char *binding, bool plus_offered, const char *begins, bool is_taken)
{
	Peer peer = peer_new(mechanism, stored, binding ? line : NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(NetSasl) sasl =
	    net_sasl_new(mechanism, &credentials, line ? line->client.stream : NULL, binding,
			 plus_offered, &error);
	g_autofree char *first = NULL;

	if (!sasl)
		fail_msg("%s", error->message);
	assert_int_equal(talk(sasl, &peer, &first, &error), is_taken);
	assert_true(g_str_has_prefix(first, begins));
	assert_true(net_sasl_has_proved(sasl));
	assert_int_equal(net_sasl_finish(sasl, NULL), is_taken);
	peer_clear(&peer);
}

static void
scram_logs_in(void **state)
{
	NetCredentials odd = ada;

	check_login("SCRAM-SHA-256", ada, "pencil", NULL, NULL, false, "n,,n=user,r=", true);
	check_login("SCRAM-SHA-1", ada, "pencil", NULL, NULL, true, "n,,n=user,r=", true);
	check_login("SCRAM-SHA-256", ada, "wrong", NULL, NULL, false, "n,,n=user,r=", false);
	odd.user = "a,b=c";
	check_login("SCRAM-SHA-256", odd, "pencil", NULL, NULL, false, "n,,n=a=2Cb=3Dc,r=", true);
	/* SASLprep: a soft hyphen vanishes, a Roman numeral becomes letters (RFC 4013, section 3). */
	odd = ada;
	odd.password = "I\xc2\xadX";
	check_login("SCRAM-SHA-256", odd, "IX", NULL, NULL, false, "n,,", true);
	odd.password = "\xe2\x85\xa8";
	check_login("SCRAM-SHA-256", odd, "IX", NULL, NULL, false, "n,,", true);
}

static void
scram_binds_to_the_line_both_ways(void **state)
{
	static const char *const names[] = { "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS" };
	static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		Line *line = line_open(versions[i]);

		for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
			check_login(names[j], ada, "pencil", line, "tls-exporter", true,
				    "p=tls-exporter,,n=user,r=", true);
			check_login(names[j], ada, "pencil", line, "tls-unique", true,
				    "p=tls-unique,,n=user,r=", true);
		}
		line_close(line);
	}
}

/* Somebody in between has a TLS line of their own to each side. */
static void
another_line_is_noticed(void **state)
{
	Line *line = line_open(TLS1_3_VERSION);

	pthread_mutex_lock(&line->lock);
	line->exporter[0] ^= 1;
	line->unique[0] ^= 1;
	pthread_mutex_unlock(&line->lock);
	check_login("SCRAM-SHA-256-PLUS", ada, "pencil", line, "tls-exporter", true,
		    "p=tls-exporter,,", false);
	check_login("SCRAM-SHA-256-PLUS", ada, "pencil", line, "tls-unique", true, "p=tls-unique,,",
		    false);
	line_close(line);
}

/* RFC 5802, section 6: "y" when we could bind and nobody announced it; never when it was announced
 * and given up, nor when we could not. */
static void
a_missing_announcement_is_told_to_the_server(void **state)
{
	Line *line = line_open(TLS1_3_VERSION);

	check_login("SCRAM-SHA-256", ada, "pencil", line, NULL, false, "y,,n=user,r=", true);
	check_login("SCRAM-SHA-256", ada, "pencil", line, NULL, true, "n,,n=user,r=", true);
	check_login("SCRAM-SHA-256", ada, "pencil", NULL, NULL, false, "n,,n=user,r=", true);
	line_close(line);
}

static void
a_binding_that_the_line_has_not_is_refused(void **state)
{
	static const char *const names[] = { NULL, "", "tls-server-end-point", "tls-exporterx" };
	Line *line = line_open(TLS1_3_VERSION);
	g_autoptr(GError) error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		assert_null(net_sasl_new("SCRAM-SHA-256-PLUS", &ada, line->client.stream, names[i],
					 true, &error));
		assert_true(postern_error_is(error, POSTERN_ERROR_LOGIN));
		g_clear_error(&error);
	}
	line_close(line);
}

/* Up to the client's proof, by a server that the test plays.  The server's signature of this is not
 * known to the test, as to an impostor. */
static NetSasl *
scram_to_proof(void)
{
	NetSasl *sasl = net_sasl_new("SCRAM-SHA-256", &ada, NULL, NULL, false, NULL);
	g_autofree char *first = NULL;
	g_autofree char *challenge = NULL;
	g_autofree char *out = NULL;
	size_t size;

	assert_true(net_sasl_initial(sasl, &first, &size, NULL));
	assert_false(net_sasl_has_proved(sasl));
	challenge = g_strdup_printf("r=%sabc,s=QUJD,i=4096", strstr(first, "r=") + 2);
	assert_true(net_sasl_step(sasl, span_of_string(challenge), &out, &size, NULL));
	assert_true(g_str_has_prefix(out, "c=biws,r="));
	assert_true(net_sasl_has_proved(sasl));
	return sasl;
}

static void
a_server_must_prove_itself(void **state)
{
	static const struct {
		const char *challenge;
		PosternError code;
		const char *words;
	} rows[] = {
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", POSTERN_ERROR_TRUST,
		  "mail.example.org could not prove" },
		{ "", POSTERN_ERROR_TRUST, "could not prove" },
		{ "v=", POSTERN_ERROR_TRUST, "could not prove" },
		{ "e=invalid-proof", POSTERN_ERROR_LOGIN, "refuses the login (invalid-proof)" },
		{ "e=\033[2Jx,foo", POSTERN_ERROR_LOGIN, "refuses the login (\xef\xbf\xbd[2Jx)" },
		{ "e=channel-bindings-dont-match", POSTERN_ERROR_TRUST, "another TLS line" },
		{ "e=server-does-support-channel-binding", POSTERN_ERROR_TRUST,
		  "another TLS line" },
	};
	NetSasl *sasl = scram_to_proof();
	g_autoptr(GError) error = NULL;

	/* It says OK and proves nothing. */
	assert_false(net_sasl_finish(sasl, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_TRUST));
	net_sasl_free(sasl);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		sasl = scram_to_proof();
		expect_refusal(sasl, rows[i].challenge, rows[i].code, rows[i].words);
		assert_false(net_sasl_finish(sasl, NULL));
		net_sasl_free(sasl);
	}
}

static void
an_early_ok_is_no_login(void **state)
{
	g_autoptr(NetSasl) sasl = net_sasl_new("SCRAM-SHA-256", &ada, NULL, NULL, false, NULL);
	g_autoptr(NetSasl) cram = net_sasl_new("CRAM-MD5", &ada, NULL, NULL, false, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;
	size_t size;

	assert_true(net_sasl_initial(sasl, &out, &size, NULL));
	assert_false(net_sasl_finish(sasl, &error));
	assert_true(postern_error_is(error, POSTERN_ERROR_TRUST));
	assert_false(net_sasl_finish(cram, NULL));
}

static void
too_much_work_and_too_long_challenges_are_refused(void **state)
{
	g_autoptr(NetSasl) sasl = net_sasl_new("SCRAM-SHA-256", &ada, NULL, NULL, false, NULL);
	g_autoptr(NetSasl) cram = net_sasl_new("CRAM-MD5", &ada, NULL, NULL, false, NULL);
	g_autofree char *first = NULL;
	g_autofree char *challenge = NULL;
	g_autofree char *endless = g_strnfill(100000, 'x');
	size_t size;

	assert_true(net_sasl_initial(sasl, &first, &size, NULL));
	challenge = g_strdup_printf("r=%sabc,s=QUJD,i=2000000000", strstr(first, "r=") + 2);
	expect_refusal(sasl, challenge, POSTERN_ERROR_LOGIN, "more work");
	assert_false(net_sasl_has_proved(sasl));
	expect_refusal(cram, endless, POSTERN_ERROR_LOGIN, "too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strongest_comes_first),
		cmocka_unit_test(bindings_follow_the_version),
		cmocka_unit_test(an_announced_plus_is_seen),
		cmocka_unit_test(a_mechanism_that_cannot_be_had_is_refused),
		cmocka_unit_test(plain_says_it_all_at_once),
		cmocka_unit_test(an_initial_response_not_heard_is_said_again),
		cmocka_unit_test(login_answers_two_prompts),
		cmocka_unit_test(cram_md5_waits_and_gives_the_known_digest),
		cmocka_unit_test(external_asks_for_the_certificates_own_identity),
		cmocka_unit_test(oauthbearer_says_the_known_bytes),
		cmocka_unit_test(xoauth2_says_the_known_bytes),
		cmocka_unit_test(a_token_that_would_break_out_is_refused),
		cmocka_unit_test(scram_gives_the_known_answers),
		cmocka_unit_test(what_is_no_scram_challenge_is_refused),
		cmocka_unit_test(scram_logs_in),
		cmocka_unit_test(scram_binds_to_the_line_both_ways),
		cmocka_unit_test(another_line_is_noticed),
		cmocka_unit_test(a_missing_announcement_is_told_to_the_server),
		cmocka_unit_test(a_binding_that_the_line_has_not_is_refused),
		cmocka_unit_test(a_server_must_prove_itself),
		cmocka_unit_test(an_early_ok_is_no_login),
		cmocka_unit_test(too_much_work_and_too_long_challenges_are_refused),
	};

	return cmocka_run_group_tests_name("net/sasl", tests, NULL, NULL);
}
