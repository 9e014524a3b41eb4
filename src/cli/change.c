/* What changes something: `flag`, `move`, `copy`, `delete`, `append`, `folder` and `undo`.  Each is one
 * action in the journal, with a line and without; with one, the command ends when the server has
 * confirmed it. */
#include "run-private.h"

#include "base/error.h"
#include "base/i18n.h"
#include "base/safetext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ASK_ONE_BY_ONE = 32, /* messages not here yet; more: the folder is brought up to date */
	APPEND_MAX = 256 * 1024 * 1024, /* octets */
};

/* ---- the journal ------------------------------------------------------------------------------ */

static EngineUntil
until(const Cli *cli)
{
	return cli->options->offline ? ENGINE_QUEUED : ENGINE_THERE;
}

/* Ends REQUEST, a change: with --offline one that is queued is done. */
static bool
wait_change(Cli *cli, EngineRequest request, GError **error)
{
	if (!cli_wait(cli, request, error))
		return false;
	if (cli->options->offline && cli->done_group)
		cli_notice(cli, _("queued: it is sent when there is a line"));
	return true;
}

static bool
change(Cli *cli, StoreIntent *intent, StoreId *group, GError **error)
{
	intent->group = *group;
	if (!wait_change(cli, engine_intend(cli->engine, intent, until(cli)), error))
		return false;
	*group = cli->done_group;
	return true;
}

/* The folder list anew, where there is a line.  A server that is away does not keep a change from being
 * queued, if the folders were ever read. */
static bool
read_folders(Cli *cli, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(GPtrArray) known = NULL;
	StoreId account;

	if (cli->options->offline ||
	    cli_wait(cli, engine_folders(cli->engine, cli_account(cli)->name), &problem))
		return true;
	if (postern_error_is(problem, POSTERN_ERROR_OFFLINE) && cli_store(cli, NULL) &&
	    store_account(cli->store, cli_account(cli)->name, &account, NULL) &&
	    store_mailboxes(cli->store, account, &known, NULL) && known->len)
		return true;
	g_propagate_error(error, g_steal_pointer(&problem));
	return false;
}

/* ---- the messages that are meant ---------------------------------------------------------------- */

typedef struct Meant {
	char *folder;
	StoreMailbox *mailbox;
	CliMessageSet set;
} Meant;

static void
meant_clear(Meant *meant)
{
	g_free(meant->folder);
	store_mailbox_free(meant->mailbox);
	cli_message_set_clear(&meant->set);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Meant, meant_clear)

static bool
is_here(Cli *cli, const Meant *meant, uint32_t uid)
{
	g_autoptr(StoreRow) row = NULL;

	return store_row_by_uid(cli->store, meant->mailbox->id, uid, &row, NULL);
}

/* True when all that RANGE can mean is mirrored; what came since is not in it. */
static bool
is_mirrored(const StoreMailbox *mailbox, uint32_t low, uint32_t high)
{
	return high && mailbox->known_from_uid && low >= mailbox->known_from_uid &&
	       high < mailbox->mirrored_uidnext;
}

/* Brings what was named and is not here yet: single messages by themselves, ranges by mirroring the
 * folder. */
static bool
bring(Cli *cli, Meant *meant, GError **error)
{
	const char *account = cli_account(cli)->name;
	GArray *ranges = meant->set.ranges;
	g_autoptr(GArray) single = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	bool whole = !meant->mailbox && !ranges->len;

	for (guint i = 0; i + 1 < ranges->len; i += 2) {
		uint32_t low = g_array_index(ranges, uint32_t, i);
		uint32_t high = g_array_index(ranges, uint32_t, i + 1);

		if (meant->mailbox && is_mirrored(meant->mailbox, low, high))
			continue;
		if (low && low == high && (!meant->mailbox || !is_here(cli, meant, low)))
			g_array_append_val(single, low);
		else if (low != high || !low)
			whole = true;
	}
	if (whole || single->len > ASK_ONE_BY_ONE)
		return cli_wait(cli,
				engine_sync(cli->engine, account, meant->folder,
					    ENGINE_BODIES_NONE),
				error);
	for (guint i = 0; i < single->len; i++)
		if (!cli_wait(cli,
			      engine_message(cli->engine, account, meant->folder,
					     g_array_index(single, uint32_t, i)),
			      error))
			return false;
	return true;
}

/* "*" becomes the last one there is. */
static bool
settle_last(Cli *cli, Meant *meant, GError **error)
{
	GArray *ranges = meant->set.ranges;
	g_autofree uint32_t *uids = NULL;
	uint32_t last;
	size_t n;

	for (guint i = 0; i < ranges->len; i++) {
		if (g_array_index(ranges, uint32_t, i))
			continue;
		if (!uids && !store_message_uids(cli->store, meant->mailbox->id, &uids, &n, error))
			return false;
		last = n ? uids[n - 1] : UINT32_MAX;
		g_array_index(ranges, uint32_t, i) = last;
	}
	/* 900:* is at least the last one */
	for (guint i = 0; i + 1 < ranges->len; i += 2) {
		uint32_t *range = &g_array_index(ranges, uint32_t, i);

		range[0] = MIN(range[0], range[1]);
	}
	return true;
}

/* Each message that was named by itself must be there: else nothing is changed. */
static bool
check_there(Cli *cli, const Meant *meant, GError **error)
{
	const GArray *ranges = meant->set.ranges, *ids = meant->set.ids;

	for (guint i = 0; i + 1 < ranges->len; i += 2) {
		uint32_t low = g_array_index(ranges, uint32_t, i);
		g_autoptr(StoreRow) row = NULL;

		if (low != g_array_index(ranges, uint32_t, i + 1))
			continue;
		if (store_row_by_uid(cli->store, meant->mailbox->id, low, &row, NULL) &&
		    row->mailbox == meant->mailbox->id)
			continue;
		if (!cli->options->offline || meant->mailbox->known_from_uid == 1)
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
				    _("there is no message %u in %s: nothing was changed"), low,
				    meant->folder);
		else
			cli_needs_line(cli, error, _("message %u of %s is not kept here"), low,
				       meant->folder);
		return false;
	}
	for (guint i = 0; i < ids->len; i++) {
		StoreId id = g_array_index(ids, StoreId, i);
		g_autoptr(StoreRow) row = NULL;

		if (store_row_by_id(cli->store, id, &row, NULL) &&
		    row->mailbox == meant->mailbox->id)
			continue;
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
			    _("there is no message id:%" PRId64 " in %s: nothing was changed"), id,
			    meant->folder);
		return false;
	}
	return true;
}

/* FOLDER as it was typed, and what WORDS name in it. */
static bool
mean(Cli *cli, const char *typed, const char *const *words, size_t n_words, Meant *meant,
     GError **error)
{
	cli_message_set_init(&meant->set);
	for (size_t i = 0; i < n_words; i++)
		if (!cli_message_set_add(&meant->set, words[i], error))
			return false;
	if (!cli_engine_to_change(cli, error))
		return false;
	meant->folder = cli_folder_name(cli, typed);
	if (!cli->options->offline) {
		if (cli_store(cli, NULL))
			cli_mailbox(cli, meant->folder, &meant->mailbox, NULL);
		if (!bring(cli, meant, error))
			return false;
		g_clear_pointer(&meant->mailbox, store_mailbox_free);
	}
	return cli_mailbox(cli, meant->folder, &meant->mailbox, error) &&
	       settle_last(cli, meant, error) && check_there(cli, meant, error);
}

/* INTENT over all that is meant, as one action; *N is how many. */
static bool
change_meant(Cli *cli, const Meant *meant, StoreIntent *intent, StoreId *group, uint32_t *n,
	     GError **error)
{
	const GArray *ranges = meant->set.ranges, *ids = meant->set.ids;

	*n = 0;
	intent->mailbox = meant->mailbox->id;
	if (ranges->len) {
		intent->uid_ranges = (const uint32_t *)(const void *)ranges->data;
		intent->n_uid_ranges = ranges->len / 2;
		if (!change(cli, intent, group, error))
			return false;
		*n += cli->done_n;
		intent->uid_ranges = NULL;
		intent->n_uid_ranges = 0;
	}
	if (ids->len) {
		intent->messages = (const StoreId *)(const void *)ids->data;
		intent->n_messages = ids->len;
		if (!change(cli, intent, group, error))
			return false;
		*n += cli->done_n;
		intent->messages = NULL;
		intent->n_messages = 0;
	}
	return true;
}

static bool
fail_none(const Meant *meant, GError **error)
{
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE,
		    _("none of these messages is in %s: nothing was changed"), meant->folder);
	return false;
}

/* ---- flag ----------------------------------------------------------------------------------------- */

bool
cli_run_flag(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	size_t n_sets = 0;
	g_auto(Meant) meant = { 0 };
	StoreId group = 0;
	uint32_t n = 0;

	while (1 + n_sets < options->n_words && !cli_is_flag(options->words[1 + n_sets]))
		n_sets++;
	if (!n_sets || 1 + n_sets == options->n_words) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    n_sets ? _("flag needs a +FLAG or -FLAG") : _("flag needs a UID"));
		return false;
	}
	for (size_t i = 1 + n_sets; i < options->n_words; i++) {
		CliFlag flag;

		if (!cli_is_flag(options->words[i])) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("flags come last, and begin with + or -"));
			return false;
		}
		if (!cli_flag_parse(options->words[i], &flag, error))
			return false;
	}
	if (!mean(cli, options->words[0], options->words + 1, n_sets, &meant, error))
		return false;
	for (size_t i = 1 + n_sets; i < options->n_words; i++) {
		StoreIntent intent = { .kind = STORE_INTENT_FLAG };
		CliFlag flag;

		if (!cli_flag_parse(options->words[i], &flag, error))
			return false;
		intent.flag = flag.flag;
		intent.keyword = flag.keyword;
		intent.set = flag.set;
		if (!change_meant(cli, &meant, &intent, &group, &n, error))
			return false;
	}
	return n || fail_none(&meant, error);
}

/* ---- move, copy, delete ------------------------------------------------------------------------------ */

/* A folder that something goes to; online the list is read first when it is not known here. */
static bool
find_dest(Cli *cli, const char *typed, StoreMailbox **dest, GError **error)
{
	g_autofree char *name = cli_folder_name(cli, typed);

	if (!cli->options->offline && !cli_mailbox(cli, name, dest, NULL) &&
	    !read_folders(cli, error))
		return false;
	return *dest || cli_mailbox(cli, name, dest, error);
}

static bool
run_transfer(Cli *cli, StoreIntentKind kind, GError **error)
{
	const CliOptions *options = cli->options;
	g_auto(Meant) meant = { 0 };
	g_autoptr(StoreMailbox) dest = NULL;
	StoreIntent intent = { .kind = kind };
	StoreId group = 0;
	uint32_t n;

	if (!mean(cli, options->words[0], options->words + 1, options->n_words - 2, &meant,
		  error) ||
	    !find_dest(cli, options->words[options->n_words - 1], &dest, error))
		return false;
	if (dest->id == meant.mailbox->id && kind == STORE_INTENT_MOVE) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("these messages are in %s already"), dest->name);
		return false;
	}
	intent.dest = dest->id;
	return change_meant(cli, &meant, &intent, &group, &n, error) &&
	       (n || fail_none(&meant, error));
}

bool
cli_run_move(Cli *cli, GError **error)
{
	return run_transfer(cli, STORE_INTENT_MOVE, error);
}

bool
cli_run_copy(Cli *cli, GError **error)
{
	return run_transfer(cli, STORE_INTENT_COPY, error);
}

/* Where nobody can be asked (a script), the command line is the answer. */
static bool
may_expunge(Cli *cli, const Meant *meant, GError **error)
{
	char answer[16] = "";
	g_autofree char *name = safe_line(meant->mailbox->name);

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr, _("These messages are in %s: delete them for good? [y/N] "), name);
	fflush(stderr);
	if (fgets(answer, sizeof answer, stdin) &&
	    (g_ascii_tolower(answer[0]) == 'y' || g_str_has_prefix(answer, _("y"))))
		return true;
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_CANCELLED, _("nothing was deleted"));
	return false;
}

/* The trash, made where there is none. */
static bool
find_trash(Cli *cli, const Meant *meant, StoreId *trash, StoreId *group, GError **error)
{
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GError) problem = NULL;
	StoreIntent intent = { .kind = STORE_INTENT_CREATE, .action = STORE_ACTION_DELETE };

	if (!engine_special(cli->store, cli_account(cli), meant->mailbox->account, STORE_ROLE_TRASH,
			    &mailbox, &name, &problem)) {
		if (!postern_error_is(problem, POSTERN_ERROR_GONE) || !name) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return false;
		}
		intent.account = meant->mailbox->account;
		intent.name = name;
		if (!change(cli, &intent, group, error) ||
		    !store_mailbox_find(cli->store, meant->mailbox->account, name, &mailbox, error))
			return false;
	}
	*trash = mailbox->id;
	return true;
}

bool
cli_run_delete(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	g_auto(Meant) meant = { 0 };
	StoreIntent intent = { .kind = STORE_INTENT_MOVE, .action = STORE_ACTION_DELETE };
	StoreId group = 0;
	uint32_t n;

	if (!mean(cli, options->words[0], options->words + 1, options->n_words - 1, &meant, error))
		return false;
	/* the special folders are known only once the list was read */
	if (!read_folders(cli, error) || !find_trash(cli, &meant, &intent.dest, &group, error))
		return false;
	if (intent.dest == meant.mailbox->id) {
		if (!may_expunge(cli, &meant, error))
			return false;
		intent.kind = STORE_INTENT_EXPUNGE;
		intent.dest = 0;
	}
	return change_meant(cli, &meant, &intent, &group, &n, error) &&
	       (n || fail_none(&meant, error));
}

/* ---- append --------------------------------------------------------------------------------------------- */

static GBytes *
read_input(GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	uint8_t piece[64 * 1024];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_FILE,
				    _("cannot read the message: %s"), g_strerror(errno));
			return NULL;
		}
		g_byte_array_append(bytes, piece, (guint)n);
		if (bytes->len > APPEND_MAX) {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("the message is larger than %d MiB"),
				    APPEND_MAX / (1024 * 1024));
			return NULL;
		}
	}
	if (!bytes->len) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("there is no message on standard input"));
		return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

bool
cli_run_append(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	g_autoptr(GString) keywords = g_string_new(NULL);
	g_autoptr(StoreMailbox) dest = NULL;
	g_autoptr(GBytes) content = NULL;
	uint16_t flags = 0;

	for (size_t i = 1; i < options->n_words; i++) {
		CliFlag flag;

		if (*options->words[i] != '+') {
			g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
				    _("append takes a folder and the +FLAGs of the message"));
			return false;
		}
		if (!cli_flag_parse(options->words[i], &flag, error))
			return false;
		flags |= flag.flag;
		if (flag.keyword)
			g_string_append_printf(keywords, "%s%s", keywords->len ? " " : "",
					       flag.keyword);
	}
	if (!cli_engine_to_change(cli, error) || !find_dest(cli, options->words[0], &dest, error))
		return false;
	content = read_input(error);
	return content && wait_change(cli,
				      engine_append(cli->engine, dest->id, content, flags,
						    keywords->str, 0, until(cli)),
				      error);
}

/* ---- folder --------------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	StoreIntentKind kind;
	size_t n_words;
} folder_verbs[] = {
	{ "create", STORE_INTENT_CREATE, 2 },		{ "rename", STORE_INTENT_RENAME, 3 },
	{ "delete", STORE_INTENT_DELETE, 2 },		{ "subscribe", STORE_INTENT_SUBSCRIBE, 2 },
	{ "unsubscribe", STORE_INTENT_UNSUBSCRIBE, 2 },
};

static bool
account_id(Cli *cli, StoreId *id, GError **error)
{
	return read_folders(cli, error) && cli_store(cli, error) &&
	       store_account(cli->store, cli_account(cli)->name, id, error);
}

bool
cli_run_folder(Cli *cli, GError **error)
{
	const CliOptions *options = cli->options;
	g_autoptr(StoreMailbox) mailbox = NULL;
	g_autofree char *name = NULL;
	g_autofree char *shown = safe_line(options->words[0]);
	StoreIntent intent = { 0 };
	StoreId group = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(folder_verbs); i++)
		if (!strcmp(folder_verbs[i].word, options->words[0]) &&
		    folder_verbs[i].n_words == options->n_words)
			intent.kind = folder_verbs[i].kind;
	if (!intent.kind) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_USAGE,
			    _("\"%s\": it goes postern folder create NAME, rename NAME NEW, delete "
			      "NAME, subscribe NAME or unsubscribe NAME"),
			    shown);
		return false;
	}
	if (!cli_engine_to_change(cli, error) || !account_id(cli, &intent.account, error))
		return false;
	name = cli_folder_name(cli, options->words[1]);
	if (intent.kind == STORE_INTENT_CREATE) {
		intent.name = name;
		return change(cli, &intent, &group, error);
	}
	if (!cli_mailbox(cli, name, &mailbox, error))
		return false;
	intent.mailbox = mailbox->id;
	if (intent.kind == STORE_INTENT_RENAME)
		intent.name = options->words[2];
	return change(cli, &intent, &group, error);
}

/* ---- undo ----------------------------------------------------------------------------------------------- */

bool
cli_run_undo(Cli *cli, GError **error)
{
	g_autofree char *text = NULL;

	if (!cli_engine_to_change(cli, error) ||
	    !cli_wait(cli, engine_undo(cli->engine, cli->options->account, until(cli)), error))
		return false;
	if (cli->done_text) {
		text = g_strdup_printf(_("taken back: %s"), cli->done_text);
		cli_notice(cli, text);
	}
	return true;
}
