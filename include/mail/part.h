/* A message's tree of parts, as BODYSTRUCTURE tells it, and what to show first.  Built by the
 * engine from the wire's records; owned strings, valid UTF-8, NOT through the door.  Any thread. */
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
	char *
	    name; /* filename (disposition's first, then the type's; RFC 2231 and 2047 decoded); NULL:
			 * none */
	char *description; /* NULL: none */
	char *content_id;  /* NULL: none */
	bool
	    is_attachment; /* disposition attachment, or a leaf that is not text and has a name... */
	bool format_flowed, delsp; /* RFC 3676 */
	uint64_t size_octets;	   /* as transferred; 0 for a multipart */
	uint32_t size_lines;
	char *subject, *from; /* of a message/rfc822; NULL else */
	GPtrArray *children;  /* of MailPart, owned; never NULL */
	bool cut; /* the server sent more parts than we keep; see the limits in imap/response.h */
};

MailPart *mail_part_new(void);
void mail_part_free(MailPart *part); /* NULL is fine; not recursive on the C stack */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailPart, mail_part_free)

/* NULL when there is no such section. */
const MailPart *mail_part_find(const MailPart *root, const char *section);

/* The leaves to read: of an alternative the first sensible one (text/plain if it has substance,
 * else text/html), of a related its root, of a mixed every inline text.  Borrowed pointers, in
 * order; yours to g_ptr_array_unref.  Never descends into attachments. */
GPtrArray *mail_part_readable(const MailPart *root);

/* How many a list would show a paper clip for. */
unsigned mail_part_attachments(const MailPart *root);

/* RFC 2183, 2.3: the last component only, no control, no leading dot or dash, at most 255 bytes of
 * UTF-8, through the door; "part-1.2.pdf" by section and type where there is none.  Yours to g_free. */
char *mail_part_file_name(const MailPart *part);

#endif
