/* The walk's lines: text, links, lists and pictures on them. */
#include "base/i18n.h"
#include "base/safetext.h"
#include "walk-parts-private.h"

#define BLANKS_MAX 20
#define ALT_MAX	   2000
#define TEXT_MAX   (LINK_MAX + 100) /* of a link, as far as it is compared */
#define HOST_SHOWN 60
#define PIXEL_MAX  2
#define INDENT	   4

/* ---- attributes ---- */

const char *
walk_attribute(const char **attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1] ? attributes[1] : "";
	return NULL;
}

/* A number, or -1. */
int
walk_number(const char **attributes, const char *name)
{
	const char *text = walk_attribute(attributes, name);

	if (!text || !g_ascii_isdigit(*text) || strchr(text, '%'))
		return -1;
	return (int)MIN(strtoul(text, NULL, 10), 1000000);
}

/* ---- lines ---- */

/* A boundary between blocks: N line ends at least. */
void
walk_end_line(Walk *walk, unsigned n)
{
	rich_end(&walk->writer, n);
}

/* <br>, or a line end in <pre>: after another one, a blank line; only <pre> has more of them. */
void
walk_break_line(Walk *walk)
{
	RichWriter *writer = &walk->writer;

	if (writer->open)
		walk_end_line(walk, 1);
	else
		writer->breaks = MIN(writer->breaks + 1, walk->pre ? BLANKS_MAX : 2);
}

void
walk_begin_line(Walk *walk)
{
	static const RichLook marker = { .style = MAIL_STYLE_MARKER };
	MailBlock shape = { .kind = walk->pre		  ? MAIL_BLOCK_PRE
				    : walk->looks.heading ? MAIL_BLOCK_HEADING
							  : MAIL_BLOCK_TEXT };
	unsigned indent = 0, levels = MIN(walk->n_lists, LISTS_MAX);

	for (unsigned i = 0; i < levels; i++)
		indent += walk->lists[i].width;
	shape.quote = (uint8_t)MIN(walk->quotes, QUOTES_MAX);
	shape.hang = shape.indent = (uint8_t)MIN(indent, 255);
	shape.right = walk->looks.right;
	if (shape.kind == MAIL_BLOCK_HEADING)
		shape.level = walk->looks.heading;
	if (walk->marker[0] && levels > 0)
		shape.indent -= (uint8_t)MIN(walk->lists[levels - 1].width, shape.indent);
	else if (walk->marker[0])
		shape.hang = (uint8_t)MIN(shape.hang + strlen(walk->marker), 255);
	rich_begin(&walk->writer, shape);
	if (walk->marker[0])
		rich_put(&walk->writer, marker, span_of_string(walk->marker));
	walk->marker[0] = '\0';
	walk->space = false;
}

static RichLook
current_look(Walk *walk)
{
	RichLook look = { .style = walk->looks.style };

	if (walk->href->len > 0) {
		if (!walk->link)
			walk->link = rich_add_link(walk->writer.rich, walk->links, walk->href->str);
		if (!walk->link)
			walk->writer.full = true;
		look.link = walk->link;
		look.style |= MAIL_STYLE_LINK;
	} else {
		look.colour = walk->looks.shown_colour;
	}
	return look;
}

/* Before every character that is shown. */
static void
begin_text(Walk *walk)
{
	bool in_link = walk->href->len > 0 && walk->link;
	RichLook plain = { .style = walk->looks.style, .colour = walk->looks.shown_colour };

	if (in_link && (walk->space || !walk->writer.open) && walk->link_text->len < TEXT_MAX)
		g_string_append_c(walk->link_text, ' ');
	if (!walk->writer.open)
		walk_begin_line(walk);
	else if (walk->space)
		rich_put(&walk->writer, in_link ? current_look(walk) : plain, SPAN_LITERAL(" "));
	walk->space = false;
}

void
walk_put(Walk *walk, const char *text, uint16_t style)
{
	RichLook look;

	begin_text(walk);
	look = current_look(walk);
	look.style |= style;
	rich_put(&walk->writer, look, span_of_string(text));
}

/* ---- text ---- */

/* "&#146;" means what it means in windows-1252 (HTML 5, 13.2.5.80). */
static gunichar
repair(gunichar c)
{
	static const gunichar windows[32] = {
		0x20ac, 0x81,	0x201a, 0x192,	0x201e, 0x2026, 0x2020, 0x2021,
		0x2c6,	0x2030, 0x160,	0x2039, 0x152,	0x8d,	0x17d,	0x8f,
		0x90,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x2dc,	0x2122, 0x161,	0x203a, 0x153,	0x9d,	0x17e,	0x178,
	};

	return c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c;
}

static void
put_char(Walk *walk, gunichar c)
{
	bool meant = walk->pre || walk->looks.meant_space;

	if (c == '\n' && meant) {
		walk_break_line(walk);
	} else if (c < 0x80 && g_ascii_isspace((char)c) && !walk->pre &&
		   !(meant && walk->writer.open)) {
		walk->space = true;
	} else if (c != '\r' || !meant) {
		begin_text(walk);
		c = c == 0xa0 ? ' ' : repair(c);
		rich_put_char(&walk->writer, current_look(walk), c);
		if (walk->href->len > 0 && walk->link_text->len < TEXT_MAX)
			g_string_append_unichar(walk->link_text, c);
	}
}

static gunichar
take_char(const char **p, const char *end)
{
	gunichar c = g_utf8_get_char_validated(*p, end - *p);

	if (c >= 0x110000) {
		++*p;
		return 0xfffd;
	}
	*p = g_utf8_next_char(*p);
	return c;
}

/* Of nothing that could be seen even if it were shown. */
static bool
is_void(const char *p, const char *end)
{
	while (p < end) {
		gunichar c = take_char(&p, end);

		if (!g_unichar_isspace(c) && !g_unichar_iszerowidth(c) && !g_unichar_ismark(c) &&
		    c != 0xad && c != 0x2007 && c != 0xfffd)
			return false;
	}
	return true;
}

bool
walk_is_unseen(const Walk *walk, const Looks *looks)
{
	return !walk->show_hidden && (looks->mute || looks->colour.is_clear ||
				      css_is_same(looks->colour, looks->background));
}

/* P is the text that comes next, or NULL.
 * The parser takes the comments of Microsoft's, "<![if !mso]>", for text: a "<", and the rest. */
static const char *
skip_condition(Walk *walk, const char *p, const char *end)
{
	const char *close;

	if (!walk->less)
		return p;
	walk->less = false;
	close =
	    end - p > 2 && p[0] == '!' && p[1] == '[' ? memchr(p, '>', (size_t)(end - p)) : NULL;
	if (close)
		return close + 1;
	put_char(walk, '<');
	return p;
}

void
walk_note_hidden(Walk *walk, unsigned piece)
{
	if (walk->last_piece != piece)
		walk->writer.rich->hidden++;
	walk->last_piece = piece;
}

void
walk_text(Walk *walk, const char *text, size_t size)
{
	const char *p = text, *end = p + size;

	if (walk->writer.full)
		return;
	if (walk->hidden_at) {
		if (walk->hidden_counts && !is_void(p, end))
			walk_note_hidden(walk, walk->pieces);
		return;
	}
	p = skip_condition(walk, p, end);
	if (size == 1 && *p == '<') {
		walk->less = true;
		return;
	}
	if (walk_is_unseen(walk, &walk->looks)) {
		if (!is_void(p, end))
			walk_note_hidden(walk, walk->looks.piece);
		return;
	}
	while (p < end)
		put_char(walk, take_char(&p, end));
}

void
walk_pause(Walk *walk)
{
	skip_condition(walk, NULL, NULL);
}

/* ---- links ---- */

void
walk_open_link(Walk *walk, const char **attributes)
{
	g_string_truncate(walk->link_text, 0);
	walk->link = 0;
	link_target(walk_attribute(attributes, "href"), walk->href);
}

static unsigned
number_link(Walk *walk)
{
	unsigned *number;

	if (walk->numbers->len < walk->link)
		g_array_set_size(walk->numbers, walk->link);
	number = &g_array_index(walk->numbers, unsigned, walk->link - 1);
	if (!*number)
		*number = ++walk->links_shown;
	((MailLink *)walk->writer.rich->links->pdata[walk->link - 1])->shown = true;
	return walk->links_before + *number;
}

/* "[3]", on the link's own line, even where it was a block. */
void
walk_close_link(Walk *walk)
{
	Span text = span_of(walk->link_text->str, walk->link_text->len);
	const char *target = walk->href->str;

	if (walk->link && walk->writer.line->len > 0 && !link_says_the_same(text, target)) {
		RichLook look = { .style = MAIL_STYLE_NUMBER, .link = walk->link };
		unsigned number = number_link(walk);
		g_autofree char *host = link_other_host(text, target);
		g_autofree char *mark = NULL;

		if (host) {
			g_autofree char *safe = safe_line(host);
			g_autofree char *brief =
			    g_utf8_substring(safe, 0, MIN(g_utf8_strlen(safe, -1), HOST_SHOWN));

			look.style = MAIL_STYLE_WARNING;
			/* Behind a link whose text names another host: its number, and where it
			 * leads. */
			mark = g_strdup_printf(_("[%u: leads to %s]"), number, brief);
		} else {
			mark = g_strdup_printf("[%u]", number);
		}
		rich_put(&walk->writer, look, span_of_string(mark));
	}
	g_string_truncate(walk->href, 0);
	walk->link = 0;
}

void
walk_open_list(Walk *walk, int number, const char *type)
{
	walk_end_line(walk, walk->n_lists > 0 ? 1 : 2);
	if (walk->n_lists++ < LISTS_MAX)
		walk->lists[walk->n_lists - 1] = (List){
			.number = number,
			.type = type && strchr("aAiI", *type) && *type ? *type : '1',
		};
}

void
walk_close_list(Walk *walk)
{
	if (walk->n_lists > 0)
		walk->n_lists--;
	walk->marker[0] = '\0';
	walk_end_line(walk, walk->n_lists > 0 ? 1 : 2);
}

static void
write_roman(int number, bool upper, GString *out)
{
	static const struct {
		int value;
		const char *upper, *lower;
	} digits[] = {
		{ 1000, "M", "m" }, { 900, "CM", "cm" }, { 500, "D", "d" }, { 400, "CD", "cd" },
		{ 100, "C", "c" },  { 90, "XC", "xc" },	 { 50, "L", "l" },  { 40, "XL", "xl" },
		{ 10, "X", "x" },   { 9, "IX", "ix" },	 { 5, "V", "v" },   { 4, "IV", "iv" },
		{ 1, "I", "i" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(digits); i++)
		for (; number >= digits[i].value; number -= digits[i].value)
			g_string_append(out, upper ? digits[i].upper : digits[i].lower);
}

static void
write_number(char type, int number, GString *out)
{
	if ((type == 'a' || type == 'A') && number <= 26)
		g_string_append_c(out, (char)(type + number - 1));
	else if ((type == 'i' || type == 'I') && number <= 100)
		write_roman(number, type == 'I', out);
	else
		g_string_append_printf(out, "%d", number);
}

void
walk_open_item(Walk *walk, const char **attributes)
{
	List *list = walk->n_lists > 0 ? &walk->lists[MIN(walk->n_lists, LISTS_MAX) - 1] : NULL;
	int value = walk_number(attributes, "value");
	g_autoptr(GString) marker = g_string_new(NULL);

	walk_end_line(walk, 1);
	if (list && list->number > 0) {
		if (value > 0)
			list->number = value;
		write_number(list->type, list->number++, marker);
		g_string_append(marker, ". ");
	} else {
		g_string_append(marker, "* ");
	}
	g_strlcpy(walk->marker, marker->str, sizeof(walk->marker));
	if (list)
		list->width = (unsigned)strlen(walk->marker);
}

/* A level of indent without a marker. */
void
walk_open_indent(Walk *walk)
{
	walk_end_line(walk, 1);
	if (walk->n_lists++ < LISTS_MAX)
		walk->lists[walk->n_lists - 1] = (List){ .width = INDENT };
}

/* A tracking pixel is no picture; one without alternative text may be all there is. */
void
walk_put_picture(Walk *walk, const char **attributes, const Css *css)
{
	const char *alt = walk_attribute(attributes, "alt"),
		   *src = walk_attribute(attributes, "src");
	int width = walk_number(attributes, "width"), height = walk_number(attributes, "height");
	bool remote = src && strncmp(src, "cid:", 4) != 0 && strncmp(src, "data:", 5) != 0;
	bool thin, low;

	width = css->width_px >= 0 ? css->width_px : width;
	height = css->height_px >= 0 ? css->height_px : height;
	thin = width >= 0 && width <= PIXEL_MAX;
	low = height >= 0 && height <= PIXEL_MAX;
	if (remote && thin && low)
		walk->writer.rich->pixels++;
	if (alt)
		alt += strspn(alt, " \t\r\n");
	if (thin || low || (alt && !*alt) || walk_is_unseen(walk, &walk->looks))
		return;
	walk_put(walk, "[", MAIL_STYLE_PICTURE);
	walk->looks.style |= MAIL_STYLE_PICTURE;
	if (alt)
		walk_text(walk, alt, MIN(strlen(alt), ALT_MAX));
	else
		walk_put(walk, _("picture"), 0);
	walk->space = false;
	walk_put(walk, "]", 0);
	walk->looks.style &= (uint16_t)~MAIL_STYLE_PICTURE;
}
