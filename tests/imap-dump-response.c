#include "imap-dump-response.h"

#include "imap/mutf7.h"

static const char *const type_names[] = {
	[IMAP_RESPONSE_CONTINUE] = "CONTINUE",
	[IMAP_RESPONSE_OK] = "OK",
	[IMAP_RESPONSE_NO] = "NO",
	[IMAP_RESPONSE_BAD] = "BAD",
	[IMAP_RESPONSE_BYE] = "BYE",
	[IMAP_RESPONSE_PREAUTH] = "PREAUTH",
	[IMAP_RESPONSE_CAPABILITY] = "CAPABILITY",
	[IMAP_RESPONSE_ENABLED] = "ENABLED",
	[IMAP_RESPONSE_FLAGS] = "FLAGS",
	[IMAP_RESPONSE_LIST] = "LIST",
	[IMAP_RESPONSE_LSUB] = "LSUB",
	[IMAP_RESPONSE_XLIST] = "XLIST",
	[IMAP_RESPONSE_NAMESPACE] = "NAMESPACE",
	[IMAP_RESPONSE_STATUS] = "STATUS",
	[IMAP_RESPONSE_SEARCH] = "SEARCH",
	[IMAP_RESPONSE_SORT] = "SORT",
	[IMAP_RESPONSE_ESEARCH] = "ESEARCH",
	[IMAP_RESPONSE_THREAD] = "THREAD",
	[IMAP_RESPONSE_EXISTS] = "EXISTS",
	[IMAP_RESPONSE_RECENT] = "RECENT",
	[IMAP_RESPONSE_EXPUNGE] = "EXPUNGE",
	[IMAP_RESPONSE_VANISHED] = "VANISHED",
	[IMAP_RESPONSE_FETCH] = "FETCH",
	[IMAP_RESPONSE_ID] = "ID",
	[IMAP_RESPONSE_QUOTA] = "QUOTA",
	[IMAP_RESPONSE_QUOTAROOT] = "QUOTAROOT",
	[IMAP_RESPONSE_ACL] = "ACL",
	[IMAP_RESPONSE_LISTRIGHTS] = "LISTRIGHTS",
	[IMAP_RESPONSE_MYRIGHTS] = "MYRIGHTS",
	[IMAP_RESPONSE_METADATA] = "METADATA",
	[IMAP_RESPONSE_LANGUAGE] = "LANGUAGE",
	[IMAP_RESPONSE_COMPARATOR] = "COMPARATOR",
	[IMAP_RESPONSE_GENURLAUTH] = "GENURLAUTH",
	[IMAP_RESPONSE_URLFETCH] = "URLFETCH",
	[IMAP_RESPONSE_UIDFETCH] = "UIDFETCH",
	[IMAP_RESPONSE_UNKNOWN] = "UNKNOWN",
};

static void
append_number(GString *text, uint32_t number)
{
	if (number == UINT32_MAX)
		g_string_append_c(text, '*');
	else
		g_string_append_printf(text, "%u", number);
}

/* As IMAP writes them: "3:5,7,9:*". */
static void
dump_ranges(Json *json, const char *key, ImapRanges ranges)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < ranges.count; i++) {
		if (i)
			g_string_append_c(text, ',');
		append_number(text, ranges.at[i].low);
		if (ranges.at[i].low != ranges.at[i].high) {
			g_string_append_c(text, ':');
			append_number(text, ranges.at[i].high);
		}
	}
	json_text(json, key, text->str);
}

static void
dump_numbers(Json *json, const char *key, ImapNumbers numbers)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < numbers.count; i++)
		json_number(json, NULL, numbers.at[i]);
	json_close(json, ']');
}

/* DELIMITER '\0' is NIL. */
static void
dump_delimiter(Json *json, char delimiter)
{
	json_span(json, "delimiter", delimiter ? span_of(&delimiter, 1) : SPAN_EMPTY);
}

/* ---- conditions -------------------------------------------------------------------------------- */

static void
dump_code_arguments(Json *json, const ImapResponse *response)
{
	switch (response->code) {
	case IMAP_CODE_CAPABILITY:
		dump_strings(json, "capabilities", response->strings);
		break;
	case IMAP_CODE_BADCHARSET:
		dump_strings(json, "charsets", response->strings);
		break;
	case IMAP_CODE_BADURL:
	case IMAP_CODE_MAILBOXID:
	case IMAP_CODE_NEWNAME:
	case IMAP_CODE_NOUPDATE:
		dump_strings(json, "strings", response->strings);
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		dump_flags(json, "permanentflags", &response->flags);
		break;
	case IMAP_CODE_UIDNEXT:
		json_number(json, "uidnext", response->number);
		break;
	case IMAP_CODE_UIDVALIDITY:
		json_number(json, "uidvalidity", response->number);
		break;
	case IMAP_CODE_UNSEEN:
		json_number(json, "unseen", response->number);
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		json_number(json, "highestmodseq", response->number);
		break;
	case IMAP_CODE_APPENDUID:
		json_number(json, "uidvalidity", response->number);
		dump_ranges(json, "uids", response->ranges);
		break;
	case IMAP_CODE_COPYUID:
		json_number(json, "uidvalidity", response->number);
		dump_ranges(json, "source_uids", response->ranges);
		dump_ranges(json, "uids", response->ranges2);
		break;
	case IMAP_CODE_MODIFIED:
		dump_ranges(json, "modified", response->ranges);
		break;
	default:
		break;
	}
}

static void
dump_condition(Json *json, const ImapResponse *response)
{
	if (response->code != IMAP_CODE_NONE) {
		g_autofree char *name = span_dup(response->code_name);
		g_autofree char *upper = g_ascii_strup(name, -1);

		json_text(json, "code", upper);
		if (response->code == IMAP_CODE_UNKNOWN)
			json_bool(json, "code_unknown", true);
		if (!span_is_empty(response->code_text))
			json_span(json, "code_text", response->code_text);
		dump_code_arguments(json, response);
	}
	json_span(json, "text", response->text);
}

/* ---- data -------------------------------------------------------------------------------------- */

static void
dump_list(Json *json, const ImapList *list)
{
	g_autofree char *decoded = imap_mailbox_name_decode(list->name, false);

	dump_strings(json, "attributes", list->attributes);
	dump_delimiter(json, list->delimiter);
	json_span(json, "name", list->name);
	json_text(json, "decoded_name", decoded);
	if (list->childinfo.count)
		dump_strings(json, "childinfo", list->childinfo);
	if (list->oldname.at)
		json_span(json, "oldname", list->oldname);
	if (list->myrights.at)
		json_span(json, "myrights", list->myrights);
}

static void
dump_status(Json *json, const ImapStatus *status)
{
	const struct {
		unsigned bit;
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ IMAP_STATUS_MESSAGES, "messages", status->messages },
		{ IMAP_STATUS_RECENT, "recent", status->recent },
		{ IMAP_STATUS_UNSEEN, "unseen", status->unseen },
		{ IMAP_STATUS_UIDNEXT, "uidnext", status->uidnext },
		{ IMAP_STATUS_UIDVALIDITY, "uidvalidity", status->uidvalidity },
		{ IMAP_STATUS_DELETED, "deleted", status->deleted },
		{ IMAP_STATUS_SIZE, "size", status->size },
		{ IMAP_STATUS_HIGHESTMODSEQ, "highestmodseq", status->highestmodseq },
		{ IMAP_STATUS_DELETED_STORAGE, "deleted_storage", status->deleted_storage },
	};

	json_span(json, "mailbox", status->mailbox);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		if (status->present & numbers[i].bit)
			json_number(json, numbers[i].name, numbers[i].value);
	}
	if (status->present & IMAP_STATUS_APPENDLIMIT && status->appendlimit_nil)
		json_null(json, "appendlimit");
	else if (status->present & IMAP_STATUS_APPENDLIMIT)
		json_number(json, "appendlimit", status->appendlimit);
	if (status->present & IMAP_STATUS_MAILBOXID)
		json_span(json, "mailboxid", status->mailboxid);
}

static void
dump_namespace(Json *json, const char *key, const ImapNamespace *at, size_t count)
{
	if (!at) {
		json_null(json, key);
		return;
	}
	json_open(json, key, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, NULL, '{');
		json_span(json, "prefix", at[i].prefix);
		dump_delimiter(json, at[i].delimiter);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_namespaces(Json *json, const ImapNamespaces *spaces)
{
	dump_namespace(json, "personal", spaces->personal.at, spaces->personal.count);
	dump_namespace(json, "others", spaces->others.at, spaces->others.count);
	dump_namespace(json, "shared", spaces->shared.at, spaces->shared.count);
}

static void
dump_updates(Json *json, const ImapEsearch *esearch)
{
	json_open(json, "updates", '[');
	for (size_t i = 0; i < esearch->n_updates; i++) {
		json_open(json, NULL, '{');
		json_text(json, "type", esearch->updates[i].add ? "ADDTO" : "REMOVEFROM");
		json_number(json, "position", esearch->updates[i].position);
		dump_ranges(json, "set", esearch->updates[i].ranges);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_esearch(Json *json, const ImapEsearch *esearch)
{
	json_span(json, "correlator", esearch->tag);
	if (esearch->mailbox.at) {
		json_span(json, "mailbox", esearch->mailbox);
		json_number(json, "uidvalidity", esearch->uidvalidity);
	}
	json_bool(json, "uid", esearch->uid);
	if (esearch->has_min)
		json_number(json, "min", esearch->min);
	if (esearch->has_max)
		json_number(json, "max", esearch->max);
	if (esearch->has_count)
		json_number(json, "count", esearch->count);
	if (esearch->has_modseq)
		json_number(json, "modseq", esearch->modseq);
	if (esearch->has_all)
		dump_ranges(json, "all", esearch->all);
	if (esearch->has_partial) {
		json_span(json, "partial_range", esearch->partial_range);
		dump_ranges(json, "partial", esearch->partial);
	}
	if (esearch->n_updates)
		dump_updates(json, esearch);
	if (esearch->has_relevancy)
		dump_numbers(json, "relevancy", esearch->relevancy);
}

static void
dump_threads(Json *json, const ImapResponse *response)
{
	json_open(json, "threads", '[');
	for (size_t i = 0; i < response->threads.count; i++) {
		const ImapThreadNode *node = &response->threads.at[i];

		json_open(json, NULL, '{');
		if (node->number)
			json_number(json, "number", node->number);
		else
			json_null(json, "number");
		json_number(json, "depth", node->depth);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_quota(Json *json, const ImapQuota *quota)
{
	json_span(json, "root", quota->root);
	json_open(json, "resources", '[');
	for (size_t i = 0; i < quota->n_resources; i++) {
		json_open(json, NULL, '{');
		json_span(json, "name", quota->resources[i].name);
		json_number(json, "usage", quota->resources[i].usage);
		json_number(json, "limit", quota->resources[i].limit);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
dump_rights(Json *json, const ImapResponse *response)
{
	ImapStrings strings = response->strings;

	json_span(json, "mailbox", response->mailbox);
	if (response->type == IMAP_RESPONSE_MYRIGHTS) {
		json_span(json, "rights", strings.at[0]);
		return;
	}
	json_span(json, "identifier", strings.at[0]);
	json_span(json, "required", strings.count > 1 ? strings.at[1] : SPAN_EMPTY);
	strings.at += MIN(strings.count, 2);
	strings.count -= MIN(strings.count, 2);
	dump_strings(json, "optional", strings);
}

static void
dump_metadata(Json *json, const ImapResponse *response)
{
	json_span(json, "mailbox", response->mailbox);
	if (response->strings.count)
		dump_strings(json, "changed", response->strings);
	else
		dump_pairs(json, "entries", response->pairs);
}

static void
dump_mailbox_data(Json *json, const ImapResponse *response)
{
	switch (response->type) {
	case IMAP_RESPONSE_LIST:
	case IMAP_RESPONSE_LSUB:
	case IMAP_RESPONSE_XLIST:
		dump_list(json, &response->list);
		break;
	case IMAP_RESPONSE_STATUS:
		dump_status(json, &response->status);
		break;
	case IMAP_RESPONSE_NAMESPACE:
		dump_namespaces(json, &response->namespaces);
		break;
	case IMAP_RESPONSE_QUOTA:
		dump_quota(json, &response->quota);
		break;
	case IMAP_RESPONSE_QUOTAROOT:
		json_span(json, "mailbox", response->mailbox);
		dump_strings(json, "roots", response->strings);
		break;
	case IMAP_RESPONSE_ACL:
		json_span(json, "mailbox", response->mailbox);
		dump_pairs(json, "rights", response->pairs);
		break;
	case IMAP_RESPONSE_LISTRIGHTS:
	case IMAP_RESPONSE_MYRIGHTS:
		dump_rights(json, response);
		break;
	case IMAP_RESPONSE_METADATA:
		dump_metadata(json, response);
		break;
	default:
		break;
	}
}

static void
dump_session_data(Json *json, const ImapResponse *response)
{
	switch (response->type) {
	case IMAP_RESPONSE_CAPABILITY:
	case IMAP_RESPONSE_ENABLED:
		dump_strings(json, "capabilities", response->strings);
		break;
	case IMAP_RESPONSE_FLAGS:
		dump_flags(json, "flags", &response->flags);
		break;
	case IMAP_RESPONSE_ID:
		dump_pairs(json, "parameters", response->pairs);
		break;
	case IMAP_RESPONSE_LANGUAGE:
		dump_strings(json, "languages", response->strings);
		break;
	case IMAP_RESPONSE_COMPARATOR:
		dump_strings(json, "comparators", response->strings);
		break;
	case IMAP_RESPONSE_GENURLAUTH:
		dump_strings(json, "urls", response->strings);
		break;
	case IMAP_RESPONSE_URLFETCH:
		dump_pairs(json, "urls", response->pairs);
		break;
	default:
		break;
	}
}

static void
dump_message_data(Json *json, const ImapResponse *response)
{
	switch (response->type) {
	case IMAP_RESPONSE_EXISTS:
	case IMAP_RESPONSE_RECENT:
	case IMAP_RESPONSE_EXPUNGE:
		json_number(json, "number", response->number);
		break;
	case IMAP_RESPONSE_SEARCH:
	case IMAP_RESPONSE_SORT:
		dump_numbers(json, "numbers", response->numbers);
		if (response->number)
			json_number(json, "modseq", response->number);
		break;
	case IMAP_RESPONSE_ESEARCH:
		dump_esearch(json, &response->esearch);
		break;
	case IMAP_RESPONSE_THREAD:
		dump_threads(json, response);
		break;
	case IMAP_RESPONSE_VANISHED:
		json_bool(json, "earlier", response->vanished_earlier);
		dump_ranges(json, "uids", response->ranges);
		break;
	case IMAP_RESPONSE_FETCH:
	case IMAP_RESPONSE_UIDFETCH:
		dump_fetch(json, &response->fetch);
		break;
	case IMAP_RESPONSE_UNKNOWN:
		json_span(json, "name", response->name);
		json_span(json, "text", response->text);
		break;
	default:
		break;
	}
}

void
dump_response(Json *json, const ImapResponse *response)
{
	json_open(json, NULL, '{');
	json_span(json, "tag", response->tag);
	json_text(json, "type", type_names[response->type]);
	if (response->type <= IMAP_RESPONSE_PREAUTH) {
		dump_condition(json, response);
	} else {
		dump_session_data(json, response);
		dump_mailbox_data(json, response);
		dump_message_data(json, response);
	}
	json_close(json, '}');
	json_line_end(json);
}
