/* What happens to the mailboxes, and who is told of it. */
#include "server-private.h"

#include <stdlib.h>
#include <string.h>

typedef enum { TELL_NOW, TELL_LATER, TELL_NEVER } Telling;

typedef struct Deed {
	Server *server;
	Line *line; /* whose answer is under way; NULL */
	Box *box;
	Telling telling;
} Deed;

ServerMessage *
box_find(Box *box, uint32_t uid)
{
	for (guint i = 0; i < box->messages->len; i++) {
		ServerMessage *message = &g_array_index(box->messages, ServerMessage, i);

		if (message->uid == uid)
			return message;
	}
	return NULL;
}

guint
view_index(const Line *line, uint32_t uid)
{
	for (guint i = 0; i < line->view->len; i++)
		if (g_array_index(line->view, uint32_t, i) == uid)
			return i;
	return G_MAXUINT;
}

void
select_view(Line *line)
{
	g_array_set_size(line->view, 0);
	g_array_set_size(line->changed, 0);
	for (guint i = 0; i < line->box->messages->len; i++)
		g_array_append_val(line->view,
				   g_array_index(line->box->messages, ServerMessage, i).uid);
}

char *
uids_text(const GArray *uids)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0, end; i < uids->len; i = end) {
		uint32_t low = g_array_index(uids, uint32_t, i);

		for (end = i + 1;
		     end < uids->len && g_array_index(uids, uint32_t, end) == low + (end - i);)
			end++;
		g_string_append_printf(text, "%s%u", text->len ? "," : "", low);
		if (end > i + 1)
			g_string_append_printf(text, ":%u", low + (end - i) - 1);
	}
	return g_string_free(text, FALSE);
}

/* ---- telling ------------------------------------------------------------------------------------- */

static void
tell_expunges(Line *line)
{
	g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree char *set = NULL;

	for (guint i = 0; i < line->view->len;) {
		uint32_t uid = g_array_index(line->view, uint32_t, i);

		if (box_find(line->box, uid)) {
			i++;
			continue;
		}
		g_array_append_val(gone, uid);
		g_array_remove_index(line->view, i);
		if (!line->qresync)
			g_string_append_printf(line->out, "* %u EXPUNGE\r\n", i + 1);
	}
	if (!line->qresync || !gone->len)
		return;
	set = uids_text(gone);
	g_string_append_printf(line->out, "* VANISHED %s\r\n", set);
}

static void
tell_arrivals(Line *line)
{
	guint before = line->view->len;

	for (guint i = 0; i < line->box->messages->len; i++) {
		uint32_t uid = g_array_index(line->box->messages, ServerMessage, i).uid;

		if (view_index(line, uid) == G_MAXUINT)
			g_array_append_val(line->view, uid);
	}
	if (line->view->len > before)
		g_string_append_printf(line->out, "* %u EXISTS\r\n", line->view->len);
}

static void
tell_flags(Server *server, Line *line)
{
	for (guint i = 0; i < line->changed->len; i++) {
		uint32_t uid = g_array_index(line->changed, uint32_t, i);
		guint index = view_index(line, uid);
		const ServerMessage *message = box_find(line->box, uid);

		if (index == G_MAXUINT || !message)
			continue;
		g_string_append_printf(line->out, "* %u FETCH (", index + 1);
		if (!server_has(server->quirks, "bare-flags"))
			g_string_append_printf(line->out, "UID %u ", uid);
		if (line->condstore)
			g_string_append_printf(line->out, "MODSEQ (%" G_GUINT64_FORMAT ") ",
					       message->modseq);
		g_string_append_printf(line->out, "FLAGS (%s))\r\n", message->flags);
	}
	g_array_set_size(line->changed, 0);
}

void
tell(Server *server, Line *line, bool expunges)
{
	if (!line->box || !line->told)
		return;
	if (expunges)
		tell_expunges(line);
	tell_arrivals(line);
	tell_flags(server, line);
}

static void
tell_all(const Deed *deed)
{
	for (guint i = 0; i < deed->server->lines->len; i++) {
		Line *line = g_ptr_array_index(deed->server->lines, i);

		if (line->box == deed->box && (line == deed->line || line->idle_tag))
			tell(deed->server, line, true);
	}
}

/* ---- deeds ----------------------------------------------------------------------------------------- */

/* "7", "7:9", "+" or "+3". */
static bool
take_uids(const Box *box, const char *text, uint32_t *low, uint32_t *high)
{
	char *end;

	if (*text == '+') {
		*low = box->uidnext;
		*high = *low + (text[1] ? (uint32_t)strtoul(text + 1, NULL, 10) : 1) - 1;
		return true;
	}
	*low = *high = (uint32_t)strtoul(text, &end, 10);
	if (*end == ':')
		*high = (uint32_t)strtoul(end + 1, &end, 10);
	return *low && *low <= *high && !*end;
}

static bool
arrive(const Deed *deed, const char *uids, const char *flags)
{
	uint32_t low, high;

	if (!take_uids(deed->box, uids, &low, &high))
		return false;
	for (uint32_t uid = low; uid <= high; uid++) {
		ServerMessage message = { .uid = uid, .serial = uid };
		guint at = deed->box->messages->len;

		if (deed->telling != TELL_NEVER)
			deed->box->modseq++;
		message.modseq = deed->box->modseq;
		g_strlcpy(message.flags, flags, sizeof message.flags);
		while (at && g_array_index(deed->box->messages, ServerMessage, at - 1).uid > uid)
			at--;
		g_array_insert_val(deed->box->messages, at, message);
		deed->box->uidnext = MAX(deed->box->uidnext, uid + 1);
	}
	return true;
}

static bool
expunge(const Deed *deed, const char *uids)
{
	GArray *messages = deed->box->messages;
	uint32_t low, high;

	if (!take_uids(deed->box, uids, &low, &high))
		return false;
	if (deed->telling != TELL_NEVER)
		deed->box->modseq++;
	for (guint i = messages->len; i > 0; i--) {
		uint32_t uid = g_array_index(messages, ServerMessage, i - 1).uid;
		Gone gone = { uid, deed->box->modseq };

		if (uid < low || uid > high)
			continue;
		g_array_remove_index(messages, i - 1);
		if (deed->telling != TELL_NEVER)
			g_array_append_val(deed->box->gone, gone);
	}
	return true;
}

static bool
set_flags(const Deed *deed, const char *uids, const char *flags)
{
	uint32_t low, high;

	if (!take_uids(deed->box, uids, &low, &high))
		return false;
	if (deed->telling != TELL_NEVER)
		deed->box->modseq++;
	for (uint32_t uid = low; uid <= high; uid++) {
		ServerMessage *message = box_find(deed->box, uid);

		if (!message)
			continue;
		g_strlcpy(message->flags, flags, sizeof message->flags);
		if (deed->telling == TELL_NEVER)
			continue;
		message->modseq = deed->box->modseq;
		for (guint i = 0; i < deed->server->lines->len; i++) {
			Line *line = g_ptr_array_index(deed->server->lines, i);

			if (line->box == deed->box)
				g_array_append_val(line->changed, uid);
		}
	}
	return true;
}

static bool
renumber(const Deed *deed, const char *first, const char *validity)
{
	Box *box = deed->box;
	uint32_t uid = (uint32_t)strtoul(first, NULL, 10);

	for (guint i = 0; i < box->messages->len; i++)
		g_array_index(box->messages, ServerMessage, i).uid = uid++;
	box->uidnext = uid;
	if (validity && *validity)
		box->uidvalidity = (uint32_t)strtoul(validity, NULL, 10);
	g_array_set_size(box->gone, 0);
	return uid > 0;
}

/* A server that counts from the beginning again does so for every message. */
static void
set_modseq(Box *box, uint64_t modseq)
{
	box->modseq = modseq;
	for (guint i = 0; i < box->messages->len; i++) {
		ServerMessage *message = &g_array_index(box->messages, ServerMessage, i);

		message->modseq = MIN(message->modseq, modseq);
	}
}

/* To one message, or to the mailbox itself. */
static bool
alter(const Deed *deed, const char *verb, const char *what)
{
	uint64_t number = g_ascii_strtoull(what, NULL, 10);
	ServerMessage *message = box_find(deed->box, (uint32_t)number);

	if (!strcmp(verb, "uidnext"))
		deed->box->uidnext = (uint32_t)number;
	else if (!strcmp(verb, "modseq"))
		set_modseq(deed->box, number);
	else if (!strcmp(verb, "replace") && message)
		message->serial += 1000;
	else if (!strcmp(verb, "omit") && message)
		message->omitted = true;
	else
		return false;
	return true;
}

static void
say(const Deed *deed, const char *text)
{
	if (deed->line) {
		g_string_append_printf(deed->line->out, "%s\r\n", text);
		return;
	}
	for (guint i = 0; i < deed->server->lines->len; i++) {
		Line *line = g_ptr_array_index(deed->server->lines, i);

		if (line->box == deed->box)
			g_string_append_printf(line->out, "%s\r\n", text);
	}
}

static void
cut(const Deed *deed)
{
	for (guint i = 0; i < deed->server->lines->len; i++) {
		Line *line = g_ptr_array_index(deed->server->lines, i);

		if (!deed->line || line == deed->line)
			line->closing = true;
	}
}

/* What needs no telling; false: it is none of these. */
static bool
rule(const Deed *deed, const char *verb, const char *rest)
{
	if (!strcmp(verb, "say")) {
		say(deed, rest);
	} else if (!strcmp(verb, "answer") && deed->line) {
		g_free(deed->line->verdict);
		deed->line->verdict = g_strdup(rest);
	} else if (!strcmp(verb, "cut")) {
		cut(deed);
	} else if (!strcmp(verb, "hang") && deed->line) {
		deed->line->hangs = true;
	} else if (!strcmp(verb, "truth")) {
		g_hash_table_remove_all(deed->box->lies);
	} else if (!strcmp(verb, "lie")) {
		g_auto(GStrv) words = g_strsplit(rest, " ", 2);

		if (!words[0] || !words[1])
			return false;
		g_hash_table_insert(deed->box->lies, g_strdup(words[0]), g_strdup(words[1]));
	} else {
		return false;
	}
	return true;
}

/* Those who are never told see what there is as if it had always been so. */
static void
hide(const Deed *deed)
{
	for (guint i = 0; i < deed->server->lines->len; i++) {
		Line *line = g_ptr_array_index(deed->server->lines, i);

		if (line->box == deed->box)
			select_view(line);
	}
}

static bool
act_once(Deed *deed, const char *action)
{
	g_auto(GStrv) words = g_strsplit(action, " ", 3);
	const char *verb = words[0], *what = verb ? words[1] : NULL;
	const char *more = what && words[2] ? words[2] : "";
	const char *rest = strchr(action, ' ') ? strchr(action, ' ') + 1 : "";
	bool fine;

	if (!verb)
		return false;
	if (!strcmp(verb, "in") && what) {
		deed->box = server_box(deed->server, what);
		return deed->box && act_once(deed, more);
	}
	if (!strcmp(verb, "later") || !strcmp(verb, "silently")) {
		deed->telling = *verb == 'l' ? TELL_LATER : TELL_NEVER;
		return act_once(deed, rest);
	}
	if (rule(deed, verb, rest))
		return true;
	if (!what)
		return false;
	if (!strcmp(verb, "arrive"))
		fine = arrive(deed, what, more);
	else if (!strcmp(verb, "expunge"))
		fine = expunge(deed, what);
	else if (!strcmp(verb, "flags"))
		fine = set_flags(deed, what, more);
	else if (!strcmp(verb, "renumber"))
		fine = renumber(deed, what, more);
	else
		fine = alter(deed, verb, what);
	if (deed->telling == TELL_NEVER || !strcmp(verb, "renumber"))
		hide(deed);
	else if (deed->telling == TELL_NOW)
		tell_all(deed);
	return fine;
}

bool
act(Server *server, Line *line, const char *actions)
{
	g_auto(GStrv) each = g_strsplit(actions, ";", -1);

	for (size_t i = 0; each[i]; i++) {
		Deed deed = { .server = server,
			      .line = line,
			      .box = server_box(server, "INBOX"),
			      .telling = TELL_NOW };

		if (!act_once(&deed, g_strstrip(each[i])))
			return false;
	}
	return true;
}
