#include "view/theme.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"
#include "view-themes.h"

#define RESOURCES "/postern/themes/"
#define SUFFIX	  ".theme"
#define FILE_MAX  (64 * 1024) /* bytes */
/* A terminal of so many colours and more shows a style's first half. */
#define MANY 256

struct ViewTheme {
	char *styles[VIEW_STYLES]; /* words that have been looked at; never NULL */
	GHashTable *tags;	   /* keyword, folded -> words; both owned */
};

static const char *const style_names[VIEW_STYLES] = {
	[VIEW_STYLE_NORMAL] = "normal",
	[VIEW_STYLE_BAR] = "bar",
	[VIEW_STYLE_SELECTED] = "selected",
	[VIEW_STYLE_UNREAD] = "unread",
	[VIEW_STYLE_FLAGGED] = "flagged",
	[VIEW_STYLE_TAGGED] = "tagged",
	[VIEW_STYLE_KEYWORD] = "keyword",
	[VIEW_STYLE_HEADER] = "header",
	[VIEW_STYLE_NOTE] = "note",
	[VIEW_STYLE_ERROR] = "error",
	[VIEW_STYLE_QUOTE_1] = "quote-1",
	[VIEW_STYLE_QUOTE_2] = "quote-2",
	[VIEW_STYLE_QUOTE_3] = "quote-3",
	[VIEW_STYLE_QUOTE_4] = "quote-4",
	[VIEW_STYLE_SIGNATURE] = "signature",
	[VIEW_STYLE_CODE] = "code",
	[VIEW_STYLE_DIFF_ADDED] = "diff-added",
	[VIEW_STYLE_DIFF_REMOVED] = "diff-removed",
	[VIEW_STYLE_DIFF_PLACE] = "diff-place",
	[VIEW_STYLE_LINK] = "link",
	[VIEW_STYLE_HEADING] = "heading",
	[VIEW_STYLE_FOUND] = "found",
	[VIEW_STYLE_BORDER] = "border",
	[VIEW_STYLE_FOCUS] = "focus",
};

/* ---- colours ---------------------------------------------------------------------------------- */

static const uint8_t levels[] = { 0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff };

/* What xterm shows for the first sixteen. */
static const int32_t sixteen[] = { 0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
				   0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
				   0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff };

static int32_t
rgb_of(int32_t colour)
{
	if (colour >= VIEW_COLOUR_DIRECT)
		return colour - VIEW_COLOUR_DIRECT;
	if (colour < 16)
		return sixteen[colour];
	if (colour >= 232)
		return (8 + (colour - 232) * 10) * 0x10101;
	colour -= 16;
	return levels[colour / 36] << 16 | levels[colour / 6 % 6] << 8 | levels[colour % 6];
}

static int
distance(int32_t a, int32_t b)
{
	int red = (a >> 16 & 255) - (b >> 16 & 255), green = (a >> 8 & 255) - (b >> 8 & 255);
	int blue = (a & 255) - (b & 255);

	return 3 * red * red + 4 * green * green + 2 * blue * blue; /* roughly as eyes see it */
}

int32_t
view_colour_for(int32_t colour, int colours)
{
	int32_t best = 0, rgb, from = colours > 16 ? 16 : 0;

	if (colours > MANY && colour >= 8 && colour < VIEW_COLOUR_DIRECT)
		return VIEW_COLOUR_DIRECT + rgb_of(colour);
	if (colour == VIEW_COLOUR_DEFAULT || colour < colours || colours > MANY)
		return colour;
	/* Eight have no bright ones: bold makes up for it on most terminals. */
	if (colour < 16)
		return colour % 8;
	rgb = rgb_of(colour);
	for (int32_t i = best = from; i < MIN(colours, MANY); i++)
		if (distance(rgb_of(i), rgb) < distance(rgb_of(best), rgb))
			best = i;
	return best;
}

static bool
parse_colour(const char *word, int32_t *colour)
{
	static const char *const names[] = { "black", "red",	 "green", "yellow",
					     "blue",  "magenta", "cyan",  "white" };
	bool bright = g_str_has_prefix(word, "bright-");
	guint64 number;

	if (!strcmp(word, "default")) {
		*colour = VIEW_COLOUR_DEFAULT;
		return true;
	}
	for (int i = 0; i < 8; i++)
		if (!strcmp(word + (bright ? 7 : 0), names[i])) {
			*colour = i + (bright ? 8 : 0);
			return true;
		}
	if (*word == '#' && strlen(word) == 7 &&
	    g_ascii_string_to_unsigned(word + 1, 16, 0, 0xffffff, &number, NULL)) {
		*colour = VIEW_COLOUR_DIRECT + (int32_t)number;
		return true;
	}
	if (!g_ascii_string_to_unsigned(word, 10, 0, 255, &number, NULL))
		return false;
	*colour = (int32_t)number;
	return true;
}

static bool
parse_weight(const char *word, unsigned *weight)
{
	static const char *const names[] = { "bold", "dim", "underline", "italic", "reverse" };

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(word, names[i])) {
			*weight |= 1u << i;
			return true;
		}
	return !strcmp(word, "normal");
}

static bool
parse_words(const char *text, ViewLook *look, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
	int32_t *place = &look->text;

	*look = (ViewLook){ .text = VIEW_COLOUR_DEFAULT, .ground = VIEW_COLOUR_DEFAULT };
	for (char **word = words; *word; word++) {
		if (!**word || parse_weight(*word, &look->weight) || parse_colour(*word, place))
			continue;
		if (!strcmp(*word, "on") && place == &look->text) {
			place = &look->ground;
		} else {
			g_autofree char *safe = safe_line(*word);

			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
				    _("“%s” is no colour: red, bright-red, 0 to 255, #ff8800, "
				      "default, “on” before the ground's; nor bold, dim, "
				      "underline, italic, reverse or normal"),
				    safe);
			return false;
		}
	}
	return true;
}

bool
view_look_parse(const char *words, int colours, ViewLook *look, GError **error)
{
	const char *slash = strstr(words, " / ");
	g_autofree char *many = slash ? g_strndup(words, (gsize)(slash - words)) : g_strdup(words);

	if (!parse_words(colours >= MANY || !slash ? many : slash + 3, look, error))
		return false;
	look->text = view_colour_for(look->text, colours);
	look->ground = view_colour_for(look->ground, colours);
	return true;
}

/* ---- files ------------------------------------------------------------------------------------ */

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(GPtrArray *names, const char *file)
{
	g_autofree char *name = NULL;

	if (!g_str_has_suffix(file, SUFFIX))
		return;
	name = g_strndup(file, strlen(file) - strlen(SUFFIX));
	for (guint i = 0; i < names->len; i++)
		if (!strcmp(names->pdata[i], name))
			return;
	g_ptr_array_add(names, g_steal_pointer(&name));
}

GPtrArray *
view_theme_names(const char *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) own = g_resource_enumerate_children(view_themes_get_resource(), RESOURCES,
							  G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
	g_autoptr(GDir) open = dir ? g_dir_open(dir, 0, NULL) : NULL;
	const char *file;

	for (char **name = own; name && *name; name++)
		add_name(names, *name);
	while (open && (file = g_dir_read_name(open)))
		add_name(names, file);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static bool
complain_name(const char *dir, const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = view_theme_names(dir);
	g_autofree char *safe = safe_line(name);
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *one = safe_line(names->pdata[i]);

		g_string_append_printf(list, "%s%s", i ? ", " : "", one);
	}
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
		    _("there is no theme “%s”: there is %s"), safe, list->str);
	return false;
}

/* WHERE names the file in errors; yours to g_free.  NULL with an error. */
static GBytes *
read_theme(const char *dir, const char *name, char **where, GError **error)
{
	g_autofree char *file = g_strconcat(name, SUFFIX, NULL);
	g_autofree char *path = dir ? g_build_filename(dir, file, NULL) : NULL;
	g_autofree char *resource = g_strconcat(RESOURCES, file, NULL);
	g_autoptr(GError) problem = NULL;
	GBytes *bytes;
	char *text;
	gsize size;

	if (!*name || strchr(name, '/') || *name == '.') {
		complain_name(dir, name, error);
		return NULL;
	}
	if (path && g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		*where = safe_line(path);
		if (g_file_get_contents(path, &text, &size, &problem) && size <= FILE_MAX)
			return g_bytes_new_take(text, size);
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
			    _("cannot read the theme %s: %s"), *where,
			    problem ? problem->message : _("it is too large"));
		return NULL;
	}
	bytes = g_resource_lookup_data(view_themes_get_resource(), resource,
				       G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
	*where = safe_line(file);
	if (!bytes)
		complain_name(dir, name, error);
	return bytes;
}

/* ---- a theme ---------------------------------------------------------------------------------- */

typedef struct Parse {
	ViewTheme *theme;
	const char *where;
	unsigned line;
	enum { NOWHERE, THEME, STYLES, TAGS } section;
} Parse;

static bool G_GNUC_PRINTF(3, 4)
    complain(const Parse *parse, GError **error, const char *format, ...)
{
	va_list args;
	g_autofree char *what = NULL;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CONFIG, "%s:%u: %s", parse->where,
		    parse->line, what);
	return false;
}

static bool
take_section(Parse *parse, const char *line, GError **error)
{
	static const char *const names[] = {
		[THEME] = "[theme]", [STYLES] = "[styles]", [TAGS] = "[tags]"
	};
	g_autofree char *safe = safe_line(line);

	for (int i = THEME; i <= TAGS; i++)
		if (!strcmp(names[i], line)) {
			parse->section = i;
			return true;
		}
	return complain(parse, error, _("no such section %s: there is [theme], [styles], [tags]"),
			safe);
}

static bool
take_style(Parse *parse, const char *name, const char *words, GError **error)
{
	g_autofree char *safe = safe_line(name);
	const char *best = NULL;

	for (int i = 0; i < VIEW_STYLES; i++) {
		best = nearest_of(name, best, style_names[i]);
		if (strcmp(style_names[i], name))
			continue;
		g_free(parse->theme->styles[i]);
		parse->theme->styles[i] = g_strdup(words);
		return true;
	}
	return best
		   ? complain(parse, error, _("no such style “%s”: did you mean “%s”?"), safe, best)
		   : complain(parse, error, _("no such style “%s”"), safe);
}

static bool
take_value(Parse *parse, char *line, GError **error)
{
	char *equals = strchr(line, '=');
	g_autoptr(GError) problem = NULL;
	const char *name, *words;
	ViewLook look;

	if (!equals)
		return complain(parse, error,
				_("this is neither \"style = words\" nor a [section] nor a # "
				  "comment"));
	*equals = '\0';
	name = g_strstrip(line);
	words = g_strstrip(equals + 1);
	if (parse->section == THEME)
		return !strcmp(name, "title") ||
		       complain(parse, error, _("[theme] has a title, and nothing else"));
	if (parse->section == NOWHERE)
		return complain(parse, error, _("a style stands below [styles]"));
	if (!view_look_parse(words, MANY, &look, &problem) ||
	    !view_look_parse(words, 8, &look, &problem))
		return complain(parse, error, "%s", problem->message);
	if (parse->section == STYLES)
		return take_style(parse, name, words, error);
	g_hash_table_insert(parse->theme->tags, g_utf8_casefold(name, -1), g_strdup(words));
	return true;
}

static bool
take_lines(Parse *parse, GBytes *bytes, GError **error)
{
	gsize size;
	const char *text = g_bytes_get_data(bytes, &size);
	g_autofree char *copy = g_strndup(text, size);
	g_auto(GStrv) lines = NULL;

	if (!g_utf8_validate(text, (gssize)size, NULL))
		return complain(parse, error, _("this is not UTF-8 text: save the file as UTF-8"));
	lines = g_strsplit(copy, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *comment = strstr(*line, " # ");

		parse->line++;
		if (comment)
			*comment = '\0';
		g_strstrip(*line);
		if (!**line || **line == '#')
			continue;
		if (**line == '[' ? !take_section(parse, *line, error)
				  : !take_value(parse, *line, error))
			return false;
	}
	return true;
}

static bool
add_theme(ViewTheme *theme, const char *dir, const char *name, GError **error)
{
	g_autofree char *where = NULL;
	g_autoptr(GBytes) bytes = read_theme(dir, name, &where, error);
	Parse parse = { .theme = theme, .where = where };

	return bytes && take_lines(&parse, bytes, error);
}

ViewTheme *
view_theme_load(const char *dir, const char *name, GError **error)
{
	g_autoptr(ViewTheme) theme = g_new0(ViewTheme, 1);

	theme->tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (int i = 0; i < VIEW_STYLES; i++)
		theme->styles[i] = g_strdup("normal");
	if (!add_theme(theme, NULL, "mono", error))
		g_return_val_if_reached(NULL);
	if ((strcmp(name, "mono") || dir) && !add_theme(theme, dir, name, error))
		return NULL;
	return g_steal_pointer(&theme);
}

void
view_theme_free(ViewTheme *theme)
{
	if (!theme)
		return;
	for (int i = 0; i < VIEW_STYLES; i++)
		g_free(theme->styles[i]);
	g_hash_table_unref(theme->tags);
	g_free(theme);
}

ViewLook
view_theme_look(const ViewTheme *theme, ViewStyle style, int colours)
{
	ViewLook look;

	view_look_parse(theme->styles[style], colours, &look, NULL);
	return look;
}

bool
view_theme_tag(const ViewTheme *theme, const char *keyword, int colours, ViewLook *look)
{
	g_autofree char *folded = g_utf8_casefold(keyword, -1);
	const char *words = g_hash_table_lookup(theme->tags, folded);

	return words && view_look_parse(words, colours, look, NULL);
}
