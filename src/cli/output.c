#include "output-private.h"

#include "base/error.h"
#include "base/i18n.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 };

struct CliOutput {
	int fd;
	int failed; /* errno of the first write that failed; 0: none */
	GString *buffer;
};

CliOutput *
cli_output_new(int fd)
{
	CliOutput *output = g_new0(CliOutput, 1);

	output->fd = fd;
	output->buffer = g_string_sized_new(BUFFER_BYTES);
	return output;
}

void
cli_output_free(CliOutput *output)
{
	if (!output)
		return;
	g_string_free(output->buffer, TRUE);
	g_free(output);
}

static void
write_all(CliOutput *output, Span bytes)
{
	while (!span_is_empty(bytes) && !output->failed) {
		ssize_t n = write(output->fd, bytes.at, span_size(bytes));

		if (n >= 0) {
			bytes.at += n;
		} else if (errno == EAGAIN) { /* somebody shares the pipe and made it so */
			struct pollfd wait = { .fd = output->fd, .events = POLLOUT };

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			output->failed = errno;
		}
	}
}

static bool
report(const CliOutput *output, GError **error)
{
	if (!output->failed)
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, _("cannot write the output: %s"),
		    g_strerror(output->failed));
	return false;
}

bool
cli_output_flush(CliOutput *output, GError **error)
{
	write_all(output, span_of(output->buffer->str, output->buffer->len));
	g_string_truncate(output->buffer, 0);
	return report(output, error);
}

bool
cli_output_bytes(CliOutput *output, Span bytes, GError **error)
{
	if (output->buffer->len + span_size(bytes) > BUFFER_BYTES &&
	    !cli_output_flush(output, error))
		return false;
	if (span_size(bytes) > BUFFER_BYTES)
		write_all(output, bytes);
	else if (!output->failed && !span_is_empty(bytes))
		g_string_append_len(output->buffer, bytes.at, (gssize)span_size(bytes));
	return report(output, error);
}

bool
cli_output_line(CliOutput *output, GString *line, GError **error)
{
	bool good = cli_output_bytes(output, span_of(line->str, line->len), error);

	g_string_truncate(line, 0);
	return good;
}

bool
cli_output_has_no_reader(const CliOutput *output)
{
	return output->failed == EPIPE;
}

int
cli_output_width(const CliOutput *output)
{
	struct winsize size;

	if (!isatty(output->fd) || ioctl(output->fd, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}
