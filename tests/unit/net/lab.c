#include "lab.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 30000

/* ---- certificates ------------------------------------------------------------------------ */

static void
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	if (!value)
		return;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

LabCert
lab_cert(LabCertWish wish)
{
	static unsigned serial;
	LabCert made = { X509_new(), EVP_EC_gen("P-256") };
	X509 *issuer = wish.issuer ? wish.issuer->certificate : made.certificate;
	X509_NAME *name = X509_get_subject_name(made.certificate);
	bool is_now = !wish.from_days && !wish.to_days;

	X509_set_version(made.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate),
			86400L * (is_now ? -1 : wish.from_days));
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), 86400L * (is_now ? 1 : wish.to_days));
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				   (const unsigned char *)(wish.cn ? wish.cn : "test"), -1, -1, 0);
	X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer));
	X509_set_pubkey(made.certificate, made.key);
	add_extension(made.certificate, issuer, NID_basic_constraints,
		      wish.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(made.certificate, issuer, NID_subject_alt_name, wish.san);
	add_extension(made.certificate, issuer, NID_ext_key_usage, wish.usage);
	assert_true(X509_sign(made.certificate, wish.issuer ? wish.issuer->key : made.key,
			      EVP_sha256()) > 0);
	return made;
}

void
lab_cert_clear(LabCert *certificate)
{
	X509_free(certificate->certificate);
	EVP_PKEY_free(certificate->key);
	*certificate = (LabCert){ 0 };
}

char *
lab_cert_file(const LabCert *certificate, bool with_key)
{
	char *path = g_build_filename(g_get_tmp_dir(), "postern-net-XXXXXX", NULL);
	FILE *file = fdopen(g_mkstemp(path), "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate->certificate), 1);
	if (with_key) {
		assert_int_equal(PEM_write_PrivateKey(file, certificate->key, NULL, NULL, 0, NULL,
						      NULL),
				 1);
	}
	assert_int_equal(fclose(file), 0);
	return path;
}

/* ---- the server -------------------------------------------------------------------------- */

struct LabServer {
	int listener;
	uint16_t port;
	SSL_CTX *context;
	LabScript script;
	void *data;
	pthread_t thread;
};

static void *
serve(void *data)
{
	LabServer *server = data;
	const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };

	for (;;) {
		LabPeer peer = { .context = server->context };

		peer.fd = accept(server->listener, NULL, NULL);
		if (peer.fd < 0)
			return NULL;
		setsockopt(peer.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		setsockopt(peer.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		server->script(&peer, server->data);
		SSL_free(peer.ssl);
		close(peer.fd);
	}
}

LabServer *
lab_server_new(const LabCert *cert, LabScript script, void *data)
{
	LabServer *server = g_new0(LabServer, 1);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(server->listener, 8), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	server->script = script;
	server->data = data;
	server->context = SSL_CTX_new(TLS_server_method());
	if (cert) {
		assert_int_equal(SSL_CTX_use_certificate(server->context, cert->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(server->context, cert->key), 1);
	}
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return server;
}

uint16_t
lab_server_port(const LabServer *server)
{
	return server->port;
}

SSL_CTX *
lab_server_context(LabServer *server)
{
	return server->context;
}

void
lab_server_free(LabServer *server)
{
	/* Wakes accept(). */
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	SSL_CTX_free(server->context);
	g_free(server);
}

bool
lab_tls(LabPeer *peer)
{
	peer->ssl = SSL_new(peer->context);
	SSL_set_fd(peer->ssl, peer->fd);
	ERR_clear_error();
	return SSL_accept(peer->ssl) == 1;
}

bool
lab_say_raw(LabPeer *peer, const void *bytes, size_t size)
{
	const char *at = bytes;
	ssize_t sent;

	for (; size; at += sent, size -= (size_t)sent) {
		sent = send(peer->fd, at, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
	}
	return true;
}

bool
lab_say(LabPeer *peer, const void *bytes, size_t size)
{
	size_t written;

	if (!peer->ssl)
		return lab_say_raw(peer, bytes, size);
	return !size || SSL_write_ex(peer->ssl, bytes, size, &written) == 1;
}

bool
lab_say_line(LabPeer *peer, const char *line)
{
	g_autofree char *whole = g_strconcat(line, "\r\n", NULL);

	return lab_say(peer, whole, strlen(whole));
}

ssize_t
lab_hear(LabPeer *peer, void *bytes, size_t size)
{
	return peer->ssl ? SSL_read(peer->ssl, bytes, (int)size) : recv(peer->fd, bytes, size, 0);
}

char *
lab_hear_line(LabPeer *peer)
{
	GString *line = g_string_new(NULL);
	char byte;

	while (lab_hear(peer, &byte, 1) == 1) {
		if (byte == '\n') {
			if (line->len && line->str[line->len - 1] == '\r')
				g_string_truncate(line, line->len - 1);
			return g_string_free(line, FALSE);
		}
		g_string_append_c(line, byte);
	}
	g_string_free(line, TRUE);
	return NULL;
}

void
lab_goodbye(LabPeer *peer)
{
	SSL_shutdown(peer->ssl);
}

void
lab_echo(LabPeer *peer, void *data)
{
	g_autofree char *bytes = g_malloc(65536);
	ssize_t size;

	while ((size = lab_hear(peer, bytes, 65536)) > 0 && lab_say(peer, bytes, (size_t)size))
		;
}

void
lab_flood(LabPeer *peer, void *data)
{
	g_autofree char *bytes = g_malloc0(65536);

	if (data)
		lab_tls(peer);
	while (lab_say(peer, bytes, 65536))
		;
}

/* ---- the client -------------------------------------------------------------------------- */

static void
on_open(void *data)
{
	LabClient *client = data;

	assert_int_equal(client->closed, 0);
	client->opened++;
	if (client->open_hook)
		client->open_hook(client);
}

static void
on_bytes(void *data, Span *in)
{
	LabClient *client = data;

	assert_int_equal(client->closed, 0);
	assert_true(client->opened > 0);
	assert_false(span_is_empty(*in));
	client->offers++;
	client->largest_offer = MAX(client->largest_offer, span_size(*in));
	if (client->hook) {
		client->hook(client, in);
	} else if (!client->keeps) {
		g_string_append_len(client->bytes, in->at, (gssize)span_size(*in));
		in->at = in->end;
	}
}

static void
on_writable(void *data)
{
	LabClient *client = data;

	assert_int_equal(client->closed, 0);
	client->writable++;
}

static void
on_closed(void *data, const GError *error)
{
	LabClient *client = data;

	assert_non_null(error);
	assert_true(error->domain == POSTERN_ERROR);
	client->closed++;
	assert_int_equal(client->closed, 1);
	client->error = g_error_copy(error);
}

void
lab_client_open(LabClient *client, const NetAddress *address, int timeout_ms)
{
	static const NetStreamHandler handler = { on_open, on_bytes, on_writable, on_closed };

	client->bytes = g_string_new(NULL);
	client->stream = net_stream_open(address, timeout_ms, &handler, client, NULL);
	assert_int_equal(client->opened + client->closed, 0);
}

void
lab_client_clear(LabClient *client)
{
	net_stream_free(client->stream);
	g_string_free(client->bytes, TRUE);
	g_clear_error(&client->error);
	*client = (LabClient){ 0 };
	/* What a cancelled connect holds is given back by the loop. */
	lab_settle(0);
}

static gboolean
on_late(void *data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

static bool
until(LabClient *client, bool (*is_so)(LabClient *client, size_t count), size_t count)
{
	bool is_late = false;
	guint timer = g_timeout_add(WAIT_MS, on_late, &is_late);

	while (!is_so(client, count) && !is_late)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	return is_so(client, count);
}

static bool
is_opened(LabClient *client, size_t count)
{
	return client->opened >= count;
}

static bool
is_closed(LabClient *client, size_t count)
{
	return client->closed >= count;
}

static bool
has_bytes(LabClient *client, size_t count)
{
	return client->bytes->len >= count;
}

bool
lab_until_opened(LabClient *client, unsigned count)
{
	return until(client, is_opened, count);
}

bool
lab_until_closed(LabClient *client)
{
	return until(client, is_closed, 1);
}

bool
lab_until_bytes(LabClient *client, size_t count)
{
	return until(client, has_bytes, count);
}

void
lab_settle(unsigned ms)
{
	bool is_late = false;
	guint timer = g_timeout_add(ms, on_late, &is_late);

	while (!is_late || g_main_context_pending(NULL)) {
		g_main_context_iteration(NULL, TRUE);
		if (is_late)
			break;
	}
	g_source_remove(timer);
}

void
lab_check_words(const char *sentence, const char *words, const char *file, int line)
{
	if (strstr(sentence, words))
		return;
	print_error("the sentence was: %s\nwithout: %s\n", sentence, words);
	_fail(file, line);
}

/* ---- names ------------------------------------------------------------------------------- */

#define LAB_TYPE_RESOLVER lab_resolver_get_type()
G_DECLARE_FINAL_TYPE(LabResolver, lab_resolver, LAB, RESOLVER, GResolver)

struct _LabResolver {
	GResolver parent;
};

G_DEFINE_FINAL_TYPE(LabResolver, lab_resolver, G_TYPE_RESOLVER)

static GList *
look_up(const char *name, GError **error)
{
	GInetAddress *address;

	if (g_str_has_suffix(name, ".invalid")) {
		g_set_error(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no %s", name);
		return NULL;
	}
	/* 192.0.2.0/24 is for documentation: nobody answers there. */
	address = g_inet_address_new_from_string(g_str_has_prefix(name, "far.") ? "192.0.2.1"
										: "127.0.0.1");
	return g_list_append(NULL, address);
}

static void
look_up_flags_async(GResolver *resolver, const gchar *name, GResolverNameLookupFlags flags,
		    GCancellable *cancellable, GAsyncReadyCallback done, gpointer data)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, done, data);
	GError *error = NULL;
	GList *found = NULL;

	if (flags != G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY)
		found = look_up(name, &error);
	else
		error = g_error_new(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no %s", name);
	if (error)
		g_task_return_error(task, error);
	else
		g_task_return_pointer(task, found, (GDestroyNotify)g_resolver_free_addresses);
}

static void
look_up_async(GResolver *resolver, const gchar *name, GCancellable *cancellable,
	      GAsyncReadyCallback done, gpointer data)
{
	look_up_flags_async(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, done,
			    data);
}

static GList *
look_up_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void
lab_resolver_class_init(LabResolverClass *class)
{
	GResolverClass *parent = G_RESOLVER_CLASS(class);

	parent->lookup_by_name_async = look_up_async;
	parent->lookup_by_name_finish = look_up_finish;
	parent->lookup_by_name_with_flags_async = look_up_flags_async;
	parent->lookup_by_name_with_flags_finish = look_up_finish;
}

static void
lab_resolver_init(LabResolver *resolver)
{
}

void
lab_resolve(void)
{
	g_autoptr(GResolver) resolver = g_object_new(LAB_TYPE_RESOLVER, NULL);

	g_resolver_set_default(resolver);
}

/* ---- what most tests want ---------------------------------------------------------------- */

int
lab_set_up(void **state)
{
	Lab *lab = g_new0(Lab, 1);

	lab_resolve();
	lab->root = lab_cert((LabCertWish){ .cn = "Test Root", .is_authority = true });
	lab->other = lab_cert((LabCertWish){ .cn = "Other Root", .is_authority = true });
	lab->cert = lab_cert((LabCertWish){ .san = "DNS:a.test", .issuer = &lab->root });
	lab->ca_file = lab_cert_file(&lab->root, false);
	*state = lab;
	return 0;
}

int
lab_tear_down(void **state)
{
	Lab *lab = *state;

	unlink(lab->ca_file);
	g_free(lab->ca_file);
	lab_cert_clear(&lab->root);
	lab_cert_clear(&lab->other);
	lab_cert_clear(&lab->cert);
	g_free(lab);
	return 0;
}

void
lab_client_open_to(LabClient *client, const Lab *lab, const LabServer *server, NetTls tls,
		   const char *host)
{
	const NetAddress address = {
		.host = host,
		.port = lab_server_port(server),
		.tls = tls,
		.ca_file = lab ? lab->ca_file : NULL,
	};

	lab_client_open(client, &address, 0);
}

void
lab_client_write_line(LabClient *client, const char *line)
{
	g_autofree char *whole = g_strconcat(line, "\r\n", NULL);

	assert_true(net_stream_write(client->stream, span_of_string(whole)));
}
