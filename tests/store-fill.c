/* store-fill: fills a data directory with made-up mail, through the store's own interface, for the
 * benchmarks and screen tests that need a big mailbox and no server. */
#include "base/paths.h"
#include "store-sample.h"

#include <stdio.h>

#define SLICE	     5000
#define CACHED_TEXTS 200

typedef struct Options {
	char *data, *account, *mailbox;
	int messages, seed;
} Options;

static bool
read_options(int argc, char **argv, Options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{ "data", 0, 0, G_OPTION_ARG_FILENAME, &options->data, "the data directory",
		  "DIR" },
		{ "account", 0, 0, G_OPTION_ARG_STRING, &options->account, "the account", "NAME" },
		{ "mailbox", 0, 0, G_OPTION_ARG_STRING, &options->mailbox,
		  "the mailbox, in ASCII (INBOX)", "NAME" },
		{ "messages", 0, 0, G_OPTION_ARG_INT, &options->messages, "how many (1000)", "N" },
		{ "seed", 0, 0, G_OPTION_ARG_INT, &options->seed,
		  "another seed makes other mail (1)", "N" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context =
	    g_option_context_new("- fill a store with made-up mail");

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return false;
	if (options->data && options->account && options->messages >= 0)
		return true;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
		    "--data DIR and --account NAME are needed");
	return false;
}

static bool
put_mailbox(Store *store, StoreId account, const char *name, StoreMailboxRole role, StoreId *id,
	    GError **error)
{
	StoreMailbox mailbox = {
		.account = account,
		.raw = (char *)name,
		.raw_size = strlen(name),
		.name = (char *)name,
		.delimiter = '/',
		.role = role,
		.subscribed = true,
		.selectable = true,
		.server_total = 0,
		.server_unread = 0,
		.uidvalidity = 1,
		.uidnext = 1,
	};

	if (!store_mailbox_put(store, &mailbox, error) ||
	    !store_mailbox_status(store, &mailbox, error) ||
	    !store_mailbox_progress(store, mailbox.id, 1, 1, 0, error))
		return false;
	*id = mailbox.id;
	return true;
}

/* What the mirror and the server would say of a mailbox that is complete. */
static bool
finish_mailbox(Store *store, StoreId id, uint32_t messages, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (!store_mailbox_get(store, id, &mailbox, error))
		return false;
	mailbox->server_total = mailbox->total;
	mailbox->server_unread = mailbox->unread;
	mailbox->uidnext = messages + 1;
	return store_mailbox_status(store, mailbox, error) &&
	       store_mailbox_progress(store, id, 1, messages + 1, 0, error);
}

static bool
cache_texts(Store *store, StoreId mailbox, Sample *sample, uint32_t messages, GError **error)
{
	for (uint32_t i = 0; i < MIN(messages, CACHED_TEXTS); i++) {
		uint32_t number = messages - 1 - i;
		g_autoptr(StoreRow) row = NULL;
		g_autoptr(GBytes) bytes = NULL;
		const char *section;
		char *text = sample_text(sample, number, &section);

		bytes = g_bytes_new_take(text, strlen(text));
		if (!store_row_by_uid(store, mailbox, number + 1, &row, error) ||
		    !store_part_put(store, row->id, section, bytes, error))
			return false;
	}
	return true;
}

static bool
fill(const Options *options, Store *store, GError **error)
{
	const char *name = options->mailbox ? options->mailbox : "INBOX";
	bool is_inbox = g_ascii_strcasecmp(name, "INBOX") == 0;
	uint32_t messages = (uint32_t)options->messages;
	g_autoptr(Sample) sample = sample_new(messages, (uint64_t)options->seed);
	StoreId account, other, mailbox;

	if (!store_account(store, options->account, &account, error))
		return false;
	if (is_inbox && (!put_mailbox(store, account, "Sent", STORE_ROLE_SENT, &other, error) ||
			 !put_mailbox(store, account, "Trash", STORE_ROLE_TRASH, &other, error)))
		return false;
	if (!put_mailbox(store, account, name, is_inbox ? STORE_ROLE_INBOX : STORE_ROLE_NONE,
			 &mailbox, error))
		return false;
	return sample_fill(sample, messages, store, mailbox, SLICE, error) &&
	       finish_mailbox(store, mailbox, messages, error) &&
	       cache_texts(store, mailbox, sample, messages, error);
}

static bool
run(const Options *options, GError **error)
{
	g_autofree char *notice = NULL;
	g_autoptr(Store) store = NULL;

	if (!paths_make_private_dir(options->data, error) ||
	    !(store = store_open(options->data, STORE_WRITER, NULL, &notice, error)))
		return false;
	if (notice)
		fprintf(stderr, "store-fill: %s\n", notice);
	return fill(options, store, error);
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	Options options = { .messages = 1000, .seed = 1 };
	int status = 0;

	if (!read_options(argc, argv, &options, &error))
		status = 2;
	else if (!run(&options, &error))
		status = 1;
	if (error)
		fprintf(stderr, "store-fill: %s\n", error->message);
	g_free(options.data);
	g_free(options.account);
	g_free(options.mailbox);
	return status;
}
