/* From the words of the command line to a front end. */
#include "base/error.h"
#include "base/i18n.h"
#include "base/paths.h"
#include "cli/run.h"
#include "mail/header.h"
#include "ui/app.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#endif

/* A file of ours must never become somebody's standard output: 0 to 2 are taken before any is
 * opened.  Written to, the stand-in fails, as a closed one would. */
static void
fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void
prepare_process(void)
{
	fill_standard_files();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
#ifndef HAS_ADDRESS_SANITIZER		    /* its leak check traces us */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* passwords stay out of core files */
#endif
	setlocale(LC_ALL, "");
	bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
	bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
	textdomain(GETTEXT_PACKAGE);
}

static int
print(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) < 0) {
		g_autoptr(GError) error =
		    g_error_new(POSTERN_ERROR, POSTERN_ERROR_FILE, _("cannot write the output: %s"),
				g_strerror(errno));

		return cli_report(error);
	}
	return 0;
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
	g_autoptr(GError) error = NULL;

	if (!config_account(config, options->account, &error))
		return cli_report(error);
	if (options->near_command && !cli_knows_folder(options, config, data_dir, log)) {
		cli_options_slip(options, &error);
		return cli_report(error);
	}
	return ui_run(&ui);
}

/* Said once, at the end: what runs does not depend on it. */
static void
report_log(Log *log, const char *path)
{
	g_autoptr(GError) error = NULL;

	if (!log_failure(log))
		return;
	g_set_error(&error, POSTERN_ERROR, POSTERN_ERROR_FILE, _("cannot write the log %s: %s"),
		    path, g_strerror(log_failure(log)));
	cli_report(error);
}

static int
run(const CliOptions *options)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Log) log = NULL;
	g_autoptr(Config) config = NULL;
	g_autofree char *data_dir =
	    options->data ? paths_expand_home(options->data) : paths_data_dir();
	int status;

	if (options->log) {
		log = log_open(options->log, &error);
		if (!log)
			return cli_report(error);
	}
	config = config_load(options->config, &error);
	if (!config || !paths_make_private_dir(data_dir, &error))
		return cli_report(error);
	mail_init();
	if (options->command == CLI_UI)
		status = run_ui(options, config, data_dir, log);
	else
		status = cli_run(options, config, data_dir, log);
	report_log(log, options->log);
	return status;
}

int
main(int argc, char **argv)
{
	CliOptions options;
	g_autoptr(GError) error = NULL;
	g_autofree char *help = NULL;

	prepare_process();
	if (!cli_options_parse(&options, argc, argv, &error))
		return cli_report(error);
	if (options.version)
		return print("postern " POSTERN_VERSION "\n");
	if (options.help) {
		help = cli_options_help(options.command);
		return print(help);
	}
	return run(&options);
}
