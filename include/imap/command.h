/* Builds one command: arguments become atoms, quoted strings or literals as their bytes demand
 * (RFC 9051, 4.3; RFC 7888 LITERAL+/LITERAL-).  Text of ours goes in by imap_command_text; whatever
 * a person or a server chose goes in by the other verbs, which cannot be made to inject a line.
 * Secrets are kept apart, show as "[redacted]" in the trace, and are wiped.  One thread at a time.
 *
 * A value is an atom where its bytes allow, a quoted string when it is short printable ASCII
 * without '"' and '\\', and a literal otherwise: CR, LF and 8-bit bytes go as a literal.  A NUL fits
 * no string (only literal8): it makes the command invalid, and so does text of ours that could
 * break its line.  An invalid command is never sent. */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include "imap/response.h"

typedef struct ImapCommand ImapCommand;

/* NAME is the command's words without tag: "SELECT", "UID FETCH".  Static ASCII text. */
ImapCommand *imap_command_new(const char *name);
void imap_command_free(ImapCommand *command); /* NULL is fine; a sent one belongs to the session */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapCommand, imap_command_free)

/* False: a value or text was refused as said above. */
bool imap_command_is_valid(const ImapCommand *command);

/* Each puts one space (but none behind an open parenthesis) and then: */
void imap_command_text(ImapCommand *command, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* ... our own printable ASCII words, as they are; "{", which could be taken for a literal, is
 * refused */
void imap_command_atom(ImapCommand *command, Span value);     /* a flag or keyword; else invalid */
void imap_command_astring(ImapCommand *command, Span value);  /* atom, "quoted" or literal */
void imap_command_string(ImapCommand *command, Span value);   /* "quoted" or literal */
void imap_command_mailbox(ImapCommand *command, Span raw);    /* raw bytes, as LIST gave them */
void imap_command_literal8(ImapCommand *command, Span value); /* BINARY (RFC 3516) */
void imap_command_secret(ImapCommand *command, Span value);   /* astring, redacted */
void imap_command_secret_atom(ImapCommand *command, Span value); /* base64, as it is, redacted */

void imap_command_open(ImapCommand *command);  /* "(" */
void imap_command_close(ImapCommand *command); /* ")", without the space */

/* A sequence set kept short: UIDS need not be sorted or distinct, they are by the time they are
 * sent; runs become ranges. */
void imap_command_uids(ImapCommand *command, const ImapUid *uids, size_t count);
void imap_command_range(ImapCommand *command, uint32_t low, uint32_t high); /* 0 as high: "*" */

/* The text form of UIDS as above, yours to g_free: for tests, logs and journals. */
char *imap_sequence_set(const ImapUid *uids, size_t count);

#endif
