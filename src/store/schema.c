/* The tables, and the steps by which an older database becomes ours. */
#include "store-private.h"

/* Step N brings user_version N to N + 1.  A step that has been released is never edited. */
static const char *const steps[] = {
	"CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_message INTEGER NOT NULL,"
	" next_part INTEGER NOT NULL, next_epoch INTEGER NOT NULL, folders INTEGER NOT NULL);"
	"INSERT INTO state VALUES(1, 1, 1, 1, 1);"

	"CREATE TABLE accounts(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE facts(account INTEGER, key TEXT, value TEXT NOT NULL,"
	" PRIMARY KEY(account, key)) WITHOUT ROWID;"

	"CREATE TABLE mailboxes(id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,"
	" raw BLOB NOT NULL, name TEXT NOT NULL, delimiter INTEGER NOT NULL, role INTEGER NOT NULL,"
	" subscribed INTEGER NOT NULL, selectable INTEGER NOT NULL, has_children INTEGER NOT NULL,"
	" gone INTEGER NOT NULL, server_total INTEGER NOT NULL DEFAULT -1,"
	" server_unread INTEGER NOT NULL DEFAULT -1, uidvalidity INTEGER NOT NULL DEFAULT 0,"
	" uidnext INTEGER NOT NULL DEFAULT 0, highestmodseq INTEGER NOT NULL DEFAULT 0,"
	" epoch INTEGER NOT NULL UNIQUE, total INTEGER NOT NULL DEFAULT 0,"
	" unread INTEGER NOT NULL DEFAULT 0, known_from_uid INTEGER NOT NULL DEFAULT 0,"
	" mirrored_uidnext INTEGER NOT NULL DEFAULT 0,"
	" mirrored_modseq INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,"
	" UNIQUE(account, raw));"
	"CREATE TABLE dropped(epoch INTEGER PRIMARY KEY);"

	/* received: seconds after date.  reply_to: 1 stands for the same as from_.  What a list does
	 * not show comes last, so that it need not be read past. */
	"CREATE TABLE messages(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, uid INTEGER,"
	" date INTEGER NOT NULL, received INTEGER NOT NULL, zone_min INTEGER NOT NULL,"
	" size INTEGER NOT NULL, attachments INTEGER NOT NULL, keywords TEXT, subject TEXT,"
	" from_ TEXT, to_ TEXT, cc TEXT, reply_to, message_id TEXT, in_reply_to TEXT,"
	" structure BLOB);"
	"CREATE TABLE uids(epoch INTEGER, uid INTEGER, id INTEGER NOT NULL, date INTEGER NOT NULL,"
	" modseq INTEGER NOT NULL, PRIMARY KEY(epoch, uid)) WITHOUT ROWID;"

	"CREATE TABLE orders(epoch INTEGER PRIMARY KEY, directory BLOB NOT NULL);"
	"CREATE TABLE chunks(id INTEGER PRIMARY KEY, records BLOB NOT NULL);"

	"CREATE TABLE parts(id INTEGER PRIMARY KEY, message INTEGER, section TEXT NOT NULL,"
	" size INTEGER NOT NULL, pieces INTEGER NOT NULL);"
	"CREATE INDEX parts_message ON parts(message, section);"
	"CREATE TABLE pieces(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",

	/* What is kept, and for how long.  accounts.kept: the bytes of an account's whole parts.
	 * parts.looked: when the part was last looked at (seconds since the epoch).  unfinished:
	 * what came of a part before the line was cut; total: its size when it is whole. */
	"ALTER TABLE accounts ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE parts ADD COLUMN account INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE parts ADD COLUMN looked INTEGER NOT NULL DEFAULT 0;"
	"UPDATE parts SET account = coalesce((SELECT b.account FROM messages m"
	" JOIN mailboxes b ON b.epoch = m.epoch WHERE m.id = parts.message), 0) WHERE message > 0;"
	"UPDATE accounts SET kept = (SELECT coalesce(sum(size), 0) FROM parts"
	" WHERE message > 0 AND account = accounts.id);"
	"CREATE INDEX parts_looked ON parts(account, looked) WHERE message > 0;"
	"CREATE TRIGGER parts_kept AFTER UPDATE OF message, size, account ON parts BEGIN"
	" UPDATE accounts SET kept = kept - old.size WHERE id = old.account AND old.message > 0;"
	" UPDATE accounts SET kept = kept + new.size WHERE id = new.account AND new.message > 0;"
	" END;"
	"CREATE TABLE unfinished(message INTEGER, section TEXT, part INTEGER NOT NULL,"
	" total INTEGER NOT NULL, begun INTEGER NOT NULL,"
	" PRIMARY KEY(message, section)) WITHOUT ROWID;",

	/* The journal, and where a message stands when that is not where the server has it: see
	 * place-private.h.  Mailbox 0 lists what stands in none.  old_name: the server's while a new
	 * one waits; server_subscribed: the server's word while another waits. */
	/* origins: a copy's parts are its original's. */
	"CREATE TABLE origins(id INTEGER PRIMARY KEY, origin INTEGER NOT NULL);"
	"CREATE INDEX messages_placed ON messages(epoch) WHERE uid IS NULL;"
	"ALTER TABLE mailboxes ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE mailboxes ADD COLUMN placed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE mailboxes ADD COLUMN created INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE mailboxes ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE mailboxes ADD COLUMN old_name TEXT;"
	"ALTER TABLE mailboxes ADD COLUMN server_subscribed INTEGER;"
	"INSERT INTO mailboxes(id, account, raw, name, delimiter, role, subscribed, selectable,"
	" has_children, gone, epoch) VALUES(0, 0, x'', '', 0, 0, 0, 0, 0, 0, 0);"
	"CREATE TABLE hidden(epoch INTEGER, uid INTEGER, id INTEGER NOT NULL,"
	" leftover INTEGER NOT NULL, PRIMARY KEY(epoch, uid)) WITHOUT ROWID;"
	"CREATE INDEX hidden_id ON hidden(id);"
	"CREATE TABLE lost(epoch INTEGER, id INTEGER, message_id TEXT, size INTEGER NOT NULL,"
	" received INTEGER, from_uid INTEGER NOT NULL, at_uid INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(epoch, id)) WITHOUT ROWID;"
	"CREATE INDEX lost_at_uid ON lost(epoch, at_uid) WHERE at_uid > 0;"
	"CREATE INDEX lost_message_id ON lost(epoch, message_id);"
	"CREATE INDEX lost_id ON lost(id);"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, grp INTEGER NOT NULL,"
	" account INTEGER NOT NULL, kind INTEGER NOT NULL, action INTEGER NOT NULL,"
	" state INTEGER NOT NULL, mailbox INTEGER NOT NULL, dest INTEGER NOT NULL,"
	" flag INTEGER NOT NULL, keyword TEXT, value INTEGER NOT NULL, name TEXT, raw BLOB,"
	" made INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,"
	" dest_uidvalidity INTEGER NOT NULL DEFAULT 0, dest_uidnext INTEGER NOT NULL DEFAULT 0,"
	" error TEXT, code INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,"
	" old_name TEXT, old_raw BLOB, undone INTEGER NOT NULL DEFAULT 0, because INTEGER NOT NULL "
	"DEFAULT 0,"
	" n INTEGER NOT NULL);"
	"CREATE INDEX journal_open ON journal(account, seq) WHERE state < 4;"
	"CREATE INDEX journal_group ON journal(grp);"
	"CREATE TABLE targets(seq INTEGER, id INTEGER, copy INTEGER NOT NULL,"
	" mailbox INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"
	" changed INTEGER NOT NULL, state INTEGER NOT NULL, PRIMARY KEY(seq, id)) WITHOUT ROWID;"
	"CREATE INDEX targets_id ON targets(id, seq);"
	"CREATE INDEX targets_copy ON targets(copy) WHERE copy > 0;"
	"CREATE INDEX targets_gone ON targets(seq) WHERE state = 3;",
};

int
store_schema_version(void)
{
	return (int)G_N_ELEMENTS(steps);
}

bool
store_schema_migrate(Store *store, int from, GError **error)
{
	g_autoptr(GString) script = g_string_new("BEGIN IMMEDIATE;");
	int rc;

	for (int i = from; i < store_schema_version(); i++)
		g_string_append(script, steps[i]);
	g_string_append_printf(script, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
			       STORE_APPLICATION_ID, store_schema_version());
	rc = sqlite3_exec(store->db, script->str, NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		log_event(store->log, "store", "schema %d -> %d", from, store_schema_version());
		return true;
	}
	store_fail(store, rc, error);
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}
