/* Response codes and the text behind them (RFC 9051, 7.1; RFC 5530; others as in ImapCode).
 * Nothing in here can fail a response: a status without its code is still a status.  A code whose
 * arguments are not its grammar is IMAP_CODE_UNKNOWN, with its name and text kept. */
#include "parser-private.h"

typedef bool (*TakeArguments)(ImapParser *parser, Span *in, ImapResponse *out);

typedef struct Code {
	const char *name;
	ImapCode code;
	TakeArguments take; /* NULL: none, or kept as code_text only */
} Code;

static bool
take_number_argument(ImapParser *parser, Span *in, ImapResponse *out)
{
	uint32_t number;

	if (!imap_take_number(in, &number))
		return false;
	out->number = number;
	return true;
}

static bool
take_modseq_argument(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_number64(in, &out->number);
}

static bool
take_capability(ImapParser *parser, Span *in, ImapResponse *out)
{
	size_t mark = imap_gather_begin(parser);
	Span word;

	while (imap_take_word(in, &word))
		imap_gather(parser, &word, sizeof word);
	out->strings = imap_gather_strings(parser, mark);
	return true;
}

static bool
take_list_argument(ImapParser *parser, Span *in, ImapResponse *out)
{
	return span_is_empty(*in) || imap_take_strings(parser, in, &out->strings);
}

/* One or more strings, in parentheses or not. */
static bool
take_string_arguments(ImapParser *parser, Span *in, ImapResponse *out)
{
	if (imap_peek(in) == '(')
		return imap_take_strings(parser, in, &out->strings);
	return imap_take_strings_rest(parser, in, &out->strings);
}

static bool
take_flags_argument(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_flags(parser, in, &out->flags);
}

static bool
take_appenduid(ImapParser *parser, Span *in, ImapResponse *out)
{
	return take_number_argument(parser, in, out) && imap_take_ranges(parser, in, &out->ranges);
}

static bool
take_copyuid(ImapParser *parser, Span *in, ImapResponse *out)
{
	return take_appenduid(parser, in, out) && imap_take_ranges(parser, in, &out->ranges2);
}

static bool
take_ranges_argument(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_ranges(parser, in, &out->ranges);
}

static const Code codes[] = {
	{ "ALERT", IMAP_CODE_ALERT, NULL },
	{ "ALREADYEXISTS", IMAP_CODE_ALREADYEXISTS, NULL },
	{ "ANNOTATE", IMAP_CODE_ANNOTATE, NULL },
	{ "ANNOTATIONS", IMAP_CODE_ANNOTATIONS, NULL },
	{ "APPENDUID", IMAP_CODE_APPENDUID, take_appenduid },
	{ "AUTHENTICATIONFAILED", IMAP_CODE_AUTHENTICATIONFAILED, NULL },
	{ "AUTHORIZATIONFAILED", IMAP_CODE_AUTHORIZATIONFAILED, NULL },
	{ "BADCHARSET", IMAP_CODE_BADCHARSET, take_list_argument },
	{ "BADCOMPARATOR", IMAP_CODE_BADCOMPARATOR, NULL },
	{ "BADEVENT", IMAP_CODE_BADEVENT, NULL },
	{ "BADURL", IMAP_CODE_BADURL, take_string_arguments },
	{ "CANNOT", IMAP_CODE_CANNOT, NULL },
	{ "CAPABILITY", IMAP_CODE_CAPABILITY, take_capability },
	{ "CLIENTBUG", IMAP_CODE_CLIENTBUG, NULL },
	{ "CLOSED", IMAP_CODE_CLOSED, NULL },
	{ "COMPRESSIONACTIVE", IMAP_CODE_COMPRESSIONACTIVE, NULL },
	{ "CONTACTADMIN", IMAP_CODE_CONTACTADMIN, NULL },
	{ "COPYUID", IMAP_CODE_COPYUID, take_copyuid },
	{ "CORRUPTION", IMAP_CODE_CORRUPTION, NULL },
	{ "EXPIRED", IMAP_CODE_EXPIRED, NULL },
	{ "EXPUNGEISSUED", IMAP_CODE_EXPUNGEISSUED, NULL },
	{ "HASCHILDREN", IMAP_CODE_HASCHILDREN, NULL },
	{ "HIGHESTMODSEQ", IMAP_CODE_HIGHESTMODSEQ, take_modseq_argument },
	{ "INPROGRESS", IMAP_CODE_INPROGRESS, NULL },
	{ "INUSE", IMAP_CODE_INUSE, NULL },
	{ "LIMIT", IMAP_CODE_LIMIT, NULL },
	{ "MAILBOXID", IMAP_CODE_MAILBOXID, take_string_arguments },
	{ "MAXCONVERTMESSAGES", IMAP_CODE_MAXCONVERTMESSAGES, NULL },
	{ "MAXCONVERTPARTS", IMAP_CODE_MAXCONVERTPARTS, NULL },
	{ "METADATA", IMAP_CODE_METADATA, NULL },
	{ "MODIFIED", IMAP_CODE_MODIFIED, take_ranges_argument },
	{ "NEWNAME", IMAP_CODE_NEWNAME, take_string_arguments },
	{ "NOMODSEQ", IMAP_CODE_NOMODSEQ, NULL },
	{ "NONEXISTENT", IMAP_CODE_NONEXISTENT, NULL },
	{ "NOPERM", IMAP_CODE_NOPERM, NULL },
	{ "NOTIFICATIONOVERFLOW", IMAP_CODE_NOTIFICATIONOVERFLOW, NULL },
	{ "NOTSAVED", IMAP_CODE_NOTSAVED, NULL },
	{ "NOUPDATE", IMAP_CODE_NOUPDATE, take_string_arguments },
	{ "OVERLIMIT", IMAP_CODE_OVERLIMIT, NULL },
	{ "OVERQUOTA", IMAP_CODE_OVERQUOTA, NULL },
	{ "PARSE", IMAP_CODE_PARSE, NULL },
	{ "PERMANENTFLAGS", IMAP_CODE_PERMANENTFLAGS, take_flags_argument },
	{ "PRIVACYREQUIRED", IMAP_CODE_PRIVACYREQUIRED, NULL },
	{ "READ-ONLY", IMAP_CODE_READ_ONLY, NULL },
	{ "READ-WRITE", IMAP_CODE_READ_WRITE, NULL },
	{ "REFERRAL", IMAP_CODE_REFERRAL, NULL },
	{ "SERVERBUG", IMAP_CODE_SERVERBUG, NULL },
	{ "TEMPFAIL", IMAP_CODE_TEMPFAIL, NULL },
	{ "THROTTLED", IMAP_CODE_THROTTLED, NULL },
	{ "TOOBIG", IMAP_CODE_TOOBIG, NULL },
	{ "TRYCREATE", IMAP_CODE_TRYCREATE, NULL },
	{ "UIDNEXT", IMAP_CODE_UIDNEXT, take_number_argument },
	{ "UIDNOTSTICKY", IMAP_CODE_UIDNOTSTICKY, NULL },
	{ "UIDVALIDITY", IMAP_CODE_UIDVALIDITY, take_number_argument },
	{ "UNAVAILABLE", IMAP_CODE_UNAVAILABLE, NULL },
	{ "UNDEFINED-FILTER", IMAP_CODE_UNDEFINED_FILTER, NULL },
	{ "UNKNOWN-CTE", IMAP_CODE_UNKNOWN_CTE, NULL },
	{ "UNSEEN", IMAP_CODE_UNSEEN, take_number_argument },
	{ "USEATTR", IMAP_CODE_USEATTR, NULL },
	{ "WEBALERT", IMAP_CODE_WEBALERT, NULL },
};

static const Code *
find_code(Span name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (span_is_nocase(name, codes[i].name))
			return &codes[i];
	}
	return NULL;
}

/* The "]" that ends a code begun at IN: behind strings, and behind brackets of its own (an IPv6
 * address in a REFERRAL, a keyword with brackets).  Where quotes or brackets do not pair up, the
 * first "]" will do.  NULL: there is none. */
static const char *
find_code_end(ImapParser *parser, Span in)
{
	const char *first = span_is_empty(in) ? NULL : memchr(in.at, ']', span_size(in));
	size_t depth = 0;

	if (!first)
		return NULL;
	while (in.at < in.end) {
		if (*in.at == '"' || *in.at == '{') {
			if (imap_skip_string(parser, &in))
				continue;
			if (*in.at == '"') /* it would be looked for again and again */
				return first;
		}
		if (*in.at == ']' && depth-- == 0)
			return in.at;
		if (*in.at == '[')
			depth++;
		in.at++;
	}
	return first;
}

static void
take_code(ImapParser *parser, Span in, ImapResponse *out)
{
	const Code *code;
	Span name;

	out->code = IMAP_CODE_UNKNOWN;
	if (!imap_take_word(&in, &name)) {
		out->code_name = name;
		out->code_text = in;
		return;
	}
	/* "PERMANENTFLAGS(\*)" */
	out->code_name = name;
	imap_skip_spaces(&in);
	out->code_text = in;
	code = find_code(name);
	if (!code)
		return;
	if (code->take && (!code->take(parser, &in, out) || !imap_at_end(&in))) {
		out->number = 0;
		out->strings = (ImapStrings){ 0 };
		out->ranges = out->ranges2 = (ImapRanges){ 0 };
		out->flags = (ImapFlags){ 0 };
		return;
	}
	out->code = code->code;
}

void
imap_take_resp_text(ImapParser *parser, Span *in, ImapResponse *out)
{
	const char *end;

	if (imap_peek(in) == '[') {
		end = find_code_end(parser, (Span){ in->at + 1, in->end });
		if (end) {
			take_code(parser, (Span){ in->at + 1, end }, out);
			in->at = end + 1;
			imap_skip_spaces(in);
		}
	}
	out->text = *in;
	in->at = in->end;
}
