/* A message's tree of parts, as BODYSTRUCTURE tells it, and what to show first.  Built by the
 * engine from the wire's records; owned strings, valid UTF-8, NOT through the door.  Any thread.
 * A tree may be of any depth; nothing here recurses on it without a limit. */
#ifndef MAIL_PART_H
#define MAIL_PART_H

#include "base/span.h"

typedef struct MailPart MailPart;
struct MailPart {
	char *section; /* "1.2", as BODY[] names it; "" for a multipart root; a message/rfc822's own
			 * multipart body has the section of the message */
	char *type;    /* "text/plain", lower case */
	char *charset; /* parameter; NULL: none */
	char *encoding; /* "base64", lower case; "" none */
	/* The disposition's file name, else the type's; RFC 2231 and 2047 decoded; NULL: none. */
	char *name;
	char *description;	   /* NULL: none */
	char *content_id;	   /* NULL: none */
	bool is_attachment;	   /* its disposition says so; never of a multipart */
	bool format_flowed, delsp; /* RFC 3676 */
	uint64_t size_octets;	   /* as transferred; 0 for a multipart */
	uint32_t size_lines;
	char *subject, *from; /* of a message/rfc822; NULL else */
	GPtrArray *children;  /* of MailPart; never NULL; owned by the part, not by the array */
	bool cut; /* the server sent more parts than we keep; imap/response.h's limits */
};

/* Empty: the strings that are never NULL are still to be set. */
MailPart *mail_part_new(void);
void mail_part_free(MailPart *part); /* and all below it; NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailPart, mail_part_free)

/* The first in order when two share a section (a message and its multipart); NULL when there is
 * no such section. */
const MailPart *mail_part_find(const MailPart *root, const char *section);

/* The leaves to read, in order:
 *  - of an alternative, text/plain if it has substance, else text/html, else what can be read; a
 *    plain part that is empty, or a sentence beside a large HTML ("your program cannot show
 *    this"), has none
 *  - of a related its root, of a signed the signed part, of a report what it says in words and
 *    its machine readable status, of any other multipart each inline text
 * Never descends into attachments, nor into a message inside the message: that is a part to
 * select, and then the ROOT of a call of its own.  Calendars, cards and the like are only read
 * where there is nothing else.  Borrowed pointers; yours to g_ptr_array_unref. */
GPtrArray *mail_part_readable(const MailPart *root);

/* What SHOWN (mail_part_readable's, or the beginning of it) does not show, for a line each, in
 * order: every other leaf and each message inside, named or not and whatever its disposition.
 * Left out are only
 *  - the pictures of an HTML: an image with a Content-ID, in a related and not its root
 *  - signatures, and the version line of an encrypted message
 *  - the choices of an alternative that say the same again: its texts that are no attachments;
 *    a calendar is listed
 * A message as ROOT is looked into.  Borrowed pointers; yours to g_ptr_array_unref. */
GPtrArray *mail_part_unshown(const MailPart *root, const GPtrArray *shown);

/* How many a list would show a paper clip for, by the same rule: attachments, messages inside and
 * all that is no text; less the message that a report returns and what an encrypted message
 * holds.  The engine's record_attachments says the same of the wire's records. */
unsigned mail_part_attachments(const MailPart *root);

/* A name for saving (RFC 2183, 2.3): the last component only; no control, no leading dot, dash,
 * tilde or space, no name that means a device somewhere, at most 255 bytes of UTF-8, cut before
 * the extension; through the door, its placeholders as "_"; "part-1.2.pdf" by section and type
 * where nothing is left.  Never empty; yours to g_free. */
char *mail_part_file_name(const MailPart *part);

#endif
