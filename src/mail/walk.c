#include "walk-parts-private.h"

typedef enum {
	INLINE,
	BLOCK,	   /* on lines of its own */
	PARAGRAPH, /* with blank lines around it */
	HEADING,
	HEADLESS, /* not shown, nor what is in it */
	BREAK,
	RULE,
	TABLE,
	ROW,
	CELL,
	PREFORMATTED,
	QUOTE,
	BULLETS,
	NUMBERS,
	ITEM,
	DEFINITION,
	LINK,
	PICTURE,
	INPUT,
	SHORT_QUOTE,
} Kind;

typedef struct Element {
	char name[12];
	uint8_t kind;
	uint8_t detail; /* of a heading its level; else its styles (only the first eight) */
} Element;

#define BOLD	  MAIL_STYLE_BOLD
#define ITALIC	  MAIL_STYLE_ITALIC
#define UNDERLINE MAIL_STYLE_UNDERLINE
#define STRIKE	  MAIL_STYLE_STRIKE
#define CODE	  MAIL_STYLE_CODE

/* Sorted; what is not here is INLINE. */
static const Element elements[] = {
	{ "a", LINK, 0 },
	{ "address", BLOCK, 0 },
	{ "article", BLOCK, 0 },
	{ "aside", BLOCK, 0 },
	{ "b", INLINE, BOLD },
	{ "blockquote", QUOTE, 0 },
	{ "body", BLOCK, 0 },
	{ "br", BREAK, 0 },
	{ "caption", BLOCK, BOLD },
	{ "center", BLOCK, 0 },
	{ "cite", INLINE, ITALIC },
	{ "code", INLINE, CODE },
	{ "dd", DEFINITION, 0 },
	{ "del", INLINE, STRIKE },
	{ "details", BLOCK, 0 },
	{ "dfn", INLINE, ITALIC },
	{ "dir", BULLETS, 0 },
	{ "div", BLOCK, 0 },
	{ "dl", PARAGRAPH, 0 },
	{ "dt", BLOCK, BOLD },
	{ "em", INLINE, ITALIC },
	{ "fieldset", BLOCK, 0 },
	{ "figcaption", BLOCK, 0 },
	{ "figure", BLOCK, 0 },
	{ "footer", BLOCK, 0 },
	{ "form", BLOCK, 0 },
	{ "h1", HEADING, 1 },
	{ "h2", HEADING, 2 },
	{ "h3", HEADING, 3 },
	{ "h4", HEADING, 4 },
	{ "h5", HEADING, 5 },
	{ "h6", HEADING, 6 },
	{ "header", BLOCK, 0 },
	{ "hr", RULE, 0 },
	{ "i", INLINE, ITALIC },
	{ "iframe", HEADLESS, 0 },
	{ "img", PICTURE, 0 },
	{ "input", INPUT, 0 },
	{ "ins", INLINE, UNDERLINE },
	{ "kbd", INLINE, CODE },
	{ "legend", BLOCK, BOLD },
	{ "li", ITEM, 0 },
	{ "main", BLOCK, 0 },
	{ "math", HEADLESS, 0 },
	{ "menu", BULLETS, 0 },
	{ "nav", BLOCK, 0 },
	{ "noembed", HEADLESS, 0 },
	{ "noframes", HEADLESS, 0 },
	{ "ol", NUMBERS, 0 },
	{ "option", BLOCK, 0 },
	{ "p", PARAGRAPH, 0 },
	{ "pre", PREFORMATTED, 0 },
	{ "q", SHORT_QUOTE, 0 },
	{ "s", INLINE, STRIKE },
	{ "samp", INLINE, CODE },
	{ "script", HEADLESS, 0 },
	{ "section", BLOCK, 0 },
	{ "strike", INLINE, STRIKE },
	{ "strong", INLINE, BOLD },
	{ "style", HEADLESS, 0 },
	{ "summary", BLOCK, BOLD },
	{ "svg", HEADLESS, 0 },
	{ "table", TABLE, 0 },
	{ "td", CELL, 0 },
	{ "template", HEADLESS, 0 },
	{ "th", CELL, BOLD },
	{ "title", HEADLESS, 0 },
	{ "tr", ROW, 0 },
	{ "tt", INLINE, CODE },
	{ "u", INLINE, UNDERLINE },
	{ "ul", BULLETS, 0 },
	{ "var", INLINE, ITALIC },
};

static int
compare_element(const void *name, const void *element)
{
	return strcmp(name, ((const Element *)element)->name);
}

static const Element *
find_element(const char *name)
{
	static const Element other = { "", INLINE, 0 };
	const Element *element =
	    bsearch(name, elements, G_N_ELEMENTS(elements), sizeof(elements[0]), compare_element);

	return element ? element : &other;
}

static bool
attribute_is(const char **attributes, const char *name, const char *value)
{
	const char *is = walk_attribute(attributes, name);

	return is && !g_ascii_strcasecmp(is, value);
}

/* A class of that name, or one that begins like it. */
static bool
has_class(const char **attributes, const char *prefix)
{
	const char *p = walk_attribute(attributes, "class");

	while (p && *p) {
		p += strspn(p, " \t\r\n");
		if (!g_ascii_strncasecmp(p, prefix, strlen(prefix)))
			return true;
		p += strcspn(p, " \t\r\n");
	}
	return false;
}

/* A table begins a line with each cell: a link around it says where it leads before that. */
static void
leave_cell(Walk *walk)
{
	if (walk->href->len > 0 && walk->link)
		walk_close_link(walk);
	walk->marker[0] = '\0';
	walk->space = false;
}

static void
open_table(Walk *walk, const char **attributes)
{
	unsigned indent = 0;
	TableShape shape = {
		.is_layout = attribute_is(attributes, "role", "presentation") ||
			     attribute_is(attributes, "role", "none"),
		.is_table = walk_number(attributes, "border") > 0 ||
			    attribute_is(attributes, "role", "table"),
		.quote = (uint8_t)MIN(walk->quotes, QUOTES_MAX),
	};

	for (unsigned i = 0; i < MIN(walk->n_lists, LISTS_MAX); i++)
		indent += walk->lists[i].width;
	shape.indent = (uint8_t)MIN(indent, 255);
	leave_cell(walk);
	table_open(walk->tables, &walk->writer, shape);
}

static void
open_cell(Walk *walk, const char *name, const char **attributes, const Css *css)
{
	CellShape shape = {
		.header = !strcmp(name, "th"),
		.right = attribute_is(attributes, "align", "right") || css->right == CSS_YES,
		.columns = walk_number(attributes, "colspan"),
		.rows = walk_number(attributes, "rowspan"),
	};

	leave_cell(walk);
	table_cell(walk->tables, &walk->writer, shape);
}

static void
open_element(Walk *walk, const char *name, Kind kind, const char **attributes, const Css *css)
{
	switch (kind) {
	case BLOCK:
		walk_end_line(walk, 1);
		break;
	case PARAGRAPH:
		/* Outlook's paragraphs have no space between them, but empty ones. */
		walk->close_paragraph = has_class(attributes, "Mso") || css->is_close;
		walk_end_line(walk, walk->close_paragraph ? 1 : 2);
		break;
	case HEADING:
		walk_end_line(walk, 2);
		break;
	case BREAK:
		walk_break_line(walk);
		break;
	case RULE:
		walk_end_line(walk, 1);
		walk_begin_line(walk);
		walk->writer.block.kind = MAIL_BLOCK_RULE;
		walk_end_line(walk, 1);
		break;
	case TABLE:
		open_table(walk, attributes);
		break;
	case ROW:
		leave_cell(walk);
		table_row(walk->tables, &walk->writer);
		break;
	case CELL:
		open_cell(walk, name, attributes, css);
		break;
	case PREFORMATTED:
		walk_end_line(walk, 2);
		walk->pre++;
		break;
	case BULLETS:
		walk_open_list(walk, 0, NULL);
		break;
	case NUMBERS:
		walk_open_list(walk, MAX(walk_number(attributes, "start"), 1),
			       walk_attribute(attributes, "type"));
		break;
	case ITEM:
		walk_open_item(walk, attributes);
		break;
	case DEFINITION:
		walk_open_indent(walk);
		break;
	case LINK:
		walk_open_link(walk, attributes);
		break;
	case PICTURE:
		walk_put_picture(walk, attributes, css);
		break;
	case INPUT:
		if (attribute_is(attributes, "type", "checkbox"))
			walk_put(walk, walk_attribute(attributes, "checked") ? "[x]" : "[ ]", 0);
		walk->space = true;
		break;
	case SHORT_QUOTE:
		walk_put(walk, "\"", 0);
		break;
	case QUOTE: /* begin_looks knows */
	case HEADLESS:
	case INLINE:
		break;
	}
}

static void
close_element(Walk *walk, Kind kind)
{
	switch (kind) {
	case BLOCK:
	case ITEM:
		walk_end_line(walk, 1);
		walk->marker[0] = '\0';
		break;
	case DEFINITION:
		walk->n_lists -= walk->n_lists > 0;
		walk_end_line(walk, 1);
		break;
	case PARAGRAPH:
		walk_end_line(walk, walk->close_paragraph ? 1 : 2);
		walk->close_paragraph = false;
		break;
	case HEADING:
		walk_end_line(walk, 2);
		break;
	case TABLE:
		leave_cell(walk);
		table_close(walk->tables, &walk->writer);
		break;
	case ROW:
	case CELL:
		leave_cell(walk);
		table_cell_close(walk->tables, &walk->writer);
		break;
	case PREFORMATTED:
		walk->pre -= walk->pre > 0;
		walk_end_line(walk, 2);
		break;
	case BULLETS:
	case NUMBERS:
		walk_close_list(walk);
		break;
	case LINK:
		walk_close_link(walk);
		break;
	case SHORT_QUOTE:
		walk->space = false;
		walk_put(walk, "\"", 0);
		break;
	default:
		break;
	}
}

/* ---- looks ---- */

static void
set_style(Looks *looks, uint16_t style, CssChoice choice)
{
	if (choice == CSS_YES)
		looks->style |= style;
	else if (choice == CSS_NO)
		looks->style &= (uint16_t)~style;
}

/* Where programs put what stands below each of a person's mails. */
static bool
is_signature(const char **attributes)
{
	static const char *const names[] = { "gmail_signature",	   "moz-signature",
					     "Signature",	   "ms-outlook-mobile-signature",
					     "AppleMailSignature", "protonmail_signature" };
	const char *id = walk_attribute(attributes, "id");

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (has_class(attributes, names[i]) || (id && !g_ascii_strcasecmp(id, names[i])))
			return true;
	return false;
}

static void
apply(Looks *looks, const Element *element, const char **attributes, const Css *css)
{
	const char *font = walk_attribute(attributes, "color");
	const char *below = walk_attribute(attributes, "bgcolor");
	CssColour colour = css->colour, background = css->background;

	if (element->kind == HEADING)
		looks->heading = element->detail;
	else
		looks->style |= element->detail;
	if (is_signature(attributes))
		looks->style |= MAIL_STYLE_SIGNATURE;
	set_style(looks, MAIL_STYLE_BOLD, css->bold);
	set_style(looks, MAIL_STYLE_ITALIC, css->italic);
	if (element->kind != LINK)
		set_style(looks, MAIL_STYLE_UNDERLINE, css->underline);
	set_style(looks, MAIL_STYLE_STRIKE, css->strike);
	if (css->mute != CSS_UNSET)
		looks->mute = css->mute == CSS_YES;
	if (css->right != CSS_UNSET || element->kind == CELL)
		looks->right = css->right == CSS_YES;
	if (css->pre != CSS_UNSET)
		looks->meant_space = css->pre == CSS_YES;
	if (!colour.is_set && font)
		colour = css_colour(span_of_string(font));
	if (!background.is_set && below)
		background = css_colour(span_of_string(below));
	if (colour.is_set) {
		looks->colour = colour;
		looks->shown_colour = (uint8_t)css_legible(colour);
	}
	if (background.is_set && !background.is_clear)
		looks->background = background;
	else if (css->has_picture || walk_attribute(attributes, "background"))
		looks->background = (CssColour){ 0 };
}

/* The element that DEPTH ends puts LOOKS back, and ends what began with it. */
static void
save(Walk *walk, unsigned depth, Looks looks, bool quote, bool indent)
{
	Saved saved = { MAX(depth, 1), looks, quote, indent };

	if (quote) {
		walk_end_line(walk, 2);
		walk->quotes++;
	}
	if (indent)
		walk_open_indent(walk);
	g_array_append_val(walk->saved, saved);
}

/* What somebody replies to, as their program marks it.  Outlook writes a line, and below it, to the
 * end of what they are both in, what is quoted. */
static void
begin_quote(Walk *walk, const Element *element, const char **attributes, const Css *css)
{
	bool is_cited = walk_attribute(attributes, "cite") || walk_attribute(attributes, "type") ||
			has_class(attributes, "gmail_quote");

	if (element->kind == QUOTE)
		save(walk, walk->depth, walk->looks, !css->is_indented || is_cited,
		     css->is_indented && !is_cited);
	else if (has_class(attributes, "yahoo_quoted") || css->is_mso_quote)
		save(walk, walk->depth, walk->looks, true, false);
	else if (attribute_is(attributes, "id", "divRplyFwdMsg") ||
		 has_class(attributes, "OutlookMessageHeader"))
		save(walk, walk->depth - MIN(walk->depth, 1), walk->looks, true, false);
	else if (css->is_mso_reply && element->kind == BLOCK)
		save(walk, walk->depth - MIN(walk->depth, 2), walk->looks, true, false);
}

static void
begin_looks(Walk *walk, const Element *element, const char **attributes, const Css *css)
{
	Looks old = walk->looks;

	begin_quote(walk, element, attributes, css);
	if (!attributes && !element->detail)
		return;
	apply(&walk->looks, element, attributes, css);
	if (walk_is_unseen(walk, &walk->looks) && !walk_is_unseen(walk, &old))
		walk->looks.piece = ++walk->pieces;
	if (memcmp(&walk->looks, &old, sizeof(old)) != 0)
		save(walk, walk->depth, old, false, false);
}

static void
end_looks(Walk *walk)
{
	while (walk->saved->len > 0) {
		Saved *saved = &g_array_index(walk->saved, Saved, walk->saved->len - 1);

		if (saved->depth < walk->depth)
			break;
		walk->looks = saved->looks;
		if (saved->quote) {
			walk->quotes -= walk->quotes > 0;
			walk_end_line(walk, 2);
		}
		if (saved->indent) {
			walk->n_lists -= walk->n_lists > 0;
			walk_end_line(walk, 2);
		}
		g_array_set_size(walk->saved, walk->saved->len - 1);
	}
}

/* ---- the walk ---- */

static void
begin_hidden(Walk *walk, Kind kind, const char **attributes)
{
	const char *src = walk_attribute(attributes, "src");

	walk->hidden_at = walk->depth;
	walk->hidden_counts = kind != HEADLESS;
	walk->pieces++;
	if (kind == PICTURE && src && !g_ascii_strncasecmp(src, "http", 4))
		walk->writer.rich->pixels++;
}

void
walk_start(Walk *walk, const char *name, const char **attributes)
{
	const Element *element = find_element(name);
	Css css;

	walk->depth++;
	if (walk->hidden_at || walk->writer.full)
		return;
	walk_pause(walk);
	css_parse(walk_attribute(attributes, "style"), &css);
	if (element->kind == HEADLESS ||
	    (!walk->show_hidden && (css.is_hidden || walk_attribute(attributes, "hidden")))) {
		begin_hidden(walk, element->kind, attributes);
		return;
	}
	open_element(walk, name, element->kind, attributes, &css);
	begin_looks(walk, element, attributes, &css);
}

void
walk_end(Walk *walk, const char *name)
{
	walk_pause(walk);
	if (!walk->hidden_at) {
		close_element(walk, find_element(name)->kind);
		end_looks(walk);
	} else if (walk->hidden_at >= walk->depth) {
		walk->hidden_at = 0;
	}
	walk->depth -= walk->depth > 0;
}

unsigned
walk_depth(const Walk *walk)
{
	return walk->depth;
}

bool
walk_is_full(const Walk *walk)
{
	return walk->writer.full;
}

Walk *
walk_new(size_t max_bytes, unsigned links_before, bool show_hidden)
{
	Walk *walk = g_new0(Walk, 1);

	rich_writer_init(&walk->writer, max_bytes);
	walk->tables = table_stack_new();
	walk->links_before = links_before;
	walk->show_hidden = show_hidden;
	walk->saved = g_array_new(FALSE, FALSE, sizeof(Saved));
	walk->href = g_string_new(NULL);
	walk->link_text = g_string_new(NULL);
	walk->links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	walk->numbers = g_array_new(FALSE, TRUE, sizeof(unsigned));
	return walk;
}

void
walk_free(Walk *walk)
{
	if (!walk)
		return;
	if (walk->writer.rich)
		mail_rich_free(rich_writer_finish(&walk->writer));
	table_stack_free(walk->tables);
	g_array_unref(walk->saved);
	g_string_free(walk->href, TRUE);
	g_string_free(walk->link_text, TRUE);
	g_hash_table_unref(walk->links);
	g_array_unref(walk->numbers);
	g_free(walk);
}

/* Links in the order of their numbers; those that have none, for their text is their target, get
 * the next ones. */
static void
order_links(Walk *walk, MailRich *rich)
{
	g_autofree uint32_t *place = g_new(uint32_t, rich->links->len + 1);
	g_autofree gpointer *links =
	    g_memdup2(rich->links->pdata, rich->links->len * sizeof(gpointer));
	unsigned next = walk->links_shown;

	for (guint i = 0; i < rich->links->len; i++) {
		unsigned number =
		    i < walk->numbers->len ? g_array_index(walk->numbers, unsigned, i) : 0;

		place[i] = number ? number : ++next;
		rich->links->pdata[place[i] - 1] = links[i];
	}
	for (guint i = 0; i < rich->runs->len; i++) {
		MailRun *run = &g_array_index(rich->runs, MailRun, i);

		if (run->link)
			run->link = place[run->link - 1];
	}
}

MailRich *
walk_finish(Walk *walk)
{
	MailRich *rich;

	walk_pause(walk);
	rich = rich_writer_finish(&walk->writer);
	order_links(walk, rich);
	return rich;
}
