#include "base/log.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2000

struct Log {
	int refs;	      /* atomic */
	pthread_mutex_t lock; /* one that the thread sanitizer sees */
	FILE *file;
	int failure; /* errno of the first write that failed; 0: none did */
	gint64 start_us;
};

Log *
log_open(const char *path, GError **error)
{
	Log *log;
	FILE *file;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE, "cannot write the log %s: %s",
			    path, g_strerror(errno));
		return NULL;
	}
	file = fdopen(fd, "a");
	setvbuf(file, NULL, _IOLBF, 0);
	log = g_new0(Log, 1);
	log->refs = 1;
	pthread_mutex_init(&log->lock, NULL);
	log->file = file;
	log->start_us = g_get_monotonic_time();
	return log;
}

Log *
log_ref(Log *log)
{
	if (log)
		g_atomic_int_inc(&log->refs);
	return log;
}

void
log_unref(Log *log)
{
	if (!log || !g_atomic_int_dec_and_test(&log->refs))
		return;
	fclose(log->file);
	pthread_mutex_destroy(&log->lock);
	g_free(log);
}

int
log_failure(Log *log)
{
	int failure;

	if (!log)
		return 0;
	pthread_mutex_lock(&log->lock);
	failure = log->failure;
	pthread_mutex_unlock(&log->lock);
	return failure;
}

static void
put_escaped(FILE *file, Span text)
{
	size_t size = span_size(text);

	if (size > LINE_MAX_BYTES)
		text.end = text.at + LINE_MAX_BYTES;
	for (const char *p = text.at; p < text.end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\r' || c == '\n')
			fputs(c == '\r' ? "\\r" : "\\n", file);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(file, "\\x%02x", c);
		else
			fputc(c, file);
	}
	if (size > LINE_MAX_BYTES)
		fprintf(file, " ... (%zu bytes)", size);
}

static void
put_line(Log *log, const char *who, const char *mark, Span text)
{
	gint64 ms = (g_get_monotonic_time() - log->start_us) / 1000;

	pthread_mutex_lock(&log->lock);
	fprintf(log->file, "%6" G_GINT64_FORMAT ".%03d %s %s", ms / 1000, (int)(ms % 1000), who,
		mark);
	put_escaped(log->file, text);
	errno = 0;
	fputc('\n', log->file); /* writes the line */
	if (ferror(log->file) && !log->failure)
		log->failure = errno ? errno : EIO;
	pthread_mutex_unlock(&log->lock);
}

void
log_event(Log *log, const char *who, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (!log)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	put_line(log, who, "", span_of_string(text));
}

void
log_line(Log *log, const char *who, LogDirection direction, Span line)
{
	if (log)
		put_line(log, who, direction == LOG_SENT ? "C: " : "S: ", line);
}
