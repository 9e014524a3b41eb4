#include "config-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"

#include <gio/gio.h>

enum { HOST_MAX = 253 };

typedef struct Scheme {
	const char *key;
	const char *name;
	NetTls tls;
	uint16_t port;
} Scheme;

static const Scheme schemes[] = {
	{ "imap", "imaps", NET_TLS_AT_ONCE, 993 },
	{ "imap", "imap", NET_TLS_LATER, 143 },
	{ "imap", "imap+insecure", NET_TLS_NEVER, 143 },
	{ "smtp", "smtps", NET_TLS_AT_ONCE, 465 },
	{ "smtp", "smtp", NET_TLS_LATER, 587 },
	{ "smtp", "smtp+insecure", NET_TLS_NEVER, 587 },
};

void
config_server_clear(ConfigServer *server)
{
	g_clear_pointer(&server->user, g_free);
	g_clear_pointer(&server->host, g_free);
}

static bool G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_propagate_error(error,
			  g_error_new_valist(POSTERN_ERROR, POSTERN_ERROR_CONFIG, format, args));
	va_end(args);
	return false;
}

static const Scheme *
take_scheme(Span *in, const char *key, GError **error)
{
	const char *p = in->at, *best = NULL;
	g_autofree char *word = NULL;
	g_autofree char *shown = NULL;

	while (p < in->end && (g_ascii_isalnum(*p) || *p == '+' || *p == '-' || *p == '.'))
		p++;
	if (in->end - p < 3 || memcmp(p, "://", 3)) {
		refuse(error, _("%s needs its protocol: %ss://USER@HOST"), key, key);
		return NULL;
	}
	word = span_dup(span_of(in->at, (size_t)(p - in->at)));
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		if (strcmp(schemes[i].key, key))
			continue;
		if (!g_ascii_strcasecmp(schemes[i].name, word)) {
			in->at = p + 3;
			return &schemes[i];
		}
		best = nearest_of(word, best, schemes[i].name);
	}
	shown = safe_line(word);
	if (best)
		refuse(error, _("no such protocol \"%s\" for %s: did you mean \"%s\"?"), shown, key,
		       best);
	else
		refuse(error, _("no such protocol \"%s\" for %s: it is %ss (TLS) or %s (STARTTLS)"),
		       shown, key, key, key);
	return NULL;
}

/* RFC 3986, 2.1.  A ":" as it stands would begin a password, a ";" RFC 5092's parameters. */
static char *
decode_user(const char *key, Span raw, GError **error)
{
	g_autoptr(GString) user = g_string_new(NULL);

	for (const char *p = raw.at; p < raw.end; p++) {
		if (*p == ':') {
			refuse(error,
			       _("a password does not belong into %s: use password-command or "
				 "password-file (a \":\" in the user's name is written %%3A)"),
			       key);
			return NULL;
		}
		if (*p == ';') {
			refuse(error, _("a \";\" in the user's name is written %%3B in %s"), key);
			return NULL;
		}
		if (*p != '%') {
			g_string_append_c(user, *p);
			continue;
		}
		if (raw.end - p < 3 || !g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2])) {
			refuse(error, _("a \"%%\" in the user's name is written %%25 in %s"), key);
			return NULL;
		}
		g_string_append_c(user, (char)(g_ascii_xdigit_value(p[1]) * 16 +
					       g_ascii_xdigit_value(p[2])));
		p += 2;
	}
	if (!user->len) {
		refuse(error, _("the user's name before \"@\" is empty in %s"), key);
		return NULL;
	}
	if (!safe_text_is(span_of(user->str, user->len), SAFE_LINE)) {
		refuse(error, _("the user's name has characters that cannot be shown in %s"), key);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&user), FALSE);
}

/* Characters only: what a name is worth, the resolver and IDNA say. */
static bool
is_host_name(Span host)
{
	const char *label = host.at;

	if (span_is_empty(host) || span_size(host) > HOST_MAX || !safe_text_is(host, SAFE_LINE))
		return false;
	for (const char *p = host.at; p <= host.end; p++) {
		if (p == host.end || *p == '.') {
			/* one dot at the end says that the name is whole */
			if (p == label && !(p == host.end && p - host.at > 1))
				return false;
			if (p - label > 63 || (p > label && (*label == '-' || p[-1] == '-')))
				return false;
			label = p + 1;
		} else if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_' && !(*p & 0x80)) {
			return false;
		}
	}
	return true;
}

static char *
take_host(Span *in, const char *key, GError **error)
{
	const char *p = in->at;
	g_autofree char *host = NULL;

	if (p < in->end && *p == '[') {
		g_autoptr(GInetAddress) address = NULL;
		const char *close = memchr(p, ']', span_size(*in));

		if (close) {
			host = span_dup(span_of(p + 1, (size_t)(close - p - 1)));
			address = g_inet_address_new_from_string(host);
		}
		if (!address || g_inet_address_get_family(address) != G_SOCKET_FAMILY_IPV6) {
			refuse(error,
			       _("what stands between \"[\" and \"]\" is no IPv6 address in %s"),
			       key);
			return NULL;
		}
		in->at = close + 1;
		return g_steal_pointer(&host);
	}
	while (p < in->end && *p != ':' && *p != '/' && *p != '?' && *p != '#')
		p++;
	if (p < in->end && *p == ':' && memchr(p + 1, ':', (size_t)(in->end - p - 1))) {
		refuse(error, _("an IPv6 address stands in brackets: %ss://USER@[2001:db8::1]"),
		       key);
		return NULL;
	}
	if (p == in->at) {
		refuse(error, _("%s has no host: %ss://USER@HOST"), key, key);
		return NULL;
	}
	if (!is_host_name(span_of(in->at, (size_t)(p - in->at)))) {
		refuse(error, _("%s has a host that is no name and no address"), key);
		return NULL;
	}
	host = span_dup(span_of(in->at, (size_t)(p - in->at)));
	in->at = p;
	return g_steal_pointer(&host);
}

static bool
take_port(Span *in, const char *key, uint16_t *port, GError **error)
{
	const char *p = in->at + 1;
	uint64_t number = 0;

	if (in->at == in->end || *in->at != ':')
		return true;
	while (p < in->end && g_ascii_isdigit(*p))
		p++;
	if (!span_to_number(span_of(in->at + 1, (size_t)(p - in->at - 1)), UINT16_MAX, &number) ||
	    !number)
		return refuse(error, _("the port in %s is a number from 1 to 65535"), key);
	*port = (uint16_t)number;
	in->at = p;
	return true;
}

static bool
is_loopback(const char *host)
{
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

	return address ? g_inet_address_get_is_loopback(address)
		       : !g_ascii_strcasecmp(host, "localhost");
}

bool
config_server_parse(const char *key, const char *value, ConfigServer *server, GError **error)
{
	Span in = span_of_string(value);
	const Scheme *scheme = take_scheme(&in, key, error);
	const char *at = NULL;
	g_auto(ConfigServer) found = { 0 };

	if (!scheme)
		return false;
	for (const char *p = in.at; p < in.end; p++)
		if (*p == '@')
			at = p;
	if (at) {
		found.user = decode_user(key, span_of(in.at, (size_t)(at - in.at)), error);
		if (!found.user)
			return false;
		in.at = at + 1;
	}
	found.host = take_host(&in, key, error);
	found.port = scheme->port;
	found.tls = scheme->tls;
	if (!found.host || !take_port(&in, key, &found.port, error))
		return false;
	if (!span_is_empty(in) && !span_is(in, "/"))
		return refuse(error, _("nothing may follow the host and its port in %s"), key);
	if (found.tls == NET_TLS_NEVER && !is_loopback(found.host))
		return refuse(error,
			      _("%s:// sends the password and all mail in clear, and %s is not "
				"this "
				"machine: use %ss:// or %s://"),
			      scheme->name, found.host, key, key);
	*server = found;
	found = (ConfigServer){ 0 };
	return true;
}

char *
config_address_bare(const char *address)
{
	const char *open = strrchr(address, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	const char *at;
	g_autofree char *bare = NULL;

	if (open && (!close || close[1]))
		return NULL;
	bare = open ? g_strndup(open + 1, (size_t)(close - open - 1)) : g_strdup(address);
	g_strstrip(bare);
	at = strrchr(bare, '@');
	if (!at || at == bare || !at[1] || strpbrk(at + 1, " \t<>(),;:\"@") ||
	    (*bare != '"' && strpbrk(bare, " \t<>(),;:")))
		return NULL;
	if (!safe_text_is(span_of_string(bare), SAFE_LINE))
		return NULL;
	return g_steal_pointer(&bare);
}
