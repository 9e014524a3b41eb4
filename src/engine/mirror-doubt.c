/* What is not believed at once.
 *
 * A server that says, or lets one conclude, that much of a mailbox is gone may be right: somebody tidied
 * up.  Or it is ill: the disk with the mail was not mounted, an index was lost, the mailbox was made
 * anew.  Whoever mirrors that blindly loses what a person has read, and what it took hours to fetch.
 * The rule:
 *
 *	- What goes while we look (EXPUNGE, VANISHED) is the server's word, and obeyed.
 *	- What the server says has vanished since (VANISHED (EARLIER), RFC 7162) names each message: it
 *	  is obeyed when the number that is left adds up; when nothing is left, as the next.
 *	- What is only not there any more (EXISTS, SEARCH, a list of flags), since the mailbox was opened
 *	  and in sum, is obeyed up to 50 messages or a fifth of those kept here, whichever is more.
 *	- UIDVALIDITY that changed, is missing, or UIDNEXT that went down drops what is here, to be read
 *	  anew; under the rule before, with the messages by which EXISTS is lower as those gone.
 *	- Trash and junk are for things to go from: there everything is obeyed.
 *
 * Where it is not obeyed nothing is removed: the list stays as it is, new mail comes in where the UIDs
 * still hold, the fact "doubt/MAILBOX" of the account says so until the next opening finds everything
 * back, and a notice says what to do.  A person's word (a SYNC with accept_loss) obeys. */
#include "mirror-private.h"

#include "base/safetext.h"

#include <time.h>

#define FEW_GONE   50
#define PART_GONE  5 /* a fifth */
#define FLAGS_DAYS 7 /* after so many every flag is asked for anew, whatever MODSEQ says */
#define DAY_S	   86400

static char *
fact_name(const Mirror *mirror, const char *what)
{
	return g_strdup_printf("%s/%" G_GINT64_FORMAT, what, mirror->box->id);
}

bool
mirror_may_lose(Mirror *mirror, uint32_t n)
{
	uint64_t lost = (uint64_t)mirror->lost + n,
		 kept = (uint64_t)mirror_kept(mirror) + mirror->lost;
	StoreMailboxRole role = mirror->box->role;

	return mirror->accepts || role == STORE_ROLE_TRASH || role == STORE_ROLE_JUNK ||
	       lost <= MAX(FEW_GONE, kept / PART_GONE);
}

static void
mark(Mirror *mirror, const char *sentence)
{
	Engine *engine = mirror->account->engine;
	EngineEvent event = { .type = ENGINE_EVENT_FOLDERS, .account = mirror->account->id };
	g_autofree char *fact = fact_name(mirror, "doubt");

	store_account_set(engine->store, mirror->account->id, fact, sentence, NULL);
	engine_post_notice(engine, mirror->account->id, sentence);
	engine_post(engine, &event);
	g_clear_error(&mirror->loss);
	mirror->loss = g_error_new_literal(POSTERN_ERROR, POSTERN_ERROR_REFUSED, sentence);
	mirror->distrusts = true;
}

void
mirror_distrust(Mirror *mirror, uint32_t there)
{
	g_autofree char *name = safe_line(mirror->box->name);
	g_autofree char *sentence = NULL;
	uint32_t kept = mirror_kept(mirror);

	log_event(mirror->account->engine->log, "mirror", "%u of %u there: nothing removed", there,
		  kept);
	sentence =
	    g_strdup_printf(_("\"%s\": the server has only %u of the %u messages that are kept "
			      "here; nothing was removed.  If they are meant to be gone: "
			      "postern sync --accept-loss \"%s\""),
			    name, there, kept, name);
	mark(mirror, sentence);
}

void
mirror_distrust_numbers(Mirror *mirror)
{
	g_autofree char *name = safe_line(mirror->box->name);
	g_autofree char *sentence =
	    g_strdup_printf(_("\"%s\": the server numbers its messages anew and has only %u, where "
			      "%u are kept here; "
			      "nothing was removed.  If they are meant to be gone: postern sync "
			      "--accept-loss \"%s\""),
			    name, mirror->exists, mirror_kept(mirror), name);

	mark(mirror, sentence);
	/* None of the UIDs here may be used on this line. */
	mirror->error = g_error_copy(mirror->loss);
}

const GError *
mirror_loss(const Mirror *mirror)
{
	return mirror->loss;
}

void
mirror_accept_loss(Mirror *mirror)
{
	if (mirror->accepts)
		return;
	mirror->accepts = true;
	if (!mirror->distrusts || !mirror->ready)
		return;
	mirror->distrusts = mirror->told = mirror->current = false;
	mirror->flags_done = mirror->new_done = mirror->top_known = false;
	mirror->doubt = true;
	g_clear_error(&mirror->loss);
	line_pump_later(mirror->line);
}

/* ---- what is remembered of a mailbox --------------------------------------------------------- */

static char *
get_fact(const Mirror *mirror, const char *what)
{
	g_autofree char *fact = fact_name(mirror, what);
	char *value = NULL;

	store_account_get(mirror->account->engine->store, mirror->account->id, fact, &value, NULL);
	return value;
}

void
mirror_trust(Mirror *mirror)
{
	g_autofree char *was = get_fact(mirror, "doubt");
	g_autofree char *fact = fact_name(mirror, "doubt");

	if (was)
		store_account_set(mirror->account->engine->store, mirror->account->id, fact, NULL,
				  NULL);
}

void
mirror_flags_seen(Mirror *mirror)
{
	g_autofree char *fact = fact_name(mirror, "flags");
	g_autofree char *now = g_strdup_printf("%" G_GINT64_FORMAT, (int64_t)time(NULL));

	store_account_set(mirror->account->engine->store, mirror->account->id, fact, now, NULL);
}

bool
mirror_flags_are_old(const Mirror *mirror)
{
	g_autofree char *was = get_fact(mirror, "flags");
	int64_t then = was ? g_ascii_strtoll(was, NULL, 10) : 0, now = time(NULL);

	/* A clock may have been wrong. */
	return now - then >= FLAGS_DAYS * DAY_S || then - now > DAY_S;
}

/* ---- the same UID, another message ------------------------------------------------------------- */

bool
mirror_is_other(const Mirror *mirror, const ImapFetch *fetch)
{
	g_autoptr(StoreRow) row = NULL;
	uint32_t uid = fetch->uid.value;

	if (!mirror->box || uid < MAX(mirror->box->known_from_uid, 1) ||
	    uid >= mirror->box->mirrored_uidnext || mirror_is_hole(mirror, uid) ||
	    !store_row_by_uid(mirror->account->engine->store, mirror->box->id, uid, &row, NULL))
		return false;
	/* One of them alone is a server that reckons anew. */
	return row->size && row->size != fetch->size && row->received && fetch->internaldate_ok &&
	       row->received != fetch->internaldate;
}

static void
start_again(Mirror *mirror)
{
	Line *line = mirror->line;
	g_autofree char *name = safe_line(mirror->box->name);
	g_autoptr(GError) error = NULL;

	if (!mirror_is_busy(mirror) && !parts_is_busy(line->parts)) {
		line_forget_mailbox(line);
		line_pump_later(line);
		return;
	}
	error = g_error_new(POSTERN_ERROR, POSTERN_ERROR_OFFLINE,
			    _("the server renumbered \"%s\": reading it anew"), name);
	connection_fail(line->connection, error);
}

void
mirror_read_again(Account *account, StoreId mailbox)
{
	bool dropped = false;

	for (guint i = 0; i < account->lines->len; i++) {
		Line *line = g_ptr_array_index(account->lines, i);
		Mirror *mirror = line->mirror;
		g_autoptr(GError) error = NULL;

		if (!mirror || mirror_mailbox(mirror) != mailbox || !line->connection ||
		    !mirror_may_lose(mirror, mirror_kept(mirror) -
						 MIN(mirror_kept(mirror), mirror->exists)))
			continue;
		log_event(account->engine->log, "mirror", "another message under a UID: read anew");
		if (!dropped && !mirror_read_anew(mirror, &error)) {
			account_store_failed(account, error);
			return;
		}
		dropped = true;
		start_again(mirror);
	}
}
