#include "tls-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266, section 4.2 */
#define EXPORTER_BYTES 32
#define ALERT_REASONS  1000 /* SSL_AD_REASON_OFFSET: an alert's number behind it */
#define RECORD_FIRST   20   /* content types of TLS: 20 to 23, 24 is heartbeat */
#define RECORD_LAST    24

struct NetTlsLine {
	SSL_CTX *context;
	SSL *ssl;
	BIO *from_wire, *to_wire; /* owned by ssl */
	const NetHost *host;
	char *client_cert; /* the file's name, for sentences */
	bool is_open;	   /* the handshake is over */
	bool has_input;
	unsigned char first_byte; /* of what the server sent */
	int chosen_version;	  /* of its ServerHello; 0: none seen */
	/* The first thing verification did not like. */
	int verify_code, verify_depth;
	X509 *verify_certificate;
	bool certificate_is_read;
	NetCertificate certificate;
};

static int
on_verify(int preverified, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	NetTlsLine *tls = SSL_get_app_data(ssl);
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);

	if (preverified)
		return 1;
	if (tls->verify_code != X509_V_OK)
		return 0;
	tls->verify_code = X509_STORE_CTX_get_error(store);
	tls->verify_depth = X509_STORE_CTX_get_error_depth(store);
	if (certificate && X509_up_ref(certificate))
		tls->verify_certificate = certificate;
	return 0;
}

/* Only to tell which version a server chose that is too old for us. */
static void
on_message(int sent, int version, int type, const void *bytes, size_t size, SSL *ssl, void *data)
{
	NetTlsLine *tls = data;
	const unsigned char *hello = bytes;

	if (!sent && type == SSL3_RT_HANDSHAKE && size >= 6 && hello[0] == SSL3_MT_SERVER_HELLO)
		tls->chosen_version = hello[4] << 8 | hello[5];
}

static bool
load_files(NetTlsLine *tls, const char *ca_file, const char *client_cert, GError **error)
{
	const char *reason;

	ERR_clear_error();
	/* A machine without any certificates is no error here: ca_file may be all there is. */
	SSL_CTX_set_default_verify_paths(tls->context);
	ERR_clear_error();
	if (ca_file && !SSL_CTX_load_verify_file(tls->context, ca_file)) {
		reason = ERR_reason_error_string(ERR_peek_error());
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("ca-file %s has no certificate that can be read (%s): it must be "
			      "PEM"),
			    ca_file, reason ? reason : "?");
		return false;
	}
	if (client_cert &&
	    (SSL_CTX_use_certificate_chain_file(tls->context, client_cert) != 1 ||
	     SSL_CTX_use_PrivateKey_file(tls->context, client_cert, SSL_FILETYPE_PEM) != 1)) {
		reason = ERR_reason_error_string(ERR_peek_error());
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("client-cert %s cannot be used (%s): it must be PEM, the certificate "
			      "and its "
			      "unencrypted key"),
			    client_cert, reason ? reason : "?");
		return false;
	}
	return true;
}

/* A key with a passphrase would ask on the terminal; the file is unusable instead. */
static int
no_passphrase(char *buffer, int size, int writing, void *data)
{
	return -1;
}

static void
set_peer(NetTlsLine *tls, bool has_ca_file)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
	int is_set;

	/* What a person names is trusted by itself, be it an issuer's issuer or the server's own. */
	if (has_ca_file)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (tls->host->address) {
		is_set = X509_VERIFY_PARAM_set1_ip_asc(param, tls->host->address);
	} else {
		is_set = X509_VERIFY_PARAM_set1_host(param, tls->host->name, 0);
		SSL_set_tlsext_host_name(tls->ssl, tls->host->name);
	}
	/* Without it any certificate would do. */
	g_assert(is_set == 1);
}

NetTlsLine *
net_tls_new(const NetHost *host, const char *ca_file, const char *client_cert, GError **error)
{
	NetTlsLine *tls = g_new0(NetTlsLine, 1);

	tls->host = host;
	tls->client_cert = g_strdup(client_cert);
	tls->context = SSL_CTX_new(TLS_client_method());
	g_assert(tls->context);
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_clear_options(tls->context, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
	if (!load_files(tls, ca_file, client_cert, error)) {
		net_tls_free(tls);
		return NULL;
	}
	tls->ssl = SSL_new(tls->context);
	tls->from_wire = BIO_new(BIO_s_mem());
	tls->to_wire = BIO_new(BIO_s_mem());
	g_assert(tls->ssl && tls->from_wire && tls->to_wire);
	BIO_set_mem_eof_return(tls->from_wire, -1);
	SSL_set_bio(tls->ssl, tls->from_wire, tls->to_wire);
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, on_verify);
	SSL_set_msg_callback(tls->ssl, on_message);
	SSL_set_msg_callback_arg(tls->ssl, tls);
	set_peer(tls, ca_file != NULL);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void
net_tls_free(NetTlsLine *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	X509_free(tls->verify_certificate);
	net_certificate_clear(&tls->certificate);
	g_free(tls->client_cert);
	g_free(tls);
}

void
net_tls_feed(NetTlsLine *tls, Span wire)
{
	int taken;

	if (span_is_empty(wire))
		return;
	if (!tls->has_input)
		tls->first_byte = (unsigned char)*wire.at;
	tls->has_input = true;
	g_assert(span_size(wire) <= INT_MAX);
	taken = BIO_write(tls->from_wire, wire.at, (int)span_size(wire));
	g_assert(taken == (int)span_size(wire));
}

void
net_tls_wire(NetTlsLine *tls, NetBuffer *out)
{
	size_t size = BIO_ctrl_pending(tls->to_wire);
	int made;

	if (!size)
		return;
	made = BIO_read(tls->to_wire, net_buffer_room(out, size), (int)MIN(size, (size_t)INT_MAX));
	if (made > 0)
		net_buffer_filled(out, (size_t)made);
}

static const char *
version_name(int version)
{
	switch (version) {
	case TLS1_1_VERSION:
		return "TLS 1.1";
	case TLS1_VERSION:
		return "TLS 1.0";
	case SSL3_VERSION:
		return "SSL 3.0";
	default:
		return NULL;
	}
}

static char *
version_sentence(const NetTlsLine *tls)
{
	const char *chosen = version_name(tls->chosen_version);

	if (chosen) {
		return g_strdup_printf(_("the server %s offers only %s, which is not safe any "
					 "more: its "
					 "operator must enable TLS 1.2 or later"),
				       tls->host->shown, chosen);
	}
	return g_strdup_printf(_("the server %s refuses TLS 1.2 and 1.3, and what is older is not "
				 "safe "
				 "any more: its operator must enable TLS 1.2 or later"),
			       tls->host->shown);
}

static bool
is_about_our_certificate(int alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
		return true;
	default:
		return false;
	}
}

static char *
alert_sentence(const NetTlsLine *tls, int alert)
{
	const char *words = SSL_alert_desc_string_long(alert);

	if (alert == SSL_AD_PROTOCOL_VERSION)
		return version_sentence(tls);
	if (alert == SSL_AD_CERTIFICATE_REQUIRED)
		return g_strdup_printf(_("the server %s wants a certificate from you: name a file "
					 "with it "
					 "and its key by client-cert"),
				       tls->host->shown);
	if (tls->client_cert && is_about_our_certificate(alert))
		return g_strdup_printf(_("the server %s does not take your certificate in %s (%s)"),
				       tls->host->shown, tls->client_cert, words);
	if (alert == SSL_AD_HANDSHAKE_FAILURE && !tls->is_open)
		return g_strdup_printf(
		    _("the server %s found no way to encrypt that is safe for both "
		      "sides (%s): its operator must allow TLS 1.2 or 1.3 with a "
		      "current cipher"),
		    tls->host->shown, words);
	return g_strdup_printf(_("the server %s broke TLS off (%s)"), tls->host->shown, words);
}

/* The sentence for what lies in OpenSSL's queue of errors, which is emptied. */
static char *
failure_sentence(NetTlsLine *tls)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
	const char *words = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	if (tls->verify_code != X509_V_OK) {
		return net_certificate_complaint(tls->verify_code, tls->verify_depth,
						 tls->verify_certificate, tls->host);
	}
	if (!tls->is_open && tls->has_input &&
	    (tls->first_byte < RECORD_FIRST || tls->first_byte > RECORD_LAST)) {
		return g_strdup_printf(
		    _("the server %s answers in plain text where TLS must begin: look "
		      "whether the port and the scheme (imaps:// or imap://) belong "
		      "together"),
		    tls->host->shown);
	}
	if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION ||
	    reason == SSL_R_VERSION_TOO_LOW)
		return version_sentence(tls);
	if (reason > ALERT_REASONS && reason <= ALERT_REASONS + 255)
		return alert_sentence(tls, reason - ALERT_REASONS);
	return g_strdup_printf(_("TLS with the server %s failed (%s)"), tls->host->shown,
			       words ? words : "?");
}

static NetStep
result_of(NetTlsLine *tls, int status, GError **error)
{
	g_autofree char *sentence = NULL;

	switch (SSL_get_error(tls->ssl, status)) {
	case SSL_ERROR_NONE:
		return NET_STEP_DONE;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return NET_STEP_MORE;
	case SSL_ERROR_ZERO_RETURN:
		return NET_STEP_CLOSED;
	default:
		sentence = failure_sentence(tls);
		g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_TRUST, sentence);
		return NET_STEP_FAILED;
	}
}

NetStep
net_tls_handshake(NetTlsLine *tls, GError **error)
{
	NetStep result;

	ERR_clear_error();
	result = result_of(tls, SSL_do_handshake(tls->ssl), error);
	if (result != NET_STEP_DONE)
		return result;
	/* Belt and braces: no line opens on a peer that was not verified. */
	if (SSL_get_verify_result(tls->ssl) != X509_V_OK || !SSL_get0_peer_certificate(tls->ssl)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_TRUST,
			    _("the server %s showed no certificate"), tls->host->shown);
		return NET_STEP_FAILED;
	}
	tls->is_open = true;
	return NET_STEP_DONE;
}

NetStep
net_tls_read(NetTlsLine *tls, char *bytes, size_t size, size_t *made, GError **error)
{
	*made = 0;
	ERR_clear_error();
	return result_of(tls, SSL_read_ex(tls->ssl, bytes, size, made), error);
}

bool
net_tls_write(NetTlsLine *tls, Span bytes, GError **error)
{
	size_t made;

	if (span_is_empty(bytes))
		return true;
	ERR_clear_error();
	/* The memory BIO takes everything, so nothing is ever written by halves. */
	return result_of(tls, SSL_write_ex(tls->ssl, bytes.at, span_size(bytes), &made), error) ==
	       NET_STEP_DONE;
}

void
net_tls_close(NetTlsLine *tls)
{
	ERR_clear_error();
	if (tls->is_open)
		SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

const char *
net_tls_protocol(const NetTlsLine *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *
net_tls_cipher(const NetTlsLine *tls)
{
	return SSL_get_cipher_name(tls->ssl);
}

const NetCertificate *
net_tls_certificate(NetTlsLine *tls)
{
	if (!tls->certificate_is_read)
		net_certificate_read(&tls->certificate, SSL_get0_peer_certificate(tls->ssl));
	tls->certificate_is_read = true;
	return &tls->certificate;
}

GBytes *
net_tls_exporter(NetTlsLine *tls)
{
	unsigned char data[EXPORTER_BYTES];

	/* Without an extended master secret two lines can be made to share one (RFC 9266, 4.2). */
	if (SSL_version(tls->ssl) < TLS1_3_VERSION && SSL_get_extms_support(tls->ssl) != 1)
		return NULL;
	/* An empty context, which is not the same as none at TLS 1.2 (RFC 5705, section 4). */
	if (SSL_export_keying_material(tls->ssl, data, sizeof data, EXPORTER_LABEL,
				       strlen(EXPORTER_LABEL), (const unsigned char *)"", 0,
				       1) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return g_bytes_new(data, sizeof data);
}

GBytes *
net_tls_unique(NetTlsLine *tls)
{
	unsigned char data[EVP_MAX_MD_SIZE];
	size_t size;

	/* We never resume, so that the first Finished is the client's (RFC 5929, section 3.1). */
	size = SSL_get_finished(tls->ssl, data, sizeof data);
	return size ? g_bytes_new(data, MIN(size, sizeof data)) : NULL;
}
