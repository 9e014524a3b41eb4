/* The names on the server that our own rows about folders have to do with.  Until it is known what became
 * of such a row, LIST on another line may tell of before it or of behind it, and a later row about the
 * same names would find something else than the person saw. */
#include "engine-private.h"

#include "imap/mutf7.h"

typedef struct FolderName {
	GBytes *raw;
	char delimiter; /* '\0': none */
} FolderName;

static void
name_free(void *data)
{
	FolderName *name = data;

	g_bytes_unref(name->raw);
	g_free(name);
}

GPtrArray *
folder_names_new(void)
{
	return g_ptr_array_new_with_free_func(name_free);
}

static void
add(GPtrArray *names, const char *raw, size_t size, char delimiter)
{
	FolderName *name = g_new(FolderName, 1);

	name->raw = g_bytes_new(raw, size);
	name->delimiter = delimiter;
	g_ptr_array_add(names, name);
}

void
folder_names_of_row(Account *account, const StoreJournalRow *row, GPtrArray *names)
{
	g_autoptr(StoreMailbox) box = NULL;
	g_autofree char *other = NULL;

	if (row->kind < STORE_INTENT_CREATE ||
	    !store_mailbox_get(account->engine->store, row->mailbox, &box, NULL))
		return;
	add(names, box->raw, box->raw_size, box->delimiter);
	if (row->kind == STORE_INTENT_RENAME && row->name)
		other = imap_mailbox_name_encode(row->name, false);
	if (other)
		add(names, other, strlen(other), box->delimiter);
}

void
folder_names_of_sent(Account *account, GPtrArray *names)
{
	g_autoptr(GPtrArray) rows = NULL;

	if (!store_journal(account->engine->store, account->id, &rows, NULL))
		return;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = g_ptr_array_index(rows, i);

		if (row->state == STORE_ROW_SENT)
			folder_names_of_row(account, row, names);
	}
}

static bool
is_in(const FolderName *name, Span raw)
{
	gsize size;
	const char *at = g_bytes_get_data(name->raw, &size);

	return span_size(raw) >= size && !memcmp(raw.at, at, size) &&
	       (span_size(raw) == size || (name->delimiter && raw.at[size] == name->delimiter));
}

bool
folder_names_have(const GPtrArray *names, Span raw)
{
	for (guint i = 0; i < names->len; i++)
		if (is_in(g_ptr_array_index(names, i), raw))
			return true;
	return false;
}

bool
folder_names_meet(const GPtrArray *a, const GPtrArray *b)
{
	for (guint i = 0; i < a->len; i++) {
		const FolderName *name = g_ptr_array_index(a, i);
		gsize size;
		const char *at = g_bytes_get_data(name->raw, &size);

		if (folder_names_have(b, span_of(at, size)))
			return true;
		for (guint k = 0; k < b->len; k++) {
			at = g_bytes_get_data(((FolderName *)b->pdata[k])->raw, &size);
			if (is_in(name, span_of(at, size)))
				return true;
		}
	}
	return false;
}
