/* What is gone, where the server did not say so: the UIDs here are held against those there (compare.c),
 * with as little asked as tells them apart. */
#include "mirror-private.h"

#define NUMBERS_AT_ONCE 500 /* in one command: about 4 KB (RFC 7162, 4) */
#define RANGES_AT_ONCE	300
#define ANEW_MAX	5 /* times it is begun again because numbers shifted meanwhile */
#define FOUND_SPARE	1000

static void ask(Mirror *mirror);

/* ---- answers ----------------------------------------------------------------------------------- */

/* A search finds no more than there is: what else is said is not kept. */
static bool
may_find(Mirror *mirror, uint64_t more)
{
	mirror->found_count += more;
	return mirror->found_count <= (uint64_t)mirror->exists + FOUND_SPARE;
}

static void
take_found(Mirror *mirror, ImapRange range)
{
	if (!range.low || range.low > range.high ||
	    !may_find(mirror, (uint64_t)range.high - range.low + 1))
		return;
	if (mirror->compare)
		compare_take_found(mirror->compare, range);
	else
		g_array_append_val(mirror->found, range);
}

/* Others may search on this line, too. */
static bool
is_ours(const Mirror *mirror, ImapTicket ticket)
{
	for (guint i = 0; i < mirror->searches->len; i++)
		if (g_array_index(mirror->searches, ImapTicket, i) == ticket)
			return true;
	return false;
}

void
mirror_on_search(Mirror *mirror, const ImapResponse *response, ImapTicket ticket)
{
	if (!is_ours(mirror, ticket))
		return;
	for (size_t i = 0; i < response->numbers.count; i++)
		take_found(mirror, (ImapRange){ response->numbers.at[i], response->numbers.at[i] });
	for (size_t i = 0; i < response->esearch.all.count && response->esearch.has_all; i++)
		take_found(mirror, response->esearch.all.at[i]);
}

void
mirror_numbers_shifted(Mirror *mirror)
{
	mirror->shifted = true;
}

/* ---- the end ------------------------------------------------------------------------------------- */

/* Neither is asked again for this reason on this line: a server that lies is left alone. */
static void
give_up(Mirror *mirror, const char *why)
{
	log_event(mirror->account->engine->log, "mirror", "not compared: %s", why);
	g_clear_pointer(&mirror->compare, compare_free);
	mirror->doubt = false;
	mirror->checked = true;
	mirror_resume(mirror);
}

static void
remove_gone(Mirror *mirror, const GArray *gone)
{
	uint32_t kept = mirror_kept(mirror);

	if (gone->len && !mirror_may_lose(mirror, gone->len)) {
		mirror_distrust(mirror, kept - MIN(kept, gone->len));
		return;
	}
	mirror->lost += gone->len;
	for (guint i = 0; i < gone->len; i++)
		mirror_forget_hopeless(mirror, g_array_index(gone, uint32_t, i));
	g_array_append_vals(mirror->gone, gone->data, gone->len);
	seqmap_clear(&mirror->map);
}

static void
end_compare(Mirror *mirror)
{
	g_autoptr(Compare) compare = g_steal_pointer(&mirror->compare);

	log_event(mirror->account->engine->log, "mirror", "compared: %u gone, %u ranges missing",
		  compare_gone(compare)->len, compare_missing(compare)->len);
	mirror->doubt = false;
	mirror->checked = true;
	remove_gone(mirror, compare_gone(compare));
	if (!mirror_apply(mirror))
		return;
	if (!mirror->distrusts)
		mirror_fetch_holes(mirror, compare_missing(compare));
	mirror_resume(mirror);
}

static void
on_compared(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;

	if (mirror_is_unanswered(mirror, outcome))
		return;
	mirror->pending--;
	/* NO to a FETCH: one of them was expunged meanwhile; what could be had came.  To a SEARCH: it
	 * does not say that nothing is there. */
	mirror->refused |=
	    outcome != IMAP_OUTCOME_OK && (outcome != IMAP_OUTCOME_NO || is_ours(mirror, ticket));
	if (mirror->pending)
		return;
	g_array_set_size(mirror->searches, 0);
	if (mirror->refused) {
		give_up(mirror, "refused");
	} else if (mirror->found_count > (uint64_t)mirror->exists + FOUND_SPARE) {
		give_up(mirror, "SEARCH found more than EXISTS");
	} else if (mirror->shifted) {
		g_clear_pointer(&mirror->compare, compare_free);
		if (++mirror->anew <= ANEW_MAX)
			mirror_compare(mirror);
		else
			give_up(mirror, "too much goes meanwhile");
	} else if (!compare_go_on(mirror->compare)) {
		give_up(mirror, "answers contradict each other");
	} else {
		ask(mirror);
	}
}

/* ---- asking --------------------------------------------------------------------------------------- */

/* First: while these are in flight nothing may be expunged (RFC 9051, 5.5). */
static void
send_numbers(Mirror *mirror, const GArray *numbers)
{
	for (guint i = 0; i < numbers->len; i += NUMBERS_AT_ONCE) {
		ImapCommand *command = imap_command_new("FETCH");

		imap_command_uids(command, &g_array_index(numbers, ImapUid, i),
				  MIN(numbers->len - i, NUMBERS_AT_ONCE));
		imap_command_text(command, "(UID)");
		mirror->pending++;
		mirror_send(mirror, command, on_compared, mirror);
	}
}

static void
send_search(Mirror *mirror, ImapCommand *command, ImapDone done)
{
	ImapTicket ticket = mirror_send(mirror, command, done, mirror);

	mirror->pending++;
	g_array_append_val(mirror->searches, ticket);
}

static void
begin_search(Mirror *mirror, ImapCommand *command)
{
	if (line_has(mirror->line, "ESEARCH"))
		imap_command_text(command, "RETURN (ALL)");
	imap_command_text(command, "UID");
}

static void
send_ranges(Mirror *mirror, const GArray *ranges)
{
	for (guint i = 0; i < ranges->len; i += RANGES_AT_ONCE) {
		ImapCommand *command = imap_command_new("UID SEARCH");
		g_autoptr(GString) set = g_string_new(NULL);

		begin_search(mirror, command);
		for (guint j = i; j < MIN(ranges->len, i + RANGES_AT_ONCE); j++) {
			const ImapRange *range = &g_array_index(ranges, ImapRange, j);

			g_string_append_printf(set, "%s%u:", set->len ? "," : "", range->low);
			if (range->high < UINT32_MAX - 1)
				g_string_append_printf(set, "%u", range->high);
			else
				g_string_append_c(set, '*');
		}
		imap_command_text(command, "%s", set->str);
		send_search(mirror, command, on_compared);
	}
}

static void
ask(Mirror *mirror)
{
	const GArray *numbers, *ranges;

	mirror->refused = false;
	mirror->found_count = 0;
	if (!compare_ask(mirror->compare, &numbers, &ranges)) {
		end_compare(mirror);
		return;
	}
	send_numbers(mirror, numbers);
	send_ranges(mirror, ranges);
}

void
mirror_compare(Mirror *mirror)
{
	CompareSides sides = { .from = MAX(mirror->box->known_from_uid, 1),
			       .end = UINT32_MAX, /* what is new and did not come, too */
			       .exists = mirror->exists,
			       .esearch = line_has(mirror->line, "ESEARCH") };

	if (!mirror_apply(mirror) || !mirror_uids(mirror, 0, &sides.uids, &sides.n))
		return;
	mirror->shifted = false;
	mirror->compare = compare_new(&sides);
	ask(mirror);
}

/* ---- suspects --------------------------------------------------------------------------------------- */

static void
on_suspects(void *data, ImapTicket ticket, ImapOutcome outcome, const ImapResponse *response)
{
	Mirror *mirror = data;
	g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(ImapRange));

	if (mirror_is_unanswered(mirror, outcome))
		return;
	mirror->pending--;
	mirror->refused |= outcome != IMAP_OUTCOME_OK;
	if (mirror->pending)
		return;
	g_array_set_size(mirror->searches, 0);
	if (!mirror->refused)
		seqmap_compare(mirror->found, (uint32_t *)(void *)mirror->suspects->data,
			       mirror->suspects->len, gone, missing);
	g_array_set_size(mirror->suspects, 0);
	remove_gone(mirror, gone);
	/* Then others that are here were not there, or the other way round. */
	mirror->doubt |= gone->len && !mirror->distrusts;
	if (mirror_apply(mirror))
		mirror_resume(mirror);
}

void
mirror_ask_suspects(Mirror *mirror)
{
	mirror->refused = false;
	mirror->found_count = 0;
	g_array_set_size(mirror->found, 0);
	for (guint i = 0; i < mirror->suspects->len; i += RANGES_AT_ONCE) {
		ImapCommand *command = imap_command_new("UID SEARCH");

		begin_search(mirror, command);
		imap_command_uids(command,
				  (const ImapUid *)(void *)&g_array_index(mirror->suspects,
									  uint32_t, i),
				  MIN(mirror->suspects->len - i, RANGES_AT_ONCE));
		send_search(mirror, command, on_suspects);
	}
}
