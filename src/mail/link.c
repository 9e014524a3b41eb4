#include "link-private.h"

static Span
trim(Span span)
{
	while (!span_is_empty(span) && g_ascii_isspace(*span.at))
		span.at++;
	while (!span_is_empty(span) && g_ascii_isspace(span.end[-1]))
		span.end--;
	return span;
}

static bool
is_target(const char *href)
{
	static const char *const dead[] = { "#",     "javascript:", "vbscript:",
					    "data:", "cid:",	    "about:" };

	for (size_t i = 0; i < G_N_ELEMENTS(dead); i++)
		if (!g_ascii_strncasecmp(href, dead[i], strlen(dead[i])))
			return false;
	return *href != '\0';
}

bool
link_target(const char *href, GString *target)
{
	g_string_truncate(target, 0);
	while (href && g_ascii_isspace(*href))
		href++;
	if (!href || !is_target(href))
		return false;
	for (const char *p = href; *p && target->len < LINK_MAX; p++) {
		if ((*p == ' ' && p[strspn(p, " ")]) || *p == '<' || *p == '>')
			g_string_append_printf(target, "%%%02X", (unsigned)*p);
		else if (!g_ascii_iscntrl(*p) && *p != ' ')
			g_string_append_c(target, *p);
	}
	if (target->len >= LINK_MAX) {
		/* Between characters. */
		while (target->len > 0 &&
		       ((unsigned char)target->str[target->len - 1] & 0xc0) == 0x80)
			g_string_truncate(target, target->len - 1);
		if (target->len > 0 && (unsigned char)target->str[target->len - 1] >= 0xc0)
			g_string_truncate(target, target->len - 1);
		g_string_append(target, "...");
	}
	return target->len > 0;
}

bool
link_says_the_same(Span text, const char *target)
{
	static const char *const schemes[] = { "", "mailto:", "tel:", "http://", "https://" };

	text = trim(text);
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
		Span rest = span_of_string(target);

		if (!span_starts_nocase(rest, schemes[i]))
			continue;
		rest.at += strlen(schemes[i]);
		if (span_equals_nocase(rest, text))
			return true;
		if (!span_is_empty(rest) && rest.end[-1] == '/') {
			rest.end--;
			if (span_equals_nocase(rest, text))
				return true;
		}
	}
	return false;
}

/* ---- hosts ---- */

/* Of "user@host:port/path", which is what follows the scheme.  Browsers take a backslash for a
 * slash, and everything up to the last "@" for somebody's name. */
static Span
host_of(Span rest)
{
	Span host = rest;

	for (const char *p = rest.at; p < rest.end; p++)
		if (strchr("/\\?#", *p) && *p) {
			host.end = p;
			break;
		}
	for (const char *p = host.at; p < host.end; p++)
		if (*p == '@')
			host.at = p + 1;
	if (host.at < host.end && *host.at == '[')
		return host;
	for (const char *p = host.at; p < host.end; p++)
		if (*p == ':') {
			host.end = p;
			break;
		}
	return host;
}

static bool
skip_scheme(Span *url)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://", "ftps://" };

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (span_starts_nocase(*url, schemes[i])) {
			url->at += strlen(schemes[i]);
			return true;
		}
	return false;
}

/* Labels with dots between, whose last one is of letters: not a price, and not a file's name. */
static bool
is_host_name(Span host)
{
	static const char *const files[] = { "pdf", "doc", "docx", "xls", "xlsx", "ppt",  "pptx",
					     "txt", "zip", "jpg",  "png", "gif",  "html", "htm",
					     "csv", "ics", "eml",  "js",  "py",	  "md",	  "sh" };
	const char *label = host.at;
	Span last;

	for (const char *p = host.at; p < host.end; p++) {
		if (*p == '.' && (p == label || p + 1 == host.end))
			return false;
		if (*p == '.')
			label = p + 1;
		else if (!g_ascii_isalnum(*p) && *p != '-' && (unsigned char)*p < 0x80)
			return false;
	}
	last = (Span){ label, host.end };
	if (label == host.at || span_size(last) < 2)
		return false;
	for (const char *p = last.at; p < last.end; p++)
		if (g_ascii_isdigit(*p))
			return false;
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		if (span_is_nocase(last, files[i]))
			return false;
	return true;
}

/* The host that TEXT, all of it, names; MAIL: or the one of an address. */
static Span
host_named(Span text, bool mail)
{
	Span url = trim(text);
	const char *at;

	/* "Visit https://bank.example now": the address counts, wherever it stands. */
	for (const char *p = url.at; p + 7 < url.end; p++) {
		Span from = { p, url.end };

		if (skip_scheme(&from)) {
			const char *end = from.at;

			while (end < from.end && !g_ascii_isspace(*end))
				end++;
			return host_of((Span){ from.at, end });
		}
	}
	for (const char *p = url.at; p < url.end; p++)
		if (g_ascii_isspace(*p))
			return SPAN_EMPTY;
	at = span_is_empty(url) ? NULL : memchr(url.at, '@', span_size(url));
	if (at && !mail)
		return SPAN_EMPTY;
	if (at)
		url.at = at + 1;
	url = host_of(url);
	return is_host_name(url) ? url : SPAN_EMPTY;
}

static Span
without_www(Span host)
{
	if (span_starts_nocase(host, "www."))
		host.at += strlen("www.");
	if (!span_is_empty(host) && host.end[-1] == '.')
		host.end--;
	return host;
}

/* A is B, or something below it. */
static bool
is_below(Span a, Span b)
{
	if (span_size(a) > span_size(b) && a.end[-(ptrdiff_t)span_size(b) - 1] == '.')
		a.at = a.end - span_size(b);
	return span_equals_nocase(a, b);
}

char *
link_other_host(Span text, const char *target)
{
	Span real = span_of_string(target);
	bool mail = span_starts_nocase(real, "mailto:");
	Span named;

	if (mail) {
		const char *at;

		real.at += strlen("mailto:");
		real.end = real.at + strcspn(real.at, "?,");
		at = span_is_empty(real) ? NULL : memchr(real.at, '@', span_size(real));
		if (!at)
			return NULL;
		real.at = at + 1;
	} else if (span_starts_nocase(real, "//")) {
		real.at += strlen("//");
		real = host_of(real);
	} else if (skip_scheme(&real)) {
		real = host_of(real);
	} else {
		return NULL;
	}
	named = without_www(host_named(text, mail));
	real = without_www(real);
	if (span_is_empty(named) || is_below(real, named) || is_below(named, real))
		return NULL;
	return span_dup(real);
}
