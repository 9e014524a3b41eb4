/* A server that does as it is told, in a thread of its own with blocking calls, and certificates
 * made on the spot.  Every host name resolves to 127.0.0.1, but those of ".invalid". */
#ifndef TESTS_NET_LAB_H
#define TESTS_NET_LAB_H

#include "net/stream.h"

#include <openssl/ssl.h>

typedef struct LabCert {
	X509 *certificate;
	EVP_PKEY *key;
} LabCert;

typedef struct LabCertWish {
	const char *cn;		/* NULL: "test" */
	const char *san;	/* OpenSSL's words: "DNS:a,IP:127.0.0.1"; NULL: none */
	const char *usage;	/* "serverAuth"...; NULL: none */
	int from_days, to_days; /* from now; both 0: yesterday to tomorrow */
	bool is_authority;
	const LabCert *issuer; /* NULL: itself */
} LabCertWish;

LabCert lab_cert(LabCertWish wish);
void lab_cert_clear(LabCert *certificate);
/* A new file with CERTIFICATE as PEM, and its key; yours to unlink and g_free. */
char *lab_cert_file(const LabCert *certificate, bool with_key);

typedef struct LabPeer {
	int fd;
	SSL *ssl; /* NULL while in clear */
	SSL_CTX *context;
} LabPeer;

/* Runs in the server's thread, for each connection in turn. */
typedef void (*LabScript)(LabPeer *peer, void *data);

typedef struct LabServer LabServer;

/* CERT may be NULL for a server without TLS.  ISSUER's certificate is sent as well unless NULL. */
LabServer *lab_server_new(const LabCert *cert, LabScript script, void *data);
uint16_t lab_server_port(const LabServer *server);
SSL_CTX *lab_server_context(LabServer *server); /* to be changed before anybody connects */
void lab_server_free(LabServer *server);	/* waits for the script's end */

/* In a script.  False: the other side is gone. */
bool lab_tls(LabPeer *peer);
bool lab_say(LabPeer *peer, const void *bytes, size_t size);
bool lab_say_line(LabPeer *peer, const char *line);		 /* CRLF is added */
bool lab_say_raw(LabPeer *peer, const void *bytes, size_t size); /* beneath TLS */
ssize_t lab_hear(LabPeer *peer, void *bytes, size_t size);	 /* 0, -1: the end */
char *lab_hear_line(LabPeer *peer);				 /* without CRLF; NULL: the end */
void lab_goodbye(LabPeer *peer);				 /* close_notify */
/* Scripts: says what it hears, until the end; goes on saying something in TLS. */
void lab_echo(LabPeer *peer, void *data);
void lab_flood(LabPeer *peer, void *data);

/* ---- the client's side, in the test's thread --------------------------------------------- */

typedef struct LabClient {
	NetStream *stream;
	unsigned opened, writable, closed, offers;
	size_t largest_offer;
	GString *bytes;
	GError *error;
	bool keeps;					  /* takes nothing */
	void (*hook)(struct LabClient *client, Span *in); /* instead of taking, when set */
	void (*open_hook)(struct LabClient *client);
	void *data;
} LabClient;

void lab_client_open(LabClient *client, const NetAddress *address, int timeout_ms);
void lab_client_clear(LabClient *client);
/* Turn the loop until it is so; false after half a minute. */
bool lab_until_opened(LabClient *client, unsigned count);
bool lab_until_closed(LabClient *client);
bool lab_until_bytes(LabClient *client, size_t count);
/* Turns the loop as long as there is something to do at once, MS at least. */
void lab_settle(unsigned ms);

/* Names to loopback; once. */
void lab_resolve(void);

/* ---- what most tests want ---------------------------------------------------------------- */

typedef struct Lab {
	LabCert root, other; /* authorities; only the first is trusted... */
	char *ca_file;	     /* ... in here */
	LabCert cert;	     /* of the first's, for a.test */
} Lab;

/* cmocka's, for a group; *STATE is the Lab. */
int lab_set_up(void **state);
int lab_tear_down(void **state);
/* LAB NULL: nothing is trusted. */
void lab_client_open_to(LabClient *client, const Lab *lab, const LabServer *server, NetTls tls,
			const char *host);
void lab_client_write_line(LabClient *client, const char *line); /* CRLF is added */

#define lab_says(error_, words)                                                                    \
	lab_check_words((error_) ? (error_)->message : "(no error)", words, __FILE__, __LINE__)
void lab_check_words(const char *sentence, const char *words, const char *file, int line);

#endif
