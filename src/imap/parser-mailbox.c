/* What is said of mailboxes and accounts: LIST, STATUS, NAMESPACE, QUOTA, ACL, METADATA, ID. */
#include "parser-private.h"

/* ---- LIST ---------------------------------------------------------------------------------------- */

/* DQUOTE QUOTED-CHAR DQUOTE or NIL.  Also "\" with its backslash not escaped, and a bare one. */
static bool
take_delimiter(ImapParser *parser, Span *in, char *delimiter)
{
	Span value;

	*delimiter = '\0';
	if (imap_peek(in) == '"' && in->end - in->at >= 4 && !memcmp(in->at, "\"\\\" ", 4)) {
		*delimiter = '\\';
		in->at += 3;
		return true;
	}
	if (!imap_take_nstring(parser, in, &value))
		return false;
	if (!imap_string_is_nil(value) && span_size(value) == 1)
		*delimiter = *value.at;
	return true;
}

/* tagged-ext-val whose strings we want: "(" strings ")" or one string. */
static bool
take_ext_strings(ImapParser *parser, Span *in, ImapStrings *out)
{
	size_t mark = imap_gather_begin(parser);
	Span value;

	if (imap_peek(in) == '(')
		return imap_take_strings(parser, in, out);
	if (!imap_take_astring(parser, in, &value))
		return false;
	imap_gather(parser, &value, sizeof value);
	*out = imap_gather_strings(parser, mark);
	return true;
}

static bool
take_ext_string(ImapParser *parser, Span *in, Span *out)
{
	ImapStrings strings;

	if (!take_ext_strings(parser, in, &strings))
		return false;
	if (strings.count)
		*out = strings.at[0];
	return true;
}

/* mbox-list-extended: "(" *(astring SP tagged-ext-val) ")" */
static bool
take_list_extended(ImapParser *parser, Span *in, ImapList *list)
{
	Span name;

	if (!imap_take_char(in, '('))
		return true;
	while (!imap_take_char(in, ')')) {
		bool ok;

		if (!imap_take_astring(parser, in, &name))
			return false;
		if (span_is_nocase(name, "CHILDINFO"))
			ok = take_ext_strings(parser, in, &list->childinfo);
		else if (span_is_nocase(name, "OLDNAME"))
			ok = take_ext_string(parser, in, &list->oldname);
		else if (span_is_nocase(name, "MYRIGHTS"))
			ok = take_ext_string(parser, in, &list->myrights);
		else
			ok = imap_skip_value(parser, in);
		if (!ok)
			return false;
	}
	return true;
}

bool
imap_take_list(ImapParser *parser, Span *in, ImapResponse *out)
{
	ImapList *list = &out->list;

	if (!imap_take_nil(in) && !imap_take_strings(parser, in, &list->attributes))
		return false;
	return take_delimiter(parser, in, &list->delimiter) &&
	       imap_take_astring(parser, in, &list->name) && take_list_extended(parser, in, list);
}

/* ---- STATUS -------------------------------------------------------------------------------------- */

typedef struct StatusItem {
	const char *name;
	ImapStatusBit bit;
	size_t offset; /* in ImapStatus */
	bool is_wide;
} StatusItem;

static const StatusItem status_items[] = {
	{ "MESSAGES", IMAP_STATUS_MESSAGES, offsetof(ImapStatus, messages), false },
	{ "RECENT", IMAP_STATUS_RECENT, offsetof(ImapStatus, recent), false },
	{ "UNSEEN", IMAP_STATUS_UNSEEN, offsetof(ImapStatus, unseen), false },
	{ "UIDNEXT", IMAP_STATUS_UIDNEXT, offsetof(ImapStatus, uidnext), false },
	{ "UIDVALIDITY", IMAP_STATUS_UIDVALIDITY, offsetof(ImapStatus, uidvalidity), false },
	{ "DELETED", IMAP_STATUS_DELETED, offsetof(ImapStatus, deleted), false },
	{ "SIZE", IMAP_STATUS_SIZE, offsetof(ImapStatus, size), true },
	{ "HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ, offsetof(ImapStatus, highestmodseq), true },
	{ "APPENDLIMIT", IMAP_STATUS_APPENDLIMIT, offsetof(ImapStatus, appendlimit), true },
	{ "DELETED-STORAGE", IMAP_STATUS_DELETED_STORAGE, offsetof(ImapStatus, deleted_storage),
	  true },
};

static bool
take_status_number(Span *in, const StatusItem *item, ImapStatus *status)
{
	char *field = (char *)status + item->offset;

	return item->is_wide ? imap_take_number64(in, (uint64_t *)(void *)field)
			     : imap_take_number(in, (uint32_t *)(void *)field);
}

/* False: not known, or not its value; the caller skips it. */
static bool
take_status_item(ImapParser *parser, Span *in, Span name, ImapStatus *status)
{
	for (size_t i = 0; i < G_N_ELEMENTS(status_items); i++) {
		const StatusItem *item = &status_items[i];

		if (!span_is_nocase(name, item->name))
			continue;
		if (item->bit == IMAP_STATUS_APPENDLIMIT && imap_take_nil(in))
			status->appendlimit_nil = true;
		else if (!take_status_number(in, item, status))
			return false;
		status->present |= item->bit;
		return true;
	}
	if (!span_is_nocase(name, "MAILBOXID") || !take_ext_string(parser, in, &status->mailboxid))
		return false;
	status->present |= IMAP_STATUS_MAILBOXID;
	return true;
}

bool
imap_take_status(ImapParser *parser, Span *in, ImapResponse *out)
{
	ImapStatus *status = &out->status;
	Span name;

	if (!imap_take_astring(parser, in, &status->mailbox) || !imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		Span value;

		if (!imap_take_word(in, &name))
			return false;
		value = *in;
		if (take_status_item(parser, in, name, status))
			continue;
		*in = value;
		if (!imap_skip_value(parser, in))
			return false;
	}
	return true;
}

/* ---- NAMESPACE (RFC 2342) ------------------------------------------------------------------------ */

static bool
take_namespaces(ImapParser *parser, Span *in, const ImapNamespace **at, size_t *count)
{
	size_t mark = imap_gather_begin(parser), size;
	ImapNamespace namespace;

	if (imap_at_end(in) || imap_take_nil(in)) /* left out: none */
		return true;
	if (!imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		if (!imap_take_char(in, '(') || !imap_take_astring(parser, in, &namespace.prefix) ||
		    !take_delimiter(parser, in, &namespace.delimiter) ||
		    !imap_skip_to_close(parser, in))
			return false;
		imap_gather(parser, &namespace, sizeof namespace);
	}
	*at = imap_gather_end(parser, mark, &size);
	*count = size / sizeof(ImapNamespace);
	return true;
}

bool
imap_take_namespace(ImapParser *parser, Span *in, ImapResponse *out)
{
	ImapNamespaces *spaces = &out->namespaces;

	return take_namespaces(parser, in, &spaces->personal.at, &spaces->personal.count) &&
	       take_namespaces(parser, in, &spaces->others.at, &spaces->others.count) &&
	       take_namespaces(parser, in, &spaces->shared.at, &spaces->shared.count);
}

/* ---- QUOTA (RFC 9208) ---------------------------------------------------------------------------- */

bool
imap_take_quota(ImapParser *parser, Span *in, ImapResponse *out)
{
	size_t mark = imap_gather_begin(parser), size;
	struct ImapQuotaResource resource;

	if (!imap_take_astring(parser, in, &out->quota.root) || !imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		if (!imap_take_word(in, &resource.name) ||
		    !imap_take_number_capped(in, INT64_MAX, &resource.usage) ||
		    !imap_take_number_capped(in, INT64_MAX, &resource.limit))
			return false;
		imap_gather(parser, &resource, sizeof resource);
	}
	out->quota.resources = imap_gather_end(parser, mark, &size);
	out->quota.n_resources = size / sizeof resource;
	return true;
}

bool
imap_take_quotaroot(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_astring(parser, in, &out->mailbox) &&
	       imap_take_strings_rest(parser, in, &out->strings);
}

/* ---- ACL (RFC 4314) ------------------------------------------------------------------------------ */

/* Strings in twos up to the end, or up to ")" when IN_LIST. */
static bool
take_pairs(ImapParser *parser, Span *in, bool in_list, ImapPairs *out)
{
	size_t mark = imap_gather_begin(parser);
	ImapPair pair;

	while (in_list ? !imap_take_char(in, ')') : !imap_at_end(in)) {
		if (!imap_take_nstring(parser, in, &pair.name) ||
		    !imap_take_nstring(parser, in, &pair.value))
			return false;
		imap_gather(parser, &pair, sizeof pair);
	}
	*out = imap_gather_pairs(parser, mark);
	return true;
}

bool
imap_take_acl(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_astring(parser, in, &out->mailbox) &&
	       take_pairs(parser, in, false, &out->pairs);
}

bool
imap_take_listrights(ImapParser *parser, Span *in, ImapResponse *out)
{
	return imap_take_astring(parser, in, &out->mailbox) &&
	       imap_take_strings_rest(parser, in, &out->strings) && out->strings.count > 0;
}

/* ---- METADATA (RFC 5464, 4.4) --------------------------------------------------------------------- */

bool
imap_take_metadata(ImapParser *parser, Span *in, ImapResponse *out)
{
	if (!imap_take_astring(parser, in, &out->mailbox))
		return false;
	if (imap_take_char(in, '('))
		return take_pairs(parser, in, true, &out->pairs);
	return imap_take_strings_rest(parser, in, &out->strings);
}

/* ---- ID (RFC 2971) ------------------------------------------------------------------------------- */

bool
imap_take_id(ImapParser *parser, Span *in, ImapResponse *out)
{
	if (imap_take_nil(in))
		return true;
	return imap_take_char(in, '(') && take_pairs(parser, in, true, &out->pairs);
}

/* ---- URLFETCH (RFC 4467; its metadata, RFC 5524, is passed over) ----------------------------------- */

bool
imap_take_urlfetch(ImapParser *parser, Span *in, ImapResponse *out)
{
	size_t mark = imap_gather_begin(parser);
	ImapPair pair;

	while (!imap_at_end(in)) {
		if (!imap_take_astring(parser, in, &pair.name))
			return false;
		pair.value = SPAN_EMPTY;
		if (imap_peek(in) != '(' && !imap_take_nstring(parser, in, &pair.value))
			return false;
		while (imap_peek(in) == '(') {
			if (!imap_skip_value(parser, in))
				return false;
		}
		imap_gather(parser, &pair, sizeof pair);
	}
	out->pairs = imap_gather_pairs(parser, mark);
	return true;
}

/* ---- COMPARATOR (RFC 5255, 4.8): the active one, then those that matched ---------------------------- */

bool
imap_take_comparator(ImapParser *parser, Span *in, ImapResponse *out)
{
	size_t mark = imap_gather_begin(parser);
	ImapStrings matched = { 0 };
	Span active;

	if (!imap_take_astring(parser, in, &active))
		return false;
	if (imap_peek(in) == '(' && !imap_take_strings(parser, in, &matched))
		return false;
	imap_gather(parser, &active, sizeof active);
	for (size_t i = 0; i < matched.count; i++)
		imap_gather(parser, &matched.at[i], sizeof(Span));
	out->strings = imap_gather_strings(parser, mark);
	return true;
}
