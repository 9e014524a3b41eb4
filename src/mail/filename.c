#include "mail/part.h"
#include "base/safetext.h"

#include <string.h>

#define NAME_MAX_BYTES	    255
#define EXTENSION_MAX_BYTES 16

static const struct {
	const char *type, *extension;
} extensions[] = {
	{ "text/plain", "txt" },
	{ "text/html", "html" },
	{ "text/calendar", "ics" },
	{ "text/vcard", "vcf" },
	{ "text/x-vcard", "vcf" },
	{ "text/csv", "csv" },
	{ "text/x-patch", "patch" },
	{ "text/x-diff", "diff" },
	{ "text/", "txt" },
	{ "message/rfc822", "eml" },
	{ "message/global", "eml" },
	{ "message/", "txt" },
	{ "image/jpeg", "jpg" },
	{ "image/png", "png" },
	{ "image/gif", "gif" },
	{ "image/webp", "webp" },
	{ "image/svg+xml", "svg" },
	{ "image/tiff", "tiff" },
	{ "audio/mpeg", "mp3" },
	{ "video/mp4", "mp4" },
	{ "application/pdf", "pdf" },
	{ "application/zip", "zip" },
	{ "application/gzip", "gz" },
	{ "application/json", "json" },
	{ "application/xml", "xml" },
	{ "application/rtf", "rtf" },
	{ "application/msword", "doc" },
	{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx" },
	{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx" },
	{ "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx" },
	{ "application/vnd.oasis.opendocument.text", "odt" },
	{ "application/pgp-signature", "asc" },
	{ "application/pgp-keys", "asc" },
	{ "application/pkcs7-signature", "p7s" },
	{ "application/pkcs7-mime", "p7m" },
	{ "application/ics", "ics" },
};

static const char *
extension_of_type(const char *type)
{
	for (size_t i = 0; type && i < G_N_ELEMENTS(extensions); i++) {
		const char *known = extensions[i].type;
		bool family = known[strlen(known) - 1] == '/';

		if (family ? g_str_has_prefix(type, known) : !strcmp(type, known))
			return extensions[i].extension;
	}
	return "bin";
}

/* The last of the components that is not empty, by either kind of slash. */
static Span
last_component(const char *path)
{
	Span last = span_of_string(path);
	const char *start;

	while (last.end > last.at && strchr("/\\", last.end[-1]))
		last.end--;
	for (start = last.end; start > last.at && !strchr("/\\", start[-1]);)
		start--;
	last.at = start;
	return last;
}

/* The placeholders of the door become "_", runs of spaces one space; what may not begin or end a
 * name goes. */
static void
tidy(GString *name, const char *from)
{
	size_t start = 0;

	g_string_truncate(name, 0);
	for (const char *p = from; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_isspace(c))
			c = ' ';
		if (c == ' ' && name->len > 0 && name->str[name->len - 1] == ' ')
			continue;
		g_string_append_unichar(name, c == 0xfffd ? '_' : c);
	}
	while (name->len > 0 && strchr(" .", name->str[name->len - 1]))
		g_string_truncate(name, name->len - 1);
	start = strspn(name->str, " .-~");
	g_string_erase(name, 0, (gssize)start);
}

/* CON, NUL, COM1 and their like, with any extension: files by these names cannot be opened, or
 * worse, where the disk is shared with Windows. */
static bool
is_device(const char *name)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul", "conin$", "conout$" };
	size_t stem = strcspn(name, ". ");

	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		if (strlen(devices[i]) == stem && !g_ascii_strncasecmp(name, devices[i], stem))
			return true;
	return stem == 4 && g_ascii_isdigit(name[3]) &&
	       (!g_ascii_strncasecmp(name, "com", 3) || !g_ascii_strncasecmp(name, "lpt", 3));
}

/* To NAME_MAX_BYTES, on a character's edge, with the extension if that is short. */
static void
cut(GString *name)
{
	const char *dot = strrchr(name->str, '.');
	size_t extension = dot ? name->len - (size_t)(dot - name->str) : 0;
	size_t end;

	if (name->len <= NAME_MAX_BYTES)
		return;
	if (extension > EXTENSION_MAX_BYTES)
		extension = 0;
	end = NAME_MAX_BYTES - extension;
	while (end > 0 && ((unsigned char)name->str[end] & 0xc0) == 0x80)
		end--;
	g_string_erase(name, (gssize)end, (gssize)(name->len - extension - end));
}

/* Empty when nothing is left of FROM. */
static void
make_name(GString *name, const char *from)
{
	g_autofree char *safe = safe_line(from);
	g_autofree char *component = span_dup(last_component(safe));
	g_autofree char *whole = NULL;

	tidy(name, component);
	/* What was taken off may have left a mark without its letter. */
	whole = safe_line(name->str);
	g_string_assign(name, whole);
	if (is_device(name->str))
		g_string_prepend_c(name, '_');
	cut(name);
}

char *
mail_part_file_name(const MailPart *part)
{
	GString *name = g_string_new(NULL);

	if (part->name)
		make_name(name, part->name);
	if (name->len == 0) {
		bool numbered = part->section && *part->section;
		g_autofree char *made =
		    g_strdup_printf("part%s%s.%s", numbered ? "-" : "",
				    numbered ? part->section : "", extension_of_type(part->type));

		make_name(name, made);
	}
	return g_string_free(name, FALSE);
}
