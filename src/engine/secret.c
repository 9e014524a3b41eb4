#include "engine/secret.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIECE_MAX = 4096,
	COMPLAINT_MAX = 300, /* bytes of a command's first line of standard error */
	GRACE_MS = 500,	     /* for pipes that a child of the command keeps open after its end */
};

/* One of a command's outputs: its first line is kept, the rest read and forgotten. */
typedef struct Output {
	SecretRequest *request;
	GPollableInputStream *stream; /* the subprocess's */
	GSource *source;
	char line[SECRET_LINE_MAX + 1];
	size_t size, limit, total;
	bool is_whole; /* a line feed came */
	bool is_cut;   /* the line is longer than LIMIT */
	bool is_ended;
} Output;

/* What a worker thread reads from a file: its own, so that the request may go first. */
typedef struct FileLine {
	char *path;
	char line[SECRET_LINE_MAX + 2];
	size_t size;
} FileLine;

struct SecretRequest {
	const ConfigAccount *account;
	GMainContext *context;
	SecretFunc on_secret;
	void *data;
	GCancellable *cancellable;
	GSource *start, *deadline, *grace;
	GSubprocess *process;
	const char *key; /* "password-command": for errors */
	Output *out, *err;
	bool has_exited;
};

void
secret_wipe(void *bytes, size_t size)
{
	if (size)
		explicit_bzero(bytes, size);
}

void
secret_free(char *secret)
{
	if (secret)
		secret_wipe(secret, strlen(secret));
	g_free(secret);
}

SecretKind
secret_kind(const ConfigAccount *account)
{
	if (account->token_command)
		return SECRET_TOKEN;
	return account->password || account->password_command || account->password_file
		   ? SECRET_PASSWORD
		   : SECRET_NONE;
}

/* ---- answering ------------------------------------------------------------------------------ */

static void
drop_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static GSource *
keep_source(SecretRequest *request, GSource *source, GSourceFunc call)
{
	g_source_set_callback(source, call, request, NULL);
	g_source_attach(source, request->context);
	return source;
}

static void
output_free(Output *output)
{
	if (!output)
		return;
	drop_source(&output->source);
	secret_wipe(output->line, sizeof output->line);
	g_free(output);
}

/* Leaves nothing that could call back. */
static void
stop(SecretRequest *request)
{
	g_cancellable_cancel(request->cancellable);
	drop_source(&request->start);
	drop_source(&request->deadline);
	drop_source(&request->grace);
	if (request->process && !request->has_exited)
		g_subprocess_send_signal(request->process, SIGTERM);
	g_clear_pointer(&request->out, output_free);
	g_clear_pointer(&request->err, output_free);
	g_clear_object(&request->process);
}

/* SECRET is copied first, for it may live in what is stopped.  The callback may free the request. */
static void
answer(SecretRequest *request, Span secret, GError *problem)
{
	SecretFunc on_secret = request->on_secret;
	g_autoptr(GError) error = problem;
	char *copy = NULL;

	if (secret.end > secret.at && secret.end[-1] == '\r')
		secret.end--;
	if (!error && span_is_empty(secret))
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_LOGIN,
				    _("%s of [account %s] gave an empty first line"), request->key,
				    request->account->name);
	if (!error && memchr(secret.at, '\0', span_size(secret)))
		error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_LOGIN,
				    _("%s of [account %s] gave a line with a NUL in it"),
				    request->key, request->account->name);
	if (!error)
		copy = span_dup(secret);
	stop(request);
	on_secret(request->data, copy, error);
	secret_free(copy);
}

static void G_GNUC_PRINTF(3, 4)
    fail(SecretRequest *request, PosternError code, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	answer(request, SPAN_EMPTY,
	       g_error_new(POSTERN_ERROR, code, _("%s of [account %s] %s"), request->key,
			   request->account->name, what));
}

/* ---- a command ------------------------------------------------------------------------------ */

static char *
complaint(const Output *err)
{
	g_autofree char *shown = safe_text(span_of(err->line, err->size), SAFE_LINE, NULL);

	return *g_strstrip(shown) ? g_strdup_printf(": %s", shown) : g_strdup("");
}

/* The end: it has exited, and what matters of its output is here. */
static void
settle(SecretRequest *request)
{
	g_autofree char *words = complaint(request->err);

	if (g_subprocess_get_if_signaled(request->process))
		fail(request, POSTERN_ERROR_LOGIN, _("was ended by signal %d%s"),
		     g_subprocess_get_term_sig(request->process), words);
	else if (g_subprocess_get_exit_status(request->process))
		fail(request, POSTERN_ERROR_LOGIN, _("ended with status %d%s"),
		     g_subprocess_get_exit_status(request->process), words);
	else if (request->out->is_cut)
		fail(request, POSTERN_ERROR_LOGIN, _("printed a line of more than %d bytes"),
		     SECRET_LINE_MAX);
	else if (!request->out->size)
		fail(request, POSTERN_ERROR_LOGIN, _("printed nothing as its first line%s"), words);
	else
		answer(request, span_of(request->out->line, request->out->size), NULL);
}

static gboolean
on_grace_over(void *data)
{
	settle(data);
	return G_SOURCE_REMOVE;
}

static void
settle_if_done(SecretRequest *request)
{
	const Output *wanted = request->out;

	if (!request->has_exited)
		return;
	if (g_subprocess_get_if_signaled(request->process) ||
	    g_subprocess_get_exit_status(request->process))
		wanted = request->err;
	if (wanted->is_whole || wanted->is_ended)
		settle(request);
	else if (!request->grace)
		request->grace =
		    keep_source(request, g_timeout_source_new(GRACE_MS), on_grace_over);
}

static void
output_keep(Output *output, Span piece)
{
	const char *newline;
	size_t size;

	output->total += span_size(piece);
	if (output->is_whole)
		return;
	newline = memchr(piece.at, '\n', span_size(piece));
	output->is_whole = newline != NULL;
	size = newline ? (size_t)(newline - piece.at) : span_size(piece);
	if (size > output->limit - output->size) {
		size = output->limit - output->size;
		output->is_cut = true;
	}
	memcpy(output->line + output->size, piece.at, size);
	output->size += size;
}

static gboolean
on_output(GObject *stream, void *data)
{
	Output *output = data;
	SecretRequest *request = output->request;
	char piece[PIECE_MAX];
	g_autoptr(GError) error = NULL;
	gssize n = g_pollable_input_stream_read_nonblocking(output->stream, piece, sizeof piece,
							    NULL, &error);

	if (n < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
		return G_SOURCE_CONTINUE;
	if (n > 0)
		output_keep(output, span_of(piece, (size_t)n));
	secret_wipe(piece, sizeof piece);
	if (output->total > SECRET_OUTPUT_MAX) {
		fail(request, POSTERN_ERROR_LOGIN, _("printed more than %d bytes and was stopped"),
		     SECRET_OUTPUT_MAX);
		return G_SOURCE_REMOVE;
	}
	if (n <= 0) {
		output->is_ended = true;
		g_clear_pointer(&output->source, g_source_unref);
	}
	settle_if_done(request);
	return n > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static Output *
output_new(SecretRequest *request, GInputStream *stream, size_t limit)
{
	Output *output = g_new0(Output, 1);

	output->request = request;
	output->limit = limit;
	output->stream = G_POLLABLE_INPUT_STREAM(stream);
	output->source = g_pollable_input_stream_create_source(output->stream, NULL);
	g_source_set_callback(output->source, G_SOURCE_FUNC(on_output), output, NULL);
	g_source_attach(output->source, request->context);
	return output;
}

/* A request that was freed meanwhile has cancelled the wait: then DATA is not to be touched. */
static void
on_exit_seen(GObject *process, GAsyncResult *result, void *data)
{
	SecretRequest *request = data;
	g_autoptr(GError) error = NULL;

	if (!g_subprocess_wait_finish(G_SUBPROCESS(process), result, &error))
		return;
	request->has_exited = true;
	settle_if_done(request);
}

static gboolean
on_deadline(void *data)
{
	SecretRequest *request = data;

	fail(request, POSTERN_ERROR_LOGIN, _("took too long and was stopped"));
	return G_SOURCE_REMOVE;
}

static void
run_command(SecretRequest *request, const char *command)
{
	g_autoptr(GError) error = NULL;

	request->process =
	    g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
			     &error, "/bin/sh", "-c", command, NULL);
	if (!request->process) {
		fail(request, POSTERN_ERROR_LOGIN, _("could not be run: %s"), error->message);
		return;
	}
	request->out =
	    output_new(request, g_subprocess_get_stdout_pipe(request->process), SECRET_LINE_MAX);
	request->err =
	    output_new(request, g_subprocess_get_stderr_pipe(request->process), COMPLAINT_MAX);
	g_subprocess_wait_async(request->process, request->cancellable, on_exit_seen, request);
}

/* ---- a file --------------------------------------------------------------------------------- */

static void
file_line_free(FileLine *file)
{
	g_free(file->path);
	secret_wipe(file->line, sizeof file->line);
	g_free(file);
}

/* Worker thread: a file may be on a disk that takes its time.  O_NONBLOCK is for a FIFO. */
static void
read_file(GTask *task, void *source, void *data, GCancellable *cancellable)
{
	FileLine *file = data;
	g_autofree char *shown = safe_line(file->path);
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &info) < 0) {
		g_task_return_new_error(task, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
					_("cannot be read: %s: %s"), shown, g_strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		g_task_return_new_error(task, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
					_("is not a file: %s"), shown);
	} else if (info.st_mode & (S_IRWXG | S_IRWXO)) {
		g_autofree char *quoted = g_shell_quote(shown);

		g_task_return_new_error(task, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
					_("is open to others: close it with chmod 600 %s"), quoted);
	} else {
		while (file->size < sizeof file->line &&
		       (n = read(fd, file->line + file->size, sizeof file->line - file->size)) > 0)
			file->size += (size_t)n;
		if (n < 0)
			g_task_return_new_error(task, POSTERN_ERROR, POSTERN_ERROR_CONFIG,
						_("cannot be read: %s: %s"), shown,
						g_strerror(errno));
		else
			g_task_return_boolean(task, TRUE);
	}
	if (fd >= 0)
		close(fd);
}

/* As with on_exit_seen: once cancelled, DATA is gone. */
static void
on_file_read(GObject *source, GAsyncResult *result, void *data)
{
	SecretRequest *request = data;
	FileLine *file = g_task_get_task_data(G_TASK(result));
	g_autoptr(GError) error = NULL;
	const char *newline;

	if (!g_task_propagate_boolean(G_TASK(result), &error)) {
		if (error->domain == POSTERN_ERROR)
			fail(request, (PosternError)error->code, "%s", error->message);
		return;
	}
	newline = memchr(file->line, '\n', file->size);
	if (!newline && file->size > SECRET_LINE_MAX)
		fail(request, POSTERN_ERROR_CONFIG, _("begins with a line of more than %d bytes"),
		     SECRET_LINE_MAX);
	else
		answer(request,
		       span_of(file->line, newline ? (size_t)(newline - file->line) : file->size),
		       NULL);
}

static void
ask_file(SecretRequest *request, const char *path)
{
	g_autoptr(GTask) task = g_task_new(NULL, request->cancellable, on_file_read, request);
	FileLine *file = g_new0(FileLine, 1);

	file->path = g_strdup(path);
	g_task_set_task_data(task, file, (GDestroyNotify)file_line_free);
	g_task_run_in_thread(task, read_file);
}

/* ---- the contract ----------------------------------------------------------------------------- */

static const char *
source_key(const ConfigAccount *account)
{
	if (account->token_command)
		return "token-command";
	if (account->password_command)
		return "password-command";
	return account->password_file ? "password-file" : "password";
}

static gboolean
on_start(void *data)
{
	SecretRequest *request = data;
	const ConfigAccount *account = request->account;
	g_autoptr(GMainContext) context = g_main_context_ref(request->context);

	g_clear_pointer(&request->start, g_source_unref);
	g_main_context_push_thread_default(context);
	if (account->token_command || account->password_command)
		run_command(request, account->token_command ? account->token_command
							    : account->password_command);
	else if (account->password_file)
		ask_file(request, account->password_file);
	else if (account->password)
		answer(request, span_of_string(account->password), NULL);
	else
		fail(request, POSTERN_ERROR_LOGIN,
		     _("is not there: add password-command or password-file"));
	g_main_context_pop_thread_default(context); /* the request may be gone */
	return G_SOURCE_REMOVE;
}

SecretRequest *
secret_ask(const ConfigAccount *account, GMainContext *context, int timeout_ms,
	   SecretFunc on_secret, void *data)
{
	SecretRequest *request = g_new0(SecretRequest, 1);
	unsigned timeout = timeout_ms > 0 ? (unsigned)timeout_ms : SECRET_TIMEOUT_MS;

	request->account = account;
	request->context = g_main_context_ref(context ? context : g_main_context_default());
	request->key = source_key(account);
	request->on_secret = on_secret;
	request->data = data;
	request->cancellable = g_cancellable_new();
	request->start = keep_source(request, g_idle_source_new(), on_start);
	request->deadline = keep_source(request, g_timeout_source_new(timeout), on_deadline);
	return request;
}

void
secret_request_free(SecretRequest *request)
{
	if (!request)
		return;
	stop(request);
	g_object_unref(request->cancellable);
	g_main_context_unref(request->context);
	g_free(request);
}
