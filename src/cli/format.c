#include "cli/format.h"

#include "base/i18n.h"
#include "base/safetext.h"
#include "mail/header.h"

#include <inttypes.h>

enum {
	SENDER_WIDTH = 22,
	DEPTH_MAX = 64, /* of a tree shown; the parser's own limit is of this order */
};

/* ---- small things ----------------------------------------------------------------------------- */

char *
cli_date(int64_t seconds, int zone_min)
{
	g_autoptr(GDateTime) date = NULL;
	int zone = ABS(zone_min) < 24 * 60 ? zone_min : 0;

	if (seconds > INT64_MAX / 2 || seconds < INT64_MIN / 2) /* room for the zone */
		return NULL;
	date = g_date_time_new_from_unix_utc(seconds + zone * 60);
	if (!date)
		return NULL;
	return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d",
			       g_date_time_get_year(date), g_date_time_get_month(date),
			       g_date_time_get_day_of_month(date), g_date_time_get_hour(date),
			       g_date_time_get_minute(date), g_date_time_get_second(date),
			       zone < 0 ? '-' : '+', ABS(zone) / 60, ABS(zone) % 60);
}

static char *
row_date(const StoreRow *row)
{
	return row->date || row->received ? cli_date(row->date, row->zone_min) : NULL;
}

static const char *
role_name(StoreMailboxRole role)
{
	static const char *const names[] = {
		[STORE_ROLE_INBOX] = "inbox",	      [STORE_ROLE_DRAFTS] = "drafts",
		[STORE_ROLE_SENT] = "sent",	      [STORE_ROLE_ARCHIVE] = "archive",
		[STORE_ROLE_JUNK] = "junk",	      [STORE_ROLE_TRASH] = "trash",
		[STORE_ROLE_FLAGGED] = "flagged",     [STORE_ROLE_ALL] = "all",
		[STORE_ROLE_IMPORTANT] = "important",
	};

	return (size_t)role < G_N_ELEMENTS(names) ? names[role] : NULL;
}

static int64_t
known_count(const StoreMailbox *mailbox, int64_t server, uint32_t mirror)
{
	if (!mailbox->selectable)
		return -1;
	if (server >= 0)
		return server;
	return mailbox->known_from_uid == 1 || mailbox->created ? (int64_t)mirror : -1;
}

int64_t
cli_mailbox_total(const StoreMailbox *mailbox)
{
	return known_count(mailbox, mailbox->server_total, mailbox->total);
}

int64_t
cli_mailbox_unread(const StoreMailbox *mailbox)
{
	return known_count(mailbox, mailbox->server_unread, mailbox->unread);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void
add_line(JsonBuilder *builder, GString *out)
{
	g_autoptr(JsonNode) root = json_builder_get_root(builder);
	g_autoptr(JsonGenerator) generator = json_generator_new();

	json_generator_set_root(generator, root);
	json_generator_to_gstring(generator, out);
	g_string_append_c(out, '\n');
}

static void
add_null(JsonBuilder *builder, const char *name)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_null_value(builder);
}

/* NULL gives null.  Through the door. */
static void
add_string(JsonBuilder *builder, const char *name, const char *text)
{
	g_autofree char *safe = text ? safe_line(text) : NULL;

	if (!safe) {
		add_null(builder, name);
		return;
	}
	json_builder_set_member_name(builder, name);
	json_builder_add_string_value(builder, safe);
}

/* For what a message need not have. */
static void
add_string_or_null(JsonBuilder *builder, const char *name, const char *text)
{
	add_string(builder, name, text && *text ? text : NULL);
}

/* Below zero gives null. */
static void
add_number(JsonBuilder *builder, const char *name, int64_t number)
{
	if (number < 0) {
		add_null(builder, name);
		return;
	}
	json_builder_set_member_name(builder, name);
	json_builder_add_int_value(builder, number);
}

static void
add_bool(JsonBuilder *builder, const char *name, bool value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_boolean_value(builder, value);
}

void
cli_json_mailbox(GString *out, const char *account, const StoreMailbox *mailbox)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	char delimiter[2] = { mailbox->delimiter, '\0' };

	json_builder_begin_object(builder);
	add_string(builder, "account", account);
	add_string(builder, "name", mailbox->name);
	add_string_or_null(builder, "delimiter", delimiter);
	add_string(builder, "role", role_name(mailbox->role));
	add_number(builder, "total", cli_mailbox_total(mailbox));
	add_number(builder, "unread", cli_mailbox_unread(mailbox));
	add_bool(builder, "subscribed", mailbox->subscribed);
	if (mailbox->gone)
		add_bool(builder, "gone", true);
	json_builder_end_object(builder);
	add_line(builder, out);
}

static const struct {
	uint16_t flag;
	const char *name;
	char letter;
} flag_names[] = {
	{ STORE_FLAG_SEEN, "\\Seen", 0 },	  { STORE_FLAG_ANSWERED, "\\Answered", 'r' },
	{ STORE_FLAG_FLAGGED, "\\Flagged", '!' }, { STORE_FLAG_DELETED, "\\Deleted", 'D' },
	{ STORE_FLAG_DRAFT, "\\Draft", 'd' },	  { STORE_FLAG_RECENT, "\\Recent", 0 },
};

static void
add_flags(JsonBuilder *builder, const StoreRow *row)
{
	g_auto(GStrv) keywords = g_strsplit(row->keywords, " ", -1);

	json_builder_set_member_name(builder, "flags");
	json_builder_begin_array(builder);
	for (size_t i = 0; i < G_N_ELEMENTS(flag_names); i++)
		if (row->flags & flag_names[i].flag)
			json_builder_add_string_value(builder, flag_names[i].name);
	json_builder_end_array(builder);
	json_builder_set_member_name(builder, "keywords");
	json_builder_begin_array(builder);
	for (char **keyword = keywords; *keyword; keyword++) {
		g_autofree char *safe = safe_line(*keyword);

		if (*safe)
			json_builder_add_string_value(builder, safe);
	}
	json_builder_end_array(builder);
}

static void
add_row(JsonBuilder *builder, const StoreRow *row)
{
	g_autofree char *date = row_date(row);

	add_number(builder, "uid", row->uid ? (int64_t)row->uid : -1);
	add_number(builder, "id", row->id);
	add_flags(builder, row);
	add_string(builder, "date", date);
	add_string(builder, "from", row->from);
	add_string(builder, "to", row->to);
	add_string(builder, "subject", row->subject);
	add_number(builder, "size", (int64_t)MIN(row->size, (uint64_t)INT64_MAX));
	add_string_or_null(builder, "message_id", row->message_id);
	add_null(builder, "thread");
	add_number(builder, "attachments", row->attachments);
}

void
cli_json_row(GString *out, const StoreRow *row)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	json_builder_begin_object(builder);
	add_row(builder, row);
	json_builder_end_object(builder);
	add_line(builder, out);
}

static void
add_part(JsonBuilder *builder, const MailPart *part, int depth)
{
	json_builder_begin_object(builder);
	add_string(builder, "section", part->section);
	add_string(builder, "type", part->type);
	add_string_or_null(builder, "name", part->name);
	add_string_or_null(builder, "encoding", part->encoding);
	add_number(builder, "size",
		   part->children->len && !part->size_octets
		       ? -1
		       : (int64_t)MIN(part->size_octets, (uint64_t)INT64_MAX));
	json_builder_set_member_name(builder, "parts");
	json_builder_begin_array(builder);
	for (unsigned i = 0; i < part->children->len && depth < DEPTH_MAX; i++)
		add_part(builder, part->children->pdata[i], depth + 1);
	json_builder_end_array(builder);
	json_builder_end_object(builder);
}

void
cli_json_structure(GString *out, const MailPart *root)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	add_part(builder, root, 0);
	add_line(builder, out);
}

void
cli_json_message(GString *out, const StoreRow *row, const char *text, GPtrArray *notes,
		 const MailPart *root)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();

	json_builder_begin_object(builder);
	add_row(builder, row);
	json_builder_set_member_name(builder, "text");
	json_builder_add_string_value(builder, text);
	json_builder_set_member_name(builder, "notes");
	json_builder_begin_array(builder);
	for (unsigned i = 0; i < notes->len; i++)
		json_builder_add_string_value(builder, notes->pdata[i]);
	json_builder_end_array(builder);
	json_builder_set_member_name(builder, "parts");
	add_part(builder, root, 0);
	json_builder_end_object(builder);
	add_line(builder, out);
}

/* The next field of HEADER, folded lines and all; false at its end (RFC 5322, 2.2.3). */
static bool
take_field(Span *header, Span *name, Span *value)
{
	while (!span_is_empty(*header)) {
		const char *end = header->at, *colon;
		Span field;

		do {
			end = memchr(end, '\n', (size_t)(header->end - end));
			end = end ? end + 1 : header->end;
		} while (end < header->end && (*end == ' ' || *end == '\t'));
		field = (Span){ header->at, end };
		header->at = end;
		colon = memchr(field.at, ':', span_size(field));
		if (!colon) /* the blank line, or no field at all */
			continue;
		*name = (Span){ field.at, colon };
		*value = (Span){ colon + 1, field.end };
		while (value->at < value->end && g_ascii_isspace(*value->at))
			value->at++;
		while (value->end > value->at && g_ascii_isspace(value->end[-1]))
			value->end--;
		return true;
	}
	return false;
}

void
cli_json_headers(GString *out, const StoreRow *row, Span header)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(GString) decoded = g_string_new(NULL);
	Span name, value;

	json_builder_begin_object(builder);
	add_number(builder, "uid", row->uid ? (int64_t)row->uid : -1);
	add_number(builder, "id", row->id);
	json_builder_set_member_name(builder, "headers");
	json_builder_begin_array(builder);
	while (take_field(&header, &name, &value)) {
		g_autofree char *word = span_dup(name);

		g_string_truncate(decoded, 0);
		mail_header_decode(value, NULL, decoded);
		json_builder_begin_object(builder);
		add_string(builder, "name", g_strstrip(word));
		add_string(builder, "value", decoded->str);
		json_builder_end_object(builder);
	}
	json_builder_end_array(builder);
	json_builder_end_object(builder);
	add_line(builder, out);
}

/* ---- text ------------------------------------------------------------------------------------- */

void
cli_append_cell(GString *out, const char *text, int width, bool is_last)
{
	Span rest = span_of_string(text);
	int used = 0;
	bool fits = safe_text_width(rest) <= width;

	while (!span_is_empty(rest)) {
		const char *next;
		int cells = safe_text_cluster(rest, &next);

		if (used + cells > width - (fits ? 0 : 1))
			break;
		g_string_append_len(out, rest.at, next - rest.at);
		used += cells;
		rest.at = next;
	}
	if (!fits && width > 0) {
		g_string_append(out, "\xe2\x80\xa6");
		used++;
	}
	if (!is_last && used < width)
		g_string_append_printf(out, "%*s", width - used, "");
}

static void
append_count(GString *out, int64_t count)
{
	if (count < 0)
		g_string_append_printf(out, "%9s", "-");
	else
		g_string_append_printf(out, "%9" G_GINT64_FORMAT, count);
}

void
cli_text_mailbox(GString *out, const char *account, const StoreMailbox *mailbox, int name_width)
{
	g_autofree char *name = safe_line(mailbox->name);
	const char *role = role_name(mailbox->role);

	if (account)
		g_string_append_printf(out, "%-12s  ", account);
	cli_append_cell(out, name, name_width, false);
	append_count(out, cli_mailbox_unread(mailbox));
	append_count(out, cli_mailbox_total(mailbox));
	if (role)
		g_string_append_printf(out, "  %s", role);
	if (mailbox->gone)
		g_string_append_printf(out, "  %s", _("gone"));
	g_string_append_c(out, '\n');
}

void
cli_text_row(GString *out, const StoreRow *row, int uid_width, int width)
{
	g_autofree char *date = row_date(row);
	g_autofree char *sender = mail_address_short(row->from);
	g_autofree char *safe_sender = safe_line(sender);
	g_autofree char *subject = safe_line(row->subject);
	size_t from = out->len;
	int used;

	if (row->uid)
		g_string_append_printf(out, "%*u ", uid_width, row->uid);
	else
		g_string_append_printf(out, "%*s ", uid_width, "-");
	g_string_append_c(out, row->flags & STORE_FLAG_SEEN ? ' ' : 'N');
	for (size_t i = 0; i < G_N_ELEMENTS(flag_names); i++)
		if (flag_names[i].letter)
			g_string_append_c(out, row->flags & flag_names[i].flag
						   ? flag_names[i].letter
						   : ' ');
	g_string_append_printf(out, "%c %-25s  ", row->attachments ? '@' : ' ', date ? date : "-");
	cli_append_cell(out, safe_sender, SENDER_WIDTH, false);
	g_string_append(out, "  ");
	used = safe_text_width(span_of(out->str + from, out->len - from));
	if (width)
		cli_append_cell(out, subject, MAX(width - used, 8), true);
	else
		g_string_append(out, subject);
	g_string_append_c(out, '\n');
}

static void
append_tree(GString *out, const MailPart *part, int depth)
{
	g_autofree char *section = safe_line(part->section);
	g_autofree char *type = safe_line(part->type);
	g_autofree char *encoding = safe_line(part->encoding);
	g_autofree char *name = safe_line(part->name);
	g_autofree char *indented = g_strdup_printf("%*s%s", MIN(depth, 20) * 2, "", type);

	cli_append_cell(out, *section ? section : "-", 10, false);
	cli_append_cell(out, indented, 34, false);
	cli_append_cell(out, *encoding ? encoding : "-", 17, false);
	if (part->size_octets || !part->children->len)
		g_string_append_printf(out, "%10" G_GUINT64_FORMAT, part->size_octets);
	else
		g_string_append_printf(out, "%10s", "-");
	if (*name)
		g_string_append_printf(out, "  %s", name);
	g_string_append_c(out, '\n');
	for (unsigned i = 0; i < part->children->len && depth < DEPTH_MAX; i++)
		append_tree(out, part->children->pdata[i], depth + 1);
}

void
cli_text_structure(GString *out, const MailPart *root)
{
	append_tree(out, root, 0);
}

static void
append_header(GString *out, const char *name, const char *value)
{
	g_autofree char *safe = safe_line(value);

	if (*safe)
		g_string_append_printf(out, "%s: %s\n", name, safe);
}

void
cli_text_message_head(GString *out, const StoreRow *row)
{
	g_autofree char *date = row_date(row);

	append_header(out, "From", row->from);
	append_header(out, "To", row->to);
	append_header(out, "Cc", row->cc);
	append_header(out, "Date", date);
	append_header(out, "Subject", row->subject);
}

/* ---- the queue -------------------------------------------------------------------------------- */

void
cli_queued_clear(CliQueued *queued)
{
	g_free(queued->folder);
	g_free(queued->dest);
	g_clear_pointer(&queued->messages, g_ptr_array_unref);
	g_clear_pointer(&queued->uids, g_array_unref);
}

static const char *
action_name(const StoreJournalRow *row)
{
	static const char *const names[] = {
		[STORE_INTENT_FLAG] = "flag",
		[STORE_INTENT_MOVE] = "move",
		[STORE_INTENT_COPY] = "copy",
		[STORE_INTENT_EXPUNGE] = "expunge",
		[STORE_INTENT_APPEND] = "append",
		[STORE_INTENT_CREATE] = "folder create",
		[STORE_INTENT_RENAME] = "folder rename",
		[STORE_INTENT_DELETE] = "folder delete",
		[STORE_INTENT_SUBSCRIBE] = "folder subscribe",
		[STORE_INTENT_UNSUBSCRIBE] = "folder unsubscribe",
	};

	if (row->action == STORE_ACTION_DELETE && row->kind == STORE_INTENT_MOVE)
		return "delete";
	return row->kind < G_N_ELEMENTS(names) && names[row->kind] ? names[row->kind] : "";
}

static const char *
state_name(const StoreJournalRow *row)
{
	switch (row->state) {
	case STORE_ROW_WAITING:
		return "waiting";
	case STORE_ROW_SENT:
		return "sent";
	case STORE_ROW_FAILED:
		return "failed";
	case STORE_ROW_CONFIRMED:
		break;
	}
	return "confirmed";
}

/* "+\\Seen"; NULL for what is no flag.  Yours to g_free. */
static char *
flag_name(const StoreJournalRow *row)
{
	const char *name = row->keyword;

	if (row->kind != STORE_INTENT_FLAG)
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(flag_names); i++)
		if (row->flag == flag_names[i].flag)
			name = flag_names[i].name;
	return g_strdup_printf("%c%s", row->set ? '+' : '-', name ? name : "");
}

static void
add_messages(JsonBuilder *builder, const CliQueued *queued)
{
	json_builder_set_member_name(builder, "uids");
	json_builder_begin_array(builder);
	for (guint i = 0; i < queued->uids->len; i++)
		json_builder_add_int_value(builder, g_array_index(queued->uids, uint32_t, i));
	json_builder_end_array(builder);
	json_builder_set_member_name(builder, "ids");
	json_builder_begin_array(builder);
	for (guint i = 0; i < queued->messages->len; i++)
		json_builder_add_int_value(builder, ((StoreRow *)queued->messages->pdata[i])->id);
	json_builder_end_array(builder);
	json_builder_set_member_name(builder, "message_ids");
	json_builder_begin_array(builder);
	for (guint i = 0; i < queued->messages->len; i++) {
		const StoreRow *message = queued->messages->pdata[i];
		g_autofree char *safe = safe_line(message->message_id);

		if (*safe)
			json_builder_add_string_value(builder, safe);
		else
			json_builder_add_null_value(builder);
	}
	json_builder_end_array(builder);
}

void
cli_json_queued(GString *out, const CliQueued *queued)
{
	const StoreJournalRow *row = queued->row;
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autofree char *flag = flag_name(row);
	g_autofree char *made = cli_date(row->made, 0);

	json_builder_begin_object(builder);
	add_number(builder, "id", row->id);
	add_string(builder, "state", state_name(row));
	add_string(builder, "action", action_name(row));
	add_string(builder, "folder", queued->folder);
	add_string(builder, "dest", queued->dest);
	add_string(builder, "name", row->name);
	add_string(builder, "flag", flag);
	add_number(builder, "n", row->n);
	add_messages(builder, queued);
	add_string(builder, "made", made);
	add_string(builder, "error", row->error);
	json_builder_end_object(builder);
	add_line(builder, out);
}

void
cli_text_queued(GString *out, const CliQueued *queued)
{
	const StoreJournalRow *row = queued->row;
	g_autofree char *flag = flag_name(row);
	g_autofree char *safe_flag = safe_line(flag ? flag : "");
	g_autofree char *folder = safe_line(queued->folder ? queued->folder : "");
	g_autofree char *dest = safe_line(queued->dest ? queued->dest : "");
	g_autofree char *name = safe_line(row->name ? row->name : "");
	g_autofree char *subject = NULL;
	g_autofree char *error = safe_line(row->error ? row->error : "");

	g_string_append_printf(out, "%6" PRId64 "  %-9s %s", row->id, state_name(row),
			       action_name(row));
	if (*safe_flag)
		g_string_append_printf(out, " %s", safe_flag);
	if (*folder)
		g_string_append_printf(out, " %s", folder);
	if (*dest)
		g_string_append_printf(out, " -> %s", dest);
	if (*name && strcmp(name, folder))
		g_string_append_printf(out, " %s%s", *folder ? "-> " : "", name);
	if (queued->messages->len == 1) {
		subject = safe_line(((StoreRow *)queued->messages->pdata[0])->subject);
		g_string_append_printf(out, "  \"%s\"", subject);
	} else if (row->n) {
		g_string_append_printf(out, P_("  %u message", "  %u messages", row->n), row->n);
	}
	g_string_append_c(out, '\n');
	if (*error)
		g_string_append_printf(out, "        %s\n", error);
}
