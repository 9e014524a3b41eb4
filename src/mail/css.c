#include "css-private.h"

#define TINY_PX	 2
#define SAME_MAX 30 /* of the difference between two colours, all three parts together */
#define WORD_MAX 400
#define FAR_PX	 -900 /* to the left of every screen */

typedef struct Declaration {
	Span name, value;
} Declaration;

static Span
trim(Span span)
{
	while (!span_is_empty(span) && g_ascii_isspace(*span.at))
		span.at++;
	while (!span_is_empty(span) && g_ascii_isspace(span.end[-1]))
		span.end--;
	return span;
}

/* The next word of VALUE, which may hold brackets. */
static bool
take_word(Span *value, Span *word)
{
	int depth = 0;

	*value = trim(*value);
	*word = (Span){ value->at, value->at };
	for (; value->at < value->end; value->at++) {
		depth += (*value->at == '(') - (*value->at == ')');
		if (depth <= 0 && (g_ascii_isspace(*value->at) || *value->at == ','))
			break;
	}
	word->end = value->at;
	if (value->at < value->end)
		value->at++;
	return !span_is_empty(*word);
}

static bool
has_word(Span value, const char *wanted)
{
	Span word;

	while (take_word(&value, &word))
		if (span_is_nocase(word, wanted))
			return true;
	return false;
}

/* A length in pixels, about; false: none. */
static bool
to_px(Span value, double *px)
{
	g_autofree char *text = span_size(value) < 32 ? span_dup(value) : NULL;
	char *unit;

	if (!text)
		return false;
	*px = g_ascii_strtod(text, &unit);
	if (unit == text)
		return false;
	if (!g_ascii_strncasecmp(unit, "pt", 2))
		*px *= 4.0 / 3;
	else if (!g_ascii_strncasecmp(unit, "em", 2) || !g_ascii_strncasecmp(unit, "rem", 3))
		*px *= 16;
	else if (*unit == '%')
		*px *= 0.16;
	return true;
}

static bool
is_zero(Span value)
{
	double px;

	return to_px(value, &px) && px > -0.01 && px < 0.01;
}

/* ---- colours ---- */

static CssColour
colour_of(unsigned long rgb)
{
	return (CssColour){ .is_set = true,
			    .red = (uint8_t)(rgb >> 16),
			    .green = (uint8_t)(rgb >> 8),
			    .blue = (uint8_t)rgb };
}

static CssColour
hex_colour(const char *digits)
{
	size_t n = strlen(digits);
	char six[7] = "";

	if (strspn(digits, "0123456789abcdefABCDEF") != n)
		return (CssColour){ 0 };
	if (n == 3 || n == 4)
		for (size_t i = 0; i < 6; i++)
			six[i] = digits[i / 2];
	else if (n == 6 || n == 8)
		memcpy(six, digits, 6);
	else
		return (CssColour){ 0 };
	return colour_of(strtoul(six, NULL, 16));
}

/* "rgb(1, 2, 3)", "rgba(1 2 3 / 0)". */
static CssColour
rgb_colour(const char *text)
{
	const char *p = strchr(text, '(');
	double part[4] = { 0, 0, 0, 1 };
	CssColour colour;
	int n = 0;

	for (p = p ? p + 1 : ""; *p && n < 4;) {
		char *end;
		double value;

		p += strspn(p, " ,/");
		value = g_ascii_strtod(p, &end);
		if (end == p)
			break;
		part[n] = CLAMP(value, 0, 255);
		if (*end == '%')
			part[n] *= n < 3 ? 2.55 : 0.01;
		p = end + (*end == '%');
		n++;
	}
	if (n < 3)
		return (CssColour){ 0 };
	colour = colour_of((unsigned long)part[0] << 16 | (unsigned long)part[1] << 8 |
			   (unsigned long)part[2]);
	colour.is_clear = part[3] < 0.05;
	return colour;
}

CssColour
css_colour(Span text)
{
	static const struct {
		const char *name;
		unsigned rgb;
	} names[] = {
		{ "white", 0xffffff },	{ "black", 0x000000 },	{ "red", 0xff0000 },
		{ "green", 0x008000 },	{ "blue", 0x0000ff },	{ "gray", 0x808080 },
		{ "grey", 0x808080 },	{ "silver", 0xc0c0c0 }, { "navy", 0x000080 },
		{ "maroon", 0x800000 }, { "purple", 0x800080 }, { "teal", 0x008080 },
		{ "orange", 0xffa500 }, { "yellow", 0xffff00 }, { "fuchsia", 0xff00ff },
		{ "aqua", 0x00ffff },	{ "olive", 0x808000 },	{ "lime", 0x00ff00 },
		{ "snow", 0xfffafa },	{ "ivory", 0xfffff0 },	{ "whitesmoke", 0xf5f5f5 },
	};
	g_autofree char *word = NULL;

	text = trim(text);
	if (span_is_empty(text) || span_size(text) > 60)
		return (CssColour){ 0 };
	if (span_is_nocase(text, "transparent"))
		return (CssColour){ .is_set = true, .is_clear = true };
	word = span_dup(text);
	if (*word == '#')
		return hex_colour(word + 1);
	if (span_starts_nocase(text, "rgb"))
		return rgb_colour(word);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (span_is_nocase(text, names[i].name))
			return colour_of(names[i].rgb);
	return (CssColour){ 0 };
}

bool
css_is_same(CssColour a, CssColour b)
{
	return a.is_set && b.is_set && !b.is_clear &&
	       ABS(a.red - b.red) + ABS(a.green - b.green) + ABS(a.blue - b.blue) <= SAME_MAX;
}

MailColour
css_legible(CssColour colour)
{
	int red = colour.red, green = colour.green, blue = colour.blue;
	int most = MAX(red, MAX(green, blue)), least = MIN(red, MIN(green, blue));
	/* As bright as it looks, 0 to 255: what is very dark or very bright says no more than that. */
	int light = (2126 * red + 7152 * green + 722 * blue) / 10000;
	int range = most - least, hue;

	if (!colour.is_set || colour.is_clear || light < 15 || light > 215 || range * 2 < most)
		return MAIL_COLOUR_NONE;
	if (most == red)
		hue = 60 * (green - blue) / range + (green < blue ? 360 : 0);
	else if (most == green)
		hue = 120 + 60 * (blue - red) / range;
	else
		hue = 240 + 60 * (red - green) / range;
	return hue < 20	   ? MAIL_COLOUR_RED
	       : hue < 70  ? MAIL_COLOUR_YELLOW
	       : hue < 160 ? MAIL_COLOUR_GREEN
	       : hue < 200 ? MAIL_COLOUR_CYAN
	       : hue < 265 ? MAIL_COLOUR_BLUE
	       : hue < 340 ? MAIL_COLOUR_MAGENTA
			   : MAIL_COLOUR_RED;
}

/* ---- what needs more than one declaration ---- */

typedef struct Sheet {
	Css *css;
	bool no_overflow, no_height, no_width, is_absolute, is_far;
	bool no_border, has_margin, has_line_left, has_line_above;
	bool in_points; /* as Outlook has it */
} Sheet;

static CssChoice
choose(bool yes)
{
	return yes ? CSS_YES : CSS_NO;
}

static void
take_font_size(Sheet *sheet, Span value)
{
	double px;

	if (to_px(value, &px))
		sheet->css->mute = choose(px < TINY_PX);
	else if (!span_is_nocase(value, "inherit"))
		sheet->css->mute = CSS_NO;
}

/* Bottom is the third of four, else the first. */
static void
take_margin(Sheet *sheet, Span value)
{
	Span word[4];
	int n = 0;

	while (n < 4 && take_word(&value, &word[n]))
		n++;
	sheet->css->is_close = n > 0 && is_zero(word[n > 2 ? 2 : 0]);
	sheet->has_margin = n > 0;
}

static void
take_border(Sheet *sheet, Span name, Span value)
{
	if (span_is(name, "border"))
		sheet->no_border = span_starts_nocase(value, "none") || is_zero(value);
	else if (span_is(name, "border-left"))
		sheet->has_line_left = has_word(value, "solid");
	else
		sheet->has_line_above = has_word(value, "solid");
	if (has_word(value, "1.0pt") || has_word(value, "1.5pt"))
		sheet->in_points = true;
}

static void
take_background(Sheet *sheet, Span value)
{
	Span word;

	if (g_strstr_len(value.at, (gssize)span_size(value), "url("))
		sheet->css->has_picture = true;
	while (take_word(&value, &word)) {
		CssColour colour = css_colour(word);

		if (colour.is_set)
			sheet->css->background = colour;
	}
}

static void
take_place(Sheet *sheet, Span name, Span value)
{
	double px;

	if (!to_px(value, &px))
		return;
	if (span_is(name, "height"))
		sheet->css->height_px = (int)CLAMP(px, 0, 10000);
	if (span_is(name, "width"))
		sheet->css->width_px = (int)CLAMP(px, 0, 10000);
	if (span_is(name, "height") || span_is(name, "max-height"))
		sheet->no_height = px < TINY_PX;
	else if (span_is(name, "width") || span_is(name, "max-width"))
		sheet->no_width = px < TINY_PX;
	else if (span_is(name, "text-indent"))
		sheet->css->is_hidden = sheet->css->is_hidden || px < FAR_PX;
	else
		sheet->is_far = sheet->is_far || px < FAR_PX;
}

static void
take_look(Sheet *sheet, Span name, Span value)
{
	Css *css = sheet->css;
	uint64_t weight;

	if (span_is(name, "font-weight"))
		css->bold = choose(span_starts_nocase(value, "bold") ||
				   (span_to_number(value, 1000, &weight) && weight >= 600));
	else if (span_is(name, "font-style"))
		css->italic = choose(span_is_nocase(value, "italic"));
	else if (span_is(name, "text-decoration") || span_is(name, "text-decoration-line")) {
		css->underline = choose(has_word(value, "underline"));
		css->strike = choose(has_word(value, "line-through"));
	} else if (span_is(name, "white-space"))
		css->pre = choose(span_starts_nocase(value, "pre"));
	else if (span_is(name, "text-align"))
		css->right = choose(span_is_nocase(value, "right"));
	else if (span_is(name, "color"))
		css->colour = css_colour(value);
}

static void
take_declaration(Sheet *sheet, Span name, Span value)
{
	Css *css = sheet->css;
	double number;

	if (span_is(name, "display"))
		css->is_hidden = css->is_hidden || span_is_nocase(value, "none");
	else if (span_is(name, "visibility"))
		css->is_hidden = css->is_hidden || span_is_nocase(value, "hidden");
	else if (span_is(name, "opacity"))
		css->is_hidden = css->is_hidden || (to_px(value, &number) && number < 0.05);
	else if (span_is(name, "font-size"))
		take_font_size(sheet, value);
	else if (span_is(name, "overflow"))
		sheet->no_overflow = span_is_nocase(value, "hidden");
	else if (span_is(name, "position"))
		sheet->is_absolute = span_is_nocase(value, "absolute");
	else if (span_is(name, "margin"))
		take_margin(sheet, value);
	else if (span_is(name, "margin-bottom"))
		css->is_close = is_zero(value);
	else if (span_is(name, "border") || span_is(name, "border-left") ||
		 span_is(name, "border-top"))
		take_border(sheet, name, value);
	else if (span_is(name, "background") || span_is(name, "background-color") ||
		 span_is(name, "background-image"))
		take_background(sheet, value);
	else if (span_is(name, "height") || span_is(name, "width") || span_is(name, "max-height") ||
		 span_is(name, "max-width") || span_is(name, "left") || span_is(name, "top") ||
		 span_is(name, "text-indent") || span_is(name, "margin-left"))
		take_place(sheet, name, value);
	else
		take_look(sheet, name, value);
}

/* "name : value !important;"; a value may hold ";" in quotes or brackets. */
static Declaration
take_next(Span *style)
{
	const char *p = style->at, *colon = NULL, *bang;
	Declaration declaration;
	int depth = 0;
	char quote = '\0';

	for (; p < style->end; p++) {
		if (quote)
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == ':' && !colon)
			colon = p;
		else if (*p == ';' && depth <= 0)
			break;
		else
			depth += (*p == '(') - (*p == ')');
	}
	declaration.name = trim((Span){ style->at, colon ? colon : p });
	declaration.value = (Span){ colon ? colon + 1 : p, p };
	style->at = p + (p < style->end);
	bang = span_is_empty(declaration.value)
		   ? NULL
		   : memchr(declaration.value.at, '!', span_size(declaration.value));
	if (bang)
		declaration.value.end = bang;
	declaration.value = trim(declaration.value);
	return declaration;
}

void
css_parse(const char *style, Css *css)
{
	Sheet sheet = { .css = css };
	Span rest = span_of_string(style ? style : "");

	*css = (Css){ .width_px = -1, .height_px = -1 };
	while (!span_is_empty(rest)) {
		Declaration declaration = take_next(&rest);
		g_autofree char *name = NULL;

		if (span_size(declaration.name) > 32 || span_size(declaration.value) > WORD_MAX)
			continue;
		name = g_ascii_strdown(declaration.name.at, (gssize)span_size(declaration.name));
		take_declaration(&sheet, span_of_string(name), declaration.value);
	}
	if (sheet.no_overflow && (sheet.no_height || sheet.no_width))
		css->is_hidden = true;
	if (sheet.is_absolute && sheet.is_far)
		css->is_hidden = true;
	css->is_indented = sheet.no_border && sheet.has_margin && !sheet.has_line_left;
	css->is_mso_quote = sheet.no_border && sheet.has_line_left && sheet.in_points;
	css->is_mso_reply = sheet.no_border && sheet.has_line_above && sheet.in_points;
}
