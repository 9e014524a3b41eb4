/* Themes: which colours and weights each thing on the screen has.  A theme is an INI file:
 *
 *     [theme]
 *     title = Dark                # a sentence for the list of themes
 *     [styles]
 *     unread = bold
 *     link = #5fafff / blue underline
 *     quote-1 = green
 *     [tags]
 *     work = yellow               # a keyword of the server's
 *
 * A style is words: colours (first the text's, after "on" the ground's), and bold, dim, underline,
 * italic, reverse, or normal.  A colour is "default", one of eight names (black red green yellow blue
 * magenta cyan white), bright- and one of these, a number of the 256, or #rrggbb.  "A / B" means B for
 * terminals of fewer than 256 colours; without a B they show the nearest they have.  What a theme does
 * not say is as in the one called mono.  Pure data; any thread. */
#ifndef VIEW_THEME_H
#define VIEW_THEME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
	VIEW_STYLE_NORMAL,
	VIEW_STYLE_BAR,	     /* the lines above and below */
	VIEW_STYLE_SELECTED, /* added to what the line has */
	VIEW_STYLE_UNREAD,
	VIEW_STYLE_FLAGGED,
	VIEW_STYLE_TAGGED,
	VIEW_STYLE_KEYWORD, /* one without a colour of its own */
	VIEW_STYLE_HEADER,
	VIEW_STYLE_NOTE,
	VIEW_STYLE_ERROR,
	VIEW_STYLE_QUOTE_1, /* to QUOTE_4, then from the first again */
	VIEW_STYLE_QUOTE_2,
	VIEW_STYLE_QUOTE_3,
	VIEW_STYLE_QUOTE_4,
	VIEW_STYLE_SIGNATURE,
	VIEW_STYLE_CODE,
	VIEW_STYLE_DIFF_ADDED,
	VIEW_STYLE_DIFF_REMOVED,
	VIEW_STYLE_DIFF_PLACE,
	VIEW_STYLE_LINK,
	VIEW_STYLE_HEADING,
	VIEW_STYLE_FOUND,  /* what was searched for */
	VIEW_STYLE_BORDER, /* between panes */
	VIEW_STYLE_FOCUS,  /* the title of the pane that keys go to */
	VIEW_STYLES
} ViewStyle;

enum {
	VIEW_BOLD = 1 << 0,
	VIEW_DIM = 1 << 1,
	VIEW_UNDERLINE = 1 << 2,
	VIEW_ITALIC = 1 << 3,
	VIEW_REVERSE = 1 << 4,
};

#define VIEW_COLOUR_DEFAULT (-1)
/* Colours as numbers: 0 to 255 as the 256 have them, or this and 0xrrggbb. */
#define VIEW_COLOUR_DIRECT 0x1000000

typedef struct ViewLook {
	int32_t text, ground;
	unsigned weight; /* VIEW_BOLD and so on */
} ViewLook;

/* "bold yellow on #202020 / yellow" for a terminal of COLOURS colours.  CONFIG error, without a place. */
bool view_look_parse(const char *words, int colours, ViewLook *look, GError **error);

typedef struct ViewTheme ViewTheme;

/* The names of the themes there are: those of one's own in DIR (NULL: none), then those that come with
 * Postern.  Array of char *, owned, sorted. */
GPtrArray *view_theme_names(const char *dir);
/* NAME from DIR, else the one that comes with Postern.  A CONFIG error says where, in which line, and
 * what would be right. */
ViewTheme *view_theme_load(const char *dir, const char *name, GError **error);
void view_theme_free(ViewTheme *theme); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ViewTheme, view_theme_free)

/* For a terminal of COLOURS colours. */
ViewLook view_theme_look(const ViewTheme *theme, ViewStyle style, int colours);
/* False: KEYWORD has no colour of its own. */
bool view_theme_tag(const ViewTheme *theme, const char *keyword, int colours, ViewLook *look);

/* The nearest that a terminal of COLOURS colours has: 8, 16, 256; with more a direct colour stays what it
 * is.  VIEW_COLOUR_DEFAULT stays too. */
int32_t view_colour_for(int32_t colour, int colours);

#endif
