/* Parts of many messages at once: for a SYNC with bodies, and for what the configuration keeps.  Both
 * walk the mailbox by UID, newest first, and ask for many messages in one command, as much at a time
 * as the line brings in a moment: it is never idle, and a person's request waits no longer than
 * that. */
#include "parts-private.h"

#define ROWS	   50  /* looked up in one go */
#define LOOKS	   10  /* of those, before others get their turn */
#define FETCHES	   800 /* asked for, and not here */
#define BUDGET_US  200000
#define BUDGET_MIN (UINT64_C(256) * 1024)
#define BUDGET_MAX (UINT64_C(4) * 1024 * 1024)
#define SLOW_LOOKS 4			       /* at what a line brings, before it is called slow */
#define SLOW_BYTES (UINT64_C(5) * 1024 * 1024) /* a second; less than a server deflates */

struct BodyWalk {
	StoreWalk at;
	GPtrArray *bodies; /* of StoreBody; NULL: none looked up yet */
	guint next;
};

struct Keeping {
	StoreId mailbox;
	GBytes *raw;
	uint32_t uidvalidity, uidnext; /* when the walk began */
	uint32_t floor;		       /* UIDs below it were walked before */
	struct BodyWalk *walk;
	bool over;
};

/* How far a mailbox was walked, so that new mail costs no walk over the old. */
typedef struct Kept {
	uint32_t uidvalidity, uidnext;
} Kept;

struct Keep {
	GHashTable *kept; /* StoreId -> Kept */
	StoreId next;	  /* the mailbox to be looked at next; 0: none */
	int64_t version;  /* of the folders, when that was so */
};

static struct BodyWalk *
walk_new(int64_t since, bool structures)
{
	struct BodyWalk *walk = g_new0(struct BodyWalk, 1);

	walk->at = (StoreWalk){
		.below = STORE_WALK_START,
		.since = since,
		.structures = structures,
	};
	return walk;
}

void
body_walk_free(struct BodyWalk *walk)
{
	if (!walk)
		return;
	if (walk->bodies)
		g_ptr_array_unref(walk->bodies);
	g_free(walk);
}

static bool
walk_is_over(const struct BodyWalk *walk)
{
	return !walk->at.below && (!walk->bodies || walk->next == walk->bodies->len);
}

/* NULL: at the end, when *LOOKS were looked up, or an error. */
static const StoreBody *
walk_next(struct BodyWalk *walk, Store *store, StoreId mailbox, unsigned *looks, GError **error)
{
	while (!walk->bodies || walk->next == walk->bodies->len) {
		g_clear_pointer(&walk->bodies, g_ptr_array_unref);
		walk->next = 0;
		if (!walk->at.below || !*looks)
			return NULL;
		--*looks;
		if (!store_bodies(store, mailbox, &walk->at, ROWS, &walk->bodies, error))
			return NULL;
	}
	return g_ptr_array_index(walk->bodies, walk->next++);
}

/* ---- how much at a time ------------------------------------------------------------------------------ */

void
parts_count_bytes(PartFetcher *parts, uint64_t bytes)
{
	parts->came += bytes;
}

/* Half as much again as the line brought of late: so it finds its limit, where there is one. */
static void
adjust_budget(PartFetcher *parts)
{
	int64_t now = g_get_monotonic_time(), us = now - parts->since_us;

	if (us < BUDGET_US)
		return;
	if (parts->since_us && parts->came) {
		uint64_t rate = parts->came * G_USEC_PER_SEC / (uint64_t)us;

		parts->fastest = MAX(parts->fastest, rate);
		parts->looked++;
	}
	parts->budget =
	    parts->since_us ? (uint64_t)((double)parts->came * BUDGET_US / (double)us * 1.5) : 0;
	parts->budget = CLAMP(parts->budget, BUDGET_MIN, BUDGET_MAX);
	parts->since_us = now;
	parts->came = 0;
}

bool
parts_are_slow(const PartFetcher *parts)
{
	return parts->looked >= SLOW_LOOKS && parts->fastest < SLOW_BYTES;
}

static bool
is_full(const PartFetcher *parts)
{
	return g_hash_table_size(parts->fetches) >= FETCHES || parts_due(parts) >= parts->budget;
}

/* Enough is on its way: asking for less at a time would make many small commands. */
static bool
has_enough(const PartFetcher *parts)
{
	return parts_due(parts) > parts->budget / 2;
}

/* May BODY be kept as well?  What is kept makes room for what is newer. */
static bool
has_room(PartFetcher *parts, const StoreBody *body, bool *room, GError **error)
{
	Account *account = parts->account;
	uint64_t limit = account->config->cache_size, kept;
	int64_t oldest;
	bool more;

	*room = body->size <= limit;
	if (limit == UINT64_MAX || !*room)
		return true;
	if (!store_kept(account->engine->store, account->id, &kept, error))
		return false;
	if (kept + parts->complete_bytes + parts_due(parts) + body->size <= limit / 10 * 9)
		return true;
	if (!store_kept_oldest(account->engine->store, account->id, &oldest, error))
		return false;
	*room = body->date > oldest;
	return !*room || store_evict(account->engine->store, account->id, limit, &more, error);
}

/* ---- a SYNC --------------------------------------------------------------------------------------------- */

/* What is wanted of one message: sections, and the tree they are of. */
typedef struct Wanted {
	StoreRow row; /* no more of it than is needed here */
	MailPart *root;
	GPtrArray *sections; /* of char *, borrowed; ended by NULL */
} Wanted;

static void
wanted_clear(Wanted *wanted)
{
	mail_part_free(wanted->root);
	if (wanted->sections)
		g_ptr_array_unref(wanted->sections);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

/* ATTACHMENTS: those that are no larger. */
static void
wanted_init(Wanted *wanted, const StoreBody *body, EngineBodies bodies, uint64_t attachments)
{
	g_autoptr(GPtrArray) readable = NULL;
	g_autoptr(GPtrArray) others = NULL;

	*wanted = (Wanted){ .row = { .id = body->message,
				     .uid = body->uid,
				     .size = body->size,
				     .structure = body->structure },
			    .sections = g_ptr_array_new() };
	if (body->structure)
		wanted->root = engine_structure(&wanted->row);
	if (bodies == ENGINE_BODIES_ALL) {
		g_ptr_array_add(wanted->sections, (char *)"");
	} else if (wanted->root) {
		readable = mail_part_readable(wanted->root);
		if (attachments)
			others = mail_part_unshown(wanted->root, readable);
	}
	for (guint i = 0; readable && i < readable->len; i++)
		g_ptr_array_add(wanted->sections,
				((MailPart *)g_ptr_array_index(readable, i))->section);
	for (guint i = 0; others && i < others->len; i++) {
		const MailPart *part = g_ptr_array_index(others, i);

		if (part->size_octets <= attachments)
			g_ptr_array_add(wanted->sections, part->section);
	}
	g_ptr_array_add(wanted->sections, NULL);
}

static bool
is_here(const Wanted *wanted, Store *store, bool *here, GError **error)
{
	*here = true;
	for (guint i = 0; *here && i + 1 < wanted->sections->len; i++)
		if (!store_part_has(store, wanted->row.id, g_ptr_array_index(wanted->sections, i),
				    here, error))
			return false;
	return true;
}

static void
ask_for(PartFetcher *parts, PartAsk *ask, const Wanted *wanted, int64_t date)
{
	parts_ask_for(parts, ask, &wanted->row, wanted->root,
		      (char *const *)wanted->sections->pdata, MAX(date, 1));
}

/* The next one of which something is not here; NULL as walk_next.  WANTED is yours to clear when there
 * is one. */
static const StoreBody *
walk_to_missing(struct BodyWalk *walk, Store *store, StoreId mailbox, EngineBodies bodies,
		uint64_t attachments, Wanted *wanted, unsigned *looks, GError **error)
{
	const StoreBody *body;

	while ((body = walk_next(walk, store, mailbox, looks, error))) {
		bool here;

		wanted_init(wanted, body, bodies, attachments);
		if (is_here(wanted, store, &here, error) && !here)
			return body;
		wanted_clear(wanted);
		if (*error)
			return NULL;
	}
	return NULL;
}

/* The one that was just had comes again. */
static void
walk_back(struct BodyWalk *walk)
{
	walk->next--;
}

/* What is older would not find room either, unless BODY was too large by itself. */
static void
stop_full(Job *job, const StoreBody *body, const Account *account)
{
	if (body->size <= account->config->cache_size) {
		job->walk->at.below = 0;
		g_clear_pointer(&job->walk->bodies, g_ptr_array_unref);
	}
	if (job->full)
		return;
	job->full = g_error_new(POSTERN_ERROR, POSTERN_ERROR_STORE,
				_("cache-size of account %s is reached: not every message is "
				  "kept here"),
				account->config->name);
}

static struct BodyWalk *
walk_of(Job *job)
{
	if (!job->walk)
		job->walk = walk_new(INT64_MIN, job->bodies != ENGINE_BODIES_ALL);
	return job->walk;
}

bool
parts_sync_lacks(PartFetcher *parts, Job *job, StoreId mailbox, bool *more)
{
	struct BodyWalk *walk = walk_of(job);
	unsigned looks = LOOKS;
	Wanted wanted;

	if (walk_to_missing(walk, parts->account->engine->store, mailbox, job->bodies, 0, &wanted,
			    &looks, &job->error)) {
		wanted_clear(&wanted);
		walk_back(walk);
		return true;
	}
	*more = !job->error && !walk_is_over(walk);
	if (*more)
		line_pump_later(parts->line);
	return false;
}

bool
parts_sync(PartFetcher *parts, Job *job, StoreId mailbox)
{
	Store *store = parts->account->engine->store;
	struct BodyWalk *walk = walk_of(job);
	unsigned looks = LOOKS;
	bool enough;
	g_autoptr(StoreMailbox) box = NULL;
	PartAsk ask;

	adjust_budget(parts);
	enough = has_enough(parts);
	parts_ask_init(&ask, job);
	while (!enough && !is_full(parts) && !ask.error) {
		g_auto(Wanted) wanted = { .sections = NULL };
		const StoreBody *body = walk_next(walk, store, mailbox, &looks, &ask.error);
		bool room;

		if (!body || !has_room(parts, body, &room, &ask.error))
			break;
		if (!room) {
			stop_full(job, body, parts->account);
			continue;
		}
		wanted_init(&wanted, body, job->bodies, 0);
		ask_for(parts, &ask, &wanted, body->date);
	}
	parts_ask_send(parts, &ask);
	if (!enough && store_mailbox_get(store, mailbox, &box, NULL))
		line_status(parts->line, _("reading messages"), walk->at.looked, box->total);
	/* Where all is here already there is no end to looking: others get their turn. */
	if (!looks)
		line_pump_later(parts->line);
	return !job->error && (job->pending > 0 || !walk_is_over(walk));
}

/* ---- what the configuration keeps ------------------------------------------------------------------------- */

void
keeping_free(struct Keeping *keeping)
{
	if (!keeping)
		return;
	body_walk_free(keeping->walk);
	g_bytes_unref(keeping->raw);
	g_free(keeping);
}

void
keep_free(struct Keep *keep)
{
	if (!keep)
		return;
	g_hash_table_unref(keep->kept);
	g_free(keep);
}

static bool
is_to_be_kept(const struct Keep *keep, const StoreMailbox *box)
{
	const Kept *kept = g_hash_table_lookup(keep->kept, &box->id);

	if (!box->selectable || box->gone || box->created || box->deleted ||
	    box->known_from_uid != 1 || !box->total)
		return false;
	return !kept || kept->uidvalidity != box->uidvalidity ||
	       kept->uidnext < box->mirrored_uidnext;
}

bool
keep_waits(Account *account)
{
	struct Keep *keep = account->keep;
	g_autoptr(GPtrArray) boxes = NULL;
	int64_t version;

	if (!account->config->keep_text_s || account->engine->hold || !account->home_fill)
		return false;
	if (!keep) {
		keep = account->keep = g_new0(struct Keep, 1);
		keep->kept = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	}
	if (!store_version(account->engine->store, 0, &version, NULL))
		return false;
	if (version == keep->version)
		return keep->next != 0;
	keep->next = 0;
	if (!store_mailboxes(account->engine->store, account->id, &boxes, NULL))
		return false;
	keep->version = version;
	for (guint i = 0; i < boxes->len && !keep->next; i++) {
		const StoreMailbox *box = g_ptr_array_index(boxes, i);

		if (is_to_be_kept(keep, box))
			keep->next = box->id;
	}
	return keep->next != 0;
}

static struct Keeping *
keeping_new(const Account *account, const StoreMailbox *box)
{
	const ConfigAccount *config = account->config;
	const Kept *kept = g_hash_table_lookup(account->keep->kept, &box->id);
	int64_t now = g_get_real_time() / G_USEC_PER_SEC;
	struct Keeping *keeping = g_new0(struct Keeping, 1);

	keeping->mailbox = box->id;
	keeping->raw = g_bytes_new(box->raw, box->raw_size);
	keeping->uidvalidity = box->uidvalidity;
	keeping->uidnext = box->mirrored_uidnext;
	if (kept && kept->uidvalidity == box->uidvalidity)
		keeping->floor = kept->uidnext;
	keeping->walk =
	    walk_new(config->keep_text_s == INT64_MAX ? INT64_MIN : now - config->keep_text_s,
		     config->keep_attachments != UINT64_MAX);
	return keeping;
}

/* All that could be had is here. */
static void
end_keeping(PartFetcher *parts)
{
	struct Keeping *keeping = g_steal_pointer(&parts->keeping);
	struct Keep *keep = parts->account->keep;
	Kept *kept = g_new(Kept, 1);

	*kept = (Kept){ .uidvalidity = keeping->uidvalidity, .uidnext = keeping->uidnext };
	g_hash_table_replace(keep->kept, g_memdup2(&keeping->mailbox, sizeof keeping->mailbox),
			     kept);
	keep->version = 0;
	keeping_free(keeping);
}

/* Asks for the next ones.  False: the mailbox must be selected for that. */
static bool
keep_some(PartFetcher *parts, struct Keeping *keeping, bool selected)
{
	Account *account = parts->account;
	uint64_t attachments = account->config->keep_attachments;
	EngineBodies bodies = attachments == UINT64_MAX ? ENGINE_BODIES_ALL : ENGINE_BODIES_TEXT;
	unsigned looks = LOOKS;
	bool needs_mailbox = false;
	PartAsk ask;

	parts_ask_init(&ask, NULL);
	while (!keeping->over && !is_full(parts)) {
		Wanted wanted;
		const StoreBody *body =
		    walk_to_missing(keeping->walk, account->engine->store, keeping->mailbox, bodies,
				    attachments, &wanted, &looks, &ask.error);
		bool room = false;

		keeping->over = ask.error || walk_is_over(keeping->walk);
		if (!body)
			break;
		if (body->uid < keeping->floor || !has_room(parts, body, &room, &ask.error) ||
		    !room)
			keeping->over = true;
		else if (selected)
			ask_for(parts, &ask, &wanted, body->date);
		else {
			needs_mailbox = true;
			walk_back(keeping->walk);
		}
		wanted_clear(&wanted);
		if (needs_mailbox) {
			keeping->over = false;
			break;
		}
	}
	if (ask.error)
		log_event(account->engine->log, "engine", "keeping: %s", ask.error->message);
	parts_ask_send(parts, &ask);
	if (!looks)
		line_pump_later(parts->line);
	return !needs_mailbox;
}

/* Selects what is kept next; true when that is done. */
static bool
keep_select(Line *line, struct Keeping *keeping)
{
	if (line_need_mailbox(line, keeping->raw))
		return true;
	if (line->mirror && mirror_is(line->mirror, keeping->raw) && mirror_error(line->mirror)) {
		log_event(line->account->engine->log, line->name, "keeping: %s",
			  mirror_error(line->mirror)->message);
		line_forget_mailbox(line);
		keeping->over = true;
	}
	return false;
}

bool
keep_step(Line *line, StoreId only)
{
	Account *account = line->account;
	PartFetcher *parts = line->parts;
	g_autoptr(StoreMailbox) box = NULL;
	bool selected;

	if (!parts->keeping) {
		StoreId next = keep_waits(account) ? account->keep->next : 0;

		if (!next ||
		    !store_mailbox_get(account->engine->store, only ? only : next, &box, NULL) ||
		    !is_to_be_kept(account->keep, box))
			return parts->keeps_pending > 0;
		parts->keeping = keeping_new(account, box);
	}
	if (only && parts->keeping->mailbox != only) {
		g_clear_pointer(&parts->keeping, keeping_free);
		line_pump_later(line);
		return true;
	}
	adjust_budget(parts);
	selected = line->mirror && mirror_is(line->mirror, parts->keeping->raw) &&
		   mirror_is_ready(line->mirror);
	if (!has_enough(parts) && !keep_some(parts, parts->keeping, selected) &&
	    keep_select(line, parts->keeping))
		line_pump_later(line);
	if (parts->keeps_pending)
		line_status(line, _("reading messages"), parts->keeping->walk->at.looked, 0);
	if (parts->keeping->over && !parts->keeps_pending) {
		end_keeping(parts);
		line_pump_later(line);
	}
	return true;
}
