/* Challenges from a server, one a line.  The first byte chooses the mechanism.  In SCRAM "@" stands for
 * our nonce, so that the way beyond it is open; no server that cannot know the password is ever
 * believed. */
#include "net/sasl.h"
#include "scram-private.h"

static const char *const mechanisms[] = { "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "LOGIN",
					  "PLAIN",	   "OAUTHBEARER", "XOAUTH2" };

static void
feed(NetSasl *sasl, Span line, const char *nonce)
{
	g_autofree char *text = span_dup(line);
	g_auto(GStrv) pieces = g_strsplit(text, "@", -1);
	g_autofree char *whole = g_strjoinv(nonce ? nonce : "@", pieces);
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	/* A million rounds are allowed, and slow. */
	if (strstr(whole, "i=") && strlen(strstr(whole, "i=")) > 6)
		return;
	if (net_sasl_step(sasl, span_of_string(whole), &out, &size, &error))
		g_assert(out && !out[size] && !error);
	else
		g_assert(!out && error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const NetCredentials ada = { "ada", "secret", "token", false, "a.test", 993, true };
	const char *name;
	g_autoptr(NetSasl) sasl = NULL;
	g_autofree char *initial = NULL;
	size_t initial_size;
	Span rest;

	if (!size)
		return 0;
	name = mechanisms[bytes[0] % G_N_ELEMENTS(mechanisms)];
	sasl = net_sasl_new(name, &ada, NULL, NULL, false, NULL);
	net_sasl_initial(sasl, &initial, &initial_size, NULL);
	rest = span_of(bytes + 1, size - 1);
	while (!span_is_empty(rest)) {
		const char *end = memchr(rest.at, '\n', span_size(rest));

		feed(sasl, (Span){ rest.at, end ? end : rest.end },
		     initial && strstr(initial, "r=") ? strstr(initial, "r=") + 2 : NULL);
		rest.at = end ? end + 1 : rest.end;
	}
	if (g_str_has_prefix(name, "SCRAM"))
		g_assert(!net_sasl_finish(sasl, NULL));
	return 0;
}
