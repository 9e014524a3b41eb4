#include "view/folders.h"

#include <string.h>

#include "base/i18n.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/safetext.h"

struct ViewFolders {
	Store *store;
	const Config *config;
	const char *account;
	GPtrArray *rows; /* of ViewFolder, owned */
	ViewCursor cursor;
	StoreId selected_mailbox;
	int64_t version;
};

ViewFolders *
view_folders_new(Store *store, const Config *config, const char *account)
{
	ViewFolders *folders = g_new0(ViewFolders, 1);

	folders->store = store;
	folders->config = config;
	folders->account = account;
	folders->cursor.rows = 1;
	folders->version = -1;
	return folders;
}

void
view_folders_free(ViewFolders *folders)
{
	if (!folders)
		return;
	g_clear_pointer(&folders->rows, g_ptr_array_unref);
	g_free(folders);
}

static void
free_folder(gpointer data)
{
	ViewFolder *folder = data;

	g_free(folder->name);
	g_free(folder->shown);
	g_free(folder->label);
	g_free(folder);
}

void
view_folder_counts(const StoreMailbox *mailbox, int64_t *total, int64_t *unread)
{
	bool whole = mailbox->known_from_uid == 1 || mailbox->created;

	*total =
	    whole || mailbox->server_total < 0 ? (int64_t)mailbox->total : mailbox->server_total;
	*unread =
	    whole || mailbox->server_unread < 0 ? (int64_t)mailbox->unread : mailbox->server_unread;
	if (!whole && mailbox->known_from_uid == 0 && mailbox->total == 0) {
		*total = mailbox->server_total;
		*unread = mailbox->server_unread;
	}
}

/* ---- the tree ------------------------------------------------------------------------------- */

typedef struct Node { /* a mailbox on its way to a row */
	const StoreMailbox *mailbox;
	char *key; /* sorts parents before children, and siblings by name without case */
} Node;

static void
free_node(gpointer data)
{
	Node *node = data;

	g_free(node->key);
	g_free(node);
}

/* The delimiter sorts below everything, so that a folder's children follow it at once. */
static char *
sort_key(const StoreMailbox *mailbox)
{
	g_autofree char *name = g_strdup(mailbox->name);
	g_autofree char *folded = NULL;
	bool inbox =
	    !g_ascii_strncasecmp(name, "INBOX", 5) && (!name[5] || name[5] == mailbox->delimiter);

	for (char *p = name; mailbox->delimiter && *p; p++)
		if (*p == mailbox->delimiter)
			*p = '\001';
	folded = g_utf8_casefold(name, -1);
	return g_strconcat(inbox ? "\001" : "\002", folded, NULL);
}

static int
compare_nodes(gconstpointer a, gconstpointer b)
{
	const Node *x = *(Node *const *)a, *y = *(Node *const *)b;
	int order = strcmp(x->key, y->key);

	return order ? order : strcmp(x->mailbox->name, y->mailbox->name);
}

/* How many of MAILBOX's parents stand above it; *REST is its name below the nearest of them. */
static int
depth_of(const StoreMailbox *mailbox, GHashTable *names, const char **rest)
{
	int depth = 0;

	*rest = mailbox->name;
	if (!mailbox->delimiter)
		return 0;
	for (const char *p = mailbox->name; *p; p++) {
		g_autofree char *parent = NULL;

		if (*p != mailbox->delimiter || !p[1])
			continue;
		parent = g_strndup(mailbox->name, (gsize)(p - mailbox->name));
		if (!g_hash_table_contains(names, parent))
			continue;
		depth++;
		*rest = p + 1;
		/* A name of a thousand delimiters is no reason to look a thousand times. */
		if (depth == 32)
			break;
	}
	return depth;
}

static ViewFolder *
folder_of(const StoreMailbox *mailbox, const ConfigAccount *account, GHashTable *names)
{
	ViewFolder *folder = g_new0(ViewFolder, 1);
	const char *rest;

	folder->account = account;
	folder->mailbox = mailbox->id;
	folder->name = g_strdup(mailbox->name);
	folder->shown = safe_line(mailbox->name);
	folder->depth = depth_of(mailbox, names, &rest);
	folder->label = safe_line(rest);
	if (mailbox->gone) {
		g_autofree char *label = g_steal_pointer(&folder->label);

		folder->label = g_strdup_printf(_("%s (gone)"), label);
	}
	folder->selectable = mailbox->selectable;
	view_folder_counts(mailbox, &folder->total, &folder->unread);
	return folder;
}

static void
add_account(GPtrArray *rows, const ConfigAccount *account, const GPtrArray *mailboxes, bool heading)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func(free_node);

	if (heading) {
		ViewFolder *folder = g_new0(ViewFolder, 1);

		folder->account = account;
		folder->shown = safe_line(account->name);
		folder->label = g_strdup(folder->shown);
		folder->total = folder->unread = -1;
		g_ptr_array_add(rows, folder);
	}
	for (guint i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = mailboxes->pdata[i];
		Node *node;

		if (mailbox->gone && mailbox->only_here == 0)
			continue;
		node = g_new0(Node, 1);
		node->mailbox = mailbox;
		node->key = sort_key(mailbox);
		g_ptr_array_add(nodes, node);
		g_hash_table_add(names, mailbox->name);
	}
	g_ptr_array_sort(nodes, compare_nodes);
	for (guint i = 0; i < nodes->len; i++) {
		const Node *node = nodes->pdata[i];
		ViewFolder *folder = folder_of(node->mailbox, account, names);

		folder->depth += heading;
		g_ptr_array_add(rows, folder);
	}
}

/* An account the store has not heard of has no folders, and that is no error. */
static bool
read_account(ViewFolders *folders, const ConfigAccount *account, bool heading, GPtrArray *rows,
	     GError **error)
{
	g_autoptr(GPtrArray) mailboxes = NULL;
	g_autoptr(GError) gone = NULL;
	StoreId id = 0;

	if (!store_account(folders->store, account->name, &id, &gone)) {
		if (!postern_error_is(gone, POSTERN_ERROR_GONE)) {
			g_propagate_error(error, g_steal_pointer(&gone));
			return false;
		}
		mailboxes = g_ptr_array_new();
	} else if (!store_mailboxes(folders->store, id, &mailboxes, error))
		return false;
	add_account(rows, account, mailboxes, heading);
	return true;
}

static bool
read_all(ViewFolders *folders, GError **error)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_folder);
	const GPtrArray *accounts = folders->config->accounts;
	bool heading = !folders->account && accounts->len > 1;

	for (guint i = 0; i < accounts->len; i++) {
		const ConfigAccount *account = accounts->pdata[i];

		if (folders->account && strcmp(folders->account, account->name) != 0)
			continue;
		if (!read_account(folders, account, heading, rows, error))
			return false;
	}
	g_clear_pointer(&folders->rows, g_ptr_array_unref);
	folders->rows = g_steal_pointer(&rows);
	return true;
}

static void
follow_selection(ViewFolders *folders)
{
	for (guint i = 0; i < folders->rows->len; i++) {
		const ViewFolder *folder = folders->rows->pdata[i];

		if (folder->mailbox && folder->mailbox == folders->selected_mailbox)
			folders->cursor.at = i;
	}
	folders->cursor.total = folders->rows->len;
	view_cursor_fit(&folders->cursor);
}

bool
view_folders_refresh(ViewFolders *folders, GError **error)
{
	const ViewFolder *selected = view_folders_selected(folders);
	int64_t version = 0;
	bool ok = true;

	if (!store_snapshot_begin(folders->store, error))
		return false;
	if (selected && selected->mailbox)
		folders->selected_mailbox = selected->mailbox;
	ok = store_version(folders->store, 0, &version, error);
	if (ok && (version != folders->version || !folders->rows)) {
		ok = read_all(folders, error);
		if (ok)
			folders->version = version;
		if (folders->rows)
			follow_selection(folders);
	}
	store_snapshot_end(folders->store);
	return ok;
}

ViewCursor *
view_folders_cursor(ViewFolders *folders)
{
	return &folders->cursor;
}

const ViewFolder *
view_folders_row(const ViewFolders *folders, uint32_t at)
{
	return folders->rows && at < folders->rows->len ? folders->rows->pdata[at] : NULL;
}

const ViewFolder *
view_folders_selected(const ViewFolders *folders)
{
	return view_folders_row(folders, folders->cursor.at);
}

void
view_folders_select(ViewFolders *folders, StoreId mailbox)
{
	folders->selected_mailbox = mailbox;
	if (folders->rows)
		follow_selection(folders);
}

static bool
is_of(const ViewFolder *folder, const char *account)
{
	return folder->mailbox && folder->selectable &&
	       (!account || !strcmp(folder->account->name, account));
}

const ViewFolder *
view_folders_find(const ViewFolders *folders, const char *account, const char *name)
{
	const ViewFolder *found = NULL;

	for (guint i = 0; folders->rows && i < folders->rows->len; i++) {
		const ViewFolder *folder = folders->rows->pdata[i];

		if (!is_of(folder, account))
			continue;
		if (!strcmp(folder->name, name))
			return folder;
		if (!strcmp(folder->shown, name) || (!g_ascii_strcasecmp(name, "INBOX") &&
						     !g_ascii_strcasecmp(folder->name, "INBOX")))
			found = folder;
	}
	return found;
}

bool
view_folders_known(const ViewFolders *folders, const char *account)
{
	for (guint i = 0; folders->rows && i < folders->rows->len; i++)
		if (is_of(folders->rows->pdata[i], account))
			return true;
	return false;
}

const char *
view_folders_near(const ViewFolders *folders, const char *account, const char *name)
{
	const char *best = NULL;

	for (guint i = 0; folders->rows && i < folders->rows->len; i++) {
		const ViewFolder *folder = folders->rows->pdata[i];

		if (is_of(folder, account))
			best = nearest_of(name, best, folder->shown);
	}
	return best;
}

GPtrArray *
view_folders_complete(const ViewFolders *folders, const char *account, const char *beginning)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	size_t size = strlen(beginning);

	for (guint i = 0; folders->rows && i < folders->rows->len; i++) {
		const ViewFolder *folder = folders->rows->pdata[i];

		if (is_of(folder, account) && !g_ascii_strncasecmp(folder->shown, beginning, size))
			g_ptr_array_add(names, g_strdup(folder->shown));
	}
	return names;
}
