/* `queue`: what waits to be done on the server, and what failed. */
#include "run-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"
#include "cli/format.h"

#include <inttypes.h>

enum { NAMED_MAX = 1000 }; /* messages of a row that are named one by one */

/* ---- printing --------------------------------------------------------------------------------- */

static char *
folder_of(Cli *cli, StoreId id)
{
	g_autoptr(StoreMailbox) mailbox = NULL;

	if (!id || !store_mailbox_get(cli->store, id, &mailbox, NULL))
		return NULL;
	return g_strdup(mailbox->name);
}

static int
compare_uids(gconstpointer a, gconstpointer b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool
load_queued(Cli *cli, const StoreJournalRow *row, CliQueued *queued, GError **error)
{
	g_autoptr(GArray) targets = NULL;

	queued->row = row;
	queued->folder = folder_of(cli, row->mailbox);
	queued->dest = folder_of(cli, row->dest);
	queued->messages = g_ptr_array_new_with_free_func((GDestroyNotify)store_row_free);
	queued->uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (!store_journal_targets(cli->store, row->id, 0, NAMED_MAX, &targets, error))
		return false;
	for (guint i = 0; i < targets->len; i++) {
		const StoreTarget *target = &g_array_index(targets, StoreTarget, i);
		StoreRow *message = NULL;

		if (store_row_by_id(cli->store, target->message, &message, NULL))
			g_ptr_array_add(queued->messages, message);
		if (target->mailbox == row->mailbox && target->uid)
			g_array_append_val(queued->uids, target->uid);
	}
	g_array_sort(queued->uids, compare_uids);
	return true;
}

static bool
print_row(Cli *cli, const StoreJournalRow *row, GError **error)
{
	g_auto(CliQueued) queued = { 0 };

	if (!load_queued(cli, row, &queued, error))
		return false;
	if (cli->options->json)
		cli_json_queued(cli->line, &queued);
	else
		cli_text_queued(cli->line, &queued);
	return cli_output_line(cli->out, cli->line, error);
}

static bool
print_queue(Cli *cli, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GError) problem = NULL;
	StoreId account = 0;

	if (!cli_store(cli, &problem)) {
		/* nothing kept, nothing waits */
		if (postern_error_is(problem, POSTERN_ERROR_OFFLINE))
			return true;
		g_propagate_error(error, g_steal_pointer(&problem));
		return false;
	}
	if (cli->options->account &&
	    !store_account(cli->store, cli->options->account, &account, NULL))
		return true;
	if (!store_journal(cli->store, account, &rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++)
		if (!print_row(cli, rows->pdata[i], error))
			return false;
	return true;
}

/* ---- a person's word on a row ----------------------------------------------------------------- */

static bool
retry_all(Cli *cli, EngineUntil until, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;

	if (!cli_store(cli, error) || !store_journal(cli->store, 0, &rows, error))
		return false;
	for (guint i = 0; i < rows->len; i++) {
		const StoreJournalRow *row = rows->pdata[i];

		if (row->state == STORE_ROW_FAILED &&
		    !cli_wait(cli, engine_retry(cli->engine, row->id, until), error))
			return false;
	}
	return true;
}

bool
cli_run_queue(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	EngineUntil until = options->offline ? ENGINE_QUEUED : ENGINE_THERE;
	bool retry, drop;
	uint64_t id = 0;

	if (!options->n_words)
		return print_queue(cli, error);
	retry = !strcmp(options->words[0], "retry");
	drop = !strcmp(options->words[0], "drop");
	if ((!retry && !drop) || (drop && options->n_words < 2) ||
	    (options->n_words == 2 &&
	     !span_to_number(span_of_string(options->words[1]), INT64_MAX, &id))) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("it goes postern queue, postern queue retry [ID] or postern queue "
			      "drop ID, with an ID that postern queue shows"));
		return false;
	}
	if (!cli_engine_to_change(cli, error))
		return false;
	if (retry && options->n_words == 1)
		return retry_all(cli, until, error);
	return cli_wait(cli,
			retry ? engine_retry(cli->engine, (StoreId)id, until)
			      : engine_drop(cli->engine, (StoreId)id),
			error);
}
