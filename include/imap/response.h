/* One response, parsed (RFC 3501 section 7 and 9, RFC 9051 section 7 and 9, and the extensions
 * named at each field).  Every span, array and string points into the frame it was parsed from,
 * into the parser's memory, or at static text ("", "multipart"): borrowed until the next
 * imap_parser_parse or imap_body_parse, and no longer than the frame.  A quoted string with
 * escapes is unescaped into the arena; otherwise nothing is copied.  One thread at a time.
 *
 * Strings: a Span with at == NULL is NIL; an empty string has at != NULL.  A streamed literal that
 * is no body section is an empty string. */
#ifndef IMAP_RESPONSE_H
#define IMAP_RESPONSE_H

#include "imap/framer.h"

typedef struct ImapUid {
	uint32_t value; /* 1..2^32-1; 0: none */
} ImapUid;

typedef struct ImapSeq {
	uint32_t value; /* 1..2^32-1; 0: none */
} ImapSeq;

static inline bool
imap_string_is_nil(Span span)
{
	return !span.at;
}

/* ---- what both sides of the protocol share ---------------------------------------------- */

/* A range of numbers, low <= high.  "*" is UINT32_MAX as high (or both). */
typedef struct ImapRange {
	uint32_t low, high;
} ImapRange;

typedef struct ImapRanges {
	const ImapRange *at;
	size_t count;
} ImapRanges; /* in the order sent; RFC 4315 needs that order */

typedef struct ImapNumbers {
	const uint32_t *at;
	size_t count;
} ImapNumbers;

typedef struct ImapStrings {
	const Span *at;
	size_t count;
} ImapStrings;

typedef struct ImapPair { /* ID, METADATA, body parameters */
	Span name, value; /* value may be NIL */
} ImapPair;

typedef struct ImapPairs {
	const ImapPair *at;
	size_t count;
} ImapPairs;

/* The system flags (RFC 9051, 2.3.2) as bits; everything else is a keyword. */
typedef enum {
	IMAP_FLAG_SEEN = 1 << 0,
	IMAP_FLAG_ANSWERED = 1 << 1,
	IMAP_FLAG_FLAGGED = 1 << 2,
	IMAP_FLAG_DELETED = 1 << 3,
	IMAP_FLAG_DRAFT = 1 << 4,
	IMAP_FLAG_RECENT = 1 << 5,
	IMAP_FLAG_ANY = 1 << 6, /* "\*", in PERMANENTFLAGS only */
} ImapFlagBit;

typedef struct ImapFlags {
	unsigned bits;	      /* of ImapFlagBit */
	ImapStrings keywords; /* as sent; unknown \Flags too */
} ImapFlags;

/* ---- response codes (RFC 9051 7.1, RFC 5530, and as named) ------------------------------- */

typedef enum {
	IMAP_CODE_NONE,
	IMAP_CODE_UNKNOWN, /* code_name and code_text keep it; also a known one that is malformed */
	IMAP_CODE_ALERT,
	IMAP_CODE_BADCHARSET, /* strings: charsets */
	IMAP_CODE_CAPABILITY, /* strings */
	IMAP_CODE_PARSE,
	IMAP_CODE_PERMANENTFLAGS, /* flags */
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_UIDNEXT,     /* number */
	IMAP_CODE_UIDVALIDITY, /* number */
	IMAP_CODE_UNSEEN,      /* number: a sequence number */
	IMAP_CODE_UNKNOWN_CTE, /* RFC 3516 */
	IMAP_CODE_APPENDUID,   /* RFC 4315: number = uidvalidity, ranges = new uids */
	IMAP_CODE_COPYUID,     /* RFC 4315: number = uidvalidity, ranges = source, ranges2 = dest */
	IMAP_CODE_UIDNOTSTICKY,
	IMAP_CODE_CLOSED,	 /* RFC 7162 */
	IMAP_CODE_HIGHESTMODSEQ, /* RFC 7162: number */
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_MODIFIED,	     /* RFC 7162: ranges */
	IMAP_CODE_COMPRESSIONACTIVE, /* RFC 4978 */
	IMAP_CODE_BADURL,	     /* RFC 4469: strings[0] */
	IMAP_CODE_TOOBIG,
	IMAP_CODE_BADCOMPARATOR, /* RFC 5255 */
	IMAP_CODE_MAXCONVERTMESSAGES,
	IMAP_CODE_MAXCONVERTPARTS,
	IMAP_CODE_TEMPFAIL, /* RFC 5259 */
	IMAP_CODE_METADATA, /* RFC 5464: code_text keeps LONGENTRIES n, MAXSIZE n, ... */
	IMAP_CODE_NOTIFICATIONOVERFLOW, /* RFC 5465 */
	IMAP_CODE_BADEVENT,
	IMAP_CODE_UNDEFINED_FILTER, /* RFC 5466 */
	IMAP_CODE_UNAVAILABLE,
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_EXPIRED,
	IMAP_CODE_PRIVACYREQUIRED,
	IMAP_CODE_CONTACTADMIN,
	IMAP_CODE_NOPERM,
	IMAP_CODE_INUSE,
	IMAP_CODE_EXPUNGEISSUED,
	IMAP_CODE_CORRUPTION,
	IMAP_CODE_SERVERBUG,
	IMAP_CODE_CLIENTBUG,
	IMAP_CODE_CANNOT,
	IMAP_CODE_LIMIT,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_NONEXISTENT, /* all RFC 5530 */
	IMAP_CODE_NOTSAVED,    /* RFC 5182 */
	IMAP_CODE_HASCHILDREN, /* RFC 9051 */
	IMAP_CODE_MAILBOXID,   /* RFC 8474: strings[0] */
	IMAP_CODE_USEATTR,     /* RFC 6154 */
	IMAP_CODE_REFERRAL,    /* RFC 2193, 2221: parsed, never followed */
	IMAP_CODE_NEWNAME,     /* RFC 2060, obsolete */
	IMAP_CODE_ANNOTATE,
	IMAP_CODE_ANNOTATIONS, /* RFC 5257 */
	IMAP_CODE_INPROGRESS,  /* RFC 9585: code_text keeps it */
	IMAP_CODE_THROTTLED,   /* Gmail */
	IMAP_CODE_OVERLIMIT,
	IMAP_CODE_WEBALERT, /* Gmail */
	IMAP_CODE_NOUPDATE, /* RFC 5267: strings[0], the tag */
} ImapCode;

/* ---- bodies ------------------------------------------------------------------------------ */

typedef struct ImapAddress { /* RFC 9051 7.5.2; a group starts with host NIL */
	Span name, route, mailbox, host;
} ImapAddress;

typedef struct ImapAddresses {
	const ImapAddress *at;
	size_t count;
} ImapAddresses;

typedef struct ImapEnvelope {
	Span date, subject;
	ImapAddresses from, sender, reply_to, to, cc, bcc;
	Span in_reply_to, message_id;
} ImapEnvelope;

/* A part of BODYSTRUCTURE or BODY.  A whole structure is one array in depth-first order (so that
 * the nesting of a hostile one costs no C stack): parts[0] is the root. */
typedef struct ImapBodyPart {
	Span type, subtype; /* never NIL; "" where a broken server sent NIL */
	ImapPairs parameters;
	Span id, description, encoding;
	uint32_t size_octets; /* 0 for a multipart */
	uint32_t size_lines;  /* text and message/rfc822 */
	Span md5, disposition;
	ImapPairs disposition_parameters;
	ImapStrings language;
	Span location;
	const ImapEnvelope *envelope; /* of a message/rfc822 (or message/global); else NULL */
	uint16_t depth;		      /* 0 for the root */
	uint32_t parent;	      /* index; the root's is its own */
	uint32_t next_sibling;	      /* index; 0: none */
	uint32_t n_children;
	uint32_t number; /* 1-based among its siblings, the last figure of its section (RFC 9051,
			  * 6.4.5); 0 for a root or the multipart inside a message/rfc822 */
} ImapBodyPart;

#define IMAP_BODY_MAX_DEPTH 100	  /* deeper ones are cut: body_truncated */
#define IMAP_BODY_MAX_PARTS 10000 /* likewise */

/* BODY[...], BINARY[...], BODY[...]<n>, RFC822, RFC822.HEADER, RFC822.TEXT of one FETCH. */
typedef struct ImapBodySection {
	Span item;    /* "BODY", "BINARY", "RFC822", "RFC822.HEADER", "RFC822.TEXT" */
	Span section; /* between the brackets: "", "1.2.MIME", "HEADER.FIELDS (FROM)" */
	bool has_origin;
	uint64_t origin; /* <n> */
	Span bytes;	 /* NIL: at == NULL; empty when streamed */
	bool streamed;	 /* its bytes went to the sink, stream_number-th of this response */
	uint32_t stream_number;
	uint64_t size_bytes;
} ImapBodySection;

typedef struct ImapBinarySize {
	Span section;
	uint32_t size;
} ImapBinarySize;

/* ---- responses --------------------------------------------------------------------------- */

typedef enum {
	IMAP_RESPONSE_CONTINUE, /* "+": text, code */
	/* conditions, tagged or not: code, text */
	IMAP_RESPONSE_OK,
	IMAP_RESPONSE_NO,
	IMAP_RESPONSE_BAD,
	IMAP_RESPONSE_BYE,
	IMAP_RESPONSE_PREAUTH,
	/* data, untagged only */
	IMAP_RESPONSE_CAPABILITY,
	IMAP_RESPONSE_ENABLED, /* strings */
	IMAP_RESPONSE_FLAGS,   /* flags */
	IMAP_RESPONSE_LIST,
	IMAP_RESPONSE_LSUB,
	IMAP_RESPONSE_XLIST,	 /* list */
	IMAP_RESPONSE_NAMESPACE, /* namespaces */
	IMAP_RESPONSE_STATUS,	 /* status */
	IMAP_RESPONSE_SEARCH,	 /* numbers, number = MODSEQ or 0 */
	IMAP_RESPONSE_SORT,	 /* likewise */
	IMAP_RESPONSE_ESEARCH,	 /* esearch */
	IMAP_RESPONSE_THREAD,	 /* threads */
	IMAP_RESPONSE_EXISTS,
	IMAP_RESPONSE_RECENT,
	IMAP_RESPONSE_EXPUNGE,	  /* number */
	IMAP_RESPONSE_VANISHED,	  /* ranges; vanished_earlier */
	IMAP_RESPONSE_FETCH,	  /* fetch; number = sequence number */
	IMAP_RESPONSE_ID,	  /* pairs */
	IMAP_RESPONSE_QUOTA,	  /* quota */
	IMAP_RESPONSE_QUOTAROOT,  /* mailbox, strings = roots */
	IMAP_RESPONSE_ACL,	  /* mailbox, pairs = identifier, rights */
	IMAP_RESPONSE_LISTRIGHTS, /* mailbox, strings: identifier, required, then optional ones */
	IMAP_RESPONSE_MYRIGHTS,	  /* mailbox, strings[0] */
	IMAP_RESPONSE_METADATA, /* mailbox, pairs = entry, value; or strings = entries (unsolicited) */
	IMAP_RESPONSE_LANGUAGE,
	IMAP_RESPONSE_COMPARATOR, /* strings */
	IMAP_RESPONSE_GENURLAUTH, /* strings */
	IMAP_RESPONSE_URLFETCH,	  /* pairs = url, data */
	IMAP_RESPONSE_UIDFETCH,	  /* RFC 9586 UIDONLY; like FETCH, number = uid */
	IMAP_RESPONSE_UNKNOWN,	  /* skipped whole: name, text = the rest */
} ImapResponseType;

typedef struct ImapList {
	Span name;		/* raw bytes as sent (RFC 9051 5.1): the mailbox's identity */
	char delimiter;		/* '\0': NIL */
	ImapStrings attributes; /* "\HasChildren", ... as sent */
	ImapStrings childinfo;	/* RFC 5258 CHILDINFO */
	Span oldname;		/* RFC 9051 OLDNAME, NIL without */
	Span myrights;		/* RFC 8440, NIL without */
} ImapList;

typedef struct ImapStatus { /* each present only when its bit is set */
	Span mailbox;
	unsigned present; /* of ImapStatusBit */
	uint32_t messages, recent, unseen, uidnext, uidvalidity, deleted;
	uint64_t size, highestmodseq, appendlimit, deleted_storage;
	bool appendlimit_nil;
	Span mailboxid; /* RFC 8474 */
} ImapStatus;

typedef enum {
	IMAP_STATUS_MESSAGES = 1 << 0,
	IMAP_STATUS_RECENT = 1 << 1,
	IMAP_STATUS_UNSEEN = 1 << 2,
	IMAP_STATUS_UIDNEXT = 1 << 3,
	IMAP_STATUS_UIDVALIDITY = 1 << 4,
	IMAP_STATUS_DELETED = 1 << 5,
	IMAP_STATUS_SIZE = 1 << 6, /* RFC 8438 */
	IMAP_STATUS_HIGHESTMODSEQ = 1 << 7,
	IMAP_STATUS_APPENDLIMIT = 1 << 8,     /* RFC 7889 */
	IMAP_STATUS_DELETED_STORAGE = 1 << 9, /* RFC 9208 */
	IMAP_STATUS_MAILBOXID = 1 << 10,
} ImapStatusBit;

typedef struct ImapNamespace {
	Span prefix;
	char delimiter; /* '\0': NIL */
			/* extensions (RFC 2342) are skipped, RFC 5255's TRANSLATION too */
} ImapNamespace;

typedef struct ImapNamespaces {
	struct {
		const ImapNamespace *at;
		size_t count;
	} personal, others, shared;
} ImapNamespaces;

typedef struct ImapEsearch { /* RFC 4731, 5267, 9394, 7377 */
	Span tag;	     /* of the command it answers; NIL without */
	bool uid;
	bool has_min, has_max, has_count, has_modseq, has_all, has_partial;
	uint32_t min, max, count;
	uint64_t modseq;
	ImapRanges all;
	Span partial_range; /* "1:50" as sent */
	ImapRanges partial; /* empty for NIL */
	/* CONTEXT updates (RFC 5267): position, numbers */
	struct ImapEsearchUpdate {
		bool add;
		uint32_t position;
		ImapRanges ranges;
	} const *updates;
	size_t n_updates;
	Span mailbox; /* RFC 7377 */
	uint32_t uidvalidity;
	bool has_relevancy;
	ImapNumbers relevancy; /* RFC 6203 */
} ImapEsearch;

/* THREAD (RFC 5256) flattened, depth first: a message, and how deep below the thread's root.
 * A missing parent (a list that begins with a list) is a node with number 0. */
typedef struct ImapThreadNode {
	uint32_t number;
	uint32_t depth; /* 0: a new thread */
} ImapThreadNode;

typedef struct ImapQuota { /* RFC 9208 */
	Span root;
	struct ImapQuotaResource {
		Span name;
		uint64_t usage, limit;
	} const *resources;
	size_t n_resources;
} ImapQuota;

typedef enum {
	IMAP_FETCH_UID = 1 << 0,
	IMAP_FETCH_FLAGS = 1 << 1,
	IMAP_FETCH_INTERNALDATE = 1 << 2,
	IMAP_FETCH_SIZE = 1 << 3,
	IMAP_FETCH_ENVELOPE = 1 << 4,
	IMAP_FETCH_BODYSTRUCTURE = 1 << 5, /* or BODY without brackets */
	IMAP_FETCH_MODSEQ = 1 << 6,
	IMAP_FETCH_PREVIEW = 1 << 7,  /* RFC 8970; SNIPPET of older Dovecot too */
	IMAP_FETCH_SAVEDATE = 1 << 8, /* RFC 8514 */
	IMAP_FETCH_EMAILID = 1 << 9,  /* RFC 8474 */
	IMAP_FETCH_THREADID = 1 << 10,
	IMAP_FETCH_GM_MSGID = 1 << 11, /* X-GM-EXT-1 */
	IMAP_FETCH_GM_THRID = 1 << 12,
	IMAP_FETCH_GM_LABELS = 1 << 13,
	IMAP_FETCH_UNKNOWN =
	    1 << 14, /* an item not known, or malformed, was skipped whole or in part */
} ImapFetchBit;

typedef struct ImapFetch { /* a field counts only when its bit is set */
	ImapSeq seq;	   /* 0 in UIDFETCH */
	unsigned present;  /* of ImapFetchBit */
	ImapUid uid;
	ImapFlags flags;
	Span internaldate_text;	   /* as sent */
	int64_t internaldate;	   /* seconds since the epoch; valid if internaldate_ok */
	int internaldate_zone_min; /* the sender's offset, minutes east */
	bool internaldate_ok;
	uint64_t size; /* RFC822.SIZE; 63 bits in RFC 9051 */
	ImapEnvelope envelope;
	const ImapBodyPart *parts; /* depth first, see ImapBodyPart */
	size_t n_parts;
	bool body_truncated; /* deeper or wider than the limits */
	Span structure_text; /* BODYSTRUCTURE's bytes as sent, for keeping: a whole parenthesised
				    * list; imap_body_parse takes it back */
	uint64_t modseq;
	Span preview; /* NIL when none */
	Span savedate_text;
	int64_t savedate; /* INT64_MIN for NIL or unreadable */
	Span emailid, threadid;
	uint64_t gm_msgid, gm_thrid;
	ImapStrings gm_labels;
	const ImapBodySection *sections;
	size_t n_sections;
	const ImapBinarySize *binary_sizes;
	size_t n_binary_sizes;
} ImapFetch;

typedef struct ImapResponse {
	ImapResponseType type;
	Span tag;  /* "*", "+", or the tag */
	Span name; /* the response's word as sent ("FETCH", "XFOO") */

	/* conditions and continuations */
	ImapCode code;
	Span code_name; /* as sent; NIL without a code */
	Span code_text; /* what stood behind the name, as sent */
	Span text;	/* human text; may be empty */

	/* by type or by code, as said above */
	uint64_t number;
	ImapStrings strings;
	ImapPairs pairs;
	ImapNumbers numbers;
	ImapRanges ranges, ranges2;
	ImapFlags flags;
	Span mailbox;
	bool vanished_earlier;
	union {
		ImapList list;
		ImapStatus status;
		ImapNamespaces namespaces;
		ImapEsearch esearch;
		ImapQuota quota;
		ImapFetch fetch;
		struct {
			const ImapThreadNode *at;
			size_t count;
		} threads;
	};
} ImapResponse;

/* ---- the parser -------------------------------------------------------------------------- */

typedef struct ImapParser ImapParser; /* an arena and its limits; reused for every response */

ImapParser *imap_parser_new(void);
void imap_parser_free(ImapParser *parser); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapParser, imap_parser_free)

/* Parses one frame.  False: not the grammar; *ERROR_OFFSET is how far into frame->text it was
 * understood.  What only looks odd (an unknown response, item, code) is skipped whole, not an
 * error.  Linear in the frame; no recursion. */
bool imap_parser_parse(ImapParser *parser, const ImapFrame *frame, ImapResponse *out,
		       size_t *error_offset);

/* Takes back ImapFetch.structure_text.  The result is borrowed like a response's, and ends it. */
bool imap_body_parse(ImapParser *parser, Span text, const ImapBodyPart **parts, size_t *n_parts,
		     bool *truncated);

/* "1.2", "1", "" for part INDEX, as BODY[...] names it (RFC 9051, 6.4.5): a root that is not a
 * multipart is "1"; the whole message's multipart root is "".  The multipart right inside a
 * message/rfc822 "2" has no number of its own: "2.TEXT".  Yours to g_free. */
char *imap_body_section(const ImapBodyPart *parts, size_t index);

#endif
