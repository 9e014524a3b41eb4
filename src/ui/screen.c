#include "ui/screen.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#define TAB_STOP 8
/* Of text and ground: more than a theme and a screenful of tags have. */
#define PAIRS_MAX 256

/* How long to wait for the rest of a key after ESC: it comes in one piece, also over a slow line. */
#define ESCAPE_DELAY_MS 25

struct Screen {
	SCREEN *terminal;
	int colours; /* 0: none */
	ViewLook looks[VIEW_STYLES];
	struct {
		int32_t text, ground;
	} pairs[PAIRS_MAX];
	int n_pairs;
	int cursor_row, cursor_column;
	bool cursor_visible;
};

/* ---- opening and closing -------------------------------------------------------------------- */

static void
start_colours(Screen *screen)
{
	const char *no_colour = g_getenv("NO_COLOR"); /* what many programs agree on */

	if ((!no_colour || !*no_colour) && has_colors() && start_color() == OK &&
	    use_default_colors() == OK && COLORS >= 8)
		screen->colours = COLORS;
}

int
screen_colours(const Screen *screen)
{
	return screen->colours;
}

void
screen_set_theme(Screen *screen, const ViewTheme *theme)
{
	for (int i = 0; i < VIEW_STYLES; i++)
		screen->looks[i] = view_theme_look(theme, (ViewStyle)i, screen->colours);
	screen->n_pairs = 0; /* the next frame makes those it needs */
	clearok(curscr, TRUE);
}

/* A colour as curses counts them. */
static int
curses_colour(int32_t colour)
{
	return colour >= VIEW_COLOUR_DIRECT ? colour - VIEW_COLOUR_DIRECT : colour;
}

/* A pair for both colours; 0, the terminal's own, when there are none left. */
static short
pair_of(Screen *screen, int32_t text, int32_t ground)
{
	int i;

	if (!screen->colours || (text == VIEW_COLOUR_DEFAULT && ground == VIEW_COLOUR_DEFAULT))
		return 0;
	for (i = 0; i < screen->n_pairs; i++)
		if (screen->pairs[i].text == text && screen->pairs[i].ground == ground)
			return (short)(i + 1);
	if (i + 1 >= MIN(COLOR_PAIRS, PAIRS_MAX) ||
	    init_extended_pair(i + 1, curses_colour(text), curses_colour(ground)) == ERR)
		return 0;
	screen->pairs[i].text = text;
	screen->pairs[i].ground = ground;
	screen->n_pairs++;
	return (short)(i + 1);
}

/* What nearly every terminal sends, also where TERM says it is one that has no such key. */
static void
define_keys(void)
{
	static const struct {
		const char *bytes;
		int code;
	} keys[] = {
		{ "\033[A", KEY_UP },	 { "\033[B", KEY_DOWN },   { "\033[C", KEY_RIGHT },
		{ "\033[D", KEY_LEFT },	 { "\033OA", KEY_UP },	   { "\033OB", KEY_DOWN },
		{ "\033OC", KEY_RIGHT }, { "\033OD", KEY_LEFT },   { "\033[H", KEY_HOME },
		{ "\033[F", KEY_END },	 { "\033OH", KEY_HOME },   { "\033OF", KEY_END },
		{ "\033[1~", KEY_HOME }, { "\033[4~", KEY_END },   { "\033[7~", KEY_HOME },
		{ "\033[8~", KEY_END },	 { "\033[5~", KEY_PPAGE }, { "\033[6~", KEY_NPAGE },
		{ "\033[3~", KEY_DC },	 { "\033[Z", KEY_BTAB },   { "\033[15~", KEY_F(5) },
		{ "\033OP", KEY_F(1) },	 { "\033[11~", KEY_F(1) },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (key_defined(keys[i].bytes) == 0)
			define_key(keys[i].bytes, keys[i].code);
}

static void
set_modes(void)
{
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	scrollok(stdscr, FALSE);
	leaveok(stdscr, FALSE);
}

Screen *
screen_open(GError **error)
{
	const char *type = g_getenv("TERM");
	Screen *screen;
	SCREEN *terminal;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("the full screen needs a terminal; “postern list INBOX” and the "
			      "other "
			      "commands do not"));
		return NULL;
	}
	set_escdelay(ESCAPE_DELAY_MS);
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal || !tigetstr("cup")) {
		g_autofree char *safe = safe_line(type);

		if (terminal) {
			endwin();
			delscreen(terminal);
		}
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("a terminal of type “%s” cannot show the full screen; set TERM to "
			      "what it "
			      "is, such as vt100"),
			    safe);
		return NULL;
	}
	screen = g_new0(Screen, 1);
	screen->terminal = terminal;
	set_modes();
	define_keys();
	start_colours(screen);
	return screen;
}

void
screen_close(Screen *screen)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen->terminal);
	g_free(screen);
}

int
screen_rows(const Screen *screen)
{
	return LINES;
}

int
screen_columns(const Screen *screen)
{
	return COLS;
}

bool
screen_resize(Screen *screen)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0 ||
	    (size.ws_row == LINES && size.ws_col == COLS))
		return false;
	resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
	return true;
}

void
screen_suspend(Screen *screen)
{
	struct sigaction standard = { .sa_handler = SIG_DFL }, ours;

	endwin();
	/* The whole job, as the terminal itself would have done. */
	sigaction(SIGTSTP, &standard, &ours);
	kill(0, SIGTSTP);
	sigaction(SIGTSTP, &ours, NULL);
	set_modes();
	clearok(curscr, TRUE);
	screen_resize(screen);
}

void
screen_redraw(Screen *screen)
{
	clearok(curscr, TRUE);
}

/* ---- out ------------------------------------------------------------------------------------ */

/* LOOK, with what STYLE adds to it. */
static attr_t
attributes(Screen *screen, ViewLook look, unsigned style, short *pair)
{
	static const struct {
		unsigned flag, weight;
	} added[] = {
		{ UI_IS_BOLD, VIEW_BOLD },
		{ UI_IS_DIM, VIEW_DIM },
		{ UI_IS_UNDERLINED, VIEW_UNDERLINE },
		{ UI_IS_ITALIC, VIEW_ITALIC },
	};
	static const attr_t weights[] = { A_BOLD, A_DIM, A_UNDERLINE, A_ITALIC, A_REVERSE };
	attr_t looks = A_NORMAL;

	if (style >> 16)
		look.text = (int32_t)(style >> 16) - 1;
	for (size_t i = 0; i < G_N_ELEMENTS(added); i++)
		if (style & added[i].flag)
			look.weight |= added[i].weight;
	if (style & UI_IS_SELECTED) {
		const ViewLook *selected = &screen->looks[VIEW_STYLE_SELECTED];

		if (selected->text != VIEW_COLOUR_DEFAULT)
			look.text = selected->text;
		if (selected->ground != VIEW_COLOUR_DEFAULT || (selected->weight & VIEW_REVERSE))
			look.ground = selected->ground;
		if (selected->weight & VIEW_REVERSE) /* the bar is of one colour */
			look.text = selected->text;
		look.weight |= selected->weight;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(weights); i++)
		if (look.weight & 1u << i)
			looks |= weights[i];
	if ((looks & A_ITALIC) && !(termattrs() & A_ITALIC))
		looks = (looks & ~A_ITALIC) | A_UNDERLINE;
	*pair = pair_of(screen, look.text, look.ground);
	return looks;
}

/* Can the locale's character set say it? */
static bool
can_show(wchar_t c)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };

	return c < 0x80 || wcrtomb(bytes, c, &state) != (size_t)-1;
}

static wchar_t
degrade(wchar_t c)
{
	switch (c) {
	case L'│':
		return L'|';
	case L'─':
		return L'-';
	case L'├':
		return L'|';
	case L'└':
		return L'`';
	case L'┼':
		return L'+';
	case L'…':
		return L'.';
	case L'“':
	case L'”':
		return L'"';
	case L'‘':
	case L'’':
		return L'\'';
	}
	return L'?';
}

/* Regional indicators come in pairs; terminals disagree on what two of them take, so the two letters
 * they stand for are shown, which is two cells everywhere. */
static wchar_t
showable(gunichar c)
{
	if (c >= 0x1f1e6 && c <= 0x1f1ff)
		return L'A' + (wchar_t)(c - 0x1f1e6);
	return can_show((wchar_t)c) ? (wchar_t)c : degrade((wchar_t)c);
}

/* Joiners and variation selectors would have a say on the width. */
static bool
is_selector(gunichar c)
{
	return c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f);
}

/* The marks at *P that take no room go with the base in SHOWN. */
static void
take_marks(const char **p, const char *end, wchar_t shown[CCHARW_MAX + 1])
{
	size_t n = 1;

	for (; *p < end; *p = g_utf8_next_char(*p)) {
		gunichar mark = g_utf8_get_char(*p);

		if (is_selector(mark))
			continue;
		if (wcwidth((wchar_t)mark) != 0)
			break;
		if (n < CCHARW_MAX && can_show((wchar_t)mark))
			shown[n++] = (wchar_t)mark;
	}
	shown[n] = L'\0';
}

/* One cluster of CELLS cells, as what curses and the terminal agree takes no more: its bases, each
 * with the marks that take no room.  Joined emoji show their first one.  Returns the cells used. */
static int
put_cluster(int row, int column, Span cluster, int cells, attr_t looks, short pair)
{
	const char *p = cluster.at;
	int used = 0;

	while (p < cluster.end && used < cells) {
		wchar_t shown[CCHARW_MAX + 1] = { showable(g_utf8_get_char(p)) };
		int width = wcwidth(shown[0]);
		cchar_t cell;

		if (width < 1 || width > cells - used) {
			if (used > 0)
				break;
			shown[0] = can_show(0xfffd) ? 0xfffd : L'?';
			width = 1;
		}
		p = g_utf8_next_char(p);
		take_marks(&p, cluster.end, shown);
		if (setcchar(&cell, shown, looks, pair, NULL) == OK)
			mvadd_wch(row, column + used, &cell);
		used += width;
	}
	return used;
}

static void
put_blanks(int row, int column, int n, attr_t looks, short pair)
{
	cchar_t cell;

	if (setcchar(&cell, L" ", looks, pair, NULL) == OK && n > 0)
		mvhline_set(row, column, &cell, n);
}

/* TEXT has passed the door.  Returns the cells used. */
static int
put_safe(int row, int column, int width, Span text, attr_t looks, short pair)
{
	int x = 0;

	while (text.at < text.end && x < width) {
		Span cluster = text;
		int cells, used;

		if (*text.at == '\t') {
			cells = MIN(TAB_STOP - x % TAB_STOP, width - x);
			put_blanks(row, column + x, cells, looks, pair);
			text.at++;
			x += cells;
			continue;
		}
		cells = safe_text_cluster(text, &cluster.end);
		text.at = cluster.end;
		if (x + cells > width)
			break;
		/* A mark without a base has no cell of its own. */
		if (cells == 0)
			continue;
		used = put_cluster(row, column + x, cluster, cells, looks, pair);
		put_blanks(row, column + x + used, cells - used, looks, pair);
		x += cells;
	}
	return x;
}

void
ui_put_look(Screen *screen, int row, int column, int width, Span text, const ViewLook *look,
	    unsigned style)
{
	g_autofree char *made_safe = NULL;
	short pair;
	attr_t looks = attributes(screen, *look, style, &pair);
	int used;

	width = MIN(width, COLS - column);
	if (row < 0 || row >= LINES || column < 0 || width <= 0)
		return;
	if (!safe_text_is(text, SAFE_TEXT) ||
	    (!span_is_empty(text) && memchr(text.at, '\n', span_size(text)))) {
		size_t size;

		made_safe = safe_text(text, SAFE_LINE, &size);
		text = span_of(made_safe, size);
	}
	used = put_safe(row, column, width, text, looks, pair);
	put_blanks(row, column + used, width - used, looks, pair);
}

void
ui_put(Screen *screen, int row, int column, int width, Span text, unsigned style)
{
	ui_put_look(screen, row, column, width, text, &screen->looks[style & 0xff], style);
}

void
screen_clear(Screen *screen)
{
	short pair;
	attr_t looks = attributes(screen, screen->looks[VIEW_STYLE_NORMAL], 0, &pair);
	cchar_t ground;

	if (setcchar(&ground, L" ", looks, pair, NULL) == OK)
		bkgrndset(&ground);
	erase();
	screen_cursor(screen, LINES - 1, COLS - 1, false);
}

void
screen_cursor(Screen *screen, int row, int column, bool visible)
{
	screen->cursor_visible = visible;
	screen->cursor_row = row;
	screen->cursor_column = column;
}

void
screen_show(Screen *screen)
{
	curs_set(screen->cursor_visible);
	move(CLAMP(screen->cursor_row, 0, LINES - 1), CLAMP(screen->cursor_column, 0, COLS - 1));
	refresh();
}

/* ---- in ------------------------------------------------------------------------------------- */

static const char *
name_of_code(wint_t code)
{
	switch (code) {
	case KEY_DOWN:
		return "Down";
	case KEY_UP:
		return "Up";
	case KEY_LEFT:
		return "Left";
	case KEY_RIGHT:
		return "Right";
	case KEY_NPAGE:
		return "PgDn";
	case KEY_PPAGE:
		return "PgUp";
	case KEY_HOME:
	case KEY_FIND: /* what vt220 and its children send for Home and End */
		return "Home";
	case KEY_END:
	case KEY_SELECT:
	case KEY_LL:
		return "End";
	case KEY_ENTER:
		return "Enter";
	case KEY_BTAB:
		return "Shift-Tab";
	case KEY_BACKSPACE:
		return "Backspace";
	case KEY_DC:
		return "Delete";
	default:
		return NULL;
	}
}

static const char *
name_of_char(wint_t c)
{
	switch (c) {
	case ' ':
		return "Space";
	case '\r':
	case '\n':
		return "Enter";
	case '\t':
		return "Tab";
	case 0x1b:
		return "Esc";
	case '\b':
	case 0x7f:
		return "Backspace";
	default:
		return NULL;
	}
}

/* "Unknown" for what has no name: it does nothing, but is no reason to stop reading. */
static void
name_key(int kind, wint_t c, char key[SCREEN_KEY_MAX])
{
	const char *name = kind == KEY_CODE_YES ? name_of_code(c) : name_of_char(c);

	if (name)
		g_strlcpy(key, name, SCREEN_KEY_MAX);
	else if (kind == KEY_CODE_YES && c > KEY_F(0) && c <= KEY_F(12))
		g_snprintf(key, SCREEN_KEY_MAX, "F%d", (int)(c - KEY_F(0)));
	else if (kind == KEY_CODE_YES || !g_unichar_validate(c))
		g_strlcpy(key, "Unknown", SCREEN_KEY_MAX);
	else if (c < 0x20)
		g_snprintf(key, SCREEN_KEY_MAX, "Ctrl-%c", (int)(c + '@'));
	else
		key[g_unichar_to_utf8(c, key)] = '\0';
}

bool
screen_key(Screen *screen, char key[SCREEN_KEY_MAX])
{
	wint_t c = 0;
	int kind = get_wch(&c);

	if (kind == ERR)
		return false;
	name_key(kind, c, key);
	return true;
}
