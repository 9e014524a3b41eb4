/* What the files of the configuration share. */
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

/* VALUE into where KEY is in BASE, the struct of its section.  DIR is what files are relative to; it
 * may be NULL where KEY is none.  A CONFIG error, without file and line, leaves BASE as it was. */
bool config_value_set(void *base, const ConfigKey *key, const char *value, const char *dir,
		      GError **error);
/* What is so in SECTION where nothing is said. */
void config_set_normal(const char *section, void *base);

/* One key as it stands in the file. */
typedef struct ConfigEntry {
	char *group;
	const ConfigKey *key;	/* NULL: in a section of words of its own */
	ConfigAccount *account; /* whose it is; NULL: nobody's */
	void *base;		/* what key->offset is in */
	char *word;		/* without a key: what stands before the "=" */
	unsigned line;
} ConfigEntry;

/* One pass over the text: finds the lines, which GKeyFile does not tell, refuses what it would
 * merge or drop in silence, and gives it a copy without comments. */
typedef struct ConfigScan {
	const char *path; /* through the door */
	Config *config;
	GString *clean;
	GArray *entries;       /* of ConfigEntry, cleared with it */
	GArray *section_lines; /* of unsigned, one an account */
	char *section, *group; /* "account", "account work": where we are; NULL: nowhere yet */
	char *place;	       /* of [keys PLACE]; NULL: everywhere */
	void *base;
	unsigned line;
} ConfigScan;

void config_scan_init(ConfigScan *scan, Config *config, const char *path, size_t size);
void config_scan_clear(ConfigScan *scan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigScan, config_scan_clear)

bool config_scan_lines(ConfigScan *scan, Span text, GError **error);
/* A CONFIG error that begins with file and line; false. */
bool config_scan_complain(const ConfigScan *scan, unsigned line, GError **error, const char *format,
			  ...) G_GNUC_PRINTF(4, 5);

#endif
