/* What the session needs of a command, and nobody else: its pieces, and how they are written as
 * the server allows at that moment. */
#ifndef IMAP_COMMAND_PRIVATE_H
#define IMAP_COMMAND_PRIVATE_H

#include "imap/command.h"

/* Bytes on their way out.  They may be secrets, so that every place they have been in is wiped. */
typedef struct ImapWire {
	char *at;
	size_t start, end, capacity;
} ImapWire;

void imap_wire_put(ImapWire *wire, const void *bytes, size_t size);
void imap_wire_drop(ImapWire *wire, size_t size_bytes); /* from the front */
void imap_wire_clear(ImapWire *wire);

/* Which literals may go without asking (RFC 7888). */
typedef enum {
	IMAP_LITERALS_ASK,   /* none */
	IMAP_LITERALS_SMALL, /* LITERAL-: up to 4096 bytes */
	IMAP_LITERALS_ALL,   /* LITERAL+ */
} ImapLiterals;

#define IMAP_LITERAL_MINUS_MAX_BYTES 4096

/* How far a command has been written. */
typedef struct ImapCursor {
	size_t piece;
	bool announced; /* that piece is a literal, its "{n}" is out, and "+" has to come first */
} ImapCursor;

const char *imap_command_name(const ImapCommand *command);
bool imap_command_has_literal(const ImapCommand *command);
/* True when the first words behind the name are TEXT, ASCII without case. */
bool imap_command_begins(const ImapCommand *command, const char *text);

/* Writes TAG, the name and the pieces from *CURSOR on, up to a literal that must be asked for (false;
 * call again when "+" came) or to the command's end (true).  Each whole line goes to TRACE (NULL
 * is fine) as a person may read it: secrets redacted, literals as "{n} ...", no line end. */
bool imap_command_write(const ImapCommand *command, const char *tag, ImapLiterals literals,
			ImapCursor *cursor, ImapWire *wire, GString *trace);

#endif
