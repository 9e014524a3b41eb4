#include "rich-private.h"
#include "base/i18n.h"
#include "base/safetext.h"

#define BLOCKS_SPARE  1000 /* however small the limit */
#define BYTES_A_BLOCK 8	   /* of text, on average, or there are too many blocks */
#define LINKS_MAX     50000
#define BLANKS_MAX    20

typedef struct RichPiece {
	size_t end; /* in the line */
	RichLook look;
} RichPiece;

static void
free_link(gpointer data)
{
	MailLink *link = data;

	g_free(link->target);
	g_free(link);
}

MailRich *
mail_rich_new(void)
{
	MailRich *rich = g_new0(MailRich, 1);

	rich->text = g_string_new(NULL);
	rich->blocks = g_array_new(FALSE, FALSE, sizeof(MailBlock));
	rich->runs = g_array_new(FALSE, FALSE, sizeof(MailRun));
	rich->tables = g_array_new(FALSE, FALSE, sizeof(MailTable));
	rich->links = g_ptr_array_new_with_free_func(free_link);
	return rich;
}

void
mail_rich_free(MailRich *rich)
{
	if (!rich)
		return;
	g_string_free(rich->text, TRUE);
	g_array_unref(rich->blocks);
	g_array_unref(rich->runs);
	g_array_unref(rich->tables);
	g_ptr_array_unref(rich->links);
	g_free(rich);
}

char *
mail_rich_left_out(const MailRich *rich)
{
	g_autofree char *hidden =
	    g_strdup_printf(P_("%u hidden piece of text", "%u hidden pieces of text", rich->hidden),
			    rich->hidden);
	g_autofree char *pixels =
	    g_strdup_printf(P_("%u tracking pixel", "%u tracking pixels", rich->pixels),
			    rich->pixels);

	if (rich->hidden && rich->pixels)
		return g_strdup_printf(_("Left out: %s and %s."), hidden, pixels);
	if (rich->hidden || rich->pixels)
		return g_strdup_printf(_("Left out: %s."), rich->hidden ? hidden : pixels);
	return NULL;
}

/* ---- writing ---- */

void
rich_writer_init(RichWriter *writer, size_t max_bytes)
{
	*writer = (RichWriter){ .rich = mail_rich_new(), .max_bytes = max_bytes };
	writer->line = g_string_new(NULL);
	writer->pieces = g_array_new(FALSE, FALSE, sizeof(RichPiece));
}

static void
drop_line(RichWriter *writer)
{
	g_string_truncate(writer->line, 0);
	g_array_set_size(writer->pieces, 0);
}

/* A mark belongs to what it stands on, whatever it looks like. */
static size_t
after_marks(const GString *line, size_t at)
{
	while (at < line->len) {
		gunichar c = g_utf8_get_char(line->str + at);

		if (!g_unichar_ismark(c) && c != 0x200d && c != 0x200c)
			break;
		at = (size_t)(g_utf8_next_char(line->str + at) - line->str);
	}
	return at;
}

static void
add_run(MailRich *rich, size_t at, RichLook look)
{
	MailRun run = { (uint32_t)at, (uint32_t)rich->text->len, look.style, look.colour,
			look.link };

	if (run.at == run.end || (!run.style && !run.colour && !run.link))
		return;
	g_array_append_val(rich->runs, run);
}

static void
pass_the_door(RichWriter *writer)
{
	MailRich *rich = writer->rich;
	size_t at = 0;

	for (guint i = 0; i < writer->pieces->len; i++) {
		const RichPiece *piece = &g_array_index(writer->pieces, RichPiece, i);
		size_t before = rich->text->len;
		size_t end = MAX(after_marks(writer->line, piece->end), at);

		safe_text_append(rich->text, span_of(writer->line->str + at, end - at), SAFE_TEXT);
		add_run(rich, before, piece->look);
		at = end;
	}
}

static bool
is_blank(const char *p)
{
	while (*p == ' ')
		p++;
	return !*p;
}

void
rich_flush(RichWriter *writer)
{
	MailRich *rich = writer->rich;
	MailBlock block = writer->block;

	if (writer->open)
		rich_end(writer, 1);
	if (writer->line->len == 0 && block.kind != MAIL_BLOCK_RULE)
		return;
	block.at = (uint32_t)rich->text->len;
	if (block.kind == MAIL_BLOCK_PRE || !is_blank(writer->line->str))
		pass_the_door(writer);
	block.end = (uint32_t)rich->text->len;
	drop_line(writer);
	writer->block.kind = MAIL_BLOCK_TEXT;
	if (block.at == block.end && block.kind != MAIL_BLOCK_RULE) {
		/* A paragraph of nothing but spaces is how some leave a line blank. */
		writer->breaks = MAX(writer->breaks, block.blanks + 1U);
		if (rich->blocks->len > 0)
			writer->breaks = MAX(writer->breaks, 2);
		return;
	}
	g_array_append_val(rich->blocks, block);
	if (rich->blocks->len > writer->max_bytes / BYTES_A_BLOCK + BLOCKS_SPARE ||
	    rich->runs->len > writer->max_bytes / BYTES_A_BLOCK + BLOCKS_SPARE)
		writer->full = true;
}

void
rich_begin(RichWriter *writer, MailBlock shape)
{
	unsigned breaks;

	rich_flush(writer);
	breaks = writer->rich->blocks->len > 0 ? MIN(writer->breaks, BLANKS_MAX + 1) : 0;
	shape.blanks = (uint8_t)(breaks > 0 ? breaks - 1 : 0);
	writer->block = shape;
	writer->open = true;
	writer->breaks = 0;
}

void
rich_put(RichWriter *writer, RichLook look, Span text)
{
	GArray *pieces = writer->pieces;
	RichPiece *last =
	    pieces->len > 0 ? &g_array_index(pieces, RichPiece, pieces->len - 1) : NULL;

	g_string_append_len(writer->line, text.at, (gssize)span_size(text));
	if (last && last->look.style == look.style && last->look.colour == look.colour &&
	    last->look.link == look.link) {
		last->end = writer->line->len;
	} else {
		RichPiece piece = { writer->line->len, look };

		g_array_append_val(pieces, piece);
	}
	if (writer->line->len + writer->rich->text->len > writer->max_bytes ||
	    pieces->len > writer->max_bytes / BYTES_A_BLOCK + BLOCKS_SPARE)
		writer->full = true;
}

void
rich_put_char(RichWriter *writer, RichLook look, gunichar c)
{
	char bytes[6];

	rich_put(writer, look, span_of(bytes, (size_t)g_unichar_to_utf8(c, bytes)));
}

void
rich_end(RichWriter *writer, unsigned n)
{
	writer->open = false;
	writer->breaks = MAX(writer->breaks, n);
}

uint32_t
rich_add_link(MailRich *rich, GHashTable *links, const char *target)
{
	gpointer known = g_hash_table_lookup(links, target);
	MailLink *link;

	if (known)
		return GPOINTER_TO_UINT(known);
	if (rich->links->len >= LINKS_MAX)
		return 0;
	link = g_new0(MailLink, 1);
	link->target = safe_line(target);
	g_ptr_array_add(rich->links, link);
	g_hash_table_insert(links, g_strdup(target), GUINT_TO_POINTER(rich->links->len));
	return rich->links->len;
}

MailRich *
rich_writer_finish(RichWriter *writer)
{
	MailRich *rich = writer->rich;

	rich_flush(writer);
	g_string_free(writer->line, TRUE);
	g_array_unref(writer->pieces);
	*writer = (RichWriter){ 0 };
	return rich;
}

/* ---- as plain text ---- */

static void
put_quote_marks(GString *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		g_string_append_c(out, '>');
}

static void
begin_plain_line(const MailBlock *block, const MailBlock *last, GString *out)
{
	if (last) {
		g_string_append_c(out, '\n');
		for (unsigned i = 0; i < block->blanks; i++) {
			put_quote_marks(out, MIN(block->quote, last->quote));
			g_string_append_c(out, '\n');
		}
	}
	put_quote_marks(out, block->quote);
	if (block->quote > 0)
		g_string_append_c(out, ' ');
	for (unsigned i = 0; i < block->indent; i++)
		g_string_append_c(out, ' ');
}

/* The text of BLOCK; of the runs from *RUN on, the links' numbers become their targets. */
static void
put_plain_text(const MailRich *rich, const MailBlock *block, guint *run, GString *out)
{
	size_t at = block->at;

	for (; *run < rich->runs->len; ++*run) {
		const MailRun *next = &g_array_index(rich->runs, MailRun, *run);

		if (next->at >= block->end)
			break;
		if (!(next->style & (MAIL_STYLE_NUMBER | MAIL_STYLE_WARNING)) || next->link == 0)
			continue;
		g_string_append_len(out, rich->text->str + at, (gssize)(next->at - at));
		g_string_append_printf(out, " <%s>",
				       ((MailLink *)rich->links->pdata[next->link - 1])->target);
		at = next->end;
	}
	g_string_append_len(out, rich->text->str + at, (gssize)(block->end - at));
}

void
rich_plain(const MailRich *rich, size_t max, GString *out)
{
	const MailBlock *last = NULL;
	guint run = 0;

	for (guint i = 0; i < rich->blocks->len && out->len <= max; i++) {
		const MailBlock *block = &g_array_index(rich->blocks, MailBlock, i);

		if (last && block->table && block->table == last->table &&
		    block->row == last->row && block->column != last->column)
			g_string_append(out, "  ");
		else
			begin_plain_line(block, last, out);
		if (block->kind == MAIL_BLOCK_RULE)
			g_string_append(out, "----------------");
		put_plain_text(rich, block, &run, out);
		last = block;
	}
}
