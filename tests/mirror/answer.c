/* What the server says.  Each untagged line of an answer goes through say_line, where a case may
 * have something happen before it. */
#include "server-private.h"

#include <stdlib.h>
#include <string.h>

#define TEXT "Dear reader,\r\n\r\nno more.\r\n"

static void say_line(Server *server, Line *line, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool
is_over(const Line *line)
{
	return line->verdict || line->closing || line->hangs;
}

static void
say_line(Server *server, Line *line, const char *format, ...)
{
	va_list arguments;

	if (is_over(line))
		return;
	va_start(arguments, format);
	g_string_append_vprintf(line->out, format, arguments);
	va_end(arguments);
	g_string_append(line->out, "\r\n");
	line->said++;
	moment(server, line, MOMENT_LINE);
}

/* ---- sets --------------------------------------------------------------------------------------- */

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

/* The UIDs that SET names among those of the view. */
static GArray *
resolve(const Line *line, const char *set, bool uid)
{
	GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	guint n = line->view->len;
	uint32_t last = uid && n ? g_array_index(line->view, uint32_t, n - 1) : n;

	for (guint i = 0; i < n; i++) {
		uint32_t at = g_array_index(line->view, uint32_t, i);

		if (in_set(set, uid ? at : i + 1, last))
			g_array_append_val(uids, at);
	}
	return uids;
}

/* What is gone since MODSEQ, and, with SET, of it. */
static GArray *
vanished(Server *server, const Box *box, uint64_t since, const char *set)
{
	GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	bool all = server_has(server->quirks, "vanished-all");

	for (uint32_t uid = 1; uid < box->uidnext; uid++) {
		bool gone = all && !box_find((Box *)box, uid);

		for (guint i = 0; i < box->gone->len; i++) {
			const Gone *one = &g_array_index(box->gone, Gone, i);

			gone |= one->uid == uid && one->modseq > since;
		}
		if (gone && (!set || in_set(set, uid, box->uidnext - 1)))
			g_array_append_val(uids, uid);
	}
	return uids;
}

static void
say_vanished(Server *server, Line *line, uint64_t since, const char *set)
{
	g_autoptr(GArray) uids = vanished(server, line->box, since, set);
	g_autofree char *text = uids_text(uids);

	if (uids->len)
		say_line(server, line, "* VANISHED (EARLIER) %s", text);
}

/* ---- FETCH -------------------------------------------------------------------------------------------- */

int64_t
server_date(unsigned serial)
{
	return 1546300800 + (int64_t)serial * 60; /* from 1 January 2019 on, a minute apart */
}

static void
append_date(GString *out, unsigned serial, const char *format)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(server_date(serial));
	g_autofree char *text = g_date_time_format(date, format);

	g_string_append(out, text);
}

static void
append_envelope(GString *out, unsigned serial)
{
	g_string_append(out, " ENVELOPE (\"");
	append_date(out, serial, "%a, %d %b %Y %H:%M:%S +0000");
	g_string_append_printf(out,
			       "\" \"" SERVER_SUBJECT
			       "\" ((\"Ada\" NIL \"ada\" \"example.org\")) NIL NIL ((\"Bob\" NIL "
			       "\"bob\" \"example.net\")) NIL NIL NIL \"<m%u@example.org>\")",
			       serial, serial);
}

static void
append_bodies(GString *out, unsigned serial, const char *items)
{
	const char *at = items;

	while ((at = strstr(at, "BODY.PEEK["))) {
		const char *open = at + strlen("BODY.PEEK["), *close = strchr(open, ']');
		g_autofree char *section = close ? g_strndup(open, (gsize)(close - open)) : NULL;
		g_autofree char *bytes = NULL;

		if (!section)
			return;
		bytes = g_strdup_printf("%s%s",
					strstr(section, "HEADER") || !*section
					    ? "Date: Tue, 1 Jan 2019 10:00:00 +0000\r\nSubject: "
					      "from the header\r\n\r\n"
					    : "",
					strstr(section, "HEADER") ? "" : TEXT);
		g_string_append_printf(out, " BODY[%s]", section);
		if (close[1] == '<')
			g_string_append(out, "<0>");
		g_string_append_printf(out, " {%zu}\r\n%s", strlen(bytes), bytes);
		at = close;
	}
}

static void
say_message(Server *server, Line *line, uint32_t uid, const char *items)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const ServerMessage *message = box_find(line->box, uid);
	guint index = view_index(line, uid);

	if (!message || index == G_MAXUINT || message->omitted)
		return;
	g_string_append_printf(out, "* %u FETCH (UID %u", index + 1, uid);
	if (strstr(items, "FLAGS"))
		g_string_append_printf(out, " FLAGS (%s)", message->flags);
	if (strstr(items, "INTERNALDATE")) {
		g_string_append(out, " INTERNALDATE \"");
		append_date(out, message->serial, "%d-%b-%Y %H:%M:%S +0000\"");
	}
	if (strstr(items, "RFC822.SIZE"))
		g_string_append(out, " RFC822.SIZE 200");
	if (line->condstore || strstr(items, "MODSEQ"))
		g_string_append_printf(out, " MODSEQ (%" G_GUINT64_FORMAT ")", message->modseq);
	if (strstr(items, "ENVELOPE"))
		append_envelope(out, message->serial);
	if (strstr(items, "BODYSTRUCTURE"))
		g_string_append_printf(out,
				       " BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" "
				       "%zu 3)",
				       strlen(TEXT));
	append_bodies(out, message->serial, items);
	say_line(server, line, "%s)", out->str);
	if (server_has(server->quirks, "twice"))
		say_line(server, line, "%s)", out->str);
}

static uint64_t
number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? g_ascii_strtoull(at + strlen(word), NULL, 10) : 0;
}

static void
fetch(Server *server, Line *line, bool uid, const char *arguments)
{
	const char *space = strchr(arguments, ' ');
	g_autofree char *set = space ? g_strndup(arguments, (gsize)(space - arguments)) : NULL;
	g_autoptr(GArray) uids = NULL;
	uint64_t since;

	if (!set || !line->box)
		return;
	since = number_after(space, "CHANGEDSINCE ");
	line->condstore |= since || strstr(space, "MODSEQ");
	if (strstr(space, "VANISHED"))
		say_vanished(server, line, since, set);
	uids = resolve(line, set, uid);
	for (guint i = 0; i < uids->len && !is_over(line); i++) {
		bool backwards = server_has(server->quirks, "backwards");
		uint32_t at = g_array_index(uids, uint32_t, backwards ? uids->len - 1 - i : i);
		const ServerMessage *message = box_find(line->box, at);

		if (message && message->modseq > since)
			say_message(server, line, at, space);
	}
}

/* ---- SEARCH --------------------------------------------------------------------------------------------- */

typedef struct Search {
	const Line *line;
	char **words;
	size_t at;
} Search;

static bool matches(Search *search, const ServerMessage *message, guint index);

/* Keys up to the closing parenthesis, or all. */
static bool
matches_all(Search *search, const ServerMessage *message, guint index)
{
	bool all = true;

	while (search->words[search->at]) {
		if (!strcmp(search->words[search->at], ")")) {
			search->at++;
			break;
		}
		all &= matches(search, message, index);
	}
	return all;
}

static bool
has_flag(const ServerMessage *message, const char *flag)
{
	g_auto(GStrv) flags = g_strsplit(message->flags, " ", -1);

	for (size_t i = 0; flags[i]; i++)
		if (!g_ascii_strcasecmp(flags[i], flag))
			return true;
	return false;
}

static const char *
next_word(Search *search)
{
	return search->words[search->at] ? search->words[search->at++] : "";
}

static bool
matches_flag(Search *search, const ServerMessage *message, const char *key)
{
	static const char *const flags[] = { "SEEN", "ANSWERED", "FLAGGED", "DELETED", "DRAFT" };
	bool not = g_str_has_prefix(key, "UN");

	if (!strcmp(key, "KEYWORD") || !strcmp(key, "UNKEYWORD"))
		return has_flag(message, next_word(search)) != not ;
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		g_autofree char *flag = g_strconcat("\\", flags[i], NULL);

		if (!strcmp(key + (not ? 2 : 0), flags[i]))
			return has_flag(message, flag) != not ;
	}
	return false;
}

static bool
matches(Search *search, const ServerMessage *message, guint index)
{
	guint n = search->line->view->len;
	const char *key = next_word(search);

	if (!strcmp(key, "("))
		return matches_all(search, message, index);
	if (!strcmp(key, "ALL"))
		return true;
	if (!strcmp(key, "NOT"))
		return !matches(search, message, index);
	if (!strcmp(key, "OR")) {
		bool one = matches(search, message, index);

		return matches(search, message, index) || one;
	}
	if (!strcmp(key, "UID"))
		return in_set(next_word(search), message->uid,
			      n ? g_array_index(search->line->view, uint32_t, n - 1) : 0);
	if (!strcmp(key, "MODSEQ"))
		return message->modseq >= g_ascii_strtoull(next_word(search), NULL, 10);
	if (g_ascii_isdigit(*key) || *key == '*')
		return in_set(key, index + 1, n);
	return matches_flag(search, message, key);
}

static char **
search_words(const char *text)
{
	g_autoptr(GString) spaced = g_string_new(NULL);
	g_auto(GStrv) words = NULL;
	g_autoptr(GStrvBuilder) kept = g_strv_builder_new();

	for (; *text; text++)
		g_string_append_printf(spaced, *text == '(' || *text == ')' ? " %c " : "%c", *text);
	words = g_strsplit(spaced->str, " ", -1);
	for (size_t i = 0; words[i]; i++)
		if (*words[i])
			g_strv_builder_add(kept, words[i]);
	return g_strv_builder_end(kept);
}

static void
say_esearch(Server *server, Line *line, const char *wanted, const GArray *found, bool uid)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *set = uids_text(found);

	if (strstr(wanted, "COUNT"))
		g_string_append_printf(out, " COUNT %u", found->len);
	if (strstr(wanted, "MIN") && found->len)
		g_string_append_printf(out, " MIN %u", g_array_index(found, uint32_t, 0));
	if (strstr(wanted, "MAX") && found->len)
		g_string_append_printf(out, " MAX %u",
				       g_array_index(found, uint32_t, found->len - 1));
	if ((strstr(wanted, "ALL") || !strcmp(wanted, "()")) && found->len)
		g_string_append_printf(out, " ALL %s", set);
	say_line(server, line, "* ESEARCH (TAG \"%s\")%s%s", line->tag, uid ? " UID" : "",
		 out->str);
}

static void
search(Server *server, Line *line, bool uid, const char *arguments)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree char *wanted = NULL;
	g_auto(GStrv) words = NULL;
	g_autoptr(GString) out = g_string_new("* SEARCH");

	if (g_str_has_prefix(arguments, "RETURN (")) {
		const char *close = strchr(arguments, ')');

		if (!close)
			return;
		wanted = g_strndup(arguments + 7, (gsize)(close + 1 - arguments - 7));
		arguments = close + 1;
	}
	words = search_words(arguments);
	for (guint i = 0; line->box && i < line->view->len; i++) {
		Search keys = { line, words, 0 };
		uint32_t at = g_array_index(line->view, uint32_t, i), number = uid ? at : i + 1;
		const ServerMessage *message = box_find(line->box, at);

		if (message && matches_all(&keys, message, i))
			g_array_append_val(found, number);
	}
	if (wanted) {
		say_esearch(server, line, wanted, found, uid);
		return;
	}
	for (guint i = 0; i < found->len; i++)
		g_string_append_printf(out, " %u", g_array_index(found, uint32_t, i));
	say_line(server, line, "%s", out->str);
}

/* ---- SELECT ------------------------------------------------------------------------------------------------- */

static const char *
lie(const Box *box, const char *what)
{
	return g_hash_table_lookup(box->lies, what);
}

static bool
has_modseq(Server *server, const Box *box)
{
	return server_has(server->words, "CONDSTORE") && !lie(box, "modseq");
}

static void
say_figures(Server *server, Line *line)
{
	const Box *box = line->box;
	const char *exists = lie(box, "exists"), *next = lie(box, "uidnext");
	const char *validity = lie(box, "uidvalidity"), *modseq = lie(box, "modseq");
	g_autofree char *true_next = g_strdup_printf("%u", box->uidnext);
	g_autofree char *true_validity = g_strdup_printf("%u", box->uidvalidity);
	g_autofree char *true_modseq = g_strdup_printf("%" G_GUINT64_FORMAT, box->modseq);
	g_autofree char *true_exists = g_strdup_printf("%u", line->view->len);

	say_line(server, line, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
	line->told = true;
	say_line(server, line, "* %s EXISTS", exists ? exists : true_exists);
	say_line(server, line, "* 0 RECENT");
	if (g_strcmp0(validity, "none"))
		say_line(server, line, "* OK [UIDVALIDITY %s] valid",
			 validity ? validity : true_validity);
	if (g_strcmp0(next, "none"))
		say_line(server, line, "* OK [UIDNEXT %s] next", next ? next : true_next);
	if (!server_has(server->words, "CONDSTORE") || !g_strcmp0(modseq, "none"))
		return;
	if (!g_strcmp0(modseq, "no"))
		say_line(server, line, "* OK [NOMODSEQ] none");
	else
		say_line(server, line, "* OK [HIGHESTMODSEQ %s] highest",
			 modseq ? modseq : true_modseq);
}

/* RFC 7162, 3.2.5: (QRESYNC (uidvalidity modseq [known-uids] [(seqs uids)])). */
static void
say_changes(Server *server, Line *line, const char *arguments)
{
	const char *at = strstr(arguments, "(QRESYNC (");
	g_auto(GStrv) words = NULL;
	g_autofree char *inner = NULL;
	const char *set = NULL;
	uint64_t since;

	if (!at || !has_modseq(server, line->box))
		return;
	inner = g_strdup(at + strlen("(QRESYNC ("));
	inner[strcspn(inner, ")")] = '\0';
	words = g_strsplit(inner, " ", 4);
	if (!words[0] || !words[1] || strtoul(words[0], NULL, 10) != line->box->uidvalidity)
		return;
	since = g_ascii_strtoull(words[1], NULL, 10);
	if (words[2] && words[2][0] != '(')
		set = words[2];
	say_vanished(server, line, since, set);
	for (guint i = 0; i < line->view->len && !is_over(line); i++) {
		uint32_t uid = g_array_index(line->view, uint32_t, i);
		const ServerMessage *message = box_find(line->box, uid);

		if (message && message->modseq > since && (!set || in_set(set, uid, uid)) &&
		    !(server_has(server->quirks, "known-alone") && uid == message->serial &&
		      message->modseq == line->box->modseq))
			say_message(server, line, uid, "(UID FLAGS MODSEQ)");
	}
}

static char *
first_argument(const char *arguments)
{
	const char *end;

	if (*arguments == '"') {
		end = strchr(arguments + 1, '"');
		return end ? g_strndup(arguments + 1, (gsize)(end - arguments - 1)) : g_strdup("");
	}
	end = strchr(arguments, ' ');
	return end ? g_strndup(arguments, (gsize)(end - arguments)) : g_strdup(arguments);
}

static const char *
select_box(Server *server, Line *line, const char *arguments)
{
	g_autofree char *name = first_argument(arguments);
	bool closes = line->box != NULL;
	const char *refusal;

	if (strstr(arguments, "QRESYNC") && !line->qresync)
		return "BAD ENABLE it first";
	line->box = NULL;
	line->told = false;
	if (closes && !server_has(server->quirks, "no-closed"))
		say_line(server, line, "* OK [CLOSED] the one before");
	if (is_over(line))
		return "";
	line->box = server_box(server, name);
	if (!line->box)
		return "NO [NONEXISTENT] no such mailbox";
	refusal = lie(line->box, "select");
	if (refusal) {
		line->box = NULL;
		return refusal;
	}
	line->condstore |= strstr(arguments, "CONDSTORE") || strstr(arguments, "QRESYNC");
	select_view(line);
	if (server_has(server->quirks, "enabled"))
		say_line(server, line, "* ENABLED CONDSTORE QRESYNC");
	say_figures(server, line);
	say_changes(server, line, arguments);
	if (is_over(line)) {
		line->box = line->closing ? line->box : NULL;
		line->told = false;
	}
	return "OK [READ-WRITE] selected";
}

/* ---- folders -------------------------------------------------------------------------------------------------- */

static void
say_status(Server *server, Line *line, const Box *box, const char *items)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *next = lie(box, "uidnext"), *modseq = lie(box, "modseq");
	const char *exists = lie(box, "exists");
	unsigned unseen = 0;

	for (guint i = 0; i < box->messages->len; i++)
		unseen += !has_flag(&g_array_index(box->messages, ServerMessage, i), "\\Seen");
	if (strstr(items, "MESSAGES"))
		g_string_append_printf(out, " MESSAGES %u",
				       exists ? (unsigned)strtoul(exists, NULL, 10)
					      : box->messages->len);
	if (strstr(items, "UNSEEN"))
		g_string_append_printf(out, " UNSEEN %u", unseen);
	if (strstr(items, "UIDNEXT") && g_strcmp0(next, "none"))
		g_string_append_printf(out, " UIDNEXT %u",
				       next ? (unsigned)strtoul(next, NULL, 10) : box->uidnext);
	if (strstr(items, "UIDVALIDITY") && !lie(box, "uidvalidity"))
		g_string_append_printf(out, " UIDVALIDITY %u", box->uidvalidity);
	if (strstr(items, "HIGHESTMODSEQ") && server_has(server->words, "CONDSTORE"))
		g_string_append_printf(out, " HIGHESTMODSEQ %" G_GUINT64_FORMAT,
				       modseq ? g_ascii_strtoull(modseq, NULL, 10) : box->modseq);
	say_line(server, line, "* STATUS %s (%s)", box->name, out->len ? out->str + 1 : "");
}

static void
list(Server *server, Line *line, const char *verb, const char *arguments)
{
	const char *status = strstr(arguments, "STATUS (");

	for (guint i = 0; i < server->boxes->len; i++) {
		const Box *box = g_ptr_array_index(server->boxes, i);

		say_line(server, line, "* %s (\\HasNoChildren%s) \"/\" %s", verb,
			 strstr(arguments, "SUBSCRIBED") ? " \\Subscribed" : "", box->name);
		if (status)
			say_status(server, line, box, status);
	}
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static const char *
enable(Server *server, Line *line, const char *arguments)
{
	bool qresync = strstr(arguments, "QRESYNC") && server_has(server->words, "QRESYNC");
	bool condstore = strstr(arguments, "CONDSTORE") && server_has(server->words, "CONDSTORE");

	if (!server_has(server->words, "ENABLE"))
		return "BAD what?";
	line->qresync |= qresync;
	line->condstore |= qresync || condstore;
	say_line(server, line, "* ENABLED%s%s", condstore ? " CONDSTORE" : "",
		 qresync ? " QRESYNC" : "");
	return "OK enabled";
}

static const char *
obey(Server *server, Line *line, const char *verb, const char *arguments)
{
	Box *box;

	if (!strcmp(verb, "CAPABILITY"))
		say_line(server, line, "* CAPABILITY %s", server->words);
	else if (!strcmp(verb, "LOGOUT"))
		say_line(server, line, "* BYE see you");
	else if (!line->logged_in)
		return "BAD log in first";
	else if (!strcmp(verb, "SELECT") || !strcmp(verb, "EXAMINE"))
		return select_box(server, line, arguments);
	else if (!strcmp(verb, "ENABLE"))
		return enable(server, line, arguments);
	else if (!strcmp(verb, "LIST") || !strcmp(verb, "LSUB"))
		list(server, line, verb, arguments);
	else if (!strcmp(verb, "FETCH") || !strcmp(verb, "UID FETCH"))
		fetch(server, line, *verb == 'U', arguments);
	else if (!strcmp(verb, "SEARCH") || !strcmp(verb, "UID SEARCH"))
		search(server, line, *verb == 'U', arguments);
	else if (!strcmp(verb, "STATUS")) {
		g_autofree char *name = first_argument(arguments);

		if (!(box = server_box(server, name)))
			return "NO [NONEXISTENT] no such mailbox";
		say_status(server, line, box, strrchr(arguments, '('));
	} else if (!strcmp(verb, "CLOSE") || !strcmp(verb, "UNSELECT")) {
		line->box = NULL;
	} else if (strcmp(verb, "NOOP") && strcmp(verb, "CHECK")) {
		return "BAD what?";
	}
	return "OK done";
}

static void
log_in(Server *server, Line *line, const char *tag)
{
	line->logged_in = true;
	g_string_append_printf(line->out, "%s OK [CAPABILITY %s] welcome\r\n", tag, server->words);
}

/* What is no question with an answer. */
static bool
special(Server *server, Line *line, const char *text)
{
	if (line->auth_tag) {
		log_in(server, line, line->auth_tag);
		g_clear_pointer(&line->auth_tag, g_free);
	} else if (line->idle_tag && !strcmp(text, "DONE")) {
		g_string_append_printf(line->out, "%s OK idled\r\n", line->idle_tag);
		g_clear_pointer(&line->idle_tag, g_free);
	} else if (!strcmp(line->command, "AUTHENTICATE PLAIN")) {
		line->auth_tag = g_strdup(line->tag);
		g_string_append(line->out, "+ \r\n");
	} else if (g_str_has_prefix(line->command, "AUTHENTICATE PLAIN ") ||
		   g_str_has_prefix(line->command, "LOGIN ")) {
		log_in(server, line, line->tag);
	} else if (!strcmp(line->command, "IDLE") && server_has(server->words, "IDLE")) {
		moment(server, line, MOMENT_START);
		line->idle_tag = g_strdup(line->tag);
		g_string_append(line->out, "+ idling\r\n");
		tell(server, line, true);
		moment(server, line, MOMENT_AFTER);
	} else {
		return false;
	}
	return true;
}

static void
note(Server *server, const char *command)
{
	bool secret = g_str_has_prefix(command, "AUTH") || g_str_has_prefix(command, "LOGIN");

	g_ptr_array_add(server->log, g_strdup(secret ? "LOGIN" : command));
}

/* A FETCH that left before the answer to what is before it, and brought nothing. */
static void
note_in_vain(Server *server)
{
	char **last = (char **)&server->log->pdata[server->log->len - 1];
	g_autofree char *command = *last;

	*last = g_strconcat(SERVER_IN_VAIN, command, NULL);
}

bool
answer(Server *server, Line *line, const char *text)
{
	bool rides = line->out->len > 0;
	const char *space = strchr(text, ' '), *arguments;
	g_autofree char *tag = space ? g_strndup(text, (gsize)(space - text)) : g_strdup(text);
	g_autofree char *command = g_strdup(space ? space + 1 : "");
	g_autofree char *verb = NULL;
	const char *end;

	if (line->hangs)
		return true;
	line->tag = tag;
	line->command = command;
	line->said = 0;
	g_clear_pointer(&line->verdict, g_free);
	if (!line->auth_tag && strcmp(text, "DONE"))
		note(server, command);
	if (special(server, line, text))
		return !line->closing;
	arguments = strchr(command, ' ');
	if (g_str_has_prefix(command, "UID ") && arguments)
		arguments = strchr(arguments + 1, ' ');
	verb = arguments ? g_strndup(command, (gsize)(arguments - command)) : g_strdup(command);
	moment(server, line, MOMENT_START);
	/* What the answer is about comes first; RFC 3501, 7.4.1: where numbers are spoken of, they
	 * stay. */
	end = obey(server, line, verb, arguments ? arguments + 1 : "");
	moment(server, line, MOMENT_END);
	if (rides && !line->said && !strcmp(verb, "UID FETCH"))
		note_in_vain(server);
	if (line->closing || line->hangs)
		return !line->closing;
	tell(server, line, strcmp(verb, "FETCH") && strcmp(verb, "SEARCH"));
	g_string_append_printf(line->out, "%s %s\r\n", tag, line->verdict ? line->verdict : end);
	moment(server, line, MOMENT_AFTER);
	line->command = line->tag = NULL;
	return strcmp(verb, "LOGOUT") && !line->closing;
}
