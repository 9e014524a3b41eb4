/* From the words of the command line to a front end. */
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "cli/run.h"
#include "mail/header.h"
#include "ui/app.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static void
prepare_process(void)
{
	setlocale(LC_ALL, "");
	bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
	bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8"); /* the front ends convert */
	umask(077);
	/* A reader that left is an error to report, not an end. */
	signal(SIGPIPE, SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
	/* Passwords pass through this memory: no core file, and no debugger of somebody else.  The
	 * leak checker is such a debugger. */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int
print_and_end(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? 1 : 0;
}

static int
run_ui(const CliOptions *options, const Config *config, const char *data_dir, Log *log)
{
	UiOptions ui = {
		.config = config,
		.data_dir = data_dir,
		.account = options->account,
		.folder = options->folder,
		.offline = options->offline,
		.log = log,
	};

	/* `postern lsit`: a slip, unless there is such a folder */
	if (options->near_command && !cli_knows_folder(options, config, data_dir, log)) {
		g_autoptr(GError) error = NULL;

		cli_options_slip(options, &error);
		return cli_report(error);
	}
	return ui_run(&ui);
}

static int
run(const CliOptions *options)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = NULL;
	g_autoptr(Log) log = NULL;
	g_autofree char *data_dir = NULL;

	if (options->log && !(log = log_open(options->log, &error)))
		return cli_report(error);
	config = config_load(options->config, &error);
	if (!config || (options->account && !config_account(config, options->account, &error)))
		return cli_report(error);
	data_dir = options->data ? paths_expand_home(options->data) : paths_data_dir();
	if (!paths_make_private_dir(data_dir, &error))
		return cli_report(error);
	mail_init();
	if (options->command == CLI_UI)
		return run_ui(options, config, data_dir, log);
	return cli_run(options, config, data_dir, log);
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	CliOptions options;

	prepare_process();
	if (!cli_options_parse(&options, argc, argv, &error))
		return cli_report(error);
	if (options.help) {
		g_autofree char *help = cli_options_help(options.command);

		return print_and_end(help);
	}
	if (options.version)
		return print_and_end("postern " POSTERN_VERSION "\n");
	return run(&options);
}
