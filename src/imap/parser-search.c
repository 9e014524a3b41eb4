/* What searches answer: SEARCH, SORT, ESEARCH, THREAD; and VANISHED. */
#include "parser-private.h"

/* *(SP nz-number) [SP "(MODSEQ" SP number ")"]  (RFC 9051; RFC 7162, 3.1.5).  A 0 names no message, and
 * is left out.  There may be millions: a first pass counts them, so that each costs four bytes. */
bool
imap_take_search(ImapParser *parser, Span *in, ImapResponse *out)
{
	Span ahead = *in, name;
	uint32_t number, *numbers;
	size_t n_numbers = 0;

	while (imap_take_number(&ahead, &number))
		n_numbers += number > 0;
	out->numbers.at = numbers = imap_arena_take(&parser->arena, n_numbers * sizeof(uint32_t));
	out->numbers.count = n_numbers;
	while (imap_take_number(in, &number)) {
		if (number)
			*numbers++ = number;
	}
	if (!imap_take_char(in, '('))
		return true;
	return imap_take_word(in, &name) && span_is_nocase(name, "MODSEQ") &&
	       imap_take_number64(in, &out->number) && imap_take_char(in, ')');
}

/* ---- ESEARCH ------------------------------------------------------------------------------------- */

/* "(" "TAG" SP tag [SP "MAILBOX" SP mailbox SP "UIDVALIDITY" SP n] ")" (RFC 4731; RFC 7377) */
static bool
take_correlator(ImapParser *parser, Span *in, ImapEsearch *esearch)
{
	Span name;

	if (!imap_take_char(in, '('))
		return true;
	while (!imap_take_char(in, ')')) {
		bool ok;

		if (!imap_take_word(in, &name))
			return false;
		if (span_is_nocase(name, "TAG"))
			ok = imap_take_astring(parser, in, &esearch->tag);
		else if (span_is_nocase(name, "MAILBOX"))
			ok = imap_take_astring(parser, in, &esearch->mailbox);
		else if (span_is_nocase(name, "UIDVALIDITY"))
			ok = imap_take_number(in, &esearch->uidvalidity);
		else
			ok = imap_skip_value(parser, in);
		if (!ok)
			return false;
	}
	return true;
}

/* "(" range SP (sequence-set / "NIL") ")"; RFC 9394 counts from the end with "-1:-100". */
static bool
take_partial(ImapParser *parser, Span *in, ImapEsearch *esearch)
{
	if (!imap_take_char(in, '(') || !imap_take_word(in, &esearch->partial_range))
		return false;
	esearch->partial = (ImapRanges){ 0 };
	if (!imap_take_nil(in) && !imap_take_ranges(parser, in, &esearch->partial))
		return false;
	esearch->has_partial = true;
	return imap_take_char(in, ')');
}

/* "(" number SP sequence-set *(SP number SP sequence-set) ")", gathered beside those before. */
static bool
take_updates(ImapParser *parser, Span *in, bool add)
{
	if (!imap_take_char(in, '('))
		return false;
	while (!imap_take_char(in, ')')) {
		struct ImapEsearchUpdate update = { .add = add };

		if (!imap_take_number(in, &update.position) ||
		    !imap_take_ranges(parser, in, &update.ranges))
			return false;
		imap_gather(parser, &update, sizeof update);
	}
	return true;
}

static bool
take_relevancy(ImapParser *parser, Span *in, ImapEsearch *esearch)
{
	size_t mark = imap_gather_begin(parser), size;
	uint32_t number;

	if (!imap_take_char(in, '('))
		return false;
	while (imap_take_number(in, &number))
		imap_gather(parser, &number, sizeof number);
	esearch->relevancy.at = imap_gather_end(parser, mark, &size);
	esearch->relevancy.count = size / sizeof(uint32_t);
	esearch->has_relevancy = true;
	return imap_take_char(in, ')');
}

static bool
take_return_data(ImapParser *parser, Span *in, Span name, ImapEsearch *esearch)
{
	if (span_is_nocase(name, "MIN"))
		return esearch->has_min = imap_take_number(in, &esearch->min);
	if (span_is_nocase(name, "MAX"))
		return esearch->has_max = imap_take_number(in, &esearch->max);
	if (span_is_nocase(name, "COUNT"))
		return esearch->has_count = imap_take_number(in, &esearch->count);
	if (span_is_nocase(name, "MODSEQ"))
		return esearch->has_modseq = imap_take_number64(in, &esearch->modseq);
	if (span_is_nocase(name, "ALL"))
		return esearch->has_all = imap_take_ranges(parser, in, &esearch->all);
	if (span_is_nocase(name, "PARTIAL"))
		return take_partial(parser, in, esearch);
	if (span_is_nocase(name, "ADDTO") || span_is_nocase(name, "REMOVEFROM"))
		return take_updates(parser, in, span_is_nocase(name, "ADDTO"));
	if (span_is_nocase(name, "RELEVANCY"))
		return take_relevancy(parser, in, esearch);
	return imap_skip_value(parser, in);
}

bool
imap_take_esearch(ImapParser *parser, Span *in, ImapResponse *out)
{
	size_t mark = imap_gather_begin(parser), size;
	ImapEsearch *esearch = &out->esearch;
	Span name;

	if (!take_correlator(parser, in, esearch))
		return false;
	while (imap_take_word(in, &name)) {
		if (span_is_nocase(name, "UID") && !esearch->uid) {
			esearch->uid = true;
			continue;
		}
		if (!take_return_data(parser, in, name, esearch))
			return false;
	}
	esearch->updates = imap_gather_end(parser, mark, &size);
	esearch->n_updates = size / sizeof(struct ImapEsearchUpdate);
	return true;
}

/* ---- THREAD -------------------------------------------------------------------------------------- */

/* thread-list = "(" (members [nested] / nested) ")" (RFC 5256, 5).  Each "(" remembers the depth that
 * its ")" returns to; a list that begins with a list has a parent that is not here.  A first pass
 * counts, for a thread may be as long as a response and as deep. */
typedef struct ThreadWalk {
	ImapThreadNode *nodes; /* NULL: count only */
	size_t n_nodes;
	uint32_t *depths;
	size_t n_depths, max_depths;
} ThreadWalk;

static void
add_node(ThreadWalk *walk, uint32_t number, uint32_t depth)
{
	if (walk->nodes)
		walk->nodes[walk->n_nodes] = (ImapThreadNode){ number, depth };
	walk->n_nodes++;
}

static bool
walk_threads(Span *in, ThreadWalk *walk)
{
	uint32_t depth = 0, number;
	bool opened = false;
	char c;

	while ((c = imap_peek(in))) {
		if (c == '(') {
			if (opened)
				add_node(walk, 0, depth++);
			if (walk->depths)
				walk->depths[walk->n_depths] = depth;
			walk->n_depths++;
			walk->max_depths = MAX(walk->max_depths, walk->n_depths);
			opened = true;
			in->at++;
			continue;
		}
		if (c == ')') {
			if (!walk->n_depths)
				return false;
			walk->n_depths--;
			if (walk->depths)
				depth = walk->depths[walk->n_depths];
			in->at++;
		} else if (!walk->n_depths || !imap_take_number(in, &number)) {
			return false;
		} else {
			add_node(walk, number, depth++);
		}
		opened = false;
	}
	return walk->n_depths == 0 && in->at == in->end;
}

bool
imap_take_thread(ImapParser *parser, Span *in, ImapResponse *out)
{
	ThreadWalk walk = { 0 };
	Span ahead = *in;

	if (!walk_threads(&ahead, &walk)) {
		*in = ahead;
		return false;
	}
	walk.nodes = imap_arena_take(&parser->arena, walk.n_nodes * sizeof(ImapThreadNode));
	walk.depths = imap_arena_take(&parser->arena, walk.max_depths * sizeof(uint32_t));
	walk.n_nodes = walk.n_depths = 0;
	walk_threads(in, &walk);
	out->threads.at = walk.nodes;
	out->threads.count = walk.n_nodes;
	return true;
}

/* ---- VANISHED (RFC 7162, 3.2.10) ------------------------------------------------------------------ */

bool
imap_take_vanished(ImapParser *parser, Span *in, ImapResponse *out)
{
	ImapStrings words;

	if (imap_peek(in) == '(') {
		if (!imap_take_strings(parser, in, &words))
			return false;
		for (size_t i = 0; i < words.count; i++) {
			if (span_is_nocase(words.at[i], "EARLIER"))
				out->vanished_earlier = true;
		}
	}
	return imap_at_end(in) || imap_take_ranges(parser, in, &out->ranges);
}
