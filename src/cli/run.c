#include "run-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/nearest.h"
#include "base/safetext.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* ---- words for the person --------------------------------------------------------------------- */

/* One write, so that it stays whole beside what others write. */
static void
say(const char *text)
{
	g_autofree char *line = g_strdup_printf("postern: %s\n", text);
	size_t size = strlen(line);

	if (write(STDERR_FILENO, line, size) < 0)
		return; /* there is nowhere left to say it */
}

static void
wipe_progress(Cli *cli)
{
	if (cli->shows_progress && write(STDERR_FILENO, "\r\033[K", 4) > 0)
		cli->shows_progress = false;
}

void
cli_notice(Cli *cli, const char *text)
{
	char *safe = safe_line(text);

	if (g_strcmp0(cli->said, safe)) {
		wipe_progress(cli);
		say(safe);
	}
	g_free(cli->said);
	cli->said = safe;
}

int
cli_report(const GError *error)
{
	/* the five lines that would do come with the configuration's errors alone */
	SafeMode mode = postern_error_is(error, POSTERN_ERROR_CONFIG) ? SAFE_TEXT : SAFE_LINE;
	g_autofree char *safe = safe_text(span_of_string(error->message), mode, NULL);

	say(safe);
	return postern_error_exit_status(error);
}

void
cli_needs_line(const Cli *cli, GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	if (cli->options->offline)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("%s: do it again without --offline"), what);
	else
		g_set_error_literal(error, POSTERN_ERROR, POSTERN_ERROR_OFFLINE, what);
}

/* ---- the engine ------------------------------------------------------------------------------- */

static void
show_progress(Cli *cli, const EngineStatus *status)
{
	g_autofree char *doing = safe_line(status->doing);
	g_autofree char *text = NULL;

	if (!cli->progress_of || !status->doing)
		return;
	if (status->total)
		text = g_strdup_printf("\r%s: %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "\033[K",
				       doing, status->done, status->total);
	else
		text = g_strdup_printf("\r%s\033[K", doing);
	cli->shows_progress = write(STDERR_FILENO, text, strlen(text)) > 0;
}

static void
on_event(void *data, const EngineEvent *event)
{
	Cli *cli = data;

	switch (event->type) {
	case ENGINE_EVENT_DONE:
		g_hash_table_insert(cli->ended, GUINT_TO_POINTER(event->request),
				    event->error ? g_error_copy(event->error) : NULL);
		if (event->request == cli->waiting) {
			cli->done_group = event->group;
			cli->done_n = event->n;
			g_free(cli->done_text);
			cli->done_text = g_strdup(event->text);
			g_main_loop_quit(cli->loop);
		}
		break;
	case ENGINE_EVENT_NOTICE:
		cli_notice(cli, event->text);
		break;
	case ENGINE_EVENT_STATUS:
		show_progress(cli, event->status);
		break;
	case ENGINE_EVENT_FOLDERS:
	case ENGINE_EVENT_ROWS:
	case ENGINE_EVENT_PART:
	case ENGINE_EVENT_QUEUE:
	case ENGINE_EVENT_PROGRESS:
		break;
	}
}

static Engine *
start_engine(Cli *cli, GError **error)
{
	EngineOptions options = {
		.config = cli->config,
		.account = cli->options->account,
		.data_dir = cli->data_dir,
		.offline = cli->options->offline,
		.hold = true,
		.log = cli->log,
		.on_event = on_event,
		.data = cli,
	};

	return engine_start(&options, error);
}

bool
cli_engine_to_change(Cli *cli, GError **error)
{
	if (!cli->engine)
		cli->engine = start_engine(cli, error);
	return cli->engine != NULL;
}

bool
cli_engine(Cli *cli, bool must, GError **error)
{
	if (cli->options->offline) {
		if (must)
			cli_needs_line(cli, error, _("this command needs the line"));
		return !must;
	}
	return cli_engine_to_change(cli, error);
}

static gboolean
on_signal(Cli *cli, int number)
{
	cli->signal = number;
	engine_cancel(cli->engine, cli->waiting);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt(void *data)
{
	return on_signal(data, SIGINT);
}

static gboolean
on_terminate(void *data)
{
	return on_signal(data, SIGTERM);
}

bool
cli_wait(Cli *cli, EngineRequest request, GError **error)
{
	void *key = GUINT_TO_POINTER(request);
	unsigned interrupt = g_unix_signal_add(SIGINT, on_interrupt, cli);
	unsigned terminate = g_unix_signal_add(SIGTERM, on_terminate, cli);
	g_autoptr(GError) problem = NULL;

	cli->waiting = request;
	if (!g_hash_table_contains(cli->ended, key))
		g_main_loop_run(cli->loop);
	cli->waiting = 0;
	/* outside the loop a signal ends the process at once, as it should: nothing is half done */
	g_source_remove(interrupt);
	g_source_remove(terminate);
	wipe_progress(cli);
	g_hash_table_steal_extended(cli->ended, key, NULL, (void **)&problem);
	if (cli->signal && !problem)
		g_set_error(&problem, POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("interrupted"));
	if (!problem)
		return true;
	g_propagate_error(error, g_steal_pointer(&problem));
	return false;
}

/* ---- the store -------------------------------------------------------------------------------- */

bool
cli_store(Cli *cli, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *notice = NULL;

	if (cli->store)
		return true;
	cli->store = store_open(cli->data_dir, STORE_READER, cli->log, &notice, &problem);
	if (notice)
		cli_notice(cli, notice);
	if (cli->store)
		return true;
	if (postern_error_is(problem, POSTERN_ERROR_GONE))
		cli_needs_line(cli, error, _("nothing is kept in %s yet"), cli->data_dir);
	else
		g_propagate_error(error, g_steal_pointer(&problem));
	return false;
}

GPtrArray *
cli_accounts(const Cli *cli)
{
	GPtrArray *accounts = g_ptr_array_new();

	for (unsigned i = 0; i < cli->config->accounts->len; i++) {
		ConfigAccount *account = cli->config->accounts->pdata[i];

		if (!cli->options->account || !strcmp(cli->options->account, account->name))
			g_ptr_array_add(accounts, account);
	}
	return accounts;
}

const ConfigAccount *
cli_account(const Cli *cli)
{
	return config_account(cli->config, cli->options->account,
			      NULL); /* cli_run has checked it */
}

/* NULL when there is nothing of the account; not an error. */
static GPtrArray *
account_mailboxes(Cli *cli)
{
	GPtrArray *mailboxes = NULL;
	StoreId account = 0;

	if (!store_account(cli->store, cli_account(cli)->name, &account, NULL) ||
	    !store_mailboxes(cli->store, account, &mailboxes, NULL))
		return NULL;
	return mailboxes;
}

char *
cli_folder_name(Cli *cli, const char *typed)
{
	g_autoptr(GPtrArray) mailboxes = NULL;
	const char *shown = NULL;
	unsigned n_shown = 0;

	if (cli_store(cli, NULL))
		mailboxes = account_mailboxes(cli);
	for (unsigned i = 0; mailboxes && i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = mailboxes->pdata[i];
		g_autofree char *safe = safe_line(mailbox->name);

		if (!strcmp(mailbox->name, typed))
			return g_strdup(typed);
		if (!strcmp(safe, typed)) {
			shown = mailbox->name;
			n_shown++;
		}
	}
	return g_strdup(n_shown == 1 ? shown : typed);
}

bool
cli_mailbox(Cli *cli, const char *folder, StoreMailbox **mailbox, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) mailboxes = NULL;
	const char *name = cli_account(cli)->name, *best = NULL;
	StoreId account = 0;

	if (!cli_store(cli, error))
		return false;
	if (store_account(cli->store, name, &account, &problem) &&
	    store_mailbox_find(cli->store, account, folder, mailbox, &problem))
		return true;
	if (!postern_error_is(problem, POSTERN_ERROR_GONE)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	mailboxes = account_mailboxes(cli);
	if (!mailboxes || !mailboxes->len) {
		cli_needs_line(cli, error, _("nothing of the account %s is kept here yet"), name);
		return false;
	}
	for (unsigned i = 0; i < mailboxes->len; i++)
		best = nearest_of(folder, best, ((StoreMailbox *)mailboxes->pdata[i])->name);
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
		    best ? _("there is no folder \"%s\" in %s: did you mean \"%s\"?")
			 : _("there is no folder \"%s\" in %s: postern folders lists those there "
			     "are"),
		    folder, name, best);
	return false;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void
free_error(void *error)
{
	g_clear_error((GError **)&error);
}

static void
cli_init(Cli *cli, const CliOptions *options, const Config *config, const char *data_dir, Log *log)
{
	*cli = (Cli){
		.options = options,
		.config = config,
		.data_dir = data_dir,
		.log = log,
		.out = cli_output_new(STDOUT_FILENO),
		.line = g_string_new(NULL),
		.ended = g_hash_table_new_full(NULL, NULL, NULL, free_error),
		.loop = g_main_loop_new(NULL, FALSE),
	};
}

static void
cli_clear(Cli *cli)
{
	store_close(cli->store);
	engine_stop(cli->engine);
	g_main_loop_unref(cli->loop);
	g_hash_table_unref(cli->ended);
	g_string_free(cli->line, TRUE);
	cli_output_free(cli->out);
	g_free(cli->said);
	g_free(cli->done_text);
}

static bool
run_command(Cli *cli, GError **error)
{
	static bool (*const verbs[CLI_COMMANDS])(Cli * cli, GError * *error) = {
		[CLI_FOLDERS] = cli_run_folders, [CLI_SYNC] = cli_run_sync,
		[CLI_LIST] = cli_run_list,	 [CLI_SHOW] = cli_run_show,
		[CLI_CHECK] = cli_run_check,	 [CLI_FLAG] = cli_run_flag,
		[CLI_MOVE] = cli_run_move,	 [CLI_COPY] = cli_run_copy,
		[CLI_DELETE] = cli_run_delete,	 [CLI_APPEND] = cli_run_append,
		[CLI_FOLDER] = cli_run_folder,	 [CLI_QUEUE] = cli_run_queue,
		[CLI_UNDO] = cli_run_undo,
	};

	if (!config_account(cli->config, cli->options->account, error))
		return false;
	return verbs[cli->options->command](cli, error) && cli_output_flush(cli->out, error);
}

static bool
was_said(const Cli *cli, const GError *error)
{
	g_autofree char *safe = safe_line(error->message);

	return !g_strcmp0(cli->said, safe);
}

int
cli_run(const CliOptions *options, const Config *config, const char *data_dir, Log *log)
{
	Cli cli;
	g_autoptr(GError) error = NULL;
	int status = 0, number;

	cli_init(&cli, options, config, data_dir, log);
	if (!run_command(&cli, &error)) {
		cli_output_flush(cli.out, NULL); /* what was said before it went wrong */
		status = postern_error_exit_status(error);
		if (!cli_output_has_no_reader(cli.out) && !was_said(&cli, error))
			cli_report(error);
	}
	number = cli.signal;
	cli_clear(&cli);
	if (number) {
		signal(number, SIG_DFL);
		raise(number);
	}
	return status;
}

bool
cli_knows_folder(const CliOptions *options, const Config *config, const char *data_dir, Log *log)
{
	Cli cli;
	g_autofree char *name = NULL;
	g_autoptr(StoreMailbox) mailbox = NULL;
	bool known;

	cli_init(&cli, options, config, data_dir, log);
	name = cli_folder_name(&cli, options->folder);
	known = cli_mailbox(&cli, name, &mailbox, NULL);
	cli_clear(&cli);
	return known;
}
