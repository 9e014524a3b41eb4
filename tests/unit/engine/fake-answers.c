/* What the fake server says. */
#include "fake-server-private.h"

#include <string.h>
#include <unistd.h>

#define TEXT "Dear reader,\r\n\r\nthis is message %u.\r\n"

void
fake_tell_news(FakeServer *server, GString *out)
{
	g_string_append_len(out, server->line->news->str, (gssize)server->line->news->len);
	g_string_truncate(server->line->news, 0);
}

/* ---- a message ------------------------------------------------------------------------------------------- */

uint32_t
fake_origin(const FakeMessage *message)
{
	return message->origin ? message->origin : message->uid;
}

static char *
text_of(const FakeMessage *message)
{
	return g_strdup_printf(TEXT, fake_origin(message));
}

static char *
header_of(const FakeMessage *message)
{
	return g_strdup_printf("Date: Fri, 21 Nov 2025 10:00:00 +0000\r\n"
			       "From: Ada <ada@example.org>\r\n"
			       "To: Bob <bob@example.net>\r\n"
			       "Subject: subject %u\r\n"
			       "Message-ID: <m%u@example.org>\r\n\r\n",
			       fake_origin(message), fake_origin(message));
}

static void
append_attachment(GString *out, size_t from, size_t size)
{
	size_t at = out->len;

	g_string_set_size(out, at + size);
	for (size_t i = 0; i < size; i++)
		out->str[at + i] = fake_attachment_byte(from + i);
}

static void
append_record(GString *out, const FakeMessage *message, bool structure)
{
	g_autofree char *text = text_of(message);
	uint32_t id = fake_origin(message);

	/* One minute apart: dates go up with UIDs. */
	g_string_append_printf(out,
			       " ENVELOPE (\"Fri, %u Nov 2025 %02u:%02u:00 +0000\" \"subject %u\" "
			       "((\"Ada\" NIL \"ada\" \"example.org\")) NIL NIL "
			       "((\"Bob\" NIL \"bob\" \"example.net\")) NIL NIL NIL "
			       "\"<m%u@example.org>\")",
			       id / 1440 % 28 + 1, id / 60 % 24, id % 60, id, id);
	if (!structure)
		return;
	if (message->flaws & FAKE_BROKEN_STRUCTURE)
		g_string_append(out, " BODYSTRUCTURE ((\"text\" \"plain\" oops");
	else if (message->attachment)
		g_string_append_printf(
		    out,
		    " BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" %zu 3)"
		    "(\"application\" \"octet-stream\" (\"name\" \"a.bin\") NIL NIL \"7bit\" %zu "
		    "NIL (\"attachment\" (\"filename\" \"a.bin\")) NIL NIL) \"mixed\" "
		    "(\"boundary\" \"x\") NIL NIL NIL)",
		    strlen(text), message->attachment);
	else
		g_string_append_printf(out,
				       " BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" "
				       "%zu 3)",
				       strlen(text));
}

/* BODY.PEEK[SECTION]<FROM.SIZE>; SIZE 0: all of it. */
static void
append_body(FakeServer *server, GString *out, const FakeMessage *message, const char *section,
	    bool partial, size_t from, size_t size)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autofree char *header = header_of(message);
	g_autofree char *text = text_of(message);
	size_t all;

	if (server->faults & FAKE_NO_ORIGIN)
		partial = false;
	if (message->flaws & FAKE_NIL_BODY) {
		g_string_append_printf(out, " BODY[%s] NIL", section);
		return;
	}
	if (g_str_has_prefix(section, "HEADER"))
		g_string_append(bytes, header);
	else if (g_str_equal(section, "1"))
		g_string_append(bytes, text);
	else if (g_str_equal(section, "2"))
		append_attachment(bytes, 0, message->attachment);
	else {
		g_string_append_printf(bytes, "%s%s", header, text);
		append_attachment(bytes, 0, message->attachment);
	}
	all = bytes->len;
	if (!partial) {
		g_string_append_printf(out, " BODY[%s] {%zu}\r\n", section, all);
		g_string_append_len(out, bytes->str, (gssize)all);
		return;
	}
	from = MIN(from, all);
	size = MIN(size, all - from);
	g_string_append_printf(out, " BODY[%s]<%zu> {%zu}\r\n", section,
			       server->faults & FAKE_WRONG_ORIGIN ? from + 1 : from, size);
	g_string_append_len(out, bytes->str + from, (gssize)size);
}

static void
append_sections(FakeServer *server, GString *out, const FakeMessage *message, const char *items)
{
	const char *at = items;

	while ((at = strstr(at, "BODY.PEEK["))) {
		const char *open = at + strlen("BODY.PEEK["), *close = strchr(open, ']');
		g_autofree char *section = NULL;
		unsigned long from = 0, size = 0;
		bool partial;

		if (!close)
			return;
		section = g_strndup(open, (gsize)(close - open));
		partial = close[1] == '<';
		if (partial) {
			char *end;

			from = strtoul(close + 2, &end, 10);
			size = strtoul(end + 1, NULL, 10);
		}
		append_body(server, out, message, section, partial, from, size);
		at = close;
	}
}

static void
append_fetch(FakeServer *server, GString *out, guint index, const char *items)
{
	const FakeMessage *message =
	    &g_array_index(server->line->selected->messages, FakeMessage, index);
	bool body = strstr(items, "BODY.PEEK[") != NULL;
	bool fields = strstr(items, "HEADER.FIELDS") != NULL;
	uint32_t uid = message->uid, id = fake_origin(message);

	if (message->flaws & FAKE_ABSENT)
		return;
	if (body && !fields && server->faults & FAKE_BODY_OF_ANOTHER)
		uid++;
	g_string_append_printf(out, "* %u FETCH (UID %u", index + 1, uid);
	if (strstr(items, "FLAGS"))
		g_string_append_printf(out, " FLAGS (%s)", message->flags);
	if (strstr(items, "INTERNALDATE"))
		g_string_append_printf(out,
				       " INTERNALDATE \"%02u-Nov-2025 %02u:%02u:00 +0000\" "
				       "RFC822.SIZE %zu",
				       id / 1440 % 28 + 1, id / 60 % 24, id % 60,
				       message->size ? message->size : message->attachment + 200);
	if (strstr(items, "MODSEQ"))
		g_string_append_printf(out, " MODSEQ (%" G_GUINT64_FORMAT ")", message->modseq);
	if (strstr(items, "ENVELOPE"))
		append_record(out, message, strstr(items, "BODYSTRUCTURE") != NULL);
	if (fields && message->flaws & FAKE_BROKEN_HEADER)
		g_string_append(out, " BODY[HEADER.FIELDS (oops");
	else
		append_sections(server, out, message, items);
	g_string_append(out, ")\r\n");
}

/* ---- sets -------------------------------------------------------------------------------------------------- */

static bool
in_set(const char *set, uint32_t number, uint32_t last)
{
	g_auto(GStrv) ranges = g_strsplit(set, ",", -1);

	for (size_t i = 0; ranges[i]; i++) {
		const char *colon = strchr(ranges[i], ':');
		uint32_t low = *ranges[i] == '*' ? last : (uint32_t)strtoul(ranges[i], NULL, 10);
		uint32_t high = low;

		if (colon)
			high = colon[1] == '*' ? last : (uint32_t)strtoul(colon + 1, NULL, 10);
		if (number >= MIN(low, high) && number <= MAX(low, high))
			return true;
	}
	return false;
}

bool
fake_in_set(const char *set, uint32_t uid, const FakeBox *box)
{
	guint n = box->messages->len;

	return in_set(set, uid, n ? g_array_index(box->messages, FakeMessage, n - 1).uid : 0);
}

static uint64_t
changed_since(const char *items)
{
	const char *word = strstr(items, "CHANGEDSINCE ");

	return word ? strtoull(word + strlen("CHANGEDSINCE "), NULL, 10) : 0;
}

static void
fetch(FakeServer *server, GString *out, bool uid, const char *arguments)
{
	const char *space = strchr(arguments, ' ');
	g_autofree char *set = space ? g_strndup(arguments, (gsize)(space - arguments)) : NULL;
	FakeBox *box = server->line->selected;
	uint32_t last;
	uint64_t since = space ? changed_since(space) : 0;

	if (!set || !box)
		return;
	if (server->faults & FAKE_SLOW)
		usleep(10000);
	last = !uid ? box->messages->len
	       : box->messages->len
		   ? g_array_index(box->messages, FakeMessage, box->messages->len - 1).uid
		   : 0;
	for (guint i = 0; i < box->messages->len; i++) {
		const FakeMessage *message = &g_array_index(box->messages, FakeMessage, i);

		if (in_set(set, uid ? message->uid : i + 1, last) && message->modseq > since)
			append_fetch(server, out, i, space);
	}
	if (server->faults & FAKE_GROWS)
		fake_box_add(server, box, 1, "", 0);
}

/* HEADER MESSAGE-ID "<m7@example.org>" */
static void
search_id(FakeServer *server, GString *out, const char *id)
{
	const FakeBox *box = server->line->selected;
	uint32_t origin = (uint32_t)strtoul(id + strcspn(id, "0123456789"), NULL, 10);

	g_string_append(out, "* SEARCH");
	for (guint i = 0; box && i < box->messages->len; i++) {
		const FakeMessage *message = &g_array_index(box->messages, FakeMessage, i);

		if (fake_origin(message) == origin)
			g_string_append_printf(out, " %u", message->uid);
	}
	g_string_append(out, "\r\n");
}

static void
search(FakeServer *server, GString *out, const char *tag, const char *arguments)
{
	FakeBox *box = server->line->selected;
	const char *set = strstr(arguments, "UID ");
	g_autoptr(GString) all = g_string_new(NULL);
	unsigned count = 0;

	if (g_str_has_prefix(arguments, "HEADER MESSAGE-ID ")) {
		search_id(server, out, arguments);
		return;
	}
	for (guint i = 0; box && set && i < box->messages->len; i++) {
		uint32_t uid = g_array_index(box->messages, FakeMessage, i).uid;
		uint32_t last =
		    g_array_index(box->messages, FakeMessage, box->messages->len - 1).uid;

		if (!in_set(set + 4, uid, last))
			continue;
		count++;
		g_string_append_printf(all, "%s%u", all->len ? "," : "", uid);
	}
	if (strstr(arguments, "RETURN (COUNT)"))
		g_string_append_printf(out, "* ESEARCH (TAG \"%s\") UID COUNT %u\r\n", tag, count);
	else if (strstr(arguments, "RETURN (ALL)"))
		g_string_append_printf(out, "* ESEARCH (TAG \"%s\") UID%s%s\r\n", tag,
				       all->len ? " ALL " : "", all->str);
	else
		g_string_append_printf(out, "* SEARCH %s\r\n", g_strdelimit(all->str, ",", ' '));
}

/* ---- folders ------------------------------------------------------------------------------------------------- */

void
fake_append_status(FakeServer *server, GString *out, const FakeBox *box)
{
	unsigned unseen = 0;

	for (guint i = 0; i < box->messages->len; i++)
		unseen += !strstr(g_array_index(box->messages, FakeMessage, i).flags, "\\Seen");
	g_string_append_printf(out, "* STATUS %s (MESSAGES %u UNSEEN %u UIDNEXT %u UIDVALIDITY %u",
			       box->name, box->messages->len, unseen, box->uidnext,
			       box->uidvalidity);
	if (strstr(server->words, "CONDSTORE"))
		g_string_append_printf(out, " HIGHESTMODSEQ %" G_GUINT64_FORMAT, box->modseq);
	g_string_append(out, ")\r\n");
}

static void
list(FakeServer *server, GString *out, const char *verb, const char *arguments)
{
	if (server->faults & FAKE_LIST_EMPTY)
		return;
	for (guint i = 0; i < server->boxes->len; i++) {
		const FakeBox *box = g_ptr_array_index(server->boxes, i);
		g_autofree char *quoted = g_strdup_printf("\"%s\"", box->name);

		/* By name: LIST "" "Other" */
		if (!strchr(arguments, '*') && !strstr(arguments, quoted))
			continue;
		g_string_append_printf(out, "* %s (\\HasNoChildren%s) \"/\" \"%s\"\r\n", verb,
				       strstr(arguments, "SUBSCRIBED") &&
					       g_hash_table_contains(server->subscribed, box->name)
					   ? " \\Subscribed"
					   : "",
				       box->name);
		if (strstr(arguments, "STATUS ("))
			fake_append_status(server, out, box);
	}
}

static const char *
select_box(FakeServer *server, GString *out, const char *arguments)
{
	g_auto(GStrv) words = g_strsplit(arguments, " ", -1);
	g_autofree char *name = words[0] ? g_strdup(words[0]) : g_strdup("");
	FakeBox *box;
	bool closes = server->line->selected != NULL;

	g_strdelimit(name, "\"", ' ');
	box = fake_box(server, g_strstrip(name));
	server->line->selected = NULL;
	g_string_truncate(server->line->news, 0);
	if (!box)
		return "NO [NONEXISTENT] no such mailbox";
	server->line->selected = box;
	if (closes)
		g_string_append(out, "* OK [CLOSED] the one before\r\n");
	g_string_append_printf(out,
			       "* FLAGS (\\Seen \\Deleted)\r\n* %u EXISTS\r\n* 0 RECENT\r\n"
			       "* OK [UIDNEXT %u] next\r\n",
			       box->messages->len, box->uidnext);
	if (!(server->faults & FAKE_NO_UIDVALIDITY))
		g_string_append_printf(out, "* OK [UIDVALIDITY %u] valid\r\n", box->uidvalidity);
	if (strstr(server->words, "CONDSTORE"))
		g_string_append_printf(out, "* OK [HIGHESTMODSEQ %" G_GUINT64_FORMAT "] mod\r\n",
				       box->modseq);
	if (server->faults & FAKE_READ_ONLY)
		return "OK [READ-ONLY] selected";
	return "OK [READ-WRITE] selected";
}

static const char *
notify(FakeServer *server, GString *out)
{
	server->line->notifies = true;
	for (guint i = 0; i < server->boxes->len; i++)
		fake_append_status(server, out, g_ptr_array_index(server->boxes, i));
	return "OK you will be told";
}

static void
status(FakeServer *server, GString *out, const char *arguments)
{
	g_auto(GStrv) words = g_strsplit(arguments, " ", -1);
	FakeBox *box = words[0] ? fake_box(server, words[0]) : NULL;

	if (box)
		fake_append_status(server, out, box);
}

/* ---- commands ------------------------------------------------------------------------------------------------- */

FakeRule *
fake_rule(FakeServer *server, const char *command)
{
	for (guint i = 0; i < server->rules->len; i++) {
		FakeRule *rule = g_ptr_array_index(server->rules, i);

		if (rule->times && strstr(command, rule->words)) {
			rule->times--;
			return rule;
		}
	}
	return NULL;
}

static void
login(FakeServer *server, GString *out, const char *tag)
{
	if (server->faults & FAKE_LOGIN_REFUSED)
		g_string_append_printf(out, "%s NO not today\r\n", tag);
	else
		server->line->logged_in = true;
	if (server->line->logged_in)
		g_string_append_printf(out, "%s OK [CAPABILITY %s] welcome\r\n", tag,
				       server->words);
}

/* The untagged data of COMMAND; its tagged answer without the tag is returned. */
static const char *
answer(FakeServer *server, GString *out, const char *tag, const char *command)
{
	const char *change = server->line->logged_in ? fake_change(server, out, command) : NULL;

	if (change)
		return change;
	if (g_str_has_prefix(command, "CAPABILITY"))
		g_string_append_printf(out, "* CAPABILITY %s\r\n", server->words);
	else if (!server->line->logged_in && !g_str_has_prefix(command, "LOGOUT"))
		return "BAD log in first";
	else if (g_str_has_prefix(command, "SELECT "))
		return select_box(server, out, command + 7);
	else if (g_str_has_prefix(command, "EXAMINE "))
		return select_box(server, out, command + 8);
	else if (g_str_has_prefix(command, "UNSELECT") && strstr(server->words, "UNSELECT")) {
		server->line->selected = NULL;
		return "OK left";
	} else if (g_str_has_prefix(command, "LIST "))
		list(server, out, "LIST", command);
	else if (g_str_has_prefix(command, "LSUB "))
		list(server, out, "LSUB", command);
	else if (g_str_has_prefix(command, "STATUS "))
		status(server, out, command + 7);
	else if (g_str_has_prefix(command, "UID FETCH "))
		fetch(server, out, true, command + 10);
	else if (g_str_has_prefix(command, "FETCH "))
		fetch(server, out, false, command + 6);
	else if (g_str_has_prefix(command, "UID SEARCH "))
		search(server, out, tag, command + 11);
	else if (g_str_has_prefix(command, "NOTIFY SET ") && strstr(server->words, "NOTIFY"))
		return notify(server, out);
	else if (g_str_has_prefix(command, "LOGOUT"))
		g_string_append(out, "* BYE see you\r\n");
	else if (!g_str_has_prefix(command, "NOOP"))
		return "BAD what?";
	return "OK done";
}

/* In the middle of the first literal of more than a few bytes. */
static void
cut_in_literal(GString *out)
{
	char *mark = strstr(out->str, "}\r\n");

	if (mark)
		g_string_truncate(out, (gsize)(mark + 3 - out->str) + 20);
}

static bool
obey(FakeServer *server, GString *out, const char *tag, const char *command, const FakeRule *rule)
{
	const char *end;

	switch (rule->action) {
	case FAKE_ANSWER_NO:
	case FAKE_ANSWER_BAD:
		g_string_append_printf(out, "%s %s %s\r\n", tag,
				       rule->action == FAKE_ANSWER_NO ? "NO" : "BAD",
				       rule->text ? rule->text : "as it was told");
		return true;
	case FAKE_CUT:
		return false;
	case FAKE_CUT_DONE_TWICE:
		answer(server, out, tag, command);
		G_GNUC_FALLTHROUGH;
	case FAKE_CUT_DONE:
		answer(server, out, tag, command);
		g_string_truncate(out, 0);
		return false;
	case FAKE_PRETEND:
		g_string_append_printf(out, "%s OK done\r\n", tag);
		return true;
	case FAKE_CUT_IN_LITERAL:
		answer(server, out, tag, command);
		cut_in_literal(out);
		return false;
	case FAKE_HANG:
		server->line->hangs = true;
		return true;
	case FAKE_SAY:
		g_string_append(out, rule->text);
		end = answer(server, out, tag, command);
		g_string_append_printf(out, "%s %s\r\n", tag, end);
		return true;
	case FAKE_BEHIND:
		server->line->kept = g_string_new(NULL);
		server->line->kept_for = g_strdup(rule->text);
		end = answer(server, server->line->kept, tag, command);
		g_string_append_printf(server->line->kept, "%s %s\r\n", tag, end);
		return true;
	case FAKE_LATE:
		break;
	}
	return true;
}

static bool
special(FakeServer *server, const char *tag, const char *command, GString *out)
{
	if (g_str_has_prefix(command, "AUTHENTICATE PLAIN")) {
		if (!command[strlen("AUTHENTICATE PLAIN")]) {
			server->line->auth_tag = g_strdup(tag);
			g_string_append(out, "+ \r\n");
		} else {
			login(server, out, tag);
		}
	} else if (g_str_has_prefix(command, "LOGIN ")) {
		login(server, out, tag);
	} else if (g_str_has_prefix(command, "IDLE")) {
		server->line->idle_tag = g_strdup(tag);
		g_string_append(out, "+ idling\r\n");
		fake_tell_news(server, out);
	} else {
		return false;
	}
	return true;
}

/* The test may go on meanwhile. */
static void
wait_unlocked(FakeServer *server)
{
	pthread_mutex_unlock(&server->lock);
	usleep(300000);
	pthread_mutex_lock(&server->lock);
}

bool
fake_command(FakeServer *server, const char *line, GString *out)
{
	const char *space = strchr(line, ' '), *command = space ? space + 1 : line, *end;
	g_autofree char *tag = space ? g_strndup(line, (gsize)(space - line)) : g_strdup(line);
	FakeRule *rule;

	if (server->line->hangs)
		return true;
	if (server->line->auth_tag) {
		login(server, out, server->line->auth_tag);
		g_clear_pointer(&server->line->auth_tag, g_free);
		return true;
	}
	if (server->line->idle_tag && g_str_equal(line, "DONE")) {
		fake_tell_news(server, out);
		g_string_append_printf(out, "%s OK idled\r\n", server->line->idle_tag);
		g_clear_pointer(&server->line->idle_tag, g_free);
		return true;
	}
	g_ptr_array_add(server->log, g_strdup(command));
	g_array_append_val(server->log_lines, server->line->number);
	rule = fake_rule(server, command);
	if (rule && rule->action == FAKE_LATE)
		wait_unlocked(server);
	else if (rule)
		return obey(server, out, tag, command, rule);
	if (special(server, tag, command, out))
		return true;
	/* What happened since is told first, but where numbers would change their meaning. */
	if (!g_str_has_prefix(command, "FETCH "))
		fake_tell_news(server, out);
	end = answer(server, out, tag, command);
	if (!g_str_has_prefix(command, "FETCH "))
		fake_tell_news(server, out);
	g_string_append_printf(out, "%s %s\r\n", tag, end);
	return !g_str_has_prefix(command, "LOGOUT");
}
