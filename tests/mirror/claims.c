/* What must be so when it rests. */
#include "play-private.h"

#include <string.h>

static bool
same_words(const char *a, const char *b)
{
	g_auto(GStrv) x = g_strsplit(a, " ", -1);
	g_auto(GStrv) y = g_strsplit(b, " ", -1);

	if (g_strv_length(x) != g_strv_length(y))
		return false;
	for (size_t i = 0; x[i]; i++)
		if (!g_strv_contains((const char *const *)y, x[i]))
			return false;
	return true;
}

/* How the store's row differs from what the server has; NULL: not at all. */
static char *
differs(Play *play, StoreId box, const ServerMessage *message)
{
	g_autoptr(StoreRow) row = NULL;
	g_autofree char *subject = g_strdup_printf(SERVER_SUBJECT, message->serial);
	g_autofree char *keywords = NULL;
	uint16_t bits = flag_bits(message->flags, &keywords);
	uint16_t mask = STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED |
			STORE_FLAG_DELETED | STORE_FLAG_DRAFT | STORE_FLAG_KEYWORDS;

	if (!store_row_by_uid(play->store, box, message->uid, &row, NULL))
		return g_strdup_printf("message %u is not here", message->uid);
	if ((row->flags & mask) != bits || !same_words(row->keywords, keywords))
		return g_strdup_printf("message %u has flags %x \"%s\", on the server (%s)",
				       message->uid, row->flags & mask, row->keywords,
				       message->flags);
	if (strcmp(row->subject, subject) && !message->omitted)
		return g_strdup_printf("message %u is \"%s\", on the server \"%s\"", message->uid,
				       row->subject, subject);
	return NULL;
}

static char *
differ(Play *play, const StoreMailbox *box, const GArray *messages)
{
	g_autofree uint32_t *uids = NULL;
	size_t n;

	for (guint i = 0; i < messages->len; i++) {
		char *why = differs(play, box->id, &g_array_index(messages, ServerMessage, i));

		if (why)
			return why;
	}
	if (!store_message_uids(play->store, box->id, &uids, &n, NULL))
		return g_strdup("the store cannot be read");
	for (size_t i = 0, at = 0; i < n; i++) {
		while (at < messages->len &&
		       g_array_index(messages, ServerMessage, at).uid < uids[i])
			at++;
		if (at == messages->len ||
		    g_array_index(messages, ServerMessage, at).uid != uids[i])
			return g_strdup_printf("message %u is still here", uids[i]);
	}
	if (box->total != messages->len)
		return g_strdup_printf("%u messages are counted, and %u are there", box->total,
				       messages->len);
	return NULL;
}

static StoreMailbox *
find_box(Play *play)
{
	StoreMailbox *box = NULL;

	if (!play->store)
		play->store = store_open(play->dir, STORE_READER, NULL, NULL, NULL);
	if (play->store)
		store_mailbox_find(play->store, 1, play->home, &box, NULL);
	return box;
}

/* Is the mirror what the server has, and does it claim no more than it knows? */
static char *
not_same(Play *play)
{
	g_autoptr(StoreMailbox) box = find_box(play);
	g_autoptr(GArray) messages = server_messages(play->server, play->home);
	uint32_t uidvalidity, uidnext, unread = 0;
	uint64_t modseq;
	char *why;

	if (!box)
		return g_strdup_printf("there is no %s", play->home);
	if ((why = differ(play, box, messages)))
		return why;
	for (guint i = 0; i < messages->len; i++)
		unread += !strstr(g_array_index(messages, ServerMessage, i).flags, "\\Seen");
	server_state(play->server, play->home, &uidvalidity, &uidnext, &modseq);
	if (box->known_from_uid != 1)
		return g_strdup_printf("it is not complete: known from %u", box->known_from_uid);
	if (box->unread != unread)
		return g_strdup_printf("%u are counted unread, and %u are", box->unread, unread);
	if (box->mirrored_modseq > modseq && !case_get(play->one, "lies"))
		return g_strdup_printf("it claims MODSEQ %" G_GUINT64_FORMAT
				       ", on the server it is %" G_GUINT64_FORMAT,
				       box->mirrored_modseq, modseq);
	return NULL;
}

static bool
is_same(Play *play)
{
	g_autofree char *why = not_same(play);

	return !why;
}

void
check_same(Play *play)
{
	g_autoptr(GError) error = NULL;

	if (!until(play, is_same)) {
		g_autofree char *why = not_same(play);

		fail(play, "%s", why ? why : "it came too late");
	} else if (!store_check(play->store, &error)) {
		fail(play, "the store: %s", error->message);
	}
}

/* Exactly these, in INBOX: "6 \Seen, 9" as in the cache. */
void
check_here(Play *play, const char *list)
{
	Server *other = server_new("", NULL);
	g_autoptr(StoreMailbox) box = find_box(play);
	g_autoptr(GArray) messages = NULL;
	g_autofree char *why = NULL;

	if (!arrive_all(other, "INBOX", list))
		fail(play, "cannot read \"%s\"", list);
	messages = server_messages(other, "INBOX");
	why = box ? differ(play, box, messages) : g_strdup("there is no such folder");
	if (why)
		fail(play, "%s", why);
	server_free(other);
}

static bool
is_like(const char *command, const char *globs)
{
	g_auto(GStrv) each = g_strsplit(globs, " | ", -1);

	for (size_t i = 0; each[i]; i++)
		if (g_pattern_match_simple(each[i], command))
			return true;
	return false;
}

void
check_asked(Play *play, const char *globs)
{
	g_auto(GStrv) log = server_log(play->server, false);
	const char *command = play->expected < g_strv_length(log) ? log[play->expected] : "nothing";

	if (!is_like(command, globs))
		fail(play, "it asked \"%s\", not \"%s\"", command, globs);
	play->expected++;
}

void
check_asked_not(Play *play, const char *globs)
{
	g_auto(GStrv) log = server_log(play->server, true);

	for (size_t i = 0; log[i]; i++)
		if (is_like(log[i], globs) && !g_str_has_prefix(log[i], SERVER_IN_VAIN))
			fail(play, "it asked \"%s\"", log[i]);
}

void
check_asked_some(Play *play, const char *globs)
{
	g_auto(GStrv) log = server_log(play->server, true);

	for (size_t i = 0; log[i]; i++)
		if (is_like(log[i], globs))
			return;
	fail(play, "it never asked \"%s\"", globs);
}

/* "GLOB before GLOB" */
void
check_order(Play *play, const char *value)
{
	g_auto(GStrv) globs = g_strsplit(value, " before ", 2);
	g_auto(GStrv) log = server_log(play->server, true);
	bool seen = false;

	for (size_t i = 0; log[i] && globs[1]; i++) {
		seen |= is_like(log[i], globs[0]);
		if (is_like(log[i], globs[1])) {
			if (!seen)
				fail(play, "it asked \"%s\" too early", log[i]);
			return;
		}
	}
	fail(play, "it never asked \"%s\"", globs[1] ? globs[1] : value);
}
