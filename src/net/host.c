#include "host-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <idn2.h>

#define MAX_NAME_BYTES 253 /* RFC 1035, 2.3.4, as text */

static bool
refuse(const char *text, const char *why, GError **error)
{
	g_autofree char *safe = safe_line(text);

	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
		    _("\"%s\" is not the name of a host (%s): correct it in the configuration"),
		    safe, why);
	return false;
}

/* Letters, digits, hyphens and, because they exist, underscores; labels of 1 to 63. */
static bool
is_host_name(const char *name)
{
	size_t label = 0;

	for (const char *p = name; *p; p++) {
		if (*p == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (g_ascii_isalnum(*p) || *p == '-' || *p == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

/* "[::1]" and "fe80::1%eth0" are addresses as well. */
static bool
parse_address(NetHost *host, const char *text)
{
	g_autofree char *bare = g_strdup(text);
	g_autofree char *lookup = NULL;
	g_autoptr(GInetAddress) address = NULL;
	size_t size = strlen(bare);
	char *zone;

	if (size > 2 && bare[0] == '[' && bare[size - 1] == ']') {
		bare[size - 1] = '\0';
		memmove(bare, bare + 1, size - 1);
	}
	lookup = g_strdup(bare);
	zone = strchr(bare, '%');
	if (zone)
		*zone++ = '\0';
	address = g_inet_address_new_from_string(bare);
	if (!address || (zone && (g_inet_address_get_family(address) != G_SOCKET_FAMILY_IPV6 ||
				  !is_host_name(zone))))
		return false;
	host->lookup = g_steal_pointer(&lookup);
	host->address = g_steal_pointer(&bare);
	host->is_local = g_inet_address_get_is_loopback(address);
	return true;
}

bool
net_host_parse(NetHost *host, const char *text, GError **error)
{
	g_autofree char *name = NULL;
	uint8_t *ascii = NULL;
	size_t size;
	int status;

	*host = (NetHost){ 0 };
	if (!text || !*text)
		return refuse("", _("it is empty"), error);
	if (!g_utf8_validate(text, -1, NULL))
		return refuse(text, _("it is not UTF-8"), error);
	host->shown = g_strdup(text);
	if (parse_address(host, text))
		return true;
	if (g_str_is_ascii(text)) {
		name = g_ascii_strdown(text, -1);
	} else {
		status = idn2_lookup_u8((const uint8_t *)text, &ascii,
					IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
		if (status != IDN2_OK) {
			net_host_clear(host);
			return refuse(text, idn2_strerror(status), error);
		}
		name = g_ascii_strdown((char *)ascii, -1);
		idn2_free(ascii);
	}
	size = strlen(name);
	if (size > 1 && name[size - 1] == '.')
		name[--size] = '\0';
	if (size > MAX_NAME_BYTES || !is_host_name(name)) {
		net_host_clear(host);
		return refuse(text, _("a name has letters, digits, hyphens and dots"), error);
	}
	host->is_local = !strcmp(name, "localhost") || g_str_has_suffix(name, ".localhost");
	host->lookup = g_strdup(name);
	host->name = g_steal_pointer(&name);
	return true;
}

void
net_host_clear(NetHost *host)
{
	g_free(host->shown);
	g_free(host->lookup);
	g_free(host->name);
	g_free(host->address);
	*host = (NetHost){ 0 };
}

bool
net_host_is_loopback(GSocket *socket)
{
	g_autoptr(GSocketAddress) address = g_socket_get_remote_address(socket, NULL);

	return G_IS_INET_SOCKET_ADDRESS(address) &&
	       g_inet_address_get_is_loopback(
		   g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
}
