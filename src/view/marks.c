#include "view/marks.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <string.h>

enum { STEP_ROWS = 400 };

typedef enum {
	WORD_ANY,
	WORD_FROM,
	WORD_TO,
	WORD_SUBJECT,
	WORD_KEYWORD,
	WORD_FLAGS, /* flags & MASK == WANT */
} WordKind;

typedef struct Word {
	WordKind kind;
	char *text; /* casefolded; NULL with WORD_FLAGS */
	uint16_t mask, want;
} Word;

/* What a thread is made of: numbers stand for Message-IDs. */
typedef struct Link {
	StoreId message;
	uint64_t self, parent; /* 0: none */
} Link;

typedef enum { SCAN_NONE, SCAN_PATTERN, SCAN_THREAD } ScanKind;

struct ViewMarks {
	Store *store;
	StoreId mailbox;
	GHashTable *marked; /* of StoreId, owned */

	ScanKind scan;
	bool mark; /* or take marks away */
	uint32_t at, found;
	GArray *words;	 /* of Word */
	GArray *links;	 /* of Link */
	GHashTable *ids; /* of uint64_t, owned: Message-IDs of the thread */
};

static void
word_clear(void *data)
{
	g_free(((Word *)data)->text);
}

ViewMarks *
view_marks_new(Store *store, StoreId mailbox)
{
	ViewMarks *marks = g_new0(ViewMarks, 1);

	marks->store = store;
	marks->mailbox = mailbox;
	marks->marked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	marks->words = g_array_new(FALSE, FALSE, sizeof(Word));
	g_array_set_clear_func(marks->words, word_clear);
	marks->links = g_array_new(FALSE, FALSE, sizeof(Link));
	marks->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return marks;
}

void
view_marks_free(ViewMarks *marks)
{
	if (!marks)
		return;
	g_hash_table_unref(marks->marked);
	g_array_unref(marks->words);
	g_array_unref(marks->links);
	g_hash_table_unref(marks->ids);
	g_free(marks);
}

bool
view_marks_has(const ViewMarks *marks, StoreId message)
{
	return g_hash_table_contains(marks->marked, &message);
}

uint32_t
view_marks_count(const ViewMarks *marks)
{
	return g_hash_table_size(marks->marked);
}

static void
set_mark(ViewMarks *marks, StoreId message, bool on)
{
	if (on)
		g_hash_table_add(marks->marked, g_memdup2(&message, sizeof message));
	else
		g_hash_table_remove(marks->marked, &message);
}

void
view_marks_toggle(ViewMarks *marks, StoreId message)
{
	set_mark(marks, message, !view_marks_has(marks, message));
}

void
view_marks_clear(ViewMarks *marks)
{
	g_hash_table_remove_all(marks->marked);
	marks->scan = SCAN_NONE;
}

bool
view_marks_range(ViewMarks *marks, uint32_t from, uint32_t to, GError **error)
{
	g_autoptr(GArray) ids = NULL;
	uint32_t first = MIN(from, to), last = MAX(from, to);

	if (!store_ids(marks->store, marks->mailbox, first, last - first + 1, &ids, error))
		return false;
	for (guint i = 0; i < ids->len; i++)
		set_mark(marks, g_array_index(ids, StoreId, i), true);
	return true;
}

GArray *
view_marks_messages(const ViewMarks *marks)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(StoreId));
	GHashTableIter iter;
	void *key;

	g_hash_table_iter_init(&iter, marks->marked);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_array_append_val(ids, *(StoreId *)key);
	return ids;
}

uint32_t
view_marks_found(const ViewMarks *marks)
{
	return marks->found;
}

/* ---- patterns --------------------------------------------------------------------------------- */

static bool
parse_flags(const char *name, Word *word)
{
	static const struct {
		const char *name;
		uint16_t mask, want;
	} known[] = {
		{ "unread", STORE_FLAG_SEEN, 0 },
		{ "read", STORE_FLAG_SEEN, STORE_FLAG_SEEN },
		{ "flagged", STORE_FLAG_FLAGGED, STORE_FLAG_FLAGGED },
		{ "answered", STORE_FLAG_ANSWERED, STORE_FLAG_ANSWERED },
		{ "deleted", STORE_FLAG_DELETED, STORE_FLAG_DELETED },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (!g_ascii_strcasecmp(name, known[i].name)) {
			*word = (Word){ WORD_FLAGS, NULL, known[i].mask, known[i].want };
			return true;
		}
	return false;
}

/* Does TEXT begin as "before:2020" does?  Not "Re:", "10:30", or "https://..." */
static bool
has_key(const char *text)
{
	size_t n = 0;

	while (g_ascii_isalpha(text[n]))
		n++;
	return n && text[n] == ':' && text[n + 1] && !g_str_has_prefix(text + n, "://");
}

static bool
parse_word(const char *text, Word *word, GError **error)
{
	static const struct {
		const char *prefix;
		WordKind kind;
	} prefixes[] = {
		{ "from:", WORD_FROM },
		{ "to:", WORD_TO },
		{ "subject:", WORD_SUBJECT },
		{ "keyword:", WORD_KEYWORD },
	};
	g_autofree char *shown = safe_line(text);

	if (g_str_has_prefix(text, "is:")) {
		if (parse_flags(text + strlen("is:"), word))
			return true;
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("“%s”: what a message can be is unread, read, flagged, answered or "
			      "deleted"),
			    shown);
		return false;
	}
	*word = (Word){ .kind = WORD_ANY };
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(text, prefixes[i].prefix)) {
			word->kind = prefixes[i].kind;
			text += strlen(prefixes[i].prefix);
			break;
		}
	if (word->kind == WORD_ANY && has_key(text)) {
		shown[strcspn(shown, ":") + 1] = '\0';
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no pattern %s (those there are: from: to: subject: "
			      "keyword: "
			      "is:)"),
			    shown);
		return false;
	}
	word->text = g_utf8_casefold(text, -1);
	return true;
}

bool
view_marks_begin_pattern(ViewMarks *marks, const char *pattern, bool mark, GError **error)
{
	g_auto(GStrv) texts = g_strsplit_set(pattern, " \t", -1);

	marks->scan = SCAN_NONE;
	g_array_set_size(marks->words, 0);
	for (char **text = texts; *text; text++) {
		Word word;

		if (!**text)
			continue;
		if (!g_utf8_validate(*text, -1, NULL) || !parse_word(*text, &word, error)) {
			if (error && !*error)
				g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
					    _("the pattern is not UTF-8 text"));
			return false;
		}
		g_array_append_val(marks->words, word);
	}
	if (!marks->words->len) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("a pattern has at least one word: a name, from:NAME, subject:WORD, "
			      "is:unread"));
		return false;
	}
	marks->scan = SCAN_PATTERN;
	marks->mark = mark;
	marks->at = marks->found = 0;
	return true;
}

static bool
contains(const char *text, const char *folded)
{
	g_autofree char *own = g_utf8_casefold(text, -1);

	return strstr(own, folded);
}

static bool
word_matches(const Word *word, const StoreRow *row)
{
	switch (word->kind) {
	case WORD_FLAGS:
		return (row->flags & word->mask) == word->want;
	case WORD_FROM:
		return contains(row->from, word->text);
	case WORD_TO:
		return contains(row->to, word->text) || contains(row->cc, word->text);
	case WORD_SUBJECT:
		return contains(row->subject, word->text);
	case WORD_KEYWORD:
		return contains(row->keywords, word->text);
	case WORD_ANY:
		break;
	}
	return contains(row->subject, word->text) || contains(row->from, word->text) ||
	       contains(row->to, word->text) || contains(row->cc, word->text);
}

static bool
matches(const ViewMarks *marks, const StoreRow *row)
{
	for (guint i = 0; i < marks->words->len; i++)
		if (!word_matches(&g_array_index(marks->words, Word, i), row))
			return false;
	return true;
}

/* ---- threads ---------------------------------------------------------------------------------- */

/* FNV-1a; 0 is kept for none.  Two ids with one number only mark a message too many. */
static uint64_t
number_of(const char *message_id)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t n = strcspn(message_id, " \t");

	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)message_id[i]) * UINT64_C(1099511628211);
	return hash ? hash : 1;
}

static void
add_id(ViewMarks *marks, uint64_t id)
{
	if (id)
		g_hash_table_add(marks->ids, g_memdup2(&id, sizeof id));
}

static bool
has_id(const ViewMarks *marks, uint64_t id)
{
	return id && g_hash_table_contains(marks->ids, &id);
}

void
view_marks_begin_thread(ViewMarks *marks, const StoreRow *message)
{
	marks->scan = SCAN_THREAD;
	marks->mark = true;
	marks->at = marks->found = 0;
	g_array_set_size(marks->links, 0);
	g_hash_table_remove_all(marks->ids);
	add_id(marks, number_of(message->message_id));
	add_id(marks, number_of(message->in_reply_to));
	set_mark(marks, message->id, true);
}

/* Every message was seen: those that hang together are marked, until no more join. */
static void
join_thread(ViewMarks *marks)
{
	bool grew = true;

	while (grew) {
		grew = false;
		for (guint i = 0; i < marks->links->len; i++) {
			Link *link = &g_array_index(marks->links, Link, i);

			if (!link->message ||
			    (!has_id(marks, link->self) && !has_id(marks, link->parent)))
				continue;
			add_id(marks, link->self);
			add_id(marks, link->parent);
			set_mark(marks, link->message, true);
			link->message = 0;
			marks->found++;
			grew = true;
		}
	}
	g_array_set_size(marks->links, 0);
}

/* ---- a slice ---------------------------------------------------------------------------------- */

static void
take_row(ViewMarks *marks, const StoreRow *row)
{
	Link link = { row->id, number_of(row->message_id), number_of(row->in_reply_to) };

	if (marks->scan == SCAN_THREAD) {
		if (link.self || link.parent)
			g_array_append_val(marks->links, link);
	} else if (matches(marks, row)) {
		marks->found += view_marks_has(marks, row->id) != marks->mark;
		set_mark(marks, row->id, marks->mark);
	}
}

bool
view_marks_step(ViewMarks *marks, bool *more, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	uint32_t total;

	*more = false;
	if (marks->scan == SCAN_NONE)
		return true;
	if (!store_window(marks->store, marks->mailbox, marks->at, STEP_ROWS, false, &rows, &total,
			  error)) {
		marks->scan = SCAN_NONE;
		return false;
	}
	for (guint i = 0; i < rows->len; i++)
		take_row(marks, rows->pdata[i]);
	marks->at += rows->len;
	*more = rows->len == STEP_ROWS;
	if (*more)
		return true;
	if (marks->scan == SCAN_THREAD)
		join_thread(marks);
	marks->scan = SCAN_NONE;
	return true;
}
