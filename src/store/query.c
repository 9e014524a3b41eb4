#include "order-private.h"
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAILBOX_COLUMNS                                                                            \
	"id, account, raw, name, delimiter, role, subscribed, selectable, has_children, gone, "    \
	"server_total, server_unread, uidvalidity, uidnext, highestmodseq, total, unread, "        \
	"known_from_uid, mirrored_uidnext, mirrored_modseq, total - placed + hidden, "             \
	"created, old_name IS NOT NULL, deleted, server_subscribed IS NOT NULL, placed"

#define HEAD_COLUMNS "id, epoch, version, total, unread, account, hidden, placed, uidvalidity"

#define MESSAGE_COLUMNS                                                                            \
	"epoch, uid, date, received, zone_min, size, attachments, keywords, subject, from_, to_, " \
	"cc, reply_to, message_id, in_reply_to"

#define JOURNAL_COLUMNS                                                                            \
	"seq, grp, account, kind, action, state, mailbox, dest, flag, keyword, value, name, n, "   \
	"made, "                                                                                   \
	"sent, dest_uidvalidity, dest_uidnext, error, code, tries, raw"

#define TARGET_COLUMNS "seq, id, copy, mailbox, uidvalidity, uid, changed, state"

static const char *const texts[SQL_N] = {
	[SQL_BEGIN] = "BEGIN",
	[SQL_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_STATE] = "SELECT next_message, next_part, next_epoch FROM state",
	[SQL_STATE_SAVE] = "UPDATE state SET next_message = ?1, next_part = ?2, next_epoch = ?3,"
			   " folders = folders + ?4",
	[SQL_FOLDERS_VERSION] = "SELECT folders FROM state",
	[SQL_MAILBOX_VERSION] = "SELECT version FROM mailboxes WHERE id = ?1",

	[SQL_ACCOUNT_FIND] = "SELECT id FROM accounts WHERE name = ?1",
	[SQL_ACCOUNT_ADD] = "INSERT INTO accounts(name) VALUES(?1)",
	[SQL_FACT_SET] = "INSERT INTO facts VALUES(?1, ?2, ?3)"
			 " ON CONFLICT(account, key) DO UPDATE SET value = excluded.value",
	[SQL_FACT_DELETE] = "DELETE FROM facts WHERE account = ?1 AND key = ?2",
	[SQL_FACT_GET] = "SELECT value FROM facts WHERE account = ?1 AND key = ?2",
	[SQL_MAILBOX_BY_RAW] = "SELECT id FROM mailboxes WHERE account = ?1 AND raw = ?2",
	[SQL_MAILBOX_ADD] = "INSERT INTO mailboxes(account, raw, name, delimiter, role, subscribed,"
			    " selectable, has_children, gone, epoch)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_MAILBOX_UPDATE] =
	    "UPDATE mailboxes SET name = iif(old_name IS NULL, ?2, name),"
	    " old_name = iif(old_name IS NULL, NULL, ?2), delimiter = ?3, role = ?4,"
	    " subscribed = iif(server_subscribed IS NULL AND (?6 OR NOT created), ?5, subscribed),"
	    " server_subscribed = iif(server_subscribed IS NULL, NULL, ?5),"
	    " selectable = (?6 OR created), has_children = ?7, gone = ?8,"
	    " created = (created AND NOT ?6) WHERE id = ?1"
	    " AND (coalesce(old_name, name), delimiter, role,"
	    " coalesce(server_subscribed, subscribed), selectable, has_children, gone, created)"
	    " IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
	/* As the person is to see them: what waits in the journal is in the counts from before, and is
	 * not in the server's.  How many of the hidden ones are unread is not kept. */
	[SQL_MAILBOX_STATUS] =
	    "UPDATE mailboxes SET"
	    " server_total = iif(?2 < 0, server_total, max(?2 - hidden + placed, 0)),"
	    " server_unread = iif(?3 < 0 OR (server_unread >= 0 AND hidden + placed > 0),"
	    " server_unread, ?3),"
	    " uidvalidity = iif(?4, ?4, uidvalidity), uidnext = iif(?5, ?5, uidnext),"
	    " highestmodseq = iif(?6, ?6, highestmodseq) WHERE id = ?1"
	    " AND NOT ((?2 < 0 OR (?2 = server_total AND hidden + placed = 0))"
	    " AND (?3 < 0 OR ?3 = server_unread)"
	    " AND (?4 = 0 OR ?4 = uidvalidity) AND (?5 = 0 OR ?5 = uidnext)"
	    " AND (?6 = 0 OR ?6 = highestmodseq))",
	[SQL_MAILBOX_PROGRESS] =
	    "UPDATE mailboxes SET known_from_uid = ?2, mirrored_uidnext = ?3, mirrored_modseq = ?4"
	    " WHERE id = ?1 AND (known_from_uid, mirrored_uidnext, mirrored_modseq)"
	    " IS NOT (?2, ?3, ?4)",
	[SQL_MAILBOX_FORGET_MODSEQS] =
	    "UPDATE uids SET modseq = 0 WHERE modseq AND epoch ="
	    " (SELECT epoch FROM mailboxes WHERE id = ?1 AND mirrored_modseq > ?2)",
	[SQL_MAILBOX_GONE] = "UPDATE mailboxes SET gone = 1 WHERE id = ?1 AND NOT gone",
	[SQL_MAILBOX_LISTED] =
	    "SELECT id FROM mailboxes WHERE account = ?1 AND NOT gone AND NOT created",
	[SQL_MAILBOX_RESET] = "UPDATE mailboxes SET epoch = ?2, total = 0, unread = 0,"
			      " hidden = 0, placed = 0, known_from_uid = 0, mirrored_uidnext = 0, "
			      "mirrored_modseq = 0,"
			      " version = version + 1 WHERE id = ?1",
	[SQL_MAILBOXES] = "SELECT " MAILBOX_COLUMNS " FROM mailboxes WHERE id > 0 AND NOT deleted"
			  " AND (?1 = 0 OR account = ?1)"
			  " ORDER BY account, iif(role, role, 99), name COLLATE NOCASE, name, id",
	[SQL_MAILBOX_BY_ID] = "SELECT " MAILBOX_COLUMNS " FROM mailboxes WHERE id = ?1 AND id > 0",
	[SQL_MAILBOX_BY_NAME] =
	    "SELECT " MAILBOX_COLUMNS " FROM mailboxes WHERE account = ?1"
	    " AND NOT deleted AND (name = ?2 OR (lower(name) = 'inbox' AND lower(?2) = 'inbox'))"
	    " ORDER BY gone, id LIMIT 1",
	[SQL_EPOCH_DROP] = "INSERT INTO dropped VALUES(?1)",

	[SQL_HEAD_BY_ID] = "SELECT " HEAD_COLUMNS " FROM mailboxes WHERE id = ?1",
	[SQL_HEAD_BY_EPOCH] = "SELECT " HEAD_COLUMNS " FROM mailboxes WHERE epoch = ?1",
	[SQL_HEAD_SAVE] = "UPDATE mailboxes SET version = ?2, total = ?3, unread = ?4, hidden = ?5,"
			  " placed = ?6 WHERE id = ?1",
	[SQL_UID_ANY] = "SELECT 1 FROM uids WHERE epoch = ?1 AND uid BETWEEN ?2 AND ?3 LIMIT 1",
	[SQL_UID_FIND] = "SELECT id, date, modseq FROM uids WHERE epoch = ?1 AND uid = ?2",
	[SQL_UID_ADD] = "INSERT INTO uids VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_UID_UPDATE] = "UPDATE uids SET date = ?3, modseq = ?4 WHERE epoch = ?1 AND uid = ?2",
	[SQL_UID_DELETE] = "DELETE FROM uids WHERE epoch = ?1 AND uid = ?2",
	[SQL_MESSAGE_ADD] =
	    "INSERT INTO messages(id, epoch, uid, date, received, zone_min, size,"
	    " attachments, keywords, subject, from_, to_, cc, reply_to, message_id,"
	    " in_reply_to, structure) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
	    " ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
	[SQL_MESSAGE_UPDATE] =
	    "UPDATE messages SET date = ?4, received = ?5, zone_min = ?6, size = ?7,"
	    " attachments = iif(?17 IS NULL, attachments, ?8), keywords = ?9, subject = ?10,"
	    " from_ = ?11, to_ = ?12, cc = ?13, reply_to = ?14, message_id = ?15,"
	    " in_reply_to = ?16, structure = coalesce(?17, structure)"
	    " WHERE id = ?1",
	[SQL_MESSAGE_IDENTITY] = "SELECT message_id, size, date + received FROM messages"
				 " WHERE id = ?1",
	[SQL_MESSAGE_DELETE] = "DELETE FROM messages WHERE id = ?1",
	[SQL_MESSAGE_KEYWORDS] = "SELECT keywords FROM messages WHERE id = ?1",
	[SQL_MESSAGE_KEYWORDS_SET] = "UPDATE messages SET keywords = ?2 WHERE id = ?1",
	[SQL_MESSAGE_KEY] = "SELECT epoch, uid, date FROM messages WHERE id = ?1",
	[SQL_MESSAGE_ROW] = "SELECT " MESSAGE_COLUMNS ", NULL FROM messages WHERE id = ?1",
	[SQL_MESSAGE_ROW_WHOLE] =
	    "SELECT " MESSAGE_COLUMNS ", structure FROM messages WHERE id = ?1",

	[SQL_ORDER_LOAD] = "SELECT directory FROM orders WHERE epoch = ?1",
	[SQL_ORDER_ADD] = "INSERT INTO orders VALUES(?1, ?2)",
	[SQL_ORDER_SAVE] = "UPDATE orders SET directory = ?2 WHERE epoch = ?1",
	[SQL_ORDER_DELETE] = "DELETE FROM orders WHERE epoch = ?1",
	[SQL_CHUNK_LOAD] = "SELECT records FROM chunks WHERE id = ?1",
	[SQL_CHUNK_ADD] = "INSERT INTO chunks(records) VALUES(?1)",
	[SQL_CHUNK_SAVE] = "UPDATE chunks SET records = ?2 WHERE id = ?1",
	[SQL_CHUNK_DELETE] = "DELETE FROM chunks WHERE id = ?1",

	[SQL_PART_FIND] = "SELECT id, size FROM parts WHERE message IN (?1,"
			  " (SELECT origin FROM origins WHERE id = ?1)) AND section = ?2"
			  " ORDER BY message = ?1 DESC LIMIT 1",
	[SQL_ORIGIN_ADD] = "INSERT INTO origins VALUES(?2,"
			   " coalesce((SELECT origin FROM origins WHERE id = ?1), ?1))",
	[SQL_ORIGIN_DELETE] = "DELETE FROM origins WHERE id = ?1",
	[SQL_PART_ADD] =
	    "INSERT INTO parts(id, message, section, size, pieces) VALUES(?1, NULL, '', 0, 0)",
	[SQL_PART_FINISH] = "UPDATE parts SET message = ?2, section = ?3, size = ?4, pieces = ?5,"
			    " looked = ?7, account = (SELECT account FROM mailboxes WHERE id = ?6)"
			    " WHERE id = ?1 AND message IS NULL",
	[SQL_PART_REPLACE] = "UPDATE parts SET message = 0 WHERE message = ?1 AND section = ?2",
	[SQL_PART_DROP] = "UPDATE parts SET message = 0 WHERE id = ?1",
	[SQL_PARTS_DROP_OF] = "UPDATE parts SET message = 0 WHERE message = ?1",
	[SQL_PARTS_DROP_UNFINISHED] = "UPDATE parts SET message = 0 WHERE message IS NULL"
				      " AND id NOT IN (SELECT part FROM unfinished)",
	[SQL_PART_DROPPED] = "SELECT id FROM parts WHERE message = 0 LIMIT 1",
	[SQL_PART_DELETE] = "DELETE FROM parts WHERE id = ?1",
	[SQL_PIECE_ADD] = "INSERT INTO pieces VALUES(?1, ?2)",
	[SQL_PIECE_COUNT] = "SELECT count(*) FROM pieces WHERE id BETWEEN ?1 AND ?2",
	[SQL_PIECES] = "SELECT bytes FROM pieces WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[SQL_PIECES_DELETE] = "DELETE FROM pieces WHERE id IN"
			      " (SELECT id FROM pieces WHERE id BETWEEN ?1 AND ?2 LIMIT ?3)",
	[SQL_PIECES_SIZE] = "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM pieces"
			    " WHERE id BETWEEN ?1 AND ?2",
	[SQL_UNFINISHED_FIND] =
	    "SELECT part, total FROM unfinished WHERE message = ?1 AND section = ?2",
	[SQL_UNFINISHED_ADD] = "INSERT INTO unfinished VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_UNFINISHED_DELETE] = "DELETE FROM unfinished WHERE part = ?1",
	[SQL_UNFINISHED_DELETE_OF] = "DELETE FROM unfinished WHERE message = ?1",
	[SQL_UNFINISHED_DROP_OF] = "UPDATE parts SET message = 0 WHERE message IS NULL"
				   " AND id IN (SELECT part FROM unfinished WHERE message = ?1)",
	[SQL_UNFINISHED_OLD] = "DELETE FROM unfinished WHERE begun < ?1",

	[SQL_KEPT] = "SELECT kept FROM accounts WHERE id = ?1",
	[SQL_KEPT_OLDEST] = "SELECT looked FROM parts WHERE message > 0 AND account = ?1"
			    " ORDER BY looked LIMIT 1",
	/* Of messages that the server can give again: they have a UID, in a folder that it lists, and
	 * of which it is not doubted that they are still there (the fact "doubt/MAILBOX"). */
	[SQL_KEPT_VICTIMS] =
	    "SELECT p.id, p.size, m.epoch FROM parts p JOIN messages m ON m.id = p.message"
	    " JOIN mailboxes b ON b.epoch = m.epoch"
	    " WHERE p.message > 0 AND p.account = ?1 AND m.uid > 0 AND b.gone = 0"
	    " AND NOT EXISTS (SELECT 1 FROM facts f WHERE f.account = ?1"
	    "  AND f.key = 'doubt/' || b.id)"
	    " ORDER BY p.looked LIMIT ?2",
	[SQL_LOOKED_BEFORE] = "SELECT 1 FROM parts WHERE message = ?1 AND looked < ?2 LIMIT 1",
	[SQL_LOOKED] = "UPDATE parts SET looked = ?2 WHERE message = ?1 AND looked < ?2",
	[SQL_UIDS_BELOW] = "SELECT uid, id, date FROM uids WHERE epoch = ?1 AND uid < ?2"
			   " ORDER BY uid DESC",
	[SQL_MESSAGE_BODY] = "SELECT size, structure FROM messages WHERE id = ?1",

	[SQL_EPOCH_DROPPED] = "SELECT epoch FROM dropped LIMIT 1",
	[SQL_EPOCH_DELETE] = "DELETE FROM dropped WHERE epoch = ?1",
	[SQL_EPOCH_UIDS] = "SELECT uid, id FROM uids WHERE epoch = ?1 LIMIT ?2",

	[SQL_MAILBOX_ADJUST] =
	    "UPDATE mailboxes SET server_total = iif(server_total < 0, server_total,"
	    " max(server_total + ?2, 0)), server_unread = iif(server_unread < 0, server_unread,"
	    " max(server_unread + ?3, 0)) WHERE id = ?1",
	[SQL_MAILBOX_CREATED] = "UPDATE mailboxes SET created = 1, gone = 0, server_total = 0,"
				" server_unread = 0 WHERE id = ?1",
	[SQL_MAILBOX_IS_THERE] = "UPDATE mailboxes SET created = 0, gone = 0 WHERE id = ?1",
	[SQL_MAILBOX_DELETED] = "UPDATE mailboxes SET deleted = 1 WHERE id = ?1",
	[SQL_MAILBOX_UNDELETED] = "UPDATE mailboxes SET deleted = 0 WHERE id = ?1",
	[SQL_MAILBOX_DELETE] = "DELETE FROM mailboxes WHERE id = ?1",
	[SQL_MAILBOX_NAME] = "UPDATE mailboxes SET name = ?2 WHERE id = ?1",
	[SQL_MAILBOX_RAW] = "UPDATE mailboxes SET raw = ?2 WHERE id = ?1",
	[SQL_MAILBOX_RENAME] =
	    "UPDATE mailboxes SET old_name = coalesce(old_name, name), name = ?2 WHERE id = ?1",
	[SQL_MAILBOX_OLD_NAME] = "UPDATE mailboxes SET old_name = ?2 WHERE id = ?1",
	[SQL_MAILBOX_RENAMED] = "UPDATE mailboxes SET old_name = NULL, gone = 0 WHERE id = ?1",
	[SQL_MAILBOX_UNRENAMED] =
	    "UPDATE mailboxes SET name = coalesce(old_name, name), old_name = NULL WHERE id = ?1",
	[SQL_MAILBOX_NAMED_BACK] =
	    "UPDATE mailboxes SET old_name = NULL WHERE id = ?1 AND old_name = name",
	[SQL_MAILBOX_SUBSCRIBE] = "UPDATE mailboxes SET server_subscribed ="
				  " iif(?3, NULL, coalesce(server_subscribed, subscribed)), "
				  "subscribed = ?2 WHERE id = ?1",
	[SQL_MAILBOX_SUBSCRIBED] = "UPDATE mailboxes SET server_subscribed = NULL WHERE id = ?1",
	[SQL_MAILBOX_UNSUBSCRIBED] =
	    "UPDATE mailboxes SET subscribed = coalesce(server_subscribed, subscribed),"
	    " server_subscribed = NULL WHERE id = ?1",
	[SQL_ACCOUNT_DELIMITER] =
	    "SELECT delimiter FROM mailboxes WHERE account = ?1 AND delimiter <> 0"
	    " ORDER BY role = 1, id LIMIT 1",
	[SQL_MAILBOX_PENDING] = "SELECT 1 FROM mailboxes WHERE id = ?1 AND (created OR deleted OR "
				"old_name IS NOT NULL)",

	[SQL_HIDDEN_ADD] = "INSERT INTO hidden VALUES(?1, ?2, ?3, ?4)",
	[SQL_HIDDEN_DELETE] = "DELETE FROM hidden WHERE epoch = ?1 AND uid = ?2",
	[SQL_HIDDEN_FIND] = "SELECT leftover FROM hidden WHERE epoch = ?1 AND uid = ?2",
	[SQL_HIDDEN_OF] = "SELECT epoch, uid FROM hidden WHERE id = ?1 AND leftover = ?2"
			  " AND (?3 = 0 OR epoch = ?3) LIMIT 1",
	[SQL_HIDDEN_LEAVE] = "UPDATE hidden SET leftover = 1 WHERE epoch = ?1 AND uid = ?2",
	[SQL_HIDDEN_LEFT] =
	    "SELECT 1 FROM hidden WHERE epoch = ?1 AND uid = ?2 AND id = ?3 AND leftover",
	[SQL_TARGET_AT] = "UPDATE targets SET mailbox = ?3, uidvalidity = ?4, uid = ?5 WHERE seq = "
			  "?1 AND id = ?2",
	[SQL_HIDDEN_UIDS] = "SELECT uid FROM hidden WHERE epoch = ?1",
	[SQL_HIDDEN_ALL] = "SELECT uid, id, leftover FROM hidden WHERE epoch = ?1",
	[SQL_MESSAGE_PLACE] = "UPDATE messages SET epoch = ?2, uid = ?3 WHERE id = ?1",
	[SQL_MESSAGE_CLONE] =
	    "INSERT INTO messages(id, epoch, uid, date, received, zone_min, size, attachments,"
	    " keywords, subject, from_, to_, cc, reply_to, message_id, in_reply_to, structure)"
	    " SELECT ?2, ?3, NULL, date, received, zone_min, size, attachments, keywords, subject,"
	    " from_, to_, cc, reply_to, message_id, in_reply_to, structure"
	    " FROM messages WHERE id = ?1",
	[SQL_UID_RANGE] =
	    "SELECT uid, id, date FROM uids WHERE epoch = ?1 AND uid BETWEEN ?2 AND ?3",
	[SQL_PLACED_IN] = "SELECT id, 0, date FROM messages WHERE epoch = ?1 AND uid IS NULL",
	[SQL_CLAIMED_IN] =
	    "SELECT DISTINCT m.id, m.uid, m.date FROM journal j JOIN targets t ON t.seq = j.seq"
	    " JOIN messages m ON m.id = t.id WHERE j.state < 4 AND t.state <> 2 AND m.epoch = ?1"
	    " AND m.uid IS NOT NULL",
	[SQL_PARTS_RENAME] = "UPDATE parts SET message = ?2 WHERE message = ?1 AND section NOT IN"
			     " (SELECT section FROM parts WHERE message = ?2)",

	[SQL_MESSAGE_EMPTY] = "INSERT INTO messages(id, epoch, date, received, zone_min, size,"
			      " attachments) VALUES(?1, 0, 0, 0, 0, 0, 0)",
	[SQL_LOST_ANY] = "SELECT 1 FROM lost WHERE epoch = ?1 LIMIT 1",
	[SQL_LOST_ADD] = "INSERT INTO lost(epoch, id, message_id, size, received, from_uid)"
			 " SELECT ?1, id, message_id, iif(?5, size, 0),"
			 " iif(?4, date + received, NULL), ?3 FROM messages WHERE id = ?2",
	[SQL_LOST_AT] = "UPDATE lost SET at_uid = ?2 WHERE id = ?1",
	[SQL_LOST_FIND_AT] = "SELECT id FROM lost WHERE epoch = ?1 AND at_uid = ?2 AND at_uid > 0",
	[SQL_LOST_FIND] =
	    "SELECT id FROM lost WHERE epoch = ?1 AND message_id IS ?2 AND from_uid <= ?5"
	    " AND (size = 0 OR size = ?3) AND (received IS NULL OR received = ?4)"
	    " AND (?2 IS NOT NULL OR (size > 0 AND received IS NOT NULL))"
	    " ORDER BY (SELECT m.date FROM messages m WHERE m.id = lost.id) IS NOT ?6, id LIMIT 1",
	[SQL_LOST_FOR_GOOD] =
	    "SELECT id FROM lost l WHERE epoch = ?1 AND max(from_uid, 1) >= ?2 AND"
	    " (from_uid = 0 OR from_uid + (SELECT count(*) FROM lost o WHERE o.epoch = ?1"
	    "  AND o.from_uid = l.from_uid) <= ?3)",
	[SQL_LOST_MET] =
	    "SELECT u.uid FROM uids u JOIN messages m ON m.id = u.id JOIN messages x ON x.id = ?3"
	    " WHERE u.epoch = ?1 AND u.uid >= ?2 AND m.id > ?3 AND m.message_id IS x.message_id"
	    " AND ((NOT ?4 AND m.message_id IS NOT NULL) OR m.size = x.size)"
	    " AND (m.message_id IS NOT NULL OR m.date + m.received = x.date + x.received)"
	    " AND NOT EXISTS(SELECT 1 FROM targets t"
	    "  WHERE t.seq = ?5 AND (t.id = m.id OR t.copy = m.id))"
	    " ORDER BY m.date != x.date, u.uid LIMIT 1",
	[SQL_LOST_WHERE] = "SELECT epoch, at_uid FROM lost WHERE id = ?1 LIMIT 1",
	[SQL_LOST_DELETE] = "DELETE FROM lost WHERE id = ?1",
	[SQL_LOST_EPOCH] = "UPDATE lost SET epoch = ?2, from_uid = 0, at_uid = 0"
			   " WHERE epoch = ?1",
	[SQL_LOST_NOWHERE] = "DELETE FROM lost WHERE epoch = ?1",
	[SQL_EXPECTED] =
	    "SELECT m.message_id, iif(j.kind = 5 AND m.message_id > '', 0, m.size), j.dest_uidnext,"
	    " m.date + m.received"
	    " FROM journal j JOIN targets t ON t.seq = j.seq"
	    " JOIN messages m ON m.id = iif(j.kind = 3, t.copy, t.id)"
	    " WHERE j.state = 2 AND j.state < 4 AND j.kind IN (2, 3, 5) AND j.dest = ?1"
	    " AND (?2 = 0 OR j.dest_uidvalidity = ?2) AND j.dest_uidnext > 0 AND t.state < 2"
	    " AND NOT (m.epoch = ?3 AND m.uid IS NOT NULL)"
	    " AND NOT EXISTS(SELECT 1 FROM hidden h WHERE h.id = m.id AND h.epoch = ?3"
	    "  AND NOT h.leftover)"
	    " AND NOT EXISTS(SELECT 1 FROM lost l WHERE l.id = m.id)",
	[SQL_EXPECTED_MET] =
	    "SELECT h.uid, m.id, m.date, m.message_id, m.size, m.date + m.received FROM hidden h"
	    " JOIN messages m ON m.id = h.id WHERE h.epoch = ?1 AND NOT h.leftover AND m.epoch = 0"
	    " AND NOT EXISTS(SELECT 1 FROM targets t WHERE t.id = m.id)"
	    " AND NOT EXISTS(SELECT 1 FROM targets t WHERE t.copy = m.id AND t.copy > 0)"
	    " ORDER BY h.uid",
	[SQL_EXPECTED_IS] =
	    "SELECT 1 FROM messages m WHERE m.id = ?1 AND m.epoch = 0"
	    " AND NOT EXISTS(SELECT 1 FROM targets t WHERE t.id = m.id)"
	    " AND NOT EXISTS(SELECT 1 FROM targets t WHERE t.copy = m.id AND t.copy > 0)",

	[SQL_JOURNAL_ANY] = "SELECT 1 FROM journal WHERE state < 4 LIMIT 1",
	[SQL_JOURNAL_ADD] =
	    "INSERT INTO journal(grp, account, kind, action, state, mailbox, dest, flag, keyword,"
	    " value, name, raw, made, n)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[SQL_JOURNAL_GROUP] = "UPDATE journal SET grp = ?2 WHERE seq = ?1",
	[SQL_JOURNAL] = "SELECT " JOURNAL_COLUMNS " FROM journal WHERE state < 4"
			" AND (?1 = 0 OR account = ?1) ORDER BY seq",
	[SQL_JOURNAL_ROW] = "SELECT " JOURNAL_COLUMNS " FROM journal WHERE seq = ?1",
	[SQL_JOURNAL_COUNTS] = "SELECT sum(state < 3), sum(state = 3) FROM journal WHERE state < 4"
			       " AND (?1 = 0 OR account = ?1)",
	[SQL_JOURNAL_STATE] = "UPDATE journal SET state = ?2 WHERE seq = ?1",
	[SQL_JOURNAL_SENT] = "UPDATE journal SET state = 2, sent = ?2, dest_uidvalidity = ?3,"
			     " dest_uidnext = ?4, tries = tries + 1 WHERE seq = ?1 AND state < 3",
	[SQL_JOURNAL_FAILED] =
	    "UPDATE journal SET state = 3, code = ?2, error = ?3, because = ?4 WHERE seq = ?1",
	[SQL_JOURNAL_COUNT] =
	    "UPDATE journal SET n = (SELECT count(*) FROM targets t WHERE t.seq = journal.seq"
	    " AND t.state <> 2), state = iif(EXISTS(SELECT 1 FROM targets t"
	    " WHERE t.seq = journal.seq AND t.state <> 2), state, 4) WHERE seq = ?1",
	[SQL_JOURNAL_ONE_LESS] =
	    "UPDATE journal SET n = n - 1, state = iif(n <= 1, 4, state) WHERE seq = ?1",
	[SQL_JOURNAL_LESS] = "UPDATE journal SET n = n - ?2 WHERE seq = ?1",
	[SQL_JOURNAL_GONE] = "SELECT count(*) FROM targets WHERE seq = ?1 AND state = 3",
	[SQL_JOURNAL_DELETE] = "DELETE FROM journal WHERE seq = ?1",
	[SQL_JOURNAL_RETRY] = "UPDATE journal SET state = iif(kind < 6 AND n = 0, 4, 1), error = "
			      "NULL, code = 0, because = 0"
			      " WHERE state = 3 AND (seq = ?1 OR because = ?1)",
	[SQL_JOURNAL_SPLIT] =
	    "INSERT INTO journal(grp, account, kind, action, state, mailbox, dest, flag, keyword,"
	    " value, name, raw, made, n) SELECT grp, account, kind, action, state, mailbox, dest,"
	    " flag, keyword, value, name, raw, made, 0 FROM journal WHERE seq = ?1",
	[SQL_JOURNAL_NAME] = "UPDATE journal SET name = ?2, raw = ?3 WHERE seq = ?1",
	[SQL_JOURNAL_OF_FOLDER] =
	    "SELECT seq FROM journal WHERE state < 4 AND mailbox = ?1 AND kind = ?2"
	    " ORDER BY seq DESC LIMIT 1",
	[SQL_JOURNAL_FOLDER_RENAME] =
	    "UPDATE journal SET mailbox = iif(mailbox = ?1, ?2, mailbox),"
	    " dest = iif(dest = ?1, ?2, dest) WHERE mailbox = ?1 OR dest = ?1",
	[SQL_JOURNAL_BUSY] =
	    "SELECT 1 FROM journal WHERE state < 4 AND kind < 6 AND (mailbox = ?1 OR dest = ?1)"
	    " LIMIT 1",
	[SQL_JOURNAL_RELATED] =
	    "SELECT 1 FROM journal WHERE state < 4 AND account = ?1 AND"
	    " iif(?2 = 1, kind = 1 AND flag = ?3, kind BETWEEN 2 AND 5) LIMIT 1",
	[SQL_JOURNAL_EARLIER] =
	    "SELECT 1 FROM journal j WHERE j.state < 3 AND j.seq < ?1 AND j.account ="
	    " (SELECT account FROM journal WHERE seq = ?1) LIMIT 1",
	[SQL_JOURNAL_DEPENDS_FOLDER] =
	    "SELECT 1 FROM journal r JOIN journal j ON j.account = r.account AND j.seq < r.seq"
	    " WHERE r.seq = ?1 AND j.state < 3 AND iif(r.kind < 6,"
	    "  j.kind = 6 AND j.mailbox IN (r.mailbox, r.dest),"
	    "  r.mailbox IN (j.mailbox, j.dest)) LIMIT 1",
	[SQL_JOURNAL_DEPENDS] =
	    "SELECT 1 FROM targets t JOIN journal r ON r.seq = t.seq WHERE t.seq = ?1"
	    " AND t.state < 2 AND (EXISTS(SELECT 1 FROM targets p JOIN journal j ON j.seq = p.seq"
	    "  WHERE p.id = t.id AND p.seq < ?1 AND p.state < 2 AND j.state < 3"
	    "  AND (r.kind = 3 OR j.kind IN (2, 3, 5))) OR EXISTS(SELECT 1 FROM targets p"
	    "  JOIN journal j ON j.seq = p.seq WHERE p.copy = t.id AND p.copy > 0 AND p.seq < ?1"
	    "  AND p.state < 2 AND j.state < 3)) LIMIT 1",
	[SQL_JOURNAL_OLDEST] =
	    "SELECT min(grp) FROM (SELECT DISTINCT grp FROM journal WHERE action NOT IN (3, 4)"
	    " AND NOT undone ORDER BY grp DESC LIMIT ?1)",
	[SQL_JOURNAL_OLD] = "SELECT seq FROM journal WHERE state = 4"
			    " AND (grp < ?1 OR action IN (3, 4) OR undone) LIMIT 1",
	[SQL_TARGET_ADD] = "INSERT INTO targets VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_TARGET_FIND] = "SELECT " TARGET_COLUMNS " FROM targets WHERE seq = ?1 AND id = ?2",
	[SQL_TARGETS] = "SELECT " TARGET_COLUMNS " FROM targets WHERE seq = ?1 AND id > ?2"
			" AND (?4 OR state <> 2) ORDER BY id LIMIT ?3",
	[SQL_TARGET_SET] = "UPDATE targets SET state = ?3, changed = ?4 WHERE seq = ?1 AND id = ?2",
	[SQL_TARGETS_FINISH] = "UPDATE targets SET state = 2 WHERE seq = ?1 AND state < 2",
	[SQL_TARGETS_RETRY] = "UPDATE targets SET state = 0 WHERE state = 3 AND (seq = ?1 OR seq IN"
			      " (SELECT seq FROM journal WHERE because = ?1))",
	[SQL_TARGET_FORGET] = "UPDATE targets SET state = 2 WHERE seq = ?1 AND id = ?2",
	[SQL_TARGET_SPLIT] = "UPDATE targets SET seq = ?3 WHERE seq = ?1 AND id = ?2",
	[SQL_TARGETS_DELETE] = "DELETE FROM targets WHERE seq = ?1",
	[SQL_TARGET_DELETE] = "DELETE FROM targets WHERE seq = ?1 AND id = ?2",
	[SQL_TARGETS_BOTH] = "SELECT seq FROM targets WHERE id = ?1"
			     " AND seq IN (SELECT seq FROM targets WHERE id = ?2)",
	[SQL_TARGETS_RENAME] = "UPDATE targets SET id = ?2 WHERE id = ?1",
	[SQL_TARGETS_RENAME_COPY] = "UPDATE targets SET copy = ?2 WHERE copy = ?1 AND copy > 0",
	[SQL_CLAIMS] =
	    "SELECT j.seq, j.kind, j.state, j.mailbox, j.dest, j.flag, j.keyword, j.value,"
	    " t.changed, t.state, 0, t.copy, t.id, j.because FROM targets t JOIN journal j ON "
	    "j.seq = t.seq"
	    " WHERE t.id = ?1 AND t.state <> 2 AND j.state < 4"
	    " UNION ALL SELECT j.seq, j.kind, j.state, j.mailbox, j.dest, j.flag, j.keyword, "
	    "j.value,"
	    " t.changed, t.state, 1, t.copy, t.id, j.because FROM targets t JOIN journal j ON "
	    "j.seq = t.seq"
	    " WHERE t.copy = ?1 AND t.copy > 0 AND t.state <> 2 AND j.state < 4 ORDER BY 1",
	[SQL_STRAYS] = "SELECT m.id FROM messages m INDEXED BY messages_placed WHERE m.uid IS NULL"
		       " AND EXISTS(SELECT 1 FROM targets t WHERE t.seq = ?1 AND t.id = m.id)",
	[SQL_UNDO_GROUP] =
	    "SELECT grp FROM journal WHERE (?1 = 0 OR account = ?1) AND action NOT IN (3, 4)"
	    " AND NOT undone ORDER BY grp DESC LIMIT 1",
	[SQL_UNDO_ROWS] = "SELECT seq FROM journal WHERE grp = ?1 ORDER BY seq DESC",
	[SQL_UNDO_FIRST] = "SELECT m.id FROM journal j JOIN targets t ON t.seq = j.seq"
			   " JOIN messages m ON m.id = t.id WHERE j.grp = ?1 AND j.kind IN (?2, ?3)"
			   " ORDER BY m.date DESC, m.uid DESC LIMIT 1",
	[SQL_UNDO_MARK] = "UPDATE journal SET undone = 1 WHERE grp = ?1",
	[SQL_UNDO_NAMES] = "SELECT old_name, old_raw FROM journal WHERE seq = ?1",
	[SQL_UNDO_NAMES_SET] = "UPDATE journal SET old_name = ?2, old_raw = ?3 WHERE seq = ?1",
};

StoreQuery *
store_query(Store *store, Sql sql, GError **error)
{
	if (!store->queries[sql]) {
		int rc = sqlite3_prepare_v3(store->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
					    &store->queries[sql], NULL);

		/* Our own text fails against our own schema only when that is not what it was.  (A
		 * reader may be looking at one that a newer Postern has just migrated.) */
		if (rc == SQLITE_ERROR && store->role == STORE_WRITER) {
			store_fail_damaged(store, sqlite3_errmsg(store->db), error);
			return NULL;
		}
		if (rc != SQLITE_OK) {
			store_fail(store, rc, error);
			return NULL;
		}
	}
	return store->queries[sql];
}

void
store_query_done(StoreQuery *query)
{
	if (query)
		sqlite3_reset(query);
}

bool
store_step(Store *store, StoreQuery *query, bool *row, GError **error)
{
	int rc = sqlite3_step(query);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_fail(store, rc, error);
	*row = rc == SQLITE_ROW;
	if (*row)
		store->stats.rows_read++;
	return true;
}

bool
store_run(Store *store, StoreQuery *query, int *changed, GError **error)
{
	int rc = sqlite3_step(query);

	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		store_fail(store, rc, error);
		sqlite3_reset(query);
		return false;
	}
	sqlite3_reset(query);
	if (changed)
		*changed = sqlite3_changes(store->db);
	store->stats.rows_written += (uint64_t)sqlite3_changes(store->db);
	return true;
}

int
store_bind_text(StoreQuery *query, int column, Span text)
{
	if (span_is_empty(text))
		return sqlite3_bind_null(query, column);
	return sqlite3_bind_text64(query, column, text.at, span_size(text), SQLITE_STATIC,
				   SQLITE_UTF8);
}

int
store_bind_blob(StoreQuery *query, int column, Span bytes)
{
	if (span_is_empty(bytes))
		return sqlite3_bind_null(query, column);
	return sqlite3_bind_blob64(query, column, bytes.at, span_size(bytes), SQLITE_STATIC);
}

char *
store_column_text(StoreQuery *query, int column)
{
	const void *text = sqlite3_column_blob(query, column);
	int size = sqlite3_column_bytes(query, column);

	return g_strndup(text ? text : "", text ? (gsize)size : 0);
}

/* ---- errors -------------------------------------------------------------------------------- */

void
store_mark_damaged(Store *store)
{
	g_autofree char *mark = g_strconcat(store->path, ".damaged", NULL);
	int fd = open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

bool
store_fail_damaged(Store *store, const char *what, GError **error)
{
	log_event(store->log, "store", "damaged: %s", what);
	store_mark_damaged(store);
	g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
		    _("the mail cache %s is damaged (%s): quit every Postern and start it again; "
		      "the damaged file is then set aside and the mail is fetched anew"),
		    store->path, what);
	return false;
}

bool
store_is_full(Store *store, int rc)
{
	int system_errno = sqlite3_system_errno(store->db);

	if ((rc & 0xff) == SQLITE_FULL)
		return true;
	return (rc & 0xff) == SQLITE_IOERR &&
	       (system_errno == ENOSPC || system_errno == EDQUOT || rc == SQLITE_IOERR_SHMSIZE);
}

bool
store_fail(Store *store, int rc, GError **error)
{
	int system_errno = sqlite3_system_errno(store->db);

	rc = sqlite3_extended_errcode(store->db) ? sqlite3_extended_errcode(store->db) : rc;
	log_event(store->log, "store", "SQLite %d (errno %d): %s", rc, system_errno,
		  sqlite3_errmsg(store->db));
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		return store_fail_damaged(store, sqlite3_errstr(rc), error);
	if (store_is_full(store, rc))
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the disk is full: nothing could be written to %s; make room and try "
			      "again"),
			    store->path);
	else if ((rc & 0xff) == SQLITE_IOERR)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("%s cannot be read or written: I/O error (%s)"), store->path,
			    system_errno ? g_strerror(system_errno) : sqlite3_errstr(rc));
	else if ((rc & 0xff) == SQLITE_BUSY)
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("%s is held by another program: try again when that has ended"),
			    store->path);
	else
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE, _("the mail cache %s: %s"),
			    store->path, sqlite3_errmsg(store->db));
	return false;
}

/* ---- transactions --------------------------------------------------------------------------- */

bool
store_state_load(Store *store, GError **error)
{
	g_autoptr(StoreQuery) query = store_query(store, SQL_STATE, error);
	bool row;

	if (!query || !store_step(store, query, &row, error))
		return false;
	if (!row)
		return store_fail_damaged(store, "no state", error);
	store->next_message = sqlite3_column_int64(query, 0);
	store->next_part = sqlite3_column_int64(query, 1);
	store->next_epoch = sqlite3_column_int64(query, 2);
	if (store->next_message <= 0 || store->next_part <= 0 || store->next_epoch <= 0 ||
	    store->next_part > ORDER_ID_MAX || store->next_epoch > ORDER_ID_MAX)
		return store_fail_damaged(store, "state", error);
	store->state_changed = store->folders_changed = false;
	return true;
}

static bool
run_plain(Store *store, Sql sql, GError **error)
{
	StoreQuery *query = store_query(store, sql, error);
	int rc;

	if (!query)
		return false;
	rc = sqlite3_step(query);
	if (rc != SQLITE_DONE)
		store_fail(store, rc, error);
	sqlite3_reset(query);
	return rc == SQLITE_DONE;
}

/* Only outside a transaction.  synchronous=NORMAL: a power cut may take back the newest commits. */
static bool
set_durable(Store *store, bool durable, GError **error)
{
	int rc;

	if (store->durable == durable)
		return true;
	rc = sqlite3_exec(store->db,
			  durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
			  NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return store_fail(store, rc, error);
	store->durable = durable;
	return true;
}

static bool
begin(Store *store, bool durable, GError **error)
{
	g_return_val_if_fail(store->role == STORE_WRITER, false);
	if (!set_durable(store, durable, error))
		return false;
	if (!run_plain(store, SQL_BEGIN_IMMEDIATE, error))
		return false;
	if (!store_state_load(store, error)) {
		run_plain(store, SQL_ROLLBACK, NULL);
		return false;
	}
	store->stats.transactions++;
	return true;
}

/* After a full disk SQLite may have rolled back by itself. */
static void
roll_back(Store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		run_plain(store, SQL_ROLLBACK, NULL);
	store->rollbacks++;
	order_free(g_steal_pointer(&store->order));
}

static bool
commit(Store *store, GError **error)
{
	if (store->state_changed || store->folders_changed) {
		StoreQuery *query = store_query(store, SQL_STATE_SAVE, error);

		if (!query)
			return false;
		sqlite3_bind_int64(query, 1, store->next_message);
		sqlite3_bind_int64(query, 2, store->next_part);
		sqlite3_bind_int64(query, 3, store->next_epoch);
		sqlite3_bind_int(query, 4, store->folders_changed);
		if (!store_run(store, query, NULL, error))
			return false;
	}
	return run_plain(store, SQL_COMMIT, error);
}

bool
store_write_begin(Store *store, GError **error)
{
	if (store->in_transaction && store->given_up) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_STORE,
			    _("the change was given up after an earlier error"));
		return false;
	}
	return store->in_transaction || begin(store, false, error);
}

bool
store_write_end(Store *store, bool ok, GError **error)
{
	if (ok && store->in_transaction)
		return true;
	if (ok && commit(store, error))
		return true;
	roll_back(store);
	store->given_up = store->in_transaction;
	return false;
}

static bool
begin_outer(Store *store, bool durable, GError **error)
{
	g_return_val_if_fail(!store->in_transaction && !store->snapshots, false);
	if (!begin(store, durable, error))
		return false;
	store->in_transaction = true;
	store->given_up = false;
	return true;
}

bool
store_verb_begin(Store *store, bool *own, GError **error)
{
	*own = !store->in_transaction;
	return *own ? store_begin_durable(store, error) : store_write_begin(store, error);
}

bool
store_verb_end(Store *store, bool own, bool ok, GError **error)
{
	if (!own)
		return store_write_end(store, ok, error);
	if (ok)
		return store_commit(store, error);
	store_rollback(store);
	return false;
}

bool
store_begin(Store *store, GError **error)
{
	return begin_outer(store, false, error);
}

bool
store_begin_durable(Store *store, GError **error)
{
	return begin_outer(store, true, error);
}

bool
store_commit(Store *store, GError **error)
{
	bool ok;

	g_return_val_if_fail(store->in_transaction, false);
	ok = store_write_begin(store, error);
	store->in_transaction = false;
	if (!ok)
		return false;
	return store_write_end(store, true, error);
}

void
store_rollback(Store *store)
{
	g_return_if_fail(store->in_transaction);
	if (!store->given_up)
		roll_back(store);
	store->in_transaction = false;
}

bool
store_read_begin(Store *store, GError **error)
{
	if (store->in_transaction || store->snapshots)
		return true;
	return run_plain(store, SQL_BEGIN, error);
}

void
store_read_end(Store *store)
{
	if (store->in_transaction || store->snapshots)
		return;
	if (!sqlite3_get_autocommit(store->db))
		run_plain(store, SQL_COMMIT, NULL);
}

bool
store_snapshot_begin(Store *store, GError **error)
{
	if (!store_read_begin(store, error))
		return false;
	store->snapshots++;
	return true;
}

void
store_snapshot_end(Store *store)
{
	g_return_if_fail(store->snapshots > 0);
	store->snapshots--;
	store_read_end(store);
}

bool
store_version(Store *store, StoreId mailbox, int64_t *version, GError **error)
{
	g_autoptr(StoreQuery) query =
	    store_query(store, mailbox ? SQL_MAILBOX_VERSION : SQL_FOLDERS_VERSION, error);
	bool row;

	if (!query)
		return false;
	if (mailbox)
		sqlite3_bind_int64(query, 1, mailbox);
	if (!store_step(store, query, &row, error))
		return false;
	if (!row) {
		g_set_error(error, POSTERN_ERROR, POSTERN_ERROR_GONE, _("no such mailbox"));
		return false;
	}
	*version = sqlite3_column_int64(query, 0);
	return true;
}

void
store_stats(const Store *store, StoreStats *out)
{
	*out = store->stats;
}
