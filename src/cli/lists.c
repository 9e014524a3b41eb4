/* `folders`, `list`, `sync` and `check`. */
#include "run-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "cli/format.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <unistd.h>

enum {
	WINDOW_ROWS = 500, /* read from the store at a time */
	NAME_WIDTH_MAX = 48,
};

/* ---- folders ---------------------------------------------------------------------------------- */

static int
widest_name(GPtrArray *mailboxes, int widest)
{
	for (unsigned i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = mailboxes->pdata[i];
		g_autofree char *name = safe_line(mailbox->name);

		widest = MAX(widest, safe_text_width(span_of_string(name)));
	}
	return MIN(widest, NAME_WIDTH_MAX);
}

static bool
print_folders(Cli *cli, const char *account, bool shows_account, GPtrArray *mailboxes, int width,
	      GError **error)
{
	for (unsigned i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = mailboxes->pdata[i];

		if (mailbox->gone && !mailbox->only_here)
			continue;
		if (cli->options->json)
			cli_json_mailbox(cli->line, account, mailbox);
		else
			cli_text_mailbox(cli->line, shows_account ? account : NULL, mailbox, width);
		if (!cli_output_line(cli->out, cli->line, error))
			return false;
	}
	return true;
}

static bool
ask_folders(Cli *cli, GPtrArray *accounts, GError **error)
{
	g_autofree EngineRequest *requests = g_new0(EngineRequest, accounts->len);

	for (unsigned i = 0; i < accounts->len; i++)
		requests[i] =
		    engine_folders(cli->engine, ((ConfigAccount *)accounts->pdata[i])->name);
	for (unsigned i = 0; i < accounts->len; i++)
		if (!cli_wait(cli, requests[i], error))
			return false;
	return true;
}

bool
cli_run_folders(Cli *cli, GError **error)
{
	g_autoptr(GPtrArray) accounts = cli_accounts(cli);
	g_autoptr(GPtrArray) lists =
	    g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	int width = 6;
	unsigned known = 0;

	if (!cli_engine(cli, false, error) || (cli->engine && !ask_folders(cli, accounts, error)) ||
	    !cli_store(cli, error))
		return false;
	for (unsigned i = 0; i < accounts->len; i++) {
		const ConfigAccount *account = accounts->pdata[i];
		g_autoptr(GError) problem = NULL;
		GPtrArray *mailboxes = NULL;
		StoreId id;

		if (store_account(cli->store, account->name, &id, &problem) &&
		    !store_mailboxes(cli->store, id, &mailboxes, error))
			return false;
		if (problem && !postern_error_is(problem, POSTERN_ERROR_GONE)) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return false;
		}
		if (!mailboxes)
			mailboxes = g_ptr_array_new();
		known += mailboxes->len;
		width = widest_name(mailboxes, width);
		g_ptr_array_add(lists, mailboxes);
	}
	if (!known && !cli->engine) {
		cli_needs_line(cli, error, _("no folders are kept here yet"));
		return false;
	}
	for (unsigned i = 0; i < accounts->len; i++)
		if (!print_folders(cli, ((ConfigAccount *)accounts->pdata[i])->name,
				   accounts->len > 1, lists->pdata[i], width, error))
			return false;
	return true;
}

/* ---- list ------------------------------------------------------------------------------------- */

static int
digits(uint32_t number)
{
	int n = 1;

	while (number /= 10)
		n++;
	return n;
}

static bool
print_rows(Cli *cli, const StoreMailbox *mailbox, GError **error)
{
	const CliOptions *options = cli->options;
	int width = cli_output_width(cli->out);
	int uid_width = digits(MAX(mailbox->mirrored_uidnext, mailbox->uidnext));
	uint32_t left = options->limit ? options->limit : UINT32_MAX, at = options->offset;

	while (left) {
		g_autoptr(GPtrArray) rows = NULL;
		uint32_t total, want = MIN(left, WINDOW_ROWS);

		if (!store_window(cli->store, mailbox->id, at, want, false, &rows, &total, error))
			return false;
		for (unsigned i = 0; i < rows->len; i++) {
			if (options->json)
				cli_json_row(cli->line, rows->pdata[i]);
			else
				cli_text_row(cli->line, rows->pdata[i], uid_width, width);
			if (!cli_output_line(cli->out, cli->line, error))
				return false;
		}
		if (rows->len < want || at > UINT32_MAX - rows->len)
			break;
		left -= rows->len;
		at += rows->len;
	}
	return true;
}

/* Says so when what is printed is not all there is. */
static bool
check_whole(Cli *cli, const StoreMailbox *mailbox, GError **error)
{
	g_autofree char *text = NULL;

	if (cli->engine || mailbox->known_from_uid == 1 || !mailbox->server_total)
		return true;
	if (!mailbox->total) {
		cli_needs_line(cli, error, _("no message of %s is kept here"), mailbox->name);
		return false;
	}
	if (mailbox->server_total > (int64_t)mailbox->total)
		text = g_strdup_printf(_("%u of the %" PRId64 " messages of %s are kept here"),
				       mailbox->total, mailbox->server_total, mailbox->name);
	if (text)
		cli_notice(cli, text);
	return true;
}

bool
cli_run_list(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	const char *account = cli_account(cli)->name;
	g_autofree char *folder = NULL;
	g_autoptr(StoreMailbox) mailbox = NULL;
	bool good;

	if (!cli_engine(cli, false, error))
		return false;
	folder = cli_folder_name(cli, options->words[0]);
	if (cli->engine) {
		EngineRequest request =
		    options->limit ? engine_open(cli->engine, account, folder, options->offset,
						 options->limit, false)
				   : engine_sync(cli->engine, account, folder, ENGINE_BODIES_NONE);

		if (!cli_wait(cli, request, error))
			return false;
	}
	if (!cli_mailbox(cli, folder, &mailbox, error) || !check_whole(cli, mailbox, error) ||
	    !store_snapshot_begin(cli->store, error))
		return false;
	good = print_rows(cli, mailbox, error);
	store_snapshot_end(cli->store);
	return good;
}

/* ---- sync ------------------------------------------------------------------------------------- */

static bool
sync_all(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	g_autoptr(GPtrArray) accounts = cli_accounts(cli);
	g_autoptr(GArray) requests = g_array_new(FALSE, FALSE, sizeof(EngineRequest));
	bool good = true;

	if (options->accept_loss && !options->n_words) {
		g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("--accept-loss names its folders: postern sync --accept-loss "
				      "FOLDER"));
		return false;
	}
	if (options->n_words) {
		for (size_t i = 0; i < options->n_words; i++) {
			g_autofree char *folder = cli_folder_name(cli, options->words[i]);
			const char *account = cli_account(cli)->name;
			EngineRequest request =
			    options->accept_loss
				? engine_accept_loss(cli->engine, account, folder)
				: engine_sync(cli->engine, account, folder, options->bodies);

			g_array_append_val(requests, request);
		}
	} else {
		for (unsigned i = 0; i < accounts->len; i++) {
			const ConfigAccount *account = accounts->pdata[i];
			EngineRequest request =
			    engine_sync(cli->engine, account->name, NULL, options->bodies);

			g_array_append_val(requests, request);
		}
	}
	for (unsigned i = 0; i < requests->len; i++) {
		cli->progress_of =
		    isatty(STDERR_FILENO) ? g_array_index(requests, EngineRequest, i) : 0;
		/* The others go on; the first that went wrong is told. */
		if (!cli_wait(cli, g_array_index(requests, EngineRequest, i), good ? error : NULL))
			good = false;
	}
	return good;
}

/* A sync sends what waits: what the server refused is not to go by unseen. */
static void
tell_failed(Cli *cli)
{
	uint32_t failed = 0;
	g_autofree char *text = NULL;

	if (!cli_store(cli, NULL) || !store_journal_counts(cli->store, 0, NULL, &failed, NULL) ||
	    !failed)
		return;
	text = g_strdup_printf(P_("%u change failed: postern queue says why",
				  "%u changes failed: postern queue says why", failed),
			       failed);
	cli_notice(cli, text);
}

bool
cli_run_sync(Cli *cli, GError **error)
{
	int64_t began = g_get_monotonic_time();
	EngineTotals totals;
	double seconds;
	char number[G_ASCII_DTOSTR_BUF_SIZE];
	bool good;

	if (!cli_engine(cli, true, error))
		return false;
	good = sync_all(cli, error);
	engine_totals(cli->engine, &totals);
	seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
	tell_failed(cli);
	g_ascii_formatd(number, sizeof number, "%.3f", seconds);
	if (!good)
		return false;
	g_string_printf(cli->line,
			cli->options->json
			    ? "{\"messages\":%" G_GUINT64_FORMAT ",\"bytes_in\":%" G_GUINT64_FORMAT
			      ",\"bytes_out\":%" G_GUINT64_FORMAT
			      ",\"round_trips\":%" G_GUINT64_FORMAT ",\"seconds\":%s}\n"
			    : "%" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
			      " bytes in, %" G_GUINT64_FORMAT " bytes out, %" G_GUINT64_FORMAT
			      " round trips, %s seconds\n",
			totals.messages, totals.wire_in, totals.wire_out, totals.round_trips,
			number);
	return cli_output_line(cli->out, cli->line, error);
}

/* ---- check ------------------------------------------------------------------------------------ */

static void
add_words(JsonBuilder *builder, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	json_builder_begin_array(builder);
	for (char **word = words; *word; word++)
		json_builder_add_string_value(builder, *word);
	json_builder_end_array(builder);
}

/* A member for each label, its value the text; of capabilities the list of them. */
static void
append_report_json(GString *out, const char *account, GPtrArray *report)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = NULL;

	json_builder_begin_object(builder);
	json_builder_set_member_name(builder, "account");
	json_builder_add_string_value(builder, account);
	for (unsigned i = 0; i + 1 < report->len; i += 2) {
		g_autofree char *name = g_ascii_strdown(report->pdata[i], -1);

		json_builder_set_member_name(builder, g_strdelimit(name, " -", '_'));
		if (g_str_has_prefix(name, "capabilities"))
			add_words(builder, report->pdata[i + 1]);
		else
			json_builder_add_string_value(builder, report->pdata[i + 1]);
	}
	json_builder_end_object(builder);
	root = json_builder_get_root(builder);
	json_generator_set_root(generator, root);
	json_generator_to_gstring(generator, out);
	g_string_append_c(out, '\n');
}

/* VALUE in what WIDTH leaves beside its label, broken between words. */
static void
append_report_line(GString *out, const char *label, const char *value, int label_width, int width)
{
	g_auto(GStrv) words = g_strsplit(value, " ", -1);
	int column = label_width + 2;

	cli_append_cell(out, label, label_width, false);
	g_string_append_c(out, ' ');
	for (char **word = words; *word; word++) {
		int cells = safe_text_width(span_of_string(*word));

		if (column > label_width + 2 && column + 1 + cells > width) {
			g_string_append_printf(out, "\n%*s", label_width + 1, "");
			column = label_width + 2;
		}
		g_string_append_printf(out, " %s", *word);
		column += 1 + cells;
	}
	g_string_append_c(out, '\n');
}

static void
append_report_text(GString *out, GPtrArray *report, int width)
{
	int label_width = 0;

	for (unsigned i = 0; i + 1 < report->len; i += 2)
		label_width = MAX(label_width, safe_text_width(span_of_string(report->pdata[i])));
	for (unsigned i = 0; i + 1 < report->len; i += 2)
		append_report_line(out, report->pdata[i], report->pdata[i + 1], label_width, width);
}

static bool
check_account(Cli *cli, const ConfigAccount *account, bool shows_account, GError **error)
{
	g_autoptr(GPtrArray) report = NULL;
	int width = cli_output_width(cli->out);

	if (!cli_wait(cli, engine_check(cli->engine, account->name), error)) {
		if (shows_account)
			g_prefix_error(error, "[account %s] ", account->name);
		return false;
	}
	report = engine_check_report(cli->engine);
	if (!report)
		return true;
	if (cli->options->json) {
		append_report_json(cli->line, account->name, report);
	} else {
		if (shows_account)
			g_string_append_printf(cli->line, "[account %s]\n", account->name);
		append_report_text(cli->line, report, width ? MIN(width, 100) : 78);
	}
	return cli_output_line(cli->out, cli->line, error);
}

/* Every account is looked at; of several that fail, the first is the one reported last. */
static bool
check_accounts(Cli *cli, GError **error)
{
	g_autoptr(GPtrArray) accounts = cli_accounts(cli);
	g_autoptr(GError) first = NULL;

	if (!cli_engine(cli, true, error))
		return false;
	for (unsigned i = 0; i < accounts->len; i++) {
		g_autoptr(GError) problem = NULL;

		if (check_account(cli, accounts->pdata[i], accounts->len > 1, &problem))
			continue;
		if (cli->signal || !first) {
			g_clear_error(&first);
			first = g_steal_pointer(&problem);
		} else {
			cli_notice(cli, problem->message);
		}
		if (cli->signal)
			break;
	}
	if (!first)
		return true;
	g_propagate_error(error, g_steal_pointer(&first));
	return false;
}

static void
remove_directory(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_unlink(file);
	}
	g_rmdir(path);
}

/* In a directory of its own, thrown away: it looks at the server, works while another Postern has
 * the store, and leaves no trace in it. */
bool
cli_run_check(Cli *cli, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *scratch = g_dir_make_tmp("postern-check-XXXXXX", &problem);
	const char *data_dir = cli->data_dir;
	bool fine;

	if (!scratch) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, "%s", problem->message);
		return false;
	}
	cli->data_dir = scratch;
	fine = check_accounts(cli, error);
	g_clear_pointer(&cli->engine, engine_stop);
	cli->data_dir = data_dir;
	remove_directory(scratch);
	return fine;
}
