/* The way to AUTHENTICATED: the secret, the strongest mechanism offered, one more try, and what may
 * ride with it. */
#include "connection-login-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <string.h>

#define MAX_LOGINS 2 /* one refusal never becomes a loop */

static void take_try(Connection *connection);

static void G_GNUC_PRINTF(3, 4)
    fail_login(Connection *connection, PosternError code, const char *format, ...)
{
	g_autoptr(GError) error = NULL;
	va_list args;

	va_start(args, format);
	error = g_error_new_valist(POSTERN_ERROR, (int)code, format, args);
	va_end(args);
	connection_fail(connection, error);
}

static void
now_online(Connection *connection)
{
	connection->online = true;
	connection->handler.on_online(connection->data);
}

static void
on_capability(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Connection *connection = data;

	if (outcome == IMAP_OUTCOME_OK)
		now_online(connection);
	else if (outcome != IMAP_OUTCOME_CLOSED)
		fail_login(connection, POSTERN_ERROR_PROTOCOL,
			   _("%s does not say what it can do (CAPABILITY was refused)"),
			   connection->config->imap_host);
}

void
connection_logged_in(Connection *connection)
{
	log_event(connection->log, connection->name, "logged in by %s%s%s",
		  connection->tries[connection->at_try].mechanism,
		  connection->tries[connection->at_try].binding ? " bound to " : "",
		  connection->tries[connection->at_try].binding
		      ? connection->tries[connection->at_try].binding
		      : "");
	g_free(connection->memory->binding);
	connection->memory->binding = g_strdup(connection->tries[connection->at_try].binding);
	if (imap_session_knows(connection->session))
		now_online(connection);
	else
		connection_send(connection, imap_command_new("CAPABILITY"), IMAP_FIRST,
				on_capability, connection);
}

static bool
is_plain(const char *mechanism)
{
	return g_str_equal(mechanism, "PLAIN") || g_str_equal(mechanism, "LOGIN") ||
	       g_str_equal(mechanism, "LOGIN-COMMAND");
}

/* After a refusal that did not say the password is wrong: the same mechanism with another binding;
 * else, there being one login left, the one that asks least of the server's set-up (GNU imap4d
 * offers SCRAM and cannot do it).  The line is encrypted and its name was checked. */
static bool
next_try(Connection *connection)
{
	const Try *now = &connection->tries[connection->at_try];
	unsigned next = connection->at_try + 1;

	if (next >= connection->n_tries)
		return false;
	if (now->binding && g_str_equal(connection->tries[next].mechanism, now->mechanism)) {
		connection->at_try = next;
		return true;
	}
	for (unsigned i = next; i < connection->n_tries; i++) {
		if (is_plain(connection->tries[i].mechanism)) {
			connection->at_try = i;
			return true;
		}
	}
	connection->at_try = next;
	return true;
}

static void
login_refused(Connection *connection, const ImapResponse *response)
{
	const ConfigAccount *config = connection->config;
	const char *json = connection->sasl ? net_sasl_server_error(connection->sasl) : NULL;
	g_autofree char *words =
	    safe_text(json ? span_of_string(json) : response->text, SAFE_LINE, NULL);
	bool final = response->code == IMAP_CODE_AUTHENTICATIONFAILED ||
		     response->code == IMAP_CODE_AUTHORIZATIONFAILED ||
		     response->code == IMAP_CODE_EXPIRED;

	if (response->code == IMAP_CODE_UNAVAILABLE || response->code == IMAP_CODE_INUSE ||
	    response->code == IMAP_CODE_LIMIT || response->code == IMAP_CODE_SERVERBUG) {
		fail_login(connection, POSTERN_ERROR_OFFLINE, _("%s cannot take the login now: %s"),
			   config->imap_host, words);
		return;
	}
	g_clear_error(&connection->refusal);
	connection->refusal =
	    g_error_new(POSTERN_ERROR, POSTERN_ERROR_LOGIN,
			_("%s refused the login of %s: %s (check the password of [account %s])"),
			config->imap_host, config->imap_user, words, config->name);
	if (!final && connection->logins < MAX_LOGINS && next_try(connection)) {
		take_try(connection);
		return;
	}
	connection_memory_clear(connection->memory);
	connection_fail(connection, connection->refusal);
}

static void
on_login(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Connection *connection = data;
	g_autoptr(GError) error = NULL;

	if (outcome == IMAP_OUTCOME_CLOSED || outcome == IMAP_OUTCOME_CANCELLED)
		return;
	if (connection->sasl_error) {
		connection_fail(connection, connection->sasl_error);
		return;
	}
	if (outcome != IMAP_OUTCOME_OK) {
		login_refused(connection, response);
		return;
	}
	if (connection->sasl && !net_sasl_finish(connection->sasl, &error)) {
		connection_fail(connection, error);
		return;
	}
	connection_logged_in(connection);
}

/* Commands may ride with the last line of a login (RFC 4959), once: whatever becomes of the login,
 * nothing of it is taken for an answer to a challenge. */
static bool
may_ride(Connection *connection, const char *mechanism)
{
	return connection->ride && !connection->rides &&
	       (g_str_equal(mechanism, "PLAIN") || g_str_equal(mechanism, "EXTERNAL") ||
		g_str_has_prefix(mechanism, "SCRAM-")) &&
	       imap_session_has(connection->session, "SASL-IR") &&
	       !(imap_session_quirks(connection->session) &
		 (IMAP_QUIRK_NO_SASL_IR | IMAP_QUIRK_NO_PIPELINE | IMAP_QUIRK_NO_RIDE |
		  IMAP_QUIRK_ID_BEFORE_SELECT));
}

static void
send_ride(Connection *connection)
{
	connection->rides = true;
	connection->ride(connection->ride_data);
}

static bool
on_sasl_step(void *data, Span challenge, char **answer, size_t *size)
{
	Connection *connection = data;

	g_clear_error(&connection->sasl_error);
	if (!net_sasl_step(connection->sasl, challenge, answer, size, &connection->sasl_error))
		return false;
	/* SCRAM's server has proved itself, and taken our proof: what is left is a formality. */
	if (net_sasl_finish(connection->sasl, NULL) &&
	    may_ride(connection, connection->tries[connection->at_try].mechanism)) {
		imap_session_last_step(connection->session);
		send_ride(connection);
	}
	return true;
}

static NetCredentials
credentials(const Connection *connection)
{
	const ConfigAccount *config = connection->config;
	bool token = secret_kind(config) == SECRET_TOKEN;

	return (NetCredentials){
		.user = config->imap_user,
		.password = token ? NULL : connection->memory->secret,
		.token = token ? connection->memory->secret : NULL,
		.external = config->client_cert != NULL,
		.host = config->imap_host,
		.port = config->imap_port,
		/* NET_TLS_NEVER is loopback only. */
		.encrypted = config->imap_tls == NET_TLS_NEVER ||
			     net_stream_is_encrypted(connection->stream),
	};
}

/* The words behind "AUTH="; borrowed from CAPABILITIES. */
static GPtrArray *
offered_mechanisms(char *const *capabilities)
{
	GPtrArray *offered = g_ptr_array_new();

	for (size_t i = 0; capabilities[i]; i++)
		if (!g_ascii_strncasecmp(capabilities[i], "AUTH=", 5))
			g_ptr_array_add(offered, capabilities[i] + 5);
	g_ptr_array_add(offered, NULL);
	return offered;
}

/* A login that the session cannot put on the line has a NUL in it. */
static void
check_sent(Connection *connection, ImapTicket ticket)
{
	if (!ticket)
		fail_login(connection, POSTERN_ERROR_LOGIN,
			   _("the user name or password of [account %s] cannot be sent to %s"),
			   connection->config->name, connection->config->imap_host);
	connection_flush_later(connection);
}

static void
take_try(Connection *connection)
{
	const Try *try = &connection->tries[connection->at_try];
	NetCredentials who = credentials(connection);
	g_auto(GStrv) capabilities = imap_session_capabilities(connection->session);
	g_autoptr(GPtrArray) offered = offered_mechanisms(capabilities);
	g_autoptr(GError) error = NULL;
	g_autofree char *initial = NULL;
	size_t size = 0;
	bool first;
	ImapTicket ticket;

	g_clear_pointer(&connection->sasl, net_sasl_free);
	g_clear_error(&connection->sasl_error);
	connection->logins++;
	if (g_str_equal(try->mechanism, "LOGIN-COMMAND")) {
		check_sent(connection,
			   imap_session_login(connection->session, span_of_string(who.user),
					      span_of_string(who.password), on_login, connection));
		return;
	}
	connection->sasl =
	    net_sasl_new(try->mechanism, &who, connection->stream, try->binding,
			 net_sasl_offers_plus((char *const *)offered->pdata), &error);
	if (!connection->sasl) {
		connection_fail(connection, error);
		return;
	}
	first = net_sasl_initial(connection->sasl, &initial, &size, &error);
	if (error) {
		connection_fail(connection, error);
		return;
	}
	ticket =
	    imap_session_authenticate(connection->session, try->mechanism,
				      first ? span_of(initial ? initial : "", size) : SPAN_EMPTY,
				      on_sasl_step, on_login, connection);
	if (initial)
		explicit_bzero(initial, size);
	if (first && !g_str_has_prefix(try->mechanism, "SCRAM-") &&
	    may_ride(connection, try->mechanism))
		send_ride(connection);
	check_sent(connection, ticket);
}

static void
add_try(Connection *connection, const char *mechanism, const char *binding)
{
	if (connection->n_tries < MAX_TRIES)
		connection->tries[connection->n_tries++] = (Try){ mechanism, binding };
}

static void
add_bindings(Connection *connection, const char *mechanism)
{
	const char *name, *known = connection->memory->binding;

	for (size_t b = 0; (name = net_sasl_binding(connection->stream, b)); b++)
		if (!g_strcmp0(name, known))
			add_try(connection, mechanism, name);
	for (size_t b = 0; (name = net_sasl_binding(connection->stream, b)); b++)
		if (g_strcmp0(name, known))
			add_try(connection, mechanism, name);
}

/* Strongest first.  A -PLUS mechanism is tried with tls-exporter, then with tls-unique: Cyrus 3.6
 * takes only the latter, over TLS 1.3 as well. */
static bool
plan_tries(Connection *connection)
{
	NetCredentials who = credentials(connection);
	g_auto(GStrv) capabilities = imap_session_capabilities(connection->session);
	g_autoptr(GPtrArray) offered = offered_mechanisms(capabilities);
	g_autofree const char **chosen =
	    net_sasl_choose((char *const *)offered->pdata, &who, connection->stream);

	connection->n_tries = 0;
	for (size_t i = 0; chosen[i]; i++) {
		if (!g_str_has_suffix(chosen[i], "-PLUS")) {
			add_try(connection, chosen[i], NULL);
			continue;
		}
		add_bindings(connection, chosen[i]);
	}
	if (who.password && !imap_session_has(connection->session, "LOGINDISABLED"))
		add_try(connection, "LOGIN-COMMAND", NULL);
	return connection->n_tries > 0;
}

static void on_secret(void *data, const char *secret, const GError *error);

static void
refuse_to_log_in(Connection *connection)
{
	const ConfigAccount *config = connection->config;
	g_auto(GStrv) capabilities = imap_session_capabilities(connection->session);
	g_autofree char *offered = g_strjoinv(" ", capabilities);
	g_autofree char *shown = safe_line(offered);

	fail_login(connection, POSTERN_ERROR_LOGIN,
		   _("%s offers no way to log in that [account %s] can use (it offers: %s)"),
		   config->imap_host, config->name, shown);
}

void
connection_begin_login(Connection *connection)
{
	const ConfigAccount *config = connection->config;

	if (!connection->ready || connection->secret_request)
		return;
	connection->at_try = 0;
	if (plan_tries(connection))
		take_try(connection);
	else if (secret_kind(config) == SECRET_NONE && !config->client_cert)
		/* It has the sentence for an account without a secret. */
		connection->secret_request = secret_ask(config, g_main_context_get_thread_default(),
							0, on_secret, connection);
	else
		refuse_to_log_in(connection);
}

static void
on_secret(void *data, const char *secret, const GError *error)
{
	Connection *connection = data;

	g_clear_pointer(&connection->secret_request, secret_request_free);
	if (error) {
		connection_fail(connection, error);
		return;
	}
	connection_memory_clear(connection->memory);
	connection->memory->secret = g_strdup(secret);
	connection_begin_login(connection);
}

void
connection_prepare_login(Connection *connection)
{
	if (!connection->memory->secret && secret_kind(connection->config) != SECRET_NONE)
		connection->secret_request =
		    secret_ask(connection->config, g_main_context_get_thread_default(), 0,
			       on_secret, connection);
}
