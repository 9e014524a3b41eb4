/* What the fake server does when a client changes something. */
#include "fake-server-private.h"

#include <string.h>

static FakeMessage *
at(const FakeBox *box, guint i)
{
	return &g_array_index(box->messages, FakeMessage, i);
}

/* The next word of *TEXT, without its quotes; *TEXT moves behind it. */
static char *
take_word(const char **text)
{
	const char *from = *text, *end;
	char *word;

	while (*from == ' ')
		from++;
	if (*from == '"') {
		end = strchr(from + 1, '"');
		if (!end)
			return g_strdup("");
		word = g_strndup(from + 1, (gsize)(end - from - 1));
		*text = end + 1;
		return word;
	}
	end = from + strcspn(from, " ");
	word = g_strndup(from, (gsize)(end - from));
	*text = end;
	return word;
}

static bool
has_flag(const char *flags, const char *flag)
{
	g_auto(GStrv) words = g_strsplit(flags, " ", -1);

	return g_strv_contains((const char *const *)words, flag);
}

static void
set_flag(FakeMessage *message, const char *flag, bool set)
{
	g_auto(GStrv) words = g_strsplit(message->flags, " ", -1);
	g_autoptr(GString) flags = g_string_new(NULL);

	for (size_t i = 0; words[i]; i++)
		if (*words[i] && strcmp(words[i], flag))
			g_string_append_printf(flags, "%s%s", flags->len ? " " : "", words[i]);
	if (set)
		g_string_append_printf(flags, "%s%s", flags->len ? " " : "", flag);
	g_strlcpy(message->flags, flags->str, sizeof message->flags);
}

/* To all but the line that asked; to that one when OUT is not NULL. */
static void
tell_flags(FakeServer *server, FakeBox *box, guint index, GString *out)
{
	g_autoptr(GString) nowhere = g_string_new(NULL);
	g_autofree char *text = g_strdup_printf("* %u FETCH (UID %u FLAGS (%s))\r\n", index + 1,
						at(box, index)->uid, at(box, index)->flags);

	fake_tell(server, box, out ? out : nowhere, text);
}

/* UID STORE set +FLAGS[.SILENT] (flag) */
static const char *
store(FakeServer *server, GString *out, const char *arguments)
{
	FakeBox *box = server->line->selected;
	g_autofree char *set = take_word(&arguments), *verb = take_word(&arguments);
	g_autofree char *flag = take_word(&arguments);

	g_strdelimit(flag, "()", ' ');
	g_strstrip(flag);
	for (guint i = 0; i < box->messages->len; i++) {
		FakeMessage *message = at(box, i);

		if (!fake_in_set(set, message->uid, box))
			continue;
		if (!(server->faults & FAKE_STORE_IGNORED))
			set_flag(message, flag, *verb == '+');
		message->modseq = ++box->modseq;
		tell_flags(server, box, i, strstr(verb, ".SILENT") ? NULL : out);
	}
	return "OK stored";
}

static void
expunge_at(FakeServer *server, FakeBox *box, guint index, GString *out)
{
	g_autofree char *text = g_strdup_printf("* %u EXPUNGE\r\n", index + 1);

	g_array_remove_index(box->messages, index);
	fake_tell(server, box, out, text);
}

static const char *
expunge(FakeServer *server, GString *out, const char *arguments)
{
	FakeBox *box = server->line->selected;
	g_autofree char *set = take_word(&arguments);

	for (guint i = box->messages->len; i-- > 0;)
		if (fake_in_set(set, at(box, i)->uid, box) &&
		    has_flag(at(box, i)->flags, "\\Deleted"))
			expunge_at(server, box, i, out);
	return "OK expunged";
}

static void
tell_exists(FakeServer *server, const FakeBox *box, GString *out)
{
	g_autofree char *text = g_strdup_printf("* %u EXISTS\r\n", box->messages->len);

	fake_tell(server, box, out, text);
}

/* UID COPY or UID MOVE */
static const char *
copy(FakeServer *server, GString *out, const char *arguments, bool move)
{
	FakeBox *from = server->line->selected, *to;
	g_autofree char *set = take_word(&arguments), *name = take_word(&arguments);
	g_autoptr(GString) sources = g_string_new(NULL), copies = g_string_new(NULL);
	g_autofree char *code = NULL;
	guint n = from->messages->len;

	to = fake_box(server, name);
	if (!to)
		return "NO [TRYCREATE] no such mailbox";
	for (guint i = 0; i < n; i++) {
		FakeMessage message = *at(from, i);
		uint32_t lie = server->faults & FAKE_COPYUID_LIES ? 1 : 0;

		if (!fake_in_set(set, message.uid, from))
			continue;
		g_string_append_printf(sources, "%s%u", sources->len ? "," : "", message.uid);
		message.origin = fake_origin(&message);
		message.uid = to->uidnext++;
		message.modseq = ++to->modseq;
		g_string_append_printf(copies, "%s%u", copies->len ? "," : "", message.uid + lie);
		g_array_append_val(to->messages, message);
	}
	tell_exists(server, to, out);
	if (sources->len && strstr(server->words, "UIDPLUS"))
		code = g_strdup_printf("[COPYUID %u %s %s] ", to->uidvalidity, sources->str,
				       copies->str);
	if (move && code)
		g_string_append_printf(out, "* OK %smoving\r\n", code);
	for (guint i = n; move && i-- > 0;)
		if (fake_in_set(set, at(from, i)->uid, from))
			expunge_at(server, from, i, out);
	g_string_printf(server->said, "OK %sdone", move || !code ? "" : code);
	return server->said->str;
}

/* APPEND box (flags) "date" ~ and the literal */
static const char *
append(FakeServer *server, GString *out, const char *arguments)
{
	g_autofree char *name = take_word(&arguments);
	const char *open = strchr(arguments, '('), *close = open ? strchr(open, ')') : NULL;
	const char *id = strstr(server->line->content->str, "Message-ID: <m");
	FakeBox *box = fake_box(server, name);
	FakeMessage message = { 0 };

	if (!box)
		return "NO [TRYCREATE] no such mailbox";
	if (close) {
		g_autofree char *flags = g_strndup(open + 1, (gsize)(close - open - 1));

		g_strlcpy(message.flags, flags, sizeof message.flags);
	}
	message.uid = box->uidnext++;
	message.modseq = ++box->modseq;
	message.origin = id ? (uint32_t)strtoul(id + strlen("Message-ID: <m"), NULL, 10) : 0;
	message.size = server->line->content->len;
	g_array_append_val(box->messages, message);
	tell_exists(server, box, out);
	if (!strstr(server->words, "UIDPLUS"))
		return "OK appended";
	g_string_printf(server->said, "OK [APPENDUID %u %u] appended", box->uidvalidity,
			message.uid + (server->faults & FAKE_APPENDUID_LIES ? 700 : 0));
	return server->said->str;
}

/* ---- folders ---------------------------------------------------------------------------------------- */

static const char *
create(FakeServer *server, const char *arguments)
{
	g_autofree char *name = take_word(&arguments);

	if (fake_box(server, name))
		return "NO [ALREADYEXISTS] it is there";
	fake_box_make(server, name);
	return "OK made";
}

/* On any line: where others end the line, this one says so. */
static bool
is_selected(FakeServer *server, const FakeBox *box)
{
	for (guint i = 0; i < server->lines->len; i++)
		if (((FakeLine *)server->lines->pdata[i])->selected == box)
			return true;
	return false;
}

/* By name, as servers keep it: whether there is such a folder or not. */
static const char *
subscribe(FakeServer *server, const char *arguments, bool on)
{
	g_autofree char *name = take_word(&arguments);

	if (on)
		g_hash_table_add(server->subscribed, g_steal_pointer(&name));
	else
		g_hash_table_remove(server->subscribed, name);
	return "OK so be it";
}

static const char *
drop(FakeServer *server, const char *arguments)
{
	g_autofree char *name = take_word(&arguments);
	FakeBox *box = fake_box(server, name);

	if (!box)
		return "NO [NONEXISTENT] it is not there";
	if (is_selected(server, box))
		return "NO it is selected";
	g_ptr_array_remove(server->boxes, box);
	return "OK gone";
}

static const char *
rename_box(FakeServer *server, const char *arguments)
{
	g_autofree char *name = take_word(&arguments), *other = take_word(&arguments);
	FakeBox *box = fake_box(server, name);

	if (!box)
		return "NO [NONEXISTENT] it is not there";
	if (fake_box(server, other))
		return "NO [ALREADYEXISTS] the other is there";
	if (is_selected(server, box))
		return "NO it is selected";
	g_free(box->name);
	box->name = g_steal_pointer(&other);
	return "OK renamed";
}

const char *
fake_change(FakeServer *server, GString *out, const char *command)
{
	if (server->line->selected && g_str_has_prefix(command, "UID STORE "))
		return store(server, out, command + strlen("UID STORE "));
	if (server->line->selected && g_str_has_prefix(command, "UID COPY "))
		return copy(server, out, command + strlen("UID COPY "), false);
	if (server->line->selected && g_str_has_prefix(command, "UID MOVE ") &&
	    strstr(server->words, "MOVE"))
		return copy(server, out, command + strlen("UID MOVE "), true);
	if (server->line->selected && g_str_has_prefix(command, "UID EXPUNGE ") &&
	    strstr(server->words, "UIDPLUS"))
		return expunge(server, out, command + strlen("UID EXPUNGE "));
	if (g_str_has_prefix(command, "APPEND "))
		return append(server, out, command + strlen("APPEND "));
	if (g_str_has_prefix(command, "CREATE "))
		return create(server, command + strlen("CREATE "));
	if (g_str_has_prefix(command, "DELETE "))
		return drop(server, command + strlen("DELETE "));
	if (g_str_has_prefix(command, "RENAME "))
		return rename_box(server, command + strlen("RENAME "));
	if (g_str_has_prefix(command, "SUBSCRIBE "))
		return subscribe(server, command + strlen("SUBSCRIBE "), true);
	if (g_str_has_prefix(command, "UNSUBSCRIBE "))
		return subscribe(server, command + strlen("UNSUBSCRIBE "), false);
	return NULL;
}
