#include "scram-private.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define NONCE_BYTES 18

typedef struct Key {
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size;
} Key;

struct NetScram {
	const EVP_MD *hash;
	char *password;
	char *nonce;
	char *first; /* client-first-message: the gs2 header, then its bare part */
	size_t gs2_size;
	char *channel; /* base64 of the gs2 header and the binding's data */
	char *last;    /* client-final-message */
	char *fault;
	Key server_signature; /* what the server must show; size 0 until we have answered */
};

void
net_scram_append_name(GString *text, const char *name)
{
	for (; *name; name++) {
		if (*name == ',')
			g_string_append(text, "=2C");
		else if (*name == '=')
			g_string_append(text, "=3D");
		else
			g_string_append_c(text, *name);
	}
}

static char *
fresh_nonce(void)
{
	unsigned char bytes[NONCE_BYTES];
	int status = RAND_bytes(bytes, sizeof bytes);

	g_assert(status == 1);
	/* Base64 has no comma. */
	return g_base64_encode(bytes, sizeof bytes);
}

NetScram *
net_scram_new(bool is_sha256, const char *user, const char *password, const char *flag,
	      Span binding, const char *nonce)
{
	NetScram *scram = g_new0(NetScram, 1);
	GString *text = g_string_new(flag);

	scram->hash = is_sha256 ? EVP_sha256() : EVP_sha1();
	scram->password = g_strdup(password);
	scram->nonce = nonce ? g_strdup(nonce) : fresh_nonce();
	/* Nobody else's identity is asked for. */
	g_string_append(text, ",,");
	scram->gs2_size = text->len;
	g_string_append_len(text, binding.at, (gssize)span_size(binding));
	scram->channel = g_base64_encode((const guchar *)text->str, text->len);
	g_string_truncate(text, scram->gs2_size);
	g_string_append(text, "n=");
	net_scram_append_name(text, user);
	g_string_append_printf(text, ",r=%s", scram->nonce);
	scram->first = g_string_free(text, FALSE);
	return scram;
}

void
net_scram_free(NetScram *scram)
{
	if (!scram)
		return;
	explicit_bzero(scram->password, strlen(scram->password));
	g_free(scram->password);
	g_free(scram->nonce);
	g_free(scram->first);
	g_free(scram->channel);
	g_free(scram->last);
	g_free(scram->fault);
	explicit_bzero(scram, sizeof *scram);
	g_free(scram);
}

const char *
net_scram_first(const NetScram *scram)
{
	return scram->first;
}

/* Takes "NAME=value" and the comma behind it, if any (RFC 5802, section 7). */
static bool
take_attribute(Span *in, char name, Span *value)
{
	const char *end;

	if (span_size(*in) < 2 || in->at[0] != name || in->at[1] != '=')
		return false;
	end = memchr(in->at, ',', span_size(*in));
	*value = (Span){ in->at + 2, end ? end : in->end };
	in->at = end ? end + 1 : in->end;
	return true;
}

/* Strict: no line breaks, no characters left over.  NULL when it is not base64. */
static guchar *
decode(Span base64, size_t *size)
{
	size_t count = span_size(base64);
	g_autofree char *text = NULL;

	if (!count || count % 4)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool is_pad = base64.at[i] == '=' &&
			      (i == count - 1 || (i == count - 2 && base64.at[count - 1] == '='));

		if (!g_ascii_isalnum(base64.at[i]) && base64.at[i] != '+' && base64.at[i] != '/' &&
		    !is_pad)
			return NULL;
	}
	text = span_dup(base64);
	return g_base64_decode(text, size);
}

/* The server's nonce begins with ours and goes on; printable, no comma. */
static bool
is_nonce(const NetScram *scram, Span nonce)
{
	size_t ours = strlen(scram->nonce);

	for (const char *p = nonce.at; p < nonce.end; p++) {
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	}
	return span_size(nonce) > ours && !memcmp(nonce.at, scram->nonce, ours);
}

static Key
sign(const NetScram *scram, const Key *key, const char *text)
{
	Key made = { .size = 0 };
	const unsigned char *done =
	    HMAC(scram->hash, key->bytes, (int)key->size, (const unsigned char *)text, strlen(text),
		 made.bytes, &made.size);

	g_assert(done);
	return made;
}

/* RFC 5802, section 3.  *PROOF is what we show, server_signature what we want to see. */
static void
derive(NetScram *scram, const guchar *salt, size_t salt_size, uint64_t rounds, const char *message,
       Key *proof)
{
	Key salted = { .size = (unsigned)EVP_MD_get_size(scram->hash) };
	Key client, stored, signature, server;
	int status =
	    PKCS5_PBKDF2_HMAC(scram->password, (int)strlen(scram->password), salt, (int)salt_size,
			      (int)rounds, scram->hash, (int)salted.size, salted.bytes);

	g_assert(status == 1);
	client = sign(scram, &salted, "Client Key");
	server = sign(scram, &salted, "Server Key");
	status =
	    EVP_Digest(client.bytes, client.size, stored.bytes, &stored.size, scram->hash, NULL);
	g_assert(status == 1);
	signature = sign(scram, &stored, message);
	scram->server_signature = sign(scram, &server, message);
	proof->size = client.size;
	for (unsigned i = 0; i < client.size; i++)
		proof->bytes[i] = client.bytes[i] ^ signature.bytes[i];
	explicit_bzero(&salted, sizeof salted);
	explicit_bzero(&client, sizeof client);
	explicit_bzero(&stored, sizeof stored);
	explicit_bzero(&signature, sizeof signature);
	explicit_bzero(&server, sizeof server);
}

NetScramResult
net_scram_answer(NetScram *scram, Span challenge, const char **out)
{
	Span rest = challenge;
	Span nonce, salt64, rounds_text;
	uint64_t rounds;
	size_t salt_size;
	g_autofree guchar *salt = NULL;
	g_autofree char *first = NULL;
	g_autofree char *bare = NULL;
	g_autofree char *message = NULL;
	g_autofree char *proof64 = NULL;
	g_autofree char *server_nonce = NULL;
	Key proof;

	/* "m=" before the nonce is an extension we must know, and know none. */
	if (!take_attribute(&rest, 'r', &nonce) || !take_attribute(&rest, 's', &salt64) ||
	    !take_attribute(&rest, 'i', &rounds_text) || !is_nonce(scram, nonce) ||
	    !(salt = decode(salt64, &salt_size)) ||
	    memchr(challenge.at, '\0', span_size(challenge)))
		return NET_SCRAM_NONSENSE;
	if (!span_to_number(rounds_text, NET_SCRAM_MAX_ROUNDS, &rounds))
		return span_to_number(rounds_text, UINT32_MAX, &rounds) ? NET_SCRAM_TOO_MUCH
									: NET_SCRAM_NONSENSE;
	if (!rounds)
		return NET_SCRAM_NONSENSE;
	first = span_dup(challenge);
	server_nonce = span_dup(nonce);
	bare = g_strdup_printf("c=%s,r=%s", scram->channel, server_nonce);
	message = g_strconcat(scram->first + scram->gs2_size, ",", first, ",", bare, NULL);
	derive(scram, salt, salt_size, rounds, message, &proof);
	proof64 = g_base64_encode(proof.bytes, proof.size);
	g_free(scram->last);
	scram->last = g_strconcat(bare, ",p=", proof64, NULL);
	*out = scram->last;
	return NET_SCRAM_OK;
}

NetScramResult
net_scram_verify(NetScram *scram, Span challenge)
{
	Span rest = challenge;
	Span value;
	size_t size;
	g_autofree guchar *signature = NULL;

	if (take_attribute(&rest, 'e', &value)) {
		if (span_is(value, "channel-bindings-dont-match") ||
		    span_is(value, "server-does-support-channel-binding"))
			return NET_SCRAM_OTHER_LINE;
		g_free(scram->fault);
		scram->fault = span_dup(value);
		return NET_SCRAM_REFUSED;
	}
	if (!scram->server_signature.size || !take_attribute(&rest, 'v', &value) ||
	    !(signature = decode(value, &size)) || size != scram->server_signature.size ||
	    CRYPTO_memcmp(signature, scram->server_signature.bytes, size) != 0)
		return NET_SCRAM_UNPROVEN;
	return NET_SCRAM_OK;
}

const char *
net_scram_fault(const NetScram *scram)
{
	return scram->fault ? scram->fault : "";
}
