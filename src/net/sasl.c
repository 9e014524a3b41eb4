#include "net/sasl.h"

#include "scram-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <gsasl.h>

#define MAX_CHALLENGE_BYTES (64 * 1024)

typedef enum {
	NEEDS_PASSWORD = 1 << 0,
	NEEDS_TOKEN = 1 << 1,
	NEEDS_CERTIFICATE = 1 << 2,
	NEEDS_BINDING = 1 << 3,
	NEEDS_USER = 1 << 4,
	NEEDS_SECRECY = 1 << 5, /* shows the secret to who listens */
	CLIENT_FIRST = 1 << 6,
	IS_OAUTH = 1 << 7,
	IS_SCRAM = 1 << 8, /* the server must prove itself as well */
	IS_SHA256 = 1 << 9,
} Trait;

typedef struct Mechanism {
	const char *name;
	unsigned traits;
	unsigned proves_at; /* which of our messages, from 1, holds the proof */
} Mechanism;

static const char *const nonsense = N_("%s sent a login challenge that makes no sense");

#define SCRAM (NEEDS_PASSWORD | NEEDS_USER | CLIENT_FIRST | IS_SCRAM)

/* The strongest first.  A person who gives a token or a certificate means it to be used. */
static const Mechanism mechanisms[] = {
	{ "OAUTHBEARER", NEEDS_TOKEN | NEEDS_SECRECY | CLIENT_FIRST | IS_OAUTH, 1 },
	{ "XOAUTH2", NEEDS_TOKEN | NEEDS_USER | NEEDS_SECRECY | CLIENT_FIRST | IS_OAUTH, 1 },
	{ "EXTERNAL", NEEDS_CERTIFICATE | NEEDS_SECRECY | CLIENT_FIRST, 1 },
	{ "SCRAM-SHA-256-PLUS", SCRAM | IS_SHA256 | NEEDS_BINDING, 2 },
	{ "SCRAM-SHA-1-PLUS", SCRAM | NEEDS_BINDING, 2 },
	{ "SCRAM-SHA-256", SCRAM | IS_SHA256, 2 },
	{ "SCRAM-SHA-1", SCRAM, 2 },
	{ "CRAM-MD5", NEEDS_PASSWORD | NEEDS_USER, 1 },
	{ "PLAIN", NEEDS_PASSWORD | NEEDS_USER | NEEDS_SECRECY | CLIENT_FIRST, 1 },
	{ "LOGIN", NEEDS_PASSWORD | NEEDS_USER | NEEDS_SECRECY, 2 },
};

struct NetSasl {
	const Mechanism *mechanism;
	char *host;
	NetScram *scram;	/* NULL unless it is SCRAM */
	Gsasl *library;		/* NULL where the mechanism is ours */
	Gsasl_session *session; /* likewise */
	char *initial;		/* our first message, kept to say it again; secret */
	size_t initial_size;
	unsigned sent;	    /* our messages so far */
	bool is_repeatable; /* only the initial message was sent */
	bool is_content;    /* nothing more to be said, and the server proved what it must */
	char *server_error;
};

static void
wipe(char *secret, size_t size)
{
	if (secret)
		explicit_bzero(secret, size);
	g_free(secret);
}

/* ---- which ------------------------------------------------------------------------------- */

/* The INDEXth binding's name; *DATA, unless NULL, is the caller's to unref. */
static const char *
binding_at(NetStream *stream, size_t index, GBytes **data)
{
	NetSecurity security;
	bool is_new;
	const char *name;
	g_autoptr(GBytes) found = NULL;

	if (!stream || index > 1 || !net_stream_security(stream, &security))
		return NULL;
	is_new = g_strcmp0(security.protocol, "TLSv1.2") != 0;
	name = is_new == (index == 0) ? "tls-exporter" : "tls-unique";
	found = is_new == (index == 0) ? net_stream_tls_exporter(stream)
				       : net_stream_tls_unique(stream);
	if (!found)
		return NULL;
	if (data)
		*data = g_steal_pointer(&found);
	return name;
}

const char *
net_sasl_binding(NetStream *stream, size_t index)
{
	return binding_at(stream, index, NULL);
}

static bool
can_serve(const Mechanism *mechanism, const NetCredentials *credentials, NetStream *stream)
{
	unsigned needs = mechanism->traits;

	return (!(needs & NEEDS_PASSWORD) || credentials->password) &&
	       (!(needs & NEEDS_TOKEN) || credentials->token) &&
	       (!(needs & NEEDS_CERTIFICATE) || credentials->external) &&
	       (!(needs & NEEDS_USER) || credentials->user) &&
	       (!(needs & NEEDS_SECRECY) || credentials->encrypted) &&
	       (!(needs & NEEDS_BINDING) || net_sasl_binding(stream, 0));
}

static bool
is_offered(char *const *offered, const char *name)
{
	for (; offered && *offered; offered++) {
		if (!g_ascii_strcasecmp(*offered, name))
			return true;
	}
	return false;
}

const char **
net_sasl_choose(char *const *offered, const NetCredentials *credentials, NetStream *stream)
{
	const char **chosen = g_new0(const char *, G_N_ELEMENTS(mechanisms) + 1);
	size_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
		if (is_offered(offered, mechanisms[i].name) &&
		    can_serve(&mechanisms[i], credentials, stream))
			chosen[count++] = mechanisms[i].name;
	}
	return chosen;
}

bool
net_sasl_offers_plus(char *const *offered)
{
	size_t size;

	for (; offered && *offered; offered++) {
		size = strlen(*offered);
		if (!g_ascii_strncasecmp(*offered, "SCRAM-", 6) && size > 5 &&
		    !g_ascii_strcasecmp(*offered + size - 5, "-PLUS"))
			return true;
	}
	return false;
}

/* ---- beginning --------------------------------------------------------------------------- */

static const Mechanism *
mechanism_named(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
		if (!g_ascii_strcasecmp(mechanisms[i].name, name))
			return &mechanisms[i];
	}
	return NULL;
}

/* No control may break out of its field. */
static bool
is_clean(const char *text, bool ascii_only)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f ||
		    (ascii_only && ((unsigned char)*text > '~' || *text == ' ')))
			return false;
	}
	return true;
}

static bool
make_oauth(NetSasl *sasl, const NetCredentials *credentials, GError **error)
{
	bool is_bearer = !strcmp(sasl->mechanism->name, "OAUTHBEARER");
	GString *text;

	if (!is_clean(credentials->token, true) || !*credentials->token) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("the token for %s is not one word of plain characters: look what "
			      "token-command prints"),
			    sasl->host);
		return false;
	}
	if (!is_clean(credentials->user, false) || !is_clean(credentials->host, false)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("the user name for %s has a control character"), sasl->host);
		return false;
	}
	/* Large enough that no copy of the token is left behind by growing. */
	text = g_string_sized_new(strlen(credentials->token) + strlen(sasl->host) + 64 +
				  (credentials->user ? 3 * strlen(credentials->user) : 0));
	if (is_bearer) {
		g_string_append(text, "n,");
		if (credentials->user) {
			g_string_append(text, "a=");
			net_scram_append_name(text, credentials->user);
		}
		g_string_append_c(text, ',');
		if (credentials->host)
			g_string_append_printf(text, "\001host=%s\001port=%u", credentials->host,
					       credentials->port);
	} else {
		g_string_append_printf(text, "user=%s", credentials->user);
	}
	g_string_append(text, "\001auth=Bearer ");
	g_string_append(text, credentials->token);
	g_string_append(text, "\001\001");
	sasl->initial_size = text->len;
	sasl->initial = g_string_free(text, FALSE);
	return true;
}

/* RFC 4013, by GNU SASL, which knows the tables.  Yours to wipe. */
static char *
prepare(const char *text, GError **error)
{
	char *prepared = NULL;
	char *copy;

	if (gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_LOGIN,
			    _("the password or the user name has characters that a login cannot "
			      "carry (RFC 4013): correct it"));
		return NULL;
	}
	copy = g_strdup(prepared);
	explicit_bzero(prepared, strlen(prepared));
	gsasl_free(prepared);
	return copy;
}

/* The gs2 flag (RFC 5802, section 6); *DATA is what to bind to, NULL for none. */
static char *
channel_flag(const NetSasl *sasl, NetStream *stream, const char *binding, bool plus_offered,
	     GBytes **data, GError **error)
{
	const char *name;

	if (!(sasl->mechanism->traits & NEEDS_BINDING))
		return g_strdup(net_sasl_binding(stream, 0) && !plus_offered ? "y" : "n");
	for (size_t i = 0; (name = binding_at(stream, i, data)); i++) {
		if (!g_strcmp0(name, binding))
			return g_strconcat("p=", name, NULL);
		g_clear_pointer(data, g_bytes_unref);
	}
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_LOGIN,
		    _("the line to %s cannot be bound to the login by %s"), sasl->host,
		    binding ? binding : "?");
	return NULL;
}

static bool
start_scram(NetSasl *sasl, const NetCredentials *credentials, NetStream *stream,
	    const char *binding, bool plus_offered, GError **error)
{
	g_autoptr(GBytes) data = NULL;
	g_autofree char *flag = channel_flag(sasl, stream, binding, plus_offered, &data, error);
	g_autofree char *user = NULL;
	char *password;
	Span bound = SPAN_EMPTY;

	if (!flag)
		return false;
	user = prepare(credentials->user, error);
	password = user ? prepare(credentials->password, error) : NULL;
	if (!password)
		return false;
	if (data)
		bound = span_of(g_bytes_get_data(data, NULL), g_bytes_get_size(data));
	sasl->scram =
	    net_scram_new(sasl->mechanism->traits & IS_SHA256, user, password, flag, bound, NULL);
	wipe(password, strlen(password));
	return true;
}

static bool
start_gsasl(NetSasl *sasl, const NetCredentials *credentials, GError **error)
{
	const char *name = sasl->mechanism->name;
	int status = gsasl_init(&sasl->library);

	if (status == GSASL_OK)
		status = gsasl_client_start(sasl->library, name, &sasl->session);
	if (status != GSASL_OK) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_LOGIN,
			    _("the login mechanism %s cannot be used here (%s)"), name,
			    gsasl_strerror(status));
		return false;
	}
	/* EXTERNAL asks for no identity but the certificate's own (RFC 4422, A.1). */
	if (sasl->mechanism->traits & NEEDS_PASSWORD) {
		gsasl_property_set(sasl->session, GSASL_AUTHID, credentials->user);
		gsasl_property_set(sasl->session, GSASL_PASSWORD, credentials->password);
	}
	return true;
}

NetSasl *
net_sasl_new(const char *mechanism, const NetCredentials *credentials, NetStream *stream,
	     const char *binding, bool plus_offered, GError **error)
{
	g_autoptr(NetSasl) sasl = g_new0(NetSasl, 1);

	sasl->host = g_strdup(credentials->host ? credentials->host : _("the server"));
	sasl->mechanism = mechanism_named(mechanism);
	if (!sasl->mechanism || !can_serve(sasl->mechanism, credentials, stream)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_LOGIN,
			    _("the login mechanism %s cannot be used on this line with what is "
			      "configured"),
			    mechanism);
		return NULL;
	}
	if (sasl->mechanism->traits & IS_OAUTH) {
		if (!make_oauth(sasl, credentials, error))
			return NULL;
	} else if (sasl->mechanism->traits & IS_SCRAM) {
		if (!start_scram(sasl, credentials, stream, binding, plus_offered, error))
			return NULL;
	} else if (!start_gsasl(sasl, credentials, error)) {
		return NULL;
	}
	return g_steal_pointer(&sasl);
}

void
net_sasl_free(NetSasl *sasl)
{
	const char *password;

	if (!sasl)
		return;
	net_scram_free(sasl->scram);
	if (sasl->session) {
		/* GNU SASL frees its copy as it is. */
		password = gsasl_property_fast(sasl->session, GSASL_PASSWORD);
		if (password)
			explicit_bzero((char *)(uintptr_t)password, strlen(password));
		gsasl_finish(sasl->session);
	}
	if (sasl->library)
		gsasl_done(sasl->library);
	wipe(sasl->initial, sasl->initial_size);
	g_free(sasl->server_error);
	g_free(sasl->host);
	g_free(sasl);
}

/* ---- the exchange ------------------------------------------------------------------------ */

static bool
refuse(const NetSasl *sasl, PosternError code, GError **error, const char *format)
{
	g_set_error(error, POSTERN_ERROR, (int)code, format, sasl->host);
	return false;
}

static void
put(const char *text, size_t text_size, char **out, size_t *size)
{
	*out = g_malloc(text_size + 1);
	if (text_size)
		memcpy(*out, text, text_size);
	(*out)[text_size] = '\0';
	*size = text_size;
}

/* One message of GNU SASL's. */
static bool
run_gsasl(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error)
{
	char *made = NULL;
	size_t made_size = 0;
	int status = gsasl_step(sasl->session, challenge.at ? challenge.at : "",
				span_size(challenge), &made, &made_size);

	if (status != GSASL_OK && status != GSASL_NEEDS_MORE) {
		gsasl_free(made);
		return refuse(sasl, POSTERN_ERROR_LOGIN, error, _(nonsense));
	}
	sasl->is_content = status == GSASL_OK;
	sasl->sent++;
	put(made, made_size, out, size);
	if (made)
		explicit_bzero(made, made_size);
	gsasl_free(made);
	return true;
}

bool
net_sasl_initial(NetSasl *sasl, char **out, size_t *size, GError **error)
{
	*out = NULL;
	*size = 0;
	if (!(sasl->mechanism->traits & CLIENT_FIRST))
		return false;
	g_assert(!sasl->sent);
	if (sasl->mechanism->traits & IS_OAUTH) {
		sasl->sent++;
		sasl->is_content = true;
	} else if (sasl->scram) {
		sasl->sent++;
		put(net_scram_first(sasl->scram), strlen(net_scram_first(sasl->scram)),
		    &sasl->initial, &sasl->initial_size);
	} else if (!run_gsasl(sasl, SPAN_EMPTY, &sasl->initial, &sasl->initial_size, error)) {
		return false;
	}
	sasl->is_repeatable = true;
	put(sasl->initial, sasl->initial_size, out, size);
	return true;
}

static bool
explain_scram(const NetSasl *sasl, NetScramResult result, GError **error)
{
	g_autofree char *words = NULL;

	switch (result) {
	case NET_SCRAM_OK:
		return true;
	case NET_SCRAM_TOO_MUCH:
		return refuse(sasl, POSTERN_ERROR_LOGIN, error,
			      _("%s asks for more work to log in than is sensible"));
	case NET_SCRAM_REFUSED:
		words = safe_line(net_scram_fault(sasl->scram));
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_LOGIN,
			    _("%s refuses the login (%s)"), sasl->host, words);
		return false;
	case NET_SCRAM_OTHER_LINE:
		return refuse(sasl, POSTERN_ERROR_TRUST, error,
			      _("%s sees another TLS line than we do: somebody may be in between"));
	case NET_SCRAM_UNPROVEN:
		return refuse(sasl, POSTERN_ERROR_TRUST, error,
			      _("%s could not prove that it knows your password: it may not be the "
				"server it seems to be"));
	case NET_SCRAM_NONSENSE:
	default:
		return refuse(sasl, POSTERN_ERROR_LOGIN, error, _(nonsense));
	}
}

static bool
step_scram(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error)
{
	const char *answer = "";
	NetScramResult result;

	if (sasl->sent == 1)
		result = net_scram_answer(sasl->scram, challenge, &answer);
	else
		result = net_scram_verify(sasl->scram, challenge);
	if (!explain_scram(sasl, result, error))
		return false;
	sasl->is_content = sasl->sent == 2;
	sasl->sent++;
	put(answer, strlen(answer), out, size);
	return true;
}

/* RFC 7628, section 3.2.3: the server says in JSON what is wrong, and waits to be told to fail. */
static bool
step_oauth(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error)
{
	if (sasl->server_error) {
		return refuse(sasl, POSTERN_ERROR_LOGIN, error, _(nonsense));
	}
	sasl->server_error = span_dup(challenge);
	sasl->is_content = false;
	put("\001", !strcmp(sasl->mechanism->name, "OAUTHBEARER"), out, size);
	return true;
}

bool
net_sasl_step(NetSasl *sasl, Span challenge, char **out, size_t *size, GError **error)
{
	bool is_repeatable = sasl->is_repeatable;

	*out = NULL;
	*size = 0;
	if (span_size(challenge) > MAX_CHALLENGE_BYTES) {
		return refuse(sasl, POSTERN_ERROR_LOGIN, error,
			      _("%s sent a login challenge that is too long"));
	}
	if ((sasl->mechanism->traits & CLIENT_FIRST) && !sasl->sent) {
		if (span_is_empty(challenge))
			return net_sasl_initial(sasl, out, size, error);
		return refuse(sasl, POSTERN_ERROR_LOGIN, error, _(nonsense));
	}
	sasl->is_repeatable = false;
	/* Some servers announce SASL-IR and do not hear the initial response. */
	if (is_repeatable && span_is_empty(challenge)) {
		put(sasl->initial, sasl->initial_size, out, size);
		return true;
	}
	if (sasl->mechanism->traits & IS_OAUTH)
		return step_oauth(sasl, challenge, out, size, error);
	if (sasl->is_content) {
		return refuse(sasl, POSTERN_ERROR_LOGIN, error,
			      _("%s asks for more than its login mechanism has"));
	}
	if (sasl->scram)
		return step_scram(sasl, challenge, out, size, error);
	return run_gsasl(sasl, challenge, out, size, error);
}

bool
net_sasl_finish(NetSasl *sasl, GError **error)
{
	if (sasl->is_content)
		return true;
	return refuse(sasl, POSTERN_ERROR_TRUST, error,
		      _("%s says that the login is done before it is: it may not be the server it "
			"seems to "
			"be"));
}

bool
net_sasl_has_proved(const NetSasl *sasl)
{
	return sasl->sent >= sasl->mechanism->proves_at;
}

const char *
net_sasl_server_error(const NetSasl *sasl)
{
	return sasl->server_error;
}
