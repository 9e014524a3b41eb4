#include "view/message.h"

#include <string.h>

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "mail/text.h"
#include "view/status.h"

#define HEADER_SECTION "HEADER"
#define INDENT_MAX     20
#define HEADER_MAX     (256 * 1024) /* shown of all headers */

/* What a stranger's tree can make us show at once. */
#define READABLE_MAX 50

/* Reading and rendering this much takes a few milliseconds. */
#define LITTLE_BYTES (48 * 1024)

struct ViewMessage {
	StoreRow *row;
	MailPart *tree;	     /* NULL: not known */
	bool guessed;	     /* the structure was there and made no sense: TREE is our guess */
	GPtrArray *readable; /* of const MailPart, borrowed from TREE; NULL without it */
	char *only;	     /* show this section alone; NULL */
	bool all_headers;
};

typedef struct TextPart {
	MailPart *part; /* what rendering needs of it; owned */
	char *title;
	GBytes *bytes; /* NULL: not here */
	bool later;    /* here, but much: view_text_load reads it */
	bool cut;      /* BYTES is only its beginning */
} TextPart;

struct ViewText {
	StoreId message;
	GPtrArray *headers; /* of char *, through the door; NULL: RAW_HEADER has them */
	GBytes *raw_header; /* NULL: not wanted, or not here */
	GPtrArray *parts;   /* of TextPart, owned */
	GPtrArray *notes;   /* of char *, through the door */
	char *why_not;
	size_t little; /* bytes read so far, of LITTLE_BYTES */
	bool heavy;
};

/* A description that cannot be read is no reason to show nothing. */
static MailPart *
guess_part(void)
{
	MailPart *part = mail_part_new();

	g_free(part->section);
	part->section = g_strdup("1");
	g_free(part->type);
	part->type = g_strdup("text/plain");
	g_free(part->encoding);
	part->encoding = g_strdup("");
	return part;
}

static void
read_tree(ViewMessage *message)
{
	if (!message->row->structure || message->tree)
		return;
	message->tree = engine_structure(message->row);
	message->guessed = !message->tree;
	if (message->guessed)
		message->tree = guess_part();
	message->readable = mail_part_readable(message->tree);
	if (message->readable->len > READABLE_MAX)
		g_ptr_array_set_size(message->readable, READABLE_MAX);
}

ViewMessage *
view_message_new(StoreRow *row)
{
	ViewMessage *message = g_new0(ViewMessage, 1);

	message->row = row;
	read_tree(message);
	return message;
}

void
view_message_free(ViewMessage *message)
{
	if (!message)
		return;
	g_clear_pointer(&message->readable, g_ptr_array_unref);
	mail_part_free(message->tree);
	store_row_free(message->row);
	g_free(message->only);
	g_free(message);
}

const StoreRow *
view_message_row(const ViewMessage *message)
{
	return message->row;
}

const MailPart *
view_message_tree(const ViewMessage *message)
{
	return message->tree;
}

void
view_message_update(ViewMessage *message, StoreRow *row)
{
	store_row_free(message->row);
	message->row = row;
	read_tree(message);
}

void
view_message_show_part(ViewMessage *message, const char *section)
{
	g_free(message->only);
	message->only = g_strdup(section);
}

const char *
view_message_shown_part(const ViewMessage *message)
{
	return message->only;
}

void
view_message_show_headers(ViewMessage *message, bool all)
{
	message->all_headers = all;
}

bool
view_message_headers_shown(const ViewMessage *message)
{
	return message->all_headers;
}

static const MailPart *
only_part(const ViewMessage *message)
{
	return message->only && message->tree ? mail_part_find(message->tree, message->only) : NULL;
}

/* The parts to show, borrowed: the one asked for (of a message inside this one, what there is to read),
 * or those to read. */
static GPtrArray *
shown_parts(const ViewMessage *message)
{
	const MailPart *part = only_part(message);
	GPtrArray *parts;

	if (!message->only && message->readable)
		return g_ptr_array_ref(message->readable);
	if (part && part->children->len > 0) {
		parts = mail_part_readable(part);
		g_ptr_array_set_size(parts, (gint)MIN(parts->len, READABLE_MAX));
		return parts;
	}
	parts = g_ptr_array_new();
	if (part)
		g_ptr_array_add(parts, (gpointer)part);
	return parts;
}

static bool
add_if_missing(GPtrArray *missing, const ViewMessage *message, Store *store, const char *section,
	       GError **error)
{
	bool has = false;

	if (!store_part_has(store, message->row->id, section, &has, error))
		return false;
	if (!has)
		g_ptr_array_add(missing, g_strdup(section));
	return true;
}

char **
view_message_missing(const ViewMessage *message, Store *store, GError **error)
{
	g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) parts = shown_parts(message);

	if (!message->tree)
		return NULL;
	if (message->all_headers && !message->only &&
	    !add_if_missing(missing, message, store, HEADER_SECTION, error))
		return NULL;
	for (guint i = 0; i < parts->len; i++) {
		const MailPart *part = parts->pdata[i];

		if (!add_if_missing(missing, message, store, part->section, error))
			return NULL;
	}
	g_ptr_array_add(missing, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&missing), FALSE);
}

char *
view_part_title(const MailPart *part)
{
	const char *name = part->name	       ? part->name
			   : part->description ? part->description
			   : part->subject     ? part->subject
					       : part->type;
	g_autofree char *title =
	    *part->section ? g_strdup_printf("%s: %s", part->section, name) : g_strdup(name);

	return safe_line(title);
}

/* ---- rendering ------------------------------------------------------------------------------ */

static void
free_text_part(gpointer data)
{
	TextPart *part = data;

	mail_part_free(part->part);
	g_free(part->title);
	g_bytes_unref(part->bytes);
	g_free(part);
}

void
view_text_free(ViewText *text)
{
	if (!text)
		return;
	g_clear_pointer(&text->headers, g_ptr_array_unref);
	g_bytes_unref(text->raw_header);
	g_clear_pointer(&text->parts, g_ptr_array_unref);
	g_clear_pointer(&text->notes, g_ptr_array_unref);
	g_free(text->why_not);
	g_free(text);
}

/* Rendering looks at these and nothing else; the tree stays with its message. */
static MailPart *
copy_leaf(const MailPart *part)
{
	MailPart *copy = mail_part_new();

	g_free(copy->section);
	copy->section = g_strdup(part->section);
	g_free(copy->type);
	copy->type = g_strdup(part->type);
	g_free(copy->charset);
	copy->charset = g_strdup(part->charset);
	g_free(copy->encoding);
	copy->encoding = g_strdup(part->encoding);
	copy->format_flowed = part->format_flowed;
	copy->delsp = part->delsp;
	copy->size_octets = part->size_octets;
	copy->size_lines = part->size_lines;
	return copy;
}

typedef struct Loading {
	GByteArray *bytes;
	size_t max;
	bool more; /* there is more than MAX */
} Loading;

static bool
take_piece(void *data, Span piece, GError **error)
{
	Loading *loading = data;
	size_t room = loading->max - loading->bytes->len;

	loading->more = span_size(piece) > room;
	g_byte_array_append(loading->bytes, (const guint8 *)piece.at,
			    (guint)MIN(span_size(piece), room));
	return !loading->more;
}

/* At most MAX bytes of a part; *MORE: that was not all.  *BYTES NULL and no error: not here. */
static bool
load_part(Store *store, StoreId message, const char *section, size_t max, GBytes **bytes,
	  bool *more, GError **error)
{
	Loading loading = { g_byte_array_new(), max, false };
	g_autoptr(GError) failed = NULL;

	*bytes = NULL;
	if (!store_part_read(store, message, section, take_piece, &loading, &failed) &&
	    !loading.more) {
		g_byte_array_unref(loading.bytes);
		if (postern_error_is(failed, POSTERN_ERROR_GONE))
			return true;
		g_propagate_error(error, g_steal_pointer(&failed));
		return false;
	}
	*bytes = g_byte_array_free_to_bytes(loading.bytes);
	*more = loading.more;
	return true;
}

static void
add_header(GPtrArray *headers, const char *name, const char *value)
{
	g_autofree char *safe = safe_line(value);

	if (*safe)
		g_ptr_array_add(headers, g_strconcat(name, ": ", safe, NULL));
}

/* From the envelope, so that reading needs no header from the server. */
static GPtrArray *
envelope_headers(const StoreRow *row)
{
	GPtrArray *headers = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *date = view_date_long(row->date, row->zone_min);

	add_header(headers, "From", row->from);
	add_header(headers, "To", row->to);
	add_header(headers, "Cc", row->cc);
	add_header(headers, "Date", date);
	add_header(headers, "Subject", row->subject);
	add_header(headers, "Keywords", row->keywords);
	if (strcmp(row->reply_to, row->from) != 0)
		add_header(headers, "Reply-To", row->reply_to);
	return headers;
}

/* Of a message inside this one, all we know of its header; of other parts, their name. */
static GPtrArray *
part_headers(const MailPart *part)
{
	GPtrArray *headers = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *title = view_part_title(part);

	if (part->from || part->subject) {
		add_header(headers, "From", part->from);
		add_header(headers, "Subject", part->subject);
	} else
		g_ptr_array_add(headers, g_steal_pointer(&title));
	return headers;
}

/* A line for each part that is not shown: what else there is. */
static void
note_unshown(ViewText *text, const ViewMessage *message)
{
	g_autoptr(GPtrArray) parts = mail_part_unshown(message->tree, message->readable);
	guint shown = MIN(parts->len, READABLE_MAX), more = parts->len - shown;

	if (text->parts->len == 0)
		g_ptr_array_add(text->notes, g_strdup(_("There is no text in this message.")));
	for (guint i = 0; i < shown; i++) {
		const MailPart *part = parts->pdata[i];
		g_autofree char *type = safe_line(part->type);
		g_autofree char *name = safe_line(part->name	      ? part->name
						  : part->description ? part->description
								      : part->subject);
		g_autofree char *size = view_size_text(part->size_octets);

		g_ptr_array_add(text->notes,
				g_strdup_printf(_("[part %s: %s%s%s, %s]"), part->section, type,
						*name ? ", " : "", name, size));
	}
	if (more)
		g_ptr_array_add(text->notes,
				g_strdup_printf(P_("[%u more part]", "[%u more parts]", more),
						more));
	if (shown)
		g_ptr_array_add(text->notes, g_strdup(_("v shows and saves attachments")));
}

static bool
add_part(ViewText *text, const ViewMessage *message, Store *store, const MailPart *part,
	 GError **error)
{
	TextPart *item;
	GBytes *bytes = NULL;
	bool more = false;

	if (!load_part(store, text->message, part->section, LITTLE_BYTES - text->little, &bytes,
		       &more, error))
		return false;
	item = g_new0(TextPart, 1);
	item->part = copy_leaf(part);
	item->title = view_part_title(part);
	item->later = more;
	if (more)
		g_clear_pointer(&bytes, g_bytes_unref);
	item->bytes = bytes;
	text->little += bytes ? g_bytes_get_size(bytes) : 0;
	text->heavy = text->heavy || more;
	g_ptr_array_add(text->parts, item);
	return true;
}

ViewText *
view_message_text(const ViewMessage *message, Store *store, const char *why_not, GError **error)
{
	g_autoptr(ViewText) text = g_new0(ViewText, 1);
	g_autoptr(GPtrArray) parts = shown_parts(message);
	bool more;

	text->message = message->row->id;
	text->parts = g_ptr_array_new_with_free_func(free_text_part);
	text->notes = g_ptr_array_new_with_free_func(g_free);
	text->why_not = g_strdup(why_not ? why_not : "");
	if (message->all_headers && !message->only &&
	    !load_part(store, text->message, HEADER_SECTION, HEADER_MAX, &text->raw_header, &more,
		       error))
		return NULL;
	if (only_part(message))
		text->headers = part_headers(only_part(message));
	else if (!text->raw_header)
		text->headers = envelope_headers(message->row);
	for (guint i = 0; i < parts->len; i++)
		if (!add_part(text, message, store, parts->pdata[i], error))
			return NULL;
	if (message->all_headers && !message->only && !text->raw_header)
		g_ptr_array_add(text->notes, g_strdup(text->why_not));
	if (message->guessed)
		g_ptr_array_add(text->notes,
				g_strdup(_("The server's description of this message "
					   "makes no sense; this is its first part.")));
	if (!message->tree)
		g_ptr_array_add(text->notes, g_strdup(text->why_not));
	else if (!message->only && !message->guessed)
		note_unshown(text, message);
	return g_steal_pointer(&text);
}

bool
view_text_is_heavy(const ViewText *text)
{
	return text->heavy;
}

bool
view_text_load(ViewText *text, Store *store, GError **error)
{
	for (guint i = 0; i < text->parts->len; i++) {
		TextPart *part = text->parts->pdata[i];

		if (part->later && !load_part(store, text->message, part->part->section,
					      VIEW_TEXT_MAX, &part->bytes, &part->cut, error))
			return false;
		part->later = false;
	}
	return true;
}

static void
add_line(ViewDocument *document, ViewLineKind kind, const char *line)
{
	view_document_add(document, kind, span_of_string(line));
}

static void
render_headers(const ViewText *text, ViewDocument *document)
{
	if (text->raw_header) {
		g_autofree char *lines = mail_text_headers(text->raw_header, true);

		view_document_add(document, VIEW_LINE_HEADER, span_of_string(lines));
	}
	for (guint i = 0; text->headers && i < text->headers->len; i++)
		add_line(document, VIEW_LINE_HEADER, text->headers->pdata[i]);
}

static void
render_part(const ViewText *text, const TextPart *part, ViewDocument *document)
{
	MailRichLimits limits = { .links_before = view_document_links(document) };
	g_autoptr(MailRich) rich = NULL;
	g_autofree char *note = NULL, *left_out = NULL;

	if (!part->bytes) {
		add_line(document, VIEW_LINE_NOTE, text->why_not);
		return;
	}
	if (part->cut)
		add_line(document, VIEW_LINE_NOTE,
			 _("This part is very big: only its beginning is looked at."));
	rich = mail_rich_render(part->part, part->bytes, &limits, &note);
	if (note) {
		g_autofree char *safe = safe_line(note);

		add_line(document, VIEW_LINE_NOTE, safe);
	}
	view_document_add_rich(document, rich);
	left_out = mail_rich_left_out(rich);
	if (left_out) {
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
		add_line(document, VIEW_LINE_NOTE, left_out);
	}
}

ViewDocument *
view_text_render(const ViewText *text)
{
	ViewDocument *document = view_document_new();

	render_headers(text, document);
	if (text->headers || text->raw_header)
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	for (guint i = 0; i < text->parts->len; i++) {
		const TextPart *part = text->parts->pdata[i];

		if (text->parts->len > 1) {
			if (i > 0)
				view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
			add_line(document, VIEW_LINE_HEADING, part->title);
		}
		render_part(text, part, document);
	}
	view_document_add_targets(document);
	if (text->notes->len > 0 && text->parts->len > 0)
		view_document_add(document, VIEW_LINE_TEXT, SPAN_EMPTY);
	for (guint i = 0; i < text->notes->len; i++)
		add_line(document, VIEW_LINE_NOTE, text->notes->pdata[i]);
	return document;
}

/* ---- the tree of parts ---------------------------------------------------------------------- */

static void
free_part_row(gpointer data)
{
	ViewPart *row = data;

	g_free(row->label);
	g_free(row);
}

typedef struct Level { /* one multipart on the way down */
	const MailPart *part;
	guint next;
} Level;

/* "│ ├─" for each level above. */
static char *
part_label(const GArray *levels, const MailPart *part)
{
	g_autoptr(GString) label = g_string_new(NULL);
	g_autofree char *type = safe_line(part->type);
	g_autofree char *name = safe_line(part->name	      ? part->name
					  : part->description ? part->description
					  : part->subject     ? part->subject
							      : NULL);

	for (guint i = levels->len > INDENT_MAX ? levels->len - INDENT_MAX : 0; i < levels->len;
	     i++) {
		const Level *level = &g_array_index(levels, Level, i);
		bool last = level->next >= level->part->children->len;

		if (i + 1 < levels->len)
			g_string_append(label, last ? "  " : "│ ");
		else
			g_string_append(label, last ? "└─" : "├─");
	}
	g_string_append(label, *name ? name : type);
	if (part->cut)
		g_string_append_printf(label, " %s", _("(more parts than are shown)"));
	return g_string_free(g_steal_pointer(&label), FALSE);
}

/* Depth first, with a stack of our own: how deep it goes is the sender's choice. */
GPtrArray *
view_parts(const MailPart *tree)
{
	GPtrArray *rows = g_ptr_array_new_with_free_func(free_part_row);
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	const MailPart *part = tree;

	while (part && rows->len < VIEW_PARTS_MAX) {
		ViewPart *row = g_new0(ViewPart, 1);

		row->part = part;
		row->label = part_label(levels, part);
		g_ptr_array_add(rows, row);
		if (part->children->len > 0) {
			Level level = { part, 0 };

			g_array_append_val(levels, level);
		}
		part = NULL;
		while (levels->len > 0 && !part) {
			Level *level = &g_array_index(levels, Level, levels->len - 1);

			if (level->next < level->part->children->len)
				part = level->part->children->pdata[level->next++];
			else
				g_array_set_size(levels, levels->len - 1);
		}
	}
	return rows;
}
