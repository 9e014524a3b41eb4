/* `show`: one message, as much of it as was asked for. */
#include "run-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "cli/format.h"
#include "mail/text.h"

#include <inttypes.h>

enum { PIECE_BYTES = 64 * 1024 };

typedef struct Shown {
	const char *account;
	char *folder;
	StoreRow *row;
	MailPart *root; /* NULL: not known, or not needed */
} Shown;

static void
shown_clear(Shown *shown)
{
	g_free(shown->folder);
	store_row_free(shown->row);
	mail_part_free(shown->root);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shown, shown_clear)

/* ---- finding the message ---------------------------------------------------------------------- */

/* The UID of the last message: online the folder's newest is asked for first. */
static bool
find_last(Cli *cli, Shown *shown, uint32_t *uid, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autofree uint32_t *uids = NULL;
	size_t n;

	if (cli->engine &&
	    !cli_wait(cli, engine_open(cli->engine, shown->account, shown->folder, 0, 1, false),
		      error))
		return false;
	if (!cli_mailbox(cli, shown->folder, &mailbox, error) ||
	    !store_message_uids(cli->store, mailbox->id, &uids, &n, error))
		return false;
	if (!n) {
		if (!cli->engine && mailbox->server_total)
			cli_needs_line(cli, error, _("no message of %s is kept here"),
				       shown->folder);
		else
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("there is no message in %s"), shown->folder);
		return false;
	}
	*uid = uids[n - 1];
	return true;
}

static bool
load_by_id(Cli *cli, Shown *shown, StoreId id, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(GError) problem = NULL;

	if (!cli_mailbox(cli, shown->folder, &mailbox, error))
		return false;
	if (store_row_by_id(cli->store, id, &shown->row, &problem) &&
	    shown->row->mailbox == mailbox->id)
		return true;
	if (problem && !postern_error_is(problem, POSTERN_ERROR_GONE)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
		    _("there is no message id:%" PRId64 " in %s"), id, shown->folder);
	return false;
}

static bool
load_by_uid(Cli *cli, Shown *shown, uint32_t uid, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autoptr(GError) problem = NULL;

	if (!cli_mailbox(cli, shown->folder, &mailbox, error))
		return false;
	if (store_row_by_uid(cli->store, mailbox->id, uid, &shown->row, &problem))
		return true;
	if (!postern_error_is(problem, POSTERN_ERROR_GONE))
		g_propagate_error(error, g_steal_pointer(&problem));
	else if (cli->engine || mailbox->known_from_uid == 1)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("there is no message %u in %s"), uid, shown->folder);
	else
		cli_needs_line(cli, error, _("message %u of %s is not kept here"), uid,
			       shown->folder);
	return false;
}

/* Loads the row, from the server first.  A message named by id: has to be here already. */
static bool
load_row(Cli *cli, Shown *shown, const CliMessageName *name, GError **error)
{
	uint32_t uid = name->uid;

	if (name->kind == CLI_MESSAGE_LAST && !find_last(cli, shown, &uid, error))
		return false;
	if (name->kind == CLI_MESSAGE_ID) {
		if (!load_by_id(cli, shown, name->id, error))
			return false;
		uid = shown->row->uid;
		if (!cli->engine || !uid)
			return true;
		g_clear_pointer(&shown->row, store_row_free);
	}
	if (cli->engine &&
	    !cli_wait(cli, engine_message(cli->engine, shown->account, shown->folder, uid), error))
		return false;
	return load_by_uid(cli, shown, uid, error);
}

/* ---- its parts -------------------------------------------------------------------------------- */

/* Brings SECTIONS (NULL-terminated) into the store, or says that they are not. */
static bool
need_parts(Cli *cli, const Shown *shown, const char *const *sections, GError **error)
{
	if (cli->engine)
		return cli_wait(cli, engine_parts(cli->engine, shown->row->id, sections), error);
	for (; *sections; sections++) {
		bool has;

		if (!engine_part_has(cli->store, shown->row->id, *sections, &has, error))
			return false;
		if (has)
			continue;
		if (**sections)
			cli_needs_line(cli, error,
				       _("part %s of message %u of %s is not kept here"), *sections,
				       shown->row->uid, shown->folder);
		else
			cli_needs_line(cli, error, _("message %u of %s is not kept here whole"),
				       shown->row->uid, shown->folder);
		return false;
	}
	return true;
}

static bool
need_structure(Cli *cli, Shown *shown, GError **error)
{
	shown->root = engine_structure(shown->row);
	if (shown->root)
		return true;
	if (shown->row->structure || cli->engine)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_PROTOCOL,
			    _("the structure of message %u of %s, as the server tells it, cannot "
			      "be "
			      "read: --raw shows its bytes"),
			    shown->row->uid, shown->folder);
	else
		cli_needs_line(cli, error, _("the structure of message %u of %s is not kept here"),
			       shown->row->uid, shown->folder);
	return false;
}

/* ---- each way to show it ---------------------------------------------------------------------- */

static void
append_unshown(GString *out, const MailPart *root, const GPtrArray *readable)
{
	g_autoptr(GPtrArray) parts = mail_part_unshown(root, readable);

	for (unsigned i = 0; i < parts->len; i++) {
		const MailPart *part = parts->pdata[i];
		g_autofree char *type = safe_line(part->type);
		g_autofree char *name = safe_line(part->name ? part->name : part->subject);

		g_string_append_printf(out, _("[part %s: %s%s%s, %" PRIu64 " bytes]\n"),
				       part->section, type, *name ? ", " : "", name,
				       part->size_octets);
	}
}

static bool
render(Cli *cli, const Shown *shown, GPtrArray *readable, GString *text, GPtrArray *notes,
       GError **error)
{
	for (unsigned i = 0; i < readable->len; i++) {
		const MailPart *part = readable->pdata[i];
		g_autoptr(GBytes) bytes = NULL;
		g_autofree char *rendered = NULL;
		char *note = NULL;

		if (!engine_part_load(cli->store, shown->row->id, part->section, &bytes, error))
			return false;
		rendered = mail_text_render(part, bytes, NULL, &note);
		if (note)
			g_ptr_array_add(notes, note);
		if (text->len)
			g_string_append_c(text, '\n');
		g_string_append(text, rendered);
		if (text->len && text->str[text->len - 1] != '\n')
			g_string_append_c(text, '\n');
	}
	return true;
}

static bool
show_text(Cli *cli, Shown *shown, GError **error)
{
	g_autoptr(GPtrArray) readable = NULL;
	g_autoptr(GPtrArray) sections = g_ptr_array_new();
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) others = g_string_new(NULL);

	if (!need_structure(cli, shown, error))
		return false;
	readable = mail_part_readable(shown->root);
	for (unsigned i = 0; i < readable->len; i++)
		g_ptr_array_add(sections, ((MailPart *)readable->pdata[i])->section);
	g_ptr_array_add(sections, NULL);
	if (readable->len && !need_parts(cli, shown, (const char *const *)sections->pdata, error))
		return false;
	if (!render(cli, shown, readable, text, notes, error))
		return false;
	if (cli->options->json) {
		cli_json_message(cli->line, shown->row, text->str, notes, shown->root);
		return cli_output_line(cli->out, cli->line, error);
	}
	for (unsigned i = 0; i < notes->len; i++)
		cli_notice(cli, notes->pdata[i]);
	cli_text_message_head(cli->line, shown->row);
	g_string_append_c(cli->line, '\n');
	g_string_append_len(cli->line, text->str, (gssize)text->len);
	append_unshown(others, shown->root, readable);
	if (others->len)
		g_string_append_printf(cli->line, "\n%s", others->str);
	return cli_output_line(cli->out, cli->line, error);
}

/* As they were sent, folded lines and encoded words too, but for what the door holds back. */
static bool
show_headers(Cli *cli, Shown *shown, GError **error)
{
	static const char *const sections[] = { "HEADER", NULL };
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *safe = NULL;
	const char *start;
	size_t size;
	Span header;

	if (!need_parts(cli, shown, sections, error) ||
	    !engine_part_load(cli->store, shown->row->id, "HEADER", &bytes, error))
		return false;
	start = g_bytes_get_data(bytes, &size);
	header = span_of(start, size);
	while (!span_is_empty(header) && (header.end[-1] == '\n' || header.end[-1] == '\r'))
		header.end--;
	if (cli->options->json) {
		cli_json_headers(cli->line, shown->row, header);
	} else {
		safe = safe_text(header, SAFE_TEXT, NULL);
		g_string_append_printf(cli->line, "%s\n", safe);
	}
	return cli_output_line(cli->out, cli->line, error);
}

static bool
show_structure(Cli *cli, Shown *shown, GError **error)
{
	if (!need_structure(cli, shown, error))
		return false;
	if (cli->options->json)
		cli_json_structure(cli->line, shown->root);
	else
		cli_text_structure(cli->line, shown->root);
	return cli_output_line(cli->out, cli->line, error);
}

typedef struct Copy {
	Cli *cli;
	MailDecoder *decoder;
	GByteArray *decoded;
} Copy;

static bool
copy_piece(void *data, Span piece, GError **error)
{
	Copy *copy = data;

	g_byte_array_set_size(copy->decoded, 0);
	mail_decoder_feed(copy->decoder, piece, false, copy->decoded);
	return cli_output_bytes(copy->cli->out, span_of(copy->decoded->data, copy->decoded->len),
				error);
}

/* A part kept by itself is streamed; one that is only inside its message, here whole, is cut out. */
static bool
copy_kept(Copy *copy, const Shown *shown, const char *section, GError **error)
{
	Store *store = copy->cli->store;
	g_autoptr(GBytes) bytes = NULL;
	const char *start;
	size_t size;
	bool has;

	if (!store_part_has(store, shown->row->id, section, &has, error))
		return false;
	if (has)
		return store_part_read(store, shown->row->id, section, copy_piece, copy, error);
	if (!engine_part_load(store, shown->row->id, section, &bytes, error))
		return false;
	start = g_bytes_get_data(bytes, &size);
	for (size_t at = 0; at < size; at += PIECE_BYTES)
		if (!copy_piece(copy, span_of(start + at, MIN(size - at, PIECE_BYTES)), error))
			return false;
	return true;
}

static bool
copy_part(Cli *cli, const Shown *shown, const char *section, const char *encoding, GError **error)
{
	g_autoptr(MailDecoder) decoder = mail_decoder_new(encoding);
	g_autoptr(GByteArray) decoded = g_byte_array_new();
	Copy copy = { cli, decoder, decoded };

	if (!copy_kept(&copy, shown, section, error))
		return false;
	g_byte_array_set_size(decoded, 0);
	mail_decoder_feed(decoder, SPAN_EMPTY, true, decoded);
	return cli_output_bytes(cli->out, span_of(decoded->data, decoded->len), error);
}

static bool
show_raw(Cli *cli, Shown *shown, GError **error)
{
	static const char *const sections[] = { "", NULL };

	return need_parts(cli, shown, sections, error) && copy_part(cli, shown, "", "", error);
}

static void
append_sections(GString *out, const MailPart *part, int depth)
{
	if (*part->section)
		g_string_append_printf(out, "%s%s", out->len ? ", " : "", part->section);
	for (unsigned i = 0; i < part->children->len && depth < 64 && out->len < 200; i++)
		append_sections(out, part->children->pdata[i], depth + 1);
}

static bool
show_part(Cli *cli, Shown *shown, GError **error)
{
	const char *section = cli->options->section;
	const char *sections[] = { section, NULL };
	const MailPart *part = NULL;
	g_autoptr(GString) known = g_string_new(NULL);

	if (strcmp(section, "HEADER")) {
		if (!need_structure(cli, shown, error))
			return false;
		part = mail_part_find(shown->root, section);
		if (!part) {
			append_sections(known, shown->root, 0);
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("message %u of %s has no part %s: it has %s"),
				    shown->row->uid, shown->folder, section, known->str);
			return false;
		}
	}
	return need_parts(cli, shown, sections, error) &&
	       copy_part(cli, shown, section, part && !part->children->len ? part->encoding : "",
			 error);
}

bool
cli_run_show(Cli *cli, GError **error)
{
	static bool (*const ways[])(Cli * cli, Shown * shown, GError * *error) = {
		[CLI_SHOW_TEXT] = show_text,	   [CLI_SHOW_RAW] = show_raw,
		[CLI_SHOW_HEADERS] = show_headers, [CLI_SHOW_STRUCTURE] = show_structure,
		[CLI_SHOW_PART] = show_part,
	};
	g_auto(Shown) shown = { .account = cli_account(cli)->name };
	CliMessageName name;

	if (!cli_message_name_parse(cli->options->words[1], &name, error) ||
	    !cli_engine(cli, false, error))
		return false;
	shown.folder = cli_folder_name(cli, cli->options->words[0]);
	return load_row(cli, &shown, &name, error) && ways[cli->options->show](cli, &shown, error);
}
