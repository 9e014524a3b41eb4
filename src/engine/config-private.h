/* What config.c and config-server.c share. */
#ifndef ENGINE_CONFIG_PRIVATE_H
#define ENGINE_CONFIG_PRIVATE_H

#include "engine/config.h"

typedef struct ConfigServer {
	char *user; /* NULL: not given */
	char *host;
	uint16_t port;
	NetTls tls;
} ConfigServer;

void config_server_clear(ConfigServer *server);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigServer, config_server_clear)

/* Reads VALUE, the server of KEY ("imap", "smtp").  SERVER is written only on success.  The error
 * is a CONFIG one without file and line, and never repeats VALUE: there may be a password in it. */
bool config_server_parse(const char *key, const char *value, ConfigServer *server, GError **error);

/* "Ada <ada@example.org>" or "ada@example.org" gives "ada@example.org"; NULL: it is no address. */
char *config_address_bare(const char *address);

/* "90d", "2w", "1y", "all" (INT64_MAX) or "none" (0). */
bool config_time_parse(const char *value, int64_t *seconds);
/* "4096", "64k", "20M", "1G", "1T"; not 0. */
bool config_size_parse(const char *value, uint64_t *bytes);

#endif
