/* One frame: the line above, the place, the status line, and the last line for what is said or
 * asked. */
#include "app-private.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "base/safetext.h"
#include "mail/header.h"

#define LINES_MAX 512
/* Of a long notice. */
#define NOTICE_LINES 3
/* Of a queued change's state. */
#define STATE_CELLS 10

/* TEXT in WIDTH cells; where it is cut, it says so. */
static void
put(App *app, int row, int column, int width, const char *text, unsigned style)
{
	Span span = span_of_string(text);

	ui_put(app->screen, row, column, width, span, style);
	if (width > 1 && safe_text_is(span, SAFE_LINE) && safe_text_width(span) > width)
		ui_put(app->screen, row, column + width - 1, 1, SPAN_LITERAL("…"), style);
}

static int
width_of(const char *text)
{
	return safe_text_width(span_of_string(text));
}

static void
put_right(App *app, int row, int end, const char *text, unsigned style)
{
	int width = width_of(text);

	ui_put(app->screen, row, end - width, width, span_of_string(text), style);
}

/* ---- the line above ------------------------------------------------------------------------- */

static char *
list_title(const App *app)
{
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;
	g_autofree char *folder = safe_line(app->folder);
	g_autofree char *account = safe_line(app->account->name);
	g_autofree char *name = app->options->config->accounts->len > 1 && !app->options->account
				    ? g_strdup_printf("%s: %s", account, folder)
				    : g_strdup(folder);
	int64_t total, unread;

	if (!mailbox)
		return g_steal_pointer(&name);
	view_folder_counts(mailbox, &total, &unread);
	if (total < 0)
		return g_steal_pointer(&name);
	if (unread > 0)
		return g_strdup_printf(P_("%s  %" PRId64 " message, %" PRId64 " unread",
					  "%s  %" PRId64 " messages, %" PRId64 " unread",
					  (unsigned long)total),
				       name, total, unread);
	return g_strdup_printf(P_("%s  %" PRId64 " message", "%s  %" PRId64 " messages",
				  (unsigned long)total),
			       name, total);
}

static char *
title(const App *app)
{
	switch (app_place(app)) {
	case VIEW_PLACE_LIST:
		return list_title(app);
	case VIEW_PLACE_MESSAGE:
	case VIEW_PLACE_PARTS:
		return safe_line(view_message_row(app->message)->subject);
	case VIEW_PLACE_HELP:
		return g_strdup(app->help_title);
	case VIEW_PLACE_FOLDERS:
	case VIEW_PLACE_QUEUE:
		break;
	}
	return g_strdup(view_place_title(app_place(app)));
}

/* "q:quit  ?:help", as many as there is room for, from the command table. */
static char *
hints(const App *app, int room)
{
	static const ViewVerb verbs[] = {
		VIEW_DO_HELP,	VIEW_DO_BACK, VIEW_DO_QUIT,  VIEW_DO_RETRY,	    VIEW_DO_DROP,
		VIEW_DO_DELETE, VIEW_DO_UNDO, VIEW_DO_SAVE,  VIEW_DO_MARK,	    VIEW_DO_FOLDERS,
		VIEW_DO_OPEN,	VIEW_DO_MOVE, VIEW_DO_PARTS, VIEW_DO_CHANGE_FOLDER,
	};
	g_autoptr(GPtrArray) commands = view_keymap_commands(app->keymap, app_place(app));
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		for (guint j = 0; j < commands->len; j++) {
			const ViewCommand *c = commands->pdata[j];
			g_autofree char *keys = NULL;
			int key, size;

			if (c->verb != verbs[i])
				continue;
			keys = view_keymap_keys(app->keymap, app_place(app), c);
			key = (int)strcspn(keys, " ");
			size = key + (int)strlen(c->name) + 3;
			if (key && (int)text->len + size <= room)
				g_string_append_printf(text, "%s%.*s:%s", text->len ? "  " : "",
						       key, keys, c->name);
		}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
draw_title(App *app)
{
	int width = screen_columns(app->screen);
	g_autofree char *text = title(app);
	int used = MIN(width_of(text), MAX(width - 20, width * 2 / 3));
	g_autofree char *help = hints(app, width - used - 4);

	ui_put(app->screen, 0, 0, width, SPAN_EMPTY, VIEW_STYLE_BAR);
	put(app, 0, 1, MAX(width - 2 - width_of(help) - (*help ? 2 : 0), 1), text, VIEW_STYLE_BAR);
	put_right(app, 0, width - 1, help, VIEW_STYLE_BAR);
}

/* ---- the message list ----------------------------------------------------------------------- */

typedef struct Columns {
	int date, from, size, subject; /* where they begin; size 0: not shown */
	int date_width, from_width;
	bool wide;
} Columns;

#define FLAGS_CELLS	4
#define DATE_CELLS	8
#define DATE_CELLS_WIDE 12
#define SIZE_CELLS	5

static Columns
list_columns(int width)
{
	Columns columns = { .date = FLAGS_CELLS, .wide = width >= 100 };

	columns.date_width = columns.wide ? DATE_CELLS_WIDE : DATE_CELLS;
	columns.from = columns.date + columns.date_width + 1;
	columns.from_width = CLAMP(width / 4, 10, 30);
	columns.subject = columns.from + columns.from_width + 1;
	if (width >= 60) {
		columns.size = columns.subject;
		columns.subject += SIZE_CELLS + 2;
	}
	return columns;
}

static void
flags_text(const StoreRow *row, bool marked, char text[FLAGS_CELLS])
{
	text[0] = row->flags & STORE_FLAG_DELETED    ? 'D'
		  : !(row->flags & STORE_FLAG_SEEN)  ? 'N'
		  : row->flags & STORE_FLAG_ANSWERED ? 'r'
						     : ' ';
	text[1] = marked ? '*' : row->flags & STORE_FLAG_FLAGGED ? '!' : ' ';
	text[2] = row->flags & STORE_FLAG_ATTACHMENT ? '@' : ' ';
	text[3] = '\0';
}

/* Whom a list names: the sender, and in folders of one's own mail the recipient. */
static char *
person_text(const StoreMailbox *mailbox, const StoreRow *row)
{
	bool own = mailbox->role == STORE_ROLE_SENT || mailbox->role == STORE_ROLE_DRAFTS;
	g_autofree char *name = mail_address_short(own ? row->to : row->from);
	g_autofree char *safe = safe_line(name);

	return own ? g_strdup_printf(_("To %s"), safe) : g_steal_pointer(&safe);
}

static unsigned
row_style(const StoreRow *row, bool marked)
{
	if (marked)
		return VIEW_STYLE_TAGGED;
	if (!(row->flags & STORE_FLAG_SEEN))
		return VIEW_STYLE_UNREAD;
	return row->flags & STORE_FLAG_FLAGGED ? VIEW_STYLE_FLAGGED : VIEW_STYLE_NORMAL;
}

/* Each in its own colour, where the theme has one.  Returns the cells taken, with a blank behind. */
static int
draw_keywords(App *app, int y, int at, int room, const char *keywords, unsigned style)
{
	g_auto(GStrv) list = g_strsplit(keywords, " ", -1);
	unsigned selected = style & UI_IS_SELECTED;
	int used = 0;

	for (char **keyword = list; *keyword && used < room; keyword++) {
		g_autofree char *safe = safe_line(*keyword);
		int width = MIN(width_of(safe), room - used);
		ViewLook look;

		if (!**keyword)
			continue;
		if (view_theme_tag(app->theme, *keyword, screen_colours(app->screen), &look))
			ui_put_look(app->screen, y, at + used, width, span_of_string(safe), &look,
				    selected);
		else
			put(app, y, at + used, width, safe, VIEW_STYLE_KEYWORD | selected);
		used += width + 1;
	}
	return used;
}

static void
draw_list_row(App *app, int y, const StoreRow *row, bool selected, GDateTime *now)
{
	int width = screen_columns(app->screen);
	Columns columns = list_columns(width);
	unsigned style =
	    row_style(row, change_is_marked(app, row->id)) | (selected ? UI_IS_SELECTED : 0);
	g_autofree char *date = view_date_text(row->date, now, columns.wide);
	g_autofree char *person = person_text(view_list_mailbox(app->list), row);
	g_autofree char *subject = safe_line(row->subject);
	g_autofree char *size = view_size_text(row->size);
	int at;
	char flags[FLAGS_CELLS];

	flags_text(row, change_is_marked(app, row->id), flags);
	ui_put(app->screen, y, 0, width, span_of_string(flags), style);
	put(app, y, columns.date, columns.date_width, date, style);
	put(app, y, columns.from, columns.from_width, person, style);
	if (columns.size)
		put_right(app, y, columns.size + SIZE_CELLS, size, style);
	at = columns.subject;
	at += draw_keywords(app, y, at, MAX((width - at) / 3, 0), row->keywords, style);
	if (at < width)
		put(app, y, at, width - at, *subject ? subject : _("(no subject)"), style);
}

/* The words on an empty list: why it is. */
static char *
empty_text(const App *app)
{
	g_autofree char *folder = safe_line(app->folder);
	const StoreMailbox *mailbox = app->list ? view_list_mailbox(app->list) : NULL;

	if (app->open_error)
		return g_strdup_printf(_("%s could not be opened: %s"), folder, app->open_error);
	if (app->open_request)
		return g_strdup_printf(_("Opening %s..."), folder);
	if (mailbox && (mailbox->known_from_uid == 1 || mailbox->server_total == 0))
		return g_strdup(_("There are no messages here."));
	if (app->engine && !app->options->offline)
		return g_strdup_printf(_("Nothing of %s is here yet."), folder);
	return g_strdup_printf(_("%s was never read while connected."), folder);
}

static void
draw_list(App *app)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	const ViewCursor *cursor = app->list ? view_list_cursor(app->list) : NULL;
	const StoreRow *row;

	if (!cursor || cursor->total == 0) {
		g_autofree char *text = empty_text(app);

		put(app, 2, 1, screen_columns(app->screen) - 2, text, VIEW_STYLE_NOTE);
		return;
	}
	for (uint32_t i = 0; i < cursor->rows && (row = view_list_row(app->list, i)); i++) {
		bool selected = cursor->top + i == cursor->at;

		draw_list_row(app, 1 + (int)i, row, selected, now);
		if (selected)
			screen_cursor(app->screen, 1 + (int)i, 0, false);
	}
}

/* ---- folders -------------------------------------------------------------------------------- */

static void
draw_count(App *app, int y, int end, int64_t count, unsigned style)
{
	g_autofree char *text =
	    count < 0 ? g_strdup("?") : g_strdup_printf("%" G_GINT64_FORMAT, count);

	put_right(app, y, end, text, style);
}

static void
draw_folder(App *app, int y, const ViewFolder *folder, bool selected)
{
	int width = screen_columns(app->screen);
	int counts = width >= 60 ? 20 : 16, indent = 1 + MIN(folder->depth * 2, width / 3);
	unsigned style =
	    (folder->unread > 0 || !folder->mailbox ? VIEW_STYLE_UNREAD : VIEW_STYLE_NORMAL) |
	    (selected ? UI_IS_SELECTED : 0);

	ui_put(app->screen, y, 0, width, SPAN_EMPTY, style);
	put(app, y, indent, width - counts - indent, folder->label, style);
	if (!folder->mailbox || !folder->selectable)
		return;
	draw_count(app, y, width - counts / 2, folder->unread, style);
	draw_count(app, y, width - 1, folder->total, style);
}

static void
draw_folders(App *app)
{
	const ViewCursor *cursor = app->folders ? view_folders_cursor(app->folders) : NULL;
	int width = screen_columns(app->screen), counts = width >= 60 ? 20 : 16;

	if (!cursor || cursor->total == 0) {
		put(app, 2, 1, width - 2, _("No folders are known yet."), VIEW_STYLE_NOTE);
		return;
	}
	put(app, 1, 1, width - counts - 8, _("Folder"), VIEW_STYLE_HEADER);
	put_right(app, 1, width - counts / 2, _("Unread"), VIEW_STYLE_HEADER);
	put_right(app, 1, width - 1, _("Total"), VIEW_STYLE_HEADER);
	for (uint32_t i = 0; i < cursor->rows; i++) {
		const ViewFolder *folder = view_folders_row(app->folders, cursor->top + i);

		if (!folder)
			break;
		draw_folder(app, 2 + (int)i, folder, cursor->top + i == cursor->at);
		if (cursor->top + i == cursor->at)
			screen_cursor(app->screen, 2 + (int)i, 0, false);
	}
}

/* ---- texts ---------------------------------------------------------------------------------- */

static unsigned
line_style(const ViewLine *line)
{
	switch (line->kind) {
	case VIEW_LINE_HEADER:
		return VIEW_STYLE_HEADER;
	case VIEW_LINE_NOTE:
		return VIEW_STYLE_NOTE;
	case VIEW_LINE_HEADING:
		return VIEW_STYLE_HEADING;
	case VIEW_LINE_QUOTE:
		return VIEW_STYLE_QUOTE_1 + (unsigned)MAX(line->quote - 1, 0) % 4;
	case VIEW_LINE_TEXT:
	case VIEW_LINE_RULE:
		break;
	}
	return VIEW_STYLE_NORMAL;
}

/* Every look that a span can have; of two, the later one gives the colour. */
static unsigned
span_style(const ViewSpan *span, unsigned style)
{
	static const struct {
		MailStyle look;
		unsigned kind, flags;
	} looks[] = {
		{ MAIL_STYLE_BOLD, 0, UI_IS_BOLD },
		{ MAIL_STYLE_ITALIC, 0, UI_IS_ITALIC },
		{ MAIL_STYLE_UNDERLINE, 0, UI_IS_UNDERLINED },
		{ MAIL_STYLE_STRIKE, 0, UI_IS_DIM },
		{ MAIL_STYLE_CODE, VIEW_STYLE_CODE, 0 },
		{ MAIL_STYLE_LINK, VIEW_STYLE_LINK, 0 },
		{ MAIL_STYLE_NUMBER, 0, UI_IS_DIM },
		{ MAIL_STYLE_WARNING, VIEW_STYLE_ERROR, 0 },
		{ MAIL_STYLE_MARKER, 0, UI_IS_BOLD },
		{ MAIL_STYLE_PICTURE, VIEW_STYLE_NOTE, 0 },
		{ MAIL_STYLE_ADDED, VIEW_STYLE_DIFF_ADDED, 0 },
		{ MAIL_STYLE_REMOVED, VIEW_STYLE_DIFF_REMOVED, 0 },
		{ MAIL_STYLE_DIFF, VIEW_STYLE_DIFF_PLACE, 0 },
		{ MAIL_STYLE_SIGNATURE, VIEW_STYLE_SIGNATURE, 0 },
	};
	unsigned kind = style & (UI_IS_SELECTED - 1), flags = style - kind;

	if (span->colour != MAIL_COLOUR_NONE)
		flags |=
		    UI_COLOUR(1 + span->colour - MAIL_COLOUR_RED); /* as the terminals count them */
	for (size_t i = 0; i < G_N_ELEMENTS(looks); i++)
		if (span->style & looks[i].look) {
			kind = looks[i].kind ? looks[i].kind : kind;
			flags |= looks[i].flags;
		}
	return kind | flags;
}

/* The spans of a line over the line itself; a TAB is as wide as its column says. */
static void
draw_spans(App *app, int y, const ViewLine *line, unsigned style)
{
	int width = screen_columns(app->screen), x = 0;
	const char *at = line->text.at;

	for (size_t i = 0; i < line->n_spans; i++) {
		const ViewSpan *span = &line->spans[i];
		const char *end = line->text.at + span->end;

		while (at < end) {
			Span run = { at, at };
			int from = x;

			while (
			    run.end < end && *run.end != '\t' &&
			    (at >= line->text.at + span->at || run.end < line->text.at + span->at))
				x += safe_text_cluster((Span){ run.end, line->text.end }, &run.end);
			if (at >= line->text.at + span->at)
				ui_put(app->screen, y, line->indent + from,
				       MIN(x - from, width - line->indent - from), run,
				       span_style(span, style));
			at = run.end;
			if (at < end && *at == '\t') {
				x += 8 - x % 8;
				at++;
			}
		}
	}
}

static void
draw_pager(App *app, const ViewPager *pager)
{
	ViewLine lines[LINES_MAX];
	size_t n = view_pager_lines(pager, lines, (size_t)MIN(app_body_rows(app), LINES_MAX));
	int width = screen_columns(app->screen);

	for (size_t i = 0; i < n; i++) {
		unsigned style = line_style(&lines[i]);

		ui_put(app->screen, 1 + (int)i, 0, lines[i].indent, lines[i].prefix, style);
		ui_put(app->screen, 1 + (int)i, lines[i].indent, width - lines[i].indent,
		       lines[i].text, style);
		draw_spans(app, 1 + (int)i, &lines[i], style);
	}
	screen_cursor(app->screen, 1, 0, false);
}

/* Section, name in its tree, type, size; in a narrow window only what matters. */
static void
draw_part(App *app, int y, const ViewPart *row, unsigned style)
{
	int width = screen_columns(app->screen);
	int section_width = width >= 60 ? 10 : 0,
	    type_width = width >= 60 ? CLAMP(width / 4, 18, 40) : 0;
	int label = 1 + section_width, size = width - 1 - SIZE_CELLS;
	int type = size - type_width;
	g_autofree char *size_text = view_size_text(row->part->size_octets);
	g_autofree char *section = safe_line(row->part->section);
	g_autofree char *type_text = safe_line(row->part->type);

	ui_put(app->screen, y, 0, width, SPAN_EMPTY, style);
	put(app, y, 1, section_width - 1, section, style);
	put(app, y, label, type - label - 1, row->label, style);
	put(app, y, type, type_width - 1, type_text, style);
	if (row->part->size_octets > 0)
		put_right(app, y, width - 1, size_text, style);
}

static void
draw_parts(App *app)
{
	const ViewCursor *cursor = &app->parts_cursor;

	for (uint32_t i = 0; i < cursor->rows && cursor->top + i < cursor->total; i++) {
		bool selected = cursor->top + i == cursor->at;

		draw_part(app, 1 + (int)i, app->parts->pdata[cursor->top + i],
			  selected ? UI_IS_SELECTED : VIEW_STYLE_NORMAL);
		if (selected)
			screen_cursor(app->screen, 1 + (int)i, 0, false);
	}
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void
draw_queue(App *app)
{
	const ViewCursor *cursor = view_queue_cursor(app->queue);
	int width = screen_columns(app->screen);

	if (cursor->total == 0)
		put(app, 2, 1, width - 2, _("Nothing waits: all of it is done on the server."),
		    VIEW_STYLE_NOTE);
	for (uint32_t i = 0; i < cursor->rows; i++) {
		const ViewQueued *queued = view_queue_row(app->queue, cursor->top + i);
		bool selected = cursor->top + i == cursor->at;
		g_autofree char *text = NULL;

		if (!queued)
			break;
		text = g_strdup_printf("%s%s%s", queued->text, queued->error ? ": " : "",
				       queued->error ? queued->error : "");
		ui_put(app->screen, 1 + (int)i, 0, width, SPAN_EMPTY,
		       selected ? UI_IS_SELECTED : VIEW_STYLE_NORMAL);
		put(app, 1 + (int)i, 1, STATE_CELLS - 1, view_queue_state(queued->state),
		    (queued->state == STORE_ROW_FAILED ? VIEW_STYLE_ERROR : VIEW_STYLE_NOTE) |
			(selected ? UI_IS_SELECTED : 0));
		put(app, 1 + (int)i, 1 + STATE_CELLS, width - 1 - STATE_CELLS, text,
		    selected ? UI_IS_SELECTED : VIEW_STYLE_NORMAL);
		if (selected)
			screen_cursor(app->screen, 1 + (int)i, 0, false);
	}
}

/* ---- the lines below ------------------------------------------------------------------------- */

static char *
position(const App *app)
{
	const ViewCursor *cursor = NULL;
	g_autofree char *where = NULL;

	switch (app_place(app)) {
	case VIEW_PLACE_FOLDERS:
		cursor = app->folders ? view_folders_cursor(app->folders) : NULL;
		break;
	case VIEW_PLACE_LIST:
	case VIEW_PLACE_MESSAGE:
		cursor = app->list ? view_list_cursor(app->list) : NULL;
		break;
	case VIEW_PLACE_PARTS:
		cursor = &app->parts_cursor;
		break;
	case VIEW_PLACE_QUEUE:
		cursor = view_queue_cursor(app->queue);
		break;
	case VIEW_PLACE_HELP:
		return g_strdup_printf("%d%%", view_pager_percent(app->help));
	}
	where = cursor && cursor->total
		    ? view_position_text((uint64_t)cursor->at + 1, cursor->total)
		    : view_position_text(0, 0);
	if (app_place(app) != VIEW_PLACE_MESSAGE)
		return g_steal_pointer(&where);
	return g_strdup_printf("%s  %d%%", where, view_pager_percent(read_pager((App *)app)));
}

/* While Tab finds several, they stand where the status was. */
static char *
candidates_text(const App *app)
{
	const GPtrArray *candidates = app->prompt ? view_prompt_candidates(app->prompt) : NULL;
	g_autoptr(GString) text = NULL;

	if (!candidates)
		return NULL;
	if (!candidates->len)
		return g_strdup(_("nothing begins like this"));
	text = g_string_new(NULL);
	for (guint i = 0; i < candidates->len && text->len < 1000; i++)
		g_string_append_printf(text, "%s%s", i ? "  " : "", (char *)candidates->pdata[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What waits for the server, and what is tagged: ", 3 waiting, 1 failed, 2 tagged". */
static char *
burden(const App *app)
{
	g_autoptr(GString) text = g_string_new(NULL);
	uint32_t marked = change_marked(app);

	if (app->waiting)
		g_string_append_printf(text, P_(", %u waiting", ", %u waiting", app->waiting),
				       app->waiting);
	if (app->failed)
		g_string_append_printf(text, P_(", %u failed", ", %u failed", app->failed),
				       app->failed);
	if (marked)
		g_string_append_printf(text, P_(", %u tagged", ", %u tagged", marked), marked);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Of the message on show; its keywords are among the headers. */
static const char *
message_marks(const App *app)
{
	uint16_t flags = app_place(app) == VIEW_PLACE_MESSAGE
			     ? view_message_row(app->message)->flags
			     : STORE_FLAG_SEEN;

	if (flags & STORE_FLAG_FLAGGED)
		return flags & STORE_FLAG_SEEN ? _("important") : _("important, unread");
	return flags & STORE_FLAG_SEEN ? "" : _("unread");
}

static void
draw_status(App *app)
{
	int y = screen_rows(app->screen) - 2, width = screen_columns(app->screen);
	g_autofree char *status = view_status_text(app_status(app), g_get_monotonic_time());
	g_autofree char *more = burden(app);
	/* What waits goes first where the line's own words would push it off. */
	g_autofree char *line = *more && width_of(status) > width / 2
				    ? g_strdup_printf("%s, %s", more + strlen(", "), status)
				    : g_strconcat(status, more, NULL);
	g_autofree char *saving = save_progress(app), *reading = read_progress(app);
	g_autofree char *where = position(app);
	const char *marks = message_marks(app);
	g_autofree char *candidates = candidates_text(app);
	g_autofree char *text = candidates ? g_strdup(candidates)
				: reading  ? g_strdup_printf("%s, %s", line, reading)
				: saving   ? g_strdup_printf("%s, %s", line, saving)
					   : g_strdup(line);
	int room = width - 2 - width_of(where) - 2;
	int marks_width = MIN(width_of(marks), width / 3);

	ui_put(app->screen, y, 0, width, SPAN_EMPTY, VIEW_STYLE_BAR);
	if (marks_width > 0 && room > marks_width + 2) {
		put(app, y, 1 + room - marks_width, marks_width, marks, VIEW_STYLE_BAR);
		room -= marks_width + 2;
	}
	if (room > 0)
		put(app, y, 1, room, text, VIEW_STYLE_BAR);
	put_right(app, y, width - 1, where, VIEW_STYLE_BAR);
}

/* The end of a sentence is where it says what to do: one too long for the last line stands on several
 * above the status line. */
static void
draw_notice(App *app, const char *text, bool is_error)
{
	int rows = screen_rows(app->screen), width = screen_columns(app->screen), n = 0;
	int room = MIN(NOTICE_LINES, rows - 4);
	unsigned style = is_error ? VIEW_STYLE_ERROR : VIEW_STYLE_NOTE;
	Span rest = span_of_string(text), at[NOTICE_LINES];

	if (width_of(text) <= width || room < 2) {
		put(app, rows - 1, 0, width, text, style);
		return;
	}
	while (n < room && !span_is_empty(rest))
		at[n++] = view_wrap(&rest, width);
	for (int i = 0; i < n; i++)
		ui_put(app->screen, rows - 2 - n + i, 0, width, at[i], style);
	if (!span_is_empty(rest))
		put(app, rows - 1, 0, width, _("(! shows all of it)"), style);
}

/* Why the change that is selected failed: in its own line there is no room for that. */
static void
draw_reason(App *app)
{
	const ViewQueued *queued =
	    app_place(app) == VIEW_PLACE_QUEUE ? view_queue_selected(app->queue) : NULL;

	if (queued && queued->error)
		draw_notice(app, queued->error, true);
}

static void
draw_last_line(App *app)
{
	int y = screen_rows(app->screen) - 1, width = screen_columns(app->screen), x;

	if (app->question) {
		int size = width_of(app->question);
		const char *end = app->question;
		Span shown = span_of_string(app->question);

		/* What is asked stands at its end: of one too long, show that. */
		for (; size > width - 1 && end < shown.end; size = safe_text_width(shown)) {
			safe_text_cluster(shown, &end);
			shown.at = end;
		}
		ui_put(app->screen, y, 0, width, shown, VIEW_STYLE_NOTE);
		screen_cursor(app->screen, y, size, true);
	} else if (app->prompt) {
		g_autofree char *shown = view_prompt_window(app->prompt, width, &x);

		ui_put(app->screen, y, 0, width, span_of_string(shown), VIEW_STYLE_NORMAL);
		screen_cursor(app->screen, y, x, true);
	} else if (app->notice) {
		draw_notice(app, app->notice, app->notice_is_error);
	} else if (*view_keymap_typed(app->keymap)) {
		put_right(app, y, width - 1, view_keymap_typed(app->keymap), VIEW_STYLE_NOTE);
	} else {
		draw_reason(app);
	}
}

void
draw_layout(App *app)
{
	int rows = app_body_rows(app), width = screen_columns(app->screen);

	if (app->list)
		view_list_resize(app->list, (uint32_t)rows);
	if (app->folders) {
		ViewCursor *cursor = view_folders_cursor(app->folders);

		cursor->rows = (uint32_t)MAX(rows - 1, 1);
		view_cursor_fit(cursor);
	}
	if (app->queue) {
		ViewCursor *cursor = view_queue_cursor(app->queue);

		cursor->rows = (uint32_t)rows;
		view_cursor_fit(cursor);
	}
	app->parts_cursor.rows = (uint32_t)rows;
	view_cursor_fit(&app->parts_cursor);
	view_pager_resize(app->pager, width, rows);
	view_pager_resize(app->part_pager, width, rows);
	view_pager_resize(app->help, width, rows);
}

void
draw_frame(App *app)
{
	screen_clear(app->screen);
	draw_title(app);
	switch (app_place(app)) {
	case VIEW_PLACE_FOLDERS:
		draw_folders(app);
		break;
	case VIEW_PLACE_LIST:
		draw_list(app);
		break;
	case VIEW_PLACE_MESSAGE:
		draw_pager(app, read_pager(app));
		break;
	case VIEW_PLACE_PARTS:
		draw_parts(app);
		break;
	case VIEW_PLACE_HELP:
		draw_pager(app, app->help);
		break;
	case VIEW_PLACE_QUEUE:
		draw_queue(app);
		break;
	}
	draw_status(app);
	draw_last_line(app);
	screen_show(app->screen);
}
