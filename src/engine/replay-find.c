/* Which messages of a mailbox are those we look for: after a line that broke, after an answer that did
 * not say where something went, and when UIDs are not what they were.
 *
 * Two messages are the same when Message-ID and size are; without a Message-ID, when size and
 * INTERNALDATE are (RFC 9051, 6.4.7: a copy keeps it).  Those that are the same as each other are as
 * good as each other: first each is given the one with its own Date header, then they are handed out lowest
 * UID first. */
#include "replay-private.h"

#include "mail/header.h"

#define FIND_ITEMS  "(UID RFC822.SIZE INTERNALDATE ENVELOPE)"
#define BRIEF_ITEMS "(UID RFC822.SIZE INTERNALDATE)"
#define ENVELOPES   1000 /* of more only those are asked for that differ in the rest */

static Step fetch_hits(Group *group);
static Step match(Group *group);

static void
candidate_clear(void *data)
{
	g_free(((Candidate *)data)->message_id);
}

void
find_clear(Group *group)
{
	g_clear_pointer(&group->lost, g_array_unref);
	g_clear_pointer(&group->candidates, g_array_unref);
	group->fetching = false;
}

/* Whatever is not OK leaves us in the dark: what was not seen may be there all the same. */
static void
on_found(Group *group, ImapOutcome outcome, const ImapResponse *response)
{
	if (outcome == IMAP_OUTCOME_OK)
		return;
	group_refuse(group, response);
	group->find_failed = group->passing = true;
}

void
find_send_search(Group *group, ImapCommand *command)
{
	ImapTicket ticket = 0;

	if (group_send(group, command, on_found, &ticket))
		g_hash_table_add(group->searches, GUINT_TO_POINTER(ticket));
}

void
find_take_hits(Group *group)
{
	for (guint i = 0; i < group->hits->len; i++) {
		Target *target = group_find_uid(group, g_array_index(group->hits, uint32_t, i));

		if (target)
			target->there = true;
	}
}

static Step
fetch_from(Group *group)
{
	ImapCommand *command;
	Step step;

	if (!group_select(group, group->find_in, false, &step))
		return step;
	command = imap_command_new("UID FETCH");
	imap_command_range(command, MAX(group->find_from, 1), 0);
	imap_command_text(command, FIND_ITEMS);
	group->fetching = true;
	group->step = match;
	group_send(group, command, on_found, NULL);
	return group->pending ? STEP_WAIT : STEP_ON;
}

static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static Step
search_ids(Group *group)
{
	Store *store = group->account->engine->store;
	Step step;

	if (!group_select(group, group->find_in, false, &step))
		return step;
	g_array_set_size(group->hits, 0);
	group->step = fetch_hits;
	for (guint i = 0; i < group->lost->len; i++) {
		const Target *target = &g_array_index(group->lost, Target, i);
		g_autoptr(StoreRow) row = NULL;
		ImapCommand *command;

		if (!store_row_by_id(store, target->message, &row, NULL))
			continue;
		command = imap_command_new("UID SEARCH");
		if (*row->message_id && is_ascii(row->message_id)) {
			imap_command_text(command, "HEADER MESSAGE-ID");
			imap_command_string(command, span_of_string(row->message_id));
		} else {
			imap_command_text(command,
					  "LARGER %" G_GUINT64_FORMAT " SMALLER %" G_GUINT64_FORMAT,
					  row->size ? row->size - 1 : 0, row->size + 1);
		}
		find_send_search(group, command);
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static Step
fetch_hits(Group *group)
{
	g_autoptr(GArray) hits = g_array_new(FALSE, TRUE, sizeof(Target));
	guint next = 0;
	Step step;

	if (group->find_failed)
		return group_give_up(group);
	if (!group_select(group, group->find_in, false, &step))
		return step;
	g_array_sort(group->hits, by_number);
	for (guint i = 0; i < group->hits->len; i++) {
		Target hit = { .uid = g_array_index(group->hits, uint32_t, i) };

		g_array_append_val(hits, hit);
	}
	group->step = match;
	group->fetching = true;
	while (next < hits->len) {
		ImapCommand *command = imap_command_new("UID FETCH");

		replay_put_uids(command, hits, &next);
		imap_command_text(command, "%s", group->find_brief ? BRIEF_ITEMS : FIND_ITEMS);
		group_send(group, command, on_found, NULL);
	}
	return group->pending ? STEP_WAIT : STEP_ON;
}

/* ---- who is who ------------------------------------------------------------------------------ */

/* Those that are the same as each other. */
typedef struct Alike {
	unsigned wanted, found;
	StoreId oldest; /* of those that are wanted */
	GQueue uids;	/* of what was found and is not handed out: as pointers */
} Alike;

static void
alike_free(void *data)
{
	g_queue_clear(&((Alike *)data)->uids);
	g_free(data);
}

/* What makes two messages the same.  DATED: size alone beside a Message-ID is not enough. */
static char *
key_of(const Group *group, const char *id, uint64_t size, int64_t received)
{
	bool dated = !group->find_from || !*id;

	/* A server may count the octets of what it was given in its own way. */
	if (group->kind == STORE_INTENT_APPEND && *id)
		return g_strdup(id);
	return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s", size,
			       dated ? received : 0, id);
}

static int
by_candidate(const void *a, const void *b)
{
	uint32_t x = ((const Candidate *)a)->uid, y = ((const Candidate *)b)->uid;

	return x < y ? -1 : x > y;
}

/* The keys of what is looked for, and its dates, beside GROUP->lost; an empty one when its row is not
 * there. */
static GPtrArray *
lost_keys(Group *group, GHashTable *alikes, GArray *dates)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < group->lost->len; i++) {
		const Target *target = &g_array_index(group->lost, Target, i);
		g_autoptr(StoreRow) row = NULL;
		Alike *alike;
		char *key = g_strdup("");

		if (store_row_by_id(group->account->engine->store, target->message, &row, NULL)) {
			g_free(key);
			key = key_of(group, row->message_id, row->size, row->received);
		}
		g_array_append_vals(dates, row ? &row->date : &(int64_t){ 0 }, 1);
		alike = g_hash_table_lookup(alikes, key);
		if (!alike) {
			alike = g_new0(Alike, 1);
			alike->oldest = target->message;
			g_queue_init(&alike->uids);
			g_hash_table_insert(alikes, g_strdup(key), alike);
		}
		alike->wanted++;
		alike->oldest = MIN(alike->oldest, target->message);
		g_ptr_array_add(keys, key);
	}
	return keys;
}

/* Is what is there under UID known to be another one?  The group put it there, or it was known before
 * the first of ALIKE: what the mirror meets of those is younger.  Nor is an original its own copy, where
 * both are in one mailbox. */
static bool
is_another(Group *group, uint32_t uid, const Alike *alike)
{
	g_autoptr(StoreRow) row = NULL;

	if (group->kind == STORE_INTENT_COPY && group->find_in == group->mailbox &&
	    group_find_uid(group, uid))
		return true;
	if (group->find_in == group->row->dest &&
	    g_hash_table_contains(group->given, GUINT_TO_POINTER(uid)))
		return true;
	return store_row_by_uid(group->account->engine->store, group->find_in, uid, &row, NULL) &&
	       row->id < alike->oldest;
}

static void
find_alikes(Group *group, GHashTable *alikes)
{
	uint32_t last = 0;

	g_array_sort(group->candidates, by_candidate);
	for (guint i = 0; i < group->candidates->len; i++) {
		const Candidate *candidate = &g_array_index(group->candidates, Candidate, i);
		g_autofree char *key =
		    key_of(group, candidate->message_id, candidate->size, candidate->received);
		Alike *alike = g_hash_table_lookup(alikes, key);

		if (!alike || candidate->uid == last || is_another(group, candidate->uid, alike))
			continue;
		last = candidate->uid;
		alike->found++;
		g_queue_push_tail(&alike->uids, GUINT_TO_POINTER(candidate->uid));
	}
}

/* As the store tells them apart: by Message-ID where both have one. */
static bool
is_what_it_should_be(const Candidate *candidate, const StoreRow *row)
{
	if (*candidate->message_id && *row->message_id)
		return !strcmp(candidate->message_id, row->message_id);
	return candidate->size == row->size || candidate->received == row->received;
}

static void
match_uid(Group *group, Target *target, const Candidate *candidate)
{
	g_autoptr(StoreRow) row = NULL;

	if (!store_row_by_id(group->account->engine->store, target->message, &row, NULL))
		return;
	if (group->find_brief)
		target->other =
		    candidate->size != row->size || candidate->received != row->received;
	else
		target->other = !is_what_it_should_be(candidate, row);
	if (!target->other)
		target->new_uid = target->uid;
}

static void
match_uids(Group *group)
{
	g_array_sort(group->candidates, by_candidate);
	for (guint i = 0; i < group->lost->len; i++) {
		Target *target = &g_array_index(group->lost, Target, i);
		Candidate key = { .uid = target->uid };
		const Candidate *candidate =
		    group->candidates->len
			? bsearch(&key, group->candidates->data, group->candidates->len,
				  sizeof(Candidate), by_candidate)
			: NULL;

		if (candidate && !target->new_uid)
			match_uid(group, target, candidate);
	}
}

/* A server may reckon sizes anew: of those that differ the Message-ID says what they are. */
static Step
look_closer(Group *group)
{
	group->find_brief = false;
	g_array_set_size(group->candidates, 0);
	g_array_set_size(group->hits, 0);
	for (guint i = 0; i < group->lost->len; i++)
		if (at(group->lost, i)->other)
			g_array_append_val(group->hits, at(group->lost, i)->uid);
	group->step = group->hits->len ? fetch_hits : group->find_then;
	return STEP_ON;
}

static Step
match_check(Group *group)
{
	match_uids(group);
	if (group->find_brief)
		return look_closer(group);
	group->step = group->find_then;
	return STEP_ON;
}

/* Of those that are alike, the first with this DATE; 0: none. */
static uint32_t
take_dated(Group *group, Alike *alike, int64_t date)
{
	for (GList *link = alike->uids.head; link; link = link->next) {
		Candidate key = { .uid = GPOINTER_TO_UINT(link->data) };
		const Candidate *candidate =
		    bsearch(&key, group->candidates->data, group->candidates->len,
			    sizeof(Candidate), by_candidate);

		if (candidate->date != date)
			continue;
		g_queue_delete_link(&alike->uids, link);
		return key.uid;
	}
	return 0;
}

static Step
match(Group *group)
{
	g_autoptr(GHashTable) alikes =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, alike_free);
	g_autoptr(GArray) dates = g_array_new(FALSE, FALSE, sizeof(int64_t));
	g_autoptr(GPtrArray) keys = NULL;

	group->fetching = false;
	if (group->find_failed)
		return group_give_up(group);
	if (group->find_check)
		return match_check(group);
	keys = lost_keys(group, alikes, dates);
	find_alikes(group, alikes);
	for (guint i = 0; i < group->lost->len * 2; i++) {
		guint n = i % group->lost->len;
		Target *target = &g_array_index(group->lost, Target, n);
		Alike *alike = g_hash_table_lookup(alikes, keys->pdata[n]);
		bool many = alike->found > alike->wanted;

		group->find_ambiguous |= many;
		if (i == n)
			target->new_uid = 0;
		/* In the whole of a mailbox the others may be messages that nobody meant. */
		if (!target->new_uid && (!many || group->find_from))
			target->new_uid =
			    i == n ? take_dated(group, alike, g_array_index(dates, int64_t, n))
				   : GPOINTER_TO_UINT(g_queue_pop_head(&alike->uids));
	}
	group->step = group->find_then;
	return STEP_ON;
}

/* A session that has the mailbox selected knows what it was told of: what came over another line is not
 * in it before the server has looked again, and Dovecot looks when all that it was sent is answered. */
static Step
look_again(Group *group)
{
	Step step;

	if (!group_select(group, group->find_in, false, &step))
		return step;
	group->step = group->find_from ? fetch_from : search_ids;
	group_send(group, imap_command_new("NOOP"), on_found, NULL);
	return group->pending ? STEP_WAIT : STEP_ON;
}

Step
find_start(Group *group, StoreId mailbox, uint32_t from, GArray *take_targets, StepFunc then)
{
	find_clear(group);
	group->lost = take_targets;
	group->candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
	g_array_set_clear_func(group->candidates, candidate_clear);
	group->find_in = mailbox;
	group->find_from = from;
	group->find_then = then;
	group->find_ambiguous = group->find_failed = group->find_check = group->find_brief = false;
	group->step = look_again;
	return STEP_ON;
}

Step
find_check(Group *group, GArray *take_targets, StepFunc then)
{
	find_start(group, group->mailbox, 0, take_targets, then);
	group->find_check = true;
	group->find_brief = group->lost->len > ENVELOPES;
	g_array_set_size(group->hits, 0);
	for (guint i = 0; i < group->lost->len; i++)
		g_array_append_val(group->hits, g_array_index(group->lost, Target, i).uid);
	group->step = fetch_hits;
	return STEP_ON;
}

static void
take_candidate(Group *group, const ImapFetch *fetch)
{
	Candidate candidate = { .uid = fetch->uid.value,
				.size = fetch->size,
				.received = fetch->internaldate_ok ? fetch->internaldate : 0 };
	Span id = fetch->envelope.message_id;
	g_autoptr(GString) text = g_string_new(NULL);
	int zone_min;

	if (!candidate.uid || candidate.uid < group->find_from)
		return;
	if (!(fetch->present & IMAP_FETCH_ENVELOPE) ||
	    !mail_date_parse(fetch->envelope.date, &candidate.date, &zone_min))
		candidate.date = candidate.received;
	if (fetch->present & IMAP_FETCH_ENVELOPE)
		mail_header_decode(id, NULL, text);
	candidate.message_id = g_strdup(text->str);
	g_array_append_val(group->candidates, candidate);
}

/* The mirror's ask for FLAGS or BODYSTRUCTURE; a server may add FLAGS to any. */
static bool
is_ours(unsigned present)
{
	bool clean = (present & IMAP_FETCH_ENVELOPE) && !(present & IMAP_FETCH_UNKNOWN);

	return (present & IMAP_FETCH_SIZE) && !(present & IMAP_FETCH_BODYSTRUCTURE) &&
	       (clean || !(present & IMAP_FETCH_FLAGS));
}

bool
find_on_response(Group *group, const ImapResponse *response, ImapTicket ticket)
{
	bool ours;

	switch (response->type) {
	case IMAP_RESPONSE_SEARCH:
		if (!g_hash_table_contains(group->searches, GUINT_TO_POINTER(ticket)))
			return false;
		g_array_append_vals(group->hits, response->numbers.at,
				    (guint)response->numbers.count);
		return true;
	case IMAP_RESPONSE_FETCH:
		if (!group->fetching || !(response->fetch.present & IMAP_FETCH_SIZE))
			return false;
		ours = is_ours(response->fetch.present);
		if (ours || group->find_brief)
			take_candidate(group, &response->fetch);
		return ours;
	default:
		return false;
	}
}
