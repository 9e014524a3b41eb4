/* From the wire's records to the store's: a batch of messages on its way in.  The engine's thread. */
#ifndef ENGINE_RECORD_PRIVATE_H
#define ENGINE_RECORD_PRIVATE_H

#include "imap/response.h"
#include "store/store.h"

/* What a FETCH for the list asks for: all that StoreMessage takes (RFC 9051, 6.4.5).  The second
 * also works where CONDSTORE is known (RFC 7162, 3.1.4). */
#define RECORD_ITEMS	    "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
#define RECORD_ITEMS_MODSEQ "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)"

/* For messages whose structure a server cannot put into words. */
#define RECORD_ITEMS_HEADER                                                                        \
	"(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE SUBJECT FROM TO CC "    \
	"REPLY-TO MESSAGE-ID IN-REPLY-TO)])"
#define RECORD_ITEMS_BARE "(UID FLAGS INTERNALDATE RFC822.SIZE)"

typedef struct RecordBatch RecordBatch;

RecordBatch *record_batch_new(void);
void record_batch_free(RecordBatch *batch); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecordBatch, record_batch_free)

/* An answer to RECORD_ITEMS, not one that tells of flags alone.  An envelope that could not be read
 * (the parser skips such an item) leaves a message that is listed without its words. */
bool record_is_whole(const ImapFetch *fetch);

/* Copies what the store keeps of FETCH, header fields decoded.  False: it is not whole. */
bool record_batch_add(RecordBatch *batch, const ImapFetch *fetch);

/* The same of an answer to RECORD_ITEMS_HEADER or _BARE; without a header, with a subject that says
 * why there is none. */
bool record_batch_add_bare(RecordBatch *batch, const ImapFetch *fetch);

/* Borrowed until the next _add or _clear. */
const StoreMessage *record_batch_messages(const RecordBatch *batch, size_t *n);
void record_batch_clear(RecordBatch *batch);

/* The wire's flags as the store's; KEYWORDS get the rest, separated by spaces. */
uint16_t record_flags(const ImapFlags *flags, GString *keywords);

/* Parts that a list shows a paper clip for; the same rule as mail_part_attachments. */
unsigned record_attachments(const ImapBodyPart *parts, size_t n_parts);

#endif
