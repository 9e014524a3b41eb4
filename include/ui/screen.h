/* The terminal: cells out, keys in.  The only module that knows curses, and ui_put the only way for
 * text to get out: it is made safe there once more, whatever the caller thought.
 *
 * A cell's place is never left to the terminal's idea of a text's width: each grapheme cluster goes
 * to the column that our own table (base/safetext.h) gives it.  What the terminal's character set
 * lacks shows as "?", box drawing as ASCII.  Main thread; one at a time. */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "base/span.h"
#include "view/theme.h"

typedef struct Screen Screen;

/* How a text looks: a ViewStyle, and what is added to it.  The sender's own colours are one of the first
 * eight, and shown where there are colours at all. */
#define UI_IS_SELECTED	 0x100
#define UI_IS_BOLD	 0x200
#define UI_IS_DIM	 0x400
#define UI_IS_UNDERLINED 0x800
#define UI_IS_ITALIC	 0x1000
#define UI_COLOUR(n)	 (((unsigned)(n) + 1) << 16)

/* Takes the terminal over.  An error says what is wrong with it. */
Screen *screen_open(GError **error);
void screen_close(Screen *screen); /* leaves it as it was; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_close)

/* How many colours there are; 0: none, or the person wants none (NO_COLOR). */
int screen_colours(const Screen *screen);
/* THEME is looked at now, and not kept.  Before the first frame. */
void screen_set_theme(Screen *screen, const ViewTheme *theme);

int screen_rows(const Screen *screen);
int screen_columns(const Screen *screen);
/* The terminal says it has another size now: true when it has. */
bool screen_resize(Screen *screen);
/* Gives the terminal back, stops this job, and takes it over again when it continues. */
void screen_suspend(Screen *screen);
/* Whatever is on it, the next screen_show draws all of it. */
void screen_redraw(Screen *screen);

/* A frame: clear, put, show. */
void screen_clear(Screen *screen);
/* Puts TEXT at ROW and COLUMN, cut or filled with blanks to exactly WIDTH cells; what lies outside
 * of the screen is not drawn.  STYLE is a ViewStyle, maybe with UI_...  TABs go to the next
 * eighth column of the text. */
void ui_put(Screen *screen, int row, int column, int width, Span text, unsigned style);
/* Likewise with LOOK, which view_theme_tag gave for this terminal; of STYLE only what is added counts. */
void ui_put_look(Screen *screen, int row, int column, int width, Span text, const ViewLook *look,
		 unsigned style);
/* Also an invisible cursor has a place: a braille line follows it. */
void screen_cursor(Screen *screen, int row, int column, bool visible);
void screen_show(Screen *screen);

/* The next key waiting, as view/command.h names it, in KEY; false when there is none. */
#define SCREEN_KEY_MAX 32
bool screen_key(Screen *screen, char key[SCREEN_KEY_MAX]);

#endif
