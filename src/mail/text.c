#include "mail/text.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "charset-private.h"
#include "flowed-private.h"
#include "html-private.h"
#include "rich-private.h"

#define MAX_BYTES_DEFAULT ((size_t)8 << 20)
#define PIECE_SIZE	  ((size_t)32 << 10)
#define META_MAX	  2048 /* HTML says its charset at its beginning, or it does not */
#define NAME_SHOWN_MAX	  60   /* of a charset's or an encoding's name, in a note */

/* One part on its way from bytes to text. */
typedef struct Render {
	const MailPart *part;
	size_t max_bytes;
	bool is_html;
	Charset *charset; /* NULL until the first bytes are decoded */
	GString *utf8;	  /* plain text as it gathers; of HTML the current piece */
	HtmlText *html;
	bool is_cut, is_tangled;
} Render;

/* ---- what to say ---- */

static void
add_note(GString *notes, const char *sentence)
{
	if (notes->len > 0)
		g_string_append_c(notes, ' ');
	g_string_append(notes, sentence);
}

/* FORMAT takes the NAME that a stranger gave. */
static void
add_note_on(GString *notes, const char *format, const char *name)
{
	g_autofree char *safe = safe_line(name);
	g_autofree char *brief =
	    g_utf8_substring(safe, 0, MIN(g_utf8_strlen(safe, -1), NAME_SHOWN_MAX));
	g_autofree char *sentence = g_strdup_printf(format, brief);

	add_note(notes, sentence);
}

static char *
describe(const Render *render)
{
	g_autoptr(GString) notes = g_string_new(NULL);
	const char *charset = render->part->charset;

	if (!mail_decoder_knows(render->part->encoding))
		add_note_on(notes, _("The encoding \"%s\" is not known: shown as it came."),
			    render->part->encoding);
	if (charset && *charset && !charset_is_known(span_of_string(charset))) {
		add_note_on(notes, _("The charset \"%s\" is not known."), charset);
		add_note_on(notes, _("Shown as %s."), charset_used(render->charset));
	}
	if (charset_errors(render->charset) > 0)
		add_note_on(notes, _("Some bytes are not %s: each is shown as a mark."),
			    charset_used(render->charset));
	if (render->is_tangled)
		add_note(notes, _("This HTML is nested or broken beyond reason: it is shown up to "
				  "there."));
	if (render->is_cut)
		add_note(notes, _("This text is very long: only its beginning is shown."));
	return notes->len > 0 ? g_string_free(g_steal_pointer(&notes), FALSE) : NULL;
}

/* ---- the charset ---- */

/* <meta charset="x"> or <meta ... content="text/html; charset=x">, near the beginning. */
static Span
charset_of_meta(Span html)
{
	Span head = span_of(html.at, MIN(span_size(html), META_MAX));
	g_autofree char *lower = g_ascii_strdown(head.at, (gssize)span_size(head));
	const char *meta = strstr(lower, "<meta");

	for (; meta; meta = strstr(meta + 1, "<meta")) {
		const char *end = meta + strcspn(meta, ">");
		const char *name = g_strstr_len(meta, end - meta, "charset");
		const char *stop;

		if (!name)
			continue;
		name += strlen("charset");
		name += strspn(name, " \t\r\n=\"'");
		stop = name + strcspn(name, " \t\r\n\"'/>;");
		/* UTF-16 cannot be what let us read this. */
		if (stop > name && stop <= end && !g_str_has_prefix(name, "utf-16"))
			return (Span){ head.at + (name - lower), head.at + (stop - lower) };
	}
	return SPAN_EMPTY;
}

static void
open_charset(Render *render, Span first)
{
	Span name = span_of_string(render->part->charset);

	if (render->is_html && !charset_is_known(name))
		name = charset_of_meta(first);
	render->charset = charset_new(name, NULL);
	charset_obey_bom(render->charset);
}

/* ---- the pieces ---- */

/* GLib's word for no bytes is NULL, on which C allows next to nothing. */
static Span
some_bytes(const void *bytes, size_t size)
{
	return size > 0 ? span_of(bytes, size) : SPAN_LITERAL("");
}

/* False when no more need come. */
static bool
take_piece(Render *render, Span decoded, bool last)
{
	HtmlTextState state;

	if (!render->charset)
		open_charset(render, decoded);
	if (render->is_html)
		g_string_truncate(render->utf8, 0);
	charset_feed(render->charset, decoded, last, render->utf8);
	if (!render->is_html) {
		render->is_cut = render->utf8->len > render->max_bytes;
		return !render->is_cut;
	}
	state = html_text_feed(render->html, span_of(render->utf8->str, render->utf8->len), last);
	render->is_cut = state == HTML_TEXT_FULL;
	render->is_tangled = state == HTML_TEXT_TANGLED;
	return state == HTML_TEXT_MORE;
}

static void
take_all(Render *render, Span bytes)
{
	g_autoptr(MailDecoder) decoder = mail_decoder_new(render->part->encoding);
	g_autoptr(GByteArray) decoded = g_byte_array_new();
	bool go_on = true;

	while (go_on) {
		Span piece = span_of(bytes.at, MIN(span_size(bytes), PIECE_SIZE));
		bool last = piece.end == bytes.end;

		g_byte_array_set_size(decoded, 0);
		mail_decoder_feed(decoder, piece, last, decoded);
		bytes.at = piece.end;
		go_on = take_piece(render, some_bytes(decoded->data, decoded->len), last) && !last;
	}
}

/* ---- the whole ---- */

/* Through the door, and to size.  TEXT may be long, but not longer than a few MAX_BYTES. */
static char *
finish(Render *render, Span text)
{
	const char *cut_here = _("[Cut here: the rest is not shown.]");
	size_t room, size = strlen(cut_here) + 2;
	g_autoptr(GString) out = g_string_sized_new(span_size(text) + 64);

	safe_text_append(out, text, SAFE_TEXT);
	if (out->len > render->max_bytes)
		render->is_cut = true;
	if (!render->is_cut)
		return g_string_free(g_steal_pointer(&out), FALSE);
	room = render->max_bytes > size ? render->max_bytes - size : 0;
	if (out->len > room) {
		while (room > 0 && ((unsigned char)out->str[room] & 0xc0) == 0x80)
			room--;
		g_string_truncate(out, room);
	}
	if (render->max_bytes >= size)
		g_string_append_printf(out, "\n%s\n", cut_here);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
begin(Render *render, const MailPart *part, GBytes *bytes, MailRichLimits limits)
{
	*render = (Render){
		.part = part,
		.max_bytes = limits.max_bytes ? limits.max_bytes : MAX_BYTES_DEFAULT,
		.is_html = part->type && !strcmp(part->type, "text/html"),
		.utf8 = g_string_new(NULL),
	};
	if (render->is_html)
		render->html =
		    html_text_new(render->max_bytes, limits.links_before, limits.show_hidden);
	take_all(render, some_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)));
}

static void
end(Render *render, char **note)
{
	if (note)
		*note = describe(render);
	charset_free(render->charset);
	html_text_free(render->html);
	g_string_free(render->utf8, TRUE);
}

static char *
finish_plain(Render *render)
{
	g_autoptr(GString) joined = NULL;
	Span text = span_of(render->utf8->str, render->utf8->len);

	if (!render->part->format_flowed)
		return finish(render, text);
	joined = g_string_new(NULL);
	flowed_join(text, render->part->delsp, joined);
	return finish(render, span_of(joined->str, joined->len));
}

char *
mail_text_render(const MailPart *part, GBytes *bytes, const MailTextLimits *limits, char **note)
{
	Render render;
	char *result;

	begin(&render, part, bytes,
	      (MailRichLimits){ .max_bytes = limits ? limits->max_bytes : 0 });
	if (render.is_html) {
		g_autoptr(MailRich) rich = html_text_finish(render.html);
		g_autoptr(GString) plain = g_string_new(NULL);

		rich_plain(rich, render.max_bytes, plain);
		result = finish(&render, span_of(plain->str, plain->len));
	} else {
		result = finish_plain(&render);
	}
	end(&render, note);
	return result;
}

MailRich *
mail_rich_render(const MailPart *part, GBytes *bytes, const MailRichLimits *limits, char **note)
{
	Render render;
	MailRich *rich;

	begin(&render, part, bytes, limits ? *limits : (MailRichLimits){ 0 });
	if (render.is_html) {
		rich = html_text_finish(render.html);
	} else {
		g_autofree char *text = finish_plain(&render);

		rich = rich_of_plain(span_of_string(text), render.max_bytes);
	}
	end(&render, note);
	return rich;
}
