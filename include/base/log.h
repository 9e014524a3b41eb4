/* The readable trace behind --log FILE: one line an event, for people who debug.  Secrets are
 * redacted by whoever writes the line, before it gets here; bytes from outside are escaped
 * here, so that a trace is safe to `cat`.  Any thread.  A NULL Log swallows everything. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/span.h"

typedef struct Log Log;

/* The file is made 0600, and appended to.  NULL with ERROR set when that fails. */
Log *log_open(const char *path, GError **error);
Log *log_ref(Log *log);	  /* NULL is fine */
void log_unref(Log *log); /* NULL is fine; the last one closes the file */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Log, log_unref)

/* The errno of the first line that could not be written; 0: all were. */
int log_failure(Log *log);

/* A line of our own words: time, WHO ("imap 2", "store"), then the text. */
void log_event(Log *log, const char *who, const char *format, ...) G_GNUC_PRINTF(3, 4);

typedef enum {
	LOG_SENT,     /* shown as "C: " */
	LOG_RECEIVED, /* shown as "S: " */
} LogDirection;

/* A protocol line, without its CRLF.  Control and 8-bit bytes are shown as \xNN; only the first
 * 2,000 bytes are kept, followed by how many there were. */
void log_line(Log *log, const char *who, LogDirection direction, Span line);

#endif
