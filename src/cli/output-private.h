/* Standard output for data, standard error for words.  Buffered; the first write that fails is
 * kept, and everything after it swallowed.  Main thread. */
#ifndef CLI_OUTPUT_PRIVATE_H
#define CLI_OUTPUT_PRIVATE_H

#include "base/span.h"

typedef struct CliOutput CliOutput;

CliOutput *cli_output_new(int fd);
void cli_output_free(CliOutput *output); /* NULL is fine; does not flush */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CliOutput, cli_output_free)

/* False with a FILE error when a write failed, now or before. */
bool cli_output_bytes(CliOutput *output, Span bytes, GError **error);
/* Takes what is in LINE and leaves it empty. */
bool cli_output_line(CliOutput *output, GString *line, GError **error);
bool cli_output_flush(CliOutput *output, GError **error);
/* The reader went away (EPIPE): a failure that needs no sentence. */
bool cli_output_has_no_reader(const CliOutput *output);
/* Cells of the terminal; 0: it is none. */
int cli_output_width(const CliOutput *output);

#endif
