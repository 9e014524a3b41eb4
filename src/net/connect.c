#include "connect-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/* A line over which nothing has come back for this long is dead (RFC 5482). */
#define USER_TIMEOUT_MS	 60000
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_GAP_S	 15
#define KEEPALIVE_TRIES	 4

void
net_connect_start(const NetHost *host, uint16_t port, GCancellable *cancellable,
		  GAsyncReadyCallback done, void *data)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnectable) where = g_network_address_new(host->lookup, port);

	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_protocol(client, G_SOCKET_PROTOCOL_TCP);
	g_socket_client_connect_async(client, where, cancellable, done, data);
}

static void
set_options(GSocket *socket)
{
	/* None is needed for the line to work; where the system has no such option, so be it. */
	g_socket_set_blocking(socket, FALSE);
	g_socket_set_keepalive(socket, TRUE);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
#ifdef TCP_KEEPIDLE
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S, NULL);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_GAP_S, NULL);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES, NULL);
#endif
#ifdef TCP_USER_TIMEOUT
	g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS, NULL);
#endif
}

static void
explain(const NetHost *host, uint16_t port, const GError *cause, GError **error)
{
	const char *name = host->shown;

	if (g_error_matches(cause, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("the name %s is not found: look whether it is spelt right, and "
			      "whether this "
			      "machine has a network"),
			    name);
	} else if (cause->domain == G_RESOLVER_ERROR) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("the name %s cannot be looked up now: look whether this machine has "
			      "a network"),
			    name);
	} else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("%s refuses connections on port %u: look whether the port is right "
			      "and the "
			      "server runs"),
			    name, port);
	} else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("%s does not answer on port %u: look whether the port is right, and "
			      "whether a "
			      "firewall is in the way"),
			    name, port);
	} else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE) ||
		   g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("%s cannot be reached: look whether this machine has a network"),
			    name);
	} else {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("cannot connect to %s on port %u: %s"), name, port, cause->message);
	}
}

GSocketConnection *
net_connect_finish(const NetHost *host, uint16_t port, GObject *source, GAsyncResult *result,
		   GError **error)
{
	g_autoptr(GError) cause = NULL;
	GSocketConnection *connection =
	    g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &cause);

	if (!connection) {
		explain(host, port, cause, error);
		return NULL;
	}
	set_options(g_socket_connection_get_socket(connection));
	return connection;
}

char *
net_connect_peer(GSocket *socket)
{
	g_autoptr(GSocketAddress) address = g_socket_get_remote_address(socket, NULL);

	return address ? g_socket_connectable_to_string(G_SOCKET_CONNECTABLE(address)) : NULL;
}
